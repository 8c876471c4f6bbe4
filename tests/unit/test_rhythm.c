/*
 * test_rhythm: signers of many habits, simulated for months, seen by an authority's answers: what
 * is learned of when they sign anew, and what the rule makes of one that stops.
 *
 * Contained in: tests.
 */
#include "analyze/canon.h"
#include "analyze/follow/rhythm.h"
#include "fact_builder.h"

#include <openssl/evp.h>

#define T0  INT64_C(1800000000)
#define DAY (24 * HOUR)
#define MX  15
#define ONE 1 /* servers */
#define TWO 2

struct lab {
    struct rhythms *rhythms;
    struct rules *rules;
    uint8_t key;     /* that signs now */
    bool outdated;   /* the server is known to be behind */
    unsigned lately; /* servers seen within a day */
    bool stated;     /* the policy states a refresh */
};

static struct lab lab;

static void begin(void)
{
    builder_reset();
    lab = (struct lab){
        .rhythms = rhythms_new(7), .rules = rules_default(NULL), .key = 1, .lately = 1};
}

static void end(void)
{
    rhythms_free(lab.rhythms);
    rules_free(lab.rules);
}

/* "" none, "!" one that is closed */
static const char *found_now(void)
{
    static char text[512];
    return found(lab.rules, text);
}

#define OVERDUE "rrsig-stale-refresh"
#define CLOSED  "rrsig-stale-refresh!"

/* A server serves that RRset with a signature made at `made` (set back an hour). */
static void serve_by(uint8_t server, uint16_t type, uint64_t records, int64_t made,
                     int64_t validity, int64_t now)
{
    static uint8_t key[8], address[16];
    static const uint8_t owner[] = {3, 'w', 'w', 'w', 1, 'x', 0};
    uint8_t name[sizeof owner];
    builder_reset();
    memcpy(name, owner, sizeof owner);
    name[1] = (uint8_t)('a' + records % 1000 / 40);
    name[2] = (uint8_t)('a' + records % 40 % 26);
    name[3] = (uint8_t)('a' + records % 40 / 26);
    key[0] = lab.key;
    address[0] = server;
    struct rhythm_sight s = {.zone = N("x."),
                             .owner = name,
                             .key = key,
                             .type = type,
                             .key_size = sizeof key,
                             .records = records,
                             .inception = T0 + made - HOUR,
                             .expiration = T0 + made - HOUR + validity,
                             .time_ns = (T0 + now) * NS_S,
                             .family = 4,
                             .address = address};
    struct fact_rhythm rhythm;
    if (!rhythms_see(lab.rhythms, &s, &rhythm))
        return;
    struct fact fact = signature_of(SIGNATURE_VALID, "x.", "www.x.");
    rhythm.outdated = lab.outdated;
    rhythm.lately = lab.lately;
    fact.kind = FACT_RHYTHM;
    fact.aa = true;
    fact.time_ns = fact.clock_ns = s.time_ns;
    fact.observed.owner = name;
    fact.observed.type = type;
    signature_in(&fact)->inception = s.inception;
    signature_in(&fact)->expiration = s.expiration;
    fact.rhythm = &rhythm;
    fact.baseline.refresh_ns = lab.stated ? 7 * DAY * NS_S : 0;
    struct finding *out[4];
    if (rules_judge(lab.rules, &fact, out, 4) > 0)
        rhythms_told(lab.rhythms, &s);
}

static void serve(uint64_t records, int64_t made, int64_t validity, int64_t now)
{
    serve_by(ONE, MX, records, made, validity, now);
}

/* A signer with `validity` that signs anew every `age`, seen every `step` from 0 until `until`;
 * returns when it signed last. */
static int64_t regular(int64_t validity, int64_t age, int64_t step, int64_t until)
{
    for (int64_t now = 0; now < until; now += step)
        for (uint64_t i = 0; i < 4; i++)
            serve(i, now / age * age, validity, now);
    return (until - step) / age * age;
}

/* Served on with the same signature until then. */
static void stalled(int64_t made, int64_t validity, int64_t from, int64_t until)
{
    for (int64_t now = from; now < until; now += HOUR)
        for (uint64_t i = 0; i < 4; i++)
            serve(i, made, validity, now);
}

static void expect(const char *ids)
{
    assert_string_equal(found_now(), ids);
}

/* --- signers with a rhythm ----------------------------------------------------------------- */

static void weekly(void **state)
{
    (void)state;
    begin();
    int64_t made = regular(14 * DAY, 7 * DAY, HOUR, 29 * DAY);
    expect("");
    stalled(made, 14 * DAY, 29 * DAY, made + 9 * DAY); /* two days late */
    expect("");
    stalled(made, 14 * DAY, made + 9 * DAY, made + 10 * DAY);
    expect(OVERDUE); /* four days and more before it expires */
    serve(0, made + 10 * DAY, 14 * DAY, made + 10 * DAY);
    expect(CLOSED);
    end();
}

/* Not before it was seen thrice, whatever the number of RRsets. */
static void few_cycles(void **state)
{
    (void)state;
    for (int64_t cycles = 1; cycles <= 4; cycles++) {
        begin();
        int64_t made = regular(14 * DAY, 7 * DAY, HOUR, (7 * cycles + 1) * DAY);
        stalled(made, 14 * DAY, (7 * cycles + 1) * DAY, made + 11 * DAY);
        expect(cycles < 3 ? "" : OVERDUE);
        end();
    }
}

/* RRset by RRset, each when five days are left, with a validity that varies (BIND). */
static void jittered(void **state)
{
    int64_t made[8], validity[8], now;
    (void)state;
    begin();
    for (int i = 0; i < 8; i++) {
        made[i] = 0;
        validity[i] = 14 * DAY - i * 90 * 60;
    }
    for (now = 0; now < 30 * DAY; now += HOUR)
        for (int i = 0; i < 8; i++) {
            if (made[i] - HOUR + validity[i] - now < 5 * DAY) {
                made[i] = now;
                validity[i] = 14 * DAY - (now / HOUR + i) % 12 * HOUR;
            }
            serve((uint64_t)i, made[i], validity[i], now);
        }
    expect("");
    for (; now < 60 * DAY && *found_now() == '\0'; now += HOUR)
        for (int i = 0; i < 8; i++)
            if (made[i] + validity[i] - HOUR - now > 0)
                serve((uint64_t)i, made[i], validity[i], now);
    expect(OVERDUE);
    int64_t left = INT64_MAX;
    for (int i = 0; i < 8; i++)
        left =
            made[i] + validity[i] - HOUR - now < left ? made[i] + validity[i] - HOUR - now : left;
    assert_in_range(left, 3 * DAY, 4 * DAY);
    end();
}

/* By cron, valid for a month: a week without is no matter, a fortnight is. */
static void cron(void **state)
{
    (void)state;
    begin();
    int64_t made = regular(30 * DAY, 7 * DAY, HOUR, 29 * DAY);
    stalled(made, 30 * DAY, 29 * DAY, made + 15 * DAY);
    expect("");
    stalled(made, 30 * DAY, made + 15 * DAY, made + 18 * DAY);
    expect(OVERDUE);
    end();
}

/* --- that must not fire -------------------------------------------------------------------- */

static void odd_days(void **state)
{
    static const int days[] = {0, 10, 13, 33, 40, 58, 61, 80};
    (void)state;
    begin();
    for (int64_t now = 0; now < 80 * DAY; now += HOUR) {
        int64_t made = 0;
        for (size_t i = 0; i < sizeof days / sizeof *days; i++)
            made = days[i] * DAY <= now ? days[i] * DAY : made;
        for (uint64_t i = 0; i < 4; i++)
            serve(i, made, 30 * DAY, now);
    }
    expect("");
    stalled(80 * DAY, 30 * DAY, 80 * DAY, 107 * DAY);
    expect("");
    end();
}

/* Records that change each time tell nothing of refreshes; nor does another key. */
static void changed(void **state)
{
    (void)state;
    for (int by_key = 0; by_key < 2; by_key++) {
        begin();
        for (int64_t now = 0; now < 29 * DAY; now += HOUR) {
            int64_t week = now / (7 * DAY);
            lab.key = (uint8_t)(by_key ? 1 + week % 2 : 1);
            serve_by(ONE, MX, by_key ? 5 : 5 + 1000 * (uint64_t)week, week * 7 * DAY, 14 * DAY,
                     now);
        }
        stalled(28 * DAY, 14 * DAY, 29 * DAY, 39 * DAY);
        expect("");
        end();
    }
}

/* Another key of the zone, or its keys' own RRset, is another rhythm. */
static void apart(void **state)
{
    (void)state;
    begin();
    regular(14 * DAY, 7 * DAY, HOUR, 29 * DAY);
    lab.key = 2; /* off line, in a quarterly ceremony */
    for (int64_t now = 0; now < 29 * DAY; now += HOUR)
        serve_by(ONE, TYPE_DNSKEY, 3, 0, 90 * DAY, now);
    for (int64_t now = 29 * DAY; now < 80 * DAY; now += HOUR) {
        serve_by(ONE, TYPE_DNSKEY, 3, 0, 90 * DAY, now);
        lab.key = 1;
        serve(1, now / (7 * DAY) * 7 * DAY, 14 * DAY, now);
        lab.key = 2;
    }
    expect("");
    end();
}

/* Keys moved to a signer that signs for a month, or that renews later. */
static void moved(void **state)
{
    (void)state;
    begin();
    int64_t made = regular(14 * DAY, 7 * DAY, HOUR, 29 * DAY);
    stalled(made + 2 * DAY, 60 * DAY, 30 * DAY, 83 * DAY);
    expect("");
    end();
    begin(); /* with five days left, not seven */
    made = regular(14 * DAY, 7 * DAY, HOUR, 29 * DAY);
    for (int64_t now = 29 * DAY; now < 120 * DAY; now += HOUR)
        for (uint64_t i = 0; i < 4; i++)
            serve(i, made + (now - made) / (9 * DAY) * 9 * DAY, 14 * DAY, now);
    expect("");
    end();
}

/* One that renews with three days left instead: told of, and learned when it does so again. */
static void moved_late(void **state)
{
    int64_t now, opened = 0;
    (void)state;
    begin();
    int64_t made = regular(14 * DAY, 7 * DAY, HOUR, 29 * DAY);
    for (now = 29 * DAY; now < 200 * DAY; now += HOUR) {
        for (uint64_t i = 0; i < 4; i++)
            serve(i, made + (now - made) / (11 * DAY) * 11 * DAY, 14 * DAY, now);
        if (strcmp(found_now(), OVERDUE) == 0)
            opened = now;
    }
    expect(CLOSED);
    assert_in_range(opened, 30 * DAY, made + 23 * DAY);
    end();
}

static void secondary_behind(void **state)
{
    (void)state;
    begin();
    lab.lately = 2;
    regular(14 * DAY, 7 * DAY, HOUR, 29 * DAY);
    for (int64_t now = 29 * DAY; now < 41 * DAY; now += HOUR) {
        serve_by(TWO, MX, 0, 28 * DAY, 14 * DAY, now); /* the same RRset, or another */
        serve_by(TWO, MX, 9, 28 * DAY, 14 * DAY, now);
        serve(1, now / (7 * DAY) * 7 * DAY, 14 * DAY, now);
        serve(0, now / (7 * DAY) * 7 * DAY, 14 * DAY, now);
    }
    expect("");
    end();
    begin(); /* the other server is seen, but not with anything that is signed */
    lab.lately = 2;
    regular(14 * DAY, 7 * DAY, HOUR, 29 * DAY);
    stalled(28 * DAY, 14 * DAY, 29 * DAY, 39 * DAY);
    expect("");
    serve_by(TWO, MX, 2, 28 * DAY, 14 * DAY, 39 * DAY); /* now it is */
    expect(OVERDUE);
    end();
    begin();
    lab.outdated = true;
    regular(14 * DAY, 7 * DAY, HOUR, 29 * DAY);
    stalled(28 * DAY, 14 * DAY, 29 * DAY, 39 * DAY);
    expect("");
    end();
}

/* Signed on line, for a day or a few; and so late that rrsig-expiring speaks first. */
static void short_lived(void **state)
{
    static const int64_t validity[] = {2 * HOUR, DAY, 2 * DAY, 4 * DAY, 14 * DAY};
    static const int64_t age[] = {HOUR, 6 * HOUR, DAY, 3 * DAY, 12 * DAY};
    (void)state;
    for (size_t i = 0; i < sizeof age / sizeof *age; i++) {
        begin();
        int64_t made = regular(validity[i], age[i], age[i] / 12, 10 * age[i]);
        stalled(made, validity[i], 10 * age[i], made + validity[i] - HOUR);
        expect("");
        end();
    }
}

/* However seldom it is seen, and whenever: one that keeps its rhythm is never found overdue. */
static void seen_seldom(void **state)
{
    (void)state;
    for (int64_t step = 5 * HOUR; step < 9 * DAY; step += 7 * HOUR)
        for (int64_t validity = 9; validity <= 60; validity += 17) {
            begin();
            for (int64_t now = step / 3; now < 120 * DAY; now += step)
                for (uint64_t i = 0; i < 4; i++)
                    serve(i, now / (7 * DAY) * 7 * DAY, validity * DAY, now + (int64_t)i * 60);
            expect("");
            end();
        }
}

static void owners_word(void **state)
{
    (void)state;
    begin();
    lab.stated = true;
    int64_t made = regular(14 * DAY, 7 * DAY, HOUR, 29 * DAY);
    stalled(made, 14 * DAY, 29 * DAY, made + 11 * DAY);
    expect("");
    end();
}

/* Signs all the time, since the zone is updated, but renews nothing: the server might be behind. */
static void alive(void **state)
{
    (void)state;
    begin();
    int64_t made = regular(14 * DAY, 7 * DAY, HOUR, 29 * DAY);
    for (int64_t now = 29 * DAY; now < made + 11 * DAY; now += HOUR) {
        serve_by(ONE, TYPE_SOA, (uint64_t)now, now, 14 * DAY, now);
        serve(1, made, 14 * DAY, now);
    }
    expect("");
    end();
}

/* One lapse is not learned: the next is found, too. */
static void lapse(void **state)
{
    (void)state;
    begin();
    int64_t made = regular(14 * DAY, 7 * DAY, HOUR, 29 * DAY), now;
    stalled(made, 14 * DAY, 29 * DAY, made + 11 * DAY);
    expect(OVERDUE);
    made += 11 * DAY;
    for (now = made; now < made + 15 * DAY; now += HOUR)
        for (uint64_t i = 0; i < 4; i++)
            serve(i, made + (now - made) / (7 * DAY) * 7 * DAY, 14 * DAY, now);
    expect(CLOSED);
    stalled(made + 14 * DAY, 14 * DAY, now, made + 25 * DAY);
    expect(OVERDUE);
    end();
}

/* --- keeping ------------------------------------------------------------------------------- */

struct kept {
    char text[8][16384];
    size_t count;
};

static void on_kept(void *context, const uint8_t *name, int64_t last_ns, const char *text)
{
    struct kept *k = context;
    (void)name;
    assert_true(last_ns > 0);
    assert_true(k->count < 8);
    snprintf(k->text[k->count++], sizeof k->text[0], "%s", text);
}

static size_t bytes_from(const char *text, uint8_t *ret)
{
    size_t length = strlen(text);
    int size = EVP_DecodeBlock(ret, (const uint8_t *)text, (int)length);
    assert_true(size > 0);
    return (size_t)size - (text[length - 1] == '=') - (text[length - 2] == '=');
}

/* One run a day, an hour long: what one learns the next one has. */
static void kept(void **state)
{
    struct kept *k = calloc(1, sizeof *k), *again = calloc(1, sizeof *again);
    uint8_t bytes[16384];
    int64_t made = 28 * DAY;
    (void)state;
    begin();
    for (int64_t day = 0; day < 39; day++) {
        int64_t now = day * DAY + 3 * HOUR;
        int64_t last = now / (7 * DAY) * 7 * DAY;
        for (uint64_t i = 0; i < 4; i++)
            serve(i, last < made ? last : made, 14 * DAY, now);
        serve_by(ONE, TYPE_DNSKEY, 3, 0, 90 * DAY, now);
        k->count = 0;
        rhythms_write(lab.rhythms, on_kept, k);
        assert_int_equal(k->count, 2);
        rhythms_free(lab.rhythms);
        lab.rhythms = rhythms_new((uint64_t)day);
        for (size_t i = 0; i < 2; i++) {
            size_t size = bytes_from(k->text[i], bytes);
            for (size_t cut = 0; cut < size; cut += 7)
                assert_false(rhythms_read(lab.rhythms, N("x."), 1, bytes, cut));
            assert_true(rhythms_read(lab.rhythms, N("x."), now * NS_S, bytes, size));
            assert_false(rhythms_read(lab.rhythms, N("x."), now * NS_S, bytes, size));
        }
        again->count = 0;
        rhythms_write(lab.rhythms, on_kept, again);
        assert_string_equal(k->text[0], again->text[0]);
        expect(day < 38 ? "" : OVERDUE);
    }
    /* what lay on a disk is as hostile as a packet */
    size_t size = bytes_from(k->text[0], bytes);
    for (size_t i = 0; i < size * 8; i++) {
        rhythms_free(lab.rhythms);
        lab.rhythms = rhythms_new(9);
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        rhythms_read(lab.rhythms, N("x."), 1, bytes, size);
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        serve(1, 28 * DAY, 14 * DAY, 39 * DAY);
    }
    end();
    free(k);
    free(again);
}

static void count(void *context, const uint8_t *name, int64_t last_ns, const char *text)
{
    (void)name, (void)last_ns, (void)text;
    ++*(size_t *)context;
}

static void bounded(void **state)
{
    static const uint8_t address[16];
    struct fact_rhythm ret;
    size_t n = 0;
    (void)state;
    begin();
    for (unsigned i = 0; i < RHYTHM_ZONES_MAX + 100; i++) {
        uint8_t zone[] = {3, (uint8_t)('a' + i % 26), (uint8_t)('a' + i / 26 % 26),
                          (uint8_t)('a' + i / 676), 0};
        struct rhythm_sight s = {.zone = zone,
                                 .owner = zone,
                                 .key = zone,
                                 .type = 1,
                                 .key_size = 4,
                                 .inception = T0,
                                 .expiration = T0 + DAY,
                                 .time_ns = T0 * NS_S,
                                 .family = 4,
                                 .address = address};
        assert_false(rhythms_see(lab.rhythms, &s, &ret));
    }
    rhythms_write(lab.rhythms, count, &n);
    assert_int_equal(n, RHYTHM_ZONES_MAX);
    for (unsigned i = 0; i < 100; i++) { /* keys and RRsets of one zone */
        lab.key = (uint8_t)i;
        serve(i, (int64_t)i * DAY, 14 * DAY, (int64_t)i * DAY + HOUR);
    }
    expect("");
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weekly),      cmocka_unit_test(few_cycles),
        cmocka_unit_test(jittered),    cmocka_unit_test(cron),
        cmocka_unit_test(odd_days),    cmocka_unit_test(changed),
        cmocka_unit_test(apart),       cmocka_unit_test(moved),
        cmocka_unit_test(moved_late),  cmocka_unit_test(secondary_behind),
        cmocka_unit_test(short_lived), cmocka_unit_test(seen_seldom),
        cmocka_unit_test(owners_word), cmocka_unit_test(alive),
        cmocka_unit_test(lapse),       cmocka_unit_test(kept),
        cmocka_unit_test(bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
