/*
 * report_suspects: from findings and the inventory to suspect keys, changes, case and deadline.
 *
 * Contained in: report, tests. It reads what the run recorded and no DNS: a key is found again by
 * its text. Must never: call a key suspect without the finding that says why.
 */
#include "evidence/report_scope.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Reasons listed of one key; the rest is counted. */
#define REASONS_MAX 8

/* What a finding of this rule says about keys and data. */
enum bearing {
    BEARS_KEY = 1,       /* its observed DNSKEY is suspect, and who let it in */
    BEARS_DATA = 2,      /* data differs: who signed it is suspect */
    BEARS_FOREIGN = 4,   /* signatures by a key that is nowhere */
    BEARS_PARENT = 8,    /* the delegation differs */
    BEARS_ALGORITHM = 16 /* an algorithm was added or dropped */
};

static const struct {
    const char *rule;
    unsigned bearing;
} bearings[] = {{"key-unknown", BEARS_KEY},
                {"key-changed", BEARS_KEY},
                {"rrsig-unknown-key", BEARS_FOREIGN},
                {"ds-unknown", BEARS_PARENT},
                {"ds-removed", BEARS_PARENT},
                {"delegation-changed", BEARS_DATA},
                {"record-unexpected", BEARS_DATA},
                {"record-changed", BEARS_DATA},
                {"record-missing", BEARS_DATA},
                {"mail-moved", BEARS_DATA},
                {"mail-policy-weakened", BEARS_DATA},
                {"tlsa-changed", BEARS_DATA},
                {"caa-weakened", BEARS_DATA},
                {"cds-unexpected", BEARS_DATA},
                {"signed-equivocation", BEARS_DATA},
                {"signer-habit", BEARS_DATA},
                {"rrsig-algorithm-missing", BEARS_ALGORITHM},
                {"ds-weak", BEARS_ALGORITHM}};

static unsigned bearing_of(const json_t *finding)
{
    for (size_t i = 0; i < sizeof bearings / sizeof *bearings; i++)
        if (report_same(finding, "rule", bearings[i].rule))
            return bearings[i].bearing;
    return 0;
}

/* --- suspects --- */

struct scope {
    const json_t *zone; /* of the inventory; NULL: not in it */
    const char *name;
    json_t *suspects;
    bool declared_sep, declared_zsk, undeclared, foreign, parent, algorithm, signed_data;
};

/* The key's object among the suspects, made if absent. */
static json_t *suspect(struct scope *s, const json_t *key, uint64_t tag)
{
    size_t i;
    json_t *known;
    json_array_foreach(s->suspects, i, known)
    {
        if (report_number(known, "tag") == tag &&
            report_same(known, "rdata", report_text(key, "rdata")))
            return known;
    }
    known = json_pack("{s:I, s:s, s:[], s:i}", "tag", (json_int_t)tag, "rdata",
                      report_text(key, "rdata"), "reasons", "more_reasons", 0);
    if (key)
        json_object_update_missing(known, (json_t *)(uintptr_t)key);
    json_object_set_new(known, "observed", json_boolean(key != NULL));
    json_array_append_new(s->suspects, known);
    return known;
}

__attribute__((format(printf, 2, 3))) static void accuse(json_t *suspect_key, const char *format,
                                                         ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    json_t *reasons = json_object_get(suspect_key, "reasons");
    size_t i;
    json_t *reason;
    json_array_foreach(reasons, i, reason)
    {
        if (strcmp(json_string_value(reason), text) == 0)
            return;
    }
    if (json_array_size(reasons) < REASONS_MAX)
        json_array_append_new(reasons, json_string(text));
    else
        json_object_set_new(
            suspect_key, "more_reasons",
            json_integer((json_int_t)report_number(suspect_key, "more_reasons") + 1));
}

static void accuse_declared(struct scope *s, const json_t *key)
{
    bool both = report_same(key, "role", "CSK");
    s->declared_sep |= report_is(key, "sep") || both;
    s->declared_zsk |= !report_is(key, "sep") || both;
}

/* Who signed the DNSKEY RRset that holds the key. */
static void accuse_vouchers(struct scope *s, const json_t *key)
{
    size_t i, k;
    json_t *tag, *other;
    json_array_foreach(json_object_get(key, "vouched_by"), i, tag)
    {
        json_array_foreach(json_object_get(s->zone, "keys"), k, other)
        {
            if (json_integer_value(tag) != (json_int_t)report_number(other, "tag") ||
                !report_is(other, "declared"))
                continue;
            accuse_declared(s, other);
            accuse(suspect(s, other, report_number(other, "tag")),
                   "it signed the DNSKEY RRset that holds undeclared key %" PRIu64,
                   report_number(key, "tag"));
        }
    }
}

static bool has_text(const json_t *lines, const char *part)
{
    size_t i;
    json_t *line;
    json_array_foreach(lines, i, line)
    {
        if (json_is_string(line) && strstr(json_string_value(line), part))
            return true;
    }
    return false;
}

static void weigh_key(struct scope *s, const json_t *finding)
{
    size_t i;
    json_t *key;
    json_array_foreach(json_object_get(s->zone, "keys"), i, key)
    {
        const char *rdata = report_text(key, "rdata");
        if (rdata[0] == '\0' || !has_text(json_object_get(finding, "observed"), rdata))
            continue;
        s->undeclared = true;
        accuse(suspect(s, key, report_number(key, "tag")), "%s (%s %s)",
               report_same(finding, "rule", "key-unknown") ? "nobody declared it"
                                                           : "it differs from the declared key",
               report_text(finding, "rule"), report_text(finding, "id"));
        accuse_vouchers(s, key);
    }
}

static bool signed_name(const json_t *key, const char *set)
{
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(json_object_get(key, "signed"), "names"), i, name)
    {
        if (json_is_string(name) && strcmp(json_string_value(name), set) == 0)
            return true;
    }
    return false;
}

/* The keys that signed the RRset; where an undeclared one did, the declared ones are not blamed:
 * they may have signed what was there before. */
static void weigh_data(struct scope *s, const json_t *finding)
{
    char set[2048];
    size_t i;
    json_t *key;
    bool by_undeclared = false;
    snprintf(set, sizeof set, "%s %s", report_text(finding, "rrname"),
             report_text(finding, "rrtype"));
    json_array_foreach(json_object_get(s->zone, "keys"), i, key)
    {
        by_undeclared |=
            signed_name(key, set) && report_known(key, "declared") && !report_is(key, "declared");
    }
    json_array_foreach(json_object_get(s->zone, "keys"), i, key)
    {
        bool declared = !report_known(key, "declared") || report_is(key, "declared");
        if (!signed_name(key, set) || (by_undeclared && declared))
            continue;
        s->signed_data = true;
        if (declared)
            accuse_declared(s, key);
        accuse(suspect(s, key, report_number(key, "tag")), "it signed %s, which differs (%s %s)",
               set, report_text(finding, "rule"), report_text(finding, "id"));
    }
}

/* "owner IN RRSIG A 13 3 300 20261222091534 20261122081534 8700 zone. (...)" */
static bool signature_tag(const char *line, uint64_t *ret_tag)
{
    const char *at = strstr(line, " IN RRSIG ");
    if (at == NULL)
        return false;
    at += sizeof " IN RRSIG " - 1;
    for (int field = 0; field < 6; field++) {
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    *ret_tag = strtoull(at, NULL, 10);
    return *at >= '0' && *at <= '9';
}

static void weigh_foreign(struct scope *s, const json_t *finding)
{
    size_t i;
    json_t *line;
    uint64_t tag;
    json_array_foreach(json_object_get(finding, "observed"), i, line)
    {
        if (!json_is_string(line) || !signature_tag(json_string_value(line), &tag))
            continue;
        s->foreign = true;
        accuse(suspect(s, NULL, tag),
               "signatures name it, and neither the DNSKEY RRset nor the baseline has it (%s %s)",
               report_text(finding, "rule"), report_text(finding, "id"));
    }
}

static void weigh_parent(struct scope *s, const json_t *finding)
{
    char part[32];
    size_t i;
    json_t *key;
    s->parent = true;
    json_array_foreach(json_object_get(s->zone, "keys"), i, key)
    {
        snprintf(part, sizeof part, " IN DS %" PRIu64 " ", report_number(key, "tag"));
        if (report_is(key, "ds") && has_text(json_object_get(finding, "observed"), part))
            accuse(suspect(s, key, report_number(key, "tag")),
                   "the parent publishes an undeclared DS for it (%s %s)",
                   report_text(finding, "rule"), report_text(finding, "id"));
    }
}

/* An undeclared key of an algorithm that no declared key has. */
static void weigh_algorithms(struct scope *s)
{
    size_t i, k;
    json_t *key, *other;
    bool any_declared = false;
    json_array_foreach(json_object_get(s->zone, "keys"), k, other)
    {
        any_declared |= report_is(other, "declared");
    }
    json_array_foreach(s->suspects, i, key)
    {
        bool known = !any_declared || !report_is(key, "observed") || report_is(key, "declared");
        json_array_foreach(json_object_get(s->zone, "keys"), k, other)
        {
            known |= report_is(other, "declared") &&
                     report_number(other, "algorithm") == report_number(key, "algorithm");
        }
        s->algorithm |= !known;
    }
}

/* --- what it comes to --- */

static enum recovery recovery_of(const struct scope *s)
{
    if (s->algorithm)
        return RECOVERY_ALGORITHM;
    if (s->declared_sep && s->declared_zsk)
        return RECOVERY_BOTH;
    if (s->declared_sep)
        return RECOVERY_KSK;
    if (s->declared_zsk)
        return RECOVERY_ZSK;
    if (s->parent)
        return RECOVERY_PARENT;
    if (s->undeclared)
        return RECOVERY_UNDECLARED;
    return s->foreign ? RECOVERY_FOREIGN : RECOVERY_DATA;
}

static void set_time(json_t *object, const char *key, int64_t ns)
{
    char text[40];
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm tm;
    if (ns == INT64_MIN || gmtime_r(&seconds, &tm) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        json_object_set_new(object, key, json_null());
    else
        json_object_set_new(object, key, json_string(text));
}

static int64_t later(int64_t ns, const json_t *object, const char *key)
{
    int64_t sum;
    if (ns == INT64_MIN || !report_known(object, key) ||
        __builtin_add_overflow(ns, (int64_t)(report_number(object, key) & UINT32_MAX) * 1000000000,
                               &sum))
        return INT64_MIN;
    return sum;
}

/* Of each suspect: when its last signature ends, and when it and what it signed has left caches. */
static void put_deadlines(struct scope *s, json_t *zone)
{
    size_t i;
    json_t *key;
    int64_t last = INT64_MIN;
    const json_t *ttl = json_object_get(s->zone, "ttl");
    json_array_foreach(s->suspects, i, key)
    {
        const json_t *use = json_object_get(key, "signed");
        int64_t ends = report_time(report_text(use, "expiration"));
        int64_t gone = later(ends, use, "ttl");
        if (gone > last)
            last = gone;
        set_time(key, "last_signature_expires", ends);
        set_time(key, "leaves_caches", gone);
        set_time(key, "dnskey_leaves_caches",
                 later(report_time(report_text(key, "last_seen")), ttl, "dnskey"));
    }
    set_time(zone, "deadline", last);
}

static json_t *change_of(const struct report_case *c, const json_t *finding)
{
    static const char *const kept[] = {"id",         "rule",      "severity", "state",    "rrname",
                                       "rrtype",     "summary",   "expected", "observed", "frames",
                                       "first_seen", "last_seen", "count",    "loss"};
    json_t *change = json_object();
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        json_t *value = json_object_get(finding, kept[i]);
        json_object_set(change, kept[i], value ? value : json_null());
    }
    json_t *received = json_object_get(c->received, report_text(finding, "id"));
    json_object_set(change, "received_by", received ? received : json_null());
    return change;
}

static json_t *zone_named(const struct report_case *c, const char *name)
{
    size_t i;
    json_t *zone;
    json_array_foreach(c->zones, i, zone)
    {
        if (report_same(zone, "zone", name))
            return zone;
    }
    return NULL;
}

static json_t *scope_of_zone(const struct report_case *c, const char *name)
{
    struct scope s = {.zone = zone_named(c, name), .name = name, .suspects = json_array()};
    json_t *changes = json_array(), *steps = json_array(), *f;
    size_t i;
    json_array_foreach(c->findings, i, f)
    {
        unsigned bearing = report_same(f, "zone", name) ? bearing_of(f) : 0;
        if (bearing & BEARS_KEY)
            weigh_key(&s, f);
        if (bearing & BEARS_DATA)
            weigh_data(&s, f);
        if (bearing & BEARS_FOREIGN)
            weigh_foreign(&s, f);
        if (bearing & BEARS_PARENT)
            weigh_parent(&s, f);
        s.algorithm |= (bearing & BEARS_ALGORITHM) != 0;
        if (bearing)
            json_array_append_new(changes, change_of(c, f));
    }
    weigh_algorithms(&s);
    enum recovery recovery = recovery_of(&s);
    for (const char *const *step = report_recovery_steps(recovery); *step; step++)
        json_array_append_new(steps, json_string(*step));
    json_t *zone =
        json_pack("{s:s, s:s, s:s, s:O, s:o, s:o}", "zone", name, "case",
                  report_recovery_name(recovery), "case_text", report_recovery_text(recovery),
                  "suspects", s.suspects, "changes", changes, "checklist", steps);
    put_deadlines(&s, zone);
    const json_t *ttl = json_object_get(s.zone, "ttl");
    json_object_set_new(zone, "ttl", ttl ? json_deep_copy(ttl) : json_null());
    json_decref(s.suspects);
    return zone;
}

json_t *report_scope_zones(const struct report_case *c)
{
    json_t *zones = json_array(), *done = json_object(), *f;
    size_t i;
    json_array_foreach(c->findings, i, f)
    {
        const char *name = report_text(f, "zone");
        if (bearing_of(f) == 0 || json_object_get(done, name))
            continue;
        json_object_set_new(done, name, json_true());
        json_array_append_new(zones, scope_of_zone(c, name));
    }
    json_decref(done);
    return zones;
}
