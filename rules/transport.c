/*
 * transport: findings about how messages travelled: forged or unasked responses, TCP that is
 * blocked, EDNS that is lost, names that carry data.
 *
 * Contained in: analyze, tests. What was counted, and what was left out as innocent, is decided
 * where it is counted (analyze/follow/transport.h); here it is graded and put into words.
 */
#include "rules/judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)
#define RCODE_OK  0
#define TYPE_ANY  255 /* whatever is asked */

static const enum rule_id rule_of[] = {
    [TRANSPORT_RACE] = RULE_SPOOF_RACE,          [TRANSPORT_FLOOD] = RULE_SPOOF_FLOOD,
    [TRANSPORT_UNASKED] = RULE_RESPONSE_UNASKED, [TRANSPORT_TCP_SILENT] = RULE_TCP_BLOCKED,
    [TRANSPORT_TCP_REFUSED] = RULE_TCP_BLOCKED,  [TRANSPORT_TCP_UNSEEN] = RULE_TCP_BLOCKED,
    [TRANSPORT_DOWNGRADE] = RULE_EDNS_DOWNGRADE, [TRANSPORT_TUNNEL] = RULE_TUNNEL_SHAPE,
};

/* Both ends and the question, in words. */
struct words {
    char client[64], server[64], zone[NAME_TEXT_MAX], owner[NAME_TEXT_MAX], type[32];
};

static void put_words(const struct judge *judge, struct words *w)
{
    const struct fact *fact = judge->fact;
    const struct fact_transport *t = fact->transport;
    text_address(t->family, t->client, w->client);
    text_address(t->family, t->server, w->server);
    name_text(fact->zone, w->zone);
    name_text(fact->observed.owner, w->owner);
    text_type(judge, fact->observed.type, w->type);
}

/* --- spoof-race ---------------------------------------------------------------------------- */

static const char *trust_of(const struct fact_contender *c, char ret_text[256])
{
    const struct fact view = {.verdict = c->verdict, .reason = c->reason};
    return text_trust(&view, ret_text);
}

/* The other one than this validates, or nothing is known of either. */
static bool sole(const struct fact_contender *one, const struct fact_contender *other)
{
    return one->verdict == VERDICT_SECURE && other->verdict != VERDICT_SECURE;
}

static void observe_contender(struct judge *judge, struct entry *entry, const char *which,
                              const struct fact_contender *c)
{
    char trust[256], record[LINE_ROOM], line[LINE_ROOM + 512];
    const char *what = trust_of(c, trust);
    snprintf(line, sizeof line, "%s response, %s", which, what);
    if (c->set.count == 0) {
        size_t used = strlen(line);
        snprintf(line + used, sizeof line - used,
                 c->rcode == RCODE_OK ? ": no such data" : ": rcode %u", c->rcode);
        entry_observed(entry, line);
        return;
    }
    for (size_t i = 0; i < c->set.count; i++) {
        text_record(judge, c->set.owner, c->set.type, &c->set.rdata[i], record);
        snprintf(line, sizeof line, "%s response, %s: %s", which, what, record);
        entry_observed(entry, line);
    }
}

/* Where neither validates, a server that answers twice in two ways looks the same. */
static enum severity race_grade(const struct fact_contender *c)
{
    bool told_apart = sole(&c[0], &c[1]) || sole(&c[1], &c[0]) || c[0].verdict == VERDICT_BOGUS ||
                      c[1].verdict == VERDICT_BOGUS;
    return told_apart ? SEVERITY_CRITICAL : SEVERITY_HIGH;
}

static void judge_race(struct judge *judge, struct entry *entry, const struct words *w)
{
    const struct fact_contender *c = judge->fact->transport->contender;
    const char *which = "neither validates";
    if (sole(&c[0], &c[1]))
        which = "the first one validates, the second one does not";
    else if (sole(&c[1], &c[0]))
        which = "the second one validates, the first one, which the client takes, does not";
    entry_clear(entry);
    entry_expected(entry, "one response to one query");
    observe_contender(judge, entry, "first", &c[0]);
    observe_contender(judge, entry, "second", &c[1]);
    entry_summary(entry,
                  "two different responses to one query of %s for %s %s, from the address of %s, "
                  "%.3f ms apart: %s",
                  w->client, w->owner, w->type, w->server,
                  (double)(c[1].time_ns - c[0].time_ns) / 1e6, which);
    entry_end(judge, entry, race_grade(c));
}

/* --- the counted ones ---------------------------------------------------------------------- */

static void period(const struct fact *fact, char ret_text[96])
{
    char from[32], to[32];
    snprintf(ret_text, 96, "%s to %s", text_time(fact->transport->from_ns / SECOND_NS, from),
             text_time(fact->time_ns / SECOND_NS, to));
}

static void judge_flood(struct judge *judge, struct entry *entry, const struct words *w)
{
    const struct fact_transport *t = judge->fact->transport;
    char line[512], when[96];
    period(judge->fact, when);
    entry_clear(entry);
    entry_expected(entry, "one response to a query, with its id, to its port");
    snprintf(line, sizeof line, "%" PRIu64 " responses that miss, for %" PRIu64 " queries, %s",
             t->part, t->all, when);
    entry_observed(entry, line);
    entry_summary(entry,
                  "%" PRIu64 " responses to %s from the address of %s have the wrong id or port "
                  "for its query %.200s %s: somebody guesses",
                  t->part, w->client, w->server, w->owner, w->type);
    entry_end(judge, entry, 0);
}

static void judge_unasked(struct judge *judge, struct entry *entry, const struct words *w)
{
    const struct fact_transport *t = judge->fact->transport;
    char line[512], when[96], server[64];
    period(judge->fact, when);
    entry_clear(entry);
    entry_expected(entry, "responses to queries");
    snprintf(line, sizeof line,
             "%" PRIu64 " responses from at least %" PRIu64
             " addresses, such as %.200s %s from %s, "
             "%s",
             t->part, t->servers, w->owner, w->type, text_server(judge->fact, server), when);
    entry_observed(entry, line);
    entry_summary(entry,
                  "%" PRIu64 " responses came to %s that it did not ask for, while the tap shows "
                  "queries: reflection, or forged responses",
                  t->part, w->client);
    entry_end(judge, entry, 0);
}

static void judge_tcp(struct judge *judge, struct entry *entry, const struct words *w)
{
    const struct fact_transport *t = judge->fact->transport;
    char line[NAME_TEXT_MAX + 512], when[96];
    const char *what = t->kind == TRANSPORT_TCP_SILENT    ? "SYN stays without reply"
                       : t->kind == TRANSPORT_TCP_REFUSED ? "connections are refused (RST)"
                       : t->certain ? "no TCP follows, and the question is asked again"
                                    : "no TCP follows (perhaps the tap does not show it), and the "
                                      "question is asked again";
    period(judge->fact, when);
    entry_expected(entry, "TC=1, then the answer over TCP (RFC 7766 5)");
    snprintf(line, sizeof line, "%s to %s, %.200s %s: TC=1, then %s", w->client, w->server,
             w->owner, w->type, what);
    entry_observed(entry, line);
    entry_summary(entry,
                  "truncated answers of %s are not followed by an answer over TCP: %s (%s to %s, "
                  "%.200s %s; %s)",
                  w->zone, what, w->client, w->server, w->owner, w->type, when);
    entry_end(judge, entry, t->certain ? 0 : SEVERITY_LOW);
}

static void judge_downgrade(struct judge *judge, struct entry *entry, const struct words *w)
{
    const struct fact_transport *t = judge->fact->transport;
    char line[NAME_TEXT_MAX + 512];
    entry_expected(entry, "an answer to the query with EDNS, with signatures where DO=1");
    snprintf(line, sizeof line, "%s to %s: %.200s %s asked with DO=1, then without EDNS", w->client,
             w->server, w->owner, w->type);
    entry_observed(entry, line);
    entry_summary(entry,
                  "%s asked %s %" PRIu64 " questions with DO=1 in vain, then without EDNS: the "
                  "answers came unsigned%s",
                  w->client, w->server, t->part, t->signed_zone ? ", also of signed zones" : "");
    entry_end(judge, entry, t->signed_zone ? 0 : SEVERITY_LOW);
}

static void judge_tunnel(struct judge *judge, struct entry *entry, const struct words *w)
{
    const struct fact_transport *t = judge->fact->transport;
    char line[NAME_TEXT_MAX + 512], when[96];
    period(judge->fact, when);
    entry_clear(entry);
    snprintf(line, sizeof line, "%.300s %s", w->owner, w->type);
    entry_observed(entry, entry_first(entry, line));
    snprintf(line, sizeof line,
             "%s: %" PRIu64 " names, %" PRIu64 " bytes in names, %" PRIu64 " bytes in answers, %s",
             w->client, t->part, t->up, t->down, when);
    entry_observed(entry, line);
    entry_summary(entry,
                  "names below %s carry data: %" PRIu64 " distinct ones of %s, %" PRIu64
                  " bytes up, %" PRIu64 " bytes down",
                  w->zone, t->part, w->client, t->up, t->down);
    entry_end(judge, entry, 0);
}

/* --- which is about what ------------------------------------------------------------------- */

/* A flood is about two addresses, a race about two and a question, a tunnel about a domain. */
static size_t identify(const struct fact_transport *t, uint8_t ret_identity[33])
{
    bool client = t->kind != TRANSPORT_TCP_SILENT && t->kind != TRANSPORT_TCP_REFUSED &&
                  t->kind != TRANSPORT_TCP_UNSEEN && t->kind != TRANSPORT_TUNNEL;
    bool server = client && t->kind != TRANSPORT_UNASKED;
    size_t size = 0;
    if (client) {
        ret_identity[size++] = t->family;
        memcpy(ret_identity + size, t->client, 16);
        size += 16;
    }
    if (server) {
        memcpy(ret_identity + size, t->server, 16);
        size += 16;
    }
    return size;
}

/* 0: about no zone. */
static uint16_t type_of(const struct fact_transport *t, const struct fact *fact)
{
    if (t->kind == TRANSPORT_RACE)
        return fact->observed.type;
    return t->kind == TRANSPORT_UNASKED ? 0 : TYPE_ANY;
}

void transport_judge(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    if (fact->kind != FACT_TRANSPORT)
        return;
    const struct fact_transport *t = fact->transport;
    uint8_t identity[33];
    size_t size = identify(t, identity);
    bool question = t->kind == TRANSPORT_RACE;
    struct subject subject = {.zone = fact->zone,
                              .owner = question ? fact->observed.owner : fact->zone,
                              .type = type_of(t, fact),
                              .identity = identity,
                              .identity_size = size};
    if (t->over) {
        findings_close(judge, rule_of[t->kind], &subject);
        return;
    }
    struct entry *entry = entry_begin(judge, rule_of[t->kind], &subject);
    struct words words;
    if (!entry)
        return;
    put_words(judge, &words);
    switch (t->kind) {
    case TRANSPORT_RACE:
        judge_race(judge, entry, &words);
        break;
    case TRANSPORT_FLOOD:
        judge_flood(judge, entry, &words);
        break;
    case TRANSPORT_UNASKED:
        judge_unasked(judge, entry, &words);
        break;
    case TRANSPORT_TCP_SILENT:
    case TRANSPORT_TCP_REFUSED:
    case TRANSPORT_TCP_UNSEEN:
        judge_tcp(judge, entry, &words);
        break;
    case TRANSPORT_DOWNGRADE:
        judge_downgrade(judge, entry, &words);
        break;
    case TRANSPORT_TUNNEL:
        judge_tunnel(judge, entry, &words);
        break;
    }
}
