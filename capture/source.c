/*
 * source: recognises the format and hands on to its reader.
 *
 * Contained in: capture, tests. Must never: open anything, or end the process on what it reads.
 */
#include "capture/source.h"

#include "capture/pcapfile.h"
#include "capture/pcapng.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum format { FORMAT_UNKNOWN, FORMAT_PCAP, FORMAT_PCAPNG, FORMAT_OVER };

struct source {
    enum format format;
    struct stream stream;
    struct frame_tally tally;
    struct pcapfile pcap;
    struct pcapng ng;
    unsigned damages;
    uint64_t damages_untold;
    bool recognised; /* begins as a capture does */
};

struct source *source_open(int fd, stream_may_read *may_read, void *context)
{
    struct source *s = calloc(1, sizeof *s);
    if (s && stream_open(&s->stream, fd, may_read, context) < 0) {
        free(s);
        s = NULL;
    }
    return s;
}

void source_free(struct source *s)
{
    if (!s)
        return;
    pcapng_fini(&s->ng);
    stream_close(&s->stream);
    free(s);
}

/* Formats that people take for pcap, by their first bytes: what was found instead. */
static const char *foreign(const uint8_t *b, size_t size)
{
    static const struct {
        const char *name;
        size_t size;
        const char *magic;
    } table[] = {
        {"a snoop capture (RFC 1761)", 8, "snoop\0\0\0"},
        {"a bzip2 file", 3, "BZh"},
        {"gzip data inside", 2, "\x1f\x8b"},
        {"zstd data inside", 4, "\x28\xb5\x2f\xfd"},
        {"xz data inside", 6, "\xfd\x37\x7a\x58\x5a\x00"},
        {"a zip archive", 4, "PK\3\4"},
        {"an ELF program", 4, "\177ELF"},
        {NULL, 0, NULL},
    };
    size_t i = 0;
    while (table[i].name && (size < table[i].size || memcmp(b, table[i].magic, table[i].size) != 0))
        i++;
    return table[i].name;
}

static enum frame_event recognise(struct source *s, struct frame_item *ret_item)
{
    struct stream *in = &s->stream;
    (void)stream_want(in, 8);
    size_t n = stream_left(in);
    if (n >= 4 && pcapfile_magic(in->at)) {
        s->format = FORMAT_PCAP;
        s->recognised = true;
        return FRAME_GIVEN;
    }
    if (n >= 4 && pcapng_magic(in->at)) {
        s->format = FORMAT_PCAPNG;
        s->recognised = true;
        return FRAME_GIVEN;
    }
    if (stream_stopped(in))
        return FRAME_END;
    if (stream_fault(in))
        return frame_damaged(ret_item, FRAME_BROKEN, n, "%s", stream_fault(in));
    if (!n)
        return frame_damaged(ret_item, FRAME_BROKEN, 0, "unreadable: the file is empty");
    if (foreign(in->at, n))
        return frame_damaged(ret_item, FRAME_BROKEN, 0, "unreadable: neither pcap nor pcapng, %s",
                             foreign(in->at, n));
    char hex[17] = "";
    for (size_t i = 0; i < n && i < 8; i++)
        snprintf(hex + 2 * i, 3, "%02x", in->at[i]);
    return frame_damaged(ret_item, FRAME_BROKEN, 0,
                         "unreadable: neither pcap nor pcapng, it begins with %s", hex);
}

static enum frame_event step(struct source *s, struct frame_item *ret_item)
{
    if (__builtin_expect(s->format == FORMAT_PCAP, 1))
        return pcapfile_next(&s->pcap, &s->stream, &s->tally, ret_item);
    if (s->format == FORMAT_PCAPNG)
        return pcapng_next(&s->ng, &s->stream, &s->tally, ret_item);
    if (s->format == FORMAT_OVER)
        return FRAME_END;
    enum frame_event event = recognise(s, ret_item);
    return event == FRAME_GIVEN ? step(s, ret_item) : event;
}

/* The operator has the stored file, not the decompressed one: say where in it. */
static void locate(const struct source *s, struct frame_damage *d)
{
    if (s->stream.kind == CODEC_PLAIN)
        return;
    size_t used = strlen(d->text);
    snprintf(d->text + used, sizeof d->text - used,
             " (%s data, read up to stored byte %" PRIu64 ")", codec_name(s->stream.kind),
             stream_stored(&s->stream));
}

static enum frame_event finish(struct source *s, enum frame_event event,
                               struct frame_item *ret_item)
{
    s->format = FORMAT_OVER;
    if (event == FRAME_END && s->damages_untold) {
        uint64_t untold = s->damages_untold;
        s->damages_untold = 0;
        return frame_damaged(ret_item, FRAME_BROKEN, stream_offset(&s->stream),
                             "%" PRIu64 " more damaged blocks were skipped", untold);
    }
    return event;
}

enum frame_event source_next(struct source *s, struct frame_item *ret_item)
{
    for (;;) {
        enum frame_event event = step(s, ret_item);
        if (__builtin_expect(event == FRAME_GIVEN || event == FRAME_INTERFACE, 1))
            return event;
        if (event == FRAME_DAMAGE && s->damages >= SOURCE_DAMAGES_MAX) {
            s->damages_untold++;
            continue;
        }
        if (event != FRAME_END)
            locate(s, &ret_item->damage);
        if (event == FRAME_DAMAGE)
            s->damages++;
        return event == FRAME_DAMAGE ? event : finish(s, event, ret_item);
    }
}

const struct frame_tally *source_tally(const struct source *s)
{
    return &s->tally;
}

uint64_t source_stored(const struct source *s)
{
    return stream_stored(&s->stream);
}

bool source_recognised(const struct source *s)
{
    return s->recognised;
}

int source_first_time(int fd, int64_t *ret_time_ns)
{
    struct source *s = source_open(fd, NULL, NULL);
    struct frame_item item;
    int result = -1;
    if (!s)
        return -1;
    enum frame_event event;
    do {
        event = source_next(s, &item);
    } while (event == FRAME_INTERFACE || event == FRAME_DAMAGE);
    if (event == FRAME_GIVEN) {
        *ret_time_ns = item.frame.time_ns;
        result = 0;
    }
    source_free(s);
    return lseek(fd, 0, SEEK_SET) == 0 ? result : -1;
}
