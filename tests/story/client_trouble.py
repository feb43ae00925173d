#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Whatever goes wrong when TLS or AUTH is begun with a next host - it says 4xx or 5xx, hangs up, falls silent, talks nonsense, or our own side is not in order - the mail goes
another way that the configuration allows or waits, is never returned, and goes when the trouble is over."""
import os
import time

import story
import tls

AGREED = 'AuthInfo:127.0.0.1~"U:joe" "P:secret"\n'


class Trouble(tls.Tls):
    def through(self, peer, name, deferred, words="", **settings):
        """Waits, or is sent all the same; at last it is sent, and nobody was told anything in between."""
        self.stage(peer, name=name, **settings)
        letter = self.send()
        self.pr.wait_log(letter + ": to=<joe@far.example>.*stat=", 30)
        first = self.pr.log().split(letter + ": to=<joe@", 1)[1].split("\n", 1)[0]
        self.assertIn("stat=Deferred" if deferred else "stat=Sent", first)
        self.assertIn(words, first)
        peer.answer, peer.manner = lambda verb, words: None, ""
        if deferred:
            self.assertEqual(self.pr.ctl("queue-run")[0], 0)
            self.pr.wait_log(letter + ": to=<joe@far.example>.*stat=Sent", 30)
        self.assertNotIn("DSN:", self.pr.log())
        self.assertEqual(len(peer.messages), 1)
        self.pr.stop()

    def says(self, verb, reply):
        return lambda said, words: reply if said == verb else None

    OFTEN = {"options": {"MinQueueAge": "0s", "Timeout": {"starttls": "2s", "auth": "2s", "hoststatus": "0s"}}}

    def test_starttls(self):
        """Where TLS may be left out, a host that says it cannot is spoken to in the clear; one that breaks it off is not."""
        answers = (("454 4.3.0 TLS not available", False), ("450 4.7.0 busy", False), ("502 5.5.1 no", False), ("501 5.5.4 what", False), ("554 5.7.3 never", False), ("421 4.3.2 going down", True),
                   ("drop", True), ("354 go", False), ("999 nonsense", True), ("what is that", True))
        for number, (reply, waits) in enumerate(answers):
            for tls_use in ("may", "must"):
                with self.subTest(reply, tls=tls_use):
                    peer = self.good(answer=self.says("STARTTLS", reply))
                    self.through(peer, f"pr{number}{tls_use}", waits or tls_use == "must", mailer={"tls": tls_use}, **self.OFTEN)

    def test_handshake(self):
        for manner in ("breaks", "babbles", "silent"):
            for tls_use in ("may", "must"):
                with self.subTest(manner, tls=tls_use):
                    self.through(self.good(manner=manner), manner + tls_use, True, mailer={"tls": tls_use}, **self.OFTEN)

    def test_the_second_ehlo(self):
        """What is said behind the handshake counts like any other answer."""
        for number, reply in enumerate(("421 4.3.2 going down", "drop", "451 4.3.0 later")):
            with self.subTest(reply):
                seen = []

                def answer(verb, words, reply=reply, seen=seen):
                    seen.append(verb)
                    return reply if verb == "EHLO" and "STARTTLS" in seen else None
                self.through(self.good(answer=answer), f"again{number}", True, **self.OFTEN)

    def test_auth(self):
        """4xx and what is no answer at all: later.  5xx: it may be taken from strangers."""
        answers = (("454 4.7.0 Temporary authentication failure", True), ("432 4.7.12 password transition needed", True), ("421 4.7.0 too many", True), ("drop", True), ("what is that", True),
                   ("334 no base64!", True), ("299 yes", False), ("535 5.7.8 no", False), ("534 5.7.9 too weak", False), ("500 5.5.1 what", False), ("504 5.5.4 unknown", False))
        for number, (reply, waits) in enumerate(answers):
            with self.subTest(reply):
                peer = self.good(auth=["CRAM-MD5"], answer=self.says("AUTH", reply))
                self.through(peer, f"pr{number}", waits, "Temporary AUTH failure" if waits else "", access=AGREED, **self.OFTEN)

    def test_auth_by_two(self):
        """One mechanism cannot be told now, the other is refused: later; and it is taken when one of them is."""
        for number, (first, second, waits) in enumerate((("454 4.7.0 not now", "535 5.7.8 no", True), ("535 5.7.8 no", "454 4.7.0 not now", True), ("535 5.7.8 no", "535 5.7.8 no", False),
                                                         ("454 4.7.0 not now", None, False), ("535 5.7.8 no", None, False))):
            with self.subTest(first + ", " + str(second)):
                replies = [first, second]
                peer = self.good(auth=["CRAM-MD5", "PLAIN"], answer=lambda verb, words, replies=replies: replies.pop(0) if verb == "AUTH" and replies else None)
                options = {**self.OFTEN["options"], "AuthMechanisms": "CRAM-MD5 PLAIN"}
                self.through(peer, f"two{number}", waits, access=AGREED, options=options)
                self.assertEqual(replies, [])

    def test_auth_silent(self):
        def answer(verb, words):
            if verb == "AUTH":
                time.sleep(4)
            return None
        self.through(self.good(auth=["CRAM-MD5"], answer=answer), "silent", True, "Temporary AUTH failure", access=AGREED, **self.OFTEN)

    def test_our_own_side(self):
        """A file that cannot be read, an entry that nobody understands, no mechanism in common."""
        nowhere = os.path.join(self.scratch, "nowhere")
        for number, (access, options) in enumerate((("", {"DefaultAuthInfo": nowhere}), ("AuthInfo:127.0.0.1~nonsense\n", {}), (AGREED, {"AuthMechanisms": "GSSAPI"}))):
            with self.subTest(number):
                peer = self.good(auth=["CRAM-MD5"])
                self.stage(peer, access, options=options, name=f"own{number}")
                self.waits("Temporary AUTH failure")
                self.assertEqual(peer.messages, [])


for name in [name for name in vars(tls.Tls) if name.startswith("test_")]:  # its own are told elsewhere
    delattr(tls.Tls, name)
del tls.Tls

if __name__ == "__main__":
    story.main()
