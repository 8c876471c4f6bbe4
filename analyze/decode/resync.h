/*
 * resync: where in a stream of bytes a DNS message over TCP starts.
 *
 * Contained in: analyze, tests.
 */
#ifndef ANALYZE_DECODE_RESYNC_H
#define ANALYZE_DECODE_RESYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Looks for a two-byte length with a plausible header and first record behind it. True: it starts
 * *ret_skip bytes on. False: the first *ret_skip bytes cannot be the start of any; the rest needs
 * more bytes to tell. Linear in `size` but for 300 bytes a candidate. */
bool resync_find(const uint8_t *bytes, size_t size, size_t *ret_skip);

#endif
