/*
 * pen: numbers to bytes that are kept from one run to the next, and back.
 *
 * Contained in: analyze, tests. What is read back lay on a disk and is as hostile as a packet: an
 * error sticks in `bad` and is looked at once, at the end.
 */
#ifndef ANALYZE_FOLLOW_PEN_H
#define ANALYZE_FOLLOW_PEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Seconds; beyond, nothing that is kept is true. */
#define PEN_TIME_MOST (INT64_C(1) << 40)

struct pen { /* writes or reads numbers, most significant byte first; `bad` sticks */
    uint8_t *bytes;
    const uint8_t *from;
    size_t at, size;
    bool bad;
};

static inline void pen_put(struct pen *p, uint64_t value, size_t bytes)
{
    if (p->size - p->at < bytes) {
        p->bad = true;
        return;
    }
    for (size_t i = bytes; i > 0; i--)
        p->bytes[p->at++] = (uint8_t)(value >> 8 * (i - 1));
}

static inline uint64_t pen_take(struct pen *p, size_t bytes)
{
    uint64_t value = 0;
    if (p->size - p->at < bytes) {
        p->bad = true;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | p->from[p->at++];
    return value;
}

static inline int64_t pen_take_time(struct pen *p)
{
    int64_t time = (int64_t)pen_take(p, 8);
    p->bad |= time < -PEN_TIME_MOST || time > PEN_TIME_MOST;
    return time;
}

#endif
