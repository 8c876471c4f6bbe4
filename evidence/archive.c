/*
 * archive: an earlier run is set aside, and its head named. Contained in: store. Must never extend
 * or overwrite an earlier log, whatever state it is in.
 */
#include "evidence/archive.h"

#include "evidence/hash.h"
#include "evidence/merkle.h"
#include "sandbox/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARCHIVE_RUNS_MAX     9999u
#define CHECKPOINT_NAME_ROOM 40
#define READ_BYTES           ((size_t)1 << 16)

/* The newest checkpoint of the old log: what it must still show. */
struct remembered {
    uint64_t size;
    uint8_t root[HASH_BYTES];
};

/* The size in a name of the form NAME_CHECKPOINT; 0 if it is another. */
static uint64_t size_in_name(const char *name)
{
    char *end;
    if (strspn(name, "0123456789") != 8 || name[8] != '-' || strspn(name + 9, "0123456789") < 12)
        return 0;
    uint64_t size = strtoull(name + 9, &end, 10);
    return *end == '\0' && strlen(name) < CHECKPOINT_NAME_ROOM ? size : 0;
}

/* The root in a checkpoint's third line. */
static bool read_root(int dir, const char *name, uint8_t ret_root[HASH_BYTES])
{
    char text[CHECKPOINT_MAX + 1];
    uint8_t decoded[48];
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t size = read(fd, text, sizeof text - 1);
    (void)close(fd);
    if (size <= 0)
        return false;
    text[size] = '\0';
    char *line = strchr(text, '\n');
    line = line ? strchr(line + 1, '\n') : NULL;
    if (!line || strcspn(line + 1, "\n") != 44 ||
        EVP_DecodeBlock(decoded, (const uint8_t *)line + 1, 44) != 33)
        return false;
    memcpy(ret_root, decoded, HASH_BYTES);
    return true;
}

static struct remembered newest_checkpoint(int dir)
{
    struct remembered newest = {0};
    char name[CHECKPOINT_NAME_ROOM] = "";
    int fd = openat(dir, DIR_CHECKPOINTS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    if (!list)
        return newest;
    for (struct dirent *e; (e = readdir(list)) != NULL;) {
        uint64_t size = size_in_name(e->d_name);
        if (size > newest.size) {
            newest.size = size;
            memcpy(name, e->d_name, strlen(e->d_name) + 1); /* fits: size_in_name */
        }
    }
    if (newest.size > 0 && !read_root(fd, name, newest.root))
        memset(newest.root, 0, sizeof newest.root);
    (void)closedir(list);
    return newest;
}

static bool is_close(const char *line, size_t size)
{
    static const char mark[] = "\",\"type\":\"close\",\"time\":\"";
    return memmem(line, size < 256 ? size : 256, mark, sizeof mark - 1) != NULL;
}

/* What reading the old log found out. */
struct reading {
    struct hash *hash;
    struct merkle tree;
    const struct remembered *known;
    struct archive_head *head;
    bool closed;  /* the last whole line is a close record */
    bool matches; /* the newest checkpoint is over these lines */
    bool whole;   /* no line is torn or too long */
};

/* One line with its LF. */
static void take_line(struct reading *r, const char *line, size_t size)
{
    uint8_t root[HASH_BYTES];
    merkle_add(&r->tree, line, size - 1);
    hash_once(r->hash, line, size, r->head->head);
    r->closed = is_close(line, size);
    if (r->tree.size == r->known->size) {
        merkle_root(&r->tree, root);
        r->matches = memcmp(root, r->known->root, HASH_BYTES) == 0;
    }
}

static void read_lines(int fd, struct reading *r)
{
    size_t room = LINE_MAX_BYTES + READ_BYTES, used = 0;
    char *text = malloc(room);
    ssize_t n;
    if (!text)
        log_die("archive: out of memory");
    while (used < LINE_MAX_BYTES && (n = read(fd, text + used, READ_BYTES)) > 0) {
        char *line = text, *end;
        used += (size_t)n;
        while ((end = memchr(line, '\n', used - (size_t)(line - text))) != NULL) {
            take_line(r, line, (size_t)(end + 1 - line));
            line = end + 1;
        }
        used -= (size_t)(line - text);
        memmove(text, line, used);
    }
    r->whole = used == 0;
    free(text);
}

static void examine(int dir, struct archive_head *head)
{
    struct remembered known = newest_checkpoint(dir);
    int fd = openat(dir, FILE_LOG, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    head->found = true;
    head->state = "damaged";
    if (fd < 0)
        return; /* a folder log without a log: named as such */
    struct reading r = {.known = &known, .head = head, .matches = known.size == 0};
    r.hash = hash_new(HASH_SHA256);
    merkle_init(&r.tree, r.hash);
    read_lines(fd, &r);
    (void)close(fd);
    head->size = r.tree.size;
    merkle_root(&r.tree, head->root);
    hash_free(r.hash);
    if (r.matches)
        head->state = r.whole && r.closed && known.size == head->size ? "closed" : "open";
}

static void set_aside(int dir, const char *name, const char *target)
{
    if (renameat2(dir, name, dir, target, RENAME_NOREPLACE) != 0 && errno != ENOENT)
        log_die("archive: cannot set %s aside: %m", name);
}

void archive_previous(int dir, struct archive_head *ret_head)
{
    static const char *const parts[] = {DIR_SEGMENTS, DIR_STATE};
    char target[32];
    unsigned number = 1;
    memset(ret_head, 0, sizeof *ret_head);
    bool log = faccessat(dir, DIR_LOG, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    for (; number <= ARCHIVE_RUNS_MAX; number++) {
        (void)snprintf(ret_head->log, sizeof ret_head->log, DIR_LOG "-%04u", number);
        if (faccessat(dir, ret_head->log, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
            break;
    }
    if (number > ARCHIVE_RUNS_MAX)
        log_die("archive: %u earlier runs: take a new folder", ARCHIVE_RUNS_MAX);
    if (log)
        examine(dir, ret_head);
    (void)snprintf(target, sizeof target, "eve-%04u.json", number);
    set_aside(dir, FILE_EVE, target);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        (void)snprintf(target, sizeof target, "%s-%04u", parts[i], number);
        set_aside(dir, parts[i], target);
    }
    /* Last: as long as `log` has its name, the rest is set aside under the same number again. */
    set_aside(dir, DIR_LOG, ret_head->log);
    if (fsync(dir) != 0)
        log_die("archive: %m");
}

void archive_write(const struct archive_head *a, struct json *j, const char *key)
{
    if (!a->found) {
        json_null(j, key);
        return;
    }
    json_object(j, key);
    json_string(j, "log", a->log);
    json_number(j, "size", a->size);
    json_base64(j, "root", a->root, HASH_BYTES);
    json_hex(j, "head", a->head, HASH_BYTES);
    json_string(j, "state", a->state);
    json_close(j, '}');
}
