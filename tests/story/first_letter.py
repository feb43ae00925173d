#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A letter that goes in by SMTP arrives in a Maildir, in an mbox, at a program and at the next host, byte for byte."""
import os
import re
import shutil

import story

LETTER = ("From: Ann <ann@example.net>\nTo: joe@example.org\nSubject: first letter\n\n"
          "hello\n.\n..dots\nFrom here on\n\nlong " + "x" * 3000 + "\n8-bit \xe4\n")
BODY = LETTER.split("\n\n", 1)[1]


class FirstLetter(story.Story):
    def test_maildir(self):
        box = os.path.join(self.scratch, "pr", "box", "%u")
        daemon = self.daemon(mailers={"local": {"module": "local", "format": "maildir", "path": box}})
        self.open_box(daemon)
        letter_id = daemon.send("ann@example.net", [story.ME + "@example.org"], LETTER)
        got = story.wait_for(lambda: "the letter\n" + daemon.log(), lambda: daemon.maildir(box.replace("%u", story.ME)))
        self.assertEqual(len(got), 1)
        head, body = got[0].split("\n\n", 1)
        self.assertEqual(body, BODY)
        self.assertRegex(head, r"(?m)^Received: from client\.example \(.*\[127\.0\.0\.1\]\)\n\tby mail\.example\.org .* id " + letter_id)
        self.assertIn("Return-Path: <ann@example.net>", head)
        self.assertEqual(daemon.queue_ids(), [])

    def open_box(self, daemon):
        os.chmod(os.path.join(daemon.top, "box"), 0o1777)

    def test_mbox(self):
        path = os.path.join(self.scratch, "pr", "box", "%u")
        daemon = self.daemon(mailers={"local": {"module": "local", "format": "mbox", "path": path}})
        self.open_box(daemon)
        for _ in range(2):
            daemon.send("ann@example.net", [story.ME + "@example.org"], LETTER)
        file = path.replace("%u", story.ME)
        story.wait_for(lambda: "two letters in the mbox\n" + daemon.log(),
                       lambda: os.path.exists(file) and len(re.findall("(?m)^From ann@example.net ", open(file, encoding="latin-1").read())) == 2)
        self.assertIn("\n>From here on\n", open(file, encoding="latin-1").read())

    def test_program_and_file(self):
        user = story.ME if not story.IS_ROOT else "nobody"
        daemon = self.daemon(start=False, options={"DefaultUser": user, "AliasFile": ["aliases"]})
        shutil.chown(os.path.join(daemon.top, "box"), user)
        out = os.path.join(daemon.top, "box", "program")
        file = os.path.join(daemon.top, "box", "file")
        path = daemon.write("aliases", f'robot: "|cat > {out}"\narchive: {file}\n')
        daemon.settings["maps"]["aliases"] = {"module": "hash", "file": path}
        daemon.write_conf()
        built = daemon.run("newaliases", "-C", daemon.conf_path)
        self.assertEqual(built.returncode, 0, built.stdout)
        daemon.start()
        daemon.send("ann@example.net", ["robot@example.org", "archive@example.org"], LETTER)
        for name in (out, file):
            story.wait_for(lambda: name + "\n" + daemon.log(), lambda n=name: os.path.exists(n) and open(n, encoding="latin-1").read().rstrip().endswith("\xe4"))
        self.assertIn("hello\n.\n..dots\n", open(out, encoding="latin-1").read())

    def test_relay(self):
        sink = self.sink()
        daemon = self.daemon(rules={"smart_host": f"[127.0.0.1]:{sink.port}"})
        daemon.send("ann@example.net", ["far@example.com", "away@example.com"], LETTER)
        sender, recipients, text = sink.wait(1)[0]
        self.assertEqual((sender, sorted(recipients)), ("ann@example.net", ["away@example.com", "far@example.com"]))
        self.assertEqual(text.split("\n\n", 1)[1], BODY)
        self.assertEqual(text.split("\n\n", 1)[0].count("Received:"), 1)

    def test_second_letter_takes_the_same_connection(self):
        sink = self.sink()
        daemon = self.daemon(rules={"smart_host": f"[127.0.0.1]:{sink.port}"})
        for number in range(5):
            daemon.send("ann@example.net", ["far@example.com"], LETTER)
            sink.wait(number + 1)
        self.assertLessEqual(sink.connections, 2)

    def test_two_instances(self):
        box = os.path.join(self.scratch, "second", "box", "%u")
        second = self.daemon("second", mailers={"local": {"module": "local", "format": "maildir", "path": box}})
        self.open_box(second)
        first = self.daemon("first", rules={"local_domains": ["first.example"], "smart_host": f"[127.0.0.1]:{second.port}"})
        first.send("ann@example.net", [story.ME + "@example.org"], LETTER)
        got = story.wait_for(lambda: "the letter\n" + first.log() + second.log(), lambda: second.maildir(box.replace("%u", story.ME)))
        self.assertEqual(got[0].split("\n\n", 1)[0].count("Received: "), 2)
        self.assertEqual(got[0].split("\n\n", 1)[1], BODY)


if __name__ == "__main__":
    story.main()
