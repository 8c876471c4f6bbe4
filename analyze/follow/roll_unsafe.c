/*
 * roll_unsafe: steps of rolls that came before caches were ready for them.
 *
 * Contained in: analyze, tests. Everything here is decided from times at which authoritative
 * servers were seen to serve something, and from the TTLs that they gave it.
 *
 * A step that is early only by the clock is `exposed` where a resolver that was served the older
 * RRset, and keeps to TTLs, has not asked again; or where the step was left out: what should have
 * waited came at the same time. Without either, no cache is known that it can harm: whoever was
 * seen had asked anew, as after a restart or with caches emptied by hand. Nor is it exposed as long
 * as the order of two DNSKEY RRsets is only inferred: servers may differ for other reasons.
 */
#include "analyze/follow/roll_check.h"

#define SECOND_NS INT64_C(1000000000)
/* What is first seen so close together came together: one resolver's questions. */
#define TOGETHER_NS (SECOND_NS / 10)

/* When the older one was served last by servers that then went on; one that stays behind is no step
 * of the roll. */
static int64_t served_until(const struct roll *r, uint8_t newer, uint8_t older)
{
    return roll_check_proven(r, newer, older) ? r->set[older].left_ns : r->set[older].last_ns;
}

/* --- hazards --- */

static void next_time(struct roll *r)
{
    r->next_ns = INT64_MAX;
    for (uint8_t i = 0; i < r->hazards; i++)
        if (r->hazard[i].until_ns < r->next_ns)
            r->next_ns = r->hazard[i].until_ns;
}

struct step { /* an unsafe one */
    enum roll_stage stage;
    uint8_t key, group, newer, older;
    int64_t passed_ns, needed_ns, until_ns;
    uint64_t frame, since_frame;
    bool exposed;
};

static void add_hazard(struct roll *r, const struct step *s, uint8_t name)
{
    for (uint8_t i = 0; i < r->hazards; i++)
        if (r->hazard[i].stage == s->stage && r->hazard[i].roll == name)
            return;
    if (r->hazards == ROLL_HAZARDS_MAX) {
        r->more++;
        return;
    }
    r->hazard[r->hazards++] = (struct roll_hazard){s->stage, name, s->newer, s->older, s->until_ns};
    next_time(r);
}

/* Once, and once more when it turns out to be exposed. */
static void unsafe(struct roll *r, const struct step *s, int64_t now_ns)
{
    if (s->key == ROLL_NONE)
        return;
    struct roll_key *k = &r->key[s->key];
    uint32_t bit = 1u << s->stage;
    bool proven = roll_check_proven(r, s->newer, s->older), exposed = s->exposed && proven;
    if ((k->told & bit) && (!exposed || (k->exposed & bit)))
        return;
    struct roll_event *e = roll_check_event(r, s->stage, s->key, now_ns);
    if (e == NULL)
        return;
    k->told |= bit;
    if (exposed)
        k->exposed |= bit;
    e->proven = proven;
    e->exposed = exposed;
    e->group = s->group;
    e->passed_ns = s->passed_ns;
    e->needed_ns = s->needed_ns;
    e->until_ns = s->until_ns;
    e->frame = s->frame;
    e->since_frame = s->since_frame;
    struct roll_key *named = &r->key[e->roll];
    if (exposed && !named->unsafe) {
        named->unsafe = true;
        r->completed_unsafe += named->done;
    }
    add_hazard(r, s, e->roll);
}

static void drop_hazard(struct roll *r, uint8_t at, int64_t now_ns)
{
    uint8_t name = r->hazard[at].roll;
    r->hazard[at] = r->hazard[--r->hazards];
    for (uint8_t i = 0; i < r->hazards; i++)
        if (r->hazard[i].roll == name)
            return; /* another step of it */
    if (name != ROLL_NONE)
        roll_check_event(r, ROLL_SAFE_AGAIN, name, now_ns);
}

void roll_unsafe_expire(struct roll *r, int64_t now_ns)
{
    for (uint8_t i = r->hazards; i-- > 0;)
        if (r->hazard[i].until_ns < now_ns)
            drop_hazard(r, i, now_ns);
    next_time(r);
}

void roll_unsafe_review(struct roll *r, int64_t now_ns)
{
    for (uint8_t i = r->hazards; i-- > 0;) {
        const struct roll_hazard *h = &r->hazard[i];
        if (h->newer != ROLL_NONE && h->older != ROLL_NONE &&
            !roll_check_replaced(r, h->newer, h->older))
            drop_hazard(r, i, now_ns);
    }
    next_time(r);
}

/* --- who holds what ------------------------------------------------------------------------ */

/* Had it asked too early shortly before, so that nothing is known of what it holds? */
static bool is_restless(const struct roll_cache *c, int64_t now_ns, uint32_t ttl)
{
    return c->restless_ns != INT64_MIN && c->restless_from_ns <= now_ns &&
           roll_cached(c->restless_ns, ttl) > now_ns;
}

/* Did a resolver hold that DNSKEY RRset then? */
static bool holds_set(const struct roll *r, uint8_t set, int64_t now_ns)
{
    uint32_t ttl = r->set[set].ttl;
    for (uint8_t i = 0; i < r->caches; i++) {
        const struct roll_cache *c = &r->cache[i];
        bool is = c->set == set && c->set_ns <= now_ns && now_ns < roll_cached(c->set_ns, ttl);
        bool was = c->before == set && c->before_ns <= now_ns && now_ns < c->set_ns &&
                   now_ns < roll_cached(c->before_ns, ttl);
        if ((is || was) && !is_restless(c, now_ns, ttl))
            return true;
    }
    return false;
}

static bool holds_ds(const struct roll *r, uint8_t ds, int64_t now_ns)
{
    for (uint8_t i = 0; i < r->caches; i++) {
        const struct roll_cache *c = &r->cache[i];
        if (c->ds == ds && c->ds_ns <= now_ns && now_ns < roll_cached(c->ds_ns, r->ds[ds].ttl) &&
            !is_restless(c, now_ns, r->ds[ds].ttl))
            return true;
    }
    return false;
}

/* Was a resolver served that keeps to TTLs? It holds what it asked for. */
static bool holds_data(const struct roll *r, uint8_t older, int64_t now_ns)
{
    for (uint8_t i = 0; i < r->caches; i++) {
        const struct roll_cache *c = &r->cache[i];
        bool served = (c->set_ns != INT64_MIN && c->set_ns <= now_ns) ||
                      (c->before_ns != INT64_MIN && c->before_ns <= now_ns);
        if (served && !is_restless(c, now_ns, r->set[older].ttl))
            return true;
    }
    return false;
}

/* Were RRsets without those keys still served after that, signed by others of the older set? */
static bool signed_after(const struct roll *r, uint16_t older, uint16_t newer, int64_t time_ns)
{
    for (uint8_t i = 0; i < r->groups; i++)
        if ((r->group[i].keys & older) && !(r->group[i].keys & newer) &&
            r->group[i].last_ns >= time_ns)
            return true;
    return false;
}

/* Those of the keys that sign RRsets. */
static uint16_t signing(const struct roll *r, uint16_t keys)
{
    uint16_t all = 0;
    for (uint8_t i = 0; i < r->groups; i++)
        all |= r->group[i].keys & keys;
    return all;
}

/* Had RRsets signed by a key of the newer set been served before that? */
static bool signed_already(const struct roll *r, const struct roll_set *newer, int64_t time_ns)
{
    for (uint8_t i = 0; i < r->groups; i++)
        if ((r->group[i].keys & newer->keys) && r->group[i].first_ns < time_ns)
            return true;
    return false;
}

/* Had a DS RRset that names an entry of the newer set been served before that? */
static bool named_already(const struct roll *r, const struct roll_set *newer, int64_t time_ns)
{
    for (uint8_t i = 0; i < r->dss; i++)
        if ((r->ds[i].keys & newer->entries) && r->ds[i].first_ns < time_ns)
            return true;
    return false;
}

/* --- RRsets and DNSKEY RRsets that may meet --- */

/* Did these keys come with that set, not with one between? */
static bool came_with(const struct roll *r, uint8_t newer, uint8_t older, uint16_t keys)
{
    for (uint8_t i = 0; i < r->sets; i++)
        if (i != newer && (r->set[i].keys & keys) && r->set[i].first_ns < r->set[newer].first_ns &&
            roll_check_replaced(r, i, older))
            return false;
    return true;
}

/* RRsets whose only signatures are by keys that came with `newer`, and the one before still
 * cached. */
static void check_signs(struct roll *r, uint8_t newer, uint8_t older, int64_t now_ns)
{
    const struct roll_set *n = &r->set[newer], *o = &r->set[older];
    int64_t served_ns = served_until(r, newer, older), until_ns = roll_cached(served_ns, o->ttl);
    for (uint8_t i = 0; i < r->groups; i++) {
        const struct roll_group *g = &r->group[i];
        if ((g->keys & o->keys) || !(g->keys & n->keys) || g->first_ns < o->first_ns ||
            g->first_ns >= until_ns || !came_with(r, newer, older, g->keys & n->keys))
            continue;
        /* The keys came and signed at once; or those that signed before went as they came. */
        bool together = roll_since(n->first_ns, g->first_ns) < TOGETHER_NS &&
                        !signed_after(r, o->keys, n->keys & (uint16_t)~o->keys, n->first_ns);
        bool swapped = !(n->keys & signing(r, o->keys));
        struct step s = {.stage = ROLL_SIGNS_EARLY,
                         .key = roll_lowest(g->keys & n->keys),
                         .group = i,
                         .newer = newer,
                         .older = older,
                         .passed_ns = roll_since(served_ns, g->first_ns),
                         .needed_ns = o->ttl * SECOND_NS,
                         .until_ns = until_ns,
                         .frame = g->frame,
                         .since_frame = o->frame,
                         .exposed = together || swapped || holds_set(r, older, g->first_ns)};
        unsafe(r, &s, now_ns);
    }
}

/* RRsets whose only signatures are by keys that went with `older`, and that are still cached. */
static void check_removed(struct roll *r, uint8_t newer, uint8_t older, int64_t now_ns)
{
    const struct roll_set *n = &r->set[newer], *o = &r->set[older];
    for (uint8_t i = 0; i < r->groups; i++) {
        const struct roll_group *g = &r->group[i];
        if ((g->keys & n->keys) || !(g->keys & o->keys) || g->first_ns > n->first_ns ||
            g->until_ns <= n->first_ns)
            continue;
        struct step s = {.stage = ROLL_REMOVED_EARLY,
                         .key = roll_lowest(g->keys & o->keys),
                         .group = i,
                         .newer = newer,
                         .older = older,
                         .passed_ns = roll_since(g->last_ns, n->first_ns),
                         .needed_ns = g->ttl * SECOND_NS,
                         .until_ns = g->until_ns,
                         .frame = n->frame,
                         .since_frame = g->frame,
                         .exposed = !signed_already(r, n, n->first_ns) ||
                                    holds_data(r, older, n->first_ns)};
        unsafe(r, &s, now_ns);
    }
}

/* --- DNSKEY and DS RRsets that may meet --- */

/* Is a DS RRset known to be the parent's still, that names none of these? With a trust anchor,
 * there is no other word to wait for. */
static bool not_named(const struct roll *r, const struct roll_set *n)
{
    const struct roll_ds *ds = roll_check_latest_ds(r);
    if (n->secure)
        return false;
    if (r->anchored)
        return true;
    return ds && !(ds->keys & n->entries) && flow_elapsed(ds->last_ns, n->first_ns) < TOGETHER_NS;
}

/* The KSKs were exchanged, and nothing from above names the new ones. */
static void check_no_ds(struct roll *r, uint8_t newer, uint8_t older, int64_t now_ns)
{
    const struct roll_set *n = &r->set[newer], *o = &r->set[older];
    const struct roll_ds *ds = roll_check_latest_ds(r);
    if (!not_named(r, n) || !o->secure || !(o->entries & ~n->entries))
        return;
    struct step s = {.stage = ROLL_KSK_NO_DS,
                     .key = roll_lowest((uint16_t)(o->entries & ~n->entries)),
                     .group = ROLL_NONE,
                     .newer = newer,
                     .older = older,
                     .until_ns = INT64_MAX,
                     .frame = n->frame,
                     .since_frame = ds ? ds->frame : o->frame,
                     .exposed = true};
    unsafe(r, &s, now_ns);
}

/* A DS RRset that caches may hold names keys of `older` only. */
static void check_ksk(struct roll *r, uint8_t newer, uint8_t older, int64_t now_ns)
{
    const struct roll_set *n = &r->set[newer], *o = &r->set[older];
    for (uint8_t i = 0; i < r->dss; i++) {
        const struct roll_ds *x = &r->ds[i];
        int64_t until_ns = roll_cached(x->last_ns, x->ttl);
        uint8_t key = roll_lowest(x->keys & o->entries);
        if ((x->keys & n->entries) || key == ROLL_NONE || until_ns <= n->first_ns ||
            (r->key[key].told >> ROLL_KSK_NO_DS & 1))
            continue;
        struct step s = {.stage = ROLL_KSK_EARLY,
                         .key = key,
                         .group = ROLL_NONE,
                         .newer = newer,
                         .older = older,
                         .passed_ns = roll_since(x->last_ns, n->first_ns),
                         .needed_ns = x->ttl * SECOND_NS,
                         .until_ns = until_ns,
                         .frame = n->frame,
                         .since_frame = x->frame,
                         .exposed =
                             !named_already(r, n, n->first_ns) || holds_ds(r, i, n->first_ns)};
        unsafe(r, &s, now_ns);
    }
}

/* Was another DS RRset served before, that names a key of these? */
static bool had_other_ds(const struct roll *r, const struct roll_ds *y, uint16_t keys)
{
    for (uint8_t i = 0; i < r->dss; i++)
        if (r->ds[i].first_ns < y->first_ns && (r->ds[i].keys & keys))
            return true;
    return false;
}

/* A DS RRset names keys of `newer` only, and caches may hold `older`. */
static void check_ds(struct roll *r, uint8_t newer, uint8_t older, int64_t now_ns)
{
    const struct roll_set *n = &r->set[newer], *o = &r->set[older];
    int64_t served_ns = served_until(r, newer, older), until_ns = roll_cached(served_ns, o->ttl);
    for (uint8_t i = 0; i < r->dss; i++) {
        const struct roll_ds *y = &r->ds[i];
        if ((y->keys & o->entries) || !(y->keys & n->entries) || y->first_ns >= until_ns ||
            !had_other_ds(r, y, o->entries) || !came_with(r, newer, older, y->keys & n->entries))
            continue;
        struct step s = {.stage = ROLL_DS_EARLY,
                         .key = roll_lowest(y->keys & n->entries),
                         .group = ROLL_NONE,
                         .newer = newer,
                         .older = older,
                         .passed_ns = roll_since(served_ns, y->first_ns),
                         .needed_ns = o->ttl * SECOND_NS,
                         .until_ns = until_ns,
                         .frame = y->frame,
                         .since_frame = o->frame,
                         .exposed = roll_since(n->first_ns, y->first_ns) < TOGETHER_NS ||
                                    holds_set(r, older, y->first_ns)};
        unsafe(r, &s, now_ns);
    }
}

/* The only keys that vouch for the set are younger than RFC 5011 wants anchors to be. */
static void check_hold_down(struct roll *r, uint8_t newer, uint8_t older, int64_t now_ns)
{
    const struct roll_set *n = &r->set[newer], *o = &r->set[older];
    if (!r->anchored || !n->secure || !o->secure || (n->entries & o->entries & ~n->revoked))
        return;
    int64_t first_ns = INT64_MAX;
    for (uint8_t i = 0; i < r->keys; i++) {
        if (!roll_has(n->entries, i))
            continue;
        if (r->key[i].published_ns == INT64_MIN)
            return;
        if (r->key[i].published_ns < first_ns)
            first_ns = r->key[i].published_ns;
    }
    int64_t age = roll_since(first_ns, n->first_ns);
    if (first_ns == INT64_MAX || age >= ROLL_HOLD_DOWN_NS)
        return;
    struct step s = {.stage = ROLL_HOLD_DOWN,
                     .key = roll_lowest(o->entries),
                     .group = ROLL_NONE,
                     .newer = newer,
                     .older = older,
                     .passed_ns = age,
                     .needed_ns = ROLL_HOLD_DOWN_NS,
                     .until_ns = roll_cached(first_ns, ROLL_HOLD_DOWN_NS / SECOND_NS),
                     .frame = n->frame,
                     .since_frame = o->frame,
                     .exposed = true}; /* to ask anew teaches nobody to trust it sooner */
    unsafe(r, &s, now_ns);
}

/* --- algorithms: DS RRsets and others that may meet --- */

/* Those of `keys` whose algorithm none of `others` has. */
static uint16_t other_algorithms(const struct roll *r, uint16_t keys, uint16_t others)
{
    uint16_t left = 0;
    for (uint8_t i = 0; i < r->keys; i++) {
        bool any = false;
        for (uint8_t k = 0; roll_has(keys, i) && k < r->keys && !any; k++)
            any = roll_has(others, k) && roll_algorithm(r, k) == roll_algorithm(r, i);
        if (roll_has(keys, i) && !any)
            left |= (uint16_t)(1u << i);
    }
    return left;
}

/* Does another DS RRset of the time lack that algorithm, so that it comes or goes? */
static bool algorithm_moves(const struct roll *r, const struct roll_ds *x, uint16_t keys)
{
    for (uint8_t i = 0; i < r->dss; i++)
        if (&r->ds[i] != x && r->ds[i].keys && other_algorithms(r, keys, r->ds[i].keys))
            return true;
    return false;
}

static void check_algorithms(struct roll *r, int64_t now_ns)
{
    for (uint8_t i = 0; i < r->dss; i++)
        for (uint8_t k = 0; k < r->groups; k++) {
            const struct roll_ds *x = &r->ds[i];
            const struct roll_group *g = &r->group[k];
            uint16_t lacking = other_algorithms(r, x->keys, g->keys);
            int64_t until_ns = roll_cached(x->last_ns, x->ttl);
            if (!lacking || g->until_ns <= x->first_ns || g->first_ns >= until_ns ||
                !algorithm_moves(r, x, lacking))
                continue;
            bool coming = g->first_ns < x->first_ns;
            struct step s = {.stage = ROLL_ALGORITHM_EARLY,
                             .key = roll_lowest(lacking),
                             .group = k,
                             .newer = ROLL_NONE,
                             .older = ROLL_NONE,
                             .passed_ns = coming ? roll_since(g->last_ns, x->first_ns)
                                                 : roll_since(x->last_ns, g->first_ns),
                             .needed_ns = (coming ? g->ttl : x->ttl) * SECOND_NS,
                             .until_ns = coming ? g->until_ns : until_ns,
                             .frame = coming ? x->frame : g->frame,
                             .since_frame = coming ? g->frame : x->frame};
            unsafe(r, &s, now_ns);
        }
}

static void check_pair(struct roll *r, uint8_t newer, uint8_t older, int64_t now_ns)
{
    check_signs(r, newer, older, now_ns);
    check_removed(r, newer, older, now_ns);
    check_no_ds(r, newer, older, now_ns);
    check_ksk(r, newer, older, now_ns);
    check_ds(r, newer, older, now_ns);
    check_hold_down(r, newer, older, now_ns);
}

/* Somebody mended it: a DS or an anchor names a key of the set in use. */
static void check_mended(struct roll *r, int64_t now_ns)
{
    for (uint8_t i = 0; i < r->hazards; i++) {
        struct roll_hazard *h = &r->hazard[i];
        bool mended = h->newer == ROLL_NONE || r->set[h->newer].secure;
        if (h->stage != ROLL_KSK_NO_DS || h->until_ns != INT64_MAX || !mended)
            continue;
        h->until_ns = now_ns;
        if (h->newer == ROLL_NONE)
            continue;
        for (uint8_t k = 0; k < r->dss; k++) { /* caches may hold what led nowhere */
            int64_t until_ns = roll_cached(r->ds[k].last_ns, r->ds[k].ttl);
            if (!(r->ds[k].keys & r->set[h->newer].entries) && until_ns > h->until_ns)
                h->until_ns = until_ns;
        }
    }
    next_time(r);
}

void roll_unsafe_look(struct roll *r, int64_t now_ns)
{
    for (uint8_t n = 0; n < r->sets; n++)
        for (uint8_t o = 0; o < r->sets; o++)
            if (roll_check_replaced(r, n, o))
                check_pair(r, n, o, now_ns);
    check_algorithms(r, now_ns);
    check_mended(r, now_ns);
}
