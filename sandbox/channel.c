/*
 * channel: framed messages over a stream socket or pipe.
 *
 * Contained in: analyze, store, sign, digest, pack, history. Must never: interpret a message, or
 * hand on one that is not whole. Only read, write and poll are used, so that a policy can pin
 * writes to descriptors; SIGPIPE is ignored in every process.
 */
#include "sandbox/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox/log.h"

#define FLUSH_AT     ((size_t)64 << 10)
#define READ_AT_ONCE ((size_t)64 << 10)

/* Before each message, which is padded to 8 so that the next one is aligned. */
struct frame {
    uint32_t type;
    uint32_t size; /* without the padding */
};

static size_t padded(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

struct channel {
    int fd;
    bool lazy;
    size_t out_used;
    size_t in_start, in_end; /* bytes received and not yet given out */
    size_t in_given;         /* of those, the message given out last */
    /* Both rooms take one largest message on top of a full batch; untouched pages cost nothing. */
    _Alignas(8) uint8_t out[FLUSH_AT + sizeof(struct frame) + CHANNEL_MESSAGE_MAX];
    _Alignas(8) uint8_t in[READ_AT_ONCE + sizeof(struct frame) + CHANNEL_MESSAGE_MAX];
};

struct channel *channel_new(int fd)
{
    struct channel *c = malloc(sizeof *c);
    if (!c)
        return NULL;
    c->fd = fd;
    c->lazy = false;
    c->out_used = c->in_start = c->in_end = c->in_given = 0;
    return c;
}

void channel_free(struct channel *c)
{
    free(c);
}

/* Waits for `events`; false when they are not there yet and we may not wait. */
static bool ready(const struct channel *c, short events, bool may_block)
{
    struct pollfd p = {.fd = c->fd, .events = events};
    for (;;) {
        int n = poll(&p, 1, may_block ? -1 : 0);
        if (n > 0)
            return true;
        if (n == 0)
            return false;
        if (errno != EINTR)
            log_die("channel: poll: %m");
    }
}

void channel_flush(struct channel *c)
{
    size_t done = 0;
    while (done < c->out_used) {
        ssize_t n = write(c->fd, c->out + done, c->out_used - done);
        if (n > 0)
            done += (size_t)n;
        else if (n < 0 && errno == EAGAIN)
            ready(c, POLLOUT, true);
        else if (n == 0 || errno != EINTR)
            log_die("channel: the receiver of descriptor %d is gone: %m", c->fd);
    }
    c->out_used = 0;
}

void channel_lazy(struct channel *c)
{
    c->lazy = true;
}

bool channel_room(const struct channel *c)
{
    return c->out_used < FLUSH_AT;
}

int channel_push(struct channel *c)
{
    size_t done = 0;
    while (done < c->out_used) {
        ssize_t n = write(c->fd, c->out + done, c->out_used - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (n < 0 && errno == EAGAIN) {
            break;
        } else if (n == 0 || errno != EINTR) {
            c->out_used = 0;
            return -1;
        }
    }
    c->out_used -= done;
    memmove(c->out, c->out + done, c->out_used);
    return c->out_used == 0;
}

void channel_send(struct channel *c, enum message_type type, const void *head, size_t head_size,
                  const void *body, size_t body_size)
{
    if (head_size > CHANNEL_MESSAGE_MAX || body_size > CHANNEL_MESSAGE_MAX - head_size)
        log_die("channel: message of type %d is too long", (int)type);
    if (c->lazy && !channel_room(c))
        log_die("channel: message of type %d without room for it", (int)type);
    struct frame frame = {.type = (uint32_t)type, .size = (uint32_t)(head_size + body_size)};
    memcpy(c->out + c->out_used, &frame, sizeof frame);
    c->out_used += sizeof frame;
    if (head_size)
        memcpy(c->out + c->out_used, head, head_size);
    c->out_used += head_size;
    if (body_size)
        memcpy(c->out + c->out_used, body, body_size);
    c->out_used += body_size;
    size_t padding = padded(frame.size) - frame.size;
    memset(c->out + c->out_used, 0, padding);
    c->out_used += padding;
    if (c->out_used >= FLUSH_AT && !c->lazy)
        channel_flush(c);
}

static bool known(uint32_t type)
{
    switch ((enum message_type)type) {
#define X(name, number, text) case MSG_##name:
        MESSAGE_TYPES(X)
#undef X
        return true;
    }
    return false;
}

/* Whether a whole message lies at in_start; dies on a header that no sender of ours writes. */
static bool whole(const struct channel *c, struct frame *ret_frame)
{
    if (c->in_end - c->in_start < sizeof *ret_frame)
        return false;
    memcpy(ret_frame, c->in + c->in_start, sizeof *ret_frame);
    if (!known(ret_frame->type) || ret_frame->size > CHANNEL_MESSAGE_MAX)
        log_die("channel: malformed frame on descriptor %d", c->fd);
    return c->in_end - c->in_start - sizeof *ret_frame >= padded(ret_frame->size);
}

int channel_receive(struct channel *c, bool may_block, enum message_type *ret_type,
                    const uint8_t **ret_bytes, size_t *ret_size)
{
    struct frame frame;
    c->in_start += c->in_given;
    c->in_given = 0;
    while (!whole(c, &frame)) {
        if (c->in_start && sizeof c->in - c->in_end < READ_AT_ONCE) {
            memmove(c->in, c->in + c->in_start, c->in_end - c->in_start);
            c->in_end -= c->in_start;
            c->in_start = 0;
        } else if (c->in_start == c->in_end) {
            c->in_start = c->in_end = 0;
        }
        if (!may_block && !ready(c, POLLIN, false))
            return -1;
        ssize_t n = read(c->fd, c->in + c->in_end, sizeof c->in - c->in_end);
        if (n > 0) {
            c->in_end += (size_t)n;
        } else if (n == 0 || errno == ECONNRESET) {
            if (c->in_end != c->in_start)
                log_die("channel: descriptor %d ends within a message", c->fd);
            return 0;
        } else if (errno == EAGAIN) {
            if (!may_block)
                return -1;
            ready(c, POLLIN, true);
        } else if (errno != EINTR) {
            log_die("channel: read: %m");
        }
    }
    *ret_type = (enum message_type)frame.type;
    *ret_bytes = c->in + c->in_start + sizeof frame;
    *ret_size = frame.size;
    c->in_given = sizeof frame + padded(frame.size);
    return 1;
}
