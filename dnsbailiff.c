/*
 * dnsbailiff: the front door: the table of subcommands, nothing else.
 *
 * Each subcommand is a program of its own in libexec/dnsbailiff; this one finds and executes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name, *program, *what;
    int keeps_name; /* the program serves several subcommands and is told which */
} commands[] = {
    {"replay", "supervisor", "read captures: findings, a report, sealed evidence", 1},
    {"capture", "supervisor", "record an interface and say what was wrong with what it saw", 1},
    {"pack", "supervisor", "pack evidence into a sealed bundle", 1},
    {"explain", "explain", "tell how one verdict came about, from trust anchor to answer", 1},
    {"verify", "verify", "check a bundle, by itself and against what you know", 0},
    {"baseline", "baseline", "what owners declare: from zone files, from traffic; compare", 0},
    {"inventory", "report", "map the zones: keys, DS, servers, signature life, objectives", 1},
    {"timeline", "report", "tell what happened when, with the frames that show it", 1},
    {"scope", "report", "tell what an incident reaches, by when it is over, what to do", 1},
    {"history", "lookup", "list what was ever seen: RRsets, keys, signatures, when, from whom", 0},
    {"keygen", "keygen", "make the identity that seals: a certificate authority and a signer", 0},
    {"rules", "rules", "list the findings there are, or explain one", 0},
};

#define COUNT (sizeof commands / sizeof commands[0])

static void help(FILE *to)
{
    fputs("Usage: dnsbailiff COMMAND [OPTIONS]\n\n"
          "Records what a DNS tap saw, says what was wrong with it, and can prove it later.\n\n"
          "Commands:\n",
          to);
    for (size_t i = 0; i < COUNT; i++)
        fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].what);
    fputs("\n`dnsbailiff COMMAND --help` tells the options of one. Exit status: 0 done, 1 failed,\n"
          "2 usage, or unreadable or damaged input, 3 verified for integrity only.\n",
          to);
}

/* A standard descriptor that is closed would go to the next file that is opened, and be read or
 * written as if the operator had given it. Opened the wrong way round, its use fails. */
static void occupy_standard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
            exit(1);
}

/* <folder of this program>/libexec/dnsbailiff, as built, or ../libexec/dnsbailiff, as installed. */
static void execute(const char *program, char **arguments)
{
    static const char *const places[] = {"libexec/dnsbailiff", "../libexec/dnsbailiff"};
    char own[PATH_MAX], path[PATH_MAX + 64];
    ssize_t n = readlink("/proc/self/exe", own, sizeof own - 1);
    if (n <= 0) {
        perror("dnsbailiff: /proc/self/exe");
        return;
    }
    own[n] = '\0';
    *strrchr(own, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(path, sizeof path, "%s/%s/%s", own, places[i], program);
        execv(path, arguments);
        if (errno != ENOENT)
            break;
    }
    fprintf(stderr, "dnsbailiff: %s: %s\n", path, strerror(errno));
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    occupy_standard();
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        puts("dnsbailiff " DNSBAILIFF_VERSION);
        return 0;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        help(stdout);
        return 0;
    }
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(name, commands[i].name) != 0)
            continue;
        execute(commands[i].program, commands[i].keeps_name ? argv : argv + 1);
        return 1;
    }
    if (argc > 1)
        fprintf(stderr, "dnsbailiff: no command \"%s\"\n", name);
    help(stderr);
    return 2;
}
