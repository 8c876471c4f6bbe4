/*
 * denial: what a set of NSEC or NSEC3 RRsets proves (RFC 4035 5.4, RFC 5155 8, RFC 6840 4, RFC
 * 9276).
 *
 * Contained in: analyze, tests. The RRsets given must already be judged secure, and be signed by
 * the zone that is named; nothing here looks at signatures. Unusable ones (other parameters,
 * foreign owner) are ignored.
 */
#ifndef ANALYZE_VALIDATE_DENIAL_H
#define ANALYZE_VALIDATE_DENIAL_H

#include "analyze/validate/world.h"

#define DENIAL_SETS_MAX 16

/* The steps of a proof as they were taken, for whoever explains the verdict (world->trace). */
#define DENIAL_STEPS_MAX 32

enum denial_relation {
    DENIAL_MATCHES, /* the record stands at the name (NSEC3: at its hash) */
    DENIAL_COVERS,  /* the name lies strictly between the record and the next */
    DENIAL_EMPTY    /* NSEC: the name is an empty non-terminal, for the next owner lies below it */
};

struct denial_step { /* "does any record … this name?" */
    enum denial_relation relation;
    const struct rrset *set; /* the one that does, or NULL */
    uint8_t name[NAME_MAX_BYTES + 2];
    bool hashed;
    uint8_t hash[20]; /* NSEC3: of the name */
};

struct denial_trace {
    size_t count; /* since world_begin; further steps are not noted */
    struct denial_step step[DENIAL_STEPS_MAX];
};

struct denial {
    struct world *world; /* for the budget of hashes and the limit of iterations */
    const uint8_t *zone; /* apex */
    size_t count;
    struct rrset *set[DENIAL_SETS_MAX]; /* NSEC or NSEC3, not mixed (NSEC3 wins if they are) */
};

/* Each returns DENIAL if it is proven; OPT_OUT if the span is opt-out; NSEC3_ITERATIONS or BUDGET
 * if we will not compute it; otherwise the bogus reason that names the missing step. */
enum reason denial_name_error(const struct denial *, const uint8_t *qname);
enum reason denial_no_data(const struct denial *, const uint8_t *qname, uint16_t qtype);
/* A positive answer synthesised from "*.<suffix of `labels` labels>": nothing closer exists. */
enum reason denial_wildcard(const struct denial *, const uint8_t *qname, unsigned labels);

/* What the proof says of a DS at `name`: UNSIGNED_DELEGATION (a cut without DS), OPT_OUT, DENIAL
 * (`name` is provably no cut, so it belongs to the zone), or DS_NOT_DENIED. */
enum reason denial_no_ds(const struct denial *, const uint8_t *name);

/* Does this one NSEC or NSEC3 RRset of the zone deny that the name has data of that type, which is
 * the zone's own? `hash`: of the name, with the parameters of the NSEC3. Opt-out denies nothing. */
bool denial_excludes(const struct rrset *, const uint8_t *zone, const uint8_t *name, uint16_t type,
                     const uint8_t *hash);

#define DENIAL_HASH 20 /* bytes: SHA-1 (RFC 5155 11) */
/* The hash that the first label of an NSEC3 owner writes (base32hex, RFC 4648 7); false if it does
 * not. */
bool denial_hash_of(const uint8_t *owner, uint8_t ret_hash[DENIAL_HASH]);

/* Is the type in the bitmap of an NSEC or NSEC3 record? */
bool denial_has_type(const uint8_t *bitmap, size_t size, uint16_t type);

/* Is the next name the least after the owner, or the next hash the owner's plus one? No zone has
 * such a chain: its signer makes denials up for each query (RFC 4470, RFC 9824, white lies). So is
 * what cannot be read. */
bool denial_made_up(const struct rrset *);

#endif
