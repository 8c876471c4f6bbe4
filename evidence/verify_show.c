/*
 * verify_show: a report for a person or a program.
 *
 * Contained in: verify, tests. Must never: print a byte of the bundle that the report did not
 * escape.
 */
#include "evidence/verify_show.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct {
    const char *name, *meaning;
} checks[] = {
#define X(id, name, meaning) {name, meaning},
    VERIFY_CHECKS(X)
#undef X
};

const char *verify_show_outcome(enum verify_outcome outcome)
{
    switch (outcome) {
    case VERIFY_PASS:
        return "PASS";
    case VERIFY_WARN:
        return "WARN";
    case VERIFY_FAIL:
        return "FAIL";
    default:
        return "NOT-CHECKED";
    }
}

static const char *result_text(enum verify_result result)
{
    switch (result) {
    case VERIFY_RESULT_VERIFIED:
        return "VERIFIED";
    case VERIFY_RESULT_INTEGRITY_ONLY:
        return "INTEGRITY ONLY";
    default:
        return "FAILED";
    }
}

static const char *result_meaning(enum verify_result result)
{
    switch (result) {
    case VERIFY_RESULT_VERIFIED:
        return "nothing was changed since it was sealed, by whom the authority given certified";
    case VERIFY_RESULT_INTEGRITY_ONLY:
        return "nothing was changed since it was sealed; by whom is not proven";
    default:
        return "it is not what was sealed, or does not hold together: see FAIL";
    }
}

static void when_text(int64_t seconds, char *ret_text, size_t room)
{
    time_t when = (time_t)seconds;
    struct tm tm;
    ret_text[0] = '\0';
    if (seconds != 0 && gmtime_r(&when, &tm))
        strftime(ret_text, room, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

#define TEXT_ROOM                                                                                  \
    ((size_t)(VERIFY_CHECK_COUNT + VERIFY_APART_MAX + VERIFY_APART_KINDS + 8) *                    \
     (VERIFY_REASON_MAX + 64))

static const struct {
    const char *name, *meaning;
} aparts[] = {
#define X(id, name, meaning) {name, meaning},
    VERIFY_APARTS(X)
#undef X
};

struct page {
    char *text;
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct page *p, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(p->text + p->used, TEXT_ROOM - p->used, format, arguments);
    va_end(arguments);
    if (size > 0)
        p->used += (size_t)size < TEXT_ROOM - p->used ? (size_t)size : TEXT_ROOM - p->used - 1;
}

static uint64_t count_apart(const struct verify_report *r)
{
    uint64_t count = 0;
    for (size_t i = 0; i < VERIFY_APART_KINDS; i++)
        count += r->apart_count[i];
    return count;
}

/* Which findings do not stand as they were sealed, a line each, and what that means. */
static void add_apart(struct page *p, const struct verify_report *r)
{
    uint64_t count = count_apart(r), shown = count < VERIFY_APART_MAX ? count : VERIFY_APART_MAX;
    if (count == 0)
        return;
    add(p, "\n");
    for (size_t i = 0; i < shown; i++) {
        const struct verify_apart *a = &r->apart[i];
        add(p, "%-12s  %s  %s%s%s", aparts[a->kind].name, a->id, a->rule, a->zone[0] ? " " : "",
            a->zone);
        if (a->member[0])
            add(p, ": %s", a->member);
        add(p, "\n");
    }
    if (count > shown)
        add(p, "and %" PRIu64 " more\n", count - shown);
    for (size_t i = 0; i < VERIFY_APART_KINDS; i++)
        if (r->apart_count[i] > 0)
            add(p, "  %s: %s\n", aparts[i].name, aparts[i].meaning);
}

char *verify_show_text(const struct verify_report *r, enum verify_result result)
{
    struct page p = {.text = malloc(TEXT_ROOM)};
    if (!p.text)
        return NULL;
    p.text[0] = '\0';
    for (size_t i = 0; i < VERIFY_CHECK_COUNT; i++) {
        const struct verify_line *line = &r->line[i];
        add(&p, "%-11s  %-16s  %s", verify_show_outcome(line->outcome), checks[i].name,
            line->reason);
        if (line->faults > 1)
            add(&p, " (and %u more)", line->faults - 1);
        add(&p, "\n");
    }
    char when[32];
    when_text(r->sealed_at, when, sizeof when);
    add_apart(&p, r);
    add(&p, "\n");
    if (r->folder[0])
        add(&p, "bundle    %s\n", r->folder);
    if (r->origin[0])
        add(&p, "log       %s\n          %" PRIu64 " records, root %s\n", r->origin, r->log_size,
            r->log_root);
    if (r->identity[0])
        add(&p, "sealed    %s by %s%s\n", when, r->identity,
            r->line[VERIFY_IDENTITY].outcome == VERIFY_PASS ? "" : " (its own word)");
    if (result != VERIFY_RESULT_FAILED)
        add(&p, "cannot    tell frames injected before the tap from frames that were sent there\n");
    add(&p, "means     %s\n", result_meaning(result));
    add(&p, "%s\n", result_text(result));
    return p.text;
}

static json_t *json_apart(const struct verify_report *r)
{
    uint64_t count = count_apart(r), shown = count < VERIFY_APART_MAX ? count : VERIFY_APART_MAX;
    json_t *list = json_array();
    for (size_t i = 0; i < shown; i++) {
        const struct verify_apart *a = &r->apart[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", a->id, "rule",
                                              a->rule, "zone", a->zone, "derived",
                                              aparts[a->kind].name, "differs", a->member));
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "same", (json_int_t)r->same,
                     "fewer", (json_int_t)r->fewer, "partly",
                     (json_int_t)r->apart_count[VERIFY_PARTLY], "not_derived",
                     (json_int_t)r->apart_count[VERIFY_ABSENT], "own_word",
                     (json_int_t)r->apart_count[VERIFY_OWN], "not_sealed",
                     (json_int_t)r->apart_count[VERIFY_ADDED], "contradicted",
                     (json_int_t)r->apart_count[VERIFY_CONTRARY], "apart", list);
}

char *verify_show_json(const struct verify_report *r, enum verify_result result)
{
    char when[32];
    when_text(r->sealed_at, when, sizeof when);
    json_t *list = json_array();
    for (size_t i = 0; i < VERIFY_CHECK_COUNT; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:i}", "check", checks[i].name,
                                              "outcome", verify_show_outcome(r->line[i].outcome),
                                              "reason", r->line[i].reason, "meaning",
                                              checks[i].meaning, "faults", (int)r->line[i].faults));
    json_t *all =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:o, s:o}", "result", result_text(result),
                  "bundle", r->folder, "identity", r->identity, "sealed_at", when, "log_origin",
                  r->origin, "log_size", (json_int_t)r->log_size, "log_root", r->log_root, "checks",
                  list, "findings", json_apart(r));
    char *text = all ? json_dumps(all, JSON_INDENT(2)) : NULL;
    json_decref(all);
    if (!text)
        return NULL;
    size_t size = strlen(text);
    char *line = realloc(text, size + 2);
    if (!line) {
        free(text);
        return NULL;
    }
    memcpy(line + size, "\n", 2);
    return line;
}
