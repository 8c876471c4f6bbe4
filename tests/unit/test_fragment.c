/*
 * test_fragment: datagrams in pieces: any order, repeated, overlapping, missing.
 */
#include "tests/unit/packets.h"

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

/* The UDP datagram that the pieces are cut from: 8 bytes of header and a message of 1000 - 8. */
static uint8_t udp[1000];

static int set_up(void **state)
{
    (void)state;
    settings_default(&settings);
    d = dissect_new(&settings, receive, &received);
    received.count = 0;
    number = 0;
    clock_ns = 0;
    memcpy(udp, "\0\x35\x0f\xa0\x03\xe8\0\0", 8);
    build_message(udp + 8, 9, sizeof(udp) - 8);
    return d ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    dissect_free(d);
    return 0;
}

/* Sends bytes [from, to) of the datagram as a fragment; says whether the frame is to be held. */
static bool piece(unsigned family, unsigned id, size_t from, size_t to)
{
    bool more = to < sizeof(udp);
    build_start(&f, 101);
    if (family == 4) {
        build_ipv4(&f, 1, 2, IPPROTO_UDP, id, (more ? 0x2000u : 0u) | (unsigned)from / 8);
    } else {
        build_ipv6(&f, 1, 2, 44);
        build_fragment6(&f, IPPROTO_UDP, id, (unsigned)from, more);
    }
    build_bytes(&f, udp + from, to - from);
    f.record.number = ++number;
    f.record.time_ns = clock_ns;
    return dissect_frame(d, build_close(&f));
}

/* Every order of four pieces, both families, once straight and once with each piece repeated. */
static void any_order(void **state)
{
    (void)state;
    static const size_t cuts[] = {0, 200, 400, 808, 1000};
    for (unsigned run = 0; run < 24 * 4; run++) {
        unsigned order[4] = {0, 1, 2, 3}, rest = run / 4, repeat = run & 1;
        for (unsigned i = 4; i > 1; i--) { /* the rest-th permutation */
            unsigned j = rest % i, kept = order[i - 1];
            rest /= i;
            order[i - 1] = order[j];
            order[j] = kept;
        }
        uint64_t first = number + 1;
        received.count = 0;
        for (unsigned i = 0; i < 4; i++)
            for (unsigned twice = 0; twice <= repeat; twice++) {
                bool held = piece(run & 2 ? 6 : 4, run, cuts[order[i]], cuts[order[i] + 1]);
                assert_int_equal(held, i < 3 && !twice);
            }
        assert_int_equal(received.count, 1);
        assert_true(received.each[0].intact);
        assert_int_equal(received.each[0].wire_size, 992);
        assert_int_equal(received.each[0].flow.sport, 53);
        assert_int_equal(received.last.frame_count, 4);
        for (unsigned i = 0; i < 4; i++)
            assert_int_equal(received.last.frames[i], first + i * (1 + repeat));
        assert_int_equal(received.last.frame, first + 3 * (1 + repeat));
    }
    dissect_finish(d);
    assert_int_equal(dissect_counters(d)->fragments_lost, 0);
}

static void overlaps(void **state)
{
    (void)state;
    for (unsigned family = 4; family <= 6; family += 2) {
        uint64_t lost = dissect_counters(d)->fragments_lost;
        received.count = 0;
        piece(family, 1, 0, 400);
        piece(family, 1, 320, 1000); /* the same bytes: IPv4 takes it (RFC 5722: IPv6 never) */
        piece(family, 1, 400, 1000);
        assert_int_equal(dissect_counters(d)->fragments_lost - lost, family == 6);
        assert_int_equal(received.count, 1);
        assert_int_equal(received.each[0].size, family == 4 ? 992 : 392);
        assert_int_equal(received.each[0].wire_size, 992);
        received.count = 0;
        piece(family, 2, 0, 400);
        udp[350] ^= 1;
        piece(family, 2, 320, 1000); /* other bytes: nobody takes it */
        udp[350] ^= 1;
        piece(family, 2, 400, 1000);
        assert_int_equal(received.count, 1);
        assert_true(received.each[0].intact && received.each[0].size == 392);
    }
    dissect_finish(d);
    assert_int_equal(dissect_counters(d)->fragments_lost, 3);
}

/* What contradicts itself is refused at once. */
static void impossible(void **state)
{
    (void)state;
    piece(4, 1, 0, 201); /* not a multiple of eight */
    piece(4, 2, 0, 400);
    piece(4, 2, 800, 1000);
    f.record.number = ++number;
    build_start(&f, 101); /* behind the end */
    build_ipv4(&f, 1, 2, IPPROTO_UDP, 2, 0x2000 | 1600 / 8);
    build_bytes(&f, udp, 8);
    dissect_frame(d, build_close(&f));
    build_start(&f, 101); /* above 65535 */
    build_ipv4(&f, 1, 2, IPPROTO_UDP, 3, 0x1fff);
    build_bytes(&f, udp, 8);
    dissect_frame(d, build_close(&f));
    assert_int_equal(dissect_counters(d)->fragments_lost, 3);
    assert_int_equal(received.count, 1); /* the first piece of the second, cut */
    assert_true(received.each[0].size < received.each[0].wire_size);
    dissect_finish(d);
    assert_int_equal(dissect_counters(d)->fragments_lost, 3);
}

static void missing(void **state)
{
    (void)state;
    piece(6, 1, 0, 400);
    piece(6, 2, 400, 1000); /* no start: nothing to tell */
    clock_ns = 29 * SECOND;
    piece(4, 9, 0, 400);
    assert_int_equal(dissect_counters(d)->fragments_lost, 0);
    clock_ns = 32 * SECOND;
    piece(4, 9, 400, 1000);
    assert_int_equal(dissect_counters(d)->fragments_lost, 2);
    assert_int_equal(received.count, 2);
    assert_int_equal(received.each[0].size, 392);
    assert_int_equal(received.each[0].wire_size, 992);
    assert_int_equal(received.each[0].frame, 1);
    assert_true(received.each[0].intact && received.each[1].intact);
    assert_int_equal(received.each[1].size, 992);
    /* the identification again, a little later: another datagram */
    clock_ns = 40 * SECOND;
    piece(4, 9, 0, 400);
    piece(4, 9, 400, 1000);
    assert_int_equal(received.count, 3);
    piece(4, 10, 0, 400);
    dissect_finish(d);
    assert_int_equal(received.count, 4);
    assert_int_equal(dissect_counters(d)->fragments_lost, 3);
}

/* More datagrams at once than the table holds: the oldest give way, memory stays bounded. */
static void evicted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < settings.datagrams + 50; i++)
        piece(6, i, 400, 800);
    assert_int_equal(dissect_counters(d)->fragments_lost, 50);
    assert_false(piece(6, 0, 0, 401));
    dissect_finish(d);
    assert_int_equal(dissect_counters(d)->fragments_lost, settings.datagrams + 51);
}

/* A fragment whose own capture is short leaves a hole that stays. */
static void snapped(void **state)
{
    (void)state;
    piece(4, 1, 0, 400);
    build_start(&f, 101);
    build_ipv4(&f, 1, 2, IPPROTO_UDP, 1, 400 / 8);
    build_bytes(&f, udp + 400, 600);
    build_close(&f);
    f.record.caplen -= 100;
    f.record.number = ++number;
    dissect_frame(d, &f.record);
    dissect_finish(d);
    assert_int_equal(received.count, 1);
    assert_int_equal(received.each[0].size, 892);
    assert_int_equal(received.each[0].wire_size, 992);
    assert_true(received.each[0].intact);
}

/* A tunnel's packet in fragments, carrying a fragment itself. */
static void nested(void **state)
{
    (void)state;
    static struct frame inner;
    static uint8_t block[2048];
    for (unsigned half = 0; half < 2; half++) {
        build_start(&inner, 101);
        build_ipv4(&inner, 1, 2, IPPROTO_UDP, 77, half ? 504 / 8 : 0x2000);
        build_bytes(&inner, half ? udp + 504 : udp, half ? 496 : 504);
        build_close(&inner);
        memcpy(block, inner.bytes, inner.size);
        for (unsigned part = 0; part < 2; part++) {
            build_start(&f, 101);
            build_ipv4(&f, 3, 4, IPPROTO_IPIP, half, part ? 256 / 8 : 0x2000);
            build_bytes(&f, part ? block + 256 : block, part ? inner.size - 256 : 256);
            f.record.number = ++number;
            dissect_frame(d, build_close(&f));
        }
    }
    assert_int_equal(received.count, 1);
    assert_true(received.each[0].intact);
    assert_int_equal(received.each[0].wire_size, 992);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {TEST(any_order), TEST(overlaps), TEST(impossible),
                                       TEST(missing),   TEST(evicted),  TEST(snapped),
                                       TEST(nested)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
