/*
 * digest: the digest by which a DS names a key (RFC 4034 5.1.4, RFC 4509, RFC 6605).
 *
 * Contained in: analyze, tests.
 */
#ifndef RULES_DIGEST_H
#define RULES_DIGEST_H

#include "analyze/facts.h"

#define DIGEST_DS_MAX 48

/* Digest of owner and DNSKEY rdata into ret_digest; its bytes, or 0 for a type that is not 1
 * (SHA-1), 2 (SHA-256) or 4 (SHA-384), or when OpenSSL refuses. */
size_t digest_ds(const uint8_t *owner, const struct fact_key *, uint8_t digest_type,
                 uint8_t ret_digest[DIGEST_DS_MAX]);

/* The same over the DNSKEY rdata alone, as people do who take openssl for it. */
size_t digest_ownerless(const struct fact_key *, uint8_t digest_type,
                        uint8_t ret_digest[DIGEST_DS_MAX]);

#endif
