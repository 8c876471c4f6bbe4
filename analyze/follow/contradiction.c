/*
 * contradiction: data and denials side by side.
 *
 * Contained in: analyze, tests. Must never take an update of the zone, or a server that is yet to
 * get it, for a contradiction.
 */
#include "analyze/follow/contradiction.h"

#include "analyze/canon.h"
#include "analyze/validate/attempt.h"
#include "analyze/validate/denial.h"
#include "analyze/validate/judge.h"

#include <stdlib.h>
#include <string.h>

#define SIGHTS_MAX 4
/* For so long after something denied what was shown, repetitions are looked at too. */
#define DISPUTE_NS (3600 * INT64_C(1000000000))
/* Signers stamp the parts of one version of a zone within that. */
#define SLACK_S 60
/* NSEC3 with more iterations is not looked at: each name is hashed. */
#define ITERATIONS_MAX 20

struct sight { /* of an RRset, by one server */
    uint8_t server;
    int64_t first_ns, last_ns;
    uint64_t first_frame, last_frame;
};

struct shown { /* data, or a denial */
    struct rrset *set;
    int64_t inception, last_ns;
    uint8_t sights;
    bool disputed, told; /* data: something denies it; and nothing explains that */
    struct sight sight[SIGHTS_MAX];
    uint8_t hash[DENIAL_HASH]; /* data, where the zone denies with NSEC3 */
};

struct epoch { /* a server had that serial, and no other between */
    uint32_t serial;
    int64_t first_ns, last_ns;
};

struct server {
    uint8_t family, address[16];
    uint8_t epochs;
    struct epoch epoch[CONTRADICTION_SERIALS]; /* the latest last */
};

struct side { /* arrays, for each answer is held against them */
    uint8_t count;
    struct rrset *set[CONTRADICTION_SETS];
    /* Places in the order of the zone's names or hashes, roughly: data lie at `low`, a denial spans
     * from `low` to `high`, both included. */
    uint64_t low[CONTRADICTION_SETS], high[CONTRADICTION_SETS];
    struct shown *entry[CONTRADICTION_SETS];
};

struct contradictions {
    size_t bytes;
    bool online; /* the signer makes denials up */
    uint8_t servers;
    struct server server[CONTRADICTION_SERVERS];
    struct side data, denials;
    /* how the zone denies, by the last denial seen: type 0 none; of NSEC3 the parameters */
    uint16_t type, iterations;
    uint8_t salt_size, salt[255];
};

static void let_go(struct side *side)
{
    for (uint8_t i = 0; i < side->count; i++) {
        side->entry[i]->set->held--;
        free(side->entry[i]);
    }
    side->count = 0;
}

size_t contradictions_free(struct contradictions *c)
{
    if (c == NULL)
        return 0;
    size_t bytes = c->bytes;
    let_go(&c->data);
    let_go(&c->denials);
    free(c);
    return bytes;
}

static struct contradictions *contradictions_of(struct world *w, struct zone *zone)
{
    if (zone->contradictions == NULL) {
        zone->contradictions = calloc(1, sizeof *zone->contradictions);
        if (zone->contradictions) {
            zone->contradictions->bytes = sizeof *zone->contradictions;
            w->zone_bytes += sizeof *zone->contradictions;
        }
    }
    return zone->contradictions;
}

/* --- noting -------------------------------------------------------------------------------- */

/* The index of the server, or CONTRADICTION_SERVERS. */
static uint8_t server_of(struct contradictions *c, const struct flow *flow)
{
    uint8_t i = 0;
    while (i < c->servers && (c->server[i].family != flow->family ||
                              memcmp(c->server[i].address, flow->src, 16) != 0))
        i++;
    if (i == c->servers && i < CONTRADICTION_SERVERS) {
        c->server[i] = (struct server){.family = flow->family};
        memcpy(c->server[i].address, flow->src, 16);
        c->servers++;
    }
    return i;
}

static void note_serial(struct server *s, const struct rrset *soa, int64_t time_ns)
{
    uint16_t size;
    const uint8_t *r = rrset_record(soa, NULL, &size);
    if (r == NULL || size < 22 || soa->count != 1)
        return;
    r += size - 20; /* five numbers end it (RFC 1035 3.3.13) */
    uint32_t serial = (uint32_t)r[0] << 24 | (uint32_t)r[1] << 16 | (uint32_t)r[2] << 8 | r[3];
    struct epoch *e = s->epochs ? &s->epoch[s->epochs - 1] : NULL;
    if (e && e->serial == serial) {
        if (time_ns > e->last_ns)
            e->last_ns = time_ns;
        return;
    }
    if (s->epochs == CONTRADICTION_SERIALS)
        memmove(s->epoch, s->epoch + 1, --s->epochs * sizeof *s->epoch);
    s->epoch[s->epochs++] = (struct epoch){serial, time_ns, time_ns};
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

/* The index of the RRset, made if absent; the one that was not seen for longest gives way. -1: no
 * memory. */
static int entry_of(struct world *w, struct contradictions *c, struct side *side, struct rrset *set,
                    int64_t time_ns, bool *ret_new)
{
    uint8_t at = 0;
    *ret_new = false;
    for (uint8_t i = 0; i < side->count; i++)
        if (side->set[i] == set)
            return i;
    struct shown *entry;
    if (side->count < CONTRADICTION_SETS) {
        entry = malloc(sizeof *entry);
        if (entry == NULL)
            return -1;
        at = side->count++;
        c->bytes += sizeof *entry;
        w->zone_bytes += sizeof *entry;
    } else {
        for (uint8_t i = 1; i < side->count; i++)
            if (side->entry[i]->last_ns < side->entry[at]->last_ns)
                at = i;
        entry = side->entry[at];
        side->set[at]->held--;
    }
    *entry =
        (struct shown){.set = set, .inception = inception_of(set, time_ns), .last_ns = time_ns};
    set->held++;
    side->set[at] = set;
    side->entry[at] = entry;
    *ret_new = true;
    return at;
}

static void note_sight(struct shown *entry, uint8_t server, int64_t time_ns, uint64_t frame)
{
    struct sight *s = NULL;
    for (uint8_t i = 0; i < entry->sights && s == NULL; i++)
        if (entry->sight[i].server == server)
            s = &entry->sight[i];
    if (time_ns > entry->last_ns)
        entry->last_ns = time_ns;
    if (s == NULL) {
        if (entry->sights == SIGHTS_MAX)
            return;
        entry->sight[entry->sights++] = (struct sight){server, time_ns, time_ns, frame, frame};
    } else if (time_ns > s->last_ns) {
        s->last_ns = time_ns;
        s->last_frame = frame;
    }
}

/* --- does it deny? ------------------------------------------------------------------------- */

static uint64_t first_eight(const uint8_t *bytes, size_t size)
{
    uint64_t place = 0;
    for (size_t i = 0; i < 8; i++)
        place = place << 8 | (i < size ? bytes[i] : 0);
    return place;
}

/* Where the name stands in RFC 4034 6.1 order, as far as the first eight bytes of the label below
 * the apex tell. */
static uint64_t place_of(const uint8_t *name, const struct zone *zone)
{
    unsigned labels = name_labels(zone->name);
    if (name_labels(name) <= labels)
        return 0;
    const uint8_t *below = name_suffix(name, labels + 1);
    return first_eight(below + 1, below[0]);
}

static void place_data(const struct contradictions *c, const struct zone *zone, struct side *side,
                       int at)
{
    struct shown *entry = side->entry[at];
    if (c->type == TYPE_NSEC3) {
        key_nsec3_hash(entry->set->owner, c->salt, c->salt_size, c->iterations, entry->hash);
        side->low[at] = first_eight(entry->hash, DENIAL_HASH);
    } else {
        side->low[at] = place_of(entry->set->owner, zone);
    }
}

/* The last one of a chain ends where the chain begins: it spans all (and is looked at closely). */
static bool place_denial(const struct zone *zone, struct side *side, int at)
{
    const struct rrset *set = side->set[at];
    uint8_t next[NAME_MAX_BYTES], hash[DENIAL_HASH];
    uint16_t size;
    size_t after;
    const uint8_t *r = rrset_record(set, NULL, &size);
    if (r == NULL)
        return false;
    if (set->type == TYPE_NSEC) {
        if (name_read(r, size, 0, false, next, &after) == 0)
            return false;
        side->low[at] = place_of(set->owner, zone);
        side->high[at] = place_of(next, zone);
    } else {
        size_t from = size >= 5 ? 6u + r[4] : size;
        if (!denial_hash_of(set->owner, hash) || from + DENIAL_HASH > size)
            return false;
        side->low[at] = first_eight(hash, DENIAL_HASH);
        side->high[at] = first_eight(r + from, DENIAL_HASH);
    }
    if (side->high[at] <= side->low[at]) {
        side->low[at] = 0;
        side->high[at] = UINT64_MAX;
    }
    return true;
}

/* Another kind of denial, or other parameters: what is known of the old chain is of no use. False:
 * it is not looked at. */
static bool same_chain(struct world *w, struct contradictions *c, const struct zone *zone,
                       const struct rrset *set)
{
    uint16_t size, iterations = 0;
    uint8_t salt_size = 0;
    const uint8_t *r = rrset_record(set, NULL, &size);
    if (set->type == TYPE_NSEC3) {
        if (r == NULL || size < 5 || size < 5 + r[4])
            return false;
        iterations = (uint16_t)(r[2] << 8 | r[3]);
        salt_size = r[4];
    }
    if (iterations > ITERATIONS_MAX)
        return false;
    if (c->type == set->type && c->iterations == iterations && c->salt_size == salt_size &&
        (salt_size == 0 || memcmp(c->salt, r + 5, salt_size) == 0))
        return true;
    size_t freed = (size_t)c->denials.count * sizeof(struct shown);
    let_go(&c->denials);
    c->bytes -= freed;
    w->zone_bytes -= freed;
    c->type = set->type;
    c->iterations = iterations;
    c->salt_size = salt_size;
    if (salt_size)
        memcpy(c->salt, r + 5, salt_size);
    for (uint8_t i = 0; i < c->data.count; i++)
        place_data(c, zone, &c->data, i);
    return true;
}

static bool denies(const struct zone *zone, const struct shown *denial, const struct shown *data)
{
    return denial_excludes(denial->set, zone->name, data->set->owner, data->set->type, data->hash);
}

/* --- does anything explain it? ------------------------------------------------------------- */

/* RFC 1982 3.2 */
static bool serial_above(uint32_t a, uint32_t b)
{
    return a != b && a - b < UINT32_C(0x80000000);
}

/* The serial that the server surely had at that time; NULL not known. */
static const struct epoch *epoch_at(const struct server *s, int64_t time_ns)
{
    for (uint8_t i = 0; i < s->epochs; i++)
        if (time_ns >= s->epoch[i].first_ns && time_ns <= s->epoch[i].last_ns)
            return &s->epoch[i];
    return NULL;
}

/* The latest that it was known to have then or before. */
static const struct epoch *epoch_before(const struct server *s, int64_t time_ns)
{
    const struct epoch *best = NULL;
    for (uint8_t i = 0; i < s->epochs && s->epoch[i].first_ns <= time_ns; i++)
        best = &s->epoch[i];
    return best;
}

/* One of the two was seen, then the other, then the one again. */
static bool interleaved(const struct sight *a, const struct sight *b)
{
    return (a->first_ns < b->first_ns && b->first_ns < a->last_ns) ||
           (b->first_ns < a->first_ns && a->first_ns < b->last_ns);
}

static bool same_serial(const struct contradictions *c, const struct sight *data,
                        const struct sight *denial)
{
    const struct epoch *a = epoch_at(&c->server[data->server], data->last_ns);
    const struct epoch *b = epoch_at(&c->server[denial->server], denial->last_ns);
    if (a == NULL)
        a = epoch_at(&c->server[data->server], data->first_ns);
    return a && b && a->serial == b->serial && interleaved(data, denial);
}

/* The server had a newer serial before, and has the data after: the denial is of an older state. */
static bool serial_back(const struct contradictions *c, const struct sight *data,
                        const struct sight *denial)
{
    const struct server *s = &c->server[denial->server];
    const struct epoch *now = epoch_at(s, denial->last_ns);
    if (data->server != denial->server || now == NULL || data->last_ns <= denial->last_ns)
        return false;
    for (uint8_t i = 0; i < s->epochs && &s->epoch[i] != now; i++)
        if (serial_above(s->epoch[i].serial, now->serial) &&
            s->epoch[i].first_ns <= denial->last_ns && data->last_ns >= s->epoch[i].first_ns)
            return true;
    return false;
}

/* What was signed earlier came after what was signed later, and no newer serial with it. */
static bool signed_back(const struct contradictions *c, const struct shown *data,
                        const struct sight *ds, const struct shown *denial, const struct sight *ns)
{
    if (ds->server != ns->server)
        return false;
    if (denial->inception + SLACK_S < data->inception && ds->first_ns < ns->last_ns) {
        const struct epoch *before = epoch_before(&c->server[ds->server], ds->first_ns);
        const struct epoch *now = epoch_at(&c->server[ns->server], ns->last_ns);
        return !(before && now && serial_above(now->serial, before->serial));
    }
    return data->inception + SLACK_S < denial->inception && ns->first_ns < ds->last_ns;
}

static bool unexplained(const struct contradictions *c, const struct shown *data,
                        const struct shown *denial, struct contradiction *ret)
{
    for (uint8_t i = 0; i < data->sights; i++)
        for (uint8_t k = 0; k < denial->sights; k++) {
            const struct sight *ds = &data->sight[i], *ns = &denial->sight[k];
            if (same_serial(c, ds, ns))
                ret->how = CONTRADICTION_ONE_SERIAL;
            else if (serial_back(c, ds, ns))
                ret->how = CONTRADICTION_SERIAL_BACK;
            else if (signed_back(c, data, ds, denial, ns))
                ret->how = CONTRADICTION_SIGNED_BACK;
            else
                continue;
            ret->shown = data->set;
            ret->denial = denial->set;
            ret->shown_ns = ds->last_ns;
            ret->denied_ns = ns->last_ns;
            ret->shown_frame = ds->last_frame;
            ret->denied_frame = ns->last_frame;
            ret->shown_family = c->server[ds->server].family;
            ret->denied_family = c->server[ns->server].family;
            ret->shown_by = c->server[ds->server].address;
            ret->denied_by = c->server[ns->server].address;
            return true;
        }
    return false;
}

/* --- an answer ----------------------------------------------------------------------------- */

static bool is_data(const struct answer_set *as)
{
    uint16_t type = as->set->type;
    return as->section == SECTION_ANSWER && type != TYPE_NSEC && type != TYPE_NSEC3 &&
           type != TYPE_NSEC3PARAM && type != TYPE_SOA && !as->set->judged.wildcard;
}

static bool is_denial(const struct answer_set *as)
{
    return as->section == SECTION_AUTHORITY &&
           (as->set->type == TYPE_NSEC || as->set->type == TYPE_NSEC3) && as->set->count == 1 &&
           !as->set->judged.wildcard;
}

static void sign_on_line(struct world *w, struct contradictions *c)
{
    size_t freed = ((size_t)c->data.count + c->denials.count) * sizeof(struct shown);
    let_go(&c->data);
    let_go(&c->denials);
    c->bytes -= freed;
    w->zone_bytes -= freed;
    c->online = true;
}

struct look {
    struct zone *zone;
    int64_t time_ns;
    void (*on_contradiction)(void *, struct zone *, const struct contradiction *);
    void *context;
    bool disputed; /* by what was seen of it a pair may still become a contradiction */
};

static void compare(struct look *look, struct shown *data, const struct shown *denial)
{
    struct contradiction found;
    if (data->told || !denies(look->zone, denial, data))
        return;
    if (!data->disputed &&
        __builtin_add_overflow(look->time_ns, DISPUTE_NS, &look->zone->disputed_until_ns))
        look->zone->disputed_until_ns = INT64_MAX;
    data->disputed = look->disputed = true;
    if (!unexplained(look->zone->contradictions, data, denial, &found))
        return;
    data->told = true;
    look->on_contradiction(look->context, look->zone, &found);
}

static void look_at_data(struct look *look, struct contradictions *c, int at)
{
    uint64_t place = c->data.low[at];
    for (uint8_t i = 0; i < c->denials.count; i++)
        if (c->denials.low[i] <= place && place <= c->denials.high[i])
            compare(look, c->data.entry[at], c->denials.entry[i]);
}

static void look_at_denial(struct look *look, struct contradictions *c, int at)
{
    uint64_t low = c->denials.low[at], high = c->denials.high[at];
    for (uint8_t i = 0; i < c->data.count; i++)
        if (low <= c->data.low[i] && c->data.low[i] <= high)
            compare(look, c->data.entry[i], c->denials.entry[at]);
}

/* A serial that is seen afterwards may be what was missing. */
static void look_again(struct look *look, struct contradictions *c)
{
    for (uint8_t i = 0; i < c->data.count; i++)
        if (c->data.entry[i]->disputed && !c->data.entry[i]->told)
            look_at_data(look, c, i);
}

static void note_data(struct world *w, struct look *look, struct contradictions *c,
                      struct rrset *set, uint8_t server, uint64_t frame)
{
    bool fresh;
    int at = entry_of(w, c, &c->data, set, look->time_ns, &fresh);
    if (at < 0)
        return;
    if (fresh)
        place_data(c, look->zone, &c->data, at);
    note_sight(c->data.entry[at], server, look->time_ns, frame);
    look_at_data(look, c, at);
}

static void note_denial(struct world *w, struct look *look, struct contradictions *c,
                        struct rrset *set, uint8_t server, uint64_t frame)
{
    bool fresh;
    if (denial_made_up(set)) {
        sign_on_line(w, c);
        return;
    }
    if (!same_chain(w, c, look->zone, set))
        return;
    int at = entry_of(w, c, &c->denials, set, look->time_ns, &fresh);
    if (at < 0)
        return;
    if (fresh && !place_denial(look->zone, &c->denials, at)) {
        c->denials.low[at] = 1; /* of no use: spans nothing */
        c->denials.high[at] = 0;
    }
    note_sight(c->denials.entry[at], server, look->time_ns, frame);
    look_at_denial(look, c, at);
}

bool contradictions_seen(struct world *w, const struct answer *a, const struct flow *flow,
                         int64_t time_ns, uint64_t frame,
                         void (*on_contradiction)(void *, struct zone *,
                                                  const struct contradiction *),
                         void *context)
{
    struct look look = {NULL, time_ns, on_contradiction, context, false};
    if ((a->flags & (DNS_AA | DNS_RA)) != DNS_AA || a->kind == ANSWER_OTHER)
        return false;
    for (size_t pass = 0; pass < 2; pass++) /* serials first */
        for (size_t i = 0; i < a->sets; i++) {
            const struct answer_set *as = answer_nth(a, i);
            struct rrset *set = as->set;
            bool soa = set->type == TYPE_SOA;
            bool data = is_data(as), denial = is_denial(as);
            if (set->signatures == 0 || !set->judged.done || set->judged.reason != REASON_CHAIN ||
                (pass == 0 ? !soa : !data && !denial))
                continue;
            look.zone = world_find(w, set->signature[set->judged.by].signer);
            struct contradictions *c = look.zone ? contradictions_of(w, look.zone) : NULL;
            if (c == NULL || c->online)
                continue;
            uint8_t server = server_of(c, flow);
            if (server == CONTRADICTION_SERVERS)
                continue;
            if (pass == 0) {
                note_serial(&c->server[server], set, time_ns);
                look_again(&look, c);
                continue;
            }
            if (data)
                note_data(w, &look, c, set, server, frame);
            else
                note_denial(w, &look, c, set, server, frame);
        }
    return look.disputed;
}
