/*
 * verify_replay: runs `replay` on what a bundle encloses.
 *
 * Contained in: verify, explain, report, lookup, tests; runs unconfined. Must never: look into the
 * bundle. It passes on ranges, compares their hashes with those that were verified, and starts
 * `replay`, which confines itself.
 */
#include "evidence/verify_replay.h"

#include "evidence/verify_feed.h"
#include "evidence/verify_state.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX (2 * (OFFERED_MAX + OFFERED_SOURCES_MAX) + OFFERED_OPTIONS_MAX + 32)
#define DAMAGED       2 /* exit status of a replay that met damage, as the first one did */

static const char no_memory[] = "out of memory";
static const char no_folder[] = "no folder could be made to replay in (TMPDIR)";
static const char no_room[] = "TMPDIR has no room for copies of the sources";
static const char changed[] = "the bundle changed while it was read";
static const char no_settings[] = "the settings of the run are not ones that replay takes";
static const char ended_badly[] = "the replay of the frames enclosed did not end well";

struct bundle {
    const uint8_t *bytes;
    size_t size;
};

struct place {
    char folder[128]; /* private, removed at the end */
    char program[512];
    const char *question; /* NULL: findings are wanted, not an explanation */
    bool json;
    char *arguments[ARGUMENTS_MAX + 1]; /* a NULL follows: the place is zeroed */
    size_t argument_count;
    bool is_short; /* of memory, or of room for arguments */
};

/* --- an end by a signal: the program that runs ends, too, and the folder goes ---------------- */

static volatile sig_atomic_t interrupted;
static volatile pid_t running; /* the program, 0 none */

static void interrupt(int number)
{
    interrupted = number;
    if (running > 0)
        kill(running, SIGTERM);
}

static const int endings[] = {SIGINT, SIGTERM, SIGHUP};
#define ENDINGS (sizeof endings / sizeof *endings)

static void catch_endings(struct sigaction ret_before[ENDINGS])
{
    const struct sigaction ours = {.sa_handler = interrupt};
    for (size_t i = 0; i < ENDINGS; i++)
        if (sigaction(endings[i], NULL, &ret_before[i]) == 0 && ret_before[i].sa_handler != SIG_IGN)
            sigaction(endings[i], &ours, NULL);
}

static void restore_endings(const struct sigaction before[ENDINGS])
{
    for (size_t i = 0; i < ENDINGS; i++)
        sigaction(endings[i], &before[i], NULL);
    if (interrupted)
        raise(interrupted);
}

/* --- the place ------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status;
    (void)type;
    (void)at;
    return remove(path);
}

__attribute__((format(printf, 2, 3))) static void argue(struct place *p, const char *format, ...)
{
    va_list list;
    if (p->is_short || p->argument_count == ARGUMENTS_MAX) {
        p->is_short = true;
        return;
    }
    va_start(list, format);
    if (vasprintf(&p->arguments[p->argument_count], format, list) < 0) {
        p->arguments[p->argument_count] = NULL;
        p->is_short = true;
    } else {
        p->argument_count++;
    }
    va_end(list);
}

static void leave(struct place *p)
{
    if (p->folder[0])
        (void)nftw(p->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    for (size_t i = 0; i < p->argument_count; i++)
        free(p->arguments[i]);
    free(p);
}

/* --- what is copied -------------------------------------------------------------------------- */

static uint32_t at_most(uint32_t count, uint32_t most)
{
    return count < most ? count : most;
}

static const char *copy_range(const struct bundle *b, const struct verify_range *r,
                              const char *path, struct verify_feed *progress)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return no_folder;
    int error = verify_feed_range(fd, b->bytes, b->size, r, progress);
    if (close(fd) != 0 && error == 0)
        error = -errno;
    return error == 0 ? NULL : error == -EILSEQ ? changed : no_folder;
}

/* The folder below ours that a file goes to, and the option that gives it to replay; NULL: none. */
static const char *folder_of(const char *name)
{
    return verify_starts(name, BUNDLE_BASELINE)  ? "baseline/"
           : verify_starts(name, BUNDLE_ANCHORS) ? "anchors/"
                                                 : "";
}

static const char *option_of(const char *name)
{
    return strcmp(name, BUNDLE_ANCHORS NAME_KEYS) == 0 ? "--state"
           : verify_starts(name, BUNDLE_ANCHORS)       ? "--trust-anchor"
           : strcmp(name, BUNDLE_PROFILE) == 0         ? "--profile"
                                                       : NULL;
}

/* Copies one file into the folder. The name was checked by the reader of the archive; it is checked
 * again because a taken-over checker could lie. */
static const char *take_file(struct place *p, const struct bundle *b,
                             const struct verify_offered *o)
{
    struct verify_range range = {.offset = o->offset, .size = o->size};
    char name[OFFERED_NAME_MAX], path[sizeof p->folder + OFFERED_NAME_MAX + 16];
    memcpy(range.sha256, o->sha256, sizeof range.sha256);
    memcpy(name, o->name, sizeof name);
    name[sizeof name - 1] = '\0';
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
    if (base[0] == '\0' || base[0] == '.' ||
        strspn(base, "abcdefghijklmnopqrstuvwxyz0123456789._-") != strlen(base))
        return no_folder;
    snprintf(path, sizeof path, "%s/%s%s", p->folder, folder_of(name), base);
    struct verify_feed progress = {.what = "copying the baseline", .total = o->size};
    const char *why = copy_range(b, &range, path, &progress);
    if (!why && option_of(name)) {
        argue(p, "%s", option_of(name));
        argue(p, "%s", path);
    }
    return why;
}

static const char *take_files(struct place *p, const struct bundle *b,
                              const struct verify_offer *offer)
{
    bool has_baseline = false;
    for (uint32_t i = 0; i < at_most(offer->count, OFFERED_MAX); i++) {
        const char *why = take_file(p, b, &offer->file[i]);
        if (why)
            return why;
        has_baseline |= verify_starts(offer->file[i].name, BUNDLE_BASELINE);
    }
    if (has_baseline) {
        argue(p, "--baseline");
        argue(p, "%s/baseline", p->folder);
    }
    return NULL;
}

/* Only one source can come through a pipe. */
static bool is_piped(const struct verify_offer *offer)
{
    return offer->frames != ENCLOSED_SOURCES || offer->range_count == 1;
}

static uint64_t bytes_of(const struct verify_offer *offer)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < at_most(offer->range_count, OFFERED_FRAMES_MAX); i++)
        total += offer->range[i].size;
    return total;
}

/* Where source `i` lies, under the name that it had: findings about the tap are named after it.
 * Each has a folder of its own, for names come twice. NULL, or why not. */
static const char *place_source(struct place *p, const struct verify_offer *offer, uint32_t i,
                                char *ret_path, size_t room)
{
    char name[OFFERED_NAME_MAX];
    memcpy(name, offer->source[i], sizeof name);
    name[sizeof name - 1] = '\0';
    if (name[0] == '\0' || name[0] == '.' || strchr(name, '/'))
        snprintf(name, sizeof name, "source");
    snprintf(ret_path, room, "%s/%05u", p->folder, i);
    if (mkdir(ret_path, 0700) < 0)
        return no_folder;
    if (!is_piped(offer) && i >= offer->range_count - at_most(offer->by_time, offer->range_count)) {
        argue(p, "-R"); /* these were read in order of time, and are again */
        argue(p, "%s", ret_path);
        snprintf(ret_path, room, "%s/%05u/%s", p->folder, i, name);
    } else {
        snprintf(ret_path, room, "%s/%05u/%s", p->folder, i, name);
        argue(p, "-r");
        argue(p, "%s", ret_path);
    }
    return NULL;
}

/* One source comes through a pipe; several are copied. */
static const char *take_sources(struct place *p, const struct bundle *b,
                                const struct verify_offer *offer)
{
    struct statvfs disk;
    struct verify_feed progress = {.what = "copying the sources", .total = bytes_of(offer)};
    char path[sizeof p->folder + OFFERED_NAME_MAX + 16];
    if (offer->range_count > OFFERED_SOURCES_MAX)
        return no_settings;
    if (!is_piped(offer) &&
        (statvfs(p->folder, &disk) != 0 || bytes_of(offer) / disk.f_frsize >= disk.f_bavail))
        return no_room;
    for (uint32_t i = 0; i < offer->range_count; i++) {
        const char *why = interrupted ? ended_badly : place_source(p, offer, i, path, sizeof path);
        if (!why && is_piped(offer))
            why = symlink("/proc/self/fd/0", path) == 0 ? NULL : no_folder;
        else if (!why)
            why = copy_range(b, &offer->range[i], path, &progress);
        if (why)
            return why;
    }
    return NULL;
}

/* --- the command ----------------------------------------------------------------------------- */

static bool make_folders(struct place *p)
{
    static const char *const below[] = {"baseline", "anchors"};
    char path[sizeof p->folder + 16];
    const char *temporary = getenv("TMPDIR");
    snprintf(p->folder, sizeof p->folder, "%.90s/dnsbailiff-verify-XXXXXX",
             temporary && temporary[0] == '/' ? temporary : "/tmp");
    if (!mkdtemp(p->folder)) {
        p->folder[0] = '\0';
        return false;
    }
    for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
        snprintf(path, sizeof path, "%s/%s", p->folder, below[i]);
        if (mkdir(path, 0700) < 0)
            return false;
    }
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
        argue(p, "%s", option);
    }
    static const char *const unneeded[] = {"history=0", "hold-bytes=1048576"};
    for (size_t i = 0; i < sizeof unneeded / sizeof *unneeded; i++) {
        argue(p, "--set"); /* of this run nothing is kept but what it found */
        argue(p, "%s", unneeded[i]);
    }
    return true;
}

static const char *compose(struct place *p, const struct bundle *b,
                           const struct verify_offer *offer)
{
    static const char *const replay[] = {"dnsbailiff", "replay", "--quiet", "-l"};
    static const char *const explain[] = {"dnsbailiff", "explain"};
    const char *why;
    for (size_t i = 0; !p->question && i < sizeof replay / sizeof *replay; i++)
        argue(p, "%s", replay[i]);
    for (size_t i = 0; p->question && i < sizeof explain / sizeof *explain; i++)
        argue(p, "%s", explain[i]);
    if (!p->question)
        argue(p, "%s/out", p->folder);
    else if (p->json)
        argue(p, "--json");
    if (!p->question && offer->frames == ENCLOSED_EXTRACT) {
        argue(p, "--log-verdicts"); /* to see which frames were judged at all */
        argue(p, "all");
    }
    if ((why = take_files(p, b, offer)) != NULL)
        return why;
    if (!argue_options(p, offer) || !memchr(offer->filter, 0, sizeof offer->filter) ||
        !verify_offer_is_plain(offer->filter))
        return no_settings;
    if (offer->frames != ENCLOSED_SOURCES) {
        argue(p, "-r");
        argue(p, "-");
    } else if ((why = take_sources(p, b, offer)) != NULL) {
        return why;
    }
    if (offer->filter[0] && p->question)
        argue(p, "--filter");
    else if (offer->filter[0] || p->question)
        argue(p, "--");
    if (offer->filter[0])
        argue(p, "%s", offer->filter);
    if (offer->filter[0] && p->question)
        argue(p, "--");
    if (p->question)
        argue(p, "%s", p->question);
    return p->is_short ? no_memory : NULL;
}

/* --- the run --------------------------------------------------------------------------------- */

/* Only an explanation may reach the terminal, which the supervisor wrote. */
_Noreturn static void become(struct place *p, int input)
{
    int nothing = open("/dev/null", O_RDWR);
    if (nothing < 0 || dup2(input >= 0 ? input : nothing, 0) < 0)
        _exit(1);
    if (!p->question && (dup2(nothing, 1) < 0 || dup2(nothing, 2) < 0))
        _exit(1);
    close_range(3, ~0u, 0);
    (void)signal(SIGPIPE, SIG_DFL);
    execv(p->program, p->arguments);
    _exit(1);
}

/* False if a range is not what was checked. Whoever does not read to the end says why himself. */
static bool feed(int fd, const struct bundle *b, const struct verify_offer *offer)
{
    struct verify_feed progress = {.what = "replaying what is enclosed", .total = bytes_of(offer)};
    int error = 0;
    for (uint32_t i = 0; error == 0 && i < at_most(offer->range_count, OFFERED_FRAMES_MAX); i++) {
        struct verify_range range = offer->range[i];
        error = verify_feed_range(fd, b->bytes, b->size, &range, &progress);
    }
    return error != -EILSEQ;
}

/* *ret_status is its exit status, -1 if it had none. */
static const char *run_program(struct place *p, const struct bundle *b,
                               const struct verify_offer *offer, int *ret_status)
{
    int ends[2] = {-1, -1}, status = 0;
    if (is_piped(offer) && pipe2(ends, O_CLOEXEC) != 0)
        return no_memory;
    pid_t child = fork();
    if (child == 0)
        become(p, ends[0]);
    running = child > 0 ? child : 0;
    if (interrupted)
        interrupt(interrupted);
    if (ends[0] >= 0)
        close(ends[0]);
    bool is_sound = true;
    if (child > 0 && ends[1] >= 0) {
        void (*before)(int) = signal(SIGPIPE, SIG_IGN);
        is_sound = feed(ends[1], b, offer);
        (void)signal(SIGPIPE, before);
    }
    if (ends[1] >= 0)
        close(ends[1]);
    while (child > 0 && waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            child = -1;
    running = 0;
    verify_feed_clear();
    *ret_status = child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return child < 0 ? no_memory : is_sound ? NULL : changed;
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

static const char *run_in(struct place *p, const struct bundle *b, const struct verify_offer *offer,
                          int *ret_status)
{
    if (!find_program(p))
        return "the analyser is not installed beside this program";
    if (!make_folders(p))
        return no_folder;
    const char *why = compose(p, b, offer);
    return why ? why : run_program(p, b, offer, ret_status);
}

const char *verify_replay_run(const uint8_t *bytes, size_t size, const struct verify_offer *offer,
                              struct verify_replayed *ret_replayed)
{
    struct verify_replayed r = {.findings = NULL};
    struct place *p = calloc(1, sizeof *p);
    int status = -1;
    if (!p)
        return no_memory;
    struct sigaction before[ENDINGS];
    catch_endings(before);
    const char *why = run_in(p, &(struct bundle){bytes, size}, offer, &status);
    /* What was damaged when it was sealed is damaged now; what comes before was judged. */
    if (!why && status != 0 && !(offer->frames == ENCLOSED_SOURCES && status == DAMAGED))
        why = ended_badly;
    if (!why &&
        (!read_back(p, FILE_FINDINGS, &r.findings, &r.findings_size) ||
         (offer->frames == ENCLOSED_EXTRACT && !read_back(p, FILE_EVE, &r.events, &r.events_size))))
        why = "the replay of the frames enclosed left no findings";
    if (why)
        verify_replay_free(&r);
    else
        *ret_replayed = r;
    leave(p);
    restore_endings(before);
    return why;
}

const char *verify_replay_explain(const uint8_t *bytes, size_t size,
                                  const struct verify_offer *offer, const char *question, bool json,
                                  int *ret_status)
{
    struct place *p = calloc(1, sizeof *p);
    if (!p)
        return no_memory;
    p->question = question;
    p->json = json;
    *ret_status = -1;
    struct sigaction before[ENDINGS];
    catch_endings(before);
    const char *why = run_in(p, &(struct bundle){bytes, size}, offer, ret_status);
    if (!why && *ret_status < 0)
        why = ended_badly;
    leave(p);
    restore_endings(before);
    return why;
}
