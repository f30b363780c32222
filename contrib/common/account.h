/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server and the key that a program of contrib/ uses.
 *
 * Thread: one.
 */
#ifndef FAXD_CONTRIB_ACCOUNT_H
#define FAXD_CONTRIB_ACCOUNT_H

struct client;

#define ACCOUNT_DEFAULT_URL "http://127.0.0.1:8080"

/* Read the key in the first line of a file that others than its owner and group may not read. 0, or ERR_NOT_FOUND (no
 * such file), ERR_IO, ERR_DENIED, ERR_INVALID with a message. The caller frees. */
int account_read_key(char **key, const char *path);

/* Open a client that says nothing itself; `url` NULL = this machine, `key` may be NULL. 0 or ERR_INVALID, ERR_INTERNAL.
 * The caller closes with client_close. */
int account_open(struct client **client, const char *url, const char *key);

/* account_read_key and account_open in one. */
int account_open_with(struct client **client, const char *url, const char *key_file);

#endif
