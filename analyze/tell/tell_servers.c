/*
 * tell_servers: observations of servers become facts.
 *
 * Contained in: analyze, tests. Must never: cost more than a few comparisons for a response that
 * says what was known, nor tell the same more than once a second of packet time.
 */
#include "analyze/tell/tell_servers.h"

#include "analyze/canon.h"
#include "analyze/follow/glue.h"
#include "analyze/follow/servers.h"
#include "analyze/tell/tell_cut.h"
#include "analyze/tell/tell_glue.h"
#include "analyze/validate/judge.h"

#include <string.h>

#define HOUR_NS      3600000000000ll
#define CHAIN_FRAMES 16
#define REFUSED      5 /* RCODE; NOTAUTH says the same of the zone (RFC 5936 2.2.1) */
#define NOTAUTH      9

struct shown { /* views of RRsets; this process has one thread */
    struct servers_view servers;
    uint64_t chain[1 + CHAIN_FRAMES]; /* the query, and by what the zone is known */
};

static struct shown shown;

/* --- what a response is of interest for --- */

static bool tracked(const struct zone *zone)
{
    return zone && (zone->seen || zone->baseline);
}

static bool of_servers(const struct answer_set *s)
{
    switch (s->set->type) {
    case TYPE_SOA:
    case TYPE_NS:
        return true;
    case TYPE_DNSKEY:
    case TYPE_CDS:
    case TYPE_CDNSKEY:
        return s->section == SECTION_ANSWER;
    default:
        return false;
    }
}

static void look_at_sets(const struct world *w, struct answer *a)
{
    for (size_t i = 0; i < a->sets; i++) {
        const struct answer_set *s = answer_nth(a, i);
        struct zone *zone = of_servers(s) ? world_find(w, s->set->owner) : NULL;
        if (!tracked(zone))
            continue;
        if (a->serves_for != zone)
            a->serves &= (uint8_t)~SERVES_DECLARED; /* below an undeclared cut */
        a->serves_for = zone;
        a->serves |= SERVES_SETS;
        if (a->kind == ANSWER_NODATA && s->set->type == TYPE_SOA &&
            name_equal(s->set->owner, a->qname))
            a->serves |= SERVES_NODATA;
        return;
    }
}

static void look_at_glue(const struct world *w, struct answer *a)
{
    bool address = a->qtype == TYPE_A || a->qtype == TYPE_AAAA;
    if (!address || a->kind != ANSWER_POSITIVE || answer_nth(a, 0)->set->type != a->qtype)
        return;
    struct zone *zone = glue_zone(w, a->qname, a->qtype);
    if (zone == NULL || (a->serves_for && a->serves_for != zone))
        return;
    a->serves_for = zone;
    a->serves |= SERVES_GLUE;
}

static void look_at_declared(const struct world *w, struct answer *a, int64_t clock_ns)
{
    const struct baseline_zone *declared =
        w->baseline ? baseline_over(w->baseline, a->qname, a->qtype) : NULL;
    struct fact_baseline b;
    if (declared == NULL || answer_of_resolver(a))
        return;
    baseline_describe(declared, a->qname, a->qtype, clock_ns, &b);
    if (b.below_cut)
        return;
    a->serves_for = world_find(w, baseline_apex(declared));
    if (a->serves_for)
        a->serves |= SERVES_DECLARED;
}

static void look(struct tell *t, struct answer *a)
{
    const struct world *w = &t->answers->world;
    a->serves = SERVES_LOOKED;
    if (a->qtype == TYPE_AXFR || a->qtype == TYPE_IXFR) {
        struct zone *zone = world_find(w, a->qname);
        a->serves_for = zone && zone->baseline ? zone : NULL;
        a->serves |= a->serves_for ? SERVES_TRANSFER : 0;
    } else if (a->kind == ANSWER_REFERRAL && !(a->flags & DNS_RA)) {
        const struct rrset *ns = answer_find(a, SECTION_AUTHORITY, TYPE_NS);
        struct zone *zone = ns ? world_find(w, ns->owner) : NULL;
        a->serves_for = tracked(zone) ? zone : NULL;
        a->serves |= a->serves_for ? SERVES_REFERRAL : 0;
    } else if (a->kind != ANSWER_OTHER && a->flags & DNS_AA) {
        look_at_declared(w, a, answers_clock(t->answers, a->time_ns));
        look_at_sets(w, a);
        look_at_glue(w, a);
    }
}

/* --- facts --- */

struct fact tell_servers_about(struct tell *t, const struct zone *zone, enum fact_kind kind,
                               const struct answer *a, const struct datagram *dg)
{
    static const uint8_t nobody[16];
    int64_t time_ns = dg->time_ns;
    struct fact f = {.kind = kind,
                     .time_ns = time_ns,
                     .clock_ns = answers_clock(t->answers, time_ns),
                     .frame = dg->frame,
                     .frames = dg->frames,
                     .frame_count = dg->frame_count,
                     .zone = zone->name,
                     .observed = {.owner = zone->name},
                     .verdict = VERDICT_INDETERMINATE,
                     .reason = REASON_NONE,
                     .aa = true,
                     .server_family = dg->flow.family,
                     .server = dg->flow.family ? dg->flow.src : nobody,
                     .lossy = t->lossy};
    f.chain = shown.chain;
    if (a) {
        f.do_bit = a->do_bit;
        f.verdict = reason_verdict(answer_held(a));
        if (a->query_frame)
            shown.chain[f.chain_count++] = a->query_frame;
    }
    f.chain_count +=
        judge_chain_frames(&t->answers->world, zone, shown.chain + f.chain_count, CHAIN_FRAMES);
    return f;
}

void tell_servers_give(struct tell *t, const struct zone *zone, uint16_t type, struct fact *f)
{
    struct finding *findings[4];
    if (f->observed.type == 0)
        f->observed.type = type;
    if (zone->baseline)
        baseline_describe(zone->baseline, f->observed.owner, type, f->clock_ns, &f->baseline);
    rules_judge(t->rules, f, findings, sizeof findings / sizeof *findings);
}

bool tell_servers_due(struct servers_told *told, int64_t time_ns, bool differ)
{
    if (told->differ == differ && told->ns != INT64_MIN &&
        (!differ || flow_elapsed(told->ns, time_ns) < SERVERS_AGAIN_NS))
        return false;
    told->ns = time_ns;
    told->differ = differ;
    return true;
}

static uint16_t type_of(enum servers_what what)
{
    static const uint16_t types[SERVERS_WHATS] = {[SERVERS_SERIAL] = TYPE_SOA,
                                                  [SERVERS_KEYS] = TYPE_DNSKEY,
                                                  [SERVERS_SIGNERS] = TYPE_RRSIG,
                                                  [SERVERS_CDS] = TYPE_CDS,
                                                  [SERVERS_CDNSKEY] = TYPE_CDNSKEY};
    return types[what];
}

static void tell_compared(struct tell *t, struct zone *zone, enum servers_what what,
                          const struct answer *a, const struct datagram *dg)
{
    struct fact_servers compared;
    struct servers_told *told = &zone->servers->told[what];
    servers_compare(zone->servers, what, a == NULL, &shown.servers, &compared);
    if (compared.in_turns && !told->in_turns)
        told->ns = INT64_MIN; /* that makes it grave */
    told->in_turns = compared.in_turns;
    if (a == NULL ? !compared.differ : !tell_servers_due(told, dg->time_ns, !compared.equal))
        return;
    struct fact f = tell_servers_about(t, zone, FACT_SERVERS, a, dg);
    uint16_t type = type_of(what);
    if (dg->frame)
        shown.servers.frame[shown.servers.frames++] = dg->frame;
    f.frames = shown.servers.frame;
    f.frame_count = shown.servers.frames;
    f.servers = &compared;
    f.observed.type = type;
    /* The plan for keys is that of the DNSKEY RRset. */
    tell_servers_give(t, zone, type == TYPE_RRSIG ? TYPE_DNSKEY : type, &f);
}

static void tell_back(struct tell *t, struct zone *zone, const struct server *server,
                      const struct answer *a, const struct datagram *dg)
{
    struct fact_servers back;
    servers_back(zone->servers, server, &shown.servers, &back);
    struct fact f = tell_servers_about(t, zone, FACT_BACK, a, dg);
    shown.servers.frame[shown.servers.frames++] = dg->frame;
    f.frames = shown.servers.frame;
    f.frame_count = shown.servers.frames;
    f.servers = &back;
    tell_servers_give(t, zone, TYPE_SOA, &f);
}

/* --- the SOA and other RRsets of a server --- */

#define BACK_ALWAYS 8 /* answers of a server that went back, each told of; then one a second */

static bool note_soa(struct tell *t, struct zone *zone, struct server *server, struct rrset *soa,
                     const struct answer *a, const struct datagram *dg)
{
    bool was_back = server->back;
    int64_t before_ns = server->soa_last_ns;
    if (servers_note_soa(zone->servers, server, soa, dg->time_ns, dg->frame)) {
        bool often = server->back && server->back_count > BACK_ALWAYS &&
                     before_ns / SERVERS_AGAIN_NS == dg->time_ns / SERVERS_AGAIN_NS;
        if ((was_back || server->back) && !often)
            tell_back(t, zone, server, a, dg);
        tell_compared(t, zone, SERVERS_SERIAL, a, dg);
    }
    if (a->do_bit &&
        servers_note_set(zone->servers, server, SERVERS_SIGNERS, soa, dg->time_ns, dg->frame))
        tell_compared(t, zone, SERVERS_SIGNERS, a, dg);
    const struct server_set *signers = &server->set[SERVERS_SIGNERS];
    return server->soa_frame == dg->frame || server->soa_cited == dg->frame ||
           signers->frame == dg->frame || signers->cited == dg->frame || server->back || was_back;
}

static bool note_set(struct tell *t, struct zone *zone, struct server *server,
                     enum servers_what what, struct rrset *set, const struct answer *a,
                     const struct datagram *dg)
{
    if (servers_note_set(zone->servers, server, what, set, dg->time_ns, dg->frame))
        tell_compared(t, zone, what, a, dg);
    if (tell_cds(t, zone, server, a, dg))
        return true;
    return server->set[what].frame == dg->frame || server->set[what].cited == dg->frame;
}

static enum servers_what what_of(uint16_t type)
{
    return type == TYPE_DNSKEY    ? SERVERS_KEYS
           : type == TYPE_CDS     ? SERVERS_CDS
           : type == TYPE_CDNSKEY ? SERVERS_CDNSKEY
                                  : SERVERS_SERIAL;
}

static bool note_sets(struct tell *t, struct zone *zone, struct server *server,
                      const struct answer *a, const struct datagram *dg)
{
    bool cites = false;
    for (size_t i = 0; i < a->sets; i++) {
        const struct answer_set *s = answer_nth(a, i);
        if (!of_servers(s) || !name_equal(s->set->owner, zone->name))
            continue;
        if (s->set->type == TYPE_SOA)
            cites |= note_soa(t, zone, server, s->set, a, dg);
        else if (s->set->type == TYPE_NS)
            cites |= tell_cut_child(t, zone, s->set, a, dg);
        else
            cites |= note_set(t, zone, server, what_of(s->set->type), s->set, a, dg);
    }
    if (a->serves & SERVES_NODATA && what_of(a->qtype) != SERVERS_SERIAL)
        cites |= note_set(t, zone, server, what_of(a->qtype), NULL, a, dg);
    return cites;
}

/* --- who answers --- */

static bool listed(const struct fact_address *list, size_t count, uint8_t family,
                   const uint8_t address[16])
{
    for (size_t i = 0; i < count; i++)
        if (list[i].family == family && memcmp(list[i].bytes, address, 16) == 0)
            return true;
    return false;
}

static bool seen_again(struct tell *t, struct finding *f, const struct datagram *dg)
{
    size_t before = f->frame_count;
    finding_seen(t->rules, f, dg->time_ns, dg->frame);
    return f->frame_count > before;
}

/* `server`: its entry, or NULL where there are too many. */
static bool tell_server(struct tell *t, const struct zone *zone, struct server *server,
                        const struct answer *a, const struct datagram *dg)
{
    struct finding *findings[4];
    if (zone->baseline == NULL || (server && server->declared))
        return false;
    if (server && server->unknown)
        return seen_again(t, server->unknown, dg);
    struct fact f = tell_servers_about(t, zone, FACT_SERVER, a, dg);
    f.observed.owner = a->qname;
    f.observed.type = a->qtype;
    /* A change of servers is planned where one of the delegation is. */
    baseline_describe(zone->baseline, zone->name, TYPE_NS, f.clock_ns, &f.baseline);
    bool known = f.baseline.server_count == 0 ||
                 listed(f.baseline.servers, f.baseline.server_count, dg->flow.family, dg->flow.src);
    if (server)
        server->declared = known;
    if (known || rules_judge(t->rules, &f, findings, sizeof findings / sizeof *findings) == 0)
        return false;
    if (server)
        server->unknown = findings[0];
    return true;
}

static bool tell_transfer(struct tell *t, struct zone *zone, const struct answer *a,
                          const struct datagram *dg)
{
    struct servers *s = servers_of(&t->answers->world, zone);
    struct fact_transfer transfer = {.family = dg->flow.family,
                                     .client = dg->flow.dst,
                                     .refused = a->rcode == REFUSED || a->rcode == NOTAUTH,
                                     .incremental = a->qtype == TYPE_IXFR};
    /* A single SOA answers an IXFR with "nothing new", or "ask by TCP" (RFC 1995 2, 4). */
    bool answered = a->rcode == 0 && a->carried > (transfer.incremental ? 1 : 0);
    if (s == NULL || (!answered && !transfer.refused))
        return false;
    struct fact f = tell_servers_about(t, zone, FACT_TRANSFER, a, dg);
    baseline_describe(zone->baseline, zone->name, TYPE_SOA, f.clock_ns, &f.baseline);
    if (f.baseline.transfer_client_count == 0 ||
        listed(f.baseline.transfer_clients, f.baseline.transfer_client_count, dg->flow.family,
               dg->flow.dst))
        return false;
    if (transfer.refused) {
        if (s->refused_from_ns == INT64_MIN ||
            flow_elapsed(s->refused_from_ns, dg->time_ns) > HOUR_NS) {
            s->refused_from_ns = dg->time_ns;
            s->refused = 0;
        }
        transfer.attempts = ++s->refused;
    }
    f.observed.type = a->qtype;
    f.transfer = &transfer;
    struct finding *findings[4];
    return rules_judge(t->rules, &f, findings, sizeof findings / sizeof *findings) > 0;
}

/* --- ways in --- */

bool tell_servers_look(struct tell *t, struct answer *a, const struct datagram *dg)
{
    struct world *w = &t->answers->world;
    if (a->serves_for == NULL)
        look(t, a);
    struct zone *zone = a->serves_for;
    if (zone == NULL)
        return false;
    if (a->serves & SERVES_TRANSFER)
        return tell_transfer(t, zone, a, dg);
    if (a->serves & SERVES_REFERRAL) {
        bool again = tell_glue_again(t, zone, a, dg);
        return tell_cut_parent(t, zone, answer_find(a, SECTION_AUTHORITY, TYPE_NS), a, dg) || again;
    }
    bool glue = a->serves & SERVES_GLUE && tell_glue_child(t, zone, a, dg);
    if (!(a->serves & (SERVES_SETS | SERVES_DECLARED)))
        return glue;
    struct server *server = servers_at(w, zone, &dg->flow, dg->time_ns);
    bool cites = glue;
    if (server && dg->time_ns > server->last_ns)
        server->last_ns = dg->time_ns;
    if (a->serves & SERVES_DECLARED)
        cites |= tell_server(t, zone, server, a, dg);
    if (server && a->serves & SERVES_SETS)
        cites |= note_sets(t, zone, server, a, dg);
    return cites;
}

void tell_servers_judged(struct tell *t, struct answer *a)
{
    const struct datagram dg = {.flow = a->flow,
                                .time_ns = a->time_ns,
                                .frame = a->frame,
                                .frames = a->frames,
                                .frame_count = a->frame_count,
                                .source = a->source,
                                .interface = a->interface};
    if (a->query_frame && (a->flags & DNS_AA) && a->serves == SERVES_LOOKED)
        (void)tell_servers_look(t, a, &dg);
}

void tell_servers_final(struct tell *t, int64_t time_ns)
{
    const struct world *w = &t->answers->world;
    const struct datagram end = {.time_ns = time_ns};
    for (size_t i = 0; i < w->zone_buckets; i++)
        for (struct zone *zone = w->zone_bucket[i]; zone; zone = zone->next) {
            tell_glue_final(t, zone, &end);
            for (unsigned what = 0; zone->servers && what < SERVERS_WHATS; what++)
                tell_compared(t, zone, (enum servers_what)what, NULL, &end);
        }
}
