/*
 * local: names that resolvers answer by themselves, whatever the root says of them: special use
 * (RFC 6761, 6762, 7686, 8375, 9462, 9476; internal. by ICANN's word) and the reverse zones of
 * addresses that are nobody's (RFC 6303, RFC 7793).
 *
 * Contained in: analyze, tests.
 */
#ifndef ANALYZE_VALIDATE_LOCAL_H
#define ANALYZE_VALIDATE_LOCAL_H

#include <stdbool.h>
#include <stdint.h>

/* Is the canonical name such a one, or below it? `test.` and `example.` are served like any other
 * by whoever tests with them, and are none. */
bool local_name(const uint8_t *name);

#endif
