/*
 * resolution: findings about zones that resolvers cannot reach: SERVFAIL, outages and their end.
 *
 * Contained in: analyze, tests. Must never: take the failure of one name, or of the resolver, for
 * that of a zone.
 */
#include "rules/resolution.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What fails of a zone that we find bogus as a whole needs less proof. */
#define QUESTIONS_BOGUS 2
/* Such a share above that of the zone's past is a spike. */
#define PAST_FACTOR 2
#define SECOND_NS   INT64_C(1000000000)

/* --- words --------------------------------------------------------------------------------- */

static const char *const causes[HEALTH_CAUSES] = {
    [HEALTH_BY_EDE] = "validation failed, says the resolver",
    [HEALTH_BY_VERDICT] = "we find it bogus",
    [HEALTH_BY_CD] = "with CD=1 there is data",
    [HEALTH_BY_OTHER] = "the resolver names another cause than validation",
    [HEALTH_BY_UNKNOWN] = "nothing tells the cause"};

static const char *text_span(int64_t from_ns, int64_t to_ns, char ret_text[48])
{
    int64_t s = to_ns > from_ns ? (to_ns - from_ns) / SECOND_NS : 0;
    if (s < 60)
        snprintf(ret_text, 48, "%" PRId64 " s", s);
    else if (s < 3600)
        snprintf(ret_text, 48, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
    else
        snprintf(ret_text, 48, "%" PRId64 " h %" PRId64 " min", s / 3600, s % 3600 / 60);
    return ret_text;
}

const char *resolution_question(const struct judge *judge, const uint8_t *name, uint16_t type,
                                char ret_text[LINE_ROOM])
{
    char owner[NAME_TEXT_MAX], word[32];
    snprintf(ret_text, LINE_ROOM, "%s IN %s", name_text(name, owner), text_type(judge, type, word));
    return ret_text;
}

const char *resolution_ede(uint16_t ede, char ret_text[16])
{
    ret_text[0] = '\0';
    if (ede != HEALTH_NO_EDE)
        snprintf(ret_text, 16, ", EDE %u", ede);
    return ret_text;
}

struct subject resolution_subject(const struct fact *fact, const void *identity, size_t size)
{
    return (struct subject){fact->zone, fact->zone, TYPE_SOA, identity, size};
}

size_t resolution_names(const struct fact_health *h)
{
    size_t names = 0;
    for (size_t i = 0; i < h->question_count; i++) {
        size_t before = 0;
        while (before < i && !name_equal(h->questions[before].name, h->questions[i].name))
            before++;
        names += before == i;
    }
    return names;
}

static size_t count_cause(const struct fact_health *h, enum health_cause cause)
{
    size_t count = 0;
    for (size_t i = 0; i < h->question_count; i++)
        count += h->questions[i].cause == cause;
    return count;
}

static bool by_validation(const struct fact_health *h)
{
    return count_cause(h, HEALTH_BY_EDE) + count_cause(h, HEALTH_BY_VERDICT) +
               count_cause(h, HEALTH_BY_CD) >
           0;
}

static void observe_questions(struct judge *judge, struct entry *entry)
{
    const struct fact_health *h = judge->fact->health;
    char line[LINE_ROOM], text[LINE_ROOM + 128], ede[16];
    for (size_t i = 0; i < h->question_count; i++) {
        const struct fact_question *q = &h->questions[i];
        snprintf(text, sizeof text, "%s: SERVFAIL%s (%s)",
                 resolution_question(judge, q->name, q->type, line), resolution_ede(q->ede, ede),
                 causes[q->cause]);
        entry_observed(entry, text);
        (void)entry_join(entry, judge->findings, q->name, q->type);
    }
}

/* "9 by EDE, 1 unexplained" */
static const char *text_causes(const struct fact_health *h, char ret_text[160])
{
    static const char *const words[HEALTH_CAUSES] = {
        [HEALTH_BY_EDE] = "validation by the resolver's EDE",
        [HEALTH_BY_VERDICT] = "validation by our verdict",
        [HEALTH_BY_CD] = "validation, for CD=1 gets data",
        [HEALTH_BY_OTHER] = "another cause by EDE",
        [HEALTH_BY_UNKNOWN] = "nothing known"};
    size_t used = 0;
    ret_text[0] = '\0';
    for (unsigned cause = 0; cause < HEALTH_CAUSES; cause++) {
        size_t count = count_cause(h, (enum health_cause)cause);
        if (count == 0 || used >= 159)
            continue;
        int n = snprintf(ret_text + used, 160 - used, "%s%zu: %s", used ? "; " : "", count,
                         words[cause]);
        used += n > 0 ? (size_t)n : 0;
    }
    return ret_text;
}

/* --- servfail-spike ------------------------------------------------------------------------ */

static bool is_over_threshold(const struct judge *judge)
{
    const struct fact_health *h = judge->fact->health;
    return h->failed * 100 >= (h->failed + h->answered) * judge->profile->servfail_percent;
}

/* A zone that nobody saw work, nobody declared, and that does not fail by validation, is one of the
 * many on the net that do not work. */
static bool is_above_past(const struct judge *judge)
{
    const struct fact_health *h = judge->fact->health;
    double now = (double)h->failed / (double)(h->failed + h->answered);
    double before = (double)h->failed_before;
    if (h->answered_before == 0 && h->failed_before == 0)
        return judge->fact->baseline.present || by_validation(h) || h->answered > 0;
    return now >= PAST_FACTOR * before / (before + (double)h->answered_before);
}

static void judge_spike(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_health *h = fact->health;
    char zone[NAME_TEXT_MAX], resolver[64], words[160], past[80] = "";
    if (h->question_count < judge->profile->servfail_questions ||
        resolution_names(h) < RESOLUTION_NAMES || !is_over_threshold(judge) ||
        !is_above_past(judge))
        return;
    struct subject subject = resolution_subject(fact, NULL, 0);
    struct entry *entry = entry_begin(judge, RULE_SERVFAIL_SPIKE, &subject);
    if (!entry)
        return;
    observe_questions(judge, entry);
    if (h->failed_before + h->answered_before)
        snprintf(past, sizeof past, ", before that %" PRIu64 " of %" PRIu64, h->failed_before,
                 h->failed_before + h->answered_before);
    entry_summary(entry,
                  "SERVFAIL for %s: %" PRIu64 " of %" PRIu64 " resolvers' responses within five "
                  "minutes%s; %zu questions at %s (%s)",
                  name_text(fact->zone, zone), h->failed, h->failed + h->answered, past,
                  h->question_count, text_server(fact, resolver), text_causes(h, words));
    entry_end(judge, entry, 0);
}

static void judge_eased(struct judge *judge)
{
    struct subject subject = resolution_subject(judge->fact, NULL, 0);
    if (!is_over_threshold(judge) || judge->fact->health->failed == 0)
        findings_close(judge, RULE_SERVFAIL_SPIKE, &subject);
}

/* --- zone-dark ----------------------------------------------------------------------------- */

static unsigned service_of(const uint8_t *zone, const struct fact_question *q)
{
    bool apex = name_equal(q->name, zone);
    bool below = !apex && name_equal(name_strip(q->name, 1), zone);
    bool address = q->type == TYPE_A || q->type == TYPE_AAAA;
    if (address && apex)
        return HEALTH_WEB_APEX;
    if (address && below && q->name[0] == 3 && memcmp(q->name + 1, "www", 3) == 0)
        return HEALTH_WEB_WWW;
    if (q->type == TYPE_MX && apex)
        return HEALTH_MX;
    if (q->type == TYPE_TXT && apex)
        return HEALTH_SPF;
    if (q->type == TYPE_TXT && below && q->name[0] == 6 && memcmp(q->name + 1, "_dmarc", 6) == 0)
        return HEALTH_DMARC;
    return 0;
}

/* "web (apex, www), mail (MX)": those of the services. */
static const char *text_services(unsigned services, char ret_text[128])
{
    static const struct {
        unsigned service;
        const char *word;
    } words[] = {{HEALTH_WEB_APEX, "apex"},
                 {HEALTH_WEB_WWW, "www"},
                 {HEALTH_MX, "MX"},
                 {HEALTH_SPF, "SPF"},
                 {HEALTH_DMARC, "DMARC"}};
    const unsigned web = HEALTH_WEB_APEX | HEALTH_WEB_WWW;
    char list[2][64] = {"", ""};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char *at = list[(words[i].service & web) == 0];
        size_t used = strlen(at);
        if (services & words[i].service)
            snprintf(at + used, sizeof list[0] - used, "%s%s", used ? ", " : "", words[i].word);
    }
    snprintf(ret_text, 128, "%s%s%s%s%s%s%s", *list[0] ? "web (" : "", list[0], *list[0] ? ")" : "",
             *list[0] && *list[1] ? ", " : "", *list[1] ? "mail (" : "", list[1],
             *list[1] ? ")" : "");
    return ret_text;
}

static bool is_dark(const struct fact *fact)
{
    const struct fact_health *h = fact->health;
    bool enough =
        h->question_count >= RESOLUTION_QUESTIONS && resolution_names(h) >= RESOLUTION_NAMES;
    if (h->whole_zone)
        enough |= h->question_count >= QUESTIONS_BOGUS;
    /* else it may be the resolver, or its way out */
    return fact->baseline.present && enough && !h->in_part && (by_validation(h) || h->elsewhere);
}

static void judge_dark(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_health *h = fact->health;
    char zone[NAME_TEXT_MAX], resolver[64], since[32], fail[128], asked[128], words[160];
    unsigned services = 0;
    if (!is_dark(fact))
        return;
    struct subject subject = resolution_subject(fact, NULL, 0);
    struct entry *entry = entry_begin(judge, RULE_ZONE_DARK, &subject);
    if (!entry)
        return;
    observe_questions(judge, entry);
    for (size_t i = 0; i < h->question_count; i++)
        services |= service_of(fact->zone, &h->questions[i]);
    unsigned silent = h->declared & ~services;
    text_services(services, fail);
    text_services(silent, asked);
    entry_summary(entry,
                  "%s does not resolve behind %s since %s: %s%s%s%s; %zu questions failed and none "
                  "was answered (%s)",
                  name_text(fact->zone, zone), text_server(fact, resolver),
                  text_time(h->from_ns / SECOND_NS, since),
                  *fail ? fail : "neither web nor mail was asked for", *fail ? " fail" : "",
                  *asked ? "; not asked for, but declared: " : "", asked, h->question_count,
                  text_causes(h, words));
    entry_end(judge, entry, 0);
}

/* --- recovered ----------------------------------------------------------------------------- */

static void judge_recovered(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_health *h = fact->health;
    char zone[NAME_TEXT_MAX], from[32], to[32], span[48], line[LINE_ROOM];
    struct subject subject = resolution_subject(fact, &h->from_ns, sizeof h->from_ns);
    if (h->kind == HEALTH_RELAPSED) {
        findings_close(judge, RULE_RECOVERED, &subject);
        return;
    }
    struct entry *entry = entry_begin(judge, RULE_RECOVERED, &subject);
    if (!entry)
        return;
    text_time(h->from_ns / SECOND_NS, from);
    text_time(fact->time_ns / SECOND_NS, to);
    entry_clear(entry);
    snprintf(line, sizeof line, "outage from %s to %s", from, to);
    entry_observed(entry, line);
    entry_summary(entry, "%s has recovered: good answers again %s after the outage began at %s",
                  name_text(fact->zone, zone), text_span(h->from_ns, fact->time_ns, span), from);
    entry_end(judge, entry, 0);
}

void resolution_judge(struct judge *judge)
{
    if (judge->fact->kind != FACT_HEALTH)
        return;
    switch (judge->fact->health->kind) {
    case HEALTH_FAILING:
        judge_spike(judge);
        judge_dark(judge);
        break;
    case HEALTH_ANSWERED: {
        struct subject subject = resolution_subject(judge->fact, NULL, 0);
        findings_close(judge, RULE_ZONE_DARK, &subject);
        break;
    }
    case HEALTH_EASED:
        judge_eased(judge);
        break;
    case HEALTH_RECOVERED:
    case HEALTH_RELAPSED:
        judge_recovered(judge);
        break;
    default:
        validation_judge(judge);
    }
}
