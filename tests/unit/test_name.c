/*
 * test_name: names read from hostile bytes and from people, compared and printed.
 */
#include "analyze/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1

static void reads(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const uint8_t *bytes;
        size_t size, at;
        const char *text; /* NULL: malformed */
        size_t next;
    } rows[] = {
        {"root", BYTES("\0"), 0, ".", 1},
        {"plain, upper case", BYTES("\3wWw\4TEST\0"), 0, "www.test.", 10},
        {"pointer", BYTES("\4test\0\1a\xc0\0"), 6, "a.test.", 10},
        {"bare pointer", BYTES("\4test\0\xc0\0"), 6, "test.", 8},
        {"pointer into a name", BYTES("\1a\4test\0\xc0\2"), 8, "test.", 10},
        {"pointer to a pointer", BYTES("\1a\0\xc0\0\xc0\3"), 5, "a.", 7},
        {"pointer to itself", BYTES("\xc0\0"), 0, NULL, 0},
        {"pointer into the same name", BYTES("\1a\xc0\0"), 0, NULL, 0},
        {"pointer forward", BYTES("\xc0\2\0"), 0, NULL, 0},
        {"two pointers at each other", BYTES("\xc0\2\xc0\0"), 2, NULL, 0},
        {"label type 01",
         BYTES("\x41"
               "a\0"),
         0, NULL, 0},
        {"label type 10",
         BYTES("\x81"
               "a\0"),
         0, NULL, 0},
        {"no root", BYTES("\1a"), 0, NULL, 0},
        {"label past the end", BYTES("\5a\0"), 0, NULL, 0},
        {"half a pointer", BYTES("\0\xc0"), 1, NULL, 0},
        {"nothing", BYTES(""), 0, NULL, 0},
        {"start past the end", BYTES("\0"), 2, NULL, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint8_t name[NAME_MAX_BYTES];
        char text[NAME_TEXT_MAX];
        size_t next = 12345;
        size_t size = name_read(rows[i].bytes, rows[i].size, rows[i].at, false, name, &next);
        if (!rows[i].text) {
            if (size != 0)
                fail_msg("%s: taken for a name", rows[i].what);
            assert_int_equal(next, 12345);
            continue;
        }
        if (size == 0)
            fail_msg("%s: refused", rows[i].what);
        assert_string_equal(name_text(name, text), rows[i].text);
        assert_int_equal(next, rows[i].next);
        assert_int_equal(size, name_size(name));
    }
}

static void keeps_case(void **state)
{
    (void)state;
    uint8_t name[NAME_MAX_BYTES];
    size_t next;
    const char wire[] = "\3wWw\4TEST";
    assert_int_equal(name_read((const uint8_t *)wire, sizeof(wire), 0, true, name, &next), 10);
    assert_memory_equal(name, wire, 10);
    assert_true(name_lower(name, 10));
    assert_false(name_lower(name, 10));
    assert_memory_equal(name, "\3www\4test", 10);
}

/* Every byte value at every place of a word: only A to Z may change. */
static void lowers_letters_only(void **state)
{
    (void)state;
    for (unsigned value = 0; value < 256; value++)
        for (unsigned at = 0; at < 11; at++) {
            uint8_t bytes[11], expected[11];
            memset(bytes, 0xff, sizeof(bytes));
            bytes[at] = (uint8_t)value;
            memcpy(expected, bytes, sizeof(bytes));
            bool upper = value >= 'A' && value <= 'Z';
            if (upper)
                expected[at] = (uint8_t)(value + 32);
            assert_int_equal(name_lower(bytes, sizeof(bytes)), upper);
            assert_memory_equal(bytes, expected, sizeof(bytes));
        }
}

static void longest(void **state)
{
    (void)state;
    uint8_t wire[300], name[NAME_MAX_BYTES];
    size_t next;
    memset(wire, 'a', sizeof(wire));
    wire[0] = wire[64] = wire[128] = 63;
    wire[192] = 61;
    wire[254] = 0;
    assert_int_equal(name_read(wire, sizeof(wire), 0, false, name, &next), 255);
    wire[192] = 62;
    wire[255] = 0;
    assert_int_equal(name_read(wire, sizeof(wire), 0, false, name, &next), 0);
    /* 127 labels of one byte */
    for (unsigned i = 0; i < 127; i++) {
        wire[2 * i] = 1;
        wire[2 * i + 1] = 0xff;
    }
    wire[254] = 0;
    char text[NAME_TEXT_MAX];
    assert_int_equal(name_read(wire, sizeof(wire), 0, false, name, &next), 255);
    assert_int_equal(name_labels(name), 127);
    assert_int_equal(strlen(name_text(name, text)), 127 * 5);
}

/* A chain of pointers costs a bounded number of steps. */
static void pointer_chain(void **state)
{
    (void)state;
    static uint8_t wire[16386];
    uint8_t name[NAME_MAX_BYTES];
    size_t next;
    for (unsigned at = 2; at < sizeof(wire) - 1; at += 2) {
        wire[at] = (uint8_t)(0xc0 | (at - 2) >> 8);
        wire[at + 1] = (uint8_t)(at - 2);
    }
    assert_int_equal(name_read(wire, sizeof(wire), 2 * 127, false, name, &next), 1);
    assert_int_equal(name_read(wire, sizeof(wire), 2 * 128, false, name, &next), 0);
    assert_int_equal(name_read(wire, sizeof(wire), 16384, false, name, &next), 0);
}

static void parses(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out; /* out NULL: malformed */
    } rows[] = {
        {".", "."},
        {"Example.COM", "example.com."},
        {"example.com.", "example.com."},
        {"a\\.b.c", "a\\.b.c."},
        {"\\065.", "a."},
        {"\\000\\255", "\\000\\255."},
        {"*.x", "*.x."},
        {"a b", "a\\032b."},
        {"q\\\"(;)@$", "q\\\"\\(\\;\\)\\@\\$."},
        {"", NULL},
        {"..", NULL},
        {".a", NULL},
        {"a..b", NULL},
        {"\\256", NULL},
        {"\\12", NULL},
        {"\\", NULL},
        {"\\1x2", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint8_t name[NAME_MAX_BYTES];
        char text[NAME_TEXT_MAX];
        size_t size = name_parse(rows[i].in, name);
        if (!rows[i].out) {
            if (size != 0)
                fail_msg("\"%s\": taken", rows[i].in);
            continue;
        }
        assert_int_equal(size, name_size(name));
        assert_string_equal(name_text(name, text), rows[i].out);
    }
    char label64[66];
    uint8_t name[NAME_MAX_BYTES];
    memset(label64, 'a', sizeof(label64));
    label64[64] = '\0';
    assert_int_equal(name_parse(label64, name), 0);
    assert_int_equal(name_parse(label64 + 1, name), 65);
    char text[256] = "";
    for (unsigned i = 0; i < 127; i++)
        memcpy(text + 2 * i, "a.", 3);
    assert_int_equal(name_parse(text, name), 255);
    text[254] = 'a';
    text[255] = '\0';
    assert_int_equal(name_parse(text, name), 0);
}

static void compares(void **state)
{
    (void)state;
    /* RFC 4034 6.1 */
    static const char *const order[] = {"example",         "a.example",      "yljkjljk.a.example",
                                        "Z.a.example",     "zABC.a.EXAMPLE", "z.example",
                                        "\\001.z.example", "*.z.example",    "\\200.z.example"};
    enum { COUNT = sizeof(order) / sizeof(*order) };
    uint8_t names[COUNT][NAME_MAX_BYTES];
    for (int i = 0; i < COUNT; i++)
        assert_int_not_equal(name_parse(order[i], names[i]), 0);
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < COUNT; j++) {
            int compared = name_compare(names[i], names[j]);
            assert_int_equal((compared > 0) - (compared < 0), (i > j) - (i < j));
            assert_int_equal(name_equal(names[i], names[j]), i == j);
        }
}

static void relates(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool within;
        unsigned common;
    } rows[] = {
        {"www.example.com", "example.com", true, 2},
        {"example.com", "example.com", true, 2},
        {"example.com", "www.example.com", false, 2},
        {"wexample.com", "example.com", false, 1},
        {"a.b", ".", true, 0},
        {".", ".", true, 0},
        {".", "a", false, 0},
        {"x.a.b", "y.a.b", false, 2},
        {"b.a.x", "b.a.y", false, 0},
        {"\\001a.b", "a.b", false, 1},
        {"x.q.b", "x.p.b", false, 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint8_t a[NAME_MAX_BYTES], b[NAME_MAX_BYTES];
        name_parse(rows[i].a, a);
        name_parse(rows[i].b, b);
        if (name_within(a, b) != rows[i].within || name_common(a, b) != rows[i].common)
            fail_msg("%s and %s: %d, %u in common", rows[i].a, rows[i].b, name_within(a, b),
                     name_common(a, b));
    }
    uint8_t name[NAME_MAX_BYTES];
    char text[NAME_TEXT_MAX];
    name_parse("*.b.c", name);
    assert_true(name_is_wildcard(name));
    assert_false(name_is_root(name));
    assert_string_equal(name_text(name_strip(name, 1), text), "b.c.");
    assert_string_equal(name_text(name_suffix(name, 1), text), "c.");
    assert_string_equal(name_text(name_suffix(name, 3), text), "*.b.c.");
    assert_true(name_is_root(name_suffix(name, 0)));
    assert_true(name_is_root(name_strip(name, 3)));
    assert_false(name_is_wildcard(name_strip(name, 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(keeps_case),
        cmocka_unit_test(lowers_letters_only),
        cmocka_unit_test(longest),
        cmocka_unit_test(pointer_chain),
        cmocka_unit_test(parses),
        cmocka_unit_test(compares),
        cmocka_unit_test(relates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
