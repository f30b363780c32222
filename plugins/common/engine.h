/* An FSP's side of the T.30 engine (program faxd-t30): start the spawner, start a call, hear of it.
 *
 * The FSP does call control and finds the media path; the engine does T.30 on the descriptors it is handed. A call has
 * a control socket (SOCK_SEQPACKET); every datagram on it is one JSON object, of at most 60 kB from the engine and
 * ENGINE_COMMAND_MAX octets to it.
 *
 *   engine -> FSP   {"event":"phase","phase":"negotiating"|"sending"|"receiving","station_id":"...","rate_bps":14400}
 *                   {"event":"page","page":1}        send: page confirmed; receive: page on disk and confirmed
 *                   {"event":"tone","tone":"cng"|"ced"|"preamble"}   heard on RTP, each once: the caller listens for
 *                                                    CED and the preamble of V.21, the answerer for CNG
 *                   {"event":"trained"}              CFR was sent or received: a switch to T.38 is out of the question
 *                   {"event":"ended","record":{...}} the last one; the record is that of FaxdCallRecord
 *   FSP -> engine   {"command":"abort"}
 *                   {"command":"path", ...}          a far end, as "path" of the job; datagram media only
 *                   {"command":"hangup"}             the far end hung up: as the end-of-file of a stream
 *                   {"command":"hush"}               T.38 is asked for: no RTP until the next path, half a second at
 *                                                    most. A gateway may take what comes just after its switch for T.38
 *   end-of-file without "ended": the engine crashed or was killed; the call is lost, the journal tells how far it got.
 *
 * The job, JSON, with descriptors in the order control, media, rtcp, journal, then one for each of "files" (send) or
 * the one file to fill (receive):
 *
 *   {"role":"caller"|"answerer", "direction":"send"|"receive",
 *    "carrier":"audio", "media":"stream" | "carrier":"udp", "media":"datagram" | "carrier":"modem", "media":"serial",
 *    "files":[{"resolution":"fine","width":1728,"length_mm":297}],   send: renditions, the default first; else absent
 *    "station_id":"+15551234567", "header":"", "ecm":true, "modems":["v27ter","v29","v17"], "max_rate_bps":14400,
 *    "compressions":["mh","mr","mmr"], "subaddress":"", "password":"",
 *    "audio":{"pace":0, "chunk_ms":200, "noise_dbm0":null, "delay_ms":0, "drop_after_ms":0},
 *    "path":{...}, "modem":{...},
 *    "limits":{"call_ms":3600000, "cpu_s":120, "memory_bytes":268435456, "file_bytes":268435456}}
 *
 * A job without a journal says "journal":false, one without a socket for RTCP "rtcp":false; engine_start sets the keys
 * from its arguments.
 *
 * "media":"stream" is a SOCK_STREAM socket carrying 16-bit linear samples at 8 kHz, both ways, whose other end is
 * another engine: each side writes one chunk, then reads one. "pace" of "audio": 0 = unpaced, lock-step chunks as fast
 * as both ends go; n > 0 = n times real time. "drop_after_ms" of line time: this side closes the media as a line that
 * is cut. "call_ms" is line time for an unpaced call and wall time else; unpaced calls also end after "cpu_s".
 *
 * "media":"datagram" is a bound UDP socket (IPv4 or IPv6) that is not connected; the socket for RTCP is another. "path"
 * says who is at the other end and what is spoken:
 *
 *   {"mode":"rtp", "address":"192.0.2.1", "port":4000, "rtcp_port":4001, "codec":"PCMU"|"PCMA", "payload":0,
 *    "latch":["192.0.2.1","198.51.100.7"],
 *    "srtp":{"send":{"suite":"AES_CM_128_HMAC_SHA1_80","key":"<base64>"}, "receive":{...}}}
 *   {"mode":"t38", "address":"192.0.2.1", "port":4000, "version":0, "max_bit_rate":14400,
 *    "rate_management":"transferredTCF"|"localTCF", "ec":"none"|"redundancy"|"fec", "max_datagram":400,
 *    "redundancy_control":3, "redundancy_image":3, "fec_entries":3, "fec_span":3, "latch":[...]}
 *
 * Without "srtp" RTP is plain. The address "0.0.0.0" or "::", or port 0, is a far end on hold: nothing is sent.
 * "max_datagram" is what the far end takes. "latch" are the addresses from which media may come at another port or
 * address than said, ["*"] = any: once a valid packet came, its sender is the far end until the next path, packets go
 * there, and what comes from elsewhere is refused, unless it comes from just the address and port that were said. A
 * path of mode "t38" after one of mode "rtp" begins T.30 anew on T.38; datagrams that are not RTP may come before it
 * and are kept for it. If pages were confirmed by then, the call ends with "protocol_error". A path of mode "rtp" after
 * one of mode "t38" is ignored.
 *
 * "media":"serial" is the device of a Class 1 modem (ITU-T T.31), raw, whose ATD or ATA has just ended with CONNECT,
 * and of which nothing behind that was read. When the call has ended the modem may still be sending or listening;
 * hanging up is the FSP's. "modem" says what it can do, by the numbers of +FTM=? and +FRM=?; of a modem that lacks one
 * of V.17's or V.29's numbers these are not used. "flow" is how it holds up the page that it is given. With "realtime"
 * the engine asks for real-time scheduling, and warns if it may not:
 *
 *   {"transmit":[24,48,72,96,73,74,97,98,121,122,145,146], "receive":[...], "flow":"hardware"|"software"|"none",
 *    "realtime":true}
 *
 * Thread: any; a call belongs to one thread (the line's worker), engine_abort() and engine_command() may come from any.
 */
#ifndef FAXD_PLUGINS_COMMON_ENGINE_H
#define FAXD_PLUGINS_COMMON_ENGINE_H

#include <jansson.h>
#include <stdbool.h>

#define ENGINE_COMMAND_MAX 4096 /* octets of an order as compact text */

struct engine;      /* a provider's spawner */
struct engine_call; /* one call */

/* Start the spawner `program` (absolute path of faxd-t30) for up to `calls_per_engine` calls a process. It is started
 * again by engine_start when it has died. 0 or an err code. The caller frees with engine_close. */
int engine_open(struct engine **out, const char *program, int calls_per_engine);

/* Ends the spawner; calls that run are not ended by it. NULL is fine. */
void engine_close(struct engine *engine);

/* Start a call. `media`, `rtcp` and `journal` (-1 = none) and `files` stay the caller's and may be closed when this
 * returns. 0 or an err code. The caller frees with engine_call_free. */
int engine_start(struct engine_call **out, struct engine *engine, const json_t *job, int media, int rtcp, int journal,
                 const int *files, int file_count);

/* Wait for the next event: 0 and a new reference in `*event`; ERR_AGAIN after `timeout_ms` (-1 = none); ERR_CLOSED when
 * the engine is gone. Anything that is not a JSON object with a known "event" is dropped and logged. */
int engine_wait(struct engine_call *call, json_t **event, int timeout_ms);

/* Ask the call to stop; it answers with "ended" soon, or is killed by its own limits. Any thread. */
void engine_abort(struct engine_call *call);

/* Give the call an order: `command` is an object with the key "command" as above; it stays the caller's. 0; ERR_INVALID
 * or ERR_TOO_BIG; ERR_AGAIN when the engine does not read (nothing was given); ERR_CLOSED when it is gone, which
 * engine_wait will say too. What the engine makes of it is not waited for. Any thread. */
int engine_command(struct engine_call *call, const json_t *command);

/* Closes the control socket (an engine whose FSP is gone ends its call) and frees. NULL is fine. */
void engine_call_free(struct engine_call *call);

#endif
