/*
 * inputs: the operator's files as one sealed memfd.
 *
 * Contained in: every process; only the supervisor writes. Layout: `struct opening`, then for each
 * item `struct item`, its name with NUL, its bytes, each padded to 8.
 */
#include "sandbox/inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/log.h"
#include "sandbox/settings.h"

#define MAGIC 0x3154504e49424e44ull /* "DNBINPT1" */
/* Zone files are the large part; a gigabyte of them is more than analyze could hold anyway. */
#define INPUTS_MAX ((size_t)1 << 30)
#define SEALS      (F_SEAL_SEAL | F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

struct opening {
    uint64_t magic;
    uint64_t size; /* of the whole, this header included */
};

struct item {
    uint32_t kind;
    uint32_t name_size; /* with NUL */
    uint64_t size;
};

struct inputs_writer {
    int fd;
    uint64_t size;
};

struct inputs {
    const uint8_t *base;
    size_t size;
    const struct settings *settings;
};

static size_t padded(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

static int write_all(int fd, const void *bytes, size_t size)
{
    const char *p = bytes;
    while (size) {
        ssize_t n = write(fd, p, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        p += n;
        size -= (size_t)n;
    }
    return 0;
}

static int write_padded(int fd, const void *bytes, size_t size)
{
    static const char zeros[8];
    if (size && write_all(fd, bytes, size))
        return -1;
    return write_all(fd, zeros, padded(size) - size);
}

struct inputs_writer *inputs_new(void)
{
    struct inputs_writer *w = malloc(sizeof *w);
    struct opening opening = {.magic = MAGIC};
    if (!w)
        return NULL;
    w->size = sizeof opening;
    w->fd = memfd_create("dnsbailiff-inputs", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (w->fd < 0 || write_all(w->fd, &opening, sizeof opening)) {
        int saved = errno;
        if (w->fd >= 0)
            close(w->fd);
        free(w);
        errno = saved;
        return NULL;
    }
    return w;
}

int inputs_add(struct inputs_writer *w, enum input_kind kind, const char *name, const void *bytes,
               size_t size)
{
    size_t name_size = strlen(name) + 1;
    if (name_size > PATH_MAX || size > INPUTS_MAX || w->size > INPUTS_MAX - size - 2 * PATH_MAX) {
        errno = EFBIG;
        return -1;
    }
    struct item item = {
        .kind = (uint32_t)kind, .name_size = (uint32_t)name_size, .size = (uint64_t)size};
    if (write_all(w->fd, &item, sizeof item) || write_padded(w->fd, name, name_size) ||
        write_padded(w->fd, bytes, size))
        return -1;
    w->size += sizeof item + padded(name_size) + padded(size);
    return 0;
}

int inputs_seal(struct inputs_writer *w)
{
    struct opening opening = {.magic = MAGIC, .size = w->size};
    int fd = w->fd, reading = -1;
    char path[40];
    free(w);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (pwrite(fd, &opening, sizeof opening, 0) == (ssize_t)sizeof opening &&
        fchmod(fd, 0400) == 0 && fcntl(fd, F_ADD_SEALS, SEALS) == 0)
        reading = open(path, O_RDONLY | O_CLOEXEC);
    int saved = errno;
    close(fd);
    errno = saved;
    return reading;
}

/* The item at `at`, and where the next one starts; false if it does not lie within. */
static bool item_at(const struct inputs *in, size_t at, struct input *ret_input, size_t *ret_next)
{
    struct item item;
    if (at > in->size || in->size - at < sizeof item)
        return false;
    memcpy(&item, in->base + at, sizeof item);
    at += sizeof item;
    if (item.kind >= INPUT_KIND_COUNT || !item.name_size || item.name_size > PATH_MAX ||
        padded(item.name_size) > in->size - at)
        return false;
    const char *name = (const char *)in->base + at;
    at += padded(item.name_size);
    if (strnlen(name, item.name_size) != item.name_size - 1 || item.size > in->size - at ||
        padded(item.size) > in->size - at)
        return false;
    *ret_input = (struct input){.kind = (enum input_kind)item.kind,
                                .name = name,
                                .bytes = in->base + at,
                                .size = (size_t)item.size};
    *ret_next = at + padded((size_t)item.size);
    return true;
}

struct inputs *inputs_open(int fd)
{
    struct stat st;
    struct opening opening;
    struct inputs *in = calloc(1, sizeof *in);
    int seals = fcntl(fd, F_GET_SEALS);
    if (!in || seals < 0 || (seals & SEALS) != SEALS)
        log_die("inputs: descriptor %d is not a sealed memory file", fd);
    if (fstat(fd, &st) || st.st_size < (off_t)sizeof opening || (uint64_t)st.st_size > INPUTS_MAX)
        log_die("inputs: impossible size");
    in->size = (size_t)st.st_size;
    void *map = mmap(NULL, in->size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        log_die("inputs: mmap: %m");
    in->base = map;
    memcpy(&opening, in->base, sizeof opening);
    if (opening.magic != MAGIC || opening.size != in->size)
        log_die("inputs: not well formed");

    struct input item;
    for (size_t at = sizeof opening; at < in->size;) {
        if (!item_at(in, at, &item, &at))
            log_die("inputs: item not well formed");
        if (item.kind == INPUT_SETTINGS && !in->settings && item.size == sizeof(struct settings))
            in->settings = item.bytes;
    }
    if (!in->settings)
        log_die("inputs: no settings");
    return in;
}

int inputs_next(const struct inputs *in, enum input_kind kind, size_t *at, struct input *ret_input)
{
    struct input item;
    size_t next = *at ? *at : sizeof(struct opening);
    while (next < in->size && item_at(in, next, &item, &next)) {
        *at = next;
        if (item.kind == kind) {
            *ret_input = item;
            return 1;
        }
    }
    *at = in->size;
    return 0;
}

const struct settings *inputs_settings(const struct inputs *in)
{
    return in->settings;
}
