/*
 * test_log: one line is one line, whatever is in it; escaping of names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/fds.h"
#include "sandbox/log.h"

/* What `say` writes to the log. */
static void capture(void (*say)(const char *), const char *text, char *ret_line, size_t room,
                    int *ret_status)
{
    int ends[2], saved = dup(FD_LOG);
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], FD_LOG);
        log_name("test");
        say(text);
        _exit(0);
    }
    close(ends[1]);
    close(saved);
    size_t at = 0;
    for (ssize_t n; at + 1 < room && (n = read(ends[0], ret_line + at, room - 1 - at)) > 0;)
        at += (size_t)n;
    ret_line[at] = '\0';
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void note(const char *text)
{
    log_line(LOG_NOTE, "%s", text);
}

static void die(const char *text)
{
    errno = ENOENT;
    log_die("%s: %m", text);
}

static void test_lines(void **state)
{
    (void)state;
    char line[4096], longer[3000];
    int status;
    capture(note, "where: what", line, sizeof line, &status);
    assert_string_equal(line, "dnsbailiff-test: where: what\n");
    assert_int_equal(status, 0);
    capture(die, "x", line, sizeof line, &status);
    assert_string_equal(line, "dnsbailiff-test: error: x: No such file or directory\n");
    assert_int_equal(status, 1);
    capture(note, "a\nb\033[2J\r\t\177c", line, sizeof line, &status);
    assert_string_equal(line, "dnsbailiff-test: a?b?[2J???c\n");
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    capture(note, longer, line, sizeof line, &status);
    assert_int_equal(strlen(line), 1023);
    assert_int_equal(line[1022], '\n');
}

struct escape {
    const char *bytes;
    size_t size, room;
    const char *text;
};

static const struct escape escapes[] = {
    {"abc", 3, 16, "abc"},   {"a b", 3, 16, "a\\032b"}, {"\0\377", 2, 16, "\\000\\255"},
    {"\\", 1, 16, "\\092"},  {"abc", 3, 3, "ab"},       {"a\n", 2, 5, "a"},
    {"a\n", 2, 6, "a\\010"}, {"abc", 3, 1, ""},         {"", 0, 1, ""},
};

static void test_escape(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
        const struct escape *e = &escapes[i];
        char *room = malloc(e->room); /* its end is guarded by the address sanitizer */
        assert_string_equal(log_escape(e->bytes, e->size, room, e->room), e->text);
        free(room);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_escape),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
