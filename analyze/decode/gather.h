/*
 * gather: bytes that arrive in pieces, in any order, and the frames that brought them.
 *
 * Contained in: analyze, tests. A window of bytes from offset 0; pieces do not overlap. What
 * an overlap means is the caller's policy (fragments: give up; TCP: first come, as most receivers
 * do).
 */
#ifndef ANALYZE_DECODE_GATHER_H
#define ANALYZE_DECODE_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Beyond so many pieces neighbours are joined, and a frame is no longer cited. */
#define GATHER_PIECES_MAX 256

struct piece {
    uint32_t from, to; /* bytes [from, to) of the window */
    uint64_t frame;    /* that brought them … */
    int64_t time_ns;   /* … and when */
};

struct gather {
    uint8_t *block;       /* NULL until something is held */
    size_t room;          /* of the block */
    size_t skip;          /* where the window starts in it */
    struct piece *pieces; /* ascending */
    size_t piece_count, piece_room;
};

enum gather_result {
    GATHER_NEW,      /* all bytes were new */
    GATHER_REPEATED, /* exactly a piece that is there, with the same bytes */
    GATHER_OVERLAP,  /* some or all bytes were there already, the same */
    GATHER_CONFLICT, /* some were there already and differ */
    GATHER_FULL      /* too many pieces, or no memory: not taken, or not all of it */
};

enum gather_policy {
    GATHER_FIRST,    /* the first to bring a byte is right; the rest of a piece is taken */
    GATHER_AGREEING, /* nothing is taken of a piece that conflicts */
    GATHER_DISTINCT  /* nothing is taken of a piece that overlaps */
};

struct origin { /* of bytes */
    uint64_t frame;
    int64_t time_ns;
    uint16_t source, interface;
};

void gather_init(struct gather *); /* holds no memory */
void gather_fini(struct gather *);
/* Memory held, bytes: for the owner's budget. */
size_t gather_held(const struct gather *);
/* Puts `size` bytes at `offset`; offset + size <= UINT32_MAX / 2. */
enum gather_result gather_add(struct gather *, size_t offset, const uint8_t *bytes, size_t size,
                              const struct origin *, enum gather_policy);
/* The window; valid where pieces are, until the next gather_add or gather_drop. */
static inline const uint8_t *gather_bytes(const struct gather *g)
{
    return g->block ? g->block + g->skip : NULL;
}
/* How many bytes from offset 0 on are there without a gap. */
size_t gather_whole(const struct gather *);
/* First byte that is there at or after `offset`; SIZE_MAX if none. */
size_t gather_next(const struct gather *, size_t offset);
/* Moves the window on by `n` bytes; memory is given back when nothing is left. */
void gather_drop(struct gather *, size_t n);
/* Frames that brought bytes of [from, to), ascending without repetitions, at most `room`; returns
 * how many. *ret_last gets the number and time of the highest. */
size_t gather_frames(const struct gather *, size_t from, size_t to, uint64_t *ret_frames,
                     size_t room, struct origin *ret_last);
/* True if this frame is needed by what is held. */
bool gather_cites(const struct gather *, uint64_t frame);

#endif
