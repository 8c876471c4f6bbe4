/*
 * glue: the addresses of a zone's name servers that lie in the zone itself, as referrals of the
 * parent give them and as the zone's own servers do (RFC 1034 4.2.2, RFC 9471).
 *
 * Contained in: analyze, tests. That both differ is claimed only for a time at which both were
 * observed: one of them before and after the other. What either side said before counts with what
 * it says now for as long as caches may hold it, so that a change which the other side follows in
 * time is no difference; and an address that is chosen anew for each answer (by load, by geography)
 * is held against all of the last day. Of one family alone nothing is claimed: glue that is left
 * out is an omission. Nor where one side has private addresses and the other public ones: two views
 * of the zone.
 *
 * All times are packet times. Bounded, and counted with the zone's memory. Must never hold an RRset
 * that it does not count in rrset.held.
 */
#ifndef ANALYZE_FOLLOW_GLUE_H
#define ANALYZE_FOLLOW_GLUE_H

#include "analyze/validate/world.h"

#define GLUE_MAX       32 /* A and AAAA RRsets of one zone's name servers; 13 servers have 26 */
#define GLUE_FORMS     4  /* contents of one of them that are remembered of one side */
#define GLUE_REFERRALS 4  /* referrals (rrset_glue) in which one content is recognised again */
#define GLUE_VARIES_NS INT64_C(86400000000000)
#define GLUE_NEAR_NS   INT64_C(60000000000) /* at the end of a recording: seen at one time */

struct glue_form { /* one content of the RRset */
    struct rrset *set;
    int64_t since_ns, last_ns; /* seen so without another one in between */
    uint64_t frame;            /* where that began */
    uint64_t referral[GLUE_REFERRALS];
};

struct glue_side {
    size_t forms;
    struct glue_form form[GLUE_FORMS]; /* the latest first */
    uint32_t ttl;                      /* largest */
    bool varies;                       /* it came back to what it had said before */
};

struct glue { /* of one name and type */
    struct glue_side parent, child;
    bool differs; /* as the rules were told */
};

struct glues { /* of one zone */
    size_t count, room;
    struct glue *glue;
    int64_t told_ns; /* INT64_MIN: never */
};

enum glue_state {
    GLUE_UNSEEN, /* by one side, or not at one time */
    GLUE_AGREES,
    GLUE_CHANGING, /* one side says, or lately said, what the other does; or two views */
    GLUE_DIFFERS
};

/* Those of the zone, made if absent; NULL without memory. */
struct glues *glue_of(struct world *, struct zone *);
/* Frees it; returns how many bytes it took. NULL is fine. */
size_t glue_free(struct glues *);
/* The RRsets that it holds are let go, and all that hangs on them. NULL is fine. */
void glue_let_go(struct glues *);

/* The pair of that name and type; NULL: no referral gave one. */
struct glue *glue_find(const struct glues *, const uint8_t *owner, uint16_t type);
/* The zone that `name` lies in or is, in which it has such a pair; NULL none. */
struct zone *glue_zone(const struct world *, const uint8_t *name, uint16_t type);

/* A referral with these addresses (a->glue), seen before: true if it is known what they are. */
bool glue_again(struct glues *, uint64_t referral, int64_t time_ns, uint64_t frame);
/* One RRset of a referral. True: it is another one than before. */
bool glue_note_parent(struct world *, struct glues *, struct rrset *, uint32_t ttl,
                      uint64_t referral, int64_t time_ns, uint64_t frame);
/* Does the delegation, or the zone itself by this RRset or those before, lead to that address? Who
 * answers elsewhere may be another view of the zone, or a copy. 16 bytes as in struct flow. */
bool glue_leads_to(const struct glues *, const struct rrset *, uint8_t family,
                   const uint8_t *address);
/* The zone's own. */
bool glue_note_child(struct glue *, struct rrset *, uint32_t ttl, int64_t time_ns, uint64_t frame);

/* `final`: nothing more will be observed. */
enum glue_state glue_compare(const struct glue *, bool final);

#endif
