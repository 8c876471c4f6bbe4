/*
 * verify_hash: SHA-256, SHA-512, the Merkle tree of the log (RFC 9162 2.1) and Ed25519.
 *
 * Contained in: verify, tests. Must never: hold a private key.
 */
#include "evidence/verify_hash.h"

#include "sandbox/log.h"

#include <openssl/evp.h>
#include <string.h>

/* Fetched once: OpenSSL 3.0 looks an algorithm up in about the time of hashing a log line. */
static EVP_MD *sha256, *sha512;
static EVP_MD_CTX *context;

static void hash(EVP_MD **algorithm, const char *name, const void *head, size_t head_size,
                 const void *bytes, size_t size, uint8_t *ret_hash)
{
    if (!context)
        context = EVP_MD_CTX_new();
    if (!*algorithm)
        *algorithm = EVP_MD_fetch(NULL, name, NULL);
    if (!context || !*algorithm || EVP_DigestInit_ex2(context, *algorithm, NULL) != 1 ||
        EVP_DigestUpdate(context, head, head_size) != 1 ||
        EVP_DigestUpdate(context, bytes, size) != 1 ||
        EVP_DigestFinal_ex(context, ret_hash, NULL) != 1)
        log_die("%s: OpenSSL failed", name);
}

void verify_sha256(const void *bytes, size_t size, uint8_t ret_hash[HASH_BYTES])
{
    hash(&sha256, "SHA2-256", NULL, 0, bytes, size, ret_hash);
}

void verify_sha512(const void *bytes, size_t size, uint8_t ret_hash[2 * HASH_BYTES])
{
    hash(&sha512, "SHA2-512", NULL, 0, bytes, size, ret_hash);
}

static void join(const uint8_t *left, const uint8_t *right, uint8_t *ret_node)
{
    uint8_t head[1 + HASH_BYTES] = {MERKLE_NODE_PREFIX};
    memcpy(head + 1, left, HASH_BYTES);
    hash(&sha256, "SHA2-256", head, sizeof head, right, HASH_BYTES, ret_node);
}

/* roots[k] is in use when bit k of size is set, and holds 2^k leaves; adding a leaf is adding one
 * to a binary number, with a hash for every carry. */
void verify_tree_add(struct verify_tree *tree, const void *line, size_t size)
{
    static const uint8_t head = MERKLE_LEAF_PREFIX;
    uint8_t node[HASH_BYTES];
    hash(&sha256, "SHA2-256", &head, 1, line, size, node);
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
