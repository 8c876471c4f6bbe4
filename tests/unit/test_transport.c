/*
 * test_transport: what is odd about how messages travel is counted, told from its threshold on, and
 * not told where it looks alike and is innocent.
 */
#include "tests/unit/fact_builder.h"

#include "analyze/decode/packet.h"
#include "analyze/follow/transport.h"

#include <netinet/in.h>

#define SECOND INT64_C(1000000000)
#define MS     INT64_C(1000000)

static struct dns_message message;
static struct settings settings;
static struct pair *pair;
static struct transport *transport;
static struct rules *rules;
static int64_t begin_ns, now;
static uint64_t frame;
static unsigned told[8], over[8], held;
static struct fact_transport last; /* its pointers are stale */

static void on_fact(void *context, const struct fact *fact)
{
    (void)context;
    struct fact copy = *fact;
    struct finding *findings[4];
    assert_int_equal(fact->kind, FACT_TRANSPORT);
    (fact->transport->over ? over : told)[fact->transport->kind]++;
    last = *fact->transport;
    copy.zone = fact->zone ? fact->zone : N("example.test");
    rules_judge(rules, &copy, findings, 4);
}

static void on_hold(void *context, const uint64_t *frames, size_t count)
{
    (void)context;
    assert_true(frames[0] > 0);
    held += (unsigned)count;
}

static int begin(void **state)
{
    (void)state;
    builder_reset();
    settings_default(&settings);
    rules = rules_default(NULL);
    pair = pair_new(&settings);
    const struct teller teller = {.fact = on_fact,
                                  .hold = on_hold,
                                  .thresholds = rules_thresholds(rules),
                                  .begin_ns = &begin_ns,
                                  .seed = 7};
    transport = transport_new(&teller, pair);
    assert_non_null(transport);
    memset(told, 0, sizeof told);
    memset(over, 0, sizeof over);
    held = 0;
    frame = 0;
    begin_ns = now = 1000 * SECOND;
    return 0;
}

static int finish(void **state)
{
    (void)state;
    transport_free(transport);
    pair_free(pair);
    rules_free(rules);
    return 0;
}

static const struct finding *only_finding(void)
{
    const struct finding *const *list;
    assert_int_equal(rules_findings(rules, &list), 1);
    return list[0];
}

/* --- messages --- */

static void say(unsigned id, const char *name, unsigned type, unsigned flags)
{
    message.id = (uint16_t)id;
    message.flags = (uint16_t)flags;
    message.rcode = flags & 15;
    message.has_question = true;
    message.qname = 0;
    message.qtype = (uint16_t)type;
    message.qclass = 1;
    message.owners[0].size = (uint8_t)name_parse(name, message.owners[0].name);
    message.owner_count = 1;
    message.rr_count = 0;
}

static unsigned server = 53; /* the last byte of its address */

static struct datagram packet(unsigned client, unsigned port, bool from_client)
{
    struct flow f = {.family = 4,
                     .proto = IPPROTO_UDP,
                     .sport = (uint16_t)port,
                     .dport = 53,
                     .src = {192, 0, 2, (uint8_t)client},
                     .dst = {198, 51, 100, (uint8_t)server}};
    if (!from_client) {
        struct flow g = f;
        memcpy(g.src, f.dst, 16);
        memcpy(g.dst, f.src, 16);
        g.sport = 53;
        g.dport = f.sport;
        f = g;
    }
    return (struct datagram){.flow = f, .frame = ++frame, .time_ns = now};
}

static void ask(unsigned client, unsigned port, unsigned id, const char *name, bool edns,
                unsigned flags)
{
    uint64_t first;
    struct datagram d = packet(client, port, true);
    say(id, name, 1, flags);
    message.edns = message.edns_do = edns;
    assert_int_equal(pair_query(pair, &d, &message, &first), PAIR_FOUND);
}

static enum pair_result answer(unsigned client, unsigned port, unsigned id, const char *name,
                               unsigned flags)
{
    struct datagram d = packet(client, port, false);
    struct query query = {0};
    unsigned bytes[3] = {id, port, 0};
    for (const char *at = name; *at; at++)
        bytes[2] = bytes[2] * 31 + (unsigned char)*at;
    d.bytes = (const uint8_t *)bytes;
    d.size = sizeof bytes;
    say(id, name, 1, DNS_QR | flags);
    enum pair_result result = pair_response(pair, &d, &message, &query);
    transport_response(transport, result, &d, &message, &query);
    return result;
}

/* So many queries that are answered. */
static void chat(unsigned client, unsigned count)
{
    for (unsigned i = 0; i < count; i++, now += MS) {
        ask(client, 2000 + i, i, "www.example.test", true, DNS_RD);
        assert_int_equal(answer(client, 2000 + i, i, "www.example.test", 0), PAIR_FOUND);
    }
}

/* So many responses that nobody waits for. */
static void stray(unsigned client, unsigned count, const char *name)
{
    for (unsigned i = 0; i < count; i++, now += MS)
        assert_int_equal(answer(client, 10000 + i, 500 + i, name, 0), PAIR_NONE);
}

/* --- strays --- */

static void guesses_at_an_open_query_are_a_flood(void **state)
{
    (void)state;
    ask(1, 4000, 9, "a.example.test", true, 0);
    stray(1, 19, "a.example.test");
    assert_int_equal(told[TRANSPORT_FLOOD], 0);
    stray(1, 1, "a.example.test");
    assert_int_equal(told[TRANSPORT_FLOOD], 0); /* the same id and port once more is no guess */
    now += SECOND;
    for (unsigned i = 0; i < 40; i++)
        answer(1, 5000, 4000 + i, "a.example.test", 0);
    assert_int_equal(told[TRANSPORT_FLOOD], 1);
    assert_int_equal(last.all, 1);
    assert_true(held > 0);
    const struct finding *f = only_finding();
    assert_string_equal(rule_text(f->rule)->id, "spoof-flood");
    assert_int_equal(f->severity, SEVERITY_HIGH);
    assert_true(f->chain_count == 1 && f->chain[0] == 1); /* the query */
    assert_int_equal(f->type, 255);
    assert_true(transport_explained(transport) >= 40);
}

static void guesses_without_a_query_are_none(void **state)
{
    (void)state;
    ask(1, 4000, 9, "b.example.test", true, 0);
    ask(2, 4000, 9, "a.example.test", true, 0);
    stray(1, 90, "a.example.test");
    assert_int_equal(told[TRANSPORT_FLOOD], 0);
    assert_int_equal(transport_explained(transport), 0);
}

/* A balanced mirror shows a part of the queries of a question that is asked all the time. */
static void popular_questions_are_no_flood(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 90; i++, now += MS) {
        if (i % 3 == 0)
            ask(1, 4000 + i, i, "a.example.test", true, 0);
        answer(1, 9000 + i, 500 + i, "a.example.test", 0);
    }
    assert_int_equal(told[TRANSPORT_FLOOD], 0);
}

static void reflection_is_told_where_queries_are_seen(void **state)
{
    (void)state;
    now += 3 * SECOND;
    chat(1, 20);
    now += 5 * SECOND;
    stray(1, 200, "big.example.test");
    assert_int_equal(told[TRANSPORT_UNASKED], 2); /* at the threshold, and at twice as many */
    assert_int_equal(told[TRANSPORT_FLOOD], 0);
    const struct finding *f = only_finding();
    assert_string_equal(rule_text(f->rule)->id, "response-unasked");
    assert_int_equal(f->severity, SEVERITY_MEDIUM);
    assert_int_equal(f->type, 0);
}

static void one_way_taps_show_no_reflection(void **state)
{
    (void)state;
    now += 3 * SECOND;
    stray(1, 1000, "www.example.test"); /* nobody's queries are seen */
    chat(2, 40);                        /* another's are, but client 1 asks for everything */
    char name[32];
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "n%u.example.test", i);
        stray(3, 1, name);
        now += MS;
    }
    assert_int_equal(told[TRANSPORT_UNASKED], 0);
}

static void responses_to_queries_before_the_capture_are_left_out(void **state)
{
    (void)state;
    chat(1, 20);
    stray(1, 300, "www.example.test");
    transport_review(transport, now);
    assert_int_equal(told[TRANSPORT_UNASKED], 0);
}

/* --- TCP --- */

static void truncate(unsigned port, const char *name, unsigned flags)
{
    ask(1, port, port, name, true, flags);
    now += MS;
    assert_int_equal(answer(1, port, port, name, DNS_TC), PAIR_FOUND);
    now += SECOND;
}

static void segment(bool from_client, uint8_t flags)
{
    struct datagram d = packet(1, 7000, from_client);
    d.flow.proto = IPPROTO_TCP;
    transport_signal(transport, &d.flow, flags, now, d.frame);
}

static void syn_without_reply_is_blocked(void **state)
{
    (void)state;
    truncate(4000, "big.example.test", DNS_RD);
    for (unsigned i = 0; i < 3; i++, now += SECOND) {
        assert_int_equal(told[TRANSPORT_TCP_SILENT], 0);
        segment(true, TCP_SYN);
        segment(true, TCP_SYN); /* a copy by the mirror */
    }
    assert_int_equal(told[TRANSPORT_TCP_SILENT], 1);
    assert_int_equal(only_finding()->severity, SEVERITY_MEDIUM);
    segment(false, TCP_SYN | TCP_ACK);
    assert_int_equal(over[TRANSPORT_TCP_SILENT], 1);
    assert_int_equal(only_finding()->state, FINDING_CLOSED);
}

/* Who gives up after a second and a bit has sent two. */
static void syn_sent_again_in_vain_is_blocked(void **state)
{
    (void)state;
    truncate(4000, "big.example.test", 0);
    segment(true, TCP_SYN);
    now += SECOND;
    segment(true, TCP_SYN);
    now += SECOND / 2;
    transport_review(transport, now); /* the reply may be on its way */
    assert_int_equal(told[TRANSPORT_TCP_SILENT], 0);
    now += SECOND / 2;
    transport_review(transport, now);
    assert_int_equal(told[TRANSPORT_TCP_SILENT], 1);
}

static void one_lost_syn_is_not(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 9; i++) {
        truncate(4000 + i, "big.example.test", 0);
        segment(true, TCP_SYN);
        now += SECOND;
        segment(true, TCP_SYN);
        now += SECOND / 10;
        segment(false, TCP_SYN | TCP_ACK);
    }
    transport_review(transport, now + 99 * SECOND);
    assert_int_equal(told[TRANSPORT_TCP_SILENT], 0);
}

static void refused_connections_are_blocked(void **state)
{
    (void)state;
    truncate(4000, "big.example.test", DNS_RD);
    for (unsigned i = 0; i < 3; i++, now += SECOND) {
        assert_int_equal(told[TRANSPORT_TCP_REFUSED], 0);
        segment(true, TCP_SYN);
        segment(false, TCP_RST | TCP_ACK);
    }
    assert_int_equal(told[TRANSPORT_TCP_REFUSED], 1);
}

static void syn_without_truncation_is_none(void **state)
{
    (void)state;
    chat(1, 10);
    for (unsigned i = 0; i < 9; i++, now += SECOND)
        segment(true, TCP_SYN);
    transport_review(transport, now);
    assert_int_equal(told[TRANSPORT_TCP_SILENT], 0);
}

static void a_handshake_or_a_message_over_tcp_is_enough(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 9; i++) {
        truncate(4000 + i, "big.example.test", 0);
        struct datagram d = packet(1, 7000, true);
        d.flow.proto = IPPROTO_TCP;
        if (i % 2)
            transport_asked(transport, &d);
        else
            segment(false, TCP_SYN | TCP_ACK);
        segment(false, TCP_RST);
    }
    transport_review(transport, now + 99 * SECOND);
    assert_int_equal(
        told[TRANSPORT_TCP_SILENT] + told[TRANSPORT_TCP_REFUSED] + told[TRANSPORT_TCP_UNSEEN], 0);
}

static void asking_again_without_tcp_is_blocked(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        truncate(4000 + i, "big.example.test", 0);
    assert_int_equal(told[TRANSPORT_TCP_UNSEEN], 1); /* the tap may not show TCP */
    assert_int_equal(only_finding()->severity, SEVERITY_LOW);
    for (unsigned i = 0; i < 3; i++)
        truncate(4100 + i, "big.example.test", 0);
    assert_true(last.certain); /* but so often no cache asks */
    assert_int_equal(only_finding()->severity, SEVERITY_MEDIUM);
}

static void burst(unsigned servers)
{
    for (unsigned i = 0; i < 24; i++) {
        server = 53 + i % servers;
        ask(1, 4000 + i, i, "big.example.test", true, 0);
        now += MS;
        assert_int_equal(answer(1, 4000 + i, i, "big.example.test", DNS_TC), PAIR_FOUND);
    }
    server = 53;
}

/* A resolver whose own firewall refuses: no SYN leaves it, and it tries all servers in an instant.
 */
static void a_burst_over_several_servers_is_blocked(void **state)
{
    (void)state;
    burst(2);
    assert_true(told[TRANSPORT_TCP_UNSEEN] > 0);
    assert_true(last.certain);
}

/* So a server with a rate limit answers queries that bear a false address. */
static void a_burst_at_one_server_is_not(void **state)
{
    (void)state;
    burst(1);
    assert_int_equal(told[TRANSPORT_TCP_UNSEEN], 0);
}

static void clients_that_make_nothing_of_tc_are_not(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++)
        truncate(4000 + i, "big.example.test", DNS_RD);
    assert_int_equal(told[TRANSPORT_TCP_UNSEEN], 0);
}

static void different_questions_without_tcp_are_not(void **state)
{
    (void)state;
    char name[32];
    for (unsigned i = 0; i < 9; i++) {
        snprintf(name, sizeof name, "n%u.example.test", i);
        truncate(4000 + i, name, 0);
    }
    assert_int_equal(told[TRANSPORT_TCP_UNSEEN], 0);
}

/* --- EDNS --- */

static void without_edns_after_formerr_is_a_downgrade(void **state)
{
    (void)state;
    static const unsigned first[] = {1 /* FORMERR */, 4 /* NOTIMP */, 99 /* none */, 1};
    char name[32];
    for (unsigned i = 0; i < 4; i++, now += SECOND) {
        snprintf(name, sizeof name, "n%u.example.test", i);
        assert_int_equal(told[TRANSPORT_DOWNGRADE], i == 3);
        ask(1, 4000 + i, i, name, true, 0);
        if (first[i] != 99)
            answer(1, 4000 + i, i, name, first[i]);
        now += SECOND;
        ask(1, 5000 + i, i, name, false, 0);
        answer(1, 5000 + i, i, name, DNS_AA);
    }
    const struct finding *f = only_finding();
    assert_string_equal(rule_text(f->rule)->id, "edns-downgrade");
    assert_int_equal(f->severity, SEVERITY_LOW); /* no zone is known to be signed */
}

/* Users behind one address, some with EDNS and some without, and a tap that misses a response. */
static void users_of_one_address_do_not_fall_back(void **state)
{
    (void)state;
    char name[32];
    for (unsigned i = 0; i < 12; i++, now += SECOND) {
        snprintf(name, sizeof name, "n%u.example.test", i);
        ask(1, 4000 + i, i, name, true, DNS_RD);
        now += SECOND;
        ask(1, 5000 + i, i, name, false, DNS_RD);
        answer(1, 5000 + i, i, name, 0);
    }
    assert_int_equal(told[TRANSPORT_DOWNGRADE], 0);
}

static void resolvers_remember_that_a_server_lacks_edns(void **state)
{
    (void)state;
    char name[32];
    for (unsigned recursion = 0; recursion <= DNS_RD; recursion += DNS_RD) {
        unsigned client = recursion ? 9 : 1; /* a user's machine asks in many ways */
        ask(client, 4000, 1, "n0.example.test", true, recursion);
        answer(client, 4000, 1, "n0.example.test", 1);
        for (unsigned i = 0; i < 6; i++, now += 60 * SECOND) {
            snprintf(name, sizeof name, "n%u.example.test", i);
            ask(client, 5000 + i, i, name, false, recursion);
            answer(client, 5000 + i, i, name, 0);
        }
        assert_true(told[TRANSPORT_DOWNGRADE] > 0);
        assert_int_equal(last.client == NULL, 0);
        if (recursion)
            assert_int_equal(told[TRANSPORT_DOWNGRADE], 4);
    }
}

static void clients_that_ask_both_ways_fall_back_from_nothing(void **state)
{
    (void)state;
    char name[32];
    for (unsigned i = 0; i < 12; i++, now += SECOND) {
        snprintf(name, sizeof name, "n%u.example.test", i);
        ask(1, 4000 + i, i, name, true, 0);
        answer(1, 4000 + i, i, name, 0);
        ask(1, 5000 + i, i, name, false, 0);
        answer(1, 5000 + i, i, name, 0);
    }
    for (unsigned i = 0; i < 12; i++, now += 11 * SECOND) { /* in vain, but long ago */
        ask(1, 4000 + i, i, "late.example.test", true, 0);
        now += 11 * SECOND;
        ask(1, 5000 + i, i, "late.example.test", false, 0);
        answer(1, 5000 + i, i, "late.example.test", 0);
    }
    assert_int_equal(told[TRANSPORT_DOWNGRADE], 0);
}

/* --- tunnels --- */

static uint8_t wire[512];

/* A response with one record of that type, its rdata filled with `seed`. */
static void carry(unsigned number, const char *domain, unsigned type, unsigned seed, unsigned size)
{
    char name[128];
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    for (unsigned i = 0; i < 48; i++)
        name[i] = digits[(number * 2654435761u >> i % 24 ^ i * 7) % 32];
    snprintf(name + 48, sizeof name - 48, ".%s", domain);
    struct datagram d = packet(1, 4000, false);
    say(1, name, type, DNS_QR);
    memset(wire, 0, sizeof wire);
    memcpy(wire, &seed, sizeof seed);
    message.bytes = wire;
    message.size = sizeof wire;
    message.rr_count = size > 0;
    message.rrs[0] = (struct dns_rr){
        .type = (uint16_t)type, .class = 1, .rdata = 0, .rdlen = (uint16_t)size, .section = 1};
    transport_read(transport, &d, &message);
    now += 10 * MS;
}

static void data_in_names_and_answers_is_a_tunnel(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 39; i++)
        carry(i, "t.example.test", 10, i, 120);
    assert_int_equal(told[TRANSPORT_TUNNEL], 0);
    for (unsigned i = 39; i < 45; i++) /* a few may look alike to the counter */
        carry(i, "t.example.test", 10, i, 120);
    assert_int_equal(told[TRANSPORT_TUNNEL], 1);
    const struct finding *f = only_finding();
    assert_string_equal(rule_text(f->rule)->id, "tunnel-shape");
    assert_memory_equal(f->zone, N("t.example.test"), name_size(f->zone));
}

static void names_alone_are_one_when_there_are_many(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 70; i++)
        carry(i, "t.example.test", 16, 1, 20); /* one answer for all: perhaps a reputation */
    assert_int_equal(told[TRANSPORT_TUNNEL], 0);
    for (unsigned i = 70; i < 90; i++)
        carry(i, "t.example.test", 16, 1, 20);
    assert_int_equal(told[TRANSPORT_TUNNEL], 1);
}

static void look_alikes_are_no_tunnel(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        carry(i, "hash.one.test", 1, i, 4);           /* addresses */
        carry(i, "same.two.test", 5, 1, 200);         /* one alias for all */
        carry(i, "none.three.test", 28, i, 0);        /* no data */
        carry(i, "_domainkey.four.test", 16, i, 200); /* says what it is for */
        carry(i, "a.sophosxl.net", 16, i, 200);       /* known */
        carry(i % 30, "few.five.test", 16, i, 200);   /* asked again */
    }
    assert_int_equal(told[TRANSPORT_TUNNEL], 0);
}

/* --- races: the rule alone --- */

static enum severity race_of(enum verdict_kind first, enum verdict_kind second)
{
    const struct fact_contender contender[2] = {
        {.set = txt_of("www.example.test", "true"), .verdict = first, .frame = 11, .time_ns = 1},
        {.set = txt_of("www.example.test", "forged"),
         .verdict = second,
         .frame = 12,
         .time_ns = 2}};
    static const uint8_t address[16] = {192, 0, 2, 1};
    struct fact_transport what = {.kind = TRANSPORT_RACE,
                                  .family = 4,
                                  .client = address,
                                  .server = address,
                                  .contender = contender};
    const struct fact fact = {.kind = FACT_TRANSPORT,
                              .time_ns = now,
                              .zone = N("example.test"),
                              .observed = {.owner = N("www.example.test"), .type = 16},
                              .transport = &what};
    struct finding *findings[4];
    rules_free(rules);
    rules = rules_default(NULL);
    rules_judge(rules, &fact, findings, 4);
    enum severity severity = only_finding()->severity;
    assert_string_equal(rule_text(only_finding()->rule)->id, "spoof-race");
    what.over = true;
    rules_judge(rules, &fact, findings, 4);
    assert_int_equal(only_finding()->state, FINDING_CLOSED);
    return severity;
}

static void a_race_is_graded_by_who_validates(void **state)
{
    (void)state;
    assert_int_equal(race_of(VERDICT_SECURE, VERDICT_BOGUS), SEVERITY_CRITICAL);
    assert_int_equal(race_of(VERDICT_INDETERMINATE, VERDICT_SECURE), SEVERITY_CRITICAL);
    assert_int_equal(race_of(VERDICT_BOGUS, VERDICT_BOGUS), SEVERITY_CRITICAL);
    assert_int_equal(race_of(VERDICT_INSECURE, VERDICT_INSECURE), SEVERITY_HIGH);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, finish)
    const struct CMUnitTest tests[] = {
        TEST(guesses_at_an_open_query_are_a_flood),
        TEST(guesses_without_a_query_are_none),
        TEST(popular_questions_are_no_flood),
        TEST(reflection_is_told_where_queries_are_seen),
        TEST(one_way_taps_show_no_reflection),
        TEST(responses_to_queries_before_the_capture_are_left_out),
        TEST(syn_without_reply_is_blocked),
        TEST(syn_sent_again_in_vain_is_blocked),
        TEST(one_lost_syn_is_not),
        TEST(a_burst_over_several_servers_is_blocked),
        TEST(a_burst_at_one_server_is_not),
        TEST(refused_connections_are_blocked),
        TEST(syn_without_truncation_is_none),
        TEST(a_handshake_or_a_message_over_tcp_is_enough),
        TEST(asking_again_without_tcp_is_blocked),
        TEST(clients_that_make_nothing_of_tc_are_not),
        TEST(different_questions_without_tcp_are_not),
        TEST(without_edns_after_formerr_is_a_downgrade),
        TEST(users_of_one_address_do_not_fall_back),
        TEST(resolvers_remember_that_a_server_lacks_edns),
        TEST(clients_that_ask_both_ways_fall_back_from_nothing),
        TEST(data_in_names_and_answers_is_a_tunnel),
        TEST(names_alone_are_one_when_there_are_many),
        TEST(look_alikes_are_no_tunnel),
        TEST(a_race_is_graded_by_who_validates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
