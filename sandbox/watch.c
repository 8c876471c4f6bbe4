/*
 * watch: walls and clock, read from the kernel. Contained in: supervisor; runs confined.
 *
 * The clock: CLOCK_REALTIME minus CLOCK_BOOTTIME is constant but for slewing, which adjtime(3) does
 * by 500 ppm and chrony by at most 10 %, and for what sets the clock; a machine that slept is no
 * step. adjtimex(2) asks only: nobody here may set anything.
 */
#include "sandbox/watch.h"

#include "sandbox/files.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS INT64_C(1000000000)
/* The walls are read again so often. */
#define WALLS_NS (60 * SECOND_NS)
/* Between two looks, a second apart, slewing stays far below. */
#define STEP_NS (SECOND_NS / 2)
/* So long after the last step the clock counts as steady. */
#define STEADY_NS (600 * SECOND_NS)

void watch_init(struct watch *w)
{
    *w = (struct watch){.begun = false};
    for (int p = 0; p < PROCESS_COUNT; p++)
        w->status[p] = -1;
}

void watch_process(struct watch *w, enum process process, pid_t pid)
{
    char path[48];
    watch_ended(w, process);
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    w->status[process] = files_keep(open(path, O_RDONLY | O_CLOEXEC));
}

void watch_ended(struct watch *w, enum process process)
{
    if (w->status[process] >= 0)
        close(w->status[process]);
    w->status[process] = -1;
}

/* --- walls --- */

/* The number behind "\nNAME:\t"; false if the kernel shows none. */
static bool field(const char *status, const char *name, int base, uint64_t *ret_value)
{
    char wanted[32];
    int n = snprintf(wanted, sizeof wanted, "\n%s:", name);
    const char *at = strstr(status, wanted);
    if (at == NULL || n < 0)
        return false;
    *ret_value = strtoull(at + n, NULL, base);
    return true;
}

const char *watch_walls(const char *status, char *ret_why, size_t room)
{
    static const struct {
        const char *name;
        int base;
        uint64_t wanted;
    } fields[] = {{"NoNewPrivs", 10, 1}, {"Seccomp", 10, 2}, /* SECCOMP_MODE_FILTER */
                  {"CapInh", 16, 0},     {"CapPrm", 16, 0},  {"CapEff", 16, 0}, {"CapAmb", 16, 0}};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        uint64_t value;
        if (!field(status, fields[i].name, fields[i].base, &value))
            snprintf(ret_why, room, "the kernel does not show %s", fields[i].name);
        else if (value != fields[i].wanted)
            snprintf(ret_why, room,
                     fields[i].base == 16 ? "%s is %016" PRIx64 ", not %016" PRIx64
                                          : "%s is %" PRIu64 ", not %" PRIu64,
                     fields[i].name, value, fields[i].wanted);
        else
            continue;
        return ret_why;
    }
    return NULL;
}

/* False: it is gone, or a zombie, whose walls no longer matter. */
static bool read_status(int fd, char *ret_text, size_t room)
{
    ssize_t n = -1;
    if (lseek(fd, 0, SEEK_SET) == 0)
        n = read(fd, ret_text, room - 1);
    if (n <= 0)
        return false;
    ret_text[n] = '\0';
    return strstr(ret_text, "\nState:\tZ") == NULL && strstr(ret_text, "\nState:\tX") == NULL;
}

static void look_at_walls(struct watch *w, watch_on_condition *on_condition, void *context)
{
    static const char *const names[PROCESS_COUNT] = {
#define X(name) [PROCESS_##name] = #name,
        PROCESSES(X)
#undef X
    };
    char status[8192];
    for (int p = 0; p < PROCESS_COUNT; p++) {
        struct condition c = {.kind = CONDITION_WALLS};
        if (w->status[p] < 0 || !read_status(w->status[p], status, sizeof status))
            continue;
        bool wrong = watch_walls(status, c.how, sizeof c.how) != NULL;
        c.over = !wrong;
        snprintf(c.name, sizeof c.name, "%s", names[p]);
        if (wrong || w->wrong[p])
            on_condition(context, &c);
        w->wrong[p] = wrong;
    }
}

/* --- the clock --- */

static int64_t clock_ns(clockid_t id)
{
    struct timespec t = {0};
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

/* What the kernel does not say is not claimed. */
static bool runs_free(int64_t *ret_error_us)
{
    struct timex t = {.modes = 0};
    long state = syscall(SYS_adjtimex, &t);
    *ret_error_us = t.maxerror;
    return state >= 0 && (state == TIME_ERROR || (t.status & STA_UNSYNC));
}

static void tell_step(struct watch *w, watch_on_condition *on_condition, void *context)
{
    int64_t by = w->set_sum_ns < 0 ? -w->set_sum_ns : w->set_sum_ns;
    struct condition c = {.kind = CONDITION_CLOCK_SET, .part = (uint64_t)by / 1000000};
    snprintf(c.how, sizeof c.how, "%s by %" PRId64 ".%03" PRId64 " s",
             w->set_sum_ns < 0 ? "back" : "forward", by / SECOND_NS, by % SECOND_NS / 1000000);
    on_condition(context, &c);
}

void watch_clock(struct watch *w, int64_t boot_ns, int64_t wall_ns, bool is_free, int64_t error_us,
                 watch_on_condition *on_condition, void *context)
{
    int64_t offset = wall_ns - boot_ns, step = w->begun ? offset - w->offset_ns : 0;
    w->offset_ns = offset;
    if (step > STEP_NS || step < -STEP_NS) {
        w->set_sum_ns += step;
        w->set_ns = boot_ns;
        tell_step(w, on_condition, context);
    } else if (w->set_ns && boot_ns - w->set_ns >= STEADY_NS) {
        struct condition c = {.kind = CONDITION_CLOCK_SET, .over = 1};
        on_condition(context, &c);
        w->set_ns = w->set_sum_ns = 0;
    }
    struct condition c = {.kind = CONDITION_CLOCK_FREE, .over = !is_free};
    if (is_free && ++w->free_looks == 2) { /* not for a moment's doubt */
        c.part = error_us > 0 ? (uint64_t)error_us : 0;
        snprintf(c.how, sizeof c.how, "it may be wrong by %" PRId64 ".%03" PRId64 " s and more",
                 error_us / 1000000, error_us % 1000000 / 1000);
        on_condition(context, &c);
    } else if (!is_free && w->free_looks >= 2) {
        on_condition(context, &c);
    }
    if (!is_free)
        w->free_looks = 0;
}

void watch_look(struct watch *w, bool live, watch_on_condition *on_condition, void *context)
{
    int64_t boot = clock_ns(CLOCK_BOOTTIME), error_us = 0;
    if (w->begun && boot - w->looked_ns < (int64_t)WATCH_MS * 900000)
        return;
    if (!w->begun || boot - w->walls_ns >= WALLS_NS) {
        look_at_walls(w, on_condition, context);
        w->walls_ns = boot;
    }
    if (live) {
        bool is_free = runs_free(&error_us);
        watch_clock(w, boot, clock_ns(CLOCK_REALTIME), is_free, error_us, on_condition, context);
    }
    w->looked_ns = boot;
    w->begun = true;
}
