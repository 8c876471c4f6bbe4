/*
 * verify_pick: members by name.
 *
 * Contained in: report, tests. Must never: be asked before verify_bundle was.
 */
#include "evidence/verify_pick.h"

#include "evidence/verify_state.h"
#include "evidence/verify_tar.h"

bool verify_pick(const uint8_t *bundle, size_t size, struct verify_picked *list, size_t count)
{
    static const struct verify_options options = {.ca = NULL};
    struct verify_report ignored = {.log_size = 0};
    struct verify v = {.bytes = bundle, .size = size, .options = &options, .report = &ignored};
    bool read = verify_tar_read(&v);
    for (size_t i = 0; i < count; i++) {
        const struct verify_member *m = read ? verify_find(&v, list[i].name) : NULL;
        list[i].bytes = m ? m->bytes : NULL;
        list[i].size = m ? m->size : 0;
    }
    verify_tar_fini(&v);
    return read;
}
