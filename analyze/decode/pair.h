/*
 * pair: a response finds its query (RFC 5452 9.1: addresses, ports, protocol, id, question).
 *
 * Contained in: analyze, tests.
 */
#ifndef ANALYZE_DECODE_PAIR_H
#define ANALYZE_DECODE_PAIR_H

#include "analyze/decode/flow.h"
#include "analyze/decode/message.h"
#include "sandbox/settings.h"

struct query { /* what is remembered of a query */
    uint64_t frame;
    int64_t time_ns;
    uint16_t flags; /* header flags */
    uint16_t size;  /* bytes on the wire */
    bool edns, edns_do;
    bool answered; /* a response was paired before */
    /* Not 0: the same client asked the same server the same with DO=1 just before, in that frame,
     * and in vain (analyze/decode/pair.c says what that is): this query without EDNS is its second
     * try. */
    uint64_t fallback;
    uint32_t turn; /* its number; the last open-queries ones are all different, modulo that */
    /* Where `answered`: how often the client sent this query, with this id and port, lately, and
     * how many responses it has got before this one; second copies by the mirror included. */
    uint8_t asked, replies;
};

struct pair_asked { /* a query, for those who look back; borrowed for the call */
    const uint8_t *server;
    uint64_t question;
    uint64_t frame;
    int64_t time_ns;
    bool answered;
};

struct pair; /* opaque; bounded by settings: the oldest query gives way */
struct pair *pair_new(const struct settings *);
void pair_free(struct pair *);
/* Keys the hashes that recognise second copies, so that nobody can make a response that passes for
 * the copy of another. Before the first message. */
void pair_seed(struct pair *, uint64_t seed);

enum pair_result {
    PAIR_NONE,  /* a response whose query was not seen */
    PAIR_FOUND, /* a query; a response whose query was seen */
    PAIR_TWICE  /* the same message within FLOW_TWICE_NS: a second copy by the mirror */
};
/* A second copy is counted, and is nothing else: neither remembered nor paired. (The first one of a
 * response after many thousand messages without any may be taken for a response.) *ret_first gets
 * the frame of the first copy of a query; else it is untouched. */
enum pair_result pair_query(struct pair *, const struct datagram *, const struct dns_message *,
                            uint64_t *ret_first);
/* The query of this response. A hash of the question decides with the rest; a response without
 * question section pairs on the rest alone. Several responses may pair with one query; `answered`
 * tells. *ret_query is filled where PAIR_FOUND, and where PAIR_TWICE if its query was seen. */
enum pair_result pair_response(struct pair *, const struct datagram *, const struct dns_message *,
                               struct query *ret_query);
/* Calls for the queries of that client, the newest first, that are not older than `since_ns`, until
 * it says false: looks at every query that is still remembered. Returns since when all are: later
 * than since_ns if the ring has wrapped by then. */
typedef bool pair_on_query(void *context, const struct pair_asked *);
int64_t pair_survey(const struct pair *, uint8_t family, const uint8_t client[16], int64_t since_ns,
                    pair_on_query *, void *context);
/* The hash that stands for a question in the survey. */
uint64_t pair_question(const struct dns_message *);
/* Queries that are remembered at once. */
uint32_t pair_capacity(const struct pair *);

/* A query that was sent again is another query: if only one was answered, one is unanswered. */
struct pair_counters {
    uint64_t queries, responses, paired, unanswered, unasked; /* without second copies */
    uint64_t duplicates;                                      /* second copies */
};
/* `unanswered` is complete only after pair_finish. */
void pair_finish(struct pair *);
const struct pair_counters *pair_counters(const struct pair *);

#endif
