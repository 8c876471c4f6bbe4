/*
 * capture_files: what the tests of capture/ make their files with: bytes in either order, pcap and
 * pcapng records, the four compressions, a descriptor to read them from.
 *
 * Contained in: tests. Everything dies at once when memory or a library fails: it is a test.
 */
#ifndef TESTS_UNIT_CAPTURE_FILES_H
#define TESTS_UNIT_CAPTURE_FILES_H

#include "capture/codec.h"

#include <lz4frame.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

struct file {
    uint8_t *bytes;
    size_t size, room;
    bool big; /* integers are written big-endian */
};

static inline void must(bool ok)
{
    if (!ok)
        abort();
}

static inline void file_fini(struct file *f)
{
    free(f->bytes);
    *f = (struct file){0};
}

static inline void file_bytes(struct file *f, const void *bytes, size_t n)
{
    if (f->size + n >= f->room) {
        f->room = 2 * (f->size + n) + 64;
        f->bytes = realloc(f->bytes, f->room);
        must(f->bytes != NULL);
    }
    if (n)
        memcpy(f->bytes + f->size, bytes, n);
    f->size += n;
}

static inline void file_int(struct file *f, uint64_t value, size_t width)
{
    uint8_t b[8];
    for (size_t i = 0; i < width; i++)
        b[f->big ? width - 1 - i : i] = (uint8_t)(value >> (8 * i));
    file_bytes(f, b, width);
}

#define file_u8(f, v)  file_int((f), (v), 1)
#define file_u16(f, v) file_int((f), (v), 2)
#define file_u32(f, v) file_int((f), (v), 4)
#define file_u64(f, v) file_int((f), (v), 8)

static inline void file_set_u32(struct file *f, size_t at, uint32_t value)
{
    struct file one = {.big = f->big};
    file_u32(&one, value);
    memcpy(f->bytes + at, one.bytes, 4);
    file_fini(&one);
}

/* Frame number i of a test file: i % 251 bytes or so, each depending on its place. */
static inline size_t frame_size(unsigned i)
{
    return (i * 37 + 5) % 97;
}

static inline uint8_t frame_byte(unsigned i, size_t at)
{
    return (uint8_t)(i * 31 + at * 7);
}

static inline void file_frame(struct file *f, unsigned i)
{
    for (size_t at = 0; at < frame_size(i); at++)
        file_u8(f, frame_byte(i, at));
}

/* ---- pcap -------------------------------------------------------------------------------------
 */

static inline void pcap_header(struct file *f, uint32_t magic, uint16_t minor, uint32_t snaplen,
                               uint32_t link)
{
    file_u32(f, magic);
    file_u16(f, 2);
    file_u16(f, minor);
    file_u64(f, 0);
    file_u32(f, snaplen);
    file_u32(f, link);
}

static inline void pcap_record(struct file *f, uint32_t seconds, uint32_t part, unsigned i)
{
    file_u32(f, seconds);
    file_u32(f, part);
    file_u32(f, (uint32_t)frame_size(i));
    file_u32(f, (uint32_t)frame_size(i) + 3);
    file_frame(f, i);
}

/* ---- pcapng -----------------------------------------------------------------------------------
 */

static inline size_t ng_begin(struct file *f, uint32_t type)
{
    size_t at = f->size;
    file_u32(f, type);
    file_u32(f, 0);
    return at;
}

static inline void ng_end(struct file *f, size_t at)
{
    while ((f->size - at) % 4)
        file_u8(f, 0);
    uint32_t total = (uint32_t)(f->size - at + 4);
    file_u32(f, total);
    file_set_u32(f, at + 4, total);
}

static inline void ng_option(struct file *f, uint16_t code, const void *value, size_t n)
{
    file_u16(f, code);
    file_u16(f, n);
    file_bytes(f, value, n);
    while (n++ % 4)
        file_u8(f, 0);
}

static inline void ng_option_int(struct file *f, uint16_t code, uint64_t value, size_t width)
{
    file_u16(f, code);
    file_u16(f, width);
    file_int(f, value, width);
    while (width++ % 4)
        file_u8(f, 0);
}

static inline void ng_section(struct file *f, const char *comment)
{
    size_t at = ng_begin(f, 0x0a0d0d0a);
    file_u32(f, 0x1a2b3c4d);
    file_u16(f, 1);
    file_u16(f, 0);
    file_u64(f, UINT64_MAX);
    if (comment)
        ng_option(f, 1, comment, strlen(comment));
    ng_end(f, at);
}

/* tsresol < 0: no such option, hence microseconds. */
static inline void ng_interface(struct file *f, uint16_t link, uint32_t snaplen, int tsresol,
                                int64_t tsoffset)
{
    size_t at = ng_begin(f, 1);
    file_u16(f, link);
    file_u16(f, 0);
    file_u32(f, snaplen);
    if (tsresol >= 0)
        ng_option_int(f, 9, (uint64_t)tsresol, 1);
    if (tsoffset)
        ng_option_int(f, 14, (uint64_t)tsoffset, 8);
    ng_end(f, at);
}

static inline void ng_packet(struct file *f, uint32_t interface, uint64_t units, unsigned i)
{
    size_t at = ng_begin(f, 6);
    file_u32(f, interface);
    file_u32(f, units >> 32);
    file_u32(f, units & UINT32_MAX);
    file_u32(f, (uint32_t)frame_size(i));
    file_u32(f, (uint32_t)frame_size(i) + 3);
    file_frame(f, i);
    ng_end(f, at);
}

/* ---- compression ------------------------------------------------------------------------------
 */

static inline size_t pack_gzip(const struct file *f, uint8_t *to, size_t room)
{
    z_stream z = {0};
    must(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    z.next_in = f->bytes;
    z.avail_in = (uInt)f->size;
    z.next_out = to;
    z.avail_out = (uInt)room;
    must(deflate(&z, Z_FINISH) == Z_STREAM_END);
    size_t n = room - z.avail_out;
    deflateEnd(&z);
    return n;
}

static inline size_t pack_lz4(const struct file *f, uint8_t *to, size_t room)
{
    LZ4F_preferences_t p = {.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled,
                            .frameInfo.blockSizeID = LZ4F_max64KB};
    return LZ4F_compressFrame(to, room, f->bytes, f->size, &p);
}

static inline size_t pack_zstd(const struct file *f, uint8_t *to, size_t room)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();
    must(c != NULL);
    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    size_t n = ZSTD_compress2(c, to, room, f->bytes, f->size);
    must(!ZSTD_isError(n));
    ZSTD_freeCCtx(c);
    return n;
}

static inline size_t pack_xz(const struct file *f, uint8_t *to, size_t room)
{
    size_t n = 0;
    must(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, f->bytes, f->size, to, &n, room) ==
         LZMA_OK);
    return n;
}

/* A new file: f compressed as one member. */
static inline struct file file_pack(const struct file *f, enum codec_kind kind)
{
    struct file out = {0};
    size_t room = f->size + f->size / 8 + 4096;
    if (kind == CODEC_PLAIN) {
        file_bytes(&out, f->bytes, f->size);
        return out;
    }
    out.bytes = malloc(room);
    must(out.bytes != NULL);
    out.room = room;
    out.size = kind == CODEC_GZIP   ? pack_gzip(f, out.bytes, room)
               : kind == CODEC_XZ   ? pack_xz(f, out.bytes, room)
               : kind == CODEC_ZSTD ? pack_zstd(f, out.bytes, room)
                                    : pack_lz4(f, out.bytes, room);
    return out;
}

/* A descriptor at the first byte of the first n bytes of the file; the caller closes it. */
static inline int file_open_part(const struct file *f, size_t n)
{
    int fd = memfd_create("test", MFD_CLOEXEC);
    must(fd >= 0);
    must(n == 0 || write(fd, f->bytes, n) == (ssize_t)n);
    must(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static inline int file_open(const struct file *f)
{
    return file_open_part(f, f->size);
}

#endif
