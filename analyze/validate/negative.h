/*
 * negative: negative trust anchors (RFC 7646): where and when the operator switched validation off.
 *
 * Contained in: analyze, tests. The packet's time decides, not the clock of the replay.
 */
#ifndef ANALYZE_VALIDATE_NEGATIVE_H
#define ANALYZE_VALIDATE_NEGATIVE_H

#include "analyze/validate/world.h"

/* The name of the negative anchor in force over `name` at that time (borrowed from the baseline),
 * or NULL. Type DS: the parent's side of the name (RFC 4035 3.1.4.1); any other, also 0: the name
 * itself. A positive anchor that is valid then and lies deeper takes its part of the tree back; at
 * one name the negative one wins (RFC 7646 1.1). [*from_ns, *until_ns] is narrowed to times at
 * which the answer is the same. */
const uint8_t *negative_over(const struct world *, const uint8_t *name, uint16_t type,
                             int64_t time_ns, int64_t *from_ns, int64_t *until_ns);

#endif
