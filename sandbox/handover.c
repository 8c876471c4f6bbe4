/*
 * handover: SCM_RIGHTS, with a byte that says which places are filled.
 *
 * Contained in: store, history. Must never: keep a descriptor that the receiver does not expect.
 */
#include "sandbox/handover.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control { /* aligned as a header is */
    struct cmsghdr header;
    char bytes[CMSG_SPACE(HANDOVER_MAX * sizeof(int))];
};

int handover_give(int socket, const int *fds, size_t count)
{
    union control control;
    uint8_t filled = 0;
    int list[HANDOVER_MAX];
    size_t there = 0;
    for (size_t i = 0; i < count && i < HANDOVER_MAX; i++) {
        if (fds[i] < 0)
            continue;
        filled |= (uint8_t)(1u << i);
        list[there++] = fds[i];
    }
    struct iovec part = {&filled, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (there) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(there * sizeof *list);
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(there * sizeof *list);
        memcpy(CMSG_DATA(c), list, there * sizeof *list);
    }
    ssize_t n;
    do
        n = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == 1 ? 0 : n < 0 ? -errno : -EPROTO;
}

/* The descriptors of a message; how many. */
static size_t received(struct msghdr *message, int ret_list[HANDOVER_MAX])
{
    struct cmsghdr *c = CMSG_FIRSTHDR(message);
    if (c == NULL || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        return 0;
    size_t there = (c->cmsg_len - CMSG_LEN(0)) / sizeof *ret_list;
    there = there < HANDOVER_MAX ? there : HANDOVER_MAX;
    memcpy(ret_list, CMSG_DATA(c), there * sizeof *ret_list);
    return there;
}

int handover_take(int socket, int *ret_fds, size_t count)
{
    union control control;
    uint8_t filled = 0;
    int list[HANDOVER_MAX];
    struct iovec part = {&filled, 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t n;
    do
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    if (n == 0)
        return -EPIPE;
    size_t there = received(&message, list);
    bool expected = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 && count <= HANDOVER_MAX &&
                    (size_t)__builtin_popcount(filled) == there && filled >> count == 0;
    if (!expected) {
        for (size_t i = 0; i < there; i++)
            close(list[i]);
        return -EPROTO;
    }
    for (size_t i = 0, next = 0; i < count; i++)
        ret_fds[i] = filled >> i & 1 ? list[next++] : -1;
    return 0;
}
