/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fax as a PDF file.
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_PDF_H
#define FAXD_CONVERT_PDF_H

#include <stdint.h>

struct summary;

/* All pages of the black and white TIFF file `input` as PDF on `output` (empty), each in its real size. T.6 data goes
 * through as it is, other compressions are written as T.6: dots stay dots. 0; ERR_INVALID when the file is damaged;
 * ERR_UNSUPPORTED when a page is not black and white; ERR_FULL; ERR_IO. */
int pdf_document(struct summary *summary, int input, int output);

#endif
