/* catalogue: every finding is complete and unmistakable. */
#include "rules/catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above before it */
#include <cmocka.h>

static const char *const families[] = {"keys",   "signatures", "delegation", "records",
                                       "denial", "transport",  "resolution", "sensor"};

static void every_rule_is_complete(void **state)
{
    (void)state;
    size_t family = 0;
    for (unsigned i = 0; i < RULE_COUNT; i++) {
        const struct rule_text *text = rule_text((enum rule_id)i);
        print_message("%s\n", text->id);
        assert_true(text->severity >= SEVERITY_INFO && text->severity <= SEVERITY_CRITICAL);
        const char *const prose[] = {text->meaning, text->why, text->innocent, text->steps};
        for (size_t j = 0; j < sizeof prose / sizeof *prose; j++) {
            assert_non_null(prose[j]);
            size_t length = strlen(prose[j]);
            assert_true(length > 4 && prose[j][length - 1] == '.');
            assert_null(strchr(prose[j], '\n'));
            assert_null(strstr(prose[j], "  "));
        }
        assert_non_null(text->dig);
        assert_non_null(text->references);
        assert_non_null(text->zonemaster);
        assert_non_null(text->dnsviz);
        while (strcmp(families[family], text->family) != 0)
            assert_true(++family < sizeof families / sizeof *families); /* in one run each */
        assert_int_equal(rule_find(text->id), i);
        assert_int_equal(strspn(text->id, "abcdefghijklmnopqrstuvwxyz0123456789-"),
                         strlen(text->id));
    }
}

/* References are taken apart at "; " for the finding's rfc[]. */
static void references_have_their_form(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RULE_COUNT; i++) {
        const char *at = rule_text((enum rule_id)i)->references;
        while (*at) {
            assert_true(strncmp(at, "RFC ", 4) == 0 || strncmp(at, "CVE-", 4) == 0);
            at += strcspn(at, ";");
            if (*at) {
                assert_true(at[1] == ' ');
                at += 2;
            }
        }
    }
}

/* What profiles, pipelines and scripts rely on. */
static void identifiers_are_stable(void **state)
{
    static const struct {
        const char *id;
        enum severity severity;
        uint32_t signature;
        bool baseline;
    } known[] = {
        {"key-unknown", SEVERITY_CRITICAL, 2600001, true},
        {"rrsig-unknown-key", SEVERITY_CRITICAL, 2600002, false},
        {"rrsig-bad", SEVERITY_CRITICAL, 2600014, false},
        {"ds-mismatch", SEVERITY_CRITICAL, 2600028, false},
        {"delegation-changed", SEVERITY_CRITICAL, 2600038, true},
        {"record-unexpected", SEVERITY_HIGH, 2600040, true},
        {"denial-broken", SEVERITY_HIGH, 2600051, false},
        {"spoof-race", SEVERITY_CRITICAL, 2600056, false},
        {"servfail-spike", SEVERITY_HIGH, 2600066, false},
        {"sensor-confinement", SEVERITY_CRITICAL, 2600078, false},
    };
    (void)state;
    assert_int_equal(RULE_COUNT, 78);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        enum rule_id rule = rule_find(known[i].id);
        assert_true(rule < RULE_COUNT);
        assert_int_equal(rule_text(rule)->severity, known[i].severity);
        assert_int_equal(rule_text(rule)->needs_baseline, known[i].baseline);
        assert_int_equal(rule_signature_id(rule), known[i].signature);
    }
    assert_int_equal(rule_find("key-unknow"), RULE_COUNT);
    assert_int_equal(rule_find(""), RULE_COUNT);
}

static void severities_have_words(void **state)
{
    static const struct {
        enum severity severity;
        const char *name;
        unsigned eve;
    } known[] = {{SEVERITY_CRITICAL, "critical", 1},
                 {SEVERITY_HIGH, "high", 1},
                 {SEVERITY_MEDIUM, "medium", 2},
                 {SEVERITY_LOW, "low", 3},
                 {SEVERITY_INFO, "info", 3}};
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_string_equal(severity_name(known[i].severity), known[i].name);
        assert_int_equal(severity_find(known[i].name), known[i].severity);
        assert_int_equal(severity_eve(known[i].severity), known[i].eve);
    }
    assert_int_equal(severity_find("Critical"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_is_complete),
        cmocka_unit_test(references_have_their_form),
        cmocka_unit_test(identifiers_are_stable),
        cmocka_unit_test(severities_have_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
