/*
 * denials: the memory of a zone's denials.
 *
 * Contained in: analyze, tests.
 */
#include "analyze/follow/denials.h"

#include "analyze/canon.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)
/* Parameters that nobody served for so long while others were have been replaced (servers are out
 * of step for less, or it is a finding of its own). */
#define REPLACED_NS (3600 * SECOND_NS)
#define NSEC3_FIXED 5 /* hash algorithm, flags, iterations, size of the salt (RFC 5155 3.2) */

struct denials {
    size_t parameters;
    struct fact_nsec3_parameters parameter[FACT_NSEC3_MAX]; /* by first appearance */
};

size_t denials_free(struct denials *d)
{
    if (d == NULL)
        return 0;
    free(d);
    return sizeof *d;
}

static struct denials *denials_of(struct world *w, struct zone *zone)
{
    if (zone->denials == NULL) {
        zone->denials = calloc(1, sizeof *zone->denials);
        w->zone_bytes += zone->denials ? sizeof *zone->denials : 0;
    }
    return zone->denials;
}

/* --- NSEC3 parameters --- */

static bool read_parameters(const struct rrset *set, struct fact_nsec3_parameters *ret)
{
    uint16_t size;
    const uint8_t *r = set->type == TYPE_NSEC3 ? rrset_record(set, NULL, &size) : NULL;
    if (r == NULL || size < NSEC3_FIXED || size < NSEC3_FIXED + r[4])
        return false;
    *ret = (struct fact_nsec3_parameters){.algorithm = r[0],
                                          .opt_out = r[1] & 1,
                                          .iterations = (uint16_t)(r[2] << 8 | r[3]),
                                          .salt_size = r[4]};
    memcpy(ret->salt, r + NSEC3_FIXED, r[4]);
    return true;
}

/* Opt-out is a flag of each record, not of the chain (RFC 5155 3.1.2.1). */
static bool same_chain(const struct fact_nsec3_parameters *a, const struct fact_nsec3_parameters *b)
{
    return a->algorithm == b->algorithm && a->iterations == b->iterations &&
           a->salt_size == b->salt_size && memcmp(a->salt, b->salt, a->salt_size) == 0;
}

static struct fact_nsec3_parameters *find_chain(struct denials *d,
                                                const struct fact_nsec3_parameters *p)
{
    for (size_t i = 0; i < d->parameters; i++)
        if (same_chain(&d->parameter[i], p))
            return &d->parameter[i];
    return NULL;
}

/* The newest is in use, and no other is any more: they are history. */
static bool replaced(struct denials *d, const struct fact_nsec3_parameters *now)
{
    if (d->parameters < 2 || now != &d->parameter[d->parameters - 1] ||
        now->last_ns - now->first_ns < REPLACED_NS)
        return false;
    for (size_t i = 0; i + 1 < d->parameters; i++)
        if (now->last_ns - d->parameter[i].last_ns < REPLACED_NS)
            return false;
    d->parameter[0] = *now;
    d->parameters = 1;
    return true;
}

bool denials_parameters(struct world *w, struct zone *zone, const struct rrset *set,
                        const struct answer *a, struct fact_nsec3 *ret_nsec3)
{
    struct fact_nsec3_parameters p;
    struct denials *d = read_parameters(set, &p) ? denials_of(w, zone) : NULL;
    if (d == NULL)
        return false;
    struct fact_nsec3_parameters *known = find_chain(d, &p);
    bool news = known == NULL || (p.opt_out && !known->opt_out);
    if (known == NULL) {
        if (d->parameters == FACT_NSEC3_MAX)
            memmove(&d->parameter[0], &d->parameter[1], --d->parameters * sizeof d->parameter[0]);
        p.first_ns = p.last_ns = a->time_ns;
        if (a->flags & DNS_AA) {
            p.server_family = a->flow.family;
            memcpy(p.server, a->flow.src, sizeof p.server);
        }
        known = &d->parameter[d->parameters++];
        *known = p;
    }
    known->opt_out |= p.opt_out;
    if (a->time_ns > known->last_ns)
        known->last_ns = a->time_ns;
    news |= replaced(d, known);
    *ret_nsec3 = (struct fact_nsec3){d->parameters, d->parameter};
    return news;
}
