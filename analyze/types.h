/*
 * types: the words for DNS's numbers, and rdata as people read it.
 *
 * Contained in: analyze, tests. The words are IANA's; a number without one is written as RFC 3597
 * and its kin say: TYPE65534, CLASS32, ALG17, RCODE3841.
 */
#ifndef ANALYZE_TYPES_H
#define ANALYZE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TYPES_TEXT 24 /* room for any of the words */

/* Each returns a static word, or ret_text with the number in it. */
const char *types_rr(uint16_t type, char ret_text[TYPES_TEXT]);
const char *types_class(uint16_t class, char ret_text[TYPES_TEXT]);
const char *types_algorithm(uint8_t algorithm, char ret_text[TYPES_TEXT]);
const char *types_digest(uint8_t digest_type, char ret_text[TYPES_TEXT]);
const char *types_rcode(uint16_t rcode, char ret_text[TYPES_TEXT]);
const char *types_opcode(uint8_t opcode, char ret_text[TYPES_TEXT]);

/* The other way, upper or lower case, words or numbered words; algorithms and rcodes also as bare
 * numbers. False if it is none. */
bool types_rr_parse(const char *text, uint16_t *ret_type);
bool types_class_parse(const char *text, uint16_t *ret_class);
bool types_algorithm_parse(const char *text, uint8_t *ret_algorithm);
bool types_rcode_parse(const char *text, uint16_t *ret_rcode);

/* Longest rdata text that anyone is shown: a 4096-bit key or signature takes 700. */
#define TYPES_RDATA_TEXT 8192

/* Uncompressed rdata in presentation form (RFC 1035 5.1), printable ASCII only; what ldns refuses
 * is written as RFC 3597 5 says. At most `room` bytes with NUL (room >= 8); a longer text ends in
 * "...". Returns ret_text. Allocates (ldns): for what is reported, not for what passes by. */
const char *types_rdata_text(uint16_t type, const uint8_t *rdata, size_t size, char *ret_text,
                             size_t room);

#endif
