/*
 * head: a log is packed only as far as it was signed, and only if it still is what was signed.
 * Contained in: pack, tests.
 */
#include "evidence/head.h"

#include "evidence/hash.h"
#include "evidence/merkle.h"
#include "evidence/reread.h"
#include "evidence/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The sensor's name in "dnsbailiff/<sensor>/<time>". */
static bool take_sensor(struct head *h)
{
    size_t prefix = sizeof CHECKPOINT_ORIGIN - 1;
    if (strncmp(h->origin, CHECKPOINT_ORIGIN, prefix) != 0)
        return false;
    const char *name = h->origin + prefix, *end = strchr(name, '/');
    if (!end || end == name || (size_t)(end - name) >= sizeof h->sensor)
        return false;
    memcpy(h->sensor, name, (size_t)(end - name));
    h->sensor[end - name] = '\0';
    return strspn(h->sensor, "abcdefghijklmnopqrstuvwxyz0123456789.-") == strlen(h->sensor);
}

/* The "time" of a record; all records have it behind "type". */
static bool take_time(const char *line, size_t size, int64_t *ret_ns)
{
    static const char mark[] = "\",\"time\":\"";
    const char *at = memmem(line, size < 256 ? size : 256, mark, sizeof mark - 1);
    size_t before = at ? (size_t)(at - line) + sizeof mark - 1 : size;
    return before + 30 <= size && text_parse_time(line + before, 30, ret_ns);
}

struct reading {
    struct head *head;
    struct merkle tree;
    bool timed; /* the last line has a time */
};

static bool take_line(void *context, const char *line, size_t size)
{
    struct reading *r = context;
    if (r->tree.size == r->head->size)
        return false;
    merkle_add(&r->tree, line, size - 1);
    r->head->bytes += size;
    r->timed = take_time(line, size, &r->head->time_ns);
    return true;
}

/* NULL, or what is wrong. */
static const char *read_head(int dir, struct head *h)
{
    struct reread_checkpoint newest;
    struct reading r = {.head = h};
    char computed[TEXT_BASE64_ROOM(HASH_BYTES)];
    reread_newest_checkpoint(dir, &newest);
    if (newest.size == 0)
        return "no checkpoint: nothing was recorded here";
    memcpy(h->origin, newest.origin, sizeof h->origin);
    if (!newest.readable || !take_sensor(h))
        return "the last checkpoint is damaged";
    h->size = newest.size;
    struct hash *hash = hash_new(HASH_SHA256);
    merkle_init(&r.tree, hash);
    (void)reread_lines(dir, take_line, &r); /* what follows is not sealed and does not matter */
    merkle_root(&r.tree, h->root);
    hash_free(hash);
    if (r.tree.size != h->size || !r.timed)
        return "the log is shorter than its last checkpoint, or damaged";
    text_base64(h->root, HASH_BYTES, computed);
    if (strcmp(computed, newest.root) != 0)
        return "the log is not the one its last checkpoint was made for";
    return NULL;
}

int head_read(int dir, struct head *ret_head, char *ret_why, size_t room)
{
    struct head h = {0};
    const char *why = read_head(dir, &h);
    if (why) {
        (void)snprintf(ret_why, room, "%s", why);
        return -1;
    }
    *ret_head = h;
    return 0;
}
