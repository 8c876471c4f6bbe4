/*
 * test_table: entries by key, the oldest gives way; against a plain list in a long random run.
 */
#include "analyze/decode/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct entry {
    uint32_t key, value;
};

static uint32_t gone[10000];
static size_t gone_count;

static void give_way(void *context, void *entry)
{
    assert_ptr_equal(context, gone);
    gone[gone_count++ % 10000] = ((struct entry *)entry)->value;
}

static struct entry *insert(struct table *t, uint32_t key, uint32_t value)
{
    struct entry *e = table_insert(t, &key);
    assert_int_equal(e->key, key);
    e->value = value;
    return e;
}

static void order(void **state)
{
    (void)state;
    uint32_t key = 1;
    struct table *t = table_new(3, sizeof(struct entry), sizeof(uint32_t), give_way, gone);
    gone_count = 0;
    assert_null(table_oldest(t));
    assert_null(table_find(t, &key));
    struct entry *first = insert(t, 1, 10);
    insert(t, 1, 11); /* the same key twice */
    insert(t, 2, 20);
    struct entry *e = table_find(t, &key);
    assert_int_equal(e->value, 11);
    e = table_find_next(t, e);
    assert_ptr_equal(e, first);
    assert_null(table_find_next(t, e));
    assert_ptr_equal(table_oldest(t), first);
    table_touch(t, first); /* order now 11, 20, 10 */
    insert(t, 3, 30);
    assert_int_equal(gone_count, 1);
    assert_int_equal(gone[0], 11);
    assert_int_equal(table_count(t), 3);
    assert_int_equal(((struct entry *)table_oldest(t))->value, 20);
    assert_ptr_equal(table_newer(t, table_oldest(t)), first);
    table_remove(t, first);
    assert_null(table_find(t, &key));
    insert(t, 4, 40); /* takes the removed place: nobody gives way */
    assert_int_equal(gone_count, 1);
    assert_int_equal(table_count(t), 3);
    table_free(t);
    table_free(NULL);
}

static void random_run(void **state)
{
    (void)state;
    enum { CAPACITY = 50, KEYS = 80 };
    struct entry list[CAPACITY + 1]; /* oldest first */
    size_t count = 0;
    struct table *t = table_new(CAPACITY, sizeof(struct entry), sizeof(uint32_t), NULL, NULL);
    srand(5);
    for (uint32_t round = 0; round < 100000; round++) {
        uint32_t key = (uint32_t)rand() % KEYS;
        struct entry *e = table_find(t, &key);
        size_t at = count;
        while (at > 0 && list[at - 1].key != key)
            at--;
        assert_int_equal(e != NULL, at > 0);
        if (!e) {
            insert(t, key, round);
            if (count == CAPACITY)
                memmove(list, list + 1, --count * sizeof(*list));
            list[count++] = (struct entry){key, round};
            continue;
        }
        struct entry found = list[--at];
        assert_int_equal(e->value, found.value);
        memmove(list + at, list + at + 1, (--count - at) * sizeof(*list));
        if (rand() % 2) {
            table_remove(t, e);
        } else {
            table_touch(t, e);
            list[count++] = found;
        }
        assert_int_equal(table_count(t), count);
        if (count > 0)
            assert_int_equal(((struct entry *)table_oldest(t))->value, list[0].value);
    }
    table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(order), cmocka_unit_test(random_run)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
