/*
 * test_race: which pairs of responses to one query are a race, by what they say.
 */
#include "tests/unit/fact_builder.h"

#include "analyze/follow/race.h"

#include <netinet/in.h>

#define SECOND INT64_C(1000000000)

static struct settings settings;
static struct answers answers;
static struct anchors *anchors;
static struct race race;
static unsigned told, over;
static enum verdict_kind verdict[2];
static size_t records[2];

static void on_fact(void *context, const struct fact *fact)
{
    (void)context;
    const struct fact_transport *t = fact->transport;
    assert_int_equal(t->kind, TRANSPORT_RACE);
    told += !t->over;
    over += t->over;
    for (size_t i = 0; i < 2 && !t->over; i++) {
        verdict[i] = t->contender[i].verdict;
        records[i] = t->contender[i].set.count;
    }
}

static void on_hold(void *context, const uint64_t *frames, size_t count)
{
    (void)context;
    assert_true(count == 3 && frames[0] == 1);
}

static int begin(void **state)
{
    (void)state;
    const struct teller teller = {.fact = on_fact, .hold = on_hold};
    settings_default(&settings);
    anchors = anchors_new();
    assert_int_equal(answers_init(&answers, &settings, anchors, NULL, 7), 0);
    assert_int_equal(race_init(&race, 16, &teller, &answers), 0);
    told = over = 0;
    builder_reset();
    return 0;
}

static int finish(void **state)
{
    (void)state;
    race_fini(&race);
    answers_fini(&answers);
    anchors_free(anchors);
    return 0;
}

/* --- answers, as answers_draft leaves them --- */

struct content {
    uint8_t octet[4];   /* last octets of the A records of www.example.test, up to a 0 */
    enum reason reason; /* of the verdict */
    unsigned rcode, flags;
    bool denies;
};

static struct rrset *address_set(const uint8_t octet[4])
{
    static struct dns_message m;
    static uint8_t bytes[64];
    static uint64_t frame = 2;
    memset(&m, 0, sizeof m.rrs[0]);
    m.bytes = bytes;
    m.size = sizeof bytes;
    m.owner_count = 1;
    m.owners[0].size = (uint8_t)name_parse("www.example.test", m.owners[0].name);
    m.rr_count = 0;
    for (; octet[m.rr_count]; m.rr_count++) {
        uint16_t at = (uint16_t)(4 * m.rr_count);
        const uint8_t address[4] = {192, 0, 2, octet[m.rr_count]};
        memcpy(bytes + at, address, 4);
        m.rrs[m.rr_count] = (struct dns_rr){.type = 1,
                                            .class = 1,
                                            .ttl = 300,
                                            .owner = 0,
                                            .rdata = at,
                                            .rdlen = 4,
                                            .section = SECTION_ANSWER};
    }
    struct rrset_groups groups;
    rrset_groups(&m, 1u << SECTION_ANSWER, &groups);
    assert_int_equal(groups.count, 1);
    rrset_intern(answers.world.rrsets, &m, &groups.group[0], 0, &frame, 1);
    assert_non_null(groups.group[0].rrset);
    return groups.group[0].rrset;
}

static struct answer *make(const struct content *c)
{
    struct answer *a = take(sizeof *a);
    a->qname = N("www.example.test");
    a->qtype = 1;
    a->rcode = (uint16_t)c->rcode;
    a->flags = (uint16_t)c->flags;
    a->reason = c->reason;
    a->kind = c->denies ? ANSWER_NODATA : ANSWER_POSITIVE;
    if (c->octet[0])
        a->set[a->sets++] =
            (struct answer_set){.set = address_set(c->octet), .section = SECTION_ANSWER};
    return a;
}

/* Both answer one query; so often it was sent, and so many responses there were before. */
static bool races(const struct content *one, const struct content *two, unsigned asked,
                  unsigned replies, int64_t apart_ns)
{
    struct datagram d = {
        .flow = {.family = 4, .proto = IPPROTO_UDP}, .frame = 2, .time_ns = SECOND};
    struct query query = {.frame = 1, .turn = 5};
    told = over = 0;
    race_answer(&race, &query, make(one), &d);
    query.answered = true;
    query.asked = (uint8_t)asked;
    query.replies = (uint8_t)replies;
    d.frame = 3;
    d.time_ns += apart_ns;
    race_answer(&race, &query, make(two), &d);
    return told > 0;
}

static const struct content one = {{1}, REASON_NONE, 0, 0, false},
                            two = {{2}, REASON_NONE, 0, 0, false},
                            both = {{1, 2}, REASON_NONE, 0, 0, false},
                            other = {{2, 3}, REASON_NONE, 0, 0, false},
                            none = {{0}, REASON_NONE, 0, 0, true},
                            gone = {{0}, REASON_NONE, 3, 0, true},
                            failed = {{0}, REASON_RCODE, 2, 0, false},
                            cut = {{0}, REASON_TRUNCATED, 0, DNS_TC, false};

static void other_data_is_a_race(void **state)
{
    (void)state;
    assert_true(races(&one, &two, 1, 1, SECOND / 100));
    assert_true(records[0] == 1 && records[1] == 1);
    assert_true(races(&one, &none, 1, 1, SECOND / 100));
    assert_true(records[0] == 1 && records[1] == 0);
    assert_true(races(&gone, &two, 1, 1, SECOND / 100));
}

static void the_same_in_other_words_is_none(void **state)
{
    (void)state;
    assert_false(races(&one, &one, 1, 1, SECOND / 100));
    assert_false(races(&one, &both, 1, 1, SECOND / 100));   /* says more */
    assert_false(races(&none, &none, 1, 1, SECOND / 100));  /* the same denial */
    assert_false(races(&failed, &one, 1, 1, SECOND / 100)); /* first in vain */
    assert_false(races(&cut, &one, 1, 1, SECOND / 100));
    assert_false(races(&both, &other, 1, 1, SECOND / 100)); /* rotation, nothing validates */
}

static void as_many_answers_as_queries_are_none(void **state)
{
    (void)state;
    assert_false(races(&one, &two, 2, 1, SECOND / 100));
    assert_true(races(&one, &two, 2, 2, SECOND / 100));
    assert_false(races(&one, &two, 1, 1, 6 * SECOND));
}

static void what_validates_is_told_and_two_that_do_are_none(void **state)
{
    (void)state;
    struct content valid = one, valid_too = two, overlapping = other;
    valid.reason = REASON_CHAIN;
    valid_too.reason = REASON_CHAIN;
    assert_int_equal(reason_verdict(REASON_CHAIN), VERDICT_SECURE);
    assert_true(races(&valid, &two, 1, 1, 1));
    assert_true(verdict[0] == VERDICT_SECURE && verdict[1] != VERDICT_SECURE);
    assert_false(races(&valid, &valid_too, 1, 1, 1));
    valid = both;
    valid.reason = REASON_CHAIN;
    assert_true(races(&valid, &overlapping, 1, 1, 1)); /* a forged set that keeps a true record */
}

static void a_later_verdict_is_told_too(void **state)
{
    (void)state;
    assert_true(races(&one, &two, 1, 1, 1));
    struct answer *a = race.note[5].answer;
    a->reason = REASON_CHAIN;
    race_revised(&race, a);
    assert_int_equal(told, 2);
    assert_int_equal(verdict[0], VERDICT_SECURE);
    race_forget(&race);
    race_revised(&race, a);
    assert_int_equal(told, 2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, finish)
    const struct CMUnitTest tests[] = {
        TEST(other_data_is_a_race),
        TEST(the_same_in_other_words_is_none),
        TEST(as_many_answers_as_queries_are_none),
        TEST(what_validates_is_told_and_two_that_do_are_none),
        TEST(a_later_verdict_is_told_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
