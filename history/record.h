/*
 * record: one MSG_HISTORY taken apart, and its parts as text.
 *
 * Contained in: history, tests.
 */
#ifndef HISTORY_RECORD_H
#define HISTORY_RECORD_H

#include "sandbox/channel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_SERVERS_MAX    16
#define RECORD_SIGNATURES_MAX 16
/* Text of an RRset: the rdata of a message (64 KiB), each byte as \ddd and more. */
#define RECORD_TEXT_MAX ((size_t)1 << 20)

struct record_piece { /* u16 size and bytes in the message */
    const uint8_t *bytes;
    uint16_t size;
};

struct record {
    struct msg_history head;
    struct msg_history_server server[RECORD_SERVERS_MAX];
    struct {
        struct record_piece rdata;
        const uint8_t *signer, *bytes; /* in rdata */
        size_t bytes_size;
        uint8_t state; /* 1 + enum signature_state, 0 not judged */
    } signature[RECORD_SIGNATURES_MAX];
    const uint8_t *owner;
    const uint8_t *records; /* head.records pieces */
    size_t records_size;    /* of them */
};

/* False: the message is not what analyze writes. Views into `bytes`. */
bool record_read(const uint8_t *bytes, size_t size, struct record *ret_record);
/* The next piece of `left` bytes at *at, which moves on; false: it does not fit. */
bool record_next(const uint8_t **at, size_t *left, struct record_piece *ret_piece);
/* All records in presentation form, one a line. Returns its length; what does not fit is cut and
 * ends in "...". */
size_t record_text(const struct record *, char *ret_text, size_t room);
/* "valid", "expired" …, of a signature's state. */
const char *record_state(uint8_t state);
/* A 32-bit time of a signature as seconds since 1970, near `near_ns` (RFC 4034 3.1.5). */
int64_t record_seconds(const uint8_t *wire, int64_t near_ns);

#endif
