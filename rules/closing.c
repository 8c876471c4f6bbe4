/*
 * closing: how a finding ends: later traffic refutes it, takes it back, or its RRsets leave it.
 *
 * Contained in: analyze, tests. Must never close a finding by the word of somebody who did not give
 * what it is about, nor at once what comes and goes.
 */
#include "rules/finding.h"

#include <string.h>

/* How long it must stay away before it closes. */
static int64_t hold(const struct finding *finding)
{
    if (finding->flaps <= FLAP_FREE)
        return 0;
    unsigned doublings = finding->flaps - FLAP_FREE - 1;
    return doublings < 16 && FLAP_HOLD << doublings < FLAP_HOLD_MAX ? FLAP_HOLD << doublings
                                                                    : FLAP_HOLD_MAX;
}

static void close_now(struct findings *findings, struct entry *entry, uint64_t frame)
{
    struct finding *finding = &entry->finding;
    entry->refuted_ns = INT64_MIN;
    finding->state = FINDING_CLOSED;
    finding->closed_ns =
        findings->now_ns > finding->last_seen_ns ? findings->now_ns : finding->last_seen_ns;
    finding->closed_frame = frame;
    entry->given = 0;
    findings_count_open(entry, -1);
    findings_report(findings, entry);
}

void findings_close_if_gone(struct findings *findings, struct entry *entry, int64_t now_ns,
                            uint64_t frame)
{
    if (now_ns >= entry->refuted_ns &&
        findings_since(entry->refuted_ns, now_ns) >= hold(&entry->finding))
        close_now(findings, entry, frame);
}

static void refute(struct judge *judge, struct entry *entry, int64_t now_ns)
{
    if (entry->refuted_ns == INT64_MIN)
        entry->refuted_ns = now_ns;
    findings_close_if_gone(judge->findings, entry, now_ns,
                           judge->fact->retro ? 0 : judge->fact->frame);
}

/* Bits of the servers that the fact shows to be in order, or that nobody waits for: all where it
 * needs no particular server, 0 where it refutes nothing. */
static uint32_t strikes(const struct judge *judge, const struct entry *entry)
{
    const struct fact *fact = judge->fact;
    enum givers_kind kind = givers_kind(entry->finding.rule);
    bool anyone = fact->revised || entry->givers.count == 0 || kind == GIVERS_UNTRACKED ||
                  (kind == GIVERS_ANEW && !fact->again) || (!entry->given && !entry->gathers);
    if (fact->again && (kind == GIVERS_UNTRACKED || entry->givers.count == 0))
        return 0;
    if (anyone)
        return UINT32_MAX;
    if (!findings_is_givers(fact))
        return 0;
    uint32_t struck = givers_bit(&entry->givers, fact->server_family, fact->server) |
                      givers_lapsed(&entry->givers, fact->time_ns);
    for (size_t i = 0; i < fact->fellow_count; i++)
        struck |= givers_before(&entry->givers, fact->fellows[i].family, fact->fellows[i].server,
                                fact->fellows[i].since_ns);
    return struck;
}

static bool may_close(const struct judge *judge, const struct entry *entry)
{
    const struct finding *finding = &entry->finding;
    return finding->state != FINDING_CLOSED && judge->fact->time_ns >= finding->last_seen_ns &&
           (!entry->aa ||
            judge->fact->aa); /* a cached answer does not refute an authoritative one */
}

static void entry_close(struct judge *judge, struct entry *entry)
{
    if (!may_close(judge, entry))
        return;
    uint32_t struck = strikes(judge, entry);
    entry->given &= ~struck;
    if (struck && !entry->given)
        refute(judge, entry, judge->fact->time_ns);
}

void findings_close(struct judge *judge, enum rule_id rule, const struct subject *subject)
{
    struct entry *entry = findings_entry(judge, rule, subject);
    if (entry)
        entry_close(judge, entry);
}

void findings_close_zone(struct judge *judge, enum rule_id rule, const uint8_t *zone)
{
    struct zone_note *note = findings_zone(judge->findings, zone);
    for (struct entry *entry = note ? note->first : NULL; entry; entry = entry->next)
        if (entry->finding.rule == rule)
            entry_close(judge, entry);
}

void findings_close_but(struct judge *judge, enum rule_id rule, const uint8_t *zone,
                        const char (*ids)[FINDING_ID_TEXT], size_t count)
{
    struct zone_note *note = findings_zone(judge->findings, zone);
    for (struct entry *entry = note ? note->first : NULL; entry; entry = entry->next) {
        bool meant = entry->finding.rule == rule && entry->finding.state != FINDING_CLOSED;
        for (size_t i = 0; meant && i < count; i++)
            meant = memcmp(ids[i], entry->finding.id, FINDING_ID_TEXT) != 0;
        if (meant)
            entry_close(judge, entry);
    }
}

bool findings_any(struct judge *judge, enum rule_id rule, const uint8_t *zone)
{
    struct zone_note *note = findings_zone(judge->findings, zone);
    struct entry *entry = note ? note->first : NULL;
    while (entry && (entry->finding.rule != rule || entry->finding.state == FINDING_CLOSED))
        entry = entry->next;
    return entry != NULL;
}

static bool is_stranger(const struct fact_baseline *b, uint8_t family, const uint8_t *address)
{
    for (size_t i = 0; i < b->server_count; i++)
        if (b->servers[i].family == family && memcmp(b->servers[i].bytes, address, 16) == 0)
            return false;
    return true;
}

void findings_strangers_left(struct judge *judge, const uint8_t *zone)
{
    const struct fact_baseline *b = &judge->fact->baseline;
    struct zone_note *note = findings_zone(judge->findings, zone);
    if (b->server_count == 0)
        return;
    for (struct entry *entry = note ? note->first : NULL; entry; entry = entry->next) {
        const struct givers *givers = &entry->givers;
        for (size_t i = 0; i < givers->count; i++)
            if (is_stranger(b, givers->giver[i].family, givers->giver[i].address))
                entry->given &= ~(UINT32_C(1) << i);
        bool theirs = entry->finding.rule == RULE_SERVER_UNKNOWN ||
                      (entry->finding.rule == RULE_DELEGATION_CHANGED && entry->gathers &&
                       is_stranger(b, entry->server_family, entry->server));
        if (theirs && entry->finding.state != FINDING_CLOSED)
            refute(judge, entry, judge->fact->time_ns);
    }
}

/* What was said of an RRset and is not so takes back every sight of it: whoever else is in the
 * finding was seen when he was, and only what joined since with other content stays. */
static void leave(struct judge *judge, struct entry *entry)
{
    const struct fact *fact = judge->fact;
    uint64_t rrset = finding_member(judge->findings, fact->observed.owner, fact->observed.type);
    uint32_t struck = strikes(judge, entry);
    uint32_t own =
        struck == UINT32_MAX ? 0 : givers_bit(&entry->givers, fact->server_family, fact->server);
    if (!struck ||
        !entry_leave(entry, rrset, fact->revised ? fact->time_ns : INT64_MAX, struck, own))
        return;
    if (!fact->revised && may_close(judge, entry))
        refute(judge, entry, fact->time_ns);
    else if (!fact->revised)
        return;
    else if (entry->finding.state != FINDING_CLOSED)
        close_now(judge->findings, entry, 0); /* it did not go away and may return: it never was */
}

static bool may_leave(const struct judge *judge, const struct entry *entry, enum rule_id rule)
{
    const struct fact *fact = judge->fact;
    return entry->finding.rule == rule && entry->member_count > 0 &&
           (fact->revised || fact->time_ns >= entry->finding.last_seen_ns);
}

/* What came back by a sight that is taken back did not come back: what only waits for its time to
 * close need not wait so long. */
static void unflap(struct judge *judge, struct entry *entry)
{
    const struct fact *fact = judge->fact;
    struct finding *finding = &entry->finding;
    for (size_t i = 0; i < finding->frame_count; i++)
        if (finding->frames[i] == fact->frame && finding->flaps) {
            finding->flaps--;
            break;
        }
    if (entry->member_count == 0 && entry->refuted_ns != INT64_MIN &&
        finding->state != FINDING_CLOSED)
        findings_close_if_gone(judge->findings, entry, judge->findings->now_ns, 0);
}

void findings_leave(struct judge *judge, enum rule_id rule, const uint8_t *zone)
{
    struct zone_note *note = findings_zone(judge->findings, zone);
    for (struct entry *entry = note ? note->first : NULL; entry; entry = entry->next) {
        if (may_leave(judge, entry, rule))
            leave(judge, entry);
        if (judge->fact->revised && entry->finding.rule == rule)
            unflap(judge, entry);
    }
}

void findings_leave_server(struct judge *judge, enum rule_id rule, const uint8_t *zone)
{
    const struct fact *fact = judge->fact;
    struct zone_note *note = findings_zone(judge->findings, zone);
    for (struct entry *entry = note ? note->first : NULL; entry; entry = entry->next)
        if (may_leave(judge, entry, rule) && fact->server &&
            entry->server_family == fact->server_family &&
            memcmp(entry->server, fact->server, sizeof entry->server) == 0)
            leave(judge, entry);
}

void findings_close_quiet(struct judge *judge, enum rule_id rule, const uint8_t *zone, uint8_t mark,
                          int64_t quiet_ns)
{
    struct zone_note *note = findings_zone(judge->findings, zone);
    for (struct entry *entry = note ? note->first : NULL; entry; entry = entry->next)
        if (entry->finding.rule == rule && entry->mark == mark &&
            judge->fact->time_ns - entry->finding.last_seen_ns >= quiet_ns)
            entry_close(judge, entry);
}

void findings_leave_one(struct judge *judge, enum rule_id rule, const struct subject *subject)
{
    struct entry *entry = findings_entry(judge, rule, subject);
    if (entry && may_leave(judge, entry, rule))
        leave(judge, entry);
}
