/*
 * faults: makes every step of the confinement fail in both ways that a kernel can fail it; each
 * must end the process before it goes on. Linked with a confine.o built with -DCONFINE_FAULTS.
 *
 * Also confines a process without any privilege: a replay needs none.
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>

#include "sandbox/confine.h"
#include "sandbox/fds.h"
#include "sandbox/log.h"
#include "sandbox/policy.h"

static const char *const steps[] = {"no_new_privs", "capabilities", "limits",
                                    "dumpable",     "landlock",     "seccomp"};
static int passed, failed, skipped;

static bool privileged(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2];
    return syscall(SYS_capget, &header, sets) == 0 && sets[0].effective;
}

/* Confines itself with the fault; the exit status (0 = it believes it is confined), and what it
 * said. */
static int attempt(const char *fault, bool as_nobody, char *ret_said, size_t room)
{
    int ends[2], status;
    if (pipe(ends))
        abort();
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], FD_LOG);
        for (int fd = 3; fd < 20; fd++)
            close(fd);
        if (as_nobody && (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)))
            _exit(99);
        if (fault)
            setenv("DNSBAILIFF_CONFINE_FAULT", fault, 1);
        log_name("test");
        confine(PROCESS_analyze);
        _exit(0);
    }
    close(ends[1]);
    size_t at = 0;
    for (ssize_t n; at + 1 < room && (n = read(ends[0], ret_said + at, room - 1 - at)) > 0;)
        at += (size_t)n;
    ret_said[at] = '\0';
    close(ends[0]);
    if (waitpid(pid, &status, 0) != pid)
        abort();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static sem_t ready, go;

/* A helper thread: raises its own walls or not, waits until the process is confined, then makes a
 * call that the policy refuses. */
static void *helper(void *confined)
{
    if (confined)
        confine_thread();
    sem_post(&ready);
    sem_wait(&go);
    syscall(SYS_getppid);
    _exit(0); /* the filter did not reach this thread */
}

/* The exit status of a process that is confined while it has such a thread. */
static int with_thread(bool confined)
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t thread;
        dup2(open("/dev/null", O_WRONLY), FD_LOG);
        for (int fd = 3; fd < 20; fd++)
            close(fd);
        alarm(10);
        sem_init(&ready, 0, 0);
        sem_init(&go, 0, 0);
        if (pthread_create(&thread, NULL, helper, confined ? &ready : NULL))
            _exit(98);
        sem_wait(&ready);
        confine(PROCESS_analyze);
        sem_post(&go);
        pthread_join(thread, NULL);
    }
    if (waitpid(pid, &status, 0) != pid)
        abort();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void check(const char *what, bool good, int status, const char *said)
{
    if (good) {
        passed++;
        return;
    }
    failed++;
    printf("FAIL %s: status %d, said: %s\n", what, status, said);
}

int main(void)
{
    char said[2048], fault[64], expected[128];
    int status = attempt(NULL, false, said, sizeof said);
    check("no fault", status == 0 && !said[0], status, said);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        snprintf(fault, sizeof fault, "%s:refuse", steps[i]);
        snprintf(expected, sizeof expected, "confine: %s: Invalid argument", steps[i]);
        status = attempt(fault, false, said, sizeof said);
        check(fault, status == 1 && strstr(said, expected), status, said);

        snprintf(fault, sizeof fault, "%s:skip", steps[i]);
        snprintf(expected, sizeof expected, "confine: %s: the kernel accepted", steps[i]);
        if (strcmp(steps[i], "capabilities") == 0 && !privileged()) {
            printf("SKIP %s: there are no capabilities to keep by mistake\n", fault);
            skipped++;
            continue;
        }
        status = attempt(fault, false, said, sizeof said);
        check(fault, status == 1 && strstr(said, expected), status, said);
    }
    status = with_thread(false);
    check("a thread outside the walls", status == 1, status, "");
    status = with_thread(true);
    check("a thread inside the walls", status == -SIGSYS, status, "");
    if (geteuid() == 0) {
        status = attempt(NULL, true, said, sizeof said);
        check("without privilege", status == 0 && !said[0], status, said);
        status = attempt("landlock:skip", true, said, sizeof said);
        check("without privilege, landlock:skip", status == 1, status, said);
    } else {
        printf("SKIP as another user: needs root\n");
        skipped++;
    }
    printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed != 0;
}
