/*
 * finding: the table of findings: opened, supported, opened again, reported; how they end is in
 * closing.c.
 *
 * Contained in: analyze, tests. Must never free a finding before the table (the analyser keeps
 * pointers), nor grow beyond its limit, nor turn repetition into a flood: more of the same is told
 * at growing intervals, and what comes and goes has to be gone for a while before it closes again.
 */
#include "rules/finding.h"

#include "rules/entry.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_BYTES  ((FINDING_ID_TEXT - 1) / 2)
#define ZONES_MAX 16384 /* zones noted without a finding; more are not remembered */

struct findings *findings_new(size_t most, rules_on_finding *on_finding, void *context)
{
    struct findings *findings = calloc(1, sizeof *findings);
    if (!findings)
        return NULL;
    findings->most = most ? most : FINDINGS_DEFAULT;
    findings->on_finding = on_finding;
    findings->context = context;
    findings->now_ns = INT64_MIN;
    findings->digest = EVP_MD_CTX_new();
    if (!findings->digest || EVP_DigestInit_ex(findings->digest, EVP_sha256(), NULL) != 1) {
        findings_free(findings);
        return NULL;
    }
    return findings;
}

void findings_free(struct findings *findings)
{
    if (!findings)
        return;
    struct entry *entry, *next;
    HASH_ITER(hh, findings->table, entry, next)
    {
        HASH_DEL(findings->table, entry);
        entry_fini(entry);
        free(entry);
    }
    struct zone_note *note, *next_note;
    HASH_ITER(hh, findings->zones, note, next_note)
    {
        HASH_DEL(findings->zones, note);
        free(note);
    }
    EVP_MD_CTX_free(findings->digest);
    free(findings->sorted);
    free(findings);
}

uint64_t findings_dropped(const struct findings *findings)
{
    return findings->dropped;
}

uint64_t findings_suppressed(const struct findings *findings)
{
    return findings->suppressed;
}

/* --- identity ------------------------------------------------------------------------------ */

static void hash_start(struct findings *findings)
{
    if (EVP_DigestInit_ex(findings->digest, NULL, NULL) != 1)
        abort();
}

static void hash_part(struct findings *findings, const void *bytes, size_t size)
{
    uint8_t length[4] = {(uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8),
                         (uint8_t)size}; /* parts cannot run into each other */
    if (EVP_DigestUpdate(findings->digest, length, sizeof length) != 1 ||
        (size && EVP_DigestUpdate(findings->digest, bytes, size) != 1))
        abort();
}

static void hash_end(struct findings *findings, uint8_t ret_hash[EVP_MAX_MD_SIZE])
{
    if (EVP_DigestFinal_ex(findings->digest, ret_hash, NULL) != 1)
        abort();
}

static void make_id(struct findings *findings, enum rule_id rule, const struct subject *subject,
                    char ret_id[FINDING_ID_TEXT])
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    uint8_t type[2] = {(uint8_t)(subject->type >> 8), (uint8_t)subject->type};
    const char *id = rule_text(rule)->id;
    hash_start(findings);
    hash_part(findings, id, strlen(id));
    hash_part(findings, subject->zone, name_size(subject->zone));
    hash_part(findings, subject->owner, name_size(subject->owner));
    hash_part(findings, type, sizeof type);
    hash_part(findings, subject->identity, subject->identity ? subject->identity_size : 0);
    hash_end(findings, hash);
    for (size_t i = 0; i < ID_BYTES; i++)
        snprintf(ret_id + 2 * i, 3, "%02x", hash[i]);
}

static uint64_t content_hash(struct findings *findings, const struct finding *f)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    uint64_t first, numbers[] = {f->severity,    f->state,       f->reason,
                                 f->lossy,       f->count,       (uint64_t)f->first_seen_ns,
                                 f->frame_count, f->chain_count, (uint64_t)f->last_seen_ns,
                                 f->flaps};
    hash_start(findings);
    hash_part(findings, numbers, sizeof numbers);
    hash_part(findings, f->summary, f->summary ? strlen(f->summary) : 0);
    for (size_t i = 0; i < f->expected_count; i++)
        hash_part(findings, f->expected[i], strlen(f->expected[i]));
    hash_part(findings, NULL, 0); /* where one list ends */
    for (size_t i = 0; i < f->observed_count; i++)
        hash_part(findings, f->observed[i], strlen(f->observed[i]));
    hash_end(findings, hash);
    memcpy(&first, hash, sizeof first);
    return first;
}

/* Nothing is said twice: a finding that was judged again may have come out as it was. */
void findings_report(struct findings *findings, struct entry *entry)
{
    uint64_t content = content_hash(findings, &entry->finding);
    entry->finding.changed = false;
    if (content == entry->told)
        return;
    entry->told = content;
    entry->told_ns = findings->now_ns;
    if (findings->on_finding)
        findings->on_finding(findings->context, &entry->finding);
}

uint64_t finding_member(struct findings *findings, const uint8_t *owner, uint16_t type)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    uint64_t first;
    hash_start(findings);
    hash_part(findings, owner, name_size(owner));
    hash_part(findings, &type, sizeof type);
    hash_end(findings, hash);
    memcpy(&first, hash, sizeof first);
    return first;
}

static struct entry *entry_find(struct findings *findings, const char *id)
{
    struct entry *entry;
    HASH_FIND(hh, findings->table, id, FINDING_ID_TEXT - 1, entry);
    return entry;
}

struct entry *findings_entry(struct judge *judge, enum rule_id rule, const struct subject *subject)
{
    char id[FINDING_ID_TEXT];
    if (!findings_zone(judge->findings, subject->zone))
        return NULL;
    make_id(judge->findings, rule, subject, id);
    return entry_find(judge->findings, id);
}

struct zone_note *findings_zone(struct findings *findings, const uint8_t *zone)
{
    struct zone_note *note;
    HASH_FIND(hh, findings->zones, zone, name_size(zone), note);
    return note;
}

static struct zone_note *note_make(struct findings *findings, const uint8_t *zone)
{
    struct zone_note *note = findings_zone(findings, zone);
    if (note)
        return note;
    size_t size = name_size(zone);
    note = calloc(1, sizeof *note + size);
    if (!note)
        abort();
    note->size = size;
    memcpy(note->name, zone, size);
    HASH_ADD_KEYPTR(hh, findings->zones, note->name, note->size, note);
    findings->zone_count++;
    return note;
}

void findings_note_valid(struct findings *findings, const uint8_t *zone)
{
    struct zone_note *note = findings_zone(findings, zone);
    if (!note && findings->zone_count < ZONES_MAX)
        note = note_make(findings, zone);
    if (note)
        note->valid_seen = true;
}

bool findings_noted_valid(struct findings *findings, const uint8_t *zone)
{
    const struct zone_note *note = findings_zone(findings, zone);
    return note && note->valid_seen;
}

/* --- opening ------------------------------------------------------------------------------- */

static bool rests_on(const struct fact_suppression *rest, const uint8_t *name, uint16_t type)
{
    bool same = name_equal(name, rest->name);
    if (rest->type && rest->type != type)
        return false;
    return rest->subtree ? name_within(name, rest->name) && !same : same;
}

/* By the finding's own name, or by that of the RRset where a finding gathers many. */
static bool suppressed(const struct fact *fact, enum rule_id rule, const struct subject *subject)
{
    for (size_t i = 0; i < fact->baseline.suppression_count; i++) {
        const struct fact_suppression *rest = &fact->baseline.suppressions[i];
        if (strcmp(rest->rule, rule_text(rule)->id) != 0 || fact_clock(fact) > rest->until_ns)
            continue;
        if (rests_on(rest, subject->owner, subject->type) ||
            (fact->observed.owner && rests_on(rest, fact->observed.owner, fact->observed.type)))
            return true;
    }
    return false;
}

void findings_id(struct judge *judge, enum rule_id rule, const struct subject *subject,
                 char ret_id[FINDING_ID_TEXT])
{
    make_id(judge->findings, rule, subject, ret_id);
}

bool findings_open(struct judge *judge, enum rule_id rule, const struct subject *subject)
{
    const struct entry *entry = findings_entry(judge, rule, subject);
    return entry && entry->finding.state != FINDING_CLOSED;
}

uint8_t findings_mark(struct judge *judge, enum rule_id rule, const struct subject *subject)
{
    const struct entry *entry = findings_entry(judge, rule, subject);
    return entry && entry->finding.state != FINDING_CLOSED ? entry->mark : 0;
}

void findings_set_mark(struct judge *judge, enum rule_id rule, const struct subject *subject,
                       uint8_t mark)
{
    struct entry *entry = findings_entry(judge, rule, subject);
    if (entry)
        entry->mark = mark;
}

bool findings_has(struct judge *judge, enum rule_id rule, const struct subject *subject)
{
    return findings_entry(judge, rule, subject) != NULL;
}

/* Where a finding is open that repetitions may refute, they are looked at. */
void findings_count_open(struct entry *entry, int change)
{
    if (givers_kind(entry->finding.rule) != GIVERS_UNTRACKED)
        entry->zone->open = (size_t)((ptrdiff_t)entry->zone->open + change);
}

static struct entry *entry_make(struct findings *findings, enum rule_id rule,
                                const struct subject *subject, const char *id)
{
    struct entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        abort();
    struct finding *finding = &entry->finding;
    memcpy(finding->id, id, FINDING_ID_TEXT);
    finding->rule = rule;
    finding->type = subject->type;
    memcpy(finding->zone, subject->zone, name_size(subject->zone));
    memcpy(finding->owner, subject->owner, name_size(subject->owner));
    finding->first_seen_ns = INT64_MAX;
    finding->last_seen_ns = INT64_MIN;
    entry->earliest = INT64_MAX;
    entry->refuted_ns = INT64_MIN;
    entry->zone = note_make(findings, subject->zone);
    entry->next = entry->zone->first;
    entry->zone->first = entry;
    HASH_ADD(hh, findings->table, finding.id, FINDING_ID_TEXT - 1, entry);
    findings->count++;
    entry->cached_until_ns = INT64_MIN;
    findings_count_open(entry, 1);
    return entry;
}

struct entry *entry_begin(struct judge *judge, enum rule_id rule, const struct subject *subject)
{
    struct findings *findings = judge->findings;
    char id[FINDING_ID_TEXT];
    if (!judge->profile->enabled[rule] || judge->fact->again)
        return NULL;
    if (profile_excludes(judge->profile, subject->zone) || suppressed(judge->fact, rule, subject)) {
        findings->suppressed++;
        return NULL;
    }
    make_id(findings, rule, subject, id);
    struct entry *entry = entry_find(findings, id);
    if (!entry) {
        if (findings->count >= findings->most) {
            findings->dropped++;
            return NULL;
        }
        entry = entry_make(findings, rule, subject, id);
        entry->fresh = true;
    }
    if (entry->finding.state == FINDING_CLOSED)
        entry->earliest = INT64_MAX; /* it comes back with deadlines of its own */
    entry->joined = SIZE_MAX;
    return entry;
}

size_t findings_refutable(struct findings *findings, const uint8_t *zone)
{
    const struct zone_note *note = findings_zone(findings, zone);
    return note ? note->open : 0;
}

bool findings_concerns(struct judge *judge, enum rule_id rule, const struct subject *subject)
{
    const struct fact_rrset *set = &judge->fact->observed;
    const struct entry *entry = findings_entry(judge, rule, subject);
    return entry && entry_has(entry, finding_member(judge->findings, set->owner, set->type));
}

/* --- observations ------------------------------------------------------------------------ */

static enum severity grade(const struct judge *judge, enum rule_id rule, enum severity severity)
{
    if (judge->profile->severity[rule])
        severity = judge->profile->severity[rule];
    else if (!severity)
        severity = rule_text(rule)->severity;
    if (rule_text(rule)->absence && judge->fact->lossy && severity > SEVERITY_INFO)
        severity--;
    return severity;
}

/* Observed again: what was closed opens, and what was about to close stays open. */
static void reopen(struct entry *entry, int64_t time_ns)
{
    struct finding *finding = &entry->finding;
    if (finding->state == FINDING_CLOSED) {
        finding->state = FINDING_UPDATED;
        finding->closed_ns = 0;
        finding->closed_frame = 0;
        finding->flaps++;
        findings_count_open(entry, 1);
        entry->back = true;
        entry->updates = 0;
    } else if (entry->refuted_ns != INT64_MIN && time_ns >= entry->refuted_ns) {
        finding->flaps++;
    } else {
        return;
    }
    entry->refuted_ns = INT64_MIN;
}

void entry_declared(const struct judge *judge, struct entry *entry)
{
    if (judge->fact->baseline.sha256 == NULL)
        return;
    entry->finding.baseline = judge->fact->baseline.file;
    entry->finding.baseline_sha256 = judge->fact->baseline.sha256;
    entry->finding.baseline_version = judge->fact->baseline.version;
}

void entry_end(struct judge *judge, struct entry *entry, enum severity severity)
{
    struct finding *finding = &entry->finding;
    const struct fact *fact = judge->fact;
    severity = grade(judge, finding->rule, severity);
    bool worse = !entry->fresh && severity > finding->severity;
    finding->severity = severity > finding->severity ? severity : finding->severity;
    finding->lossy |= rule_text(finding->rule)->absence && fact->lossy;
    finding->kept |= fact->kept;
    finding->reason = fact->reason;
    if (rule_text(finding->rule)->needs_baseline)
        entry_declared(judge, entry);
    bool beside = (finding->rule == RULE_DS_UNKNOWN || finding->rule == RULE_DS_REMOVED) &&
                  fact->kind != FACT_DS && fact->kind != FACT_NO_DS; /* the child, not the parent */
    entry->aa |= fact->aa && !beside;
    if (fact->server) {
        entry->server_family = fact->server_family;
        memcpy(entry->server, fact->server, sizeof entry->server);
    }
    if (findings_is_givers(fact) && !beside && givers_kind(finding->rule) != GIVERS_UNTRACKED)
        entry_given(entry, fact->server_family, fact->server,
                    entry->joined == SIZE_MAX ? 0 : entry->members[entry->joined].rrset,
                    fact->time_ns, fact->observed.ttl);
    if (!judge->quiet || entry->fresh)
        entry_observe(entry, fact->time_ns);
    finding->changed = true; /* the text may have */
    for (size_t i = 0; i < fact->frame_count; i++)
        entry_cite(finding->frames, &finding->frame_count, fact->frames[i]);
    entry_cite(finding->frames, &finding->frame_count, fact->frame);
    finding->counted = fact->frame;
    for (size_t i = 0; i < fact->chain_count; i++)
        entry_cite(finding->chain, &finding->chain_count, fact->chain[i]);
    reopen(entry, fact->time_ns);
    if (entry->fresh || entry->back || worse) {
        if (!entry->fresh)
            finding->state = FINDING_UPDATED;
        entry->fresh = entry->back = false;
        findings_report(judge->findings, entry);
    }
    if (judge->count < judge->room)
        judge->ret[judge->count++] = finding;
}

void findings_lossy(struct findings *findings, int64_t from_ns, int64_t to_ns)
{
    for (struct entry *entry = findings->table; entry; entry = entry->hh.next) {
        struct finding *finding = &entry->finding;
        if (!rule_text(finding->rule)->absence || finding->lossy ||
            finding->last_seen_ns < from_ns || finding->first_seen_ns > to_ns)
            continue;
        finding->lossy = finding->changed = true;
        if (finding->severity > SEVERITY_INFO)
            finding->severity--;
    }
}

/* What a cache still holds of what an authority gave: no more than an echo. */
static bool is_echo(const struct entry *entry, const struct finding_sight *sight)
{
    return entry->aa && !sight->aa && sight->time_ns <= entry->cached_until_ns &&
           givers_kind(entry->finding.rule) == GIVERS_ALONE;
}

void findings_seen(struct findings *findings, struct finding *finding,
                   const struct finding_sight *sight)
{
    struct entry *entry = (struct entry *)finding;
    int64_t time_ns = sight->time_ns;
    findings_clock(findings, time_ns);
    entry_observe(entry, time_ns);
    entry_cite(finding->frames, &finding->frame_count, sight->frame);
    finding->counted = sight->frame;
    if (is_echo(entry, sight))
        return;
    if (sight->server && sight->aa && givers_kind(finding->rule) != GIVERS_UNTRACKED)
        entry_given(entry, sight->family, sight->server,
                    sight->owner && entry->gathers
                        ? finding_member(findings, sight->owner, sight->type)
                        : 0,
                    time_ns, sight->ttl);
    reopen(entry, time_ns);
    if (entry->back) {
        entry->back = false;
        findings_report(findings, entry);
    }
}

/* --- reporting ----------------------------------------------------------------------------- */

void findings_clock(struct findings *findings, int64_t now_ns)
{
    if (now_ns > findings->now_ns)
        findings->now_ns = now_ns;
}

/* Is it time to tell more of the same? Time that went backwards is no reason to be silent. */
static bool due(const struct findings *findings, const struct entry *entry)
{
    int64_t gap = entry->updates < 16 && UPDATE_GAP << entry->updates < UPDATE_GAP_MAX
                      ? UPDATE_GAP << entry->updates
                      : UPDATE_GAP_MAX;
    return findings->now_ns < entry->told_ns ||
           findings_since(entry->told_ns, findings->now_ns) >= gap;
}

void findings_flush(struct findings *findings, int64_t now_ns, bool end)
{
    findings->now_ns = now_ns;
    for (struct entry *entry = findings->table; entry; entry = entry->hh.next) {
        struct finding *finding = &entry->finding;
        if (entry->refuted_ns != INT64_MIN && finding->state != FINDING_CLOSED)
            findings_close_if_gone(findings, entry, now_ns, 0);
        if (!finding->changed || (!end && !due(findings, entry)))
            continue;
        if (finding->state == FINDING_OPEN && finding->count > 1)
            finding->state = FINDING_UPDATED;
        entry->updates++;
        findings_report(findings, entry);
    }
}

static int compare_findings(const void *a, const void *b)
{
    const struct finding *left = *(const struct finding *const *)a;
    const struct finding *right = *(const struct finding *const *)b;
    if (left->severity != right->severity)
        return left->severity > right->severity ? -1 : 1;
    if (left->first_seen_ns != right->first_seen_ns)
        return left->first_seen_ns < right->first_seen_ns ? -1 : 1;
    if (left->rule != right->rule)
        return left->rule < right->rule ? -1 : 1;
    return strcmp(left->id, right->id);
}

size_t findings_sorted(struct findings *findings, const struct finding *const **ret_findings)
{
    size_t count = 0;
    const struct finding **sorted =
        reallocarray(findings->sorted, findings->count + 1, sizeof *sorted);
    if (!sorted)
        abort();
    findings->sorted = sorted;
    for (struct entry *entry = findings->table; entry; entry = entry->hh.next)
        sorted[count++] = &entry->finding;
    qsort(sorted, count, sizeof *sorted, compare_findings);
    *ret_findings = sorted;
    return count;
}
