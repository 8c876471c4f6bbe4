/*
 * report: the summary after a run, as a colleague would give it.
 *
 * Contained in: analyze, tests. Plain text in lines of at most about 100 columns, no control
 * characters.
 */
#ifndef ANALYZE_TELL_REPORT_H
#define ANALYZE_TELL_REPORT_H

#include "analyze/decode/dissect.h"
#include "analyze/validate/answer.h"
#include "rules/rules.h"
#include "sandbox/ring.h"

#define REPORT_BYTES ((size_t)1 << 18)
/* Zones and findings listed one by one; beyond, they are counted. */
#define REPORT_ZONES_MAX    60
#define REPORT_FINDINGS_MAX 60
#define REPORT_DAMAGES_MAX  8

struct report_damage {
    uint16_t source;
    uint64_t offset;
    char text[160];
};

struct report_run {             /* what the pipeline counted */
    const char *const *sources; /* names of the files or interfaces */
    size_t source_count;
    int64_t first_ns, last_ns; /* packet times; first > last: no frame */
    const struct dissect_counters *dissect;
    const struct pair_counters *pair;
    struct ring_loss loss;
    uint64_t verdicts[5]; /* responses by enum verdict_kind */
    uint64_t malformed;
    uint64_t missed; /* records that we were too slow for (live) */
    size_t damages, damages_total;
    struct report_damage damage[REPORT_DAMAGES_MAX];
};

/* Writes the text; returns its bytes (no NUL). */
size_t report_write(const struct report_run *, struct answers *, struct rules *,
                    char ret_text[REPORT_BYTES]);

#endif
