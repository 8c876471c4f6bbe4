/*
 * options: the command line of replay, capture, pack and explain as one struct.
 *
 * Contained in: supervisor. Nothing is opened here; files are only named.
 */
#ifndef SANDBOX_OPTIONS_H
#define SANDBOX_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "sandbox/settings.h"

enum command {
    COMMAND_REPLAY,
    COMMAND_CAPTURE,
    COMMAND_PACK,
    COMMAND_EXPLAIN,
    COMMAND_LEARN,
    COMMAND_ACCEPT
};

#define OPTIONS_LIST_MAX 64 /* of what may be given several times; folders take more files */

struct option_list {
    const char *items[OPTIONS_LIST_MAX]; /* borrowed from argv */
    size_t count;
};

struct options {
    enum command command;
    struct option_list files;      /* -r */
    struct option_list folders;    /* -R */
    struct option_list anchors;    /* --trust-anchor */
    struct option_list interfaces; /* -i */
    const char *baseline;          /* NULL: not given, as for all that follow */
    const char *evidence;          /* -l */
    const char *state;             /* --state: a file, or "none" */
    const char *bundle;            /* -o */
    const char *config;            /* -c */
    const char *identity;
    const char *profile;
    char *filter;         /* BPF expression, on the heap */
    const char *record;   /* accept: file with what is recorded */
    const char *question; /* explain: frame number or NAME/TYPE */
    bool check, quiet, test, json;
    struct settings settings; /* defaults, then the configuration file, then options */
};

/* What a child's exit or a refused input means to the shell. */
enum exit_status { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Reads argv[1] (the command) and what follows it, twice: first to find -c, then, after the caller
 * has put the configuration into ret_options->settings, to let options override it. Returns -1 to
 * go on, or the exit status (help was printed, or an error was logged). */
int options_find(int argc, char **argv, struct options *ret_options);
int options_apply(int argc, char **argv, struct options *options);

/* RFC 3339 ("2026-11-22T08:00:00Z", offsets too) or seconds since 1970, as nanoseconds. 0 or -1. */
int options_time(const char *text, int64_t *ret_ns);
/* A sensor's name: letters, digits, '-', '.'; at most 63. 0 or -1. */
int options_sensor(struct settings *, const char *text);

#endif
