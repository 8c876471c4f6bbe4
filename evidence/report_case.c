/*
 * report_case: the recorded lines, read once.
 *
 * Contained in: report, tests. Must never: believe that a line is what its file's name promises.
 */
#include "evidence/report.h"

#include "evidence/verify_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Alerts of a run that are kept; each is a change of a finding, which are damped. */
#define ALERTS_MAX 200000

const char *report_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

uint64_t report_number(const json_t *object, const char *key)
{
    json_int_t number = json_integer_value(json_object_get(object, key));
    return number > 0 ? (uint64_t)number : 0;
}

bool report_is(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

bool report_known(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return value && !json_is_null(value);
}

bool report_same(const json_t *object, const char *key, const char *value)
{
    return strcmp(report_text(object, key), value) == 0;
}

int64_t report_time(const char *text)
{
    struct tm tm = {.tm_mday = 1};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    int64_t fraction = 0, unit = 100000000, ns;
    if (end == NULL)
        return INT64_MIN;
    if (*end == '.')
        for (end++; *end >= '0' && *end <= '9'; end++, unit /= 10)
            fraction += (*end - '0') * unit;
    if (end[0] != 'Z' || end[1] ||
        __builtin_mul_overflow((int64_t)timegm(&tm), INT64_C(1000000000), &ns))
        return INT64_MIN;
    return ns + fraction;
}

/* --- lines --- */

static void take_inventory(struct report_case *c, json_t *line, json_t *by_zone)
{
    if (report_same(line, "record", "zone") && report_text(line, "zone")[0])
        json_object_set(by_zone, report_text(line, "zone"), line);
    else if (report_same(line, "record", "received"))
        json_object_set(c->received, report_text(line, "finding"), line);
    else if (report_same(line, "record", "run")) {
        json_decref(c->run);
        c->run = json_incref(line);
    } else
        c->unreadable++;
}

static void take_finding(struct report_case *c, json_t *line, json_t *by_id)
{
    if (report_text(line, "id")[0] && report_text(line, "rule")[0])
        json_object_set(by_id, report_text(line, "id"), line);
    else
        c->unreadable++;
}

static void take_record(struct report_case *c, json_t *line, json_t *none)
{
    static const char *const kept[] = {"open", "source", "gap", "clock", "close"};
    (void)none;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (report_same(line, "type", kept[i]))
            json_array_append(c->records, line);
}

static void take_alert(struct report_case *c, json_t *line, json_t *none)
{
    (void)none;
    if (report_same(line, "event_type", "alert") && json_array_size(c->alerts) < ALERTS_MAX)
        json_array_append(c->alerts, line);
}

/* Lines without `word` are not looked at; a last line without line feed is still being written. */
static void each_line(struct report_case *c, struct report_bytes file, const char *word,
                      void (*take)(struct report_case *, json_t *, json_t *), json_t *into)
{
    struct verify_text rest = {.at = (const char *)file.bytes, .size = file.size}, line;
    json_error_t error;
    while (file.bytes && verify_next_line(&rest, &line) > 0) {
        if (word && memmem(line.at, line.size, word, strlen(word)) == NULL)
            continue;
        json_t *object = json_loadb(line.at, line.size, JSON_REJECT_DUPLICATES, &error);
        if (json_is_object(object))
            take(c, object, into);
        else
            c->unreadable++;
        json_decref(object);
    }
}

/* --- order --- */

static int by_member(const void *a, const void *b, void *key)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    int order = strcmp(report_text(x, key), report_text(y, key));
    return order ? order : strcmp(report_text(x, "id"), report_text(y, "id"));
}

/* The values of an object as an array sorted by a member. Takes `object`. */
static json_t *sorted(json_t *object, const char *key)
{
    size_t count = json_object_size(object), at = 0;
    json_t **list = calloc(count + 1, sizeof(json_t *)), *value, *array = json_array();
    const char *name;
    json_object_foreach(object, name, value)
    {
        if (list && at < count)
            list[at++] = value;
    }
    char member[32];
    snprintf(member, sizeof member, "%s", key);
    if (list)
        qsort_r(list, at, sizeof(json_t *), by_member, member);
    for (size_t i = 0; i < at; i++)
        json_array_append(array, list[i]);
    free(list);
    json_decref(object);
    return array;
}

bool report_case_read(struct report_case *c, const struct report_files *files)
{
    json_t *zones = json_object(), *findings = json_object();
    *c = (struct report_case){
        .files = files, .received = json_object(), .alerts = json_array(), .records = json_array()};
    each_line(c, files->inventory, NULL, take_inventory, zones);
    each_line(c, files->findings, NULL, take_finding, findings);
    each_line(c, files->eve, "\"event_type\":\"alert\"", take_alert, NULL);
    each_line(c, files->log, NULL, take_record, NULL);
    c->zones = sorted(zones, "zone");
    c->findings = sorted(findings, "first_seen");
    return c->zones && c->findings && c->received && c->alerts && c->records;
}

void report_case_fini(struct report_case *c)
{
    json_decref(c->run);
    json_decref(c->zones);
    json_decref(c->findings);
    json_decref(c->received);
    json_decref(c->alerts);
    json_decref(c->records);
}
