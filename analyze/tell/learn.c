/*
 * learn: secure RRsets, copied and told.
 *
 * Contained in: analyze, tests. Must never take an RRset whose chain was not seen whole, nor one
 * that a wildcard synthesised: its owner is not a name of the zone.
 */
#include "analyze/tell/learn.h"

#include "analyze/canon.h"
#include "analyze/types.h"
#include "analyze/validate/judge.h"
#include "analyze/validate/trust.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES ((size_t)1 << 18)
/* A record whose text is longer than this is left out, as is a set longer than a piece. */
#define RDATA_TEXT ((size_t)1 << 17)
#define LEFT_MAX   512 /* kinds of what was left out, by zone and reason */

struct item {                              /* a secure RRset; zone, owner and records behind it */
    const uint8_t *zone, *owner, *records; /* records as in struct rrset */
    size_t records_size;
    int64_t last_ns;
    uint32_t ttl;
    uint16_t type, count;
};

struct left {
    uint8_t zone[NAME_MAX_BYTES], owner[NAME_MAX_BYTES]; /* owner, type: the first one */
    const char *reason;
    uint64_t count;
    uint16_t type;
};

struct learn {
    size_t bytes, most;
    struct item **items;
    size_t count, room;
    struct left left[LEFT_MAX];
    size_t left_count;
    uint64_t left_more; /* of further kinds */
    /* telling */
    enum { TELL_BEGIN, TELL_SETS, TELL_LEFT, TELL_END } state;
    size_t at;
    size_t used;
    char rdata[RDATA_TEXT];
    char piece[PIECE_BYTES + RDATA_TEXT + 4 * NAME_TEXT_MAX];
};

struct learn *learn_new(size_t most_bytes)
{
    struct learn *l = malloc(sizeof *l);
    if (l == NULL)
        return NULL;
    l->bytes = l->count = l->room = l->left_count = l->left_more = l->at = l->used = 0;
    l->most = most_bytes;
    l->items = NULL;
    l->state = TELL_BEGIN;
    return l;
}

void learn_free(struct learn *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; i < l->count; i++)
        free(l->items[i]);
    free(l->items);
    free(l);
}

/* --- taking --- */

static void leave_out(struct learn *l, const struct rrset *set, const uint8_t *zone,
                      const char *reason)
{
    for (size_t i = 0; i < l->left_count; i++)
        if (l->left[i].reason == reason && name_equal(l->left[i].zone, zone)) {
            l->left[i].count++;
            return;
        }
    if (l->left_count == LEFT_MAX) {
        l->left_more++;
        return;
    }
    struct left *left = &l->left[l->left_count++];
    memcpy(left->zone, zone, name_size(zone));
    memcpy(left->owner, set->owner, name_size(set->owner));
    left->reason = reason;
    left->count = 1;
    left->type = set->type;
}

static size_t records_size(const struct rrset *set)
{
    const uint8_t *at = NULL, *end = set->records;
    uint16_t size;
    while ((at = rrset_record(set, at, &size)) != NULL)
        end = at + size;
    return (size_t)(end - set->records);
}

static void take(struct learn *l, const struct rrset *set, const uint8_t *zone)
{
    size_t zone_size = name_size(zone), owner_size = name_size(set->owner);
    size_t records = records_size(set);
    size_t bytes = sizeof(struct item) + zone_size + owner_size + records;
    if (l->count == l->room) {
        size_t room = l->room ? 2 * l->room : 1024;
        struct item **more = reallocarray(l->items, room, sizeof *more);
        if (more == NULL) {
            leave_out(l, set, zone, "memory");
            return;
        }
        l->items = more;
        l->room = room;
    }
    struct item *item = bytes <= l->most - l->bytes ? malloc(bytes) : NULL;
    if (item == NULL) {
        leave_out(l, set, zone, "memory");
        return;
    }
    uint8_t *at = (uint8_t *)(item + 1);
    memcpy(at, zone, zone_size);
    memcpy(at + zone_size, set->owner, owner_size);
    memcpy(at + zone_size + owner_size, set->records, records);
    *item = (struct item){.zone = at,
                          .owner = at + zone_size,
                          .records = at + zone_size + owner_size,
                          .records_size = records,
                          .last_ns = set->last_seen_ns,
                          .ttl = set->signature[set->judged.by].original_ttl,
                          .type = set->type,
                          .count = set->count};
    l->items[l->count++] = item;
    l->bytes += bytes;
}

static bool is_maintenance(uint16_t type)
{
    return type == TYPE_RRSIG || type == TYPE_NSEC || type == TYPE_NSEC3;
}

/* Without a signature the zone around it says what it is worth. */
static void leave_unsigned(struct learn *l, struct answers *t, const struct rrset *set,
                           int64_t clock_ns)
{
    static const uint8_t root[] = {0};
    const struct trust *trust = NULL;
    struct zone *zone =
        trust_enclosing(&t->world, set->owner, set->type == TYPE_DS, clock_ns, &trust);
    const uint8_t *name = zone ? zone->name : root;
    if (trust == NULL || trust->state == TRUST_UNKNOWN)
        leave_out(l, set, name, "indeterminate");
    else if (trust->state == TRUST_INSECURE)
        leave_out(l, set, name, "insecure");
    else if (trust->state == TRUST_BOGUS)
        leave_out(l, set, name, "bogus");
    else if (set->type == TYPE_NS)
        leave_out(l, set, name, "delegation"); /* the parent's, never signed (RFC 4035 2.2) */
    else
        leave_out(l, set, name, "unsigned");
}

/* As it was judged when it was seen last, if it was. What has come since may be signed so late that
 * it vouches for nothing of that time: keys signed anew look as if they were still to come. */
static enum reason judged_then(struct answers *t, struct rrset *set, int64_t clock_ns)
{
    if (set->judged.done && set->judged.reason == REASON_CHAIN && set->judged.from_ns <= clock_ns &&
        clock_ns <= set->judged.until_ns)
        return REASON_CHAIN;
    return judge_rrset(&t->world, set, clock_ns);
}

static void look_at(struct learn *l, struct answers *t, struct rrset *set)
{
    int64_t clock_ns = answers_clock(t, set->last_seen_ns);
    if (is_maintenance(set->type) || set->count == 0)
        return;
    world_begin(&t->world, set->last_seen_ns);
    if (set->signatures == 0) {
        leave_unsigned(l, t, set, clock_ns);
        return;
    }
    enum reason reason = judged_then(t, set, clock_ns);
    const uint8_t *zone = set->judged.zone ? set->judged.zone->name : set->signature[0].signer;
    if (reason != REASON_CHAIN)
        leave_out(l, set, zone, verdict_name(reason_verdict(reason)));
    else if (set->judged.wildcard)
        leave_out(l, set, zone, "wildcard");
    else
        take(l, set, set->type == TYPE_DS ? set->owner : zone);
}

struct gathering {
    struct learn *learn;
    struct answers *answers;
};

static void on_set(void *context, struct rrset *set)
{
    struct gathering *g = context;
    look_at(g->learn, g->answers, set);
}

void learn_gather(struct learn *l, struct answers *t)
{
    struct gathering g = {l, t};
    rrsets_each(t->world.rrsets, on_set, &g);
}

/* --- order --- */

static int compare_content(const struct item *a, const struct item *b)
{
    int order = name_compare(a->zone, b->zone);
    if (order == 0)
        order = name_compare(a->owner, b->owner);
    if (order != 0)
        return order;
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    if (a->records_size != b->records_size)
        return a->records_size < b->records_size ? -1 : 1;
    return memcmp(a->records, b->records, a->records_size);
}

static int by_content(const void *a, const void *b)
{
    return compare_content(*(struct item *const *)a, *(struct item *const *)b);
}

static int by_time(const void *a, const void *b)
{
    const struct item *left = *(struct item *const *)a, *right = *(struct item *const *)b;
    int order = name_compare(left->zone, right->zone);
    if (order == 0)
        order = name_compare(left->owner, right->owner);
    if (order != 0)
        return order;
    if (left->type != right->type)
        return left->type < right->type ? -1 : 1;
    if (left->last_ns != right->last_ns)
        return left->last_ns < right->last_ns ? -1 : 1;
    return compare_content(left, right);
}

static int by_zone(const void *a, const void *b)
{
    const struct left *left = a, *right = b;
    int order = name_compare(left->zone, right->zone);
    return order ? order : strcmp(left->reason, right->reason);
}

/* The same records, signed anew, are one set. */
static void settle(struct learn *l)
{
    size_t kept = 0;
    if (l->count == 0)
        return;
    qsort(l->items, l->count, sizeof(struct item *), by_content);
    for (size_t i = 0; i < l->count; i++) {
        struct item *last = kept ? l->items[kept - 1] : NULL;
        if (last == NULL || compare_content(last, l->items[i]) != 0) {
            l->items[kept++] = l->items[i];
            continue;
        }
        if (l->items[i]->last_ns > last->last_ns)
            last->last_ns = l->items[i]->last_ns;
        free(l->items[i]);
    }
    l->count = kept;
    qsort(l->items, l->count, sizeof(struct item *), by_time);
}

/* --- telling --- */

/* False if it does not fit: nothing is written then. */
__attribute__((format(printf, 2, 3))) static bool put(struct learn *l, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(l->piece + l->used, sizeof l->piece - l->used, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= sizeof l->piece - l->used)
        return false;
    l->used += (size_t)n;
    return true;
}

/* False, and nothing written, if the text of a record is cut or the set is longer than a piece. */
static bool put_set(struct learn *l, const struct item *item)
{
    char name[NAME_TEXT_MAX], word[TYPES_TEXT];
    const char *type = types_rr(item->type, word);
    const uint8_t *at = item->records;
    size_t before = l->used;
    name_text(item->owner, name);
    bool fits = put(l, "set %" PRId64 " %s %s\n", item->last_ns, name, type);
    for (uint16_t i = 0; i < item->count && fits; i++) {
        uint16_t size;
        memcpy(&size, at, sizeof size);
        types_rdata_text(item->type, at + sizeof size, size, l->rdata, sizeof l->rdata);
        fits = strlen(l->rdata) + 1 < sizeof l->rdata &&
               put(l, "record %s %" PRIu32 " IN %s %s\n", name, item->ttl, type, l->rdata);
        at += sizeof size + size;
    }
    if (!fits)
        l->used = before;
    return fits;
}

static void put_left(struct learn *l, const struct left *left)
{
    char zone[NAME_TEXT_MAX], owner[NAME_TEXT_MAX], word[TYPES_TEXT];
    (void)put(l, "out %" PRIu64 " %s %s %s %s\n", left->count, name_text(left->zone, zone),
              left->reason, name_text(left->owner, owner), types_rr(left->type, word));
}

static void tell_sets(struct learn *l)
{
    for (; l->at < l->count && l->used < PIECE_BYTES / 2; l->at++) {
        const struct item *item = l->items[l->at];
        struct rrset set = {.owner = item->owner, .type = item->type};
        char name[NAME_TEXT_MAX];
        if (l->at == 0 || !name_equal(l->items[l->at - 1]->zone, item->zone))
            (void)put(l, "zone %s\n", name_text(item->zone, name));
        if (!put_set(l, item))
            leave_out(l, &set, item->zone, "length");
    }
    if (l->at < l->count)
        return;
    l->state = TELL_LEFT;
    l->at = 0;
    if (l->left_count > 0)
        qsort(l->left, l->left_count, sizeof *l->left, by_zone);
}

const char *learn_next(struct learn *l, size_t *ret_size)
{
    l->used = 0;
    if (l->state == TELL_END)
        return NULL;
    if (l->state == TELL_BEGIN) {
        settle(l);
        (void)put(l, "learned 1\n");
        l->state = TELL_SETS;
    }
    if (l->state == TELL_SETS)
        tell_sets(l);
    while (l->state == TELL_LEFT && l->used < PIECE_BYTES) {
        if (l->at < l->left_count) {
            put_left(l, &l->left[l->at++]);
            continue;
        }
        if (l->left_more)
            (void)put(l, "out %" PRIu64 " . other . TYPE0\n", l->left_more);
        (void)put(l, "end\n");
        l->state = TELL_END;
    }
    *ret_size = l->used;
    return l->piece;
}
