/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Records that are made durable later, or never: their clients wait for the delivery, and most of it is over before a disk would be.
 * What is asked for afterwards is answered from three numbers - segment, end, losses - so nothing is kept about it here.
 */
#include "spool.h"

#include <errno.h>

/* Nobody in it is promised anything yet, and the head of the segment is durable. */
bool journal_may_wait(const struct journal_writer *writer, const struct spool_job *batch)
{
	if (writer->durable == JOURNAL_HEAD)
		return false;
	for (; batch != NULL; batch = batch->next)
		if (batch->late == NULL || (batch->record.flags & JOURNAL_BODY_FILED) != 0)
			return false;
	return true;
}

/* The end of the batch stands for the end of each of its records. */
void journal_answer_written(const struct journal_writer *writer, struct spool_job *batch)
{
	for (struct spool_job *job = batch; job != NULL; job = job->next)
		*job->late = (struct journal_late){writer->number, writer->generation, writer->offset, writer->losses};
	journal_answer_all(batch, PR_COMMIT_WRITTEN, 0, "");
}

static bool is_here(const struct journal_writer *writer, const struct journal_late *late)
{
	return writer->fd >= 0 && writer->number == late->number && writer->generation == late->generation;
}

/* What was written earlier is asked for now: one fdatasync for all of them, if any is needed. */
void journal_secure(struct journal_writer *writer, struct spool_job *asked)
{
	int error = 0;

	for (const struct spool_job *job = asked; job != NULL && error == 0; job = job->next)
		if (is_here(writer, job->late) && writer->durable < job->late->end) {
			error = journal_make_durable(writer);
			if (error == 0)
				journal_note_durable(writer);
			else
				journal_leave_segment(writer);
		}
	while (asked != NULL) {
		struct spool_job *job = asked;
		bool durable = is_here(writer, job->late) ? writer->durable >= job->late->end : writer->losses == job->late->losses;

		asked = job->next;
		job->result = durable ? PR_COMMIT_DURABLE : PR_COMMIT_UNKNOWN;
		job->error = error != 0 ? error : EIO;
		spool_job_answer(job);
	}
}

/* Takes those that only ask out of *jobs. */
struct spool_job *journal_take_asking(struct spool_job **jobs)
{
	struct spool_job *asked = NULL;

	while (*jobs != NULL)
		if ((*jobs)->secures) {
			struct spool_job *job = *jobs;

			*jobs = job->next;
			job->next = asked;
			asked = job;
		} else {
			jobs = &(*jobs)->next;
		}
	return asked;
}
