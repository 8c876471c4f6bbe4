/*
 * explain: the command. Finds what a run was made with, and has the supervisor replay it with a
 * question.
 *
 * Contained in: explain. Three sources: captures named on the command line (`-r`, straight to the
 * supervisor), an evidence folder (`-l`), a bundle. The recorded texts of a folder and every byte
 * of a bundle are read in a confined child; the parent opens files, compares their SHA-256 with
 * what the log has, copies ranges, and starts the supervisor. It must never parse what it maps.
 */
#include "evidence/format.h"
#include "evidence/verify.h"
#include "evidence/verify_child.h"
#include "evidence/verify_hash.h"
#include "evidence/verify_map.h"
#include "evidence/verify_replay.h"
#include "evidence/verify_text.h"
#include "sandbox/fds.h"
#include "sandbox/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOURCES_MAX  48 /* captures of a run that are looked up again; more: the extract */
#define FILTER_MAX   4096
#define ARGUMENTS    512
#define HASH_CHUNK   ((size_t)1 << 20)
#define EXIT_REFUSED 2

static const char usage[] =
    "usage: dnsbailiff explain -l DIR [--json] FRAME|NAME/TYPE\n"
    "       dnsbailiff explain BUNDLE [--json] FRAME|NAME/TYPE\n"
    "       dnsbailiff explain -r FILE... [OPTIONS of replay] [--json] FRAME|NAME/TYPE\n"
    "\n"
    "Tells how the verdict on one response came about, from the trust anchor down to the answer:\n"
    "what was checked, with which key of which frame, and where it failed or what is missing.\n"
    "The response is named by a frame number (its own, or its query's), or by name and type.\n"
    "\n"
    "  -l DIR    an evidence folder: reads its segments, or the source captures if they are still\n"
    "            where they were and have the SHA-256 of the log, else segments/extract.pcapng,\n"
    "            with the anchors, baseline and settings that were recorded\n"
    "  BUNDLE    the frames, anchors, baseline and settings enclosed; the bundle must be sound\n"
    "  -r FILE   captures, as replay takes them\n"
    "  --json    one JSON object instead of text\n"
    "\n"
    "Exit status: 0 done, 1 failed, or no such response; 2 usage, or unreadable or damaged "
    "input.\n";

/* What the confined reader leaves behind. */
struct record {
    bool is_complete, is_sound, is_live, has_filter;
    char filter[FILTER_MAX];
    uint32_t source_count; /* SOURCES_MAX + 1: too many */
    struct source_record {
        char path[PATH_MAX];
        uint64_t size;
        uint8_t sha256[HASH_BYTES];
    } source[SOURCES_MAX];
    struct verify_report report;
    struct verify_offer offer;
};

struct command { /* of the supervisor */
    char program[PATH_MAX];
    char *arguments[ARGUMENTS];
    size_t count;
};

static void print(int fd, const char *text)
{
    ssize_t n = write(fd, text, strlen(text));
    (void)n;
}

_Noreturn static void refuse(void)
{
    print(STDERR_FILENO, usage);
    exit(EXIT_REFUSED);
}

/* --- the command that is run ---------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void argue(struct command *c, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    if (c->count + 1 == ARGUMENTS || vasprintf(&c->arguments[c->count++], format, list) < 0)
        log_die("too many files, or no memory");
    va_end(list);
}

static void find_program(struct command *c)
{
    ssize_t n = readlink("/proc/self/exe", c->program, sizeof c->program - sizeof "/supervisor");
    if (n <= 0)
        log_die("/proc/self/exe: %s", strerror(errno));
    c->program[n] = '\0';
    char *slash = strrchr(c->program, '/');
    memcpy(slash, "/supervisor", sizeof "/supervisor");
}

_Noreturn static void execute(struct command *c)
{
    c->arguments[c->count] = NULL;
    execv(c->program, c->arguments);
    log_die("%s: %s", c->program, strerror(errno));
}

/* --- the confined reader -------------------------------------------------------------------- */

static bool from_hex(const char *text, uint8_t ret_bytes[HASH_BYTES])
{
    if (text == NULL || strlen(text) != 2 * HASH_BYTES ||
        strspn(text, "0123456789abcdef") != 2 * HASH_BYTES)
        return false;
    for (size_t i = 0; i < HASH_BYTES; i++) {
        char pair[3] = {text[2 * i], text[2 * i + 1], '\0'};
        ret_bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return true;
}

static void read_source(const json_t *line, struct record *r)
{
    const char *path = json_string_value(json_object_get(line, "name"));
    const char *hash = json_string_value(json_object_get(line, "sha256"));
    json_int_t size = json_integer_value(json_object_get(line, "size"));
    uint32_t at = r->source_count;
    if (at >= SOURCES_MAX || path == NULL || strlen(path) >= PATH_MAX || size < 0 ||
        !from_hex(hash, r->source[at].sha256)) {
        r->source_count = SOURCES_MAX + 1;
        return;
    }
    memcpy(r->source[at].path, path, strlen(path) + 1);
    r->source[at].size = (uint64_t)size;
    r->source_count++;
}

static void read_log(struct verify_map log, struct record *r)
{
    struct verify_text rest = {.at = (const char *)log.bytes, .size = log.size}, line;
    json_error_t error;
    while (verify_next_line(&rest, &line) > 0) {
        json_t *record = json_loadb(line.at, line.size, JSON_REJECT_DUPLICATES, &error);
        const char *type = json_string_value(json_object_get(record, "type"));
        if (type && strcmp(type, "source") == 0)
            read_source(record, r);
        if (type && strcmp(type, "open") == 0) {
            const char *run = json_string_value(json_object_get(record, "run"));
            const char *filter = json_string_value(json_object_get(record, "filter"));
            r->is_live = run && strcmp(run, "capture") == 0;
            r->has_filter = filter && filter[0];
            if (r->has_filter)
                snprintf(r->filter, sizeof r->filter, "%s", filter);
        }
        json_decref(record);
    }
}

struct reading {
    struct verify_map settings, log; /* of a folder */
    struct verify_map bundle;
    struct record *record;
};

static void read_folder(void *context)
{
    struct reading *g = context;
    verify_offer_settings(g->settings.bytes, g->settings.size, &g->record->offer);
    read_log(g->log, g->record);
    g->record->is_sound = true;
}

static void read_bundle(void *context)
{
    struct reading *g = context;
    struct record *r = g->record;
    const struct verify_options options = {.offer = &r->offer};
    r->is_sound = verify_bundle(g->bundle.bytes, g->bundle.size, &options, &r->report) !=
                  VERIFY_RESULT_FAILED;
}

static void run_confined(void (*work)(void *), struct reading *g)
{
    const struct verify_child child = {PROCESS_verify,          NULL, work, g,
                                       &g->record->is_complete, NULL};
    if (!verify_child_run(&child, NULL))
        log_die("the confined reader did not come to its end");
}

/* --- files ---------------------------------------------------------------------------------- */

/* Is the file that was replayed still there, byte for byte? */
static bool is_unchanged(const struct source_record *s)
{
    uint8_t hash[EVP_MAX_MD_SIZE], *chunk = NULL;
    struct stat status;
    ssize_t got = -1;
    int fd = verify_map_open(s->path, &status);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool same = fd >= 0 && (uint64_t)status.st_size == s->size && ctx &&
                (chunk = malloc(HASH_CHUNK)) && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
    while (same && (got = read(fd, chunk, HASH_CHUNK)) > 0)
        same = EVP_DigestUpdate(ctx, chunk, (size_t)got);
    same = same && got == 0 && EVP_DigestFinal_ex(ctx, hash, NULL) &&
           memcmp(hash, s->sha256, HASH_BYTES) == 0;
    EVP_MD_CTX_free(ctx);
    free(chunk);
    if (fd >= 0)
        close(fd);
    return same;
}

static bool are_unchanged(struct record *r)
{
    if (r->source_count == 0 || r->source_count > SOURCES_MAX)
        return false;
    for (uint32_t i = 0; i < r->source_count; i++) {
        r->source[i].path[PATH_MAX - 1] = '\0';
        if (!is_unchanged(&r->source[i]))
            return false;
    }
    return true;
}

/* --- an evidence folder --------------------------------------------------------------------- */

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Every file of state/anchors, in order; how many files there are in the folder. */
static int each_of(struct command *c, const char *folder, const char *part, const char *option)
{
    struct dirent **entries;
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, part) >= (int)sizeof path)
        log_die("%s: the path is too long", part);
    int count = scandir(path, &entries, is_visible, alphasort);
    for (int i = 0; i < count; i++) {
        if (option) {
            argue(c, "%s", strcmp(entries[i]->d_name, NAME_KEYS) == 0 ? "--state" : option);
            argue(c, "%s/%s", path, entries[i]->d_name);
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return count;
}

static void argue_frames(struct command *c, const char *folder, struct record *r)
{
    if (r->is_live) {
        argue(c, "-R");
        argue(c, "%s/%s", folder, DIR_SEGMENTS);
        return;
    }
    if (!are_unchanged(r)) {
        log_line(LOG_NOTE,
                 "explain: the source is gone or changed; reading %s/%s, which has only what "
                 "findings cite",
                 DIR_SEGMENTS, NAME_EXTRACT);
        argue(c, "-r");
        argue(c, "%s/%s/%s", folder, DIR_SEGMENTS, NAME_EXTRACT);
        return;
    }
    for (uint32_t i = 0; i < r->source_count; i++) {
        argue(c, "-r");
        argue(c, "%s", r->source[i].path);
    }
    r->filter[FILTER_MAX - 1] = '\0';
    if (r->has_filter) {
        argue(c, "--filter");
        argue(c, "%s", r->filter);
    }
}

/* Options are words of a few characters; a taken-over reader gets no others through. */
static void argue_settings(struct command *c, const struct verify_offer *offer)
{
    for (uint32_t i = 0; i < offer->option_count && i < OFFERED_OPTIONS_MAX; i++) {
        const char *option = offer->option[i];
        if (!memchr(option, 0, OFFERED_NAME_MAX) ||
            strspn(option, "abcdefghijklmnopqrstuvwxyz0123456789-=,:.TZ") != strlen(option))
            log_die("the settings of the run are not ones that replay takes");
        argue(c, "%s", option);
    }
}

_Noreturn static void explain_folder(const char *folder, const char *question, bool json,
                                     struct record *r)
{
    struct command *c = calloc(1, sizeof *c);
    char path[PATH_MAX];
    struct reading g = {.record = r};
    if (c == NULL || strlen(folder) > PATH_MAX - 64)
        log_die("the path is too long, or no memory");
    snprintf(path, sizeof path, "%s/%s", folder, FILE_SETTINGS);
    g.settings = verify_map_must(path, EXIT_REFUSED);
    snprintf(path, sizeof path, "%s/%s", folder, FILE_LOG);
    g.log = verify_map_must(path, EXIT_REFUSED);
    run_confined(read_folder, &g);
    find_program(c);
    argue(c, "dnsbailiff");
    argue(c, "explain");
    if (json)
        argue(c, "--json");
    argue_frames(c, folder, r);
    each_of(c, folder, DIR_ANCHORS, "--trust-anchor");
    if (each_of(c, folder, DIR_BASELINE, NULL) > 0) {
        argue(c, "--baseline");
        argue(c, "%s/%s", folder, DIR_BASELINE);
    }
    argue_settings(c, &r->offer);
    argue(c, "--");
    argue(c, "%s", question);
    execute(c);
}

/* --- a bundle ------------------------------------------------------------------------------- */

static int explain_bundle(const char *path, const char *question, bool json, struct record *r)
{
    struct reading g = {.record = r, .bundle = verify_map_must(path, EXIT_REFUSED)};
    int status = 1;
    run_confined(read_bundle, &g);
    if (!r->is_sound)
        log_die("the bundle is not sound; dnsbailiff verify says why");
    r->offer.why[sizeof r->offer.why - 1] = '\0';
    if (r->offer.frames == ENCLOSED_NOTHING)
        log_die("nothing to explain from: %s", r->offer.why);
    const char *why =
        verify_replay_explain(g.bundle.bytes, g.bundle.size, &r->offer, question, json, &status);
    if (why)
        log_die("%s", why);
    return status;
}

/* --- the command line ----------------------------------------------------------------------- */

static bool names_captures(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strncmp(argv[i], "-r", 2) == 0 || strncmp(argv[i], "-R", 2) == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const char *folder = NULL;
    bool json = false;
    log_name("");
    close_range(FD_CONTROL, ~0u, 0);
    if (names_captures(argc - 1, argv + 1)) {
        struct command c = {.count = 0};
        find_program(&c);
        execv(c.program, argv);
        log_die("%s: %s", c.program, strerror(errno));
    }
    for (int got; (got = getopt_long(argc - 1, argv + 1, "l:h", options, NULL)) != -1;) {
        if (got == 'h') {
            print(STDOUT_FILENO, usage);
            return 0;
        }
        if (got != 'j' && (got != 'l' || folder))
            refuse();
        json |= got == 'j';
        folder = got == 'l' ? optarg : folder;
    }
    int words = argc - 1 - optind;
    if (words != (folder ? 1 : 2))
        refuse();
    struct record *r =
        mmap(NULL, sizeof *r, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r == MAP_FAILED)
        log_die("no memory: %s", strerror(errno));
    if (folder)
        explain_folder(folder, argv[1 + optind], json, r);
    return explain_bundle(argv[1 + optind], argv[2 + optind], json, r);
}
