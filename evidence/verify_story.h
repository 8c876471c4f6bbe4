/*
 * verify_story: what the records of the log say, held against the files of the bundle.
 */
#ifndef EVIDENCE_VERIFY_STORY_H
#define EVIDENCE_VERIFY_STORY_H

#include "evidence/verify_record.h"

/* A segment record, kept until the capture files are walked. */
struct verify_segment {
    const struct verify_member *member; /* NULL: not in the bundle */
    struct verify_text file;            /* as logged, under data/ */
    uint8_t sha256[HASH_BYTES];
    bool is_extract, removed; /* removed: a tombstone followed */
    uint64_t number, packets, first_packet, last_packet;
    int64_t first, last; /* packet time; 0 if no packets */
    uint64_t received, dropped_kernel, dropped_interface, dropped_ring; /* since the one before */
    int64_t clock_steps; /* sum of the clock records before it, nanoseconds */
};

struct verify_story {
    struct verify *v;
    bool is_replay, is_open, is_closed; /* is_replay: an acceptance, too */
    bool is_accept;
    struct verify_text origin, software, filter; /* as logged, escapes kept */
    int64_t last_time;                           /* of the record before */
    int64_t last_step; /* steps recorded since, nanoseconds; INT64_MIN none */
    int64_t steps;     /* all steps so far */
    uint64_t sources, changed_sources, clock_records, accepts;
    uint64_t included; /* sources that the bundle has */
    bool frames_lost;  /* a gap record says that cited frames gave way */

    struct verify_segment *segments;
    size_t segment_count, segment_room;

    struct verify_text findings; /* lines of findings.jsonl not yet matched */
    bool has_findings;
    uint64_t finding_count;
    uint64_t *cited; /* frames that findings cite */
    size_t cited_count, cited_room;
    bool *accounted; /* per member: the log names it */
};

bool verify_story_init(struct verify_story *, struct verify *);
void verify_story_fini(struct verify_story *);
/* The records in order. */
void verify_story_record(struct verify_story *, const struct record *);
/* After the last record: files, capture, counters, findings are complete. */
void verify_story_end(struct verify_story *);

/* verify_findings.c: a finding record and the next line of findings.jsonl. */
void verify_findings_record(struct verify_story *, const struct record *);
/* Sorts the cited frames, and drops repetitions, before the capture is walked. */
void verify_findings_sort(struct verify_story *);
/* After the capture was walked: what is cited and was not seen. `seen` has one flag for each cited
 * frame. */
void verify_findings_end(struct verify_story *, const bool *seen);

/* verify_capture.c: walks all capture files; fills `seen`. */
void verify_capture_walk(struct verify_story *, bool *seen);

#endif
