/*
 * test_roll: what is concluded from what servers were seen to serve: stages of rolls, and the steps
 * that RFC 7583 and RFC 5011 call too early. The state is made by hand here, and from signed
 * responses below.
 */
#include "analyze/follow/roll_check.h"

#include "tests/unit/signed_zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define S   SECOND
#define TTL 100

/* --- by hand: four keys, bits 1 and 2 KSKs, 4 and 8 ZSKs; times in seconds --- */

enum { K1 = 1, K2 = 2, Z1 = 4, Z2 = 8 };

static struct roll r;
static uint8_t rdata[4][8] = {
    {1, 1, 3, 13, 1, 1, 1, 1}, {1, 1, 3, 13, 2, 2, 2, 2}, {1, 0, 3, 13, 3}, {1, 0, 3, 13, 4}};
static uint8_t apex[] = "\1z", www[] = "\3www\1z";
static struct roll_server servers[4];
static struct roll_key some_keys[4];
static struct roll_cache caches[4];
static struct roll_event events[ROLL_EVENTS_MAX];

static int fresh(void **state)
{
    (void)state;
    memset(&r, 0, sizeof r);
    memset(servers, 0, sizeof servers);
    r.next_ns = INT64_MAX;
    r.keys = 4;
    r.key = some_keys;
    r.cache = caches;
    r.event = events;
    r.key_room = r.cache_room = 4;
    r.server = servers;
    r.server_room = 4;
    for (uint8_t i = 0; i < 4; i++)
        r.key[i] = (struct roll_key){.rdata = rdata[i],
                                     .size = 8,
                                     .flags = (uint16_t)(rdata[i][0] << 8 | rdata[i][1]),
                                     .tag = i,
                                     .published_ns = INT64_MIN,
                                     .signs_ns = INT64_MIN,
                                     .entry_ns = INT64_MIN,
                                     .follows = ROLL_NONE};
    return 0;
}

/* Served from, until; the next one takes its place at the same server. */
static uint8_t serve(uint16_t keys, uint16_t entries, int64_t from, int64_t until, bool secure)
{
    uint8_t at = r.sets++;
    r.set[at] = (struct roll_set){.keys = keys,
                                  .entries = entries,
                                  .secure = secure,
                                  .ttl = TTL,
                                  .known_ns = from * S,
                                  .first_ns = from * S,
                                  .last_ns = until * S,
                                  .left_ns = until * S};
    r.set[at].after = (uint8_t)((1u << at) - 1);
    servers[0] = (struct roll_server){.family = 4, .set = at, .last_ns = until * S};
    return at;
}

static void sign(uint16_t keys, int64_t from, int64_t until)
{
    r.group[r.groups++] = (struct roll_group){.keys = keys,
                                              .ttl = TTL,
                                              .first_ns = from * S,
                                              .last_ns = until * S,
                                              .until_ns = (until + TTL) * S,
                                              .type = 1,
                                              .owner = www};
}

static void delegate(uint16_t keys, int64_t from, int64_t until)
{
    r.ds[r.dss++] =
        (struct roll_ds){.keys = keys, .ttl = TTL, .first_ns = from * S, .last_ns = until * S};
}

/* A resolver was served that set then. */
static void cache(uint8_t set, int64_t at)
{
    r.cache[r.caches++] = (struct roll_cache){.family = 4,
                                              .set = set,
                                              .before = ROLL_NONE,
                                              .ds = ROLL_NONE,
                                              .set_ns = at * S,
                                              .before_ns = INT64_MIN,
                                              .ds_ns = INT64_MIN,
                                              .restless_ns = INT64_MIN,
                                              .restless_from_ns = INT64_MIN};
}

static const struct roll_event *event(enum roll_stage stage)
{
    for (uint8_t i = 0; i < r.events; i++)
        if (r.event[i].stage == stage)
            return &r.event[i];
    return NULL;
}

static unsigned unsafe_steps(void)
{
    unsigned count = 0;
    for (uint8_t i = 0; i < r.events; i++)
        count += r.event[i].stage >= ROLL_SIGNS_EARLY && r.event[i].stage <= ROLL_HOLD_DOWN;
    return count;
}

static void check_from(uint8_t first)
{
    for (uint8_t i = first; i < r.sets; i++)
        roll_check_keys(&r, i, r.set[i].first_ns);
}

/* RFC 7583 3.2.1, each step after the TTL. */
static void test_prepublication(void **state)
{
    (void)state;
    serve(K1 | Z1, K1, 0, 50, true);
    serve(K1 | Z1 | Z2, K1, 60, 400, true);
    serve(K1 | Z2, K1, 410, 500, true);
    sign(Z1, 0, 190);
    sign(Z2, 200, 500);
    delegate(K1, 0, 500);
    check_from(1);
    assert_int_equal(unsafe_steps(), 0);
    assert_non_null(event(ROLL_PUBLISHED));
    assert_int_equal(event(ROLL_PUBLISHED)->key, 3);
    assert_int_equal(event(ROLL_PUBLISHED)->other, 2);
    assert_true(event(ROLL_PUBLISHED)->proven);
    assert_non_null(event(ROLL_SIGNS));
    assert_non_null(event(ROLL_REMOVED));
    assert_int_equal(event(ROLL_REMOVED)->roll, 3); /* a stage of the new key's roll */
    assert_int_equal(event(ROLL_REMOVED)->key, 2);
    assert_int_equal(roll_check_method(&r, 3), ROLL_BY_PREPUBLICATION);
    assert_int_equal(r.completed, 1);
    assert_int_equal(r.completed_unsafe, 0);
}

/* One roll after the other: the end of a key belongs to the roll that replaces it. */
static void test_chain(void **state)
{
    enum { Z3 = K2 };
    (void)state;
    r.key[1].flags = 0x0100;
    serve(K1 | Z1, K1, 0, 50, true);
    serve(K1 | Z1 | Z2, K1, 60, 400, true);
    serve(K1 | Z2, K1, 410, 500, true);
    serve(K1 | Z2 | Z3, K1, 510, 900, true);
    serve(K1 | Z3, K1, 910, 1000, true);
    sign(Z1, 0, 190);
    sign(Z2, 200, 690);
    sign(Z3, 700, 1000);
    delegate(K1, 0, 1000);
    check_from(1);
    assert_int_equal(unsafe_steps(), 0);
    assert_int_equal(r.completed, 2);
    const struct roll_event *last = NULL;
    for (uint8_t i = 0; i < r.events; i++)
        if (r.event[i].stage == ROLL_REMOVED)
            last = &r.event[i];
    assert_non_null(last);
    assert_int_equal(last->key, 3);
    assert_int_equal(last->other, 3);
    assert_int_equal(last->roll, 1);
}

static void move(uint8_t server, uint8_t set, int64_t at)
{
    servers[server] = (struct roll_server){.family = 4, .set = set, .last_ns = at * S};
    r.events = 0;
    roll_check_keys(&r, set, at * S);
}

/* A new key is undone when no server has it any more, and new again when it comes back. */
static void test_undone(void **state)
{
    (void)state;
    serve(K1 | Z1, K1, 0, 50, true);
    serve(K1 | Z1 | Z2, K1, 60, 400, true);
    sign(Z1, 0, 400);
    servers[1] = (struct roll_server){.family = 6, .set = 1, .last_ns = 70 * S};
    check_from(1);
    assert_non_null(event(ROLL_PUBLISHED));
    move(0, 0, 100);
    assert_null(event(ROLL_UNDONE)); /* the other has it */
    move(1, 0, 110);
    assert_non_null(event(ROLL_UNDONE));
    assert_int_equal(event(ROLL_UNDONE)->key, 3);
    move(1, 0, 120);
    assert_null(event(ROLL_UNDONE)); /* said once */
    move(0, 1, 130);
    assert_non_null(event(ROLL_PUBLISHED));
    move(0, 0, 140);
    assert_non_null(event(ROLL_UNDONE));
    assert_int_equal(r.completed, 0);
}

/* So it is when a later RRset lacks it; not when another key has taken its place. */
static void test_given_up(void **state)
{
    enum { Z3 = K2 };
    (void)state;
    r.key[1].flags = 0x0100;
    serve(K1 | Z1, K1, 0, 50, true);
    serve(K1 | Z1 | Z2, K1, 60, 400, true);
    sign(Z1, 0, 900);
    check_from(1);
    r.events = 0;
    serve(K1 | Z1 | Z3, K1, 410, 500, true);
    check_from(2);
    assert_non_null(event(ROLL_REMOVED));
    assert_non_null(event(ROLL_UNDONE));
    assert_int_equal(event(ROLL_UNDONE)->key, 3);
    r.events = 0;
    serve(K1 | Z3, K1, 510, 900, true);
    check_from(3);
    assert_non_null(event(ROLL_REMOVED)); /* of the old one */
    assert_null(event(ROLL_UNDONE));
}

static void test_signs_early(void **state)
{
    (void)state;
    serve(K1 | Z1, K1, 0, 50, true);
    serve(K1 | Z1 | Z2, K1, 60, 400, true);
    sign(Z1, 0, 120);
    sign(Z2, 130, 500); /* the first RRset may be cached until 150 */
    cache(0, 40);
    check_from(1);
    const struct roll_event *e = event(ROLL_SIGNS_EARLY);
    assert_non_null(e);
    assert_int_equal(e->key, 3);
    assert_int_equal(e->passed_ns, 80 * S);
    assert_int_equal(e->needed_ns, TTL * S);
    assert_int_equal(e->until_ns, 150 * S);
    assert_int_equal(unsafe_steps(), 1);
    assert_true(r.key[3].unsafe);
    r.events = 0;
    roll_check_keys(&r, 1, 140 * S); /* said once */
    assert_int_equal(r.events, 0);
    roll_unsafe_expire(&r, 149 * S);
    assert_null(event(ROLL_SAFE_AGAIN));
    roll_unsafe_expire(&r, 151 * S);
    assert_non_null(event(ROLL_SAFE_AGAIN));
    assert_int_equal(r.next_ns, INT64_MAX);
}

/* Early by the clock, in the right order, and whoever was served had asked anew: no cache is known
 * that it harms. It is said again when one is. */
static void test_exposed(void **state)
{
    (void)state;
    serve(K1 | Z1, K1, 0, 50, true);
    serve(K1 | Z1 | Z2, K1, 60, 400, true);
    serve(K1 | Z2, K1, 140, 400, true);
    sign(Z1, 0, 120);
    sign(Z2, 130, 500);
    cache(1, 125);
    r.cache[0].before = 0;
    r.cache[0].before_ns = 50 * S;
    r.cache[0].restless_from_ns = 125 * S;
    r.cache[0].restless_ns = 140 * S;
    check_from(1);
    assert_int_equal(unsafe_steps(), 2);
    assert_false(event(ROLL_SIGNS_EARLY)->exposed);
    assert_false(event(ROLL_REMOVED_EARLY)->exposed);
    assert_false(r.key[3].unsafe);
    r.events = 0;
    cache(0, 45); /* and has not asked again */
    roll_check_keys(&r, 1, 140 * S);
    assert_int_equal(unsafe_steps(), 2);
    assert_true(event(ROLL_SIGNS_EARLY)->exposed);
    assert_true(event(ROLL_REMOVED_EARLY)->exposed);
    assert_true(r.key[3].unsafe);
}

/* Beside the old signature the new one may come at any time (3.2.2). */
static void test_double_signature(void **state)
{
    (void)state;
    serve(K1 | Z1, K1, 0, 50, true);
    serve(K1 | Z1 | Z2, K1, 51, 400, true);
    serve(K1 | Z2, K1, 410, 500, true);
    sign(Z1, 0, 50);
    sign(Z1 | Z2, 51, 400);
    sign(Z2, 410, 500);
    check_from(1);
    assert_int_equal(unsafe_steps(), 0);
    assert_int_equal(roll_check_method(&r, 3), ROLL_BY_DOUBLE_SIGNATURE);
}

static void test_removed_early(void **state)
{
    (void)state;
    serve(K1 | Z1 | Z2, K1, 0, 300, true);
    serve(K1 | Z2, K1, 310, 400, true);
    sign(Z1, 0, 250);
    sign(Z2, 251, 400);
    check_from(1);
    const struct roll_event *e = event(ROLL_REMOVED_EARLY);
    assert_non_null(e);
    assert_int_equal(e->key, 2);
    assert_int_equal(e->roll, 3); /* the key that took over, seen once the other had gone */
    assert_int_equal(e->passed_ns, 60 * S);
    assert_int_equal(e->until_ns, 350 * S);
    assert_int_equal(unsafe_steps(), 1);
    r.events = 0;
    serve(K1 | Z1 | Z2, K1, 320, 400, true);
    roll_check_keys(&r, 2, 320 * S);
    assert_non_null(event(ROLL_RESTORED));
}

/* 3.3.1: the DS waits for caches to have the new key, the old key for them to lose the old DS. */
static void test_ksk(void **state)
{
    (void)state;
    serve(K1 | Z1, K1, 0, 50, true);
    serve(K1 | K2 | Z1, K1 | K2, 60, 390, true);
    serve(K2 | Z1, K2, 400, 500, true);
    delegate(K1, 0, 200);
    delegate(K2, 210, 500);
    check_from(1);
    assert_int_equal(unsafe_steps(), 0);
    assert_int_equal(roll_check_method(&r, 1), ROLL_BY_DOUBLE_SIGNATURE);
    assert_non_null(event(ROLL_DS_SEEN));
    assert_non_null(event(ROLL_DS_GONE));
    assert_int_equal(r.completed, 1);
}

static void test_ds_early(void **state)
{
    (void)state;
    serve(K1 | Z1, K1, 0, 50, true);
    serve(K1 | K2 | Z1, K1 | K2, 60, 390, true);
    delegate(K1, 0, 100);
    delegate(K2, 110, 500);
    check_from(1);
    assert_non_null(event(ROLL_DS_EARLY));
    assert_int_equal(event(ROLL_DS_EARLY)->key, 1);
    assert_int_equal(event(ROLL_DS_EARLY)->passed_ns, 60 * S);
    assert_int_equal(unsafe_steps(), 1);
}

static void test_ksk_early(void **state)
{
    (void)state;
    serve(K1 | Z1, K1, 0, 50, true);
    serve(K1 | K2 | Z1, K1 | K2, 60, 290, true);
    serve(K2 | Z1, K2, 300, 500, true);
    delegate(K1, 0, 240);
    delegate(K2, 250, 500);
    check_from(1);
    assert_non_null(event(ROLL_KSK_EARLY));
    assert_int_equal(event(ROLL_KSK_EARLY)->key, 0);
    assert_int_equal(event(ROLL_KSK_EARLY)->until_ns, 340 * S);
    assert_int_equal(unsafe_steps(), 1);
}

/* 3.3.2: both DS first, then the keys change at once. */
static void test_double_ds(void **state)
{
    (void)state;
    serve(K1 | Z1, K1, 0, 290, true);
    serve(K2 | Z1, K2, 300, 500, true);
    delegate(K1, 0, 100);
    delegate(K1 | K2, 110, 440);
    delegate(K2, 450, 500);
    check_from(1);
    assert_int_equal(unsafe_steps(), 0);
    assert_int_equal(roll_check_method(&r, 1), ROLL_BY_DOUBLE_DS);
}

static void test_no_ds(void **state)
{
    (void)state;
    serve(K1 | Z1, K1, 0, 290, true);
    uint8_t bad = serve(K2 | Z1, K2, 300, 500, false);
    delegate(K1, 0, 400);
    check_from(1);
    assert_non_null(event(ROLL_KSK_NO_DS));
    assert_int_equal(event(ROLL_KSK_NO_DS)->until_ns, INT64_MAX);
    assert_int_equal(unsafe_steps(), 1);
    delegate(K2, 410, 500); /* mended */
    r.set[bad].secure = true;
    r.events = 0;
    roll_check_keys(&r, bad, 410 * S);
    assert_int_equal(unsafe_steps(), 0);
    assert_int_equal(r.next_ns, 500 * S); /* when caches are rid of the other DS */
    roll_unsafe_expire(&r, 501 * S);
    assert_non_null(event(ROLL_SAFE_AGAIN));
}

static void test_pending(void **state)
{
    (void)state;
    serve(K1 | Z1, K1, 0, 50, true);
    serve(K1 | K2 | Z1, K1 | K2, 60, 290, true);
    delegate(K1, 0, 100);
    check_from(1);
    const struct roll_event *e = event(ROLL_DS_PENDING);
    assert_non_null(e);
    assert_int_equal(e->key, 1);
    assert_false(r.key[1].overdue);
    r.events = 0;
    r.ds[0].last_ns = 261 * S; /* more than both TTLs after 60 */
    roll_check_ds(&r, false, 261 * S);
    assert_non_null(event(ROLL_DS_PENDING));
    assert_true(r.key[1].overdue);
    r.events = 0;
    roll_check_ds(&r, false, 270 * S); /* said once */
    assert_int_equal(r.events, 0);
    delegate(K1 | K2, 280, 290);
    roll_check_ds(&r, true, 290 * S);
    assert_non_null(event(ROLL_DS_FOLLOWED));
}

/* A standby key that signs nothing is not waited for. */
static void test_standby(void **state)
{
    (void)state;
    serve(K1 | Z1, K1, 0, 50, true);
    serve(K1 | K2 | Z1, K1, 60, 900, true);
    delegate(K1, 0, 900);
    check_from(1);
    assert_null(event(ROLL_DS_PENDING));
    assert_int_equal(unsafe_steps(), 0);
}

/* Two servers that differ all the time: neither took the other's place. */
static void test_disagreement(void **state)
{
    (void)state;
    serve(K1 | Z1, K1, 0, 500, true);
    uint8_t other = serve(K2 | Z2, K2, 10, 490, true);
    r.set[other].after = 0;
    servers[0].set = 0;
    servers[1] = (struct roll_server){.family = 4, .address = {1}, .set = other};
    sign(Z1, 0, 500);
    sign(Z2, 11, 490);
    delegate(K1 | K2, 0, 500);
    check_from(1);
    assert_int_equal(r.events, 0);
}

/* Seen at another server only: the later signature, and that the other set is served no more,
 * tell the order; that it is served again refutes it. */
static void test_inferred(void **state)
{
    (void)state;
    serve(K1 | Z1, K1, 0, 50, true);
    uint8_t other = serve(K1 | Z2, K1, 60, 490, true);
    r.set[other].after = 0;
    sign(Z1, 0, 50);
    check_from(1);
    assert_int_equal(r.events, 0); /* signed at the same time */
    r.set[other].inception = r.set[other].inceptions = 5;
    check_from(1);
    assert_non_null(event(ROLL_REMOVED_EARLY));
    assert_false(event(ROLL_REMOVED_EARLY)->proven);
    assert_false(event(ROLL_REMOVED_EARLY)->exposed); /* no accusation */
    r.events = 0;
    r.set[0].last_ns = 70 * S;
    roll_unsafe_review(&r, 70 * S);
    assert_non_null(event(ROLL_SAFE_AGAIN));
    assert_int_equal(r.hazards, 0);
}

static void test_hold_down(void **state)
{
    (void)state;
    r.anchored = true;
    serve(K1 | Z1, K1, 0, 50, true);
    serve(K1 | K2 | Z1, K1 | K2, 60, 900, true);
    serve(K2 | Z1, K2, 1000, 1100, true);
    check_from(1);
    assert_non_null(event(ROLL_HOLD_DOWN));
    assert_int_equal(event(ROLL_HOLD_DOWN)->passed_ns, 940 * S);
    assert_int_equal(event(ROLL_HOLD_DOWN)->needed_ns, ROLL_HOLD_DOWN_NS);
}

/* RFC 6781 4.1.4: the DS of a new algorithm waits for signatures to be everywhere. */
static void test_algorithm(void **state)
{
    (void)state;
    rdata[1][3] = rdata[3][3] = 15;
    serve(K1 | Z1, K1, 0, 50, true);
    serve(K1 | K2 | Z1 | Z2, K1 | K2, 60, 900, true);
    sign(Z1, 0, 55);
    sign(Z1 | Z2, 60, 900);
    delegate(K1, 0, 155);
    delegate(K2, 160, 900);
    check_from(1);
    assert_int_equal(unsafe_steps(), 0);
    assert_int_equal(roll_check_method(&r, 1), ROLL_BY_ALGORITHM);
    r.ds[1].first_ns = 140 * S;
    r.group[0].until_ns = 155 * S;
    roll_check_ds(&r, true, 200 * S);
    assert_non_null(event(ROLL_ALGORITHM_EARLY));
    rdata[1][3] = rdata[3][3] = 13;
}

static void test_times_at_the_edge(void **state)
{
    (void)state;
    assert_int_equal(roll_cached(INT64_MAX - 5, 100), INT64_MAX);
    assert_int_equal(roll_cached(5, 1), 5 + S);
}

/* --- from responses: an island of trust whose CSK is exchanged --- */

struct island {
    struct settings settings;
    struct anchors *anchors;
    struct signed_zone one, two;
    struct answers answers;
};

static int rise(void **state)
{
    struct island *t = calloc(1, sizeof *t);
    settings_default(&t->settings);
    t->one = signed_zone_make("z.", LDNS_SIGN_ECDSAP256SHA256, 256);
    t->two = signed_zone_make("z.", LDNS_SIGN_ECDSAP256SHA256, 256);
    t->anchors = anchors_new();
    for (int i = 0; i < 2; i++) {
        zone_anchor(t->anchors, i ? &t->two : &t->one);
    }
    assert_int_equal(answers_init(&t->answers, &t->settings, t->anchors, NULL, 42), 0);
    *state = t;
    return 0;
}

static int sink(void **state)
{
    struct island *t = *state;
    answers_fini(&t->answers);
    anchors_free(t->anchors);
    ldns_key_deep_free(t->one.key);
    ldns_key_deep_free(t->two.key);
    free(t);
    return 0;
}

/* Shown to the validator, then to the tracker as from that server; what came of it, or NULL. */
static struct roll *from_server(struct island *t, struct reply reply, uint8_t server, int64_t at)
{
    struct zone *zones[ROLL_ZONES_MAX];
    struct flow flow = {.family = 4, .src = {server}};
    struct answer *a = show(&t->answers, reply, (uint64_t)at + 1, at);
    a->roll_stamp = 0;
    roll_seen(&t->answers, a, &flow, a->time_ns, a->time_ns, a->time_ns, zones);
    struct zone *zone = world_find(&t->answers.world, apex);
    return zone ? zone->roll : NULL;
}

static struct reply keys_of(struct island *t, bool one, bool two, bool cached)
{
    struct reply reply = reply_to("z.", LDNS_RR_TYPE_DNSKEY, LDNS_RCODE_NOERROR);
    ldns_rr_list *set = ldns_rr_list_new();
    if (one)
        ldns_rr_list_push_rr(set, zone_dnskey(&t->one));
    if (two)
        ldns_rr_list_push_rr(set, zone_dnskey(&t->two));
    ldns_pkt_set_aa(reply.pkt, !cached);
    reply_set(&reply, LDNS_SECTION_ANSWER, set, one ? &t->one : &t->two, -3600, 864000, NULL);
    return reply;
}

static struct reply data_of(struct signed_zone *signer, bool cached)
{
    struct reply reply = reply_to("www.z.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR);
    ldns_pkt_set_aa(reply.pkt, !cached);
    reply_set(&reply, LDNS_SECTION_ANSWER, RECORDS("www.z. 300 IN A 192.0.2.1"), signer, -3600,
              864000, NULL);
    return reply;
}

static void test_only_authority(void **state)
{
    struct island *t = *state;
    assert_null(from_server(t, keys_of(t, true, false, true), 1, 0));
    assert_null(from_server(t, data_of(&t->one, true), 1, 1));
    struct roll *roll = from_server(t, keys_of(t, true, false, false), 1, 2);
    assert_non_null(roll);
    assert_int_equal(roll->keys, 1);
    assert_int_equal(roll->groups, 0); /* the cached answer is no evidence of what is served */
    from_server(t, data_of(&t->one, false), 1, 3);
    assert_int_equal(roll->groups, 1);
    assert_int_equal(roll->group[0].until_ns, (T0 + 3 + 300) * S);
    assert_int_equal(roll->events, 0); /* that it was not seen before does not make it new */
}

static void test_exchange(void **state)
{
    struct island *t = *state;
    from_server(t, keys_of(t, true, false, false), 1, 0);
    from_server(t, data_of(&t->one, false), 1, 10);
    struct roll *roll = from_server(t, keys_of(t, false, true, false), 1, 20);
    assert_int_equal(roll->sets, 2);
    bool early = false;
    for (uint8_t i = 0; i < roll->events; i++)
        early |= roll->event[i].stage == ROLL_REMOVED_EARLY && roll->event[i].passed_ns == 10 * S;
    assert_true(early);
    roll->events = 0;
    from_server(t, data_of(&t->two, false), 1, 21);
    early = false;
    for (uint8_t i = 0; i < roll->events; i++)
        early |= roll->event[i].stage == ROLL_SIGNS_EARLY && roll->event[i].passed_ns == 21 * S;
    assert_true(early);
    assert_int_equal(roll->completed, 1);
    assert_int_equal(roll->completed_unsafe, 1);
}

/* The server that lags behind goes on serving what was: nothing new begins with it. */
static void test_lagging(void **state)
{
    struct island *t = *state;
    from_server(t, keys_of(t, true, false, false), 1, 0);
    from_server(t, keys_of(t, true, false, false), 2, 1);
    struct roll *roll = from_server(t, keys_of(t, true, true, false), 1, 20);
    uint8_t stages = roll->events;
    assert_int_equal(stages, 1); /* published */
    from_server(t, keys_of(t, true, false, false), 2, 21);
    assert_int_equal(roll->events, stages);
    from_server(t, keys_of(t, true, true, false), 2, 22);
    assert_int_equal(roll->events, stages);
    assert_int_equal(roll_under_way(roll), 1);
}

/* One address that serves both by turns is no roll, or one undone: nothing stays unsafe. */
static void test_back_and_forth(void **state)
{
    struct island *t = *state;
    from_server(t, keys_of(t, true, false, false), 1, 0);
    from_server(t, data_of(&t->one, false), 1, 10);
    struct roll *roll = from_server(t, keys_of(t, false, true, false), 1, 20);
    assert_true(roll->hazards > 0);
    roll->events = 0;
    from_server(t, keys_of(t, true, false, false), 1, 30);
    assert_int_equal(roll->hazards, 0);
    bool over = false;
    for (uint8_t i = 0; i < roll->events; i++)
        over |= roll->event[i].stage == ROLL_SAFE_AGAIN;
    assert_true(over);
}

/* A zone whose keys change all the time costs no more than its tables. */
static void test_bounded(void **state)
{
    struct island *t = *state;
    struct roll *roll = from_server(t, keys_of(t, true, false, false), 1, 0);
    for (int64_t i = 1; i < 40; i++) {
        struct signed_zone more = signed_zone_make("z.", LDNS_SIGN_ED25519, 256);
        struct reply reply = reply_to("z.", LDNS_RR_TYPE_DNSKEY, LDNS_RCODE_NOERROR);
        ldns_rr_list *set = one(zone_dnskey(&t->one));
        ldns_rr_list_push_rr(set, zone_dnskey(&more));
        reply_set(&reply, LDNS_SECTION_ANSWER, set, &t->one, -3600, 864000, NULL);
        roll = from_server(t, reply, 1, i * 10000);
        roll->events = 0;
        ldns_key_deep_free(more.key);
    }
    assert_in_range(roll->sets, 1, ROLL_SETS_MAX);
    assert_in_range(roll->keys, 1, ROLL_KEYS_MAX);
    assert_int_equal(roll->more, 0);   /* what no cache holds made room */
    for (int64_t i = 1; i < 40; i++) { /* too fast for that */
        struct signed_zone more = signed_zone_make("z.", LDNS_SIGN_ED25519, 256);
        struct reply reply = reply_to("z.", LDNS_RR_TYPE_DNSKEY, LDNS_RCODE_NOERROR);
        ldns_rr_list *set = one(zone_dnskey(&t->one));
        ldns_rr_list_push_rr(set, zone_dnskey(&more));
        reply_set(&reply, LDNS_SECTION_ANSWER, set, &t->one, -3600, 864000, NULL);
        roll = from_server(t, reply, 1, 400000 + i);
        roll->events = 0;
        ldns_key_deep_free(more.key);
    }
    assert_true(roll->more > 0);
    size_t bytes = roll->bytes;
    assert_true(bytes < 16384);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_prepublication, fresh),
        cmocka_unit_test_setup(test_chain, fresh),
        cmocka_unit_test_setup(test_undone, fresh),
        cmocka_unit_test_setup(test_given_up, fresh),
        cmocka_unit_test_setup(test_signs_early, fresh),
        cmocka_unit_test_setup(test_exposed, fresh),
        cmocka_unit_test_setup(test_double_signature, fresh),
        cmocka_unit_test_setup(test_removed_early, fresh),
        cmocka_unit_test_setup(test_ksk, fresh),
        cmocka_unit_test_setup(test_ds_early, fresh),
        cmocka_unit_test_setup(test_ksk_early, fresh),
        cmocka_unit_test_setup(test_double_ds, fresh),
        cmocka_unit_test_setup(test_no_ds, fresh),
        cmocka_unit_test_setup(test_pending, fresh),
        cmocka_unit_test_setup(test_standby, fresh),
        cmocka_unit_test_setup(test_disagreement, fresh),
        cmocka_unit_test_setup(test_inferred, fresh),
        cmocka_unit_test_setup(test_hold_down, fresh),
        cmocka_unit_test_setup(test_algorithm, fresh),
        cmocka_unit_test(test_times_at_the_edge),
        cmocka_unit_test_setup_teardown(test_only_authority, rise, sink),
        cmocka_unit_test_setup_teardown(test_exchange, rise, sink),
        cmocka_unit_test_setup_teardown(test_lagging, rise, sink),
        cmocka_unit_test_setup_teardown(test_back_and_forth, rise, sink),
        cmocka_unit_test_setup_teardown(test_bounded, rise, sink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
