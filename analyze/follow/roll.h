/*
 * roll: what a zone's own servers, and its parent's, publish over time: keys, signatures, DS; and
 * whether each step of a key roll kept what caches may still hold in working order (RFC 7583, RFC
 * 6781 4.1, RFC 5011).
 *
 * Contained in: analyze, tests. No verdict looks at it.
 *
 * Only what authoritative servers were seen to serve counts here: a cached answer tells what was
 * published once. That a key is new is known only where an earlier DNSKEY RRset without it was
 * served; that one has gone, where a later one is. One set takes another's place where some server
 * went from one to the other, or where it was signed later and the other is served no more; servers
 * that merely differ are not a roll.
 *
 * A step is unsafe where two things were served, one of which a cache may still hold while the
 * other is current, that do not fit together: every RRset must have a signature by a key of every
 * DNSKEY RRset that may meet it, and every DNSKEY RRset one by a key that every such DS RRset
 * names. From this all intervals of RFC 7583 follow, whatever the method of the roll; the times are
 * those observed, so an unobserved moment can only hide a mistake.
 */
#ifndef ANALYZE_FOLLOW_ROLL_H
#define ANALYZE_FOLLOW_ROLL_H

#include "analyze/validate/answer.h"

#define ROLL_KEYS_MAX    16 /* keys of a zone at a time; two rolls at once show eight */
#define ROLL_SETS_MAX    8  /* DNSKEY RRsets that differ in keys or in who signs them; so DS */
#define ROLL_GROUPS_MAX  8  /* sets of keys that sign an RRset together */
#define ROLL_SERVERS_MAX 32 /* addresses; the root has 26 */
#define ROLL_CACHES_MAX  16 /* resolvers that keys and DS were served to, the latest ones */
#define ROLL_EVENTS_MAX  24 /* of one response */
#define ROLL_HAZARDS_MAX 8  /* unsafe steps whose time has not passed */
#define ROLL_NONE        0xff
/* RFC 5011 2.4.1: so long must a new trust anchor be published. */
#define ROLL_HOLD_DOWN_NS (INT64_C(30) * 86400 * 1000000000)

struct roll_key {
    uint8_t *rdata; /* without REVOKE; tag and DS go by it */
    uint16_t size, flags, tag;
    int64_t first_ns;      /* first served */
    int64_t published_ns;  /* the same where an earlier RRset lacked it; INT64_MIN: not known */
    int64_t signs_ns;      /* first served signature over an RRset; INT64_MIN: none */
    int64_t entry_ns;      /* first over the DNSKEY RRset */
    uint8_t follows;       /* the key whose place it takes, or ROLL_NONE */
    uint32_t told, proven; /* stages, 1 << enum roll_stage */
    uint32_t exposed;      /* of those, unsafe steps */
    bool gone, undone;
    bool done, unsafe;     /* its predecessor has gone; some step on the way was unsafe */
    bool pending, overdue; /* a KSK whose DS is missing; for longer than it should */
};

struct roll_set {              /* DNSKEY RRsets with the same keys, signed by the same ones */
    uint16_t keys;             /* bits: key[] */
    uint16_t entries;          /* that sign it, zone keys not revoked: a DS may name them */
    uint16_t revoked;          /* with REVOKE here */
    bool secure;               /* else a DS or anchor names none of them */
    uint32_t ttl;              /* original */
    uint32_t inception;        /* of the first seen; serial arithmetic */
    uint32_t inceptions;       /* the latest seen */
    int64_t known_ns;          /* first seen at all, from a cache perhaps */
    int64_t first_ns, last_ns; /* served */
    int64_t left_ns;           /* last served by a server that then went on; INT64_MIN none */
    uint64_t frame;            /* where first served */
    uint8_t after;             /* bits: sets whose place it took at some server */
};

struct roll_ds {
    struct rrset *set; /* held */
    uint16_t keys;     /* named by it, with what validators implement */
    uint32_t ttl;
    int64_t first_ns, last_ns; /* served by the parent */
    uint64_t frame;
};

struct roll_group { /* RRsets that the same keys sign */
    uint16_t keys;
    uint32_t ttl;              /* with which until_ns came about */
    int64_t first_ns, last_ns; /* served */
    int64_t until_ns;          /* until then caches may hold one */
    uint64_t frame;            /* where first served */
    uint16_t type;             /* of the first one */
    uint8_t *owner;            /* canonical */
};

struct roll_server {
    uint8_t family, address[16];
    uint8_t set;               /* what it served last, or ROLL_NONE */
    bool back;                 /* it had been further already */
    const struct rrset *rrset; /* the same, for comparison only; NULL: look again */
    int64_t last_ns;
};

/* Who was served: a resolver that holds an RRset asks for it again when its TTL has passed. One
 * that asks earlier was emptied, is several, or no cache at all: of what it holds nothing is known.
 */
struct roll_cache {
    uint8_t family, address[16];
    uint8_t set, before; /* the DNSKEY RRset it was served last, and the one before; or ROLL_NONE */
    uint8_t ds;
    int64_t set_ns, before_ns, ds_ns;
    int64_t restless_ns, restless_from_ns; /* when it asked too early: last, and first of a time in
                                              which it did; INT64_MIN never */
};

struct roll_event {
    enum roll_stage stage;
    uint8_t roll, key, other; /* names the roll; whose stage; the other key or ROLL_NONE */
    uint8_t group, set;       /* concerned, or ROLL_NONE */
    bool exposed;             /* an unsafe step: see roll_unsafe.c */
    bool proven;              /* seen to happen, not inferred from what was seen once */
    int64_t time_ns;
    int64_t passed_ns, needed_ns, until_ns; /* of an unsafe step */
    uint64_t frame, since_frame; /* of the step, and of what it is measured from; 0 none */
};

struct roll_hazard {
    enum roll_stage stage;
    uint8_t roll;         /* the key that gives it its name */
    uint8_t newer, older; /* sets: one taking the other's place is what it rests on */
    int64_t until_ns;     /* INT64_MAX: until somebody mends it */
};

struct roll {
    size_t bytes;
    struct roll_key *key;
    struct roll_set set[ROLL_SETS_MAX];
    struct roll_ds ds[ROLL_SETS_MAX];
    struct roll_group group[ROLL_GROUPS_MAX];
    struct roll_server *server;
    struct roll_cache *cache;
    struct roll_hazard hazard[ROLL_HAZARDS_MAX];
    struct roll_event
        *event; /* room for ROLL_EVENTS_MAX once there was one, and its bytes counted */
    bool event_counted;
    uint8_t keys, sets, dss, groups, caches, hazards, events;
    uint8_t key_room, server_room, cache_room;
    bool anchored;                        /* validators may follow it by RFC 5011 */
    uint16_t renumbered;                  /* changes when groups change their place; never 0 */
    int64_t next_ns;                      /* when the first hazard is over; INT64_MAX none */
    uint64_t more;                        /* what did not fit */
    uint32_t completed, completed_unsafe; /* rolls whose old key has gone */
};

/* Frees it; returns how many bytes it took. NULL is fine. The RRsets of the world must be there. */
size_t roll_free(struct roll *);
/* RRsets that nobody holds are about to go. */
void roll_forget(struct roll *);

/* The answer was judged, or seen again, between these times, and last along this flow at `flow_ns`:
 * what an authoritative server said in it is taken note of. Zones in which events came of it are
 * given back. */
#define ROLL_ZONES_MAX 4
size_t roll_seen(struct answers *, struct answer *, const struct flow *, int64_t first_ns,
                 int64_t last_ns, int64_t flow_ns, struct zone *ret_zones[ROLL_ZONES_MAX]);

/* Is there anything to note of a response that was seen before? Most have nothing, and this is
 * asked of each. */
static inline bool roll_wants(const struct answer *a)
{
    if (a->holds_keys)
        return true;
    if (!(a->flags & DNS_AA) || a->zone == NULL || a->zone->roll == NULL)
        return false;
    return a->roll_groups || a->roll_stamp != a->zone->roll->renumbered;
}

/* Rolls under way: new keys that were seen to come and whose predecessors are still there. */
unsigned roll_under_way(const struct roll *);

#endif
