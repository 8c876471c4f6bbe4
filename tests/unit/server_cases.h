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

#define SERVER_CASES                                                                               \
    {"servers_disagree", servers_disagree, "servers-disagree"},                                    \
        {"servers_follow", servers_follow, ""}, {"serial_back", serial_back, "soa-serial-back"},   \
        {"server_unlisted", server_unlisted, "server-unknown"},                                    \
        {"transfer_unlisted", transfer_unlisted, "transfer-unexpected"},                           \
        {"ttl_lowered", ttl_lowered, "ttl-anomaly"},

#endif
