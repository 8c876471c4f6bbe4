/*
 * config: the configuration file (YAML): settings, ports, and names of other files.
 *
 * Contained in: supervisor. The file is the operator's; an unknown key or a bad value is refused
 * with its line.
 */
#ifndef SANDBOX_CONFIG_H
#define SANDBOX_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "sandbox/settings.h"

struct config {
    char *identity; /* folder, resolved against the configuration's own folder; NULL none */
    char *profile;  /* file, likewise */
};

/* Parses the bytes of the file named `path` into `settings` and *ret_config (caller frees with
 * config_fini). 0, or -1 with the reason logged. */
int config_parse(const char *path, const uint8_t *bytes, size_t size, struct settings *settings,
                 struct config *ret_config);
void config_fini(struct config *);

#endif
