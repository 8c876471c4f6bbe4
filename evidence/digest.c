/*
 * digest: the process that hashes the source files as stored, SHA-256 and SHA-512.
 *
 * Files are read through its own descriptors, in parallel with the replay. A stream (FD_FORWARD is
 * open) can be read only once: digest stands in line, reads it, hashes it, and forwards the bytes
 * to capture. It interprets nothing.
 *
 * Must never: change or withhold a byte of a stream, or report a hash of bytes it did not read.
 */
#include "evidence/hash.h"
#include "sandbox/channel.h"
#include "sandbox/confine.h"
#include "sandbox/control.h"
#include "sandbox/fds.h"
#include "sandbox/inputs.h"
#include "sandbox/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES ((size_t)1 << 20)

struct digest {
    struct hash *sha256, *sha512;
    struct channel *to_store;
    uint8_t *buffer;
    bool forwards; /* capture still takes what we pass on */
};

static void begin(struct digest *d)
{
    hash_begin(d->sha256);
    hash_begin(d->sha512);
}

static void take(struct digest *d, size_t size)
{
    hash_add(d->sha256, d->buffer, size);
    hash_add(d->sha512, d->buffer, size);
}

static void report(struct digest *d, uint32_t source, uint64_t size, bool changed)
{
    struct msg_digest m = {.source = source, .changed = changed, .size = size};
    hash_end(d->sha256, m.sha256);
    hash_end(d->sha512, m.sha512);
    channel_send(d->to_store, MSG_DIGEST, &m, sizeof m, NULL, 0);
    channel_flush(d->to_store);
}

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void digest_file(struct digest *d, uint32_t source)
{
    int fd = FD_SOURCES + (int)source;
    struct stat before, after;
    uint64_t at = 0;
    if (fstat(fd, &before) != 0)
        log_die("digest: source %u: %m", source);
    begin(d);
    for (;;) {
        ssize_t n = pread(fd, d->buffer, READ_BYTES, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            log_die("digest: source %u: %m", source);
        if (n == 0)
            break;
        take(d, (size_t)n);
        at += (uint64_t)n;
    }
    if (fstat(fd, &after) != 0)
        log_die("digest: source %u: %m", source);
    report(d, source, at, !same(&before, &after) || (uint64_t)after.st_size != at);
}

/* Capture may stop early (damage, interrupt): the rest is hashed all the same. */
static void forward(struct digest *d, size_t size)
{
    for (size_t done = 0; done < size && d->forwards;) {
        ssize_t n = write(FD_FORWARD, d->buffer + done, size - done);
        if (n < 0 && errno == EPIPE)
            d->forwards = false;
        else if (n < 0 && errno != EINTR)
            log_die("digest: stream: %m");
        else if (n > 0)
            done += (size_t)n;
    }
}

static void digest_stream(struct digest *d, uint32_t source)
{
    uint64_t size = 0;
    d->forwards = true;
    begin(d);
    for (;;) {
        ssize_t n = read(FD_SOURCES + (int)source, d->buffer, READ_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            log_die("digest: stream: %m");
        if (n == 0)
            break;
        forward(d, (size_t)n);
        take(d, (size_t)n);
        size += (uint64_t)n;
    }
    (void)close(FD_FORWARD); /* end of file for capture */
    report(d, source, size, false);
}

static bool is_stream(const struct input *in)
{
    struct input_source s;
    if (in->size < sizeof s)
        return false;
    memcpy(&s, in->bytes, sizeof s);
    return (s.flags & SOURCE_STREAM) != 0;
}

int main(void)
{
    struct digest d = {0};
    struct input in;
    uint32_t source = 0;
    log_name("digest");
    (void)signal(SIGPIPE, SIG_IGN);
    d.sha256 = hash_new(HASH_SHA256);
    d.sha512 = hash_new(HASH_SHA512);
    struct inputs *inputs = inputs_open(FD_INPUTS);
    d.to_store = channel_new(FD_DIGESTS);
    d.buffer = malloc(READ_BYTES);
    if (!d.to_store || !d.buffer)
        log_die("digest: %m");
    confine(PROCESS_digest);
    control_await_go();

    for (size_t at = 0; inputs_next(inputs, INPUT_SOURCE, &at, &in) == 1; source++) {
        if (is_stream(&in))
            digest_stream(&d, source);
        else
            digest_file(&d, source);
    }
    hash_free(d.sha256);
    hash_free(d.sha512);
    channel_free(d.to_store);
    free(d.buffer);
    control_send(CONTROL_DONE, DONE_OK, "");
    return 0;
}
