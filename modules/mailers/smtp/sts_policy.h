/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a domain says of its MTA-STS: a TXT record with an id, and a policy as text (RFC 8461 section 3).
 *
 *     _mta-sts.example.org  TXT  "v=STSv1; id=20260101T0000;"
 *     https://mta-sts.example.org/.well-known/mta-sts.txt:
 *         version: STSv1
 *         mode: enforce
 *         mx: mail.example.org
 *         mx: *.backup.example
 *         max_age: 604800
 *
 * Pure: bytes in, words out, which point into the bytes.  Keys and modes are in the case of the grammar, names of hosts in any; keys that are not known
 * are passed over, and of a key that may stand once the first counts (section 3.2).
 */
#ifndef MODULES_MAILERS_SMTP_STS_POLICY_H
#define MODULES_MAILERS_SMTP_STS_POLICY_H

#include <postrider/text.h>

#define STS_POLICY_BYTES 65536      /* of the text (section 3.3) */
#define STS_MX_MAX 128              /* patterns of one policy */
#define STS_ID_MAX 32
#define STS_MAX_AGE 31557600        /* seconds, a year (section 3.2); what is longer is as long */

enum sts_mode { STS_NONE, STS_TESTING, STS_ENFORCE };

struct sts_policy {
	uint32_t mode;   /* enum sts_mode */
	uint32_t count;
	int64_t max_age; /* seconds, at most STS_MAX_AGE */
	struct pr_str mx[STS_MX_MAX];
};

/* False, and a sentence: it is no policy. */
bool sts_policy_parse(struct pr_str text, struct sts_policy *policy_out, struct pr_text *why);
/* As its grammar has it, a line each with LF; what parse() passed over is gone. */
void sts_policy_print(const struct sts_policy *policy, struct pr_text *out);
/* May this host get the domain's mail (section 4.1)?  An asterisk stands for one label. */
bool sts_policy_has(const struct sts_policy *policy, struct pr_str host);
const char *sts_mode_name(uint32_t mode);

/* The id of the one record that is of MTA-STS; false: there is none, there are several, or it is not well-formed (section 3.1). */
bool sts_record_find(const struct pr_str *texts, size_t count, struct pr_str *id_out);

#endif
