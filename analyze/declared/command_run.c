/*
 * command_run: what was seen and validated, from a run of the confined processes.
 *
 * Contained in: baseline. Starts the supervisor beside this program and reads its report
 * (analyze/tell/learn.h). Never opens a capture. The report comes from the process that parsed
 * hostile packets: each line is checked, and each record read again by itself, before it is
 * believed.
 */
#include "analyze/canon.h"
#include "analyze/declared/command.h"
#include "analyze/types.h"
#include "sandbox/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM_TEXT 4096
#define OUT_WORDS    5

/* --- sources --- */

static char *copy_of(const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        log_die("out of memory");
    return copy;
}

void command_sources_add(struct command_sources *s, const char *option, const char *value)
{
    char **more = reallocarray(s->options, s->count + 2, sizeof *more);
    if (!more)
        log_die("out of memory");
    s->options = more;
    s->options[s->count++] = copy_of(option);
    s->options[s->count++] = copy_of(value);
}

void command_sources_fini(struct command_sources *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->options[i]);
    free(s->options);
    *s = (struct command_sources){.count = 0};
}

/* --- the run --- */

static const char *supervisor_beside(char room[PROGRAM_TEXT])
{
    ssize_t n = readlink("/proc/self/exe", room, PROGRAM_TEXT - 16);
    if (n <= 0)
        log_die("/proc/self/exe: %m");
    room[n] = '\0';
    char *slash = strrchr(room, '/');
    memcpy(slash ? slash : room, "/supervisor", sizeof "/supervisor");
    return room;
}

/* stdout of the run goes to `output`, or where ours goes (-1). */
static pid_t start(const char *const *arguments, size_t count, int output)
{
    char program[PROGRAM_TEXT];
    const char **words = calloc(count + 2, sizeof *words);
    if (!words)
        log_die("out of memory");
    words[0] = "dnsbailiff";
    memcpy(words + 1, arguments, count * sizeof *words);
    supervisor_beside(program);
    pid_t child = fork();
    if (child < 0)
        log_die("fork: %m");
    if (child == 0) {
        if (output < 0 || dup2(output, STDOUT_FILENO) >= 0)
            execv(program, (char *const *)(uintptr_t)words);
        log_die("%s: %m", program);
    }
    free(words);
    return child;
}

static pid_t start_learning(const struct command_sources *s, int *ret_reading)
{
    int ends[2];
    const char **words = calloc(s->count + 1, sizeof *words);
    if (!words || pipe2(ends, O_CLOEXEC) != 0)
        log_die("pipe: %m");
    words[0] = "learn";
    for (size_t i = 0; i < s->count; i++)
        words[i + 1] = s->options[i];
    pid_t child = start(words, s->count + 1, ends[1]);
    free(words);
    (void)close(ends[1]);
    *ret_reading = ends[0];
    return child;
}

static int wait_for(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            log_die("wait: %m");
    return WIFEXITED(status) ? WEXITSTATUS(status) : COMMAND_FAILED;
}

int command_supervise(const char *const *words, size_t count)
{
    return wait_for(start(words, count, -1));
}

/* --- reading the report --- */

struct group { /* the sets of one owner and type */
    uint8_t owner[NAME_MAX_BYTES];
    uint16_t type;
    struct zoneset *sets;
    size_t count;
};

struct reader {
    struct command_learned *learned;
    enum command_conflict conflict;
    struct command_zone *zone;
    struct group group;
    bool begun, ended;
};

static void add_left(struct command_learned *l, const char *zone, const char *reason,
                     uint64_t count, const char *example)
{
    struct command_left_out *more = reallocarray(l->left, l->left_count + 1, sizeof *more);
    struct command_left_out left = {
        .zone = strdup(zone), .reason = strdup(reason), .count = count, .example = strdup(example)};
    if (!more || !left.zone || !left.reason || !left.example)
        log_die("out of memory");
    l->left = more;
    l->left[l->left_count++] = left;
}

static void keep(struct reader *r, const struct zoneset *set)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct zoneset_record *record = &set->records[i];
        if (zoneset_add(&r->zone->set, record->owner, record->type, record->ttl, record->rdata,
                        record->size) != 0)
            log_die("out of memory");
    }
}

/* All that was seen of one owner and type is here: which of it is taken? A zone's serial moves all
 * the time; all else that changed while we looked is a person's decision. */
static void end_group(struct reader *r)
{
    struct group *g = &r->group;
    char zone[NAME_TEXT_MAX], owner[NAME_TEXT_MAX], word[TYPES_TEXT], *example = NULL;
    bool latest = g->type == TYPE_SOA || r->conflict == COMMAND_LATEST;
    if (g->count == 1 || (g->count > 1 && latest)) {
        keep(r, &g->sets[g->count - 1]);
    } else if (g->count > 1 && r->conflict == COMMAND_ALL) {
        for (size_t i = 0; i < g->count; i++)
            keep(r, &g->sets[i]);
    } else if (g->count > 1) {
        if (asprintf(&example, "%s %s", name_text(g->owner, owner), types_rr(g->type, word)) < 0)
            log_die("out of memory");
        add_left(r->learned, name_text(r->zone->set.apex, zone), "conflicting", 1, example);
        free(example);
        if (g->type == TYPE_DNSKEY || g->type == TYPE_DS)
            r->zone->torn = true;
    }
    for (size_t i = 0; i < g->count; i++)
        zoneset_fini(&g->sets[i]);
    free(g->sets);
    *g = (struct group){.count = 0};
}

static bool on_zone(struct reader *r, const char *text)
{
    uint8_t apex[NAME_MAX_BYTES];
    end_group(r);
    if (!name_parse(text, apex))
        return false;
    r->zone = command_zones_find(&r->learned->zones, apex);
    if (!r->zone)
        r->zone = command_zones_add(&r->learned->zones, "traffic");
    memcpy(r->zone->set.apex, apex, sizeof apex);
    return true;
}

/* "<ns> <owner> <type>" */
static bool on_set(struct reader *r, char *text)
{
    uint8_t owner[NAME_MAX_BYTES];
    uint16_t type;
    char *type_text = strrchr(text, ' '), *owner_text = strchr(text, ' ');
    if (!r->zone || !type_text || owner_text == type_text)
        return false;
    *type_text++ = '\0';
    owner_text++;
    if (!name_parse(owner_text, owner) || !types_rr_parse(type_text, &type) ||
        !name_within(owner, r->zone->set.apex))
        return false;
    struct group *g = &r->group;
    if (g->count && (type != g->type || !name_equal(owner, g->owner)))
        end_group(r);
    struct zoneset *more = reallocarray(g->sets, g->count + 1, sizeof *more);
    if (!more)
        log_die("out of memory");
    g->sets = more;
    g->sets[g->count++] = (struct zoneset){.count = 0};
    memcpy(g->owner, owner, sizeof owner);
    g->type = type;
    return true;
}

static bool on_record(struct reader *r, const char *text, size_t size)
{
    static const uint8_t root[] = {0};
    char error[COMMAND_ERROR_TEXT];
    struct group *g = &r->group;
    if (g->count == 0)
        return false;
    struct zoneset *set = &g->sets[g->count - 1];
    size_t before = set->count;
    if (zoneset_read(set, "learned", text, size, root, error, sizeof error) != 0 ||
        set->count != before + 1)
        return false;
    const struct zoneset_record *record = &set->records[before];
    return record->type == g->type && name_equal(record->owner, g->owner);
}

/* "<count> <zone> <reason> <owner> <type>" */
static bool on_out(struct reader *r, char *text)
{
    char *word[OUT_WORDS], *end, *rest = text, *example = NULL;
    for (size_t i = 0; i < OUT_WORDS; i++) {
        word[i] = rest ? strsep(&rest, " ") : NULL;
        if (!word[i])
            return false;
    }
    uint64_t count = strtoull(word[0], &end, 10);
    if (*end || rest || asprintf(&example, "%s %s", word[3], word[4]) < 0)
        return false;
    end_group(r);
    add_left(r->learned, word[1], word[2], count, example);
    free(example);
    return true;
}

static bool take_line(struct reader *r, char *line, size_t size)
{
    char *rest = strchr(line, ' ');
    size_t word = rest ? (size_t)(rest - line) : size;
    for (size_t i = 0; i < size; i++)
        if (line[i] < ' ' || line[i] > '~')
            return false;
    rest = rest ? rest + 1 : line + size;
    if (!r->begun)
        return r->begun = strcmp(line, "learned 1") == 0;
    if (r->ended)
        return size == 0;
    if (word == 4 && memcmp(line, "zone", 4) == 0)
        return on_zone(r, rest);
    if (word == 3 && memcmp(line, "set", 3) == 0)
        return on_set(r, rest);
    if (word == 6 && memcmp(line, "record", 6) == 0)
        return on_record(r, rest, strlen(rest));
    if (word == 3 && memcmp(line, "out", 3) == 0)
        return on_out(r, rest);
    r->ended = strcmp(line, "end") == 0;
    return r->ended;
}

static bool take_report(struct reader *r, int fd)
{
    FILE *stream = fdopen(fd, "r");
    char *line = NULL;
    size_t room = 0;
    bool good = stream != NULL;
    for (ssize_t size; good && (size = getline(&line, &room, stream)) > 0;) {
        if (line[size - 1] == '\n')
            line[--size] = '\0';
        good = take_line(r, line, (size_t)size);
    }
    free(line);
    if (stream)
        (void)fclose(stream); /* a writer that is still at it ends by SIGPIPE */
    end_group(r);
    return good;
}

int command_learned_run(const struct command_sources *s, enum command_conflict conflict,
                        struct command_learned *ret)
{
    struct command_learned learned = {.left_count = 0};
    struct reader r = {.learned = &learned, .conflict = conflict};
    int reading;
    pid_t child = start_learning(s, &reading);
    bool good = take_report(&r, reading);
    int status = wait_for(child);
    learned.damaged = status == COMMAND_USAGE && r.ended;
    if (status == COMMAND_OK && !(good && r.ended))
        log_line(LOG_ERROR, "the analyser's report is not one");
    if (!good || !r.ended) {
        command_learned_fini(&learned);
        return status ? status : COMMAND_FAILED;
    }
    for (size_t i = 0; i < learned.zones.count; i++) {
        zoneset_sort(&learned.zones.list[i].set);
        learned.zones.list[i].set.has_soa =
            zoneset_at_apex(&learned.zones.list[i].set, TYPE_SOA) > 0;
    }
    command_zones_sort(&learned.zones);
    *ret = learned;
    return 0;
}

void command_learned_fini(struct command_learned *l)
{
    command_zones_fini(&l->zones);
    for (size_t i = 0; i < l->left_count; i++) {
        free(l->left[i].zone);
        free(l->left[i].reason);
        free(l->left[i].example);
    }
    free(l->left);
    *l = (struct command_learned){.left_count = 0};
}
