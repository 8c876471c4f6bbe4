/*
 * report: the summary of a run.
 *
 * Contained in: analyze, tests. Under the filter only snprintf is at hand, which is enough.
 */
#include "analyze/tell/report.h"

#include "analyze/jline.h"
#include "analyze/types.h"
#include "analyze/validate/judge.h"
#include "analyze/validate/trust.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)

struct text {
    char *bytes;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int written = vsnprintf(t->bytes + t->size, REPORT_BYTES - t->size, format, args);
    va_end(args);
    if (written > 0)
        t->size += (size_t)written;
    if (t->size >= REPORT_BYTES)
        t->size = REPORT_BYTES - 1;
}

/* A name as some file system has it: what is no character becomes "?", so that the summary stays
 * text and its lines stay its own. */
static void put_name(struct text *t, const char *name)
{
    const uint8_t *s = (const uint8_t *)name;
    for (size_t left = strlen(name), step; left > 0; s += step, left -= step) {
        step = jline_utf8(s, left);
        bool control = step == 2 && s[0] == 0xc2 && s[1] < 0xa0; /* U+0080 to U+009F */
        if (step == 0 || control)
            put(t, "%c", *s >= 0x20 && *s < 0x7f ? *s : '?');
        else
            put(t, "%.*s", (int)step, (const char *)s);
        step = step ? step : 1;
    }
}

static const char *instant(int64_t ns, char text[40])
{
    time_t seconds = (time_t)(ns / SECOND_NS);
    struct tm tm;
    if (ns < 0 || gmtime_r(&seconds, &tm) == NULL)
        return "before 1970";
    size_t size = strftime(text, 40, "%Y-%m-%d %H:%M:%S", &tm);
    snprintf(text + size, 40 - size, ".%03" PRId64, ns % SECOND_NS / 1000000);
    return text;
}

static void duration(struct text *t, int64_t ns)
{
    double seconds = (double)ns / 1e9;
    if (seconds < 120)
        put(t, "%.1f s", seconds);
    else if (seconds < 7200)
        put(t, "%.1f min", seconds / 60);
    else if (seconds < 172800)
        put(t, "%.1f h", seconds / 3600);
    else
        put(t, "%.1f days", seconds / 86400);
}

static void put_span(struct text *t, const struct report_run *r)
{
    char first[40], last[40];
    put(t, "Capture     ");
    for (size_t i = 0; i < r->source_count && i < 4; i++) {
        put(t, "%s", i ? ", " : "");
        put_name(t, r->sources[i]);
    }
    if (r->source_count > 4)
        put(t, " and %zu more", r->source_count - 4);
    put(t, "\n            ");
    if (r->first_ns > r->last_ns) {
        put(t, "no frames\n");
        return;
    }
    put(t, "%s to %s UTC (", instant(r->first_ns, first), instant(r->last_ns, last));
    duration(t, r->last_ns - r->first_ns);
    put(t, ")\n");
}

static void put_counts(struct text *t, const struct report_run *r)
{
    const struct dissect_counters *d = r->dissect;
    put(t, "Frames      %" PRIu64 " (%" PRIu64 " bytes)", d->frames, d->bytes);
    if (d->other + d->not_ip)
        put(t, ", %" PRIu64 " not DNS", d->other + d->not_ip + d->icmp);
    if (d->encrypted)
        put(t, ", %" PRIu64 " encrypted DNS", d->encrypted);
    put(t, "\nMessages    %" PRIu64 " queries, %" PRIu64 " responses, %" PRIu64 " paired",
        r->pair->queries, r->pair->responses, r->pair->paired);
    if (r->pair->unanswered)
        put(t, ", %" PRIu64 " unanswered", r->pair->unanswered);
    if (r->pair->unasked)
        put(t, ", %" PRIu64 " without a query", r->pair->unasked);
    put(t, "\nVerdicts    ");
    static const enum verdict_kind order[] = {VERDICT_SECURE, VERDICT_INSECURE, VERDICT_BOGUS,
                                              VERDICT_INDETERMINATE, VERDICT_NOT_CHECKABLE};
    for (size_t i = 0; i < 5; i++)
        put(t, "%s%" PRIu64 " %s", i ? ", " : "", r->verdicts[order[i]], verdict_name(order[i]));
    put(t, "\n");
}

static void put_loss(struct text *t, const struct report_run *r)
{
    const struct dissect_counters *d = r->dissect;
    const struct ring_loss *l = &r->loss;
    struct {
        uint64_t count;
        const char *what;
    } losses[] = {{l->dropped_kernel, "dropped by the kernel"},
                  {l->dropped_interface, "dropped by the interface"},
                  {l->dropped_ring, "dropped by the frame ring"},
                  {r->missed, "recorded but not analysed"},
                  {d->snapped, "captured short"},
                  {d->undecodable, "undecodable"},
                  {d->fragments_lost, "datagrams with missing fragments"},
                  {d->streams_lost, "TCP streams with gaps"},
                  {r->malformed, "malformed DNS messages"}};
    bool any = false;
    put(t, "Loss        ");
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        if (losses[i].count == 0)
            continue;
        put(t, "%s%" PRIu64 " %s", any ? ", " : "", losses[i].count, losses[i].what);
        any = true;
    }
    put(t, "%s\n", any ? "" : "none");
    for (size_t i = 0; i < r->damages; i++) {
        const struct report_damage *damage = &r->damage[i];
        put(t, "Damage      ");
        put_name(t, damage->source < r->source_count ? r->sources[damage->source] : "?");
        put(t, " at byte %" PRIu64 ": %s\n", damage->offset, damage->text);
    }
    if (r->damages_total > r->damages)
        put(t, "            and %zu more places\n", r->damages_total - r->damages);
}

/* What the tap does not show comes before what follows from it. */
static void put_sensor(struct text *t, struct rules *rules)
{
    const struct finding *const *list;
    size_t count = rules_findings(rules, &list);
    const char *head = "Sensor      ";
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rule_text(list[i]->rule)->family, "sensor") != 0)
            continue;
        put(t, "%s%s%s\n", head, list[i]->summary,
            list[i]->state == FINDING_CLOSED ? " (no longer)" : "");
        head = "            ";
    }
}

/* --- zones --- */

static uint64_t answers_of(const struct zone *zone)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < 5; i++)
        sum += zone->answers[i];
    return sum;
}

static int zone_order(const void *a, const void *b)
{
    const struct zone *x = *(const struct zone *const *)a, *y = *(const struct zone *const *)b;
    bool bad_x = x->answers[VERDICT_BOGUS] > 0, bad_y = y->answers[VERDICT_BOGUS] > 0;
    return bad_x != bad_y ? (int)bad_y - (int)bad_x : name_compare(x->name, y->name);
}

static size_t collect_zones(const struct world *w, struct zone ***ret)
{
    size_t count = 0;
    struct zone **list = malloc((w->zone_count ? w->zone_count : 1) * sizeof(struct zone *));
    *ret = list;
    for (size_t i = 0; list && i < w->zone_buckets; i++)
        for (struct zone *zone = w->zone_bucket[i]; zone; zone = zone->next)
            if (zone->seen &&
                (answers_of(zone) || zone->dnskeys || zone->dss || zone->no_ds.reason))
                list[count++] = zone;
    if (count > 1)
        qsort(list, count, sizeof(struct zone *), zone_order);
    return count;
}

static void put_keys(struct text *t, const struct zone *zone)
{
    char word[TYPES_TEXT];
    uint8_t best = 0;
    if (zone->dnskeys == 0)
        return;
    for (uint8_t i = 1; i < zone->dnskeys; i++)
        if (zone->dnskey[i]->last_seen_ns >= zone->dnskey[best]->last_seen_ns)
            best = i;
    uint16_t size;
    unsigned shown = 0;
    put(t, "; keys");
    for (const uint8_t *r = NULL; (r = rrset_record(zone->dnskey[best], r, &size)) && shown < 6;) {
        if (size < 4)
            continue;
        put(t, "%s %u %s", shown++ ? "," : "", key_tag(r, size), types_algorithm(r[3], word));
        put(t, "%s", r[1] & KEY_FLAG_REVOKE ? " (revoked)" : r[1] & KEY_FLAG_SEP ? " (SEP)" : "");
    }
}

static void put_zone(struct text *t, struct answers *answers, struct zone *zone, int64_t time_ns)
{
    char name[NAME_TEXT_MAX];
    const struct trust *trust = trust_zone(&answers->world, zone, time_ns);
    enum reason told = trust_told(trust, trust->reason);
    put(t, "  %-28s %-13s", name_text(zone->name, name), verdict_name(reason_verdict(told)));
    const char *sep = " ";
    for (unsigned kind = 0; kind < 5; kind++) {
        if (zone->answers[kind] == 0)
            continue;
        put(t, "%s%" PRIu64 " %s", sep, zone->answers[kind], verdict_name(kind));
        sep = ", ";
    }
    if (reason_verdict(told) != VERDICT_SECURE)
        put(t, "%s%s", answers_of(zone) ? "; " : " ", reason_text(told));
    put_keys(t, zone);
    put(t, "\n");
}

static void put_zones(struct text *t, struct answers *answers, int64_t time_ns)
{
    struct zone **list;
    size_t count = collect_zones(&answers->world, &list);
    put(t, "\nZones       %zu\n", count);
    for (size_t i = 0; list && i < count && i < REPORT_ZONES_MAX; i++)
        put_zone(t, answers, list[i], time_ns);
    if (count > REPORT_ZONES_MAX)
        put(t, "  and %zu more\n", count - REPORT_ZONES_MAX);
    free(list);
}

/* --- findings --- */

static void put_finding(struct text *t, const struct finding *f)
{
    char name[NAME_TEXT_MAX];
    put(t, "  %-8s %-20s %s\n", severity_name(f->severity), rule_text(f->rule)->id,
        f->type ? name_text(f->zone, name) : "");
    put(t, "           %s\n", f->summary);
    put(t, "           seen %" PRIu64 " time%s, frame%s", f->count, f->count == 1 ? "" : "s",
        f->frame_count == 1 ? "" : "s");
    for (size_t i = 0; i < f->frame_count && i < 6; i++)
        put(t, "%s %" PRIu64, i ? "," : "", f->frames[i]);
    put(t, "%s; id %s%s\n", f->frame_count > 6 ? " …" : "", f->id,
        f->state == FINDING_CLOSED ? "; closed" : "");
}

static void put_findings(struct text *t, struct rules *rules)
{
    const struct finding *const *list;
    size_t count = rules_findings(rules, &list), by[SEVERITY_CRITICAL + 1] = {0};
    for (size_t i = 0; i < count; i++)
        by[list[i]->severity]++;
    put(t, "\nFindings    %zu", count);
    const char *sep = ": ";
    for (unsigned s = SEVERITY_CRITICAL; s >= SEVERITY_INFO; s--) {
        if (by[s])
            put(t, "%s%zu %s", sep, by[s], severity_name((enum severity)s));
        sep = by[s] ? ", " : sep;
    }
    put(t, "\n");
    for (size_t i = 0; i < count && i < REPORT_FINDINGS_MAX; i++)
        put_finding(t, list[i]);
    if (count > REPORT_FINDINGS_MAX)
        put(t, "  and %zu more\n", count - REPORT_FINDINGS_MAX);
}

size_t report_write(const struct report_run *r, struct answers *answers, struct rules *rules,
                    char ret_text[REPORT_BYTES])
{
    struct text t = {ret_text, 0};
    put_span(&t, r);
    put_counts(&t, r);
    put_loss(&t, r);
    put_sensor(&t, rules);
    put_zones(&t, answers, answers_clock(answers, r->last_ns));
    put_findings(&t, rules);
    return t.size;
}
