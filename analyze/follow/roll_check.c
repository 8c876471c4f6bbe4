/*
 * roll_check: stages and unsafe steps of key rolls.
 *
 * Contained in: analyze, tests. Everything here is decided from times at which authoritative
 * servers were seen to serve something, and from the TTLs that they gave it.
 */
#include "analyze/follow/roll_check.h"

#include "analyze/key.h"

#include <stdlib.h>

#define SECOND_NS INT64_C(1000000000)

/* --- which set took the other's place --- */

bool roll_check_proven(const struct roll *r, uint8_t newer, uint8_t older)
{
    return newer < r->sets && older < r->sets && (r->set[newer].after >> older & 1) &&
           !(r->set[older].after >> newer & 1);
}

/* Is some RRset still served that only keys of the older set sign? Then both are in use. */
static bool is_in_use(const struct roll *r, const struct roll_set *newer,
                      const struct roll_set *older)
{
    for (uint8_t i = 0; i < r->groups; i++) {
        const struct roll_group *g = &r->group[i];
        if ((g->keys & older->keys) && !(g->keys & newer->keys) && g->last_ns > newer->first_ns)
            return true;
    }
    return false;
}

/* No server went from one to the other, but it was signed later, has keys in common with it, and
 * since then nobody serves the other. */
static bool is_inferred(const struct roll *r, uint8_t newer, uint8_t older)
{
    const struct roll_set *n = &r->set[newer], *o = &r->set[older];
    return n->secure && n->known_ns > o->known_ns && (int32_t)(n->inception - o->inceptions) > 0 &&
           o->last_ns < n->first_ns && (n->keys & o->keys) && !is_in_use(r, n, o);
}

bool roll_check_replaced(const struct roll *r, uint8_t newer, uint8_t older)
{
    if (newer >= r->sets || older >= r->sets || newer == older)
        return false;
    return roll_check_proven(r, newer, older) || is_inferred(r, newer, older);
}

const struct roll_ds *roll_check_latest_ds(const struct roll *r)
{
    const struct roll_ds *latest = NULL;
    for (uint8_t i = 0; i < r->dss; i++)
        if (latest == NULL || r->ds[i].last_ns > latest->last_ns ||
            (r->ds[i].last_ns == latest->last_ns && r->ds[i].first_ns > latest->first_ns))
            latest = &r->ds[i];
    return latest;
}

/* --- events --- */

static uint8_t successor(const struct roll *r, uint8_t key)
{
    uint8_t found = ROLL_NONE;
    for (uint8_t i = 0; i < r->keys; i++)
        if (r->key[i].follows == key &&
            (found == ROLL_NONE || r->key[i].first_ns > r->key[found].first_ns))
            found = i;
    return found;
}

/* What happens to a key at its end belongs to the roll that replaces it, not to the one that
 * brought it. */
static bool retires(enum roll_stage stage)
{
    return stage == ROLL_REMOVED || stage == ROLL_DS_GONE || stage == ROLL_REVOKED ||
           stage == ROLL_REMOVED_EARLY || stage == ROLL_KSK_EARLY || stage == ROLL_KSK_NO_DS ||
           stage == ROLL_HOLD_DOWN;
}

/* The key that gives the roll its name. */
static uint8_t roll_name(const struct roll *r, enum roll_stage stage, uint8_t key)
{
    if (stage == ROLL_SAFE_AGAIN)
        return key; /* is the name already */
    bool leads = retires(stage) || r->key[key].follows == ROLL_NONE;
    uint8_t next = leads ? successor(r, key) : ROLL_NONE;
    return next == ROLL_NONE ? key : next;
}

/* NULL if there is no room; the stage of that key was told then only in the counters. */
struct roll_event *roll_check_event(struct roll *r, enum roll_stage stage, uint8_t key,
                                    int64_t now_ns)
{
    if (r->event == NULL)
        r->event = calloc(ROLL_EVENTS_MAX, sizeof *r->event);
    if (r->event == NULL || r->events == ROLL_EVENTS_MAX) {
        r->more++;
        return NULL;
    }
    struct roll_event *e = &r->event[r->events++];
    uint8_t name = roll_name(r, stage, key);
    *e = (struct roll_event){.stage = stage,
                             .roll = name,
                             .key = key,
                             .other = r->key[name].follows,
                             .group = ROLL_NONE,
                             .time_ns = now_ns,
                             .until_ns = INT64_MAX};
    return e;
}

/* Once, and once more when what was inferred is proven. */
static struct roll_event *stage(struct roll *r, enum roll_stage what, uint8_t key, bool proven,
                                int64_t now_ns)
{
    struct roll_key *k = &r->key[key];
    uint32_t bit = 1u << what;
    if ((k->proven & bit) || (!proven && (k->told & bit)))
        return NULL;
    k->told |= bit;
    if (proven)
        k->proven |= bit;
    struct roll_event *e = roll_check_event(r, what, key, now_ns);
    if (e)
        e->proven = proven;
    return e;
}

/* --- stages --- */

/* The first time that a set with this key was seen at all, and served. */
static bool is_new(const struct roll *r, uint8_t key, uint8_t older, int64_t *ret_first_ns)
{
    *ret_first_ns = INT64_MAX;
    for (uint8_t i = 0; i < r->sets; i++) {
        if (!roll_has(r->set[i].keys, key))
            continue;
        if (r->set[i].known_ns <= r->set[older].known_ns)
            return false;
        if (r->set[i].first_ns < *ret_first_ns)
            *ret_first_ns = r->set[i].first_ns;
    }
    return true;
}

static bool signs_data(const struct roll *r, uint8_t key)
{
    for (uint8_t i = 0; i < r->groups; i++)
        if (roll_has(r->group[i].keys, key))
            return true;
    return false;
}

/* The key of the set before that it most likely takes the place of; ROLL_NONE: none of its kind. */
static uint8_t predecessor(const struct roll *r, uint8_t key, const struct roll_set *newer,
                           const struct roll_set *older)
{
    unsigned best = 0;
    uint8_t found = ROLL_NONE;
    for (uint8_t i = 0; i < r->keys; i++) {
        bool sep = (r->key[i].flags ^ r->key[key].flags) & KEY_FLAG_SEP ? false : true;
        if (i == key || !sep || r->key[i].gone || !roll_has(older->keys, i) ||
            r->key[i].follows == key)
            continue;
        bool used = r->key[i].flags & KEY_FLAG_SEP ? roll_has(older->entries, i) : signs_data(r, i);
        unsigned weight = 1u + (used ? 8u : 0u) + (successor(r, i) == ROLL_NONE ? 4u : 0u) +
                          (roll_has(newer->keys, i) ? 0u : 2u) +
                          (roll_algorithm(r, i) == roll_algorithm(r, key) ? 1u : 0u);
        if (weight > best) {
            best = weight;
            found = i;
        }
    }
    return found;
}

static void key_appears(struct roll *r, uint8_t key, uint8_t newer, uint8_t older, int64_t now_ns)
{
    struct roll_key *k = &r->key[key];
    int64_t first_ns;
    if (!is_new(r, key, older, &first_ns))
        return;
    k->published_ns = first_ns;
    if (k->follows == ROLL_NONE && successor(r, key) == ROLL_NONE)
        k->follows = predecessor(r, key, &r->set[newer], &r->set[older]);
    struct roll_event *e =
        stage(r, ROLL_PUBLISHED, key, roll_check_proven(r, newer, older), now_ns);
    if (e) {
        e->frame = r->set[newer].frame;
        e->since_frame = r->set[older].frame;
    }
}

/* No server that was heard since then has it any more. */
static bool has_gone(const struct roll *r, uint8_t key, const struct roll_set *newer)
{
    for (uint8_t i = 0; i < r->server_room; i++) {
        const struct roll_server *s = &r->server[i];
        if (s->family && s->set != ROLL_NONE && s->last_ns >= newer->first_ns &&
            roll_has(r->set[s->set].keys, key))
            return false;
    }
    return true;
}

/* The new key is given up. Should it come again, its stages are news. */
static void undo(struct roll *r, uint8_t key, uint64_t frame, int64_t now_ns)
{
    const uint32_t anew = 1u << ROLL_PUBLISHED | 1u << ROLL_SIGNS | 1u << ROLL_DS_SEEN;
    r->key[key].undone = true;
    r->key[key].told &= ~anew;
    r->key[key].proven &= ~anew;
    struct roll_event *e = roll_check_event(r, ROLL_UNDONE, key, now_ns);
    if (e)
        e->frame = frame;
}

static void key_leaves(struct roll *r, uint8_t key, uint8_t newer, uint8_t older, int64_t now_ns)
{
    struct roll_key *k = &r->key[key];
    if (!has_gone(r, key, &r->set[newer]))
        return;
    struct roll_key *next = &r->key[roll_name(r, ROLL_REMOVED, key)];
    if (!k->gone && next != k && !next->done) {
        next->done = true;
        r->completed++;
        r->completed_unsafe += next->unsafe;
    }
    k->gone = true;
    struct roll_event *e = stage(r, ROLL_REMOVED, key, roll_check_proven(r, newer, older), now_ns);
    if (e) {
        e->frame = r->set[newer].frame;
        e->since_frame = r->set[older].frame;
    }
    if (next == k && !k->undone && k->published_ns != INT64_MIN)
        undo(r, key, r->set[newer].frame, now_ns);
}

static void key_returns(struct roll *r, uint8_t key, int64_t now_ns)
{
    struct roll_key *k = &r->key[key];
    k->gone = false;
    k->told &= ~(1u << ROLL_REMOVED | 1u << ROLL_REMOVED_EARLY);
    k->proven &= ~(1u << ROLL_REMOVED | 1u << ROLL_REMOVED_EARLY);
    roll_check_event(r, ROLL_RESTORED, key, now_ns);
}

static bool is_served(const struct roll *r, uint8_t key)
{
    for (uint8_t i = 0; i < r->server_room; i++) {
        const struct roll_server *s = &r->server[i];
        if (s->family && s->set != ROLL_NONE && roll_has(r->set[s->set].keys, key))
            return true;
    }
    return false;
}

/* Servers went back to what they had before the key. */
static void keys_undone(struct roll *r, uint8_t set, int64_t now_ns)
{
    for (uint8_t i = 0; i < r->keys; i++) {
        struct roll_key *k = &r->key[i];
        if (roll_has(r->set[set].keys, i))
            k->undone = false;
        else if (!k->undone && !k->gone && k->published_ns != INT64_MIN && !is_served(r, i))
            undo(r, i, r->set[set].frame, now_ns);
    }
}

/* Of the sets that this one took the place of, the last that lacked the key; ROLL_NONE if none. */
static uint8_t last_without(const struct roll *r, uint8_t key, uint8_t newer)
{
    uint8_t found = ROLL_NONE;
    for (uint8_t i = 0; i < r->sets; i++)
        if (!roll_has(r->set[i].keys, key) && roll_check_replaced(r, newer, i) &&
            (found == ROLL_NONE || r->set[i].known_ns > r->set[found].known_ns))
            found = i;
    return found;
}

static void keys_appear(struct roll *r, uint8_t newer, int64_t now_ns)
{
    for (uint8_t i = 0; i < r->keys; i++) {
        uint8_t older = roll_has(r->set[newer].keys, i) ? last_without(r, i, newer) : ROLL_NONE;
        if (older != ROLL_NONE)
            key_appears(r, i, newer, older, now_ns);
    }
}

static void keys_leave(struct roll *r, uint8_t newer, uint8_t older, int64_t now_ns)
{
    const struct roll_set *n = &r->set[newer], *o = &r->set[older];
    for (uint8_t i = 0; i < r->keys; i++) {
        if (roll_has(n->revoked & (uint16_t)~o->revoked & o->keys, i)) {
            struct roll_event *e =
                stage(r, ROLL_REVOKED, i, roll_check_proven(r, newer, older), now_ns);
            if (e)
                e->frame = n->frame;
        }
        if (roll_has(o->keys & (uint16_t)~n->keys, i))
            key_leaves(r, i, newer, older, now_ns);
    }
}

/* The RRsets without that key that were served last before it began to sign, or ROLL_NONE. */
static uint8_t signed_before(const struct roll *r, uint8_t key, int64_t signs_ns)
{
    uint8_t found = ROLL_NONE;
    for (uint8_t i = 0; i < r->groups; i++)
        if (r->group[i].first_ns < signs_ns && !roll_has(r->group[i].keys, key) &&
            (found == ROLL_NONE || r->group[i].last_ns > r->group[found].last_ns))
            found = i;
    return found;
}

/* A key signs RRsets, and others were served before that it did not sign. A key that was always
 * there may always have signed: that it took over is said once the others have come to an end. */
static void key_signs(struct roll *r, uint8_t key, uint8_t group, bool moved, int64_t now_ns)
{
    struct roll_key *k = &r->key[key];
    const struct roll_group *g = &r->group[group];
    if (k->signs_ns == INT64_MIN || g->first_ns < k->signs_ns)
        k->signs_ns = g->first_ns;
    uint8_t before = signed_before(r, key, k->signs_ns);
    bool fresh = k->published_ns != INT64_MIN;
    if (before == ROLL_NONE || (!fresh && (!moved || r->group[before].last_ns >= k->signs_ns)))
        return;
    uint16_t others = r->group[before].keys & (uint16_t)~g->keys;
    if (k->follows == ROLL_NONE && successor(r, key) == ROLL_NONE && others)
        k->follows = roll_lowest(others);
    struct roll_event *e = stage(r, ROLL_SIGNS, key, fresh, now_ns);
    if (e) {
        e->group = group;
        e->frame = g->frame;
        e->since_frame = r->group[before].frame;
    }
}

static void stages_of_data(struct roll *r, bool moved, int64_t now_ns)
{
    for (uint8_t i = 0; i < r->groups; i++)
        for (uint8_t key = 0; key < r->keys; key++)
            if (roll_has(r->group[i].keys, key))
                key_signs(r, key, i, moved, now_ns);
}

static void stages_of_ds(struct roll *r, int64_t now_ns)
{
    const struct roll_ds *latest = roll_check_latest_ds(r);
    for (uint8_t key = 0; latest && key < r->keys; key++) {
        const struct roll_ds *first = NULL, *last = NULL, *before = NULL;
        for (uint8_t i = 0; i < r->dss; i++) {
            const struct roll_ds *x = &r->ds[i];
            if (!roll_has(x->keys, key))
                continue;
            if (first == NULL || x->first_ns < first->first_ns)
                first = x;
            if (last == NULL || x->last_ns > last->last_ns)
                last = x;
        }
        for (uint8_t i = 0; first && i < r->dss; i++)
            if (r->ds[i].first_ns < first->first_ns && !roll_has(r->ds[i].keys, key))
                before = &r->ds[i];
        struct roll_event *e = NULL;
        if (before && (e = stage(r, ROLL_DS_SEEN, key, true, now_ns)) != NULL) {
            e->frame = first->frame;
            e->since_frame = before->frame;
        }
        bool known =
            successor(r, key) != ROLL_NONE || r->key[key].gone ||
            (r->key[key].told >> ROLL_REVOKED & 1); /* else what it is part of is to come */
        if (last && known && !roll_has(latest->keys, key) && latest->first_ns > last->last_ns &&
            (e = stage(r, ROLL_DS_GONE, key, true, now_ns)) != NULL)
            e->frame = latest->frame;
    }
}

/* --- the DS that does not follow --- */

static void check_pending(struct roll *r, int64_t now_ns)
{
    const struct roll_ds *ds = roll_check_latest_ds(r);
    for (uint8_t key = 0; ds && key < r->keys; key++) {
        struct roll_key *k = &r->key[key];
        bool named = roll_has(ds->keys, key) || k->gone;
        if (named && k->pending) {
            k->pending = k->overdue = false;
            roll_check_event(r, ROLL_DS_FOLLOWED, key, now_ns);
        }
        uint8_t before = k->follows;
        if (named || !(k->flags & KEY_FLAG_SEP) || k->published_ns == INT64_MIN ||
            k->entry_ns == INT64_MIN || ds->last_ns < k->entry_ns || before == ROLL_NONE ||
            r->key[before].gone || !roll_has(ds->keys, before))
            continue;
        uint32_t ttl = 0;
        for (uint8_t i = 0; i < r->sets; i++)
            if (r->set[i].ttl > ttl)
                ttl = r->set[i].ttl;
        int64_t needed_ns = ((int64_t)ttl + ds->ttl) * SECOND_NS;
        int64_t age_ns = roll_since(k->entry_ns, ds->last_ns);
        bool overdue = age_ns > needed_ns;
        if (k->pending && (k->overdue || !overdue))
            continue;
        struct roll_event *e = roll_check_event(r, ROLL_DS_PENDING, key, now_ns);
        if (e == NULL)
            continue;
        k->pending = true;
        k->overdue = overdue;
        e->passed_ns = age_ns;
        e->needed_ns = needed_ns;
        e->since_frame = ds->frame;
    }
}

/* --- the ways in --- */

static void check_all(struct roll *r, int64_t now_ns)
{
    roll_unsafe_look(r, now_ns);
    check_pending(r, now_ns);
}

void roll_check_keys(struct roll *r, uint8_t set, int64_t now_ns)
{
    for (uint8_t i = 0; i < r->keys; i++) {
        struct roll_key *k = &r->key[i];
        if (roll_has(r->set[set].keys, i) && k->gone)
            key_returns(r, i, now_ns);
        if (roll_has(r->set[set].entries, i) &&
            (k->entry_ns == INT64_MIN || r->set[set].first_ns < k->entry_ns))
            k->entry_ns = r->set[set].first_ns;
    }
    keys_appear(r, set, now_ns);
    stages_of_data(r, true, now_ns); /* who takes whose place, before the latter's end is told */
    for (uint8_t o = 0; o < r->sets; o++)
        if (roll_check_replaced(r, set, o))
            keys_leave(r, set, o, now_ns);
    keys_undone(r, set, now_ns);
    stages_of_ds(r, now_ns); /* of a key that was not known when its DS came */
    roll_unsafe_review(r, now_ns);
    check_all(r, now_ns);
}

void roll_check_ds(struct roll *r, bool fresh, int64_t now_ns)
{
    if (fresh) {
        stages_of_ds(r, now_ns);
        check_all(r, now_ns);
    } else {
        check_pending(r, now_ns);
    }
}

void roll_check_data(struct roll *r, int64_t now_ns)
{
    stages_of_data(r, false, now_ns);
    check_all(r, now_ns);
}

enum roll_method roll_check_method(const struct roll *r, uint8_t key)
{
    const struct roll_key *k = &r->key[key];
    uint8_t before = k->follows;
    if (before == ROLL_NONE)
        return ROLL_BY_UNKNOWN;
    if (roll_algorithm(r, key) != roll_algorithm(r, before))
        return ROLL_BY_ALGORITHM;
    uint16_t both = (uint16_t)(1u << key | 1u << before);
    bool sep = k->flags & KEY_FLAG_SEP, together = false, published = false;
    for (uint8_t i = 0; i < r->groups && !sep; i++)
        together |= (r->group[i].keys & both) == both;
    for (uint8_t i = 0; i < r->sets; i++) {
        together |= sep && (r->set[i].entries & both) == both;
        published |= (r->set[i].keys & both) == both;
    }
    if (together)
        return ROLL_BY_DOUBLE_SIGNATURE;
    for (uint8_t i = 0; i < r->dss && sep; i++)
        if ((r->ds[i].keys & both) == both)
            return ROLL_BY_DOUBLE_DS;
    return !sep && published ? ROLL_BY_PREPUBLICATION : ROLL_BY_UNKNOWN;
}
