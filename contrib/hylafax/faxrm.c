/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faxrm: cancel jobs, and delete the documents of those that are done. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contrib/hylafax/hyla.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "web/cli/verdict.h"

static const char usage[] = "usage: faxrm [-h server-host] [-adv] id...\n";

static bool request(const char *number, const char *what, const char *method, const char *behind)
{
    char *path = xasprintf("/v1/faxes/%s%s", number, behind);
    bool good = hyla_request(NULL, what, method, path, NULL);
    free(path);
    return good;
}

static bool remove_job(const char *number)
{
    json_t *fax = hyla_job(number);
    const char *status = json_string_value(json_object_get(fax, "status"));
    bool done = status != NULL && verdict_is_final(status);
    bool good = false;
    if (fax != NULL) {
        char *what = xasprintf("Job %s", number);
        good = done ? request(number, what, "DELETE", "") : request(number, what, "POST", "/cancel");
        if (good)
            printf("Job %s removed%s.\n", number, done ? " (from doneq)" : "");
        free(what);
    }
    json_decref(fax);
    return good;
}

/* "recvq/fax000000012.tif", as faxstat -r names what was received. */
static bool remove_document(const char *name)
{
    const char *slash = strrchr(name, '/'), *at = slash != NULL ? slash + 1 : name;
    char digits[24] = "";
    int64_t number = 0;
    if (strncmp(at, "fax", 3) == 0)
        str_copy(digits,
                 strspn(at + 3, "0123456789") + 1 < sizeof digits ? strspn(at + 3, "0123456789") + 1 : sizeof digits,
                 at + 3);
    if (str_to_int(&number, digits, 1, INT64_MAX) != 0) {
        hyla_complain("%s: No such document.", name);
        return false;
    }
    snprintf(digits, sizeof digits, "%lld", (long long)number);
    bool good = request(digits, name, "DELETE", "");
    if (good)
        printf("%s removed.\n", name);
    return good;
}

int main(int argc, char **argv)
{
    bool documents = false, good = true;
    int found, status = EXIT_SUCCESS;
    hyla_open("faxrm");
    while ((found = getopt(argc, argv, "ah:dv")) != -1) {
        if (found == 'h')
            hyla_host(NULL, optarg);
        else if (found == 'd')
            documents = true;
        else if (found == '?')
            good = false;
    }
    if (!good || optind >= argc) {
        fputs(usage, stderr);
        status = EXIT_FAILURE;
    }
    for (int i = optind; i < argc && status == EXIT_SUCCESS; i++)
        good = (documents ? remove_document(argv[i]) : remove_job(argv[i])) && good;
    hyla_close();
    return good && fflush(stdout) == 0 ? status : EXIT_FAILURE;
}
