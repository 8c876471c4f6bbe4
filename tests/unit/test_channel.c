/*
 * test_channel: messages arrive whole and in order, however the bytes are cut; what is malformed
 * ends the receiver.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/channel.h"
#include "sandbox/fds.h"
#include "sandbox/handover.h"

static const size_t sizes[] = {
    0, 1, 7, 8, 9, 100, 65535, 65536, 65537, 1000000, CHANNEL_MESSAGE_MAX, 3, CHANNEL_MESSAGE_MAX,
    0};

#define SIZES (sizeof sizes / sizeof sizes[0])

static int status_of(pid_t pid)
{
    int status;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void send_all(int fd)
{
    struct channel *c = channel_new(fd);
    uint8_t *bytes = malloc(CHANNEL_MESSAGE_MAX);
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < SIZES; i++) {
            size_t head = sizes[i] / 3;
            memset(bytes, (int)i + round, sizes[i]);
            channel_send(c, MSG_EVENT, bytes, head, bytes, sizes[i] - head);
        }
    channel_flush(c);
    channel_free(c);
    free(bytes);
}

static void receive_all(int fd)
{
    struct channel *c = channel_new(fd);
    enum message_type type;
    const uint8_t *bytes;
    size_t size;
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < SIZES; i++) {
            assert_int_equal(channel_receive(c, true, &type, &bytes, &size), 1);
            assert_int_equal(type, MSG_EVENT);
            assert_int_equal(size, sizes[i]);
            assert_int_equal((uintptr_t)bytes % 8, 0);
            for (size_t at = 0; at < size; at++)
                if (bytes[at] != (uint8_t)((int)i + round))
                    fail_msg("byte %zu of message %zu", at, i);
        }
    assert_int_equal(channel_receive(c, true, &type, &bytes, &size), 0);
    channel_free(c);
}

static void run(int not_blocking)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    if (not_blocking)
        for (int i = 0; i < 2; i++)
            fcntl(pair[i], F_SETFL, O_NONBLOCK);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(30);
        close(pair[0]);
        send_all(pair[1]);
        _exit(0);
    }
    close(pair[1]);
    receive_all(pair[0]);
    assert_int_equal(status_of(pid), 0);
    close(pair[0]);
}

static void test_blocking(void **state)
{
    (void)state;
    run(0);
}

static void test_not_blocking(void **state)
{
    (void)state;
    run(1);
}

/* Byte by byte: not whole, not whole, …, whole. */
static void test_dribble(void **state)
{
    (void)state;
    const uint8_t wire[] = {MSG_REPORT, 0, 0, 0, 3, 0, 0, 0, 'a', 'b', 'c', 0, 0, 0, 0, 0};
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct channel *c = channel_new(pair[0]);
    enum message_type type;
    const uint8_t *bytes;
    size_t size;
    for (size_t i = 0; i < sizeof wire; i++) {
        assert_int_equal(channel_receive(c, false, &type, &bytes, &size), -1);
        assert_int_equal(write(pair[1], wire + i, 1), 1);
    }
    assert_int_equal(channel_receive(c, false, &type, &bytes, &size), 1);
    assert_int_equal(type, MSG_REPORT);
    assert_int_equal(size, 3);
    assert_memory_equal(bytes, "abc", 3);
    assert_int_equal(channel_receive(c, false, &type, &bytes, &size), -1);
    close(pair[1]);
    assert_int_equal(channel_receive(c, false, &type, &bytes, &size), 0);
    channel_free(c);
    close(pair[0]);
}

struct bad {
    const char *name;
    uint32_t type, size;
    size_t sent; /* bytes after the header */
};

static const struct bad bads[] = {
    {"type 0", 0, 0, 0},
    {"unknown type", 99, 0, 0},
    {"huge type", 0xffffffffu, 0, 0},
    {"too long", MSG_EVENT, (uint32_t)CHANNEL_MESSAGE_MAX + 1, 0},
    {"length wraps", MSG_EVENT, 0xffffffffu, 0},
    {"ends early", MSG_EVENT, 16, 8},
};

static void test_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bads / sizeof bads[0]; i++) {
        const uint8_t filler[16] = {0};
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        assert_int_equal(write(pair[1], &bads[i].type, 4), 4);
        assert_int_equal(write(pair[1], &bads[i].size, 4), 4);
        assert_int_equal(write(pair[1], filler, bads[i].sent), (ssize_t)bads[i].sent);
        close(pair[1]);
        pid_t pid = fork();
        if (pid == 0) {
            dup2(open("/dev/null", O_WRONLY), FD_LOG);
            enum message_type type;
            const uint8_t *bytes;
            size_t size;
            _exit(10 + channel_receive(channel_new(pair[0]), true, &type, &bytes, &size));
        }
        if (status_of(pid) != 1)
            fail_msg("%s: not refused", bads[i].name);
        close(pair[0]);
    }
}

/* A receiver that is gone ends the sender. */
static void test_gone(void **state)
{
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    close(pair[0]);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGPIPE, SIG_IGN);
        dup2(open("/dev/null", O_WRONLY), FD_LOG);
        struct channel *c = channel_new(pair[1]);
        channel_send(c, MSG_EVENT, "x", 1, NULL, 0);
        channel_flush(c);
        _exit(0);
    }
    assert_int_equal(status_of(pid), 1);
    close(pair[1]);
}

/* A lazy sender never waits: what the receiver does not take stays, whole and in order. */
static void test_lazy(void **state)
{
    int pair[2];
    uint8_t bytes[1000];
    enum message_type type;
    const uint8_t *got;
    size_t size, sent = 0, received = 0;
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
    struct channel *out = channel_new(pair[0]), *in = channel_new(pair[1]);
    channel_lazy(out);
    for (int pushed = 1; pushed;) {
        while (channel_room(out)) {
            memset(bytes, (int)sent, sizeof bytes);
            channel_send(out, MSG_HISTORY, bytes, 1, bytes + 1, sent++ % sizeof bytes);
        }
        pushed = channel_push(out) != 0 || channel_room(out);
    }
    while (received < sent) {
        assert_int_equal(channel_receive(in, true, &type, &got, &size), 1);
        assert_int_equal(size, 1 + received % sizeof bytes);
        assert_int_equal(got[size - 1], (uint8_t)received);
        received++;
        assert_true(channel_push(out) >= 0);
    }
    assert_int_equal(channel_push(out), 1);
    channel_free(in);
    close(pair[1]);
    channel_send(out, MSG_HISTORY, bytes, 1, NULL, 0);
    assert_int_equal(channel_push(out), -1);
    assert_int_equal(channel_push(out), 1); /* nothing is left to say */
    channel_free(out);
    close(pair[0]);
}

/* Descriptors arrive in their places, and only as many as are expected. */
static void test_handover(void **state)
{
    int pair[2], files[2], taken[3];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    assert_int_equal(pipe(files), 0);
    const int given[3] = {files[0], -1, files[1]};
    assert_int_equal(handover_give(pair[0], given, 3), 0);
    assert_int_equal(handover_take(pair[1], taken, 3), 0);
    assert_int_equal(taken[1], -1);
    assert_int_equal(write(taken[2], "x", 1), 1);
    char byte;
    assert_int_equal(read(files[0], &byte, 1), 1);
    assert_true(fcntl(taken[0], F_GETFD) & FD_CLOEXEC);
    close(taken[0]);
    close(taken[2]);
    assert_int_equal(handover_give(pair[0], given, 3), 0);
    assert_int_equal(handover_take(pair[1], taken, 2), -EPROTO);
    assert_int_equal(write(pair[0], "\3", 1), 1); /* claims two, has none */
    assert_int_equal(handover_take(pair[1], taken, 2), -EPROTO);
    close(pair[0]);
    assert_int_equal(handover_take(pair[1], taken, 2), -EPIPE);
    close(pair[1]);
    close(files[0]);
    close(files[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocking), cmocka_unit_test(test_not_blocking),
        cmocka_unit_test(test_dribble),  cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_gone),     cmocka_unit_test(test_lazy),
        cmocka_unit_test(test_handover),
    };
    return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
