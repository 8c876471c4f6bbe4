/*
 * place: evidence folder and bundle.
 *
 * Contained in: supervisor; place_commit and place_fini run confined. Must never: give a name to a
 * bundle that is not whole, or write over a file.
 */
#include "sandbox/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/files.h"
#include "sandbox/log.h"
#include "sandbox/options.h"

#define FOLDER (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

void place_init(struct place *ret_place)
{
    *ret_place = (struct place){.evidence = -1, .parent = -1, .bundle = -1, .bundle_folder = -1};
}

/* --- evidence -------------------------------------------------------------------------------- */

/* A folder of our own, in TMPDIR or /var/tmp (the frames held for citation may be many). */
static int private_folder(struct place *p)
{
    const char *base = getenv("TMPDIR");
    char *path = NULL;
    if (asprintf(&path, "%s/dnsbailiff-XXXXXX", base && base[0] == '/' ? base : "/var/tmp") < 0)
        log_die("out of memory");
    if (!mkdtemp(path)) {
        log_line(LOG_ERROR, "%s: %m", path);
        free(path);
        return EXIT_FAILED;
    }
    char *slash = strrchr(path, '/');
    p->evidence = files_keep(open(path, FOLDER | O_NOFOLLOW));
    *slash = '\0';
    p->parent = files_keep(open(path, FOLDER));
    p->temporary = strdup(slash + 1);
    free(path);
    if (p->evidence < 0 || p->parent < 0 || !p->temporary)
        log_die("private folder: %m");
    return 0;
}

/* The processes that write there have no capability to write into another user's folder. */
static bool is_ours(const char *path, const struct stat *st)
{
    if (st->st_uid == geteuid())
        return true;
    log_line(LOG_ERROR, "%s: belongs to user %u; evidence is written as its owner, not as user %u",
             path, (unsigned)st->st_uid, (unsigned)geteuid());
    return false;
}

/* The folder is of this run: if nothing comes to lie in it, it goes again. */
static void remember_made(struct place *p, const char *path)
{
    char *folder = strdup(path);
    if (!folder)
        log_die("out of memory");
    size_t size = strlen(folder);
    while (size > 1 && folder[size - 1] == '/')
        folder[--size] = '\0';
    char *slash = strrchr(folder, '/');
    p->made = strdup(slash ? slash + 1 : folder);
    if (!p->made)
        log_die("out of memory");
    if (slash)
        slash[slash == folder] = '\0';
    p->parent = files_keep(open(slash ? folder : ".", FOLDER));
    free(folder);
}

int place_evidence(struct place *p, const char *path, bool writes)
{
    struct stat st;
    if (!path)
        return private_folder(p);
    if (writes && mkdir(path, 0700) == 0) {
        remember_made(p, path);
    } else if (writes && errno != EEXIST) {
        log_line(LOG_ERROR, "%s: %m", path);
        return EXIT_USAGE;
    }
    p->evidence = files_keep(open(path, FOLDER));
    if (p->evidence < 0 || fstat(p->evidence, &st)) {
        log_line(LOG_ERROR, "%s: %m", path);
        return EXIT_USAGE;
    }
    if (writes && !is_ours(path, &st))
        return EXIT_USAGE;
    if (!writes && faccessat(p->evidence, "log/log.jsonl", R_OK, AT_EACCESS)) {
        log_line(LOG_ERROR, "%s: holds no evidence (log/log.jsonl): %m", path);
        return EXIT_USAGE;
    }
    if (flock(p->evidence, (writes ? LOCK_EX : LOCK_SH) | LOCK_NB)) {
        if (errno == EWOULDBLOCK)
            log_line(LOG_ERROR, "%s: another run is using this evidence folder", path);
        else
            log_line(LOG_ERROR, "%s: lock: %m", path);
        return EXIT_FAILED;
    }
    return 0;
}

/* --- bundle ---------------------------------------------------------------------------------- */

/* A hidden name beside the final one, for file systems without unnamed files. */
static int open_hidden(struct place *p)
{
    if (asprintf(&p->hidden, ".%s.%d.part", p->bundle_name, (int)getpid()) < 0)
        log_die("out of memory");
    int fd = openat(p->bundle_folder, p->hidden, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    0644);
    if (fd < 0) {
        int saved = errno;
        free(p->hidden);
        p->hidden = NULL;
        errno = saved;
    }
    return fd;
}

int place_bundle(struct place *p, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    struct stat st;
    if (!folder)
        log_die("out of memory");
    p->bundle_path = path;
    p->bundle_name = slash ? slash + 1 : path;
    p->bundle_folder = files_keep(open(folder, FOLDER));
    free(folder);
    if (p->bundle_folder < 0 || !p->bundle_name[0]) {
        log_line(LOG_ERROR, "%s: %s", path,
                 p->bundle_folder < 0 ? strerror(errno) : "is a folder, not a file name");
        return EXIT_USAGE;
    }
    if (fstatat(p->bundle_folder, p->bundle_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        log_line(LOG_ERROR, "%s: exists; a bundle is never overwritten", path);
        return EXIT_USAGE;
    }
    p->bundle = openat(p->bundle_folder, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0644);
    if (p->bundle < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT))
        p->bundle = open_hidden(p);
    p->bundle = files_keep(p->bundle);
    if (p->bundle < 0) {
        log_line(LOG_ERROR, "%s: %m", path);
        return EXIT_USAGE;
    }
    return 0;
}

int place_commit(struct place *p)
{
    char unnamed[40];
    snprintf(unnamed, sizeof unnamed, "/proc/self/fd/%d", p->bundle);
    /* linkat refuses an existing name, as nothing may be overwritten */
    if (fsync(p->bundle) ||
        linkat(p->hidden ? p->bundle_folder : AT_FDCWD, p->hidden ? p->hidden : unnamed,
               p->bundle_folder, p->bundle_name, p->hidden ? 0 : AT_SYMLINK_FOLLOW) ||
        fsync(p->bundle_folder)) {
        log_line(LOG_ERROR, "%s: %m", p->bundle_path);
        return -1;
    }
    return 0;
}

/* --- removal --------------------------------------------------------------------------------- */

/* Everything beneath an open folder; evidence folders are shallow, so recursion is bounded. */
static void empty_folder(int folder, int depth)
{
    int own = openat(folder, ".", FOLDER);
    DIR *dir = own < 0 ? NULL : fdopendir(own);
    if (!dir) {
        if (own >= 0)
            close(own);
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(folder, entry->d_name, 0) == 0 || depth == 0)
            continue;
        int below = openat(folder, entry->d_name, FOLDER | O_NOFOLLOW);
        if (below < 0)
            continue;
        empty_folder(below, depth - 1);
        close(below);
        unlinkat(folder, entry->d_name, AT_REMOVEDIR);
    }
    closedir(dir);
}

void place_fini(struct place *p)
{
    if (p->hidden)
        unlinkat(p->bundle_folder, p->hidden, 0);
    if (p->temporary) {
        empty_folder(p->evidence, 8);
        if (unlinkat(p->parent, p->temporary, AT_REMOVEDIR))
            log_line(LOG_WARNING, "%s: could not be removed: %m", p->temporary);
    }
    if (p->made && p->parent >= 0)
        (void)unlinkat(p->parent, p->made, AT_REMOVEDIR); /* refused if anything is in it */
    free(p->hidden);
    free(p->temporary);
    free(p->made);
    p->hidden = p->temporary = p->made = NULL;
}
