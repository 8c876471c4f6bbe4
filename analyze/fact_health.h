/*
 * fact_health: what resolvers made of a zone, as the rules are told of it: part of facts.h.
 *
 * Contained in: analyze, rules, tests. A resolver's response has RA=1 and AA=0. Where nothing else
 * is said the queries had CD=0: the resolver was free to validate.
 */
#ifndef ANALYZE_FACT_HEALTH_H
#define ANALYZE_FACT_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Failures and answers belong together when they are no further apart (packet time). */
#define HEALTH_WINDOW_NS (INT64_C(300) * 1000000000)
/* Questions of a zone that are remembered at a time; of these all can be in one fact. */
#define HEALTH_QUESTIONS_MAX 32

enum health_kind {
    HEALTH_FAILING,     /* fact.server answers SERVFAIL: questions[], counts */
    HEALTH_ANSWERED,    /* the last of the resolvers that failed answers for the zone again */
    HEALTH_EASED,       /* the rate of SERVFAIL was looked at again: counts */
    HEALTH_SPLIT,       /* SERVFAIL from fact.server, and `other` gives data: observed, data */
    HEALTH_AGREED,      /* fact.server answers the observed question now */
    HEALTH_UNVALIDATED, /* fact.server gives secure data without AD: questions[] */
    HEALTH_VALIDATED,   /* … and with AD again */
    HEALTH_AD_ON_BOGUS, /* fact.server set AD on the observed RRset, which is bogus: excuse_ns */
    HEALTH_RATE,        /* fact.server: `validated` of `answered`; questions[] are examples of the
                           others */
    HEALTH_RECOVERED,   /* first secure answer after an outage: from_ns */
    HEALTH_RELAPSED     /* … which was not its end */
};

enum health_cause {                    /* why a question got SERVFAIL, the surest sign first */
                    HEALTH_BY_EDE,     /* the resolver says that validation failed (RFC 8914) */
                    HEALTH_BY_VERDICT, /* we find the zone, or the answer to this question, bogus */
                    HEALTH_BY_CD,      /* with CD=1 the same question got data */
                    HEALTH_BY_OTHER,   /* the resolver names another cause */
                    HEALTH_BY_UNKNOWN,
                    HEALTH_CAUSES
};

enum health_service {                      /* what people use a zone for; bits */
                      HEALTH_WEB_APEX = 1, /* A, AAAA */
                      HEALTH_WEB_WWW = 2,  /* A, AAAA of www */
                      HEALTH_MX = 4,
                      HEALTH_SPF = 8,   /* TXT at the apex (RFC 7208 3) */
                      HEALTH_DMARC = 16 /* TXT of _dmarc (RFC 7489 6.1) */
};

#define HEALTH_NO_EDE 0xffff

struct fact_question {
    const uint8_t *name; /* canonical, borrowed */
    uint16_t type;
    uint16_t ede; /* info code of the SERVFAIL, or HEALTH_NO_EDE */
    enum health_cause cause;
};

struct fact_health {
    enum health_kind kind;
    size_t question_count;
    const struct fact_question *questions;
    /* responses about the zone in the window, and before it */
    uint64_t failed, answered, failed_before, answered_before;
    uint64_t validated; /* HEALTH_RATE: of `answered`, with AD */
    unsigned declared;  /* enum health_service that the baseline has */
    bool whole_zone;    /* the zone itself is bogus by our verdict, not only an RRset of it */
    bool elsewhere;     /* the resolver answered about other zones while it failed */
    bool in_part;       /* it answered for the zone more often, just before it began to fail */
    /* HEALTH_SPLIT */
    uint8_t other_family;
    const uint8_t *other; /* who gave data; the same resolver: with CD=1 */
    bool other_is_same;
    uint16_t ede;      /* of the SERVFAIL, or HEALTH_NO_EDE */
    int64_t from_ns;   /* onset */
    int64_t excuse_ns; /* until then a cache that was right could hold the data; INT64_MIN: never */
};

#endif
