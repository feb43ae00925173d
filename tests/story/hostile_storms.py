#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Storms: a thousand clients at once, clients of one byte a second, reloads without end, a disk that turns read-only, lists without end.  What was
accepted arrives once, others are served meanwhile, and neither descriptors nor memory stay behind."""
import collections
import contextlib
import os
import re
import resource
import shutil
import socket
import subprocess
import threading
import time
import unittest

import story
from attacks import MEGABYTE, resident

CLIENTS = 1000 if story.SLOW == 1 else 300


class Ledger:
    """Who was told 250, by number; and what has become of it."""

    def __init__(self, hop):
        self.hop, self.lock, self.accepted, self.refused = hop, threading.Lock(), set(), collections.Counter()

    def send(self, client, number):
        code, text = client.message("a@example.net", [f"n{number}@far.example"], f"Subject: {number}\n\nbody of {number}\n")
        with self.lock:
            if code == 250:
                self.accepted.add(number)
            else:
                self.refused[text[:3]] += 1
        return code

    def arrived(self):
        return collections.Counter(int(message[1][0][1:].split("@")[0]) for message in list(self.hop.messages))

    def settle(self, test, daemon, doubles=0):
        story.wait_for(lambda: f"all that was accepted, {len(self.accepted - set(self.arrived()))} are missing\n{daemon.log()[-3000:]}",
                       lambda: self.accepted <= set(self.arrived()), 40)
        story.wait_for("an empty queue", lambda: not daemon.listed_ids())
        counts = self.arrived()
        test.assertLessEqual(sum(counts.values()) - len(counts), doubles, "delivered more than once")
        for _, _, text in self.hop.messages:
            test.assertEqual(text.split("\n\n", 1)[1], "body of " + re.search(r"(?m)^Subject: (\d+)", text).group(1) + "\n")


class Storms(story.Story):
    def relay(self, **settings):
        self.hop = self.sink()
        self.ledger = Ledger(self.hop)
        daemon = self.daemon(start=False, options={"QueueInterval": "1s", "MinQueueAge": "0", **settings.pop("options", {})}, **settings)
        daemon.settings["rules"]["smart_host"] = f"[127.0.0.1]:{self.hop.port}"
        return daemon

    def fds(self, daemon):
        return {role: len(os.listdir(f"/proc/{pid}/fd")) for pid, role in daemon.processes().items()}

    def test_a_thousand_at_once(self):
        """All connected before the first speaks; each sends one message."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < CLIENTS + 200:
            self.skipTest("not enough descriptors for so many clients")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192) if hard != resource.RLIM_INFINITY else 8192), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        daemon = self.relay().start()
        before, clients = self.fds(daemon), []
        for number in range(CLIENTS):
            clients.append((number, daemon.client(timeout=60)))
        self.assertEqual({client.greeting[0] for _, client in clients}, {220})

        def talk(some):
            for number, client in some:
                with contextlib.suppress(OSError, ConnectionError):
                    self.ledger.send(client, number)
                    client.close()

        threads = [threading.Thread(target=talk, args=(clients[at::40],), daemon=True) for at in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60 * story.SLOW)
        self.assertEqual(len(self.ledger.accepted), CLIENTS, self.ledger.refused)
        self.ledger.settle(self, daemon)
        story.wait_for(lambda: f"the descriptors to come back: {before} {self.fds(daemon)}",
                       lambda: all(count <= before.get(role, 0) + 60 for role, count in self.fds(daemon).items()))
        if not os.environ.get("SANITIZED"):
            self.assertLess(max(resident(pid) for pid in daemon.processes()), 64 * MEGABYTE)

    def test_a_byte_a_second(self):
        """In a header line, in the body, in a command, before the greeting is read: those are cut at the limit, and nobody else waits for them."""
        daemon = self.relay(options={"Timeout": {"command": "3s", "datablock": "3s"}}).start()
        slow = []
        for start in ("", "EHLO x\r\n", "EHLO x\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<s@far.example>\r\nDATA\r\n",
                      "EHLO x\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<s@far.example>\r\nDATA\r\nSubject: s\r\n\r\n"):
            for _ in range(25):
                sock = socket.create_connection(("127.0.0.1", daemon.port), 10)
                sock.sendall(start.encode())
                slow.append(sock)
        longest, end, number = 0, time.monotonic() + 6 * story.SLOW, 0
        while time.monotonic() < end:
            began = time.monotonic()
            with daemon.client() as client:
                self.assertEqual(self.ledger.send(client, number), 250)
            longest, number = max(longest, time.monotonic() - began), number + 1
            for sock in slow:
                with contextlib.suppress(OSError):
                    sock.send(b"x")
            time.sleep(1)
        self.assertLess(longest, 2 * story.SLOW)
        for sock in slow:
            sock.settimeout(10 * story.SLOW)
            with contextlib.suppress(OSError):
                while sock.recv(65536):
                    pass
            sock.close()
        self.ledger.settle(self, daemon)
        self.assertEqual([message for message in self.hop.messages if message[1] == ["s@far.example"]], [])

    def test_reloads_under_load(self):
        daemon = self.relay().start()
        stop, failed = threading.Event(), []

        def load(first):
            number = first
            while not stop.is_set():
                try:
                    with daemon.client(timeout=20) as client:
                        while not stop.is_set() and self.ledger.send(client, number) == 250:
                            number += 8
                except ConnectionRefusedError as error:
                    failed.append(repr(error))
                except (OSError, ConnectionError):  # told 421, or the leaving generation's time was up: the number was not acknowledged
                    pass
                number += 8

        threads = [threading.Thread(target=load, args=(first,), daemon=True) for first in range(8)]
        for thread in threads:
            thread.start()
        end, hups = time.monotonic() + 8 * story.SLOW, 0
        while time.monotonic() < end:
            daemon.process.send_signal(1)
            hups += 1
            time.sleep(0.05)
        story.wait_for("some generations", lambda: daemon.log().count(" in force:") >= 3)
        stop.set()
        for thread in threads:
            thread.join(30 * story.SLOW)
        self.assertEqual(failed, [], "a connection was refused")
        self.assertGreater(len(self.ledger.accepted), 50)
        self.ledger.settle(self, daemon)
        # one generation is left, with what one has
        story.wait_for(lambda: f"one generation, not {daemon.processes()}", lambda: sorted(daemon.processes().values()) == ["courier", "master", "receiver"], 90)
        master = next(pid for pid, role in daemon.processes().items() if role == "master")
        self.assertLess(len(os.listdir(f"/proc/{master}/fd")), 40)
        print(f"{hups} signals, {daemon.log().count(' in force:')} generations, {len(self.ledger.accepted)} messages ", end="", flush=True)

    @unittest.skipUnless(story.IS_ROOT and shutil.which("mkfs.ext4"), "making a file system needs root and mkfs.ext4")
    def test_a_disk_that_turns_read_only(self):
        """As ext4 does after an error: 451 or 452 with a line that names path and reason; what was accepted before is there after a repair."""
        daemon = self.relay(options={"DeliveryMode": "queue", "QueueInterval": "1h"})
        queue, image = os.path.join(daemon.top, "queue"), os.path.join(self.scratch, "image")
        with open(image, "wb") as file:
            file.truncate(200 << 20)
        subprocess.run(["mkfs.ext4", "-q", image], check=True)
        if subprocess.run(["mount", "-o", "loop,errors=remount-ro", image, queue], check=False).returncode != 0:
            self.skipTest("no loop device")
        self.addCleanup(subprocess.run, ["umount", "-l", queue], check=False, capture_output=True)
        os.rmdir(os.path.join(queue, "lost+found"))
        daemon.start()
        with daemon.client() as client:
            for number in range(20):
                self.assertEqual(self.ledger.send(client, number), 250)
        subprocess.run(["mount", "-o", "remount,abort", queue], check=True)
        with daemon.client() as client:
            for number in range(100, 110):
                self.assertIn(self.ledger.send(client, number), (451, 452))
                client.command("RSET")
        self.assertRegex(daemon.log(), re.escape(queue) + r".*(Read-only file system|Input/output error)")
        self.assertIn(daemon.run("mailq", "-C", daemon.conf_path).returncode, (0, 75))
        daemon.kill() if daemon.process.poll() is None else None
        story.wait_for("nobody to use it", lambda: subprocess.run(["umount", queue], capture_output=True, check=False).returncode == 0)
        subprocess.run(["fsck.ext4", "-fy", image], check=False, capture_output=True)
        subprocess.run(["mount", "-o", "loop", image, queue], check=True)
        if os.path.isdir(os.path.join(queue, "lost+found")):
            os.rmdir(os.path.join(queue, "lost+found"))
        daemon.start()
        daemon.run("sendmail", "-C", daemon.conf_path, "-q")
        # what was refused in the middle of it may have reached the disk all the same: 451 says that nobody knows
        self.ledger.settle(self, daemon)
        self.assertLessEqual({number for number in self.ledger.arrived() if number < 100}, self.ledger.accepted)
        daemon.stop()

    def test_a_list_of_a_million_lines(self):
        """Refused at once with file and reason in the log; one of a hundred thousand is taken, and nobody waits for it."""
        many = 100000 if story.SLOW == 1 else 20000
        daemon = self.relay(options={"AliasFile": ["aliases"]}, maps={"aliases": {"module": "text", "file": "x"}})
        lists = {name: daemon.write(name, "".join(f"n{number}@far.example\n" for number in range(count))) for name, count in (("million", 1000000), ("many", many))}
        daemon.settings["maps"]["aliases"]["file"] = daemon.write("aliases", "".join(f"{name}\t:include:{path}\n" for name, path in lists.items()))
        daemon.start()
        with daemon.client(timeout=120) as client, daemon.client() as other:
            client.expect(250, "MAIL FROM:<a@example.net>")
            client.expect(550, "RCPT TO:<million@example.org>")
            self.assertRegex(daemon.log(), r"SYSERR: expanding a recipient: alias million: :include:\S+/million: \S+/million: \d+ bytes, the limit is \d+")
            client.send("RCPT TO:<many@example.org>\r\n")
            began = time.monotonic()
            for number in range(5):
                self.assertEqual(self.ledger.send(other, many + number), 250)
            self.assertLess(time.monotonic() - began, 5 * story.SLOW, "others wait for the list")
            self.assertEqual(client.reply()[0], 250)
            client.expect(354, "DATA")
            client.send("Subject: many\r\n\r\nx\r\n.\r\n")
            self.assertEqual(client.reply()[0], 250)
        told = lambda: [name for message in list(self.hop.messages) if "Subject: many" in message[2] for name in message[1]]
        story.wait_for(lambda: f"{many} recipients, there are {len(told())}", lambda: len(told()) >= many, 60)
        self.assertEqual(len(set(told())), len(told()))
        story.wait_for("an empty queue", lambda: not daemon.listed_ids())
        if not os.environ.get("SANITIZED"):
            self.assertLess(max(resident(pid) for pid in daemon.processes()), 200 * MEGABYTE)


if __name__ == "__main__":
    story.main()
