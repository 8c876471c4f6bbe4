/*
 * verify_state: what the parts of the verifier share while they check one bundle.
 *
 * Contained in: verify, tests. Only the verify_*.c files include it.
 */
#ifndef EVIDENCE_VERIFY_STATE_H
#define EVIDENCE_VERIFY_STATE_H

#include "evidence/verify.h"

/* Limits, each with its reason. A bundle beyond one of them fails; nothing is cut short silently.
 */
#define VERIFY_MEMBERS_MAX    ((size_t)1 << 20) /* two years of 64-second segments */
#define VERIFY_NAME_MAX       200               /* bytes of a member's name below the top folder */
#define VERIFY_TEXT_MAX       ((size_t)1 << 20) /* bytes of a small file: bag-info, key, checkpoint */
#define VERIFY_LINE_MAX       ((size_t)1 << 20)  /* bytes of a line of JSON: a channel message */
#define VERIFY_SIGNATURE_MAX  ((size_t)64 << 10) /* bytes of a CMS signature or a chain */
#define VERIFY_LOG_MAX        ((size_t)1 << 31)  /* records */
#define VERIFY_CITED_MAX      ((size_t)1 << 24)  /* frames cited by all findings */
#define VERIFY_JSON_DEPTH_MAX 8

/* One file of the bundle. */
struct verify_member {
    const char *name;     /* below the top folder, NUL-terminated; owned by the state */
    const uint8_t *bytes; /* borrowed from the bundle */
    size_t size;
    uint8_t sha256[32], sha512[64]; /* filled by verify_bag */
};

/* A view of bytes in the bundle. */
struct verify_text {
    const char *at;
    size_t size;
};

struct verify {
    const uint8_t *bytes; /* the tar */
    size_t size;
    const struct verify_options *options;
    struct verify_report *report;

    struct verify_member *members; /* in order of name */
    size_t member_count;
    char *names;   /* storage of the members' names */
    int64_t mtime; /* of every member, seconds since 1970 */
};

/* Notes a failure of the check; the first one's reason is kept, all are counted. Bytes of the
 * bundle must be given through verify_escape. */
void verify_fault(struct verify *, enum verify_check, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A doubt that is no failure; kept unless the check fails. */
void verify_doubt(struct verify *, enum verify_check, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The check was made to its end: passes unless a fault or doubt was noted. */
void verify_passed(struct verify *, enum verify_check, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Why the check was not made; ignored if it has an outcome already. */
void verify_skipped(struct verify *, enum verify_check, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool verify_has_failed(const struct verify *, enum verify_check);
/* True when the caller asked to stop at the first failure and there is one. */
bool verify_must_stop(const struct verify *);

/* The beginning of hostile text as printable ASCII and spaces, the rest as \ddd. The buffer is the
 * caller's. */
struct verify_shown {
    char text[4 * 160 + 4];
};
const char *verify_escape(const void *bytes, size_t size, struct verify_shown *ret_shown);

/* The member of exactly this name, or NULL. */
const struct verify_member *verify_find(const struct verify *, const char *name);
/* The first member whose name starts with `prefix`; members under one folder are neighbours.
 * Returns the index, or member_count. */
size_t verify_first_under(const struct verify *, const char *prefix);
bool verify_starts(const char *text, const char *prefix);

/* "1 file", "2 files" */
static inline const char *verify_s(uint64_t count)
{
    return count == 1 ? "" : "s";
}

#endif
