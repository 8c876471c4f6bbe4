/*
 * test_downgrade: what an attacker adds to forged data so that it looks unsigned rather than
 * forged: algorithms that nobody implements, signers outside the zone.
 */
#include "tests/unit/signed_zone.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define VALID -3600, 86400
#define ALIEN_KEY                                                                                  \
    "zone.test. 300 IN DNSKEY 257 3 12 "                                                           \
    "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fIA=="

/* A signature by nobody, in its time (1800000000 is 2027-01-15T08:00:00Z). */
static const char *garbage(const char *owner, const char *type, unsigned algorithm, unsigned labels,
                           unsigned tag, const char *signer)
{
    static char text[4][400], bytes[89];
    static unsigned turn;
    char *out = text[turn++ % 4];
    memset(bytes, 'A', 86);
    memcpy(bytes + 86, "==", 3);
    snprintf(out, sizeof text[0],
             "%s 300 IN RRSIG %s %u %u 300 20270301000000 20270101000000 %u %s %s", owner, type,
             algorithm, labels, tag, signer, bytes);
    return out;
}

struct tree {
    struct settings settings;
    struct anchors *anchors;
    struct signed_zone zone, thief;
    struct answers answers;
    uint64_t frame;
};

/* An island: the only anchor is at zone.test., for its key and for one of an unknown algorithm. */
static int plant(void **state)
{
    struct tree *t = calloc(1, sizeof *t);
    char error[200], text[2000];
    settings_default(&t->settings);
    t->zone = signed_zone_make("zone.test.", LDNS_SIGN_ED25519, 256);
    t->thief = signed_zone_make("zone.test.", LDNS_SIGN_ED25519, 256);
    t->anchors = anchors_new();
    ldns_rr *key = zone_dnskey(&t->zone), *alien;
    char *line = ldns_rr2str(key);
    assert_int_equal(ldns_rr_new_frm_str(&alien, ALIEN_KEY, 300, NULL, NULL), LDNS_STATUS_OK);
    ldns_rr *ds = ldns_key_rr2ds(alien, LDNS_SHA256);
    char *alien_line = ldns_rr2str(ds);
    snprintf(text, sizeof text, "%s%s", line, alien_line);
    assert_int_equal(anchors_add(t->anchors, "anchor", text, strlen(text), error, sizeof error), 0);
    free(line);
    free(alien_line);
    ldns_rr_free(key);
    ldns_rr_free(alien);
    ldns_rr_free(ds);
    assert_int_equal(answers_init(&t->answers, &t->settings, t->anchors, NULL, 42), 0);
    *state = t;
    return 0;
}

static int fell(void **state)
{
    struct tree *t = *state;
    answers_fini(&t->answers);
    anchors_free(t->anchors);
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

static ldns_rr_list *keys_of(const struct signed_zone *zone)
{
    ldns_rr_list *list = RECORDS(ALIEN_KEY);
    ldns_rr_list_push_rr(list, zone_dnskey(zone));
    return list;
}

static uint16_t alien_tag(void)
{
    ldns_rr *alien;
    assert_int_equal(ldns_rr_new_frm_str(&alien, ALIEN_KEY, 300, NULL, NULL), LDNS_STATUS_OK);
    uint16_t tag = ldns_calc_keytag(alien);
    ldns_rr_free(alien);
    return tag;
}

static ldns_rr_list *alien_signed(const char *owner, bool and_garbage)
{
    char data[100];
    snprintf(data, sizeof data, "%s 300 IN A 192.0.2.66", owner);
    const char *alien = garbage(owner, "A", 12, 3, alien_tag(), "zone.test.");
    const char *other = garbage(owner, "A", 15, 3, 1, "zone.test.");
    return and_garbage ? RECORDS(data, alien, other) : RECORDS(data, alien);
}

static void an_unknown_algorithm_is_no_signature(void **state)
{
    struct tree *t = *state;
    assert_int_equal(show_set(t, "zone.test.", LDNS_RR_TYPE_DNSKEY, keys_of(&t->zone), &t->zone),
                     REASON_CHAIN);
    assert_int_equal(
        show_set(t, "a.zone.test.", LDNS_RR_TYPE_A, alien_signed("a.zone.test.", false), NULL),
        REASON_SIG_MISSING);
    enum reason reason =
        show_set(t, "b.zone.test.", LDNS_RR_TYPE_A, alien_signed("b.zone.test.", true), NULL);
    assert_int_equal(reason_verdict(reason), VERDICT_BOGUS);
}

/* The key of the unknown algorithm is genuine, the other one is the thief's. */
static void an_unknown_algorithm_does_not_excuse_the_keys(void **state)
{
    struct tree *t = *state;
    ldns_rr_list *keys = keys_of(&t->thief);
    const char *line = garbage("zone.test.", "DNSKEY", 12, 2, alien_tag(), "zone.test.");
    ldns_rr *signature;
    assert_int_equal(ldns_rr_new_frm_str(&signature, line, 300, NULL, NULL), LDNS_STATUS_OK);
    ldns_rr_list_push_rr(keys, signature);
    enum reason reason = show_set(t, "zone.test.", LDNS_RR_TYPE_DNSKEY, keys, NULL);
    assert_int_equal(reason_verdict(reason), VERDICT_BOGUS);
    reason = show_set(t, "a.zone.test.", LDNS_RR_TYPE_A,
                      RECORDS("a.zone.test. 300 IN A 192.0.2.66"), &t->thief);
    assert_int_equal(reason_verdict(reason), VERDICT_BOGUS);
}

static void a_signer_without_anchor_does_not_excuse(void **state)
{
    struct tree *t = *state;
    show_set(t, "zone.test.", LDNS_RR_TYPE_DNSKEY, keys_of(&t->zone), &t->zone);
    enum reason reason = show_set(t, "a.zone.test.", LDNS_RR_TYPE_A,
                                  RECORDS("a.zone.test. 300 IN A 192.0.2.66",
                                          garbage("a.zone.test.", "A", 15, 3, 1, "test."),
                                          garbage("a.zone.test.", "A", 15, 3, 2, ".")),
                                  NULL);
    assert_int_equal(reason_verdict(reason), VERDICT_BOGUS);
    /* beside the zone it may well be so */
    reason = show_set(t, "a.other.test.", LDNS_RR_TYPE_A,
                      RECORDS("a.other.test. 300 IN A 192.0.2.66",
                              garbage("a.other.test.", "A", 15, 3, 1, "test.")),
                      NULL);
    assert_int_equal(reason, REASON_NO_ANCHOR);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, plant, fell)
    const struct CMUnitTest tests[] = {TEST(an_unknown_algorithm_is_no_signature),
                                       TEST(an_unknown_algorithm_does_not_excuse_the_keys),
                                       TEST(a_signer_without_anchor_does_not_excuse)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
