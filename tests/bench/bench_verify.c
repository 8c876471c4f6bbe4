/*
 * bench_verify: what a new signature costs, and what a repeated one does.
 *
 * For each algorithm, distinct signatures over distinct RRsets are verified by our path (the signed
 * data made from the RRset, then key_verify) and, in turns with it, by OpenSSL alone as `openssl
 * speed` does it: EVP_PKEY_verify over a digest that is there already, EVP_DigestVerify for EdDSA,
 * one context, the signature already in OpenSSL's form. One thread. Then the same messages once
 * more: recognised as bytes (memo), and recognised RRset by RRset (the table).
 *
 * usage: bench_verify   (arguments are ignored: the keys are made here)
 */
#include "analyze/decode/message.h"
#include "analyze/key.h"
#include "analyze/name.h"
#include "analyze/validate/memo.h"
#include "analyze/validate/rrset.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SETS = 256, ROUNDS = 9, ROOM = 1024, SIGNATURE_ROOM = 512 };

static const struct kind {
    uint8_t algorithm;
    const char *name, *type; /* of EVP_PKEY_Q_keygen */
    const char *group;
    size_t bits;
    const char *digest; /* NULL: the algorithm hashes by itself */
    size_t signature;   /* bytes in DNS */
} kinds[] = {{8, "RSASHA256, 2048 bits", "RSA", NULL, 2048, "SHA256", 256},
             {10, "RSASHA512, 2048 bits", "RSA", NULL, 2048, "SHA512", 256},
             {13, "ECDSAP256SHA256", "EC", "P-256", 0, "SHA256", 64},
             {14, "ECDSAP384SHA384", "EC", "P-384", 0, "SHA384", 96},
             {15, "ED25519", "ED25519", NULL, 0, NULL, 64},
             {16, "ED448", "ED448", NULL, 0, NULL, 114}};

struct sample {
    uint8_t message[ROOM];
    size_t size;
    struct rrset *set;
    /* for OpenSSL alone */
    uint8_t digest[EVP_MAX_MD_SIZE], signature[SIGNATURE_ROOM];
    size_t digest_size, signature_size;
    uint8_t data[ROOM];
    size_t data_size;
};

static struct sample samples[SETS];
static struct dns_message parsed;
static uint8_t data[RRSET_SIGNED_MAX];

static void need(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "bench_verify: %s\n", what);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* other work on the machine does not count */
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* --- a zone's key and its signed RRsets --- */

static EVP_PKEY *make_key(const struct kind *k)
{
    EVP_PKEY *pkey = k->group  ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", k->group)
                     : k->bits ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", k->bits)
                               : EVP_PKEY_Q_keygen(NULL, NULL, k->type);
    need(pkey != NULL, "no key could be made");
    return pkey;
}

/* DNSKEY rdata (RFC 3110, 6605, 8080); returns its bytes. */
static size_t dnskey(const struct kind *k, EVP_PKEY *pkey, uint8_t out[ROOM])
{
    uint8_t bytes[ROOM];
    size_t size = sizeof bytes;
    memcpy(out, (uint8_t[]){1, 0, 3, k->algorithm}, 4);
    if (k->bits) {
        BIGNUM *n = NULL;
        need(EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n), "no modulus");
        memcpy(out + 4, (uint8_t[]){3, 1, 0, 1}, 4);
        size = (size_t)BN_bn2bin(n, out + 8);
        BN_free(n);
        return 8 + size;
    }
    if (k->group) {
        need(EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, bytes, size, &size) &&
                 bytes[0] == 4,
             "no point");
        memcpy(out + 4, bytes + 1, size - 1);
        return 4 + size - 1;
    }
    need(EVP_PKEY_get_raw_public_key(pkey, out + 4, &size) == 1, "no public key");
    return 4 + size;
}

static uint8_t *put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

/* A response with one A record and its RRSIG (RFC 1035 4, RFC 4034 3). */
static size_t write_message(unsigned i, const struct kind *k, uint16_t tag,
                            const uint8_t *signature, uint8_t out[ROOM])
{
    static const uint8_t zone[] = {7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0};
    static const uint8_t times[] = {0, 0, 14, 16, 0x7f, 0, 0, 0, 0x60, 0, 0, 0}; /* TTL, to, from */
    uint8_t *p = out;
    memset(p, 0, 12);
    p[2] = 0x84; /* QR, AA */
    p[5] = 1;
    p[7] = 2;
    p += 12;
    p += snprintf((char *)p, 16, "%chost-%04u", 9, i);
    memcpy(p, zone, sizeof zone);
    p = put16(put16(p + sizeof zone, 1), 1);
    p = put16(put16(put16(p, 0xc00c), 1), 1); /* A */
    p = put16(put16(put16(p, 0), 3600), 4);
    p = put16(put16(p, 0xc000), i);
    p = put16(put16(put16(p, 0xc00c), 46), 1); /* RRSIG */
    p = put16(put16(p, 0), 3600);
    p = put16(p, (unsigned)(18 + sizeof zone + k->signature));
    p = put16(p, 1);
    *p++ = k->algorithm;
    *p++ = 2;
    memcpy(p, times, sizeof times);
    p = put16(p + sizeof times, tag);
    memcpy(p, zone, sizeof zone);
    memcpy(p + sizeof zone, signature, k->signature);
    return (size_t)(p - out) + sizeof zone + k->signature;
}

static struct rrset *intern(struct rrsets *table, const uint8_t *message, size_t size)
{
    static struct rrset_groups groups;
    need(message_parse(message, size, size, &parsed) == MESSAGE_WHOLE, "a message is malformed");
    rrset_groups(&parsed, 1u << SECTION_ANSWER, &groups);
    need(groups.count == 1, "a message has not one RRset");
    rrset_intern(table, &parsed, &groups.group[0], 0, NULL, 0);
    return groups.group[0].rrset;
}

static void to_dns(const struct kind *k, const uint8_t *der, size_t size, uint8_t *out)
{
    if (k->group == NULL) {
        memcpy(out, der, size);
        return;
    }
    const uint8_t *at = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)size);
    need(sig != NULL, "no signature");
    int half = (int)k->signature / 2;
    BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, half);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + half, half);
    ECDSA_SIG_free(sig);
}

static void make_sample(struct rrsets *table, const struct kind *k, EVP_PKEY *pkey, uint16_t tag,
                        unsigned i, struct sample *s)
{
    uint8_t wire[SIGNATURE_ROOM] = {0};
    struct rrsets *draft = rrsets_new(1);
    s->size = write_message(i, k, tag, wire, s->message);
    struct rrset *set = intern(draft, s->message, s->size);
    s->data_size = rrset_signed_data(set, &set->signature[0], data);
    need(s->data_size > 0 && s->data_size <= sizeof s->data, "the signed data is too long");
    memcpy(s->data, data, s->data_size);
    rrsets_free(draft);

    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    s->signature_size = sizeof s->signature;
    need(EVP_DigestSignInit_ex(ctx, NULL, k->digest, NULL, NULL, pkey, NULL) > 0 &&
             EVP_DigestSign(ctx, s->signature, &s->signature_size, s->data, s->data_size) > 0,
         "signing failed");
    EVP_MD_CTX_free(ctx);
    if (k->digest)
        need(EVP_Q_digest(NULL, k->digest, NULL, s->data, s->data_size, s->digest, &s->digest_size),
             "no digest");
    to_dns(k, s->signature, s->signature_size, wire);
    s->size = write_message(i, k, tag, wire, s->message);
    s->set = intern(table, s->message, s->size);
}

/* --- the four measurements, nanoseconds each --- */

static double ours(struct key *key)
{
    double start = now();
    for (size_t i = 0; i < SETS; i++) {
        struct signature *s = &samples[i].set->signature[0];
        size_t size = rrset_signed_data(samples[i].set, s, data);
        need(key_verify(key, 0, data, size, s->bytes, s->bytes_size) == KEY_VERIFIES,
             "our path refuses a sound signature");
    }
    return (now() - start) / SETS;
}

static double alone(const struct kind *k, EVP_PKEY_CTX *ctx, EVP_MD_CTX *whole)
{
    double start = now();
    for (size_t i = 0; i < SETS; i++) {
        const struct sample *s = &samples[i];
        int ok =
            k->digest
                ? EVP_PKEY_verify(ctx, s->signature, s->signature_size, s->digest, s->digest_size)
                : EVP_DigestVerify(whole, s->signature, s->signature_size, s->data, s->data_size);
        need(ok == 1, "OpenSSL refuses its own signature");
    }
    return (now() - start) / SETS;
}

static double recognised(const struct memo *memo)
{
    double start = now();
    for (size_t i = 0; i < SETS; i++) {
        const struct sample *s = &samples[i];
        message_head(s->message, s->size, s->size, &parsed);
        need(memo_find(memo, &parsed, 3) != NULL, "the memo has forgotten");
    }
    return (now() - start) / SETS;
}

static double found(struct rrsets *table)
{
    double start = now();
    for (size_t i = 0; i < SETS; i++)
        need(intern(table, samples[i].message, samples[i].size) == samples[i].set,
             "the table has forgotten");
    return (now() - start) / SETS;
}

static void least(double *best, double value)
{
    if (*best == 0 || value < *best)
        *best = value;
}

static struct memo *remember(void)
{
    struct memo *memo = memo_new((size_t)16 << 20, 1);
    need(memo != NULL, "no memory");
    for (size_t i = 0; i < SETS; i++) {
        message_parse(samples[i].message, samples[i].size, samples[i].size, &parsed);
        memo_set(memo_add(memo, &parsed, 3), (struct answer *)(void *)&samples[i]);
    }
    return memo;
}

static void measure(const struct kind *k)
{
    uint8_t rdata[ROOM];
    double best[4] = {0};
    EVP_PKEY *pkey = make_key(k);
    size_t size = dnskey(k, pkey, rdata);
    struct key *key = key_new(rdata, size);
    struct rrsets *table = rrsets_new(1);
    need(key && key->pkey && table, "our path refuses the key");
    for (unsigned i = 0; i < SETS; i++)
        make_sample(table, k, pkey, key->tag, i, &samples[i]);
    struct memo *memo = remember();

    /* Public halves on both sides: OpenSSL's own key object is ours. */
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    EVP_MD_CTX *whole = EVP_MD_CTX_new();
    if (k->digest)
        need(EVP_PKEY_verify_init(ctx) > 0 &&
                 (!k->bits || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0) &&
                 EVP_PKEY_CTX_set_signature_md(ctx, EVP_get_digestbyname(k->digest)) > 0,
             "no context");
    else
        need(EVP_DigestVerifyInit(whole, NULL, NULL, NULL, key->pkey) > 0, "no context");
    for (unsigned round = 0; round < ROUNDS; round++) {
        least(&best[0], alone(k, ctx, whole));
        least(&best[1], ours(key));
        least(&best[2], recognised(memo));
        least(&best[3], found(table));
    }
    double ratio = best[0] / best[1], times = best[1] / best[2], table_times = best[1] / best[3];
    printf("  %2u %-21s %9.0f %9.0f %7.3f%s %8.0f %8.0f%s %8.0f %7.0f%s\n", k->algorithm, k->name,
           1e9 / best[0], 1e9 / best[1], ratio, ratio < 0.8 ? "!" : " ", best[2], times,
           times < 20 ? "!" : " ", best[3], table_times, table_times < 20 ? "!" : " ");
    EVP_PKEY_CTX_free(ctx);
    EVP_MD_CTX_free(whole);
    memo_free(memo);
    rrsets_free(table);
    key_free(key);
    EVP_PKEY_free(pkey);
}

int main(void)
{
    printf("  %-24s %9s %9s %7s  %8s %8s  %8s %7s\n", "distinct signatures", "OpenSSL/s", "ours/s",
           "ratio", "memo ns", "x faster", "RRset ns", "x faster");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        measure(&kinds[i]);
    printf(
        "  (one thread, best of %d rounds of %d; ratio: ours to OpenSSL's alone, 0.80 is wanted;\n"
        "  memo, RRset: the same response again, recognised whole or RRset by RRset, against one\n"
        "  verification, 20 is wanted; a ! marks what falls short)\n",
        ROUNDS, SETS);
    return 0;
}
