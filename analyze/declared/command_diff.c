/*
 * command_diff: `dnsbailiff baseline diff`: two baselines, or a baseline and what was seen.
 *
 * Contained in: baseline. What was not seen is not absent: against traffic only RRsets that were
 * seen and validated can differ, the others are counted.
 */
#include "analyze/canon.h"
#include "analyze/declared/command.h"
#include "analyze/key.h"
#include "analyze/types.h"
#include "sandbox/log.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: dnsbailiff baseline diff A B [--json]\n"
    "       dnsbailiff baseline diff DIR (-l EVIDENCE | -r CAPTURE...) [OPTIONS]\n"
    "\n"
    "What differs between two baselines (folders or zone files), or between a baseline and what\n"
    "was seen and validated. One line a record: - only in the first, + only in the second. TTLs\n"
    "and the SOA's serial are no difference. Against traffic, what was not seen is no difference\n"
    "either, and zones that the baseline does not have are left out.\n"
    "\n"
    "  A, B                 a folder with ZONE.zone files, or one such file\n"
    "  -l EVIDENCE          an evidence folder: its sealed segments; of a replay, the captures "
    "while\n"
    "                       they are unchanged, else its extract: only what findings cite\n"
    "  -r CAPTURE           capture file; repeatable\n"
    "  -R DIR               every capture in the folder\n"
    "      --trust-anchor FILE\n"
    "                       as for replay; default: what the evidence was judged by, or the root\n"
    "      --json           one JSON object\n"
    "  -h, --help           this help\n"
    "\n"
    "Exit status: 0 the same, 1 different, 2 usage, or something could not be read.\n";

enum section { SECTION_KEYS, SECTION_DS, SECTION_NS, SECTION_RECORDS, SECTION_COUNT };
static const char *const sections[] = {"keys", "ds", "ns", "records"};

struct diff {
    bool json, seen;              /* seen: the second side is traffic */
    const uint8_t *apex;          /* of the zone at hand */
    const struct zoneset *before; /* its declared side */
    uint64_t differences;         /* RRsets */
    uint64_t unseen;              /* RRsets of the baseline */
    enum section section;         /* those wanted in this pass */
    unsigned shown;               /* of the zone */
    bool headed, any_zone;        /* the section's, the list's beginning is written */
};

static enum section section_of(const struct zoneset_change *c, const uint8_t *apex)
{
    if (c->type == TYPE_DNSKEY)
        return SECTION_KEYS;
    if (c->type == TYPE_DS)
        return SECTION_DS;
    return c->type == TYPE_NS && name_equal(c->owner, apex) ? SECTION_NS : SECTION_RECORDS;
}

/* --- text --- */

static void print_text(struct diff *d, char sign, const struct zoneset_record *records,
                       size_t count, const struct zoneset_record *others, size_t other_count)
{
    for (size_t i = 0; i < count; i++) {
        char *line;
        if (zoneset_has(others, other_count, &records[i]))
            continue;
        if (zoneset_line(&records[i], false, &line) < 0)
            log_die("out of memory");
        printf("%c %s\n", sign, line);
        free(line);
        d->shown++;
    }
}

static void change_text(struct diff *d, const struct zoneset_change *c)
{
    char apex[NAME_TEXT_MAX];
    if (d->shown == 0)
        printf("%s%s\n", d->any_zone ? "\n" : "", name_text(d->apex, apex));
    d->any_zone = true;
    if (!d->headed)
        printf("@ %s\n", sections[d->section]);
    d->headed = true;
    print_text(d, '-', c->before, c->before_count, c->after, c->after_count);
    print_text(d, '+', c->after, c->after_count, c->before, c->before_count);
}

/* --- JSON --- */

/* Presentation form is printable ASCII. */
static void json_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar(*text);
    }
    putchar('"');
}

static void json_rdata(const char *key, const struct zoneset_record *records, size_t count,
                       const struct zoneset_record *others, size_t other_count)
{
    bool first = true;
    printf(",\"%s\":[", key);
    for (size_t i = 0; i < count; i++) {
        char *line;
        if (zoneset_has(others, other_count, &records[i]))
            continue;
        if (zoneset_line(&records[i], false, &line) < 0)
            log_die("out of memory");
        printf("%s", first ? "" : ",");
        json_text(line);
        free(line);
        first = false;
    }
    putchar(']');
}

static void change_json(struct diff *d, const struct zoneset_change *c)
{
    char name[NAME_TEXT_MAX], word[TYPES_TEXT];
    printf("%s{\"zone\":", d->any_zone ? "," : "");
    d->any_zone = true;
    json_text(name_text(d->apex, name));
    printf(",\"section\":\"%s\",\"change\":\"%s\",\"rrname\":", sections[d->section],
           !c->before_count  ? "added"
           : !c->after_count ? "removed"
                             : "changed");
    json_text(name_text(c->owner, name));
    printf(",\"rrtype\":\"%s\"", types_rr(c->type, word));
    json_rdata("removed", c->before, c->before_count, c->after, c->after_count);
    json_rdata("added", c->after, c->after_count, c->before, c->before_count);
    putchar('}');
    d->shown++;
}

/* --- comparing --- */

/* Where no DS is declared those of the zone's keys are expected (DESIGN: Baseline). */
static bool is_expected_ds(const struct diff *d, const struct zoneset_change *c)
{
    if (c->type != TYPE_DS || c->before_count > 0 || !name_equal(c->owner, d->apex))
        return false;
    for (size_t i = 0; i < c->after_count; i++) {
        bool named = false;
        for (size_t k = 0; k < d->before->count && !named; k++) {
            const struct zoneset_record *key = &d->before->records[k];
            named = key->type == TYPE_DNSKEY && name_equal(key->owner, d->apex) &&
                    key_matches_ds(d->apex, key->rdata, key->size, c->after[i].rdata,
                                   c->after[i].size) == KEY_DS_MATCHES;
        }
        if (!named)
            return false;
    }
    return true;
}

static void on_change(void *context, const struct zoneset_change *c)
{
    struct diff *d = context;
    if (section_of(c, d->apex) != d->section)
        return;
    if (d->seen && is_expected_ds(d, c))
        return;
    if (d->seen && c->after_count == 0) {
        d->unseen++;
        return;
    }
    d->differences++;
    if (d->json)
        change_json(d, c);
    else
        change_text(d, c);
}

static void compare_zone(struct diff *d, const uint8_t *apex, const struct zoneset *before,
                         const struct zoneset *after)
{
    static const struct zoneset nothing = {.count = 0};
    d->apex = apex;
    d->before = before ? before : &nothing;
    d->shown = 0;
    for (int s = 0; s < SECTION_COUNT; s++) {
        d->section = (enum section)s;
        d->headed = false;
        zoneset_diff(d->before, after ? after : &nothing, on_change, d);
    }
}

static void compare(struct diff *d, const struct command_zones *a, const struct command_zones *b)
{
    if (d->json)
        printf("{\"changes\":[");
    for (size_t i = 0, j = 0; i < a->count || j < b->count;) {
        const struct command_zone *left = i < a->count ? &a->list[i] : NULL;
        const struct command_zone *right = j < b->count ? &b->list[j] : NULL;
        int order = !left ? 1 : !right ? -1 : name_compare(left->set.apex, right->set.apex);
        bool known = order <= 0 || !d->seen;
        if (known)
            compare_zone(d, order <= 0 ? left->set.apex : right->set.apex,
                         order <= 0 ? &left->set : NULL, order >= 0 ? &right->set : NULL);
        i += order <= 0;
        j += order >= 0;
    }
}

static int report(const struct diff *d)
{
    if (d->json) {
        printf("],\"different\":%s", d->differences ? "true" : "false");
        if (d->seen)
            printf(",\"not_seen\":%" PRIu64, d->unseen);
        printf("}\n");
    } else if (d->seen && d->unseen) {
        printf("%s%" PRIu64 " RRsets of the baseline were not seen\n", d->differences ? "\n" : "",
               d->unseen);
    }
    return d->differences ? COMMAND_DIFFERENT : COMMAND_OK;
}

static int against_seen(struct diff *d, const char *folder, const struct command_sources *sources)
{
    struct command_zones declared = {.count = 0};
    struct command_learned learned = {.left_count = 0};
    int status = COMMAND_USAGE;
    if (command_zones_load(&declared, folder) == 0 &&
        command_learned_run(sources, COMMAND_ALL, &learned) == 0) {
        compare(d, &declared, &learned.zones);
        status = report(d);
        status = learned.damaged ? COMMAND_USAGE : status;
    }
    command_zones_fini(&declared);
    command_learned_fini(&learned);
    return status;
}

static int two_baselines(struct diff *d, const char *first, const char *second)
{
    struct command_zones a = {.count = 0}, b = {.count = 0};
    int status = COMMAND_USAGE;
    if (command_zones_load(&a, first) == 0 && command_zones_load(&b, second) == 0) {
        compare(d, &a, &b);
        status = report(d);
    }
    command_zones_fini(&a);
    command_zones_fini(&b);
    return status;
}

int command_diff(int argc, char **argv)
{
    static const struct option options[] = {
        {"trust-anchor", required_argument, NULL, 't'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct diff d = {.json = false};
    static struct command_sources sources;
    const char *evidence = NULL;
    bool anchors = false;
    for (int option; (option = getopt_long(argc, argv, "l:r:R:h", options, NULL)) != -1;) {
        switch (option) {
        case 'l':
            evidence = optarg;
            d.seen = true;
            break;
        case 'r':
        case 'R':
            command_sources_add(&sources, option == 'r' ? "-r" : "-R", optarg);
            d.seen = true;
            break;
        case 't':
            command_sources_add(&sources, "--trust-anchor", optarg);
            anchors = true;
            break;
        case 'j':
            d.json = true;
            break;
        case 'h':
            return fputs(help, stdout) < 0 ? COMMAND_USAGE : COMMAND_OK;
        default:
            return COMMAND_USAGE; /* getopt has said why */
        }
    }
    if (argc - optind != (d.seen ? 1 : 2)) {
        log_line(LOG_ERROR, "diff: needs two baselines, or one and what was seen (-l, -r, -R)");
        return COMMAND_USAGE;
    }
    if (evidence && command_sources_evidence(&sources, evidence, !anchors) != 0)
        return COMMAND_USAGE;
    int status = d.seen ? against_seen(&d, argv[optind], &sources)
                        : two_baselines(&d, argv[optind], argv[optind + 1]);
    command_sources_fini(&sources);
    return status;
}
