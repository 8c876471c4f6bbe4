/*
 * test_replay: several files through a real ring: order, numbers, interfaces, filter, damage,
 * totals.
 */
#include "capture/replay.h"

#include "sandbox/fds.h"
#include "sandbox/settings.h"
#include "tests/unit/capture_files.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#define HIGH 200 /* descriptors that are out of the way of the table */

/* A ring and a replay live as long as their process; here they are several, and not freed. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static void place(int fd, int number)
{
    must(fd >= 0 && dup2(fd, number) == number);
    close(fd);
}

static int high(int fd)
{
    int moved = fcntl(fd, F_DUPFD, HIGH);
    must(moved >= HIGH);
    close(fd);
    return moved;
}

/* A ring in the places where a process finds it. */
static int make_ring(void **state)
{
    struct ring_fds f;
    int words[2], page = memfd_create("progress", 0);
    (void)state;
    must(ring_create(RING_BYTES_MIN * 8, &f) == 0);
    must(ftruncate(page, sizeof(struct progress)) == 0);
    must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, words) == 0);
    int from[] = {f.data,    f.head,    f.tail[0], f.tail[1], f.wake[0],
                  f.wake[1], f.wake[2], page,      words[0]};
    static const int to[] = {FD_RING,       FD_RING_HEAD,    FD_TAIL_ANALYZE,
                             FD_TAIL_STORE, FD_WAKE_CAPTURE, FD_WAKE_ANALYZE,
                             FD_WAKE_STORE, FD_PROGRESS,     FD_CONTROL};
    (void)high(words[1]); /* the supervisor's end: open, silent */
    for (size_t i = 0; i < sizeof to / sizeof *to; i++)
        from[i] = high(from[i]);
    for (size_t i = 0; i < sizeof to / sizeof *to; i++)
        place(from[i], to[i]);
    return 0;
}

struct given {
    const struct file *file;
    uint64_t flags;
};

struct seen {
    struct ring_record records[64];
    size_t count;
    struct ring_loss end;
    uint64_t damages;
    char text[200];
};

static struct seen run(const struct given *files, size_t count, const struct filter *filter)
{
    struct seen seen = {0};
    struct settings settings;
    struct output out;
    struct inputs_writer *w = inputs_new();
    settings_default(&settings);
    must(w && inputs_add(w, INPUT_SETTINGS, "", &settings, sizeof settings) == 0);
    for (size_t i = 0; i < count; i++) {
        char name[8] = {'f', (char)('0' + i), '\n', '\0'};
        struct input_source told = {.size = files[i].file->size, .flags = files[i].flags};
        must(inputs_add(w, INPUT_SOURCE, name, &told, sizeof told) == 0);
        place(high(file_open(files[i].file)), FD_SOURCES + (int)i);
    }
    int sealed = high(inputs_seal(w));
    struct ring *reader = ring_open_reader(RING_STORE), *other = ring_open_reader(RING_ANALYZE);
    output_init(&out, false);
    struct replay *r = replay_new(inputs_open(sealed), filter);
    seen.damages = replay_run(r, &out, seen.text, sizeof seen.text);
    assert_int_equal(out.progress->bytes_done, out.progress->bytes_total);
    const struct ring_record *record;
    while ((record = ring_next(reader, NULL))) {
        must(seen.count < 64);
        seen.records[seen.count++] = *record;
        if (record->type == RING_END)
            memcpy(&seen.end, ring_payload(record), sizeof seen.end);
        ring_release(reader);
    }
    while (ring_next(other, NULL))
        ring_release(other);
    assert_int_equal(seen.records[seen.count - 1].type, RING_END);
    close(sealed);
    return seen;
}

/* The n-th record of a type. */
static const struct ring_record *nth(const struct seen *s, enum ring_type type, size_t n)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->records[i].type == type && n-- == 0)
            return &s->records[i];
    fail_msg("no such record");
    return NULL;
}

static struct file pcap_at(uint32_t seconds, unsigned frames)
{
    struct file f = {0};
    pcap_header(&f, 0xa1b2c3d4, 4, 65535, 1);
    for (unsigned i = 0; i < frames; i++)
        pcap_record(&f, seconds + i, 0, i);
    return f;
}

/* Explicit files stay; those of a folder are sorted among themselves; no time comes last. */
static void order_and_numbers(void **state)
{
    (void)state;
    struct file late = pcap_at(3000, 2), first = pcap_at(9000, 1), early = pcap_at(1000, 3),
                empty = pcap_at(0, 0);
    const struct given files[] = {
        {&first, 0}, {&empty, SOURCE_BY_TIME}, {&late, SOURCE_BY_TIME}, {&early, SOURCE_BY_TIME}};
    struct seen seen = run(files, 4, NULL);
    static const uint16_t order[] = {0, 3, 2, 1};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(nth(&seen, RING_SOURCE, i)->source, order[i]);
    static const uint16_t sources[] = {0, 3, 3, 3, 2, 2};
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(nth(&seen, RING_FRAME, i)->number, i + 1);
        assert_int_equal(nth(&seen, RING_FRAME, i)->source, sources[i]);
        assert_int_equal(nth(&seen, RING_FRAME, i)->interface, 0); /* alike: one interface */
    }
    assert_int_equal(seen.end.received, 6);
    assert_int_equal(seen.damages, 0);
    assert_string_equal(seen.text, "");
    file_fini(&late);
    file_fini(&first);
    file_fini(&early);
    file_fini(&empty);
}

/* Damage ends its file only, and the operator is told which and where. */
static void damage_ends_one_file(void **state)
{
    (void)state;
    struct file cut = pcap_at(1000, 2), whole = pcap_at(2000, 1), none = {0};
    size_t edge = 24 + 16 + frame_size(0);
    cut.size -= 3;
    const struct given files[] = {{&cut, 0}, {&none, 0}, {&whole, 0}};
    struct seen seen = run(files, 3, NULL);
    assert_int_equal(nth(&seen, RING_FRAME, 1)->source, 2);
    assert_int_equal(nth(&seen, RING_FRAME, 1)->number, 2);
    assert_int_equal(nth(&seen, RING_DAMAGE, 0)->offset, edge);
    assert_int_equal(nth(&seen, RING_DAMAGE, 0)->source, 0);
    assert_int_equal(nth(&seen, RING_DAMAGE, 1)->source, 1);
    assert_int_equal(seen.damages, 2);
    char begins[40];
    snprintf(begins, sizeof begins, "f0\\010: at byte %zu: ", edge);
    assert_memory_equal(seen.text, begins, strlen(begins));
    file_fini(&cut);
    file_fini(&whole);
}

/* Refused frames keep their numbers and are counted. */
static void filtered(void **state)
{
    (void)state;
    char error[200];
    struct file f = pcap_at(1000, 4);                                      /* 5, 42, 79, 19 bytes */
    struct filter *filter = filter_new("greater 40", error, sizeof error); /* of len = caplen + 3 */
    assert_non_null(filter);
    struct seen seen = run(&(struct given){&f, 0}, 1, filter);
    assert_int_equal(nth(&seen, RING_FRAME, 0)->number, 2);
    assert_int_equal(nth(&seen, RING_FRAME, 1)->number, 3);
    assert_int_equal(seen.end.received, 4);
    assert_int_equal(seen.end.filtered, 2);
    assert_int_equal(seen.end.bytes, frame_size(1) + frame_size(2));
    filter_free(filter);
    file_fini(&f);
}

static void packet_with_id(struct file *f, uint64_t id)
{
    size_t at = ng_begin(f, 6);
    file_u32(f, 0);
    file_u64(f, 0);
    file_u64(f, 0);
    ng_option_int(f, 5, id, 8);
    ng_end(f, at);
}

/* Numbers of an extract are kept as long as they grow; nothing a file says makes them go back. */
static void numbers_of_an_extract(void **state)
{
    static const uint64_t ids[] = {17, 40, 40, 12, 41, 50, UINT64_MAX, FRAME_NUMBER_MAX + 1};
    static const uint64_t numbers[] = {17, 40, 41, 42, 43, 50, 51, 52};
    (void)state;
    struct file f = {0};
    ng_section(&f, "dnsbailiff-origin lab");
    ng_interface(&f, 1, 0, 9, 0);
    ng_interface(&f, 1, 0, 9, 0);
    for (size_t i = 0; i < 8; i++)
        packet_with_id(&f, ids[i]);
    struct seen seen = run(&(struct given){&f, 0}, 1, NULL);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(nth(&seen, RING_FRAME, i)->number, numbers[i]);
    assert_int_equal(nth(&seen, RING_INTERFACE, 1)->interface,
                     1); /* of one file: two, though alike */
    file_fini(&f);
}

/* Segments that come through one pipe: each describes its interfaces again, and they are the same.
 */
static void sections_of_one_file(void **state)
{
    (void)state;
    struct file f = {0};
    for (uint64_t i = 0; i < 3; i++) {
        ng_section(&f, "dnsbailiff-origin lab");
        ng_interface(&f, 1, 0, 9, 0);
        ng_interface(&f, 1, 0, 9, 0);
        packet_with_id(&f, 10 * (i + 1));
    }
    ng_interface(&f, 1, 0, 9, 0); /* in a section that has two already: a third */
    struct seen seen = run(&(struct given){&f, 0}, 1, NULL);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(nth(&seen, RING_FRAME, i)->number, 10 * (i + 1));
        assert_int_equal(nth(&seen, RING_FRAME, i)->interface, 0);
    }
    assert_int_equal(nth(&seen, RING_INTERFACE, 1)->interface, 1);
    assert_int_equal(nth(&seen, RING_INTERFACE, 2)->interface, 2);
    size_t interfaces = 0;
    for (size_t i = 0; i < seen.count; i++)
        interfaces += seen.records[i].type == RING_INTERFACE;
    assert_int_equal(interfaces, 3);
    file_fini(&f);
}

/* More interfaces than a run can have: frames go on under one of the same link type. */
static void too_many_interfaces(void **state)
{
    (void)state;
    struct file f = {0};
    ng_section(&f, NULL);
    for (uint32_t i = 0; i < OUTPUT_INTERFACES_MAX + 5; i++)
        ng_interface(&f, 1, i, 9, 0);
    ng_interface(&f, 113, 0, 9, 0);
    ng_packet(&f, OUTPUT_INTERFACES_MAX + 2, 1, 0);
    ng_packet(&f, OUTPUT_INTERFACES_MAX + 5, 1, 1);
    struct settings settings;
    struct output out;
    struct inputs_writer *w = inputs_new();
    settings_default(&settings);
    struct input_source told = {.size = f.size};
    must(w && inputs_add(w, INPUT_SETTINGS, "", &settings, sizeof settings) == 0);
    must(inputs_add(w, INPUT_SOURCE, "f", &told, sizeof told) == 0);
    place(high(file_open(&f)), FD_SOURCES);
    int sealed = high(inputs_seal(w));
    struct ring *readers[2] = {ring_open_reader(RING_ANALYZE), ring_open_reader(RING_STORE)};
    char text[100];
    output_init(&out, false);
    (void)replay_run(replay_new(inputs_open(sealed), NULL), &out, text, sizeof text);
    unsigned frames = 0, interfaces = 0;
    const struct ring_record *r;
    while ((r = ring_next(readers[1], NULL))) {
        interfaces += r->type == RING_INTERFACE;
        if (r->type == RING_FRAME && frames++ == 0)
            assert_true(r->interface < OUTPUT_INTERFACES_MAX);
        ring_release(readers[1]);
    }
    assert_int_equal(interfaces, OUTPUT_INTERFACES_MAX);
    assert_int_equal(frames, 1);
    assert_int_equal(out.loss.filtered, 1); /* the one without any interface of its link type */
    close(sealed);
    file_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(order_and_numbers, make_ring),
        cmocka_unit_test_setup(damage_ends_one_file, make_ring),
        cmocka_unit_test_setup(filtered, make_ring),
        cmocka_unit_test_setup(numbers_of_an_extract, make_ring),
        cmocka_unit_test_setup(sections_of_one_file, make_ring),
        cmocka_unit_test_setup(too_many_interfaces, make_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
