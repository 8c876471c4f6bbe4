/*
 * contradiction: data and denials of a zone signed by ldns, shown by servers in every order: what
 * is an update of the zone, and what is not.
 */
#include "analyze/follow/contradiction.h"

#include "tests/unit/signed_zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define LATER 86400

struct bed {
    struct settings settings;
    struct anchors *anchors;
    struct signed_zone zone;
    struct answers answers;
    int64_t now;
    uint64_t frame;
    unsigned told;
    struct contradiction last;
};

static struct bed *bed;

static void on_contradiction(void *context, struct zone *zone, const struct contradiction *c)
{
    (void)context;
    (void)zone;
    bed->told++;
    bed->last = *c;
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
    size_t before = bed->answers.world.zone_bytes;
    assert_true(before > 0);
    answers_fini(&bed->answers);
    anchors_free(bed->anchors);
    ldns_key_deep_free(bed->zone.key);
    free(bed);
    return 0;
}

static void seen(struct reply r, unsigned server)
{
    bed->frame += 2;
    bed->now++;
    struct answer *a = show(&bed->answers, r, bed->frame, bed->now);
    struct flow flow = {.family = 4, .src = {192, 0, 2, (uint8_t)server}};
    assert_int_equal(reason_verdict(a->reason), VERDICT_SECURE);
    contradictions_seen(&bed->answers.world, a, &flow, (T0 + bed->now) * SECOND, bed->frame,
                        on_contradiction, NULL);
}

/* www has an address; signed `signed_at` seconds from T0. */
static void data(unsigned server, int64_t signed_at)
{
    struct reply r = reply_to("www.zone.test.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS("www.zone.test. 300 A 192.0.2.1"), &bed->zone,
              signed_at, LATER, NULL);
    seen(r, server);
}

static void deny(unsigned server, const char *qname, ldns_rr_type type, bool nxdomain,
                 unsigned serial, int64_t signed_at, const char *nsec)
{
    char soa[128];
    snprintf(soa, sizeof soa, "zone.test. 300 SOA ns.zone.test. h.zone.test. %u 2 3 4 5", serial);
    struct reply r = reply_to(qname, type, nxdomain ? LDNS_RCODE_NXDOMAIN : LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS(soa), &bed->zone, signed_at, LATER, NULL);
    reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS(nsec), &bed->zone, signed_at, LATER, NULL);
    if (nxdomain) /* and of the wildcard */
        reply_set(&r, LDNS_SECTION_AUTHORITY,
                  RECORDS("zone.test. 300 NSEC mail.zone.test. NS SOA RRSIG NSEC DNSKEY"),
                  &bed->zone, signed_at, LATER, NULL);
    seen(r, server);
}

/* Nothing between mail and zz. */
static void denial(unsigned server, unsigned serial, int64_t signed_at)
{
    deny(server, "nx.zone.test.", LDNS_RR_TYPE_A, true, serial, signed_at,
         "mail.zone.test. 300 NSEC zz.zone.test. A RRSIG NSEC");
}

/* A denial that does not touch www, for the serial that comes with it. */
static void serial_of(unsigned server, unsigned serial, int64_t signed_at)
{
    deny(server, "mail.zone.test.", LDNS_RR_TYPE_TXT, false, serial, signed_at,
         "mail.zone.test. 300 NSEC www.zone.test. A RRSIG NSEC");
}

static void added(void **state)
{
    (void)state;
    denial(1, 1, -9000);
    data(1, -5000);
    serial_of(1, 2, -5000);
    data(1, -5000);
    denial(2, 1, -9000); /* the other server is late */
    data(2, -5000);
    assert_int_equal(bed->told, 0);
}

static void removed(void **state)
{
    (void)state;
    serial_of(1, 1, -9000);
    data(1, -9000);
    denial(1, 2, -5000);
    data(2, -9000);
    denial(2, 2, -5000);
    assert_int_equal(bed->told, 0);
}

static void signed_in_one_run(void **state)
{ /* the times of signing tell nothing; one step is a change, whatever its serial */
    (void)state;
    serial_of(1, 1, -9000);
    data(1, -9000);
    denial(1, 1, -9000);
    assert_int_equal(bed->told, 0);
}

static void removed_and_added_again(void **state)
{
    (void)state;
    serial_of(1, 1, -9000);
    data(1, -9000);
    denial(1, 2, -8000);
    data(1, -7000);
    serial_of(1, 3, -7000);
    denial(1, 4, -6000);
    assert_int_equal(bed->told, 0);
}

static void replayed_old_denial(void **state)
{
    (void)state;
    serial_of(1, 2, -5000);
    data(1, -5000);
    denial(1, 1, -9000);
    assert_int_equal(bed->told, 1);
    assert_int_equal(bed->last.how, CONTRADICTION_SIGNED_BACK);
    assert_int_equal(bed->last.denied_by[3], 1);
    denial(1, 1, -9000);
    assert_int_equal(bed->told, 1); /* once */
}

static void replayed_old_data(void **state)
{
    (void)state;
    denial(1, 2, -5000);
    data(1, -9000);
    assert_int_equal(bed->told, 1);
    assert_int_equal(bed->last.how, CONTRADICTION_SIGNED_BACK);
}

static void older_signature_newer_serial(void **state)
{ /* signers that keep signatures: the serial says that it is an update */
    (void)state;
    serial_of(1, 2, -5000);
    data(1, -5000);
    denial(1, 3, -9000);
    assert_int_equal(bed->told, 0);
}

static void serial_back_and_forth(void **state)
{
    (void)state;
    serial_of(1, 2, -9000);
    data(1, -9000);
    denial(1, 1, -9000);
    assert_int_equal(bed->told, 0); /* perhaps put back from a backup */
    data(1, -9000);
    assert_int_equal(bed->told, 1);
    assert_int_equal(bed->last.how, CONTRADICTION_SERIAL_BACK);
}

static void in_turns_under_one_serial(void **state)
{
    (void)state;
    serial_of(1, 1, -9000);
    data(1, -9000);
    denial(1, 1, -9000);
    data(1, -9000);
    serial_of(1, 1, -9000);
    denial(1, 1, -9000);
    assert_int_equal(bed->told, 1);
    assert_int_equal(bed->last.how, CONTRADICTION_ONE_SERIAL);
}

static void two_servers_one_serial(void **state)
{
    (void)state;
    serial_of(1, 1, -9000);
    data(1, -9000);
    denial(2, 1, -9000);
    assert_int_equal(bed->told, 0); /* the one may have changed before the other was asked */
    data(1, -9000);
    serial_of(1, 1, -9000);
    denial(2, 1, -9000);
    assert_int_equal(bed->told, 1);
    assert_int_equal(bed->last.how, CONTRADICTION_ONE_SERIAL);
    assert_int_equal(bed->last.shown_by[3], 1);
    assert_int_equal(bed->last.denied_by[3], 2);
}

/* The serial that was missing comes with a response about something else. */
static void serial_seen_afterwards(void **state)
{
    (void)state;
    serial_of(1, 1, -9000);
    data(1, -9000);
    denial(2, 1, -9000);
    data(1, -9000);
    assert_int_equal(bed->told, 0);
    serial_of(1, 1, -9000);
    assert_int_equal(bed->told, 1);
    assert_int_equal(bed->last.how, CONTRADICTION_ONE_SERIAL);
}

static void two_servers_two_serials(void **state)
{ /* out of step: servers-disagree has it, when it lasts */
    (void)state;
    for (int i = 0; i < 4; i++) {
        serial_of(1, 2, -5000);
        data(1, -5000);
        denial(2, 1, -9000);
    }
    assert_int_equal(bed->told, 0);
}

static void bitmap_without_the_type(void **state)
{
    (void)state;
    serial_of(1, 2, -5000);
    data(1, -5000);
    deny(1, "www.zone.test.", LDNS_RR_TYPE_TXT, false, 2, -9000,
         "www.zone.test. 300 NSEC zz.zone.test. AAAA RRSIG NSEC");
    assert_int_equal(bed->told, 1);
    assert_int_equal(bed->last.denial->type, LDNS_RR_TYPE_NSEC);
}

static void bitmap_with_the_type(void **state)
{
    (void)state;
    data(1, -5000);
    deny(1, "www.zone.test.", LDNS_RR_TYPE_TXT, false, 2, -9000,
         "www.zone.test. 300 NSEC zz.zone.test. A RRSIG NSEC");
    assert_int_equal(bed->told, 0);
}

static void made_up_denials(void **state)
{ /* RFC 9824: each type asked for is missing, and no version of the zone is signed */
    (void)state;
    data(1, -5000);
    deny(1, "www.zone.test.", LDNS_RR_TYPE_TXT, false, 2, -9000,
         "www.zone.test. 300 NSEC \\000.www.zone.test. RRSIG NSEC");
    data(1, -5000);
    assert_int_equal(bed->told, 0);
}

static void wildcards_are_no_data(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct reply r = reply_to("a.zone.test.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR);
        reply_set(&r, LDNS_SECTION_ANSWER, RECORDS("*.zone.test. 300 A 192.0.2.9"), &bed->zone,
                  -5000, LATER, "a.zone.test.");
        reply_set(&r, LDNS_SECTION_AUTHORITY,
                  RECORDS("*.zone.test. 300 NSEC mail.zone.test. A RRSIG NSEC"), &bed->zone, -9000,
                  LATER, NULL);
        seen(r, 1);
    }
    assert_int_equal(bed->told, 0);
}

static void floods_stay_within_bounds(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * CONTRADICTION_SETS; i++) {
        char text[64], name[32];
        snprintf(name, sizeof name, "h%u.zone.test.", i);
        snprintf(text, sizeof text, "%s 300 A 192.0.2.1", name);
        struct reply r = reply_to(name, LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR);
        reply_set(&r, LDNS_SECTION_ANSWER, RECORDS(text), &bed->zone, -5000, LATER, NULL);
        seen(r, i % 20 < 4 ? i % 20 : 1);
    }
    uint8_t apex[NAME_MAX_BYTES];
    name_parse("zone.test.", apex);
    struct zone *zone = world_find(&bed->answers.world, apex);
    size_t bytes = contradictions_free(zone->contradictions);
    zone->contradictions = NULL;
    bed->answers.world.zone_bytes -= bytes;
    assert_in_range(bytes, CONTRADICTION_SETS * sizeof(void *), 1 << 16);
    data(1, -5000);
    answers_forget(&bed->answers); /* what is held is let go with the zone */
    data(1, -5000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, plant, fell)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(added),
        TEST(removed),
        TEST(signed_in_one_run),
        TEST(removed_and_added_again),
        TEST(replayed_old_denial),
        TEST(replayed_old_data),
        TEST(older_signature_newer_serial),
        TEST(serial_back_and_forth),
        TEST(in_turns_under_one_serial),
        TEST(two_servers_one_serial),
        TEST(serial_seen_afterwards),
        TEST(two_servers_two_serials),
        TEST(bitmap_without_the_type),
        TEST(bitmap_with_the_type),
        TEST(made_up_denials),
        TEST(wildcards_are_no_data),
        TEST(floods_stay_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
