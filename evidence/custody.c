/*
 * custody: provenance for case tools. Contained in: store. Must never state what was not observed:
 * no person, place or intent.
 *
 * The graph is CASE 1.4 / UCO 1.4 (https://caseontology.org): exhibits and results as observable
 * files with their hashes, dnsbailiff as tool, one investigative action that made results of
 * exhibits.
 */
#include "evidence/custody.h"

#include "evidence/file.h"
#include "evidence/json.h"
#include "evidence/text.h"
#include "sandbox/log.h"

#include <stdio.h>
#include <string.h>

#define CONTEXT                                                                                    \
    "\"@context\":{\"kb\":\"http://example.org/kb/\","                                             \
    "\"case-investigation\":\"https://ontology.caseontology.org/case/investigation/\","            \
    "\"uco-action\":\"https://ontology.unifiedcyberontology.org/uco/action/\","                    \
    "\"uco-core\":\"https://ontology.unifiedcyberontology.org/uco/core/\","                        \
    "\"uco-observable\":\"https://ontology.unifiedcyberontology.org/uco/observable/\","            \
    "\"uco-tool\":\"https://ontology.unifiedcyberontology.org/uco/tool/\","                        \
    "\"uco-types\":\"https://ontology.unifiedcyberontology.org/uco/types/\","                      \
    "\"xsd\":\"http://www.w3.org/2001/XMLSchema#\"}"

/* UUIDs are derived from what they name (RFC 9562 version 8), so that the graph says the same when
 * it is made again. */
static void make_id(const char *kind, const void *seed, size_t size, char ret_id[96])
{
    uint8_t d[HASH_BYTES];
    char hex[TEXT_HEX_ROOM(16)];
    struct hash *h = hash_new(HASH_SHA256);
    hash_begin(h);
    hash_add(h, kind, strlen(kind) + 1);
    hash_add(h, seed, size);
    hash_end(h, d);
    hash_free(h);
    d[6] = (uint8_t)((d[6] & 0x0f) | 0x80);
    d[8] = (uint8_t)((d[8] & 0x3f) | 0x80);
    text_hex(d, 16, hex);
    (void)snprintf(ret_id, 96, "kb:%s-%.8s-%.4s-%.4s-%.4s-%.12s", kind, hex, hex + 8, hex + 12,
                   hex + 16, hex + 20);
}

static void typed(struct json *j, const char *key, const char *type, const char *value)
{
    json_object(j, key);
    json_string(j, "@type", type);
    json_string(j, "@value", value);
    json_close(j, '}');
}

static void typed_time(struct json *j, const char *key, int64_t time_ns)
{
    char text[TEXT_TIME_ROOM];
    text_time(time_ns, text);
    typed(j, key, "xsd:dateTime", text);
}

static void reference(struct json *j, const char *key, const char *id)
{
    json_object(j, key);
    json_string(j, "@id", id);
    json_close(j, '}');
}

static void node(struct json *j, const char *id, const char *type)
{
    json_object(j, NULL);
    json_string(j, "@id", id);
    json_string(j, "@type", type);
}

static void facet(struct json *j, const char *kind, const char *seed, const char *type)
{
    char id[96];
    make_id(kind, seed, strlen(seed), id);
    node(j, id, type);
}

static void file_node(struct json *j, const char *id, const char *name, uint64_t size,
                      const uint8_t sha256[HASH_BYTES])
{
    char number[24], hex[TEXT_HEX_ROOM(HASH_BYTES)], hash_id[96];
    (void)snprintf(number, sizeof number, "%llu", (unsigned long long)size);
    text_hex(sha256, HASH_BYTES, hex);
    make_id("hash", id, strlen(id), hash_id);
    node(j, id, "uco-observable:File");
    json_array(j, "uco-core:hasFacet");
    facet(j, "file-facet", id, "uco-observable:FileFacet");
    json_string(j, "uco-observable:fileName", name);
    typed(j, "uco-observable:sizeInBytes", "xsd:integer", number);
    json_close(j, '}');
    facet(j, "content-data-facet", id, "uco-observable:ContentDataFacet");
    json_array(j, "uco-observable:hash");
    node(j, hash_id, "uco-types:Hash");
    typed(j, "uco-types:hashMethod",
          "https://ontology.unifiedcyberontology.org/uco/vocabulary/HashNameVocab", "SHA256");
    typed(j, "uco-types:hashValue", "xsd:hexBinary", hex);
    json_close(j, '}');
    json_close(j, ']');
    json_close(j, '}');
    json_close(j, ']');
    json_close(j, '}');
}

static void exhibit_id(const struct custody_run *run, size_t i, char ret_id[96])
{
    char seed[TEXT_MAX + 32];
    int n = snprintf(seed, sizeof seed, "%s#%zu", run->origin, i);
    make_id(run->exhibits[i].is_file ? "file" : "interface", seed, (size_t)n, ret_id);
}

static void result_id(const struct custody_run *run, size_t i, char ret_id[96])
{
    char seed[TEXT_MAX + 200];
    int n = snprintf(seed, sizeof seed, "%s/%s", run->origin, run->results->list[i].file);
    make_id("file", seed, (size_t)n, ret_id);
}

static void action_node(struct json *j, const struct custody_run *run, const char *tool)
{
    char id[96];
    make_id("investigative-action", run->origin, strlen(run->origin), id);
    node(j, id, "case-investigation:InvestigativeAction");
    json_string(j, "uco-core:name",
                run->live ? "recorded and analysed DNS traffic"
                          : "analysed a capture of DNS traffic");
    typed_time(j, "uco-action:startTime", run->begun_ns);
    typed_time(j, "uco-action:endTime", run->ended_ns);
    reference(j, "uco-action:instrument", tool);
    json_array(j, "uco-action:object");
    for (size_t i = 0; i < run->exhibit_count; i++) {
        exhibit_id(run, i, id);
        reference(j, NULL, id);
    }
    json_close(j, ']');
    json_array(j, "uco-action:result");
    for (size_t i = 0; i < run->results->count; i++) {
        result_id(run, i, id);
        reference(j, NULL, id);
    }
    json_close(j, ']');
    json_close(j, '}');
}

static void write_graph(struct json *j, const struct custody_run *run)
{
    char id[96], tool[96];
    json_object(j, NULL);
    json_raw(j, CONTEXT, sizeof CONTEXT - 1);
    json_array(j, "@graph");
    make_id("tool", DNSBAILIFF_VERSION, sizeof DNSBAILIFF_VERSION, tool);
    node(j, tool, "uco-tool:Tool");
    json_string(j, "uco-core:name", "dnsbailiff");
    json_string(j, "uco-tool:version", DNSBAILIFF_VERSION);
    json_close(j, '}');
    for (size_t i = 0; i < run->exhibit_count; i++) {
        const struct custody_exhibit *e = &run->exhibits[i];
        exhibit_id(run, i, id);
        if (e->is_file) {
            file_node(j, id, e->name, e->size, e->sha256);
        } else {
            node(j, id, "uco-observable:NetworkInterface");
            json_string(j, "uco-core:name", e->name);
            json_close(j, '}');
        }
    }
    for (size_t i = 0; i < run->results->count; i++) {
        const struct listing_entry *e = &run->results->list[i];
        result_id(run, i, id);
        file_node(j, id, e->file, e->size, e->sha256);
    }
    action_node(j, run, tool);
    json_close(j, ']');
    json_close(j, '}');
    json_raw(j, "\n", 1);
}

static void custody_line(struct json *out, int64_t time_ns, const char *action, const char *what,
                         uint64_t size, const uint8_t *sha256, const char *sensor)
{
    struct json j = {0};
    json_object(&j, NULL);
    json_time(&j, "time", time_ns);
    json_string(&j, "action", action);
    json_string(&j, "what", what);
    if (sha256) {
        json_number(&j, "size", size);
        json_hex(&j, "sha256", sha256, HASH_BYTES);
    }
    json_string(&j, "by", "dnsbailiff " DNSBAILIFF_VERSION);
    json_string(&j, "sensor", sensor);
    json_close(&j, '}');
    json_raw(&j, "\n", 1);
    json_raw(out, j.text, j.used);
    json_fini(&j);
}

static void write_lines(struct json *j, const struct custody_run *run)
{
    for (size_t i = 0; i < run->exhibit_count; i++) {
        const struct custody_exhibit *e = &run->exhibits[i];
        custody_line(j, run->begun_ns, e->is_file ? "read" : "listened", e->name, e->size,
                     e->is_file ? e->sha256 : NULL, run->sensor);
    }
    for (size_t i = 0; i < run->results->count; i++) {
        const struct listing_entry *e = &run->results->list[i];
        custody_line(j, run->ended_ns, "wrote", e->file, e->size, e->sha256, run->sensor);
    }
}

static void put(int state, const char *path, const char *member, const struct json *j,
                struct listing *l)
{
    uint8_t digest[HASH_BYTES];
    int error = file_put(state, strrchr(path, '/') + 1, j->text ? j->text : "", j->used, digest);
    if (error != 0)
        log_die("custody: %s: %s", path, strerror(-error));
    listing_add(l, member, j->used, digest);
}

void custody_write(const struct custody_run *run, struct listing *l)
{
    struct json graph = {0}, lines = {0};
    write_graph(&graph, run);
    write_lines(&lines, run);
    put(run->state, FILE_CASE, BUNDLE_CASE, &graph, l);
    put(run->state, FILE_CUSTODY, BUNDLE_CUSTODY, &lines, l);
    json_fini(&graph);
    json_fini(&lines);
}
