/*
 * verify_replay: do the findings follow again from what the bundle encloses?
 *
 * Contained in: verify, tests. verify_replay_offer and _compare run confined and read the bundle;
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
    static const char *const files[] = {BUNDLE_CAPTURE NAME_EXTRACT, BUNDLE_FINDINGS, BUNDLE_CONFIG,
                                        BUNDLE_PROFILE, BUNDLE_SETTINGS};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strcmp(name, files[i]) == 0)
            return true;
    return verify_starts(name, BUNDLE_BASELINE) || verify_starts(name, BUNDLE_ANCHORS);
}

/* The clock that the run was judged by: 0 packet time. */
static int64_t clock_of(const struct verify *v)
{
    const struct verify_member *m = verify_find(v, BUNDLE_SETTINGS);
    json_error_t error;
    json_t *settings =
        m ? json_loadb((const char *)m->bytes, m->size, JSON_REJECT_DUPLICATES, &error) : NULL;
    const json_t *at = json_object_get(settings, "at_ns");
    int64_t clock = json_is_integer(at) ? json_integer_value(at) : 0;
    json_decref(settings);
    return clock > 0 ? clock : 0;
}

bool verify_replay_offer(const uint8_t *bytes, size_t size, struct verify_offer *ret_offer)
{
    static const struct verify_options options = {.ca = NULL};
    struct verify_report report = {.log_size = 0};
    struct verify v = {.bytes = bytes, .size = size, .options = &options, .report = &report};
    bool fits = verify_tar_read(&v);
    ret_offer->count = 0;
    ret_offer->is_replay = fits && verify_find(&v, BUNDLE_CAPTURE NAME_EXTRACT);
    ret_offer->at_ns = clock_of(&v);
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
    const char *arguments[2 * OFFERED_MAX + 32];
    size_t argument_count;
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

static void compose(struct place *p, const struct verify_offer *offer)
{
    static char evidence[160], baseline[160], at[40];
    snprintf(evidence, sizeof evidence, "%s/out", p->folder);
    snprintf(baseline, sizeof baseline, "%s/baseline", p->folder);
    p->argument_count = 0;
    argue(p, "dnsbailiff");
    argue(p, "replay");
    argue(p, "-l");
    argue(p, evidence);
    if (offer->at_ns > 0) {
        snprintf(at, sizeof at, "%lld", (long long)(offer->at_ns / 1000000000));
        argue(p, "--at");
        argue(p, at);
    }
    bool has_baseline = false;
    uint32_t count = offer->count < OFFERED_MAX ? offer->count : OFFERED_MAX;
    for (uint32_t i = 0; i < count; i++) {
        const char *name = offer->file[i].name;
        const char *option = verify_starts(name, BUNDLE_ANCHORS)              ? "--trust-anchor"
                             : strcmp(name, BUNDLE_CONFIG) == 0               ? "-c"
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
        argue(p, baseline);
    }
    p->arguments[p->argument_count] = NULL;
}

static bool run_program(struct place *p)
{
    pid_t child = fork();
    if (child < 0)
        return false;
    if (child == 0) {
        int nothing = open("/dev/null", O_RDWR);
        if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(nothing, 1) < 0 || dup2(nothing, 2) < 0)
            _exit(1);
        close_range(3, ~0u, 0);
        execv(p->program, (char *const *)p->arguments);
        _exit(1);
    }
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The findings of the second run; our own pipeline wrote them. */
static bool read_findings(const struct place *p, char **ret_findings, size_t *ret_size)
{
    char path[sizeof p->folder + 64];
    struct stat status;
    snprintf(path, sizeof path, "%s/out/%s", p->folder, FILE_FINDINGS);
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
    *ret_findings = text;
    *ret_size = size;
    return true;
}

const char *verify_replay_run(const uint8_t *bytes, size_t size, const struct verify_offer *offer,
                              char **ret_findings, size_t *ret_size)
{
    struct place *p = calloc(1, sizeof *p);
    const char *why = NULL;
    if (!p)
        return "out of memory";
    if (!find_program(p))
        why = "the analyser is not installed beside the verifier";
    else if (!prepare(p, bytes, size, offer))
        why = "no folder could be made to replay the frames in (TMPDIR)";
    else {
        compose(p, offer);
        if (!run_program(p))
            why = "the replay of the frames enclosed did not end well";
        else if (!read_findings(p, ret_findings, ret_size))
            why = "the replay left no findings";
    }
    if (p->folder[0])
        (void)nftw(p->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(p);
    return why;
}

/* --- in the comparer -----------------------------------------------------------------------------
 */

struct list {
    char **keys; /* what a finding claims, one text each, sorted */
    size_t count, room;
    bool is_broken;
};

/* What must come out again; counts, times and frame numbers depend on how much traffic was seen. */
static char *claim_of(struct verify_text line)
{
    static const char *const members[] = {"rule",   "zone",     "rrname",
                                          "rrtype", "expected", "observed"};
    json_error_t error;
    json_t *finding = json_loadb(line.at, line.size, JSON_REJECT_DUPLICATES, &error);
    json_t *claim = json_array();
    char *text = NULL;
    if (json_is_object(finding) && claim) {
        for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
            json_t *value = json_object_get(finding, members[i]);
            json_array_append_new(claim, value ? json_incref(value) : json_null());
        }
        text = json_dumps(claim, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    }
    json_decref(claim);
    json_decref(finding);
    return text;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct list read_list(const void *bytes, size_t size)
{
    struct list list = {.count = 0};
    struct verify_text rest = {.at = bytes, .size = size}, line;
    int got;
    while ((got = verify_next_line(&rest, &line)) > 0) {
        if (list.count == list.room) {
            size_t room = list.room ? 2 * list.room : 64;
            char **more = realloc(list.keys, room * sizeof *more);
            if (!more)
                break;
            list.keys = more;
            list.room = room;
        }
        char *key = claim_of(line);
        if (!key)
            break;
        list.keys[list.count++] = key;
    }
    list.is_broken = got != 0;
    if (list.count > 1)
        qsort(list.keys, list.count, sizeof *list.keys, compare_keys);
    return list;
}

static void free_list(struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->keys[i]);
    free(list->keys);
}

/* How many of `a` are not in `b`; the first of them. */
static size_t missing(const struct list *a, const struct list *b, const char **ret_first)
{
    size_t count = 0, at = 0;
    for (size_t i = 0; i < a->count; i++) {
        while (at < b->count && strcmp(b->keys[at], a->keys[i]) < 0)
            at++;
        if (at < b->count && strcmp(b->keys[at], a->keys[i]) == 0) {
            at++;
            continue;
        }
        if (count++ == 0)
            *ret_first = a->keys[i];
    }
    return count;
}

void verify_replay_compare(const void *sealed, size_t sealed_size, const void *derived,
                           size_t derived_size, struct verify_report *report)
{
    static const struct verify_options options = {.ca = NULL};
    struct verify v = {.options = &options, .report = report};
    struct list before = read_list(sealed, sealed_size), after = read_list(derived, derived_size);
    struct verify_shown shown;
    const char *first = "";
    report->line[VERIFY_VERDICTS] = (struct verify_line){.outcome = VERIFY_NOT_CHECKED};
    size_t lost = missing(&before, &after, &first);
    if (before.is_broken || after.is_broken)
        verify_fault(&v, VERIFY_VERDICTS, "a list of findings is malformed");
    else if (lost > 0)
        verify_fault(&v, VERIFY_VERDICTS, "%zu findings do not follow from the frames, first %s",
                     lost, verify_escape(first, strlen(first), &shown));
    size_t added = missing(&after, &before, &first);
    if (added > 0)
        verify_doubt(&v, VERIFY_VERDICTS, "%zu findings follow that were not sealed, first %s",
                     added, verify_escape(first, strlen(first), &shown));
    verify_passed(&v, VERIFY_VERDICTS, "%zu findings follow again from the frames", before.count);
    free_list(&before);
    free_list(&after);
}
