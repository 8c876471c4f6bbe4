/*
 * signed_zone: a tree of zones for tests, signed by ldns with keys made on the spot, so that the
 * validator is never tested against its own arithmetic.
 */
#ifndef TESTS_SIGNED_ZONE_H
#define TESTS_SIGNED_ZONE_H

#include "analyze/declared/anchor.h"
#include "analyze/decode/message.h"
#include "analyze/validate/answer.h"

#include <ldns/ldns.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define T0     INT64_C(1800000000) /* the tests' now, seconds since 1970 */
#define SECOND INT64_C(1000000000)

struct signed_zone {
    const char *name;
    ldns_key *key; /* one key, with SEP: a CSK */
};

static inline struct signed_zone signed_zone_make(const char *name,
                                                  ldns_signing_algorithm algorithm, uint16_t bits)
{
    struct signed_zone zone = {name, ldns_key_new_frm_algorithm(algorithm, bits)};
    ldns_key_set_pubkey_owner(zone.key, ldns_dname_new_frm_str(name));
    ldns_key_set_flags(zone.key, LDNS_KEY_ZONE_KEY | LDNS_KEY_SEP_KEY);
    ldns_rr *rr = ldns_key2rr(zone.key);
    ldns_key_set_keytag(zone.key, ldns_calc_keytag(rr));
    ldns_rr_free(rr);
    return zone;
}

static inline ldns_rr *zone_dnskey(const struct signed_zone *zone)
{
    ldns_rr *rr = ldns_key2rr(zone->key);
    ldns_rr_set_ttl(rr, 3600);
    return rr;
}

static inline ldns_rr *zone_ds(const struct signed_zone *zone)
{
    ldns_rr *key = zone_dnskey(zone), *ds = ldns_key_rr2ds(key, LDNS_SHA256);
    ldns_rr_free(key);
    return ds;
}

/* Believes in the zone's key. */
static inline void zone_anchor(struct anchors *anchors, const struct signed_zone *zone)
{
    char error[200];
    ldns_rr *key = zone_dnskey(zone);
    char *text = ldns_rr2str(key);
    if (anchors_add(anchors, "zone", text, strlen(text), error, sizeof error) != 0)
        abort();
    free(text);
    ldns_rr_free(key);
}

/* A response under construction: answer, authority. */
struct reply {
    ldns_pkt *pkt;
};

static inline struct reply reply_to(const char *qname, ldns_rr_type type, ldns_pkt_rcode rcode)
{
    struct reply r = {ldns_pkt_query_new(ldns_dname_new_frm_str(qname), type, LDNS_RR_CLASS_IN, 0)};
    ldns_pkt_set_qr(r.pkt, true);
    ldns_pkt_set_aa(r.pkt, true);
    ldns_pkt_set_rcode(r.pkt, (uint8_t)rcode);
    ldns_pkt_set_edns_udp_size(r.pkt, 1232);
    ldns_pkt_set_edns_do(r.pkt, true);
    return r;
}

/* Takes the list over. Signed by `zone` (NULL: unsigned) from T0 + from to T0 + until seconds.
 * `as`: sign under this owner and show it under the question's (wildcards), NULL: as it is. */
static inline void reply_set(struct reply *r, ldns_pkt_section section, ldns_rr_list *set,
                             const struct signed_zone *zone, int64_t from, int64_t until,
                             const char *shown_as)
{
    ldns_rr_list *signatures = NULL;
    if (zone) {
        ldns_key_list *keys = ldns_key_list_new();
        ldns_key_set_inception(zone->key, (uint32_t)(T0 + from));
        ldns_key_set_expiration(zone->key, (uint32_t)(T0 + until));
        ldns_key_set_use(zone->key, true);
        ldns_key_list_push_key(keys, zone->key);
        signatures = ldns_sign_public(set, keys);
        free(keys->_keys);
        LDNS_FREE(keys);
    }
    if (signatures)
        ldns_rr_list_push_rr_list(set, signatures);
    for (size_t i = 0; i < ldns_rr_list_rr_count(set); i++) {
        ldns_rr *rr = ldns_rr_list_rr(set, i);
        if (shown_as) {
            ldns_rdf_deep_free(ldns_rr_owner(rr));
            ldns_rr_set_owner(rr, ldns_dname_new_frm_str(shown_as));
        }
        ldns_pkt_push_rr(r->pkt, section, rr);
    }
    ldns_rr_list_free(signatures);
    ldns_rr_list_free(set);
}

static inline ldns_rr_list *records(const char *const *lines)
{
    ldns_rr_list *list = ldns_rr_list_new();
    for (; *lines; lines++) {
        ldns_rr *rr = NULL;
        if (ldns_rr_new_frm_str(&rr, *lines, 300, NULL, NULL) != LDNS_STATUS_OK)
            abort();
        ldns_rr_list_push_rr(list, rr);
    }
    return list;
}

#define RECORDS(...) records((const char *const[]){__VA_ARGS__, NULL})

static inline ldns_rr_list *one(ldns_rr *rr)
{
    ldns_rr_list *list = ldns_rr_list_new();
    ldns_rr_list_push_rr(list, rr);
    return list;
}

/* The wire form; frees the reply. Caller frees. */
static inline uint8_t *reply_wire(struct reply *r, size_t *ret_size)
{
    uint8_t *wire;
    if (ldns_pkt2wire(&wire, r->pkt, ret_size) != LDNS_STATUS_OK)
        abort();
    ldns_pkt_free(r->pkt);
    return wire;
}

/* Shows the message to the validator as frame `frame`, `seconds` after T0. */
static inline struct answer *show_wire(struct answers *t, const uint8_t *wire, size_t size,
                                       uint64_t frame, int64_t seconds)
{
    static struct dns_message m;
    struct datagram dg = {.flow = {.family = 4, .proto = IPPROTO_UDP, .sport = 53, .dport = 4000},
                          .bytes = wire,
                          .size = size,
                          .wire_size = size,
                          .time_ns = (T0 + seconds) * SECOND,
                          .frame = frame,
                          .frames = &frame,
                          .frame_count = 1};
    struct query query = {.frame = frame - 1, .edns = true, .edns_do = true};
    struct draft draft;
    bool fresh;
    if (message_parse(wire, size, size, &m) != MESSAGE_WHOLE)
        abort();
    answers_draft(t, &dg, &m, &query, NULL, &draft);
    return answers_commit(t, &draft, &dg, &fresh);
}

static inline struct answer *show(struct answers *t, struct reply r, uint64_t frame,
                                  int64_t seconds)
{
    size_t size;
    uint8_t *wire = reply_wire(&r, &size);
    struct answer *a = show_wire(t, wire, size, frame, seconds);
    free(wire);
    return a;
}

/* The zone's DNSKEY RRset, signed from T0 + from to T0 + until seconds. */
static inline struct answer *show_keys(struct answers *t, const struct signed_zone *zone,
                                       int64_t from, int64_t until, uint64_t frame)
{
    struct reply r = reply_to(zone->name, LDNS_RR_TYPE_DNSKEY, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, one(zone_dnskey(zone)), zone, from, until, NULL);
    return show(t, r, frame, 0);
}

#endif
