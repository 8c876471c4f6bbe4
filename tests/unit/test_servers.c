/*
 * test_servers: what is claimed of the servers of a zone, and what may not be: observations go into
 * the tracker, and what it shows to the rules.
 */
#include "tests/unit/fact_builder.h"

#include "analyze/canon.h"
#include "analyze/follow/servers.h"

#define REFRESH 3600

static struct settings settings;
static struct world world;
static struct zone *zone;
static struct rules *rules;
static struct fact_baseline declared; /* what facts say of the baseline */

static int setup(void **state)
{
    static const uint8_t apex[] = "\1z";
    (void)state;
    builder_reset();
    settings_default(&settings);
    if (world_init(&world, &settings, NULL, NULL, 1) < 0)
        return -1;
    zone = world_zone(&world, apex);
    rules = rules_default(NULL);
    declared = (struct fact_baseline){.present = false};
    return zone ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    rules_free(rules);
    world_fini(&world);
    return 0;
}

/* An RRset as the table of RRsets makes it, of records of one size. */
static struct rrset *set_made(uint16_t type, const void *rdata, uint16_t size, size_t signatures,
                              const uint16_t *tags)
{
    builder_reset();
    struct rrset *set = take(sizeof *set);
    size_t owner_size = name_size(zone->name), all = owner_size + sizeof size + size;
    uint8_t *owner = take(all + 2), *records = owner + owner_size;
    memcpy(owner, zone->name, owner_size);
    memcpy(records, &size, sizeof size);
    memcpy(records + sizeof size, rdata, size);
    *set = (struct rrset){.type = type,
                          .count = 1,
                          .owner = owner,
                          .owner_size = (uint8_t)owner_size,
                          .size = (uint32_t)all,
                          .records = records};
    set->signature = take((signatures + 1) * sizeof *set->signature);
    set->signatures = (uint8_t)signatures;
    for (size_t i = 0; i < signatures; i++) {
        set->signature[i].tag = tags[i];
        set->signature[i].algorithm = 13;
        set->signature[i].rdata = owner + all + 2; /* behind its size */
    }
    return set;
}

static struct rrset *soa_of(uint8_t primary, uint32_t serial, uint16_t tag)
{
    uint8_t rdata[3 + 3 + 20] = {1, primary, 0, 1, 'h', 0};
    uint32_t numbers[5] = {serial, REFRESH, 600, 86400, 300};
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < 4; k++)
            rdata[6 + 4 * i + k] = (uint8_t)(numbers[i] >> (24 - 8 * k));
    return set_made(TYPE_SOA, rdata, sizeof rdata, tag ? 1 : 0, &tag);
}

static struct server *server_at(uint8_t number, int64_t time)
{
    struct flow flow = {.family = 4, .src = {192, 0, 2, number}};
    return servers_at(&world, zone, &flow, time * NS_S);
}

static void judge(enum fact_kind kind, const struct fact_servers *servers, int64_t time)
{
    struct finding *findings[4];
    struct fact fact = fact_of(kind, "z.");
    fact.time_ns = NOW + time * NS_S;
    fact.servers = servers;
    fact.baseline = declared;
    (void)rules_judge(rules, &fact, findings, 4);
}

static void compare(enum servers_what what, bool final, int64_t time)
{
    static struct servers_view view;
    struct fact_servers compared;
    servers_compare(zone->servers, what, final, &view, &compared);
    zone->servers->told[what].differ = !compared.equal; /* as who tells the rules does */
    judge(FACT_SERVERS, &compared, time);
}

static void saw_of(uint8_t number, int64_t time, uint32_t serial, uint8_t primary)
{
    static struct servers_view view;
    struct fact_servers back;
    struct server *server = server_at(number, time);
    bool was_back = server->back;
    if (!servers_note_soa(zone->servers, server, soa_of(primary, serial, 0), time * NS_S,
                          (uint64_t)(time < 0 ? 1 : time + 1)))
        return;
    if (was_back || server->back) {
        servers_back(zone->servers, server, &view, &back);
        judge(FACT_BACK, &back, time);
    }
    compare(SERVERS_SERIAL, false, time);
}

/* Server, second, serial. */
static void saw(uint8_t number, int64_t time, uint32_t serial)
{
    saw_of(number, time, serial, 'p');
}

static void saw_key(uint8_t number, int64_t time, const char *key, uint8_t flags)
{
    uint8_t rdata[4 + 8] = {1, flags, 3, 13};
    memcpy(rdata + 4, key, 8);
    struct rrset *set = set_made(TYPE_DNSKEY, rdata, sizeof rdata, 0, NULL);
    if (servers_note_set(zone->servers, server_at(number, time), SERVERS_KEYS, set, time * NS_S,
                         (uint64_t)time + 1))
        compare(SERVERS_KEYS, false, time);
}

static void saw_signed(uint8_t number, int64_t time, uint32_t serial, uint16_t tag)
{
    struct rrset *soa = soa_of('p', serial, tag);
    if (servers_note_set(zone->servers, server_at(number, time), SERVERS_SIGNERS, soa, time * NS_S,
                         (uint64_t)time + 1))
        compare(SERVERS_SIGNERS, false, time);
}

static void expect(const char *findings)
{
    char text[512];
    assert_string_equal(found(rules, text), findings);
}

static enum severity severity(void)
{
    const struct finding *const *list;
    assert_true(rules_findings(rules, &list) > 0);
    return list[0]->severity;
}

/* --- serials ------------------------------------------------------------------------------- */

static void test_newer(void **state)
{
    (void)state;
    assert_true(servers_newer(2, 1));
    assert_false(servers_newer(1, 2));
    assert_false(servers_newer(1, 1));
    assert_true(servers_newer(0, UINT32_MAX));
    assert_true(servers_newer(UINT32_C(1) << 31, 1));  /* 2^31 - 1 ahead */
    assert_false(servers_newer(UINT32_C(1) << 31, 0)); /* undefined (RFC 1982 3.2) */
    assert_false(servers_newer(0, UINT32_C(1) << 31));
}

static void test_stale(void **state)
{
    (void)state;
    saw(1, 0, 10);
    saw(2, 1, 10);
    saw(1, 100, 11);
    saw(2, 200, 10); /* a transfer may take as long as the refresh */
    saw(2, 100 + REFRESH, 10);
    expect("");
    saw(2, 100 + REFRESH + REFRESH / 10, 10);
    expect("servers-disagree");
    assert_int_equal(severity(), SEVERITY_HIGH);
    saw(1, 8000, 12); /* the late one is not seen: that refutes nothing */
    expect("servers-disagree");
    saw(2, 8001, 12);
    expect("servers-disagree!");
}

/* A zone that changes all the time has servers that are a little late all the time. */
static void test_always_changing(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3 * REFRESH / 10; i++) {
        saw(1, 10 * (int64_t)i, 1000 + i);
        saw(2, 10 * (int64_t)i + 1, 1000 + i - (i > 0));
        saw(3, 10 * (int64_t)i + 2, 1000 + i);
    }
    compare(SERVERS_SERIAL, true, 3 * REFRESH);
    expect("");
    for (uint32_t i = 3 * REFRESH / 10; i < 6 * REFRESH / 10; i++) {
        saw(1, 10 * (int64_t)i, 1000 + i);
        saw(2, 10 * (int64_t)i + 1, 1000 + 3 * REFRESH / 10);
    }
    expect("servers-disagree");
}

/* Nobody knows for how long they differ: quiet, until the refresh has passed. */
static void test_from_the_start(void **state)
{
    (void)state;
    saw(1, 0, 10);
    saw(2, 1, 11);
    saw(1, 2, 10);
    expect("");
    saw(1, 90, 10);
    expect("servers-disagree");
    assert_int_equal(severity(), SEVERITY_LOW);
    saw(1, 5000, 10);
    assert_int_equal(severity(), SEVERITY_HIGH);
}

static void test_end_of_replay(void **state)
{
    (void)state;
    saw(1, 0, 10);
    saw(2, 1, 11); /* the first one may have followed by now: a hint */
    expect("");
    compare(SERVERS_SERIAL, true, 2);
    expect("servers-disagree");
    assert_int_equal(severity(), SEVERITY_LOW);
}

static void test_change_under_way_at_the_end(void **state)
{
    (void)state;
    saw(1, 0, 10);
    saw(2, 1, 10);
    saw(2, 50, 11);
    saw(1, 51, 10);
    compare(SERVERS_SERIAL, true, 52);
    expect("");
}

static void test_long_between(void **state)
{
    (void)state;
    saw(1, 0, 10);
    saw(2, 9000, 11); /* and the other one was not seen since */
    compare(SERVERS_SERIAL, true, 9001);
    expect("");
}

/* Each server its own primary: their serials have nothing to do with each other. */
static void test_primaries(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 10; i++) {
        saw_of(1, 1000 * i, 10, 'p');
        saw_of(2, 1000 * i + 1, 500, 'q');
    }
    compare(SERVERS_SERIAL, true, 10000);
    expect("");
}

/* --- back ---------------------------------------------------------------------------------- */

static void test_back(void **state)
{
    (void)state;
    saw(1, 0, 2026112205);
    saw(1, 5, 2026112201);
    expect("soa-serial-back");
    assert_int_equal(severity(), SEVERITY_LOW);
    saw(1, 6, 2026112201);
    saw(1, 7, 2026112201);
    assert_int_equal(severity(), SEVERITY_MEDIUM);
    saw(1, 20, 2026112206);
    expect("soa-serial-back!");
}

static void test_back_after_long(void **state)
{
    (void)state;
    saw(1, 0, 9);
    saw(1, 2 * REFRESH, 9);
    saw(1, 2 * REFRESH + 1, 8); /* no machine behind that address can be so late */
    expect("soa-serial-back");
    assert_int_equal(severity(), SEVERITY_MEDIUM);
}

/* Two machines behind one address while a change is on its way: quiet, and the second time silent;
 * a machine that stays late is a server that disagrees. */
static void test_balanced(void **state)
{
    (void)state;
    saw(1, 0, 8);
    saw(1, 10, 9);
    saw(1, 11, 8);
    saw(1, 12, 8);
    saw(1, 13, 8);
    saw(1, 14, 8);
    expect("soa-serial-back");
    assert_int_equal(severity(), SEVERITY_LOW);
    saw(1, 15, 9);
    expect("soa-serial-back!");
    saw(1, 100, 10);
    for (int64_t i = 0; i < 20; i++)
        saw(1, 101 + i, i % 2 ? 10 : 9);
    expect("soa-serial-back!");
}

static void test_late_packets(void **state)
{
    (void)state;
    saw(1, 10, 9);
    saw(1, 9, 8); /* captured before the other one */
    saw(1, 8, 8);
    saw(1, 11, 9);
    expect("");
}

static void test_round_the_circle(void **state)
{
    (void)state;
    static const uint32_t serials[] = {2026112201u, 4173595848u, 1u, 2u};
    for (size_t i = 0; i < 4; i++) /* RFC 1982: each is newer than the one before */
        saw(1, 1000 * (int64_t)i, serials[i]);
    expect("");
}

static void test_back_is_over_after_expiry(void **state)
{
    (void)state;
    saw(1, 0, 100);
    saw(2, 0, 100);
    for (int64_t i = 1; i < 5; i++)
        saw(1, i, 50);
    expect("soa-serial-back");
    saw(2, 90000, 50); /* as do all */
    saw(1, 90000, 50);
    saw(1, 180000, 51);
    compare(SERVERS_SERIAL, true, 180001);
    assert_false(zone->servers->server[0].back);
}

/* --- key sets ------------------------------------------------------------------------------ */

static void test_keys_of_one_serial(void **state)
{
    (void)state;
    saw(1, 0, 7);
    saw(2, 0, 7);
    for (int64_t i = 1; i < 4; i++) {
        saw_key(1, 40 * i, "AAAAAAAA", 0);
        saw_key(2, 40 * i + 1, "BBBBBBBB", 0);
        saw(1, 40 * i + 2, 7);
        saw(2, 40 * i + 2, 7);
        if (i == 1)
            expect("");
    }
    saw_key(1, 200, "AAAAAAAA", 0);
    expect("servers-disagree");
    assert_int_equal(severity(), SEVERITY_HIGH);
    saw_key(2, 201, "AAAAAAAA", 0);
    expect("servers-disagree!");
}

/* Under one serial, each again after the other, and nothing was seen to change: no need to wait. */
static void test_keys_in_turns(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 2; i++) {
        saw(1, 10 * i, 7);
        saw(2, 10 * i, 7);
        saw_key(1, 10 * i + 1, "AAAAAAAA", 0);
        saw_key(2, 10 * i + 2, "BBBBBBBB", 0);
        if (i == 0)
            expect("");
    }
    expect("servers-disagree");
    assert_int_equal(severity(), SEVERITY_HIGH);
}

/* One of them has the next version of the zone already, the other follows. */
static void test_keys_in_turns_during_a_transfer(void **state)
{
    (void)state;
    saw(1, 0, 7);
    saw(2, 0, 7);
    saw_key(2, 1, "AAAAAAAA", 0);
    saw_key(1, 2, "BBBBBBBB", 0); /* with serial 8, which was not asked for */
    saw_key(2, 3, "AAAAAAAA", 0);
    saw_key(1, 4, "BBBBBBBB", 0);
    saw(1, 5, 8);
    saw(2, 6, 8);
    compare(SERVERS_KEYS, true, 7);
    assert_int_equal(severity(), SEVERITY_LOW); /* from the start, and then nothing was observed */
}

/* Servers that share a database sign by themselves: a change reaches them one after the other. */
static void test_keys_in_turns_after_a_change(void **state)
{
    (void)state;
    saw_key(1, 0, "AAAAAAAA", 0);
    for (int64_t i = 1; i < 4; i++) {
        saw(1, 10 * i, 7);
        saw(2, 10 * i, 7);
        saw_key(1, 10 * i + 1, "BBBBBBBB", 0);
        saw_key(2, 10 * i + 2, "AAAAAAAA", 0);
    }
    expect("servers-disagree");
    assert_int_equal(severity(), SEVERITY_LOW); /* for as long as that may take */
}

/* Serials of two primaries are equal by chance. */
static void test_keys_of_two_primaries(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 3; i++) {
        saw_of(1, 10 * i, 7, 'p');
        saw_of(2, 10 * i, 7, 'q');
        saw_key(1, 10 * i + 1, "AAAAAAAA", 0);
        saw_key(2, 10 * i + 2, "BBBBBBBB", 0);
    }
    expect("");
}

/* A roll that has reached one server. */
static void test_keys_on_their_way(void **state)
{
    (void)state;
    saw_key(1, 0, "AAAAAAAA", 0);
    saw_key(2, 1, "AAAAAAAA", 0);
    saw_key(1, 10, "BBBBBBBB", 0);
    saw_key(2, 11, "AAAAAAAA", 0);
    saw_key(1, 100, "BBBBBBBB", 0);
    saw_key(2, 101, "AAAAAAAA", 0);
    compare(SERVERS_KEYS, true, 102);
    expect("");
    saw_key(2, 103, "BBBBBBBB", 0);
    expect("");
}

/* Seen one after the other: a change may lie between. */
static void test_keys_apart_in_time(void **state)
{
    (void)state;
    saw_key(1, 0, "AAAAAAAA", 0);
    saw_key(2, 9000, "BBBBBBBB", 0);
    compare(SERVERS_KEYS, true, 9001);
    expect("");
}

static void test_signers(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 4; i++) {
        saw_signed(1, 30 * i, 7, 111);
        saw_signed(2, 30 * i + 1, 7, 222);
    }
    expect(""); /* undeclared: it may be several signers */
    declared.present = true;
    saw_signed(1, 130, 7, 111);
    expect("servers-disagree");
    assert_int_equal(severity(), SEVERITY_HIGH);
}

/* Two signers, whose DNSKEY RRsets hold so many of the keys 111 and 222 that sign. */
static void two_signers(uint8_t first, uint8_t second)
{
    declared.present = declared.multi_signer = true;
    for (int64_t i = 0; i < 9; i++) {
        saw_signed(1, 1000 * i, 7, 111);
        saw_signed(2, 1000 * i + 1, 7, 222);
        saw_key(1, 1000 * i, "AAAAAAAA", 0);
        saw_key(2, 1000 * i + 1, "BBBBBBBB", 0);
        for (uint8_t k = 1; k <= 2; k++) {
            struct server_set *set = &server_at(k, 1000 * i + 1)->set[SERVERS_KEYS];
            set->tags = k == 1 ? first : second;
            set->tag[0] = k == 1 ? 111 : 222;
            set->tag[1] = k == 1 ? 222 : 111;
        }
    }
    compare(SERVERS_SIGNERS, true, 9000);
}

static void test_multi_signer(void **state)
{
    (void)state;
    two_signers(2, 2);
    expect("");
}

/* RFC 8901 2.1: a resolver that has the first one's keys cannot check what the second one signs. */
static void test_multi_signer_apart(void **state)
{
    (void)state;
    two_signers(1, 2);
    expect("servers-disagree");
    assert_int_equal(severity(), SEVERITY_HIGH);
}

/* All keys are published everywhere, and each server signs with its own: the flag is not needed. */
static void test_signers_that_publish_all(void **state)
{
    (void)state;
    declared.present = true;
    for (uint8_t i = 1; i <= 2; i++) {
        saw_key(i, 0, "AAAAAAAA", 0);
        struct server_set *set = &server_at(i, 0)->set[SERVERS_KEYS];
        set->tags = 2;
        set->tag[0] = 111;
        set->tag[1] = 222;
    }
    for (int64_t i = 0; i < 9; i++) {
        saw_signed(1, 1000 * i, 7, 111);
        saw_signed(2, 1000 * i + 1, 7, 222);
    }
    compare(SERVERS_SIGNERS, true, 9000);
    expect("");
    saw_signed(2, 9001, 7, 333); /* a key of nobody */
    saw_signed(1, 9100, 7, 111);
    saw_signed(2, 9200, 7, 333);
    expect("servers-disagree");
}

/* RFC 8901 2.1.2, undeclared: a KSK each, the ZSKs everywhere. */
static void test_multi_signer_undeclared(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 9; i++) {
        saw_key(1, 1000 * i, "AAAAAAAA", 1);
        saw_key(2, 1000 * i + 1, "BBBBBBBB", 1);
    }
    compare(SERVERS_KEYS, true, 9000);
    expect("");
}

/* Each server signs by itself with the same keys: the signatures differ, the keys do not. */
static void test_inline_signing(void **state)
{
    (void)state;
    declared.present = true;
    for (int64_t i = 0; i < 9; i++) {
        saw_signed(1, 1000 * i, 7, 111);
        saw_signed(2, 1000 * i + 1, 7, 111);
    }
    expect("");
}

/* --- addresses, transfers, TTLs ------------------------------------------------------------ */

static struct fact answer_from(uint8_t last, const struct fact_address *list, size_t count)
{
    static uint8_t address[16];
    struct fact fact = fact_of(FACT_SERVER, "z.");
    memcpy(address, (uint8_t[16]){203, 0, 113, last}, 16);
    fact.server = address;
    fact.observed = (struct fact_rrset){.owner = N("www.z."), .type = TYPE_A};
    fact.baseline = (struct fact_baseline){.present = true, .servers = list, .server_count = count};
    return fact;
}

static void test_server_unknown(void **state)
{
    static const struct fact_address list[] = {{4, {203, 0, 113, 1}}, {4, {203, 0, 113, 2}}};
    struct finding *findings[4];
    (void)state;
    struct fact fact = answer_from(2, list, 2);
    assert_int_equal(rules_judge(rules, &fact, findings, 4), 0);
    fact = answer_from(9, list, 0); /* nobody said which they are */
    assert_int_equal(rules_judge(rules, &fact, findings, 4), 0);
    fact = answer_from(9, list, 2);
    fact.baseline.planned = true;
    assert_int_equal(rules_judge(rules, &fact, findings, 4), 0);
    fact.baseline.planned = false;
    fact.baseline.servers_inferred = true;
    fact.observed.type = TYPE_SOA; /* a hidden primary is asked for that */
    assert_int_equal(rules_judge(rules, &fact, findings, 4), 0);
    fact.observed.type = TYPE_A;
    fact.server = (const uint8_t[16]){10, 1, 2, 3}; /* one of them, behind a translation */
    assert_int_equal(rules_judge(rules, &fact, findings, 4), 0);
    fact = answer_from(9, list, 2);
    assert_int_equal(rules_judge(rules, &fact, findings, 4), 1);
    expect("server-unknown");
}

static void test_transfers(void **state)
{
    static const struct fact_address clients[] = {{4, {203, 0, 113, 60}}};
    struct finding *findings[4];
    struct fact_transfer transfer = {.family = 4, .client = (const uint8_t[16]){203, 0, 113, 60}};
    struct fact fact = fact_of(FACT_TRANSFER, "z.");
    (void)state;
    fact.transfer = &transfer;
    fact.baseline = (struct fact_baseline){
        .present = true, .transfer_clients = clients, .transfer_client_count = 1};
    assert_int_equal(rules_judge(rules, &fact, findings, 4), 0);
    transfer.client = (const uint8_t[16]){203, 0, 113, 99};
    transfer.refused = true;
    transfer.attempts = 10;
    assert_int_equal(rules_judge(rules, &fact, findings, 4), 0);
    transfer.attempts = 11;
    assert_int_equal(rules_judge(rules, &fact, findings, 4), 1);
    assert_int_equal(findings[0]->severity, SEVERITY_MEDIUM);
    transfer.refused = false;
    assert_int_equal(rules_judge(rules, &fact, findings, 4), 1);
    assert_int_equal(findings[0]->severity, SEVERITY_HIGH);
    fact.baseline.transfer_client_count = 0; /* nobody said who may */
    assert_int_equal(rules_judge(rules, &fact, findings, 4), 0);
}

static void test_ttl(void **state)
{
    struct finding *findings[4];
    struct fact fact = signature_of(SIGNATURE_VALID, "z.", "www.z.");
    (void)state;
    fact.baseline = (struct fact_baseline){.present = true, .strict = true};
    fact.baseline.expected = fact.observed;
    fact.baseline.expected.ttl = 3600;
    signature_in(&fact)->original_ttl = 360; /* a tenth */
    (void)rules_judge(rules, &fact, findings, 4);
    expect("");
    signature_in(&fact)->original_ttl = 299;
    (void)rules_judge(rules, &fact, findings, 4);
    expect("ttl-anomaly");
    signature_in(&fact)->original_ttl = 3600;
    fact.time_ns += NS_S;
    (void)rules_judge(rules, &fact, findings, 4);
    expect("ttl-anomaly!");
}

/* --- bounds -------------------------------------------------------------------------------- */

static void test_bounds(void **state)
{
    size_t before = world.zone_bytes;
    (void)state;
    for (unsigned i = 0; i < 3 * SERVERS_MAX; i++) {
        struct server *server = server_at((uint8_t)i, (int64_t)i);
        assert_true((server != NULL) == (i < SERVERS_MAX));
        if (server)
            servers_note_soa(zone->servers, server, soa_of('p', i, 0), i * NS_S, i + 1);
    }
    for (uint32_t i = 0; i < 100; i++)
        saw(1, 2 * (int64_t)REFRESH * (i + 1), 1000 + i);
    assert_int_equal(zone->servers->more, 2 * SERVERS_MAX);
    assert_int_equal(zone->servers->serials, SERVERS_SERIALS);
    size_t taken = world.zone_bytes - before;
    assert_int_equal(servers_free(zone->servers), taken);
    zone->servers = NULL;
    world.zone_bytes = before;
}

/* Cut, or no SOA at all. */
static void test_malformed(void **state)
{
    (void)state;
    struct server *server = server_at(1, 0);
    struct rrset *set = set_made(TYPE_SOA, "\1p\0\1h\0\0\0\0", 9, 0, NULL);
    assert_false(servers_note_soa(zone->servers, server, set, 0, 1));
    assert_false(server->soa);
    set = set_made(TYPE_DNSKEY, "\1\1\3", 3, 0, NULL);
    assert_false(servers_note_set(zone->servers, server, SERVERS_KEYS, set, 0, 1));
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_newer),
        TEST(test_stale),
        TEST(test_always_changing),
        TEST(test_from_the_start),
        TEST(test_end_of_replay),
        TEST(test_change_under_way_at_the_end),
        TEST(test_long_between),
        TEST(test_primaries),
        TEST(test_back),
        TEST(test_back_after_long),
        TEST(test_balanced),
        TEST(test_late_packets),
        TEST(test_round_the_circle),
        TEST(test_back_is_over_after_expiry),
        TEST(test_keys_of_one_serial),
        TEST(test_keys_in_turns),
        TEST(test_signers_that_publish_all),
        TEST(test_keys_in_turns_during_a_transfer),
        TEST(test_keys_in_turns_after_a_change),
        TEST(test_keys_of_two_primaries),
        TEST(test_keys_on_their_way),
        TEST(test_keys_apart_in_time),
        TEST(test_signers),
        TEST(test_multi_signer),
        TEST(test_multi_signer_apart),
        TEST(test_multi_signer_undeclared),
        TEST(test_inline_signing),
        TEST(test_server_unknown),
        TEST(test_transfers),
        TEST(test_ttl),
        TEST(test_bounds),
        TEST(test_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
