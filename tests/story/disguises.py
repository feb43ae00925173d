#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What looks like something else, or is far more than it seems: fields that two readers read in two ways, messages that unfold without end, lists, receipts,
patterns and arguments.  A filter sees what the next host gets, one request makes one notice, and memory and time are bounded."""
import os
import re
import subprocess
import time

import story
from attacks import MEGABYTE, resident

DISGUISED = [  # fields of which readers disagree (rows 83 and 84)
    ("From", "From: ann@example.net"), ("From", "From: boss@bank.example"), ("Subject", "Subject : blank before the colon"),
    ("To", "To: undisclosed: ann@example.net, bob@example.net;"), ("Sender", "Sender: (ann@example.net) bob@example.net"),
    ("Reply-To", "Reply-To: \"ann@example.net\" <bob@example.net>"), ("X-Latin", "X-Latin: caf\xe9"), ("X-Folded", "X-Folded: one\n\ttwo\n  three"),
    ("X-Twice", "X-Twice: first"), ("X-Twice", "X-Twice: second"), ("X-Encoded", "X-Encoded: =?utf-8?B?PGJvYkBleGFtcGxlLm5ldD4=?= <ann@example.net>"),
]
NESTED, MANY = (10000, 100000) if story.SLOW == 1 else (2000, 20000)


class Disguises(story.Story):
    def relay(self, answer=None, **settings):
        self.hop = self.sink(answer)
        self.pr = self.daemon(start=False, **settings)
        self.pr.settings["rules"]["smart_host"] = f"[127.0.0.1]:{self.hop.port}"
        return self.pr.start()

    # -- rows 83 and 84 ----------------------------------------------------------

    def fields(self, text):
        """The header that the client wrote, without what was put in front of it."""
        return text.split("\n\n", 1)[0][text.index("\n" + DISGUISED[0][1]) + 1:].split("\n")

    def test_a_filter_sees_what_the_next_host_gets(self):
        self.relay(filters=[{"module": "debug", "name": "seen"}], options={"LogLevel": 14})
        written = "\n".join(field for _, field in DISGUISED)
        self.pr.send("a@example.net", ["x@far.example"], written + "\nDate: Thu, 26 Nov 2026 04:34:46 +0000\nMessage-Id: <1@x>\n\nbody\n")
        text = self.hop.wait(1)[0][2]
        for _, field in DISGUISED:  # a blank before the colon is none, as with sendmail
            self.assertEqual(text.count("\n" + field.replace(" :", ":") + "\n"), 1, field)
        order = [re.match(r"[A-Za-z-]+", line).group() for line in self.fields(text) if not line[:1].isspace()]
        self.assertEqual(order[:len(DISGUISED)], [name for name, _ in DISGUISED])
        seen = re.findall(r"debug: header (.*)", self.pr.log())
        shown = [field.replace("\n", "\\012").replace("\t", "\\011").replace("\xe9", "\\351") for _, field in DISGUISED]
        self.assertEqual([re.sub(r"[\s:]", "", line).lower() for line in seen[:len(shown)]], [re.sub(r"[\s:]", "", line).lower() for line in shown])

    def test_what_a_filter_takes_out_is_gone(self):
        self.relay(filters=[{"module": "debug", "name": "cleans", "quiet": True, "change_header": ["Authentication-Results:"]}])
        self.pr.send("a@example.net", ["x@far.example"], "Authentication-Results: mail.example.org; spf=pass\n\tsmtp.mailfrom=bank.example\nSubject: s\n\nbody\n")
        text = self.hop.wait(1)[0][2]
        self.assertNotIn("Authentication-Results", text)
        self.assertNotIn("bank.example", text)

    # -- row 82 ------------------------------------------------------------------

    def test_messages_that_unfold_without_end(self):
        """For a host that takes seven bits only each part must be looked at; none of it may cost more than time in proportion."""
        self.relay(answer=lambda verb, words: "250 sink" if verb == "EHLO" else None, options={"MaxMessageSize": "40M"})
        head = "MIME-Version: 1.0\nSubject: {}\n"
        nested = "".join(f"Content-Type: multipart/mixed; boundary=b{depth}\n\n--b{depth}\n" for depth in range(NESTED))
        letters = {
            "nested": nested + "\ncaf\xe9\n",
            "many": "Content-Type: multipart/mixed; boundary=b\n\n" + "--b\n\ncaf\xe9\n" * MANY + "--b--\n",
            "prefixes": "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=bb\n\n" + "--bb\n\ncaf\xe9\n--b\n\ncaf\xe9\n" * 1000 + "--bb--\n--b--\n",
            "endless": "Content-Type: multipart/mixed; boundary=\"" + "q" * 900 + "\"\n\n" + ("--" + "q" * 899 + "\ntext\n") * 2000,
            "messages": "Content-Type: message/rfc822\n\n" * NESTED + "Subject: inner\n\ncaf\xe9\n",
            "base64": "Content-Type: text/plain\nContent-Transfer-Encoding: base64\nContent-Length: 4294967296\n\n" + "Y2Fm" * 200000 + "\n",
        }
        before = max(resident(pid) for pid in self.pr.processes())
        for name, text in letters.items():
            with self.subTest(name), self.pr.client(timeout=60) as client:
                began = time.monotonic()
                code, reply = client.message("a@example.net", ["x@far.example"], head.format(name) + text)
                self.assertIn(code, (250, 552, 554), reply)
                if code == 250:
                    story.wait_for(lambda: f"{name}\n{self.pr.log()[-1000:]}", lambda: any(f"Subject: {name}\n" in got for _, _, got in list(self.hop.messages)), 30)
                self.assertLess(time.monotonic() - began, 20 * story.SLOW)
        for _, _, text in self.hop.messages:  # what is nested deeper than twenty parts is not looked into, as with sendmail
            if not re.search("Subject: (nested|messages)\n", text):
                self.assertNotRegex(text, r"[\x80-\xff]")
        story.wait_for("an empty queue", lambda: not self.pr.listed_ids())
        if not os.environ.get("SANITIZED"):
            self.assertLess(max(resident(pid) for pid in self.pr.processes()) - before, 48 * MEGABYTE)

    # -- row 88 ------------------------------------------------------------------

    def test_many_receipts_are_one_notice(self):
        self.relay()
        size = 400
        with self.pr.client(timeout=60) as client:
            client.expect(250, "MAIL FROM:<ann@far.example> RET=HDRS")
            client.send("".join(f"RCPT TO:<r{number}@far.example> NOTIFY=SUCCESS\r\n" for number in range(size)))
            self.assertEqual({client.reply()[0] for _ in range(size)}, {250})
            client.expect(354, "DATA")
            client.send("Subject: receipts\r\n\r\n" + ("z" * 76 + "\r\n") * 5000 + ".\r\n")
            self.assertEqual(client.reply()[0], 250)
        story.wait_for("an empty queue", lambda: not self.pr.listed_ids(), 60)
        notices = [text for sender, _, text in self.hop.messages if sender == ""]
        told = [name for text in notices for name in re.findall(r"(?m)^Final-Recipient: RFC822; (r\d+)@far.example$", text)]
        self.assertEqual(sorted(told), sorted(f"r{number}" for number in range(size)))
        # one for each transaction with the host, which has a hundred recipients at most
        self.assertLessEqual(len(notices), size // 100)
        for text in notices:
            self.assertNotIn("zzzz", text)

    # -- row 87 ------------------------------------------------------------------

    def test_patterns_that_take_their_time(self):
        """The rules ask a regular expression about an address: it answers, whatever the pair of them would cost a matcher that tries all ways."""
        pattern = "^(a|aa)+(a+)*$"
        found = subprocess.run([os.path.join(story.BUILD, "postrider-module"), "lookup", os.path.join(story.BUILD, ".libs", "regex.so"), "a" * 1500 + "b", f"pattern={pattern}"],
                               capture_output=True, text=True, timeout=20 * story.SLOW, check=False)
        self.assertNotEqual(found.returncode, 0, found)
        self.assertEqual(found.stdout, "")
        self.assertNotIn("pattern-compile-error", found.stderr)
        found = subprocess.run([os.path.join(story.BUILD, "postrider-module"), "lookup", os.path.join(story.BUILD, ".libs", "regex.so"), "a" * 1500, f"pattern={pattern}"],
                               capture_output=True, text=True, timeout=20 * story.SLOW, check=False)
        self.assertEqual(found.returncode, 0, found)

    # -- row 89 ------------------------------------------------------------------

    def test_an_address_is_no_option(self):
        """A program gets each word as it is; one that would be read as an option does not reach it."""
        out = os.path.join(self.scratch, "out")
        os.mkdir(out)
        os.chmod(out, 0o777)
        program = os.path.join(self.scratch, "program")
        with open(program, "w") as file:
            file.write(f'#!/bin/sh\nfor word; do printf "[%s]" "$word"; done >> {out}/words\necho >> {out}/words\ncat >/dev/null\n')
        os.chmod(program, 0o755)
        table = os.path.join(self.scratch, "routes_to")
        with open(table, "w") as file:
            file.write("fax.example\tfax:x\n")
        self.relay(mailers={"fax": {"module": "prog", "path": program, "argv": "fax $u"}}, maps={"routes_to": {"module": "text", "file": table}}, rules={"mailertable": "routes_to"})
        names = ["a|touch$IFS" + out + "/evil", "`id`", "$IFS$PATH", "a&b", "plain"]
        for name in names + ["-oQ/tmp", "--help", "-"]:
            self.pr.send("ann@far.example", [name + "@fax.example"], "Subject: fax\n\nx\n")
        story.wait_for(lambda: "an empty queue\n" + self.pr.log()[-3000:], lambda: not self.pr.listed_ids())
        with open(os.path.join(out, "words")) as file:
            lines = file.read().split()
        self.assertEqual(sorted(os.listdir(out)), ["words"])
        self.assertEqual(len(lines), len(names), lines)
        self.assertFalse([line for line in lines if "[-" in line], lines)
        back = [text for sender, _, text in self.hop.messages if sender == ""]
        self.assertEqual(len(back), 3, self.pr.log()[-2000:])

    # -- row 90 ------------------------------------------------------------------

    def submit(self, *words, feed):
        """The exit status of sendmail, its words, and how large it became."""
        libs = os.path.join(story.BUILD, ".libs")
        process = subprocess.Popen(["sendmail", "-C", self.pr.conf_path, *words], executable=os.path.join(libs, "sendmail"), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "POSTRIDER_BIN": self.pr.program, "LD_LIBRARY_PATH": libs})
        try:
            for piece in feed:
                process.stdin.write(piece)
            process.stdin.close()
        except BrokenPipeError:
            pass
        said = process.stdout.read().decode("latin-1")
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        return process.returncode, said, usage.ru_maxrss * 1024

    def test_a_hundred_thousand_recipients_in_the_header(self):
        self.relay(options={"MaxHeadersLength": "8M", "DeliveryMode": "queue", "QueueInterval": "1h"})
        to = b"To: " + b",\n ".join(b"n%d@far.example" % number for number in range(MANY)) + b"\n"
        status, said, size = self.submit("-t", feed=[to, b"Subject: many\n\nx\n"])
        if not os.environ.get("SANITIZED"):
            self.assertLess(size, 128 * MEGABYTE)
        self.assertEqual((status, said), (0, ""))
        self.assertEqual(self.pr.stop(), 0)
        found = []
        for name in self.pr.queue_ids():
            with open(os.path.join(self.pr.top, "queue", "qf" + name), encoding="latin-1") as file:
                found += re.findall(r"(?m)^R\w*:<?(n\d+)@far\.example>?$", file.read())
        self.assertEqual(len(found), MANY)
        self.assertEqual(len(set(found)), MANY)

    def test_a_body_without_end_and_without_lines(self):
        self.relay(options={"MaxMessageSize": "1M"})
        before = max(resident(pid) for pid in self.pr.processes())
        status, said, size = self.submit("ann@far.example", feed=(b"x" * MEGABYTE for _ in range(256)))
        self.assertIn(status, (65, 69, 70, 75, 67, 64), said)
        self.assertNotEqual(said, "")
        if not os.environ.get("SANITIZED"):
            self.assertLess(size, 48 * MEGABYTE)
            self.assertLess(max(resident(pid) for pid in self.pr.processes()) - before, 16 * MEGABYTE)
        self.assertEqual(self.pr.listed_ids(), [])
        self.assertEqual(self.hop.messages, [])


if __name__ == "__main__":
    story.main()
