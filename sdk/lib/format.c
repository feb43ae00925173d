/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The handful of conversions that lines of mail, logs and queue files are made of, without a stream behind them.
 * A format with anything else in it goes to vsnprintf as a whole, so every format means what it means there.
 */
#include <postrider/text.h>
#include <stdio.h>
#include <string.h>

#define DIGITS_MAX 24 /* of 64 bits, with a sign */
#define WIDTH_MAX 20

/* Bytes beyond the room are counted and not written, as with snprintf. */
struct output {
	char *data;
	size_t room;
	size_t len;
};

/* What stands between % and the letter. */
struct directive {
	bool zero;      /* "0": filled with zeros */
	bool precise;   /* ".N" or ".*" */
	size_t width;
	int precision;
	int size;       /* 0 int, 1 long, 2 long long, 3 size_t */
	char letter;
};

static void put(struct output *out, const char *data, size_t len)
{
	if (out->len < out->room) {
		size_t fits = out->room - out->len;
		memcpy(out->data + out->len, data, len < fits ? len : fits);
	}
	out->len += len;
}

static void put_string(struct output *out, const char *text, const struct directive *directive)
{
	size_t most = directive->precise && directive->precision >= 0 ? (size_t)directive->precision : SIZE_MAX;

	if (text == NULL)
		text = most >= 6 ? "(null)" : "";
	if (most == SIZE_MAX) {
		put(out, text, strlen(text));
		return;
	}
	const char *end = most > 0 ? memchr(text, '\0', most) : text;
	put(out, text, end != NULL ? (size_t)(end - text) : most);
}

static void put_number(struct output *out, uint64_t value, bool negative, const struct directive *directive)
{
	char digits[DIGITS_MAX + WIDTH_MAX];
	size_t at = sizeof digits, base = directive->letter == 'x' || directive->letter == 'o' ? (directive->letter == 'x' ? 16 : 8) : 10;
	size_t width = directive->width;

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value > 0);
	if (directive->zero)
		while (sizeof digits - at + negative < width)
			digits[--at] = '0';
	if (negative)
		digits[--at] = '-';
	while (sizeof digits - at < width)
		digits[--at] = ' ';
	put(out, digits + at, sizeof digits - at);
}

static const char *parse_precision(const char *at, struct directive *directive, va_list *args)
{
	directive->precise = true;
	if (*at == '*') {
		directive->precision = va_arg(*args, int);
		return at + 1;
	}
	for (; *at >= '0' && *at <= '9' && directive->precision < 100000; at++)
		directive->precision = directive->precision * 10 + (*at - '0');
	return at;
}

static bool is_known(const struct directive *directive)
{
	switch (directive->letter) {
	case 's':
		return directive->width == 0 && directive->size == 0;
	case 'c':
	case '%':
		return directive->width == 0 && directive->size == 0 && !directive->precise;
	case 'd':
	case 'i':
	case 'u':
	case 'x':
	case 'o':
		return directive->width <= WIDTH_MAX && !directive->precise;
	default:
		return false;
	}
}

/* Behind the %; NULL when it is one of the rare kind. */
static const char *parse(const char *at, struct directive *directive, va_list *args)
{
	*directive = (struct directive){.zero = *at == '0'};
	for (; *at >= '0' && *at <= '9' && directive->width <= WIDTH_MAX; at++)
		directive->width = directive->width * 10 + (size_t)(*at - '0');
	if (*at == '.')
		at = parse_precision(at + 1, directive, args);
	if (*at == 'z') {
		directive->size = 3;
		at++;
	}
	while (*at == 'l' && directive->size < 2) {
		directive->size++;
		at++;
	}
	directive->letter = *at;
	return is_known(directive) ? at + 1 : NULL;
}

static uint64_t take_unsigned(int size, va_list *args)
{
	switch (size) {
	case 0:
		return va_arg(*args, unsigned int);
	case 1:
		return va_arg(*args, unsigned long);
	case 2:
		return va_arg(*args, unsigned long long);
	default:
		return va_arg(*args, size_t);
	}
}

static int64_t take_signed(int size, va_list *args)
{
	switch (size) {
	case 0:
		return va_arg(*args, int);
	case 1:
		return va_arg(*args, long);
	case 2:
		return va_arg(*args, long long);
	default:
		return (int64_t)va_arg(*args, size_t);
	}
}

static void put_directive(struct output *out, const struct directive *directive, va_list *args)
{
	char byte = '%';

	switch (directive->letter) {
	case 's':
		put_string(out, va_arg(*args, const char *), directive);
		return;
	case 'c':
		byte = (char)va_arg(*args, int);
		put(out, &byte, 1);
		return;
	case '%':
		put(out, &byte, 1);
		return;
	case 'd':
	case 'i': {
		int64_t value = take_signed(directive->size, args);
		put_number(out, value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0, directive);
		return;
	}
	default:
		put_number(out, take_unsigned(directive->size, args), false, directive);
	}
}

/* "%s" and "%.*s": nine of ten. */
static bool take_common(struct output *out, const char **format, va_list *args)
{
	struct directive directive = {.letter = 's'};

	if (**format == 's') {
		*format += 1;
	} else if ((*format)[0] == '.' && (*format)[1] == '*' && (*format)[2] == 's') {
		*format += 3;
		directive.precise = true;
		directive.precision = va_arg(*args, int);
	} else {
		return false;
	}
	put_string(out, va_arg(*args, const char *), &directive);
	return true;
}

/* False: there is something in it that only vsnprintf knows. */
static bool put_all(struct output *out, const char *format, va_list *args)
{
	struct directive directive;

	while (*format != '\0') {
		const char *literal = format;
		while (*format != '\0' && *format != '%')
			format++;
		if (format > literal)
			put(out, literal, (size_t)(format - literal));
		if (*format == '\0')
			break;
		format++;
		if (take_common(out, &format, args))
			continue;
		format = parse(format, &directive, args);
		if (format == NULL)
			return false;
		put_directive(out, &directive, args);
	}
	return true;
}

int pr_format(char *out, size_t room, const char *format, va_list args)
{
	struct output output = {.data = out, .room = room > 0 ? room - 1 : 0};
	va_list own;
	int result;

	va_copy(own, args);
	if (!put_all(&output, format, &own) || output.len > INT32_MAX) {
		result = vsnprintf(out, room, format, args);
	} else {
		if (room > 0)
			out[output.len < room ? output.len : room - 1] = '\0';
		result = (int)output.len;
	}
	va_end(own);
	return result;
}

int pr_print(char *out, size_t room, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int len = pr_format(out, room, format, args);
	va_end(args);
	return len;
}
