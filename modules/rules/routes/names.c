/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names in an open-addressed table of lower-case copies; networks in a plain array, because nobody lists many.
 * All addresses are compared as 128-bit numbers, so IPv4 and its IPv6 form are one.
 */
#include "names.h"

#include <arpa/inet.h>
#include <string.h>

static struct pr_str without_dot(struct pr_str name)
{
	if (name.len > 1 && name.data[name.len - 1] == '.')
		name.len--;
	return name;
}

static char **find_slot(char **slots, size_t room, struct pr_str name)
{
	size_t at = pr_str_hash_nocase(name) & (room - 1);

	while (slots[at] != NULL && !pr_str_equal_nocase(pr_str(slots[at]), name))
		at = (at + 1) & (room - 1);
	return &slots[at];
}

static void grow(struct names *names)
{
	size_t room = names->room == 0 ? 32 : names->room * 2;
	char **slots = pr_alloc(room * sizeof *slots);

	for (size_t i = 0; i < names->room; i++)
		if (names->slots[i] != NULL)
			*find_slot(slots, room, pr_str(names->slots[i])) = names->slots[i];
	pr_free(names->slots);
	names->slots = slots;
	names->room = room;
}

void names_fini(struct names *names)
{
	for (size_t i = 0; i < names->room; i++)
		pr_free(names->slots[i]);
	pr_free(names->slots);
	*names = (struct names){0};
}

void names_add(struct names *names, struct pr_str name)
{
	name = without_dot(pr_str_trim(name));
	if (name.len == 0)
		return;
	if (names->count * 2 >= names->room)
		grow(names);
	char **slot = find_slot(names->slots, names->room, name);
	if (*slot == NULL) {
		*slot = pr_copy_str(name);
		names->count++;
	}
}

bool names_has(const struct names *names, struct pr_str name)
{
	return names->count > 0 && name.len > 0 && *find_slot(names->slots, names->room, without_dot(name)) != NULL;
}

bool names_covers(const struct names *names, struct pr_str name)
{
	while (name.len > 0) {
		if (names_has(names, name))
			return true;
		size_t dot = pr_str_find(name, '.');
		name = pr_str_slice(name, dot + 1, name.len);
	}
	return false;
}

/* networks -------------------------------------------------------------- */

static bool parse_ip(struct pr_str text, unsigned char bytes[16], uint32_t *family_bits_out)
{
	char buffer[64];

	if (pr_str_has_prefix_nocase(text, PR_STR("IPv6:")))
		text = pr_str_slice(text, 5, text.len);
	if (text.len == 0 || text.len >= sizeof buffer)
		return false;
	memcpy(buffer, text.data, text.len);
	buffer[text.len] = '\0';
	if (inet_pton(AF_INET6, buffer, bytes) == 1) {
		*family_bits_out = 128;
		return true;
	}
	memset(bytes, 0, 10);
	bytes[10] = bytes[11] = 0xff;
	*family_bits_out = 32;
	return inet_pton(AF_INET, buffer, bytes + 12) == 1;
}

/* "192.0.2" or "192.0.2.": one to three numbers. */
static bool parse_prefix(struct pr_str text, struct network *network)
{
	struct pr_str rest = without_dot(text), piece;
	uint64_t number;
	uint32_t count = 0;

	memset(network->bytes, 0, sizeof network->bytes);
	network->bytes[10] = network->bytes[11] = 0xff;
	while (pr_str_next(&rest, '.', &piece)) {
		if (count == 3 || piece.len > 3 || !pr_str_number(piece, 255, &number))
			return false;
		network->bytes[12 + count++] = (unsigned char)number;
	}
	network->bits = 96 + 8 * count;
	return count > 0;
}

bool networks_add(struct networks *networks, struct pr_str text)
{
	struct network network = {0};
	size_t slash = pr_str_find(text, '/');
	uint32_t family = 0;
	uint64_t bits = 0;

	if (parse_ip(pr_str_slice(text, 0, slash), network.bytes, &family)) {
		if (slash < text.len && !pr_str_number(pr_str_slice(text, slash + 1, text.len), family, &bits))
			return false;
		network.bits = 128 - family + (slash < text.len ? (uint32_t)bits : family);
	} else if (slash < text.len || !parse_prefix(text, &network)) {
		return false;
	}
	networks->items = pr_resize(networks->items, (networks->count + 1) * sizeof *networks->items);
	networks->items[networks->count++] = network;
	return true;
}

static bool inside(const struct network *network, const unsigned char bytes[16])
{
	uint32_t whole = network->bits / 8, rest = network->bits % 8;
	unsigned char mask = (unsigned char)(0xff00u >> rest);

	return memcmp(network->bytes, bytes, whole) == 0 && (rest == 0 || ((network->bytes[whole] ^ bytes[whole]) & mask) == 0);
}

bool networks_has(const struct networks *networks, struct pr_str address)
{
	unsigned char bytes[16];
	uint32_t family = 0;

	if (!parse_ip(address, bytes, &family))
		return false;
	for (size_t i = 0; i < networks->count; i++)
		if (inside(&networks->items[i], bytes))
			return true;
	return false;
}

void networks_fini(struct networks *networks)
{
	pr_free(networks->items);
	*networks = (struct networks){0};
}
