/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Method inbox: who sees to the fax, and labels beside those that it has. It is done in the transaction that says
 * so. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/route/route_private.h"

#include "server/base/err.h"
#include "spool/inbox.h"
#include "spool/user.h"

#include <string.h>

static int assign(struct route_work *work)
{
    struct spool *spool = work->routes->options.spool;
    struct user user;
    int error = user_find(&user, spool, route_text(work, "user"));

    if (error == ERR_NOT_FOUND)
        return err_set(ERR_NOT_FOUND, "there is no such user any more");
    if (error == 0 && user.disabled)
        return err_set(ERR_CONFLICT, "the user %s is disabled and would not see it", user.name);
    return error != 0 ? error : inbox_assign(spool, &work->fax, &user);
}

static bool has(const json_t *list, const json_t *label)
{
    json_t *item;
    size_t i;

    json_array_foreach((json_t *)list, i, item)
    {
        if (json_equal(item, label))
            return true;
    }
    return false;
}

static int add_labels(struct route_work *work, const json_t *more)
{
    json_t *labels = json_loads(work->fax.labels, 0, NULL), *label;
    int error;
    size_t i;

    if (labels == NULL)
        labels = json_array();
    json_array_foreach((json_t *)more, i, label)
    {
        if (!has(labels, label) && json_array_size(labels) < INBOX_LABELS_MAX)
            json_array_append(labels, label);
    }
    error = inbox_label(work->routes->options.spool, &work->fax, labels);
    json_decref(labels);
    return error;
}

void route_inbox_begin(struct route_work *work)
{
    const json_t *labels = json_object_get(work->delivery.method.settings, "labels");
    int error = *route_text(work, "user") != '\0' ? assign(work) : 0;

    if (error == 0 && json_array_size(labels) > 0)
        error = add_labels(work, labels);
    if (error == 0)
        route_end(work, ROUTE_TOLD_DONE, "%s", "");
    else
        route_end(work, ROUTE_TOLD_AGAIN, "%s", err_message());
}
