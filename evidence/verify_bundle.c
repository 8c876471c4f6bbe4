/*
 * verify_bundle: the order in which a bundle is checked.
 *
 * Contained in: verify, tests. Must never: look at a payload before the seal over it was checked
 * and before its hash was compared: what fails early is the more hostile.
 */
#include "evidence/verify_bag.h"
#include "evidence/verify_log.h"
#include "evidence/verify_offer.h"
#include "evidence/verify_seal.h"
#include "evidence/verify_story.h"
#include "evidence/verify_tar.h"

#include <string.h>

static void check_log(struct verify *v, const struct verify_bag *bag)
{
    struct verify_story story;
    if (!verify_story_init(&story, v)) {
        verify_fault(v, VERIFY_LOG, "out of memory");
        return;
    }
    verify_log_check(v, bag, &story);
    /* A chain that breaks off says nothing about the files of what would have followed. */
    if (!verify_has_failed(v, VERIFY_LOG) && !verify_must_stop(v)) {
        verify_story_end(&story);
        if (v->options->offer)
            verify_offer_make(&story, v->options->offer);
    }
    verify_story_fini(&story);
}

static void check_all(struct verify *v)
{
    struct verify_bag bag;
    struct verify_signature seal;
    if (!verify_tar_read(v) || verify_must_stop(v))
        return;
    bool has_bag = verify_bag_check(v, &bag);
    if (verify_must_stop(v))
        return;
    bool has_seal = verify_seal_check(v, &seal);
    if (has_bag && has_seal && !verify_must_stop(v))
        verify_seal_identity(v, &bag, &seal);
    if (has_bag && !verify_must_stop(v))
        check_log(v, &bag);
    if (has_seal)
        verify_cms_fini(&seal);
}

enum verify_result verify_result_of(const struct verify_report *report, bool outside_anchor)
{
    /* Without these, nothing holds; each of them fails or is made to its end. */
    static const enum verify_check needed[] = {VERIFY_ARCHIVE, VERIFY_BAG,     VERIFY_MANIFESTS,
                                               VERIFY_SEAL,    VERIFY_LOG,     VERIFY_CHECKPOINTS,
                                               VERIFY_EPOCHS,  VERIFY_CAPTURE, VERIFY_COUNTERS,
                                               VERIFY_CLOCK,   VERIFY_FILES};
    for (size_t i = 0; i < VERIFY_CHECK_COUNT; i++)
        if (report->line[i].outcome == VERIFY_FAIL)
            return VERIFY_RESULT_FAILED;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (report->line[needed[i]].outcome == VERIFY_NOT_CHECKED)
            return VERIFY_RESULT_FAILED;
    return outside_anchor && report->line[VERIFY_IDENTITY].outcome == VERIFY_PASS
               ? VERIFY_RESULT_VERIFIED
               : VERIFY_RESULT_INTEGRITY_ONLY;
}

enum verify_result verify_bundle(const uint8_t *bytes, size_t size,
                                 const struct verify_options *options,
                                 struct verify_report *ret_report)
{
    memset(ret_report, 0, sizeof *ret_report);
    struct verify v = {.bytes = bytes, .size = size, .options = options, .report = ret_report};
    check_all(&v);
    verify_tar_fini(&v);
    for (size_t i = 0; i < VERIFY_CHECK_COUNT; i++)
        if (ret_report->line[i].outcome == VERIFY_NOT_CHECKED && !ret_report->line[i].reason[0])
            verify_skipped(&v, (enum verify_check)i,
                           i == VERIFY_VERDICTS ? "the analyser was not asked"
                                                : "nothing left to check it on");
    return verify_result_of(ret_report, options->ca != NULL);
}
