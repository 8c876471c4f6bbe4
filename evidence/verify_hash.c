/*
 * verify_hash: SHA-256, SHA-512, the Merkle tree of the log (RFC 9162 2.1) and Ed25519.
 *
 * Contained in: verify, tests. Must never: hold a private key.
 */
#include "evidence/verify_hash.h"

#include "sandbox/log.h"

#include <openssl/evp.h>
#include <string.h>

#define CHUNK ((size_t)1 << 18) /* stays in the cache from one hash to the other */

enum { SHA256, SHA512, ALGORITHMS };

static EVP_MD_CTX *context;

/* Fetched once: OpenSSL 3.0 looks an algorithm up in about the time of hashing a log line. */
static const EVP_MD *algorithm(size_t which)
{
    static const char *const names[ALGORITHMS] = {"SHA2-256", "SHA2-512"};
    static EVP_MD *list[ALGORITHMS];
    if (!list[which] && !(list[which] = EVP_MD_fetch(NULL, names[which], NULL)))
        log_die("%s: OpenSSL failed", names[which]);
    return list[which];
}

static void hash(size_t which, const void *head, size_t head_size, const void *bytes, size_t size,
                 uint8_t *ret_hash)
{
    if (!context)
        context = EVP_MD_CTX_new();
    if (!context || EVP_DigestInit_ex2(context, algorithm(which), NULL) != 1 ||
        EVP_DigestUpdate(context, head, head_size) != 1 ||
        EVP_DigestUpdate(context, bytes, size) != 1 ||
        EVP_DigestFinal_ex(context, ret_hash, NULL) != 1)
        log_die("SHA-2: OpenSSL failed");
}

void verify_sha256(const void *bytes, size_t size, uint8_t ret_hash[HASH_BYTES])
{
    hash(SHA256, NULL, 0, bytes, size, ret_hash);
}

void verify_sha512(const void *bytes, size_t size, uint8_t ret_hash[2 * HASH_BYTES])
{
    hash(SHA512, NULL, 0, bytes, size, ret_hash);
}

void verify_sha_both(const void *bytes, size_t size, uint8_t ret_256[HASH_BYTES],
                     uint8_t ret_512[2 * HASH_BYTES], uint64_t *done)
{
    static EVP_MD_CTX *both[ALGORITHMS];
    uint8_t *const results[ALGORITHMS] = {ret_256, ret_512};
    bool good = true;
    for (size_t i = 0; i < ALGORITHMS; i++) {
        if (!both[i])
            both[i] = EVP_MD_CTX_new();
        good = good && both[i] && EVP_DigestInit_ex2(both[i], algorithm(i), NULL) == 1;
    }
    for (size_t at = 0, part; good && at < size; at += part) {
        part = size - at < CHUNK ? size - at : CHUNK;
        for (size_t i = 0; i < ALGORITHMS; i++)
            good = good && EVP_DigestUpdate(both[i], (const uint8_t *)bytes + at, part) == 1;
        if (done)
            __atomic_fetch_add(done, part, __ATOMIC_RELAXED);
    }
    for (size_t i = 0; i < ALGORITHMS; i++)
        good = good && EVP_DigestFinal_ex(both[i], results[i], NULL) == 1;
    if (!good)
        log_die("SHA-2: OpenSSL failed");
}

static void join(const uint8_t *left, const uint8_t *right, uint8_t *ret_node)
{
    uint8_t head[1 + HASH_BYTES] = {MERKLE_NODE_PREFIX};
    memcpy(head + 1, left, HASH_BYTES);
    hash(SHA256, head, sizeof head, right, HASH_BYTES, ret_node);
}

/* roots[k] is in use when bit k of size is set, and holds 2^k leaves; adding a leaf is adding one
 * to a binary number, with a hash for every carry. */
void verify_tree_add(struct verify_tree *tree, const void *line, size_t size)
{
    static const uint8_t head = MERKLE_LEAF_PREFIX;
    uint8_t node[HASH_BYTES];
    hash(SHA256, &head, 1, line, size, node);
    size_t level = 0;
    for (; tree->size >> level & 1; level++)
        join(tree->roots[level], node, node);
    memcpy(tree->roots[level], node, sizeof node);
    tree->size++;
}

void verify_tree_root(const struct verify_tree *tree, uint8_t ret_root[HASH_BYTES])
{
    uint8_t node[HASH_BYTES];
    bool any = false;
    for (size_t level = 0; level < 64; level++) {
        if (!(tree->size >> level & 1))
            continue;
        if (any)
            join(tree->roots[level], node, node);
        else
            memcpy(node, tree->roots[level], sizeof node);
        any = true;
    }
    if (!any)
        verify_sha256(NULL, 0, node);
    memcpy(ret_root, node, sizeof node);
}

bool verify_ed25519(const uint8_t key[ED25519_KEY_BYTES],
                    const uint8_t signature[ED25519_SIG_BYTES], const void *bytes, size_t size)
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, ED25519_KEY_BYTES);
    EVP_MD_CTX *verifier = EVP_MD_CTX_new();
    bool holds = pkey && verifier && EVP_DigestVerifyInit(verifier, NULL, NULL, NULL, pkey) == 1 &&
                 EVP_DigestVerify(verifier, signature, ED25519_SIG_BYTES, bytes, size) == 1;
    EVP_MD_CTX_free(verifier);
    EVP_PKEY_free(pkey);
    return holds;
}
