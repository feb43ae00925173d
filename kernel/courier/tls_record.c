/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How TLS with next hosts fared: counted in memory by the threads that deliver, and written by the one that keeps time (TLSReportDirectory).
 * A record that was seen before costs a delivery a walk to its count; what a crash takes are the counts of some seconds.
 */
#include "kernel/courier/internal.h"
#include "kernel/log/log.h"
#include "kernel/queue/tls_record.h"

#define FLUSH_SECONDS 5
#define HELD_MAX 4096 /* different records between two times to write */
#define DAY 86400

struct courier_tls {
	pthread_mutex_t lock; /* the tally */
	struct tls_tally *tally;
	int64_t day, since;   /* of the calendar, what is in the tally; when the first of it came, by the other clock */
	uint64_t lost;        /* results for which there was no room */
	/* of who writes */
	pthread_mutex_t writing;
	struct pr_text path;
	struct tls_book book;
	int64_t book_day;
	struct log_repeat fails;
};

void tls_record_open(struct courier *courier)
{
	if (courier->options->tls_report_directory.len == 0)
		return;
	struct courier_tls *tls = pr_alloc(sizeof *tls);
	pthread_mutex_init(&tls->lock, NULL);
	pthread_mutex_init(&tls->writing, NULL);
	pr_text_init(&tls->path, 4000);
	options_tls_report_path(courier->options, &tls->path);
	tls->tally = tls_tally_new(HELD_MAX);
	courier->tls = tls;
}

void tls_record_close(struct courier *courier)
{
	struct courier_tls *tls = courier->tls;

	if (tls == NULL)
		return;
	pr_text_fini(&tls->path);
	tls_tally_free(tls->tally);
	pthread_mutex_destroy(&tls->writing);
	pthread_mutex_destroy(&tls->lock);
	pr_free(tls);
	courier->tls = NULL;
}

static void say_not_kept(struct courier_tls *tls, const char *why)
{
	uint64_t kept_back;

	if (log_repeat_begin(&tls->fails, courier_now(), &kept_back))
		log_line(LOGP_WARNING, NULL, "TLSReportDirectory: results are not kept: %s", why);
}

static void say_kept(struct courier_tls *tls)
{
	uint64_t kept_back;

	if (log_repeat_end(&tls->fails, &kept_back))
		log_line(LOGP_NOTICE, NULL, "TLSReportDirectory: results are kept again");
}

/* One day's counts; `writing` is held. */
static void write_day(struct courier_tls *tls, const struct tls_tally *tally, int64_t day)
{
	char name[TLS_DAY_ROOM];
	struct pr_text why;

	if (day != tls->book_day) {
		tls_book_sweep(tls->path.data, day * DAY);
		tls->book = (struct tls_book){0};
		tls->book_day = day;
	}
	tls_day_print(day * DAY, name);
	pr_text_init(&why, 1000);
	if (tls_book_add(&tls->book, tls->path.data, name, tally, &why))
		say_kept(tls);
	else
		say_not_kept(tls, why.data);
	pr_text_fini(&why);
}

static void write_all(struct courier_tls *tls)
{
	struct tls_tally *fresh = tls_tally_new(HELD_MAX);

	pthread_mutex_lock(&tls->writing);
	pthread_mutex_lock(&tls->lock);
	struct tls_tally *tally = tls->tally;
	int64_t day = tls->day;
	uint64_t lost = tls->lost;
	tls->tally = fresh;
	tls->lost = 0;
	pthread_mutex_unlock(&tls->lock);
	if (tls_tally_size(tally) > 0)
		write_day(tls, tally, day);
	if (lost > 0)
		say_not_kept(tls, "too many different ones in a few seconds");
	pthread_mutex_unlock(&tls->writing);
	tls_tally_free(tally);
}

/* True: what is there is of another day, and to be written first. */
static bool count(struct courier_tls *tls, struct pr_str record)
{
	int64_t day = courier_wall() / DAY;

	pthread_mutex_lock(&tls->lock);
	bool is_over = tls_tally_size(tls->tally) > 0 && tls->day != day;
	if (!is_over) {
		if (tls_tally_size(tls->tally) == 0)
			tls->since = courier_now();
		tls->day = day;
		tls->lost += !tls_tally_add(tls->tally, record, 1);
	}
	pthread_mutex_unlock(&tls->lock);
	return is_over;
}

static void told(void *context, const struct pr_tls_result *result)
{
	struct courier_tls *tls = ((struct courier *)context)->tls;
	struct pr_text record;

	pr_text_init(&record, TLS_RECORD_LINE * 2);
	tls_record_print(result, &record);
	while (!record.overflow && count(tls, pr_text_str(&record)))
		write_all(tls);
	pr_text_fini(&record);
}

void tls_record_offer(const struct courier *courier, struct module_services *services)
{
	if (courier->tls != NULL)
		services->tls_result = told;
}

void tls_record_tick(struct courier *courier)
{
	struct courier_tls *tls = courier->tls;

	if (tls == NULL)
		return;
	pthread_mutex_lock(&tls->lock);
	bool due = tls_tally_size(tls->tally) > 0 && courier_now() >= tls->since + FLUSH_SECONDS;
	pthread_mutex_unlock(&tls->lock);
	if (due)
		write_all(tls);
}

void tls_record_flush(struct courier *courier)
{
	if (courier->tls != NULL)
		write_all(courier->tls);
}
