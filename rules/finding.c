/*
 * finding: the table of findings and their life: opened, supported, refuted, opened again.
 *
 * Contained in: analyze, tests. Must never free a finding before the table (the analyser keeps
 * pointers), nor grow beyond its limit, nor turn repetition into a flood: more of the same is told
 * at growing intervals, and what comes and goes has to be gone for a while before it closes again.
 */
#include "rules/entry.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_BYTES  ((FINDING_ID_TEXT - 1) / 2)
#define ZONES_MAX 16384 /* zones noted without a finding; more are not remembered */

struct zone_note {
    struct entry *first;
    size_t open; /* findings in it that repetitions may refute */
    bool valid_seen;
    UT_hash_handle hh;
    size_t size;
    uint8_t name[];
};

struct findings {
    struct entry *table;
    struct zone_note *zones;
    size_t most, count, zone_count;
    rules_on_finding *on_finding;
    void *context;
    uint64_t dropped, suppressed;
    int64_t now_ns; /* packet time of the latest fact, observation or flush */
    EVP_MD_CTX *digest;
    const struct finding **sorted;
};

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
static void report(struct findings *findings, struct entry *entry)
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

static struct zone_note *note_find(struct findings *findings, const uint8_t *zone)
{
    struct zone_note *note;
    HASH_FIND(hh, findings->zones, zone, name_size(zone), note);
    return note;
}

static struct zone_note *note_make(struct findings *findings, const uint8_t *zone)
{
    struct zone_note *note = note_find(findings, zone);
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
    struct zone_note *note = note_find(findings, zone);
    if (!note && findings->zone_count < ZONES_MAX)
        note = note_make(findings, zone);
    if (note)
        note->valid_seen = true;
}

bool findings_noted_valid(struct findings *findings, const uint8_t *zone)
{
    const struct zone_note *note = note_find(findings, zone);
    return note && note->valid_seen;
}

/* --- opening ------------------------------------------------------------------------------- */

static bool rests_on(const struct fact_suppression *rest, const uint8_t *name)
{
    bool same = name_equal(name, rest->name);
    return rest->subtree ? name_within(name, rest->name) && !same : same;
}

/* By the finding's own name, or by that of the RRset where a finding gathers many. */
static bool suppressed(const struct fact *fact, enum rule_id rule, const struct subject *subject)
{
    for (size_t i = 0; i < fact->baseline.suppression_count; i++) {
        const struct fact_suppression *rest = &fact->baseline.suppressions[i];
        if (strcmp(rest->rule, rule_text(rule)->id) != 0 || fact_clock(fact) > rest->until_ns)
            continue;
        if (rests_on(rest, subject->owner) ||
            (fact->observed.owner && rests_on(rest, fact->observed.owner)))
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
    char id[FINDING_ID_TEXT];
    make_id(judge->findings, rule, subject, id);
    const struct entry *entry = entry_find(judge->findings, id);
    return entry && entry->finding.state != FINDING_CLOSED;
}

uint8_t findings_mark(struct judge *judge, enum rule_id rule, const struct subject *subject)
{
    char id[FINDING_ID_TEXT];
    make_id(judge->findings, rule, subject, id);
    const struct entry *entry = entry_find(judge->findings, id);
    return entry && entry->finding.state != FINDING_CLOSED ? entry->mark : 0;
}

void findings_set_mark(struct judge *judge, enum rule_id rule, const struct subject *subject,
                       uint8_t mark)
{
    char id[FINDING_ID_TEXT];
    make_id(judge->findings, rule, subject, id);
    struct entry *entry = entry_find(judge->findings, id);
    if (entry)
        entry->mark = mark;
}

bool findings_has(struct judge *judge, enum rule_id rule, const struct subject *subject)
{
    char id[FINDING_ID_TEXT];
    make_id(judge->findings, rule, subject, id);
    return entry_find(judge->findings, id) != NULL;
}

/* Where a finding is open that repetitions may refute, they are looked at. */
static void count_open(struct entry *entry, int change)
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
    count_open(entry, 1);
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

/* Who gave it is the one to be asked: an authority, or the parent that refers to the zone. */
static bool is_givers(const struct fact *fact)
{
    return fact->server && (fact->aa || fact->from_referral);
}

/* Observed again: what was closed opens, and what was about to close stays open. */
static void reopen(struct entry *entry, int64_t time_ns)
{
    struct finding *finding = &entry->finding;
    if (finding->state == FINDING_CLOSED) {
        finding->state = FINDING_UPDATED;
        finding->flaps++;
        count_open(entry, 1);
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
    if (is_givers(fact) && !beside && givers_kind(finding->rule) != GIVERS_UNTRACKED)
        entry_given(entry, fact->server_family, fact->server,
                    entry->joined == SIZE_MAX ? 0 : entry->members[entry->joined].rrset,
                    fact->time_ns, fact->observed.ttl);
    if (!judge->quiet || entry->fresh)
        entry_observe(entry, fact->time_ns);
    finding->changed = true; /* the text may have */
    for (size_t i = 0; i < fact->frame_count; i++)
        entry_cite(finding->frames, &finding->frame_count, fact->frames[i]);
    entry_cite(finding->frames, &finding->frame_count, fact->frame);
    for (size_t i = 0; i < fact->chain_count; i++)
        entry_cite(finding->chain, &finding->chain_count, fact->chain[i]);
    reopen(entry, fact->time_ns);
    if (entry->fresh || entry->back || worse) {
        if (!entry->fresh)
            finding->state = FINDING_UPDATED;
        entry->fresh = entry->back = false;
        report(judge->findings, entry);
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
        report(findings, entry);
    }
}

/* --- closing ------------------------------------------------------------------------------- */

/* From then to now, or INT64_MAX when that is more than fits; times of files may be anything. */
static int64_t since(int64_t then_ns, int64_t now_ns)
{
    int64_t elapsed;
    return __builtin_sub_overflow(now_ns, then_ns, &elapsed) ? INT64_MAX : elapsed;
}

/* How long it must stay away before it closes. */
static int64_t hold(const struct finding *finding)
{
    if (finding->flaps <= FLAP_FREE)
        return 0;
    unsigned doublings = finding->flaps - FLAP_FREE - 1;
    return doublings < 16 && FLAP_HOLD << doublings < FLAP_HOLD_MAX ? FLAP_HOLD << doublings
                                                                    : FLAP_HOLD_MAX;
}

static void close_now(struct findings *findings, struct entry *entry)
{
    entry->refuted_ns = INT64_MIN;
    entry->finding.state = FINDING_CLOSED;
    entry->given = 0;
    count_open(entry, -1);
    report(findings, entry);
}

static void close_if_gone(struct findings *findings, struct entry *entry, int64_t now_ns)
{
    if (now_ns >= entry->refuted_ns && since(entry->refuted_ns, now_ns) >= hold(&entry->finding))
        close_now(findings, entry);
}

static void refute(struct judge *judge, struct entry *entry, int64_t now_ns)
{
    if (entry->refuted_ns == INT64_MIN)
        entry->refuted_ns = now_ns;
    close_if_gone(judge->findings, entry, now_ns);
}

/* Bits of the servers that the fact shows to be in order, or that nobody waits for: all where it
 * needs no particular server, 0 where it refutes nothing. */
static uint32_t strikes(const struct judge *judge, const struct entry *entry)
{
    const struct fact *fact = judge->fact;
    enum givers_kind kind = givers_kind(entry->finding.rule);
    bool anyone = fact->revised || entry->givers.count == 0 || kind == GIVERS_UNTRACKED ||
                  (kind == GIVERS_ANEW && !fact->again);
    if (fact->again && (kind == GIVERS_UNTRACKED || entry->givers.count == 0))
        return 0;
    if (anyone)
        return UINT32_MAX;
    if (!is_givers(fact))
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
    char id[FINDING_ID_TEXT];
    if (!note_find(judge->findings, subject->zone))
        return;
    make_id(judge->findings, rule, subject, id);
    struct entry *entry = entry_find(judge->findings, id);
    if (entry)
        entry_close(judge, entry);
}

void findings_close_zone(struct judge *judge, enum rule_id rule, const uint8_t *zone)
{
    struct zone_note *note = note_find(judge->findings, zone);
    for (struct entry *entry = note ? note->first : NULL; entry; entry = entry->next)
        if (entry->finding.rule == rule)
            entry_close(judge, entry);
}

void findings_close_but(struct judge *judge, enum rule_id rule, const uint8_t *zone,
                        const char (*ids)[FINDING_ID_TEXT], size_t count)
{
    struct zone_note *note = note_find(judge->findings, zone);
    for (struct entry *entry = note ? note->first : NULL; entry; entry = entry->next) {
        bool meant = entry->finding.rule == rule && entry->finding.state != FINDING_CLOSED;
        for (size_t i = 0; meant && i < count; i++)
            meant = memcmp(ids[i], entry->finding.id, FINDING_ID_TEXT) != 0;
        if (meant)
            entry_close(judge, entry);
    }
}

size_t findings_refutable(struct findings *findings, const uint8_t *zone)
{
    const struct zone_note *note = note_find(findings, zone);
    return note ? note->open : 0;
}

bool findings_concerns(struct judge *judge, enum rule_id rule, const struct subject *subject)
{
    const struct fact_rrset *set = &judge->fact->observed;
    char id[FINDING_ID_TEXT];
    make_id(judge->findings, rule, subject, id);
    const struct entry *entry = entry_find(judge->findings, id);
    return entry && entry_has(entry, finding_member(judge->findings, set->owner, set->type));
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
        close_now(judge->findings, entry); /* it did not go away and may return: it never was */
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
        close_if_gone(judge->findings, entry, judge->findings->now_ns);
}

void findings_leave(struct judge *judge, enum rule_id rule, const uint8_t *zone)
{
    struct zone_note *note = note_find(judge->findings, zone);
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
    struct zone_note *note = note_find(judge->findings, zone);
    for (struct entry *entry = note ? note->first : NULL; entry; entry = entry->next)
        if (may_leave(judge, entry, rule) && fact->server &&
            entry->server_family == fact->server_family &&
            memcmp(entry->server, fact->server, sizeof entry->server) == 0)
            leave(judge, entry);
}

void findings_close_quiet(struct judge *judge, enum rule_id rule, const uint8_t *zone, uint8_t mark,
                          int64_t quiet_ns)
{
    struct zone_note *note = note_find(judge->findings, zone);
    for (struct entry *entry = note ? note->first : NULL; entry; entry = entry->next)
        if (entry->finding.rule == rule && entry->mark == mark &&
            judge->fact->time_ns - entry->finding.last_seen_ns >= quiet_ns)
            entry_close(judge, entry);
}

void findings_leave_one(struct judge *judge, enum rule_id rule, const struct subject *subject)
{
    char id[FINDING_ID_TEXT];
    if (!note_find(judge->findings, subject->zone))
        return;
    make_id(judge->findings, rule, subject, id);
    struct entry *entry = entry_find(judge->findings, id);
    if (entry && may_leave(judge, entry, rule))
        leave(judge, entry);
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
    return findings->now_ns < entry->told_ns || since(entry->told_ns, findings->now_ns) >= gap;
}

void findings_flush(struct findings *findings, int64_t now_ns, bool end)
{
    findings->now_ns = now_ns;
    for (struct entry *entry = findings->table; entry; entry = entry->hh.next) {
        struct finding *finding = &entry->finding;
        if (entry->refuted_ns != INT64_MIN && finding->state != FINDING_CLOSED)
            close_if_gone(findings, entry, now_ns);
        if (!finding->changed || (!end && !due(findings, entry)))
            continue;
        if (finding->state == FINDING_OPEN && finding->count > 1)
            finding->state = FINDING_UPDATED;
        entry->updates++;
        report(findings, entry);
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
