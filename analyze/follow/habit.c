/*
 * habit: the hand of a signer.
 *
 * Contained in: analyze, tests. Must never: judge (rules/habit.c does), or grow with traffic beyond
 * HABIT_KEYS_MAX.
 */
#include "analyze/follow/habit.h"

#include "analyze/canon.h"
#include "analyze/follow/pen.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define uthash_fatal(message) abort() /* our memory is gone: our own failure */
#include <uthash.h>

#define TYPE_CDS     59
#define TYPE_CDNSKEY 60
#define CLASSES      3
#define SIGNINGS     8 /* inception times remembered: the latest */
#define TTLS         8 /* types whose TTL is remembered */
#define NS_PER_S     INT64_C(1000000000)
#define COUNT_MOST   UINT32_C(1000000000)
#define FORMAT       1

struct signing {
    int64_t inception;
    int32_t age; /* seconds until the first signature of it was seen; INT32_MAX: long */
};

struct class
{
    uint32_t samples, signings; /* signatures, different inception times */
    int64_t validity_min, validity_max;
    uint32_t inception_round, expiration_round; /* largest of grain[] that divides all */
    uint32_t unrounded;                         /* signings that began off the minute */
    uint8_t recent;
    struct signing signing[SIGNINGS];
    uint8_t ttls;
    struct {
        uint16_t type;
        uint32_t ttl, count; /* count 0: different ones were seen */
    } ttl[TTLS];
};

struct habit {
    UT_hash_handle hh;
    uint64_t id; /* hash of zone and key */
    int64_t last_ns;
    struct class class[CLASSES];
    uint16_t size;
    const uint8_t *rdata; /* of the DNSKEY, behind the zone's name */
    uint8_t zone[];
};

struct habits {
    struct habit *table; /* in the order of their last use */
    uint64_t seed;
};

/* Weeks begin on Thursday, as the epoch did. */
static const uint32_t grain[] = {604800, 86400, 3600, 60, 1};

struct habits *habits_new(uint64_t seed)
{
    struct habits *h = calloc(1, sizeof *h);
    if (h)
        h->seed = seed;
    return h;
}

void habits_free(struct habits *h)
{
    if (h == NULL)
        return;
    struct habit *habit, *next;
    HASH_ITER(hh, h->table, habit, next)
    {
        HASH_DEL(h->table, habit);
        free(habit);
    }
    free(h);
}

static unsigned class_of(uint16_t type)
{
    switch (type) {
    case TYPE_DNSKEY:
    case TYPE_CDS:
    case TYPE_CDNSKEY:
        return 1;
    case TYPE_NSEC:
    case TYPE_NSEC3:
    case TYPE_NSEC3PARAM:
        return 2;
    default:
        return 0;
    }
}

static uint64_t id_of(const struct habits *h, const uint8_t *zone, const uint8_t *rdata,
                      uint16_t size)
{
    return XXH3_64bits_withSeed(rdata, size, XXH3_64bits_withSeed(zone, name_size(zone), h->seed));
}

static struct habit *find(const struct habits *h, const uint8_t *zone, const uint8_t *rdata,
                          uint16_t size)
{
    uint64_t id = id_of(h, zone, rdata, size);
    struct habit *habit;
    HASH_FIND(hh, h->table, &id, sizeof id, habit);
    bool same = habit && habit->size == size && memcmp(habit->rdata, rdata, size) == 0 &&
                name_equal(habit->zone, zone);
    return same ? habit : NULL;
}

static struct habit *make(struct habits *h, const uint8_t *zone, const uint8_t *rdata,
                          uint16_t size)
{
    if (size > HABIT_KEY_BYTES)
        return NULL;
    if (HASH_COUNT(h->table) >= HABIT_KEYS_MAX) {
        struct habit *oldest = h->table;
        HASH_DEL(h->table, oldest);
        free(oldest);
    }
    size_t name = name_size(zone);
    struct habit *habit = calloc(1, sizeof *habit + name + size);
    if (habit == NULL)
        return NULL;
    habit->id = id_of(h, zone, rdata, size);
    memcpy(habit->zone, zone, name);
    habit->rdata = memcpy(habit->zone + name, rdata, size);
    habit->size = size;
    HASH_ADD(hh, h->table, id, sizeof habit->id, habit);
    return habit;
}

/* --- learning ------------------------------------------------------------------------------ */

static uint32_t divides(uint32_t so_far, int64_t time)
{
    for (size_t i = 0; i < sizeof grain / sizeof *grain; i++)
        if ((so_far == 0 || grain[i] <= so_far) && time % grain[i] == 0)
            return grain[i];
    return 1;
}

static int64_t age_of(const struct rrset *set, const struct fact_signature *s)
{
    return set->first_seen_ns / NS_PER_S - s->inception;
}

static int32_t small(int64_t age)
{
    return age > INT32_MAX ? INT32_MAX : age < -INT32_MAX ? -INT32_MAX : (int32_t)age;
}

static void learn_signing(struct class *c, int32_t age, const struct fact_signature *s)
{
    for (uint8_t i = 0; i < c->recent; i++) {
        if (c->signing[i].inception != s->inception)
            continue;
        if (age < c->signing[i].age)
            c->signing[i].age = age;
        return;
    }
    if (c->signings < COUNT_MOST)
        c->signings++;
    c->unrounded += s->inception % 60 != 0 && c->unrounded < COUNT_MOST;
    if (c->recent == SIGNINGS)
        memmove(c->signing, c->signing + 1, --c->recent * sizeof *c->signing);
    c->signing[c->recent++] = (struct signing){s->inception, age};
}

static void learn_ttl(struct class *c, uint16_t type, uint32_t ttl)
{
    uint8_t i = 0;
    while (i < c->ttls && c->ttl[i].type != type)
        i++;
    if (i == TTLS)
        return;
    if (i == c->ttls) {
        c->ttls++;
        c->ttl[i].type = type;
        c->ttl[i].ttl = ttl;
        c->ttl[i].count = 1;
    } else if (c->ttl[i].ttl != ttl) {
        c->ttl[i].count = 0;
    } else if (c->ttl[i].count && c->ttl[i].count < COUNT_MOST) {
        c->ttl[i].count++;
    }
}

static struct habit *learn(struct habits *h, const uint8_t *zone, const uint8_t *rdata,
                           uint16_t size, uint16_t type, int32_t age,
                           const struct fact_signature *s)
{
    struct habit *habit = find(h, zone, rdata, size);
    if (habit) { /* to the end of the line */
        HASH_DEL(h->table, habit);
        HASH_ADD(hh, h->table, id, sizeof habit->id, habit);
    } else if ((habit = make(h, zone, rdata, size)) == NULL) {
        return NULL;
    }
    struct class *c = &habit->class[class_of(type)];
    int64_t validity = s->expiration - s->inception;
    if (c->samples == 0 || validity < c->validity_min)
        c->validity_min = validity;
    if (c->samples == 0 || validity > c->validity_max)
        c->validity_max = validity;
    if (c->samples < COUNT_MOST)
        c->samples++;
    c->inception_round = divides(c->inception_round, s->inception);
    c->expiration_round = divides(c->expiration_round, s->expiration);
    learn_signing(c, age, s);
    learn_ttl(c, type, s->original_ttl);
    return habit;
}

void habits_state(struct habits *h, const uint8_t *zone, const uint8_t *rdata, uint16_t rdata_size,
                  uint16_t type, const struct fact_signature *s)
{
    learn(h, zone, rdata, rdata_size, type, INT32_MAX, s);
}

void habits_unlearn(struct habits *h, const uint8_t *zone, const struct key *key)
{
    struct habit *habit = find(h, zone, key->rdata, key->rdata_size);
    if (habit)
        HASH_DEL(h->table, habit);
    free(habit);
}

void habits_learn(struct habits *h, const uint8_t *zone, const struct key *key,
                  const struct rrset *set, const struct fact_signature *s)
{
    struct habit *habit =
        learn(h, zone, key->rdata, key->rdata_size, set->type, small(age_of(set, s)), s);
    if (habit && set->last_seen_ns > habit->last_ns)
        habit->last_ns = set->last_seen_ns;
}

/* --- describing ---------------------------------------------------------------------------- */

/* The least age at which a signing was first seen, and how many were seen about as soon. */
static void describe_age(const struct class *c, struct fact_habit *ret)
{
    int32_t least = INT32_MAX;
    for (uint8_t i = 0; i < c->recent; i++)
        if (c->signing[i].age < least)
            least = c->signing[i].age;
    ret->set_back = least;
    for (uint8_t i = 0; i < c->recent && least < INT32_MAX - HABIT_SOON; i++)
        ret->set_back_signings += c->signing[i].age <= least + HABIT_SOON;
}

/* The signatures of the zone's other keys over data. */
/* Keys with SEP that sign data are no sign of keys with parts to play: such a one follows them. */
static uint32_t by_others(const struct habits *h, const uint8_t *zone, const struct key *key,
                          const struct habit_rdata *known, size_t count)
{
    uint32_t samples = 0;
    for (size_t i = 0; i < count; i++) {
        bool same = known[i].size == key->rdata_size &&
                    memcmp(known[i].bytes, key->rdata, key->rdata_size) == 0;
        if (same || known[i].size < 4 || known[i].bytes[1] & KEY_FLAG_SEP)
            continue;
        const struct habit *other = find(h, zone, known[i].bytes, known[i].size);
        if (other && other->class[0].samples > samples)
            samples = other->class[0].samples;
    }
    return samples;
}

bool habits_describe(struct habits *h, const uint8_t *zone, const struct key *key,
                     const struct rrset *set, const struct fact_signature *s,
                     const struct habit_rdata *known, size_t known_count, struct fact_habit *ret)
{
    const struct habit *habit = find(h, zone, key->rdata, key->rdata_size);
    if (habit == NULL)
        return false;
    unsigned which = class_of(set->type);
    const struct class *c = &habit->class[which];
    *ret = (struct fact_habit){.samples = c->samples,
                               .signings = c->signings,
                               .validity_min = c->validity_min,
                               .validity_max = c->validity_max,
                               .inception_round = c->inception_round,
                               .expiration_round = c->expiration_round,
                               .unrounded = c->unrounded,
                               .age = age_of(set, s),
                               .of_keys = which == 1,
                               .of_data = which == 0,
                               .key_flags = key->flags,
                               .over_data = habit->class[0].samples,
                               .over_keys = habit->class[1].samples};
    describe_age(c, ret);
    for (uint8_t i = 0; i < c->ttls; i++)
        if (c->ttl[i].type == set->type) {
            ret->ttl = c->ttl[i].ttl;
            ret->ttl_samples = c->ttl[i].count;
        }
    if (which == 0)
        ret->others_over_data = by_others(h, zone, key, known, known_count);
    return true;
}

/* --- keeping ------------------------------------------------------------------------------- */

static uint32_t take_count(struct pen *p)
{
    uint64_t count = pen_take(p, 4);
    p->bad |= count > COUNT_MOST;
    return (uint32_t)count;
}

static uint32_t take_grain(struct pen *p)
{
    uint32_t value = (uint32_t)pen_take(p, 4);
    bool known = value == 0;
    for (size_t i = 0; i < sizeof grain / sizeof *grain; i++)
        known |= value == grain[i];
    p->bad |= !known;
    return value;
}

static void put_class(struct pen *p, const struct class *c)
{
    pen_put(p, c->samples, 4);
    pen_put(p, c->signings, 4);
    pen_put(p, (uint64_t)c->validity_min, 8);
    pen_put(p, (uint64_t)c->validity_max, 8);
    pen_put(p, c->inception_round, 4);
    pen_put(p, c->expiration_round, 4);
    pen_put(p, c->unrounded, 4);
    pen_put(p, c->recent, 1);
    for (uint8_t i = 0; i < c->recent; i++) {
        pen_put(p, (uint64_t)c->signing[i].inception, 8);
        pen_put(p, (uint32_t)c->signing[i].age, 4);
    }
    pen_put(p, c->ttls, 1);
    for (uint8_t i = 0; i < c->ttls; i++) {
        pen_put(p, c->ttl[i].type, 2);
        pen_put(p, c->ttl[i].ttl, 4);
        pen_put(p, c->ttl[i].count, 4);
    }
}

static void take_class(struct pen *p, struct class *c)
{
    c->samples = take_count(p);
    c->signings = take_count(p);
    c->validity_min = pen_take_time(p);
    c->validity_max = pen_take_time(p);
    c->inception_round = take_grain(p);
    c->expiration_round = take_grain(p);
    c->unrounded = take_count(p);
    c->recent = (uint8_t)pen_take(p, 1);
    p->bad |= c->recent > SIGNINGS || c->validity_min > c->validity_max;
    for (uint8_t i = 0; i < c->recent && !p->bad; i++) {
        c->signing[i].inception = pen_take_time(p);
        c->signing[i].age = (int32_t)(uint32_t)pen_take(p, 4);
    }
    c->ttls = (uint8_t)pen_take(p, 1);
    p->bad |= c->ttls > TTLS;
    for (uint8_t i = 0; i < c->ttls && !p->bad; i++) {
        c->ttl[i].type = (uint16_t)pen_take(p, 2);
        c->ttl[i].ttl = (uint32_t)pen_take(p, 4);
        c->ttl[i].count = take_count(p);
    }
}

#define KEPT_BYTES (HABIT_KEY_BYTES + 3 + CLASSES * (38 + SIGNINGS * 12 + TTLS * 10))

static int by_zone_and_key(const void *a, const void *b)
{
    const struct habit *x = *(const struct habit *const *)a, *y = *(const struct habit *const *)b;
    int order = name_compare(x->zone, y->zone);
    if (order == 0 && x->size != y->size)
        order = x->size < y->size ? -1 : 1;
    return order ? order : memcmp(x->rdata, y->rdata, x->size);
}

void habits_write(const struct habits *h, habits_on_kept *on_kept, void *context)
{
    static uint8_t bytes[KEPT_BYTES];
    static char text[(KEPT_BYTES + 2) / 3 * 4 + 1];
    size_t count = 0;
    const struct habit **list = calloc(HASH_COUNT(h->table) + 1, sizeof *list);
    if (list == NULL)
        return;
    for (const struct habit *habit = h->table; habit; habit = habit->hh.next)
        list[count++] = habit;
    qsort(list, count, sizeof *list, by_zone_and_key);
    for (size_t i = 0; i < count; i++) {
        struct pen p = {.bytes = bytes, .size = sizeof bytes};
        pen_put(&p, FORMAT, 1);
        pen_put(&p, list[i]->size, 2);
        memcpy(bytes + p.at, list[i]->rdata, list[i]->size);
        p.at += list[i]->size;
        for (size_t k = 0; k < CLASSES; k++)
            put_class(&p, &list[i]->class[k]);
        EVP_EncodeBlock((uint8_t *)text, bytes, (int)p.at);
        on_kept(context, list[i]->zone, list[i]->last_ns, text);
    }
    free(list);
}

bool habits_read(struct habits *h, const uint8_t *zone, int64_t last_ns, const uint8_t *bytes,
                 size_t size)
{
    struct pen p = {.from = bytes, .size = size};
    struct class class[CLASSES] = {0};
    uint64_t format = pen_take(&p, 1);
    uint16_t key = (uint16_t)pen_take(&p, 2);
    if (p.bad || format != FORMAT || key < 4 || key > HABIT_KEY_BYTES || size - p.at < key)
        return false;
    const uint8_t *rdata = bytes + p.at;
    p.at += key;
    for (size_t k = 0; k < CLASSES && !p.bad; k++)
        take_class(&p, &class[k]);
    if (p.bad || p.at != size || find(h, zone, rdata, key))
        return false;
    struct habit *habit = make(h, zone, rdata, key);
    if (habit == NULL)
        return true; /* no memory: it is learned anew */
    memcpy(habit->class, class, sizeof class);
    habit->last_ns = last_ns;
    return true;
}
