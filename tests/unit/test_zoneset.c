/* zoneset: reading, order, writing back, and what is a difference. */
#include "analyze/declared/zoneset.h"

#include "analyze/canon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above before it */
#include <cmocka.h>

#define SOA "example.com. 300 IN SOA ns.example.com. root.example.com. 7 3600 900 1209600 300\n"
#define KEY                                                                                        \
    "xhRXS1q6qM696XdTJ0bdfkh59Van9L53T9YfrrMy4eh7CoNetbiD3sFA+ND4UCE49UIxFoGPcafjnd/sgTLnNA=="

static struct zoneset read_text(const char *text)
{
    static const uint8_t root[] = {0};
    struct zoneset z = {.count = 0};
    char error[512] = "";
    if (zoneset_read(&z, "f", text, strlen(text), root, error, sizeof error) != 0)
        fail_msg("%s", error);
    zoneset_sort(&z);
    return z;
}

static void maintenance_is_left_out(void **state)
{
    (void)state;
    struct zoneset z = read_text(
        SOA
        "example.com. NSEC a.example.com. A SOA\n"
        "example.com. RRSIG SOA 13 2 300 20261201000000 20261101000000 1 example.com. AAAA\n" SOA);
    assert_int_equal(z.count, 1); /* the transfer's second SOA is the first */
    assert_int_equal(z.soas, 2);
    assert_true(z.ends_in_soa);
    assert_int_equal(z.rrsigs, 1);
    assert_int_equal(z.nsecs, 1);
    zoneset_fini(&z);
}

/* RFC 1035 5.1: class and TTL in either order, and a record without a TTL has that of the last. */
static void classes_and_ttls(void **state)
{
    static const struct {
        const char *line;
        uint32_t ttl;
    } cases[] = {
        {"www.example.com. 600 IN A 192.0.2.1\n", 600},
        {"www.example.com. IN 600 A 192.0.2.1\n", 600},
        {"www.example.com. in\t1h30m a 192.0.2.1\n", 5400},
        {"www.example.com. ( IN 600\n A 192.0.2.1 )\n", 600},
        {"www.example.com. CLASS1 0 TYPE1 \\# 4 c0000201\n", 0},
        {"www.example.com. A 192.0.2.1\n", 300},
        {"$ttl 60\nwww.example.com. A 192.0.2.1\n", 60},
        {"$Ttl 60\nexample.com. 90 MX 1 x.\nwww.example.com. A 192.0.2.1\n", 60},
        {"in.example.com. IN 90 TXT \"; IN 7 \\\" (\"\nwww.example.com. A 192.0.2.1\n", 90},
        {"in.example.com. TXT a ; (\nwww.example.com. IN 9 A 192.0.2.1\n", 9},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        snprintf(text, sizeof text, SOA "%s", cases[i].line);
        struct zoneset z = read_text(text);
        const struct zoneset_record *last = &z.records[z.count - 1];
        print_message("%s", cases[i].line);
        assert_int_equal(last->type, 1);
        assert_int_equal(last->size, 4);
        assert_int_equal(last->ttl, cases[i].ttl);
        zoneset_fini(&z);
    }
}

static void relative_names_need_an_origin(void **state)
{
    static const struct {
        const char *text;
        bool relative;
        unsigned line;
    } cases[] = {
        {SOA "www.example.com. A 192.0.2.1\n", false, 0},
        {SOA "www A 192.0.2.1\n", true, 2},
        {SOA "example.com. NS ns\n", true, 2},
        {SOA "$ORIGIN example.com.\nwww A 192.0.2.1\nx CNAME www\n", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct zoneset z = {.count = 0};
        char error[512];
        assert_int_equal(
            zoneset_read(&z, "f", cases[i].text, strlen(cases[i].text), NULL, error, sizeof error),
            0);
        assert_int_equal(z.has_relative, cases[i].relative);
        assert_int_equal(z.relative_line, cases[i].line);
        zoneset_fini(&z);
    }
}

/* What is hard to write: escapes, quotes, semicolons, unknown types, empty rdata, long strings. */
static void writes_what_it_read(void **state)
{
    (void)state;
    struct zoneset z =
        read_text(SOA "example.com. NS NS.Example.COM.\nexample.com. DNSKEY 257 3 13 " KEY "\n"
                      "a\\.b\\032c.example.com. TXT \"a;b\" \"say \\\"x\\\" \\\\ \\000\\255\"\n"
                      "b.example.com. TYPE65534 \\# 3 0a0b0c\nc.example.com. TYPE65280 \\# 0\n"
                      "d.example.com. CAA 0 issue \"ca.example; policy=\\\"x\\\"\"\n"
                      "e.example.com. SVCB 1 . alpn=h2\n*.example.com. 60 A 192.0.2.1\n");
    char error[512] = "", *text, *again;
    size_t size, again_size;
    text = zoneset_text(&z, "; head\n", &size, error, sizeof error);
    assert_string_equal(error, "");
    assert_non_null(text);
    assert_memory_equal(text, "; head\nexample.com. ", 20);
    assert_non_null(strstr(text, "ns.example.com."));
    struct zoneset copy = read_text(text);
    again = zoneset_text(&copy, "; head\n", &again_size, error, sizeof error);
    assert_int_equal(size, again_size);
    assert_memory_equal(text, again, size);
    free(text);
    free(again);
    zoneset_fini(&copy);
    zoneset_fini(&z);
}

static void file_names(void **state)
{
    static const struct {
        const char *name, *file;
    } cases[] = {{".", "root.zone"},
                 {"example.com.", "example.com.zone"},
                 {"0/25.2.0.192.in-addr.arpa.", "0_25.2.0.192.in-addr.arpa.zone"},
                 {"..", NULL},
                 {"\\.\\.\\/etc.example.", "_._._etc.example.zone"},
                 {"a\\000b.", "a_000b.zone"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t name[NAME_MAX_BYTES];
        char file[ZONESET_FILE_TEXT];
        if (!name_parse(cases[i].name, name)) {
            assert_null(cases[i].file);
            continue;
        }
        assert_string_equal(zoneset_file_name(name, file), cases[i].file);
        assert_null(strchr(file, '/'));
        assert_int_not_equal(file[0], '.');
    }
}

struct seen {
    unsigned changes, added, removed;
    uint16_t type;
};

static void on_change(void *context, const struct zoneset_change *c)
{
    struct seen *s = context;
    s->changes++;
    s->type = c->type;
    for (size_t i = 0; i < c->after_count; i++)
        s->added += !zoneset_has(c->before, c->before_count, &c->after[i]);
    for (size_t i = 0; i < c->before_count; i++)
        s->removed += !zoneset_has(c->after, c->after_count, &c->before[i]);
}

static void differences(void **state)
{
    static const struct {
        const char *before, *after;
        struct seen expected;
    } cases[] = {
        {SOA "www.example.com. A 192.0.2.1\n", SOA "www.example.com. 60 A 192.0.2.1\n", {0}},
        {SOA,
         "example.com. SOA ns.example.com. root.example.com. 9 3600 900 1209600 300\n",
         {0}}, /* serial */
        {SOA,
         "example.com. SOA ns.example.com. root.example.com. 7 3600 900 1209600 60\n",
         {1, 1, 1, TYPE_SOA}},
        {SOA "x.example.com. A 192.0.2.1\nx.example.com. A 192.0.2.2\n",
         SOA "x.example.com. A 192.0.2.2\nx.example.com. A 192.0.2.3\n",
         {1, 1, 1, 1}},
        {SOA, SOA "x.example.com. A 192.0.2.1\nx.example.com. A 192.0.2.2\n", {1, 2, 0, 1}},
        {SOA "example.com. DNSKEY 257 3 13 " KEY "\n", SOA, {1, 0, 1, TYPE_DNSKEY}},
        {SOA "x.example.com. A 192.0.2.1\n", SOA "y.example.com. A 192.0.2.1\n", {2, 1, 1, 1}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct zoneset a = read_text(cases[i].before), b = read_text(cases[i].after);
        struct seen s = {0};
        zoneset_diff(&a, &b, on_change, &s);
        assert_int_equal(s.changes, cases[i].expected.changes);
        assert_int_equal(s.added, cases[i].expected.added);
        assert_int_equal(s.removed, cases[i].expected.removed);
        assert_int_equal(s.type, cases[i].expected.type);
        zoneset_fini(&a);
        zoneset_fini(&b);
    }
}

static void checks(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {SOA, ""},
        {"example.com. A 192.0.2.1\n", "f:1: expected a SOA record at the zone's apex"},
        {SOA "example.org. A 192.0.2.1\n",
         "f:2: expected names within example.com., not example.org."},
        {SOA "example.com. SOA ns.example.com. root.example.com. 8 3600 900 1209600 300\n",
         "f:2: expected the SOA record of line 1 again: the zone changed while it was transferred"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct zoneset z = read_text(cases[i].text);
        char error[512] = "";
        assert_int_equal(zoneset_check(&z, "f", error, sizeof error), cases[i].error[0] ? -1 : 0);
        assert_string_equal(error, cases[i].error);
        zoneset_fini(&z);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maintenance_is_left_out),
        cmocka_unit_test(classes_and_ttls),
        cmocka_unit_test(relative_names_need_an_origin),
        cmocka_unit_test(writes_what_it_read),
        cmocka_unit_test(file_names),
        cmocka_unit_test(differences),
        cmocka_unit_test(checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
