/*
 * contest: notes of who served what under which serial.
 *
 * Contained in: analyze, tests. Must never: call a change unexplained because something was not
 * seen.
 */
#include "analyze/contest.h"

#include "analyze/attempt.h"
#include "analyze/canon.h"
#include "analyze/judge.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define uthash_fatal(message) abort() /* our memory is gone: our own failure */
#include <uthash.h>

#define TYPE_CDS      59
#define TYPE_CDNSKEY  60
#define ZONES_MAX     8192
#define ZONE_NAMES    4096 /* names with type noted of one zone */
#define SIGHTINGS_MAX 4    /* servers that served one content */
/* Where nothing but time has passed, contests are looked at no more often than that. */
#define SETTLE_NS INT64_C(1000000000)

struct view { /* one server of a zone */
    uint8_t family, address[16];
    uint8_t count; /* epochs, the latest last */
    struct contest_epoch epoch[CONTEST_EPOCHS];
};

struct sighting { /* one content from one server */
    uint8_t view;
    int64_t first_ns, last_ns;
    uint64_t frame; /* of the first */
    struct flow flow;
    uint64_t client[2]; /* hashes of the first two clients, 0 none */
};

struct variant { /* one signed content: signed anew it is another */
    struct rrset *set;
    uint64_t content; /* hash of the rdata */
    uint8_t count;
    struct sighting seen[SIGHTINGS_MAX];
};

struct subject { /* a name and type */
    UT_hash_handle hh;
    uint64_t id; /* hash of zone, owner and type: the key */
    struct variant *variant;
    uint8_t count;
    bool open;
    bool told[CONTEST_VARIANTS][CONTEST_VARIANTS]; /* of that pair, the earlier first */
};

struct scene { /* a zone */
    UT_hash_handle hh;
    struct zone *zone; /* the key */
    struct view *view;
    uint8_t views;
    bool online; /* its signer works on line: serials say nothing */
    bool due;    /* something was noted that may decide a contest */
    int64_t settled_ns;
    uint32_t names;
    uint8_t open_count;
    struct subject *open[CONTEST_OPEN_MAX];
    uint64_t open_more;
};

struct contests {
    struct answers *answers;
    struct scene *scenes;
    struct subject *subjects;
    size_t most, count, bytes;
    uint32_t epoch; /* grows when a contest opens */
};

struct contests *contests_new(struct answers *answers, size_t most)
{
    struct contests *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->answers = answers;
    c->most = most;
    c->epoch = 1;
    return c;
}

void contests_forget(struct contests *c)
{
    struct subject *subject, *next;
    HASH_ITER(hh, c->subjects, subject, next)
    {
        HASH_DEL(c->subjects, subject);
        free(subject->variant);
        free(subject);
    }
    struct scene *scene, *next_scene;
    HASH_ITER(hh, c->scenes, scene, next_scene)
    {
        HASH_DEL(c->scenes, scene);
        free(scene->view);
        free(scene);
    }
    c->count = c->bytes = 0;
    c->epoch++;
}

void contests_free(struct contests *c)
{
    if (c)
        contests_forget(c);
    free(c);
}

size_t contests_bytes(const struct contests *c)
{
    return c->bytes;
}

uint32_t contests_epoch(const struct contests *c)
{
    return c->epoch;
}

/* --- noting -------------------------------------------------------------------------------- */

static struct scene *scene_of(struct contests *c, struct zone *zone)
{
    struct scene *scene;
    HASH_FIND_PTR(c->scenes, &zone, scene);
    if (scene || HASH_COUNT(c->scenes) >= ZONES_MAX)
        return scene;
    scene = calloc(1, sizeof *scene);
    if (scene == NULL)
        return NULL;
    scene->zone = zone;
    HASH_ADD_PTR(c->scenes, zone, scene);
    c->bytes += sizeof *scene;
    return scene;
}

/* The index of the server, or CONTEST_SERVERS. */
static uint8_t view_of(struct contests *c, struct scene *scene, const struct flow *flow)
{
    uint8_t i = 0;
    while (i < scene->views && (scene->view[i].family != flow->family ||
                                memcmp(scene->view[i].address, flow->src, 16) != 0))
        i++;
    if (i < scene->views || i == CONTEST_SERVERS)
        return i;
    struct view *more = reallocarray(scene->view, i + 1u, sizeof *more);
    if (more == NULL)
        return CONTEST_SERVERS;
    c->bytes += sizeof *more;
    scene->view = more;
    scene->views++;
    more[i] = (struct view){.family = flow->family};
    memcpy(more[i].address, flow->src, 16);
    return i;
}

static bool soa_serial(const struct rrset *set, uint32_t *ret)
{
    uint16_t size;
    const uint8_t *r = rrset_record(set, NULL, &size);
    if (r == NULL || size < 22 || set->count != 1)
        return false;
    r += size - 20; /* five numbers end it (RFC 1035 3.3.13) */
    *ret = (uint32_t)r[0] << 24 | (uint32_t)r[1] << 16 | (uint32_t)r[2] << 8 | r[3];
    return true;
}

static int64_t inception_of(const struct rrset *set, int64_t time_ns)
{
    int64_t newest = INT64_MIN;
    for (uint8_t i = 0; i < set->signatures; i++) {
        int64_t inception = attempt_time(set->signature[i].inception, time_ns);
        if (inception > newest)
            newest = inception;
    }
    return newest;
}

static void new_epoch(struct view *view, uint32_t serial, const struct datagram *dg,
                      int64_t inception)
{
    if (view->count == CONTEST_EPOCHS)
        memmove(view->epoch, view->epoch + 1, (--view->count) * sizeof *view->epoch);
    view->epoch[view->count++] = (struct contest_epoch){.serial = serial,
                                                        .first_ns = dg->time_ns,
                                                        .last_ns = dg->time_ns,
                                                        .first_frame = dg->frame,
                                                        .last_frame = dg->frame,
                                                        .inception = inception,
                                                        .resigned = 1};
}

static bool note_soa(struct contests *c, struct scene *scene, const struct rrset *set,
                     const struct datagram *dg)
{
    uint32_t serial;
    uint8_t at = view_of(c, scene, &dg->flow);
    if (at == CONTEST_SERVERS || !soa_serial(set, &serial))
        return false;
    struct view *view = &scene->view[at];
    int64_t inception = inception_of(set, dg->time_ns);
    struct contest_epoch *e = view->count ? &view->epoch[view->count - 1] : NULL;
    if (e == NULL || e->serial != serial) {
        new_epoch(view, serial, dg, inception);
        scene->due = true;
        return true;
    }
    if (inception != e->inception && ++e->resigned >= CONTEST_RESIGNED)
        scene->online = true;
    if (inception > e->inception)
        e->inception = inception;
    if (dg->time_ns > e->last_ns) {
        e->last_ns = dg->time_ns;
        e->last_frame = dg->frame;
        scene->due |= flow_elapsed(scene->settled_ns, dg->time_ns) >= SETTLE_NS;
    }
    return scene->open_count > 0;
}

/* RFC 4470 and its kin: the next name is the least one after the owner, which no zone has. */
static void note_denial(struct scene *scene, const struct rrset *set)
{
    uint16_t size;
    const uint8_t *r = rrset_record(set, NULL, &size);
    if (r && size > (size_t)set->owner_size + 2 && r[0] == 1 && r[1] == 0 &&
        memcmp(r + 2, set->owner, set->owner_size) == 0)
        scene->online = true;
}

static uint64_t content_of(const struct contests *c, const struct rrset *set)
{
    uint64_t hash = c->answers->world.seed;
    uint16_t size;
    for (const uint8_t *r = NULL; (r = rrset_record(set, r, &size)) != NULL;)
        hash = XXH3_64bits_withSeed(r, size, hash + size);
    return hash;
}

static struct subject *subject_of(struct contests *c, struct scene *scene, const struct rrset *set)
{
    uint8_t key[2 * NAME_MAX_BYTES + 2];
    size_t size = scene->zone->name_size;
    memcpy(key, scene->zone->name, size);
    memcpy(key + size, set->owner, set->owner_size);
    size += set->owner_size;
    memcpy(key + size, &set->type, sizeof set->type);
    uint64_t id = XXH3_64bits_withSeed(key, size + sizeof set->type, c->answers->world.seed);
    struct subject *subject;
    HASH_FIND(hh, c->subjects, &id, sizeof id, subject);
    if (subject || c->count >= c->most || scene->names >= ZONE_NAMES)
        return subject;
    subject = calloc(1, sizeof *subject);
    if (subject == NULL)
        return NULL;
    subject->id = id;
    HASH_ADD(hh, c->subjects, id, sizeof subject->id, subject);
    c->count++;
    scene->names++;
    c->bytes += sizeof *subject;
    return subject;
}

/* The oldest gives way. */
static void drop_oldest(struct subject *s)
{
    memmove(s->variant, s->variant + 1, (--s->count) * sizeof *s->variant);
    for (uint8_t i = 0; i < CONTEST_VARIANTS; i++)
        for (uint8_t k = 0; k < CONTEST_VARIANTS; k++)
            s->told[i][k] =
                i + 1 < CONTEST_VARIANTS && k + 1 < CONTEST_VARIANTS && s->told[i + 1][k + 1];
}

static struct variant *variant_of(struct contests *c, struct subject *s, struct rrset *set)
{
    for (uint8_t i = 0; i < s->count; i++)
        if (s->variant[i].set == set)
            return &s->variant[i];
    if (s->count == CONTEST_VARIANTS) {
        drop_oldest(s);
    } else {
        struct variant *more = reallocarray(s->variant, s->count + 1u, sizeof *more);
        if (more == NULL)
            return NULL;
        s->variant = more;
        c->bytes += sizeof *more;
    }
    struct variant *variant = &s->variant[s->count++];
    *variant = (struct variant){.set = set, .content = content_of(c, set)};
    return variant;
}

static void note_client(struct sighting *s, uint64_t client)
{
    if (s->client[0] == 0)
        s->client[0] = client;
    else if (s->client[0] != client && s->client[1] == 0)
        s->client[1] = client;
}

static bool note_sighting(struct contests *c, struct variant *variant, uint8_t view,
                          const struct datagram *dg)
{
    uint64_t client = XXH3_64bits_withSeed(dg->flow.dst, 16, c->answers->world.seed) | 1;
    for (uint8_t i = 0; i < variant->count; i++) {
        struct sighting *s = &variant->seen[i];
        if (s->view != view)
            continue;
        if (dg->time_ns > s->last_ns)
            s->last_ns = dg->time_ns;
        note_client(s, client);
        return false;
    }
    if (variant->count == SIGHTINGS_MAX)
        return false;
    struct sighting *s = &variant->seen[variant->count++];
    *s = (struct sighting){.view = view,
                           .first_ns = dg->time_ns,
                           .last_ns = dg->time_ns,
                           .frame = dg->frame,
                           .flow = dg->flow};
    note_client(s, client);
    return true;
}

static void open_contest(struct contests *c, struct scene *scene, struct subject *s)
{
    uint8_t other = 1;
    while (other < s->count && s->variant[other].content == s->variant[0].content)
        other++;
    if (s->open || other >= s->count)
        return;
    if (scene->open_count == CONTEST_OPEN_MAX) {
        scene->open_more++;
        return;
    }
    s->open = true;
    scene->open[scene->open_count++] = s;
    c->epoch++; /* responses with the first content are of interest from now on */
}

static bool note_content(struct contests *c, struct scene *scene, struct rrset *set,
                         const struct datagram *dg, bool *ret_contested)
{
    uint8_t view = view_of(c, scene, &dg->flow);
    struct subject *subject = view < CONTEST_SERVERS ? subject_of(c, scene, set) : NULL;
    struct variant *variant = subject ? variant_of(c, subject, set) : NULL;
    if (variant == NULL)
        return false;
    bool fresh = note_sighting(c, variant, view, dg);
    open_contest(c, scene, subject);
    *ret_contested |= subject->open;
    if (subject->open)
        scene->settled_ns = INT64_MIN; /* the next SOA decides */
    scene->due |= fresh && subject->open;
    return fresh || subject->open;
}

/* Expansions of wildcards are as many as one likes to ask for; keys are signed elsewhere and ahead;
 * a parent takes DS from its children, whose rolls its own calendar does not explain. */
static bool is_content(const struct answer_set *as)
{
    const struct rrset *set = as->set;
    unsigned labels = name_labels(set->owner) - (name_is_wildcard(set->owner) ? 1 : 0);
    switch (set->type) {
    case TYPE_SOA:
    case TYPE_RRSIG:
    case TYPE_NSEC:
    case TYPE_NSEC3:
    case TYPE_NSEC3PARAM:
    case TYPE_DNSKEY:
    case TYPE_DS:
    case TYPE_CDS:
    case TYPE_CDNSKEY:
        return false;
    default:
        return set->signature[0].labels == labels &&
               (as->section == SECTION_ANSWER || set->type == TYPE_NS);
    }
}

bool contests_seen(struct contests *c, struct answer *a, const struct datagram *dg)
{
    bool cite = false, contested = false;
    for (size_t i = 0; i < a->sets; i++) {
        const struct answer_set *as = answer_nth(a, i);
        struct rrset *set = as->set;
        if (set->signatures == 0)
            continue;
        struct zone *zone = world_find(&c->answers->world, set->signature[0].signer);
        struct scene *scene =
            zone && zone->trust.state != TRUST_INSECURE ? scene_of(c, zone) : NULL;
        if (scene == NULL)
            continue;
        if (set->type == TYPE_SOA) {
            cite |= note_soa(c, scene, set, dg);
            contested = true;
        } else if (set->type == TYPE_NSEC) {
            note_denial(scene, set);
        } else if (!scene->online && is_content(as)) {
            cite |= note_content(c, scene, set, dg, &contested);
        }
    }
    a->contested = contested;
    a->contest_epoch = c->epoch;
    return cite;
}

/* --- settling ------------------------------------------------------------------------------ */

/* RFC 1982 3.2 */
static bool serial_above(uint32_t a, uint32_t b)
{
    return a != b && a - b < UINT32_C(0x80000000);
}

static bool within(const struct contest_epoch *e, int64_t time_ns)
{
    return time_ns >= e->first_ns && time_ns <= e->last_ns;
}

static bool in_epoch(const struct sighting *s, const struct contest_epoch *e)
{
    return within(e, s->first_ns) || within(e, s->last_ns);
}

/* The highest serial under which the content was surely served; NULL if none is sure. */
static const struct contest_epoch *highest(const struct scene *scene, const struct variant *v)
{
    const struct contest_epoch *best = NULL;
    for (uint8_t i = 0; i < v->count; i++) {
        const struct view *view = &scene->view[v->seen[i].view];
        for (uint8_t k = 0; k < view->count; k++)
            if (in_epoch(&v->seen[i], &view->epoch[k]) &&
                (best == NULL || serial_above(view->epoch[k].serial, best->serial)))
                best = &view->epoch[k];
    }
    return best;
}

static bool share_client(const struct variant *a, const struct variant *b)
{
    for (uint8_t i = 0; i < a->count; i++)
        for (uint8_t k = 0; k < b->count; k++)
            for (int n = 0; n < 4; n++) {
                uint64_t client = a->seen[i].client[n & 1];
                if (client && client == b->seen[k].client[n >> 1])
                    return true;
            }
    return false;
}

/* The key that verified a signature of each, whose windows overlap. */
static bool same_key(struct contest *t, int64_t clock_ns)
{
    for (uint8_t i = 0; i < t->before->signatures; i++)
        for (uint8_t k = 0; k < t->after->signatures; k++) {
            const struct signature *a = &t->before->signature[i], *b = &t->after->signature[k];
            for (uint8_t n = 0; n < a->checks * b->checks; n++) {
                const struct key *key = a->check[n % a->checks].key;
                if (a->check[n % a->checks].result != KEY_VERIFIES ||
                    b->check[n / a->checks].result != KEY_VERIFIES ||
                    b->check[n / a->checks].key != key)
                    continue;
                if (attempt_time(a->inception, clock_ns) > attempt_time(b->expiration, clock_ns) ||
                    attempt_time(b->inception, clock_ns) > attempt_time(a->expiration, clock_ns))
                    continue;
                t->by[0] = a;
                t->by[1] = b;
                t->key = key;
                return true;
            }
        }
    return false;
}

static void set_side(struct contest *t, size_t side, const struct sighting *s,
                     const struct contest_epoch *e)
{
    t->epoch[side] = e;
    t->flow[side] = s->flow;
    t->frame[side] = s->frame;
}

/* Do two sightings, each under a serial, contradict each other? */
static bool contradict(struct contest *t, const struct sighting *a, const struct contest_epoch *ea,
                       const struct sighting *b, const struct contest_epoch *eb, int64_t newer)
{
    if (ea->serial == eb->serial)
        t->how = a->view == b->view ? CONTEST_ONE_SERVER : CONTEST_TWO_SERVERS;
    else if (newer != 0 &&
             serial_above(newer > 0 ? ea->serial : eb->serial, newer > 0 ? eb->serial : ea->serial))
        t->how = CONTEST_SERIAL_BACK;
    else
        return false;
    set_side(t, 0, a, ea);
    set_side(t, 1, b, eb);
    return true;
}

static bool by_serial(const struct scene *scene, const struct variant *a, const struct variant *b,
                      struct contest *t, int64_t newer)
{
    for (uint8_t i = 0; i < a->count; i++) {
        const struct view *va = &scene->view[a->seen[i].view];
        for (uint8_t k = 0; k < b->count; k++) {
            const struct view *vb = &scene->view[b->seen[k].view];
            for (uint8_t m = 0; m < va->count; m++)
                for (uint8_t n = 0; n < vb->count; n++)
                    if (in_epoch(&a->seen[i], &va->epoch[m]) &&
                        in_epoch(&b->seen[k], &vb->epoch[n]) &&
                        contradict(t, &a->seen[i], &va->epoch[m], &b->seen[k], &vb->epoch[n],
                                   newer))
                        return true;
        }
    }
    return false;
}

/* Each version of a zone has a SOA signed no sooner than the rest of it. The server that served
 * `v` had, then or later, a SOA that was signed before: `v` is of no version of the zone. */
static bool by_signing_time(const struct scene *scene, const struct variant *v, int64_t inception,
                            struct contest *t, size_t side)
{
    for (uint8_t i = 0; i < v->count; i++) {
        const struct view *view = &scene->view[v->seen[i].view];
        uint8_t k = 0;
        while (k < view->count && view->epoch[k].last_ns < v->seen[i].first_ns)
            k++;
        if (k == view->count || view->epoch[k].inception + CONTEST_SLACK_S >= inception)
            continue;
        t->how = CONTEST_SIGNED_AFTER;
        set_side(t, side, &v->seen[i], &view->epoch[k]);
        return true;
    }
    return false;
}

/* Was the one with the higher serial signed no earlier? Then it followed the other. */
static bool explained(const struct scene *scene, const struct variant *a, const struct variant *b,
                      int64_t newer)
{
    const struct contest_epoch *ea = highest(scene, a), *eb = highest(scene, b);
    if (ea == NULL || eb == NULL || ea->serial == eb->serial)
        return false;
    return serial_above(eb->serial, ea->serial) ? newer >= 0 : newer <= 0;
}

static bool is_secure(struct contests *c, struct rrset *set, int64_t clock_ns)
{
    return judge_rrset(&c->answers->world, set, clock_ns) == REASON_CHAIN;
}

static bool weigh(struct contests *c, const struct scene *scene, const struct variant *a,
                  const struct variant *b, int64_t clock_ns, struct contest *t)
{
    *t = (struct contest){.zone = scene->zone, .before = a->set, .after = b->set};
    if (!is_secure(c, a->set, clock_ns) || !is_secure(c, b->set, clock_ns) ||
        !same_key(t, clock_ns))
        return false;
    int64_t from_a = attempt_time(t->by[0]->inception, clock_ns);
    int64_t from_b = attempt_time(t->by[1]->inception, clock_ns);
    int64_t newer = from_b - from_a;
    t->one_client = share_client(a, b);
    t->over = explained(scene, a, b, newer);
    if (t->over) {
        set_side(t, 0, &a->seen[0], NULL);
        set_side(t, 1, &b->seen[0], NULL);
        return true;
    }
    if (by_serial(scene, a, b, t, newer))
        return true;
    set_side(t, 0, &a->seen[0], NULL);
    set_side(t, 1, &b->seen[0], NULL);
    return newer > 0   ? by_signing_time(scene, b, from_b, t, 1)
           : newer < 0 ? by_signing_time(scene, a, from_a, t, 0)
                       : false;
}

/* Known by now to sign on line: what was said of it does not hold. */
static void settle_pair(struct contests *c, struct scene *scene, struct subject *s, uint8_t a,
                        uint8_t b, int64_t clock_ns, contests_on_contest *on_contest, void *context)
{
    struct contest t;
    if (s->variant[a].content == s->variant[b].content || (scene->online && !s->told[a][b]) ||
        !weigh(c, scene, &s->variant[a], &s->variant[b], clock_ns, &t))
        return;
    t.over |= scene->online;
    if (t.over != s->told[a][b])
        return;
    s->told[a][b] = !t.over;
    on_contest(context, &t);
}

static void settle_scene(struct contests *c, struct scene *scene, int64_t clock_ns,
                         contests_on_contest *on_contest, void *context)
{
    for (uint8_t i = 0; i < scene->open_count; i++) {
        struct subject *s = scene->open[i];
        for (uint8_t b = 1; b < s->count; b++)
            for (uint8_t a = 0; a < b; a++)
                settle_pair(c, scene, s, a, b, clock_ns, on_contest, context);
    }
}

void contests_settle(struct contests *c, const struct zone *zone, int64_t time_ns, int64_t clock_ns,
                     contests_on_contest *on_contest, void *context)
{
    struct scene *scene;
    HASH_FIND_PTR(c->scenes, &zone, scene);
    if (scene == NULL || scene->open_count == 0 || !scene->due)
        return;
    scene->due = false;
    scene->settled_ns = time_ns;
    settle_scene(c, scene, clock_ns, on_contest, context);
}

void contests_rouse(struct contests *c, const struct zone *zone)
{
    struct scene *scene;
    HASH_FIND_PTR(c->scenes, &zone, scene);
    if (scene)
        scene->due = true;
}
