/* policy: the YAML file in full, and how each mistake is named. */
#include "analyze/declared/policy.h"

#include "rules/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above before it */
#include <cmocka.h>

#define NS INT64_C(1000000000)
#define KEY                                                                                        \
    "257 3 13 "                                                                                    \
    "xhRXS1q6qM696XdTJ0bdfkh59Van9L53T9YfrrMy4eh7CoNetbiD3sFA+ND4UCE49UIxFoGPcafjnd/sgTLnNA=="
#define NOON_S INT64_C(1795608000) /* 2026-11-25T12:00:00Z */

static struct policy *read_text(const char *text, char error[512])
{
    error[0] = '\0';
    return policy_read("f.yaml", text, strlen(text), error, 512);
}

static bool matches(const struct policy_pattern *pattern, const char *name, uint16_t type)
{
    uint8_t owner[NAME_MAX_BYTES];
    assert_true(name_parse(name, owner) > 0);
    return policy_matches(pattern, owner, type);
}

static void whole_file(void **state)
{
    static const char text[] =
        "# the zone of the example\n"
        "zone: Example.com.\n"
        "strict: false\n"
        "dynamic: [\"*.dyn.example.com. A\", \"_acme-challenge.example.com. TXT\"]\n"
        "watch:\n"
        "  - www.example.com.\n"
        "  - \"example.com. MX\"\n"
        "servers: [192.0.2.53, 2001:db8::53]\n"
        "transfer-clients: [192.0.2.60]\n"
        "signing: {validity: 14d, refresh: 5d, algorithm: 13}\n"
        "multi-signer: true\n"
        "planned:\n"
        "  - {change: ksk-rollover, key: \"" KEY "\", from: 2026-11-20T00:00:00Z, to: 2026-12-20}\n"
        "  - change: record-change\n"
        "    name: \"www.example.com. A\"\n"
        "    from: 2026-11-25T13:00:00+01:00\n"
        "    to: 2026-11-25T12:00:00Z\n"
        "    why: ticket 12\n"
        "suppress:\n"
        "  - {rule: rrsig-expiring, name: \"legacy.example.com.\", until: 2026-12-31, why: "
        "\"4711\"}\n";
    (void)state;
    char error[512];
    struct policy *policy = read_text(text, error);
    assert_string_equal(error, "");
    assert_non_null(policy);
    char name[NAME_TEXT_MAX];
    assert_string_equal(name_text(policy->zone, name), "example.com.");
    assert_false(policy->strict);
    assert_true(policy->multi_signer);
    assert_int_equal(policy->dynamic_count, 2);
    assert_true(matches(&policy->dynamic[0], "a.b.dyn.example.com.", 1));
    assert_false(matches(&policy->dynamic[0], "a.dyn.example.com.", 28));
    assert_false(matches(&policy->dynamic[0], "dyn.example.com.", 1));
    assert_true(matches(&policy->dynamic[1], "_ACME-challenge.example.com.", 16));
    assert_int_equal(policy->watch_count, 2);
    assert_true(matches(&policy->watch[0], "www.example.com.", 257));
    assert_false(matches(&policy->watch[0], "a.www.example.com.", 257));
    assert_int_equal(policy->server_count, 2);
    assert_int_equal(policy->servers[0].family, 4);
    assert_memory_equal(policy->servers[0].bytes, "\xc0\x00\x02\x35", 4);
    assert_int_equal(policy->servers[1].family, 6);
    assert_int_equal(policy->transfer_client_count, 1);
    assert_int_equal(policy->validity_ns, 14 * 86400 * NS);
    assert_int_equal(policy->refresh_ns, 5 * 86400 * NS);
    assert_int_equal(policy->algorithm, 13);
    assert_int_equal(policy->plan_count, 2);
    assert_int_equal(policy->plans[0].change, POLICY_KSK);
    assert_int_equal(policy->plans[0].key_size, 68);
    assert_int_equal(policy->plans[0].from_ns, INT64_C(1795132800) * NS);
    assert_int_equal(policy->plans[0].to_ns, INT64_C(1797811200) * NS - 1); /* the whole day */
    assert_int_equal(policy->plans[1].change, POLICY_RECORDS);
    assert_int_equal(policy->plans[1].from_ns, NOON_S * NS);
    assert_int_equal(policy->plans[1].to_ns, NOON_S * NS);
    assert_int_equal(policy->suppression_count, 1);
    assert_string_equal(policy->suppressions[0].rule, "rrsig-expiring");
    policy_free(policy);
}

static void defaults_are_strict(void **state)
{
    (void)state;
    char error[512];
    struct policy *policy = read_text("zone: .\n", error);
    assert_non_null(policy);
    assert_true(policy->strict);
    assert_false(policy->multi_signer);
    assert_int_equal(policy->plan_count + policy->suppression_count + policy->watch_count, 0);
    policy_free(policy);
}

static void mistakes_name_file_and_line(void **state)
{
#define WINDOW "from: 2026-11-20, to: 2026-11-21"
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"", "f.yaml:1: expected a policy"},
        {"strict: true\n", "f.yaml:1: expected `zone"},
        {"[]\n", "f.yaml:1: expected a mapping"},
        {"zone: a..b\n", "f.yaml:1: expected a name"},
        {"zone: [x]\n", "f.yaml:1: expected a name"},
        {"zone: x.\nstrickt: true\n",
         "f.yaml:2: \"strickt\" is not known here; expected one of zone, "},
        {"zone: x.\nstrict: maybe\n", "f.yaml:2: expected true or false, not \"maybe\""},
        {"zone: x.\nzone: y.\n", "f.yaml:2: \"zone\" is given twice"},
        {"zone: x.\n\ndynamic: a.x.\n", "f.yaml:3: expected a list"},
        {"zone: x.\ndynamic:\n - a.x. A\n - b.x. NOTYPE\n", "f.yaml:4: expected a type"},
        {"zone: x.\nwatch:\n - www.example.net.\n",
         "f.yaml:3: expected names within x., not www.exam"},
        {"zone: x.\nsuppress:\n - {rule: key-unknown, until: 2026-11-20,\n    name: y.}\n",
         "f.yaml:4: expected names within x., not y."},
        {"zone: x.\nservers: [192.0.2.300]\n", "f.yaml:2: expected an IPv4 or IPv6 address"},
        {"zone: x.\nsigning: {validity: 14}\n", "f.yaml:2: expected a duration"},
        {"zone: x.\nsigning: {validity: 99999999999d}\n", "f.yaml:2: expected a duration"},
        {"zone: x.\nsigning: {validity: 5d, refresh: 5d}\n", "f.yaml:2: expected `refresh`"},
        {"zone: x.\nsigning: {algorithm: 256}\n", "f.yaml:2: expected a number from 1 to 255"},
        {"zone: x.\nplanned:\n - {change: ksk-rollover, " WINDOW "}\n - {change: x, " WINDOW "}\n",
         "f.yaml:4: expected one of ksk-rollover zsk-rollover"},
        {"zone: x.\nplanned: [{change: ksk-rollover, from: 2026-11-20}]\n",
         "f.yaml:2: expected change, from and to"},
        {"zone: x.\nplanned: [{change: ksk-rollover, from: 2026-11-20, to: 2026-11-19}]\n",
         "f.yaml:2: expected `to` after `from`"},
        {"zone: x.\nplanned: [{change: ksk-rollover, from: tomorrow, to: 2026-11-19}]\n",
         "f.yaml:2: expected a time"},
        {"zone: x.\nplanned: [{change: ksk-rollover, from: 2026-11-20T00:00:00, to: 2026-11-29}]\n",
         "f.yaml:2: expected a time"},
        {"zone: x.\nplanned: [{change: zsk-rollover, key: \"256 3\", " WINDOW "}]\n",
         "f.yaml:2: expected a whole key"},
        {"zone: x.\nplanned: [{change: zsk-rollover, key: \"256 3 13 AAAA\", " WINDOW "}]\n",
         "f.yaml:2: expected a whole key"},
        {"zone: x.\nplanned: [{change: record-change, " WINDOW "}]\n", "f.yaml:2: expected `name`"},
        {"zone: x.\nsuppress:\n - {rule: key-unkown, name: x., until: 2026-11-20}\n",
         "f.yaml:3: expected the id of a rule"},
        {"zone: x.\nsuppress:\n - {rule: key-unknown, until: 2026-11-20}\n",
         "f.yaml:3: expected rule, name and until"},
        {"zone: x.\n\tstrict: true\n", "f.yaml:2: expected YAML"},
        {"zone: x.\nwatch: [\n", "f.yaml:3: expected YAML"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char error[512];
        print_message("%s", cases[i].text);
        struct policy *policy = read_text(cases[i].text, error);
        assert_null(policy);
        print_message("  %s\n", error);
        assert_memory_equal(error, cases[i].error, strlen(cases[i].error));
    }
}

static void times(void **state)
{
    static const struct {
        const char *text;
        bool end;
        int64_t ns; /* -1: refused */
    } cases[] = {
        {"2026-11-25T12:00:00Z", false, NOON_S * NS},
        {"2026-11-25T12:00:00+00:00", false, NOON_S * NS},
        {"2026-11-25T10:30:00-01:30", false, NOON_S * NS},
        {"2026-11-25", false, (NOON_S - 43200) * NS},
        {"2026-11-25", true, (NOON_S + 43200) * NS - 1},
        {"2026-11-25T12:00:00Z", true, NOON_S * NS},
        {"2026-11-25T12:00Z", false, -1},
        {"2026-11-25T12:00:00", false, -1},
        {"2026-11-25T12:00:00Zx", false, -1},
        {"2026-11-25T12:00:00+0100", false, -1},
        {"26-11-25", false, -1},
        {"", false, -1},
        {"1969-12-31", false, -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ns = -1;
        int result = conf_parse_time(cases[i].text, cases[i].end, &ns);
        print_message("%s\n", cases[i].text);
        assert_int_equal(result, cases[i].ns == -1 ? -1 : 0);
        assert_int_equal(ns, cases[i].ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_file),
        cmocka_unit_test(defaults_are_strict),
        cmocka_unit_test(mistakes_name_file_and_line),
        cmocka_unit_test(times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
