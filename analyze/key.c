/*
 * key: DNSKEY decoding and signature checks with OpenSSL 3.
 *
 * Contained in: analyze, tests, bench. Must never be given a length that was not checked here.
 */
#include "analyze/key.h"

#include "analyze/name.h"
#include "rules/algorithm.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

/* RFC 3110 2 ends at 4096 bits. Beyond 64 bits an exponent only serves to burn the verifier's time.
 */
#define RSA_MODULUS_MAX  512
#define RSA_EXPONENT_MAX 8
#define RSA_MODULUS_MIN  64

bool key_algorithm_supported(uint8_t algorithm)
{
    switch (algorithm) {
#define X(number, mnemonic, checked, signing, validation, reference)                               \
    case number:                                                                                   \
        return checked;
        ALGORITHMS(X)
#undef X
    default:
        return false;
    }
}

size_t key_digest_size(uint8_t digest_type)
{
    switch (digest_type) {
#define X(number, mnemonic, bytes, checked, delegation, validation, reference)                     \
    case number:                                                                                   \
        return (checked) ? bytes : 0;
        DIGESTS(X)
#undef X
    default:
        return 0;
    }
}

uint16_t key_tag(const uint8_t *rdata, size_t size)
{
    if (size < 4)
        return 0;
    if (rdata[3] == 1) /* RSAMD5: RFC 4034 B.1 */
        return (uint16_t)(size < 7 ? 0 : rdata[size - 3] << 8 | rdata[size - 2]);
    uint32_t sum = 0;
    size_t pairs = size / 2;
    for (size_t i = 0; i < pairs; i++)
        sum += (uint32_t)rdata[2 * i] << 8 | rdata[2 * i + 1];
    if (size & 1)
        sum += (uint32_t)rdata[size - 1] << 8;
    sum += sum >> 16 & 0xffff;
    return (uint16_t)(sum & 0xffff);
}

static const EVP_MD *digest_of(uint8_t algorithm)
{
    switch (algorithm) {
    case 5:
    case 7:
        return EVP_sha1();
    case 8:
    case 13:
        return EVP_sha256();
    case 14:
        return EVP_sha384();
    case 10:
        return EVP_sha512();
    default:
        return NULL;
    }
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (ctx && params && EVP_PKEY_fromdata_init(ctx) > 0 &&
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* RFC 3110 2: exponent length in one byte, or 0 and two bytes. */
static EVP_PKEY *decode_rsa(struct key *key, const uint8_t *bytes, size_t size)
{
    size_t head = 1, exponent = size > 0 ? bytes[0] : 0;
    if (size >= 3 && exponent == 0) {
        head = 3;
        exponent = (size_t)bytes[1] << 8 | bytes[2];
    }
    if (exponent == 0 || exponent > RSA_EXPONENT_MAX || size < head + exponent)
        return NULL;
    const uint8_t *modulus = bytes + head + exponent;
    size_t length = size - head - exponent;
    if (length < RSA_MODULUS_MIN || length > RSA_MODULUS_MAX || modulus[0] == 0 ||
        !(modulus[length - 1] & 1))
        return NULL;
    key->bits = (uint16_t)(length * 8);
    for (uint8_t top = modulus[0]; !(top & 0x80); top = (uint8_t)(top << 1))
        key->bits--;

    EVP_PKEY *pkey = NULL;
    BIGNUM *n = BN_bin2bn(modulus, (int)length, NULL);
    BIGNUM *e = BN_bin2bn(bytes + head, (int)exponent, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (n && e && build && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e)) {
        OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
        pkey = from_params("RSA", params);
        OSSL_PARAM_free(params);
    }
    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    BN_free(e);
    return pkey;
}

/* RFC 6605 4: the point without its leading 04. */
static EVP_PKEY *decode_ecdsa(struct key *key, const uint8_t *bytes, size_t size)
{
    size_t half = key->algorithm == 13 ? 32 : 48;
    char *group = key->algorithm == 13 ? (char[]){"P-256"} : (char[]){"P-384"};
    uint8_t point[1 + 2 * 48] = {0x04}; /* SEC 1 2.3.3: uncompressed */
    if (size != 2 * half)
        return NULL;
    memcpy(point + 1, bytes, size);
    key->bits = (uint16_t)(half * 8);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, size + 1),
        OSSL_PARAM_construct_end()};
    return from_params("EC", params);
}

/* RFC 8080 3. */
static EVP_PKEY *decode_eddsa(struct key *key, const uint8_t *bytes, size_t size)
{
    bool small = key->algorithm == 15;
    if (size != (small ? 32 : 57))
        return NULL;
    key->bits = small ? 256 : 456;
    return EVP_PKEY_new_raw_public_key(small ? EVP_PKEY_ED25519 : EVP_PKEY_ED448, NULL, bytes,
                                       size);
}

struct key *key_new(const uint8_t *rdata, size_t size)
{
    if (size < 4 || size > UINT16_MAX)
        return NULL;
    struct key *key = calloc(1, sizeof *key + size);
    if (key == NULL)
        return NULL;
    memcpy(key->rdata, rdata, size);
    key->rdata_size = (uint16_t)size;
    key->flags = (uint16_t)(rdata[0] << 8 | rdata[1]);
    key->protocol = rdata[2];
    key->algorithm = rdata[3];
    key->tag = key_tag(rdata, size);
    if (!key_algorithm_supported(key->algorithm))
        return key;

    EVP_PKEY *pkey;
    if (key->algorithm <= 10)
        pkey = decode_rsa(key, rdata + 4, size - 4);
    else if (key->algorithm <= 14)
        pkey = decode_ecdsa(key, rdata + 4, size - 4);
    else
        pkey = decode_eddsa(key, rdata + 4, size - 4);
    key->malformed = pkey == NULL;
    key->pkey = pkey;
    return key;
}

void key_free(struct key *key)
{
    if (key == NULL)
        return;
    for (unsigned lane = 0; lane < KEY_LANES; lane++)
        EVP_PKEY_CTX_free(key->context[lane]);
    EVP_PKEY_free(key->pkey);
    free(key);
}

bool key_signature_size_ok(uint8_t algorithm, size_t size)
{
    switch (algorithm) {
    case 13:
    case 15:
        return size == 64;
    case 14:
        return size == 96;
    case 16:
        return size == 114;
    default:
        return size >= RSA_MODULUS_MIN && size <= RSA_MODULUS_MAX;
    }
}

/* One INTEGER of an ECDSA signature in DER; returns the bytes written. */
static size_t der_integer(uint8_t *out, const uint8_t *bytes, size_t size)
{
    while (size > 1 && bytes[0] == 0) {
        bytes++;
        size--;
    }
    size_t pad = bytes[0] & 0x80 ? 1 : 0;
    out[0] = 0x02;
    out[1] = (uint8_t)(size + pad);
    out[2] = 0;
    memcpy(out + 2 + pad, bytes, size);
    return 2 + pad + size;
}

/* RFC 6605 4 writes r|s; OpenSSL wants SEQUENCE { r, s }. At most 2 * 51 + 2 bytes, so short
 * lengths. */
static size_t ecdsa_der(uint8_t out[112], const uint8_t *signature, size_t half)
{
    size_t size = der_integer(out + 2, signature, half);
    size += der_integer(out + 2 + size, signature + half, half);
    out[0] = 0x30;
    out[1] = (uint8_t)size;
    return size + 2;
}

static EVP_PKEY_CTX *prehashed_context(const struct key *key)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    bool rsa = key->algorithm <= 10;
    if (ctx && EVP_PKEY_verify_init(ctx) > 0 &&
        (!rsa || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0) &&
        EVP_PKEY_CTX_set_signature_md(ctx, digest_of(key->algorithm)) > 0)
        return ctx;
    EVP_PKEY_CTX_free(ctx);
    return NULL;
}

static enum key_result verify_prehashed(struct key *key, unsigned lane, const uint8_t *data,
                                        size_t size, const uint8_t *signature,
                                        size_t signature_size)
{
    uint8_t hash[EVP_MAX_MD_SIZE], der[112];
    unsigned hash_size;
    if (!EVP_Digest(data, size, hash, &hash_size, digest_of(key->algorithm), NULL))
        return KEY_UNSUPPORTED;
    if (key->algorithm >= 13) {
        signature_size = ecdsa_der(der, signature, signature_size / 2);
        signature = der;
    }
    if (key->context[lane] == NULL)
        key->context[lane] = prehashed_context(key);
    if (key->context[lane] == NULL)
        return KEY_UNSUPPORTED;
    int ok = EVP_PKEY_verify(key->context[lane], signature, signature_size, hash, hash_size);
    return ok == 1 ? KEY_VERIFIES : KEY_REFUTES;
}

static enum key_result verify_whole(struct key *key, const uint8_t *data, size_t size,
                                    const uint8_t *signature, size_t signature_size)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key->pkey) > 0 &&
             EVP_DigestVerify(ctx, signature, signature_size, data, size) == 1;
    EVP_MD_CTX_free(ctx);
    return ok ? KEY_VERIFIES : KEY_REFUTES;
}

enum key_result key_verify(struct key *key, unsigned lane, const uint8_t *data, size_t size,
                           const uint8_t *signature, size_t signature_size)
{
    if (!key_algorithm_supported(key->algorithm))
        return KEY_UNSUPPORTED;
    if (key->malformed || key->pkey == NULL ||
        !key_signature_size_ok(key->algorithm, signature_size))
        return KEY_MALFORMED;
    if (key->algorithm <= 10 && signature_size > (key->bits + 7u) / 8)
        return KEY_MALFORMED;
    return key->algorithm <= 14 ? verify_prehashed(key, lane, data, size, signature, signature_size)
                                : verify_whole(key, data, size, signature, signature_size);
}

size_t key_ds_digest(const uint8_t *owner, const uint8_t *key_rdata, size_t key_size,
                     uint8_t digest_type, uint8_t ret_digest[KEY_DIGEST_MAX])
{
    const EVP_MD *md = digest_type == 1   ? EVP_sha1()
                       : digest_type == 2 ? EVP_sha256()
                       : digest_type == 4 ? EVP_sha384()
                                          : NULL;
    unsigned written = 0;
    EVP_MD_CTX *ctx = md ? EVP_MD_CTX_new() : NULL;
    bool ok =
        ctx && EVP_DigestInit_ex(ctx, md, NULL) && EVP_DigestUpdate(ctx, owner, name_size(owner)) &&
        EVP_DigestUpdate(ctx, key_rdata, key_size) && EVP_DigestFinal_ex(ctx, ret_digest, &written);
    EVP_MD_CTX_free(ctx);
    return ok ? written : 0;
}

enum key_ds key_matches_ds(const uint8_t *owner, const uint8_t *key_rdata, size_t key_size,
                           const uint8_t *ds_rdata, size_t ds_size)
{
    if (ds_size < 5 || key_size < 4)
        return KEY_DS_OTHER;
    uint16_t tag = (uint16_t)(ds_rdata[0] << 8 | ds_rdata[1]);
    if (ds_rdata[2] != key_rdata[3] || tag != key_tag(key_rdata, key_size))
        return KEY_DS_OTHER;
    uint8_t digest[KEY_DIGEST_MAX];
    size_t size = key_ds_digest(owner, key_rdata, key_size, ds_rdata[3], digest);
    if (size == 0)
        return KEY_DS_UNSUPPORTED;
    bool same = ds_size - 4 == size && memcmp(digest, ds_rdata + 4, size) == 0;
    return same ? KEY_DS_MATCHES : KEY_DS_DIGEST_WRONG;
}

void key_nsec3_hash(const uint8_t *name, const uint8_t *salt, size_t salt_size, unsigned iterations,
                    uint8_t ret_hash[20])
{
    uint8_t input[NAME_MAX_BYTES + 255];
    size_t size = name_size(name);
    memcpy(input, name, size);
    for (unsigned i = 0;; i++) {
        memcpy(input + size, salt, salt_size);
        EVP_Digest(input, size + salt_size, ret_hash, NULL, EVP_sha1(), NULL);
        if (i == iterations)
            return;
        memcpy(input, ret_hash, 20);
        size = 20;
    }
}

unsigned key_cost(const struct key *key)
{
    switch (key->algorithm) {
    case 13: /* ECDSAP256SHA256 */
        return 80;
    case 14: /* ECDSAP384SHA384, for which OpenSSL 3.0 has no code of its own */
        return 470;
    case 15: /* Ed25519 */
        return 120;
    case 16: /* Ed448 */
        return 230;
    default: /* RSA: with the square of the length */
        return 2u + (unsigned)key->bits * key->bits / 200000u;
    }
}
