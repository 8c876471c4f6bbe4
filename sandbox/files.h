/*
 * files: what the operator named, opened and read once, before anything else is started.
 *
 * Contained in: supervisor. A capture is opened but never read here.
 */
#ifndef SANDBOX_FILES_H
#define SANDBOX_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/inputs.h"
#include "sandbox/options.h"

/* Supervisor's own descriptors start here, out of the way of the children's table. */
#define FILES_KEEP_FROM 64

/* Moves a descriptor to FILES_KEEP_FROM or above, close-on-exec; -1 stays -1. Ends the process when
 * there is no descriptor left. */
int files_keep(int fd);

/* A new description of the same file, for reading: own offset, same inode whatever happened to its
 * name. -1 with errno. */
int files_reopen(int fd);

/* The whole file, at most `most` bytes; NUL behind it. 0, or -1 with the reason logged. Caller
 * frees. */
int files_read(const char *path, size_t most, uint8_t **ret_bytes, size_t *ret_size);

/* A capture to be replayed. */
struct source {
    char *path;
    int fd;        /* this description is digest's; the others reopen it */
    bool stream;   /* cannot be reopened: digest reads it and passes it on */
    uint64_t size; /* 0 unknown */
    int64_t mtime_ns;
};

struct sources {
    struct source *items;
    size_t count;
};

/* Opens every -r and what -R folders hold, in order; adds a SOURCE to the inputs for each. 0, or -1
 * with the reason logged. */
int files_open_sources(const struct options *, struct inputs_writer *, struct sources *ret_sources);

/* Adds anchors, baseline, profile, interfaces and filter to the inputs. 0, or -1 logged. */
int files_add_inputs(const struct options *, struct inputs_writer *);

#endif
