/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of makes. */
#include "config.h"

#include "tests/lib/modem_make.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define V17_RATES  "24,48,72,73,74,96,97,98,121,122,145,146"
#define FAX_WORDS  " FCL FDD FIT FLO FPR "
#define DATA_WORDS " DR DS EB ER ES ETBM FAA GCI IBC ICF IFC ILRR IPR ITF MR MS "

static const struct modem_make makes[] = {
    {
        .name = "spandsp",
        .identity = {[0] = "spandsp", [3] = "www.soft-switch.org"},
        .manufacturer = "www.soft-switch.org",
        .model = "spandsp",
        .revision = "0.0.6",
        .classes = "0,1,1.0",
        .transmit = V17_RATES,
        .receive = V17_RATES,
        .frames = "3",
        .basic = "LMPT",
        .extended = " &C &D &F ",
        .plus = FAX_WORDS DATA_WORDS " VCID VDR VSID ",
        .caller_id = " +VCID ",
        .unanswered = MODEM_NO_CARRIER,
    },
    {
        .name = "usr",
        .identity = {"5601", "7D0A", "OK", "U.S. Robotics 56K FAX EXT V5.22",
                     "U.S. Robotics 56K FAX EXT Settings...\n\n   B0  E0  F1  M1  Q0  V1  X4  Y0",
                     "U.S. Robotics 56K FAX EXT NVRAM Settings...", "U.S. Robotics 56K FAX EXT Link Diagnostics...",
                     "Configuration Profile...\n\nProduct type           US/Canada External\nOptions                "
                     "V32bis,V.34+,x2,V.90,V.92\nFax Options            Class 1/Class 2.0",
                     NULL, "(1.0USR5601\\\\Modem\\PNP0500\\U.S. Robotics 56K FAX EXT)FF"},
        .manufacturer = "U.S. Robotics",
        .model = "U.S. Robotics 56K FAX EXT",
        .revision = "V5.22",
        .classes = "0,1,2.0",
        .transmit = "3,24,48,72,73,74,96,97,98,121,122,145,146",
        .receive = "3,24,48,72,73,74,96,97,98,121,122,145,146",
        .frames = "3",
        .basic = "BCFLMNPTWY",
        .extended = " &A &B &C &D &F &G &H &I &K &L &M &N &P &R &S &T &U &W &X &Y &Z #CID ",
        .plus = FAX_WORDS DATA_WORDS " VCID VDR ",
        .caller_id = " +VCID #CID ",
        .blanks = true,
        .unanswered = MODEM_NO_ANSWER,
    },
    {
        .name = "multitech",
        .identity = {"247", "V.92 BL:MR:L:0x00", "OK", "MT9234ZBA V1.32n", "Multi-Tech Systems V.92", NULL, NULL, NULL,
                     NULL, "MT9234ZBA"},
        .manufacturer = "Multi-Tech Systems",
        .model = "MT9234ZBA",
        .revision = "V1.32n",
        .classes = "0,1,1.0,2,2.0,8",
        .transmit = V17_RATES,
        .receive = V17_RATES,
        .frames = "3",
        .basic = "BLMNPTWY",
        .extended = " &A &B &C &D &E &F &G &J &K &L &P &Q &R &S &T &V &W &Y \\A \\B \\G \\K \\N \\Q \\T \\V \\X %A %B "
                    "%C %E $A $BA $D $EB $MB $SB #CB #DB $H -V -W ",
        .plus = FAX_WORDS DATA_WORDS " VCID VDID VDR VRID ",
        .caller_id = " +VCID ",
        .blanks = true,
        .unanswered = MODEM_NO_CARRIER,
    },
    {
        .name = "conexant",
        .identity = {"56000", "255", "OK", "CX93001-EIS_V0.2002-V92", "", "B5 Default Profile", "RCV56DPF-PLL L8571A",
                     "255", NULL, NULL},
        .manufacturer = "CONEXANT",
        .model = "V90",
        .revision = "CX93001-EIS_V0.2002-V92",
        .classes = "0,1,1.0,8",
        .transmit = V17_RATES,
        .receive = V17_RATES,
        .frames = "3",
        .basic = "BCFLMNPTWY",
        .extended = " &C &D &F &G &K &P &Q &R &S &T &V &W &Y \\A \\B \\G \\K \\N \\Q \\V %C %E *B *NC #CID -SDR -SEC ",
        .plus = FAX_WORDS DATA_WORDS " VCID VDR VRID PCW PIG PMH PQC ",
        .caller_id = " +VCID #CID ",
        .blanks = true,
        .unanswered = MODEM_NO_CARRIER,
    },
    {
        .name = "agere",
        .identity = {"LT V.92 1.0 MT5634ZBA-USB Data/Fax Modem", "1646", NULL, "Agere SoftModem Version 2.1.88", NULL,
                     "2.1.88, AMR Agere, 0", NULL, NULL, NULL, "LUCENT"},
        .manufacturer = "Agere Systems",
        .model = "SoftModem V.92",
        .revision = "2.1.88",
        .classes = "0,1,8",
        .transmit = "(24,48,72,73,74,96,97,98,121,122,145,146)",
        .receive = "(24,48,72,73,74,96,97,98,121,122,145,146)",
        .frames = "(3)",
        .basic = "BCFLMNPTWY",
        .extended = " &C &D &F &G &K &P &Q &R &S &T &V &W &Y \\A \\B \\G \\J \\K \\N \\Q \\V \\X %C %E -C -SSE -V ",
        .plus = FAX_WORDS DATA_WORDS " VCID VDR VRID PCW PMH PQC ",
        .caller_id = " +VCID ",
        .unanswered = MODEM_NO_CARRIER,
    },
    {
        .name = "zoom",
        .identity = {"56000", "138", "OK", "Zoom V.92 External Model 3049", "", "022", "RCV336DPFSP Rev 44BC", "022"},
        .manufacturer = "Zoom Telephonics",
        .model = "Zoom V.92 Model 3049",
        .revision = "C3.2.13",
        .classes = "(0,1,1.0,8)",
        .transmit = "(24,48,72,73,74,96,97,98,121,122,145,146)",
        .receive = "(24,48,72,73,74,96,97,98,121,122,145,146)",
        .frames = "(3)",
        .basic = "BCFLMNPTWY",
        .extended =
            " &C &D &F &G &J &K &L &P &Q &R &S &T &V &W &X &Y &Z \\A \\B \\G \\K \\L \\N \\Q \\V %C %E %L %Q *H "
            "#CID #CLS ",
        .plus = FAX_WORDS DATA_WORDS " VCID VDR ",
        .caller_id = " +VCID #CID ",
        .blanks = true,
        .unanswered = MODEM_NO_CARRIER,
    },
    {
        /* A fax modem from before V.17. */
        .name = "old",
        .identity = {"960", "255", "OK", "V1.410-V31_M_DS", "a097800284C6002F"},
        .manufacturer = "ROCKWELL",
        .model = "RC96ACL",
        .revision = "V1.410",
        .classes = "0,1",
        .transmit = "24,48,72,96",
        .receive = "24,48,72,96",
        .frames = "3",
        .basic = "BCFLMNPTWY",
        .extended = " &C &D &F &G &J &K &P &Q &R &S &T &V &W &Y \\A \\B \\G \\K \\N \\Q \\V %C %E ",
        .plus = " ",
        .caller_id = " ",
        .unanswered = MODEM_NO_CARRIER,
    },
    {
        /* A data modem: faxes are out of the question. */
        .name = "data",
        .identity = {"28800", "255", "OK", "V2.100"},
        .manufacturer = "ROCKWELL",
        .model = "RC288ACi",
        .revision = "V2.100",
        .classes = "0",
        .transmit = "",
        .receive = "",
        .frames = "",
        .basic = "BCFLMNPTWY",
        .extended = " &C &D &F &G &J &K &P &Q &R &S &T &V &W &Y \\A \\B \\G \\K \\N \\Q \\V %C %E ",
        .plus = " ",
        .caller_id = " ",
        .unanswered = MODEM_NO_CARRIER,
    },
};

const struct modem_make *modem_make_find(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof makes / sizeof *makes; i++)
        if (strcmp(makes[i].name, name) == 0)
            return &makes[i];
    return NULL;
}

bool modem_make_knows(const char *words, const char *word)
{
    char between[24];

    return snprintf(between, sizeof between, " %s ", word) < (int)sizeof between && strstr(words, between) != NULL;
}

bool modem_make_lists(const char *numbers, int value)
{
    char *end;

    while (*numbers) {
        if (!isdigit((unsigned char)*numbers)) {
            numbers++;
            continue;
        }
        if (strtol(numbers, &end, 10) == value)
            return true;
        numbers = end;
    }
    return false;
}
