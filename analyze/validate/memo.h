/*
 * memo: responses seen before, byte for byte but for id and TTLs, and what they were worth.
 *
 * Contained in: analyze, tests. Most of what a tap sees are repetitions. A hit is certain, not
 * likely: the bytes are compared, so no collision can lend a message another's verdict. Fixed
 * memory; the oldest give way.
 */
#ifndef ANALYZE_VALIDATE_MEMO_H
#define ANALYZE_VALIDATE_MEMO_H

#include "analyze/decode/message.h"

struct answer;
struct memo; /* opaque */

/* At most `bytes` of memory. NULL without. */
struct memo *memo_new(size_t bytes, uint64_t seed);
void memo_free(struct memo *);
/* Forgets all: the answers are about to go. */
void memo_forget(struct memo *);

/* The answer that this response was, or NULL. Only header and question of `m` need be parsed.
 * `asked` is what else the verdict depends on: whether the query is known, and its DO bit. */
struct answer *memo_find(const struct memo *, const struct dns_message *m, unsigned asked);
/* A place in the memo that waits for its answer. */
struct memo_place {
    struct memo_entry *entry; /* NULL: not remembered */
    uint64_t stamp;
};
/* Remembers a fully parsed, whole message, and then what it was; in between it is not found. */
struct memo_place memo_add(struct memo *, const struct dns_message *m, unsigned asked);
void memo_set(struct memo_place, struct answer *);

#endif
