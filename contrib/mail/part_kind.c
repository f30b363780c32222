/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "contrib/mail/part_kind.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SUFFIX_MAX 16

struct named {
    const char *name;
    enum part_kind kind;
};

static const struct named types[] = {
    {"application/pgp-signature", PART_ACCESSORY},
    {"application/pkcs7-signature", PART_ACCESSORY},
    {"application/x-pkcs7-signature", PART_ACCESSORY},
    {"application/pgp-keys", PART_ACCESSORY},
    {"application/ics", PART_ACCESSORY},
    {"application/applefile", PART_ACCESSORY},
    {"text/calendar", PART_ACCESSORY},
    {"text/vcard", PART_ACCESSORY},
    {"text/x-vcard", PART_ACCESSORY},
    {"text/directory", PART_ACCESSORY},
    {"text/x-amp-html", PART_ACCESSORY},
    {"text/rfc822-headers", PART_ACCESSORY},
    {"message/delivery-status", PART_ACCESSORY},
    {"message/disposition-notification", PART_ACCESSORY},
    {"message/feedback-report", PART_ACCESSORY},
    {"application/ms-tnef", PART_TNEF},
    {"application/vnd.ms-tnef", PART_TNEF},
    {"application/pkcs7-mime", PART_ENCRYPTED},
    {"application/x-pkcs7-mime", PART_ENCRYPTED},
    {"application/pgp-encrypted", PART_ENCRYPTED},
    {"application/pgp", PART_ENCRYPTED},
    {"message/partial", PART_FRAGMENT},
    {"message/external-body", PART_FRAGMENT},
    {"application/x-msdownload", PART_EXECUTABLE},
    {"application/x-msdos-program", PART_EXECUTABLE},
    {"application/x-dosexec", PART_EXECUTABLE},
    {"application/x-executable", PART_EXECUTABLE},
    {"application/x-sh", PART_EXECUTABLE},
    {"application/javascript", PART_EXECUTABLE},
    {"text/javascript", PART_EXECUTABLE},
};

static const struct named suffixes[] = {
    {"vcf", PART_ACCESSORY},  {"ics", PART_ACCESSORY},  {"p7s", PART_ACCESSORY},  {"sig", PART_ACCESSORY},
    {"p7m", PART_ENCRYPTED},  {"pgp", PART_ENCRYPTED},  {"gpg", PART_ENCRYPTED},  {"exe", PART_EXECUTABLE},
    {"com", PART_EXECUTABLE}, {"bat", PART_EXECUTABLE}, {"cmd", PART_EXECUTABLE}, {"scr", PART_EXECUTABLE},
    {"pif", PART_EXECUTABLE}, {"cpl", PART_EXECUTABLE}, {"dll", PART_EXECUTABLE}, {"msi", PART_EXECUTABLE},
    {"vbs", PART_EXECUTABLE}, {"vbe", PART_EXECUTABLE}, {"js", PART_EXECUTABLE},  {"jse", PART_EXECUTABLE},
    {"wsf", PART_EXECUTABLE}, {"wsh", PART_EXECUTABLE}, {"ps1", PART_EXECUTABLE}, {"hta", PART_EXECUTABLE},
    {"jar", PART_EXECUTABLE}, {"lnk", PART_EXECUTABLE}, {"reg", PART_EXECUTABLE}, {"sh", PART_EXECUTABLE},
    {"app", PART_EXECUTABLE}, {"apk", PART_EXECUTABLE}, {"dmg", PART_EXECUTABLE}, {"deb", PART_EXECUTABLE},
    {"rpm", PART_EXECUTABLE}, {"iso", PART_EXECUTABLE}, {"chm", PART_EXECUTABLE}, {"url", PART_EXECUTABLE},
};

static const enum part_kind *find(const struct named *table, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(table[i].name, name) == 0)
            return &table[i].kind;
    }
    return NULL;
}

/* "EXE" of "Invoice.pdf.EXE . ": Windows takes no notice of dots and spaces at the end. */
static void suffix_of(char suffix[SUFFIX_MAX], const char *name)
{
    size_t end = strlen(name), start;
    while (end > 0 && strchr(". \t", name[end - 1]) != NULL)
        end--;
    for (start = end; start > 0 && name[start - 1] != '.' && name[start - 1] != '/' && name[start - 1] != '\\'; start--)
        continue;
    bool dotted = start > 0 && name[start - 1] == '.';
    snprintf(suffix, SUFFIX_MAX, "%.*s", dotted && end - start < SUFFIX_MAX ? (int)(end - start) : 0, name + start);
}

enum part_kind part_kind_of(const char *type, const char *name)
{
    char suffix[SUFFIX_MAX];
    suffix_of(suffix, name);
    const enum part_kind *by_type = find(types, sizeof types / sizeof *types, type);
    const enum part_kind *by_suffix = find(suffixes, sizeof suffixes / sizeof *suffixes, suffix);
    if (by_suffix != NULL && *by_suffix == PART_EXECUTABLE)
        return PART_EXECUTABLE; /* whatever its type says */
    if (by_type != NULL)
        return *by_type;
    if (strcasecmp(name, "winmail.dat") == 0 || strcasecmp(name, "win.dat") == 0)
        return PART_TNEF;
    return by_suffix != NULL ? *by_suffix : PART_DOCUMENT;
}
