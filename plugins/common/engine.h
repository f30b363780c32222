/* An FSP's side of the T.30 engine (program faxd-t30): start the spawner, start a call, hear of it.
 *
 * The FSP does call control and finds the media path; the engine does T.30 on the descriptor it is handed. A call has a
 * control socket (SOCK_SEQPACKET); every datagram on it is one JSON object of at most 60 kB.
 *
 *   engine -> FSP   {"event":"phase","phase":"negotiating"|"sending"|"receiving","station_id":"...","rate_bps":14400}
 *                   {"event":"page","page":1}                  send: page confirmed; receive: page on disk and
 * confirmed
 *                   {"event":"ended","record":{...}}           the last one; the record is that of FaxdCallRecord
 *   FSP -> engine   {"command":"abort"}
 *   end-of-file without "ended": the engine crashed or was killed; the call is lost, the journal tells how far it got.
 *
 * The job, JSON, with descriptors in the order control, media, journal, then one for each of "files" (send) or the one
 * file to fill (receive):
 *
 *   {"role":"caller"|"answerer", "direction":"send"|"receive", "carrier":"audio", "media":"stream",
 *    "files":[{"resolution":"fine","width":1728,"length_mm":297}],          send: renditions, the default first; absent
 * for receive "station_id":"+15551234567", "header":"", "ecm":true, "modems":["v27ter","v29","v17"],
 * "max_rate_bps":14400, "compressions":["mh","mr","mmr"], "subaddress":"", "password":"", "audio":{"pace":0,
 * "chunk_ms":200, "noise_dbm0":null, "delay_ms":0, "drop_after_ms":0}, "limits":{"call_ms":3600000, "cpu_s":120,
 * "memory_bytes":268435456, "file_bytes":268435456}}
 *
 * A job without a journal says "journal":false; engine_start sets the key from its argument.
 *
 * "pace": 0 = unpaced, lock-step chunks as fast as both ends go; n > 0 = n times real time. "media":"stream" is a
 * SOCK_STREAM socket carrying 16-bit linear samples at 8 kHz, both ways, whose other end is another engine: each side
 * writes one chunk, then reads one. "drop_after_ms" of line time: this side closes the media as a line that is cut.
 * "call_ms" is line time for an unpaced call and wall time else; unpaced calls also end after "cpu_s".
 *
 * Thread: any; a call belongs to one thread (the line's worker), engine_abort() may come from any.
 */
#ifndef FAXD_PLUGINS_COMMON_ENGINE_H
#define FAXD_PLUGINS_COMMON_ENGINE_H

#include <jansson.h>
#include <stdbool.h>

struct engine;      /* a provider's spawner */
struct engine_call; /* one call */

/* Start the spawner `program` (absolute path of faxd-t30) for up to `calls_per_engine` calls a process. It is started
 * again by engine_start when it has died. 0 or an err code. The caller frees with engine_close. */
int engine_open(struct engine **out, const char *program, int calls_per_engine);

/* Ends the spawner; calls that run are not ended by it. NULL is fine. */
void engine_close(struct engine *engine);

/* Start a call. `media`, `journal` (-1 = none) and `files` stay the caller's and may be closed when this returns.
 * 0 or an err code. The caller frees with engine_call_free. */
int engine_start(struct engine_call **out, struct engine *engine, const json_t *job, int media, int journal,
                 const int *files, int file_count);

/* Wait for the next event: 0 and a new reference in `*event`; ERR_AGAIN after `timeout_ms` (-1 = none); ERR_CLOSED when
 * the engine is gone. Anything that is not a JSON object with a known "event" is dropped and logged. */
int engine_wait(struct engine_call *call, json_t **event, int timeout_ms);

/* Ask the call to stop; it answers with "ended" soon, or is killed by its own limits. Any thread. */
void engine_abort(struct engine_call *call);

/* Closes the control socket (an engine whose FSP is gone ends its call) and frees. NULL is fine. */
void engine_call_free(struct engine_call *call);

#endif
