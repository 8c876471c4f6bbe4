/*
 * table: a fixed number of entries found by key; when all are taken the oldest gives way.
 *
 * Contained in: analyze, tests. Memory is taken once. An entry is the caller's struct; its first
 * `key_size` bytes are the key (no padding in it, and unchanged while the entry lives).
 */
#ifndef ANALYZE_DECODE_TABLE_H
#define ANALYZE_DECODE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table; /* opaque */

/* `give_way` is called for an entry before it is removed to make room. NULL without memory. */
typedef void table_give_way(void *context, void *entry);
struct table *table_new(size_t capacity, size_t entry_size, size_t key_size, table_give_way *,
                        void *context);
void table_free(struct table *);

/* The newest entry with this key, or NULL; table_find_next the next older one with the same key. A
 * search looks at a bounded number of entries, so that chosen collisions cost no more than a miss.
 */
void *table_find(struct table *, const void *key);
void *table_find_next(struct table *, void *entry);
/* A new entry (a key may be there more than once): key copied, the rest as the last user of the
 * place left it. */
void *table_insert(struct table *, const void *key);
void table_remove(struct table *, void *entry);
/* Makes it the newest. */
void table_touch(struct table *, void *entry);
void *table_oldest(struct table *);             /* NULL when empty */
void *table_newer(struct table *, void *entry); /* the next younger one, or NULL */
size_t table_count(const struct table *);

#endif
