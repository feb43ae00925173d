#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What was learned of a host is kept in sendmail's files: hoststat shows it, the next run believes it, purgestat removes only what is old."""
import fcntl
import os
import re
import subprocess
import sys
import time
import unittest

import story

TITLE = " -------------- Hostname --------------- How long ago ---------Results---------\n"


class HostStatus(story.Story):
    def setUp(self):
        super().setUp()
        self.next = self.sink()
        closed = story.free_port()
        self.pr = self.daemon(start=False, options={"HostStatusDirectory": ".hoststat", "MinQueueAge": "0s", "QueueInterval": "1h"},
                              maps={"mailertable": {"module": "text", "file": os.path.join(self.scratch, "pr", "etc", "mailertable")}},
                              rules={"mailertable": "mailertable"})
        self.pr.write("mailertable", f"near.example esmtp:[127.0.0.1]:{self.next.port}\nfar.example esmtp:[127.0.0.1]:{closed}\n")
        self.near, self.far = f"127.0.0.1:{self.next.port}", f"127.0.0.1:{closed}"
        self.top = os.path.join(self.pr.top, "queue", ".hoststat")
        self.pr.start()

    def path(self, host):
        labels = host.split(".")
        return os.path.join(self.top, *[label + "." for label in labels[:0:-1]], labels[0])

    def tool(self, name, *words):
        done = self.pr.run("sendmail", {"hoststat": "-bh", "purgestat": "-bH"}[name], "-C", self.pr.conf_path, *words)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def files(self):
        return sorted(os.path.relpath(os.path.join(folder, name), self.top) for folder, _, names in os.walk(self.top) for name in names)

    def send(self, domain):
        one = self.pr.send("a@example.net", ["x@" + domain], "Subject: s\n\nbody\n")
        self.pr.wait_log(one + ": to=.*stat=")
        return one

    def put(self, host, text, age=0):
        os.makedirs(os.path.dirname(self.path(host)), exist_ok=True)
        with open(self.path(host), "w") as handle:
            handle.write(text)
        os.utime(self.path(host), (time.time() - age,) * 2)

    def test_written_shown_and_purged(self):
        self.assertEqual(self.tool("hoststat"), "")
        self.send("near.example")
        self.send("far.example")
        story.wait_for("the status of the dead host", lambda: os.path.exists(self.path(self.far)))
        self.assertIn("E111\nH0\nS75\nD4.4.1\nU", open(self.path(self.far)).read())
        shown = self.tool("hoststat")
        self.assertTrue(shown.startswith(TITLE), shown)
        self.assertRegex(shown, r"(?m)^ " + self.far.replace("[", r"\[") + r" +00:00:0\d Deferred: Connection refu$")
        self.assertIn("Deferred: Connection refused\n", self.tool("hoststat", "-v"))
        self.assertIn("250 2.0.0 taken\n", shown)
        self.put("old.example", "V0\nE0\nH0\nS0\nD2.0.0\nR250 ok\nU1700000000\n.\n", age=90000)
        self.put("used.example", "V0\nE0\nH0\nS0\nD2.0.0\nR250 ok\nU1700000000\n.\n", age=90000)
        with open(self.path("used.example")) as used:
            fcntl.flock(used, fcntl.LOCK_EX)
            self.assertRegex(self.tool("hoststat"), r"(?m)^\*used\.example {28}.*250 ok$")
            before = self.files()
            self.assertEqual(self.tool("purgestat"), "")
        self.assertEqual(sorted(set(before) - set(self.files())), ["example./old"])

    def test_a_directory_that_cannot_be_made(self):
        """One line for a minute of deliveries, and check knows it before."""
        wall = os.path.join(self.scratch, "wall")
        with open(wall, "w"):
            pass
        where = os.path.join(wall, "status")
        bad = self.daemon("bad", start=False, options={"HostStatusDirectory": where}, rules={"smart_host": f"[127.0.0.1]:{self.next.port}"})
        bad.start()
        for _ in range(3):
            one = bad.send("a@example.net", ["x@near.example"], "Subject: s\n\nbody\n")
            bad.wait_log(one + ": to=.*stat=")
        self.assertEqual(len(re.findall(rf"HostStatusDirectory: cannot keep the status of \S+ in {where}: Not a directory\n", bad.log())), 1, bad.log())
        self.assertEqual(bad.log().count("cannot keep the status"), 1, bad.log())
        self.assertRegex(bad.ctl("check")[1], rf"postrider\.conf:\d+: warning: option HostStatusDirectory: {where}: Not a directory; ")
        self.assertNotIn("HostStatusDirectory", self.pr.ctl("check")[1])

    def test_sendmails_columns(self):
        """The same files under the real hoststat gave these lines."""
        for host, rest in (("h.org", "E0\nH2\nS75\nD4.4.3\n"), ("t.org", "E110\nH0\nS75\nD4.4.1\nRsaid\n"), ("d.org", "E111\nH0\nS75\nD4.4.1\n"),
                           ("l.org", "E0\nH0\nS0\nD2.0.0\nR250 2.0.0 0123456789012345678901234567890123456789\n"),
                           ("a-very-long-host-name-that-has-more-than-thirty-nine-letters-in-it.org", "E0\nH0\nS0\nRx\n")):
            self.put(host, f"V0\n{rest}U{int(time.time()) - 229715}\n.\n")
        self.put("broken.org", "V0\nE0\n")
        lines = sorted(self.tool("hoststat").splitlines())
        self.assertEqual([line.replace("2+15:48:36", "2+15:48:35") for line in lines][1:], [
            " a-very-long-host-name-that-has-more-than-thirty-nine-letters-in-it.org   2+15:48:35 x",
            " d.org                                     2+15:48:35 Deferred: Connection refu",
            " h.org                                     2+15:48:35 4.0.0 Deferred",
            " l.org                                     2+15:48:35 250 2.0.0 012345678901234",
            " t.org                                     2+15:48:35 said"])

    def test_believed_and_removed_while_running(self):
        self.put(self.near, f"V0\nE111\nH0\nS75\nD4.4.1\nU{int(time.time())}\n.\n")
        one = self.send("near.example")
        self.assertIn(f"stat=Deferred: Connection refused by [127.0.0.1]:{self.next.port}", self.pr.log())
        self.assertEqual(self.next.connections, 0)
        self.assertEqual(self.pr.run("sendmail", "-C", self.pr.conf_path, "-qI" + one).returncode, 0)  # asked for by name: tried
        self.next.wait(1)
        os.system(f"rm -r {self.top}")
        self.send("near.example")
        self.next.wait(2)
        story.wait_for("the directory again", lambda: self.files())

    def zone(self, *lines):
        """A name server of our own; its address for Resolver."""
        path = os.path.join(self.scratch, "zone")
        with open(path, "w") as file:
            file.writelines(line + "\n" for line in lines)
        stub = subprocess.Popen([sys.executable, os.path.join(story.SOURCE, "tests/tool/dnsstub"), "127.0.0.1", "0", path], stdout=subprocess.PIPE, text=True)
        self.addCleanup(stub.stdout.close)
        self.addCleanup(stub.wait)
        self.addCleanup(stub.kill)
        return "127.0.0.1:" + re.search(r"\d+\s*$", stub.stdout.readline()).group(0).strip()

    def test_each_host_of_several(self):
        """A file for each MX that was tried, none for the domain; who is dead is passed over, also for another domain, and asked for by name tried again."""
        resolver = self.zone("far.example MX 10 mx1.far.example", "far.example MX 20 mx2.far.example", "other.example MX 5 mx1.far.example",
                             "mx1.far.example A 127.0.0.2", "mx2.far.example A 127.0.0.1")
        self.pr = self.daemon("mx", options={"HostStatusDirectory": ".hoststat", "MinQueueAge": "0s", "QueueInterval": "1h", "Resolver": [resolver]},
                              mailers={"esmtp": {"module": "smtp", "port": self.next.port, "loop_check": False}})
        self.top = os.path.join(self.pr.top, "queue", ".hoststat")
        self.send("far.example")
        self.next.wait(1)
        story.wait_for("both files", lambda: self.files() == ["example./far./mx1", "example./far./mx2"])
        self.assertIn("E111\nH0\nS75\nD4.4.1\nU", open(self.path("mx1.far.example")).read())
        shown = self.tool("hoststat")
        self.assertRegex(shown, r"(?m)^ mx1\.far\.example +00:00:0\d Deferred: Connection refu$")
        self.assertRegex(shown, r"(?m)^ mx2\.far\.example +00:00:0\d 250 2\.0\.0 taken$")
        # what was dead a moment ago is not called, and the file says when it was
        before = os.stat(self.path("mx1.far.example")).st_mtime_ns
        one = self.send("other.example")
        self.assertRegex(self.pr.log(), one + r": to=.*stat=Deferred: Connection refused by mx1\.far\.example\.")
        self.send("far.example")
        self.next.wait(2)
        self.assertEqual(os.stat(self.path("mx1.far.example")).st_mtime_ns, before)
        self.assertEqual(len(self.files()), 2)
        self.pr.run("sendmail", "-C", self.pr.conf_path, "-qI" + one)
        story.wait_for("another look", lambda: os.stat(self.path("mx1.far.example")).st_mtime_ns != before)
        # it is up again
        self.sink(address="127.0.0.2", port=self.next.port)
        self.pr.run("sendmail", "-C", self.pr.conf_path, "-qI" + one)
        story.wait_for("mx1 to live", lambda: "R250 2.0.0 taken" in open(self.path("mx1.far.example")).read())

    def test_hostile_names_stay_inside(self):
        with self.pr.client() as client:
            for domain in ("..", "a..b", "x" * 300, "../../../etc", "a/b"):
                client.command("MAIL FROM:<a@example.net>")
                client.command(f"RCPT TO:<x@{domain}>")
                client.command("RSET")
        self.send("near.example")
        self.assertEqual(sorted(name for name in os.listdir(self.pr.top)), sorted(["box", "drop", "etc", "log", "out", "queue", "run"]))


if __name__ == "__main__":
    story.main()
