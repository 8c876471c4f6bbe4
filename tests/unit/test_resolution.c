/*
 * resolution: the rules about resolvers: what fires, and what must not.
 */
#include "tests/unit/fact_builder.h"

static const uint8_t resolver_a[16] = {192, 0, 2, 1}, resolver_b[16] = {192, 0, 2, 2};

static struct fact_question question(const char *name, uint16_t type, enum health_cause cause)
{
    return (struct fact_question){N(name), type,
                                  cause == HEALTH_BY_EDE ? (uint16_t)7 : HEALTH_NO_EDE, cause};
}

#define QUESTIONS(health, ...)                                                                     \
    do {                                                                                           \
        const struct fact_question list_[] = {__VA_ARGS__};                                        \
        (health)->question_count = sizeof list_ / sizeof *list_;                                   \
        (health)->questions = memcpy(take(sizeof list_), list_, sizeof list_);                     \
    } while (0)

static struct fact health_of(enum health_kind kind, struct fact_health **ret)
{
    struct fact fact = fact_of(FACT_HEALTH, "x.");
    struct fact_health *health = take(sizeof *health);
    *health = (struct fact_health){.kind = kind, .from_ns = NOW - 90 * NS_S};
    fact.observed.type = 6;
    fact.server = resolver_a;
    fact.aa = false;
    fact.health = health;
    *ret = health;
    return fact;
}

/* Four questions fail and none is answered; by validation. */
static struct fact failing(struct fact_health **ret)
{
    struct fact fact = health_of(HEALTH_FAILING, ret);
    QUESTIONS(*ret, question("www.x.", 1, HEALTH_BY_EDE), question("x.", 15, HEALTH_BY_EDE),
              question("x.", 16, HEALTH_BY_EDE), question("_dmarc.x.", 16, HEALTH_BY_EDE));
    (*ret)->failed = 4;
    return fact;
}

static void judge(struct rules *rules, const struct fact *fact)
{
    struct finding *findings[8];
    (void)rules_judge(rules, fact, findings, 8);
}

static void expect(struct rules *rules, const char *wanted)
{
    char text[512];
    assert_string_equal(found(rules, text), wanted);
}

static const struct finding *only(struct rules *rules)
{
    const struct finding *const *list;
    assert_int_equal(rules_findings(rules, &list), 1);
    return list[0];
}

#define CASE(name) static void name(struct rules *rules)

/* --- servfail-spike --- */

CASE(spike)
{
    struct fact_health *h;
    struct fact fact = failing(&h);
    judge(rules, &fact);
    expect(rules, "servfail-spike");
    assert_int_equal(only(rules)->observed_count, 4);
    assert_non_null(strstr(only(rules)->summary, "4: validation by the resolver's EDE"));
}

CASE(spike_needs_two_names)
{
    struct fact_health *h;
    struct fact fact = failing(&h);
    QUESTIONS(h, question("www.x.", 1, HEALTH_BY_EDE), question("www.x.", 28, HEALTH_BY_EDE),
              question("www.x.", 16, HEALTH_BY_EDE), question("www.x.", 15, HEALTH_BY_EDE));
    judge(rules, &fact);
    expect(rules, "");
}

CASE(spike_needs_three_questions)
{
    struct fact_health *h;
    struct fact fact = failing(&h);
    h->question_count = 2;
    judge(rules, &fact);
    expect(rules, "");
}

CASE(spike_under_threshold)
{
    struct fact_health *h;
    struct fact fact = failing(&h);
    h->answered = 37; /* 4 of 41: under ten in a hundred */
    judge(rules, &fact);
    expect(rules, "");
}

CASE(spike_not_above_past)
{
    struct fact_health *h;
    struct fact fact = failing(&h);
    h->answered = 10;
    h->failed_before = 200;
    h->answered_before = 800; /* 20 % then, 29 % now */
    judge(rules, &fact);
    expect(rules, "");
    h->failed_before = 100;
    judge(rules, &fact);
    expect(rules, "servfail-spike");
}

/* A zone that nobody saw work, nobody declared, and that does not fail by validation. */
CASE(spike_of_a_dead_zone)
{
    struct fact_health *h;
    struct fact fact = failing(&h);
    QUESTIONS(h, question("www.x.", 1, HEALTH_BY_OTHER), question("x.", 15, HEALTH_BY_OTHER),
              question("x.", 16, HEALTH_BY_UNKNOWN));
    judge(rules, &fact);
    expect(rules, "");
    h->answered_before = 50;
    judge(rules, &fact);
    expect(rules, "servfail-spike");
}

CASE(spike_eases)
{
    struct fact_health *h;
    struct fact fact = failing(&h);
    judge(rules, &fact);
    h->kind = HEALTH_EASED;
    h->answered = 20;
    judge(rules, &fact);
    expect(rules, "servfail-spike"); /* 4 of 24 */
    h->answered = 200;
    judge(rules, &fact);
    expect(rules, "servfail-spike!");
}

CASE(spike_threshold_of_profile)
{
    struct fact_health *h;
    struct fact fact = failing(&h);
    (void)rules;
    struct rules *strict = rules_default("thresholds: {servfail-percent: 50}\n");
    h->answered = 6; /* 40 % */
    judge(strict, &fact);
    expect(strict, "");
    rules_free(strict);
}

/* --- zone-dark --- */

CASE(dark)
{
    struct fact_health *h;
    struct fact fact = failing(&h);
    fact.baseline.present = true;
    h->declared = HEALTH_WEB_APEX | HEALTH_WEB_WWW | HEALTH_MX | HEALTH_SPF | HEALTH_DMARC;
    h->answered = 1000; /* others are answered: no spike */
    judge(rules, &fact);
    expect(rules, "zone-dark");
    assert_non_null(strstr(only(rules)->summary, "web (www), mail (MX, SPF, DMARC) fail"));
    assert_non_null(strstr(only(rules)->summary, "not asked for, but declared: web (apex);"));
    assert_int_equal(only(rules)->severity, SEVERITY_CRITICAL);
    h->kind = HEALTH_ANSWERED;
    judge(rules, &fact);
    expect(rules, "zone-dark!");
}

CASE(dark_needs_a_baseline)
{
    struct fact_health *h;
    struct fact fact = failing(&h);
    h->answered = 1000;
    judge(rules, &fact);
    expect(rules, "");
}

/* SERVFAIL of which nothing says validation, and the resolver answered nothing else either. */
CASE(dark_or_the_resolver)
{
    struct fact_health *h;
    struct fact fact = failing(&h);
    fact.baseline.present = true;
    QUESTIONS(h, question("www.x.", 1, HEALTH_BY_OTHER), question("x.", 15, HEALTH_BY_OTHER),
              question("x.", 16, HEALTH_BY_UNKNOWN));
    h->answered = 1000;
    judge(rules, &fact);
    expect(rules, "");
    h->elsewhere = true;
    judge(rules, &fact);
    expect(rules, "zone-dark");
}

/* Three questions fail, and most of what was asked just before was answered. */
CASE(not_dark_while_caches_answer)
{
    struct fact_health *h;
    struct fact fact = failing(&h);
    fact.baseline.present = true;
    h->whole_zone = h->in_part = true;
    judge(rules, &fact);
    expect(rules, "servfail-spike");
    h->in_part = false;
    judge(rules, &fact);
    expect(rules, "zone-dark servfail-spike");
}

CASE(dark_as_a_whole_needs_two)
{
    struct fact_health *h;
    struct fact fact = failing(&h);
    fact.baseline.present = true;
    h->question_count = 2;
    judge(rules, &fact);
    expect(rules, "");
    h->whole_zone = true;
    judge(rules, &fact);
    expect(rules, "zone-dark");
}

CASE(dark_while_frames_were_lost)
{
    struct fact_health *h;
    struct fact fact = failing(&h);
    fact.baseline.present = fact.lossy = true;
    h->answered = 1000;
    judge(rules, &fact);
    assert_int_equal(only(rules)->severity, SEVERITY_HIGH);
}

/* --- validation-split --- */

static struct fact split(const char *name, struct fact_health **ret)
{
    struct fact fact = health_of(HEALTH_SPLIT, ret);
    fact.observed = (struct fact_rrset){.owner = N(name), .type = 1};
    fact.verdict = VERDICT_BOGUS;
    (*ret)->ede = 7;
    (*ret)->other = resolver_a;
    (*ret)->other_family = 4;
    (*ret)->other_is_same = true;
    return fact;
}

CASE(split_by_cd)
{
    struct fact_health *h;
    struct fact www = split("www.x.", &h), mail = split("mail.x.", &h);
    judge(rules, &www);
    judge(rules, &mail);
    expect(rules, "validation-split");
    assert_non_null(strstr(only(rules)->summary, "SERVFAIL to 2 questions about x. where CD=1 "
                                                 "gives data"));
    h->kind = HEALTH_AGREED;
    judge(rules, &mail);
    expect(rules, "validation-split"); /* www still differs */
    ((struct fact_health *)(uintptr_t)www.health)->kind = HEALTH_AGREED;
    judge(rules, &www);
    expect(rules, "validation-split!");
}

CASE(split_between_two)
{
    struct fact_health *h;
    struct fact fact = split("www.x.", &h);
    h->other_is_same = false;
    h->other = resolver_b;
    judge(rules, &fact);
    expect(rules, "validation-split");
    assert_non_null(strstr(only(rules)->summary, "x. where 192.0.2.2 gives data"));
}

CASE(split_without_ad)
{
    struct fact_health *h;
    struct fact fact = health_of(HEALTH_UNVALIDATED, &h);
    QUESTIONS(h, question("www.x.", 1, HEALTH_BY_UNKNOWN), question("x.", 15, HEALTH_BY_UNKNOWN));
    judge(rules, &fact);
    expect(rules, ""); /* two are chance */
    QUESTIONS(h, question("www.x.", 1, HEALTH_BY_UNKNOWN), question("x.", 15, HEALTH_BY_UNKNOWN),
              question("x.", 16, HEALTH_BY_UNKNOWN));
    judge(rules, &fact);
    expect(rules, "validation-split");
    h->kind = HEALTH_VALIDATED;
    fact.server = resolver_b;
    judge(rules, &fact);
    expect(rules, "validation-split"); /* another resolver */
    fact.server = resolver_a;
    judge(rules, &fact);
    expect(rules, "validation-split!");
}

/* --- ad-on-bogus --- */

static struct fact vouched(int64_t excuse_ns, struct fact_health **ret)
{
    struct fact fact = health_of(HEALTH_AD_ON_BOGUS, ret);
    fact.observed = set_of("www.x.", 1, 1, "\300\001\002\003");
    fact.verdict = VERDICT_BOGUS;
    fact.reason = REASON_SIG_BAD;
    (*ret)->excuse_ns = excuse_ns;
    return fact;
}

CASE(ad_without_excuse)
{
    struct fact_health *h;
    struct fact fact = vouched(INT64_MIN, &h);
    judge(rules, &fact);
    expect(rules, "ad-on-bogus");
    assert_int_equal(only(rules)->severity, SEVERITY_CRITICAL);
}

/* A cache from before explains it, until its TTL has passed. */
CASE(ad_with_excuse)
{
    struct fact_health *h;
    struct fact fact = vouched(NOW + 60 * NS_S, &h);
    judge(rules, &fact);
    assert_int_equal(only(rules)->severity, SEVERITY_LOW);
    fact.time_ns += 61 * NS_S;
    judge(rules, &fact);
    assert_int_equal(only(rules)->severity, SEVERITY_HIGH);
}

/* --- validation-rate --- */

static struct fact rate(uint64_t answered, uint64_t validated, struct fact_health **ret)
{
    struct fact fact = health_of(HEALTH_RATE, ret);
    fact.zone = fact.observed.owner = N(".");
    fact.observed.type = 0;
    QUESTIONS(*ret, question("www.x.", 1, HEALTH_BY_UNKNOWN), question("y.", 15, HEALTH_BY_UNKNOWN),
              question("z.", 16, HEALTH_BY_UNKNOWN));
    (*ret)->answered = answered;
    (*ret)->validated = validated;
    return fact;
}

CASE(rate_below)
{
    struct fact_health *h;
    struct fact fact = rate(100, 95, &h);
    judge(rules, &fact);
    expect(rules, "validation-rate");
    assert_non_null(strstr(only(rules)->summary, "95.000 % of its answers"));
    h->answered = h->validated = 200;
    judge(rules, &fact);
    expect(rules, "validation-rate!");
}

CASE(rate_of_few_answers)
{
    struct fact_health *h;
    struct fact fact = rate(99, 20, &h);
    judge(rules, &fact);
    expect(rules, "");
}

CASE(rate_by_chance)
{
    struct fact_health *h;
    struct fact fact = rate(1000, 996, &h);
    judge(rules, &fact);
    expect(rules, "");
    fact = rate(1000000, 999100, &h); /* 99.91 % */
    judge(rules, &fact);
    expect(rules, "");
}

CASE(rate_without_validation)
{
    struct fact_health *h;
    struct fact fact = rate(1000, 0, &h);
    judge(rules, &fact);
    expect(rules, "");
}

CASE(rate_of_one_question)
{
    struct fact_health *h;
    struct fact fact = rate(1000, 900, &h);
    h->question_count = 1;
    judge(rules, &fact);
    expect(rules, "");
}

/* --- recovered --- */

CASE(recovered)
{
    struct fact_health *h;
    struct fact fact = health_of(HEALTH_RECOVERED, &h);
    judge(rules, &fact);
    expect(rules, "recovered");
    assert_non_null(strstr(only(rules)->summary, "again 1 min 30 s after the outage began"));
    h->kind = HEALTH_RELAPSED;
    fact.time_ns += NS_S;
    judge(rules, &fact);
    expect(rules, "recovered!");
}

/* --- */

static bool fired[RULE_COUNT];

static void run(void **state)
{
    void (*build)(struct rules *) = *(void (**)(struct rules *)) * state;
    struct rules *rules = rules_default(NULL);
    const struct finding *const *list;
    builder_reset();
    build(rules);
    for (size_t i = 0, count = rules_findings(rules, &list); i < count; i++) {
        fired[list[i]->rule] = true;
        assert_true(list[i]->observed_count > 0);
        print_message("   %s\n", list[i]->summary);
    }
    rules_free(rules);
}

/* After all the others. */
static void test_promise(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RULE_COUNT; i++)
        if (strcmp(rule_text((enum rule_id)i)->family, "resolution") == 0 &&
            rule_text((enum rule_id)i)->works != fired[i])
            fail_msg("%s: works and fires do not agree", rule_text((enum rule_id)i)->id);
}

static void test_thresholds(void **state)
{
    (void)state;
    static const char *const wrong[] = {"100.1", "-1", "99.", "99.9999", "nine", "9 9"};
    char error[256], text[128];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(text, sizeof text, "thresholds: {validation-rate: \"%s\"}\n", wrong[i]);
        assert_null(rules_new("p.yaml", text, strlen(text), NULL, NULL, NULL, error, sizeof error));
        assert_non_null(strstr(error, "p.yaml:1: expected a percentage like 99.9"));
    }
    struct rules *rules = rules_default("thresholds: {validation-rate: 50, validation-answers: 10, "
                                        "servfail-questions: 2}\n");
    builder_reset();
    struct fact_health *h;
    struct fact fact = rate(20, 11, &h);
    judge(rules, &fact);
    expect(rules, "");
    fact = rate(20, 9, &h);
    judge(rules, &fact);
    expect(rules, "validation-rate");
    rules_free(rules);
}

#define CASES(X)                                                                                   \
    X(spike)                                                                                       \
    X(spike_needs_two_names)                                                                       \
    X(spike_needs_three_questions)                                                                 \
    X(spike_under_threshold)                                                                       \
    X(spike_not_above_past)                                                                        \
    X(spike_of_a_dead_zone)                                                                        \
    X(spike_eases)                                                                                 \
    X(spike_threshold_of_profile)                                                                  \
    X(dark)                                                                                        \
    X(dark_needs_a_baseline)                                                                       \
    X(dark_or_the_resolver)                                                                        \
    X(not_dark_while_caches_answer)                                                                \
    X(dark_as_a_whole_needs_two)                                                                   \
    X(dark_while_frames_were_lost)                                                                 \
    X(split_by_cd)                                                                                 \
    X(split_between_two)                                                                           \
    X(split_without_ad)                                                                            \
    X(ad_without_excuse)                                                                           \
    X(ad_with_excuse)                                                                              \
    X(rate_below)                                                                                  \
    X(rate_of_few_answers)                                                                         \
    X(rate_by_chance)                                                                              \
    X(rate_without_validation)                                                                     \
    X(rate_of_one_question)                                                                        \
    X(recovered)

static void (*const cases[])(struct rules *) = {
#define X(name) name,
    CASES(X)
#undef X
};

int main(void)
{
    static const char *const names[] = {
#define X(name) #name,
        CASES(X)
#undef X
    };
    struct CMUnitTest tests[sizeof cases / sizeof *cases + 2];
    size_t count = 0;
    for (; count < sizeof cases / sizeof *cases; count++)
        tests[count] =
            (struct CMUnitTest){names[count], run, NULL, NULL, (void *)(uintptr_t)&cases[count]};
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(test_thresholds);
    tests[count] = (struct CMUnitTest)cmocka_unit_test(test_promise);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
