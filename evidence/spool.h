/*
 * spool: frames that findings may cite later, held in an unnamed file of bounded size (replay).
 *
 * Contained in: store, tests. The oldest frames give way when the room is used up, and are counted.
 * Frames come in ascending order of number and are found again by number.
 */
#ifndef EVIDENCE_SPOOL_H
#define EVIDENCE_SPOOL_H

#include "sandbox/ring.h"

#include <stdbool.h>
#include <stdint.h>

struct spool; /* opaque */

/* An unlinked file in `dir` that never grows beyond `bytes`. 0 or a negative errno. Caller frees.
 */
int spool_new(int dir, uint64_t bytes, struct spool **ret_spool);
void spool_free(struct spool *);
/* Holds a frame; its number is above all before. `with`: the number of one that is to go where this
 * one goes, 0 none. 0 or a negative errno. */
int spool_add(struct spool *, const struct ring_record *, const uint8_t *bytes, uint64_t with);
/* Is it held? */
bool spool_holds(const struct spool *, uint64_t number);
/* True once for each frame that is held; then what goes with it, 0 nothing. */
bool spool_take(struct spool *, uint64_t number, uint64_t *ret_with);
/* The frame `number`, borrowed until the next call; 1, 0 if it is not held, or a negative errno. */
int spool_find(struct spool *, uint64_t number, const struct ring_record **ret_record);
/* How many frames had to give way. */
uint64_t spool_lost(const struct spool *);

#endif
