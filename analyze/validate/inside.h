/*
 * inside: what was validly seen of names and is worth remembering beyond the responses that showed
 * it: which zone they lie in, and which IPv4 addresses they have.
 *
 * Contained in: analyze, tests. A table of fixed size that starts over when it is full: what it
 * holds is so, what it does not hold is not known.
 */
#ifndef ANALYZE_VALIDATE_INSIDE_H
#define ANALYZE_VALIDATE_INSIDE_H

#include "analyze/validate/rrset.h"

struct inside; /* opaque */

/* NULL: no memory. */
struct inside *inside_new(uint64_t seed);
void inside_free(struct inside *);

/* Names that are known to lie inside a zone, not below a further cut of it. */
void inside_add(struct inside *, const uint8_t *name, const struct zone *);
bool inside_has(const struct inside *, const uint8_t *name, const struct zone *);

/* The addresses of a validated A RRset. In a table of their own. */
void addresses_add(struct inside *, const struct rrset *a);
/* Is each record of the AAAA RRset an IPv4 address of the same name behind one prefix, as DNS64
 * makes it (RFC 6052 2.2, RFC 6147 5.1.7)? Where no address of the name is known, the well-known
 * prefix alone says so. */
bool addresses_translated(const struct inside *, const struct rrset *aaaa);

#endif
