/*
 * command: `dnsbailiff baseline SUBCOMMAND`: the table of subcommands, nothing else.
 *
 * This is a process of its own (baseline): it works on the zone files of the user who calls it. It
 * opens no capture and holds no key.
 */
#include "analyze/declared/command.h"
#include "sandbox/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *what;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"import", "a zone file or `dig axfr` output becomes a baseline", command_import},
    {"learn", "a baseline from what was validated in captures", command_learn},
    {"accept", "adopt the change that a finding shows, on record", command_accept},
    {"diff", "two baselines, or a baseline and what was seen", command_diff},
};

static void help(FILE *to)
{
    fputs("Usage: dnsbailiff baseline COMMAND [OPTIONS]\n\n"
          "What the owners of zones declare: a folder of zone files, one a zone, which replay and\n"
          "capture hold the traffic against (--baseline DIR).\n\n",
          to);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].what);
    fputs("\n`dnsbailiff baseline COMMAND --help` tells the options of one.\n", to);
}

int main(int argc, char **argv)
{
    log_name("baseline");
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        help(stdout);
        return COMMAND_OK;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(name, commands[i].name) != 0)
            continue;
        int status = commands[i].run(argc - 1, argv + 1);
        if (fflush(stdout) == 0)
            return status;
        log_line(LOG_ERROR, "standard output: %m");
        return COMMAND_USAGE; /* for diff, 1 is an answer */
    }
    if (argc > 1)
        log_line(LOG_ERROR, "no command \"%s\"", name);
    help(stderr);
    return COMMAND_USAGE;
}
