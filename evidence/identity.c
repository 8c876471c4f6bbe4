/*
 * identity: the sealing key. Contained in: sign, tests. Must never write or send the private key.
 */
#include "evidence/identity.h"

#include "evidence/certificate.h"
#include "evidence/format.h"
#include "sandbox/log.h"

#include <fcntl.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of an ephemeral identity: it says nothing about time, so its validity excludes none. */
#define FOR_EVER_FROM  INT64_C(946684800)    /* 2000-01-01T00:00:00Z */
#define FOR_EVER_UNTIL INT64_C(253402300799) /* 9999-12-31T23:59:59Z (RFC 5280 4.1.2.5) */
#define PEM_MAX        16384

struct identity {
    EVP_PKEY *key;
    X509 *signer, *ca;
    bool ephemeral;
};

/* A whole file in a memory BIO; NULL if it cannot be read. `secret`: only the owner may read it. */
static BIO *read_file(int dir, const char *name, bool secret)
{
    char text[PEM_MAX];
    struct stat st;
    BIO *bio = NULL;
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    ssize_t size = -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= PEM_MAX &&
        !(secret && (st.st_mode & 077)))
        size = read(fd, text, sizeof text);
    (void)close(fd);
    if (size > 0 && (bio = BIO_new(BIO_s_secmem())) != NULL)
        (void)BIO_write(bio, text, (int)size);
    OPENSSL_cleanse(text, sizeof text);
    return bio;
}

static X509 *read_certificate(int dir, const char *name)
{
    BIO *bio = read_file(dir, name, false);
    X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    return cert;
}

/* A key with a passphrase cannot be used: nobody is there to type it. */
static int no_passphrase(char *buffer, int size, int writing, void *data)
{
    (void)buffer, (void)size, (void)writing, (void)data;
    return -1;
}

static EVP_PKEY *read_key(int dir, const char *name)
{
    BIO *bio = read_file(dir, name, true);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    return key;
}

static bool is_p256(const EVP_PKEY *key)
{
    char group[32];
    size_t length;
    return EVP_PKEY_is_a(key, "EC") &&
           EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
                                          &length) == 1 &&
           strcmp(group, "prime256v1") == 0;
}

static const char *what_does_not_fit(const struct identity *id)
{
    if (!id->signer)
        return "signer.pem is missing or no certificate";
    if (!id->ca)
        return "ca.pem is missing or no certificate";
    if (!id->key)
        return "signer.key is missing, readable by others, protected by a passphrase, or no key";
    EVP_PKEY *ca_key = X509_get0_pubkey(id->ca);
    if (!is_p256(id->key) || !ca_key || !is_p256(ca_key))
        return "the keys must be P-256";
    if (X509_check_private_key(id->signer, id->key) != 1)
        return "signer.key is not the key of signer.pem";
    if (X509_check_issued(id->ca, id->signer) != X509_V_OK || X509_verify(id->signer, ca_key) != 1)
        return "signer.pem was not signed by ca.pem";
    if (X509_verify(id->ca, ca_key) != 1)
        return "ca.pem is not self-signed";
    return NULL;
}

struct identity *identity_load(int dir, char *ret_why, size_t room)
{
    struct identity *id = calloc(1, sizeof *id);
    if (!id)
        log_die("identity: out of memory");
    id->signer = read_certificate(dir, IDENTITY_SIGNER);
    id->ca = read_certificate(dir, IDENTITY_CA);
    id->key = read_key(dir, IDENTITY_SIGNER_KEY);
    const char *why = what_does_not_fit(id);
    if (!why)
        return id;
    (void)snprintf(ret_why, room, "%s", why);
    identity_free(id);
    return NULL;
}

struct identity *identity_ephemeral(void)
{
    struct identity *id = calloc(1, sizeof *id);
    if (!id)
        log_die("identity: out of memory");
    EVP_PKEY *ca_key = certificate_key();
    id->key = certificate_key();
    id->ca = certificate_ca(ca_key, EPHEMERAL_ORGANISATION, FOR_EVER_FROM, FOR_EVER_UNTIL);
    id->signer = certificate_signer(id->key, id->ca, ca_key, EPHEMERAL_ORGANISATION, FOR_EVER_FROM,
                                    FOR_EVER_UNTIL);
    id->ephemeral = true;
    EVP_PKEY_free(ca_key); /* wiped: it certifies nothing else */
    return id;
}

void identity_free(struct identity *id)
{
    if (!id)
        return;
    EVP_PKEY_free(id->key);
    X509_free(id->signer);
    X509_free(id->ca);
    free(id);
}

bool identity_is_ephemeral(const struct identity *id)
{
    return id->ephemeral;
}

int64_t identity_not_before(const struct identity *id)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(X509_get0_notBefore(id->signer), &tm) != 1)
        log_die("identity: certificate without a beginning");
    return (int64_t)timegm(&tm);
}

void identity_sign(const struct identity *id, const void *bytes, size_t size, uint8_t **ret_der,
                   size_t *ret_size)
{
    const unsigned flags = CMS_DETACHED | CMS_BINARY | CMS_CADES | CMS_NOSMIMECAP;
    STACK_OF(X509) *extra = sk_X509_new_null();
    BIO *in = size <= INT32_MAX ? BIO_new_mem_buf(bytes, (int)size) : NULL;
    uint8_t *der = NULL;
    if (!extra || !in || sk_X509_push(extra, id->ca) < 1)
        log_die("identity: out of memory");
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, extra, in, flags | CMS_PARTIAL);
    if (!cms || !CMS_add1_signer(cms, id->signer, id->key, EVP_sha512(), flags) ||
        CMS_final(cms, in, NULL, flags) != 1)
        log_die("identity: cannot sign");
    int length = i2d_CMS_ContentInfo(cms, NULL);
    uint8_t *at = der = length > 0 && length <= SEAL_MAX ? malloc((size_t)length) : NULL;
    if (!der || i2d_CMS_ContentInfo(cms, &at) != length)
        log_die("identity: cannot encode the signature");
    CMS_ContentInfo_free(cms);
    sk_X509_free(extra);
    BIO_free(in);
    *ret_der = der;
    *ret_size = (size_t)length;
}

void identity_chain(const struct identity *id, char **ret_pem, size_t *ret_size)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text;
    if (!out || PEM_write_bio_X509(out, id->signer) != 1 || PEM_write_bio_X509(out, id->ca) != 1)
        log_die("identity: cannot encode the certificates");
    long size = BIO_get_mem_data(out, &text);
    char *copy = size > 0 && size <= CHAIN_MAX ? malloc((size_t)size) : NULL;
    if (!copy)
        log_die("identity: cannot encode the certificates");
    memcpy(copy, text, (size_t)size);
    BIO_free(out);
    *ret_pem = copy;
    *ret_size = (size_t)size;
}
