/*
 * test_watch: walls as /proc shows them, clocks that are set, words about the sensor, and room that
 * shrinks.
 */
#include "evidence/storage.h"
#include "sandbox/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)
#define SOUND                                                                                      \
    "Name:\tx\nState:\tS (sleeping)\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"       \
    "CapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\n"            \
    "NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n"

static struct condition told[16];
static size_t told_count;

static void on_condition(void *context, const struct condition *condition)
{
    (void)context;
    assert_true(told_count < 16);
    told[told_count++] = *condition;
}

static void walls(void **state)
{
    static const struct {
        const char *from, *to, *why;
    } rows[] = {
        {"", "", NULL},
        {"NoNewPrivs:\t1", "NoNewPrivs:\t0", "NoNewPrivs is 0, not 1"},
        {"Seccomp:\t2", "Seccomp:\t0", "Seccomp is 0, not 2"},
        {"Seccomp:\t2\n", "", "the kernel does not show Seccomp"},
        {"CapEff:\t0000000000000000", "CapEff:\t0000000000002000",
         "CapEff is 0000000000002000, not 0000000000000000"},
        {"CapBnd:\t000001ffffffffff", "CapBnd:\t0000000000000000", NULL}, /* held by no_new_privs */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[1024], why[160];
        const char *at = strstr(SOUND, rows[i].from);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - SOUND), SOUND, rows[i].to,
                 at + strlen(rows[i].from));
        const char *found = watch_walls(text, why, sizeof why);
        if (rows[i].why)
            assert_string_equal(found, rows[i].why);
        else
            assert_null(found);
    }
}

/* Looks a second apart; the wall clock is set at some, and slewed all the time. */
static void clock_is_set(void **state)
{
    struct watch w;
    (void)state;
    watch_init(&w);
    told_count = 0;
    int64_t wall = 1000 * SECOND;
    for (int second = 0; second < 2000; second++) {
        if (second == 100)
            wall += 2 * SECOND;
        if (second == 110)
            wall -= 3600 * SECOND;
        watch_clock(&w, second * SECOND, wall, false, 0, on_condition, NULL);
        w.begun = true;
        wall += SECOND + SECOND / 12; /* chrony at its fastest */
    }
    assert_int_equal(told_count, 3);
    assert_int_equal(told[0].kind, CONDITION_CLOCK_SET);
    assert_string_equal(told[0].how, "forward by 2.083 s");
    assert_string_equal(told[1].how, "back by 3597.833 s"); /* both together */
    assert_int_equal(told[2].over, 1);
}

static void clock_runs_free(void **state)
{
    struct watch w;
    (void)state;
    watch_init(&w);
    w.begun = true;
    told_count = 0;
    static const bool free_at[] = {true, false, true, true, true, true, false, false};
    for (size_t i = 0; i < sizeof free_at; i++)
        watch_clock(&w, (int64_t)i * SECOND, (int64_t)i * SECOND, free_at[i], 16000000,
                    on_condition, NULL);
    assert_int_equal(told_count, 2); /* once for a while, and its end; not for a moment */
    assert_int_equal(told[0].kind, CONDITION_CLOCK_FREE);
    assert_string_equal(told[0].how, "it may be wrong by 16.000 s and more");
    assert_int_equal(told[1].over, 1);
}

/* Who was taken over may write anything: it stays a short text and a known kind. */
static void words_are_tamed(void **state)
{
    struct condition c = {.kind = CONDITION_SPACE, .part = 7}, back;
    struct control_msg msg;
    (void)state;
    memset(c.how, 'x', sizeof c.how);
    c.how[3] = '\n';
    c.how[4] = '\x1b';
    condition_pack(&c, &msg);
    assert_true(condition_unpack(&msg, &back));
    assert_int_equal(back.part, 7);
    assert_int_equal(strlen(back.how), sizeof back.how - 1);
    assert_memory_equal(back.how, "xxx??x", 6);
    c.kind = CONDITION_WALLS + 1;
    condition_pack(&c, &msg);
    assert_false(condition_unpack(&msg, &back));
    c.kind = CONDITION_WALLS;
    condition_pack(&c, &msg);
    msg.word = CONTROL_TEXT;
    assert_false(condition_unpack(&msg, &back));
}

static void room_shrinks(void **state)
{
    struct storage s;
    (void)state;
    storage_init(&s, -1);
    assert_int_equal(storage_sample(&s, 1000000, 0), 0); /* nothing to compare with */
    assert_int_equal(storage_sample(&s, 1000000 - 6000, 60 * SECOND), 100);
    assert_int_equal(storage_sample(&s, 2000000, 120 * SECOND), 0); /* somebody made room */
    uint64_t rate = 0;
    for (int minute = 3; minute < 30; minute++) /* the last ten minutes count */
        rate = storage_sample(&s, 2000000 - (uint64_t)minute * 600, minute * 60 * SECOND);
    assert_int_equal(rate, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walls), cmocka_unit_test(clock_is_set), cmocka_unit_test(clock_runs_free),
        cmocka_unit_test(words_are_tamed), cmocka_unit_test(room_shrinks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
