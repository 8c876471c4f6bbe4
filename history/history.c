/*
 * history: the process that keeps what was ever seen: every RRset, key and signature, when, how
 * often and from whom, in state/history.sqlite.
 *
 * Contained in: libexec/dnsbailiff/history. It is told what is new by analyze, which never waits
 * for it; its files it gets from store, and it can open none. When it is done store seals the
 * database. Its end does not end a capture: the frames are what is kept for certain, and a history
 * can be made of them again.
 *
 * Must never: be waited for by the process that parses packets.
 */
#include "analyze/types.h"
#include "history/database.h"
#include "history/files.h"
#include "sandbox/channel.h"
#include "sandbox/confine.h"
#include "sandbox/control.h"
#include "sandbox/fds.h"
#include "sandbox/handover.h"
#include "sandbox/inputs.h"
#include "sandbox/log.h"
#include "sandbox/settings.h"

#include <errno.h>
#include <openssl/evp.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* What is taken is shown to readers after so long, or so much. */
#define SHOW_MS      1000
#define SHOW_BYTES   ((size_t)8 << 20)
#define COPY_BYTES   ((size_t)1 << 20)
#define SOURCES_ROOM 4096
#define NICE         10 /* it runs when nobody else wants to */
/* In the database header: file format versions for writing and reading, 1: no WAL is needed. */
#define FORMAT_AT 18

enum { OWN_DATABASE, OWN_JOURNAL, OWN_MEMORY, EARLIER_DATABASE, EARLIER_JOURNAL, FILES };

struct history {
    struct inputs *inputs;
    struct channel *from_analyze;
    struct database *database;
    int fd[FILES];
    bool waited; /* a reader in the way was named */
};

static int64_t now_ns(clockid_t clock)
{
    struct timespec t;
    if (clock_gettime(clock, &t) != 0)
        log_die("history: clock: %m");
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* --- beginning --- */

/* Libraries load what they need on first use, which the filter would refuse. */
static void warm_up(void)
{
    static const uint8_t dnskey[] = {1, 0, 3, 13, 0};
    uint8_t digest[EVP_MAX_MD_SIZE];
    char text[64];
    if (!EVP_Digest("", 0, digest, NULL, EVP_sha256(), NULL) ||
        sqlite3_config(SQLITE_CONFIG_SINGLETHREAD) != SQLITE_OK ||
        sqlite3_initialize() != SQLITE_OK)
        log_die("history: SHA-256 or SQLite is not available");
    types_rdata_text(48, dnskey, sizeof dnskey, text, sizeof text);
    tzset();
}

static void copy_file(int from, int to)
{
    static char bytes[COPY_BYTES];
    off_t at = 0;
    for (ssize_t n; from >= 0 && (n = pread(from, bytes, sizeof bytes, at)) != 0; at += n) {
        if (n < 0)
            log_die("history: the earlier one: %m");
        for (ssize_t done = 0, m; done < n; done += m)
            if ((m = pwrite(to, bytes + done, (size_t)(n - done), at + done)) <= 0)
                log_die("history: %m");
    }
}

/* What was replayed or listened to, a name a line. */
static void list_sources(const struct inputs *inputs, bool live, char ret_text[SOURCES_ROOM])
{
    struct input in;
    size_t used = 0;
    ret_text[0] = '\0';
    for (size_t at = 0; inputs_next(inputs, live ? INPUT_INTERFACE : INPUT_SOURCE, &at, &in);) {
        char shown[1024];
        log_escape(in.name, strlen(in.name), shown, sizeof shown);
        int n = snprintf(ret_text + used, SOURCES_ROOM - used, "%s%s", used ? "\n" : "", shown);
        if (n < 0 || (size_t)n >= SOURCES_ROOM - used)
            break; /* the log names them all */
        used += (size_t)n;
    }
}

static int open_database(struct history *h, char *ret_why, size_t room)
{
    char sources[SOURCES_ROOM], sensor[sizeof((struct settings *)0)->sensor + 1];
    const struct settings *s = inputs_settings(h->inputs);
    snprintf(sensor, sizeof sensor, "%.*s", (int)sizeof s->sensor, s->sensor);
    list_sources(h->inputs, s->live, sources);
    struct database_run run = {.kind = s->live ? "capture" : "replay",
                               .sensor = sensor,
                               .software = "dnsbailiff " DNSBAILIFF_VERSION,
                               .sources = sources,
                               .began_ns = now_ns(CLOCK_REALTIME),
                               .most_bytes = s->history_bytes};
    return database_open(&run, &h->database, ret_why, room);
}

/* The earlier history is continued in a copy; one that is damaged stays where it is. */
static void begin(struct history *h)
{
    char why[240];
    copy_file(h->fd[EARLIER_DATABASE], h->fd[OWN_DATABASE]);
    copy_file(h->fd[EARLIER_JOURNAL], h->fd[OWN_JOURNAL]);
    int error = open_database(h, why, sizeof why);
    if (error == DATABASE_DAMAGED) {
        log_line(LOG_WARNING, "history: the earlier run's is not continued, a new one begins: %s",
                 why);
        for (int i = OWN_DATABASE; i <= OWN_MEMORY; i++)
            if (ftruncate(h->fd[i], 0))
                log_die("history: %m");
        error = open_database(h, why, sizeof why);
    }
    if (error)
        log_die("history: %s", why);
    for (int i = EARLIER_DATABASE; i < FILES; i++)
        if (h->fd[i] >= 0)
            close(h->fd[i]);
}

/* --- the run --- */

static void check(struct history *h, int error)
{
    if (error < 0)
        log_die("history: given up: %s", database_why(h->database));
}

static void pause_for_reader(struct history *h)
{
    if (!h->waited)
        log_line(LOG_WARNING, "history: waits for somebody who has been reading it for long");
    h->waited = true;
    poll(NULL, 0, SHOW_MS);
}

static void show(struct history *h)
{
    check(h, database_commit(h->database));
    while (database_congested(h->database))
        pause_for_reader(h);
}

/* Waits for words of analyze or the supervisor; true when what was taken is due to be shown. */
static bool wait_until(int64_t due_ns)
{
    struct pollfd p[2] = {{.fd = FD_HISTORY, .events = POLLIN},
                          {.fd = FD_CONTROL, .events = POLLIN}};
    int64_t left = due_ns == INT64_MAX ? -1 : (due_ns - now_ns(CLOCK_MONOTONIC)) / 1000000 + 1;
    if (left == -1 || left > 0)
        if (poll(p, 2, (int)(left < SHOW_MS ? left : SHOW_MS)) < 0 && errno != EINTR)
            log_die("history: poll: %m");
    if (p[1].revents)
        control_poll(); /* ends the process when the supervisor is gone */
    return due_ns != INT64_MAX && now_ns(CLOCK_MONOTONIC) >= due_ns;
}

static struct msg_history_end run(struct history *h)
{
    enum message_type type;
    const uint8_t *bytes;
    size_t size;
    struct msg_history_end end;
    int64_t due = INT64_MAX;
    for (;;) {
        int got = channel_receive(h->from_analyze, false, &type, &bytes, &size);
        if (got == 0)
            log_die("history: analyze ended before it was done");
        if (got < 0) {
            if (wait_until(due)) {
                show(h);
                due = INT64_MAX;
            }
            continue;
        }
        if (type == MSG_HISTORY_END && size == sizeof end)
            break;
        if (type != MSG_HISTORY)
            log_die("history: analyze sent message %d of %zu bytes", (int)type, size);
        check(h, database_take(h->database, bytes, size));
        if (due == INT64_MAX)
            due = now_ns(CLOCK_MONOTONIC) + (int64_t)SHOW_MS * 1000000;
        if (database_pending(h->database) >= SHOW_BYTES) {
            show(h);
            due = INT64_MAX;
        }
    }
    memcpy(&end, bytes, sizeof end);
    return end;
}

/* --- the end --- */

/* A database that is sealed must not ask for a journal beside it: readers of a read-only copy could
 * not make one. */
static void need_no_journal(int fd)
{
    static const uint8_t plain[2] = {1, 1};
    if (pwrite(fd, plain, sizeof plain, FORMAT_AT) != sizeof plain || fsync(fd))
        log_die("history: %m");
}

static void finish(struct history *h, const struct msg_history_end *end)
{
    static const uint8_t whole = 1;
    const struct settings *s = inputs_settings(h->inputs);
    for (int got; (got = database_finish(h->database, end)) != 0;) {
        check(h, got);
        pause_for_reader(h);
    }
    uint64_t not_written = database_not_written(h->database);
    database_close(h->database);
    need_no_journal(h->fd[OWN_DATABASE]);
    if (not_written)
        log_line(LOG_WARNING,
                 "history: %llu times something that is not in it was seen and found no room: "
                 "history-bytes is %llu",
                 (unsigned long long)not_written, (unsigned long long)s->history_bytes);
    if (end->lost)
        log_line(LOG_WARNING, "history: %llu tellings came too fast and are not in it",
                 (unsigned long long)end->lost);
    if (write(FD_HANDOVER, &whole, 1) != 1)
        log_die("history: store is gone: %m");
}

int main(void)
{
    static struct history h;
    struct files files;
    log_name("history");
    (void)signal(SIGPIPE, SIG_IGN);
    (void)setpriority(PRIO_PROCESS, 0, NICE); /* if not, it is only less polite */
    h.inputs = inputs_open(FD_INPUTS);
    h.from_analyze = channel_new(FD_HISTORY);
    if (h.from_analyze == NULL)
        log_die("history: no memory");
    warm_up();
    confine(PROCESS_history);
    control_await_go();

    int error = handover_take(FD_HANDOVER, h.fd, FILES);
    if (error || h.fd[OWN_DATABASE] < 0 || h.fd[OWN_JOURNAL] < 0 || h.fd[OWN_MEMORY] < 0)
        log_die("history: no files: %s", strerror(-error));
    files = (struct files){h.fd[OWN_DATABASE], h.fd[OWN_JOURNAL], h.fd[OWN_MEMORY]};
    if (files_init(&files))
        log_die("history: SQLite cannot be held to its files");
    begin(&h);
    struct msg_history_end end = run(&h);
    finish(&h, &end);
    channel_free(h.from_analyze);
    control_send(CONTROL_DONE, DONE_OK, NULL);
    return 0;
}
