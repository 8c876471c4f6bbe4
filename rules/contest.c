/*
 * contest: two contents of one RRset, validly signed by one key, that no update of the zone
 * explains.
 *
 * Contained in: analyze, tests. signed-equivocation is the proof, one finding per RRset;
 * signed-out-of-serial is what it says about the zone's servers, one finding per zone.
 */
#include "rules/judge.h"

#include <stdio.h>

#define TYPE_SOA 6
#define NS_PER_S INT64_C(1000000000)

static struct subject equivocation(const struct fact *fact, uint8_t identity[3])
{
    const struct fact_signature *by = &fact->contest->by_second;
    identity[0] = (uint8_t)(by->tag >> 8);
    identity[1] = (uint8_t)by->tag;
    identity[2] = by->algorithm;
    return (struct subject){fact->zone, fact->observed.owner, fact->observed.type, identity, 3};
}

static const char *text_side(const struct fact_side *side, char ret_text[256])
{
    struct fact from = {.server_family = side->family, .server = side->server};
    char server[64], first[32], last[32];
    text_server(&from, server);
    if (side->has_serial)
        snprintf(ret_text, 256, "by %s, with serial %u from %s to %s", server, side->serial,
                 text_time(side->soa_from_ns / NS_PER_S, first),
                 text_time(side->soa_to_ns / NS_PER_S, last));
    else
        snprintf(ret_text, 256, "by %s", server);
    return ret_text;
}

/* Why it is no update, in words. */
static const char *text_how(const struct fact_contest *contest, char ret_text[256])
{
    struct fact one = {.server_family = contest->first.family, .server = contest->first.server};
    struct fact two = {.server_family = contest->second.family, .server = contest->second.server};
    char first[64], second[64], when[32];
    text_server(&one, first);
    text_server(&two, second);
    const struct fact_side *behind =
        contest->second.has_serial ? &contest->second : &contest->first;
    bool later_first = contest->by_first.inception > contest->by_second.inception;
    switch (contest->how) {
    case CONTEST_ONE_SERVER:
        snprintf(ret_text, 256, "%s served both under serial %u", second, contest->second.serial);
        break;
    case CONTEST_TWO_SERVERS:
        snprintf(ret_text, 256, "%s and %s served one each under serial %u", first, second,
                 contest->second.serial);
        break;
    case CONTEST_SERIAL_BACK:
        snprintf(ret_text, 256, "the one signed later came with the lower serial, %u from %s",
                 later_first ? contest->first.serial : contest->second.serial,
                 later_first ? first : second);
        break;
    case CONTEST_SIGNED_AFTER:
        snprintf(ret_text, 256,
                 "the later one was signed after serial %u, which its server %s "
                 "still had at %s",
                 behind->serial, behind == &contest->second ? second : first,
                 text_time(behind->soa_to_ns / NS_PER_S, when));
        break;
    }
    return ret_text;
}

static void show_both(struct judge *judge, struct entry *entry)
{
    const struct fact *fact = judge->fact;
    const struct fact_contest *contest = fact->contest;
    char line[LINE_ROOM];
    entry_clear(entry);
    text_expect_set(judge, entry, &contest->other);
    entry_expected(entry, text_signature(judge, contest->other.owner, &contest->by_first, line));
    text_observe_set(judge, entry, &fact->observed);
    entry_observed(entry, text_signature(judge, fact->observed.owner, &contest->by_second, line));
}

/* Some client got both, or two servers gave them: else it may be one view for each of two clients.
 */
static enum severity grade_of(const struct fact_contest *contest)
{
    return contest->one_client || contest->how == CONTEST_TWO_SERVERS ? (enum severity)0
                                                                      : SEVERITY_HIGH;
}

static void judge_equivocation(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_contest *contest = fact->contest;
    uint8_t identity[3];
    struct subject subject = equivocation(fact, identity);
    char name[NAME_TEXT_MAX], type[32], algorithm[32], how[256], first[256], second[256];
    struct entry *entry = entry_begin(judge, RULE_SIGNED_EQUIVOCATION, &subject);
    if (!entry)
        return;
    show_both(judge, entry);
    const char *served[2] = {text_side(&contest->first, first),
                             text_side(&contest->second, second)};
    entry_proof(entry, &contest->proof, served);
    entry_summary(
        entry, "key %u (%s) signs two different RRsets %s %s that are both valid, and %s%s",
        contest->by_second.tag, text_algorithm(judge, contest->by_second.algorithm, algorithm),
        name_text(fact->observed.owner, name), text_type(judge, fact->observed.type, type),
        text_how(contest, how), contest->one_client ? "" : "; no client got both");
    entry_end(judge, entry, grade_of(contest));
}

static void judge_serial(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    struct subject subject = {fact->zone, fact->zone, TYPE_SOA, NULL, 0};
    char zone[NAME_TEXT_MAX], name[NAME_TEXT_MAX], type[32], how[256], line[LINE_ROOM],
        more[48] = "";
    struct entry *entry = entry_begin(judge, RULE_SIGNED_OUT_OF_SERIAL, &subject);
    if (!entry)
        return;
    entry_join(entry, judge->findings, fact->observed.owner, fact->observed.type);
    text_expect_set(judge, entry, &fact->contest->other);
    text_observe_set(judge, entry, &fact->observed);
    snprintf(line, sizeof line, "%s %s", name_text(fact->observed.owner, name),
             text_type(judge, fact->observed.type, type));
    size_t others = entry_members(entry) - 1;
    if (others)
        snprintf(more, sizeof more, " and %zu more RRset%s", others, others > 1 ? "s" : "");
    entry_summary(entry, "%s: %s%s changed without the serial: %s", name_text(fact->zone, zone),
                  entry_first(entry, line), more, text_how(fact->contest, how));
    entry_end(judge, entry, 0);
}

void contest_judge(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    uint8_t identity[3];
    if (fact->kind != FACT_CONTEST || !fact->contest)
        return;
    if (fact->contest->over) {
        struct subject subject = equivocation(fact, identity);
        findings_close(judge, RULE_SIGNED_EQUIVOCATION, &subject);
        findings_leave(judge, RULE_SIGNED_OUT_OF_SERIAL, fact->zone);
        return;
    }
    if (fact->baseline.dynamic || fact->baseline.planned)
        return;
    judge_equivocation(judge);
    judge_serial(judge);
}
