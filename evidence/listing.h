/*
 * listing: files with their hashes, as `open` and `close` records name them (format.h FILE).
 *
 * Contained in: store.
 */
#ifndef EVIDENCE_LISTING_H
#define EVIDENCE_LISTING_H

#include "evidence/format.h"
#include "evidence/json.h"

#include <stddef.h>
#include <stdint.h>

struct listing_entry {
    char file[160]; /* path in the bundle without "data/" */
    uint64_t size;
    uint8_t sha256[HASH_BYTES];
};

struct listing {
    struct listing_entry *list;
    size_t count, room;
};

void listing_fini(struct listing *);
/* `member` is the path in the bundle, with "data/". */
void listing_add(struct listing *, const char *member, uint64_t size,
                 const uint8_t sha256[HASH_BYTES]);
/* An array under `key`, sorted by path. */
void listing_write(struct listing *, struct json *, const char *key);

#endif
