/*
 * test_alias: aliases that lead from one zone to another: each zone proves its own part of the
 * answer, and no part may be missing.
 */
#include "tests/unit/signed_zone.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define VALID -3600, 864000

struct tree {
    struct settings settings;
    struct anchors *anchors;
    struct signed_zone root, a, b; /* a. and b. beside each other */
    struct answers answers;
    uint64_t frame;
};

static struct answer *see(struct tree *t, struct reply r)
{
    t->frame += 2;
    return show(&t->answers, r, t->frame, 0);
}

static void see_set(struct tree *t, const char *qname, ldns_rr_type type, ldns_rr *rr,
                    const struct signed_zone *signer)
{
    struct reply r = reply_to(qname, type, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, one(rr), signer, VALID, NULL);
    see(t, r);
}

static int plant(void **state)
{
    struct tree *t = calloc(1, sizeof *t);
    settings_default(&t->settings);
    t->root = signed_zone_make(".", LDNS_SIGN_ECDSAP256SHA256, 256);
    t->a = signed_zone_make("a.", LDNS_SIGN_ED25519, 256);
    t->b = signed_zone_make("b.", LDNS_SIGN_ED25519, 256);
    t->anchors = anchors_new();
    zone_anchor(t->anchors, &t->root);
    assert_int_equal(answers_init(&t->answers, &t->settings, t->anchors, NULL, 42), 0);
    see_set(t, ".", LDNS_RR_TYPE_DNSKEY, zone_dnskey(&t->root), &t->root);
    see_set(t, "a.", LDNS_RR_TYPE_DS, zone_ds(&t->a), &t->root);
    see_set(t, "a.", LDNS_RR_TYPE_DNSKEY, zone_dnskey(&t->a), &t->a);
    *state = t;
    return 0;
}

static void sign_b(struct tree *t)
{
    see_set(t, "b.", LDNS_RR_TYPE_DS, zone_ds(&t->b), &t->root);
    see_set(t, "b.", LDNS_RR_TYPE_DNSKEY, zone_dnskey(&t->b), &t->b);
}

static int fell(void **state)
{
    struct tree *t = *state;
    answers_fini(&t->answers);
    anchors_free(t->anchors);
    ldns_key_deep_free(t->root.key);
    ldns_key_deep_free(t->a.key);
    ldns_key_deep_free(t->b.key);
    free(t);
    return 0;
}

static void assert_reason(const struct answer *a, enum reason reason)
{
    assert_non_null(a);
    assert_string_equal(reason_code(a->reason), reason_code(reason));
}

enum { PROOF_A = 1, PROOF_B = 2 };

/* x.a. MX by *.a. CNAME www.b., which has no MX; with the proofs of `parts`. */
static struct reply wildcard_to_nothing(const struct tree *t, unsigned parts,
                                        const struct signed_zone *signer)
{
    struct reply r = reply_to("x.a.", LDNS_RR_TYPE_MX, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS("*.a. 300 CNAME www.b."), &t->a, VALID, "x.a.");
    if (parts & PROOF_A)
        reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS("*.a. 300 NSEC a. CNAME RRSIG NSEC"), &t->a,
                  VALID, NULL);
    reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS("b. 300 SOA ns.b. h.b. 1 2 3 4 5"), signer, VALID,
              NULL);
    if (parts & PROOF_B)
        reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS("www.b. 300 NSEC b. A RRSIG NSEC"), signer,
                  VALID, NULL);
    return r;
}

static void each_zone_proves_its_own(void **state)
{
    struct tree *t = *state;
    sign_b(t);
    const struct answer *a = see(t, wildcard_to_nothing(t, PROOF_A | PROOF_B, &t->b));
    assert_int_equal(reason_verdict(a->reason), VERDICT_SECURE);
    assert_reason(see(t, wildcard_to_nothing(t, PROOF_A, &t->b)), REASON_DENIAL_MISSING);
    assert_reason(see(t, wildcard_to_nothing(t, PROOF_B, &t->b)), REASON_WILDCARD_CLOSER);
}

/* The proof of a. is none of b.'s, whoever signed the rest. */
static void no_zone_proves_for_another(void **state)
{
    struct tree *t = *state;
    sign_b(t);
    struct reply r = wildcard_to_nothing(t, PROOF_A, &t->b);
    reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS("www.b. 300 NSEC b. A RRSIG NSEC"), &t->a, VALID,
              NULL);
    assert_int_equal(reason_verdict(see(t, r)->reason), VERDICT_BOGUS);
}

static void into_an_unsigned_zone(void **state)
{
    struct tree *t = *state;
    struct reply r = reply_to("b.", LDNS_RR_TYPE_DS, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS(". 300 SOA ns. h. 1 2 3 4 5"), &t->root, VALID,
              NULL);
    reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS("b. 300 NSEC c. NS RRSIG NSEC"), &t->root, VALID,
              NULL);
    assert_reason(see(t, r), REASON_DENIAL);
    assert_reason(see(t, wildcard_to_nothing(t, PROOF_A, NULL)), REASON_UNSIGNED_DELEGATION);
    assert_reason(see(t, wildcard_to_nothing(t, 0, NULL)), REASON_WILDCARD_CLOSER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(function) cmocka_unit_test_setup_teardown(function, plant, fell)
        TEST(each_zone_proves_its_own),
        TEST(no_zone_proves_for_another),
        TEST(into_an_unsigned_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
