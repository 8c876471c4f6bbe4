/*
 * verify_map: files as bytes. Contained in: verify, explain, report, lookup. Must never: open
 * anything but a plain file.
 */
#include "evidence/verify_map.h"

#include "sandbox/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int verify_map_open(const char *path, struct stat *ret_status)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd >= 0 && (fstat(fd, ret_status) < 0 || !S_ISREG(ret_status->st_mode))) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    return fd;
}

int verify_map_read(const char *path, struct verify_map *ret_map)
{
    static const uint8_t nothing[1];
    struct stat status;
    int fd = verify_map_open(path, &status);
    if (fd < 0)
        return -errno;
    struct verify_map mapping = {.bytes = nothing, .size = (size_t)status.st_size};
    if (mapping.size > 0) {
        void *map = mmap(NULL, mapping.size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED) {
            int error = errno;
            close(fd);
            return -error;
        }
        mapping.bytes = map;
    }
    close(fd);
    *ret_map = mapping;
    return 0;
}

struct verify_map verify_map_must(const char *path, int status)
{
    char shown[512];
    struct verify_map mapping;
    int error = verify_map_read(path, &mapping);
    if (error == 0)
        return mapping;
    log_line(LOG_ERROR, "%s: %s", log_escape(path, strlen(path), shown, sizeof shown),
             error == -EINVAL ? "not a plain file" : strerror(-error));
    exit(status);
}
