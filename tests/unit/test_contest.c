/*
 * test_contest: two contents of one RRset and the serials around them, by a signer of our own; and
 * what the rules make of it.
 *
 * Contained in: tests.
 */
#include "analyze/follow/contest.h"
#include "tests/unit/signed_zone.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HOUR 3600

struct scene {
    struct settings settings;
    struct anchors *anchors;
    struct signed_zone zone;
    struct answers answers;
    struct contests *contests;
    uint64_t frame;
    int64_t now;
    unsigned told, over;
    struct contest last;
};

static int set_up(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    settings_default(&s->settings);
    s->zone = signed_zone_make("zone.test.", LDNS_SIGN_ED25519, 256);
    s->anchors = anchors_new();
    zone_anchor(s->anchors, &s->zone);
    assert_int_equal(answers_init(&s->answers, &s->settings, s->anchors, NULL, 42), 0);
    s->contests = contests_new(&s->answers, 1000);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    contests_free(s->contests);
    answers_fini(&s->answers);
    anchors_free(s->anchors);
    ldns_key_deep_free(s->zone.key);
    free(s);
    return 0;
}

static void on_contest(void *context, const struct contest *c)
{
    struct scene *s = context;
    s->told += !c->over;
    s->over += c->over;
    s->last = *c;
}

/* A response with AA=1 from 10.0.0.`server` to 10.9.0.`client`, signed from T0 + `from` for 30
 * days, a second after the one before. */
static void serve(struct scene *s, unsigned server, unsigned client, const char *line, int64_t from)
{
    static struct dns_message m;
    static struct draft draft;
    ldns_rr_list *set = strstr(line, " DNSKEY") ? one(zone_dnskey(&s->zone)) : RECORDS(line);
    ldns_rr *first = ldns_rr_list_rr(set, 0);
    char *owner = ldns_rdf2str(ldns_rr_owner(first));
    struct reply r = reply_to(owner, ldns_rr_get_type(first), LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, set, &s->zone, from, from + 720 * HOUR, NULL);
    size_t size;
    uint8_t *wire = reply_wire(&r, &size);
    uint64_t frame = ++s->frame;
    bool fresh;
    struct datagram dg = {.flow = {.family = 4,
                                   .sport = 53,
                                   .dport = 4000,
                                   .src = {10, 0, 0, (uint8_t)server},
                                   .dst = {10, 9, 0, (uint8_t)client}},
                          .bytes = wire,
                          .size = size,
                          .wire_size = size,
                          .time_ns = (T0 + ++s->now) * SECOND,
                          .frame = frame,
                          .frames = &frame,
                          .frame_count = 1};
    struct query query = {.frame = frame, .edns = true, .edns_do = true};
    assert_int_equal(message_parse(wire, size, size, &m), MESSAGE_WHOLE);
    answers_draft(&s->answers, &dg, &m, &query, NULL, &draft);
    struct answer *a = answers_commit(&s->answers, &draft, &dg, &fresh);
    assert_int_equal(a->reason, REASON_CHAIN);
    if (contests_wants(a, contests_epoch(s->contests)))
        contests_seen(s->contests, a, &dg);
    contests_settle(s->contests, a->zone, dg.time_ns, dg.time_ns, on_contest, s);
    free(wire);
    free(owner);
}

#define SOA(n) "zone.test. 300 IN SOA ns.zone.test. h.zone.test. " #n " 3600 900 86400 300"
#define A(n)   "www.zone.test. 300 IN A 192.0.2." #n
#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define KEYS   "zone.test. 300 IN DNSKEY"

static void one_server_one_serial(void **state)
{
    struct scene *s = *state;
    serve(s, 1, 1, KEYS, -HOUR);
    serve(s, 1, 1, SOA(7), -HOUR);
    serve(s, 1, 1, A(1), -HOUR);
    serve(s, 1, 1, A(66), -HOUR);
    assert_int_equal(s->told, 0); /* the serial may have moved with it */
    serve(s, 1, 1, SOA(7), -HOUR);
    assert_int_equal(s->told, 1);
    assert_int_equal(s->last.how, CONTEST_ONE_SERVER);
    assert_true(s->last.one_client);
    assert_ptr_not_equal(s->last.before, s->last.after);
    assert_int_equal(s->last.epoch[1]->serial, 7);
    serve(s, 1, 1, SOA(7), -HOUR);
    serve(s, 1, 1, A(1), -HOUR);
    assert_int_equal(s->told, 1); /* once */
    assert_int_equal(s->over, 0);
}

static void ordinary_update(void **state)
{
    struct scene *s = *state;
    serve(s, 1, 1, KEYS, -HOUR);
    serve(s, 1, 1, A(1), -HOUR);
    serve(s, 1, 1, SOA(7), -HOUR);
    serve(s, 2, 1, SOA(7), -HOUR);
    serve(s, 2, 1, A(1), -HOUR);
    serve(s, 1, 1, A(2), -HOUR + 10); /* before its SOA is seen */
    serve(s, 1, 1, SOA(8), -HOUR + 10);
    serve(s, 2, 1, A(1), -HOUR); /* the secondary is behind */
    serve(s, 2, 1, SOA(7), -HOUR);
    serve(s, 1, 1, A(2), -HOUR + 10);
    serve(s, 1, 1, SOA(8), -HOUR + 10);
    serve(s, 2, 1, SOA(8), -HOUR + 10);
    serve(s, 2, 1, A(2), -HOUR + 10);
    serve(s, 1, 1, A(1), -HOUR + 20); /* and back, signed anew */
    serve(s, 1, 1, SOA(9), -HOUR + 20);
    serve(s, 1, 1, A(1), -HOUR + 20);
    serve(s, 1, 1, SOA(9), -HOUR + 20);
    assert_int_equal(s->told, 0);
}

static void two_servers_one_serial(void **state)
{
    struct scene *s = *state;
    serve(s, 1, 1, KEYS, -HOUR);
    for (unsigned i = 1; i <= 2; i++) {
        serve(s, i, 1, SOA(7), -HOUR);
        serve(s, i, 1, i == 1 ? A(1) : A(66), -HOUR);
        serve(s, i, 1, SOA(7), -HOUR);
    }
    assert_int_equal(s->told, 1);
    assert_int_equal(s->last.how, CONTEST_TWO_SERVERS);
}

/* The serials of RFC 1982 wrap. */
static void later_signature_with_lower_serial(void **state)
{
    struct scene *s = *state;
    serve(s, 1, 1, KEYS, -HOUR);
    serve(s, 1, 1, SOA(2), -HOUR);
    serve(s, 1, 1, A(1), -HOUR);
    serve(s, 1, 1, SOA(2), -HOUR);
    serve(s, 2, 1, SOA(4294967295), -2 * HOUR);
    serve(s, 2, 1, A(66), -HOUR + 30);
    serve(s, 2, 1, SOA(4294967295), -2 * HOUR);
    assert_int_equal(s->told, 1);
    assert_int_equal(s->last.how, CONTEST_SERIAL_BACK);
}

/* What was replaced keeps its old signature: nothing odd in a server that is behind. */
static void older_signature_with_lower_serial(void **state)
{
    struct scene *s = *state;
    serve(s, 1, 1, KEYS, -HOUR);
    serve(s, 1, 1, SOA(8), -HOUR);
    serve(s, 1, 1, A(2), -HOUR);
    serve(s, 1, 1, SOA(8), -HOUR);
    serve(s, 2, 1, SOA(7), -2 * HOUR);
    serve(s, 2, 1, A(1), -2 * HOUR);
    serve(s, 2, 1, SOA(7), -2 * HOUR);
    assert_int_equal(s->told, 0);
}

static void signed_after_its_soa(void **state)
{
    struct scene *s = *state;
    serve(s, 1, 1, KEYS, -HOUR);
    serve(s, 1, 1, A(1), -HOUR);
    serve(s, 1, 2, A(66), -5);
    serve(s, 1, 1, SOA(7), -HOUR);
    assert_int_equal(s->told, 1);
    assert_int_equal(s->last.how, CONTEST_SIGNED_AFTER);
    assert_false(s->last.one_client);
}

/* A zone was changed, and its earlier version put in place again: the usual repair. */
static void set_back(void **state)
{
    struct scene *s = *state;
    serve(s, 1, 1, KEYS, -HOUR);
    serve(s, 1, 1, A(1), -HOUR);
    serve(s, 1, 1, SOA(7), -HOUR);
    serve(s, 1, 1, SOA(8), -5);
    serve(s, 1, 1, A(66), -5);
    serve(s, 1, 1, SOA(7), -HOUR);
    serve(s, 1, 1, A(1), -HOUR);
    serve(s, 1, 1, SOA(7), -HOUR);
    assert_int_equal(s->told, 0);
    serve(s, 1, 1, A(66), -5); /* again: and now without a serial of its own */
    serve(s, 1, 1, SOA(7), -HOUR);
    assert_int_equal(s->told, 1);
}

/* … and its serial was not seen, for nobody asked. */
static void set_back_after_long(void **state)
{
    struct scene *s = *state;
    serve(s, 1, 1, KEYS, -HOUR);
    serve(s, 1, 1, A(1), -HOUR);
    serve(s, 1, 1, A(66), -5);
    s->now += 90;
    serve(s, 1, 1, SOA(7), -HOUR);
    assert_int_equal(s->told, 0);
}

/* Several machines behind one address, out of step for a moment. */
static void explained_later(void **state)
{
    struct scene *s = *state;
    serve(s, 1, 1, KEYS, -HOUR);
    serve(s, 1, 1, SOA(7), -HOUR);
    serve(s, 1, 1, A(1), -HOUR);
    serve(s, 1, 1, A(2), -HOUR + 100);
    serve(s, 1, 1, SOA(7), -HOUR);
    assert_int_equal(s->told, 1);
    serve(s, 1, 1, SOA(8), -HOUR + 100);
    serve(s, 1, 1, A(2), -HOUR + 100);
    serve(s, 1, 1, SOA(8), -HOUR + 100);
    assert_int_equal(s->over, 1);
}

static void signed_on_line(void **state)
{
    struct scene *s = *state;
    serve(s, 1, 1, KEYS, -HOUR);
    for (int i = 0; i < 4; i++) {
        serve(s, 1, 1, SOA(1), -HOUR + i);
        serve(s, 1, 1, i % 2 ? A(1) : A(2), -HOUR + i);
    }
    serve(s, 1, 1, SOA(1), -HOUR + 9);
    assert_true(s->told == s->over);
}

static void minimal_denial(void **state)
{
    struct scene *s = *state;
    serve(s, 1, 1, KEYS, -HOUR);
    serve(s, 1, 1, "nx.zone.test. 300 IN NSEC \\000.nx.zone.test. RRSIG NSEC", -HOUR);
    serve(s, 1, 1, SOA(1), -HOUR);
    serve(s, 1, 1, A(1), -HOUR);
    serve(s, 1, 1, A(2), -HOUR);
    serve(s, 1, 1, SOA(1), -HOUR);
    assert_int_equal(s->told, 0);
}

/* White lies (RFC 7129 appendix B): from one below a hash to one above it. */
static void narrow_denial(void **state)
{
    struct scene *s = *state;
    serve(s, 1, 1, KEYS, -HOUR);
    serve(s, 1, 1,
          "0p9mhaveqvm6t7vbl5lop2u3t2rp3ton.zone.test. 300 IN NSEC3 1 0 0 - "
          "0p9mhaveqvm6t7vbl5lop2u3t2rp3top A",
          -HOUR);
    serve(s, 1, 1, SOA(1), -HOUR);
    serve(s, 1, 1, A(1), -HOUR);
    serve(s, 1, 1, A(2), -HOUR);
    serve(s, 1, 1, SOA(1), -HOUR);
    assert_int_equal(s->told, 0);
}

/* PowerDNS signs each answer as of the last turn of a week, and a backend without serials may give
 * another one to each who asks. Whoever else signs there is told of all the same. */
static void signed_as_of_a_week(void **state)
{
    struct scene *s = *state;
    const int64_t week = -(T0 % (7 * 24 * HOUR));
    serve(s, 1, 1, KEYS, week);
    serve(s, 1, 1, SOA(1), week);
    serve(s, 1, 1, A(1), week);
    serve(s, 1, 1, A(2), week);
    serve(s, 1, 1, SOA(1), week);
    serve(s, 1, 1, A(1), week);
    serve(s, 1, 1, A(3), week - 7 * 24 * HOUR); /* a cache of signatures over the turn */
    serve(s, 1, 1, SOA(1), week);
    assert_int_equal(s->told, 0);
    serve(s, 1, 1, A(66), -HOUR);
    serve(s, 1, 1, SOA(1), week);
    assert_in_range(s->told, 1, 3); /* against each of the others */
}

/* A child's roll, and a parent that signs it without a serial of its own. */
static void children(void **state)
{
    struct scene *s = *state;
    serve(s, 1, 1, KEYS, -HOUR);
    serve(s, 1, 1, SOA(1), -HOUR);
    serve(s, 1, 1, "sub.zone.test. 300 IN DS 1 13 2 " DIGEST, -HOUR);
    serve(s, 1, 1, "sub.zone.test. 300 IN DS 2 13 2 " DIGEST, -HOUR);
    serve(s, 1, 1, SOA(1), -HOUR);
    assert_int_equal(s->told, 0);
}

/* Memory ran short: nothing is left that could contradict. */
static void forgotten(void **state)
{
    struct scene *s = *state;
    serve(s, 1, 1, KEYS, -HOUR);
    serve(s, 1, 1, SOA(7), -HOUR);
    serve(s, 1, 1, A(1), -HOUR);
    assert_true(contests_bytes(s->contests) > 0);
    contests_forget(s->contests);
    answers_forget(&s->answers);
    assert_int_equal(contests_bytes(s->contests), 0);
    serve(s, 1, 1, KEYS, -HOUR);
    serve(s, 1, 1, A(66), -HOUR);
    serve(s, 1, 1, SOA(7), -HOUR);
    assert_int_equal(s->told, 0);
}

/* Of more contents than are remembered the oldest give way; nothing is told twice. */
static void many_contents(void **state)
{
    struct scene *s = *state;
    serve(s, 1, 1, KEYS, -HOUR);
    serve(s, 1, 1, SOA(7), -HOUR);
    for (unsigned i = 0; i < 40; i++) {
        char line[80];
        snprintf(line, sizeof line, "www.zone.test. 300 IN A 192.0.2.%u", i);
        serve(s, 1, 1, line, -HOUR);
        serve(s, 1, 1, SOA(7), -HOUR);
    }
    assert_in_range(s->told, 39, 40 * CONTEST_VARIANTS);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_server_one_serial),
        TEST(ordinary_update),
        TEST(two_servers_one_serial),
        TEST(later_signature_with_lower_serial),
        TEST(older_signature_with_lower_serial),
        TEST(signed_after_its_soa),
        TEST(set_back),
        TEST(set_back_after_long),
        TEST(explained_later),
        TEST(signed_on_line),
        TEST(narrow_denial),
        TEST(signed_as_of_a_week),
        TEST(minimal_denial),
        TEST(children),
        TEST(forgotten),
        TEST(many_contents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
