/*
 * cursor: a bounds-checked reader over bytes that somebody hostile wrote.
 *
 * Contained in: capture, analyze, verify, tests. Must never: read outside [base, base + size), or
 * report a value after the first overrun. The error sticks: after one read past the end every
 * further read yields 0 (or NULL) and cursor_ok() is false, so a parser reads a whole structure and
 * checks once.
 *
 * Integers are big-endian (network order) unless the name says le.
 */
#ifndef SANDBOX_CURSOR_H
#define SANDBOX_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
    const uint8_t *base; /* borrowed; outlives the cursor */
    size_t size;         /* bytes readable from base */
    size_t at;           /* next byte; never above size */
    bool failed;         /* a read went past the end */
};

static inline struct cursor cursor_over(const void *bytes, size_t size)
{
    return (struct cursor){.base = bytes, .size = size};
}

static inline bool cursor_ok(const struct cursor *c)
{
    return !c->failed;
}

/* Bytes not yet read; 0 after a failure. */
static inline size_t cursor_left(const struct cursor *c)
{
    return c->failed ? 0 : c->size - c->at;
}

/* The next n bytes, borrowed, and moves past them; NULL (and the error sticks) if there are fewer.
 */
static inline const uint8_t *cursor_bytes(struct cursor *c, size_t n)
{
    if (c->failed || n > c->size - c->at) {
        c->failed = true;
        return NULL;
    }
    const uint8_t *p = c->base + c->at;
    c->at += n;
    return p;
}

static inline void cursor_skip(struct cursor *c, size_t n)
{
    (void)cursor_bytes(c, n);
}

/* Moves to an absolute position; a position past the end fails. */
static inline void cursor_seek(struct cursor *c, size_t at)
{
    if (c->failed || at > c->size)
        c->failed = true;
    else
        c->at = at;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
    const uint8_t *p = cursor_bytes(c, 1);
    return p ? p[0] : 0;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
    const uint8_t *p = cursor_bytes(c, 2);
    return (uint16_t)(p ? p[0] << 8 | p[1] : 0);
}

static inline uint32_t cursor_u32(struct cursor *c)
{
    const uint8_t *p = cursor_bytes(c, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint64_t cursor_u64(struct cursor *c)
{
    uint64_t high = cursor_u32(c);
    return high << 32 | cursor_u32(c);
}

static inline uint16_t cursor_u16le(struct cursor *c)
{
    const uint8_t *p = cursor_bytes(c, 2);
    return (uint16_t)(p ? p[1] << 8 | p[0] : 0);
}

static inline uint32_t cursor_u32le(struct cursor *c)
{
    const uint8_t *p = cursor_bytes(c, 4);
    return p ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0] : 0;
}

static inline uint64_t cursor_u64le(struct cursor *c)
{
    uint64_t low = cursor_u32le(c);
    return low | (uint64_t)cursor_u32le(c) << 32;
}

#endif
