#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Addresses per second and memory of one process: real sendmail's -bt and ours answer the same commands with the same sendmail.cf and the same maps.

usage: tests/bench/rewrite.py [--count N] [--rounds N] [--cpu] [--candidate 'COMMAND'] [CONFIGURATION...]

Configurations are the hub and the front end of tests/oracle/cf.  Output goes to /dev/null; each program takes its turn in every round and its best one
counts, less what the start takes (the shortest run without an address).  Real sendmail is Debian's, fetched and run in namespaces of this program's own, as
for tests/oracle; root is needed.  Memory: VmHWM is the most the process ever held, and `anon` what is its own and cannot be shared, both after one
address; `loaded` is that of the configuration less that of a file of six lines."""
import argparse
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "oracle", "cf"))
import candidate  # noqa: E402
import world  # noqa: E402

SMALL = "V10/Berkeley\nDjmail.corp.example\nO QueueDirectory=/var/spool/mqueue\nO AliasFile=\nMlocal, P=/bin/cat, F=lsDFM, A=cat $u\nS3\nR$*\t$: $1\n"
# title: (what is said once, a line for each address)
STREAMS = {
    "3,0 user@remote": ("", "3,0 user{}@far.example\n"),
    "3,0 user@local": ("", "3,0 user{}@corp.example\n"),
    "/try esmtp ER": ("/tryflags ER\n", "/try esmtp user{}@far.example\n"),
    "/try esmtp HS": ("/tryflags HS\n", "/try esmtp user{}@mail.corp.example\n"),
}


def stream(first, line, count):
    file = tempfile.TemporaryFile()
    file.write((first + "".join(line.format(number) for number in range(count))).encode())
    return file


def seconds(program, file, cpu):
    file.seek(0)
    began = time.perf_counter()
    process = subprocess.Popen(stdin=file, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **program)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode < 0:
        raise SystemExit(f"{program['args']}: signal {-process.returncode}")
    return usage.ru_utime + usage.ru_stime if cpu else time.perf_counter() - began


def rates(programs, first, line, arguments):
    """{who: addresses a second, None when there were too few to tell}, and {who: seconds of the start}, in turns."""
    empty, full = stream(first, line, 0), stream(first, line, arguments.count)
    start, best = ({who: float("inf") for who in programs} for _ in range(2))
    for _ in range(arguments.rounds):
        for who, program in programs.items():
            start[who] = min(start[who], seconds(program, empty, arguments.cpu))
            best[who] = min(best[who], seconds(program, full, arguments.cpu))
    return {who: arguments.count / (best[who] - start[who]) if best[who] > 1.5 * start[who] else None for who in programs}, start


def rest(pid):
    """Waits until the process has done its work and waits itself."""
    end, before = time.monotonic() + 60, None
    while time.monotonic() < end:
        time.sleep(0.2)
        with open(f"/proc/{pid}/stat") as handle:
            fields = handle.read().rsplit(")", 1)[1].split()
        now = fields[0], fields[11], fields[12]
        if now == before and now[0] == "S":
            return
        before = now
    raise SystemExit(f"process {pid} does not come to rest")


def memory(program):
    """(VmHWM, RssAnon) in KiB of a process that has answered once and waits for more."""
    process = subprocess.Popen(stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **program)
    try:
        process.stdin.write(b"3,0 user@far.example\n")
        process.stdin.flush()
        rest(process.pid)
        with open(f"/proc/{process.pid}/status") as handle:
            fields = dict(line.split(":", 1) for line in handle)
        return tuple(int(fields[name].split()[0]) for name in ("VmHWM", "RssAnon"))
    finally:
        process.stdin.close()
        process.wait(60)


def write_small():
    path = f"{world.SETTINGS}small.cf"
    with open(path, "w") as handle:
        handle.write(SMALL)
    return path


def number(rate):
    return f"{rate:12,.0f}" if rate else f"{'too few':>12}"


def show_rates(name, place, ours, cf, arguments):
    programs = {"sendmail": place.real(cf), "ours": ours.command(cf)}
    for title, (first, line) in STREAMS.items():
        rate, start = rates(programs, first, line, arguments)
        ratio = f"{rate['ours'] / rate['sendmail']:7.1f}x" if all(rate.values()) else f"{'-':>8}"
        print(f"{name:8} {title:18} {number(rate['sendmail'])} {number(rate['ours'])} {ratio}   start {start['sendmail']:6.3f} s {start['ours']:6.3f} s", flush=True)


def show_memory(name, place, ours, cf, small):
    for who, command in (("sendmail", place.real), ("ours", ours.command)):
        (peak, anon), (peak_small, anon_small) = memory(command(cf)), memory(command(small))
        print(f"{name:8} {who:10} {peak:8,} KiB VmHWM {anon:8,} KiB anon   loaded {peak - peak_small:8,} {anon - anon_small:8,} KiB", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=100000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cpu", action="store_true", help="count processor time; what other programs do then disturbs less")
    candidate.add_argument(parser)
    parser.add_argument("names", nargs="*", default=["hub", "front"])
    arguments = parser.parse_args()
    with world.World() as place:
        ours, small = candidate.Candidate(place, arguments.candidate), write_small()
        files = {name: place.configuration(name)[0] for name in arguments.names}
        print(f"{'cf':8} {'commands':18} {'sendmail/s':>12} {'ours/s':>12} {'ratio':>8}   {arguments.count} addresses, best of {arguments.rounds}")
        for name, cf in files.items():
            show_rates(name, place, ours, cf, arguments)
        for name, cf in files.items():
            show_memory(name, place, ours, cf, small)


if __name__ == "__main__":
    world.enter()
    main()
