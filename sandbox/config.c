/*
 * config: one flat YAML mapping, by libyaml, whose nodes know their lines: a mistake is told with
 * file, line and what was expected. Numbers are read as text, so that they may carry units.
 *
 * Contained in: supervisor.
 */
#include "sandbox/config.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "sandbox/log.h"
#include "sandbox/options.h"

#define TEXT_MAX 4096 /* a value */

struct reading {
    const char *path;
    yaml_document_t *document;
    struct settings *settings;
    struct config result;
};

static const char *const setting_keys[] = {
#define X(field, key, value, least, most, text) key,
    SETTINGS(X)
#undef X
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

__attribute__((format(printf, 3, 4))) static int wrong(const struct reading *r, size_t line,
                                                       const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    log_line(LOG_ERROR, "%s:%zu: %s", r->path, line, text);
    return -1;
}

static size_t line_of(const yaml_node_t *node)
{
    return node->start_mark.line + 1;
}

/* What the operator wrote, fit for a terminal. */
static const char *shown(const char *text, char ret_text[160])
{
    size_t size = strlen(text);
    return log_escape(text, size < 64 ? size : 64, ret_text, 160);
}

/* NULL, with the reason logged: not one value, too long, or holding a NUL. */
static const char *scalar(const struct reading *r, const yaml_node_t *node, const char *key,
                          const char *expected)
{
    if (node->type == YAML_SCALAR_NODE && node->data.scalar.length <= TEXT_MAX &&
        strlen((const char *)node->data.scalar.value) == node->data.scalar.length)
        return (const char *)node->data.scalar.value;
    wrong(r, line_of(node), "%s: expected %s", key, expected);
    return NULL;
}

/* --- values ---------------------------------------------------------------------------------- */

static int take_setting(struct reading *r, const char *key, const yaml_node_t *node)
{
    char why[80], word[160];
    const char *text = scalar(r, node, key, "one number, which may carry a unit");
    if (!text)
        return -1;
    return settings_set(r->settings, key, text, why, sizeof why) == 0
               ? 0
               : wrong(r, line_of(node), "%s: %s: %s", key, shown(text, word), why);
}

static int take_ports(struct reading *r, const yaml_node_t *node)
{
    uint16_t ports[SETTINGS_PORTS] = {0};
    size_t count = 0;
    if (node->type != YAML_SEQUENCE_NODE)
        return wrong(r, line_of(node), "ports: expected a list like [53, 5353]");
    for (const yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        const yaml_node_t *port = yaml_document_get_node(r->document, *item);
        char word[160], *end = NULL;
        const char *text = scalar(r, port, "ports", "a port, 1 to 65535");
        if (!text)
            return -1;
        unsigned long number = strtoul(text, &end, 10);
        if (text[0] < '0' || text[0] > '9' || *end || number == 0 || number > 65535)
            return wrong(r, line_of(port), "ports: %s: expected a port, 1 to 65535",
                         shown(text, word));
        if (count == SETTINGS_PORTS)
            return wrong(r, line_of(port), "ports: expected at most %d", SETTINGS_PORTS);
        ports[count++] = (uint16_t)number;
    }
    if (count == 0)
        return wrong(r, line_of(node), "ports: expected at least one");
    memcpy(r->settings->ports, ports, sizeof ports);
    return 0;
}

static int take_sensor(struct reading *r, const yaml_node_t *node)
{
    const char *text =
        scalar(r, node, "sensor", "a name of lower-case letters, digits, '-' and '.'");
    if (!text)
        return -1;
    return options_sensor(r->settings, text) == 0
               ? 0
               : wrong(r, line_of(node),
                       "sensor: expected a name of at most 63 lower-case letters, digits, '-' and "
                       "'.'");
}

/* A name in the configuration is relative to the configuration. */
static int take_path(struct reading *r, const char *key, const yaml_node_t *node, char **ret_path)
{
    const char *name = scalar(r, node, key, "the name of a file or folder");
    const char *slash = strrchr(r->path, '/');
    if (!name)
        return -1;
    if (!name[0])
        return wrong(r, line_of(node), "%s: expected the name of a file or folder", key);
    int folder = name[0] == '/' || !slash ? 0 : (int)(slash + 1 - r->path);
    if (asprintf(ret_path, "%.*s%s", folder, r->path, name) < 0)
        log_die("out of memory");
    return 0;
}

/* --- the mapping ------------------------------------------------------------------------------ */

static int take(struct reading *r, const yaml_node_t *key, const yaml_node_t *value)
{
    char word[160];
    const char *name = scalar(r, key, "a key", "the name of a setting");
    if (!name)
        return -1;
    if (strcmp(name, "ports") == 0)
        return take_ports(r, value);
    if (strcmp(name, "sensor") == 0)
        return take_sensor(r, value);
    if (strcmp(name, "identity") == 0)
        return take_path(r, name, value, &r->result.identity);
    if (strcmp(name, "profile") == 0)
        return take_path(r, name, value, &r->result.profile);
    for (size_t i = 0; i < COUNT(setting_keys); i++)
        if (strcmp(name, setting_keys[i]) == 0)
            return take_setting(r, name, value);
    return wrong(r, line_of(key), "no setting is called \"%s\"; dnsbailiff(1) lists them",
                 shown(name, word));
}

static bool same_key(const yaml_node_t *a, const yaml_node_t *b)
{
    return a->type == YAML_SCALAR_NODE && b->type == YAML_SCALAR_NODE &&
           strcmp((const char *)a->data.scalar.value, (const char *)b->data.scalar.value) == 0;
}

static int take_all(struct reading *r, const yaml_node_t *top)
{
    if (top->type != YAML_MAPPING_NODE)
        return wrong(r, line_of(top), "expected settings, one a line, like `ring-bytes: 32MiB`");
    const yaml_node_pair_t *first = top->data.mapping.pairs.start;
    for (const yaml_node_pair_t *pair = first; pair < top->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(r->document, pair->key);
        for (const yaml_node_pair_t *other = first; other < pair; other++)
            if (same_key(yaml_document_get_node(r->document, other->key), key))
                return wrong(r, line_of(key), "%s: expected each setting once",
                             (const char *)key->data.scalar.value);
        if (take(r, key, yaml_document_get_node(r->document, pair->value)))
            return -1;
    }
    return 0;
}

/* A second document would go unread. */
static int only_document(const struct reading *r, yaml_parser_t *parser)
{
    yaml_document_t next;
    if (!yaml_parser_load(parser, &next))
        return wrong(r, parser->problem_mark.line + 1, "not YAML: %s",
                     parser->problem ? parser->problem : "out of memory");
    const yaml_node_t *top = yaml_document_get_root_node(&next);
    int failed = top ? wrong(r, line_of(top), "expected one document") : 0;
    yaml_document_delete(&next);
    return failed;
}

int config_parse(const char *path, const uint8_t *bytes, size_t size, struct settings *settings,
                 struct config *ret_config)
{
    struct reading r = {.path = path, .settings = settings};
    yaml_document_t document;
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        log_die("out of memory");
    yaml_parser_set_input_string(&parser, bytes, size);
    if (!yaml_parser_load(&parser, &document)) {
        wrong(&r, parser.problem_mark.line + 1, "not YAML: %s",
              parser.problem ? parser.problem : "out of memory");
        yaml_parser_delete(&parser);
        return -1;
    }
    r.document = &document;
    const yaml_node_t *top = yaml_document_get_root_node(&document);
    /* a file of comments alone is a file of defaults */
    int failed = top ? take_all(&r, top) || only_document(&r, &parser) : 0;
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
    if (failed)
        config_fini(&r.result);
    else
        *ret_config = r.result;
    return failed ? -1 : 0;
}

void config_fini(struct config *c)
{
    free(c->identity);
    free(c->profile);
    *c = (struct config){0};
}
