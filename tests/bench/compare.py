#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Relay rate and cost of postrider beside Debian's Postfix, in one run on one machine.

    tests/bench/compare.py [--reps 3] [--seconds 4] [--cells 1,10,100] [--size 1024] [--idle 2000] [--out FILE]

Needs root (namespaces, cgroup v2), apt-get to download Postfix's package (it is unpacked, never installed), perf for
the count of forks and fsyncs.  Both peers are interleaved inside each repetition, each on a fresh spool on the same
disk, in a network namespace that holds nothing but loopback.  Nothing is set to reduce durability.
Scratch: $BENCH_DIR (default /tmp/postrider-bench).  One JSON line per measurement goes to --out, a table to stdout."""
import argparse
import contextlib
import glob
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("top_builddir", "."))
SOURCE = os.path.abspath(os.path.join(HERE, "..", ".."))
SCRATCH = os.environ.get("BENCH_DIR", "/tmp/postrider-bench")
os.environ.setdefault("POSTRIDER_BUILD", BUILD)
LOAD = os.path.join(BUILD, "tests", "bench", "load")
PORT, SINK = 2525, 2600
EVENTS = ["sched:sched_process_fork", "syscalls:sys_enter_fsync", "syscalls:sys_enter_fdatasync", "raw_syscalls:sys_enter"]
CGROUPS = "/sys/fs/cgroup/unified" if os.path.isdir("/sys/fs/cgroup/unified") else "/sys/fs/cgroup"

POSTFIX = f"""compatibility_level = 3.6
queue_directory = /var/spool/postfix
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
data_directory = /var/lib/postfix
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.bench.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination = local.example
relayhost = [127.0.0.1]:{SINK}
disable_dns_lookups = yes
smtp_host_lookup = native
smtpd_peername_lookup = no
alias_maps =
local_recipient_maps =
maillog_file = /var/log/mail.log
message_size_limit = 50000000
default_process_limit = 110
"""


def run(*command, **keywords):
    return subprocess.run(command, check=True, **keywords)


def enter_namespaces():
    if os.environ.get("BENCH_INSIDE"):
        return
    if os.geteuid() != 0:
        sys.exit("compare.py: needs root for namespaces and cgroups")
    unpack_postfix()
    os.environ["BENCH_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "-n", "-m", "--propagation", "private", sys.executable, *sys.argv])


def unpack_postfix():
    root = os.path.join(SCRATCH, "postfix")
    if os.path.exists(os.path.join(root, "usr", "sbin", "postfix")):
        return
    os.makedirs(root, exist_ok=True)
    debs = os.path.join(SCRATCH, "debs")
    os.makedirs(debs, exist_ok=True)
    os.chmod(debs, 0o777)
    print("unpacking Debian's postfix", flush=True)
    run("apt-get", "download", "-q", "postfix", cwd=debs, stdout=subprocess.DEVNULL)
    run("apt-get", "install", "-y", "-q", "--no-install-recommends", "libdb5.3", "libicu72", "libnsl2", "libsasl2-2", "linux-perf",
        stdout=subprocess.DEVNULL)
    run("dpkg", "-x", glob.glob(os.path.join(debs, "postfix_*.deb"))[0], root)
    for folder in ("lib", "etc/init.d"):
        shutil.rmtree(os.path.join(root, folder), ignore_errors=True)


class Peer:
    """A running mail router in a pid namespace and a cgroup of its own."""

    serial = 0

    def __init__(self, name):
        Peer.serial += 1
        self.name = name
        self.spool = os.path.join(SCRATCH, "spool", f"{os.getpid()}.{Peer.serial}")
        os.makedirs(self.spool)
        self.cgroup = os.path.join(CGROUPS, f"postrider-bench.{os.getpid()}.{Peer.serial}")
        os.makedirs(self.cgroup)
        command = self.prepare_postfix() if name == "postfix" else self.prepare_postrider()
        self.log = open(self.spool + ".log", "ab")
        self.process = subprocess.Popen(
            ["unshare", "-p", "-f", "--kill-child", "-m", "sh", "-c", f'echo $$ > /dev/null; exec "$@"', "sh", *command],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, preexec_fn=self.join_cgroup)
        self.wait_port()

    def join_cgroup(self):
        with open(os.path.join(self.cgroup, "cgroup.procs"), "w") as handle:
            handle.write(str(os.getpid()))

    def prepare_postrider(self):
        # a spool directory that any role user may reach
        os.chmod(self.spool, 0o755)
        return [os.path.join(SOURCE, "tests", "tool", "relay"), str(PORT), f"[127.0.0.1]:{SINK}", os.path.join(self.spool, "pr")]

    def prepare_postfix(self):
        self.root = os.path.join(SCRATCH, "root", str(Peer.serial))
        upper, work = self.root + ".up", self.root + ".wk"
        run("mount", "--mkdir", "-t", "tmpfs", "tmpfs", os.path.join(SCRATCH, "root")) if not os.path.ismount(
            os.path.join(SCRATCH, "root")) else None
        for folder in (self.root, upper, work):
            os.makedirs(folder)
        run("cp", "-a", os.path.join(SCRATCH, "postfix") + "/.", upper)
        os.makedirs(os.path.join(upper, "etc", "postfix"), exist_ok=True)
        self.write_etc(os.path.join(upper, "etc"))
        run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={upper},workdir={work}", self.root)
        for inside, name in (("var/spool/postfix", "spool"), ("var/lib/postfix", "data"), ("var/log", "log")):
            folder = os.path.join(self.spool, name)
            os.makedirs(folder)
            os.makedirs(os.path.join(self.root, inside), exist_ok=True)
            run("mount", "--bind", folder, os.path.join(self.root, inside))
        run("mount", "--rbind", "/dev", os.path.join(self.root, "dev"))
        os.chown(os.path.join(self.root, "var/lib/postfix"), 3001, 3001)
        for name in ("postdrop", "postqueue"):
            os.chown(os.path.join(self.root, "usr/sbin", name), 0, 3011)
            os.chmod(os.path.join(self.root, "usr/sbin", name), 0o2755)
        script = f"mount -t proc proc {self.root}/proc && exec chroot {self.root} /usr/sbin/postfix start-fg"
        return ["sh", "-c", script]

    def write_etc(self, etc):
        def put(name, text):
            with open(os.path.join(etc, name), "w") as handle:
                handle.write(text)
        with open("/etc/passwd") as handle:
            put("passwd", re.sub(r"(?m)^postfix:.*\n", "", handle.read()) + "postfix:x:3001:3001::/nonexistent:/usr/sbin/nologin\n")
        with open("/etc/group") as handle:
            put("group", re.sub(r"(?m)^post(fix|drop):.*\n", "", handle.read()) + "postfix:x:3001:\npostdrop:x:3011:\n")
        put("postfix/main.cf", POSTFIX)
        with open(os.path.join(SCRATCH, "postfix/usr/share/postfix/master.cf.dist")) as handle:
            text = handle.read()
        text = re.sub(r"(?m)^smtp +inet .*", f"127.0.0.1:{PORT} inet n - n - - smtpd", text)
        text = re.sub(r"(?m)^([a-z#]\S* +\S+ +\S+ +\S+ +)y ", r"\1n ", text)
        put("postfix/master.cf", text)

    def wait_port(self):
        for _ in range(300):
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", PORT), 1) as probe:
                probe.settimeout(5)
                if probe.recv(4)[:3] == b"220":
                    return
            time.sleep(0.1)
        with open(self.spool + ".log", "rb") as handle:
            sys.exit(f"compare.py: {self.name} does not start:\n{handle.read().decode('latin-1')[-3000:]}")

    def cpu_seconds(self):
        with open(os.path.join(self.cgroup, "cpu.stat")) as handle:
            return int(re.search(r"usage_usec (\d+)", handle.read()).group(1)) / 1e6

    def pids(self):
        found = []
        with open(os.path.join(self.cgroup, "cgroup.procs")) as handle:
            found += [int(word) for word in handle.read().split()]
        return found

    def pss_kib(self):
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup") as handle:
                total += int(re.search(r"(?m)^Pss: +(\d+)", handle.read()).group(1))
        return total

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        for _ in range(100):  # by pid: only what lives in the cgroup we made
            left = self.pids()
            if not left:
                break
            for pid in left:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        self.process.wait()
        with contextlib.suppress(OSError):
            os.rmdir(self.cgroup)
        if self.name == "postfix":
            subprocess.run(["umount", "-R", "-l", self.root], check=False)
            for folder in (self.root, self.root + ".up", self.root + ".wk"):
                shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(self.spool, ignore_errors=True)


def load(*arguments):
    done = subprocess.run([LOAD, "--port", str(PORT), "--sink", str(SINK), *map(str, arguments)], stdout=subprocess.PIPE, check=False)
    return json.loads(done.stdout)


def measure_relay(name, connections, seconds, size):
    peer = Peer(name)
    try:
        load("--messages", 200, "--connections", min(connections, 20), "--drain", 5)
        before = peer.cpu_seconds()
        result = load("--messages", 400000, "--connections", connections, "--seconds", seconds, "--size", size, "--drain", 10)
        result["cpu_ms"] = 1000 * (peer.cpu_seconds() - before) / max(1, result["delivered"])
        return result
    finally:
        peer.stop()


def measure_calls(name, messages=1000):
    """Forks, syncs and system calls of the peer's cgroup, counted by perf's tracepoints."""
    peer = Peer(name)
    load("--messages", 100, "--connections", 10, "--drain", 5)
    report = os.path.join(SCRATCH, f"perf.{name}")
    group = ",".join([os.path.basename(peer.cgroup)] * len(EVENTS))
    perf = subprocess.Popen(["perf", "stat", "-a", "-x,", "-o", report, "-e", ",".join(EVENTS), "-G", group, "--", "sleep", "60"],
                            stderr=subprocess.DEVNULL)
    time.sleep(1)
    load("--messages", messages, "--connections", 10, "--drain", 5)
    with open(f"/proc/{perf.pid}/task/{perf.pid}/children") as handle:  # perf ends with the command it runs
        for pid in handle.read().split():
            os.kill(int(pid), signal.SIGTERM)
    perf.wait(20)
    peer.stop()
    counts = {}
    with open(report) as handle:
        for line in handle:
            match = re.match(r"(\d+),[^,]*,([a-z_:]+)", line)
            if match:
                counts[match.group(2)] = int(match.group(1)) / messages
    return {"forks": counts.get(EVENTS[0], 0.0), "syncs": counts.get(EVENTS[1], 0.0) + counts.get(EVENTS[2], 0.0),
            "system_calls": counts.get(EVENTS[3], 0.0)}


def measure_idle(name, count):
    peer = Peer(name)
    try:
        time.sleep(1)
        before = peer.pss_kib()
        holder = subprocess.Popen([LOAD, "--port", str(PORT), "--idle", str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if holder.stdout.readline().strip() != b"idle":
            return {"kib_per_connection": None, "greeting_ms": None}
        time.sleep(1)
        after = peer.pss_kib()
        start = time.monotonic()
        with socket.create_connection(("127.0.0.1", PORT), 10) as probe:
            probe.recv(4)
        greeting = 1000 * (time.monotonic() - start)
        holder.stdin.close()
        holder.wait()
        return {"kib_per_connection": (after - before) / count, "greeting_ms": greeting}
    finally:
        peer.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--cells", default="1,10,100")
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--idle", type=int, default=2000)
    parser.add_argument("--peers", default="postfix,postrider")
    parser.add_argument("--out", default=os.path.join(SCRATCH, "results.jsonl"))
    settings = parser.parse_args()
    enter_namespaces()
    run("ip", "link", "set", "lo", "up")
    peers = settings.peers.split(",")
    rows = []
    for rep in range(settings.reps):
        for connections in map(int, settings.cells.split(",")):
            for name in peers:
                got = measure_relay(name, connections, settings.seconds, settings.size)
                rows.append({"peer": name, "cell": f"relay c{connections}", "rep": rep, **got})
                print(json.dumps(rows[-1]), flush=True)
    for name in peers:
        rows.append({"peer": name, "cell": "calls", "rep": 0, **measure_calls(name)})
        print(json.dumps(rows[-1]), flush=True)
        if settings.idle and name != "postfix":
            rows.append({"peer": name, "cell": "idle", "rep": 0, **measure_idle(name, settings.idle)})
            print(json.dumps(rows[-1]), flush=True)
    with open(settings.out, "w") as handle:
        handle.writelines(json.dumps(row) + "\n" for row in rows)
    table(rows, peers)


def table(rows, peers):
    median = lambda peer, cell, key: statistics.median([r[key] for r in rows if r["peer"] == peer and r["cell"] == cell])
    print("\n| work | " + " | ".join(peers) + " | ratio |\n|---|" + "---|" * (len(peers) + 1))
    for cell in dict.fromkeys(r["cell"] for r in rows if r["cell"].startswith("relay")):
        for key, label, digits in (("relay_rate", "msg/s", 0), ("cpu_ms", "CPU ms per message", 3)):
            values = [median(p, cell, key) for p in peers]
            print(f"| {cell}, {label} | " + " | ".join(f"{v:.{digits}f}" for v in values) + f" | {values[-1] / max(values[0], 1e-9):.2f} |")
    for row in rows:
        if row["cell"] in ("calls", "idle"):
            print(f"| {row['peer']}: " + ", ".join(f"{k} {v:.2f}" for k, v in row.items() if isinstance(v, float)) + " |")
    bad = [r for r in rows if r.get("missing") or r.get("changed") or r.get("doubled")]
    print("lost, changed or doubled: " + (json.dumps(bad) if bad else "none"))


main()
