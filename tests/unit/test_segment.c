/*
 * test_segment: the bytes of a pcapng segment, block by block, its durability rules, and the spool.
 */
#include "evidence/segment.h"

#include "evidence/file.h"
#include "evidence/spool.h"
#include "evidence/text.h"
#include "tests/unit/tempdir.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FRAME_MAX 3000

static struct tempdir temp;
static int dir;

static int setup(void **state)
{
    (void)state;
    int error = tempdir_make(&temp);
    dir = temp.dir;
    return error;
}

static int teardown(void **state)
{
    (void)state;
    return tempdir_remove(&temp);
}

static uint8_t *load(const char *name, size_t *ret_size)
{
    int fd = openat(dir, name, O_RDONLY);
    struct stat st;
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    uint8_t *bytes = malloc((size_t)st.st_size + 1);
    assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
    close(fd);
    *ret_size = (size_t)st.st_size;
    return bytes;
}

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t u64(const uint8_t *p)
{
    return u32(p) | (uint64_t)u32(p + 4) << 32;
}

/* The value of an option in a block's options; NULL if it is not there. */
static const uint8_t *option(const uint8_t *p, const uint8_t *end, unsigned code, size_t *ret_size)
{
    while (p + 4 <= end) {
        unsigned c = u32(p) & 0xffff, size = u32(p) >> 16;
        if (c == code) {
            *ret_size = size;
            return p + 4;
        }
        if (c == 0)
            break;
        p += 4 + (size + 3) / 4 * 4;
    }
    return NULL;
}

static struct ring_record frame(uint64_t number, uint32_t caplen, uint16_t interface)
{
    return (struct ring_record){.type = RING_FRAME,
                                .number = number,
                                .time_ns = INT64_C(1795336234000000000) + (int64_t)number,
                                .caplen = caplen,
                                .len = caplen + 10,
                                .interface = interface,
                                .flags = number % 2 ? 1 : 0};
}

static void fill(uint8_t *bytes, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(number * 31 + i * 7);
}

static struct segment *open_segment(const char *name, struct segment_interfaces *all)
{
    struct segment *s;
    struct segment_origin o = {
        .origin = "dnsbailiff/test/x", .name = name, .hardware = "", .os = "Linux"};
    memset(o.nonce, 0xab, sizeof o.nonce);
    assert_int_equal(segment_open(dir, &o, all, &s), 0);
    return s;
}

/* --- */

static void check_section(const uint8_t *b, const uint8_t *end)
{
    size_t size;
    assert_int_equal(u32(b + 8), PCAPNG_MAGIC);
    assert_int_equal(u32(b + 12), 1); /* version 1.0 */
    const uint8_t *c = option(b + 24, end, 1, &size);
    assert_non_null(c);
    assert_memory_equal(c, "dnsbailiff-origin: dnsbailiff/test/x", size);
    assert_non_null(option(b + 24, end, 4, &size)); /* application */
    assert_null(option(b + 24, end, 2, &size));     /* no hardware given */
}

static void check_packet(const uint8_t *b, const uint8_t *end, uint64_t number)
{
    uint8_t expected[FRAME_MAX];
    size_t size;
    uint32_t caplen = u32(b + 20);
    fill(expected, number, caplen);
    assert_int_equal(u32(b + 24), caplen + 10);
    assert_int_equal((uint64_t)u32(b + 12) << 32 | u32(b + 16),
                     UINT64_C(1795336234000000000) + number);
    assert_memory_equal(b + 28, expected, caplen);
    const uint8_t *options = b + 28 + (caplen + 3) / 4 * 4;
    const uint8_t *id = option(options, end, 5, &size);
    assert_non_null(id);
    assert_int_equal(size, 8);
    assert_int_equal(u64(id), number);
    assert_int_equal(option(options, end, 2, &size) != NULL, number % 2 == 1);
}

static void test_blocks(void **state)
{
    static const uint32_t sizes[] = {0, 1, 2, 3, 4, 60, 1514, FRAME_MAX};
    struct segment_interfaces all = {0};
    struct ring_interface first = {.snaplen = 262144, .name = "tap0", .filter = "port 53"};
    struct ring_interface second = {.snaplen = 65535, .speed = 1000000000, .description = "late"};
    struct segment_summary summary;
    uint8_t bytes[FRAME_MAX], digest[HASH_BYTES];
    size_t size, option_size, packets = 0, interfaces = 0, statistics = 0;
    (void)state;
    segment_add_interface(&all, &first, 1);
    struct segment *s = open_segment("a.pcapng", &all);
    assert_int_equal(faccessat(dir, "a.pcapng", F_OK, 0), -1); /* hidden until it is whole */
    assert_int_equal(faccessat(dir, "a.pcapng.part", F_OK, 0), 0);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct ring_record r = frame(i + 1, sizes[i], i >= 5);
        if (i == 5)
            segment_add_interface(&all, &second, 113);
        if (i == 6)
            all.list[1].loss.dropped_kernel = 42;
        fill(bytes, i + 1, sizes[i]);
        segment_frame(s, &r, bytes);
    }
    all.list[0].loss = (struct ring_loss){.received = 100, .filtered = 10, .dropped_interface = 3};
    assert_int_equal(segment_close(s, &summary), 0);
    assert_int_equal(summary.packets, 8);
    assert_int_equal(summary.first_packet, 1);
    assert_int_equal(summary.last_packet, 8);

    uint8_t *file = load("a.pcapng", &size);
    assert_int_equal(summary.size, size);
    struct hash *h = hash_new(HASH_SHA256);
    hash_once(h, file, size, digest);
    hash_free(h);
    assert_memory_equal(digest, summary.sha256, sizeof digest);
    for (const uint8_t *b = file; b < file + size;) {
        uint32_t total = u32(b + 4);
        const uint8_t *end = b + total - 4;
        assert_int_equal(total % 4, 0);
        assert_int_equal(u32(end), total);
        switch (u32(b)) {
        case PCAPNG_SHB:
            assert_ptr_equal(b, file);
            check_section(b, end);
            break;
        case PCAPNG_IDB:
            assert_int_equal(u32(b + 8), interfaces == 0 ? 1 : 113);
            assert_int_equal(*option(b + 16, end, 9, &option_size), 9);
            assert_int_equal(option(b + 16, end, 11, &option_size) != NULL, interfaces == 0);
            assert_int_equal(option(b + 16, end, 8, &option_size) != NULL, interfaces == 1);
            interfaces++;
            break;
        case PCAPNG_EPB: {
            packets++;
            check_packet(b, end, packets);
            const uint8_t *dropped =
                option(b + 28 + (u32(b + 20) + 3) / 4 * 4, end, 4, &option_size);
            assert_int_equal(dropped != NULL, packets == 7); /* told once */
            if (dropped)
                assert_int_equal(u64(dropped), 42);
            break;
        }
        case PCAPNG_ISB:
            assert_int_equal(u32(b + 8), statistics);
            if (statistics == 0) {
                assert_int_equal(u64(option(b + 20, end, 4, &option_size)), 100);
                assert_int_equal(u64(option(b + 20, end, 5, &option_size)), 3);
                assert_int_equal(u64(option(b + 20, end, 6, &option_size)), 90);
            }
            statistics++;
            break;
        default:
            fail();
        }
        b += total;
    }
    assert_int_equal(packets, 8);
    assert_int_equal(interfaces, 2);
    assert_int_equal(statistics, 2);
    free(file);
    free(all.list);
}

static void test_never_overwrites(void **state)
{
    struct segment_interfaces all = {0};
    struct segment_summary summary;
    struct segment *s = open_segment("b.pcapng", &all);
    (void)state;
    assert_int_equal(file_put(dir, "b.pcapng", "mine", 4, NULL), -EEXIST); /* .part is taken */
    assert_int_equal(symlinkat("elsewhere", dir, "b.pcapng"), 0);
    assert_int_equal(segment_close(s, &summary), -EEXIST);
    assert_int_equal(faccessat(dir, "b.pcapng.part", F_OK, 0), -1); /* nothing half is left */
    assert_int_equal(faccessat(dir, "elsewhere", F_OK, 0), -1);
    assert_int_equal(unlinkat(dir, "b.pcapng", 0), 0);
}

/* A storage that is full: the error sticks, and nothing of the file is left. */
static void test_full_storage(void **state)
{
    static const uint8_t big[1 << 20];
    struct file *f;
    struct rlimit before, small;
    uint64_t size = 77;
    uint8_t digest[HASH_BYTES];
    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = sizeof big * 2;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(file_create(dir, "c", FILE_HIDDEN, &f), 0);
    for (int i = 0; i < 4; i++)
        file_write(f, big, sizeof big);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(file_flush(f, false), -EFBIG); /* there is room now, and yet */
    assert_int_equal(file_seal(f, &size, digest), -EFBIG);
    assert_int_equal(size, 77);
    assert_int_equal(faccessat(dir, "c", F_OK, 0), -1);
    assert_int_equal(faccessat(dir, "c.part", F_OK, 0), -1);
    assert_int_equal(file_create(dir, "", FILE_HIDDEN, &f), -ENAMETOOLONG);
    assert_int_equal(file_create(dir, "no/such/folder", FILE_HIDDEN, &f), -ENOENT);
}

static void test_spool(void **state)
{
    struct spool *s;
    uint8_t bytes[FRAME_MAX];
    const struct ring_record *found;
    const uint64_t room = 1 << 20, count = 2000; /* about 3 MB go in: most must give way */
    uint64_t kept = 0;
    (void)state;
    assert_int_equal(spool_new(dir, room, &s), 0);
    assert_int_equal(faccessat(dir, ".held", F_OK, 0), -1); /* no name from the start */
    for (uint64_t n = 1; n <= count; n++) {
        struct ring_record r = frame(n * 3, (uint32_t)(n * 97 % FRAME_MAX), 0);
        fill(bytes, n * 3, r.caplen);
        assert_int_equal(spool_add(s, &r, bytes, n % 2 ? n * 3 - 3 : 0), 0);
        if (n % 500 == 0) { /* the newest is there while others are still to come */
            assert_int_equal(spool_find(s, n * 3, &found), 1);
            assert_memory_equal(ring_payload(found), bytes, r.caplen);
        }
    }
    for (uint64_t n = 1; n <= count; n++) {
        uint64_t with;
        int got = spool_find(s, n * 3, &found);
        assert_int_equal(spool_holds(s, n * 3), got == 1);
        assert_int_equal(spool_take(s, n * 3, &with), got == 1);
        assert_true(got == 0 || with == (n % 2 ? n * 3 - 3 : 0));
        assert_false(spool_take(s, n * 3, &with)); /* once */
        assert_true(got == 0 || got == 1);
        assert_true(got == 1 || kept == 0); /* only the oldest gave way */
        if (got == 1) {
            fill(bytes, n * 3, found->caplen);
            assert_int_equal(found->number, n * 3);
            assert_int_equal(found->caplen, n * 97 % FRAME_MAX);
            assert_memory_equal(ring_payload(found), bytes, found->caplen);
            kept++;
        }
        assert_int_equal(spool_find(s, n * 3 + 1, &found), 0);
    }
    assert_true(kept > 300);
    assert_int_equal(kept + spool_lost(s), count);
    spool_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_never_overwrites),
        cmocka_unit_test(test_full_storage),
        cmocka_unit_test(test_spool),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
