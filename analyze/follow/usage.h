/*
 * usage: what a zone was seen to do: which key signs what, who serves it, when it failed and came
 * back.
 *
 * Contained in: analyze, tests. Notes for the reports (analyze/tell/inventory.h); no verdict looks
 * at them. Every list is bounded and counted with the zone's memory, and what did not fit is
 * counted. A response that was seen before costs a few additions here.
 */
#ifndef ANALYZE_FOLLOW_USAGE_H
#define ANALYZE_FOLLOW_USAGE_H

#include "analyze/follow/voices.h"
#include "analyze/validate/answer.h"

#define USAGE_KEYS_MAX      32   /* signing keys of one zone; a roll of both kinds shows six */
#define USAGE_NAMES_MAX     64   /* RRsets named of one key; the rest is counted */
#define USAGE_COUNTED_MAX   4096 /* RRsets told apart of one key; beyond it is "at least" */
#define USAGE_SERVERS_MAX   16   /* addresses that answer with AA=1 */
#define USAGE_EXPIRING_MAX  8    /* RRsets whose signatures end first */
#define USAGE_EPISODES_MAX  8    /* failures of a zone */
#define USAGE_QUESTIONS_MAX 8    /* that failed in one episode */
/* What fails after so long a time without failures is another episode. */
#define USAGE_QUIET_NS (600 * INT64_C(1000000000))

struct usage_name { /* of an RRset */
    uint16_t type;
    uint8_t size;
    uint8_t owner[]; /* canonical */
};

struct usage_key {     /* the RRsets that a key signed, by signatures that verify */
    uint8_t *rdata;    /* of the DNSKEY */
    uint16_t size;     /* of that */
    bool signs_dnskey; /* the DNSKEY RRset is among them */
    bool signs_data;   /* and others than those of keys: DNSKEY, CDS, CDNSKEY */
    uint32_t ttl;      /* largest original TTL */
    uint64_t rrsets;   /* distinct owners and types, whatever their content */
    bool more_rrsets;  /* there were others beyond USAGE_COUNTED_MAX */
    uint64_t *counted; /* hashes of these, 0 free */
    size_t counted_room;
    int64_t inception, expiration;            /* earliest and latest, seconds since 1970 */
    struct usage_name *name[USAGE_NAMES_MAX]; /* the first ones */
    size_t names;
};

struct usage_signing {
    struct usage_key *key[USAGE_KEYS_MAX];
    size_t keys;
    uint64_t by_others; /* RRsets signed by keys beyond those */
    struct {
        int64_t expiration; /* of the newest verified signature of that owner and type */
        struct usage_name *name;
    } expiring[USAGE_EXPIRING_MAX];
    size_t expirings;
    struct { /* the last validly signed denial; type 0 none seen */
        uint16_t type, iterations;
        uint8_t algorithm, salt_size;
        uint8_t salt[255];
        bool opt_out; /* ever seen */
    } denial;
    uint32_t ns_ttl, soa_ttl; /* original TTLs, 0 not seen */
};

struct usage_episode { /* of bogus responses, in packet time */
    int64_t from_ns, last_ns;
    int64_t recovered_ns; /* first answer that shows it over (outage.h); INT64_MIN not observed */
    uint64_t from_frame, last_frame, recovered_frame, count;
    enum reason reason; /* of the first; RCODE: the zone stopped resolving, and nothing bogus was
                           seen */
    bool felt;          /* resolvers answered SERVFAIL */
};

struct usage_outages {
    struct usage_episode episode[USAGE_EPISODES_MAX]; /* the last is the current one */
    size_t episodes;
    uint64_t more;                          /* episodes that followed */
    uint64_t question[USAGE_QUESTIONS_MAX]; /* what failed in the current one */
    size_t questions;
    bool whole_zone; /* in it the zone itself was bogus, not only an RRset */
    bool news;       /* recovered, or no longer so, since this was last cleared */
};

struct usage_server {
    uint8_t family, address[16];
    int64_t first_ns;
    uint64_t frame;
};

/* The resolver that last answered for the zone, and how often without a pause of this. */
#define USAGE_PAUSE_NS (INT64_C(60) * 1000000000)

struct usage_answering {
    uint8_t family, address[16];
    uint64_t count; /* 0: none */
    int64_t last_ns;
};

struct usage {
    size_t bytes;                  /* of all this */
    struct usage_signing *signing; /* NULL: nothing */
    struct usage_outages *outages; /* NULL: none */
    struct usage_server *server;
    size_t servers, server_room;
    bool more_servers;
    int64_t first_ns, last_ns; /* responses about the zone */
    enum verdict_kind last;
    /* responses of resolvers (AA=0, RA=1) to queries with CD=0 */
    uint64_t with_ad, without_ad; /* with secure data, DO=1: the client wants to know (RFC 6840
                                     5.7) */
    uint64_t resolved, servfail;  /* all; those with SERVFAIL */
    uint64_t servfail_dnssec;     /* … that EDE or our own verdict lays to validation */
    struct voices_rate rate;
    struct usage_answering answering;
    struct voices *voices; /* NULL: nothing failed */
    size_t voices_bytes;   /* of these, as far as counted in `bytes` */
};

/* Frees it; returns how many bytes it took. NULL is fine. */
size_t usage_free(struct usage *);

/* A signature of `set` has verified for the first time. `f` has its times. */
void usage_signed(struct world *, struct zone *, const struct rrset *set, const struct signature *,
                  const struct fact_signature *f);
/* A response about the zone, new or again; `count`: how often it was seen with this verdict. */
void usage_response(struct world *, struct zone *, const struct answer *, const struct flow *,
                    int64_t time_ns, uint64_t frame, uint64_t count);
/* Later packets changed the verdict of an earlier response. */
void usage_revised(struct world *, struct zone *, const struct answer *);
/* Zeroed, counted in the notes and with the zone's memory; NULL without memory. */
void *usage_take(struct world *, struct usage *, size_t size);
/* The zone's notes, made if there are none; NULL without memory. */
struct usage *usage_of(struct world *, struct zone *);
/* The same for what resolvers said; usage_heard counts its memory after it was added to. */
struct voices *usage_voices(struct world *, struct zone *);
void usage_heard(struct world *, struct usage *);
/* Does the resolver itself say that DNSSEC made it give up (RFC 8914)? */
bool usage_blames_dnssec(const struct answer *);
/* A type that only DNSSEC itself has a use for. */
bool usage_is_plumbing(uint16_t type);
/* Is it a response of a resolver that was free to validate? */
bool usage_is_resolved(const struct answer *);
/* A resolver answered SERVFAIL for a name in the zone. */
void usage_failed(struct world *, struct zone *, const struct answer *, int64_t time_ns,
                  uint64_t frame);
/* `count` responses are secure now, or, where it is negative (modulo 2^64), no longer. */
void usage_validated(struct world *, struct zone *, const struct answer *, uint64_t count);

#endif
