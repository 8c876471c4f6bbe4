/*
 * report_out: text, CSV and JSON into a buffer of fixed size.
 *
 * Contained in: report, tests. Must never: let a byte through that a terminal would obey.
 */
#include "evidence/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FOLDED_MAX 8192

static void add(struct report_out *o, const char *text, size_t size)
{
    if (size > o->room - o->size) {
        o->full = true;
        size = o->room - o->size;
    }
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        o->bytes[o->size++] = c == '\n' || (c >= ' ' && c <= '~') ? c : '?';
    }
}

void report_put(struct report_out *o, const char *format, ...)
{
    char line[FOLDED_MAX];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (size > 0)
        add(o, line, (size_t)size < sizeof line ? (size_t)size : sizeof line - 1);
}

void report_fold(struct report_out *o, unsigned indent, const char *format, ...)
{
    char text[FOLDED_MAX];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t column = 0, columns = o->columns ? o->columns : REPORT_COLUMNS;
    for (const char *at = text; size > 0 && *at;) {
        size_t gap = strspn(at, " "), length = strcspn(at + gap, " ");
        bool folds = column > 0 && column + gap + length > columns;
        if (folds)
            add(o, "\n", 1);
        for (size_t i = 0; i < (folds ? indent : gap); i++)
            add(o, " ", 1);
        add(o, at + gap, length);
        column = folds ? indent + length : column + gap + length;
        at += gap + length;
    }
    add(o, "\n", 1);
}

void report_csv(struct report_out *o, const char *text, bool last)
{
    add(o, "\"", 1);
    if (text[0] && strchr("=+-@\t\r", text[0]))
        add(o, "'", 1);
    for (const char *at = text; *at; at++) {
        if (*at == '"')
            add(o, "\"", 1);
        add(o, *at == '\n' ? " " : at, 1);
    }
    add(o, "\"", 1);
    add(o, last ? "\n" : ",", 1);
}

void report_csv_number(struct report_out *o, uint64_t number, bool last)
{
    report_put(o, "%" PRIu64 "%s", number, last ? "\n" : ",");
}

void report_json(struct report_out *o, const struct report_case *c, json_t *json)
{
    json_t *all = json_pack("{s:{s:s, s:s}}", "source", "name", c->files->name, "standing",
                            c->files->standing);
    json_t *latin = all ? NULL : json_pack("{s:{s:s}}", "source", "standing", c->files->standing);
    all = all ? all : latin; /* a name that is no UTF-8 */
    if (all == NULL || json_object_update(all, json) < 0)
        o->full = true;
    json_decref(json);
    char *text = all ? json_dumps(all, JSON_INDENT(1) | JSON_ENSURE_ASCII) : NULL;
    json_decref(all);
    if (text == NULL) {
        o->full = true;
        return;
    }
    add(o, text, strlen(text));
    add(o, "\n", 1);
    free(text);
}

const char *report_moment(const char *time, char ret_text[REPORT_MOMENT])
{
    if (report_time(time) == INT64_MIN)
        snprintf(ret_text, REPORT_MOMENT, "not observed");
    else
        snprintf(ret_text, REPORT_MOMENT, "%.10s %.8s", time, time + 11);
    return ret_text;
}

const char *report_span(int64_t seconds, char ret_text[REPORT_SPAN])
{
    int64_t s = seconds < 0 ? 0 : seconds;
    if (s >= 2 * 86400)
        snprintf(ret_text, REPORT_SPAN, "%" PRId64 " d %" PRId64 " h", s / 86400, s % 86400 / 3600);
    else if (s >= 7200)
        snprintf(ret_text, REPORT_SPAN, "%" PRId64 " h %" PRId64 " min", s / 3600, s % 3600 / 60);
    else if (s >= 120)
        snprintf(ret_text, REPORT_SPAN, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
    else
        snprintf(ret_text, REPORT_SPAN, "%" PRId64 " s", s);
    return ret_text;
}

const char *report_outage(const json_t *outage)
{
    return strcmp(report_text(outage, "reason"), "error-response") == 0 ? "dark" : "bogus";
}

void report_head(struct report_out *o, const struct report_case *c, const char *what)
{
    char first[REPORT_MOMENT], last[REPORT_MOMENT];
    report_put(o, "%s of %s\n", what, c->files->name);
    if (report_known(c->run, "first"))
        report_put(o, "%s to %s UTC, %" PRIu64 " frames, %" PRIu64 " messages, %" PRIu64 " lost\n",
                   report_moment(report_text(c->run, "first"), first),
                   report_moment(report_text(c->run, "last"), last),
                   report_number(c->run, "frames"), report_number(c->run, "messages"),
                   report_number(c->run, "lost"));
    else
        report_put(o, "the run has not ended, or recorded no inventory: its span is not known\n");
    report_fold(o, 0, "%s", c->files->standing);
    if (c->unreadable)
        report_put(o, "%zu recorded lines could not be read and are left out\n", c->unreadable);
}
