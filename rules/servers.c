/*
 * servers: findings about the servers of a zone: who answers, what each serves, who gets all of it.
 *
 * Contained in: analyze, tests. What is on its way from one server to the others is no deviation:
 * every claim here rests on observations of both sides and on the times that the zone states
 * itself (SOA refresh and expire, RFC 1034 4.3.5).
 */
#include "rules/judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TYPE_NS      2
#define TYPE_SOA     6
#define TYPE_AXFR    252
#define SECOND_NS    INT64_C(1000000000)
#define MINUTE_NS    (60 * SECOND_NS)
#define BACK_CERTAIN 3  /* answers with an older serial, none with the newer between */
#define TTL_SHARE    10 /* a TTL is far below the declared one when it is under a tenth of it */

/* --- text ---------------------------------------------------------------------------------- */

/* "2 h", in the largest unit that leaves no more than two digits of rounding. */
static const char *text_span(int64_t ns, char ret_text[32])
{
    int64_t seconds = ns / SECOND_NS;
    if (seconds >= 2 * 86400)
        snprintf(ret_text, 32, "%" PRId64 " days", seconds / 86400);
    else if (seconds >= 2 * 3600)
        snprintf(ret_text, 32, "%" PRId64 " hours", seconds / 3600);
    else if (seconds >= 120)
        snprintf(ret_text, 32, "%" PRId64 " minutes", seconds / 60);
    else
        snprintf(ret_text, 32, "%" PRId64 " seconds", seconds);
    return ret_text;
}

static void observe_server(struct entry *entry, const struct fact_servers *s,
                           const struct fact_server *server)
{
    char line[LINE_ROOM], address[64], what[128] = "";
    size_t used = 0;
    if (s->what == SERVERS_SERIAL)
        snprintf(what, sizeof what, "serial %" PRIu32, server->serial);
    else if (server->none)
        snprintf(what, sizeof what,
                 s->what == SERVERS_SIGNERS ? "serial %" PRIu32 " without signature" : "none",
                 server->serial);
    else {
        if (s->what == SERVERS_SIGNERS)
            used =
                (size_t)snprintf(what, sizeof what, "serial %" PRIu32 " signed by", server->serial);
        else
            used = (size_t)snprintf(what, sizeof what, "keys");
        for (size_t i = 0; i < server->tags && used < sizeof what - 8; i++)
            used += (size_t)snprintf(what + used, sizeof what - used, " %u", server->tag[i]);
    }
    snprintf(line, sizeof line, "%s: %s", text_address(server->family, server->address, address),
             what);
    entry_observed(entry, line);
}

static void observe_servers(struct entry *entry, const struct fact_servers *s)
{
    for (size_t i = 0; i < s->count; i++)
        observe_server(entry, s, &s->server[i]);
}

static void expect_addresses(struct entry *entry, const struct fact_address *list, size_t count)
{
    char address[64];
    for (size_t i = 0; i < count; i++)
        entry_expected(entry, text_address(list[i].family, list[i].bytes, address));
}

#define ADDRESS_IDENTITY 17

static struct subject address_subject(const struct fact *fact, uint16_t type, uint8_t family,
                                      const uint8_t *address, uint8_t ret[ADDRESS_IDENTITY])
{
    ret[0] = family;
    memcpy(ret + 1, address, 16);
    return (struct subject){fact->zone, fact->zone, type, ret, ADDRESS_IDENTITY};
}

/* --- servers-disagree, and cds-inconsistent between servers -------------------------------- */

static bool is_some_unsigned(const struct fact_servers *s)
{
    bool none = false, some = false;
    for (size_t i = 0; i < s->count; i++) {
        none |= s->server[i].none;
        some |= !s->server[i].none;
    }
    return none && some;
}

/* Are all keys that any of them signs with the owner's? */
static bool is_signed_as_declared(const struct fact *fact)
{
    const struct fact_baseline *b = &fact->baseline;
    for (size_t i = 0; i < fact->servers->count; i++)
        for (size_t k = 0; k < fact->servers->server[i].tags; k++) {
            size_t at = 0;
            while (at < b->key_count && b->keys[at].tag != fact->servers->server[i].tag[k])
                at++;
            if (at == b->key_count)
                return false;
        }
    return b->present;
}

/* Where each server may have keys of its own, sets that differ are in order: several signers as
 * declared; or such as publish each other's keys, as RFC 8901 2.1 has them, each with a KSK of its
 * own perhaps. Where nobody declared anything it is enough that nothing else was seen. */
static bool is_multi_signer(const struct fact *fact)
{
    const struct fact_servers *s = fact->servers;
    if (s->what != SERVERS_KEYS && s->what != SERVERS_SIGNERS)
        return false;
    if (fact->baseline.present && fact->baseline.multi_signer)
        return !s->apart;
    if (s->what == SERVERS_SIGNERS && !is_some_unsigned(s) &&
        (s->published || (!s->apart && is_signed_as_declared(fact))))
        return true;
    if (fact->baseline.present)
        return false;
    return s->what == SERVERS_KEYS ? s->only_sep : !s->apart && !is_some_unsigned(s);
}

/* How grave; 0: it is none, or not yet. */
static enum severity disagreement(const struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_servers *s = fact->servers;
    int64_t limit = s->refresh_ns + s->refresh_ns / 16, settle = judge->profile->servers_settle_ns;
    if (limit < judge->profile->serial_lag_ns)
        limit = judge->profile->serial_lag_ns;
    if (!s->differ || is_multi_signer(fact) ||
        (s->what != SERVERS_SERIAL && fact->baseline.planned))
        return (enum severity)0;
    bool grave = s->lasted_ns > limit;
    /* A transfer brings nothing where the serial is the same: this does not heal by waiting, but
     * where servers share a database and sign by themselves. Then one of them was seen to change.
     */
    grave |= s->what != SERVERS_SERIAL && s->one_serial && (s->in_turns || s->lasted_ns > settle);
    if (grave)
        return s->what == SERVERS_CDS || s->what == SERVERS_CDNSKEY ? SEVERITY_MEDIUM
                                                                    : SEVERITY_HIGH;
    bool unexplained = !s->began && (s->final || s->one_serial || s->lasted_ns > settle);
    return unexplained ? SEVERITY_LOW : (enum severity)0;
}

static void summarise(const struct judge *judge, struct entry *entry, enum severity severity)
{
    static const char *const nouns[SERVERS_WHATS] = {[SERVERS_SERIAL] = "serials",
                                                     [SERVERS_KEYS] = "DNSKEY RRsets",
                                                     [SERVERS_SIGNERS] =
                                                         "signatures, by other keys",
                                                     [SERVERS_CDS] = "CDS RRsets",
                                                     [SERVERS_CDNSKEY] = "CDNSKEY RRsets"};
    const struct fact *fact = judge->fact;
    const struct fact_servers *s = fact->servers;
    const struct fact_server *odd = NULL;
    char zone[NAME_TEXT_MAX], lasted[32], refresh[32], address[64];
    const char *noun =
        s->what == SERVERS_SIGNERS && is_some_unsigned(s) ? "signatures, or none," : nouns[s->what];
    text_span(s->lasted_ns, lasted);
    text_span(s->refresh_ns, refresh);
    name_text(fact->zone, zone);
    for (size_t i = 0; i < s->count && !odd; i++)
        odd = s->server[i].odd ? &s->server[i] : NULL;
    if (severity == SEVERITY_LOW)
        entry_summary(entry,
                      "servers of %s give different %s%s; for how long is not known, and a change "
                      "on its way looks the same (SOA refresh %s)",
                      zone, noun, s->one_serial ? " for the same serial" : "", refresh);
    else if (odd && s->what == SERVERS_SERIAL)
        entry_summary(entry,
                      "%s still gives serial %" PRIu32 " of %s, %s after a newer one was seen "
                      "elsewhere (SOA refresh %s)",
                      text_address(odd->family, odd->address, address), odd->serial, zone, lasted,
                      refresh);
    else if (s->one_serial && s->lasted_ns < MINUTE_NS)
        entry_summary(
            entry,
            "servers of %s give different %s for the same serial, in turns and unchanged: "
            "no transfer mends that",
            zone, noun);
    else
        entry_summary(entry, "servers of %s give different %s%s for %s", zone, noun,
                      s->one_serial ? " for the same serial" : "", lasted);
}

/* Two zones of one name have nothing to agree on. */
static bool has_views(struct judge *judge)
{
    const uint8_t *zone = judge->fact->zone;
    return findings_open(judge, RULE_VIEWS_DISAGREE,
                         &(struct subject){zone, zone, TYPE_SOA, NULL, 0});
}

static void judge_compared(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_servers *s = fact->servers;
    bool of_parent = s->what == SERVERS_CDS || s->what == SERVERS_CDNSKEY;
    enum rule_id rule = of_parent ? RULE_CDS_INCONSISTENT : RULE_SERVERS_DISAGREE;
    static const uint8_t between[] = "servers";
    struct subject subject = {fact->zone, fact->zone, fact->observed.type, between, sizeof between};
    if (has_views(judge)) {
        findings_close(judge, rule, &subject);
        return;
    }
    enum severity severity = disagreement(judge);
    if (!severity) {
        /* A server that was late and has come up shows it by a lag that is none any more. */
        if (s->what == SERVERS_SERIAL || s->equal)
            findings_close(judge, rule, &subject);
        return;
    }
    struct entry *entry = entry_begin(judge, rule, &subject);
    if (!entry)
        return;
    entry_clear(entry);
    observe_servers(entry, s);
    summarise(judge, entry, severity);
    entry_end(judge, entry, severity);
}

/* --- soa-serial-back ----------------------------------------------------------------------- */

/* Several machines behind one address answer in turns while a change is on its way to them. That
 * cannot be it when the address had the newer serial for longer than a refresh, when the older one
 * stays for longer than that, or when it is older than what the zone had lately and no newer one
 * comes between. Where it can, it is said quietly. */
static enum severity fall(const struct fact_servers *s)
{
    int64_t steady;
    if (__builtin_sub_overflow(s->back_ns, s->peak_since_ns, &steady))
        steady = INT64_MAX;
    if (s->lasted_ns > s->refresh_ns)
        return SEVERITY_MEDIUM;
    if (s->balanced)
        return (enum severity)0;
    if (steady > s->refresh_ns || (!s->back_known && s->back_count >= BACK_CERTAIN))
        return SEVERITY_MEDIUM;
    return SEVERITY_LOW;
}

static void judge_back(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_servers *s = fact->servers;
    const struct fact_server *server = &s->server[0];
    uint8_t identity[ADDRESS_IDENTITY];
    char zone[NAME_TEXT_MAX], address[64], line[LINE_ROOM], time[32];
    struct subject subject =
        address_subject(fact, TYPE_SOA, server->family, server->address, identity);
    if (s->over || has_views(judge)) {
        findings_close(judge, RULE_SOA_SERIAL_BACK, &subject);
        return;
    }
    enum severity severity = fall(s);
    struct entry *entry = severity ? entry_begin(judge, RULE_SOA_SERIAL_BACK, &subject) : NULL;
    if (!entry)
        return;
    entry_clear(entry);
    text_address(server->family, server->address, address);
    snprintf(line, sizeof line, "%s: serial %" PRIu32 " or newer", address, s->peak);
    entry_expected(entry, line);
    observe_server(entry, s, server);
    entry_summary(entry,
                  "the serial of %s went back on %s, from %" PRIu32 " to %" PRIu32 " at %s%s",
                  name_text(fact->zone, zone), address, s->peak, server->serial,
                  text_time(s->back_ns / SECOND_NS, time),
                  severity == SEVERITY_LOW
                      ? "; several machines behind that address, one of them late, look the same"
                      : "");
    entry_end(judge, entry, severity);
}

/* --- server-unknown ------------------------------------------------------------------------ */

static bool is_listed(const struct fact_address *list, size_t count, uint8_t family,
                      const uint8_t *address)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].family == family && memcmp(list[i].bytes, address, 16) == 0)
            return true;
    return false;
}

/* Not routed in the Internet: RFC 1918, RFC 6598, RFC 3927, loopback; RFC 4193, RFC 4291 2.5. */
static bool is_private(uint8_t family, const uint8_t *a)
{
    if (family == 4)
        return a[0] == 10 || a[0] == 127 || (a[0] == 172 && (a[1] & 0xf0) == 16) ||
               (a[0] == 192 && a[1] == 168) || (a[0] == 100 && (a[1] & 0xc0) == 64) ||
               (a[0] == 169 && a[1] == 254);
    return (a[0] & 0xfe) == 0xfc || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) || a[0] == 0;
}

/* Where the servers are only known from the zone's NS: an address of one's own network is the same
 * server behind a translation, and a hidden primary is asked by its secondaries for the SOA. */
static bool may_be_hidden(const struct fact *fact)
{
    const struct fact_baseline *b = &fact->baseline;
    if (!b->servers_inferred)
        return false;
    if (fact->observed.type == TYPE_SOA)
        return true;
    for (size_t i = 0; i < b->server_count; i++)
        if (is_private(b->servers[i].family, b->servers[i].bytes))
            return false;
    return is_private(fact->server_family, fact->server);
}

static void judge_server(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_baseline *b = &fact->baseline;
    uint8_t identity[ADDRESS_IDENTITY];
    char zone[NAME_TEXT_MAX], owner[NAME_TEXT_MAX], address[64], line[LINE_ROOM], type[32];
    if (!b->present || b->server_count == 0 || b->planned || may_be_hidden(fact) ||
        is_listed(b->servers, b->server_count, fact->server_family, fact->server))
        return;
    struct subject subject =
        address_subject(fact, TYPE_NS, fact->server_family, fact->server, identity);
    struct entry *entry = entry_begin(judge, RULE_SERVER_UNKNOWN, &subject);
    if (!entry)
        return;
    entry_clear(entry);
    expect_addresses(entry, b->servers, b->server_count);
    snprintf(line, sizeof line, "%s answered %s %s with AA=1", text_server(fact, address),
             name_text(fact->observed.owner, owner), text_type(judge, fact->observed.type, type));
    entry_observed(entry, line);
    entry_summary(entry, "%s answers as an authority for %s and is none of its servers%s",
                  text_server(fact, address), name_text(fact->zone, zone),
                  b->servers_inferred ? " by NS and addresses of the baseline" : "");
    entry_end(judge, entry, (enum severity)0);
}

/* --- transfer-unexpected ------------------------------------------------------------------- */

static void judge_transfer(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_baseline *b = &fact->baseline;
    const struct fact_transfer *t = fact->transfer;
    uint8_t identity[ADDRESS_IDENTITY];
    char zone[NAME_TEXT_MAX], client[64], server[64], line[LINE_ROOM];
    if (!b->present || b->transfer_client_count == 0 ||
        is_listed(b->transfer_clients, b->transfer_client_count, t->family, t->client) ||
        (t->refused && t->attempts <= judge->profile->transfer_refusals))
        return;
    static const uint8_t refused[] = "refused";
    struct subject subject =
        t->refused ? (struct subject){fact->zone, fact->zone, TYPE_AXFR, refused, sizeof refused}
                   : address_subject(fact, TYPE_AXFR, t->family, t->client, identity);
    struct entry *entry = entry_begin(judge, RULE_TRANSFER_UNEXPECTED, &subject);
    if (!entry)
        return;
    expect_addresses(entry, b->transfer_clients, b->transfer_client_count);
    text_address(t->family, t->client, client);
    snprintf(line, sizeof line, "%s %s %s by %s", t->incremental ? "IXFR" : "AXFR",
             t->refused ? "refused to" : "answered to", client, text_server(fact, server));
    entry_observed(entry, line);
    if (t->refused)
        entry_summary(entry, "transfers of %s were refused more than %u times in an hour",
                      name_text(fact->zone, zone), judge->profile->transfer_refusals);
    else
        entry_summary(entry, "%s gave %s to %s, which is no client for transfers of it", server,
                      t->incremental ? "changes of the zone" : "the zone", client);
    entry_end(judge, entry, t->refused ? SEVERITY_MEDIUM : (enum severity)0);
}

/* --- ttl-anomaly --------------------------------------------------------------------------- */

/* The original TTL of a valid signature: the signer's word, which no cache counts down. */
static void judge_ttl(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_rrset *seen = &fact->observed, *expected = &fact->baseline.expected;
    uint32_t ttl = fact->signature->original_ttl;
    struct subject subject = {fact->zone, seen->owner, seen->type, NULL, 0};
    char owner[NAME_TEXT_MAX], line[LINE_ROOM], type[32];
    if (!fact->baseline.present || expected->count == 0 || !fact->signature->verifies ||
        fact->signature->state != SIGNATURE_VALID || fact->baseline.below_cut)
        return;
    if (ttl >= judge->profile->ttl_low || ttl >= expected->ttl / TTL_SHARE) {
        findings_close(judge, RULE_TTL_ANOMALY, &subject);
        return;
    }
    if (fact->baseline.dynamic || fact->baseline.planned)
        return;
    struct entry *entry = entry_begin(judge, RULE_TTL_ANOMALY, &subject);
    if (!entry)
        return;
    entry_clear(entry);
    name_text(seen->owner, owner);
    text_type(judge, seen->type, type);
    snprintf(line, sizeof line, "%s %" PRIu32 " IN %s", owner, expected->ttl, type);
    entry_expected(entry, line);
    snprintf(line, sizeof line, "%s %" PRIu32 " IN %s", owner, ttl, type);
    entry_observed(entry, line);
    entry_summary(entry, "%s %s is signed with a TTL of %" PRIu32 " s, declared are %" PRIu32 " s",
                  owner, type, ttl, expected->ttl);
    entry_end(judge, entry, (enum severity)0);
}

void servers_judge(struct judge *judge)
{
    switch (judge->fact->kind) {
    case FACT_SERVERS:
        judge_compared(judge);
        break;
    case FACT_BACK:
        judge_back(judge);
        break;
    case FACT_SERVER:
        judge_server(judge);
        break;
    case FACT_TRANSFER:
        judge_transfer(judge);
        break;
    case FACT_SIGNATURE:
        judge_ttl(judge);
        break;
    default:
        break;
    }
}
