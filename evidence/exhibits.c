/*
 * exhibits: copies of the inputs. Contained in: store. Must never change a byte of them.
 */
#include "evidence/exhibits.h"

#include "evidence/file.h"
#include "evidence/json.h"
#include "evidence/text.h"
#include "sandbox/log.h"
#include "sandbox/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Names that differ only in case or odd characters become one; so many are told apart. */
#define SAME_NAME_MAX 1000u

static void listed(struct listing *l, const char *folder, const char *name, size_t size,
                   const uint8_t sha256[HASH_BYTES])
{
    char member[256];
    (void)snprintf(member, sizeof member, "%s%s", folder, name);
    listing_add(l, member, size, sha256);
}

static void copy_named(int folder, const char *member_folder, const struct input *in,
                       struct listing *l)
{
    char base[NAME_MAX_KEPT + 1], name[NAME_MAX_KEPT + 16];
    uint8_t digest[HASH_BYTES];
    int error = -EEXIST;
    text_member_name(in->name, base, sizeof base);
    (void)snprintf(name, sizeof name, "%s", base);
    for (unsigned n = 2; n <= SAME_NAME_MAX; n++) {
        error = file_put(folder, name, in->bytes, in->size, digest);
        if (error != -EEXIST)
            break;
        (void)snprintf(name, sizeof name, "%s-%u", base, n);
    }
    if (error != 0)
        log_die("exhibits: %s: %s", name, strerror(-error));
    listed(l, member_folder, name, in->size, digest);
}

static void copy_kind(int state, const char *folder, const char *member_folder,
                      const struct inputs *inputs, enum input_kind kind, struct listing *l)
{
    struct input in;
    int fd = file_folder(state, strrchr(folder, '/') + 1);
    if (fd < 0)
        log_die("exhibits: %s: %s", folder, strerror(-fd));
    for (size_t at = 0; inputs_next(inputs, kind, &at, &in) == 1;)
        copy_named(fd, member_folder, &in, l);
    (void)close(fd);
}

/* The first input of the kind, under a fixed name. */
static void copy_single(int state, const char *path, const char *member,
                        const struct inputs *inputs, enum input_kind kind, struct listing *l)
{
    struct input in;
    size_t at = 0;
    uint8_t digest[HASH_BYTES];
    if (inputs_next(inputs, kind, &at, &in) != 1)
        return;
    int error = file_put(state, strrchr(path, '/') + 1, in.bytes, in.size, digest);
    if (error != 0)
        log_die("exhibits: %s: %s", path, strerror(-error));
    listing_add(l, member, in.size, digest);
}

/* The places of the sources that capture put in order of time (-R); the others it read in the order
 * of the list. Whoever replays them must know, for frames are numbered in that order. */
static void add_by_time(struct json *j, const struct inputs *inputs)
{
    struct input in;
    size_t at = 0;
    json_array(j, "sources-by-time");
    for (uint32_t place = 0; inputs_next(inputs, INPUT_SOURCE, &at, &in) == 1; place++) {
        struct input_source told = {.size = 0};
        memcpy(&told, in.bytes, in.size < sizeof told ? in.size : sizeof told);
        if (told.flags & SOURCE_BY_TIME)
            json_number(j, NULL, place);
    }
    json_close(j, ']');
}

static void write_settings(int state, const struct inputs *inputs, struct listing *l)
{
    const struct settings *s = inputs_settings(inputs);
    struct json j = {0};
    uint8_t digest[HASH_BYTES];
    json_object(&j, NULL);
#define X(field, key, value, least, most, text) json_number(&j, key, s->field);
    SETTINGS(X)
#undef X
    json_array(&j, "ports");
    for (size_t i = 0; i < SETTINGS_PORTS && s->ports[i] != 0; i++)
        json_number(&j, NULL, s->ports[i]);
    json_close(&j, ']');
    add_by_time(&j, inputs);
    json_bool(&j, "log-verdicts-all", s->log_verdicts_all != 0);
    json_bool(&j, "log-dns", s->log_dns != 0);
    json_bool(&j, "live", s->live != 0);
    if (s->at == AT_FIXED)
        json_time(&j, "at", s->at_ns);
    else
        json_string(&j, "at", "packet");
    json_bool(&j, "packet-tree", s->packet_tree != 0);
    json_bool(&j, "ignore-rfc8624", s->ignore_rfc8624 != 0);
    json_bool(&j, "ignore-rfc9276", s->ignore_rfc9276 != 0);
    json_text(&j, "sensor", s->sensor, strnlen(s->sensor, sizeof s->sensor));
    json_close(&j, '}');
    json_raw(&j, "\n", 1);
    int error = file_put(state, strrchr(FILE_SETTINGS, '/') + 1, j.text, j.used, digest);
    if (error != 0)
        log_die("exhibits: %s: %s", FILE_SETTINGS, strerror(-error));
    listing_add(l, BUNDLE_SETTINGS, j.used, digest);
    json_fini(&j);
}

void exhibits_copy(int state, const struct inputs *inputs, struct listing *l)
{
    write_settings(state, inputs, l);
    copy_single(state, FILE_CONFIG, BUNDLE_CONFIG, inputs, INPUT_CONFIG, l);
    copy_single(state, FILE_PROFILE, BUNDLE_PROFILE, inputs, INPUT_PROFILE, l);
    copy_single(state, FILE_SENSOR, BUNDLE_SENSOR, inputs, INPUT_SENSOR, l);
    copy_kind(state, DIR_ANCHORS, BUNDLE_ANCHORS, inputs, INPUT_ANCHOR, l);
    copy_kind(state, DIR_ANCHORS, BUNDLE_ANCHORS, inputs, INPUT_STATE, l);
    copy_kind(state, DIR_BASELINE, BUNDLE_BASELINE, inputs, INPUT_BASELINE_ZONE, l);
    copy_kind(state, DIR_BASELINE, BUNDLE_BASELINE, inputs, INPUT_BASELINE_POLICY, l);
}
