/*
 * certificate: a small authority of one's own: P-256 keys, a CA certificate, a signer's
 * certificate.
 *
 * Contained in: sign (ephemeral identity), keygen, tests. OpenSSL's refusal ends the process.
 */
#ifndef EVIDENCE_CERTIFICATE_H
#define EVIDENCE_CERTIFICATE_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdint.h>

/* A fresh P-256 key; caller frees. */
EVP_PKEY *certificate_key(void);
/* Self-signed, CA:TRUE with path length 0, keyCertSign and cRLSign. `organisation` NULL omits it.
 * Times in seconds since 1970, both inclusive. Caller frees. */
X509 *certificate_ca(EVP_PKEY *key, const char *organisation, int64_t from, int64_t until);
/* Signed by the CA, CA:FALSE, digitalSignature and nonRepudiation. Caller frees. */
X509 *certificate_signer(EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key, const char *organisation,
                         int64_t from, int64_t until);

#endif
