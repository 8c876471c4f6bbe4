/*
 * race: who answered first, and who answered truly; see race.h.
 *
 * Contained in: analyze, tests. Must never: keep an answer beyond race_forget.
 */
#include "analyze/follow/race.h"

#include "analyze/canon.h"

#include <stdlib.h>
#include <string.h>

/* Races whose verdicts may still change. */
#define OPENS_MAX 64
/* The loser of a race is there soon after the winner: beyond, it answers something else. */
#define RACE_NS        (5 * INT64_C(1000000000))
#define RCODE_OK       0
#define RCODE_NXDOMAIN 3

struct side {
    struct answer *answer;
    uint64_t frame;
    int64_t time_ns;
};

struct race_open {
    struct side side[2]; /* in order of arrival */
    struct flow flow;    /* from the server */
    uint64_t query_frame;
};

/* Room for what both say; this process has one thread. */
static struct fact_rdata room[2][RRSET_RECORDS_MAX];

int race_init(struct race *r, uint32_t capacity, const struct teller *teller,
              struct answers *answers)
{
    *r = (struct race){.mask = capacity - 1, .teller = *teller, .answers = answers};
    r->note = calloc(capacity, sizeof(*r->note));
    r->open = calloc(OPENS_MAX, sizeof(*r->open));
    return r->note && r->open ? 0 : -1;
}

void race_fini(struct race *r)
{
    free(r->note);
    free(r->open);
}

void race_forget(struct race *r)
{
    memset(r->note, 0, (r->mask + (size_t)1) * sizeof(*r->note));
    r->opens = 0;
}

/* --- what they say --- */

/* Do both have a record in common, and is one a part of the other? Both are sorted. */
static void compare_records(const struct rrset *a, const struct rrset *b, bool *ret_overlap,
                            bool *ret_part)
{
    size_t common = 0;
    uint16_t a_size, b_size;
    for (const uint8_t *x = NULL; (x = rrset_record(a, x, &a_size)) != NULL;)
        for (const uint8_t *y = NULL; (y = rrset_record(b, y, &b_size)) != NULL;)
            common += a_size == b_size && memcmp(x, y, a_size) == 0;
    *ret_overlap = common > 0;
    *ret_part = common == a->count || common == b->count;
}

/* The RRset of b with the owner and type of this one, or NULL. */
static const struct rrset *same_kind(const struct answer *b, const struct answer_set *one)
{
    for (size_t i = 0; i < b->sets; i++) {
        const struct answer_set *other = answer_nth(b, i);
        if (other->section == one->section && other->set->type == one->set->type &&
            name_equal(other->set->owner, one->set->owner))
            return other->set;
    }
    return NULL;
}

static const struct rrset *first_of(const struct answer *a, uint8_t section)
{
    for (size_t i = 0; i < a->sets; i++)
        if (answer_nth(a, i)->section == section)
            return answer_nth(a, i)->set;
    return NULL;
}

struct difference { /* where two answers part */
    const struct rrset *set[2];
};

/* Two lists of records for the question, or two referrals. The one may say more than the other. */
static bool sets_differ(const struct answer *a, const struct answer *b, uint8_t section,
                        bool overlap_differs, struct difference *ret)
{
    size_t shared = 0;
    for (size_t i = 0; i < a->sets; i++) {
        const struct answer_set *one = answer_nth(a, i);
        const struct rrset *other = one->section == section ? same_kind(b, one) : NULL;
        bool overlap, part;
        if (!other || (section == SECTION_AUTHORITY && one->set->type != TYPE_NS))
            continue;
        shared++;
        if (other == one->set)
            continue;
        compare_records(one->set, other, &overlap, &part);
        if (part || (overlap && !overlap_differs))
            continue;
        *ret = (struct difference){{one->set, other}};
        return true;
    }
    if (shared)
        return false;
    *ret = (struct difference){{first_of(a, section), first_of(b, section)}};
    return true;
}

static bool comparable(const struct answer *a)
{
    return !(a->flags & DNS_TC) && (a->rcode == RCODE_OK || a->rcode == RCODE_NXDOMAIN) &&
           a->kind != ANSWER_OTHER;
}

static bool differ(const struct answer *a, const struct answer *b, bool overlap_differs,
                   struct difference *ret)
{
    *ret = (struct difference){{NULL, NULL}};
    if (a == b)
        return false;
    if (a->kind == ANSWER_POSITIVE && b->kind == ANSWER_POSITIVE)
        return sets_differ(a, b, SECTION_ANSWER, overlap_differs, ret);
    if (a->kind == ANSWER_REFERRAL && b->kind == ANSWER_REFERRAL)
        return sets_differ(a, b, SECTION_AUTHORITY, overlap_differs, ret);
    if (a->kind == b->kind)
        return false; /* both deny: with other words */
    ret->set[0] = first_of(a, a->kind == ANSWER_REFERRAL ? SECTION_AUTHORITY : SECTION_ANSWER);
    ret->set[1] = first_of(b, b->kind == ANSWER_REFERRAL ? SECTION_AUTHORITY : SECTION_ANSWER);
    return true;
}

/* --- telling --- */

static void show(const struct side *side, const struct rrset *set, struct fact_rdata *records,
                 struct fact_contender *ret)
{
    const struct answer *a = side->answer;
    *ret = (struct fact_contender){.rcode = a->rcode,
                                   .verdict = reason_verdict(answer_held(a)),
                                   .reason = answer_held(a),
                                   .frame = side->frame,
                                   .time_ns = side->time_ns};
    if (set)
        ret->set = rrset_view(set, records);
}

static void tell(struct race *r, const struct race_open *open)
{
    const struct answer *a = open->side[0].answer, *b = open->side[1].answer;
    bool a_holds = reason_verdict(answer_held(a)) == VERDICT_SECURE,
         b_holds = reason_verdict(answer_held(b)) == VERDICT_SECURE;
    struct difference difference;
    struct fact_contender contender[2];
    bool is_race = !(a_holds && b_holds) && differ(a, b, a_holds != b_holds, &difference);
    uint64_t frames[3] = {open->query_frame, open->side[0].frame, open->side[1].frame};
    struct fact_transport what = {.kind = TRANSPORT_RACE,
                                  .over = !is_race,
                                  .family = open->flow.family,
                                  .client = open->flow.dst,
                                  .server = open->flow.src,
                                  .contender = contender};
    struct fact fact = {.kind = FACT_TRANSPORT,
                        .time_ns = open->side[1].time_ns,
                        .clock_ns = answers_clock(r->answers, open->side[1].time_ns),
                        .frame = open->side[1].frame,
                        .frames = frames,
                        .frame_count = 3,
                        .observed = {.owner = a->qname, .type = a->qtype},
                        .server_family = open->flow.family,
                        .server = open->flow.src,
                        .transport = &what};
    if (is_race) {
        show(&open->side[0], difference.set[0], room[0], &contender[0]);
        show(&open->side[1], difference.set[1], room[1], &contender[1]);
        r->teller.hold(r->teller.context, frames, 3);
    }
    r->teller.fact(r->teller.context, &fact);
}

void race_second(struct race *r, const struct query *query, struct answer *a,
                 const struct datagram *dg)
{
    const struct race_note *first = &r->note[query->turn & r->mask];
    struct difference difference;
    if (dg->flow.proto != IPPROTO_UDP || query->replies < query->asked ||
        first->turn != query->turn || !first->answer || !comparable(first->answer) ||
        !comparable(a) || flow_elapsed(first->time_ns, dg->time_ns) > RACE_NS ||
        !differ(first->answer, a, true, &difference))
        return;
    if (r->opens == OPENS_MAX)
        memmove(r->open, r->open + 1, --r->opens * sizeof(*r->open));
    struct race_open *open = &r->open[r->opens++];
    *open = (struct race_open){
        .side = {{first->answer, first->frame, first->time_ns}, {a, dg->frame, dg->time_ns}},
        .flow = dg->flow,
        .query_frame = query->frame};
    tell(r, open);
}

void race_revised(struct race *r, const struct answer *a)
{
    for (size_t i = 0; i < r->opens; i++)
        if (r->open[i].side[0].answer == a || r->open[i].side[1].answer == a)
            tell(r, &r->open[i]);
}
