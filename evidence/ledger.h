/*
 * ledger: the hash-chained log, its tree heads and its epochs.
 *
 * Contained in: store. Appends only. A record is one write; a checkpoint makes it durable first and
 * is durable before the key that signed it is erased (EVIDENCE.md "Crash order"). Failure of the
 * log's storage ends the process: a run that cannot be recorded must not go on.
 */
#ifndef EVIDENCE_LEDGER_H
#define EVIDENCE_LEDGER_H

#include "evidence/format.h"
#include "evidence/json.h"
#include "sandbox/channel.h"

#include <stdint.h>

struct ledger; /* opaque */

struct ledger_options {
    int dir;              /* the folder log/, empty; borrowed for the ledger's life */
    struct channel *sign; /* borrowed */
    const char *origin;   /* copied */
    uint64_t epoch_records;
    /* Called before a checkpoint: what records speak of must be durable first. */
    void (*settle)(void *context);
    void *context;
};

/* Certifies key 0 and begins the log. Never NULL. */
struct ledger *ledger_open(const struct ledger_options *);
/* Begins a record: seq, prev, type and time are written, the caller adds the type's keys and then
 * calls ledger_commit. A step of the clock since the last record is recorded first. */
struct json *ledger_begin(struct ledger *, const char *type);
void ledger_commit(struct ledger *);
/* Durable and signed up to here. */
void ledger_checkpoint(struct ledger *);
/* After the `close` record: last checkpoint, last key erased. Frees. */
void ledger_close(struct ledger *);
const char *ledger_origin(const struct ledger *);
uint64_t ledger_size(const struct ledger *); /* records */

#endif
