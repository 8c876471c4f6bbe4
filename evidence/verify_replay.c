/*
 * verify_replay: do the findings follow again from what the bundle encloses?
 *
 * Contained in: verify, tests. verify_replay_offer runs confined and reads the bundle;
 * verify_replay_run runs unconfined and must never do so: it copies ranges into a folder of its
 * own, compares their hashes with those that were verified, and starts `replay`, which confines
 * itself.
 */
#include "evidence/verify_replay.h"

#include "evidence/verify_hash.h"
#include "evidence/verify_record.h"
#include "evidence/verify_tar.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- in the checker ------------------------------------------------------------------------------
 */

static bool is_offered(const char *name)
{
    static const char *const files[] = {BUNDLE_CAPTURE NAME_EXTRACT, BUNDLE_FINDINGS,
                                        BUNDLE_PROFILE};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strcmp(name, files[i]) == 0)
            return true;
    return verify_starts(name, BUNDLE_BASELINE) || verify_starts(name, BUNDLE_ANCHORS);
}

__attribute__((format(printf, 2, 3))) static void offer_option(struct verify_offer *offer,
                                                               const char *format, ...)
{
    if (offer->option_count == OFFERED_OPTIONS_MAX)
        return;
    char *option = offer->option[offer->option_count++];
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(option, OFFERED_NAME_MAX, format, arguments) >= OFFERED_NAME_MAX)
        offer->option_count--;
    va_end(arguments);
}

/* The settings that were in force, as options of replay: more than the configuration file said. */
void verify_replay_settings(const void *bytes, size_t size, struct verify_offer *offer)
{
    json_error_t error;
    json_t *settings = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);
    const char *key;
    json_t *value;
    json_object_foreach(settings, key, value)
    {
        bool is_flag = strcmp(key, "ignore-rfc8624") == 0 || strcmp(key, "ignore-rfc9276") == 0;
        if (json_is_integer(value)) {
            offer_option(offer, "--set");
            offer_option(offer, "%s=%lld", key, (long long)json_integer_value(value));
        } else if (is_flag && json_is_true(value)) {
            offer_option(offer, "--%s", key);
        } else if (strcmp(key, "at") == 0 && json_is_string(value)) {
            offer_option(offer, "--at");
            offer_option(offer, "%s", json_string_value(value));
        } else if (strcmp(key, "ports") == 0 && json_array_size(value) > 0) {
            char list[OFFERED_NAME_MAX] = "";
            size_t used = 0, index;
            json_t *port;
            json_array_foreach(value, index, port) if (used < sizeof list - 8) used +=
                (size_t)snprintf(list + used, sizeof list - used, "%s%d", used ? "," : "",
                                 (int)(json_integer_value(port) & 0xffff));
            offer_option(offer, "--ports");
            offer_option(offer, "%s", list);
        }
    }
    json_decref(settings);
}

bool verify_replay_offer(const uint8_t *bytes, size_t size, const struct verify_report *before,
                         struct verify_offer *ret_offer)
{
    static const struct verify_options options = {.ca = NULL};
    struct verify_report report = {.log_size = 0};
    struct verify v = {.bytes = bytes, .size = size, .options = &options, .report = &report};
    bool fits = verify_tar_read(&v);
    ret_offer->count = 0;
    ret_offer->is_replay = fits && verify_find(&v, BUNDLE_CAPTURE NAME_EXTRACT);
    ret_offer->is_partial = before->line[VERIFY_FINDINGS].outcome != VERIFY_PASS;
    const struct verify_member *settings = fits ? verify_find(&v, BUNDLE_SETTINGS) : NULL;
    if (settings)
        verify_replay_settings(settings->bytes, settings->size, ret_offer);
    for (size_t i = 0; fits && i < v.member_count; i++) {
        const struct verify_member *m = &v.members[i];
        if (!is_offered(m->name))
            continue;
        if (ret_offer->count == OFFERED_MAX || strlen(m->name) >= OFFERED_NAME_MAX) {
            fits = false;
            break;
        }
        struct verify_offered *o = &ret_offer->file[ret_offer->count++];
        snprintf(o->name, sizeof o->name, "%s", m->name);
        o->offset = (uint64_t)(m->bytes - bytes);
        o->size = m->size;
        verify_sha256(m->bytes, m->size, o->sha256);
    }
    verify_tar_fini(&v);
    return fits;
}

const struct verify_offered *verify_replay_find(const struct verify_offer *offer, const char *name)
{
    uint32_t count = offer->count < OFFERED_MAX ? offer->count : OFFERED_MAX;
    for (uint32_t i = 0; i < count; i++)
        if (strncmp(offer->file[i].name, name, OFFERED_NAME_MAX) == 0)
            return &offer->file[i];
    return NULL;
}

/* --- in the parent -------------------------------------------------------------------------------
 */

struct place {
    char folder[128]; /* private, removed at the end */
    char program[512];
    const char *question; /* NULL: findings are wanted, not an explanation */
    bool json;
    const char *arguments[2 * OFFERED_MAX + OFFERED_OPTIONS_MAX + 32];
    size_t argument_count; /* a NULL follows: the place is zeroed */
    char evidence[160], baseline[160];
    char paths[OFFERED_MAX][OFFERED_NAME_MAX + 160];
};

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status;
    (void)type;
    (void)at;
    return remove(path);
}

static void argue(struct place *p, const char *argument)
{
    if (p->argument_count + 1 < sizeof p->arguments / sizeof *p->arguments)
        p->arguments[p->argument_count++] = argument;
}

/* Copies one range into the folder, if it is still what was verified. The name was checked by the
 * reader of the archive; it is checked again because a taken-over checker could lie. */
static bool copy_out(const uint8_t *bytes, size_t size, const struct verify_offered *o,
                     const char *folder, char *ret_path, size_t room)
{
    uint8_t hash[HASH_BYTES];
    char name[OFFERED_NAME_MAX];
    memcpy(name, o->name, sizeof name);
    name[sizeof name - 1] = '\0';
    const char *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    if (base[0] == '\0' || base[0] == '.' ||
        strspn(base, "abcdefghijklmnopqrstuvwxyz0123456789._-") != strlen(base) ||
        o->offset > size || o->size > size - o->offset)
        return false;
    const char *into = verify_starts(name, BUNDLE_BASELINE)  ? "baseline/"
                       : verify_starts(name, BUNDLE_ANCHORS) ? "anchors/"
                                                             : "";
    int length = snprintf(ret_path, room, "%s/%s%s", folder, into, base);
    if (length < 0 || (size_t)length >= room)
        return false;
    int fd = open(ret_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    const uint8_t *at = bytes + o->offset;
    size_t left = (size_t)o->size;
    while (left > 0) {
        ssize_t written = write(fd, at, left);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break;
        at += written;
        left -= (size_t)written;
    }
    verify_sha256(bytes + o->offset, (size_t)o->size, hash);
    return close(fd) == 0 && left == 0 && memcmp(hash, o->sha256, sizeof hash) == 0;
}

static bool prepare(struct place *p, const uint8_t *bytes, size_t size,
                    const struct verify_offer *offer)
{
    char path[sizeof p->folder + 16];
    const char *temporary = getenv("TMPDIR");
    snprintf(p->folder, sizeof p->folder, "%.90s/dnsbailiff-verify-XXXXXX",
             temporary && temporary[0] == '/' ? temporary : "/tmp");
    if (!mkdtemp(p->folder)) {
        p->folder[0] = '\0';
        return false;
    }
    snprintf(path, sizeof path, "%s/baseline", p->folder);
    if (mkdir(path, 0700) < 0)
        return false;
    snprintf(path, sizeof path, "%s/anchors", p->folder);
    if (mkdir(path, 0700) < 0)
        return false;
    uint32_t count = offer->count < OFFERED_MAX ? offer->count : OFFERED_MAX;
    for (uint32_t i = 0; i < count; i++)
        if (!copy_out(bytes, size, &offer->file[i], p->folder, p->paths[i], sizeof p->paths[i]))
            return false;
    return true;
}

/* The supervisor beside this program. */
static bool find_program(struct place *p)
{
    ssize_t size = readlink("/proc/self/exe", p->program, sizeof p->program - 16);
    if (size <= 0)
        return false;
    p->program[size] = '\0';
    char *slash = strrchr(p->program, '/');
    if (!slash)
        return false;
    memcpy(slash, "/supervisor", sizeof "/supervisor");
    return access(p->program, X_OK) == 0;
}

/* Options are words of a few characters; a taken-over checker gets no others through. */
static bool argue_options(struct place *p, const struct verify_offer *offer)
{
    for (uint32_t i = 0; i < offer->option_count; i++) {
        const char *option = offer->option[i];
        if (i == OFFERED_OPTIONS_MAX || !memchr(option, 0, OFFERED_NAME_MAX) ||
            strspn(option, "abcdefghijklmnopqrstuvwxyz0123456789-=,:.TZ") != strlen(option))
            return false;
        argue(p, option);
    }
    return true;
}

static bool compose(struct place *p, const struct verify_offer *offer)
{
    snprintf(p->evidence, sizeof p->evidence, "%s/out", p->folder);
    snprintf(p->baseline, sizeof p->baseline, "%s/baseline", p->folder);
    static const char *const replay[] = {"replay", "--quiet", "--log-verdicts", "all", "-l"};
    argue(p, "dnsbailiff");
    if (p->question)
        argue(p, "explain");
    for (size_t i = 0; !p->question && i < sizeof replay / sizeof *replay; i++)
        argue(p, replay[i]);
    if (!p->question)
        argue(p, p->evidence);
    else if (p->json)
        argue(p, "--json");
    bool has_baseline = false;
    uint32_t count = offer->count < OFFERED_MAX ? offer->count : OFFERED_MAX;
    for (uint32_t i = 0; i < count; i++) {
        const char *name = offer->file[i].name;
        const char *option = strcmp(name, BUNDLE_ANCHORS NAME_KEYS) == 0      ? "--state"
                             : verify_starts(name, BUNDLE_ANCHORS)            ? "--trust-anchor"
                             : strcmp(name, BUNDLE_PROFILE) == 0              ? "--profile"
                             : strcmp(name, BUNDLE_CAPTURE NAME_EXTRACT) == 0 ? "-r"
                                                                              : NULL;
        has_baseline = has_baseline || verify_starts(name, BUNDLE_BASELINE);
        if (!option)
            continue;
        argue(p, option);
        argue(p, p->paths[i]);
    }
    if (has_baseline) {
        argue(p, "--baseline");
        argue(p, p->baseline);
    }
    if (!argue_options(p, offer))
        return false;
    if (p->question) {
        argue(p, "--");
        argue(p, p->question);
    }
    return true;
}

/* Its exit status, or -1. Only an explanation may reach the terminal, which the supervisor wrote.
 */
static int run_program(struct place *p)
{
    pid_t child = fork();
    if (child < 0)
        return -1;
    if (child == 0) {
        int nothing = open("/dev/null", O_RDWR);
        if (nothing < 0 || dup2(nothing, 0) < 0)
            _exit(1);
        if (!p->question && (dup2(nothing, 1) < 0 || dup2(nothing, 2) < 0))
            _exit(1);
        close_range(3, ~0u, 0);
        execv(p->program, (char *const *)p->arguments);
        _exit(1);
    }
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A file of the second run; our own pipeline wrote it. */
static bool read_back(const struct place *p, const char *name, char **ret_text, size_t *ret_size)
{
    char path[sizeof p->folder + 64];
    struct stat status;
    snprintf(path, sizeof path, "%s/out/%s", p->folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    char *text = fstat(fd, &status) == 0 ? malloc((size_t)status.st_size + 1) : NULL;
    size_t size = 0;
    for (ssize_t got; text && size < (size_t)status.st_size; size += (size_t)got) {
        got = read(fd, text + size, (size_t)status.st_size - size);
        if (got <= 0)
            break;
    }
    close(fd);
    if (!text || size != (size_t)status.st_size) {
        free(text);
        return false;
    }
    *ret_text = text;
    *ret_size = size;
    return true;
}

void verify_replay_free(struct verify_replayed *r)
{
    free(r->findings);
    free(r->events);
}

static const char *run_in(struct place *p, const uint8_t *bytes, size_t size,
                          const struct verify_offer *offer, struct verify_replayed *ret_replayed)
{
    struct verify_replayed r = {.findings = NULL};
    if (!find_program(p))
        return "the analyser is not installed beside the verifier";
    if (!prepare(p, bytes, size, offer))
        return "no folder could be made to replay the frames in (TMPDIR)";
    if (!compose(p, offer))
        return "the settings of the run are not ones that replay takes";
    if (run_program(p) != 0)
        return "the replay of the frames enclosed did not end well";
    if (!read_back(p, FILE_FINDINGS, &r.findings, &r.findings_size) ||
        !read_back(p, FILE_EVE, &r.events, &r.events_size)) {
        verify_replay_free(&r);
        return "the replay of the frames enclosed left no findings";
    }
    *ret_replayed = r;
    return NULL;
}

const char *verify_replay_run(const uint8_t *bytes, size_t size, const struct verify_offer *offer,
                              struct verify_replayed *ret_replayed)
{
    struct place *p = calloc(1, sizeof *p);
    if (!p)
        return "out of memory";
    const char *why = run_in(p, bytes, size, offer, ret_replayed);
    if (p->folder[0])
        (void)nftw(p->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(p);
    return why;
}

const char *verify_replay_explain(const uint8_t *bytes, size_t size,
                                  const struct verify_offer *offer, const char *question, bool json,
                                  int *ret_status)
{
    const char *why = NULL;
    struct place *p = calloc(1, sizeof *p);
    if (!p)
        return "out of memory";
    p->question = question;
    p->json = json;
    if (!find_program(p))
        why = "the analyser is not installed beside this program";
    else if (!prepare(p, bytes, size, offer))
        why = "no folder could be made to replay the frames in (TMPDIR)";
    else if (!compose(p, offer))
        why = "the settings of the run are not ones that replay takes";
    else if ((*ret_status = run_program(p)) < 0)
        why = "the replay of the frames enclosed did not end well";
    if (p->folder[0])
        (void)nftw(p->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(p);
    return why;
}
