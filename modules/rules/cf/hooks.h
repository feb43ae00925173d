/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the kernel asks: where mail goes, how addresses look, who may send.
 */
#ifndef CF_HOOKS_H
#define CF_HOOKS_H

#include "address.h"

enum pr_status cf_resolve_op(struct pr_call *call, struct pr_str address, struct pr_str sender, struct pr_route *route_out);
enum pr_status cf_rewrite_op(struct pr_call *call, uint32_t which, struct pr_str mailer, struct pr_str address, struct pr_str *address_out);
enum pr_status cf_headers_op(struct pr_call *call, const struct pr_header **headers_out, size_t *count_out);
enum pr_status cf_check_op(struct pr_call *call, uint32_t check, const struct pr_check_context *context, const struct pr_list *arguments,
                           struct pr_verdict *verdict);

#endif
