/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages between faxd and a provider host (faxd-fsp), over a SOCK_SEQPACKET socket. The one place that encodes and
 * decodes; both sides include it.
 *
 * A message is at most LINK_BYTES_MAX octets; larger things are files or descriptors. Layout: "FXL", version octet,
 * type (u16), then fields, each tag (u16), length (u32), value; integers are 8 octets little endian, texts are UTF-8
 * without end. Absent fields read as 0 or NULL. A decoder refuses unknown types, unknown or repeated tags, wrong
 * lengths, and text that is not UTF-8 or contains NUL: both sides are built together, and a host of another version
 * says so in hello.
 *
 * Conversation. The host listens on STATE/hosts/NAME/link; faxd connects (and so adopts it) and sends LINK_HELLO with
 * the number of the last event it has committed for that run. The host answers LINK_WELCOME (its run, pid, version),
 * LINK_DEVICE for each line, LINK_JOB for each job that it still holds (running, or ended and not acknowledged),
 * LINK_STATE if it has one, then LINK_READY, then every event after the number in hello. Events carry `number`
 * (ascending by 1 from 1 within a run) and are kept by the host until LINK_ACK names that number or a later one. Orders
 * carry `job` (the attempt's id), so that an order seen twice is not taken for a new call: a host answers a second
 * LINK_SEND of a job it holds by nothing.
 *
 * Thread: any (no state).
 */
#ifndef FAXD_LINK_LINK_H
#define FAXD_LINK_LINK_H

#include <stddef.h>
#include <stdint.h>

#define LINK_VERSION    1
#define LINK_BYTES_MAX  65536
#define LINK_RECORD_MAX 49152 /* octets of a call record or of options */

enum link_type {
    /* orders, faxd to host */
    LINK_HELLO = 1, /* version, number: last committed event of `run` (0 and "" when none) */
    LINK_SEND,      /* job, line, file, destination, caller_name, caller_number, receiver_name, options; fd: journal */
    LINK_RECEIVE,   /* job, line, file, options, number: the ring event that it answers; fd: journal */
    LINK_REJECT,    /* line, number: the ring event; StartJob, Abort, EndJob without Receive */
    LINK_ABORT,     /* job */
    LINK_REPORT,    /* job: answer with LINK_STATUS from an asynchronous FaxDevReportStatus */
    LINK_LINE_ENABLE, /* line, flags: LINK_FLAG_SEND, LINK_FLAG_RECEIVE */
    LINK_ACK,         /* number */
    LINK_DRAIN,       /* take no new orders, leave when the last call has ended and was acknowledged (or after 60 s) */
    LINK_STOP,        /* abort every call, shut the FSP down, leave */
    LINK_TEST, /* text: the trunk to probe, or none, and line: whose device; the result is in a later LINK_STATE. With
                  ring: a simulator is to ring that line, with what is in there */

    /* answers without a number, host to faxd */
    LINK_WELCOME = 64, /* version, run, pid, text: provider name, number: newest event */
    LINK_DEVICE,       /* line, device, text: device name, flags: as enabled */
    LINK_JOB,          /* job, line */
    LINK_READY,
    LINK_STATE, /* text: JSON of FaxdProviderAsk about trunks and devices; before LINK_READY when known, and after each
                   change. The newest replaces the one before: none is numbered or kept */

    /* events, numbered */
    LINK_RING = 128, /* number, line, ring (JSON of FaxdRingInfo or NULL) */
    LINK_STATUS,     /* number, job, phase, status, page, station_id, caller_id, routing: one completion packet */
    LINK_ENDED,      /* number, job, line, phase, status, outcome, result, station_id, caller_id, routing, record:
                        the operation returned; status is the raw FS code, record the JSON of FaxdCallRecord or NULL */
    LINK_FAULT       /* number, line (or LINK_NO_LINE), text: a packet refused, a line lost, a provider refusing */
};

#define LINK_NO_LINE UINT32_MAX

#define LINK_FLAG_SEND      1u
#define LINK_FLAG_RECEIVE   2u
#define LINK_FLAG_LOST      4u /* LINK_FAULT: the line is lost until the provider is restarted */
#define LINK_FLAG_NO_RECORD 8u /* LINK_ENDED: the FSP has no FaxdCallRecord and keeps no journal */

/* What a status packet says the call is doing; from FS_* (fsp-abi.md 2.3). */
enum link_phase {
    LINK_PHASE_NONE,
    LINK_PHASE_INITIALIZING,
    LINK_PHASE_DIALING,
    LINK_PHASE_TRANSMITTING,
    LINK_PHASE_ANSWERED,
    LINK_PHASE_RECEIVING,
    LINK_PHASE_FINAL,
    LINK_PHASE_COUNT
};

/* How an operation ended, decided by the host with the table of fsp-abi.md 2.5 (send) and 3.7 (receive). */
enum link_result {
    LINK_RESULT_NONE,
    LINK_RESULT_NOT_STARTED,      /* FaxDevStartJob returned FALSE: line unavailable, nothing was tried */
    LINK_RESULT_SENT,             /* TRUE and FS_COMPLETED */
    LINK_RESULT_SENT_UNCONFIRMED, /* TRUE and a non-final, zero or missing status */
    LINK_RESULT_RECEIVED,         /* TRUE */
    LINK_RESULT_FAILED,           /* FALSE, or TRUE with a final code that is a failure: outcome tells */
    LINK_RESULT_COUNT
};

/* The outcome that a raw FS_* code stands for (words of api.md; the call record may be more precise). */
enum link_outcome {
    LINK_OUTCOME_NONE,
    LINK_OUTCOME_LINE_UNAVAILABLE,
    LINK_OUTCOME_NO_DIAL_TONE,
    LINK_OUTCOME_BUSY,
    LINK_OUTCOME_NO_ANSWER,
    LINK_OUTCOME_BAD_ADDRESS,
    LINK_OUTCOME_DISCONNECTED,
    LINK_OUTCOME_FATAL_ERROR,
    LINK_OUTCOME_NOT_FAX,
    LINK_OUTCOME_CALL_DELAYED,
    LINK_OUTCOME_BLACKLISTED,
    LINK_OUTCOME_ABORTED,
    LINK_OUTCOME_UNKNOWN, /* LINEERR_*, provider-defined: no automatic resend */
    LINK_OUTCOME_COUNT
};

struct link_message {
    enum link_type type;
    uint64_t number; /* event number, or as the type says */
    uint64_t job;    /* attempt id */
    uint64_t pid;
    uint32_t version;
    uint32_t line;    /* 0-based index of the line in its provider */
    uint32_t device;  /* DeviceIdPrefix + index */
    uint32_t flags;   /* LINK_FLAG_* */
    uint32_t phase;   /* enum link_phase */
    uint32_t status;  /* raw StatusId */
    uint32_t error;   /* raw ErrorCode of FAX_DEV_STATUS, or last error */
    uint32_t page;    /* PageCount */
    uint32_t result;  /* enum link_result */
    uint32_t outcome; /* enum link_outcome */
    const char *run;
    const char *text;
    const char *file;        /* absolute path */
    const char *destination; /* number to dial */
    const char *caller_name;
    const char *caller_number; /* station id to send (TSI / CSI) */
    const char *receiver_name;
    const char *options;    /* JSON for FaxdJobOptions */
    const char *station_id; /* remote CSI / TSI */
    const char *caller_id;
    const char *routing;
    const char *ring;   /* JSON of FaxdRingInfo */
    const char *record; /* JSON of FaxdCallRecord */
};

/* Encode into `to` (room `size`): the octets used (> 0), or ERR_TOO_BIG. Texts are cut nowhere. */
int link_encode(void *to, size_t size, const struct link_message *message);

/* Decode `size` octets. The texts of `*message` point into `scratch` (room LINK_BYTES_MAX * 2, the caller's) and are
 * valid as long as it is left alone. 0; ERR_UNSUPPORTED when the version octet is another than LINK_VERSION (nothing
 * else was looked at); or ERR_INVALID with a message that names the fault. Nothing is trusted: `phase`, `result` and
 * `outcome` are in range when it succeeds; indices are the caller's to check. */
int link_decode(struct link_message *message, char *scratch, const void *from, size_t size);

/* Name of a type ("status"), for logs; never NULL. */
const char *link_type_name(enum link_type type);

/* Encode and send one message on a SOCK_SEQPACKET socket, with a descriptor where `fd` >= 0 (it stays the caller's).
 * 0, ERR_AGAIN (non-blocking and full), ERR_CLOSED, ERR_TOO_BIG, ERR_IO. */
int link_send(int socket, const struct link_message *message, int fd);

/* Receive and decode one message; `*fd` is the descriptor that came with it or -1 (the caller's to close).
 * 0, ERR_AGAIN, ERR_CLOSED, ERR_INVALID, ERR_UNSUPPORTED, ERR_TOO_BIG, ERR_IO. With an error no descriptor is left
 * open. `scratch` as for link_decode. */
int link_receive(int socket, struct link_message *message, char *scratch, int *fd);

#endif
