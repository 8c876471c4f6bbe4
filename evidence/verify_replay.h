/*
 * verify_replay: do the findings follow again from what the bundle encloses?
 *
 * Three parts that trust each other little: the confined checker offers ranges of the bundle, with
 * their hashes; the unconfined parent copies them into a folder of its own and runs `replay` on
 * them, looking at nothing; the confined comparer (evidence/verify_compare.h) reads both lists of
 * findings.
 */
#ifndef EVIDENCE_VERIFY_REPLAY_H
#define EVIDENCE_VERIFY_REPLAY_H

#include "evidence/format.h"
#include "evidence/verify.h"

#define OFFERED_MAX         1024 /* baseline files, anchors, and the few others */
#define OFFERED_NAME_MAX    128
#define OFFERED_OPTIONS_MAX 128

/* What the checker found to be whole and logged, in memory that it shares with its parent. */
struct verify_offer {
    bool is_replay;  /* there is an extract; else nothing can be derived again */
    bool is_partial; /* cited frames had been lost, as logged: what is missing proves nothing */
    uint32_t option_count;
    char option[OFFERED_OPTIONS_MAX][OFFERED_NAME_MAX]; /* of replay: the settings of the run */
    uint32_t count;
    struct verify_offered {
        char name[OFFERED_NAME_MAX]; /* path below the top folder, NUL-terminated */
        uint64_t offset, size;       /* in the bundle */
        uint8_t sha256[HASH_BYTES];
    } file[OFFERED_MAX];
};

/* In the checker, after verify_bundle found no failure and made this report. False if there are too
 * many files. */
bool verify_replay_offer(const uint8_t *bytes, size_t size, const struct verify_report *,
                         struct verify_offer *ret_offer);

/* What the second run left: findings.jsonl and eve.json. Heap; verify_replay_free. */
struct verify_replayed {
    char *findings, *events;
    size_t findings_size, events_size;
};

/* In the parent: copies, replays. NULL and the second run's files, or why it could not be done
 * (constant). */
const char *verify_replay_run(const uint8_t *bytes, size_t size, const struct verify_offer *,
                              struct verify_replayed *ret_replayed);
void verify_replay_free(struct verify_replayed *);

/* The same, but to explain one verdict (`question`: frame or NAME/TYPE) on the standard output.
 * *ret_status is the exit status. */
const char *verify_replay_explain(const uint8_t *bytes, size_t size, const struct verify_offer *,
                                  const char *question, bool json, int *ret_status);

/* In the checker: adds the recorded settings (settings.json) as options of replay. */
void verify_replay_settings(const void *bytes, size_t size, struct verify_offer *);

/* The offered file of this name, or NULL. */
const struct verify_offered *verify_replay_find(const struct verify_offer *, const char *name);

#endif
