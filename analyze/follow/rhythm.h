/*
 * rhythm: how late a zone's signer is wont to sign anew, learned from signatures that it replaced.
 *
 * Contained in: analyze, tests. Looked at are RRsets that the zone's own servers served (AA=1) with
 * a signature that was valid then. Where the same records come with a newer signature by the same
 * key, that signer has refreshed them, and the life that the old one had left, and its age, are
 * what it let pass: known from above by when the new one was first seen, so that what is learned
 * errs on the side of patience. It counts only where the moment is known well, that is where the
 * old signature was seen shortly before, or the new one was made shortly before it was seen. RRsets
 * whose records changed tell nothing: they had to be signed. Signatures made within an hour are one
 * cycle, however many RRsets they are over.
 *
 * Apart per zone, for keys (DNSKEY, CDS, CDNSKEY) and for all else, and per key. A refresh much
 * later than all before is a lapse and not learned, unless another one follows.
 *
 * Survives the run in keys.dnsbailiff (analyze/follow/keep.h): a cycle takes days to weeks.
 */
#ifndef ANALYZE_FOLLOW_RHYTHM_H
#define ANALYZE_FOLLOW_RHYTHM_H

#include "analyze/facts.h"

/* Zones (twice: keys and data) remembered, 2.5 KiB each; the least lately used gives way. */
#define RHYTHM_ZONES_MAX 4096
#define RHYTHM_KEYS_MAX  4  /* signing keys of each: a roll shows two; the least lately used goes */
#define RHYTHM_RRSETS    24 /* RRsets of each that are watched; one unseen for a day gives way */

struct rhythms; /* opaque */

struct rhythms *rhythms_new(uint64_t seed);
void rhythms_free(struct rhythms *);

/* An RRset as an authority served it, with the newest of its valid signatures. */
struct rhythm_sight {
    const uint8_t *zone, *owner, *key; /* key: DNSKEY rdata */
    uint16_t type, key_size;
    uint64_t records;              /* hash of them; the same in every run */
    int64_t inception, expiration; /* seconds since 1970 */
    int64_t time_ns;               /* packet time */
    uint8_t family;                /* of the server's address */
    const uint8_t *address;        /* 16 bytes */
};

/* Learns from it. True: there is something to judge, in *ret: the signature is older than those
 * that were replaced, or an earlier one was found so (rhythms_told). Sets all but `outdated` and
 * `lately` of it. */
bool rhythms_see(struct rhythms *, const struct rhythm_sight *, struct fact_rhythm *ret);
/* What was seen last was found overdue: until the signer signs again, all that it signed is to be
 * judged. */
void rhythms_told(struct rhythms *, const struct rhythm_sight *);

/* One zone's as bytes, to be kept; sorted by zone. `text` is base64, NUL-terminated. */
typedef void rhythms_on_kept(void *context, const uint8_t *zone, int64_t last_ns, const char *text);
void rhythms_write(const struct rhythms *, rhythms_on_kept *, void *context);
/* Reads what rhythms_write wrote. False if it is malformed. */
bool rhythms_read(struct rhythms *, const uint8_t *zone, int64_t last_ns, const uint8_t *bytes,
                  size_t size);

#endif
