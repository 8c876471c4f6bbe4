/*
 * test_stream: bytes through every compression, whole, cut at every byte, damaged, in members.
 */
#include "capture/stream.h"

#include "tests/unit/capture_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const enum codec_kind packed[] = {CODEC_GZIP, CODEC_XZ, CODEC_ZSTD, CODEC_LZ4};
#define PACKED (sizeof packed / sizeof *packed)

/* Text that compresses a little, so that every codec has several symbols at work. */
static struct file some_text(size_t n)
{
    struct file f = {0};
    uint32_t x = 12345;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        file_u8(&f, i % 7 ? 97 + i % 7 : x >> 24);
    }
    return f;
}

/* Reads everything in pieces; the number of bytes, which must be the beginning of `want`. */
static size_t drain(struct stream *s, const struct file *want, size_t piece)
{
    size_t got = 0;
    for (;;) {
        if (!stream_want(s, piece))
            piece = stream_left(s);
        if (!piece)
            return got;
        assert_true(got + piece <= want->size);
        assert_memory_equal(s->at, want->bytes + got, piece);
        assert_int_equal(stream_offset(s), got);
        s->at += piece;
        got += piece;
    }
}

static void every_codec(void **state)
{
    static const size_t sizes[] = {0, 1, 100, 65536, (3u << 20) + 17};
    (void)state;
    for (size_t n = 0; n < sizeof sizes / sizeof *sizes; n++) {
        struct file plain = some_text(sizes[n]);
        for (enum codec_kind kind = CODEC_PLAIN; kind <= CODEC_LZ4; kind++) {
            struct file f = file_pack(&plain, kind);
            int fd = file_open(&f);
            struct stream s;
            assert_int_equal(stream_open(&s, fd, NULL, NULL), 0);
            assert_int_equal(drain(&s, &plain, 1000), plain.size);
            assert_null(stream_fault(&s));
            assert_int_equal(stream_stored(&s), f.size);
            stream_close(&s);
            close(fd);
            file_fini(&f);
        }
        file_fini(&plain);
    }
}

static void members_follow_one_another(void **state)
{
    (void)state;
    struct file plain = some_text(5000), twice = {0};
    file_bytes(&twice, plain.bytes, plain.size);
    file_bytes(&twice, plain.bytes, plain.size);
    for (size_t k = 0; k < PACKED; k++) {
        struct file one = file_pack(&plain, packed[k]), f = {0};
        file_bytes(&f, one.bytes, one.size);
        file_bytes(&f, one.bytes, one.size);
        int fd = file_open(&f);
        struct stream s;
        stream_open(&s, fd, NULL, NULL);
        assert_int_equal(drain(&s, &twice, 77), twice.size);
        assert_null(stream_fault(&s));
        stream_close(&s);
        close(fd);
        file_fini(&one);
        file_fini(&f);
    }
    file_fini(&plain);
    file_fini(&twice);
}

/* Whatever is cut off: a fault is told, and what could be decoded is never wrong. */
static void cut_at_every_byte(void **state)
{
    (void)state;
    struct file plain = some_text(700);
    for (size_t k = 0; k < PACKED; k++) {
        struct file f = file_pack(&plain, packed[k]);
        for (size_t n = CODEC_MAGIC_BYTES; n < f.size; n++) {
            int fd = file_open_part(&f, n);
            struct stream s;
            stream_open(&s, fd, NULL, NULL);
            drain(&s, &plain, 1);
            assert_non_null(stream_fault(&s));
            stream_close(&s);
            close(fd);
        }
        file_fini(&f);
    }
    file_fini(&plain);
}

/* Every flipped bit of a checksummed file is noticed (or decodes to the same bytes). */
static void flip_every_bit(void **state)
{
    (void)state;
    struct file plain = some_text(120);
    for (size_t k = 0; k < PACKED; k++) {
        struct file f = file_pack(&plain, packed[k]);
        for (size_t bit = CODEC_MAGIC_BYTES * 8; bit < f.size * 8; bit++) {
            f.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            int fd = file_open(&f);
            struct stream s;
            stream_open(&s, fd, NULL, NULL);
            while (stream_want(&s, 1))
                s.at = s.end;
            bool same = stream_offset(&s) == plain.size;
            assert_true(stream_fault(&s) || same);
            stream_close(&s);
            close(fd);
            f.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        file_fini(&f);
    }
    file_fini(&plain);
}

/* Damage in the middle costs at most the block that it is in: all that came before is given. */
static void damage_keeps_what_came_before(void **state)
{
    static const size_t block[] = {
        [CODEC_GZIP] = 65536, [CODEC_XZ] = 65536, [CODEC_ZSTD] = 131072, [CODEC_LZ4] = 65536};
    (void)state;
    struct file plain = some_text(2u << 20);
    for (size_t k = 0; k < PACKED; k++) {
        struct file f = file_pack(&plain, packed[k]);
        size_t half = f.size / 2;
        memset(f.bytes + half, 0xff, f.size - half);
        int fd = file_open(&f);
        struct stream s;
        stream_open(&s, fd, NULL, NULL);
        size_t got = 0;
        while (stream_want(&s, 1) && s.at[0] == plain.bytes[got]) {
            s.at++;
            if (++got == plain.size)
                break;
        }
        while (stream_want(&s, 1))
            s.at = s.end;
        assert_non_null(stream_fault(&s));
        assert_true(got + block[packed[k]] >= plain.size / 2 - plain.size / 16);
        stream_close(&s);
        close(fd);
        file_fini(&f);
    }
    file_fini(&plain);
}

static void bytes_after_the_end(void **state)
{
    (void)state;
    struct file plain = some_text(700);
    for (size_t k = 0; k < PACKED; k++) {
        for (int zeros = 0; zeros < 2; zeros++) {
            struct file f = file_pack(&plain, packed[k]);
            for (int i = 0; i < 512; i++)
                file_u8(&f, zeros ? 0 : 'x');
            int fd = file_open(&f);
            struct stream s;
            stream_open(&s, fd, NULL, NULL);
            assert_int_equal(drain(&s, &plain, 100), plain.size);
            bool lawful = zeros && (packed[k] == CODEC_GZIP || packed[k] == CODEC_XZ);
            assert_int_equal(stream_fault(&s) == NULL, lawful);
            stream_close(&s);
            close(fd);
            file_fini(&f);
        }
    }
    file_fini(&plain);
}

/* A quarter of a gigabyte of zeros goes through the same window as everything else. */
static void bomb(void **state)
{
    (void)state;
    struct file zeros = {.bytes = calloc(1, 32u << 20), .size = 32u << 20};
    for (size_t k = 0; k < PACKED; k++) {
        struct file one = file_pack(&zeros, packed[k]), f = {0};
        for (int i = 0; i < 8; i++)
            file_bytes(&f, one.bytes, one.size);
        int fd = file_open(&f);
        struct stream s;
        stream_open(&s, fd, NULL, NULL);
        assert_true(stream_skip(&s, (uint64_t)zeros.size * 8));
        assert_false(stream_want(&s, 1));
        assert_null(stream_fault(&s));
        stream_close(&s);
        close(fd);
        file_fini(&one);
        file_fini(&f);
    }
    file_fini(&zeros);
}

/* xz and zstd streams name the memory they want; ours says no above its limit. */
static void memory_limit(void **state)
{
    (void)state;
    struct file plain = some_text(1000), f = {.bytes = malloc(4096), .room = 4096};
    lzma_options_lzma o;
    assert_false(lzma_lzma_preset(&o, 0));
    o.dict_size = 1u << 30;
    lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &o}, {LZMA_VLI_UNKNOWN, NULL}};
    lzma_ret r = lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, plain.bytes, plain.size,
                                           f.bytes, &f.size, 4096);
    assert_int_equal(r, LZMA_OK);
    int fd = file_open(&f);
    struct stream s;
    stream_open(&s, fd, NULL, NULL);
    assert_false(stream_want(&s, 1));
    assert_non_null(strstr(stream_fault(&s), "memory"));
    stream_close(&s);
    close(fd);
    file_fini(&f);
    file_fini(&plain);
}

static bool only_once(void *context, int fd)
{
    (void)fd;
    return (*(int *)context)++ < 1;
}

static void stops_when_told(void **state)
{
    (void)state;
    struct file plain = some_text(3u << 20);
    int fd = file_open(&plain), reads = 0;
    struct stream s;
    stream_open(&s, fd, only_once, &reads);
    while (stream_want(&s, 1))
        s.at = s.end;
    assert_true(stream_stopped(&s));
    assert_null(stream_fault(&s));
    assert_true(stream_offset(&s) < plain.size);
    stream_close(&s);
    close(fd);
    file_fini(&plain);
}

/* A pipe gives a few bytes at a time; the magic may come in pieces. */
static void pipe_in_pieces(void **state)
{
    (void)state;
    struct file plain = some_text(3000);
    for (enum codec_kind kind = CODEC_PLAIN; kind <= CODEC_LZ4; kind++) {
        struct file f = file_pack(&plain, kind);
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            for (size_t i = 0; i < f.size; i++)
                must(write(ends[1], f.bytes + i, 1) == 1);
            _exit(0);
        }
        close(ends[1]);
        struct stream s;
        stream_open(&s, ends[0], NULL, NULL);
        assert_int_equal(drain(&s, &plain, 50), plain.size);
        assert_null(stream_fault(&s));
        stream_close(&s);
        close(ends[0]);
        file_fini(&f);
    }
    file_fini(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_codec),
        cmocka_unit_test(members_follow_one_another),
        cmocka_unit_test(cut_at_every_byte),
        cmocka_unit_test(flip_every_bit),
        cmocka_unit_test(damage_keeps_what_came_before),
        cmocka_unit_test(bytes_after_the_end),
        cmocka_unit_test(bomb),
        cmocka_unit_test(memory_limit),
        cmocka_unit_test(stops_when_told),
        cmocka_unit_test(pipe_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
