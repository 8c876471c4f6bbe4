/*
 * test_types: words for numbers, both ways, and rdata as text.
 */
#include "analyze/types.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void words(void **state)
{
    (void)state;
    char text[TYPES_TEXT];
    uint16_t type;
    for (unsigned i = 0; i <= UINT16_MAX; i++) {
        assert_true(types_rr_parse(types_rr((uint16_t)i, text), &type));
        assert_int_equal(type, i);
        assert_true(types_class_parse(types_class((uint16_t)i, text), &type));
        assert_int_equal(type, i);
    }
    for (unsigned i = 0; i < 4096; i++) {
        assert_true(types_rcode_parse(types_rcode((uint16_t)i, text), &type));
        assert_int_equal(type, i);
    }
    for (unsigned i = 0; i < 256; i++) {
        uint8_t algorithm;
        assert_true(types_algorithm_parse(types_algorithm((uint8_t)i, text), &algorithm));
        assert_int_equal(algorithm, i);
    }
    assert_string_equal(types_rr(46, text), "RRSIG");
    assert_string_equal(types_rr(65534, text), "TYPE65534");
    assert_string_equal(types_rr(65535, text), "TYPE65535");
    assert_string_equal(types_algorithm(13, text), "ECDSAP256SHA256");
    assert_string_equal(types_rcode(3, text), "NXDOMAIN");
    assert_string_equal(types_opcode(4, text), "NOTIFY");
    assert_string_equal(types_digest(2, text), "SHA-256");
}

static void refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {"",  "TYPE",  "TYPE65536", "TYPE-1",     "TYPE1x",   "TYPE 1",
                                      "1", "AAAAA", "A ",        "TYPE000001", "TYPE99999"};
    uint16_t type = 77;
    uint8_t algorithm;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (types_rr_parse(bad[i], &type))
            fail_msg("\"%s\" taken for a type", bad[i]);
    assert_int_equal(type, 77);
    assert_true(types_rr_parse("aaaa", &type));
    assert_int_equal(type, 28);
    assert_true(types_rr_parse("type28", &type));
    assert_true(types_algorithm_parse("13", &algorithm));
    assert_int_equal(algorithm, 13);
    assert_false(types_algorithm_parse("256", &algorithm));
}

#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1

static void rdata(void **state)
{
    (void)state;
    static const struct {
        uint16_t type;
        const uint8_t *bytes;
        size_t size;
        const char *text;
    } rows[] = {
        {1, BYTES("\xc0\0\2\1"), "192.0.2.1"},
        {1, BYTES("\xc0\0\2"), "\\# 3 c00002"},
        {1, BYTES("\xc0\0\2\1\1"), "\\# 5 c000020101"},
        {1, BYTES(""), "\\# 0"},
        {28, BYTES("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"), "2001:db8::1"},
        {15, BYTES("\0\12\4mail\4test\0"), "10 mail.test."},
        {6, BYTES("\2ns\0\1h\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"), "ns. h. 1 2 3 4 5"},
        {16, BYTES("\3a\"b\2\n\xff"), "\"a\\\"b\" \"\\010\\255\""},
        {43, BYTES("\x12\x34\x0d\2\xab\xcd"), "4660 13 2 abcd"},
        {48, BYTES("\1\1\3\x0d\1\2\3"), "257 3 13 AQID"},
        {47, BYTES("\1a\0\0\6\x40\1\0\0\0\3"), "a. A MX RRSIG NSEC"},
        {50, BYTES("\1\0\0\0\0\1\xff\0\1\x40"), "1 0 0 - vs A"},
        {46, BYTES("\0\1\x0d\1\0\0\1\x2c\0\0\0\1\0\0\0\0\x12\x34\4test\0\1\2\3"),
         "A 13 1 300 19700101000001 19700101000000 4660 test. AQID"},
        {65534, BYTES("\1\2"), "\\# 2 0102"},
        {10, BYTES("\1\2"), "\\# 2 0102"},
        {15, BYTES("\0\12\5mail"), "\\# 7 000a056d61696c"},
        {2, BYTES("\xc0\0"), "\\# 2 c000"}, /* a pointer has no meaning here … */
    };
    char text[TYPES_RDATA_TEXT];
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) - 1; i++) {
        const char *got =
            types_rdata_text(rows[i].type, rows[i].bytes, rows[i].size, text, sizeof(text));
        assert_ptr_equal(got, text);
        assert_string_equal(got, rows[i].text);
    }
    /* … and whatever is made of it stays inside */
    types_rdata_text(2, rows[16].bytes, rows[16].size, text, sizeof(text));
}

/* Too long a text ends in dots, at every room; whatever the bytes, the text is printable. */
static void bounded(void **state)
{
    (void)state;
    uint8_t bytes[700];
    char text[TYPES_RDATA_TEXT];
    srand(7);
    for (unsigned round = 0; round < 20000; round++) {
        size_t size = (size_t)rand() % sizeof(bytes);
        size_t room = 8 + (size_t)rand() % (sizeof(text) - 8);
        uint16_t type = (uint16_t)(round % 270);
        if (round % 3 == 0)
            size %= 40;
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)(round % 2 ? rand() : rand() % 8);
        memset(text, 'x', sizeof(text));
        types_rdata_text(type, bytes, size, text, room);
        size_t length = strnlen(text, room);
        assert_true(length < room && length >= 1);
        for (size_t i = 0; i < length; i++)
            assert_true(text[i] >= ' ' && text[i] < 0x7f);
        for (size_t i = room; i < sizeof(text); i++)
            assert_int_equal(text[i], 'x');
    }
    memset(bytes, 0, sizeof(bytes));
    assert_string_equal(types_rdata_text(65534, bytes, 100, text, 12), "\\# 100 0...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(refuses),
        cmocka_unit_test(rdata),
        cmocka_unit_test(bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
