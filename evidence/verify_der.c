/*
 * verify_der: DER (X.690), one element at a time, strictly.
 *
 * Contained in: verify, tests. Must never: accept a second encoding of anything.
 */
#include "evidence/verify_der.h"

#include <time.h>

struct der verify_der_take(struct cursor *c, uint8_t tag)
{
    /* A cursor that has failed may have no bytes at all. */
    size_t start = c->at;
    struct der element = {.whole = c->base ? c->base + start : NULL, .content = {.failed = true}};
    if (cursor_u8(c) != tag)
        c->failed = true;
    size_t length = cursor_u8(c);
    if (length >= 0x80) {
        size_t octets = length & 0x7f;
        if (octets == 0 || octets > 4)
            c->failed = true;
        length = 0;
        for (size_t i = 0; i < octets && cursor_ok(c); i++)
            length = length << 8 | cursor_u8(c);
        /* The shortest form: no leading zero, and no long form where the short one fits. */
        if (length < 0x80 || (octets > 1 && length >> (8 * (octets - 1)) == 0))
            c->failed = true;
    }
    const uint8_t *content = cursor_bytes(c, length);
    if (!content)
        return element;
    element.content = cursor_over(content, length);
    element.whole_size = c->at - start;
    return element;
}

uint8_t verify_der_peek(const struct cursor *c)
{
    return cursor_left(c) > 0 ? c->base[c->at] : 0;
}

void verify_der_expect(struct cursor *c, const void *bytes, size_t size)
{
    const uint8_t *found = cursor_bytes(c, size);
    if (found && memcmp(found, bytes, size) != 0)
        c->failed = true;
}

bool verify_der_end(const struct cursor *c)
{
    return cursor_ok(c) && cursor_left(c) == 0;
}

static int digits(const uint8_t *at, size_t count)
{
    int value = 0;
    for (size_t i = 0; i < count; i++) {
        if (at[i] < '0' || at[i] > '9')
            return -1;
        value = value * 10 + (at[i] - '0');
    }
    return value;
}

bool verify_der_time(struct cursor *c, int64_t *ret_seconds)
{
    bool utc = verify_der_peek(c) == DER_UTC_TIME;
    struct der element = verify_der_take(c, utc ? DER_UTC_TIME : DER_TIME);
    size_t year_digits = utc ? 2 : 4;
    const uint8_t *text = cursor_bytes(&element.content, year_digits + 11);
    if (!text || cursor_left(&element.content) > 0 || text[year_digits + 10] != 'Z')
        return false;
    int year = digits(text, year_digits);
    const uint8_t *rest = text + year_digits;
    int month = digits(rest, 2), day = digits(rest + 2, 2), hour = digits(rest + 4, 2),
        minute = digits(rest + 6, 2), second = digits(rest + 8, 2);
    if (year < 0 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59 || second < 0 || second > 59)
        return false;
    /* RFC 5652 11.3: through 2049 UTCTime, afterwards GeneralizedTime. */
    if (utc)
        year += year < 50 ? 2000 : 1900;
    else if (year < 2050)
        return false;
    struct tm tm = {.tm_year = year - 1900,
                    .tm_mon = month - 1,
                    .tm_mday = day,
                    .tm_hour = hour,
                    .tm_min = minute,
                    .tm_sec = second};
    *ret_seconds = (int64_t)timegm(&tm);
    return true;
}
