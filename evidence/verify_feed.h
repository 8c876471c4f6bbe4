/*
 * verify_feed: ranges of the bundle, one after the other, into a pipe.
 *
 * So a bundle of any size is replayed without a second copy of it on disk or in memory.
 *
 * Contained in: verify, explain, report, lookup, tests; runs in the unconfined parent, which looks
 * at none of the bytes.
 */
#ifndef EVIDENCE_VERIFY_FEED_H
#define EVIDENCE_VERIFY_FEED_H

#include "evidence/verify_offer.h"

/* Lies the range within the bundle? */
bool verify_feed_fits(const struct verify_range *, size_t bundle_size);

/* How far it is, for verify_feed_show. */
struct verify_feed {
    const char *what;
    uint64_t done, total; /* bytes */
};

/* Writes the range to `fd` and compares its hash on the way. 0, -EPIPE: nobody reads any more,
 * -EILSEQ: it is not what was checked, or another negative errno. */
int verify_feed_range(int fd, const uint8_t *bundle, size_t bundle_size,
                      const struct verify_range *, struct verify_feed *);

/* One line on the terminal that is written anew: what is done of what there is. Silent when
 * standard error is no terminal. `verify_feed_clear` takes it away. */
void verify_feed_show(const struct verify_feed *);
void verify_feed_clear(void);

#endif
