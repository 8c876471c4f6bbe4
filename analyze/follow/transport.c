/*
 * transport: hands what is odd to the part that counts it; see transport.h.
 *
 * Contained in: analyze, tests. Must never: allocate after birth, or search what grows with
 * traffic.
 */
#include "analyze/follow/transport.h"

#include "analyze/follow/blocked.h"
#include "analyze/follow/covert.h"
#include "analyze/follow/fallback.h"
#include "analyze/follow/strays.h"

#include <stdlib.h>

struct transport {
    struct teller teller;
    struct strays *strays;
    struct blocked *blocked;
    struct fallback *fallback;
    struct covert *covert;
};

/* --- birth, time, death --- */

struct transport *transport_new(const struct teller *teller, struct pair *pair)
{
    struct transport *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->teller = *teller;
    t->strays = strays_new(&t->teller, pair);
    t->blocked = blocked_new(&t->teller);
    t->fallback = fallback_new(&t->teller);
    t->covert = covert_new(&t->teller);
    if (!t->strays || !t->blocked || !t->fallback || !t->covert) {
        transport_free(t);
        return NULL;
    }
    return t;
}

void transport_free(struct transport *t)
{
    if (!t)
        return;
    strays_free(t->strays);
    blocked_free(t->blocked);
    fallback_free(t->fallback);
    covert_free(t->covert);
    free(t);
}

void transport_review(struct transport *t, int64_t now_ns)
{
    blocked_sweep(t->blocked, now_ns);
    strays_sweep(t->strays);
}

uint64_t transport_explained(const struct transport *t)
{
    return strays_explained(t->strays);
}

/* --- to the parts --- */

void transport_signal(struct transport *t, const struct flow *flow, uint8_t flags, int64_t time_ns,
                      uint64_t frame)
{
    blocked_signal(t->blocked, flow, flags, time_ns, frame);
}

void transport_asked(struct transport *t, const struct datagram *dg)
{
    blocked_asked(t->blocked, &dg->flow, dg->time_ns);
}

void transport_odd(struct transport *t, enum pair_result result, const struct datagram *dg,
                   const struct dns_message *m, const struct query *query)
{
    if (result == PAIR_NONE) {
        strays_add(t->strays, dg, m);
        return;
    }
    if (dg->flow.proto == IPPROTO_TCP) {
        blocked_answered(t->blocked, &dg->flow, dg->time_ns);
        return;
    }
    if (m->flags & DNS_TC)
        blocked_truncated(t->blocked, dg, m, query);
    if (!query->edns)
        fallback_answered(t->fallback, dg, m, query);
}

void transport_long(struct transport *t, const struct datagram *dg, const struct dns_message *m)
{
    covert_add(t->covert, dg, m);
}
