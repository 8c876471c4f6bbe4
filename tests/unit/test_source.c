/*
 * test_source: capture files of every kind, as the sequence of events that they must give; cut at
 * every byte, flipped at every bit, in every compression.
 */
#include "capture/source.h"

#include "sandbox/ring.h"
#include "tests/unit/capture_files.h"

#include <fcntl.h>
#include <glob.h>
#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* What a run over a source came to. */
struct seen {
    unsigned frames, interfaces, damages;
    bool broken;
    struct frame last;
    struct frame_interface interface;
    struct frame_damage damage; /* the last one */
    struct frame_tally tally;
    int64_t times[64];
    uint64_t numbers[64];
};

/* Frame i of the file must be frame i of capture_files.h, or `check` is false. */
static struct seen run_fd(int fd, bool check)
{
    struct seen seen = {0};
    struct frame_item item;
    struct source *s = source_open(fd, NULL, NULL);
    assert_non_null(s);
    for (;;) {
        enum frame_event event = source_next(s, &item);
        if (event == FRAME_END)
            break;
        assert_false(seen.broken && event != FRAME_BROKEN);
        if (event == FRAME_INTERFACE) {
            seen.interface = item.interface;
            assert_int_equal(item.interface.index, seen.interfaces++);
        } else if (event == FRAME_GIVEN) {
            unsigned i = seen.frames++;
            assert_true(item.frame.interface < seen.interfaces);
            assert_true(item.frame.caplen <= RING_FRAME_MAX);
            assert_in_range(item.frame.time_ns, 0, FRAME_TIME_MAX);
            seen.last = item.frame;
            if (i < 64) {
                seen.times[i] = item.frame.time_ns;
                seen.numbers[i] = item.frame.number;
            }
            uint32_t sum = 0; /* every byte must be readable */
            for (uint32_t at = 0; at < item.frame.caplen; at++) {
                sum += item.frame.bytes[at];
                if (check)
                    assert_int_equal(item.frame.bytes[at], frame_byte(i, at));
            }
            if (check)
                assert_int_equal(item.frame.caplen, frame_size(i));
            (void)sum;
        } else {
            seen.damages++;
            seen.damage = item.damage;
            assert_true(strlen(item.damage.text) > 0);
            seen.broken = event == FRAME_BROKEN;
        }
    }
    seen.tally = *source_tally(s);
    assert_int_equal(seen.tally.frames, seen.frames);
    assert_int_equal(source_next(s, &item), FRAME_END);
    source_free(s);
    return seen;
}

static struct seen run_part(const struct file *f, size_t n, bool check)
{
    int fd = file_open_part(f, n);
    struct seen seen = run_fd(fd, check);
    close(fd);
    return seen;
}

static struct seen run(const struct file *f)
{
    return run_part(f, f->size, true);
}

/* ---- classic pcap -----------------------------------------------------------------------------
 */

static void pcap_kinds(void **state)
{
    static const struct {
        uint32_t magic;
        bool big;
        uint16_t minor;
        uint32_t link;
        int64_t second_ns; /* time of frame 1: 1700000001 s and 999999 units */
    } table[] = {
        {0xa1b2c3d4, false, 4, 1, 1700000001999999000},
        {0xa1b2c3d4, true, 4, 113, 1700000001999999000},
        {0xa1b23c4d, false, 4, 276, 1700000001000999999},
        {0xa1b23c4d, true, 4, 101, 1700000001000999999},
        {0xa1b2c3d4, false, 4, 0x54000001, 1700000001999999000}, /* FCS of 4 bytes said */
        {0xa1b2cd34, false, 4, 1, 1700000001999999000},
        {0xa1b2cd34, true, 4, 1, 1700000001999999000},
        {0xa1b2c3d4, false, 2, 1, 1700000001999999000}, /* lengths exchanged */
        {0xa1b2c3d4, true, 3, 1, 1700000001999999000},  /* lengths perhaps exchanged */
    };
    (void)state;
    for (size_t t = 0; t < sizeof table / sizeof *table; t++) {
        struct file f = {.big = table[t].big};
        pcap_header(&f, table[t].magic, table[t].minor, 65535, table[t].link);
        for (unsigned i = 0; i < 40; i++) {
            file_u32(&f, 1700000000 + i);
            file_u32(&f, i ? 999999 : 0);
            bool exchanged = table[t].minor < 4;
            file_u32(&f, frame_size(i) + (exchanged ? 3 : 0));
            file_u32(&f, frame_size(i) + (exchanged ? 0 : 3));
            if (table[t].magic == 0xa1b2cd34)
                file_u64(&f, 0);
            file_frame(&f, i);
        }
        struct seen seen = run(&f);
        assert_int_equal(seen.frames, 40);
        assert_int_equal(seen.damages, 0);
        assert_int_equal(seen.interfaces, 1);
        assert_int_equal(seen.interface.snaplen, 65535);
        assert_int_equal(seen.interface.tsresol,
                         table[t].magic == 0xa1b23c4d ? 1000000000 : 1000000);
        assert_int_equal(seen.last.linktype, table[t].link & 0xffff);
        assert_int_equal(seen.last.len, frame_size(39) + 3);
        assert_int_equal(seen.times[0], INT64_C(1700000000) * 1000000000);
        assert_int_equal(seen.times[1], table[t].second_ns);
        assert_int_equal(seen.tally.lengths + seen.tally.times, 0);
        file_fini(&f);
    }
}

static void pcap_kept_as_found(void **state)
{
    (void)state;
    struct file f = {0};
    pcap_header(&f, 0xa1b2c3d4, 4, 4, 1); /* snaplen 4 */
    for (unsigned i = 0; i < 2; i++) {    /* 5 and 42 bytes, len 0, fraction out of range */
        file_u32(&f, UINT32_MAX);
        file_u32(&f, UINT32_MAX);
        file_u32(&f, frame_size(i));
        file_u32(&f, 0);
        file_frame(&f, i);
    }
    struct seen seen = run(&f);
    assert_int_equal(seen.frames, 2);
    assert_int_equal(seen.damages, 0);
    assert_int_equal(seen.tally.lengths, 2);
    assert_int_equal(seen.tally.times, 2);
    assert_int_equal(seen.last.len, 0);
    file_fini(&f);
}

static void pcap_impossible(void **state)
{
    (void)state;
    struct file f = {0};
    pcap_header(&f, 0xa1b2c3d4, 4, 0, 1);
    pcap_record(&f, 1, 2, 0);
    size_t at = f.size;
    file_u64(&f, 0);
    file_u32(&f, RING_FRAME_MAX + 1);
    file_u32(&f, RING_FRAME_MAX + 1);
    struct seen seen = run(&f);
    assert_int_equal(seen.frames, 1);
    assert_true(seen.broken);
    assert_int_equal(seen.damage.offset, at);
    /* The largest that can be is taken. */
    file_set_u32(&f, at + 8, RING_FRAME_MAX);
    for (size_t i = 0; i < RING_FRAME_MAX; i += 8)
        file_u64(&f, 0);
    seen = run_part(&f, f.size, false);
    assert_int_equal(seen.frames, 2);
    assert_int_equal(seen.damages, 0);
    assert_int_equal(seen.last.caplen, RING_FRAME_MAX);
    file_fini(&f);
}

/* ---- pcapng -----------------------------------------------------------------------------------
 */

static void ng_resolutions(void **state)
{
    static const struct {
        int tsresol;
        int64_t tsoffset;
        uint64_t units;
        int64_t ns;
        unsigned absurd;
    } table[] = {
        {-1, 0, 1700000000123456, 1700000000123456000, 0},
        {6, 0, 1700000000123456, 1700000000123456000, 0},
        {9, 0, 1700000000123456789, 1700000000123456789, 0},
        {0, 0, 1700000000, 1700000000000000000, 0},
        {3, 0, 1700000000123, 1700000000123000000, 0},
        {12, 0, UINT64_C(1700000000123456789), 1700000000123456, 0},
        {12, 1700000000, 999999999999, 1700000000999999999, 0},
        {0x80 | 20, 0, (UINT64_C(1700000000) << 20) + 1, 1700000000000000953, 0},
        {0x80 | 32, 0, (UINT64_C(1700000000) << 32) + (1u << 31), 1700000000500000000, 0},
        {0x80, 0, 1700000000, 1700000000000000000, 0},
        {0x80 | 64, 1, UINT64_MAX, 1999999999, 0},
        {0x80 | 127, 7, UINT64_MAX, 7000000000, 0},
        {28, 5, UINT64_MAX, 5000000001, 0},
        {29, 5, UINT64_MAX, 5000000000, 0},
        {127, 5, UINT64_MAX, 5000000000, 0},
        {6, -1700000000, 1700000001000000, 1000000000, 0},
        {6, -1700000002, 1700000001000000, 0, 1},
        {0, 0, UINT64_MAX, FRAME_TIME_MAX, 1},
        {9, INT64_MAX, 0, FRAME_TIME_MAX, 1},
        {9, INT64_MIN, UINT64_MAX, 0, 1},
        {9, 0, UINT64_MAX, FRAME_TIME_MAX, 1},
    };
    (void)state;
    for (size_t t = 0; t < sizeof table / sizeof *table; t++) {
        for (int big = 0; big < 2; big++) {
            struct file f = {.big = big};
            ng_section(&f, NULL);
            ng_interface(&f, 1, 0, table[t].tsresol, table[t].tsoffset);
            ng_packet(&f, 0, table[t].units, 0);
            struct seen seen = run(&f);
            assert_int_equal(seen.frames, 1);
            assert_int_equal(seen.damages, 0);
            assert_int_equal(seen.last.time_ns, table[t].ns);
            assert_int_equal(seen.tally.times, table[t].absurd);
            file_fini(&f);
        }
    }
}

/* Every block there is, in two sections of different byte order. */
static struct file ng_full(void)
{
    struct file f = {0};
    unsigned i = 0;
    for (int section = 0; section < 2; section++) {
        f.big = section;
        ng_section(&f, section ? NULL : "dnsbailiff-origin lab1 7");
        size_t at = ng_begin(&f, 1);
        file_u16(&f, 1);
        file_u16(&f, 0);
        file_u32(&f, 96);
        ng_option(&f, 2, "eth0", 4);
        ng_option(&f, 3, "a tap", 5);
        ng_option(&f, 11, "\0port 53", 8);
        ng_option_int(&f, 8, 1000000000, 8);
        ng_option_int(&f, 9, 9, 1);
        ng_option_int(&f, 0, 0, 0);
        ng_end(&f, at);
        ng_packet(&f, 0, 1700000000000000001, i++);
        ng_interface(&f, 113, 0, 0x80 | 20, 0);
        at = ng_begin(&f, 6); /* enhanced, with options */
        file_u32(&f, 1);
        file_u64(&f, 0);
        file_u32(&f, frame_size(i));
        file_u32(&f, frame_size(i));
        file_frame(&f, i++);
        while (f.size % 4)
            file_u8(&f, 0);
        ng_option_int(&f, 2, 0x12345678, 4);
        ng_option_int(&f, 5, 4242, 8);
        ng_option(&f, 1, "seen", 4);
        ng_option_int(&f, 0, 0, 0);
        ng_end(&f, at);
        at = ng_begin(&f, 3); /* simple: interface 0, cut at its snaplen */
        file_u32(&f, frame_size(i));
        file_frame(&f, i++);
        ng_end(&f, at);
        at = ng_begin(&f, 2); /* obsolete */
        file_u16(&f, 1);
        file_u16(&f, 9);
        file_u64(&f, 0);
        file_u32(&f, frame_size(i));
        file_u32(&f, frame_size(i));
        file_frame(&f, i++);
        ng_end(&f, at);
        at = ng_begin(&f, 5); /* statistics */
        file_u32(&f, 0);
        file_u64(&f, 0);
        ng_option_int(&f, 5, 3, 8);
        ng_option_int(&f, 7, 11, 8);
        ng_end(&f, at);
        at = ng_begin(&f, 4); /* names */
        file_u64(&f, 0);
        ng_end(&f, at);
        at = ng_begin(&f, 0x80000bad); /* a stranger's */
        file_bytes(&f, "whatever", 8);
        ng_end(&f, at);
    }
    return f;
}

static void ng_every_block(void **state)
{
    (void)state;
    struct file f = ng_full();
    struct seen seen = run(&f);
    assert_int_equal(seen.frames, 8);
    assert_int_equal(seen.interfaces, 4);
    assert_int_equal(seen.damages, 0);
    assert_int_equal(seen.times[0], 1700000000000000001);
    assert_int_equal(seen.times[1], 0);
    assert_int_equal(seen.numbers[0], 0);
    assert_int_equal(seen.numbers[1], 4242); /* the first section is ours */
    assert_int_equal(seen.numbers[5], 0);    /* the second is not */
    assert_int_equal(seen.tally.without_time, 2);
    assert_int_equal(seen.tally.dropped_kernel, 22);
    assert_int_equal(seen.tally.dropped_interface, 6);
    assert_int_equal(seen.tally.skipped, 6);
    assert_int_equal(seen.tally.options, 0);
    assert_int_equal(seen.last.interface, 3);
    assert_int_equal(seen.last.linktype, 113);
    file_fini(&f);
}

/* A simple block has no caplen: it is the smaller of len and the snaplen of interface 0. */
static void ng_simple_cut_at_snaplen(void **state)
{
    (void)state;
    struct file f = {0};
    ng_section(&f, NULL);
    ng_interface(&f, 1, 10, -1, 0);
    ng_packet(&f, 0, 77, 0);
    size_t at = ng_begin(&f, 3);
    file_u32(&f, 1500);
    file_bytes(&f, "0123456789ab", 12);
    ng_end(&f, at);
    struct seen seen = run_part(&f, f.size, false);
    assert_int_equal(seen.frames, 2);
    assert_int_equal(seen.last.caplen, 10);
    assert_int_equal(seen.last.len, 1500);
    assert_int_equal(seen.last.time_ns, 77000); /* as the frame before */
    assert_int_equal(seen.tally.without_time, 1);
    file_fini(&f);
}

static void ng_interface_texts(void **state)
{
    (void)state;
    char longest[600];
    memset(longest, 'x', sizeof longest);
    longest[0] = 0;
    struct file f = {0};
    ng_section(&f, NULL);
    size_t at = ng_begin(&f, 1);
    file_u16(&f, 1);
    file_u16(&f, 0);
    file_u32(&f, 0);
    ng_option(&f, 2, longest + 1, 599);
    ng_option(&f, 3, "a tap\0behind", 12);
    ng_option(&f, 11, longest, 600);
    ng_option_int(&f, 8, 1000000000, 8);
    ng_end(&f, at);
    struct seen seen = run(&f);
    assert_int_equal(strlen(seen.interface.name), 63);
    assert_string_equal(seen.interface.description, "a tap");
    assert_int_equal(strlen(seen.interface.filter), 511);
    assert_int_equal(seen.interface.speed, 1000000000);
    file_fini(&f);
}

/* Blocks that are sane outside and wrong inside are skipped; the frames around them come through.
 */
static void ng_skips_damaged_blocks(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        struct file f = {0};
        ng_section(&f, NULL);
        ng_interface(&f, 1, 0, -1, 0);
        ng_packet(&f, 0, 1, 0);
        size_t at = ng_begin(&f, 6);
        if (kind < 3) {
            file_u32(&f, kind == 0 ? 1 : 0); /* no such interface */
            file_u64(&f, 0);
            file_u32(&f, kind == 1 ? 9 : kind == 2 ? UINT32_MAX : 8); /* room for 8 */
            file_u32(&f, 8);
        }
        file_u64(&f, 0);
        ng_end(&f, at);
        ng_packet(&f, 0, 2, 1);
        struct seen seen = run(&f);
        assert_int_equal(seen.frames, 2);
        assert_int_equal(seen.damages, 1);
        assert_int_equal(seen.damage.offset, at);
        assert_false(seen.broken);
        file_fini(&f);
    }
}

static void ng_breaks_where_lengths_disagree(void **state)
{
    static const uint32_t lengths[] = {0, 4, 8, 11, 13, 48, 64, 0x7fffffff, UINT32_MAX};
    (void)state;
    for (size_t t = 0; t < sizeof lengths / sizeof *lengths; t++) {
        for (int type = 6; type < 8; type++) { /* looked into, skipped */
            struct file f = {0};
            ng_section(&f, NULL);
            ng_interface(&f, 1, 0, -1, 0);
            ng_packet(&f, 0, 1, 0);
            size_t at = f.size;
            ng_packet(&f, 0, 1, 1);
            file_set_u32(&f, at, (uint32_t)type);
            file_set_u32(&f, at + 4, lengths[t]);
            ng_packet(&f, 0, 1, 2);
            struct seen seen = run(&f);
            assert_int_equal(seen.frames, 1);
            assert_true(seen.broken);
            assert_int_equal(seen.damage.offset, at);
            file_fini(&f);
        }
    }
}

/* A frame with a megabyte of comments is too much; a block of a stranger may be any size. */
static void ng_large_blocks(void **state)
{
    (void)state;
    struct file f = {0};
    ng_section(&f, NULL);
    ng_interface(&f, 1, 0, -1, 0);
    for (uint32_t type = 6; type < 8; type++) {
        size_t at = ng_begin(&f, type);
        uint8_t *megabytes = calloc(1, 3u << 20);
        file_bytes(&f, megabytes, 3u << 20);
        free(megabytes);
        ng_end(&f, at);
    }
    ng_packet(&f, 0, 1, 0);
    struct seen seen = run(&f);
    assert_int_equal(seen.frames, 1);
    assert_int_equal(seen.damages, 1);
    assert_int_equal(seen.tally.skipped, 1);
    file_fini(&f);
}

static void ng_many_damages(void **state)
{
    (void)state;
    struct file f = {0};
    ng_section(&f, NULL);
    for (unsigned i = 0; i < 200; i++)
        ng_packet(&f, 0, 1, 0); /* no interface */
    struct seen seen = run(&f);
    assert_int_equal(seen.damages, SOURCE_DAMAGES_MAX + 1);
    assert_non_null(strstr(seen.damage.text, "136 more"));
    file_fini(&f);
}

/* ---- any ------------------------------------------------------------------------------------- */

static void unreadable(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *says;
    } table[] = {
        {"", 0, "empty"},
        {"\xd4", 1, "begins with d4"},
        {"\xd4\xc3\xb2", 3, "begins with d4c3b2"},
        {"GET / HTTP/1.1\r\n", 16, "474554"},
        {"snoop\0\0\0....", 12, "snoop"},
        {"PK\3\4........", 12, "zip"},
        {"\xd4\xc3\xb2\xa1\x09\0\4\0................", 24, "version 9.4"},
        {"\xd4\xc3\xb2\xa1\x02\0\4\0............\0\0\xff\0", 24, "link type"},
        {"\xd4\xc3\xb2\xa1\x02\0\4\0", 8, "cut short"},
        {"\x0a\x0d\x0d\x0a\x1c\0\0\0....................", 28, "byte-order magic"},
        {"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x07\0\0\0............", 28, "version 7.0"},
        {"\x0a\x0d\x0d\x0a\x14\0\0\0\x4d\x3c\x2b\x1a\1\0\0\0............", 28, "too small"},
    };
    (void)state;
    for (size_t t = 0; t < sizeof table / sizeof *table; t++) {
        struct file f = {0};
        file_bytes(&f, table[t].bytes, table[t].size);
        for (enum codec_kind kind = CODEC_PLAIN; kind <= CODEC_LZ4; kind++) {
            struct file p = file_pack(&f, kind);
            struct seen seen = run(&p);
            assert_int_equal(seen.frames, 0);
            assert_true(seen.broken);
            assert_int_equal(seen.damage.offset, 0);
            assert_non_null(strstr(seen.damage.text, table[t].says));
            assert_int_equal(strstr(seen.damage.text, codec_name(kind)) != NULL,
                             kind != CODEC_PLAIN);
            file_fini(&p);
        }
        file_fini(&f);
    }
}

static struct file pcap_small(void)
{
    struct file f = {0};
    pcap_header(&f, 0xa1b2c3d4, 4, 0, 1);
    for (unsigned i = 0; i < 8; i++)
        pcap_record(&f, 1700000000, i, i);
    return f;
}

/* Ends of the records of a plain file: where it may end without damage. */
static unsigned frames_before(const size_t *ends, unsigned count, size_t n)
{
    unsigned i = 0;
    while (i < count && ends[i] <= n)
        i++;
    return i;
}

static void cut_plain_at_every_byte(void **state)
{
    (void)state;
    for (int ng = 0; ng < 2; ng++) {
        struct file f = {0};
        size_t ends[8];
        size_t header;
        if (ng) {
            ng_section(&f, NULL);
            ng_interface(&f, 1, 0, -1, 0);
        } else {
            pcap_header(&f, 0xa1b2c3d4, 4, 0, 1);
        }
        header = f.size;
        for (unsigned i = 0; i < 8; i++) {
            if (ng)
                ng_packet(&f, 0, 1, i);
            else
                pcap_record(&f, 1, 2, i);
            ends[i] = f.size;
        }
        for (size_t n = 0; n <= f.size; n++) {
            struct seen seen = run_part(&f, n, true);
            unsigned whole = frames_before(ends, 8, n);
            assert_int_equal(seen.frames, whole);
            size_t edge = whole ? ends[whole - 1] : header;
            bool on_edge = n == edge || (ng && n == 28); /* 28: after the section header */
            assert_int_equal(seen.damages, !on_edge);
            if (!on_edge && n >= header)
                assert_int_equal(seen.damage.offset, edge);
        }
        file_fini(&f);
    }
}

/* Whole frames come out of what could be decoded, and every cut is told. */
static void cut_compressed_at_every_byte(void **state)
{
    (void)state;
    for (int ng = 0; ng < 2; ng++) {
        struct file plain = ng ? ng_full() : pcap_small();
        for (enum codec_kind kind = CODEC_GZIP; kind <= CODEC_LZ4; kind++) {
            struct file f = file_pack(&plain, kind);
            unsigned before = 0;
            for (size_t n = 0; n <= f.size; n++) {
                struct seen seen = run_part(&f, n, true);
                assert_true(seen.frames >= before);
                before = seen.frames;
                assert_int_equal(seen.broken, n < f.size);
            }
            assert_int_equal(before, 8);
            file_fini(&f);
        }
        file_fini(&plain);
    }
}

/* No bit makes it crash, hang, or give a frame outside its limits (run_fd checks). */
static void flip_every_bit(void **state)
{
    (void)state;
    for (int ng = 0; ng < 2; ng++) {
        struct file f = ng ? ng_full() : pcap_small();
        for (size_t bit = 0; bit < f.size * 8; bit++) {
            f.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            (void)run_part(&f, f.size, false);
            f.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        file_fini(&f);
    }
}

static void first_time(void **state)
{
    (void)state;
    struct file f = pcap_small();
    for (enum codec_kind kind = CODEC_PLAIN; kind <= CODEC_LZ4; kind++) {
        struct file p = file_pack(&f, kind);
        int fd = file_open(&p);
        int64_t ns = 0;
        assert_int_equal(source_first_time(fd, &ns), 0);
        assert_int_equal(ns, INT64_C(1700000000000000000));
        assert_int_equal(run_fd(fd, true).frames, 8); /* it stands at its start again */
        close(fd);
        file_fini(&p);
    }
    int fd = file_open_part(&f, 30);
    int64_t ns = 7;
    assert_int_equal(source_first_time(fd, &ns), -1);
    assert_int_equal(ns, 7);
    close(fd);
    file_fini(&f);
}

/* Files of real tools (tcpdump, editcap, mergecap), frame by frame as libpcap reads them. */
static void agree(const char *path)
{
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *p = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, error);
    int fd = open(path, O_RDONLY);
    if (!p)
        fail_msg("%s: %s", path, error);
    struct source *s = source_open(fd, NULL, NULL);
    struct pcap_pkthdr *h;
    const u_char *bytes;
    struct frame_item item;
    unsigned frames = 0;
    for (;; frames++) {
        enum frame_event event;
        do
            event = source_next(s, &item);
        while (event == FRAME_INTERFACE);
        int r = pcap_next_ex(p, &h, &bytes);
        if (event != FRAME_GIVEN || r != 1) {
            assert_int_equal(event, FRAME_END);
            assert_int_equal(r, PCAP_ERROR_BREAK);
            break;
        }
        assert_int_equal(item.frame.time_ns, h->ts.tv_sec * INT64_C(1000000000) + h->ts.tv_usec);
        assert_int_equal(item.frame.caplen, h->caplen);
        assert_int_equal(item.frame.len, h->len);
        assert_memory_equal(item.frame.bytes, bytes, h->caplen);
    }
    assert_true(frames > 0);
    source_free(s);
    close(fd);
    pcap_close(p);
}

static void agrees_with_libpcap(void **state)
{
    (void)state;
    glob_t g;
    size_t seeds = 0;
    assert_int_equal(glob("tests/fuzz/corpus/capture/*.pcap*", 0, NULL, &g), 0);
    (void)glob("tests/scenarios/*.pcap", GLOB_APPEND, NULL, &g);
    for (size_t i = 0; i < g.gl_pathc; i++) {
        if (strstr(g.gl_pathv[i], "merged")) /* its interfaces differ: libpcap refuses it */
            continue;
        agree(g.gl_pathv[i]);
        seeds++;
    }
    assert_true(seeds >= 4);
    globfree(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pcap_kinds),
        cmocka_unit_test(pcap_kept_as_found),
        cmocka_unit_test(pcap_impossible),
        cmocka_unit_test(ng_resolutions),
        cmocka_unit_test(ng_every_block),
        cmocka_unit_test(ng_simple_cut_at_snaplen),
        cmocka_unit_test(ng_interface_texts),
        cmocka_unit_test(ng_skips_damaged_blocks),
        cmocka_unit_test(ng_breaks_where_lengths_disagree),
        cmocka_unit_test(ng_large_blocks),
        cmocka_unit_test(ng_many_damages),
        cmocka_unit_test(unreadable),
        cmocka_unit_test(cut_plain_at_every_byte),
        cmocka_unit_test(cut_compressed_at_every_byte),
        cmocka_unit_test(flip_every_bit),
        cmocka_unit_test(first_time),
        cmocka_unit_test(agrees_with_libpcap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
