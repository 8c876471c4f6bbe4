/*
 * contest_notes: what contest.c notes and contest_settle.c weighs.
 *
 * Contained in: analyze, tests. Private to these two.
 */
#ifndef ANALYZE_FOLLOW_CONTEST_NOTES_H
#define ANALYZE_FOLLOW_CONTEST_NOTES_H

#include "analyze/follow/contest.h"

#include <stdlib.h>

#define uthash_fatal(message) abort() /* our memory is gone: our own failure */
#include <uthash.h>

#define CONTEST_SIGHTINGS 4 /* servers that served one content */

struct view { /* one server of a zone */
    uint8_t family, address[16];
    uint8_t count; /* epochs, the latest last */
    struct contest_epoch epoch[CONTEST_EPOCHS];
};

struct sighting { /* one content from one server */
    uint8_t view;
    int64_t first_ns, last_ns;
    uint64_t frame; /* of the first */
    struct flow flow;
    uint64_t client[2]; /* hashes of the first two clients, 0 none */
};

struct variant { /* one signed content: signed anew it is another */
    struct rrset *set;
    uint64_t content; /* hash of the rdata */
    uint8_t count;
    struct sighting seen[CONTEST_SIGHTINGS];
};

struct subject { /* a name and type */
    UT_hash_handle hh;
    uint64_t id; /* hash of zone, owner and type: the key */
    struct variant *variant;
    uint8_t count;
    bool open;
    bool told[CONTEST_VARIANTS][CONTEST_VARIANTS]; /* of that pair, the earlier first */
};

struct scene { /* a zone */
    UT_hash_handle hh;
    struct zone *zone; /* the key */
    struct view *view;
    uint8_t views;
    bool online; /* its signer works on line: serials say nothing */
    bool due;    /* something was noted that may decide a contest */
    int64_t settled_ns;
    uint32_t names;
    uint8_t open_count;
    struct subject *open[CONTEST_OPEN_MAX];
    uint64_t open_more;
};

struct contests {
    struct answers *answers;
    struct scene *scenes;
    struct subject *subjects;
    size_t most, count, bytes;
    uint32_t epoch; /* grows when a contest opens */
};

#endif
