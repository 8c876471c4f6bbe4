/*
 * rhythm: when a signer signs anew.
 *
 * Contained in: analyze, tests. Must never: judge (rules/rhythm.c does), take for a refresh what
 * changed or what another key signed, or grow beyond RHYTHM_ZONES_MAX.
 */
#include "analyze/follow/rhythm.h"

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
#define NS_PER_S     INT64_C(1000000000)
#define HOUR         INT64_C(3600)
#define DAY          (24 * HOUR)
#define CYCLES       FACT_RHYTHM_CYCLES
#define CYCLES_KNOWN 3 /* so many tell what is a lapse */
#define LAPSES       2 /* one after the other are the new rhythm */
#define VOICES       4
#define FORMAT       1

struct cycle {
    int64_t made; /* inception of the first of the new signatures */
    int64_t left, age;
};

struct beat { /* of a key */
    uint64_t key;
    int64_t last; /* seconds since 1970 */
    int64_t lapsed;
    uint8_t lapses, cycles;
    struct cycle cycle[CYCLES];
};

struct slot { /* the newest signature of an RRset */
    uint64_t id, records, key;
    int64_t inception, expiration, seen;
};

struct voice { /* a server that served what is late */
    uint8_t family, address[16];
};

struct rhythm {
    UT_hash_handle hh;
    uint64_t id; /* hash of zone and kind */
    int64_t last_ns;
    int64_t newest; /* inception of the newest signature */
    int64_t told;   /* … when one was found overdue; INT64_MIN: none */
    bool of_keys;
    uint8_t beats, slots, voices;
    struct beat beat[RHYTHM_KEYS_MAX];
    struct slot slot[RHYTHM_RRSETS];
    struct voice voice[VOICES];
    uint8_t zone[];
};

struct rhythms {
    struct rhythm *table; /* in the order of their last use */
    uint64_t seed;
};

struct rhythms *rhythms_new(uint64_t seed)
{
    struct rhythms *h = calloc(1, sizeof *h);
    if (h)
        h->seed = seed;
    return h;
}

void rhythms_free(struct rhythms *h)
{
    if (h == NULL)
        return;
    struct rhythm *r, *next;
    HASH_ITER(hh, h->table, r, next)
    {
        HASH_DEL(h->table, r);
        free(r);
    }
    free(h);
}

static bool of_keys(uint16_t type)
{
    return type == TYPE_DNSKEY || type == TYPE_CDS || type == TYPE_CDNSKEY;
}

static struct rhythm *find(const struct rhythms *h, const uint8_t *zone, bool keys)
{
    uint64_t id = XXH3_64bits_withSeed(zone, name_size(zone), h->seed + keys);
    struct rhythm *r;
    HASH_FIND(hh, h->table, &id, sizeof id, r);
    return r && r->of_keys == keys && name_equal(r->zone, zone) ? r : NULL;
}

static struct rhythm *make(struct rhythms *h, const uint8_t *zone, bool keys)
{
    size_t size = name_size(zone);
    struct rhythm *r;
    if (HASH_COUNT(h->table) >= RHYTHM_ZONES_MAX) {
        struct rhythm *oldest = h->table;
        HASH_DEL(h->table, oldest);
        free(oldest);
    }
    if ((r = calloc(1, sizeof *r + size)) == NULL)
        return NULL;
    r->id = XXH3_64bits_withSeed(zone, size, h->seed + keys);
    r->of_keys = keys;
    r->newest = r->told = INT64_MIN;
    memcpy(r->zone, zone, size);
    HASH_ADD(hh, h->table, id, sizeof r->id, r);
    return r;
}

static struct rhythm *at(struct rhythms *h, const uint8_t *zone, bool keys)
{
    struct rhythm *r = find(h, zone, keys);
    if (r == NULL)
        return make(h, zone, keys);
    HASH_DEL(h->table, r); /* to the end of the line */
    HASH_ADD(hh, h->table, id, sizeof r->id, r);
    return r;
}

/* --- learning ------------------------------------------------------------------------------ */

static struct cycle edge_of(const struct beat *b)
{
    struct cycle edge = {.left = INT64_MAX};
    for (uint8_t i = 0; i < b->cycles; i++) {
        edge.left = b->cycle[i].left < edge.left ? b->cycle[i].left : edge.left;
        edge.age = b->cycle[i].age > edge.age ? b->cycle[i].age : edge.age;
    }
    return edge;
}

/* Much later than all before? */
static bool is_late(const struct beat *b, int64_t left, int64_t age)
{
    struct cycle edge = edge_of(b);
    return b->cycles >= CYCLES_KNOWN && left < edge.left / 4 * 3 && age > edge.age / 16 * 17;
}

static struct beat *beat_of(struct rhythm *r, uint64_t key, int64_t now)
{
    struct beat *b = NULL;
    for (uint8_t i = 0; i < r->beats && b == NULL; i++)
        if (r->beat[i].key == key)
            b = &r->beat[i];
    if (b == NULL && r->beats < RHYTHM_KEYS_MAX)
        b = &r->beat[r->beats++];
    for (uint8_t i = 0; i < r->beats && b == NULL; i++) {
        const struct beat *oldest = &r->beat[0];
        for (uint8_t k = 1; k < r->beats; k++)
            oldest = r->beat[k].last < oldest->last ? &r->beat[k] : oldest;
        b = &r->beat[oldest - r->beat];
    }
    if (b->key != key || b->last == 0)
        *b = (struct beat){.key = key};
    b->last = now > b->last ? now : b->last;
    return b;
}

static void add_cycle(struct beat *b, const struct cycle *c)
{
    for (uint8_t i = 0; i < b->cycles; i++) {
        struct cycle *known = &b->cycle[i];
        if (llabs(known->made - c->made) >= HOUR)
            continue;
        known->left = c->left < known->left ? c->left : known->left;
        known->age = c->age > known->age ? c->age : known->age;
        return;
    }
    if (b->cycles == CYCLES)
        memmove(b->cycle, b->cycle + 1, --b->cycles * sizeof *b->cycle);
    b->cycle[b->cycles++] = *c;
    b->lapses = 0;
}

/* The signature in the slot has given way to that one. */
static void learn(struct beat *b, const struct slot *old, const struct rhythm_sight *s, int64_t now)
{
    int64_t since = old->seen > s->inception ? old->seen : s->inception;
    struct cycle c = {
        .made = s->inception, .left = old->expiration - now, .age = now - old->inception};
    int64_t slack = c.age / 8 > HOUR ? c.age / 8 : HOUR;
    if (c.left <= 0 || c.age <= 0 || now - since > slack)
        return; /* when it was replaced is not known well */
    if (!is_late(b, c.left, c.age)) {
        add_cycle(b, &c);
        return;
    }
    if (b->lapses && llabs(b->lapsed - c.made) < HOUR)
        return; /* the same one */
    b->lapsed = c.made;
    if (++b->lapses < LAPSES)
        return;
    b->cycles = 0;
    add_cycle(b, &c);
}

/* The RRset's place; NULL: all are taken by others that were seen within a day. */
static struct slot *slot_of(struct rhythm *r, uint64_t id, int64_t now, bool *ret_known)
{
    struct slot *oldest = NULL;
    *ret_known = true;
    for (uint8_t i = 0; i < r->slots; i++) {
        if (r->slot[i].id == id)
            return &r->slot[i];
        if (oldest == NULL || r->slot[i].seen < oldest->seen)
            oldest = &r->slot[i];
    }
    *ret_known = false;
    if (r->slots < RHYTHM_RRSETS)
        return &r->slot[r->slots++];
    return now - oldest->seen > DAY ? oldest : NULL;
}

/* Notes the RRset; false: a newer signature of it was served before. */
static bool note(struct rhythm *r, struct beat *b, const struct rhythm_sight *s, int64_t now)
{
    uint64_t id = XXH3_64bits_withSeed(s->owner, name_size(s->owner), s->type);
    bool known;
    struct slot *slot = s->type == TYPE_SOA ? NULL : slot_of(r, id, now, &known);
    if (slot == NULL)
        return true;
    if (known && s->inception < slot->inception)
        return false;
    if (known && now < slot->seen)
        return true;
    if (known && s->inception > slot->inception && s->records == slot->records &&
        slot->key == b->key)
        learn(b, slot, s, now);
    *slot = (struct slot){.id = id,
                          .records = s->records,
                          .key = b->key,
                          .inception = s->inception,
                          .expiration = s->expiration,
                          .seen = now};
    return true;
}

/* --- telling ------------------------------------------------------------------------------- */

static void hear(struct rhythm *r, const struct rhythm_sight *s)
{
    for (uint8_t i = 0; i < r->voices; i++)
        if (r->voice[i].family == s->family &&
            memcmp(r->voice[i].address, s->address, sizeof r->voice[i].address) == 0)
            return;
    if (r->voices == VOICES)
        return;
    r->voice[r->voices].family = s->family;
    memcpy(r->voice[r->voices++].address, s->address, sizeof r->voice[0].address);
}

static void describe(const struct rhythm *r, const struct beat *b, const struct rhythm_sight *s,
                     int64_t now, struct fact_rhythm *ret)
{
    *ret = (struct fact_rhythm){.of_keys = r->of_keys,
                                .left = s->expiration - now,
                                .age = now - s->inception,
                                .newest_age = now - r->newest,
                                .resumed = r->told != INT64_MIN && r->newest > r->told,
                                .cycles = b->cycles,
                                .servers = r->voices};
    for (uint8_t i = 0; i < b->cycles; i++)
        ret->cycle[i] = (struct fact_rhythm_cycle){b->cycle[i].left, b->cycle[i].age};
}

bool rhythms_see(struct rhythms *h, const struct rhythm_sight *s, struct fact_rhythm *ret)
{
    int64_t now = s->time_ns / NS_PER_S;
    struct rhythm *r = at(h, s->zone, of_keys(s->type));
    if (r == NULL)
        return false;
    struct beat *b = beat_of(r, XXH3_64bits(s->key, s->key_size), now);
    if (s->time_ns > r->last_ns)
        r->last_ns = s->time_ns;
    if (s->inception > r->newest) {
        r->newest = s->inception;
        r->voices = 0;
    }
    bool newest = note(r, b, s, now);
    bool late = newest && is_late(b, s->expiration - now, now - s->inception);
    if (late)
        hear(r, s);
    if (!newest || (!late && r->told == INT64_MIN))
        return false;
    describe(r, b, s, now, ret);
    if (ret->resumed)
        r->told = INT64_MIN;
    return true;
}

void rhythms_told(struct rhythms *h, const struct rhythm_sight *s)
{
    struct rhythm *r = find(h, s->zone, of_keys(s->type));
    if (r)
        r->told = r->newest;
}

/* --- keeping ------------------------------------------------------------------------------- */

#define BEAT_BYTES (8 + 8 + 8 + 2 + CYCLES * 24)
#define KEPT_BYTES (2 + 8 + 2 + RHYTHM_KEYS_MAX * BEAT_BYTES + RHYTHM_RRSETS * 48)

static void put_beat(struct pen *p, const struct beat *b)
{
    pen_put(p, b->key, 8);
    pen_put(p, (uint64_t)b->last, 8);
    pen_put(p, (uint64_t)b->lapsed, 8);
    pen_put(p, b->lapses, 1);
    pen_put(p, b->cycles, 1);
    for (uint8_t i = 0; i < b->cycles; i++) {
        pen_put(p, (uint64_t)b->cycle[i].made, 8);
        pen_put(p, (uint64_t)b->cycle[i].left, 8);
        pen_put(p, (uint64_t)b->cycle[i].age, 8);
    }
}

static void take_beat(struct pen *p, struct beat *b)
{
    b->key = pen_take(p, 8);
    b->last = pen_take_time(p);
    b->lapsed = pen_take_time(p);
    b->lapses = (uint8_t)pen_take(p, 1);
    b->cycles = (uint8_t)pen_take(p, 1);
    p->bad |= b->cycles > CYCLES || b->lapses >= LAPSES;
    for (uint8_t i = 0; i < b->cycles && !p->bad; i++) {
        b->cycle[i].made = pen_take_time(p);
        b->cycle[i].left = pen_take_time(p);
        b->cycle[i].age = pen_take_time(p);
        p->bad |= b->cycle[i].left <= 0 || b->cycle[i].age <= 0;
    }
}

static void put_slot(struct pen *p, const struct slot *s)
{
    pen_put(p, s->id, 8);
    pen_put(p, s->records, 8);
    pen_put(p, s->key, 8);
    pen_put(p, (uint64_t)s->inception, 8);
    pen_put(p, (uint64_t)s->expiration, 8);
    pen_put(p, (uint64_t)s->seen, 8);
}

static void take_slot(struct pen *p, struct slot *s)
{
    s->id = pen_take(p, 8);
    s->records = pen_take(p, 8);
    s->key = pen_take(p, 8);
    s->inception = pen_take_time(p);
    s->expiration = pen_take_time(p);
    s->seen = pen_take_time(p);
}

static int by_zone_and_kind(const void *a, const void *b)
{
    const struct rhythm *x = *(const struct rhythm *const *)a,
                        *y = *(const struct rhythm *const *)b;
    int order = name_compare(x->zone, y->zone);
    return order ? order : x->of_keys - y->of_keys;
}

void rhythms_write(const struct rhythms *h, rhythms_on_kept *on_kept, void *context)
{
    static uint8_t bytes[KEPT_BYTES];
    static char text[(KEPT_BYTES + 2) / 3 * 4 + 1];
    size_t count = 0;
    const struct rhythm **list = calloc(HASH_COUNT(h->table) + 1, sizeof *list);
    if (list == NULL)
        return;
    for (const struct rhythm *r = h->table; r; r = r->hh.next)
        list[count++] = r;
    qsort(list, count, sizeof *list, by_zone_and_kind);
    for (size_t i = 0; i < count; i++) {
        const struct rhythm *r = list[i];
        struct pen p = {.bytes = bytes, .size = sizeof bytes};
        pen_put(&p, FORMAT, 1);
        pen_put(&p, r->of_keys, 1);
        pen_put(&p, (uint64_t)r->newest, 8);
        pen_put(&p, r->beats, 1);
        for (uint8_t k = 0; k < r->beats; k++)
            put_beat(&p, &r->beat[k]);
        pen_put(&p, r->slots, 1);
        for (uint8_t k = 0; k < r->slots; k++)
            put_slot(&p, &r->slot[k]);
        EVP_EncodeBlock((uint8_t *)text, bytes, (int)p.at);
        on_kept(context, r->zone, r->last_ns, text);
    }
    free(list);
}

bool rhythms_read(struct rhythms *h, const uint8_t *zone, int64_t last_ns, const uint8_t *bytes,
                  size_t size)
{
    struct pen p = {.from = bytes, .size = size};
    struct rhythm k = {.last_ns = last_ns};
    uint64_t format = pen_take(&p, 1), keys = pen_take(&p, 1);
    k.newest = pen_take_time(&p);
    k.beats = (uint8_t)pen_take(&p, 1);
    p.bad |= format != FORMAT || keys > 1 || k.beats > RHYTHM_KEYS_MAX;
    for (uint8_t i = 0; i < k.beats && !p.bad; i++)
        take_beat(&p, &k.beat[i]);
    k.slots = (uint8_t)pen_take(&p, 1);
    p.bad |= k.slots > RHYTHM_RRSETS;
    for (uint8_t i = 0; i < k.slots && !p.bad; i++)
        take_slot(&p, &k.slot[i]);
    if (p.bad || p.at != size || find(h, zone, keys == 1))
        return false;
    struct rhythm *r = make(h, zone, keys == 1);
    if (r == NULL)
        return true; /* no memory: it is learned anew */
    r->last_ns = k.last_ns;
    r->newest = k.newest;
    r->beats = k.beats;
    r->slots = k.slots;
    memcpy(r->beat, k.beat, sizeof r->beat);
    memcpy(r->slot, k.slot, sizeof r->slot);
    return true;
}
