#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""mailq: what the daemon's index says is what the files say, at every moment of a message's life."""
import os
import subprocess
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
