/*
 * tell_contest: contests become facts.
 *
 * Contained in: analyze, tests.
 */
#include "analyze/tell/tell_contest.h"

#include "analyze/tell/proof.h"
#include "analyze/validate/judge.h"

#include <string.h>

#define FRAMES_MAX (2 * RRSET_FRAMES_MAX + 8)

struct telling {
    struct tell *tell;
    const struct answer *answer;
    int64_t time_ns;
    uint64_t frame;
    bool retro;
};

static struct fact_rdata rdata[2][RRSET_RECORDS_MAX]; /* one thread; too large for the stack */

static struct fact_side side_of(const struct contest *c, size_t i)
{
    struct fact_side side = {.family = c->flow[i].family, .frame = c->frame[i]};
    const struct contest_epoch *e = c->epoch[i];
    memcpy(side.server, c->flow[i].src, sizeof side.server);
    if (e) {
        side.has_serial = true;
        side.serial = e->serial;
        side.soa_from_ns = e->first_ns;
        side.soa_to_ns = e->last_ns;
        side.soa_frames[0] = e->first_frame;
        side.soa_frames[1] = e->last_frame;
    }
    return side;
}

static size_t add_frames(uint64_t *frames, size_t count, const uint64_t *more, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t known = 0;
        while (known < count && frames[known] != more[i])
            known++;
        if (more[i] && known == count && count < FRAMES_MAX)
            frames[count++] = more[i];
    }
    return count;
}

static struct fact_exhibit view_proof(const struct proof *p)
{
    return (struct fact_exhibit){.first = (const char *const *)p->first.line,
                                 .second = (const char *const *)p->second.line,
                                 .chain = (const char *const *)p->chain.line,
                                 .first_count = p->first.count,
                                 .second_count = p->second.count,
                                 .chain_count = p->chain.count};
}

static void describe(struct telling *g, const struct contest *c, struct fact_contest *ret)
{
    struct world *w = &g->tell->answers->world;
    int64_t clock = answers_clock(g->tell->answers, g->time_ns);
    *ret = (struct fact_contest){.how = c->how,
                                 .over = c->over,
                                 .one_client = c->one_client,
                                 .other = rrset_view(c->before, rdata[0]),
                                 .first = side_of(c, 0),
                                 .second = side_of(c, 1)};
    judge_signature(w, c->before, (struct signature *)(uintptr_t)c->by[0], clock, &ret->by_first);
    judge_signature(w, c->after, (struct signature *)(uintptr_t)c->by[1], clock, &ret->by_second);
}

static void on_contest(void *context, const struct contest *c)
{
    struct telling *g = context;
    struct answers *answers = g->tell->answers;
    struct fact_contest contest;
    struct proof proof = {0};
    uint64_t frames[FRAMES_MAX];
    size_t count = 0;
    describe(g, c, &contest);
    if (!c->over) {
        proof_set(&proof.first, c->before);
        proof_set(&proof.second, c->after);
        proof_chain(&proof.chain, &answers->world, c->zone, c->key,
                    answers_clock(answers, g->time_ns));
        contest.proof = view_proof(&proof);
    }
    for (size_t i = 0; i < 2; i++) {
        const struct rrset *set = i ? c->after : c->before;
        const struct fact_side *side = i ? &contest.second : &contest.first;
        count = add_frames(frames, count, set->frames, set->frame_count);
        count = add_frames(frames, count, &side->frame, 1);
        count = add_frames(frames, count, side->soa_frames, 2);
    }
    struct fact f = tell_draft(g->tell, g->answer, FACT_CONTEST, c->zone, g->retro);
    f.contest = &contest;
    f.time_ns = g->time_ns;
    f.clock_ns = answers_clock(answers, g->time_ns);
    f.frame = g->frame;
    f.frames = frames;
    f.frame_count = count;
    f.aa = true;
    f.observed = rrset_view(c->after, rdata[1]);
    f.server_family = contest.second.family;
    f.server = contest.second.server;
    f.reason = REASON_CHAIN;
    f.verdict = VERDICT_SECURE;
    if (c->zone->baseline)
        baseline_describe(c->zone->baseline, f.observed.owner, f.observed.type, f.clock_ns,
                          &f.baseline);
    tell_give(g->tell, &f, c->after);
    proof_fini(&proof);
}

bool tell_contest_seen(struct tell *t, struct contests *c, struct answer *a,
                       const struct datagram *dg)
{
    struct telling g = {t, a, dg->time_ns, dg->frame, false};
    bool cite = contests_seen(c, a, dg);
    if (a->contested && a->zone)
        contests_settle(c, a->zone, dg->time_ns, answers_clock(t->answers, dg->time_ns), on_contest,
                        &g);
    return cite;
}

void tell_contest_judged(struct tell *t, struct contests *c, struct answer *a)
{
    struct telling g = {t, a, a->last_seen_ns, a->frame, true};
    if (!a->contested || a->zone == NULL)
        return;
    contests_rouse(c, a->zone);
    contests_settle(c, a->zone, a->last_seen_ns, answers_clock(t->answers, a->last_seen_ns),
                    on_contest, &g);
}
