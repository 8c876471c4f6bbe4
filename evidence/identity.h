/*
 * identity: whose evidence this is: a P-256 key with its certificate, and the CMS made with it.
 *
 * Contained in: sign, tests. Loaded before confinement; the private key never leaves the process.
 */
#ifndef EVIDENCE_IDENTITY_H
#define EVIDENCE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct identity; /* opaque */

/* signer.key, signer.pem and ca.pem of the folder `dir` (borrowed). NULL, and why in ret_why (a few
 * words), if a file is missing, readable by others (signer.key), or does not fit the others. */
struct identity *identity_load(int dir, char *ret_why, size_t room);
/* One that nobody vouches for, made in memory; its certificates are valid for ever. Never NULL. */
struct identity *identity_ephemeral(void);
void identity_free(struct identity *); /* wipes the key */

bool identity_is_ephemeral(const struct identity *);
/* notBefore of the signer's certificate, seconds since 1970. */
int64_t identity_not_before(const struct identity *);
/* Detached CMS over the bytes (format.h "Seal"), DER. Caller frees *ret_der with free(). Ends the
 * process on failure. */
void identity_sign(const struct identity *, const void *bytes, size_t size, uint8_t **ret_der,
                   size_t *ret_size);
/* chain.pem: signer, then CA. Caller frees with free(). */
void identity_chain(const struct identity *, char **ret_pem, size_t *ret_size);

#endif
