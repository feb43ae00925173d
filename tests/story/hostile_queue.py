#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A queue file may hold anything: the damaged are set aside, the honest delivered once and to nobody else, and a long queue delays no start."""
import collections
import os
import random
import re
import shutil
import subprocess
import threading
import time
import unittest

import story
from attacks import MEGABYTE, resident


class HostileQueue(story.Story):
    def stopped(self, letters=1, **settings):
        """A daemon that left with letters in its queue, which waited for a dead next host."""
        self.hop = self.sink()
        daemon = self.daemon(start=False, options={"QueueInterval": "1s", "MinQueueAge": "0"}, **settings)
        daemon.settings["rules"]["smart_host"] = f"[127.0.0.1]:{story.free_port()}"
        daemon.start()
        for number in range(letters):
            daemon.send("a@example.net", [f"joe{number}@far.example"], f"Subject: {number}\n\nbody {number}\n")
        story.wait_for("deferral", lambda: daemon.log().count("stat=Deferred") >= letters)
        daemon.stop()
        daemon.settings["rules"]["smart_host"] = f"[127.0.0.1]:{self.hop.port}"
        return daemon

    def files(self, daemon, kind):
        found = []
        for top, _, names in os.walk(os.path.join(daemon.top, "queue")):
            found += [os.path.join(top, name) for name in names if name.startswith(kind)]
        return sorted(found)

    def copy(self, control, data, number):
        """The same message once more under an id of its own; its control file's bytes."""
        name = os.path.basename(control)[2:]
        other = name[:8] + f"{number:06d}"
        shutil.copy2(data, os.path.join(os.path.dirname(data), "df" + other))
        if os.geteuid() == 0:
            info = os.stat(data)
            os.chown(os.path.join(os.path.dirname(data), "df" + other), info.st_uid, info.st_gid)
        return os.path.join(os.path.dirname(control), "qf" + other)

    def put(self, path, data, like):
        with open(path, "wb") as handle:
            handle.write(data)
        info = os.stat(like)
        os.chmod(path, info.st_mode & 0o777)
        if os.geteuid() == 0:
            os.chown(path, info.st_uid, info.st_gid)

    def test_cut_and_flipped(self):  # rows 36, 37
        daemon = self.stopped()
        control, data = self.files(daemon, "qf")[0], self.files(daemon, "df")[0]
        with open(control, "rb") as handle:
            whole = handle.read()
        dice = random.Random(5)
        number = 100000
        for end in range(len(whole)):
            self.put(self.copy(control, data, number + end), whole[:end], control)
        number += 10000
        for turn in range(300):
            text = bytearray(whole)
            text[dice.randrange(len(text))] ^= 1 << dice.randrange(8)
            self.put(self.copy(control, data, number + turn), bytes(text), control)
        address = whole.find(b"joe0@far.example")
        for turn, evil in enumerate((b"joe\n0@far.example", b"joe\0@far.example", b"evil@far.example", b"joe0@far.example>\r\nRCPT TO:<evil@far.example")):
            self.put(self.copy(control, data, number + 5000 + turn), whole.replace(b"joe0@far.example", evil), control)
        self.assertGreater(address, 0)
        daemon.start()
        story.wait_for(lambda: "the queue to be worked through\n" + daemon.log()[-2000:], lambda: len(self.files(daemon, "qf")) < 5, 30)
        # a changed number of tries or time of the last one may make a letter wait longer
        time.sleep(1)
        for sender, recipients, text in self.hop.messages:
            self.assertEqual(recipients, ["joe0@far.example"], "nobody else gets it")
            self.assertNotIn("evil", text)
        self.assertGreater(len(self.hop.messages), 0)
        self.assertGreater(len(self.files(daemon, "Qf")), len(whole) - 10)
        self.assertNotRegex(daemon.log(), r"(?i)ended by signal")
        self.assertNotRegex(daemon.log(), r"[\x00-\x08\x0b-\x1f\x7f-\xff]")

    def test_strange_things_in_place_of_files(self):  # row 36
        daemon = self.stopped(letters=2)
        control, data = self.files(daemon, "qf")[0], self.files(daemon, "df")[0]
        folder, stem = os.path.dirname(control), os.path.basename(control)[2:10]
        os.mkfifo(os.path.join(folder, "qf" + stem + "900001"))
        os.mkdir(os.path.join(folder, "qf" + stem + "900002"))
        os.symlink("/etc/passwd", os.path.join(folder, "qf" + stem + "900003"))
        self.put(os.path.join(folder, "qf" + stem + "900004"), b"", control)
        with open(os.path.join(folder, "qf" + stem + "900005"), "wb") as handle:
            handle.truncate(1 << 30)
        with open(control, "rb") as handle:
            whole = handle.read()
        self.put(os.path.join(folder, "qf" + stem + "900006"), whole, control)  # no body at all
        self.put(os.path.join(folder, "qf" + stem + "900007"), whole, control)
        os.mkfifo(os.path.join(os.path.dirname(data), "df" + stem + "900007"))
        self.put(os.path.join(folder, "qf" + stem + "900008"), whole, control)
        os.symlink("/etc/passwd", os.path.join(os.path.dirname(data), "df" + stem + "900008"))
        link = os.path.join(folder, "qf" + stem + "900009")
        os.link(control, link)
        self.copy(control, data, 900009)
        daemon.start()
        story.wait_for(lambda: f"the honest one of {len(self.hop.messages)}\n" + daemon.log()[-3000:],
                       lambda: [m for m in self.hop.messages if m[1] == ["joe1@far.example"]])
        daemon.send("a@example.net", ["new@far.example"], "Subject: new\n\nx\n")
        story.wait_for("a new one", lambda: "new@far.example" in str(self.hop.messages))
        for _, _, text in self.hop.messages:
            self.assertNotIn("root:", text)
        self.assertNotRegex(daemon.log(), r"(?i)ended by signal")
        for pid in daemon.processes():
            self.assertLess(resident(pid), (400 if os.environ.get("SANITIZED") else 40) * MEGABYTE)
        with open("/etc/passwd") as handle:
            self.assertIn("root:", handle.read())

    def test_two_runners_on_one_queue(self):  # row 38
        daemon = self.stopped(letters=60)
        daemon.start()
        runs = [threading.Thread(target=daemon.run, args=("sendmail", "-C", daemon.conf_path, "-q")) for _ in range(4)]
        for run in runs:
            run.start()
        for run in runs:
            run.join()
        self.hop.wait(60)
        time.sleep(1)
        counts = collections.Counter(message[1][0] for message in self.hop.messages)
        self.assertEqual((len(counts), max(counts.values())), (60, 1))

    @unittest.skipUnless(shutil.which("faketime") and not os.environ.get("SANITIZED"), "needs faketime, and nothing else that is loaded first")
    def test_the_clock_jumps(self):  # row 40
        daemon = self.stopped(letters=3)
        port = story.free_port()
        daemon.settings["rules"]["smart_host"] = f"[127.0.0.1]:{port}"
        daemon.settings["options"]["Timeout"] = {"hoststatus": "1s"}
        rc = os.path.join(daemon.top, "clock")
        with open(rc, "w") as handle:
            handle.write("+0d\n")
        daemon.write_conf()
        libraries = subprocess.run(["sh", "-c", "ls /usr/lib/*/faketime/libfaketimeMT.so.1"], capture_output=True, text=True, check=True).stdout.split()
        os.environ.update(LD_PRELOAD=libraries[0], FAKETIME_TIMESTAMP_FILE=rc, FAKETIME_NO_CACHE="1", DONT_FAKE_MONOTONIC="1")
        try:
            daemon.start()
        finally:
            for name in ("LD_PRELOAD", "FAKETIME_TIMESTAMP_FILE", "FAKETIME_NO_CACHE", "DONT_FAKE_MONOTONIC"):
                del os.environ[name]
        ids = set()
        for jump in ("-1d", "+0d", "+1d", "-1d"):
            with open(rc, "w") as handle:
                handle.write(jump + "\n")
            for number in range(20):
                name = daemon.send("a@example.net", [f"y{number}@far.example"], "Subject: x\n\nx\n")
                self.assertNotIn(name, ids)
                ids.add(name)
            time.sleep(1.2)
        self.assertLessEqual(ids, set(daemon.queue_ids()), "a jump may bring warnings, but loses and returns nothing")
        self.assertNotIn("Cannot send message", daemon.log())
        hop = self.sink(port=port)  # what was tried last in two days' time does not wait so long
        story.wait_for(lambda: f"all of them, there are {len(hop.messages)}", lambda: not daemon.listed_ids())
        counts = collections.Counter(message[1][0] for message in hop.messages if message[0])
        self.assertEqual(sum(counts.values()), len(ids) + 3, "each once")
        daemon.stop()

    def test_ids_are_never_used_again(self):  # row 41
        daemon = self.stopped()
        ids = set(daemon.queue_ids())
        daemon.settings["rules"]["smart_host"] = f"[127.0.0.1]:{story.free_port()}"
        for turn in range(4):
            daemon.start()
            with daemon.client() as client:
                for _ in range(200):
                    got = client.message("a@example.net", ["x@far.example"], "Subject: x\n\nx\n")
                    self.assertEqual(got[0], 250)
                    name = got[1].split()[2]
                    self.assertNotIn(name, ids)
                    ids.add(name)
            (daemon.kill if turn % 2 else daemon.stop)()
        self.assertEqual(set(daemon.listed_ids()), ids)

    def test_a_long_queue(self):  # row 48
        count = int(os.environ.get("STORY_QUEUE", "3000"))
        daemon = self.stopped()
        control, data = self.files(daemon, "qf")[0], self.files(daemon, "df")[0]
        with open(control, "rb") as handle:
            whole = handle.read()
        for number in range(count):
            self.put(self.copy(control, data, 100000 + number), whole, control)
        daemon.settings["rules"]["smart_host"] = f"[127.0.0.1]:{story.free_port()}"
        daemon.settings["options"]["MinQueueAge"] = "1h"
        began = time.monotonic()
        daemon.start()
        serving = time.monotonic() - began
        daemon.send("a@example.net", ["x@far.example"], "Subject: x\n\nx\n")
        began = time.monotonic()
        listed = daemon.run("mailq", "-C", daemon.conf_path, timeout=120).stdout
        listing = time.monotonic() - began
        self.assertGreater(listed.count("@far.example"), count)
        sizes = {role: resident(pid) // MEGABYTE for pid, role in daemon.processes().items()}
        print(f"{count} in the queue: serving after {serving:.2f} s, listed in {listing:.2f} s, MiB {sizes} ", end="", flush=True)
        self.assertLess(serving, 5 * story.SLOW)
        self.assertLess(listing, 2 + count / 2000 * story.SLOW)
        if not os.environ.get("SANITIZED"):
            self.assertLess(max(sizes.values()), 20 + count // 1000)


if __name__ == "__main__":
    story.main()
