/*
 * head: the last signed state of a log, found again in its folder before it is packed.
 *
 * Contained in: pack, tests.
 */
#ifndef EVIDENCE_HEAD_H
#define EVIDENCE_HEAD_H

#include "evidence/format.h"

#include <stddef.h>
#include <stdint.h>

struct head {
    char origin[TEXT_MAX];
    char sensor[64];
    uint64_t size;  /* records covered */
    uint64_t bytes; /* of log.jsonl that hold them */
    uint8_t root[HASH_BYTES];
    int64_t time_ns; /* of the last record covered */
};

/* Reads the greatest checkpoint in log/ below `dir` and recomputes the root of the records it
 * covers. 0, or -1 and why in ret_why (a few words): no log, no checkpoint, or they do not match.
 */
int head_read(int dir, struct head *ret_head, char *ret_why, size_t room);

#endif
