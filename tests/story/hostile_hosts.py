#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Whatever a next host does, each recipient has exactly one outcome, memory is bounded, and what the host said is made harmless."""
import contextlib
import os
import re
import socket
import struct
import threading
import time

import story
from attacks import MEGABYTE, resident

EHLO = b"250-evil.example\r\n250-PIPELINING\r\n250 SIZE\r\n"


class Host:
    """A listening socket and a function that plays one connection."""

    def __init__(self, play):
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.sock.getsockname()[1]
        self.count = 0
        self.play = play
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.sock.accept()
            except OSError:
                return
            self.count += 1
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        with contextlib.suppress(OSError), peer:
            self.play(peer, peer.makefile("rb"))

    def close(self):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


def until(verbs):
    """A player that answers as it should up to a verb and then does what `verbs` says: bytes, or a function of the socket."""
    def play(peer, lines):
        def answer(verb, good):
            what = verbs.get(verb, good)
            if callable(what):
                what(peer)
                raise OSError
            peer.sendall(what)
        answer(b"CONN", b"220 evil.example\r\n")
        for line in lines:
            verb = line[:4].upper().strip()
            answer(verb, {b"EHLO": EHLO, b"DATA": b"354 go\r\n", b"QUIT": b"221 bye\r\n"}.get(verb, b"250 2.0.0 ok\r\n"))
            if verb == b"DATA" and verbs.get(verb, b"3").startswith(b"3"):
                for text in lines:
                    if text == b".\r\n":
                        break
                answer(b".", b"250 2.0.0 taken\r\n")
            if verb == b"QUIT":
                return
    return play


def reset(peer):
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def endless(line):
    def pour(peer):
        for _ in range(100000):
            peer.sendall(line * 100)
    return pour


def then(data, act):
    def both(peer):
        peer.sendall(data)
        act(peer)
    return both


class HostileHosts(story.Story):
    def setUp(self):
        super().setUp()
        self.hosts = []

    def tearDown(self):
        super().tearDown()
        for host in self.hosts:
            host.close()

    def against(self, verbs, name, **options):
        """A daemon whose mail for far.example goes to such a host, and reports to a maildir."""
        host = Host(until(verbs))
        self.hosts.append(host)
        daemon = self.daemon(name, start=False, options={"MinQueueAge": "1h", "Timeout": {"mail": "3s", "rcpt": "3s", "datafinal": "3s", "datainit": "3s", "initial": "3s", "helo": "3s"}, **options},
                             rules={"smart_host": f"[127.0.0.1]:{host.port}"},
                             mailers={"local": {"module": "local", "format": "maildir", "path": os.path.join(self.scratch, name, "box", "%u")}})
        os.chmod(os.path.join(daemon.top, "box"), 0o1777)
        daemon.box = os.path.join(daemon.top, "box", story.ME)
        return daemon.start(), host

    def letter(self, daemon):
        daemon.send(f"{story.ME}@example.org", ["x@far.example"], "Subject: out\n\nx\n")

    def test_deferred(self):
        """Trouble of the connection: the letter stays in the queue, no report is sent."""
        cases = {
            "cut": {b"CONN": reset}, "silent": {b"CONN": lambda peer: time.sleep(8 * story.SLOW)}, "junk": {b"CONN": b"hello\r\n"},
            "endless-line": {b"CONN": endless(b"2" * 1000)}, "endless-250": {b"EHLO": endless(b"250-MORE\r\n")},
            "nul": {b"CONN": b"\0\0\0\0\r\n"}, "two-codes": {b"EHLO": b"250-a\r\n550 b\r\n"}, "421-mail": {b"MAIL": b"421 4.3.2 later\r\n"},
            "421-rcpt": {b"RCPT": b"421 4.3.2 later\r\n"}, "451-rcpt": {b"RCPT": b"451 4.3.2 later\r\n"}, "354-close": {b"DATA": then(b"354 go\r\n", reset)},
            "200-data": {b"DATA": b"250 what\r\n"}, "dot-close": {b".": reset}, "dot-451": {b".": b"451 4.3.0 no\r\n"}, "dot-354": {b".": b"354 again\r\n"},
            "dot-nul": {b".": b"2\x0050 ok\r\n"}, "999": {b"MAIL": b"999 odd\r\n"}, "10-megabytes": {b"MAIL": then(b"550 " + b"x" * (10 << 20), reset)},
        }
        made = {}
        for name, verbs in cases.items():
            made[name] = self.against(verbs, name)
            self.letter(made[name][0])
        for name, (daemon, _) in made.items():
            with self.subTest(name=name):
                daemon.wait_log(r"stat=Deferred", 30)
                self.assertEqual(len(daemon.queue_ids()), 1, daemon.log()[-2000:])
                self.assertEqual(daemon.maildir(daemon.box), [])
                for pid in daemon.processes():
                    self.assertLess(resident(pid), 400 * MEGABYTE if os.environ.get("SANITIZED") else 40 * MEGABYTE)
                self.assertNotRegex(daemon.log(), r"(?i)signal|is gone")

    def test_taken_once(self):
        """250 and then a reset, or rubbish behind it: it was taken."""
        for name, verbs in {"250-reset": {b".": then(b"250 ok\r\n", reset)}, "250-more": {b".": b"250 ok\r\n550 no\r\n250 what\r\n"},
                            "250-lf": {b".": b"250 ok\n"}, "250-lines": {b".": b"250-a\r\n" * 100 + b"250 b\r\n"}}.items():
            with self.subTest(name=name):
                daemon, host = self.against(verbs, name)
                self.letter(daemon)
                self.letter(daemon)
                story.wait_for(lambda d=daemon: d.log(), lambda d=daemon: d.log().count("stat=Sent") == 2)
                story.wait_for("an empty queue", lambda d=daemon: not d.queue_ids())
                self.assertEqual(daemon.maildir(daemon.box), [])

    def test_refused_in_strange_words(self):
        """A refusal becomes one report; its text adds no line to header or body, and no control to log, queue or terminal."""
        words = b"550-5.7.1 \x1b[31mred\x00 %n%s\r550 x\r\n550-From: evil@example.net\r\n550-.\r\n550-\xff\xfe\r\n550 5.7.1 " + b"z" * 60000 + b"\r\n"
        for name, verbs in {"rcpt": {b"RCPT": words}, "dot": {b".": words}, "mail": {b"MAIL": words}}.items():
            with self.subTest(name=name):
                daemon, _ = self.against(verbs, name)
                self.letter(daemon)
                report = story.wait_for(lambda d=daemon: "the report\n" + d.log(), lambda d=daemon: d.maildir(d.box))[0]
                story.wait_for("an empty queue", lambda d=daemon: not d.queue_ids())
                self.assertEqual(len(daemon.maildir(daemon.box)), 1)
                self.assertLess(max(len(line) for line in report.split("\n")), 999)
                self.assertNotRegex(report, r"[\x00-\x08\x0b-\x1f\x7f-\xff]")
                self.assertNotRegex(report, r"(?m)^(From: evil|550 x|\.$)")
                self.assertRegex(report, r"(?m)^Action: failed$")
                self.assertNotRegex(daemon.log(), r"[\x00-\x08\x0b-\x1f\x7f-\xff]")
                for line in daemon.log().split("\n"):
                    self.assertLess(len(line), 4000)

    def test_one_stuck_host_does_not_stop_the_others(self):
        daemon, host = self.against({b"MAIL": lambda peer: time.sleep(20 * story.SLOW)}, "stuck")
        for _ in range(30):
            self.letter(daemon)
        time.sleep(0.5)
        began = time.monotonic()
        daemon.send("a@example.net", [f"{story.ME}@example.org"], "Subject: near\n\nx\n")
        story.wait_for("the letter for us", lambda: daemon.maildir(daemon.box))
        self.assertLess(time.monotonic() - began, 3 * story.SLOW)
        self.assertLessEqual(host.count, 64)
        self.assertFalse(re.search(r"stat=Sent.*far\.example", daemon.log()))


if __name__ == "__main__":
    story.main()
