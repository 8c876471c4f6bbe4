/*
 * conf: YAML that people write (profile, policy), read with errors that name file, line and what
 * was expected.
 *
 * Contained in: analyze, tests; used before confinement only. libyaml parses to a document whose
 * nodes know their lines: most mistakes here are in the meaning of a value (a name, a time, a
 * rule's id), not in its type. Never reads files.
 */
#ifndef RULES_CONF_H
#define RULES_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

struct conf {
    const char *file;
    char *error; /* first mistake, "file:line: what was expected" */
    size_t error_room;
    yaml_document_t document;
};

/* All int functions: 0, or -1 with conf->error filled. */
int conf_open(struct conf *, const char *file, const void *text, size_t size, char *ret_error,
              size_t error_room);
void conf_close(struct conf *); /* only after a conf_open that returned 0 */
/* The top node; NULL for an empty document. */
const yaml_node_t *conf_top(struct conf *);

/* A mistake at this node; returns -1. The bytes of the file are escaped. */
int conf_fail(struct conf *, const yaml_node_t *, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

typedef int conf_read(struct conf *, const yaml_node_t *value, void *context);

struct conf_field {
    const char *key;
    conf_read *read;
};

/* A mapping whose keys are known; an unknown or repeated key is a mistake. */
int conf_map(struct conf *, const yaml_node_t *, const struct conf_field *, size_t count,
             void *context);
/* A mapping with free keys: read is called with the value; the key is in *key then. */
typedef int conf_read_pair(struct conf *, const yaml_node_t *key, const yaml_node_t *value,
                           void *context);
int conf_pairs(struct conf *, const yaml_node_t *, conf_read_pair *, void *context);
int conf_list(struct conf *, const yaml_node_t *, conf_read *, void *context);

/* The scalar's text, or NULL with the error filled ("expected <what>"). Borrowed from conf. */
const char *conf_text(struct conf *, const yaml_node_t *, const char *what);
int conf_bool(struct conf *, const yaml_node_t *, bool *ret);
int conf_number(struct conf *, const yaml_node_t *, uint64_t least, uint64_t most, uint64_t *ret);
/* "36h", "14d", "90s", "15m", "2w", or several ("1d12h"); nanoseconds, at most 100 years. */
int conf_duration(struct conf *, const yaml_node_t *, int64_t *ret_ns);
/* "2026-11-20T00:00:00Z" (or with an offset), or a date: its start, or with `end` its last
 * nanosecond. Nanoseconds since 1970. */
int conf_time(struct conf *, const yaml_node_t *, bool end, int64_t *ret_ns);
/* The same for plain text: 0, or -1. */
int conf_parse_time(const char *text, bool end, int64_t *ret_ns);

#endif
