/*
 * recorder: frames of the ring into segments (live) or into the spool (replay), and their records.
 *
 * Contained in: store. Counts what is missing and writes it into the log.
 */
#ifndef EVIDENCE_RECORDER_H
#define EVIDENCE_RECORDER_H

#include "evidence/ledger.h"
#include "sandbox/ring.h"
#include "sandbox/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct recorder; /* opaque */

struct recorder_options { /* everything borrowed */
    int dir;              /* evidence directory (spool) */
    int segments;         /* its folder segments/ */
    const struct settings *settings;
    struct ledger *ledger;
    struct file *loss; /* loss.jsonl */
    /* Called when a live segment is sealed and its record, number `seq`, is signed. */
    void (*sealed)(void *context, const char *file, uint64_t seq, int64_t last_ns);
    void *context;
    const char *hardware, *os;
};

struct recorder *recorder_new(const struct recorder_options *); /* never NULL */
void recorder_free(struct recorder *);
/* One record of the ring. */
void recorder_take(struct recorder *, const struct ring_record *);
bool recorder_ended(const struct recorder *); /* RING_END was taken */
/* Replay: these frames may be cited; call before they are taken. u64, unaligned; what has HOLD_WITH
 * (sandbox/channel.h) goes where the one before it goes. */
void recorder_hold(struct recorder *, const uint8_t *numbers, size_t count);
/* Live: closes the segment if it is due, or whenever there is one with `now`. */
void recorder_rotate(struct recorder *, bool now);
/* Live: milliseconds until the open segment is due, -1 if there is none. */
int recorder_due_ms(const struct recorder *);
/* Live: the segment file that holds the frame; false if there is none (any more). */
bool recorder_locate(const struct recorder *, uint64_t frame, char *ret_name, size_t room);
/* Live: frames that the storage refused so far, and the last reason, "" none. */
uint64_t recorder_unwritten(const struct recorder *, const char **ret_why);
uint64_t recorder_last_frame(const struct recorder *);
/* Replay: writes extract.pcapng with these frames (sorted here) and those that go with them. */
void recorder_extract(struct recorder *, uint64_t *cited, size_t count);
/* Last line of loss.jsonl. */
void recorder_finish(struct recorder *);
/* Packet times over the run; false if there was no frame. */
bool recorder_span(const struct recorder *, int64_t *ret_first_ns, int64_t *ret_last_ns);

#endif
