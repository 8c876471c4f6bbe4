/*
 * forge: bundles made, taken apart and made again by somebody who may hold keys; for tests only.
 *
 * Contained in: tests. Must never: be linked into a program.
 */
#include "tests/evidence/forge.h"

#include "evidence/format.h"

#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "forge: %s\n", what);
        exit(1);
    }
}

static void *room_for(size_t size)
{
    void *room = calloc(1, size + 1);
    must(room, "out of memory");
    return room;
}

/* --- files and tar ------------------------------------------------------------------------------
 */

struct forge_file *forge_get(const struct forge *f, const char *name)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->files[i].name, name) == 0)
            return &f->files[i];
    return NULL;
}

void forge_put(struct forge *f, const char *name, const void *bytes, size_t size)
{
    uint8_t *copy = room_for(size);
    if (size > 0)
        memcpy(copy, bytes, size);
    struct forge_file *file = forge_get(f, name);
    if (file) {
        free(file->bytes);
    } else {
        f->files = realloc(f->files, (f->count + 1) * sizeof *f->files);
        must(f->files, "out of memory");
        file = &f->files[f->count++];
        memset(file, 0, sizeof *file);
        snprintf(file->name, sizeof file->name, "%s", name);
    }
    file->bytes = copy;
    file->size = size;
}

void forge_drop(struct forge *f, const char *name)
{
    struct forge_file *file = forge_get(f, name);
    if (!file)
        return;
    free(file->bytes);
    size_t index = (size_t)(file - f->files);
    memmove(file, file + 1, (--f->count - index) * sizeof *file);
}

struct forge forge_copy(const struct forge *from)
{
    struct forge f = {.time = from->time};
    memcpy(f.folder, from->folder, sizeof f.folder);
    for (size_t i = 0; i < from->count; i++)
        forge_put(&f, from->files[i].name, from->files[i].bytes, from->files[i].size);
    return f;
}

void forge_free(struct forge *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->files[i].bytes);
    free(f->files);
    *f = (struct forge){.count = 0};
}

void forge_read_tar(struct forge *ret, const uint8_t *tar, size_t size)
{
    struct forge f = {.count = 0};
    for (size_t at = 0; at + 512 <= size && tar[at];) {
        char path[300] = "", number[13] = "";
        const char *header = (const char *)tar + at;
        snprintf(path, sizeof path, "%.155s%s%.100s", header + 345, header[345] ? "/" : "", header);
        memcpy(number, header + 124, 12);
        size_t length = (size_t)strtoull(number, NULL, 8);
        memcpy(number, header + 136, 12);
        f.time = (int64_t)strtoll(number, NULL, 8);
        char *slash = strchr(path, '/');
        must(slash && at + 512 + length <= size, "not a bundle");
        *slash = '\0';
        snprintf(f.folder, sizeof f.folder, "%s", path);
        forge_put(&f, slash + 1, tar + at + 512, length);
        at += 512 + (length + 511) / 512 * 512;
    }
    *ret = f;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct forge_file *)a)->name, ((const struct forge_file *)b)->name);
}

static void put_header(uint8_t *header, const char *path, size_t size, int64_t mtime)
{
    size_t length = strlen(path);
    const char *split = length > 100 ? strchr(path + length - 101, '/') : NULL;
    char text[16];
    must(length <= 100 || split, "path too long");
    if (split)
        memcpy(header + 345, path, (size_t)(split - path));
    const char *name = split ? split + 1 : path;
    memcpy(header, name, strlen(name));
    memcpy(header + 100,
           "000444 \0"
           "000000 \0"
           "000000 ",
           23);
    snprintf(text, sizeof text, "%011zo ", size);
    memcpy(header + 124, text, 12);
    snprintf(text, sizeof text, "%011llo ", (unsigned long long)mtime);
    memcpy(header + 136, text, 12);
    header[156] = '0';
    memcpy(header + 257,
           "ustar\0"
           "00",
           8);
    memcpy(header + 329,
           "000000 \0"
           "000000 ",
           15);
    memset(header + 148, ' ', 8);
    unsigned sum = 0;
    for (size_t i = 0; i < 512; i++)
        sum += header[i];
    snprintf(text, sizeof text, "%06o", sum);
    memcpy(header + 148, text, 7);
}

uint8_t *forge_tar(const struct forge *from, bool sorted, size_t *ret_size)
{
    /* Not forge_copy: the same name may be there twice. */
    struct forge f = *from;
    f.files = room_for(f.count * sizeof *f.files);
    memcpy(f.files, from->files, f.count * sizeof *f.files);
    size_t size = 1024, at = 0;
    if (sorted)
        qsort(f.files, f.count, sizeof *f.files, by_name);
    for (size_t i = 0; i < f.count; i++)
        size += 512 + (f.files[i].size + 511) / 512 * 512;
    uint8_t *tar = room_for(size);
    for (size_t i = 0; i < f.count; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", f.folder, f.files[i].name);
        put_header(tar + at, path, f.files[i].size, f.time);
        memcpy(tar + at + 512, f.files[i].bytes, f.files[i].size);
        at += 512 + (f.files[i].size + 511) / 512 * 512;
    }
    free(f.files);
    *ret_size = size;
    return tar;
}

/* --- manifests ----------------------------------------------------------------------------------
 */

static void hex_of(const EVP_MD *algorithm, const void *bytes, size_t size, char *ret_hex)
{
    uint8_t hash[64];
    unsigned length;
    must(EVP_Digest(bytes, size, hash, &length, algorithm, NULL), "hash");
    for (unsigned i = 0; i < length; i++)
        snprintf(ret_hex + 2 * i, 3, "%02x", hash[i]);
}

void forge_hex256(const void *bytes, size_t size, char ret_hex[65])
{
    hex_of(EVP_sha256(), bytes, size, ret_hex);
}

static void put_manifest(struct forge *f, const char *name, const EVP_MD *algorithm, bool payload)
{
    static const char *const tags[] = {BUNDLE_README, BUNDLE_BAG_INFO, BUNDLE_BAGIT,
                                       BUNDLE_MANIFEST_256, BUNDLE_MANIFEST_512};
    char *text = room_for(f->count * 512), *at = text;
    qsort(f->files, f->count, sizeof *f->files, by_name);
    for (size_t i = 0; i < f->count; i++) {
        const struct forge_file *file = &f->files[i];
        bool listed = payload && strncmp(file->name, "data/", 5) == 0;
        for (size_t j = 0; !payload && j < sizeof tags / sizeof *tags; j++)
            listed = listed || strcmp(file->name, tags[j]) == 0;
        if (!listed)
            continue;
        char hex[129];
        hex_of(algorithm, file->bytes, file->size, hex);
        at += snprintf(at, 512, "%s  %s\n", hex, file->name);
    }
    forge_put(f, name, text, (size_t)(at - text));
    free(text);
}

/* Replaces the value of one label of bag-info.txt. */
static void put_label(struct forge *f, const char *label, const char *value)
{
    struct forge_file *info = forge_get(f, BUNDLE_BAG_INFO);
    must(info, "no bag-info");
    char *text = room_for(info->size + strlen(value)), find[64];
    snprintf(find, sizeof find, "%s: ", label);
    char *old = strndup((const char *)info->bytes, info->size);
    char *at = strstr(old, find);
    must(at, label);
    char *end = strchr(at, '\n');
    int size = snprintf(text, info->size + strlen(value) + 1, "%.*s%s%s%s", (int)(at - old), old,
                        find, value, end);
    forge_put(f, BUNDLE_BAG_INFO, text, (size_t)size);
    free(old);
    free(text);
}

void forge_label(struct forge *f, const char *label, const char *value)
{
    put_label(f, label, value);
}

void forge_tagmanifests(struct forge *f)
{
    put_manifest(f, BUNDLE_TAGMANIFEST_256, EVP_sha256(), false);
    put_manifest(f, BUNDLE_TAGMANIFEST_512, EVP_sha512(), false);
}

void forge_manifests(struct forge *f)
{
    size_t bytes = 0, files = 0;
    char text[64];
    for (size_t i = 0; i < f->count; i++)
        if (strncmp(f->files[i].name, "data/", 5) == 0) {
            bytes += f->files[i].size;
            files++;
        }
    snprintf(text, sizeof text, "%zu.%zu", bytes, files);
    put_label(f, "Payload-Oxum", text);
    put_label(f, "External-Identifier", f->folder);
    put_manifest(f, BUNDLE_MANIFEST_256, EVP_sha256(), true);
    put_manifest(f, BUNDLE_MANIFEST_512, EVP_sha512(), true);
    forge_tagmanifests(f);
}

/* --- identity -----------------------------------------------------------------------------------
 */

static void extend(X509 *x509, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, x509, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    must(extension && X509_add_ext(x509, extension, -1), "extension");
    X509_EXTENSION_free(extension);
}

static X509 *certificate(EVP_PKEY *key, const char *organisation, const char *name,
                         const X509 *issuer, EVP_PKEY *issuer_key)
{
    static long serial = 4711;
    X509 *x509 = X509_new();
    must(x509 && X509_set_version(x509, 2), "certificate");
    ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial);
    ASN1_TIME_set(X509_getm_notBefore(x509), 1577836800); /* 2020 */
    ASN1_TIME_set(X509_getm_notAfter(x509), 2500000000);  /* 2049 */
    X509_NAME *subject = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, (const uint8_t *)organisation, -1, -1,
                               0);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const uint8_t *)name, -1, -1, 0);
    X509_set_issuer_name(x509, issuer ? X509_get_subject_name(issuer) : subject);
    X509_set_pubkey(x509, key);
    extend(x509, NID_basic_constraints,
           issuer ? "critical,CA:FALSE" : "critical,CA:TRUE,pathlen:0");
    extend(x509, NID_key_usage, issuer ? "critical,digitalSignature" : "critical,keyCertSign");
    must(X509_sign(x509, issuer_key, EVP_sha256()), "X509_sign");
    return x509;
}

struct forge_identity forge_identity_new(const char *organisation)
{
    struct forge_identity i = {.ca_key = EVP_EC_gen("prime256v1"), .key = EVP_EC_gen("prime256v1")};
    must(i.ca_key && i.key, "keys");
    i.ca = certificate(i.ca_key, organisation, "authority", NULL, i.ca_key);
    i.certificate = certificate(i.key, organisation, "sensor", i.ca, i.ca_key);
    return i;
}

void forge_identity_free(struct forge_identity *i)
{
    EVP_PKEY_free(i->ca_key);
    EVP_PKEY_free(i->key);
    X509_free(i->ca);
    X509_free(i->certificate);
}

uint8_t *forge_cms(const struct forge_identity *i, const void *bytes, size_t size, size_t *ret_size)
{
    unsigned flags = CMS_BINARY | CMS_DETACHED | CMS_PARTIAL | CMS_CADES | CMS_NOSMIMECAP;
    BIO *content = BIO_new_mem_buf(bytes, (int)size);
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
    must(content && cms && CMS_add1_signer(cms, i->certificate, i->key, EVP_sha512(), flags) &&
             CMS_add1_cert(cms, i->ca) && CMS_final(cms, content, NULL, flags),
         "CMS");
    uint8_t *der = NULL;
    int length = i2d_CMS_ContentInfo(cms, &der);
    must(length > 0, "CMS");
    CMS_ContentInfo_free(cms);
    BIO_free(content);
    *ret_size = (size_t)length;
    return der;
}

char *forge_pem(const struct forge_identity *i, bool authority_only, size_t *ret_size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    must(bio && (authority_only || PEM_write_bio_X509(bio, i->certificate)) &&
             PEM_write_bio_X509(bio, i->ca),
         "PEM");
    long size = BIO_get_mem_data(bio, &text);
    char *copy = room_for((size_t)size);
    memcpy(copy, text, (size_t)size);
    BIO_free(bio);
    *ret_size = (size_t)size;
    return copy;
}

void forge_seal(struct forge *f, const struct forge_identity *i)
{
    size_t size;
    char *pem = forge_pem(i, false, &size);
    forge_put(f, BUNDLE_CHAIN, pem, size);
    free(pem);
    const struct forge_file *manifest = forge_get(f, BUNDLE_TAGMANIFEST_512);
    uint8_t *der = forge_cms(i, manifest->bytes, manifest->size, &size);
    forge_put(f, BUNDLE_SEAL, der, size);
    OPENSSL_free(der);
}
