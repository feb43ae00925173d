#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A file of statistics that real sendmail wrote is shown byte for byte as its own mailstats showed it (only "now" differs), -p empties it, and
# what is no such file is named and left alone.
top=$(cd "$(dirname "$0")/../.." && pwd) && build=$(pwd)
[ -x "$build/.libs/postrider" ] || { echo "run it in the build directory"; exit 99; }
# the samples are as a little-endian 64-bit machine writes them; the file is in the order of its machine
[ "$(printf '\1\0' | od -An -td2 | tr -d ' ')" = 1 ] || { echo "SKIPPED: the samples are of a little-endian machine"; exit 77; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/postrider-mailstats-XXXXXX") || exit 99
trap 'rm -rf "$dir"' EXIT
data=$top/tests/unit/data/mailstats
mailstats() {
	(export LD_LIBRARY_PATH="$build/.libs" TZ=UTC; exec -a mailstats "$build/.libs/postrider" "$@")
}
bad=0
check() {
	if diff -u "$dir/expected" "$dir/got"; then echo "ok: $1"; else echo "not ok: $1"; bad=1; fi
}
# the second number of the first line of -P is the time of asking
same() {
	sed '1s/^\([0-9]*\) [0-9]*$/\1 NOW/' "$1" > "$2"
}
for file in sendmail wide; do
	for way in plain o P Po; do
		case $way in plain) words=() ;; o) words=(-o) ;; P) words=(-P) ;; Po) words=(-P -o) ;; esac
		mailstats -C "$data/sendmail.cf" -f "$data/$file.st" "${words[@]}" > "$dir/said" 2>&1
		same "$dir/said" "$dir/got" && same "$data/$file.$way.expected" "$dir/expected"
		check "$file.st ${words[*]}"
	done
done

# our own configuration: its order gives the numbers, and the file is found there
cp "$data/sendmail.st" "$dir/st" && chmod 600 "$dir/st"
cat > "$dir/postrider.conf" <<END
options = { StatusFile = "$dir/st"; };
mailers = { local = { module = "local"; }; smtp = { module = "smtp"; }; esmtp = { module = "smtp"; }; };
END
mailstats -C "$dir/postrider.conf" > "$dir/got" 2>&1
cp "$data/sendmail.plain.expected" "$dir/expected"
check "postrider.conf"
mailstats -C "$dir/postrider.conf" -p > "$dir/said" 2>&1
same "$dir/said" "$dir/got" && same "$data/sendmail.P.expected" "$dir/expected"
check "-p shows"
[ -f "$dir/st" ] && [ ! -s "$dir/st" ] && echo "ok: -p empties" || { echo "not ok: -p empties"; bad=1; }
mailstats -C "$dir/postrider.conf" -o | tail -n +2 > "$dir/got"
printf '%s\n' ' M   msgsfr  bytes_from   msgsto    bytes_to  msgsrej msgsdis msgsqur' \
	'=====================================================================' \
	' T        0          0K        0          0K        0       0       0' \
	' C        0                    0                    0' > "$dir/expected"
check "an empty file"

# what cannot be shown: the status, a word of the reason, the file's name; and -p changes none of them
refused() {
	local name=$1 status=$2 word=$3
	cp -p "$name" "$dir/before" 2>/dev/null || : > "$dir/before"
	mailstats -C "$dir/postrider.conf" -f "$name" -p > "$dir/got" 2>&1
	if [ $? = "$status" ] && grep -q "^mailstats: $name: .*$word" "$dir/got" && { [ ! -f "$name" ] || cmp -s "$name" "$dir/before"; }; then
		echo "ok: $word"
	else
		echo "not ok: $word"; cat "$dir/got"; bad=1
	fi
}
head -c 700 "$data/sendmail.st" > "$dir/short"; refused "$dir/short" 71 damaged
{ printf 'X'; tail -c +2 "$data/sendmail.st"; } > "$dir/foreign"; refused "$dir/foreign" 71 magic
{ head -c 4 "$data/sendmail.st"; printf '\005'; tail -c +6 "$data/sendmail.st"; } > "$dir/newer"; refused "$dir/newer" 71 version
printf 'ab' > "$dir/two"; refused "$dir/two" 71 magic
cp "$data/sendmail.st" "$dir/linked" && ln "$dir/linked" "$dir/other"; refused "$dir/linked" 71 'another name'
cp "$data/sendmail.st" "$dir/behind" && ln -s behind "$dir/link"; refused "$dir/link" 71 'symbolic link'
refused "$dir/nowhere" 66 'No such file'
refused "$dir" 71 '.'
mailstats -z > "$dir/got" 2>&1
if [ $? = 64 ] && grep -q '^usage: mailstats \[-C cffile\]' "$dir/got"; then echo "ok: usage"; else echo "not ok: usage"; bad=1; fi
exit "$bad"
