/*
 * test_merkle: the tree of RFC 9162 against its definition, known answers, and proofs checked by
 * the verification algorithms of 2.1.3.2 and 2.1.4.2 (written here anew).
 */
#include "evidence/merkle.h"

#include "evidence/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LEAVES 67

static struct hash *sha256;
static uint8_t leaves[LEAVES][HASH_BYTES];
static char lines[LEAVES][16];

static int setup(void **state)
{
    (void)state;
    sha256 = hash_new(HASH_SHA256);
    for (int i = 0; i < LEAVES; i++) {
        snprintf(lines[i], sizeof lines[i], "{\"seq\":%d}", i);
        merkle_leaf(sha256, lines[i], strlen(lines[i]), leaves[i]);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    hash_free(sha256);
    return 0;
}

static void assert_hex(const uint8_t *hash, const char *expected)
{
    char hex[TEXT_HEX_ROOM(HASH_BYTES)];
    text_hex(hash, HASH_BYTES, hex);
    assert_string_equal(hex, expected);
}

/* Of the test vectors of Certificate Transparency (transparency-dev/merkle): inputs "", 00, 10,
 * 2021, 3031, 40414243, 5051525354555657, 606162636465666768696a6b6c6d6e6f. */
static void test_known_answers(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *root; /* of the tree up to and including it */
    } vector[] = {
        {"", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
        {"\x00", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
        {"\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
        {"\x20\x21", 2, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
        {"\x30\x31", 2, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
        {"\x40\x41\x42\x43", 4, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
        {"\x50\x51\x52\x53\x54\x55\x56\x57", 8,
         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
        {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16,
         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
    };
    struct merkle m;
    uint8_t root[HASH_BYTES];
    (void)state;
    merkle_init(&m, sha256);
    merkle_root(&m, root);
    assert_hex(root, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t i = 0; i < sizeof vector / sizeof vector[0]; i++) {
        merkle_add(&m, vector[i].bytes, vector[i].size);
        merkle_root(&m, root);
        assert_hex(root, vector[i].root);
    }
}

static void test_incremental_is_the_definition(void **state)
{
    struct merkle m;
    uint8_t root[HASH_BYTES], defined[HASH_BYTES];
    (void)state;
    merkle_init(&m, sha256);
    for (uint64_t n = 0; n <= LEAVES; n++) {
        merkle_root(&m, root);
        merkle_root_of(sha256, (const uint8_t(*)[HASH_BYTES])leaves, n, defined);
        assert_memory_equal(root, defined, HASH_BYTES);
        assert_int_equal(m.size, n);
        if (n < LEAVES)
            merkle_add(&m, lines[n], strlen(lines[n]));
    }
}

static void join(const uint8_t *left, const uint8_t *right, uint8_t *ret)
{
    uint8_t both[1 + 2 * HASH_BYTES] = {MERKLE_NODE_PREFIX};
    memcpy(both + 1, left, HASH_BYTES);
    memcpy(both + 1 + HASH_BYTES, right, HASH_BYTES);
    hash_once(sha256, both, sizeof both, ret);
}

/* RFC 9162 2.1.3.2 */
static bool included(const uint8_t *leaf, uint64_t index, uint64_t size, const uint8_t *root,
                     uint8_t (*path)[HASH_BYTES], size_t count)
{
    uint64_t fn = index, sn = size - 1;
    uint8_t r[HASH_BYTES];
    memcpy(r, leaf, sizeof r);
    for (size_t i = 0; i < count; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) || fn == sn) {
            join(path[i], r, r);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            join(r, path[i], r);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && memcmp(r, root, sizeof r) == 0;
}

static void test_inclusion(void **state)
{
    uint8_t path[MERKLE_DEPTH][HASH_BYTES], root[HASH_BYTES];
    (void)state;
    for (uint64_t n = 1; n <= LEAVES; n++) {
        merkle_root_of(sha256, (const uint8_t(*)[HASH_BYTES])leaves, n, root);
        for (uint64_t i = 0; i < n; i++) {
            size_t count =
                merkle_inclusion(sha256, (const uint8_t(*)[HASH_BYTES])leaves, n, i, path);
            assert_true(included(leaves[i], i, n, root, path, count));
            assert_false(included(leaves[(i + 1) % LEAVES], i, n, root, path, count));
            if (count > 0) {
                path[count - 1][0] ^= 1;
                assert_false(included(leaves[i], i, n, root, path, count));
            }
        }
    }
}

/* RFC 9162 2.1.4.2 */
static bool consistent(uint64_t first, uint64_t second, const uint8_t *first_root,
                       const uint8_t *second_root, uint8_t (*path)[HASH_BYTES], size_t count)
{
    uint8_t fr[HASH_BYTES], sr[HASH_BYTES];
    uint64_t fn = first - 1, sn = second - 1;
    size_t i = 0;
    if (first == second)
        return count == 0 && memcmp(first_root, second_root, HASH_BYTES) == 0;
    while (fn & 1) {
        fn >>= 1;
        sn >>= 1;
    }
    if ((first & (first - 1)) == 0)
        memcpy(fr, first_root, HASH_BYTES);
    else if (count == 0)
        return false;
    else
        memcpy(fr, path[i++], HASH_BYTES);
    memcpy(sr, fr, HASH_BYTES);
    for (; i < count; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) || fn == sn) {
            join(path[i], fr, fr);
            join(path[i], sr, sr);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            join(sr, path[i], sr);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && memcmp(fr, first_root, HASH_BYTES) == 0 &&
           memcmp(sr, second_root, HASH_BYTES) == 0;
}

static void test_consistency(void **state)
{
    uint8_t path[MERKLE_DEPTH + 1][HASH_BYTES], before[HASH_BYTES], after[HASH_BYTES];
    const uint8_t(*all)[HASH_BYTES] = (const uint8_t(*)[HASH_BYTES])leaves;
    (void)state;
    for (uint64_t n = 1; n <= LEAVES; n++) {
        merkle_root_of(sha256, all, n, after);
        for (uint64_t m = 1; m <= n; m++) {
            merkle_root_of(sha256, all, m, before);
            size_t count = merkle_consistency(sha256, all, n, m, path);
            assert_true(consistent(m, n, before, after, path, count));
            before[0] ^= 1;
            assert_false(consistent(m, n, before, after, path, count));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_incremental_is_the_definition),
        cmocka_unit_test(test_inclusion),
        cmocka_unit_test(test_consistency),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
