/*
 * test_inputs: what was written comes back; what is not sealed or not well formed ends the reader.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/fds.h"
#include "sandbox/inputs.h"
#include "sandbox/settings.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

static int sample(void)
{
    struct settings s;
    struct inputs_writer *w = inputs_new();
    settings_default(&s);
    s.snaplen = 1234;
    assert_non_null(w);
    assert_int_equal(inputs_add(w, INPUT_ANCHOR, "a", "first", 5), 0);
    assert_int_equal(inputs_add(w, INPUT_SETTINGS, "", &s, sizeof s), 0);
    assert_int_equal(inputs_add(w, INPUT_FILTER, "", "", 0), 0);
    assert_int_equal(inputs_add(w, INPUT_ANCHOR, "longer-name", "second one", 10), 0);
    return inputs_seal(w);
}

static void test_comes_back(void **state)
{
    (void)state;
    int fd = sample();
    struct inputs *in = inputs_open(fd);
    struct input item;
    size_t at = 0;
    assert_int_equal(inputs_settings(in)->snaplen, 1234);
    assert_int_equal(inputs_next(in, INPUT_ANCHOR, &at, &item), 1);
    assert_string_equal(item.name, "a");
    assert_int_equal(item.size, 5);
    assert_memory_equal(item.bytes, "first", 5);
    assert_int_equal((uintptr_t)item.bytes % 8, 0);
    assert_int_equal(inputs_next(in, INPUT_ANCHOR, &at, &item), 1);
    assert_string_equal(item.name, "longer-name");
    assert_memory_equal(item.bytes, "second one", 10);
    assert_int_equal(inputs_next(in, INPUT_ANCHOR, &at, &item), 0);
    assert_int_equal(inputs_next(in, INPUT_ANCHOR, &at, &item), 0);
    at = 0;
    assert_int_equal(inputs_next(in, INPUT_FILTER, &at, &item), 1);
    assert_int_equal(item.size, 0);
    at = 0;
    assert_int_equal(inputs_next(in, INPUT_PROFILE, &at, &item), 0);
    assert_int_equal(write(fd, "x", 1), -1); /* sealed */
    free(in);
    close(fd);
}

/* The exit status of a reader of these bytes. */
static int opened(const uint8_t *bytes, size_t size, int seals)
{
    int fd = memfd_create("test", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(open("/dev/null", O_WRONLY), FD_LOG);
        struct inputs *in = inputs_open(fd);
        struct input item;
        for (int kind = 0; kind < INPUT_KIND_COUNT; kind++)
            for (size_t at = 0; inputs_next(in, (enum input_kind)kind, &at, &item);)
                if (strlen(item.name) > 4096)
                    _exit(3);
        _exit(inputs_settings(in) ? 0 : 4);
    }
    int status;
    waitpid(pid, &status, 0);
    close(fd);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Cut anywhere, or with any byte of a header wrong: refused or harmless, never a crash. */
static void test_damage(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    int fd = sample();
    ssize_t n = pread(fd, bytes, sizeof bytes, 0);
    assert_in_range(n, 100, sizeof bytes - 1);
    size_t size = (size_t)n;
    close(fd);
    assert_int_equal(opened(bytes, size, SEALS), 0);
    assert_int_equal(opened(bytes, size, F_SEAL_WRITE | F_SEAL_SHRINK), 1);
    assert_int_equal(opened(bytes, size, SEALS & ~F_SEAL_WRITE), 1);
    for (size_t cut = 0; cut < size; cut += 8)
        assert_int_equal(opened(bytes, cut, SEALS), 1);
    for (size_t i = 0; i < 80; i++) {
        bytes[i] ^= 0xff;
        assert_in_range(opened(bytes, size, SEALS), 0, 1);
        bytes[i] ^= 0xff;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_back),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests_name("inputs", tests, NULL, NULL);
}
