/*
 * config: YAML by libcyaml; numbers are read as text, so that they may carry units.
 *
 * Contained in: supervisor.
 */
#include "sandbox/config.h"

#include <cyaml/cyaml.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/log.h"
#include "sandbox/options.h"

struct document {
#define X(field, key, value, least, most, text) char *field;
    SETTINGS(X)
#undef X
    uint16_t *ports;
    unsigned ports_count;
    char *sensor, *identity, *profile;
};

#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)

static const cyaml_schema_value_t port_schema = {CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint16_t)};

static const cyaml_schema_field_t fields[] = {
#define X(field, key, value, least, most, text)                                                    \
    CYAML_FIELD_STRING_PTR(key, OPTIONAL, struct document, field, 0, 64),
    SETTINGS(X)
#undef X
        CYAML_FIELD_SEQUENCE("ports", OPTIONAL, struct document, ports, &port_schema, 1,
                             SETTINGS_PORTS),
    CYAML_FIELD_STRING_PTR("sensor", OPTIONAL, struct document, sensor, 0, 63),
    CYAML_FIELD_STRING_PTR("identity", OPTIONAL, struct document, identity, 1, 4096),
    CYAML_FIELD_STRING_PTR("profile", OPTIONAL, struct document, profile, 1, 4096),
    CYAML_FIELD_END};

static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct document, fields)};

/* libcyaml says what was wrong line by line; the first is the error, then where. */
struct complaint {
    char text[400];
    size_t used;
};

__attribute__((format(printf, 3, 0))) static void complain(cyaml_log_t level, void *context,
                                                           const char *format, va_list arguments)
{
    struct complaint *c = context;
    (void)level;
    if (c->used + 2 >= sizeof c->text)
        return;
    if (c->used)
        c->used += (size_t)snprintf(c->text + c->used, sizeof c->text - c->used, "; ");
    int n = vsnprintf(c->text + c->used, sizeof c->text - c->used, format, arguments);
    if (n > 0)
        c->used += (size_t)n;
    if (c->used >= sizeof c->text)
        c->used = sizeof c->text - 1;
    while (c->used && c->text[c->used - 1] == '\n')
        c->text[--c->used] = '\0';
}

static int set(const char *path, struct settings *s, const char *key, const char *text)
{
    char why[80];
    if (!text || settings_set(s, key, text, why, sizeof why) == 0)
        return 0;
    log_line(LOG_ERROR, "%s: %s: %s: %s", path, key, text, why);
    return -1;
}

static int take(const char *path, const struct document *d, struct settings *s)
{
#define X(field, key, value, least, most, text)                                                    \
    if (set(path, s, key, d->field))                                                               \
        return -1;
    SETTINGS(X)
#undef X
    if (d->ports_count) {
        memset(s->ports, 0, sizeof s->ports);
        for (unsigned i = 0; i < d->ports_count; i++) {
            if (!d->ports[i]) {
                log_line(LOG_ERROR, "%s: ports: 0 is no port", path);
                return -1;
            }
            s->ports[i] = d->ports[i];
        }
    }
    if (d->sensor && options_sensor(s, d->sensor)) {
        log_line(LOG_ERROR, "%s: sensor: may have lower-case letters, digits, '-' and '.'", path);
        return -1;
    }
    return 0;
}

/* A name in the configuration is relative to the configuration. On the heap; NULL for NULL. */
static char *beside(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    char *result = NULL;
    if (!name)
        return NULL;
    int folder = name[0] == '/' || !slash ? 0 : (int)(slash + 1 - path);
    if (asprintf(&result, "%.*s%s", folder, path, name) < 0)
        log_die("out of memory");
    return result;
}

int config_parse(const char *path, const uint8_t *bytes, size_t size, struct settings *settings,
                 struct config *ret_config)
{
    struct complaint complaint = {.used = 0};
    const cyaml_config_t reader = {.log_fn = complain,
                                   .log_ctx = &complaint,
                                   .mem_fn = cyaml_mem,
                                   .log_level = CYAML_LOG_WARNING,
                                   .flags = CYAML_CFG_NO_ALIAS};
    struct document *document = NULL;
    cyaml_data_t *loaded = NULL;
    struct config result = {0};
    /* a file of comments alone is a file of defaults */
    cyaml_err_t error = cyaml_load_data(bytes, size, &reader, &schema, &loaded, NULL);
    document = loaded;
    if (error != CYAML_OK) {
        log_line(LOG_ERROR, "%s: %s", path,
                 complaint.used ? complaint.text : cyaml_strerror(error));
        return -1;
    }
    int failed = document ? take(path, document, settings) : 0;
    if (!failed && document) {
        result.identity = beside(path, document->identity);
        result.profile = beside(path, document->profile);
        *ret_config = result;
    }
    cyaml_free(&reader, &schema, document, 0);
    return failed;
}

void config_fini(struct config *c)
{
    free(c->identity);
    free(c->profile);
}
