/*
 * measure: runs a command and says what it cost: the one clock of `make bench`.
 *
 * Contained in: bench. Writes "wall cpu rss status" to the file named first: seconds from fork to
 * the end, seconds of processor time and the largest resident set (KiB) of any single process among
 * the command and the children it waited for, exit status. The command's output is left alone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    struct timespec began, ended;
    struct rusage use;
    int status;
    if (argc < 3) {
        fprintf(stderr, "usage: measure RESULT COMMAND…\n");
        return 2;
    }
    clock_gettime(CLOCK_MONOTONIC, &began);
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        fprintf(stderr, "measure: %s: %s\n", argv[2], strerror(errno));
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("measure");
        return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    getrusage(RUSAGE_CHILDREN, &use);
    FILE *result = fopen(argv[1], "w");
    if (!result) {
        perror(argv[1]);
        return 1;
    }
    double wall =
        (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    fprintf(result, "%.6f %.6f %ld %d\n", wall, seconds(use.ru_utime) + seconds(use.ru_stime),
            use.ru_maxrss, code);
    return fclose(result) ? 1 : 0;
}
