/*
 * forge_log: logs, checkpoints and captures made by somebody who may hold an epoch's key; for
 * tests.
 *
 * Contained in: tests. Must never: be linked into a program.
 */
#include "evidence/format.h"
#include "tests/evidence/forge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "forge: %s\n", what);
        exit(1);
    }
}

/* --- the log -------------------------------------------------------------------------------------
 */

void forge_log_init(struct forge_log *log, const char *origin)
{
    memset(log, 0, sizeof *log);
    snprintf(log->origin, sizeof log->origin, "%s", origin);
    for (size_t i = 0; i < FORGE_EPOCHS; i++) {
        log->key[i] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        must(log->key[i], "key");
    }
}

void forge_log_free(struct forge_log *log)
{
    forge_log_drop(log, 0, log->count);
    for (size_t i = 0; i < FORGE_EPOCHS; i++)
        EVP_PKEY_free(log->key[i]);
}

void forge_log_add(struct forge_log *log, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    must(log->count < FORGE_RECORDS && vasprintf(&log->tail[log->count++], format, arguments) > 0,
         "record");
    va_end(arguments);
}

void forge_log_drop(struct forge_log *log, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++)
        free(log->tail[i]);
    memmove(&log->tail[first], &log->tail[first + count],
            (log->count - first - count) * sizeof *log->tail);
    log->count -= count;
}

static void public_key(EVP_PKEY *key, uint8_t ret[32], char ret_b64[45])
{
    size_t size = 32;
    must(EVP_PKEY_get_raw_public_key(key, ret, &size) == 1 && size == 32, "public key");
    EVP_EncodeBlock((uint8_t *)ret_b64, ret, 32);
}

/* The line with its LF, and the hash of it as the next one's prev. Caller frees. */
static char *line_of(const struct forge_log *log, size_t seq, char prev[65])
{
    const char *tail = log->tail[seq];
    char *line;
    const char *mark = strstr(tail, "@KEY");
    int size;
    if (mark) {
        uint8_t raw[32];
        char b64[45];
        public_key(log->key[mark[4] - '0'], raw, b64);
        size = asprintf(&line, "{\"seq\":%zu,\"prev\":\"%s\",%.*s%s%s\n", seq, prev,
                        (int)(mark - tail), tail, b64, mark + 6);
    } else {
        size = asprintf(&line, "{\"seq\":%zu,\"prev\":\"%s\",%s\n", seq, prev, tail);
    }
    must(size > 0, "line");
    forge_hex256(line, (size_t)size, prev);
    return line;
}

static void sha256(const void *bytes, size_t size, uint8_t *ret)
{
    must(EVP_Digest(bytes, size, ret, NULL, EVP_sha256(), NULL), "hash");
}

/* RFC 9162 2.1.1 as it is written there: recursion over the leaves. */
static void tree_root(uint8_t (*leaves)[32], size_t count, uint8_t ret[32])
{
    if (count <= 1) {
        if (count == 1)
            memcpy(ret, leaves[0], 32);
        else
            sha256("", 0, ret);
        return;
    }
    size_t half = 1;
    while (half * 2 < count)
        half *= 2;
    uint8_t node[65] = {MERKLE_NODE_PREFIX};
    tree_root(leaves, half, node + 1);
    tree_root(leaves + half, count - half, node + 33);
    sha256(node, sizeof node, ret);
}

static void root_of(const struct forge_log *log, size_t size, uint8_t ret[32])
{
    static uint8_t leaves[FORGE_RECORDS][32];
    char prev[65] = LOG_PREV_NONE;
    for (size_t i = 0; i < size; i++) {
        char *line = line_of(log, i, prev);
        size_t length = strlen(line) - 1;
        memmove(line + 1, line, length);
        line[0] = MERKLE_LEAF_PREFIX;
        sha256(line, length + 1, leaves[i]);
        free(line);
    }
    tree_root(leaves, size, ret);
}

size_t forge_checkpoint_text(const struct forge_log *log, size_t size, EVP_PKEY *key,
                             char *ret_text, size_t room)
{
    uint8_t root[32], named[160], hash[32], blob[68], raw[32];
    char b64[100];
    root_of(log, size, root);
    EVP_EncodeBlock((uint8_t *)b64, root, 32);
    int covered = snprintf(ret_text, room, "%s\n%zu\n%s\n", log->origin, size, b64);
    public_key(key, raw, b64);
    int name = snprintf((char *)named, sizeof named, "%s\n%c", log->origin, CHECKPOINT_ALG);
    memcpy(named + name, raw, 32);
    sha256(named, (size_t)name + 32, hash);
    memcpy(blob, hash, 4);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t length = 64;
    must(EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
             EVP_DigestSign(context, blob + 4, &length, (uint8_t *)ret_text, (size_t)covered) == 1,
         "sign");
    EVP_MD_CTX_free(context);
    EVP_EncodeBlock((uint8_t *)b64, blob, sizeof blob);
    return (size_t)covered + (size_t)snprintf(ret_text + covered, room - (size_t)covered,
                                              "\n" CHECKPOINT_DASH "%s %s\n", log->origin, b64);
}

void forge_log_labels(struct forge *f, const struct forge_log *log)
{
    uint8_t root[32];
    char text[64], hex[9];
    root_of(log, log->count, root);
    EVP_EncodeBlock((uint8_t *)text, root, 32);
    forge_label(f, "Log-Root", text);
    snprintf(text, sizeof text, "%zu", log->count);
    forge_label(f, "Log-Size", text);
    for (int i = 0; i < 4; i++)
        snprintf(hex + 2 * i, 3, "%02x", root[i]);
    memcpy(f->folder + strlen(f->folder) - 8, hex, 8);
}

void forge_log_write(struct forge *f, const struct forge_log *log,
                     const struct forge_checkpoint *checkpoints, size_t checkpoint_count,
                     const struct forge_identity *identity)
{
    char *text = NULL, prev[65] = LOG_PREV_NONE;
    size_t used = 0;
    for (size_t i = 0; i < log->count; i++) {
        char *line = line_of(log, i, prev);
        size_t size = strlen(line);
        text = realloc(text, used + size + 1);
        must(text, "out of memory");
        memcpy(text + used, line, size + 1);
        used += size;
        free(line);
    }
    forge_put(f, BUNDLE_LOG, text, used);
    free(text);
    for (size_t i = f->count; i-- > 0;)
        if (strncmp(f->files[i].name, BUNDLE_CHECKPOINTS, strlen(BUNDLE_CHECKPOINTS)) == 0)
            forge_drop(f, f->files[i].name);
    for (size_t i = 0; i < checkpoint_count; i++) {
        char name[80], note[CHECKPOINT_MAX];
        snprintf(name, sizeof name, BUNDLE_CHECKPOINTS NAME_CHECKPOINT, checkpoints[i].epoch,
                 (unsigned long long)checkpoints[i].size);
        size_t size = forge_checkpoint_text(log, checkpoints[i].size, log->key[checkpoints[i].key],
                                            note, sizeof note);
        forge_put(f, name, note, size);
    }
    uint8_t raw[32], *signature;
    char key0[46];
    size_t size;
    public_key(log->key[0], raw, key0);
    key0[44] = '\n';
    forge_put(f, BUNDLE_KEY0, key0, 45);
    signature = forge_cms(identity, key0, 45, &size);
    forge_put(f, BUNDLE_KEY0_SIG, signature, size);
    OPENSSL_free(signature);
    forge_log_labels(f, log);
    forge_label(f, "Log-Origin", log->origin);
}

/* --- pcapng --------------------------------------------------------------------------------------
 */

struct block {
    uint8_t *bytes;
    size_t size;
};

static void append(struct block *b, const void *bytes, size_t size)
{
    size_t padded = (size + 3) / 4 * 4;
    b->bytes = realloc(b->bytes, b->size + padded);
    must(b->bytes, "out of memory");
    memset(b->bytes + b->size, 0, padded);
    memcpy(b->bytes + b->size, bytes, size);
    b->size += padded;
}

static void u32(struct block *b, uint32_t value)
{
    uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                        (uint8_t)(value >> 24)};
    append(b, bytes, 4);
}

static void option(struct block *b, unsigned code, const void *value, size_t size)
{
    u32(b, (uint32_t)size << 16 | code);
    append(b, value, size);
}

static void option_u64(struct block *b, unsigned code, uint64_t value)
{
    u32(b, 8u << 16 | code);
    u32(b, (uint32_t)value);
    u32(b, (uint32_t)(value >> 32));
}

static void comment(struct block *b, const char *label, const char *value)
{
    char text[256];
    int size = snprintf(text, sizeof text, "%s%s", label, value);
    option(b, 1, text, (size_t)size);
}

static void close_block(struct block *file, struct block *b, uint32_t type)
{
    u32(b, 0);
    uint32_t total = (uint32_t)b->size + 12;
    u32(file, type);
    u32(file, total);
    append(file, b->bytes, b->size);
    u32(file, total);
    free(b->bytes);
    *b = (struct block){.size = 0};
}

uint8_t *forge_pcapng(const struct forge_capture *c, size_t *ret_size)
{
    struct block file = {.size = 0}, b = {.size = 0};
    char nonce[65];
    forge_hex256(c->name, strlen(c->name), nonce);
    u32(&b, PCAPNG_MAGIC);
    u32(&b, 1);
    u32(&b, UINT32_MAX);
    u32(&b, UINT32_MAX);
    comment(&b, PCAPNG_COMMENT_ORIGIN, c->origin);
    comment(&b, PCAPNG_COMMENT_NAME, c->name);
    comment(&b, PCAPNG_COMMENT_PREV, c->prev);
    comment(&b, PCAPNG_COMMENT_NONCE, nonce);
    close_block(&file, &b, PCAPNG_SHB);
    u32(&b, 1);
    u32(&b, 262144);
    option(&b, 9, "\x09", 1);
    comment(&b, PCAPNG_COMMENT_IFACE, "0");
    close_block(&file, &b, PCAPNG_IDB);
    for (unsigned i = 0; i < c->count; i++) {
        uint64_t when = (uint64_t)c->time_ns + UINT64_C(1000000000) * i;
        char frame[32];
        int size =
            snprintf(frame, sizeof frame, "frame number %llu", (unsigned long long)(c->first + i));
        u32(&b, 0);
        u32(&b, (uint32_t)(when >> 32));
        u32(&b, (uint32_t)when);
        u32(&b, (uint32_t)size);
        u32(&b, (uint32_t)size);
        append(&b, frame, (size_t)size);
        option_u64(&b, 5, c->first + i);
        close_block(&file, &b, PCAPNG_EPB);
    }
    u32(&b, 0);
    u32(&b, 0);
    u32(&b, 0);
    option_u64(&b, 4, c->received);
    option_u64(&b, 5, 0);
    option_u64(&b, 6, c->received);
    option_u64(&b, 7, c->dropped);
    option_u64(&b, 8, c->received);
    comment(&b, PCAPNG_COMMENT_RING, "0");
    close_block(&file, &b, PCAPNG_ISB);
    *ret_size = file.size;
    return file.bytes;
}
