/*
 * test_vouched: the ways from DS and anchors to a key, and which of them ends first.
 *
 * RRsets are made by hand; which key made which signature is stated, not computed.
 */
#include "analyze/canon.h"
#include "analyze/tell/vouched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KSK       "\1\1\3\15ksk" /* flags 257, protocol 3, algorithm 13 */
#define ZSK       "\1\0\3\15zsk"
#define BAD       "\1\0\3\15bad"
#define KEY       7
#define AT        INT64_C(1000000) /* seconds */
#define SECOND_NS INT64_C(1000000000)

static struct settings settings;
static struct world world;
static struct zone *zone;
static struct key *ksk, *parent;

struct made { /* an RRset with one signature */
    struct rrset set;
    struct signature signature;
    uint8_t bytes[256];
};
static struct made keys, more_keys, ds;

static void put(struct made *m, const void *rdata, uint16_t size)
{
    uint8_t *at = m->bytes + m->set.size;
    memcpy(at, &size, 2);
    memcpy(at + 2, rdata, size);
    m->set.size += 2u + size;
    m->set.count++;
}

/* Signed by that key until then; NULL: nobody knows by whom. */
static void seal(struct made *m, struct key *key, int64_t until, uint32_t ttl)
{
    m->set.records = m->bytes;
    m->set.owner = m->bytes; /* where the records end counts from here */
    m->set.last_seen_ns = AT * SECOND_NS;
    m->set.signature = &m->signature;
    m->set.signatures = 1;
    m->signature = (struct signature){.rdata = m->bytes + m->set.size + 2,
                                      .signer = (const uint8_t *)"", /* the root */
                                      .tag = key ? key->tag : 0,
                                      .expiration = (uint32_t)until,
                                      .original_ttl = ttl,
                                      .checks = key != NULL};
    m->signature.check[0].key = key;
    m->signature.check[0].result = KEY_VERIFIES;
}

static void put_ds(struct made *m, const char *key)
{
    uint8_t rdata[4 + KEY_DIGEST_MAX];
    uint16_t tag = key_tag((const uint8_t *)key, KEY);
    rdata[0] = (uint8_t)(tag >> 8);
    rdata[1] = (uint8_t)tag;
    rdata[2] = 13;
    rdata[3] = 2;
    size_t size = key_ds_digest(zone->name, (const uint8_t *)key, KEY, 2, rdata + 4);
    put(m, rdata, (uint16_t)(4 + size));
}

static int setup(void **state)
{
    static const uint8_t apex[] = "\1z";
    (void)state;
    settings_default(&settings);
    if (world_init(&world, &settings, NULL, NULL, 1) < 0)
        return -1;
    zone = world_zone(&world, apex);
    ksk = key_new((const uint8_t *)KSK, KEY);
    parent = key_new((const uint8_t *)BAD, KEY);
    memset(&keys, 0, sizeof keys);
    memset(&more_keys, 0, sizeof more_keys);
    memset(&ds, 0, sizeof ds);
    put(&keys, KSK, KEY);
    put(&keys, ZSK, KEY);
    seal(&keys, ksk, AT + 500, 60);
    zone->dnskey[0] = &keys.set;
    zone->dnskeys = 1;
    put_ds(&ds, KSK);
    seal(&ds, parent, AT + 100, 60);
    zone->ds[0] = &ds.set;
    zone->dss = 1;
    return zone && ksk && parent ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    zone->dnskeys = zone->dss = 0;
    key_free(ksk);
    key_free(parent);
    world_fini(&world);
    return 0;
}

static struct vouched of(const char *key)
{
    return vouched_key(&world, zone, (const uint8_t *)key, KEY, AT * SECOND_NS);
}

/* Nobody said what is declared: the DS may be signed anew, and is no bound. */
static void test_way(void **state)
{
    (void)state;
    struct vouched v = of(ZSK);
    assert_true(v.asked && v.taken && !v.named);
    assert_true(v.dnskey_expiration == AT + 500 && v.ds_expiration == INT64_MAX);
    assert_int_equal(v.until, AT + 500);
    assert_true(of(KSK).taken && of(KSK).named);
    assert_false(of(BAD).taken); /* in no DNSKEY RRset */
}

/* The longest way counts. */
static void test_longest(void **state)
{
    (void)state;
    put(&more_keys, ZSK, KEY);
    seal(&more_keys, ksk, AT + 900, 60);
    zone->dnskey[1] = &more_keys.set;
    zone->dnskeys = 2;
    assert_int_equal(of(ZSK).until, AT + 900);
    assert_int_equal(of(KSK).until, AT + 500);
}

static void test_no_way(void **state)
{
    (void)state;
    seal(&keys, parent, AT + 500, 60); /* by a key that no DS names */
    assert_true(of(ZSK).asked && !of(ZSK).taken);
    seal(&keys, ksk, AT + 500, 60);
    keys.signature.check[0].result = KEY_REFUTES;
    assert_true(of(ZSK).asked && !of(ZSK).taken);
    seal(&keys, ksk, AT + 500, 60);
    ds.signature.check[0].result = KEY_REFUTES; /* anybody can send a DS */
    assert_true(of(ZSK).asked && !of(ZSK).taken);
    zone->dss = 0;
    zone->no_ds.reason = REASON_UNSIGNED_DELEGATION;
    assert_true(of(ZSK).asked && !of(ZSK).taken);
    zone->no_ds.reason = REASON_NONE;
}

/* Not observed is not absent. */
static void test_unknown(void **state)
{
    (void)state;
    seal(&ds, NULL, AT + 100, 60); /* the parent's keys were not seen */
    assert_true(of(ZSK).asked && of(ZSK).taken);
    seal(&keys, NULL, AT + 500, 60); /* nor was this checked */
    assert_true(!of(ZSK).asked && !of(ZSK).taken);
    seal(&keys, parent, AT + 500, 60);
    ds.set.last_seen_ns = ds.set.last_seen_ns - 10000 * SECOND_NS;
    assert_true(!of(ZSK).asked && !of(ZSK).taken); /* the DS may be another since */
    zone->dss = 0;
    assert_false(of(ZSK).asked);
}

/* Base64 of "ksk" and "zsk". */
static const char *const declared[] = {
    "$ORIGIN z.\nz. 60 IN SOA a. b. 1 1 1 1 1\nz. 60 IN NS a.\n"
    "z. 60 IN DNSKEY 257 3 13 a3Nr\nz. 60 IN DNSKEY 256 3 13 enNr\n",
    "$ORIGIN z.\nz. 60 IN SOA a. b. 1 1 1 1 1\nz. 60 IN NS a.\nz. 60 IN DNSKEY 257 3 13 b3Ro\n"};

static struct baseline *declare(const char *text)
{
    static char file[] = "z.zone";
    char error[512];
    struct baseline *b = baseline_new();
    assert_int_equal(baseline_add_zone(b, file, text, strlen(text), error, sizeof error), 0);
    assert_int_equal(baseline_ready(b, error, sizeof error), 0);
    zone->baseline = baseline_at(b, zone->name);
    assert_non_null(zone->baseline);
    return b;
}

/* A declared DS goes on; one that is not ends with its signature, and with what hangs on it. */
static void test_declared(void **state)
{
    (void)state;
    struct baseline *b = declare(declared[0]);
    assert_true(of(ZSK).until == AT + 500 && of(ZSK).beside);
    zone->baseline = NULL;
    baseline_free(b);
    b = declare(declared[1]);
    assert_int_equal(of(ZSK).until, AT + 160); /* RRSIG(DS) and the TTL of the DNSKEY RRset */
    assert_int_equal(of(ZSK).ds_expiration, AT + 100);
    assert_false(of(ZSK).beside);
    seal(&keys, ksk, AT + 50, 60);
    assert_int_equal(of(ZSK).until, AT + 50);
    zone->baseline = NULL;
    baseline_free(b);
}

/* Below a zone whose own DS is undeclared, a DS ends with the key that signed it. */
static void test_undeclared_parent(void **state)
{
    (void)state;
    static const uint8_t child[] = "\1c\1z";
    struct zone *above = zone;
    struct made child_keys = {0}, child_ds = {0};
    struct baseline *b = declare(declared[1]), *of_child;
    zone = world_zone(&world, child);
    of_child = declare("$ORIGIN c.z.\nc.z. 60 IN SOA a. b. 1 1 1 1 1\nc.z. 60 IN NS a.\n"
                       "c.z. 60 IN DNSKEY 257 3 13 b3Ro\n");
    put(&child_keys, KSK, KEY);
    put(&child_keys, ZSK, KEY);
    seal(&child_keys, ksk, AT + 5000, 60);
    zone->dnskey[0] = &child_keys.set;
    put_ds(&child_ds, KSK);
    seal(&child_ds, ksk, AT + 4000, 60);
    child_ds.signature.signer = above->name;
    zone->ds[0] = &child_ds.set;
    zone->dnskeys = zone->dss = 1;
    assert_int_equal(of(ZSK).until, AT + 160 + 60 + 60);
    above->baseline = NULL; /* its DS may be signed anew */
    assert_int_equal(of(ZSK).until, AT + 4060);
    zone->dnskeys = zone->dss = 0;
    zone->baseline = NULL;
    zone = above;
    baseline_free(of_child);
    baseline_free(b);
}

int main(void)
{
#define ON_ZONE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    static const struct CMUnitTest tests[] = {
        ON_ZONE(test_way),     ON_ZONE(test_longest),  ON_ZONE(test_no_way),
        ON_ZONE(test_unknown), ON_ZONE(test_declared), ON_ZONE(test_undeclared_parent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
