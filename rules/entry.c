/*
 * entry: filling a finding: its lines, the RRsets and keys that it gathers, the frames it cites.
 *
 * Contained in: analyze, tests. Must never let a finding grow with the traffic: each list has its
 * limit, and what did not fit is counted.
 */
#include "rules/entry.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void lines_free(char **lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(lines[i]);
    free(lines);
}

static void proof_free(struct finding_proof *proof)
{
    if (!proof)
        return;
    lines_free(proof->first, proof->first_count);
    lines_free(proof->second, proof->second_count);
    lines_free(proof->chain, proof->chain_count);
    lines_free(proof->served, proof->served_count);
    free(proof);
}

void entry_fini(struct entry *entry)
{
    proof_free(entry->finding.proof);
    lines_free(entry->finding.expected, entry->finding.expected_count);
    lines_free(entry->finding.observed, entry->finding.observed_count);
    free(entry->finding.summary);
    free(entry->first);
    free(entry->members);
    givers_fini(&entry->givers);
}

/* --- lines --------------------------------------------------------------------------------- */

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

static char **copy_lines(const char *const *lines, size_t count)
{
    char **copy = calloc(count ? count : 1, sizeof *copy);
    if (!copy)
        abort();
    for (size_t i = 0; i < count; i++)
        copy[i] = clean_copy(lines[i]);
    return copy;
}

void entry_proof(struct entry *entry, const struct fact_exhibit *proof, const char *const served[2])
{
    if (entry->finding.proof)
        return;
    struct finding_proof *copy = calloc(1, sizeof *copy);
    if (!copy)
        abort();
    *copy = (struct finding_proof){.first = copy_lines(proof->first, proof->first_count),
                                   .second = copy_lines(proof->second, proof->second_count),
                                   .chain = copy_lines(proof->chain, proof->chain_count),
                                   .served = copy_lines(served, 2),
                                   .served_count = 2,
                                   .first_count = proof->first_count,
                                   .second_count = proof->second_count,
                                   .chain_count = proof->chain_count};
    entry->finding.proof = copy;
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

/* --- the RRsets it is about, and the keys ---------------------------------------------------- */

bool entry_has(const struct entry *entry, uint64_t rrset)
{
    for (size_t i = 0; i < entry->member_count; i++)
        if (entry->members[i].rrset == rrset)
            return true;
    return false;
}

static void key_joins(struct entry *entry, uint32_t key)
{
    if (key == ENTRY_NO_KEY)
        return;
    for (size_t i = 0; i < entry->key_count; i++)
        if (entry->keys[i].key == key) {
            entry->keys[i].members++;
            return;
        }
    if (entry->key_count == ENTRY_KEYS_MAX)
        entry->keys_more++;
    else
        entry->keys[entry->key_count++] = (struct entry_key){key, 1};
}

static void key_leaves(struct entry *entry, uint32_t key)
{
    for (size_t i = 0; i < entry->key_count; i++)
        if (entry->keys[i].key == key && --entry->keys[i].members == 0) {
            entry->key_count--;
            memmove(&entry->keys[i], &entry->keys[i + 1],
                    (entry->key_count - i) * sizeof *entry->keys);
            return;
        }
}

/* False: there is no room. */
static bool add_member(struct entry *entry, struct member member)
{
    if (entry->member_count == MEMBERS_MAX)
        return false;
    if (entry->member_count == entry->member_room) {
        size_t room = entry->member_room ? entry->member_room * 2 : 8;
        struct member *grown = reallocarray(entry->members, room, sizeof *grown);
        if (!grown)
            abort();
        entry->members = grown;
        entry->member_room = room;
    }
    entry->members[entry->member_count++] = member;
    return true;
}

bool entry_join(struct entry *entry, struct findings *findings, const uint8_t *owner, uint16_t type)
{
    return entry_join_key(entry, findings, owner, type, ENTRY_NO_KEY, INT64_MIN);
}

bool entry_join_key(struct entry *entry, struct findings *findings, const uint8_t *owner,
                    uint16_t type, uint32_t key, int64_t time_ns)
{
    struct member new = {finding_member(findings, owner, type), time_ns, key, 0};
    bool known = false;
    entry->joined = SIZE_MAX;
    for (size_t i = 0; i < entry->member_count; i++) {
        struct member *member = &entry->members[i];
        if (member->rrset != new.rrset)
            continue;
        known = true;
        if (member->key != key)
            continue;
        if (time_ns > member->time_ns)
            member->time_ns = time_ns;
        entry->joined = i;
        return false;
    }
    entry->gathers = true;
    if (!add_member(entry, new)) {
        entry->members_more += !known;
        return !known;
    }
    entry->joined = entry->member_count - 1;
    entry->rrset_count += !known;
    key_joins(entry, key);
    return !known;
}

/* Some RRset, or that of a finding without such a list. */
static void give(struct entry *entry, uint64_t rrset, int64_t time_ns, uint32_t bit)
{
    bool known = false;
    entry->given |= bit;
    for (size_t i = 0; i < entry->member_count; i++)
        if (entry->members[i].rrset == rrset) {
            entry->members[i].given |= bit;
            known = true;
        }
    if (known || !entry->gathers)
        return;
    if (add_member(entry, (struct member){rrset, time_ns, ENTRY_NO_KEY, bit}))
        entry->rrset_count++;
}

void entry_given(struct entry *entry, uint8_t family, const uint8_t address[16], uint64_t rrset,
                 int64_t time_ns, uint32_t ttl)
{
    uint32_t lost, bit = givers_note(&entry->givers, family, address, time_ns, &lost);
    int64_t until;
    for (size_t i = 0; lost && i < entry->member_count; i++)
        entry->members[i].given &= ~lost;
    entry->given &= ~lost;
    give(entry, rrset, time_ns, bit);
    if (__builtin_add_overflow(time_ns, (int64_t)ttl * 1000000000, &until))
        until = INT64_MAX;
    if (until > entry->cached_until_ns)
        entry->cached_until_ns = until;
}

/* Those of the RRset, or all, that nobody gives so any more: true if there were any. */
static bool drop_members(struct entry *entry, const uint64_t *only, int64_t until_ns,
                         uint32_t struck)
{
    bool any = false;
    for (size_t i = 0; i < entry->member_count;) {
        struct member *member = &entry->members[i];
        bool meant = only ? member->rrset == *only : (member->given & struck) != 0;
        if (meant)
            member->given &= ~struck;
        if (!meant || member->time_ns > until_ns || member->given) {
            i++;
            continue;
        }
        uint64_t rrset = member->rrset;
        key_leaves(entry, member->key);
        *member = entry->members[--entry->member_count];
        entry->rrset_count -= !entry_has(entry, rrset);
        any = true;
    }
    return any;
}

static bool gives(const struct entry *entry, uint64_t rrset, uint32_t bit)
{
    for (size_t i = 0; bit && i < entry->member_count; i++)
        if (entry->members[i].rrset == rrset && entry->members[i].given & bit)
            return true;
    return false;
}

bool entry_leave(struct entry *entry, uint64_t rrset, int64_t until_ns, uint32_t struck,
                 uint32_t own)
{
    bool whole = gives(entry, rrset, own);
    bool any = drop_members(entry, &rrset, until_ns, struck);
    if (whole)
        any |= drop_members(entry, NULL, until_ns, own);
    return any && entry->member_count == 0 && entry->members_more == 0;
}

size_t entry_members(const struct entry *entry)
{
    return entry->rrset_count + (size_t)entry->members_more;
}

/* "key 12345 (RSASHA256)", "keys 12345, 23456 (RSASHA256)", "keys 1 (RSASHA256), 2 (ED25519) and 3
 * more" */
const char *entry_keys(const struct judge *judge, const struct entry *entry, char *ret_text,
                       size_t room)
{
    size_t shown = entry->key_count < ENTRY_KEYS_SHOWN ? entry->key_count : ENTRY_KEYS_SHOWN;
    size_t more = entry->key_count - shown, used = 0;
    char name[32];
    used += (size_t)snprintf(ret_text, room, "key%s ", entry->key_count > 1 ? "s" : "");
    for (size_t i = 0; i < shown && used < room; i++) {
        uint32_t key = entry->keys[i].key;
        bool last = i + 1 == shown || entry->keys[i + 1].key >> 16 != key >> 16;
        used += (size_t)snprintf(ret_text + used, room - used, "%s%u", i ? ", " : "",
                                 (unsigned)(key & 0xffff));
        if (last && used < room)
            used += (size_t)snprintf(ret_text + used, room - used, " (%s)",
                                     text_algorithm(judge, (uint8_t)(key >> 16), name));
    }
    if (entry->keys_more && used < room)
        snprintf(ret_text + used, room - used, " and more");
    else if (more && used < room)
        snprintf(ret_text + used, room - used, " and %zu more", more);
    return ret_text;
}

/* --- observations ---------------------------------------------------------------------------- */

void entry_cite(uint64_t *frames, size_t *count, uint64_t frame)
{
    if (frame == 0)
        return;
    for (size_t i = 0; i < *count; i++)
        if (frames[i] == frame)
            return;
    if (*count < FINDING_FRAMES_MAX)
        frames[(*count)++] = frame;
}

void entry_observe(struct entry *entry, int64_t time_ns)
{
    struct finding *finding = &entry->finding;
    finding->count++;
    finding->changed = true;
    if (time_ns < finding->first_seen_ns)
        finding->first_seen_ns = time_ns;
    if (time_ns > finding->last_seen_ns)
        finding->last_seen_ns = time_ns;
}
