/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings of mail, copied and checked. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/mail/mail_setup.h"

#include "server/base/err.h"
#include "server/base/log.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PASSWORD_MAX 1000

/* The texts of the settings, each to be copied. */
#define TEXTS 12
static void texts_of(const char **texts[TEXTS], struct mail_settings *settings)
{
    const char **all[TEXTS] = {&settings->server,        &settings->ca_file,   &settings->user,
                               &settings->password_file, &settings->from,      &settings->from_name,
                               &settings->domain,        &settings->language,  &settings->public_url,
                               &settings->templates,     &settings->installed, &settings->policy.alarm_to};

    memcpy(texts, all, sizeof all);
}

/* The first line of the file. */
static int read_password(char **password, const char *path)
{
    FILE *file = fopen(path, "re");
    char line[PASSWORD_MAX + 2] = "";
    struct stat status;
    int error = 0;

    if (file == NULL)
        return err_set(ERR_IO, "mail|password_file: cannot open %s: %s", path, strerror(errno));
    if (fstat(fileno(file), &status) == 0 && (status.st_mode & S_IRWXO) != 0)
        error = err_set(ERR_INVALID, "mail|password_file: everybody may use %s: chmod o= it", path);
    else if (fgets(line, sizeof line, file) == NULL || line[strcspn(line, "\r\n")] == '\0' ||
             strcspn(line, "\r\n") == 0 || strlen(line) > PASSWORD_MAX) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] == '\0' || strlen(line) > PASSWORD_MAX)
            error = err_set(ERR_INVALID,
                            "mail|password_file: there is no password of 1 to %d octets in the first line "
                            "of %s",
                            PASSWORD_MAX, path);
    }
    fclose(file);
    line[strcspn(line, "\r\n")] = '\0';
    if (error == 0)
        *password = xstrdup(line);
    sodium_memzero(line, sizeof line);
    return error;
}

static int open_named(struct mail_setup *setup)
{
    const struct mail_settings *settings = &setup->settings;
    int error = templates_load(&setup->templates, settings->installed, settings->templates);

    if (error == 0 && settings->password_file[0] != '\0')
        error = read_password(&setup->password, settings->password_file);
    setup->url = xasprintf("%s/%s", settings->server, settings->domain);
    return error;
}

int mail_setup_new(struct mail_setup **out, const struct mail_settings *settings)
{
    struct mail_setup *setup = xcalloc(1, sizeof *setup);
    const char **texts[TEXTS];
    int error = 0;

    setup->settings = *settings;
    setup->settings.policy.configured = settings->server[0] != '\0';
    setup->users = 1;
    texts_of(texts, &setup->settings);
    for (int i = 0; i < TEXTS; i++)
        *texts[i] = xstrdup(*texts[i]);
    if (setup->settings.policy.configured)
        error = open_named(setup);
    if (error != 0) {
        mail_setup_release(setup);
        setup = NULL;
    }
    *out = setup;
    return error;
}

struct mail_setup *mail_setup_hold(struct mail_setup *setup)
{
    setup->users++;
    return setup;
}

void mail_setup_release(struct mail_setup *setup)
{
    const char **texts[TEXTS];

    if (setup == NULL || --setup->users > 0)
        return;
    texts_of(texts, &setup->settings);
    for (int i = 0; i < TEXTS; i++)
        free((char *)*texts[i]);
    if (setup->password != NULL)
        sodium_memzero(setup->password, strlen(setup->password));
    free(setup->password);
    free(setup->url);
    templates_free(setup->templates);
    free(setup);
}
