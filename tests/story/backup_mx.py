#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A backup MX takes mail for the domains that name it, keeps it while their own host is away, and delivers it when that returns; what nobody can be reached for
goes to the host of last resort."""
import os
import socket
import subprocess
import sys
import time

import story

LETTER = "From: ann@example.net\nTo: joe@far.example\nSubject: s\n\nbody\n"
FAR, HERE, LAST, SECOND = "127.0.2.1", "127.0.0.1", "127.0.2.9", "127.0.2.2"


class BackupMX(story.Story):
    def setUp(self):
        super().setUp()
        self.port = story.free_port()
        self.zone = os.path.join(self.scratch, "zone")
        with open(self.zone, "w") as handle:
            handle.write(f"far.example MX 10 mx.far.example\nfar.example MX 20 mail.example.org\nmx.far.example A {FAR}\nmail.example.org A {HERE}\n"
                         f"last.example.org A {LAST}\nown.example MX 10 mail.example.org\nother.example MX 10 mx.far.example\n")
        self.begin_server()
        self.addCleanup(self.end_server)

    def begin_server(self):
        stub = os.path.join(story.SOURCE, "tests", "tool", "dnsstub")
        self.server = subprocess.Popen([sys.executable, stub, "127.0.0.1", "0", self.zone], stdout=subprocess.PIPE, text=True)
        self.resolver = "127.0.0.1:" + self.server.stdout.readline().strip()

    def end_server(self):
        self.server.terminate()
        self.server.wait(30)
        self.server.stdout.close()

    def start(self, **options):
        return self.daemon("pr", rules={"relay_clients": ["127.0.9.9"], "relay_based_on_mx": True}, mailers={"esmtp": {"module": "smtp", "port": self.port}},
                           options={"Resolver": [self.resolver], "QueueInterval": "1h", "MinQueueAge": 0, **options})

    def host(self, address):
        sink = story.Sink(address=address, port=self.port)
        self.sinks.append(sink)
        return sink

    def test_until_the_primary_returns(self):
        pr = self.start()
        letter = pr.send("ann@example.net", ["joe@far.example"], LETTER)
        pr.wait_log(letter + ": to=<joe@far.example>.*stat=Deferred: Connection refused by mx.far.example.")
        self.assertEqual(pr.ctl("queue-run")[0], 0)  # still away
        story.wait_for("a second try", lambda: pr.log().count(letter + ": to=<joe@far.example>") == 2)
        primary = self.host(FAR)
        self.assertEqual(pr.ctl("queue-run")[0], 0)
        sender, recipients, text = primary.wait(1)[0]
        self.assertEqual((sender, recipients), ("ann@example.net", ["joe@far.example"]))
        self.assertTrue(text.endswith("\n\nbody\n"))
        story.wait_for("an empty queue", lambda: pr.queue_ids() == [])
        self.assertEqual(primary.connections, 1)

    def test_a_dead_first_host_is_remembered(self):
        """Which of two is down is found out once and not by each message; a queue run asks anew."""
        with open(self.zone, "a") as handle:
            handle.write(f"two.example MX 10 mx.far.example\ntwo.example MX 20 second.example\nsecond.example A {SECOND}\nthird.example MX 10 mx.far.example\nthird.example MX 20 second.example\n")
        self.end_server()
        self.begin_server()
        deaf = socket.socket()  # its line is full: whoever connects waits
        deaf.bind((FAR, self.port))
        deaf.listen(0)
        callers = [socket.socket() for _ in range(4)]
        self.addCleanup(lambda: [one.close() for one in [deaf, *callers]])
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex((FAR, self.port))
        second = self.host(SECOND)
        pr = self.start(Timeout={"connect": "4s"})
        pr.settings["rules"]["relay_clients"] = ["127.0.0.1"]
        pr.stop()
        pr.settings["mailers"]["esmtp"]["messages"] = 1
        pr.start()
        times = []
        for number in range(4):
            began = time.monotonic()
            pr.send("ann@example.net", ["joe@two.example" if number % 2 == 0 else "joe@third.example"], LETTER)
            second.wait(number + 1)
            times.append(time.monotonic() - began)
        self.assertGreater(times[0], 3.5)
        self.assertLess(max(times[1:]), 3 * story.SLOW, times)
        for one in [deaf, *callers]:
            one.close()
        first = self.host(FAR)
        pr.ctl("queue-run")
        pr.send("ann@example.net", ["joe@two.example"], LETTER)
        first.wait(1)

    def test_a_dead_port_is_not_the_host(self):
        """Two services of one host: that one of them is down says nothing about the other."""
        live = self.host(FAR)
        pr = self.start()
        pr.stop()
        pr.settings["maps"]["mailertable"] = {"module": "text", "file": pr.write("mailertable", f"down.example esmtp:mx.far.example:{story.free_port()}\nup.example esmtp:mx.far.example:{self.port}\n")}
        pr.settings["mailers"]["esmtp"]["port"] = 25
        pr.settings["rules"]["relay_clients"] = ["127.0.0.1"]
        pr.start()
        pr.wait_log(pr.send("ann@example.net", ["joe@down.example"], LETTER) + ": to=.*stat=Deferred: Connection refused by mx.far.example.")
        pr.send("ann@example.net", ["joe@up.example"], LETTER)
        live.wait(1)

    def test_for_whom(self):
        pr = self.start()
        with pr.client() as client:
            client.expect(250, "MAIL FROM:<ann@example.net>")
            client.expect(250, "RCPT TO:<joe@far.example>")
            self.assertIn("Relaying denied", client.expect(550, "RCPT TO:<joe@other.example>"))
            self.assertIn("Relaying denied", client.expect(550, "RCPT TO:<joe%other.example@far.example>"))

    def test_nobody_else(self):
        """A domain that leads here and that the rules send away goes nowhere, and is told so; it is not sent to ourselves."""
        pr = self.start()
        letter = pr.send("ann@example.org", ["joe@own.example"], LETTER)
        pr.wait_log(letter + ": to=<joe@own.example>.*dsn=5.3.5, .*MX list for own.example points back to mail.example.org")

    def test_last_resort(self):
        last = self.host(LAST)
        pr = self.start(FallbackSmartHost="last.example.org")
        pr.send("ann@example.net", ["joe@far.example"], LETTER)
        self.assertEqual(last.wait(1)[0][1], ["joe@far.example"])


if __name__ == "__main__":
    story.main()
