#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What went in and out is what mailstats shows, to the last message and connection; a reload, a killed role and a restart change nothing,
and a file that is no file of statistics is named and left alone."""
import os
import signal
import time

import story

KINDS = ("from", "kb_from", "to", "kb_to", "rejected", "discarded", "quarantined")
ACCESS = ("bad@example.net REJECT\ndisc@example.net DISCARD\nquar@example.net QUARANTINE:held\nslow@example.net ERROR:4.7.1:450 later\n"
          "To:closed@example.org REJECT\n127.0.0.66 REJECT\n")

CF = """V10/Berkeley
Cwexample.org
O StatusFile=%s
O DefaultUser=nobody
Scanonify=3
R$@\t$@ <@>
R$+ @ $+\t$@ $1 < @ $2 >
Sparse=0
R$+ < @ $=w >\t$#local $: $1
R$+ < @ $+ >\t$#net $@ $2 $: $1 @ $2
R$+\t$#local $: $1
Sfinal=4
R$+ < @ $+ >\t$1 @ $2
Mnet, P=[IPC], F=mDFMuXk0, A=TCP $h
Mprog, P=/bin/sh, F=lsDFMoqeu9, A=sh -c $u
Mmiddle, P=[IPC], F=mDFMuXk0, A=TCP $h
Mlocal, P=%s, F=lsDFMAw5:/|@qPn, A=deliver $u
"""


class Statistics(story.Story):
    def setUp(self):
        super().setUp()
        self.next = self.sink(answer=lambda verb, words: "550 5.1.1 no such user" if verb == "RCPT" and "nobody" in words else None)
        self.closed = story.free_port()
        self.file = os.path.join(self.scratch, "pr", "st")
        self.me = story.ME + "@example.org"

    def stage(self, make=True, **settings):
        box = os.path.join(self.scratch, "pr", "box", "%u")
        daemon = self.daemon(start=False, options={"StatusFile": self.file, "AliasFile": ["aliases"]},
                             mailers={"local": {"module": "local", "format": "maildir", "path": box}},
                             rules={"mailertable": "mailertable", "access": "access"}, **settings)
        os.chmod(os.path.join(daemon.top, "box"), 0o1777)
        for name, text in (("mailertable", f"far.example esmtp:[127.0.0.1]:{self.next.port}\ndead.example esmtp:[127.0.0.1]:{self.closed}\n"),
                           ("access", ACCESS)):
            daemon.settings["maps"][name] = {"module": "text", "file": daemon.write(name, text)}
        path = daemon.write("aliases", f"list: {story.ME}, x@far.example\n")
        daemon.settings["maps"]["aliases"] = {"module": "text", "file": path, "format": "aliases"}
        if make:
            open(self.file, "x").close()
        daemon.start()
        if make:  # the look whether it greets was a connection
            self.settled(daemon, {}, connections=(1, 0, 0))
            self.mailstats(daemon, "-p")
        return daemon

    def mailstats(self, daemon, *words):
        done = daemon.run("mailstats", "-C", daemon.conf_path, *words)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def table(self, daemon):
        """{mailer: {kind: count}} without zeros, and the connections."""
        rows, connections = {}, None
        for line in self.mailstats(daemon, "-P").splitlines()[1:]:
            words = line.split()
            if words[0] == "C":
                connections = tuple(int(word) for word in words[1:])
            elif words[0] != "T":
                rows[words[8]] = {kind: int(word) for kind, word in zip(KINDS, words[1:8]) if word != "0"}
        return rows, connections

    def settled(self, daemon, rows, connections):
        wanted = (rows, connections)
        story.wait_for(lambda: f"{wanted}, there is {self.table(daemon)}\n{daemon.log()[-2000:]}", lambda: self.table(daemon) == wanted, 20)

    def test_all_that_is_counted(self):
        daemon = self.stage()
        small, large = "Subject: s\n\nhello\n", "Subject: l\n\n" + "0123456789\n" * 500
        accepted = [daemon.send("a@example.net", [self.me], small)]                  # esmtp in, local out
        accepted.append(daemon.send("a@example.net", ["list@example.org"], large))  # local and esmtp out, 6 KiB each
        accepted.append(daemon.send(self.me, ["y@far.example", "z@far.example"], small))  # one message to the next host
        accepted.append(daemon.send("", [self.me], small))                          # the null sender is a local one
        for one in accepted:
            daemon.wait_log(one + ": to=.*stat=Sent")
        accepted.append(daemon.send(self.me, ["nobody@far.example"], small))        # a bounce: local in and out
        daemon.wait_log(accepted[-1] + ": to=.*stat=User unknown")
        daemon.wait_log("from=<>.*nrcpts=1|to=<" + self.me + ">.*stat=Sent")
        daemon.send("a@example.net", ["x@dead.example"], small)                     # no connection, nothing out
        daemon.send("disc@example.net", [self.me], small)
        daemon.send("quar@example.net", [self.me], small)
        with daemon.client() as client:
            client.expect(550, "MAIL FROM:<bad@example.net>")
            client.expect(450, "MAIL FROM:<slow@example.net>")  # the same connection: counted once
        with daemon.client() as client:
            client.expect(450, "MAIL FROM:<slow@example.net>")
        with daemon.client() as client:
            client.expect(250, "MAIL FROM:<a@example.net>")
            client.expect(550, "RCPT TO:<closed@example.org>")
            client.expect(550, "RCPT TO:<nosuchuser@example.org>")  # no rule's refusal: sendmail does not count it either
        with daemon.client(source="127.0.0.66", helo=None):
            pass
        with daemon.client() as client:
            client.command("MAIL FROM:<a@example.net>")
            client.command("RSET")
        self.settled(daemon, {
            "local": {"from": 4, "kb_from": 5, "to": 4, "kb_to": 10},
            "esmtp": {"from": 5, "kb_from": 10, "to": 2, "kb_to": 7, "rejected": 3, "discarded": 1, "quarantined": 1},
        }, (13, self.next.connections, 5))
        shown = self.mailstats(daemon)
        self.assertRegex(shown, r"\AStatistics from \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\n M   msgsfr  bytes_from ")
        self.assertIn(f"\n C       13             {self.next.connections:8}                    5\n", shown)

    def test_goes_on(self):
        daemon = self.stage()
        sent = 0

        def one(count=1):
            nonlocal sent
            with daemon.client() as client:
                for _ in range(count):
                    self.assertEqual(client.message("a@example.net", [self.me], "Subject: s\n\nx\n")[0], 250)
            sent += count
            story.wait_for("the mail", lambda: daemon.log().count("stat=Sent") == sent)

        one()
        for role in ("receiver", "courier"):
            old = [pid for pid, name in daemon.processes().items() if name == role][0]
            os.kill(old, signal.SIGKILL)  # at once: what it has counted is not in the file yet
            story.wait_for(role + " again", lambda r=role: [p for p, name in daemon.processes().items() if name == r and p != old])
            story.wait_for("a greeting", daemon.is_greeting)
            one()
        self.assertEqual(daemon.ctl("reload")[0], 0)
        one(3)
        self.assertEqual(daemon.stop(), 0)
        rows, _ = self.table(daemon)
        expected = {"esmtp": {"from": 6, "kb_from": 6}, "local": {"to": 6, "kb_to": 6}}
        self.assertEqual(rows, expected)  # the last of it was written at the stop
        daemon.start()
        one()
        expected["esmtp"]["from"] = expected["esmtp"]["kb_from"] = expected["local"]["to"] = expected["local"]["kb_to"] = 7
        story.wait_for(lambda: str(self.table(daemon)), lambda: self.table(daemon)[0] == expected)

    def test_numbers_of_a_cf(self):
        daemon = self.daemon(start=False, mailers={"spare": {"module": "smtp"}})
        program = daemon.write("deliver", "#!/bin/sh\ncat > /dev/null\n")
        os.chmod(program, 0o755)
        cf = daemon.write("site.cf", CF % (self.file, program))
        daemon.settings["rules"] = {"module": "cf", "file": cf}
        open(self.file, "x").close()
        daemon.start()
        self.settled(daemon, {}, connections=(1, 0, 0))
        daemon.send("a@example.net", [self.me], "Subject: s\n\nx\n")
        daemon.wait_log("stat=Sent")
        self.settled(daemon, {"net": {"from": 1, "kb_from": 1}, "local": {"to": 1, "kb_to": 1}}, connections=(2, 0, 0))
        os.environ["POSTRIDER_CONF"] = daemon.conf_path
        self.addCleanup(os.environ.pop, "POSTRIDER_CONF")
        by_cf = daemon.run("mailstats", "-C", cf, "-P").stdout.splitlines()[1:]
        self.assertEqual(by_cf, self.mailstats(daemon, "-P").splitlines()[1:])
        numbers = {line.split()[8]: int(line.split()[0]) for line in by_cf if len(line.split()) == 9}
        self.assertEqual((numbers["net"], numbers["local"]), (3, 5))  # as =M of -bt shows; "middle" is 4

    def test_single(self):
        daemon = self.daemon(start=False, store={"module": "memory"}, options={"StatusFile": self.file},
                             rules={"smart_host": f"relay:[127.0.0.1]:{self.next.port}"}, mailers={"relay": {"module": "smtp", "loop_check": False}})
        daemon.program = daemon.write("single", f"#!/bin/sh\nexec {story.PROGRAM} --single \"$@\"\n")
        os.chmod(daemon.program, 0o755)
        open(self.file, "x").close()
        daemon.start()
        daemon.send("a@example.net", ["x@example.com"], "Subject: s\n\nx\n")
        self.next.wait(1)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(self.table(daemon), ({"relay": {"from": 1, "kb_from": 1, "to": 1, "kb_to": 1}}, (2, 1, 0)))

    def test_never_made_and_never_overwritten(self):
        daemon = self.stage(make=False)
        daemon.send("a@example.net", [self.me], "Subject: s\n\nx\n")
        daemon.wait_log("stat=Sent")
        time.sleep(6)
        self.assertFalse(os.path.exists(self.file))
        with open(self.file, "w") as handle:
            handle.write("my notes\n" * 300)
        daemon.send("a@example.net", [self.me], "Subject: s\n\nx\n")
        daemon.wait_log(f"StatusFile {self.file}: it is no file of mail statistics")
        time.sleep(6)
        self.assertEqual(daemon.log().count(f"StatusFile {self.file}: "), 1)  # told once
        with open(self.file) as handle:
            self.assertEqual(handle.read(), "my notes\n" * 300)
        done = daemon.run("mailstats", "-C", daemon.conf_path)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(self.file, done.stdout)
        os.truncate(self.file, 0)  # what was counted since it existed is not lost
        story.wait_for(lambda: str(self.table(daemon)), lambda: self.table(daemon)[0].get("esmtp", {}).get("from") == 1)


if __name__ == "__main__":
    story.main()
