/*
 * command: `dnsbailiff baseline`: the parts of the program, one file a subcommand.
 *
 * Contained in: baseline. Runs as the user who calls it, on zone files of his own. Packets are
 * never read here: what was seen comes from a run of the confined processes (command_run.c), as
 * text.
 */
#ifndef ANALYZE_DECLARED_COMMAND_H
#define ANALYZE_DECLARED_COMMAND_H

#include "analyze/declared/zoneset.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit status; `diff` says 1 for "different", as diff(1) does. */
enum { COMMAND_OK = 0, COMMAND_FAILED = 1, COMMAND_DIFFERENT = 1, COMMAND_USAGE = 2 };

#define COMMAND_ERROR_TEXT 2048
#define COMMAND_ZONE_MAX   ((size_t)512 << 20) /* bytes of a zone file */

/* argv[0] is the subcommand. Each returns the exit status. */
int command_import(int argc, char **argv);
int command_diff(int argc, char **argv);
int command_learn(int argc, char **argv);
int command_accept(int argc, char **argv);

/* --- files (command_files.c) --- */

bool command_exists(const char *path);
/* The whole file ("-": standard input), a NUL behind it. 0, or -1 with the reason logged. Caller
 * frees. */
int command_read(const char *path, char **ret_bytes, size_t *ret_size);
enum command_written { COMMAND_WRITE_FAILED = -1, COMMAND_WRITTEN, COMMAND_SAME };
/* Writes folder/name, whole or not at all; makes the folder. A file that is there is replaced only
 * with `force`, and left alone if it has these bytes. Failures are logged. */
enum command_written command_write(const char *folder, const char *name, const void *bytes,
                                   size_t size, bool force);

/* --- zones --- */

/* What the file is called in its folder; origin of relative names if it is NAME.zone. */
const char *command_base_name(const char *path);
bool command_origin(const char *path, uint8_t ret_origin[NAME_MAX_BYTES]);

struct command_zone {
    char *from; /* path, for messages */
    struct zoneset set;
    bool torn; /* learned: its keys or DS changed meanwhile, and none were taken */
};
struct command_zones { /* sorted by apex after command_zones_sort */
    struct command_zone *list;
    size_t count;
};
/* An empty zone at the end; ends the process without memory. */
struct command_zone *command_zones_add(struct command_zones *, const char *from);
void command_zones_sort(struct command_zones *);
struct command_zone *command_zones_find(const struct command_zones *, const uint8_t *apex);
void command_zones_fini(struct command_zones *);
/* Adds a baseline: a folder with NAME.zone files, or one zone file. 0, or -1 logged. */
int command_zones_load(struct command_zones *, const char *path);
/* What the analyser would say of this baseline file. 0, or -1 logged. */
int command_accepts(const char *name, const char *text, size_t size);

/* --- what was seen (command_run.c) --- */

struct command_sources { /* what `learn` and `diff -l` look at; as on the command line */
    char **options;      /* words for the supervisor: -r FILE, -R DIR, --trust-anchor FILE … */
    size_t count;
};
void command_sources_add(struct command_sources *, const char *option, const char *value);
void command_sources_fini(struct command_sources *);
/* -l DIR (command_evidence.c): what that run looked at, the sealed frames or, of a replay, its
 * captures while they are unchanged, else its extract, with a note; and the anchors that it judged
 * by unless some are named. 0, or -1 logged. */
int command_sources_evidence(struct command_sources *, const char *folder, bool with_anchors);

/* Runs the supervisor with these words; its exit status. */
int command_supervise(const char *const *words, size_t count);

struct command_left_out { /* RRsets that were seen and not learned */
    char *zone, *reason;
    uint64_t count;
    char *example;
};
struct command_learned {
    struct command_zones zones;
    struct command_left_out *left;
    size_t left_count;
    bool damaged; /* the capture was: all before the damage is in */
};
/* Where several secure RRsets of one owner and type were seen: none is taken, the latest, or the
 * records of all. (Of SOA always the latest.) */
enum command_conflict { COMMAND_NONE, COMMAND_LATEST, COMMAND_ALL };
/* Runs the confined analyser over the sources. A zone may have no SOA. 0, or the exit status, with
 * the reason logged. */
int command_learned_run(const struct command_sources *, enum command_conflict,
                        struct command_learned *ret);
void command_learned_fini(struct command_learned *);

#endif
