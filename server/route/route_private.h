/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the methods share: a delivery under way, its document, and how it ends.
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_ROUTE_ROUTE_PRIVATE_H
#define FAXD_SERVER_ROUTE_ROUTE_PRIVATE_H

#include "server/route/route.h"
#include "server/route/route_child.h"
#include "spool/fax.h"
#include "spool/route_delivery.h"

#include <jansson.h>
#include <sys/queue.h>

struct converter_job;
struct http_post;
struct http_poster;

struct route_work {
    LIST_ENTRY(route_work) link;
    struct routes *routes;
    struct route_delivery delivery;
    struct fax fax;
    struct converter_job *conversion;
    void (*ready)(struct route_work *work); /* when the document is there */
    int document;                           /* descriptor, plain content; -1 = none */
    char *folder, *file;                    /* of its own, with the document: route_file() */
    struct route_child *child;
    struct http_post *post;
};

struct routes {
    struct routes_options options;
    char *lp;
    char *folder; /* for files that programs are given */
    struct http_poster *poster;
    struct event *timer;
    LIST_HEAD(route_work_list, route_work) works;
    int count;
    bool closed;
    char last_lane[ROUTE_LANE_SIZE]; /* that something was begun in: the next ones have their turn first */
    int64_t ended[ROUTE_INBOX + 1][2];
};

/* The end of a try; `work` is gone. */
void route_end(struct route_work *work, enum route_told told, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Somebody else has the delivery now, and tells of its end; `work` is gone. */
void route_leave(struct route_work *work);

/* Have the document made in the format of the settings: work->document is set and `ready` called, perhaps at once; or
 * the try ends. */
void route_document(struct route_work *work, void (*ready)(struct route_work *work));

/* work->file: the document as a file in a folder of its own, which goes with the work. 0, ERR_IO, ERR_FULL. */
int route_file(struct route_work *work);

/* Make the folder that those lie in, without what an earlier faxd left there. */
int route_file_start(struct routes *routes);
void route_file_drop(struct route_work *work);

/* Settings of the method; "" and 0 when absent. */
const char *route_text(const struct route_work *work, const char *name);
int64_t route_number(const struct route_work *work, const char *name);
bool route_is_pdf(const struct route_work *work);

/* What `path` of a rule made by API has to stay in, by the configuration of now: `now` is what routing|`key` says. ""
 * when the rule stands in the configuration; NULL when it may not go there any more, and `work` has ended. */
const char *route_root(struct route_work *work, const char *path, const char *now, const char *key);

/* The methods: each begins, and ends with route_end(). */
void route_folder_begin(struct route_work *work);
void route_command_begin(struct route_work *work);
void route_print_begin(struct route_work *work);
void route_webhook_begin(struct route_work *work);
void route_inbox_begin(struct route_work *work);
void route_mail_begin(struct route_work *work);

/* Hear of the ends of mails. */
void route_mail_listen(struct spool *spool);

#endif
