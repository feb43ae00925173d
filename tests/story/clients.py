#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""curl, s-nail, mutt and openssl s_client deliver through us - in the clear, by STARTTLS, in TLS from the first byte, with and without a password - and sendmail -t does beside them;
none of them gives its password to somebody whose certificate has another name."""
import re
import shutil
import time
import unittest

import client_stage
import mail_programs
import story
from client_stage import FAR
from mail_programs import Letter, Way


@unittest.skipUnless(shutil.which("saslpasswd2"), "there is no saslpasswd2: sasl2-bin")
class ForeignName(client_stage.Stage):
    """A certificate of somebody whom everybody knows, but of another name."""
    names = "DNS:elsewhere.example"

    def test_refused(self):
        for program in mail_programs.PROGRAMS:
            if program.is_here() and program.looks_at_name:
                for security, port in ("starttls", self.pr.port), ("implicit", self.secure):
                    with self.subTest(program.__name__, security=security):
                        worked, said = program(self.scratch).send(Way(security, port, self.pki.path, "PLAIN"), Letter(FAR))
                        self.assertFalse(worked, said)
        time.sleep(0.2)
        self.assertNotIn("AUTH", self.pr.log())
        self.assertEqual((self.far.messages, self.pr.listed_ids()), ([], []))


@unittest.skipUnless(shutil.which("saslpasswd2"), "there is no saslpasswd2: sasl2-bin")
class Sendmail(client_stage.Stage):
    """sendmail -t beside them, which needs no name: the socket knows who calls."""

    def test_delivered(self):
        letter = Letter([story.ME + "@example.org", *FAR])
        done = self.pr.run("sendmail", "-C", self.pr.conf_path, "-i", "-t", "-f", letter.sender, "-B8BITMIME", "-Nsuccess,failure", "-Rhdrs", "-VQQ314159",
                           text=letter.message().decode())
        self.assertEqual((done.returncode, done.stdout), (0, ""), self.pr.log())
        self.same(letter, self.mailbox()[0])
        self.far.wait(2)
        words = next(words for words in self.far.words if len(words) == 3)
        for word in ("BODY=8BITMIME", "RET=HDRS", "ENVID=QQ314159"):
            self.assertIn(word, words[0].split())
        self.assertEqual(sorted(re.search("<(.*)> NOTIFY=SUCCESS,FAILURE", line).group(1) for line in words[1:]), sorted(FAR))
        for sender, recipients, text in self.far.messages:
            if sender:
                self.assertEqual(sorted(recipients), sorted(FAR))
                self.same(letter, text)
            else:
                self.assertIn("Original-Envelope-Id: QQ314159\n", text)
                self.assertIn("\nAction: delivered", text)


globals().update(client_stage.stories((mail_programs.Curl, mail_programs.SNail, mail_programs.Mutt, mail_programs.OpenSsl)))


if __name__ == "__main__":
    story.main()
