/*
 * test_jline: what jline writes, jansson reads, whatever the bytes.
 */
#include "analyze/jline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static void shapes(void **state)
{
    (void)state;
    struct jline j;
    size_t size;
    jline_init(&j, 4096);
    for (unsigned pass = 0; pass < 2; pass++) { /* the memory is used again */
        jline_begin(&j);
        jline_number(&j, "a", UINT64_MAX);
        jline_number(&j, "zero", 0);
        jline_object(&j, "o");
        jline_close(&j, '}');
        jline_array(&j, "l");
        jline_bool(&j, NULL, true);
        jline_null(&j, NULL);
        jline_array(&j, NULL);
        jline_close(&j, ']');
        jline_string(&j, NULL, "{");
        jline_string(&j, NULL, "[");
        jline_close(&j, ']');
        jline_hex(&j, "h", (const uint8_t *)"\x01\xff", 2);
        const char *text = jline_end(&j, &size);
        assert_string_equal(text,
                            "{\"a\":18446744073709551615,\"zero\":0,\"o\":{},\"l\":[true,null,"
                            "[],\"{\",\"[\"],\"h\":\"01ff\"}");
        assert_int_equal(size, strlen(text));
    }
    jline_fini(&j);
}

static void escapes(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"a\"b\\c", "a\\\"b\\\\c"},
        {"\n\t\1\x1f\x7f", "\\u000a\\u0009\\u0001\\u001f\\u007f"},
        {"\xc3\xbc", "\xc3\xbc"},
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
        {"\xff", "\\ufffd"},
        {"\xc3", "\\ufffd"},
        {"\xc0\x80", "\\ufffd\\ufffd"},
        {"\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"},
        {"\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
        {"\xe2\x82", "\\ufffd\\ufffd"},
    };
    struct jline j;
    char expected[128];
    size_t size;
    jline_init(&j, 4096);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        jline_begin(&j);
        jline_string(&j, "k", rows[i].in);
        snprintf(expected, sizeof(expected), "{\"k\":\"%s\"}", rows[i].out);
        assert_string_equal(jline_end(&j, &size), expected);
    }
    jline_fini(&j);
}

static void any_bytes(void **state)
{
    (void)state;
    struct jline j;
    jline_init(&j, 65536);
    srand(11);
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t bytes[64];
        size_t size, length = (size_t)rand() % sizeof(bytes);
        for (size_t i = 0; i < length; i++)
            bytes[i] = (uint8_t)(round % 2 ? rand() : 0xc0 | rand());
        jline_begin(&j);
        jline_bytes(&j, "k", bytes, length);
        const char *text = jline_end(&j, &size);
        json_error_t error;
        json_t *read = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
        if (!read)
            fail_msg("%s: %s", error.text, text);
        json_decref(read);
        for (size_t i = 0; i < size; i++)
            assert_true((uint8_t)text[i] >= ' ');
    }
    jline_fini(&j);
}

/* At every limit: a whole line, or none. */
static void limit(void **state)
{
    (void)state;
    char long_text[5000];
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    for (size_t most = 0; most < 5100; most += most < 64 ? 1 : 61) {
        struct jline j;
        size_t size = 0;
        jline_init(&j, most);
        jline_begin(&j);
        jline_string(&j, "k", long_text);
        const char *text = jline_end(&j, &size);
        assert_int_equal(text != NULL, most > sizeof(long_text) - 1 + strlen("{'k':''}"));
        if (text)
            assert_int_equal(strlen(text), size);
        jline_fini(&j);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes),
        cmocka_unit_test(escapes),
        cmocka_unit_test(any_bytes),
        cmocka_unit_test(limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
