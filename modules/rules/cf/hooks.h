/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the kernel asks: where mail goes, how addresses look, who may send.
 */
#ifndef CF_HOOKS_H
#define CF_HOOKS_H

#include "address.h"

enum pr_status cf_resolve_op(struct pr_call *call, struct pr_str address, struct pr_str sender, struct pr_route *route_out);
enum pr_status cf_resolve(struct cf_run *run, struct pr_str address, struct pr_str sender, struct pr_route *route_out);
enum pr_status cf_explain_op(struct pr_call *call, struct pr_str address, struct pr_str sender, size_t most, struct pr_route *route_out,
                             const struct pr_step **steps_out, size_t *count_out);
enum pr_status cf_local_op(struct pr_call *call, struct pr_str mailer, struct pr_str host, struct pr_str user, struct pr_route *route_out);
enum pr_status cf_expand_op(struct pr_call *call, struct pr_str text, struct pr_str *text_out);
enum pr_status cf_rewrite_op(struct pr_call *call, uint32_t which, struct pr_str mailer, struct pr_str address, struct pr_str *address_out);
enum pr_status cf_headers_op(struct pr_call *call, const struct pr_header **headers_out, size_t *count_out);
/* A set that answers with `$# value`.  PR_NOTFOUND: there is no such set, or it has no opinion; PR_PERMFAIL: it answered with $#error. */
enum pr_status cf_feature_op(struct pr_call *call, struct pr_str name, const struct pr_list *arguments, struct pr_str *value_out);
enum pr_status cf_queue_group_op(struct pr_call *call, struct pr_str address, struct pr_str *group_out);
/* Why no address that anybody can write reaches this mailer: programs, files and lists are for aliases, which the kernel expands itself.
 * NULL: it does. */
const char *cf_refusal_of(const struct cf_mailer *mailer);
/* The arguments as tokens, `$|` between them. */
void cf_take_arguments(struct cf_run *run, const struct pr_list *arguments, struct cf_tokens *tokens);
/* The verdict in tokens that begin with $#; others leave it as it is. */
void cf_judge(struct cf_run *run, const struct cf_tokens *tokens, struct pr_verdict *verdict);
enum pr_status cf_check_op(struct pr_call *call, uint32_t check, const struct pr_check_context *context, const struct pr_list *arguments,
                           struct pr_verdict *verdict);

#endif
