/*
 * verify_seal: the signatures of the identity, and who vouches for it.
 *
 * Contained in: verify, tests. Must never: trust a certificate because the bundle brought it.
 */
#include "evidence/verify_seal.h"

#include "evidence/format.h"

#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

/* "CN = …, O = …" in printable ASCII. */
static void show_subject(const X509 *x509, char *ret_text, size_t room)
{
    char *text;
    BIO *bio = BIO_new(BIO_s_mem());
    long size = 0;
    if (bio && X509_NAME_print_ex(bio, X509_get_subject_name(x509), 0, XN_FLAG_ONELINE) >= 0)
        size = BIO_get_mem_data(bio, &text);
    if (size > 0) {
        struct verify_shown shown;
        verify_escape(text, (size_t)size, &shown);
        snprintf(ret_text, room, "%.*s", (int)room - 1, shown.text);
    }
    BIO_free(bio);
}

bool verify_seal_check(struct verify *v, struct verify_signature *ret_seal)
{
    const struct verify_member *seal = verify_find(v, BUNDLE_SEAL);
    const struct verify_member *chain = verify_find(v, BUNDLE_CHAIN);
    const struct verify_member *manifest = verify_find(v, BUNDLE_TAGMANIFEST_512);
    if (!seal || !chain || !manifest) {
        verify_fault(v, VERIFY_SEAL, "there is no seal");
        return false;
    }
    struct verify_signature found;
    const char *fault =
        verify_cms_check(seal->bytes, seal->size, manifest->bytes, manifest->size, &found);
    if (fault) {
        verify_fault(v, VERIFY_SEAL, "%s: %s", BUNDLE_SEAL, fault);
        return false;
    }
    show_subject(found.signer.x509, v->report->identity, sizeof v->report->identity);
    v->report->sealed_at = found.signed_at;
    if (!verify_cms_is_chain(&found, chain->bytes, chain->size))
        verify_fault(v, VERIFY_SEAL, "%s is not the chain of the seal", BUNDLE_CHAIN);
    /* Nobody else vouches for this certificate, but its bytes must not be anybody's to change. */
    fault = verify_cms_chain(&found, found.authority.x509, found.signed_at);
    if (fault)
        verify_fault(v, VERIFY_SEAL, "the chain enclosed does not hold: %s", fault);
    *ret_seal = found;
    return true;
}

static bool same_certificate(const struct verify_certificate *a, const struct verify_certificate *b)
{
    return a->size == b->size && memcmp(a->der, b->der, a->size) == 0;
}

static bool is_ephemeral(const struct verify_signature *s)
{
    char name[128];
    int size = X509_NAME_get_text_by_NID(X509_get_subject_name(s->signer.x509),
                                         NID_organizationName, name, sizeof name);
    return size > 0 && strcmp(name, EPHEMERAL_ORGANISATION) == 0;
}

/* Recording and packing are two acts. Where nobody vouches for one of them, that is said; it takes
 * nothing from the other. */
static const char *unvouched(bool recording, bool packing)
{
    if (recording && packing)
        return "recorded and packed under different ephemeral identities";
    if (recording)
        return "recorded under an ephemeral identity: the seal vouches for what was packed, not "
               "for "
               "the recording";
    return packing ? "recorded under a certified identity, packed under an ephemeral one: nobody "
                     "vouches for the packing"
                   : NULL;
}

/* The key of epoch 0 was certified by who sealed, or (the certificate was renewed, or the folder
 * was packed later) by somebody of the same authority. */
static void check_key0(struct verify *v, const struct verify_signature *seal)
{
    const struct verify_member *key = verify_find(v, BUNDLE_KEY0);
    const struct verify_member *signature = verify_find(v, BUNDLE_KEY0_SIG);
    struct verify_signature found;
    const char *fault = !key || !signature ? "it is missing"
                                           : verify_cms_check(signature->bytes, signature->size,
                                                              key->bytes, key->size, &found);
    if (fault) {
        verify_fault(v, VERIFY_EPOCHS, "%s: %s", BUNDLE_KEY0_SIG, fault);
        return;
    }
    bool same = same_certificate(&found.signer, &seal->signer);
    bool related = same_certificate(&found.authority, &seal->authority) &&
                   !verify_cms_chain(&found, seal->authority.x509, found.signed_at);
    const char *doubt = unvouched(is_ephemeral(&found), is_ephemeral(seal));
    if (!same && !related && doubt)
        verify_doubt(v, VERIFY_EPOCHS, "%s", doubt);
    else if (!same && !related)
        verify_fault(v, VERIFY_EPOCHS, "%s was made by another identity than the seal",
                     BUNDLE_KEY0_SIG);
    else if (!same)
        verify_doubt(v, VERIFY_EPOCHS, "the identity's certificate changed since the recording");
    if (found.signed_at > seal->signed_at)
        verify_fault(v, VERIFY_EPOCHS, "the first key was certified after the bundle was sealed");
    verify_cms_fini(&found);
}

static void check_authority(struct verify *v, const struct verify_signature *seal)
{
    const struct verify_options *o = v->options;
    if (!o->ca) {
        verify_skipped(v, VERIFY_IDENTITY,
                       is_ephemeral(seal) ? "sealed by an ephemeral identity: nobody vouches"
                                          : "no authority given (--ca): anybody could have "
                                            "sealed this");
        return;
    }
    X509 *authority = verify_cms_authority(o->ca, o->ca_size);
    if (!authority) {
        verify_fault(v, VERIFY_IDENTITY, "the authority given is not exactly one certificate");
        return;
    }
    int64_t at = o->at ? o->at : seal->signed_at;
    const char *fault = verify_cms_chain(seal, authority, at);
    if (!fault && X509_cmp(authority, seal->authority.x509) != 0)
        fault = "the seal encloses another authority";
    if (fault)
        verify_fault(v, VERIFY_IDENTITY, "not certified by the authority given: %s", fault);
    else
        verify_passed(v, VERIFY_IDENTITY, "%s", v->report->identity);
    X509_free(authority);
}

void verify_seal_identity(struct verify *v, const struct verify_bag *bag,
                          const struct verify_signature *seal)
{
    if (bag->ephemeral != is_ephemeral(seal))
        verify_fault(v, VERIFY_SEAL, "%s says %s, which the identity is not", BUNDLE_BAG_INFO,
                     bag->ephemeral ? "ephemeral" : "certified");
    /* Verify-Epoch: the time of sealing, unless the certificate is younger. */
    struct tm tm;
    int64_t not_before = INT64_MIN;
    if (ASN1_TIME_to_tm(X509_get0_notBefore(seal->signer.x509), &tm))
        not_before = (int64_t)timegm(&tm);
    int64_t expected = not_before > bag->sealed_at ? not_before : bag->sealed_at;
    if (bag->verify_epoch != expected)
        verify_fault(v, VERIFY_SEAL, "%s: Verify-Epoch is not %lld", BUNDLE_BAG_INFO,
                     (long long)expected);
    check_key0(v, seal);
    check_authority(v, seal);
    char when[32] = "";
    time_t signed_at = (time_t)seal->signed_at;
    if (gmtime_r(&signed_at, &tm))
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
    verify_passed(v, VERIFY_SEAL, "signed %s, by the signer's own clock", when);
}
