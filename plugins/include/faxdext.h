/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Four optional exports of an FSP for faxd: what the Windows structs have no room for. An FSP without them works.
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
 *    "max_rate_bps":14400, "compressions":["mh","mr","mmr"], "subaddress":"", "password":"",
 *    "renditions":[{"file":"/.../a12-standard.tif","resolution":"standard","width":1728}], "call_limit_s":3600,
 *    "ring":7}
 * journal_fd stays the host's, open until FaxDevEndJob. Absent keys mean the FSP's defaults. */
FSP_EXPORT BOOL WINAPI FaxdJobOptions(HANDLE FaxHandle, const char *json);

/* After the operation returned, before FaxDevEndJob, on the job's thread: what happened. Size protocol as FaxdRingInfo;
 * at most 49,152 octets. Keys, each absent or null when not known:
 *   "outcome"          word of api.md more precise than the FS code ("training_failed", "confirmation_lost", ...)
 *   "message"          the reason in words
 *   "mode"             "audio" | "t38" | "class1" | "simulated",  "codec", "t38_version"
 *   "t30_result"       spandsp's completion code, "t30_text" its text; "sip_status", "sip_reason", "q850"
 *   "connected"        true when the far end answered; "answered_at_ms", "ended_at_ms": UTC
 *   "rate_bps", "modem" "V.17", "ecm", "compression" "T.6", "resolution" "204x196", "width", "polling"
 *   "pages_confirmed"  send: confirmed by the far end; "pages_received" receive: on disk and confirmed
 *   "bad_rows", "longest_bad_run", "ecm_retries", "packet_loss"
 *   "end_sent", "final_confirmed"  as in the journal;  "receive_complete"
 *   "remote_station_id", "local_station_id", "caller_id", "subaddress" that the far end asked for
 *   "line_ms"          line time of the call
 *   "frames"           [{"at_ms":1234,"dir":"sent"|"received","name":"DIS","hex":"ff13..."}], at most 400, bounded;
 *                      "frames_omitted": how many are not there */
FSP_EXPORT BOOL WINAPI FaxdCallRecord(HANDLE FaxHandle, char *json, DWORD size, LPDWORD needed);

typedef BOOL(WINAPI *PFAXDPROVIDERCONFIG)(const char *);
typedef BOOL(WINAPI *PFAXDRINGINFO)(DWORD, char *, DWORD, LPDWORD);
typedef BOOL(WINAPI *PFAXDJOBOPTIONS)(HANDLE, const char *);
typedef BOOL(WINAPI *PFAXDCALLRECORD)(HANDLE, char *, DWORD, LPDWORD);

#ifdef __cplusplus
}
#endif
#endif
