# SPDX-License-Identifier: BSD-2-Clause
"""What tests/oracle/queue is made of: letters of every kind, a next host that can put them off and notes what each came with, and the check that
each arrived once, to all its recipients, with the bytes it was sent with."""
import os
import re
import signal
import threading

import sendmail
import story

LARGE = "".join(f"line {number} of a body that is too large for the journal\n" for number in range(8000))
MIME = ("Subject: mime\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"b\"\n\nnobody reads this\n"
        "--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nG\xc3\xbc\xc3\x9fe\n"
        "--b\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\nAAECAw==\n--b--\n")
# No two of one priority, for among those sendmail lists the one first that the directory has first.
# name: (MAIL parameters, [(recipient, its parameters)], text)
LETTERS = {
    "one": ("", [("ann@far.example", "")], "Subject: one\n\nhello\n"),
    "many": ("", [(f"user{number}@far.example", "") for number in range(60)], "Subject: many\n\nto all of you\n"),
    "eight": (" BODY=8BITMIME", [("ann@far.example", "")], "Subject: eight\n\n\xe4\xf6\xfc and \xff\n"),
    "mime": (" BODY=8BITMIME", [("ann@far.example", ""), ("bob@other.example", "")], MIME),
    "notify": (" RET=HDRS ENVID=QQ+2B314159", [("ann@far.example", " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Ann+2BList@Far.Example"),
                                               ("bob@far.example", " NOTIFY=NEVER"), ("carl@far.example", " NOTIFY=DELAY")], "Subject: notify\n\nreceipt, please\n"),
    "whole": (" RET=FULL", [("ann@far.example", "")], "Subject: whole\n\nall of it, every line\n"),
    "large": ("", [("ann@far.example", "")], "Subject: large\n\n" + LARGE),
    "empty": ("", [("ann@far.example", "")], "Subject: empty\n\n"),
    "dots": ("", [("ann@far.example", "")], "Subject: dots\n\n.\n..\n.a\nFrom here\n\n.\n\n"),
    "folded": ("", [("ann@far.example", "")], "Subject: folded\nX-Long: " + "word\n\t" * 30 + "end\nX-Twice: 1\nX-Twice: 2\n\nbody\n"),
    "fish": ("", [("ann@far.example", "")], "Subject: fish\n\nsmells\n"),
}
OFFERED = "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-DSN\r\n250-DELIVERBY\r\n250 SIZE"


def body_of(text):
    return text.split("\n\n", 1)[1]


def name_of(text):
    return re.search(r"^Subject: (\S+)", text, re.M).group(1)


class Exchange(story.Story):
    def setUp(self):
        super().setUp()
        self.lock, self.here = threading.Lock(), threading.local()
        self.arrived = []  # (MAIL line, RCPT lines, text)
        self.ready = False
        self.next = self.sink(self.answer)

    def answer(self, verb, words):
        """Not ready: each recipient is put off.  Ready: notes what the letter came with."""
        if verb == "EHLO":
            return OFFERED
        if verb == "MAIL":
            self.here.mail, self.here.recipients = words, []
        if verb == "RCPT" and not self.ready:
            return "451 4.3.2 come back later"
        if verb == "RCPT":
            self.here.recipients.append(words)
        if verb == ".":
            with self.lock:
                self.arrived.append((self.here.mail, self.here.recipients, words))
        return None

    def world(self, queue=None, **options):
        return sendmail.Sendmail(self.scratch, queue or os.path.join(self.pr.top, "queue"), self.next.port, **options)

    def stage(self, **settings):
        """fish@ is quarantined; everything leaves through the sink."""
        self.pr = self.daemon(start=False, filters=[{"module": "debug", "name": "fish", "quiet": True, "at": "message", "match": "<fish@",
                                                     "action": "quarantine", "text": "smells of fish"}],
                              rules={"smart_host": f"[127.0.0.1]:{self.next.port}"}, **settings)
        return self.pr

    def submit(self, client=None):
        """{name: id}"""
        ids = {}
        with client or self.pr.client() as client:
            for name, (parameters, recipients, text) in LETTERS.items():
                sender = "" if name == "empty" else ("fish" if name == "fish" else "a") + "@example.net"
                client.expect(250, f"MAIL FROM:<{sender}>{parameters}")
                for address, more in recipients:
                    client.expect(250, f"RCPT TO:<{address}>{more}")
                client.expect(354, "DATA")
                client.send(story.wire(text) + b".\r\n")
                code, said = client.reply()
                self.assertEqual(code, 250, said)
                ids[name] = re.search(r"\b[0-9A-Za-x]{14,}\b", said).group(0)
        return ids

    def files(self, kinds, top=None):
        return sorted(name for _, _, names in os.walk(top or os.path.join(self.pr.top, "queue")) for name in names if name[1:2] == "f" and name[0] in kinds)

    def path_of(self, name, top=None):
        return next(os.path.join(folder, name) for folder, _, names in os.walk(top or os.path.join(self.pr.top, "queue")) if name in names)

    def listed(self, text):
        """{id: size} of a mailq."""
        return {found.group(1): int(found.group(2)) for found in re.finditer(r"^([0-9A-Za-x]{14,})[ *X-] +(-?\d+) ", text, re.M)}

    # -- what arrived ---------------------------------------------------------

    def check_arrived(self, letters):
        """Each letter once, to all its recipients, with the same header lines and the same bytes of body."""
        got = {}
        for mail, recipients, text in self.arrived:
            got.setdefault(name_of(text), []).append((mail, recipients, text))
        self.assertEqual(sorted(got), sorted(letters))
        for name, copies in got.items():
            with self.subTest(letter=name):
                self.check_letter(name, copies)

    def check_letter(self, name, copies):
        parameters, recipients, text = LETTERS[name]
        lines = [line for _, lines, _ in copies for line in lines]
        self.assertEqual(sorted(re.search("<(.*?)>", line).group(1) for line in lines), sorted(address for address, _ in recipients))
        for mail, _, arrived in copies:
            self.assertEqual(body_of(arrived), body_of(text))
            for line in text.split("\n\n", 1)[0].split("\n"):
                self.assertIn(line + "\n", arrived)
            for word in parameters.split():
                self.assertIn(word, mail.split())
        for address, more in recipients:
            for word in more.split():
                self.assertIn(word, next(line for line in lines if f"<{address}>" in line).split())

    def sendmail_delivers(self, ids, world):
        """sendmail lists all, delivers all but the quarantined one, and then that one, when it has been let go."""
        self.arrived.clear()
        status, text = world.run("-bp")
        self.assertEqual(status, 0, text)
        free = {name: one for name, one in ids.items() if name != "fish"}
        self.assertEqual({one: size for one, size in self.listed(text).items()}, {one: len(body_of(LETTERS[name][2])) for name, one in free.items()}, text)
        self.assertIn(f"Total requests: {len(free)}\n", text)
        status, text = world.run("-bp", "-qQ")
        self.assertEqual(list(self.listed(text)), [ids["fish"]], text)
        self.assertIn("QUARANTINE: smells of fish\n", text)
        self.ready = True
        status, text = world.run("-qf")
        self.assertEqual((status, text), (0, ""))
        self.assertEqual((self.files("Qqtx"), self.files("h"), self.files("d")), ([], ["hf" + ids["fish"]], ["df" + ids["fish"]]))
        self.check_arrived([name for name in LETTERS if name != "fish"])
        world.run("-Q", "-qQ")
        self.assertEqual(self.files("h"), [])
        world.run("-qf")
        self.assertEqual(self.files("Qqhdtx"), [])
        self.check_arrived(LETTERS)

    def held(self, **settings):
        """All letters wait untried in a daemon that delivers only in queue runs."""
        options = {"DeliveryMode": "queue", "QueueInterval": "1h", "MinQueueAge": "1h", **settings.pop("options", {})}
        self.stage(options=options, **settings).start()
        return self.submit()

    def crash(self):
        """All at once: a master that lives a moment longer than its children begins new ones, which outlive it for another."""
        self.pr.process.send_signal(signal.SIGSTOP)
        self.pr.kill()

    def hand_back(self):
        status, text = self.pr.ctl("handback")
        self.assertEqual(status, 0, text)
        return text
