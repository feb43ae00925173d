#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A daemon whose disk answers a call with an error, or whose process dies in it, under load: whatever got its 250 arrives, byte for byte, or is in the
queue.  Each process is given the fault at its n-th call of a kind (tests/fault/shim.c), and so is whoever takes its place.

The store by itself is held against every single call by tests/fault; here it is the whole daemon, with its receivers, courier and scheduler."""
import collections
import os
import re
import signal
import subprocess
import threading
import unittest

import story

SHIM = os.path.join(story.BUILD, ".libs", "faultshim.so")
MESSAGES, CONNECTIONS = 60, 6
WRITES, SYNCS, READS, NAMES = "write,writev,pwrite,pwritev", "fsync,fdatasync,sync_file_range", "pread", "open,openat,renameat,linkat"
FAULTS = [("EIO", WRITES, 7), ("EIO", WRITES, 60), ("ENOSPC", WRITES, 25), ("short", WRITES, 9), ("EIO", SYNCS, 1), ("EIO", SYNCS, 8), ("EIO", SYNCS, 31), ("EIO", READS, 5),
          ("EIO", READS, 40), ("EIO", NAMES, 30), ("EMFILE", NAMES, 45), ("EROFS", "unlinkat,unlink", 6), ("kill", SYNCS, 12), ("kill", WRITES, 33), ("late", "renameat,rename,unlinkat", 10)]


def text_of(number):
    """Every seventh is long, and every other of these too long for the journal."""
    lines = (90000 if number % 2 else 9000) if number % 7 == 3 else number
    return f"Subject: {number}\n\nnumber {number}\n" + f"line of message {number}\n" * lines


def body_of(text):
    return text.partition("\n\n")[2]


def send_all(daemon):
    """The numbers of those that got a 250; the others were refused, or nobody answered."""
    numbers, accepted, lock = iter(range(MESSAGES)), set(), threading.Lock()

    def work():
        client = None
        while (number := take()) is not None:
            for _ in range(5):
                try:
                    client = client or daemon.client(timeout=20)
                    if client.message("a@example.net", [f"n{number}@far.example"], text_of(number))[0] == 250:
                        accepted.add(number)
                        break
                except (OSError, AssertionError, ValueError, IndexError):
                    client = None
                    threading.Event().wait(0.3)

    def take():
        with lock:
            return next(numbers, None)

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return accepted


@unittest.skipIf(os.environ.get("SANITIZED"), "a sanitizer wants to be the first library, and so does the one that makes faults")
class BadDisk(story.Story):
    def start_faulty(self, daemon, action, calls, at):
        faults = {"LD_PRELOAD": SHIM, "FAULT_DIR": os.path.join(daemon.top, "queue"), "FAULT_CALLS": calls, "FAULT_AT": str(at), "FAULT_ACTION": action}
        os.environ.update(faults)
        try:
            daemon.start()
        finally:
            for name in faults:
                del os.environ[name]

    def play(self, action, calls, at):
        sink = self.sink()
        name = f"{action}-{calls.split(',')[0]}-{at}"
        daemon = self.daemon(name, start=False, rules={"smart_host": f"[127.0.0.1]:{sink.port}"},
                             options={"MinQueueAge": "0", "QueueInterval": "1s", "MaxQueueAge": "1s", "Timeout": {"hoststatus": "1s"}})
        self.start_faulty(daemon, action, calls, at)
        accepted = send_all(daemon)
        daemon.stop()
        if daemon.process.poll() is None:
            daemon.kill()
        daemon.start()  # a disk that was mended
        arrived = collections.defaultdict(list)

        def is_there():
            arrived.clear()
            for _, recipients, text in list(sink.messages):
                arrived[int(re.match(r"n(\d+)@", recipients[0]).group(1))].append(body_of(text))
            return accepted <= set(arrived)
        try:
            story.wait_for("what was accepted", is_there, 30)
        except AssertionError:
            self.fail(f"{name}: lost {sorted(accepted - set(arrived))}; queued {daemon.listed_ids()}\n{daemon.log()[-6000:]}")
        for number, bodies in arrived.items():
            self.assertEqual(set(bodies), {body_of(text_of(number))}, name)
        self.assertGreater(len(accepted), MESSAGES // 3, f"{name}: one fault is no reason to take nothing\n{daemon.log()[-3000:]}")
        daemon.stop()
        sink.close()
        return len(accepted), sum(len(bodies) - 1 for bodies in arrived.values())

    def test_control(self):
        """The faults do reach the daemon: the first file of the journal cannot be made, and the log says so with the next message."""
        daemon = self.daemon("control", start=False)
        self.start_faulty(daemon, "EIO", SYNCS, 1)
        with daemon.client() as client:
            for _ in range(2):
                client.message("a@example.net", ["x@far.example"], text_of(3))
        daemon.wait_log("cannot make a segment of the journal in .*: Input/output error; mail is written as files")

    def test_each_fault(self):
        for action, calls, at in FAULTS:
            with self.subTest(action=action, calls=calls, at=at):
                taken, twice = self.play(action, calls, at)
                print(f"{action} at call {at} of {calls}: {taken} of {MESSAGES} taken, {twice} came twice")


if __name__ == "__main__":
    story.main()
