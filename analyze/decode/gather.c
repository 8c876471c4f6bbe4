/*
 * gather: bytes in pieces; see gather.h.
 *
 * Contained in: analyze, tests. Must never: hold more than its owner lets in; all sizes are bounded
 * by the owner's window.
 */
#include "analyze/decode/gather.h"

#include <stdlib.h>
#include <string.h>

void gather_init(struct gather *g)
{
    memset(g, 0, sizeof(*g));
}

void gather_fini(struct gather *g)
{
    free(g->block);
    free(g->pieces);
    gather_init(g);
}

size_t gather_held(const struct gather *g)
{
    return g->room + g->piece_room * sizeof(*g->pieces);
}

static bool make_room(struct gather *g, size_t size)
{
    if (size <= g->room - g->skip)
        return true;
    size_t room = g->room ? g->room : 2048;
    while (room < g->skip + size)
        room *= 2;
    uint8_t *block = realloc(g->block, room);
    if (!block)
        return false;
    g->block = block;
    g->room = room;
    return true;
}

/* Joins the first two neighbours without a gap between them. */
static bool join_one(struct gather *g)
{
    for (size_t i = 1; i < g->piece_count; i++)
        if (g->pieces[i - 1].to == g->pieces[i].from) {
            g->pieces[i - 1].to = g->pieces[i].to;
            g->piece_count--;
            memmove(g->pieces + i, g->pieces + i + 1, (g->piece_count - i) * sizeof(*g->pieces));
            return true;
        }
    return false;
}

static bool make_piece_room(struct gather *g)
{
    if (g->piece_count < g->piece_room)
        return true;
    if (g->piece_room == GATHER_PIECES_MAX)
        return false;
    size_t room = g->piece_room ? g->piece_room * 2 : 4;
    struct piece *pieces = realloc(g->pieces, room * sizeof(*pieces));
    if (!pieces)
        return false;
    g->pieces = pieces;
    g->piece_room = room;
    return true;
}

/* The first piece that ends after `offset`. */
static size_t piece_after(const struct gather *g, size_t offset)
{
    size_t low = 0, high = g->piece_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (g->pieces[middle].to > offset)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* How [offset, offset + size) relates to what is there; *ret_first is the first piece behind
 * offset. */
static enum gather_result relate(const struct gather *g, size_t offset, const uint8_t *bytes,
                                 size_t size, size_t *ret_first)
{
    size_t end = offset + size, i = piece_after(g, offset);
    enum gather_result result = GATHER_NEW;
    *ret_first = i;
    for (; i < g->piece_count && g->pieces[i].from < end; i++) {
        size_t from = g->pieces[i].from > offset ? g->pieces[i].from : offset;
        size_t to = g->pieces[i].to < end ? g->pieces[i].to : end;
        if (memcmp(gather_bytes(g) + from, bytes + (from - offset), to - from) != 0)
            return GATHER_CONFLICT;
        bool same = g->pieces[i].from == offset && g->pieces[i].to == end;
        result = same ? GATHER_REPEATED : GATHER_OVERLAP;
    }
    return result;
}

static bool insert_piece(struct gather *g, size_t at, size_t from, size_t to,
                         const struct origin *o)
{
    if (!make_piece_room(g))
        return false;
    memmove(g->pieces + at + 1, g->pieces + at, (g->piece_count - at) * sizeof(*g->pieces));
    g->pieces[at] = (struct piece){
        .from = (uint32_t)from, .to = (uint32_t)to, .frame = o->frame, .time_ns = o->time_ns};
    g->piece_count++;
    return true;
}

enum gather_result gather_add(struct gather *g, size_t offset, const uint8_t *bytes, size_t size,
                              const struct origin *o, enum gather_policy policy)
{
    size_t end = offset + size, at;
    if (size == 0)
        return GATHER_REPEATED;
    enum gather_result result = relate(g, offset, bytes, size, &at);
    if (result == GATHER_REPEATED || (result == GATHER_CONFLICT && policy != GATHER_FIRST) ||
        (result == GATHER_OVERLAP && policy == GATHER_DISTINCT))
        return result;
    if (!make_room(g, end))
        return GATHER_FULL;
    for (size_t from = offset; from < end; at++) {
        size_t gap_end = at < g->piece_count && g->pieces[at].from < end ? g->pieces[at].from : end;
        if (from < gap_end) {
            if (g->piece_count == GATHER_PIECES_MAX) {
                if (!join_one(g))
                    return GATHER_FULL;
                at = piece_after(g, from); /* places have moved */
            }
            if (!insert_piece(g, at, from, gap_end, o))
                return GATHER_FULL;
            memcpy(g->block + g->skip + from, bytes + (from - offset), gap_end - from);
            at++;
        }
        from = at < g->piece_count && gap_end < end ? g->pieces[at].to : end;
    }
    return result;
}

size_t gather_whole(const struct gather *g)
{
    size_t whole = 0;
    for (size_t i = 0; i < g->piece_count && g->pieces[i].from == whole; i++)
        whole = g->pieces[i].to;
    return whole;
}

size_t gather_next(const struct gather *g, size_t offset)
{
    size_t i = piece_after(g, offset);
    if (i == g->piece_count)
        return SIZE_MAX;
    return g->pieces[i].from > offset ? g->pieces[i].from : offset;
}

void gather_drop(struct gather *g, size_t n)
{
    if (n == 0)
        return;
    size_t gone = piece_after(g, n);
    if (gone == g->piece_count) {
        gather_fini(g);
        return;
    }
    size_t end = g->pieces[g->piece_count - 1].to;
    g->skip += n;
    if (g->skip > g->room / 2) { /* not every time: many short messages before much held data */
        memmove(g->block, g->block + g->skip, end - n);
        g->skip = 0;
    }
    g->piece_count -= gone;
    memmove(g->pieces, g->pieces + gone, g->piece_count * sizeof(*g->pieces));
    for (size_t i = 0; i < g->piece_count; i++) {
        struct piece *piece = &g->pieces[i];
        piece->from = piece->from > n ? (uint32_t)(piece->from - n) : 0;
        piece->to = (uint32_t)(piece->to - n);
    }
}

size_t gather_frames(const struct gather *g, size_t from, size_t to, uint64_t *ret_frames,
                     size_t room, struct origin *ret_last)
{
    size_t count = 0;
    ret_last->frame = 0;
    for (size_t i = piece_after(g, from); i < g->piece_count && g->pieces[i].from < to; i++) {
        const struct piece *piece = &g->pieces[i];
        size_t at = count;
        while (at > 0 && ret_frames[at - 1] > piece->frame)
            at--;
        if (piece->frame > ret_last->frame) {
            ret_last->frame = piece->frame;
            ret_last->time_ns = piece->time_ns;
        }
        if ((at > 0 && ret_frames[at - 1] == piece->frame) || count == room)
            continue;
        memmove(ret_frames + at + 1, ret_frames + at, (count - at) * sizeof(*ret_frames));
        ret_frames[at] = piece->frame;
        count++;
    }
    return count;
}

bool gather_cites(const struct gather *g, uint64_t frame)
{
    for (size_t i = g->piece_count; i-- > 0;)
        if (g->pieces[i].frame == frame)
            return true;
    return false;
}
