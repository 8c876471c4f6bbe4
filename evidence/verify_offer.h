/*
 * verify_offer: what of a bundle the findings can be derived from again.
 *
 * The confined checker fills it when everything in the bundle was found to be whole and logged; the
 * unconfined parent (evidence/verify_replay.h), which looks at nothing, copies and passes on the
 * ranges that it names. So it lies in memory that both share, and the parent checks whatever it
 * uses of it: a checker that was taken over can lie.
 */
#ifndef EVIDENCE_VERIFY_OFFER_H
#define EVIDENCE_VERIFY_OFFER_H

#include "evidence/format.h"
#include "evidence/verify.h"

#define OFFERED_MAX         1024  /* baseline files, anchors, and the few others */
#define OFFERED_FRAMES_MAX  65536 /* capture files: 45 days of segments of a minute */
#define OFFERED_SOURCES_MAX 1024  /* of several sources copies are made */
#define OFFERED_NAME_MAX    128
#define OFFERED_OPTIONS_MAX 128
#define OFFERED_FILTER_MAX  512

enum verify_enclosed {
    ENCLOSED_NOTHING,  /* that anything can be derived from; `why` says why */
    ENCLOSED_EXTRACT,  /* of a replay: the frames that findings cite */
    ENCLOSED_SOURCES,  /* of a replay: all that was replayed */
    ENCLOSED_SEGMENTS, /* of a capture: all that was recorded and is still there */
};

struct verify_offer {
    enum verify_enclosed frames;
    bool is_whole; /* the run saw these frames and no others: every finding must follow again */
    bool has_lost; /* frames were lost or removed, as logged: what does not follow proves nothing */
    char why[120]; /* constant text */
    char software[64];               /* that sealed it, escaped */
    char filter[OFFERED_FILTER_MAX]; /* of the run; of words that resolve no names */
    uint32_t by_time; /* so many sources at the end of the list were read in order of time */

    uint32_t option_count;
    char option[OFFERED_OPTIONS_MAX][OFFERED_NAME_MAX]; /* of replay: the settings of the run */
    uint32_t count;
    struct verify_offered {
        char name[OFFERED_NAME_MAX]; /* path below the top folder, NUL-terminated */
        uint64_t offset, size;       /* in the bundle */
        uint8_t sha256[HASH_BYTES];
    } file[OFFERED_MAX];
    char source[OFFERED_SOURCES_MAX][OFFERED_NAME_MAX]; /* names without folder; "" unusual ones */
    uint32_t range_count;
    struct verify_range {
        uint64_t offset, size;
        uint8_t sha256[HASH_BYTES];
    } range[OFFERED_FRAMES_MAX]; /* the capture files, in their order */
};

struct verify_story;

/* In the checker, after the log was read to its end. */
void verify_offer_make(const struct verify_story *, struct verify_offer *ret_offer);

/* In the checker, for each source: findings about the tap are named after the file that shows it.
 */
void verify_offer_source(struct verify_offer *, uint64_t index, const char *name, size_t size);

/* In the checker: adds the recorded settings (settings.json) as options of replay. */
void verify_offer_settings(const void *bytes, size_t size, struct verify_offer *);

/* The offered file of this name, or NULL. */
const struct verify_offered *verify_offer_find(const struct verify_offer *, const char *name);

/* Is it a filter that libpcap understands without resolving a name? */
bool verify_offer_is_plain(const char *filter);

#endif
