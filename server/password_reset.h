/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A way in for administrators who are locked out: whoever owns the state folder may give any user a new password.
 *
 * Thread: the only one; no faxd may run in the state folder.
 */
#ifndef FAXD_SERVER_PASSWORD_RESET_H
#define FAXD_SERVER_PASSWORD_RESET_H

struct config;

#define PASSWORD_RESET_SIZE 25

/* A new random password for the user `name`, who is unlocked, enabled and signed out everywhere; `password` gets it.
 * 0, ERR_NOT_FOUND, ERR_CONFLICT (a faxd runs there), ERR_DENIED (not the folder's owner), or an error. */
int password_reset(char password[PASSWORD_RESET_SIZE], const struct config *config, const char *name);

#endif
