#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Addresses a second in one process, and memory of one sendmail.cf: real sendmail -bt and ours, side by side in one private world.

usage: tests/bench/rewrite.py [--count N] [--rounds N] [CONFIGURATION...]      (top_builddir: an optimised build; needs root)

Measured is the CPU time of the process (user and system), without what the same process needs for no address at all; the answers go to /dev/null.
The rounds of both programs alternate, and the median counts.  Memory: RSS after one answer, less RSS of the same program with an empty configuration;
for both programs with the same tables open."""
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "oracle", "cf")]
import argparse  # noqa: E402

import world  # noqa: E402

WORK = (("3,0 remote", [], b"3,0 user%d@far.example\n"), ("3,0 local", [], b"3,0 user%d@corp.example\n"),
        ("/try esmtp ER", [b"/tryflags ER\n"], b"/try esmtp user%d@far.example\n"), ("/try esmtp HS", [b"/tryflags HS\n"], b"/try esmtp user%d@corp.example\n"))
EMPTY = "V10/Berkeley\nO QueueDirectory=/var/spool/mqueue\nMlocal, P=/bin/cat, F=F, A=cat\n"


def seconds(program, commands):
    """CPU time of the process that answers them."""
    with tempfile.TemporaryFile() as source:
        source.write(commands)
        source.seek(0)
        process = subprocess.Popen(stdin=source, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **program)
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        return usage.ru_utime + usage.ru_stime


def rate(program, head, line, count):
    empty = b"".join(head)
    full = empty + b"".join(line % number for number in range(count))
    return count / max(1e-6, seconds(program, full) - seconds(program, empty))


def wait_for_idle(pid):
    """Its output is in a buffer until it ends, so whether it has answered is seen by the CPU time that it no longer takes."""
    before = None
    while True:
        with open(f"/proc/{pid}/stat") as handle:
            fields = handle.read().rsplit(")", 1)[1].split()
        if fields[0] == "S" and fields[11:13] == before:
            return
        before = fields[11:13]
        time.sleep(0.3)


def memory(program):
    """RSS in KiB once it has answered."""
    process = subprocess.Popen(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **program)
    process.stdin.write(b"3,0 joe@far.example\n$j\n/parse joe@far.example\n")
    process.stdin.flush()
    wait_for_idle(process.pid)
    with open(f"/proc/{process.pid}/status") as handle:
        size = next(int(line.split()[1]) for line in handle if line.startswith("VmRSS:"))
    process.stdin.close()
    process.stdout.read()
    process.wait()
    return size


def show(name, what, real, ours, unit, ratio):
    print(f"{name:8} {what:18} {real:12,.0f} {ours:12,.0f} {unit:6} {ratio:7.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=50000, help="addresses in a round of ours; of sendmail a fifth (50000)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("names", nargs="*", default=["hub", "front"])
    arguments = parser.parse_args()
    with world.World() as place:
        empty = world.SETTINGS + "empty.cf"
        world.write(empty, EMPTY)
        print(f"{'':8} {'':18} {'sendmail':>12} {'ours':>12} {'':6} {'ratio':>7}")
        for name in arguments.names or ["hub", "front"]:
            cf, _ = place.configuration(name)
            for what, head, line in WORK:
                rounds = [(rate(place.real(cf), head, line, arguments.count // 5), rate(place.ours(cf), head, line, arguments.count)) for _ in range(arguments.rounds)]
                real, ours = (statistics.median(column) for column in zip(*rounds))
                show(name, what, real, ours, "/s", ours / real)
            real, ours = (statistics.median(memory(program(cf)) - memory(program(empty)) for _ in range(arguments.rounds)) for program in (place.real, place.ours))
            show(name, "memory of the cf", real, ours, "KiB", ours / real if real > 0 else 0)


if __name__ == "__main__":
    world.enter()
    main()
