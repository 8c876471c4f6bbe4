/*
 * walks: who follows an NSEC chain and who gathers NSEC3 hashes, and who only looks like it.
 */
#include "analyze/follow/walks.h"

#include "analyze/canon.h"
#include "analyze/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above before it */
#include <cmocka.h>

#define SECOND_NS INT64_C(1000000000)
#define HOSTS     60

static struct walks *walks;
static struct fact_walk last; /* what was told last */
static unsigned told, ended;
static int64_t now;
static struct flow flow;

static void on_walk(void *context, const struct answer *a, const struct fact_walk *fact,
                    const uint8_t *zone)
{
    (void)context;
    uint8_t apex[NAME_MAX_BYTES];
    name_parse("x.", apex);
    assert_true(name_equal(zone, apex));
    last = *fact;
    told += a != NULL;
    ended += fact->over;
    assert_int_equal(a == NULL, fact->over);
}

static int begin(void **state)
{
    (void)state;
    walks = walks_new(4711, on_walk, NULL);
    told = ended = 0;
    now = 1800000000 * SECOND_NS;
    last = (struct fact_walk){0};
    flow = (struct flow){.family = 4, .dst = {192, 0, 2, 7}};
    return walks ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    walks_free(walks);
    return 0;
}

struct made { /* an answer with one denial */
    struct answer answer;
    struct rrset set;
    struct signature signature;
    uint8_t qname[NAME_MAX_BYTES], owner[NAME_MAX_BYTES], zone[NAME_MAX_BYTES];
    uint8_t records[2 + 300 + 2];
};

static void make(struct made *m, const char *qname, uint16_t qtype, uint16_t type,
                 enum answer_kind kind)
{
    memset(m, 0, sizeof *m);
    name_parse(qname, m->qname);
    name_parse("x.", m->zone);
    m->signature.signer = m->zone;
    m->set.type = type;
    m->set.owner = m->owner;
    m->set.count = m->set.signatures = 1;
    m->set.signature = &m->signature;
    m->set.records = m->records;
    m->signature.rdata = m->records + 2;
    m->answer.kind = kind;
    m->answer.qname = m->qname;
    m->answer.qtype = qtype;
    m->answer.count = 1;
    m->answer.reason = REASON_DENIAL;
    m->answer.sets = 1;
    m->answer.set[0] = (struct answer_set){.set = &m->set, .section = SECTION_AUTHORITY};
}

static void put(struct made *m, const void *rdata, size_t size)
{
    uint16_t length = (uint16_t)size;
    memcpy(m->records, &length, sizeof length);
    memcpy(m->records + 2, rdata, size);
    m->signature.rdata = m->records + 2 + size + 2; /* behind the records and its own size */
}

static void note(struct made *m)
{
    if (walks_wants(&m->answer))
        walks_note(walks, &m->answer, &flow, now);
    now += SECOND_NS / 20;
}

/* The i-th of HOSTS names in canonical order; before the first stands the apex. */
static const char *host(unsigned i, char ret_text[64])
{
    snprintf(ret_text, 64, i == 0 || i == HOSTS ? "x." : "host%02u.x.", i);
    return ret_text;
}

static void ask(const char *qname, uint16_t qtype, enum answer_kind kind, unsigned owner)
{
    struct made m;
    char text[64];
    uint8_t next[NAME_MAX_BYTES + 3];
    make(&m, qname, qtype, TYPE_NSEC, kind);
    name_parse(host(owner, text), m.owner);
    size_t size = name_parse(host(owner + 1, text), next);
    memcpy(next + size, "\0\1\x40", 3);
    put(&m, next, size + 3);
    note(&m);
}

static void ask_after(unsigned owner)
{
    char text[64], qname[80];
    snprintf(qname, sizeof qname, "\\000.%s", host(owner, text));
    ask(qname, TYPE_A, ANSWER_NXDOMAIN, owner);
}

/* A zone too large to be walked whole here. */
static void ask_random(unsigned seed)
{
    char text[64], qname[80];
    unsigned owner = seed * 2654435761u % HOSTS;
    snprintf(qname, sizeof qname, "wrong%u.%s", seed, host(owner, text));
    ask(qname, TYPE_A, ANSWER_NXDOMAIN, owner);
}

static void whole_chain(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HOSTS; i++)
        ask_after(i);
    assert_true(last.whole);
    assert_int_equal(last.names, HOSTS);
    assert_int_equal(last.unasked, 0);
    assert_false(last.nsec3);
    assert_memory_equal(last.client, flow.dst, 16);
}

static void from_the_middle_with_other_questions(void **state)
{
    (void)state;
    for (unsigned i = 20; i < 56; i++) {
        ask_after(i);
        ask_after(i); /* asked twice */
        if (i % 4 == 0)
            ask_random(i);
    }
    assert_false(last.whole);
    assert_true(last.names >= 32);
}

static void questions_for_nsec_itself(void **state)
{
    (void)state;
    char text[64];
    for (unsigned i = 0; i < 16; i++)
        ask(host(i, text), TYPE_NSEC, ANSWER_POSITIVE, i);
    assert_int_equal(last.names, 16);
    assert_int_equal(last.unasked, 0);
}

static void every_host_in_order_is_unasked(void **state)
{
    (void)state;
    char text[64];
    for (unsigned i = 1; i < 57; i++)
        ask(host(i, text), TYPE_AAAA, ANSWER_NODATA, i);
    assert_int_equal(last.names, last.unasked);
}

static void typing_errors_are_no_walk(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5000; i++)
        ask_random(i);
    assert_true(told == 0 || last.names - last.unasked < 16);
}

static void two_clients_are_two_walks(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 14; i++) {
        flow.dst[3] = i % 2 ? 7 : 8;
        ask_after(i);
    }
    assert_int_equal(told, 0);
}

static void a_pause_ends_the_row(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 7; i++)
        ask_after(i);
    now += 3600 * SECOND_NS;
    for (unsigned i = 7; i < 14; i++)
        ask_after(i);
    assert_int_equal(told, 0);
}

static void over_after_an_hour(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 16; i++)
        ask_after(i);
    assert_int_equal(told, 2);
    flow.dst[3] = 99;
    now += 3599 * SECOND_NS;
    ask_random(1);
    assert_int_equal(ended, 0);
    now += 100 * SECOND_NS;
    ask_random(2);
    assert_int_equal(ended, 1);
    now += 7200 * SECOND_NS;
    ask_random(3);
    assert_int_equal(ended, 1);
}

static void what_many_ask_is_left_out(void **state)
{
    struct made m;
    (void)state;
    make(&m, "nx.x.", TYPE_A, TYPE_NSEC, ANSWER_NXDOMAIN);
    m.answer.count = WALKS_REPEATS + 1;
    assert_false(walks_wants(&m.answer));
    m.answer.count = WALKS_REPEATS;
    assert_true(walks_wants(&m.answer));
}

static void bogus_denials_frame_nobody(void **state)
{
    struct made m;
    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        char text[64];
        uint8_t next[NAME_MAX_BYTES];
        make(&m, "a.x.", TYPE_A, TYPE_NSEC, ANSWER_NXDOMAIN);
        m.answer.reason = REASON_SIG_BAD;
        name_parse(host(i, text), m.owner);
        put(&m, next, name_parse(host(i + 1, text), next));
        note(&m);
    }
    assert_int_equal(told, 0);
}

/* --- NSEC3: the hash space in so many spans of one size --- */

#define SPANS 20

static void guess(unsigned span, const char *zone_label)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    struct made m;
    char qname[80];
    static unsigned count;
    uint8_t rdata[5 + 21] = {1, 0, 0, 0, 0, 20}, hash[20] = {0};
    snprintf(qname, sizeof qname, "r%u%s.x.", count++, zone_label);
    make(&m, qname, TYPE_A, TYPE_NSEC3, ANSWER_NXDOMAIN);
    hash[0] = (uint8_t)(span * 256 / SPANS);
    rdata[6] = (uint8_t)((span + 1) % SPANS * 256 / SPANS);
    m.owner[0] = 32;
    for (unsigned i = 0; i < 32; i++)
        m.owner[1 + i] = (uint8_t)digits[i == 0 ? hash[0] >> 3 : i == 1 ? (hash[0] & 7) << 2 : 0];
    memcpy(m.owner + 33, m.zone, name_size(m.zone));
    put(&m, rdata, sizeof rdata);
    note(&m);
}

static void guessed_at_random(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 200; i++)
        guess(i * 2654435761u % 4093 % SPANS, "");
    assert_true(last.nsec3);
    assert_int_equal(last.names, SPANS);
    assert_true(last.share >= 99);
    assert_true(last.wasted > 100);
}

static void guessed_with_care(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SPANS; i++)
        guess(i, "");
    assert_int_equal(last.names, SPANS);
    assert_int_equal(last.wasted, 0);
}

static void slowly_is_not_collecting(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        guess(i * 7 % SPANS, "");
        now += SECOND_NS;
    }
    assert_int_equal(told, 0);
}

static void who_asks_other_things_does_not_collect(void **state)
{
    struct made m;
    (void)state;
    for (unsigned i = 0; i < 400; i++) {
        guess(i * 7 % SPANS, "");
        make(&m, "www.y.", TYPE_A, TYPE_A, ANSWER_POSITIVE);
        m.answer.reason = REASON_CHAIN;
        note(&m);
    }
    assert_int_equal(told, 0);
}

static void names_of_more_labels_are_no_guesses(void **state)
{ /* a search suffix put behind names of the world */
    (void)state;
    for (unsigned i = 0; i < 200; i++)
        guess(i * 7 % SPANS, ".com");
    assert_int_equal(told, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whole_chain),
        TEST(from_the_middle_with_other_questions),
        TEST(questions_for_nsec_itself),
        TEST(every_host_in_order_is_unasked),
        TEST(typing_errors_are_no_walk),
        TEST(two_clients_are_two_walks),
        TEST(a_pause_ends_the_row),
        TEST(over_after_an_hour),
        TEST(what_many_ask_is_left_out),
        TEST(bogus_denials_frame_nobody),
        TEST(guessed_at_random),
        TEST(guessed_with_care),
        TEST(slowly_is_not_collecting),
        TEST(who_asks_other_things_does_not_collect),
        TEST(names_of_more_labels_are_no_guesses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
