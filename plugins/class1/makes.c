/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of makes. A command that a modem refuses is noted in the report of a test and does no harm: families of one
 * make differ, so that several ways may stand here.
 */
#include "config.h"

#include "plugins/class1/makes.h"

#include <stddef.h>
#include <string.h>

static const struct make makes[] = {
    /* &F1 is the factory's template with RTS/CTS; &F0 has no flow control. */
    {.name = "usr",
     .title = "US Robotics",
     .patterns = {"U.S. Robotics", "USRobotics", "US Robotics", "Courier", "Sportster", "USR"},
     .reset = "AT&F1",
     .flow = {"AT&H1&R2", "AT&H2&R1&I2", "AT&H0&R1&I0"},
     .caller_id = {"AT#CID=1", "AT+VCID=1"}},
    /* Before those who sell boxes with this chip in them: their modems obey it, not the box. */
    {.name = "agere",
     .title = "Agere or Lucent",
     .patterns = {"Agere", "Lucent", "LT V.9", "LSI Corp", "Venus"},
     .reset = "AT&F",
     .flow = {"AT\\Q3", "AT\\Q1", "AT\\Q0"},
     .caller_id = {"AT+VCID=1"}},
    /* &E numbers are flow control here, and &K something else. */
    {.name = "multitech",
     .title = "MultiTech",
     .patterns = {"Multi-Tech", "MultiTech", "MultiModem", "MT5634", "MT5656", "MT9234", "MT2834"},
     .reset = "AT&F",
     .flow = {"AT&E4", "AT&E5", "AT&E3"},
     .caller_id = {"AT+VCID=1", "AT#CID=1"}},
    /* Sold with chips of Conexant mostly; before those so that the name on the box is shown. */
    {.name = "zoom",
     .title = "Zoom",
     .patterns = {"Zoom", "Hayes Corp"},
     .reset = "AT&F",
     .flow = {"AT&K3", "AT&K4", "AT&K0"},
     .caller_id = {"AT+VCID=1", "AT#CID=1"}},
    {.name = "conexant",
     .title = "Conexant or Rockwell",
     .patterns = {"Conexant", "Rockwell", "CX93", "CX06", "HSF", "ACF3", "RC56", "RC144"},
     .reset = "AT&F",
     .flow = {"AT&K3", "AT&K4", "AT&K0"},
     .caller_id = {"AT+VCID=1", "AT#CID=1"}},
    /* A spandsp modem on a pseudo-terminal: flow control is the terminal's own. Told from the next by its device. */
    {.name = "iaxmodem",
     .title = "iaxmodem",
     .patterns = {"iaxmodem"},
     .reset = "AT&F",
     .flow = {"AT+IFC=2,2", "AT+IFC=1,1", "AT+IFC=0,0"},
     .caller_id = {"AT+VCID=1"}},
    {.name = "spandsp",
     .title = "spandsp T.31",
     .patterns = {"spandsp", "soft-switch"},
     .reset = "AT&F",
     .flow = {"AT+IFC=2,2", "AT+IFC=1,1", "AT+IFC=0,0"},
     .caller_id = {"AT+VCID=1"}},
    /* Nothing is known of it: what T.31 says, and patience with what some chips do. */
    {.name = "generic",
     .title = "unknown make",
     .patterns = {NULL},
     .reset = "AT&F",
     .flow = {"AT+IFC=2,2", "AT+IFC=1,1", "AT+IFC=0,0"},
     .caller_id = {"AT+VCID=1", "AT#CID=1"},
     .quirks = "ok_before_connect"},
};

#define MAKE_COUNT ((int)(sizeof makes / sizeof makes[0]))

const struct make *makes_at(int index)
{
    return index >= 0 && index < MAKE_COUNT ? &makes[index] : NULL;
}

const struct make *makes_named(const char *name)
{
    for (int i = 0; i < MAKE_COUNT; i++)
        if (strcmp(makes[i].name, name) == 0)
            return &makes[i];
    return NULL;
}

static int says(const struct make *make, const char *identity)
{
    for (int i = 0; i < MAKES_PATTERNS && make->patterns[i] != NULL; i++)
        if (strcasestr(identity, make->patterns[i]) != NULL)
            return 1;
    return 0;
}

const struct make *makes_find(const char *identity, const char *path)
{
    if (strstr(path, "/ttyIAX") != NULL)
        return makes_named("iaxmodem");
    for (int i = 0; i < MAKE_COUNT; i++)
        if (says(&makes[i], identity))
            return &makes[i];
    return &makes[MAKE_COUNT - 1];
}
