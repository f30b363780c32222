/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Caller id as text. */
#include "config.h"

#include "tests/lib/modem_caller.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MESSAGE_MAX      128
#define CALL_SETUP       0x80
#define PARAMETER_TIME   0x01
#define PARAMETER_NUMBER 0x02
#define PARAMETER_WHY    0x04 /* no number: "P" or "O" */
#define PARAMETER_NAME   0x07
#define PARAMETER_NONAME 0x08

struct message {
    uint8_t octets[MESSAGE_MAX];
    size_t count;
};

static bool is_withheld(const char *caller)
{
    return strcmp(caller, "P") == 0 || strcmp(caller, "O") == 0;
}

static void put_parameter(struct message *message, uint8_t type, const char *value)
{
    size_t length = strlen(value);

    if (message->count + 2 + length + 1 > sizeof message->octets)
        return;
    message->octets[message->count++] = type;
    message->octets[message->count++] = (uint8_t)length;
    memcpy(message->octets + message->count, value, length);
    message->count += length;
}

/* The sum of all octets is 0 modulo 256. */
static void put_sum(struct message *message)
{
    uint8_t sum = 0;
    size_t i;

    for (i = 0; i < message->count; i++)
        sum = (uint8_t)(sum + message->octets[i]);
    message->octets[message->count++] = (uint8_t)-sum;
}

static void make_message(struct message *message, const struct modem_ring *ring, const struct tm *now)
{
    char when[16];

    message->octets[0] = CALL_SETUP;
    message->count = 2;
    strftime(when, sizeof when, "%m%d%H%M", now);
    put_parameter(message, PARAMETER_TIME, when);
    put_parameter(message, is_withheld(ring->caller) ? PARAMETER_WHY : PARAMETER_NUMBER, ring->caller);
    if (is_withheld(ring->caller))
        put_parameter(message, PARAMETER_NONAME, ring->caller);
    else if (ring->name[0])
        put_parameter(message, PARAMETER_NAME, ring->name);
    message->octets[1] = (uint8_t)(message->count - 2);
    put_sum(message);
}

static void print_message(char *text, const struct modem_ring *ring, const struct tm *now, const char *is)
{
    struct message message = {0};
    size_t i, at;

    make_message(&message, ring, now);
    at = (size_t)sprintf(text, "MESG%s", is);
    for (i = 0; i < message.count; i++)
        at += (size_t)sprintf(text + at, "%02X", message.octets[i]);
    strcpy(text + at, "\n");
}

static void print_lines(char *text, const struct modem_ring *ring, const struct tm *now, const char *is)
{
    char date[16], time[16];
    int at;

    strftime(date, sizeof date, "%m%d", now);
    strftime(time, sizeof time, "%H%M", now);
    at = snprintf(text, MODEM_CALLER_SIZE, "DATE%s%s\nTIME%s%s\nNMBR%s%s\n", is, date, is, time, is, ring->caller);
    if (ring->name[0])
        snprintf(text + at, (size_t)(MODEM_CALLER_SIZE - at), "NAME%s%s\n", is, ring->name);
}

char *modem_caller_text(char text[MODEM_CALLER_SIZE], const struct modem_ring *ring, enum modem_caller_form form,
                        bool blanks)
{
    const char *is = blanks ? " = " : "=";
    time_t seconds = time(NULL);
    struct tm now;

    text[0] = '\0';
    if (!ring->caller[0] || !localtime_r(&seconds, &now))
        return text;
    switch (form) {
    case MODEM_CALLER_OFF:
        break;
    case MODEM_CALLER_LINES:
        print_lines(text, ring, &now, is);
        break;
    case MODEM_CALLER_MESSAGE:
        print_message(text, ring, &now, is);
        break;
    }
    return text;
}
