/*
 * report_deadline: until when validators may take what suspect keys signed.
 *
 * Contained in: report, tests. What leads to a key ends too (analyze/tell/vouched.h, which put it
 * into the inventory as `chain`), so that a signature for ten years is worth no more than the DS
 * that its key hangs on. A validator keeps nothing beyond the end of its signature (RFC 4035
 * 5.3.3), but what it validated by a key that was in its cache it keeps for its TTL. Must never:
 * give a deadline to signatures that no DS or anchor leads to.
 */
#include "evidence/report_scope.h"

#include <time.h>

#define SECOND_NS INT64_C(1000000000)

static void set_time(json_t *object, const char *key, int64_t ns)
{
    char text[40];
    time_t seconds = (time_t)(ns / SECOND_NS);
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
        __builtin_add_overflow(ns, (int64_t)(report_number(object, key) & UINT32_MAX) * SECOND_NS,
                               &sum))
        return INT64_MIN;
    return sum;
}

/* When it ends; *ret_bound says by what: "signature", "dnskey", "ds", or "never" taken at all. */
static int64_t taken_until(const json_t *key, const char **ret_bound)
{
    const json_t *use = json_object_get(key, "signed"), *chain = json_object_get(key, "chain");
    int64_t ends = report_time(report_text(use, "expiration"));
    *ret_bound = "signature";
    if (ends == INT64_MIN || !json_is_object(chain))
        return ends;
    *ret_bound = "never";
    if (!report_is(chain, "complete"))
        return INT64_MIN;
    int64_t way = report_time(report_text(chain, "until"));
    int64_t dnskey = report_time(report_text(chain, "dnskey_expiration"));
    bool data = !report_known(use, "data") || report_is(use, "data");
    int64_t gone = data ? later(way, use, "ttl") : way;
    *ret_bound = gone == INT64_MIN || ends <= gone ? "signature" : way < dnskey ? "ds" : "dnskey";
    return gone == INT64_MIN || ends <= gone ? ends : gone;
}

void report_deadline(json_t *zone, const json_t *suspects, const json_t *inventory)
{
    const json_t *ttl = json_object_get(inventory, "ttl");
    const char *bound, *last_bound = NULL;
    int64_t last = INT64_MIN;
    uint64_t longest = 0;
    size_t i;
    json_t *key;
    json_array_foreach(suspects, i, key)
    {
        const json_t *use = json_object_get(key, "signed");
        int64_t ends = report_time(report_text(use, "expiration"));
        int64_t until = taken_until(key, &bound);
        set_time(key, "last_signature_expires", ends);
        set_time(key, "validates_until", until);
        json_object_set_new(key, "bounded_by",
                            ends == INT64_MIN ? json_null() : json_string(bound));
        set_time(key, "dnskey_leaves_caches",
                 later(report_time(report_text(key, "last_seen")), ttl, "dnskey"));
        if (report_number(use, "ttl") > longest)
            longest = report_number(use, "ttl");
        if (ends == INT64_MIN || (last_bound && until <= last))
            continue;
        last = until;
        last_bound = bound;
        json_object_set_new(zone, "deadline_key",
                            json_integer((json_int_t)report_number(key, "tag")));
    }
    set_time(zone, "deadline", last);
    json_object_set_new(zone, "deadline_bound", last_bound ? json_string(last_bound) : json_null());
    json_object_set_new(zone, "longest_ttl",
                        last_bound ? json_integer((json_int_t)longest) : json_null());
}
