#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What programs have called for thirty years works: sendmail takes mail with and without a daemon, mailq shows it, nothing is lost."""
import os
import re

import story


class Submission(story.Story):
    def stage(self, start=True, **settings):
        self.box = os.path.join(self.scratch, "pr", "box", "%u")
        daemon = self.daemon(start=False, mailers={"local": {"module": "local", "format": "maildir", "path": self.box}}, **settings)
        os.chmod(os.path.join(daemon.top, "box"), 0o1777)
        daemon.write_conf()
        return daemon.start() if start else daemon

    def mine(self, daemon, count=1):
        path = self.box.replace("%u", story.ME)
        return story.wait_for(lambda: f"{count} letters\n" + daemon.log(), lambda: len(daemon.maildir(path)) >= count and daemon.maildir(path))

    def sendmail(self, daemon, *arguments, text="Subject: hi\n\nhello\n", wanted=0):
        done = daemon.run("sendmail", "-C", daemon.conf_path, *arguments, text=text)
        self.assertEqual(done.returncode, wanted, done.stdout + daemon.log())
        return done.stdout

    def test_argument_and_header(self):
        daemon = self.stage()
        self.sendmail(daemon, story.ME)
        self.sendmail(daemon, "-t", text=f"To: {story.ME}\nBcc: {story.ME}@example.org\nSubject: t\n\nbody\n.\nafter the dot\n")
        letters = self.mine(daemon, 1)
        self.assertRegex(letters[0], r"(?m)^From: .*%s@mail\.example\.org" % re.escape(story.ME))
        self.assertRegex(letters[0], r"(?m)^Message-I[dD]: <")
        self.assertRegex(letters[0], r"(?m)^Date: ")

    def test_bcc_is_removed_and_dots_kept_with_i(self):
        daemon = self.stage()
        self.sendmail(daemon, "-t", "-i", text=f"To: {story.ME}\nBcc: {story.ME}\nSubject: t\n\none\n.\ntwo\n")
        letter = self.mine(daemon)[0]
        self.assertNotIn("Bcc", letter)
        self.assertTrue(letter.endswith("\n\none\n.\ntwo\n"), letter)

    def test_sender(self):
        daemon = self.stage()
        self.sendmail(daemon, "-f", "robot@example.net", story.ME)
        self.assertIn("Return-Path: <robot@example.net>", self.mine(daemon)[0])

    def test_errors(self):
        daemon = self.stage()
        self.assertIn("Recipient names must be specified", self.sendmail(daemon, wanted=64))
        self.assertIn("No recipient addresses found in header", self.sendmail(daemon, "-t", text="Subject: x\n\nb\n", wanted=0))
        self.assertIn("User unknown", self.sendmail(daemon, "no-such-user-here", wanted=67))
        self.assertIn("illegal option", self.sendmail(daemon, "-Z", story.ME, wanted=64))

    def test_an_option_that_is_none(self):
        daemon = self.stage()
        self.assertEqual("readcf: unknown option name MaxHopCuont; did you mean MaxHopCount?\n",
                         self.sendmail(daemon, "-OMaxHopCuont=1", story.ME, wanted=70))
        self.sendmail(daemon, "-OConnectionRateThrottle=3", "-oem", "-o7", "-oQ/var/spool/mqueue", story.ME)  # sendmail's are no mistake
        self.mine(daemon)

    def test_no_header_can_be_added_from_arguments(self):
        daemon = self.stage()
        self.sendmail(daemon, "-F", "Evil\nX-Evil: yes", story.ME)
        self.assertNotRegex(self.mine(daemon)[0], "(?m)^X-Evil")

    def test_without_a_daemon_the_letter_waits_and_goes_out_later(self):
        daemon = self.stage(start=False)
        os.chmod(os.path.join(daemon.top, "drop"), 0o1733 if story.IS_ROOT else 0o700)
        self.sendmail(daemon, story.ME, text="Subject: waiting\n\nfor a daemon\n")
        waiting = [n for n in os.listdir(os.path.join(daemon.top, "drop")) if not n.startswith(".")]
        self.assertEqual(len(waiting), 1)
        daemon.start()
        self.assertIn("for a daemon", self.mine(daemon)[0])
        story.wait_for("the drop directory to be empty",
                       lambda: not [n for n in os.listdir(os.path.join(daemon.top, "drop")) if not n.startswith(".")])

    def test_mailq_shows_what_waits(self):
        dead = self.sink(answer=lambda verb, argument: "450 4.2.1 not now" if verb == "RCPT" else None)
        daemon = self.stage(rules={"smart_host": f"[127.0.0.1]:{dead.port}"})
        empty = daemon.run("mailq", "-C", daemon.conf_path)
        self.assertRegex(empty.stdout, r"is empty\n\t\tTotal requests: 0\n")
        letter = daemon.send("ann@example.net", ["far@example.com"], "Subject: s\n\nwaits\n")
        story.wait_for(lambda: "the deferral\n" + daemon.log(), lambda: "not now" in daemon.log())
        listed = story.wait_for("mailq to say why", lambda: (lambda text: "not now" in text and text)(
            daemon.run("mailq", "-C", daemon.conf_path).stdout))
        self.assertRegex(listed, letter + r"[ *-] +\d+ \w{3} \w{3} [ \d]\d \d\d:\d\d <ann@example\.net>\n")
        self.assertIn("<far@example.com>", listed)
        self.assertIn("Total requests: 1", listed)
        del dead

    def test_bs_speaks_smtp(self):
        daemon = self.stage()
        done = daemon.run("sendmail", "-C", daemon.conf_path, "-bs",
                          text=f"EHLO me\r\nMAIL FROM:<{story.ME}>\r\nRCPT TO:<{story.ME}>\r\nDATA\r\nSubject: bs\r\n\r\nx\r\n.\r\nQUIT\r\n")
        self.assertRegex(done.stdout, r"(?s)220 .*250 2\.1\.5.*354.*Message accepted for delivery.*221 ")
        self.mine(daemon)

    def test_q_runs_the_queue(self):
        answers = {"RCPT": "450 4.2.1 not now"}
        host = self.sink(answer=lambda verb, argument: answers.get(verb))
        daemon = self.stage(rules={"smart_host": f"[127.0.0.1]:{host.port}"}, options={"MinQueueAge": 0, "QueueInterval": "1h", "Timeout": {"hoststatus": "1s"}})
        daemon.send("ann@example.net", ["far@example.com"], "Subject: s\n\nwaits\n")
        story.wait_for(lambda: "the deferral\n" + daemon.log(), lambda: "not now" in daemon.log())
        answers.clear()
        self.sendmail(daemon, "-q", text="")
        host.wait(1)


if __name__ == "__main__":
    story.main()
