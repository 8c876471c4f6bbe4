/*
 * verdict: the texts of analyze/verdict.h.
 *
 * Contained in: analyze, tests.
 */
#include "analyze/verdict.h"

#include <stddef.h>

struct reason_row {
    const char *code;
    enum verdict_kind verdict;
    uint16_t ede;
    const char *rfc, *dnsviz, *text;
};

static const struct reason_row rows[] = {
#define X(name, code, verdict, ede, rfc, dnsviz, text)                                             \
    [REASON_##name] = {code, VERDICT_##verdict, ede, rfc, dnsviz, text},
    REASONS(X)
#undef X
};

const char *verdict_name(enum verdict_kind kind)
{
    static const char *const names[] = {
#define X(name, text, meaning) [VERDICT_##name] = text,
        VERDICTS(X)
#undef X
    };
    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "?";
}

static const struct reason_row *row(enum reason reason)
{
    return &rows[(unsigned)reason < REASON_COUNT ? reason : REASON_NONE];
}

enum verdict_kind reason_verdict(enum reason reason)
{
    return row(reason)->verdict;
}

const char *reason_code(enum reason reason)
{
    return row(reason)->code;
}

const char *reason_rfc(enum reason reason)
{
    return row(reason)->rfc;
}

const char *reason_dnsviz(enum reason reason)
{
    return row(reason)->dnsviz;
}

const char *reason_text(enum reason reason)
{
    return row(reason)->text;
}

uint16_t reason_ede(enum reason reason)
{
    return row(reason)->ede;
}
