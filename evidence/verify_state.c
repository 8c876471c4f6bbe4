/*
 * verify_state: outcomes of checks and look-up of members.
 *
 * Contained in: verify, tests. Must never: print, open, or trust a length of the bundle.
 */
#include "evidence/verify_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 4, 0))) static void note(struct verify *v, enum verify_check check,
                                                       enum verify_outcome outcome,
                                                       const char *format, va_list arguments)
{
    struct verify_line *line = &v->report->line[check];
    if (outcome == VERIFY_FAIL)
        line->faults++;
    if (outcome <= line->outcome && line->outcome != VERIFY_NOT_CHECKED)
        return;
    line->outcome = outcome;
    if (vsnprintf(line->reason, sizeof line->reason, format, arguments) < 0)
        line->reason[0] = '\0';
}

#define NOTE(name, outcome)                                                                        \
    void name(struct verify *v, enum verify_check check, const char *format, ...)                  \
    {                                                                                              \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        note(v, check, outcome, format, arguments);                                                \
        va_end(arguments);                                                                         \
    }

NOTE(verify_fault, VERIFY_FAIL)
NOTE(verify_doubt, VERIFY_WARN)
NOTE(verify_passed, VERIFY_PASS)
NOTE(verify_skipped, VERIFY_NOT_CHECKED)

bool verify_has_failed(const struct verify *v, enum verify_check check)
{
    return v->report->line[check].outcome == VERIFY_FAIL;
}

bool verify_must_stop(const struct verify *v)
{
    if (!v->options->fail_fast)
        return false;
    for (size_t i = 0; i < VERIFY_CHECK_COUNT; i++)
        if (v->report->line[i].outcome == VERIFY_FAIL)
            return true;
    return false;
}

const char *verify_escape(const void *bytes, size_t size, struct verify_shown *ret_shown)
{
    const unsigned char *from = bytes;
    char *to = ret_shown->text;
    for (size_t i = 0; i < size && i < sizeof ret_shown->text / 4 - 1; i++) {
        if (from[i] >= ' ' && from[i] <= '~' && from[i] != '\\')
            *to++ = (char)from[i];
        else
            to += snprintf(to, 5, "\\%03u", from[i]);
    }
    *to = '\0';
    return ret_shown->text;
}

/* The first member not below `name` in byte order. */
static size_t lower_bound(const struct verify *v, const char *name)
{
    size_t low = 0, high = v->member_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(v->members[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct verify_member *verify_find(const struct verify *v, const char *name)
{
    size_t at = lower_bound(v, name);
    if (at == v->member_count || strcmp(v->members[at].name, name) != 0)
        return NULL;
    return &v->members[at];
}

size_t verify_first_under(const struct verify *v, const char *prefix)
{
    size_t at = lower_bound(v, prefix);
    return at < v->member_count && verify_starts(v->members[at].name, prefix) ? at
                                                                              : v->member_count;
}

bool verify_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}
