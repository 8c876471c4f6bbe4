/*
 * settings: every number an operator may set, with its default, bounds and meaning: one table.
 *
 * Contained in: every process. The supervisor fills it from the configuration file and the command
 * line; the others receive it in the inputs and never change it. The bytes that were in force go
 * into the bundle.
 */
#ifndef SANDBOX_SETTINGS_H
#define SANDBOX_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

/* With --ignore-rfc9276 proofs are computed up to here: what RFC 5155 10.3 allowed for the longest
 * keys. */
#define NSEC3_ITERATIONS_MOST 2500

/* X(field, "key in the configuration file", default, least, most, "meaning with its unit") */
#define SETTINGS(X)                                                                                \
    X(ring_bytes, "ring-bytes", 32u << 20, 1u << 20, 1u << 30,                                     \
      "frame ring, bytes, a power of two")                                                         \
    X(snaplen, "snaplen", 262144, 64, 262144, "bytes kept of a frame in live capture")             \
    X(segment_bytes, "segment-bytes", 64u << 20, 4096, 1u << 31,                                   \
      "a segment closes at this size, bytes")                                                      \
    X(segment_seconds, "segment-seconds", 60, 1, 86400, "a segment closes at this age, seconds")   \
    X(epoch_records, "epoch-records", 256, 2, 1u << 20,                                            \
      "log records of an epoch before its key is changed")                                         \
    X(hold_bytes, "hold-bytes", 512u << 20, 1u << 20, 1ull << 36,                                  \
      "replay: frames held for citation, bytes on disk")                                           \
    X(memory_bytes, "memory-bytes", 1024u << 20, 64u << 20, 1ull << 38,                            \
      "tables of the analyser, bytes")                                                             \
    X(streams, "tcp-streams", 16384, 16, 1u << 22, "TCP streams followed at once")                 \
    X(stream_bytes, "tcp-stream-bytes", 262144, 65538, 1u << 24, "bytes held of one TCP stream")   \
    X(datagrams, "fragmented-datagrams", 4096, 16, 1u << 20, "IP datagrams in reassembly at once") \
    X(queries, "open-queries", 65536, 1024, 1u << 24, "queries waiting for their response")        \
    X(query_seconds, "query-seconds", 30, 1, 600, "a query is forgotten after, seconds")           \
    X(message_signatures, "message-signatures", 64, 4, 4096,                                       \
      "signature checks spent on one message")                                                     \
    X(zone_signatures, "zone-signatures", 512, 16, 1u << 20,                                       \
      "signature checks that fail, but for the first of each RRset, spent on one zone in one "     \
      "second "                                                                                    \
      "of packet time")                                                                            \
    X(frame_check_us, "frame-check-microseconds", 3, 0, 1000000,                                   \
      "time for signature checks that fail, earned by each frame, microseconds (by a table of "    \
      "what a check costs); a quarter of a second is there from the start")                        \
    X(second_signatures, "second-signatures", 20000, 100, 1u << 30,                                \
      "signature checks spent on one second of packet time")                                       \
    X(nsec3_iterations, "nsec3-iterations", 150, 0, NSEC3_ITERATIONS_MOST,                         \
      "NSEC3 iterations beyond which a proof counts as insecure (RFC 9276 3.2)")                   \
    X(message_hashes, "message-hashes", 256, 16, 65536, "NSEC3 name hashes spent on one message")  \
    X(threads, "threads", 0, 0, 8, "threads of the analyser, 0: one a processor")                  \
    X(hash_seed, "hash-seed", 0, 0, INT64_MAX,                                                     \
      "what keys the analyser's tables, 0: random; it is sealed, for a run to be repeated "        \
      "exactly")                                                                                   \
    X(open_end, "open-end", 0, 0, 1,                                                               \
      "judge as a capture does, which goes on, not as a recording that ends; capture sets it")     \
    X(skew_seconds, "skew-seconds", 0, 0, 86400,                                                   \
      "tolerance at both ends of a signature's validity, seconds")                                 \
    X(expiring_hours, "expiring-hours", 48, 0, 8760,                                               \
      "rrsig-expiring: remaining life that is too short, hours")                                   \
    X(stats_seconds, "stats-seconds", 60, 1, 86400,                                                \
      "a stats event every so many seconds of packet time")                                        \
    X(history, "history", 1, 0, 1,                                                                 \
      "keep every RRset, key and signature seen in state/history.sqlite")                          \
    X(history_bytes, "history-bytes", 1u << 30, 1u << 20, 1ull << 40,                              \
      "the history takes up nothing new beyond this size, bytes")

#define SETTINGS_PORTS 16

struct settings {
#define X(field, key, value, least, most, text) uint64_t field;
    SETTINGS(X)
#undef X
    uint16_t ports[SETTINGS_PORTS]; /* DNS ports, 0 ends the list; default 53 */
    uint8_t log_verdicts_all;       /* --log-verdicts all */
    uint8_t log_dns;                /* --log-dns */
    uint8_t live;                   /* capture, not replay */
    uint8_t at;                     /* enum settings_at */
    uint8_t packet_tree;            /* packet commitments */
    uint8_t ignore_rfc8624, ignore_rfc9276;
    uint8_t include_source; /* --include-source: the bundle holds the source files themselves */
    int64_t at_ns;          /* the clock of --at TIME or now, nanoseconds since 1970 */
    char sensor[64];        /* sensor name: lower-case letters, digits, '-', '.' */
};

enum settings_at { AT_PACKET = 0, AT_FIXED = 1 };

void settings_default(struct settings *ret_settings);

/* Sets the field that `key` names from text such as "64MiB", "2h" or "4096", within its bounds: a
 * key in -bytes takes B KiB MiB GiB TiB (1024) and kB MB GB TB (1000), a key in -seconds or -hours
 * takes s m min h d w. 0, SETTINGS_NO_KEY (nothing set), or SETTINGS_BAD; then ret_why (not NULL)
 * says in a few words what was wrong. */
enum { SETTINGS_NO_KEY = -1, SETTINGS_BAD = -2 };
int settings_set(struct settings *, const char *key, const char *text, char *ret_why, size_t room);

/* Ports as a list "53,5353"; replaces what was there. 0 or SETTINGS_BAD. */
int settings_ports(struct settings *, const char *text);

#endif
