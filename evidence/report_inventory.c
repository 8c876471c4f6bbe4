/*
 * report_inventory: the map that a crisis needs: what there is of each zone.
 *
 * Contained in: report, tests.
 */
#include "evidence/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- one zone in one line --- */

/* Lines of before the member was there were only of zones observed. */
static bool is_observed(const json_t *zone)
{
    return !report_known(zone, "observed") || report_is(zone, "observed");
}

static size_t count_keys(const json_t *zone, bool sep)
{
    size_t i, count = 0;
    json_t *key;
    json_array_foreach(json_object_get(zone, "keys"), i, key)
    {
        count += report_is(key, "current") && report_is(key, "sep") == sep;
    }
    return count;
}

static bool any_observed(const json_t *zone)
{
    size_t i;
    json_t *key;
    json_array_foreach(json_object_get(zone, "keys"), i, key)
    {
        if (report_known(key, "first_seen"))
            return true;
    }
    return false;
}

static const char *ds_word(const json_t *zone)
{
    const json_t *step = json_object_get(json_object_get(zone, "objectives"), "M3");
    if (report_is(zone, "anchored"))
        return "anchor";
    if (report_known(step, "in_step")) /* in part: as in the middle of a roll by double DS */
        return report_is(step, "in_step")               ? "in step"
               : report_number(step, "ds_with_key") > 0 ? "in part"
                                                        : "MISMATCH";
    if (report_known(zone, "no_ds_seen"))
        return "none";
    return json_array_size(json_object_get(zone, "ds")) ? "DS only" : "not seen";
}

static const char *denial_word(const json_t *zone, char text[32])
{
    const json_t *denial = json_object_get(zone, "denial");
    if (!report_known(denial, "type"))
        return "not seen";
    if (report_known(denial, "iterations"))
        snprintf(text, 32, "%.8s/%" PRIu64 "%s", report_text(denial, "type"),
                 report_number(denial, "iterations"), report_is(denial, "opt_out") ? "o" : "");
    else
        snprintf(text, 32, "%.8s", report_text(denial, "type"));
    return text;
}

static const json_t *least_life(const json_t *zone)
{
    return json_object_get(json_object_get(zone, "objectives"), "M2");
}

static const char *life_word(const json_t *zone, char text[REPORT_SPAN])
{
    const json_t *life = least_life(zone);
    if (!report_known(life, "seconds"))
        return "not seen";
    if (report_number(life, "seconds") == 0)
        return "EXPIRED";
    return report_span((int64_t)report_number(life, "seconds"), text);
}

static const char *signed_word(const json_t *zone)
{
    return !report_known(zone, "signed") ? "?" : report_is(zone, "signed") ? "yes" : "no";
}

static void put_row(struct report_out *o, const json_t *zone)
{
    char denial[32], life[REPORT_SPAN], keys[48];
    if (!is_observed(zone)) {
        report_put(o, "%-26s %s\n", report_text(zone, "zone"), "declared, not observed");
        return;
    }
    snprintf(keys, sizeof keys, "%zu+%zu", count_keys(zone, true), count_keys(zone, false));
    report_put(o, "%-26s %-13s %-6s %-7s %-8s %-10s %-10s %s\n", report_text(zone, "zone"),
               report_text(zone, "trust"), signed_word(zone), any_observed(zone) ? keys : "-",
               ds_word(zone), denial_word(zone, denial), life_word(zone, life),
               report_known(zone, "last_verdict") ? report_text(zone, "last_verdict") : "-");
}

/* --- one zone in full --- */

static void put_key(struct report_out *o, const json_t *key)
{
    char first[REPORT_MOMENT], last[REPORT_MOMENT], from[REPORT_MOMENT], until[REPORT_MOMENT];
    const json_t *use = json_object_get(key, "signed");
    report_fold(o, 14, "  %-10s  %" PRIu64 " %s%s, %s, flags %" PRIu64 "%s%s%s%s",
                report_text(key, "role"), report_number(key, "tag"),
                report_text(key, "algorithm_name"), report_known(key, "bits") ? "" : " (size ?)",
                report_is(key, "current")         ? "published"
                : report_known(key, "first_seen") ? "no longer published"
                                                  : "not observed in a DNSKEY RRset",
                report_number(key, "flags"), report_is(key, "revoked") ? ", REVOKED" : "",
                report_is(key, "ds") ? ", named by the DS" : "",
                report_known(key, "declared") && !report_is(key, "declared") ? ", NOT DECLARED"
                                                                             : "",
                report_is(key, "declared") ? ", declared" : "");
    if (report_known(key, "first_seen"))
        report_fold(o, 14, "              seen %s to %s, first in frame %" PRIu64,
                    report_moment(report_text(key, "first_seen"), first),
                    report_moment(report_text(key, "last_seen"), last),
                    report_number(key, "frame"));
    if (!report_known(use, "rrsets")) {
        report_put(o, "              no signature by it was observed\n");
        return;
    }
    report_fold(o, 14,
                "              signed %s%" PRIu64 " RRset%s; signatures from %s to %s, TTL up to "
                "%" PRIu64,
                report_is(use, "more_rrsets") ? "at least " : "", report_number(use, "rrsets"),
                report_number(use, "rrsets") == 1 ? "" : "s",
                report_moment(report_text(use, "inception"), from),
                report_moment(report_text(use, "expiration"), until), report_number(use, "ttl"));
}

static void put_ds(struct report_out *o, const json_t *ds)
{
    char first[REPORT_MOMENT], last[REPORT_MOMENT];
    report_fold(o, 14,
                "  DS          %" PRIu64 " %" PRIu64 " %" PRIu64 " %s%s, seen %s to %s, first in "
                "frame %" PRIu64,
                report_number(ds, "tag"), report_number(ds, "algorithm"),
                report_number(ds, "digest_type"), report_text(ds, "digest"),
                report_is(ds, "current") ? "" : " (no longer)",
                report_moment(report_text(ds, "first_seen"), first),
                report_moment(report_text(ds, "last_seen"), last), report_number(ds, "frame"));
}

static void put_ttl(struct report_out *o, const json_t *ttl, const char *key, const char *word,
                    const char *end)
{
    if (report_known(ttl, key))
        report_put(o, "%s %" PRIu64 "%s", word, report_number(ttl, key), end);
    else
        report_put(o, "%s not observed%s", word, end);
}

static void put_servers(struct report_out *o, const json_t *zone)
{
    char line[2048] = "";
    size_t i, used = 0;
    json_t *server;
    json_array_foreach(json_object_get(zone, "servers"), i, server)
    {
        int n = snprintf(line + used, sizeof line - used, "%s%.64s", used ? ", " : "",
                         report_text(server, "address"));
        if (n < 0 || (size_t)n >= sizeof line - used)
            break;
        used += (size_t)n;
    }
    report_fold(o, 14, "  servers     %s%s", used ? line : "none observed (no answer with AA=1)",
                report_is(zone, "more_servers") ? ", and more" : "");
}

static void put_share(struct report_out *o, const char *name, const json_t *m, const char *part,
                      const char *whole, const char *what)
{
    uint64_t all = report_number(m, whole), some = report_number(m, part);
    if (!report_known(m, whole) || all == 0)
        report_put(o, "  %-10s  not observed\n", name);
    else
        report_put(o, "  %-10s  %.2f %% %s (%" PRIu64 " of %" PRIu64 ")\n", name,
                   100.0 * (double)some / (double)all, what, some, all);
}

static void put_objectives(struct report_out *o, const json_t *zone)
{
    char life[REPORT_SPAN];
    const json_t *m = json_object_get(zone, "objectives"), *m2 = json_object_get(m, "M2");
    const json_t *m3 = json_object_get(m, "M3");
    put_share(o, "M1", json_object_get(m, "M1"), "with_ad", "answers",
              "of resolvers' secure answers with AD");
    if (report_known(m2, "seconds"))
        report_fold(o, 14, "  M2          %s left of the signature over %s",
                    report_span((int64_t)report_number(m2, "seconds"), life),
                    report_text(m2, "rrset"));
    else
        report_put(o, "  M2          not observed\n");
    if (report_known(m3, "in_step"))
        report_put(o, "  M3          %" PRIu64 " of %" PRIu64 " DS name a published key\n",
                   report_number(m3, "ds_with_key"), report_number(m3, "ds"));
    else
        report_put(o, "  M3          not observed\n");
    put_share(o, "M4", json_object_get(m, "M4"), "safe", "rolls",
              "of completed key rolls without an unsafe step");
    put_share(o, "M5", json_object_get(m, "M5"), "by_validation", "responses",
              "of resolvers' responses SERVFAIL by validation");
}

static void put_outages(struct report_out *o, const json_t *zone)
{
    char from[REPORT_MOMENT], until[REPORT_MOMENT], span[REPORT_SPAN];
    size_t i;
    json_t *e;
    json_array_foreach(json_object_get(zone, "outages"), i, e)
    {
        report_fold(o, 14, "  %-10s  from %s (frame %" PRIu64 "): %s", report_outage(e),
                    report_moment(report_text(e, "from"), from), report_number(e, "frame"),
                    report_text(e, "text"));
        if (report_known(e, "recovered"))
            report_fold(o, 14, "  M6          recovered %s (frame %" PRIu64 ") after %s",
                        report_moment(report_text(e, "recovered"), until),
                        report_number(e, "recovered_frame"),
                        report_span((report_time(report_text(e, "recovered")) -
                                     report_time(report_text(e, "from"))) /
                                        1000000000,
                                    span));
        else
            report_fold(o, 14, "  M6          no recovery observed; last such response %s",
                        report_moment(report_text(e, "last"), until));
    }
}

static void put_zone(struct report_out *o, const json_t *zone)
{
    const json_t *ttl = json_object_get(zone, "ttl"), *r = json_object_get(zone, "responses");
    const json_t *denial = json_object_get(zone, "denial");
    size_t i;
    json_t *item;
    report_fold(o, 2, "\n%s  %s: %s%s%s", report_text(zone, "zone"), report_text(zone, "trust"),
                report_text(zone, "text"),
                report_is(zone, "anchored") ? "; has a trust anchor" : "",
                report_is(zone, "baseline") ? "" : "; no baseline");
    json_array_foreach(json_object_get(zone, "keys"), i, item)
    {
        put_key(o, item);
    }
    json_array_foreach(json_object_get(zone, "ds"), i, item)
    {
        put_ds(o, item);
    }
    report_put(o, "  TTL         ");
    put_ttl(o, ttl, "dnskey", "DNSKEY", ", ");
    put_ttl(o, ttl, "ds", "DS", ", ");
    put_ttl(o, ttl, "ns", "NS", ", ");
    put_ttl(o, ttl, "soa", "SOA", "\n");
    if (report_known(denial, "iterations"))
        report_put(o, "  denial      NSEC3, %" PRIu64 " iterations, salt %s%s\n",
                   report_number(denial, "iterations"),
                   report_text(denial, "salt")[0] ? report_text(denial, "salt") : "-",
                   report_is(denial, "opt_out") ? ", opt-out" : "");
    else
        report_put(o, "  denial      %s\n",
                   report_known(denial, "type") ? report_text(denial, "type") : "not observed");
    put_servers(o, zone);
    report_put(o,
               "  responses   %" PRIu64 " secure, %" PRIu64 " insecure, %" PRIu64 " bogus, %" PRIu64
               " indeterminate, %" PRIu64 " not-checkable\n",
               report_number(r, "secure"), report_number(r, "insecure"), report_number(r, "bogus"),
               report_number(r, "indeterminate"), report_number(r, "not-checkable"));
    put_objectives(o, zone);
    put_outages(o, zone);
}

static bool deserves_details(const json_t *zone)
{
    return is_observed(zone) && (report_is(zone, "baseline") || report_is(zone, "signed") ||
                                 json_array_size(json_object_get(zone, "outages")) > 0);
}

static void put_text(struct report_out *o, const struct report_case *c)
{
    size_t i;
    json_t *zone;
    report_head(o, c, "Inventory");
    report_put(o, "\n%-26s %-13s %-6s %-7s %-8s %-10s %-10s %s\n", "zone", "trust", "signed", "K+Z",
               "DS", "denial", "least life", "last");
    json_array_foreach(c->zones, i, zone)
    {
        put_row(o, zone);
    }
    if (json_array_size(c->zones) == 0)
        report_put(o, "no zone was observed, or the run recorded no inventory\n");
    report_put(o, "\nK+Z: keys with and without SEP now published.\n");
    json_array_foreach(c->zones, i, zone)
    {
        if (deserves_details(zone))
            put_zone(o, zone);
    }
}

/* --- CSV --- */

static void csv_tags(struct report_out *o, const json_t *zone, bool sep)
{
    char text[1024] = "";
    size_t i, used = 0;
    json_t *key;
    json_array_foreach(json_object_get(zone, "keys"), i, key)
    {
        if (!report_is(key, "current") || report_is(key, "sep") != sep || used > 1000)
            continue;
        int n = snprintf(text + used, sizeof text - used, "%s%" PRIu64 "/%" PRIu64, used ? " " : "",
                         report_number(key, "tag"), report_number(key, "algorithm"));
        used += n > 0 ? (size_t)n : 0;
    }
    report_csv(o, text, false);
}

static void csv_number(struct report_out *o, const json_t *object, const char *key)
{
    if (report_known(object, key))
        report_csv_number(o, report_number(object, key), false);
    else
        report_csv(o, "", false);
}

static void put_csv_row(struct report_out *o, const json_t *zone)
{
    char text[32];
    const json_t *m = json_object_get(zone, "objectives"), *r = json_object_get(zone, "responses");
    const json_t *ttl = json_object_get(zone, "ttl");
    static const char *const verdicts[] = {"secure", "insecure", "bogus", "indeterminate",
                                           "not-checkable"};
    static const char *const ttls[] = {"dnskey", "ds", "ns", "soa"};
    report_csv(o, report_text(zone, "zone"), false);
    report_csv(o, is_observed(zone) ? report_text(zone, "trust") : "not-observed", false);
    report_csv(o, report_text(zone, "reason"), false);
    report_csv(o, signed_word(zone), false);
    csv_tags(o, zone, true);
    csv_tags(o, zone, false);
    report_csv(o, ds_word(zone), false);
    for (size_t i = 0; i < 4; i++)
        csv_number(o, ttl, ttls[i]);
    report_csv(o, denial_word(zone, text), false);
    csv_number(o, json_object_get(m, "M2"), "seconds");
    report_csv(o, report_text(json_object_get(m, "M2"), "rrset"), false);
    for (size_t i = 0; i < 5; i++)
        csv_number(o, r, verdicts[i]);
    report_csv(o, report_text(zone, "last_verdict"), false);
    report_csv(o, report_text(zone, "first_seen"), false);
    report_csv(o, report_text(zone, "last_seen"), false);
    csv_number(o, json_object_get(m, "M1"), "answers");
    csv_number(o, json_object_get(m, "M1"), "with_ad");
    csv_number(o, json_object_get(m, "M4"), "rolls");
    csv_number(o, json_object_get(m, "M4"), "safe");
    csv_number(o, json_object_get(m, "M5"), "responses");
    csv_number(o, json_object_get(m, "M5"), "by_validation");
    report_csv_number(o, json_array_size(json_object_get(zone, "outages")), true);
}

static void put_csv(struct report_out *o, const struct report_case *c)
{
    size_t i;
    json_t *zone;
    report_put(o, "zone,trust,reason,signed,ksk,zsk,ds,ttl_dnskey,ttl_ds,ttl_ns,ttl_soa,denial,"
                  "least_life_seconds,least_life_rrset,secure,insecure,bogus,indeterminate,"
                  "not_checkable,last_verdict,first_seen,last_seen,m1_answers,m1_with_ad,"
                  "m4_rolls,m4_safe,m5_responses,m5_by_validation,outages\n");
    json_array_foreach(c->zones, i, zone)
    {
        put_csv_row(o, zone);
    }
}

void report_inventory(struct report_out *o, const struct report_case *c, enum report_form form)
{
    if (form == REPORT_TEXT)
        put_text(o, c);
    else if (form == REPORT_CSV)
        put_csv(o, c);
    else
        report_json(o, c, json_pack("{s:O?, s:O}", "run", c->run, "zones", c->zones));
}
