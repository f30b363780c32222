/* SPDX-License-Identifier: GPL-2.0-or-later */
/* librsvg runs no script and fetches nothing without a base address, so that this is not what keeps the machine safe: a
 * logo that stands somewhere else would simply be missing on the page, and nobody would know why.
 */
#include "config.h" /* strcasestr */

#include "spool/convert/cover_check.h"

#include <ctype.h>
#include <libxml/parser.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "server/base/err.h"

#define DEPTH_MAX 100

static const char *const pictures[] = {"data:image/png", "data:image/jpeg", "data:image/gif", "data:image/webp"};

static const char *skip_blanks(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

/* A part of the drawing itself, or a picture that is in it. */
static bool is_inside(const char *address)
{
    address = skip_blanks(address);
    if (*address == '#' || *address == '\0')
        return true;
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        size_t length = strlen(pictures[i]);
        if (strncasecmp(address, pictures[i], length) == 0 && (address[length] == ';' || address[length] == ','))
            return true;
    }
    return false;
}

/* Declarations of CSS: each url() has to lead inside. An escape could spell any word, and no drawing needs one. */
static int check_style(const char *style, const char *where)
{
    if (strchr(style, '\\') != NULL)
        return err_set(ERR_INVALID, "the cover page has a backslash in %s: write it without", where);
    if (strcasestr(style, "@import") != NULL)
        return err_set(ERR_INVALID, "the cover page has an @import in %s: put the rules in its place", where);
    for (const char *at = style; (at = strcasestr(at, "url(")) != NULL;) {
        at = skip_blanks(at + 4);
        if (*at == '"' || *at == '\'')
            at++;
        if (!is_inside(at))
            return err_set(ERR_INVALID,
                           "the cover page has \"url(%.40s\" in %s: only what is in the drawing itself can be used", at,
                           where);
    }
    return 0;
}

static int check_attribute(const char *name, const char *value)
{
    if (strncasecmp(name, "on", 2) == 0)
        return err_set(ERR_INVALID, "the cover page has a script in the attribute %.40s: take it out", name);
    if ((strcmp(name, "href") == 0 || strcmp(name, "src") == 0) && !is_inside(value))
        return err_set(ERR_INVALID,
                       "the cover page refers to \"%.60s\": a picture has to be in the template itself, as "
                       "data:image/png;base64,...",
                       value);
    /* Presentation attributes (fill, filter, mask, ...) are CSS as well. */
    if (strcmp(name, "style") == 0 || strcasestr(value, "url(") != NULL)
        return check_style(value, name);
    return 0;
}

static int check_attributes(const xmlNode *node)
{
    int error = 0;
    for (const xmlAttr *at = node->properties; at != NULL && error == 0; at = at->next) {
        xmlChar *value = xmlNodeListGetString(node->doc, at->children, 1);
        error = check_attribute((const char *)at->name, value != NULL ? (const char *)value : "");
        xmlFree(value);
    }
    return error;
}

static int check_sheet(const xmlNode *node)
{
    xmlChar *content = xmlNodeGetContent((xmlNode *)node);
    int error = content != NULL ? check_style((const char *)content, "its <style>") : 0;
    xmlFree(content);
    return error;
}

static int check_node(const xmlNode *node, int depth)
{
    static const char *const refused[] = {"script", "foreignObject", "iframe", "include"};
    int error = 0;
    if (depth > DEPTH_MAX)
        return err_set(ERR_INVALID, "the cover page is nested deeper than %d elements", DEPTH_MAX);
    if (node->type == XML_PI_NODE)
        return err_set(ERR_INVALID, "the cover page has <?%.20s ...?>: take it out", (const char *)node->name);
    if (node->type != XML_ELEMENT_NODE)
        return 0;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (strcasecmp((const char *)node->name, refused[i]) == 0)
            return err_set(ERR_INVALID, "the cover page has a <%s>: take it out", refused[i]);
    }
    error = check_attributes(node);
    if (error == 0 && xmlStrEqual(node->name, BAD_CAST "style"))
        error = check_sheet(node);
    for (const xmlNode *child = node->children; child != NULL && error == 0; child = child->next)
        error = check_node(child, depth + 1);
    return error;
}

int cover_check(const xmlDoc *document)
{
    int error = 0;
    if (document->encoding != NULL && strcasecmp((const char *)document->encoding, "UTF-8") != 0)
        return err_set(ERR_INVALID, "the cover page says that it is written in %.20s: it has to be UTF-8",
                       (const char *)document->encoding);
    for (const xmlNode *node = document->children; node != NULL && error == 0; node = node->next)
        error = check_node(node, 0);
    return error;
}
