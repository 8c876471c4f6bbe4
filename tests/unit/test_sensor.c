/*
 * test_sensor: what a mirror does to packets is counted, judged by its share, and told once.
 */
#include "tests/unit/fact_builder.h"
#include "tests/unit/packets.h"

#include "analyze/decode/dissect.h"
#include "analyze/tell/selfcheck.h"

#include <netinet/in.h>

#define SECOND INT64_C(1000000000)

static struct frame frame;
static struct rules *rules;
static char text[512];

static void nothing(void *context, const struct datagram *d)
{
    (void)context;
    (void)d;
}

static void judge(void *context, const struct fact *fact)
{
    (void)context;
    struct finding *findings[4];
    rules_judge(rules, fact, findings, 4);
}

static const struct finding *only(void)
{
    const struct finding *const *list;
    assert_int_equal(rules_findings(rules, &list), 1);
    return list[0];
}

static struct dissect *start(void)
{
    static struct settings s;
    settings_default(&s);
    rules = rules_default(NULL);
    return dissect_new(&s, nothing, NULL);
}

static void stop(struct dissect *d)
{
    rules_free(rules);
    dissect_free(d);
}

static void review(struct dissect *d)
{
    struct sensor_sums sums = {.last_ns = SECOND};
    sensor_review(dissect_sensor(d), &sums, true, judge, NULL);
}

/* RFC 1071 over the UDP datagram at `at`, addresses before it. */
static uint16_t checksum(const uint8_t *ip, const uint8_t *udp, size_t size, bool whole)
{
    uint32_t sum = IPPROTO_UDP + (uint32_t)size;
    for (size_t i = 12; i < 20; i += 2)
        sum += packet_be16(ip + i);
    for (size_t i = 0; whole && i < size; i += 2)
        sum += (uint32_t)(udp[i] << 8 | (i + 1 < size ? udp[i + 1] : 0));
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)(whole ? ~sum : sum);
}

enum form { SOUND, OFFLOAD, WRONG, CUT, VLAN, VXLAN, LARGE };

static void give(struct dissect *d, enum form form, bool response, uint64_t number)
{
    static const uint8_t payload[1600] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
    build_start(&frame, 1);
    if (form == VXLAN) {
        build_ethernet(&frame, 0x0800);
        build_ipv4(&frame, 8, 9, IPPROTO_UDP, 1, 0);
        build_udp(&frame, 49152, 4789);
        build_bytes(&frame, "\10\0\0\0\0\0\52\0", 8);
    }
    build_ethernet(&frame, form == VLAN ? 0x8100 : 0x0800);
    if (form == VLAN)
        build_vlan(&frame, 5, 0x0800);
    size_t ip = frame.size, udp = ip + 20;
    build_ipv4(&frame, 1, 2, IPPROTO_UDP, 1, 0);
    build_udp(&frame, response ? 53 : 4000, response ? 4000 : 53);
    build_bytes(&frame, payload, form == LARGE ? 1600 : 13);
    const struct ring_record *r = build_close(&frame);
    uint16_t sum = checksum(frame.bytes + ip, frame.bytes + udp, frame.size - udp, form != OFFLOAD);
    sum = form == WRONG ? (uint16_t)(sum ^ 0x0101) : sum;
    frame.bytes[udp + 6] = (uint8_t)(sum >> 8);
    frame.bytes[udp + 7] = (uint8_t)sum;
    frame.record.number = number;
    frame.record.time_ns = SECOND / 2;
    if (form == CUT)
        frame.record.caplen -= 4;
    dissect_frame(d, r);
}

/* n packets of a form among m sound ones, in one direction or both; what is found. */
static void mirror(void **state)
{
    static const struct {
        enum form form;
        unsigned odd, sound;
        bool odd_in_queries, odd_in_responses;
        const char *found;
        enum severity severity;
        const char *summary;
    } rows[] = {
        {SOUND, 20, 20, true, true, "", 0, ""},
        {OFFLOAD, 20, 0, true, false, "sensor-mirror", SEVERITY_INFO,
         "20 of 40 checksums were left to the network card (towards servers only): "},
        {OFFLOAD, 3, 0, true, false, "", 0, ""},
        {OFFLOAD, 4, 40, true, false, "", 0, ""},
        {WRONG, 20, 0, false, true, "sensor-mirror", SEVERITY_LOW,
         "20 of 40 checksums are wrong (from servers only): "},
        {CUT, 20, 0, false, true, "sensor-mirror", SEVERITY_MEDIUM,
         "20 of 40 DNS packets were captured short (from servers only): "},
        {CUT, 20, 0, true, false, "sensor-mirror", SEVERITY_LOW,
         "20 of 40 DNS packets were captured short (towards servers only): "},
        {VLAN, 20, 0, true, true, "", 0, ""},
        {VLAN, 20, 0, true, false, "sensor-mirror", SEVERITY_LOW,
         "20 of 40 DNS packets have a VLAN tag (towards servers only): "},
        {VXLAN, 1, 20, true, true, "sensor-mirror", SEVERITY_INFO,
         "2 of 42 DNS packets came inside others (VXLAN): "},
        {LARGE, 1, 20, false, true, "sensor-mirror", SEVERITY_INFO,
         "1 of 42 packets are larger than an Ethernet frame: "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dissect *d = start();
        uint64_t number = 0;
        for (unsigned k = 0; k < rows[i].odd + rows[i].sound; k++) {
            bool odd = k < rows[i].odd;
            give(d, odd && rows[i].odd_in_queries ? rows[i].form : SOUND, false, ++number);
            give(d, odd && rows[i].odd_in_responses ? rows[i].form : SOUND, true, ++number);
        }
        review(d);
        review(d); /* nothing new: nothing told */
        print_message("row %zu\n", i);
        assert_string_equal(found(rules, text), rows[i].found);
        if (rows[i].severity) {
            assert_int_equal(only()->severity, rows[i].severity);
            assert_int_equal(only()->count, 1);
            assert_int_equal(strncmp(only()->summary, rows[i].summary, strlen(rows[i].summary)), 0);
        }
        stop(d);
    }
}

/* --- what others count --- */

struct step {
    struct sensor_sums sums; /* cumulative */
    bool end;
    const char *found;
};

static void run(const struct step *steps, size_t count)
{
    struct sensor s;
    rules = rules_default(NULL);
    assert_true(sensor_init(&s));
    for (size_t i = 0; i < count; i++) {
        sensor_review(&s, &steps[i].sums, steps[i].end, judge, NULL);
        print_message("step %zu\n", i);
        assert_string_equal(found(rules, text), steps[i].found);
    }
    sensor_fini(&s);
    rules_free(rules);
}
#define RUN(...)                                                                                   \
    do {                                                                                           \
        const struct step steps_[] = {__VA_ARGS__};                                                \
        run(steps_, sizeof steps_ / sizeof *steps_);                                               \
    } while (0)
#define AT(seconds, ...)                                                                           \
    {                                                                                              \
        .last_ns = (seconds)*SECOND, __VA_ARGS__                                                   \
    }

static void one_way(void **state)
{
    (void)state;
    /* waits for number and time; is over when an interval is sound */
    RUN({AT(4, .queries = 90), false, ""}, {AT(5, .queries = 19), false, ""},
        {AT(6, .queries = 100), false, "sensor-one-way"},
        {AT(66, .queries = 200, .responses = 100, .paired = 100), false, "sensor-one-way!"});
    RUN({AT(9, .responses = 100), false, "sensor-one-way"});
    RUN({AT(9, .responses = 50, .queries = 50), false, "sensor-one-way"});
    /* one in five answered, or one query with many responses: both directions are there */
    RUN({AT(9, .queries = 100, .responses = 20, .paired = 20), true, ""});
    RUN({AT(9, .queries = 10, .responses = 100, .paired = 100), true, ""});
    /* at the end with less; but not from a moment */
    RUN({AT(1, .queries = 8), true, "sensor-one-way"});
    RUN({AT(1, .queries = 7), true, ""});
    RUN({{.last_ns = SECOND / 5, .queries = 100}, true, ""});
}

static void doubled(void **state)
{
    (void)state;
    RUN({AT(1, .queries = 50, .responses = 50, .paired = 50, .duplicates = 4), false, ""},
        {AT(2, .queries = 100, .responses = 100, .paired = 100, .duplicates = 9), false,
         "sensor-duplicates"},
        {AT(3, .queries = 200, .responses = 200, .paired = 200, .duplicates = 9), true,
         "sensor-duplicates!"});
    RUN({AT(1, .segments = 100, .segments_twice = 50), false, "sensor-duplicates"},
        {AT(2, .segments = 101, .segments_twice = 50), true, "sensor-duplicates"});
    RUN({AT(1, .queries = 3, .duplicates = 3), true, ""});
}

static void losses(void **state)
{
    (void)state;
    RUN({AT(1, .frames = 100, .dropped_ring = 1), false, "sensor-loss"});
    RUN({AT(1, .frames = 100, .dropped_kernel = 1), false, "sensor-loss"});
    RUN({AT(1, .damages = 1), false, "sensor-loss"},
        {AT(2, .damages = 1, .not_analysed = 5), false, "sensor-loss sensor-loss"});
    RUN({AT(1, .streams = 100, .streams_lost = 9), false, ""},
        {AT(2, .streams = 200, .streams_lost = 19), false, "sensor-loss"},
        {AT(3, .streams = 300, .streams_lost = 19), false, "sensor-loss!"});
}

/* What was claimed to be absent while frames were lost weighs less, also when that is known later
 * only; seen again elsewhere, it weighs what it did. */
static void absence_near_loss(void **state)
{
    (void)state;
    static const struct {
        int64_t from_s, to_s;
        bool lossy;
    } rows[] = {{-10, -1, false}, {-10, 0, true}, {0, 10, true}, {1, 10, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        builder_reset();
        rules = rules_default(NULL);
        struct fact fact = fact_of(FACT_DNSKEY, "x.");
        DECLARED_KEYS(&fact, key_of(257, 200, 1, "a"), key_of(256, 200, 2, "b"));
        KEYS(&fact, key_of(257, 200, 1, "a"));
        judge(NULL, &fact);
        assert_string_equal(found(rules, text), "key-withdrawn");
        const struct finding *withdrawn = only();
        enum severity before = withdrawn->severity;
        rules_lossy(rules, NOW + rows[i].from_s * SECOND, NOW + rows[i].to_s * SECOND);
        rules_lossy(rules, NOW + rows[i].from_s * SECOND, NOW + rows[i].to_s * SECOND);
        assert_int_equal(withdrawn->lossy, rows[i].lossy);
        assert_int_equal(withdrawn->severity, rows[i].lossy ? before - 1 : before);
        judge(NULL, &fact);
        assert_int_equal(withdrawn->severity, before);
        rules_free(rules);
    }
}

/* --- clock, storage, walls ------------------------------------------------------------------- */

static void packet_time_goes_back(void **state)
{
    static const struct {
        uint16_t source, interface;
        int64_t time_ms;
        bool back;
    } rows[] = {{0, 0, 5000, false},
                {0, 0, 4001, false}, /* overtaken, by less than a second */
                {0, 1, 1000, false}, /* another interface */
                {0, 0, 9000, false},
                {0, 0, 7000, true},
                {0, 0, 7001, false},
                {1, 0, 10, false},
                /* the next file */ {1, 0, 3600000, false},
                {1, 0, 20, true},
                {1, 63, 9000000, false},
                {1, 64, 10, false}};
    (void)state;
    struct selfcheck s;
    selfcheck_init(&s);
    rules = rules_default(NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool back = selfcheck_frame(&s, rows[i].source, rows[i].interface,
                                    rows[i].time_ms * (SECOND / 1000), i + 1);
        assert_int_equal(back, rows[i].back);
        if (back)
            selfcheck_stepped(&s, judge, NULL);
    }
    assert_int_equal(only()->severity, SEVERITY_HIGH);
    assert_string_equal(found(rules, text), "sensor-clock");
    assert_non_null(strstr(only()->summary, "by 3599.980 s at most, first at frame 5"));
    assert_int_equal(only()->frames[0], 5);
    selfcheck_review(&s, 3700 * SECOND, judge, NULL); /* an hour on from 0.02 s, and past 9 s */
    assert_string_equal(found(rules, text), "sensor-clock!");
    rules_free(rules);
    selfcheck_init(&s); /* times of files may be anything */
    assert_false(selfcheck_frame(&s, 0, 0, INT64_MAX, 1));
    assert_true(selfcheck_frame(&s, 0, 0, INT64_MIN, 2));
}

static void told_of_the_sensor(void **state)
{
    static const struct {
        struct condition told;
        const char *found, *summary;
    } rows[] = {
        {{.kind = CONDITION_CLOCK_SET, .part = 2000, .how = "forward by 2.000 s"},
         "sensor-clock",
         "the sensor's clock was set (forward by 2.000 s): "},
        {{.kind = CONDITION_CLOCK_SET, .over = 1}, "sensor-clock!", NULL},
        {{.kind = CONDITION_CLOCK_FREE, .how = "it may be wrong by 16.000 s and more"},
         "sensor-clock! sensor-clock",
         "nothing synchronises the sensor's clock (it may be wrong"},
        {{.kind = CONDITION_CLOCK_FREE, .over = 1}, "sensor-clock! sensor-clock!", NULL},
    };
    static const struct {
        uint64_t left, rate;
        const char *found, *summary;
    } space[] = {
        {UINT64_C(1) << 40, 0, "", NULL},
        {UINT64_C(21600) << 20, UINT64_C(1) << 20, "", NULL}, /* six hours */
        {UINT64_C(21599) << 20, UINT64_C(1) << 20, "sensor-storage",
         "(21599 MiB left, 1024 KiB fewer each second: 359 min)"},
        {UINT64_C(1) << 40, UINT64_C(1) << 20, "sensor-storage!", NULL},
        {UINT64_C(127) << 20, 0, "sensor-storage", "(127 MiB left)"},
    };
    (void)state;
    rules = rules_default(NULL);
    const struct finding *const *list;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        selfcheck_told(&rows[i].told, NOW + (int64_t)i * SECOND, judge, NULL);
        assert_string_equal(found(rules, text), rows[i].found);
        size_t count = rules_findings(rules, &list);
        bool seen = rows[i].summary == NULL;
        for (size_t k = 0; k < count; k++)
            seen |=
                !seen && strncmp(list[k]->summary, rows[i].summary, strlen(rows[i].summary)) == 0;
        assert_true(seen);
    }
    rules_free(rules);
    rules = rules_default(NULL);
    for (size_t i = 0; i < sizeof space / sizeof *space; i++) {
        struct condition c = {.kind = CONDITION_SPACE, .part = space[i].left, .all = space[i].rate};
        selfcheck_told(&c, NOW + (int64_t)i * SECOND, judge, NULL);
        assert_string_equal(found(rules, text), space[i].found);
        if (space[i].summary)
            assert_non_null(strstr(only()->summary, space[i].summary));
    }
    rules_free(rules);
    rules = rules_default(NULL);
    struct condition walls = {
        .kind = CONDITION_WALLS, .name = "analyze", .how = "Seccomp is 0, not 2"};
    selfcheck_told(&walls, NOW, judge, NULL);
    assert_int_equal(only()->severity, SEVERITY_CRITICAL);
    assert_non_null(strstr(
        only()->summary, "analyze: confinement is not as the policy says (Seccomp is 0, not 2): "));
    struct condition lost = {
        .kind = CONDITION_UNWRITTEN, .part = 12, .how = "No space left on device"};
    selfcheck_told(&lost, NOW, judge, NULL);
    assert_string_equal(found(rules, text), "sensor-confinement sensor-storage");
    rules_free(rules);
    rules = rules_default(NULL);
    struct condition past = {.kind = CONDITION_HISTORY, .how = "its process ended by signal 9"};
    selfcheck_told(&past, NOW, judge, NULL);
    assert_int_equal(only()->severity, SEVERITY_MEDIUM);
    assert_non_null(strstr(only()->summary, "is kept no more (its process ended by signal 9): "));
    rules_free(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(mirror),
                                       cmocka_unit_test(one_way),
                                       cmocka_unit_test(doubled),
                                       cmocka_unit_test(losses),
                                       cmocka_unit_test(absence_near_loss),
                                       cmocka_unit_test(packet_time_goes_back),
                                       cmocka_unit_test(told_of_the_sensor)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
