/*
 * place: where results go: the evidence folder, locked, and the bundle, unnamed until it is whole.
 *
 * Contained in: supervisor. Nothing that exists is ever overwritten.
 */
#ifndef SANDBOX_PLACE_H
#define SANDBOX_PLACE_H

#include <stdbool.h>

struct place {
    int evidence;      /* the evidence folder; carries the lock */
    char *temporary;   /* name of a private evidence folder in `parent`, removed at the end */
    char *made;        /* name of the evidence folder in `parent`, if this run made it */
    int parent;        /* folder that holds either, or -1 */
    int bundle;        /* the bundle being written, or -1 */
    int bundle_folder; /* where it gets its name */
    const char *bundle_name, *bundle_path; /* borrowed from the command line */
    char *hidden; /* its name so far, where the file system has no unnamed files; else NULL */
};

void place_init(struct place *ret_place);
/* Opens and locks the evidence folder; `path` NULL: a private one; `writes` false: it must exist
 * and hold a log, and other readers may share it. 0, or the exit status with the reason logged. */
int place_evidence(struct place *, const char *path, bool writes);
/* Refuses a name that exists; no file is made yet that anyone could see. The same returns. */
int place_bundle(struct place *, const char *path);
/* The bundle is whole: makes it durable and gives it its name. 0, or -1 logged. */
int place_commit(struct place *);
/* Removes what must not stay: the private folder, a bundle without its name, an evidence folder
 * that was made and is empty. */
void place_fini(struct place *);

#endif
