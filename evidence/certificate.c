/*
 * certificate: X.509 v3 (RFC 5280) for P-256. Contained in: sign, keygen, tests.
 */
#include "evidence/certificate.h"

#include "sandbox/log.h"

#include <openssl/bn.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>

EVP_PKEY *certificate_key(void)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    if (!key)
        log_die("certificate: cannot make a P-256 key");
    return key;
}

/* 127 random bits: positive, unique, and 16 bytes in DER. */
static void set_serial(X509 *cert, uint8_t ret_serial[16])
{
    BIGNUM *n = NULL;
    if (RAND_bytes(ret_serial, 16) != 1)
        log_die("certificate: no randomness");
    ret_serial[0] = (uint8_t)((ret_serial[0] & 0x7f) | 0x40);
    n = BN_bin2bn(ret_serial, 16, NULL);
    if (!n || !BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)))
        log_die("certificate: cannot set the serial number");
    BN_free(n);
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    if (!extension || X509_add_ext(cert, extension, -1) != 1)
        log_die("certificate: cannot add extension %s", value);
    X509_EXTENSION_free(extension);
}

static void add_name(X509_NAME *name, const char *field, const char *value)
{
    if (X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const uint8_t *)value, -1, -1, 0) !=
        1)
        log_die("certificate: cannot set the name");
}

static X509 *begin(EVP_PKEY *key, const char *role, const char *organisation, int64_t from,
                   int64_t until)
{
    X509 *cert = X509_new();
    uint8_t serial[16];
    char common_name[64];
    if (!cert || X509_set_version(cert, X509_VERSION_3) != 1 || X509_set_pubkey(cert, key) != 1 ||
        !ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)from) ||
        !ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)until))
        log_die("certificate: cannot begin");
    set_serial(cert, serial);
    (void)snprintf(common_name, sizeof common_name, "dnsbailiff %s %02x%02x%02x%02x", role,
                   serial[0], serial[1], serial[2], serial[3]);
    X509_NAME *name = X509_get_subject_name(cert);
    if (organisation)
        add_name(name, "O", organisation);
    add_name(name, "CN", common_name);
    return cert;
}

static void finish(X509 *cert, X509 *issuer, EVP_PKEY *issuer_key)
{
    if (X509_set_issuer_name(cert, X509_get_subject_name(issuer)) != 1 ||
        X509_sign(cert, issuer_key, EVP_sha256()) <= 0)
        log_die("certificate: cannot sign");
}

X509 *certificate_ca(EVP_PKEY *key, const char *organisation, int64_t from, int64_t until)
{
    X509 *cert = begin(key, "CA", organisation, from, until);
    add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(cert, cert, NID_subject_key_identifier, "hash");
    finish(cert, cert, key);
    return cert;
}

X509 *certificate_signer(EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key, const char *organisation,
                         int64_t from, int64_t until)
{
    X509 *cert = begin(key, "signer", organisation, from, until);
    add_extension(cert, ca, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(cert, ca, NID_key_usage, "critical,digitalSignature,nonRepudiation");
    add_extension(cert, ca, NID_subject_key_identifier, "hash");
    add_extension(cert, ca, NID_authority_key_identifier, "keyid:always");
    finish(cert, ca, ca_key);
    return cert;
}
