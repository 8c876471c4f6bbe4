/*
 * lookup: the command `history`. Opens what the user named, lets a confined child read it, prints
 * what the child wrote.
 *
 * Contained in: lookup. The parent must never parse a byte of what it opens; it hands on the
 * child's text, which is printable ASCII or made so. A bundle is read by the child only after every
 * check of evidence/verify.h that needs no outside authority was made, and refused if one failed.
 */
#include "analyze/name.h"
#include "analyze/types.h"
#include "evidence/format.h"
#include "evidence/verify.h"
#include "evidence/verify_child.h"
#include "evidence/verify_map.h"
#include "evidence/verify_pick.h"
#include "history/files.h"
#include "history/print.h"
#include "sandbox/fds.h"
#include "sandbox/log.h"
#include "sandbox/options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Longest listing; pages are taken as they are written to. */
#define TEXT_ROOM    ((size_t)1 << 28)
#define HEAP_MOST    ((int64_t)256 << 20)
#define EXIT_REFUSED 2

enum outcome { DONE, UNSOUND, NO_HISTORY, REFUSED };

struct shared { /* between the child and its parent */
    enum outcome outcome;
    bool is_complete, is_cut;
    char why[240];
    size_t size;
    char text[];
};

struct job {
    struct print_filter filter;
    struct print_source source;
    enum report_form form;
    bool is_bundle;
    const uint8_t *bundle;
    size_t bundle_size;
    struct files files;
    struct shared *shared;
    char name[NAME_TEXT_MAX], zone[NAME_TEXT_MAX], type[TYPES_TEXT];
};

static const char usage[] =
    "usage: dnsbailiff history -l DIR [OPTIONS]\n"
    "       dnsbailiff history BUNDLE [OPTIONS]\n"
    "\n"
    "Every distinct RRset, key and signature that was seen, with the first and the last time, how\n"
    "often, and from which servers.\n"
    "\n"
    "  -l DIR            an evidence folder, also while the sensor runs\n"
    "  BUNDLE            a bundle; one in which a check fails is refused. Whether its seal is by\n"
    "                    somebody you trust is for `dnsbailiff verify --ca` to say\n"
    "  --zone NAME       owners at or below this name\n"
    "  --name NAME       this owner\n"
    "  --type TYPE       RRsets of this type, as DNSKEY or TYPE65534\n"
    "  --since, --until TIME\n"
    "                    seen at some time in between: RFC 3339, a date, or seconds since 1970\n"
    "  --only TABLE      rrsets, signatures, keys, servers or runs\n"
    "  --json            one JSON object\n"
    "  --csv             one table (RFC 4180), the RRsets unless --only names another\n"
    "\n"
    "The same is in DIR/state/history.sqlite for the sqlite3 shell: the views rrsets, signatures,\n"
    "keys, servers and runs.\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 usage, or unreadable input.\n";

static void print(int fd, const char *text, size_t size)
{
    verify_child_print(fd, text, size, 1);
}

/* --- in the child --- */

/* SQLite reads a bundle's history where it is mapped: nothing is unpacked. */
static enum outcome open_bundle(struct job *job, sqlite3 **ret_db)
{
    static const struct verify_options options = {.ca = NULL};
    static struct verify_report report;
    struct verify_picked file = {BUNDLE_HISTORY, NULL, 0};
    if (verify_bundle(job->bundle, job->bundle_size, &options, &report) == VERIFY_RESULT_FAILED ||
        !verify_pick(job->bundle, job->bundle_size, &file, 1))
        return UNSOUND;
    if (file.bytes == NULL)
        return NO_HISTORY;
    /* Read-only and not freed: it is not written to, though the type says so. */
    unsigned char *bytes = (unsigned char *)(uintptr_t)file.bytes;
    if (sqlite3_open(":memory:", ret_db) != SQLITE_OK ||
        sqlite3_deserialize(*ret_db, "main", bytes, (sqlite3_int64)file.size,
                            (sqlite3_int64)file.size, SQLITE_DESERIALIZE_READONLY) != SQLITE_OK) {
        snprintf(job->shared->why, sizeof job->shared->why, "%s", sqlite3_errmsg(*ret_db));
        return REFUSED;
    }
    return DONE;
}

static enum outcome open_folder(struct job *job, sqlite3 **ret_db)
{
    if (files_init(&job->files) ||
        sqlite3_open_v2(FILES_DATABASE, ret_db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        snprintf(job->shared->why, sizeof job->shared->why, "cannot be opened");
        return REFUSED;
    }
    sqlite3_busy_timeout(*ret_db, 5000);
    return DONE;
}

static void work(void *context)
{
    struct job *job = context;
    struct shared *shared = job->shared;
    struct report_out out = {.bytes = shared->text, .room = TEXT_ROOM - sizeof *shared};
    sqlite3 *db = NULL;
    sqlite3_hard_heap_limit64(HEAP_MOST);
    enum outcome outcome = job->is_bundle ? open_bundle(job, &db) : open_folder(job, &db);
    if (outcome == DONE && print_history(db, &job->source, &job->filter, job->form, &out,
                                         shared->why, sizeof shared->why))
        outcome = REFUSED;
    shared->size = out.size;
    shared->is_cut = out.full;
    shared->outcome = outcome;
}

static void prepare(void)
{
    tzset();
    if (sqlite3_initialize() != SQLITE_OK)
        log_die("SQLite cannot be initialised");
}

static void run_confined(struct job *job)
{
    const struct verify_child child = {
        PROCESS_lookup, prepare, work, job, &job->shared->is_complete, NULL};
    if (!verify_child_run(&child, NULL))
        log_die("the confined reader did not come to its end");
}

/* --- in the parent --- */

/* -1: there is none; what is no plain file ends the process. */
static int open_plain(const char *path, bool needed)
{
    struct stat status;
    char shown[512];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 && !needed && errno == ENOENT)
        return -1;
    if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        log_line(LOG_ERROR, "%s: %s", log_escape(path, strlen(path), shown, sizeof shown),
                 fd < 0 ? strerror(errno) : "not a plain file");
        exit(EXIT_REFUSED);
    }
    return fd;
}

static int open_below(const char *folder, const char *name, bool needed)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        log_die("the path is too long");
    return open_plain(path, needed);
}

static void open_inputs(struct job *job)
{
    if (!job->is_bundle) {
        job->source.standing =
            "evidence folder: read as it is; pack it and verify the bundle before relying on it";
        close(open_below(job->source.name, FILE_LOG, true)); /* a folder without a log is none */
        job->files.database = open_below(job->source.name, FILE_HISTORY, false);
        job->files.journal = open_below(job->source.name, FILE_HISTORY SUFFIX_WAL, false);
        job->files.memory = open_below(job->source.name, FILE_HISTORY SUFFIX_SHM, false);
        if (job->files.database < 0)
            log_die("no history was kept: the run was made by an older program, with history: "
                    "false, or never began");
        /* A journal without its index is what a crash may leave: SQLite makes one in memory. */
        if (job->files.journal >= 0 && job->files.memory < 0)
            job->files.memory = memfd_create("history-index", MFD_CLOEXEC);
        return;
    }
    job->source.standing = "bundle: whole, sealed and consistent by itself; who sealed it was not "
                           "checked (dnsbailiff verify --ca FILE)";
    struct verify_map file = verify_map_must(job->source.name, EXIT_REFUSED);
    job->bundle = file.bytes;
    job->bundle_size = file.size;
}

/* --- the command line --- */

enum { ZONE = 256, NAME, TYPE, SINCE, UNTIL, ONLY };

static bool take_name(const char *text, char ret_text[NAME_TEXT_MAX], const char **ret_name)
{
    uint8_t name[NAME_MAX_BYTES];
    if (*ret_name || !name_parse(text, name))
        return false;
    *ret_name = name_text(name, ret_text);
    return true;
}

static bool take_type(struct job *job, const char *text)
{
    uint16_t type;
    if (job->filter.type || !types_rr_parse(text, &type))
        return false;
    snprintf(job->type, sizeof job->type, "%s", types_rr(type, job->type));
    job->filter.type = job->type;
    return true;
}

/* A time; a mere date is its midnight. */
static bool take_time(const char *text, int64_t *ret_ns)
{
    char moment[40];
    if (strlen(text) == 10 && text[4] == '-') {
        snprintf(moment, sizeof moment, "%sT00:00:00Z", text);
        text = moment;
    }
    return options_time(text, ret_ns) == 0;
}

static bool take_table(struct job *job, const char *text)
{
    static const struct {
        const char *name;
        enum print_table table;
    } words[] = {{"rrsets", PRINT_RRSETS},
                 {"signatures", PRINT_SIGNATURES},
                 {"keys", PRINT_KEYS},
                 {"servers", PRINT_SERVERS},
                 {"runs", PRINT_RUNS}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i].name) == 0)
            job->filter.table = words[i].table;
    return job->filter.table != PRINT_ALL;
}

static bool take_option(struct job *job, int option, const char *value)
{
    switch (option) {
    case 'j':
    case 'c':
        if (job->form != REPORT_TEXT)
            return false;
        job->form = option == 'j' ? REPORT_JSON : REPORT_CSV;
        return true;
    case 'l':
        job->is_bundle = false;
        if (job->source.name)
            return false;
        job->source.name = value;
        return true;
    case ZONE:
        return take_name(value, job->zone, &job->filter.zone);
    case NAME:
        return take_name(value, job->name, &job->filter.name);
    case TYPE:
        return take_type(job, value);
    case SINCE:
        return take_time(value, &job->filter.since_ns);
    case UNTIL:
        return take_time(value, &job->filter.until_ns);
    case ONLY:
        return take_table(job, value);
    default:
        return false;
    }
}

static void refuse(void)
{
    print(STDERR_FILENO, usage, sizeof usage - 1);
    exit(EXIT_REFUSED);
}

static void parse(struct job *job, int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},          {"csv", no_argument, NULL, 'c'},
        {"zone", required_argument, NULL, ZONE},   {"name", required_argument, NULL, NAME},
        {"type", required_argument, NULL, TYPE},   {"since", required_argument, NULL, SINCE},
        {"until", required_argument, NULL, UNTIL}, {"only", required_argument, NULL, ONLY},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    int at = 0;
    for (int got; (got = getopt_long(argc, argv, "l:h", options, &at)) != -1;) {
        if (got == 'h') {
            print(STDOUT_FILENO, usage, sizeof usage - 1);
            exit(0);
        }
        if (got == '?')
            refuse();
        if (take_option(job, got, optarg))
            continue;
        if (optarg == NULL || got == 'l')
            refuse();
        char shown[512];
        log_line(LOG_ERROR, "--%s %s: %s", options[at].name,
                 log_escape(optarg, strlen(optarg), shown, sizeof shown),
                 got == TYPE                    ? "no RR type, or given twice"
                 : got == ZONE || got == NAME   ? "no domain name, or given twice"
                 : got == SINCE || got == UNTIL ? "no time"
                                                : "no table");
        exit(EXIT_REFUSED);
    }
    if (argc - optind != (job->source.name ? 0 : 1))
        refuse();
    if (job->is_bundle)
        job->source.name = argv[optind];
}

/* A child that was taken over must not reach the terminal. */
static void sanitise(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] != '\n' && (text[i] < ' ' || text[i] > '~'))
            text[i] = '?';
}

int main(int argc, char **argv)
{
    static struct job job = {.is_bundle = true, .files = {-1, -1, -1}};
    log_name("");
    close_range(FD_CONTROL, ~0u, 0);
    job.filter.until_ns = INT64_MAX;
    parse(&job, argc, argv);
    job.shared = mmap(NULL, TEXT_ROOM, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (job.shared == MAP_FAILED)
        log_die("no memory: %s", strerror(errno));
    open_inputs(&job);
    run_confined(&job);
    struct shared *shared = job.shared;
    if (shared->size > TEXT_ROOM - sizeof *shared)
        log_die("the confined reader is not to be trusted");
    shared->why[sizeof shared->why - 1] = '\0';
    sanitise(shared->why, strlen(shared->why));
    if (shared->outcome == UNSOUND)
        log_die("the bundle is not sound; dnsbailiff verify says why");
    if (shared->outcome == NO_HISTORY)
        log_die("the bundle has no history");
    if (shared->outcome != DONE)
        log_die("history.sqlite %s", shared->why);
    sanitise(shared->text, shared->size);
    print(STDOUT_FILENO, shared->text, shared->size);
    if (shared->is_cut)
        log_die("the listing is too long: narrow it with --zone, --name, --type, --since, --until");
    return 0;
}
