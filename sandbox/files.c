/*
 * files: opening and reading what was named on the command line.
 *
 * Contained in: supervisor. Must never: read a capture.
 */
#include "sandbox/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/log.h"

#define TEXT_MAX  ((size_t)64 << 20)  /* an anchor, policy, profile or configuration file */
#define ZONE_MAX  ((size_t)512 << 20) /* a zone file */
#define FILES_MAX 16384               /* captures of one replay; ring_record.source has 16 bits */

int files_keep(int fd)
{
    if (fd < 0 || fd >= FILES_KEEP_FROM)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, FILES_KEEP_FROM);
    if (moved < 0)
        log_die("descriptors: %m");
    close(fd);
    return moved;
}

int files_reopen(int fd)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return files_keep(open(path, O_RDONLY | O_CLOEXEC));
}

static int read_all(int fd, size_t most, uint8_t **ret_bytes, size_t *ret_size)
{
    size_t size = 0, room = 65536;
    uint8_t *bytes = malloc(room + 1);
    while (bytes) {
        ssize_t n = read(fd, bytes + size, room - size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        size += (size_t)n;
        if (n == 0) {
            bytes[size] = '\0';
            *ret_bytes = bytes;
            *ret_size = size;
            return 0;
        }
        if (size > most) {
            errno = EFBIG;
            break;
        }
        if (size == room) {
            uint8_t *larger = realloc(bytes, 2 * room + 1);
            if (!larger)
                break;
            bytes = larger;
            room *= 2;
        }
    }
    int saved = errno;
    free(bytes);
    errno = saved;
    return -1;
}

int files_read(const char *path, size_t most, uint8_t **ret_bytes, size_t *ret_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int failed = fd < 0 || read_all(fd, most, ret_bytes, ret_size);
    if (failed)
        log_line(LOG_ERROR, "%s: %m", path);
    if (fd >= 0)
        close(fd);
    return failed ? -1 : 0;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* --- folders --------------------------------------------------------------------------------- */

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* By bytes, not by locale: the same order everywhere. */
static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Calls `each` with the path of every regular file of the folder that ends in `suffix`; stops at
 * the first failure, which a link that leads nowhere is where a suffix is asked for. The number of
 * files, or -1. */
static int each_file(const char *folder, const char *suffix,
                     int (*each)(const char *path, void *context), void *context)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, visible, by_bytes);
    int found = 0;
    if (count < 0) {
        log_line(LOG_ERROR, "%s: %m", folder);
        return -1;
    }
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        size_t n = strlen(name), m = strlen(suffix);
        struct stat st = {.st_mode = 0};
        char *path = NULL;
        if (found >= 0 && n > m && strcmp(name + n - m, suffix) == 0) {
            if (asprintf(&path, "%s/%s", folder, name) < 0)
                log_die("out of memory");
            if (stat(path, &st) != 0 && m > 0) {
                log_line(LOG_ERROR, "%s: %m", path);
                found = -1;
            } else if (S_ISREG(st.st_mode)) {
                found = each(path, context) ? -1 : found + 1;
            }
            free(path);
        }
        free(entries[i]);
    }
    free(entries);
    return found;
}

/* --- captures -------------------------------------------------------------------------------- */

struct gathering {
    struct inputs_writer *inputs;
    struct sources sources;
    bool has_stream;
    bool by_time; /* from a folder: capture orders them by first packet */
};

static int reject(const char *path, const char *why)
{
    log_line(LOG_ERROR, "%s: %s", path, why);
    return -1;
}

static int add_source(const char *path, void *context)
{
    struct gathering *g = context;
    bool standard_input = strcmp(path, "-") == 0;
    struct stat st;
    if (g->sources.count == FILES_MAX)
        return reject(path, "too many captures");
    int fd = standard_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, FILES_KEEP_FROM)
                            : files_keep(open(path, O_RDONLY | O_CLOEXEC));
    if (fd < 0 || fstat(fd, &st)) {
        log_line(LOG_ERROR, "%s: %m", path);
        return -1;
    }
    if (S_ISDIR(st.st_mode))
        return reject(path, "is a folder (-R reads folders)");
    if (standard_input && isatty(fd))
        return reject(path, "standard input is a terminal");
    if (standard_input && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY)
        return reject(path, "standard input is closed");
    if (!standard_input && S_ISCHR(st.st_mode))
        return reject(path, "is a device, not a capture");
    bool stream = !S_ISREG(st.st_mode);
    if (stream && g->has_stream)
        return reject(path, "only one source can be a stream");
    g->has_stream |= stream;

    struct source *items = realloc(g->sources.items, (g->sources.count + 1) * sizeof *items);
    if (!items)
        log_die("out of memory");
    g->sources.items = items;
    struct source *s = &items[g->sources.count++];
    *s = (struct source){.path = strdup(path), .fd = fd, .stream = stream};
    s->size = stream ? 0 : (uint64_t)st.st_size;
    s->mtime_ns = stream ? 0 : (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    struct input_source told = {.size = s->size, .mtime_ns = s->mtime_ns};
    if (stream)
        told.flags = SOURCE_STREAM; /* tells digest to pass it on */
    else if (g->by_time)
        told.flags = SOURCE_BY_TIME;
    if (!s->path || inputs_add(g->inputs, INPUT_SOURCE, path, &told, sizeof told))
        log_die("inputs: %m");
    return 0;
}

int files_open_sources(const struct options *o, struct inputs_writer *inputs,
                       struct sources *ret_sources)
{
    struct gathering g = {.inputs = inputs};
    for (size_t i = 0; i < o->files.count; i++)
        if (add_source(o->files.items[i], &g))
            return -1;
    g.by_time = true;
    for (size_t i = 0; i < o->folders.count; i++) {
        int found = each_file(o->folders.items[i], "", add_source, &g);
        if (found == 0)
            reject(o->folders.items[i], "holds no file");
        if (found <= 0)
            return -1;
    }
    *ret_sources = g.sources;
    return 0;
}

/* --- what verdicts are made with ------------------------------------------------------------- */

static int add_file(struct inputs_writer *inputs, enum input_kind kind, const char *path,
                    size_t most)
{
    uint8_t *bytes;
    size_t size;
    if (files_read(path, most, &bytes, &size))
        return -1;
    int failed = inputs_add(inputs, kind, base_name(path), bytes, size);
    if (failed)
        log_line(LOG_ERROR, "%s: %m", path);
    free(bytes);
    return failed;
}

/* Under the one name by which a bundle's reader knows it. */
static int add_kept(struct inputs_writer *inputs, const char *path)
{
    uint8_t *bytes;
    size_t size;
    if (files_read(path, ZONE_MAX, &bytes, &size))
        return -1;
    if (inputs_add(inputs, INPUT_STATE, "keys.dnsbailiff", bytes, size))
        log_die("inputs: %m");
    free(bytes);
    return 0;
}

static int add_zone(const char *path, void *inputs)
{
    return add_file(inputs, INPUT_BASELINE_ZONE, path, ZONE_MAX);
}

static int add_zone_policy(const char *path, void *inputs)
{
    return add_file(inputs, INPUT_BASELINE_POLICY, path, TEXT_MAX);
}

/* A policy under that name would be passed over, and the zone held strictly. */
static int refuse_policy(const char *path, void *context)
{
    (void)context;
    return reject(path, "expected the name of a policy to end in .yaml");
}

/* Neither a zone file, nor a policy, nor what `baseline accept` keeps of an earlier version. */
static int mention_other(const char *path, void *context)
{
    const char *dot = strrchr(path, '.');
    bool number = dot && dot[1] && strspn(dot + 1, "0123456789") == strlen(dot + 1);
    (void)context;
    if (!dot || (strcmp(dot, ".zone") != 0 && strcmp(dot, ".yaml") != 0 && !number))
        log_line(LOG_WARNING, "%s: is not read; a baseline is NAME.zone and NAME.yaml", path);
    return 0;
}

static int add_baseline(const char *folder, struct inputs_writer *inputs)
{
    int zones = each_file(folder, ".zone", add_zone, inputs);
    int policies = zones < 0 ? -1 : each_file(folder, ".yaml", add_zone_policy, inputs);
    if (policies < 0 || each_file(folder, ".yml", refuse_policy, NULL) < 0)
        return -1;
    if (zones == 0 && policies == 0)
        return reject(folder, "holds no zone file (NAME.zone) and no policy (NAME.yaml)");
    return each_file(folder, "", mention_other, NULL) < 0 ? -1 : 0;
}

/* Keys of an earlier run: those named, else those in the evidence folder, if it has any. */
static int add_state(const struct options *o, struct inputs_writer *inputs)
{
    char *path = NULL;
    if (o->state)
        return strcmp(o->state, "none") == 0 ? 0 : add_kept(inputs, o->state);
    if (!o->evidence || (o->command != COMMAND_REPLAY && o->command != COMMAND_CAPTURE))
        return 0;
    if (asprintf(&path, "%s/state/keys.dnsbailiff", o->evidence) < 0)
        log_die("out of memory");
    int failed = access(path, F_OK) == 0 ? add_kept(inputs, path) : 0;
    free(path);
    return failed;
}

int files_add_inputs(const struct options *o, struct inputs_writer *inputs)
{
    for (size_t i = 0; i < o->anchors.count; i++)
        if (add_file(inputs, INPUT_ANCHOR, o->anchors.items[i], TEXT_MAX))
            return -1;
    if (o->baseline && add_baseline(o->baseline, inputs))
        return -1;
    if (add_state(o, inputs))
        return -1;
    if (o->profile && add_file(inputs, INPUT_PROFILE, o->profile, TEXT_MAX))
        return -1;
    for (size_t i = 0; i < o->interfaces.count; i++)
        if (inputs_add(inputs, INPUT_INTERFACE, o->interfaces.items[i], NULL, 0))
            log_die("inputs: %m");
    const char *form = o->json ? "json" : "text";
    if (o->question && inputs_add(inputs, INPUT_QUESTION, o->question, form, strlen(form)))
        log_die("inputs: %m");
    if (o->record && add_file(inputs, INPUT_ACCEPT, o->record, TEXT_MAX))
        return -1;
    if (o->command == COMMAND_LEARN && inputs_add(inputs, INPUT_LEARN, "", NULL, 0))
        log_die("inputs: %m");
    if (o->filter && inputs_add(inputs, INPUT_FILTER, "", o->filter, strlen(o->filter)))
        log_die("inputs: %m");
    return 0;
}
