/*
 * forge: bundles made, taken apart and made again by somebody who may hold keys; for tests only.
 *
 * It writes what evidence/format.h says, with code of its own, so that a test can play the
 * attacker: change a record and recompute everything that follows from it, with the identity's key,
 * with an epoch's key, or with neither.
 */
#ifndef TESTS_EVIDENCE_FORGE_H
#define TESTS_EVIDENCE_FORGE_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct forge_file {
    char name[256]; /* below the top folder */
    uint8_t *bytes;
    size_t size;
};

/* A bundle as a list of files. */
struct forge {
    struct forge_file *files;
    size_t count;
    char folder[200];
    int64_t time; /* T, seconds */
};

struct forge_identity {
    EVP_PKEY *ca_key, *key;
    X509 *ca, *certificate;
};

/* All of these end the process if something cannot be had. */
void forge_read_tar(struct forge *ret, const uint8_t *tar, size_t size);
struct forge forge_copy(const struct forge *);
void forge_free(struct forge *);
struct forge_file *forge_get(const struct forge *, const char *name); /* NULL: not there */
void forge_put(struct forge *, const char *name, const void *bytes, size_t size);
void forge_drop(struct forge *, const char *name);
/* Caller frees. The members in the order of the list, or sorted. */
uint8_t *forge_tar(const struct forge *, bool sorted, size_t *ret_size);

/* Writes bag-info's sums, the four manifests, and nothing under signatures/. */
void forge_manifests(struct forge *);
void forge_tagmanifests(struct forge *);
/* Replaces the value of a label of bag-info.txt. */
void forge_label(struct forge *, const char *label, const char *value);
/* Seals with the identity: signatures/seal.p7s and chain.pem. */
void forge_seal(struct forge *, const struct forge_identity *);
struct forge_identity forge_identity_new(const char *organisation);
void forge_identity_free(struct forge_identity *);
/* A CMS signature in the profile of format.h. Caller frees with OPENSSL_free. */
uint8_t *forge_cms(const struct forge_identity *, const void *bytes, size_t size, size_t *ret_size);
char *forge_pem(const struct forge_identity *, bool authority_only, size_t *ret_size);

/* A log as the tails of its records: what follows `"prev":"…",`. */
#define FORGE_RECORDS 256
#define FORGE_EPOCHS  8
struct forge_log {
    char *tail[FORGE_RECORDS];
    size_t count;
    EVP_PKEY *key[FORGE_EPOCHS]; /* "@KEY<n>@" in a tail stands for the public key of epoch n */
    char origin[120];
};
struct forge_checkpoint {
    unsigned epoch, key; /* epoch in its name, index of the key that signs */
    size_t size;
};
void forge_log_init(struct forge_log *, const char *origin);
void forge_log_free(struct forge_log *);
void forge_log_add(struct forge_log *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void forge_log_drop(struct forge_log *, size_t first, size_t count);
/* Writes log.jsonl, checkpoints, key0.b64, key0.p7s and bag-info's fields of the log; removes older
 * checkpoints. */
void forge_log_write(struct forge *, const struct forge_log *, const struct forge_checkpoint *,
                     size_t checkpoint_count, const struct forge_identity *);
/* bag-info's size and root of the log, and the folder's name, which ends in the root. */
void forge_log_labels(struct forge *, const struct forge_log *);
/* A checkpoint text over the first `size` records. */
size_t forge_checkpoint_text(const struct forge_log *, size_t size, EVP_PKEY *key, char *ret_text,
                             size_t room);

/* A small pcapng file in the profile: frames numbered first … first + count - 1, one second apart
 * from time_ns. */
struct forge_capture {
    const char *origin, *name, *prev; /* prev: hex */
    uint64_t first;
    unsigned count;
    int64_t time_ns;
    uint64_t received, dropped;
};
uint8_t *forge_pcapng(const struct forge_capture *, size_t *ret_size);

void forge_hex256(const void *bytes, size_t size, char ret_hex[65]);

#endif
