/*
 * verify_map: a plain file of the user's as bytes, for commands that read one before they are
 * confined.
 *
 * Contained in: verify, explain, report, lookup. Read-only, for the life of the process.
 */
#ifndef EVIDENCE_VERIFY_MAP_H
#define EVIDENCE_VERIFY_MAP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct verify_map {
    const uint8_t *bytes; /* never NULL of a file that is there */
    size_t size;
};

/* A descriptor of a plain file (caller closes), or -1 with errno: EINVAL if it is something else.
 * Waits for no reader or writer of a pipe. */
int verify_map_open(const char *path, struct stat *ret_status);
/* 0, or a negative errno. */
int verify_map_read(const char *path, struct verify_map *ret_map);
/* The same; on failure says so and ends the process with that exit status. */
struct verify_map verify_map_must(const char *path, int status);

#endif
