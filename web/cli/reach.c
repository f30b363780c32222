/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which server, and with which key: options before environment before the file at home. */
#include "config.h"

#include "web/cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define DEFAULT_URL "http://127.0.0.1:8080"
#define KEY_MAX     256

static bool is_key(const char *text)
{
    size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.~+/=");
    return length > 0 && text[length] == '\0';
}

/* The first word of a file. NULL and a reason when it cannot be read; the caller frees. */
static char *read_key(const char *path)
{
    char line[KEY_MAX + 2] = "";
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        text_complain("cannot read the key file %s: %s", path, strerror(errno));
        return NULL;
    }
    char *got = fgets(line, sizeof line, file);
    fclose(file);
    line[strcspn(line, " \t\r\n")] = '\0';
    if (got == NULL || !is_key(line)) {
        text_complain("there is no key in the first line of %s", path);
        return NULL;
    }
    return xstrdup(line);
}

/* ~/.config/faxd/key, where there is one. The caller frees. */
static char *default_key_file(void)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char *path = NULL;
    if (config != NULL && config[0] == '/')
        path = xasprintf("%s/faxd/key", config);
    else if (home != NULL)
        path = xasprintf("%s/.config/faxd/key", home);
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    if (file != NULL) {
        fclose(file);
        return path;
    }
    free(path);
    return NULL;
}

/* Options before environment before the file at home; no key at all is fine: some requests need none. */
static int find_key(char **key, const struct cli *cli)
{
    const char *given = getenv("FAXD_KEY");
    char *path = NULL;
    *key = NULL;
    if (cli->key_file != NULL) {
        path = xstrdup(cli->key_file);
    } else if (cli->state != NULL) {
        path = xasprintf("%s/admin.key", cli->state);
    } else if (given != NULL && given[0] != '\0') {
        if (!is_key(given)) {
            text_complain("FAXD_KEY is no key");
            return VERDICT_ERROR;
        }
        *key = xstrdup(given);
    } else {
        path = default_key_file();
    }
    if (path != NULL)
        *key = read_key(path);
    int verdict = path != NULL && *key == NULL ? VERDICT_ERROR : VERDICT_OK;
    free(path);
    return verdict;
}

int cli_client(struct cli *cli)
{
    const char *url = cli->server != NULL ? cli->server : getenv("FAXD_URL");
    char *key = NULL;
    if (cli->client != NULL)
        return VERDICT_OK;
    int verdict = find_key(&key, cli);
    if (verdict == VERDICT_OK)
        verdict = client_open(&cli->client, url != NULL && url[0] != '\0' ? url : DEFAULT_URL, key);
    free(key);
    return verdict;
}

int cli_request(json_t **reply, struct cli *cli, const char *method, const char *path, const json_t *body)
{
    *reply = NULL;
    int verdict = cli_client(cli);
    if (verdict == VERDICT_OK)
        verdict = client_request(reply, cli->client, method, path, body);
    if (verdict == VERDICT_OK && cli->json && *reply != NULL) {
        text_json(*reply);
        json_decref(*reply);
        *reply = NULL;
    }
    return verdict;
}
