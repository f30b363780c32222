/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each method's settings: one function that reads and completes them, one row that says what is shown. */
#include "spool/route_method.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/inbox.h"
#include "spool/mail.h"
#include "spool/outbox.h"
#include "spool/route_name.h"
#include "spool/user.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_MAX_HERE 1000
#define BASE_SIZE     32
#define SUBJECT_MAX   200
#define TIMEOUT_S     60
#define LINK_S        86400
#define LINK_MAX_S    604800

struct reading {
    struct route_faults *faults;
    const struct route_policy *policy;
    const struct route_method *before;
    int before_count;
    char base[BASE_SIZE]; /* "/methods/0" */
    const json_t *from;
    json_t *to;
};

static void fault_at(const struct reading *reading, const char *name, const char *code, const char *text)
{
    char place[BASE_SIZE + 80];
    snprintf(place, sizeof(place), "%s/%s", reading->base, name);
    route_fault(reading->faults, place, code, "%s", text);
}

/* ---- members that several have ---- */

/* The text, which is kept; "" with a fault when it is needed and not there. */
static const char *take_text(struct reading *reading, const char *name, size_t low, size_t high, const char *otherwise)
{
    int faults = reading->faults->count;
    const char *text = route_take_text(reading->faults, reading->from, reading->base, name, low, high);
    if (!text && !otherwise && faults == reading->faults->count)
        fault_at(reading, name, "missing", "it is needed");
    text = text ? text : otherwise ? otherwise : "";
    json_object_set_new(reading->to, name, json_string(text));
    return text;
}

static void take_int(struct reading *reading, const char *name, int64_t low, int64_t high, int64_t otherwise)
{
    json_object_set_new(
        reading->to, name,
        json_integer(route_take_int(reading->faults, reading->from, reading->base, name, low, high, otherwise)));
}

static void take_format(struct reading *reading, int otherwise)
{
    static const char *const formats[] = {"pdf", "tiff", NULL};
    int format = route_take_word(reading->faults, reading->from, reading->base, "format", formats, otherwise);
    json_object_set_new(reading->to, "format", json_string(formats[format]));
}

/* A list of texts, kept; its length. */
static size_t take_list(struct reading *reading, const char *name, size_t least, size_t most, size_t text_max)
{
    const json_t *list = json_object_get(reading->from, name);
    json_t *kept = json_array(), *item;
    size_t i;
    json_object_set_new(reading->to, name, kept);
    if (json_is_null(list))
        list = NULL;
    if ((list && !json_is_array(list)) || json_array_size(list) < least || json_array_size(list) > most) {
        char text[80];
        snprintf(text, sizeof(text), "a list of %zu to %zu texts is needed here", least, most);
        fault_at(reading, name, list ? "wrong_count" : "missing", text);
        return 0;
    }
    json_array_foreach((json_t *)list, i, item)
    {
        const char *text = json_string_value(item);
        char place[60];
        snprintf(place, sizeof(place), "%s/%zu", name, i);
        if (!text || !*text || strlen(text) > text_max || strlen(text) != json_string_length(item))
            fault_at(reading, place, "wrong_type", "a text is needed here, not empty and not so long");
        else
            json_array_append(kept, item);
    }
    return json_array_size(kept);
}

/* An absolute path without steps that lead elsewhere. */
static bool is_path(const char *path)
{
    if (*path != '/')
        return false;
    for (const char *at = path; at; at = strchr(at + 1, '/')) {
        size_t length = strcspn(at + 1, "/");
        if ((length == 1 && at[1] == '.') || (length == 2 && at[1] == '.' && at[2] == '.'))
            return false;
    }
    return true;
}

bool route_path_lies_in(const char *path, const char *root)
{
    size_t length = strlen(root);
    while (length > 0 && root[length - 1] == '/')
        length--;
    return strncmp(path, root, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Is the path one that a rule may name? What it has to stay in is kept as "root", "" = anywhere. */
static void check_path(struct reading *reading, const char *name, const char *path, const char *root, const char *key)
{
    char text[300];
    bool trusted = reading->policy->trusted;
    if (*path && !is_path(path)) {
        fault_at(reading, name, "invalid_path", "an absolute path without . and .. is needed here");
    } else if (*path && !trusted && !*root) {
        snprintf(text, sizeof(text),
                 "this server allows it in its configuration only: its administrator can name a "
                 "folder for it by routing|%s",
                 key);
        fault_at(reading, name, "not_allowed", text);
    } else if (*path && !trusted && !route_path_lies_in(path, root)) {
        snprintf(text, sizeof(text), "it has to lie in %.200s (routing|%s)", root, key);
        fault_at(reading, name, "not_allowed", text);
    }
    json_object_set_new(reading->to, "root", json_string(trusted ? "" : root));
}

/* ---- methods ---- */

static void read_folder(struct reading *reading)
{
    const char *folder = take_text(reading, "folder", 1, PATH_MAX_HERE, NULL);
    check_path(reading, "folder", folder, reading->policy->folder_root, "folder_root");
    take_format(reading, 0);
    const char *name = take_text(reading, "name", 1, ROUTE_NAME_PATTERN_MAX, ROUTE_NAME_DEFAULT);
    if (route_name_check(name))
        fault_at(reading, "name", "invalid_name", err_message());
}

static void read_command(struct reading *reading)
{
    size_t count = take_list(reading, "argv", 1, ROUTE_ARGV_MAX, PATH_MAX_HERE);
    const char *program = json_string_value(json_array_get(json_object_get(reading->to, "argv"), 0));
    if (count > 0 && program)
        check_path(reading, "argv/0", program, reading->policy->command_dir, "command_dir");
    take_format(reading, 1);
    take_int(reading, "timeout_s", 1, ROUTE_TIMEOUT_MAX, TIMEOUT_S);
}

static void read_print(struct reading *reading)
{
    const char *printer = take_text(reading, "printer", 1, 127, NULL);
    const char *server = take_text(reading, "server", 1, 200, "");
    if (*printer && (*printer == '-' || strpbrk(printer, " /#")))
        fault_at(reading, "printer", "invalid_name",
                 "the name of a printer has no blanks, '/' or '#', and no '-' first");
    if (*server == '-' || strpbrk(server, " "))
        fault_at(reading, "server", "invalid_name", "HOST, HOST:PORT or the path of a socket is needed here");
    take_list(reading, "options", 0, 20, 200);
    take_int(reading, "copies", 1, 100, 1);
    take_format(reading, 0);
    take_int(reading, "timeout_s", 1, ROUTE_TIMEOUT_MAX, TIMEOUT_S);
}

/* The secret of the webhook with this address that the rule had, NULL = none. */
static const char *secret_before(const struct reading *reading, const char *url)
{
    for (int i = 0; i < reading->before_count; i++) {
        const char *other = json_string_value(json_object_get(reading->before[i].settings, "url"));
        if (reading->before[i].kind == ROUTE_WEBHOOK && other && strcmp(other, url) == 0)
            return json_string_value(json_object_get(reading->before[i].settings, "secret"));
    }
    return NULL;
}

static void read_webhook(struct reading *reading)
{
    const char *url = take_text(reading, "url", 1, 2000, NULL);
    const char *given = route_take_text(reading->faults, reading->from, reading->base, "secret", 1, 120);
    const char *secret = given ? given : secret_before(reading, url);
    char made[OUTBOX_SECRET_SIZE];
    if (*url && outbox_url_check(url))
        fault_at(reading, "url", "invalid_url", err_message());
    if (given && outbox_secret_check(given))
        fault_at(reading, "secret", "invalid_secret", err_message());
    if (!secret && reading->policy->trusted) /* another one with each start would be of no use */
        fault_at(reading, "secret", "missing", "it is needed: whsec_ and base64");
    if (!secret)
        outbox_secret_make(made);
    json_object_set_new(reading->to, "secret", json_string(secret ? secret : made));
    take_format(reading, 0);
    take_int(reading, "expires_s", 60, LINK_MAX_S, LINK_S);
}

static void read_inbox(struct reading *reading)
{
    struct user user;
    const char *id = take_text(reading, "user", 1, USER_ID_SIZE - 1, "");
    size_t labels = take_list(reading, "labels", 0, INBOX_LABELS_MAX, INBOX_LABEL_MAX);
    if (!*id && labels == 0)
        fault_at(reading, "user", "missing", "a user, labels, or both are needed");
    if (*id && reading->policy->spool && user_find(&user, reading->policy->spool, id))
        fault_at(reading, "user", "unknown_user", "there is no such user");
}

static void read_email(struct reading *reading)
{
    static const char *const formats[] = {"pdf", "tiff", "link", "none", NULL};
    const char *to = take_text(reading, "to", 1, MAIL_ADDRESS_MAX, NULL);
    if (!reading->policy->mail)
        fault_at(reading, "type", "mail_not_configured",
                 "this server sends no mail: its administrator can set mail|server");
    if (*to && mail_address_check(to))
        fault_at(reading, "to", "invalid_address", err_message());
    int format = route_take_word(reading->faults, reading->from, reading->base, "format", formats, 0);
    json_object_set_new(reading->to, "format", json_string(formats[format]));
    take_text(reading, "language", 2, MAIL_LANGUAGE_MAX, "");
    take_text(reading, "subject", 1, SUBJECT_MAX, "");
}

/* Names, those that the API shows, end with NULL; what else is kept is ours. */
static const struct kind {
    enum route_kind kind;
    const char *name;
    void (*read)(struct reading *reading);
    const char *target; /* member that says where it goes */
    const char *names[10];
} kinds[] = {
    {ROUTE_FOLDER, "folder", read_folder, "folder", {"type", "folder", "format", "name", NULL}},
    {ROUTE_EMAIL, "email", read_email, "to", {"type", "to", "format", "language", "subject", NULL}},
    {ROUTE_WEBHOOK, "webhook", read_webhook, "url", {"type", "url", "secret", "format", "expires_s", NULL}},
    {ROUTE_PRINT,
     "print",
     read_print,
     "printer",
     {"type", "printer", "server", "options", "copies", "format", "timeout_s", NULL}},
    {ROUTE_COMMAND, "command", read_command, "argv", {"type", "argv", "format", "timeout_s", NULL}},
    {ROUTE_INBOX, "inbox", read_inbox, "user", {"type", "user", "labels", NULL}},
};

#define KINDS (sizeof(kinds) / sizeof(*kinds))

static const struct kind *kind_named(const char *name)
{
    for (size_t i = 0; i < KINDS; i++)
        if (name && strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

static const struct kind *kind_of(enum route_kind kind)
{
    for (size_t i = 0; i < KINDS; i++)
        if (kinds[i].kind == kind)
            return &kinds[i];
    return NULL;
}

const char *route_kind_name(enum route_kind kind)
{
    const struct kind *row = kind_of(kind);
    return row ? row->name : "unknown";
}

/* ---- lists of them ---- */

static bool read_one(struct route_method *method, struct reading *reading, const json_t *object)
{
    if (!json_is_object(object)) {
        route_fault(reading->faults, reading->base, "wrong_type", "an object with a type is needed here");
        return false;
    }
    const struct kind *kind = kind_named(json_string_value(json_object_get(object, "type")));
    if (!kind) {
        fault_at(reading, "type", json_object_get(object, "type") ? "unknown_word" : "missing",
                 "one of folder, email, webhook, print, command, inbox is needed here");
        return false;
    }
    reading->from = object;
    reading->to = json_pack("{s:s}", "type", kind->name);
    *method = (struct route_method){kind->kind, reading->to};
    route_check_names(reading->faults, object, reading->base, kind->names);
    kind->read(reading);
    return true;
}

int route_methods_read(struct route_method methods[ROUTE_METHODS_MAX], const json_t *list,
                       const struct route_policy *policy, const struct route_method *before, int before_count,
                       struct route_faults *faults)
{
    struct reading reading = {
        .faults = faults, .policy = policy, .before = before, .before_count = before_count, .from = NULL};
    size_t count = json_array_size(list);
    int kept = 0;
    if (!json_is_array(list) || count < 1 || count > ROUTE_METHODS_MAX) {
        route_fault(faults, "/methods", list ? "wrong_count" : "missing", "a list of 1 to %d methods is needed here",
                    ROUTE_METHODS_MAX);
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        snprintf(reading.base, sizeof(reading.base), "/methods/%zu", i);
        kept += read_one(&methods[kept], &reading, json_array_get(list, i));
    }
    return kept;
}

void route_method_clear(struct route_method *method)
{
    json_decref(method->settings);
    method->settings = NULL;
}

bool route_method_load(struct route_method *method, const json_t *settings)
{
    const struct kind *kind = kind_named(json_string_value(json_object_get(settings, "type")));
    if (!kind)
        return false;
    *method = (struct route_method){kind->kind, json_incref((json_t *)settings)};
    return true;
}

json_t *route_method_json(const struct route_method *method, bool with_secrets)
{
    const struct kind *kind = kind_of(method->kind);
    json_t *object = json_object();
    for (int i = 0; kind->names[i]; i++) {
        json_t *value = json_object_get(method->settings, kind->names[i]);
        if (strcmp(kind->names[i], "secret") == 0 && !with_secrets)
            continue;
        if (value && json_is_string(value) && !*json_string_value(value))
            json_object_set_new(object, kind->names[i], json_null());
        else if (value)
            json_object_set(object, kind->names[i], value);
    }
    return object;
}

char *route_method_target(char target[ROUTE_TARGET_SIZE], const struct route_method *method)
{
    const json_t *value = json_object_get(method->settings, kind_of(method->kind)->target);
    const char *text = json_string_value(json_is_array(value) ? json_array_get(value, 0) : value);
    str_copy(target, ROUTE_TARGET_SIZE, text);
    /* Of an address no more than the host: what follows may be a secret. */
    if (method->kind == ROUTE_WEBHOOK && strstr(target, "://"))
        strstr(target, "://")[3 + strcspn(strstr(target, "://") + 3, "/?#")] = '\0';
    if (method->kind == ROUTE_INBOX && !*target) {
        char *labels = json_dumps(json_object_get(method->settings, "labels"), JSON_COMPACT);
        str_copy(target, ROUTE_TARGET_SIZE, labels ? labels : "");
        free(labels);
    }
    return target;
}
