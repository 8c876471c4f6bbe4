/*
 * ring: frames from capture to analyze and store through one shared memory.
 *
 * Contained in: supervisor (creates), capture (producer), analyze and store (readers). One
 * producer, two readers, each with its own position. The bytes are mapped read-only in the readers,
 * so that a reader taken over by a hostile packet cannot alter what the other one records.
 *
 * Records are 8-byte aligned, never split at the ring's end (a RING_SKIP record fills the rest),
 * and visible only after ring_publish. In replay the producer waits for both readers; in live
 * capture it waits for none: a reader that is overtaken learns how many records it missed, and a
 * frame that store could not take is counted as dropped by the ring.
 */
#ifndef SANDBOX_RING_H
#define SANDBOX_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_BYTES_MIN ((size_t)1 << 20)
#define RING_BYTES_MAX ((size_t)1 << 32)
/* Largest captured frame: libpcap's own ceiling (MAXIMUM_SNAPLEN). */
#define RING_FRAME_MAX ((size_t)262144)

enum ring_type {
    RING_SKIP = 0,  /* filler; never given to a reader */
    RING_FRAME = 1, /* a frame: bytes as captured */
    RING_INTERFACE =
        2,           /* an interface is described before its first frame: struct ring_interface */
    RING_SOURCE = 3, /* a file begins: payload is nothing, `source` says which */
    RING_DAMAGE = 4, /* the source is damaged at `offset`: payload is text, no NUL */
    RING_LOSS = 5,   /* counters of the interface changed: struct ring_loss */
    RING_END = 6     /* last record of the run: struct ring_loss, totals */
};

/* One record; its payload of `caplen` bytes follows at once. */
struct ring_record {
    uint32_t size;      /* this header, payload and padding: a multiple of 8 */
    uint16_t type;      /* enum ring_type */
    uint16_t source;    /* index of the source file, or of the live interface */
    uint64_t number;    /* frame number from 1 over the whole run: pcap_cnt and packet_id */
    int64_t time_ns;    /* packet time, nanoseconds since 1970 UTC */
    uint64_t offset;    /* where the record starts in the (decompressed) source, bytes */
    uint32_t caplen;    /* payload bytes */
    uint32_t len;       /* bytes the frame had on the wire; caplen <= len unless the file lies */
    uint16_t interface; /* index announced by RING_INTERFACE, over the whole run */
    uint16_t linktype;  /* LINKTYPE_ value of tcpdump.org */
    uint32_t flags;     /* pcapng epb_flags as found; 0 unknown */
};

struct ring_interface { /* payload of RING_INTERFACE; texts are NUL-padded */
    uint32_t snaplen;
    uint32_t tsresol; /* units a second, as the source had it */
    uint64_t speed;   /* bits a second, 0 unknown */
    char name[64];    /* "" when the source names none */
    char description[128];
    char filter[512]; /* BPF expression in force, "" for none */
};

struct ring_loss {              /* cumulative since the start of the run */
    uint64_t received;          /* frames the interface or file delivered, before our filter */
    uint64_t dropped_kernel;    /* ps_drop */
    uint64_t dropped_interface; /* ps_ifdrop */
    uint64_t dropped_ring;      /* store could not follow (live only) */
    uint64_t bytes;             /* captured bytes passed on */
    uint64_t filtered;          /* frames that the BPF expression refused */
};

enum ring_reader { RING_ANALYZE = 0, RING_STORE = 1 };

struct ring; /* opaque */

/* Supervisor: makes the memfds and eventfds for a ring of `bytes` (a power of two). Out: fds, owned
 * by the caller; `data_ro` … are read-only reopenings for the readers. 0, or -1 with errno set. */
struct ring_fds {
    int data, data_ro, head, head_ro, tail[2], tail_ro[2],
        wake[3]; /* wake: capture, analyze, store */
};
int ring_create(size_t bytes, struct ring_fds *ret_fds);

/* Maps the ring from the descriptor table (sandbox/fds.h). Called before confinement.
 * `wait_for_readers` is true in replay. NULL with errno set. The mapping normally lives as long as
 * the process; ring_close is for those who open many (tests). */
struct ring *ring_open_producer(bool wait_for_readers);
struct ring *ring_open_reader(enum ring_reader who);
void ring_close(struct ring *);

/* Producer: room for a record with `payload` bytes (<= RING_FRAME_MAX), header zeroed but for size
 * and caplen; the caller fills it and the bytes behind it, then ring_commit. In replay waits for
 * room. NULL: live and store has not made room (count a drop), or a reader is gone (errno EPIPE).
 */
struct ring_record *ring_reserve(struct ring *, size_t payload);
void ring_commit(struct ring *);
/* Makes all committed records visible and wakes sleepers. ring_commit makes records visible by
 * itself every 64 KiB, but wakes a sleeper only when there is much to do: so the producer calls
 * this before it blocks on input and after RING_END. */
void ring_publish(struct ring *);

/* Reader: the next record, borrowed until the next ring_next, or NULL when none is visible. It is a
 * private copy, so nothing in it changes under its reader. A record whose header contradicts the
 * ring is the producer's fault: the process ends; in what is returned caplen lies within the record
 * and RING_INTERFACE, RING_LOSS and RING_END carry exactly their struct, texts ended by NUL. In
 * live mode *ret_missed (may be NULL) grows by the records that were overwritten before analyze
 * came. */
const struct ring_record *ring_next(struct ring *, uint64_t *ret_missed);
/* Gives back everything up to and including the last record returned, and wakes a waiting producer.
 * Cheap; its effect may be held back until the next batch, ring_next without result, ring_sleep, or
 * the release of RING_END. Release what you hold before you sleep: the producer may wait for it. */
void ring_release(struct ring *);
/* Store only: limits ring_next, until the next call, to what analyze has released by now (replay:
 * frames are kept or dropped on analyze's word, which it sends before it releases: so look first,
 * then read its messages, then take the frames). */
void ring_follow_analyze(struct ring *);
/* Declares that the reader goes to sleep; false when records have become visible meanwhile. The
 * caller then polls its wake descriptor (FD_WAKE_*), and calls ring_awake after. */
bool ring_sleep(struct ring *);
void ring_awake(struct ring *);
/* Blocks until a record is visible or `timeout_ms` (-1: for ever) is over; for a reader with
 * nothing else to wait for. */
void ring_wait(struct ring *, int timeout_ms);

static inline const uint8_t *ring_payload(const struct ring_record *r)
{
    return (const uint8_t *)(r + 1);
}

#endif
