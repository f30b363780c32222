/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The FSP has checked what the far end's SDP says; what is checked here is that this program can do it. */
#include "plugins/t30/path.h"

#include <string.h>

#include "plugins/t30/options.h"
#include "plugins/t30/t38.h"
#include "server/base/err.h"

static int wrong(const char *key, const char *want)
{
    return err_set(ERR_INVALID, "path: \"%s\" is not %s", key, want);
}

static int read_number(int *value, const json_t *object, const char *key, int standard, int low, int high)
{
    const json_t *item = json_object_get(object, key);

    *value = standard;
    if (!item || json_is_null(item))
        return 0;
    if (!json_is_integer(item) || json_integer_value(item) < low || json_integer_value(item) > high)
        return err_set(ERR_INVALID, "path: \"%s\" is not a whole number from %d to %d", key, low, high);
    *value = (int)json_integer_value(item);
    return 0;
}

/* One of `count` words; the first is the default. */
static int read_word(int *index, const json_t *object, const char *key, const char *const *words, int count)
{
    const json_t *item = json_object_get(object, key);
    const char *text = json_string_value(item);

    *index = 0;
    if (!item || json_is_null(item))
        return 0;
    while (text && *index < count && strcmp(text, words[*index]) != 0)
        ++*index;
    return text && *index < count ? 0 : wrong(key, "a known word");
}

static int read_allowed(struct latch_rules *rules, const json_t *object)
{
    const json_t *list = json_object_get(object, "latch");
    const json_t *item;
    const char *text;
    size_t i;

    if (!list || json_is_null(list))
        return 0;
    if (!json_is_array(list) || json_array_size(list) > LATCH_ADDRESSES_MAX)
        return wrong("latch", "a list of 8 addresses at most");
    json_array_foreach(list, i, item)
    {
        text = json_string_value(item);
        if (text && strcmp(text, "*") == 0)
            rules->anybody = true;
        else if (!text || latch_parse_ip(&rules->allowed[rules->allowed_count++], text) != 0)
            return wrong("latch", "a list of addresses");
    }
    return 0;
}

static int read_far_end(struct latch_rules *rules, const json_t *object)
{
    const char *address = json_string_value(json_object_get(object, "address"));
    int port, error;

    if (!address || latch_parse_ip(&rules->said.ip, address) != 0)
        return wrong("address", "an IP address");
    if ((error = read_number(&port, object, "port", 0, 0, 65535)) != 0)
        return error;
    rules->said.port = (uint16_t)port;
    return read_allowed(rules, object);
}

static int read_key(struct secure_key *key, const json_t *keys, const char *way)
{
    const json_t *object = json_object_get(keys, way);
    const char *suite = json_string_value(json_object_get(object, "suite"));
    const char *text = json_string_value(json_object_get(object, "key"));

    if (!suite || !text)
        return wrong("srtp", "an object with suite and key for both ways");
    return secure_key_parse(key, suite, text);
}

static int read_rtp(struct path *path, const json_t *object)
{
    static const char *const codecs[] = {"PCMU", "PCMA"};
    const json_t *keys = json_object_get(object, "srtp");
    int codec, payload, rtcp_port, error;

    if ((error = read_word(&codec, object, "codec", codecs, 2)) != 0)
        return error;
    if ((error = read_number(&payload, object, "payload", codec == 0 ? 0 : 8, 0, 127)) != 0)
        return error;
    if ((error = read_number(&rtcp_port, object, "rtcp_port", 0, 0, 65535)) != 0)
        return error;
    path->codec = codec == 0 ? RTP_PCMU : RTP_PCMA;
    path->payload = (uint8_t)payload;
    path->rtcp_port = (uint16_t)rtcp_port;
    if (!keys || json_is_null(keys))
        return 0;
    if ((error = read_key(&path->send_key, keys, "send")) != 0)
        return error;
    return read_key(&path->receive_key, keys, "receive");
}

static int read_correction(struct udptl_options *udptl, const json_t *object)
{
    static const char *const words[] = {"redundancy", "none", "fec"};
    static const enum udptl_correction corrections[] = {UDPTL_REDUNDANCY, UDPTL_NONE, UDPTL_FEC};
    int word, control, image, entries, span, error;

    if ((error = read_word(&word, object, "ec", words, 3)) != 0)
        return error;
    if ((error = read_number(&control, object, "redundancy_control", 3, 0, UDPTL_REDUNDANCY_MAX)) != 0)
        return error;
    if ((error = read_number(&image, object, "redundancy_image", 3, 0, UDPTL_REDUNDANCY_MAX)) != 0)
        return error;
    if ((error = read_number(&entries, object, "fec_entries", 3, 1, UDPTL_FEC_REACH)) != 0)
        return error;
    if ((error = read_number(&span, object, "fec_span", 3, 1, UDPTL_FEC_REACH)) != 0)
        return error;
    if (entries * span > UDPTL_FEC_REACH)
        return err_set(ERR_INVALID, "path: \"fec_entries\" times \"fec_span\" is more than %d", UDPTL_FEC_REACH);
    udptl->correction = corrections[word];
    udptl->redundancy_control = (unsigned)control;
    udptl->redundancy_image = (unsigned)image;
    udptl->fec_entries = (unsigned)entries;
    udptl->fec_span = (unsigned)span;
    return 0;
}

static int read_t38(struct path *path, const json_t *object)
{
    /* Over UDP the training check is transferred, whatever was agreed (T.38 8.2); spandsp can do nothing else. */
    static const char *const managements[] = {"transferredTCF", "localTCF"};
    int management, max_datagram, error;

    if ((error = read_number(&path->t38.version, object, "version", 0, 0, T38_VERSION_MAX)) != 0)
        return error;
    error =
        read_number(&path->t38.max_rate_bps, object, "max_bit_rate", OPTIONS_RATE_MAX_BPS, OPTIONS_RATE_MIN_BPS, 33600);
    if (error)
        return error;
    if ((error = read_word(&management, object, "rate_management", managements, 2)) != 0)
        return error;
    if ((error = read_number(&max_datagram, object, "max_datagram", 0, 0, 65535)) != 0)
        return error;
    path->udptl.max_datagram = (size_t)max_datagram;
    path->udptl.reorder = 3;
    return read_correction(&path->udptl, object);
}

int path_parse(struct path *path, const json_t *object)
{
    const char *mode = json_string_value(json_object_get(object, "mode"));
    int error;

    memset(path, 0, sizeof *path);
    if (!mode || (strcmp(mode, "rtp") != 0 && strcmp(mode, "t38") != 0))
        return wrong("mode", "\"rtp\" or \"t38\"");
    path->mode = strcmp(mode, "rtp") == 0 ? PATH_RTP : PATH_T38;
    if ((error = read_far_end(&path->rules, object)) != 0)
        return error;
    return path->mode == PATH_RTP ? read_rtp(path, object) : read_t38(path, object);
}
