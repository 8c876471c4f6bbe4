/*
 * verify_bag: BagIt (RFC 8493) as this program writes it.
 *
 * Contained in: verify, tests. Must never: parse a manifest. A manifest is rebuilt from the files
 * and compared, so there is no second way to write one and nothing that it could list besides.
 */
#include "evidence/verify_bag.h"

#include "evidence/verify_hash.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NANOSECONDS INT64_C(1000000000)

/* A manifest while it is compared line by line. */
struct manifest {
    const char *name;
    size_t hash_size;
    struct verify_text rest;
    bool there;
};

static struct manifest manifest_open(struct verify *v, const char *name, size_t hash_size)
{
    const struct verify_member *m = verify_find(v, name);
    if (!m) {
        verify_fault(v, VERIFY_MANIFESTS, "%s is missing", name);
        return (struct manifest){.name = name};
    }
    return (struct manifest){.name = name,
                             .hash_size = hash_size,
                             .rest = {.at = (const char *)m->bytes, .size = m->size},
                             .there = true};
}

/* The next line must be this member's. After a difference the manifest is not read on: its first
 * fault is the one to report. */
static void manifest_next(struct verify *v, struct manifest *manifest,
                          const struct verify_member *m, const uint8_t *hash)
{
    char expected[4 * HASH_BYTES + 2 + VERIFY_NAME_MAX + 2];
    if (!manifest->there)
        return;
    verify_hex(hash, manifest->hash_size, expected);
    size_t digits = 2 * manifest->hash_size;
    size_t size =
        digits + (size_t)snprintf(expected + digits, sizeof expected - digits, "  %s\n", m->name);
    if (manifest->rest.size >= size && memcmp(manifest->rest.at, expected, size) == 0) {
        manifest->rest.at += size;
        manifest->rest.size -= size;
        return;
    }
    bool listed = manifest->rest.size >= size &&
                  memcmp(manifest->rest.at + digits, expected + digits, size - digits) == 0;
    verify_fault(v, VERIFY_MANIFESTS, listed ? "%s is not what %s says" : "%s is not listed in %s",
                 m->name, manifest->name);
    manifest->there = false;
}

static void manifest_close(struct verify *v, const struct manifest *manifest)
{
    if (manifest->there && manifest->rest.size > 0)
        verify_fault(v, VERIFY_MANIFESTS, "%s lists what is not there", manifest->name);
}

static void check_manifests(struct verify *v)
{
    static const char *const tags[] = {BUNDLE_README, BUNDLE_BAG_INFO, BUNDLE_BAGIT,
                                       BUNDLE_MANIFEST_256, BUNDLE_MANIFEST_512};
    struct manifest tag256 = manifest_open(v, BUNDLE_TAGMANIFEST_256, HASH_BYTES);
    struct manifest tag512 = manifest_open(v, BUNDLE_TAGMANIFEST_512, 2 * HASH_BYTES);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        const struct verify_member *m = verify_find(v, tags[i]);
        if (!m) {
            verify_fault(v, VERIFY_MANIFESTS, "%s is missing", tags[i]);
            continue;
        }
        uint8_t hash[2 * HASH_BYTES];
        verify_sha256(m->bytes, m->size, hash);
        manifest_next(v, &tag256, m, hash);
        verify_sha512(m->bytes, m->size, hash);
        manifest_next(v, &tag512, m, hash);
    }
    manifest_close(v, &tag256);
    manifest_close(v, &tag512);
    if (verify_must_stop(v))
        return;
    struct manifest all256 = manifest_open(v, BUNDLE_MANIFEST_256, HASH_BYTES);
    struct manifest all512 = manifest_open(v, BUNDLE_MANIFEST_512, 2 * HASH_BYTES);
    size_t files = 0;
    for (size_t i = verify_first_under(v, "data/"); i < v->member_count; i++) {
        struct verify_member *m = &v->members[i];
        if (!verify_starts(m->name, "data/"))
            break;
        verify_sha_both(m->bytes, m->size, m->sha256, m->sha512, v->options->hashed);
        manifest_next(v, &all256, m, m->sha256);
        if (verify_must_stop(v))
            return;
        manifest_next(v, &all512, m, m->sha512);
        files++;
    }
    manifest_close(v, &all256);
    manifest_close(v, &all512);
    verify_passed(v, VERIFY_MANIFESTS, "%zu file%s as listed, by SHA-256 and SHA-512", files,
                  verify_s(files));
}

/* Outside data/ there is what format.h names, and nothing else. */
static void check_names(struct verify *v)
{
    static const char *const names[] = {
        BUNDLE_README,       BUNDLE_BAG_INFO,     BUNDLE_BAGIT,
        BUNDLE_MANIFEST_256, BUNDLE_MANIFEST_512, BUNDLE_TAGMANIFEST_256,
        BUNDLE_CHAIN,        BUNDLE_SEAL,         BUNDLE_TAGMANIFEST_512,
    };
    for (size_t i = 0; i < v->member_count; i++) {
        const char *name = v->members[i].name;
        bool known = verify_starts(name, "data/");
        for (size_t j = 0; !known && j < sizeof names / sizeof *names; j++)
            known = strcmp(name, names[j]) == 0;
        if (!known && strcmp(name, BUNDLE_SEAL_TIME) == 0)
            verify_fault(v, VERIFY_BAG, "%s: this version checks no time tokens", name);
        else if (!known)
            verify_fault(v, VERIFY_BAG, "%s does not belong into a bundle", name);
    }
    for (size_t j = 0; j < sizeof names / sizeof *names; j++)
        if (!verify_find(v, names[j]))
            verify_fault(v, VERIFY_BAG, "%s is missing", names[j]);
    const struct verify_member *bagit = verify_find(v, BUNDLE_BAGIT);
    if (bagit &&
        (bagit->size != sizeof BAGIT_TXT - 1 || memcmp(bagit->bytes, BAGIT_TXT, bagit->size) != 0))
        verify_fault(v, VERIFY_BAG, "%s is not that of BagIt 1.0", BUNDLE_BAGIT);
}

enum label {
#define X(id, label, text) LABEL_##id,
    BAG_INFO(X)
#undef X
        LABEL_COUNT
};

static const char *const labels[] = {
#define X(id, label, text) label,
    BAG_INFO(X)
#undef X
};

static bool read_values(struct verify *v, struct verify_text ret_values[LABEL_COUNT])
{
    const struct verify_member *m = verify_find(v, BUNDLE_BAG_INFO);
    if (!m || m->size > VERIFY_TEXT_MAX)
        return false;
    struct scan s = {.at = (const char *)m->bytes, .end = (const char *)m->bytes + m->size};
    for (size_t i = 0; i < LABEL_COUNT; i++) {
        scan_literal(&s, labels[i]);
        scan_literal(&s, ": ");
        ret_values[i] = scan_until(&s, '\n');
        if (s.failed) {
            verify_fault(v, VERIFY_BAG, "%s: %s is missing or out of place", BUNDLE_BAG_INFO,
                         labels[i]);
            return false;
        }
    }
    if (!scan_done(&s))
        verify_fault(v, VERIFY_BAG, "%s: more than the known labels", BUNDLE_BAG_INFO);
    return true;
}

static void expect_value(struct verify *v, const struct verify_text *values, enum label label,
                         const char *expected)
{
    struct verify_shown shown;
    if (!verify_text_is(values[label], expected))
        verify_fault(v, VERIFY_BAG, "%s: %s is %s, not %s", BUNDLE_BAG_INFO, labels[label],
                     verify_escape(values[label].at, values[label].size, &shown), expected);
}

/* The values that the archive itself settles. */
static void check_values(struct verify *v, const struct verify_text *values)
{
    uint64_t bytes = 0, files = 0;
    for (size_t i = verify_first_under(v, "data/"); i < v->member_count; i++, files++) {
        if (!verify_starts(v->members[i].name, "data/"))
            break;
        bytes += v->members[i].size;
    }
    char text[2 * VERIFY_REASON_MAX];
    snprintf(text, sizeof text, "%llu.%llu", (unsigned long long)bytes, (unsigned long long)files);
    expect_value(v, values, LABEL_OXUM, text);
    expect_value(v, values, LABEL_ID, v->report->folder);
    snprintf(text, sizeof text, "%d", FORMAT_VERSION);
    expect_value(v, values, LABEL_FORMAT, text);
    expect_value(v, values, LABEL_DISCLOSURE, "full");
    time_t when = (time_t)v->mtime;
    struct tm tm = {.tm_sec = 0};
    gmtime_r(&when, &tm);
    strftime(text, sizeof text, "%Y-%m-%d", &tm);
    expect_value(v, values, LABEL_DATE, text);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    expect_value(v, values, LABEL_TIME, text);
    struct scan agent = scan_over(values[LABEL_AGENT]);
    scan_literal(&agent, "dnsbailiff ");
    for (; !agent.failed && agent.at < agent.end; agent.at++)
        if (*agent.at <= ' ' || *agent.at > '~')
            agent.failed = true;
    if (!scan_done(&agent))
        verify_fault(v, VERIFY_BAG, "%s: %s is another program", BUNDLE_BAG_INFO,
                     labels[LABEL_AGENT]);
}

/* <id> = dnsbailiff-<sensor>-<time>-<root>: time and root are in bag-info too. */
static void check_folder(struct verify *v, const struct verify_text *values)
{
    uint8_t root[HASH_BYTES];
    if (!verify_base64(values[LABEL_ROOT], root, sizeof root)) {
        verify_fault(v, VERIFY_BAG, "%s: %s is no hash", BUNDLE_BAG_INFO, labels[LABEL_ROOT]);
        return;
    }
    time_t when = (time_t)v->mtime;
    struct tm tm = {.tm_sec = 0};
    gmtime_r(&when, &tm);
    char tail[64], hex[9];
    verify_hex(root, 4, hex);
    size_t size = strftime(tail, sizeof tail, "-%Y%m%dt%H%M%Sz-", &tm);
    snprintf(tail + size, sizeof tail - size, "%s", hex);
    size_t folder = strlen(v->report->folder);
    if (!verify_starts(v->report->folder, BUNDLE_PREFIX) || folder <= strlen(tail) ||
        strcmp(v->report->folder + folder - strlen(tail), tail) != 0)
        verify_fault(v, VERIFY_BAG, "the folder is not named for its time and root: *-%s",
                     tail + 1);
}

static int64_t number_of(struct verify *v, const struct verify_text *values, enum label label)
{
    struct scan s = scan_over(values[label]);
    uint64_t number = scan_number(&s);
    if (!scan_done(&s))
        verify_fault(v, VERIFY_BAG, "%s: %s is no number", BUNDLE_BAG_INFO, labels[label]);
    return (int64_t)number;
}

bool verify_bag_check(struct verify *v, struct verify_bag *ret_bag)
{
    check_manifests(v);
    if (verify_must_stop(v))
        return false;
    check_names(v);
    struct verify_text values[LABEL_COUNT];
    if (!read_values(v, values)) {
        verify_fault(v, VERIFY_BAG, "%s cannot be read", BUNDLE_BAG_INFO);
        return false;
    }
    check_values(v, values);
    check_folder(v, values);
    struct verify_bag bag = {
        .origin = values[LABEL_ORIGIN],
        .log_root = values[LABEL_ROOT],
        .log_size = (uint64_t)number_of(v, values, LABEL_SIZE),
        .sealed_at = v->mtime,
        .verify_epoch = number_of(v, values, LABEL_EPOCH),
        .ephemeral = verify_text_is(values[LABEL_SEAL], "ephemeral"),
    };
    if (!bag.ephemeral)
        expect_value(v, values, LABEL_SEAL, "certified");
    verify_passed(v, VERIFY_BAG, "files, sizes and names as BagIt 1.0 and format %d say",
                  FORMAT_VERSION);
    *ret_bag = bag;
    return true;
}
