/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nonces given last are kept in a ring; the oldest makes room. */
#include "config.h"

#include "plugins/sip/challenge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/auth_digest.h>
#include <sofia-sip/su_uniqueid.h>

#include "server/base/log.h"

#define NONCES     1024
#define NONCE_SIZE 33
#define LIFE_MS    60000

struct nonce {
    char text[NONCE_SIZE];
    int64_t made_ms;
    unsigned long used; /* the highest count */
};

struct challenge {
    struct nonce nonces[NONCES];
    int next;
};

struct challenge *challenge_new(void)
{
    return xcalloc(1, sizeof(struct challenge));
}

void challenge_free(struct challenge *challenge)
{
    free(challenge);
}

void challenge_make(struct challenge *challenge, const char *realm, bool stale, int64_t now_ms,
                    char text[CHALLENGE_TEXT_SIZE])
{
    struct nonce *nonce = &challenge->nonces[challenge->next];
    uint64_t random[2];

    challenge->next = (challenge->next + 1) % NONCES;
    su_randmem(random, sizeof(random));
    snprintf(nonce->text, sizeof(nonce->text), "%016llx%016llx", (unsigned long long)random[0],
             (unsigned long long)random[1]);
    nonce->made_ms = now_ms;
    nonce->used = 0;
    snprintf(text, CHALLENGE_TEXT_SIZE, "Digest realm=\"%.200s\", nonce=\"%s\", algorithm=MD5, qop=\"auth\"%s", realm,
             nonce->text, stale ? ", stale=true" : "");
}

/* `quoted` without its quotes, compared with `plain`. */
static bool is_text(const char *quoted, const char *plain)
{
    size_t length = strlen(plain);

    if (!quoted)
        return false;
    if (*quoted != '"')
        return strcmp(quoted, plain) == 0;
    return strncmp(quoted + 1, plain, length) == 0 && strcmp(quoted + 1 + length, "\"") == 0;
}

static struct nonce *find_nonce(struct challenge *challenge, const char *text)
{
    for (int i = 0; i < NONCES; i++)
        if (challenge->nonces[i].text[0] && is_text(text, challenge->nonces[i].text))
            return &challenge->nonces[i];
    return NULL;
}

static bool is_right(auth_response_t *answer, const char *method, const char *password)
{
    auth_hexmd5_t ha1, wanted;
    unsigned char differs = 0;
    const char *given = answer->ar_response;

    auth_digest_a1(answer, ha1, password);
    auth_digest_response(answer, wanted, ha1, method, NULL, 0);
    if (*given == '"')
        given++;
    if (strlen(given) < 32)
        return false;
    for (int i = 0; i < 32; i++) /* in the same time whatever differs */
        differs |= (unsigned char)(given[i] ^ wanted[i]);
    return differs == 0;
}

static enum challenge_verdict judge(struct challenge *challenge, auth_response_t *answer, const sip_t *sip,
                                    const char *user, const char *password, int64_t now_ms)
{
    struct nonce *nonce;
    unsigned long count;

    if (!answer->ar_username || !answer->ar_nonce || !answer->ar_uri || !answer->ar_response || !answer->ar_cnonce ||
        !answer->ar_nc || !answer->ar_md5 || !answer->ar_auth)
        return CHALLENGE_WRONG;
    if (!is_text(answer->ar_username, user) || !is_right(answer, sip->sip_request->rq_method_name, password))
        return CHALLENGE_WRONG;
    nonce = find_nonce(challenge, answer->ar_nonce);
    count = strtoul(answer->ar_nc, NULL, 16);
    if (!nonce || now_ms - nonce->made_ms > LIFE_MS || count <= nonce->used)
        return CHALLENGE_STALE;
    nonce->used = count;
    return CHALLENGE_RIGHT;
}

enum challenge_verdict challenge_check(struct challenge *challenge, const sip_t *sip, const char *realm,
                                       const char *user, const char *password, int64_t now_ms)
{
    enum challenge_verdict verdict = CHALLENGE_NONE;

    for (sip_authorization_t const *given = sip->sip_authorization; given; given = given->au_next) {
        auth_response_t answer = {.ar_size = sizeof(answer)};
        su_home_t home[1] = {SU_HOME_INIT(home)};

        su_home_init(home);
        if (auth_digest_response_get(home, &answer, given->au_params) >= 0 && is_text(answer.ar_realm, realm))
            verdict = judge(challenge, &answer, sip, user, password, now_ms);
        su_home_deinit(home);
        if (verdict == CHALLENGE_RIGHT)
            break;
    }
    return verdict;
}
