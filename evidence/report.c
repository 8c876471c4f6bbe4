/*
 * report: the commands inventory, timeline and scope. Opens what the user named, lets a confined
 * child read it, prints what the child wrote.
 *
 * Contained in: report. The parent must never parse a byte of what it maps; it hands on the child's
 * text, which is printable ASCII or made so. A bundle is read by the child only after every check
 * of evidence/verify.h that needs no outside authority was made, and refused if one failed.
 */
#include "evidence/report.h"

#include "evidence/format.h"
#include "evidence/verify.h"
#include "evidence/verify_child.h"
#include "evidence/verify_map.h"
#include "evidence/verify_pick.h"
#include "sandbox/fds.h"
#include "sandbox/log.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Longest report; pages are taken as they are written to. */
#define TEXT_ROOM    ((size_t)1 << 28)
#define EXIT_REFUSED 2

typedef void write_report(struct report_out *, const struct report_case *, enum report_form);

static const struct subcommand {
    const char *name;
    write_report *write;
    const char *what; /* text for --help */
} subcommands[] = {
    {"inventory", report_inventory,
     "The map that a crisis needs: of each zone its keys with what they signed, the DS at the\n"
     "parent, TTLs, NSEC or NSEC3, the least signature life, servers, verdicts, failures, and the\n"
     "objectives M1 to M6. What was not observed is said to be so.\n"},
    {"timeline", report_timeline,
     "What happened when, one line each with its frame: packets, keys and DS, findings as they\n"
     "opened, changed and closed, failures of zones and their recovery, what was lost.\n"},
    {"scope", report_scope,
     "For an incident: which keys are suspect and why, what they signed, what was changed and who\n"
     "received it, by when it is over, which case of recovery it is and what to do.\n"},
};

#define SUBCOMMANDS (sizeof subcommands / sizeof *subcommands)

struct shared { /* between the child and its parent */
    bool is_complete, is_sound, has_inventory;
    size_t size;
    bool is_cut;
    char text[];
};

struct job {
    const struct subcommand *command;
    enum report_form form;
    const char *name;
    bool is_bundle;
    struct report_bytes bundle;
    struct report_files files;
    unsigned columns;
    struct shared *shared;
};

static void print(int fd, const char *text, size_t size)
{
    verify_child_print(fd, text, size, 1);
}

static void put_usage(int fd, const struct subcommand *s)
{
    char text[2048];
    int size = snprintf(text, sizeof text,
                        "usage: dnsbailiff %s -l DIR [--json%s]\n"
                        "       dnsbailiff %s BUNDLE [--json%s]\n"
                        "\n%s\n"
                        "  -l DIR    an evidence folder, also while the sensor runs\n"
                        "  BUNDLE    a bundle; one in which a check fails is refused. Whether its "
                        "seal is by\n"
                        "            somebody you trust is for `dnsbailiff verify --ca` to say\n"
                        "  --json    one JSON object\n"
                        "%s"
                        "\nExit status: 0 done, 1 failed, 2 usage, or unreadable input.\n",
                        s->name, s->write == report_scope ? "" : "|--csv", s->name,
                        s->write == report_scope ? "" : "|--csv", s->what,
                        s->write == report_scope ? "" : "  --csv     one table (RFC 4180)\n");
    print(fd, text, size > 0 ? (size_t)size : 0);
}

/* --- in the child ------------------------------------------------------------------------------
 */

static bool read_bundle(struct job *job)
{
    static const struct verify_options options = {.ca = NULL};
    static struct verify_report report;
    struct verify_picked file[] = {{BUNDLE_INVENTORY, NULL, 0},
                                   {BUNDLE_FINDINGS, NULL, 0},
                                   {BUNDLE_EVE, NULL, 0},
                                   {BUNDLE_LOG, NULL, 0}};
    if (verify_bundle(job->bundle.bytes, job->bundle.size, &options, &report) ==
            VERIFY_RESULT_FAILED ||
        !verify_pick(job->bundle.bytes, job->bundle.size, file, sizeof file / sizeof *file))
        return false;
    job->files.inventory = (struct report_bytes){file[0].bytes, file[0].size};
    job->files.findings = (struct report_bytes){file[1].bytes, file[1].size};
    job->files.eve = (struct report_bytes){file[2].bytes, file[2].size};
    job->files.log = (struct report_bytes){file[3].bytes, file[3].size};
    return true;
}

static void work(void *context)
{
    struct job *job = context;
    struct report_case c;
    struct shared *shared = job->shared;
    struct report_out out = {
        .bytes = shared->text, .room = TEXT_ROOM - sizeof *shared, .columns = job->columns};
    shared->is_sound = !job->is_bundle || read_bundle(job);
    shared->has_inventory = job->files.inventory.bytes != NULL;
    if (shared->is_sound && shared->has_inventory) {
        bool read = report_case_read(&c, &job->files);
        if (read)
            job->command->write(&out, &c, job->form);
        report_case_fini(&c);
        shared->is_cut = !read || out.full;
    }
    shared->size = out.size;
}

static void run_confined(struct job *job)
{
    const struct verify_child child = {
        PROCESS_verify, tzset, work, job, &job->shared->is_complete, NULL};
    if (!verify_child_run(&child, NULL))
        log_die("the confined reader did not come to its end");
}

/* --- in the parent -----------------------------------------------------------------------------
 */

/* Maps a file without reading it; `needed` ends the process if there is none. */
static struct report_bytes map_file(const char *path)
{
    struct verify_map file = verify_map_must(path, EXIT_REFUSED);
    return (struct report_bytes){file.bytes, file.size};
}

static struct report_bytes map_below(const char *folder, const char *name, bool needed)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        log_die("the path is too long");
    if (!needed && access(path, F_OK) != 0)
        return (struct report_bytes){NULL, 0};
    return map_file(path);
}

static void open_inputs(struct job *job)
{
    job->files.name = job->name;
    if (job->is_bundle) {
        job->bundle = map_file(job->name);
        job->files.standing =
            "bundle: whole, sealed and consistent by itself; who sealed it was not checked "
            "(dnsbailiff verify --ca FILE)";
        return;
    }
    job->files.standing =
        "evidence folder: read as it is; pack it and verify the bundle before relying on it";
    job->files.log = map_below(job->name, FILE_LOG, true);
    job->files.inventory = map_below(job->name, FILE_INVENTORY, false);
    job->files.findings = map_below(job->name, FILE_FINDINGS, false);
    job->files.eve = map_below(job->name, FILE_EVE, false);
}

/* A child that was taken over must not reach the terminal. */
static void sanitise(struct shared *shared)
{
    for (size_t i = 0; i < shared->size; i++)
        if (shared->text[i] != '\n' && (shared->text[i] < ' ' || shared->text[i] > '~'))
            shared->text[i] = '?';
}

static struct job parse(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"csv", no_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct job job = {.form = REPORT_TEXT, .is_bundle = true};
    for (size_t i = 0; argc > 1 && i < SUBCOMMANDS; i++)
        if (strcmp(argv[1], subcommands[i].name) == 0)
            job.command = &subcommands[i];
    if (job.command == NULL)
        log_die("called by a name that is none of its commands");
    bool wrong = false;
    for (int got; (got = getopt_long(argc - 1, argv + 1, "l:h", options, NULL)) != -1;) {
        if (got == 'h') {
            put_usage(STDOUT_FILENO, job.command);
            exit(0);
        }
        wrong |= got == '?' || (got == 'l' && job.name) ||
                 ((got == 'j' || got == 'c') && job.form != REPORT_TEXT) ||
                 (got == 'c' && job.command->write == report_scope);
        if (got == 'j' || got == 'c')
            job.form = got == 'j' ? REPORT_JSON : REPORT_CSV;
        if (got == 'l') {
            job.name = optarg;
            job.is_bundle = false;
        }
    }
    int words = argc - 1 - optind;
    if (wrong || words != (job.name ? 0 : 1)) {
        put_usage(STDERR_FILENO, job.command);
        exit(EXIT_REFUSED);
    }
    if (job.is_bundle)
        job.name = argv[1 + optind];
    return job;
}

/* Of a terminal narrower than what the tables take; wider text is no easier to read. */
static unsigned columns_of(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_col > REPORT_COLUMNS)
        return REPORT_COLUMNS;
    return size.ws_col < REPORT_COLUMNS_MIN ? REPORT_COLUMNS_MIN : size.ws_col;
}

int main(int argc, char **argv)
{
    log_name("");
    close_range(FD_CONTROL, ~0u, 0);
    struct job job = parse(argc, argv);
    job.shared = mmap(NULL, TEXT_ROOM, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (job.shared == MAP_FAILED)
        log_die("no memory: %s", strerror(errno));
    job.columns = columns_of(STDOUT_FILENO);
    open_inputs(&job);
    run_confined(&job);
    struct shared *shared = job.shared;
    if (!shared->is_sound)
        log_die("the bundle is not sound; dnsbailiff verify says why");
    if (!shared->has_inventory)
        log_die("no inventory was recorded: the run was made by an older program, or never began");
    if (shared->size > TEXT_ROOM - sizeof *shared)
        log_die("the confined reader is not to be trusted");
    sanitise(shared);
    print(STDOUT_FILENO, shared->text, shared->size);
    if (shared->is_cut)
        log_die("the report is too long, or memory ran out: it is not complete");
    return 0;
}
