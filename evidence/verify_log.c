/*
 * verify_log: the chain of records, the tree heads over it and the keys that signed them.
 *
 * Contained in: verify, tests. Must never: believe a tree head that it did not compute itself.
 */
#include "evidence/verify_log.h"

#include "evidence/verify_checkpoint.h"
#include "evidence/verify_hash.h"

#include <stdlib.h>
#include <string.h>

struct walk {
    struct verify *v;
    const struct verify_bag *bag;
    struct verify_story *story;
    struct verify_tree tree;
    uint8_t prev[HASH_BYTES]; /* of the line before, with its LF */
    uint64_t epoch;
    uint8_t key[ED25519_KEY_BYTES]; /* of the epoch */
    bool has_key;
    uint8_t (*keys)[ED25519_KEY_BYTES]; /* of all epochs so far */
    size_t key_count, key_room;
    size_t next; /* member: the next checkpoint */
    uint64_t checkpoints;
    bool covered; /* a checkpoint covers exactly the records so far */
    bool has_known;
    bool known_found;
    struct verify_checkpoint known;
};

/* Takes the key of the epoch that begins. */
static void begin_epoch(struct walk *w, const uint8_t key[ED25519_KEY_BYTES])
{
    if (w->key_count == w->key_room) {
        size_t room = w->key_room ? 2 * w->key_room : 16;
        void *more = realloc(w->keys, room * sizeof *w->keys);
        if (!more) {
            verify_fault(w->v, VERIFY_EPOCHS, "out of memory");
            return;
        }
        w->keys = more;
        w->key_room = room;
    }
    memcpy(w->keys[w->key_count++], key, ED25519_KEY_BYTES);
    memcpy(w->key, key, ED25519_KEY_BYTES);
    w->has_key = true;
}

static int compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, ED25519_KEY_BYTES);
}

/* No two epochs may share a key, or the newer one's holder could seal the older one again. */
static void check_keys(struct walk *w)
{
    if (w->key_count > 0)
        qsort(w->keys, w->key_count, sizeof *w->keys, compare_keys);
    for (size_t i = 1; i < w->key_count; i++)
        if (memcmp(w->keys[i - 1], w->keys[i], ED25519_KEY_BYTES) == 0) {
            verify_fault(w->v, VERIFY_EPOCHS, "two epochs have the same key");
            return;
        }
}

/* "<epoch>-<size>" of a checkpoint's file name; false for any other name. */
static bool checkpoint_name(const char *name, uint64_t *ret_epoch, uint64_t *ret_size)
{
    name += strlen(BUNDLE_CHECKPOINTS);
    if (strlen(name) != 8 + 1 + 12 || name[8] != '-')
        return false;
    uint64_t value[2] = {0, 0};
    for (size_t i = 0; i < 21; i++) {
        if (i == 8)
            continue;
        if (name[i] < '0' || name[i] > '9')
            return false;
        value[i > 8] = value[i > 8] * 10 + (uint64_t)(name[i] - '0');
    }
    *ret_epoch = value[0];
    *ret_size = value[1];
    return true;
}

static bool at_checkpoint(const struct walk *w)
{
    return w->next < w->v->member_count &&
           verify_starts(w->v->members[w->next].name, BUNDLE_CHECKPOINTS);
}

static void check_checkpoint(struct walk *w, const struct verify_member *m, uint64_t epoch)
{
    struct verify *v = w->v;
    struct verify_checkpoint c;
    uint8_t root[HASH_BYTES];
    const char *name = m->name + strlen(BUNDLE_CHECKPOINTS);
    verify_tree_root(&w->tree, root);
    if (w->covered)
        verify_fault(v, VERIFY_CHECKPOINTS, "%s: a second checkpoint of the same size", name);
    w->covered = true;
    w->checkpoints++;
    w->story->accounted[m - v->members] = true;
    if (!verify_checkpoint_read(m->bytes, m->size, &c))
        verify_fault(v, VERIFY_CHECKPOINTS, "%s is not in the form of a checkpoint", name);
    else if (!verify_text_same(c.origin, w->bag->origin))
        verify_fault(v, VERIFY_CHECKPOINTS, "%s is of another log", name);
    else if (c.size != w->tree.size)
        verify_fault(v, VERIFY_CHECKPOINTS, "%s covers %llu records", name,
                     (unsigned long long)c.size);
    else if (memcmp(c.root, root, sizeof root) != 0)
        verify_fault(v, VERIFY_CHECKPOINTS, "%s has another root than the records", name);
    else if (epoch != w->epoch)
        verify_fault(v, VERIFY_EPOCHS, "%s: its records are of epoch %llu", name,
                     (unsigned long long)w->epoch);
    else if (w->has_key && !verify_checkpoint_signed(&c, w->key))
        verify_fault(v, VERIFY_CHECKPOINTS, "%s is not signed by the key of epoch %llu", name,
                     (unsigned long long)w->epoch);
}

/* Every checkpoint whose turn it is at this size. */
static void check_checkpoints(struct walk *w)
{
    w->covered = false;
    while (at_checkpoint(w)) {
        const struct verify_member *m = &w->v->members[w->next];
        uint64_t epoch, size;
        if (!checkpoint_name(m->name, &epoch, &size)) {
            struct verify_shown shown;
            verify_fault(w->v, VERIFY_CHECKPOINTS, "%s is no name of a checkpoint",
                         verify_escape(m->name, strlen(m->name), &shown));
        } else if (size == w->tree.size) {
            check_checkpoint(w, m, epoch);
        } else if (size > w->tree.size) {
            return;
        } else {
            verify_fault(w->v, VERIFY_CHECKPOINTS, "%s is not where its size belongs",
                         m->name + strlen(BUNDLE_CHECKPOINTS));
        }
        w->next++;
    }
}

static void check_known(struct walk *w)
{
    uint8_t root[HASH_BYTES];
    if (!w->has_known || w->known.size != w->tree.size)
        return;
    w->known_found = true;
    verify_tree_root(&w->tree, root);
    if (memcmp(root, w->known.root, sizeof root) != 0)
        verify_fault(w->v, VERIFY_KNOWN_CHECKPOINT,
                     "the first %llu records are not those that it covered",
                     (unsigned long long)w->known.size);
    else if (w->has_key && !verify_checkpoint_signed(&w->known, w->key))
        verify_fault(w->v, VERIFY_KNOWN_CHECKPOINT, "it is not signed by the key of epoch %llu",
                     (unsigned long long)w->epoch);
}

static void end_epoch(struct walk *w, const struct record *r)
{
    uint8_t key[ED25519_KEY_BYTES];
    unsigned long long epoch = (unsigned long long)w->epoch;
    if ((uint64_t)verify_record_get(r, "epoch")->number != w->epoch)
        verify_fault(w->v, VERIFY_EPOCHS, "record %llu does not end epoch %llu",
                     (unsigned long long)r->seq, epoch);
    if (!w->covered)
        verify_fault(w->v, VERIFY_EPOCHS, "epoch %llu has no final checkpoint", epoch);
    w->epoch++;
    w->has_key = false;
    if (verify_base64(verify_record_get(r, "next_key")->text, key, sizeof key))
        begin_epoch(w, key);
    else
        verify_fault(w->v, VERIFY_EPOCHS, "epoch %llu names no next key", epoch);
}

/* One line; false when the chain is broken. */
static bool check_line(struct walk *w, struct verify_text line)
{
    struct verify *v = w->v;
    struct record r;
    unsigned long long seq = (unsigned long long)w->tree.size;
    if (!verify_record_read(line, &r)) {
        verify_fault(v, VERIFY_LOG, "line %llu is no record in the form of format %d", seq,
                     FORMAT_VERSION);
        return false;
    }
    if (r.seq != w->tree.size || memcmp(r.prev, w->prev, sizeof w->prev) != 0) {
        verify_fault(v, VERIFY_LOG, "record %llu does not follow the one before it", seq);
        return false;
    }
    if (w->tree.size >= VERIFY_LOG_MAX) {
        verify_fault(v, VERIFY_LOG, "more than %zu records", VERIFY_LOG_MAX);
        return false;
    }
    verify_sha256(line.at, line.size + 1, w->prev);
    verify_tree_add(&w->tree, line.at, line.size);
    verify_story_record(w->story, &r);
    check_checkpoints(w);
    check_known(w);
    if (r.type == RECORD_EPOCH)
        end_epoch(w, &r);
    return !verify_must_stop(v);
}

static void open_known(struct walk *w)
{
    const struct verify_options *o = w->v->options;
    if (!o->known_checkpoint) {
        verify_skipped(w->v, VERIFY_KNOWN_CHECKPOINT,
                       "none given: a log cut at an epoch's end would not show");
        return;
    }
    if (!verify_checkpoint_read(o->known_checkpoint, o->known_checkpoint_size, &w->known))
        verify_fault(w->v, VERIFY_KNOWN_CHECKPOINT, "what was given is no checkpoint");
    else if (!verify_text_same(w->known.origin, w->bag->origin))
        verify_fault(w->v, VERIFY_KNOWN_CHECKPOINT, "it is of another log");
    else
        w->has_known = true;
}

static void close_known(struct walk *w)
{
    if (w->has_known && !w->known_found)
        verify_fault(w->v, VERIFY_KNOWN_CHECKPOINT,
                     "it covers %llu records, the log here has %llu: the log was cut",
                     (unsigned long long)w->known.size, (unsigned long long)w->tree.size);
    if (w->has_known)
        verify_passed(w->v, VERIFY_KNOWN_CHECKPOINT, "the log continues it from record %llu on",
                      (unsigned long long)w->known.size);
}

static void open_key0(struct walk *w)
{
    const struct verify_member *m = verify_find(w->v, BUNDLE_KEY0);
    uint8_t key[ED25519_KEY_BYTES];
    if (!m || m->size != KEY0_B64_BYTES || m->bytes[m->size - 1] != '\n' ||
        !verify_base64((struct verify_text){.at = (const char *)m->bytes, .size = m->size - 1}, key,
                       sizeof key)) {
        verify_fault(w->v, VERIFY_EPOCHS, "%s is missing or no key", BUNDLE_KEY0);
        return;
    }
    begin_epoch(w, key);
}

static void check_end(struct walk *w)
{
    struct verify *v = w->v;
    uint8_t root[HASH_BYTES], stated[HASH_BYTES];
    verify_tree_root(&w->tree, root);
    v->report->log_size = w->tree.size;
    verify_hex(root, sizeof root, v->report->log_root);
    if (w->tree.size != w->bag->log_size ||
        !verify_base64(w->bag->log_root, stated, sizeof stated) ||
        memcmp(root, stated, sizeof root) != 0)
        verify_fault(v, VERIFY_LOG, "size or root is not what %s states", BUNDLE_BAG_INFO);
    if (!w->covered)
        verify_fault(v, VERIFY_CHECKPOINTS, "no checkpoint covers the last record");
    if (at_checkpoint(w))
        verify_fault(v, VERIFY_CHECKPOINTS, "%s covers records that are not here",
                     v->members[w->next].name + strlen(BUNDLE_CHECKPOINTS));
    check_keys(w);
    if (!w->story->is_closed)
        verify_doubt(v, VERIFY_LOG, "%llu records in one chain; the run had not ended yet",
                     (unsigned long long)w->tree.size);
    verify_passed(v, VERIFY_LOG, "%llu record%s in one chain", (unsigned long long)w->tree.size,
                  verify_s(w->tree.size));
    verify_passed(v, VERIFY_CHECKPOINTS, "%llu checkpoint%s signed over these records",
                  (unsigned long long)w->checkpoints, verify_s(w->checkpoints));
    verify_passed(v, VERIFY_EPOCHS, "%zu key%s, each certified before it was used", w->key_count,
                  verify_s(w->key_count));
}

void verify_log_check(struct verify *v, const struct verify_bag *bag, struct verify_story *story)
{
    const struct verify_member *m = verify_find(v, BUNDLE_LOG);
    if (!m) {
        verify_fault(v, VERIFY_LOG, "%s is missing", BUNDLE_LOG);
        return;
    }
    struct walk w = {.v = v, .bag = bag, .story = story};
    story->accounted[m - v->members] = true;
    w.next = verify_first_under(v, BUNDLE_CHECKPOINTS);
    open_key0(&w);
    open_known(&w);
    struct verify_text rest = {.at = (const char *)m->bytes, .size = m->size}, line;
    int got = 1;
    bool sound = true;
    while (sound && (got = verify_next_line(&rest, &line)) > 0)
        sound = check_line(&w, line);
    if (got < 0)
        verify_fault(v, VERIFY_LOG, "record %llu is torn or too long",
                     (unsigned long long)w.tree.size);
    else if (sound) {
        check_end(&w);
        close_known(&w);
    }
    free(w.keys);
}
