/*
 * json: one object, one line. Contained in: store, pack, tests. Must never write a byte below 0x20
 * inside a line.
 */
#include "evidence/json.h"

#include "evidence/text.h"
#include "sandbox/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void json_fini(struct json *j)
{
    free(j->text);
    *j = (struct json){0};
}

void json_clear(struct json *j)
{
    j->used = 0;
}

void json_raw(struct json *j, const void *bytes, size_t size)
{
    if (size >= SIZE_MAX / 4 - j->used)
        log_die("json: line too long");
    if (j->used + size + 1 > j->room) {
        size_t room = (j->used + size + 1) * 2;
        char *text = realloc(j->text, room);
        if (!text)
            log_die("json: out of memory");
        j->text = text;
        j->room = room;
    }
    if (size > 0)
        memcpy(j->text + j->used, bytes, size);
    j->used += size;
    j->text[j->used] = '\0';
}

static void put(struct json *j, const char *text)
{
    json_raw(j, text, strlen(text));
}

static void key_of(struct json *j, const char *key)
{
    char last = j->used ? j->text[j->used - 1] : '{';
    if (last != '{' && last != '[')
        put(j, ",");
    if (key) {
        put(j, "\"");
        put(j, key);
        put(j, "\":");
    }
}

void json_object(struct json *j, const char *key)
{
    if (j->used > 0)
        key_of(j, key);
    put(j, "{");
}

void json_array(struct json *j, const char *key)
{
    key_of(j, key);
    put(j, "[");
}

void json_close(struct json *j, char bracket)
{
    json_raw(j, &bracket, 1);
}

void json_text(struct json *j, const char *key, const void *bytes, size_t size)
{
    const uint8_t *p = bytes;
    bool utf8 = text_is_clean(bytes, size, true);
    key_of(j, key);
    put(j, "\"");
    for (size_t i = 0; i < size; i++) {
        char escape[8];
        if (p[i] == '"' || p[i] == '\\') {
            escape[0] = '\\';
            escape[1] = (char)p[i];
            json_raw(j, escape, 2);
        } else if (p[i] < 0x20 || p[i] == 0x7f) {
            json_raw(j, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", p[i]));
        } else if (p[i] >= 0x80 && !utf8) {
            json_raw(j, escape, (size_t)snprintf(escape, sizeof escape, "\\\\%02x", p[i]));
        } else {
            json_raw(j, p + i, 1);
        }
    }
    put(j, "\"");
}

void json_string(struct json *j, const char *key, const char *value)
{
    json_text(j, key, value, strlen(value));
}

void json_number(struct json *j, const char *key, uint64_t value)
{
    char digits[32];
    key_of(j, key);
    json_raw(j, digits, (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)value));
}

void json_signed(struct json *j, const char *key, int64_t value)
{
    char digits[32];
    key_of(j, key);
    json_raw(j, digits, (size_t)snprintf(digits, sizeof digits, "%lld", (long long)value));
}

void json_bool(struct json *j, const char *key, bool value)
{
    key_of(j, key);
    put(j, value ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
    key_of(j, key);
    put(j, "null");
}

void json_time(struct json *j, const char *key, int64_t time_ns)
{
    char text[TEXT_TIME_ROOM];
    text_time(time_ns, text);
    json_string(j, key, text);
}

void json_hex(struct json *j, const char *key, const uint8_t *bytes, size_t size)
{
    char text[TEXT_HEX_ROOM(64)];
    if (size > 64)
        log_die("json: hash of %zu bytes", size);
    text_hex(bytes, size, text);
    json_string(j, key, text);
}

void json_base64(struct json *j, const char *key, const uint8_t *bytes, size_t size)
{
    char text[TEXT_BASE64_ROOM(64)];
    if (size > 64)
        log_die("json: key of %zu bytes", size);
    text_base64(bytes, size, text);
    json_string(j, key, text);
}
