/*
 * views: what two sides of a zone are told, in every order: what is two views of it, and what is a
 * change, a server that lags, or an answer by place.
 */
#include "analyze/follow/views.h"

#include "analyze/canon.h"

#include "analyze/follow/servers.h"
#include "tests/unit/signed_zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define LATER   86400
#define PLAIN   "www.zone.test. 300 A 192.0.2.1"
#define OTHER   "www.zone.test. 300 A 198.51.100.1"
#define INSIDE  "www.zone.test. 300 A 10.0.0.1"
#define NOTHING NULL

struct bed {
    struct settings settings;
    struct anchors *anchors;
    struct signed_zone zone;
    struct answers answers;
    int64_t now;
    uint64_t frame;
    unsigned told, over;
    struct views_told last;
};

static struct bed *bed;

static void on_told(void *context, const struct views_told *told)
{
    (void)context;
    bed->told += !told->over;
    bed->over += told->over;
    bed->last = *told;
}

static int plant(void **state)
{
    (void)state;
    bed = calloc(1, sizeof *bed);
    settings_default(&bed->settings);
    bed->zone = signed_zone_make("zone.test.", LDNS_SIGN_ED25519, 256);
    bed->anchors = anchors_new();
    zone_anchor(bed->anchors, &bed->zone);
    assert_int_equal(answers_init(&bed->answers, &bed->settings, bed->anchors, NULL, 42), 0);
    bed->frame = 2;
    show_keys(&bed->answers, &bed->zone, -90000, LATER, bed->frame);
    return 0;
}

static int fell(void **state)
{
    (void)state;
    answers_fini(&bed->answers);
    anchors_free(bed->anchors);
    ldns_key_deep_free(bed->zone.key);
    free(bed);
    return 0;
}

static struct flow from_to(unsigned server, unsigned client)
{
    return (struct flow){
        .family = 4, .src = {192, 0, 2, (uint8_t)server}, .dst = {203, 0, 113, (uint8_t)client}};
}

/* The server's SOA, so that it is known as one of the zone's. */
static void soa(unsigned server, const char *primary, unsigned serial, bool is_signed)
{
    char text[128];
    struct world *w = &bed->answers.world;
    struct flow flow = from_to(server, 0);
    snprintf(text, sizeof text, "zone.test. 300 SOA %s.zone.test. h.zone.test. %u 600 3 4 5",
             primary, serial);
    struct reply r = reply_to("zone.test.", LDNS_RR_TYPE_SOA, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS(text), is_signed ? &bed->zone : NULL, -5000, LATER,
              NULL);
    bed->frame += 2;
    bed->now++;
    struct answer *a = show(&bed->answers, r, bed->frame, bed->now);
    struct zone *zone = world_find(w, (const uint8_t *)"\4zone\4test");
    int64_t time_ns = (T0 + bed->now) * SECOND;
    struct server *known = servers_at(w, zone, &flow, time_ns);
    assert_non_null(known);
    servers_note_soa(zone->servers, known, answer_find(a, SECTION_ANSWER, TYPE_SOA), time_ns,
                     bed->frame);
}

/* The server tells the client this of a question for `type`, NOTHING: denied. */
static void tells_of(const char *qname, ldns_rr_type type, unsigned server, unsigned client,
                     const char *record, bool is_signed)
{
    struct reply r = reply_to(qname, type, record ? LDNS_RCODE_NOERROR : LDNS_RCODE_NXDOMAIN);
    const struct signed_zone *by = is_signed ? &bed->zone : NULL;
    if (record)
        reply_set(&r, LDNS_SECTION_ANSWER, RECORDS(record), by, -5000, LATER, NULL);
    else
        reply_set(&r, LDNS_SECTION_AUTHORITY,
                  RECORDS("zone.test. 300 SOA ns.zone.test. h.zone.test. 7 600 3 4 5"), by, -5000,
                  LATER, NULL);
    bed->frame += 2;
    bed->now += 2;
    struct answer *a = show(&bed->answers, r, bed->frame, bed->now);
    struct flow flow = from_to(server, client);
    if (views_want(a, a->frame == bed->frame))
        views_seen(&bed->answers, a, &flow, (T0 + bed->now) * SECOND, bed->frame, on_told, NULL);
}

static void tells(unsigned server, unsigned client, const char *record, bool is_signed)
{
    tells_of("www.zone.test.", LDNS_RR_TYPE_A, server, client, record, is_signed);
}

/* One server, with the answers of two clients in turns. */
static void turns(unsigned count, const char *one, bool one_signed, const char *two,
                  bool two_signed)
{
    for (unsigned i = 0; i < count; i++) {
        if (i % 2 == 0)
            tells(1, 1, one, one_signed);
        else
            tells(1, 2, two, two_signed);
    }
}

static void by_client(void **state)
{
    (void)state;
    soa(1, "ns", 7, true);
    turns(4, PLAIN, true, INSIDE, true);
    assert_int_equal(bed->told, 1);
    assert_true(bed->last.by_network);
    assert_false(bed->last.by_signature || bed->last.by_primary);
    assert_int_equal(bed->last.side[0].client[3], 1);
    assert_int_equal(bed->last.side[1].client[3], 2);
}

/* With three turns at least: machines behind one address may be out of step for a while. */
static void once_is_a_change(void **state)
{
    (void)state;
    soa(1, "ns", 7, true);
    turns(3, PLAIN, true, INSIDE, true);
    assert_int_equal(bed->told, 0);
}

static void denied_outside(void **state)
{
    (void)state;
    soa(1, "ns", 7, true);
    turns(4, NOTHING, true, INSIDE, false);
    assert_int_equal(bed->told, 1);
    assert_true(bed->last.by_network && bed->last.by_signature);
    assert_null(bed->last.side[0].set);
}

static void unsigned_inside(void **state)
{
    (void)state;
    soa(1, "ns", 7, true);
    turns(4, PLAIN, true, OTHER, false);
    assert_int_equal(bed->told, 1);
    assert_true(bed->last.by_signature && !bed->last.by_network);
}

/* The same data without its signatures: somebody took them away. */
static void stripped(void **state)
{
    (void)state;
    soa(1, "ns", 7, true);
    turns(6, PLAIN, true, PLAIN, false);
    assert_int_equal(bed->told, 0);
}

/* That side gave signed data before: it has no unsigned zone. */
static void forged_in_part(void **state)
{
    (void)state;
    soa(1, "ns", 7, true);
    tells_of("mail.zone.test.", LDNS_RR_TYPE_A, 1, 2, "mail.zone.test. 300 A 192.0.2.9", true);
    turns(6, PLAIN, true, OTHER, false);
    assert_int_equal(bed->told, 0);
}

static void by_place(void **state)
{
    (void)state;
    soa(1, "ns", 7, true);
    turns(8, PLAIN, true, OTHER, true);
    assert_int_equal(bed->told, 0);
}

static void blocked(void **state)
{
    (void)state;
    soa(1, "ns", 7, true);
    turns(8, PLAIN, true, "www.zone.test. 300 A 0.0.0.0", true);
    assert_int_equal(bed->told, 0);
}

/* Both clients get both in the end: no side sticks to its answer. */
static void a_change(void **state)
{
    (void)state;
    soa(1, "ns", 7, true);
    turns(2, PLAIN, true, INSIDE, true);
    tells(1, 1, INSIDE, true);
    turns(6, PLAIN, true, INSIDE, true);
    assert_int_equal(bed->told, 0);
}

static void agreed_again(void **state)
{
    (void)state;
    soa(1, "ns", 7, true);
    turns(6, PLAIN, true, INSIDE, true);
    unsigned told = bed->told;
    assert_true(told > 0);
    assert_int_equal(bed->over, 0);
    tells(1, 2, PLAIN, true);
    assert_int_equal(bed->told, told);
    assert_int_equal(bed->over, 1);
}

/* One side's record changes, to what neither had: two views still. */
static void changed_inside(void **state)
{
    (void)state;
    soa(1, "ns", 7, true);
    turns(4, PLAIN, true, INSIDE, true);
    turns(4, PLAIN, true, "www.zone.test. 300 A 10.0.0.2", true);
    assert_int_equal(bed->over, 0);
    assert_true(bed->told > 1);
}

static void by_server(unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        tells(1, 1, PLAIN, true);
        tells(2, 1, INSIDE, true);
    }
}

static void other_primary(void **state)
{
    (void)state;
    soa(1, "ns", 7, true);
    soa(2, "dc1", 42, false);
    by_server(1);
    assert_int_equal(bed->told, 0);
    tells(1, 1, PLAIN, true);
    assert_int_equal(bed->told, 1);
}

static void one_serial(void **state)
{
    (void)state;
    soa(1, "ns", 7, true);
    soa(2, "ns", 7, true);
    by_server(2);
    assert_true(bed->told > 0);
}

/* The newer version is on its way, until the SOA refresh of ten minutes is over. */
static void lag(void **state)
{
    (void)state;
    soa(1, "ns", 7, true);
    soa(2, "ns", 8, true);
    by_server(3);
    assert_int_equal(bed->told, 0);
    bed->now += 700;
    by_server(1);
    assert_true(bed->told > 0);
}

static void nobody_knows_it(void **state)
{
    (void)state;
    soa(1, "ns", 7, true);
    by_server(4); /* the other never showed anything of the apex */
    assert_int_equal(bed->told, 0);
}

/* With many answers to one question, and with many questions: bounded, and memory given back. */
static void crowds(void **state)
{
    char record[96], name[64];
    (void)state;
    soa(1, "ns", 7, true);
    for (unsigned i = 0; i < 200; i++) {
        snprintf(record, sizeof record, "www.zone.test. 300 A 10.0.%u.%u", i % 7, i % 11);
        tells(1, 1 + i % 60, i % 2 ? record : PLAIN, true);
        snprintf(name, sizeof name, "n%u.zone.test.", i % 90);
        snprintf(record, sizeof record, "%s 300 A %s", name, i % 3 ? "10.0.0.1" : "192.0.2.1");
        tells_of(name, LDNS_RR_TYPE_A, 1, 1 + i % 40, record, i % 2);
    }
    views_forget(&bed->answers.world); /* and answers with them, when memory is short */
    struct zone *zone = world_find(&bed->answers.world, (const uint8_t *)"\4zone\4test");
    assert_null(zone->views);
    unsigned told = bed->told;
    turns(4, OTHER, true, "www.zone.test. 300 A 10.9.9.9",
          true); /* answers that were not seen before */
    assert_int_equal(bed->told, told + 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, plant, fell)
    const struct CMUnitTest tests[] = {
        TEST(by_client),       TEST(once_is_a_change),
        TEST(denied_outside),  TEST(unsigned_inside),
        TEST(stripped),        TEST(forged_in_part),
        TEST(by_place),        TEST(blocked),
        TEST(a_change),        TEST(agreed_again),
        TEST(changed_inside),  TEST(other_primary),
        TEST(one_serial),      TEST(lag),
        TEST(nobody_knows_it), TEST(crowds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
