/*
 * head: a log is packed only as far as it was signed, and only if it still is what was signed.
 * Contained in: pack, tests.
 */
#include "evidence/head.h"

#include "evidence/hash.h"
#include "evidence/merkle.h"
#include "evidence/text.h"
#include "sandbox/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES ((size_t)1 << 16)

/* The size in a name of the form NAME_CHECKPOINT; 0 if it is another. */
static uint64_t size_in_name(const char *name)
{
    char *end;
    if (strspn(name, "0123456789") != 8 || name[8] != '-' || strspn(name + 9, "0123456789") < 12 ||
        strlen(name) > 32)
        return 0;
    uint64_t size = strtoull(name + 9, &end, 10);
    return *end == '\0' ? size : 0;
}

static bool find_newest(int dir, char ret_name[40])
{
    uint64_t newest = 0;
    int fd = openat(dir, DIR_CHECKPOINTS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    if (!list)
        return false;
    for (struct dirent *e; (e = readdir(list)) != NULL;) {
        uint64_t size = size_in_name(e->d_name);
        if (size > newest) {
            newest = size;
            memcpy(ret_name, e->d_name, strlen(e->d_name) + 1);
        }
    }
    (void)closedir(list);
    return newest > 0;
}

/* The sensor's name in "dnsbailiff/<sensor>/<time>". */
static bool take_sensor(struct head *h)
{
    size_t prefix = sizeof CHECKPOINT_ORIGIN - 1;
    if (strncmp(h->origin, CHECKPOINT_ORIGIN, prefix) != 0)
        return false;
    const char *name = h->origin + prefix, *end = strchr(name, '/');
    if (!end || end == name || (size_t)(end - name) >= sizeof h->sensor)
        return false;
    memcpy(h->sensor, name, (size_t)(end - name));
    h->sensor[end - name] = '\0';
    return strspn(h->sensor, "abcdefghijklmnopqrstuvwxyz0123456789.-") == strlen(h->sensor);
}

/* Origin and size; leaves the root's base64 in ret_root. */
static bool read_checkpoint(int dir, const char *name, struct head *h, char ret_root[48])
{
    char path[64], text[CHECKPOINT_MAX + 1];
    (void)snprintf(path, sizeof path, DIR_CHECKPOINTS "/%s", name);
    int fd = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, CHECKPOINT_MAX);
    if (fd >= 0)
        (void)close(fd);
    if (n <= 0)
        return false;
    text[n] = '\0';
    char *size = strchr(text, '\n');
    char *root = size ? strchr(size + 1, '\n') : NULL;
    char *end = root ? strchr(root + 1, '\n') : NULL;
    if (!end || end - root != 45 || (size_t)(size - text) >= sizeof h->origin)
        return false;
    memcpy(h->origin, text, (size_t)(size - text));
    h->origin[size - text] = '\0';
    h->size = strtoull(size + 1, NULL, 10);
    memcpy(ret_root, root + 1, 44);
    ret_root[44] = '\0';
    return h->size > 0 && take_sensor(h);
}

/* The "time" of a record; all records have it behind "type". */
static bool take_time(const char *line, size_t size, int64_t *ret_ns)
{
    static const char mark[] = "\",\"time\":\"";
    const char *at = memmem(line, size < 256 ? size : 256, mark, sizeof mark - 1);
    size_t before = at ? (size_t)(at - line) + sizeof mark - 1 : size;
    return before + 30 <= size && text_parse_time(line + before, 30, ret_ns);
}

/* Reads h->size lines of the log. */
static bool read_log(int dir, struct head *h)
{
    size_t room = LINE_MAX_BYTES + READ_BYTES, used = 0;
    char *text = malloc(room);
    struct hash *hash = hash_new(HASH_SHA256);
    struct merkle tree;
    bool timed = false;
    ssize_t n = 0;
    int fd = openat(dir, FILE_LOG, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (!text)
        log_die("head: out of memory");
    merkle_init(&tree, hash);
    while (fd >= 0 && tree.size < h->size && used < LINE_MAX_BYTES &&
           (n = read(fd, text + used, READ_BYTES)) > 0) {
        char *line = text, *end;
        used += (size_t)n;
        while (tree.size < h->size &&
               (end = memchr(line, '\n', used - (size_t)(line - text))) != NULL) {
            size_t length = (size_t)(end - line);
            merkle_add(&tree, line, length);
            h->bytes += length + 1;
            timed = take_time(line, length, &h->time_ns);
            line = end + 1;
        }
        used -= (size_t)(line - text);
        memmove(text, line, used);
    }
    merkle_root(&tree, h->root);
    if (fd >= 0)
        (void)close(fd);
    hash_free(hash);
    free(text);
    return tree.size == h->size && timed;
}

int head_read(int dir, struct head *ret_head, char *ret_why, size_t room)
{
    struct head h = {0};
    char name[40], root[48], computed[TEXT_BASE64_ROOM(HASH_BYTES)];
    const char *why = NULL;
    if (!find_newest(dir, name))
        why = "no checkpoint: nothing was recorded here";
    else if (!read_checkpoint(dir, name, &h, root))
        why = "the last checkpoint is damaged";
    else if (!read_log(dir, &h))
        why = "the log is shorter than its last checkpoint, or damaged";
    if (!why) {
        text_base64(h.root, HASH_BYTES, computed);
        if (strcmp(computed, root) != 0)
            why = "the log is not the one its last checkpoint was made for";
    }
    if (why) {
        (void)snprintf(ret_why, room, "%s", why);
        return -1;
    }
    *ret_head = h;
    return 0;
}
