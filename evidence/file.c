/*
 * file: written once, hashed, durable. Contained in: store. Must never: overwrite anything, follow
 * a link, or try a failed fsync again.
 */
#include "evidence/file.h"

#include "evidence/format.h"
#include "sandbox/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME_MAX 160
/* Large enough that writing costs few system calls, small enough for the second-level cache. */
#define BUFFER_BYTES ((size_t)256 << 10)

struct file {
    int dir, fd;
    int error; /* negative errno; sticks */
    enum file_mode mode;
    char name[FILE_NAME_MAX];
    char part[FILE_NAME_MAX + sizeof SUFFIX_PART];
    struct hash *hash;
    uint64_t size;
    size_t used;
    uint8_t buffer[BUFFER_BYTES];
};

int file_create(int dir, const char *name, enum file_mode mode, struct file **ret_file)
{
    size_t length = strlen(name);
    if (length == 0 || length >= FILE_NAME_MAX)
        return -ENAMETOOLONG;
    struct file *f = malloc(sizeof *f);
    if (!f)
        log_die("file: out of memory");
    f->dir = dir;
    f->error = 0;
    f->mode = mode;
    f->size = 0;
    f->used = 0;
    (void)snprintf(f->name, sizeof f->name, "%s", name);
    (void)snprintf(f->part, sizeof f->part, "%s%s", name, mode == FILE_HIDDEN ? SUFFIX_PART : "");
    f->fd = openat(dir, f->part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (f->fd < 0) {
        int error = -errno;
        free(f);
        return error;
    }
    f->hash = hash_new(HASH_SHA256);
    hash_begin(f->hash);
    *ret_file = f;
    return 0;
}

static void write_out(struct file *f, const uint8_t *bytes, size_t size)
{
    while (size > 0 && f->error == 0) {
        ssize_t n = write(f->fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            f->error = n < 0 ? -errno : -EIO;
            return;
        }
        bytes += n;
        size -= (size_t)n;
    }
}

void file_write(struct file *f, const void *bytes, size_t size)
{
    if (f->error != 0)
        return;
    f->size += size;
    if (size > BUFFER_BYTES - f->used) {
        (void)file_flush(f, false);
        if (size >= BUFFER_BYTES) {
            hash_add(f->hash, bytes, size);
            write_out(f, bytes, size);
            return;
        }
    }
    if (size > 0)
        memcpy(f->buffer + f->used, bytes, size);
    f->used += size;
}

int file_flush(struct file *f, bool durable)
{
    /* Hashed here and not per write: long runs are what SHA-256 is fast on. */
    hash_add(f->hash, f->buffer, f->used);
    write_out(f, f->buffer, f->used);
    f->used = 0;
    if (durable && f->error == 0 && fdatasync(f->fd) != 0)
        f->error = -errno;
    return f->error;
}

uint64_t file_size(const struct file *f)
{
    return f->size;
}

static void release(struct file *f)
{
    if (f->fd >= 0)
        (void)close(f->fd);
    hash_free(f->hash);
    free(f);
}

int file_seal(struct file *f, uint64_t *ret_size, uint8_t ret_sha256[HASH_SHA256_BYTES])
{
    (void)file_flush(f, false);
    if (f->error == 0 && fsync(f->fd) != 0)
        f->error = -errno;
    if (f->error == 0 && f->mode == FILE_HIDDEN &&
        renameat2(f->dir, f->part, f->dir, f->name, RENAME_NOREPLACE) != 0)
        f->error = -errno;
    if (f->error == 0 && fsync(f->dir) != 0)
        f->error = -errno;
    int error = f->error;
    if (error == 0) {
        *ret_size = f->size;
        hash_end(f->hash, ret_sha256);
        release(f);
    } else {
        file_discard(f);
    }
    return error;
}

void file_discard(struct file *f)
{
    if (!f)
        return;
    if (f->mode == FILE_HIDDEN)
        (void)unlinkat(f->dir, f->part, 0);
    release(f);
}

int file_put(int dir, const char *name, const void *bytes, size_t size, uint8_t *ret_sha256)
{
    struct file *f;
    uint8_t sha256[HASH_SHA256_BYTES];
    uint64_t written;
    int error = file_create(dir, name, FILE_HIDDEN, &f);
    if (error != 0)
        return error;
    file_write(f, bytes, size);
    error = file_seal(f, &written, sha256);
    if (error == 0 && ret_sha256)
        memcpy(ret_sha256, sha256, sizeof sha256);
    return error;
}

int file_folder(int dir, const char *name)
{
    if (mkdirat(dir, name, 0755) != 0 && errno != EEXIST)
        return -errno;
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}
