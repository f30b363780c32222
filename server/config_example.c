/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of keys as a file to start from: faxd --example-config. */
#include "server/config_private.h"

#include <string.h>

static void example_key(FILE *out, const struct config_key *key, const char *indent)
{
    bool quoted = key->type == KEY_TEXT || key->type == KEY_WORD;

    fprintf(out, "%s# %s", indent, key->help);
    if (key->type == KEY_WORD)
        fprintf(out, "; one of: %s", key->words);
    else if (key->type == KEY_NUMBER || key->type == KEY_NUMBERS)
        fprintf(out, "; %ld to %ld", key->low, key->high);
    fprintf(out, "\n%s%s%s = %s%s%s\n", indent, "# ", key->name, quoted ? "\"" : "", key->fallback, quoted ? "\"" : "");
}

static void example_section(FILE *out, const char *section, const char *indent)
{
    for (unsigned i = 0; config_keys[i].name != NULL; i++)
        if (strcmp(config_keys[i].section, section) == 0)
            example_key(out, &config_keys[i], indent);
}

void config_example(FILE *out)
{
    fputs("# faxd.conf: every key with its default. Remove the # of those that you change.\n\n", out);
    for (unsigned i = 0; config_sections[i] != NULL; i++) {
        bool webhook = strcmp(config_sections[i], "webhook") == 0;
        bool route = strcmp(config_sections[i], "route") == 0;

        if (strcmp(config_sections[i], "provider") == 0)
            break;
        fprintf(out, "%s {\n", webhook ? "# webhook \"office\"" : route ? "# route \"office\"" : config_sections[i]);
        example_section(out, config_sections[i], "    ");
        if (route) {
            fputs("    # What is done with the fax; there may be several.\n    # method {\n", out);
            example_section(out, "method", "        ");
            fputs("    # }\n", out);
        }
        fprintf(out, "%s}\n\n", webhook || route ? "# " : "");
    }
    fputs("provider \"exchange\" {\n    module = softmodem\n", out);
    example_section(out, "provider", "    ");
    fputs("    # Keys of the module; dots make groups: numbers.1003.noise_dbm0 = -50\n"
          "    settings {\n        carrier = exchange\n        pace = 0\n    }\n    line \"1001\" {\n",
          out);
    example_section(out, "line", "        ");
    fputs("    }\n    line \"1002\" {}\n    line \"1003\" {}\n    line \"1004\" {}\n}\n", out);
}
