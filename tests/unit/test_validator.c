/*
 * test_validator: verdicts of responses that ldns signed: the chain in any order, time, aliases,
 * wildcards, denial, unsigned delegations, what is forgotten, and what hostile zones may cost.
 */
#include "analyze/validate/ahead.h"
#include "analyze/validate/local.h"
#include "tests/unit/signed_zone.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define VALID -3600, 86400

struct tree {
    struct settings settings;
    struct anchors *anchors;
    struct signed_zone root, test, zone,
        other; /* "." -> "test." -> "zone.test."; other.test. has no DS */
    struct answers answers;
    unsigned revised, verdicts;
};

static void on_verdict(void *context, const struct answer *a, bool retro)
{
    struct tree *t = context;
    (void)a;
    t->verdicts++;
    t->revised += retro;
}

static int plant(void **state)
{
    struct tree *t = calloc(1, sizeof *t);
    settings_default(&t->settings);
    t->root = signed_zone_make(".", LDNS_SIGN_ECDSAP256SHA256, 256);
    t->test = signed_zone_make("test.", LDNS_SIGN_RSASHA256, 1024);
    t->zone = signed_zone_make("zone.test.", LDNS_SIGN_ED25519, 256);
    t->other = signed_zone_make("other.test.", LDNS_SIGN_ECDSAP384SHA384, 384);
    t->anchors = anchors_new();
    zone_anchor(t->anchors, &t->root);
    assert_int_equal(answers_init(&t->answers, &t->settings, t->anchors, NULL, 42), 0);
    t->answers.on_verdict = on_verdict;
    t->answers.context = t;
    *state = t;
    return 0;
}

static int fell(void **state)
{
    struct tree *t = *state;
    answers_fini(&t->answers);
    anchors_free(t->anchors);
    ldns_key_deep_free(t->root.key);
    ldns_key_deep_free(t->test.key);
    ldns_key_deep_free(t->zone.key);
    ldns_key_deep_free(t->other.key);
    free(t);
    return 0;
}

/* --- the pieces of a chain --- */

static struct reply dnskey_of(struct signed_zone *zone, int64_t from, int64_t until)
{
    struct reply r = reply_to(zone->name, LDNS_RR_TYPE_DNSKEY, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, one(zone_dnskey(zone)), zone, from, until, NULL);
    return r;
}

static struct reply ds_of(struct signed_zone *zone, struct signed_zone *parent)
{
    struct reply r = reply_to(zone->name, LDNS_RR_TYPE_DS, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, one(zone_ds(zone)), parent, VALID, NULL);
    return r;
}

static struct reply www(struct tree *t, int64_t from, int64_t until)
{
    struct reply r = reply_to("www.zone.test.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER,
              RECORDS("www.zone.test. 300 A 192.0.2.1", "www.zone.test. 300 A 192.0.2.2"), &t->zone,
              from, until, NULL);
    return r;
}

static void show_chain(struct tree *t)
{
    show(&t->answers, dnskey_of(&t->root, VALID), 2, 0);
    show(&t->answers, ds_of(&t->test, &t->root), 4, 0);
    show(&t->answers, dnskey_of(&t->test, VALID), 6, 0);
    show(&t->answers, ds_of(&t->zone, &t->test), 8, 0);
    show(&t->answers, dnskey_of(&t->zone, VALID), 10, 0);
}

static void assert_reason(const struct answer *a, enum reason reason)
{
    assert_non_null(a);
    assert_string_equal(reason_code(a->reason), reason_code(reason));
}

/* --- tests --- */

static void any_order_of_the_chain(void **state)
{
    /* Each of the 120 orders in which the five links can pass by after the answer. */
    for (unsigned order = 0; order < 120; order++) {
        assert_int_equal(fell(state), 0);
        assert_int_equal(plant(state), 0);
        struct tree *t = *state;
        struct answer *a = show(&t->answers, www(t, VALID), 2, 0);
        assert_int_equal(reason_verdict(a->reason), VERDICT_INDETERMINATE);
        unsigned left[5] = {0, 1, 2, 3, 4}, rest = order;
        for (unsigned n = 5; n > 0; n--) {
            assert_int_not_equal(reason_verdict(a->reason), VERDICT_SECURE);
            unsigned pick = rest % n, link = left[pick];
            rest /= n;
            left[pick] = left[n - 1];
            struct reply r = link == 0   ? dnskey_of(&t->root, VALID)
                             : link == 1 ? ds_of(&t->test, &t->root)
                             : link == 2 ? dnskey_of(&t->test, VALID)
                             : link == 3 ? ds_of(&t->zone, &t->test)
                                         : dnskey_of(&t->zone, VALID);
            show(&t->answers, r, 4 + 2 * n, (int64_t)(6 - n));
        }
        assert_reason(a, REASON_CHAIN);
        assert_true(t->revised > 0);
    }
}

static void packet_time_is_the_clock(void **state)
{
    struct tree *t = *state;
    show_chain(t);
    static const struct {
        int64_t from, until, at;
        enum reason reason;
    } rows[] = {
        {0, 100, 0, REASON_CHAIN},         {1, 100, 0, REASON_SIG_FUTURE},
        {-100, 50, 50, REASON_CHAIN},      {-100, 49, 50, REASON_SIG_EXPIRED},
        {60, 10, 50, REASON_SIG_INVERTED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_reason(show(&t->answers, www(t, rows[i].from, rows[i].until), 20 + i, rows[i].at),
                      rows[i].reason);
    /* The same bytes, first in time, then no longer. */
    size_t size;
    struct reply r = www(t, -10, 200);
    uint8_t *wire = reply_wire(&r, &size);
    assert_reason(show_wire(&t->answers, wire, size, 40, 100), REASON_CHAIN);
    assert_reason(show_wire(&t->answers, wire, size, 42, 201), REASON_SIG_EXPIRED);
    assert_reason(show_wire(&t->answers, wire, size, 44, 100), REASON_CHAIN);
    free(wire);
}

static void every_flipped_bit_of_an_answer(void **state)
{
    struct tree *t = *state;
    size_t size;
    show_chain(t);
    struct reply r = www(t, VALID);
    uint8_t *wire = reply_wire(&r, &size);
    assert_reason(show_wire(&t->answers, wire, size, 20, 1), REASON_CHAIN);
    static struct dns_message m;
    assert_int_equal(message_parse(wire, size, size, &m), MESSAGE_WHOLE);
    unsigned tried = 0;
    for (size_t i = 0; i < m.rr_count; i++) {
        for (size_t bit = 0; bit < 8u * m.rrs[i].rdlen; bit++) {
            wire[m.rrs[i].rdata + bit / 8] ^= (uint8_t)(1u << bit % 8);
            /* the case of the signer's name is no change */
            struct answer *a = show_wire(&t->answers, wire, size, 22, 1);
            bool only_case = m.rrs[i].type == LDNS_RR_TYPE_RRSIG && bit % 8 == 5 && bit / 8 > 18 &&
                             bit / 8 < 18 + 11 && bit / 8 != 18 + 5;
            if (!only_case)
                assert_int_not_equal(reason_verdict(a->reason), VERDICT_SECURE);
            wire[m.rrs[i].rdata + bit / 8] ^= (uint8_t)(1u << bit % 8);
            tried++;
        }
    }
    assert_true(tried > 500);
    free(wire);
}

static void repetition_costs_no_check(void **state)
{
    struct tree *t = *state;
    show_chain(t);
    show(&t->answers, www(t, VALID), 20, 1);
    uint64_t checks = t->answers.world.budget.checks;
    struct reply r = reply_to("WWW.Zone.test.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER,
              RECORDS("www.zone.test. 300 A 192.0.2.2", "www.zone.test. 300 A 192.0.2.1"), &t->zone,
              VALID, "wwW.zONE.test.");
    for (size_t i = 0; i < ldns_rr_list_rr_count(ldns_pkt_answer(r.pkt)); i++)
        ldns_rr_set_ttl(ldns_rr_list_rr(ldns_pkt_answer(r.pkt), i), 17);
    ldns_pkt_set_aa(r.pkt, false); /* a cache: other order, case and TTL */
    assert_reason(show(&t->answers, r, 22, 2), REASON_CHAIN);
    assert_int_equal(t->answers.world.budget.checks, checks);
}

static void unsigned_where_signed(void **state)
{
    struct tree *t = *state;
    show_chain(t);
    struct reply r = reply_to("zone.test.", LDNS_RR_TYPE_MX, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS("zone.test. 300 MX 1 mail.zone.test."), NULL, 0, 0,
              NULL);
    assert_reason(show(&t->answers, r, 20, 1), REASON_SIG_MISSING);
    /* Below the apex it may be an unsigned child, until the name was seen signed. */
    r = reply_to("www.zone.test.", LDNS_RR_TYPE_TXT, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS("www.zone.test. 300 TXT \"x\""), NULL, 0, 0, NULL);
    size_t size;
    uint8_t *wire = reply_wire(&r, &size);
    assert_reason(show_wire(&t->answers, wire, size, 22, 2), REASON_CUT_NOT_SEEN);
    show(&t->answers, www(t, VALID), 24, 3);
    assert_reason(show_wire(&t->answers, wire, size, 26, 4), REASON_SIG_MISSING);
    free(wire);
}

/* A resolver may hand out the NS records of the referral (BIND does to CD=1), an authority may not.
 */
static void unsigned_ns_of_an_apex(void **state)
{
    struct tree *t = *state;
    show_chain(t);
    for (int aa = 0; aa < 2; aa++) {
        struct reply r = reply_to("zone.test.", LDNS_RR_TYPE_NS, LDNS_RCODE_NOERROR);
        reply_set(&r, LDNS_SECTION_ANSWER, RECORDS("zone.test. 300 NS ns.zone.test."), NULL, 0, 0,
                  NULL);
        ldns_pkt_set_aa(r.pkt, aa);
        ldns_pkt_set_ra(r.pkt, !aa);
        assert_reason(show(&t->answers, r, 20, 1), aa ? REASON_SIG_MISSING : REASON_DELEGATION_NS);
    }
}

/* As a resolver answers who asks it to recurse. */
static struct reply resolved(const char *qname, ldns_rr_type type, ldns_pkt_rcode rcode)
{
    struct reply r = reply_to(qname, type, rcode);
    ldns_pkt_set_aa(r.pkt, false);
    ldns_pkt_set_ra(r.pkt, true);
    ldns_pkt_set_rd(r.pkt, true);
    return r;
}

static enum reason resolved_aaaa(struct tree *t, const char *address, bool cd, uint64_t frame)
{
    char line[120];
    snprintf(line, sizeof line, "www.zone.test. 300 AAAA %s", address);
    struct reply r = resolved("www.zone.test.", LDNS_RR_TYPE_AAAA, LDNS_RCODE_NOERROR);
    ldns_pkt_set_cd(r.pkt, cd);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS(line), NULL, 0, 0, NULL);
    return show(&t->answers, r, frame, 5)->reason;
}

/* DNS64 (RFC 6147): of the name's own addresses, behind any prefix (RFC 6052 2.4), for clients that
 * do not validate. */
static void addresses_translated_by_resolvers(void **state)
{
    static const char *const good[] = {
        "64:ff9b::192.0.2.1",         "2001:db8:c000:202::",      "2001:db8:1c0:2:2::",
        "2001:db8:122:c000:2:200::",  "2001:db8:122:3c0:0:201::", "2001:db8:122:344:c0:2:200::",
        "2001:db8:122:344::192.0.2.2"};
    static const char *const bad[] = {"64:ff9b::192.0.2.66", "2001:db8:122:344:c0:2:201:1",
                                      "2001:db8::1", "2001:db8:122:344:ffc0:2:200::"};
    struct tree *t = *state;
    show_chain(t);
    show(&t->answers, www(t, VALID), 20, 3);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(resolved_aaaa(t, good[i], false, 30 + 2 * i), REASON_TRANSLATED);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(resolved_aaaa(t, bad[i], false, 60 + 2 * i), REASON_SIG_MISSING);
    assert_int_equal(resolved_aaaa(t, good[0], true, 80), REASON_SIG_MISSING);
    struct reply r = reply_to("www.zone.test.", LDNS_RR_TYPE_AAAA, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS("www.zone.test. 300 AAAA 64:ff9b::192.0.2.1"), NULL,
              0, 0, NULL);
    assert_reason(show(&t->answers, r, 82, 6), REASON_SIG_MISSING); /* an authority has none */
}

/* Where the name's addresses were not seen, by the well-known prefix alone. */
static void addresses_translated_of_what_is_not_known(void **state)
{
    struct tree *t = *state;
    show_chain(t);
    struct reply r = reply_to("www.zone.test.", LDNS_RR_TYPE_TXT, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS("www.zone.test. 300 TXT \"x\""), &t->zone, VALID,
              NULL);
    assert_reason(show(&t->answers, r, 20, 3), REASON_CHAIN);
    assert_int_equal(resolved_aaaa(t, "64:ff9b::192.0.2.1", false, 22), REASON_TRANSLATED);
    assert_int_equal(resolved_aaaa(t, "2001:db8::192.0.2.1", false, 24), REASON_SIG_MISSING);
}

/* Without RD a resolver only looks into its cache, and some say with nothing that it has none. */
static void nothing_in_the_cache(void **state)
{
    struct tree *t = *state;
    show_chain(t);
    struct reply r = resolved("zone.test.", LDNS_RR_TYPE_MX, LDNS_RCODE_NOERROR);
    ldns_pkt_set_rd(r.pkt, false);
    assert_reason(show(&t->answers, r, 20, 1), REASON_NOT_CACHED);
    r = resolved("zone.test.", LDNS_RR_TYPE_MX, LDNS_RCODE_NOERROR);
    assert_reason(show(&t->answers, r, 22, 2), REASON_DENIAL_MISSING);
    r = reply_to("zone.test.", LDNS_RR_TYPE_MX, LDNS_RCODE_NOERROR);
    assert_reason(show(&t->answers, r, 24, 3), REASON_DENIAL_MISSING); /* an authority's */
}

static void names_served_locally(void **state)
{
    static const struct {
        const char *name;
        bool local;
    } cases[] = {{"localhost.", true},
                 {"printer.local.", true},
                 {"_dns.resolver.arpa.", true},
                 {"1.0.0.127.in-addr.arpa.", true},
                 {"10.in-addr.arpa.", true},
                 {"7.31.172.in-addr.arpa.", true},
                 {"7.32.172.in-addr.arpa.", false},
                 {"172.in-addr.arpa.", false},
                 {"9.2.0.192.in-addr.arpa.", true},
                 {"9.3.0.192.in-addr.arpa.", false},
                 {"1000.in-addr.arpa.", false},
                 {"1.0.0.0.d.f.ip6.arpa.", true},
                 {"1.0.0.0.e.f.ip6.arpa.", false},
                 {"ocal.", false},
                 {"www.zone.test.", false},
                 {".", false}};
    uint8_t name[NAME_MAX_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_not_equal(name_parse(cases[i].name, name), 0);
        if (local_name(name) != cases[i].local)
            fail_msg("%s", cases[i].name);
    }
    /* A resolver's own word on them is none on the root's; an authority's is. */
    struct tree *t = *state;
    show_chain(t);
    struct reply r = resolved("localhost.", LDNS_RR_TYPE_DS, LDNS_RCODE_NOERROR);
    assert_reason(show(&t->answers, r, 20, 1), REASON_LOCAL);
    r = resolved("localhost.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS("localhost. 300 A 127.0.0.1"), NULL, 0, 0, NULL);
    assert_reason(show(&t->answers, r, 22, 2), REASON_LOCAL);
    r = resolved("nonesuch.", LDNS_RR_TYPE_DS, LDNS_RCODE_NOERROR);
    assert_reason(show(&t->answers, r, 24, 3), REASON_DENIAL_MISSING);
    r = reply_to("localhost.", LDNS_RR_TYPE_DS, LDNS_RCODE_NOERROR);
    assert_reason(show(&t->answers, r, 26, 4), REASON_DENIAL_MISSING);
}

static const struct answer *denied_with(struct tree *t, const char *soa, ldns_pkt_section section,
                                        bool ra, uint64_t frame)
{
    struct reply r = resolved("bad.zone.test.", LDNS_RR_TYPE_A, LDNS_RCODE_NXDOMAIN);
    ldns_pkt_set_ra(r.pkt, ra);
    reply_set(&r, section, RECORDS(soa), NULL, 0, 0, NULL);
    return show(&t->answers, r, frame, 2);
}

/* A response policy zone signs with its SOA, behind the answer or in its zone's place. */
static void rewritten_by_a_policy(void **state)
{
    static const char policy[] = "rpz. 60 SOA a. b. 1 2 3 4 5";
    static const char own[] = "zone.test. 60 SOA a. b. 1 2 3 4 5";
    struct tree *t = *state;
    show_chain(t);
    assert_true(denied_with(t, policy, LDNS_SECTION_ADDITIONAL, true, 20)->rewritten);
    assert_true(denied_with(t, policy, LDNS_SECTION_AUTHORITY, true, 22)->rewritten);
    assert_false(denied_with(t, own, LDNS_SECTION_AUTHORITY, true, 24)->rewritten);
    assert_false(denied_with(t, policy, LDNS_SECTION_ADDITIONAL, false, 26)->rewritten);
    struct reply blocked = resolved("www.zone.test.", LDNS_RR_TYPE_AAAA, LDNS_RCODE_NOERROR);
    reply_set(&blocked, LDNS_SECTION_ANSWER, RECORDS("www.zone.test. 60 AAAA ::"), NULL, 0, 0,
              NULL);
    assert_true(show(&t->answers, blocked, 30, 3)->rewritten);
    blocked = resolved("www.zone.test.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR);
    reply_set(&blocked, LDNS_SECTION_ANSWER, RECORDS("www.zone.test. 60 A 192.0.2.0"), NULL, 0, 0,
              NULL);
    assert_false(show(&t->answers, blocked, 32, 3)->rewritten);
    /* Along an alias the SOA is that of the other zone. */
    struct reply r = resolved("www.zone.test.", LDNS_RR_TYPE_A, LDNS_RCODE_NXDOMAIN);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS("www.zone.test. 60 CNAME www.other.test."), NULL, 0,
              0, NULL);
    reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS("other.test. 60 SOA a. b. 1 2 3 4 5"), NULL, 0, 0,
              NULL);
    assert_false(show(&t->answers, r, 28, 3)->rewritten);
}

static struct reply wildcard(struct tree *t, bool proof)
{
    struct reply r = reply_to("a.wild.zone.test.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS("*.wild.zone.test. 300 A 192.0.2.9"), &t->zone,
              VALID, "a.wild.zone.test.");
    if (proof)
        reply_set(&r, LDNS_SECTION_AUTHORITY,
                  RECORDS("*.wild.zone.test. 300 NSEC www.zone.test. A RRSIG NSEC"), &t->zone,
                  VALID, NULL);
    return r;
}

static void wildcards_need_their_proof(void **state)
{
    struct tree *t = *state;
    show_chain(t);
    assert_reason(show(&t->answers, wildcard(t, true), 20, 1), REASON_WILDCARD);
    assert_reason(show(&t->answers, wildcard(t, false), 22, 1), REASON_WILDCARD_CLOSER);
}

static struct reply negative(struct tree *t, const char *qname, ldns_rr_type type, bool nxdomain,
                             const char *const *nsec)
{
    struct reply r = reply_to(qname, type, nxdomain ? LDNS_RCODE_NXDOMAIN : LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_AUTHORITY,
              RECORDS("zone.test. 300 SOA ns.zone.test. h.zone.test. 1 2 3 4 5"), &t->zone, VALID,
              NULL);
    for (; *nsec; nsec++)
        reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS(*nsec), &t->zone, VALID, NULL);
    return r;
}

#define NSECS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void denial_with_nsec(void **state)
{
    struct tree *t = *state;
    static const char *const apex = "zone.test. 300 NSEC mail.zone.test. NS SOA RRSIG NSEC DNSKEY";
    static const char *const mail = "mail.zone.test. 300 NSEC a.www.zone.test. A RRSIG NSEC";
    static const char *const last = "sub.www.zone.test. 300 NSEC zone.test. NS RRSIG NSEC";
    const struct {
        const char *qname;
        ldns_rr_type type;
        bool nxdomain;
        const char *const *nsec;
        enum reason reason;
    } rows[] = {
        {"nx.zone.test.", LDNS_RR_TYPE_A, true, NSECS(apex, mail), REASON_DENIAL},
        {"nx.zone.test.", LDNS_RR_TYPE_A, true, NSECS(mail), REASON_WILDCARD_NOT_DENIED},
        {"nx.zone.test.", LDNS_RR_TYPE_A, true, NSECS(apex), REASON_NAME_NOT_COVERED},
        {"nx.zone.test.", LDNS_RR_TYPE_A, true, NSECS(NULL), REASON_DENIAL_MISSING},
        {"mail.zone.test.", LDNS_RR_TYPE_MX, false, NSECS(mail), REASON_DENIAL},
        {"mail.zone.test.", LDNS_RR_TYPE_A, false, NSECS(mail), REASON_TYPE_NOT_DENIED},
        {"mail.zone.test.", LDNS_RR_TYPE_MX, false, NSECS(apex), REASON_NAME_NOT_COVERED},
        {"www.zone.test.", LDNS_RR_TYPE_A, false, NSECS(mail),
         REASON_DENIAL}, /* empty non-terminal */
        {"www.zone.test.", LDNS_RR_TYPE_A, true, NSECS(apex, mail), REASON_NAME_NOT_COVERED},
        {"zz.zone.test.", LDNS_RR_TYPE_A, true, NSECS(apex, last), REASON_DENIAL},
        /* a parent's NSEC at a cut speaks for nothing at or below it (RFC 6840 4.1) */
        {"x.sub.www.zone.test.", LDNS_RR_TYPE_A, true, NSECS(apex, last), REASON_NAME_NOT_COVERED},
        {"sub.www.zone.test.", LDNS_RR_TYPE_A, false, NSECS(last), REASON_NAME_NOT_COVERED},
        {"sub.www.zone.test.", LDNS_RR_TYPE_DS, false, NSECS(last), REASON_DENIAL},
    };
    show_chain(t);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_reason(show(&t->answers,
                           negative(t, rows[i].qname, rows[i].type, rows[i].nxdomain, rows[i].nsec),
                           20 + 2 * i, 1),
                      rows[i].reason);
}

/* The NSEC3 of a name that has no more types than these, its salt aabb. */
static ldns_rr_list *nsec3(const char *zone, const char *name, unsigned iterations,
                           const char *types)
{
    static const uint8_t salt[] = {0xaa, 0xbb};
    ldns_rdf *dname = ldns_dname_new_frm_str(name);
    ldns_rdf *hash = ldns_nsec3_hash_name(dname, 1, (uint16_t)iterations, sizeof salt, salt);
    char *label = ldns_rdf2str(hash), line[400];
    label[strlen(label) - 1] = '\0';
    snprintf(line, sizeof line, "%s.%s 300 NSEC3 1 0 %u aabb %s %s", label, zone, iterations,
             "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv", types);
    ldns_rdf_deep_free(dname);
    ldns_rdf_deep_free(hash);
    free(label);
    return RECORDS(line);
}

/* RFC 9276 3.2, the setting, and --ignore-rfc9276 up to the hard bound. */
static void nsec3_iterations_are_bounded(void **state)
{
    static const struct {
        unsigned iterations;
        uint64_t setting;
        bool ignore;
        enum reason reason;
    } rows[] = {
        {0, 150, false, REASON_DENIAL},
        {150, 150, false, REASON_DENIAL},
        {151, 150, false, REASON_NSEC3_ITERATIONS},
        {1, 0, false, REASON_NSEC3_ITERATIONS},
        {151, 150, true, REASON_DENIAL},
        {2500, 0, true, REASON_DENIAL},
        {2501, 2500, true, REASON_NSEC3_ITERATIONS},
        {2501, 2500, false, REASON_NSEC3_ITERATIONS},
    };
    struct tree *t = *state;
    show_chain(t);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[40];
        snprintf(name, sizeof name, "host%zu.zone.test.", i);
        t->settings.nsec3_iterations = rows[i].setting;
        t->settings.ignore_rfc9276 = rows[i].ignore;
        struct reply r = reply_to(name, LDNS_RR_TYPE_MX, LDNS_RCODE_NOERROR);
        reply_set(&r, LDNS_SECTION_AUTHORITY,
                  RECORDS("zone.test. 300 SOA ns.zone.test. h.zone.test. 1 2 3 4 5"), &t->zone,
                  VALID, NULL);
        reply_set(&r, LDNS_SECTION_AUTHORITY,
                  nsec3("zone.test.", name, rows[i].iterations, "A RRSIG"), &t->zone, VALID, NULL);
        assert_reason(show(&t->answers, r, 20 + 2 * i, 1), rows[i].reason);
    }
    assert_true(t->answers.world.budget.hashes >= 4);
}

/* A hash of many iterations takes as much of the budget as many hashes. */
static void nsec3_iterations_cost(void **state)
{
    struct tree *t = *state;
    t->settings.ignore_rfc9276 = true;
    t->settings.message_hashes = 16; /* 2500 iterations count as 17 */
    show_chain(t);
    struct reply r = reply_to("a.b.c.zone.test.", LDNS_RR_TYPE_MX, LDNS_RCODE_NXDOMAIN);
    reply_set(&r, LDNS_SECTION_AUTHORITY, nsec3("zone.test.", "zone.test.", 2500, "SOA RRSIG"),
              &t->zone, VALID, NULL);
    assert_reason(show(&t->answers, r, 20, 1), REASON_BUDGET);
    assert_int_equal(t->answers.world.budget.hashes, 1);
}

/* No DS, said by hashes that are not computed: what lies below is as insecure as the denial. */
static void delegation_beyond_the_iterations(void **state)
{
    struct tree *t = *state;
    show_chain(t);
    struct reply r = reply_to("www.plain.test.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS("www.plain.test. 300 A 192.0.2.7"), NULL, 0, 0,
              NULL);
    struct answer *a = show(&t->answers, r, 20, 1);
    assert_reason(a, REASON_CUT_NOT_SEEN);
    r = reply_to("www.plain.test.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR);
    ldns_pkt_set_aa(r.pkt, false);
    reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS("plain.test. 300 NS ns.plain.test."), NULL, 0, 0,
              NULL);
    reply_set(&r, LDNS_SECTION_AUTHORITY, nsec3("test.", "plain.test.", 500, "NS"), &t->test, VALID,
              NULL);
    assert_reason(show(&t->answers, r, 22, 2), REASON_NSEC3_ITERATIONS);
    assert_reason(a, REASON_NSEC3_ITERATIONS);
}

static void unsigned_delegation(void **state)
{
    struct tree *t = *state;
    show_chain(t);
    struct reply r = reply_to("www.plain.test.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS("www.plain.test. 300 A 192.0.2.7"), NULL, 0, 0,
              NULL);
    struct answer *a = show(&t->answers, r, 20, 1);
    assert_reason(a, REASON_CUT_NOT_SEEN);

    r = reply_to("www.plain.test.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR);
    ldns_pkt_set_aa(r.pkt, false);
    reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS("plain.test. 300 NS ns.plain.test."), NULL, 0, 0,
              NULL);
    reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS("plain.test. 300 NSEC zone.test. NS RRSIG NSEC"),
              &t->test, VALID, NULL);
    show(&t->answers, r, 22, 2);
    assert_reason(a, REASON_UNSIGNED_DELEGATION);
    assert_true(t->revised > 0);
}

/* Glue and delegations in a transfer of a signed zone are unsigned, and rightly so (RFC 5936 3.5).
 */
static void transfers_are_not_answers(void **state)
{
    struct tree *t = *state;
    show_chain(t);
    struct reply r = reply_to("zone.test.", LDNS_RR_TYPE_AXFR, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS("sub.zone.test. 300 NS ns.sub.zone.test."), NULL, 0,
              0, NULL);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS("zone.test. 300 MX 1 mail.zone.test."), NULL, 0, 0,
              NULL);
    assert_reason(show(&t->answers, r, 20, 1), REASON_TRANSFER);
    r = reply_to("zone.test.", LDNS_RR_TYPE_SOA, LDNS_RCODE_NOERROR);
    ldns_pkt_set_opcode(r.pkt, LDNS_PACKET_NOTIFY);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS("zone.test. 300 SOA a. b. 1 2 3 4 5"), NULL, 0, 0,
              NULL);
    assert_reason(show(&t->answers, r, 22, 1), REASON_OPCODE);
}

/* Nobody signs signatures: an answer of them alone denies nothing (RFC 4035 2.2). */
static void signatures_are_no_denial(void **state)
{
    struct tree *t = *state;
    show_chain(t);
    struct reply r = reply_to("www.zone.test.", LDNS_RR_TYPE_RRSIG, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS("www.zone.test. 300 A 192.0.2.1"), &t->zone, VALID,
              NULL);
    ldns_rr_list *answer = ldns_pkt_answer(r.pkt), *left = ldns_rr_list_new();
    for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
        ldns_rr *rr = ldns_rr_list_rr(answer, i);
        if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG)
            ldns_rr_list_push_rr(left, rr);
        else
            ldns_rr_free(rr);
    }
    ldns_rr_list_free(answer);
    ldns_pkt_set_answer(r.pkt, left);
    ldns_pkt_set_ancount(r.pkt, (uint16_t)ldns_rr_list_rr_count(left));
    assert_reason(show(&t->answers, r, 20, 1), REASON_SIGNATURES);
}

/* RFC 9824: the NSEC of a name that does not exist is made up at that very name. */
static void compact_denial(void **state)
{
    struct tree *t = *state;
    static const char *const says[] = {
        "gone.zone.test. 300 NSEC \\000.gone.zone.test. RRSIG NSEC TYPE128", NULL};
    static const char *const empty[] = {"void.zone.test. 300 NSEC \\000.void.zone.test. RRSIG NSEC",
                                        NULL};
    show_chain(t);
    assert_reason(
        show(&t->answers, negative(t, "gone.zone.test.", LDNS_RR_TYPE_A, true, says), 20, 1),
        REASON_DENIAL);
    assert_reason(
        show(&t->answers, negative(t, "gone.zone.test.", LDNS_RR_TYPE_A, false, says), 22, 1),
        REASON_DENIAL);
    assert_reason(
        show(&t->answers, negative(t, "void.zone.test.", LDNS_RR_TYPE_A, true, empty), 24, 1),
        REASON_NAME_NOT_COVERED);
}

/* DNS64 found no address to translate and shows the proof of that; the signer denies what it is
 * asked for and nothing else. */
static void compact_denial_translated(void **state)
{
    struct tree *t = *state;
    static const char *const made_up[] = {
        "mx.zone.test. 300 NSEC \\000.mx.zone.test. MX AAAA RRSIG NSEC", NULL};
    static const char *const real[] = {"mx.zone.test. 300 NSEC zone.test. MX AAAA RRSIG NSEC",
                                       NULL};
    show_chain(t);
    for (int ra = 0; ra < 2; ra++) {
        struct reply r = negative(t, "mx.zone.test.", LDNS_RR_TYPE_AAAA, false, made_up);
        ldns_pkt_set_ra(r.pkt, ra);
        ldns_pkt_set_aa(r.pkt, !ra);
        assert_reason(show(&t->answers, r, 20, 1), ra ? REASON_TRANSLATED : REASON_TYPE_NOT_DENIED);
    }
    struct reply r = negative(t, "mx.zone.test.", LDNS_RR_TYPE_AAAA, false, real);
    ldns_pkt_set_ra(r.pkt, true);
    ldns_pkt_set_aa(r.pkt, false);
    assert_reason(show(&t->answers, r, 22, 2), REASON_TYPE_NOT_DENIED);
}

/* A zone whose DS is there and whose keys never match: bogus, and never secure by what else passes.
 */
static void ds_without_key(void **state)
{
    struct tree *t = *state;
    show_chain(t);
    struct signed_zone thief = signed_zone_make("zone2.test.", LDNS_SIGN_ED25519, 256);
    struct signed_zone owner = signed_zone_make("zone2.test.", LDNS_SIGN_ED25519, 256);
    show(&t->answers, ds_of(&owner, &t->test), 20, 1);
    assert_reason(show(&t->answers, dnskey_of(&thief, VALID), 22, 2), REASON_DS_MISMATCH);
    struct reply r = reply_to("zone2.test.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS("zone2.test. 300 A 192.0.2.66"), &thief, VALID,
              NULL);
    struct answer *a = show(&t->answers, r, 24, 3);
    assert_reason(a, REASON_DS_MISMATCH);
    /* The owner's keys appear: the thief's data stays bogus, by its own key now. */
    assert_reason(show(&t->answers, dnskey_of(&owner, VALID), 26, 4), REASON_CHAIN);
    assert_reason(a, REASON_KEY_UNKNOWN);
    ldns_key_deep_free(thief.key);
    ldns_key_deep_free(owner.key);
}

/* --at: signatures are judged by that clock, but what was current when it was seen stays so. */
static void a_fixed_clock_ages_no_cache(void **state)
{
    struct tree *t = *state;
    struct signed_zone thief = signed_zone_make("zone.test.", LDNS_SIGN_ED25519, 256);
    t->settings.at = AT_FIXED;
    t->settings.at_ns = (T0 + 90000) * SECOND; /* a day and an hour; the keys' TTL is an hour */
    show(&t->answers, dnskey_of(&t->root, -100, 100000), 2, 0);
    struct reply ds = reply_to("test.", LDNS_RR_TYPE_DS, LDNS_RCODE_NOERROR);
    reply_set(&ds, LDNS_SECTION_ANSWER, one(zone_ds(&t->test)), &t->root, -100, 100000, NULL);
    show(&t->answers, ds, 4, 0);
    show(&t->answers, dnskey_of(&t->test, -100, 100000), 6, 0);
    ds = reply_to("zone.test.", LDNS_RR_TYPE_DS, LDNS_RCODE_NOERROR);
    reply_set(&ds, LDNS_SECTION_ANSWER, one(zone_ds(&t->zone)), &t->test, -100, 100000, NULL);
    show(&t->answers, ds, 8, 0);
    assert_reason(show(&t->answers, dnskey_of(&thief, -100, 100000), 10, 1), REASON_DS_MISMATCH);
    assert_reason(show(&t->answers, dnskey_of(&t->zone, -100, 100000), 12, 2), REASON_CHAIN);
    assert_reason(show(&t->answers, www(t, -100, 100000), 14, 3), REASON_CHAIN);
    assert_reason(show(&t->answers, www(t, -100, 80000), 16, 4), REASON_SIG_EXPIRED);
    ldns_key_deep_free(thief.key);
}

static void forgetting_is_harmless(void **state)
{
    struct tree *t = *state;
    size_t good_size, bad_size;
    show_chain(t);
    struct reply r = www(t, VALID);
    uint8_t *good = reply_wire(&r, &good_size);
    r = www(t, -3600, -1);
    uint8_t *bad = reply_wire(&r, &bad_size);
    for (unsigned i = 0; i < 3; i++) {
        assert_reason(show_wire(&t->answers, good, good_size, 20, 1), REASON_CHAIN);
        assert_reason(show_wire(&t->answers, bad, bad_size, 22, 1), REASON_SIG_EXPIRED);
        answers_forget(&t->answers);
    }
    free(good);
    free(bad);
}

/* CVE-2023-50387: many signatures under one name, none of them good. */
static void key_trap(void **state)
{
    struct tree *t = *state;
    show_chain(t);
    t->settings.message_signatures = 8;
    struct reply r = reply_to("trap.zone.test.", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS("trap.zone.test. 300 A 192.0.2.1"), &t->zone, VALID,
              NULL);
    ldns_rr *signature = NULL;
    for (size_t i = 0; i < ldns_rr_list_rr_count(ldns_pkt_answer(r.pkt)); i++)
        if (ldns_rr_get_type(ldns_rr_list_rr(ldns_pkt_answer(r.pkt), i)) == LDNS_RR_TYPE_RRSIG)
            signature = ldns_rr_list_rr(ldns_pkt_answer(r.pkt), i);
    for (unsigned i = 1; i <= 200; i++) {
        ldns_rr *copy = ldns_rr_clone(signature);
        ldns_rdf_data(ldns_rr_rrsig_sig(copy))[i % 64] ^= (uint8_t)(1 + i / 64);
        ldns_pkt_push_rr(r.pkt, LDNS_SECTION_ANSWER, copy);
    }
    ldns_rdf_data(ldns_rr_rrsig_sig(signature))[0] ^= 0x80;
    uint64_t before = t->answers.world.budget.checks;
    const struct answer *a = show(&t->answers, r, 20, 1);
    assert_reason(a, REASON_BUDGET);
    assert_true(t->answers.world.budget.checks - before <= 8);
    assert_true(t->answers.world.budget.exhausted > 0);
}

/* One RRset of the zone that was not seen before, its signature flipped where `forged`. */
static const struct answer *fresh_answer(struct tree *t, const struct signed_zone *zone,
                                         const char *apex, unsigned i, bool forged, uint64_t frame)
{
    char name[64], line[96];
    snprintf(name, sizeof name, "n%u.%s", i, apex);
    snprintf(line, sizeof line, "%s 300 A 192.0.2.1", name);
    struct reply r = reply_to(name, LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, RECORDS(line), zone, VALID, NULL);
    size_t size;
    uint8_t *wire = reply_wire(&r, &size);
    if (forged)
        wire[size - 20] ^= 1; /* in the signature: OPT stands last */
    const struct answer *a = show_wire(&t->answers, wire, size, frame, 1);
    free(wire);
    return a;
}

/* Who makes signatures fail uses up the time for that, and goes without until frames have earned
 * more; zones in order do not suffer from it. */
static void failing_checks_are_paid(void **state)
{
    struct tree *t = *state;
    struct budget *budget = &t->answers.world.budget;
    show_chain(t);
    budget->failing_us = 1;
    unsigned bogus = 0;
    for (unsigned i = 0; i < 40; i++)
        bogus += fresh_answer(t, &t->zone, "zone.test.", i, true, 1)->reason == REASON_SIG_BAD;
    assert_int_equal(bogus, 8); /* the grace of every zone */
    assert_reason(fresh_answer(t, &t->zone, "zone.test.", 50, true, 1), REASON_BUDGET);
    assert_reason(fresh_answer(t, &t->zone, "zone.test.", 51, false, 1), REASON_BUDGET);
    assert_reason(fresh_answer(t, &t->test, "test.", 52, false, 1), REASON_CHAIN);
    assert_true(budget->ran_out == 0 && budget->failing_us <= 0);

    uint64_t frame =
        budget->earned_frame + 1 + (uint64_t)(1 - budget->failing_us) / t->settings.frame_check_us;
    assert_reason(fresh_answer(t, &t->zone, "zone.test.", 60, false, frame), REASON_CHAIN);
    assert_reason(fresh_answer(t, &t->zone, "zone.test.", 61, true, frame), REASON_SIG_BAD);
    fresh_answer(t, &t->zone, "zone.test.", 62, false, UINT64_MAX);
    assert_true(budget->failing_us == BUDGET_FAILING_US);
}

static void every_algorithm(void **state)
{
    struct tree *t = *state;
    static const struct {
        ldns_signing_algorithm algorithm;
        uint16_t bits;
    } rows[] = {
        {LDNS_SIGN_RSASHA1, 1024},        {LDNS_SIGN_RSASHA1_NSEC3, 1024},
        {LDNS_SIGN_RSASHA256, 2048},      {LDNS_SIGN_RSASHA512, 1024},
        {LDNS_SIGN_ECDSAP256SHA256, 256}, {LDNS_SIGN_ECDSAP384SHA384, 384},
        {LDNS_SIGN_ED25519, 256},         {LDNS_SIGN_ED448, 456},
    };
    show_chain(t);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[32];
        snprintf(name, sizeof name, "alg%zu.test.", i);
        struct signed_zone zone = signed_zone_make(name, rows[i].algorithm, rows[i].bits);
        show(&t->answers, ds_of(&zone, &t->test), 20, 1);
        assert_reason(show(&t->answers, dnskey_of(&zone, VALID), 22, 1), REASON_CHAIN);
        ldns_key_deep_free(zone.key);
    }
}

/* The same answers, checked ahead by several threads while those before are judged one by one: same
 * reasons, same number of checks. */
static void checks_ahead_change_nothing(void **state)
{
    struct tree *t = *state;
    enum { COUNT = 40 };
    uint8_t *wire[COUNT];
    size_t size[COUNT];
    enum reason alone[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        char name[64], line[96];
        snprintf(name, sizeof name, "h%u.zone.test.", i);
        snprintf(line, sizeof line, "%s 300 A 192.0.2.%u", name, i);
        struct reply r = reply_to(name, LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR);
        reply_set(&r, LDNS_SECTION_ANSWER, RECORDS(line), &t->zone, -3600, i % 5 ? 86400 : -60,
                  NULL);
        wire[i] = reply_wire(&r, &size[i]);
        if (i % 7 == 0)
            wire[i][size[i] - 20] ^= 1; /* in the signature: OPT stands last */
    }
    show_chain(t);
    uint64_t before = t->answers.world.budget.checks;
    for (unsigned i = 0; i < COUNT; i++)
        alone[i] = show_wire(&t->answers, wire[i], size[i], 20 + i, 1)->reason;
    uint64_t checks = t->answers.world.budget.checks - before;
    answers_fini(&t->answers);
    assert_int_equal(answers_init(&t->answers, &t->settings, t->anchors, NULL, 43), 0);
    show_chain(t);

    struct ahead *ahead = ahead_new(4, NULL);
    assert_non_null(ahead);
    ahead_ready(ahead);
    static struct draft draft[COUNT];
    static struct dns_message m;
    struct datagram dg[COUNT];
    uint64_t frame[COUNT];
    struct query query = {.edns = true, .edns_do = true};
    before = t->answers.world.budget.checks;
    for (unsigned i = 0; i < COUNT; i++) {
        frame[i] = 20 + i;
        dg[i] = (struct datagram){.flow = {.family = 4},
                                  .bytes = wire[i],
                                  .size = size[i],
                                  .wire_size = size[i],
                                  .time_ns = (T0 + 1) * SECOND,
                                  .frame = frame[i],
                                  .frames = &frame[i],
                                  .frame_count = 1};
        assert_int_equal(message_parse(wire[i], size[i], size[i], &m), MESSAGE_WHOLE);
        answers_draft(&t->answers, &dg[i], &m, &query, ahead, &draft[i]);
        if (i == COUNT / 2)
            ahead_turn(ahead); /* the first half is being checked */
    }
    ahead_turn(ahead);
    for (unsigned i = 0; i < COUNT; i++) {
        bool fresh;
        if (i == COUNT / 2 + 1)
            ahead_run(ahead);
        assert_reason(answers_commit(&t->answers, &draft[i], &dg[i], &fresh), alone[i]);
        free(wire[i]);
    }
    assert_int_equal(t->answers.world.budget.checks - before, checks);
    ahead_free(ahead);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, plant, fell)
    const struct CMUnitTest tests[] = {
        TEST(any_order_of_the_chain),
        TEST(packet_time_is_the_clock),
        TEST(every_flipped_bit_of_an_answer),
        TEST(repetition_costs_no_check),
        TEST(unsigned_where_signed),
        TEST(unsigned_ns_of_an_apex),
        TEST(addresses_translated_by_resolvers),
        TEST(addresses_translated_of_what_is_not_known),
        TEST(nothing_in_the_cache),
        TEST(names_served_locally),
        TEST(rewritten_by_a_policy),
        TEST(wildcards_need_their_proof),
        TEST(denial_with_nsec),
        TEST(nsec3_iterations_are_bounded),
        TEST(nsec3_iterations_cost),
        TEST(delegation_beyond_the_iterations),
        TEST(unsigned_delegation),
        TEST(ds_without_key),
        TEST(a_fixed_clock_ages_no_cache),
        TEST(forgetting_is_harmless),
        TEST(transfers_are_not_answers),
        TEST(signatures_are_no_denial),
        TEST(compact_denial),
        TEST(compact_denial_translated),
        TEST(checks_ahead_change_nothing),
        TEST(key_trap),
        TEST(failing_checks_are_paid),
        TEST(every_algorithm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
