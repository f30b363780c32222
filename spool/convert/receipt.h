/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of a fax, on one sheet: a stamp in words, the facts, the image of the first page.
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_RECEIPT_H
#define FAXD_CONVERT_RECEIPT_H

#include <jansson.h>
#include <stdint.h>

#include "spool/convert/paper.h"

/* `sheet` as in spool/converter.h; what is missing is left out. Texts are drawn as they are, whatever they hold; long
 * ones are cut. The first page of the black and white TIFF file `input` is drawn beside them, none when that is empty.
 * 0 and the octets written to `output` (empty); as pdf_document. */
int receipt_draw(int64_t *bytes, int input, int output, enum paper paper, const json_t *sheet);

#endif
