/*
 * vouched: who let a key into its zone, and until when a validator may take it.
 *
 * Contained in: analyze, tests. From everything that was observed of the zone, whenever that was:
 * for the reports, no verdict looks at it.
 *
 * The way down is DS, DNSKEY RRset, data, each with signatures that end, and what was validated by
 * one stays in caches for its TTL, though never beyond its own signature (RFC 4035 5.3.3). So a key
 * that stands in a DNSKEY RRset is taken at most until
 *
 *     min(end of RRSIG(DNSKEY), end of RRSIG(DS) + TTL of the DNSKEY RRset)
 *
 * where the DS counts only if the owner did not declare it: a declared one is signed anew for as
 * long as the zone is. Where the key that signed the DS hangs on such a DS itself, the DS ends with
 * that key, and its own TTL. Of several ways the one that lasts longest counts.
 */
#ifndef ANALYZE_TELL_VOUCHED_H
#define ANALYZE_TELL_VOUCHED_H

#include "analyze/jline.h"
#include "analyze/validate/world.h"

struct vouched {
    bool asked;  /* what the parent has, or an anchor, is known, and every signature was checked: so
                    it is known whether there is a way */
    bool taken;  /* a key that one of these names signs a DNSKEY RRset with the key in it */
    bool named;  /* it is such a key itself */
    bool beside; /* a key that the baseline declares is in such an RRset, whoever signed that */
    int64_t dnskey_expiration; /* of that way; seconds since 1970 */
    int64_t ds_expiration;     /* INT64_MAX: no bound, by a declared DS or an anchor */
    int64_t until;             /* the minimum above */
};

struct vouched vouched_key(const struct world *, const struct zone *, const uint8_t *rdata,
                           uint16_t size, int64_t clock_ns);
/* The keys whose signatures over a DNSKEY RRset that holds this key verify, as an array of tags. */
void vouched_put_by(struct jline *, const struct zone *, const uint8_t *rdata, uint16_t size);

#endif
