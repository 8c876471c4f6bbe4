/*
 * givers: what one server gave is refuted by what the same server gives later, or by another that
 * has the same version of the zone by then; repetitions refute, and support nothing.
 */
#include "tests/unit/fact_builder.h"

#define HOUR_S 3600

static const uint8_t ns1[16] = {192, 0, 2, 1}, ns2[16] = {192, 0, 2, 2};
static struct rules *rules;

static int set_up(void **state)
{
    char error[256];
    (void)state;
    rules = rules_new(NULL, NULL, 0, NULL, NULL, NULL, error, sizeof error);
    builder_reset();
    return rules ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    rules_free(rules);
    return 0;
}

static struct fact at(struct fact fact, const uint8_t *server, int64_t seconds)
{
    fact.aa = true;
    fact.server_family = 4;
    fact.server = server;
    fact.time_ns = NOW + seconds * NS_S;
    return fact;
}

static struct fact record(const char *data, const uint8_t *server, int64_t seconds)
{
    struct fact fact = fact_of(FACT_RRSET, "x.");
    fact.baseline.present = fact.baseline.strict = true;
    fact.observed = set_of("a.x.", 1, 1, data);
    fact.observed.ttl = 300;
    fact.baseline.expected = set_of("a.x.", 1, 1, "good");
    return at(fact, server, seconds);
}

static struct finding *give(struct fact fact)
{
    struct finding *findings[4] = {NULL};
    (void)rules_judge(rules, &fact, findings, 4);
    return findings[0];
}

static struct fact again(struct fact fact)
{
    fact.again = true;
    return fact;
}

static void another_server(void **state)
{
    (void)state;
    struct finding *finding = give(record("evil", ns2, 0));
    assert_true(rules_refutable(rules, N("x.")));
    give(record("good", ns1, 1));
    give(again(record("good", ns1, 2)));
    assert_int_equal(finding->state, FINDING_OPEN);
    give(again(record("good", ns2, 3)));
    assert_int_equal(finding->state, FINDING_CLOSED);
    assert_false(rules_refutable(rules, N("x.")));
}

static void both_have_to_be_sound(void **state)
{
    (void)state;
    const struct finding_sight sight = {
        .time_ns = NOW + NS_S, .frame = 7, .aa = true, .family = 4, .server = ns1, .ttl = 300};
    struct finding *finding = give(record("evil", ns2, 0));
    finding_sighted(rules, finding, &sight);
    give(record("good", ns2, 2));
    assert_int_not_equal(finding->state, FINDING_CLOSED);
    give(again(record("good", ns1, 3)));
    assert_int_equal(finding->state, FINDING_CLOSED);
}

static void repetitions_open_nothing(void **state)
{
    (void)state;
    assert_null(give(again(record("evil", ns1, 0))));
    assert_false(rules_refutable(rules, N("x.")));
}

static void nobody_waits_for_a_server_that_is_gone(void **state)
{
    (void)state;
    struct finding *finding = give(record("evil", ns2, 0));
    give(again(record("good", ns1, HOUR_S - 1)));
    assert_int_equal(finding->state, FINDING_OPEN);
    give(again(record("good", ns1, HOUR_S + 1)));
    assert_int_equal(finding->state, FINDING_CLOSED);
}

static void the_same_version(void **state)
{
    (void)state;
    struct fact_fellow fellow = {.family = 4, .server = ns2, .since_ns = INT64_MIN};
    struct finding *finding = give(record("evil", ns2, 10));
    struct fact good = record("good", ns1, 20);
    good.fellows = &fellow;
    good.fellow_count = 1;
    give(good); /* which it may have had when it gave the other */
    assert_int_equal(finding->state, FINDING_OPEN);
    fellow.since_ns = NOW + 15 * NS_S;
    give(again(good));
    assert_int_equal(finding->state, FINDING_CLOSED);
}

/* What a cache has from before is an echo, until it cannot be. */
static void echoes(void **state)
{
    (void)state;
    struct finding_sight sight = {.time_ns = NOW + 200 * NS_S, .frame = 7, .family = 4};
    struct finding *finding = give(record("evil", ns2, 0));
    give(record("good", ns2, 100));
    assert_int_equal(finding->state, FINDING_CLOSED);
    finding_sighted(rules, finding, &sight);
    assert_int_equal(finding->state, FINDING_CLOSED);
    assert_int_equal(finding->count, 2);
    sight.time_ns = NOW + 301 * NS_S;
    finding_sighted(rules, finding, &sight);
    assert_int_equal(finding->state, FINDING_UPDATED);
}

static struct fact signature(enum signature_state state, const char *owner, const uint8_t *server,
                             int64_t seconds)
{
    struct fact fact = signature_of(state, "x.", owner);
    struct fact_signature *s = signature_in(&fact);
    if (state == SIGNATURE_EXPIRED)
        s->expiration = NOW / NS_S - 10 * 86400;
    return at(fact, server, seconds);
}

/* Zones are signed as a whole: a server that gives one RRset anew has no old ones left. */
static void signed_anew(void **state)
{
    (void)state;
    struct finding *finding = give(signature(SIGNATURE_EXPIRED, "a.x.", ns1, 0));
    give(signature(SIGNATURE_EXPIRED, "b.x.", ns1, 1));
    give(signature(SIGNATURE_EXPIRED, "c.x.", ns2, 2));
    give(again(signature(SIGNATURE_VALID, "b.x.", ns2, 3)));
    give(again(signature(SIGNATURE_VALID, "a.x.", ns1, 4)));
    assert_int_not_equal(finding->state, FINDING_CLOSED);
    give(again(signature(SIGNATURE_VALID, "c.x.", ns1, 5)));
    assert_int_not_equal(finding->state, FINDING_CLOSED);
    give(again(signature(SIGNATURE_VALID, "c.x.", ns2, 6)));
    assert_int_equal(finding->state, FINDING_CLOSED);
}

/* It left, and is back: seen again it is among the RRsets again. */
static void back_among_them(void **state)
{
    (void)state;
    const struct finding_sight sight = {
        .time_ns = NOW + 9 * NS_S,
        .aa = true,
        .family = 4,
        .server = ns1,
        .owner = N("a.x."),
        .type = signature(SIGNATURE_EXPIRED, "a.x.", ns1, 0).observed.type};
    struct finding *finding = give(signature(SIGNATURE_EXPIRED, "a.x.", ns1, 0));
    give(again(signature(SIGNATURE_VALID, "a.x.", ns1, 4)));
    assert_int_equal(finding->state, FINDING_CLOSED);
    finding_sighted(rules, finding, &sight);
    assert_int_equal(finding->state, FINDING_UPDATED);
    give(again(signature(SIGNATURE_VALID, "a.x.", ns1, 10)));
    assert_int_equal(finding->state, FINDING_CLOSED);
}

static struct fact keys_at(bool rogue, const uint8_t *server, int64_t seconds)
{
    struct fact fact = fact_of(FACT_DNSKEY, "x.");
    struct fact_key own = key_of(257, 13, 111, "0123456789"),
                    other = key_of(256, 13, 112, "ABCDEF");
    fact.baseline.present = true;
    fact.verdict = VERDICT_SECURE;
    if (rogue)
        KEYS(&fact, own, other);
    else
        KEYS(&fact, own);
    DECLARED_KEYS(&fact, own);
    return at(fact, server, seconds);
}

static void a_key_is_gone_again(void **state)
{
    (void)state;
    struct finding *finding = give(keys_at(true, ns1, 0));
    assert_int_equal(finding->rule, RULE_KEY_UNKNOWN);
    give(keys_at(false, ns2, 1));
    give(keys_at(true, ns1, 2));
    assert_int_not_equal(finding->state, FINDING_CLOSED);
    give(again(keys_at(false, ns1, 3)));
    assert_int_equal(finding->state, FINDING_CLOSED);
}

static struct fact ds_at(uint16_t tag, const uint8_t *server, int64_t seconds)
{
    static uint8_t digest[32];
    struct fact fact = fact_of(FACT_DS, "x.");
    struct fact_ds *list = take(2 * sizeof *list);
    list[0] = (struct fact_ds){111, 13, 2, {digest, sizeof digest}, true};
    list[1] = (struct fact_ds){tag, 13, 2, {digest, sizeof digest}, true};
    fact.baseline.present = true;
    fact.baseline.ds = list;
    fact.baseline.ds_count = fact.baseline.ds_declared = 1;
    fact.ds = list + (tag != 111);
    fact.ds_count = 1;
    fact.verdict = VERDICT_SECURE;
    fact.server_family = 4;
    fact.server = server;
    fact.from_referral = true;
    fact.time_ns = NOW + seconds * NS_S;
    return fact;
}

/* Of the parent it is the parent's server that counts; a child's keys do not make it one. */
static void a_ds_is_gone_again(void **state)
{
    (void)state;
    struct finding *finding = give(ds_at(222, ns1, 0));
    assert_int_equal(finding->rule, RULE_DS_UNKNOWN);
    struct fact child = ds_at(222, ns2, 1);
    child.kind = FACT_DNSKEY;
    child.aa = true;
    give(child);
    give(again(ds_at(111, ns2, 2)));
    assert_int_not_equal(finding->state, FINDING_CLOSED);
    give(again(ds_at(111, ns1, 3)));
    assert_int_equal(finding->state, FINDING_CLOSED);
}

static void a_record_is_gone_again(void **state)
{
    (void)state;
    struct fact more = record("evil", ns1, 0);
    more.baseline.expected.count = 0;
    struct finding *finding = give(more);
    assert_int_equal(finding->rule, RULE_RECORD_UNEXPECTED);
    more.kind = FACT_DENIED;
    more.verdict = VERDICT_SECURE;
    more.observed.count = 0;
    more.time_ns += NS_S;
    give(more);
    assert_int_equal(finding->state, FINDING_CLOSED);
}

/* Of more servers than are told apart the longest silent counts no more. */
static void many_servers(void **state)
{
    (void)state;
    struct finding *finding = NULL;
    uint8_t server[16] = {198, 51, 100, 0};
    for (uint8_t i = 0; i < 40; i++) {
        server[3] = i;
        finding = give(record("evil", server, i));
    }
    for (uint8_t i = 24; i < 40; i++) {
        server[3] = i;
        assert_int_not_equal(finding->state, FINDING_CLOSED);
        give(record("good", server, 40 + i));
    }
    assert_int_equal(finding->state, FINDING_CLOSED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(another_server),
        TEST(both_have_to_be_sound),
        TEST(repetitions_open_nothing),
        TEST(nobody_waits_for_a_server_that_is_gone),
        TEST(the_same_version),
        TEST(echoes),
        TEST(signed_anew),
        TEST(back_among_them),
        TEST(a_key_is_gone_again),
        TEST(a_ds_is_gone_again),
        TEST(a_record_is_gone_again),
        TEST(many_servers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
