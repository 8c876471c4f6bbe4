/*
 * report_timeline: what happened when, in packet time, each with the frame that shows it.
 *
 * Contained in: report, tests.
 */
#include "evidence/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct event {
    int64_t time_ns;
    size_t at;        /* order of making, among equals */
    const char *time; /* borrowed, as all texts but this one's own */
    const char *kind, *zone, *finding, *severity, *segment;
    uint64_t frame; /* 0 none */
    char *text;
};

struct events {
    struct event *list;
    size_t count, room;
    bool full; /* no memory */
};

__attribute__((format(printf, 4, 5))) static struct event *add(struct events *e, const char *kind,
                                                               const char *time, const char *format,
                                                               ...)
{
    static struct event spare;
    int64_t time_ns = report_time(time);
    if (time_ns == INT64_MIN)
        return &spare; /* not observed: no event */
    if (e->count == e->room) {
        size_t room = e->room ? e->room * 2 : 256;
        struct event *more = reallocarray(e->list, room, sizeof *more);
        if (more == NULL) {
            e->full = true;
            return &spare;
        }
        e->list = more;
        e->room = room;
    }
    struct event *event = &e->list[e->count];
    *event = (struct event){.time_ns = time_ns,
                            .at = e->count++,
                            .time = time,
                            .kind = kind,
                            .zone = "",
                            .finding = "",
                            .severity = "",
                            .segment = ""};
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&event->text, format, arguments) < 0)
        event->text = NULL;
    va_end(arguments);
    e->full |= event->text == NULL;
    return event;
}

/* --- keys, DS, failures --- */

static void add_key(struct events *e, const char *zone, const json_t *key)
{
    const char *declared = !report_known(key, "declared") ? ""
                           : report_is(key, "declared")   ? ", declared"
                                                          : ", NOT declared";
    struct event *event =
        add(e, "key-first-seen", report_text(key, "first_seen"), "%s %" PRIu64 " (%s)%s%s",
            report_text(key, "role"), report_number(key, "tag"), report_text(key, "algorithm_name"),
            report_is(key, "revoked") ? ", revoked" : "", declared);
    event->zone = zone;
    event->frame = report_number(key, "frame");
    if (report_is(key, "current"))
        return;
    event = add(e, "key-last-seen", report_text(key, "last_seen"),
                "%s %" PRIu64 " (%s): not in the DNSKEY RRset seen later", report_text(key, "role"),
                report_number(key, "tag"), report_text(key, "algorithm_name"));
    event->zone = zone;
}

static void add_ds(struct events *e, const char *zone, const json_t *ds)
{
    struct event *event =
        add(e, "ds-first-seen", report_text(ds, "first_seen"),
            "DS %" PRIu64 " %" PRIu64 " %" PRIu64 " at the parent", report_number(ds, "tag"),
            report_number(ds, "algorithm"), report_number(ds, "digest_type"));
    event->zone = zone;
    event->frame = report_number(ds, "frame");
    if (report_is(ds, "current"))
        return;
    event = add(e, "ds-last-seen", report_text(ds, "last_seen"),
                "DS %" PRIu64 ": not in the DS RRset seen later", report_number(ds, "tag"));
    event->zone = zone;
}

static void add_outage(struct events *e, const char *zone, const json_t *outage)
{
    char span[REPORT_SPAN];
    const char *word = report_outage(outage);
    bool dark = strcmp(word, "dark") == 0;
    struct event *event =
        add(e, word, report_text(outage, "from"), "%s: %s%s",
            dark ? "stops resolving" : "answers turn bogus", report_text(outage, "text"),
            report_known(outage, "recovered") ? "" : " (no recovery observed)");
    event->zone = zone;
    event->frame = report_number(outage, "frame");
    int64_t lasted = report_time(report_text(outage, "recovered")) - event->time_ns;
    if (!report_known(outage, "recovered"))
        return;
    report_span(lasted / 1000000000, span);
    const char *when = report_text(outage, "recovered");
    if (dark)
        event = add(e, "recovered", when, "answers again, %s after the onset (M6)", span);
    else
        event = add(e, "recovered", when,
                    "first secure answer to what had failed, %s after the onset (M6); %" PRIu64
                    " bogus responses",
                    span, report_number(outage, "responses"));
    event->zone = zone;
    event->frame = report_number(outage, "recovered_frame");
}

static void add_zones(struct events *e, const struct report_case *c)
{
    size_t i, k;
    json_t *zone, *item;
    json_array_foreach(c->zones, i, zone)
    {
        const char *name = report_text(zone, "zone");
        json_array_foreach(json_object_get(zone, "keys"), k, item)
        {
            add_key(e, name, item);
        }
        json_array_foreach(json_object_get(zone, "ds"), k, item)
        {
            add_ds(e, name, item);
        }
        json_array_foreach(json_object_get(zone, "outages"), k, item)
        {
            add_outage(e, name, item);
        }
    }
}

/* --- findings --- */

/* Updates that say no more than a later one of the same finding are left out. */
static bool is_superseded(const struct report_case *c, size_t at, const json_t *last_update)
{
    const json_t *alert = json_array_get(c->alerts, at);
    const json_t *finding = json_object_get(alert, "finding");
    const json_t *last = json_object_get(last_update, report_text(finding, "id"));
    return report_same(finding, "state", "updated") && last &&
           (size_t)json_integer_value(last) != at;
}

static void add_alert(struct events *e, const json_t *alert)
{
    const json_t *f = json_object_get(alert, "finding");
    const char *state = report_text(f, "state"), *time = report_text(alert, "timestamp");
    bool opens = strcmp(state, "open") == 0;
    struct event *event;
    if (opens)
        event = add(e, "finding-open", time, "%s: %s", report_text(f, "rule"),
                    report_text(f, "summary"));
    else
        event = add(e, strcmp(state, "closed") == 0 ? "finding-closed" : "finding-updated", time,
                    "%s: seen %" PRIu64 " times by now: %s", report_text(f, "rule"),
                    report_number(f, "count"), report_text(f, "summary"));
    event->zone = report_text(f, "zone");
    event->finding = report_text(f, "id");
    event->severity = report_text(f, "severity");
    event->frame = report_number(alert, "pcap_cnt");
    if (event->frame == 0)
        event->frame = report_number(alert, "packet_id");
    event->segment = report_text(alert, "segment");
}

static void add_alerts(struct events *e, const struct report_case *c)
{
    json_t *last_update = json_object(), *alert;
    size_t i;
    json_array_foreach(c->alerts, i, alert)
    {
        const json_t *f = json_object_get(alert, "finding");
        if (report_same(f, "state", "updated"))
            json_object_set_new(last_update, report_text(f, "id"), json_integer((json_int_t)i));
    }
    json_array_foreach(c->alerts, i, alert)
    {
        if (!is_superseded(c, i, last_update))
            add_alert(e, alert);
    }
    json_decref(last_update);
}

/* --- the run --- */

static void add_run(struct events *e, const struct report_case *c)
{
    size_t i;
    json_t *record;
    struct event *event = add(e, "first-packet", report_text(c->run, "first"), "first packet");
    event->frame = report_number(c->run, "first_frame");
    event = add(e, "last-packet", report_text(c->run, "last"),
                "last packet, of %" PRIu64 " frames with %" PRIu64 " DNS messages",
                report_number(c->run, "frames"), report_number(c->run, "messages"));
    event->frame = report_number(c->run, "last_frame");
    json_array_foreach(c->records, i, record)
    {
        if (report_same(record, "type", "gap") && report_known(record, "from"))
            add(e, "gap", report_text(record, "from"), "%s: %s", report_text(record, "reason"),
                report_text(record, "text"));
    }
}

/* --- order and output --- */

/* At equal times: the first packet first, the last last, and else as they were made. */
static int order(const struct event *e)
{
    return strcmp(e->kind, "first-packet") == 0 ? 0 : strcmp(e->kind, "last-packet") == 0 ? 2 : 1;
}

static int by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    if (order(x) != order(y))
        return order(x) - order(y);
    return x->at < y->at ? -1 : 1;
}

static void put_text_event(struct report_out *o, const struct event *e)
{
    char frame[32] = "", marked[32] = "";
    if (e->frame)
        snprintf(frame, sizeof frame, "%" PRIu64, e->frame);
    if (e->severity[0])
        snprintf(marked, sizeof marked, "[%.10s] ", e->severity);
    const char *word = strncmp(e->kind, "finding-", 8) ? "" : e->kind + 8;
    if (strcmp(word, "open") == 0)
        word = "opened";
    report_fold(o, 36, "%-10.10s %-15.15s %6s  %s%s%s%s%s%s", e->time, e->time + 11, frame, marked,
                e->zone, e->zone[0] ? " " : "", word, word[0] ? " " : "", e->text ? e->text : "");
}

static void put_csv_event(struct report_out *o, const struct event *e)
{
    report_csv(o, e->time, false);
    report_csv(o, e->kind, false);
    report_csv(o, e->zone, false);
    if (e->frame)
        report_csv_number(o, e->frame, false);
    else
        report_csv(o, "", false);
    report_csv(o, e->segment, false);
    report_csv(o, e->finding, false);
    report_csv(o, e->severity, false);
    report_csv(o, e->text ? e->text : "", true);
}

static json_t *json_event(const struct event *e)
{
    json_t *object = json_pack("{s:s, s:s, s:s}", "time", e->time, "event", e->kind, "text",
                               e->text ? e->text : "");
    if (e->zone[0])
        json_object_set_new(object, "zone", json_string(e->zone));
    if (e->frame)
        json_object_set_new(object, "frame", json_integer((json_int_t)e->frame));
    if (e->segment[0])
        json_object_set_new(object, "segment", json_string(e->segment));
    if (e->finding[0])
        json_object_set_new(object, "finding", json_string(e->finding));
    if (e->severity[0])
        json_object_set_new(object, "severity", json_string(e->severity));
    return object;
}

static void put(struct report_out *o, const struct report_case *c, enum report_form form,
                const struct events *e)
{
    json_t *list = form == REPORT_JSON ? json_array() : NULL;
    if (form == REPORT_TEXT) {
        report_head(o, c, "Timeline");
        report_put(o, "\n%-10s %-15s %6s\n", "date", "time (UTC)", "frame");
    } else if (form == REPORT_CSV) {
        report_put(o, "time,event,zone,frame,segment,finding,severity,text\n");
    }
    for (size_t i = 0; i < e->count; i++) {
        if (form == REPORT_TEXT)
            put_text_event(o, &e->list[i]);
        else if (form == REPORT_CSV)
            put_csv_event(o, &e->list[i]);
        else
            json_array_append_new(list, json_event(&e->list[i]));
    }
    if (form == REPORT_JSON)
        report_json(o, c, json_pack("{s:O?, s:o}", "run", c->run, "events", list));
}

void report_timeline(struct report_out *o, const struct report_case *c, enum report_form form)
{
    struct events e = {.list = NULL};
    add_run(&e, c);
    add_zones(&e, c);
    add_alerts(&e, c);
    if (e.count > 0)
        qsort(e.list, e.count, sizeof *e.list, by_time);
    o->full |= e.full;
    put(o, c, form, &e);
    for (size_t i = 0; i < e.count; i++)
        free(e.list[i].text);
    free(e.list);
}
