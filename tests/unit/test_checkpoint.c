/*
 * test_checkpoint: the note's bytes against a fixed example and against OpenSSL, the epoch's rules,
 * and the texts it is made of (base64, times, names, UTF-8).
 */
#include "evidence/checkpoint.h"

#include "evidence/epoch.h"
#include "evidence/text.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char origin[] = "dnsbailiff/test/20261122t083034z-01234567";

static void test_text(void **state)
{
    uint8_t root[HASH_BYTES];
    char text[CHECKPOINT_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof root; i++)
        root[i] = (uint8_t)i;
    size_t n = checkpoint_text(origin, 12345, root, text);
    static const char expected[] = "dnsbailiff/test/20261122t083034z-01234567\n12345\n"
                                   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
    assert_int_equal(n, sizeof expected - 1);
    assert_memory_equal(text, expected, n);
}

/* The key id of C2SP signed-note's own example:
 * PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW */
static void test_key_id(void **state)
{
    uint8_t decoded[36], id[CHECKPOINT_KEY_ID];
    (void)state;
    assert_int_equal(
        EVP_DecodeBlock(decoded, (const uint8_t *)"ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                        44),
        33);
    assert_int_equal(decoded[0], CHECKPOINT_ALG);
    checkpoint_key_id("PeterNeumann", decoded + 1, id);
    assert_memory_equal(id, "\xc7\x4f\x20\xa3", sizeof id);
}

static void test_origins(void **state)
{
    (void)state;
    assert_true(checkpoint_origin_fits(origin));
    assert_false(checkpoint_origin_fits(""));
    assert_false(checkpoint_origin_fits("two words"));
    assert_false(checkpoint_origin_fits("a+b"));
    assert_false(checkpoint_origin_fits("a\nb"));
    assert_false(checkpoint_origin_fits("\xc3\xa9"));
}

static int verify(const uint8_t *key, const char *text, size_t size, const uint8_t *signature)
{
    EVP_PKEY *pub = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, ED25519_KEY_BYTES);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(c, NULL, NULL, NULL, pub), 1);
    int good = EVP_DigestVerify(c, signature, ED25519_SIG_BYTES, (const uint8_t *)text, size);
    EVP_MD_CTX_free(c);
    EVP_PKEY_free(pub);
    return good == 1;
}

static void test_note(void **state)
{
    struct epoch *e = epoch_new(origin);
    uint8_t root[HASH_BYTES] = {7}, key[ED25519_KEY_BYTES], line[80], id[CHECKPOINT_KEY_ID];
    char note[CHECKPOINT_MAX], prefix[TEXT_MAX];
    size_t length;
    (void)state;
    assert_int_equal(epoch_public(e, key), EPOCH_OK);
    assert_int_equal(epoch_checkpoint(e, 0, 3, root, note, &length), EPOCH_OK);
    char *blank = memmem(note, length, "\n\n", 2);
    assert_non_null(blank);
    int n = snprintf(prefix, sizeof prefix, "\n\n" CHECKPOINT_DASH "%s ", origin);
    assert_memory_equal(blank, prefix, (size_t)n);
    assert_int_equal(note[length - 1], '\n');
    const char *base64 = blank + n;
    assert_int_equal(note + length - 1 - base64, 92);
    assert_int_equal(EVP_DecodeBlock(line, (const uint8_t *)base64, 92), 69);
    checkpoint_key_id(origin, key, id);
    assert_memory_equal(line, id, sizeof id);
    size_t text = (size_t)(blank + 1 - note);
    assert_true(verify(key, note, text, line + CHECKPOINT_KEY_ID));
    note[0] ^= 1;
    assert_false(verify(key, note, text, line + CHECKPOINT_KEY_ID));
    epoch_free(e);
}

static void test_sizes_only_grow(void **state)
{
    struct epoch *e = epoch_new(origin);
    uint8_t root[HASH_BYTES] = {0};
    char note[CHECKPOINT_MAX];
    size_t length;
    (void)state;
    assert_int_equal(epoch_checkpoint(e, 0, 0, root, note, &length), EPOCH_NOT_GROWING);
    assert_int_equal(epoch_checkpoint(e, 0, 5, root, note, &length), EPOCH_OK);
    assert_int_equal(epoch_checkpoint(e, 0, 5, root, note, &length), EPOCH_NOT_GROWING);
    assert_int_equal(epoch_checkpoint(e, 0, 4, root, note, &length), EPOCH_NOT_GROWING);
    assert_int_equal(epoch_checkpoint(e, 1, 6, root, note, &length), EPOCH_WRONG_NUMBER);
    assert_int_equal(epoch_checkpoint(e, 0, 6, root, note, &length), EPOCH_OK);
    epoch_free(e);
}

static void test_rotation(void **state)
{
    struct epoch *e = epoch_new(origin);
    uint8_t first[ED25519_KEY_BYTES], next[ED25519_KEY_BYTES], again[ED25519_KEY_BYTES];
    uint8_t root[HASH_BYTES] = {0};
    char note[CHECKPOINT_MAX];
    size_t length;
    (void)state;
    assert_int_equal(epoch_public(e, first), EPOCH_OK);
    assert_int_equal(epoch_prepare(e, next), EPOCH_OK);
    assert_int_equal(epoch_prepare(e, again), EPOCH_OK);
    assert_memory_equal(next, again, sizeof next); /* published once, so made once */
    assert_memory_not_equal(first, next, sizeof next);
    assert_int_equal(epoch_checkpoint(e, 0, 9, root, note, &length), EPOCH_OK);
    assert_int_equal(epoch_rotate(e), EPOCH_OK);
    assert_int_equal(epoch_public(e, again), EPOCH_OK);
    assert_memory_equal(next, again, sizeof next);
    assert_int_equal(epoch_checkpoint(e, 0, 10, root, note, &length), EPOCH_WRONG_NUMBER);
    assert_int_equal(epoch_checkpoint(e, 1, 9, root, note, &length), EPOCH_NOT_GROWING);
    assert_int_equal(epoch_checkpoint(e, 1, 10, root, note, &length), EPOCH_OK);
    assert_int_equal(epoch_rotate(e), EPOCH_OK); /* nothing prepared: the end */
    assert_int_equal(epoch_public(e, again), EPOCH_ERASED);
    assert_int_equal(epoch_prepare(e, again), EPOCH_ERASED);
    assert_int_equal(epoch_checkpoint(e, 2, 11, root, note, &length), EPOCH_ERASED);
    assert_int_equal(epoch_rotate(e), EPOCH_ERASED);
    epoch_free(e);
}

static void test_base64(void **state)
{
    static const struct {
        const char *bytes, *text;
    } t[] = {{"", ""},
             {"f", "Zg=="},
             {"fo", "Zm8="},
             {"foo", "Zm9v"},
             {"foob", "Zm9vYg=="},
             {"fooba", "Zm9vYmE="},
             {"foobar", "Zm9vYmFy"}};
    char text[16];
    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        assert_int_equal(text_base64((const uint8_t *)t[i].bytes, strlen(t[i].bytes), text),
                         strlen(t[i].text));
        assert_string_equal(text, t[i].text);
    }
}

static void test_times(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } t[] = {{0, "1970-01-01T00:00:00.000000000Z"},
             {-1, "1969-12-31T23:59:59.999999999Z"},
             {INT64_C(1795336234123456789), "2026-11-22T08:30:34.123456789Z"},
             {INT64_C(1709164800000000000), "2024-02-29T00:00:00.000000000Z"},
             {INT64_MAX / 1000000000 * 1000000000 - 2000000000, "2262-04-11T23:47:14.000000000Z"}};
    static const char *const bad[] = {
        "2026-02-30T00:00:00.000000000Z", "2026-11-22T08:30:34.12345678Z",
        "2026-11-22T08:30:34.123456789+", "2026-11-22 08:30:34.123456789Z",
        "2026-13-01T00:00:00.000000000Z", "9999-01-01T00:00:00.000000000Z"};
    char text[TEXT_TIME_ROOM];
    int64_t ns;
    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        text_time(t[i].ns, text);
        assert_string_equal(text, t[i].text);
        assert_true(text_parse_time(text, strlen(text), &ns));
        assert_int_equal(ns, t[i].ns);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(text_parse_time(bad[i], strlen(bad[i]), &ns));
    text_time_id(1795336234, text);
    assert_string_equal(text, "20261122t083034z");
}

static void test_member_names(void **state)
{
    static const struct {
        const char *path, *name;
    } t[] = {{"/a/b/Capture 1.PCAP", "capture_1.pcap"},
             {"plain.zone", "plain.zone"},
             {"../..", "_."},
             {"dir/", "_"},
             {".hidden", "_hidden"},
             {"a\xc3\xa9\n", "a___"}};
    char name[NAME_MAX_KEPT + 1], longer[300];
    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        text_member_name(t[i].path, name, sizeof name);
        assert_string_equal(name, t[i].name);
    }
    memset(longer, 'x', sizeof longer);
    memcpy(longer + sizeof longer - 6, ".zone", 6);
    text_member_name(longer, name, sizeof name);
    assert_int_equal(strlen(name), NAME_MAX_KEPT);
    assert_string_equal(name + NAME_MAX_KEPT - 5, ".zone");
}

static void test_clean_text(void **state)
{
    static const struct {
        const char *bytes;
        bool clean, lines;
    } t[] = {{"plain", true, true},
             {"a\nb\tc", false, true},
             {"a\rb", false, false},
             {"\x1f", false, false},
             {"\xc3\xa9", true, true},
             {"\xe2\x80\x94", true, true},
             {"\xf0\x9f\x98\x80", true, true},
             {"\xc0\x80", false, false},         /* overlong */
             {"\xe0\x9f\xbf", false, false},     /* overlong */
             {"\xed\xa0\x80", false, false},     /* surrogate */
             {"\xf4\x90\x80\x80", false, false}, /* above U+10FFFF */
             {"\xe2\x80", false, false},         /* cut */
             {"\x80", false, false}};
    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        assert_int_equal(text_is_clean(t[i].bytes, strlen(t[i].bytes), false), t[i].clean);
        assert_int_equal(text_is_clean(t[i].bytes, strlen(t[i].bytes), true), t[i].lines);
    }
    assert_false(text_is_clean("a\0b", 3, true));
    /* Every byte at every place of a word. */
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < 20; at++) {
            char text[21] = "abcdefghijklmnopqrst";
            text[at] = (char)byte;
            assert_int_equal(text_is_clean(text, 20, false), byte >= 0x20 && byte < 0x80);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_key_id),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_note),
        cmocka_unit_test(test_sizes_only_grow),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_member_names),
        cmocka_unit_test(test_clean_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
