/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP by libcurl. web/cli/client.c is for a person at a terminal: it repeats and complains by itself. Here the mail
 * server repeats, and the sender of a message is who gets told. */
#include "config.h"

#include "contrib/mail/faxes.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "contrib/mail/mail.h"
#include "contrib/mail/settings.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#define REPLY_MAX (4 << 20)
#define CONNECT_S 10L
#define REPLY_S   120L

struct faxes {
    CURL *curl;
    char *url, *authorization;
    const char *ca_file;
};

struct reply {
    char *body;
    size_t size;
    long status;
    bool replayed;
};

struct faxes *faxes_open(const struct settings *settings)
{
    struct faxes *faxes = xcalloc(1, sizeof *faxes);
    faxes->curl = curl_easy_init();
    if (faxes->curl == NULL)
        abort();
    faxes->url = xstrdup(settings->server);
    for (size_t end = strlen(faxes->url); end > 0 && faxes->url[end - 1] == '/'; end--)
        faxes->url[end - 1] = '\0';
    faxes->authorization = xasprintf("Authorization: Bearer %s", settings->key != NULL ? settings->key : "");
    faxes->ca_file = settings->ca_file;
    return faxes;
}

void faxes_close(struct faxes *faxes)
{
    if (faxes == NULL)
        return;
    curl_easy_cleanup(faxes->curl);
    free(faxes->url);
    explicit_bzero(faxes->authorization, strlen(faxes->authorization));
    free(faxes->authorization);
    free(faxes);
}

/* --- requests --- */

static size_t on_body(char *data, size_t one, size_t size, void *context)
{
    struct reply *reply = context;
    (void)one;
    if (reply->size + size > REPLY_MAX)
        return 0;
    reply->body = xrealloc(reply->body, reply->size + size + 1);
    memcpy(reply->body + reply->size, data, size);
    reply->size += size;
    return size;
}

static size_t on_header(char *data, size_t one, size_t size, void *context)
{
    static const char replayed[] = "Idempotent-Replayed: true";
    struct reply *reply = context;
    (void)one;
    if (size >= sizeof replayed - 1 && strncasecmp(data, replayed, sizeof replayed - 1) == 0)
        reply->replayed = true;
    return size;
}

static void prepare(struct faxes *faxes, struct reply *reply, const char *url, struct curl_slist *headers)
{
    CURL *curl = faxes->curl;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (faxes->ca_file[0] != '\0')
        curl_easy_setopt(curl, CURLOPT_CAINFO, faxes->ca_file);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, REPLY_S);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "faxmail/" PACKAGE_VERSION);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, reply);
}

static struct curl_slist *add_header(struct curl_slist *headers, const char *header)
{
    struct curl_slist *longer = curl_slist_append(headers, header);
    if (longer == NULL)
        abort();
    return longer;
}

/* The sentence of a problem document (RFC 9457) with its faults. */
static void problem_text(char *text, size_t size, const json_t *problem)
{
    const json_t *errors = json_object_get(problem, "errors"), *fault;
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    size_t index;
    str_copy(text, size, detail != NULL ? detail : "");
    if (json_array_size(errors) > 0)
        text[0] = '\0';
    json_array_foreach(errors, index, fault)
    {
        const char *sentence = json_string_value(json_object_get(fault, "detail"));
        size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s", used > 0 ? "; " : "", sentence != NULL ? sentence : "?");
    }
}

static int refused(const struct reply *reply, const json_t *json)
{
    const char *code = json_string_value(json_object_get(json, "code"));
    char text[400];
    problem_text(text, sizeof text, json);
    if (reply->status == 422 && code != NULL && strcmp(code, "idempotency_key_reused") == 0)
        return err_set(ERR_CONFLICT, "%s", text);
    if (reply->status == 413 || reply->status == 400 || reply->status == 415 || reply->status == 422)
        return err_set(ERR_INVALID, "%s", text[0] != '\0' ? text : "faxd refuses the fax");
    /* 401 and 403 are for whoever runs this, who has time to mend it while mail waits. */
    return err_set(ERR_AGAIN, "faxd answers with %ld: %s", reply->status, text);
}

static int perform(json_t **out, struct faxes *faxes, struct reply *reply)
{
    CURLcode code = curl_easy_perform(faxes->curl);
    *out = NULL;
    if (code != CURLE_OK)
        return err_set(ERR_AGAIN, "faxd cannot be reached at %s: %s", faxes->url, curl_easy_strerror(code));
    curl_easy_getinfo(faxes->curl, CURLINFO_RESPONSE_CODE, &reply->status);
    json_t *json = reply->size > 0 ? json_loadb(reply->body, reply->size, 0, NULL) : NULL;
    if (reply->status >= 200 && reply->status < 300 && json_is_object(json)) {
        *out = json;
        return 0;
    }
    int result = refused(reply, json);
    json_decref(json);
    return result;
}

static int get(json_t **out, struct faxes *faxes, const char *path)
{
    char *url = xasprintf("%s%s", faxes->url, path);
    struct curl_slist *headers = add_header(NULL, faxes->authorization);
    struct reply reply = {.body = NULL};
    prepare(faxes, &reply, url, headers);
    int result = perform(out, faxes, &reply);
    curl_slist_free_all(headers);
    free(reply.body);
    free(url);
    return result;
}

/* --- the form --- */

struct piece {
    int fd;
    int64_t offset, size, at;
};

static size_t on_read(char *buffer, size_t one, size_t size, void *context)
{
    struct piece *piece = context;
    int64_t left = piece->size - piece->at;
    size_t wanted = one * size < (uint64_t)left ? one * size : (size_t)left;
    ssize_t got;
    do {
        got = wanted > 0 ? pread(piece->fd, buffer, wanted, (off_t)(piece->offset + piece->at)) : 0;
    } while (got < 0 && errno == EINTR);
    if (got < 0 || (got == 0 && wanted > 0))
        return CURL_READFUNC_ABORT;
    piece->at += got;
    return (size_t)got;
}

static int on_seek(void *context, curl_off_t offset, int origin)
{
    struct piece *piece = context;
    if (origin != SEEK_SET || offset < 0 || offset > piece->size)
        return CURL_SEEKFUNC_CANTSEEK;
    piece->at = offset;
    return CURL_SEEKFUNC_OK;
}

static void add_text(curl_mime *form, const char *name, const char *text)
{
    curl_mimepart *part = curl_mime_addpart(form);
    if (part == NULL || curl_mime_name(part, name) != CURLE_OK ||
        curl_mime_data(part, text, CURL_ZERO_TERMINATED) != CURLE_OK)
        abort();
}

/* The same form for the same message, each time: else the Idempotency-Key would not fit. */
static void add_document(curl_mime *form, const struct faxes_order *order, const struct mail_document *document,
                         int number)
{
    curl_mimepart *part = curl_mime_addpart(form);
    struct piece *piece = xmalloc(sizeof *piece);
    char name[32];
    snprintf(name, sizeof name, "document-%d", number);
    *piece = (struct piece){order->documents, document->offset, document->size, 0};
    if (part == NULL || curl_mime_name(part, "file") != CURLE_OK || curl_mime_filename(part, name) != CURLE_OK ||
        curl_mime_data_cb(part, piece->size, on_read, on_seek, free, piece) != CURLE_OK)
        abort();
}

static curl_mime *fill(CURL *curl, const struct faxes_order *order)
{
    curl_mime *form = curl_mime_init(curl);
    const char *name;
    json_t *value, *item;
    size_t index;
    int number = 0;
    if (form == NULL)
        abort();
    json_object_foreach(order->fields, name, value)
    {
        if (json_is_string(value))
            add_text(form, name, json_string_value(value));
        json_array_foreach(value, index, item) add_text(form, name, json_string_value(item));
    }
    if (order->with_body)
        add_document(form, order, &order->mail->body, ++number);
    for (int i = 0; i < order->mail->document_count; i++)
        add_document(form, order, &order->mail->documents[i], ++number);
    return form;
}

int faxes_post(json_t **fax, struct faxes *faxes, const struct faxes_order *order)
{
    char *url = xasprintf("%s/v1/faxes", faxes->url), *key = xasprintf("Idempotency-Key: %s", order->key);
    struct curl_slist *headers = add_header(add_header(add_header(NULL, faxes->authorization), key), "Expect:");
    struct reply reply = {.body = NULL};
    prepare(faxes, &reply, url, headers);
    curl_mime *form = fill(faxes->curl, order);
    curl_easy_setopt(faxes->curl, CURLOPT_MIMEPOST, form);
    int result = perform(fax, faxes, &reply);
    if (result == 0 && reply.replayed)
        json_object_set_new(*fax, "replayed", json_true());
    curl_mime_free(form);
    curl_slist_free_all(headers);
    free(reply.body);
    free(url);
    free(key);
    return result;
}

int faxes_get(json_t **fax, struct faxes *faxes, const char *id)
{
    char *path = xasprintf("/v1/faxes/%s", id);
    int result = get(fax, faxes, path);
    free(path);
    return result < 0 ? ERR_AGAIN : 0;
}

int faxes_find(json_t **fax, struct faxes *faxes, const char *reference)
{
    char *path = xasprintf("/v1/faxes?limit=1&client_reference=%s", reference);
    json_t *list = NULL;
    int result = get(&list, faxes, path);
    *fax = json_incref(json_array_get(json_object_get(list, "data"), 0));
    json_decref(list);
    free(path);
    return result < 0 ? ERR_AGAIN : *fax != NULL ? 0 : ERR_NOT_FOUND;
}
