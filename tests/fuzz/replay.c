/*
 * replay: gives every file of the folders named to a fuzz target, without libFuzzer.
 *
 *   <target> FOLDER…        corpus and regress of the target
 *
 * Prints "N passed, 0 failed": what fails dies, after its name was printed.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END))
        return -1;
    long size = ftell(f);
    uint8_t *bytes = size < 0 ? NULL : malloc(size ? (size_t)size : 1);
    rewind(f);
    if (!bytes || fread(bytes, 1, (size_t)size, f) != (size_t)size)
        return -1;
    fclose(f);
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(bytes, (size_t)size);
    free(bytes);
    return 0;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    unsigned passed = 0;
    for (int i = 1; i < argc; i++) {
        struct dirent **entries;
        int n = scandir(argv[i], &entries, visible, alphasort);
        if (n < 0) {
            fprintf(stderr, "%s: cannot be read\n", argv[i]);
            return 1;
        }
        for (int k = 0; k < n; k++) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s", argv[i], entries[k]->d_name);
            if (replay_file(path) < 0) {
                fprintf(stderr, "%s: cannot be read\n", path);
                return 1;
            }
            passed++;
            free(entries[k]);
        }
        free(entries);
    }
    if (!passed) {
        fprintf(stderr, "no file\n");
        return 1;
    }
    printf("%u passed, 0 failed\n", passed);
    return 0;
}
