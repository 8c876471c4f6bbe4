/*
 * command_import: `dnsbailiff baseline import`: a zone file, or what dig prints of a transfer, as a
 * baseline file.
 *
 * Contained in: baseline. A file is taken whole or refused with its line; nothing is written until
 * all files are understood.
 */
#include "analyze/canon.h"
#include "analyze/declared/command.h"
#include "analyze/declared/zonefile.h"
#include "analyze/key.h"
#include "sandbox/log.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: dnsbailiff baseline import FILE... -o DIR [OPTIONS]\n"
    "\n"
    "Writes DIR/ZONE.zone from a zone file, or from what `dig axfr ZONE` printed, signed or not.\n"
    "Left out is what DNSSEC maintenance alters by itself: RRSIG, NSEC, NSEC3. DS records at the\n"
    "zone's own name are kept: they declare what the parent should have.\n"
    "\n"
    "  FILE             zone file or output of dig; - reads standard input\n"
    "  -o DIR           folder of the baseline, made if needed\n"
    "      --zone NAME  the zone; completes names without a final dot. Needed where the file\n"
    "                   neither has $ORIGIN nor is called NAME.zone\n"
    "      --ds FILE|LINE\n"
    "                   DS records as the parent has them: a file, or one line; repeatable\n"
    "      --force      replace a file that is there\n"
    "  -h, --help       this help\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 usage, or a file that is not understood.\n"
    "\n"
    "Example:\n"
    "  dig @ns1.example.com example.com axfr | dnsbailiff baseline import - -o baseline/ \\\n"
    "      --ds 'example.com. IN DS 12345 13 2 3F...'\n";

#define DS_MOST 64

struct import {
    const char *folder, *zone, *ds[DS_MOST];
    size_t ds_count;
    bool force;
    uint8_t origin[NAME_MAX_BYTES]; /* of --zone */
    struct command_zones zones;
};

/* --- files --- */

/* Is it what dig prints, and did the transfer end (`;; XFR size`)? */
static bool is_cut_transfer(const struct zoneset *set, const char *text)
{
    const char *head = strstr(text, "; <<>> DiG ");
    if (!head)
        return false;
    size_t line = strcspn(head, "\n");
    if (!memmem(head, line, "axfr", 4) && !memmem(head, line, "AXFR", 4))
        return false;
    return !strstr(text, "\n;; XFR size") && !(set->soas > 1 && set->ends_in_soa);
}

/* Is it what dig prints of any other question: a part of a zone? */
static bool is_answer(const char *text)
{
    return strstr(text, "; <<>> DiG ") && strstr(text, "\n;; ->>HEADER<<-");
}

static int refuse(const char *file, unsigned line, const char *expected)
{
    log_line(LOG_ERROR, "%s:%u: expected %s", file, line, expected);
    return -1;
}

static int check_file(const struct import *in, const struct command_zone *z, const char *text)
{
    char error[COMMAND_ERROR_TEXT], apex[NAME_TEXT_MAX];
    const struct zoneset *set = &z->set;
    if (set->has_relative)
        return refuse(z->from, set->relative_line,
                      "a name with its final dot, or --zone NAME to complete it");
    if (!set->has_soa && strstr(text, "; Transfer failed."))
        return refuse(z->from, 1, "a zone; dig says that the transfer failed");
    if (is_answer(text))
        return refuse(z->from, 1,
                      "a zone, not the answer to one question; dig asks for all of it by axfr");
    if (is_cut_transfer(set, text))
        return refuse(z->from, 1, "a whole transfer: the SOA record is not repeated at its end");
    if (zoneset_check(set, z->from, error, sizeof error) != 0) {
        log_line(LOG_ERROR, "%s", error);
        return -1;
    }
    if (in->zone && !name_equal(in->origin, set->apex)) {
        snprintf(error, sizeof error, "zone %s as --zone says, found %s", in->zone,
                 name_text(set->apex, apex));
        return refuse(z->from, 1, error);
    }
    return 0;
}

static int take_file(struct import *in, const char *path)
{
    uint8_t named[NAME_MAX_BYTES];
    char error[COMMAND_ERROR_TEXT], *text;
    size_t size;
    const uint8_t *origin = in->zone ? in->origin : command_origin(path, named) ? named : NULL;
    if (command_read(path, &text, &size) != 0)
        return -1;
    struct command_zone *z =
        command_zones_add(&in->zones, strcmp(path, "-") == 0 ? "standard input" : path);
    int result = zoneset_read(&z->set, z->from, text, size, origin, error, sizeof error);
    if (result != 0)
        log_line(LOG_ERROR, "%s", error);
    zoneset_sort(&z->set);
    if (result == 0)
        result = check_file(in, z, text);
    free(text);
    return result;
}

/* --- DS --- */

static int on_ds(void *context, const struct zonefile_record *r, char *ret_what, size_t what_room)
{
    struct import *in = context;
    char name[NAME_TEXT_MAX];
    if (r->type != TYPE_DS) {
        snprintf(ret_what, what_room, "expected a DS record");
        return -1;
    }
    struct command_zone *z = command_zones_find(&in->zones, r->owner);
    if (!z) {
        snprintf(ret_what, what_room, "expected a DS of an imported zone, found one of %.160s",
                 name_text(r->owner, name));
        return -1;
    }
    if (zoneset_add(&z->set, r->owner, r->type, r->ttl, r->rdata, r->rdata_size) == 0)
        return 0;
    snprintf(ret_what, what_room, "out of memory");
    return -1;
}

static int take_ds(struct import *in, const char *value)
{
    static const uint8_t root[] = {0};
    char error[COMMAND_ERROR_TEXT], *text = NULL;
    bool is_file = access(value, F_OK) == 0;
    size_t size = strlen(value);
    if (is_file && command_read(value, &text, &size) != 0)
        return -1;
    int result = zonefile_read(is_file ? value : "--ds", text ? text : value, size,
                               in->zone ? in->origin : root, on_ds, in, error, sizeof error);
    if (result != 0)
        log_line(LOG_ERROR, "%s%s", error,
                 is_file || strchr(value, ' ') ? "" : " (there is no such file either)");
    free(text);
    return result;
}

/* A DS that names no key of the file is declared all the same: the key may be standing by. */
static void check_ds(const struct command_zone *z)
{
    const struct zoneset *set = &z->set;
    char apex[NAME_TEXT_MAX];
    if (zoneset_at_apex(set, TYPE_DNSKEY) == 0)
        return;
    for (size_t i = 0; i < set->count; i++) {
        const struct zoneset_record *ds = &set->records[i];
        enum key_ds match = KEY_DS_OTHER;
        if (ds->type != TYPE_DS || !name_equal(ds->owner, set->apex) || ds->size < 4)
            continue;
        for (size_t k = 0; k < set->count && match != KEY_DS_MATCHES; k++)
            if (set->records[k].type == TYPE_DNSKEY &&
                name_equal(set->records[k].owner, set->apex)) {
                enum key_ds m = key_matches_ds(set->apex, set->records[k].rdata,
                                               set->records[k].size, ds->rdata, ds->size);
                match = m == KEY_DS_OTHER ? match : m;
            }
        if (match == KEY_DS_OTHER || match == KEY_DS_DIGEST_WRONG)
            log_line(LOG_WARNING, "%s: %s DS %u: %s", z->from, name_text(set->apex, apex),
                     (unsigned)(ds->rdata[0] << 8 | ds->rdata[1]),
                     match == KEY_DS_OTHER ? "names no DNSKEY of the zone"
                                           : "its digest is not that of the key it names");
    }
}

/* --- out --- */

static void describe_left_out(const struct zoneset *set, char *ret_text, size_t room)
{
    snprintf(ret_text, room, "%" PRIu64 " RRSIG, %" PRIu64 " NSEC, %" PRIu64 " NSEC3", set->rrsigs,
             set->nsecs, set->nsec3s);
}

static int write_zone(const struct import *in, const struct command_zone *z)
{
    const struct zoneset *set = &z->set;
    char apex[NAME_TEXT_MAX], name[ZONESET_FILE_TEXT], left[96], head[NAME_TEXT_MAX + 512];
    char error[COMMAND_ERROR_TEXT];
    size_t size;
    describe_left_out(set, left, sizeof left);
    snprintf(head, sizeof head,
             "; Baseline of %s: what its owner declares.\n"
             "; Left out (DNSSEC maintenance): %s.\n"
             "; DS records are those that the parent should have.\n\n",
             name_text(set->apex, apex), left);
    char *text = zoneset_text(set, head, &size, error, sizeof error);
    if (!text) {
        log_line(LOG_ERROR, "%s: %s", z->from, error);
        return COMMAND_FAILED;
    }
    zoneset_file_name(set->apex, name);
    int status = command_accepts(name, text, size) != 0 ? COMMAND_USAGE : COMMAND_OK;
    enum command_written written =
        status ? COMMAND_WRITE_FAILED : command_write(in->folder, name, text, size, in->force);
    free(text);
    if (written == COMMAND_WRITE_FAILED)
        return status ? status : COMMAND_FAILED;
    size_t keys = zoneset_at_apex(set, TYPE_DNSKEY), ds = zoneset_at_apex(set, TYPE_DS);
    printf("%s: %zu records, %zu DNSKEY, %zu DS%s; left out %s\n  %s/%s%s\n", apex, set->count,
           keys, ds, keys && !ds ? " (expected are those of its SEP keys)" : "", left, in->folder,
           name, written == COMMAND_SAME ? " says so already" : "");
    return COMMAND_OK;
}

static int run(struct import *in, char **files, int count)
{
    int status = COMMAND_OK;
    for (int i = 0; i < count; i++)
        if (take_file(in, files[i]) != 0)
            return COMMAND_USAGE;
    command_zones_sort(&in->zones);
    for (size_t i = 1; i < in->zones.count; i++)
        if (name_equal(in->zones.list[i - 1].set.apex, in->zones.list[i].set.apex)) {
            log_line(LOG_ERROR, "%s: expected a zone once; %s holds the same one",
                     in->zones.list[i].from, in->zones.list[i - 1].from);
            return COMMAND_USAGE;
        }
    for (size_t i = 0; i < in->ds_count; i++)
        if (take_ds(in, in->ds[i]) != 0)
            return COMMAND_USAGE;
    for (size_t i = 0; i < in->zones.count && status == COMMAND_OK; i++) {
        zoneset_sort(&in->zones.list[i].set);
        check_ds(&in->zones.list[i]);
        status = write_zone(in, &in->zones.list[i]);
    }
    return status;
}

int command_import(int argc, char **argv)
{
    static const struct option options[] = {
        {"zone", required_argument, NULL, 'z'},
        {"ds", required_argument, NULL, 'd'},
        {"force", no_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct import in = {.folder = NULL};
    for (int option; (option = getopt_long(argc, argv, "o:h", options, NULL)) != -1;) {
        switch (option) {
        case 'o':
            in.folder = optarg;
            break;
        case 'z':
            in.zone = optarg;
            break;
        case 'd':
            if (in.ds_count == DS_MOST) {
                log_line(LOG_ERROR, "--ds: given too many times; use a file");
                return COMMAND_USAGE;
            }
            in.ds[in.ds_count++] = optarg;
            break;
        case 'f':
            in.force = true;
            break;
        case 'h':
            return fputs(help, stdout) < 0 ? COMMAND_FAILED : COMMAND_OK;
        default:
            return COMMAND_USAGE; /* getopt has said why */
        }
    }
    if (optind == argc || !in.folder) {
        log_line(LOG_ERROR, "import: needs a zone file and a folder to write to (-o)");
        return COMMAND_USAGE;
    }
    if (in.zone && !name_parse(in.zone, in.origin)) {
        log_line(LOG_ERROR, "--zone %s: is not a name", in.zone);
        return COMMAND_USAGE;
    }
    int status = run(&in, argv + optind, argc - optind);
    command_zones_fini(&in.zones);
    return status;
}
