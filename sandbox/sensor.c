/*
 * sensor: host, programs, clock, operator.
 *
 * Contained in: supervisor, before it starts anything. Every value is stated as read; what could
 * not be read is left out, never guessed.
 */
#include "sandbox/sensor.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <openssl/evp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "sandbox/files.h"
#include "sandbox/log.h"

#define PROGRAM_MAX ((size_t)256 << 20)

/* JSON wants UTF-8; what is not UTF-8 is written escaped. */
static json_t *text(const char *bytes)
{
    char escaped[4096];
    json_t *value = json_string(bytes);
    return value ? value : json_string(log_escape(bytes, strlen(bytes), escaped, sizeof escaped));
}

static json_t *sha256(const uint8_t *bytes, size_t size)
{
    uint8_t digest[32];
    char hex[65];
    if (EVP_Digest(bytes, size, digest, NULL, EVP_sha256(), NULL) != 1)
        log_die("sensor: SHA-256 failed");
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return json_string(hex);
}

/* The programs that may take part, each with its hash. NULL: one could not be read (logged). */
static json_t *programs_in(const char *folder, const struct options *o)
{
    static const char *const run[] = {"supervisor", "capture", "analyze", "store",
                                      "sign",       "digest",  "pack"};
    json_t *hashes = json_object();
    for (size_t i = 0; i < sizeof run / sizeof run[0]; i++) {
        char *path = NULL;
        uint8_t *bytes;
        size_t size;
        if (asprintf(&path, "%s/%s", folder, run[i]) < 0)
            log_die("out of memory");
        /* pack is needed only for a bundle; all others take part in every run */
        bool needed = strcmp(run[i], "pack") != 0 || o->bundle;
        bool there = access(path, X_OK) == 0;
        int failed = (there || needed) && files_read(path, PROGRAM_MAX, &bytes, &size);
        free(path);
        if (failed) {
            json_decref(hashes);
            return NULL;
        }
        if (there) {
            json_object_set_new(hashes, run[i], sha256(bytes, size));
            free(bytes);
        }
    }
    return hashes;
}

static json_t *clock_state(void)
{
    struct timex t = {.modes = 0};
    int state = adjtimex(&t);
    if (state < 0)
        return json_null();
    return json_pack("{s:b, s:I, s:I, s:I, s:I}", "synchronized", !(t.status & STA_UNSYNC),
                     "offset_ns", (json_int_t)t.offset * (t.status & STA_NANO ? 1 : 1000),
                     "estimated_error_us", (json_int_t)t.esterror, "maximum_error_us",
                     (json_int_t)t.maxerror, "tai_offset_s", (json_int_t)t.tai);
}

static json_t *confinement(void)
{
    const char *mode = getenv("DNSBAILIFF_CONFINE");
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1u);
    return json_pack("{s:b, s:[s,s,s,s,s,s], s:I}", "enforced", !(mode && !strcmp(mode, "trace")),
                     "steps", "no_new_privs", "capabilities", "limits", "dumpable", "landlock",
                     "seccomp", "landlock_abi", (json_int_t)abi);
}

/* What the network card does to frames before anybody sees them: such frames are not what was on
 * the wire. */
static json_t *offloads(const char *interface)
{
    static const struct {
        const char *name;
        uint32_t command;
    } asked[] = {{"gro", ETHTOOL_GGRO},
                 {"gso", ETHTOOL_GGSO},
                 {"tso", ETHTOOL_GTSO},
                 {"rx-checksum", ETHTOOL_GRXCSUM},
                 {"tx-checksum", ETHTOOL_GTXCSUM}};
    json_t *state = json_object();
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (size_t i = 0; fd >= 0 && i < sizeof asked / sizeof asked[0]; i++) {
        struct ethtool_value value = {.cmd = asked[i].command};
        struct ifreq request = {.ifr_data = (void *)&value};
        snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
        if (ioctl(fd, SIOCETHTOOL, &request) == 0)
            json_object_set_new(state, asked[i].name, json_boolean(value.data));
    }
    if (fd >= 0)
        close(fd);
    return state;
}

static json_t *interfaces(const struct options *o)
{
    json_t *list = json_object();
    for (size_t i = 0; i < o->interfaces.count; i++)
        json_object_set_new(list, o->interfaces.items[i], offloads(o->interfaces.items[i]));
    return list;
}

static void add_host(json_t *sensor)
{
    struct utsname host;
    uint8_t *boot;
    size_t size;
    const struct passwd *user = getpwuid(getuid());
    if (uname(&host) == 0) {
        json_object_set_new(sensor, "host", text(host.nodename));
        json_object_set_new(
            sensor, "kernel",
            json_sprintf("%s %s %s %s", host.sysname, host.release, host.version, host.machine));
    }
    if (files_read("/proc/sys/kernel/random/boot_id", 64, &boot, &size) == 0) {
        boot[strcspn((char *)boot, "\n")] = '\0';
        json_object_set_new(sensor, "boot_id", text((char *)boot));
        free(boot);
    }
    json_object_set_new(sensor, "uid", json_integer((json_int_t)getuid()));
    if (user)
        json_object_set_new(sensor, "user", text(user->pw_name));
}

char *sensor_describe(const struct options *o, int argc, char **argv, const char *programs,
                      const uint8_t *config, size_t config_size)
{
    json_t *hashes = programs_in(programs, o);
    if (!hashes)
        return NULL;
    json_t *sensor = json_object(), *words = json_array();
    for (int i = 1; i < argc; i++)
        json_array_append_new(words, text(argv[i]));
    json_object_set_new(sensor, "sensor", text(o->settings.sensor));
    json_object_set_new(sensor, "program", json_string("dnsbailiff " DNSBAILIFF_VERSION));
    add_host(sensor);
    json_object_set_new(sensor, "command_line", words);
    json_object_set_new(sensor, "programs_sha256", hashes);
    if (config)
        json_object_set_new(sensor, "configuration_sha256", sha256(config, config_size));
    json_object_set_new(sensor, "clock", clock_state());
    json_object_set_new(sensor, "confinement", confinement());
    if (o->settings.live)
        json_object_set_new(sensor, "interfaces", interfaces(o));
    char *line = json_dumps(sensor, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    json_decref(sensor);
    if (!line)
        log_die("sensor: out of memory");
    return line;
}
