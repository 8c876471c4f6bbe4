/*
 * rrset: the table of distinct RRsets.
 *
 * Contained in: analyze, tests. The path of a repeated RRset allocates nothing: records are made
 * canonical in a scratch buffer, sorted, hashed and compared with what is kept.
 */
#include "analyze/validate/rrset.h"

#include "analyze/canon.h"

#define XXH_INLINE_ALL
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* Canonical rdata grows when names are decompressed; a message that grows beyond this is a bomb. */
#define SCRATCH_BYTES ((size_t)1 << 18)
#define BUCKETS       ((size_t)1 << 16)
#define BUCKETS_MOST  ((size_t)1 << 22)
#define RRSIG_FIXED   18
#define BLOCK_BYTES   16 /* malloc's own */

struct piece {
    const uint8_t *bytes;
    uint16_t size;
};

struct rrsets {
    uint64_t seed;
    size_t bytes, entries, buckets;
    struct rrset **bucket;
    /* scratch of one look-up */
    uint8_t canonical[SCRATCH_BYTES];
    uint8_t identity[SCRATCH_BYTES + NAME_MAX_BYTES + 4 * RRSET_RECORDS_MAX];
    struct piece piece[RRSET_RECORDS_MAX];
    struct piece signature[RRSET_SIGNATURES_MAX];
};

struct rrsets *rrsets_new(uint64_t seed)
{
    struct rrsets *table = malloc(sizeof *table);
    if (table == NULL)
        return NULL;
    table->seed = seed;
    table->bytes = table->entries = 0;
    table->buckets = BUCKETS;
    table->bucket = calloc(BUCKETS, sizeof(struct rrset *));
    if (table->bucket == NULL) {
        free(table);
        return NULL;
    }
    return table;
}

static size_t footprint(const struct rrset *set)
{
    return sizeof *set + set->size + set->signatures * sizeof *set->signature + BLOCK_BYTES;
}

static void drop_all(struct rrsets *table, bool held_too)
{
    for (size_t i = 0; i < table->buckets; i++) {
        struct rrset **link = &table->bucket[i];
        while (*link) {
            struct rrset *set = *link;
            if (set->held && !held_too) {
                set->judged.done = false;
                set->judged.zone = NULL;
                for (uint8_t k = 0; k < set->signatures; k++)
                    set->signature[k].checks = 0;
                link = &set->next;
                continue;
            }
            *link = set->next;
            table->bytes -= footprint(set);
            table->entries--;
            free(set);
        }
    }
}

void rrsets_free(struct rrsets *table)
{
    if (table == NULL)
        return;
    drop_all(table, true);
    free(table->bucket);
    free(table);
}

size_t rrsets_bytes(const struct rrsets *table)
{
    return table->bytes;
}

void rrsets_each(const struct rrsets *table, void (*on_rrset)(void *context, struct rrset *),
                 void *context)
{
    for (size_t i = 0; i < table->buckets; i++)
        for (struct rrset *set = table->bucket[i]; set; set = set->next)
            on_rrset(context, set);
}

void rrsets_forget(struct rrsets *table)
{
    drop_all(table, false);
}

/* --- a message into groups --- */

static uint16_t covered_type(const struct dns_message *m, const struct dns_rr *rr)
{
    return (uint16_t)(m->bytes[rr->rdata] << 8 | m->bytes[rr->rdata + 1]);
}

static bool same_owner(const struct dns_message *m, uint16_t a, uint16_t b)
{
    return a == b || (m->owners[a].size == m->owners[b].size &&
                      memcmp(m->owners[a].name, m->owners[b].name, m->owners[a].size) == 0);
}

/* The type under which an RR is grouped: an RRSIG goes with what it covers. 0: not grouped. */
static uint16_t group_type(const struct dns_message *m, const struct dns_rr *rr)
{
    if (rr->class != 1)
        return 0;
    if (rr->type != TYPE_RRSIG)
        return rr->type;
    return rr->rdlen > RRSIG_FIXED ? covered_type(m, rr) : 0;
}

static bool in_group(const struct dns_message *m, const struct dns_rr *rr, uint16_t type,
                     const struct rrset_group *g)
{
    return g->type == type && g->section == rr->section && same_owner(m, g->owner, rr->owner);
}

uint64_t rrset_glue(const struct dns_message *m, const uint8_t *zone, uint64_t seed)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < m->rr_count; i++) {
        const struct dns_rr *rr = &m->rrs[i];
        const struct dns_owner *owner = &m->owners[rr->owner];
        if (rr->section != SECTION_ADDITIONAL || (rr->type != TYPE_A && rr->type != TYPE_AAAA) ||
            rr->class != 1 || !name_within(owner->name, zone))
            continue;
        uint64_t hash = XXH3_64bits_withSeed(owner->name, owner->size, seed ^ rr->type);
        sum += XXH3_64bits_withSeed(m->bytes + rr->rdata, rr->rdlen, hash) | 1;
    }
    return sum;
}

void rrset_groups(const struct dns_message *m, unsigned sections, struct rrset_groups *ret)
{
    ret->count = 0;
    ret->crowded = m->crowded;
    for (size_t i = 0; i < m->rr_count; i++) {
        const struct dns_rr *rr = &m->rrs[i];
        uint16_t type = group_type(m, rr);
        if (type == 0 || !(sections & 1u << rr->section))
            continue;
        size_t g = ret->count;
        while (g > 0 && !in_group(m, rr, type, &ret->group[g - 1]))
            g--;
        if (g == 0) {
            if (ret->count == RRSET_GROUPS_MAX) {
                ret->crowded = true;
                return;
            }
            g = ++ret->count;
            ret->group[g - 1] = (struct rrset_group){
                .owner = rr->owner, .type = type, .section = rr->section, .ttl = UINT32_MAX};
        }
        struct rrset_group *group = &ret->group[g - 1];
        if (rr->type == TYPE_RRSIG) {
            group->signatures++;
            continue;
        }
        group->records++;
        if (rr->ttl < group->ttl)
            group->ttl = rr->ttl;
    }
}

/* --- canonical identity --- */

static int piece_compare(const struct piece *a, const struct piece *b)
{
    size_t least = a->size < b->size ? a->size : b->size;
    int order = memcmp(a->bytes, b->bytes, least);
    return order ? order : (int)a->size - (int)b->size;
}

static int piece_order(const void *a, const void *b)
{
    return piece_compare(a, b);
}

/* RFC 4034 6.3: sorted, duplicates removed. Sets are small, except hostile ones. */
static size_t piece_sort(struct piece *pieces, size_t count)
{
    if (count > 16) {
        qsort(pieces, count, sizeof *pieces, piece_order);
    } else {
        for (size_t i = 1; i < count; i++) {
            struct piece moving = pieces[i];
            size_t at = i;
            for (; at > 0 && piece_compare(&pieces[at - 1], &moving) > 0; at--)
                pieces[at] = pieces[at - 1];
            pieces[at] = moving;
        }
    }
    size_t kept = count > 0;
    for (size_t i = 1; i < count; i++)
        if (piece_compare(&pieces[kept - 1], &pieces[i]) != 0)
            pieces[kept++] = pieces[i];
    return kept;
}

struct found {
    size_t records, signatures;
    bool more_signatures, broken;
};

static struct found collect(struct rrsets *table, const struct dns_message *m,
                            const struct rrset_group *g)
{
    struct found found = {0};
    size_t used = 0;
    for (size_t i = 0; i < m->rr_count; i++) {
        const struct dns_rr *rr = &m->rrs[i];
        if (group_type(m, rr) != g->type || !in_group(m, rr, g->type, g))
            continue;
        bool is_signature = rr->type == TYPE_RRSIG;
        int written = canon_rdata(rr->type, m->bytes, m->size, rr->rdata, rr->rdlen,
                                  table->canonical + used, SCRATCH_BYTES - used);
        if (written < 0 && is_signature && written == -1) {
            found.more_signatures = true;
            continue;
        }
        if (written < 0 || (!is_signature && found.records == RRSET_RECORDS_MAX)) {
            found.broken = true;
            return found;
        }
        struct piece piece = {table->canonical + used, (uint16_t)written};
        if (!is_signature)
            table->piece[found.records++] = piece;
        else if (found.signatures == RRSET_SIGNATURES_MAX)
            found.more_signatures = true;
        else
            table->signature[found.signatures++] = piece;
        used += (size_t)written;
    }
    found.records = piece_sort(table->piece, found.records);
    found.signatures = piece_sort(table->signature, found.signatures);
    return found;
}

static uint8_t *put_piece(uint8_t *at, const struct piece *piece)
{
    memcpy(at, &piece->size, 2);
    memcpy(at + 2, piece->bytes, piece->size);
    return at + 2 + piece->size;
}

/* owner, then records, then signatures, each with its size before it. */
static size_t write_identity(struct rrsets *table, const struct dns_owner *owner,
                             const struct found *found)
{
    uint8_t *at = table->identity;
    memcpy(at, owner->name, owner->size);
    at += owner->size;
    for (size_t i = 0; i < found->records; i++)
        at = put_piece(at, &table->piece[i]);
    for (size_t i = 0; i < found->signatures; i++)
        at = put_piece(at, &table->signature[i]);
    return (size_t)(at - table->identity);
}

static struct signature parse_signature(const uint8_t *rdata, uint16_t size)
{
    const uint8_t *p = rdata;
    struct signature s = {.rdata = rdata, .rdata_size = size};
    s.covered = (uint16_t)(p[0] << 8 | p[1]);
    s.algorithm = p[2];
    s.labels = p[3];
    s.original_ttl = (uint32_t)p[4] << 24 | (uint32_t)p[5] << 16 | (uint32_t)p[6] << 8 | p[7];
    s.expiration = (uint32_t)p[8] << 24 | (uint32_t)p[9] << 16 | (uint32_t)p[10] << 8 | p[11];
    s.inception = (uint32_t)p[12] << 24 | (uint32_t)p[13] << 16 | (uint32_t)p[14] << 8 | p[15];
    s.tag = (uint16_t)(p[16] << 8 | p[17]);
    s.signer = p + RRSIG_FIXED;
    size_t signer = name_size(s.signer);
    s.bytes = s.signer + signer;
    s.bytes_size = (uint16_t)(size - RRSIG_FIXED - signer);
    return s;
}

static struct rrset *make(struct rrsets *table, size_t size, const struct found *found,
                          uint8_t owner_size, uint16_t type)
{
    size_t signatures = found->signatures * sizeof(struct signature);
    struct rrset *set = calloc(1, sizeof *set + signatures + size);
    if (set == NULL)
        return NULL;
    set->signature = (struct signature *)(set + 1);
    uint8_t *identity = (uint8_t *)(set + 1) + signatures;
    memcpy(identity, table->identity, size);
    set->owner = identity;
    set->owner_size = owner_size;
    set->records = identity + owner_size;
    set->type = type;
    set->count = (uint16_t)found->records;
    set->size = (uint32_t)size;
    set->signatures = (uint8_t)found->signatures;
    set->more_signatures = found->more_signatures;
    const uint8_t *at = set->records;
    for (size_t i = 0; i < found->records + found->signatures; i++) {
        uint16_t piece;
        memcpy(&piece, at, 2);
        if (i >= found->records)
            set->signature[i - found->records] = parse_signature(at + 2, piece);
        at += 2 + piece;
    }
    return set;
}

/* Doubles the buckets when chains grow; keeps the old ones if there is no memory. */
static void grow(struct rrsets *table)
{
    if (table->entries < table->buckets || table->buckets >= BUCKETS_MOST)
        return;
    size_t wider = table->buckets * 4;
    struct rrset **bucket = calloc(wider, sizeof(struct rrset *));
    if (bucket == NULL)
        return;
    for (size_t i = 0; i < table->buckets; i++) {
        for (struct rrset *set = table->bucket[i], *next; set; set = next) {
            next = set->next;
            set->next = bucket[set->hash & (wider - 1)];
            bucket[set->hash & (wider - 1)] = set;
        }
    }
    free(table->bucket);
    table->bucket = bucket;
    table->buckets = wider;
}

static void remember_frames(struct rrset *set, const uint64_t *frames, size_t count)
{
    /* The first frames and the last: the last completed the message. */
    for (size_t i = 0; i < count; i++) {
        if (set->frame_count < RRSET_FRAMES_MAX)
            set->frames[set->frame_count++] = frames[i];
        else
            set->frames[RRSET_FRAMES_MAX - 1] = frames[i];
    }
}

void rrset_intern(struct rrsets *table, const struct dns_message *m, struct rrset_group *g,
                  int64_t time_ns, const uint64_t *frames, size_t frame_count)
{
    const struct dns_owner *owner = &m->owners[g->owner];
    g->rrset = NULL;
    g->fresh = false;
    if (g->records == 0)
        return;
    struct found found = collect(table, m, g);
    if (found.broken || found.records == 0)
        return;
    size_t size = write_identity(table, owner, &found);
    uint64_t hash = XXH3_64bits_withSeed(table->identity, size, table->seed + g->type);
    struct rrset *set = table->bucket[hash & (table->buckets - 1)];
    while (set && !(set->hash == hash && set->type == g->type && set->size == size &&
                    set->count == found.records && set->owner_size == owner->size &&
                    memcmp(set->owner, table->identity, size) == 0))
        set = set->next;
    if (set == NULL) {
        grow(table);
        set = make(table, size, &found, owner->size, g->type);
        if (set == NULL)
            return;
        set->hash = hash;
        set->ttl = g->ttl;
        set->first_seen_ns = time_ns;
        remember_frames(set, frames, frame_count);
        struct rrset **bucket = &table->bucket[hash & (table->buckets - 1)];
        set->next = *bucket;
        *bucket = set;
        table->bytes += footprint(set);
        table->entries++;
        g->fresh = true;
    } else if (set->recalled) { /* known, and here for the first time */
        set->recalled = false;
        set->first_seen_ns = time_ns;
        remember_frames(set, frames, frame_count);
        g->fresh = true;
    }
    g->rrset = set;
}

/* --- views --- */

const uint8_t *rrset_record(const struct rrset *set, const uint8_t *at, uint16_t *ret_size)
{
    const uint8_t *end = set->records;
    if (at == NULL) {
        at = set->records;
    } else {
        uint16_t size;
        memcpy(&size, at - 2, 2);
        at += size;
    }
    /* Records end where the first signature's size stands, or the identity ends. */
    end = set->signatures ? set->signature[0].rdata - 2 : set->owner + set->size;
    if (at >= end)
        return NULL;
    memcpy(ret_size, at, 2);
    return at + 2;
}

struct fact_rrset rrset_view(const struct rrset *set, struct fact_rdata *room)
{
    struct fact_rrset view = {
        .owner = set->owner, .type = set->type, .ttl = set->ttl, .rdata = room};
    uint16_t size;
    for (const uint8_t *r = NULL; (r = rrset_record(set, r, &size)) != NULL;)
        room[view.count++] = (struct fact_rdata){r, size};
    return view;
}

/* RFC 4034 3.1.8.1: the owner, or the wildcard that it was made from (RFC 4035 5.3.2). */
static size_t signed_owner(const struct rrset *set, const struct signature *s, uint8_t *out)
{
    unsigned labels = name_labels(set->owner);
    unsigned shown = labels > 0 && name_is_wildcard(set->owner) ? labels - 1 : labels;
    if (s->labels >= shown) {
        memcpy(out, set->owner, set->owner_size);
        return set->owner_size;
    }
    const uint8_t *above = name_suffix(set->owner, s->labels);
    size_t size = name_size(above);
    out[0] = 1;
    out[1] = '*';
    memcpy(out + 2, above, size);
    return size + 2;
}

size_t rrset_signed_data(const struct rrset *set, const struct signature *s,
                         uint8_t ret_data[RRSET_SIGNED_MAX])
{
    uint8_t head[NAME_MAX_BYTES + 10], *at = ret_data;
    size_t fixed = (size_t)(s->bytes - s->rdata);
    memcpy(at, s->rdata, fixed);
    at += fixed;

    size_t head_size = signed_owner(set, s, head);
    uint8_t *p = head + head_size;
    *p++ = (uint8_t)(set->type >> 8);
    *p++ = (uint8_t)set->type;
    *p++ = 0;
    *p++ = 1;                   /* class IN */
    memcpy(p, s->rdata + 4, 4); /* original TTL */
    head_size += 8;

    uint16_t size;
    for (const uint8_t *r = NULL; (r = rrset_record(set, r, &size)) != NULL;) {
        if ((size_t)(ret_data + RRSET_SIGNED_MAX - at) < head_size + 2 + size)
            return 0;
        memcpy(at, head, head_size);
        at += head_size;
        *at++ = (uint8_t)(size >> 8);
        *at++ = (uint8_t)size;
        memcpy(at, r, size);
        at += size;
    }
    return (size_t)(at - ret_data);
}
