/*
 * session: starts the processes, gives GO when all are confined, waits, and ends all when one
 * fails.
 *
 * Contained in: supervisor. Must never: read a frame, a message between processes, or a capture.
 */
#include "sandbox/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/condition.h"
#include "sandbox/confine.h"
#include "sandbox/control.h"
#include "sandbox/fds.h"
#include "sandbox/log.h"
#include "sandbox/progress.h"
#include "sandbox/relay.h"
#include "sandbox/spawn.h"
#include "sandbox/watch.h"
#include "sandbox/wires.h"

#define PROGRESS_MS 200

static const char *const names[PROCESS_COUNT] = {
#define X(name) [PROCESS_##name] = #name,
    PROCESSES(X)
#undef X
};

struct child {
    pid_t pid; /* 0: takes no part in this run */
    int control;
    struct relay log;
    bool ready, unconfined, done, ended, killed_by_us, forgiven;
    int wait_status;
};

struct run {
    const struct session *session;
    struct outcome outcome;
    struct child children[PROCESS_COUNT];
    struct wires wires;
    const struct progress *progress;
    struct progress_line line;
    struct watch watch;
    int signals;   /* signalfd */
    bool going;    /* GO was given */
    bool packing;  /* pack was given its GO */
    bool stopping; /* live: the operator asked for the end */
    int status;    /* of the run; 0 so far */
};

/* --- start ----------------------------------------------------------------------------------- */

static void start(struct run *r, enum process process)
{
    struct child *c = &r->children[process];
    int control[2], log[2];
    size_t room = WIRES_ROWS + r->session->sources.count;
    struct spawn_row *rows = calloc(room, sizeof *rows);
    if (!rows || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) ||
        pipe2(log, O_CLOEXEC))
        log_die("%s: %m", names[process]);
    size_t count = wires_rows(&r->wires, r->session, process, rows);
    rows[count++] = (struct spawn_row){FD_LOG, log[1]};
    rows[count++] = (struct spawn_row){FD_CONTROL, control[1]};
    size_t fixed = count;
    count += wires_sources(r->session, process, rows + count);
    struct spawn request = {.folder = r->session->programs,
                            .name = names[process],
                            .rows = rows,
                            .row_count = count,
                            .address_space = wires_address_space(r->session, process)};
    c->pid = spawn_start(&request);
    if (c->pid < 0)
        log_die("%s: cannot be started: %m", names[process]);
    watch_process(&r->watch, process, c->pid);
    for (size_t i = fixed; i < count; i++)
        if (!r->session->sources.items[rows[i].target - FD_SOURCES].stream)
            close(rows[i].fd);
    free(rows);
    close(control[1]);
    close(log[1]);
    c->control = files_keep(control[0]);
    int reading = files_keep(log[0]);
    fcntl(c->control, F_SETFL, O_NONBLOCK);
    fcntl(reading, F_SETFL, O_NONBLOCK);
    relay_init(&c->log, reading, names[process]);
}

bool session_keeps_history(const struct session *s)
{
    const struct options *o = s->options;
    bool stays = o->command == COMMAND_CAPTURE ||
                 (o->command == COMMAND_REPLAY && (o->evidence || o->bundle));
    return stays && o->settings.history;
}

static bool takes_part(const struct session *s, enum process process)
{
    const struct options *o = s->options;
    if (o->test) /* those that read what the operator wrote */
        return process == PROCESS_analyze || process == PROCESS_sign ||
               (process == PROCESS_capture && s->sources.count);
    switch (process) {
    case PROCESS_sign:
        return true;
    case PROCESS_pack:
        return o->bundle != NULL;
    case PROCESS_capture:
    case PROCESS_analyze:
    case PROCESS_store:
        return o->command != COMMAND_PACK;
    case PROCESS_history:
        return session_keeps_history(s);
    case PROCESS_digest:
        return o->command == COMMAND_REPLAY || o->command == COMMAND_EXPLAIN ||
               o->command == COMMAND_LEARN;
    default:
        return false;
    }
}

/* From here on the supervisor can start nothing more, and reaches only the folders of this run. */
static void confine_self(const struct session *s)
{
    const struct place *p = s->place;
    const struct spawn_row own[] = {{FD_EVIDENCE, p->evidence},
                                    {FD_BUNDLE_DIR, p->bundle_folder},
                                    {FD_SCRATCH, p->temporary ? p->evidence : -1},
                                    {FD_SCRATCH_PARENT, p->parent}};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        close(own[i].target); /* whatever a shell may have left there */
        if (own[i].fd >= 0 && dup3(own[i].fd, own[i].target, O_CLOEXEC) < 0)
            log_die("descriptors: %m");
    }
    confine(PROCESS_supervisor);
}

static void begin(struct run *r)
{
    sigset_t watched;
    sigemptyset(&watched);
    static const int all[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGUSR1};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        sigaddset(&watched, all[i]);
    sigprocmask(SIG_BLOCK, &watched, NULL);
    r->signals = files_keep(signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
    if (r->signals < 0)
        log_die("signalfd: %m");
    watch_init(&r->watch);
    r->progress = wires_make(r->session, &r->wires);
    for (int p = 0; p < PROCESS_COUNT; p++)
        if (takes_part(r->session, (enum process)p))
            start(r, (enum process)p);
    wires_close(&r->wires);
    for (size_t i = 0; i < r->session->sources.count; i++)
        close(r->session->sources.items[i].fd); /* digest must be the only reader of a stream */
    if (r->session->identity >= 0)
        close(r->session->identity);
    const struct options *o = r->session->options;
    progress_start(&r->line, !o->quiet && !o->test && r->progress);
    watch_process(&r->watch, PROCESS_supervisor, getpid());
    confine_self(r->session);
}

/* --- words and deaths ------------------------------------------------------------------------ */

static void clear_line(void *context)
{
    progress_clear(&((struct run *)context)->line);
}

static void say(struct child *c, enum control_word word)
{
    struct control_msg msg = {.word = (uint32_t)word};
    if (!c->pid || c->ended)
        return;
    ssize_t n = write(c->control, &msg, sizeof msg);
    (void)n; /* if it is gone, its death is on its way to us */
}

/* Ends every process that still runs. */
static void end_all(struct run *r)
{
    for (int p = 0; p < PROCESS_COUNT; p++) {
        struct child *c = &r->children[p];
        if (c->pid && !c->ended && !c->killed_by_us) {
            c->killed_by_us = true;
            kill(c->pid, SIGKILL);
        }
    }
}

/* The first failure decides the exit status. */
static void fail(struct run *r, int status)
{
    if (!r->status)
        r->status = status;
    end_all(r);
}

static void hear_done(struct run *r, enum process process, const struct control_msg *msg)
{
    struct outcome *out = &r->outcome;
    r->children[process].done = true;
    if (process == PROCESS_capture && msg->status == DONE_DAMAGED) {
        out->damaged = true;
        snprintf(out->damage, sizeof out->damage, "%s", msg->text);
    }
    if (process == PROCESS_analyze && msg->status == DONE_NOT_FOUND) {
        out->not_found = true;
        snprintf(out->nearest, sizeof out->nearest, "%s", msg->text);
    }
    if (process == PROCESS_store)
        out->worst_known = sscanf(msg->text, CONTROL_WORST, &out->worst) == 1;
}

/* --- how the sensor itself is ---------------------------------------------------------------- */

/* To analyze, who judges it. If it has no room now, it is told again: what lasts is repeated. */
static void pass_on(struct run *r, const struct condition *condition)
{
    const struct child *c = &r->children[PROCESS_analyze];
    struct control_msg msg;
    if (!r->going || !c->pid || c->ended || c->control < 0)
        return;
    condition_pack(condition, &msg);
    ssize_t n = write(c->control, &msg, sizeof msg);
    (void)n;
}

static void on_condition(void *context, const struct condition *condition)
{
    struct run *r = context;
    progress_clear(&r->line);
    if (condition->kind == CONDITION_WALLS && !condition->over)
        log_line(LOG_ERROR, "%s: confinement is not as the policy says: %s", condition->name,
                 condition->how);
    pass_on(r, condition);
}

/* Who was asked to trace refused system calls says so itself: its filter names and does not stop.
 */
static void tell_unconfined(struct run *r)
{
    for (int p = 0; p < PROCESS_COUNT; p++) {
        struct condition c = {.kind = CONDITION_WALLS};
        if (!r->children[p].pid || !r->children[p].unconfined)
            continue;
        snprintf(c.name, sizeof c.name, "%s", names[p]);
        snprintf(c.how, sizeof c.how, "refused system calls are named, not stopped (trace mode)");
        pass_on(r, &c);
    }
}

/* Of what a process says of the sensor only what it can know. */
static void hear_condition(struct run *r, enum process process, const struct control_msg *msg)
{
    struct condition c;
    if (process == PROCESS_store && condition_unpack(msg, &c) &&
        (c.kind == CONDITION_SPACE || c.kind == CONDITION_UNWRITTEN))
        pass_on(r, &c);
}

/* Takes every word that is there. */
static void hear(struct run *r, enum process process)
{
    struct child *c = &r->children[process];
    struct control_msg msg;
    while (c->control >= 0) {
        ssize_t n = read(c->control, &msg, sizeof msg);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n != (ssize_t)sizeof msg) { /* closed: its exit status will say why */
            close(c->control);
            c->control = -1;
            return;
        }
        if (msg.word == CONTROL_CONDITION) {
            hear_condition(r, process, &msg);
            continue;
        }
        msg.text[sizeof msg.text - 1] = '\0';
        progress_clear(&r->line);
        if (msg.word == CONTROL_READY) {
            c->ready = true;
            c->unconfined = msg.status != 0;
            if (msg.status)
                log_line(LOG_WARNING, "%s runs unconfined", names[process]);
        } else if (msg.word == CONTROL_DONE) {
            hear_done(r, process, &msg);
        } else if (msg.word == CONTROL_TEXT) {
            log_line(LOG_NOTE, "%s: %s", names[process], msg.text);
        }
    }
}

static bool failed(const struct child *c, enum process process)
{
    /* sign ends when nobody asks any more; all others have a last word */
    return !WIFEXITED(c->wait_status) || WEXITSTATUS(c->wait_status) != 0 ||
           (!c->done && process != PROCESS_sign);
}

/* How sure it is that a process failed by itself: one that lost its partner exits with an error,
 * but does not get killed and does not claim success. */
static int guilt(const struct child *c, enum process process)
{
    if (!c->pid || !c->ended || c->killed_by_us || c->forgiven || !failed(c, process))
        return 0;
    return WIFEXITED(c->wait_status) && WEXITSTATUS(c->wait_status) ? 1 : 2;
}

static int most_guilt(const struct run *r)
{
    int most = 0;
    for (int p = 0; p < PROCESS_COUNT; p++)
        if (guilt(&r->children[p], (enum process)p) > most)
            most = guilt(&r->children[p], (enum process)p);
    return most;
}

static void explain(const struct child *c, enum process process)
{
    int status = c->wait_status;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) {
        log_line(LOG_ERROR,
                 "%s was killed for a system call its policy refuses (DNSBAILIFF_CONFINE=trace "
                 "names it)",
                 names[process]);
    } else if (WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));
        log_line(LOG_ERROR, "%s was killed by signal %d (%s)", names[process], WTERMSIG(status),
                 name ? name : "?");
    } else if (WEXITSTATUS(status)) {
        log_line(LOG_ERROR, "%s failed (exit status %d)", names[process], WEXITSTATUS(status));
    } else {
        log_line(LOG_ERROR, "%s ended before it was done", names[process]);
    }
}

/* A capture does not end with its history, which is made of what is sealed anyway: analyze counts
 * what it cannot tell, store seals the rest. A replay is whole or has failed. */
static void forgive(struct run *r, enum process process)
{
    struct child *c = &r->children[process];
    struct condition condition = {.kind = CONDITION_HISTORY};
    if (process != PROCESS_history || r->session->options->command != COMMAND_CAPTURE ||
        !r->going || c->killed_by_us || !failed(c, process))
        return;
    c->forgiven = true;
    progress_clear(&r->line);
    explain(c, process);
    log_line(LOG_WARNING, "the capture goes on without its history (state/history.sqlite)");
    snprintf(condition.how, sizeof condition.how, "its process ended by %s %d",
             WIFSIGNALED(c->wait_status) ? "signal" : "itself, exit status",
             WIFSIGNALED(c->wait_status) ? WTERMSIG(c->wait_status) : WEXITSTATUS(c->wait_status));
    pass_on(r, &condition);
}

/* Takes the exit status and the last words of all that have ended. */
static void collect(struct run *r)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        for (int p = 0; p < PROCESS_COUNT; p++) {
            struct child *c = &r->children[p];
            if (c->pid != pid || c->ended)
                continue;
            c->ended = true;
            c->wait_status = status;
            watch_ended(&r->watch, (enum process)p);
            hear(r, (enum process)p);
            relay_pump(&c->log, clear_line, r);
            forgive(r, (enum process)p);
        }
    }
}

/* Ends the run when a process has failed. Its partners may be gone before it is: a moment's
 * patience puts the blame where it belongs. */
static void reap(struct run *r)
{
    collect(r);
    if (r->status || !most_guilt(r))
        return;
    for (int tries = 0; most_guilt(r) < 2 && tries < 5; tries++) {
        poll(NULL, 0, 20);
        collect(r);
    }
    int most = most_guilt(r), status = EXIT_FAILED;
    progress_clear(&r->line);
    for (int p = 0; p < PROCESS_COUNT; p++) {
        const struct child *c = &r->children[p];
        if (guilt(c, (enum process)p) != most)
            continue;
        if (WIFEXITED(c->wait_status) && WEXITSTATUS(c->wait_status) == EXIT_USAGE)
            status = EXIT_USAGE; /* it named the operator's mistake */
        else
            explain(c, (enum process)p);
    }
    const struct options *o = r->session->options;
    if (r->going || status != EXIT_USAGE)
        log_line(LOG_ERROR, "%s ends here%s",
                 o->command == COMMAND_REPLAY    ? "the replay"
                 : o->command == COMMAND_EXPLAIN ? "the explanation"
                 : o->command == COMMAND_LEARN   ? "learning"
                 : o->command == COMMAND_ACCEPT  ? "the acceptance"
                 : o->command == COMMAND_CAPTURE ? "the capture"
                                                 : "packing",
                 o->bundle ? " and leaves no bundle" : "");
    fail(r, status);
}

/* --- the loop -------------------------------------------------------------------------------- */

static bool all(const struct run *r, bool (*holds)(const struct child *))
{
    for (int p = 0; p < PROCESS_COUNT; p++)
        if (r->children[p].pid && !holds(&r->children[p]))
            return false;
    return true;
}

static bool is_ready(const struct child *c)
{
    return c->ready;
}

static bool is_ended(const struct child *c)
{
    return c->ended;
}

/* Gives GO when everyone is confined, and to pack when the evidence is complete. */
static void advance(struct run *r)
{
    if (!r->going && !r->status && all(r, is_ready)) {
        r->going = true;
        if (r->session->options->test) /* all is read and in order */
            end_all(r);
        for (int p = 0; p < PROCESS_COUNT && !r->session->options->test; p++)
            if (p != PROCESS_pack)
                say(&r->children[p], CONTROL_GO);
        tell_unconfined(r);
    }
    struct child *history = &r->children[PROCESS_history];
    if (history->pid && !history->ended && !history->killed_by_us &&
        r->children[PROCESS_store].ended && r->session->options->command == COMMAND_CAPTURE) {
        history->killed_by_us = true; /* it kept store waiting for too long */
        kill(history->pid, SIGKILL);
    }
    if (!r->going || r->packing || !r->children[PROCESS_pack].pid)
        return;
    static const enum process before[] = {PROCESS_capture, PROCESS_analyze, PROCESS_digest,
                                          PROCESS_history, PROCESS_store};
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++)
        if (r->children[before[i]].pid && !r->children[before[i]].ended)
            return;
    r->packing = true;
    say(&r->children[PROCESS_pack], CONTROL_GO);
}

static void interrupted(struct run *r, int number)
{
    progress_clear(&r->line);
    if (r->session->options->command == COMMAND_CAPTURE && !r->stopping && r->going) {
        r->stopping = true;
        say(&r->children[PROCESS_capture], CONTROL_STOP);
        return;
    }
    log_line(LOG_ERROR, "ended by %s%s", number == SIGINT ? "INT" : "TERM",
             r->session->options->bundle ? "; no bundle is left" : "");
    fail(r, EXIT_FAILED);
}

static void take_signals(struct run *r)
{
    struct signalfd_siginfo info;
    while (read(r->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        switch (info.ssi_signo) {
        case SIGINT:
        case SIGTERM:
            interrupted(r, (int)info.ssi_signo);
            break;
        case SIGHUP:
            if (r->session->options->command == COMMAND_CAPTURE && r->going)
                say(&r->children[PROCESS_store], CONTROL_ROTATE);
            else if (r->session->options->command != COMMAND_CAPTURE)
                interrupted(r, SIGTERM); /* the terminal was closed */
            break;
        case SIGUSR1:
            if (r->going)
                say(&r->children[PROCESS_analyze], CONTROL_STATS);
            break;
        default: /* SIGCHLD: reap() looks anyway */
            break;
        }
    }
}

/* Waits until somebody has something to say, and lets them. */
static void turn(struct run *r)
{
    struct pollfd p[1 + 2 * PROCESS_COUNT];
    p[0] = (struct pollfd){.fd = r->signals, .events = POLLIN};
    for (int i = 0; i < PROCESS_COUNT; i++) {
        struct child *c = &r->children[i];
        p[1 + 2 * i] = (struct pollfd){.fd = c->pid ? c->control : -1, .events = POLLIN};
        p[2 + 2 * i] = (struct pollfd){.fd = c->pid ? c->log.fd : -1, .events = POLLIN};
    }
    bool live = r->session->options->command == COMMAND_CAPTURE;
    int patience = r->line.on ? PROGRESS_MS : live && r->going ? WATCH_MS : -1;
    if (poll(p, sizeof p / sizeof p[0], patience) < 0 && errno != EINTR)
        log_die("poll: %m");
    for (int i = 0; i < PROCESS_COUNT; i++) {
        if (!r->children[i].pid)
            continue;
        hear(r, (enum process)i);
        relay_pump(&r->children[i].log, clear_line, r);
    }
    if (p[0].revents)
        take_signals(r);
    reap(r);
    advance(r);
    if (r->going && !r->status && !r->session->options->test)
        watch_look(&r->watch, live, on_condition, r);
    if (r->going && !r->packing && !r->status && r->progress)
        progress_show(&r->line, r->progress);
    else
        progress_clear(&r->line);
}

int session_run(const struct session *session, struct outcome *ret_outcome)
{
    struct run *r = calloc(1, sizeof *r);
    if (!r)
        log_die("out of memory");
    r->session = session;
    begin(r);
    while (!all(r, is_ended))
        turn(r);
    progress_clear(&r->line);
    int status = r->status;
    if (!status)
        *ret_outcome = r->outcome;
    free(r);
    return status;
}
