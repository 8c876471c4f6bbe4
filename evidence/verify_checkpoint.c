/*
 * verify_checkpoint: a tree head as C2SP tlog-checkpoint writes it (signed note, Ed25519).
 *
 * Contained in: verify, tests. Must never: accept a second spelling of a checkpoint.
 */
#include "evidence/verify_checkpoint.h"

#include "evidence/verify_hash.h"

#include <string.h>

bool verify_checkpoint_read(const void *bytes, size_t size,
                            struct verify_checkpoint *ret_checkpoint)
{
    if (size > CHECKPOINT_MAX)
        return false;
    struct verify_checkpoint c;
    struct scan s = {.at = bytes, .end = (const char *)bytes + size};
    uint8_t blob[CHECKPOINT_KEY_ID + ED25519_SIG_BYTES];
    c.origin = scan_until(&s, '\n');
    c.size = scan_number(&s);
    scan_literal(&s, "\n");
    struct verify_text root = scan_until(&s, '\n');
    if (s.failed)
        return false;
    c.covered = (struct verify_text){.at = bytes, .size = (size_t)(s.at - (const char *)bytes)};
    scan_literal(&s, "\n" CHECKPOINT_DASH);
    struct verify_text name = scan_until(&s, ' ');
    struct verify_text value = scan_until(&s, '\n');
    if (!scan_done(&s) || c.origin.size == 0 || c.size == 0 || !verify_text_same(name, c.origin) ||
        !verify_base64(root, c.root, sizeof c.root) || !verify_base64(value, blob, sizeof blob))
        return false;
    memcpy(c.key_id, blob, sizeof c.key_id);
    memcpy(c.signature, blob + sizeof c.key_id, sizeof c.signature);
    *ret_checkpoint = c;
    return true;
}

bool verify_checkpoint_signed(const struct verify_checkpoint *c,
                              const uint8_t key[ED25519_KEY_BYTES])
{
    uint8_t named[CHECKPOINT_MAX + 2 + ED25519_KEY_BYTES], hash[HASH_BYTES];
    size_t at = c->origin.size;
    if (at > CHECKPOINT_MAX)
        return false;
    memcpy(named, c->origin.at, at);
    named[at++] = '\n';
    named[at++] = CHECKPOINT_ALG;
    memcpy(named + at, key, ED25519_KEY_BYTES);
    verify_sha256(named, at + ED25519_KEY_BYTES, hash);
    return memcmp(hash, c->key_id, sizeof c->key_id) == 0 &&
           verify_ed25519(key, c->signature, c->covered.at, c->covered.size);
}
