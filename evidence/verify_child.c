/*
 * verify_child: a child behind walls. Contained in: verify, explain, report, lookup. Must never: do
 * any of the work before the walls are up.
 */
#include "evidence/verify_child.h"

#include "sandbox/log.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define WATCH_MS 250

/* Returns when the child has ended, or cannot be watched. */
static void watch(const struct verify_child *c, pid_t child)
{
    struct pollfd ended = {.fd = pidfd_open(child, 0), .events = POLLIN};
    while (ended.fd >= 0 && poll(&ended, 1, WATCH_MS) == 0)
        c->watch(c->context);
    if (ended.fd >= 0)
        close(ended.fd);
}

bool verify_child_run(const struct verify_child *c, int *ret_signal)
{
    int status = 0;
    *c->is_complete = false;
    pid_t child = fork();
    if (child < 0)
        log_die("fork: %s", strerror(errno));
    if (child == 0) {
        /* What OpenSSL does once it does now: no configuration file, nothing at the end. */
        OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
        if (c->prepare)
            c->prepare();
        confine(c->process);
        c->work(c->context);
        *c->is_complete = true;
        _exit(0);
    }
    if (c->watch)
        watch(c, child);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            log_die("waitpid: %s", strerror(errno));
    if (ret_signal)
        *ret_signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 && *c->is_complete;
}

void verify_child_print(int fd, const char *text, size_t size, int status)
{
    while (size > 0) {
        ssize_t written = write(fd, text, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            exit(status);
        text += written;
        size -= (size_t)written;
    }
}
