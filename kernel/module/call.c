/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Entering and leaving a module: the one place where a call is put together, serialised, and its answer checked.
 */
#include "kernel/module/internal.h"
#include "kernel/module/loader.h"

#include <string.h>

static __thread struct module_frame *volatile top_frame;

const char *module_on_stack(void)
{
	struct module_frame *frame = top_frame;

	return frame == NULL ? loader_on_stack() : frame->instance->label;
}

void module_scope_init(struct module_scope *scope, struct module_thread *thread, struct pr_arena *arena)
{
	memset(scope, 0, sizeof *scope);
	scope->thread = thread;
	scope->arena = arena;
}

enum pr_status module_scope_fail(struct module_scope *scope, enum pr_status status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	scope->reason = pr_arena_vprintf(scope->arena, format, args);
	va_end(args);
	return status;
}

static bool is_running_already(const struct module_instance *instance)
{
	for (struct module_frame *frame = top_frame; frame != NULL; frame = frame->outer)
		if (frame->instance == instance)
			return true;
	return false;
}

static void push(struct module_frame *frame)
{
	frame->outer = top_frame;
	top_frame = frame;
}

static void pop(struct module_frame *frame)
{
	top_frame = frame->outer;
	if ((frame->instance->module->flags & PR_CONCURRENT) == 0)
		pthread_mutex_unlock(&frame->instance->mutex);
}

/* First use of an instance in a thread: its memory, then thread_open. */
static enum pr_status open_thread(struct module_frame *frame, struct module_thread *thread)
{
	const struct pr_module *module = frame->instance->module;
	void *memory = pr_alloc(module->thread_size + 1);
	enum pr_status status = PR_OK;

	frame->call.thread = module->thread_size > 0 ? memory : NULL;
	if (module->thread_open != NULL)
		status = module->thread_open(&frame->call);
	if (status == PR_OK)
		thread->memories[frame->instance->index] = memory;
	else
		pr_free(memory);
	return status;
}

void module_thread_set_wait(struct module_thread *thread, void (*about_to_wait)(void *context), void *context)
{
	thread->about_to_wait = about_to_wait;
	thread->waits_context = context;
}

/* Engines wait only through maps, and a store only for its disk. */
static bool may_wait(const struct pr_module *module)
{
	if (module->kind == PR_KIND_MAP)
		return (module->flags & PR_PROMPT) == 0;
	return module->kind == PR_KIND_FILTER || module->kind == PR_KIND_AUTH;
}

static void announce_wait(const struct module_thread *thread)
{
	if (thread != NULL && thread->about_to_wait != NULL)
		thread->about_to_wait(thread->waits_context);
}

static void lock_instance(struct module_instance *instance, const struct module_thread *thread)
{
	if (pthread_mutex_trylock(&instance->mutex) == 0)
		return;
	announce_wait(thread);
	pthread_mutex_lock(&instance->mutex);
}

enum pr_status module_enter(struct module_frame *frame, struct module_scope *scope, struct module_instance *instance, void *session)
{
	const struct pr_module *module = instance->module;

	memset(frame, 0, sizeof *frame);
	frame->scope = scope;
	frame->instance = instance;
	frame->call.size = sizeof frame->call;
	frame->call.host = &instance->set->host;
	frame->call.arena = scope->arena;
	frame->call.instance = instance->memory;
	frame->call.session = session;
	frame->call.kernel = frame;
	frame->call.deadline_ms = scope->deadline_ms;
	scope->reason = PR_NONE;
	if (!instance->is_open && !instance->is_preparing)
		return module_scope_fail(scope, PR_MISUSE, "%s is not open here", instance->label);
	if (may_wait(module))
		announce_wait(scope->thread);
	if ((module->flags & PR_CONCURRENT) == 0) {
		if (is_running_already(instance))
			return module_scope_fail(scope, PR_MISUSE, "%s calls itself", instance->label);
		lock_instance(instance, scope->thread);
	}
	push(frame);
	if (scope->thread == NULL || !instance->is_open || (module->thread_size == 0 && module->thread_open == NULL))
		return PR_OK;
	void *memory = scope->thread->memories[instance->index];
	if (memory == NULL) {
		enum pr_status status = open_thread(frame, scope->thread);
		if (status != PR_OK)
			return module_leave(frame, status);
		memory = scope->thread->memories[instance->index];
	}
	frame->call.thread = module->thread_size > 0 ? memory : NULL;
	return PR_OK;
}

enum pr_status module_leave(struct module_frame *frame, enum pr_status status)
{
	struct module_scope *scope = frame->scope;

	pop(frame);
	if (status == PR_OK || status == PR_NOTFOUND) {
		scope->reason = frame->call.reason;
		return status;
	}
	if ((unsigned int)status > PR_MISUSE)
		return module_scope_fail(scope, PR_TEMPFAIL, "%s answered %d, which is no status", frame->instance->label, (int)status);
	scope->reason = frame->call.reason;
	if (scope->reason.data == NULL)
		module_scope_fail(scope, status, "%s failed (%s) and gave no reason", frame->instance->label, pr_status_name(status));
	return status;
}

void module_leave_void(struct module_frame *frame)
{
	pop(frame);
}

struct module_set *module_thread_set(const struct module_thread *thread)
{
	return thread->set;
}

struct module_thread *module_thread_new(struct module_set *set)
{
	struct module_thread *thread = pr_alloc(sizeof *thread);

	thread->set = set;
	thread->memories = pr_alloc((set->count + 1) * sizeof *thread->memories);
	return thread;
}

void module_thread_free(struct module_thread *thread)
{
	struct pr_arena arena;
	struct module_scope scope;

	if (thread == NULL)
		return;
	pr_arena_init(&arena, 65536);
	module_scope_init(&scope, thread, &arena);
	for (size_t i = 0; i < thread->set->count; i++) {
		struct module_instance *instance = &thread->set->instances[i];
		struct module_frame frame;
		if (thread->memories[i] == NULL)
			continue;
		if (instance->module->thread_close != NULL && module_enter(&frame, &scope, instance, NULL) == PR_OK) {
			instance->module->thread_close(&frame.call);
			module_leave_void(&frame);
		}
		pr_free(thread->memories[i]);
	}
	pr_arena_fini(&arena);
	pr_free(thread->memories);
	pr_free(thread);
}

bool module_session_init(struct module_session *session, struct module_instance *instance)
{
	session->instance = instance;
	session->memory = instance->module->session_size > 0 ? pr_alloc(instance->module->session_size) : NULL;
	return true;
}

void module_session_fini(struct module_session *session)
{
	pr_free(session->memory);
	session->memory = NULL;
	session->instance = NULL;
}
