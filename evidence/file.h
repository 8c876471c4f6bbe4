/*
 * file: a file that is written once, hashed while it is written, and durable when it is sealed.
 *
 * Contained in: store. Errors stick: after the first failure nothing more is written, and sealing
 * reports it. A failed fsync is final for the file (it may report success the next time).
 */
#ifndef EVIDENCE_FILE_H
#define EVIDENCE_FILE_H

#include "evidence/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file; /* opaque */

enum file_mode {
    FILE_HIDDEN, /* written as <name>.part, gets its name when sealed */
    FILE_OPEN    /* has its name from the start, for those who follow it (eve.json, the log) */
};

/* Creates `name` in `dir` (borrowed), which must not exist. 0 or a negative errno. */
int file_create(int dir, const char *name, enum file_mode, struct file **ret_file);
/* Buffered; errors stick. */
void file_write(struct file *, const void *bytes, size_t size);
/* Hands the buffer to the kernel; with `durable` also fdatasync. 0 or the first error. */
int file_flush(struct file *, bool durable);
uint64_t file_size(const struct file *);
/* Flush, fsync, name, fsync of the directory. Frees the file in every case. 0 or the first error:
 * the file then is not there (FILE_HIDDEN) or not to be relied on (FILE_OPEN). */
int file_seal(struct file *, uint64_t *ret_size, uint8_t ret_sha256[HASH_SHA256_BYTES]);
/* Removes it (FILE_HIDDEN) or leaves it as it is (FILE_OPEN); frees. NULL is fine. */
void file_discard(struct file *);

/* A whole file at once, hidden until durable. ret_sha256 may be NULL. 0 or a negative errno. */
int file_put(int dir, const char *name, const void *bytes, size_t size, uint8_t *ret_sha256);
/* A folder below `dir`, made if it is not there: its descriptor (caller closes) or a negative
 * errno. */
int file_folder(int dir, const char *name);

#endif
