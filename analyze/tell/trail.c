/*
 * trail: from the anchor down.
 *
 * Contained in: analyze, tests. Checks nothing by itself: judge_signature says what each signature
 * came to, which the rules have asked before, so that it is remembered; never beyond one message's
 * budget.
 */
#include "analyze/tell/trail.h"

#include "analyze/canon.h"
#include "analyze/types.h"
#include "analyze/validate/judge.h"
#include "analyze/validate/trust.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND_NS    1000000000ll
#define RECORDS_MAX  12 /* of one RRset that are shown one by one */
#define RECORD_TEXT  400
#define HEX_TEXT     (2 * KEY_DIGEST_MAX + 8)
#define HASH32_TEXT  33
#define RELATION_MAX (DENIAL_EMPTY + 1)

const char *trail_time(int64_t seconds, char ret_text[TRAIL_TIME_TEXT])
{
    time_t time = (time_t)seconds;
    struct tm tm;
    if (seconds < 0 || gmtime_r(&time, &tm) == NULL ||
        strftime(ret_text, TRAIL_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        snprintf(ret_text, TRAIL_TIME_TEXT, "%" PRId64, seconds);
    return ret_text;
}

static const char *duration(int64_t seconds, char text[40])
{
    if (seconds >= 172800)
        snprintf(text, 40, "%" PRId64 " days", seconds / 86400);
    else if (seconds >= 7200)
        snprintf(text, 40, "%" PRId64 " hours", seconds / 3600);
    else if (seconds >= 120)
        snprintf(text, 40, "%" PRId64 " minutes", seconds / 60);
    else
        snprintf(text, 40, "%" PRId64 " seconds", seconds);
    return text;
}

static const char *hex(const uint8_t *bytes, size_t size, char text[HEX_TEXT])
{
    size_t most = size < KEY_DIGEST_MAX ? size : KEY_DIGEST_MAX;
    for (size_t i = 0; i < most; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    snprintf(text + 2 * most, 8, "%s", most < size ? "..." : "");
    return text;
}

/* RFC 4648 7, as NSEC3 owners are written. */
static const char *hash32(const uint8_t hash[20], char text[HASH32_TEXT])
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    for (unsigned group = 0; group < 4; group++) {
        uint64_t bits = 0;
        for (unsigned i = 0; i < 5; i++)
            bits = bits << 8 | hash[group * 5 + i];
        for (unsigned i = 0; i < 8; i++)
            text[group * 8 + i] = digits[bits >> (35 - 5 * i) & 31];
    }
    text[HASH32_TEXT - 1] = 0;
    return text;
}

static enum step_status status_of(enum reason reason)
{
    switch (reason_verdict(reason)) {
    case VERDICT_SECURE:
        return STEP_OK;
    case VERDICT_BOGUS:
        return STEP_FAIL;
    case VERDICT_INDETERMINATE:
        return STEP_MISSING;
    default:
        return STEP_NOTE;
    }
}

/* --- records --- */

static void put_records(struct trail *t, const struct rrset *set)
{
    char text[TYPES_RDATA_TEXT];
    unsigned shown = 0;
    uint16_t size;
    for (const uint8_t *r = NULL; (r = rrset_record(set, r, &size)); shown++) {
        if (shown == RECORDS_MAX)
            break;
        types_rdata_text(set->type, r, size, text, sizeof text);
        steps_add(t->steps, STEP_NOTE, "record", NULL, "  %.*s%s", RECORD_TEXT, text,
                  strlen(text) > RECORD_TEXT ? " ..." : "");
    }
    if (set->count > shown)
        steps_add(t->steps, STEP_NOTE, "record", NULL, "  and %u more", set->count - shown);
}

/* --- signatures --- */

/* The DNSKEY RRset of the zone that holds a key with this tag and algorithm. */
static const struct rrset *holder(const struct zone *zone, uint16_t tag, uint8_t algorithm,
                                  uint16_t *ret_flags)
{
    for (uint8_t i = 0; zone && i < zone->dnskeys; i++) {
        uint16_t size;
        for (const uint8_t *r = NULL; (r = rrset_record(zone->dnskey[i], r, &size));) {
            if (size < 4 || r[3] != algorithm || key_tag(r, size) != tag)
                continue;
            *ret_flags = (uint16_t)(r[0] << 8 | r[1]);
            return zone->dnskey[i];
        }
    }
    return NULL;
}

static unsigned signed_labels(const struct rrset *set)
{
    unsigned labels = name_labels(set->owner);
    return labels > 0 && name_is_wildcard(set->owner) ? labels - 1 : labels;
}

/* Why a signature was not looked at, or does not count. */
static enum step_status unchecked(struct trail *t, const struct rrset *set,
                                  const struct signature *s, char *text, size_t room)
{
    bool at_apex = name_equal(set->owner, s->signer);
    uint16_t flags = 0;
    if (!name_within(set->owner, s->signer) || (set->type == TYPE_DS && at_apex) ||
        (set->type == TYPE_DNSKEY && !at_apex)) {
        snprintf(text, room, "the signer is not the zone that holds the RRset (RFC 4035 5.3.1)");
        return STEP_FAIL;
    }
    if (s->labels > signed_labels(set)) {
        snprintf(text, room, "claims %u labels where the owner has %u (RFC 4035 5.3.1)", s->labels,
                 signed_labels(set));
        return STEP_FAIL;
    }
    if (!key_algorithm_supported(s->algorithm)) {
        snprintf(text, room, "not checked: the algorithm is not implemented (RFC 4035 5.2)");
        return STEP_NOTE;
    }
    struct zone *zone = world_find(t->world, s->signer);
    const struct trust *trust = zone ? trust_zone(t->world, zone, t->clock_ns) : NULL;
    if (trust == NULL || trust->state == TRUST_UNKNOWN) {
        snprintf(text, room, "not checked: %s",
                 reason_text(trust ? trust->reason : REASON_DNSKEY_NOT_SEEN));
        return STEP_MISSING;
    }
    if (trust->state == TRUST_INSECURE) {
        snprintf(text, room, "not checked: nothing vouches for the zone's keys");
        return STEP_NOTE;
    }
    if (holder(zone, s->tag, s->algorithm, &flags) == NULL) {
        snprintf(text, room, "no such key in the DNSKEY RRset of the zone (RFC 4035 5.3.1)");
        return trust->state == TRUST_BOGUS ? STEP_FAIL : STEP_MISSING;
    }
    if (flags & KEY_FLAG_REVOKE)
        snprintf(text, room, "the key is revoked (RFC 5011 2.1)");
    else if (!(flags & KEY_FLAG_ZONE))
        snprintf(text, room, "the key lacks the ZONE flag (RFC 4034 2.1.1)");
    else if (set->judged.reason == REASON_BUDGET || s->checks == SIGNATURE_CHECKS_MAX) {
        snprintf(text, room, "not checked to the end: %s (%s)", reason_text(REASON_BUDGET),
                 reason_rfc(REASON_BUDGET));
        return STEP_NOTE;
    } else
        snprintf(text, room, "not checked: the key is not among the trusted ones");
    return STEP_FAIL;
}

/* What the check of one signature came to, in words. */
static enum step_status outcome(struct trail *t, const struct rrset *set, const struct signature *s,
                                const struct fact_signature *f, char *text, size_t room)
{
    char span[40], when[TRAIL_TIME_TEXT];
    int64_t now = t->clock_ns / SECOND_NS;
    const char *sound = f->verifies ? "it verifies, but " : "";
    switch (f->state) {
    case SIGNATURE_VALID:
        snprintf(text, room, "verifies, in force at %s", trail_time(now, when));
        return STEP_OK;
    case SIGNATURE_EXPIRED:
        snprintf(text, room, "%sit had expired %s before %s (RFC 4035 5.3.1)", sound,
                 duration(now - f->expiration, span), trail_time(now, when));
        return STEP_FAIL;
    case SIGNATURE_FUTURE:
        snprintf(text, room, "%sit becomes valid %s after %s (RFC 4035 5.3.1)", sound,
                 duration(f->inception - now, span), trail_time(now, when));
        return STEP_FAIL;
    case SIGNATURE_BAD:
        snprintf(text, room, "does not verify with that key (RFC 4035 5.3.3)");
        return STEP_FAIL;
    case SIGNATURE_MALFORMED:
        if (f->expiration < f->inception)
            snprintf(text, room, "expires before its inception (RFC 4034 3.1.5)");
        else
            snprintf(text, room, "%u bytes are no signature of this algorithm (RFC 4034 3.1)",
                     s->bytes_size);
        return STEP_FAIL;
    case SIGNATURE_KEY_UNKNOWN:
        snprintf(text, room, "no such key in the DNSKEY RRset of the zone (RFC 4035 5.3.1)");
        return STEP_FAIL;
    default:
        return unchecked(t, set, s, text, room);
    }
}

static void put_signature(struct trail *t, struct rrset *set, struct signature *s)
{
    char signer[NAME_TEXT_MAX], words[TYPES_TEXT], from[TRAIL_TIME_TEXT], until[TRAIL_TIME_TEXT];
    char text[240], where[64] = "", from_wildcard[NAME_TEXT_MAX + 24] = "";
    struct fact_signature f;
    uint16_t flags;
    judge_signature(t->world, set, s, t->clock_ns, &f);
    enum step_status status = outcome(t, set, s, &f, text, sizeof text);
    const struct rrset *keys =
        holder(world_find(t->world, s->signer), s->tag, s->algorithm, &flags);
    if (keys && keys != set && keys->frame_count)
        snprintf(where, sizeof where, " of frame %" PRIu64, keys->frames[0]);
    if (s->labels < signed_labels(set)) {
        char closest[NAME_TEXT_MAX];
        name_text(name_suffix(set->owner, s->labels), closest);
        snprintf(from_wildcard, sizeof from_wildcard, " over *.%s",
                 strcmp(closest, ".") == 0 ? "" : closest);
    }
    steps_add(t->steps, status, "signature", NULL, "  RRSIG%s by %s key %u%s %s, %s to %s: %s",
              from_wildcard, name_text(s->signer, signer), s->tag, where,
              types_algorithm(s->algorithm, words), trail_time(f.inception, from),
              trail_time(f.expiration, until), text);
}

static void put_signatures(struct trail *t, struct rrset *set)
{
    for (uint8_t i = 0; i < set->signatures; i++)
        put_signature(t, set, &set->signature[i]);
    if (set->more_signatures)
        steps_add(t->steps, STEP_NOTE, "signature", NULL,
                  "  further RRSIGs are malformed, or too many to look at");
}

/* --- denial --- */

static void put_step(struct trail *t, const struct denial_step *step, enum step_status absent)
{
    static const char *const is[RELATION_MAX] = {[DENIAL_MATCHES] = "matches",
                                                 [DENIAL_COVERS] = "covers",
                                                 [DENIAL_EMPTY] = "shows as empty non-terminal"};
    char name[NAME_TEXT_MAX], owner[NAME_TEXT_MAX], hash[HASH32_TEXT], hashed[48] = "";
    const char *type = step->hashed ? "NSEC3" : "NSEC";
    name_text(step->name, name);
    if (step->hashed)
        snprintf(hashed, sizeof hashed, " (hash %s)", hash32(step->hash, hash));
    if (step->set)
        steps_add(t->steps, STEP_OK, "denial", step->set, "  %s %s %s %s%s", type,
                  name_text(step->set->owner, owner), is[step->relation], name, hashed);
    else
        steps_add(t->steps, absent, "denial", NULL, "  no %s %s %s%s", type, is[step->relation],
                  name, hashed);
}

/* Where nothing was found at the last step, there the proof broke off. */
static void put_trace(struct trail *t, const struct denial_trace *trace, bool broken)
{
    for (size_t i = 0; i < trace->count; i++)
        put_step(t, &trace->step[i], broken && i + 1 == trace->count ? STEP_FAIL : STEP_NOTE);
}

/* --- one zone: anchor or parent --- */

static bool in_force(const struct trail *t, const struct anchor *a)
{
    return t->clock_ns >= a->from_ns && t->clock_ns <= a->until_ns;
}

static void put_ds(struct trail *t, const char *what, const struct rrset *from, const uint8_t *r,
                   uint16_t size)
{
    char algorithm[TYPES_TEXT], digest[TYPES_TEXT], text[HEX_TEXT];
    if (size < 4)
        return;
    bool known = key_algorithm_supported(r[2]) && key_digest_size(r[3]);
    steps_add(t->steps, STEP_NOTE, "ds", from, "  %s key %u %s %s %s%s", what, r[0] << 8 | r[1],
              types_algorithm(r[2], algorithm), types_digest(r[3], digest),
              hex(r + 4, size - 4u, text), known ? "" : " (not implemented: counts as absent)");
}

static bool put_anchors(struct trail *t, const struct zone *zone)
{
    const struct anchor *a;
    size_t count = t->world->anchors ? anchors_list(t->world->anchors, &a) : 0;
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        char algorithm[TYPES_TEXT];
        if (!name_equal(a[i].zone, zone->name))
            continue;
        const char *what =
            in_force(t, &a[i]) ? "trust anchor" : "trust anchor (not in force at that time)";
        any |= in_force(t, &a[i]);
        if (a[i].is_ds)
            put_ds(t, what, NULL, a[i].rdata, a[i].rdata_size);
        else
            steps_add(t->steps, STEP_NOTE, "anchor", NULL, "  %s DNSKEY %u %s", what,
                      key_tag(a[i].rdata, a[i].rdata_size),
                      types_algorithm(a[i].rdata[3], algorithm));
    }
    return any;
}

static void put_no_ds(struct trail *t, const struct zone *zone)
{
    struct denial d = {.world = t->world, .zone = zone->no_ds.signer->name};
    char signer[NAME_TEXT_MAX];
    while (d.count < PROOF_SETS_MAX && zone->no_ds.proof[d.count]) {
        d.set[d.count] = zone->no_ds.proof[d.count];
        d.count++;
    }
    steps_add(t->steps, zone->trust.reason == zone->no_ds.reason ? STEP_OK : STEP_NOTE, "no-ds",
              zone->no_ds.proof[0], "no DS, proven by %s: %s", name_text(d.zone, signer),
              reason_text(zone->no_ds.reason));
    for (size_t i = 0; i < d.count; i++)
        put_signatures(t, d.set[i]);
    struct denial_trace trace = {.count = 0}, *before = t->world->trace;
    t->world->trace = &trace;
    (void)denial_no_ds(&d, zone->name);
    t->world->trace = before;
    put_trace(t, &trace, false);
}

static void put_parent(struct trail *t, const struct zone *zone)
{
    for (uint8_t i = 0; i < zone->dss; i++) {
        struct rrset *set = zone->ds[i];
        enum reason reason = judge_rrset(t->world, set, t->clock_ns);
        uint16_t size;
        steps_add(t->steps, status_of(reason), "ds", set, "DS RRset of %u: %s", set->count,
                  reason_text(reason));
        for (const uint8_t *r = NULL; (r = rrset_record(set, r, &size));)
            put_ds(t, "DS", NULL, r, size);
        put_signatures(t, set);
    }
    if (zone->no_ds.reason != REASON_NONE && zone->no_ds.signer && zone->no_ds.proof[0])
        put_no_ds(t, zone);
    else if (zone->dss == 0)
        steps_add(t->steps, zone->trust.state == TRUST_UNKNOWN ? STEP_MISSING : STEP_NOTE, "ds",
                  NULL, "neither a DS nor a signed proof that there is none was observed");
}

/* --- one zone: its keys --- */

struct naming { /* which DS or anchors name a key */
    char text[320];
    size_t size;
    bool named;
};

static void name_by(struct trail *t, struct naming *n, const struct zone *zone, const char *what,
                    const struct rrset *from, const uint8_t *ds, uint16_t ds_size,
                    const uint8_t *key, uint16_t size)
{
    enum key_ds match = key_matches_ds(zone->name, key, size, ds, ds_size);
    char digest[TYPES_TEXT], computed[HEX_TEXT], expected[HEX_TEXT], frame[40] = "";
    uint8_t bytes[KEY_DIGEST_MAX];
    if (match != KEY_DS_MATCHES && match != KEY_DS_DIGEST_WRONG)
        return;
    if (from && from->frame_count)
        snprintf(frame, sizeof frame, " of frame %" PRIu64, from->frames[0]);
    if (match == KEY_DS_MATCHES) {
        n->named = true;
        if (n->size < sizeof n->text)
            n->size += (size_t)snprintf(n->text + n->size, sizeof n->text - n->size, "%s%s%s (%s)",
                                        n->size ? ", " : ": named by ", what, frame,
                                        types_digest(ds[3], digest));
        return;
    }
    size_t made = key_ds_digest(zone->name, key, size, ds[3], bytes);
    steps_add(t->steps, STEP_FAIL, "digest", NULL,
              "  %s%s names key %u with %s %s; the key gives %s (RFC 4035 5.2)", what, frame,
              key_tag(key, size), types_digest(ds[3], digest), hex(ds + 4, ds_size - 4u, expected),
              hex(bytes, made, computed));
}

static void name_key(struct trail *t, struct naming *n, const struct zone *zone, const uint8_t *key,
                     uint16_t size)
{
    const struct anchor *a;
    size_t count = t->world->anchors ? anchors_list(t->world->anchors, &a) : 0;
    uint16_t ds_size;
    for (size_t i = 0; i < count; i++) {
        if (!name_equal(a[i].zone, zone->name) || !in_force(t, &a[i]))
            continue;
        if (a[i].is_ds) {
            name_by(t, n, zone, "the trust anchor", NULL, a[i].rdata, a[i].rdata_size, key, size);
        } else if (a[i].rdata_size == size && memcmp(a[i].rdata, key, size) == 0) {
            n->named = true;
            snprintf(n->text, sizeof n->text, ": it is the trust anchor");
        }
    }
    for (uint8_t i = 0; i < zone->dss; i++)
        for (const uint8_t *r = NULL; (r = rrset_record(zone->ds[i], r, &ds_size));)
            name_by(t, n, zone, "the DS", zone->ds[i], r, ds_size, key, size);
}

static void put_keys(struct trail *t, const struct zone *zone, const struct rrset *set)
{
    uint16_t size;
    for (const uint8_t *r = NULL; (r = rrset_record(set, r, &size));) {
        struct naming n = {.size = 0};
        char algorithm[TYPES_TEXT];
        if (size < 4)
            continue;
        name_key(t, &n, zone, r, size);
        steps_add(t->steps, n.named ? STEP_OK : STEP_NOTE, "key", NULL, "  key %u %s%s%s%s%s",
                  key_tag(r, size), types_algorithm(r[3], algorithm),
                  r[1] & KEY_FLAG_SEP ? ", SEP" : "", r[1] & KEY_FLAG_REVOKE ? ", revoked" : "",
                  r[0] & (KEY_FLAG_ZONE >> 8) ? "" : ", no zone key", n.text);
    }
}

/* A DS without any key that has its tag and algorithm. */
static void put_dangling(struct trail *t, const struct zone *zone)
{
    uint16_t size, flags;
    for (uint8_t i = 0; i < zone->dss && zone->dnskeys; i++)
        for (const uint8_t *r = NULL; (r = rrset_record(zone->ds[i], r, &size));) {
            uint16_t tag = (uint16_t)(size < 4 ? 0 : r[0] << 8 | r[1]);
            char algorithm[TYPES_TEXT];
            if (size < 4 || holder(zone, tag, r[2], &flags))
                continue;
            steps_add(t->steps, zone->trust.state == TRUST_BOGUS ? STEP_FAIL : STEP_NOTE, "ds",
                      zone->ds[i], "  the DS names key %u %s: the zone has no such key", tag,
                      types_algorithm(r[2], algorithm));
        }
}

static void put_dnskeys(struct trail *t, const struct zone *zone)
{
    const struct trust *trust = &zone->trust;
    for (uint8_t i = 0; i < zone->dnskeys; i++) {
        bool trusted = trust->trusted >> i & 1;
        enum step_status status = trusted                         ? STEP_OK
                                  : trust->state == TRUST_UNKNOWN ? STEP_MISSING
                                  : trust->state == TRUST_BOGUS   ? STEP_FAIL
                                                                  : STEP_NOTE;
        steps_add(t->steps, status, "dnskey", zone->dnskey[i], "DNSKEY RRset of %u: %s",
                  zone->dnskey[i]->count,
                  trusted ? "signed by a key that is named above" : "nothing vouches for it");
        put_keys(t, zone, zone->dnskey[i]);
        put_signatures(t, zone->dnskey[i]);
    }
    put_dangling(t, zone);
    if (trust->only_pinned || (trust->state == TRUST_SECURE && zone->dnskeys == 0))
        steps_add(t->steps, STEP_OK, "dnskey", NULL, "the keys declared in the baseline stand in");
    else if (zone->dnskeys == 0)
        steps_add(t->steps, trust->state == TRUST_UNKNOWN ? STEP_MISSING : STEP_NOTE, "dnskey",
                  NULL, "no DNSKEY RRset was observed");
}

/* --- zones --- */

static void put_zone(struct trail *t, struct zone *zone)
{
    char name[NAME_TEXT_MAX], title[NAME_TEXT_MAX + 8];
    const struct trust *trust = trust_zone(t->world, zone, t->clock_ns);
    snprintf(title, sizeof title, "zone %s", name_text(zone->name, name));
    steps_section(t->steps, title);
    if (!put_anchors(t, zone))
        put_parent(t, zone);
    put_dnskeys(t, zone);
    enum reason told = trust_told(trust, trust->reason);
    steps_add(t->steps, status_of(told), "zone", NULL, "%s is %s: %s (%s%s%s)", name,
              verdict_name(reason_verdict(told)), reason_text(told), reason_code(told),
              reason_rfc(told)[0] ? ", " : "", reason_rfc(told));
}

static bool is_shown(const struct trail *t, const struct zone *zone)
{
    for (size_t i = 0; i < t->zones; i++)
        if (t->zone[i] == zone)
            return true;
    return false;
}

void trail_zone(struct trail *t, struct zone *zone)
{
    struct zone *chain[TRAIL_ZONES_MAX];
    size_t depth = 0;
    while (zone && depth < TRAIL_ZONES_MAX && !is_shown(t, zone)) {
        const struct trust *trust = trust_zone(t->world, zone, t->clock_ns);
        chain[depth++] = zone;
        zone = trust->up == zone ? NULL : trust->up;
    }
    while (depth-- > 0 && t->zones < TRAIL_ZONES_MAX) {
        t->zone[t->zones++] = chain[depth];
        put_zone(t, chain[depth]);
    }
}

/* --- the answer --- */

static void put_unsigned(struct trail *t, const struct answer *a, const struct rrset *set,
                         const char *name, const char *type)
{
    bool decides = a->by == set;
    const char *why = set->type == TYPE_NS && a->kind == ANSWER_REFERRAL
                          ? "a delegation's NS are never signed (RFC 4035 2.2)"
                      : decides ? reason_text(a->reason)
                                : "unsigned";
    steps_add(t->steps, decides ? status_of(a->reason) : STEP_NOTE, "rrset", set, "%s %s of %u: %s",
              name, type, set->count, why);
}

static void put_set(struct trail *t, const struct answer *a, const struct answer_set *s)
{
    struct rrset *set = s->set;
    char name[NAME_TEXT_MAX], word[TYPES_TEXT];
    const char *type = types_rr(set->type, word);
    name_text(set->owner, name);
    if (set->signatures == 0) {
        put_unsigned(t, a, set, name, type);
    } else {
        enum reason reason = judge_rrset(t->world, set, t->clock_ns);
        steps_add(t->steps, status_of(reason), "rrset", set, "%s %s of %u: %s", name, type,
                  set->count, reason_text(reason));
    }
    put_records(t, set);
    put_signatures(t, set);
}

void trail_answer(struct trail *t, const struct answer *a)
{
    static const uint8_t order[] = {SECTION_ANSWER, SECTION_AUTHORITY};
    static const char *const titles[] = {"answer", "authority"};
    for (size_t k = 0; k < 2; k++) {
        bool any = false;
        for (size_t i = 0; i < a->sets; i++) {
            if (answer_nth(a, i)->section != order[k])
                continue;
            if (!any)
                steps_section(t->steps, titles[k]);
            any = true;
            put_set(t, a, answer_nth(a, i));
        }
    }
    const struct denial_trace *trace = t->world->trace;
    if (trace == NULL || trace->count == 0)
        return;
    steps_section(t->steps, a->kind == ANSWER_POSITIVE ? "proof beside the answer" : "denial");
    bool broken = reason_verdict(a->reason) == VERDICT_BOGUS;
    put_trace(t, trace, broken);
    steps_add(t->steps, status_of(a->reason), "denial", NULL, "%s (%s)", reason_text(a->reason),
              reason_rfc(a->reason));
}

void trail_missing(struct trail *t, const struct answer *a)
{
    char name[NAME_TEXT_MAX], other[NAME_TEXT_MAX];
    if (reason_verdict(a->reason) != VERDICT_INDETERMINATE)
        return;
    const struct zone *missing = a->zone ? a->zone->trust.missing : NULL;
    if (missing == NULL)
        missing = a->zone;
    const uint8_t *where = missing ? missing->name : a->by ? a->by->owner : a->qname;
    name_text(where, name);
    steps_section(t->steps, "missing");
    switch (a->reason) {
    case REASON_DNSKEY_NOT_SEEN:
        steps_add(t->steps, STEP_MISSING, "missing", NULL,
                  "the DNSKEY RRset of %s, in any response before or after", name);
        break;
    case REASON_DS_NOT_SEEN:
        steps_add(t->steps, STEP_MISSING, "missing", NULL,
                  "the DS RRset of %s, or its parent's signed proof that there is none", name);
        break;
    case REASON_CUT_NOT_SEEN:
        steps_add(t->steps, STEP_MISSING, "missing", NULL,
                  "a signed response that tells whether %s lies in %s or below an unsigned "
                  "delegation",
                  name_text(a->by ? a->by->owner : a->qname, other),
                  a->zone ? name : "a signed zone");
        break;
    case REASON_CHAIN_STALE:
        steps_add(t->steps, STEP_MISSING, "missing", NULL,
                  "the DNSKEY or DS RRset of %s as it was at that time: the last one seen had run "
                  "out",
                  name);
        break;
    default:
        steps_add(t->steps, STEP_MISSING, "missing", NULL, "%s", reason_text(a->reason));
    }
}
