/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From facts to the outcome word. What was confirmed on the line counts more than how the call ended: a line that drops
 * after the final MCF has delivered the fax, and one that drops between EOP and MCF has perhaps. */
#include "plugins/t30/outcome.h"

#include <stdlib.h>
#include <tiffio.h>
#include <spandsp.h>

static const char *of_retries(bool trained)
{
    /* No answer after three tries: before the image it was training that failed, after it the page. */
    return trained ? "page_transfer_failed" : "training_failed";
}

const char *outcome_of_t30(int t30_result, bool sending, bool trained)
{
    switch (t30_result) {
    case T30_ERR_OK:
        return "success";
    case T30_ERR_CEDTONE:
    case T30_ERR_T0_EXPIRED:
    case T30_ERR_T1_EXPIRED:
        return sending ? "not_fax" : "sender_not_fax";
    case T30_ERR_CANNOT_TRAIN:
    case T30_ERR_TX_BADDCS:
    case T30_ERR_TX_PHBDEAD:
    case T30_ERR_RX_T2EXP:
        return "training_failed";
    case T30_ERR_INCOMPATIBLE:
    case T30_ERR_RX_INCAPABLE:
    case T30_ERR_TX_INCAPABLE:
    case T30_ERR_NORESSUPPORT:
    case T30_ERR_NOSIZESUPPORT:
    case T30_ERR_NOPOLL:
        return "capability_mismatch";
    case T30_ERR_TX_BADPG:
    case T30_ERR_TX_GOTDCN:
    case T30_ERR_CALLDROPPED:
    case T30_ERR_RX_DCNWHY:
    case T30_ERR_RX_DCNDATA:
    case T30_ERR_RX_DCNFAX:
    case T30_ERR_RX_DCNPHD:
    case T30_ERR_RX_DCNRRD:
    case T30_ERR_RX_T2EXPDCN:
        return "disconnected";
    case T30_ERR_TX_ECMPHD:
    case T30_ERR_TX_T5EXP:
    case T30_ERR_RX_DCNNORTN:
    case T30_ERR_RX_T2EXPRR:
        return "page_transfer_failed";
    case T30_ERR_RX_NOCARRIER:
    case T30_ERR_RX_NOEOL:
    case T30_ERR_RX_NOFAX:
    case T30_ERR_RX_T2EXPD:
    case T30_ERR_RX_T2EXPFAX:
    case T30_ERR_RX_T2EXPMPS:
        return "carrier_lost";
    case T30_ERR_TX_PHDDEAD:
        /* After the last page it is "confirmation_lost", which outcome_decide knows from the EOP; after another page
         * nothing more than that page is in doubt. */
        return "page_transfer_failed";
    case T30_ERR_RETRYDCN:
        return of_retries(trained);
    case T30_ERR_T3_EXPIRED:
    case T30_ERR_HDLC_CARRIER:
    case T30_ERR_OPER_INT_FAIL:
    case T30_ERR_UNEXPECTED:
    case T30_ERR_TX_INVALRSP:
    case T30_ERR_TX_NODIS:
    case T30_ERR_RX_ECMPHD:
    case T30_ERR_RX_GOTDCS:
    case T30_ERR_RX_INVALCMD:
        return "protocol_error";
    case T30_ERR_IDENT_UNACCEPTABLE:
    case T30_ERR_SUB_UNACCEPTABLE:
    case T30_ERR_SEP_UNACCEPTABLE:
    case T30_ERR_PSA_UNACCEPTABLE:
    case T30_ERR_SID_UNACCEPTABLE:
    case T30_ERR_PWD_UNACCEPTABLE:
    case T30_ERR_TSA_UNACCEPTABLE:
    case T30_ERR_IRA_UNACCEPTABLE:
    case T30_ERR_CIA_UNACCEPTABLE:
    case T30_ERR_ISP_UNACCEPTABLE:
    case T30_ERR_CSA_UNACCEPTABLE:
        return "remote_auth_required";
    default: /* the file codes, and numbers that this version does not have */
        return "internal";
    }
}

static const char *of_silence(const struct outcome_facts *facts)
{
    if (facts->answered)
        return "disconnected";
    return facts->sending ? "not_fax" : "sender_not_fax";
}

static const char *of_t30(const struct outcome_facts *facts)
{
    /* spandsp reports OK when it hung up by itself after a refused last page. */
    if (facts->refused_page || facts->t30_result == T30_ERR_OK)
        return "page_transfer_failed";
    if (!facts->answered && facts->t30_result == T30_ERR_RX_T2EXP)
        return of_silence(facts);
    return outcome_of_t30(facts->t30_result, facts->sending, facts->trained);
}

static const char *of_end(const struct outcome_facts *facts)
{
    switch (facts->end) {
    case OUTCOME_END_T30:
        return of_t30(facts);
    case OUTCOME_END_HUNG_UP:
        return facts->refused_page ? "page_transfer_failed" : "disconnected";
    case OUTCOME_END_CUT:
        return "disconnected";
    case OUTCOME_END_ABORTED:
        return "aborted";
    case OUTCOME_END_REFUSED:
        return "protocol_error";
    case OUTCOME_END_DISK_FULL:
        return "storage_full";
    case OUTCOME_END_DISK_ERROR:
    case OUTCOME_END_BROKEN:
        return "internal";
    case OUTCOME_END_LIMIT:
    case OUTCOME_END_CPU:
        return of_silence(facts);
    case OUTCOME_END_MEDIA_TIMEOUT:
        return "media_timeout";
    }
    return "internal";
}

/* A reception that broke off after some pages keeps them; that is what matters to its reader, except where the reason
 * is one that an operator has to act on. */
static bool is_partial(const struct outcome_facts *facts)
{
    if (facts->sending || facts->pages == 0)
        return false;
    switch (facts->end) {
    case OUTCOME_END_T30:
    case OUTCOME_END_HUNG_UP:
    case OUTCOME_END_CUT:
    case OUTCOME_END_LIMIT:
    case OUTCOME_END_CPU:
    case OUTCOME_END_MEDIA_TIMEOUT:
        return true;
    case OUTCOME_END_ABORTED:
    case OUTCOME_END_REFUSED:
    case OUTCOME_END_DISK_FULL:
    case OUTCOME_END_DISK_ERROR:
    case OUTCOME_END_BROKEN:
        break;
    }
    return false;
}

const char *outcome_decide(const struct outcome_facts *facts)
{
    if (facts->sending && facts->final_confirmed)
        return "success";
    if (!facts->sending && facts->complete)
        return "success";
    if (facts->sending && facts->end_sent)
        return "confirmation_lost";
    if (is_partial(facts))
        return "receive_incomplete";
    return of_end(facts);
}
