/*
 * past: files for the history. Contained in: store. Must never: open the database as SQLite does,
 * or read what is in it but to hash it.
 */
#include "evidence/past.h"

#include "evidence/format.h"
#include "evidence/hash.h"
#include "sandbox/handover.h"
#include "sandbox/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long the end of a capture waits for the last of the history, milliseconds. */
#define PATIENCE_MS 60000
#define READ_BYTES  ((size_t)1 << 18)

static const char *const names[] = {NAME_HISTORY, NAME_HISTORY SUFFIX_WAL, NAME_HISTORY SUFFIX_SHM};

enum { OWN = sizeof names / sizeof *names, EARLIER = 2 };

/* The latest of the runs set aside that kept a history: its database and, if that run was cut
 * short, its journal. */
static void open_earlier(const struct past_options *o, int ret_fds[EARLIER])
{
    for (unsigned run = o->runs; run > 0 && ret_fds[0] < 0; run--) {
        char name[64];
        (void)snprintf(name, sizeof name, DIR_STATE "-%04u/" NAME_HISTORY, run);
        ret_fds[0] = openat(o->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        if (ret_fds[0] < 0)
            continue;
        (void)snprintf(name, sizeof name, DIR_STATE "-%04u/" NAME_HISTORY SUFFIX_WAL, run);
        ret_fds[1] = openat(o->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    }
}

void past_begin(const struct past_options *o)
{
    int fds[OWN + EARLIER];
    memset(fds, 0xff, sizeof fds);
    for (int i = 0; i < OWN; i++) {
        fds[i] =
            openat(o->state, names[i], O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fds[i] < 0)
            log_die("store: " DIR_STATE "/%s: %m", names[i]);
    }
    open_earlier(o, fds + OWN);
    int error = handover_give(o->socket, fds, OWN + EARLIER);
    if (error != 0) /* it is gone: the supervisor says so, and what that means */
        log_line(LOG_WARNING, "store: history: %s", strerror(-error));
    for (int i = 0; i < OWN + EARLIER; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
}

/* One byte says that the database is whole; the end of the socket, that it will never be. */
static bool is_whole(int socket, bool live)
{
    struct pollfd p = {.fd = socket, .events = POLLIN};
    uint8_t word;
    int got;
    do
        got = poll(&p, 1, live ? PATIENCE_MS : -1);
    while (got < 0 && errno == EINTR);
    return got == 1 && read(socket, &word, 1) == 1;
}

static uint64_t hash_file(int fd, uint8_t ret_sha256[HASH_SHA256_BYTES])
{
    static uint8_t bytes[READ_BYTES];
    struct hash *hash = hash_new(HASH_SHA256);
    uint64_t size = 0;
    hash_begin(hash);
    for (;;) {
        ssize_t n = pread(fd, bytes, sizeof bytes, (off_t)size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            log_die("store: " FILE_HISTORY ": %m");
        if (n == 0)
            break;
        hash_add(hash, bytes, (size_t)n);
        size += (uint64_t)n;
    }
    hash_end(hash, ret_sha256);
    hash_free(hash);
    return size;
}

bool past_seal(const struct past_options *o, bool live, struct listing *l)
{
    uint8_t sha256[HASH_SHA256_BYTES];
    if (!is_whole(o->socket, live)) {
        log_line(LOG_WARNING, "store: " FILE_HISTORY " is not whole: it stays, but is not sealed");
        return false;
    }
    int fd = openat(o->state, NAME_HISTORY, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        log_die("store: " FILE_HISTORY ": %m");
    for (int i = 1; i < OWN; i++)
        if (unlinkat(o->state, names[i], 0) != 0 && errno != ENOENT)
            log_die("store: " DIR_STATE "/%s: %m", names[i]);
    uint64_t size = hash_file(fd, sha256);
    if (fsync(fd) != 0 || fsync(o->state) != 0)
        log_die("store: " FILE_HISTORY ": %m");
    (void)close(fd);
    listing_add(l, BUNDLE_HISTORY, size, sha256);
    return true;
}
