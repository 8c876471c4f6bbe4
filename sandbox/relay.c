/*
 * relay: log lines and reports, tamed.
 *
 * Contained in: supervisor; runs confined.
 */
#include "sandbox/relay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sandbox/fds.h"

static int write_all(int fd, const char *bytes, size_t size)
{
    while (size) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        bytes += n;
        size -= (size_t)n;
    }
    return 0;
}

void relay_init(struct relay *ret_relay, int fd, const char *name)
{
    *ret_relay = (struct relay){.fd = fd, .name = name};
}

/* `c`, or '?' for what a terminal would act on: C0, DEL, and C1 as UTF-8 writes it (C2 80 to 9F).
 */
static char harmless(unsigned char before, unsigned char c)
{
    bool c1 = before == 0xc2 && c >= 0x80 && c <= 0x9f;
    return c < 0x20 || c == 0x7f || c1 ? '?' : (char)c;
}

static void print_line(struct relay *r)
{
    char text[sizeof r->line + 64], prefix[40];
    int n = snprintf(prefix, sizeof prefix, "dnsbailiff-%s: ", r->name);
    size_t head = n > 0 ? (size_t)n : 0, at = 0;
    if (r->used < head || memcmp(r->line, prefix, head) != 0) {
        memcpy(text, prefix, head);
        at = head;
    }
    for (size_t i = 0; i < r->used; i++)
        text[at++] = harmless(i ? (unsigned char)r->line[i - 1] : 0, (unsigned char)r->line[i]);
    text[at++] = '\n';
    write_all(FD_LOG, text, at);
    r->used = 0;
}

static void take(struct relay *r, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n') {
            if (!r->cut)
                print_line(r);
            r->cut = false;
        } else if (!r->cut) {
            r->line[r->used++] = bytes[i];
            if (r->used == sizeof r->line) {
                print_line(r);
                r->cut = true;
            }
        }
    }
}

bool relay_pump(struct relay *r, void (*before)(void *), void *context)
{
    char bytes[4096];
    while (r->fd >= 0) {
        ssize_t n = read(r->fd, bytes, sizeof bytes);
        if (n > 0) {
            if (before)
                before(context);
            before = NULL;
            take(r, bytes, (size_t)n);
        } else if (n < 0 && errno == EINTR) {
            continue;
        } else if (n < 0 && errno == EAGAIN) {
            return true;
        } else {
            if (r->used)
                print_line(r);
            close(r->fd);
            r->fd = -1;
        }
    }
    return false;
}

int relay_text(const char *text, size_t size)
{
    char tame[4096];
    size_t at = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char before = i ? (unsigned char)text[i - 1] : 0;
        bool layout = text[i] == '\n' || text[i] == '\t';
        tame[at++] = layout ? text[i] : harmless(before, (unsigned char)text[i]);
        if (at == sizeof tame || i + 1 == size) {
            if (write_all(STDOUT_FILENO, tame, at))
                return -1;
            at = 0;
        }
    }
    return 0;
}
