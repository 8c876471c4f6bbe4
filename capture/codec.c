/*
 * codec: gzip, xz, zstd and lz4 behind one step function.
 *
 * Contained in: capture, tests. Must never: touch a descriptor.
 *
 * Each library has its own idea of "frame over, more may follow". Here `between` is that state: the
 * input may lawfully end only there, and everything after it must be another member (gzip also
 * allows zero padding, as tapes leave it; xz has its own rule and its library checks it).
 *
 * zstd and lz4 forget what they wrote in a call that ends in an error. They get no more input than
 * they ask for (`hint`: one block), so that damage costs the block it is in and nothing before it.
 */
#include "capture/codec.h"

#include <errno.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

/* Smallest frame header of zstd and lz4: what is asked for between frames. */
#define HINT_FRAME ((size_t)5)

struct codec {
    enum codec_kind kind;
    bool between; /* the last member is complete */
    size_t hint;  /* zstd, lz4: input wanted by the next step */
    const char *fault;
    union {
        z_stream gzip;
        lzma_stream xz;
        ZSTD_DStream *zstd;
        LZ4F_dctx *lz4;
    };
};

enum codec_kind codec_recognise(const uint8_t *b, size_t size)
{
    if (size >= 2 && b[0] == 0x1f && b[1] == 0x8b)
        return CODEC_GZIP;
    if (size >= 6 && !memcmp(b, "\xfd\x37\x7a\x58\x5a\x00", 6))
        return CODEC_XZ;
    if (size < 4 || b[3] > 0xfd)
        return CODEC_PLAIN;
    if (!memcmp(b, "\x28\xb5\x2f\xfd", 4))
        return CODEC_ZSTD;
    if (!memcmp(b, "\x04\x22\x4d\x18", 4))
        return CODEC_LZ4;
    /* A skippable frame comes first in what pzstd writes; lz4 has the same magic but no such tool.
     */
    if ((b[0] & 0xf0) == 0x50 && !memcmp(b + 1, "\x2a\x4d\x18", 3))
        return CODEC_ZSTD;
    return CODEC_PLAIN;
}

const char *codec_name(enum codec_kind kind)
{
    static const char *const names[] = {"plain", "gzip", "xz", "zstd", "lz4"};
    return names[kind];
}

static bool start(struct codec *c)
{
    switch (c->kind) {
    case CODEC_GZIP:
        return inflateInit2(&c->gzip, 15 + 16) == Z_OK; /* 16: gzip header and CRC, nothing else */
    case CODEC_XZ:
        c->xz = (lzma_stream)LZMA_STREAM_INIT;
        return lzma_stream_decoder(&c->xz, CODEC_MEMORY_MAX, LZMA_CONCATENATED) == LZMA_OK;
    case CODEC_ZSTD:
        c->zstd = ZSTD_createDStream();
        return c->zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(c->zstd, ZSTD_d_windowLogMax, 27));
    case CODEC_LZ4:
        return !LZ4F_isError(LZ4F_createDecompressionContext(&c->lz4, LZ4F_VERSION));
    case CODEC_PLAIN:
        break;
    }
    return false;
}

struct codec *codec_new(enum codec_kind kind)
{
    struct codec *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->kind = kind;
    c->hint = HINT_FRAME;
    if (!start(c)) {
        codec_free(c);
        errno = ENOMEM;
        return NULL;
    }
    return c;
}

void codec_free(struct codec *c)
{
    if (!c)
        return;
    switch (c->kind) {
    case CODEC_GZIP:
        (void)inflateEnd(&c->gzip);
        break;
    case CODEC_XZ:
        lzma_end(&c->xz);
        break;
    case CODEC_ZSTD:
        (void)ZSTD_freeDStream(c->zstd);
        break;
    case CODEC_LZ4:
        (void)LZ4F_freeDecompressionContext(c->lz4);
        break;
    case CODEC_PLAIN:
        break;
    }
    free(c);
}

const char *codec_fault(const struct codec *c)
{
    return c->fault ? c->fault : "no fault";
}

static int bad(struct codec *c, const char *fault)
{
    c->fault = fault;
    return -1;
}

static uInt clip(size_t n)
{
    return n > 1u << 30 ? 1u << 30 : (uInt)n;
}

static int step_gzip(struct codec *c, const uint8_t *in, size_t in_size, uint8_t *out,
                     size_t out_size, size_t *ret_consumed, size_t *ret_produced)
{
    size_t padding = 0;
    while (c->between && padding < in_size && in[padding] == 0)
        padding++;
    *ret_consumed = padding;
    if (padding == in_size)
        return 0;
    z_stream *z = &c->gzip;
    if (c->between && inflateReset(z) != Z_OK)
        return bad(c, "gzip: inflateReset");
    c->between = false;
    z->next_in = (z_const Bytef *)(in + padding);
    z->avail_in = clip(in_size - padding);
    z->next_out = out;
    z->avail_out = clip(out_size);
    uInt given = z->avail_in, room = z->avail_out;
    int r = inflate(z, Z_NO_FLUSH);
    *ret_consumed += given - z->avail_in;
    *ret_produced = room - z->avail_out;
    if (r == Z_STREAM_END)
        c->between = true;
    else if (r != Z_OK && r != Z_BUF_ERROR)
        return bad(c, z->msg ? z->msg : "gzip: damaged");
    return 0;
}

static int step_xz(struct codec *c, const uint8_t *in, size_t in_size, bool at_end, uint8_t *out,
                   size_t out_size, size_t *ret_consumed, size_t *ret_produced)
{
    lzma_stream *x = &c->xz;
    if (c->between) /* LZMA_STREAM_END comes only after the end of input */
        return in_size ? bad(c, "xz: bytes follow the end") : 0;
    x->next_in = in;
    x->avail_in = in_size;
    x->next_out = out;
    x->avail_out = out_size;
    lzma_ret r = lzma_code(x, at_end ? LZMA_FINISH : LZMA_RUN);
    *ret_consumed = in_size - x->avail_in;
    *ret_produced = out_size - x->avail_out;
    switch (r) {
    case LZMA_OK:
    case LZMA_BUF_ERROR: /* no progress possible: the caller sees it from the counts */
        return 0;
    case LZMA_STREAM_END:
        c->between = true;
        return 0;
    case LZMA_MEM_ERROR:
    case LZMA_MEMLIMIT_ERROR:
        return bad(c, "xz: needs more memory than is allowed");
    case LZMA_FORMAT_ERROR:
        return bad(c, "xz: what follows is no xz stream");
    case LZMA_OPTIONS_ERROR:
        return bad(c, "xz: unsupported options");
    default:
        return bad(c, "xz: damaged data");
    }
}

static int step_zstd(struct codec *c, const uint8_t *in, size_t in_size, uint8_t *out,
                     size_t out_size, size_t *ret_consumed, size_t *ret_produced)
{
    ZSTD_inBuffer from = {.src = in, .size = in_size < c->hint ? in_size : c->hint};
    ZSTD_outBuffer to = {.dst = out, .size = out_size};
    size_t r = ZSTD_decompressStream(c->zstd, &to, &from);
    *ret_consumed = from.pos;
    *ret_produced = to.pos;
    if (ZSTD_isError(r))
        return bad(c, ZSTD_getErrorName(r));
    c->hint = r ? r : HINT_FRAME;
    if (from.pos || to.pos)
        c->between = r == 0;
    return 0;
}

static int step_lz4(struct codec *c, const uint8_t *in, size_t in_size, uint8_t *out,
                    size_t out_size, size_t *ret_consumed, size_t *ret_produced)
{
    size_t consumed = in_size < c->hint ? in_size : c->hint, produced = out_size;
    size_t r = LZ4F_decompress(c->lz4, out, &produced, in, &consumed, NULL);
    if (LZ4F_isError(r))
        return bad(c, LZ4F_getErrorName(r)); /* the counts are undefined then */
    c->hint = r ? r : HINT_FRAME;
    *ret_consumed = consumed;
    *ret_produced = produced;
    if (consumed || produced)
        c->between = r == 0;
    return 0;
}

static int step(struct codec *c, const uint8_t *in, size_t in_size, bool at_end, uint8_t *out,
                size_t out_size, size_t *ret_consumed, size_t *ret_produced)
{
    switch (c->kind) {
    case CODEC_GZIP:
        return step_gzip(c, in, in_size, out, out_size, ret_consumed, ret_produced);
    case CODEC_XZ:
        return step_xz(c, in, in_size, at_end, out, out_size, ret_consumed, ret_produced);
    case CODEC_ZSTD:
        return step_zstd(c, in, in_size, out, out_size, ret_consumed, ret_produced);
    case CODEC_LZ4:
        return step_lz4(c, in, in_size, out, out_size, ret_consumed, ret_produced);
    case CODEC_PLAIN:
        break;
    }
    return bad(c, "no codec");
}

int codec_step(struct codec *c, const uint8_t *in, size_t in_size, bool at_end, uint8_t *out,
               size_t out_size, size_t *ret_consumed, size_t *ret_produced)
{
    static const uint8_t none[1]; /* zlib and lz4 take no NULL, not even for no bytes */
    *ret_consumed = *ret_produced = 0;
    if (c->fault)
        return -1;
    if (step(c, in ? in : none, in_size, at_end, out, out_size, ret_consumed, ret_produced) < 0)
        return -1;
    if (*ret_consumed || *ret_produced)
        return 0;
    if (in_size && out_size)
        return bad(c, "no progress");
    if (at_end && !in_size && out_size && !c->between)
        return bad(c, "the compressed data ends early");
    return 0;
}
