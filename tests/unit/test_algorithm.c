/* algorithm: the tables are in order, and the arithmetic agrees with what they say of it. */
#include "rules/algorithm.h"

#include "analyze/key.h"
#include "rules/catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka wants the four above before it */
#include <cmocka.h>

static void tables_are_in_order(void **state)
{
    const struct algorithm *row;
    int last = -1;
    (void)state;
    for (size_t i = 0; (row = algorithm_nth(i)) != NULL; last = row->number, i++) {
        assert_true(row->number > last);
        assert_ptr_equal(algorithm_find(row->number), row);
        assert_int_equal(key_algorithm_supported(row->number), row->checked);
        assert_memory_equal(row->reference, "RFC ", 4);
    }
    last = -1;
    for (size_t i = 0; (row = algorithm_digest_nth(i)) != NULL; last = row->number, i++) {
        assert_true(row->number > last);
        assert_ptr_equal(algorithm_digest(row->number), row);
        assert_int_equal(key_digest_size(row->number), row->checked ? row->bytes : 0);
    }
}

static void numbers_without_a_row(void **state)
{
    static const uint8_t algorithms[] = {4, 9, 11, 19, 22, 24, 251, 255};
    (void)state;
    for (size_t i = 0; i < sizeof algorithms; i++) {
        assert_null(algorithm_find(algorithms[i]));
        assert_false(key_algorithm_supported(algorithms[i]));
    }
    assert_null(algorithm_digest(7));
    assert_int_equal(key_digest_size(7), 0);
    assert_null(algorithm_digest(255));
}

/* What the project promises to check, whatever is advised for signing. */
static void what_is_checked(void **state)
{
    static const uint8_t checked[] = {5, 7, 8, 10, 13, 14, 15, 16}, digests[] = {1, 2, 4};
    size_t count = 0;
    (void)state;
    for (size_t i = 0; i < sizeof checked; i++)
        assert_true(algorithm_find(checked[i])->checked);
    for (size_t i = 0; algorithm_nth(i); i++)
        count += algorithm_nth(i)->checked;
    assert_int_equal(count, sizeof checked);
    for (size_t i = 0; i < sizeof digests; i++)
        assert_true(algorithm_digest(digests[i])->checked);
}

static void advice_as_iana_writes_it(void **state)
{
    (void)state;
    assert_string_equal(algorithm_advice(algorithm_find(5)->signing), "MUST NOT");
    assert_string_equal(algorithm_advice(algorithm_find(5)->validation), "RECOMMENDED");
    assert_string_equal(algorithm_advice(algorithm_find(10)->signing), "NOT RECOMMENDED");
    assert_string_equal(algorithm_advice(algorithm_find(12)->validation), "MUST NOT");
    assert_string_equal(algorithm_advice(algorithm_find(14)->signing), "MAY");
    assert_string_equal(algorithm_advice(algorithm_digest(1)->signing), "MUST NOT");
    assert_string_equal(algorithm_advice((enum advice)99), "-");
}

/* A finding is read years later: it has to say by which table. */
static void explanations_name_the_version(void **state)
{
    (void)state;
    assert_non_null(strstr(rule_text(RULE_KEY_WEAK)->meaning, ALGORITHM_VERSION));
    assert_non_null(strstr(rule_text(RULE_DS_WEAK)->meaning, DIGEST_VERSION));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_in_order),
        cmocka_unit_test(numbers_without_a_row),
        cmocka_unit_test(what_is_checked),
        cmocka_unit_test(advice_as_iana_writes_it),
        cmocka_unit_test(explanations_name_the_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
