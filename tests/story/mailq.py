#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""mailq: what the daemon's index says is what the files say, at every moment of a message's life."""
import os
import signal
import socket
import subprocess
import threading
import time

import story

LETTER = "Subject: hi\n\nhello\n"
NOBODY = 65534


class Mailq(story.Story):
    def both(self, daemon, *words):
        """The listing by the daemon and by the files: a socket that leads nowhere hides the daemon."""
        asked = daemon.run("mailq", "-C", daemon.conf_path, *words)
        hidden = daemon.conf_path + ".alone"
        with open(daemon.conf_path) as conf, open(hidden, "w") as out:
            out.write(conf.read().replace('run_directory = "', 'run_directory = "/nonexistent'))
        read = daemon.run("mailq", "-C", hidden, *words)
        self.assertEqual((asked.returncode, read.returncode), (0, 0), asked.stdout + read.stdout)
        return asked.stdout, read.stdout

    def deferred(self, **settings):
        """A daemon whose next host is not there, and three messages that wait for it."""
        daemon = self.daemon(start=False, options={"MinQueueAge": "1h", **settings.pop("options", {})}, **settings)
        dead = story.free_port()
        daemon.settings["maps"]["mailertable"] = {"module": "text", "file": daemon.write(
            "mailertable", f"dead.example\tesmtp:[127.0.0.1]:{dead}\n")}
        daemon.start()
        with daemon.client() as client:
            client.message("a@example.net", ["x@dead.example"], LETTER)
            client.message("b@example.net", ["y@dead.example", "z@dead.example"], LETTER * 9)
            client.message("c@example.net", ["w@dead.example"], LETTER)
        story.wait_for("three deferred messages", lambda: self.both(daemon)[0].count("(Deferred") == 3)
        return daemon

    def test_the_index_is_what_the_files_say(self):
        daemon = self.deferred()
        for words in ((), ("-v",), ("-qQ",), ("-qRz@dead",), ("-q!Sb@",), ("-qL",)):
            with self.subTest(words=words):
                asked, read = self.both(daemon, *words)
                self.assertEqual(asked, read)
        self.assertIn("(3 requests)", self.both(daemon)[0])
        self.assertIn("\t\tTotal requests: 1\n", self.both(daemon, "-qRz@dead")[0])
        self.assertIn(": entries=3\n", daemon.run("sendmail", "-bP", "-C", daemon.conf_path).stdout)

    def test_after_a_restart(self):
        daemon = self.deferred()
        before = self.both(daemon, "-v")[0]
        daemon.stop()
        daemon.start()
        story.wait_for("the queue to be read", lambda: "entries=3" in daemon.run("sendmail", "-bP", "-C", daemon.conf_path).stdout)
        self.assertEqual(self.both(daemon, "-v")[0], before)

    def test_a_message_that_is_delivered(self):
        def slowly(command, *_):
            if command.upper().startswith("DATA"):
                time.sleep(6)
        sink = self.sink(slowly)
        daemon = self.daemon(start=False)
        daemon.settings["maps"]["mailertable"] = {"module": "text", "file": daemon.write(
            "mailertable", f"slow.example\tesmtp:[127.0.0.1]:{sink.port}\n")}
        daemon.start()
        story.wait_for("an empty index", lambda: "is empty" in daemon.run("sendmail", "-bP", "-C", daemon.conf_path).stdout)
        daemon.send("a@example.net", ["x@slow.example"], LETTER)
        story.wait_for("a star", lambda: "* " in daemon.run("mailq", "-C", daemon.conf_path).stdout, 5)
        self.assertIn("<x@slow.example>", daemon.run("mailq", "-C", daemon.conf_path).stdout)
        sink.wait(1)
        story.wait_for("it is gone", lambda: "is empty" in daemon.run("sendmail", "-bP", "-C", daemon.conf_path).stdout)

    def stars(self, daemon):
        """Whom mailq gives a star, and whom `postriderctl queue list` calls claimed."""
        listed = daemon.run("mailq", "-C", daemon.conf_path).stdout
        told = daemon.ctl("queue", "list")[1]
        return (sorted(line.split("*")[0] for line in listed.splitlines() if line[14:15] == "*" or line[15:16] == "*"),
                sorted(line.split()[0] for line in told.splitlines() if " claimed " in line))

    def test_all_who_tell_of_a_delivery_tell_the_same(self):
        """From the journal, from files, and when the generation that delivers is the old one."""
        released = threading.Event()

        def slowly(command, *_):
            if command.upper().startswith("DATA"):
                released.wait(60)
        sink = self.sink(slowly)
        daemon = self.daemon(start=False)
        daemon.settings["maps"]["mailertable"] = {"module": "text", "file": daemon.write(
            "mailertable", f"slow.example\tesmtp:[127.0.0.1]:{sink.port}\n")}
        daemon.start()
        story.wait_for("an empty index", lambda: "is empty" in daemon.run("sendmail", "-bP", "-C", daemon.conf_path).stdout)
        try:
            one = daemon.send("a@example.net", ["x@slow.example"], LETTER)
            story.wait_for("a star in both", lambda: self.stars(daemon) == ([one], [one]), 10)
            self.assertEqual(daemon.queue_ids(), [])  # it is in the journal still
            self.assertIn("is being delivered", daemon.ctl("queue", "hold", one)[1])
            self.assertEqual(daemon.ctl("reload")[0], 0, daemon.log())
            story.wait_for("a star in both while the old generation delivers", lambda: self.stars(daemon) == ([one], [one]), 10)
            self.assertEqual(self.stars(daemon), ([one], [one]))
            two = daemon.send("a@example.net", ["y@slow.example"], LETTER)
            both = sorted([one, two])
            story.wait_for(lambda: f"two stars {self.stars(daemon)}", lambda: self.stars(daemon) == (both, both), 10)
        finally:
            released.set()
        sink.wait(2)
        story.wait_for("no star and no row", lambda: self.stars(daemon) == ([], []) and
                       "is empty" in daemon.run("sendmail", "-bP", "-C", daemon.conf_path).stdout, 10)

    def test_the_status_says_that_the_queue_is_still_read(self):
        """After a reload the count grows from nothing; it is called whole only when it is."""
        count = 15000
        daemon = self.deferred()
        daemon.stop()
        queue = daemon.settings["options"]["QueueDirectory"]
        for name in [n for n in os.listdir(queue) if n[:2] == "qf"][:1]:
            with open(os.path.join(queue, name), "rb") as qf, open(os.path.join(queue, "df" + name[2:]), "rb") as df:
                control, body, info = qf.read(), df.read(), os.fstat(qf.fileno())
        for i in range(count - 3):
            for kind, data in (("df", body), ("qf", control)):
                with open(os.path.join(queue, f"{kind}zAQ00000{i:06d}"), "wb") as out:
                    out.write(data)
                    os.fchmod(out.fileno(), info.st_mode & 0o777)
                    os.fchown(out.fileno(), info.st_uid, info.st_gid)

        def counted():
            line, = [line for line in daemon.ctl("status")[1].splitlines() if line.startswith("courier") and " serving" in line]
            words = dict(word.split("=", 1) for word in line.split() if "=" in word)
            return int(words["queued"]), words["scanning"] == "0", "still reading" not in line
        daemon.start()
        story.wait_for("the whole queue", lambda: counted() == (count, True, True), 60)
        self.assertEqual(daemon.ctl("reload")[0], 0, daemon.log())
        seen = []
        story.wait_for("the whole queue", lambda: seen.append(counted()) or seen[-1] == (count, True, True), 60)
        for queued, idle, whole in seen:
            self.assertEqual((idle, whole), (queued == count and idle, idle), seen)
        self.assertFalse(seen[0][1], seen)

    def test_a_claim_that_a_crash_left_is_none(self):
        sink = self.sink(lambda command, *_: time.sleep(20) if command.upper().startswith("DATA") else None)
        daemon = self.daemon(start=False)
        daemon.settings["maps"]["mailertable"] = {"module": "text", "file": daemon.write(
            "mailertable", f"slow.example\tesmtp:[127.0.0.1]:{sink.port}\n")}
        daemon.start()
        one = daemon.send("a@example.net", ["x@slow.example"], LETTER)
        story.wait_for("it is claimed", lambda: self.stars(daemon)[1] == [one], 10)
        daemon.kill()
        self.assertEqual(self.stars(daemon), ([], []))
        self.assertEqual(daemon.listed_ids(), [one])

    def waiting(self, port, **settings):
        """A daemon in DeliveryMode queue, whose index is filled: what it takes stays in the store's journal until a queue run."""
        daemon = self.daemon(start=False, options={"DeliveryMode": "queue", "QueueInterval": "1h"}, **settings)
        daemon.settings["maps"]["mailertable"] = {"module": "text", "file": daemon.write(
            "mailertable", f"host.example\tesmtp:[127.0.0.1]:{port}\n")}
        daemon.start()
        story.wait_for("an empty index", lambda: "is empty" in daemon.run("sendmail", "-bP", "-C", daemon.conf_path).stdout)
        return daemon

    def test_what_was_just_queued_is_shown_at_once(self):
        daemon = self.waiting(story.free_port())
        for i in range(3):
            sent = daemon.run("sendmail", "-odq", "-C", daemon.conf_path, "-f", "a@example.net", f"x{i}@host.example", text=LETTER)
            self.assertEqual((sent.returncode, sent.stdout), (0, ""))
            asked, read = self.both(daemon)  # no waiting before it: that is the point
            self.assertEqual(asked, read)
            self.assertIn(f"\t <x{i}@host.example>\n", asked)
            self.assertIn(f"\t\tTotal requests: {i + 1}\n", asked)
            self.assertEqual(daemon.queue_ids(), [])  # it is in the journal still

    def test_a_burst_is_shown_whole_though_the_courier_is_behind(self):
        daemon = self.waiting(story.free_port())
        courier, = [pid for pid, role in daemon.processes().items() if role == "courier"]
        os.kill(courier, signal.SIGSTOP)
        try:
            with daemon.client() as client:
                for i in range(150):
                    self.assertEqual(client.message("a@example.net", [f"x{i}@host.example"], LETTER)[0], 250)
            # the request has to be there when he goes on, so that it could come before the wake-ups
            threading.Timer(1, os.kill, (courier, signal.SIGCONT)).start()
            shown = daemon.run("mailq", "-C", daemon.conf_path).stdout
        finally:
            os.kill(courier, signal.SIGCONT)
        self.assertIn("\t\tTotal requests: 150\n", shown)

    def test_a_reader_that_does_not_read_blocks_nobody(self):
        sink = self.sink()
        daemon = self.waiting(sink.port)
        many = [f"{'long' * 12}{i}@host.example" for i in range(90)]
        with daemon.client() as client:
            for _ in range(150):
                self.assertEqual(client.message("a@example.net", many, LETTER)[0], 250)
        with socket.socket(socket.AF_UNIX) as reader:
            reader.connect(os.path.join(daemon.settings["run_directory"], "control.sock"))
            reader.sendall(b"queue-list\n")
            head = reader.recv(10)  # he has begun, and goes on until the socket is full
            # the others: a listing, new mail and a whole queue run
            self.assertIn("\t\tTotal requests: 150\n", daemon.run("mailq", "-C", daemon.conf_path).stdout)
            daemon.send("b@example.net", ["y@host.example"], LETTER)
            self.assertEqual(daemon.ctl("queue-run")[0], 0)
            sink.wait(151)
            story.wait_for("an empty index", lambda: "is empty" in daemon.run("sendmail", "-bP", "-C", daemon.conf_path).stdout)
            reader.settimeout(20 * story.SLOW)
            size, last = len(head), head
            while piece := reader.recv(1 << 16):
                size, last = size + len(piece), (last + piece)[-4:]
        self.assertTrue(head.startswith(b"QUEUE "), head)
        self.assertEqual(last, bytes(4))  # the end of a stream, not its breaking off
        # more than a socket holds, so he was waited for; less than everything, for the messages went meanwhile
        self.assertTrue(150000 < size < 150 * 90 * 62, size)

    def test_what_waits_for_a_daemon(self):
        """mailq -Ac lists the drop directory alone; with no daemon it stands below the queue."""
        daemon = self.daemon()
        drop, mailq = os.path.join(daemon.top, "drop"), lambda *words: daemon.run("mailq", "-C", daemon.conf_path, *words).stdout
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(mailq("-Ac"), f"{drop} is empty\n\t\tTotal requests: 0\n")
        self.assertNotIn(drop, mailq())
        body = ".dot\nline\n" * 100
        for sender, words in (("joe@example.net", ("ann@far.example", "bob@far.example")), ("", ("carl@far.example",))):
            daemon.run("sendmail", "-i", "-C", daemon.conf_path, "-f", sender, *words, text=f"Subject: s\n\n{body}")
        with open(os.path.join(drop, ".hidden"), "w"), open(os.path.join(drop, "zz-junk"), "w") as junk:
            junk.write("no dialogue\n")
        os.symlink("/etc/passwd", os.path.join(drop, "zz-link"))
        os.mkfifo(os.path.join(drop, "zz-pipe"))
        text = mailq("-Ac")
        self.assertTrue(text.startswith(f"\t\t{drop} (3 requests)\n-----Q-ID-----"), text)
        self.assertTrue(text.endswith("\t\tTotal requests: 3\n"), text)
        self.assertRegex(text, rf"\n\d{{10}}\.\d+\.[0-9a-f]{{8}}  *{len(body)} \w{{3}} .* <joe@example\.net>\n\t\t\t\t\t <ann@far\.example>\n\t\t\t\t\t <bob@far\.example>\n")
        self.assertRegex(text, rf" {len(body)} \w{{3}} .* <>\n\t\t\t\t\t <carl@far\.example>\n")
        self.assertIn("zz-junk  (no control file)\n", text)
        self.assertRegex(mailq("-Ac", "-v"), r" +6\d{4} \w{3} +\d+ .* <joe@example\.net>")
        both = mailq()
        self.assertTrue(both.startswith(f"{daemon.top}/queue is empty\n\t\t{drop} (3 requests)\n"), both)
        self.assertEqual(mailq("-Ac", "-qRcarl").count("<carl@far.example>"), 1)
        self.assertIn("(1 request)", mailq("-Ac", "-qRcarl"))
        if story.IS_ROOT:
            for folder in (os.path.dirname(daemon.top), daemon.top):
                os.chmod(folder, 0o755)
            os.chmod(drop, 0o1733)
            got = self.as_nobody("mailq", "-C", daemon.conf_path, "-Ac")
            self.assertEqual((got.returncode, got.stdout), (77, "You are not permitted to see the queue\n"))

    def as_nobody(self, name, *words):
        libs = os.path.join(story.BUILD, ".libs")
        return subprocess.run([name, *words], executable=os.path.join(libs, "postrider"), user=NOBODY, group=NOBODY, extra_groups=[],
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                              env={**os.environ, "LD_LIBRARY_PATH": libs})

    def test_who_may_see_it(self):
        if os.getuid() != 0:
            self.skipTest("only root can be somebody else")
        for words, status, text in (([], 0, "(3 requests)"), (["restrictmailq"], 77, "not permitted")):
            with self.subTest(privacy=words):
                daemon = self.deferred(name=f"pr{len(words)}", options={"PrivacyOptions": words})
                os.chmod(os.path.dirname(daemon.top), 0o755)
                got = self.as_nobody("mailq", "-C", daemon.conf_path)
                self.assertEqual(got.returncode, status, got.stdout)
                self.assertIn(text, got.stdout)
                # and nothing else of the control socket is for him
                self.assertIn("permission denied", self.as_nobody("postriderctl", "-C", daemon.conf_path, "status").stdout)
                self.assertIn("(3 requests)", daemon.run("mailq", "-C", daemon.conf_path).stdout)


if __name__ == "__main__":
    story.main()
