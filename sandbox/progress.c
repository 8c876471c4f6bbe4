/*
 * progress: bytes, frames, rate, time left.
 *
 * Contained in: supervisor; runs confined.
 */
#include "sandbox/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "sandbox/fds.h"

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void put(const char *text, size_t size)
{
    ssize_t n = write(FD_LOG, text, size);
    (void)n; /* the terminal is gone: no progress, no harm */
}

void progress_start(struct progress_line *ret_line, bool wanted)
{
    *ret_line = (struct progress_line){.on = wanted && isatty(FD_LOG), .started_ns = now_ns()};
    ret_line->rate_since_ns = ret_line->started_ns;
}

const char *progress_bytes(uint64_t bytes, char *ret_text, unsigned room)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 999.5 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1000;
        unit++;
    }
    snprintf(ret_text, room, unit && value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return ret_text;
}

static void update_rate(struct progress_line *line, uint64_t frames)
{
    int64_t now = now_ns();
    double seconds = (double)(now - line->rate_since_ns) / 1e9;
    if (seconds < 0.15 || frames < line->rate_from)
        return;
    double current = (double)(frames - line->rate_from) / seconds;
    line->rate = line->rate > 0 ? 0.7 * line->rate + 0.3 * current : current;
    line->rate_since_ns = now;
    line->rate_from = frames;
}

void progress_show(struct progress_line *line, const struct progress *p)
{
    char text[256], done[16], total[16], left[48] = "";
    if (!line->on)
        return;
    uint64_t bytes = __atomic_load_n(&p->bytes_done, __ATOMIC_RELAXED);
    uint64_t all = __atomic_load_n(&p->bytes_total, __ATOMIC_RELAXED);
    uint64_t frames = __atomic_load_n(&p->frames, __ATOMIC_RELAXED);
    update_rate(line, frames);
    double elapsed = (double)(now_ns() - line->started_ns) / 1e9;
    if (all && bytes && bytes <= all && elapsed > 1) {
        double seconds = elapsed * (double)(all - bytes) / (double)bytes;
        if (seconds < 360000)
            snprintf(left, sizeof left, ", %d:%02d:%02d left", (int)seconds / 3600,
                     (int)seconds / 60 % 60, (int)seconds % 60);
    }
    int n = snprintf(text, sizeof text, "\r%s%s%s, %llu frames, %.0f frames/s%s\033[K",
                     progress_bytes(bytes, done, sizeof done), all ? " of " : "",
                     all ? progress_bytes(all, total, sizeof total) : "",
                     (unsigned long long)frames, line->rate, left);
    if (n > 0)
        put(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
    line->shown = true;
}

void progress_clear(struct progress_line *line)
{
    static const char clear[] = "\r\033[K";
    if (line->shown)
        put(clear, sizeof clear - 1);
    line->shown = false;
}
