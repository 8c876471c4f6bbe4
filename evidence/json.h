/*
 * json: one JSON object as one line of text, keys in the order they are given.
 *
 * Contained in: store, pack, tests. Writes only; nothing here reads JSON. The buffer grows and is
 * reused; want of memory ends the process. Strings are escaped as evidence/format.h says; bytes
 * that are not UTF-8 become \\xx in hex digits, so that no name can break a line.
 */
#ifndef EVIDENCE_JSON_H
#define EVIDENCE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
    char *text; /* NUL-terminated; freed by json_fini */
    size_t used, room;
};

void json_fini(struct json *);
void json_clear(struct json *);
/* Opening and closing; `key` NULL at the top and inside arrays. Commas come by themselves. */
void json_object(struct json *, const char *key);
void json_array(struct json *, const char *key);
void json_close(struct json *, char bracket); /* '}' or ']' */
void json_string(struct json *, const char *key, const char *value);
void json_text(struct json *, const char *key, const void *bytes, size_t size);
void json_number(struct json *, const char *key, uint64_t value);
void json_signed(struct json *, const char *key, int64_t value);
void json_bool(struct json *, const char *key, bool value);
void json_null(struct json *, const char *key);
void json_time(struct json *, const char *key, int64_t time_ns);
void json_hex(struct json *, const char *key, const uint8_t *bytes, size_t size);
void json_base64(struct json *, const char *key, const uint8_t *bytes, size_t size);
/* Bytes as they are. */
void json_raw(struct json *, const void *bytes, size_t size);

#endif
