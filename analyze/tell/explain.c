/*
 * explain: finds the response that was asked for, and writes down how its verdict came about.
 *
 * Contained in: analyze, tests. Must never: influence a judgement.
 */
#include "analyze/tell/explain.h"

#include "analyze/tell/event.h"
#include "analyze/tell/trail.h"
#include "analyze/types.h"
#include "analyze/validate/judge.h"
#include "analyze/validate/weigh.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OTHERS_MAX   32
#define CHAIN_FRAMES 48
#define NEAREST_TEXT 232 /* a control message's text, less what the supervisor puts before it */
#define QUESTION_MAX 1100

struct other { /* a response to the same question that is not the one explained */
    const struct answer *answer;
    uint64_t forgotten; /* world.forgotten: later the pointer means nothing */
    uint64_t frame;
    char server[FLOW_ADDRESS_TEXT];
    enum reason reason;
    uint64_t count;
};

struct explain {
    bool json, by_frame;
    uint64_t frame;
    uint8_t name[NAME_MAX_BYTES];
    uint16_t type;
    struct steps steps;
    /* what is explained so far */
    const struct answer *chosen;
    uint64_t chosen_forgotten, chosen_frame;
    unsigned rank; /* 0: nothing yet */
    size_t others, others_total;
    struct other other[OTHERS_MAX];
    /* what comes close, for the error */
    uint64_t responses, near_frame, near_distance;
    unsigned near_labels;
    uint8_t near_name[NAME_MAX_BYTES];
    uint16_t near_type;
    char nearest[NEAREST_TEXT];
};

/* --- the question --- */

static bool parse(struct explain *e, const char *question)
{
    char name[QUESTION_MAX], *end;
    size_t size = strlen(question);
    if (size > 0 && strspn(question, "0123456789") == size) {
        e->by_frame = true;
        e->frame = strtoull(question, &end, 10);
        return e->frame > 0 && size < 20;
    }
    const char *slash = strrchr(question, '/');
    if (slash == NULL || slash == question || (size_t)(slash - question) >= sizeof name)
        return false;
    memcpy(name, question, (size_t)(slash - question));
    name[slash - question] = 0;
    return name_parse(name, e->name) > 0 && types_rr_parse(slash + 1, &e->type);
}

struct explain *explain_new(const char *question, bool json, char *ret_error, size_t error_room)
{
    struct explain *e = calloc(1, sizeof *e);
    if (e == NULL || steps_init(&e->steps, json) < 0) {
        snprintf(ret_error, error_room, "no memory");
        explain_free(e);
        return NULL;
    }
    e->json = json;
    e->near_distance = UINT64_MAX;
    if (parse(e, question))
        return e;
    snprintf(ret_error, error_room,
             "explain: neither a frame number nor NAME/TYPE (as www.example.com/AAAA)");
    explain_free(e);
    return NULL;
}

void explain_free(struct explain *e)
{
    if (e == NULL)
        return;
    steps_fini(&e->steps);
    free(e);
}

/* --- writing --- */

static const char *kind_text(const struct answer *a)
{
    switch (a->kind) {
    case ANSWER_POSITIVE:
        return "positive answer";
    case ANSWER_NXDOMAIN:
        return "denial of the name";
    case ANSWER_NODATA:
        return "denial of the type";
    case ANSWER_REFERRAL:
        return "referral";
    default:
        return "nothing to judge";
    }
}

struct scene { /* one rendering */
    const struct answer *answer;
    int64_t time_ns, clock_ns;
    uint64_t frame, query_frame;
    bool repeated, revised;
    char name[NAME_TEXT_MAX], type[TYPES_TEXT], server[FLOW_ADDRESS_TEXT], time[EVENT_TIME_TEXT];
    uint64_t chain[CHAIN_FRAMES];
    size_t chain_count;
};

static void head_text(struct steps *s, const struct scene *c)
{
    char word[TYPES_TEXT], clock[TRAIL_TIME_TEXT];
    const struct answer *a = c->answer;
    steps_line(s, "%s %s: response in frame %" PRIu64 ", %s", c->name, c->type, c->frame, c->time);
    steps_line(s, "  from %s, %s%s%s%s, %s%s", c->server, types_rcode(a->rcode, word),
               a->flags & DNS_AA ? ", AA" : "", a->flags & DNS_AD ? ", AD" : "",
               a->flags & DNS_CD ? ", CD" : "", kind_text(a),
               c->revised ? "; judged again when more of the chain had passed by" : "");
    if (c->query_frame)
        steps_line(s, "  query in frame %" PRIu64 "%s", c->query_frame,
                   a->do_bit ? ", DO=1" : ", DO=0");
    if (c->repeated)
        steps_line(s, "  a repetition of the response in frame %" PRIu64, a->frame);
    if (c->clock_ns != c->time_ns)
        steps_line(s, "  judged as of %s", trail_time(c->clock_ns / 1000000000, clock));
}

/* Type of the RRset that decided, 0 none. */
static uint16_t decided_by(const struct scene *c)
{
    return c->answer->by ? c->answer->by->type : 0;
}

static void verdict_text(struct steps *s, const struct scene *c, enum reason reason)
{
    char ede[24] = "";
    uint16_t code = reason_ede(reason);
    if (code != EDE_NONE)
        snprintf(ede, sizeof ede, ", EDE %u", code);
    steps_line(s, "\nverdict: %s: %s", verdict_name(reason_verdict(reason)), reason_text(reason));
    const char *tag = reason_zonemaster(reason, decided_by(c));
    steps_line(s, "  %s%s%s%s%s%s%s%s", reason_code(reason), reason_rfc(reason)[0] ? ", " : "",
               reason_rfc(reason), ede, reason_dnsviz(reason)[0] ? ", DNSViz " : "",
               reason_dnsviz(reason), tag[0] ? ", Zonemaster " : "", tag);
    char frames[CHAIN_FRAMES * 8 + 64];
    size_t size = 0;
    frames[0] = 0;
    for (size_t i = 0; i < c->chain_count && size < sizeof frames - 24; i++)
        size += (size_t)snprintf(frames + size, sizeof frames - size, "%s%" PRIu64, i ? ", " : "",
                                 c->chain[i]);
    if (size)
        steps_line(s, "  rests on frames %s", frames);
}

static void head_json(struct steps *s, const struct scene *c, enum reason reason)
{
    struct jline *j = &s->line;
    char word[TYPES_TEXT];
    const struct answer *a = c->answer;
    jline_string(j, "rrname", c->name);
    jline_string(j, "rrtype", c->type);
    jline_number(j, "frame", c->frame);
    if (c->query_frame)
        jline_number(j, "query_frame", c->query_frame);
    if (c->repeated)
        jline_number(j, "first_frame", a->frame);
    jline_string(j, "time", c->time);
    jline_string(j, "server", c->server);
    jline_string(j, "rcode", types_rcode(a->rcode, word));
    jline_string(j, "kind", kind_text(a));
    jline_bool(j, "retro", c->revised);
    jline_string(j, "verdict", verdict_name(reason_verdict(reason)));
    jline_string(j, "reason", reason_code(reason));
    jline_string(j, "text", reason_text(reason));
    if (reason_rfc(reason)[0])
        jline_string(j, "rfc", reason_rfc(reason));
    if (reason_ede(reason) != EDE_NONE)
        jline_number(j, "ede", reason_ede(reason));
    if (reason_dnsviz(reason)[0])
        jline_string(j, "dnsviz_code", reason_dnsviz(reason));
    if (reason_zonemaster(reason, decided_by(c))[0])
        jline_string(j, "zonemaster_tag", reason_zonemaster(reason, decided_by(c)));
    jline_array(j, "chain");
    for (size_t i = 0; i < c->chain_count; i++)
        jline_number(j, NULL, c->chain[i]);
    jline_close(j, ']');
    jline_array(j, "steps");
}

static void write_steps(struct steps *s, struct answers *t, const struct answer *a,
                        int64_t clock_ns)
{
    struct trail trail = {.steps = s, .world = &t->world, .clock_ns = clock_ns};
    if (a->kind == ANSWER_OTHER)
        return;
    for (uint8_t i = 0; i < a->zones; i++)
        trail_zone(&trail, a->depends[i].zone);
    if (a->zone)
        trail_zone(&trail, a->zone);
    trail_answer(&trail, a);
    trail_missing(&trail, a);
}

/* Judges once more, at the same time and from the same state, with the steps noted; and puts back
 * what that used up. */
static void write_down(struct explain *e, struct answers *t, struct answer *a, struct scene *c)
{
    struct denial_trace trace = {.count = 0};
    struct budget budget = t->world.budget;
    struct answer before = *a;
    struct steps *s = &e->steps;
    t->world.trace = &trace;
    world_begin(&t->world, c->time_ns);
    if (a->kind != ANSWER_OTHER)
        weigh_answer(t, a, c->clock_ns);
    name_text(a->qname, c->name);
    char word[TYPES_TEXT];
    snprintf(c->type, sizeof c->type, "%s", types_rr(a->qtype, word));
    event_time(c->time_ns, c->time);
    if (a->zone)
        c->chain_count = judge_chain_frames(&t->world, a->zone, c->chain, CHAIN_FRAMES);
    steps_begin(s);
    if (e->json)
        head_json(s, c, a->reason);
    else
        head_text(s, c);
    write_steps(s, t, a, c->clock_ns);
    if (!e->json)
        verdict_text(s, c, a->reason);
    t->world.trace = NULL;
    *a = before;
    t->world.budget = budget;
}

/* --- which response --- */

static bool has(const uint64_t *frames, size_t count, uint64_t frame)
{
    for (size_t i = 0; i < count; i++)
        if (frames[i] == frame)
            return true;
    return false;
}

/* A graver verdict is rather what was asked for; among equals the latest. */
static unsigned rank_of(const struct answer *a)
{
    if (a->kind == ANSWER_OTHER)
        return 1;
    if (a->kind == ANSWER_REFERRAL)
        return reason_verdict(a->reason) == VERDICT_BOGUS ? 5 : 2;
    switch (reason_verdict(a->reason)) {
    case VERDICT_BOGUS:
        return 6;
    case VERDICT_SECURE:
    case VERDICT_INSECURE:
        return 5;
    case VERDICT_INDETERMINATE:
        return 4;
    default:
        return 3;
    }
}

static bool is_chosen(const struct explain *e, const struct answers *t, const struct answer *a)
{
    return e->chosen == a && e->chosen_forgotten == t->world.forgotten;
}

/* True if it was noted before. */
static bool note_other(struct explain *e, const struct answers *t, const struct answer *a,
                       const struct datagram *dg)
{
    for (size_t i = 0; i < e->others; i++) {
        struct other *o = &e->other[i];
        if (o->answer == a && o->forgotten == t->world.forgotten && o->reason == a->reason) {
            o->count++;
            return true;
        }
    }
    e->others_total++;
    if (e->others == OTHERS_MAX)
        return false;
    struct other *o = &e->other[e->others++];
    *o = (struct other){.answer = a,
                        .forgotten = t->world.forgotten,
                        .frame = dg->frame,
                        .reason = a->reason,
                        .count = 1};
    flow_address(dg->flow.family, dg->flow.src, o->server);
    return false;
}

static void note_near(struct explain *e, const struct answer *a, const struct datagram *dg,
                      const struct query *query)
{
    e->responses++;
    if (e->by_frame) {
        uint64_t frames[2] = {dg->frame, query ? query->frame : dg->frame};
        for (size_t i = 0; i < 2; i++) {
            uint64_t apart = frames[i] > e->frame ? frames[i] - e->frame : e->frame - frames[i];
            if (apart >= e->near_distance)
                continue;
            e->near_distance = apart;
            e->near_frame = frames[i];
            memcpy(e->near_name, a->qname, a->qname_size);
            e->near_type = a->qtype;
        }
        return;
    }
    unsigned common = 2 * name_common(e->name, a->qname) + name_equal(e->name, a->qname) + 1;
    if (common <= e->near_labels)
        return;
    e->near_labels = common;
    e->near_frame = dg->frame;
    memcpy(e->near_name, a->qname, a->qname_size);
    e->near_type = a->qtype;
}

void explain_seen(struct explain *e, struct answers *t, const struct datagram *dg, struct answer *a,
                  const struct query *query)
{
    bool fits = e->by_frame ? has(dg->frames, dg->frame_count, e->frame) ||
                                  (query && query->frame == e->frame)
                            : a->qtype == e->type && name_equal(a->qname, e->name);
    if (e->rank == 0 && !fits)
        note_near(e, a, dg, query);
    if (!fits)
        return;
    bool known = note_other(e, t, a, dg);
    unsigned rank = rank_of(a);
    if (e->rank && (known || e->by_frame || rank < e->rank))
        return;
    struct scene c = {.answer = a,
                      .time_ns = dg->time_ns,
                      .clock_ns = answers_clock(t, dg->time_ns),
                      .frame = dg->frame,
                      .query_frame = query ? query->frame : 0,
                      .repeated = dg->frame != a->frame};
    flow_address(dg->flow.family, dg->flow.src, c.server);
    e->chosen = a;
    e->chosen_forgotten = t->world.forgotten;
    e->chosen_frame = dg->frame;
    e->rank = rank;
    write_down(e, t, a, &c);
}

void explain_revised(struct explain *e, struct answers *t, struct answer *a)
{
    for (size_t i = 0; i < e->others; i++)
        if (e->other[i].answer == a && e->other[i].forgotten == t->world.forgotten)
            e->other[i].reason = a->reason;
    bool outranks = !e->by_frame && a->qtype == e->type && e->rank && rank_of(a) >= e->rank &&
                    name_equal(a->qname, e->name);
    if (!is_chosen(e, t, a) && !outranks)
        return;
    struct scene c = {.answer = a,
                      .time_ns = a->time_ns,
                      .clock_ns = answers_clock(t, a->time_ns),
                      .frame = a->frame,
                      .query_frame = a->query_frame,
                      .revised = true};
    flow_address(a->flow.family, a->flow.src, c.server);
    e->chosen = a;
    e->chosen_forgotten = t->world.forgotten;
    e->chosen_frame = a->frame;
    e->rank = rank_of(a);
    write_down(e, t, a, &c);
}

/* --- the end --- */

static void put_others(struct explain *e)
{
    struct steps *s = &e->steps;
    bool any = false;
    if (e->json)
        jline_array(&s->line, "others");
    for (size_t i = 0; i < e->others; i++) {
        const struct other *o = &e->other[i];
        if (o->frame == e->chosen_frame)
            continue;
        if (e->json) {
            jline_object(&s->line, NULL);
            jline_number(&s->line, "frame", o->frame);
            jline_string(&s->line, "server", o->server);
            jline_string(&s->line, "verdict", verdict_name(reason_verdict(o->reason)));
            jline_string(&s->line, "reason", reason_code(o->reason));
            jline_number(&s->line, "count", o->count);
            jline_close(&s->line, '}');
            continue;
        }
        if (!any)
            steps_line(s, "\nother responses to this question (ask for the frame)");
        any = true;
        steps_line(s, "  frame %" PRIu64 " from %s: %s (%s), seen %" PRIu64 " time%s", o->frame,
                   o->server, verdict_name(reason_verdict(o->reason)), reason_code(o->reason),
                   o->count, o->count == 1 ? "" : "s");
    }
    if (e->json)
        jline_close(&s->line, ']');
    else if (e->others_total > e->others)
        steps_line(s, "  and %zu more", e->others_total - e->others);
}

const char *explain_report(struct explain *e, size_t *ret_size)
{
    struct steps *s = &e->steps;
    if (e->rank == 0)
        return NULL;
    if (e->json) {
        jline_close(&s->line, ']');
        jline_bool(&s->line, "cut", s->cut);
    } else if (s->cut) {
        steps_line(s, "(too long: steps were left out)");
    }
    put_others(e);
    return steps_end(s, ret_size);
}

const char *explain_nearest(struct explain *e)
{
    char name[NAME_TEXT_MAX], type[TYPES_TEXT], asked[128];
    if (e->by_frame)
        snprintf(asked, sizeof asked, "frame %" PRIu64 " carries no DNS response or its query",
                 e->frame);
    else
        snprintf(asked, sizeof asked, "no response to %.72s/%s was seen", name_text(e->name, name),
                 types_rr(e->type, type));
    if (e->responses == 0)
        snprintf(e->nearest, sizeof e->nearest, "%s; there is none at all", asked);
    else
        snprintf(e->nearest, sizeof e->nearest, "%s; nearest: %.56s/%s in frame %" PRIu64, asked,
                 name_text(e->near_name, name), types_rr(e->near_type, type), e->near_frame);
    return e->nearest;
}
