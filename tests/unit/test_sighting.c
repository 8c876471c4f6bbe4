/*
 * test_sighting: what the history is told: each RRset, how often, when and from whom, whatever the
 * receiver's pace.
 */
#include "analyze/tell/sighting.h"

#include "history/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)
#define TOLD   64

static struct settings settings;
static struct answers answers;
static struct sightings *sightings;
static struct dns_message message;
static struct { /* what was told; the messages themselves follow each other */
    struct record record[TOLD];
    uint8_t *bytes[TOLD];
    size_t count;
    size_t room; /* how many more are taken */
    bool gone, waited;
} told;

static bool tell(void *context, const void *head, size_t head_size, const void *body,
                 size_t body_size, bool wait)
{
    (void)context;
    told.waited |= wait;
    if (told.gone || (told.room == 0 && !wait))
        return false;
    assert_true(told.count < TOLD);
    uint8_t *bytes = malloc(head_size + body_size);
    memcpy(bytes, head, head_size);
    memcpy(bytes + head_size, body, body_size);
    told.bytes[told.count] = bytes;
    assert_true(record_read(bytes, head_size + body_size, &told.record[told.count]));
    told.count++;
    told.room -= told.room > 0;
    return true;
}

static bool is_gone(void *context)
{
    (void)context;
    return told.gone;
}

static void start(bool is_patient)
{
    struct sighting_outputs out = {tell, is_gone, NULL, is_patient};
    sightings = sighting_new(&out, &answers, 7);
    assert_non_null(sightings);
    told.room = TOLD;
}

static int setup(void **state)
{
    (void)state;
    memset(&told, 0, sizeof told);
    settings_default(&settings);
    settings.memory_bytes = 64u << 20;
    return answers_init(&answers, &settings, NULL, NULL, 1);
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < told.count; i++)
        free(told.bytes[i]);
    sighting_free(sightings);
    answers_fini(&answers);
    return 0;
}

static struct datagram datagram_from(uint8_t server, int64_t second)
{
    static uint64_t frame = 1;
    struct datagram dg = {.flow = {.family = 4, .src = {192, 0, 2, server}},
                          .time_ns = second * SECOND,
                          .frame = frame,
                          .frames = &frame,
                          .frame_count = 1};
    return dg;
}

/* A response with AA=1: "<letter>.z. A 192.0.2.1", and, to every question, "z. NS a.z.". */
static struct answer *answer_for(char letter, uint8_t server, int64_t second)
{
    uint8_t bytes[] = {0, 1,   0x84, 0, 0,  1,   0, 1,    0,   1,    0,  0, 1, (uint8_t)letter,
                       1, 'z', 0,    0, 1,  0,   1, 0xc0, 12,  0,    1,  0, 1, 0,
                       0, 0,   60,   0, 4,  192, 0, 2,    1,   0xc0, 14, 0, 2, 0,
                       1, 0,   0,    0, 60, 0,   4, 1,    'a', 0xc0, 14};
    struct datagram dg = datagram_from(server, second);
    struct draft draft;
    bool fresh;
    dg.bytes = bytes;
    dg.size = dg.wire_size = sizeof bytes;
    assert_int_equal(message_parse(bytes, sizeof bytes, sizeof bytes, &message), MESSAGE_WHOLE);
    answers_draft(&answers, &dg, &message, NULL, NULL, &draft);
    struct answer *a = answers_commit(&answers, &draft, &dg, &fresh);
    assert_non_null(a);
    sighting_again(sightings, a, &dg, fresh);
    return a;
}

static void again(struct answer *a, uint8_t server, int64_t second)
{
    struct datagram dg = datagram_from(server, second);
    answers_again(&answers, a, &dg);
    sighting_again(sightings, a, &dg, false);
}

/* The nth telling of that type. */
static const struct record *told_of(uint16_t type, size_t nth)
{
    for (size_t i = 0; i < told.count; i++)
        if (told.record[i].head.type == type && nth-- == 0)
            return &told.record[i];
    return NULL;
}

static void test_new_at_once(void **state)
{
    (void)state;
    start(true);
    struct answer *a = answer_for('a', 1, 10);
    sighting_flush(sightings);
    assert_int_equal(told.count, 2);
    const struct record *r = told_of(1, 0);
    assert_int_equal(r->head.count, 1);
    assert_int_equal(r->head.first_ns, 10 * SECOND);
    assert_int_equal(r->head.records, 1);
    assert_int_equal(r->head.ttl, 60);
    assert_int_equal(r->head.servers, 1);
    assert_int_equal(r->server[0].address[3], 1);
    assert_true(r->server[0].aa);
    again(a, 1, 20);
    again(a, 2, 5); /* captures need not be in order */
    again(a, 1, 30);
    sighting_flush(sightings);
    assert_int_equal(told.count, 2); /* what is known may wait */
    sighting_gather(sightings);
    sighting_flush(sightings);
    assert_int_equal(told.count, 4);
    r = told_of(1, 1);
    assert_int_equal(r->head.count, 3);
    assert_int_equal(r->head.first_ns, 5 * SECOND);
    assert_int_equal(r->head.last_ns, 30 * SECOND);
    assert_int_equal(r->head.servers, 2);
    for (uint8_t i = 0; i < 2; i++) {
        bool first = r->server[i].address[3] == 1;
        assert_int_equal(r->server[i].count, first ? 2 : 1);
        assert_int_equal(r->server[i].first_ns, (first ? 20 : 5) * SECOND);
    }
}

/* Every response is told, once, however the tellings fall. */
static void test_sums(void **state)
{
    (void)state;
    uint64_t count = 0, by_server = 0;
    start(true);
    struct answer *a = answer_for('a', 1, 1), *b = answer_for('b', 1, 1);
    for (uint8_t i = 0; i < 100; i++) {
        again(i & 1 ? a : b, (uint8_t)(i % 5), i);
        if (i % 7 == 0)
            sighting_flush(sightings);
        if (i % 31 == 0)
            sighting_gather(sightings);
    }
    sighting_forget(sightings, true);
    for (size_t i = 0; i < told.count; i++) {
        const struct record *r = &told.record[i];
        count += r->head.type == 2 ? r->head.count : 0;
        for (uint8_t k = 0; k < r->head.servers; k++)
            by_server += r->head.type == 2 ? r->server[k].count : 0;
    }
    assert_int_equal(count, 102); /* the NS RRset was in all of them */
    assert_int_equal(by_server, 102);
    assert_int_equal(sighting_lost(sightings), 0);
    assert_int_equal(answers.noted_bytes, 0);
}

static void test_servers_are_bounded(void **state)
{
    (void)state;
    uint64_t named = 0;
    start(true);
    struct answer *a = answer_for('a', 0, 1);
    for (int round = 0; round < 3; round++)
        for (uint8_t i = 0; i < 20; i++)
            again(a, i, 2);
    sighting_forget(sightings, true);
    const struct record *r = told_of(1, 0);
    assert_int_equal(r->head.servers, SIGHTING_SERVERS_MAX);
    assert_true(r->head.more_servers);
    assert_int_equal(r->head.count, 61);
    for (uint8_t i = 0; i < r->head.servers; i++)
        named += r->server[i].count;
    assert_true(named >= 3 * (SIGHTING_SERVERS_MAX - 1) && named < 61);
}

/* A receiver that lags is told later, of all at once. */
static void test_lag(void **state)
{
    (void)state;
    start(false);
    told.room = 1;
    struct answer *a = answer_for('a', 1, 10);
    sighting_flush(sightings);
    assert_int_equal(told.count, 1);
    for (int i = 0; i < 5; i++)
        again(a, 1, 11 + i);
    sighting_gather(sightings);
    sighting_flush(sightings);
    assert_int_equal(told.count, 1);
    assert_false(told.waited);
    assert_true(answers.noted_bytes > 0);
    told.room = TOLD;
    sighting_flush(sightings);
    assert_int_equal(told.count, 3);
    uint64_t count = 0;
    for (size_t i = 0; i < told.count; i++)
        count += told.record[i].head.count;
    assert_int_equal(count, 12);
    assert_int_equal(sighting_lost(sightings), 0);
}

/* What must be forgotten is waited for in a replay, and lost in a capture: counted. */
static void test_forget(void **state)
{
    (void)state;
    start(false);
    told.room = 0;
    answer_for('a', 1, 10);
    sighting_forget(sightings, false);
    answers_forget(&answers);
    assert_int_equal(told.count, 0);
    assert_false(told.waited);
    assert_int_equal(sighting_lost(sightings), 2);
    assert_int_equal(answers.noted_bytes, 0);
    sighting_free(sightings);
    start(true);
    told.room = 0;
    answer_for('b', 1, 10);
    sighting_forget(sightings, false);
    answers_forget(&answers);
    assert_int_equal(told.count, 2);
    answer_for('b', 1, 11); /* made anew, told anew */
    sighting_forget(sightings, true);
    assert_int_equal(told.count, 4);
    assert_int_equal(sighting_lost(sightings), 0);
}

static void test_gone(void **state)
{
    (void)state;
    start(false);
    told.gone = true;
    answer_for('a', 1, 10);
    sighting_flush(sightings);
    assert_int_equal(sighting_lost(sightings), 2);
    assert_int_equal(answers.noted_bytes, 0);
}

/* A verdict that changed later is told without a response. */
static void test_verdict(void **state)
{
    (void)state;
    start(true);
    struct answer *a = answer_for('a', 1, 10);
    sighting_flush(sightings);
    struct rrset *set = answer_nth(a, 0)->set;
    set->judged.done = true;
    set->judged.reason = REASON_SIG_BAD;
    sighting_forget(sightings, true);
    const struct record *r = &told.record[told.count - 1];
    assert_int_equal(r->head.reason, REASON_SIG_BAD);
    assert_int_equal(r->head.count, 0);
    size_t before = told.count;
    sighting_forget(sightings, true);
    assert_int_equal(told.count, before);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_new_at_once), TEST(test_sums),   TEST(test_servers_are_bounded),
        TEST(test_lag),         TEST(test_forget), TEST(test_gone),
        TEST(test_verdict)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
