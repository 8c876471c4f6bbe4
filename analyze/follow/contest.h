/*
 * contest: two contents for one name and type, both validly signed by one key, and what the serials
 * of the servers that served them say about it.
 *
 * Contained in: analyze, tests. What authorities serve (AA=1, RA=0) is noted with its times: which
 * serial a server had from when to when, and which content it served when. A change that came with
 * a newer serial is an ordinary update. Where both contents belong to one serial, or the later
 * signature to the lower serial or to none, no update explains them. Signers that answer each query
 * with a signature of its own (RFC 4470, black lies) keep no serials; their zones are left out once
 * they are recognised.
 *
 * Notes are bounded, and start anew when memory is short (contests_forget): what was not seen since
 * then explains nothing and contradicts nothing.
 */
#ifndef ANALYZE_FOLLOW_CONTEST_H
#define ANALYZE_FOLLOW_CONTEST_H

#include "analyze/validate/answer.h"

#define CONTEST_SERVERS  8  /* servers of a zone told apart; more are not looked at */
#define CONTEST_EPOCHS   6  /* serials remembered of a server: the latest */
#define CONTEST_VARIANTS 6  /* signed contents of one name and type, the latest */
#define CONTEST_OPEN_MAX 32 /* names of a zone with two contents at once; the rest is counted */
/* SOA signatures over one serial, made at different times: with three the signer works on line. */
#define CONTEST_RESIGNED 3
/* A signature may begin so much after that of the SOA of the same version of the zone. */
#define CONTEST_SLACK_S 60
/* A zone is not set back to an earlier version so soon after what was served of the later one. */
#define CONTEST_SOON_NS INT64_C(60000000000)

struct contests; /* opaque */

struct contest_epoch { /* a server had that serial, without another between */
    uint32_t serial;
    int64_t first_ns, last_ns;
    uint64_t first_frame, last_frame;
    int64_t inception; /* of the SOA's newest signature, seconds since 1970 */
    struct rrset *soa; /* … with that signature */
    uint8_t resigned;  /* different inceptions seen */
};

struct contest { /* one unexplained pair, borrowed for the call */
    struct zone *zone;
    struct rrset *before, *after;  /* in the order in which they were first seen */
    const struct signature *by[2]; /* of each, by `key` */
    const struct key *key;
    enum contest_how how;
    const struct contest_epoch *epoch[2]; /* that each was served in; by CONTEST_SIGNED_AFTER the
                                             second alone: the one that should have had it */
    struct flow flow[2];                  /* src: who served it; dst: to whom first */
    uint64_t frame[2];
    bool one_client; /* some client got both */
    bool over;       /* a newer serial has explained it since */
};

typedef void contests_on_contest(void *context, const struct contest *);

/* At most `most` names with their types at a time. */
struct contests *contests_new(struct answers *, size_t most);
void contests_free(struct contests *);
/* Before answers, RRsets and zones are dropped. */
void contests_forget(struct contests *);
size_t contests_bytes(const struct contests *);

uint32_t contests_epoch(const struct contests *);
/* Does this response matter, beyond what was noted at its first sight? Cheap. */
static inline bool contests_wants(const struct answer *a, uint32_t epoch)
{
    return (a->flags & (DNS_AA | DNS_RA)) == DNS_AA && a->kind != ANSWER_OTHER &&
           (a->contest_epoch != epoch || a->contested);
}
/* Notes the response. True if its frames may be cited later on. */
bool contests_seen(struct contests *, struct answer *, const struct datagram *);
/* Tells what stands unexplained in the zone, and what has been explained since, each once. */
void contests_settle(struct contests *, const struct zone *, int64_t time_ns, int64_t clock_ns,
                     contests_on_contest *, void *context);
/* The zone's signatures are judged otherwise now: the next contests_settle looks again. */
void contests_rouse(struct contests *, const struct zone *);

#endif
