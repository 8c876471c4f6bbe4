/*
 * record: MSG_HISTORY, read as hostile.
 *
 * Contained in: history, tests. Must never: look beyond a length that was checked.
 */
#include "history/record.h"

#include "analyze/facts.h"
#include "analyze/name.h"
#include "analyze/types.h"
#include "analyze/verdict.h"

#include <string.h>

#define RRSIG_FIXED 18 /* RFC 4034 3.1: before the signer */

bool record_next(const uint8_t **at, size_t *left, struct record_piece *ret_piece)
{
    uint16_t size;
    if (*left < sizeof size)
        return false;
    memcpy(&size, *at, sizeof size);
    if (*left - sizeof size < size)
        return false;
    *ret_piece = (struct record_piece){*at + sizeof size, size};
    *at += sizeof size + size;
    *left -= sizeof size + size;
    return true;
}

/* An uncompressed name at the start of `bytes`: its length, 0 if it is none. */
static size_t name_length(const uint8_t *bytes, size_t size)
{
    size_t at = 0;
    while (at < size && at < NAME_MAX_BYTES) {
        uint8_t label = bytes[at];
        if (label == 0)
            return at + 1;
        if (label > 63)
            return 0;
        at += 1u + label;
    }
    return 0;
}

static bool take_parts(const uint8_t **at, size_t *left, void *to, size_t size)
{
    if (*left < size)
        return false;
    memcpy(to, *at, size);
    *at += size;
    *left -= size;
    return true;
}

static bool read_signature(struct record *r, size_t i)
{
    const struct record_piece *p = &r->signature[i].rdata;
    if (p->size <= RRSIG_FIXED)
        return false;
    size_t signer = name_length(p->bytes + RRSIG_FIXED, p->size - (size_t)RRSIG_FIXED);
    r->signature[i].signer = p->bytes + RRSIG_FIXED;
    r->signature[i].bytes = p->bytes + RRSIG_FIXED + signer;
    r->signature[i].bytes_size = p->size - RRSIG_FIXED - signer;
    return signer > 0;
}

bool record_read(const uint8_t *bytes, size_t size, struct record *ret_record)
{
    struct record *r = ret_record;
    const uint8_t *at = bytes;
    size_t left = size;
    uint8_t states[RECORD_SIGNATURES_MAX];
    struct record_piece piece;
    if (!take_parts(&at, &left, &r->head, sizeof r->head) || r->head.servers > RECORD_SERVERS_MAX ||
        r->head.signatures > RECORD_SIGNATURES_MAX ||
        !take_parts(&at, &left, r->server, r->head.servers * sizeof *r->server) ||
        !take_parts(&at, &left, states, r->head.signatures))
        return false;
    r->owner = at;
    if (name_length(at, left) != r->head.owner_size || r->head.records == 0 ||
        r->head.reason >= REASON_COUNT || (r->head.count > 0 && r->head.first_ns > r->head.last_ns))
        return false;
    at += r->head.owner_size;
    left -= r->head.owner_size;
    r->records = at;
    for (uint16_t i = 0; i < r->head.records; i++)
        if (!record_next(&at, &left, &piece))
            return false;
    r->records_size = (size_t)(at - r->records);
    for (uint8_t i = 0; i < r->head.signatures; i++) {
        r->signature[i].state = states[i];
        if (!record_next(&at, &left, &r->signature[i].rdata) || !read_signature(r, i))
            return false;
    }
    return left == 0;
}

size_t record_text(const struct record *r, char *ret_text, size_t room)
{
    static const char cut[] = "...";
    const uint8_t *at = r->records;
    size_t left = r->records_size, used = 0;
    struct record_piece piece;
    while (record_next(&at, &left, &piece)) {
        if (used + sizeof cut + 16 > room) {
            memcpy(ret_text + used, cut, sizeof cut);
            return used + sizeof cut - 1;
        }
        if (used)
            ret_text[used++] = '\n';
        types_rdata_text(r->head.type, piece.bytes, piece.size, ret_text + used, room - used);
        used += strlen(ret_text + used);
    }
    return used;
}

const char *record_state(uint8_t state)
{
    static const char *const words[] = {
        [0] = "unchecked",
        [1 + SIGNATURE_VALID] = "valid",
        [1 + SIGNATURE_BAD] = "bad",
        [1 + SIGNATURE_EXPIRED] = "expired",
        [1 + SIGNATURE_FUTURE] = "not-yet-valid",
        [1 + SIGNATURE_KEY_UNKNOWN] = "key-unknown",
        [1 + SIGNATURE_MALFORMED] = "malformed",
        [1 + SIGNATURE_UNCHECKED] = "unchecked",
    };
    return state < sizeof words / sizeof *words ? words[state] : words[0];
}

int64_t record_seconds(const uint8_t *wire, int64_t near_ns)
{
    uint32_t serial =
        (uint32_t)wire[0] << 24 | (uint32_t)wire[1] << 16 | (uint32_t)wire[2] << 8 | wire[3];
    int64_t now = near_ns / 1000000000;
    return now + (int32_t)(serial - (uint32_t)now);
}
