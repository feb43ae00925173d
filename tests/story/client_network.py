#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Connections go out from where the options say, to where they say, and each thing that a next host may be slow at has its own limit: mail for one that is slower waits, and is
never returned or lost for it."""
import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
import unittest

import story

LETTER = "From: ann@example.net\nTo: joe@far.example\nSubject: s\n\nbody\n"


class Host:
    """A next host that speaks and, at one point of the conversation, does not: `silent` is a verb, "connect" or "." for the dot, "data" for what comes behind 354."""

    def __init__(self, silent="", address="127.0.0.1", port=0, offers="", certificate=None, family=socket.AF_INET, refuses=""):
        self.silent, self.offers, self.certificate, self.refuses = silent, offers, certificate, refuses
        self.peers, self.said, self.messages, self.hangs = [], [], 0, threading.Event()
        self.sock = socket.create_server((address, port), family=family, backlog=64)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                peer, address = self.sock.accept()
                self.peers.append(address[0])
                threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        with contextlib.suppress(OSError), peer:
            stream = peer.makefile("rb")
            say = lambda text: peer.sendall((text + "\r\n").encode())
            if self.quiet("connect"):
                return
            say("220 slow.example ESMTP")
            for line in stream:
                words = line.decode("latin-1").strip()
                verb = words[:4].upper()
                self.said.append(words)
                if self.quiet(verb):
                    return
                if self.refuses and verb == self.refuses:
                    say("450 4.2.1 not now")
                elif verb in ("EHLO", "LHLO"):
                    say("250-slow.example" + "".join("\r\n250-" + word for word in self.offers.split(",") if word) + "\r\n250 HELP")
                elif verb == "DATA":
                    say("354 go")
                    if self.quiet("data"):
                        return
                    for body in stream:
                        if body == b".\r\n":
                            break
                    if self.quiet("."):
                        return
                    self.messages += 1
                    say("250 2.0.0 taken")
                elif verb == "STAR":
                    say("220 go on")
                    if self.quiet("handshake"):
                        return
                elif verb == "AUTH":
                    say("334 PDFAbXguZXhhbXBsZT4=")
                elif verb == "QUIT":
                    say("221 bye")
                    return
                else:
                    say("250 2.0.0 ok")

    def quiet(self, point):
        if self.silent == point:
            self.hangs.wait(120)
            return True
        return False

    def close(self):
        self.hangs.set()
        self.sock.close()


class Network(story.Story):
    def host(self, *arguments, **settings):
        host = Host(*arguments, **settings)
        self.addCleanup(host.close)
        return host

    def stage(self, where, name="pr", mailer=None, options=None, start=True, **settings):
        self.pr = self.daemon(name, start=False, rules={"smart_host": f"esmtp:{where}"}, mailers={"esmtp": {"module": "smtp", **(mailer or {})}},
                              options={"QueueInterval": "1h", "MinQueueAge": "0s", "LogLevel": 12, **(options or {})}, **settings)
        return self.pr.start() if start else self.pr

    def table(self, text):
        path = os.path.join(self.scratch, f"table{len(os.listdir(self.scratch))}")
        with open(path, "w") as handle:
            handle.write(text)
        return path

    def resolver(self, *lines):
        """A name server of our own; its address for Resolver."""
        path = self.table("\n".join(lines) + "\n")
        stub = subprocess.Popen([sys.executable, os.path.join(story.SOURCE, "tests/tool/dnsstub"), "127.0.0.1", "0", path], stdout=subprocess.PIPE, text=True)
        self.addCleanup(stub.stdout.close)
        self.addCleanup(stub.wait)
        self.addCleanup(stub.kill)
        return "127.0.0.1:" + re.search(r"\d+\s*$", stub.stdout.readline()).group(0).strip()

    def send(self, text=LETTER):
        return self.pr.send("ann@example.net", ["joe@far.example"], text)


class Timeouts(Network):
    # the option, where the host is silent, what it offers, what else is set
    POINTS = (("initial", "connect", "", {}), ("helo", "EHLO", "", {}), ("mail", "MAIL", "", {}), ("rcpt", "RCPT", "", {}), ("datainit", "DATA", "", {}), ("datafinal", ".", "", {}),
              ("starttls", "STAR", "STARTTLS", {}), ("starttls", "handshake", "STARTTLS", {}), ("auth", "AUTH", "AUTH CRAM-MD5", {"auth": True}), ("lhlo", "LHLO", "", {"lmtp": True}))

    def waits(self, host, option, name, **settings):
        """Only this limit is short, and the mail waits when it is over, not before and not much later."""
        mailer = {"lmtp": True, "flags": "DFMXmnz"} if settings.pop("lmtp", False) else {}
        if settings.pop("auth", False):
            settings["maps"] = {"access": {"module": "text", "delimiter": "~", "file": self.table('AuthInfo:127.0.0.1~"U:joe" "P:secret"\n')}}
        self.stage(f"[127.0.0.1]:{host.port}", name, mailer=mailer, options={"Timeout": {option: "2s"}}, **settings)
        letter = self.send()
        began = time.monotonic()
        self.pr.wait_log(letter + ": to=.*stat=")
        took = time.monotonic() - began
        self.assertRegex(self.pr.log(), letter + ": to=.*stat=Deferred")
        self.assertTrue(1.5 < took < 7 * story.SLOW, f"{option}: {took:.1f} s\n" + self.pr.log()[-1000:])
        self.assertEqual(host.messages, 0)
        return letter

    def test_each(self):
        for number, (option, point, offers, settings) in enumerate(self.POINTS):
            with self.subTest(option + " " + point):
                host = self.host(point, offers=offers)
                letter = self.waits(host, option, f"pr{number}", **dict(settings))
                host.silent = ""
                host.offers = ""
                self.pr.ctl("queue-run")
                self.pr.wait_log(letter + ": to=.*stat=Sent")
                self.pr.stop()

    def test_rset(self):
        """Behind a refusal: the transaction is given up before the connection is kept."""
        host = self.host("RSET", refuses="RCPT")
        self.stage(f"[127.0.0.1]:{host.port}", options={"Timeout": {"rset": "2s"}})
        letter = self.send()
        self.pr.wait_log(letter + ": to=.*stat=Deferred: 450 4.2.1 not now")
        story.wait_for("RSET", lambda: "RSET" in host.said)
        host.refuses = ""
        second = self.send()
        self.pr.wait_log(second + ": to=.*stat=Sent", 10)

    def test_quit(self):
        host = self.host("QUIT")
        self.stage(f"[127.0.0.1]:{host.port}", mailer={"messages": 1}, options={"Timeout": {"quit": "1s"}})
        began = time.monotonic()
        self.pr.wait_log(self.send() + ": to=.*stat=Sent")
        self.pr.wait_log(self.send() + ": to=.*stat=Sent")
        self.assertLess(time.monotonic() - began, 8 * story.SLOW)

    def test_datablock(self):
        """A host that does not read any more."""
        host = self.host("data")
        self.stage(f"[127.0.0.1]:{host.port}", options={"Timeout": {"datablock": "2s"}})
        began = time.monotonic()
        letter = self.send(LETTER + ("x" * 70 + "\n") * 150000)
        self.pr.wait_log(letter + ": to=.*stat=Deferred: Connection timed out with", 40)
        self.assertLess(time.monotonic() - began, 20 * story.SLOW)

    def deaf(self, address, port=0):
        """A host whose line is full: nobody answers a new connection."""
        sock = socket.socket()
        sock.bind((address, port))
        sock.listen(0)
        port = sock.getsockname()[1]
        self.addCleanup(sock.close)
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                one.connect((address, port))
            self.addCleanup(one.close)
        time.sleep(0.1)
        return port

    def attempt(self, letter, pattern):
        began = time.monotonic()
        self.pr.wait_log(letter + pattern, 40)
        return time.monotonic() - began

    def test_connect(self):
        port = self.deaf("127.0.0.1")
        self.stage(f"[127.0.0.1]:{port}", options={"Timeout": {"connect": "2s"}})
        took = self.attempt(self.send(), r": to=.*stat=Deferred: Connection timed out with \[127.0.0.1\]")
        self.assertTrue(1.5 < took < 6 * story.SLOW, took)

    def test_iconnect(self):
        """At the first attempt of a message, and then never again."""
        port = self.deaf("127.0.0.1")
        self.stage(f"[127.0.0.1]:{port}", options={"Timeout": {"connect": "6s", "iconnect": "1s"}})
        letter = self.send()
        took = self.attempt(letter, ": to=.*stat=Deferred: Connection timed out")
        self.assertTrue(0.5 < took < 4 * story.SLOW, took)
        began = time.monotonic()
        self.pr.run("sendmail", "-C", self.pr.conf_path, "-qI" + letter)
        story.wait_for("a second attempt", lambda: len(re.findall(letter + ": to=.*stat=Deferred: Connection timed out", self.pr.log())) == 2, 30)
        self.assertGreater(time.monotonic() - began, 4.5)

    def test_aconnect(self):
        """Many hosts, one limit for all; the host of last resort is called all the same."""
        port = self.deaf("127.0.0.1")
        for address in ("127.0.0.2", "127.0.0.3", "127.0.0.4"):
            self.deaf(address, port)
        last = self.host(address="127.0.0.9", port=port)
        hosts = ":".join(f"[127.0.0.{number}]" for number in (1, 2, 3, 4))
        self.stage(hosts, mailer={"port": port}, options={"Timeout": {"connect": "2s", "aconnect": "3s"}})
        took = self.attempt(self.send(), ": to=.*stat=Deferred: Connection timed out")
        self.assertTrue(2.5 < took < 5.5 * story.SLOW, took)
        self.pr.stop()
        self.stage(hosts, name="last", mailer={"port": port}, options={"Timeout": {"connect": "2s", "aconnect": "3s"}, "FallbackMXhost": "[127.0.0.9]"})
        took = self.attempt(self.send(), ": to=.*stat=Sent")
        self.assertTrue(2.5 < took < 6 * story.SLOW, took)
        self.assertEqual(last.messages, 1)


class Sources(Network):
    def test_options(self):
        """ClientPortOptions for all, from for one mailer; both families."""
        host = self.host(family=socket.AF_INET)
        cases = (({}, {}, "127.0.0.1"), ({"ClientPortOptions": "Family=inet, Address=127.0.0.77"}, {}, "127.0.0.77"), ({"ClientPortOptions": "A=127.0.0.77;F=inet6,A=::1"}, {}, "127.0.0.77"),
                 ({"ClientPortOptions": "Addr=127.0.0.77"}, {"from": ["127.0.0.88", "::1"]}, "127.0.0.88"))
        for number, (options, mailer, wanted) in enumerate(cases):
            with self.subTest(number):
                self.stage(f"[127.0.0.1]:{host.port}", f"pr{number}", mailer, options)
                self.pr.wait_log(self.send() + ": to=.*stat=Sent")
                self.assertEqual(host.peers[-1], wanted)
                self.pr.stop()

    @unittest.skipUnless(os.path.exists("/proc/net/if_inet6") and open("/proc/net/if_inet6").read(), "there is no IPv6 here")
    def test_six(self):
        host = self.host(address="::1", family=socket.AF_INET6)
        self.stage(f"[IPv6:::1]:{host.port}", options={"ClientPortOptions": "Family=inet, Addr=127.0.0.77"})
        self.pr.wait_log(self.send() + r": to=.*relay=\[IPv6:::1\] \[IPv6:::1\].*stat=Sent")
        self.pr.stop()
        self.stage(f"[IPv6:::1]:{host.port}", "other", options={"ClientPortOptions": "Family=inet6, Addr=2001:db8::77"})
        self.pr.wait_log(self.send() + ": to=.*stat=Deferred: connections cannot go out from 2001:db8::77: Cannot assign requested address")

    def test_not_ours(self):
        """An address of somebody else: the mail waits, and the host is not to blame."""
        host = self.host()
        self.stage(f"[127.0.0.1]:{host.port}", options={"ClientPortOptions": "Addr=192.0.2.77"})
        self.pr.wait_log(self.send() + ": to=.*dsn=4.3.5, stat=Deferred: connections cannot go out from 192.0.2.77: Cannot assign requested address")
        self.assertEqual(host.peers, [])

    def test_modifiers(self):
        host = self.host(offers="STARTTLS,AUTH CRAM-MD5")
        access = os.path.join(self.scratch, "access")
        with open(access, "w") as handle:
            handle.write('AuthInfo:127.0.0.1~"U:joe" "P:secret"\n')
        self.stage(f"[127.0.0.1]:{host.port}", options={"ClientPortOptions": "Addr=127.0.0.77, Modifier=hSA", "Resolver": [self.resolver("77.0.0.127.in-addr.arpa PTR gate.example.org")]},
                   maps={"access": {"module": "text", "delimiter": "~", "file": access}})
        self.pr.wait_log(self.send() + ": to=.*stat=Sent")
        self.assertEqual([line.split(" ")[0] for line in host.said[:3]], ["EHLO", "MAIL", "RCPT"])
        self.assertEqual(host.said[0], "EHLO gate.example.org")

    def test_port(self):
        host, port = self.host(), story.free_port()
        self.stage(f"[127.0.0.1]:{host.port}", options={"ClientPortOptions": f"Addr=127.0.0.77, Port={port}"})
        self.pr.wait_log(self.send() + ": to=.*stat=Sent")
        self.assertEqual(host.peers[-1], "127.0.0.77")

    def test_wrong(self):
        """The daemon does not start, and says what it was."""
        for number, (text, words) in enumerate((("Addr=no.such.host.example", "no.such.host.example"), ("Family=ipx", "Family=ipx"), ("Port=99999", "Port=99999"), ("Addr", "Addr"), ("Zone=1", "Zone=1"))):
            with self.subTest(text):
                self.stage("[127.0.0.1]:9", f"wrong{number}", options={"ClientPortOptions": text}, start=False)
                self.pr.write_conf()
                status, said = self.pr.ctl("check")
                self.assertEqual(status, 78, said)
                self.assertIn("ClientPortOptions", said)
                self.assertIn(words, said)

    def test_only_to(self):
        host = self.host(address="127.0.0.5")
        self.stage("[127.0.0.9]", mailer={"port": host.port}, options={"ConnectOnlyTo": "127.0.0.5", "HeloName": "out.example.org"})
        self.pr.wait_log(self.send() + r": to=.*relay=\[127.0.0.9\] \[127.0.0.5\].*stat=Sent")
        self.assertEqual(host.said[0], "EHLO out.example.org")


class Limits(Network):
    def test_of_one_mailer(self):
        """No more connections at once to its hosts than `connections`, no more messages over one than `messages`; other mailers have their own."""
        lock, now, most = threading.Lock(), {}, {}

        def answer(name):
            def told(verb, words):
                with lock:
                    now.setdefault(name, 0)
                    now[name] += verb == "MAIL"
                    most[name] = max(most.get(name, 0), now[name])
                if verb == ".":
                    time.sleep(0.1)
                    with lock:
                        now[name] -= 1
                return None
            return told
        few, many = self.sink(answer("few")), self.sink(answer("many"))
        self.stage("[127.0.0.1]:9", start=False)
        self.pr.settings["mailers"] = {"few": {"module": "smtp", "connections": 2, "messages": 3}, "many": {"module": "smtp"}}
        self.pr.settings["maps"]["mailertable"] = {"module": "text", "file": self.pr.write("mailertable", f"few.example few:[127.0.0.1]:{few.port}\nmany.example many:[127.0.0.1]:{many.port}\n")}
        self.pr.settings["rules"] = {**self.pr.settings["rules"], "smart_host": "few:[127.0.0.1]:9", "relay_clients": ["127.0.0.1"]}
        self.pr.start()
        with self.pr.client() as client:
            for number in range(30):
                client.message("ann@example.net", [f"joe{number}@few.example"], LETTER)
                client.message("ann@example.net", [f"joe{number}@many.example"], LETTER)
        few.wait(30)
        many.wait(30)
        self.assertLessEqual(most["few"], 2)
        self.assertGreater(most["many"], 2)
        self.assertGreaterEqual(few.connections, 10)
        self.assertLess(many.connections, 30)


if __name__ == "__main__":
    story.main()
