/*
 * inputs: what the operator gave (settings, anchors, baseline, names), as one sealed memfd.
 *
 * Contained in: every process. The supervisor reads each file once, so that analyze judges by, and
 * store records, the very same bytes. Nothing in it is hostile; nothing in it can change after
 * sealing.
 */
#ifndef SANDBOX_INPUTS_H
#define SANDBOX_INPUTS_H

#include <stddef.h>
#include <stdint.h>

#define INPUT_KINDS(X)                                                                             \
    X(SETTINGS, "struct settings")                                                                 \
    X(CONFIG, "the configuration file as read; name: its path")                                    \
    X(ANCHOR, "a trust anchor file; name: its file name")                                          \
    X(BASELINE_ZONE, "a zone file; name: its file name")                                           \
    X(BASELINE_POLICY, "a policy file; name: its file name")                                       \
    X(PROFILE, "rules profile; name: its file name")                                               \
    X(SOURCE,                                                                                      \
      "a capture file; name: its path, bytes: struct input_source; in order of descriptors")       \
    X(INTERFACE, "a live interface; name: its name")                                               \
    X(FILTER, "BPF expression")                                                                    \
    X(SENSOR, "JSON object: host, kernel, program hashes, operator: goes to sensor.json")          \
    X(ACCEPT, "accept: the lines of the log's record (evidence/accept.c)")                         \
    X(STATE, "keys that an earlier run kept (analyze/follow/keep.h); name: its file name")         \
    X(LEARN, "learn: analyze reports what it validated (analyze/tell/learn.h)")                    \
    X(QUESTION, "explain: name: frame number or NAME/TYPE, bytes: \"text\" or \"json\"")

enum input_kind {
#define X(name, text) INPUT_##name,
    INPUT_KINDS(X)
#undef X
        INPUT_KIND_COUNT
};

struct input_source {
    uint64_t size;    /* bytes as stored, 0 unknown */
    int64_t mtime_ns; /* 0 unknown */
    uint64_t flags;   /* SOURCE_… */
};
/* Cannot be read twice: digest reads it and passes it on to capture through FD_FORWARD. */
#define SOURCE_STREAM UINT64_C(1)
/* From a folder (-R): capture reads the sources that have it in order of their first packet, after
 * and before the others as they stand in the list. */
#define SOURCE_BY_TIME UINT64_C(2)

struct input {
    enum input_kind kind;
    const char *name; /* NUL-terminated, "" if none */
    const void *bytes;
    size_t size;
};

/* Supervisor. */
struct inputs_writer;
struct inputs_writer *inputs_new(void); /* NULL with errno set */
int inputs_add(struct inputs_writer *, enum input_kind, const char *name, const void *bytes,
               size_t size);
/* Seals (write, grow, shrink, seal) and frees the writer; the memfd, owned by the caller, or -1. */
int inputs_seal(struct inputs_writer *);

/* Reader: maps FD_INPUTS read-only for the life of the process; ends the process if it is not
 * sealed or not well formed. Then `*at` = 0, and repeated calls give every item of the kind in
 * order. */
struct inputs;
struct inputs *inputs_open(int fd);
int inputs_next(const struct inputs *, enum input_kind, size_t *at,
                struct input *ret_input); /* 1, 0 end */
/* The settings; always present. */
const struct settings *inputs_settings(const struct inputs *);

#endif
