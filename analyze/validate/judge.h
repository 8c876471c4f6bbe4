/*
 * judge: from trust anchor over DS and DNSKEY to an RRset, at a packet time (RFC 4035 5, RFC 6840).
 *
 * Contained in: analyze, tests. A judgement holds for a window of packet times and for one version
 * of the trust in one zone; inside both it is a look-up. Never turns "not observed" into "bogus":
 * what lacks an observation is indeterminate, and so is what rests on a link that has run out.
 */
#ifndef ANALYZE_VALIDATE_JUDGE_H
#define ANALYZE_VALIDATE_JUDGE_H

#include "analyze/validate/world.h"

/* The reason (and so the verdict) of a signed RRset, from its signatures alone: a wildcard's
 * missing proof and an absent signature are the response's matter. Fills set->judged. */
enum reason judge_rrset(struct world *, struct rrset *, int64_t time_ns);

/* The check that judge_rrset would ask for first, as far as can be told now: the key, with the
 * signature in *ret_signature and the key's zone in *ret_zone, or NULL if none or already done. */
struct key *judge_next_check(struct world *, struct rrset *, struct signature **ret_signature,
                             struct zone **ret_zone);

/* Does a signature of the RRset verify with the key of this rdata, whatever the key's flags and the
 * time say? */
bool judge_signed_with(struct world *, struct rrset *, const uint8_t *key_rdata, uint16_t size);

/* The state of one signature of the RRset as the rules want it; ret may name times and the signer.
 */
void judge_signature(struct world *, struct rrset *, struct signature *, int64_t time_ns,
                     struct fact_signature *ret);

/* The DNSKEY and DS frames that the zone's trust rests on, anchor side last; returns how many (<=
 * room). */
size_t judge_chain_frames(const struct world *, const struct zone *, uint64_t *ret_frames,
                          size_t room);

#endif
