/*
 * test_usage: outages and their end, servers, receivers: bounded, and in packet time.
 */
#include "analyze/canon.h"
#include "analyze/follow/objectives.h"
#include "analyze/follow/receivers.h"
#include "analyze/follow/roll.h"
#include "analyze/follow/usage.h"

#include "rules/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)

static struct settings settings;
static struct world world;
static const uint8_t www[] = "\3www\1z", mail[] = "\4mail\1z";

static int setup(void **state)
{
    static const uint8_t apex[] = "\1z";
    settings_default(&settings);
    if (world_init(&world, &settings, NULL, NULL, 1) < 0)
        return -1;
    *state = world_zone(&world, apex);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    world_fini(&world);
    return 0;
}

static struct answer answer_for(const uint8_t *qname, size_t size, enum reason reason)
{
    return (struct answer){.qname = qname,
                           .qname_size = (uint8_t)size,
                           .qtype = 1,
                           .reason = reason,
                           .flags = DNS_RA,
                           .do_bit = true};
}

/* A response at that second, which is also its frame. */
static void saw(struct zone *zone, const uint8_t *qname, enum reason reason, int64_t second)
{
    struct answer a = answer_for(qname, qname == www ? sizeof www : sizeof mail, reason);
    struct flow flow = {.family = 4};
    usage_response(&world, zone, &a, &flow, second * SECOND, (uint64_t)second, 1);
}

static void test_recovery(void **state)
{
    struct zone *zone = *state;
    saw(zone, www, REASON_CHAIN, 1);
    assert_null(zone->usage->outages);
    saw(zone, www, REASON_SIG_EXPIRED, 10);
    saw(zone, www, REASON_SIG_EXPIRED, 20);
    saw(zone, mail, REASON_CHAIN, 25); /* it had not failed: no recovery */
    const struct usage_episode *e = zone->usage->outages->episode;
    assert_int_equal(e->recovered_ns, INT64_MIN);
    saw(zone, www, REASON_CHAIN, 30);
    saw(zone, www, REASON_CHAIN, 40);
    assert_int_equal(e->from_ns, 10 * SECOND);
    assert_int_equal(e->from_frame, 10);
    assert_int_equal(e->last_ns, 20 * SECOND);
    assert_int_equal(e->recovered_ns, 30 * SECOND);
    assert_int_equal(e->recovered_frame, 30);
    assert_int_equal(e->count, 2);
    saw(zone, www, REASON_SIG_BAD, 50); /* soon again: it had not recovered */
    assert_int_equal(e->recovered_ns, INT64_MIN);
    assert_int_equal(zone->usage->outages->episodes, 1);
    saw(zone, www, REASON_CHAIN, 60);
    saw(zone, www, REASON_SIG_BAD, 60 + 700); /* later: another one */
    assert_int_equal(zone->usage->outages->episodes, 2);
    assert_int_equal(e->recovered_ns, 60 * SECOND);
    assert_int_equal(zone->usage->outages->episode[1].reason, REASON_SIG_BAD);
}

/* When the zone itself is bogus any secure answer is its recovery. */
static void test_whole_zone(void **state)
{
    struct zone *zone = *state;
    zone->trust.state = TRUST_BOGUS;
    saw(zone, www, REASON_DS_MISMATCH, 10);
    zone->trust.state = TRUST_SECURE;
    saw(zone, mail, REASON_CHAIN, 20);
    assert_int_equal(zone->usage->outages->episode[0].recovered_ns, 20 * SECOND);
}

/* Where resolvers are seen to answer, an authority does not end what they may still suffer from. */
static void test_authority_ends_nothing(void **state)
{
    struct zone *zone = *state;
    struct answer a = answer_for(www, sizeof www, REASON_CHAIN);
    struct flow flow = {.family = 4};
    a.flags = DNS_AA;
    saw(zone, www, REASON_SIG_EXPIRED, 10);
    usage_response(&world, zone, &a, &flow, 20 * SECOND, 20, 1);
    assert_int_equal(zone->usage->outages->episode[0].recovered_ns, INT64_MIN);
    zone->usage->resolved = 0; /* none seen: it is all there is */
    usage_response(&world, zone, &a, &flow, 30 * SECOND, 30, 1);
    assert_int_equal(zone->usage->outages->episode[0].recovered_ns, 30 * SECOND);
}

static void test_episodes_are_bounded(void **state)
{
    struct zone *zone = *state;
    for (int64_t i = 0; i < USAGE_EPISODES_MAX + 5; i++) {
        saw(zone, www, REASON_SIG_EXPIRED, 1 + i * 2000);
        saw(zone, www, REASON_CHAIN, 2 + i * 2000);
    }
    assert_int_equal(zone->usage->outages->episodes, USAGE_EPISODES_MAX);
    assert_int_equal(zone->usage->outages->more, 5);
}

/* A verdict that came late counts at its packet's time. */
static void test_revised(void **state)
{
    struct zone *zone = *state;
    struct answer a = answer_for(www, sizeof www, REASON_SIG_EXPIRED);
    saw(zone, www, REASON_SIG_EXPIRED, 20);
    a.time_ns = 10 * SECOND;
    a.frame = 7;
    usage_revised(&world, zone, &a);
    const struct usage_episode *e = zone->usage->outages->episode;
    assert_int_equal(e->from_ns, 10 * SECOND);
    assert_int_equal(e->from_frame, 7);
    assert_int_equal(e->last_ns, 20 * SECOND);
}

static void test_servers(void **state)
{
    struct zone *zone = *state;
    struct answer a = answer_for(www, sizeof www, REASON_CHAIN);
    struct flow flow = {.family = 4};
    usage_response(&world, zone, &a, &flow, 1, 1, 1);
    assert_int_equal(zone->usage->servers, 0); /* AA=0 */
    a.flags = DNS_AA;
    for (unsigned i = 0; i < 3 * USAGE_SERVERS_MAX; i++) {
        flow.src[0] = (uint8_t)(i / 2);
        usage_response(&world, zone, &a, &flow, 2, 2, 1);
    }
    assert_int_equal(zone->usage->servers, USAGE_SERVERS_MAX);
    assert_true(zone->usage->more_servers);
}

static void test_objectives(void **state)
{
    struct zone *zone = *state;
    struct answer a = answer_for(www, sizeof www, REASON_CHAIN);
    a.flags = DNS_RA | DNS_AD;
    usage_validated(&world, zone, &a, 3);
    usage_validated(&world, zone, &a, 0 - UINT64_C(1));
    a.flags = DNS_RA;
    usage_validated(&world, zone, &a, 1);
    a.flags = DNS_RA | DNS_CD; /* did not ask for validation */
    usage_validated(&world, zone, &a, 1);
    a.flags = DNS_AA; /* no resolver */
    usage_validated(&world, zone, &a, 1);
    assert_int_equal(zone->usage->with_ad, 2);
    assert_int_equal(zone->usage->without_ad, 1);
    a = answer_for(www, sizeof www, REASON_RCODE);
    usage_failed(&world, zone, &a, SECOND, 1); /* nothing says why */
    a.ede_count = 1;
    a.ede[0] = 22; /* no reachable authority */
    usage_failed(&world, zone, &a, SECOND, 1);
    a.ede[0] = 7; /* signature expired */
    usage_failed(&world, zone, &a, SECOND, 1);
    assert_int_equal(zone->usage->servfail, 3);
    assert_int_equal(zone->usage->servfail_dnssec, 1);
    a.flags |= DNS_CD; /* nobody validated */
    usage_failed(&world, zone, &a, SECOND, 1);
    assert_int_equal(zone->usage->servfail, 3);
}

/* What was not observed is unknown; an outage is open until it has ended. */
static void test_figures(void **state)
{
    struct zone *zone = *state;
    struct objectives o;
    objectives_of(zone, 0, &o);
    assert_true(o.m1_answers == OBJECTIVE_UNKNOWN && o.m2_seconds == OBJECTIVE_UNKNOWN);
    assert_true(o.m3_ds == OBJECTIVE_UNKNOWN && o.m4_rolls == OBJECTIVE_UNKNOWN);
    assert_true(o.m5_responses == OBJECTIVE_UNKNOWN && o.m6_seconds == OBJECTIVE_UNKNOWN);
    assert_int_equal(o.m6_outages, 0);
    static struct roll rolls = {.completed = 2, .completed_unsafe = 1};
    zone->roll = &rolls;
    saw(zone, www, REASON_SIG_EXPIRED, 10);
    objectives_of(zone, 0, &o);
    assert_int_equal(o.m4_rolls, 2);
    assert_int_equal(o.m4_safe, 1);
    zone->roll = NULL;
    assert_int_equal(o.m5_responses, 1);
    assert_int_equal(o.m6_outages, 1);
    assert_int_equal(o.m6_open, 1);
    assert_true(o.m6_seconds == OBJECTIVE_UNKNOWN);
    saw(zone, www, REASON_CHAIN, 40);
    objectives_of(zone, 0, &o);
    assert_int_equal(o.m6_open, 0);
    assert_int_equal(o.m6_seconds, 30);
}

/* What is allocated is accounted for, and given back. */
static void test_bytes(void **state)
{
    struct zone *zone = *state;
    size_t before = world.zone_bytes;
    saw(zone, www, REASON_SIG_EXPIRED, 1);
    size_t taken = zone->usage->bytes;
    assert_int_equal(world.zone_bytes, before + taken);
    assert_int_equal(usage_free(zone->usage), taken);
    zone->usage = NULL;
    world.zone_bytes = before;
}

/* A key signed that name and type, from that second on. */
static void signs(struct zone *zone, const struct key *key, const uint8_t *owner, uint16_t type,
                  int64_t second)
{
    struct signature sig = {.checks = 1, .check = {{.key = key, .result = KEY_VERIFIES}}};
    struct rrset set = {
        .type = type, .owner = owner, .owner_size = (uint8_t)name_size(owner), .signatures = 1};
    struct fact_signature f = {.state = SIGNATURE_EXPIRED,
                               .inception = second,
                               .expiration = second + 1000,
                               .original_ttl = 60};
    set.signature = &sig;
    usage_signed(&world, zone, &set, &sig, &f);
}

/* What is signed again, or with other content, is one RRset; and what kinds there are is noted. */
static void test_signed(void **state)
{
    static const uint8_t rdata[] = {1, 1, 3, 13, 0}; /* flags 257 */
    struct zone *zone = *state;
    struct key *key = key_new(rdata, sizeof rdata);
    size_t before = world.zone_bytes;
    signs(zone, key, zone->name, TYPE_DNSKEY, 100);
    signs(zone, key, zone->name, TYPE_DNSKEY, 200);
    signs(zone, key, zone->name, TYPE_CDS, 200);
    const struct usage_key *k = zone->usage->signing->key[0];
    assert_true(k->signs_dnskey && !k->signs_data && k->rrsets == 2);
    assert_true(k->inception == 100 && k->expiration == 1200);
    signs(zone, key, www, TYPE_A, 100);
    signs(zone, key, www, TYPE_A, 300);
    signs(zone, key, www, TYPE_AAAA, 300);
    assert_true(k->signs_data && k->rrsets == 4 && k->names == 4 && !k->more_rrsets);
    uint8_t name[] = {2, 0, 0, 0};
    for (unsigned i = 0; i < USAGE_COUNTED_MAX + 10; i++) {
        name[1] = (uint8_t)(i >> 8);
        name[2] = (uint8_t)i;
        signs(zone, key, name, TYPE_A, 100);
        signs(zone, key, name, TYPE_A, 200);
    }
    assert_int_equal(k->rrsets, USAGE_COUNTED_MAX);
    assert_true(k->more_rrsets && k->names == USAGE_NAMES_MAX);
    assert_int_equal(world.zone_bytes, before + zone->usage->bytes);
    usage_free(zone->usage);
    zone->usage = NULL;
    world.zone_bytes = before;
    key_free(key);
}

static void test_receivers(void **state)
{
    (void)state;
    static struct finding a, b;
    struct receivers *r = receivers_new();
    struct flow flow = {.family = 4};
    assert_non_null(r);
    assert_null(receivers_find(r, &a));
    receivers_note(r, &a, &flow, true, 20, 2);
    assert_true(receivers_note(r, &a, &flow, true, 20, 2)); /* the same frame */
    receivers_note(r, &a, &flow, true, 10, 1);
    receivers_note(r, &a, &flow, false, 30, 3); /* the same address, of a resolver */
    const struct receivers_of *list = receivers_find(r, &a);
    assert_int_equal(list->receivers, 2);
    assert_int_equal(list->count, 3);
    assert_int_equal(list->receiver[0].first_frame, 1);
    assert_int_equal(list->receiver[0].last_frame, 2);
    for (unsigned i = 0; i < 100; i++) {
        flow.dst[0] = (uint8_t)i;
        bool look = receivers_note(r, &b, &flow, false, 1000 + i, 100 + i);
        assert_true(look == (i < 16 || i == 31 || i == 63));
    }
    receivers_referred(r, &b);
    for (uint8_t i = 0; i < 20; i++) {
        const uint8_t rdata[] = {1, 0, 3, i};
        receivers_signed(r, &b, rdata, sizeof rdata);
        receivers_signed(r, &b, rdata, sizeof rdata);
    }
    assert_true(list->signers == 0 && !list->referral);
    list = receivers_find(r, &b);
    assert_true(list->referral && list->signers == RECEIVERS_SIGNERS);
    assert_int_equal(list->signer[1]->rdata[3], 1);
    assert_int_equal(list->receivers, RECEIVERS_MAX);
    assert_int_equal(list->count, 100);
    assert_int_equal(list->others, 100 - RECEIVERS_MAX);
    receivers_free(r);
}

int main(void)
{
#define ON_ZONE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    static const struct CMUnitTest tests[] = {
        ON_ZONE(test_recovery),
        ON_ZONE(test_whole_zone),
        ON_ZONE(test_authority_ends_nothing),
        ON_ZONE(test_episodes_are_bounded),
        ON_ZONE(test_revised),
        ON_ZONE(test_servers),
        ON_ZONE(test_objectives),
        ON_ZONE(test_figures),
        ON_ZONE(test_bytes),
        ON_ZONE(test_signed),
        cmocka_unit_test(test_receivers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
