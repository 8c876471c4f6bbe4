/*
 * verify_der: DER (X.690), one element at a time, strictly.
 *
 * Only single-byte tags and the shortest form of each length, as DER demands: an element has one
 * encoding, so that nobody can change a byte of a signature file without changing what it says.
 */
#ifndef EVIDENCE_VERIFY_DER_H
#define EVIDENCE_VERIFY_DER_H

#include "evidence/verify_state.h"
#include "sandbox/cursor.h"

enum {
    DER_INTEGER = 0x02,
    DER_OCTETS = 0x04,
    DER_OID = 0x06,
    DER_UTC_TIME = 0x17,
    DER_TIME = 0x18,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_CONTEXT_0 = 0xa0
};

struct der {
    const uint8_t *whole; /* tag, length and content; borrowed */
    size_t whole_size;
    struct cursor content;
};

/* The next element, which must have this tag; otherwise the cursor fails and stays failed, and the
 * element is empty. */
struct der verify_der_take(struct cursor *, uint8_t tag);
/* The next tag without moving; 0 at the end. */
uint8_t verify_der_peek(const struct cursor *);
/* Fails the cursor unless the next element is exactly these bytes. */
void verify_der_expect(struct cursor *, const void *bytes, size_t size);
/* True when everything was read and nothing went wrong. */
bool verify_der_end(const struct cursor *);
/* A UTCTime or GeneralizedTime in the form DER asks for (seconds, Z): seconds since 1970. */
bool verify_der_time(struct cursor *, int64_t *ret_seconds);

#endif
