/*
 * trust: what a zone's keys are worth: anchors, DS and DNSKEY RRsets, declared keys (RFC 4035 5.2,
 * RFC 6840 5.11).
 *
 * Contained in: analyze, tests.
 */
#ifndef ANALYZE_VALIDATE_TRUST_H
#define ANALYZE_VALIDATE_TRUST_H

#include "analyze/validate/attempt.h"

/* What the zone's keys are worth at `time_ns`; computed anew only if something it rests on has
 * changed. Borrowed until the next call for the same zone. */
const struct trust *trust_zone(struct world *, struct zone *, int64_t time_ns);

/* What is told where `reason` was found under this trust: keys that an owner declared tell the
 * rules what to think of a signature, but a verdict waits for the chain. */
enum reason trust_told(const struct trust *, enum reason reason);

/* For the unsigned RRset or empty answer at `name`: the deepest zone whose trust is known, or NULL.
 * *ret is its trust. When the trust of the name itself hangs on an unseen cut the caller decides.
 */
struct zone *trust_enclosing(struct world *, const uint8_t *name, bool above, int64_t time_ns,
                             const struct trust **ret);

/* Does a DS set or an anchor promise that the zone is signed with something we can check? */
bool trust_promised(struct world *, struct zone *, int64_t time_ns);

/* By its last trust: does whoever asks for its chain anew get none, at it or above it? What others
 * have in their caches may be good still. */
bool trust_broken(const struct zone *);

/* CHAIN if a key that an anchor or a DS names signs this DNSKEY RRset of the zone, else the best
 * reason why not. */
enum reason trust_dnskey(struct world *, struct zone *, struct rrset *, int64_t time_ns,
                         struct window *holds);

#endif
