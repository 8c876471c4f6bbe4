/*
 * test_event: lines of eve.json, read back with jansson: right fields, and valid whatever the
 * bytes.
 */
#include "analyze/tell/event.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define LINE_MAX_BYTES ((size_t)1 << 20)

static struct event *event;
static struct dns_message message;

static int set_up(void **state)
{
    (void)state;
    event = event_new(LINE_MAX_BYTES);
    return event ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    event_free(event);
    return 0;
}

/* Reads a line as store checks it: one object, no control characters. */
static json_t *read_line(const char *text, size_t size)
{
    json_error_t error;
    assert_non_null(text);
    assert_int_equal(strlen(text), size);
    assert_int_equal(text[size - 1], '}');
    for (size_t i = 0; i < size; i++)
        assert_true((uint8_t)text[i] >= ' ');
    json_t *read = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (!read)
        fail_msg("%s at %d: %.200s", error.text, error.position, text);
    return read;
}

/* Asserts that the value at "a.b" is what the JSON text `expected` says. */
static void has(const json_t *object, const char *path, const char *expected)
{
    char word[64];
    const char *at = path;
    while (object && *at) {
        size_t size = strcspn(at, ".");
        memcpy(word, at, size);
        word[size] = '\0';
        object = json_object_get(object, word);
        at += size + (at[size] == '.');
    }
    json_t *want = json_loads(expected, JSON_DECODE_ANY, NULL);
    assert_non_null(want);
    if (!object || !json_equal(object, want)) {
        char *got = object ? json_dumps(object, JSON_ENCODE_ANY) : NULL;
        fail_msg("%s is %s, expected %s", path, got ? got : "absent", expected);
    }
    json_decref(want);
}

static const struct flow flow = {.family = 4,
                                 .proto = IPPROTO_UDP,
                                 .vlans = 1,
                                 .sport = 53,
                                 .dport = 1234,
                                 .vlan = {42},
                                 .src = {192, 0, 2, 53},
                                 .dst = {192, 0, 2, 1}};
static const struct event_context context = {.time_ns = 1795332186174571999,
                                             .flow = &flow,
                                             .frame = 7,
                                             .in_iface = "",
                                             .pcap_filename = "a \"b\".pcap"};

static void times(void **state)
{
    (void)state;
    static const struct {
        int64_t time_ns;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000000Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {1795332186174571999, "2026-11-22T07:23:06.174571Z"},
        {951782400000000000, "2000-02-29T00:00:00.000000Z"},
        {INT64_MAX, "2262-04-11T23:47:16.854775Z"},
        {INT64_MIN, "1677-09-21T00:12:43.145224Z"},
    };
    char text[EVENT_TIME_TEXT];
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_string_equal(event_time(rows[i].time_ns, text), rows[i].text);
}

static void dnssec(void **state)
{
    (void)state;
    const uint64_t frames[] = {7, 3};
    struct event_verdict v = {.id = 4660,
                              .flags = DNS_QR | DNS_AA | DNS_CD,
                              .rcode = 3,
                              .rrtype = 28,
                              .rrname = (const uint8_t *)"\3www\7ex\"mple\4test",
                              .do_bit = true,
                              .verdict = VERDICT_BOGUS,
                              .reason = REASON_SIG_EXPIRED,
                              .by = 6, /* SOA */
                              .zone = (const uint8_t *)"\4test",
                              .has_key = true,
                              .key_tag = 65535,
                              .algorithm = 13,
                              .ede = (const uint16_t[]){22, 6},
                              .ede_count = 2,
                              .frames = frames,
                              .frame_count = 2};
    size_t size;
    const char *text = event_dnssec(event, &context, &v, &size);
    json_t *j = read_line(text, size);
    has(j, "timestamp", "\"2026-11-22T07:23:06.174571Z\"");
    has(j, "event_type", "\"dnssec\"");
    has(j, "src_ip", "\"192.0.2.53\"");
    has(j, "src_port", "53");
    has(j, "dest_ip", "\"192.0.2.1\"");
    has(j, "dest_port", "1234");
    has(j, "proto", "\"UDP\"");
    has(j, "vlan", "[42]");
    has(j, "pcap_filename", "\"a \\\"b\\\".pcap\"");
    has(j, "pcap_cnt", "7");
    assert_null(json_object_get(j, "in_iface"));
    assert_true(json_integer_value(json_object_get(j, "flow_id")) < INT64_C(1) << 53);
    has(j, "dns",
        "{\"id\":4660,\"rrname\":\"www.ex\\\\\\\"mple.test.\",\"rrtype\":\"AAAA\",\"rcode\":"
        "\"NXDOMAIN\",\"aa\":true,\"ad\":false,\"cd\":true,\"tc\":false,\"do\":true}");
    has(j, "dnssec",
        "{\"verdict\":\"bogus\",\"reason\":\"signature-expired\",\"rfc\":\"RFC 4035 5.3.1\","
        "\"zone\":\"test.\",\"signer\":null,\"key_tag\":65535,\"algorithm\":13,\"ede\":7,"
        "\"dnsviz_code\":\"EXPIRATION_IN_PAST\",\"zonemaster_tag\":\"DS09_SOA_RRSIG_EXPIRED\","
        "\"retro\":false,\"kept\":false,\"frames\":[7,3]}");
    has(j, "responder", "{\"ad\":false,\"ede\":[22,6]}");
    json_decref(j);
    v.has_key = false;
    v.reason = REASON_CHAIN;
    v.flags |= DNS_AD;
    v.ede_count = 0;
    text = event_dnssec(event, &context, &v, &size);
    j = read_line(text, size);
    has(j, "dnssec.key_tag", "null");
    has(j, "dnssec.ede", "null");
    has(j, "responder", "{\"ad\":true,\"ede\":[]}");
    json_decref(j);
}

static const uint8_t sha256[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                   16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 255};

static void finding_set(struct finding *f)
{
    static char plain[] = "www A 192.0.2.1", odd[] = "b\xff"
                                                     "d\n\"line\"";
    static char *lines[] = {plain, odd};
    memset(f, 0, sizeof(*f));
    snprintf(f->id, sizeof(f->id), "%s", "0123456789abcdef");
    f->rule = rule_find("key-unknown");
    f->severity = SEVERITY_CRITICAL;
    f->state = FINDING_UPDATED;
    memcpy(f->zone, "\4test", 6);
    memcpy(f->owner, "\3www\4test", 10);
    f->type = 48;
    f->summary = (char *)"a key that nobody declared";
    f->expected = f->observed = lines;
    f->expected_count = 1;
    f->observed_count = 2;
    f->frames[0] = 5;
    f->frame_count = 1;
    f->first_seen_ns = 0;
    f->last_seen_ns = 1000;
    f->count = 9;
    f->lossy = true;
    f->reason = REASON_NONE;
    f->baseline = "test.zone";
    f->baseline_sha256 = sha256;
    f->baseline_version = 3;
}

static void finding(void **state)
{
    (void)state;
    struct finding f;
    size_t size;
    finding_set(&f);
    const char *text = event_finding(event, &f, &size);
    json_t *alone = read_line(text, size);
    static const char *const keys[] = {
        "id",         "rule",        "severity",       "state",    "zone",   "rrname",
        "rrtype",     "summary",     "expected",       "observed", "frames", "chain",
        "first_seen", "last_seen",   "count",          "loss",     "kept",   "rfc",
        "ede",        "dnsviz_code", "zonemaster_tag", "baseline"};
    assert_int_equal(json_object_size(alone), sizeof(keys) / sizeof(*keys));
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        if (!json_object_get(alone, keys[i]))
            fail_msg("%s is absent", keys[i]);
    has(alone, "rule", "\"key-unknown\"");
    has(alone, "severity", "\"critical\"");
    has(alone, "state", "\"updated\"");
    has(alone, "rrtype", "\"DNSKEY\"");
    has(alone, "expected", "[\"www A 192.0.2.1\"]");
    has(alone, "observed", "[\"www A 192.0.2.1\",\"b\\ufffdd\\n\\\"line\\\"\"]");
    has(alone, "last_seen", "\"1970-01-01T00:00:00.000001Z\"");
    has(alone, "loss", "true");
    has(alone, "ede", "null");
    has(alone, "baseline.file", "\"test.zone\"");
    has(alone, "baseline.version", "3");
    has(alone, "baseline.sha256",
        "\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff\"");
    text = event_alert(event, &context, &f, &size);
    json_t *alert = read_line(text, size);
    assert_true(json_equal(json_object_get(alert, "finding"), alone));
    has(alert, "alert.signature", "\"dnsbailiff key-unknown test.\"");
    has(alert, "alert.action", "\"allowed\"");
    has(alert, "alert.severity", "1");
    assert_true(json_integer_value(
                    json_object_get(json_object_get(alert, "alert"), "signature_id")) >= 2600000);
    json_decref(alert);
    json_decref(alone);
}

/* Lists that would exceed the limit end in a count, and the line stays whole. */
static void large_finding(void **state)
{
    (void)state;
    struct finding f;
    static char summary[3 * LINE_MAX_BYTES];
    size_t size, count = 4000;
    char **lines = calloc(count, sizeof(*lines));
    char *line = malloc(8001);
    assert_true(lines && line);
    memset(line, 1, 8000); /* six bytes of output each */
    line[8000] = '\0';
    memset(summary, '"', sizeof(summary) - 1);
    for (size_t i = 0; i < count; i++)
        lines[i] = line;
    finding_set(&f);
    f.summary = summary;
    f.expected = f.observed = lines;
    f.expected_count = f.observed_count = count;
    f.frame_count = f.chain_count = FINDING_FRAMES_MAX;
    memset(f.frames, 0x7f, sizeof(f.frames));
    memset(f.chain, 0x7f, sizeof(f.chain));
    const char *text = event_alert(event, &context, &f, &size);
    json_t *j = read_line(text, size);
    const json_t *list = json_object_get(json_object_get(j, "finding"), "observed");
    size_t shown = json_array_size(list);
    char last[64];
    assert_true(shown > 1 && shown < count);
    snprintf(last, sizeof(last), "(%zu more)", count - (shown - 1));
    assert_string_equal(json_string_value(json_array_get(list, shown - 1)), last);
    json_decref(j);
    free(line);
    free(lines);
}

static void stats(void **state)
{
    (void)state;
    const struct event_counter frames[] = {{"frames", 1}, {"bytes", UINT64_C(1) << 40}};
    const struct event_counter top[] = {{"uptime", 3}};
    const struct event_group groups[] = {{NULL, top, 1}, {"decoder", frames, 2}, {"none", NULL, 0}};
    const struct event_context no_flow = {.time_ns = 0, .in_iface = "eth0"};
    size_t size;
    const char *text = event_stats(event, &no_flow, groups, 3, NULL, NULL, &size);
    json_t *j = read_line(text, size);
    has(j, "stats",
        "{\"uptime\":3,\"decoder\":{\"frames\":1,\"bytes\":1099511627776},\"none\":{}}");
    has(j, "in_iface", "\"eth0\"");
    assert_null(json_object_get(j, "flow_id"));
    assert_null(json_object_get(j, "src_ip"));
    assert_null(json_object_get(j, "pcap_cnt"));
    json_decref(j);
}

static const uint8_t response[] =
    "\x12\x34\x84\x00\0\1\0\2\0\2\0\1\3wWw\4test\0\0\1\0\1"
    "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\x7f\0\0\1"
    "\xc0\x0c\0\x2e\0\1\0\0\1\x2c\0\x1b\0\1\x0d\2\0\0\1\x2c\0\0\0\2\0\0\0\1\x12\x34\4test\0\1\2\3"
    "\xc0\x10\0\2\0\1\0\0\1\x2c\0\5\2ns\xc0\x10"
    "\xc0\x10\0\x2f\0\1\0\0\1\x2c\0\x10\1a\4test\0\0\6\x40\0\0\0\0\3"
    "\0\0\x29\4\xd0\0\0\x80\0\0\0";

static void dns(void **state)
{
    (void)state;
    size_t size;
    assert_int_equal(message_parse(response, sizeof(response) - 1, sizeof(response) - 1, &message),
                     MESSAGE_WHOLE);
    const char *text = event_dns(event, &context, &message, &size);
    json_t *j = read_line(text, size);
    has(j, "dns.version", "3");
    has(j, "dns.type", "\"response\"");
    has(j, "dns.flags", "\"8400\"");
    has(j, "dns.do", "true");
    has(j, "dns.queries", "[{\"rrname\":\"www.test.\",\"rrtype\":\"A\"}]");
    const json_t *d = json_object_get(j, "dns");
    const json_t *answers = json_object_get(d, "answers");
    assert_int_equal(json_array_size(answers), 2);
    has(json_array_get(answers, 0), "rdata", "\"127.0.0.1\"");
    has(json_array_get(answers, 1), "rrsig",
        "{\"type_covered\":\"A\",\"algorithm\":13,\"labels\":2,\"original_ttl\":300,"
        "\"expiration\":2,\"inception\":1,\"key_tag\":4660,\"signer_name\":\"test.\","
        "\"signature_bytes\":3}");
    const json_t *authorities = json_object_get(d, "authorities");
    has(json_array_get(authorities, 0), "rdata", "\"ns.test.\"");
    has(json_array_get(authorities, 1), "nsec",
        "{\"next\":\"a.test.\",\"types\":[\"A\",\"RRSIG\",\"NSEC\"]}");
    json_decref(j);
}

/* Any message that parses, even in part, gives a valid line. */
static void any_bytes(void **state)
{
    (void)state;
    uint8_t bytes[sizeof(response) + 200];
    srand(3);
    for (unsigned round = 0; round < 30000; round++) {
        size_t length = sizeof(response) - 1, size;
        memcpy(bytes, response, length);
        for (unsigned i = 0; i < 1 + round % 8; i++)
            bytes[(size_t)rand() % length] = (uint8_t)rand();
        if (round % 5 == 0)
            length = (size_t)rand() % length;
        message_parse(bytes, length, length, &message);
        const char *text = event_dns(event, &context, &message, &size);
        json_decref(read_line(text, size));
    }
}

/* 64 KiB of the records that take most room. */
static void large_message(void **state)
{
    (void)state;
    static uint8_t bytes[65535];
    size_t at = 12, size;
    memcpy(bytes, "\0\1\x84\0\0\0\xff\xff\0\0\0\0", 12);
    while (at + 11 + 4000 < sizeof(bytes)) {
        const uint8_t head[] = {0, 0, 16, 0, 1, 0, 0, 0, 0, 4000 >> 8, 4000 & 255};
        memcpy(bytes + at, head, sizeof(head));
        memset(bytes + at + sizeof(head), 1, 4000); /* strings of one control character */
        at += sizeof(head) + 4000;
    }
    message_parse(bytes, at, at, &message);
    assert_true(message.rr_count > 10);
    const char *text = event_dns(event, &context, &message, &size);
    json_decref(read_line(text, size));
    for (at = 12; at + 11 < sizeof(bytes); at += 11) {
        const uint8_t head[] = {0, 0xff, 0xfe, 0, 1, 0, 0, 0, 0, 0, 0};
        memcpy(bytes + at, head, sizeof(head));
    }
    message_parse(bytes, at, at, &message);
    assert_int_equal(message.rr_count, (65535 - 12) / 11);
    text = event_dns(event, &context, &message, &size);
    json_t *j = read_line(text, size);
    assert_true(json_integer_value(json_object_get(json_object_get(j, "dns"), "omitted")) >= 0);
    json_decref(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times),         cmocka_unit_test(dnssec),        cmocka_unit_test(finding),
        cmocka_unit_test(large_finding), cmocka_unit_test(stats),         cmocka_unit_test(dns),
        cmocka_unit_test(any_bytes),     cmocka_unit_test(large_message),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
