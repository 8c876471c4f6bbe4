/*
 * test_tcp: messages out of streams: cut, joined, out of order, repeated, lost, in the middle.
 */
#include "tests/unit/packets.h"

#include "analyze/decode/packet.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)

static struct frame f;
static struct received received;
static struct settings settings;
static struct dissect *d;
static uint64_t number;
static int64_t clock_ns;

/* Messages 1 to MESSAGES of various sizes, each behind its length, as a stream. */
enum { MESSAGES = 20 };
static uint8_t stream[MESSAGES * 2000];
static size_t stream_size, starts[MESSAGES + 1];
static uint32_t isn; /* sequence number of the first byte */
static unsigned client = 4000;

static int set_up(void **state)
{
    (void)state;
    settings_default(&settings);
    d = dissect_new(&settings, receive, &received);
    received.count = 0;
    number = 0;
    clock_ns = 0;
    isn = 1000;
    client = 4000;
    stream_size = 0;
    for (unsigned i = 0; i < MESSAGES; i++) {
        size_t size = 40 + i * i * 4;
        starts[i] = stream_size;
        stream[stream_size++] = (uint8_t)(size >> 8);
        stream[stream_size++] = (uint8_t)size;
        stream_size += build_message(stream + stream_size, i + 1, size);
    }
    starts[MESSAGES] = stream_size;
    return d ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    dissect_free(d);
    return 0;
}

static bool segment(size_t from, size_t to, unsigned flags)
{
    build_start(&f, 101);
    build_ipv4(&f, 1, 2, IPPROTO_TCP, 0, 0);
    build_tcp(&f, 53, client, isn + (uint32_t)from, flags | 0x10);
    build_bytes(&f, stream + from, to - from);
    f.record.number = ++number;
    f.record.time_ns = clock_ns;
    return dissect_frame(d, build_close(&f));
}

static void syn(void)
{
    isn--;
    segment(0, 0, TCP_SYN);
    isn++;
}

/* All messages from number `first` on arrived, whole, in order. */
static void expect_all_from(unsigned first)
{
    assert_int_equal(received.count, MESSAGES + 1 - first);
    for (unsigned i = 0; i < received.count; i++) {
        assert_int_equal(received.each[i].id, first + i);
        assert_true(received.each[i].intact);
        assert_int_equal(received.each[i].size, received.each[i].wire_size);
    }
}

static void any_size_of_segment(void **state)
{
    (void)state;
    for (size_t size = 1; size <= stream_size; size += size < 100 ? 1 : 379) {
        received.count = 0;
        client++;
        if (size % 2)
            isn = (uint32_t)0 - (uint32_t)stream_size / 2; /* numbers wrap */
        syn();
        for (size_t at = 0; at < stream_size; at += size) {
            size_t to = at + size < stream_size ? at + size : stream_size;
            bool held = segment(at, to, 0);
            bool ends = false; /* a message ends right there */
            for (unsigned i = 0; i <= MESSAGES; i++)
                ends |= starts[i] == to;
            assert_int_equal(held, !ends);
        }
        segment(stream_size, stream_size, TCP_FIN);
        expect_all_from(1);
    }
    assert_int_equal(dissect_counters(d)->streams_lost, 0);
}

static void frames(void **state)
{
    (void)state;
    syn();
    segment(0, starts[1] + 10, 0);             /* 2: message 1 and a bit of 2 */
    segment(starts[2] - 5, starts[3] + 1, 0);  /* 3: out of order */
    segment(starts[1] + 10, starts[2] - 5, 0); /* 4 */
    segment(starts[3] + 1, starts[4], 0);      /* 5 */
    assert_int_equal(received.count, 4);
    static const struct {
        size_t count;
        uint64_t first, last;
    } want[] = {{1, 2, 2}, {3, 2, 4}, {1, 3, 3}, {2, 3, 5}};
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(received.each[i].frame_count, want[i].count);
        assert_int_equal(received.each[i].first_frame, want[i].first);
        assert_int_equal(received.each[i].frame, want[i].last);
        assert_true(received.each[i].intact);
    }
}

/* Segments in random order, repeated and overlapping, with what a keep-alive sends. */
static void any_order(void **state)
{
    (void)state;
    srand(1);
    for (unsigned run = 0; run < 200; run++) {
        enum { PARTS = 40 };
        size_t part = (stream_size + PARTS - 1) / PARTS, order[PARTS];
        received.count = 0;
        client++;
        isn = (uint32_t)rand() << 1 ^ (uint32_t)rand();
        syn();
        for (size_t i = 0; i < PARTS; i++) {
            size_t j = (size_t)rand() % (i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        for (size_t i = 0; i < PARTS; i++) {
            size_t from = order[i] * part, to = from + part + (size_t)rand() % part;
            if (run % 2 && from > 30)
                from -= (size_t)rand() % 30;
            segment(from, to < stream_size ? to : stream_size, 0);
            if (rand() % 4 == 0)
                segment(from, from + 1, 0);
        }
        segment(stream_size - 1, stream_size - 1, 0);
        expect_all_from(1);
        segment(0, stream_size, 0); /* all of it again */
        expect_all_from(1);
    }
    assert_int_equal(dissect_counters(d)->streams_lost, 0);
    dissect_finish(d);
    expect_all_from(1);
}

static void syn_with_data(void **state)
{
    (void)state;
    isn--;
    build_start(&f, 101);
    build_ipv4(&f, 1, 2, IPPROTO_TCP, 0, 0);
    build_tcp(&f, 53, client, isn, TCP_SYN);
    build_bytes(&f, stream, starts[2]);
    f.record.number = ++number;
    dissect_frame(d, build_close(&f));
    isn++;
    assert_int_equal(received.count, 2);
    syn(); /* sent again */
    segment(starts[2], stream_size, 0);
    expect_all_from(1);
}

/* No SYN, and the first segment starts anywhere in a message. */
static void in_the_middle(void **state)
{
    (void)state;
    for (size_t from = 0; from < starts[6]; from += 7) {
        unsigned next = 0; /* first message that starts at or after `from` */
        while (starts[next] < from)
            next++;
        received.count = 0;
        client++;
        for (size_t at = from; at < stream_size; at += 333)
            segment(at, at + 333 < stream_size ? at + 333 : stream_size, 0);
        expect_all_from(next + 1);
    }
}

/* A lost segment costs the messages it carried, no others. */
static void gap(void **state)
{
    (void)state;
    syn();
    segment(0, starts[5] + 50, 0);
    segment(starts[5] + 100, starts[10], 0); /* 50 bytes of message 6 are missing */
    assert_int_equal(received.count, 5);
    clock_ns = 5 * SECOND;
    segment(starts[10], starts[11], 0);
    assert_int_equal(received.count, 5);
    clock_ns = 12 * SECOND;
    segment(starts[11], starts[12], 0);
    assert_int_equal(received.count, 12);
    for (unsigned i = 0; i < 12; i++) {
        assert_int_equal(received.each[i].id, i + 1);
        assert_true(received.each[i].intact);
        assert_int_equal(received.each[i].size,
                         i == 5 ? 48 : received.each[i].wire_size); /* 50 less the length */
    }
    assert_int_equal(dissect_counters(d)->streams_lost, 1);
    /* the boundary itself is lost, at the end of the capture */
    segment(starts[12], starts[13] - 4, 0);
    segment(starts[14] + 30, starts[17], 0);
    dissect_finish(d);
    assert_int_equal(received.count, 12 + 1 + 2);
    assert_int_equal(received.each[12].id, 13);
    assert_true(received.each[12].size < received.each[12].wire_size);
    assert_int_equal(received.each[13].id, 16);
    assert_int_equal(received.each[14].id, 17);
}

static void window_moves_on(void **state)
{
    (void)state;
    syn();
    segment(0, starts[1], 0);
    segment(starts[2], starts[3], 0);
    assert_int_equal(received.count, 1);
    uint32_t before = isn;
    isn += (uint32_t)settings.stream_bytes; /* message 5 again, far on */
    segment(starts[4], starts[5], 0);
    assert_int_equal(received.count, 3);
    assert_int_equal(received.each[1].id, 3);
    assert_int_equal(received.each[2].id, 5);
    isn = before + UINT32_C(0x90000000); /* another connection, its SYN not seen */
    segment(starts[5], starts[6], 0);
    assert_int_equal(received.count, 4);
    assert_int_equal(received.each[3].id, 6);
}

static void new_connection(void **state)
{
    (void)state;
    syn();
    segment(0, starts[3] - 3, 0);
    segment(0, 0, TCP_RST); /* what there is of message 3 is told */
    assert_int_equal(received.count, 3);
    assert_true(received.each[2].size < received.each[2].wire_size);
    received.count = 0;
    isn = 77777;
    syn();
    segment(0, stream_size, TCP_FIN);
    expect_all_from(1);
    assert_int_equal(dissect_counters(d)->streams, 1);
}

static void snapped(void **state)
{
    (void)state;
    syn();
    for (unsigned i = 10; i < 13; i++) {
        build_start(&f, 101);
        build_ipv4(&f, 1, 2, IPPROTO_TCP, 0, 0);
        build_tcp(&f, 53, client, isn + (uint32_t)(starts[i] - starts[10]), 0x10);
        build_bytes(&f, stream + starts[i], starts[i + 1] - starts[i]);
        build_close(&f);
        f.record.caplen = 128;
        f.record.number = ++number;
        /* the sensor keeps the first as its example of a packet captured short */
        assert_int_equal(dissect_frame(d, &f.record), i == 10);
        assert_int_equal(received.count, i - 9);
        assert_int_equal(received.each[i - 10].id, i + 1);
        assert_int_equal(received.each[i - 10].size, 128 - 40 - 2);
        assert_int_equal(received.each[i - 10].wire_size, starts[i + 1] - starts[i] - 2);
        assert_true(received.each[i - 10].intact);
    }
}

/* More streams than fit, and noise in them: bounded, nothing invented. */
static void many(void **state)
{
    (void)state;
    srand(9);
    for (unsigned i = 0; i < settings.streams + 100; i++) {
        client = i & 0xffff;
        segment(starts[1], starts[2] - 1, 0);
    }
    assert_int_equal(received.count, 100); /* evicted: cut, but told */
    assert_int_equal(received.each[0].id, 2);
    dissect_finish(d);
    assert_int_equal(received.count, settings.streams + 100);
    received.count = 0;
    client = 9;
    uint8_t kept[sizeof(stream)];
    memcpy(kept, stream, sizeof(stream));
    for (unsigned i = 0; i < 2000; i++) {
        for (size_t k = 0; k < 500; k++)
            stream[k] = (uint8_t)rand();
        isn += 500;
        segment(0, 500, 0);
    }
    assert_int_equal(received.count, 0);
    memcpy(stream, kept, sizeof(stream));
    isn += 500;
    segment(0, stream_size, 0); /* and then a message after all */
    expect_all_from(1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(any_size_of_segment),
        TEST(frames),
        TEST(any_order),
        TEST(syn_with_data),
        TEST(in_the_middle),
        TEST(gap),
        TEST(window_moves_on),
        TEST(new_connection),
        TEST(snapped),
        TEST(many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
