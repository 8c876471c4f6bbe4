/*
 * test_roll_rules: which finding a stage of a roll is, when it is one at all, and what closes it.
 */
#include "tests/unit/roll_facts.h"

#define ZONE "example.test."

static struct fact_key old_zsk, new_zsk, old_ksk, new_ksk;

static int fresh(void **state)
{
    builder_reset();
    old_zsk = key_of(256, 13, 1, "old zsk");
    new_zsk = key_of(256, 13, 2, "new zsk");
    old_ksk = key_of(257, 13, 3, "old ksk");
    new_ksk = key_of(257, 13, 4, "new ksk");
    *state = rules_default(NULL);
    return 0;
}

static int done(void **state)
{
    rules_free(*state);
    return 0;
}

static struct fact stage_of(enum roll_stage stage, const struct fact_key *roll,
                            const struct fact_key *key, const struct fact_key *other)
{
    return roll_fact(ZONE, stage, roll, key, other);
}

static void judge(struct rules *rules, const struct fact *fact)
{
    rules_judge(rules, fact, NULL, 0);
}

static const struct finding *only(struct rules *rules)
{
    const struct finding *const *list;
    assert_int_equal(rules_findings(rules, &list), 1);
    return list[0];
}

/* One diary for the whole roll, whoever's the stage is. */
static void test_progress(void **state)
{
    struct fact fact = stage_of(ROLL_PUBLISHED, &new_zsk, &new_zsk, &old_zsk);
    roll_in(&fact)->method = ROLL_BY_PREPUBLICATION;
    judge(*state, &fact);
    fact = stage_of(ROLL_SIGNS, &new_zsk, &new_zsk, &old_zsk);
    judge(*state, &fact);
    fact = stage_of(ROLL_REMOVED, &new_zsk, &old_zsk, &old_zsk);
    judge(*state, &fact);
    const struct finding *f = only(*state);
    assert_int_equal(f->rule, RULE_ROLL_PROGRESS);
    assert_int_equal(f->severity, SEVERITY_INFO);
    assert_int_equal(f->count, 3);
    assert_int_equal(f->observed_count, 3);
    assert_non_null(strstr(f->observed[0], "ZSK 2 was published"));
    assert_non_null(strstr(f->summary, "from key 1 to key 2"));
}

static void test_unplanned(void **state)
{
    char text[512];
    struct fact fact = stage_of(ROLL_PUBLISHED, &new_zsk, &new_zsk, &old_zsk);
    DECLARED_KEYS(&fact, old_zsk, old_ksk);
    struct fact_roll *r = roll_in(&fact);
    r->proven = false; /* inferred: no accusation */
    judge(*state, &fact);
    assert_string_equal(found(*state, text), "roll-progress");
    r->proven = true;
    fact.baseline.multi_signer = true;
    judge(*state, &fact);
    assert_string_equal(found(*state, text), "roll-progress");
    fact.baseline.multi_signer = false;
    fact.baseline.planned = fact.baseline.planned_sep = true; /* another kind of key */
    judge(*state, &fact);
    assert_string_equal(found(*state, text), "roll-unplanned roll-progress");
}

static void test_planned(void **state)
{
    char text[512];
    struct fact fact = stage_of(ROLL_PUBLISHED, &new_zsk, &new_zsk, &old_zsk);
    DECLARED_KEYS(&fact, old_zsk, old_ksk);
    fact.baseline.planned = fact.baseline.planned_zsk = true; /* of any key of its kind */
    judge(*state, &fact);
    DECLARED_KEYS(&fact, old_zsk, old_ksk, new_zsk);
    fact.baseline.planned_zsk = false;
    fact.baseline.key_declared = 2; /* the last one is the plan's */
    judge(*state, &fact);
    assert_string_equal(found(*state, text), "roll-progress");
    struct fact gone = stage_of(ROLL_REMOVED, &new_zsk, &old_zsk, &old_zsk);
    gone.baseline = fact.baseline;
    judge(*state, &gone);
    assert_string_equal(found(*state, text), "roll-progress!"); /* the roll is over */
    gone.baseline.key_count = 2;                                /* the window has passed */
    judge(*state, &gone);
    assert_string_equal(found(*state, text), "roll-unplanned roll-progress!");
}

/* What has findings of its own is not said twice. */
static void test_not_unplanned(void **state)
{
    char text[512];
    struct fact fact = stage_of(ROLL_PUBLISHED, &new_zsk, &new_zsk, &old_zsk);
    DECLARED_KEYS(&fact, old_zsk, new_zsk);
    judge(*state, &fact);
    struct fact revoked = stage_of(ROLL_REVOKED, &old_ksk, &old_ksk, NULL);
    revoked.baseline = fact.baseline;
    judge(*state, &revoked);
    struct fact gone = stage_of(ROLL_REMOVED, &old_ksk, &old_ksk, NULL);
    gone.baseline = fact.baseline;
    judge(*state, &gone);
    assert_string_equal(found(*state, text), "roll-progress roll-progress");
}

static void test_unsafe(void **state)
{
    char text[512];
    struct fact fact = stage_of(ROLL_SIGNS_EARLY, &new_zsk, &new_zsk, &old_zsk);
    DECLARED_KEYS(&fact, old_zsk);
    fact.baseline.planned = fact.baseline.planned_zsk = true; /* planned, and done wrong */
    judge(*state, &fact);
    const struct finding *f = only(*state);
    assert_int_equal(f->rule, RULE_ROLL_UNSAFE);
    assert_int_equal(f->severity, SEVERITY_CRITICAL);
    assert_non_null(strstr(f->summary, "3.0 s"));
    assert_non_null(strstr(f->summary, "300 s"));
    assert_non_null(strstr(f->expected[0], "Ipub"));
    fact = stage_of(ROLL_REMOVED_EARLY, &new_zsk, &old_zsk, &old_zsk);
    fact.time_ns += NS_S;
    judge(*state, &fact);
    assert_string_equal(found(*state, text), "roll-unsafe key-withdrawn-early");
    assert_int_equal(f->observed_count, 2); /* both steps of the roll */
    fact = stage_of(ROLL_SAFE_AGAIN, &new_zsk, &new_zsk, &old_zsk);
    fact.time_ns += 300 * NS_S;
    judge(*state, &fact);
    assert_string_equal(found(*state, text), "roll-unsafe! key-withdrawn-early!");
}

/* A key that nobody follows: it was withdrawn, no roll. It comes back. */
static void test_withdrawn(void **state)
{
    char text[512];
    struct fact fact = stage_of(ROLL_REMOVED_EARLY, &old_zsk, &old_zsk, NULL);
    judge(*state, &fact);
    assert_string_equal(found(*state, text), "key-withdrawn-early");
    fact = stage_of(ROLL_RESTORED, &old_zsk, &old_zsk, NULL);
    fact.time_ns += NS_S;
    judge(*state, &fact);
    assert_string_equal(found(*state, text), "key-withdrawn-early!");
}

/* What was not planned is over when it is undone; when it comes again it is open again. */
static void test_undone(void **state)
{
    char text[512];
    struct fact fact = stage_of(ROLL_PUBLISHED, &new_zsk, &new_zsk, &old_zsk);
    DECLARED_KEYS(&fact, old_zsk);
    judge(*state, &fact);
    assert_string_equal(found(*state, text), "roll-unplanned roll-progress");
    fact = stage_of(ROLL_UNDONE, &new_zsk, &new_zsk, &old_zsk);
    fact.time_ns += NS_S;
    judge(*state, &fact);
    assert_string_equal(found(*state, text), "roll-unplanned! roll-progress!");
    fact = stage_of(ROLL_PUBLISHED, &new_zsk, &new_zsk, &old_zsk);
    DECLARED_KEYS(&fact, old_zsk);
    fact.time_ns += 2 * NS_S;
    judge(*state, &fact);
    assert_string_equal(found(*state, text), "roll-unplanned roll-progress");
}

static void test_early_by_the_clock(void **state)
{
    char text[512];
    struct fact fact = stage_of(ROLL_REMOVED_EARLY, &new_zsk, &old_zsk, &old_zsk);
    roll_in(&fact)->exposed = false;
    judge(*state, &fact);
    assert_string_equal(found(*state, text), "roll-progress");
    assert_non_null(strstr(only(*state)->observed[0], "early by the clock"));
}

static void test_pending(void **state)
{
    struct fact fact = stage_of(ROLL_DS_PENDING, &new_ksk, &new_ksk, &old_ksk);
    judge(*state, &fact);
    const struct finding *f = only(*state);
    assert_int_equal(f->rule, RULE_DS_PENDING);
    assert_int_equal(f->severity, SEVERITY_INFO);
    roll_in(&fact)->overdue = true;
    DECLARED_KEYS(&fact, old_ksk);
    fact.baseline.planned = fact.baseline.planned_sep = true;
    judge(*state, &fact);
    assert_int_equal(f->severity, SEVERITY_INFO);
    fact.baseline.planned_sep = false;
    judge(*state, &fact);
    assert_int_equal(f->severity, SEVERITY_MEDIUM);
    fact = stage_of(ROLL_DS_FOLLOWED, &new_ksk, &new_ksk, &old_ksk);
    fact.time_ns += NS_S;
    judge(*state, &fact);
    assert_int_equal(f->state, FINDING_CLOSED);
}

/* Every unsafe step has words of its own for what happened and for what it should have waited for.
 */
static void test_texts(void **state)
{
    for (enum roll_stage stage = ROLL_SIGNS_EARLY; stage <= ROLL_HOLD_DOWN; stage++) {
        char name[8];
        snprintf(name, sizeof name, "k%u", stage);
        struct fact_key key = key_of(257, 13, (uint16_t)stage, name);
        struct fact fact = stage_of(stage, &key, &key, &old_ksk);
        judge(*state, &fact);
    }
    const struct finding *const *list;
    size_t count = rules_findings(*state, &list), texts = 0;
    for (size_t i = 0; i < count; i++) {
        if (list[i]->rule != RULE_ROLL_UNSAFE)
            continue;
        texts++;
        for (size_t k = 0; k < i; k++)
            if (list[k]->rule == RULE_ROLL_UNSAFE)
                assert_string_not_equal(list[i]->expected[0], list[k]->expected[0]);
    }
    assert_int_equal(texts, ROLL_HOLD_DOWN - ROLL_SIGNS_EARLY + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_progress, fresh, done),
        cmocka_unit_test_setup_teardown(test_unplanned, fresh, done),
        cmocka_unit_test_setup_teardown(test_planned, fresh, done),
        cmocka_unit_test_setup_teardown(test_not_unplanned, fresh, done),
        cmocka_unit_test_setup_teardown(test_unsafe, fresh, done),
        cmocka_unit_test_setup_teardown(test_withdrawn, fresh, done),
        cmocka_unit_test_setup_teardown(test_undone, fresh, done),
        cmocka_unit_test_setup_teardown(test_early_by_the_clock, fresh, done),
        cmocka_unit_test_setup_teardown(test_pending, fresh, done),
        cmocka_unit_test_setup_teardown(test_texts, fresh, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
