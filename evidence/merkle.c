/*
 * merkle: RFC 9162 2.1 over log lines. Contained in: store, tests.
 */
#include "evidence/merkle.h"

#include <string.h>

void merkle_init(struct merkle *m, struct hash *sha256)
{
    m->hash = sha256;
    m->size = 0;
}

void merkle_leaf(struct hash *h, const void *line, size_t size, uint8_t ret_leaf[HASH_BYTES])
{
    static const uint8_t prefix = MERKLE_LEAF_PREFIX;
    hash_begin(h);
    hash_add(h, &prefix, 1);
    hash_add(h, line, size);
    hash_end(h, ret_leaf);
}

/* ret_node may be one of the two. */
static void node(struct hash *h, const uint8_t *left, const uint8_t *right, uint8_t *ret_node)
{
    uint8_t both[1 + 2 * HASH_BYTES];
    both[0] = MERKLE_NODE_PREFIX;
    memcpy(both + 1, left, HASH_BYTES);
    memcpy(both + 1 + HASH_BYTES, right, HASH_BYTES);
    hash_once(h, both, sizeof both, ret_node);
}

static size_t bits_set(uint64_t n)
{
    return (size_t)__builtin_popcountll(n);
}

void merkle_add(struct merkle *m, const void *line, size_t size)
{
    uint8_t top[HASH_BYTES];
    size_t depth = bits_set(m->size);
    merkle_leaf(m->hash, line, size, top);
    /* Like carrying in binary addition: equal subtrees join. */
    for (uint64_t n = m->size; n & 1; n >>= 1)
        node(m->hash, m->stack[--depth], top, top);
    memcpy(m->stack[depth], top, HASH_BYTES);
    m->size++;
}

void merkle_root(const struct merkle *m, uint8_t ret_root[HASH_BYTES])
{
    size_t depth = bits_set(m->size);
    if (depth == 0) {
        hash_once(m->hash, "", 0, ret_root);
        return;
    }
    memcpy(ret_root, m->stack[--depth], HASH_BYTES);
    while (depth > 0)
        node(m->hash, m->stack[--depth], ret_root, ret_root);
}

/* The largest power of two below n (n > 1): where the tree splits. */
static uint64_t split(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

void merkle_root_of(struct hash *h, const uint8_t (*leaves)[HASH_BYTES], uint64_t count,
                    uint8_t ret_root[HASH_BYTES])
{
    if (count == 0) {
        hash_once(h, "", 0, ret_root);
    } else if (count == 1) {
        memcpy(ret_root, leaves[0], HASH_BYTES);
    } else {
        uint8_t right[HASH_BYTES];
        uint64_t k = split(count);
        merkle_root_of(h, leaves, k, ret_root);
        merkle_root_of(h, leaves + k, count - k, right);
        node(h, ret_root, right, ret_root);
    }
}

size_t merkle_inclusion(struct hash *h, const uint8_t (*leaves)[HASH_BYTES], uint64_t count,
                        uint64_t index, uint8_t ret_path[MERKLE_DEPTH][HASH_BYTES])
{
    if (count < 2)
        return 0;
    uint64_t k = split(count);
    size_t n;
    if (index < k) {
        n = merkle_inclusion(h, leaves, k, index, ret_path);
        merkle_root_of(h, leaves + k, count - k, ret_path[n]);
    } else {
        n = merkle_inclusion(h, leaves + k, count - k, index - k, ret_path);
        merkle_root_of(h, leaves, k, ret_path[n]);
    }
    return n + 1;
}

/* SUBPROOF(before, D[count], known) of RFC 9162 2.1.4.1. */
static size_t subproof(struct hash *h, const uint8_t (*leaves)[HASH_BYTES], uint64_t count,
                       uint64_t before, int known, uint8_t (*ret_path)[HASH_BYTES])
{
    if (before == count) {
        if (known)
            return 0;
        merkle_root_of(h, leaves, count, ret_path[0]);
        return 1;
    }
    uint64_t k = split(count);
    size_t n;
    if (before <= k) {
        n = subproof(h, leaves, k, before, known, ret_path);
        merkle_root_of(h, leaves + k, count - k, ret_path[n]);
    } else {
        n = subproof(h, leaves + k, count - k, before - k, 0, ret_path);
        merkle_root_of(h, leaves, k, ret_path[n]);
    }
    return n + 1;
}

size_t merkle_consistency(struct hash *h, const uint8_t (*leaves)[HASH_BYTES], uint64_t count,
                          uint64_t before, uint8_t ret_path[MERKLE_DEPTH + 1][HASH_BYTES])
{
    return subproof(h, leaves, count, before, 1, ret_path);
}
