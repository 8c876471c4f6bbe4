/*
 * negative: which negative anchor is in force over a name.
 *
 * Contained in: analyze, tests. Must never call anything secure: all it can say is "insecure".
 */
#include "analyze/validate/negative.h"

#include "analyze/canon.h"

const uint8_t *negative_over(const struct world *w, const uint8_t *name, uint16_t type,
                             int64_t time_ns, int64_t *from_ns, int64_t *until_ns)
{
    const struct baseline_negative *negative;
    const struct anchor *anchor;
    size_t count = w->baseline ? baseline_negatives(w->baseline, &negative) : 0;
    const uint8_t *deepest = NULL;
    if (count == 0)
        return NULL;
    if (type == TYPE_DS && !name_is_root(name))
        name = name_strip(name, 1);
    for (size_t i = 0; i < count; i++) {
        const struct baseline_negative *n = &negative[i];
        if (name_within(name, n->name) &&
            anchor_window(n->from_ns, n->until_ns, time_ns, from_ns, until_ns) &&
            (deepest == NULL || name_labels(n->name) > name_labels(deepest)))
            deepest = n->name;
    }
    count = deepest && w->anchors ? anchors_list(w->anchors, &anchor) : 0;
    for (size_t i = 0; i < count; i++)
        if (name_within(name, anchor[i].zone) &&
            name_labels(anchor[i].zone) > name_labels(deepest) &&
            anchor_window(anchor[i].from_ns, anchor[i].until_ns, time_ns, from_ns, until_ns))
            return NULL;
    return deepest;
}
