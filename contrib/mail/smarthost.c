/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "contrib/mail/smarthost.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "contrib/mail/settings.h"
#include "server/base/err.h"
#include "server/base/log.h"

#define CONNECT_S 20L
#define REPLY_S   120L

struct smarthost {
    CURL *curl;
    char *url;
    const struct settings *settings;
};

struct upload {
    const char *octets;
    size_t size, at;
};

struct smarthost *smarthost_open(const struct settings *settings)
{
    struct smarthost *smarthost = xcalloc(1, sizeof *smarthost);
    smarthost->curl = curl_easy_init();
    if (smarthost->curl == NULL)
        abort();
    smarthost->settings = settings;
    smarthost->url = xasprintf("%s/%s", settings->smarthost, settings->hostname); /* the path is what EHLO says */
    return smarthost;
}

void smarthost_close(struct smarthost *smarthost)
{
    if (smarthost == NULL)
        return;
    curl_easy_cleanup(smarthost->curl);
    free(smarthost->url);
    free(smarthost);
}

static size_t on_nothing(char *data, size_t one, size_t size, void *context)
{
    (void)data, (void)context;
    return one * size;
}

static size_t on_read(char *buffer, size_t one, size_t size, void *context)
{
    struct upload *upload = context;
    size_t left = upload->size - upload->at, wanted = one * size < left ? one * size : left;
    memcpy(buffer, upload->octets + upload->at, wanted);
    upload->at += wanted;
    return wanted;
}

static void prepare(struct smarthost *smarthost)
{
    static const long tls[] = {
        [TLS_NONE] = CURLUSESSL_NONE, [TLS_TRY] = CURLUSESSL_TRY, [TLS_REQUIRE] = CURLUSESSL_ALL};
    const struct settings *settings = smarthost->settings;
    CURL *curl = smarthost->curl;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, smarthost->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USE_SSL, tls[settings->smarthost_tls]);
    if (settings->smarthost_tls != TLS_REQUIRE && strncmp(settings->smarthost, "smtps:", 6) != 0) {
        /* Encryption against those who listen only: who could put himself in between could as well take STARTTLS away.
         */
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (settings->ca_file[0] != '\0')
        curl_easy_setopt(curl, CURLOPT_CAINFO, settings->ca_file);
    if (settings->smarthost_user[0] != '\0') {
        curl_easy_setopt(curl, CURLOPT_USERNAME, settings->smarthost_user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD,
                         settings->smarthost_password != NULL ? settings->smarthost_password : "");
    }
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, REPLY_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_nothing);
}

/* The last reply of the server decides: 5xx is for ever. */
static int verdict(const struct smarthost *smarthost, CURLcode code)
{
    long status = 0;
    curl_easy_getinfo(smarthost->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK)
        return 0;
    /* A password or certificate that is not accepted can be mended while mail waits; 53x is about signing in. */
    bool about_us = code == CURLE_LOGIN_DENIED || code == CURLE_USE_SSL_FAILED ||
                    code == CURLE_PEER_FAILED_VERIFICATION || (status >= 530 && status < 540);
    bool for_ever = status >= 500 && status < 600 && !about_us;
    return err_set(for_ever ? ERR_DENIED : ERR_AGAIN, "the mail server %s does not take the answer (%ld): %s",
                   smarthost->settings->smarthost, status, curl_easy_strerror(code));
}

int smarthost_probe(struct smarthost *smarthost)
{
    prepare(smarthost);
    curl_easy_setopt(smarthost->curl, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(smarthost->curl, CURLOPT_CUSTOMREQUEST, "NOOP");
    CURLcode code = curl_easy_perform(smarthost->curl);
    if (code == CURLE_OK)
        return 0;
    return err_set(ERR_AGAIN, "the mail server for answers, %s, is not there: %s", smarthost->settings->smarthost,
                   curl_easy_strerror(code));
}

int smarthost_send(struct smarthost *smarthost, const char *to, const char *message, size_t size)
{
    struct upload upload = {message, size, 0};
    char *address = xasprintf("<%s>", to);
    struct curl_slist *recipients = curl_slist_append(NULL, address);
    if (recipients == NULL)
        abort();
    prepare(smarthost);
    curl_easy_setopt(smarthost->curl, CURLOPT_MAIL_FROM, "<>");
    curl_easy_setopt(smarthost->curl, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(smarthost->curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(smarthost->curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(smarthost->curl, CURLOPT_READDATA, &upload);
    curl_easy_setopt(smarthost->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)size);
    int result = verdict(smarthost, curl_easy_perform(smarthost->curl));
    curl_slist_free_all(recipients);
    free(address);
    return result;
}
