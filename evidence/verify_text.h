/*
 * verify_text: the texts of evidence/format.h, scanned strictly.
 *
 * A scan walks over bytes once; after the first thing that is not as expected it stays failed and
 * yields nothing, so a whole line is scanned and checked once. Every value has one spelling.
 */
#ifndef EVIDENCE_VERIFY_TEXT_H
#define EVIDENCE_VERIFY_TEXT_H

#include "evidence/format.h"
#include "evidence/verify_state.h"

struct scan {
    const char *at, *end; /* borrowed */
    bool failed;
};

static inline struct scan scan_over(struct verify_text text)
{
    return (struct scan){.at = text.at, .end = text.at + text.size};
}

/* Is everything read and nothing amiss? */
bool scan_done(const struct scan *);
void scan_literal(struct scan *, const char *text);
bool scan_try(struct scan *, const char *text); /* moves only if the text is there */
/* Decimal without leading zeros, below 2^63. */
uint64_t scan_number(struct scan *);
int64_t scan_signed(struct scan *);
/* Up to, and past, `stop`; the text before it. */
struct verify_text scan_until(struct scan *, char stop);
/* JSON string between quotes in the log's escaping; the bytes between the quotes, escapes kept. */
struct verify_text scan_string(struct scan *);
/* "2026-11-22T08:30:34.000000000Z" without quotes: nanoseconds since 1970. */
int64_t scan_time(struct scan *);
/* 2 * size lower-case hex digits. */
void scan_hex(struct scan *, uint8_t *ret_bytes, size_t size);

/* Standard base64 of exactly `size` bytes, in its one spelling (unused bits zero). */
bool verify_base64(struct verify_text, uint8_t *ret_bytes, size_t size);
void verify_hex(const uint8_t *bytes, size_t size, char *ret_text); /* writes 2 * size + 1 */
bool verify_text_is(struct verify_text, const char *text);
bool verify_text_same(struct verify_text, struct verify_text);

/* The next line of `rest` without its LF, which moves behind it. 1; 0 at the end; -1 if the line
 * has no LF or more than LINE_MAX_BYTES. */
int verify_next_line(struct verify_text *rest, struct verify_text *ret_line);

#endif
