/*
 * sign_child: the real sign process without its walls, as a child of a test.
 *
 * Include once per test program. The child has FD_SIGN and an ephemeral identity; it exits 0 when
 * the socket is closed, 1 when it refuses a question.
 */
#ifndef TESTS_UNIT_SIGN_CHILD_H
#define TESTS_UNIT_SIGN_CHILD_H

#include "sandbox/confine.h"
#include "sandbox/control.h"
#include "sandbox/fds.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define main sign_main
int sign_main(void);
#include "evidence/sign.c"
#undef main

void confine(enum process process)
{
    (void)process;
}

void control_await_go(void) {}

void control_send(enum control_word word, uint32_t status, const char *text)
{
    (void)word, (void)status, (void)text;
}

struct sign_child {
    pid_t pid;
    int fd; /* ours */
};

static struct sign_child sign_child_start(void)
{
    struct sign_child c;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        log_die("socketpair: %m");
    c.fd = pair[0];
    c.pid = fork();
    if (c.pid == 0) {
        (void)close(pair[0]);
        (void)close(FD_IDENTITY);
        (void)dup2(pair[1], FD_SIGN);
        if (pair[1] != FD_SIGN)
            (void)close(pair[1]);
        int null = open("/dev/null", O_WRONLY);
        (void)dup2(null, STDERR_FILENO); /* what it refuses is expected */
        _exit(sign_main());
    }
    (void)close(pair[1]);
    return c;
}

/* Its exit status. */
static int sign_child_end(struct sign_child *c)
{
    int status;
    if (c->fd >= 0)
        (void)close(c->fd);
    if (waitpid(c->pid, &status, 0) != c->pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

#endif
