/*
 * health: what becomes of resolvers' responses: whose failure it is, who differs, who goes dark; in
 * packet time, and bounded.
 */
#include "analyze/follow/health.h"

#include "analyze/canon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)
#define START  (INT64_C(1795608000) * SECOND)

static struct settings settings;
static struct answers answers;
static struct health health;
static struct zone *zone, *other;
static uint64_t frame;

static bool never_lossy(void *context, int64_t time_ns)
{
    (void)context;
    (void)time_ns;
    return false;
}

static struct zone *make_zone(const char *text)
{
    uint8_t name[NAME_MAX_BYTES];
    assert_true(name_parse(text, name) > 0);
    struct zone *made = world_zone(&answers.world, name);
    assert_non_null(made);
    made->seen = true;
    made->anchored = true; /* a zone, not only a name */
    made->trust.state = TRUST_SECURE;
    return made;
}

static int setup(void **state)
{
    char error[256];
    (void)state;
    settings_default(&settings);
    if (answers_init(&answers, &settings, NULL, NULL, 7) < 0)
        return -1;
    frame = 0;
    health =
        (struct health){.answers = &answers,
                        .rules = rules_new(NULL, NULL, 0, NULL, NULL, NULL, error, sizeof error),
                        .receivers = receivers_new(),
                        .resolvers = resolvers_new(7),
                        .lossy = never_lossy};
    struct zone *root = make_zone(".");
    zone = make_zone("x.");
    other = make_zone("y.");
    zone->trust.up = other->trust.up = root;
    return health.rules && health.receivers && health.resolvers ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    answers_fini(&answers);
    rules_free(health.rules);
    receivers_free(health.receivers);
    resolvers_free(health.resolvers);
    return 0;
}

struct say { /* a response */
    uint8_t resolver;
    const char *name;
    uint16_t type;
    bool servfail, cd, ad, aa, no_do, asked, twice;
    const struct answer_set *set; /* in its answer section */
    uint16_t ede;
    enum reason reason;
};

static void say(struct say s, int64_t second)
{
    uint8_t name[NAME_MAX_BYTES];
    size_t size = name_parse(s.name, name);
    frame++;
    struct answer a = {
        .kind = s.servfail ? ANSWER_OTHER : ANSWER_POSITIVE,
        .qtype = s.type ? s.type : TYPE_A,
        .rcode = s.servfail ? 2 : 0,
        .flags = (uint16_t)((s.aa ? DNS_AA : DNS_RA) | (s.cd ? DNS_CD : 0) | (s.ad ? DNS_AD : 0)),
        .do_bit = !s.no_do,
        .do_known = true,
        .qname = name,
        .qname_size = (uint8_t)size,
        .ede_count = s.ede != 0,
        .ede = {s.ede},
        .reason = s.servfail ? REASON_RCODE
                  : s.reason ? s.reason
                             : REASON_CHAIN,
        .time_ns = START + second * SECOND,
        .frame = frame,
        .counted = 1};
    a.flow = (struct flow){.family = 4, .src = {192, 0, 2, s.resolver}};
    a.counted_as = (uint8_t)reason_verdict(a.reason);
    if (s.set) {
        a.set[0] = *s.set;
        a.sets = 1;
    }
    if (!s.servfail) {
        a.counted_for = world_over(&answers.world, name, false);
        usage_response(&answers.world, a.counted_for, &a, &a.flow, a.time_ns, frame, 1);
    }
    struct datagram dg = {
        .flow = a.flow, .time_ns = a.time_ns, .frame = frame, .frames = &frame, .frame_count = 1};
    struct query query = {.frame = frame, .answered = s.twice};
    (void)health_response(&health, &a, &dg, s.asked ? &query : NULL);
}

#define FAIL(...)                                                                                  \
    (struct say)                                                                                   \
    {                                                                                              \
        .servfail = true, __VA_ARGS__                                                              \
    }
#define DATA(...)                                                                                  \
    (struct say)                                                                                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

/* The ids of all findings, the most severe first, with "!" after closed ones. */
static void expect(const char *wanted)
{
    const struct finding *const *list;
    char text[512] = "";
    size_t count = rules_findings(health.rules, &list), used = 0;
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s%s", used ? " " : "",
                                 rule_text(list[i]->rule)->id,
                                 list[i]->state == FINDING_CLOSED ? "!" : "");
    assert_string_equal(text, wanted);
}

/* --- whose failure ------------------------------------------------------------------------- */

static void test_spike_of_bogus_zone(void **state)
{
    (void)state;
    zone->trust.state = TRUST_BOGUS;
    say(FAIL(.resolver = 1, .name = "www.x."), 1);
    say(FAIL(.resolver = 1, .name = "x.", .type = TYPE_MX), 2);
    expect("");
    say(FAIL(.resolver = 1, .name = "x.", .type = TYPE_TXT), 3);
    expect("servfail-spike");
    assert_int_equal(zone->usage->servfail, 3);
    assert_int_equal(zone->usage->servfail_dnssec, 3);
    assert_int_equal(zone->usage->voices->questions, 3);
}

/* The names may lie in children that were not observed: nothing is said, and nothing counted. */
static void test_unseen_children(void **state)
{
    (void)state;
    say(FAIL(.resolver = 1, .name = "www.a.x.", .ede = 7), 1);
    say(FAIL(.resolver = 1, .name = "www.b.x.", .ede = 7), 2);
    say(FAIL(.resolver = 1, .name = "www.c.x.", .ede = 7), 3);
    expect("");
    assert_true(zone->usage == NULL || zone->usage->servfail == 0);
}

/* … but a name that was seen in the zone is its own. */
static void test_known_names(void **state)
{
    (void)state;
    static const char *const names[] = {"a.x.", "b.x.", "c.x."};
    for (size_t i = 0; i < 3; i++) {
        uint8_t name[NAME_MAX_BYTES];
        name_parse(names[i], name);
        inside_add(answers.inside, name, zone);
        say(FAIL(.resolver = 1, .name = names[i], .ede = 7), (int64_t)i);
    }
    expect("servfail-spike");
}

static void test_spike_closes(void **state)
{
    (void)state;
    zone->trust.state = TRUST_BOGUS;
    say(FAIL(.resolver = 1, .name = "www.x."), 1);
    say(FAIL(.resolver = 1, .name = "x.", .type = TYPE_MX), 2);
    say(FAIL(.resolver = 1, .name = "x.", .type = TYPE_TXT), 3);
    zone->trust.state = TRUST_SECURE;
    for (int64_t s = 10; s < 200; s += 10)
        say(DATA(.resolver = 1, .name = "www.x.", .ad = true), s);
    expect("servfail-spike"); /* 3 of 22 */
    for (int64_t s = 200; s < 500; s += 10)
        say(DATA(.resolver = 1, .name = "www.x.", .ad = true), s);
    expect("servfail-spike!");
}

/* One name among many that work. */
static void test_one_name(void **state)
{
    (void)state;
    zone->trust.state = TRUST_BOGUS;
    for (int64_t s = 0; s < 100; s++)
        say(FAIL(.resolver = 1, .name = "www.x.", .type = (uint16_t)(1 + s % 3)), s);
    expect("");
}

/* Anyone can send a SERVFAIL that nobody asked for, or one more. */
static void test_forged(void **state)
{
    (void)state;
    zone->trust.state = TRUST_BOGUS;
    say(DATA(.resolver = 1, .name = "x.", .ad = true, .asked = true), 1);
    say(FAIL(.resolver = 1, .name = "www.x."), 1);
    say(FAIL(.resolver = 1, .name = "mail.x."), 2);
    say(FAIL(.resolver = 1, .name = "x.", .type = TYPE_TXT, .asked = true, .twice = true), 3);
    say(FAIL(.resolver = 1, .name = "x.", .type = TYPE_MX, .asked = true), 4);
    expect("");
    assert_int_equal(zone->usage->servfail, 1);
    say(FAIL(.resolver = 1, .name = "mail.x.", .asked = true), 5);
    say(FAIL(.resolver = 1, .name = "www.x.", .asked = true), 6);
    expect("servfail-spike");
}

/* --- who differs --------------------------------------------------------------------------- */

static void test_split_with_cd(void **state)
{
    (void)state;
    zone->trust.state = TRUST_BOGUS;
    say(FAIL(.resolver = 1, .name = "www.x.", .ede = 7), 1);
    say(DATA(.resolver = 1, .name = "www.x.", .cd = true, .reason = REASON_SIG_EXPIRED), 2);
    expect("validation-split");
    zone->trust.state = TRUST_SECURE;
    say(DATA(.resolver = 1, .name = "www.x.", .ad = true), 60);
    expect("validation-split!");
}

static void test_no_split_over_any(void **state)
{
    (void)state;
    say(DATA(.resolver = 2, .name = "www.x.", .type = TYPE_ANY, .reason = REASON_SIG_BAD), 1);
    say(FAIL(.resolver = 1, .name = "www.x.", .type = TYPE_ANY, .ede = 6), 2);
    expect("");
}

/* The order does not matter, as long as it is bogus. */
static void test_split_cd_first(void **state)
{
    (void)state;
    say(DATA(.resolver = 1, .name = "www.x.", .cd = true, .reason = REASON_SIG_BAD), 1);
    say(FAIL(.resolver = 1, .name = "www.x."), 2);
    expect("validation-split");
}

static void test_split_between_resolvers(void **state)
{
    (void)state;
    say(DATA(.resolver = 2, .name = "www.x.", .reason = REASON_SIG_BAD), 1);
    say(FAIL(.resolver = 1, .name = "www.x.", .ede = 6), 100);
    expect("validation-split");
}

static void test_too_far_apart(void **state)
{
    (void)state;
    say(DATA(.resolver = 2, .name = "www.x.", .reason = REASON_SIG_BAD), 1);
    say(FAIL(.resolver = 1, .name = "www.x.", .ede = 6), 400);
    expect("");
}

/* dig +cd about a sound zone; and a server that answered at the second trial. */
static void test_no_split(void **state)
{
    (void)state;
    say(DATA(.resolver = 1, .name = "x.", .ad = true), 1);
    say(DATA(.resolver = 1, .name = "x.", .cd = true), 2);
    say(FAIL(.resolver = 1, .name = "x."), 10);
    say(DATA(.resolver = 1, .name = "x.", .cd = true), 11);
    say(FAIL(.resolver = 1, .name = "x."), 12); /* still remembered */
    say(DATA(.resolver = 1, .name = "x.", .ad = true), 30);
    expect("");
}

/* The resolver says that servers cannot be reached: no matter of validation. */
static void test_other_cause(void **state)
{
    (void)state;
    say(FAIL(.resolver = 1, .name = "x.", .ede = 22), 10);
    say(DATA(.resolver = 2, .name = "x.", .reason = REASON_SIG_BAD), 11);
    say(FAIL(.resolver = 1, .name = "x.", .ede = 22), 100);
    expect("");
}

/* We find it good, and one refuses it for minutes: its clock, or its anchor. */
static void test_wrong_refusal(void **state)
{
    (void)state;
    say(FAIL(.resolver = 1, .name = "x.", .ede = 7), 10);
    say(DATA(.resolver = 1, .name = "x.", .cd = true), 30);
    say(FAIL(.resolver = 1, .name = "x.", .ede = 7), 60);
    expect(""); /* it may remember */
    say(FAIL(.resolver = 1, .name = "x.", .ede = 7), 90);
    expect("validation-split");
}

/* --- AD ------------------------------------------------------------------------------------ */

static void test_negative_anchor(void **state)
{
    (void)state;
    static const char *const names[] = {"x.", "www.x.", "mail.x."};
    for (int64_t i = 0; i < 3; i++)
        say(DATA(.resolver = 1, .name = names[i]), i);
    expect(""); /* it never set AD: it does not validate */
    say(DATA(.resolver = 1, .name = "y.", .ad = true), 5);
    for (int64_t i = 0; i < 3; i++)
        say(DATA(.resolver = 1, .name = names[i]), 6 + i);
    expect(""); /* nor does it perhaps any longer */
    say(DATA(.resolver = 1, .name = "y.", .ad = true), 10);
    say(DATA(.resolver = 1, .name = "x."), 11);
    expect("validation-split");
    say(DATA(.resolver = 1, .name = "x.", .ad = true), 20);
    expect("validation-split!");
}

/* A zone that got its DS: who knows that it has none goes on until the proof has run out. */
static void test_signed_since(void **state)
{
    (void)state;
    static const char *const names[] = {"x.", "www.x.", "mail.x."};
    struct rrset proof = {.ttl = 60};
    zone->no_ds.reason = REASON_UNSIGNED_DELEGATION;
    zone->no_ds.seen_ns = START;
    zone->no_ds.proof[0] = &proof;
    for (int64_t at = 0; at < 200; at += 100) {
        say(DATA(.resolver = 1, .name = "y.", .ad = true), at);
        for (int64_t i = 0; i < 3; i++)
            say(DATA(.resolver = 1, .name = names[i]), at + 1 + i);
        say(DATA(.resolver = 1, .name = "y.", .ad = true), at + 5);
        say(DATA(.resolver = 1, .name = "x."), at + 6);
        expect(at ? "validation-split" : "");
    }
    zone->no_ds.proof[0] = NULL;
}

static void test_nobody_asked(void **state)
{
    (void)state;
    static const char *const names[] = {"x.", "www.x.", "mail.x."};
    say(DATA(.resolver = 1, .name = "y.", .ad = true), 1);
    for (int64_t i = 0; i < 300; i++) {
        say(DATA(.resolver = 1, .name = names[i % 3], .no_do = true), 2 + i / 100);
        say(DATA(.resolver = 1, .name = "y.", .ad = true), 2 + i / 100);
    }
    expect("");
}

static void test_rate(void **state)
{
    (void)state;
    char name[32];
    for (int64_t i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "n%d.%s", (int)(i % 10), i % 2 ? "x." : "y.");
        say(DATA(.resolver = 1, .name = name, .ad = i % 19 != 0), i);
    }
    expect("validation-rate");
    for (int64_t i = 0; i < 5000; i++)
        say(DATA(.resolver = 1, .name = "x.", .ad = true), 4000 + i);
    expect("validation-rate!");
}

/* A trust anchor of our own for one zone gives no right to AD from others. */
static void test_rate_of_an_island(void **state)
{
    (void)state;
    char name[32];
    other->trust.up = NULL;
    for (int64_t i = 0; i < 400; i++) {
        snprintf(name, sizeof name, "n%d.%s", (int)(i % 10), i % 2 ? "x." : "y.");
        say(DATA(.resolver = 1, .name = name, .ad = i % 2), i);
    }
    expect("");
}

/* --- outages ------------------------------------------------------------------------------- */

static void test_runs(void **state)
{
    (void)state;
    zone->trust.state = TRUST_BOGUS;
    say(FAIL(.resolver = 1, .name = "www.x."), 1);
    say(FAIL(.resolver = 1, .name = "x."), 2);
    struct voices *v = zone->usage->voices;
    assert_int_equal(v->runs, 1);
    assert_int_equal(v->run[0].count, 2);
    assert_int_equal(v->run[0].since_ns, START + SECOND);
    say(DATA(.resolver = 1, .name = "x.", .type = TYPE_DNSKEY), 3); /* nobody lives on keys */
    assert_int_equal(v->run[0].count, 2);
    say(DATA(.resolver = 2, .name = "x."), 4); /* another resolver */
    assert_int_equal(v->run[0].count, 2);
    say(DATA(.resolver = 1, .name = "x."), 5);
    assert_int_equal(v->run[0].count, 0);
    assert_int_equal(v->run[0].since_ns, VOICES_NEVER);
}

/* A forged answer that went by is no outage, and its end no recovery. */
/* Declared, so that it can go dark; as a resolver's cache runs empty it does. */
static void test_dark_when_the_cache_is(void **state)
{
    static const char text[] = "x. 60 IN SOA ns.x. h.x. 1 2 3 4 5\nx. 60 IN NS ns.x.\n";
    char error[512];
    (void)state;
    struct baseline *declared = baseline_new();
    assert_int_equal(
        baseline_add_zone(declared, "x.zone", text, sizeof text - 1, error, sizeof error), 0);
    assert_int_equal(baseline_ready(declared, error, sizeof error), 0);
    zone->baseline = baseline_nth(declared, 0);
    for (unsigned i = 0; i < 12; i++)
        say(DATA(.resolver = 1, .name = i % 2 ? "x." : "www.x."), i);
    say(FAIL(.resolver = 1, .name = "a.x.", .ede = 7), 13);
    say(FAIL(.resolver = 1, .name = "b.x.", .ede = 7), 14);
    say(FAIL(.resolver = 1, .name = "c.x.", .ede = 7), 15);
    expect("servfail-spike");
    say(FAIL(.resolver = 1, .name = "www.x.", .ede = 7), 16);
    say(FAIL(.resolver = 1, .name = "x.", .ede = 7), 17);
    say(FAIL(.resolver = 1, .name = "d.x.", .ede = 7), 18);
    expect("zone-dark servfail-spike");
    zone->baseline = NULL;
    baseline_free(declared);
}

static void test_no_outage(void **state)
{
    (void)state;
    say(DATA(.resolver = 1, .name = "www.x.", .reason = REASON_SIG_BAD), 1);
    say(DATA(.resolver = 1, .name = "www.x.", .ad = true), 2);
    expect("");
}

static void test_relapse(void **state)
{
    (void)state;
    zone->trust.state = TRUST_BOGUS;
    say(DATA(.resolver = 1, .name = "www.x.", .cd = true, .reason = REASON_SIG_EXPIRED), 1);
    say(DATA(.resolver = 1, .name = "www.x.", .cd = true, .reason = REASON_SIG_EXPIRED), 9);
    zone->trust.state = TRUST_SECURE;
    say(DATA(.resolver = 1, .name = "x.", .ad = true), 20);
    expect("recovered");
    say(DATA(.resolver = 1, .name = "www.x.", .cd = true, .reason = REASON_SIG_EXPIRED), 30);
    expect("recovered!");
}

/* What resolvers refuse is not back because an authority serves it, or because some cache still has
 * it from before. */
static void test_recovery_is_the_resolvers(void **state)
{
    (void)state;
    struct signature signature = {.original_ttl = 300};
    struct rrset www = {.type = TYPE_A, .signatures = 1, .signature = &signature};
    struct answer_set cached = {&www, 100, SECTION_ANSWER}, fetched = {&www, 299, SECTION_ANSWER};
    zone->trust.state = TRUST_BOGUS;
    say(DATA(.aa = true, .name = "x.", .type = TYPE_DNSKEY, .reason = REASON_DS_MISMATCH), 1);
    say(FAIL(.resolver = 1, .name = "www.x."), 2);
    zone->trust.state = TRUST_SECURE; /* by keys and DS that were there before */
    say(DATA(.aa = true, .name = "www.x."), 3);
    say(DATA(.resolver = 1, .name = "www.x.", .cd = true), 4);
    say(DATA(.resolver = 2, .name = "www.x.", .ad = true, .set = &cached), 5);
    say(DATA(.resolver = 3, .name = "www.x.", .set = &fetched), 6); /* does not validate */
    expect("");
    const struct usage_episode *e = zone->usage->outages->episode;
    assert_int_equal(e->recovered_ns, INT64_MIN);
    say(FAIL(.resolver = 1, .name = "www.x."), 7); /* still */
    say(DATA(.resolver = 2, .name = "mail.x.", .ad = true, .set = &fetched), 12);
    expect("recovered");
    assert_int_equal(e->recovered_ns, START + 12 * SECOND);
}

static void test_recovery_of_what_failed(void **state)
{
    (void)state;
    zone->trust.state = TRUST_BOGUS;
    say(DATA(.aa = true, .name = "x.", .type = TYPE_DNSKEY, .reason = REASON_DS_MISMATCH), 1);
    say(FAIL(.resolver = 1, .name = "www.x."), 2);
    zone->trust.state = TRUST_SECURE;
    say(DATA(.resolver = 1, .name = "other.x."), 60); /* from its cache, for all we know */
    expect("");
    say(DATA(.resolver = 1, .name = "www.x."), 61);
    expect("recovered");
}

/* --- bounds -------------------------------------------------------------------------------- */

static void test_bounds(void **state)
{
    (void)state;
    char name[32];
    size_t before = answers.world.zone_bytes;
    zone->trust.state = TRUST_BOGUS;
    for (int i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "n%d.x.", i);
        say(FAIL(.resolver = (uint8_t)i, .name = name, .ede = 6), i);
        say(DATA(.resolver = (uint8_t)(i * 7), .name = name, .cd = true, .reason = REASON_SIG_BAD),
            i);
    }
    struct usage *u = zone->usage;
    assert_int_equal(u->voices->questions, HEALTH_QUESTIONS_MAX);
    assert_int_equal(u->voices->runs, VOICES_RUNS_MAX);
    assert_true(u->voices->bytes < 32768);
    assert_true(answers.world.zone_bytes - before >= u->bytes);
    assert_true(u->voices_bytes == u->voices->bytes);
}

static void test_resolvers_table(void **state)
{
    (void)state;
    uint8_t address[16] = {0};
    for (uint32_t i = 0; i < 100000; i++) {
        memcpy(address, &i, sizeof i);
        struct resolver *r = resolvers_at(health.resolvers, 4, address, i);
        assert_int_equal(r->family, 4);
        assert_memory_equal(r->address, address, 16);
        r->with_ad = i;
    }
    assert_int_equal(resolvers_at(health.resolvers, 4, address, 100000)->with_ad, 99999);
    memset(address, 0, sizeof address);
    assert_int_equal(resolvers_at(health.resolvers, 4, address, 100001)->with_ad, 0);
}

/* The window slides in steps of a minute, and jumps over a pause. */
static void test_window(void **state)
{
    (void)state;
    struct voices_rate r = {0};
    for (int64_t s = 0; s < 600; s += 10) {
        voices_tick(&r, START + s * SECOND);
        r.answered++;
    }
    unsigned oldest = (r.slot + 1u) % VOICES_SLOTS;
    uint64_t within = r.answered - r.answered_at[oldest];
    assert_true(within >= 24 && within <= 30); /* the last four to five minutes */
    voices_tick(&r, START + 100000 * SECOND);
    oldest = (r.slot + 1u) % VOICES_SLOTS;
    assert_int_equal(r.answered - r.answered_at[oldest], 0);
    assert_false(voices_tick(&r, START)); /* older packets change nothing */
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_spike_of_bogus_zone),
        CASE(test_unseen_children),
        CASE(test_known_names),
        CASE(test_spike_closes),
        CASE(test_one_name),
        CASE(test_forged),
        CASE(test_split_with_cd),
        CASE(test_no_split_over_any),
        CASE(test_split_cd_first),
        CASE(test_split_between_resolvers),
        CASE(test_too_far_apart),
        CASE(test_no_split),
        CASE(test_other_cause),
        CASE(test_wrong_refusal),
        CASE(test_negative_anchor),
        CASE(test_signed_since),
        CASE(test_nobody_asked),
        CASE(test_rate),
        CASE(test_rate_of_an_island),
        CASE(test_runs),
        CASE(test_dark_when_the_cache_is),
        CASE(test_no_outage),
        CASE(test_relapse),
        CASE(test_recovery_is_the_resolvers),
        CASE(test_recovery_of_what_failed),
        CASE(test_bounds),
        CASE(test_resolvers_table),
        CASE(test_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
