/*
 * baseline: what each zone's owner declared: a zone file and, optionally, a policy (DESIGN:
 * Baseline).
 *
 * Contained in: analyze, tests. Zone files are read with ldns; look-ups by canonical name allocate
 * nothing.
 */
#ifndef ANALYZE_DECLARED_BASELINE_H
#define ANALYZE_DECLARED_BASELINE_H

#include "analyze/facts.h"

struct baseline;      /* opaque */
struct baseline_zone; /* opaque */

struct baseline *baseline_new(void);
void baseline_free(struct baseline *);
/* Adds a zone file (its apex is the owner of its SOA) or a policy file. 0, or -1 with
 * "file:line: what was expected" in ret_error. After the last one call baseline_ready. */
int baseline_add_zone(struct baseline *, const char *file, const void *text, size_t size,
                      char *ret_error, size_t error_room);
int baseline_add_policy(struct baseline *, const char *file, const void *text, size_t size,
                        char *ret_error, size_t error_room);
int baseline_ready(struct baseline *, char *ret_error, size_t error_room);

/* The declared zone with this apex, or NULL. */
const struct baseline_zone *baseline_at(const struct baseline *, const uint8_t *apex);
/* The deepest declared zone that `owner` lies in (for type DS: the parent side, so not the zone
 * whose apex is `owner`), or NULL. */
const struct baseline_zone *baseline_over(const struct baseline *, const uint8_t *owner,
                                          uint16_t type);
const uint8_t *baseline_apex(const struct baseline_zone *);
/* The version that a zone file states in the comments at its head ("; Version 2", written by
 * `baseline accept`); 1 where it states none. */
uint32_t baseline_version(const void *text, size_t size);
/* Fills what the rules need to know of `owner`/`type` in that zone at packet time; expected.owner
 * is the wildcard's name when the set is held against a wildcard. Pointers borrowed from the
 * baseline. */
void baseline_describe(const struct baseline_zone *, const uint8_t *owner, uint16_t type,
                       int64_t time_ns, struct fact_baseline *ret);
/* When, after that packet time, a planned change or a suppression of any zone begins or ends next;
 * INT64_MAX: never. */
int64_t baseline_turn(const struct baseline *, int64_t time_ns);
/* Names below which validation is switched off, for a while or for good (RFC 7646; `validate` and
 * `negative-anchor` of the policies). Both times inclusive. Array borrowed. */
struct baseline_negative {
    const uint8_t *name;
    int64_t from_ns, until_ns;
};
size_t baseline_negatives(const struct baseline *, const struct baseline_negative **ret_list);
/* How the zone file's own signatures are made (RFC 4034 3.1): of at most BASELINE_SIGNATURES_MAX,
 * by the zone itself; the signatures proper are left out, and not checked. By inception. */
#define BASELINE_SIGNATURES_MAX 4096
struct baseline_signature {
    uint16_t covered, tag;
    uint8_t algorithm;
    uint32_t original_ttl, expiration, inception; /* as in the file; serial arithmetic */
};
size_t baseline_signatures(const struct baseline_zone *,
                           const struct baseline_signature **ret_list);
/* Number of declared zones, and the i-th, sorted by canonical apex. */
size_t baseline_count(const struct baseline *);
const struct baseline_zone *baseline_nth(const struct baseline *, size_t i);

#endif
