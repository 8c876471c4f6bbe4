/*
 * fragment: IP reassembly; see fragment.h.
 *
 * Contained in: analyze, tests. Must never: guess. Overlapping fragments of IPv6 end the datagram
 * (RFC 5722 4); those of IPv4 end it when they disagree, because hosts differ in which one they
 * believe.
 */
#include "analyze/decode/fragment.h"

#include "analyze/decode/table.h"

#include <stdlib.h>
#include <string.h>

#define DATAGRAM_MAX 65535u
#define WAIT_NS                                                                                    \
    (30 * INT64_C(1000000000)) /* RFC 1122 3.3.2 wants 60 to 120; few senders differ               \
                                */
#define QUIET_NS     (1 * INT64_C(1000000000)) /* repetitions of a finished IPv4 datagram */
#define MEMORY_SHARE 16                        /* of memory-bytes */

enum datagram_state { GATHERING, FINISHED, REFUSED };

struct fragmented {
    struct flow key; /* the identification is in its ports */
    enum datagram_state state;
    uint8_t proto;  /* of the first fragment */
    uint32_t total; /* bytes; 0 unknown */
    int64_t first_ns, quiet_until_ns;
    uint16_t source, interface;
    struct gather gather;
};

struct fragments {
    struct table *table;
    size_t held, held_max;
    struct gather done; /* the datagram that the last call completed */
    bool last_held;
    const struct gather *reported; /* whose frames fragments_frames tells */
    fragments_on_lost *on_lost;
    void *context;
};

static void release(struct fragments *f, struct fragmented *d)
{
    f->held -= gather_held(&d->gather);
    gather_fini(&d->gather);
}

/* Reports a datagram that will not become whole. */
static void give_up(struct fragments *f, struct fragmented *d)
{
    if (d->state != GATHERING)
        return;
    size_t whole = gather_whole(&d->gather);
    struct origin last = {.source = d->source, .interface = d->interface};
    uint64_t frame;
    struct packet head;
    packet_init(&head, gather_bytes(&d->gather), whole, d->total ? d->total : DATAGRAM_MAX);
    head.flow = d->key;
    head.flow.sport = head.flow.dport = 0;
    gather_frames(&d->gather, 0, DATAGRAM_MAX, &frame, 1, &last);
    f->reported = &d->gather;
    f->on_lost(f->context, &head, whole > 0 ? ip_of_proto(d->key.family, d->proto) : LAYER_BROKEN,
               &last);
    f->reported = NULL;
    d->state = REFUSED;
}

static void give_way(void *context, void *entry)
{
    give_up(context, entry);
    release(context, entry);
}

struct fragments *fragments_new(const struct settings *s, fragments_on_lost *on_lost, void *context)
{
    struct fragments *f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    f->table = table_new(s->datagrams, sizeof(struct fragmented), sizeof(struct flow), give_way, f);
    if (!f->table) {
        free(f);
        return NULL;
    }
    f->held_max = s->memory_bytes / MEMORY_SHARE;
    f->on_lost = on_lost;
    f->context = context;
    return f;
}

static void remove_entry(struct fragments *f, struct fragmented *d)
{
    release(f, d);
    table_remove(f->table, d);
}

void fragments_free(struct fragments *f)
{
    if (!f)
        return;
    struct fragmented *d;
    while ((d = table_oldest(f->table)))
        remove_entry(f, d);
    gather_fini(&f->done);
    table_free(f->table);
    free(f);
}

static struct fragmented *find(struct fragments *f, const struct packet *p, const struct origin *o)
{
    struct flow key = p->flow;
    key.sport = (uint16_t)(p->fragment.id >> 16);
    key.dport = (uint16_t)p->fragment.id;
    /* RFC 8200 4.5: the next header is not part of an IPv6 datagram's identity */
    key.proto = key.family == 4 ? p->fragment.proto : 0;
    struct fragmented *d = table_find(f->table, &key);
    if (d && d->state != GATHERING && flow_elapsed(d->quiet_until_ns, o->time_ns) > 0) {
        remove_entry(f, d); /* the identification is used again */
        d = NULL;
    }
    if (!d) {
        d = table_insert(f->table, &key);
        d->state = GATHERING;
        d->proto = p->fragment.proto;
        d->total = 0;
        d->first_ns = o->time_ns;
        d->source = o->source;
        d->interface = o->interface;
        gather_init(&d->gather);
    }
    return d;
}

/* Later fragments of it are dropped, without a report, for a while. */
static void silence(struct fragmented *d, enum datagram_state state, const struct origin *o)
{
    int64_t quiet = d->key.family == 6 ? WAIT_NS : QUIET_NS;
    d->state = state;
    if (__builtin_add_overflow(o->time_ns, quiet, &d->quiet_until_ns))
        d->quiet_until_ns = INT64_MAX;
}

/* What the fragment says agrees with itself and with the others; takes it. */
static bool take(struct fragmented *d, const struct packet *p, const struct origin *o)
{
    size_t offset = p->fragment.offset, end = offset + p->wire;
    if (end > DATAGRAM_MAX || (p->fragment.more && p->wire % 8 != 0))
        return false;
    if (d->total != 0 && (end > d->total || (!p->fragment.more && end != d->total)))
        return false;
    if (!p->fragment.more) {
        size_t known = d->gather.piece_count;
        if (known > 0 && d->gather.pieces[known - 1].to > end)
            return false;
        d->total = (uint32_t)end;
    }
    if (offset == 0)
        d->proto = p->fragment.proto;
    enum gather_policy policy = d->key.family == 6 ? GATHER_DISTINCT : GATHER_AGREEING;
    switch (gather_add(&d->gather, offset, p->c.base + p->c.at, cursor_left(&p->c), o, policy)) {
    case GATHER_NEW:
    case GATHER_REPEATED:
        return true;
    case GATHER_OVERLAP:
        return policy == GATHER_AGREEING;
    case GATHER_CONFLICT:
    case GATHER_FULL:
    default:
        return false;
    }
}

bool fragments_add(struct fragments *f, struct packet *p, const struct origin *o,
                   enum layer *ret_layer)
{
    struct gather before = f->done; /* the packet may lie in it: a fragment within a datagram */
    bool whole = false;
    gather_init(&f->done);
    f->last_held = false;
    struct fragmented *d = find(f, p, o);
    if (d->state != GATHERING)
        goto out;
    size_t held = gather_held(&d->gather);
    bool taken = take(d, p, o);
    f->held += gather_held(&d->gather) - held;
    if (!taken) {
        give_up(f, d);
        release(f, d);
        silence(d, REFUSED, o);
        goto out;
    }
    whole = d->total != 0 && gather_whole(&d->gather) >= d->total;
    f->last_held = !whole && gather_cites(&d->gather, o->frame);
    if (whole) {
        f->held -= gather_held(&d->gather);
        f->done = d->gather;
        gather_init(&d->gather);
        silence(d, FINISHED, o);
        p->c = cursor_over(gather_bytes(&f->done), d->total);
        p->wire = d->total;
        *ret_layer = ip_of_proto(d->key.family, d->proto);
    }
    while (f->held > f->held_max) {
        struct fragmented *oldest = table_oldest(f->table);
        give_way(f, oldest);
        table_remove(f->table, oldest);
        f->last_held = f->last_held && oldest != d;
    }
out:
    gather_fini(&before);
    return whole;
}

bool fragments_held(const struct fragments *f)
{
    return f->last_held;
}

size_t fragments_frames(const struct fragments *f, uint64_t *ret_frames, size_t room)
{
    struct origin last;
    const struct gather *g = f->reported ? f->reported : &f->done;
    return gather_frames(g, 0, DATAGRAM_MAX, ret_frames, room, &last);
}

void fragments_expire(struct fragments *f, int64_t now_ns)
{
    struct fragmented *d;
    while ((d = table_oldest(f->table)) &&
           (now_ns == INT64_MAX || flow_elapsed(d->first_ns, now_ns) > WAIT_NS)) {
        give_way(f, d);
        table_remove(f->table, d);
    }
}
