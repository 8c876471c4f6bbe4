/*
 * stream: the bytes of one source, plain or compressed, through a window.
 *
 * Contained in: capture, tests. Must never: seek, write, or hold more than its two buffers, however
 * far the stored bytes expand. A plain file is read, not mapped: a mapped file that shrinks kills
 * the process with SIGBUS.
 *
 * The reader looks at [at, end) in place; stream_want() makes sure that so many bytes lie there,
 * and is the only call that moves them.
 */
#ifndef CAPTURE_STREAM_H
#define CAPTURE_STREAM_H

#include "capture/codec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Largest piece that can be looked at in one: a frame of RING_FRAME_MAX with room for options. */
#define STREAM_PIECE_MAX ((size_t)1 << 20)

/* Called before each read that may block; false: stop here, as if the input ended (no damage). */
typedef bool stream_may_read(void *context, int fd);

struct stream {
    const uint8_t *at;  /* next byte */
    const uint8_t *end; /* end of what is in the window */
    /* private from here */
    uint8_t *window;    /* STREAM_PIECE_MAX for what is kept, then the part that is filled */
    uint64_t delivered; /* bytes ever put into the window */
    uint64_t stored;    /* bytes ever read from the descriptor */
    uint8_t *packed;    /* compressed bytes, NULL for a plain source */
    size_t packed_at, packed_end;
    struct codec *codec;
    enum codec_kind kind;
    int fd;
    bool begun, at_end, stopped, over;
    char fault[96]; /* "" none */
    stream_may_read *may_read;
    void *context;
};

/* Takes no ownership of fd, which stands at its first byte. `may_read` may be NULL. 0, or -1 with
 * errno. The codec is recognised at the first stream_want. */
int stream_open(struct stream *ret_stream, int fd, stream_may_read *, void *context);
void stream_close(struct stream *);

/* Slow path of stream_want. */
bool stream_fill(struct stream *, size_t n);

/* True when n bytes (<= STREAM_PIECE_MAX) lie at `at`; false when the source ends before, by its
 * end, by damage (stream_fault) or by a stop. Pointers into the window are void after it. */
static inline bool stream_want(struct stream *s, size_t n)
{
    return (size_t)(s->end - s->at) >= n || stream_fill(s, n);
}

static inline size_t stream_left(const struct stream *s)
{
    return (size_t)(s->end - s->at);
}

/* Passes over n bytes of any number; false when the source ends before. */
bool stream_skip(struct stream *, uint64_t n);

/* Position of `at` in the decompressed stream, bytes. */
static inline uint64_t stream_offset(const struct stream *s)
{
    return s->delivered - stream_left(s);
}

/* Stored bytes that were used up to now (for a plain source: read from the descriptor). */
uint64_t stream_stored(const struct stream *);
/* NULL, or what is wrong with the stored bytes: read error, damaged compression. */
const char *stream_fault(const struct stream *);
/* True when the end was asked for by may_read. */
bool stream_stopped(const struct stream *);

#endif
