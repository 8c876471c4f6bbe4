/*
 * verify_cms: a detached signature in one strict profile of CMS (RFC 5652, RFC 5035, CAdES-BES).
 *
 * The profile, of which every byte that the signature does not cover is fixed: ContentInfo,
 * SignedData version 1, one digest algorithm SHA-512, content of type data and absent, two
 * certificates (signer and the authority that issued it, in DER order), no CRLs, one SignerInfo
 * version 1 named by issuer and serial, signed attributes contentType, signingTime, messageDigest
 * and signingCertificateV2 and no others, ECDSA with SHA-512 on P-256, no unsigned attributes.
 */
#ifndef EVIDENCE_VERIFY_CMS_H
#define EVIDENCE_VERIFY_CMS_H

#include "evidence/verify_state.h"

#include <openssl/x509.h>

/* A certificate: its bytes in DER and what OpenSSL made of them. */
struct verify_certificate {
    const uint8_t *der; /* borrowed from the signature or the decoder's buffer */
    size_t size;
    X509 *x509; /* owned */
};

struct verify_signature {
    struct verify_certificate signer, authority;
    int64_t signed_at; /* seconds since 1970 */
};

/* Checks that `der` is such a signature over `content`. NULL when it is, with ret_signature filled
 * (caller runs verify_cms_fini; the certificates borrow from `der`); else a constant text that says
 * what is wrong, ret_signature untouched. Says nothing about who the authority is. */
const char *verify_cms_check(const uint8_t *der, size_t size, const void *content,
                             size_t content_size, struct verify_signature *ret_signature);
void verify_cms_fini(struct verify_signature *);

/* Was the signer certified by the authority, and both valid at `at`? The authority is the only
 * root: no store of the system is consulted. NULL when it was, else what is wrong (valid until the
 * next call into OpenSSL). */
const char *verify_cms_chain(const struct verify_signature *, X509 *authority, int64_t at);

/* The one certificate of a PEM text and nothing else but text outside of it; caller frees with
 * X509_free; NULL if there is not exactly one. */
X509 *verify_cms_authority(const void *pem, size_t size);

/* True when `pem` is exactly the signer's certificate followed by the authority's, as PEM writes
 * them. */
bool verify_cms_is_chain(const struct verify_signature *, const void *pem, size_t size);

#endif
