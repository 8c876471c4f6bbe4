/*
 * sensor: findings about the sensor itself: what the tap loses, hides, repeats or alters, and how
 * clock, storage and confinement are.
 *
 * Contained in: analyze, tests. What makes verdicts or counts wrong is medium or high; what only
 * has to be known about how the evidence came about is low or info.
 */
#include "rules/judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NOT_ALL_PERMILLE 1                     /* below: medium, a lost frame in a thousand */
#define SPACE_LEAST      (UINT64_C(128) << 20) /* bytes: two segments of the default size */

/* By enum sensor_kind. "%s" of `says`: the numbers; `then`: what it means. */
static const struct {
    enum rule_id rule;
    enum severity severity; /* 0: by the rule, or by what it does */
    const char *says, *then, *expected;
} kinds[] = {
    [SENSOR_DROPPED] = {RULE_SENSOR_LOSS, 0, "frames were lost before they were recorded",
                        "what they carried cannot be judged", "no frame lost"},
    [SENSOR_NOT_ANALYSED] = {RULE_SENSOR_LOSS, SEVERITY_MEDIUM,
                             "frames were recorded but came too fast to be analysed",
                             "replay the sealed segments to judge them", "every frame analysed"},
    [SENSOR_DAMAGED] = {RULE_SENSOR_LOSS, 0, "places in the capture are damaged",
                        "frames behind the damage are missing", "captures that read to their end"},
    [SENSOR_GAPS] = {RULE_SENSOR_LOSS, SEVERITY_MEDIUM, "TCP streams have gaps that never filled",
                     "the tap lost segments that both ends had",
                     "streams without gaps, or gaps that a retransmission fills"},
    [SENSOR_ONLY_QUERIES] = {RULE_SENSOR_ONE_WAY, 0, "messages are queries without a response",
                             "the tap shows queries only", "queries and their responses"},
    [SENSOR_ONLY_RESPONSES] = {RULE_SENSOR_ONE_WAY, 0, "messages are responses without a query",
                               "the tap shows responses only", "queries and their responses"},
    [SENSOR_HALVES] = {RULE_SENSOR_ONE_WAY, 0, "messages lack their counterpart",
                       "the tap shows queries of some flows and responses of others",
                       "queries and their responses"},
    [SENSOR_TWICE] = {RULE_SENSOR_DUPLICATES, 0, "packets came a second time within 10 ms",
                      "second copies were left out of all counts", "every packet once"},
    [SENSOR_CUT] = {RULE_SENSOR_MIRROR, SEVERITY_LOW, "DNS packets were captured short",
                    "what is missing of a response cannot be judged",
                    "a snap length that keeps whole frames"},
    [SENSOR_WRAPPED] = {RULE_SENSOR_MIRROR, SEVERITY_INFO, "DNS packets came inside others",
                        "addresses are those of the inner packets", NULL},
    [SENSOR_TAGS] = {RULE_SENSOR_MIRROR, SEVERITY_LOW, "DNS packets have a VLAN tag",
                     "the mirror strips or adds tags", "tags in both directions, or in none"},
    [SENSOR_OFFLOAD] = {RULE_SENSOR_MIRROR, SEVERITY_INFO,
                        "checksums were left to the network card",
                        "these packets were captured before they were on the wire", NULL},
    [SENSOR_CHECKSUMS] = {RULE_SENSOR_MIRROR, SEVERITY_LOW, "checksums are wrong",
                          "packets were altered after they were sent: by the mirror, a rewriting "
                          "tool or on the way",
                          "checksums that fit the packets"},
    [SENSOR_OVERSIZE] = {RULE_SENSOR_MIRROR, SEVERITY_INFO,
                         "packets are larger than an Ethernet frame",
                         "segments were joined by the card (GRO, TSO), or frames are jumbo", NULL},
    [SENSOR_FRAGMENTS] = {RULE_FRAGMENTS_LOST, 0, "answers in fragments came only in part",
                          "resolvers behind such a path do not get large answers",
                          "all fragments of an answer"},
    [SENSOR_CLOCK_BACK] = {RULE_SENSOR_CLOCK, 0, "packet time went back",
                           "the clock of the capture was set, or captures were joined out of "
                           "order; signatures are judged by packet time",
                           "packet time that goes forward"},
    [SENSOR_CLOCK_SET] = {RULE_SENSOR_CLOCK, 0, "the sensor's clock was set",
                          "packet times before and after do not fit together, and signatures are "
                          "judged by them",
                          "a clock that is slewed, not set"},
    [SENSOR_CLOCK_FREE] = {RULE_SENSOR_CLOCK, 0, "nothing synchronises the sensor's clock",
                           "signatures are judged by it", "a clock disciplined by NTP or PTP"},
    [SENSOR_SPACE] = {RULE_SENSOR_STORAGE, 0, "room for evidence runs out",
                      "frames will be lost when it has", "room for longer than the lead time"},
    [SENSOR_UNWRITTEN] = {RULE_SENSOR_STORAGE, 0, "frames could not be written",
                          "they are not in the evidence", "every frame written"},
    [SENSOR_HISTORY] = {RULE_SENSOR_STORAGE, SEVERITY_MEDIUM,
                        "the history (state/history.sqlite) is kept no more",
                        "what is seen from here on is in the segments, but not in it",
                        "a history to the end of the capture"},
    [SENSOR_WALLS] = {RULE_SENSOR_CONFINEMENT, 0, "confinement is not as the policy says",
                      "a process that reads what strangers send may do more than it should",
                      "no_new_privs, no capabilities, a seccomp filter that stops"},
};

static enum severity grade(const struct fact_sensor *f)
{
    if (f->kind == SENSOR_DROPPED && f->part * 1000 < f->all * NOT_ALL_PERMILLE)
        return SEVERITY_MEDIUM;
    if (f->kind == SENSOR_CUT && f->harmful)
        return SEVERITY_MEDIUM;
    return kinds[f->kind].severity;
}

/* Of these the numbers say nothing, or are told in other words. */
static bool is_bare(enum sensor_kind kind)
{
    return kind == SENSOR_CLOCK_BACK || kind == SENSOR_CLOCK_SET || kind == SENSOR_CLOCK_FREE ||
           kind == SENSOR_SPACE || kind == SENSOR_WALLS;
}

/* Too little room, or too little for as long as it takes to make more? */
static bool short_of_space(const struct judge *judge, const struct fact_sensor *f)
{
    uint64_t lead = (uint64_t)judge->profile->space_ns / 1000000000;
    return f->part < SPACE_LEAST || (f->all && f->part / f->all < lead);
}

static const char *space_words(const struct fact_sensor *f, char *ret_text, size_t room)
{
    uint64_t mib = f->part >> 20;
    if (f->all)
        snprintf(ret_text, room,
                 "%" PRIu64 " MiB left, %" PRIu64 " KiB fewer each second: %" PRIu64 " min", mib,
                 f->all >> 10, f->part / f->all / 60);
    else
        snprintf(ret_text, room, "%" PRIu64 " MiB left", mib);
    return ret_text;
}

static void describe_bare(struct entry *entry, const struct fact *fact)
{
    const struct fact_sensor *f = fact->sensor;
    char words[96], line[LINE_ROOM], when[32];
    const char *how = f->kind == SENSOR_SPACE ? space_words(f, words, sizeof words) : f->how;
    entry_clear(entry);
    entry_summary(entry, "%s%s%s%s%s%s: %s", f->interface ? f->interface : "",
                  f->interface ? ": " : "", kinds[f->kind].says, how ? " (" : "", how ? how : "",
                  how ? ")" : "", kinds[f->kind].then);
    entry_expected(entry, kinds[f->kind].expected);
    snprintf(line, sizeof line, "%s%s%s", how ? how : kinds[f->kind].says, ", ",
             text_time(fact->time_ns / 1000000000, when));
    entry_observed(entry, line);
}

static void describe(struct entry *entry, const struct fact *fact)
{
    const struct fact_sensor *f = fact->sensor;
    char all[32] = "", line[LINE_ROOM], from[32], to[32];
    if (is_bare(f->kind)) {
        describe_bare(entry, fact);
        return;
    }
    if (f->all)
        snprintf(all, sizeof all, " of %" PRIu64, f->all);
    entry_clear(entry);
    entry_summary(entry, "%s%s%" PRIu64 "%s %s%s%s%s: %s", f->interface ? f->interface : "",
                  f->interface ? ": " : "", f->part, all, kinds[f->kind].says, f->how ? " (" : "",
                  f->how ? f->how : "", f->how ? ")" : "", kinds[f->kind].then);
    if (kinds[f->kind].expected)
        entry_expected(entry, kinds[f->kind].expected);
    snprintf(line, sizeof line, "%" PRIu64 "%s, %s to %s", f->part, all,
             text_time(f->from_ns / 1000000000, from), text_time(fact->time_ns / 1000000000, to));
    entry_observed(entry, line);
    if (f->how)
        entry_observed(entry, f->how);
}

void sensor_judge(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    if (fact->kind != FACT_SENSOR)
        return;
    const struct fact_sensor *f = fact->sensor;
    uint8_t identity[1 + 128] = {(uint8_t)f->kind};
    if (kinds[f->kind].rule == RULE_SENSOR_ONE_WAY)
        identity[0] = SENSOR_ONLY_QUERIES; /* one thing, whichever half is missing */
    size_t size = f->interface ? strlen(f->interface) : 0;
    if (size > sizeof identity - 1)
        size = sizeof identity - 1;
    memcpy(identity + 1, f->interface ? f->interface : "", size);
    struct subject subject = {
        .zone = fact->zone, .owner = fact->zone, .identity = identity, .identity_size = 1 + size};
    if (f->over || (f->kind == SENSOR_SPACE && !short_of_space(judge, f))) {
        findings_close(judge, kinds[f->kind].rule, &subject);
        return;
    }
    struct entry *entry = entry_begin(judge, kinds[f->kind].rule, &subject);
    if (!entry)
        return;
    describe(entry, fact);
    entry_end(judge, entry, grade(f));
}
