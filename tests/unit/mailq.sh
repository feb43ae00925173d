#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A queue file that sendmail wrote is listed, byte for byte, as sendmail's own mailq listed it; and then an empty queue.
top=$(cd "$(dirname "$0")/../.." && pwd) && build=$(pwd)
[ -x "$build/.libs/postrider" ] || { echo "run it in the build directory"; exit 99; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/postrider-mailq-XXXXXX") || exit 99
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/mqueue" "$dir/run" "$dir/drop"
cat > "$dir/postrider.conf" <<END
module_directory = "$build"; run_directory = "$dir/run"; drop_directory = "$dir/drop";
options = { QueueDirectory = "$dir/mqueue"; QueueLA = 100000; };
store = { module = "spool"; };
END
mailq() {
	(export LD_LIBRARY_PATH="$build/.libs" TZ=UTC; exec -a mailq "$build/.libs/postrider" "$@" -C "$dir/postrider.conf")
}
check() {
	diff -u "$dir/expected" "$dir/got" || { echo "not ok: $1"; exit 1; }
	echo "ok: $1"
}
cp "$top/tests/unit/mailq.qf" "$dir/mqueue/qf6AKD2KgC025521" && chmod 600 "$dir/mqueue/qf6AKD2KgC025521"
printf '%018d' 0 > "$dir/mqueue/df6AKD2KgC025521"
printf '\t\t%s (1 request)\n%s\n%s\n%s\n\t\t\t\t\t %s\n\t\t\t\t\t %s\n\t\tTotal requests: 1\n' "$dir/mqueue" \
	'-----Q-ID----- --Size-- -----Q-Time----- ------------Sender/Recipient-----------' \
	'6AKD2KgC025521       18 Fri Nov 20 13:02 <alice@corp.example>' '          7BIT   (User unknown)' \
	'<user@down.example>' '<tmpuser@remote.example>' > "$dir/expected"
mailq > "$dir/got" 2>&1
check "mailq"
printf '\t\t%s (1 request)\n%s\n%s\n%s\n\t\t\t\t\t\t%s\n\t\t\t\t\t\t%s\n\t\t %s\n\t\tTotal requests: 1\n' "$dir/mqueue" \
	'-----Q-ID----- --Size-- -Priority- ---Q-Time--- --------Sender/Recipient--------' \
	'6AKD2KgC025521       18     240367 Nov 20 13:02 <alice@corp.example>' '          7BIT   (User unknown)' \
	'<user@down.example>' '<tmpuser@remote.example>' '(Deferred: 450 4.2.1 mailbox busy)' > "$dir/expected"
mailq -v > "$dir/got" 2>&1
check "mailq -v"
(flock -x 9; mailq > "$dir/got" 2>&1) 9< "$dir/mqueue/qf6AKD2KgC025521"
grep -q '^6AKD2KgC025521\*      18 ' "$dir/got" || { cat "$dir/got"; echo "not ok: a locked message has its star"; exit 1; }
echo "ok: a locked message has its star"
rm "$dir"/mqueue/*
printf '%s is empty\n\t\tTotal requests: 0\n' "$dir/mqueue" > "$dir/expected"
mailq > "$dir/got" 2>&1
check "an empty queue"
# what real sendmail said of many kinds of entries in two directories: each file begins with the command
sed -i 's|^options = .*|options = { QueueDirectory = "'"$dir"'/mqueue/q.*"; MinQueueAge = 0; QueueLA = 100000; };|' "$dir/postrider.conf"
data=$top/tests/unit/data/mailq
for queue in q.1 q.2; do
	mkdir "$dir/mqueue/$queue"
	for file in "$data/$queue"/*; do
		name=${file##*/}
		cp "$file" "$dir/mqueue/$queue/$name" && chmod 600 "$dir/mqueue/$queue/$name"
		head -c $((10#${name: -2} * 17)) /dev/zero > "$dir/mqueue/$queue/df${name#??}"
	done
done
for sample in "$data"/*.expected; do
	IFS=' ' read -r -a words < "$sample"
	words=("${words[@]:2}")
	sed -e 1d -e "s|@DIR@|$dir/mqueue|" "$sample" > "$dir/expected"
	mailq "${words[@]}" > "$dir/got" 2>&1
	check "mailq ${words[*]}, as sendmail"
done
