/*
 * denial_rules: proofs of absence, and keys and DS whose form is impossible: what fires, near
 * misses, grouping and closing.
 */
#include "tests/unit/fact_builder.h"

#define MINUTE (INT64_C(60) * NS_S)

static struct rules *rules;
static struct fact_denial denial;

static size_t give(const struct fact *fact)
{
    struct finding *findings[16];
    return rules_judge(rules, fact, findings, 16);
}

static void expect(const char *ids)
{
    char text[512];
    assert_string_equal(found(rules, text), ids);
}

static const struct finding *only(void)
{
    const struct finding *const *list;
    assert_int_equal(rules_findings(rules, &list), 1);
    return list[0];
}

static int begin(void **state)
{
    (void)state;
    builder_reset();
    rules = rules_default(NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    rules_free(rules);
    return 0;
}

/* --- proofs -------------------------------------------------------------------------------- */

static struct fact proof(enum denial_of of, enum reason reason, const char *name)
{
    static const struct fact_rrset none[1];
    struct fact fact = fact_of(FACT_PROOF, "x.");
    denial = (struct fact_denial){.of = of, .count = 1, .sets = none};
    fact.observed = (struct fact_rrset){.owner = N(name), .type = 1};
    fact.reason = reason;
    fact.verdict = reason_verdict(reason);
    fact.denial = &denial;
    return fact;
}

static void each_step_is_a_finding(void **state)
{
    static const enum reason steps[] = {REASON_NAME_NOT_COVERED, REASON_WILDCARD_NOT_DENIED,
                                        REASON_TYPE_NOT_DENIED,  REASON_CLOSEST_ENCLOSER,
                                        REASON_NEXT_CLOSER,      REASON_WILDCARD_CLOSER,
                                        REASON_DS_NOT_DENIED};
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct fact fact = proof(DENIAL_OF_NAME, steps[i], "nx.x.");
        assert_int_equal(give(&fact), 1);
    }
    expect("denial-broken denial-broken denial-broken denial-broken denial-broken denial-broken "
           "denial-broken");
}

static void questions_are_counted_in_one(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        char name[32];
        snprintf(name, sizeof name, "nx%d.x.", i);
        struct fact fact = proof(DENIAL_OF_NAME, REASON_NEXT_CLOSER, name);
        give(&fact);
    }
    expect("denial-broken");
    assert_int_equal(only()->count, 50);
    assert_non_null(strstr(only()->summary, "NXDOMAIN for nx0.x."));
    assert_non_null(strstr(only()->summary, "and 49 more questions"));
    assert_non_null(strstr(only()->summary, "next closer"));
    assert_non_null(strstr(only()->summary, "server 192.0.2.53"));
}

static void resolver_repeats_the_servers(void **state)
{
    (void)state;
    struct fact fact = proof(DENIAL_OF_NAME, REASON_NEXT_CLOSER, "nx.x.");
    fact.aa = false;
    give(&fact);
    assert_non_null(strstr(only()->summary, "resolver 192.0.2.53"));
    fact.zone = N("y.");
    fact.aa = true;
    give(&fact);
    fact.aa = false;
    give(&fact);
    expect("denial-broken denial-broken");
}

static void missing_needs_no_proof_at_all(void **state)
{
    (void)state;
    struct fact fact = proof(DENIAL_OF_TYPE, REASON_DENIAL_MISSING, "www.x.");
    give(&fact); /* there is one, of an unknown hash for instance */
    expect("denial-broken");
    denial.count = 0;
    fact.zone = N("y.");
    give(&fact);
    expect("denial-broken denial-missing");
}

static void missing_says_who_blocks(void **state)
{
    (void)state;
    struct fact fact = proof(DENIAL_OF_NAME, REASON_DENIAL_MISSING, "bad.x.");
    denial.count = 0;
    fact.rewritten = true;
    fact.aa = false;
    give(&fact);
    assert_int_equal(only()->severity, SEVERITY_LOW);
    assert_non_null(strstr(only()->summary, "blocks"));
}

static void near_misses(void **state)
{
    (void)state;
    static const enum reason sound[] = {REASON_DENIAL, REASON_WILDCARD, REASON_OPT_OUT,
                                        REASON_UNSIGNED_DELEGATION};
    for (size_t i = 0; i < sizeof sound / sizeof *sound; i++) {
        struct fact fact = proof(DENIAL_OF_NAME, sound[i], "nx.x.");
        give(&fact);
    }
    struct fact fact = proof(DENIAL_OF_NAME, REASON_DENIAL_MISSING, "nx.x.");
    denial.count = 0;
    fact.do_bit = false;
    give(&fact);
    fact.do_bit = true;
    fact.tc = true;
    give(&fact);
    fact.tc = false;
    fact.baseline.below_cut = true;
    give(&fact);
    expect("");
}

static void same_server_refutes_same_question(void **state)
{
    (void)state;
    static const uint8_t other[16] = {192, 0, 2, 54};
    struct fact fact = proof(DENIAL_OF_NAME, REASON_NEXT_CLOSER, "nx.x.");
    give(&fact);
    struct fact whole = proof(DENIAL_OF_NAME, REASON_DENIAL, "nx.x.");
    whole.time_ns += 1;
    whole.server = other;
    give(&whole);
    expect("denial-broken");
    whole.server = fact.server;
    whole.observed.owner = N("nx2.x.");
    give(&whole);
    expect("denial-broken");
    whole.observed.owner = fact.observed.owner;
    give(&whole);
    expect("denial-broken!");
}

static void quiet_ends_it(void **state)
{
    (void)state;
    struct fact fact = proof(DENIAL_OF_NAME, REASON_NEXT_CLOSER, "nx.x.");
    give(&fact);
    struct fact whole = proof(DENIAL_OF_TYPE, REASON_DENIAL, "www.x.");
    whole.time_ns += 11 * MINUTE;
    give(&whole); /* another kind of proof */
    expect("denial-broken");
    whole = proof(DENIAL_OF_NAME, REASON_DENIAL, "nx3.x.");
    whole.time_ns += 9 * MINUTE;
    give(&whole);
    expect("denial-broken");
    whole.time_ns += 2 * MINUTE;
    whole.aa = false; /* a cache refutes no authority */
    give(&whole);
    expect("denial-broken");
    whole.aa = true;
    give(&whole);
    expect("denial-broken!");
}

/* --- parameters ---------------------------------------------------------------------------- */

static struct fact_nsec3_parameters seen[2];
static struct fact_nsec3 nsec3;

static struct fact parameters(size_t count)
{
    static const struct fact_nsec3_parameters clean = {.algorithm = 1,
                                                       .server_family = 4,
                                                       .server = {192, 0, 2, 53},
                                                       .first_ns = NOW,
                                                       .last_ns = NOW};
    struct fact fact = fact_of(FACT_NSEC3, "x.");
    seen[0] = seen[1] = clean;
    nsec3 = (struct fact_nsec3){count, seen};
    fact.nsec3 = &nsec3;
    return fact;
}

static void expect_nsec3(const struct fact *fact, const char *what)
{
    rules_free(rules);
    rules = rules_default(NULL);
    give(fact);
    expect(what ? "nsec3-parameters" : "");
    if (what) {
        assert_non_null(strstr(only()->summary, what));
        assert_int_equal(only()->severity, SEVERITY_LOW);
    }
}

static void each_parameter(void **state)
{
    (void)state;
    struct fact fact = parameters(1);
    expect_nsec3(&fact, NULL);
    seen[0].iterations = 1;
    expect_nsec3(&fact, "1 iteration,");
    seen[0].iterations = 0;
    seen[0].salt_size = 8;
    expect_nsec3(&fact, "a salt of 8 bytes");
    seen[0].salt_size = 0;
    seen[0].opt_out = true;
    expect_nsec3(&fact, NULL); /* nobody said that it has none */
    fact.baseline.present = true;
    expect_nsec3(&fact, NULL);
    fact.baseline.denial = FACT_CHAIN_OPT_OUT;
    expect_nsec3(&fact, NULL);
    fact.baseline.denial = FACT_CHAIN_NSEC3;
    expect_nsec3(&fact, "opt-out");
    fact.baseline.planned = true;
    expect_nsec3(&fact, NULL);
}

static void two_sets_of_parameters(void **state)
{
    (void)state;
    struct fact fact = parameters(2);
    seen[1].first_ns = seen[1].last_ns = NOW + NS_S;
    expect_nsec3(&fact, "the parameters changed");
    seen[0].last_ns = NOW + 2 * NS_S;
    expect_nsec3(&fact, "two sets of parameters are in use");
    seen[1].server[3] = 54;
    expect_nsec3(&fact, "differ between servers");
    fact.baseline.planned = true;
    expect_nsec3(&fact, NULL);
}

static void clean_parameters_close(void **state)
{
    (void)state;
    struct fact fact = parameters(1);
    seen[0].iterations = 10;
    give(&fact);
    expect("nsec3-parameters");
    fact.time_ns += NS_S;
    seen[0].iterations = 0;
    give(&fact);
    expect("nsec3-parameters!");
}

static void parameters_can_be_ignored(void **state)
{
    char error[64];
    struct rules_limits limits = {.ignore_rfc9276 = true};
    (void)state;
    struct fact fact = parameters(1);
    seen[0].iterations = 10;
    seen[0].salt_size = 8;
    rules_free(rules);
    rules = rules_new("p", NULL, 0, &limits, NULL, NULL, error, sizeof error);
    give(&fact);
    expect("");
}

/* --- walks --------------------------------------------------------------------------------- */

static const uint8_t client_address[16] = {192, 0, 2, 7};

static bool walks(struct fact_walk walk)
{
    char text[512];
    walk.client_family = 4;
    walk.client = client_address;
    struct fact fact = fact_of(FACT_WALK, "x.");
    fact.walk = &walk;
    rules_free(rules);
    rules = rules_default(NULL);
    give(&fact);
    return strcmp(found(rules, text), "zone-walk") == 0;
}

static void along_the_chain(void **state)
{
    (void)state;
    assert_true(walks((struct fact_walk){.names = 32}));
    assert_false(walks((struct fact_walk){.names = 31}));
    assert_false(walks((struct fact_walk){.names = 60, .unasked = 40}));
    assert_true(walks((struct fact_walk){.names = 72, .unasked = 40}));
    assert_true(walks((struct fact_walk){.names = 6, .whole = true}));
    assert_false(walks((struct fact_walk){.names = 5, .whole = true}));
    assert_false(walks((struct fact_walk){.names = 11, .unasked = 11, .whole = true}));
    assert_true(walks((struct fact_walk){.names = 12, .unasked = 12, .whole = true}));
    assert_non_null(strstr(only()->summary, "192.0.2.7 walks x. along its NSEC chain: 12 names"));
}

static void hashes_together(void **state)
{
    (void)state;
    assert_true(walks((struct fact_walk){.nsec3 = true, .names = 256, .questions = 300}));
    assert_false(walks((struct fact_walk){.nsec3 = true, .names = 255, .questions = 300}));
    assert_true(
        walks((struct fact_walk){.nsec3 = true, .names = 15, .questions = 64, .share = 90}));
    assert_false(
        walks((struct fact_walk){.nsec3 = true, .names = 15, .questions = 64, .share = 89}));
    assert_false(
        walks((struct fact_walk){.nsec3 = true, .names = 9, .questions = 64, .share = 100}));
    assert_true(walks(
        (struct fact_walk){.nsec3 = true, .names = 15, .questions = 15, .wasted = 1, .share = 95}));
    assert_false(walks((struct fact_walk){
        .nsec3 = true, .names = 15, .questions = 40, .wasted = 25, .share = 95}));
}

static void walk_is_over(void **state)
{
    (void)state;
    struct fact_walk walk = {.names = 32, .client_family = 4, .client = client_address};
    struct fact fact = fact_of(FACT_WALK, "x.");
    fact.walk = &walk;
    give(&fact);
    expect("zone-walk");
    walk.over = true;
    fact.time_ns += 59 * MINUTE;
    give(&fact);
    expect("zone-walk");
    fact.time_ns += 2 * MINUTE;
    give(&fact);
    expect("zone-walk!");
}

/* --- keys ---------------------------------------------------------------------------------- */

static struct fact with_key(uint8_t algorithm, const void *bytes, size_t size)
{
    struct fact fact = fact_of(FACT_DNSKEY, "x.");
    struct fact_key key = {.flags = 257, .protocol = 3, .algorithm = algorithm, .tag = 1};
    key.public_key = bytes_of(bytes, size);
    KEYS(&fact, key);
    return fact;
}

static bool is_malformed(uint8_t algorithm, const void *bytes, size_t size)
{
    char text[512];
    struct fact fact = with_key(algorithm, bytes, size);
    rules_free(rules);
    rules = rules_default(NULL);
    give(&fact);
    return strstr(found(rules, text), "key-malformed") != NULL;
}

static void lengths_of_keys(void **state)
{
    static const struct {
        uint8_t algorithm;
        size_t right;
    } lengths[] = {{12, 64}, {13, 64}, {14, 96}, {15, 32}, {16, 57}};
    uint8_t bytes[128];
    (void)state;
    memset(bytes, 0x55, sizeof bytes);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint8_t algorithm = lengths[i].algorithm;
        assert_false(is_malformed(algorithm, bytes, lengths[i].right));
        assert_true(is_malformed(algorithm, bytes, lengths[i].right - 1));
        assert_true(is_malformed(algorithm, bytes, lengths[i].right + 1));
        assert_true(is_malformed(algorithm, bytes, 0));
    }
    assert_false(is_malformed(200, bytes, 7)); /* nobody knows what it looks like */
}

static void forms_of_rsa(void **state)
{
    uint8_t key[700];
    (void)state;
    memset(key, 0x81, sizeof key);
    memcpy(key, "\3\1\0\1", 4);
    assert_false(is_malformed(8, key, 4 + 256));
    assert_false(is_malformed(8, key, 4 + 64));
    assert_true(is_malformed(8, key, 4 + 63));
    assert_true(is_malformed(10, key, 4 + 127)); /* RFC 5702 2.2 */
    assert_false(is_malformed(10, key, 4 + 128));
    assert_false(is_malformed(8, key, 4 + 512));
    assert_true(is_malformed(8, key, 4 + 513));
    assert_true(is_malformed(8, key, 4)); /* no modulus */
    assert_true(is_malformed(8, key, 0));
    key[0] = 0; /* length of the exponent in two bytes */
    assert_true(is_malformed(8, key, 2));
    memcpy(key, "\0\0\3\1\0\1", 6);
    assert_false(is_malformed(8, key, 6 + 256));
    memcpy(key, "\0\0\0", 3);
    assert_true(is_malformed(8, key, 259));
    memcpy(key, "\3\1\0\1\0", 5); /* RFC 3110 2: no leading zero */
    assert_true(is_malformed(8, key, 4 + 256));
}

static void no_point_on_the_curve(void **state)
{
    struct fact fact =
        with_key(13, "0123456789012345678901234567890123456789012345678901234567890123", 64);
    (void)state;
    ((struct fact_key *)(uintptr_t)fact.keys)->undecodable = true;
    give(&fact);
    expect("key-malformed");
}

static void sound_keys_close(void **state)
{
    char bytes[64];
    (void)state;
    memset(bytes, 0x55, sizeof bytes);
    struct fact fact = with_key(13, bytes, 63);
    give(&fact);
    expect("key-malformed");
    fact = with_key(13, bytes, 64);
    fact.time_ns += NS_S;
    give(&fact);
    expect("key-malformed!");
}

/* --- DS ------------------------------------------------------------------------------------ */

static struct fact_key key;

static struct fact with_ds(const struct fact_ds *ds)
{
    struct fact fact = fact_of(FACT_DS, "x.");
    KEYS(&fact, key);
    DSS(&fact, *ds);
    return fact;
}

static struct fact_ds named(uint8_t type, size_t size)
{
    struct fact_ds ds = ds_from("x.", &key, type);
    uint8_t longer[128] = {0};
    memcpy(longer, ds.digest.bytes, ds.digest.size);
    ds.digest = bytes_of(longer, size);
    return ds;
}

static int begin_ds(void **state)
{
    begin(state);
    key = key_of(257, 13, 111, "K123456789012345678901234567890123456789012345678901234567890123");
    return 0;
}

static void expect_ds(const struct fact_ds *ds, const char *ids, const char *how)
{
    struct fact fact = with_ds(ds);
    give(&fact);
    expect(ids);
    if (how)
        assert_non_null(strstr(only()->summary, how));
}

static void ds_cut_short(void **state)
{
    (void)state;
    struct fact_ds ds = named(2, 20);
    expect_ds(&ds, "ds-malformed", "cut short");
}

static void ds_cut_to_another_type(void **state)
{ /* 32 bytes, as SHA-256 has; but of the SHA-384 digest */
    (void)state;
    struct fact_ds ds = named(4, 32);
    ds.digest_type = 2;
    expect_ds(&ds, "ds-malformed", "the key's SHA-384 digest, cut short");
}

static void ds_under_another_type(void **state)
{
    (void)state;
    struct fact_ds ds = named(2, 32);
    ds.digest_type = 4;
    expect_ds(&ds, "ds-malformed", "SHA-256 digest under another type");
}

static void ds_extended(void **state)
{
    (void)state;
    struct fact_ds ds = named(2, 33);
    expect_ds(&ds, "ds-malformed", "something behind it");
}

static void ds_as_text(void **state)
{
    (void)state;
    struct fact_ds right = ds_from("x.", &key, 2), ds = right;
    char text[2 * 32 + 1];
    for (size_t i = 0; i < 32; i++)
        snprintf(text + 2 * i, 3, i & 1 ? "%02x" : "%02X", right.digest.bytes[i]);
    ds.digest = bytes_of(text, 64);
    expect_ds(&ds, "ds-malformed", "hexadecimal text");
}

static void ds_without_a_key(void **state)
{
    (void)state;
    struct fact_ds ds = named(1, 19);
    struct fact fact = with_ds(&ds);
    fact.key_count = 0;
    give(&fact);
    expect("ds-malformed ds-weak");
}

static void ds_near_misses(void **state)
{
    (void)state;
    struct fact_ds ds = named(2, 32);
    ds.matches_key = true;
    expect_ds(&ds, "", NULL);
    ds = ds_of(111, 13, 200, "any length will do");
    expect_ds(&ds, "", NULL);
    ds = ds_of(112, 13, 2, "01234567890123456789012345678901"); /* a standby key */
    expect_ds(&ds, "", NULL);
    ds = ds_of(111, 13, 2, "01234567890123456789012345678901");
    expect_ds(&ds, "ds-digest-wrong", NULL);
}

static void ds_without_owner(void **state)
{
    uint8_t digest[DIGEST_DS_MAX];
    (void)state;
    struct fact_ds ds = named(2, 32);
    assert_int_equal(digest_ownerless(&key, 2, digest), 32);
    ds.digest = bytes_of(digest, 32);
    expect_ds(&ds, "ds-digest-wrong", "without its owner name");
}

#define TEST(name)    cmocka_unit_test_setup_teardown(name, begin, end)
#define TEST_DS(name) cmocka_unit_test_setup_teardown(name, begin_ds, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_step_is_a_finding),
        TEST(questions_are_counted_in_one),
        TEST(resolver_repeats_the_servers),
        TEST(missing_needs_no_proof_at_all),
        TEST(missing_says_who_blocks),
        TEST(near_misses),
        TEST(same_server_refutes_same_question),
        TEST(quiet_ends_it),
        TEST(each_parameter),
        TEST(two_sets_of_parameters),
        TEST(clean_parameters_close),
        TEST(parameters_can_be_ignored),
        TEST(along_the_chain),
        TEST(hashes_together),
        TEST(walk_is_over),
        TEST(lengths_of_keys),
        TEST(forms_of_rsa),
        TEST(no_point_on_the_curve),
        TEST(sound_keys_close),
        TEST_DS(ds_cut_short),
        TEST_DS(ds_cut_to_another_type),
        TEST_DS(ds_under_another_type),
        TEST_DS(ds_extended),
        TEST_DS(ds_as_text),
        TEST_DS(ds_without_a_key),
        TEST_DS(ds_near_misses),
        TEST_DS(ds_without_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
