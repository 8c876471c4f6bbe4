/*
 * server_cases: for each rule about servers one fact that fires, for test_rules.c. What fires and
 * what must not, over time, is test_servers.c's.
 *
 * Contained in: tests.
 */
#ifndef TESTS_UNIT_SERVER_CASES_H
#define TESTS_UNIT_SERVER_CASES_H

#include "tests/unit/fact_builder.h"

static struct fact servers_fact(enum fact_kind kind, struct fact_servers servers)
{
    static const uint8_t first[16] = {192, 0, 2, 1}, second[16] = {192, 0, 2, 2};
    static const struct fact_server list[] = {
        {.family = 4, .address = first, .has_serial = true, .serial = 7},
        {.family = 4, .address = second, .odd = true, .has_serial = true, .serial = 6}};
    struct fact fact = fact_of(kind, "x.");
    servers.server = list;
    servers.count = kind == FACT_BACK ? 1 : 2;
    servers.refresh_ns = HOUR * NS_S;
    fact.servers = memcpy(take(sizeof servers), &servers, sizeof servers);
    fact.observed.type = 6;
    return fact;
}

static void servers_disagree(struct rules *rules)
{
    struct finding *findings[4];
    struct fact fact = servers_fact(
        FACT_SERVERS, (struct fact_servers){.differ = true, .lasted_ns = 2 * HOUR * NS_S});
    (void)rules_judge(rules, &fact, findings, 4);
}

static void servers_follow(struct rules *rules)
{
    struct finding *findings[4];
    struct fact fact = servers_fact(
        FACT_SERVERS,
        (struct fact_servers){.differ = true, .began = true, .lasted_ns = HOUR * NS_S});
    (void)rules_judge(rules, &fact, findings, 4);
}

static void serial_back(struct rules *rules)
{
    struct finding *findings[4];
    struct fact fact = servers_fact(
        FACT_BACK, (struct fact_servers){.peak = 9, .back_ns = NOW, .peak_since_ns = NOW - 1});
    (void)rules_judge(rules, &fact, findings, 4);
}

static void server_unlisted(struct rules *rules)
{
    static const struct fact_address list[] = {{4, {192, 0, 2, 1}}};
    struct finding *findings[4];
    struct fact fact = fact_of(FACT_SERVER, "x.");
    fact.observed.type = 1;
    fact.baseline = (struct fact_baseline){.present = true, .servers = list, .server_count = 1};
    (void)rules_judge(rules, &fact, findings, 4);
}

static void transfer_unlisted(struct rules *rules)
{
    static const struct fact_address list[] = {{4, {192, 0, 2, 1}}};
    struct finding *findings[4];
    struct fact fact = fact_of(FACT_TRANSFER, "x.");
    static const uint8_t client[16] = {192, 0, 2, 2};
    const struct fact_transfer transfer = {.family = 4, .client = client};
    fact.transfer = &transfer;
    fact.baseline = (struct fact_baseline){
        .present = true, .transfer_clients = list, .transfer_client_count = 1};
    (void)rules_judge(rules, &fact, findings, 4);
}

static void ttl_lowered(struct rules *rules)
{
    struct finding *findings[4];
    struct fact fact = signature_of(SIGNATURE_VALID, "x.", "www.x.");
    fact.baseline = (struct fact_baseline){.present = true, .expected = fact.observed};
    fact.baseline.expected.ttl = 86400;
    signature_in(&fact)->original_ttl = 60;
    (void)rules_judge(rules, &fact, findings, 4);
}

static void ns_differ(struct rules *rules, struct fact_cut cut)
{
    struct finding *findings[4];
    struct fact fact = fact_of(FACT_CUT, "x.");
    cut.differ = cut.current = true;
    cut.ttl_ns = HOUR * NS_S;
    cut.child = set_of("x.", 2, 1, "\3ns2\1x");
    fact.observed = set_of("x.", 2, 1, "\3ns1\1x");
    fact.cut = &cut;
    (void)rules_judge(rules, &fact, findings, 4);
}

static void parent_and_child(struct rules *rules)
{
    ns_differ(rules, (struct fact_cut){.lasted_ns = 0});
}

static void parent_follows(struct rules *rules)
{
    ns_differ(rules, (struct fact_cut){.began = true, .lasted_ns = HOUR * NS_S});
}

/* Glue beside what the zone says. */
static void glue_differs(struct rules *rules, const char *parent, const char *child)
{
    struct finding *findings[4];
    struct fact fact = fact_of(FACT_GLUE, "x.");
    const struct fact_glue glue = {.parent = set_of("ns.x.", 1, 1, parent),
                                   .child = set_of("ns.x.", 1, 2, child, "\312\1\1\1")};
    const struct fact_glues glues = {.count = 1, .glue = &glue};
    fact.glues = &glues;
    (void)rules_judge(rules, &fact, findings, 4);
}

static void glue_stale(struct rules *rules)
{
    glue_differs(rules, "\300\1\1\1", "\301\1\1\1");
}

static void glue_agrees_again(struct rules *rules)
{
    struct finding *findings[4];
    struct fact fact = fact_of(FACT_GLUE, "x.");
    const struct fact_glues none = {.count = 0};
    fact.glues = &none;
    glue_stale(rules);
    (void)rules_judge(rules, &fact, findings, 4);
}

/* NS RRsets and glue are two things: one may close while the other lasts. */
static void glue_and_ns(struct rules *rules)
{
    ns_differ(rules, (struct fact_cut){.lasted_ns = 0});
    glue_agrees_again(rules);
}

static struct fact_rdata cds_for(const struct fact_key *key)
{
    uint8_t rdata[4 + 64] = {(uint8_t)(key->tag >> 8), (uint8_t)key->tag, key->algorithm, 2};
    size_t size = digest_ds(N("x."), key, 2, rdata + 4);
    return bytes_of(rdata, 4 + size);
}

static struct fact_rdata cdnskey_for(const struct fact_key *key)
{
    uint8_t rdata[4 + 96] = {(uint8_t)(key->flags >> 8), (uint8_t)key->flags, 3, key->algorithm};
    memcpy(rdata + 4, key->public_key.bytes, key->public_key.size);
    return bytes_of(rdata, 4u + key->public_key.size);
}

static struct fact_rrset one_of(uint16_t type, struct fact_rdata rdata)
{
    struct fact_rdata *list = take(sizeof *list);
    *list = rdata;
    return (struct fact_rrset){.owner = N("x."), .type = type, .count = 1, .rdata = list};
}

/* What CDS and CDNSKEY of these keys (NULL: no such RRset) give, beside a DNSKEY RRset. */
static void cds_of(struct rules *rules, const struct fact_key *cds, const struct fact_key *cdnskey,
                   bool signed_by_ds)
{
    struct finding *findings[4];
    struct fact fact = fact_of(FACT_CDS, "x.");
    struct fact_key old = key_of(257, 13, 111, "0123456789"), next = key_of(257, 13, 112, "ABCDEF");
    struct fact_cds c = {.cds_known = true,
                         .cdnskey_known = true,
                         .signers_known = true,
                         .ds_known = true,
                         .signed_by_ds = signed_by_ds};
    old.signs_dnskey = true;
    KEYS(&fact, old, next);
    if (cds)
        c.cds = one_of(59, cds_for(cds));
    if (cdnskey)
        c.cdnskey = one_of(60, cdnskey_for(cdnskey));
    fact.cds = &c;
    (void)rules_judge(rules, &fact, findings, 4);
}

static struct fact_key cds_key(unsigned which)
{
    return which == 0   ? key_of(257, 13, 111, "0123456789")
           : which == 1 ? key_of(257, 13, 112, "ABCDEF")
                        : key_of(257, 13, 113, "unpublished");
}

static void cds_in_order(struct rules *rules)
{
    struct fact_key key = cds_key(0);
    cds_of(rules, &key, &key, true);
    cds_of(rules, &key, NULL, true); /* one of the two is enough */
    cds_of(rules, NULL, &key, true);
    cds_of(rules, NULL, NULL, true);
}

static void cds_of_two_keys(struct rules *rules)
{
    struct fact_key old = cds_key(0), next = cds_key(1);
    cds_of(rules, &old, &next, true);
}

static void cds_then_in_order(struct rules *rules)
{
    cds_of_two_keys(rules);
    cds_in_order(rules);
}

static void cds_of_no_signing_key(struct rules *rules)
{
    struct fact_key next = cds_key(1);
    cds_of(rules, &next, &next, true);
}

static void cds_of_no_key(struct rules *rules)
{
    struct fact_key other = cds_key(2);
    cds_of(rules, &other, NULL, true);
}

static void cds_signed_by_zsk(struct rules *rules)
{
    struct fact_key old = cds_key(0);
    cds_of(rules, &old, NULL, false);
}

#define SERVER_CASES                                                                               \
    {"servers_disagree", servers_disagree, "servers-disagree"},                                    \
        {"servers_follow", servers_follow, ""}, {"serial_back", serial_back, "soa-serial-back"},   \
        {"server_unlisted", server_unlisted, "server-unknown"},                                    \
        {"transfer_unlisted", transfer_unlisted, "transfer-unexpected"},                           \
        {"ttl_lowered", ttl_lowered, "ttl-anomaly"},                                               \
        {"parent_and_child", parent_and_child, "delegation-inconsistent"},                         \
        {"parent_follows", parent_follows, ""},                                                    \
        {"glue_stale", glue_stale, "delegation-inconsistent"},                                     \
        {"glue_agrees_again", glue_agrees_again, "delegation-inconsistent!"},                      \
        {"glue_and_ns", glue_and_ns, "delegation-inconsistent! delegation-inconsistent"},          \
        {"cds_in_order", cds_in_order, ""},                                                        \
        {"cds_of_two_keys", cds_of_two_keys, "cds-inconsistent"},                                  \
        {"cds_then_in_order", cds_then_in_order, "cds-inconsistent!"},                             \
        {"cds_of_no_signing_key", cds_of_no_signing_key, "cds-inconsistent"},                      \
        {"cds_of_no_key", cds_of_no_key, "cds-inconsistent"},                                      \
        {"cds_signed_by_zsk", cds_signed_by_zsk, "cds-inconsistent"},

#endif
