/*
 * tempdir: a folder of a test's own, without subfolders, and its removal.
 */
#ifndef TESTS_UNIT_TEMPDIR_H
#define TESTS_UNIT_TEMPDIR_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tempdir {
    char path[64];
    int dir;
};

static inline int tempdir_make(struct tempdir *t)
{
    (void)snprintf(t->path, sizeof t->path, "/tmp/dnsbailiff-test.XXXXXX");
    if (!mkdtemp(t->path))
        return -1;
    t->dir = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return t->dir < 0 ? -1 : 0;
}

static inline int tempdir_remove(struct tempdir *t)
{
    DIR *list = fdopendir(t->dir);
    for (struct dirent *e; list && (e = readdir(list)) != NULL;)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            (void)unlinkat(t->dir, e->d_name, 0);
    if (list)
        (void)closedir(list);
    return rmdir(t->path);
}

#endif
