/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where an expansion gets its answers: the rules, the maps named by AliasFile, the accounts of this machine.
 */
#ifndef KERNEL_SESSION_ALIASES_H
#define KERNEL_SESSION_ALIASES_H

#include "kernel/session/transaction.h"

/* A new expansion for the transaction; transaction->scope must be set whenever expansion_add() is called. */
struct expansion *aliases_expansion(struct transaction *transaction);

#endif
