/*
 * test_suspects: signatures unlike those of the owner's file wait for the SOA of the server that
 * showed them.
 *
 * Contained in: tests.
 */
#include "analyze/follow/suspects.h"

#include "analyze/canon.h"
#include "analyze/follow/servers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above before it */
#include <cmocka.h>

#define NS_S INT64_C(1000000000)
#define T0   (INT64_C(1800000000) * NS_S)
#define DAY  INT64_C(86400)

static struct suspects *s;
static struct zone *zone;
static struct servers servers;
static struct server server[2];

static int begin(void **state)
{
    static const uint8_t name[] = {1, 'x', 0};
    (void)state;
    s = suspects_new();
    zone = calloc(1, sizeof *zone + sizeof name);
    memcpy(zone->name, name, sizeof name);
    zone->name_size = sizeof name;
    servers = (struct servers){.count = 2, .server = server};
    for (uint8_t i = 0; i < 2; i++) {
        server[i] = (struct server){.family = 4, .soa = true, .soa_since_ns = T0 - NS_S};
        server[i].address[0] = i;
    }
    zone->servers = &servers;
    return 0;
}

static int end(void **state)
{
    (void)state;
    suspects_free(s);
    free(zone);
    return 0;
}

static struct flow flow_of(uint8_t from)
{
    struct flow flow = {.family = 4};
    flow.src[0] = from;
    return flow;
}

static void add(uint8_t from, uint16_t type, int64_t time_ns)
{
    static const uint8_t owner[] = {3, 'w', 'w', 'w', 1, 'x', 0};
    struct answer a = {.flow = flow_of(from), .time_ns = time_ns, .frames = {7}, .frame_count = 1};
    struct rrset set = {.type = type, .owner = owner, .owner_size = sizeof owner};
    suspects_add(s, zone, &a, &set, &(struct fact_signature){.tag = type, .algorithm = 13},
                 &(struct fact_habit){.samples = type});
}

static bool take(uint8_t from, int64_t time_ns, struct suspect *ret)
{
    static const struct key key = {.tag = 15, .algorithm = 13};
    struct flow flow = flow_of(from);
    return suspects_take(s, zone, &key, &flow, time_ns, ret);
}

static void borne_out(void **state)
{
    struct suspect k;
    (void)state;
    add(0, 15, T0);
    assert_false(take(0, T0, &k));        /* in the same response: of the same state */
    assert_false(take(1, T0 + NS_S, &k)); /* another server may not have it yet */
    assert_true(take(0, T0 + NS_S, &k));
    assert_int_equal(k.type, 15);
    assert_int_equal(k.signature.tag, 15);
    assert_true(name_equal(k.signature.signer, zone->name));
    assert_int_equal(k.stated.samples, 15);
    assert_int_equal(k.frames[0], 7);
    assert_int_equal(suspects_count(s), 0);
}

/* Several providers may sign, each in its own manner. */
static void another_key(void **state)
{
    struct suspect k;
    (void)state;
    add(0, 1, T0);
    assert_false(take(0, T0 + NS_S, &k));
    add(0, 0, T0); /* its key signs nothing of the kind in the file */
    assert_true(take(0, T0 + NS_S, &k));
    assert_int_equal(k.type, 0);
}

/* A SOA that was not seen before may be of a machine that lags behind the same address. */
static void settles(void **state)
{
    struct suspect k;
    (void)state;
    add(0, 15, T0);
    server[0].soa_since_ns = T0 + NS_S;
    assert_false(take(0, T0 + 2 * NS_S, &k));
    assert_true(take(0, T0 + SUSPECTS_SETTLED_NS, &k));
    add(1, 15, T0);
    zone->servers = NULL;
    assert_false(take(1, T0 + 2 * NS_S, &k));
    assert_true(take(1, T0 + SUSPECTS_SETTLED_NS, &k));
}

static void dropped(void **state)
{
    static const uint8_t other[] = {1, 'y', 0};
    (void)state;
    for (uint16_t i = 0; i < SUSPECTS_MAX + 10; i++)
        add(0, i, T0);
    assert_int_equal(suspects_count(s), SUSPECTS_MAX);
    suspects_drop(s, other);
    assert_int_equal(suspects_count(s), SUSPECTS_MAX);
    suspects_drop(s, zone->name);
    assert_int_equal(suspects_count(s), 0);
}

static void unlike(void **state)
{
    struct fact_habit file = {
        .samples = 20, .validity_min = 14 * DAY, .validity_max = 14 * DAY, .of_data = true};
    (void)state;
#define LASTS(seconds) &(struct fact_signature){.inception = 5, .expiration = 5 + (seconds)}
    assert_false(suspects_unlike(&file, LASTS(14 * DAY)));
    assert_false(suspects_unlike(&file, LASTS(14 * DAY + 3600)));
    assert_true(suspects_unlike(&file, LASTS(15 * DAY)));
    assert_true(suspects_unlike(&file, LASTS(13 * DAY)));
    file.validity_min = 10 * DAY; /* jitter */
    assert_false(suspects_unlike(&file, LASTS(9 * DAY + DAY / 2)));
    file.samples = 0; /* it never signed such */
    assert_true(suspects_unlike(&file, LASTS(14 * DAY)));
    file.of_keys = true;
    assert_false(suspects_unlike(&file, LASTS(99 * DAY)));
}

/* Of each key of the file, where the tag names one. */
static void stated(void **state)
{
    static const char text[] =
        "x. 300 IN SOA a. b. 1 1 1 1 1\n"
        "x. 300 IN DNSKEY 256 3 15 AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=\n"
        "x. 300 IN RRSIG SOA 15 1 300 20261206152731 20261122135731 %u x. AAAA\n"
        "x. 300 IN RRSIG A 15 1 300 20261206152731 20261122135731 %u x. AAAA\n"
        "x. 300 IN RRSIG A 15 1 300 20261106152731 20261122135731 %u x. AAAA\n"
        "x. 300 IN RRSIG A 15 1 300 20261206152731 20261122135731 1 x. AAAA\n";
    uint8_t rdata[36] = {1, 0, 3, 15};
    char file[1024], error[512];
    struct fact_habit habit;
    struct rrset set = {.type = TYPE_SOA};
    (void)state;
    for (uint8_t i = 0; i < 32; i++)
        rdata[4 + i] = (uint8_t)(i + 1);
    struct key *key = key_new(rdata, sizeof rdata);
    struct baseline *baseline = baseline_new();
    assert_null(suspects_stated(NULL, 7));
    assert_null(suspects_stated(baseline, 7));
    int size = snprintf(file, sizeof file, text, key->tag, key->tag, key->tag);
    assert_int_equal(baseline_add_zone(baseline, "x.zone", file, (size_t)size, error, sizeof error),
                     0);
    assert_int_equal(baseline_ready(baseline, error, sizeof error), 0);
    struct habits *h = suspects_stated(baseline, 7);
    assert_non_null(h);
    assert_true(habits_describe(h, zone->name, key, &set, &(struct fact_signature){.inception = 5},
                                NULL, 0, &habit));
    assert_int_equal(habit.samples, 2); /* neither the other tag nor what ends before it begins */
    assert_int_equal(habit.validity_max, 14 * DAY + 5400);
    habits_free(h);
    baseline_free(baseline);
    key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(borne_out, begin, end),
        cmocka_unit_test_setup_teardown(another_key, begin, end),
        cmocka_unit_test_setup_teardown(settles, begin, end),
        cmocka_unit_test_setup_teardown(dropped, begin, end),
        cmocka_unit_test_setup_teardown(unlike, begin, end),
        cmocka_unit_test_setup_teardown(stated, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
