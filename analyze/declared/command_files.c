/*
 * command_files: reads zone files, writes baseline files, holds baselines in memory.
 *
 * Contained in: baseline. Must never replace a file unasked, or leave half of one.
 */
#include "analyze/declared/baseline.h"
#include "analyze/declared/command.h"
#include "sandbox/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".zone"

/* --- bytes --- */

static int read_all(int fd, char **ret_bytes, size_t *ret_size)
{
    size_t size = 0, room = 65536;
    char *bytes = malloc(room + 1);
    while (bytes) {
        ssize_t got = read(fd, bytes + size, room - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            break;
        size += (size_t)got;
        if (got == 0) {
            bytes[size] = '\0';
            *ret_bytes = bytes;
            *ret_size = size;
            return 0;
        }
        if (size > COMMAND_ZONE_MAX) {
            errno = EFBIG;
            break;
        }
        if (size == room) {
            char *more = realloc(bytes, 2 * room + 1);
            if (!more)
                break;
            bytes = more;
            room *= 2;
        }
    }
    int saved = errno;
    free(bytes);
    errno = saved;
    return -1;
}

bool command_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

int command_read(const char *path, char **ret_bytes, size_t *ret_size)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    int result = fd < 0 ? -1 : read_all(fd, ret_bytes, ret_size);
    if (result != 0)
        log_line(LOG_ERROR, "%s: %m", path);
    if (fd >= 0 && !standard)
        (void)close(fd);
    return result;
}

static int write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t done = write(fd, bytes, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return -1;
        bytes += done;
        size -= (size_t)done;
    }
    return fsync(fd);
}

static bool has_bytes(int dir, const char *name, const void *bytes, size_t size)
{
    char *there;
    size_t there_size;
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool same = read_all(fd, &there, &there_size) == 0;
    (void)close(fd);
    if (!same)
        return false;
    same = there_size == size && memcmp(there, bytes, size) == 0;
    free(there);
    return same;
}

/* Under a hidden name first, which a folder's readers pass over. */
static int write_in(int dir, const char *name, const void *bytes, size_t size, bool force)
{
    char hidden[ZONESET_FILE_TEXT + 32];
    snprintf(hidden, sizeof hidden, ".%s.part-%ld", name, (long)getpid());
    int fd = openat(dir, hidden, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return -1;
    int result = write_all(fd, bytes, size);
    result = close(fd) != 0 ? -1 : result;
    if (result == 0)
        result = renameat2(dir, hidden, dir, name, force ? 0 : RENAME_NOREPLACE);
    if (result == 0)
        return fsync(dir);
    int saved = errno;
    (void)unlinkat(dir, hidden, 0);
    errno = saved;
    return -1;
}

enum command_written command_write(const char *folder, const char *name, const void *bytes,
                                   size_t size, bool force)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        log_line(LOG_ERROR, "%s: %m", folder);
        return COMMAND_WRITE_FAILED;
    }
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        log_line(LOG_ERROR, "%s: %m", folder);
        return COMMAND_WRITE_FAILED;
    }
    enum command_written result = COMMAND_WRITTEN;
    if (has_bytes(dir, name, bytes, size)) {
        result = COMMAND_SAME;
    } else if (write_in(dir, name, bytes, size, force) != 0) {
        if (errno == EEXIST)
            log_line(LOG_ERROR,
                     "%s/%s: is there already and says something else (--force replaces it)",
                     folder, name);
        else
            log_line(LOG_ERROR, "%s/%s: %m", folder, name);
        result = COMMAND_WRITE_FAILED;
    }
    (void)close(dir);
    return result;
}

/* --- zones --- */

const char *command_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool command_origin(const char *path, uint8_t ret_origin[NAME_MAX_BYTES])
{
    char text[NAME_TEXT_MAX];
    const char *base = command_base_name(path);
    size_t size = strlen(base), suffix = sizeof SUFFIX - 1;
    if (size <= suffix || size - suffix >= sizeof text || strcmp(base + size - suffix, SUFFIX) != 0)
        return false;
    memcpy(text, base, size - suffix);
    text[size - suffix] = '\0';
    return name_parse(text, ret_origin) > 0;
}

struct command_zone *command_zones_add(struct command_zones *z, const char *from)
{
    struct command_zone *more = reallocarray(z->list, z->count + 1, sizeof *more);
    char *copy = strdup(from);
    if (!more || !copy)
        log_die("out of memory");
    z->list = more;
    z->list[z->count] = (struct command_zone){.from = copy};
    return &z->list[z->count++];
}

static int compare_zones(const void *a, const void *b)
{
    const struct command_zone *left = a, *right = b;
    return name_compare(left->set.apex, right->set.apex);
}

void command_zones_sort(struct command_zones *z)
{
    if (z->count > 1)
        qsort(z->list, z->count, sizeof *z->list, compare_zones);
}

struct command_zone *command_zones_find(const struct command_zones *z, const uint8_t *apex)
{
    for (size_t i = 0; i < z->count; i++)
        if (name_equal(z->list[i].set.apex, apex))
            return &z->list[i];
    return NULL;
}

void command_zones_fini(struct command_zones *z)
{
    for (size_t i = 0; i < z->count; i++) {
        zoneset_fini(&z->list[i].set);
        free(z->list[i].from);
    }
    free(z->list);
    *z = (struct command_zones){.count = 0};
}

static int load_file(struct command_zones *zones, const char *path)
{
    static const uint8_t root[] = {0};
    uint8_t origin[NAME_MAX_BYTES];
    char error[COMMAND_ERROR_TEXT], *text;
    size_t size;
    if (command_read(path, &text, &size) != 0)
        return -1;
    struct command_zone *z = command_zones_add(zones, path);
    int result = zoneset_read(&z->set, path, text, size,
                              command_origin(path, origin) ? origin : root, error, sizeof error);
    zoneset_sort(&z->set);
    if (result == 0)
        result = zoneset_check(&z->set, path, error, sizeof error);
    if (result != 0)
        log_line(LOG_ERROR, "%s", error);
    free(text);
    return result;
}

static int is_zone_file(const struct dirent *entry)
{
    const char *name = entry->d_name;
    size_t size = strlen(name), suffix = sizeof SUFFIX - 1;
    return name[0] != '.' && size > suffix && strcmp(name + size - suffix, SUFFIX) == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_folder(struct command_zones *zones, const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_zone_file, by_bytes), result = 0;
    if (count < 0) {
        log_line(LOG_ERROR, "%s: %m", folder);
        return -1;
    }
    if (count == 0) {
        log_line(LOG_ERROR, "%s: expected zone files (NAME.zone), found none", folder);
        result = -1;
    }
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        if (result == 0 && asprintf(&path, "%s/%s", folder, entries[i]->d_name) < 0)
            log_die("out of memory");
        if (result == 0)
            result = load_file(zones, path);
        free(path);
        free(entries[i]);
    }
    free(entries);
    return result;
}

int command_zones_load(struct command_zones *zones, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        log_line(LOG_ERROR, "%s: %m", path);
        return -1;
    }
    if ((S_ISDIR(st.st_mode) ? load_folder(zones, path) : load_file(zones, path)) != 0)
        return -1;
    command_zones_sort(zones);
    for (size_t i = 1; i < zones->count; i++)
        if (name_equal(zones->list[i - 1].set.apex, zones->list[i].set.apex)) {
            log_line(LOG_ERROR, "%s: expected a zone once; %s declares the same one",
                     zones->list[i].from, zones->list[i - 1].from);
            return -1;
        }
    return 0;
}

int command_accepts(const char *name, const char *text, size_t size)
{
    char error[COMMAND_ERROR_TEXT];
    struct baseline *baseline = baseline_new();
    if (!baseline)
        log_die("out of memory");
    int result = baseline_add_zone(baseline, name, text, size, error, sizeof error);
    if (result == 0)
        result = baseline_ready(baseline, error, sizeof error);
    if (result != 0)
        log_line(LOG_ERROR, "%s", error);
    baseline_free(baseline);
    return result;
}
