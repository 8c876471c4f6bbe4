/*
 * event: what the analyser has to say, as lines of eve.json (DESIGN: eve.json).
 *
 * Contained in: analyze, tests. Every function renders one JSON object, without line feed, ending
 * in
 * '}', borrowed until the next call on the same writer; NULL (which long lists are kept from
 * causing) when it would exceed the writer's limit.
 */
#ifndef ANALYZE_TELL_EVENT_H
#define ANALYZE_TELL_EVENT_H

#include "analyze/decode/flow.h"
#include "analyze/decode/message.h"
#include "analyze/verdict.h"
#include "rules/rules.h"

struct event; /* opaque: the buffer */
/* `most`: bytes of the longest line, NUL included (at least 64 KiB). NULL without memory. */
struct event *event_new(size_t most);
void event_free(struct event *);

struct event_context { /* the common fields; all borrowed for the call */
    int64_t time_ns;
    const struct flow *flow;   /* NULL: about no packet; no flow fields then */
    uint64_t frame;            /* pcap_cnt; 0 none */
    const char *in_iface;      /* live: name of the interface; NULL or "" none */
    const char *pcap_filename; /* replay: the same for the file */
};

struct event_verdict {
    /* the response: dns{} */
    uint16_t id, flags, rcode, rrtype;
    const uint8_t *rrname; /* canonical name */
    bool do_bit;
    /* dnssec{} */
    enum verdict_kind verdict;
    enum reason reason;
    uint16_t by;                  /* type of the RRset that decided, 0 none */
    const uint8_t *zone, *signer; /* NULL unknown */
    bool has_key;                 /* key_tag and algorithm are known */
    uint16_t key_tag;
    uint8_t algorithm;
    bool retro;
    bool kept;           /* the chain rests on keys from an earlier run */
    const uint16_t *ede; /* info codes that the responder gave (RFC 8914) */
    size_t ede_count;
    const uint64_t *frames; /* of the message, then of the chain */
    size_t frame_count;
};
const char *event_dnssec(struct event *, const struct event_context *, const struct event_verdict *,
                         size_t *ret_size);

/* The alert of a finding that opened, was updated or closed. */
const char *event_alert(struct event *, const struct event_context *, const struct finding *,
                        size_t *ret_size);
/* The finding alone: a line of findings.jsonl. */
const char *event_finding(struct event *, const struct finding *, size_t *ret_size);

struct event_counter {
    const char *name; /* plain word */
    uint64_t value;
};
struct event_group { /* "name":{counters}; name NULL: counters directly under stats */
    const char *name;
    const struct event_counter *counters;
    size_t count;
};
struct jline;
/* `more` (may be NULL) adds further members of stats. */
const char *event_stats(struct event *, const struct event_context *, const struct event_group *,
                        size_t group_count, void (*more)(struct jline *, const void *context),
                        const void *context, size_t *ret_size);

/* The message in Suricata's DNS v3 layout; records of a very large message are left out and
 * counted as `omitted`. */
const char *event_dns(struct event *, const struct event_context *, const struct dns_message *,
                      size_t *ret_size);

#define EVENT_TIME_TEXT 40
/* "2026-11-22T07:23:06.174571Z" (RFC 3339, UTC, microseconds). Returns ret_text. */
const char *event_time(int64_t time_ns, char ret_text[EVENT_TIME_TEXT]);

#endif
