/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as a configuration: taken or refused with a reason, and what is taken makes JSON for its providers. */
#include <config.h>

#include "server/config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *nowhere;
    struct config config;
    char *text;

    if (nowhere == NULL)
        nowhere = fopen("/dev/null", "we");
    if (size > 65536 || memchr(data, 0, size) != NULL) /* config_load refuses these before */
        return 0;
    text = malloc(size + 1);
    if (text == NULL || nowhere == NULL)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    if (config_parse(&config, "fuzz.conf", text, nowhere) == 0) {
        if (config.provider_count < 1)
            abort();
        for (int i = 0; i < config.provider_count; i++) {
            json_t *json = config_provider_json(&config.providers[i], "/engine", "/work");

            if (!json_is_object(json) || config.providers[i].line_count < 1)
                abort();
            json_decref(json);
        }
        config_clear(&config);
    }
    free(text);
    return 0;
}
