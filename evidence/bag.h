/*
 * bag: a BagIt 1.0 bag (RFC 8493) as one ustar archive whose every byte follows from its contents.
 *
 * Contained in: pack, tests. Members are named first, then written in one pass in order of their
 * paths: hashes are taken while the bytes stream by, in constant memory, and the manifests, which
 * sort after the payload, are made of them. A short or grown file ends the process: there is no
 * half bundle.
 */
#ifndef EVIDENCE_BAG_H
#define EVIDENCE_BAG_H

#include <stddef.h>
#include <stdint.h>

struct bag; /* opaque */

struct bag_signatures { /* both malloc'ed by the callee, freed by the bag */
    uint8_t *seal;
    size_t seal_size;
    char *chain;
    size_t chain_size;
};

struct bag_options {
    const char *id; /* top folder; borrowed */
    int64_t mtime;  /* seconds since 1970 */
    int out;        /* written from its current position; borrowed */
    /* Signs tagmanifest-sha512.txt. */
    void (*sign)(void *context, const char *tagmanifest, size_t size,
                 struct bag_signatures *ret_signatures);
    void *context;
};

struct bag *bag_new(void); /* never NULL; caller frees */
void bag_free(struct bag *);
/* The first `size` bytes of the file `name` in the folder `dir` become `path` (below the top
 * folder); it is opened when its turn comes. With `name` NULL `dir` is the file itself. `dir` is
 * borrowed until bag_write is done. Ends the process if the path is too long, or the file too large
 * for ustar. */
void bag_add_file(struct bag *, const char *path, int dir, const char *name, uint64_t size);
/* These bytes (copied) become `path`. */
void bag_add_bytes(struct bag *, const char *path, const void *bytes, size_t size);
/* Payload-Oxum: bytes and files under data/ so far. */
void bag_payload(const struct bag *, uint64_t *ret_bytes, uint64_t *ret_files);
/* Writes everything; manifests and signatures are added here. Ends the process on any failure. */
void bag_write(struct bag *, const struct bag_options *);

#endif
