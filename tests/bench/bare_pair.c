/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the pages cost without any of us: two fax machines of spandsp in one process, joined by memory, as fast as they
 * go.
 *
 *     bare_pair FILE CALLS [t38]      prints the CPU seconds of one page, of both machines together
 */
#include "config.h"

#define SPANDSP_EXPOSE_INTERNAL_STRUCTURES
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tiffio.h>
#include <unistd.h>
#include <spandsp.h>

#define CHUNK      160
#define HANG_AFTER (3600 * 8000) /* samples of an hour: a call that hangs ends */

struct end {
    fax_state_t *fax;          /* of audio */
    t38_terminal_state_t *t38; /* of T.38 */
    struct end *far;
    uint16_t sequence;
    bool done;
    int result;
    int16_t out[CHUNK];
};

static void on_end(t30_state_t *t30, void *user, int result)
{
    struct end *end = user;

    (void)t30;
    end->done = true;
    end->result = result;
}

static void prepare(struct end *end, t30_state_t *t30, bool caller, const char *file)
{
    t30_set_tx_ident(t30, caller ? "1001" : "1002");
    t30_set_supported_modems(t30, T30_SUPPORT_V27TER | T30_SUPPORT_V29 | T30_SUPPORT_V17);
    t30_set_ecm_capability(t30, true);
    t30_set_supported_compressions(t30, T30_SUPPORT_T4_1D_COMPRESSION | T30_SUPPORT_T4_2D_COMPRESSION |
                                            T30_SUPPORT_T6_COMPRESSION);
    t30_set_supported_image_sizes(t30, T30_SUPPORT_US_LETTER_LENGTH | T30_SUPPORT_US_LEGAL_LENGTH |
                                           T30_SUPPORT_A4_LENGTH | T30_SUPPORT_UNLIMITED_LENGTH |
                                           T30_SUPPORT_215MM_WIDTH);
    t30_set_supported_resolutions(t30, T30_SUPPORT_STANDARD_RESOLUTION | T30_SUPPORT_FINE_RESOLUTION);
    t30_set_rx_encoding(t30, T4_COMPRESSION_ITU_T6);
    t30_set_phase_e_handler(t30, on_end, end);
    if (caller)
        t30_set_tx_file(t30, file, -1, -1);
    else
        t30_set_rx_file(t30, file, -1);
}

static void turn(struct end *end)
{
    int got = fax_tx(end->fax, end->out, CHUNK);

    memset(end->out + got, 0, (size_t)(CHUNK - got) * sizeof *end->out);
}

static int give_packet(t38_core_state_t *core, void *user, const uint8_t *packet, int size, int count)
{
    struct end *end = user;

    (void)core, (void)count; /* nothing is lost between them */
    return t38_core_rx_ifp_packet(t38_terminal_get_t38_core_state(end->far->t38), packet, size, end->sequence++);
}

static t30_state_t *prepare_t38(struct end *end, struct end *far, bool caller)
{
    end->far = far;
    end->t38 = t38_terminal_init(NULL, caller, give_packet, end);
    return t38_terminal_get_t30_state(end->t38);
}

/* As call(), by T.38. */
static int call_t38(const char *file, const char *received)
{
    struct end caller = {.done = false}, called = {.done = false};
    t30_state_t *sender = prepare_t38(&caller, &called, true), *receiver = prepare_t38(&called, &caller, false);
    t30_stats_t stats;

    prepare(&caller, sender, true, file);
    prepare(&called, receiver, false, received);
    for (long line = 0; line < HANG_AFTER && !(caller.done && called.done); line += CHUNK) {
        t38_terminal_send_timeout(caller.t38, CHUNK);
        t38_terminal_send_timeout(called.t38, CHUNK);
    }
    t30_get_transfer_statistics(sender, &stats);
    t38_terminal_free(caller.t38);
    t38_terminal_free(called.t38);
    return caller.done && caller.result == T30_ERR_OK ? stats.pages_tx : -1;
}

/* Pages that arrived, -1 when the call failed. */
static int call(const char *file, const char *received)
{
    struct end caller = {.done = false}, called = {.done = false};
    t30_stats_t stats;

    caller.fax = fax_init(NULL, true);
    called.fax = fax_init(NULL, false);
    prepare(&caller, fax_get_t30_state(caller.fax), true, file);
    prepare(&called, fax_get_t30_state(called.fax), false, received);
    for (long line = 0; line < HANG_AFTER && !(caller.done && called.done); line += CHUNK) {
        turn(&caller);
        turn(&called);
        fax_rx(caller.fax, called.out, CHUNK);
        fax_rx(called.fax, caller.out, CHUNK);
    }
    t30_get_transfer_statistics(fax_get_t30_state(caller.fax), &stats);
    fax_free(caller.fax);
    fax_free(called.fax);
    return caller.done && caller.result == T30_ERR_OK ? stats.pages_tx : -1;
}

int main(int argc, char **argv)
{
    char received[] = "/tmp/bare-pair-XXXXXX";
    struct timespec spent;
    int pages = 0, fd = mkstemp(received);

    bool t38 = argc == 4 && strcmp(argv[3], "t38") == 0;

    if ((argc != 3 && !t38) || fd < 0)
        return 2;
    close(fd);
    for (int i = 0; i < atoi(argv[2]); i++) {
        int sent = t38 ? call_t38(argv[1], received) : call(argv[1], received);

        if (sent < 1) {
            fprintf(stderr, "bare_pair: the call failed\n");
            return 1;
        }
        pages += sent;
    }
    unlink(received);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    printf("%.6f\n", ((double)spent.tv_sec + (double)spent.tv_nsec / 1e9) / pages);
    return 0;
}
