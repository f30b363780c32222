/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows, the stamp and the picture of a proof of transmission. */
#include "config.h" /* memfd_create */

#include "spool/receipt_sheet.h"

#include "spool/document.h"
#include "spool/fax.h"
#include "spool/fax_document.h"
#include "spool/page_style.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/time_zone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TIME_FORMAT "%Y-%m-%d %H:%M:%S %Z (UTC%z)"
#define TIME_SIZE   80

struct receipt {
    const struct fax *fax;
    json_t *options, *transport;
    const char *zone;
    json_t *rows;
    bool sent; /* the first page left, as far as is known */
};

/* --- what became of it --- */

static const struct ending {
    enum fax_state state;
    const char *stamp, *tone, *meaning;
} endings[] = {
    {FAX_DELIVERED, "DELIVERED", "good", "The far end confirmed every page and the end of the transmission."},
    {FAX_PARTIALLY_DELIVERED, "PARTIALLY DELIVERED", "doubtful",
     "The far end confirmed some of the pages and not the rest."},
    {FAX_UNCONFIRMED, "NOT CONFIRMED", "doubtful",
     "The pages left, but the far end's last confirmation did not come: whether it has the fax is not known."},
    {FAX_FAILED, "NOT DELIVERED", "bad", "The far end did not confirm any page."},
    {FAX_CANCELED, "CANCELED", "bad", "The fax was canceled before it was delivered."},
    {FAX_EXPIRED, "EXPIRED", "bad", "The fax was not delivered by its deadline."},
    {FAX_RECEIVED, "RECEIVED", "good", "All pages were received, and this was confirmed to the sender."},
    {FAX_ROUTING, "RECEIVED", "good", "All pages were received, and this was confirmed to the sender."},
    {FAX_ROUTED, "RECEIVED", "good", "All pages were received, and this was confirmed to the sender."},
    {FAX_ROUTE_FAILED, "RECEIVED", "good", "All pages were received, and this was confirmed to the sender."},
    {FAX_PARTIALLY_RECEIVED, "PARTIALLY RECEIVED", "doubtful",
     "Some of the pages were received; the call ended before the rest."},
    {FAX_RECEIVE_FAILED, "NOT RECEIVED", "bad", "No page was received."},
    {FAX_REJECTED, "REFUSED", "bad", "The call was refused."},
};

static const struct ending *ending_of(const struct fax *fax)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        if (endings[i].state == fax->state)
            return &endings[i];
    }
    return &endings[3];
}

/* Ends without delivery may come after pages, and after a call that may have brought all of them. */
static const char *meaning_of(const struct fax *fax)
{
    bool without = fax->state == FAX_FAILED || fax->state == FAX_CANCELED || fax->state == FAX_EXPIRED;

    if (without && fax->delivery == FAX_DELIVERY_UNCONFIRMED)
        return "An earlier call may have delivered it: its last confirmation did not come.";
    if (without && fax->pages_confirmed > 0)
        return "The far end confirmed some of the pages before.";
    return ending_of(fax)->meaning;
}

/* --- rows --- */

/* A row of what there is; an empty value makes none. Octets that are no UTF-8 are left out as a whole. */
static void add(struct receipt *receipt, const char *label, const char *value)
{
    json_t *text = value && *value ? json_string(value) : NULL;

    if (text)
        json_array_append_new(receipt->rows, json_pack("[s, o]", label, text));
}

static void add_time(struct receipt *receipt, const char *label, int64_t at_ms)
{
    char text[TIME_SIZE];

    if (at_ms > 0)
        add(receipt, label, time_zone_format(text, sizeof text, at_ms, receipt->zone, TIME_FORMAT));
}

static void add_pages(struct receipt *receipt)
{
    const struct fax *fax = receipt->fax;
    char text[64];

    if (fax->direction == FAX_INBOUND)
        snprintf(text, sizeof text, "%d received", fax->pages_total > 0 ? fax->pages_total : 0);
    else if (fax->pages_total < 0)
        snprintf(text, sizeof text, "none: the document was not made into pages");
    else
        snprintf(text, sizeof text, "%d of %d confirmed", fax->pages_confirmed, fax->pages_total);
    add(receipt, "Pages", text);
}

static void add_duration(struct receipt *receipt)
{
    const struct fax *fax = receipt->fax;
    int64_t seconds = (fax->ended_at - fax->connected_at + 999) / 1000;
    char text[64];

    if (fax->connected_at <= 0 || fax->ended_at < fax->connected_at)
        return;
    if (seconds < 60)
        snprintf(text, sizeof text, "%lld s", (long long)seconds);
    else
        snprintf(text, sizeof text, "%lld min %lld s", (long long)(seconds / 60), (long long)(seconds % 60));
    add(receipt, fax->calls > 1 ? "Duration of the last call" : "Duration of the call", text);
}

/* "14400 bit/s, V.17, ECM, T.38" as far as the call told. */
static void add_transport(struct receipt *receipt)
{
    static const char *const keys[] = {"modem", "compression", "mode"};
    json_int_t rate = json_integer_value(json_object_get(receipt->transport, "rate_bps"));
    const json_t *ecm = json_object_get(receipt->transport, "ecm");
    char *text = rate > 0 ? xasprintf("%lld bit/s", (long long)rate) : xstrdup("");

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *word = json_string_value(json_object_get(receipt->transport, keys[i]));
        char *longer = word ? xasprintf("%s%s%s", text, *text ? ", " : "", word) : NULL;
        if (longer) {
            free(text);
            text = longer;
        }
    }
    if (json_is_boolean(ecm)) {
        char *longer = xasprintf("%s%s%s", text, *text ? ", " : "",
                                 json_is_true(ecm) ? "error correction" : "no error correction");
        free(text);
        text = longer;
    }
    add(receipt, "Transmission", text);
    free(text);
}

static void add_result(struct receipt *receipt)
{
    const struct fax *fax = receipt->fax;
    bool failed = fax->outcome != OUTCOME_NONE && fax->outcome != OUTCOME_SUCCESS;
    const struct outcome_info *info = outcome_info(fax->outcome);
    char *text;

    add(receipt, "Result", meaning_of(fax));
    if (!failed)
        return;
    text = xasprintf("%s (%s)", *fax->message ? fax->message : info->message, info->code);
    add(receipt, "Reason", text);
    free(text);
}

static void add_parties(struct receipt *receipt)
{
    const struct fax *fax = receipt->fax;
    bool sent = fax->direction == FAX_OUTBOUND;

    add(receipt, sent ? "To" : "Number called", fax->destination);
    add(receipt, sent ? "From" : "Calling number", fax->sender);
    add(receipt, "The far end's station id", fax->remote_station_id);
    add(receipt, "Our station id", fax->local_station_id);
}

static void add_times(struct receipt *receipt)
{
    const struct fax *fax = receipt->fax;

    add_time(receipt, fax->direction == FAX_OUTBOUND ? "Accepted" : "Called", fax->created_at);
    if (fax->direction == FAX_OUTBOUND)
        add_time(receipt, fax->calls > 1 ? "Last call begun" : "Call begun", fax->dialed_at);
    add_time(receipt, "Connected", fax->connected_at);
    add_time(receipt, "Ended", fax->ended_at);
    add_duration(receipt);
}

static void add_calls(struct receipt *receipt)
{
    char text[24];

    if (receipt->fax->direction != FAX_OUTBOUND || receipt->fax->calls < 2)
        return;
    snprintf(text, sizeof text, "%d", receipt->fax->calls);
    add(receipt, "Calls", text);
}

static void fill(struct receipt *receipt)
{
    const struct fax *fax = receipt->fax;

    if (fax->test)
        add(receipt, "Test", "Sent with a test key: a simulator played the far end, nobody was called.");
    add_parties(receipt);
    add_pages(receipt);
    add_result(receipt);
    add_times(receipt);
    add_calls(receipt);
    add_transport(receipt);
    add(receipt, "Reference", fax->client_reference);
    add(receipt, "Fax", fax->public_id);
    add(receipt, "SHA-256 of the document", fax->purged_at ? fax->purged_document : fax->document);
}

/* --- the job --- */

static char *caption_of(const struct receipt *receipt)
{
    const struct fax *fax = receipt->fax;
    char text[TIME_SIZE];

    if (fax->purged_at)
        return xasprintf("The pages were deleted %s; their SHA-256 is kept.",
                         time_zone_format(text, sizeof text, fax->purged_at, receipt->zone, TIME_FORMAT));
    if (!*fax->document)
        return xstrdup("There are no pages.");
    return xstrdup(fax->direction == FAX_INBOUND ? "The first page as it was received"
                   : receipt->sent               ? "The first page as it was sent"
                                                 : "The first page as it was prepared");
}

static json_t *make_job(const struct receipt *receipt, const struct page_style *style)
{
    const struct fax *fax = receipt->fax;
    char now[TIME_SIZE], *caption = caption_of(receipt);
    json_t *made = json_sprintf("Made by faxd on %s from its records of this fax.",
                                time_zone_format(now, sizeof now, clock_now_ms(), receipt->zone, TIME_FORMAT));
    json_t *sheet = json_pack("{s:s, s:s, s:s, s:O, s:s, s:[s, o]}", "title",
                              fax->direction == FAX_INBOUND ? "Proof of reception" : "Proof of transmission", "stamp",
                              ending_of(fax)->stamp, "tone", ending_of(fax)->tone, "rows", receipt->rows, "caption",
                              caption, "foot",
                              "Station ids are what the other machine says of itself; nobody has checked them. Pages "
                              "count as confirmed when the far end said so by the rules of ITU-T T.30.",
                              made);

    free(caption);
    return json_pack("{s:s, s:s, s:o}", "op", "receipt", "paper", style->paper, "sheet", sheet);
}

/* The file that page 1 left in last, else the pages as they are: a descriptor, or an error; empty where none are left.
 */
static int open_page(struct receipt *receipt, struct spool *spool)
{
    const struct fax *fax = receipt->fax;
    struct fax_document *rows = NULL;
    const char *sha = fax->document;
    int count = *sha ? fax_documents(&rows, spool, fax->id, FAX_DOCUMENT_AS_SENT) : 0, fd;

    for (int i = 0; i < count; i++) {
        if (json_integer_value(json_object_get(rows[i].info, "first_page")) == 1 ||
            json_is_true(json_object_get(rows[i].info, "repeated")))
            sha = rows[i].sha;
    }
    /* A copy of what was to leave is kept of every call, also of one that nobody answered. */
    receipt->sent = sha != fax->document &&
                    (fax->connected_at > 0 || fax->pages_confirmed > 0 || fax->delivery != FAX_DELIVERY_NONE);
    if (count < 0)
        fd = count;
    else if (*sha)
        fd = document_open(spool, sha);
    else if ((fd = memfd_create("no page", MFD_CLOEXEC)) < 0)
        fd = err_set(ERR_AGAIN, "no memory for a receipt: %s", strerror(errno));
    fax_documents_free(rows, count > 0 ? count : 0);
    return fd;
}

int receipt_sheet(json_t **job, int *input, struct spool *spool, const struct fax *fax)
{
    const struct page_style *style = page_style(spool);
    struct receipt receipt = {.fax = fax, .rows = json_array()};

    *job = NULL;
    *input = open_page(&receipt, spool);
    if (*input < 0) {
        json_decref(receipt.rows);
        return *input;
    }
    receipt.options = json_loads(*fax->options ? fax->options : "{}", 0, NULL);
    receipt.transport = *fax->transport ? json_loads(fax->transport, 0, NULL) : NULL;
    receipt.zone = json_string_value(json_object_get(receipt.options, "time_zone"));
    if (!receipt.zone)
        receipt.zone = style->time_zone;
    fill(&receipt);
    *job = make_job(&receipt, style);
    json_decref(receipt.options);
    json_decref(receipt.transport);
    json_decref(receipt.rows);
    return 0;
}
