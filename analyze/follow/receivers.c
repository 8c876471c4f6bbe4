/*
 * receivers: a small table from findings to addresses.
 *
 * Contained in: analyze, tests. Findings live as long as the rules, so their addresses are keys.
 */
#include "analyze/follow/receivers.h"

#include <stdlib.h>
#include <string.h>

/* Half of the slots are used at most: findings beyond have no list. */
#define SLOTS         ((size_t)1 << 13)
#define FINDINGS_MOST (SLOTS / 2)
/* Each of the first responses is looked at closely, then ever rarer. */
#define LOOK_ALWAYS 16

struct receivers {
    size_t count;
    struct receivers_of *slot[SLOTS];
};

struct receivers *receivers_new(void)
{
    return calloc(1, sizeof(struct receivers));
}

void receivers_free(struct receivers *r)
{
    for (size_t i = 0; r && i < SLOTS; i++) {
        for (size_t k = 0; r->slot[i] && k < r->slot[i]->signers; k++)
            free(r->slot[i]->signer[k]);
        free(r->slot[i]);
    }
    free(r);
}

/* Its slot, or the free one where it would be. */
static size_t slot_of(const struct receivers *r, const struct finding *f)
{
    size_t at = (size_t)(((uintptr_t)f >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 51);
    while (r->slot[at] && r->slot[at]->finding != f)
        at = (at + 1) % SLOTS;
    return at;
}

const struct receivers_of *receivers_find(const struct receivers *r, const struct finding *f)
{
    return r->slot[slot_of(r, f)];
}

static struct receivers_of *list_of(struct receivers *r, const struct finding *f)
{
    size_t at = slot_of(r, f);
    if (r->slot[at] == NULL && r->count < FINDINGS_MOST) {
        r->slot[at] = calloc(1, sizeof *r->slot[at]);
        if (r->slot[at]) {
            r->slot[at]->finding = f;
            r->count++;
        }
    }
    return r->slot[at];
}

static struct receiver *find(struct receivers_of *list, const struct flow *flow, bool is_authority)
{
    for (size_t i = 0; i < list->receivers; i++) {
        struct receiver *c = &list->receiver[i];
        if (c->family == flow->family && c->from_authority == is_authority &&
            memcmp(c->address, flow->dst, sizeof flow->dst) == 0)
            return c;
    }
    return NULL;
}

bool receivers_note(struct receivers *r, const struct finding *f, const struct flow *flow,
                    bool is_authority, int64_t time_ns, uint64_t frame)
{
    struct receivers_of *list = list_of(r, f);
    if (list == NULL)
        return false;
    struct receiver *c = find(list, flow, is_authority);
    if (c && (c->last_frame == frame || c->first_frame == frame))
        return true; /* judged anew */
    list->count++;
    bool look = list->count <= LOOK_ALWAYS || (list->count & (list->count - 1)) == 0;
    if (c == NULL && list->receivers == RECEIVERS_MAX) {
        list->others++;
        return look;
    }
    if (c == NULL) {
        c = &list->receiver[list->receivers++];
        *c = (struct receiver){.family = flow->family,
                               .from_authority = is_authority,
                               .first_ns = time_ns,
                               .last_ns = time_ns,
                               .first_frame = frame,
                               .last_frame = frame};
        memcpy(c->address, flow->dst, sizeof c->address);
    }
    c->count++;
    if (time_ns < c->first_ns) {
        c->first_ns = time_ns;
        c->first_frame = frame;
    }
    if (time_ns >= c->last_ns) {
        c->last_ns = time_ns;
        c->last_frame = frame;
    }
    return look;
}

void receivers_referred(struct receivers *r, const struct finding *f)
{
    struct receivers_of *list = list_of(r, f);
    if (list)
        list->referral = true;
}

void receivers_signed(struct receivers *r, const struct finding *f, const uint8_t *rdata,
                      uint16_t size)
{
    struct receivers_of *list = list_of(r, f);
    for (size_t i = 0; list && i < list->signers; i++)
        if (list->signer[i]->size == size && memcmp(list->signer[i]->rdata, rdata, size) == 0)
            return;
    if (list == NULL || list->signers == RECEIVERS_SIGNERS)
        return;
    struct receivers_signer *s = malloc(sizeof *s + size);
    if (s == NULL)
        return;
    s->size = size;
    memcpy(s->rdata, rdata, size);
    list->signer[list->signers++] = s;
}
