/*
 * conf: YAML that people write, with errors that name file and line.
 *
 * Contained in: analyze, tests. Must never be given bytes from packets, nor open a file.
 */
#include "rules/conf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS          1000000000
#define YEARS_100_S ((int64_t)36525 * 86400)

static void conf_printable(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
            *text = '?';
}

int conf_fail(struct conf *conf, const yaml_node_t *node, const char *format, ...)
{
    char what[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    conf_printable(what);
    if (conf->error_room)
        snprintf(conf->error, conf->error_room, "%s:%zu: %s", conf->file,
                 node ? node->start_mark.line + 1 : (size_t)1, what);
    return -1;
}

int conf_open(struct conf *conf, const char *file, const void *text, size_t size, char *ret_error,
              size_t error_room)
{
    yaml_parser_t parser;
    *conf = (struct conf){.file = file, .error = ret_error, .error_room = error_room};
    if (!yaml_parser_initialize(&parser)) {
        if (error_room)
            snprintf(ret_error, error_room, "%s:1: out of memory", file);
        return -1;
    }
    yaml_parser_set_input_string(&parser, text, size);
    int ok = yaml_parser_load(&parser, &conf->document);
    if (!ok && error_room) {
        char what[256];
        snprintf(what, sizeof what, "expected YAML: %s", parser.problem ? parser.problem : "");
        conf_printable(what);
        snprintf(ret_error, error_room, "%s:%zu: %s", file, parser.problem_mark.line + 1, what);
    }
    yaml_parser_delete(&parser);
    return ok ? 0 : -1;
}

void conf_close(struct conf *conf)
{
    yaml_document_delete(&conf->document);
}

const yaml_node_t *conf_top(struct conf *conf)
{
    return yaml_document_get_root_node(&conf->document);
}

int conf_pairs(struct conf *conf, const yaml_node_t *node, conf_read_pair *read, void *context)
{
    if (node->type != YAML_MAPPING_NODE)
        return conf_fail(conf, node, "expected a mapping (key: value)");
    const yaml_node_pair_t *start = node->data.mapping.pairs.start;
    const yaml_node_pair_t *top = node->data.mapping.pairs.top;
    for (const yaml_node_pair_t *pair = start; pair < top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(&conf->document, pair->key);
        const yaml_node_t *value = yaml_document_get_node(&conf->document, pair->value);
        const char *name = conf_text(conf, key, "a key");
        if (!name)
            return -1;
        for (const yaml_node_pair_t *before = start; before < pair; before++) {
            const yaml_node_t *other = yaml_document_get_node(&conf->document, before->key);
            if (strcmp(name, (const char *)other->data.scalar.value) == 0)
                return conf_fail(conf, key, "\"%s\" is given twice", name);
        }
        if (read(conf, key, value, context) != 0)
            return -1;
    }
    return 0;
}

struct map_context {
    const struct conf_field *fields;
    size_t count;
    void *context;
};

static int conf_map_pair(struct conf *conf, const yaml_node_t *key, const yaml_node_t *value,
                         void *context)
{
    const struct map_context *map = context;
    const char *name = (const char *)key->data.scalar.value;
    char known[256];
    size_t used = 0;
    known[0] = '\0';
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(name, map->fields[i].key) == 0)
            return map->fields[i].read(conf, value, map->context);
        if (used < sizeof known) {
            int n = snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "",
                             map->fields[i].key);
            used += n > 0 ? (size_t)n : 0;
        }
    }
    return conf_fail(conf, key, "\"%s\" is not known here; expected one of %s", name, known);
}

int conf_map(struct conf *conf, const yaml_node_t *node, const struct conf_field *fields,
             size_t count, void *context)
{
    struct map_context map = {fields, count, context};
    return conf_pairs(conf, node, conf_map_pair, &map);
}

int conf_list(struct conf *conf, const yaml_node_t *node, conf_read *read, void *context)
{
    if (node->type != YAML_SEQUENCE_NODE)
        return conf_fail(conf, node, "expected a list");
    const yaml_node_item_t *top = node->data.sequence.items.top;
    for (const yaml_node_item_t *item = node->data.sequence.items.start; item < top; item++)
        if (read(conf, yaml_document_get_node(&conf->document, *item), context) != 0)
            return -1;
    return 0;
}

const char *conf_text(struct conf *conf, const yaml_node_t *node, const char *what)
{
    if (node->type != YAML_SCALAR_NODE ||
        strlen((const char *)node->data.scalar.value) != node->data.scalar.length) {
        conf_fail(conf, node, "expected %s", what);
        return NULL;
    }
    return (const char *)node->data.scalar.value;
}

int conf_bool(struct conf *conf, const yaml_node_t *node, bool *ret)
{
    const char *text = conf_text(conf, node, "true or false");
    if (!text)
        return -1;
    if (strcmp(text, "true") == 0 || strcmp(text, "yes") == 0)
        *ret = true;
    else if (strcmp(text, "false") == 0 || strcmp(text, "no") == 0)
        *ret = false;
    else
        return conf_fail(conf, node, "expected true or false, not \"%s\"", text);
    return 0;
}

int conf_number(struct conf *conf, const yaml_node_t *node, uint64_t least, uint64_t most,
                uint64_t *ret)
{
    const char *text = conf_text(conf, node, "a number");
    if (!text)
        return -1;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || value < least || value > most)
        return conf_fail(conf, node, "expected a number from %llu to %llu, not \"%s\"",
                         (unsigned long long)least, (unsigned long long)most, text);
    *ret = value;
    return 0;
}

static int64_t unit_seconds(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    case 'w':
        return 7 * 86400;
    default:
        return 0;
    }
}

int conf_duration(struct conf *conf, const yaml_node_t *node, int64_t *ret_ns)
{
    const char *text = conf_text(conf, node, "a duration like 48h or 14d");
    if (!text)
        return -1;
    int64_t total = 0;
    const char *at = text;
    do {
        char *end;
        errno = 0;
        long long value = strtoll(at, &end, 10);
        int64_t unit = unit_seconds(*end);
        if (*at < '0' || *at > '9' || errno || !unit || value > YEARS_100_S / unit)
            return conf_fail(conf, node, "expected a duration like 48h or 14d, not \"%s\"", text);
        total += value * unit;
        if (total > YEARS_100_S)
            return conf_fail(conf, node, "expected a duration under 100 years, not \"%s\"", text);
        at = end + 1;
    } while (*at);
    *ret_ns = total * NS;
    return 0;
}

int conf_parse_time(const char *text, bool end, int64_t *ret_ns)
{
    struct tm tm = {0};
    const char *rest = strptime(text, "%Y-%m-%d", &tm);
    if (!rest || strlen(text) < 10)
        return -1;
    int64_t offset = 0;
    bool date_only = *rest == '\0';
    if (!date_only) {
        if (*rest != 'T' && *rest != 't' && *rest != ' ')
            return -1;
        rest = strptime(rest + 1, "%H:%M:%S", &tm);
        if (!rest)
            return -1;
        if (*rest == '+' || *rest == '-') {
            unsigned hours, minutes;
            if (strlen(rest) != 6 || sscanf(rest + 1, "%2u:%2u", &hours, &minutes) != 2 ||
                hours > 14 || minutes > 59)
                return -1;
            offset = (int64_t)(hours * 3600 + minutes * 60) * (*rest == '+' ? 1 : -1);
        } else if (strcmp(rest, "Z") != 0 && strcmp(rest, "z") != 0) {
            return -1;
        }
    }
    int64_t seconds = (int64_t)timegm(&tm) - offset;
    if (seconds < 0 || seconds > INT64_MAX / NS - 86400)
        return -1;
    *ret_ns = seconds * NS + (date_only && end ? (int64_t)86400 * NS - 1 : 0);
    return 0;
}

int conf_time(struct conf *conf, const yaml_node_t *node, bool end, int64_t *ret_ns)
{
    const char *text = conf_text(conf, node, "a time like 2026-11-20T00:00:00Z");
    if (!text)
        return -1;
    if (conf_parse_time(text, end, ret_ns) != 0)
        return conf_fail(conf, node, "expected a time like 2026-11-20T00:00:00Z, not \"%s\"", text);
    return 0;
}
