/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Error codes and the message that goes with the last one. Every other file stands on this one.
 *
 * The message lives in thread storage, so that a worker's failure never overwrites the loop's. Each program and each
 * plug-in has a copy of its own: a message does not cross a plug-in boundary.
 */
#include "server/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_SIZE 512

static _Thread_local char message[MESSAGE_SIZE];

int err_set(enum err_code code, const char *fmt, ...)
{
    /* Built aside first: the arguments may include err_message() itself. */
    char text[MESSAGE_SIZE];
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (length < 0)
        text[0] = '\0';
    memcpy(message, text, strlen(text) + 1);
    return code;
}

const char *err_message(void)
{
    return message;
}

const char *err_name(int code)
{
    switch ((enum err_code)code) {
    case ERR_OK:
        return "ok";
    case ERR_IO:
        return "io";
    case ERR_NOT_FOUND:
        return "not_found";
    case ERR_INVALID:
        return "invalid";
    case ERR_TOO_BIG:
        return "too_big";
    case ERR_CONFLICT:
        return "conflict";
    case ERR_FULL:
        return "full";
    case ERR_DENIED:
        return "denied";
    case ERR_UNSUPPORTED:
        return "unsupported";
    case ERR_CLOSED:
        return "closed";
    case ERR_AGAIN:
        return "again";
    case ERR_INTERNAL:
        return "internal";
    case ERR_DAMAGED:
        return "damaged";
    }
    return "unknown";
}
