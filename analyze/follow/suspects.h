/*
 * suspects: valid signatures that were made otherwise than those of the owner's zone file, until it
 * is known whether the zone's signer has changed, or another hand has the key.
 *
 * Contained in: analyze, tests. Whoever changes a zone signs its SOA, too: where the server that
 * showed the signature shows a SOA thereafter that is signed as in the file, that was not the
 * signer. A SOA that is signed otherwise means that the file tells no more how the zone is signed.
 */
#ifndef ANALYZE_FOLLOW_SUSPECTS_H
#define ANALYZE_FOLLOW_SUSPECTS_H

#include "analyze/declared/baseline.h"
#include "analyze/follow/habit.h"
#include "analyze/validate/answer.h"

/* Waiting at a time; the oldest gives way. Only signatures by declared zones' own keys come here.
 */
#define SUSPECTS_MAX 64
/* A server that shows the SOA so long after is not just about to get the zone that goes with the
 * signature. */
#define SUSPECTS_SETTLED_NS INT64_C(60000000000)

struct suspect {
    uint8_t zone[NAME_MAX_BYTES], owner[NAME_MAX_BYTES];
    uint16_t type;
    struct fact_signature signature; /* its signer is `zone` */
    struct fact_habit stated;
    uint8_t family, address[16]; /* of the server */
    int64_t time_ns;
    uint64_t frames[RRSET_FRAMES_MAX];
    uint8_t frame_count;
};

struct suspects; /* opaque */

/* What the zone files of the baseline show of their signers. NULL: nothing, or no memory. */
struct habits *suspects_stated(const struct baseline *, uint64_t seed);

struct suspects *suspects_new(void);
void suspects_free(struct suspects *);
size_t suspects_count(const struct suspects *);

/* Is it unlike all that the file shows of its key? Over keys it never is: they are signed seldom,
 * elsewhere, and without the SOA. */
bool suspects_unlike(const struct fact_habit *stated, const struct fact_signature *);
void suspects_add(struct suspects *, const struct zone *, const struct answer *,
                  const struct rrset *, const struct fact_signature *,
                  const struct fact_habit *stated);
/* None of that zone any more. */
void suspects_drop(struct suspects *, const uint8_t *zone);
/* The server showed a SOA that is signed as in the file, by that key: takes out one by the same key
 * that it confirms, or by one that signs nothing of the kind in the file; call until false. */
bool suspects_take(struct suspects *, const struct zone *, const struct key *, const struct flow *,
                   int64_t time_ns, struct suspect *ret);

#endif
