/*
 * reread: an earlier log and its newest checkpoint, read again from their folder.
 *
 * Contained in: store (what an earlier run left), pack (what is to be sealed), tests. Reads text
 * that may have been damaged since; believes none of it.
 */
#ifndef EVIDENCE_REREAD_H
#define EVIDENCE_REREAD_H

#include "evidence/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reread_checkpoint {
    uint64_t size; /* by its name; 0: there is none */
    bool readable; /* its text is a checkpoint of that size; else only `size` is set */
    char origin[TEXT_MAX];
    char root[48]; /* base64, NUL-terminated */
};

/* The checkpoint of the greatest size in log/checkpoints below `dir`. Its signature is not checked:
 * who holds the log's key for that is the verifier's question. */
void reread_newest_checkpoint(int dir, struct reread_checkpoint *ret_checkpoint);

/* Gives every whole line of log/log.jsonl below `dir`, its LF included, to `take` until that
 * returns false. Returns true if all lines were given and nothing is left behind the last LF; false
 * if `take` had enough, a line is torn or longer than LINE_MAX_BYTES, or there is no log. */
bool reread_lines(int dir, bool (*take)(void *context, const char *line, size_t size),
                  void *context);

#endif
