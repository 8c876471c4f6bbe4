/*
 * test_verify_parts: the verifier's readers, each against what is nearly right.
 */
#include "evidence/verify_checkpoint.h"
#include "evidence/verify_compare.h"
#include "evidence/verify_der.h"
#include "evidence/verify_hash.h"
#include "evidence/verify_record.h"
#include "evidence/verify_show.h"
#include "evidence/verify_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct verify_text text_of(const char *text)
{
    return (struct verify_text){.at = text, .size = strlen(text)};
}

static void base64_has_one_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        bool good;
    } table[] = {
        {"AAAA", 3, true},  {"AAA=", 2, true},    {"AA==", 1, true},     {"AAB=", 2, false},
        {"AB==", 1, false}, {"AAAA", 2, false},   {"AAA", 2, false},     {"AA=A", 2, false},
        {"A A=", 2, false}, {"AAA=\n", 2, false}, {"AA-_", 3, false},    {"////", 3, true},
        {"", 0, true},      {"=AAA", 2, false},   {"AAAAAA==", 4, true}, {"AAAAAB==", 4, false},
    };
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (verify_base64(text_of(table[i].text), bytes, table[i].size) != table[i].good)
            fail_msg("%s", table[i].text);
}

static void numbers_and_times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } numbers[] = {{"0", true},
                   {"10", true},
                   {"00", false},
                   {"01", false},
                   {"", false},
                   {"-1", false},
                   {"+1", false},
                   {" 1", false},
                   {"1 ", false},
                   {"1e3", false},
                   {"999999999999999999", true},
                   {"9999999999999999999", false}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct scan s = scan_over(text_of(numbers[i].text));
        scan_number(&s);
        if (scan_done(&s) != numbers[i].good)
            fail_msg("%s", numbers[i].text);
    }
    static const struct {
        const char *text;
        int64_t value; /* -1: refused */
    } times[] = {{"1970-01-01T00:00:00.000000000Z", 0},
                 {"2026-11-22T08:30:34.000000001Z", INT64_C(1795336234000000001)},
                 {"2024-02-29T00:00:00.000000000Z", INT64_C(1709164800000000000)},
                 {"2026-02-29T00:00:00.000000000Z", -1},
                 {"2026-13-01T00:00:00.000000000Z", -1},
                 {"2026-01-01T24:00:00.000000000Z", -1},
                 {"2026-01-01T00:00:60.000000000Z", -1},
                 {"2026-01-01T00:00:00.00000000Z", -1},
                 {"2026-01-01T00:00:00Z", -1},
                 {"2026-01-01 00:00:00.000000000Z", -1},
                 {"1969-12-31T23:59:59.000000000Z", -1},
                 {"9999-01-01T00:00:00.000000000Z", -1},
                 {"2026-01-01T00:00:00.000000000", -1}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct scan s = scan_over(text_of(times[i].text));
        int64_t value = scan_time(&s);
        if (scan_done(&s) != (times[i].value >= 0) || (scan_done(&s) && value != times[i].value))
            fail_msg("%s gives %lld", times[i].text, (long long)value);
    }
}

static void strings(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } table[] = {{"\"\"", true},
                 {"\"a\\\"b\\\\c\"", true},
                 {"\"\\u0000\\u001f\\u007f\"", true},
                 {"\"\\u0020\"", false},
                 {"\"\\u0041\"", false},
                 {"\"\\u001F\"", false},
                 {"\"\\n\"", false},
                 {"\"\\/\"", false},
                 {"\"\x01\"", false},
                 {"\"\x7f\"", false},
                 {"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"", true},
                 {"\"\xc0\x80\"", false},
                 {"\"\xed\xa0\x80\"", false},
                 {"\"\xf4\x90\x80\x80\"", false},
                 {"\"\xe2\x82\"", false},
                 {"\"a", false},
                 {"a\"", false},
                 {"\"a\"b", false}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct scan s = scan_over(text_of(table[i].text));
        scan_string(&s);
        if (scan_done(&s) != table[i].good)
            fail_msg("%s", table[i].text);
    }
}

#define HEAD                                                                                       \
    "{\"seq\":7,\"prev\":\"" LOG_PREV_NONE "\",\"type\":\"clock\",\"time\":"                       \
    "\"2026-11-22T08:30:34.000000000Z\""

static void records(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } table[] = {{HEAD ",\"step_ns\":-5}", true},
                 {HEAD ",\"step_ns\":0}", true},
                 {HEAD ",\"step_ns\":-0}", false},
                 {HEAD ",\"step_ns\":5} ", false},
                 {HEAD ",\"step_ns\":5,\"x\":1}", false},
                 {HEAD ", \"step_ns\":5}", false},
                 {HEAD ",\"step_ns\":null}", false},
                 {HEAD ",\"step_ns\":\"5\"}", false},
                 {HEAD "}", false},
                 {HEAD, false},
                 {"", false}};
    struct record r;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (verify_record_read(text_of(table[i].text), &r) != table[i].good)
            fail_msg("%s", table[i].text);
    assert_true(verify_record_read(text_of(table[0].text), &r));
    assert_int_equal(r.seq, 7);
    assert_int_equal(r.type, RECORD_CLOCK);
    assert_int_equal(verify_record_get(&r, "step_ns")->number, -5);
    /* Cut at every byte it is none. */
    for (size_t size = 0; size < strlen(table[0].text); size++)
        assert_false(
            verify_record_read((struct verify_text){.at = table[0].text, .size = size}, &r));
}

static void der_has_one_encoding(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        bool good;
    } table[] = {
        {"\x04\x01x", 3, true},      {"\x04\x81\x01x", 4, false}, {"\x04\x82\x00\x01x", 5, false},
        {"\x04\x80x\0\0", 5, false}, {"\x04\x02x", 3, false},     {"\x04", 1, false},
        {"\x05\x01x", 3, false},     {"\x04\x00", 2, true},       {"\x04\x85\0\0\0\0\1x", 8, false},
        {"\x04\x01xy", 4, false}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct cursor c = cursor_over(table[i].bytes, table[i].size);
        verify_der_take(&c, DER_OCTETS);
        if (verify_der_end(&c) != table[i].good)
            fail_msg("row %zu", i);
    }
    uint8_t longer[3 + 200] = {0x04, 0x81, 200};
    struct cursor c = cursor_over(longer, sizeof longer);
    struct der element = verify_der_take(&c, DER_OCTETS);
    assert_true(verify_der_end(&c));
    assert_int_equal(cursor_left(&element.content), 200);
    int64_t seconds;
    c = cursor_over("\x17\x0d"
                    "261122083311Z",
                    15);
    assert_true(verify_der_time(&c, &seconds));
    assert_int_equal(seconds, 1795336391);
    c = cursor_over("\x18\x0f"
                    "20261122083311Z",
                    17); /* a UTCTime would have done */
    assert_false(verify_der_time(&c, &seconds));
    c = cursor_over("\x17\x0d"
                    "261322083311Z",
                    15);
    assert_false(verify_der_time(&c, &seconds));
}

/* RFC 9162 2.1.5 / Certificate Transparency's reference vectors. */
static void tree_roots(void **state)
{
    (void)state;
    static const struct {
        const char *leaf;
        size_t size;
    } leaves[] = {{"", 0},
                  {"\x00", 1},
                  {"\x10", 1},
                  {"\x20\x21", 2},
                  {"\x30\x31", 2},
                  {"\x40\x41\x42\x43", 4},
                  {"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
                  {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16}};
    static const char *const roots[] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
    struct verify_tree tree = {.size = 0};
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        uint8_t root[HASH_BYTES];
        char hex[HASH_HEX + 1];
        verify_tree_root(&tree, root);
        verify_hex(root, sizeof root, hex);
        assert_string_equal(hex, roots[i]);
        if (i < sizeof leaves / sizeof *leaves)
            verify_tree_add(&tree, leaves[i].leaf, leaves[i].size);
    }
}

#define GRADED(id, rule, owner, frames, severity, observed)                                        \
    "{\"id\":\"" id "\",\"rule\":\"" rule "\",\"severity\":\"" severity                            \
    "\",\"state\":\"open\",\"zone\":\"z.\",\"rrname\":\"" owner                                    \
    "\",\"rrtype\":\"A\",\"expected\":[],\"observed\":[\"" observed "\"],\"frames\":" frames "}\n"
#define FINDING(rule, owner, frames) GRADED("1", rule, owner, frames, "high", "x")
#define COUNTED(count, last)                                                                       \
    "{\"id\":\"1\",\"rule\":\"key-weak\",\"frames\":[4],\"count\":" count ",\"last_seen\":\"" last \
    "\"}\n"
#define EVENT(frame, verdict)                                                                      \
    "{\"event_type\":\"dnssec\",\"pcap_cnt\":" frame ",\"dnssec\":{\"verdict\":\"" verdict "\"}}"  \
    "\n"

enum enclosure { WHOLE, LIVE, LIVE_LOST, PART, PART_LOST, OTHER_VERSION };

static struct verify_report compared(const char *sealed, const char *derived, const char *events,
                                     enum enclosure e)
{
    static struct verify_offer offer; /* 3 MB */
    struct verify_report report = {.log_size = 0};
    struct verify_replayed replayed = {.findings = strdup(derived),
                                       .events = strdup(events),
                                       .findings_size = strlen(derived),
                                       .events_size = strlen(events)};
    offer.frames = e == PART || e == PART_LOST   ? ENCLOSED_EXTRACT
                   : e == LIVE || e == LIVE_LOST ? ENCLOSED_SEGMENTS
                                                 : ENCLOSED_SOURCES;
    offer.has_lost = e == PART_LOST || e == LIVE_LOST;
    offer.is_whole = offer.frames != ENCLOSED_EXTRACT && !offer.has_lost;
    snprintf(offer.software, sizeof offer.software, "dnsbailiff %s",
             e == OTHER_VERSION ? "0.0.0" : DNSBAILIFF_VERSION);
    verify_compare_findings(sealed, strlen(sealed), &replayed, &offer, &report);
    verify_replay_free(&replayed);
    return report;
}

static void verdicts(void **state)
{
    (void)state;
    static const struct {
        enum enclosure enclosed;
        const char *sealed, *derived, *events;
        enum verify_outcome want;
    } table[] = {
        /* of an extract */
        {PART, "", "", "", VERIFY_PASS},
        {PART, FINDING("rrsig-bad", "a.", "[1]"), FINDING("rrsig-bad", "a.", "[1]"), "",
         VERIFY_PASS},
        /* more, or less, of the same */
        {PART, FINDING("rrsig-bad", "a.", "[1]"), FINDING("rrsig-bad", "a.", "[2,3]"), "",
         VERIFY_WARN},
        {PART, FINDING("rrsig-bad", "a.", "[1]"),
         GRADED("1", "rrsig-bad", "a.", "[2,3]", "high", "y"), "", VERIFY_WARN},
        /* more often, and for longer, than is enclosed; never less */
        {PART, COUNTED("7", "2026-01-01T00:00:09Z"), COUNTED("3", "2026-01-01T00:00:04Z"), "",
         VERIFY_PASS},
        {PART, COUNTED("3", "2026-01-01T00:00:09Z"), COUNTED("7", "2026-01-01T00:00:09Z"), "",
         VERIFY_WARN},
        {PART, COUNTED("7", "2026-01-01T00:00:04Z"), COUNTED("3", "2026-01-01T00:00:09Z"), "",
         VERIFY_WARN},
        {WHOLE, COUNTED("7", "2026-01-01T00:00:09Z"), COUNTED("3", "2026-01-01T00:00:04Z"), "",
         VERIFY_FAIL},
        /* the same observations say other things, or are graded otherwise */
        {PART, FINDING("rrsig-bad", "a.", "[1]"),
         GRADED("1", "rrsig-bad", "a.", "[1]", "high", "y"), "", VERIFY_FAIL},
        {PART, FINDING("rrsig-missing", "a.", "[1]"),
         GRADED("1", "rrsig-missing", "a.", "[1]", "high", "y"), "", VERIFY_WARN},
        {PART, FINDING("rrsig-missing", "a.", "[1]"),
         GRADED("1", "rrsig-missing", "a.", "[1]", "low", "x"), "", VERIFY_FAIL},
        {PART_LOST, FINDING("rrsig-missing", "a.", "[1]"),
         GRADED("1", "rrsig-missing", "a.", "[1]", "low", "x"), "", VERIFY_WARN},
        /* an id stands for a rule and what it is about */
        {PART, FINDING("rrsig-bad", "a.", "[1]"), FINDING("rrsig-expired", "a.", "[1]"), "",
         VERIFY_FAIL},
        {PART, FINDING("rrsig-bad", "a.", "[1]"), FINDING("rrsig-bad", "b.", "[1]"), "",
         VERIFY_FAIL},
        /* the response was judged again, and it is sound */
        {PART, FINDING("rrsig-bad", "a.", "[1]"), "", EVENT("1", "secure"), VERIFY_FAIL},
        {PART, FINDING("rrsig-bad", "a.", "[1]"), GRADED("2", "rrsig-bad", "b.", "[1]", "high", ""),
         EVENT("1", "bogus"), VERIFY_FAIL},
        {PART, FINDING("rrsig-bad", "a.", "[1]"), "",
         EVENT("1", "indeterminate") EVENT("1", "secure"), VERIFY_FAIL},
        /* it could not be judged again */
        {PART, FINDING("rrsig-bad", "a.", "[1]"), "", EVENT("1", "indeterminate"), VERIFY_WARN},
        {PART, FINDING("rrsig-bad", "a.", "[1]"), "",
         EVENT("1", "secure") EVENT("1", "indeterminate"), VERIFY_WARN},
        {PART, FINDING("rrsig-bad", "a.", "[1,2]"), "", EVENT("1", "secure"), VERIFY_WARN},
        {PART_LOST, FINDING("rrsig-bad", "a.", "[1]"), "", EVENT("1", "secure"), VERIFY_WARN},
        {PART, FINDING("rrsig-missing", "a.", "[1]"), "", EVENT("1", "secure"), VERIFY_WARN},
        {PART, "", FINDING("rrsig-bad", "a.", "[1]"), EVENT("1", "bogus"), VERIFY_WARN},
        /* an extract is a bad tap */
        {PART, "", FINDING("sensor-one-way", "a.", "[1]"), "", VERIFY_PASS},
        {PART, FINDING("sensor-one-way", "a.", "[1]"), "", "", VERIFY_WARN},
        {PART, FINDING("x", "a.", "[]") FINDING("x", "a.", "[]"), FINDING("x", "a.", "[]"), "",
         VERIFY_FAIL},
        /* of everything: all of it, and nothing else */
        {WHOLE, "", "", "", VERIFY_PASS},
        {WHOLE, FINDING("x", "a.", "[1]"), FINDING("x", "a.", "[1]"), "", VERIFY_PASS},
        {WHOLE, FINDING("x", "a.", "[1]"), FINDING("x", "a.", "[2]"), "", VERIFY_FAIL},
        {WHOLE, FINDING("x", "a.", "[1]"), GRADED("1", "x", "a.", "[1]", "low", "x"), "",
         VERIFY_FAIL},
        {WHOLE, FINDING("x", "a.", "[1]"), "", "", VERIFY_FAIL},
        {WHOLE, "", FINDING("x", "a.", "[1]"), "", VERIFY_FAIL},
        {WHOLE, FINDING("sensor-one-way", "a.", "[1]"), "", "", VERIFY_FAIL},
        {WHOLE, FINDING("sensor-clock", "a.", "[1]"), "", "", VERIFY_FAIL},
        {WHOLE, FINDING("sensor-storage", "a.", "[1]"), "", "", VERIFY_PASS},
        {OTHER_VERSION, FINDING("x", "a.", "[1]"), "", "", VERIFY_WARN},
        {OTHER_VERSION, "", FINDING("x", "a.", "[1]"), "", VERIFY_WARN},
        {OTHER_VERSION, FINDING("x", "a.", "[1]"), FINDING("x", "a.", "[1]"), "", VERIFY_PASS},
        /* of a capture each change is logged: the last one counts */
        {LIVE, FINDING("x", "a.", "[1]") FINDING("x", "a.", "[1,2]"), FINDING("x", "a.", "[1,2]"),
         "", VERIFY_PASS},
        {LIVE, FINDING("x", "a.", "[1,2]") FINDING("x", "a.", "[1]"), FINDING("x", "a.", "[1,2]"),
         "", VERIFY_FAIL},
        {LIVE, FINDING("sensor-clock", "a.", "[]"), "", "", VERIFY_PASS},
        {LIVE, FINDING("sensor-one-way", "a.", "[]"), "", "", VERIFY_FAIL},
        {LIVE, FINDING("x", "a.", "[1]"), "", "", VERIFY_FAIL},
        {LIVE_LOST, FINDING("x", "a.", "[1]"), "", "", VERIFY_WARN},
        {LIVE, FINDING("x", "a.", "[1]") GRADED("2", "sensor-loss", "a.", "[1]", "low", ""), "", "",
         VERIFY_WARN},
        {PART, "[]\n", "", "", VERIFY_FAIL},
        {PART, "{\n", "", "", VERIFY_FAIL},
        {PART, "{}", "", "", VERIFY_FAIL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct verify_report report =
            compared(table[i].sealed, table[i].derived, table[i].events, table[i].enclosed);
        if (report.line[VERIFY_VERDICTS].outcome != table[i].want)
            fail_msg("row %zu: %s", i, report.line[VERIFY_VERDICTS].reason);
    }
}

/* Which findings stand apart, by name; hostile names are escaped, and many are counted. */
static void findings_apart(void **state)
{
    (void)state;
    struct verify_report report =
        compared(FINDING("x", "a.", "[1]") GRADED("2", "y\\u001b[2J", "a.", "[1]", "high", "x"),
                 FINDING("x", "a.", "[1]") GRADED("3", "x", "b.", "[1]", "high", "x"), "", WHOLE);
    assert_int_equal(report.same, 1);
    assert_int_equal(report.apart_count[VERIFY_CONTRARY], 1);
    assert_int_equal(report.apart_count[VERIFY_ADDED], 1);
    assert_string_equal(report.apart[0].id, "2");
    assert_string_equal(report.apart[0].rule, "y\\027[2J");
    assert_string_equal(report.apart[1].zone, "z.");
    char *text = verify_show_text(&report, VERIFY_RESULT_FAILED);
    assert_non_null(strstr(text, "\nnot sealed    3  x z.\n"));
    free(text);
    char many[80 * 160] = "";
    for (int i = 0; i < 80; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many),
                 "{\"id\":\"%d\",\"rule\":\"x\"}\n", i);
    report = compared(many, "", "", WHOLE);
    assert_int_equal(report.apart_count[VERIFY_CONTRARY], 80);
    text = verify_show_text(&report, VERIFY_RESULT_FAILED);
    assert_non_null(strstr(text, "\nand 48 more\n"));
    free(text);
}

/* A filter of a stranger's bundle may not make anybody look a name up. */
static void filters(void **state)
{
    (void)state;
    static const char *const plain[] = {"",
                                        "udp port 53",
                                        "tcp[13] & 0x04 != 0 and not (host 192.0.2.1 or net 10/8)",
                                        "ip6 and host 2001:db8::53",
                                        "portrange 53-5353",
                                        "ether host 02:00:00:00:00:01 && vlan 7"};
    static const char *const others[] = {"host ns1.example.com", "host 1.example", "port domain",
                                         "host 1.2.3.4.5",       "host 1-2",       "host \\\"x",
                                         "udp port 53; host x",  "host be",        "net beef"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (!verify_offer_is_plain(plain[i]))
            fail_msg("refused: %s", plain[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (verify_offer_is_plain(others[i]))
            fail_msg("taken: %s", others[i]);
}

static void show(void **state)
{
    (void)state;
    struct verify_report report = {.log_size = 3};
    snprintf(report.line[VERIFY_BAG].reason, VERIFY_REASON_MAX, "quote \" backslash \\");
    char *json = verify_show_json(&report, VERIFY_RESULT_FAILED);
    assert_non_null(strstr(json, "\"result\": \"FAILED\""));
    assert_non_null(strstr(json, "quote \\\" backslash \\\\"));
    assert_int_equal(json[strlen(json) - 1], '\n');
    char *text = verify_show_text(&report, VERIFY_RESULT_INTEGRITY_ONLY);
    assert_string_equal(text + strlen(text) - strlen("\nINTEGRITY ONLY\n"), "\nINTEGRITY ONLY\n");
    free(json);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_has_one_spelling),
        cmocka_unit_test(numbers_and_times),
        cmocka_unit_test(strings),
        cmocka_unit_test(records),
        cmocka_unit_test(der_has_one_encoding),
        cmocka_unit_test(tree_roots),
        cmocka_unit_test(verdicts),
        cmocka_unit_test(findings_apart),
        cmocka_unit_test(filters),
        cmocka_unit_test(show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
