/*
 * contest_settle: which two contents no update of the zone explains.
 *
 * Contained in: analyze, tests. Must never: call a change unexplained because something was not
 * seen.
 */
#include "analyze/follow/contest_notes.h"
#include "analyze/validate/attempt.h"
#include "analyze/validate/judge.h"

#define WEEK_S (INT64_C(7) * 86400)

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

/* Was another server seen with a higher serial while this one had, by the SOA seen before and
 * after, the same; or, where its SOA was only seen after, at any time before? Then the zone moved
 * on and was set back, maybe here as well: of a version that was withdrawn not every server's SOA
 * passes by. */
static bool moved_elsewhere(const struct scene *scene, const struct sighting *s,
                            const struct contest_epoch *e)
{
    int64_t from_ns = s->first_ns < e->first_ns ? INT64_MIN : e->first_ns;
    for (uint8_t i = 0; i < scene->views; i++)
        for (uint8_t k = 0; i != s->view && k < scene->view[i].count; k++) {
            const struct contest_epoch *other = &scene->view[i].epoch[k];
            if (serial_above(other->serial, e->serial) && other->first_ns <= e->last_ns &&
                other->last_ns >= from_ns)
                return true;
        }
    return false;
}

/* A SOA that nobody could take for the zone's proves no serial: one that had expired when it was
 * served, or that nobody signed for the zone. */
static bool is_proven(struct contests *c, const struct contest_epoch *e)
{
    int64_t clock_ns = answers_clock(c->answers, e->last_ns);
    return judge_rrset(&c->answers->world, e->soa, clock_ns) == REASON_CHAIN;
}

static bool by_serial(struct contests *c, const struct scene *scene, const struct variant *a,
                      const struct variant *b, struct contest *t, int64_t newer)
{
    for (uint8_t i = 0; i < a->count; i++) {
        const struct view *va = &scene->view[a->seen[i].view];
        for (uint8_t k = 0; k < b->count; k++) {
            const struct view *vb = &scene->view[b->seen[k].view];
            for (uint8_t m = 0; m < va->count; m++)
                for (uint8_t n = 0; n < vb->count; n++)
                    if (in_epoch(&a->seen[i], &va->epoch[m]) &&
                        in_epoch(&b->seen[k], &vb->epoch[n]) &&
                        !moved_elsewhere(scene, &a->seen[i], &va->epoch[m]) &&
                        !moved_elsewhere(scene, &b->seen[k], &vb->epoch[n]) &&
                        is_proven(c, &va->epoch[m]) && is_proven(c, &vb->epoch[n]) &&
                        contradict(t, &a->seen[i], &va->epoch[m], &b->seen[k], &vb->epoch[n],
                                   newer))
                        return true;
        }
    }
    return false;
}

/* The zone may have been set back between that and the SOA seen after it, as is done to repair a
 * zone: what was served is of a version whose SOA is older news then. It was, where the server had
 * a higher serial before; it may have been, where nothing is known of it before, and the SOA was
 * not seen soon. */
static bool may_be_set_back(const struct view *view, uint8_t at, const struct sighting *s)
{
    const struct contest_epoch *e = &view->epoch[at];
    if (e->first_ns <= s->last_ns)
        return false;
    for (uint8_t i = 0; i < at; i++)
        if (serial_above(view->epoch[i].serial, e->serial))
            return true;
    return at == 0 && flow_elapsed(s->last_ns, e->first_ns) > CONTEST_SOON_NS;
}

/* Each version of a zone has a SOA signed no sooner than the rest of it. The server that served
 * `v` had, then or later, a SOA that was signed before: `v` is of no version of the zone. */
static bool by_signing_time(struct contests *c, const struct scene *scene, const struct variant *v,
                            int64_t inception, struct contest *t, size_t side)
{
    for (uint8_t i = 0; i < v->count; i++) {
        const struct view *view = &scene->view[v->seen[i].view];
        uint8_t k = 0;
        while (k < view->count && view->epoch[k].last_ns < v->seen[i].first_ns)
            k++;
        if (k == view->count || view->epoch[k].inception + CONTEST_SLACK_S >= inception ||
            may_be_set_back(view, k, &v->seen[i]) ||
            moved_elsewhere(scene, &v->seen[i], &view->epoch[k]) || !is_proven(c, &view->epoch[k]))
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

/* Both signed as of the turn of a week, as PowerDNS signs its answers, whose backends need no
 * serial and may make each answer up: that says nothing of when it was signed, and serials nothing
 * of it.
 */
static bool is_dateless(int64_t from_a, int64_t from_b)
{
    return from_a % WEEK_S == 0 && from_b % WEEK_S == 0;
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
    if (is_dateless(from_a, from_b))
        return false;
    t->one_client = share_client(a, b);
    t->over = explained(scene, a, b, newer);
    if (t->over) {
        set_side(t, 0, &a->seen[0], NULL);
        set_side(t, 1, &b->seen[0], NULL);
        return true;
    }
    if (by_serial(c, scene, a, b, t, newer))
        return true;
    set_side(t, 0, &a->seen[0], NULL);
    set_side(t, 1, &b->seen[0], NULL);
    return newer > 0   ? by_signing_time(c, scene, b, from_b, t, 1)
           : newer < 0 ? by_signing_time(c, scene, a, from_a, t, 0)
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
