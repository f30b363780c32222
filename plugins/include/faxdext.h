/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Five optional exports of an FSP for faxd: what the Windows structs have no room for. An FSP without them works.
 *
 * All texts are UTF-8 JSON objects; unknown keys are ignored on both sides, so that either may grow. BOOL results as in
 * faxdev.h: zero is failure, the reason is in the last error.
 *
 * The documented way to settings, FaxExtInitializeConfig of faxext.h, serves the same: its GET gives, for every GUID
 * under which nothing was SET, the text of FaxdProviderConfig for device 0, and element i of "lines" for device
 * DeviceIdPrefix + i. The octets are JSON; an end that is not counted follows them. What is SET lasts as long as the
 * host.
 */
#ifndef FAXD_FAXDEXT_H
#define FAXD_FAXDEXT_H

#include "win32.h"

#ifdef __cplusplus
extern "C" {
#endif

/* After loading, before FaxDevVirtualDeviceCreation, which has to know the lines. Start-up thread. FALSE: the provider
 * is refused. The text is valid during the call only.
 *   {"name":"exchange", "engine":"/usr/libexec/faxd/faxd-t30", "work_dir":"/var/lib/faxd/hosts/exchange",
 *    "calls_per_engine":1, "settings":{...}, "lines":[{"name":"1001","number":"1001","settings":{...}}]}
 * Line i of "lines" is device DeviceIdPrefix + i. "work_dir" is where the files of calls lie, and the place for a
 * provider's own: under encryption at rest it is in memory, so that nothing of a fax is written to the disk in plain.
 */
FSP_EXPORT BOOL WINAPI FaxdProviderConfig(const char *json);

/* On a ring of `device` (full id), before the call is answered: who calls whom. Control thread.
 *   {"caller_id":"+15551234567", "caller_name":"", "called":"1002", "diversion":""}
 * `*needed` is set to the size with its end; FALSE and ERROR_INSUFFICIENT_BUFFER when `size` is less. */
FSP_EXPORT BOOL WINAPI FaxdRingInfo(DWORD device, char *json, DWORD size, LPDWORD needed);

/* After FaxDevStartJob, before FaxDevSend or FaxDevReceive, on the job's thread. Valid during the call only.
 *   {"journal_fd":9, "station_id":"+15551234567", "header":"", "ecm":true, "modems":["v27ter","v29","v17"],
 *    "max_rate_bps":14400, "compressions":["mh","mr","mmr"], "subaddress":"", "password":"", "transport":"auto",
 *    "renditions":[{"file":"/.../a12-standard.tif","resolution":"standard","width":1728}], "call_limit_s":3600,
 *    "ring":7, "caller_id":"+15551234567"}
 * journal_fd stays the host's, open until FaxDevEndJob. Absent keys mean the FSP's defaults.
 * "transport" is how a network's lines are to carry the call: "t38", "g711", or "auto", where the FSP chooses and falls
 * back. faxd gives what it remembers of the number called; lines that have no choice ignore it.
 * "caller_id" is the number that the network is to be told as the caller's, before what is configured; lines that
 * cannot say it ignore it. */
FSP_EXPORT BOOL WINAPI FaxdJobOptions(HANDLE FaxHandle, const char *json);

/* After the operation returned, before FaxDevEndJob, on the job's thread: what happened. Size protocol as FaxdRingInfo;
 * at most 49,152 octets. Keys, each absent or null when not known:
 *   "outcome"          word of api.md more precise than the FS code ("training_failed", "confirmation_lost", ...)
 *   "message"          the reason in words
 *   "mode"             "audio" | "t38" | "class1" | "simulated"; "codec" "PCMU" of audio over a network, "t38_version"
 *   "t30_result"       spandsp's completion code, "t30_text" its text
 *   "trunk", "call_id" what carried the call, and its Call-ID; "sip_status" 486, "sip_reason" "Busy Here", "q850" 17
 *   "connected"        true when the far end answered; "answered_at_ms", "ended_at_ms": UTC
 *   "rate_bps", "modem" "V.17", "ecm", "compression" "T.6", "resolution" "204x196", "width", "polling"
 *   "pages_confirmed"  send: confirmed by the far end; "pages_received" receive: on disk and confirmed
 *   "bad_rows", "longest_bad_run", "ecm_retries"
 *   "packet_loss"      {"expected":n,"lost":n,"recovered":n,"late":n,"refused":n,"standstill_ms":n}; the last is for
 *                      how long this end did not get the processor, and kept the far end waiting
 *   "end_sent", "final_confirmed"  as in the journal;  "receive_complete"
 *   "remote_station_id", "local_station_id", "caller_id", "subaddress" that the far end asked for
 *   "line_ms"          line time of the call
 *   "frames"           [{"at_ms":1234,"dir":"sent"|"received","name":"DIS","hex":"ff13..."}], at most 400, bounded;
 *                      "frames_omitted": how many are not there
 *   "modem_dialogue"   [{"at_ms":1234,"dir":"sent"|"received","text":"AT+FTH=3"}] of a Class 1 modem, at most 250;
 *                      "modem_dialogue_omitted": how many are not there
 *   "sip"              [{"at_ms":-120,"dir":"sent"|"received","text":"INVITE sip:...\r\n..."}], messages with their
 *                      bodies, no secrets; at_ms counts as that of frames; "sip_omitted": how many are not there */
FSP_EXPORT BOOL WINAPI FaxdCallRecord(HANDLE FaxHandle, char *json, DWORD size, LPDWORD needed);

/* A question about the provider as a whole. Control thread; the first time the start-up thread, after FaxDevInitialize
 * and the first line notices. Returns at once: what takes time is begun. Size protocol as FaxdRingInfo, at most 49,152
 * octets. FALSE, any other last error: no answer to such a question.
 *   {"ask":"trunks"}                   how the provider's ways to the network are
 *     {"trunks":[{"name":"office", "state":"up"|"down"|"registering"|"disabled", "reason":"503 Service Unavailable",
 *       "since_ms":1795222800000, "kind":"register"|"static", "registrar":"sip:pbx.example.com",
 *       "calls":2, "calls_total":40, "failures_total":3,
 *       "last_test":{"at_ms":1795222800000, "ok":true, "status":200, "reason":"OK", "rtt_ms":3}}],
 *      "lines":"unavailable", "lines_reason":"no trunk is up"}
 *     At most 64 trunks; a name has 1 to 63 printable ASCII characters, none of them / " \. "name" and "state" are
 *     needed, all else may be absent or null. "calls" are under way; the totals count from FaxDevInitialize on.
 *     "lines":"unavailable" says that no line of the provider can send now: faxd starts no faxes on them until an
 *     answer comes without it.
 *     Of lines that stand on something that can break or be unplugged, such as modems, the answer tells too:
 *      "devices":[{"line":0, "state":"up"|"down"|"faulty", "reason":"...", "device":"/dev/ttyUSB0",
 *       "model":"USRobotics V.92", "since_ms":1795222800000,
 *       "last_test":{"at_ms":1795222800000, "ok":true, "report":"lines of text"}}]
 *     Line i is device DeviceIdPrefix + i; each at most once; "line" and "state" are needed. A line that is not "up"
 *     gets no faxes to send; "faulty" is what somebody has to mend, and is told to the administrator. At most 4,095
 *     octets of a report are kept.
 *   {"ask":"test", "trunk":"office"}   begin a probe (OPTIONS); its result becomes "last_test"
 *     {"started":true}, or {"error":"no trunk has this name"}
 *   {"ask":"test", "line":0}           begin a test of the line's device; its result becomes "last_test" of the device
 *     The same answers.
 *   {"ask":"ring", "line":0, "ring":{"file":"/path.tif", "caller_id":"+1...", "called":"...", "station_id":"..."}}
 *                                      for simulators: let the line ring, and receive the pages of that file
 *     The same answers.
 * An FSP whose answer about trunks has changed (a state, "last_test", "lines", "devices") posts a LINEMESSAGE with
 * dwParam1 = LINEDEVSTATE_OTHER and any device of the provider to the port of FaxDevVirtualDeviceCreation, from any
 * thread; the host then asks, ten times a second at most. */
FSP_EXPORT BOOL WINAPI FaxdProviderAsk(const char *question, char *json, DWORD size, LPDWORD needed);

typedef BOOL(WINAPI *PFAXDPROVIDERCONFIG)(const char *);
typedef BOOL(WINAPI *PFAXDRINGINFO)(DWORD, char *, DWORD, LPDWORD);
typedef BOOL(WINAPI *PFAXDJOBOPTIONS)(HANDLE, const char *);
typedef BOOL(WINAPI *PFAXDCALLRECORD)(HANDLE, char *, DWORD, LPDWORD);
typedef BOOL(WINAPI *PFAXDPROVIDERASK)(const char *, char *, DWORD, LPDWORD);

#ifdef __cplusplus
}
#endif
#endif
