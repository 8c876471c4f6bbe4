/*
 * givers: the servers that were seen to give what a finding is about, and still do as far as known.
 *
 * Contained in: analyze, tests. Private to the table (finding.c, entry.c). What one server gives is
 * refuted by what the same server gives later, not by what another does: servers of one zone
 * differ, which may be the very deviation; or by what another gives, once it has the same version
 * of the zone. Who was silent for GIVERS_LAPSE is left out of account when another server is seen
 * to be in order: nobody waits for a server that is gone.
 */
#ifndef RULES_GIVERS_H
#define RULES_GIVERS_H

#include "rules/catalogue.h"

#include <stddef.h>
#include <stdint.h>

#define GIVERS_MAX   16 /* of one finding; of more the longest silent gives way */
#define GIVERS_LAPSE (INT64_C(3600) * 1000000000)

/* Whom it takes to refute a finding: RULES says what it is about. */
enum givers_kind {
    GIVERS_UNTRACKED, /* whoever gives the contrary */
    GIVERS_ANEW, /* whoever gives something new to the contrary; by what was seen before, who gave
                   it: zones are signed at one place, and servers follow */
    GIVERS_ALONE /* who gave it */
};

enum givers_kind givers_kind(enum rule_id);

struct giver {
    uint8_t family, address[16];
    int64_t last_ns;
};

struct givers {
    struct giver *giver; /* malloc'd; NULL: none */
    size_t count;
};

void givers_fini(struct givers *);
/* The server's bit, 0 if it is not among them. */
uint32_t givers_bit(const struct givers *, uint8_t family, const uint8_t address[16]);
/* The same, made if it is not there. *ret_lost: the bit of one that gave way to it, or 0. */
uint32_t givers_note(struct givers *, uint8_t family, const uint8_t address[16], int64_t time_ns,
                     uint32_t *ret_lost);
/* The same, if it gave nothing of it since then. */
uint32_t givers_before(const struct givers *, uint8_t family, const uint8_t address[16],
                       int64_t since_ns);
/* The bits of those that gave nothing of it for so long. */
uint32_t givers_lapsed(const struct givers *, int64_t now_ns);

#endif
