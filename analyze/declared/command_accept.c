/*
 * command_accept: `dnsbailiff baseline accept`: adopts the change that a finding shows.
 *
 * Contained in: baseline. The record is sealed before the zone file is replaced, and the old file
 * is kept: what is declared is never changed without a trace. Must never adopt part of a change.
 */
#include "analyze/canon.h"
#include "analyze/declared/baseline.h"
#include "analyze/declared/command.h"
#include "analyze/types.h"
#include "sandbox/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
    "Usage: dnsbailiff baseline accept -l EVIDENCE --baseline DIR --finding ID --who NAME --why "
    "TEXT\n"
    "\n"
    "Adopts the change that a finding shows into the baseline: records that were expected and are\n"
    "gone leave the zone file, those that were seen enter it. The old file stays as ZONE.zone.N.\n"
    "Who, why, the finding and the hashes of both files go into a sealed log of its own,\n"
    "EVIDENCE/accepted, which names the log that has the finding; pack -l EVIDENCE/accepted\n"
    "makes a bundle of it.\n"
    "\n"
    "  -l EVIDENCE          evidence folder with the finding\n"
    "      --baseline DIR   folder of the baseline\n"
    "      --finding ID     as replay and findings.jsonl show it\n"
    "      --who NAME       the person who decides\n"
    "      --why TEXT       the reason, as a ticket\n"
    "      --identity DIR   what keygen made; default as for replay\n"
    "  -h, --help           this help\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 usage, no such finding, or one that shows no change of\n"
    "records that could be adopted.\n";

#define HASH_TEXT 65
#define WORDS_MAX 256 /* bytes of who and why */
#define OLD_MOST  9999
#define NAME_MOST 80 /* of a name as evidence (evidence/format.h) */

struct accept {
    const char *evidence, *baseline, *id, *who, *why, *identity;
    json_t *finding;
    uint32_t version; /* of the new file */
    char finding_sha256[HASH_TEXT], old_sha256[HASH_TEXT], new_sha256[HASH_TEXT];
    char *log[3]; /* origin, size and root of the newest checkpoint */
    struct command_zones zones;
    struct command_zone *zone;  /* of zones */
    char member[NAME_MOST + 1]; /* what the new zone file is called as evidence */
    char *text;                 /* the new zone file */
    size_t size;
};

static int refuse(const char *what, const char *why)
{
    log_line(LOG_ERROR, "accept: %s: %s", what, why);
    return COMMAND_USAGE;
}

static void hash_text(const void *bytes, size_t size, char ret_text[HASH_TEXT])
{
    uint8_t digest[32];
    if (EVP_Digest(bytes, size, digest, NULL, EVP_sha256(), NULL) != 1)
        log_die("SHA-256 is not available");
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(ret_text + 2 * i, 3, "%02x", digest[i]);
}

static char *path_of(const char *folder, const char *name)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        log_die("out of memory");
    return path;
}

static const char *word(const struct accept *a, const char *key)
{
    const char *text = json_string_value(json_object_get(a->finding, key));
    return text ? text : "";
}

/* --- the finding --- */

/* The last line about it: its state at the end. The log must have recorded that very line. */
static int find_finding(struct accept *a)
{
    char *path = path_of(a->evidence, "state/findings.jsonl"), *text, *log;
    size_t size, log_size;
    if (command_read(path, &text, &size) != 0)
        return COMMAND_USAGE;
    for (char *line = text, *end; line < text + size; line = end + 1) {
        json_error_t error;
        end = memchr(line, '\n', (size_t)(text + size - line));
        if (!end)
            break;
        json_t *finding = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, &error);
        const char *id = json_string_value(json_object_get(finding, "id"));
        if (!id || strcmp(id, a->id) != 0) {
            json_decref(finding);
            continue;
        }
        json_decref(a->finding);
        a->finding = finding;
        hash_text(line, (size_t)(end - line), a->finding_sha256);
    }
    free(text);
    free(path);
    if (!a->finding)
        return refuse(a->id, "there is no such finding");
    path = path_of(a->evidence, "log/log.jsonl");
    if (command_read(path, &log, &log_size) != 0)
        return COMMAND_USAGE;
    bool logged = strstr(log, a->finding_sha256) != NULL;
    free(log);
    free(path);
    return logged ? COMMAND_OK : refuse(a->id, "is not the finding that was logged");
}

static int by_bytes(const struct dirent **x, const struct dirent **y)
{
    return strcmp((*x)->d_name, (*y)->d_name);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The newest checkpoint: its name is <epoch>-<size>, both with leading zeros. */
static int read_checkpoint(struct accept *a)
{
    char *folder = path_of(a->evidence, "log/checkpoints"), *path, *text, *rest;
    struct dirent **entries;
    size_t size;
    int count = scandir(folder, &entries, is_visible, by_bytes);
    if (count <= 0)
        return refuse(folder, "holds no checkpoint: the evidence is not sealed");
    path = path_of(folder, entries[count - 1]->d_name);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    free(folder);
    if (command_read(path, &text, &size) != 0)
        return COMMAND_USAGE;
    rest = text;
    for (size_t i = 0; i < 3; i++) {
        const char *line = strsep(&rest, "\n");
        if (!line || !*line)
            return refuse(path, "is not a checkpoint");
        if (!(a->log[i] = strdup(line)))
            log_die("out of memory");
    }
    free(text);
    free(path);
    return COMMAND_OK;
}

/* --- the change --- */

/* What each kind of finding says of the zone. Others show no change of the owner's records. */
static const struct kind {
    const char *rule;
    bool removes, adds; /* what it expected; what it observed */
} kinds[] = {
    {"key-unknown", false, true},         {"ds-unknown", false, true},
    {"key-changed", true, true},          {"key-withdrawn", true, false},
    {"delegation-changed", true, true},   {"record-unexpected", false, true},
    {"record-changed", true, true},       {"record-missing", true, false},
    {"mail-policy-weakened", true, true}, {"mail-moved", true, true},
    {"tlsa-changed", true, true},         {"caa-weakened", true, true},
};

/* The records of one list of the finding; false if it does not show them whole. */
static bool read_lines(const struct accept *a, const char *key, struct zoneset *ret)
{
    static const uint8_t root[] = {0};
    json_t *list = json_object_get(a->finding, key), *line;
    uint8_t owner[NAME_MAX_BYTES];
    uint16_t type;
    char error[COMMAND_ERROR_TEXT];
    size_t index;
    if (!name_parse(word(a, "rrname"), owner) || !types_rr_parse(word(a, "rrtype"), &type))
        return false;
    json_array_foreach(list, index, line)
    {
        const char *text = json_string_value(line);
        size_t size = text ? strlen(text) : 0;
        if (size == 0 || zoneset_read(ret, "finding", text, size, root, error, sizeof error) != 0 ||
            ret->count != index + 1 || ret->records[index].type != type ||
            !name_equal(ret->records[index].owner, owner))
            return false;
    }
    return true;
}

static bool remove_record(struct zoneset *zone, const struct zoneset_record *gone)
{
    for (size_t i = 0; i < zone->count; i++) {
        struct zoneset_record *r = &zone->records[i];
        if (!name_equal(r->owner, gone->owner) || !zoneset_has(r, 1, gone))
            continue;
        free(r->owner);
        *r = zone->records[--zone->count];
        return true;
    }
    return false;
}

static bool has_record(const struct zoneset *zone, const struct zoneset_record *wanted)
{
    for (size_t i = 0; i < zone->count; i++)
        if (name_equal(zone->records[i].owner, wanted->owner) &&
            zoneset_has(&zone->records[i], 1, wanted))
            return true;
    return false;
}

/* The finding's lines carry no TTL: that of the RRset, or of the zone's SOA. */
static uint32_t ttl_for(const struct zoneset *zone, const struct zoneset_record *record)
{
    uint32_t ttl = zone->count ? zone->records[0].ttl : 3600;
    for (size_t i = 0; i < zone->count; i++)
        if (zone->records[i].type == record->type &&
            name_equal(zone->records[i].owner, record->owner))
            ttl = zone->records[i].ttl;
    return ttl;
}

static int change(struct zoneset *zone, const struct kind *kind, const struct zoneset *expected,
                  const struct zoneset *observed)
{
    uint32_t ttl = observed->count ? ttl_for(zone, &observed->records[0]) : 0;
    bool any = false;
    for (size_t i = 0; kind->removes && i < expected->count; i++) {
        if (has_record(observed, &expected->records[i]))
            continue; /* part of the set stays */
        if (!remove_record(zone, &expected->records[i]))
            return -1;
        any = true;
    }
    for (size_t i = 0; kind->adds && i < observed->count; i++) {
        const struct zoneset_record *r = &observed->records[i];
        if (has_record(zone, r))
            continue;
        if (zoneset_add(zone, r->owner, r->type, ttl, r->rdata, r->size) != 0)
            log_die("out of memory");
        any = true;
    }
    zoneset_sort(zone);
    return any ? 0 : 1;
}

static int adopt(struct accept *a)
{
    const struct kind *kind = NULL;
    struct zoneset expected = {.count = 0}, observed = {.count = 0};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].rule, word(a, "rule")) == 0)
            kind = &kinds[i];
    if (!kind)
        return refuse(word(a, "rule"), "shows no change of records that could be adopted");
    bool whole = read_lines(a, "expected", &expected) && read_lines(a, "observed", &observed);
    int result = whole ? change(&a->zone->set, kind, &expected, &observed) : 0;
    zoneset_fini(&expected);
    zoneset_fini(&observed);
    if (!whole)
        return refuse(a->id, "does not show the whole change under one name: use import");
    if (result < 0)
        return refuse(a->zone->from, "is not what the finding was held against any more");
    return result == 0 ? COMMAND_OK : refuse(a->zone->from, "says so already");
}

/* --- the zone file --- */

/* As the log names it: the zone's name, of long ones the end. */
static void name_member(struct accept *a)
{
    char name[ZONESET_FILE_TEXT];
    zoneset_file_name(a->zone->set.apex, name);
    size_t size = strlen(name), kept = size < NAME_MOST ? size : NAME_MOST;
    memcpy(a->member, name + size - kept, kept + 1);
    if (a->member[0] == '.')
        a->member[0] = '_';
}

static int find_zone(struct accept *a)
{
    struct stat st;
    uint8_t apex[NAME_MAX_BYTES];
    char *text;
    size_t size;
    if (!name_parse(word(a, "zone"), apex))
        return refuse(a->id, "is about no zone");
    if (stat(a->baseline, &st) != 0 || !S_ISDIR(st.st_mode))
        return refuse(a->baseline, "is not the folder of a baseline");
    if (command_zones_load(&a->zones, a->baseline) != 0)
        return COMMAND_USAGE;
    a->zone = command_zones_find(&a->zones, apex);
    if (!a->zone)
        return refuse(word(a, "zone"), "the baseline has no such zone");
    if (command_read(a->zone->from, &text, &size) != 0)
        return COMMAND_FAILED;
    hash_text(text, size, a->old_sha256);
    a->version = baseline_version(text, size) + 1;
    free(text);
    name_member(a);
    return COMMAND_OK;
}

static int render(struct accept *a)
{
    char head[NAME_TEXT_MAX + 2 * WORDS_MAX + 256], apex[NAME_TEXT_MAX];
    char error[COMMAND_ERROR_TEXT];
    snprintf(head, sizeof head,
             "; Baseline of %s: what its owner declares.\n"
             "; Version %u\n"
             "; Accepted last: %.40s of finding %.40s, by %s: %s\n"
             "; DS records are those that the parent should have.\n\n",
             name_text(a->zone->set.apex, apex), a->version, word(a, "rule"), a->id, a->who,
             a->why);
    a->text = zoneset_text(&a->zone->set, head, &a->size, error, sizeof error);
    if (!a->text)
        return refuse(a->zone->from, error);
    hash_text(a->text, a->size, a->new_sha256);
    return command_accepts(command_base_name(a->zone->from), a->text, a->size) == 0 ? COMMAND_OK
                                                                                    : COMMAND_USAGE;
}

/* The old file gets a further name before the new one takes its own. */
static int keep_old(const struct accept *a, char **ret_old)
{
    for (unsigned n = 1; n <= OLD_MOST; n++) {
        char *old = NULL;
        if (asprintf(&old, "%s.%u", a->zone->from, n) < 0)
            log_die("out of memory");
        if (link(a->zone->from, old) == 0) {
            *ret_old = old;
            return COMMAND_OK;
        }
        int error = errno;
        free(old);
        errno = error;
        if (errno != EEXIST)
            break;
    }
    log_line(LOG_ERROR, "%s: the old file cannot be kept: %m", a->zone->from);
    return COMMAND_FAILED;
}

static int replace(const struct accept *a)
{
    char *old;
    if (keep_old(a, &old) != COMMAND_OK)
        return COMMAND_FAILED;
    const char *name = command_base_name(a->zone->from);
    if (command_write(a->baseline, name, a->text, a->size, true) == COMMAND_WRITE_FAILED)
        return COMMAND_FAILED;
    printf("%s: %s of %s accepted\n  %s (before: %s)\n  recorded in %s/accepted\n", word(a, "zone"),
           word(a, "rule"), word(a, "rrname"), a->zone->from, old, a->evidence);
    free(old);
    return COMMAND_OK;
}

/* --- the record --- */

/* In order of the record's keys (evidence/format.h). */
static int write_record(const struct accept *a, const char *folder)
{
    char *text = NULL;
    int size = asprintf(&text, "%s\n%s\n%s\n%s\nbaseline/%s\n%s\n%s\n%s\n%s\n%s\n%s\n", a->id,
                        a->finding_sha256, word(a, "zone"), a->old_sha256, a->member, a->new_sha256,
                        a->who, a->why, a->log[0], a->log[1], a->log[2]);
    if (size < 0)
        log_die("out of memory");
    enum command_written written = command_write(folder, "record", text, (size_t)size, false);
    free(text);
    return written == COMMAND_WRITTEN ? COMMAND_OK : COMMAND_FAILED;
}

static int seal_in(const struct accept *a, const char *folder)
{
    char *baseline = path_of(folder, "baseline"), *record = path_of(folder, "record");
    char *accepted = path_of(a->evidence, "accepted");
    const char *words[10] = {"accept", "-q",         "-l",     accepted,     "--record",
                             record,   "--baseline", baseline, "--identity", a->identity};
    int status = write_record(a, folder);
    if (status == COMMAND_OK &&
        command_write(baseline, a->member, a->text, a->size, false) != COMMAND_WRITTEN)
        status = COMMAND_FAILED;
    if (status == COMMAND_OK)
        status = command_supervise(words, a->identity ? 10 : 8);
    char *zone = path_of(baseline, a->member);
    (void)unlink(zone);
    (void)rmdir(baseline);
    (void)unlink(record);
    free(zone);
    free(baseline);
    free(record);
    free(accepted);
    return status;
}

static int seal(const struct accept *a)
{
    char folder[256];
    const char *temporary = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.200s/dnsbailiff-accept-XXXXXX",
             temporary && temporary[0] == '/' ? temporary : "/tmp");
    if (!mkdtemp(folder)) {
        log_line(LOG_ERROR, "%s: %m", folder);
        return COMMAND_FAILED;
    }
    int status = seal_in(a, folder);
    (void)rmdir(folder);
    return status;
}

static int run(struct accept *a)
{
    int (*const steps[])(struct accept *) = {find_finding, read_checkpoint, find_zone, adopt,
                                             render};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        int status = steps[i](a);
        if (status != COMMAND_OK)
            return status;
    }
    int status = seal(a);
    return status == COMMAND_OK ? replace(a) : status;
}

/* One line, for the log and for the head of the zone file. */
static bool is_words(const char *text)
{
    size_t size = text ? strlen(text) : 0;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    json_t *utf8 = json_string(text ? text : "");
    json_decref(utf8);
    return utf8 && size > 0 && size <= WORDS_MAX;
}

int command_accept(int argc, char **argv)
{
    static const struct option options[] = {
        {"baseline", required_argument, NULL, 'b'},
        {"finding", required_argument, NULL, 'f'},
        {"who", required_argument, NULL, 'w'},
        {"why", required_argument, NULL, 'y'},
        {"identity", required_argument, NULL, 'i'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct accept a = {.evidence = NULL};
    for (int option; (option = getopt_long(argc, argv, "l:h", options, NULL)) != -1;) {
        const char **slot = option == 'l'   ? &a.evidence
                            : option == 'b' ? &a.baseline
                            : option == 'f' ? &a.id
                            : option == 'w' ? &a.who
                            : option == 'y' ? &a.why
                            : option == 'i' ? &a.identity
                                            : NULL;
        if (option == 'h')
            return fputs(help, stdout) < 0 ? COMMAND_FAILED : COMMAND_OK;
        if (!slot)
            return COMMAND_USAGE; /* getopt has said why */
        *slot = optarg;
    }
    if (optind < argc || !a.evidence || !a.baseline || !a.id) {
        log_line(LOG_ERROR, "accept: needs -l, --baseline and --finding");
        return COMMAND_USAGE;
    }
    if (!is_words(a.who) || !is_words(a.why)) {
        log_line(LOG_ERROR, "accept: needs --who and --why, each one line of at most 256 bytes");
        return COMMAND_USAGE;
    }
    int status = run(&a);
    json_decref(a.finding);
    command_zones_fini(&a.zones);
    for (size_t i = 0; i < 3; i++)
        free(a.log[i]);
    free(a.text);
    return status;
}
