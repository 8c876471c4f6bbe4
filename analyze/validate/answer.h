/*
 * answer: a response as the validator sees it: the question, its RRsets, and its verdict, kept once
 * for each distinct content, so that a repetition costs a look-up and a missing DNSKEY or DS can
 * revise it later.
 *
 * Contained in: analyze, tests.
 */
#ifndef ANALYZE_VALIDATE_ANSWER_H
#define ANALYZE_VALIDATE_ANSWER_H

#include "analyze/decode/flow.h"
#include "analyze/decode/message.h"
#include "analyze/decode/pair.h"
#include "analyze/validate/inside.h"
#include "analyze/validate/world.h"

/* RRsets of a response that its verdict looks at (answer and authority section). */
#define ANSWER_SETS_MAX    64
#define ANSWER_SETS_INLINE 8 /* nearly every response has fewer */
/* Zones that a verdict may depend on and still be remembered; more are judged anew each time. */
#define ANSWER_ZONES_MAX  6
#define ANSWER_FRAMES_MAX 8

enum answer_kind {
    ANSWER_POSITIVE, /* data for the question, or an alias on the way to it */
    ANSWER_NXDOMAIN,
    ANSWER_NODATA,
    ANSWER_REFERRAL,
    ANSWER_OTHER /* nothing to judge: `reason` says why from the start */
};

/* Where a response was seen since that was passed on to its RRsets (analyze/tell/sighting.h). */
struct sighting_tally {
    uint64_t count; /* from `server`, which sent it last */
    int64_t first_ns, last_ns;
    const struct sighting_server *server;
    struct sighting_others *others; /* malloc'd, or NULL */
    struct answer *next;            /* that is to be passed on */
    bool queued;
};

struct answer_set {
    struct rrset *set;
    uint32_t ttl; /* in the first such response; the smallest of its records */
    uint8_t section;
};

struct answer {
    struct answer *next; /* of the same bucket */
    uint64_t hash;
    enum answer_kind kind;
    uint16_t qtype, rcode, id, flags;
    bool do_bit, do_known; /* the query asked for DNSSEC records; known from the query or the
                              response's OPT */
    bool dnssec_aware; /* AA=1, or the response's OPT has DO: an absent signature means something */
    bool rewritten; /* the resolver says that it made the answer itself, by a policy of its own */
    bool aa_from_apex; /* AA=1 and the authority section names the zone by its NS: it is not below a
                          cut */
    uint8_t sets, frame_count, qname_size;
    struct answer_set set[ANSWER_SETS_INLINE];
    struct answer_set *more; /* the rest, malloc'd, or NULL */
    /* first observation, for events */
    struct flow flow;
    int64_t time_ns;
    uint64_t frame, query_frame;
    uint64_t frames[ANSWER_FRAMES_MAX];
    uint16_t source, interface;
    uint8_t ede_count; /* the responder's own opinion beside the AD bit: RFC 8914 info codes */
    uint16_t ede[MESSAGE_EDES_MAX];
    uint64_t count;
    int64_t last_seen_ns, flow_last_ns; /* by anyone; along `flow`'s addresses */
    struct sighting_tally seen;
    /* verdict */
    enum reason reason;
    enum reason held;  /* the same by declared keys, too; NONE: they had no say (answer_held) */
    struct zone *zone; /* whose keys or whose absence decided */
    const struct rrset *by; /* RRset that decided, or NULL */
    struct zone *no_ds_of;  /* this response proved that the zone has no DS */
    bool judged, told;
    bool holds_keys;   /* a DNSKEY or DS RRset is among the sets */
    uint8_t turns;     /* as those of its RRsets */
    bool has_findings; /* as of findings_epoch (analyze/tell/tell.c) */
    uint32_t findings_epoch;
    uint32_t contest_epoch;  /* when analyze/follow/contest.c last looked at it */
    bool contested;          /* … and wants it each time */
    struct finding *finding; /* that it supports as a whole, not by one of its RRsets, or NULL */
    uint8_t counted_as;      /* enum verdict_kind under which the repetitions below are counted */
    uint64_t counted;        /* responses, so that a revision can move them */
    struct zone *counted_for;
    enum reason told_reason;
    const struct zone *told_zone;
    int64_t from_ns, until_ns;
    int64_t rhythm_ns; /* when analyze/tell/tell_rhythm.h looks at it again */
    uint64_t births;
    uint8_t zones;
    struct {
        struct zone *zone;
        uint32_t version;
    } depends[ANSWER_ZONES_MAX];
    /* what it tells of servers (analyze/tell/tell_servers.c) */
    uint64_t glue;           /* a referral: which addresses it gives (rrset_glue), 0 none */
    uint8_t serves;          /* enum serves; 0: not looked at */
    uint8_t carried;         /* a transfer: RRs in the answer section, 2 for more */
    struct zone *serves_for; /* of which zone */
    bool volatile_verdict;   /* depends on more than is recorded here */
    uint32_t wait_stamp;
    /* what resolvers made of it (analyze/follow/health.c) */
    struct zone *home;       /* world_home of the question, NULL unknown or not looked for */
    uint64_t question;       /* hash of name and type, 0 not computed */
    struct finding *vouched; /* AD=1 although it is bogus */
    int64_t excuse_ns;
    /* what analyze/follow/roll.h makes of it: who signs its RRsets, and how long caches keep them
     */
    uint8_t roll_groups;
    uint16_t roll_stamp;
    uint32_t roll_ttl;
    const uint8_t *qname; /* behind this struct, or in the draft */
};

/* Who is asked to recurse, and does, is a resolver, also where it sets AA on what its operator put
 * there to block a name or to send it elsewhere. */
static inline bool answer_of_resolver(const struct answer *a)
{
    return (a->flags & (DNS_RA | DNS_RD)) == (DNS_RA | DNS_RD);
}

static inline const struct answer_set *answer_nth(const struct answer *a, size_t i)
{
    return i < ANSWER_SETS_INLINE ? &a->set[i] : &a->more[i - ANSWER_SETS_INLINE];
}

/* What the rules go by: keys that the owner declared stand in for what was not observed. The
 * verdict, `reason`, waits for the chain. */
static inline enum reason answer_held(const struct answer *a)
{
    return a->held == REASON_NONE ? a->reason : a->held;
}

/* The first RRset of that type in that section, or NULL. */
static inline struct rrset *answer_find(const struct answer *a, uint8_t section, uint16_t type)
{
    for (size_t i = 0; i < a->sets; i++) {
        const struct answer_set *s = answer_nth(a, i);
        if (s->section == section && s->set->type == type)
            return s->set;
    }
    return NULL;
}

struct answers { /* the table, and the world it is judged by */
    struct world world;
    struct inside *inside;
    struct inside *addresses; /* IPv4 addresses of names, validated */
    struct answer **bucket;
    size_t buckets, entries, bytes;
    size_t noted_bytes; /* of what the history is to be told (analyze/tell/sighting.h) */
    size_t floor;       /* bytes that the last answers_forget could not drop */
    uint64_t waiting;
    uint64_t retro;      /* verdicts revised later */
    int64_t recalled_ns; /* the latest time of what was recalled, 0 nothing */
    /* called when a verdict is first reached or has changed; `retro`: later than the packet */
    void (*on_verdict)(void *context, const struct answer *, bool retro);
    /* called after each judgement, so that the rules learn what is new (analyze/tell/tell.c) */
    void (*on_judged)(void *context, struct answer *, bool retro);
    void *context;
};

/* The clock that judges: packet time, or the fixed time of --at. */
static inline int64_t answers_clock(const struct answers *t, int64_t packet_ns)
{
    return t->world.settings->at == AT_FIXED ? t->world.settings->at_ns : packet_ns;
}

int answers_init(struct answers *, const struct settings *, const struct anchors *,
                 const struct baseline *, uint64_t seed);
void answers_fini(struct answers *);
/* Memory in use by everything learned. When answers_must_forget says so, answers_forget drops the
 * answers, the RRsets, and as many zones as needed (world_forget). */
size_t answers_bytes(const struct answers *);
bool answers_must_forget(const struct answers *);
/* Is the AAAA RRset what a DNS64 resolver makes of the name's IPv4 addresses for clients that leave
 * validation to it (RFC 6147 5.5)? */
bool answers_translated(const struct answers *, const struct answer *, const struct rrset *);
void answers_forget(struct answers *);

/* A response on its way into the table: read, but not yet judged. */
struct draft {
    struct answer answer;
    bool fresh; /* one of its RRsets was not known before */
    uint8_t qname[NAME_MAX_BYTES];
    struct answer_set more[ANSWER_SETS_MAX - ANSWER_SETS_INLINE];
};

struct ahead;

/* First step, which changes no verdict: reads the response and, with `ahead` (may be NULL), queues
 * the signature checks that its judgement will ask for. `query` may be NULL. Valid until
 * answers_forget. */
void answers_draft(struct answers *, const struct datagram *, const struct dns_message *,
                   const struct query *query, struct ahead *, struct draft *ret);
/* Second step, in the order of the responses: finds or makes the record, judges it, makes the
 * callbacks. The record is valid until answers_forget; *ret_new says that it, or an RRset of it,
 * was not known before. NULL: no memory. */
struct answer *answers_commit(struct answers *, struct draft *, const struct datagram *,
                              bool *ret_new);
/* Second step for what an earlier run kept: its keys, DS and proofs become known, judged at the
 * time of the draft. No record, no callback; RRsets are marked as recalled. */
void answers_recall(struct answers *, struct draft *);
/* The same response once more (the caller has compared the bytes). */
void answers_again(struct answers *, struct answer *, const struct datagram *);
/* Judges again what waited for the zones that were stirred. Called by the two above. */
void answers_settle(struct answers *);

#endif
