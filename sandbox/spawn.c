/*
 * spawn: fork, arrange descriptors, exec.
 *
 * Contained in: supervisor. Must never: let a descriptor through that the table does not name.
 */
#include "sandbox/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sandbox/log.h"

/* The child's whole environment: fixed, but for what development needs. */
static const char *const passed_on[] = {
    "DNSBAILIFF_CONFINE",
#ifdef CONFINE_FAULTS
    "DNSBAILIFF_CONFINE_FAULT",
#endif
#ifdef DNSBAILIFF_SANITIZED
    "ASAN_OPTIONS",
    "UBSAN_OPTIONS",
#endif
};

#define PASSED (sizeof passed_on / sizeof passed_on[0])

static void environment(char *ret_list[PASSED + 3])
{
    static char locale[] = "LC_ALL=C", zone[] = "TZ=UTC0";
    size_t at = 0;
    ret_list[at++] = locale;
    ret_list[at++] = zone;
    for (size_t i = 0; i < PASSED; i++) {
        const char *value = getenv(passed_on[i]);
        char *entry = NULL;
        if (value && asprintf(&entry, "%s=%s", passed_on[i], value) >= 0)
            ret_list[at++] = entry;
    }
    ret_list[at] = NULL;
}

/* INT, TERM, HUP and USR1 are the supervisor's to interpret; it passes words on. */
static void signals(void)
{
    static const int ignored[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE};
    sigset_t none;
    sigemptyset(&none);
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        signal(ignored[i], SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool in_table(const struct spawn *s, int number)
{
    for (size_t i = 0; i < s->row_count; i++)
        if (s->rows[i].target == number && s->rows[i].fd >= 0)
            return true;
    return false;
}

/* All rows move up first, out of the way of each other's targets, then to their places; what the
 * table does not name is closed. */
static void descriptors(const struct spawn *s)
{
    int highest = 2, null = open("/dev/null", O_RDWR);
    int *parked = calloc(s->row_count + 1, sizeof *parked);
    if (null < 0 || !parked)
        log_die("spawn: %m");
    for (size_t i = 0; i < s->row_count; i++)
        if (s->rows[i].fd >= 0 && s->rows[i].target > highest)
            highest = s->rows[i].target;
    null = fcntl(null, F_DUPFD_CLOEXEC, highest + 1);
    for (size_t i = 0; i < s->row_count; i++)
        if (s->rows[i].fd >= 0 &&
            (parked[i] = fcntl(s->rows[i].fd, F_DUPFD_CLOEXEC, highest + 1)) < 0)
            log_die("spawn: descriptor %d: %m", s->rows[i].target);
    for (int standard = 0; standard < 2; standard++)
        if (dup2(null, standard) < 0)
            log_die("spawn: /dev/null: %m");
    for (size_t i = 0; i < s->row_count; i++)
        if (s->rows[i].fd >= 0 && dup2(parked[i], s->rows[i].target) < 0)
            log_die("spawn: descriptor %d: %m", s->rows[i].target);
    for (int number = 3; number <= highest; number++)
        if (!in_table(s, number))
            close(number);
    if (close_range((unsigned)highest + 1, ~0u, 0))
        log_die("spawn: close_range: %m");
    free(parked);
}

__attribute__((noreturn)) static void become(const struct spawn *s, const char *path, pid_t parent)
{
    char *list[PASSED + 3];
    char argument[32];
    char *arguments[] = {argument, NULL};
    snprintf(argument, sizeof argument, "dnsbailiff-%s", s->name);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    setpgid(0, 0);
    environment(list);
    signals();
    descriptors(s);
    if (s->address_space) {
        struct rlimit limit = {s->address_space, s->address_space};
        if (setrlimit(RLIMIT_AS, &limit))
            log_die("%s: RLIMIT_AS: %m", s->name);
    }
    execve(path, arguments, list);
    log_line(LOG_ERROR, "%s: %m", path);
    _exit(127);
}

pid_t spawn_start(const struct spawn *s)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", s->folder, s->name) < 0)
        return -1;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        become(s, path, parent);
    int saved = errno;
    free(path);
    errno = saved;
    return pid;
}
