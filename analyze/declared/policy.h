/*
 * policy: how strictly a zone is held to its baseline (DESIGN: Baseline), from its YAML file.
 *
 * Contained in: analyze, tests; read before confinement only.
 *
 *   zone: example.com.                 the zone, required
 *   strict: true                       false: only keys, DS, NS and `watch`
 *   dynamic: ["*.dyn.example.com. A"]  names (and a type) that change by themselves
 *   watch: ["www.example.com."]        names whose records are critical
 *   servers, transfer-clients          addresses
 *   signing: {validity: 14d, refresh: 5d, algorithm: 13}
 *   multi-signer: false                RFC 8901
 *   validate: true                     false: the zone and what is below it is insecure (RFC 7646)
 *   negative-anchor: {until: TIME, from: TIME, why: …}   the same for a while; `from` may be absent
 *   planned: [{change: ksk-rollover, key: "257 3 13 …", name: …, from: TIME, to: TIME, why: …}]
 *   suppress: [{rule: ID, name: NAME, until: TIME, why: …}]
 *
 * `validate` and `negative-anchor` work without a zone file.
 */
#ifndef ANALYZE_DECLARED_POLICY_H
#define ANALYZE_DECLARED_POLICY_H

#include "analyze/facts.h"

/* X(NAME, "word", "what it makes expected inside its window") */
#define POLICY_CHANGES(X)                                                                          \
    X(KSK, "ksk-rollover", "keys with SEP and DS")                                                 \
    X(ZSK, "zsk-rollover", "keys without SEP")                                                     \
    X(CSK, "csk-rollover", "all keys and DS")                                                      \
    X(ALGORITHM, "algorithm-rollover", "all keys and DS")                                          \
    X(DS, "ds-change", "DS")                                                                       \
    X(INSECURE, "going-insecure", "withdrawal of keys and DS")                                     \
    X(DELEGATION, "delegation-change", "NS, and addresses of name servers")                        \
    X(RECORDS, "record-change", "records of `name`")

enum policy_change {
#define X(name, word, text) POLICY_##name,
    POLICY_CHANGES(X)
#undef X
        POLICY_CHANGE_COUNT
};

struct policy_pattern { /* "NAME", "NAME TYPE", "*.NAME" (every name below it), "*.NAME TYPE" */
    uint8_t name[NAME_MAX_BYTES];
    bool subtree;
    uint16_t type; /* 0: any */
    unsigned line; /* of the file */
};

struct policy_plan {
    enum policy_change change;
    bool has_pattern;
    struct policy_pattern pattern;
    uint8_t *key; /* DNSKEY rdata, NULL: none named */
    uint16_t key_size;
    int64_t from_ns, to_ns; /* packet time, both inclusive */
};

struct policy_suppression {
    char *rule;
    struct policy_pattern pattern;
    int64_t until_ns;
};

struct policy {
    uint8_t zone[NAME_MAX_BYTES];
    char *file;
    unsigned needs_zone; /* line of the first key that says nothing without a zone file, 0 none */
    bool negative;       /* validation is off in the window below, both ends inclusive */
    int64_t negative_from_ns, negative_until_ns;
    bool strict, multi_signer;
    struct policy_pattern *dynamic, *watch;
    size_t dynamic_count, watch_count;
    struct fact_address *servers, *transfer_clients;
    size_t server_count, transfer_client_count;
    int64_t validity_ns, refresh_ns; /* 0 not stated */
    uint8_t algorithm;               /* 0 not stated */
    struct policy_plan *plans;
    size_t plan_count;
    struct policy_suppression *suppressions;
    size_t suppression_count;
};

/* NULL with "file:line: what was expected" in ret_error. */
struct policy *policy_read(const char *file, const void *text, size_t size, char *ret_error,
                           size_t error_room);
void policy_free(struct policy *);

bool policy_matches(const struct policy_pattern *, const uint8_t *owner, uint16_t type);

#endif
