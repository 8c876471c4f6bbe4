/*
 * rules: a fact goes to every family; the table keeps what they find.
 *
 * Contained in: analyze, tests. Must never look at a clock, a file or a random number.
 */
#include "rules/rules.h"

#include "rules/digest.h"
#include "rules/judge.h"

#include <stdio.h>
#include <stdlib.h>

struct rules {
    struct profile profile;
    struct rules_limits limits;
    struct findings *findings;
};

/* OpenSSL fetches an algorithm at its first use: to be done before the filter is on. */
static void warm_up(void)
{
    static const uint8_t bytes[5] = {0}, root[1] = {0};
    const struct fact_key key = {.public_key = {bytes, sizeof bytes}};
    uint8_t digest[DIGEST_DS_MAX];
    static const uint8_t types[] = {1, 2, 4};
    for (size_t i = 0; i < sizeof types; i++)
        (void)digest_ds(root, &key, types[i], digest);
}

struct rules *rules_new(const char *profile_name, const void *profile, size_t profile_size,
                        const struct rules_limits *limits, rules_on_finding *on_finding,
                        void *context, char *ret_error, size_t error_room)
{
    struct rules *rules = calloc(1, sizeof *rules);
    if (!rules) {
        if (error_room)
            snprintf(ret_error, error_room, "rules: out of memory");
        return NULL;
    }
    if (profile_init(&rules->profile, profile_name, profile, profile_size, ret_error, error_room) !=
        0) {
        free(rules);
        return NULL;
    }
    if (limits)
        rules->limits = *limits;
    if (rules->profile.expiring_ns)
        rules->limits.expiring_ns = rules->profile.expiring_ns;
    if (!rules->limits.expiring_ns)
        rules->limits.expiring_ns = EXPIRING_DEFAULT;
    rules->findings = findings_new(rules->limits.findings, on_finding, context);
    if (!rules->findings) {
        if (error_room)
            snprintf(ret_error, error_room, "rules: OpenSSL has no SHA-256");
        rules_free(rules);
        return NULL;
    }
    warm_up();
    return rules;
}

void rules_free(struct rules *rules)
{
    if (!rules)
        return;
    findings_free(rules->findings);
    profile_fini(&rules->profile);
    free(rules);
}

size_t rules_judge(struct rules *rules, const struct fact *fact, struct finding **ret_findings,
                   size_t room)
{
    struct judge judge = {.rules = rules,
                          .profile = &rules->profile,
                          .limits = &rules->limits,
                          .findings = rules->findings,
                          .fact = fact,
                          .ret = ret_findings,
                          .room = room,
                          .quiet = fact->kind == FACT_CHAIN};
    findings_clock(rules->findings, fact->time_ns);
    keys_judge(&judge);
    roll_judge(&judge);
    signatures_judge(&judge);
    delegation_judge(&judge);
    records_judge(&judge);
    sensor_judge(&judge);
    load_judge(&judge);
    resolution_judge(&judge);
    served_judge(&judge);
    denial_judge(&judge);
    contest_judge(&judge);
    habit_judge(&judge);
    rhythm_judge(&judge);
    views_judge(&judge);
    servers_judge(&judge);
    cut_judge(&judge);
    transport_judge(&judge);
    return judge.count;
}

void finding_seen(struct rules *rules, struct finding *finding, int64_t time_ns, uint64_t frame)
{
    const struct finding_sight sight = {.time_ns = time_ns, .frame = frame, .aa = true};
    findings_seen(rules->findings, finding, &sight);
}

void finding_sighted(struct rules *rules, struct finding *finding,
                     const struct finding_sight *sight)
{
    findings_seen(rules->findings, finding, sight);
}

bool finding_cites(const struct finding *finding, uint64_t frame)
{
    for (size_t i = 0; i < finding->frame_count; i++)
        if (finding->frames[i] == frame)
            return true;
    return false;
}

bool rules_refutable(struct rules *rules, const uint8_t *zone)
{
    return findings_refutable(rules->findings, zone) > 0;
}

void rules_lossy(struct rules *rules, int64_t from_ns, int64_t to_ns)
{
    findings_lossy(rules->findings, from_ns, to_ns);
}

void rules_flush(struct rules *rules, int64_t now_ns, bool end)
{
    findings_flush(rules->findings, now_ns, end);
}

const struct rules_thresholds *rules_thresholds(const struct rules *rules)
{
    return &rules->profile.thresholds;
}

size_t rules_findings(struct rules *rules, const struct finding *const **ret_findings)
{
    return findings_sorted(rules->findings, ret_findings);
}

uint64_t rules_dropped(const struct rules *rules)
{
    return findings_dropped(rules->findings);
}

uint64_t rules_suppressed(const struct rules *rules)
{
    return findings_suppressed(rules->findings);
}
