/*
 * denial: proofs of absence.
 *
 * Contained in: analyze, tests.
 */
#include "analyze/validate/denial.h"

#include "analyze/canon.h"

#include <string.h>

#define NSEC3_SHA1    1
#define NSEC3_OPT_OUT 0x01
#define NSEC3_HASH    DENIAL_HASH
#define TYPE_NXNAME   128 /* RFC 9824 3.1 */

bool denial_has_type(const uint8_t *bitmap, size_t size, uint16_t type)
{
    for (size_t at = 0; at + 2 <= size;) {
        uint8_t window = bitmap[at], length = bitmap[at + 1];
        if (length == 0 || length > 32 || at + 2 + length > size)
            return false;
        if (window == type >> 8) {
            unsigned low = type & 0xff;
            return low / 8 < length && (bitmap[at + 2 + low / 8] & 0x80 >> low % 8);
        }
        at += 2u + length;
    }
    return false;
}

/* `hash` is NULL for NSEC. A step that was taken before is not noted again. */
static void note(struct denial_trace *t, enum denial_relation relation, const struct rrset *set,
                 const uint8_t *name, const uint8_t *hash)
{
    if (t == NULL || t->count == DENIAL_STEPS_MAX)
        return;
    for (size_t i = 0; i < t->count; i++)
        if (t->step[i].relation == relation && t->step[i].set == set &&
            name_equal(t->step[i].name, name))
            return;
    struct denial_step *step = &t->step[t->count++];
    *step = (struct denial_step){.relation = relation, .set = set, .hashed = hash != NULL};
    memcpy(step->name, name, name_size(name));
    if (hash)
        memcpy(step->hash, hash, NSEC3_HASH);
}

/* Windows ascend, each with 1 to 32 bytes, and nothing is left over (RFC 4034 4.1.2). What a broken
 * bitmap leaves out it does not deny. */
static bool bitmap_is_sound(const uint8_t *bitmap, size_t size)
{
    int last = -1;
    size_t at = 0;
    while (size - at >= 2) {
        uint8_t window = bitmap[at], length = bitmap[at + 1];
        if (window <= last || length == 0 || length > 32 || length > size - at - 2)
            return false;
        last = window;
        at += 2u + length;
    }
    return at == size;
}

/* --- NSEC --- */

struct nsec {
    const uint8_t *owner;
    uint8_t next[NAME_MAX_BYTES]; /* lower case, for comparing */
    const uint8_t *bitmap;
    size_t bitmap_size;
};

static bool nsec_read(const struct rrset *set, struct nsec *ret)
{
    uint16_t size;
    const uint8_t *rdata = set->type == TYPE_NSEC ? rrset_record(set, NULL, &size) : NULL;
    size_t next;
    if (rdata == NULL || set->count != 1 || name_read(rdata, size, 0, false, ret->next, &next) == 0)
        return false;
    ret->owner = set->owner;
    ret->bitmap = rdata + next;
    ret->bitmap_size = size - next;
    return bitmap_is_sound(ret->bitmap, ret->bitmap_size);
}

static bool nsec_has(const struct nsec *n, uint16_t type)
{
    return denial_has_type(n->bitmap, n->bitmap_size, type);
}

/* At a cut, and on the parent's side of it. */
static bool nsec_at_cut(const struct nsec *n)
{
    return nsec_has(n, TYPE_NS) && !nsec_has(n, TYPE_SOA);
}

/* Strictly between owner and next; the last NSEC points back to the apex. */
static bool nsec_spans(const struct nsec *n, const uint8_t *zone, const uint8_t *name)
{
    if (name_compare(n->owner, name) >= 0 || !name_within(name, zone))
        return false;
    return name_compare(name, n->next) < 0 || name_compare(n->next, n->owner) <= 0;
}

/* Covers the name, and has the right to (RFC 6840 4.1: not from above a cut or a DNAME). */
static bool nsec_denies(const struct nsec *n, const uint8_t *zone, const uint8_t *name)
{
    if (!nsec_spans(n, zone, name))
        return false;
    return !(name_within(name, n->owner) && (nsec_at_cut(n) || nsec_has(n, TYPE_DNAME)));
}

/* The name is an empty non-terminal: the next owner lies below it. */
static bool nsec_shows_empty(const struct nsec *n, const uint8_t *name)
{
    return name_within(n->next, name) && !name_equal(n->next, name);
}

static unsigned nsec_encloser(const struct nsec *n, const uint8_t *name)
{
    unsigned a = name_common(n->owner, name), b = name_common(n->next, name);
    return a > b ? a : b;
}

static void wildcard_of(const uint8_t *name, unsigned labels, uint8_t ret[NAME_MAX_BYTES + 2])
{
    const uint8_t *suffix = name_suffix(name, labels);
    ret[0] = 1;
    ret[1] = '*';
    memcpy(ret + 2, suffix, name_size(suffix));
}

/* The NSEC that denies the name outright. */
static bool nsec_find_denying(const struct denial *d, const uint8_t *name, struct nsec *ret)
{
    for (size_t i = 0; i < d->count; i++) {
        if (nsec_read(d->set[i], ret) && nsec_denies(ret, d->zone, name) &&
            !nsec_shows_empty(ret, name)) {
            note(d->world->trace, DENIAL_COVERS, d->set[i], name, NULL);
            return true;
        }
    }
    note(d->world->trace, DENIAL_COVERS, NULL, name, NULL);
    return false;
}

static bool nsec_find_owner(const struct denial *d, const uint8_t *owner, struct nsec *ret)
{
    for (size_t i = 0; i < d->count; i++) {
        if (nsec_read(d->set[i], ret) && name_equal(ret->owner, owner)) {
            note(d->world->trace, DENIAL_MATCHES, d->set[i], owner, NULL);
            return true;
        }
    }
    note(d->world->trace, DENIAL_MATCHES, NULL, owner, NULL);
    return false;
}

static enum reason nsec_name_error(const struct denial *d, const uint8_t *qname)
{
    struct nsec n, w;
    uint8_t wildcard[NAME_MAX_BYTES + 2];
    if (!nsec_find_denying(d, qname, &n)) {
        /* RFC 9824 3.1, 5: made up at the very name, with a type that says it does not exist. */
        bool compact = nsec_find_owner(d, qname, &n) && nsec_has(&n, TYPE_NXNAME);
        return compact ? REASON_DENIAL : REASON_NAME_NOT_COVERED;
    }
    wildcard_of(qname, nsec_encloser(&n, qname), wildcard);
    return nsec_find_denying(d, wildcard, &w) ? REASON_DENIAL : REASON_WILDCARD_NOT_DENIED;
}

/* The NSEC at the very name: does it deny the type, and is it from the right side of a cut? */
static enum reason nsec_type_absent(const struct nsec *n, uint16_t qtype)
{
    if (nsec_has(n, qtype) || nsec_has(n, TYPE_CNAME))
        return REASON_TYPE_NOT_DENIED;
    if (qtype == TYPE_DS)
        return nsec_has(n, TYPE_SOA) && !name_is_root(n->owner) ? REASON_NAME_NOT_COVERED
                                                                : REASON_DENIAL;
    return nsec_at_cut(n) ? REASON_NAME_NOT_COVERED : REASON_DENIAL;
}

static enum reason nsec_no_data(const struct denial *d, const uint8_t *qname, uint16_t qtype)
{
    struct nsec n, w;
    uint8_t wildcard[NAME_MAX_BYTES + 2];
    if (nsec_find_owner(d, qname, &n))
        return nsec_type_absent(&n, qtype);
    for (size_t i = 0; i < d->count; i++) {
        if (nsec_read(d->set[i], &n) && nsec_denies(&n, d->zone, qname) &&
            nsec_shows_empty(&n, qname)) {
            note(d->world->trace, DENIAL_EMPTY, d->set[i], qname, NULL);
            return REASON_DENIAL;
        }
    }
    if (!nsec_find_denying(d, qname, &n))
        return REASON_NAME_NOT_COVERED;
    wildcard_of(qname, nsec_encloser(&n, qname), wildcard);
    if (!nsec_find_owner(d, wildcard, &w))
        return REASON_WILDCARD_NOT_DENIED;
    return nsec_type_absent(&w, qtype);
}

static enum reason nsec_wildcard(const struct denial *d, const uint8_t *qname, unsigned labels)
{
    struct nsec n;
    bool denied = nsec_find_denying(d, qname, &n) && nsec_encloser(&n, qname) == labels;
    return denied ? REASON_DENIAL : REASON_WILDCARD_CLOSER;
}

static enum reason nsec_no_ds(const struct denial *d, const uint8_t *name)
{
    struct nsec n;
    if (!nsec_find_owner(d, name, &n))
        return nsec_no_data(d, name, TYPE_DS) == REASON_DENIAL ||
                       nsec_name_error(d, name) == REASON_DENIAL
                   ? REASON_DENIAL
                   : REASON_DS_NOT_DENIED;
    if (nsec_has(&n, TYPE_DS) || nsec_has(&n, TYPE_SOA))
        return REASON_DS_NOT_DENIED;
    return nsec_has(&n, TYPE_NS) ? REASON_UNSIGNED_DELEGATION : REASON_DENIAL;
}

/* --- NSEC3 --- */

struct nsec3 {
    const struct rrset *set;
    uint8_t hash[NSEC3_HASH], next[NSEC3_HASH];
    uint8_t flags, salt_size;
    uint16_t iterations;
    const uint8_t *salt, *bitmap;
    size_t bitmap_size;
};

/* RFC 4648 7, as the owner label of an NSEC3 (32 characters for 20 bytes). Names are in lower case.
 */
static bool base32hex(const uint8_t *text, uint8_t out[NSEC3_HASH])
{
    for (unsigned group = 0; group < 4; group++) {
        uint64_t bits = 0;
        for (unsigned i = 0; i < 8; i++) {
            uint8_t c = text[group * 8 + i];
            unsigned value = 32;
            if (c >= '0' && c <= '9')
                value = (unsigned)c - '0';
            else if (c >= 'a' && c <= 'v')
                value = (unsigned)c - 'a' + 10;
            if (value > 31)
                return false;
            bits = bits << 5 | value;
        }
        for (unsigned i = 0; i < 5; i++)
            out[group * 5 + i] = (uint8_t)(bits >> (32 - 8 * i));
    }
    return true;
}

bool denial_hash_of(const uint8_t *owner, uint8_t ret_hash[DENIAL_HASH])
{
    return owner[0] == 32 && base32hex(owner + 1, ret_hash);
}

static bool nsec3_read(const struct denial *d, const struct rrset *set, struct nsec3 *ret)
{
    uint16_t size;
    const uint8_t *p = set->type == TYPE_NSEC3 ? rrset_record(set, NULL, &size) : NULL;
    if (p == NULL || set->count != 1 || size < 5 || p[0] != NSEC3_SHA1 || set->owner[0] != 32 ||
        !name_equal(name_strip(set->owner, 1), d->zone) || !base32hex(set->owner + 1, ret->hash))
        return false;
    ret->set = set;
    ret->flags = p[1];
    ret->iterations = (uint16_t)(p[2] << 8 | p[3]);
    ret->salt_size = p[4];
    ret->salt = p + 5;
    size_t at = 5u + ret->salt_size;
    if (at + 1 + NSEC3_HASH > size || p[at] != NSEC3_HASH)
        return false;
    memcpy(ret->next, p + at + 1, NSEC3_HASH);
    ret->bitmap = p + at + 1 + NSEC3_HASH;
    ret->bitmap_size = size - (at + 1 + NSEC3_HASH);
    /* RFC 5155 8.2: unknown flags make the record unusable. */
    return (ret->flags & ~NSEC3_OPT_OUT) == 0 && bitmap_is_sound(ret->bitmap, ret->bitmap_size);
}

struct nsec3s { /* the usable records: all with the parameters of the first */
    struct world *world;
    const uint8_t *zone;
    size_t count;
    struct nsec3 record[DENIAL_SETS_MAX];
    bool broke; /* the budget of hashes ran out */
};

static bool same_parameters(const struct nsec3 *a, const struct nsec3 *b)
{
    return a->iterations == b->iterations && a->salt_size == b->salt_size &&
           memcmp(a->salt, b->salt, a->salt_size) == 0;
}

static size_t nsec3_collect(const struct denial *d, struct nsec3s *ret)
{
    ret->world = d->world;
    ret->zone = d->zone;
    ret->count = 0;
    ret->broke = false;
    for (size_t i = 0; i < d->count; i++) {
        struct nsec3 *n = &ret->record[ret->count];
        if (nsec3_read(d, d->set[i], n) && same_parameters(n, &ret->record[0]))
            ret->count++;
    }
    return ret->count;
}

/* A hash of so many iterations is charged as one (settings.message_hashes). */
#define NSEC3_UNIT 150

static bool nsec3_hash(struct nsec3s *s, const uint8_t *name, uint8_t ret[NSEC3_HASH])
{
    struct budget *budget = &s->world->budget;
    const struct nsec3 *n = &s->record[0];
    if (budget->hashes_left == 0) {
        if (!s->broke)
            world_exhausted(s->world, BUDGET_HASHES);
        s->broke = true;
        return false;
    }
    size_t cost = 1 + n->iterations / (NSEC3_UNIT + 1);
    budget->hashes_left -= cost < budget->hashes_left ? cost : budget->hashes_left;
    budget->hashes++;
    key_nsec3_hash(name, n->salt, n->salt_size, n->iterations, ret);
    return true;
}

static bool nsec3_has(const struct nsec3 *n, uint16_t type)
{
    return denial_has_type(n->bitmap, n->bitmap_size, type);
}

/* `name` is the one that was hashed. */
static const struct nsec3 *nsec3_matching(const struct nsec3s *s, const uint8_t *name,
                                          const uint8_t hash[NSEC3_HASH])
{
    const struct nsec3 *found = NULL;
    for (size_t i = 0; i < s->count && found == NULL; i++)
        if (memcmp(s->record[i].hash, hash, NSEC3_HASH) == 0)
            found = &s->record[i];
    note(s->world->trace, DENIAL_MATCHES, found ? found->set : NULL, name, hash);
    return found;
}

static bool nsec3_spans(const struct nsec3 *n, const uint8_t hash[NSEC3_HASH])
{
    bool after = memcmp(hash, n->hash, NSEC3_HASH) > 0,
         before = memcmp(hash, n->next, NSEC3_HASH) < 0;
    bool last = memcmp(n->next, n->hash, NSEC3_HASH) <= 0;
    return last ? after || before : after && before;
}

static const struct nsec3 *nsec3_covering(const struct nsec3s *s, const uint8_t *name,
                                          const uint8_t hash[NSEC3_HASH])
{
    const struct nsec3 *found = NULL;
    for (size_t i = 0; i < s->count && found == NULL; i++)
        if (nsec3_spans(&s->record[i], hash))
            found = &s->record[i];
    note(s->world->trace, DENIAL_COVERS, found ? found->set : NULL, name, hash);
    return found;
}

struct encloser {
    unsigned labels;              /* of the closest encloser */
    const struct nsec3 *match;    /* the record of the encloser itself */
    const struct nsec3 *covering; /* covers the next closer name */
};

/* RFC 5155 8.3. NONE if proven. The name itself must not match. */
static enum reason nsec3_encloser(struct nsec3s *s, const uint8_t *name, struct encloser *ret)
{
    uint8_t hash[NSEC3_HASH], below[NSEC3_HASH] = {0};
    unsigned labels = name_labels(name), apex = name_labels(s->zone);
    for (unsigned have = labels;; have--) {
        if (!nsec3_hash(s, name_suffix(name, have), hash))
            return REASON_BUDGET;
        const struct nsec3 *match = nsec3_matching(s, name_suffix(name, have), hash);
        if (match) {
            if (have == labels)
                return REASON_NAME_NOT_COVERED;
            /* A cut or a DNAME has nothing below it to speak for (RFC 5155 8.3). */
            if ((nsec3_has(match, TYPE_NS) && !nsec3_has(match, TYPE_SOA)) ||
                nsec3_has(match, TYPE_DNAME))
                return REASON_CLOSEST_ENCLOSER;
            ret->labels = have;
            ret->match = match;
            ret->covering = nsec3_covering(s, name_suffix(name, have + 1), below);
            return ret->covering ? REASON_NONE : REASON_NEXT_CLOSER;
        }
        if (have == apex)
            return REASON_CLOSEST_ENCLOSER;
        memcpy(below, hash, NSEC3_HASH);
    }
}

static enum reason nsec3_name_error(struct nsec3s *s, const uint8_t *qname)
{
    struct encloser ce;
    uint8_t wildcard[NAME_MAX_BYTES + 2], hash[NSEC3_HASH];
    enum reason reason = nsec3_encloser(s, qname, &ce);
    if (reason != REASON_NONE)
        return reason;
    wildcard_of(qname, ce.labels, wildcard);
    if (!nsec3_hash(s, wildcard, hash))
        return REASON_BUDGET;
    if (nsec3_covering(s, wildcard, hash) == NULL)
        return REASON_WILDCARD_NOT_DENIED;
    return ce.covering->flags & NSEC3_OPT_OUT ? REASON_OPT_OUT : REASON_DENIAL;
}

static enum reason nsec3_type_absent(const struct nsec3 *n, uint16_t qtype, bool root)
{
    if (nsec3_has(n, qtype) || nsec3_has(n, TYPE_CNAME))
        return REASON_TYPE_NOT_DENIED;
    bool soa = nsec3_has(n, TYPE_SOA);
    if (qtype == TYPE_DS)
        return soa && !root ? REASON_NAME_NOT_COVERED : REASON_DENIAL;
    return nsec3_has(n, TYPE_NS) && !soa ? REASON_NAME_NOT_COVERED : REASON_DENIAL;
}

static enum reason nsec3_no_data(struct nsec3s *s, const uint8_t *qname, uint16_t qtype)
{
    uint8_t wildcard[NAME_MAX_BYTES + 2], hash[NSEC3_HASH];
    if (!nsec3_hash(s, qname, hash))
        return REASON_BUDGET;
    const struct nsec3 *match = nsec3_matching(s, qname, hash);
    if (match)
        return nsec3_type_absent(match, qtype, name_is_root(qname));
    struct encloser ce;
    enum reason reason = nsec3_encloser(s, qname, &ce);
    if (reason != REASON_NONE)
        return reason;
    wildcard_of(qname, ce.labels, wildcard);
    if (!nsec3_hash(s, wildcard, hash))
        return REASON_BUDGET;
    match = nsec3_matching(s, wildcard, hash);
    if (match)
        return nsec3_type_absent(match, qtype, false);
    return ce.covering->flags & NSEC3_OPT_OUT ? REASON_OPT_OUT : REASON_WILDCARD_NOT_DENIED;
}

static enum reason nsec3_wildcard(struct nsec3s *s, const uint8_t *qname, unsigned labels)
{
    uint8_t hash[NSEC3_HASH];
    if (labels >= name_labels(qname))
        return REASON_WILDCARD_CLOSER;
    if (!nsec3_hash(s, name_suffix(qname, labels + 1), hash))
        return REASON_BUDGET;
    const struct nsec3 *covering = nsec3_covering(s, name_suffix(qname, labels + 1), hash);
    if (covering == NULL)
        return REASON_WILDCARD_CLOSER;
    return covering->flags & NSEC3_OPT_OUT ? REASON_OPT_OUT : REASON_DENIAL;
}

static enum reason nsec3_no_ds(struct nsec3s *s, const uint8_t *name)
{
    uint8_t hash[NSEC3_HASH];
    if (!nsec3_hash(s, name, hash))
        return REASON_BUDGET;
    const struct nsec3 *match = nsec3_matching(s, name, hash);
    if (match) {
        if (nsec3_has(match, TYPE_DS) || nsec3_has(match, TYPE_SOA))
            return REASON_DS_NOT_DENIED;
        return nsec3_has(match, TYPE_NS) ? REASON_UNSIGNED_DELEGATION : REASON_DENIAL;
    }
    struct encloser ce;
    enum reason reason = nsec3_encloser(s, name, &ce);
    if (reason == REASON_BUDGET)
        return reason;
    if (reason != REASON_NONE)
        return REASON_DS_NOT_DENIED;
    return ce.covering->flags & NSEC3_OPT_OUT ? REASON_OPT_OUT : REASON_DENIAL;
}

/* --- either --- */

/* NONE if the NSEC3 records are to be used; else the answer already. NOT_CHECKABLE never comes from
 * here. */
static enum reason choose(const struct denial *d, const uint8_t *name, struct nsec3s *s)
{
    if (!name_within(name, d->zone))
        return REASON_NAME_NOT_COVERED;
    if (nsec3_collect(d, s) == 0)
        return REASON_DENIAL_MISSING;
    const struct settings *settings = d->world->settings;
    if (s->record[0].iterations >
        (settings->ignore_rfc9276 ? NSEC3_ITERATIONS_MOST : settings->nsec3_iterations))
        return REASON_NSEC3_ITERATIONS;
    return REASON_NONE;
}

static bool any_nsec(const struct denial *d)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->set[i]->type == TYPE_NSEC)
            return true;
    return false;
}

enum reason denial_name_error(const struct denial *d, const uint8_t *qname)
{
    struct nsec3s s;
    enum reason reason = choose(d, qname, &s);
    if (reason == REASON_NONE)
        return nsec3_name_error(&s, qname);
    return reason == REASON_DENIAL_MISSING && any_nsec(d) ? nsec_name_error(d, qname) : reason;
}

enum reason denial_no_data(const struct denial *d, const uint8_t *qname, uint16_t qtype)
{
    struct nsec3s s;
    enum reason reason = choose(d, qname, &s);
    if (reason == REASON_NONE)
        return nsec3_no_data(&s, qname, qtype);
    return reason == REASON_DENIAL_MISSING && any_nsec(d) ? nsec_no_data(d, qname, qtype) : reason;
}

enum reason denial_wildcard(const struct denial *d, const uint8_t *qname, unsigned labels)
{
    struct nsec3s s;
    enum reason reason = choose(d, qname, &s);
    if (reason == REASON_NONE)
        return nsec3_wildcard(&s, qname, labels);
    if (reason == REASON_DENIAL_MISSING)
        return any_nsec(d) ? nsec_wildcard(d, qname, labels) : REASON_WILDCARD_CLOSER;
    return reason;
}

enum reason denial_no_ds(const struct denial *d, const uint8_t *name)
{
    struct nsec3s s;
    enum reason reason = choose(d, name, &s);
    if (reason == REASON_NONE)
        return nsec3_no_ds(&s, name);
    if (reason == REASON_DENIAL_MISSING)
        return any_nsec(d) ? nsec_no_ds(d, name) : REASON_DS_NOT_DENIED;
    return reason;
}

/* Whose data are in the zone is no delegation: at a cut only the DS is. */
static bool type_missing(bool has, bool cut, uint16_t type)
{
    return !has && type != TYPE_NSEC && type != TYPE_RRSIG && (!cut || type == TYPE_DS);
}

bool denial_excludes(const struct rrset *set, const uint8_t *zone, const uint8_t *name,
                     uint16_t type, const uint8_t *hash)
{
    struct nsec n;
    if (set->type == TYPE_NSEC) {
        if (!nsec_read(set, &n))
            return false;
        return name_equal(n.owner, name) ? type_missing(nsec_has(&n, type), nsec_at_cut(&n), type)
                                         : nsec_denies(&n, zone, name);
    }
    struct denial d = {.zone = zone};
    struct nsec3 record;
    if (hash == NULL || !nsec3_read(&d, set, &record))
        return false;
    const struct nsec3 *r = &record;
    if (memcmp(r->hash, hash, NSEC3_HASH) == 0)
        return type_missing(nsec3_has(r, type), nsec3_has(r, TYPE_NS) && !nsec3_has(r, TYPE_SOA),
                            type);
    return !(r->flags & NSEC3_OPT_OUT) && nsec3_spans(r, hash);
}

bool denial_made_up(const struct rrset *set)
{
    uint16_t size;
    const uint8_t *r = rrset_record(set, NULL, &size);
    if (r == NULL)
        return true;
    if (set->type == TYPE_NSEC)
        return size > (size_t)set->owner_size + 2 && r[0] == 1 && r[1] == 0 &&
               memcmp(r + 2, set->owner, set->owner_size) == 0;
    uint8_t hash[DENIAL_HASH];
    size_t at = size >= 5 ? 6u + r[4] : size;
    if (!denial_hash_of(set->owner, hash) || at + DENIAL_HASH > size)
        return true;
    /* narrow: from one below a hash to one above it */
    return memcmp(hash, r + at, DENIAL_HASH - 2) == 0;
}
