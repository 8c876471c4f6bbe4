/*
 * sensor: what was running where when the evidence was made: the JSON object of sensor.json.
 *
 * Contained in: supervisor.
 */
#ifndef SANDBOX_SENSOR_H
#define SANDBOX_SENSOR_H

#include <stddef.h>
#include <stdint.h>

#include "sandbox/options.h"

/* One line of JSON (caller frees), or NULL with the reason logged. `programs` is the folder whose
 * files are hashed; config may be NULL. */
char *sensor_describe(const struct options *, int argc, char **argv, const char *programs,
                      const uint8_t *config, size_t config_size);

#endif
