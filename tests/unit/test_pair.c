/*
 * test_pair: which response belongs to which query.
 */
#include "analyze/decode/pair.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)

static struct dns_message message;
static uint64_t twin; /* the first copy of a query that came twice */

/* A message with one question, or none; its bytes need not exist. */
static const struct dns_message *say(unsigned id, const char *name, unsigned type, bool edns_do)
{
    message.id = (uint16_t)id;
    message.flags = DNS_RD;
    message.has_question = name != NULL;
    message.qname = 0;
    message.qtype = (uint16_t)type;
    message.qclass = 1;
    message.edns = message.edns_do = edns_do;
    message.owners[0].size = (uint8_t)name_parse(name ? name : ".", message.owners[0].name);
    return &message;
}

static struct datagram from_client(unsigned port, uint64_t frame, int64_t time_ns)
{
    struct datagram d = {.flow = {.family = 4,
                                  .proto = IPPROTO_UDP,
                                  .sport = (uint16_t)port,
                                  .dport = 53,
                                  .src = {192, 0, 2, 1},
                                  .dst = {192, 0, 2, 53}},
                         .frame = frame,
                         .time_ns = time_ns};
    return d;
}

static struct datagram from_server(unsigned port, uint64_t frame, int64_t time_ns)
{
    struct datagram d = from_client(port, frame, time_ns);
    struct flow f = d.flow;
    memcpy(d.flow.src, f.dst, sizeof(f.dst));
    memcpy(d.flow.dst, f.src, sizeof(f.src));
    d.flow.sport = f.dport;
    d.flow.dport = f.sport;
    return d;
}

static struct pair *start(struct settings *s)
{
    settings_default(s);
    return pair_new(s);
}

static void pairs(void **state)
{
    (void)state;
    struct settings s;
    struct pair *p = start(&s);
    struct query q = {0};
    struct datagram d = from_client(1000, 1, 0);
    d.flow.vlans = 1; /* tags differ by direction */
    pair_query(p, &d, say(7, "Www.Test", 1, true), &twin);
    static const struct {
        unsigned port, id;
        const char *name;
        unsigned type;
        bool found;
    } rows[] = {
        {1000, 8, "www.test", 1, false},  {1001, 7, "www.test", 1, false},
        {1000, 7, "www.test", 28, false}, {1000, 7, "xww.test", 1, false},
        {1000, 7, "wWw.test", 1, true},   {1000, 7, NULL, 0, true},
    };
    unsigned found = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        d = from_server(rows[i].port, 2, SECOND + (int64_t)i * 2 * FLOW_TWICE_NS);
        bool got = pair_response(p, &d, say(rows[i].id, rows[i].name, rows[i].type, false), &q);
        assert_int_equal(got, rows[i].found);
        if (!got)
            continue;
        assert_int_equal(q.answered, found++ > 0);
        assert_int_equal(q.frame, 1);
        assert_int_equal(q.flags, DNS_RD);
        assert_true(q.edns && q.edns_do);
    }
    d = from_server(1000, 3, SECOND);
    d.flow.proto = IPPROTO_TCP;
    assert_false(pair_response(p, &d, say(7, "www.test", 1, false), &q));
    pair_finish(p);
    const struct pair_counters *c = pair_counters(p);
    assert_int_equal(c->queries, 1);
    assert_int_equal(c->responses, 7);
    assert_int_equal(c->paired, 2);
    assert_int_equal(c->unasked, 5);
    assert_int_equal(c->unanswered, 0);
    pair_free(p);
}

static void same_id_two_questions(void **state)
{
    (void)state;
    struct settings s;
    struct pair *p = start(&s);
    struct query q;
    struct datagram d = from_client(1000, 1, 0);
    pair_query(p, &d, say(7, "a.test", 1, false), &twin);
    d.frame = 2;
    pair_query(p, &d, say(7, "b.test", 1, false), &twin);
    d.frame = 3;
    pair_query(p, &d, say(7, "a.test", 1, false), &twin); /* sent again */
    d = from_server(1000, 4, 0);
    assert_true(pair_response(p, &d, say(7, "b.test", 1, false), &q));
    assert_int_equal(q.frame, 2);
    assert_true(pair_response(p, &d, say(7, "a.test", 1, false), &q));
    assert_int_equal(q.frame, 3);
    assert_false(q.answered);
    pair_finish(p);
    assert_int_equal(pair_counters(p)->unanswered, 1);
    pair_free(p);
}

static void forgets(void **state)
{
    (void)state;
    struct settings s;
    struct pair *p = start(&s);
    struct query q;
    int64_t patience = (int64_t)s.query_seconds * SECOND;
    struct datagram d = from_client(1000, 1, 0);
    pair_query(p, &d, say(7, "a.test", 1, false), &twin);
    d = from_server(1000, 2, patience + 1);
    assert_false(pair_response(p, &d, say(7, "a.test", 1, false), &q));
    d = from_server(1000, 2, patience);
    assert_true(pair_response(p, &d, say(7, "a.test", 1, false), &q));
    /* more than fit: the oldest give way, the newest are there */
    for (unsigned i = 0; i < s.queries + 10; i++) {
        d = from_client(i & 0xffff, i + 10, SECOND);
        pair_query(p, &d, say(i >> 16, "c.test", 1, false), &twin);
    }
    assert_int_equal(pair_counters(p)->unanswered, 10);
    d = from_server(9, 1, SECOND);
    assert_false(pair_response(p, &d, say(0, "c.test", 1, false), &q));
    d = from_server(10, 1, SECOND);
    assert_true(pair_response(p, &d, say(0, "c.test", 1, false), &q));
    pair_finish(p);
    assert_int_equal(pair_counters(p)->unanswered, s.queries + 10 - 1);
    pair_free(p);
}

/* Two taps, or a tunnel inside and outside: each packet comes again at once. */
static void second_copies(void **state)
{
    (void)state;
    static const uint8_t forged[] = "forged", sound[] = "sound!";
    struct settings s;
    struct pair *p = start(&s);
    struct query q;
    struct datagram d = from_client(1000, 1, SECOND);
    pair_seed(p, 42);
    assert_int_equal(pair_query(p, &d, say(7, "a.test", 1, true), &twin), PAIR_FOUND);
    d.frame = 2;
    d.time_ns -= FLOW_TWICE_NS; /* files merged: the copy may be the earlier one */
    d.flow.vlans = 1;
    assert_int_equal(pair_query(p, &d, say(7, "a.test", 1, true), &twin), PAIR_TWICE);
    assert_int_equal(twin, 1);
    d = from_client(1000, 3, SECOND + FLOW_TWICE_NS + 1); /* later: the client asks again */
    assert_int_equal(pair_query(p, &d, say(7, "a.test", 1, true), &twin), PAIR_FOUND);
    /* two different responses are two, each copy of them is none */
    static const struct {
        const uint8_t *bytes;
        int64_t after_ns;
        enum pair_result result;
    } rows[] = {{forged, 0, PAIR_FOUND},
                {forged, 1000, PAIR_TWICE},
                {sound, 2000, PAIR_FOUND},
                {sound, 2000 + FLOW_TWICE_NS, PAIR_TWICE},
                {sound, 2001 + FLOW_TWICE_NS, PAIR_FOUND}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        d = from_server(1000, 4 + i, 2 * SECOND + rows[i].after_ns);
        d.bytes = rows[i].bytes;
        d.size = d.wire_size = sizeof(forged);
        assert_int_equal(pair_response(p, &d, say(7, "a.test", 1, false), &q), rows[i].result);
    }
    /* without a query as well */
    for (unsigned i = 0; i < 4; i++) {
        d = from_server(2000, 20, 3 * SECOND + i / 2 * SECOND);
        d.bytes = sound;
        d.size = d.wire_size = sizeof(sound);
        enum pair_result result = i % 2 ? PAIR_TWICE : PAIR_NONE;
        assert_int_equal(pair_response(p, &d, say(9, "b.test", 1, false), &q), result);
    }
    pair_finish(p);
    const struct pair_counters *c = pair_counters(p);
    assert_int_equal(c->queries, 2);
    assert_int_equal(c->responses, 5);
    assert_int_equal(c->paired, 3);
    assert_int_equal(c->unasked, 2);
    assert_int_equal(c->duplicates, 5);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pairs),
                                       cmocka_unit_test(same_id_two_questions),
                                       cmocka_unit_test(second_copies), cmocka_unit_test(forgets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
