/*
 * anchored: where trust begins and where the operator ended it: anchors with a validity, islands of
 * trust, negative anchors, each by packet time.
 */
#include "analyze/canon.h"
#include "tests/unit/signed_zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define VALID -864000, 864000
#define DAY   INT64_C(86400)

struct tree {
    struct settings settings;
    struct anchors *anchors;
    struct baseline *baseline;
    struct signed_zone root, test, zone;
    struct answers answers;
    uint64_t frame;
};

static int plant(void **state)
{
    struct tree *t = calloc(1, sizeof *t);
    settings_default(&t->settings);
    t->root = signed_zone_make(".", LDNS_SIGN_ECDSAP256SHA256, 256);
    t->test = signed_zone_make("test.", LDNS_SIGN_ECDSAP256SHA256, 256);
    t->zone = signed_zone_make("zone.test.", LDNS_SIGN_ED25519, 256);
    t->anchors = anchors_new();
    t->baseline = baseline_new();
    *state = t;
    return 0;
}

static int fell(void **state)
{
    struct tree *t = *state;
    answers_fini(&t->answers);
    anchors_free(t->anchors);
    baseline_free(t->baseline);
    ldns_key_deep_free(t->root.key);
    ldns_key_deep_free(t->test.key);
    ldns_key_deep_free(t->zone.key);
    free(t);
    return 0;
}

static void anchor_text(struct tree *t, const char *text)
{
    char error[200];
    if (anchors_add(t->anchors, "anchor", text, strlen(text), error, sizeof error) != 0)
        fail_msg("%s", error);
}

static void anchor_at(struct tree *t, const struct signed_zone *zone)
{
    ldns_rr *key = zone_dnskey(zone);
    char *text = ldns_rr2str(key);
    anchor_text(t, text);
    free(text);
    ldns_rr_free(key);
}

static void policy(struct tree *t, const char *text)
{
    char error[200];
    if (baseline_add_policy(t->baseline, "p.yaml", text, strlen(text), error, sizeof error) != 0)
        fail_msg("%s", error);
}

static void begin(struct tree *t)
{
    char error[200];
    assert_int_equal(baseline_ready(t->baseline, error, sizeof error), 0);
    assert_int_equal(answers_init(&t->answers, &t->settings, t->anchors, t->baseline, 42), 0);
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

/* An answer of its own each time: content decides what is one record. */
static struct reply host(const char *name, const struct signed_zone *signer)
{
    char line[200];
    snprintf(line, sizeof line, "%s 300 A 192.0.2.1", name);
    return answer_of(name, LDNS_RR_TYPE_A, RECORDS(line), signer);
}

static void chain(struct tree *t, int64_t seconds)
{
    see(t, answer_of(".", LDNS_RR_TYPE_DNSKEY, one(zone_dnskey(&t->root)), &t->root), seconds);
    see(t, answer_of("test.", LDNS_RR_TYPE_DS, one(zone_ds(&t->test)), &t->root), seconds);
    see(t, answer_of("test.", LDNS_RR_TYPE_DNSKEY, one(zone_dnskey(&t->test)), &t->test), seconds);
    see(t, answer_of("zone.test.", LDNS_RR_TYPE_DS, one(zone_ds(&t->zone)), &t->test), seconds);
    see(t, answer_of("zone.test.", LDNS_RR_TYPE_DNSKEY, one(zone_dnskey(&t->zone)), &t->zone),
        seconds);
}

static void assert_reason(const struct answer *a, enum reason reason)
{
    assert_non_null(a);
    assert_string_equal(reason_code(a->reason), reason_code(reason));
}

/* --- anchors --- */

/* root-anchors.xml as IANA writes it, with these attributes. */
static void anchor_xml(struct tree *t, const char *times)
{
    ldns_rr *ds = zone_ds(&t->root);
    char *digest = ldns_rdf2str(ldns_rr_rdf(ds, 3)), text[600];
    snprintf(text, sizeof text,
             "<TrustAnchor id=\"A\" source=\"x\"><Zone>.</Zone><KeyDigest id=\"B\" %s>"
             "<KeyTag>%u</KeyTag><Algorithm>13</Algorithm><DigestType>2</DigestType>"
             "<Digest>%s</Digest></KeyDigest></TrustAnchor>",
             times, ldns_key_keytag(t->root.key), digest);
    anchor_text(t, text);
    free(digest);
    ldns_rr_free(ds);
}

/* T0 is 2027-01-15T08:00:00Z. The same answer, seen before, in and after the anchor's validity. */
static void anchors_have_a_validity(void **state)
{
    static const struct {
        const char *times;
        enum reason before, within, after;
    } rows[] = {
        {"validFrom=\"2027-01-15T00:00:00+00:00\" validUntil=\"2027-01-16T00:00:00+00:00\"",
         REASON_NO_ANCHOR, REASON_CHAIN, REASON_NO_ANCHOR},
        {"validFrom=\"2027-01-15T00:00:00+00:00\"", REASON_NO_ANCHOR, REASON_CHAIN, REASON_CHAIN},
        {"validUntil=\"2027-01-16T00:00:00+00:00\"", REASON_CHAIN, REASON_CHAIN, REASON_NO_ANCHOR},
        {"", REASON_CHAIN, REASON_CHAIN, REASON_CHAIN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tree *t = *state;
        print_message("%s\n", rows[i].times);
        anchor_xml(t, rows[i].times);
        begin(t);
        chain(t, -DAY);
        assert_reason(see(t, host("www.zone.test.", &t->zone), -DAY), rows[i].before);
        chain(t, 0);
        assert_reason(see(t, host("www.zone.test.", &t->zone), 0), rows[i].within);
        chain(t, DAY);
        assert_reason(see(t, host("www.zone.test.", &t->zone), DAY), rows[i].after);
        assert_reason(see(t, host("new.zone.test.", &t->zone), DAY), rows[i].after);
        assert_int_equal(fell(state), 0);
        assert_int_equal(plant(state), 0);
    }
}

/* Of two anchors for a zone one runs out: the other goes on (KSK-2017 and KSK-2024). */
static void one_anchor_of_two_runs_out(void **state)
{
    struct tree *t = *state;
    anchor_xml(t, "validUntil=\"2027-01-16T00:00:00+00:00\"");
    anchor_at(t, &t->root);
    begin(t);
    chain(t, 0);
    assert_reason(see(t, host("www.zone.test.", &t->zone), 0), REASON_CHAIN);
    chain(t, DAY);
    assert_reason(see(t, host("www.zone.test.", &t->zone), DAY), REASON_CHAIN);
}

/* An anchor below the root: what is above it, or beside it, has none. */
static void islands_of_trust(void **state)
{
    struct tree *t = *state;
    anchor_at(t, &t->test);
    begin(t);
    chain(t, 0);
    assert_reason(see(t, host("www.zone.test.", &t->zone), 0), REASON_CHAIN);
    assert_reason(see(t, host("www.test.", &t->test), 0), REASON_CHAIN);
    assert_reason(see(t, host("www.example.", NULL), 0), REASON_NO_ANCHOR);
    assert_reason(see(t, host("a.", &t->root), 0), REASON_NO_ANCHOR);
    /* the DS of an anchored zone is its parent's, which has no anchor */
    assert_reason(see(t, answer_of("test.", LDNS_RR_TYPE_DS, one(zone_ds(&t->test)), &t->root), 0),
                  REASON_NO_ANCHOR);
}

/* An anchor for a zone with a DS: it is the anchor that counts (RFC 4035 5). */
static void an_anchor_beats_the_ds(void **state)
{
    struct tree *t = *state;
    struct signed_zone other = signed_zone_make("zone.test.", LDNS_SIGN_ED25519, 256);
    anchor_at(t, &t->root);
    anchor_at(t, &other);
    begin(t);
    chain(t, 0);
    assert_reason(see(t, host("www.zone.test.", &t->zone), 0), REASON_ANCHOR_MISMATCH);
    assert_reason(see(t, host("www.test.", &t->test), 0), REASON_CHAIN);
    ldns_key_deep_free(other.key);
}

/* --- negative anchors --- */

static void negative_by_packet_time(void **state)
{
    struct tree *t = *state;
    anchor_at(t, &t->root);
    policy(t, "zone: zone.test.\nnegative-anchor: {from: 2027-01-15T00:00:00Z, until: "
              "2027-01-15T23:59:59Z, why: t}\n");
    begin(t);
    struct signed_zone thief = signed_zone_make("zone.test.", LDNS_SIGN_ED25519, 256);
    chain(t, -DAY);
    assert_reason(see(t, host("www.zone.test.", &t->zone), -DAY), REASON_CHAIN);
    chain(t, 0);
    assert_reason(see(t, host("www.zone.test.", &t->zone), 0), REASON_NEGATIVE_ANCHOR);
    struct answer *bad = see(t, host("bad.zone.test.", &thief), 0);
    assert_reason(bad, REASON_NEGATIVE_ANCHOR);
    assert_true(name_equal(bad->zone->name, (const uint8_t *)"\4zone\4test"));
    assert_reason(see(t, host("unsigned.zone.test.", NULL), 0), REASON_NEGATIVE_ANCHOR);
    chain(t, DAY);
    assert_reason(see(t, host("www.zone.test.", &t->zone), DAY), REASON_CHAIN);
    assert_reason(see(t, host("bad.zone.test.", &thief), DAY), REASON_KEY_UNKNOWN);
    ldns_key_deep_free(thief.key);
}

/* --at TIME judges at that time, for windows too. */
static void negative_by_a_fixed_clock(void **state)
{
    struct tree *t = *state;
    anchor_at(t, &t->root);
    policy(t, "zone: zone.test.\nnegative-anchor: {until: 2027-01-15T23:59:59Z, why: t}\n");
    t->settings.at = AT_FIXED;
    t->settings.at_ns = (T0 + DAY) * SECOND;
    begin(t);
    chain(t, 0);
    assert_int_not_equal(see(t, host("www.zone.test.", &t->zone), 0)->reason,
                         REASON_NEGATIVE_ANCHOR);
}

/* At and below the name; the DS at the cut, siblings and the parent are not affected. */
static void negative_covers_its_tree_only(void **state)
{
    struct tree *t = *state;
    anchor_at(t, &t->root);
    policy(t, "zone: zone.test.\nvalidate: false\n");
    begin(t);
    chain(t, 0);
    assert_reason(see(t, host("zone.test.", &t->zone), 0), REASON_NEGATIVE_ANCHOR);
    assert_reason(see(t, host("a.b.zone.test.", &t->zone), 0), REASON_NEGATIVE_ANCHOR);
    assert_reason(
        see(t, answer_of("zone.test.", LDNS_RR_TYPE_DNSKEY, one(zone_dnskey(&t->zone)), &t->zone),
            1),
        REASON_NEGATIVE_ANCHOR);
    assert_reason(
        see(t, answer_of("zone.test.", LDNS_RR_TYPE_DS, one(zone_ds(&t->zone)), &t->test), 1),
        REASON_CHAIN);
    assert_reason(see(t, host("other.test.", &t->test), 0), REASON_CHAIN);

    struct reply r = reply_to("nx.zone.test.", LDNS_RR_TYPE_A, LDNS_RCODE_NXDOMAIN);
    reply_set(&r, LDNS_SECTION_AUTHORITY,
              RECORDS("zone.test. 300 SOA ns.zone.test. h.zone.test. 1 2 3 4 5"), NULL, VALID,
              NULL);
    assert_reason(see(t, r, 0), REASON_NEGATIVE_ANCHOR);

    /* an alias into it: each link is judged, and the weakest decides */
    r = reply_to("alias.test.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS("alias.test. 300 CNAME www.zone.test."), &t->test,
              VALID, NULL);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS("www.zone.test. 300 A 192.0.2.1"), NULL, VALID,
              NULL);
    assert_reason(see(t, r, 0), REASON_NEGATIVE_ANCHOR);
}

/* A name that is no zone cut, in a zone that is validated. */
static void negative_inside_a_zone(void **state)
{
    struct tree *t = *state;
    anchor_at(t, &t->root);
    policy(t, "zone: broken.zone.test.\nvalidate: false\n");
    begin(t);
    struct signed_zone thief = signed_zone_make("zone.test.", LDNS_SIGN_ED25519, 256);
    chain(t, 0);
    assert_reason(see(t, host("www.zone.test.", &t->zone), 0), REASON_CHAIN);
    assert_reason(see(t, host("x.broken.zone.test.", &thief), 0), REASON_NEGATIVE_ANCHOR);
    assert_reason(see(t, host("x.zone.test.", &thief), 0), REASON_KEY_UNKNOWN);
    ldns_key_deep_free(thief.key);
}

/* RFC 7646 1.1: at one name the negative anchor wins, a deeper positive one takes back its tree. */
static void negative_beside_positive(void **state)
{
    struct tree *t = *state;
    anchor_at(t, &t->test);
    anchor_at(t, &t->zone);
    policy(t, "zone: test.\nvalidate: false\n");
    begin(t);
    chain(t, 0);
    assert_reason(see(t, host("www.test.", &t->test), 0), REASON_NEGATIVE_ANCHOR);
    assert_reason(see(t, host("www.zone.test.", &t->zone), 0), REASON_CHAIN);
}

/* What comes before the chain is settled at once: nothing is waited for. */
static void negative_needs_no_chain(void **state)
{
    struct tree *t = *state;
    anchor_at(t, &t->root);
    policy(t, "zone: test.\nvalidate: false\n");
    begin(t);
    assert_reason(see(t, host("www.zone.test.", &t->zone), 0), REASON_NEGATIVE_ANCHOR);
    assert_int_equal(t->answers.waiting, 0);
    chain(t, 1);
    assert_int_equal(t->answers.retro, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, plant, fell)
    const struct CMUnitTest tests[] = {
        TEST(anchors_have_a_validity),
        TEST(one_anchor_of_two_runs_out),
        TEST(islands_of_trust),
        TEST(an_anchor_beats_the_ds),
        TEST(negative_by_packet_time),
        TEST(negative_by_a_fixed_clock),
        TEST(negative_covers_its_tree_only),
        TEST(negative_inside_a_zone),
        TEST(negative_beside_positive),
        TEST(negative_needs_no_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
