/*
 * test_gather: pieces in any order; against a plain array in a long random run.
 */
#include "analyze/decode/gather.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t text[] = "abcdefghijklmnopqrstuvwxyz";

static enum gather_result add(struct gather *g, size_t from, size_t to, uint64_t frame)
{
    struct origin o = {.frame = frame, .time_ns = (int64_t)frame * 10};
    return gather_add(g, from, text + from, to - from, &o, GATHER_AGREEING);
}

static void results(void **state)
{
    (void)state;
    struct gather g;
    struct origin o = {.frame = 9}, last;
    uint64_t frames[8];
    gather_init(&g);
    assert_int_equal(gather_whole(&g), 0);
    assert_true(gather_next(&g, 0) == SIZE_MAX);
    assert_int_equal(add(&g, 8, 16, 3), GATHER_NEW);
    assert_int_equal(gather_whole(&g), 0);
    assert_int_equal(gather_next(&g, 0), 8);
    assert_int_equal(add(&g, 8, 16, 4), GATHER_REPEATED);
    assert_int_equal(add(&g, 9, 15, 4), GATHER_OVERLAP);
    assert_int_equal(gather_add(&g, 6, text + 6, 4, &o, GATHER_DISTINCT), GATHER_OVERLAP);
    assert_int_equal(gather_next(&g, 0), 8);
    assert_int_equal(add(&g, 0, 4, 1), GATHER_NEW);
    assert_int_equal(gather_whole(&g), 4);
    assert_int_equal(add(&g, 2, 10, 2), GATHER_OVERLAP); /* fills 4 to 8 */
    assert_int_equal(gather_whole(&g), 16);
    assert_memory_equal(gather_bytes(&g), text, 16);
    assert_int_equal(gather_add(&g, 14, (const uint8_t *)"XXXX", 4, &o, GATHER_AGREEING),
                     GATHER_CONFLICT);
    assert_int_equal(gather_whole(&g), 16);
    assert_int_equal(gather_add(&g, 14, (const uint8_t *)"XXqr", 4, &o, GATHER_FIRST),
                     GATHER_CONFLICT);
    assert_int_equal(gather_whole(&g), 18);
    assert_memory_equal(gather_bytes(&g), text, 18); /* the first to come is kept */
    assert_int_equal(gather_frames(&g, 0, 18, frames, 8, &last), 4);
    assert_true(frames[0] == 1 && frames[1] == 2 && frames[2] == 3 && frames[3] == 9);
    assert_int_equal(last.frame, 9);
    assert_int_equal(gather_frames(&g, 5, 16, frames, 8, &last), 2);
    assert_int_equal(last.time_ns, 30);
    assert_int_equal(gather_frames(&g, 0, 18, frames, 2, &last), 2);
    assert_int_equal(last.frame, 9);
    assert_true(gather_cites(&g, 9));
    gather_drop(&g, 16);
    assert_int_equal(gather_whole(&g), 2);
    assert_memory_equal(gather_bytes(&g), text + 16, 2);
    assert_false(gather_cites(&g, 3));
    gather_drop(&g, 100);
    assert_int_equal(gather_held(&g), 0);
    gather_fini(&g);
}

static void joins(void **state)
{
    (void)state;
    enum { BYTES = 2000 };
    uint8_t bytes[BYTES];
    struct gather g;
    gather_init(&g);
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (uint8_t)(i * 31);
    for (size_t i = 0; i < BYTES; i++) { /* neighbours: joined, nothing lost */
        struct origin o = {.frame = i + 1};
        assert_int_equal(gather_add(&g, i, bytes + i, 1, &o, GATHER_DISTINCT), GATHER_NEW);
    }
    assert_int_equal(gather_whole(&g), BYTES);
    assert_memory_equal(gather_bytes(&g), bytes, BYTES);
    gather_fini(&g);
    size_t taken = 0;
    for (size_t i = 0; i < BYTES; i += 2) { /* gaps everywhere: refused at the limit */
        struct origin o = {.frame = i + 1};
        taken += gather_add(&g, i, bytes + i, 1, &o, GATHER_DISTINCT) == GATHER_NEW;
    }
    assert_int_equal(taken, GATHER_PIECES_MAX);
    gather_fini(&g);
}

static void random_run(void **state)
{
    (void)state;
    enum { SIZE = 900 };
    srand(2);
    for (unsigned run = 0; run < 300; run++) {
        uint8_t bytes[SIZE], there[SIZE] = {0};
        size_t base = 0;
        struct gather g;
        gather_init(&g);
        for (size_t i = 0; i < SIZE; i++)
            bytes[i] = (uint8_t)rand();
        for (unsigned step = 0; step < 60; step++) {
            size_t left = SIZE - base;
            size_t from = (size_t)rand() % left, size = 1 + (size_t)rand() % 60;
            if (size > left - from)
                size = left - from;
            struct origin o = {.frame = step + 1};
            enum gather_result r = gather_add(&g, from, bytes + base + from, size, &o,
                                              run % 2 ? GATHER_FIRST : GATHER_AGREEING);
            bool any = memchr(there + base + from, 1, size) != NULL;
            assert_true(any ? r == GATHER_OVERLAP || r == GATHER_REPEATED : r == GATHER_NEW);
            memset(there + base + from, 1, size);
            const uint8_t *hole = memchr(there + base, 0, left);
            size_t whole = hole ? (size_t)(hole - there) - base : left;
            assert_int_equal(gather_whole(&g), whole);
            for (size_t i = 0; i < left; i++)
                if (there[base + i])
                    assert_int_equal(gather_bytes(&g)[i], bytes[base + i]);
            for (size_t i = 1; i < g.piece_count; i++)
                assert_true(g.pieces[i - 1].to <= g.pieces[i].from);
            if (whole > 0 && rand() % 3 == 0 && whole < left) {
                gather_drop(&g, whole);
                base += whole;
            }
        }
        gather_fini(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(results), cmocka_unit_test(joins),
                                       cmocka_unit_test(random_run)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
