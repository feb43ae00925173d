/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The discard mailer: says yes to every recipient and keeps nothing.
 * It is a mailer and not a special case of the courier, so that a discarded message is logged and finished like any other.
 */
#include <postrider/mailer.h>

static enum pr_status deliver(struct pr_call *call, const struct pr_destination *destination, const struct pr_envelope *envelope,
                              struct pr_body *body, struct pr_delivery *deliveries, size_t count)
{
	(void)call;
	(void)destination;
	(void)envelope;
	(void)body;
	for (size_t i = 0; i < count; i++) {
		deliveries[i].status = PR_OK;
		deliveries[i].enhanced = PR_STR("2.0.0");
		deliveries[i].reply = PR_STR("discarded");
		deliveries[i].flags = PR_DELIVERY_FINAL;
	}
	return PR_OK;
}

static const struct pr_mailer_ops ops = {.size = sizeof ops, .default_flags = "lsDFMm", .deliver = deliver};

PR_MODULE(discard) = {
	PR_MODULE_HEAD(PR_KIND_MAILER), .flags = PR_CONCURRENT, .name = "discard", .version = "1.0",
	.summary = "accepts mail and throws it away", .ops = &ops,
};
