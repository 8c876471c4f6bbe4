/*
 * text: hex, base64, times, names. Contained in: store, sign, pack, tests. Must never depend on the
 * locale or the time zone.
 */
#include "evidence/text.h"

#include "evidence/format.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void text_hex(const uint8_t *bytes, size_t size, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        ret_text[2 * i] = digits[bytes[i] >> 4];
        ret_text[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret_text[2 * size] = '\0';
}

size_t text_base64(const uint8_t *bytes, size_t size, char *ret_text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at = 0;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t)bytes[i] << 16;
        if (left > 1)
            group |= (uint32_t)bytes[i + 1] << 8;
        if (left > 2)
            group |= bytes[i + 2];
        ret_text[at++] = digits[group >> 18];
        ret_text[at++] = digits[group >> 12 & 63];
        ret_text[at++] = left > 1 ? digits[group >> 6 & 63] : '=';
        ret_text[at++] = left > 2 ? digits[group & 63] : '=';
    }
    ret_text[at] = '\0';
    return at;
}

/* Floor division: times before 1970 have a positive fraction too. */
static struct tm broken_down(int64_t seconds)
{
    struct tm tm;
    time_t t = (time_t)seconds;
    memset(&tm, 0, sizeof tm);
    (void)gmtime_r(&t, &tm);
    return tm;
}

void text_time(int64_t time_ns, char ret_text[TEXT_TIME_ROOM])
{
    int64_t seconds = time_ns / 1000000000, fraction = time_ns % 1000000000;
    if (fraction < 0) {
        fraction += 1000000000;
        seconds--;
    }
    struct tm tm = broken_down(seconds);
    (void)snprintf(ret_text, TEXT_TIME_ROOM, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ",
                   tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                   (int)fraction);
}

void text_time_id(int64_t seconds, char ret_text[TEXT_TIME_ROOM])
{
    struct tm tm = broken_down(seconds);
    (void)snprintf(ret_text, TEXT_TIME_ROOM, BUNDLE_TIME, tm.tm_year + 1900, tm.tm_mon + 1,
                   tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void text_time_seconds(int64_t seconds, char ret_text[TEXT_TIME_ROOM])
{
    struct tm tm = broken_down(seconds);
    (void)snprintf(ret_text, TEXT_TIME_ROOM, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
                   tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void text_date(int64_t seconds, char ret_text[TEXT_TIME_ROOM])
{
    struct tm tm = broken_down(seconds);
    (void)snprintf(ret_text, TEXT_TIME_ROOM, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1,
                   tm.tm_mday);
}

bool text_parse_time(const char *text, size_t size, int64_t *ret_ns)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddddddddZ";
    int value[7] = {0};
    size_t field = 0;
    if (size != sizeof form - 1)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (form[i] == 'd') {
            if (text[i] < '0' || text[i] > '9')
                return false;
            value[field] = value[field] * 10 + (text[i] - '0');
        } else if (text[i] != form[i]) {
            return false;
        } else {
            field++;
        }
    }
    struct tm tm = {.tm_year = value[0] - 1900,
                    .tm_mon = value[1] - 1,
                    .tm_mday = value[2],
                    .tm_hour = value[3],
                    .tm_min = value[4],
                    .tm_sec = value[5]};
    int64_t seconds = (int64_t)timegm(&tm);
    if (seconds > INT64_MAX / 1000000000 - 1 || seconds < INT64_MIN / 1000000000 + 1)
        return false;
    /* timegm is lenient (February 30th); what it changed was not a time. */
    int64_t ns = seconds * 1000000000 + value[6];
    char again[TEXT_TIME_ROOM];
    text_time(ns, again);
    if (strlen(again) != size || memcmp(again, text, size) != 0)
        return false;
    *ret_ns = ns;
    return true;
}

void text_member_name(const char *path, char *ret_name, size_t room)
{
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    size_t length = strlen(base), keep = room - 1 < NAME_MAX_KEPT ? room - 1 : NAME_MAX_KEPT;
    if (length > keep) {
        base += length - keep;
        length = keep;
    }
    for (size_t i = 0; i < length; i++) {
        char c = base[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                     (c == '.' && i > 0);
        ret_name[i] = plain ? c : '_';
    }
    if (length == 0)
        ret_name[length++] = '_';
    ret_name[length] = '\0';
}

/* Bytes of the UTF-8 character at p (RFC 3629 section 4), 0 if it is none. */
static size_t character_at(const uint8_t *p, size_t left)
{
    uint8_t low = 0x80, high = 0xbf;
    size_t size;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        size = 2;
    } else if ((p[0] & 0xf0) == 0xe0) {
        size = 3;
        low = p[0] == 0xe0 ? 0xa0 : 0x80;
        high = p[0] == 0xed ? 0x9f : 0xbf; /* no surrogates */
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        size = 4;
        low = p[0] == 0xf0 ? 0x90 : 0x80;
        high = p[0] == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (size > left || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

/* Bytes from p on, in steps of eight, that are 0x20 to 0x7f: nearly all of them. */
static size_t plain_run(const uint8_t *p, size_t left)
{
    static const uint64_t highs = UINT64_C(0x8080808080808080);
    size_t at = 0;
    for (; left - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, p + at, sizeof word);
        /* With its high bit set no byte borrows from its neighbour; below 0x20 it loses the bit. */
        if ((word & highs) || (((word | highs) - UINT64_C(0x2020202020202020)) & highs) != highs)
            break;
    }
    return at;
}

bool text_is_clean(const void *bytes, size_t size, bool lines)
{
    const uint8_t *p = bytes;
    size_t at = plain_run(p, size);
    while (at < size) {
        if (p[at] < 0x20 && !(lines && (p[at] == '\n' || p[at] == '\t')))
            return false;
        size_t step = character_at(p + at, size - at);
        if (step == 0)
            return false;
        at += step;
        at += plain_run(p + at, size - at);
    }
    return true;
}
