/*
 * test_succession: a zone that is sound, then changed while it is observed: its DS, its keys, or
 * both; what may be in caches from before, and what was not observed since.
 */
#include "tests/unit/signed_zone.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define VALID -3600, 864000

struct tree {
    struct settings settings;
    struct anchors *anchors;
    struct signed_zone root, before, after; /* zone. with the keys of either time */
    struct answers answers;
    uint64_t frame;
};

static int plant(void **state)
{
    struct tree *t = calloc(1, sizeof *t);
    char error[200];
    settings_default(&t->settings);
    t->root = signed_zone_make(".", LDNS_SIGN_ECDSAP256SHA256, 256);
    t->before = signed_zone_make("zone.", LDNS_SIGN_ECDSAP256SHA256, 256);
    t->after = signed_zone_make("zone.", LDNS_SIGN_ED25519, 256);
    t->anchors = anchors_new();
    ldns_rr *key = zone_dnskey(&t->root);
    char *text = ldns_rr2str(key);
    assert_int_equal(anchors_add(t->anchors, "root", text, strlen(text), error, sizeof error), 0);
    free(text);
    ldns_rr_free(key);
    assert_int_equal(answers_init(&t->answers, &t->settings, t->anchors, NULL, 42), 0);
    *state = t;
    return 0;
}

static int fell(void **state)
{
    struct tree *t = *state;
    answers_fini(&t->answers);
    anchors_free(t->anchors);
    ldns_key_deep_free(t->root.key);
    ldns_key_deep_free(t->before.key);
    ldns_key_deep_free(t->after.key);
    free(t);
    return 0;
}

static struct answer *see(struct tree *t, struct reply r, int64_t seconds)
{
    t->frame += 2;
    return show(&t->answers, r, t->frame, seconds);
}

static struct reply answer_of(const char *qname, ldns_rr_type type, ldns_rr_list *set,
                              const struct signed_zone *signer)
{
    struct reply r = reply_to(qname, type, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, set, signer, VALID, NULL);
    return r;
}

static ldns_rr *ds_with(const struct signed_zone *zone, ldns_hash digest)
{
    ldns_rr *key = zone_dnskey(zone), *ds = ldns_key_rr2ds(key, digest);
    ldns_rr_free(key);
    return ds;
}

static struct reply ds_reply(struct tree *t, ldns_rr_list *set)
{
    return answer_of("zone.", LDNS_RR_TYPE_DS, set, &t->root);
}

static struct reply keys_reply(const struct signed_zone *zone)
{
    return answer_of("zone.", LDNS_RR_TYPE_DNSKEY, one(zone_dnskey(zone)), zone);
}

static struct reply www(const struct signed_zone *signer)
{
    return answer_of("www.zone.", LDNS_RR_TYPE_A, RECORDS("www.zone. 300 A 192.0.2.1"), signer);
}

static void root_keys(struct tree *t)
{
    see(t, answer_of(".", LDNS_RR_TYPE_DNSKEY, one(zone_dnskey(&t->root)), &t->root), 0);
}

static void assert_reason(const struct answer *a, enum reason reason)
{
    assert_non_null(a);
    assert_string_equal(reason_code(a->reason), reason_code(reason));
}

/* --- digests --- */

static void sha1_counts_in_a_ds_rrset_of_its_own(void **state)
{
    struct tree *t = *state;
    root_keys(t);
    see(t, ds_reply(t, one(ds_with(&t->before, LDNS_SHA256))), 1);
    see(t, keys_reply(&t->before), 2);
    assert_reason(see(t, www(&t->before), 3), REASON_CHAIN);
    see(t, ds_reply(t, one(ds_with(&t->after, LDNS_SHA1))), 4);
    assert_reason(see(t, keys_reply(&t->after), 5), REASON_CHAIN);
    assert_reason(see(t, www(&t->after), 6), REASON_CHAIN);
}

static void sha1_beside_sha256_does_not_count(void **state)
{
    struct tree *t = *state;
    ldns_rr_list *both = one(ds_with(&t->before, LDNS_SHA256));
    ldns_rr_list_push_rr(both, ds_with(&t->after, LDNS_SHA1));
    root_keys(t);
    see(t, ds_reply(t, both), 1);
    assert_reason(see(t, keys_reply(&t->after), 2), REASON_DS_MISMATCH);
    assert_reason(see(t, www(&t->after), 3), REASON_DS_MISMATCH);
}

/* --- a zone that denies having keys --- */

/* NODATA without proof, as an unsigned copy of the zone gives it. */
static struct reply no_keys(void)
{
    struct reply r = reply_to("zone.", LDNS_RR_TYPE_DNSKEY, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS("zone. 300 SOA ns.zone. h.zone. 1 2 3 4 5"), NULL,
              0, 0, NULL);
    return r;
}

static void one_server_without_keys(void **state)
{
    struct tree *t = *state;
    root_keys(t);
    see(t, ds_reply(t, one(zone_ds(&t->before))), 1);
    struct answer *sound = see(t, www(&t->before), 2);
    assert_reason(sound, REASON_DNSKEY_NOT_SEEN);
    struct answer *denied = see(t, no_keys(), 3);
    assert_reason(denied, REASON_DNSKEY_MISSING);
    assert_reason(sound, REASON_DNSKEY_MISSING);
    see(t, keys_reply(&t->before), 4);
    assert_reason(sound, REASON_CHAIN);
    assert_reason(denied, REASON_DENIAL_MISSING);
}

static struct reply no_ds(struct tree *t)
{
    struct reply r = reply_to("zone.", LDNS_RR_TYPE_DS, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS(". 300 SOA ns. h. 1 2 3 4 5"), &t->root, VALID,
              NULL);
    reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS("zone. 300 NSEC zonf. NS RRSIG NSEC"), &t->root,
              VALID, NULL);
    return r;
}

/* What it denied while it was unsigned it did not deny under its DS; what it denies since, it does.
 */
static void an_unsigned_zone_gets_signed(void **state)
{
    struct tree *t = *state;
    root_keys(t);
    assert_reason(see(t, no_ds(t), 1), REASON_DENIAL);
    assert_reason(see(t, no_keys(), 2), REASON_UNSIGNED_DELEGATION);
    see(t, ds_reply(t, one(zone_ds(&t->before))), 100);
    struct answer *sound = see(t, www(&t->before), 101);
    assert_reason(sound, REASON_DNSKEY_NOT_SEEN);
    assert_reason(see(t, no_keys(), 102), REASON_DNSKEY_MISSING);
    assert_reason(sound, REASON_DNSKEY_MISSING);
    see(t, keys_reply(&t->before), 103);
    assert_reason(sound, REASON_CHAIN);
}

/* --- keys of another time --- */

/* Keys that were first seen a day later say nothing of a signature by others; nor do they when an
 * earlier run has kept them. */
static void keys_of_the_next_day(void **state)
{
    struct tree *t = *state;
    root_keys(t);
    see(t, ds_reply(t, one(zone_ds(&t->before))), 86400);
    see(t, keys_reply(&t->before), 86401);
    struct answer *other = see(t, www(&t->after), 10);
    assert_reason(other, REASON_CHAIN_STALE);
    assert_ptr_equal(see(t, www(&t->after), 86402), other);
    assert_reason(other, REASON_KEY_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(function) cmocka_unit_test_setup_teardown(function, plant, fell)
        TEST(sha1_counts_in_a_ds_rrset_of_its_own),
        TEST(sha1_beside_sha256_does_not_count),
        TEST(one_server_without_keys),
        TEST(an_unsigned_zone_gets_signed),
        TEST(keys_of_the_next_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
