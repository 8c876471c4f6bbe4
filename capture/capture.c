/*
 * capture: the process that reads frames, from files or from live interfaces, and puts them into
 * the ring.
 *
 * Contained in: capture. Must never: transmit, open anything after confinement, decode a frame, or
 * end because of what a file or a packet says.
 */
#include "capture/filter.h"
#include "capture/live.h"
#include "capture/output.h"
#include "capture/replay.h"
#include "sandbox/confine.h"
#include "sandbox/control.h"
#include "sandbox/fds.h"
#include "sandbox/inputs.h"
#include "sandbox/log.h"
#include "sandbox/settings.h"

#include <pcap/pcap.h>
#include <string.h>
#include <unistd.h>

#define USAGE 2 /* exit status: the operator's mistake, already explained */

/* The operator's expression as text of our own, "" for none; at most what libpcap can hold. */
static const char *expression(const struct inputs *inputs, char *ret_text, size_t room)
{
    struct input in;
    size_t at = 0;
    ret_text[0] = '\0';
    if (inputs_next(inputs, INPUT_FILTER, &at, &in) == 1) {
        if (in.size >= room) {
            log_line(LOG_ERROR, "filter: longer than %zu bytes", room - 1);
            _exit(USAGE);
        }
        memcpy(ret_text, in.bytes, in.size);
        ret_text[in.size] = '\0';
    }
    return ret_text;
}

static void replay(const struct inputs *inputs, const char *wanted)
{
    char error[PCAP_ERRBUF_SIZE + 64], text[200];
    struct filter *filter = NULL;
    struct output out;
    if (wanted[0] && !(filter = filter_new(wanted, error, sizeof error))) {
        log_line(LOG_ERROR, "filter: %s", error);
        _exit(USAGE);
    }
    output_init(&out, false);
    struct replay *r = replay_new(inputs, filter);
    confine(PROCESS_capture);
    control_await_go();
    uint64_t damages = replay_run(r, &out, text, sizeof text);
    control_send(CONTROL_DONE, damages ? DONE_DAMAGED : DONE_OK, text);
}

static void live(const struct inputs *inputs, const char *wanted)
{
    char text[200];
    struct output out;
    output_init(&out, true);
    struct live *l = live_open(inputs, wanted);
    confine(PROCESS_capture);
    control_await_go();
    int failed = live_run(l, &out, text, sizeof text);
    control_send(CONTROL_DONE, failed ? DONE_DAMAGED : DONE_OK, text);
}

int main(void)
{
    static char wanted[65536];
    log_name("capture");
    const struct inputs *inputs = inputs_open(FD_INPUTS);
    (void)expression(inputs, wanted, sizeof wanted);
    if (inputs_settings(inputs)->live)
        live(inputs, wanted);
    else
        replay(inputs, wanted);
    return 0;
}
