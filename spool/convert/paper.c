/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The papers that offices have (ISO 216, ANSI/ASME Y14.1).
 */
#include "spool/convert/paper.h"

#include <stddef.h>
#include <string.h>

#include "server/base/err.h"

static const struct {
    const char *name;
    double width, height; /* points */
} papers[] = {
    [PAPER_A4] = {"a4", 595.28, 841.89},
    [PAPER_LETTER] = {"letter", 612, 792},
    [PAPER_LEGAL] = {"legal", 612, 1008},
};

int paper_parse(enum paper *paper, const char *word)
{
    for (size_t i = 0; i < sizeof papers / sizeof papers[0]; i++) {
        if (strcmp(word, papers[i].name) == 0) {
            *paper = (enum paper)i;
            return 0;
        }
    }
    return err_set(ERR_INVALID, "paper is \"%.40s\", which is none of a4, letter, legal", word);
}

void paper_size(double *width, double *height, enum paper paper)
{
    *width = papers[paper].width;
    *height = papers[paper].height;
}
