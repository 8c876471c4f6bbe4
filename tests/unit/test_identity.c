/*
 * test_identity: the CMS profile of the seal, what is refused as an identity, the certificates.
 */
#include "evidence/identity.h"

#include "evidence/certificate.h"
#include "evidence/format.h"
#include "tests/unit/tempdir.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const char content[] = "a manifest\n";

/* The two certificates of a chain.pem, signer first. */
static void read_chain(const struct identity *id, X509 *ret_certs[2])
{
    char *pem;
    size_t size;
    identity_chain(id, &pem, &size);
    BIO *bio = BIO_new_mem_buf(pem, (int)size);
    ret_certs[0] = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    ret_certs[1] = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    assert_non_null(ret_certs[0]);
    assert_non_null(ret_certs[1]);
    assert_null(PEM_read_bio_X509(bio, NULL, NULL, NULL));
    BIO_free(bio);
    free(pem);
}

static int verify(const uint8_t *der, size_t size, X509 *ca, const char *bytes)
{
    const uint8_t *at = der;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)size);
    if (!cms)
        return 0;
    X509_STORE *store = X509_STORE_new();
    BIO *in = BIO_new_mem_buf(bytes, -1);
    X509_STORE_add_cert(store, ca);
    X509_STORE_set_purpose(store, X509_PURPOSE_ANY);
    int good = CMS_verify(cms, NULL, store, in, NULL, CMS_BINARY | CMS_CADES | CMS_DETACHED) == 1;
    BIO_free(in);
    X509_STORE_free(store);
    CMS_ContentInfo_free(cms);
    return good;
}

static void test_seal_verifies(void **state)
{
    struct identity *id = identity_ephemeral(), *other = identity_ephemeral();
    X509 *chain[2], *strange[2];
    uint8_t *der;
    size_t size;
    (void)state;
    assert_true(identity_is_ephemeral(id));
    assert_int_equal(identity_not_before(id), 946684800);
    read_chain(id, chain);
    read_chain(other, strange);
    identity_sign(id, content, sizeof content - 1, &der, &size);
    assert_true(verify(der, size, chain[1], content));
    assert_false(verify(der, size, chain[1], "another manifest\n"));
    assert_false(verify(der, size, strange[1], content));
    for (int i = 0; i < 2; i++) {
        X509_free(chain[i]);
        X509_free(strange[i]);
    }
    free(der);
    identity_free(id);
    identity_free(other);
}

static void test_seal_profile(void **state)
{
    struct identity *id = identity_ephemeral();
    uint8_t *der, *again = NULL;
    size_t size;
    int nid;
    X509_ALGOR *digest, *signature;
    ASN1_OBJECT const *object;
    (void)state;
    identity_sign(id, content, sizeof content - 1, &der, &size);
    const uint8_t *at = der;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)size);
    assert_non_null(cms);
    assert_ptr_equal(at, der + size);
    assert_int_equal(i2d_CMS_ContentInfo(cms, &again), (int)size);
    assert_memory_equal(der, again, size);
    assert_null(*CMS_get0_content(cms)); /* detached */
    STACK_OF(X509) *certs = CMS_get1_certs(cms);
    assert_int_equal(sk_X509_num(certs), SEAL_CERTIFICATES);
    sk_X509_pop_free(certs, X509_free);
    assert_null(CMS_get1_crls(cms));
    STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
    assert_int_equal(sk_CMS_SignerInfo_num(signers), 1);
    CMS_SignerInfo *signer = sk_CMS_SignerInfo_value(signers, 0);
    CMS_SignerInfo_get0_algs(signer, NULL, NULL, &digest, &signature);
    X509_ALGOR_get0(&object, &nid, NULL, digest);
    assert_int_equal(OBJ_obj2nid(object), NID_sha512);
    assert_int_equal(nid, V_ASN1_UNDEF); /* parameters absent */
    X509_ALGOR_get0(&object, &nid, NULL, signature);
    assert_int_equal(OBJ_obj2nid(object), NID_ecdsa_with_SHA512);
    assert_int_equal(nid, V_ASN1_UNDEF);
    static const int attributes[] = {NID_pkcs9_contentType, NID_pkcs9_signingTime,
                                     NID_pkcs9_messageDigest, NID_id_smime_aa_signingCertificateV2};
    assert_int_equal(CMS_signed_get_attr_count(signer), 4);
    for (size_t i = 0; i < 4; i++)
        assert_true(CMS_signed_get_attr_by_NID(signer, attributes[i], -1) >= 0);
    assert_true(CMS_unsigned_get_attr_count(signer) <= 0);
    OPENSSL_free(again);
    CMS_ContentInfo_free(cms);
    free(der);
    identity_free(id);
}

static void test_certificates(void **state)
{
    struct identity *id = identity_ephemeral();
    X509 *chain[2];
    (void)state;
    read_chain(id, chain);
    assert_int_equal(X509_get_key_usage(chain[0]), KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION);
    assert_int_equal(X509_get_key_usage(chain[1]), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    assert_int_equal(X509_check_ca(chain[0]), 0);
    assert_int_equal(X509_check_ca(chain[1]), 1);
    assert_int_equal(X509_get_pathlen(chain[1]), 0);
    assert_non_null(X509_get0_subject_key_id(chain[0]));
    assert_int_equal(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(chain[0]),
                                           X509_get0_subject_key_id(chain[1])),
                     0);
    assert_int_equal(X509_verify(chain[0], X509_get0_pubkey(chain[1])), 1);
    X509_free(chain[0]);
    X509_free(chain[1]);
    identity_free(id);
}

/* --- loading -------------------------------------------------------------------------------------
 */

struct files {
    struct tempdir temp;
    int dir;
    EVP_PKEY *ca_key, *key;
    X509 *ca, *signer;
};

static void write_pem(const struct files *f, const char *name, EVP_PKEY *key, X509 *cert)
{
    (void)unlinkat(f->dir, name, 0);
    int fd = openat(f->dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    BIO *bio = BIO_new_fd(fd, BIO_CLOSE);
    if (key)
        PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    else
        PEM_write_bio_X509(bio, cert);
    BIO_free(bio);
}

static int setup(void **state)
{
    static struct files f;
    int64_t now = (int64_t)time(NULL);
    if (tempdir_make(&f.temp) != 0)
        return -1;
    f.dir = f.temp.dir;
    f.ca_key = certificate_key();
    f.key = certificate_key();
    f.ca = certificate_ca(f.ca_key, NULL, now, now + 1000);
    f.signer = certificate_signer(f.key, f.ca, f.ca_key, NULL, now, now + 1000);
    write_pem(&f, IDENTITY_SIGNER_KEY, f.key, NULL);
    write_pem(&f, IDENTITY_SIGNER, NULL, f.signer);
    write_pem(&f, IDENTITY_CA, NULL, f.ca);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct files *f = *state;
    EVP_PKEY_free(f->ca_key);
    EVP_PKEY_free(f->key);
    X509_free(f->ca);
    X509_free(f->signer);
    return tempdir_remove(&f->temp);
}

static void assert_refused(const struct files *f, const char *part)
{
    char why[160] = "";
    assert_null(identity_load(f->dir, why, sizeof why));
    if (!strstr(why, part))
        fail_msg("\"%s\" does not say \"%s\"", why, part);
}

static void test_loads(void **state)
{
    struct files *f = *state;
    char why[160];
    struct identity *id = identity_load(f->dir, why, sizeof why);
    uint8_t *der;
    size_t size;
    assert_non_null(id);
    assert_false(identity_is_ephemeral(id));
    identity_sign(id, content, sizeof content - 1, &der, &size);
    assert_true(verify(der, size, f->ca, content));
    free(der);
    identity_free(id);
}

static void test_refuses_others_reading_the_key(void **state)
{
    struct files *f = *state;
    assert_int_equal(fchmodat(f->dir, IDENTITY_SIGNER_KEY, 0640, 0), 0);
    assert_refused(f, "signer.key");
}

static void test_refuses_a_strange_key(void **state)
{
    struct files *f = *state;
    write_pem(f, IDENTITY_SIGNER_KEY, f->ca_key, NULL);
    assert_refused(f, "not the key of signer.pem");
}

static void test_refuses_a_strange_authority(void **state)
{
    struct files *f = *state;
    X509 *other = certificate_ca(f->key, NULL, 0, 1);
    write_pem(f, IDENTITY_CA, NULL, other);
    X509_free(other);
    assert_refused(f, "not signed by ca.pem");
}

static void test_refuses_rsa(void **state)
{
    struct files *f = *state;
    EVP_PKEY *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    write_pem(f, IDENTITY_SIGNER_KEY, rsa, NULL);
    EVP_PKEY_free(rsa);
    assert_refused(f, "P-256");
}

static void test_refuses_what_is_missing(void **state)
{
    struct files *f = *state;
    assert_int_equal(unlinkat(f->dir, IDENTITY_CA, 0), 0);
    assert_refused(f, "ca.pem is missing");
    assert_int_equal(symlinkat(IDENTITY_SIGNER, f->dir, IDENTITY_CA), 0);
    assert_refused(f, "ca.pem is missing");
}

int main(void)
{
#define WITH_FILES(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seal_verifies),
        cmocka_unit_test(test_seal_profile),
        cmocka_unit_test(test_certificates),
        WITH_FILES(test_loads),
        WITH_FILES(test_refuses_others_reading_the_key),
        WITH_FILES(test_refuses_a_strange_key),
        WITH_FILES(test_refuses_a_strange_authority),
        WITH_FILES(test_refuses_rsa),
        WITH_FILES(test_refuses_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
