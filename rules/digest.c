/*
 * digest: the digest by which a DS names a key.
 *
 * Contained in: analyze, tests.
 */
#include "rules/digest.h"

#include <openssl/evp.h>

static const EVP_MD *digest_of(uint8_t type)
{
    switch (type) {
    case 1:
        return EVP_sha1();
    case 2:
        return EVP_sha256();
    case 4:
        return EVP_sha384();
    default:
        return NULL;
    }
}

/* `owner` NULL: left out. */
static size_t digest(const uint8_t *owner, const struct fact_key *key, uint8_t digest_type,
                     uint8_t ret_digest[DIGEST_DS_MAX])
{
    const EVP_MD *md = digest_of(digest_type);
    EVP_MD_CTX *context = md ? EVP_MD_CTX_new() : NULL;
    const uint8_t head[4] = {(uint8_t)(key->flags >> 8), (uint8_t)key->flags, key->protocol,
                             key->algorithm};
    unsigned size = 0;
    if (!context || EVP_DigestInit_ex(context, md, NULL) != 1 ||
        (owner && EVP_DigestUpdate(context, owner, name_size(owner)) != 1) ||
        EVP_DigestUpdate(context, head, sizeof head) != 1 ||
        EVP_DigestUpdate(context, key->public_key.bytes, key->public_key.size) != 1 ||
        EVP_DigestFinal_ex(context, ret_digest, &size) != 1)
        size = 0;
    EVP_MD_CTX_free(context);
    return size;
}

size_t digest_ds(const uint8_t *owner, const struct fact_key *key, uint8_t digest_type,
                 uint8_t ret_digest[DIGEST_DS_MAX])
{
    return digest(owner, key, digest_type, ret_digest);
}

size_t digest_ownerless(const struct fact_key *key, uint8_t digest_type,
                        uint8_t ret_digest[DIGEST_DS_MAX])
{
    return digest(NULL, key, digest_type, ret_digest);
}
