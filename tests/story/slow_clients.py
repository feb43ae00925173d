#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A thousand clients that are slow on purpose are in nobody's way, cost a few kilobytes each, and are counted; who says a little all the time reaches the
limit in total, and who never reads his answers gets no more of them."""
import contextlib
import os
import re
import resource
import socket
import statistics
import threading
import time

import story
from attacks import MEGABYTE, resident

CLIENTS = 1000 if story.SLOW == 1 else 200
ENVELOPE = b"EHLO x\r\nMAIL FROM:<slow@example.net>\r\nRCPT TO:<s@far.example>\r\n"
STATES = (b"", b"EHLO x\r\nNO", ENVELOPE + b"RCPT TO:<t@far", ENVELOPE + b"DATA\r\nSubject: s\r\n\r\nhal")


class Drips(threading.Thread):
    """A byte for each socket every two seconds."""

    def __init__(self, socks):
        super().__init__(daemon=True)
        self.socks, self.over = socks, threading.Event()

    def run(self):
        while not self.over.wait(2):
            for sock in self.socks:
                with contextlib.suppress(OSError):
                    sock.send(b"x")


class SlowClients(story.Story):
    def setUp(self):
        super().setUp()
        self.socks = []

    def tearDown(self):
        for sock in self.socks:  # before the daemon is stopped: it waits for those in a transaction
            sock.close()
        super().tearDown()

    def relay(self, **options):
        self.hop = self.sink()
        self.pr = self.daemon(start=False, options={"MaxNOOPCommands": 0, **options})
        self.pr.settings["rules"]["smart_host"] = f"[127.0.0.1]:{self.hop.port}"
        return self.pr.start()

    def receiver(self):
        return next(pid for pid, role in self.pr.processes().items() if role == "receiver")

    def counted(self, what):
        return int(re.search(rf"(?m)^receiver .* {what}=(\d+)", self.pr.ctl("status")[1]).group(1))

    def connect(self, start):
        sock = socket.create_connection(("127.0.0.1", self.pr.port), 30 * story.SLOW)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socks.append(sock)
        sock.sendall(start)
        return sock

    def crowd(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < CLIENTS + 200:
            self.skipTest("not enough descriptors for so many clients")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, CLIENTS + 200), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        return [self.connect(STATES[number % len(STATES)]) for number in range(CLIENTS)]

    def pace(self, client, count=150):
        """Seconds for a message, the median."""
        seconds = []
        for number in range(count):
            began = time.monotonic()
            self.assertEqual(client.message("a@example.net", [f"n{number}@far.example"], "Subject: fast\n\nx\n")[0], 250)
            seconds.append(time.monotonic() - began)
        return statistics.median(seconds)

    def test_a_thousand(self):
        self.relay(DeliveryMode="queue")
        receiver = self.receiver()
        with self.pr.client() as fast:
            self.pace(fast)
            alone, before = self.pace(fast), resident(receiver)
            drips = Drips(self.crowd())
            drips.start()
            story.wait_for("the crowd", lambda: f" sessions={CLIENTS + 1} " in self.pr.ctl("status")[1])
            each = (resident(receiver) - before) / CLIENTS
            among = min(self.pace(fast) for _ in range(3))
            drips.over.set()
        print(f"{CLIENTS} slow clients: {each / 1024:.1f} KiB each; a message takes {1e3 * alone:.2f} ms alone, {1e3 * among:.2f} among them ", end="", flush=True)
        # on an idle machine it is a few hundredths more; others may be busy here
        self.assertLess(among, 2 * alone)
        if not os.environ.get("SANITIZED"):
            self.assertLess(each, 24 * 1024)

    def drip(self, start, piece, every=0.2, most=15):
        """Pieces until the daemon ends it: (its last reply, seconds)"""
        sock = self.connect(start)
        began, got = time.monotonic(), b""
        sock.settimeout(every)
        while time.monotonic() - began < most * story.SLOW:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(piece)
            try:
                more = sock.recv(65536)
                if not more:
                    return got.split(b"\r\n")[-2].decode(), time.monotonic() - began
                got += more
                time.sleep(every)
            except TimeoutError:
                pass
            except ConnectionResetError:
                return got.split(b"\r\n")[-2].decode(), time.monotonic() - began
        raise AssertionError(f"nobody ended it in {most} seconds: {got[-200:]!r}")

    def check_end(self, limit, start, piece):
        last, seconds = self.drip(start, piece)
        self.assertRegex(last, r"^421 4\.4\.\d ")
        self.assertTrue(limit - 1 <= seconds < (limit + 4) * story.SLOW, seconds)

    def test_a_message_in_total(self):
        """A byte, a line, a recipient, a chunk at a time: no single wait is too long, all of them are."""
        self.relay(Timeout={"message": "3s"})
        for start, piece in ((ENVELOPE + b"DATA\r\nSubject: s\r\n\r\n", b"x"), (ENVELOPE + b"DATA\r\n", b"X-More: y\r\n"),
                             (ENVELOPE, b"RCPT TO:<more@far.example>\r\n"), (ENVELOPE, b"BDAT 3\r\nx\r\n"), (ENVELOPE, b"NOOP\r\n")):
            with self.subTest(start=start[-12:], piece=piece):
                self.check_end(3, start, piece)
        with self.pr.client() as client:  # each message has its own time, and between two of them nobody is hurried
            for _ in range(3):
                self.assertEqual(client.message("a@example.net", ["good@far.example"], "Subject: s\n\nx\n")[0], 250)
                time.sleep(1.6)
        self.hop.wait(3)
        self.assertEqual({message[0] for message in self.hop.messages}, {"a@example.net"})
        self.assertEqual(self.counted("timeouts"), 5)

    def test_a_connection_in_total(self):
        self.relay(Timeout={"session": "3s"})
        self.check_end(3, b"EHLO x\r\n", b"NOOP\r\n")
        self.check_end(3, b"EHLO x\r\n", b"N")
        with self.pr.client() as client:  # what is under way is not cut off
            time.sleep(2)
            client.expect(250, "MAIL FROM:<a@example.net>")
            client.expect(250, "RCPT TO:<good@far.example>")
            client.expect(354, "DATA")
            time.sleep(3)
            client.send("Subject: s\r\n\r\nx\r\n.\r\n")
            self.assertEqual(client.reply()[0], 250)
            self.assertEqual(client.reply()[0], 421)
        self.hop.wait(1)

    def test_without_limits_nobody_is_cut_off(self):
        self.relay()
        with self.pr.client() as client:
            for _ in range(3):
                time.sleep(1)
                client.expect(250, "NOOP")

    def test_programs_of_this_host_have_time(self):
        """They come by the local socket."""
        self.relay(Timeout={"session": "1s", "message": "1s"})
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as sock:
            sock.settimeout(30 * story.SLOW)
            sock.connect(os.path.join(self.pr.top, "run", "submit.sock"))
            stream = sock.makefile("rb")
            self.assertEqual(stream.readline()[:3], b"220")
            for line in ("MAIL FROM:<a@example.net>", "RCPT TO:<good@far.example>", "DATA", "Subject: s\r\n\r\nx\r\n."):
                time.sleep(1)
                sock.sendall(line.encode() + b"\r\n")
                self.assertIn(stream.readline()[:3], (b"250", b"354"), line)
        self.hop.wait(1)

    def test_who_never_reads(self):
        """Commands whose answers nobody takes: the daemon stops reading, and what it holds is bounded."""
        self.relay()
        receiver, socks = self.receiver(), [self.connect(b"EHLO x\r\n") for _ in range(20)]
        before = resident(receiver)
        for sock in socks:
            sock.settimeout(0.2 * story.SLOW)
            with self.assertRaises(TimeoutError):
                while True:
                    sock.sendall(b"HELP\r\nNOOP\r\n" * 1000)
        each = (resident(receiver) - before) / len(socks)
        print(f"{each / 1024:.0f} KiB ", end="", flush=True)
        if not os.environ.get("SANITIZED"):  # the sanitizer keeps what was freed
            self.assertLess(each, 256 * 1024)
        self.pr.send("a@example.net", ["good@far.example"], "Subject: s\n\nx\n")

    def test_memory_of_each(self):
        """As much as a client may make the daemon keep: the longest command, a field or a header without an end, a body, a chunk."""
        self.relay()
        receiver = self.receiver()
        for start in (b"EHLO x\r\nNOOP " + b"x" * 2000, ENVELOPE + b"DATA\r\nX-Long: " + b"y" * 30000, ENVELOPE + b"DATA\r\n" + b"X: y\r\n" * 5000,
                      ENVELOPE + b"DATA\r\n\r\n" + b"z" * 100000, ENVELOPE + b"BDAT 1000000000\r\n\r\n" + b"z" * 100000):
            with self.subTest(start=start[-100:-90]):
                before, socks = resident(receiver), [self.connect(start) for _ in range(100)]
                time.sleep(0.5)
                self.pr.send("a@example.net", ["good@far.example"], "Subject: s\n\nx\n")
                each = (resident(receiver) - before) / 100
                print(f"{each / 1024:.0f} KiB ", end="", flush=True)
                if not os.environ.get("SANITIZED"):
                    self.assertLess(each, 200 * 1024)
                for sock in socks:
                    sock.close()
        story.wait_for("them to be gone", lambda: " sessions=0 " in self.pr.ctl("status")[1])
        if not os.environ.get("SANITIZED"):
            self.assertLess(resident(receiver), 64 * MEGABYTE)

    def test_counters(self):
        self.relay(Timeout={"command": "1s"})
        for form in (b"\nx", b"\rx", b"\n.\r\n"):
            with contextlib.closing(self.connect(ENVELOPE + b"DATA\r\nSubject: s\r\n\r\nx" + form + b"\r\n.\r\n")) as sock, sock.makefile("rb") as stream:
                self.assertIn(b"421 4.5.0 Bare ", stream.read())
        with contextlib.closing(self.connect(b"NO")) as sock, sock.makefile("rb") as stream:
            self.assertIn(b"421 4.4.1 ", stream.read())
        story.wait_for("the counts", lambda: (self.counted("bare_line_ends"), self.counted("timeouts")) == (3, 1))
        self.assertEqual(len(re.findall(r"\[127\.0\.0\.1\] sent a bare CR or LF in the data\n", self.pr.log())), 3)
        self.assertEqual(self.hop.messages, [])


if __name__ == "__main__":
    story.main()
