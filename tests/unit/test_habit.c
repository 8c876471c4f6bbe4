/*
 * test_habit: how a key's signatures are made is learned, kept, and bounded.
 *
 * Contained in: tests.
 */
#include "analyze/follow/habit.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above before it */
#include <cmocka.h>

#define NS_S INT64_C(1000000000)
#define T0   INT64_C(1800000000)
#define HOUR 3600
#define DAY  (24 * HOUR)

static const uint8_t zone[] = {4, 'b', 'a', 'n', 'k', 4, 't', 'e', 's', 't', 0};

static struct key *key_of(uint8_t fill, bool sep)
{
    uint8_t rdata[4 + 64] = {1, sep, 3, 13};
    memset(rdata + 4, fill, 64);
    return key_new(rdata, sizeof rdata);
}

/* A signature begun at T0 + `from` for `validity`, first seen `age` later. */
static void sign(struct habits *h, const struct key *key, uint16_t type, int64_t from,
                 int64_t validity, int64_t age, uint32_t ttl)
{
    struct rrset set = {.type = type,
                        .first_seen_ns = (T0 + from + age) * NS_S,
                        .last_seen_ns = (T0 + from + age) * NS_S};
    struct fact_signature s = {
        .inception = T0 + from, .expiration = T0 + from + validity, .original_ttl = ttl};
    habits_learn(h, zone, key, &set, &s);
}

static struct fact_habit look(struct habits *h, const struct key *key, uint16_t type, int64_t from,
                              int64_t age, const struct key *other)
{
    struct rrset set = {.type = type, .first_seen_ns = (T0 + from + age) * NS_S};
    struct fact_signature s = {.inception = T0 + from, .expiration = T0 + from + DAY};
    struct habit_rdata known[] = {{key->rdata, key->rdata_size}, {NULL, 0}};
    struct fact_habit habit;
    if (other)
        known[1] = (struct habit_rdata){other->rdata, other->rdata_size};
    assert_true(habits_describe(h, zone, key, &set, &s, known, other ? 2 : 1, &habit));
    return habit;
}

static void learned(void **state)
{
    struct habits *h = habits_new(7);
    struct key *zsk = key_of(1, false), *ksk = key_of(2, true);
    struct fact_habit habit;
    struct rrset set = {.type = 1};
    struct fact_signature s = {.inception = T0};
    (void)state;
    assert_false(habits_describe(h, zone, zsk, &set, &s, NULL, 0, &habit));
    for (int i = 0; i < 12; i++)
        sign(h, zsk, i % 2 ? 1 : 16, i / 4 * 1000, 14 * DAY + i, HOUR + i / 4, 300);
    sign(h, ksk, 48, 0, 20 * DAY, HOUR, 3600);
    habit = look(h, zsk, 1, 5000, 17, NULL);
    assert_int_equal(habit.samples, 12);
    assert_int_equal(habit.signings, 3);
    assert_int_equal(habit.validity_min, 14 * DAY);
    assert_int_equal(habit.validity_max, 14 * DAY + 11);
    assert_int_equal(habit.set_back, HOUR);
    assert_int_equal(habit.set_back_signings, 3);
    assert_int_equal(habit.ttl, 300);
    assert_int_equal(habit.ttl_samples, 6);
    assert_int_equal(habit.age, 17);
    assert_true(habit.of_data);
    habit = look(h, ksk, 1, 5000, 17, zsk); /* over data: nothing known, but of the other */
    assert_int_equal(habit.samples, 0);
    assert_int_equal(habit.over_keys, 1);
    assert_int_equal(habit.others_over_data, 12);
    struct key *csk = key_of(3, true); /* that signs data beside another with SEP is its habit */
    sign(h, csk, 48, 0, 20 * DAY, HOUR, 3600);
    sign(h, ksk, 1, 0, 20 * DAY, HOUR, 3600);
    assert_int_equal(look(h, csk, 1, 5000, 17, ksk).others_over_data, 0);
    key_free(csk);
    habit = look(h, ksk, 48, 5000, 17, zsk);
    assert_int_equal(habit.samples, 1);
    assert_true(habit.of_keys);
    sign(h, zsk, 1, 9000, 14 * DAY, HOUR, 60); /* another TTL: none is constant any more */
    assert_int_equal(look(h, zsk, 1, 0, 0, NULL).ttl_samples, 0);
    key_free(zsk);
    key_free(ksk);
    habits_free(h);
}

static void roundness(void **state)
{
    struct habits *h = habits_new(7);
    struct key *key = key_of(1, false);
    int64_t week = 7 * DAY, thursday = T0 / week * week - T0;
    (void)state;
    sign(h, key, 1, thursday, 3 * week, DAY, 300);
    sign(h, key, 1, thursday + week, 3 * week, DAY, 300);
    struct fact_habit habit = look(h, key, 1, 0, 0, NULL);
    assert_int_equal(habit.inception_round, week);
    assert_int_equal(habit.expiration_round, week);
    assert_int_equal(habit.unrounded, 0);
    sign(h, key, 1, thursday + HOUR, 3 * week, DAY, 300);
    assert_int_equal(look(h, key, 1, 0, 0, NULL).inception_round, HOUR);
    sign(h, key, 1, thursday + HOUR + 1, 3 * week, DAY, 300);
    assert_int_equal(look(h, key, 1, 0, 0, NULL).inception_round, 1);
    assert_int_equal(look(h, key, 1, 0, 0, NULL).unrounded, 1);
    key_free(key);
    habits_free(h);
}

struct kept {
    char text[4][8192];
    size_t count;
};

static void on_kept(void *context, const uint8_t *name, int64_t last_ns, const char *text)
{
    struct kept *kept = context;
    assert_true(name_equal(name, zone));
    assert_true(last_ns >= 0);
    assert_true(kept->count < 4);
    snprintf(kept->text[kept->count++], sizeof kept->text[0], "%s", text);
}

static size_t bytes_of(const char *text, uint8_t *ret)
{
    size_t length = strlen(text);
    int size = EVP_DecodeBlock(ret, (const uint8_t *)text, (int)length);
    assert_true(size > 0);
    return (size_t)size - (text[length - 1] == '=') - (text[length - 2] == '=');
}

static void kept(void **state)
{
    struct habits *h = habits_new(7), *other = habits_new(8);
    struct key *a = key_of(1, false), *b = key_of(2, true);
    struct kept *first = calloc(1, sizeof *first), *second = calloc(1, sizeof *second);
    uint8_t bytes[8192];
    (void)state;
    for (int i = 0; i < 40; i++) {
        sign(h, a, (uint16_t)(i % 12 + 1), i * 100, 14 * DAY, HOUR, 300);
        sign(h, b, 48, i * 100, 14 * DAY, HOUR, 300);
    }
    habits_write(h, on_kept, first);
    assert_int_equal(first->count, 2);
    for (size_t i = 0; i < 2; i++) {
        size_t size = bytes_of(first->text[i], bytes);
        for (size_t cut = 0; cut < size; cut++)
            assert_false(habits_read(other, zone, 1, bytes, cut));
        assert_true(habits_read(other, zone, 1, bytes, size));
        assert_false(habits_read(other, zone, 1, bytes, size)); /* twice */
        assert_false(habits_read(other, zone, 1, bytes, size + 1));
    }
    habits_write(other, on_kept, second);
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(first->text[i], second->text[i]);
    /* what lay on a disk is as hostile as a packet: any byte of it may be another */
    size_t size = bytes_of(first->text[0], bytes);
    for (size_t i = 0; i < size * 8; i++) {
        struct habits *fresh = habits_new(9);
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        habits_read(fresh, zone, 1, bytes, size);
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        look(h, a, 1, 0, 0, b);
        habits_free(fresh);
    }
    free(first);
    free(second);
    key_free(a);
    key_free(b);
    habits_free(h);
    habits_free(other);
}

static void count(void *context, const uint8_t *name, int64_t last_ns, const char *text)
{
    (void)name, (void)last_ns, (void)text;
    ++*(size_t *)context;
}

static void bounded(void **state)
{
    struct habits *h = habits_new(7);
    struct key *used = key_of(255, false);
    size_t n = 0;
    (void)state;
    for (unsigned i = 0; i < HABIT_KEYS_MAX + 100; i++) {
        uint8_t rdata[8] = {1, 0, 3, 13, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 0};
        struct key *key = key_new(rdata, sizeof rdata);
        sign(h, key, 1, 0, DAY, HOUR, 300);
        if (i % 1000 == 0)
            sign(h, used, 1, i, DAY, HOUR, 300); /* in use: it stays */
        key_free(key);
    }
    habits_write(h, count, &n);
    assert_int_equal(n, HABIT_KEYS_MAX);
    assert_true(look(h, used, 1, 0, 0, NULL).samples > 1);
    key_free(used);
    habits_free(h);
}

/* What a file shows says nothing of when it was made. */
static void stated(void **state)
{
    struct habits *h = habits_new(7);
    struct key *key = key_of(1, false), *other = key_of(2, false);
    struct fact_habit habit;
    struct rrset set = {.type = 1};
    (void)state;
    for (int i = 0; i < 12; i++) {
        struct fact_signature s = {
            .inception = T0 + i / 6, .expiration = T0 + 14 * DAY, .original_ttl = 300};
        habits_state(h, zone, key->rdata, key->rdata_size, 1, &s);
    }
    habit = look(h, key, 1, 5000, 17, NULL);
    assert_int_equal(habit.samples, 12);
    assert_int_equal(habit.signings, 2);
    assert_int_equal(habit.validity_min, 14 * DAY - 1);
    assert_int_equal(habit.validity_max, 14 * DAY);
    assert_int_equal(habit.set_back_signings, 0);
    habits_unlearn(h, zone, other); /* never known */
    habits_unlearn(h, zone, key);
    assert_false(habits_describe(h, zone, key, &set, &(struct fact_signature){.inception = T0},
                                 NULL, 0, &habit));
    key_free(key);
    key_free(other);
    habits_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learned), cmocka_unit_test(roundness), cmocka_unit_test(kept),
        cmocka_unit_test(bounded), cmocka_unit_test(stated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
