/*
 * report_scope: the answers of the first thirty minutes, as text or as the object they are made of.
 *
 * Contained in: report, tests.
 */
#include "evidence/report_scope.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Lines of a list in the text; --json has all. */
#define SHOWN_MAX 16

static const char *moment(const json_t *object, const char *key, char text[REPORT_MOMENT])
{
    return report_moment(report_text(object, key), text);
}

/* "…, 2026-11-22 09:16:44 to 2026-11-22 09:16:45", or one time where they are the same. */
static const char *between(const json_t *object, const char *from, const char *until,
                           char text[2 * REPORT_MOMENT + 8])
{
    char a[REPORT_MOMENT], b[REPORT_MOMENT];
    moment(object, from, a);
    moment(object, until, b);
    snprintf(text, 2 * REPORT_MOMENT + 8, "%s%s%s", a, strcmp(a, b) ? " to " : "",
             strcmp(a, b) ? b : "");
    return text;
}

/* What ends it (report_deadline.c). */
static const char *bound_text(const json_t *object, const char *key)
{
    if (report_same(object, key, "ds"))
        return "then the parent's signature over the undeclared DS has expired, and what hangs on "
               "it has left caches";
    if (report_same(object, key, "dnskey"))
        return "then the signature over the DNSKEY RRset with it has expired, and what it signed "
               "has left caches";
    return "then the last signature by it that was observed expires";
}

static void put_names(struct report_out *o, const json_t *use)
{
    const json_t *names = json_object_get(use, "names");
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name)
    {
        if (i == SHOWN_MAX)
            break;
        report_put(o, "               %s\n", json_is_string(name) ? json_string_value(name) : "?");
    }
    uint64_t all = report_number(use, "rrsets");
    if (all > i)
        report_put(o, "               and %" PRIu64 " more\n", all - i);
}

static void put_suspect(struct report_out *o, const json_t *key)
{
    char a[REPORT_MOMENT], b[REPORT_MOMENT];
    const json_t *use = json_object_get(key, "signed");
    size_t i;
    json_t *reason;
    if (report_is(key, "observed"))
        report_put(o, "  key %" PRIu64 ", %s, %s, flags %" PRIu64 "%s\n", report_number(key, "tag"),
                   report_text(key, "role"), report_text(key, "algorithm_name"),
                   report_number(key, "flags"),
                   !report_known(key, "declared") ? ""
                   : report_is(key, "declared")   ? ", declared"
                                                  : ", NOT DECLARED");
    else
        report_put(o, "  key %" PRIu64 ": the key itself was not observed\n",
                   report_number(key, "tag"));
    json_array_foreach(json_object_get(key, "reasons"), i, reason)
    {
        report_fold(o, 15, "    %s %s", i == 0 ? "suspect:  " : "          ",
                    json_string_value(reason));
    }
    if (report_number(key, "more_reasons"))
        report_put(o, "               and %" PRIu64 " more reasons\n",
                   report_number(key, "more_reasons"));
    if (report_is(key, "observed") && !report_known(key, "first_seen"))
        report_put(o, "    seen:      in no DNSKEY RRset; it is known from the baseline\n");
    else if (report_is(key, "observed"))
        report_put(o, "    seen:      %s to %s, first in frame %" PRIu64 "\n",
                   moment(key, "first_seen", a), moment(key, "last_seen", b),
                   report_number(key, "frame"));
    if (!report_known(use, "rrsets")) {
        report_put(o, "    signed:    no signature by it was observed to verify\n");
        return;
    }
    report_put(o, "    signed:    %s%" PRIu64 " RRset%s\n",
               report_is(use, "more_rrsets") ? "at least " : "", report_number(use, "rrsets"),
               report_number(use, "rrsets") == 1 ? "" : "s");
    put_names(o, use);
    report_put(o, "    expires:   %s\n", moment(key, "last_signature_expires", a));
    if (report_same(key, "bounded_by", "never"))
        report_put(o, "    validates: no: no DS or anchor was seen to lead to it\n");
    else if (!report_same(key, "bounded_by", "signature"))
        report_fold(o, 15, "    validates: until %s: %s", moment(key, "validates_until", b),
                    bound_text(key, "bounded_by"));
}

static void put_lines(struct report_out *o, const char *word, const json_t *lines)
{
    size_t i;
    json_t *line;
    json_array_foreach(lines, i, line)
    {
        if (i == SHOWN_MAX)
            break;
        report_fold(o, 17, "    %-9s  %s", i == 0 ? word : "",
                    json_is_string(line) ? json_string_value(line) : "?");
    }
    if (json_array_size(lines) > SHOWN_MAX)
        report_put(o, "               and %zu more\n", json_array_size(lines) - SHOWN_MAX);
    if (json_array_size(lines) == 0)
        report_put(o, "    %-9s  nothing\n", word);
}

static void put_received(struct report_out *o, const json_t *received)
{
    char a[2 * REPORT_MOMENT + 8];
    size_t i;
    json_t *r;
    if (!report_known(received, "responses")) {
        report_put(o, "    received:  not observed\n");
        return;
    }
    json_array_foreach(json_object_get(received, "receivers"), i, r)
    {
        if (i == SHOWN_MAX)
            break;
        report_fold(o, 15, "    %s %s, from %s, %" PRIu64 " response%s, %s",
                    i == 0 ? "received: " : "          ", report_text(r, "address"),
                    report_same(r, "from", "authority") ? "a zone's server" : "a resolver",
                    report_number(r, "responses"), report_number(r, "responses") == 1 ? "" : "s",
                    between(r, "first", "last", a));
    }
    if (json_array_size(json_object_get(received, "receivers")) > SHOWN_MAX ||
        report_number(received, "to_others"))
        report_put(o, "               and others; %" PRIu64 " responses in all\n",
                   report_number(received, "responses"));
}

static void put_change(struct report_out *o, const json_t *change)
{
    char a[REPORT_MOMENT], b[REPORT_MOMENT], frame[32] = "";
    const json_t *first = json_array_get(json_object_get(change, "frames"), 0);
    if (first)
        snprintf(frame, sizeof frame, ", frame %" PRIu64, (uint64_t)json_integer_value(first));
    report_put(o, "  %s %s: %s (%s, finding %s%s)\n", report_text(change, "rrname"),
               report_text(change, "rrtype"), report_text(change, "rule"),
               report_text(change, "severity"), report_text(change, "id"),
               report_same(change, "state", "closed") ? ", closed" : "");
    /* Of two contents that one key signed, neither is the expected one by that. */
    bool two = report_same(change, "rule", "signed-equivocation");
    put_lines(o, two ? "one:" : "expected:", json_object_get(change, "expected"));
    put_lines(o, two ? "another:" : "observed:", json_object_get(change, "observed"));
    report_put(o, "    seen:      %s to %s, %" PRIu64 " time%s%s%s\n",
               moment(change, "first_seen", a), moment(change, "last_seen", b),
               report_number(change, "count"), report_number(change, "count") == 1 ? "" : "s",
               frame, report_is(change, "loss") ? "; frames were lost near it" : "");
    put_received(o, json_object_get(change, "received_by"));
}

static void put_deadline(struct report_out *o, const json_t *zone)
{
    char a[REPORT_MOMENT];
    const json_t *ttl = json_object_get(zone, "ttl");
    report_put(o, "\nBy when is it over\n");
    if (report_same(zone, "deadline_bound", "never"))
        report_fold(o, 2,
                    "  none: no DS or anchor was seen to lead to a suspect key. As far as was "
                    "observed, no resolver that validates takes what it signed.");
    else if (!report_known(zone, "deadline"))
        report_put(o, "  not observed: no signature by a suspect key was seen to verify\n");
    else
        report_fold(
            o, 2,
            "  %s, by key %" PRIu64
            ": %s. So long may resolvers that validate take what suspect keys signed, by what was "
            "observed; they keep nothing beyond its signature (RFC 4035 5.3.3). Whoever holds a "
            "key can sign anew until it is replaced, and a DNSKEY or DS RRset that is signed anew "
            "with it prolongs its life.",
            moment(zone, "deadline", a), report_number(zone, "deadline_key"),
            bound_text(zone, "deadline_bound"));
    if (report_known(zone, "longest_ttl"))
        report_fold(o, 2,
                    "  Resolvers that do not validate keep what they were given for its TTL, up to "
                    "%" PRIu64 " s, whatever its signature says.",
                    report_number(zone, "longest_ttl"));
    if (report_known(ttl, "dnskey"))
        report_put(o,
                   "  A key that is taken out stays in caches for the DNSKEY TTL, %" PRIu64 " s.\n",
                   report_number(ttl, "dnskey"));
    else
        report_put(o, "  DNSKEY TTL not observed.\n");
    if (report_known(ttl, "ds"))
        report_put(o, "  A DS that is taken out stays in caches for its TTL, %" PRIu64 " s.\n",
                   report_number(ttl, "ds"));
    else
        report_put(o, "  DS TTL not observed.\n");
}

static void put_zone(struct report_out *o, const json_t *zone)
{
    size_t i;
    json_t *item;
    report_put(o, "\n=== %s\n\nWhich keys, and what they signed\n", report_text(zone, "zone"));
    json_array_foreach(json_object_get(zone, "suspects"), i, item)
    {
        put_suspect(o, item);
    }
    if (i == 0)
        report_put(o, "  no key is suspect by what was observed\n");
    report_put(o, "\nWhat was changed, and who received it\n");
    json_array_foreach(json_object_get(zone, "changes"), i, item)
    {
        put_change(o, item);
    }
    put_deadline(o, zone);
    bool also = json_array_size(json_object_get(zone, "also")) > 0;
    report_fold(o, 2, "\nWhich case of recovery: %s%s", report_text(zone, "case"),
                also ? ", and parent" : "");
    report_fold(o, 2, "  %s%s", report_text(zone, "case_text"),
                also ? "; and besides, DS, NS or glue were changed at the parent" : "");
    json_array_foreach(json_object_get(zone, "checklist"), i, item)
    {
        report_fold(o, 6, "  %zu.  %s", i + 1, json_string_value(item));
    }
}

/* Zones that fail without anything above being the matter are worth a line all the same. */
static void put_failing(struct report_out *o, const struct report_case *c)
{
    char a[REPORT_MOMENT];
    size_t i;
    json_t *zone;
    json_array_foreach(c->zones, i, zone)
    {
        const json_t *all = json_object_get(zone, "outages");
        size_t count = json_array_size(all);
        const json_t *last = count ? json_array_get(all, count - 1) : NULL;
        if (last)
            report_fold(o, 2, "\n%s  %s from %s: %s; %s", report_text(zone, "zone"),
                        report_outage(last), moment(last, "from", a), report_text(last, "text"),
                        report_known(last, "recovered") ? "recovered since"
                                                        : "no recovery observed");
    }
}

void report_scope(struct report_out *o, const struct report_case *c, enum report_form form)
{
    json_t *zones = report_scope_zones(c), *zone;
    size_t i;
    if (form == REPORT_JSON) {
        report_json(o, c, json_pack("{s:O?, s:o}", "run", c->run, "zones", zones));
        return;
    }
    report_head(o, c, "Scope");
    if (json_array_size(zones) == 0)
        report_fold(o, 0,
                    "\nNo finding names a key that is suspect or data that was changed. What the "
                    "baseline does not declare cannot be found changed; the timeline has all "
                    "findings.");
    put_failing(o, c);
    json_array_foreach(zones, i, zone)
    {
        put_zone(o, zone);
    }
    json_decref(zones);
}
