/*
 * verify_record: one record of the log, scanned by the table in evidence/format.h.
 *
 * Contained in: verify, tests. Must never: accept a key more, less or elsewhere than the table
 * says.
 */
#include "evidence/verify_record.h"

#include "sandbox/log.h"

#include <string.h>

static const struct {
    const char *type, *keys;
} specification[] = {
#define X(id, type, keys) {type, keys},
    LOG_RECORDS(X)
#undef X
};

/* A key of the table: "name", "name:kind" or "name:kind?". */
struct key {
    const char *name, *kind;
    size_t name_size, kind_size;
    bool optional;
};

static bool next_key(const char **rest, struct key *ret_key)
{
    const char *at = *rest;
    if (*at == '\0')
        return false;
    size_t size = strcspn(at, ",");
    const char *colon = memchr(at, ':', size);
    struct key key = {.name = at, .name_size = colon ? (size_t)(colon - at) : size, .kind = "text"};
    key.kind_size = 4;
    if (colon) {
        key.kind = colon + 1;
        key.kind_size = size - key.name_size - 1;
        key.optional = key.kind[key.kind_size - 1] == '?';
        key.kind_size -= key.optional;
    }
    *rest = at + size + (at[size] == ',');
    *ret_key = key;
    return true;
}

static bool is(const char *at, size_t size, const char *text)
{
    return strlen(text) == size && memcmp(at, text, size) == 0;
}

static void scan_hash(struct scan *s, uint8_t *ret_hash)
{
    scan_literal(s, "\"");
    scan_hex(s, ret_hash, HASH_BYTES);
    scan_literal(s, "\"");
}

static void scan_file(struct scan *s, struct record_file *ret_file)
{
    scan_literal(s, "{\"file\":");
    ret_file->file = scan_string(s);
    scan_literal(s, ",\"size\":");
    ret_file->size = scan_number(s);
    scan_literal(s, ",\"sha256\":");
    scan_hash(s, ret_file->sha256);
    scan_literal(s, "}");
}

bool verify_record_next_file(struct scan *rest, struct record_file *ret_file)
{
    if (!scan_try(rest, "[") && !scan_try(rest, ","))
        return false;
    if (rest->at < rest->end && *rest->at == ']')
        return false;
    scan_file(rest, ret_file);
    return !rest->failed;
}

static void scan_files(struct scan *s)
{
    struct record_file file;
    scan_literal(s, "[");
    if (scan_try(s, "]"))
        return;
    do
        scan_file(s, &file);
    while (!s->failed && scan_try(s, ","));
    scan_literal(s, "]");
}

static void scan_previous(struct scan *s)
{
    uint8_t hash[HASH_BYTES];
    scan_literal(s, "{\"log\":");
    scan_string(s);
    scan_literal(s, ",\"size\":");
    scan_number(s);
    scan_literal(s, ",\"root\":");
    if (!verify_base64(scan_string(s), hash, sizeof hash))
        s->failed = true;
    scan_literal(s, ",\"head\":");
    scan_hash(s, hash);
    scan_literal(s, ",\"state\":");
    struct verify_text state = scan_string(s);
    if (!verify_text_is(state, "closed") && !verify_text_is(state, "open") &&
        !verify_text_is(state, "damaged"))
        s->failed = true;
    scan_literal(s, "}");
}

/* A value that must be whole in its own syntax and is read later. */
static struct verify_text scan_whole(struct scan *s, void (*syntax)(struct scan *))
{
    const char *start = s->at;
    syntax(s);
    size_t size = s->failed ? 0 : (size_t)(s->at - start);
    return (struct verify_text){.at = start, .size = size};
}

static struct record_value scan_value(struct scan *s, const struct key *key)
{
    struct record_value value = {.text = {.at = "", .size = 0}};
    bool previous = is(key->name, key->name_size, "previous");
    bool nullable = key->optional || previous || is(key->kind, key->kind_size, "null");
    if (nullable && scan_try(s, "null")) {
        value.is_null = true;
    } else if (previous) {
        value.text = scan_whole(s, scan_previous);
    } else if (is(key->name, key->name_size, "inputs") || is(key->name, key->name_size, "files")) {
        value.text = scan_whole(s, scan_files);
    } else if (is(key->name, key->name_size, "step_ns")) {
        value.number = scan_signed(s);
    } else if (is(key->kind, key->kind_size, "int")) {
        value.number = (int64_t)scan_number(s);
    } else if (is(key->kind, key->kind_size, "bool")) {
        value.number = scan_try(s, "true");
        if (!value.number)
            scan_literal(s, "false");
    } else if (is(key->kind, key->kind_size, "time")) {
        scan_literal(s, "\"");
        value.number = scan_time(s);
        scan_literal(s, "\"");
    } else if (is(key->kind, key->kind_size, "text")) {
        value.text = scan_string(s);
    } else {
        s->failed = true;
    }
    return value;
}

static enum record_type type_named(struct verify_text name)
{
    size_t type = 0;
    while (type < RECORD_TYPE_COUNT && !verify_text_is(name, specification[type].type))
        type++;
    return (enum record_type)type;
}

bool verify_record_read(struct verify_text line, struct record *ret_record)
{
    struct record r = {.count = 0};
    struct scan s = scan_over(line);
    scan_literal(&s, "{\"seq\":");
    r.seq = scan_number(&s);
    scan_literal(&s, ",\"prev\":");
    scan_hash(&s, r.prev);
    scan_literal(&s, ",\"type\":");
    r.type = type_named(scan_string(&s));
    scan_literal(&s, ",\"time\":\"");
    r.time = scan_time(&s);
    scan_literal(&s, "\"");
    if (s.failed || r.type == RECORD_TYPE_COUNT)
        return false;
    const char *rest = specification[r.type].keys;
    struct key key;
    while (r.count < RECORD_VALUES_MAX && next_key(&rest, &key)) {
        char name[40] = ",\"";
        memcpy(name + 2, key.name, key.name_size);
        memcpy(name + 2 + key.name_size, "\":", 3);
        scan_literal(&s, name);
        r.value[r.count++] = scan_value(&s, &key);
    }
    scan_literal(&s, "}");
    if (!scan_done(&s) || *rest != '\0')
        return false;
    *ret_record = r;
    return true;
}

const char *verify_record_type(enum record_type type)
{
    return specification[type].type;
}

const struct record_value *verify_record_get(const struct record *r, const char *name)
{
    const char *rest = specification[r->type].keys;
    struct key key;
    for (size_t i = 0; next_key(&rest, &key); i++)
        if (is(key.name, key.name_size, name))
            return &r->value[i];
    log_die("record %s has no %s", specification[r->type].type, name);
}

bool verify_record_hex(const struct record *r, const char *key, uint8_t *ret_bytes, size_t size)
{
    struct scan s = scan_over(verify_record_get(r, key)->text);
    scan_hex(&s, ret_bytes, size);
    return scan_done(&s);
}
