/*
 * bearers: responses that support findings.
 *
 * Contained in: analyze, tests. Must never: name a key as signer whose signature was not verified.
 */
#include "analyze/tell/bearers.h"

#include "analyze/canon.h"
#include "analyze/follow/glue.h"
#include "analyze/follow/servers.h"
#include "analyze/tell/tell_servers.h"

struct bearing { /* one response */
    struct receivers *receivers;
    const struct answer *answer;
    const struct flow *flow;
    bool is_authority;
    int64_t time_ns;
    uint64_t frame;
};

/* True: who signed it is worth a look. */
static bool note(const struct bearing *b, const struct finding *f)
{
    bool look = receivers_note(b->receivers, f, b->flow, b->is_authority, b->time_ns, b->frame);
    if (look && b->is_authority && b->answer->kind == ANSWER_REFERRAL)
        receivers_referred(b->receivers, f);
    return look;
}

static void note_signers(const struct bearing *b, const struct finding *f, const struct rrset *set)
{
    for (uint8_t i = 0; i < set->signatures; i++) {
        const struct signature *s = &set->signature[i];
        for (uint8_t k = 0; k < s->checks; k++)
            if (s->check[k].result == KEY_VERIFIES)
                receivers_signed(b->receivers, f, s->check[k].key->rdata,
                                 s->check[k].key->rdata_size);
    }
}

/* Glue is not part of the answer, and recognised by the hash of the referral. */
static void note_glue(const struct bearing *b)
{
    const struct answer *a = b->answer;
    const struct zone *zone = a->serves & SERVES_REFERRAL ? a->serves_for : NULL;
    const struct glues *g = zone && zone->servers ? zone->servers->glues : NULL;
    for (size_t i = 0; g && a->glue && i < g->count; i++)
        for (size_t k = 0; k < g->glue[i].parent.forms; k++) {
            const struct glue_form *form = &g->glue[i].parent.form[k];
            bool has = false;
            for (size_t n = 0; n < GLUE_REFERRALS; n++)
                has |= form->referral[n] == a->glue;
            for (uint8_t n = 0; has && n < form->set->finding_count; n++)
                (void)note(b, form->set->findings[n]);
        }
}

void bearers_note(struct receivers *r, const struct answer *a, const struct flow *flow,
                  int64_t time_ns, uint64_t frame)
{
    bool is_authority = (a->flags & (DNS_AA | DNS_RA)) != DNS_RA;
    const struct bearing b = {r, a, flow, is_authority, time_ns, frame};
    bool negative = a->kind == ANSWER_NXDOMAIN || a->kind == ANSWER_NODATA;
    bool whole = a->finding && note(&b, a->finding);
    for (size_t i = 0; i < a->sets; i++) {
        const struct rrset *set = answer_nth(a, i)->set;
        for (uint8_t k = 0; k < set->finding_count; k++) {
            if (note(&b, set->findings[k]))
                note_signers(&b, set->findings[k], set);
        }
        /* What is denied is denied by who signed the proof. */
        if (whole && negative && (set->type == TYPE_NSEC || set->type == TYPE_NSEC3))
            note_signers(&b, a->finding, set);
    }
    note_glue(&b);
}
