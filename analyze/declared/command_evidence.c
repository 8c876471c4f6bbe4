/*
 * command_evidence: what an evidence folder recorded of its run: frames, anchors, ports.
 *
 * Contained in: baseline. A replay keeps only the frames that findings cite: what else it saw is
 * where the captures are. They are taken if they are still what they were, and never opened here
 * but for that.
 */
#include "analyze/declared/command.h"
#include "sandbox/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char *join(const char *folder, const char *name)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        log_die("out of memory");
    return path;
}

/* --- settings --- */

static void add_anchors(struct command_sources *s, const char *folder)
{
    char *place = join(folder, "state/anchors");
    DIR *list = opendir(place);
    for (struct dirent *e; list && (e = readdir(list)) != NULL;) {
        char *path = join(place, e->d_name);
        if (e->d_name[0] != '.')
            command_sources_add(s, "--trust-anchor", path);
        free(path);
    }
    if (list)
        (void)closedir(list);
    free(place);
}

/* The ports that the run took for DNS. */
static void add_ports(struct command_sources *s, const char *folder)
{
    json_error_t error;
    char *path = join(folder, "state/settings.json"), *text = NULL;
    json_t *settings = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    json_t *ports = json_object_get(settings, "ports"), *port;
    size_t size, index;
    FILE *stream = json_array_size(ports) > 0 ? open_memstream(&text, &size) : NULL;
    if (stream) {
        json_array_foreach(ports, index, port)
            fprintf(stream, "%s%d", index ? "," : "", (int)json_integer_value(port));
        if (fclose(stream) == 0)
            command_sources_add(s, "--ports", text);
    }
    json_decref(settings);
    free(text);
    free(path);
}

/* --- frames --- */

static bool has_sha256(int fd, size_t size, const char *sha256)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
    unsigned hash_size = 0;
    void *bytes = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    if (bytes == MAP_FAILED || !EVP_Digest(bytes, size, hash, &hash_size, EVP_sha256(), NULL))
        hash_size = 0;
    for (unsigned i = 0; i < hash_size; i++)
        snprintf(hex + (size_t)2 * i, 3, "%02x", hash[i]);
    if (bytes && bytes != MAP_FAILED)
        (void)munmap(bytes, size);
    return sha256 && strcmp(hex, sha256) == 0;
}

/* Is the file that was replayed still there, byte for byte? */
static bool is_unchanged(const json_t *source)
{
    const char *path = json_string_value(json_object_get(source, "name"));
    struct stat status;
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    bool same = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                status.st_size == json_integer_value(json_object_get(source, "size")) &&
                has_sha256(fd, (size_t)status.st_size,
                           json_string_value(json_object_get(source, "sha256")));
    if (fd >= 0)
        (void)close(fd);
    return same;
}

/* The captures of a replay, as the log names them; false: one is gone or changed, or it was none.
 */
static bool add_captures(struct command_sources *s, const char *log)
{
    struct command_sources captures = {.count = 0};
    bool unchanged = true;
    for (const char *line = log, *end; unchanged && (end = strchr(line, '\n')); line = end + 1) {
        json_error_t error;
        json_t *record = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, &error);
        const char *type = json_string_value(json_object_get(record, "type"));
        const char *filter = json_string_value(json_object_get(record, "filter"));
        if (type && strcmp(type, "open") == 0 && filter && *filter)
            command_sources_add(&captures, "--filter", filter);
        if (type && strcmp(type, "source") == 0) {
            unchanged = is_unchanged(record);
            if (unchanged)
                command_sources_add(&captures, "-r",
                                    json_string_value(json_object_get(record, "name")));
        }
        json_decref(record);
    }
    bool any = false;
    for (size_t i = 0; i < captures.count; i += 2)
        any |= strcmp(captures.options[i], "-r") == 0;
    for (size_t i = 0; unchanged && any && i < captures.count; i += 2)
        command_sources_add(s, captures.options[i], captures.options[i + 1]);
    command_sources_fini(&captures);
    return unchanged && any;
}

static int add_frames(struct command_sources *s, const char *folder)
{
    char *segments = join(folder, "segments"), *path = join(folder, "log/log.jsonl"), *log = NULL;
    char *extract = join(segments, "extract.pcapng");
    size_t size;
    int result = access(segments, R_OK | X_OK);
    if (result != 0) {
        log_line(LOG_ERROR, "%s: %m (expected an evidence folder)", segments);
    } else if (!command_exists(extract)) {
        command_sources_add(s, "-R", segments);
    } else if ((result = command_read(path, &log, &size)) == 0 && !add_captures(s, log)) {
        log_line(LOG_NOTE,
                 "the capture that was replayed is gone or changed: looking at %s, which "
                 "has only what findings cite",
                 extract);
        command_sources_add(s, "-r", extract);
    }
    free(log);
    free(extract);
    free(path);
    free(segments);
    return result;
}

int command_sources_evidence(struct command_sources *s, const char *folder, bool with_anchors)
{
    if (add_frames(s, folder) != 0)
        return -1;
    if (with_anchors)
        add_anchors(s, folder);
    add_ports(s, folder);
    return 0;
}
