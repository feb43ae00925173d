/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Growing bytes: room doubles, and stops at the maximum the text was born with.
 * One function decides whether an addition fits, so no caller can forget to.
 */
#include <postrider/text.h>
#include <string.h>

#define FIRST_ROOM 256 /* a line of a log or a dialogue: one allocation */

/* what data points at while nothing is allocated; never written */
static char empty[1];

void pr_text_init(struct pr_text *text, size_t max)
{
	*text = (struct pr_text){.data = empty, .max = max};
}

void pr_text_fini(struct pr_text *text)
{
	if (text->room > 0)
		pr_free(text->data);
	pr_text_init(text, text->max);
}

void pr_text_clear(struct pr_text *text)
{
	pr_text_cut(text, 0);
	text->overflow = 0;
}

/* Is there room for len more bytes and the NUL without any thought?  Then it is also below the maximum. */
static bool text_has_room(const struct pr_text *text, size_t len)
{
	return text->len < text->room && len < text->room - text->len;
}

/* Room for len more bytes and the NUL; false when that would pass the maximum. */
static bool text_grow(struct pr_text *text, size_t len)
{
	if (text->len > text->max || len > text->max - text->len) {
		text->overflow = 1;
		return false;
	}
	/* a zeroed struct has max 0, and max SIZE_MAX leaves no place for the NUL */
	if (text->max == SIZE_MAX)
		text->max--;
	size_t need = text->len + len + 1;
	if (need <= text->room)
		return true;
	size_t room = text->room > 0 ? text->room : FIRST_ROOM;
	while (room < need)
		room = room <= SIZE_MAX / 2 ? room * 2 : need;
	if (room > text->max + 1)
		room = text->max + 1;
	text->data = pr_resize(text->room > 0 ? text->data : NULL, room);
	text->room = room;
	return true;
}

bool pr_text_add(struct pr_text *text, const void *data, size_t len)
{
	if (!text_has_room(text, len) && !text_grow(text, len))
		return false;
	if (len > 0)
		memcpy(text->data + text->len, data, len);
	text->len += len;
	text->data[text->len] = '\0';
	return true;
}

bool pr_text_add_str(struct pr_text *text, struct pr_str str)
{
	return pr_text_add(text, str.data, str.len);
}

bool pr_text_add_c(struct pr_text *text, const char *c_string)
{
	return pr_text_add_str(text, pr_str(c_string));
}

bool pr_text_add_byte(struct pr_text *text, char byte)
{
	if (!text_has_room(text, 1) && !text_grow(text, 1))
		return false;
	text->data[text->len++] = byte;
	text->data[text->len] = '\0';
	return true;
}

bool pr_text_addf(struct pr_text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	bool fits = pr_text_addv(text, format, args);
	va_end(args);
	return fits;
}

bool pr_text_addv(struct pr_text *text, const char *format, va_list args)
{
	va_list again;
	size_t room = text->room > text->len && text->len <= text->max ? text->room - text->len : 0;

	/* nearly always there is room, and once is enough */
	va_copy(again, args);
	int need = pr_format(room > 0 ? text->data + text->len : NULL, room, format, args);
	bool fits = need >= 0 && text_grow(text, (size_t)need);
	if (fits && (size_t)need >= room)
		pr_format(text->data + text->len, (size_t)need + 1, format, again);
	if (fits)
		text->len += (size_t)need;
	else
		text->overflow = 1;
	if (!fits && room > 0)
		text->data[text->len] = '\0';
	va_end(again);
	return fits;
}

void pr_text_cut(struct pr_text *text, size_t len)
{
	if (len < text->len)
		text->len = len;
	if (text->room > 0)
		text->data[text->len] = '\0';
}

bool pr_text_reserve(struct pr_text *text, size_t len)
{
	return text_has_room(text, len) || text_grow(text, len);
}

void pr_text_extend(struct pr_text *text, size_t len)
{
	if (!text_has_room(text, len))
		return;
	text->len += len;
	text->data[text->len] = '\0';
}

void pr_text_consume(struct pr_text *text, size_t len)
{
	if (len > text->len)
		len = text->len;
	if (len == 0)
		return;
	memmove(text->data, text->data + len, text->len - len);
	pr_text_cut(text, text->len - len);
}

struct pr_str pr_text_str(const struct pr_text *text)
{
	return (struct pr_str){text->data, text->len};
}
