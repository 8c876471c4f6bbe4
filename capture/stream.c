/*
 * stream: fills the window from the descriptor, through a codec if the magic says so.
 *
 * Contained in: capture, tests. Must never: seek or write.
 *
 * The window is two parts: STREAM_PIECE_MAX bytes of slack, then the part that is filled. What is
 * left over (a cut record, rarely more than a few hundred bytes) moves to the end of the slack, so
 * that each read lands at the same aligned place and stays in the processor's cache until the frame
 * is copied to the ring.
 */
#include "capture/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILL_BYTES   ((size_t)1 << 20)
#define PACKED_BYTES ((size_t)256 << 10)

int stream_open(struct stream *s, int fd, stream_may_read *may_read, void *context)
{
    *s = (struct stream){.fd = fd, .may_read = may_read, .context = context};
    s->window = aligned_alloc(4096, STREAM_PIECE_MAX + FILL_BYTES);
    if (!s->window)
        return -1;
    s->at = s->end = s->window + STREAM_PIECE_MAX;
    return 0;
}

void stream_close(struct stream *s)
{
    codec_free(s->codec);
    free(s->packed);
    free(s->window);
    *s = (struct stream){.fd = -1};
}

static void fail(struct stream *s, const char *what, const char *why)
{
    snprintf(s->fault, sizeof s->fault, "%s: %s", what, why);
}

/* Bytes read, 0 at the end, at a stop and after a failure. */
static size_t read_stored(struct stream *s, uint8_t *to, size_t room)
{
    if (s->at_end)
        return 0;
    for (;;) {
        if (s->may_read && !s->may_read(s->context, s->fd)) {
            s->at_end = s->stopped = true;
            return 0;
        }
        ssize_t n = read(s->fd, to, room);
        if (n > 0) {
            s->stored += (size_t)n;
            return (size_t)n;
        }
        if (n < 0 && (errno == EINTR || (errno == EAGAIN && s->may_read)))
            continue;
        if (n < 0)
            fail(s, "read", strerror(errno));
        s->at_end = true;
        return 0;
    }
}

/* Bytes put at `to`; 0 when the stream is over. */
static size_t unpack(struct stream *s, uint8_t *to, size_t room)
{
    while (!s->over) {
        if (s->packed_at == s->packed_end) {
            s->packed_at = 0;
            s->packed_end = read_stored(s, s->packed, PACKED_BYTES);
            if (s->stopped || s->fault[0])
                return 0;
        }
        size_t taken, given;
        size_t left = s->packed_end - s->packed_at;
        if (codec_step(s->codec, s->packed + s->packed_at, left, s->at_end, to, room, &taken,
                       &given) < 0) {
            fail(s, codec_name(s->kind), codec_fault(s->codec));
            s->over = true;
        }
        s->packed_at += taken;
        if (given)
            return given;
        if (s->at_end && !taken)
            s->over = true;
    }
    return 0;
}

/* The first bytes decide what the source is. */
static bool begin(struct stream *s)
{
    uint8_t *to = s->window + STREAM_PIECE_MAX;
    size_t have = 0, n;
    s->begun = true;
    do {
        n = read_stored(s, to + have, PACKED_BYTES - have);
        have += n;
    } while (n && have < CODEC_MAGIC_BYTES);
    s->kind = codec_recognise(to, have);
    if (s->kind == CODEC_PLAIN) {
        s->at = to;
        s->end = to + have;
        s->delivered = have;
        return true;
    }
    s->packed = malloc(PACKED_BYTES);
    s->codec = s->packed ? codec_new(s->kind) : NULL;
    if (!s->codec) {
        fail(s, codec_name(s->kind), strerror(errno));
        s->over = s->at_end = true;
        return false;
    }
    memcpy(s->packed, to, have);
    s->packed_end = have;
    return true;
}

bool stream_fill(struct stream *s, size_t n)
{
    if (!s->begun && !begin(s))
        return false;
    while (stream_left(s) < n) {
        size_t left = stream_left(s);
        uint8_t *fill = s->window + STREAM_PIECE_MAX;
        if (left >= STREAM_PIECE_MAX)
            return false; /* n above the limit of the interface */
        if (s->at != fill - left)
            memmove(fill - left, s->at, left);
        s->at = fill - left;
        s->end = fill;
        size_t got = s->codec ? unpack(s, fill, FILL_BYTES) : read_stored(s, fill, FILL_BYTES);
        s->end = fill + got;
        s->delivered += got;
        if (!got)
            return false;
    }
    return true;
}

bool stream_skip(struct stream *s, uint64_t n)
{
    for (;;) {
        size_t left = stream_left(s);
        if (n <= left) {
            s->at += n;
            return true;
        }
        n -= left;
        s->at = s->end;
        if (!stream_want(s, 1))
            return false;
    }
}

uint64_t stream_stored(const struct stream *s)
{
    return s->stored - (s->packed_end - s->packed_at);
}

const char *stream_fault(const struct stream *s)
{
    return s->fault[0] ? s->fault : NULL;
}

bool stream_stopped(const struct stream *s)
{
    return s->stopped;
}
