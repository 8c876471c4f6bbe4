/*
 * liar: a whole bundle in which a finding is not what the frames gave; for tests only.
 *
 *   liar BUNDLE NEW-BUNDLE edit OLD NEW    the first OLD in findings.jsonl becomes NEW
 *   liar BUNDLE NEW-BUNDLE drop TEXT       the first finding with that text was never there
 *   liar BUNDLE NEW-BUNDLE repeat OLD NEW  the first finding with OLD is there again, with NEW
 *
 * Plays whoever seals: with epoch keys and an identity of his own he writes the log again, record
 * for record, so that every hash, checkpoint and signature holds. What is left to find the lie is
 * the derivation of the findings.
 */
#include "evidence/format.h"
#include "tests/evidence/forge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAIL_AT (sizeof "\"prev\":\"" - 1 + HASH_HEX + sizeof "\"," - 1)

static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "liar: %s\n", what);
        exit(1);
    }
}

static uint8_t *read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    must(file && fseek(file, 0, SEEK_END) == 0, path);
    long size = ftell(file);
    uint8_t *bytes = malloc((size_t)size + 1);
    rewind(file);
    must(bytes && fread(bytes, 1, (size_t)size, file) == (size_t)size, path);
    fclose(file);
    *ret_size = (size_t)size;
    return bytes;
}

/* The text with the first `old` replaced; it must be there. Caller frees. */
static char *replaced(const char *text, const char *old, const char *new)
{
    const char *at = strstr(text, old);
    char *result;
    must(at != NULL, old);
    must(asprintf(&result, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old)) >= 0,
         "memory");
    return result;
}

/* --- the findings ---------------------------------------------------------------------------- */

struct lines {
    char *line[FORGE_RECORDS]; /* without LF */
    size_t count;
};

static struct lines lines_of(const struct forge_file *file)
{
    struct lines lines = {.count = 0};
    const char *at = (const char *)file->bytes, *end = at + file->size, *stop;
    for (; at < end && (stop = memchr(at, '\n', (size_t)(end - at))); at = stop + 1) {
        must(lines.count < FORGE_RECORDS, "too many lines");
        lines.line[lines.count++] = strndup(at, (size_t)(stop - at));
    }
    return lines;
}

static void lines_free(struct lines *lines)
{
    while (lines->count > 0)
        free(lines->line[--lines->count]);
}

static size_t line_with(const struct lines *lines, const char *text)
{
    size_t i = 0;
    while (i < lines->count && !strstr(lines->line[i], text))
        i++;
    must(i < lines->count, text);
    return i;
}

static void tell_lie(struct lines *lines, int argc, char **argv)
{
    size_t at = line_with(lines, argv[1]);
    if (strcmp(argv[0], "drop") == 0) {
        free(lines->line[at]);
        memmove(&lines->line[at], &lines->line[at + 1],
                (lines->count - at - 1) * sizeof *lines->line);
        lines->count--;
        return;
    }
    must(argc == 3, "what instead?");
    char *lie = replaced(lines->line[at], argv[1], argv[2]);
    if (strcmp(argv[0], "edit") == 0) {
        free(lines->line[at]);
        lines->line[at] = lie;
        return;
    }
    must(strcmp(argv[0], "repeat") == 0 && lines->count < FORGE_RECORDS, argv[0]);
    lines->line[lines->count++] = lie;
}

static void put_findings(struct forge *bundle, const struct lines *lines)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    must(out != NULL, "memory");
    for (size_t i = 0; i < lines->count; i++)
        fprintf(out, "%s\n", lines->line[i]);
    fclose(out);
    forge_put(bundle, BUNDLE_FINDINGS, text, size);
    free(text);
}

/* --- the log --------------------------------------------------------------------------------- */

static void log_finding(struct forge_log *log, const char *line, size_t number, const char *time)
{
    char hash[HASH_HEX + 1], id[32] = "";
    const char *at = strstr(line, "\"id\":\"");
    must(at && sscanf(at, "\"id\":\"%31[^\"]", id) == 1, "a finding without id");
    forge_hex256(line, strlen(line), hash);
    forge_log_add(
        log, "\"type\":\"finding\",\"time\":\"%s\",\"id\":\"%s\",\"line\":%zu,\"sha256\":\"%s\"}",
        time, id, number, hash);
}

/* The end of the run names the file and its hash. */
static void log_close(struct forge_log *log, const struct forge *bundle, const char *tail,
                      size_t findings)
{
    static const char name[] = "\"findings/findings.jsonl\",\"size\":";
    const struct forge_file *file = forge_get(bundle, BUNDLE_FINDINGS);
    char hash[HASH_HEX + 1];
    const char *at = strstr(tail, name), *rest = at ? strchr(at, '}') : NULL;
    const char *count = strstr(tail, "\"findings\":");
    must(rest && count && count < at, "an end of another form");
    const char *after = count + strlen("\"findings\":");
    after += strspn(after, "0123456789");
    forge_hex256(file->bytes, file->size, hash);
    forge_log_add(log, "%.*s\"findings\":%zu%.*s%s%zu,\"sha256\":\"%s\"%s", (int)(count - tail),
                  tail, findings, (int)(at - after), after, name, file->size, hash, rest);
}

static void copy_log(struct forge_log *log, const struct forge *bundle, const struct lines *lines)
{
    struct lines old = lines_of(forge_get(bundle, BUNDLE_LOG));
    char time[40] = "";
    for (size_t i = 0; i < old.count; i++) {
        const char *tail = strstr(old.line[i], "\"prev\":\"");
        must(tail != NULL, "a record of another form");
        tail += TAIL_AT;
        must(strncmp(tail, "\"type\":\"epoch\"", 14) != 0, "more than one epoch");
        must(sscanf(strstr(tail, "\"time\":\""), "\"time\":\"%39[^\"]", time) == 1, "no time");
        if (strncmp(tail, "\"type\":\"finding\"", 16) == 0)
            continue; /* all are written before the end */
        if (strncmp(tail, "\"type\":\"close\"", 14) != 0) {
            forge_log_add(log, "%s", tail);
            continue;
        }
        for (size_t n = 0; n < lines->count; n++)
            log_finding(log, lines->line[n], n, time);
        log_close(log, bundle, tail, lines->count);
    }
    lines_free(&old);
}

static void write_bundle(const struct forge *bundle, const char *path)
{
    size_t size;
    uint8_t *tar = forge_tar(bundle, true, &size);
    FILE *out = fopen(path, "wb");
    must(out && fwrite(tar, 1, size, out) == size && fclose(out) == 0, path);
    free(tar);
}

int main(int argc, char **argv)
{
    must(argc == 5 || argc == 6, "BUNDLE NEW-BUNDLE edit|drop|repeat TEXT [NEW]");
    size_t size;
    struct forge bundle;
    struct forge_log log;
    uint8_t *tar = read_file(argv[1], &size);
    forge_read_tar(&bundle, tar, size);
    struct lines lines = lines_of(forge_get(&bundle, BUNDLE_FINDINGS));
    tell_lie(&lines, argc - 3, argv + 3);
    put_findings(&bundle, &lines);

    const struct forge_file *first = forge_get(&bundle, BUNDLE_LOG);
    char origin[120] = "";
    const char *at = strstr((const char *)first->bytes, "\"origin\":\"");
    must(at && sscanf(at, "\"origin\":\"%119[^\"]", origin) == 1, "no origin");
    forge_log_init(&log, origin);
    copy_log(&log, &bundle, &lines);
    struct forge_identity identity = forge_identity_new(EPHEMERAL_ORGANISATION);
    const struct forge_checkpoint whole = {.epoch = 0, .key = 0, .size = log.count};
    forge_log_write(&bundle, &log, &whole, 1, &identity);
    forge_manifests(&bundle);
    forge_tagmanifests(&bundle);
    forge_seal(&bundle, &identity);
    write_bundle(&bundle, argv[2]);
    forge_identity_free(&identity);
    forge_log_free(&log);
    forge_free(&bundle);
    lines_free(&lines);
    free(tar);
    return 0;
}
