/*
 * servers: what each server of a zone serves: its SOA serial, its DNSKEY, CDS and CDNSKEY RRsets,
 * and the keys that its SOA is signed with; and where servers differ, or one goes back.
 *
 * Contained in: analyze, tests. A server is an address that answered a question that was seen, with
 * AA=1; several machines may stand behind it. All times are packet times, and what is older than
 * what is known of the same server is left alone: packets overtake each other, and captures are
 * merged. Only what was seen counts: that two servers differ is claimed for times at which both
 * were observed, before and after, with what they differ in.
 *
 * Everything is bounded and counted with the zone's memory. Must never hold an RRset that it does
 * not count in rrset.held.
 */
#ifndef ANALYZE_FOLLOW_SERVERS_H
#define ANALYZE_FOLLOW_SERVERS_H

#include "analyze/decode/flow.h"
#include "analyze/validate/world.h"

#define SERVERS_MAX      16 /* of one zone; further ones are counted and not compared */
#define SERVERS_SERIALS  16 /* steps of a zone's serial that are remembered */
#define SERVERS_TAGS     FACT_SERVER_TAGS
#define SERVERS_AGAIN_NS INT64_C(1000000000)  /* the same difference is told once a second */
#define SERVERS_NEAR_NS  INT64_C(60000000000) /* observations so near are taken as of one time */
#define SERVERS_REFRESH_NS                                                                         \
    INT64_C(86400000000000) /* where no SOA was seen (RFC 1912 2.2: ≤ 12 h) */

struct server_set {    /* an RRset as one server serves it */
    bool known, moved; /* moved: it was seen to change */
    uint64_t hash;     /* 0: the server says that there is none */
    uint64_t rest;     /* SERVERS_KEYS: of the keys without SEP */
    int64_t since_ns, last_ns;
    uint64_t frame; /* where it was first seen so */
    uint64_t cited; /* where it was seen lately, while another server had another one; 0 none */
    int64_t cited_ns;
    uint32_t serial; /* of the SOA that carried it: SERVERS_SIGNERS only */
    size_t tags;
    uint16_t tag[SERVERS_TAGS]; /* of keys, or of signing keys */
};

struct server {
    uint8_t family, address[16];
    bool declared;           /* nothing against its address */
    struct finding *unknown; /* that it is none of the zone's servers */
    int64_t first_ns, last_ns;
    /* SOA */
    bool soa, moved;  /* seen; seen with another serial before */
    uint32_t serial;  /* now */
    uint64_t primary; /* hash of MNAME */
    int64_t soa_since_ns, soa_last_ns;
    uint64_t soa_frame; /* where it was first seen with this serial */
    uint64_t soa_cited; /* where it was seen lately, while another server had another; 0 none */
    int64_t soa_cited_ns;
    uint64_t version; /* hash of the SOA with its signatures: each version of a zone has its own */
    int64_t version_since_ns; /* when it took the place of another; INT64_MIN: not seen */
    int64_t behind_ns; /* another server has had a newer serial since; INT64_MIN: not behind */
    bool behind_began; /* and was seen to get it */
    /* its serial went back */
    bool back, back_known, balanced; /* known: the older one was current lately; balanced: it has
                                        gone back and forth before, as machines behind one address
                                        do */
    uint32_t peak;
    int64_t peak_since_ns, back_ns;
    uint64_t peak_frame;
    unsigned back_count;
    struct server_set set[SERVERS_WHATS]; /* by enum servers_what; none for SERVERS_SERIAL */
};

struct servers_serial { /* a serial of the zone, newer than those before it of the same primary */
    uint32_t serial;
    uint64_t primary;
    int64_t first_ns;
    uint64_t frame;
    uint8_t server;
    bool began; /* that server was seen with an older one before */
};

struct servers_told { /* of one difference */
    int64_t ns;
    bool differ, in_turns;
};

struct servers_ns {    /* the NS RRset as one side of the cut gives it */
    struct rrset *set; /* held; NULL: not seen */
    uint32_t ttl;
    int64_t since_ns, last_ns;
    uint64_t frame;
    bool moved;
};

struct servers_kept {  /* the newest RRset of a kind, whichever server gave it */
    struct rrset *set; /* held; NULL: not seen, or withdrawn */
    uint64_t hash;     /* as in struct server_set: tells whether another server has the same */
};

struct servers {
    size_t count, room;
    uint64_t more; /* observations of further servers */
    struct server *server;
    uint32_t refresh, expire; /* of the newest SOA, seconds */
    struct servers_serial serial[SERVERS_SERIALS];
    size_t serials;
    struct servers_told told[SERVERS_WHATS];
    struct servers_ns parent, child;
    struct servers_told told_ns;
    struct glues *glues;                     /* analyze/follow/glue.h; NULL: none */
    struct servers_kept kept[SERVERS_WHATS]; /* DNSKEY, CDS and CDNSKEY RRset */
    struct servers_told told_cds;
    int64_t refused_from_ns; /* refused transfers in the hour that began then */
    uint32_t refused;
};

/* The tracker of that zone, made if absent; NULL without memory. */
struct servers *servers_of(struct world *, struct zone *);
/* Frees it and lets the RRsets go; returns how many bytes it took. NULL is fine. */
size_t servers_free(struct servers *);
/* The RRsets that it holds are let go (they may be freed afterwards), and what hangs on them
 * forgotten. NULL is fine. */
void servers_let_go(struct servers *);
/* The entry of the server that sent it, or NULL. */
struct server *servers_find(const struct servers *, const struct flow *);
/* Its entry, made if there is room; NULL if not. */
struct server *servers_at(struct world *, struct zone *, const struct flow *, int64_t time_ns);

/* A SOA of the zone in an answer of that server. True: something is to be told (servers_serials,
 * servers_back). */
bool servers_note_soa(struct servers *, struct server *, const struct rrset *soa, int64_t time_ns,
                      uint64_t frame);
/* The RRset that `what` is about, NULL: the server says that there is none. True: something is to
 * be told. For SERVERS_SIGNERS the SOA. */
bool servers_note_set(struct servers *, struct server *, enum servers_what, struct rrset *,
                      int64_t time_ns, uint64_t frame);

/* The NS RRset of one side of the cut; true: it is another one than before. */
bool servers_note_ns(struct servers_ns *, struct rrset *, int64_t time_ns, uint64_t frame);
/* Same records, whatever the signatures. */
bool servers_same_records(const struct rrset *, const struct rrset *);

/* The other servers that had the version of the zone which this one has now when they were seen
 * last; returns how many. Pointers into the tracker. */
size_t servers_fellows(const struct servers *, const struct flow *,
                       struct fact_fellow ret_fellows[SERVERS_MAX]);

/* Room for what a fact shows. */
struct servers_view {
    struct fact_server server[SERVERS_MAX];
    uint64_t frame[2 * SERVERS_MAX + 2]; /* first and latest of each server; two to be added */
    size_t frames;
};
/* How the servers differ in it; `final`: nothing more will be observed. Pointers into `room`. */
void servers_compare(const struct servers *, enum servers_what, bool final,
                     struct servers_view *room, struct fact_servers *ret);
/* What is to be told of a server whose serial went back, or has come up again. */
void servers_back(const struct servers *, const struct server *, struct servers_view *room,
                  struct fact_servers *ret);

/* RFC 1982 3.2: is `a` newer than `b`? Neither is where they are 2^31 apart. */
static inline bool servers_newer(uint32_t a, uint32_t b)
{
    uint32_t ahead = a - b;
    return ahead != 0 && ahead < UINT32_C(1) << 31;
}

#endif
