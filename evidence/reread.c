/*
 * reread: logs found in a folder. Contained in: store, pack, tests. Must never take more memory
 * than a longest line, whatever the files hold.
 */
#include "evidence/reread.h"

#include "sandbox/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES      ((size_t)1 << 16)
#define NAME_ROOM       40 /* of a checkpoint's file name */
#define ROOT_CHARACTERS 44 /* base64 of 32 bytes */

/* The size in a name of the form NAME_CHECKPOINT; 0 if it is another. */
static uint64_t size_in_name(const char *name)
{
    char *end;
    if (strspn(name, "0123456789") != 8 || name[8] != '-' || strspn(name + 9, "0123456789") < 12 ||
        strlen(name) >= NAME_ROOM)
        return 0;
    uint64_t size = strtoull(name + 9, &end, 10);
    return *end == '\0' ? size : 0;
}

static uint64_t find_newest(int dir, char ret_name[NAME_ROOM])
{
    uint64_t newest = 0;
    int fd = openat(dir, DIR_CHECKPOINTS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    if (!list)
        return 0;
    for (struct dirent *e; (e = readdir(list)) != NULL;) {
        uint64_t size = size_in_name(e->d_name);
        if (size > newest) {
            newest = size;
            memcpy(ret_name, e->d_name, strlen(e->d_name) + 1);
        }
    }
    (void)closedir(list);
    return newest;
}

/* The three lines of a checkpoint, for the size that its name promises. */
static bool parse(char *text, struct reread_checkpoint *c)
{
    char *size = strchr(text, '\n');
    char *root = size ? strchr(size + 1, '\n') : NULL;
    char *end = root ? strchr(root + 1, '\n') : NULL;
    char *size_end;
    if (!end || end - root != ROOT_CHARACTERS + 1 || (size_t)(size - text) >= sizeof c->origin)
        return false;
    if (strtoull(size + 1, &size_end, 10) != c->size || size_end != root)
        return false;
    memcpy(c->origin, text, (size_t)(size - text));
    memcpy(c->root, root + 1, ROOT_CHARACTERS);
    return true;
}

void reread_newest_checkpoint(int dir, struct reread_checkpoint *ret_checkpoint)
{
    char name[NAME_ROOM], path[NAME_ROOM + sizeof DIR_CHECKPOINTS], text[CHECKPOINT_MAX + 1];
    struct reread_checkpoint c = {0};
    c.size = find_newest(dir, name);
    if (c.size > 0) {
        (void)snprintf(path, sizeof path, DIR_CHECKPOINTS "/%s", name);
        int fd = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, CHECKPOINT_MAX);
        if (fd >= 0)
            (void)close(fd);
        text[n > 0 ? n : 0] = '\0';
        c.readable = parse(text, &c);
    }
    *ret_checkpoint = c;
}

bool reread_lines(int dir, bool (*take)(void *context, const char *line, size_t size),
                  void *context)
{
    size_t used = 0;
    bool more = true;
    ssize_t n = 0;
    int fd = openat(dir, FILE_LOG, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    char *text = malloc(LINE_MAX_BYTES + READ_BYTES);
    if (!text)
        log_die("reread: out of memory");
    while (more && used < LINE_MAX_BYTES && (n = read(fd, text + used, READ_BYTES)) > 0) {
        char *line = text, *end;
        used += (size_t)n;
        while (more && (end = memchr(line, '\n', used - (size_t)(line - text))) != NULL) {
            more = take(context, line, (size_t)(end + 1 - line));
            line = end + 1;
        }
        used -= (size_t)(line - text);
        memmove(text, line, used);
    }
    free(text);
    (void)close(fd);
    return more && n == 0 && used == 0;
}
