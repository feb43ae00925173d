#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""With -X everything that is heard and said stands in a file, both ways, line by line, and nothing that could be a password."""
import base64
import os
import re
import stat

import story

SECRET = base64.b64encode(b"\0joe\0swordfish").decode()


class Transcripts(story.Story):
    def stage(self, single=False, **settings):
        self.hop = self.sink()
        self.path = os.path.join(self.scratch, "transcript")
        passwords = os.path.join(self.scratch, "passwords")
        with open(passwords, "w") as handle:
            handle.write("joe {PLAIN}swordfish\n")
        os.chmod(passwords, 0o644)
        self.pr = self.daemon(start=False, rules={"smart_host": f"[127.0.0.1]:{self.hop.port}", "relay_clients": ["127.0.0.1"]}, maps={"passwords": {"module": "text", "file": passwords}},
                              auth=[{"module": "map", "map": "passwords", "without_tls": True, "mechanisms": ["PLAIN", "LOGIN"]}], **settings)
        if single:
            self.pr.program = self.pr.write("single", f"#!/bin/sh\nexec {story.PROGRAM} --single \"$@\"\n")
            os.chmod(self.pr.program, 0o755)
        return self.pr.start("-X", self.path)

    def text(self):
        with open(self.path, encoding="latin-1") as handle:
            return handle.read()

    def conversation(self, marker):
        """The lines of the one conversation in which that stands, without its number."""
        number = re.search(rf"(?m)^(\d+) .*{marker}", self.text()).group(1)
        return [line.split(" ", 1)[1] for line in self.text().split("\n") if line.startswith(number + " ")]

    def test_both_ways(self):
        self.stage()
        with self.pr.client(helo="first.example") as client:
            client.send(b"NOOP\r\nVERB x\r\nFOO \x1b[31m\xc3\xbc\r\n")
            for _ in range(3):
                client.reply()
            self.assertEqual(client.message("a@example.net", ["joe@far.example"], "Subject: x\n\n.dot\nlast\n")[0], 250)
        self.hop.wait(1)
        story.wait_for("the end of the delivery", lambda: re.search(r">>> \.\n\d+ <<< 250 2\.0\.0 taken\n", self.text()))
        heard = self.conversation("EHLO first")
        said = [line for line in heard if line.startswith(">>> ")]
        self.assertEqual([line for line in heard if line.startswith("<<< ")],
                         ["<<< EHLO first.example", "<<< NOOP", "<<< VERB x", "<<< FOO \\033[31m\\303\\274", "<<< MAIL FROM:<a@example.net>", "<<< RCPT TO:<joe@far.example>", "<<< DATA",
                          "<<< Subject: x", "<<< ", "<<< ..dot", "<<< last", "<<< .", "<<< QUIT"])
        self.assertTrue(said[0].startswith(">>> 220 mail.example.org ESMTP"), said)
        self.assertIn(">>> 354 End data with <CR><LF>.<CR><LF>", said)
        self.assertEqual(said[-1], ">>> 221 2.0.0 mail.example.org closing connection")
        out = self.conversation(r"=== CONNECT \[127\.0\.0\.1\]$")
        self.assertEqual(out[:3], ["=== CONNECT [127.0.0.1]", "<<< 220 sink ESMTP", ">>> EHLO mail.example.org"])
        self.assertEqual([line for line in out if line in (">>> Subject: x", ">>> ", ">>> ..dot", ">>> last", ">>> .", "<<< 250 2.0.0 taken")], [">>> Subject: x", ">>> ", ">>> ..dot", ">>> last", ">>> .", "<<< 250 2.0.0 taken"])
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode) & 0o7133, 0)

    def test_no_password(self):
        """However the bytes are cut."""
        self.stage()
        for pieces in (["AUTH PLAIN " + SECRET + "\r\n"], ["AU", "TH pla", "in ", SECRET[:5], SECRET[5:], "\r\n"], ["AUTH PLAIN\r\n", SECRET[:4], SECRET[4:] + "\r\n"],
                       ["AUTH LOGIN\r\n", "am9l\r\n", SECRET, "\r\n"], ["AUTH PLAIN " + SECRET * 200 + "\r\n"], ["AUTH PLAIN " + SECRET]):
            with self.pr.client() as client:
                client.sock.settimeout(10)
                for piece in pieces:
                    client.send(piece.encode())
                    if piece.endswith("\r\n"):
                        client.reply()
        story.wait_for("the last line", lambda: self.text().count("[EOF]") > 0)
        self.assertEqual(re.findall(r"[A-Za-z0-9+/]*" + SECRET[4:10], self.text()), [])
        self.assertEqual(re.findall(r"<<< (.*\*.*)", self.text()), ["AUTH PLAIN *****", "AUTH plain *****", "*****", "*****", "*****", "AUTH PLAIN *****", "AUTH PLAIN *****"])

    def test_no_password_behind_a_chunk(self):
        """A chunk that nobody asked for is read and refused; a command in the same packet is a command in the transcript, too."""
        self.stage()
        with self.pr.client(helo="chunks.example") as client:
            client.send(f"BDAT 6 LAST\r\nabcdefAUTH PLAIN {SECRET}\r\nNOOP\r\n".encode())
            self.assertEqual([client.reply()[0] for _ in range(3)][::2], [503, 250])
        story.wait_for("the end", lambda: "closing connection" in self.text())
        self.assertNotIn(SECRET, self.text())
        self.assertIn("<<< AUTH PLAIN *****", self.text())

    def test_reload(self):
        """The next generation goes on in the same file."""
        self.stage()
        self.assertEqual(self.pr.ctl("reload")[0], 0)
        with self.pr.client(helo="second.example"):
            pass
        story.wait_for("the second conversation", lambda: "EHLO second.example" in self.text())

    def sendmail(self, *words, text=""):
        done = self.pr.run("sendmail", "-C", self.pr.conf_path, *words, text=text)
        return done.returncode, done.stdout

    def test_programs(self):
        self.stage()
        own = os.path.join(self.scratch, "own")

        def lines():
            with open(own) as handle:
                result = [line.split(" ", 1)[1] for line in handle.read().split("\n")[:-1]]
            os.remove(own)
            return result
        status, _ = self.sendmail("-X", own, "-odq", "-f", "a@example.net", "joe@far.example", text="Subject: x\n\n.dot\n\nlast\n")
        self.assertEqual(status, 0)
        got = lines()
        self.assertEqual(got[:6], ["<<< Subject: x", "<<< ", "<<< .dot", "<<< ", "<<< last", "<<< [EOF]"])
        self.assertTrue(got[6].startswith("=== CONNECT /"), got)
        self.assertEqual([line for line in got[7:] if line.startswith(">>> ")],
                         [">>> MAIL FROM:<a@example.net> SIZE=23 XDELIVER=q", ">>> RCPT TO:<joe@far.example>", ">>> DATA", ">>> Subject: x", ">>> ", ">>> ..dot", ">>> ", ">>> last", ">>> .", ">>> QUIT"])
        status, _ = self.sendmail("-X", own, "-bs", text="NOOP\r\nQUIT\r\n")
        self.assertEqual(status, 0)
        got = lines()
        self.assertEqual([line for line in got if line.startswith("<<<")], ["<<< NOOP", "<<< QUIT"])
        self.assertEqual(got[-1], ">>> 221 2.0.0 mail.example.org closing connection")
        story.wait_for("the queue file", self.pr.queue_ids)
        status, _ = self.sendmail("-X", own, "-qRfar.example")
        self.assertEqual(status, 0)
        self.hop.wait(1)
        got = lines()
        self.assertIn("=== CONNECT [127.0.0.1]", got)
        self.assertIn(">>> ..dot", got)
        for words in (["-odq", "joe@far.example"], ["-bs"], ["-q"], ["-bD"]):
            status, said = self.sendmail("-X", "/nonexistent/own", *words, text="x\n")
            self.assertEqual((status, said.strip()), (73, "cannot open /nonexistent/own: No such file or directory"), words)

    def test_one_process(self):
        self.stage(single=True)
        self.pr.send("a@example.net", ["joe@far.example"], "Subject: x\n\nx\n")
        self.hop.wait(1)
        story.wait_for("the delivery", lambda: "=== CONNECT" in self.text())


if __name__ == "__main__":
    story.main()
