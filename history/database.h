/*
 * database: history.sqlite, as the process that writes it sees it.
 *
 * Contained in: history, tests. What it takes comes from the process that parses packets, and is
 * read as hostile: every length is checked, text goes in as printable ASCII.
 */
#ifndef HISTORY_DATABASE_H
#define HISTORY_DATABASE_H

#include "sandbox/channel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct database; /* opaque */

struct database_run {
    const char *kind, *sensor, *software, *sources; /* borrowed for the call */
    int64_t began_ns;
    uint64_t most_bytes; /* nothing new beyond this size */
};

enum database_error {
    DATABASE_DAMAGED = -1, /* it is no history of ours, or not whole */
    DATABASE_FAILED = -2   /* no memory, no space, or SQLite refuses: database_why */
};

/* Opens FILES_DATABASE, makes its tables if it is empty, and begins a run. 0, or an error; the
 * reason is in ret_why. */
int database_open(const struct database_run *, struct database **ret_database, char *ret_why,
                  size_t room);
/* Without finishing the run; NULL is fine. */
void database_close(struct database *);

/* Takes one MSG_HISTORY. 0, or DATABASE_FAILED; a malformed message ends the process: analyze is
 * not what it was. */
int database_take(struct database *, const uint8_t *bytes, size_t size);
/* Makes what was taken visible to readers. 0 or DATABASE_FAILED. */
int database_commit(struct database *);
/* Bytes of messages taken since the last commit. */
size_t database_pending(const struct database *);
/* A reader keeps the journal from being emptied, and it has grown too long: take nothing more until
 * this is false. Call after database_commit; tries to empty it. */
bool database_congested(struct database *);
/* Times that an RRset, signature or key was told and not written for want of room. */
uint64_t database_not_written(const struct database *);
/* The run has ended: writes its last record and puts everything into the database file. 0,
 * DATABASE_FAILED; 1: a reader is in the way, try again. The journal is not needed afterwards;
 * close then. */
int database_finish(struct database *, const struct msg_history_end *);
const char *database_why(const struct database *);

#endif
