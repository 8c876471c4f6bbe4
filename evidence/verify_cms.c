/*
 * verify_cms: a detached signature in one strict profile of CMS.
 *
 * Contained in: verify, tests. Must never: consult a store of the system, or accept a byte that
 * neither the signature nor the profile fixes. The structure is read here and not by OpenSSL's CMS
 * code, because that ignores what the signature does not cover (versions, unsigned attributes,
 * algorithm identifiers); OpenSSL checks the signatures and the certificates.
 */
#include "evidence/verify_cms.h"

#include "evidence/format.h"
#include "evidence/verify_der.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define OID_CMS 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01

static const uint8_t id_signed_data[] = {0x06, 9, OID_CMS, 0x07, 0x02};
static const uint8_t version_1[] = {0x02, 1, 1};
static const uint8_t alg_sha512[] = {0x30, 11,   0x06, 9,    0x60, 0x86, 0x48,
                                     0x01, 0x65, 0x03, 0x04, 0x02, 0x03};
static const uint8_t content_data[] = {0x30, 11, 0x06, 9, OID_CMS, 0x07, 0x01};
static const uint8_t alg_ecdsa_sha512[] = {0x30, 10,   0x06, 8,    0x2a, 0x86,
                                           0x48, 0xce, 0x3d, 0x04, 0x03, 0x04};

/* The signed attributes, in the order that DER gives them here (shorter encodings first). */
static const uint8_t id_content_type[] = {0x06, 9, OID_CMS, 0x09, 0x03};
static const uint8_t id_signing_time[] = {0x06, 9, OID_CMS, 0x09, 0x05};
static const uint8_t id_message_digest[] = {0x06, 9, OID_CMS, 0x09, 0x04};
static const uint8_t id_signing_certificate[] = {0x06, 11, OID_CMS, 0x09, 0x10, 0x02, 0x2f};
static const uint8_t value_data[] = {0x06, 9, OID_CMS, 0x07, 0x01};

struct parsed {
    struct verify_certificate certificate[SEAL_CERTIFICATES]; /* in DER order */
    struct der issuer, serial, attributes;
    struct cursor signature;
    int64_t signed_at;
    struct cursor digest;         /* messageDigest */
    struct cursor certificate_id; /* ESSCertIDv2 */
};

#define EXPECT(cursor, constant) verify_der_expect((cursor), (constant), sizeof(constant))

static int compare_der(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static const char *read_certificates(struct cursor *data, struct parsed *p)
{
    struct der set = verify_der_take(data, DER_CONTEXT_0);
    for (size_t i = 0; i < SEAL_CERTIFICATES; i++) {
        struct der one = verify_der_take(&set.content, DER_SEQUENCE);
        if (!cursor_ok(&set.content))
            return "certificates are missing";
        p->certificate[i].der = one.whole;
        p->certificate[i].size = one.whole_size;
    }
    if (!verify_der_end(&set.content))
        return "more certificates than the signer's and its authority's";
    if (compare_der(p->certificate[0].der, p->certificate[0].size, p->certificate[1].der,
                    p->certificate[1].size) >= 0)
        return "certificates out of DER order";
    return NULL;
}

/* Attribute: SEQUENCE { OID, SET { value } }; the value's cursor, failed if it is another. */
static struct cursor attribute(struct cursor *attributes, const uint8_t *oid, size_t oid_size)
{
    struct der one = verify_der_take(attributes, DER_SEQUENCE);
    verify_der_expect(&one.content, oid, oid_size);
    struct der values = verify_der_take(&one.content, DER_SET);
    if (!verify_der_end(&one.content))
        values.content.failed = true;
    return values.content;
}

static const char *read_attributes(struct parsed *p)
{
    struct cursor at = p->attributes.content;
    struct cursor type = attribute(&at, id_content_type, sizeof id_content_type);
    EXPECT(&type, value_data);
    if (!verify_der_end(&type))
        return "signed attribute contentType is not data";
    struct cursor when = attribute(&at, id_signing_time, sizeof id_signing_time);
    if (!verify_der_time(&when, &p->signed_at) || !verify_der_end(&when))
        return "signed attribute signingTime is missing or malformed";
    struct cursor digest = attribute(&at, id_message_digest, sizeof id_message_digest);
    p->digest = verify_der_take(&digest, DER_OCTETS).content;
    if (!verify_der_end(&digest))
        return "signed attribute messageDigest is missing or malformed";
    struct cursor id = attribute(&at, id_signing_certificate, sizeof id_signing_certificate);
    struct der list = verify_der_take(&id, DER_SEQUENCE);
    struct der certs = verify_der_take(&list.content, DER_SEQUENCE);
    p->certificate_id = verify_der_take(&certs.content, DER_SEQUENCE).content;
    if (!verify_der_end(&certs.content) || !verify_der_end(&list.content) || !verify_der_end(&id))
        return "signed attribute signingCertificateV2 is missing or malformed";
    return verify_der_end(&at) ? NULL : "a signed attribute too many";
}

static const char *read_signer(struct cursor *data, struct parsed *p)
{
    struct der infos = verify_der_take(data, DER_SET);
    struct der info = verify_der_take(&infos.content, DER_SEQUENCE);
    if (!verify_der_end(&infos.content))
        return "not exactly one signer";
    struct cursor *c = &info.content;
    EXPECT(c, version_1);
    struct der name = verify_der_take(c, DER_SEQUENCE);
    p->issuer = verify_der_take(&name.content, DER_SEQUENCE);
    p->serial = verify_der_take(&name.content, DER_INTEGER);
    if (!cursor_ok(c) || !verify_der_end(&name.content))
        return "signer is not version 1 named by issuer and serial";
    EXPECT(c, alg_sha512);
    if (!cursor_ok(c))
        return "digest algorithm is not SHA-512";
    p->attributes = verify_der_take(c, DER_CONTEXT_0);
    if (!cursor_ok(c))
        return "no signed attributes";
    EXPECT(c, alg_ecdsa_sha512);
    p->signature = verify_der_take(c, DER_OCTETS).content;
    if (!cursor_ok(c))
        return "signature algorithm is not ECDSA with SHA-512";
    return verify_der_end(c) ? NULL : "unsigned attributes";
}

static const char *read_signed_data(const uint8_t *der, size_t size, struct parsed *p)
{
    struct cursor file = cursor_over(der, size);
    struct der info = verify_der_take(&file, DER_SEQUENCE);
    if (!verify_der_end(&file))
        return "not one DER element";
    EXPECT(&info.content, id_signed_data);
    struct der wrapped = verify_der_take(&info.content, DER_CONTEXT_0);
    if (!verify_der_end(&info.content))
        return "not SignedData";
    struct der data = verify_der_take(&wrapped.content, DER_SEQUENCE);
    if (!verify_der_end(&wrapped.content))
        return "not SignedData";
    struct cursor *c = &data.content;
    EXPECT(c, version_1);
    struct der algorithms = verify_der_take(c, DER_SET);
    EXPECT(&algorithms.content, alg_sha512);
    EXPECT(c, content_data);
    if (!cursor_ok(c) || !verify_der_end(&algorithms.content))
        return "not version 1 with SHA-512 over detached data";
    const char *fault = read_certificates(c, p);
    if (!fault)
        fault = read_signer(c, p);
    if (!fault && !verify_der_end(c))
        fault = "bytes after the signer";
    return fault ? fault : read_attributes(p);
}

static X509 *decode(const struct verify_certificate *from)
{
    const uint8_t *at = from->der;
    X509 *x509 = d2i_X509(NULL, &at, (long)from->size);
    uint8_t *again = NULL;
    int size = x509 ? i2d_X509(x509, &again) : -1;
    bool same = size > 0 && (size_t)size == from->size && memcmp(again, from->der, from->size) == 0;
    OPENSSL_free(again);
    if (!same || at != from->der + from->size) {
        X509_free(x509);
        return NULL;
    }
    return x509;
}

/* Is this certificate the one that issuer and serial name? */
static bool is_named(const X509 *x509, const struct parsed *p)
{
    uint8_t *issuer = NULL, *serial = NULL;
    int issuer_size = i2d_X509_NAME(X509_get_issuer_name(x509), &issuer);
    int serial_size = i2d_ASN1_INTEGER(X509_get0_serialNumber(x509), &serial);
    bool same = issuer_size > 0 && serial_size > 0 && (size_t)issuer_size == p->issuer.whole_size &&
                (size_t)serial_size == p->serial.whole_size &&
                memcmp(issuer, p->issuer.whole, p->issuer.whole_size) == 0 &&
                memcmp(serial, p->serial.whole, p->serial.whole_size) == 0;
    OPENSSL_free(issuer);
    OPENSSL_free(serial);
    return same;
}

/* ESSCertIDv2 (RFC 5035): hash of the signer's certificate; issuerSerial, if there, is covered by
 * the signature and says what issuer and serial already said. */
static bool is_identified(const struct verify_certificate *signer, struct cursor id)
{
    const EVP_MD *algorithm = EVP_sha256();
    if (verify_der_peek(&id) == DER_SEQUENCE) {
        EXPECT(&id, alg_sha512);
        algorithm = EVP_sha512();
    }
    struct cursor hash = verify_der_take(&id, DER_OCTETS).content;
    if (verify_der_peek(&id) == DER_SEQUENCE)
        verify_der_take(&id, DER_SEQUENCE);
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size;
    if (!verify_der_end(&id) ||
        !EVP_Digest(signer->der, signer->size, digest, &size, algorithm, NULL))
        return false;
    const uint8_t *stated = cursor_bytes(&hash, size);
    return stated && verify_der_end(&hash) && memcmp(stated, digest, size) == 0;
}

static bool is_p256(const X509 *x509)
{
    EVP_PKEY *key = X509_get0_pubkey(x509);
    char group[32];
    return key && EVP_PKEY_is_a(key, "EC") &&
           EVP_PKEY_get_group_name(key, group, sizeof group, NULL) &&
           strcmp(group, "prime256v1") == 0;
}

/* The signature covers the attributes with the tag of a SET (RFC 5652 5.4). */
static bool signature_holds(const struct verify_certificate *signer, const struct parsed *p)
{
    static const uint8_t set_tag = DER_SET;
    size_t size = p->attributes.whole_size;
    uint8_t *covered = OPENSSL_memdup(p->attributes.whole, size);
    if (!covered)
        return false;
    covered[0] = set_tag;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool holds =
        context &&
        EVP_DigestVerifyInit(context, NULL, EVP_sha512(), NULL, X509_get0_pubkey(signer->x509)) ==
            1 &&
        EVP_DigestVerify(context, p->signature.base, p->signature.size, covered, size) == 1;
    EVP_MD_CTX_free(context);
    OPENSSL_free(covered);
    return holds;
}

static const char *check_parsed(struct parsed *p, const void *content, size_t content_size,
                                struct verify_signature *s)
{
    for (size_t i = 0; i < SEAL_CERTIFICATES; i++)
        if (!(p->certificate[i].x509 = decode(&p->certificate[i])))
            return "a certificate does not decode and encode to the same bytes";
    size_t signer = is_named(p->certificate[0].x509, p) ? 0 : 1;
    s->signer = p->certificate[signer];
    s->authority = p->certificate[1 - signer];
    s->signed_at = p->signed_at;
    if (!is_named(s->signer.x509, p) || is_named(s->authority.x509, p))
        return "issuer and serial name none of the certificates";
    if (!is_p256(s->signer.x509) || !is_p256(s->authority.x509))
        return "a key is not on P-256";
    if (!is_identified(&s->signer, p->certificate_id))
        return "signingCertificateV2 names another certificate";
    uint8_t digest[64];
    unsigned size;
    if (!EVP_Digest(content, content_size, digest, &size, EVP_sha512(), NULL) ||
        p->digest.size != size || memcmp(p->digest.base, digest, size) != 0)
        return "it was made over other bytes";
    return signature_holds(&s->signer, p) ? NULL : "the signature does not verify";
}

const char *verify_cms_check(const uint8_t *der, size_t size, const void *content,
                             size_t content_size, struct verify_signature *ret_signature)
{
    struct parsed p = {.signed_at = 0};
    if (size > SEAL_MAX)
        return "too long";
    const char *fault = read_signed_data(der, size, &p);
    struct verify_signature s = {.signed_at = 0};
    if (!fault)
        fault = check_parsed(&p, content, content_size, &s);
    if (fault)
        for (size_t i = 0; i < SEAL_CERTIFICATES; i++)
            X509_free(p.certificate[i].x509);
    else
        *ret_signature = s;
    return fault;
}

void verify_cms_fini(struct verify_signature *s)
{
    X509_free(s->signer.x509);
    X509_free(s->authority.x509);
    s->signer.x509 = s->authority.x509 = NULL;
}

const char *verify_cms_chain(const struct verify_signature *s, X509 *authority, int64_t at)
{
    const char *fault = "out of memory";
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (!store || !context || !X509_STORE_add_cert(store, authority) ||
        !X509_STORE_CTX_init(context, store, s->signer.x509, NULL))
        goto out;
    X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(parameters, (time_t)at);
    X509_VERIFY_PARAM_set_depth(parameters, 0);
    X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_ANY);
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_CHECK_SS_SIGNATURE);
    if (X509_verify_cert(context) != 1)
        fault = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
    else if (!(X509_get_extension_flags(authority) & EXFLAG_CA))
        fault = "the authority's certificate is not one of an authority";
    else if ((X509_get_extension_flags(s->signer.x509) & EXFLAG_CA) ||
             !(X509_get_key_usage(s->signer.x509) & KU_DIGITAL_SIGNATURE))
        fault = "the signer's certificate is not one for signing";
    else
        fault = NULL;
out:
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return fault;
}

X509 *verify_cms_authority(const void *pem, size_t size)
{
    if (size > VERIFY_TEXT_MAX)
        return NULL;
    BIO *bio = BIO_new_mem_buf(pem, (int)size);
    X509 *first = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    X509 *second = first ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    if (second) {
        X509_free(first);
        X509_free(second);
        return NULL;
    }
    return first;
}

bool verify_cms_is_chain(const struct verify_signature *s, const void *pem, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long length = -1;
    if (bio && PEM_write_bio_X509(bio, s->signer.x509) &&
        PEM_write_bio_X509(bio, s->authority.x509))
        length = BIO_get_mem_data(bio, &text);
    bool same = length >= 0 && (size_t)length == size && memcmp(text, pem, size) == 0;
    BIO_free(bio);
    return same;
}
