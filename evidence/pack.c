/*
 * pack: the process that makes a sealed bundle of an evidence directory.
 *
 * Reads the evidence directory (read-only), writes the bundle's descriptor, asks sign for the seal.
 * The same directory gives the same bundle but for signatures/. It packs what the last checkpoint
 * covers, after recomputing that checkpoint's root: a log that is not what was signed is not
 * sealed.
 *
 * Must never: write into the evidence directory, or leave a bundle that is not whole (it dies, and
 * the supervisor removes what was written).
 */
#include "evidence/bag.h"
#include "evidence/format.h"
#include "evidence/hash.h"
#include "evidence/head.h"
#include "evidence/readme.h"
#include "evidence/text.h"
#include "sandbox/channel.h"
#include "sandbox/confine.h"
#include "sandbox/control.h"
#include "sandbox/fds.h"
#include "sandbox/inputs.h"
#include "sandbox/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct pack {
    struct channel *sign;
    struct inputs *inputs; /* NULL: no sources to include */
    struct bag *bag;
    struct head head;
    struct msg_certificates certificates;
    char *chain;
    size_t chain_size;
};

/* --- questions to sign ---------------------------------------------------------------------------
 */

static void ask(struct pack *p, enum message_type question, const void *bytes, size_t size,
                enum message_type expected, const uint8_t **ret_bytes, size_t *ret_size)
{
    enum message_type type;
    channel_send(p->sign, question, bytes, size, NULL, 0);
    channel_flush(p->sign);
    if (channel_receive(p->sign, true, &type, ret_bytes, ret_size) != 1 || type != expected)
        log_die("pack: sign does not answer");
}

static void *copy(const void *bytes, size_t size)
{
    void *p = malloc(size + 1);
    if (!p)
        log_die("pack: out of memory");
    memcpy(p, bytes, size);
    return p;
}

static void ask_chain(struct pack *p)
{
    const uint8_t *bytes;
    size_t size;
    ask(p, MSG_CHAIN, NULL, 0, MSG_CERTIFICATES, &bytes, &size);
    if (size <= sizeof p->certificates || size > sizeof p->certificates + CHAIN_MAX)
        log_die("pack: sign has no certificates");
    memcpy(&p->certificates, bytes, sizeof p->certificates);
    p->chain_size = size - sizeof p->certificates;
    p->chain = copy(bytes + sizeof p->certificates, p->chain_size);
}

static void sign_manifest(void *context, const char *tagmanifest, size_t size,
                          struct bag_signatures *ret_signatures)
{
    struct pack *p = context;
    const uint8_t *bytes;
    size_t seal_size;
    ask(p, MSG_SEAL, tagmanifest, size, MSG_SIGNATURE, &bytes, &seal_size);
    if (seal_size == 0 || seal_size > SEAL_MAX)
        log_die("pack: seal of %zu bytes", seal_size);
    *ret_signatures = (struct bag_signatures){.seal = copy(bytes, seal_size),
                                              .seal_size = seal_size,
                                              .chain = copy(p->chain, p->chain_size),
                                              .chain_size = p->chain_size};
}

/* --- payload -------------------------------------------------------------------------------------
 */

/* Single files of the evidence directory and where they go. */
static const struct single {
    const char *file, *member;
    bool needed;
} singles[] = {
    {FILE_EVE, BUNDLE_EVE, true},
    {FILE_FINDINGS, BUNDLE_FINDINGS, true},
    {FILE_INVENTORY, BUNDLE_INVENTORY, false},
    {FILE_REPORT, BUNDLE_REPORT, true},
    {FILE_HISTORY, BUNDLE_HISTORY, false},
    {FILE_LOSS, BUNDLE_LOSS, true},
    {FILE_SETTINGS, BUNDLE_SETTINGS, true},
    {FILE_SENSOR, BUNDLE_SENSOR, false},
    {FILE_CONFIG, BUNDLE_CONFIG, false},
    {FILE_PROFILE, BUNDLE_PROFILE, false},
    {FILE_CASE, BUNDLE_CASE, false},
    {FILE_CUSTODY, BUNDLE_CUSTODY, false},
    {FILE_KEY0, BUNDLE_KEY0, true},
    {FILE_KEY0_SIG, BUNDLE_KEY0_SIG, true},
};

/* Folders whose plain files all go in, but those that are still being written. */
static const struct folder {
    const char *dir, *member;
} folders[] = {
    {DIR_SEGMENTS, BUNDLE_CAPTURE},      {DIR_CHECKPOINTS, BUNDLE_CHECKPOINTS},
    {DIR_TIMESTAMPS, BUNDLE_TIMESTAMPS}, {DIR_BASELINE, BUNDLE_BASELINE},
    {DIR_ANCHORS, BUNDLE_ANCHORS},
};

/* A history with a journal beside it was never sealed: its run was cut short. */
static bool is_sealed(const struct single *s)
{
    return strcmp(s->file, FILE_HISTORY) != 0 ||
           faccessat(FD_EVIDENCE, FILE_HISTORY SUFFIX_WAL, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
}

static void add_single(struct pack *p, const struct single *s)
{
    struct stat st;
    if (!is_sealed(s))
        return;
    if (fstatat(FD_EVIDENCE, s->file, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno != ENOENT || s->needed)
            log_die("pack: %s: %m", s->file);
        return;
    }
    if (!S_ISREG(st.st_mode))
        log_die("pack: %s is not a plain file", s->file);
    bag_add_file(p->bag, s->member, FD_EVIDENCE, s->file, (uint64_t)st.st_size);
}

static bool is_unfinished(const char *name)
{
    size_t length = strlen(name), suffix = sizeof SUFFIX_PART - 1;
    return name[0] == '.' || (length > suffix && strcmp(name + length - suffix, SUFFIX_PART) == 0);
}

static void add_folder(struct pack *p, const struct folder *f)
{
    int fd = openat(FD_EVIDENCE, f->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return;
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    if (!list)
        log_die("pack: %s: %m", f->dir);
    for (struct dirent *e; (errno = 0, e = readdir(list)) != NULL;) {
        char file[512], member[512];
        struct stat st;
        if (is_unfinished(e->d_name))
            continue;
        if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
            log_die("pack: %s/%s is not a plain file", f->dir, e->d_name);
        (void)snprintf(file, sizeof file, "%s/%s", f->dir, e->d_name);
        (void)snprintf(member, sizeof member, "%s%s", f->member, e->d_name);
        bag_add_file(p->bag, member, FD_EVIDENCE, file, (uint64_t)st.st_size);
    }
    if (errno != 0)
        log_die("pack: %s: %m", f->dir);
    (void)closedir(list);
}

/* --include-source: the descriptors that the supervisor passed are those to include. */
static void add_sources(struct pack *p)
{
    struct input in;
    int index = 0;
    if (!p->inputs)
        return;
    for (size_t at = 0; inputs_next(p->inputs, INPUT_SOURCE, &at, &in) == 1; index++) {
        char base[NAME_MAX_KEPT + 1], member[NAME_MAX_KEPT + 64];
        struct stat st;
        if (fstat(FD_SOURCES + index, &st) != 0)
            continue;
        if (!S_ISREG(st.st_mode))
            log_die("pack: %s is a stream and cannot be included", in.name);
        text_member_name(in.name, base, sizeof base);
        (void)snprintf(member, sizeof member, BUNDLE_CAPTURE NAME_SOURCE, (unsigned)index, base);
        bag_add_file(p->bag, member, FD_SOURCES + index, NULL, (uint64_t)st.st_size);
    }
}

static void add_payload(struct pack *p)
{
    for (size_t i = 0; i < sizeof singles / sizeof singles[0]; i++)
        add_single(p, &singles[i]);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        add_folder(p, &folders[i]);
    /* Only as far as it was signed. */
    bag_add_file(p->bag, BUNDLE_LOG, FD_EVIDENCE, FILE_LOG, p->head.bytes);
    add_sources(p);
}

/* --- tag files -----------------------------------------------------------------------------------
 */

static int64_t seconds(int64_t ns)
{
    return ns / 1000000000 - (ns % 1000000000 < 0);
}

static void name_bundle(const struct pack *p, char *ret_id, size_t room)
{
    char sealed[TEXT_TIME_ROOM], root[TEXT_HEX_ROOM(4)];
    text_time_id(seconds(p->head.time_ns), sealed);
    text_hex(p->head.root, 4, root);
    (void)snprintf(ret_id, room, BUNDLE_PREFIX "%s-%s-%s", p->head.sensor, sealed, root);
}

static void add_tag_files(struct pack *p, const char *id)
{
    static char text[README_MAX];
    struct readme_facts f = {.id = id,
                             .origin = p->head.origin,
                             .log_size = p->head.size,
                             .sealed = seconds(p->head.time_ns),
                             .epoch = seconds(p->head.time_ns),
                             .ephemeral = p->certificates.ephemeral != 0};
    memcpy(f.log_root, p->head.root, sizeof f.log_root);
    /* An identity made after the run cannot be judged at a time when it did not exist. */
    if (p->certificates.not_before > f.epoch)
        f.epoch = p->certificates.not_before;
    bag_payload(p->bag, &f.payload_bytes, &f.payload_files);
    bag_add_bytes(p->bag, BUNDLE_BAGIT, BAGIT_TXT, sizeof BAGIT_TXT - 1);
    bag_add_bytes(p->bag, BUNDLE_BAG_INFO, text, readme_bag_info(&f, text));
    bag_add_bytes(p->bag, BUNDLE_README, text, readme_text(&f, text));
}

int main(void)
{
    static struct pack p;
    char id[160], why[160];
    log_name("pack");
    (void)signal(SIGPIPE, SIG_IGN);
    hash_free(hash_new(HASH_SHA512)); /* OpenSSL reads its configuration while it may */
    if (fcntl(FD_INPUTS, F_GETFD) >= 0)
        p.inputs = inputs_open(FD_INPUTS);
    if (!(p.sign = channel_new(FD_SIGN)))
        log_die("pack: %m");
    confine(PROCESS_pack);
    control_await_go();

    if (head_read(FD_EVIDENCE, &p.head, why, sizeof why) != 0)
        log_die("pack: %s", why);
    ask_chain(&p);
    p.bag = bag_new();
    add_payload(&p);
    name_bundle(&p, id, sizeof id);
    add_tag_files(&p, id);
    bag_write(p.bag, &(struct bag_options){.id = id,
                                           .mtime = seconds(p.head.time_ns),
                                           .out = FD_BUNDLE,
                                           .sign = sign_manifest,
                                           .context = &p});
    if (fsync(FD_BUNDLE) != 0)
        log_die("pack: %m");
    bag_free(p.bag);
    free(p.chain);
    channel_free(p.sign);
    control_send(CONTROL_DONE, DONE_OK, id);
    return 0;
}
