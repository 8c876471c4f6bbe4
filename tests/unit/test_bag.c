/*
 * test_bag: the archive byte by byte against evidence/format.h's tar profile, manifests, order,
 * determinism, and what ends the process.
 */
#include "evidence/bag.h"

#include "evidence/format.h"
#include "evidence/hash.h"
#include "evidence/readme.h"
#include "evidence/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MTIME 1795336234
static const char id[] = "dnsbailiff-test-20261122t083034z-01234567";
static char signed_text[4096];

static void sign(void *context, const char *tagmanifest, size_t size,
                 struct bag_signatures *ret_signatures)
{
    (void)context;
    assert_true(size < sizeof signed_text);
    memcpy(signed_text, tagmanifest, size);
    signed_text[size] = '\0';
    *ret_signatures = (struct bag_signatures){.seal = (uint8_t *)strdup("seal"),
                                              .seal_size = 4,
                                              .chain = strdup("chain"),
                                              .chain_size = 5};
}

/* A file of `size` bytes. */
static int source(size_t size)
{
    int fd = memfd_create("source", 0);
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(i * 7 + i / 251);
        assert_int_equal(write(fd, &byte, 1), 1);
    }
    return fd;
}

static int make(bool reversed)
{
    struct bag *b = bag_new();
    int out = memfd_create("bag", 0);
    int files[] = {source(0), source(511), source(512), source(513)};
    char longer[TAR_NAME_MAX + 1];
    memset(longer, 'z', sizeof longer);
    memcpy(longer, "data/capture/", 13);
    longer[TAR_NAME_MAX] = '\0';
    for (int i = 0; i < 4; i++) {
        int k = reversed ? 3 - i : i;
        char path[64];
        snprintf(path, sizeof path, "data/log/%d", k);
        bag_add_file(b, path, files[k], NULL, (uint64_t)(k == 0 ? 0 : 510 + k));
    }
    bag_add_bytes(b, longer, "long", 4); /* with the top folder above 100 bytes */
    bag_add_bytes(b, BUNDLE_BAGIT, BAGIT_TXT, sizeof BAGIT_TXT - 1);
    uint64_t bytes, count;
    bag_payload(b, &bytes, &count);
    assert_int_equal(bytes, 511 + 512 + 513 + 4);
    assert_int_equal(count, 5);
    bag_write(b, &(struct bag_options){.id = id, .mtime = MTIME, .out = out, .sign = sign});
    bag_free(b);
    for (int i = 0; i < 4; i++)
        close(files[i]);
    return out;
}

static uint8_t *load(int fd, size_t *ret_size)
{
    off_t size = lseek(fd, 0, SEEK_END);
    uint8_t *bytes = malloc((size_t)size);
    assert_int_equal(pread(fd, bytes, (size_t)size, 0), size);
    close(fd);
    *ret_size = (size_t)size;
    return bytes;
}

/* The header that format.h prescribes, made anew. */
static void prescribed(const char *path, size_t size, uint8_t ret_header[TAR_BLOCK])
{
    char field[16];
    unsigned sum = 0;
    memset(ret_header, 0, TAR_BLOCK);
    if (strlen(path) <= TAR_NAME_MAX) {
        memcpy(ret_header, path, strlen(path));
    } else {
        const char *slash = strchr(path + strlen(path) - TAR_NAME_MAX - 1, '/');
        memcpy(ret_header, slash + 1, strlen(slash + 1));
        memcpy(ret_header + 345, path, (size_t)(slash - path));
    }
    memcpy(ret_header + 100, "000444 ", 7);
    memcpy(ret_header + 108, "000000 ", 7);
    memcpy(ret_header + 116, "000000 ", 7);
    snprintf(field, sizeof field, "%011zo ", size);
    memcpy(ret_header + 124, field, 12);
    snprintf(field, sizeof field, "%011o ", MTIME);
    memcpy(ret_header + 136, field, 12);
    memcpy(ret_header + 148, "        ", 8);
    ret_header[156] = '0';
    memcpy(ret_header + 257,
           "ustar\0"
           "00",
           8);
    memcpy(ret_header + 329, "000000 ", 7);
    memcpy(ret_header + 337, "000000 ", 7);
    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += ret_header[i];
    snprintf(field, sizeof field, "%06o", sum);
    memcpy(ret_header + 148, field, 7);
}

static void test_every_header(void **state)
{
    size_t size, at = 0, members = 0;
    uint8_t *tar = load(make(false), &size), header[TAR_BLOCK];
    char path[300], before[300] = "";
    (void)state;
    while (at + TAR_BLOCK * TAR_END_BLOCKS < size) {
        const char *prefix = (const char *)tar + at + 345, *name = (const char *)tar + at;
        snprintf(path, sizeof path, "%.155s%s%.100s", prefix, *prefix ? "/" : "", name);
        size_t bytes = strtoul((const char *)tar + at + 124, NULL, 8);
        prescribed(path, bytes, header);
        assert_memory_equal(tar + at, header, TAR_BLOCK);
        assert_true(strcmp(before, path) < 0);
        memcpy(before, path, sizeof path);
        at += TAR_BLOCK + bytes;
        while (at % TAR_BLOCK != 0)
            assert_int_equal(tar[at++], 0);
        members++;
    }
    assert_int_equal(members, 6 + 2 + 2 + 2);
    assert_int_equal(size - at, TAR_BLOCK * TAR_END_BLOCKS);
    while (at < size)
        assert_int_equal(tar[at++], 0);
    free(tar);
}

static void test_order_of_naming_is_nothing(void **state)
{
    size_t one, other;
    uint8_t *a = load(make(false), &one), *b = load(make(true), &other);
    (void)state;
    assert_int_equal(one, other);
    assert_memory_equal(a, b, one);
    free(a);
    free(b);
}

static void test_manifests(void **state)
{
    size_t size;
    uint8_t *tar = load(make(false), &size), digest[HASH_SHA512_BYTES];
    char line[300], hex[TEXT_HEX_ROOM(HASH_SHA512_BYTES)];
    struct hash *h = hash_new(HASH_SHA512);
    (void)state;
    hash_once(h, "", 0, digest);
    text_hex(digest, sizeof digest, hex);
    snprintf(line, sizeof line, "%s  data/log/0\n", hex);
    assert_non_null(memmem(tar, size, line, strlen(line)));
    hash_once(h, BAGIT_TXT, sizeof BAGIT_TXT - 1, digest);
    text_hex(digest, sizeof digest, hex);
    snprintf(line, sizeof line, "%s  bagit.txt\n", hex);
    assert_non_null(strstr(signed_text, line));
    assert_non_null(strstr(signed_text, "  manifest-sha256.txt\n"));
    assert_non_null(strstr(signed_text, "  manifest-sha512.txt\n"));
    assert_null(strstr(signed_text, "data/"));
    assert_null(strstr(signed_text, "signatures/"));
    hash_free(h);
    free(tar);
}

/* A bag that cannot be whole is no bag: the process ends. */
static void too_short(void)
{
    struct bag *b = bag_new();
    bag_add_file(b, "data/a", source(10), NULL, 11);
    bag_write(b, &(struct bag_options){
                     .id = id, .mtime = MTIME, .out = memfd_create("bag", 0), .sign = sign});
}

static void twice(void)
{
    struct bag *b = bag_new();
    bag_add_bytes(b, "data/a", "1", 1);
    bag_add_bytes(b, "data/a", "2", 1);
    bag_write(b, &(struct bag_options){
                     .id = id, .mtime = MTIME, .out = memfd_create("bag", 0), .sign = sign});
}

static void too_large(void)
{
    bag_add_file(bag_new(), "data/a", 0, NULL, TAR_MEMBER_MAX + 1);
}

static void storage_full(void)
{
    struct bag *b = bag_new();
    bag_add_bytes(b, "data/a", "1", 1);
    bag_write(b, &(struct bag_options){
                     .id = id, .mtime = MTIME, .out = open("/dev/full", O_WRONLY), .sign = sign});
}

static void name_does_not_fit(void)
{
    struct bag *b = bag_new();
    char path[200] = "data/";
    memset(path + 5, 'x', 120);
    bag_add_bytes(b, path, "1", 1);
    bag_write(b, &(struct bag_options){
                     .id = id, .mtime = MTIME, .out = memfd_create("bag", 0), .sign = sign});
}

static void test_ends_the_process(void **state)
{
    void (*const wrong[])(void) = {too_short, twice, too_large, storage_full, name_does_not_fit};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            int null = open("/dev/null", O_WRONLY);
            dup2(null, STDERR_FILENO);
            wrong[i]();
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 1);
    }
}

static void test_bag_info(void **state)
{
    struct readme_facts f = {.id = id,
                             .origin = "dnsbailiff/test/x",
                             .log_size = 17,
                             .sealed = MTIME,
                             .epoch = MTIME + 5,
                             .payload_bytes = 1540,
                             .payload_files = 5,
                             .ephemeral = true};
    char text[README_MAX];
    static const char expected[] =
        "Bag-Software-Agent: dnsbailiff " DNSBAILIFF_VERSION "\n"
        "Bagging-Date: 2026-11-22\n"
        "Payload-Oxum: 1540.5\n"
        "External-Identifier: dnsbailiff-test-20261122t083034z-01234567\n"
        "Dnsbailiff-Format: 1\n"
        "Log-Origin: dnsbailiff/test/x\n"
        "Log-Size: 17\n"
        "Log-Root: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
        "Sealing-Time: 2026-11-22T08:30:34Z\n"
        "Verify-Epoch: 1795336239\n"
        "Disclosure: full\n"
        "Seal: ephemeral\n";
    (void)state;
    assert_int_equal(readme_bag_info(&f, text), sizeof expected - 1);
    assert_string_equal(text, expected);
    assert_true(readme_text(&f, text) > 1000);
    assert_non_null(strstr(text, "  EPOCH=1795336239\n"));
    assert_non_null(strstr(text, "EPHEMERAL"));
    f.ephemeral = false;
    readme_text(&f, text);
    assert_null(strstr(text, "EPHEMERAL"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_header), cmocka_unit_test(test_order_of_naming_is_nothing),
        cmocka_unit_test(test_manifests),    cmocka_unit_test(test_ends_the_process),
        cmocka_unit_test(test_bag_info),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
