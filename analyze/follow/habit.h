/*
 * habit: how the signatures of a key are made, learned from those that were valid.
 *
 * Contained in: analyze, tests. Per zone and key, apart for data, for keys (DNSKEY, CDS, CDNSKEY)
 * and for denials (NSEC, NSEC3), since signers treat them apart: validity period, how far inception
 * is set back, roundness of times, original TTLs, and what the key signs at all. A signing is one
 * inception time; what is learned counts by signings as well as by signatures, for a whole zone
 * signed at once tells no more than one of its RRsets. What was found to be made otherwise is not
 * learned.
 *
 * Survives the run in keys.dnsbailiff (analyze/follow/keep.h), so that a key stolen today is held
 * against the months before.
 */
#ifndef ANALYZE_FOLLOW_HABIT_H
#define ANALYZE_FOLLOW_HABIT_H

#include "analyze/facts.h"
#include "analyze/key.h"
#include "analyze/validate/rrset.h"

#define HABIT_KEYS_MAX  8192 /* keys remembered, 1 KiB each; the least lately used gives way */
#define HABIT_KEY_BYTES 1100 /* longest DNSKEY rdata that is (RSA with 8192 bits) */

struct habits; /* opaque */

struct habits *habits_new(uint64_t seed);
void habits_free(struct habits *);

/* How the signature compares: what is known of its key so far. False: nothing yet. `known`, of
 * `known_count`, are the zone's other keys as DNSKEY rdata. */
struct habit_rdata {
    const uint8_t *bytes;
    uint16_t size;
};
bool habits_describe(struct habits *, const uint8_t *zone, const struct key *, const struct rrset *,
                     const struct fact_signature *, const struct habit_rdata *known,
                     size_t known_count, struct fact_habit *ret);
/* The same of a signature that the owner shows: when it was made is not known. `rdata`: of the
 * DNSKEY. In the order of their inception. */
void habits_state(struct habits *, const uint8_t *zone, const uint8_t *rdata, uint16_t rdata_size,
                  uint16_t type, const struct fact_signature *);
/* Nothing is known of the key any more. */
void habits_unlearn(struct habits *, const uint8_t *zone, const struct key *);
/* It was made as it should be: one more to know the key by. */
void habits_learn(struct habits *, const uint8_t *zone, const struct key *, const struct rrset *,
                  const struct fact_signature *);

/* One key's as bytes, to be kept; sorted by zone and key. `text` is base64, NUL-terminated. */
typedef void habits_on_kept(void *context, const uint8_t *zone, int64_t last_ns, const char *text);
void habits_write(const struct habits *, habits_on_kept *, void *context);
/* Reads what habits_write wrote. False if it is malformed. */
bool habits_read(struct habits *, const uint8_t *zone, int64_t last_ns, const uint8_t *bytes,
                 size_t size);

#endif
