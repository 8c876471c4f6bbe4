/*
 * keygen: `dnsbailiff keygen DIR` makes the identity that seals: an authority of one's own and the
 * sensor's certificate by it, both P-256.
 *
 * Not confined: it reads nothing and runs on the operator's word. Must never overwrite a file, or
 * write a private key that others may read.
 */
#include "evidence/certificate.h"
#include "evidence/format.h"
#include "sandbox/log.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CA_YEARS     10
#define SIGNER_YEARS 3
#define YEAR_SECONDS INT64_C(31556952) /* Gregorian mean */

static const char help[] =
    "Usage: dnsbailiff keygen DIR\n"
    "\n"
    "Makes the identity that seals evidence: a certificate authority of your own and the sensor's\n"
    "signing certificate by it (ECDSA P-256). Writes into DIR, which is made if it is not there:\n"
    "\n"
    "  ca.pem      the authority's certificate, valid 10 years: give it to whoever verifies\n"
    "  ca.key      its private key: move it off this machine, it signs the next certificate\n"
    "  signer.pem  the sensor's certificate, valid 3 years\n"
    "  signer.key  its private key: stays in DIR, readable by nobody else\n"
    "\n"
    "Nothing is ever overwritten. Exit status: 0 done, 1 failed, 2 usage.\n"
    "\n"
    "Example:\n"
    "  dnsbailiff keygen /etc/dnsbailiff/identity\n"
    "  dnsbailiff replay -r case.pcap --identity /etc/dnsbailiff/identity -o case.tar\n"
    "  dnsbailiff verify case.tar --ca ca.pem\n";

static const char *const names[] = {IDENTITY_CA, IDENTITY_CA_KEY, IDENTITY_SIGNER,
                                    IDENTITY_SIGNER_KEY};
#define NAMES (sizeof names / sizeof names[0])

static int open_folder(const char *path)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        log_die("keygen: %s: %m", path);
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        log_die("keygen: %s: %m", path);
    for (size_t i = 0; i < NAMES; i++)
        if (faccessat(dir, names[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            log_die("keygen: %s/%s is there already: nothing is overwritten", path, names[i]);
    return dir;
}

/* Keys are the owner's alone; certificates are made to be handed out. */
static void write_file(int dir, const char *name, BIO *text)
{
    char *bytes;
    long size = BIO_get_mem_data(text, &bytes);
    const char *suffix = strrchr(name, '.');
    mode_t mode = suffix && strcmp(suffix, ".pem") == 0 ? 0644 : 0600;
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        log_die("keygen: %s: %m", name);
    for (long done = 0; done < size;) {
        ssize_t n = write(fd, bytes + done, (size_t)(size - done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            log_die("keygen: %s: %m", name);
        done += n;
    }
    if (fsync(fd) != 0 || close(fd) != 0)
        log_die("keygen: %s: %m", name);
}

static void write_key(int dir, const char *name, EVP_PKEY *key)
{
    BIO *text = BIO_new(BIO_s_secmem()); /* wiped when freed */
    if (!text || PEM_write_bio_PrivateKey(text, key, NULL, NULL, 0, NULL, NULL) != 1)
        log_die("keygen: cannot encode %s", name);
    write_file(dir, name, text);
    BIO_free(text);
}

static void write_certificate(int dir, const char *name, X509 *cert)
{
    BIO *text = BIO_new(BIO_s_mem());
    if (!text || PEM_write_bio_X509(text, cert) != 1)
        log_die("keygen: cannot encode %s", name);
    write_file(dir, name, text);
    BIO_free(text);
}

static void print_fingerprint(const X509 *cert)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (X509_digest(cert, EVP_sha256(), digest, &size) != 1)
        log_die("keygen: cannot take the fingerprint");
    for (unsigned i = 0; i < size; i++)
        printf("%s%02X", i ? ":" : "", digest[i]);
}

static void make(const char *path)
{
    int dir = open_folder(path);
    int64_t now = (int64_t)time(NULL);
    EVP_PKEY *ca_key = certificate_key(), *key = certificate_key();
    X509 *ca = certificate_ca(ca_key, NULL, now, now + CA_YEARS * YEAR_SECONDS);
    X509 *signer =
        certificate_signer(key, ca, ca_key, NULL, now, now + SIGNER_YEARS * YEAR_SECONDS);
    write_key(dir, IDENTITY_CA_KEY, ca_key);
    write_certificate(dir, IDENTITY_CA, ca);
    write_key(dir, IDENTITY_SIGNER_KEY, key);
    write_certificate(dir, IDENTITY_SIGNER, signer);
    if (fsync(dir) != 0)
        log_die("keygen: %s: %m", path);
    (void)close(dir);
    printf("Made an authority and the sensor's certificate in %s.\n\n"
           "Hand to whoever verifies, by another way than the bundles:\n  %s/" IDENTITY_CA
           "\n  SHA-256 fingerprint ",
           path, path);
    print_fingerprint(ca);
    printf("\n\nMove off this machine and keep locked away; it is needed again in %d years:\n"
           "  %s/" IDENTITY_CA_KEY "\n",
           SIGNER_YEARS, path);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(key);
    X509_free(ca);
    X509_free(signer);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
    int option;
    log_name("keygen");
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option != 'h')
            return 2; /* getopt has said why */
        (void)fputs(help, stdout);
        return 0;
    }
    if (argc - optind != 1) {
        (void)fputs(help, stderr);
        return 2;
    }
    make(argv[optind]);
    return fflush(stdout) == 0 ? 0 : 1;
}
