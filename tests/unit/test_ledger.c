/*
 * test_ledger: the log's chain, its epochs and checkpoints, as the real sign answers; and that a
 * log found again is the one that was signed (head), or is named for what it is (archive).
 */
#include "evidence/ledger.h"

#include "evidence/archive.h"
#include "evidence/head.h"
#include "evidence/merkle.h"
#include "tests/unit/sign_child.h"
#include "tests/unit/tempdir.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#define ORIGIN "dnsbailiff/test/20261122t083034z-01234567"

struct fixture {
    struct tempdir temp;
    int log;
    unsigned settled;
};

static int setup(void **state)
{
    static struct fixture f;
    if (tempdir_make(&f.temp) != 0 || mkdirat(f.temp.dir, "log", 0755) != 0)
        return -1;
    f.log = openat(f.temp.dir, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    f.settled = 0;
    *state = &f;
    return 0;
}

static void empty(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *e; list && (e = readdir(list)) != NULL;)
        (void)unlinkat(fd, e->d_name, 0);
    if (list)
        (void)closedir(list);
    (void)unlinkat(dir, name, AT_REMOVEDIR);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    static const char *const logs[] = {"log", "log-0001"};
    close(f->log);
    for (size_t i = 0; i < 2; i++) {
        int fd = openat(f->temp.dir, logs[i], O_RDONLY | O_DIRECTORY);
        if (fd >= 0) {
            empty(fd, "checkpoints");
            close(fd);
        }
        empty(f->temp.dir, logs[i]);
    }
    return tempdir_remove(&f->temp);
}

static void settle(void *context)
{
    ((struct fixture *)context)->settled++;
}

/* A log of `records` records of its own, closed or left as it is. */
static void write_here(struct fixture *f, uint64_t records, uint64_t epoch, bool closed)
{
    struct sign_child child = sign_child_start();
    struct channel *c = channel_new(child.fd);
    struct ledger *l = ledger_open(&(struct ledger_options){.dir = f->log,
                                                            .sign = c,
                                                            .origin = ORIGIN,
                                                            .epoch_records = epoch,
                                                            .settle = settle,
                                                            .context = f});
    for (uint64_t i = 0; i + 1 < records; i++) {
        json_string(ledger_begin(l, "key"), "text", "\"quoted\" \\ and \x01 and \xc3\xa9");
        ledger_commit(l);
        if (i == 1)
            ledger_checkpoint(l);
    }
    json_string(ledger_begin(l, closed ? "close" : "key"), "text", "last");
    ledger_commit(l);
    if (closed)
        ledger_close(l);
    channel_free(c);
    assert_int_equal(sign_child_end(&child), 0);
}

/* Not closed is as after a crash, and so it is one: of a child. */
static void write_log(struct fixture *f, uint64_t records, uint64_t epoch, bool closed)
{
    int status;
    if (closed) {
        write_here(f, records, epoch, true);
        return;
    }
    pid_t child = fork();
    if (child == 0) {
        write_here(f, records, epoch, false);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static char *load(int dir, const char *name, size_t *ret_size)
{
    struct stat st;
    int fd = openat(dir, name, O_RDONLY);
    if (fd < 0)
        return NULL;
    assert_int_equal(fstat(fd, &st), 0);
    char *text = calloc(1, (size_t)st.st_size + 1);
    assert_int_equal(read(fd, text, (size_t)st.st_size), st.st_size);
    close(fd);
    *ret_size = (size_t)st.st_size;
    return text;
}

static void check_signature(const char *key64, const char *note)
{
    uint8_t key[48], line[80];
    const char *blank = strstr(note, "\n\n");
    assert_non_null(blank);
    const char *last = strrchr(blank + 5, ' '); /* behind the dash and the name */
    assert_int_equal(EVP_DecodeBlock(key, (const uint8_t *)key64, 44), 33);
    assert_int_equal(EVP_DecodeBlock(line, (const uint8_t *)last + 1, 92), 69);
    EVP_PKEY *pub = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, 32);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(c, NULL, NULL, NULL, pub), 1);
    assert_int_equal(EVP_DigestVerify(c, line + CHECKPOINT_KEY_ID, ED25519_SIG_BYTES,
                                      (const uint8_t *)note, (size_t)(blank + 1 - note)),
                     1);
    EVP_MD_CTX_free(c);
    EVP_PKEY_free(pub);
}

/* Every record's chain; every checkpoint that there must be, by the key of its epoch. */
static void check_log(struct fixture *f, uint64_t records, uint64_t epoch_records)
{
    size_t size, note_size, key_size;
    char *text = load(f->log, "log.jsonl", &size), *key0 = load(f->log, "key0.b64", &key_size);
    char key[45], prev[65], expected[160], name[64];
    struct hash *h = hash_new(HASH_SHA256);
    struct merkle tree;
    uint8_t digest[HASH_BYTES], root[HASH_BYTES];
    uint64_t epoch = 0, seq = 0;
    assert_non_null(text);
    assert_int_equal(key_size, KEY0_B64_BYTES);
    memcpy(key, key0, 44);
    key[44] = '\0';
    memcpy(prev, LOG_PREV_NONE, sizeof prev);
    merkle_init(&tree, h);
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, seq++) {
        int n = snprintf(expected, sizeof expected, "{\"seq\":%llu,\"prev\":\"%s\",\"type\":\"",
                         (unsigned long long)seq, prev);
        assert_memory_equal(line, expected, (size_t)n);
        assert_int_equal(end[-1], '}');
        hash_once(h, line, (size_t)(end + 1 - line), digest);
        text_hex(digest, sizeof digest, prev);
        merkle_add(&tree, line, (size_t)(end - line));
        bool ends_epoch = strncmp(line + n, "epoch\"", 6) == 0;
        assert_int_equal(ends_epoch, seq % epoch_records == epoch_records - 1);
        snprintf(name, sizeof name, "checkpoints/" NAME_CHECKPOINT, (unsigned)epoch,
                 (unsigned long long)seq + 1);
        char *note = load(f->log, name, &note_size);
        assert_true(note || (!ends_epoch && seq + 1 < records));
        if (note) {
            char base64[TEXT_BASE64_ROOM(HASH_BYTES)];
            merkle_root(&tree, root);
            text_base64(root, sizeof root, base64);
            n = snprintf(expected, sizeof expected, ORIGIN "\n%llu\n%s\n\n",
                         (unsigned long long)seq + 1, base64);
            assert_memory_equal(note, expected, (size_t)n);
            check_signature(key, note);
            free(note);
        }
        if (ends_epoch) {
            char *next = strstr(line, "\"next_key\":\"");
            assert_non_null(next);
            memcpy(key, next + 12, 44);
            epoch++;
        }
    }
    assert_int_equal(seq, records);
    hash_free(h);
    free(text);
    free(key0);
}

static void test_log(void **state)
{
    struct fixture *f = *state;
    /* 10 records of its own in epochs of 4: 3 + epoch, 3 + epoch, 3 + epoch, 1 */
    write_log(f, 10, 4, true);
    check_log(f, 13, 4);
    assert_true(f->settled >= 4);
}

static void test_close_may_fill_the_epoch(void **state)
{
    struct fixture *f = *state;
    write_log(f, 6, 4, true); /* 3 + epoch, 3 */
    check_log(f, 7, 4);
}

static void test_smallest_epochs(void **state)
{
    struct fixture *f = *state;
    write_log(f, 5, 2, true);
    check_log(f, 9, 2);
}

static void test_head(void **state)
{
    struct fixture *f = *state;
    struct head h;
    char why[160];
    size_t size;
    assert_int_equal(head_read(f->temp.dir, &h, why, sizeof why), -1);
    write_log(f, 10, 4, true);
    assert_int_equal(head_read(f->temp.dir, &h, why, sizeof why), 0);
    free(load(f->log, "log.jsonl", &size));
    assert_int_equal(h.size, 13);
    assert_int_equal(h.bytes, size);
    assert_string_equal(h.origin, ORIGIN);
    assert_string_equal(h.sensor, "test");
    assert_true(h.time_ns > INT64_C(1700000000000000000));
    /* One bit of a record, then one record less. */
    int fd = openat(f->log, "log.jsonl", O_RDWR);
    char byte;
    assert_int_equal(pread(fd, &byte, 1, 100), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, 100), 1);
    assert_int_equal(head_read(f->temp.dir, &h, why, sizeof why), -1);
    assert_non_null(strstr(why, "not the one"));
    assert_int_equal(ftruncate(fd, (off_t)size - 10), 0);
    assert_int_equal(head_read(f->temp.dir, &h, why, sizeof why), -1);
    assert_non_null(strstr(why, "shorter"));
    close(fd);
}

/* What was written after the last checkpoint does not count. */
static void test_head_after_a_crash(void **state)
{
    struct fixture *f = *state;
    struct head h;
    char why[160];
    write_log(f, 6, 100, false);
    assert_int_equal(head_read(f->temp.dir, &h, why, sizeof why), 0);
    assert_int_equal(h.size, 2);
}

static void check_archive(struct fixture *f, uint64_t size, const char *expected)
{
    struct archive_head a;
    archive_previous(f->temp.dir, &a);
    assert_true(a.found);
    assert_string_equal(a.log, "log-0001");
    assert_int_equal(a.size, size);
    assert_string_equal(a.state, expected);
    assert_int_equal(faccessat(f->temp.dir, "log", F_OK, 0), -1);
    assert_int_equal(faccessat(f->temp.dir, "log-0001/log.jsonl", F_OK, 0), 0);
    archive_previous(f->temp.dir, &a);
    assert_false(a.found);
}

static void test_archive_closed(void **state)
{
    write_log(*state, 5, 100, true);
    check_archive(*state, 5, "closed");
}

static void test_archive_open(void **state)
{
    write_log(*state, 5, 100, false);
    check_archive(*state, 5, "open");
}

static void test_archive_torn(void **state)
{
    struct fixture *f = *state;
    size_t size;
    write_log(f, 5, 100, false);
    free(load(f->log, "log.jsonl", &size));
    int fd = openat(f->log, "log.jsonl", O_RDWR);
    assert_int_equal(ftruncate(fd, (off_t)size - 1), 0);
    close(fd);
    check_archive(f, 4, "open");
}

static void test_archive_damaged(void **state)
{
    struct fixture *f = *state;
    write_log(f, 5, 100, true);
    int fd = openat(f->log, "log.jsonl", O_RDWR);
    assert_int_equal(pwrite(fd, "x", 1, 3), 1);
    close(fd);
    check_archive(f, 5, "damaged");
}

static void test_archive_shorter_than_signed(void **state)
{
    struct fixture *f = *state;
    write_log(f, 5, 100, true);
    int fd = openat(f->log, "log.jsonl", O_RDWR);
    assert_int_equal(ftruncate(fd, 0), 0);
    close(fd);
    check_archive(f, 0, "damaged");
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_log),
        IN_FOLDER(test_close_may_fill_the_epoch),
        IN_FOLDER(test_smallest_epochs),
        IN_FOLDER(test_head),
        IN_FOLDER(test_head_after_a_crash),
        IN_FOLDER(test_archive_closed),
        IN_FOLDER(test_archive_open),
        IN_FOLDER(test_archive_torn),
        IN_FOLDER(test_archive_damaged),
        IN_FOLDER(test_archive_shorter_than_signed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
