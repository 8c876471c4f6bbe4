/*
 * tell_servers: what responses say of the servers of a zone, as facts for the rules.
 *
 * Contained in: analyze, tests. Only responses to a query that was seen count: whoever sends one
 * unasked would speak in a server's name.
 */
#ifndef ANALYZE_TELL_TELL_SERVERS_H
#define ANALYZE_TELL_TELL_SERVERS_H

#include "analyze/tell/tell.h"

/* What a response is of interest for; bits. Found out once for each distinct response. */
enum serves {
    SERVES_LOOKED = 1,
    SERVES_SETS = 2,      /* AA=1, and SOA, NS, DNSKEY, CDS or CDNSKEY of its zone */
    SERVES_DECLARED = 4,  /* AA=1, of a zone in the baseline */
    SERVES_REFERRAL = 8,  /* to the zone */
    SERVES_TRANSFER = 16, /* of a zone in the baseline */
    SERVES_NODATA = 32,   /* AA=1: the zone has no CDS, CDNSKEY or DNSKEY */
    SERVES_GLUE = 64      /* AA=1: an address of a name server that glue was seen of */
};

bool tell_servers_look(struct tell *, struct answer *, const struct datagram *);

/* A response, new or again. True: a fact cites, or may cite, its frames. */
static inline bool tell_servers(struct tell *t, struct answer *a, const struct datagram *dg,
                                const struct query *query)
{
    bool speaks =
        (a->flags & DNS_AA) || a->kind == ANSWER_REFERRAL || a->qtype == 251 || a->qtype == 252;
    /* Its zone may become known later: then and again it is looked for. */
    bool idle = a->serves == SERVES_LOOKED && (a->count & (a->count - 1)) != 0;
    if (query == NULL || !speaks || idle)
        return false;
    return tell_servers_look(t, a, dg);
}

/* A response was judged later than it came: what it says of servers may not have been understood,
 * its zone being unknown. */
void tell_servers_judged(struct tell *, struct answer *);

/* What is common to facts about a zone from the response `dg`; `a` NULL: from none. */
struct fact tell_servers_about(struct tell *, const struct zone *, enum fact_kind,
                               const struct answer *a, const struct datagram *);
/* To the rules, with what the baseline says of `type` there. */
void tell_servers_give(struct tell *, const struct zone *, uint16_t type, struct fact *);
struct servers_told;
/* Is it to be told, that they differ, or no longer? */
bool tell_servers_due(struct servers_told *, int64_t time_ns, bool differ);

/* The recording ends: what could not be said before, because more might follow. */
void tell_servers_final(struct tell *, int64_t time_ns);

#endif
