/*
 * readme: README.txt and bag-info.txt of a bundle.
 *
 * Contained in: pack, tests. Pure: the same facts give the same bytes.
 */
#ifndef EVIDENCE_README_H
#define EVIDENCE_README_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct readme_facts {
    const char *id, *origin;
    uint64_t log_size;
    uint8_t log_root[32];
    int64_t sealed; /* T of format.h, seconds since 1970 */
    int64_t epoch;  /* $EPOCH */
    uint64_t payload_bytes, payload_files;
    bool ephemeral;
};

#define README_MAX 16384

/* Both return the length. */
size_t readme_text(const struct readme_facts *, char ret_text[README_MAX]);
size_t readme_bag_info(const struct readme_facts *, char ret_text[README_MAX]);

#endif
