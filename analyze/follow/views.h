/*
 * views: authorities that answer the same question in two ways at the same time, by who asks or by
 * which server is asked: split horizon.
 *
 * Contained in: analyze, tests. A *side* is a server and a client of it. Two sides hold two views
 * when each sticks to its own answer, the answers were seen in turns, so that no change in between
 * explains them, and they differ in what views differ in:
 *   - one is signed and the other is not, of different data or under another SOA, and that side
 *     signs nothing (what somebody strips is the same data);
 *   - one has addresses of a private network, the other public ones, or denies the name;
 *   - one server names another primary in its SOA.
 * That a zone's next version is on its way must not explain it either: by one server, it takes more
 * turns; between servers, their SOAs name different primaries, or have one serial, or the SOA
 * refresh has passed. Different data alone are no views: servers balance load, and answer by place.
 *
 * Only answers with AA=1 to queries that were seen count; a server must have shown something of the
 * zone's apex (analyze/follow/servers.h). Bounded, counted with the zone's memory, and gone with
 * the zone, or with the RRsets (views_forget).
 */
#ifndef ANALYZE_FOLLOW_VIEWS_H
#define ANALYZE_FOLLOW_VIEWS_H

#include "analyze/validate/answer.h"

#define VIEWS_QUESTIONS 32 /* of a zone, the latest; a disputed one stays */
#define VIEWS_DISPUTES  8  /* questions of a zone with two answers */
#define VIEWS_CONTENTS  3  /* answers to one question; with more, a server balances load */
#define VIEWS_SIDES     16 /* of a zone, from the first dispute on */

struct views; /* opaque, in struct zone */

struct views_told { /* one question, borrowed for the call */
    const struct zone *zone;
    bool over;                                 /* the sides agree now: `side` is not valid */
    bool by_signature, by_network, by_primary; /* what the zone's views differ in, so far */
    struct views_side_told {
        uint8_t family;
        const uint8_t *server, *client; /* 16 bytes as in struct flow */
        const struct rrset *set;        /* NULL: denied */
        bool is_signed, do_bit;
        uint64_t frame; /* of such an answer, the latest */
    } side[2];
};

typedef void views_on_told(void *context, const struct views_told *);

/* Frees it; returns how many bytes it took. NULL is fine. */
size_t views_free(struct views *);
/* Before RRsets are dropped: all zones' notes go. */
void views_forget(struct world *);

/* Two address RRsets of which one is of a private network, the other public: two views of a name.
 */
bool views_apart(const struct rrset *, const struct rrset *);
/* Is a response of interest: that with which `answer` began (`first`), or another like it? */
static inline bool views_want(const struct answer *a, bool first)
{
    return (a->flags & DNS_AA) && a->kind < ANSWER_REFERRAL &&
           (first || (a->home && a->home->views_disputed));
}
/* Notes it, and calls back for its question where the two sides of it are told apart, at most once
 * a second, and when they agree again. True: its frames may be cited later. */
bool views_seen(struct answers *, struct answer *, const struct flow *, int64_t time_ns,
                uint64_t frame, views_on_told *, void *context);

#endif
