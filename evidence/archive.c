/*
 * archive: an earlier run is set aside, and its head named. Contained in: store. Must never extend
 * or overwrite an earlier log, whatever state it is in.
 */
#include "evidence/archive.h"

#include "evidence/hash.h"
#include "evidence/merkle.h"
#include "evidence/reread.h"
#include "evidence/text.h"
#include "sandbox/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ARCHIVE_RUNS_MAX 9999u

static bool is_close(const char *line, size_t size)
{
    static const char mark[] = "\",\"type\":\"close\",\"time\":\"";
    return memmem(line, size < 256 ? size : 256, mark, sizeof mark - 1) != NULL;
}

/* What reading the old log found out. */
struct reading {
    struct hash *hash;
    struct merkle tree;
    struct reread_checkpoint newest; /* what the log must still show */
    struct archive_head *head;
    bool closed;  /* the last whole line is a close record */
    bool matches; /* the newest checkpoint is over these lines */
};

static bool take_line(void *context, const char *line, size_t size)
{
    struct reading *r = context;
    uint8_t root[HASH_BYTES];
    char base64[TEXT_BASE64_ROOM(HASH_BYTES)];
    merkle_add(&r->tree, line, size - 1);
    hash_once(r->hash, line, size, r->head->head);
    r->closed = is_close(line, size);
    if (r->tree.size == r->newest.size) {
        merkle_root(&r->tree, root);
        text_base64(root, sizeof root, base64);
        r->matches = r->newest.readable && strcmp(base64, r->newest.root) == 0;
    }
    return true;
}

static void examine(int dir, struct archive_head *head)
{
    struct reading r = {.head = head};
    r.hash = hash_new(HASH_SHA256);
    merkle_init(&r.tree, r.hash);
    reread_newest_checkpoint(dir, &r.newest);
    r.matches = r.newest.size == 0;
    bool whole = reread_lines(dir, take_line, &r);
    head->found = true;
    head->size = r.tree.size;
    merkle_root(&r.tree, head->root);
    hash_free(r.hash);
    head->state = "damaged";
    if (r.matches)
        head->state = whole && r.closed && r.newest.size == head->size ? "closed" : "open";
}

static void set_aside(int dir, const char *name, const char *target)
{
    if (renameat2(dir, name, dir, target, RENAME_NOREPLACE) != 0 && errno != ENOENT)
        log_die("archive: cannot set %s aside: %m", name);
}

void archive_previous(int dir, struct archive_head *ret_head)
{
    static const char *const parts[] = {DIR_SEGMENTS, DIR_STATE};
    char target[32];
    unsigned number = 1;
    memset(ret_head, 0, sizeof *ret_head);
    bool log = faccessat(dir, DIR_LOG, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    for (; number <= ARCHIVE_RUNS_MAX; number++) {
        (void)snprintf(ret_head->log, sizeof ret_head->log, DIR_LOG "-%04u", number);
        if (faccessat(dir, ret_head->log, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
            break;
    }
    if (number > ARCHIVE_RUNS_MAX)
        log_die("archive: %u earlier runs: take a new folder", ARCHIVE_RUNS_MAX);
    ret_head->runs = number;
    if (log)
        examine(dir, ret_head);
    (void)snprintf(target, sizeof target, "eve-%04u.json", number);
    set_aside(dir, FILE_EVE, target);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        (void)snprintf(target, sizeof target, "%s-%04u", parts[i], number);
        set_aside(dir, parts[i], target);
    }
    /* Last: as long as `log` has its name, the rest is set aside under the same number again. */
    set_aside(dir, DIR_LOG, ret_head->log);
    if (fsync(dir) != 0)
        log_die("archive: %m");
}

void archive_write(const struct archive_head *a, struct json *j, const char *key)
{
    if (!a->found) {
        json_null(j, key);
        return;
    }
    json_object(j, key);
    json_string(j, "log", a->log);
    json_number(j, "size", a->size);
    json_base64(j, "root", a->root, HASH_BYTES);
    json_hex(j, "head", a->head, HASH_BYTES);
    json_string(j, "state", a->state);
    json_close(j, '}');
}
