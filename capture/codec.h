/*
 * codec: one compressed stream to plain bytes, in steps: gzip (RFC 1952), xz, Zstandard (RFC 8878),
 * lz4 frame format.
 *
 * Contained in: capture, tests. Must never: read or write a descriptor, or need memory that the
 * stream's own bytes choose beyond CODEC_MEMORY_MAX.
 *
 * The libraries are used directly and not through libarchive: its read filters throw away up to a
 * block of good output when the input ends early or is damaged, and do not check gzip's CRC. Here
 * every byte that could be decoded comes out before the damage is reported.
 */
#ifndef CAPTURE_CODEC_H
#define CAPTURE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most a decoder may hold: xz -9 needs 65 MiB, zstd's ordinary ceiling is a window of 128 MiB. */
#define CODEC_MEMORY_MAX ((uint64_t)160 << 20)
/* Bytes that decide which codec it is. */
#define CODEC_MAGIC_BYTES ((size_t)6)

enum codec_kind { CODEC_PLAIN, CODEC_GZIP, CODEC_XZ, CODEC_ZSTD, CODEC_LZ4 };

/* By magic; CODEC_PLAIN when it is none of them. Fewer than CODEC_MAGIC_BYTES bytes are fine. */
enum codec_kind codec_recognise(const uint8_t *bytes, size_t size);
/* "gzip" …, and "plain". */
const char *codec_name(enum codec_kind);

struct codec; /* opaque */

/* NULL with errno ENOMEM. Not for CODEC_PLAIN. Caller frees. */
struct codec *codec_new(enum codec_kind);
void codec_free(struct codec *);

/* Decodes from `in` to `out`, as far as either goes; `at_end`: nothing follows `in`. 0, or -1 when
 * the stream is damaged (codec_fault says how). The counts are set in both cases: what was decoded
 * before the damage is good. At the end, after all input was taken, a call that consumes and
 * produces nothing means that the stream is over. Members that follow one another are one stream.
 */
int codec_step(struct codec *, const uint8_t *in, size_t in_size, bool at_end, uint8_t *out,
               size_t out_size, size_t *ret_consumed, size_t *ret_produced);
/* After a -1: what is wrong; a static text. */
const char *codec_fault(const struct codec *);

#endif
