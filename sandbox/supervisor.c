/*
 * supervisor: the process behind `dnsbailiff replay`, `capture`, `pack` and `explain`.
 *
 * It reads what the operator named, starts the processes that do the work, confines itself, waits,
 * and shows the result. Must never: read a capture, a packet, or a message between processes.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/config.h"
#include "sandbox/files.h"
#include "sandbox/log.h"
#include "sandbox/options.h"
#include "sandbox/place.h"
#include "sandbox/relay.h"
#include "sandbox/sensor.h"
#include "sandbox/session.h"

#define CONFIG_MAX ((size_t)1 << 20)
#define REPORT_MAX ((off_t)64 << 20)
#define UNKNOWN    3 /* of a monitoring plugin */

struct supervisor {
    int argc;
    char **argv;
    struct options options;
    struct config config;
    uint8_t *config_bytes;
    size_t config_size;
    char *programs;
    char *identity; /* path in use, or NULL: ephemeral */
    struct place place;
    struct session session;
    int unsaid; /* errno of a write to standard output that failed, 0 none */
};

/* The folder of this very program; the others lie beside it. */
static char *own_folder(void)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        log_die("/proc/self/exe: %m");
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
    char *folder = strdup(path);
    if (!folder)
        log_die("out of memory");
    return folder;
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit); /* if not, many sources will say so themselves */
    }
}

/* Without a name given the host's, as far as a sensor may be called that. */
static void name_sensor(struct settings *s)
{
    char host[64] = "";
    if (s->sensor[0])
        return;
    gethostname(host, sizeof host - 1);
    for (char *p = host; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    if (options_sensor(s, host))
        options_sensor(s, "sensor");
}

/* -1 to go on, or the exit status. */
/* Nobody who sends frames may know where they fall in the analyser's tables; whoever has the sealed
 * settings may, and comes to the same. */
static void seed_tables(struct settings *s)
{
    while (s->hash_seed == 0) {
        if (getrandom(&s->hash_seed, sizeof s->hash_seed, 0) != sizeof s->hash_seed)
            log_die("getrandom: no randomness");
        s->hash_seed &= INT64_MAX;
    }
}

static int read_settings(struct supervisor *v)
{
    struct options *o = &v->options;
    int status = options_find(v->argc, v->argv, o);
    if (status >= 0)
        return status;
    if (o->config &&
        (files_read(o->config, CONFIG_MAX, &v->config_bytes, &v->config_size) ||
         config_parse(o->config, v->config_bytes, v->config_size, &o->settings, &v->config)))
        return EXIT_USAGE;
    if (!o->profile)
        o->profile = v->config.profile;
    status = options_apply(v->argc, v->argv, o);
    name_sensor(&o->settings);
    seed_tables(&o->settings);
    if (o->command == COMMAND_CAPTURE)
        o->settings.open_end = 1;
    return status;
}

/* --identity, the configuration's, identity/ beside the configuration, /etc/dnsbailiff/identity, or
 * none. 0, or EXIT_USAGE when one was named and cannot be opened. */
static int open_identity(struct supervisor *v)
{
    const struct options *o = &v->options;
    const char *named = o->identity ? o->identity : v->config.identity;
    char *path = NULL;
    int n;
    if (named) {
        n = asprintf(&path, "%s", named);
    } else if (o->config) {
        const char *slash = strrchr(o->config, '/');
        n = asprintf(&path, "%.*sidentity", slash ? (int)(slash + 1 - o->config) : 0, o->config);
    } else {
        n = asprintf(&path, "/etc/dnsbailiff/identity");
    }
    if (n < 0)
        log_die("out of memory");
    v->session.identity = files_keep(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (v->session.identity < 0) {
        if (named || errno != ENOENT) {
            log_line(LOG_ERROR, "%s: %m", path);
            free(path);
            return EXIT_USAGE;
        }
        free(path);
        path = NULL;
    }
    v->identity = path;
    static const char *const needed[] = {"ca.pem", "signer.pem", "signer.key"};
    for (size_t i = 0; path && i < sizeof needed / sizeof needed[0]; i++) {
        if (faccessat(v->session.identity, needed[i], R_OK, AT_EACCESS)) {
            log_line(LOG_ERROR, "%s/%s: %m (dnsbailiff keygen makes it)", path, needed[i]);
            return EXIT_USAGE;
        }
    }
    return 0;
}

/* Opens and reads everything that was named, before anything is created. 0, or EXIT_USAGE. */
static int gather(struct supervisor *v)
{
    const struct options *o = &v->options;
    struct inputs_writer *inputs = inputs_new();
    if (!inputs || inputs_add(inputs, INPUT_SETTINGS, "", &o->settings, sizeof o->settings))
        log_die("inputs: %m");
    if (o->config && inputs_add(inputs, INPUT_CONFIG, o->config, v->config_bytes, v->config_size))
        log_die("inputs: %m");
    if (files_open_sources(o, inputs, &v->session.sources) || files_add_inputs(o, inputs) ||
        open_identity(v))
        return EXIT_USAGE;
    char *sensor =
        sensor_describe(o, v->argc, v->argv, v->programs, v->config_bytes, v->config_size);
    if (!sensor)
        return EXIT_FAILED;
    if (inputs_add(inputs, INPUT_SENSOR, "", sensor, strlen(sensor)))
        log_die("inputs: %m");
    free(sensor);
    v->session.inputs = files_keep(inputs_seal(inputs));
    if (v->session.inputs < 0)
        log_die("inputs: %m");
    return 0;
}

/* The bundle's name is tried first: a folder is made only when nothing else can be wrong. */
static int make_places(struct supervisor *v)
{
    const struct options *o = &v->options;
    int status = o->bundle ? place_bundle(&v->place, o->bundle) : 0;
    return status ? status : place_evidence(&v->place, o->evidence, o->command != COMMAND_PACK);
}

/* --- results --------------------------------------------------------------------------------- */

/* To standard output, and remembers if it does not arrive: a report that nobody got is no success.
 */
static void say(struct supervisor *v, const char *text, size_t size)
{
    if (relay_text(text, size) && !v->unsaid)
        v->unsaid = errno ? errno : EIO;
}

static void print_report(struct supervisor *v)
{
    struct stat st;
    int fd = openat(v->place.evidence, "state/report.txt", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) || st.st_size <= 0 || st.st_size > REPORT_MAX) {
        if (fd >= 0)
            close(fd);
        return;
    }
    char *text = malloc((size_t)st.st_size);
    size_t size = 0;
    for (ssize_t n = 1; text && n > 0 && size<(size_t)st.st_size; size += n> 0 ? (size_t)n : 0)
        n = read(fd, text + size, (size_t)st.st_size - size);
    close(fd);
    if (text && size) {
        say(v, text, size);
        if (text[size - 1] != '\n')
            say(v, "\n", 1);
    }
    free(text);
}

static void print_where(struct supervisor *v)
{
    const struct options *o = &v->options;
    char *text = NULL;
    int n = 0;
    if (o->bundle && v->identity)
        n = asprintf(&text, "\nBundle: %s\nVerify: dnsbailiff verify %s --ca %s/ca.pem\n",
                     o->bundle, o->bundle, v->identity);
    else if (o->bundle)
        n = asprintf(&text,
                     "\nBundle: %s (ephemeral identity: integrity only)\nVerify: dnsbailiff verify "
                     "%s\n",
                     o->bundle, o->bundle);
    else if (o->evidence)
        n = asprintf(&text, "\nEvidence: %s\n", o->evidence);
    if (n > 0)
        say(v, text, (size_t)n);
    free(text);
}

/* One line as monitoring wants it, and its exit status. */
static int check_status(struct supervisor *v, const struct outcome *out)
{
    static const struct {
        int status;
        const char *text;
    } levels[] = {{0, "OK: no finding"},
                  {0, "OK: findings at most info"},
                  {0, "OK: findings at most low"},
                  {1, "WARNING: findings at most medium"},
                  {2, "CRITICAL: findings at most high"},
                  {2, "CRITICAL: critical findings"}};
    bool known = out->worst_known && out->worst < sizeof levels / sizeof levels[0];
    int status = known ? levels[out->worst].status : UNKNOWN;
    if (out->damaged && status != 2) /* what is critical before the damage stays so */
        status = UNKNOWN;
    char line[320];
    int n = snprintf(line, sizeof line, "DNSBAILIFF %s%s%s\n",
                     known && status != UNKNOWN ? levels[out->worst].text
                     : out->damaged             ? "UNKNOWN"
                                                : "UNKNOWN: no result",
                     out->damaged ? "; input is damaged: " : "", out->damaged ? out->damage : "");
    say(v, line, n > 0 && (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
    return status;
}

static int finish(struct supervisor *v)
{
    const struct options *o = &v->options;
    struct outcome out = {0};
    int status = session_run(&v->session, &out);
    if (!status && o->bundle && place_commit(&v->place))
        status = EXIT_FAILED;
    if (!status && o->check)
        status = check_status(v, &out);
    else if (!status && out.damaged)
        status = EXIT_USAGE;
    else if (status && o->check)
        status = UNKNOWN;
    if (out.not_found && status != EXIT_FAILED) {
        log_line(LOG_ERROR, "%s", out.nearest);
        status = EXIT_FAILED;
    }
    bool whole = out.worst_known || status == EXIT_OK || out.damaged;
    if (whole && (!o->quiet || o->command == COMMAND_EXPLAIN)) {
        if (o->command == COMMAND_REPLAY || o->command == COMMAND_LEARN ||
            (o->command == COMMAND_EXPLAIN && !out.not_found))
            print_report(v);
        print_where(v);
    }
    if (out.damaged)
        log_line(LOG_ERROR, "input is damaged: %s", out.damage);
    if (v->unsaid && v->unsaid != EPIPE) /* who closed it early had enough */
        log_line(LOG_ERROR, "standard output: %s", strerror(v->unsaid));
    if (v->unsaid && status == EXIT_OK)
        status = o->check ? UNKNOWN : EXIT_FAILED;
    return status;
}

int main(int argc, char **argv)
{
    static struct supervisor v;
    log_name("");
    umask(0077);
    v.argc = argc;
    v.argv = argv;
    v.session.identity = v.session.inputs = -1;
    place_init(&v.place);
    int status = read_settings(&v);
    if (status >= 0)
        return v.options.check && status > 0 ? UNKNOWN : status;
    raise_descriptor_limit();
    v.programs = own_folder();
    v.session.options = &v.options;
    v.session.programs = v.programs;
    v.session.place = &v.place;
    status = gather(&v);
    if (!status && v.options.test)
        status = session_run(&v.session, &(struct outcome){0});
    else if (!status)
        status = make_places(&v);
    if (status && v.options.check)
        status = UNKNOWN;
    else if (!status && !v.options.test)
        status = finish(&v);
    place_fini(&v.place);
    return status;
}
