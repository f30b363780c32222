/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a fuzz target over every file of the folders given as arguments, without libFuzzer: the saved inputs of
 * tests/fuzz/corpus stay tests of every build. Without arguments the folder is $FAXD_SRC/tests/fuzz/corpus/NAME, for a
 * program called fuzz_NAME. A crash or a sanitizer's report ends the run without its plan, which the harness counts as
 * a failure; a folder without files is a failure too.
 */
#include "config.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int cases;

/* The content in memory of exactly its size, so that AddressSanitizer sees a read beyond it. */
static uint8_t *content_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *content = NULL;
    if (!file)
        return NULL;
    if (fseek(file, 0, SEEK_END) == 0) {
        long length = ftell(file);
        rewind(file);
        content = length >= 0 ? malloc(length ? (size_t)length : 1) : NULL;
        if (content && fread(content, 1, (size_t)length, file) != (size_t)length) {
            free(content);
            content = NULL;
        }
        *size = (size_t)length;
    }
    fclose(file);
    return content;
}

static int input_run(const char *folder, const char *name)
{
    char path[4096];
    size_t size = 0;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    uint8_t *content = content_read(path, &size);
    if (!content) {
        printf("not ok %d - %s cannot be read\n", ++cases, name);
        return 1;
    }
    LLVMFuzzerTestOneInput(content, size);
    free(content);
    printf("ok %d - %s\n", ++cases, name);
    fflush(stdout);
    return 0;
}

static int folder_run(const char *folder)
{
    struct dirent **names = NULL;
    int count = scandir(folder, &names, NULL, alphasort);
    int failed = 0, seen = 0;
    for (int i = 0; i < count; i++) {
        if (names[i]->d_name[0] != '.') {
            failed += input_run(folder, names[i]->d_name);
            seen++;
        }
        free(names[i]);
    }
    free(names);
    if (!seen) {
        printf("not ok %d - %s holds no inputs\n", ++cases, folder);
        failed++;
    }
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed += folder_run(argv[i]);
    if (argc == 1) {
        const char *source = getenv("FAXD_SRC");
        const char *name = strrchr(argv[0], '/');
        name = name ? name + 1 : argv[0];
        name = strncmp(name, "fuzz_", 5) == 0 ? name + 5 : name;
        char folder[4096];
        snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/%s", source ? source : ".", name);
        failed += folder_run(folder);
    }
    printf("1..%d\n", cases);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
