/*
 * frame: what the readers of files and interfaces give: frames, interfaces, damage.
 *
 * Contained in: capture, tests. Plain data; every pointer is borrowed until the next call of the
 * reader that gave it. All texts were written by strangers: escape them before showing them.
 */
#ifndef CAPTURE_FRAME_H
#define CAPTURE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

/* Packet times outside [0, FRAME_TIME_MAX] are put at the nearer end and counted: year 2255, so
 * that readers may add durations to a time without thinking of overflow. */
#define FRAME_TIME_MAX INT64_C(9000000000000000000)
/* A number written by an earlier run of ours; anything larger is no frame number. */
#define FRAME_NUMBER_MAX ((uint64_t)1 << 48)

struct frame {
    const uint8_t *bytes;
    uint32_t caplen;    /* bytes there are, <= RING_FRAME_MAX */
    uint32_t len;       /* bytes there were on the wire, as the source says */
    int64_t time_ns;    /* since 1970 UTC, within [0, FRAME_TIME_MAX] */
    uint64_t offset;    /* of its record in the decompressed source */
    uint64_t number;    /* epb_packetid of a file that dnsbailiff wrote, else 0 */
    uint32_t interface; /* index within the source, over all its sections */
    uint32_t flags;     /* epb_flags, 0 unknown */
    uint16_t linktype;  /* LINKTYPE_ */
};

struct frame_interface {
    uint32_t index;                               /* within the source, over all its sections */
    uint32_t snaplen;                             /* 0 unlimited */
    uint32_t tsresol;                             /* units a second; UINT32_MAX when more */
    uint16_t linktype;                            /* LINKTYPE_ */
    bool is_first;                                /* of its file, or of a section of it */
    uint64_t speed;                               /* bits a second, 0 unknown */
    char name[64], description[128], filter[512]; /* NUL-terminated, cut to fit */
};

struct frame_damage {
    uint64_t offset; /* in the decompressed source */
    char text[200];  /* NUL-terminated, printable ASCII */
};

/* What the reader gives next; only the member that the event names is valid. */
enum frame_event {
    FRAME_END,       /* nothing; also every time after */
    FRAME_GIVEN,     /* frame */
    FRAME_INTERFACE, /* interface: comes before its first frame */
    FRAME_DAMAGE,    /* damage; the reader found its feet again and goes on */
    FRAME_BROKEN     /* damage; nothing can be read after it */
};

struct frame_item {
    struct frame frame;
    struct frame_interface interface;
    struct frame_damage damage;
};

/* Counts of one source: what looked wrong but was kept as found, and what its writer lost. */
#define FRAME_TALLIES(X)                                                                           \
    X(frames, "frames read")                                                                       \
    X(times, "frames with an absurd time (clamped, or a fraction of more than a second)")          \
    X(lengths, "frames with caplen > len or caplen > snaplen")                                     \
    X(without_time, "frames without a time (the time of the frame before was taken)")              \
    X(options, "pcapng option lists that do not fit their block")                                  \
    X(skipped, "pcapng blocks that carry no frame")                                                \
    X(dropped_kernel, "frames that the file says its writer's kernel dropped")                     \
    X(dropped_interface, "frames that the file says its writer's interface dropped")

struct frame_tally {
#define X(name, text) uint64_t name;
    FRAME_TALLIES(X)
#undef X
};

/* Fills ret_item->damage and returns `event` (FRAME_DAMAGE or FRAME_BROKEN). */
enum frame_event frame_damaged(struct frame_item *ret_item, enum frame_event event, uint64_t offset,
                               const char *format, ...) __attribute__((format(printf, 4, 5)));

struct stream;
/* A record of `need` bytes at `offset` is not all there: FRAME_END if the input ended before it
 * began or was stopped, else FRAME_BROKEN with what happened. */
enum frame_event frame_cut_short(struct frame_item *ret_item, const struct stream *,
                                 uint64_t offset, uint64_t need);

#endif
