/*
 * algorithm: look-ups in the tables of algorithms and digests.
 *
 * Contained in: analyze, the `rules` command, tests. Must never say more than the tables.
 */
#include "rules/algorithm.h"

/* What must not be used for validation counts as unsupported, with or without --ignore-rfc8624, as
 * long as nothing of the kind is implemented. A row that breaks this needs the switch looked at. */
#define X(number, mnemonic, checked, signing, validation, reference)                               \
    _Static_assert(!(checked) || ADVICE_##validation != ADVICE_MUST_NOT, mnemonic);
ALGORITHMS(X)
#undef X
#define X(number, mnemonic, bytes, checked, signing, validation, reference)                        \
    _Static_assert(!(checked) || ADVICE_##validation != ADVICE_MUST_NOT, mnemonic);
DIGESTS(X)
#undef X

static const struct algorithm algorithms[] = {
#define X(number, mnemonic, checked, signing, validation, reference)                               \
    {number, mnemonic, 0, checked, ADVICE_##signing, ADVICE_##validation, reference},
    ALGORITHMS(X)
#undef X
};

static const struct algorithm digests[] = {
#define X(number, mnemonic, bytes, checked, signing, validation, reference)                        \
    {number, mnemonic, bytes, checked, ADVICE_##signing, ADVICE_##validation, reference},
    DIGESTS(X)
#undef X
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct algorithm *find(const struct algorithm *rows, size_t count, uint8_t number)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].number == number)
            return &rows[i];
    return NULL;
}

const struct algorithm *algorithm_find(uint8_t number)
{
    return find(algorithms, COUNT(algorithms), number);
}

const struct algorithm *algorithm_digest(uint8_t digest_type)
{
    return find(digests, COUNT(digests), digest_type);
}

const struct algorithm *algorithm_nth(size_t i)
{
    return i < COUNT(algorithms) ? &algorithms[i] : NULL;
}

const struct algorithm *algorithm_digest_nth(size_t i)
{
    return i < COUNT(digests) ? &digests[i] : NULL;
}

const char *algorithm_advice(enum advice advice)
{
    static const char *const texts[] = {
#define X(name, text) [ADVICE_##name] = text,
        ADVICES(X)
#undef X
    };
    return (size_t)advice < COUNT(texts) ? texts[advice] : texts[ADVICE_NONE];
}
