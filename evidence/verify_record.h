/*
 * verify_record: one record of the log, scanned by the table in evidence/format.h.
 *
 * The table says the keys of each type, their order and kinds; a line is a record in exactly that
 * form or none. Views point into the line.
 */
#ifndef EVIDENCE_VERIFY_RECORD_H
#define EVIDENCE_VERIFY_RECORD_H

#include "evidence/verify_text.h"

enum record_type {
#define X(id, type, keys) RECORD_##id,
    LOG_RECORDS(X)
#undef X
        RECORD_TYPE_COUNT
};

#define RECORD_VALUES_MAX 20

struct record_value {
    bool is_null;
    int64_t number;          /* int, time (nanoseconds), bool */
    struct verify_text text; /* string between its quotes, or the array or object whole */
};

struct record {
    uint64_t seq;
    uint8_t prev[HASH_BYTES];
    enum record_type type;
    int64_t time; /* nanoseconds since 1970 */
    size_t count;
    struct record_value value[RECORD_VALUES_MAX]; /* in order of the table */
};

/* False when the line is no record in the form of format.h. */
bool verify_record_read(struct verify_text line, struct record *ret_record);
const char *verify_record_type(enum record_type);
/* The value of a key; the key must be one of the type's. */
const struct record_value *verify_record_get(const struct record *, const char *key);
/* A string of 2 * size hex digits; false if it is anything else. */
bool verify_record_hex(const struct record *, const char *key, uint8_t *ret_bytes, size_t size);

/* FILE and PREVIOUS of format.h. */
struct record_file {
    struct verify_text file;
    uint64_t size;
    uint8_t sha256[HASH_BYTES];
};
/* The next FILE of an array value; `rest` starts as a scan over the value's text. 1, 0 at the end.
 */
bool verify_record_next_file(struct scan *rest, struct record_file *ret_file);

#endif
