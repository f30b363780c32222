/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The job's JSON to struct options. The FSP that wrote it is trusted more than the far end, but its texts come from
 * people: each is checked for what T.30 and spandsp can carry. */
#include "plugins/t30/options.h"

#include <jansson.h>
#include <stddef.h>
#include <string.h>

#include "server/base/err.h"

#define CALL_MS_MAX    (24LL * 3600 * 1000)
#define FILE_BYTES_MAX (4LL << 30)

static const char *const resolution_names[OPTIONS_RESOLUTION_COUNT] = {"standard", "fine", "superfine", "300", "400"};

struct word {
    const char *name;
    unsigned value;
};

static const struct word modem_words[] = {{"v27ter", OPTIONS_V27TER}, {"v29", OPTIONS_V29}, {"v17", OPTIONS_V17}};
static const struct word compression_words[] = {{"mh", OPTIONS_MH}, {"mr", OPTIONS_MR}, {"mmr", OPTIONS_MMR}};

const char *options_resolution_name(enum options_resolution resolution)
{
    return resolution < OPTIONS_RESOLUTION_COUNT ? resolution_names[resolution] : "";
}

static int wrong(const char *key, const char *want)
{
    return err_set(ERR_INVALID, "job: \"%s\" is not %s", key, want);
}

static int read_int(int64_t *value, const json_t *object, const char *key, int64_t standard, int64_t low, int64_t high)
{
    const json_t *item = json_object_get(object, key);

    *value = standard;
    if (!item || json_is_null(item))
        return 0;
    if (!json_is_integer(item) || json_integer_value(item) < low || json_integer_value(item) > high)
        return err_set(ERR_INVALID, "job: \"%s\" is not a whole number from %lld to %lld", key, (long long)low,
                       (long long)high);
    *value = json_integer_value(item);
    return 0;
}

static int read_small(int *value, const json_t *object, const char *key, int standard, int low, int high)
{
    int64_t wide;
    int error = read_int(&wide, object, key, standard, low, high);

    *value = (int)wide;
    return error;
}

static int read_bool(bool *value, const json_t *object, const char *key, bool standard)
{
    const json_t *item = json_object_get(object, key);

    *value = standard;
    if (!item || json_is_null(item))
        return 0;
    if (!json_is_boolean(item))
        return wrong(key, "true or false");
    *value = json_is_true(item);
    return 0;
}

/* One of two words; `*first` tells which. Must be present. */
static int read_choice(bool *first, const json_t *object, const char *key, const char *one, const char *other)
{
    const char *text = json_string_value(json_object_get(object, key));

    if (text && strcmp(text, one) == 0)
        *first = true;
    else if (text && strcmp(text, other) == 0)
        *first = false;
    else
        return err_set(ERR_INVALID, "job: \"%s\" is neither \"%s\" nor \"%s\"", key, one, other);
    return 0;
}

/* A T.30 identification: printable ASCII of at most size - 1 characters. */
static int read_ident(char *to, size_t size, const json_t *object, const char *key)
{
    const json_t *item = json_object_get(object, key);
    const char *text;
    size_t i;

    to[0] = '\0';
    if (!item || json_is_null(item))
        return 0;
    if (!(text = json_string_value(item)) || json_string_length(item) >= size)
        return wrong(key, "a text of 20 characters at most");
    for (i = 0; text[i]; i++)
        if (text[i] < ' ' || text[i] > '~')
            return wrong(key, "printable ASCII");
    memcpy(to, text, i + 1);
    return 0;
}

/* The header line: spandsp draws code page 437 and at most 50 characters. What is not ASCII becomes '?', one for each
 * character, since a name with an accent must not cost the call. */
static int read_header(char *to, const json_t *object)
{
    const json_t *item = json_object_get(object, "header");
    const unsigned char *from;
    size_t used = 0;

    to[0] = '\0';
    if (!item || json_is_null(item))
        return 0;
    if (!json_is_string(item))
        return wrong("header", "a text");
    for (from = (const unsigned char *)json_string_value(item); *from && used < OPTIONS_HEADER_SIZE - 1; from++) {
        if ((*from & 0xC0) == 0x80)
            continue; /* the rest of a character that has its '?' already */
        to[used++] = *from >= ' ' && *from <= '~' ? (char)*from : '?';
    }
    to[used] = '\0';
    return 0;
}

/* A list of words to a mask; an absent or empty list means all of them. */
static int read_words(unsigned *mask, const json_t *object, const char *key, const struct word *words, size_t count)
{
    const json_t *list = json_object_get(object, key);
    const json_t *item;
    size_t index, i;
    const char *text;

    *mask = 0;
    if (list && !json_is_null(list) && !json_is_array(list))
        return wrong(key, "a list");
    json_array_foreach(list, index, item)
    {
        text = json_string_value(item);
        for (i = 0; text && i < count; i++)
            if (strcmp(text, words[i].name) == 0)
                break;
        if (!text || i == count)
            return wrong(key, "a list of known names");
        *mask |= words[i].value;
    }
    for (i = 0; json_array_size(list) == 0 && i < count; i++)
        *mask |= words[i].value;
    return 0;
}

static int read_file(struct options_file *file, const json_t *item)
{
    const char *name = json_string_value(json_object_get(item, "resolution"));
    int i;

    for (i = 0; name && i < OPTIONS_RESOLUTION_COUNT; i++)
        if (strcmp(name, resolution_names[i]) == 0)
            break;
    if (!name || i == OPTIONS_RESOLUTION_COUNT)
        return wrong("files.resolution", "standard, fine, superfine, 300 or 400");
    file->resolution = (enum options_resolution)i;
    if (read_small(&file->length_mm, item, "length_mm", 0, 0, 100000) != 0)
        return ERR_INVALID;
    return read_small(&file->width, item, "width", 1728, 1, 10000);
}

static int read_files(struct options *options, const json_t *object)
{
    const json_t *list = json_object_get(object, "files");
    size_t i;
    int error;

    if (!options->sending)
        return 0; /* the one file to fill has no properties yet */
    if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > OPTIONS_FILES_MAX)
        return wrong("files", "a list of 1 to 12 renditions");
    for (i = 0; i < json_array_size(list); i++)
        if ((error = read_file(&options->files[i], json_array_get(list, i))) != 0)
            return error;
    options->file_count = (int)i;
    return 0;
}

static int read_audio(struct options_audio *audio, const json_t *job)
{
    const json_t *object = json_object_get(job, "audio");
    const json_t *noise = json_object_get(object, "noise_dbm0");
    int error;

    if (object && !json_is_object(object))
        return wrong("audio", "an object");
    if ((error = read_small(&audio->pace, object, "pace", 0, 0, 1000)) != 0)
        return error;
    if ((error = read_small(&audio->chunk_ms, object, "chunk_ms", audio->pace ? 20 : 200, 5, 1000)) != 0)
        return error;
    if ((error = read_small(&audio->delay_ms, object, "delay_ms", 0, 0, 5000)) != 0)
        return error;
    if ((error = read_small(&audio->drop_after_ms, object, "drop_after_ms", 0, 0, 86400000)) != 0)
        return error;
    audio->noise = noise && !json_is_null(noise);
    audio->noise_dbm0 = audio->noise ? json_number_value(noise) : 0.0;
    if (audio->noise && (!json_is_number(noise) || audio->noise_dbm0 < -99.0 || audio->noise_dbm0 > 0.0))
        return wrong("noise_dbm0", "a number from -99 to 0");
    return 0;
}

static int read_limits(struct options_limits *limits, const json_t *job)
{
    const json_t *object = json_object_get(job, "limits");
    int error;

    if (object && !json_is_object(object))
        return wrong("limits", "an object");
    if ((error = read_int(&limits->call_ms, object, "call_ms", 3600000, 1000, CALL_MS_MAX)) != 0)
        return error;
    if ((error = read_small(&limits->cpu_s, object, "cpu_s", 120, 1, 86400)) != 0)
        return error;
    if ((error = read_int(&limits->memory_bytes, object, "memory_bytes", 256LL << 20, 64LL << 20, 64LL << 30)) != 0)
        return error;
    return read_int(&limits->file_bytes, object, "file_bytes", 256LL << 20, 4096, FILE_BYTES_MAX);
}

/* Numbers of +FTM and +FRM (T.31 table 3), by the modem that they belong to. */
static const struct {
    int number;
    unsigned modem;
} modulations[] = {{24, OPTIONS_V27TER}, {48, OPTIONS_V27TER}, {72, OPTIONS_V29},  {96, OPTIONS_V29},
                   {73, OPTIONS_V17},    {74, OPTIONS_V17},    {97, OPTIONS_V17},  {98, OPTIONS_V17},
                   {121, OPTIONS_V17},   {122, OPTIONS_V17},   {145, OPTIONS_V17}, {146, OPTIONS_V17}};

/* The modems of which all numbers are in the list: T.30 may ask for any rate of a modem, and for short training. */
static int read_modulations(unsigned *modems, const json_t *object, const char *key)
{
    const json_t *list = json_object_get(object, key);
    const json_t *item;
    bool found;
    size_t at;

    *modems = OPTIONS_V27TER | OPTIONS_V29 | OPTIONS_V17;
    if (!json_is_array(list))
        return wrong(key, "a list of numbers");
    for (size_t i = 0; i < sizeof modulations / sizeof *modulations; i++) {
        found = false;
        json_array_foreach(list, at, item)
        {
            found |= json_is_integer(item) && json_integer_value(item) == modulations[i].number;
        }
        if (!found)
            *modems &= ~modulations[i].modem;
    }
    return *modems & OPTIONS_V27TER ? 0 : wrong(key, "a list with 24 and 48: every fax modem has V.27ter");
}

static int read_modem(struct options *options, const json_t *job)
{
    const json_t *object = json_object_get(job, "modem");
    const char *flow = json_string_value(json_object_get(object, "flow"));
    int error;

    if (!json_is_object(object))
        return wrong("modem", "an object");
    if (flow && strcmp(flow, "hardware") != 0 && strcmp(flow, "software") != 0 && strcmp(flow, "none") != 0)
        return wrong("modem.flow", "hardware, software or none");
    options->modem.xon_xoff = flow && strcmp(flow, "software") == 0;
    if ((error = read_modulations(&options->modem.transmit, object, "transmit")) != 0)
        return error;
    if ((error = read_modulations(&options->modem.receive, object, "receive")) != 0)
        return error;
    return read_bool(&options->modem.realtime, object, "realtime", false);
}

static int read_media(struct options *options, const json_t *job)
{
    static const struct {
        const char *carrier, *media;
    } ways[] = {{"audio", "stream"}, {"udp", "datagram"}, {"modem", "serial"}};
    const char *carrier = json_string_value(json_object_get(job, "carrier"));
    const char *media = json_string_value(json_object_get(job, "media"));
    size_t way = 0;
    int error;

    while (way < 3 && (!carrier || strcmp(carrier, ways[way].carrier) != 0))
        way++;
    if (way == 3)
        return wrong("carrier", "audio, udp or modem");
    if (!media || strcmp(media, ways[way].media) != 0)
        return err_set(ERR_INVALID, "job: \"media\" is not \"%s\"", ways[way].media);
    options->datagram = way == 1;
    options->serial = way == 2;
    if (options->serial)
        return read_modem(options, job);
    if (!options->datagram)
        return 0;
    if ((error = read_bool(&options->has_rtcp, job, "rtcp", false)) != 0)
        return error;
    return path_parse(&options->path, json_object_get(job, "path"));
}

/* The call uses what the modem has, too. */
static void limit_modems(struct options *options)
{
    if (options->serial)
        options->modems &= options->sending ? options->modem.transmit : options->modem.receive;
    if (options->modems == 0)
        options->modems = OPTIONS_V27TER;
}

/* Who is who, and what goes over the line. */
static int read_roles(struct options *options, const json_t *job)
{
    int error;

    if ((error = read_choice(&options->calling, job, "role", "caller", "answerer")) != 0)
        return error;
    if ((error = read_choice(&options->sending, job, "direction", "send", "receive")) != 0)
        return error;
    if ((error = read_media(options, job)) != 0)
        return error;
    return read_bool(&options->has_journal, job, "journal", true);
}

static int read_texts(struct options *options, const json_t *job)
{
    int error;

    if ((error = read_ident(options->station_id, sizeof options->station_id, job, "station_id")) != 0)
        return error;
    if ((error = read_ident(options->subaddress, sizeof options->subaddress, job, "subaddress")) != 0)
        return error;
    if ((error = read_ident(options->password, sizeof options->password, job, "password")) != 0)
        return error;
    return read_header(options->header, job);
}

static int read_capabilities(struct options *options, const json_t *job)
{
    int error;

    if ((error = read_bool(&options->ecm, job, "ecm", true)) != 0)
        return error;
    if ((error = read_words(&options->modems, job, "modems", modem_words, 3)) != 0)
        return error;
    if ((error = read_words(&options->compressions, job, "compressions", compression_words, 3)) != 0)
        return error;
    limit_modems(options);
    options->compressions |= OPTIONS_MH; /* T.30 table 2: one-dimensional coding is not optional */
    return read_small(&options->max_rate_bps, job, "max_rate_bps", OPTIONS_RATE_MAX_BPS, OPTIONS_RATE_MIN_BPS, 33600);
}

static int read_job(struct options *options, const json_t *job)
{
    int error;

    if (!json_is_object(job))
        return err_set(ERR_INVALID, "job: not a JSON object");
    if ((error = read_roles(options, job)) != 0)
        return error;
    if ((error = read_texts(options, job)) != 0)
        return error;
    if ((error = read_capabilities(options, job)) != 0)
        return error;
    if ((error = read_files(options, job)) != 0)
        return error;
    if ((error = read_audio(&options->audio, job)) != 0)
        return error;
    return read_limits(&options->limits, job);
}

int options_parse(struct options *options, const char *text)
{
    json_error_t problem;
    json_t *job = json_loads(text, JSON_REJECT_DUPLICATES, &problem);
    int error;

    memset(options, 0, sizeof *options);
    if (!job)
        return err_set(ERR_INVALID, "job: %s", problem.text);
    error = read_job(options, job);
    json_decref(job);
    return error;
}

int options_descriptor_count(const struct options *options)
{
    return 2 + (options->has_rtcp ? 1 : 0) + (options->has_journal ? 1 : 0) +
           (options->sending ? options->file_count : 1);
}
