/*
 * test_flow: addresses and flow identifiers.
 */
#include "analyze/decode/flow.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct flow flow_of(const char *src, unsigned sport, const char *dst, unsigned dport,
                           uint8_t proto)
{
    struct flow f = {.proto = proto, .sport = (uint16_t)sport, .dport = (uint16_t)dport};
    f.family = strchr(src, ':') ? 6 : 4;
    int family = f.family == 6 ? AF_INET6 : AF_INET;
    assert_int_equal(inet_pton(family, src, f.src), 1);
    assert_int_equal(inet_pton(family, dst, f.dst), 1);
    return f;
}

/* The baseline of github.com/corelight/community-id-spec, seed 0. */
static void community(void **state)
{
    (void)state;
    static const struct {
        const char *src;
        unsigned sport;
        const char *dst;
        unsigned dport;
        uint8_t proto;
        const char *id;
    } rows[] = {
        {"128.232.110.120", 34855, "66.35.250.204", 80, IPPROTO_TCP,
         "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
        {"66.35.250.204", 80, "128.232.110.120", 34855, IPPROTO_TCP,
         "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
        {"192.168.1.52", 54585, "8.8.8.8", 53, IPPROTO_UDP, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
        {"8.8.8.8", 53, "192.168.1.52", 54585, IPPROTO_UDP, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char text[FLOW_COMMUNITY_TEXT];
        struct flow f =
            flow_of(rows[i].src, rows[i].sport, rows[i].dst, rows[i].dport, rows[i].proto);
        assert_string_equal(flow_community(&f, text), rows[i].id);
        assert_int_equal(strlen(text) + 1, FLOW_COMMUNITY_TEXT);
    }
}

static void both_directions(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"192.0.2.1", "192.0.2.2"}, {"2001:db8::1", "2001:db8::2"}, {"::1", "::1"}};
    uint64_t ids[3];
    char a[FLOW_COMMUNITY_TEXT], b[FLOW_COMMUNITY_TEXT];
    for (size_t i = 0; i < 3; i++) {
        struct flow there = flow_of(pairs[i][0], 4000, pairs[i][1], 53, IPPROTO_UDP);
        struct flow back = flow_of(pairs[i][1], 53, pairs[i][0], 4000, IPPROTO_UDP);
        struct flow tcp = flow_of(pairs[i][0], 4000, pairs[i][1], 53, IPPROTO_TCP);
        assert_true(flow_id(&there) == flow_id(&back));
        assert_true(flow_id(&there) != flow_id(&tcp));
        assert_true(flow_id(&there) < UINT64_C(1) << 53);
        assert_string_equal(flow_community(&there, a), flow_community(&back, b));
        ids[i] = flow_id(&there);
    }
    assert_true(ids[0] != ids[1] && ids[1] != ids[2]);
}

static void addresses(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0.0.0.0", "255.255.255.255", "192.0.2.10",      "1.20.100.9",
        "::",      "2001:db8::1",     "::ffff:192.0.2.1"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct flow f = flow_of(texts[i], 0, texts[i], 0, 0);
        char text[FLOW_ADDRESS_TEXT];
        assert_string_equal(flow_address(f.family, f.src, text), texts[i]);
    }
}

static void elapsed(void **state)
{
    (void)state;
    assert_true(flow_elapsed(1, 3) == 2);
    assert_true(flow_elapsed(3, 1) == -2);
    assert_true(flow_elapsed(INT64_MIN, INT64_MAX) == INT64_MAX);
    assert_true(flow_elapsed(INT64_MAX, INT64_MIN) == INT64_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(community),
        cmocka_unit_test(both_directions),
        cmocka_unit_test(addresses),
        cmocka_unit_test(elapsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
