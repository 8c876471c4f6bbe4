/*
 * finding: the table of findings and their life: opened, supported, refuted, opened again.
 *
 * Contained in: analyze, tests. Must never free a finding before the table (the analyser keeps
 * pointers), nor grow beyond its limit, nor turn repetition into a flood: a finding that was closed
 * and came back REOPEN_MAX times stays open.
 */
#include "rules/judge.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define uthash_fatal(message) abort() /* our memory is gone: our own failure */
#include <uthash.h>

#define SUMMARY_ROOM 1024
#define ID_BYTES     ((FINDING_ID_TEXT - 1) / 2)
#define ZONES_MAX    16384 /* zones noted without a finding; more are not remembered */

struct entry {
    struct finding finding; /* first: a pointer to it is a pointer to the entry */
    struct entry *next;     /* of the same zone */
    struct zone_note *zone;
    uint64_t *members; /* RRsets that it is about, by hash; sorted by arrival */
    size_t member_count, member_room;
    uint64_t members_more; /* beyond MEMBERS_MAX: such a finding no longer closes by itself */
    size_t expected_more, observed_more;
    int64_t earliest;
    char *first; /* the first RRset, as text */
    unsigned reopened;
    bool fresh, back;                  /* to be reported by entry_end */
    bool aa;                           /* supported by an authoritative answer */
    uint8_t mark;                      /* the rule's own note on what it was last about */
    uint8_t server_family, server[16]; /* that last supported it; family 0: none */
    uint64_t told;                     /* hash of what was last reported */
    UT_hash_handle hh;
};

struct zone_note {
    struct entry *first;
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
    findings->digest = EVP_MD_CTX_new();
    if (!findings->digest || EVP_DigestInit_ex(findings->digest, EVP_sha256(), NULL) != 1) {
        findings_free(findings);
        return NULL;
    }
    return findings;
}

static void lines_free(char **lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(lines[i]);
    free(lines);
}

void findings_free(struct findings *findings)
{
    if (!findings)
        return;
    struct entry *entry, *next;
    HASH_ITER(hh, findings->table, entry, next)
    {
        HASH_DEL(findings->table, entry);
        lines_free(entry->finding.expected, entry->finding.expected_count);
        lines_free(entry->finding.observed, entry->finding.observed_count);
        free(entry->finding.summary);
        free(entry->first);
        free(entry->members);
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
                                 f->frame_count, f->chain_count, (uint64_t)f->last_seen_ns};
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
    if (findings->on_finding)
        findings->on_finding(findings->context, &entry->finding);
}

static uint64_t member_hash(struct findings *findings, const uint8_t *owner, uint16_t type)
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

bool findings_open(struct judge *judge, enum rule_id rule, const struct subject *subject)
{
    char id[FINDING_ID_TEXT];
    make_id(judge->findings, rule, subject, id);
    const struct entry *entry = entry_find(judge->findings, id);
    return entry && entry->finding.state != FINDING_CLOSED;
}

bool findings_has(struct judge *judge, enum rule_id rule, const struct subject *subject)
{
    char id[FINDING_ID_TEXT];
    make_id(judge->findings, rule, subject, id);
    return entry_find(judge->findings, id) != NULL;
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
    entry->zone = note_make(findings, subject->zone);
    entry->next = entry->zone->first;
    entry->zone->first = entry;
    HASH_ADD(hh, findings->table, finding.id, FINDING_ID_TEXT - 1, entry);
    findings->count++;
    return entry;
}

struct entry *entry_begin(struct judge *judge, enum rule_id rule, const struct subject *subject)
{
    struct findings *findings = judge->findings;
    char id[FINDING_ID_TEXT];
    if (!judge->profile->enabled[rule])
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
    return entry;
}

/* --- contents ------------------------------------------------------------------------------ */

static char *clean_copy(const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        abort();
    for (char *at = copy; *at; at++)
        if ((unsigned char)*at < 0x20 || (unsigned char)*at > 0x7e)
            *at = '?';
    return copy;
}

/* Adds the line unless it is there. Beyond LINES_MAX the last line tells how many more there are.
 */
static void add_line(char ***lines, size_t *count, size_t *more, const char *line)
{
    char *copy = clean_copy(line);
    for (size_t i = 0; i < *count; i++)
        if (strcmp((*lines)[i], copy) == 0) {
            free(copy);
            return;
        }
    if (*count < LINES_MAX) {
        char **grown = reallocarray(*lines, *count + 1, sizeof *grown);
        if (!grown)
            abort();
        *lines = grown;
        grown[(*count)++] = copy;
        return;
    }
    char rest[64];
    ++*more;
    snprintf(rest, sizeof rest, "; %zu more", *more + 1);
    free(copy);
    free((*lines)[LINES_MAX - 1]);
    (*lines)[LINES_MAX - 1] = clean_copy(rest);
}

void entry_clear(struct entry *entry)
{
    struct finding *finding = &entry->finding;
    lines_free(finding->expected, finding->expected_count);
    lines_free(finding->observed, finding->observed_count);
    finding->expected = finding->observed = NULL;
    finding->expected_count = finding->observed_count = 0;
    entry->expected_more = entry->observed_more = 0;
}

void entry_expected(struct entry *entry, const char *line)
{
    add_line(&entry->finding.expected, &entry->finding.expected_count, &entry->expected_more, line);
}

void entry_observed(struct entry *entry, const char *line)
{
    add_line(&entry->finding.observed, &entry->finding.observed_count, &entry->observed_more, line);
}

void entry_summary(struct entry *entry, const char *format, ...)
{
    char text[SUMMARY_ROOM];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    free(entry->finding.summary);
    entry->finding.summary = clean_copy(text);
}

static size_t member_at(const struct entry *entry, uint64_t hash)
{
    size_t at = 0;
    while (at < entry->member_count && entry->members[at] != hash)
        at++;
    return at;
}

bool entry_join(struct entry *entry, struct findings *findings, const uint8_t *owner, uint16_t type)
{
    uint64_t hash = member_hash(findings, owner, type);
    if (member_at(entry, hash) < entry->member_count)
        return false;
    if (entry->member_count == MEMBERS_MAX) {
        entry->members_more++;
        return true;
    }
    if (entry->member_count == entry->member_room) {
        size_t room = entry->member_room ? entry->member_room * 2 : 8;
        uint64_t *grown = reallocarray(entry->members, room, sizeof *grown);
        if (!grown)
            abort();
        entry->members = grown;
        entry->member_room = room;
    }
    entry->members[entry->member_count++] = hash;
    return true;
}

size_t entry_members(const struct entry *entry)
{
    return entry->member_count + (size_t)entry->members_more;
}

void entry_mark(struct entry *entry, uint8_t mark)
{
    entry->mark = mark;
}

const char *entry_first(struct entry *entry, const char *text)
{
    if (!entry->first)
        entry->first = clean_copy(text);
    return entry->first;
}

int64_t entry_earliest(struct entry *entry, int64_t seconds)
{
    if (seconds < entry->earliest)
        entry->earliest = seconds;
    return entry->earliest;
}

/* The first ones: each is held for the bundle, so that a flood cannot push the evidence out. */
static void cite(uint64_t *frames, size_t *count, uint64_t frame)
{
    if (frame == 0)
        return;
    for (size_t i = 0; i < *count; i++)
        if (frames[i] == frame)
            return;
    if (*count < FINDING_FRAMES_MAX)
        frames[(*count)++] = frame;
}

static void observe(struct finding *finding, int64_t time_ns)
{
    finding->count++;
    finding->changed = true;
    if (time_ns < finding->first_seen_ns)
        finding->first_seen_ns = time_ns;
    if (time_ns > finding->last_seen_ns)
        finding->last_seen_ns = time_ns;
}

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

static void reopen(struct entry *entry)
{
    if (entry->finding.state != FINDING_CLOSED)
        return;
    entry->finding.state = FINDING_UPDATED;
    entry->reopened++;
    entry->back = true;
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
    if (rule_text(finding->rule)->needs_baseline && fact->baseline.sha256) {
        finding->baseline = fact->baseline.file;
        finding->baseline_sha256 = fact->baseline.sha256;
    }
    entry->aa |= fact->aa;
    if (fact->server) {
        entry->server_family = fact->server_family;
        memcpy(entry->server, fact->server, sizeof entry->server);
    }
    if (!judge->quiet || entry->fresh)
        observe(finding, fact->time_ns);
    finding->changed = true; /* the text may have */
    for (size_t i = 0; i < fact->frame_count; i++)
        cite(finding->frames, &finding->frame_count, fact->frames[i]);
    cite(finding->frames, &finding->frame_count, fact->frame);
    for (size_t i = 0; i < fact->chain_count; i++)
        cite(finding->chain, &finding->chain_count, fact->chain[i]);
    reopen(entry);
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

void findings_seen(struct findings *findings, struct finding *finding, int64_t time_ns,
                   uint64_t frame)
{
    struct entry *entry = (struct entry *)finding;
    observe(finding, time_ns);
    cite(finding->frames, &finding->frame_count, frame);
    reopen(entry);
    if (entry->back) {
        entry->back = false;
        report(findings, entry);
    }
}

/* --- closing ------------------------------------------------------------------------------- */

static void entry_close(struct judge *judge, struct entry *entry)
{
    struct finding *finding = &entry->finding;
    if (finding->state == FINDING_CLOSED || entry->reopened >= REOPEN_MAX ||
        judge->fact->time_ns < finding->last_seen_ns || (entry->aa && !judge->fact->aa))
        return; /* a cached answer does not refute an authoritative one */
    finding->state = FINDING_CLOSED;
    report(judge->findings, entry);
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

bool findings_concerns(struct judge *judge, enum rule_id rule, const struct subject *subject)
{
    const struct fact_rrset *set = &judge->fact->observed;
    char id[FINDING_ID_TEXT];
    make_id(judge->findings, rule, subject, id);
    const struct entry *entry = entry_find(judge->findings, id);
    return entry && member_at(entry, member_hash(judge->findings, set->owner, set->type)) <
                        entry->member_count;
}

static void leave(struct judge *judge, struct entry *entry)
{
    const struct fact *fact = judge->fact;
    uint64_t hash = member_hash(judge->findings, fact->observed.owner, fact->observed.type);
    size_t at = member_at(entry, hash);
    if (at == entry->member_count)
        return;
    entry->members[at] = entry->members[--entry->member_count];
    if (entry->member_count == 0 && entry->members_more == 0)
        entry_close(judge, entry);
}

static bool may_leave(const struct judge *judge, const struct entry *entry, enum rule_id rule)
{
    return entry->finding.rule == rule && entry->member_count > 0 &&
           judge->fact->time_ns >= entry->finding.last_seen_ns;
}

void findings_leave(struct judge *judge, enum rule_id rule, const uint8_t *zone)
{
    struct zone_note *note = note_find(judge->findings, zone);
    for (struct entry *entry = note ? note->first : NULL; entry; entry = entry->next)
        if (may_leave(judge, entry, rule))
            leave(judge, entry);
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

/* --- reporting ----------------------------------------------------------------------------- */

void findings_flush(struct findings *findings)
{
    for (struct entry *entry = findings->table; entry; entry = entry->hh.next) {
        if (!entry->finding.changed)
            continue;
        if (entry->finding.state == FINDING_OPEN && entry->finding.count > 1)
            entry->finding.state = FINDING_UPDATED;
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
