/*
 * report_suspects: from findings and the inventory to suspect keys, changes and case.
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

/* Reasons listed of one key; the rest is counted. */
#define REASONS_MAX 8

/* What a finding of this rule says about keys and data. */
enum bearing {
    BEARS_KEY = 1,        /* its observed DNSKEY is suspect, and who let it in */
    BEARS_DATA = 2,       /* data differs: who signed it, or its denial, is suspect */
    BEARS_FOREIGN = 4,    /* signatures by a key that is nowhere */
    BEARS_DS = 8,         /* the DS at the parent differs */
    BEARS_ALGORITHM = 16, /* an algorithm was dropped */
    BEARS_WEAK_DS = 32    /* it was if the DS differs, else it says nothing here */
};

static const struct {
    const char *rule;
    unsigned bearing;
} bearings[] = {{"key-unknown", BEARS_KEY},
                {"key-changed", BEARS_KEY},
                {"rrsig-unknown-key", BEARS_FOREIGN},
                {"ds-unknown", BEARS_DS},
                {"ds-removed", BEARS_DS},
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
                {"ds-weak", BEARS_WEAK_DS}};

/* --- suspects --- */

struct scope {
    const struct report_case *c;
    const json_t *zone; /* of the inventory; NULL: not in it */
    const char *name;
    json_t *suspects;
    json_t *unknown;              /* rdata of keys that findings call unknown */
    bool declared_algorithm[256]; /* of keys that the owner declared */
    bool weak_ds, strangers;      /* strangers: servers that the baseline does not have */
    struct recovery_facts is;
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

static bool is_unknown(const struct scope *s, const json_t *key)
{
    size_t i;
    json_t *rdata;
    json_array_foreach(s->unknown, i, rdata)
    {
        if (report_same(key, "rdata", json_string_value(rdata)))
            return true;
    }
    return false;
}

/* One of the zone's own keys took part. */
static void used(struct scope *s, const json_t *key)
{
    bool both = report_same(key, "role", "CSK");
    s->is.own_entry |= both || report_same(key, "role", "KSK");
    s->is.own_data |= both || report_same(key, "role", "ZSK");
}

/* Who signed the DNSKEY RRset that holds the key. A ZSK that signs it too lets nobody in. */
static void accuse_vouchers(struct scope *s, const json_t *key)
{
    size_t i, k;
    json_t *tag, *other;
    json_array_foreach(json_object_get(key, "vouched_by"), i, tag)
    {
        json_array_foreach(json_object_get(s->zone, "keys"), k, other)
        {
            if (json_integer_value(tag) != (json_int_t)report_number(other, "tag") ||
                !report_is(other, "declared") || report_same(other, "role", "ZSK"))
                continue;
            used(s, other);
            accuse(suspect(s, other, report_number(other, "tag")),
                   "it signed the DNSKEY RRset that holds undeclared key %" PRIu64,
                   report_number(key, "tag"));
        }
    }
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
        s->is.unknown = true;
        accuse(suspect(s, key, report_number(key, "tag")), "%s (%s %s)",
               report_same(finding, "rule", "key-unknown") ? "nobody declared it"
                                                           : "it differs from the declared key",
               report_text(finding, "rule"), report_text(finding, "id"));
        accuse_vouchers(s, key);
    }
}

/* --- data --- */

static bool in_list(const json_t *lines, const char *text)
{
    size_t i;
    json_t *line;
    json_array_foreach(lines, i, line)
    {
        if (json_is_string(line) && strcmp(json_string_value(line), text) == 0)
            return true;
    }
    return false;
}

/* Did the key sign what the finding is about? The run noted who did (inventory, `signed_by`); where
 * it did not, what the key signed has the name. */
static bool signed_it(const json_t *key, const json_t *received, const char *set)
{
    if (report_known(received, "signed_by"))
        return in_list(json_object_get(received, "signed_by"), report_text(key, "rdata"));
    return in_list(json_object_get(json_object_get(key, "signed"), "names"), set);
}

static const json_t *received_of(const struct scope *s, const json_t *finding)
{
    return json_object_get(s->c->received, report_text(finding, "id"));
}

/* The keys that signed the RRset, or the proof that there is none. Where only names tell, and an
 * unknown key signed the RRset too, own ones are not blamed: they may have signed what was there
 * before. */
static void weigh_data(struct scope *s, const json_t *finding)
{
    char set[2048];
    size_t i;
    json_t *key;
    bool by_unknown = false;
    bool denied = json_array_size(json_object_get(finding, "observed")) == 0;
    const json_t *received = received_of(s, finding);
    bool noted = report_known(received, "signed_by");
    snprintf(set, sizeof set, "%s %s", report_text(finding, "rrname"),
             report_text(finding, "rrtype"));
    json_array_foreach(json_object_get(s->zone, "keys"), i, key)
    {
        by_unknown |= !noted && signed_it(key, received, set) && is_unknown(s, key);
    }
    json_array_foreach(json_object_get(s->zone, "keys"), i, key)
    {
        bool own = !is_unknown(s, key);
        if (!signed_it(key, received, set) || (by_unknown && own))
            continue;
        if (own)
            used(s, key);
        accuse(suspect(s, key, report_number(key, "tag")), "it signed %s%s, which %s (%s %s)",
               denied ? "the denial of " : "", set,
               denied                                         ? "the baseline declares"
               : report_same(finding, "rule", "signer-habit") ? "is made unlike those before"
                                                              : "differs",
               report_text(finding, "rule"), report_text(finding, "id"));
    }
}

/* NS are the parent's work where a referral has them; glue is nobody else's. */
static void weigh_delegation(struct scope *s, const json_t *finding)
{
    s->is.delegation |=
        !report_same(finding, "rrtype", "NS") || report_is(received_of(s, finding), "referral");
}

/* --- signatures by strangers --- */

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

static const json_t *key_tagged(const struct scope *s, uint64_t tag)
{
    size_t i;
    json_t *key;
    json_array_foreach(json_object_get(s->zone, "keys"), i, key)
    {
        if (report_number(key, "tag") == tag)
            return key;
    }
    return NULL;
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
        s->is.foreign = true;
        accuse(suspect(s, key_tagged(s, tag), tag),
               "signatures name it, and neither the DNSKEY RRset nor the baseline has it (%s %s)",
               report_text(finding, "rule"), report_text(finding, "id"));
    }
}

/* It was closed, and the keys it names have been published: they only came later. */
static bool is_refuted(const struct scope *s, const json_t *finding)
{
    size_t i;
    json_t *line;
    uint64_t tag;
    if (!report_same(finding, "state", "closed"))
        return false;
    json_array_foreach(json_object_get(finding, "observed"), i, line)
    {
        if (!json_is_string(line) || !signature_tag(json_string_value(line), &tag) ||
            !key_tagged(s, tag))
            return false;
    }
    return i > 0;
}

/* --- the parent --- */

static void weigh_ds(struct scope *s, const json_t *finding)
{
    char part[32];
    size_t i;
    json_t *key;
    s->is.ds = true;
    json_array_foreach(json_object_get(s->zone, "keys"), i, key)
    {
        snprintf(part, sizeof part, " IN DS %" PRIu64 " ", report_number(key, "tag"));
        bool named = report_is(key, "ds") || report_is(json_object_get(key, "chain"), "named");
        if (!named || report_is(key, "declared") ||
            !has_text(json_object_get(finding, "observed"), part))
            continue;
        s->is.goes_on |= report_is(key, "beside_declared");
        accuse(suspect(s, key, report_number(key, "tag")),
               "the parent publishes an undeclared DS for it (%s %s)", report_text(finding, "rule"),
               report_text(finding, "id"));
    }
}

/* --- algorithms --- */

/* "zone. IN DNSKEY 257 3 13 …" */
static void declare_algorithms(struct scope *s, const json_t *lines)
{
    size_t i;
    json_t *line;
    unsigned flags, protocol, algorithm;
    json_array_foreach(lines, i, line)
    {
        const char *at =
            json_is_string(line) ? strstr(json_string_value(line), " IN DNSKEY ") : NULL;
        if (at && sscanf(at, " IN DNSKEY %5u %3u %3u", &flags, &protocol, &algorithm) == 3)
            s->declared_algorithm[algorithm & 255] = true;
    }
}

/* Not to be signed with (RFC 8624 3.1, RFC 9905): nobody moves there of his own will. */
static bool is_outdated(uint64_t algorithm)
{
    return algorithm == 1 || algorithm == 3 || (algorithm >= 5 && algorithm <= 7) ||
           algorithm == 12;
}

/* An unknown key that is, or shall be, a way into the zone, of an algorithm that no declared key
 * has: the zone moves, when it stands beside declared keys or leads to a worse one. Where nothing
 * of the zone's own is left, somebody else's keys tell nothing by their algorithm. */
static void weigh_algorithms(struct scope *s)
{
    size_t i;
    json_t *key;
    bool any = false;
    s->is.algorithm |= s->weak_ds && s->is.ds;
    json_array_foreach(json_object_get(s->zone, "keys"), i, key)
    {
        if (report_is(key, "declared"))
            s->declared_algorithm[report_number(key, "algorithm") & 255] = true;
    }
    for (i = 0; i < 256; i++)
        any |= s->declared_algorithm[i];
    json_array_foreach(json_object_get(s->zone, "keys"), i, key)
    {
        uint64_t algorithm = report_number(key, "algorithm");
        if (any && is_unknown(s, key) && !report_same(key, "role", "ZSK") &&
            !s->declared_algorithm[algorithm & 255])
            s->is.algorithm |= report_is(key, "beside_declared") || is_outdated(algorithm);
    }
}

/* --- what it comes to --- */

/* Who received what the finding is about. One about two contents of an RRset says no more than that
 * they are two: which of them is the false one, the finding of the record says, if there is one. */
static json_t *received_by(const struct report_case *c, const json_t *finding)
{
    const json_t *of = finding;
    size_t i;
    json_t *f;
    json_array_foreach(c->findings, i, f)
    {
        if (report_same(finding, "rule", "signed-equivocation") &&
            strncmp(report_text(f, "rule"), "record-", 7) == 0 &&
            report_same(f, "rrname", report_text(finding, "rrname")) &&
            report_same(f, "rrtype", report_text(finding, "rrtype")))
            of = f;
    }
    return json_object_get(c->received, report_text(of, "id"));
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
    json_t *received = received_by(c, finding);
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

static unsigned bearing_of(const struct scope *s, const json_t *finding)
{
    unsigned bearing = 0;
    for (size_t i = 0; i < sizeof bearings / sizeof *bearings; i++)
        if (report_same(finding, "rule", bearings[i].rule))
            bearing = bearings[i].bearing;
    return bearing == BEARS_FOREIGN && is_refuted(s, finding) ? 0 : bearing;
}

/* What other findings are weighed by: which keys are unknown, which algorithms declared. */
static void look_around(struct scope *s, const json_t *finding)
{
    size_t i;
    json_t *key;
    s->strangers |= report_same(finding, "rule", "server-unknown");
    s->weak_ds |= report_same(finding, "rule", "ds-weak");
    if (!(bearing_of(s, finding) & BEARS_KEY))
        return;
    declare_algorithms(s, json_object_get(finding, "expected"));
    json_array_foreach(json_object_get(s->zone, "keys"), i, key)
    {
        const char *rdata = report_text(key, "rdata");
        if (rdata[0] && has_text(json_object_get(finding, "observed"), rdata))
            json_array_append_new(s->unknown, json_string(rdata));
    }
}

static void weigh(struct scope *s, const json_t *finding, unsigned bearing)
{
    if (bearing & BEARS_KEY)
        weigh_key(s, finding);
    if (bearing & BEARS_DATA)
        weigh_data(s, finding);
    if (report_same(finding, "rule", "delegation-changed"))
        weigh_delegation(s, finding);
    if (bearing & BEARS_FOREIGN)
        weigh_foreign(s, finding);
    if (bearing & BEARS_DS)
        weigh_ds(s, finding);
    s->is.algorithm |= (bearing & BEARS_ALGORITHM) != 0;
}

static void put_case(const struct scope *s, json_t *zone)
{
    bool also_parent;
    enum recovery recovery = report_recovery_of(&s->is, &also_parent);
    json_t *steps = json_array(), *also = json_array();
    for (const char *const *step = report_recovery_steps(recovery); *step; step++)
        json_array_append_new(steps, json_string(*step));
    if (also_parent) {
        json_array_append_new(also, json_string(report_recovery_name(RECOVERY_PARENT)));
        for (const char *const *step = report_recovery_steps(RECOVERY_PARENT); *step; step++)
            json_array_append_new(steps, json_string(*step));
    }
    json_object_set_new(zone, "case", json_string(report_recovery_name(recovery)));
    json_object_set_new(zone, "case_text", json_string(report_recovery_text(recovery)));
    json_object_set_new(zone, "also", also);
    json_object_set_new(zone, "checklist", steps);
}

/* NULL: no finding of the zone bears on it. */
static json_t *scope_of_zone(const struct report_case *c, const char *name)
{
    struct scope s = {.c = c,
                      .zone = zone_named(c, name),
                      .name = name,
                      .suspects = json_array(),
                      .unknown = json_array()};
    json_t *changes = json_array(), *f, *zone = NULL;
    bool any = false;
    size_t i;
    json_array_foreach(c->findings, i, f)
    {
        if (report_same(f, "zone", name))
            look_around(&s, f);
    }
    json_array_foreach(c->findings, i, f)
    {
        unsigned bearing = report_same(f, "zone", name) ? bearing_of(&s, f) : 0;
        if (bearing)
            weigh(&s, f, bearing);
        any |= (bearing & ~(unsigned)BEARS_WEAK_DS) != 0;
        if (bearing)
            json_array_append_new(changes, change_of(c, f));
    }
    weigh_algorithms(&s);
    s.is.goes_on &= !s.is.delegation && !s.strangers;
    if (any) {
        const json_t *ttl = json_object_get(s.zone, "ttl");
        zone =
            json_pack("{s:s, s:O, s:O}", "zone", name, "suspects", s.suspects, "changes", changes);
        put_case(&s, zone);
        report_deadline(zone, s.suspects, s.zone);
        json_object_set_new(zone, "ttl", ttl ? json_deep_copy(ttl) : json_null());
    }
    json_decref(changes);
    json_decref(s.unknown);
    json_decref(s.suspects);
    return zone;
}

json_t *report_scope_zones(const struct report_case *c)
{
    json_t *zones = json_array(), *done = json_object(), *f, *zone;
    size_t i;
    json_array_foreach(c->findings, i, f)
    {
        const char *name = report_text(f, "zone");
        if (json_object_get(done, name))
            continue;
        json_object_set_new(done, name, json_true());
        if ((zone = scope_of_zone(c, name)) != NULL)
            json_array_append_new(zones, zone);
    }
    json_decref(done);
    return zones;
}
