/*
 * text: hex, base64, times and file names in the one form that evidence/format.h prescribes.
 *
 * Contained in: store, sign, pack, tests. Pure functions; nothing allocates.
 */
#ifndef EVIDENCE_TEXT_H
#define EVIDENCE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_HEX_ROOM(bytes)    (2 * (size_t)(bytes) + 1)
#define TEXT_BASE64_ROOM(bytes) (((size_t)(bytes) + 2) / 3 * 4 + 1)
#define TEXT_TIME_ROOM          48 /* any int64_t time */

/* Lower-case hex with NUL: TEXT_HEX_ROOM(size) bytes. */
void text_hex(const uint8_t *bytes, size_t size, char *ret_text);
/* RFC 4648 base64 with padding and NUL: TEXT_BASE64_ROOM(size) bytes. Returns the length. */
size_t text_base64(const uint8_t *bytes, size_t size, char *ret_text);
/* Nanoseconds since 1970 UTC as RFC 3339 with nine digits. */
void text_time(int64_t time_ns, char ret_text[TEXT_TIME_ROOM]);
/* Seconds since 1970 UTC as 20261122t083034z, 2026-11-22T08:30:34Z and 2026-11-22. */
void text_time_id(int64_t seconds, char ret_text[TEXT_TIME_ROOM]);
void text_time_seconds(int64_t seconds, char ret_text[TEXT_TIME_ROOM]);
void text_date(int64_t seconds, char ret_text[TEXT_TIME_ROOM]);
/* RFC 3339 with nine digits and 'Z', as text_time writes it. False if it is anything else. */
bool text_parse_time(const char *text, size_t size, int64_t *ret_ns);
/* The last path component as a member name (format.h, NAME_MAX_KEPT); room > NAME_MAX_KEPT. */
void text_member_name(const char *path, char *ret_name, size_t room);
/* Well-formed UTF-8 (RFC 3629). `lines`: LF and TAB are allowed, else no byte below 0x20. */
bool text_is_clean(const void *bytes, size_t size, bool lines);

#endif
