/*
 * order: unaligned integers in a file's own byte order. Callers have checked the bounds.
 *
 * Contained in: capture, tests.
 */
#ifndef CAPTURE_ORDER_H
#define CAPTURE_ORDER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t order_u16(const uint8_t *p, bool swapped)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return swapped ? __builtin_bswap16(v) : v;
}

static inline uint32_t order_u32(const uint8_t *p, bool swapped)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return swapped ? __builtin_bswap32(v) : v;
}

static inline uint64_t order_u64(const uint8_t *p, bool swapped)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return swapped ? __builtin_bswap64(v) : v;
}

#endif
