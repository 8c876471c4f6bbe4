/*
 * policy of capture: reads one packet socket or capture files, writes the frame ring (memory).
 *
 * It parses hostile files (gzip, xz, zstd, lz4, pcap, pcapng). It cannot open anything, and it can
 * write to nothing but log, control and wake-ups; so it cannot transmit: writing to a packet
 * socket, or sending in any other way, is not in the table.
 */
#include <fcntl.h>
#include <linux/if_packet.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "sandbox/fds.h"
#include "sandbox/policy.h"

static const struct policy_rule rules[] = {
    ALLOW_FD(write, FD_WAKE_ANALYZE),
    ALLOW_FD(write, FD_WAKE_STORE),
    ALLOW(pread64),
    /* fstat as glibc makes it */
    ALLOW_ARG(newfstatat, 3, AT_EMPTY_PATH),
    /* live: drop counters; when the interface went down, libpcap asks why: the reason of a POLLERR
     * (a peek), what the socket is bound to, whether the interface is still there and up */
    ALLOW(recvfrom),
    ALLOW(getsockname),
    ALLOW_ARG(getsockopt, 1, SOL_PACKET),
    ALLOW_ARG(getsockopt, 1, SOL_SOCKET),
    ALLOW_ARG(ioctl, 1, SIOCGIFFLAGS),
    /* libpcap looks into /sys and /proc when an interface goes away: it does without */
    REFUSE(openat, EACCES),
};

const struct policy policy_of_this_process = {
    .process = PROCESS_capture,
    .name = "capture",
    POLICY_RULES(rules),
    .descriptors = 64,
};
