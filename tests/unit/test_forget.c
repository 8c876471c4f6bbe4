/*
 * test_forget: memory that runs out: tables stay within their bounds, and what is forgotten never
 * makes a bogus answer secure.
 */
#include "analyze/batch.h"
#include "tests/unit/signed_zone.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define VALID  -3600, 86400
#define MEMORY ((size_t)8 << 20)

struct tree {
    struct settings settings;
    struct anchors *anchors;
    struct baseline *baseline;
    struct signed_zone root, test, zone, thief;
    struct answers answers;
    uint64_t frame;
};

static char *text_of(ldns_rr *rr)
{
    char *text = ldns_rr2str(rr);
    ldns_rr_free(rr);
    return text;
}

/* zone.test. is declared with its key. */
static int plant(void **state)
{
    struct tree *t = calloc(1, sizeof *t);
    char error[200], file[1000];
    settings_default(&t->settings);
    t->settings.memory_bytes = MEMORY;
    t->root = signed_zone_make(".", LDNS_SIGN_ED25519, 256);
    t->test = signed_zone_make("test.", LDNS_SIGN_ED25519, 256);
    t->zone = signed_zone_make("zone.test.", LDNS_SIGN_ED25519, 256);
    t->thief = signed_zone_make("zone.test.", LDNS_SIGN_ED25519, 256);
    t->anchors = anchors_new();
    char *text = text_of(zone_dnskey(&t->root));
    assert_int_equal(anchors_add(t->anchors, "root", text, strlen(text), error, sizeof error), 0);
    free(text);
    t->baseline = baseline_new();
    text = text_of(zone_dnskey(&t->zone));
    snprintf(file, sizeof file,
             "zone.test. 300 IN SOA a. b. 1 2 3 4 5\nzone.test. 300 IN NS a.\n%s", text);
    free(text);
    assert_int_equal(
        baseline_add_zone(t->baseline, "zone", file, strlen(file), error, sizeof error), 0);
    assert_int_equal(baseline_ready(t->baseline, error, sizeof error), 0);
    assert_int_equal(answers_init(&t->answers, &t->settings, t->anchors, t->baseline, 42), 0);
    *state = t;
    return 0;
}

static int fell(void **state)
{
    struct tree *t = *state;
    answers_fini(&t->answers);
    baseline_free(t->baseline);
    anchors_free(t->anchors);
    ldns_key_deep_free(t->root.key);
    ldns_key_deep_free(t->test.key);
    ldns_key_deep_free(t->zone.key);
    ldns_key_deep_free(t->thief.key);
    free(t);
    return 0;
}

static enum reason show_set(struct tree *t, const char *name, ldns_rr_type type, ldns_rr_list *set,
                            const struct signed_zone *by)
{
    struct reply r = reply_to(name, type, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, set, by, VALID, NULL);
    return show(&t->answers, r, ++t->frame, 0)->reason;
}

static void show_parents(struct tree *t)
{
    show_set(t, ".", LDNS_RR_TYPE_DNSKEY, one(zone_dnskey(&t->root)), &t->root);
    show_set(t, "test.", LDNS_RR_TYPE_DS, one(zone_ds(&t->test)), &t->root);
    show_set(t, "test.", LDNS_RR_TYPE_DNSKEY, one(zone_dnskey(&t->test)), &t->test);
}

static enum reason ask(struct tree *t)
{
    return show_set(t, "www.zone.test.", LDNS_RR_TYPE_A,
                    RECORDS("www.zone.test. 300 IN A 192.0.2.1"), &t->zone);
}

/* Answers below ever new names, each waiting for cuts that are never seen. */
static void flood(struct tree *t, unsigned names)
{
    for (unsigned i = 0; i < names; i++) {
        char name[100], line[140];
        snprintf(name, sizeof name, "a.b%u.c%u.d%u.test.", i, i % 1000, i / 7);
        snprintf(line, sizeof line, "%s 300 IN A 192.0.2.1", name);
        struct reply r = reply_to(name, LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR);
        ldns_pkt_set_aa(r.pkt, false);
        reply_set(&r, LDNS_SECTION_ANSWER, RECORDS(line), NULL, VALID, NULL);
        show(&t->answers, r, ++t->frame, 0);
        assert_true(t->answers.world.zone_count <= t->answers.world.zones_max);
        if (answers_must_forget(&t->answers))
            answers_forget(&t->answers);
        assert_true(answers_bytes(&t->answers) <= MEMORY);
    }
}

static void a_flood_stays_within_memory(void **state)
{
    struct tree *t = *state;
    show_parents(t);
    flood(t, 40000);
    assert_true(t->answers.world.forgotten > 2);
    answers_forget(&t->answers);
    assert_true(answers_bytes(&t->answers) < MEMORY / 4);
}

/* The parent names another key: the declared one is bogus, and would be secure if what the parents
 * said were forgotten. */
static void parents_of_a_declared_zone_stay(void **state)
{
    struct tree *t = *state;
    assert_int_equal(reason_verdict(ask(t)),
                     VERDICT_INDETERMINATE); /* a declared key proves nothing */
    show_parents(t);
    show_set(t, "zone.test.", LDNS_RR_TYPE_DS, one(zone_ds(&t->thief)), &t->test);
    show_set(t, "zone.test.", LDNS_RR_TYPE_DNSKEY, one(zone_dnskey(&t->zone)), &t->zone);
    assert_int_equal(ask(t), REASON_DS_MISMATCH);
    flood(t, 20000);
    assert_true(t->answers.world.forgotten > 0);
    assert_int_equal(ask(t), REASON_DS_MISMATCH);
    answers_forget(&t->answers);
    world_forget(&t->answers.world, 0); /* as if there were no room at all */
    assert_int_equal(ask(t), REASON_DS_MISMATCH);
}

/* A zone that nobody declared is forgotten, and then not known: neither bogus nor secure. */
static void other_zones_may_go(void **state)
{
    struct tree *t = *state;
    struct signed_zone other = signed_zone_make("other.test.", LDNS_SIGN_ED25519, 256);
    show_parents(t);
    show_set(t, "other.test.", LDNS_RR_TYPE_DS, one(zone_ds(&other)), &t->test);
    show_set(t, "other.test.", LDNS_RR_TYPE_DNSKEY, one(zone_dnskey(&other)), &other);
    const char *line = "www.other.test. 300 IN A 192.0.2.1";
    assert_int_equal(show_set(t, "www.other.test.", LDNS_RR_TYPE_A, RECORDS(line), &other),
                     REASON_CHAIN);
    answers_forget(&t->answers);
    assert_int_equal(show_set(t, "www.other.test.", LDNS_RR_TYPE_A, RECORDS(line), &other),
                     REASON_CHAIN);
    size_t held = rrsets_bytes(t->answers.world.rrsets);
    answers_forget(&t->answers);
    world_forget(&t->answers.world, 0);
    assert_true(rrsets_bytes(t->answers.world.rrsets) < held);
    assert_null(world_find(&t->answers.world, (const uint8_t *)"\5other\4test"));
    enum reason reason = show_set(t, "www.other.test.", LDNS_RR_TYPE_A, RECORDS(line), &other);
    assert_int_equal(reason_verdict(reason), VERDICT_INDETERMINATE);
    ldns_key_deep_free(other.key);
}

/* Proofs that replace each other are let go of. */
static void proofs_do_not_pile_up(void **state)
{
    struct tree *t = *state;
    show_parents(t);
    for (unsigned i = 0; i < 200; i++) {
        char line[200];
        snprintf(line, sizeof line, "plain.test. 300 IN NSEC z%u.test. NS RRSIG NSEC", i);
        struct reply r = reply_to("x.plain.test.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR);
        ldns_pkt_set_aa(r.pkt, false);
        reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS("plain.test. 300 IN NS ns.plain.test."), NULL,
                  VALID, NULL);
        reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS(line), &t->test, -3600, 86400 + (int64_t)i,
                  NULL);
        show(&t->answers, r, ++t->frame, 0);
    }
    answers_forget(&t->answers);
    assert_true(rrsets_bytes(t->answers.world.rrsets) < 16384);
}

/* Signatures by nobody: one a set is what any zone may have, more are at the zone's expense. */
static enum reason ask_garbage(struct tree *t, const char *name, unsigned signatures, int64_t when)
{
    char line[300], bytes[89];
    struct reply r = reply_to(name, LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR);
    snprintf(line, sizeof line, "%s 300 IN A 192.0.2.1", name);
    ldns_rr_list *set = RECORDS(line);
    for (unsigned i = 0; i < signatures; i++) {
        ldns_rr *rr;
        memset(bytes, 'A' + (int)i, 86);
        bytes[85] = 'A';
        memcpy(bytes + 86, "==", 3);
        snprintf(line, sizeof line,
                 "%s 300 IN RRSIG A 15 3 300 20270301000000 20270101000000 %u zone.test. %s", name,
                 ldns_key_keytag(t->zone.key), bytes);
        assert_int_equal(ldns_rr_new_frm_str(&rr, line, 300, NULL, NULL), LDNS_STATUS_OK);
        ldns_rr_list_push_rr(set, rr);
    }
    reply_set(&r, LDNS_SECTION_ANSWER, set, NULL, VALID, NULL);
    return show(&t->answers, r, ++t->frame, when)->reason;
}

static void a_zone_has_a_budget(void **state)
{
    struct tree *t = *state;
    t->settings.zone_signatures = 16;
    show_parents(t);
    show_set(t, "zone.test.", LDNS_RR_TYPE_DS, one(zone_ds(&t->zone)), &t->test);
    show_set(t, "zone.test.", LDNS_RR_TYPE_DNSKEY, one(zone_dnskey(&t->zone)), &t->zone);
    assert_int_equal(ask_garbage(t, "a.zone.test.", 16, 0), REASON_SIG_BAD);
    assert_int_equal(ask_garbage(t, "b.zone.test.", 16, 0), REASON_BUDGET);
    assert_true(t->answers.world.budget.ran_out & 1u << BUDGET_ZONE);
    assert_int_equal(ask_garbage(t, "c.zone.test.", 1, 0), REASON_SIG_BAD);
    assert_int_equal(reason_verdict(ask(t)), VERDICT_SECURE); /* who is sound does not suffer */
    assert_int_equal(ask_garbage(t, "d.zone.test.", 16, 1), REASON_SIG_BAD);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, plant, fell)
    const struct CMUnitTest tests[] = {
        TEST(a_flood_stays_within_memory), TEST(parents_of_a_declared_zone_stay),
        TEST(other_zones_may_go), TEST(proofs_do_not_pile_up), TEST(a_zone_has_a_budget)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
