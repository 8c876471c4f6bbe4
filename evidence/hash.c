/*
 * hash: SHA-256 and SHA-512 as they pass. Contained in: store, sign, digest, pack, tests. Must
 * never return a digest that was not computed.
 */
#include "evidence/hash.h"

#include "sandbox/log.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct hash {
    EVP_MD *method;
    EVP_MD_CTX *context;
};

struct hash *hash_new(enum hash_kind kind)
{
    struct hash *h = calloc(1, sizeof *h);
    if (!h)
        log_die("hash: out of memory");
    h->method = EVP_MD_fetch(NULL, kind == HASH_SHA256 ? "SHA256" : "SHA512", NULL);
    h->context = EVP_MD_CTX_new();
    if (!h->method || !h->context || EVP_DigestInit_ex2(h->context, h->method, NULL) != 1)
        log_die("hash: OpenSSL offers no SHA-2");
    return h;
}

void hash_free(struct hash *h)
{
    if (!h)
        return;
    EVP_MD_CTX_free(h->context);
    EVP_MD_free(h->method);
    free(h);
}

void hash_begin(struct hash *h)
{
    /* No method: the context keeps the one it has, which spares a fetch. */
    if (EVP_DigestInit_ex2(h->context, NULL, NULL) != 1)
        log_die("hash: cannot start");
}

void hash_add(struct hash *h, const void *bytes, size_t size)
{
    if (EVP_DigestUpdate(h->context, bytes, size) != 1)
        log_die("hash: cannot continue");
}

void hash_end(struct hash *h, uint8_t *ret_digest)
{
    if (EVP_DigestFinal_ex(h->context, ret_digest, NULL) != 1)
        log_die("hash: cannot finish");
}

void hash_once(struct hash *h, const void *bytes, size_t size, uint8_t *ret_digest)
{
    hash_begin(h);
    hash_add(h, bytes, size);
    hash_end(h, ret_digest);
}
