/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Storing a received fax in a folder, in a process of its own: the folder may be a network's, and take its time or all
 * the room that there is. It is faxd itself, started anew with these words.
 *
 * Thread: the only one.
 */
#ifndef FAXD_SERVER_ROUTE_ROUTE_STORE_H
#define FAXD_SERVER_ROUTE_ROUTE_STORE_H

#define ROUTE_STORE       "--store-document"
#define ROUTE_STORE_WORDS 6 /* program, ROUTE_STORE, root ("" = none), folder, name of the file, id of the delivery */

/* Standard input is the document. The exit status: 0, and what was stored is said; else why not. A file of that name is
 * whole, or it is not there; one that was there before is left as it is, which is success: names are the faxes' own. */
int route_store_main(char **words);

#endif
