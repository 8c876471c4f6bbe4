/*
 * verify_pick: a file out of a bundle that was found sound.
 *
 * Contained in: report, tests. Runs confined; what it returns is a view of the caller's bytes.
 */
#ifndef EVIDENCE_VERIFY_PICK_H
#define EVIDENCE_VERIFY_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct verify_picked {
    const char *name; /* path below the top folder, as asked for */
    const uint8_t *bytes;
    size_t size; /* 0 with bytes NULL: the bundle has none */
};

/* Fills bytes and size of each. False: no archive. */
bool verify_pick(const uint8_t *bundle, size_t size, struct verify_picked *list, size_t count);

#endif
