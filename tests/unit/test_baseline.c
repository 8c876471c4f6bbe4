/* baseline: what is declared, by the zone files that real signers and servers wrote. */
#include "analyze/declared/baseline.h"

#include "analyze/canon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above before it */
#include <cmocka.h>

#define ZONES "tests/unit/data/zones/"
#define NOW   (INT64_C(1795608000) * 1000000000) /* 2026-11-25T12:00:00Z */

static char *slurp(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size > 0);
    rewind(file);
    char *text = malloc((size_t)size);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    *ret_size = (size_t)size;
    return text;
}

static const uint8_t *name_of(const char *text)
{
    static uint8_t names[4][NAME_MAX_BYTES];
    static unsigned at;
    uint8_t *name = names[at++ % 4];
    assert_true(name_parse(text, name) > 0);
    return name;
}

static struct fact_baseline describe(const struct baseline *baseline, const char *apex,
                                     const char *owner, uint16_t type, int64_t time_ns)
{
    struct fact_baseline result;
    const struct baseline_zone *zone = baseline_at(baseline, name_of(apex));
    assert_non_null(zone);
    baseline_describe(zone, name_of(owner), type, time_ns, &result);
    return result;
}

/* How its signatures are made: the zone's own, by inception. */
static void signatures_are_noted(void **state)
{
    static const char text[] =
        "x. 300 IN SOA a. b. 1 1 1 1 1\n"
        "x. 300 IN RRSIG SOA 13 1 300 20261206152731 20261122135731 64642 x. AAAA\n"
        "w.x. 60 IN RRSIG A 13 2 60 20261206152731 20261121000000 64642 x. AAAA\n"
        "w.x. 60 IN RRSIG A 13 2 60 20261206152731 20261121000000 64642 y. AAAA\n"
        "w.x. 60 IN A 192.0.2.1\n";
    struct baseline *baseline = baseline_new();
    const struct baseline_signature *list;
    char error[512];
    (void)state;
    assert_int_equal(
        baseline_add_zone(baseline, "x.zone", text, sizeof text - 1, error, sizeof error), 0);
    assert_int_equal(baseline_ready(baseline, error, sizeof error), 0);
    assert_int_equal(baseline_signatures(baseline_nth(baseline, 0), &list), 2);
    assert_int_equal(list[0].covered, 1);
    assert_int_equal(list[0].original_ttl, 60);
    assert_int_equal(list[1].covered, 6);
    assert_int_equal(list[1].tag, 64642);
    assert_int_equal(list[1].algorithm, 13);
    assert_int_equal(list[1].expiration - list[1].inception, 14 * 86400 + 5400);
    assert_int_equal(list[1].inception, 1795355851);
    baseline_free(baseline);
}

/* --- the files of real signers ------------------------------------------------------------- */

static const struct {
    const char *apex;
    size_t keys, ds; /* declared keys, DS shown as expected */
    uint8_t algorithm;
} real[] = {{"bank.test.", 2, 1, 8}, {"big.test.", 2, 1, 8},      {"child.example.test.", 2, 1, 13},
            {"csk.test.", 1, 1, 13}, {"dual.test.", 4, 2, 8},     {"ed.test.", 2, 1, 15},
            {"gov.test.", 2, 1, 14}, {"example.test.", 2, 1, 13}, {"plain.test.", 0, 0, 0}};
#define REAL (sizeof real / sizeof *real)

static struct baseline *load_real(void)
{
    struct baseline *baseline = baseline_new();
    char error[512];
    for (size_t i = 0; i < REAL; i++) {
        char path[256];
        size_t size;
        snprintf(path, sizeof path, ZONES "%szone", real[i].apex);
        char *text = slurp(path, &size);
        int result = baseline_add_zone(baseline, path, text, size, error, sizeof error);
        free(text);
        if (result)
            fail_msg("%s", error);
    }
    assert_int_equal(baseline_ready(baseline, error, sizeof error), 0);
    return baseline;
}

static void real_zones_load(void **state)
{
    (void)state;
    struct baseline *baseline = load_real();
    assert_int_equal(baseline_count(baseline), REAL);
    for (size_t i = 1; i < REAL; i++)
        assert_true(name_compare(baseline_apex(baseline_nth(baseline, i - 1)),
                                 baseline_apex(baseline_nth(baseline, i))) < 0);
    for (size_t i = 0; i < REAL; i++) {
        struct fact_baseline keys =
            describe(baseline, real[i].apex, real[i].apex, TYPE_DNSKEY, NOW);
        print_message("%s\n", real[i].apex);
        assert_true(keys.present && keys.strict);
        assert_int_equal(keys.key_count, real[i].keys);
        assert_int_equal(keys.key_declared, real[i].keys);
        assert_int_equal(keys.ds_declared, real[i].ds);
        assert_int_equal(keys.ds_count, 3 * real[i].ds); /* every digest type of each */
        assert_int_equal(keys.signed_zone, real[i].keys > 0);
        if (real[i].keys) {
            assert_int_equal(keys.ds[0].digest_type, 2);
            assert_int_equal(keys.ds[0].digest.size, 32);
            assert_int_equal(keys.ds[0].algorithm, real[i].algorithm);
        }
        static const struct {
            const char *label;
            uint16_t type;
            size_t count;
        } sets[] = {{"", TYPE_NS, 2},    {"", TYPE_MX, 1},        {"", 257, 1},
                    {"www.", TYPE_A, 1}, {"api.", TYPE_CNAME, 1}, {"_25._tcp.mail.", 52, 1}};
        for (size_t j = 0; j < sizeof sets / sizeof *sets; j++) {
            char owner[256];
            snprintf(owner, sizeof owner, "%s%s", sets[j].label, real[i].apex);
            struct fact_baseline set = describe(baseline, real[i].apex, owner, sets[j].type, NOW);
            assert_int_equal(set.expected.count, sets[j].count);
            assert_int_equal(set.expected.ttl, 300);
            assert_true(set.name_exists && !set.below_cut);
        }
    }
    baseline_free(baseline);
}

/* Knot wrote csk.test with its CDS: the digest that we compute is the one that it computed. */
static void computed_ds_is_the_signers(void **state)
{
    (void)state;
    struct baseline *baseline = load_real();
    struct fact_baseline cds = describe(baseline, "csk.test.", "csk.test.", 59, NOW);
    assert_int_equal(cds.expected.count, 1);
    const struct fact_rdata *rdata = &cds.expected.rdata[0];
    assert_int_equal(rdata->size, 36);
    assert_int_equal(cds.ds[0].tag, 22771);
    assert_int_equal(rdata->bytes[0] << 8 | rdata->bytes[1], cds.ds[0].tag);
    assert_memory_equal(rdata->bytes + 4, cds.ds[0].digest.bytes, 32);
    baseline_free(baseline);
}

static void over_finds_the_deepest(void **state)
{
    static const struct {
        const char *owner;
        uint16_t type;
        const char *apex; /* NULL: none */
    } cases[] = {
        {"www.bank.test.", TYPE_A, "bank.test."},
        {"bank.test.", TYPE_A, "bank.test."},
        {"bank.test.", TYPE_DS, NULL},
        {"a.b.c.d.e.f.bank.test.", TYPE_A, "bank.test."},
        {"child.example.test.", TYPE_NS, "child.example.test."},
        {"child.example.test.", TYPE_DS, "example.test."},
        {"www.child.example.test.", TYPE_DS, "child.example.test."},
        {"xchild.example.test.", TYPE_A, "example.test."},
        {"test.", TYPE_NS, NULL},
        {".", TYPE_NS, NULL},
        {".", TYPE_DS, NULL},
        {"bank.test.example.", TYPE_A, NULL},
        {"notbank.test.", TYPE_A, NULL},
    };
    (void)state;
    struct baseline *baseline = load_real();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct baseline_zone *zone =
            baseline_over(baseline, name_of(cases[i].owner), cases[i].type);
        print_message("%s %u\n", cases[i].owner, cases[i].type);
        if (!cases[i].apex)
            assert_null(zone);
        else
            assert_true(zone && name_equal(baseline_apex(zone), name_of(cases[i].apex)));
    }
    baseline_free(baseline);
    baseline = baseline_new(); /* nothing declared: nothing found, ready or not */
    assert_null(baseline_over(baseline, name_of("a."), TYPE_A));
    assert_null(baseline_at(baseline, name_of("a.")));
    baseline_free(baseline);
}

/* --- small zones --------------------------------------------------------------------------- */

#define HEAD "$ORIGIN x.\n$TTL 60\n@ SOA NS.x. h.x. 1 2 3 4 5\n@ NS ns\n"

static struct baseline *load(const char *zone, const char *policy, char error[512])
{
    struct baseline *baseline = baseline_new();
    error[0] = '\0';
    if (baseline_add_zone(baseline, "d/x.zone", zone, strlen(zone), error, 512) == 0 &&
        (!policy ||
         baseline_add_policy(baseline, "x.yaml", policy, strlen(policy), error, 512) == 0) &&
        baseline_ready(baseline, error, 512) == 0)
        return baseline;
    baseline_free(baseline);
    return NULL;
}

static void names_follow_rfc_4592(void **state)
{
    static const char zone[] =
        HEAD "*.w A 192.0.2.1\n"
             "host.w A 192.0.2.2\n"
             "deep.ent.w A 192.0.2.3\n"
             "child NS ns.child\n"
             "ns.child A 192.0.2.4\n"
             "child DS 1 13 2 " /* 32 bytes */
             "0011223344556677001122334455667700112233445566770011223344556677\n"
             "moved DNAME y.\n"
             "one.txt TXT \"b\" \"c\"\n"
             "one.txt TXT a\n"
             "one.txt TXT a\n"
             "UPPER MX 10 Mail.X.\n";
    static const struct {
        const char *owner;
        uint16_t type;
        size_t count;
        bool exists, below;
        const char *expected_owner;
    } cases[] = {
        {"x.", TYPE_SOA, 1, true, false, "x."},
        {"host.w.x.", TYPE_A, 1, true, false, "host.w.x."},
        {"host.w.x.", TYPE_AAAA, 0, true, false, "host.w.x."}, /* no wildcard: it exists */
        {"other.w.x.", TYPE_A, 1, true, false, "*.w.x."},
        {"a.b.other.w.x.", TYPE_A, 1, true, false, "*.w.x."},
        {"ent.w.x.", TYPE_A, 0, false, false, "ent.w.x."}, /* empty non-terminal exists */
        {"a.ent.w.x.", TYPE_A, 0, false, false, NULL},     /* its encloser has no wildcard */
        {"a.host.w.x.", TYPE_A, 0, false, false, NULL},
        {"w.x.", TYPE_A, 0, false, false, "w.x."},
        {"*.w.x.", TYPE_A, 1, true, false, "*.w.x."},
        {"nothing.x.", TYPE_A, 0, false, false, NULL},
        {"child.x.", TYPE_NS, 1, true, false, "child.x."},
        {"child.x.", TYPE_DS, 1, true, false, "child.x."},
        {"child.x.", TYPE_A, 0, true, true, "child.x."},
        {"ns.child.x.", TYPE_A, 1, true, true, "ns.child.x."},
        {"www.child.x.", TYPE_A, 0, false, true, NULL},
        {"moved.x.", TYPE_DNAME, 1, true, false, "moved.x."},
        {"a.moved.x.", TYPE_CNAME, 0, false, true, NULL},
        {"one.txt.x.", TYPE_TXT, 2, true, false, "one.txt.x."}, /* the third is a repetition */
        {"upper.x.", TYPE_MX, 1, true, false, "upper.x."},
        {"y.", TYPE_A, 0, false, false, NULL}, /* not of this zone */
    };
    (void)state;
    char error[512];
    struct baseline *baseline = load(zone, NULL, error);
    assert_string_equal(error, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("%s %u\n", cases[i].owner, cases[i].type);
        struct fact_baseline got = describe(baseline, "x.", cases[i].owner, cases[i].type, NOW);
        assert_int_equal(got.expected.count, cases[i].count);
        assert_int_equal(got.name_exists, cases[i].exists);
        assert_int_equal(got.below_cut, cases[i].below);
        assert_false(got.ns_unknown);
        if (cases[i].expected_owner)
            assert_true(name_equal(got.expected.owner, name_of(cases[i].expected_owner)));
    }
    /* canonical: lower case inside rdata, sorted as octets, shorter first */
    struct fact_baseline mx = describe(baseline, "x.", "upper.x.", TYPE_MX, NOW);
    assert_memory_equal(mx.expected.rdata[0].bytes, "\0\x0a\4mail\1x", 10);
    struct fact_baseline txt = describe(baseline, "x.", "one.txt.x.", TYPE_TXT, NOW);
    assert_memory_equal(txt.expected.rdata[0].bytes, "\1a", 2);
    assert_memory_equal(txt.expected.rdata[1].bytes, "\1b\1c", 4);
    baseline_free(baseline);
}

static void origin_is_the_files_name(void **state)
{
    (void)state;
    char error[512];
    struct baseline *baseline =
        load("@ 60 IN SOA ns h 1 2 3 4 5\nwww 60 A 192.0.2.1\n", NULL, error);
    assert_string_equal(error, "");
    assert_int_equal(describe(baseline, "x.", "www.x.", TYPE_A, NOW).expected.count, 1);
    baseline_free(baseline);
}

#define KSK                                                                                        \
    "257 3 13 "                                                                                    \
    "xhRXS1q6qM696XdTJ0bdfkh59Van9L53T9YfrrMy4eh7CoNetbiD3sFA+ND4UCE49UIxFoGPcafjnd/sgTLnNA=="
#define KEY2                                                                                       \
    "257 3 13 "                                                                                    \
    "mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ=="
#define SIGNED HEAD "@ DNSKEY " KSK "\n"

static void stated_ds_replaces_computed(void **state)
{
    (void)state;
    char error[512];
    struct baseline *baseline = load(
        SIGNED "@ DS 7 13 2 0011223344556677001122334455667700112233445566770011223344556677\n",
        NULL, error);
    assert_string_equal(error, "");
    struct fact_baseline got = describe(baseline, "x.", "x.", TYPE_DS, NOW);
    assert_int_equal(got.ds_count, 1); /* the key is not the one that the DS names */
    assert_int_equal(got.ds_declared, 1);
    assert_int_equal(got.ds[0].tag, 7);
    assert_true(got.signed_zone);
    baseline_free(baseline);
}

static void dynamic_names_hide_their_wildcard(void **state)
{
    static const char policy[] = "zone: x.\ndynamic: [\"_acme.x. TXT\", \"*.dyn.x. A\"]\n";
    (void)state;
    char error[512];
    struct baseline *baseline =
        load(HEAD "*.x. 60 A 192.0.2.1\nwww 60 A 192.0.2.2\n*.dyn 60 TXT none\n", policy, error);
    assert_string_equal(error, "");
    assert_true(describe(baseline, "x.", "_acme.x.", TYPE_A, NOW).may_exist);
    assert_true(describe(baseline, "x.", "a.dyn.x.", TYPE_TXT, NOW).may_exist);
    assert_false(describe(baseline, "x.", "other.x.", TYPE_A, NOW).may_exist);
    assert_false(describe(baseline, "x.", "www.x.", TYPE_A, NOW).may_exist); /* declared itself */
    baseline_free(baseline);
}

static void planned_windows_hold_by_packet_time(void **state)
{
    static const char policy[] =
        "zone: x.\n"
        "planned:\n"
        " - {change: ksk-rollover, key: \"" KEY2 "\", from: 2026-11-25T12:00:00Z, to: 2026-11-26}\n"
        " - {change: zsk-rollover, from: 2026-11-27, to: 2026-11-27}\n"
        " - {change: delegation-change, from: 2026-11-28, to: 2026-11-28}\n"
        " - {change: record-change, name: \"www.x. A\", from: 2026-11-28, to: 2026-11-28}\n";
    const int64_t second = 1000000000, day = 86400 * second;
    (void)state;
    char error[512];
    struct baseline *baseline = load(SIGNED "ns A 192.0.2.1\nwww A 192.0.2.2\n", policy, error);
    assert_string_equal(error, "");
    struct fact_baseline before = describe(baseline, "x.", "x.", TYPE_DNSKEY, NOW - 1);
    assert_int_equal(before.key_count, 1);
    assert_int_equal(before.ds_count, 3);
    assert_false(before.planned || before.planned_sep || before.planned_zsk);
    struct fact_baseline inside = describe(baseline, "x.", "x.", TYPE_DNSKEY, NOW);
    assert_int_equal(inside.key_count, 2);
    assert_int_equal(inside.key_declared, 1);
    assert_int_equal(inside.ds_count, 6);
    assert_int_equal(inside.ds_declared, 1);
    assert_true(inside.planned && !inside.planned_sep); /* that key, and no other */
    struct fact_baseline ds = describe(baseline, "x.", "x.", TYPE_DS, NOW);
    assert_true(ds.planned && !ds.planned_sep);
    assert_int_equal(ds.ds_count, 6);
    struct fact_baseline last =
        describe(baseline, "x.", "x.", TYPE_DNSKEY, NOW + day + day / 2 - 1);
    assert_int_equal(last.key_count, 2);
    struct fact_baseline after = describe(baseline, "x.", "x.", TYPE_DNSKEY, NOW + day + day / 2);
    assert_int_equal(after.key_count, 1);
    assert_true(after.planned && after.planned_zsk && !after.planned_sep); /* the next window */
    assert_false(describe(baseline, "x.", "x.", TYPE_DS, NOW + 2 * day).planned);
    int64_t then = NOW + 3 * day;
    assert_true(describe(baseline, "x.", "x.", TYPE_NS, then).planned);
    assert_true(describe(baseline, "x.", "ns.x.", TYPE_A, then).planned); /* named by NS */
    assert_true(describe(baseline, "x.", "www.x.", TYPE_A, then).planned);
    assert_false(describe(baseline, "x.", "www.x.", TYPE_AAAA, then).planned);
    assert_false(describe(baseline, "x.", "www.x.", TYPE_A, NOW).planned);
    baseline_free(baseline);
}

static void policy_reaches_the_facts(void **state)
{
    static const char policy[] = "zone: x.\n"
                                 "strict: false\n"
                                 "watch: [www.x.]\n"
                                 "dynamic: ['*.dyn.x. A']\n"
                                 "multi-signer: true\n"
                                 "signing: {validity: 1d, refresh: 6h}\n"
                                 "suppress: [{rule: key-weak, name: '*.x.', until: 2026-11-30}]\n";
    (void)state;
    char error[512];
    struct baseline *baseline = load(SIGNED "www A 192.0.2.2\n", policy, error);
    assert_string_equal(error, "");
    struct fact_baseline www = describe(baseline, "x.", "www.x.", TYPE_A, NOW);
    assert_true(!www.strict && www.watched && !www.dynamic && www.multi_signer);
    assert_true(www.validity_ns == INT64_C(86400000000000) &&
                www.refresh_ns == INT64_C(21600000000000));
    assert_int_equal(www.suppression_count, 1);
    assert_string_equal(www.suppressions[0].rule, "key-weak");
    assert_true(www.suppressions[0].subtree);
    assert_true(describe(baseline, "x.", "h.dyn.x.", TYPE_A, NOW).dynamic);
    assert_false(describe(baseline, "x.", "h.dyn.x.", TYPE_MX, NOW).dynamic);
    baseline_free(baseline);
}

/* With a zone file and without one; what the windows are. */
/* Of the zone's NS where all their addresses are in the file; else what the policy states. */
static void servers_are_known(void **state)
{
    (void)state;
    static const char whole[] = "@ 300 SOA ns1 h 1 2 3 4 5\n@ NS ns1\n@ NS ns2\n"
                                "ns1 A 192.0.2.1\nns2 A 192.0.2.2\nns2 AAAA 2001:db8::2\n";
    static const char elsewhere[] = "@ 300 SOA ns1 h 1 2 3 4 5\n@ NS ns1\n@ NS ns.example.\n"
                                    "ns1 A 192.0.2.1\n";
    static const char hosted[] = "@ 300 SOA ns1.a.test. h 1 2 3 4 5\n@ NS ns1.a.test.\n"
                                 "@ NS ns2.a.test.\n";
    static const char moving[] = "@ 300 SOA ns1.a.test. h 1 2 3 4 5\n@ NS ns1.a.test.\n"
                                 "@ NS ns2.f.test.\n";
    static const char loose[] = "zone: f.test.\ndynamic: [\"ns2.f.test. AAAA\"]\n";
    static const char policy[] = "zone: b.test.\nservers: [203.0.113.7]\n"
                                 "transfer-clients: [203.0.113.8, \"2001:db8::8\"]\n";
    char error[512];
    struct baseline *baseline = baseline_new();
    assert_int_equal(
        baseline_add_zone(baseline, "a.test.zone", whole, sizeof whole - 1, error, sizeof error),
        0);
    assert_int_equal(baseline_add_zone(baseline, "b.test.zone", elsewhere, sizeof elsewhere - 1,
                                       error, sizeof error),
                     0);
    assert_int_equal(baseline_add_zone(baseline, "c.test.zone", elsewhere, sizeof elsewhere - 1,
                                       error, sizeof error),
                     0);
    assert_int_equal(
        baseline_add_zone(baseline, "d.test.zone", hosted, sizeof hosted - 1, error, sizeof error),
        0);
    assert_int_equal(
        baseline_add_zone(baseline, "e.test.zone", moving, sizeof moving - 1, error, sizeof error),
        0);
    assert_int_equal(
        baseline_add_zone(baseline, "f.test.zone", whole, sizeof whole - 1, error, sizeof error),
        0);
    assert_int_equal(
        baseline_add_policy(baseline, "f.test.yaml", loose, sizeof loose - 1, error, sizeof error),
        0);
    assert_int_equal(baseline_add_policy(baseline, "b.test.yaml", policy, sizeof policy - 1, error,
                                         sizeof error),
                     0);
    assert_int_equal(baseline_ready(baseline, error, sizeof error), 0);
    struct fact_baseline b = describe(baseline, "a.test.", "www.a.test.", TYPE_A, NOW);
    assert_true(b.servers_inferred);
    assert_int_equal(b.server_count, 3);
    assert_int_equal(b.servers[0].family, 4);
    assert_int_equal(b.servers[2].family, 6);
    assert_int_equal(b.servers[2].bytes[15], 2);
    assert_int_equal(b.transfer_client_count, 0);
    b = describe(baseline, "b.test.", "www.b.test.", TYPE_A, NOW);
    assert_false(b.servers_inferred);
    assert_int_equal(b.server_count, 1);
    assert_int_equal(b.servers[0].bytes[3], 7);
    assert_int_equal(b.transfer_client_count, 2);
    /* In another declared zone, whose policy does not let them change. */
    b = describe(baseline, "d.test.", "www.d.test.", TYPE_A, NOW);
    assert_true(b.servers_inferred);
    assert_int_equal(b.server_count, 3);
    assert_int_equal(b.servers[2].bytes[15], 2);
    b = describe(baseline, "e.test.", "www.e.test.", TYPE_A, NOW);
    assert_int_equal(b.server_count, 0);
    b = describe(baseline, "c.test.", "www.c.test.", TYPE_A, NOW);
    assert_int_equal(b.server_count, 0);
    baseline_free(baseline);
}

static void negative_anchors(void **state)
{
    static const char *const policies[] = {
        "zone: x.\nvalidate: false\nstrict: false\n",
        "zone: y.\nnegative-anchor: {until: 2026-12-01, why: ticket 4711}\n",
        "zone: z.\nnegative-anchor: {from: 2026-11-25T00:00:00Z, until: 2026-11-26T00:00:00Z, why: "
        "t}\n",
        NULL};
    (void)state;
    struct baseline *baseline = baseline_new();
    char error[512] = "";
    assert_int_equal(baseline_add_zone(baseline, "x.zone", HEAD, strlen(HEAD), error, sizeof error),
                     0);
    for (size_t i = 0; policies[i]; i++)
        assert_int_equal(baseline_add_policy(baseline, "p.yaml", policies[i], strlen(policies[i]),
                                             error, sizeof error),
                         0);
    assert_int_equal(baseline_ready(baseline, error, sizeof error), 0);
    const struct baseline_negative *list;
    assert_int_equal(baseline_negatives(baseline, &list), 3);
    assert_true(name_equal(list[0].name, name_of("x.")));
    assert_true(list[0].from_ns == INT64_MIN && list[0].until_ns == INT64_MAX);
    assert_true(name_equal(list[1].name, name_of("y.")));
    assert_true(list[1].from_ns == INT64_MIN);
    assert_true(list[1].until_ns == INT64_C(1796169600) * 1000000000 - 1); /* the day's end */
    assert_true(list[2].from_ns == NOW - INT64_C(43200) * 1000000000);
    assert_true(list[2].until_ns == NOW + INT64_C(43200) * 1000000000);
    assert_false(describe(baseline, "x.", "x.", TYPE_NS, NOW).strict);
    assert_null(baseline_at(baseline, name_of("y.")));
    baseline_free(baseline);

    baseline = baseline_new();
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(baseline_add_policy(baseline, "p.yaml", policies[1], strlen(policies[1]),
                                             error, sizeof error),
                         0);
    assert_int_equal(baseline_ready(baseline, error, sizeof error), -1);
    assert_string_equal(error, "p.yaml:1: expected one policy for y.");
    baseline_free(baseline);
}

static void mistakes_name_file_and_line(void **state)
{
    static const struct {
        const char *zone, *policy, *error;
    } cases[] = {
        {"www.x. A 192.0.2.1\n", NULL, "d/x.zone:1: expected a SOA"},
        {HEAD "www A 192.0.2\n", NULL, "d/x.zone:5: expected a record"},
        {HEAD "www A 192.0.2.1\n\nb.y. A 192.0.2.1\n", NULL,
         "d/x.zone:7: expected names within x., not b.y."},
        {HEAD "y. SOA a. b. 1 2 3 4 5\n", NULL, "d/x.zone:5: expected one zone"},
        {HEAD "$INCLUDE /etc/passwd\n", NULL, "d/x.zone:5: expected the whole zone"},
        {HEAD "www CH TXT a\n", NULL, "d/x.zone:5: expected class IN"},
        {HEAD "$GENERATE 1-9 a$ A 192.0.2.$\n", NULL, "d/x.zone:5: expected every record"},
        {HEAD "www TYP1\n", NULL, "d/x.zone:5: expected a type like A"},
        {HEAD "t TYPE65536 \\# 1 00\n", NULL, "d/x.zone:5: expected a type up to"},
        {HEAD "t IN 2147483648 A 192.0.2.1\n", NULL, "d/x.zone:5: expected a TTL of at most"},
        {HEAD "@ MX 65536 t\n", NULL, "d/x.zone:5: expected a number of at most 65535"},
        {HEAD "@ CAA 256 issue \"a\"\n", NULL, "d/x.zone:5: expected a"},
        {HEAD "@ DNSKEY 257 3 269 AAAA\n", NULL, "d/x.zone:5: expected a number of at most 255"},
        {HEAD "t A \\# 5 c000020100\n", NULL, "d/x.zone:5: expected rdata"},
        {"", NULL, "d/x.zone:1: expected records"},
        {HEAD "www A ( ; )\n192.0.2.1\n", NULL, "d/x.zone:5: expected the parenthesis"},
        {HEAD "t TXT \"a\\\"\n", NULL, "d/x.zone:5: expected the parenthesis"},
        {HEAD "t TXT a )\n", NULL, "d/x.zone:5: expected the parenthesis"},
        {HEAD, "zone: y.\n", "x.yaml:1: expected a zone file for y."},
        {HEAD, "zone: [\n", "x.yaml:2: expected YAML"},
        {HEAD, "zone: y.\nvalidate: true\n", "x.yaml:1: expected a zone file for y."},
        {HEAD, "zone: y.\nvalidate: false\nstrict: false\n", "x.yaml:3: expected a zone file for"},
        {HEAD, "zone: x.\nvalidate: maybe\n", "x.yaml:2: expected"},
        {HEAD, "zone: x.\nnegative-anchor: {why: t}\n", "x.yaml:2: expected until and why"},
        {HEAD, "zone: x.\nnegative-anchor:\n  until: 2026-12-01\n",
         "x.yaml:3: expected until and why"},
        {HEAD, "zone: x.\nnegative-anchor:\n  why: t\n  until: soon\n", "x.yaml:4: expected"},
        {HEAD, "zone: x.\nnegative-anchor: {why: t, from: 2026-12-02, until: 2026-12-01}\n",
         "x.yaml:2: expected `until` after `from`"},
        {HEAD, "zone: x.\nvalidate: false\nnegative-anchor: {until: 2026-12-01, why: t}\n",
         "x.yaml:3: expected `validate: false` or `negative-anchor`, not both"},
        {HEAD, "zone: x.\nnegative-anchor: yes\n", "x.yaml:2: expected"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char error[512];
        struct baseline *baseline = load(cases[i].zone, cases[i].policy, error);
        print_message("%s\n", error);
        assert_null(baseline);
        assert_memory_equal(error, cases[i].error, strlen(cases[i].error));
    }
    struct baseline *twice = baseline_new();
    char error[512] = "";
    assert_int_equal(baseline_add_zone(twice, "a", HEAD, strlen(HEAD), error, sizeof error), 0);
    assert_int_equal(baseline_add_zone(twice, "b", HEAD, strlen(HEAD), error, sizeof error), 0);
    assert_int_equal(baseline_ready(twice, error, sizeof error), -1);
    assert_non_null(strstr(error, "expected a zone once"));
    baseline_free(twice);
}

/* The version of a zone is the hash of its file's bytes. */
static void file_hash(void **state)
{
    (void)state;
    static const char text[] = "x. SOA a. b. 1 2 3 4 5\n";
    static const uint8_t expected[] = {0x9e, 0x3b, 0x18, 0x40, 0x6c, 0x06, 0xea, 0xdb,
                                       0xe3, 0x62, 0x53, 0x57, 0xee, 0xf1, 0x0c, 0x3c,
                                       0x13, 0xc4, 0xbe, 0x67, 0x69, 0x23, 0x4e, 0x33,
                                       0x4e, 0xeb, 0x91, 0xc7, 0xa3, 0x42, 0x9a, 0x79};
    char error[512];
    struct baseline *baseline = baseline_new();
    assert_int_equal(
        baseline_add_zone(baseline, "x.zone", text, sizeof text - 1, error, sizeof error), 0);
    assert_int_equal(baseline_ready(baseline, error, sizeof error), 0);
    struct fact_baseline got = describe(baseline, "x.", "x.", TYPE_SOA, NOW);
    assert_string_equal(got.file, "x.zone");
    assert_memory_equal(got.sha256, expected, sizeof expected);
    baseline_free(baseline);
}

static void version_is_stated_at_the_head(void **state)
{
    static const struct {
        const char *text;
        uint32_t version;
    } cases[] = {{"", 1},
                 {"x. 60 IN SOA", 1},
                 {"; Baseline of x.\n; Version 12\nx. 60 IN SOA", 12},
                 {"; Version 0\n", 1},
                 {"; Version", 1},
                 {"; Version 7", 7},
                 {"; Version x\n; Version 4\n", 4},
                 {"x. 60 IN SOA\n; Version 5\n", 1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(baseline_version(cases[i].text, strlen(cases[i].text)), cases[i].version);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_hash),
        cmocka_unit_test(signatures_are_noted),
        cmocka_unit_test(real_zones_load),
        cmocka_unit_test(computed_ds_is_the_signers),
        cmocka_unit_test(over_finds_the_deepest),
        cmocka_unit_test(names_follow_rfc_4592),
        cmocka_unit_test(origin_is_the_files_name),
        cmocka_unit_test(stated_ds_replaces_computed),
        cmocka_unit_test(dynamic_names_hide_their_wildcard),
        cmocka_unit_test(planned_windows_hold_by_packet_time),
        cmocka_unit_test(policy_reaches_the_facts),
        cmocka_unit_test(servers_are_known),
        cmocka_unit_test(negative_anchors),
        cmocka_unit_test(version_is_stated_at_the_head),
        cmocka_unit_test(mistakes_name_file_and_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
