/*
 * control: words between the supervisor and each process.
 *
 * Contained in: every process. Only read, write and poll: FD_CONTROL is a SOCK_SEQPACKET socket, so
 * a read is a whole word or nothing.
 */
#include "sandbox/control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sandbox/fds.h"
#include "sandbox/log.h"

/* A word, or 0 when none came within the timeout. */
static enum control_word receive(int timeout_ms, struct control_msg *ret_msg)
{
    struct pollfd p = {.fd = FD_CONTROL, .events = POLLIN};
    int n;
    do
        n = poll(&p, 1, timeout_ms);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return (enum control_word)0;
    ssize_t got;
    do
        got = read(FD_CONTROL, ret_msg, sizeof *ret_msg);
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof *ret_msg)
        log_die("control: the supervisor is gone");
    return (enum control_word)ret_msg->word;
}

void control_await_go(void)
{
    struct control_msg msg;
    enum control_word word = receive(-1, &msg);
    if (word != CONTROL_GO)
        log_die("control: word %d where GO was expected", (int)word);
}

void control_send(enum control_word word, uint32_t status, const char *text)
{
    struct control_msg msg;
    memset(&msg, 0, sizeof msg);
    msg.word = (uint32_t)word;
    msg.status = status;
    if (text)
        snprintf(msg.text, sizeof msg.text, "%s", text);
    control_write(&msg);
}

void control_write(const struct control_msg *msg)
{
    ssize_t n;
    do
        n = write(FD_CONTROL, msg, sizeof *msg);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof *msg)
        log_die("control: the supervisor is gone");
}

enum control_word control_poll(void)
{
    struct control_msg msg;
    return receive(0, &msg);
}

enum control_word control_poll_msg(struct control_msg *ret_msg)
{
    return receive(0, ret_msg);
}

struct progress *control_progress(void)
{
    void *map =
        mmap(NULL, sizeof(struct progress), PROT_READ | PROT_WRITE, MAP_SHARED, FD_PROGRESS, 0);
    if (map == MAP_FAILED)
        log_die("control: progress page: %m");
    return map;
}
