/*
 * verify: is a bundle what was sealed, by whom, and does it hold together?
 *
 * Contained in: verify, tests. Everything it reads was written by somebody hostile. It shares no
 * code with what writes and signs bundles, imports nothing that can sign, opens nothing and keeps
 * no state: bytes in, a report out. EVIDENCE.md section "Verifier" is its specification,
 * evidence/format.h the formats it holds a bundle against.
 */
#ifndef EVIDENCE_VERIFY_H
#define EVIDENCE_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every check: number, name in the report, what PASS means. In the order they are made. */
#define VERIFY_CHECKS(X)                                                                           \
    X(ARCHIVE, "archive", "one folder of plain files, each once, nothing hidden between or after") \
    X(BAG, "bag", "BagIt files as specified, sizes add up")                                        \
    X(MANIFESTS, "manifests",                                                                      \
      "every file is listed and every listed file hashes, SHA-512 and "                            \
      "SHA-256")                                                                                   \
    X(SEAL, "seal", "the signature over the manifest is whole and by the identity enclosed")       \
    X(IDENTITY, "identity", "the identity was certified by the authority given from outside")      \
    X(LOG, "log", "no record of the log was edited, removed, repeated or moved")                   \
    X(CHECKPOINTS, "checkpoints",                                                                  \
      "each checkpoint is signed by its epoch's key and matches the "                              \
      "log")                                                                                       \
    X(EPOCHS, "epochs", "keys follow each other from the certified first one, none came back")     \
    X(KNOWN_CHECKPOINT, "known-checkpoint", "the log continues the checkpoint remembered outside") \
    X(SOURCE, "source", "the replayed file is named by its hashes")                                \
    X(CAPTURE, "capture", "frames are as logged, numbered once, in order of time")                 \
    X(COUNTERS, "counters", "counters of received and lost frames never go back")                  \
    X(CLOCK, "clock", "no clock step without a record")                                            \
    X(FINDINGS, "findings", "each finding is logged, and each frame it cites is here")             \
    X(FILES, "files", "every file is one that the log names, with the hash it names")              \
    X(VERDICTS, "verdicts", "the findings follow again from the frames, baseline and anchors")

enum verify_check {
#define X(id, name, text) VERIFY_##id,
    VERIFY_CHECKS(X)
#undef X
        VERIFY_CHECK_COUNT
};

/* What a check came to; worse has the higher number. */
enum verify_outcome { VERIFY_NOT_CHECKED, VERIFY_PASS, VERIFY_WARN, VERIFY_FAIL };

/* Exit status of the command. */
enum verify_result {
    VERIFY_RESULT_VERIFIED = 0,
    VERIFY_RESULT_FAILED = 1,
    VERIFY_RESULT_UNREADABLE = 2,
    VERIFY_RESULT_INTEGRITY_ONLY = 3
};

#define VERIFY_REASON_MAX 240
#define VERIFY_APART_MAX  32 /* findings that are named; more are counted */

struct verify_line {
    enum verify_outcome outcome;
    unsigned faults; /* how many failures the check met; the reason tells the first */
    char reason[VERIFY_REASON_MAX]; /* printable ASCII, NUL-terminated */
};

/* How what was derived again differs from what was sealed. */
#define VERIFY_APARTS(X)                                                                           \
    X(PARTLY, "partly",                                                                            \
      "follows from the frames enclosed, but says more, or other things: these rest on more "      \
      "traffic")                                                                                   \
    X(ABSENT, "not derived", "rests on more traffic than is enclosed")                             \
    X(ADDED, "not sealed", "follows from what is enclosed and was not sealed")                     \
    X(OWN, "own word", "the sensor about itself: rests on its counters and clock, not on frames")  \
    X(CONTRARY, "contradicted", "does not follow from the frames that it was made from")

enum verify_apart_kind {
#define X(id, name, text) VERIFY_##id,
    VERIFY_APARTS(X)
#undef X
        VERIFY_APART_KINDS
};

/* A finding that does not stand as it was sealed. Texts are printable ASCII, NUL-terminated. */
struct verify_apart {
    enum verify_apart_kind kind;
    char id[24], rule[40], zone[80];
    char member[24]; /* the first one that differs; "" all */
};

struct verify_report {
    struct verify_line line[VERIFY_CHECK_COUNT];
    char folder[160];   /* the bundle's name; "" if not even that was found */
    char identity[160]; /* subject of the signing certificate, escaped */
    char origin[160];   /* of the log */
    uint64_t log_size;  /* records */
    char log_root[65];  /* hex, "" before the log was read */
    int64_t sealed_at;  /* signing time of the seal, seconds since 1970; 0 unknown */
    uint64_t same;      /* findings that follow again as they were sealed */
    uint64_t fewer;     /* of these, such as were seen more often, or for longer, than enclosed */
    uint64_t apart_count[VERIFY_APART_KINDS];
    struct verify_apart apart[VERIFY_APART_MAX]; /* the first of all these */
};

struct verify_offer; /* evidence/verify_offer.h */

struct verify_options {
    const void *ca; /* PEM of the outside authority; NULL: integrity only */
    size_t ca_size;
    const void *known_checkpoint; /* a signed checkpoint remembered outside; NULL: none */
    size_t known_checkpoint_size;
    int64_t at; /* judge the certificates at this time, seconds since 1970; 0: time of sealing */
    bool fail_fast; /* stop at the first failure: the rest stays not checked */
    /* Both may be NULL. What the findings can be derived from again, if nothing failed: in memory
     * that is zero. How many bytes were hashed so far, for whoever watches. */
    struct verify_offer *offer;
    uint64_t *hashed;
};

/* Verifies the `size` bytes of a tar. The report is complete whatever the bytes are. Returns the
 * result, never VERIFY_RESULT_UNREADABLE but for want of memory. VERIFY_VERDICTS is left not
 * checked: that needs the analyser (evidence/verify_replay.h). */
enum verify_result verify_bundle(const uint8_t *bytes, size_t size, const struct verify_options *,
                                 struct verify_report *ret_report);

/* The result that a report's lines come to. */
enum verify_result verify_result_of(const struct verify_report *, bool outside_anchor);

#endif
