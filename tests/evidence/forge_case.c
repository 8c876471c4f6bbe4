/*
 * forge_case: two whole bundles to attack, a replay's and a live capture's, with every key known.
 *
 * Contained in: tests. Must never: be linked into a program.
 */
#include "tests/evidence/forge_case.h"

#include "evidence/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char bag_info[] = "Bag-Software-Agent: dnsbailiff 0\n"
                               "Bagging-Date: -\n"
                               "Payload-Oxum: -\n"
                               "External-Identifier: -\n"
                               "Dnsbailiff-Format: 1\n"
                               "Log-Origin: -\n"
                               "Log-Size: -\n"
                               "Log-Root: -\n"
                               "Sealing-Time: -\n"
                               "Verify-Epoch: -\n"
                               "Disclosure: full\n"
                               "Seal: certified\n";

const char *forge_case_time(long seconds, char ret_text[32])
{
    time_t when = FORGE_START + seconds;
    struct tm tm;
    gmtime_r(&when, &tm);
    strftime(ret_text, 32, "%Y-%m-%dT%H:%M:%S.000000000Z", &tm);
    return ret_text;
}

static void put_text(struct forge *f, const char *name, const char *text)
{
    forge_put(f, name, text, strlen(text));
}

/* `{"file":…,"size":…,"sha256":…}` of a file of the bundle. */
static char *file_of(const struct forge *f, const char *name, char *ret_text, size_t room)
{
    const struct forge_file *file = forge_get(f, name);
    char hex[65];
    forge_hex256(file->bytes, file->size, hex);
    snprintf(ret_text, room, "{\"file\":\"%s\",\"size\":%zu,\"sha256\":\"%s\"}", name + 5,
             file->size, hex);
    return ret_text;
}

static void begin(struct forge_case *c, const char *run)
{
    char time[32], anchor[256], sensor[256], zone[258] = "";
    memset(c, 0, sizeof *c);
    forge_log_init(&c->log, "dnsbailiff/forge/20260528t202640z-00112233");
    put_text(&c->bundle, BUNDLE_README, "How to verify this.\n");
    put_text(&c->bundle, BUNDLE_BAGIT, BAGIT_TXT);
    put_text(&c->bundle, BUNDLE_BAG_INFO, bag_info);
    put_text(&c->bundle, BUNDLE_ANCHORS "root.anchor", ". IN DS 20326 8 2 AA\n");
    put_text(&c->bundle, BUNDLE_SENSOR, "{}\n");
    if (strcmp(run, "accept") == 0) {
        put_text(&c->bundle, FORGE_ZONE, "x. SOA a. b. 1 2 3 4 5\n");
        zone[0] = ',';
        file_of(&c->bundle, FORGE_ZONE, zone + 1, sizeof zone - 1);
    }
    forge_log_add(&c->log,
                  "\"type\":\"open\",\"time\":\"%s\",\"format\":1,\"origin\":\"%s\",\"run\":\"%s\","
                  "\"software\":\"0\",\"sensor\":\"forge\",\"boot_id\":\"b\",\"clock\":\"unknown\","
                  "\"filter\":\"\",\"inputs\":[%s%s,%s],\"previous\":null}",
                  forge_case_time(0, time), c->log.origin, run,
                  file_of(&c->bundle, BUNDLE_ANCHORS "root.anchor", anchor, sizeof anchor), zone,
                  file_of(&c->bundle, BUNDLE_SENSOR, sensor, sizeof sensor));
}

static void add_checkpoint(struct forge_case *c, unsigned epoch)
{
    c->checkpoint[c->checkpoint_count++] =
        (struct forge_checkpoint){.epoch = epoch, .key = epoch, .size = c->log.count};
}

static void end_epoch(struct forge_case *c, unsigned epoch, long seconds)
{
    char time[32];
    forge_log_add(&c->log,
                  "\"type\":\"epoch\",\"time\":\"%s\",\"epoch\":%u,\"next_key\":\"@KEY%u@\"}",
                  forge_case_time(seconds, time), epoch, epoch + 1);
    add_checkpoint(c, epoch);
}

static void end(struct forge_case *c, unsigned epoch, long seconds)
{
    char time[32], eve[256], findings[256], loss[256];
    forge_log_add(&c->log,
                  "\"type\":\"close\",\"time\":\"%s\",\"reason\":\"finished\",\"frames\":9,"
                  "\"messages\":9,\"findings\":0,\"files\":[%s,%s,%s]}",
                  forge_case_time(seconds, time), file_of(&c->bundle, BUNDLE_EVE, eve, sizeof eve),
                  file_of(&c->bundle, BUNDLE_FINDINGS, findings, sizeof findings),
                  file_of(&c->bundle, BUNDLE_LOSS, loss, sizeof loss));
    add_checkpoint(c, epoch);
    c->bundle.time = FORGE_START + seconds;
}

/* One segment of three frames and its record. */
static void add_segment(struct forge_case *c, const struct forge_capture *w, bool is_extract,
                        unsigned number, unsigned received, unsigned dropped, long at)
{
    char name[80], hex[65], times[3][32];
    size_t size;
    uint8_t *bytes = forge_pcapng(w, &size);
    snprintf(name, sizeof name, BUNDLE_CAPTURE "%s", w->name);
    forge_put(&c->bundle, name, bytes, size);
    free(bytes);
    forge_hex256(forge_get(&c->bundle, name)->bytes, size, hex);
    long first = (long)(w->time_ns / 1000000000 - FORGE_START);
    forge_log_add(&c->log,
                  "\"type\":\"segment\",\"time\":\"%s\",\"file\":\"%s\",\"kind\":\"%s\","
                  "\"number\":%u,\"size\":%zu,\"sha256\":\"%s\",\"first\":\"%s\",\"last\":\"%s\","
                  "\"packets\":3,\"first_packet\":%llu,\"last_packet\":%llu,\"received\":%u,"
                  "\"dropped_kernel\":%u,\"dropped_interface\":0,\"dropped_ring\":0,"
                  "\"tree\":null}",
                  forge_case_time(at, times[0]), name + 5, is_extract ? "extract" : "segment",
                  number, size, hex, forge_case_time(first, times[1]),
                  forge_case_time(first + 2, times[2]), (unsigned long long)w->first,
                  (unsigned long long)w->first + 2, received, dropped);
}

static void add_finding(struct forge_case *c, unsigned line, const char *id, const char *frames,
                        long at)
{
    char text[256], hex[65], time[32];
    const struct forge_file *before = forge_get(&c->bundle, BUNDLE_FINDINGS);
    snprintf(text, sizeof text,
             "{\"id\":\"%s\",\"rule\":\"key-unknown\",\"frames\":%s,\"chain\":[1]}", id, frames);
    forge_hex256(text, strlen(text), hex);
    char *all;
    int size = asprintf(&all, "%.*s%s\n", before ? (int)before->size : 0,
                        before ? (const char *)before->bytes : "", text);
    forge_put(&c->bundle, BUNDLE_FINDINGS, all, (size_t)size);
    free(all);
    forge_log_add(&c->log,
                  "\"type\":\"finding\",\"time\":\"%s\",\"id\":\"%s\",\"line\":%u,"
                  "\"sha256\":\"%s\"}",
                  forge_case_time(at, time), id, line, hex);
}

void forge_case_replay(struct forge_case *c, const struct forge_identity *identity)
{
    char time[32];
    begin(c, "replay");
    put_text(&c->bundle, BUNDLE_EVE, "{\"event_type\":\"alert\"}\n");
    put_text(&c->bundle, BUNDLE_LOSS, "");
    forge_log_add(&c->log,
                  "\"type\":\"source\",\"time\":\"%s\",\"index\":0,\"name\":\"in.pcap\","
                  "\"member\":\"source-0000-in.pcap\",\"size\":24,\"sha256\":\"%064d\","
                  "\"sha512\":\"%0128d\",\"changed\":false}",
                  forge_case_time(1, time), 1, 2);
    struct forge_capture extract = {.origin = c->log.origin,
                                    .name = NAME_EXTRACT,
                                    .prev = LOG_PREV_NONE,
                                    .first = 1,
                                    .count = 3,
                                    .time_ns = INT64_C(1000000000) * (FORGE_START - 100),
                                    .received = 9};
    add_segment(c, &extract, true, 0, 9, 0, 2);
    add_finding(c, 0, "0123456789abcdef", "[2,3]", 3);
    end_epoch(c, 0, 4);
    add_finding(c, 1, "1123456789abcdef", "[3]", 5);
    end_epoch(c, 1, 6);
    end(c, 2, 7);
    forge_case_finish(c, identity);
}

void forge_case_capture(struct forge_case *c, const struct forge_identity *identity,
                        const struct forge_capture_plan *plan)
{
    char prev[65] = LOG_PREV_NONE, time[32];
    unsigned before = 0;
    begin(c, "capture");
    put_text(&c->bundle, BUNDLE_EVE, "");
    put_text(&c->bundle, BUNDLE_FINDINGS, "");
    put_text(
        &c->bundle, BUNDLE_LOSS,
        "{\"time\":\"2026-05-28T20:26:50.000000000Z\",\"file\":\"capture/seg-00000001.pcapng\","
        "\"received\":10,\"dropped_kernel\":0,\"dropped_interface\":0,\"dropped_ring\":0,"
        "\"filtered\":0,\"bytes\":100,\"damaged\":0}\n");
    for (unsigned i = 0; i < 3; i++) {
        char name[40];
        long at = 10 * (i + 1) - (i == 2 ? plan->step_back : 0);
        unsigned received = plan->received[i] ? plan->received[i] : 10 * (i + 1);
        unsigned number = plan->file_number[i] ? plan->file_number[i] - 1 : i + 1;
        snprintf(name, sizeof name, NAME_SEGMENT, number);
        if (i == 2 && plan->step_ns)
            forge_log_add(&c->log, "\"type\":\"clock\",\"time\":\"%s\",\"step_ns\":%lld}",
                          forge_case_time(at, time), plan->step_ns);
        struct forge_capture segment = {
            .origin = c->log.origin,
            .name = name,
            .prev = prev,
            .first = plan->first_frame[i] ? plan->first_frame[i] : 3 * i + 1,
            .count = 3,
            .time_ns = INT64_C(1000000000) * (FORGE_START + at - 5 + plan->shift[i]),
            .received = received,
            .dropped = i > 0};
        add_segment(c, &segment, false, number, received - before, i == 1, at);
        before = received;
        char path[80];
        snprintf(path, sizeof path, BUNDLE_CAPTURE "%s", name);
        const struct forge_file *file = forge_get(&c->bundle, path);
        forge_hex256(file->bytes, file->size, prev);
        if (i == 1)
            end_epoch(c, 0, 20);
    }
    end(c, 1, 31 - plan->step_back);
    forge_case_finish(c, identity);
}

void forge_case_accept(struct forge_case *c, const struct forge_identity *identity,
                       const struct forge_accept_plan *plan)
{
    char time[32], hex[65];
    begin(c, plan->run ? plan->run : "accept");
    put_text(&c->bundle, BUNDLE_EVE, "");
    put_text(&c->bundle, BUNDLE_FINDINGS, "");
    put_text(&c->bundle, BUNDLE_LOSS, "");
    const struct forge_file *zone = forge_get(&c->bundle, FORGE_ZONE);
    forge_hex256(zone ? zone->bytes : (const uint8_t *)"", zone ? zone->size : 0, hex);
    if (plan->other_hash)
        hex[0] = hex[0] == '0' ? '1' : '0';
    for (unsigned i = 0; i < 1 + plan->more; i++)
        forge_log_add(&c->log,
                      "\"type\":\"accept\",\"time\":\"%s\",\"finding\":\"0123456789abcdef\","
                      "\"finding_sha256\":\"%064d\",\"zone\":\"x.\",\"old_sha256\":\"%064d\","
                      "\"file\":\"%s\",\"sha256\":\"%s\",\"who\":\"Jane\",\"why\":\"4711\","
                      "\"log_origin\":\"dnsbailiff/a/b\",\"log_size\":7,"
                      "\"log_root\":\"%s\"}",
                      forge_case_time(1, time), 1, 2, plan->file ? plan->file : &FORGE_ZONE[5], hex,
                      plan->root ? plan->root : "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    if (plan->source)
        forge_log_add(&c->log,
                      "\"type\":\"source\",\"time\":\"%s\",\"index\":0,\"name\":\"in.pcap\","
                      "\"member\":\"source-0000-in.pcap\",\"size\":24,\"sha256\":\"%064d\","
                      "\"sha512\":\"%0128d\",\"changed\":false}",
                      forge_case_time(1, time), 1, 2);
    end(c, 0, 2);
    forge_case_finish(c, identity);
}

void forge_case_finish(struct forge_case *c, const struct forge_identity *identity)
{
    char text[64], stamp[32];
    time_t when = (time_t)c->bundle.time;
    struct tm tm;
    gmtime_r(&when, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%dt%H%M%Sz", &tm);
    snprintf(c->bundle.folder, sizeof c->bundle.folder, "dnsbailiff-forge-%s-00000000", stamp);
    strftime(text, sizeof text, "%Y-%m-%d", &tm);
    forge_label(&c->bundle, "Bagging-Date", text);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    forge_label(&c->bundle, "Sealing-Time", text);
    snprintf(text, sizeof text, "%lld", (long long)c->bundle.time);
    forge_label(&c->bundle, "Verify-Epoch", text);
    forge_log_write(&c->bundle, &c->log, c->checkpoint, c->checkpoint_count, identity);
    forge_manifests(&c->bundle);
    forge_seal(&c->bundle, identity);
}

void forge_case_free(struct forge_case *c)
{
    forge_free(&c->bundle);
    forge_log_free(&c->log);
}
