/*
 * bag: BagIt in ustar. Contained in: pack, tests. Must never write a member whose size or name is
 * not what its header says.
 */
#include "evidence/bag.h"

#include "evidence/format.h"
#include "evidence/hash.h"
#include "evidence/text.h"
#include "sandbox/log.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STREAM_BYTES ((size_t)1 << 20)
#define BLOCK_BYTES  (1 << 18)

struct member {
    char path[256];
    uint64_t size;
    int dir;        /* -1: bytes */
    char *name;     /* in dir; NULL: dir is the file; owned */
    uint8_t *bytes; /* owned */
    uint8_t sha256[HASH_SHA256_BYTES], sha512[HASH_SHA512_BYTES];
};

struct text { /* grows */
    char *bytes;
    size_t used, room;
};

struct bag {
    struct member *list;
    size_t count, room;
    const struct bag_options *o; /* while writing */
    struct archive *archive;
    struct hash *sha256, *sha512;
    uint8_t *buffer;
    struct text manifest256, manifest512, tags256, tags512;
};

struct bag *bag_new(void)
{
    struct bag *b = calloc(1, sizeof *b);
    if (!b || !(b->buffer = malloc(STREAM_BYTES)))
        log_die("bag: out of memory");
    b->sha256 = hash_new(HASH_SHA256);
    b->sha512 = hash_new(HASH_SHA512);
    return b;
}

void bag_free(struct bag *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->count; i++) {
        free(b->list[i].name);
        free(b->list[i].bytes);
    }
    free(b->list);
    free(b->buffer);
    free(b->manifest256.bytes);
    free(b->manifest512.bytes);
    free(b->tags256.bytes);
    free(b->tags512.bytes);
    hash_free(b->sha256);
    hash_free(b->sha512);
    free(b);
}

/* --- members -------------------------------------------------------------------------------------
 */

static struct member *add(struct bag *b, const char *path, uint64_t size)
{
    if (strlen(path) >= sizeof b->list->path)
        log_die("bag: name too long: %s", path);
    if (size > TAR_MEMBER_MAX)
        log_die("bag: %s has 8 GiB or more: split the run into smaller ones", path);
    if (b->count == b->room) {
        size_t room = b->room ? b->room * 2 : 64;
        struct member *list = reallocarray(b->list, room, sizeof *list);
        if (!list)
            log_die("bag: out of memory");
        b->list = list;
        b->room = room;
    }
    struct member *m = &b->list[b->count++];
    *m = (struct member){.size = size, .dir = -1};
    memcpy(m->path, path, strlen(path) + 1);
    return m;
}

void bag_add_file(struct bag *b, const char *path, int dir, const char *name, uint64_t size)
{
    struct member *m = add(b, path, size);
    m->dir = dir;
    if (name && !(m->name = strdup(name)))
        log_die("bag: out of memory");
}

void bag_add_bytes(struct bag *b, const char *path, const void *bytes, size_t size)
{
    struct member *m = add(b, path, size);
    m->bytes = malloc(size + 1);
    if (!m->bytes)
        log_die("bag: out of memory");
    if (size > 0)
        memcpy(m->bytes, bytes, size);
}

static bool is_payload(const struct member *m)
{
    return strncmp(m->path, "data/", 5) == 0;
}

void bag_payload(const struct bag *b, uint64_t *ret_bytes, uint64_t *ret_files)
{
    uint64_t bytes = 0, files = 0;
    for (size_t i = 0; i < b->count; i++) {
        if (!is_payload(&b->list[i]))
            continue;
        bytes += b->list[i].size;
        files++;
    }
    *ret_bytes = bytes;
    *ret_files = files;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->path, ((const struct member *)b)->path);
}

/* --- archive -------------------------------------------------------------------------------------
 */

static la_ssize_t write_out(struct archive *a, void *context, const void *bytes, size_t size)
{
    const struct bag *b = context;
    const uint8_t *p = bytes;
    size_t left = size;
    while (left > 0) {
        ssize_t n = write(b->o->out, p, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            archive_set_error(a, n < 0 ? errno : EIO, "write");
            return -1;
        }
        p += n;
        left -= (size_t)n;
    }
    return (la_ssize_t)size;
}

static void open_archive(struct bag *b)
{
    struct archive *a = archive_write_new();
    if (!a || archive_write_set_format_ustar(a) != ARCHIVE_OK ||
        archive_write_add_filter_none(a) != ARCHIVE_OK ||
        archive_write_set_bytes_per_block(a, BLOCK_BYTES) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK || /* no padding at the end */
        archive_write_open(a, b, NULL, write_out, NULL) != ARCHIVE_OK)
        log_die("bag: libarchive: %s", a ? archive_error_string(a) : "out of memory");
    b->archive = a;
}

static void write_header(struct bag *b, const struct member *m)
{
    char path[512];
    struct archive_entry *e = archive_entry_new();
    int n = snprintf(path, sizeof path, "%s/%s", b->o->id, m->path);
    if (!e || n < 0 || (size_t)n >= sizeof path)
        log_die("bag: name too long: %s", m->path);
    archive_entry_set_pathname(e, path);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, TAR_MODE);
    archive_entry_set_uid(e, 0);
    archive_entry_set_gid(e, 0);
    archive_entry_set_mtime(e, (time_t)b->o->mtime, 0);
    archive_entry_set_size(e, (la_int64_t)m->size);
    /* Also a warning is fatal: it would mean a header other than the profile's. */
    if (archive_write_header(b->archive, e) != ARCHIVE_OK)
        log_die("bag: %s: %s", m->path, archive_error_string(b->archive));
    archive_entry_free(e);
}

static void pass(struct bag *b, const struct member *m, const uint8_t *bytes, size_t size)
{
    hash_add(b->sha256, bytes, size);
    hash_add(b->sha512, bytes, size);
    if (archive_write_data(b->archive, bytes, size) != (la_ssize_t)size)
        log_die("bag: %s: short write: %s", m->path, archive_error_string(b->archive));
}

static void stream(struct bag *b, const struct member *m)
{
    int fd = m->name ? openat(m->dir, m->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : m->dir;
    if (fd < 0)
        log_die("bag: %s: %m", m->path);
    for (uint64_t at = 0; at < m->size;) {
        uint64_t left = m->size - at;
        size_t want = left < STREAM_BYTES ? (size_t)left : STREAM_BYTES;
        ssize_t n = pread(fd, b->buffer, want, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            log_die("bag: %s: %s", m->path, n < 0 ? strerror(errno) : "became shorter");
        pass(b, m, b->buffer, (size_t)n);
        at += (uint64_t)n;
    }
    if (m->name)
        (void)close(fd);
}

static void write_member(struct bag *b, struct member *m)
{
    write_header(b, m);
    hash_begin(b->sha256);
    hash_begin(b->sha512);
    if (m->dir >= 0)
        stream(b, m);
    else if (m->size > 0)
        pass(b, m, m->bytes, (size_t)m->size);
    if (archive_write_finish_entry(b->archive) != ARCHIVE_OK)
        log_die("bag: %s: %s", m->path, archive_error_string(b->archive));
    hash_end(b->sha256, m->sha256);
    hash_end(b->sha512, m->sha512);
}

/* --- manifests -----------------------------------------------------------------------------------
 */

static void append(struct text *t, const char *bytes, size_t size)
{
    if (size > t->room - t->used) {
        size_t room = (t->used + size) * 2;
        char *grown = realloc(t->bytes, room);
        if (!grown)
            log_die("bag: out of memory");
        t->bytes = grown;
        t->room = room;
    }
    memcpy(t->bytes + t->used, bytes, size);
    t->used += size;
}

static void append_line(struct text *t, const uint8_t *digest, size_t size, const char *path)
{
    char hex[TEXT_HEX_ROOM(HASH_SHA512_BYTES)];
    text_hex(digest, size, hex);
    append(t, hex, 2 * size);
    append(t, "  ", 2);
    append(t, path, strlen(path));
    append(t, "\n", 1);
}

static void list_member(const struct member *m, struct text *in256, struct text *in512)
{
    append_line(in256, m->sha256, sizeof m->sha256, m->path);
    append_line(in512, m->sha512, sizeof m->sha512, m->path);
}

static void write_text(struct bag *b, const char *path, const void *bytes, size_t size,
                       struct member *ret_member)
{
    struct member m = {.size = size, .dir = -1};
    memcpy(m.path, path, strlen(path) + 1);
    m.bytes = (uint8_t *)(uintptr_t)bytes; /* only read */
    write_member(b, &m);
    *ret_member = m;
}

void bag_write(struct bag *b, const struct bag_options *o)
{
    struct bag_signatures signatures;
    struct member done;
    b->o = o;
    if (b->count > 1)
        qsort(b->list, b->count, sizeof *b->list, by_path);
    open_archive(b);
    for (size_t i = 0; i < b->count; i++) {
        struct member *m = &b->list[i];
        if (i > 0 && strcmp(m->path, m[-1].path) == 0)
            log_die("bag: %s comes twice", m->path);
        write_member(b, m);
        if (is_payload(m))
            list_member(m, &b->manifest256, &b->manifest512);
        else
            list_member(m, &b->tags256, &b->tags512);
    }
    /* What comes now sorts behind everything above: "manifest" > "data", and format.h has no more.
     */
    write_text(b, BUNDLE_MANIFEST_256, b->manifest256.bytes, b->manifest256.used, &done);
    list_member(&done, &b->tags256, &b->tags512);
    write_text(b, BUNDLE_MANIFEST_512, b->manifest512.bytes, b->manifest512.used, &done);
    list_member(&done, &b->tags256, &b->tags512);
    o->sign(o->context, b->tags512.bytes, b->tags512.used, &signatures);
    write_text(b, BUNDLE_CHAIN, signatures.chain, signatures.chain_size, &done);
    write_text(b, BUNDLE_SEAL, signatures.seal, signatures.seal_size, &done);
    write_text(b, BUNDLE_TAGMANIFEST_256, b->tags256.bytes, b->tags256.used, &done);
    write_text(b, BUNDLE_TAGMANIFEST_512, b->tags512.bytes, b->tags512.used, &done);
    free(signatures.chain);
    free(signatures.seal);
    if (archive_write_close(b->archive) != ARCHIVE_OK)
        log_die("bag: %s", archive_error_string(b->archive));
    (void)archive_write_free(b->archive);
    b->archive = NULL;
}
