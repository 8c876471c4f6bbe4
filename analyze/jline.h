/*
 * jline: one line of JSON (RFC 8259) into a buffer that grows up to a limit.
 *
 * Contained in: analyze, tests. Keys are the caller's own plain words; values may be hostile. What
 * is not UTF-8 becomes U+FFFD, control characters become \u00XX, so a line has no line feed.
 */
#ifndef ANALYZE_JLINE_H
#define ANALYZE_JLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jline {
    char *text;
    size_t size, room, most;
    bool full; /* the limit was met, or memory was refused: the text is not to be used */
};

void jline_init(struct jline *, size_t most);
void jline_fini(struct jline *);
void jline_begin(struct jline *); /* a new object; keeps the memory */
/* Closes it: the NUL-terminated text, borrowed until the next jline_begin, or NULL if it was full.
 */
const char *jline_end(struct jline *, size_t *ret_size);

/* `key` is NULL inside an array. */
void jline_object(struct jline *, const char *key);
void jline_array(struct jline *, const char *key);
void jline_close(struct jline *, char bracket); /* '}' or ']' */
void jline_string(struct jline *, const char *key, const char *text);
void jline_bytes(struct jline *, const char *key, const void *bytes, size_t size);
void jline_number(struct jline *, const char *key, uint64_t number);
void jline_bool(struct jline *, const char *key, bool value);
void jline_null(struct jline *, const char *key);
/* Bytes of the UTF-8 sequence of two or more at `s` (RFC 3629 4: no overlong forms, no surrogates);
 * 0 if it is none. */
size_t jline_utf8(const uint8_t *s, size_t left);
void jline_hex(struct jline *, const char *key, const uint8_t *bytes, size_t size);

#endif
