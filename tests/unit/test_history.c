/*
 * test_history: the database: what is told adds up, whatever is told; text is printable; readers
 * see it while it is written.
 */
#include "history/database.h"
#include "history/files.h"
#include "history/print.h"
#include "history/record.h"
#include "history/schema.h"

#include "analyze/verdict.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)

static struct files files;
static char folder[] = "/tmp/test_history.XXXXXX";

static const struct database_run run = {"replay", "unit", "dnsbailiff 0", "a.pcap", 1, 1u << 30};

struct telling {
    uint8_t bytes[65536];
    size_t size;
};

static void put(struct telling *t, const void *bytes, size_t size)
{
    memcpy(t->bytes + t->size, bytes, size);
    t->size += size;
}

static void put_piece(struct telling *t, const void *bytes, uint16_t size)
{
    put(t, &size, sizeof size);
    put(t, bytes, size);
}

/* "z. TYPE": that rdata, signed once, from 192.0.2.<server>. */
static struct telling tell(uint16_t type, const void *rdata, uint16_t size, uint8_t server,
                           int64_t second, uint64_t count)
{
    static const uint8_t rrsig[] = {0,    1,    13, 1, 0,    0,    0, 60,  0x69, 0x20, 0, 0,
                                    0x69, 0x10, 0,  0, 0x4d, 0xd2, 1, 'z', 0,    1,    2, 3};
    struct telling t = {.size = 0};
    struct msg_history head = {.first_ns = second * SECOND,
                               .last_ns = (second + 1) * SECOND,
                               .count = count,
                               .frame = 7,
                               .ttl = 300,
                               .type = type,
                               .records = 1,
                               .reason = REASON_CHAIN,
                               .owner_size = 3,
                               .signatures = 1,
                               .servers = 1};
    struct msg_history_server by = {.address = {192, 0, 2, server},
                                    .family = 4,
                                    .aa = 1,
                                    .first_ns = head.first_ns,
                                    .last_ns = head.last_ns,
                                    .count = count};
    put(&t, &head, sizeof head);
    put(&t, &by, sizeof by);
    put(&t, "\1", 1); /* valid */
    put(&t, "\1z", 3);
    put_piece(&t, rdata, size);
    put_piece(&t, rrsig, sizeof rrsig);
    return t;
}

static int setup(void **state)
{
    struct database *d = NULL;
    char why[240];
    int *const all[] = {&files.database, &files.journal, &files.memory};
    static const char *const names[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/history.sqlite%s", folder, names[i]);
        unlink(path);
        *all[i] = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
        assert_true(*all[i] >= 0);
    }
    files_use(&files);
    assert_int_equal(database_open(&run, &d, why, sizeof why), 0);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    database_close(*state);
    close(files.database);
    close(files.journal);
    close(files.memory);
    return 0;
}

/* The first column of the first row, as another connection sees it; caller frees. */
static char *ask(const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *s;
    char *answer = NULL;
    assert_int_equal(sqlite3_open_v2(FILES_DATABASE, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_text(s, 0))
        answer = strdup((const char *)sqlite3_column_text(s, 0));
    sqlite3_finalize(s);
    sqlite3_close(db);
    return answer;
}

static void says(const char *sql, const char *expected)
{
    char *answer = ask(sql);
    if (answer == NULL)
        fail_msg("%s gives nothing", sql);
    assert_string_equal(answer, expected);
    free(answer);
}

static void take(struct database *d, struct telling t)
{
    assert_int_equal(database_take(d, t.bytes, t.size), 0);
}

static void test_adds_up(void **state)
{
    struct database *d = *state;
    static const uint8_t one[] = {192, 0, 2, 1}, two[] = {192, 0, 2, 2};
    take(d, tell(1, one, 4, 1, 100, 5));
    take(d, tell(1, one, 4, 2, 50, 2));
    take(d, tell(1, one, 4, 1, 200, 3));
    take(d, tell(1, two, 4, 1, 60, 1));
    says("SELECT count(*) FROM rrset", "0"); /* not shown yet */
    assert_int_equal(database_commit(d), 0);
    says("SELECT count(*) FROM rrset", "2");
    says("SELECT owner||' '||type||' '||rdata||' '||count||' '||first_seen||' '||last_seen FROM "
         "rrsets ORDER BY id",
         "z. A 192.0.2.1 10 1970-01-01T00:00:50.000000Z 1970-01-01T00:03:21.000000Z");
    says("SELECT verdict||' '||reason||' '||servers||' '||signatures FROM rrsets",
         "secure chain-complete 192.0.2.1 192.0.2.2 1");
    says("SELECT group_concat(address||'='||count,' ') FROM rrset_server x JOIN server v ON "
         "v.id=server WHERE rrset=1",
         "192.0.2.1=8 192.0.2.2=2");
    says("SELECT count(*)||' '||sum(count) FROM signature", "2 11");
    says("SELECT signer||' '||key_tag||' '||algorithm||' '||state||' '||signature FROM signatures",
         "z. 19922 13 valid AQID");
    says("SELECT sum(count) FROM signature_server", "11");
    says("PRAGMA integrity_check", "ok");
}

static void test_keys(void **state)
{
    struct database *d = *state;
    static const uint8_t key[] = {1, 1, 3, 13, 0xaa, 0xbb, 0xcc};
    take(d, tell(48, key, sizeof key, 1, 100, 5));
    take(d, tell(48, key, 3, 1, 100, 5)); /* none: only its RRset is there */
    take(d, tell(48, key, sizeof key, 2, 300, 1));
    assert_int_equal(database_commit(d), 0);
    says("SELECT zone||' '||flags||' '||protocol||' '||algorithm||' '||public_key||' '||count||' '"
         "||servers FROM keys",
         "z. 257 3 13 qrvM 6 192.0.2.1 192.0.2.2");
    says("SELECT count(*) FROM key", "1");
    says("SELECT count(*) FROM rrset", "2");
}

/* A new verdict, without a response. */
static void test_verdict(void **state)
{
    struct database *d = *state;
    static const uint8_t one[] = {192, 0, 2, 1}, other[] = {192, 0, 2, 9};
    struct telling t = tell(1, one, 4, 1, 100, 5);
    take(d, t);
    struct msg_history head;
    memcpy(&head, t.bytes, sizeof head);
    head.count = 0;
    head.first_ns = INT64_MAX;
    head.last_ns = INT64_MIN;
    head.reason = REASON_SIG_EXPIRED;
    memcpy(t.bytes, &head, sizeof head);
    take(d, t);
    t = tell(1, other, 4, 1, 100, 0); /* of what is not there: nothing */
    take(d, t);
    assert_int_equal(database_commit(d), 0);
    says("SELECT verdict||' '||reason||' '||count||' '||first_seen FROM rrset",
         "bogus signature-expired 5 100000000000");
    says("SELECT count(*) FROM rrset", "1");
    assert_int_equal(database_not_written(d), 0);
}

/* Bytes that a terminal or a spreadsheet would obey. */
static void test_hostile_text(void **state)
{
    struct database *d = *state;
    static const uint8_t text[] = "\14\033[2J'\"\\\r\n\0\377\234";
    take(d, tell(16, text, 13, 1, 100, 1));
    take(d, tell(65534, text, 13, 1, 100, 1));
    struct telling t = tell(1, "\1\2\3\4", 4, 1, 1, 1);
    memcpy(t.bytes + sizeof(struct msg_history) + sizeof(struct msg_history_server) + 1, "\1\033",
           3);
    take(d, t);
    assert_int_equal(database_commit(d), 0);
    says("SELECT count(*) FROM rrset WHERE rdata GLOB '*[^ -~]*' OR owner GLOB '*[^ -~]*'", "0");
    says("SELECT rdata FROM rrset WHERE type='TXT'",
         "\"\\027[2J'\\\"\\\\\\013\\010\\000\\255\\156\"");
    says("SELECT rdata FROM rrset WHERE type='TYPE65534'", "\\# 13 0c1b5b324a27225c0d0a00ff9c");
    says("SELECT owner FROM rrset WHERE type='A'", "\\027.");
}

/* Whatever is cut or changed, a message is refused or read, and never beyond its end. */
static void test_malformed(void **state)
{
    (void)state;
    static struct record record;
    struct telling t = tell(1, "\1\2\3\4", 4, 1, 1, 1);
    assert_true(record_read(t.bytes, t.size, &record));
    for (size_t size = 0; size < t.size; size++) {
        uint8_t *exact = malloc(size ? size : 1);
        memcpy(exact, t.bytes, size);
        assert_false(record_read(exact, size, &record));
        free(exact);
    }
    for (size_t at = 0; at < t.size; at++)
        for (int bit = 0; bit < 8; bit++) {
            uint8_t *exact = malloc(t.size);
            memcpy(exact, t.bytes, t.size);
            exact[at] ^= (uint8_t)(1 << bit);
            if (record_read(exact, t.size, &record)) {
                static char text[RECORD_TEXT_MAX];
                record_text(&record, text, sizeof text);
            }
            free(exact);
        }
}

static void test_room(void **state)
{
    struct database_run small = run;
    struct database *d;
    char why[240];
    (void)state;
    small.most_bytes = 8 * 65536;
    database_close(*state);
    assert_int_equal(database_open(&small, &d, why, sizeof why), 0);
    *state = d;
    for (uint32_t i = 0; i < 4000; i++) {
        take(d, tell(1, &i, 4, 1, 1, 1));
        if (i % 100 == 0)
            assert_int_equal(database_commit(d), 0);
    }
    assert_int_equal(database_commit(d), 0);
    assert_true(database_not_written(d) > 0);
    says("SELECT page_count*page_size < 9*65536 FROM pragma_page_count(),pragma_page_size()", "1");
    uint32_t first = 0;
    take(d, tell(1, &first, 4, 1, 9, 10));         /* what is there is added to all the same */
    take(d, tell(48, "\1\1\3\15key", 7, 1, 9, 1)); /* and room is left for keys */
    assert_int_equal(database_commit(d), 0);
    says("SELECT count FROM rrset WHERE id=1", "11");
    says("SELECT count(*) FROM key", "1");
}

/* A second run goes on where the first one ended; a file of somebody else is refused. */
static void test_runs(void **state)
{
    struct database *d = *state;
    struct msg_history_end end = {1 * SECOND, 9 * SECOND, 77, 0};
    char why[240];
    take(d, tell(1, "\1\2\3\4", 4, 1, 1, 1));
    assert_int_equal(database_finish(d, &end), 0);
    database_close(d);
    *state = NULL;
    assert_int_equal(lseek(files.journal, 0, SEEK_END), 0); /* all is in the database */
    assert_int_equal(database_open(&run, &d, why, sizeof why), 0);
    take(d, tell(1, "\1\2\3\4", 4, 1, 5, 2));
    assert_int_equal(database_commit(d), 0);
    *state = d;
    says("SELECT count FROM rrset", "3");
    says("SELECT group_concat(id||':'||ended||':'||coalesce(frames,'-'),' ') FROM run",
         "1:1:77 2:0:-");
    database_close(d);
    *state = NULL;
    sqlite3 *db;
    assert_int_equal(sqlite3_open(FILES_DATABASE, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "CREATE TRIGGER t AFTER INSERT ON rrset BEGIN DELETE FROM "
                                  "rrset; END",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(database_open(&run, &d, why, sizeof why), DATABASE_DAMAGED);
    assert_non_null(strstr(why, "another version"));
}

/* A reader in the middle of its work keeps neither the writer nor the next reader waiting, and the
 * end only until it lets go. */
static void test_readers(void **state)
{
    struct database *d = *state;
    struct msg_history_end end = {1, 2, 3, 0};
    sqlite3 *db;
    sqlite3_stmt *s;
    take(d, tell(1, "\1\2\3\4", 4, 1, 1, 1));
    assert_int_equal(database_commit(d), 0);
    assert_int_equal(sqlite3_open_v2(FILES_DATABASE, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT count FROM rrset", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    take(d, tell(1, "\1\2\3\4", 4, 1, 2, 1));
    assert_int_equal(database_commit(d), 0);
    says("SELECT count FROM rrset", "2");
    assert_int_equal(sqlite3_column_int(s, 0), 1);
    assert_int_equal(database_finish(d, &end), 1);
    sqlite3_finalize(s);
    sqlite3_close(db);
    assert_int_equal(database_finish(d, &end), 0);
}

static char *printed(enum report_form form, const struct print_filter *filter)
{
    static const struct print_source source = {"here", "as it is"};
    static char text[1 << 16];
    struct report_out out = {.bytes = text, .room = sizeof text - 1};
    char why[240];
    sqlite3 *db;
    assert_int_equal(sqlite3_open_v2(FILES_DATABASE, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(print_history(db, &source, filter, form, &out, why, sizeof why), 0);
    sqlite3_close(db);
    text[out.size] = '\0';
    return text;
}

static void test_print(void **state)
{
    struct database *d = *state;
    struct print_filter any = {.until_ns = INT64_MAX}, one = any;
    take(d, tell(1, "\1\2\3\4", 4, 1, 100, 1));
    take(d, tell(48, "\1\1\3\15key", 7, 2, 300, 2));
    take(d, tell(16, "\2=1", 3, 1, 100, 1));
    assert_int_equal(database_commit(d), 0);
    const char *text = printed(REPORT_TEXT, &any);
    assert_non_null(strstr(text,
                           "z. A  ttl 300, secure (chain-complete)\n  seen 1 time, 1970-01-01 "
                           "00:01:40 to 1970-01-01 00:01:41, from 192.0.2.1\n    1.2.3.4\n"));
    assert_non_null(strstr(text, "z. DNSKEY  257 3 13, key tag"));
    one.since_ns = 200 * SECOND;
    text = printed(REPORT_CSV, &one);
    assert_non_null(strstr(text, "\"z.\",\"DNSKEY\""));
    assert_null(strstr(text, "\"z.\",\"A\""));
    one = (struct print_filter){.until_ns = INT64_MAX, .type = "TXT", .zone = "z."};
    text = printed(REPORT_JSON, &one);
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    json_t *rrsets = json_object_get(json, "rrsets");
    assert_int_equal(json_array_size(rrsets), 1);
    json_t *rrset = json_array_get(rrsets, 0);
    assert_string_equal(json_string_value(json_array_get(json_object_get(rrset, "rdata"), 0)),
                        "\"=1\"");
    assert_int_equal(json_array_size(json_object_get(rrset, "signatures")), 1);
    json_decref(json);
    one = (struct print_filter){.until_ns = INT64_MAX, .zone = "y."};
    assert_non_null(strstr(printed(REPORT_TEXT, &one), "no rrsets"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_adds_up),      TEST(test_keys),  TEST(test_verdict),
        TEST(test_hostile_text), TEST(test_room),  TEST(test_runs),
        TEST(test_readers),      TEST(test_print), cmocka_unit_test(test_malformed)};
    struct files none = {-1, -1, -1};
    if (mkdtemp(folder) == NULL || files_init(&none))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    static const char *const names[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/history.sqlite%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
    return failed;
}
