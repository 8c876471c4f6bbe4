/*
 * files: SQLite's system calls on names, answered from three descriptors.
 *
 * Contained in: history, lookup, tests. Must never: hand a name to the kernel. SQLite's table of
 * system calls (sqlite3_vfs.xSetSystemCall) has no context, so the descriptors are static here.
 */
#include "history/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct files given = {-1, -1, -1};

static int descriptor(const char *name)
{
    int fd = -1;
    if (strcmp(name, FILES_DATABASE) == 0)
        fd = given.database;
    else if (strcmp(name, FILES_DATABASE "-wal") == 0)
        fd = given.journal;
    else if (strcmp(name, FILES_DATABASE "-shm") == 0)
        fd = given.memory;
    if (fd < 0)
        errno = ENOENT;
    return fd;
}

/* A duplicate: what SQLite closes is its own. Its locks are the process's and end with any of them,
 * as SQLite knows. */
static int open_given(const char *name, int flags, int mode)
{
    int fd = descriptor(name);
    (void)mode;
    if (fd < 0)
        return -1;
    int granted = fcntl(fd, F_GETFL) & O_ACCMODE;
    if ((flags & O_ACCMODE) != O_RDONLY && granted == O_RDONLY) {
        errno = EACCES;
        return -1;
    }
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static int access_given(const char *name, int mode)
{
    int fd = descriptor(name);
    if (fd < 0)
        return -1;
    if ((mode & W_OK) && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY) {
        errno = EACCES;
        return -1;
    }
    return 0;
}

static int stat_given(const char *name, struct stat *ret_status)
{
    int fd = descriptor(name);
    return fd < 0 ? -1 : fstat(fd, ret_status);
}

/* The journal's name is not ours to remove: it is emptied instead. */
static int unlink_given(const char *name)
{
    int fd = descriptor(name);
    return fd < 0 ? -1 : ftruncate(fd, 0);
}

/* The folder's entries do not change. */
static int open_folder(const char *name, int *ret_fd)
{
    (void)name;
    (void)ret_fd;
    return SQLITE_CANTOPEN; /* SQLite goes on without having synchronised it */
}

static int no_folder(const char *name, mode_t mode)
{
    (void)name;
    (void)mode;
    errno = EACCES;
    return -1;
}

static int no_removal(const char *name)
{
    (void)name;
    errno = EACCES;
    return -1;
}

static int no_change_of_mode(int fd, mode_t mode)
{
    (void)fd;
    (void)mode;
    return 0;
}

static int no_change_of_owner(int fd, uid_t user, gid_t group)
{
    (void)fd;
    (void)user;
    (void)group;
    return 0;
}

static ssize_t no_link(const char *name, char *target, size_t room)
{
    (void)name;
    (void)target;
    (void)room;
    errno = EINVAL;
    return -1;
}

#define CALL(name, function)                                                                       \
    {                                                                                              \
        name, (sqlite3_syscall_ptr)(void (*)(void))(function)                                      \
    }

int files_init(const struct files *files)
{
    static const struct {
        const char *name;
        sqlite3_syscall_ptr function;
    } calls[] = {CALL("open", open_given),          CALL("access", access_given),
                 CALL("stat", stat_given),          CALL("lstat", stat_given),
                 CALL("unlink", unlink_given),      CALL("openDirectory", open_folder),
                 CALL("mkdir", no_folder),          CALL("rmdir", no_removal),
                 CALL("fchmod", no_change_of_mode), CALL("fchown", no_change_of_owner),
                 CALL("readlink", no_link)};
    files_use(files);
    sqlite3_vfs *vfs = sqlite3_vfs_find("unix");
    if (vfs == NULL || vfs->iVersion < 3 || sqlite3_vfs_register(vfs, 1) != SQLITE_OK)
        return -1;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (vfs->xSetSystemCall(vfs, calls[i].name, calls[i].function) != SQLITE_OK)
            return -1;
    return 0;
}

void files_use(const struct files *files)
{
    given = *files;
}
