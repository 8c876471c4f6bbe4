/*
 * test_settings: defaults within their own bounds, units, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sandbox/settings.h"

struct number {
    const char *key, *text;
    int result;
    uint64_t value;
};

static const struct number numbers[] = {
    {"hold-bytes", "1048576", 0, 1048576},
    {"hold-bytes", "100MiB", 0, 100u << 20},
    {"hold-bytes", "100 MiB", 0, 100u << 20},
    {"hold-bytes", "2GB", 0, 2000000000},
    {"hold-bytes", "64GiB", 0, 1ull << 36},
    {"hold-bytes", "65GiB", SETTINGS_BAD, 0},
    {"hold-bytes", "1h", SETTINGS_BAD, 0},
    {"hold-bytes", "100mib", SETTINGS_BAD, 0},
    {"hold-bytes", "", SETTINGS_BAD, 0},
    {"hold-bytes", "-1", SETTINGS_BAD, 0},
    {"hold-bytes", "+5", SETTINGS_BAD, 0},
    {"hold-bytes", "0x100000", SETTINGS_BAD, 0},
    {"hold-bytes", "18446744073709551616", SETTINGS_BAD, 0},
    {"hold-bytes", "18446744073709551615TiB", SETTINGS_BAD, 0},
    {"ring-bytes", "64MiB", 0, 64u << 20},
    {"ring-bytes", "48MiB", SETTINGS_BAD, 0},
    {"segment-seconds", "1h", 0, 3600},
    {"segment-seconds", "5min", 0, 300},
    {"segment-seconds", "1d", 0, 86400},
    {"segment-seconds", "2d", SETTINGS_BAD, 0},
    {"segment-seconds", "0", SETTINGS_BAD, 0},
    {"segment-seconds", "5KiB", SETTINGS_BAD, 0},
    {"expiring-hours", "72", 0, 72},
    {"expiring-hours", "3d", 0, 72},
    {"expiring-hours", "90min", SETTINGS_BAD, 0},
    {"expiring-hours", "0", 0, 0},
    {"tcp-streams", "1000", 0, 1000},
    {"tcp-streams", "1000s", SETTINGS_BAD, 0},
    {"history", "true", 0, 1},
    {"history", "no", 0, 0},
    {"history", "off", 0, 0},
    {"history", "1", 0, 1},
    {"history", "2", SETTINGS_BAD, 0},
    {"history", "perhaps", SETTINGS_BAD, 0},
    {"tcp-streams", "true", SETTINGS_BAD, 0},
    {"no-such-key", "1", SETTINGS_NO_KEY, 0},
    {"", "1", SETTINGS_NO_KEY, 0},
};

static uint64_t value_of(const struct settings *s, const char *wanted)
{
#define X(field, key, value, least, most, text)                                                    \
    if (strcmp(wanted, key) == 0)                                                                  \
        return s->field;
    SETTINGS(X)
#undef X
    return UINT64_MAX;
}

static void test_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const struct number *n = &numbers[i];
        struct settings s, before;
        char why[80] = "";
        settings_default(&s);
        before = s;
        int result = settings_set(&s, n->key, n->text, why, sizeof why);
        if (result != n->result || (result == 0 && value_of(&s, n->key) != n->value))
            fail_msg("%s: %s gave %d", n->key, n->text, result);
        if (result != 0 && memcmp(&s, &before, sizeof s) != 0)
            fail_msg("%s: %s: refused, but changed something", n->key, n->text);
        if ((result == SETTINGS_BAD) != (why[0] != '\0'))
            fail_msg("%s: %s: reason \"%s\"", n->key, n->text, why);
    }
}

static void test_defaults_are_allowed(void **state)
{
    (void)state;
    struct settings s;
    settings_default(&s);
#define X(field, key, value, least, most, text)                                                    \
    {                                                                                              \
        const uint64_t low = least, high = most;                                                   \
        if (s.field < low || s.field > high)                                                       \
            fail_msg("%s", key);                                                                   \
    }
    SETTINGS(X)
#undef X
    assert_int_equal(s.ports[0], 53);
    assert_int_equal(s.ports[1], 0);
    assert_int_equal(s.ring_bytes & (s.ring_bytes - 1), 0);
}

struct ports {
    const char *text;
    int result;
    uint16_t first, second;
};

static const struct ports port_lists[] = {
    {"53", 0, 53, 0},
    {"53,5353", 0, 53, 5353},
    {"65535", 0, 65535, 0},
    {"", SETTINGS_BAD, 0, 0},
    {"0", SETTINGS_BAD, 0, 0},
    {"65536", SETTINGS_BAD, 0, 0},
    {"53,", SETTINGS_BAD, 0, 0},
    {",53", SETTINGS_BAD, 0, 0},
    {"53 5353", SETTINGS_BAD, 0, 0},
    {"53,x", SETTINGS_BAD, 0, 0},
    {"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", 0, 1, 2},
    {"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", SETTINGS_BAD, 0, 0},
};

static void test_ports(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof port_lists / sizeof port_lists[0]; i++) {
        const struct ports *p = &port_lists[i];
        struct settings s;
        settings_default(&s);
        int result = settings_ports(&s, p->text);
        if (result != p->result ||
            (result == 0 && (s.ports[0] != p->first || s.ports[1] != p->second)) ||
            (result != 0 && s.ports[0] != 53))
            fail_msg("\"%s\" gave %d", p->text, result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_defaults_are_allowed),
        cmocka_unit_test(test_ports),
    };
    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
