/*
 * receivers: who was sent the data that a finding is about, and by whose doing.
 *
 * Contained in: analyze, tests. An address, the first and last time, how often: for the first
 * RECEIVERS_MAX addresses of a finding; responses to others are counted. The keys whose signatures
 * over that data verify, and whether it came from the parent. Looked at only for responses that
 * support a finding.
 */
#ifndef ANALYZE_FOLLOW_RECEIVERS_H
#define ANALYZE_FOLLOW_RECEIVERS_H

#include "analyze/decode/flow.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECEIVERS_MAX     32
#define RECEIVERS_SIGNERS 8 /* keys of one finding; a roll of two algorithms has four */

struct finding;

struct receiver {
    uint8_t family, address[16];
    bool from_authority; /* AA=1 or RA=0: it asked a zone's servers, as resolvers do */
    uint64_t count, first_frame, last_frame;
    int64_t first_ns, last_ns;
};

struct receivers_signer {
    uint16_t size;
    uint8_t rdata[]; /* of the DNSKEY */
};

struct receivers_of { /* one finding's */
    const struct finding *finding;
    uint64_t count;  /* responses */
    uint64_t others; /* of them, to addresses beyond the list */
    size_t receivers;
    struct receiver receiver[RECEIVERS_MAX];
    bool referral; /* it was in a referral: the parent says so */
    size_t signers;
    struct receivers_signer *signer[RECEIVERS_SIGNERS];
};

struct receivers; /* opaque */

struct receivers *receivers_new(void); /* NULL without memory */
void receivers_free(struct receivers *);
/* A response with data of this finding was sent along `flow`; a frame counts once. True: so few had
 * it, or it is so long since, that what else it shows is worth a look. */
bool receivers_note(struct receivers *, const struct finding *, const struct flow *,
                    bool is_authority, int64_t time_ns, uint64_t frame);
/* That data was in a referral; a signature by this key over it verifies. */
void receivers_referred(struct receivers *, const struct finding *);
void receivers_signed(struct receivers *, const struct finding *, const uint8_t *rdata,
                      uint16_t size);
/* What is known of that finding, or NULL. */
const struct receivers_of *receivers_find(const struct receivers *, const struct finding *);

#endif
