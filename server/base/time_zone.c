/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GLib reads the database of time zones without the process-wide TZ of the C library.
 */
#include "server/base/time_zone.h"

#include <glib.h>
#include <string.h>

#include "server/base/str.h"

/* GLib would open any path, also one that leaves the database, and read what it finds there. */
static bool is_name(const char *zone)
{
    return strspn(zone, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-:/") == strlen(zone) &&
           *zone != '/' && *zone != ':' && !strstr(zone, "//");
}

static GTimeZone *zone_of(const char *zone)
{
    if (!is_name(zone))
        return NULL;
    return *zone ? g_time_zone_new_identifier(zone) : g_time_zone_new_local();
}

bool time_zone_is_known(const char *zone)
{
    GTimeZone *found = zone_of(zone);
    if (!found)
        return false;
    g_time_zone_unref(found);
    return true;
}

char *time_zone_format(char *text, size_t size, int64_t at_ms, const char *zone, const char *format)
{
    GTimeZone *found = zone_of(zone);
    GDateTime *utc = g_date_time_new_from_unix_utc(at_ms / 1000);
    GDateTime *there = utc && found ? g_date_time_to_timezone(utc, found) : NULL;
    gchar *formatted = there || utc ? g_date_time_format(there ? there : utc, format) : NULL;
    str_copy(text, size, formatted);
    g_free(formatted);
    if (there)
        g_date_time_unref(there);
    if (utc)
        g_date_time_unref(utc);
    if (found)
        g_time_zone_unref(found);
    return text;
}

/* The handle is GLib's own. */
struct time_zone *time_zone_open(const char *zone)
{
    return (struct time_zone *)zone_of(zone);
}

void time_zone_close(struct time_zone *zone)
{
    if (zone)
        g_time_zone_unref((GTimeZone *)zone);
}

int time_zone_offset(const struct time_zone *zone, int64_t at_ms)
{
    GTimeZone *found = (GTimeZone *)zone;
    return g_time_zone_get_offset(found, g_time_zone_find_interval(found, G_TIME_TYPE_UNIVERSAL, at_ms / 1000));
}
