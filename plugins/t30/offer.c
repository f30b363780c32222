/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of a call as spandsp's settings. */
#include "plugins/t30/offer.h"

_Static_assert((int)OPTIONS_V27TER == (int)T30_SUPPORT_V27TER && (int)OPTIONS_V29 == (int)T30_SUPPORT_V29 &&
                   (int)OPTIONS_V17 == (int)T30_SUPPORT_V17,
               "modem masks are handed to spandsp as they are");

static unsigned modems_to_offer(const struct options *options)
{
    unsigned modems = options->modems;

    if (options->sending)
        return modems; /* limit_rate picks the rate */
    if (options->max_rate_bps < 14400)
        modems &= ~(unsigned)OPTIONS_V17;
    if (options->max_rate_bps < 9600)
        modems &= ~(unsigned)OPTIONS_V29;
    if (options->max_rate_bps < 4800)
        modems &= ~(unsigned)OPTIONS_V27TER; /* no modem bit at all means V.27ter at 2400 */
    return modems;
}

static void set_capabilities(t30_state_t *t30, const struct options *options)
{
    int compressions = T30_SUPPORT_T4_1D_COMPRESSION;

    if (options->compressions & OPTIONS_MR)
        compressions |= T30_SUPPORT_T4_2D_COMPRESSION;
    if (options->compressions & OPTIONS_MMR)
        compressions |= T30_SUPPORT_T6_COMPRESSION;
    t30_set_supported_modems(t30, (int)modems_to_offer(options));
    t30_set_supported_compressions(t30, compressions);
    t30_set_supported_image_sizes(t30, T30_SUPPORT_US_LETTER_LENGTH | T30_SUPPORT_US_LEGAL_LENGTH |
                                           T30_SUPPORT_A4_LENGTH | T30_SUPPORT_UNLIMITED_LENGTH |
                                           T30_SUPPORT_215MM_WIDTH | T30_SUPPORT_255MM_WIDTH | T30_SUPPORT_303MM_WIDTH);
    t30_set_supported_resolutions(t30, T30_SUPPORT_STANDARD_RESOLUTION | T30_SUPPORT_FINE_RESOLUTION |
                                           T30_SUPPORT_SUPERFINE_RESOLUTION | T30_SUPPORT_R8_RESOLUTION |
                                           T30_SUPPORT_R16_RESOLUTION | T30_SUPPORT_300_300_RESOLUTION |
                                           T30_SUPPORT_400_400_RESOLUTION);
    /* Never T30_SUPPORT_COMMAND_REPEAT: it makes endless loops common. */
    t30_set_supported_t30_features(t30, T30_SUPPORT_IDENTIFICATION | T30_SUPPORT_SELECTIVE_POLLING |
                                            T30_SUPPORT_SUB_ADDRESSING);
    t30_set_ecm_capability(t30, options->ecm);
    t30_set_rx_encoding(t30, T4_COMPRESSION_ITU_T6);
}

static void set_texts(t30_state_t *t30, const struct options *options)
{
    t30_set_tx_ident(t30, options->station_id);
    if (options->subaddress[0])
        t30_set_tx_sub_address(t30, options->subaddress);
    if (options->password[0])
        t30_set_tx_password(t30, options->password);
    if (options->header[0])
        t30_set_tx_page_header_info(t30, options->header);
}

void offer_to(t30_state_t *t30, const struct options *options)
{
    set_capabilities(t30, options);
    set_texts(t30, options);
}
