/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS by OpenSSL. A pair is one SSL_CTX; each connection has a reference to the one it began with. */
#include "config.h" /* timegm */

#include "web/tls.h"

#include "server/base/err.h"
#include "server/base/log.h"

#include <errno.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* What TLS 1.2 may use; TLS 1.3 has only good ones. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

struct tls {
    SSL_CTX *context;
    int64_t expires_at;
    bool stale;
};

/* --- loading a pair --- */

/* OpenSSL's queue of errors as one message; the queue is empty afterwards. */
static int fault(const char *what, const char *path)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    int error = err_set(ERR_INVALID, "%s %s: %s", what, path, reason ? reason : "it is not usable");

    ERR_clear_error();
    return error;
}

static int check_readable(const char *what, const char *path)
{
    if (access(path, R_OK) == 0)
        return 0;
    return err_set(ERR_INVALID, "%s: cannot read %s: %s", what, path, strerror(errno));
}

/* A key with a password would have OpenSSL ask at the terminal. */
static int no_password(char *buffer, int size, int rw, void *context)
{
    (void)buffer, (void)size, (void)rw, (void)context;
    return -1;
}

/* HTTP/1.1 is what is spoken here; who offers only others is told at once. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_size, const unsigned char *offered,
                           unsigned offered_size, void *context)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen;

    (void)ssl, (void)context;
    if (SSL_select_next_proto(&chosen, out_size, ours, sizeof ours - 1, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* Told, and used all the same. */
static void check_private(const char *path)
{
    struct stat info;

    if (stat(path, &info) == 0 && (info.st_mode & 07))
        log_warning("web|tls_key: everybody on this machine can read %s", path);
}

static int load_pair(SSL_CTX *context, const char *certificate, const char *key)
{
    int error = check_readable("web|tls_certificate", certificate);

    if (error == 0)
        error = check_readable("web|tls_key", key);
    if (error != 0)
        return error;
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
        return fault("web|tls_certificate: no certificate in", certificate);
    /* A key that does not belong to the certificate is found out here as well. */
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        return fault("web|tls_key: no key for the certificate in", key);
    if (SSL_CTX_check_private_key(context) != 1)
        return fault("web|tls_key: no key for the certificate in", key);
    check_private(key);
    return 0;
}

static SSL_CTX *make_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    if (!context)
        return NULL;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_cipher_list(context, CIPHERS);
    /* Sessions are taken up by tickets, which cost no memory here; buffers are there while octets are in them. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"faxd", 4);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_default_passwd_cb(context, no_password);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    return context;
}

static int64_t end_of(SSL_CTX *context)
{
    struct tm tm;
    X509 *certificate = SSL_CTX_get0_certificate(context);

    if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) != 1)
        return 0;
    return (int64_t)timegm(&tm) * 1000;
}

int tls_reload(struct tls *tls, const char *certificate, const char *key)
{
    SSL_CTX *context = make_context();
    int error = context ? load_pair(context, certificate, key) : fault("TLS", "");

    tls->stale = error != 0;
    if (error != 0) {
        SSL_CTX_free(context);
        return error;
    }
    SSL_CTX_free(tls->context);
    tls->context = context;
    tls->expires_at = end_of(context);
    return 0;
}

int tls_open(struct tls **out, const char *certificate, const char *key)
{
    struct tls *tls = xcalloc(1, sizeof *tls);
    int error = tls_reload(tls, certificate, key);

    *out = NULL;
    if (error == 0)
        *out = tls;
    else
        tls_close(tls);
    return error;
}

void tls_close(struct tls *tls)
{
    if (!tls)
        return;
    SSL_CTX_free(tls->context);
    free(tls);
}

bool tls_is_stale(const struct tls *tls)
{
    return tls->stale;
}

int64_t tls_expires_at(const struct tls *tls)
{
    return tls->expires_at;
}

/* --- connections --- */

struct bufferevent *tls_bufferevent(struct tls *tls, struct event_base *base)
{
    SSL *ssl = SSL_new(tls->context);
    struct bufferevent *bev = NULL;

    if (ssl)
        bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    if (ssl && !bev)
        SSL_free(ssl);
    ERR_clear_error();
    return bev;
}

bool tls_is_through(struct bufferevent *bev)
{
    return SSL_is_init_finished(bufferevent_openssl_get_ssl(bev)) == 1;
}

void tls_send_now(struct bufferevent *bev, const void *octets, size_t size)
{
    struct pollfd room = {.fd = bufferevent_getfd(bev), .events = POLLOUT};

    /* A record that goes out by half would have to be finished before any other: only where there is room for it. */
    if (poll(&room, 1, 0) == 1 && (room.revents & POLLOUT))
        (void)!SSL_write(bufferevent_openssl_get_ssl(bev), octets, (int)size);
    ERR_clear_error();
}

void tls_say_goodbye(struct bufferevent *bev)
{
    SSL *ssl = bufferevent_openssl_get_ssl(bev);

    if (SSL_is_init_finished(ssl))
        (void)!SSL_shutdown(ssl);
    ERR_clear_error();
}
