/*
 * contest: notes of who served what under which serial.
 *
 * Contained in: analyze, tests. Must never: judge (contest_settle.c does), or grow with traffic
 * beyond its limits.
 */
#include "analyze/follow/contest.h"

#include "analyze/canon.h"
#include "analyze/follow/contest_notes.h"
#include "analyze/validate/attempt.h"
#include "analyze/validate/denial.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define TYPE_CDS     59
#define TYPE_CDNSKEY 60
#define ZONES_MAX    8192
#define ZONE_NAMES   4096 /* names with type noted of one zone */
/* Where nothing but time has passed, contests are looked at no more often than that. */
#define SETTLE_NS INT64_C(1000000000)

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

static void new_epoch(struct view *view, uint32_t serial, struct rrset *soa,
                      const struct datagram *dg, int64_t inception)
{
    if (view->count == CONTEST_EPOCHS)
        memmove(view->epoch, view->epoch + 1, (--view->count) * sizeof *view->epoch);
    view->epoch[view->count++] = (struct contest_epoch){.serial = serial,
                                                        .first_ns = dg->time_ns,
                                                        .last_ns = dg->time_ns,
                                                        .first_frame = dg->frame,
                                                        .last_frame = dg->frame,
                                                        .inception = inception,
                                                        .soa = soa,
                                                        .resigned = 1};
}

static bool note_soa(struct contests *c, struct scene *scene, struct rrset *set,
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
        new_epoch(view, serial, set, dg, inception);
        scene->due = true;
        return true;
    }
    if (inception != e->inception && ++e->resigned >= CONTEST_RESIGNED)
        scene->online = true;
    if (inception > e->inception) {
        e->inception = inception;
        e->soa = set;
    }
    if (dg->time_ns > e->last_ns) {
        e->last_ns = dg->time_ns;
        e->last_frame = dg->frame;
        scene->due |= flow_elapsed(scene->settled_ns, dg->time_ns) >= SETTLE_NS;
    }
    return scene->open_count > 0;
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
    if (variant->count == CONTEST_SIGHTINGS)
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
        } else if (set->type == TYPE_NSEC || set->type == TYPE_NSEC3) {
            scene->online |= rrset_record(set, NULL, &(uint16_t){0}) && denial_made_up(set);
        } else if (!scene->online && is_content(as)) {
            cite |= note_content(c, scene, set, dg, &contested);
        }
    }
    a->contested = contested;
    a->contest_epoch = c->epoch;
    return cite;
}
