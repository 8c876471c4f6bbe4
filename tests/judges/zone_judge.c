/*
 * zone_judge: judges a signed zone file with the validator of analyze, for tests/judges/zones.sh.
 *
 * A test program. It makes of the zone the responses that its server would give (every RRset, for
 * every name a denial of a type and of a child, under the zone's own keys as anchors) and has each
 * judged. ldns reads the zone and chooses the NSEC or NSEC3 of each denial, so that the validator
 * is not asked by its own arithmetic.
 *
 *   zone_judge SECONDS FILE     at SECONDS since 1970; 0 when everything is secure, 1 when
 * something is not (each is named), 2 when the zone is not signed, 3 usage
 */
#include "analyze/canon.h"
#include "analyze/decode/message.h"
#include "analyze/validate/answer.h"

#include <ldns/ldns.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ABSENT_TYPE 65280 /* private use: no zone of the tests has it */

struct court {
    struct settings settings;
    struct anchors *anchors;
    struct answers answers;
    ldns_rr_list *all;
    ldns_rdf *apex;
    ldns_rr_list *keys; /* the anchors */
    int64_t time_ns;
    uint64_t frame;
    unsigned secure, wrong, open;
};

static ldns_rr_list *records_at(const struct court *c, const ldns_rdf *owner, ldns_rr_type type)
{
    ldns_rr_list *found = ldns_rr_list_new();
    for (size_t i = 0; i < ldns_rr_list_rr_count(c->all); i++) {
        ldns_rr *rr = ldns_rr_list_rr(c->all, i);
        bool covers = ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG && type != LDNS_RR_TYPE_RRSIG &&
                      ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(rr)) == type;
        if ((ldns_rr_get_type(rr) == type || covers) &&
            ldns_dname_compare(ldns_rr_owner(rr), owner) == 0)
            ldns_rr_list_push_rr(found, rr);
    }
    return found;
}

static bool has(const struct court *c, const ldns_rdf *owner, ldns_rr_type type)
{
    ldns_rr_list *found = records_at(c, owner, type);
    bool any = ldns_rr_list_rr_count(found) > 0;
    ldns_rr_list_free(found);
    return any;
}

/* Is there a delegation or a DNAME strictly above the name (glue, or hidden), or at it? */
enum where { INSIDE, AT_CUT, BELOW_CUT };
static enum where where_is(const struct court *c, const ldns_rdf *owner)
{
    enum where where = INSIDE;
    ldns_rdf *name = ldns_rdf_clone(owner);
    for (bool self = true; ldns_dname_compare(name, c->apex) != 0; self = false) {
        if (has(c, name, LDNS_RR_TYPE_NS))
            where = self ? AT_CUT : BELOW_CUT;
        else if (!self && has(c, name, LDNS_RR_TYPE_DNAME))
            where = BELOW_CUT;
        ldns_rdf *up = ldns_dname_left_chop(name);
        ldns_rdf_deep_free(name);
        name = up;
        if (where == BELOW_CUT)
            break;
    }
    ldns_rdf_deep_free(name);
    return where;
}

/* --- responses --- */

static ldns_pkt *response(const ldns_rdf *qname, ldns_rr_type type, ldns_pkt_rcode rcode)
{
    ldns_pkt *pkt = ldns_pkt_query_new(ldns_rdf_clone(qname), type, LDNS_RR_CLASS_IN, 0);
    ldns_pkt_set_qr(pkt, true);
    ldns_pkt_set_aa(pkt, true);
    ldns_pkt_set_rcode(pkt, (uint8_t)rcode);
    ldns_pkt_set_edns_udp_size(pkt, 65535);
    ldns_pkt_set_edns_do(pkt, true);
    return pkt;
}

static void put_set(const struct court *c, ldns_pkt *pkt, ldns_pkt_section section,
                    const ldns_rdf *owner, ldns_rr_type type)
{
    ldns_rr_list *set = records_at(c, owner, type);
    for (size_t i = 0; i < ldns_rr_list_rr_count(set); i++) {
        ldns_rr *rr = ldns_rr_clone(ldns_rr_list_rr(set, i));
        if (!ldns_pkt_safe_push_rr(pkt, section, rr))
            ldns_rr_free(rr); /* it is there already */
    }
    ldns_rr_list_free(set);
}

static enum reason judge(struct court *c, ldns_pkt *pkt)
{
    static struct dns_message m;
    uint8_t *wire;
    size_t size;
    bool fresh;
    if (ldns_pkt2wire(&wire, pkt, &size) != LDNS_STATUS_OK)
        abort();
    uint64_t frame = c->frame += 2;
    struct datagram dg = {.flow = {.family = 4, .proto = IPPROTO_UDP, .sport = 53, .dport = 4000},
                          .bytes = wire,
                          .size = size,
                          .wire_size = size,
                          .time_ns = c->time_ns,
                          .frame = frame,
                          .frames = &frame,
                          .frame_count = 1};
    struct query query = {.frame = frame - 1, .edns = true, .edns_do = true};
    struct draft draft;
    if (message_parse(wire, size, size, &m) != MESSAGE_WHOLE)
        abort();
    answers_draft(&c->answers, &dg, &m, &query, NULL, &draft);
    struct answer *a = answers_commit(&c->answers, &draft, &dg, &fresh);
    enum reason reason = a ? a->reason : REASON_BUDGET;
    free(wire);
    ldns_pkt_free(pkt);
    return reason;
}

/* Opt-out spans prove less than "does not exist", and say so: no defect of the zone. */
static void verdict(struct court *c, const ldns_rdf *name, ldns_rr_type type, const char *what,
                    enum reason reason)
{
    if (reason_verdict(reason) == VERDICT_SECURE) {
        c->secure++;
    } else if (reason == REASON_OPT_OUT || reason == REASON_UNSIGNED_DELEGATION) {
        c->open++;
    } else {
        char *owner = ldns_rdf2str(name), *word = ldns_rr_type2str(type);
        printf("%s %s%s: %s (%s)\n", owner, word, what, verdict_name(reason_verdict(reason)),
               reason_code(reason));
        free(owner);
        free(word);
        c->wrong++;
    }
}

static void judge_set(struct court *c, const ldns_rdf *owner, ldns_rr_type type)
{
    ldns_pkt *pkt = response(owner, type, LDNS_RCODE_NOERROR);
    put_set(c, pkt, LDNS_SECTION_ANSWER, owner, type);
    verdict(c, owner, type, "", judge(c, pkt));
}

/* The NSEC or NSEC3 whose owner (or its hash) is the name, else the one that covers it. */
static ldns_rr *proof_of(const struct court *c, const ldns_rdf *name)
{
    ldns_rr *covering = NULL;
    for (size_t i = 0; i < ldns_rr_list_rr_count(c->all); i++) {
        ldns_rr *rr = ldns_rr_list_rr(c->all, i);
        ldns_rdf *hashed = NULL;
        bool matches = false;
        if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_NSEC) {
            matches = ldns_dname_compare(ldns_rr_owner(rr), name) == 0;
        } else if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_NSEC3) {
            ldns_rdf *hash = ldns_nsec3_hash_name_frm_nsec3(rr, name);
            hashed = ldns_dname_cat_clone(hash, c->apex);
            ldns_rdf_deep_free(hash);
            matches = ldns_dname_compare(ldns_rr_owner(rr), hashed) == 0;
        } else {
            continue;
        }
        bool covers = !matches && ldns_nsec_covers_name(rr, hashed ? hashed : name);
        ldns_rdf_deep_free(hashed);
        if (matches)
            return rr;
        if (covers)
            covering = rr;
    }
    return covering;
}

static void put_proof(const struct court *c, ldns_pkt *pkt, const ldns_rdf *name)
{
    ldns_rr *rr = proof_of(c, name);
    if (rr)
        put_set(c, pkt, LDNS_SECTION_AUTHORITY, ldns_rr_owner(rr), ldns_rr_get_type(rr));
}

static ldns_rdf *child_of(const char *label, const ldns_rdf *parent)
{
    ldns_rdf *left = ldns_dname_new_frm_str(label), *name = ldns_dname_cat_clone(left, parent);
    ldns_rdf_deep_free(left);
    return name;
}

/* A type that the name lacks; at a cut that is its DS, if it has none. */
static void judge_no_data(struct court *c, const ldns_rdf *owner, ldns_rr_type type)
{
    ldns_pkt *pkt = response(owner, type, LDNS_RCODE_NOERROR);
    put_set(c, pkt, LDNS_SECTION_AUTHORITY, c->apex, LDNS_RR_TYPE_SOA);
    put_proof(c, pkt, owner);
    if (type == LDNS_RR_TYPE_DS) { /* in an opt-out span: the closest encloser too */
        ldns_rdf *up = ldns_dname_left_chop(owner);
        put_proof(c, pkt, up);
        ldns_rdf_deep_free(up);
    }
    verdict(c, owner, type, " denied", judge(c, pkt));
}

static void judge_no_name(struct court *c, const char *label, const ldns_rdf *parent)
{
    ldns_rdf *wildcard = child_of("*", parent), *name = child_of(label, parent);
    if (!has(c, parent, LDNS_RR_TYPE_DNAME) && !proof_of(c, wildcard)) {
        printf("no NSEC or NSEC3 for a wildcard\n");
        c->wrong++;
    }
    ldns_pkt *pkt = response(name, LDNS_RR_TYPE_A, LDNS_RCODE_NXDOMAIN);
    put_set(c, pkt, LDNS_SECTION_AUTHORITY, c->apex, LDNS_RR_TYPE_SOA);
    put_proof(c, pkt, name);
    put_proof(c, pkt, wildcard);
    put_proof(c, pkt, parent);
    verdict(c, name, LDNS_RR_TYPE_A, " denied", judge(c, pkt));
    ldns_rdf_deep_free(wildcard);
    ldns_rdf_deep_free(name);
}

/* The name that would follow everything below the cut: what the cut's own NSEC denies. */
static void judge_after(struct court *c, const ldns_rdf *cut)
{
    ldns_rdf *first = ldns_dname_label(cut, 0), *up = ldns_dname_left_chop(cut);
    char *label = ldns_rdf2str(first), next[80];
    snprintf(next, sizeof next, "%.*s0", (int)strcspn(label, "."), label);
    ldns_rdf *name = child_of(next, up), *wildcard = child_of("*", up);
    if (where_is(c, name) == INSIDE && !has(c, wildcard, LDNS_RR_TYPE_A) &&
        !has(c, wildcard, LDNS_RR_TYPE_TXT))
        judge_no_name(c, next, up);
    ldns_rdf_deep_free(name);
    ldns_rdf_deep_free(wildcard);
    ldns_rdf_deep_free(first);
    ldns_rdf_deep_free(up);
    free(label);
}

/* --- the zone --- */

static void judge_owner(struct court *c, const ldns_rdf *owner, bool first)
{
    enum where where = where_is(c, owner);
    ldns_rdf *wildcard = child_of("*", owner);
    bool hashed = has(c, owner, LDNS_RR_TYPE_NSEC3);
    if (where == INSIDE && first && !hashed) {
        if (!has(c, owner, LDNS_RR_TYPE_CNAME)) /* an alias answers for every type */
            judge_no_data(c, owner, (ldns_rr_type)ABSENT_TYPE);
        if (!has(c, wildcard, LDNS_RR_TYPE_A) && !has(c, wildcard, LDNS_RR_TYPE_TXT) &&
            !has(c, wildcard, LDNS_RR_TYPE_MX) && !has(c, wildcard, LDNS_RR_TYPE_CNAME) &&
            !has(c, owner, LDNS_RR_TYPE_DNAME) && !ldns_dname_is_wildcard(owner))
            judge_no_name(c, "no-such-name", owner);
    } else if (where == AT_CUT && first) {
        judge_after(c, owner);
        if (!has(c, owner, LDNS_RR_TYPE_DS))
            judge_no_data(c, owner, LDNS_RR_TYPE_DS);
    }
    ldns_rdf_deep_free(wildcard);
}

static void judge_zone_file(struct court *c)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(c->all); i++) {
        ldns_rr *rr = ldns_rr_list_rr(c->all, i);
        const ldns_rdf *owner = ldns_rr_owner(rr);
        ldns_rr_type type = ldns_rr_get_type(rr);
        bool first = true, first_of_type = true;
        for (size_t j = 0; j < i; j++) {
            const ldns_rr *other = ldns_rr_list_rr(c->all, j);
            if (ldns_dname_compare(ldns_rr_owner(other), owner) != 0)
                continue;
            first = false;
            first_of_type = first_of_type && ldns_rr_get_type(other) != type;
        }
        judge_owner(c, owner, first);
        enum where where = where_is(c, owner);
        bool signed_here =
            where == INSIDE ||
            (where == AT_CUT && (type == LDNS_RR_TYPE_DS || type == LDNS_RR_TYPE_NSEC));
        if (type != LDNS_RR_TYPE_RRSIG && first_of_type && signed_here)
            judge_set(c, owner, type);
    }
}

static bool load(struct court *c, const char *path)
{
    ldns_zone *zone = NULL;
    int line = 0;
    FILE *file = fopen(path, "r");
    ldns_status status =
        file ? ldns_zone_new_frm_fp_l(&zone, file, NULL, 300, LDNS_RR_CLASS_IN, &line)
             : LDNS_STATUS_FILE_ERR;
    if (file)
        fclose(file);
    if (status != LDNS_STATUS_OK) {
        printf("%s:%d: %s\n", path, line, ldns_get_errorstr_by_id(status));
        return false;
    }
    c->apex = ldns_rdf_clone(ldns_rr_owner(ldns_zone_soa(zone)));
    c->all = ldns_rr_list_clone(ldns_zone_rrs(zone));
    ldns_rr_list_push_rr(c->all, ldns_rr_clone(ldns_zone_soa(zone)));
    ldns_zone_deep_free(zone);
    return true;
}

/* The zone's keys with SEP, or all where none has it, are what is trusted. */
static bool anchor(struct court *c)
{
    char error[256];
    bool any = false;
    c->anchors = anchors_new();
    for (int sep = 1; sep >= 0 && !any; sep--)
        for (size_t i = 0; i < ldns_rr_list_rr_count(c->all); i++) {
            ldns_rr *rr = ldns_rr_list_rr(c->all, i);
            if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_DNSKEY ||
                ldns_dname_compare(ldns_rr_owner(rr), c->apex) != 0)
                continue;
            uint16_t flags = ldns_rdf2native_int16(ldns_rr_dnskey_flags(rr));
            if ((flags & LDNS_KEY_REVOKE_KEY) || (flags & LDNS_KEY_SEP_KEY) != sep)
                continue;
            char *text = ldns_rr2str(rr);
            any |= anchors_add(c->anchors, "zone", text, strlen(text), error, sizeof error) == 0;
            free(text);
        }
    return any;
}

int main(int argc, char **argv)
{
    static struct court c;
    if (argc != 3) {
        fprintf(stderr, "usage: zone_judge SECONDS FILE\n");
        return 3;
    }
    c.time_ns = strtoll(argv[1], NULL, 10) * 1000000000;
    if (!load(&c, argv[2]))
        return 1;
    if (!anchor(&c)) {
        printf("not signed\n");
        return 2;
    }
    settings_default(&c.settings);
    if (answers_init(&c.answers, &c.settings, c.anchors, NULL, 1) != 0)
        return 3;
    judge_set(&c, c.apex, LDNS_RR_TYPE_DNSKEY);
    judge_zone_file(&c);
    printf("%u secure, %u in opt-out spans or at unsigned delegations, %u not\n", c.secure, c.open,
           c.wrong);
    answers_fini(&c.answers);
    anchors_free(c.anchors);
    ldns_rr_list_deep_free(c.all);
    ldns_rdf_deep_free(c.apex);
    return c.wrong ? 1 : 0;
}
