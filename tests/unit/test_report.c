/*
 * test_report: times, folding, CSV, and what scope makes of findings that were written by hand.
 */
#include "evidence/report_scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROOM 65536

static char room[ROOM];

static struct report_out fresh(void)
{
    memset(room, 0, sizeof room);
    return (struct report_out){.bytes = room, .room = sizeof room - 1};
}

static void test_time(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } row[] = {{"1970-01-01T00:00:00Z", 0},
               {"1970-01-01T00:00:01.5Z", 1500000000},
               {"2026-11-22T08:30:34.123456Z", INT64_C(1795336234123456000)},
               {"2026-11-22T08:30:34.000000001Z", INT64_C(1795336234000000001)},
               {"1969-12-31T23:59:59Z", -1000000000},
               {"2026-11-22T08:30:34", INT64_MIN},
               {"2026-11-22T08:30:34Zx", INT64_MIN},
               {"2026-11-22 08:30:34Z", INT64_MIN},
               {"", INT64_MIN}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_int_equal(report_time(row[i].text), row[i].ns);
}

static void test_fold(void **state)
{
    (void)state;
    char word[131];
    memset(word, 'x', 60);
    word[60] = '\0';
    struct report_out o = fresh();
    report_fold(&o, 4, "  key  %s %s", word, "end");
    assert_memory_equal(room, "  key  xxx", 10);
    assert_null(strchr(room, '\n')[1] ? room : NULL);
    o = fresh();
    report_fold(&o, 4, "a %s %s", word, word);
    assert_non_null(strstr(room, "\n    xxx"));
    o = fresh();
    memset(word, 'y', 130);
    word[130] = '\0';
    report_fold(&o, 2, "%s b", word); /* longer than a line: alone on it */
    assert_non_null(strstr(room, "y\n  b\n"));
    o = fresh();
    report_fold(&o, 2, "%s", "\033[31m\302\233");
    assert_string_equal(room, "?[31m??\n");
}

static void test_csv(void **state)
{
    (void)state;
    static const char *const row[][2] = {{"plain", "\"plain\"\n"},
                                         {"a \"b\", c", "\"a \"\"b\"\", c\"\n"},
                                         {"=cmd|x", "\"'=cmd|x\"\n"},
                                         {"@a", "\"'@a\"\n"},
                                         {"-1", "\"'-1\"\n"},
                                         {"two\nlines", "\"two lines\"\n"},
                                         {"", "\"\"\n"}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct report_out o = fresh();
        report_csv(&o, row[i][0], true);
        assert_string_equal(room, row[i][1]);
    }
}

static void test_full(void **state)
{
    (void)state;
    struct report_out o = {.bytes = room, .room = 5};
    memset(room, '#', 8);
    report_put(&o, "%s", "123456");
    assert_true(o.full);
    assert_memory_equal(room, "12345###", 8);
}

/* --- scope --- */

#define ZSK "\"tag\":1,\"algorithm\":13,\"role\":\"ZSK\",\"sep\":false,\"rdata\":\"256 3 13 AAAA\""
#define KSK "\"tag\":2,\"algorithm\":13,\"role\":\"KSK\",\"sep\":true,\"rdata\":\"257 3 13 BBBB\""
#define NEW "\"tag\":3,\"algorithm\":13,\"role\":\"ZSK\",\"sep\":false,\"rdata\":\"256 3 13 CCCC\""
#define OLD "\"tag\":4,\"algorithm\":5,\"role\":\"KSK\",\"sep\":true,\"rdata\":\"257 3 5 DDDD\""
#define YES "\"declared\":true"
#define NO  "\"declared\":false"
#define SIGNED                                                                                     \
    "\"signed\":{\"rrsets\":1,\"names\":[\"www.z. A\"],\"ttl\":300,"                               \
    "\"expiration\":\"2026-12-01T00:00:00.000000Z\"}"
#define ZONE(keys) "{\"record\":\"zone\",\"zone\":\"z.\",\"keys\":[" keys "]}\n"
#define FOUND(id, rule, name, type, observed)                                                      \
    "{\"id\":\"" id "\",\"rule\":\"" rule "\",\"zone\":\"z.\",\"rrname\":\"" name                  \
    "\",\"rrtype\":\"" type "\",\"expected\":[],\"observed\":[\"" observed "\"]}\n"
#define CHANGED FOUND("a", "record-changed", "www.z.", "A", "www.z. IN A 192.0.2.1")
#define UNKNOWN FOUND("b", "key-unknown", "z.", "DNSKEY", "z. IN DNSKEY 256 3 13 CCCC ; key tag 3")
#define UNKNOWN_OLD                                                                                \
    FOUND("c", "key-unknown", "z.", "DNSKEY", "z. IN DNSKEY 257 3 5 DDDD ; key tag 4")
#define FOREIGN                                                                                    \
    FOUND("d", "rrsig-unknown-key", "z.", "RRSIG",                                                 \
          "www.z. IN RRSIG A 13 2 300 20261222091534 20261122081534 8700 z. (...)")
#define DENIED                                                                                     \
    "{\"id\":\"a\",\"rule\":\"caa-weakened\",\"zone\":\"z.\",\"rrname\":\"z.\",\"rrtype\":"        \
    "\"CAA\",\"expected\":[\"z. IN CAA\"],\"observed\":[]}\n"
#define SERVERS FOUND("h", "delegation-changed", "z.", "NS", "z. IN NS ns.x.")
#define GLUE    FOUND("i", "delegation-changed", "ns.z.", "A", "ns.z. IN A 192.0.2.9")
#define STRANGE FOUND("j", "server-unknown", "z.", "NS", "")
#define WEAK_DS FOUND("k", "ds-weak", "z.", "DS", "z. IN DS 3 13 1 00")
#define DROPPED FOUND("l", "rrsig-algorithm-missing", "z.", "RRSIG", "")
#define REFUTED                                                                                    \
    "{\"id\":\"m\",\"rule\":\"rrsig-unknown-key\",\"zone\":\"z.\",\"state\":\"closed\","           \
    "\"observed\":[\"www.z. IN RRSIG A 13 2 300 20261222091534 20261122081534 3 z. (...)\"]}\n"
/* What the run noted of the finding with that id. */
#define NOTED(id, referral, keys)                                                                  \
    "{\"record\":\"received\",\"finding\":\"" id "\",\"referral\":" referral                       \
    ",\"signed_by\":[" keys "]}\n"
#define BESIDE  "\"beside_declared\":true"
#define PARENT  FOUND("e", "ds-unknown", "z.", "DS", "z. IN DS 3 13 2 00")
#define EXPIRED FOUND("f", "rrsig-expired", "z.", "RRSIG", "")

static json_t *scope_of(const char *inventory, const char *findings)
{
    struct report_files files = {.name = "test",
                                 .standing = "",
                                 .inventory = {(const uint8_t *)inventory, strlen(inventory)},
                                 .findings = {(const uint8_t *)findings, strlen(findings)}};
    struct report_case c;
    assert_true(report_case_read(&c, &files));
    assert_int_equal(c.unreadable, 0);
    json_t *zones = report_scope_zones(&c);
    report_case_fini(&c);
    return zones;
}

static void test_cases(void **state)
{
    (void)state;
    static const struct {
        const char *inventory, *findings, *recovery; /* NULL: not in scope */
        const char *suspects;                        /* tags in order */
    } row[] = {
        {ZONE("{" ZSK "," YES "," SIGNED "},{" KSK "," YES "}"), CHANGED, "zsk", "1"},
        {ZONE("{" KSK "," YES "},{" NEW "," NO ",\"vouched_by\":[2]}"), UNKNOWN, "ksk", "3 2"},
        /* The data is the undeclared key's work: the declared ZSK is not blamed for it. */
        {ZONE("{" ZSK "," YES "," SIGNED "},{" KSK "," YES "},{" NEW "," NO "," SIGNED
              ",\"vouched_by\":[2]}"),
         CHANGED UNKNOWN, "ksk", "3 2"},
        {ZONE("{" ZSK "," YES "," SIGNED "},{" KSK "," YES "},{" NEW "," NO ",\"vouched_by\":[2]}"),
         CHANGED UNKNOWN, "both", "1 3 2"},
        /* Both signed this very content, in turn. */
        {ZONE("{" ZSK "," YES "," SIGNED "},{" KSK "," YES "},{" NEW "," NO "," SIGNED
              ",\"vouched_by\":[2]}") NOTED("a", "false", "\"256 3 13 AAAA\",\"256 3 13 CCCC\""),
         CHANGED UNKNOWN, "both", "1 3 2"},
        {ZONE("{" ZSK "," YES "," SIGNED "},{" KSK "," YES "},{" NEW "," NO "," SIGNED
              ",\"vouched_by\":[2]}") NOTED("a", "false", "\"256 3 13 CCCC\""),
         CHANGED UNKNOWN, "ksk", "3 2"},
        {ZONE("{\"tag\":1,\"algorithm\":13,\"role\":\"CSK\",\"sep\":true,\"rdata\":\"257 3 13 "
              "E\"," YES "," SIGNED "}"),
         CHANGED, "both", "1"},
        {ZONE("{" KSK "," YES "},{" OLD "," NO "}"), UNKNOWN_OLD, "algorithm", "4"},
        {ZONE("{" NEW "," NO ",\"ds\":true}"), UNKNOWN PARENT, "parent", "3"},
        {ZONE("{" KSK "," YES "},{" NEW "," NO ",\"vouched_by\":[]}"), UNKNOWN, "not-told", "3"},
        /* A ZSK may sign the keys too; by that it lets nobody in. */
        {ZONE("{" ZSK "," YES "},{" KSK "," YES "},{" NEW "," NO ",\"vouched_by\":[1,2]}"), UNKNOWN,
         "ksk", "3 2"},
        /* Who signed the proof that there is none. */
        {ZONE("{" ZSK "," YES "},{" KSK "," YES "}") NOTED("a", "false", "\"256 3 13 AAAA\""),
         DENIED, "zsk", "1"},
        {ZONE("{" ZSK "," YES "}") NOTED("a", "false", ""), DENIED, "data-only", ""},
        /* The name was signed by that key, but not with this content. */
        {ZONE("{" ZSK "," YES "," SIGNED "}") NOTED("a", "false", ""), CHANGED, "data-only", ""},
        /* A planned key is not declared, and nobody calls it unknown: an own one. */
        {ZONE("{" NEW "," NO "}") NOTED("a", "false", "\"256 3 13 CCCC\""), CHANGED, "zsk", "3"},
        /* NS and glue at the parent: whatever keys and algorithm are there. */
        {ZONE("{" NEW "," NO "}") NOTED("h", "true", ""), UNKNOWN SERVERS, "parent", "3"},
        {ZONE("{" OLD "," NO "}") NOTED("h", "true", ""), UNKNOWN_OLD PARENT SERVERS, "parent",
         "4"},
        {ZONE("{" NEW "," NO "}"), UNKNOWN GLUE, "parent", "3"},
        {ZONE("") NOTED("h", "true", ""), SERVERS CHANGED, "parent", ""},
        {ZONE("{" ZSK "," YES "}") NOTED("h", "false", "\"256 3 13 AAAA\""), SERVERS, "zsk", "1"},
        {ZONE("{" ZSK "," YES "}") NOTED("h", "true", "\"256 3 13 AAAA\""), SERVERS, "zsk", "1"},
        /* DS and KSK that nobody declared while the zone goes on; and while it does not. */
        {ZONE("{" ZSK "," YES "},{\"tag\":3,\"role\":\"KSK\",\"algorithm\":13,\"rdata\":\"256 3 13 "
              "CCCC\"," NO ",\"ds\":true," BESIDE "}"),
         UNKNOWN PARENT, "ksk", "3"},
        {ZONE("{" NEW "," NO ",\"ds\":true," BESIDE "}"), UNKNOWN PARENT STRANGE, "parent", "3"},
        {ZONE("{" NEW "," NO ",\"ds\":true," BESIDE "}"), UNKNOWN PARENT GLUE, "parent", "3"},
        /* A DS that is not a key's, or a declared key's with another digest. */
        {ZONE("{" KSK "," YES "}"), PARENT, "parent", ""},
        {ZONE("{\"tag\":3,\"role\":\"KSK\",\"rdata\":\"257 3 13 F\",\"ds\":true," YES "}"), PARENT,
         "parent", ""},
        /* Algorithms. */
        {ZONE("{" KSK "," YES "}"), DROPPED, "algorithm", ""},
        {ZONE("{" NEW "," NO ",\"ds\":true}"), UNKNOWN PARENT WEAK_DS, "algorithm", "3"},
        {ZONE("{" KSK "," YES "}"), WEAK_DS, NULL, ""},
        /* A rogue ZSK of another algorithm is no move of the zone. */
        {ZONE("{\"tag\":2,\"algorithm\":15,\"role\":\"KSK\",\"rdata\":\"257 3 15 G\"," YES "},{" NEW
              "," NO "," BESIDE ",\"vouched_by\":[2]}"),
         UNKNOWN, "ksk", "3 2"},
        {ZONE("{" NEW "," YES "}"), REFUTED, NULL, ""},
        {ZONE("{" KSK "," YES "}"), FOREIGN, "foreign-signatures", "8700"},
        {ZONE("{" ZSK "," YES "}"), CHANGED, "data-only", ""},
        {"", CHANGED, "data-only", ""},
        {ZONE("{" ZSK "," YES "}"), EXPIRED, NULL, ""},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        json_t *zones = scope_of(row[i].inventory, row[i].findings), *key;
        const json_t *zone = json_array_get(zones, 0);
        char tags[64] = "";
        size_t k;
        assert_int_equal(json_array_size(zones), row[i].recovery ? 1 : 0);
        json_array_foreach(json_object_get(zone, "suspects"), k, key)
        {
            snprintf(tags + strlen(tags), sizeof tags - strlen(tags), "%s%d", k ? " " : "",
                     (int)report_number(key, "tag"));
            assert_true(json_array_size(json_object_get(key, "reasons")) > 0);
        }
        assert_string_equal(report_text(zone, "case"), row[i].recovery ? row[i].recovery : "");
        assert_string_equal(tags, row[i].suspects);
        json_decref(zones);
    }
}

/* Every line of the table. */
static void test_table(void **state)
{
    (void)state;
    static const struct {
        struct recovery_facts is;
        enum recovery recovery;
        bool also_parent;
    } row[] = {
        {{.delegation = true}, RECOVERY_PARENT, false},
        {{.delegation = true, .ds = true, .algorithm = true, .unknown = true, .foreign = true},
         RECOVERY_PARENT,
         false},
        {{.algorithm = true, .own_entry = true, .own_data = true}, RECOVERY_ALGORITHM, false},
        {{.algorithm = true, .ds = true}, RECOVERY_ALGORITHM, false},
        {{.algorithm = true, .own_data = true, .delegation = true}, RECOVERY_ALGORITHM, true},
        {{.own_data = true, .ds = true}, RECOVERY_ZSK, true},
        {{.own_entry = true, .own_data = true, .unknown = true}, RECOVERY_BOTH, false},
        {{.own_entry = true, .ds = true, .delegation = true}, RECOVERY_KSK, true},
        {{.goes_on = true, .ds = true, .own_data = true}, RECOVERY_BOTH, false},
        {{.own_data = true, .unknown = true}, RECOVERY_ZSK, false},
        {{.own_data = true, .delegation = true}, RECOVERY_ZSK, true},
        {{.goes_on = true, .ds = true, .unknown = true}, RECOVERY_KSK, false},
        {{.ds = true, .unknown = true, .foreign = true}, RECOVERY_PARENT, false},
        {{.unknown = true, .foreign = true}, RECOVERY_UNDECLARED, false},
        {{.foreign = true}, RECOVERY_FOREIGN, false},
        {{.own_data = false}, RECOVERY_DATA, false},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        bool also = !row[i].also_parent;
        assert_int_equal(report_recovery_of(&row[i].is, &also), row[i].recovery);
        assert_int_equal(also, row[i].also_parent);
    }
}

/* The parent's steps are told as well where its account was used besides. */
static void test_also(void **state)
{
    (void)state;
    json_t *zones =
        scope_of(ZONE("{" ZSK "," YES "}") NOTED("h", "true", "\"256 3 13 AAAA\""), SERVERS);
    const json_t *zone = json_array_get(zones, 0), *steps = json_object_get(zone, "checklist");
    assert_string_equal(json_string_value(json_array_get(json_object_get(zone, "also"), 0)),
                        "parent");
    size_t own = 0, all = json_array_size(steps);
    while (report_recovery_steps(RECOVERY_ZSK)[own])
        own++;
    assert_true(all > own);
    assert_string_equal(json_string_value(json_array_get(steps, own)),
                        report_recovery_steps(RECOVERY_PARENT)[0]);
    json_decref(zones);
}

/* A finding about two contents does not say who got the false one; that of the record does. */
static void test_received(void **state)
{
    (void)state;
    static const char inventory[] = NOTED("a", "false", "") NOTED("n", "false", "");
    static const char twice[] = FOUND("n", "signed-equivocation", "www.z.", "A", "192.0.2.1");
    static const struct {
        const char *findings, *of;
    } row[] = {{twice, "n"}, {CHANGED FOUND("n", "signed-equivocation", "www.z.", "A", ""), "a"}};
    for (size_t i = 0; i < 2; i++) {
        json_t *zones = scope_of(inventory, row[i].findings), *change;
        size_t k, seen = 0;
        json_array_foreach(json_object_get(json_array_get(zones, 0), "changes"), k, change)
        {
            seen += report_same(change, "rule", "signed-equivocation") &&
                    report_same(json_object_get(change, "received_by"), "finding", row[i].of);
        }
        assert_int_equal(seen, 1);
        json_decref(zones);
    }
}

#define CHAIN(complete, dnskey, ds, until)                                                         \
    "\"chain\":{\"complete\":" complete ",\"dnskey_expiration\":" dnskey ",\"ds_expiration\":" ds  \
    ",\"until\":" until "}"
#define DAY(n) "\"2026-12-0" n "T00:00:00.000000Z\""

/* What ends first on the way down, and what caches add to it (evidence/report_deadline.c). */
static void test_deadline(void **state)
{
    (void)state;
    static const struct {
        const char *key, *deadline, *bound; /* NULL: none */
    } row[] = {
        {SIGNED, "2026-12-01T00:00:00Z", "signature"}, /* the way is not known */
        {SIGNED "," CHAIN("true", DAY("9"), "null", DAY("9")), "2026-12-01T00:00:00Z", "signature"},
        {SIGNED "," CHAIN("false", "null", "null", "null"), NULL, "never"},
        {"\"signed\":{\"rrsets\":1,\"data\":true,\"ttl\":300,\"expiration\":" DAY("9") "}," CHAIN(
             "true", DAY("5"), "null", DAY("5")),
         "2026-12-05T00:05:00Z", "dnskey"},
        {"\"signed\":{\"rrsets\":1,\"data\":true,\"ttl\":300,\"expiration\":" DAY("9") "}," CHAIN(
             "true", DAY("5"), DAY("3"), DAY("3")),
         "2026-12-03T00:05:00Z", "ds"},
        /* Within a TTL of each other: its own signature still ends first. */
        {"\"signed\":{\"rrsets\":1,\"data\":true,\"ttl\":90000,\"expiration\":" DAY("6") "}," CHAIN(
             "true", DAY("5"), "null", DAY("5")),
         "2026-12-06T00:00:00Z", "signature"},
        /* A key that signs only keys: nothing comes after the DNSKEY RRset. */
        {"\"signed\":{\"rrsets\":1,\"data\":false,\"ttl\":300,\"expiration\":" DAY("9") "}," CHAIN(
             "true", DAY("9"), DAY("3"), DAY("4")),
         "2026-12-04T00:00:00Z", "ds"},
    };
    char inventory[2048];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        snprintf(inventory, sizeof inventory, ZONE("{" NEW "," NO ",%s}"), row[i].key);
        json_t *zones = scope_of(inventory, UNKNOWN);
        const json_t *zone = json_array_get(zones, 0);
        assert_string_equal(report_text(zone, "deadline"), row[i].deadline ? row[i].deadline : "");
        assert_string_equal(report_text(zone, "deadline_bound"), row[i].bound);
        json_decref(zones);
    }
    json_t *zones = scope_of(ZONE("{" KSK "," YES "}"), FOREIGN);
    assert_false(report_known(json_array_get(zones, 0), "deadline")); /* not observed */
    assert_false(report_known(json_array_get(zones, 0), "deadline_bound"));
    json_decref(zones);
}

/* Members of the wrong kind are as if they were missing. */
static void test_hostile(void **state)
{
    (void)state;
    static const char *const zones[] = {
        "{\"record\":\"zone\",\"zone\":\"z.\",\"keys\":7,\"outages\":{},\"objectives\":[]}\n",
        "{\"record\":\"zone\",\"zone\":\"z.\",\"keys\":[1,null,[],\"x\",{\"rdata\":1,\"tag\":\"2\"}"
        "],"
        "\"ds\":[3],\"outages\":[4],\"servers\":[5],\"ttl\":6,\"first_seen\":7}\n",
        "{\"record\":\"zone\",\"zone\":\"z.\",\"keys\":[{\"tag\":2,\"ds\":true,\"rdata\":\"\","
        "\"chain\":5,"
        "\"signed\":[8]},{\"tag\":2,\"chain\":{\"complete\":true,\"until\":3},\"rdata\":\"x\","
        "\"signed\":{"
        "\"expiration\":\"2026-12-01T00:00:00Z\",\"ttl\":-1,\"names\":9}}]}\n"
        "{\"record\":\"received\",\"finding\":\"d\",\"signed_by\":[1,\"x\"],\"referral\":4}\n",
    };
    for (size_t i = 0; i < 3; i++) {
        struct report_files files = {.name = "test", .standing = ""};
        const char *found =
            "{\"id\":\"a\",\"rule\":\"key-unknown\",\"zone\":\"z.\",\"observed\":[1]}\n"
            "{\"id\":\"c\",\"rule\":\"ds-unknown\",\"zone\":\"z.\",\"observed\":[\" IN DS 2 \"]}\n"
            "{\"id\":\"d\",\"rule\":\"mail-moved\",\"zone\":\"z.\",\"observed\":3}\n"
            "{\"id\":\"b\",\"rule\":\"rrsig-unknown-key\",\"zone\":\"z.\","
            "\"observed\":[\" IN RRSIG \",2]}\n";
        files.inventory = (struct report_bytes){(const uint8_t *)zones[i], strlen(zones[i])};
        files.findings = (struct report_bytes){(const uint8_t *)found, strlen(found)};
        struct report_case c;
        assert_true(report_case_read(&c, &files));
        for (enum report_form form = REPORT_TEXT; form <= REPORT_CSV; form++) {
            struct report_out o = fresh();
            report_inventory(&o, &c, form);
            report_timeline(&o, &c, form);
            if (form != REPORT_CSV)
                report_scope(&o, &c, form);
            assert_true(o.size > 0 && !o.full);
        }
        report_case_fini(&c);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time),     cmocka_unit_test(test_fold),
        cmocka_unit_test(test_csv),      cmocka_unit_test(test_full),
        cmocka_unit_test(test_cases),    cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_table),    cmocka_unit_test(test_also),
        cmocka_unit_test(test_received), cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
