/*
 * fuzz_verify: the verifier on hostile bundles.
 *
 * Contained in: tests. The first byte says what the rest is: a whole archive; one of the verifier's
 * small texts; or, because hashes and seals would keep the fuzzer out, the content of one member of
 * an honest bundle that is then hashed and sealed again, as an insider could. Whatever the bytes
 * are, the verifier must come to an end; and an insider must not get a changed log past it.
 */
#include "evidence/format.h"
#include "evidence/verify.h"
#include "evidence/verify_checkpoint.h"
#include "evidence/verify_cms.h"
#include "evidence/verify_compare.h"
#include "evidence/verify_record.h"
#include "tests/evidence/forge_case.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct forge_identity identity;
static struct forge_case honest[2];
static char *authority;
static size_t authority_size;

static void prepare(void)
{
    static const struct forge_capture_plan plan = {.step_back = 0};
    identity = forge_identity_new("forge");
    authority = forge_pem(&identity, true, &authority_size);
    forge_case_replay(&honest[0], &identity);
    forge_case_capture(&honest[1], &identity, &plan);
}

static enum verify_result verify(const uint8_t *tar, size_t size)
{
    struct verify_report report;
    struct verify_options options = {.ca = authority, .ca_size = authority_size};
    return verify_bundle(tar, size, &options, &report);
}

/* Replaces member `index` by the bytes and seals everything again. */
static void as_insider(const struct forge *from, size_t index, const uint8_t *bytes, size_t size)
{
    const struct forge_file *old = &from->files[index % from->count];
    bool same = old->size == size && memcmp(old->bytes, bytes, size) == 0;
    bool logged = strncmp(old->name, "data/", 5) == 0;
    struct forge f = forge_copy(from);
    forge_put(&f, old->name, bytes, size);
    if (strcmp(old->name, BUNDLE_BAG_INFO) != 0 && logged) {
        forge_manifests(&f);
        forge_seal(&f, &identity);
    }
    size_t tar_size;
    uint8_t *tar = forge_tar(&f, true, &tar_size);
    if (verify(tar, tar_size) != VERIFY_RESULT_FAILED && logged && !same)
        abort();
    free(tar);
    forge_free(&f);
}

static void as_text(unsigned what, const uint8_t *bytes, size_t size)
{
    struct verify_text text = {.at = (const char *)bytes, .size = size};
    struct record record;
    struct verify_checkpoint checkpoint;
    struct verify_signature signature;
    struct verify_report report = {.log_size = 0};
    struct verify_replayed none = {.findings = NULL, .events = (char *)(uintptr_t)bytes};
    none.events_size = size;
    if (what == 0) {
        verify_record_read(text, &record);
    } else if (what == 1) {
        if (verify_checkpoint_read(bytes, size, &checkpoint))
            verify_checkpoint_signed(&checkpoint, checkpoint.root);
    } else if (what == 2) {
        if (!verify_cms_check(bytes, size, "x", 1, &signature))
            verify_cms_fini(&signature);
    } else {
        const struct verify_offer extract = {.is_whole = false}, all = {.is_whole = true};
        verify_compare_findings(bytes, size, &none, size & 1 ? &all : &extract, &report);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (!authority)
        prepare();
    if (size < 2)
        return 0;
    if (bytes[0] < 4)
        as_text(bytes[0], bytes + 1, size - 1);
    else if (bytes[0] < 8)
        verify(bytes + 1, size - 1);
    else
        as_insider(&honest[bytes[0] & 1].bundle, bytes[1], bytes + 2, size - 2);
    return 0;
}
