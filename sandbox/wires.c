/*
 * wires: sockets, pipes and shared memory between the processes; descriptor tables.
 *
 * Contained in: supervisor, before it confines itself.
 */
#include "sandbox/wires.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/fds.h"
#include "sandbox/files.h"
#include "sandbox/log.h"

#define STREAM_BYTES (1 << 20)           /* pipe from digest to capture */
#define SLACK        ((uint64_t)1 << 30) /* of address space: program, libraries, stacks, buffers */
#define THREADS      ((uint64_t)8 * 192 << 20) /* stacks and malloc's arenas of analyze's threads */

static void socket_pair(int type, int ret_pair[2])
{
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ret_pair))
        log_die("socketpair: %m");
    for (int i = 0; i < 2; i++)
        ret_pair[i] = files_keep(ret_pair[i]);
}

static void keep_ring(struct ring_fds *f)
{
    int *const all[] = {&f->data,    &f->data_ro, &f->head,       &f->head_ro,
                        &f->tail[0], &f->tail[1], &f->tail_ro[0], &f->tail_ro[1],
                        &f->wake[0], &f->wake[1], &f->wake[2]};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        *all[i] = files_keep(*all[i]);
}

const struct progress *wires_make(const struct session *session, struct wires *ret_wires)
{
    const struct options *o = session->options;
    struct wires *w = ret_wires;
    memset(w, 0xff, sizeof *w); /* every descriptor -1 */
    socket_pair(SOCK_STREAM, w->sign);
    if (o->command == COMMAND_PACK)
        return NULL;
    if (ring_create((size_t)o->settings.ring_bytes, &w->ring))
        log_die("ring: %m");
    keep_ring(&w->ring);
    socket_pair(SOCK_STREAM, w->results);
    if (session_keeps_history(session)) {
        socket_pair(SOCK_STREAM, w->history);
        socket_pair(SOCK_SEQPACKET, w->handover);
        if (fcntl(w->history[0], F_SETFL, O_NONBLOCK)) /* analyze never waits for it */
            log_die("history: %m");
    }
    w->progress = files_keep(memfd_create("dnsbailiff-progress", MFD_CLOEXEC));
    if (w->progress < 0 || ftruncate(w->progress, sizeof(struct progress)))
        log_die("progress: %m");
    void *page = mmap(NULL, sizeof(struct progress), PROT_READ, MAP_SHARED, w->progress, 0);
    if (page == MAP_FAILED)
        log_die("progress: %m");
    if (o->command == COMMAND_CAPTURE)
        return page;
    socket_pair(SOCK_STREAM, w->digests);
    for (size_t i = 0; i < session->sources.count; i++) {
        if (!session->sources.items[i].stream)
            continue;
        if (pipe2(w->forward, O_CLOEXEC))
            log_die("pipe: %m");
        for (int end = 0; end < 2; end++)
            w->forward[end] = files_keep(w->forward[end]);
        fcntl(w->forward[1], F_SETPIPE_SZ, STREAM_BYTES); /* larger is only faster */
    }
    return page;
}

void wires_close(struct wires *w)
{
    int *fds = (int *)(void *)w;
    for (size_t i = 0; i < sizeof *w / sizeof(int); i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

_Static_assert(sizeof(struct wires) % sizeof(int) == 0, "wires_close sees it as descriptors");

/* --- the tables: what each process is born with ---------------------------------------------- */

/* The rows of one process besides log, control and sources; -1 descriptors are left out by spawn.
 */
size_t wires_rows(const struct wires *w, const struct session *session, enum process process,
                  struct spawn_row rows[WIRES_ROWS])
{
    const struct ring_fds *f = &w->ring;
    const struct spawn_row capture[] = {{FD_INPUTS, session->inputs},
                                        {FD_RING, f->data},
                                        {FD_RING_HEAD, f->head},
                                        {FD_TAIL_ANALYZE, f->tail_ro[RING_ANALYZE]},
                                        {FD_TAIL_STORE, f->tail_ro[RING_STORE]},
                                        {FD_WAKE_CAPTURE, f->wake[0]},
                                        {FD_WAKE_ANALYZE, f->wake[1]},
                                        {FD_WAKE_STORE, f->wake[2]},
                                        {FD_PROGRESS, w->progress},
                                        {FD_FORWARD, w->forward[0]}};
    const struct spawn_row analyze[] = {{FD_INPUTS, session->inputs},
                                        {FD_RING, f->data_ro},
                                        {FD_RING_HEAD, f->head_ro},
                                        {FD_TAIL_ANALYZE, f->tail[RING_ANALYZE]},
                                        {FD_TAIL_STORE, f->tail_ro[RING_STORE]},
                                        {FD_WAKE_CAPTURE, f->wake[0]},
                                        {FD_WAKE_ANALYZE, f->wake[1]},
                                        {FD_WAKE_STORE, f->wake[2]},
                                        {FD_RESULTS, w->results[0]},
                                        {FD_HISTORY, w->history[0]}};
    const struct spawn_row store[] = {{FD_INPUTS, session->inputs},
                                      {FD_RING, f->data_ro},
                                      {FD_RING_HEAD, f->head_ro},
                                      {FD_TAIL_ANALYZE, f->tail_ro[RING_ANALYZE]},
                                      {FD_TAIL_STORE, f->tail[RING_STORE]},
                                      {FD_WAKE_CAPTURE, f->wake[0]},
                                      {FD_WAKE_STORE, f->wake[2]},
                                      {FD_RESULTS, w->results[1]},
                                      {FD_SIGN, w->sign[0]},
                                      {FD_DIGESTS, w->digests[1]},
                                      {FD_HANDOVER, w->handover[0]},
                                      {FD_EVIDENCE, session->place->evidence}};
    const struct spawn_row sign[] = {
        {FD_INPUTS, session->inputs}, {FD_SIGN, w->sign[1]}, {FD_IDENTITY, session->identity}};
    const struct spawn_row digest[] = {
        {FD_INPUTS, session->inputs}, {FD_DIGESTS, w->digests[0]}, {FD_FORWARD, w->forward[1]}};
    const struct spawn_row pack[] = {{FD_INPUTS, session->inputs},
                                     {FD_SIGN, w->sign[0]},
                                     {FD_EVIDENCE, session->place->evidence},
                                     {FD_BUNDLE, session->place->bundle}};
    const struct spawn_row history[] = {
        {FD_INPUTS, session->inputs}, {FD_HISTORY, w->history[1]}, {FD_HANDOVER, w->handover[1]}};
#define TABLE(name)                                                                                \
    case PROCESS_##name:                                                                           \
        memcpy(rows, name, sizeof name);                                                           \
        return sizeof name / sizeof name[0]
    switch (process) {
        TABLE(capture);
        TABLE(analyze);
        TABLE(store);
        TABLE(sign);
        TABLE(digest);
        TABLE(pack);
        TABLE(history);
    default:
        return 0;
    }
}

/* Whether the process reads source files. */
static bool reads_sources(const struct session *session, enum process process)
{
    return process == PROCESS_capture || process == PROCESS_digest ||
           (process == PROCESS_pack && session->options->settings.include_source);
}

/* Adds the sources, each as a description of its own, so that no two processes share an offset. A
 * stream cannot be reopened: digest reads it, capture gets it through the pipe, pack not at all. */
size_t wires_sources(const struct session *session, enum process process, struct spawn_row *rows)
{
    const struct sources *sources = &session->sources;
    size_t count = 0;
    for (size_t i = 0; reads_sources(session, process) && i < sources->count; i++) {
        const struct source *s = &sources->items[i];
        if (s->stream && process != PROCESS_digest)
            continue;
        int fd = s->stream ? s->fd : files_reopen(s->fd);
        if (fd < 0)
            log_die("%s: %m", s->path);
        rows[count++] = (struct spawn_row){FD_SOURCES + (int)i, fd};
    }
    return count;
}

/* Address space is bounded by what the settings promise, so that "flat memory" is the kernel's
 * promise too. The sanitizers reserve terabytes. */
uint64_t wires_address_space(const struct session *session, enum process process)
{
#ifdef DNSBAILIFF_SANITIZED
    (void)session;
    (void)process;
    return 0;
#else
    const struct settings *s = &session->options->settings;
    struct stat st;
    uint64_t inputs = fstat(session->inputs, &st) ? 0 : (uint64_t)st.st_size;
    switch (process) {
    case PROCESS_analyze: /* parsed zone files are larger than their text */
        return SLACK + THREADS + s->ring_bytes + s->memory_bytes + 16 * inputs;
    case PROCESS_capture:
        return SLACK + s->ring_bytes + inputs;
    case PROCESS_store:
        return 2 * SLACK + s->ring_bytes + inputs;
    default:
        return 2 * SLACK + inputs;
    }
#endif
}
