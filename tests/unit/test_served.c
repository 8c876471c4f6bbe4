/*
 * test_served: algorithms and TTLs of RRsets as they were served, on facts.
 *
 * Contained in: tests.
 */
#include "fact_builder.h"

static void expect(struct rules *rules, const char *ids)
{
    char text[512];
    assert_string_equal(found(rules, text), ids);
}

static void give_one(const char *ids, void (*change)(struct fact *))
{
    builder_reset();
    struct rules *rules = rules_default(NULL);
    struct fact fact = served_of();
    struct finding *out[8];
    change(&fact);
    rules_judge(rules, &fact, out, 8);
    expect(rules, ids);
    rules_free(rules);
}

static void nothing(struct fact *fact)
{
    (void)fact;
}

static void two_announced(struct fact *fact)
{
    add_algorithm(&served_in(fact)->in_dnskey, 8);
}

static void two_announced_both_sign(struct fact *fact)
{
    add_algorithm(&served_in(fact)->in_dnskey, 8);
    add_algorithm(&served_in(fact)->signed_with, 8);
}

/* RFC 6840 5.11: signatures without a key are how a roll begins and ends. */
static void more_signatures_than_keys(struct fact *fact)
{
    add_algorithm(&served_in(fact)->signed_with, 8);
}

static void ds_announces(struct fact *fact)
{
    add_algorithm(&served_in(fact)->in_ds, 15);
}

static void not_whole(struct fact *fact)
{
    two_announced(fact);
    served_in(fact)->whole = false;
}

static void private_algorithm(struct fact *fact)
{
    add_algorithm(&served_in(fact)->in_dnskey, 253);
}

static void declared(struct fact *fact)
{
    DECLARED_KEYS(fact, key_of(257, 8, 1, "K"), key_of(256, 13, 2, "Z"));
}

static void declared_planned(struct fact *fact)
{
    declared(fact);
    fact->baseline.planned = true;
}

static void declared_multi_signer(struct fact *fact)
{
    declared(fact);
    fact->baseline.multi_signer = true;
}

static void declared_all_replaced(struct fact *fact)
{
    DECLARED_KEYS(fact, key_of(257, 8, 1, "K"), key_of(256, 8, 2, "Z"));
}

static void raised(struct fact *fact)
{
    served_in(fact)->ttl = 301;
    served_in(fact)->ttl_raised = true;
}

static void outlives(struct fact *fact)
{
    served_in(fact)->outlives = true;
}

static void test_one_fact(void **state)
{
    (void)state;
    give_one("", nothing);
    give_one("rrsig-algorithm-missing", two_announced);
    give_one("", two_announced_both_sign);
    give_one("", more_signatures_than_keys);
    give_one("rrsig-algorithm-missing", ds_announces);
    give_one("", not_whole);
    give_one("", private_algorithm);
    give_one("rrsig-algorithm-missing", declared);
    give_one("", declared_planned);
    give_one("", declared_multi_signer);
    give_one("", declared_all_replaced);
    give_one("rrsig-ttl", raised);
    give_one("rrsig-ttl", outlives);
}

/* A finding gathers RRsets, and closes when the last of them is served as it should be. */
static void test_life(void **state)
{
    (void)state;
    builder_reset();
    struct rules *rules = rules_default(NULL);
    struct finding *out[8];
    struct fact www = served_of(), mail = served_of();
    mail.observed = set_of("mail.x.", 1, 1, "\300\001\002\004");
    two_announced(&www);
    two_announced(&mail);
    assert_int_equal(rules_judge(rules, &www, out, 8), 1);
    assert_int_equal(rules_judge(rules, &mail, out, 8), 1);
    assert_non_null(strstr(out[0]->summary, "and 1 more RRset"));
    assert_non_null(strstr(out[0]->summary, "www.x. "));
    assert_int_equal(out[0]->expected_count, 2);
    two_announced_both_sign(&www);
    rules_judge(rules, &www, out, 8);
    expect(rules, "rrsig-algorithm-missing");
    two_announced_both_sign(&mail);
    mail.time_ns++;
    rules_judge(rules, &mail, out, 8);
    expect(rules, "rrsig-algorithm-missing!");
    rules_free(rules);
}

static void test_lossy(void **state)
{
    (void)state;
    builder_reset();
    struct rules *rules = rules_default(NULL);
    struct finding *out[8];
    struct fact fact = served_of();
    two_announced(&fact);
    fact.lossy = true;
    rules_judge(rules, &fact, out, 8);
    assert_int_equal(out[0]->severity, SEVERITY_MEDIUM);
    rules_free(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_fact),
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_lossy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
