/*
 * tamper: every way to change a small bundle, and the number of those that the verifier missed: 0.
 *
 *   tamper                          bundles made by forge_case
 *   tamper BUNDLE IDENTITY-FOLDER   a bundle that the real programs made (ca.pem, signer.pem,
 * signer.key)
 *
 * TAMPER_STRIDE=N tries only every Nth bit and length (for sanitizers; the plain build tries all).
 * The attacker of each trial is named in its description: an outsider has no key and can recompute
 * every hash; an insider holds the identity's key, and seals what he changed; an epoch's thief
 * holds in addition the key of the epoch that runs when he breaks in.
 *
 * Contained in: tests. It links code that signs; the verifier that it tests does not.
 */
#include "evidence/format.h"
#include "evidence/verify.h"
#include "tests/evidence/forge_case.h"

#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 2

struct tally {
    unsigned long trials, undetected;
};

/* One campaign: a bundle and who can sign what. */
struct target {
    const char *name;
    struct forge bundle;
    uint8_t *tar;
    size_t size;
    struct forge_identity identity; /* of the insider */
    char *authority;
    size_t authority_size;
};

static struct tally *tally; /* one per worker, shared */
static unsigned me;
static unsigned long turn;
static size_t stride = 1;

/* Whether the next trial is this worker's. */
static bool mine(void)
{
    return turn++ % WORKERS == me;
}

static struct verify_options options_of(const struct target *t)
{
    return (struct verify_options){
        .ca = t->authority, .ca_size = t->authority_size, .fail_fast = true};
}

__attribute__((format(printf, 5, 6))) static void expect_refused(
    const struct verify_options *options, const uint8_t *bytes, size_t size,
    enum verify_check *ret_check, const char *format, ...)
{
    struct verify_report report;
    tally[me].trials++;
    if (verify_bundle(bytes, size, options, &report) == VERIFY_RESULT_FAILED) {
        for (int i = 0; ret_check && i < VERIFY_CHECK_COUNT; i++)
            if (report.line[i].outcome == VERIFY_FAIL) {
                *ret_check = (enum verify_check)i;
                break;
            }
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    tally[me].undetected++;
    printf("UNDETECTED: ");
    vprintf(format, arguments);
    printf("\n");
    fflush(stdout);
    va_end(arguments);
}

/* The forged bundle must be refused, by this check if one is named (VERIFY_CHECK_COUNT: any). */
static void refuse_as(const struct target *t, const struct forge *f, bool sorted,
                      enum verify_check want, const char *what, const char *on)
{
    struct verify_options options = options_of(t);
    enum verify_check found = VERIFY_CHECK_COUNT;
    size_t size;
    uint8_t *tar = forge_tar(f, sorted, &size);
    expect_refused(&options, tar, size, &found, "%s: %s: %s", t->name, what, on);
    if (want != VERIFY_CHECK_COUNT && found != want && found != VERIFY_CHECK_COUNT) {
        tally[me].undetected++;
        printf("REFUSED FOR ANOTHER REASON: %s: %s: %s: check %d, not %d\n", t->name, what, on,
               (int)found, (int)want);
    }
    free(tar);
}

static void refuse(const struct target *t, const struct forge *f, const char *what, const char *on)
{
    refuse_as(t, f, true, VERIFY_CHECK_COUNT, what, on);
}

/* --- bits and lengths ----------------------------------------------------------------------------
 */

static void flip_bits(const struct target *t)
{
    struct verify_options options = options_of(t);
    for (size_t bit = 0; bit < 8 * t->size; bit += stride) {
        if (!mine())
            continue;
        t->tar[bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect_refused(&options, t->tar, t->size, NULL, "%s: bit %zu of byte %zu flipped", t->name,
                       bit % 8, bit / 8);
        t->tar[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* Whole and by itself: what only --ca would catch must not be the signatures' own bytes. */
static void flip_signatures(const struct target *t)
{
    struct verify_options options = {.fail_fast = true};
    static const char *const names[] = {BUNDLE_SEAL, BUNDLE_CHAIN};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct forge_file *file = forge_get(&t->bundle, names[i]);
        uint8_t *at = memmem(t->tar, t->size, file->bytes, file->size);
        for (size_t bit = 0; at && bit < 8 * file->size; bit += stride) {
            if (!mine())
                continue;
            at[bit / 8] ^= (uint8_t)(1u << bit % 8);
            expect_refused(&options, t->tar, t->size, NULL,
                           "%s: without --ca: bit %zu of byte %zu of %s flipped", t->name, bit % 8,
                           bit / 8, names[i]);
            at[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

static void cut_and_grow(const struct target *t)
{
    struct verify_options options = options_of(t);
    for (size_t size = 0; size < t->size; size += stride)
        if (mine())
            expect_refused(&options, t->tar, size, NULL, "%s: cut to %zu bytes", t->name, size);
    static const size_t more[] = {1, 2, 511, 512, 513, 1024, 10240};
    uint8_t *grown = calloc(1, 2 * t->size + 10240);
    if (!grown)
        exit(1);
    memcpy(grown, t->tar, t->size);
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        if (mine())
            expect_refused(&options, grown, t->size + more[i], NULL, "%s: %zu zeros after the end",
                           t->name, more[i]);
    memcpy(grown + t->size, t->tar, t->size);
    if (mine())
        expect_refused(&options, grown, 2 * t->size, NULL, "%s: the bundle twice", t->name);
    if (mine())
        expect_refused(&options, grown + 512, t->size - 512, NULL, "%s: first header cut off",
                       t->name);
    free(grown);
}

/* --- members -------------------------------------------------------------------------------------
 */

enum attacker { NOBODY, OUTSIDER, INSIDER }; /* what was recomputed after the change */

static const char *attacker_name(enum attacker a)
{
    return a == NOBODY ? "as it is" : a == OUTSIDER ? "manifests regenerated" : "sealed again";
}

static void recompute(const struct target *t, struct forge *f, enum attacker a)
{
    if (a == NOBODY || !forge_get(f, BUNDLE_BAG_INFO))
        return;
    forge_manifests(f);
    if (a == INSIDER)
        forge_seal(f, &t->identity);
}

static bool is_made_by(const char *name, enum attacker a)
{
    return (a >= OUTSIDER && (strstr(name, "manifest-") || strcmp(name, BUNDLE_BAG_INFO) == 0)) ||
           (a >= INSIDER && strncmp(name, "signatures/", 11) == 0);
}

/* A checkpoint before its epoch's last one says nothing that the last one does not; who holds the
 * identity's key may leave it out. */
static bool is_passing_checkpoint(const struct target *t, size_t index)
{
    static const char folder[] = BUNDLE_CHECKPOINTS;
    const char *name = t->bundle.files[index].name;
    return index + 1 < t->bundle.count && strncmp(name, folder, sizeof folder - 1) == 0 &&
           strncmp(name, t->bundle.files[index + 1].name, sizeof folder - 1 + 8) == 0;
}

static void drop_members(const struct target *t, enum attacker a)
{
    for (size_t i = 0; i < t->bundle.count; i++) {
        if (is_made_by(t->bundle.files[i].name, a) || !mine())
            continue;
        /* The insider may well leave out a README; what he may not is a file of the log. */
        if (a == INSIDER &&
            (strncmp(t->bundle.files[i].name, "data/", 5) != 0 || is_passing_checkpoint(t, i)))
            continue;
        struct forge f = forge_copy(&t->bundle);
        forge_drop(&f, t->bundle.files[i].name);
        recompute(t, &f, a);
        refuse(t, &f, attacker_name(a), t->bundle.files[i].name);
        forge_free(&f);
    }
}

static void edit_members(const struct target *t, enum attacker a)
{
    for (size_t i = 0; i < t->bundle.count; i++) {
        const struct forge_file *file = &t->bundle.files[i];
        if (is_made_by(file->name, a) || (a == INSIDER && strncmp(file->name, "data/", 5) != 0))
            continue;
        for (int edit = 0; edit < 4; edit++) {
            if (!mine() || (file->size == 0 && edit < 3))
                continue;
            struct forge f = forge_copy(&t->bundle);
            struct forge_file *changed = forge_get(&f, file->name);
            if (edit == 0)
                changed->bytes[changed->size / 2] ^= 1;
            else if (edit == 1)
                changed->size--;
            else if (edit == 2)
                changed->bytes[0] ^= 0x20;
            else
                changed->size++; /* the NUL that forge_put leaves behind */
            recompute(t, &f, a);
            refuse(t, &f, attacker_name(a), file->name);
            forge_free(&f);
        }
    }
}

/* The same members in another order, or one of them twice. */
static void reorder_members(const struct target *t)
{
    for (size_t i = 0; i < t->bundle.count; i++)
        for (size_t j = i; j < t->bundle.count; j++) {
            if (!mine())
                continue;
            struct forge f = forge_copy(&t->bundle);
            if (i == j) {
                f.files = realloc(f.files, (f.count + 1) * sizeof *f.files);
                memmove(&f.files[i + 1], &f.files[i], (f.count++ - i) * sizeof *f.files);
                f.files[i].bytes = malloc(f.files[i].size + 1);
                memcpy(f.files[i].bytes, f.files[i + 1].bytes, f.files[i].size);
            } else {
                struct forge_file kept = f.files[i];
                f.files[i] = f.files[j];
                f.files[j] = kept;
            }
            refuse_as(t, &f, false, VERIFY_CHECK_COUNT, "members reordered or repeated",
                      t->bundle.files[i].name);
            forge_free(&f);
        }
}

/* Contents exchanged, names kept. */
static void swap_contents(const struct target *t, enum attacker a)
{
    for (size_t i = 0; i < t->bundle.count; i++)
        for (size_t j = i + 1; j < t->bundle.count; j++) {
            const struct forge_file *x = &t->bundle.files[i], *y = &t->bundle.files[j];
            if ((x->size == y->size && memcmp(x->bytes, y->bytes, x->size) == 0) ||
                is_made_by(x->name, a) || is_made_by(y->name, a) ||
                (a == INSIDER &&
                 (strncmp(x->name, "data/", 5) != 0 || strncmp(y->name, "data/", 5) != 0)) ||
                !mine())
                continue;
            struct forge f = forge_copy(&t->bundle);
            forge_put(&f, x->name, y->bytes, y->size);
            forge_put(&f, y->name, x->bytes, x->size);
            recompute(t, &f, a);
            refuse(t, &f, attacker_name(a), x->name);
            forge_free(&f);
        }
}

static void plant_files(const struct target *t)
{
    static const char *const names[] = {"aaa",
                                        "zzz",
                                        "data/aaa",
                                        "data/zzz",
                                        "data/capture/seg-99999999.pcapng",
                                        "data/log/checkpoints/00000009-000000000999",
                                        "data/log/checkpoints/x",
                                        "data/log/timestamps/x.tsr",
                                        "signatures/aaa",
                                        "signatures/seal.p7s.tsr",
                                        "signatures/operator-1.p7s",
                                        "tagmanifest-sha1.txt",
                                        "manifest-md5.txt",
                                        "fetch.txt",
                                        "readme.txt",
                                        "README.TXT",
                                        "BAGIT.txt",
                                        "data/LOG/log.jsonl",
                                        "data/log/log.jsonl/x",
                                        "../x",
                                        "data/../x",
                                        "data/./x",
                                        "data//x",
                                        "data/x/",
                                        "data/\xff\xfe",
                                        "data/\xc3\xa9",
                                        "data/a b",
                                        "data/a\nb",
                                        "data/a\\b"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int a = NOBODY; a <= INSIDER; a++) {
            if (!mine())
                continue;
            struct forge f = forge_copy(&t->bundle);
            forge_put(&f, names[i], "planted\n", 8);
            recompute(t, &f, (enum attacker)a);
            refuse(t, &f, attacker_name((enum attacker)a), names[i]);
            forge_free(&f);
        }
}

/* Headers that no tar of ours has; the checksum is made right. */
static void plant_headers(const struct target *t)
{
    static const struct {
        const char *what;
        size_t offset;
        const char *bytes;
        size_t size;
    } edits[] = {{"hard link", 156, "1", 1},
                 {"symbolic link", 156, "2", 1},
                 {"character device", 156, "3", 1},
                 {"block device", 156, "4", 1},
                 {"folder", 156, "5", 1},
                 {"pipe", 156, "6", 1},
                 {"contiguous", 156, "7", 1},
                 {"pax header", 156, "x", 1},
                 {"global header", 156, "g", 1},
                 {"GNU long name", 156, "L", 1},
                 {"old type", 156, "\0", 1},
                 {"link name", 157, "/etc/passwd", 11},
                 {"mode", 100, "004755 ", 7},
                 {"owner", 108, "001750 ", 7},
                 {"time", 136, "14524770401 ", 12},
                 {"user name", 265, "root", 4},
                 {"prefix", 345, "elsewhere", 9},
                 {"tail", 505, "hidden", 6},
                 {"magic", 257, "ustar  ", 7},
                 {"absolute", 0, "/", 1},
                 {"size field", 124, "77777777777 ", 12},
                 {"checksum", 148, "", 0}};
    struct verify_options options = options_of(t);
    for (size_t at = 0, member = 0; at + 512 <= t->size && t->tar[at]; member++) {
        char number[13] = "";
        memcpy(number, t->tar + at + 124, 12);
        size_t length = (size_t)strtoull(number, NULL, 8);
        for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
            if (!mine())
                continue;
            uint8_t kept[512], *header = t->tar + at;
            memcpy(kept, header, 512);
            memcpy(header + edits[i].offset, edits[i].bytes, edits[i].size);
            unsigned sum = 0;
            memset(header + 148, ' ', 8);
            for (size_t j = 0; j < 512; j++)
                sum += header[j];
            char text[9];
            snprintf(text, sizeof text, i + 1 < sizeof edits / sizeof *edits ? "%06o" : "%07o",
                     sum);
            memcpy(header + 148, text, strlen(text) + 1);
            expect_refused(&options, t->tar, t->size, NULL, "%s: member %zu: %s", t->name, member,
                           edits[i].what);
            memcpy(header, kept, 512);
        }
        at += 512 + (length + 511) / 512 * 512;
    }
    for (size_t at = 0; at + 512 <= t->size && t->tar[at];) {
        char number[13] = "";
        memcpy(number, t->tar + at + 124, 12);
        uint8_t *header = t->tar + at, kept = *header;
        if (mine()) { /* a second top folder: first letter of one member, checksum made right */
            char text[8], old[8];
            memcpy(old, header + 148, 8);
            *header = 'e';
            snprintf(text, sizeof text, "%06o", (unsigned)strtoul(old, NULL, 8) + 'e' - kept);
            memcpy(header + 148, text, 7);
            expect_refused(&options, t->tar, t->size, NULL, "%s: second folder", t->name);
            *header = kept;
            memcpy(header + 148, old, 8);
        }
        at += 512 + ((size_t)strtoull(number, NULL, 8) + 511) / 512 * 512;
    }
}

/* --- records -------------------------------------------------------------------------------------
 */

struct lines {
    char *at[4096];
    size_t count;
};

static struct lines split(const struct forge_file *file)
{
    struct lines l = {.count = 0};
    for (size_t at = 0; at < file->size && l.count < 4096;) {
        const uint8_t *end = memchr(file->bytes + at, '\n', file->size - at);
        size_t size = end ? (size_t)(end - file->bytes) - at : file->size - at;
        l.at[l.count++] = strndup((const char *)file->bytes + at, size);
        at += size + 1;
    }
    return l;
}

static void free_lines(struct lines *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->at[i]);
}

/* Gives every line its number and the hash of the line before it again. */
static void chain_again(struct lines *l)
{
    char prev[65] = LOG_PREV_NONE;
    for (size_t i = 0; i < l->count; i++) {
        char *type = strstr(l->at[i], "\"type\":"), *line;
        if (!type || asprintf(&line, "{\"seq\":%zu,\"prev\":\"%s\",%s\n", i, prev, type) < 0)
            exit(1);
        forge_hex256(line, strlen(line), prev);
        line[strlen(line) - 1] = '\0';
        free(l->at[i]);
        l->at[i] = line;
    }
}

/* Root and size that everybody may recompute: of bag-info, and in the folder's name. */
static void label_root(struct forge *f, const struct lines *l)
{
    struct forge_log log = {.count = 0};
    char prev[65] = LOG_PREV_NONE;
    if (l->count > FORGE_RECORDS || l->count == 0)
        return;
    for (size_t i = 0; i < l->count; i++) { /* only if the chain is whole does the root matter */
        char *line, start[128];
        snprintf(start, sizeof start, "{\"seq\":%zu,\"prev\":\"%s\",", i, prev);
        if (strncmp(l->at[i], start, strlen(start)) != 0 || asprintf(&line, "%s\n", l->at[i]) < 0)
            return;
        forge_hex256(line, strlen(line), prev);
        free(line);
        log.tail[i] = l->at[i] + strlen(start);
    }
    log.count = l->count;
    forge_log_labels(f, &log);
}

/* The bundle with these lines as its log, and what the attacker can recompute. */
static struct forge with_log(const struct target *t, struct lines *l, bool rechain, enum attacker a)
{
    struct forge f = forge_copy(&t->bundle);
    size_t size = 0;
    if (rechain)
        chain_again(l);
    for (size_t i = 0; i < l->count; i++)
        size += strlen(l->at[i]) + 1;
    char *text = malloc(size + 1), *at = text;
    for (size_t i = 0; i < l->count; i++)
        at += snprintf(at, size + 1 - (size_t)(at - text), "%s\n", l->at[i]);
    forge_put(&f, BUNDLE_LOG, text, size);
    free(text);
    label_root(&f, l);
    recompute(t, &f, a);
    return f;
}

static void refuse_log(const struct target *t, struct lines *l, bool rechain, enum attacker a,
                       const char *what)
{
    struct forge f = with_log(t, l, rechain, a);
    char on[80];
    snprintf(on, sizeof on, "%s, %s", attacker_name(a),
             rechain ? "chain recomputed" : "chain as it was");
    refuse(t, &f, what, on);
    forge_free(&f);
}

enum edit { DROP, REPEAT, SWAP, EDIT, CUT, EDITS };

static void edit_lines(const struct target *t, bool rechain, enum attacker a)
{
    static const char *const names[] = {"record dropped", "record repeated", "records swapped",
                                        "record edited", "log cut"};
    const struct forge_file *log = forge_get(&t->bundle, BUNDLE_LOG);
    struct lines whole = split(log);
    for (size_t i = 0; i < whole.count; i++)
        for (size_t j = 0; j < whole.count + EDITS; j++) {
            enum edit edit = j < whole.count ? SWAP : (enum edit)(j - whole.count);
            if ((edit == SWAP && j <= i) || (j >= whole.count && edit == SWAP) || !mine())
                continue;
            struct lines l = split(log);
            char *line = l.at[i];
            if (edit == SWAP) {
                l.at[i] = l.at[j];
                l.at[j] = line;
            } else if (edit == DROP) {
                free(line);
                memmove(&l.at[i], &l.at[i + 1], (--l.count - i) * sizeof *l.at);
            } else if (edit == REPEAT) {
                memmove(&l.at[i + 1], &l.at[i], (l.count++ - i) * sizeof *l.at);
                l.at[i] = strdup(line);
            } else if (edit == EDIT) { /* the last digit of the record's time */
                char *time = strstr(line, "\"time\":\"");
                char *digit = strstr(time, "Z\"") - 1;
                *digit = *digit == '7' ? '8' : '7';
            } else {
                while (l.count > i)
                    free(l.at[--l.count]);
            }
            refuse_log(t, &l, rechain, a, names[edit]);
            free_lines(&l);
        }
    free_lines(&whole);
}

static void look_alike(const struct target *t)
{
    if (!mine())
        return;
    struct forge f = forge_copy(&t->bundle);
    struct forge_identity other = forge_identity_new("forge");
    forge_seal(&f, &other);
    refuse_as(t, &f, true, VERIFY_IDENTITY, "sealed again by a look-alike authority", "seal");
    size_t size;
    const struct forge_file *key = forge_get(&f, BUNDLE_KEY0);
    uint8_t *der = forge_cms(&other, key->bytes, key->size, &size);
    forge_put(&f, BUNDLE_KEY0_SIG, der, size);
    OPENSSL_free(der);
    forge_manifests(&f);
    forge_seal(&f, &other);
    refuse_as(t, &f, true, VERIFY_IDENTITY, "everything by a look-alike authority", "all");
    forge_seal(&f, &t->identity);
    refuse(t, &f, "first key by a look-alike authority", "key0");
    forge_free(&f);
    forge_identity_free(&other);
}

/* --- the thief of an epoch's key -----------------------------------------------------------------
 */

/* Builds the case anew after `change`, with the keys in `checkpoint`, sealed by the identity: whole
 * in every hash. */
static void refuse_case(const struct target *t, struct forge_case *c, enum verify_check want,
                        const struct verify_options *more, const char *what)
{
    forge_case_finish(c, &t->identity);
    struct verify_options options = more ? *more : options_of(t);
    options.ca = t->authority;
    options.ca_size = t->authority_size;
    enum verify_check found = VERIFY_CHECK_COUNT;
    size_t size;
    uint8_t *tar = forge_tar(&c->bundle, true, &size);
    expect_refused(&options, tar, size, &found, "%s: %s", t->name, what);
    if (found != want && found != VERIFY_CHECK_COUNT) {
        tally[me].undetected++;
        printf("REFUSED FOR ANOTHER REASON: %s: check %d, not %d\n", what, (int)found, (int)want);
    }
    free(tar);
}

/* Replaces the records from `cut` on by a new end, of the time of the old one. */
static void continue_from(struct forge_case *c, size_t cut)
{
    char *last = strdup(c->log.tail[c->log.count - 1]);
    forge_log_drop(&c->log, cut, c->log.count - cut);
    forge_log_add(&c->log, "%s", last);
    free(last);
    while (c->checkpoint_count > 0 && c->checkpoint[c->checkpoint_count - 1].size > cut)
        c->checkpoint_count--;
}

static void add_checkpoint(struct forge_case *c, unsigned epoch, unsigned key, size_t size)
{
    c->checkpoint[c->checkpoint_count++] =
        (struct forge_checkpoint){.epoch = epoch, .key = key, .size = size};
}

/* The key of epoch 2 is stolen: the past up to record 6 must stay as it is. The findings' lines
 * that the cut removes are left out of the file too. */
static void truncate_and_continue(const struct target *t)
{
    for (size_t cut = 1; cut < 7; cut++)
        for (unsigned epoch = 0; epoch <= 2; epoch++) {
            if (!mine())
                continue;
            struct forge_case c;
            forge_case_replay(&c, &t->identity);
            continue_from(&c, cut);
            add_checkpoint(&c, epoch, 2, c.log.count);
            size_t in_epoch = cut >= 5 ? 1 : 0;
            refuse_case(t, &c, epoch == in_epoch ? VERIFY_CHECKPOINTS : VERIFY_EPOCHS, NULL,
                        "truncated and continued with the current key");
            forge_case_free(&c);
        }
}

/* Within the epoch whose key was stolen only a checkpoint outside helps. */
static void truncate_known(const struct target *t)
{
    for (size_t cut = 1; cut < 8; cut++) {
        if (!mine())
            continue;
        struct forge_case c;
        char note[CHECKPOINT_MAX];
        forge_case_replay(&c, &t->identity);
        struct verify_options options = {.fail_fast = true, .known_checkpoint = note};
        unsigned key = 2;
        options.known_checkpoint_size =
            forge_checkpoint_text(&c.log, 8, c.log.key[key], note, sizeof note);
        unsigned epoch = cut < 5 ? 0 : cut < 7 ? 1 : 2;
        continue_from(&c, cut);
        if (cut == 7) /* the same length, another end */
            strstr(c.log.tail[7], "\"messages\":9")[11] = '8';
        add_checkpoint(&c, epoch, epoch, c.log.count);
        refuse_case(t, &c, VERIFY_KNOWN_CHECKPOINT, &options,
                    "truncated against a known checkpoint");
        forge_case_free(&c);
    }
}

static void reseal_with_newer_key(const struct target *t)
{
    for (size_t record = 0; record < 7; record++) {
        if (!mine())
            continue;
        struct forge_case c;
        forge_case_replay(&c, &t->identity);
        char *digit = strstr(c.log.tail[record], ".000000000Z") + 9;
        *digit = '5';
        for (size_t i = 0; i < c.checkpoint_count; i++)
            if (c.checkpoint[i].size > record)
                c.checkpoint[i].key = 2;
        refuse_case(t, &c, VERIFY_CHECKPOINTS, NULL, "old entries sealed again with a newer key");
        forge_case_free(&c);
    }
}

static void bend_epochs(const struct target *t)
{
    enum {
        TWO_FINAL,
        TWO_FINAL_BEHIND,
        NO_FINAL,
        NO_LAST,
        REUSED,
        SKIPPED,
        REPEATED,
        OWN_KEY,
        ALL
    };
    static const char *const names[] = {"two final checkpoints of one size",
                                        "a final checkpoint behind the epoch's end",
                                        "an epoch without final checkpoint",
                                        "no checkpoint over the end",
                                        "a key that returns",
                                        "an epoch skipped",
                                        "an epoch repeated",
                                        "a checkpoint by a key that nobody named"};
    static const enum verify_check wants[] = {VERIFY_CHECKPOINTS, VERIFY_EPOCHS,     VERIFY_EPOCHS,
                                              VERIFY_CHECKPOINTS, VERIFY_EPOCHS,     VERIFY_EPOCHS,
                                              VERIFY_EPOCHS,      VERIFY_CHECKPOINTS};
    for (int what = 0; what < ALL; what++) {
        if (!mine())
            continue;
        struct forge_case c;
        forge_case_replay(&c, &t->identity);
        if (what == TWO_FINAL) {
            add_checkpoint(&c, 1, 1, 5);
        } else if (what == TWO_FINAL_BEHIND) {
            add_checkpoint(&c, 0, 0, 6);
        } else if (what == NO_FINAL) {
            c.checkpoint[0] = c.checkpoint[1];
        } else if (what == NO_LAST) {
            c.checkpoint_count--;
        } else if (what == REUSED) { /* epoch 2 gets the key of epoch 0 back */
            strstr(c.log.tail[6], "@KEY2@")[4] = '0';
            c.checkpoint[2].key = 0;
        } else if (what == SKIPPED || what == REPEATED) {
            strstr(c.log.tail[6], "\"epoch\":1")[8] = what == SKIPPED ? '2' : '0';
        } else {
            c.checkpoint[1].key = 5;
        }
        refuse_case(t, &c, wants[what], NULL, names[what]);
        forge_case_free(&c);
    }
}

/* Whoever holds every key can still not tell a story that contradicts itself. */
static void bend_records(const struct target *t)
{
    static const struct {
        const char *what;
        size_t record;
        const char *find, *put; /* of one length */
        enum verify_check want;
    } table[] = {
        {"second opening", 3, NULL, NULL, VERIFY_LOG},
        {"other source number", 1, "\"index\":0", "\"index\":1", VERIFY_SOURCE},
        {"no source", 1, "\"type\":\"source\"", NULL, VERIFY_SOURCE},
        {"another packet count", 2, "\"packets\":3", "\"packets\":4", VERIFY_CAPTURE},
        {"another first frame", 2, "\"first_packet\":1", "\"first_packet\":2", VERIFY_CAPTURE},
        {"another counter", 2, "\"received\":9", "\"received\":8", VERIFY_COUNTERS},
        {"another kind", 2, "\"extract\"", "\"segment\"", VERIFY_CAPTURE},
        {"another finding", 3, "\"id\":\"0", "\"id\":\"9", VERIFY_FINDINGS},
        {"another line", 3, "\"line\":0", "\"line\":1", VERIFY_FINDINGS},
        {"finding taken back", 5, "\"type\":\"finding\"", NULL, VERIFY_FINDINGS},
        {"unknown type", 3, "\"finding\"", "\"fondong\"", VERIFY_LOG},
        {"unknown end", 7, "finished", "finishes", VERIFY_LOG},
        {"space in a record", 7, "\"frames\":9", "\"frames\": ", VERIFY_LOG},
        {"open of another log", 0, "dnsbailiff/forge", "dnsbailiff/forgf", VERIFY_CAPTURE},
        {"nanosecond less", 3, ".000000000Z", ".00000000Z\"", VERIFY_LOG},
        {"end in the past", 7, "26:47", "26:46", VERIFY_CLOCK},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (!mine())
            continue;
        struct forge_case c;
        forge_case_replay(&c, &t->identity);
        char **tail = &c.log.tail[table[i].record];
        char *at = table[i].find ? strstr(*tail, table[i].find) : NULL;
        if (table[i].find && !at)
            exit(1);
        if (table[i].put) {
            memcpy(at, table[i].put, strlen(table[i].put));
        } else if (table[i].find) { /* the record becomes one that says nothing */
            char time[32], *empty;
            if (asprintf(&empty, "\"type\":\"key\",\"time\":\"%s\",\"text\":\"\"}",
                         forge_case_time((long)table[i].record, time)) < 0)
                exit(1);
            free(*tail);
            *tail = empty;
        } else { /* a second opening */
            char *again = strdup(c.log.tail[0]);
            memcpy(strstr(again, "26:40"), "26:43", 5);
            free(*tail);
            *tail = again;
        }
        refuse_case(t, &c, table[i].want, NULL, table[i].what);
        forge_case_free(&c);
    }
}

/* A line of the findings changed, and the closing record told of the new file: only the finding's
 * own record still knows what it said. */
static void edit_finding(const struct target *t)
{
    if (!mine())
        return;
    struct forge_case c;
    char before[65], after[65];
    forge_case_replay(&c, &t->identity);
    struct forge_file *findings = forge_get(&c.bundle, BUNDLE_FINDINGS);
    forge_hex256(findings->bytes, findings->size, before);
    char *rule = strstr((char *)findings->bytes, "key-unknown");
    memcpy(rule, "key-changed", 11);
    forge_hex256(findings->bytes, findings->size, after);
    memcpy(strstr(c.log.tail[7], before), after, 64);
    refuse_case(t, &c, VERIFY_FINDINGS, NULL, "a finding changed, the file told anew");
    forge_case_free(&c);
}

/* --- campaigns -----------------------------------------------------------------------------------
 */

static void attack(const struct target *t)
{
    flip_bits(t);
    cut_and_grow(t);
    reorder_members(t);
    drop_members(t, NOBODY);
    edit_members(t, NOBODY);
    swap_contents(t, NOBODY);
    drop_members(t, OUTSIDER);
    edit_members(t, OUTSIDER);
    swap_contents(t, OUTSIDER);
    edit_lines(t, false, OUTSIDER);
    edit_lines(t, true, OUTSIDER);
    plant_headers(t);
    flip_signatures(t);
    look_alike(t);
    if (!t->identity.key)
        return;
    plant_files(t);
    drop_members(t, INSIDER);
    edit_members(t, INSIDER);
    swap_contents(t, INSIDER);
    edit_lines(t, false, INSIDER);
    edit_lines(t, true, INSIDER);
}

static void attack_keys(const struct target *t)
{
    truncate_and_continue(t);
    truncate_known(t);
    reseal_with_newer_key(t);
    bend_epochs(t);
    bend_records(t);
    edit_finding(t);
}

/* A test that refuses everything proves nothing: the bundle as it is must verify. */
static void must_verify(const struct target *t, const uint8_t *tar, size_t size, const char *what)
{
    struct verify_options options = options_of(t);
    struct verify_report report;
    if (verify_bundle(tar, size, &options, &report) == VERIFY_RESULT_VERIFIED)
        return;
    printf("%s: %s does not verify\n", t->name, what);
    for (int i = 0; i < VERIFY_CHECK_COUNT; i++)
        printf("%d %d %s\n", i, (int)report.line[i].outcome, report.line[i].reason);
    exit(1);
}

/* … and so must one that was taken apart and made again unchanged, by each attacker. */
static void check_control(const struct target *t)
{
    must_verify(t, t->tar, t->size, "the bundle");
    for (int a = NOBODY; a <= INSIDER; a++)
        for (int with_lines = 0; with_lines < 2; with_lines++) {
            if (a == INSIDER && !t->identity.key)
                continue;
            struct forge f;
            struct lines l = split(forge_get(&t->bundle, BUNDLE_LOG));
            if (with_lines) {
                f = with_log(t, &l, true, (enum attacker)a);
            } else {
                f = forge_copy(&t->bundle);
                recompute(t, &f, (enum attacker)a);
            }
            size_t size;
            uint8_t *tar = forge_tar(&f, true, &size);
            must_verify(t, tar, size, attacker_name((enum attacker)a));
            free(tar);
            free_lines(&l);
            forge_free(&f);
        }
}

static int run(struct target *targets, size_t count, bool with_keys)
{
    tally = mmap(NULL, WORKERS * sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                 -1, 0);
    if (tally == MAP_FAILED)
        return 1;
    pid_t child[WORKERS];
    for (me = 0; me < WORKERS; me++) {
        fflush(stdout);
        child[me] = fork();
        if (child[me] == 0) {
            for (size_t i = 0; i < count; i++)
                attack(&targets[i]);
            if (with_keys)
                attack_keys(&targets[0]);
            exit(0);
        }
    }
    struct tally sum = {.trials = 0};
    bool whole = true;
    for (unsigned i = 0; i < WORKERS; i++) {
        int status;
        whole = whole && child[i] > 0 && waitpid(child[i], &status, 0) == child[i] &&
                WIFEXITED(status) && WEXITSTATUS(status) == 0;
        sum.trials += tally[i].trials;
        sum.undetected += tally[i].undetected;
    }
    printf("%lu trials, %lu undetected%s\n", sum.trials, sum.undetected,
           whole ? "" : ", A WORKER ENDED EARLY");
    printf("%lu passed, %lu failed\n", sum.trials - sum.undetected,
           sum.undetected + (whole ? 0 : 1));
    return sum.undetected == 0 && whole && sum.trials > 0 ? 0 : 1;
}

static void prepare(struct target *t, const char *name)
{
    t->name = name;
    t->tar = forge_tar(&t->bundle, true, &t->size);
    forge_free(&t->bundle);
    forge_read_tar(&t->bundle, t->tar, t->size); /* now in order of the archive */
    check_control(t);
    printf("%s: %zu members, %zu bytes\n", name, t->bundle.count, t->size);
}

static int attack_forged(void)
{
    static struct target targets[2];
    struct forge_identity identity = forge_identity_new("forge");
    struct forge_capture_plan plan = {.step_back = 0};
    struct forge_case c;
    for (size_t i = 0; i < 2; i++) {
        targets[i].identity = identity;
        targets[i].authority = forge_pem(&identity, true, &targets[i].authority_size);
    }
    forge_case_replay(&c, &identity);
    targets[0].bundle = forge_copy(&c.bundle);
    forge_case_free(&c);
    forge_case_capture(&c, &identity, &plan);
    targets[1].bundle = forge_copy(&c.bundle);
    forge_case_free(&c);
    prepare(&targets[0], "forged replay");
    prepare(&targets[1], "forged capture");
    return run(targets, 2, true);
}

static uint8_t *read_file(const char *folder, const char *name, size_t *ret_size)
{
    char path[4096];
    snprintf(path, sizeof path, "%s%s%s", folder, *name ? "/" : "", name);
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    long size = ftell(file);
    uint8_t *bytes = malloc((size_t)size + 1);
    rewind(file);
    if (!bytes || fread(bytes, 1, (size_t)size, file) != (size_t)size)
        exit(1);
    bytes[size] = 0;
    fclose(file);
    *ret_size = (size_t)size;
    return bytes;
}

static X509 *read_certificate(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return x509;
}

static int attack_real(const char *bundle, const char *folder)
{
    static struct target t;
    size_t size;
    t.authority = (char *)read_file(folder, IDENTITY_CA, &t.authority_size);
    char *pem = (char *)read_file(folder, IDENTITY_SIGNER, &size);
    char *key = (char *)read_file(folder, IDENTITY_SIGNER_KEY, &size);
    BIO *bio = BIO_new_mem_buf(key, -1);
    t.identity.ca = read_certificate(t.authority);
    t.identity.certificate = read_certificate(pem);
    t.identity.key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    free(pem);
    free(key);
    uint8_t *tar = read_file(bundle, "", &size);
    forge_read_tar(&t.bundle, tar, size);
    int status = 1;
    if (!t.identity.ca || !t.identity.certificate || !t.identity.key) {
        printf("%s: no identity\n", folder);
    } else {
        prepare(&t, "real bundle");
        if (t.size == size && memcmp(t.tar, tar, size) == 0)
            status = run(&t, 1, false);
        else
            printf("the archive is not the canonical one\n");
    }
    free(tar);
    return status;
}

int main(int argc, char **argv)
{
    const char *steps = getenv("TAMPER_STRIDE");
    if (steps)
        stride = strtoul(steps, NULL, 10) ? strtoul(steps, NULL, 10) : 1;
    time_t began = time(NULL);
    int status = argc == 3 ? attack_real(argv[1], argv[2]) : attack_forged();
    fprintf(stderr, "%ld seconds\n", (long)(time(NULL) - began));
    return status;
}
