/*
 * batch: responses read together, judged one after the other.
 *
 * Contained in: analyze, tests.
 */
#include "analyze/batch.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_ITEMS 512
/* Copies of what the callbacks still need: frame numbers, and the bytes of referrals. */
#define ARENA_BYTES ((size_t)1 << 20)

struct item {
    struct datagram datagram; /* bytes only for a referral */
    struct query query;
    uint16_t id; /* of the header */
    bool paired;
    struct answer *known; /* the memo's, else `draft` holds */
    struct memo_place place;
    struct draft draft;
};

struct half {
    size_t count, used;
    uint8_t *arena;
    struct item *item;
};

struct batch {
    struct batch_parts part;
    struct batch_counters counters;
    struct dns_message message; /* the one in hand; too large for the stack */
    struct half half[2];
    struct half *filling; /* being read */
    struct half *waiting; /* read, its signatures being checked; not yet judged */
};

struct batch *batch_new(const struct batch_parts *part)
{
    struct batch *b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->part = *part;
    b->filling = &b->half[0];
    b->waiting = &b->half[1];
    for (size_t i = 0; i < 2; i++) {
        b->half[i].item = malloc(BATCH_ITEMS * sizeof *b->half[i].item);
        b->half[i].arena = malloc(ARENA_BYTES);
        if (b->half[i].item == NULL || b->half[i].arena == NULL) {
            batch_free(b);
            return NULL;
        }
    }
    return b;
}

void batch_free(struct batch *b)
{
    if (b == NULL)
        return;
    for (size_t i = 0; i < 2; i++) {
        free(b->half[i].item);
        free(b->half[i].arena);
    }
    free(b);
}

const struct batch_counters *batch_counters(const struct batch *b)
{
    return &b->counters;
}

static void *copy(struct half *h, const void *bytes, size_t size)
{
    uint8_t *at = h->arena + h->used;
    memcpy(at, bytes, size);
    h->used += (size + 7) & ~(size_t)7;
    return at;
}

/* The bytes are gone after the callback that brought them. */
static void copy_datagram(struct half *h, const struct datagram *dg, bool with_bytes,
                          struct datagram *ret)
{
    *ret = *dg;
    ret->frames = copy(h, dg->frames, dg->frame_count * sizeof *dg->frames);
    ret->bytes = with_bytes ? copy(h, dg->bytes, dg->size) : NULL;
}

static void turn(struct batch *);

static void take_response(struct batch *b, const struct datagram *dg)
{
    size_t most = dg->frame_count * sizeof *dg->frames + dg->size + 16;
    struct dns_message *m = &b->message;
    struct query query;
    enum pair_result result = pair_response(b->part.pair, dg, m, &query);
    if (result == PAIR_TWICE)
        return;
    transport_response(b->part.transport, result, dg, m, &query);
    if (b->filling->count == BATCH_ITEMS || b->filling->used + most > ARENA_BYTES) {
        turn(b);
        message_head(dg->bytes, dg->size, dg->wire_size, m); /* the turn has read others */
    }
    struct half *h = b->filling;
    struct item *item = &h->item[h->count++];
    item->id = m->id;
    item->paired = result == PAIR_FOUND;
    if (item->paired)
        item->query = query;
    unsigned asked = item->paired ? 1u | (item->query.edns_do ? 2u : 0u) : 0u;
    item->known = dg->size == dg->wire_size ? memo_find(b->part.memo, m, asked) : NULL;
    if (item->known) {
        b->counters.recognised++;
        copy_datagram(h, dg, false, &item->datagram);
        return;
    }
    if (message_parse(dg->bytes, dg->size, dg->wire_size, m) == MESSAGE_MALFORMED)
        b->counters.malformed++;
    transport_read(b->part.transport, dg, m);
    answers_draft(b->part.answers, dg, m, item->paired ? &item->query : NULL, b->part.ahead,
                  &item->draft);
    item->place = memo_add(b->part.memo, m, asked);
    copy_datagram(h, dg, item->draft.answer.kind == ANSWER_REFERRAL, &item->datagram);
}

void batch_message(struct batch *b, const struct datagram *dg)
{
    struct dns_message *m = &b->message;
    if (message_head(dg->bytes, dg->size, dg->wire_size, m) == MESSAGE_NOT_DNS) {
        b->counters.malformed++;
        return;
    }
    if (m->flags & DNS_QR) {
        take_response(b, dg);
        return;
    }
    if (message_parse(dg->bytes, dg->size, dg->wire_size, m) == MESSAGE_MALFORMED)
        b->counters.malformed++;
    if (dg->flow.proto == IPPROTO_TCP && b->part.transport)
        transport_asked(b->part.transport, dg);
    uint64_t first;
    if (pair_query(b->part.pair, dg, m, &first) == PAIR_TWICE && b->counters.twice[0] == 0) {
        b->counters.twice[0] = first;
        b->counters.twice[1] = dg->frame;
    }
}

static void judge_item(struct batch *b, struct item *item)
{
    const struct datagram *dg = &item->datagram;
    const struct dns_message *referral = NULL;
    struct answer *a = item->known;
    bool fresh = false;
    if (a) {
        answers_again(b->part.answers, a, dg);
    } else {
        a = answers_commit(b->part.answers, &item->draft, dg, &fresh);
        if (a == NULL)
            return;
        memo_set(item->place, a);
        if (dg->bytes) {
            message_parse(dg->bytes, dg->size, dg->wire_size, &b->message);
            referral = &b->message;
        }
    }
    b->part.on_answer(b->part.context, dg, item->id, a, item->paired ? &item->query : NULL, fresh,
                      referral);
}

/* Judges what waits, whose checks are done; what was read meanwhile waits for its own. */
static void judge_waiting(struct batch *b)
{
    struct half *h = b->waiting;
    if (b->part.ahead)
        ahead_turn(b->part.ahead);
    b->part.answers->world.budget.round++;
    for (size_t i = 0; i < h->count; i++)
        judge_item(b, &h->item[i]);
    h->count = h->used = 0;
    b->waiting = b->filling;
    b->filling = h;
}

/* Learned things go when memory is used up: what follows is judged anew. Nothing may wait then. */
static void keep_within_memory(struct batch *b)
{
    struct answers *answers = b->part.answers;
    if (!answers_must_forget(answers))
        return;
    judge_waiting(b);
    if (b->part.on_forget)
        b->part.on_forget(b->part.context);
    memo_forget(b->part.memo);
    answers_forget(answers);
}

/* The batch that was read gives way to an empty one. */
static void turn(struct batch *b)
{
    judge_waiting(b);
    keep_within_memory(b);
}

void batch_flush(struct batch *b)
{
    judge_waiting(b);
    judge_waiting(b);
    keep_within_memory(b);
}
