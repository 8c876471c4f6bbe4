/*
 * command_learn: `dnsbailiff baseline learn`: a baseline from what was validated.
 *
 * Contained in: baseline. Takes only RRsets whose signatures reach a trust anchor. A baseline that
 * was learned does not know what did not pass by: it is held loosely unless the operator says so.
 */
#include "analyze/canon.h"
#include "analyze/declared/command.h"
#include "analyze/types.h"
#include "sandbox/log.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: dnsbailiff baseline learn (-r CAPTURE... | -R DIR | -l EVIDENCE) -o DIR [OPTIONS]\n"
    "\n"
    "Writes DIR/ZONE.zone for every zone whose keys were seen and validated, from RRsets that are\n"
    "secure, and tells what was left out and why. What did not pass by is not in it: therefore\n"
    "DIR/ZONE.yaml says `strict: false` (only keys, DS, NS and watched names are held to it).\n"
    "Learn from traffic of which you know that it was sound: a thief's signature is valid too.\n"
    "\n"
    "  -r CAPTURE           capture file; repeatable\n"
    "  -R DIR               every capture in the folder\n"
    "  -l EVIDENCE          an evidence folder: its sealed segments; of a replay, the captures "
    "while\n"
    "                       they are unchanged, else its extract: only what findings cite\n"
    "  -o DIR               folder of the baseline, made if needed\n"
    "      --trust-anchor FILE\n"
    "                       as for replay; default: what the evidence was judged by, or the root\n"
    "      --ports LIST     ports that carry DNS; default: 53, or those of the evidence\n"
    "      --zone NAME      only this zone; repeatable\n"
    "      --latest         where an RRset changed meanwhile take the latest; default: none, and "
    "no\n"
    "                       zone whose keys or DS changed\n"
    "      --strict         write no policy file: all of the zone was seen, its delegations too\n"
    "      --force          replace zone files that are there (policy files never are)\n"
    "  -h, --help           this help\n"
    "\n"
    "Exit status: 0 done, 1 failed, or no zone was learned, 2 usage, or unreadable or damaged\n"
    "input (all before the damage is in).\n";

static const struct {
    const char *reason, *meaning;
} reasons[] = {
    {"insecure", "proven to be unsigned, or no trust anchor above"},
    {"bogus", "the chain was seen and something in it is wrong"},
    {"indeterminate", "part of the chain was not seen"},
    {"not-checkable", "could not be checked"},
    {"wildcard", "synthesised from a wildcard: not a name of the zone"},
    {"conflicting", "changed while it was looked at (--latest takes the latest)"},
    {"delegation", "NS of a delegation, which the parent never signs"},
    {"unsigned", "seen without signatures in a signed zone: glue, or asked without DO"},
    {"length", "too long to be told"},
    {"memory", "no memory was left"},
    {"other", "of further zones"},
};

#define ZONES_MOST 64

struct learn {
    const char *folder;
    bool latest, strict, force;
    uint8_t only[ZONES_MOST][NAME_MAX_BYTES];
    size_t only_count;
    unsigned written;
};

static bool is_wanted(const struct learn *l, const uint8_t *apex)
{
    for (size_t i = 0; i < l->only_count; i++)
        if (name_equal(l->only[i], apex))
            return true;
    return l->only_count == 0;
}

/* A zone file needs a SOA (RFC 1035 5.2); outside strict mode nothing is held to it. */
static bool add_stand_in(struct zoneset *set)
{
    static const uint8_t rdata[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    if (set->has_soa)
        return false;
    if (zoneset_add(set, set->apex, TYPE_SOA, 0, rdata, sizeof rdata) != 0)
        log_die("out of memory");
    set->has_soa = true;
    zoneset_sort(set);
    return true;
}

static int write_policy(const struct learn *l, const uint8_t *apex, const char *file)
{
    char text[NAME_TEXT_MAX + 256], name[NAME_TEXT_MAX], policy[ZONESET_FILE_TEXT];
    snprintf(policy, sizeof policy, "%.*s.yaml", (int)(strlen(file) - sizeof ".zone" + 1), file);
    int size = snprintf(text, sizeof text,
                        "# Learned from traffic: names that did not pass by are not in the zone "
                        "file.\nzone: \"%s\"\nstrict: false\n",
                        name_text(apex, name));
    char *path = NULL;
    if (asprintf(&path, "%s/%s", l->folder, policy) < 0)
        log_die("out of memory");
    bool there = command_exists(path);
    free(path);
    if (there)
        return COMMAND_OK; /* somebody's word */
    return command_write(l->folder, policy, text, (size_t)size, false) == COMMAND_WRITE_FAILED
               ? COMMAND_FAILED
               : COMMAND_OK;
}

static int write_zone(struct learn *l, struct command_zone *z)
{
    char apex[NAME_TEXT_MAX], name[ZONESET_FILE_TEXT], head[NAME_TEXT_MAX + 256];
    char error[COMMAND_ERROR_TEXT];
    size_t size;
    bool stand_in = add_stand_in(&z->set);
    snprintf(head, sizeof head,
             "; Baseline of %s: learned from validated traffic.\n%s"
             "; DS records are those that the parent has.\n\n",
             name_text(z->set.apex, apex),
             stand_in ? "; The SOA was not seen: this one stands in for it.\n" : "");
    char *text = zoneset_text(&z->set, head, &size, error, sizeof error);
    zoneset_file_name(z->set.apex, name);
    if (!text) {
        log_line(LOG_ERROR, "%s: %s", apex, error);
        return COMMAND_FAILED;
    }
    enum command_written written = COMMAND_WRITE_FAILED;
    if (command_accepts(name, text, size) == 0)
        written = command_write(l->folder, name, text, size, l->force);
    free(text);
    if (written == COMMAND_WRITE_FAILED)
        return COMMAND_FAILED;
    l->written++;
    printf("%s: %zu records, %zu DNSKEY, %zu DS%s\n  %s/%s%s\n", apex, z->set.count - stand_in,
           zoneset_at_apex(&z->set, TYPE_DNSKEY), zoneset_at_apex(&z->set, TYPE_DS),
           stand_in ? "; SOA not seen" : "", l->folder, name,
           written == COMMAND_SAME ? " says so already" : "");
    return l->strict ? COMMAND_OK : write_policy(l, z->set.apex, name);
}

static void tell_left_out(const struct learn *l, const struct command_learned *learned)
{
    uint8_t zone[NAME_MAX_BYTES];
    bool any = false;
    for (size_t r = 0; r < sizeof reasons / sizeof *reasons; r++) {
        bool headed = false;
        for (size_t i = 0; i < learned->left_count; i++) {
            const struct command_left_out *out = &learned->left[i];
            if (strcmp(out->reason, reasons[r].reason) != 0 ||
                (l->only_count && !(name_parse(out->zone, zone) && is_wanted(l, zone))))
                continue;
            if (!any)
                printf("\nLeft out, RRsets:\n");
            if (!headed)
                printf("  %s: %s\n", reasons[r].reason, reasons[r].meaning);
            any = headed = true;
            printf("    %6" PRIu64 "  %s  (%s)\n", out->count, out->zone, out->example);
        }
    }
}

static int write_all(struct learn *l, struct command_learned *learned)
{
    int status = COMMAND_OK;
    for (size_t i = 0; i < learned->zones.count && status == COMMAND_OK; i++) {
        struct command_zone *z = &learned->zones.list[i];
        char apex[NAME_TEXT_MAX];
        if (!is_wanted(l, z->set.apex))
            continue;
        if (z->torn)
            printf("%s: not written: its keys or its DS changed while it was looked at\n",
                   name_text(z->set.apex, apex));
        else if (zoneset_at_apex(&z->set, TYPE_DNSKEY) == 0)
            printf("%s: not written: its keys were not seen\n", name_text(z->set.apex, apex));
        else
            status = write_zone(l, z);
    }
    tell_left_out(l, learned);
    if (status == COMMAND_OK && l->written == 0) {
        log_line(LOG_ERROR, "learn: no zone was learned");
        return COMMAND_FAILED;
    }
    return status;
}

static int run(struct learn *l, const struct command_sources *sources)
{
    struct command_learned learned = {.left_count = 0};
    int status = command_learned_run(sources, l->latest ? COMMAND_LATEST : COMMAND_NONE, &learned);
    if (status == COMMAND_OK)
        status = write_all(l, &learned);
    if (status == COMMAND_OK && learned.damaged)
        status = COMMAND_USAGE;
    command_learned_fini(&learned);
    return status;
}

int command_learn(int argc, char **argv)
{
    static const struct option options[] = {
        {"trust-anchor", required_argument, NULL, 't'},
        {"ports", required_argument, NULL, 'p'},
        {"zone", required_argument, NULL, 'z'},
        {"latest", no_argument, NULL, 'L'},
        {"strict", no_argument, NULL, 's'},
        {"force", no_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    static struct learn l;
    static struct command_sources sources;
    const char *evidence = NULL, *ports = NULL;
    bool anchors = false, captures = false;
    for (int option; (option = getopt_long(argc, argv, "r:R:l:o:h", options, NULL)) != -1;) {
        switch (option) {
        case 'r':
        case 'R':
            command_sources_add(&sources, option == 'r' ? "-r" : "-R", optarg);
            captures = true;
            break;
        case 'l':
            evidence = optarg;
            break;
        case 'o':
            l.folder = optarg;
            break;
        case 't':
            command_sources_add(&sources, "--trust-anchor", optarg);
            anchors = true;
            break;
        case 'p':
            ports = optarg;
            break;
        case 'z':
            if (l.only_count == ZONES_MOST || !name_parse(optarg, l.only[l.only_count++])) {
                log_line(LOG_ERROR, "--zone %s: is not a name, or one too many", optarg);
                return COMMAND_USAGE;
            }
            break;
        case 'L':
            l.latest = true;
            break;
        case 's':
            l.strict = true;
            break;
        case 'f':
            l.force = true;
            break;
        case 'h':
            return fputs(help, stdout) < 0 ? COMMAND_FAILED : COMMAND_OK;
        default:
            return COMMAND_USAGE; /* getopt has said why */
        }
    }
    if (optind < argc || captures == (evidence != NULL) || !l.folder) {
        log_line(LOG_ERROR,
                 "learn: needs captures (-r, -R) or evidence (-l), and a folder to write to (-o)");
        return COMMAND_USAGE;
    }
    if (evidence && command_sources_evidence(&sources, evidence, !anchors) != 0)
        return COMMAND_USAGE;
    if (ports)
        command_sources_add(&sources, "--ports", ports);
    int status = run(&l, &sources);
    command_sources_fini(&sources);
    return status;
}
