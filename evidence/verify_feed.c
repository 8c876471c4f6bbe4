/*
 * verify_feed: ranges of the bundle into a pipe, and how far it is.
 *
 * Contained in: verify, explain, report, lookup, tests. Must never: look at what it passes on.
 */
#include "evidence/verify_feed.h"

#include "sandbox/log.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHUNK  ((size_t)1 << 20)
#define SECOND INT64_C(1000000000)
#define PAUSE  (SECOND / 5) /* between two looks of the line */
#define MEGA   1000000.0

bool verify_feed_fits(const struct verify_range *r, size_t bundle_size)
{
    return r->offset <= bundle_size && r->size <= bundle_size - r->offset;
}

static int write_all(int fd, const uint8_t *at, size_t left)
{
    while (left > 0) {
        ssize_t written = write(fd, at, left);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? -errno : -EIO;
        at += written;
        left -= (size_t)written;
    }
    return 0;
}

int verify_feed_range(int fd, const uint8_t *bundle, size_t bundle_size,
                      const struct verify_range *r, struct verify_feed *progress)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    if (!verify_feed_fits(r, bundle_size))
        return -EILSEQ;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
        log_die("SHA-256: OpenSSL failed");
    int error = 0;
    for (uint64_t at = 0, part; error == 0 && at < r->size; at += part) {
        const uint8_t *bytes = bundle + r->offset + at;
        part = r->size - at < CHUNK ? r->size - at : CHUNK;
        if (EVP_DigestUpdate(ctx, bytes, part) != 1)
            log_die("SHA-256: OpenSSL failed");
        error = write_all(fd, bytes, part);
        progress->done += part;
        verify_feed_show(progress);
    }
    if (EVP_DigestFinal_ex(ctx, hash, NULL) != 1)
        log_die("SHA-256: OpenSSL failed");
    EVP_MD_CTX_free(ctx);
    if (error == 0 && memcmp(hash, r->sha256, HASH_BYTES) != 0)
        error = -EILSEQ;
    return error;
}

/* --- the line on the terminal ---------------------------------------------------------------- */

static bool is_shown;

void verify_feed_show(const struct verify_feed *p)
{
    static int64_t next; /* nothing is said of what takes no second */
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t now = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    if (next == 0)
        next = now + SECOND;
    if (now < next || !isatty(STDERR_FILENO))
        return;
    char line[160];
    int size = snprintf(line, sizeof line, "\r%s: %.0f of %.0f MB\033[K", p->what,
                        (double)p->done / MEGA, (double)p->total / MEGA);
    if (size > 0 && write(STDERR_FILENO, line, (size_t)size) == size)
        is_shown = true;
    next = now + PAUSE;
}

void verify_feed_clear(void)
{
    static const char nothing[] = "\r\033[K";
    if (is_shown && write(STDERR_FILENO, nothing, sizeof nothing - 1) > 0)
        is_shown = false;
}
