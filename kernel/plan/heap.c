/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Heaps of entries: of those that wait, by due time; of those in a queue run, by the order of the run and then by due time.
 * Each entry is in one of them at most and knows its place there, so it can be taken out of the middle.
 */
#include "kernel/plan/internal.h"

static bool is_before(const struct plan_heap *heap, const struct plan_entry *a, const struct plan_entry *b)
{
	if (heap->by_order && a->order != b->order)
		return a->order < b->order;
	return a->due < b->due;
}

static void place(struct plan_heap *heap, struct plan_entry *entry, size_t index)
{
	heap->at[index] = entry;
	entry->heap_index = (uint32_t)index;
}

static void sift_up(struct plan_heap *heap, struct plan_entry *entry, size_t index)
{
	while (index > 0 && is_before(heap, entry, heap->at[(index - 1) / 2])) {
		place(heap, heap->at[(index - 1) / 2], index);
		index = (index - 1) / 2;
	}
	place(heap, entry, index);
}

static void sift_down(struct plan_heap *heap, struct plan_entry *entry, size_t index)
{
	for (;;) {
		size_t child = index * 2 + 1;
		if (child + 1 < heap->count && is_before(heap, heap->at[child + 1], heap->at[child]))
			child++;
		if (child >= heap->count || !is_before(heap, heap->at[child], entry))
			break;
		place(heap, heap->at[child], index);
		index = child;
	}
	place(heap, entry, index);
}

void plan_heap_push(struct plan_heap *heap, struct plan_entry *entry)
{
	if (heap->count == heap->room) {
		/* by half only: two such tables and a million entries are real memory */
		heap->room = heap->room == 0 ? 256 : heap->room + heap->room / 2;
		heap->at = pr_resize(heap->at, heap->room * sizeof *heap->at);
	}
	sift_up(heap, entry, heap->count++);
}

void plan_heap_remove(struct plan_heap *heap, struct plan_entry *entry)
{
	size_t index = entry->heap_index;
	struct plan_entry *last = heap->at[--heap->count];

	if (last == entry)
		return;
	if (index > 0 && is_before(heap, last, heap->at[(index - 1) / 2]))
		sift_up(heap, last, index);
	else
		sift_down(heap, last, index);
}

void plan_heap_rebuild(struct plan_heap *heap)
{
	for (size_t i = heap->count / 2; i-- > 0;)
		sift_down(heap, heap->at[i], i);
}
