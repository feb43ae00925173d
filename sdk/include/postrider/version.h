/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The version of the module ABI.
 *
 * A module carries the numbers it was built with.  The kernel loads it when
 * the magic and the major number are equal and the module's minor number is
 * not newer than the kernel's.  A minor number grows when something is added
 * at the end of a struct or table (every one begins with its size); a major
 * number grows when anything else moves.
 *
 * History
 *   1.0  first release: kinds map, mailer, filter, rules, store, auth
 *   1.1  store: begin_in, wait_ready, quarantine, edit, query, handover, list; pr_claim.lease_ms, pr_entry for an index; rules: queue_group
 *   1.2  host: progress, host_is_dead, host_failed, answered; store: claim_aside, secure, forget
 *   1.3  host: own_name, dns_records, macro_set; mapflags.h; rules: declare, session_close, feature, explain, check of headers
 *   1.4  flags PR_PROMPT, PR_ANY_ADDRESS; rules: set_out, checks of TLS as a client, PR_ROUTE_WAITS; envelope: pr_deliver_by; mailer:
 *        PR_DELIVERY_BY_TAKEN; a program that is spoken with, its directory, root and niceness (pr_local_delivery); pr_file_is_safe, pr_str_word; host: map_ask,
 *        tls_start, tls_read, tls_write, tls_end, talks_to, rules_check, rules_feature; auth: flags, author, server_end; base64.h; rules: check of AUTH=; rules: transaction_close
 *   1.5  pr_mx.flags, pr_dns_record.flags; pr_dane, pr_tls_wish; host: dane_find, tls_start_with; rules: feature local_host_name;
 *        content_fit and tls_result of host; PR_PROGRESS_MESSAGE; envelope: PR_ENVELOPE_UTF8, PR_MACRO_REQUIRETLS; pr_str_is_ascii, pr_utf8_is_valid, pr_address_path_utf8
 */
#ifndef POSTRIDER_VERSION_H
#define POSTRIDER_VERSION_H

#define PR_MODULE_MAGIC 0x70726d31u /* "prm1" */
#define PR_ABI_MAJOR 1
#define PR_ABI_MINOR 5

#endif
