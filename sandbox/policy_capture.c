/*
 * policy of capture: reads one packet socket or capture files, writes the frame ring (memory).
 *
 * It parses hostile files (libarchive's filters, pcap, pcapng). It cannot open anything, and it can
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
    ALLOW(readv),
    ALLOW(fadvise64),
    /* fstat as glibc makes it */
    ALLOW_ARG(newfstatat, 3, AT_EMPTY_PATH),
    /* live: frames, drop counters, the reason of a POLLERR, whether the interface is still up */
    ALLOW(recvfrom),
    ALLOW(recvmsg),
    ALLOW_ARG(getsockopt, 1, SOL_PACKET),
    ALLOW_ARG(getsockopt, 1, SOL_SOCKET),
    ALLOW_ARG(ioctl, 1, SIOCGIFFLAGS),
    /* libpcap's statistics look into /sys, libarchive for character sets: both do without */
    REFUSE(openat, EACCES),
};

const struct policy policy_of_this_process = {
    .process = PROCESS_capture,
    .name = "capture",
    POLICY_RULES(rules),
    .descriptors = 64,
};
