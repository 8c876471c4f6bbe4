/*
 * checkpoint: C2SP tlog-checkpoint and signed-note as text. Contained in: sign, tests.
 */
#include "evidence/checkpoint.h"

#include "evidence/text.h"
#include "sandbox/log.h"

#include <stdio.h>
#include <string.h>

bool checkpoint_origin_fits(const char *origin)
{
    size_t length = strlen(origin);
    if (length == 0 || length > TEXT_MAX / 2)
        return false;
    for (const char *p = origin; *p; p++)
        if (*p <= ' ' || *p > '~' || *p == '+' || *p == '"' || *p == '\\')
            return false;
    return true;
}

size_t checkpoint_text(const char *origin, uint64_t size, const uint8_t root[HASH_BYTES],
                       char ret_text[CHECKPOINT_MAX])
{
    char base64[TEXT_BASE64_ROOM(HASH_BYTES)];
    text_base64(root, HASH_BYTES, base64);
    int n = snprintf(ret_text, CHECKPOINT_MAX, "%s\n%llu\n%s\n", origin, (unsigned long long)size,
                     base64);
    if (n < 0 || n >= CHECKPOINT_MAX)
        log_die("checkpoint: origin too long");
    return (size_t)n;
}

void checkpoint_key_id(const char *name, const uint8_t public_key[ED25519_KEY_BYTES],
                       uint8_t ret_id[CHECKPOINT_KEY_ID])
{
    static const uint8_t separator[2] = {'\n', CHECKPOINT_ALG};
    uint8_t digest[HASH_SHA256_BYTES];
    struct hash *h = hash_new(HASH_SHA256);
    hash_begin(h);
    hash_add(h, name, strlen(name));
    hash_add(h, separator, sizeof separator);
    hash_add(h, public_key, ED25519_KEY_BYTES);
    hash_end(h, digest);
    hash_free(h);
    memcpy(ret_id, digest, CHECKPOINT_KEY_ID);
}

size_t checkpoint_note(char text[CHECKPOINT_MAX], size_t length, const char *origin,
                       const uint8_t public_key[ED25519_KEY_BYTES],
                       const uint8_t signature[ED25519_SIG_BYTES])
{
    uint8_t both[CHECKPOINT_KEY_ID + ED25519_SIG_BYTES];
    char base64[TEXT_BASE64_ROOM(sizeof both)];
    checkpoint_key_id(origin, public_key, both);
    memcpy(both + CHECKPOINT_KEY_ID, signature, ED25519_SIG_BYTES);
    text_base64(both, sizeof both, base64);
    int n = snprintf(text + length, CHECKPOINT_MAX - length, "\n" CHECKPOINT_DASH "%s %s\n", origin,
                     base64);
    if (n < 0 || (size_t)n >= CHECKPOINT_MAX - length)
        log_die("checkpoint: origin too long");
    return length + (size_t)n;
}
