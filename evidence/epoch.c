/*
 * epoch: forward-secure keys of the log. Contained in: sign, tests. Must never write a private key
 * anywhere, nor sign two heads of one size.
 */
#include "evidence/epoch.h"

#include "evidence/checkpoint.h"
#include "sandbox/log.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct epoch {
    EVP_PKEY *key, *next; /* EVP_PKEY_free clears the private half */
    uint64_t number;
    uint64_t size; /* greatest signed */
    char origin[TEXT_MAX];
};

static EVP_PKEY *fresh_key(void)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (!key)
        log_die("epoch: cannot make a key");
    return key;
}

static void public_of(const EVP_PKEY *key, uint8_t ret_key[ED25519_KEY_BYTES])
{
    size_t size = ED25519_KEY_BYTES;
    if (EVP_PKEY_get_raw_public_key(key, ret_key, &size) != 1 || size != ED25519_KEY_BYTES)
        log_die("epoch: cannot read a public key");
}

struct epoch *epoch_new(const char *origin)
{
    struct epoch *e = calloc(1, sizeof *e);
    if (!e)
        log_die("epoch: out of memory");
    (void)snprintf(e->origin, sizeof e->origin, "%s", origin);
    e->key = fresh_key();
    return e;
}

void epoch_free(struct epoch *e)
{
    if (!e)
        return;
    EVP_PKEY_free(e->key);
    EVP_PKEY_free(e->next);
    free(e);
}

int epoch_public(const struct epoch *e, uint8_t ret_key[ED25519_KEY_BYTES])
{
    if (!e->key)
        return EPOCH_ERASED;
    public_of(e->key, ret_key);
    return EPOCH_OK;
}

int epoch_prepare(struct epoch *e, uint8_t ret_key[ED25519_KEY_BYTES])
{
    if (!e->key)
        return EPOCH_ERASED;
    if (!e->next)
        e->next = fresh_key();
    public_of(e->next, ret_key);
    return EPOCH_OK;
}

int epoch_rotate(struct epoch *e)
{
    if (!e->key)
        return EPOCH_ERASED;
    EVP_PKEY_free(e->key);
    e->key = e->next;
    e->next = NULL;
    e->number++;
    return EPOCH_OK;
}

static void sign_text(EVP_PKEY *key, const char *text, size_t length,
                      uint8_t ret_signature[ED25519_SIG_BYTES])
{
    size_t size = ED25519_SIG_BYTES;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
        EVP_DigestSign(context, ret_signature, &size, (const uint8_t *)text, length) != 1 ||
        size != ED25519_SIG_BYTES)
        log_die("epoch: cannot sign");
    EVP_MD_CTX_free(context);
}

int epoch_checkpoint(struct epoch *e, uint64_t number, uint64_t size,
                     const uint8_t root[HASH_BYTES], char ret_note[CHECKPOINT_MAX],
                     size_t *ret_length)
{
    uint8_t public_key[ED25519_KEY_BYTES], signature[ED25519_SIG_BYTES];
    if (!e->key)
        return EPOCH_ERASED;
    if (number != e->number)
        return EPOCH_WRONG_NUMBER;
    if (size <= e->size)
        return EPOCH_NOT_GROWING;
    size_t length = checkpoint_text(e->origin, size, root, ret_note);
    sign_text(e->key, ret_note, length, signature);
    public_of(e->key, public_key);
    *ret_length = checkpoint_note(ret_note, length, e->origin, public_key, signature);
    e->size = size;
    return EPOCH_OK;
}
