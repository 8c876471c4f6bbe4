/*
 * spool: held frames, oldest give way. Contained in: store, tests. Must never leave a name in the
 * evidence directory: the file is unlinked before the first frame.
 */
#include "evidence/spool.h"

#include "sandbox/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Frames held at most, whatever their size: bounds the index at 96 MiB. */
#define FRAMES_MAX   ((size_t)1 << 22)
#define TAKEN        UINT64_MAX
#define WRITE_BUFFER ((size_t)1 << 20)
#define SPOOL_NAME   ".held"

struct entry {
    uint64_t number;
    uint64_t at;   /* position in an endless file; place = at % room */
    uint64_t with; /* number of the frame that goes where this one goes, 0 none, or TAKEN */
};

struct spool {
    int fd;
    uint64_t room;    /* bytes of the file */
    uint64_t end;     /* next position */
    uint64_t written; /* positions below are in the file, the rest in `pending` */
    uint64_t lost;
    struct entry *list; /* ring of `capacity`, a power of two */
    size_t capacity, first, count;
    uint8_t *pending; /* contiguous in the file; never wraps */
    size_t pending_used;
    uint8_t *frame; /* what spool_find returns */
};

int spool_new(int dir, uint64_t bytes, struct spool **ret_spool)
{
    int fd = openat(dir, SPOOL_NAME, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST && unlinkat(dir, SPOOL_NAME, 0) == 0) /* left by a killed run */
        fd = openat(dir, SPOOL_NAME, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    if (unlinkat(dir, SPOOL_NAME, 0) != 0) {
        int error = -errno;
        (void)close(fd);
        return error;
    }
    struct spool *s = calloc(1, sizeof *s);
    size_t frame = sizeof(struct ring_record) + RING_FRAME_MAX;
    if (!s || !(s->pending = malloc(WRITE_BUFFER)) || !(s->frame = malloc(frame)))
        log_die("spool: out of memory");
    s->fd = fd;
    s->room = bytes;
    *ret_spool = s;
    return 0;
}

void spool_free(struct spool *s)
{
    if (!s)
        return;
    (void)close(s->fd);
    free(s->list);
    free(s->pending);
    free(s->frame);
    free(s);
}

static struct entry *entry_at(const struct spool *s, size_t index)
{
    return &s->list[(s->first + index) & (s->capacity - 1)];
}

static void give_way(struct spool *s)
{
    s->first = (s->first + 1) & (s->capacity - 1);
    s->count--;
    s->lost++;
}

static void grow_index(struct spool *s)
{
    size_t capacity = s->capacity ? s->capacity * 2 : 1024;
    struct entry *list = calloc(capacity, sizeof *list);
    if (!list)
        log_die("spool: out of memory for %zu frames", capacity);
    for (size_t i = 0; i < s->count; i++)
        list[i] = *entry_at(s, i);
    free(s->list);
    s->list = list;
    s->capacity = capacity;
    s->first = 0;
}

static int flush(struct spool *s)
{
    uint64_t place = s->written % s->room;
    for (size_t done = 0; done < s->pending_used;) {
        ssize_t n = pwrite(s->fd, s->pending + done, s->pending_used - done, (off_t)(place + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        done += (size_t)n;
    }
    s->written = s->end;
    s->pending_used = 0;
    return 0;
}

int spool_add(struct spool *s, const struct ring_record *r, const uint8_t *bytes, uint64_t with)
{
    size_t size = sizeof *r + r->caplen;
    uint64_t place = s->end % s->room;
    int error;
    if (s->count > 0 && r->number <= entry_at(s, s->count - 1)->number)
        log_die("spool: frame %llu comes twice", (unsigned long long)r->number);
    if (size > s->room)
        return -EFBIG;
    if (size > s->room - place) { /* a frame never wraps: the rest of the file stays empty */
        if ((error = flush(s)) != 0)
            return error;
        s->end += s->room - place;
        s->written = s->end;
    }
    if (s->pending_used + size > WRITE_BUFFER && (error = flush(s)) != 0)
        return error;
    while (s->count > 0 && (s->end + size - entry_at(s, 0)->at > s->room || s->count == FRAMES_MAX))
        give_way(s);
    if (s->count == s->capacity)
        grow_index(s);
    *entry_at(s, s->count) = (struct entry){.number = r->number, .at = s->end, .with = with};
    s->count++;
    memcpy(s->pending + s->pending_used, r, sizeof *r);
    memcpy(s->pending + s->pending_used + sizeof *r, bytes, r->caplen);
    s->pending_used += size;
    s->end += size;
    return 0;
}

static int read_at(const struct spool *s, uint64_t place, void *ret_bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = pread(s->fd, (uint8_t *)ret_bytes + done, size - done, (off_t)(place + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        done += (size_t)n;
    }
    return 0;
}

static struct entry *find(const struct spool *s, uint64_t number)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entry_at(s, middle)->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->count && entry_at(s, low)->number == number ? entry_at(s, low) : NULL;
}

bool spool_holds(const struct spool *s, uint64_t number)
{
    return find(s, number) != NULL;
}

bool spool_take(struct spool *s, uint64_t number, uint64_t *ret_with)
{
    struct entry *e = find(s, number);
    if (!e || e->with == TAKEN)
        return false;
    *ret_with = e->with;
    e->with = TAKEN;
    return true;
}

int spool_find(struct spool *s, uint64_t number, const struct ring_record **ret_record)
{
    const struct entry *e = find(s, number);
    if (!e)
        return 0;
    int error = flush(s);
    uint64_t place = e->at % s->room;
    struct ring_record r;
    if (error != 0 || (error = read_at(s, place, &r, sizeof r)) != 0)
        return error;
    if (r.number != number || r.caplen > RING_FRAME_MAX)
        return -EIO;
    memcpy(s->frame, &r, sizeof r);
    if ((error = read_at(s, place + sizeof r, s->frame + sizeof r, r.caplen)) != 0)
        return error;
    *ret_record = (const struct ring_record *)(const void *)s->frame;
    return 1;
}

uint64_t spool_lost(const struct spool *s)
{
    return s->lost;
}
