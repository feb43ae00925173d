/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A row per letter and module; rows of one module before that for all.
 */
#include "kernel/config/mailer_flags.h"

static const char always[] = "it is done in any case";
static const char no_user_database[] = "there is no user database in this release";
static const char alias_rights[] = "what an alias may name is the same for all mailers";
static const char only_programs[] = "only a program can be told so";

const struct mailer_flag mailer_flags[] = {
    {'0', "smtp", "mx", "false", NULL},
    {'0', NULL, NULL, NULL, "there is no name server to be asked"},
    {'1', NULL, "strip_nul", "true", NULL},
    {'2', "smtp", "esmtp", "false", NULL},
    {'2', NULL, NULL, NULL, "only SMTP has extensions"},
    {'3', NULL, NULL, NULL, NULL},
    {'5', NULL, NULL, NULL, NULL},
    {'6', NULL, NULL, NULL, NULL},
    {'7', NULL, NULL, NULL, NULL},
    {'8', NULL, NULL, NULL, NULL},
    {'9', NULL, NULL, NULL, NULL},
    {'a', "smtp", NULL, NULL, NULL}, /* the greeting of the other side decides without it */
    {'a', NULL, NULL, NULL, "only SMTP has extensions"},
    {'A', NULL, NULL, NULL, NULL},
    {'b', "file", NULL, NULL, always},
    {'b', "local", NULL, NULL, always},
    {'b', NULL, "blank_end", "true", NULL},
    {'B', NULL, NULL, NULL, "a leading backslash is taken off by the rules of aliases"},
    {'c', NULL, NULL, NULL, NULL},
    {'C', NULL, NULL, NULL, NULL},
    {'d', NULL, NULL, NULL, "there are no route addresses in an envelope"},
    {'D', NULL, NULL, NULL, NULL},
    {'e', NULL, NULL, NULL, NULL},
    {'E', "file", NULL, NULL, NULL},
    {'E', "local", NULL, NULL, NULL},
    {'E', NULL, "quote_from", "true", NULL},
    {'f', "prog", "sender_flag", "-f", NULL},
    {'f', NULL, NULL, NULL, only_programs},
    {'F', NULL, NULL, NULL, NULL},
    {'g', NULL, NULL, NULL, "the null return path is RFC 5321's"},
    {'h', NULL, NULL, NULL, NULL},
    {'i', NULL, NULL, NULL, no_user_database},
    {'I', NULL, NULL, NULL, "VERB is not said to other hosts"},
    {'j', NULL, NULL, NULL, no_user_database},
    {'k', "smtp", "loop_check", "false", NULL},
    {'k', NULL, NULL, NULL, "only a next host can be ourselves"},
    {'l', NULL, NULL, NULL, NULL},
    {'L', NULL, "line_limit", "990", NULL}, /* unless L= says another */
    {'m', NULL, NULL, NULL, NULL},
    {'M', NULL, NULL, NULL, NULL},
    {'n', "prog", "from_line", "false", NULL},
    {'n', "smtp", NULL, NULL, always},
    {'n', NULL, NULL, NULL, "a mailbox needs its From line"},
    {'o', NULL, NULL, NULL, "a program is DefaultUser's, or with F=wS the mailbox owner's"},
    {'p', NULL, NULL, NULL, "source routes are dropped, RFC 5321 appendix C"},
    {'P', NULL, NULL, NULL, NULL},
    {'q', NULL, NULL, NULL, NULL},
    {'r', "prog", "sender_flag", "-r", NULL},
    {'r', NULL, NULL, NULL, only_programs},
    {'R', NULL, NULL, NULL, "reserved ports are for root, and no mailer is root"},
    {'s', "prog", "strip_quotes", "true", NULL},
    {'s', NULL, NULL, NULL, only_programs},
    {'S', NULL, NULL, NULL, "a program is never run as root; with F=w it is the account that the recipient names"},
    {'u', NULL, NULL, NULL, NULL},
    {'U', "prog", "uucp_from", "true", NULL},
    {'U', NULL, NULL, NULL, only_programs},
    {'w', NULL, NULL, NULL, NULL},
    {'W', NULL, NULL, NULL, NULL},
    {'x', NULL, NULL, NULL, NULL},
    {'X', "smtp", NULL, NULL, always},
    {'X', "local", NULL, NULL, "a mailbox has no dots to hide"},
    {'X', NULL, "hide_dots", "true", NULL},
    {'z', "smtp", "lmtp", "true", NULL},
    {'z', NULL, NULL, NULL, "there is nobody to speak LMTP to"},
    {'Z', NULL, NULL, NULL, "there are no dial-up lines in this world"},
    {':', NULL, NULL, NULL, alias_rights},
    {'|', NULL, NULL, NULL, alias_rights},
    {'/', NULL, NULL, NULL, alias_rights},
    {'@', NULL, NULL, NULL, no_user_database},
    {'%', NULL, NULL, NULL, "a host that asks with ETRN gets what waits for it; others are tried as usual"},
    {'!', NULL, NULL, NULL, "the header of MH is left as it is"},
    {0, NULL, NULL, NULL, NULL},
};

const struct mailer_flag *mailer_flag_find(char letter, struct pr_str module)
{
	for (const struct mailer_flag *row = mailer_flags; row->letter != 0; row++)
		if (row->letter == letter && (row->module == NULL || pr_str_equal(module, pr_str(row->module))))
			return row;
	return NULL;
}
