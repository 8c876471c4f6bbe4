/*
 * tell_cut: what parent and child say of the cut between them: NS, and what the child asks the
 * parent for by CDS and CDNSKEY (RFC 7344, RFC 8078), as facts for the rules.
 *
 * Contained in: analyze, tests.
 */
#ifndef ANALYZE_TELL_TELL_CUT_H
#define ANALYZE_TELL_TELL_CUT_H

#include "analyze/follow/servers.h"
#include "analyze/tell/tell.h"

/* The NS RRset of a referral, and of an authoritative answer of the zone. True: a fact cites, or
 * may cite, the frames of the response. */
bool tell_cut_parent(struct tell *, struct zone *, struct rrset *ns, const struct answer *,
                     const struct datagram *);
bool tell_cut_child(struct tell *, struct zone *, struct rrset *ns, const struct answer *,
                    const struct datagram *);
/* That server has just given its CDS, CDNSKEY or DNSKEY RRset. */
bool tell_cds(struct tell *, struct zone *, const struct server *, const struct answer *,
              const struct datagram *);

#endif
