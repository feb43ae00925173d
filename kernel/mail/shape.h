/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A message in the shape that one mailer wants, whatever pieces it comes in:
 *
 *   L=40     xxxxxxxx...   ->  xxxxxxxx...!      a line is cut with "!", and goes on behind a blank
 *                               xxxx
 *   E=\r\n   every line ends so
 *   F=E      From here on  ->  >From here on
 *   F=X      .dot          ->  ..dot
 *   F=1      NUL bytes are left out              F=b   there is an empty line at the end
 *
 * Nothing is kept back but what cannot be told yet: "Fro" at the end of a piece, or the byte that just fits into a line.
 */
#ifndef KERNEL_MAIL_SHAPE_H
#define KERNEL_MAIL_SHAPE_H

#include <postrider/text.h>

struct shape {
	int64_t line_limit;        /* 0: none */
	struct pr_str end_of_line; /* absent: as it is, "\n" */
	bool quote_from, hide_dots, strip_nul, blank_end;
};

struct shaper {
	struct shape shape;
	size_t column;   /* bytes of the current line that are out */
	size_t matched;  /* bytes of "From " that are kept back at the beginning of a line */
	char held;       /* the byte that just fits, if the line ends with it */
	bool has_held, in_line, was_blank;
};

/* Is there anything to be done at all? */
bool shape_is_plain(const struct shape *shape);
void shaper_init(struct shaper *shaper, const struct shape *shape);
/* Would this piece come out as it went in?  Then it is taken as fed. */
bool shaper_passes(struct shaper *shaper, struct pr_str piece);
void shaper_feed(struct shaper *shaper, struct pr_str piece, struct pr_text *out);
/* The end: what was kept back. */
void shaper_finish(struct shaper *shaper, struct pr_text *out);

#endif
