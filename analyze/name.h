/*
 * name: domain names in canonical wire form (RFC 4034 6.1, 6.2: uncompressed, ASCII lower case).
 *
 * Contained in: analyze, rules, tests. Every `const uint8_t *` called a name here is a sequence of
 * labels that ends with the root label and is at most NAME_MAX_BYTES long; only name_read and
 * name_parse make such bytes from hostile or human input, all others may rely on it.
 */
#ifndef ANALYZE_NAME_H
#define ANALYZE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_MAX_BYTES  255  /* RFC 1035 2.3.4 */
#define NAME_MAX_LABELS 127  /* RFC 1035: 255 bytes hold at most 127 labels besides the root */
#define NAME_TEXT_MAX   1016 /* every byte as \ddd, dots and NUL */

/* Reads the name at `at` in a message of `size` bytes, following compression pointers that point
 * strictly backwards (RFC 1035 4.1.4); lower-cases unless `keep_case`. Returns the bytes of the
 * result (root included) and sets *ret_next to the byte after the name in the message; 0 if
 * malformed (pointer forward or looping, label type not 00 or 11, over 255 bytes, past the end). */
size_t name_read(const uint8_t *message, size_t size, size_t at, bool keep_case,
                 uint8_t ret_name[NAME_MAX_BYTES], size_t *ret_next);

/* Lower-cases `size` bytes of a name in place (RFC 4343); true if that changed anything. Length
 * bytes are below 'A', so the labels need not be walked. */
bool name_lower(uint8_t *name, size_t size);

/* Presentation form (with or without the final dot, \ddd and \x escapes) to canonical. Bytes, 0
 * malformed. */
size_t name_parse(const char *text, uint8_t ret_name[NAME_MAX_BYTES]);
/* Canonical to text with trailing dot and RFC 4343/1035 escapes; returns ret_text. */
const char *name_text(const uint8_t *name, char ret_text[NAME_TEXT_MAX]);

size_t name_size(const uint8_t *name); /* bytes, root included */
unsigned name_labels(
    const uint8_t *name); /* labels without the root; "*" counts (as RRSIG does not) */
bool name_equal(const uint8_t *a, const uint8_t *b);
bool name_is_root(const uint8_t *name);
bool name_is_wildcard(const uint8_t *name); /* leftmost label is "*" */
/* True if name == zone or name is below zone. */
bool name_within(const uint8_t *name, const uint8_t *zone);
/* The name without its `labels` leftmost labels: a pointer into it. */
const uint8_t *name_strip(const uint8_t *name, unsigned labels);
/* The name of the `labels` rightmost labels: a pointer into it. labels <= name_labels(name). */
const uint8_t *name_suffix(const uint8_t *name, unsigned labels);
/* Labels the two names have in common, from the right. */
unsigned name_common(const uint8_t *a, const uint8_t *b);
/* RFC 4034 6.1 canonical order: <0, 0, >0. */
int name_compare(const uint8_t *a, const uint8_t *b);

#endif
