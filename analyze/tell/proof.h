/*
 * proof: RRsets with their signatures and the chain above them as zone-file lines, so that anyone
 * can check them with tools of their own (RFC 1035 5, RFC 4035 5).
 *
 * Contained in: analyze, tests. TTLs are the original ones of the signatures. Allocates: for what
 * is reported, not for what passes by.
 */
#ifndef ANALYZE_TELL_PROOF_H
#define ANALYZE_TELL_PROOF_H

#include "analyze/validate/world.h"

#define PROOF_LINES_MAX 96 /* of one part; longer sets are no evidence anyone reads */

struct proof_part {
    char *line[PROOF_LINES_MAX];
    size_t count;
    bool more; /* not all of it fitted */
};

struct proof {
    struct proof_part first, second, chain;
};

void proof_fini(struct proof *);
/* Adds the records of the RRset, then its RRSIGs. */
void proof_set(struct proof_part *, const struct rrset *);
/* Adds the DNSKEY RRset with the key, the DS RRset above, and so on up to the anchor. */
void proof_chain(struct proof_part *, struct world *, struct zone *, const struct key *,
                 int64_t clock_ns);

#endif
