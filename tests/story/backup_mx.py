#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A backup MX takes mail for the domains that name it, keeps it while their own host is away, and delivers it when that returns; what nobody can be reached for
goes to the host of last resort."""
import os
import subprocess
import sys

import story

LETTER = "From: ann@example.net\nTo: joe@far.example\nSubject: s\n\nbody\n"
FAR, HERE, LAST = "127.0.2.1", "127.0.0.1", "127.0.2.9"


class BackupMX(story.Story):
    def setUp(self):
        super().setUp()
        self.port = story.free_port()
        self.zone = os.path.join(self.scratch, "zone")
        with open(self.zone, "w") as handle:
            handle.write(f"far.example MX 10 mx.far.example\nfar.example MX 20 mail.example.org\nmx.far.example A {FAR}\nmail.example.org A {HERE}\n"
                         f"last.example.org A {LAST}\nown.example MX 10 mail.example.org\nother.example MX 10 mx.far.example\n")
        stub = os.path.join(story.SOURCE, "tests", "tool", "dnsstub")
        self.server = subprocess.Popen([sys.executable, stub, "127.0.0.1", "0", self.zone], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end_server)
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
