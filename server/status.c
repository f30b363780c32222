/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at the parts, changes none. Called by web/ through the daemon's callbacks. */
#include "server/status.h"

#include "server/base/clock.h"
#include "spool/converter.h"
#include "spool/mail.h"
#include "spool/spool.h"

#include <string.h>

static json_t *line_object(const struct status_facts *facts, const struct line *line)
{
    json_t *object = line_json(line);

    json_object_set_new(object, "device", device_json(device_of(facts->devices, line)));
    return object;
}

json_t *status_lines(const struct status_facts *facts)
{
    json_t *list = json_array();

    for (int i = 0; i < line_count(facts->lines); i++)
        json_array_append_new(list, line_object(facts, line_at(facts->lines, i)));
    return list;
}

json_t *status_providers(const struct status_facts *facts)
{
    json_t *list = json_array();

    for (int i = 0; i < facts->host_count; i++)
        json_array_append_new(list, host_json(facts->hosts[i]));
    return list;
}

json_t *status_trunks(const struct status_facts *facts)
{
    json_t *list = json_array();

    for (int i = 0; i < trunk_count(facts->trunks); i++)
        json_array_append_new(list, trunk_json(trunk_at(facts->trunks, i)));
    return list;
}

json_t *status_ready(const struct status_facts *facts, bool *ok)
{
    json_t *providers = json_object();
    bool room = spool_has_room(facts->spool), all_up = true;

    for (int i = 0; i < facts->host_count; i++) {
        json_t *host = host_json(facts->hosts[i]);

        json_object_set(providers, host_name(facts->hosts[i]), json_object_get(host, "state"));
        json_decref(host);
        all_up = all_up && host_is_up(facts->hosts[i]);
    }
    *ok = room && !facts->draining;
    return json_pack("{s:s, s:{s:s, s:o, s:i}}", "status",
                     facts->draining    ? "draining"
                     : (room && all_up) ? "ok"
                                        : "degraded",
                     "checks", "disk", room ? "ok" : "full", "providers", providers, "undecided_calls",
                     facts->undecided);
}

static void add_lines(const struct line_table *lines, struct evbuffer *out)
{
    const char *word;

    evbuffer_add_printf(out, "# HELP faxd_lines Lines by state.\n# TYPE faxd_lines gauge\n");
    for (int number = 0; (word = line_state_word(number)) != NULL; number++) {
        int count = 0;

        for (int i = 0; i < line_count(lines); i++)
            count += strcmp(line_shown_state(line_at(lines, i)), word) == 0;
        evbuffer_add_printf(out, "faxd_lines{state=\"%s\"} %d\n", word, count);
    }
}

static int64_t is_up(const struct trunk *trunk)
{
    return trunk->state == TRUNK_UP;
}

static int64_t calls_of(const struct trunk *trunk)
{
    return trunk->calls;
}

static int64_t calls_total_of(const struct trunk *trunk)
{
    return trunk->calls_total;
}

static int64_t failures_of(const struct trunk *trunk)
{
    return trunk->failures_total;
}

static void add_trunks(const struct trunk_table *trunks, struct evbuffer *out)
{
    static const struct {
        const char *name, *type, *help;
        int64_t (*value)(const struct trunk *trunk);
    } metrics[] = {
        {"faxd_trunk_up", "gauge", "1 while the trunk takes calls.", is_up},
        {"faxd_trunk_calls", "gauge", "Calls under way on the trunk.", calls_of},
        {"faxd_trunk_calls_total", "counter", "Calls since the provider's start.", calls_total_of},
        {"faxd_trunk_failures_total", "counter", "Calls that the trunk refused or did not answer.", failures_of},
    };

    for (size_t m = 0; trunk_count(trunks) > 0 && m < sizeof metrics / sizeof metrics[0]; m++) {
        evbuffer_add_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metrics[m].name, metrics[m].help, metrics[m].name,
                            metrics[m].type);
        for (int i = 0; i < trunk_count(trunks); i++) {
            const struct trunk *trunk = trunk_at(trunks, i);

            evbuffer_add_printf(out, "%s{provider=\"%s\",trunk=\"%s\"} %lld\n", metrics[m].name, trunk->provider,
                                trunk->name, (long long)metrics[m].value(trunk));
        }
    }
}

static void add_devices(const struct status_facts *facts, struct evbuffer *out)
{
    bool any = false;

    for (int i = 0; i < line_count(facts->lines); i++) {
        const struct line *line = line_at(facts->lines, i);
        const struct device *device = device_of(facts->devices, line);

        if (device == NULL)
            continue;
        if (!any)
            evbuffer_add_printf(out, "# HELP faxd_device_up 1 while the device of the line works.\n"
                                     "# TYPE faxd_device_up gauge\n");
        any = true;
        evbuffer_add_printf(out, "faxd_device_up{line=\"%s\"} %d\n", line->id, device->state == DEVICE_UP);
    }
}

static void add_providers(const struct status_facts *facts, struct evbuffer *out)
{
    evbuffer_add_printf(out, "# HELP faxd_provider_up 1 while the provider's host takes calls.\n"
                             "# TYPE faxd_provider_up gauge\n");
    for (int i = 0; i < facts->host_count; i++)
        evbuffer_add_printf(out, "faxd_provider_up{provider=\"%s\"} %d\n", host_name(facts->hosts[i]),
                            host_is_up(facts->hosts[i]));
    evbuffer_add_printf(out,
                        "# HELP faxd_provider_restarts_total Times that a provider's host had to be started again.\n"
                        "# TYPE faxd_provider_restarts_total counter\n");
    for (int i = 0; i < facts->host_count; i++)
        evbuffer_add_printf(out, "faxd_provider_restarts_total{provider=\"%s\"} %d\n", host_name(facts->hosts[i]),
                            host_restarts(facts->hosts[i]));
}

static void add_mails(struct spool *spool, struct evbuffer *out)
{
    int64_t oldest_at;
    int waiting;

    if (mail_waiting(&waiting, &oldest_at, spool) != 0)
        return;
    evbuffer_add_printf(out,
                        "# HELP faxd_mails_waiting Mails that have not been sent yet.\n"
                        "# TYPE faxd_mails_waiting gauge\nfaxd_mails_waiting %d\n"
                        "# HELP faxd_mail_oldest_seconds How long the oldest of them has waited.\n"
                        "# TYPE faxd_mail_oldest_seconds gauge\nfaxd_mail_oldest_seconds %lld\n",
                        waiting, oldest_at > 0 ? (long long)((clock_now_ms() - oldest_at) / 1000) : 0);
}

void status_metrics(const struct status_facts *facts, struct evbuffer *out)
{
    int waiting, running;

    add_lines(facts->lines, out);
    add_providers(facts, out);
    add_trunks(facts->trunks, out);
    add_devices(facts, out);
    add_mails(facts->spool, out);
    converter_count(facts->converter, &waiting, &running);
    evbuffer_add_printf(out,
                        "# HELP faxd_conversions Documents in the converter.\n# TYPE faxd_conversions gauge\n"
                        "faxd_conversions{state=\"waiting\"} %d\nfaxd_conversions{state=\"running\"} %d\n",
                        waiting, running);
    evbuffer_add_printf(out,
                        "# HELP faxd_undecided_calls Calls whose end is not known yet, after a crash.\n"
                        "# TYPE faxd_undecided_calls gauge\nfaxd_undecided_calls %d\n",
                        facts->undecided);
}
