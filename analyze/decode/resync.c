/*
 * resync: finding a message's start; see resync.h.
 *
 * Contained in: analyze, tests. Must never: keep more than one message's head waiting.
 */
#include "analyze/decode/resync.h"

#include "sandbox/cursor.h"

enum guess { GUESS_NO, GUESS_YES, GUESS_MORE };

#define HEADER_BYTES 12

static bool known_class(uint16_t class)
{
    return class == 1 || class == 3 || class == 4 || class == 254 || class == 255;
}

/* A name without pointers (none can precede it). Moves the cursor behind it. */
static enum guess guess_name(struct cursor *c)
{
    for (size_t used = 0;;) {
        if (cursor_left(c) == 0)
            return GUESS_MORE;
        uint8_t length = cursor_u8(c);
        if (length == 0)
            return GUESS_YES;
        used += 1u + length;
        if (length > 63 || used > 254)
            return GUESS_NO;
        if (cursor_left(c) < length)
            return GUESS_MORE;
        cursor_skip(c, length);
    }
}

/* RFC 1035 4.1.1 as servers and clients really send it. */
static bool plausible_header(const uint8_t *h, size_t length)
{
    unsigned opcode = h[2] >> 3 & 15u, rcode = h[3] & 15u;
    size_t questions = (size_t)(h[4] << 8 | h[5]), answers = (size_t)(h[6] << 8 | h[7]);
    size_t rest = (size_t)(h[8] << 8 | h[9]) + (size_t)(h[10] << 8 | h[11]);
    bool response = h[2] >> 7;
    if (opcode == 3 || opcode > 6 || (h[3] & 0x40) || rcode > 11 || questions > 1)
        return false;
    if (length < HEADER_BYTES + questions * 5 + (answers + rest) * 11)
        return false;
    if (!response && opcode == 0 && (questions == 0 || answers != 0))
        return false;
    return questions + answers > 0; /* continued transfers come without a question */
}

static enum guess guess(const uint8_t *bytes, size_t size)
{
    if (size < 2)
        return GUESS_MORE;
    size_t length = (size_t)(bytes[0] << 8 | bytes[1]);
    if (length < HEADER_BYTES + 5)
        return GUESS_NO;
    if (size < 2 + HEADER_BYTES)
        return GUESS_MORE;
    const uint8_t *h = bytes + 2;
    if (!plausible_header(h, length))
        return GUESS_NO;
    struct cursor c = cursor_over(h, size - 2 < length ? size - 2 : length);
    cursor_skip(&c, HEADER_BYTES);
    enum guess name = guess_name(&c);
    if (name == GUESS_YES && cursor_left(&c) >= 4)
        return cursor_u16(&c) != 0 && known_class(cursor_u16(&c)) ? GUESS_YES : GUESS_NO;
    if (name == GUESS_NO)
        return GUESS_NO;
    return c.size == length ? GUESS_NO : GUESS_MORE; /* all there, and yet it does not fit */
}

bool resync_find(const uint8_t *bytes, size_t size, size_t *ret_skip)
{
    for (size_t at = 0; at < size; at++) {
        enum guess g = guess(bytes + at, size - at);
        if (g != GUESS_NO) {
            *ret_skip = at;
            return g == GUESS_YES;
        }
    }
    *ret_skip = size;
    return false;
}
