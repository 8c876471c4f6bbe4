/*
 * event: lines of eve.json; see event.h.
 *
 * Contained in: analyze, tests. Must never: write a field that a reader could take for another's
 * (all text passes jline_bytes).
 */
#include "analyze/tell/event.h"

#include "analyze/jline.h"
#include "analyze/tell/event_dns.h"
#include "analyze/types.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct event {
    struct jline json;
};

struct event *event_new(size_t most)
{
    struct event *e = calloc(1, sizeof(*e));
    if (e)
        jline_init(&e->json, most);
    return e;
}

void event_free(struct event *e)
{
    if (!e)
        return;
    jline_fini(&e->json);
    free(e);
}

/* --- time ------------------------------------------------------------------------------------ */

static size_t put_padded(char *text, uint64_t number, unsigned width)
{
    for (unsigned i = width; i-- > 0; number /= 10)
        text[i] = (char)('0' + number % 10);
    return width;
}

/* Date of a day since 1970-01-01 (proleptic Gregorian; Howard Hinnant, days_from_civil inverted).
 */
static void civil(int64_t day, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day)
{
    day += 719468; /* from 0000-03-01 */
    int64_t era = (day >= 0 ? day : day - 146096) / 146097;
    unsigned of_era = (unsigned)(day - era * 146097);
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * of_year + 2) / 153; /* from March */
    *ret_day = of_year - (153 * month + 2) / 5 + 1;
    *ret_month = month < 10 ? month + 3 : month - 9;
    *ret_year = (int64_t)year + era * 400 + (*ret_month <= 2);
}

const char *event_time(int64_t time_ns, char ret_text[EVENT_TIME_TEXT])
{
    int64_t second = time_ns / 1000000000, rest = time_ns % 1000000000;
    if (rest < 0) {
        rest += 1000000000;
        second--;
    }
    int64_t day = second / 86400, of_day = second % 86400, year;
    if (of_day < 0) {
        of_day += 86400;
        day--;
    }
    unsigned month, month_day;
    civil(day, &year, &month, &month_day); /* 64-bit nanoseconds: 1677 to 2262 */
    size_t n = put_padded(ret_text, (uint64_t)year, 4);
    ret_text[n++] = '-';
    n += put_padded(ret_text + n, month, 2);
    ret_text[n++] = '-';
    n += put_padded(ret_text + n, month_day, 2);
    ret_text[n++] = 'T';
    n += put_padded(ret_text + n, (uint64_t)of_day / 3600, 2);
    ret_text[n++] = ':';
    n += put_padded(ret_text + n, (uint64_t)of_day / 60 % 60, 2);
    ret_text[n++] = ':';
    n += put_padded(ret_text + n, (uint64_t)of_day % 60, 2);
    ret_text[n++] = '.';
    n += put_padded(ret_text + n, (uint64_t)rest / 1000, 6);
    memcpy(ret_text + n, "Z", 2);
    return ret_text;
}

/* --- common fields --------------------------------------------------------------------------- */

static void put_flow(struct jline *j, const struct flow *f)
{
    char address[FLOW_ADDRESS_TEXT], community[FLOW_COMMUNITY_TEXT];
    if (f->vlans > 0) {
        jline_array(j, "vlan");
        for (unsigned i = 0; i < f->vlans && i < FLOW_VLANS_MAX; i++)
            jline_number(j, NULL, f->vlan[i]);
        jline_close(j, ']');
    }
    jline_string(j, "src_ip", flow_address(f->family, f->src, address));
    jline_number(j, "src_port", f->sport);
    jline_string(j, "dest_ip", flow_address(f->family, f->dst, address));
    jline_number(j, "dest_port", f->dport);
    jline_string(j, "proto", f->proto == IPPROTO_TCP ? "TCP" : "UDP");
    jline_string(j, "community_id", flow_community(f, community));
}

static void begin(struct jline *j, const struct event_context *c, const char *type)
{
    char time[EVENT_TIME_TEXT];
    jline_begin(j);
    jline_string(j, "timestamp",
                 event_time(c->time_ns, time)); /* RFC 3339; Suricata writes +0000 for Z */
    if (c->flow)
        jline_number(j, "flow_id", flow_id(c->flow));
    if (c->in_iface && *c->in_iface)
        jline_string(j, "in_iface", c->in_iface);
    if (c->pcap_filename && *c->pcap_filename)
        jline_string(j, "pcap_filename", c->pcap_filename);
    if (c->frame != 0)
        jline_number(j, "pcap_cnt", c->frame);
    jline_string(j, "event_type", type);
    if (c->flow)
        put_flow(j, c->flow);
}

static void put_name(struct jline *j, const char *key, const uint8_t *name)
{
    char text[NAME_TEXT_MAX];
    if (name)
        jline_string(j, key, name_text(name, text));
    else
        jline_null(j, key);
}

static void put_frames(struct jline *j, const char *key, const uint64_t *frames, size_t count)
{
    jline_array(j, key);
    for (size_t i = 0; i < count; i++)
        jline_number(j, NULL, frames[i]);
    jline_close(j, ']');
}

static void put_text_or_null(struct jline *j, const char *key, const char *text)
{
    if (text && *text)
        jline_string(j, key, text);
    else
        jline_null(j, key);
}

static void put_ede(struct jline *j, enum reason reason)
{
    if (reason_ede(reason) == EDE_NONE)
        jline_null(j, "ede");
    else
        jline_number(j, "ede", reason_ede(reason));
}

/* --- events ---------------------------------------------------------------------------------- */

const char *event_dnssec(struct event *e, const struct event_context *c,
                         const struct event_verdict *v, size_t *ret_size)
{
    struct jline *j = &e->json;
    char word[TYPES_TEXT];
    begin(j, c, "dnssec");
    jline_object(j, "dns");
    jline_number(j, "id", v->id);
    put_name(j, "rrname", v->rrname);
    jline_string(j, "rrtype", types_rr(v->rrtype, word));
    jline_string(j, "rcode", types_rcode(v->rcode, word));
    jline_bool(j, "aa", v->flags & DNS_AA);
    jline_bool(j, "ad", v->flags & DNS_AD);
    jline_bool(j, "cd", v->flags & DNS_CD);
    jline_bool(j, "tc", v->flags & DNS_TC);
    jline_bool(j, "do", v->do_bit);
    jline_close(j, '}');
    jline_object(j, "dnssec");
    jline_string(j, "verdict", verdict_name(v->verdict));
    jline_string(j, "reason", reason_code(v->reason));
    put_text_or_null(j, "rfc", reason_rfc(v->reason));
    put_name(j, "zone", v->zone);
    put_name(j, "signer", v->signer);
    if (v->has_key) {
        jline_number(j, "key_tag", v->key_tag);
        jline_number(j, "algorithm", v->algorithm);
    } else {
        jline_null(j, "key_tag");
        jline_null(j, "algorithm");
    }
    put_ede(j, v->reason);
    put_text_or_null(j, "dnsviz_code", reason_dnsviz(v->reason));
    put_text_or_null(j, "zonemaster_tag", reason_zonemaster(v->reason, v->by));
    jline_bool(j, "retro", v->retro);
    jline_bool(j, "kept", v->kept);
    put_frames(j, "frames", v->frames, v->frame_count);
    jline_close(j, '}');
    jline_object(j, "responder");
    jline_bool(j, "ad", v->flags & DNS_AD);
    jline_array(j, "ede");
    for (size_t i = 0; i < v->ede_count; i++)
        jline_number(j, NULL, v->ede[i]);
    jline_close(j, ']');
    jline_close(j, '}');
    return jline_end(j, ret_size);
}

/* Lines of records; what would take more than a quarter of the limit is only counted. */
static void put_lines(struct jline *j, const char *key, char *const *lines, size_t count)
{
    size_t stop = j->size + j->most / 4;
    jline_array(j, key);
    for (size_t i = 0; i < count; i++) {
        /* six bytes of output stand for one of input at most */
        if (j->size + 6 * strlen(lines[i]) + 64 > stop) {
            char rest[64];
            snprintf(rest, sizeof(rest), "(%zu more)", count - i);
            jline_string(j, NULL, rest);
            break;
        }
        jline_string(j, NULL, lines[i]);
    }
    jline_close(j, ']');
}

/* The sections that demand it: the rule's own references, "; " between, then the reason's. */
static void put_rfcs(struct jline *j, const struct rule_text *rule, enum reason reason)
{
    const char *rfc = reason_rfc(reason), *at = rule->references ? rule->references : "";
    bool named = false;
    jline_array(j, "rfc");
    while (*at != '\0') {
        size_t size = strcspn(at, ";");
        named = named || (size == strlen(rfc) && strncmp(at, rfc, size) == 0);
        if (size > 0)
            jline_bytes(j, NULL, at, size);
        at += size;
        at += strspn(at, "; ");
    }
    if (*rfc != '\0' && !named)
        jline_string(j, NULL, rfc);
    jline_close(j, ']');
}

/* Two RRsets and the chain of the key that signed both: all that it takes to check them. */
static void put_proof(struct jline *j, const struct finding_proof *proof)
{
    if (!proof)
        return;
    jline_object(j, "proof");
    put_lines(j, "first", proof->first, proof->first_count);
    put_lines(j, "second", proof->second, proof->second_count);
    put_lines(j, "chain", proof->chain, proof->chain_count);
    put_lines(j, "served", proof->served, proof->served_count);
    jline_close(j, '}');
}

/* Which version of the owner's word a finding was held against. */
static void put_baseline(struct jline *j, const struct finding *f)
{
    char hex[65];
    if (!f->baseline || !f->baseline_sha256) {
        jline_null(j, "baseline");
        return;
    }
    for (size_t i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", f->baseline_sha256[i]);
    jline_object(j, "baseline");
    jline_string(j, "file", f->baseline);
    jline_string(j, "sha256", hex);
    jline_number(j, "version", f->baseline_version);
    jline_close(j, '}');
}

static void put_finding(struct jline *j, const struct finding *f)
{
    static const char *const states[] = {"open", "updated", "closed"};
    const struct rule_text *rule = rule_text(f->rule);
    char time[EVENT_TIME_TEXT], word[TYPES_TEXT];
    jline_string(j, "id", f->id);
    jline_string(j, "rule", rule->id);
    jline_string(j, "severity", severity_name(f->severity));
    jline_string(j, "state", states[f->state]);
    bool zoned = f->type != 0; /* else it is about the sensor */
    put_name(j, "zone", zoned ? f->zone : NULL);
    put_name(j, "rrname", zoned ? f->owner : NULL);
    put_text_or_null(j, "rrtype", zoned ? types_rr(f->type, word) : NULL);
    jline_bytes(j, "summary", f->summary ? f->summary : "",
                f->summary ? strnlen(f->summary, j->most / 32) : 0);
    put_lines(j, "expected", f->expected, f->expected_count);
    put_lines(j, "observed", f->observed, f->observed_count);
    put_proof(j, f->proof);
    put_baseline(j, f);
    put_frames(j, "frames", f->frames, f->frame_count);
    put_frames(j, "chain", f->chain, f->chain_count);
    jline_string(j, "first_seen", event_time(f->first_seen_ns, time));
    jline_string(j, "last_seen", event_time(f->last_seen_ns, time));
    jline_number(j, "count", f->count);
    if (f->flaps)
        jline_number(j, "flaps", f->flaps);
    jline_bool(j, "loss", f->lossy);
    jline_bool(j, "kept", f->kept);
    put_rfcs(j, rule, f->reason);
    put_ede(j, f->reason);
    put_text_or_null(j, "dnsviz_code", reason_dnsviz(f->reason));
    put_text_or_null(j, "zonemaster_tag", rule->zonemaster);
}

const char *event_alert(struct event *e, const struct event_context *c, const struct finding *f,
                        size_t *ret_size)
{
    struct jline *j = &e->json;
    const struct rule_text *rule = rule_text(f->rule);
    char zone[NAME_TEXT_MAX], signature[NAME_TEXT_MAX + 80];
    snprintf(signature, sizeof(signature), "dnsbailiff %.48s%s%s", rule->id, f->type ? " " : "",
             f->type ? name_text(f->zone, zone) : "");
    begin(j, c, "alert");
    jline_object(j, "alert");
    jline_string(j, "action", "allowed");
    jline_number(j, "signature_id", rule_signature_id(f->rule));
    jline_string(j, "signature", signature);
    jline_string(j, "category", rule->family);
    jline_number(j, "severity", severity_eve(f->severity));
    jline_number(j, "rev", 1);
    jline_close(j, '}');
    jline_object(j, "finding");
    put_finding(j, f);
    jline_close(j, '}');
    return jline_end(j, ret_size);
}

const char *event_finding(struct event *e, const struct finding *f, size_t *ret_size)
{
    jline_begin(&e->json);
    put_finding(&e->json, f);
    return jline_end(&e->json, ret_size);
}

const char *event_stats(struct event *e, const struct event_context *c,
                        const struct event_group *groups, size_t group_count,
                        void (*more)(struct jline *, const void *context), const void *context,
                        size_t *ret_size)
{
    struct jline *j = &e->json;
    begin(j, c, "stats");
    jline_object(j, "stats");
    for (size_t i = 0; i < group_count; i++) {
        if (groups[i].name)
            jline_object(j, groups[i].name);
        for (size_t k = 0; k < groups[i].count; k++)
            jline_number(j, groups[i].counters[k].name, groups[i].counters[k].value);
        if (groups[i].name)
            jline_close(j, '}');
    }
    if (more)
        more(j, context);
    jline_close(j, '}');
    return jline_end(j, ret_size);
}

const char *event_dns(struct event *e, const struct event_context *c, const struct dns_message *m,
                      size_t *ret_size)
{
    begin(&e->json, c, "dns");
    event_dns_put(&e->json, m);
    return jline_end(&e->json, ret_size);
}
