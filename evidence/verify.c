/*
 * verify: the command. Opens what the user named, lets a confined child check it, prints the
 * report.
 *
 * Contained in: verify. The parent stays unconfined because it runs `replay` on what the bundle
 * encloses when verdicts are to be reproduced, and therefore must never parse a byte of the bundle:
 * it maps the file, forks, copies ranges that the child offers and prints text that the child
 * escaped. Everything that reads the bundle runs behind the walls of sandbox/policy_verify.c.
 */
#include "evidence/verify.h"

#include "evidence/verify_child.h"
#include "evidence/verify_compare.h"
#include "evidence/verify_feed.h"
#include "evidence/verify_map.h"
#include "evidence/verify_replay.h"
#include "evidence/verify_show.h"
#include "sandbox/fds.h"
#include "sandbox/log.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: dnsbailiff verify BUNDLE [--ca FILE] [--known-checkpoint FILE] [--at TIME]\n"
    "                                [--no-reproduce] [--json]\n"
    "\n"
    "Checks a bundle and prints PASS, FAIL, WARN or NOT-CHECKED for each check, with the reason.\n"
    "The last line is VERIFIED, INTEGRITY ONLY or FAILED.\n"
    "\n"
    "The findings are derived again from what is enclosed: from all segments of a capture, from\n"
    "the replayed files (replay --include-source), else from the frames that findings cite. Those\n"
    "that do not follow as they were sealed are listed.\n"
    "\n"
    "  --ca FILE                the authority that certified the identity (PEM); nothing else is\n"
    "                           trusted, not even the system's store\n"
    "  --known-checkpoint FILE  a checkpoint of the log that was kept outside\n"
    "  --at TIME                judge certificates at this time (default: when it was sealed)\n"
    "  --no-reproduce           do not derive the findings again\n"
    "  --json                   the report as JSON\n"
    "\n"
    "Exit status: 0 verified, 1 failed, 2 usage or unreadable, 3 integrity only (no --ca).\n";

struct arguments {
    const char *bundle, *ca, *known;
    int64_t at;
    bool json, reproduce;
};

/* What a confined child leaves behind; the parent believes none of it blindly. */
struct shared {
    bool is_complete;
    uint64_t hashed; /* bytes, while it goes on */
    struct verify_report report;
    struct verify_offer offer;
};

static void print(int fd, const char *text)
{
    verify_child_print(fd, text, strlen(text), VERIFY_RESULT_UNREADABLE);
}

/* "2026-11-22T08:30:34Z", "2026-11-22" or seconds since 1970. */
static bool parse_time(const char *text, int64_t *ret_seconds)
{
    static const char *const forms[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d", "%s"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct tm tm = {.tm_mday = 1};
        const char *end = strptime(text, forms[i], &tm);
        if (!end || *end)
            continue;
        *ret_seconds = i < 2 ? (int64_t)timegm(&tm) : (int64_t)strtoll(text, NULL, 10);
        return *ret_seconds > 0;
    }
    return false;
}

static void parse_arguments(int argc, char **argv, struct arguments *ret_arguments)
{
    enum { CA = 256, KNOWN, AT, JSON, NO_REPRODUCE, HELP };
    static const struct option options[] = {
        {"ca", required_argument, NULL, CA},
        {"known-checkpoint", required_argument, NULL, KNOWN},
        {"at", required_argument, NULL, AT},
        {"json", no_argument, NULL, JSON},
        {"no-reproduce", no_argument, NULL, NO_REPRODUCE},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0},
    };
    struct arguments a = {.reproduce = true};
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == CA)
            a.ca = optarg;
        else if (option == KNOWN)
            a.known = optarg;
        else if (option == JSON)
            a.json = true;
        else if (option == NO_REPRODUCE)
            a.reproduce = false;
        else if (option == HELP || option == 'h') {
            print(STDOUT_FILENO, usage);
            exit(0);
        } else if (option != AT || !parse_time(optarg, &a.at)) {
            if (option == AT)
                log_line(LOG_ERROR, "--at: not a time (RFC 3339, or seconds since 1970)");
            print(STDERR_FILENO, usage);
            exit(VERIFY_RESULT_UNREADABLE);
        }
    }
    if (optind != argc - 1) {
        print(STDERR_FILENO, usage);
        exit(VERIFY_RESULT_UNREADABLE);
    }
    a.bundle = argv[optind];
    *ret_arguments = a;
}

/* The seal is over the tar; around it anybody may put a compression, which says nothing. */
static void refuse_compressed(struct verify_map file)
{
    static const struct {
        const char *magic, *hint;
        size_t size;
    } known[] = {{"\x28\xb5\x2f\xfd", "zstd -d", 4},
                 {"\x1f\x8b", "gzip -d", 2},
                 {"\xfd"
                  "7zXZ",
                  "xz -d", 5}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (file.size >= known[i].size && memcmp(file.bytes, known[i].magic, known[i].size) == 0) {
            log_line(LOG_ERROR,
                     "the bundle is compressed: decompress it first (%s), the tar within "
                     "is what was sealed",
                     known[i].hint);
            exit(VERIFY_RESULT_UNREADABLE);
        }
}

/* Runs `work` in a child behind the walls. True if it came to its end. */
static bool run_confined(void (*work)(void *), void (*watch)(void *), void *context,
                         struct shared *shared)
{
    const struct verify_child child = {PROCESS_verify,       NULL, work, context,
                                       &shared->is_complete, watch};
    int signal;
    bool is_complete = verify_child_run(&child, &signal);
    if (signal)
        log_line(LOG_ERROR, "the confined checker was ended by signal %d", signal);
    return is_complete;
}

struct checking {
    struct verify_map bundle;
    struct verify_options options;
    struct shared *shared;
};

static void check(void *context)
{
    struct checking *c = context;
    (void)verify_bundle(c->bundle.bytes, c->bundle.size, &c->options, &c->shared->report);
}

/* How far it is; a bundle may be large. */
static void watch_check(void *context)
{
    const struct checking *c = context;
    const struct verify_feed progress = {.what = "checking the bundle",
                                         .done =
                                             __atomic_load_n(&c->shared->hashed, __ATOMIC_RELAXED),
                                         .total = c->bundle.size};
    verify_feed_show(&progress);
}

struct comparing {
    struct verify_map sealed;
    struct verify_replayed replayed;
    struct shared *shared;
};

static void compare(void *context)
{
    struct comparing *c = context;
    verify_compare_findings(c->sealed.bytes, c->sealed.size, &c->replayed, &c->shared->offer,
                            &c->shared->report);
}

/* The texts were escaped by the child; a child that was taken over must not reach the terminal. */
static void sanitise_text(char *text, size_t room)
{
    text[room - 1] = '\0';
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

static void sanitise(struct verify_report *r)
{
    for (size_t i = 0; i < VERIFY_CHECK_COUNT; i++) {
        sanitise_text(r->line[i].reason, sizeof r->line[i].reason);
        if ((unsigned)r->line[i].outcome > VERIFY_FAIL)
            r->line[i].outcome = VERIFY_FAIL;
    }
    sanitise_text(r->folder, sizeof r->folder);
    sanitise_text(r->identity, sizeof r->identity);
    sanitise_text(r->origin, sizeof r->origin);
    sanitise_text(r->log_root, sizeof r->log_root);
    for (size_t i = 0; i < VERIFY_APART_MAX; i++) {
        struct verify_apart *a = &r->apart[i];
        sanitise_text(a->id, sizeof a->id);
        sanitise_text(a->rule, sizeof a->rule);
        sanitise_text(a->zone, sizeof a->zone);
        sanitise_text(a->member, sizeof a->member);
        if ((unsigned)a->kind >= VERIFY_APART_KINDS)
            a->kind = VERIFY_CONTRARY;
    }
}

static void not_reproduced(struct shared *shared, const char *why)
{
    struct verify_line *line = &shared->report.line[VERIFY_VERDICTS];
    line->outcome = VERIFY_NOT_CHECKED;
    snprintf(line->reason, sizeof line->reason, "%s", why);
}

static void reproduce(struct verify_map bundle, struct shared *shared)
{
    struct verify_offer *offer = &shared->offer;
    const struct verify_offered *sealed = verify_offer_find(offer, BUNDLE_FINDINGS);
    sanitise_text(offer->why, sizeof offer->why);
    if (offer->frames == ENCLOSED_NOTHING || !sealed || sealed->offset > bundle.size ||
        sealed->size > bundle.size - sealed->offset) {
        not_reproduced(shared, offer->why);
        return;
    }
    struct comparing c = {
        .sealed = {.bytes = bundle.bytes + sealed->offset, .size = (size_t)sealed->size},
        .shared = shared,
    };
    const char *why = verify_replay_run(bundle.bytes, bundle.size, offer, &c.replayed);
    if (why) {
        not_reproduced(shared, why);
        return;
    }
    if (!run_confined(compare, NULL, &c, shared))
        not_reproduced(shared, "the comparison was ended");
    verify_replay_free(&c.replayed);
}

int main(int argc, char **argv)
{
    log_name("verify");
    /* Nothing inherited: FD_CONTROL would be taken for the supervisor's. */
    close_range(FD_CONTROL, ~0u, 0);
    struct arguments arguments;
    parse_arguments(argc, argv, &arguments);
    struct verify_map bundle = verify_map_must(arguments.bundle, VERIFY_RESULT_UNREADABLE);
    (void)madvise((void *)(uintptr_t)bundle.bytes, bundle.size, MADV_SEQUENTIAL);
    refuse_compressed(bundle);
    struct verify_map ca = {.bytes = NULL}, known = {.bytes = NULL};
    if (arguments.ca)
        ca = verify_map_must(arguments.ca, VERIFY_RESULT_UNREADABLE);
    if (arguments.known)
        known = verify_map_must(arguments.known, VERIFY_RESULT_UNREADABLE);
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        log_die("no memory: %s", strerror(errno));
    struct checking checking = {
        .bundle = bundle,
        .options = {.ca = ca.bytes,
                    .ca_size = ca.size,
                    .known_checkpoint = known.bytes,
                    .known_checkpoint_size = known.size,
                    .at = arguments.at,
                    .offer = &shared->offer,
                    .hashed = &shared->hashed},
        .shared = shared,
    };
    bool is_checked = run_confined(check, watch_check, &checking, shared);
    verify_feed_clear();
    if (!is_checked) {
        print(STDOUT_FILENO, "FAILED\n");
        return VERIFY_RESULT_FAILED;
    }
    bool anchored = arguments.ca != NULL;
    sanitise(&shared->report);
    if (verify_result_of(&shared->report, anchored) != VERIFY_RESULT_FAILED) {
        if (arguments.reproduce)
            reproduce(bundle, shared);
        else
            not_reproduced(shared, "not asked for (--no-reproduce)");
    }
    sanitise(&shared->report);
    enum verify_result result = verify_result_of(&shared->report, anchored);
    char *text = arguments.json ? verify_show_json(&shared->report, result)
                                : verify_show_text(&shared->report, result);
    if (!text)
        log_die("out of memory");
    print(STDOUT_FILENO, text);
    free(text);
    return (int)result;
}
