/*
 * ledger: records, tree heads, epochs. Contained in: store. Must never: change or repeat a record,
 * ask for two heads of one size, or rotate before the epoch's last head is durable.
 */
#include "evidence/ledger.h"

#include "evidence/file.h"
#include "evidence/hash.h"
#include "evidence/merkle.h"
#include "evidence/text.h"
#include "sandbox/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A difference of wall clock and monotonic clock beyond this is a step, not slewing: adjtime(3) may
 * slew by 500 ppm, which over the longest pause between two records (a segment) is far below. */
#define STEP_NS INT64_C(500000000)

struct ledger {
    struct ledger_options o;
    char origin[TEXT_MAX];
    int checkpoints; /* folder */
    struct file *file;
    struct hash *hash;
    struct merkle tree;
    struct json line;
    char prev[TEXT_HEX_ROOM(HASH_BYTES)];
    uint64_t epoch, in_epoch; /* number; records in it */
    uint64_t checkpointed;    /* size of the last head */
    int64_t offset_ns;        /* wall minus monotonic at the last record */
};

static int64_t clock_ns(clockid_t id)
{
    struct timespec t;
    if (clock_gettime(id, &t) != 0)
        log_die("ledger: clock: %m");
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* --- questions to sign ---------------------------------------------------------------------------
 */

static void ask(struct ledger *l, enum message_type question, const void *bytes, size_t size,
                enum message_type expected, const uint8_t **ret_bytes, size_t *ret_size)
{
    enum message_type type;
    channel_send(l->o.sign, question, bytes, size, NULL, 0);
    channel_flush(l->o.sign);
    if (channel_receive(l->o.sign, true, &type, ret_bytes, ret_size) != 1)
        log_die("ledger: sign is gone");
    if (type != expected)
        log_die("ledger: sign answered %d, not %d", (int)type, (int)expected);
}

static void must(int error, const char *what)
{
    if (error != 0)
        log_die("ledger: %s: %s", what, strerror(-error));
}

static void certify(struct ledger *l)
{
    const uint8_t *bytes;
    size_t size;
    char key0[KEY0_B64_BYTES + 1];
    ask(l, MSG_CERTIFY, l->origin, strlen(l->origin), MSG_KEY0, &bytes, &size);
    if (size <= ED25519_KEY_BYTES || size > ED25519_KEY_BYTES + SEAL_MAX)
        log_die("ledger: no certificate of key 0");
    size_t length = text_base64(bytes, ED25519_KEY_BYTES, key0);
    key0[length++] = '\n';
    must(file_put(l->o.dir, strrchr(FILE_KEY0, '/') + 1, key0, length, NULL), "key0");
    must(file_put(l->o.dir, strrchr(FILE_KEY0_SIG, '/') + 1, bytes + ED25519_KEY_BYTES,
                  size - ED25519_KEY_BYTES, NULL),
         "key0");
}

struct ledger *ledger_open(const struct ledger_options *o)
{
    struct ledger *l = calloc(1, sizeof *l);
    if (!l)
        log_die("ledger: out of memory");
    l->o = *o;
    (void)snprintf(l->origin, sizeof l->origin, "%s", o->origin);
    memcpy(l->prev, LOG_PREV_NONE, sizeof LOG_PREV_NONE);
    l->hash = hash_new(HASH_SHA256);
    merkle_init(&l->tree, l->hash);
    l->offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
    l->checkpoints = file_folder(o->dir, strrchr(DIR_CHECKPOINTS, '/') + 1);
    must(l->checkpoints < 0 ? l->checkpoints : 0, "checkpoints");
    certify(l);
    must(file_create(o->dir, strrchr(FILE_LOG, '/') + 1, FILE_OPEN, &l->file), "log");
    return l;
}

/* --- records -------------------------------------------------------------------------------------
 */

static struct json *begin(struct ledger *l, const char *type)
{
    struct json *j = &l->line;
    json_clear(j);
    json_object(j, NULL);
    json_number(j, "seq", l->tree.size);
    json_string(j, "prev", l->prev);
    json_string(j, "type", type);
    json_time(j, "time", clock_ns(CLOCK_REALTIME));
    return j;
}

static void append(struct ledger *l)
{
    struct json *j = &l->line;
    uint8_t digest[HASH_BYTES];
    json_close(j, '}');
    if (j->used >= LINE_MAX_BYTES)
        log_die("ledger: record of %zu bytes", j->used);
    merkle_add(&l->tree, j->text, j->used);
    json_raw(j, "\n", 1);
    hash_once(l->hash, j->text, j->used, digest);
    text_hex(digest, sizeof digest, l->prev);
    file_write(l->file, j->text, j->used);
    must(file_flush(l->file, false), "log");
    l->in_epoch++;
}

static void rotate(struct ledger *l)
{
    const uint8_t *bytes;
    size_t size;
    ask(l, MSG_NEXT_KEY, NULL, 0, MSG_PUBLIC, &bytes, &size);
    if (size != ED25519_KEY_BYTES)
        log_die("ledger: next key of %zu bytes", size);
    struct json *j = begin(l, "epoch");
    json_number(j, "epoch", l->epoch);
    json_base64(j, "next_key", bytes, size);
    append(l);
    ledger_checkpoint(l);
    ask(l, MSG_ROTATE, NULL, 0, MSG_OK, &bytes, &size);
    l->epoch++;
    l->in_epoch = 0;
}

static void rotate_if_due(struct ledger *l)
{
    if (l->in_epoch + 1 >= l->o.epoch_records)
        rotate(l);
}

struct json *ledger_begin(struct ledger *l, const char *type)
{
    /* Before the record and not after the one before: so the run's last record needs no epoch of
     * its own behind it. */
    rotate_if_due(l);
    int64_t offset = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
    int64_t step = offset - l->offset_ns;
    if (step > STEP_NS || step < -STEP_NS) {
        l->offset_ns = offset;
        json_signed(begin(l, "clock"), "step_ns", step);
        append(l);
        rotate_if_due(l);
    }
    return begin(l, type);
}

void ledger_commit(struct ledger *l)
{
    append(l);
}

/* --- heads ---------------------------------------------------------------------------------------
 */

void ledger_checkpoint(struct ledger *l)
{
    struct msg_checkpoint m = {.epoch = l->epoch, .size = l->tree.size};
    const uint8_t *note;
    size_t size;
    char name[32];
    if (l->tree.size == l->checkpointed)
        return;
    if (l->o.settle)
        l->o.settle(l->o.context);
    must(file_flush(l->file, true), "log");
    merkle_root(&l->tree, m.root);
    ask(l, MSG_CHECKPOINT, &m, sizeof m, MSG_SIGNATURE, &note, &size);
    if (size > CHECKPOINT_MAX)
        log_die("ledger: checkpoint of %zu bytes", size);
    (void)snprintf(name, sizeof name, NAME_CHECKPOINT, (unsigned)l->epoch,
                   (unsigned long long)m.size);
    must(file_put(l->checkpoints, name, note, size, NULL), "checkpoint");
    l->checkpointed = m.size;
}

void ledger_close(struct ledger *l)
{
    uint64_t written;
    uint8_t digest[HASH_BYTES];
    const uint8_t *bytes;
    size_t size;
    ledger_checkpoint(l);
    must(file_seal(l->file, &written, digest), "log");
    ask(l, MSG_ROTATE, NULL, 0, MSG_OK, &bytes, &size);
    (void)close(l->checkpoints);
    hash_free(l->hash);
    json_fini(&l->line);
    free(l);
}

const char *ledger_origin(const struct ledger *l)
{
    return l->origin;
}

uint64_t ledger_size(const struct ledger *l)
{
    return l->tree.size;
}
