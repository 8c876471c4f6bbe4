/*
 * world: what has been learned from the traffic: zones, their keys, and what hangs on them.
 *
 * Contained in: analyze, tests. One struct, so that the validator has no hidden state: anchors,
 * baseline and settings go in, RRsets are shown to it, and every judgement is a function of these
 * and a packet time.
 */
#ifndef ANALYZE_VALIDATE_WORLD_H
#define ANALYZE_VALIDATE_WORLD_H

#include "analyze/declared/anchor.h"
#include "analyze/declared/baseline.h"
#include "analyze/validate/rrset.h"
#include "sandbox/settings.h"

/* Different DNSKEY (or DS) RRsets remembered of a zone: a roll shows three or four, servers that
 * disagree double that; the oldest untrusted one gives way. */
#define ZONE_VARIANTS 8
/* Keys of a zone ever decoded. RFC sense: a DNSKEY RRset over 64 KiB cannot hold more than ~1000
 * small keys; a zone that shows more is a KeyTrap. */
#define ZONE_KEYS_MAX 256
/* Answers waiting for one observation. */
#define ZONE_WAITERS_MAX 65536
/* RRsets of one proof: SOA apart, at most three NSEC3 (RFC 5155 7.2.2). */
#define PROOF_SETS_MAX 4

struct denial_trace;

enum trust_state { TRUST_UNKNOWN, TRUST_SECURE, TRUST_INSECURE, TRUST_BOGUS };

struct trust { /* what a zone's keys are worth at a packet time */
    enum trust_state state;
    enum reason reason;
    uint32_t version; /* grows whenever anything above or below here changes */
    uint8_t trusted;  /* bit i: dnskey[i] is validly signed by a key that a DS or an anchor names */
    bool pinned;      /* keys declared in the baseline stand in for what was not observed */
    bool only_pinned; /* and no anchor or DS was observed to confirm them */
    /* Here or above declared keys stand in: what observation alone comes to, and what responses are
     * told for as long as it does. NONE: all was observed. The state serves the rules. */
    enum reason unproven;
    struct zone *up;           /* the zone that decided (signer of the DS), NULL at an anchor */
    bool unseen;               /* the newest DS names keys that were not observed yet */
    bool orphaned;             /* the newest DS names no key that the zone was seen to have since */
    int64_t gone_ns;           /* and when the DS before it has left the caches */
    bool lapsed;               /* some DS has, which keys were trusted by */
    struct zone *missing;      /* UNKNOWN: what has to be observed first */
    int64_t from_ns, until_ns; /* packet times at which it holds */
    /* internal: what it was computed from */
    bool done;
    int64_t second; /* of the budget when it ran out */
    uint32_t observed, up_version;
    uint64_t births;
};

struct waiter;

struct zone {
    struct zone *next; /* of the same bucket */
    uint64_t hash;
    bool seen; /* something was observed (or declared) of it: else a placeholder that answers wait
                  at */
    uint8_t dnskeys, dss;
    struct rrset *dnskey[ZONE_VARIANTS], *ds[ZONE_VARIANTS];
    struct {                /* the last validated proof that there is no DS */
        enum reason reason; /* REASON_NONE: none seen; UNSIGNED_DELEGATION, OPT_OUT */
        struct zone *signer;
        struct rrset *proof[PROOF_SETS_MAX];
        int64_t seen_ns, from_ns, until_ns;
    } no_ds;
    struct { /* the last answer about its DS that proved nothing: the parent's, and not in order */
        enum reason reason; /* NONE: none seen */
        struct zone *signer;
        int64_t seen_ns;
    } bad_ds;
    struct zone *inside;   /* proven to be a name in this zone, not a zone; NULL: not proven */
    enum reason no_dnskey; /* DNSKEY_MISSING, or SIG_MISSING: the DNSKEY RRset came unsigned */
    int64_t no_dnskey_ns;  /* the zone (not its parent) answered that it has no DNSKEY; INT64_MIN
                              never */
    struct key *keys;
    unsigned key_count;
    uint64_t failed; /* signature checks in that second, the first of an RRset apart */
    int64_t failed_second;
    uint64_t verified, refuted;  /* checks of its signatures that were charged to the budget */
    uint64_t ahead, ahead_round; /* checks queued in that round of analyze/validate/ahead.h */
    const struct baseline_zone *baseline; /* declared keys, or NULL */
    bool anchored;
    bool kept;         /* an anchor or a baseline is at or below it: never forgotten */
    bool gone;         /* internal to world_forget */
    uint32_t observed; /* grows when a DNSKEY, DS or proof is new */
    struct trust trust;
    enum reason told; /* what the rules were last told of its trust */
    bool told_orphaned;
    const struct rrset *newest_ds; /* by the last look at its trust; only to be compared with */
    uint32_t told_version;
    bool roused; /* its waiters are to be judged again whatever its trust has become */
    struct {     /* its trust when they last were */
        enum trust_state state;
        enum reason reason;
        const struct zone *missing;
        uint64_t trusted; /* sum of the hashes of the DNSKEY RRsets that were */
        bool unseen;
        enum reason unproven;
    } settled;
    struct waiter *waiters;
    unsigned waiting;
    /* for the report */
    uint64_t answers[5]; /* by enum verdict_kind */
    enum reason last_reason;
    struct usage *usage;     /* analyze/follow/usage.h; NULL: nothing noted */
    struct servers *servers; /* analyze/follow/servers.h; NULL: nothing noted */
    struct roll *roll;       /* analyze/follow/roll.h; NULL: no key was seen from its own servers */
    struct denials *denials; /* analyze/follow/denials.h; NULL: none */
    struct contradictions *contradictions; /* analyze/follow/contradiction.h; NULL: none */
    struct views *views;                   /* analyze/follow/views.h; NULL: nothing noted */
    bool views_disputed;                   /* … and its repeated answers are wanted there */
    int64_t disputed_until_ns;             /* until then its repeated answers are noted there */
    uint64_t listed;                       /* its state when the inventory last named it */
    bool refutable;       /* findings are open that repetitions may refute (tell_again.c) */
    int64_t again_second; /* in which so many repetitions were told to the rules */
    unsigned again_count;
    uint8_t name_size;
    uint8_t name[];
};

/* What a message may have too much of, the most telling first. */
enum budget_kind {
    BUDGET_COLLISIONS, /* keys with one tag, signatures, to be tried with each other */
    BUDGET_SIGNATURES, /* signature checks of a message */
    BUDGET_HASHES,     /* NSEC3 hashes of a message */
    BUDGET_KEYS,       /* keys of a zone */
    BUDGET_RECORDS,    /* records, owners, RRsets of a message */
    BUDGET_ZONE,       /* failing signature checks of a zone in a second */
    BUDGET_SECOND,     /* signature checks of a second */
    BUDGET_FAILING,    /* time for checks that fail, altogether */
    BUDGET_ZONES,      /* zones altogether */
    BUDGET_KINDS
};

struct budget { /* signature checks and NSEC3 hashes; settings.h says how many */
    uint64_t message_left, second_left, hashes_left;
    int64_t second;
    int64_t failing_us;            /* time left for checks that fail (world_earn) */
    uint64_t earned_frame;         /* up to which time was earned */
    int64_t earned_ns;             /* the same in packet time, live only */
    uint64_t round;                /* of checks ahead */
    uint64_t message;              /* grows with world_begin */
    uint64_t exhausted;            /* times it ran out */
    unsigned ran_out;              /* what of, since world_begin: 1 << enum budget_kind */
    uint64_t checks, hits, hashes; /* for the statistics */
};

struct world {
    const struct settings *settings;
    const struct anchors *anchors;
    const struct baseline *baseline;
    struct rrsets *rrsets;
    uint8_t *signed_data; /* room for one RRset's, RRSET_SIGNED_MAX bytes */
    struct budget budget;
    int64_t packet_ns; /* time of the message in hand */
    uint64_t seed, births;
    size_t zone_buckets, zone_count, zone_bytes, zones_max;
    struct zone **zone_bucket;
    uint64_t forgotten; /* times that memory ran out and the tables were dropped */
    /* zones whose waiters must be looked at (analyze/validate/answer.c) */
    struct zone **stirred;
    size_t stirred_count, stirred_room;
    /* the steps of denials (analyze/validate/denial.h), emptied by world_begin; NULL: nobody wants
     * them */
    struct denial_trace *trace;
};

int world_init(struct world *, const struct settings *, const struct anchors *,
               const struct baseline *, uint64_t seed);
void world_fini(struct world *);

/* The zone of that name, made if absent (NULL: no memory or too many). */
struct zone *world_zone(struct world *, const uint8_t *name);
/* The same, or NULL if nothing is known of it. */
struct zone *world_find(const struct world *, const uint8_t *name);
/* The deepest zone with observations that `name` lies in; with `above`, strictly above it. NULL
 * none. */
struct zone *world_over(const struct world *, const uint8_t *name, bool above);
/* The deepest zone known that the question lies in, or NULL: then, too, when the baseline says that
 * it lies below a cut of that zone. */
struct zone *world_home(const struct world *, const uint8_t *qname, uint16_t qtype,
                        int64_t clock_ns);
/* Is there a trust anchor at or above the name that is valid at that time? [*from_ns, *until_ns] is
 * narrowed to times at which the answer is the same. */
bool world_anchored(const struct world *, const uint8_t *name, int64_t time_ns, int64_t *from_ns,
                    int64_t *until_ns);

/* Shows a DNSKEY or DS RRset of the zone, new or again. Returns true if it was not known. */
bool world_show_dnskey(struct world *, struct zone *, struct rrset *, int64_t time_ns);
bool world_show_ds(struct world *, struct zone *, struct rrset *, int64_t time_ns);
/* Records a validated proof of no DS (at most PROOF_SETS_MAX RRsets). True if that changes
 * anything. */
bool world_show_no_ds(struct world *, struct zone *, enum reason, struct zone *signer,
                      struct rrset *const *proof, size_t proofs, int64_t time_ns, int64_t from_ns,
                      int64_t until_ns);
/* The parent's servers were asked, and what they said is bogus for this reason: neither DS nor its
 * absence. */
void world_show_bad_ds(struct world *, struct zone *, enum reason, struct zone *signer,
                       int64_t time_ns);
void world_show_no_dnskey(struct world *, struct zone *, enum reason, int64_t time_ns);
/* The name is proven to be no cut of `zone` but a name in it: answers that wait there may be
 * judged. */
void world_show_inside(struct world *, const uint8_t *name, struct zone *zone);

/* The decoded key with this DNSKEY rdata, kept with its zone; NULL when the zone has too many. */
struct key *world_key(struct world *, struct zone *, const uint8_t *rdata, uint16_t size);

/* The budget ran out of something. */
static inline void world_exhausted(struct world *w, enum budget_kind kind)
{
    w->budget.exhausted++;
    w->budget.ran_out |= 1u << kind;
}

/* Begins a message of that packet time: refills the budgets. */
void world_begin(struct world *, int64_t time_ns);
/* Every frame earns a little time for signature checks that fail, up to BUDGET_FAILING_US: so a
 * capture that packs an attack into few seconds cannot make its replay slow. In live capture, where
 * time passes by itself, a fifth of it is earned too. In the order of judgements. */
#define BUDGET_FAILING_US 250000
void world_earn(struct world *, uint64_t frame, int64_t time_ns);

/* Is there no room for another zone? The last quarter is for zones: none of it for names that are
 * only waited at. */
static inline bool world_full(const struct world *w)
{
    return w->zone_count >= w->zones_max;
}

static inline bool world_crowded(const struct world *w)
{
    return w->zone_count >= w->zones_max / 4 * 3;
}

/* Drops zones until RRsets and zones use at most `goal` bytes, the least telling first: names that
 * only answers wait at, zones whose keys are not trusted, all others. Never those that are kept: an
 * anchor, a declared zone, and all above them, so that what is bogus by what the parents of a
 * declared zone said can never become secure by its declared keys alone. Elsewhere less knowledge
 * makes a verdict indeterminate: secure rests on what was seen only. RRsets that are not held are
 * dropped too; answers and all that waits must be gone. */
void world_forget(struct world *, size_t goal);

#endif
