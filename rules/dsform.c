/*
 * dsform: DS whose digest cannot be one of its type (RFC 4034 5.1.4, RFC 4509 2, RFC 6605 2), and
 * how it came about: registrars' forms and people's clipboards.
 *
 * Contained in: analyze, tests. A digest of the right length that is another key's is not malformed
 * but wrong (rules/delegation.c), unless it is plainly a piece of a right one.
 */
#include "rules/algorithm.h"
#include "rules/digest.h"
#include "rules/judge.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define TYPE_DS       43
#define IDENTITY_ROOM (4 + 64)
/* Fewer bytes in common may be chance. */
#define ALIKE_LEAST 8

static const uint8_t computable[] = {1, 2, 4};

static bool begins(const struct fact_rdata *digest, const uint8_t *with, size_t size)
{
    return digest->size >= size && memcmp(digest->bytes, with, size) == 0;
}

/* Upper or lower case, as a text of digits was taken for the digest itself. */
static bool is_hex_text(const struct fact_rdata *digest, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    size_t least = digest->size < 2 * size ? digest->size : 2 * size;
    for (size_t i = 0; i < least; i++) {
        uint8_t nibble = i & 1 ? bytes[i / 2] & 0xf : bytes[i / 2] >> 4;
        if ((digest->bytes[i] | 0x20) != (uint8_t)digits[nibble])
            return false;
    }
    return least >= ALIKE_LEAST;
}

static bool is_base64_text(const struct fact_rdata *digest, const uint8_t *bytes, size_t size)
{
    uint8_t text[4 * ((DIGEST_DS_MAX + 2) / 3) + 1];
    int length = EVP_EncodeBlock(text, bytes, (int)size);
    size_t least = length > 0 && digest->size > (size_t)length ? (size_t)length : digest->size;
    return least >= ALIKE_LEAST && begins(digest, text, least);
}

/* The digest beside one that the key has: the likeness in words, or NULL. */
static const char *likeness(const struct fact_ds *ds, const struct algorithm *type,
                            const uint8_t *right, size_t size)
{
    const struct fact_rdata *digest = &ds->digest;
    bool own = type->number == ds->digest_type;
    if (!own && digest->size == size && begins(digest, right, size))
        return "it is the key's %s digest under another type";
    if (digest->size < size && digest->size >= ALIKE_LEAST && begins(digest, right, digest->size))
        return "it is the key's %s digest, cut short";
    if (own && digest->size > size && begins(digest, right, size))
        return "it is the key's %s digest with something behind it";
    if (is_hex_text(digest, right, size))
        return "it is the hexadecimal text of the key's %s digest, taken for bytes";
    if (is_base64_text(digest, right, size))
        return "it is the base64 text of the key's %s digest, taken for bytes";
    return NULL;
}

/* How the digest relates to those that a key of this tag has. False: not at all. */
static bool explained(const struct fact *fact, const struct fact_ds *ds,
                      const struct fact_key **ret_key, char ret_text[160])
{
    uint8_t right[DIGEST_DS_MAX];
    for (size_t i = 0; i < fact->key_count; i++) {
        const struct fact_key *key = &fact->keys[i];
        for (size_t k = 0; key->tag == ds->tag && k < sizeof computable; k++) {
            const struct algorithm *type = algorithm_digest(computable[k]);
            size_t size = digest_ds(fact->zone, key, computable[k], right);
            const char *format = size && type ? likeness(ds, type, right, size) : NULL;
            if (!format)
                continue;
            const char *at = strstr(format, "%s");
            snprintf(ret_text, 160, "%.*s%s%s", (int)(at - format), format, type->mnemonic, at + 2);
            *ret_key = key;
            return true;
        }
    }
    return false;
}

bool dsform_judge(struct judge *judge, const struct fact_ds *ds)
{
    const struct fact *fact = judge->fact;
    const struct algorithm *type = algorithm_digest(ds->digest_type);
    const struct fact_key *key = NULL;
    uint8_t identity[IDENTITY_ROOM], right[DIGEST_DS_MAX];
    char zone[NAME_TEXT_MAX], line[LINE_ROOM], how[160];
    if (!type || ds->digest_type == 0 || ds->matches_key)
        return false;
    bool length_wrong = ds->digest.size != type->bytes;
    bool known = explained(fact, ds, &key, how);
    if (!length_wrong && !known)
        return false; /* sound, or ds-digest-wrong */
    size_t size = ds->digest.size < IDENTITY_ROOM - 4 ? ds->digest.size : IDENTITY_ROOM - 4;
    const uint8_t head[4] = {(uint8_t)(ds->tag >> 8), (uint8_t)ds->tag, ds->algorithm,
                             ds->digest_type};
    memcpy(identity, head, sizeof head);
    if (size)
        memcpy(identity + sizeof head, ds->digest.bytes, size);
    struct subject subject = {fact->zone, fact->zone, TYPE_DS, identity, size + sizeof head};
    struct entry *entry = entry_begin(judge, RULE_DS_MALFORMED, &subject);
    if (!entry)
        return true;
    entry_clear(entry);
    if (key) {
        struct fact_ds expected = {
            .tag = key->tag,
            .algorithm = key->algorithm,
            .digest_type = ds->digest_type,
            .digest = {right, (uint16_t)digest_ds(fact->zone, key, ds->digest_type, right)}};
        if (expected.digest.size)
            entry_expected(entry, text_ds(fact->zone, &expected, line));
    }
    entry_observed(entry, text_ds(fact->zone, ds, line));
    char length[96] = "";
    if (length_wrong)
        snprintf(length, sizeof length, "a digest of type %u (%s) has %zu bytes, this one %u%s",
                 ds->digest_type, type->mnemonic, type->bytes, ds->digest.size, known ? "; " : "");
    entry_summary(entry, "DS %u of %s: %s%s", ds->tag, name_text(fact->zone, zone), length,
                  known ? how : "");
    entry_end(judge, entry, (enum severity)0);
    return true;
}
