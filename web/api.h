/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The handlers of the routing table (web/routes.c), by the file that has them. Each makes the reply of its request, or
 * waits (request_wait); what it needs was checked before: path, key and scope, type of the body.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_API_H
#define FAXD_WEB_API_H

struct request;

/* faxes.c */
void faxes_post(struct request *request);
void faxes_list(struct request *request);
void faxes_get(struct request *request);
void faxes_cancel(struct request *request);
void faxes_hold(struct request *request);
void faxes_release(struct request *request);
void faxes_attempts(struct request *request);
void faxes_trace(struct request *request);
void faxes_events(struct request *request);

/* fax_verbs.c */
void verbs_patch(struct request *request);
void verbs_retry(struct request *request);
void verbs_resend(struct request *request);
void verbs_forward(struct request *request);

/* inbox.c */
void inbox_post_read(struct request *request);
void inbox_post_junk(struct request *request);
void inbox_post_assign(struct request *request);
void inbox_post_labels(struct request *request);
void inbox_post_note(struct request *request);
void inbox_list_notes(struct request *request);

/* batches.c */
void batches_post(struct request *request);
void batches_list(struct request *request);
void batches_get(struct request *request);
void batches_cancel(struct request *request);

/* receipt.c */
void receipt_get(struct request *request);

/* purge.c */
void purge_fax(struct request *request);

/* documents.c */
void documents_get(struct request *request);
void documents_page(struct request *request);
void documents_thumbnail(struct request *request);

/* previews.c */
void previews_post(struct request *request);
void previews_get(struct request *request);
void previews_document(struct request *request);
void previews_page(struct request *request);

/* covers.c */
void covers_list(struct request *request);
void covers_post(struct request *request);
void covers_sample(struct request *request);
void covers_get(struct request *request);
void covers_patch(struct request *request);
void covers_delete(struct request *request);

/* lines.c */
void lines_list(struct request *request);
void lines_get(struct request *request);
void lines_patch(struct request *request);
void lines_test(struct request *request);
void lines_providers(struct request *request);

/* trunks.c */
void trunks_list(struct request *request);
void trunks_get(struct request *request);
void trunks_test(struct request *request);

/* destinations.c */
void destinations_list(struct request *request);
void destinations_get(struct request *request);
void destinations_patch(struct request *request);
void destinations_delete(struct request *request);

/* contacts.c, contact_import.c */
void contacts_list(struct request *request);
void contacts_post(struct request *request);
void contacts_import(struct request *request);
void contacts_get(struct request *request);
void contacts_patch(struct request *request);
void contacts_delete(struct request *request);

/* groups.c */
void groups_list(struct request *request);
void groups_post(struct request *request);
void groups_get(struct request *request);
void groups_patch(struct request *request);
void groups_delete(struct request *request);

/* identities.c */
void identities_list(struct request *request);
void identities_post(struct request *request);
void identities_get(struct request *request);
void identities_patch(struct request *request);
void identities_delete(struct request *request);

/* mails.c */
void mails_list(struct request *request);
void mails_get(struct request *request);
void mails_retry(struct request *request);
void mails_of_fax(struct request *request);

/* block_rules.c */
void block_rules_list(struct request *request);
void block_rules_post(struct request *request);
void block_rules_get(struct request *request);
void block_rules_patch(struct request *request);
void block_rules_delete(struct request *request);

/* outbound_rules.c */
void outbound_rules_list(struct request *request);
void outbound_rules_post(struct request *request);
void outbound_rules_test(struct request *request);
void outbound_rules_get(struct request *request);
void outbound_rules_patch(struct request *request);
void outbound_rules_delete(struct request *request);

/* inbound_rules.c */
void inbound_rules_list(struct request *request);
void inbound_rules_post(struct request *request);
void inbound_rules_test(struct request *request);
void inbound_rules_get(struct request *request);
void inbound_rules_patch(struct request *request);
void inbound_rules_delete(struct request *request);

/* deliveries.c */
void deliveries_list(struct request *request);
void deliveries_retry(struct request *request);
void deliveries_route(struct request *request);

/* events.c */
void events_list(struct request *request);
void events_stream(struct request *request);

/* webhooks.c */
void webhooks_list(struct request *request);
void webhooks_post(struct request *request);
void webhooks_get(struct request *request);
void webhooks_patch(struct request *request);
void webhooks_delete(struct request *request);
void webhooks_rotate(struct request *request);
void webhooks_test(struct request *request);
void webhooks_deliveries(struct request *request);
void webhooks_replay(struct request *request);

/* links.c */
void links_post(struct request *request);
void links_get(struct request *request);

/* sessions.c */
void sessions_post(struct request *request);
void sessions_get(struct request *request);
void sessions_delete(struct request *request);
void sessions_password(struct request *request);

/* setup.c */
void setup_get(struct request *request);
void setup_post(struct request *request);

/* users.c */
void users_list(struct request *request);
void users_assignable(struct request *request);
void users_post(struct request *request);
void users_get(struct request *request);
void users_patch(struct request *request);
void users_delete(struct request *request);

/* keys.c */
void keys_list(struct request *request);
void keys_post(struct request *request);
void keys_get(struct request *request);
void keys_patch(struct request *request);
void keys_delete(struct request *request);
void keys_rotate(struct request *request);

/* auditlog.c */
void auditlog_list(struct request *request);
void auditlog_verify(struct request *request);

/* reports.c */
void reports_usage(struct request *request);

/* dashboard.c */
void dashboard_get(struct request *request);

/* system.c */
void system_get(struct request *request);
void system_log(struct request *request);

/* test_inbound.c */
void test_inbound(struct request *request);

/* health.c */
void health_live(struct request *request);
void health_ready(struct request *request);
void health_metrics(struct request *request);

/* pages.c */
void pages_file(struct request *request);

#endif
