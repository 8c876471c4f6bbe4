/*
 * servers: what each server of a zone serves, and where servers differ.
 *
 * Contained in: analyze, tests. Must never: claim a difference between two observations that were
 * made one after the other only, unless it is marked as such; grow beyond its limits.
 */
#include "analyze/follow/servers.h"

#include "analyze/canon.h"
#include "analyze/follow/glue.h"

#define XXH_INLINE_ALL
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define SERVERS_FIRST 2
#define SECOND_NS     INT64_C(1000000000)
#define SOA_NUMBERS   20 /* serial, refresh, retry, expire, minimum (RFC 1035 3.3.13) */

/* --- memory --- */

struct servers *servers_of(struct world *w, struct zone *zone)
{
    if (zone->servers)
        return zone->servers;
    struct servers *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    w->zone_bytes += sizeof *s;
    for (size_t i = 0; i < SERVERS_WHATS; i++)
        s->told[i].ns = INT64_MIN;
    s->told_ns.ns = s->told_cds.ns = s->refused_from_ns = INT64_MIN;
    return zone->servers = s;
}

size_t servers_free(struct servers *s)
{
    if (s == NULL)
        return 0;
    size_t bytes = sizeof *s + s->room * sizeof *s->server + glue_free(s->glues);
    free(s->server);
    free(s);
    return bytes;
}

static void let_go(struct rrset **set)
{
    if (*set)
        (*set)->held--;
    *set = NULL;
}

void servers_let_go(struct servers *s)
{
    if (s == NULL)
        return;
    let_go(&s->parent.set);
    let_go(&s->child.set);
    glue_let_go(s->glues);
    for (size_t i = 0; i < SERVERS_WHATS; i++)
        let_go(&s->kept[i].set);
}

struct server *servers_find(const struct servers *s, const struct flow *flow)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->server[i].family == flow->family &&
            memcmp(s->server[i].address, flow->src, sizeof flow->src) == 0)
            return &s->server[i];
    return NULL;
}

struct server *servers_at(struct world *w, struct zone *zone, const struct flow *flow,
                          int64_t time_ns)
{
    struct servers *s = servers_of(w, zone);
    struct server *server = s ? servers_find(s, flow) : NULL;
    if (s == NULL || server)
        return server;
    if (s->count == SERVERS_MAX) {
        s->more++;
        return NULL;
    }
    if (s->count == s->room) {
        size_t room = s->room ? s->room * 2 : SERVERS_FIRST;
        struct server *more = realloc(s->server, room * sizeof *more);
        if (more == NULL)
            return NULL;
        w->zone_bytes += (room - s->room) * sizeof *more;
        s->server = more;
        s->room = room;
    }
    server = &s->server[s->count++];
    *server = (struct server){
        .family = flow->family, .first_ns = time_ns, .last_ns = time_ns, .behind_ns = INT64_MIN};
    memcpy(server->address, flow->src, sizeof server->address);
    return server;
}

/* --- SOA --- */

struct soa {
    uint32_t serial, refresh, expire;
    uint64_t primary;
};

static uint32_t number(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool read_soa(const struct rrset *set, struct soa *ret)
{
    uint16_t size;
    const uint8_t *r = rrset_record(set, NULL, &size);
    if (set->count != 1 || r == NULL || size < SOA_NUMBERS + 2)
        return false;
    const uint8_t *numbers = r + size - SOA_NUMBERS;
    *ret = (struct soa){.serial = number(numbers),
                        .refresh = number(numbers + 4),
                        .expire = number(numbers + 12),
                        .primary = XXH3_64bits(r, name_size(r))};
    return true;
}

static int64_t refresh_ns(const struct servers *s)
{
    return s->refresh ? (int64_t)s->refresh * SECOND_NS : SERVERS_REFRESH_NS;
}

/* The zone's serials in the order in which they were first seen, each newer than the one before. A
 * zone that changes all the time gets one in an eighth of its refresh: the rest of them would tell
 * no more, and what is left out only makes us later. */
static void note_serial(struct servers *s, const struct server *server, const struct soa *soa,
                        bool began, int64_t time_ns, uint64_t frame)
{
    const struct servers_serial *last = NULL;
    for (size_t i = 0; i < s->serials; i++)
        if (s->serial[i].primary == soa->primary)
            last = &s->serial[i];
    if (last && (!servers_newer(soa->serial, last->serial) ||
                 (last != s->serial && flow_elapsed(last->first_ns, time_ns) < refresh_ns(s) / 8 &&
                  last->began)))
        return;
    if (s->serials == SERVERS_SERIALS)
        memmove(s->serial, s->serial + 1, --s->serials * sizeof *s->serial);
    s->serial[s->serials++] = (struct servers_serial){.serial = soa->serial,
                                                      .primary = soa->primary,
                                                      .first_ns = time_ns,
                                                      .frame = frame,
                                                      .server = (uint8_t)(server - s->server),
                                                      .began = began};
    if (last == NULL || s->serials > 0) {
        s->refresh = soa->refresh;
        s->expire = soa->expire;
    }
}

/* Does another server give a newer one now? Of another primary, serials cannot be compared: so it
 * is where every server takes changes by itself, or where several providers serve the zone. */
static bool others_newer(const struct servers *s, const struct server *server)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct server *other = &s->server[i];
        if ((other != server || server->balanced) && other->soa &&
            other->primary == server->primary && servers_newer(other->serial, server->serial))
            return true;
    }
    return false;
}

/* Since when it is behind: when a serial newer than its own was first seen elsewhere. */
static void note_behind(struct servers *s, struct server *server)
{
    server->behind_ns = INT64_MIN;
    if (server->back || !others_newer(s, server))
        return;
    for (size_t i = 0; i < s->serials; i++) {
        const struct servers_serial *serial = &s->serial[i];
        if (serial->primary != server->primary || !servers_newer(serial->serial, server->serial) ||
            (&s->server[serial->server] == server && !server->balanced))
            continue;
        server->behind_ns = serial->first_ns;
        server->behind_began = serial->began;
        return;
    }
}

/* Was that serial the zone's within the last refresh? Then a machine that lags behind the same
 * address would answer so. */
static bool lately_current(const struct servers *s, uint32_t serial, int64_t time_ns)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->server[i].soa && s->server[i].serial == serial &&
            flow_elapsed(s->server[i].soa_last_ns, time_ns) <= refresh_ns(s))
            return true;
    for (size_t i = 0; i + 1 < s->serials; i++) /* until the next one came */
        if (s->serial[i].serial == serial &&
            flow_elapsed(s->serial[i + 1].first_ns, time_ns) <= refresh_ns(s))
            return true;
    return false;
}

static void go_back(const struct servers *s, struct server *server, uint32_t serial,
                    int64_t time_ns)
{
    if (!server->back) {
        server->back = true;
        server->back_count = 0;
        server->back_ns = time_ns;
        server->peak = server->serial;
        server->peak_since_ns = server->soa_since_ns;
        server->peak_frame = server->soa_frame;
        server->back_known = lately_current(s, serial, time_ns);
    }
}

/* Up again, or so long ago that every secondary follows or has given the zone up (RFC 1034 4.3.5):
 * true. */
static bool come_up(const struct servers *s, struct server *server, int64_t time_ns)
{
    int64_t since = flow_elapsed(server->back_ns, time_ns);
    bool up = server->serial == server->peak || servers_newer(server->serial, server->peak);
    bool followed = s->expire && since > (int64_t)s->expire * SECOND_NS;
    if (!server->back || !(up || followed))
        return false;
    server->balanced |= up && since <= refresh_ns(s);
    server->back = false;
    return true;
}

/* After an expiry nobody is held to the serials from before the fall. */
static void forget_serials(struct servers *s, const struct server *server)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->serials; i++)
        if (s->serial[i].primary != server->primary ||
            !servers_newer(s->serial[i].serial, server->serial))
            s->serial[kept++] = s->serial[i];
    s->serials = kept;
}

static void set_serial(struct server *server, const struct soa *soa, int64_t time_ns,
                       uint64_t frame)
{
    server->soa = true;
    server->serial = soa->serial;
    server->primary = soa->primary;
    server->soa_since_ns = time_ns;
    server->soa_frame = frame;
    server->soa_cited = 0;
}

static bool others_differ(const struct servers *s, const struct server *server)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->server[i].soa && s->server[i].serial != server->serial &&
            s->server[i].primary == server->primary)
            return true;
    return false;
}

/* While servers differ, what shows for how long they do is remembered, to be cited. */
static void cite(bool differs, int64_t time_ns, uint64_t frame, int64_t *cited_ns, uint64_t *cited)
{
    if (!differs || (*cited && flow_elapsed(*cited_ns, time_ns) < SERVERS_AGAIN_NS))
        return;
    *cited = frame;
    *cited_ns = time_ns;
}

bool servers_note_soa(struct servers *s, struct server *server, const struct rrset *set,
                      int64_t time_ns, uint64_t frame)
{
    struct soa soa;
    if (!read_soa(set, &soa) || (server->soa && time_ns < server->soa_last_ns))
        return false;
    bool changed = !server->soa || server->serial != soa.serial || server->primary != soa.primary;
    bool began = server->soa, was_behind = server->behind_ns != INT64_MIN;
    if (server->soa && server->primary != soa.primary) {
        server->back = server->balanced = false; /* taken from elsewhere now */
    } else if (server->soa && servers_newer(server->serial, soa.serial)) {
        go_back(s, server, soa.serial, time_ns);
    }
    if (server->version != set->hash) {
        server->version_since_ns = server->soa ? time_ns : INT64_MIN;
        server->version = set->hash;
    }
    if (changed) {
        server->moved |= server->soa;
        set_serial(server, &soa, time_ns, frame);
    }
    server->soa_last_ns = time_ns;
    bool back = server->back;
    server->back_count += back;
    if (come_up(s, server, time_ns) && !servers_newer(server->serial, server->peak) &&
        server->serial != server->peak)
        forget_serials(s, server);
    note_serial(s, server, &soa, began, time_ns, frame);
    note_behind(s, server);
    bool differs = back || was_behind || server->behind_ns != INT64_MIN || others_differ(s, server);
    cite(differs, time_ns, frame, &server->soa_cited_ns, &server->soa_cited);
    return changed || differs || s->told[SERVERS_SERIAL].differ;
}

size_t servers_fellows(const struct servers *s, const struct flow *flow,
                       struct fact_fellow ret_fellows[SERVERS_MAX])
{
    const struct server *me = s ? servers_find(s, flow) : NULL;
    size_t count = 0;
    for (size_t i = 0; me && me->soa && i < s->count; i++)
        if (&s->server[i] != me && s->server[i].soa && s->server[i].version == me->version)
            ret_fellows[count++] = (struct fact_fellow){.family = s->server[i].family,
                                                        .server = s->server[i].address,
                                                        .since_ns = s->server[i].version_since_ns};
    return count;
}

/* --- other RRsets --- */

static void add_tag(struct server_set *to, uint16_t tag)
{
    size_t at = to->tags;
    for (size_t i = 0; i < to->tags; i++)
        if (to->tag[i] == tag)
            return;
    if (at == SERVERS_TAGS)
        return;
    while (at > 0 && to->tag[at - 1] > tag) {
        to->tag[at] = to->tag[at - 1];
        at--;
    }
    to->tag[at] = tag;
    to->tags++;
}

/* Which records, or which keys sign: not the signatures, which each server may make by itself. */
static void read_set(enum servers_what what, const struct rrset *set, struct server_set *to)
{
    uint16_t size;
    to->hash = what == SERVERS_SIGNERS ? 1 : set->type;
    for (const uint8_t *r = NULL;
         what != SERVERS_SIGNERS && (r = rrset_record(set, r, &size)) != NULL;) {
        to->hash = XXH3_64bits_withSeed(r, size, to->hash);
        if (what == SERVERS_KEYS && size >= 4 && !(r[1] & KEY_FLAG_SEP))
            to->rest = XXH3_64bits_withSeed(r, size, to->rest);
        if (size >= 4)
            add_tag(to, (uint16_t)(what == SERVERS_CDS ? r[0] << 8 | r[1] : key_tag(r, size)));
    }
    if (what != SERVERS_SIGNERS)
        return;
    uint64_t keys = 0; /* in any order, each once */
    for (uint8_t i = 0; i < set->signatures; i++) {
        uint64_t key = (uint64_t)set->signature[i].algorithm << 16 | set->signature[i].tag;
        bool again = false;
        for (uint8_t k = 0; k < i; k++)
            again |= set->signature[k].tag == set->signature[i].tag &&
                     set->signature[k].algorithm == set->signature[i].algorithm;
        if (!again)
            keys += XXH3_64bits(&key, sizeof key);
        add_tag(to, set->signature[i].tag);
    }
    to->hash = set->signatures ? keys | 1 : 0;
    struct soa soa;
    if (read_soa(set, &soa))
        to->serial = soa.serial;
}

/* SERVERS_SIGNERS are in the SOA, of which nothing is kept. The same records without signatures, as
 * a query without DO gets them, say less than those with. */
static void keep(struct servers_kept *kept, struct rrset *set, uint64_t hash)
{
    bool less = kept->set && set && kept->hash == hash && !set->signatures && kept->set->signatures;
    if (kept->set != set && !less) {
        let_go(&kept->set);
        kept->set = set;
        if (set)
            set->held++;
    }
    kept->hash = hash;
}

bool servers_same_records(const struct rrset *a, const struct rrset *b)
{
    const uint8_t *left = NULL, *right = NULL;
    uint16_t left_size, right_size;
    if (a->count != b->count)
        return false;
    while ((left = rrset_record(a, left, &left_size)) != NULL) {
        right = rrset_record(b, right, &right_size);
        if (right == NULL || left_size != right_size || memcmp(left, right, left_size) != 0)
            return false;
    }
    return true;
}

bool servers_note_ns(struct servers_ns *side, struct rrset *set, int64_t time_ns, uint64_t frame)
{
    if (side->set && time_ns < side->last_ns)
        return false;
    side->last_ns = time_ns;
    if (side->set == set)
        return false;
    bool same = side->set && servers_same_records(side->set, set);
    side->moved = side->set && (side->moved || !same);
    let_go(&side->set);
    side->set = set;
    set->held++;
    side->ttl = set->ttl;
    if (same)
        return false;
    side->since_ns = time_ns;
    side->frame = frame;
    return true;
}

bool servers_note_set(struct servers *s, struct server *server, enum servers_what what,
                      struct rrset *set, int64_t time_ns, uint64_t frame)
{
    struct server_set *old = &server->set[what];
    struct server_set now = {
        .known = true, .since_ns = time_ns, .last_ns = time_ns, .frame = frame};
    if (old->known && time_ns < old->last_ns)
        return false;
    if (set)
        read_set(what, set, &now);
    bool same = old->known && old->hash == now.hash && old->serial == now.serial;
    if (same) {
        old->last_ns = time_ns;
    } else {
        now.moved = old->known && (old->hash != now.hash || old->moved);
        *old = now;
    }
    if (what != SERVERS_SIGNERS)
        keep(&s->kept[what], set, old->hash);
    if (s->count < 2)
        return false;
    for (size_t i = 0; i < s->count; i++) {
        const struct server_set *other = &s->server[i].set[what];
        if (!other->known || other->hash == old->hash)
            continue;
        cite(true, time_ns, frame, &old->cited_ns, &old->cited);
        return true;
    }
    return s->told[what].differ;
}

/* --- comparison --- */

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void add_frames(struct servers_view *room, uint64_t first, uint64_t latest)
{
    room->frame[room->frames++] = first;
    if (latest && latest != first)
        room->frame[room->frames++] = latest;
}

static void show(struct servers_view *room, const struct server *server, enum servers_what what,
                 struct fact_servers *f)
{
    const struct server_set *set = &server->set[what];
    struct fact_server *at = &room->server[f->count++];
    *at = (struct fact_server){.family = server->family,
                               .address = server->address,
                               .has_serial = server->soa,
                               .serial = server->serial};
    if (what == SERVERS_SERIAL) {
        at->since_ns = server->soa_since_ns;
        at->last_ns = server->soa_last_ns;
        at->odd = server->behind_ns != INT64_MIN;
        add_frames(room, server->soa_frame, server->soa_cited);
        return;
    }
    at->none = set->hash == 0;
    at->since_ns = set->since_ns;
    at->last_ns = set->last_ns;
    at->tags = set->tags;
    at->tag = set->tag;
    if (what == SERVERS_SIGNERS)
        at->serial = set->serial;
    add_frames(room, set->frame, set->cited);
}

/* At the end of a recording: an old serial, and soon after a newer one elsewhere, and no more of
 * the former. A change that ran its course looks the same, so this is a hint only. */
static bool hints(const struct servers *s, const struct server *server)
{
    if (server->back || server->moved || server->behind_ns != INT64_MIN)
        return false;
    for (size_t i = 0; i < s->serials; i++) {
        const struct servers_serial *serial = &s->serial[i];
        int64_t after = flow_elapsed(server->soa_last_ns, serial->first_ns);
        if (serial->primary == server->primary && !serial->began &&
            &s->server[serial->server] != server && servers_newer(serial->serial, server->serial) &&
            after >= 0 && after <= SERVERS_NEAR_NS)
            return true;
    }
    return false;
}

static void compare_serials(const struct servers *s, bool final, struct servers_view *room,
                            struct fact_servers *f)
{
    bool began = true;
    for (size_t i = 0; i < s->count; i++) {
        const struct server *server = &s->server[i];
        if (!server->soa)
            continue;
        bool hint = final && hints(s, server);
        show(room, server, SERVERS_SERIAL, f);
        room->server[f->count - 1].odd |= hint;
        f->equal &= !others_newer(s, server);
        if (server->behind_ns == INT64_MIN && !hint)
            continue;
        f->differ = true;
        if (!hint)
            f->lasted_ns =
                later(f->lasted_ns, flow_elapsed(server->behind_ns, server->soa_last_ns));
        began &= !hint && server->behind_began;
    }
    f->began = began && f->differ;
}

/* Was the set served under the serial that the server has? Each stayed as it was between the times
 * at which it was seen: so it was if these spans overlap. */
static bool under_serial(const struct server *server, const struct server_set *set)
{
    return server->soa &&
           later(set->since_ns, server->soa_since_ns) <= sooner(set->last_ns, server->soa_last_ns);
}

static bool one_serial(enum servers_what what, const struct server *a, const struct server *b)
{
    const struct server_set *x = &a->set[what], *y = &b->set[what];
    if (what == SERVERS_SIGNERS)
        return x->serial == y->serial;
    return a->primary == b->primary && a->serial == b->serial && under_serial(a, x) &&
           under_serial(b, y);
}

/* Does one sign with a key that the other does not publish? */
static bool unpublished(const struct server *signer, const struct server *publisher)
{
    const struct server_set *by = &signer->set[SERVERS_SIGNERS];
    const struct server_set *in = &publisher->set[SERVERS_KEYS];
    for (size_t i = 0; by->known && in->known && in->tags && i < by->tags; i++) {
        size_t k = 0;
        while (k < in->tags && in->tag[k] != by->tag[i])
            k++;
        if (k == in->tags && in->tags < SERVERS_TAGS)
            return true;
    }
    return false;
}

static void compare_pair(const struct server *a, const struct server *b, enum servers_what what,
                         bool final, struct fact_servers *f, bool *began)
{
    const struct server_set *x = &a->set[what], *y = &b->set[what];
    int64_t from = later(x->since_ns, y->since_ns), to = sooner(x->last_ns, y->last_ns);
    bool beside = from <= to;
    /* Of the same serial at different times is as good as beside each other (a transfer brings
     * nothing without a newer serial), but for signers that work on each server. */
    bool near =
        final && !beside && !x->moved && !y->moved && flow_elapsed(to, from) <= SERVERS_NEAR_NS;
    f->equal = false;
    if (!beside && !near)
        return;
    if (what == SERVERS_SIGNERS && x->serial != y->serial)
        return;
    f->differ = true;
    bool apart = unpublished(a, b) || unpublished(b, a);
    f->apart |= apart;
    f->published &= !apart && a->set[SERVERS_KEYS].known && b->set[SERVERS_KEYS].known;
    f->only_sep &= what == SERVERS_KEYS && x->hash && y->hash && x->rest == y->rest;
    *began &= x->since_ns > y->since_ns ? x->moved : y->moved;
    if (!beside)
        return;
    f->lasted_ns = later(f->lasted_ns, flow_elapsed(from, to));
    if (!one_serial(what, a, b))
        return;
    f->one_serial = true;
    bool again = x->since_ns < x->last_ns || y->since_ns < y->last_ns;
    f->in_turns |= again && !x->moved && !y->moved && a->primary == b->primary;
}

void servers_compare(const struct servers *s, enum servers_what what, bool final,
                     struct servers_view *room, struct fact_servers *ret)
{
    struct fact_servers f = {.what = what,
                             .equal = true,
                             .only_sep = true,
                             .published = true,
                             .final = final,
                             .refresh_ns = refresh_ns(s),
                             .expire_ns = (int64_t)s->expire * SECOND_NS,
                             .server = room->server};
    bool began = true;
    room->frames = 0;
    if (what == SERVERS_SERIAL) {
        compare_serials(s, final, room, &f);
        *ret = f;
        return;
    }
    for (size_t i = 0; i < s->count; i++) {
        if (!s->server[i].set[what].known)
            continue;
        show(room, &s->server[i], what, &f);
        for (size_t k = 0; k < i; k++)
            if (s->server[k].set[what].known &&
                s->server[k].set[what].hash != s->server[i].set[what].hash)
                compare_pair(&s->server[k], &s->server[i], what, final, &f, &began);
    }
    f.began = began && f.differ;
    *ret = f;
}

void servers_back(const struct servers *s, const struct server *server, struct servers_view *room,
                  struct fact_servers *ret)
{
    struct fact_servers f = {.what = SERVERS_SERIAL,
                             .refresh_ns = refresh_ns(s),
                             .expire_ns = (int64_t)s->expire * SECOND_NS,
                             .lasted_ns = flow_elapsed(server->back_ns, server->soa_last_ns),
                             .server = room->server,
                             .peak = server->peak,
                             .peak_since_ns = server->peak_since_ns,
                             .back_ns = server->back_ns,
                             .back_count = server->back_count,
                             .back_known = server->back_known,
                             .balanced = server->balanced,
                             .over = !server->back};
    room->frames = 0;
    room->frame[room->frames++] = server->peak_frame;
    show(room, server, SERVERS_SERIAL, &f);
    *ret = f;
}
