/*
 * options: command lines.
 *
 * Contained in: supervisor. One table per command says which options it takes and what each does;
 * the help is printed from the same table, so it cannot tell anything else.
 */
#include "sandbox/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sandbox/log.h"

#define IN_REPLAY  1u
#define IN_CAPTURE 2u
#define IN_PACK    4u
#define IN_EXPLAIN 8u
#define IN_LEARN   16u /* not for people: `baseline` runs it */
#define IN_ACCEPT  32u /* the same */
#define IN_JUDGE   (IN_REPLAY | IN_EXPLAIN | IN_LEARN)
#define IN_RUN     (IN_REPLAY | IN_CAPTURE)
#define IN_WORLD   (IN_RUN | IN_EXPLAIN | IN_LEARN)
#define IN_ALL     (IN_RUN | IN_PACK)

/* X(name, short or 0, argument or NULL, commands, help) */
#define OPTIONS(X)                                                                                 \
    X(file, 'r', "FILE", IN_JUDGE,                                                                 \
      "capture file, pcap or pcapng, plain or gzip, xz, zstd, lz4; repeatable; - reads standard "  \
      "input")                                                                                     \
    X(folder, 'R', "DIR", IN_JUDGE, "every capture in the folder, in order of first packet")       \
    X(interface, 'i', "IFACE", IN_CAPTURE, "network interface to listen on; repeatable")           \
    X(trust_anchor, 0, "FILE", IN_WORLD,                                                           \
      "DS or DNSKEY lines, or IANA's root-anchors.xml; repeatable; default: the root's keys")      \
    X(baseline, 0, "DIR", IN_WORLD | IN_ACCEPT,                                                    \
      "what owners declared: ZONE.zone, optionally ZONE.yaml")                                     \
    X(state, 0, "FILE|none", IN_WORLD,                                                             \
      "keys that an earlier run kept; default: those in the evidence folder")                      \
    X(at, 0, "packet|now|TIME", IN_JUDGE,                                                          \
      "clock that signatures are judged by: RFC 3339 or seconds since 1970; default: packet")      \
    X(evidence, 'l', "DIR", IN_ALL | IN_ACCEPT, "evidence folder; a run makes it if needed")       \
    X(bundle, 'o', "BUNDLE", IN_REPLAY | IN_PACK, "pack and seal into this new file (.tar)")       \
    X(config, 'c', "CONFIG", IN_ALL | IN_EXPLAIN | IN_LEARN | IN_ACCEPT, "configuration file")     \
    X(identity, 0, "DIR", IN_ALL | IN_ACCEPT,                                                      \
      "what keygen made; default: identity/ beside the configuration, or in /etc/dnsbailiff")      \
    X(profile, 0, "FILE", IN_WORLD, "severities, thresholds and enabled state of rules")           \
    X(ports, 0, "LIST", IN_WORLD, "ports that carry DNS, as 53,5353; default: 53")                 \
    X(snaplen, 's', "BYTES", IN_CAPTURE, "bytes kept of a frame; default: all")                    \
    X(log_verdicts, 0, "all", IN_RUN, "a dnssec event for every response, not only for changes")   \
    X(log_dns, 0, NULL, IN_RUN, "a dns event for every transaction")                               \
    X(include_source, 0, NULL, IN_REPLAY, "put the capture itself into the bundle")                \
    X(check, 0, NULL, IN_REPLAY,                                                                   \
      "exit like a monitoring plugin: 0 nothing, 1 medium, 2 high or critical, 3 unknown")         \
    X(sensor, 0, "NAME", IN_RUN, "name of this sensor; default: the host's name")                  \
    X(set, 0, "KEY=VALUE", IN_WORLD, "a setting of the configuration file, as memory-bytes=2GiB")  \
    X(ignore_rfc8624, 0, NULL, IN_WORLD,                                                           \
      "no finding for what IANA advises against (RFC 8624, 9904)")                                 \
    X(ignore_rfc9276, 0, NULL, IN_WORLD,                                                           \
      "compute NSEC3 proofs beyond nsec3-iterations (RFC 9276)")                                   \
    X(filter, 0, "EXPRESSION", IN_EXPLAIN | IN_LEARN, "BPF expression of the frames to look at")   \
    X(record, 0, "FILE", IN_ACCEPT, "what is to be recorded")                                      \
    X(json, 0, NULL, IN_EXPLAIN, "one JSON object instead of text")                                \
    X(test, 'T', NULL, IN_RUN, "read configuration, anchors and baseline, then exit")              \
    X(quiet, 'q', NULL, IN_ALL | IN_EXPLAIN | IN_ACCEPT, "no report and no progress, only errors") \
    X(help, 'h', NULL, IN_ALL | IN_EXPLAIN, "this help")

enum option_id {
    OPTION_NONE = 255, /* above every short option */
#define X(name, letter, argument, commands, help) OPTION_##name,
    OPTIONS(X)
#undef X
        OPTION_END
};

struct option_row {
    const char *name, *argument, *help;
    char letter;
    unsigned commands;
    enum option_id id;
};

static const struct option_row rows[] = {
#define X(name, letter, argument, commands, help)                                                  \
    {#name, argument, help, letter, commands, OPTION_##name},
    OPTIONS(X)
#undef X
};

#define ROWS (sizeof rows / sizeof rows[0])

struct command_row {
    const char *name, *usage, *what, *more;
    unsigned in;
};

static const struct command_row commands[] = {
    [COMMAND_REPLAY] = {"replay", "-r FILE... [OPTIONS] [BPF expression]",
                        "Reads captures from first to last frame, validates DNSSEC at packet time, "
                        "compares with\nthe baseline, prints a report, and seals evidence.",
                        "Exit status: 0 done, 1 failed, 2 usage, or unreadable or damaged input "
                        "(all before the\ndamage is analysed and sealed). With --check: 0, 1, 2, "
                        "3 as said there.\n\nExample:\n  dnsbailiff replay -r "
                        "incident.pcap.gz --baseline zones/ -o incident.tar 'port 53'\n",
                        IN_REPLAY},
    [COMMAND_CAPTURE] = {"capture", "-i IFACE... -l DIR [OPTIONS] [BPF expression]",
                         "Records an interface into sealed segments, and says what was wrong with "
                         "what it saw,\nuntil TERM or INT.",
                         "Signals: TERM and INT seal and exit, HUP starts a new segment, USR1 "
                         "writes statistics.\nExit status: 0 done, 1 failed, 2 usage.\n\nExample:\n"
                         "  dnsbailiff capture -i eth1 -l /var/lib/dnsbailiff -c "
                         "/etc/dnsbailiff/dnsbailiff.yaml\n",
                         IN_CAPTURE},
    [COMMAND_PACK] = {"pack", "-l DIR -o BUNDLE [OPTIONS]",
                      "Packs an evidence folder into a bundle and seals it.",
                      "Exit status: 0 done, 1 failed, 2 usage.\n\nExample:\n  dnsbailiff pack -l "
                      "evidence/ -o incident.tar --identity /etc/dnsbailiff/identity\n",
                      IN_PACK},
    [COMMAND_EXPLAIN] = {"explain", "-r FILE... [OPTIONS] FRAME|NAME/TYPE",
                         "Tells how the verdict on one response came about: the chain from the "
                         "trust anchor to the\nanswer, what was checked, and where it failed.",
                         "Exit status: 0 done, 1 failed or nothing to explain, 2 usage, or "
                         "unreadable or damaged\ninput.\n",
                         IN_EXPLAIN},
    [COMMAND_LEARN] = {"learn", "-r FILE... [OPTIONS]",
                       "Prints what was validated in captures, for `dnsbailiff baseline`.",
                       "Exit status: 0 done, 1 failed, 2 usage, or unreadable or damaged input.\n",
                       IN_LEARN},
    [COMMAND_ACCEPT] = {"accept", "-l DIR --record FILE --baseline DIR",
                        "Records an accepted change in a sealed log, for `dnsbailiff baseline`.",
                        "Exit status: 0 done, 1 failed, 2 usage.\n", IN_ACCEPT},
};

/* "log_dns" is --log-dns; the file, folder, interface, evidence, bundle and config rows have only
 * their letter, as in tcpdump. */
static bool is_long(const struct option_row *row)
{
    return !row->letter || row->id == OPTION_snaplen || row->id == OPTION_quiet ||
           row->id == OPTION_help;
}

static const char *long_name(const struct option_row *row, char room[32])
{
    snprintf(room, 32, "%s", row->name);
    for (char *p = room; *p; p++)
        if (*p == '_')
            *p = '-';
    return room;
}

/* Prints words so that no line is longer than the page. */
static void print_wrapped(const char *text, int indent, int at)
{
    while (*text) {
        int word = (int)strcspn(text, " ");
        if (at + 1 + word > 92 && at > indent) {
            printf("\n%*s", indent, "");
            at = indent;
        } else if (at > indent) {
            putchar(' ');
            at++;
        }
        printf("%.*s", word, text);
        at += word;
        text += word;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_help(const struct command_row *command)
{
    printf("Usage: dnsbailiff %s %s\n\n%s\n\nOptions:\n", command->name, command->usage,
           command->what);
    for (size_t i = 0; i < ROWS; i++) {
        const struct option_row *row = &rows[i];
        char name[32], text[96];
        if (!(row->commands & command->in))
            continue;
        if (row->letter && is_long(row))
            snprintf(text, sizeof text, "-%c, --%s", row->letter, long_name(row, name));
        else if (row->letter)
            snprintf(text, sizeof text, "-%c", row->letter);
        else
            snprintf(text, sizeof text, "    --%s", long_name(row, name));
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s", row->argument ? " " : "",
                 row->argument ? row->argument : "");
        int shown = printf("  %s", text);
        printf("%*s", shown < 28 ? 28 - shown : 2, "");
        print_wrapped(row->help, 28, shown < 28 ? 28 : shown + 2);
    }
    printf("\n%s", command->more);
}

/* --- values ---------------------------------------------------------------------------------- */

static int offset_of(const char *text, int64_t *ret_seconds)
{
    int hours, minutes, used = 0;
    if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
        *ret_seconds = 0;
        return 0;
    }
    if (sscanf(text, "%*1[+-]%2d:%2d%n", &hours, &minutes, &used) != 2 || used != 6 || text[6] ||
        hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return -1;
    *ret_seconds = (text[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return 0;
}

int options_time(const char *text, int64_t *ret_ns)
{
    size_t digits = strspn(text, "0123456789");
    if (digits && digits <= 10 && !text[digits]) {
        *ret_ns = (int64_t)strtoll(text, NULL, 10) * 1000000000;
        return 0;
    }
    struct tm tm = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    int64_t fraction = 0, offset;
    if (!rest || tm.tm_year < 70 || tm.tm_year > 300)
        return -1;
    int day = tm.tm_mday;
    if (*rest == '.') {
        int64_t unit = 100000000;
        if (rest[1] < '0' || rest[1] > '9')
            return -1;
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
            fraction += (*rest - '0') * unit;
    }
    if (offset_of(rest, &offset))
        return -1;
    int64_t seconds = timegm(&tm);
    if (tm.tm_mday != day) /* 30 February */
        return -1;
    *ret_ns = (seconds - offset) * 1000000000 + fraction;
    return *ret_ns < 0 ? -1 : 0;
}

int options_sensor(struct settings *s, const char *text)
{
    size_t n = strlen(text);
    if (!n || n >= sizeof s->sensor || text[0] == '-' || text[0] == '.' ||
        strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") != n)
        return -1;
    memset(s->sensor, 0, sizeof s->sensor);
    memcpy(s->sensor, text, n);
    return 0;
}

/* --- parsing --------------------------------------------------------------------------------- */

static int bad(const char *option, const char *value, const char *why)
{
    log_line(LOG_ERROR, "%s %s: %s", option, value, why);
    return EXIT_USAGE;
}

static int add(struct option_list *list, const char *option, const char *value)
{
    if (list->count == OPTIONS_LIST_MAX)
        return bad(option, value, "given too many times; use a folder");
    list->items[list->count++] = value;
    return -1;
}

static int set_once(const char **slot, const char *option, const char *value)
{
    if (*slot)
        return bad(option, value, "given twice");
    *slot = value;
    return -1;
}

static int set_key(struct settings *s, const char *option, const char *key, const char *value)
{
    char why[80];
    switch (settings_set(s, key, value, why, sizeof why)) {
    case 0:
        return -1;
    case SETTINGS_NO_KEY:
        return bad(option, key, "no such setting");
    default:
        return bad(option, value, why);
    }
}

static int set_pair(struct settings *s, const char *pair)
{
    char key[64];
    const char *sign = strchr(pair, '=');
    if (!sign || (size_t)(sign - pair) >= sizeof key)
        return bad("--set", pair, "is not KEY=VALUE");
    memcpy(key, pair, (size_t)(sign - pair));
    key[sign - pair] = '\0';
    return set_key(s, "--set", key, sign + 1);
}

static int set_at(struct settings *s, const char *text)
{
    struct timespec now;
    if (strcmp(text, "packet") == 0) {
        s->at = AT_PACKET;
        return -1;
    }
    s->at = AT_FIXED;
    if (strcmp(text, "now") == 0) {
        clock_gettime(CLOCK_REALTIME, &now);
        s->at_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
        return -1;
    }
    return options_time(text, &s->at_ns) ? bad("--at", text, "is not packet, now, or a time") : -1;
}

/* Options that name files or change how the command behaves. -1, or the exit status. */
static int take_name(struct options *o, enum option_id id, const char *value)
{
    switch (id) {
    case OPTION_file:
        return add(&o->files, "-r", value);
    case OPTION_folder:
        return add(&o->folders, "-R", value);
    case OPTION_interface:
        return add(&o->interfaces, "-i", value);
    case OPTION_trust_anchor:
        return add(&o->anchors, "--trust-anchor", value);
    case OPTION_baseline:
        return set_once(&o->baseline, "--baseline", value);
    case OPTION_record:
        return set_once(&o->record, "--record", value);
    case OPTION_evidence:
        return set_once(&o->evidence, "-l", value);
    case OPTION_bundle:
        return set_once(&o->bundle, "-o", value);
    case OPTION_config:
        return set_once(&o->config, "-c", value);
    case OPTION_identity:
        return set_once(&o->identity, "--identity", value);
    case OPTION_state:
        return set_once(&o->state, "--state", value);
    case OPTION_profile:
        return set_once(&o->profile, "--profile", value);
    case OPTION_filter:
        free(o->filter);
        o->filter = strdup(value);
        return -1;
    case OPTION_json:
        o->json = true;
        return -1;
    case OPTION_check:
        o->check = true;
        return -1;
    case OPTION_quiet:
        o->quiet = true;
        return -1;
    case OPTION_test:
        o->test = true;
        return -1;
    default:
        return -1;
    }
}

/* Options that are settings. -1, or the exit status. */
static int take_setting(struct settings *s, enum option_id id, const char *value)
{
    switch (id) {
    case OPTION_at:
        return set_at(s, value);
    case OPTION_ports:
        return settings_ports(s, value) ? bad("--ports", value, "is not a list of ports") : -1;
    case OPTION_snaplen:
        return set_key(s, "--snaplen", "snaplen", value);
    case OPTION_set:
        return set_pair(s, value);
    case OPTION_log_verdicts:
        s->log_verdicts_all = 1;
        return strcmp(value, "all") ? bad("--log-verdicts", value, "is not \"all\"") : -1;
    case OPTION_log_dns:
        s->log_dns = 1;
        return -1;
    case OPTION_include_source:
        s->include_source = 1;
        return -1;
    case OPTION_sensor:
        return options_sensor(s, value)
                   ? bad("--sensor", value, "may have lower-case letters, digits, '-' and '.'")
                   : -1;
    case OPTION_ignore_rfc8624:
        s->ignore_rfc8624 = 1;
        return -1;
    case OPTION_ignore_rfc9276:
        s->ignore_rfc9276 = 1;
        return -1;
    default:
        return -1;
    }
}

static char *join(char **words, int count)
{
    size_t size = 1;
    for (int i = 0; i < count; i++)
        size += strlen(words[i]) + 1;
    char *text = calloc(1, size);
    if (!text)
        log_die("out of memory");
    for (int i = 0, at = 0; i < count; i++)
        at += snprintf(text + at, size - (size_t)at, "%s%s", i ? " " : "", words[i]);
    return text;
}

static int usage(const struct command_row *command)
{
    log_line(LOG_NOTE, "usage: dnsbailiff %s %s (see dnsbailiff %s --help)", command->name,
             command->usage, command->name);
    return EXIT_USAGE;
}

/* What the command needs, and what excludes what. */
static int complete(const struct options *o, const struct command_row *command)
{
    if (o->command == COMMAND_REPLAY && !o->files.count && !o->folders.count && !o->test) {
        log_line(LOG_ERROR, "replay: no capture given (-r or -R)");
        return usage(command);
    }
    if (o->command == COMMAND_EXPLAIN && (!(o->files.count || o->folders.count) || !o->question)) {
        log_line(LOG_ERROR, "explain: needs a capture (-r) and a frame number or NAME/TYPE");
        return usage(command);
    }
    if (o->question && !strchr(o->question, '/') &&
        strspn(o->question, "0123456789") != strlen(o->question))
        return bad("explain", o->question, "is neither a frame number nor NAME/TYPE");
    if (o->command == COMMAND_LEARN && !o->files.count && !o->folders.count) {
        log_line(LOG_ERROR, "learn: needs a capture (-r or -R)");
        return usage(command);
    }
    if (o->command == COMMAND_ACCEPT && (!o->evidence || !o->record || !o->baseline)) {
        log_line(LOG_ERROR, "accept: needs an evidence folder, a record and a baseline");
        return usage(command);
    }
    if (o->command == COMMAND_CAPTURE && ((!o->interfaces.count || !o->evidence) && !o->test)) {
        log_line(LOG_ERROR, "capture: needs an interface (-i) and an evidence folder (-l)");
        return usage(command);
    }
    if (o->command == COMMAND_PACK && (!o->evidence || !o->bundle)) {
        log_line(LOG_ERROR, "pack: needs an evidence folder (-l) and a bundle to write (-o)");
        return usage(command);
    }
    if (o->bundle && strcmp(o->bundle, "-") == 0)
        return bad("-o", "-", "a bundle is a file: it is named only when it is whole");
    return -1;
}

/* getopt's two tables out of ours. */
static void getopt_tables(unsigned in, char letters[2 * ROWS + 2], struct option longs[ROWS + 1],
                          char names[ROWS][32])
{
    size_t at = 0, count = 0;
    letters[at++] = ':';
    for (size_t i = 0; i < ROWS; i++) {
        const struct option_row *row = &rows[i];
        if (!(row->commands & in))
            continue;
        if (row->letter) {
            letters[at++] = row->letter;
            if (row->argument)
                letters[at++] = ':';
        }
        if (is_long(row))
            longs[count++] = (struct option){.name = long_name(row, names[i]),
                                             .has_arg = row->argument != NULL,
                                             .val = (int)row->id};
    }
    letters[at] = '\0';
    longs[count] = (struct option){0};
}

static enum option_id id_of(int got)
{
    for (size_t i = 0; i < ROWS; i++)
        if (got == rows[i].letter || got == (int)rows[i].id)
            return rows[i].id;
    return OPTION_NONE;
}

/* One pass; `settings` false takes names and behaviour, true takes what overrides the file. */
static int pass(int argc, char **argv, struct options *o, bool settings)
{
    const struct command_row *command = &commands[o->command];
    char letters[2 * ROWS + 2], names[ROWS][32];
    struct option longs[ROWS + 1];
    getopt_tables(command->in, letters, longs, names);
    optind = 0; /* glibc: start anew */
    opterr = 0;
    for (int got, status = -1; (got = getopt_long(argc, argv, letters, longs, NULL)) != -1;) {
        if (got == '?' || got == ':') {
            log_line(LOG_ERROR, "%s: %s %s", command->name, argv[optind - 1],
                     got == '?' ? "is no option here" : "needs a value");
            return usage(command);
        }
        enum option_id id = id_of(got);
        if (id == OPTION_help) {
            print_help(command);
            return EXIT_OK;
        }
        status = settings ? take_setting(&o->settings, id, optarg) : take_name(o, id, optarg);
        if (status >= 0)
            return status;
    }
    return -1;
}

int options_find(int argc, char **argv, struct options *ret_options)
{
    struct options *o = ret_options;
    *o = (struct options){0};
    settings_default(&o->settings);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (argc < 2 || strcmp(argv[1], commands[i].name) != 0)
            continue;
        o->command = (enum command)i;
        o->settings.live = o->command == COMMAND_CAPTURE;
        int status = pass(argc - 1, argv + 1, o, false);
        if (status >= 0)
            return status;
        if (optind < argc - 1 && o->command == COMMAND_PACK)
            return bad("pack", argv[1 + optind], "is not expected here");
        if (o->command == COMMAND_EXPLAIN && optind == argc - 2)
            o->question = argv[1 + optind];
        else if (optind < argc - 1 && o->command == COMMAND_EXPLAIN)
            return bad("explain", argv[2 + optind], "is not expected here");
        else if (optind < argc - 1)
            o->filter = join(argv + 1 + optind, argc - 1 - optind);
        return complete(o, &commands[i]);
    }
    log_line(LOG_ERROR, "supervisor: no such command");
    return EXIT_USAGE;
}

int options_apply(int argc, char **argv, struct options *options)
{
    return pass(argc - 1, argv + 1, options, true);
}
