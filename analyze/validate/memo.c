/*
 * memo: exact recognition of repeated responses.
 *
 * Contained in: analyze, tests.
 */
#include "analyze/validate/memo.h"

#define XXH_INLINE_ALL
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* A larger response is rare, and comparing it saves little against parsing it. */
#define MEMO_MESSAGE_MAX 4096
#define MEMO_TTLS_MAX    64
#define MEMO_WAYS                                                                                  \
    4 /* variants of one question side by side: other TTL layout, other server, other flags */

struct memo_entry {
    uint64_t hash;
    uint64_t stamp;        /* of the message that lies here */
    struct answer *answer; /* NULL while it waits */
    uint8_t *bytes;        /* message from its flags on, then the TTL offsets as u16 */
    uint16_t size, ttls;
    uint32_t asked;
};

struct memo {
    uint64_t seed, stamp;
    size_t sets;       /* power of two; each MEMO_WAYS entries */
    size_t used, most; /* bytes of messages */
    struct memo_entry *entry;
    uint8_t *turn; /* which way gives way next */
};

/* Mean response with its bookkeeping, from which the number of entries follows. */
#define MEAN_BYTES 512

struct memo *memo_new(size_t bytes, uint64_t seed)
{
    struct memo *memo = calloc(1, sizeof *memo);
    if (memo == NULL)
        return NULL;
    memo->seed = seed;
    memo->most = bytes;
    memo->sets = 1024;
    while (memo->sets * 2 * MEMO_WAYS * MEAN_BYTES <= bytes)
        memo->sets *= 2;
    memo->entry = calloc(memo->sets * MEMO_WAYS, sizeof *memo->entry);
    memo->turn = calloc(memo->sets, 1);
    if (memo->entry == NULL || memo->turn == NULL) {
        memo_free(memo);
        return NULL;
    }
    return memo;
}

void memo_forget(struct memo *memo)
{
    for (size_t i = 0; i < memo->sets * MEMO_WAYS; i++) {
        free(memo->entry[i].bytes);
        memo->entry[i] = (struct memo_entry){0};
    }
    memo->used = 0;
}

void memo_free(struct memo *memo)
{
    if (memo == NULL)
        return;
    if (memo->entry)
        memo_forget(memo);
    free(memo->entry);
    free(memo->turn);
    free(memo);
}

/* Flags, counts and question: what differs between most responses. The id is left out. */
static uint64_t hash_of(const struct memo *memo, const struct dns_message *m, unsigned asked)
{
    return XXH3_64bits_withSeed(m->bytes + 2, m->question_end - 2u, memo->seed + asked + m->size);
}

/* Equal from the flags on, but for the TTLs. */
static bool equal(const struct memo_entry *e, const struct dns_message *m)
{
    const uint8_t *mine = e->bytes, *theirs = m->bytes + 2;
    size_t at = 0;
    for (uint16_t i = 0; i < e->ttls; i++) {
        uint16_t ttl;
        memcpy(&ttl, e->bytes + e->size + 2u * i, 2);
        if (memcmp(mine + at, theirs + at, ttl - at) != 0)
            return false;
        at = ttl + 4u;
    }
    return memcmp(mine + at, theirs + at, e->size - at) == 0;
}

struct answer *memo_find(const struct memo *memo, const struct dns_message *m, unsigned asked)
{
    uint64_t hash = hash_of(memo, m, asked);
    const struct memo_entry *e = &memo->entry[(hash & (memo->sets - 1)) * MEMO_WAYS];
    for (unsigned way = 0; way < MEMO_WAYS; way++, e++)
        if (e->hash == hash && e->answer && e->asked == asked && e->size == m->size - 2 &&
            equal(e, m))
            return e->answer;
    return NULL;
}

static struct memo_entry *place(struct memo *memo, uint64_t hash)
{
    size_t set = hash & (memo->sets - 1);
    struct memo_entry *e = &memo->entry[set * MEMO_WAYS];
    for (unsigned way = 0; way < MEMO_WAYS; way++)
        if (e[way].bytes == NULL)
            return &e[way];
    return &e[memo->turn[set]++ % MEMO_WAYS];
}

struct memo_place memo_add(struct memo *memo, const struct dns_message *m, unsigned asked)
{
    static const struct memo_place nowhere = {NULL, 0};
    if (m->size > MEMO_MESSAGE_MAX || m->rr_count > MEMO_TTLS_MAX || m->state != MESSAGE_WHOLE)
        return nowhere;
    size_t size = m->size - 2, need = size + 2u * m->rr_count;
    uint64_t hash = hash_of(memo, m, asked);
    struct memo_entry *e = place(memo, hash);
    memo->used -= e->bytes ? e->size + 2u * e->ttls : 0;
    free(e->bytes);
    *e = (struct memo_entry){0};
    if (memo->used + need > memo->most)
        return nowhere;
    e->bytes = malloc(need);
    if (e->bytes == NULL)
        return nowhere;
    memcpy(e->bytes, m->bytes + 2, size);
    for (uint16_t i = 0; i < m->rr_count; i++) {
        uint16_t ttl = (uint16_t)(m->rrs[i].rdata - 8); /* 4 of TTL, 2 of rdlen, less the id's 2 */
        memcpy(e->bytes + size + 2u * i, &ttl, 2);
    }
    e->hash = hash;
    e->stamp = ++memo->stamp;
    e->asked = asked;
    e->size = (uint16_t)size;
    e->ttls = m->rr_count;
    memo->used += need;
    return (struct memo_place){e, e->stamp};
}

void memo_set(struct memo_place where, struct answer *answer)
{
    if (where.entry && where.entry->stamp == where.stamp)
        where.entry->answer = answer;
}
