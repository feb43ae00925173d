#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Whatever a stranger or a local user sends: each attack has its reply, the memory stays flat, and the next client is served."""
import contextlib
import os
import pwd
import random
import re
import shutil
import socket
import ssl
import struct
import subprocess
import time
import unittest

import story

MEGABYTE = 1 << 20


def resident(pid):
    with open(f"/proc/{pid}/status") as handle:
        return int(re.search(r"VmRSS:\s+(\d+) kB", handle.read()).group(1)) * 1024


def reset(client):
    """Closes with RST."""
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close(False)


class Attacks(story.Story):
    def relay(self, **settings):
        self.hop = self.sink()
        daemon = self.daemon(start=False, **settings)
        daemon.settings["rules"]["smart_host"] = f"[127.0.0.1]:{self.hop.port}"
        return daemon.start()

    def receiver(self, daemon):
        return [pid for pid, role in daemon.processes().items() if role == "receiver"][0]

    def alive(self, daemon, receiver=None):
        """The same process still serves, and nothing was said about a crash."""
        daemon.send("a@example.net", ["after@far.example"], "Subject: after\n\nx\n")
        if receiver is not None:
            self.assertEqual(self.receiver(daemon), receiver, daemon.log()[-3000:])

    def talk(self, daemon, data, seconds=20):
        """All that is answered to these bytes, until the daemon closes or is silent after our end."""
        with socket.create_connection(("127.0.0.1", daemon.port), seconds * story.SLOW) as sock:
            with contextlib.suppress(OSError):
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
            got = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := sock.recv(65536):
                    got += piece
            return got

    def open_data(self, client, recipients=("x@far.example",)):
        client.expect(250, "MAIL FROM:<a@example.net>")
        for recipient in recipients:
            client.expect(250, f"RCPT TO:<{recipient}>")
        client.expect(354, "DATA")

    def test_commands_without_end(self):  # row 11
        daemon = self.relay()
        receiver = self.receiver(daemon)
        with daemon.client() as client:
            got = client.command("NOOP " + "x" * 5000)[0]
            self.assertIn(got, (421, 500))
            if got == 500:
                client.expect(250, "NOOP")
        before = resident(receiver)
        clients = [daemon.client() for _ in range(8)]
        for client in clients:
            with contextlib.suppress(OSError):
                for _ in range(16):
                    client.send(b"x" * 65536)
        self.assertLess(resident(receiver) - before, 16 * MEGABYTE)
        for client in clients:
            client.close(False)
        self.alive(daemon, receiver)

    def test_headers_without_end(self):  # row 12
        daemon = self.relay()
        receiver = self.receiver(daemon)
        for header, codes in ((b"X-Long: " + b"y" * 60000 + b"\r\n", (250, 552, 554)),
                              (b"X-Many: z\r\n" * 2000, (250, 552, 554)), (b"X-Much: " + b"w" * 1000 + b"\r\n", (552, 554))):
            with daemon.client() as client, self.subTest(header=header[:8]):
                self.open_data(client)
                times = 32000 if header.startswith(b"X-Much") else 1
                before = resident(receiver)
                for _ in range(times // 100 + 1):
                    client.send(header * min(times, 100))
                client.send(b"\r\nbody\r\n.\r\n")
                self.assertIn(client.reply()[0], codes)
                self.assertLess(resident(receiver) - before, 24 * MEGABYTE)
        self.alive(daemon, receiver)

    def test_long_lines_are_kept(self):  # row 13
        daemon = self.relay()
        lines = ["a" * 5000, "b" * 100000, "." + "c" * 70000]
        daemon.send("a@example.net", ["x@far.example"], "Subject: long\n\n" + "\n".join(lines) + "\n")
        body = self.hop.wait(1)[0][2].split("\n\n", 1)[1]
        self.assertEqual(body.split("\n")[:3], lines)

    def test_nul_is_answered(self):  # row 14
        daemon = self.relay()
        with daemon.client() as client:
            self.assertEqual(client.command("NO\0OP")[0] // 100, 5)
            self.assertEqual(client.command("MAIL FROM:<a\0b@example.net>")[0] // 100, 5)
            for text in (b"Sub\0ject: x\r\n\r\nbody\r\n", b"Subject: x\r\n\r\nbo\0dy-behind\r\n"):
                self.open_data(client)
                client.send(text + b".\r\n")
                got = client.reply()[0]
                self.assertIn(got, (250, 554))
                if got == 250:  # then not a byte of it may be missing
                    self.assertIn("dy-behind" if b"behind" in text else "body", self.hop.wait(1)[-1][2])

    def test_many_recipients(self):  # row 15
        daemon = self.relay(options={"MaxRecipientsPerMessage": 500})
        with daemon.client() as client:
            client.expect(250, "MAIL FROM:<a@example.net>")
            client.send("".join(f"RCPT TO:<r{n}@far.example>\r\n" for n in range(1200)))
            codes = [client.reply()[0] for _ in range(1200)]
            accepted = codes.count(250)
            self.assertEqual((accepted, codes.count(452)), (500, 700))
            client.expect(354, "DATA")
            client.send("Subject: many\r\n\r\nx\r\n.\r\n")
            self.assertEqual(client.reply()[0], 250)
        story.wait_for("all recipients", lambda: sum(len(m[1]) for m in self.hop.messages) >= 500)
        told = [name for message in self.hop.messages for name in message[1]]
        self.assertEqual(sorted(told), sorted(f"r{n}@far.example" for n in range(500)))

    def test_parameters(self):  # rows 4, 5, 16, 17, 18
        daemon = self.relay(options={"MaxMessageSize": 100000})
        for line in ("BDAT -5", "BDAT 18446744073709551616 LAST", "BDAT", "BDAT x"):
            with daemon.client() as client:
                self.assertEqual(client.command(line)[0] // 100, 5, line)
        with daemon.client() as client:
            self.assertEqual(client.command("STARTTLS now")[0] // 100, 5)
            for size in ("100001", "9" * 20, "-1"):
                self.assertIn(client.command(f"MAIL FROM:<a@example.net> SIZE={size}")[0], (501, 552), size)
            self.assertIn(client.command("MAIL FROM:<a@example.net> SMTPUTF8")[0], (501, 504, 553, 555))
            self.assertIn(client.command("MAIL FROM:<\xe9@example.net>")[0], (501, 550, 553))
            self.assertIn(client.command("MAIL FROM:<a@example.net> ENVID=+0G")[0], (501,))
            got = client.command("MAIL FROM:<a@example.net> RET=HDRS ENVID=a+0D+0AEvil")
            self.assertIn(got[0], (250, 501))
            if got[0] == 501:
                client.expect(250, "MAIL FROM:<a@example.net> RET=HDRS ENVID=a+20b")
            got = client.command("RCPT TO:<x@far.example> ORCPT=rfc822;a+0D+0AEvil: header")
            self.assertEqual(got[0] // 100, 5, got)
            got = client.command("RCPT TO:<x@far.example> NOTIFY=FAILURE ORCPT=rfc822;a+0D+0AEvil:+20header")
            self.assertIn(got[0], (250, 501))
            if got[0] == 501:
                client.expect(250, "RCPT TO:<x@far.example>")
            client.expect(354, "DATA")
            client.send(b"\r\n" + b"x" * 78 + b"\r\n" + (b"y" * 998 + b"\r\n") * 101 + b".\r\n")
            self.assertEqual(client.reply()[0], 552, "a lying SIZE")
        for name in os.listdir(os.path.join(daemon.top, "queue")):
            path = os.path.join(daemon.top, "queue", name)
            if os.path.isfile(path):
                with open(path, "rb") as handle:
                    self.assertNotIn(b"\nEvil", handle.read())

    def test_cut_into_bytes(self):  # row 19
        daemon = self.relay(options={"MaxNOOPCommands": 0})
        dialogue = (b"EHLO x.example\r\n" + b"NOOP\r\n" * 100 + b"MAIL FROM:<a@example.net>\r\nRCPT TO:<x@far.example>\r\nDATA\r\n"
                    b"Subject: cut\r\n\r\n..dot\r\n.\r\nQUIT\r\n")
        whole = self.talk(daemon, dialogue)
        with daemon.client(helo=None) as client:
            for at in range(len(dialogue)):
                client.send(dialogue[at:at + 1])
            pieces = client.file.read()
        strip = lambda text: re.sub(rb"2\.0\.0 \w{14} Message|\[127.*\]", b"", text)
        self.assertEqual(strip(whole).split(b"\r\n", 1)[1], strip(pieces))
        self.assertEqual(self.hop.wait(2)[0][2].split("\n\n", 1)[1], ".dot\n")

    def test_other_protocols(self):  # rows 10, 20, 21
        daemon = self.relay()
        for data in (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 40 + b"\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) * 2,
                     b'{"jsonrpc":"2.0"}\n' * 60, os.urandom(65536)):
            got = self.talk(daemon, data)
            self.assertTrue(got.startswith(b"220 "), got[:100])
            for line in got.split(b"\r\n")[1:-1]:
                self.assertRegex(line, rb"^[1245]\d\d[ -]")
                self.assertNotRegex(line, rb"[\x00-\x08\x0b-\x1f\x7f-\xff]")
            self.assertTrue(b"421 " in got or data.startswith(b"\x16"), got)
        self.alive(daemon)

    def test_resets_in_every_state(self):  # row 22
        daemon = self.relay()
        receiver = self.receiver(daemon)
        steps = ["", "EHLO x\r\n", "MAIL FROM:<gone@example.net>\r\n", "RCPT TO:<x@far.example>\r\n", "DATA\r\n", "Subject: x\r\n\r\nhalf"]
        for length in range(len(steps) + 1):
            for wait in (False, True):
                client = daemon.client(helo=None)
                for step in steps[:length]:
                    client.send(step)
                    if wait and step.endswith("\r\n") and not step.startswith("Subject"):
                        client.reply()
                reset(client)
        with daemon.client() as client:  # after the dot, before the reply: delivered or not, but once
            self.open_data(client)
            client.send("Subject: dot\r\n\r\nx\r\n.\r\n")
            reset(client)
        self.alive(daemon, receiver)
        story.wait_for("the last letter", lambda: "after@far.example" in str(self.hop.messages))
        self.assertEqual([m for m in self.hop.messages if m[0] == "gone@example.net"], [])
        self.assertLess(len([m for m in self.hop.messages if "dot" in m[2]]), 2)

    def test_mutated_dialogues(self):  # row 23
        daemon = self.relay()
        receiver = self.receiver(daemon)
        dice = random.Random(int(os.environ.get("STORY_SEED", "11")))
        lines = [b"EHLO x.example", b"HELO x", b"MAIL FROM:<a@example.net> SIZE=100 BODY=8BITMIME RET=FULL", b"RCPT TO:<x@far.example> NOTIFY=NEVER",
                 b"DATA", b"Subject: x", b"", b".", b"RSET", b"NOOP", b"VRFY root", b"EXPN root", b"STARTTLS", b"AUTH PLAIN AA==", b"QUIT",
                 b"MAIL FROM:<>", b"RCPT TO:<@a,@b:c@d>", b"HELP MAIL", b"ETRN x", b"BDAT 5 LAST", b"\xff\xfe\x00\x01", b"XDROP 0", b"..", b"From: a@b (" * 20]
        for _ in range(150):
            data = b""
            for _ in range(dice.randrange(1, 40)):
                line = bytearray(dice.choice(lines))
                for _ in range(dice.choice((0, 0, 0, 1, 3))):
                    if line:
                        line[dice.randrange(len(line))] = dice.choice(b"\x00\r\n <>@\"\\(),;:|/\x80\xffA.%")
                data += bytes(line) + dice.choice((b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b""))
            got = self.talk(daemon, data)
            for line in got.split(b"\r\n")[:-1]:
                self.assertRegex(line, rb"^[2345]\d\d([ -]|$)", data)
                self.assertNotRegex(line, rb"[\x00-\x08\x0a-\x1f\x7f-\xff]", data)
        self.assertNotRegex(daemon.log(), r"[\x00-\x08\x0b-\x1f\x7f-\xff]")
        self.alive(daemon, receiver)

    def test_no_secrets_are_told(self):  # rows 24, 56
        daemon = self.relay()
        with daemon.client() as client:
            for line in ("VRFY :include:/etc/shadow", "EXPN :include:/etc/shadow", "VRFY |/bin/id", "EXPN /etc/passwd", "EXPN root", "VRFY root"):
                got = client.command(line)
                self.assertIn(got[0], (250, 252, 501, 502, 550, 553), got)
                self.assertNotRegex(got[1], r"root:|/root|uid=")
            client.expect(250, "MAIL FROM:<a@example.net>")
            for name in ('"|/bin/touch x"', "/etc/passwd", '"/etc/passwd"', '":include:/etc/shadow"', "|id", ":include:/etc/passwd", "\\|id"):
                got = client.command(f"RCPT TO:<{name}@example.org>")
                self.assertEqual(got[0] // 10, 55, got)
                got = client.command(f"RCPT TO:<{name}>")
                self.assertEqual(got[0] // 10, 55, got)

    def test_a_strangers_bar_or_slash_is_only_a_letter(self):  # row 56: programs and files are for aliases to name
        daemon = self.relay(options={"DefaultUser": "nobody"})
        trace, where = os.path.join(daemon.top, "box", "trace"), os.path.join(daemon.top, "box", "file")
        os.chmod(os.path.join(daemon.top, "box"), 0o777)
        names = [f"|touch${{IFS}}{trace}|cat@far.example", f"{where}@far.example", f"|touch${{IFS}}{trace}&@far.example"]
        for name in names:
            daemon.send("a@example.net", [name], "Subject: to\n\nx\n")  # relayed like any address of that domain
        self.assertEqual(sorted(m[1][0] for m in self.hop.wait(3)), sorted(names))
        self.hop.answer = lambda verb, words: "550 5.1.1 no" if verb == "RCPT" and "<gone@" in words else None
        for name in names + [f"|touch${{IFS}}{trace}"]:  # and the report goes where the domain says
            with daemon.client() as client:
                got = client.message(name, ["gone@far.example"], "Subject: from\n\nx\n")
                self.assertIn(got[0], (250, 501, 553), got)
        self.hop.wait(6)
        story.wait_for("an empty queue", lambda: not daemon.queue_ids())
        self.assertEqual(sorted(m[1][0] for m in self.hop.messages[3:6]), sorted(names))
        self.assertEqual(os.listdir(os.path.join(daemon.top, "box")), [])
        self.assertNotRegex(daemon.log(), "mailer=(prog|file)")

    @unittest.skipUnless(shutil.which("openssl"), "needs openssl to make a certificate")
    def test_what_stands_before_tls_is_forgotten(self):  # rows 6, 7, 9, 10
        daemon = self.relay()
        cert, key = os.path.join(daemon.top, "etc", "cert.pem"), os.path.join(daemon.top, "etc", "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "9", "-subj", "/CN=x"],
                       check=True, capture_output=True)
        if story.IS_ROOT:
            shutil.chown(key, "daemon")
        daemon.settings["options"].update(ServerCertFile=cert, ServerKeyFile=key)
        daemon.stop()
        daemon.start()
        receiver = self.receiver(daemon)
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        for before in ("", "MAIL FROM:<evil@example.net>\r\n", "MAIL FROM:<evil@example.net>\r\nRCPT TO:<x@far.example>\r\n"):
            for behind in ("", "EHLO evil\r\nMAIL FROM:<evil@example.net>\r\n", "NOOP\r\n" * 2000):
                client = daemon.client()
                for line in before.split("\r\n")[:-1]:
                    client.expect(250, line)
                client.send("STARTTLS\r\n" + behind)
                got = client.reply()
                if got[0] != 220:  # within a transaction it may be refused
                    self.assertEqual(got[0], 503)
                    client.close(False)
                    continue
                with contextlib.suppress(ssl.SSLError, ConnectionError):
                    with trust.wrap_socket(client.sock) as secure:
                        secure.settimeout(10 * story.SLOW)
                        secure.sendall(b"RCPT TO:<x@far.example>\r\nDATA\r\nNOOP\r\n")
                        stream = secure.makefile("rb")
                        self.assertEqual([stream.readline()[:3] for _ in range(3)], [b"503", b"503", b"250"])
                client.close(False)
        for junk in (b"EHLO plain\r\n" * 100, os.urandom(5000), b""):
            with daemon.client() as client:
                client.expect(220, "STARTTLS")
                client.send(junk)
                with contextlib.suppress(OSError):
                    client.sock.shutdown(socket.SHUT_WR)
                    self.assertNotRegex(client.file.read(), rb"(?m)^[2345]\d\d ")
        self.alive(daemon, receiver)
        self.assertNotIn("evil", str(self.hop.messages))

    def test_nothing_raw_in_logs_and_replies(self):  # row 81
        daemon = self.relay()
        evil = "\x1b[31m%n%s\r\x7f\xff"
        with daemon.client(helo=None) as client:
            client.command("HELO x" + evil)
            client.command("HELO x")
            for line in ("FOO" + evil, "MAIL FROM:<a" + evil + "@b>", "MAIL FROM:<" + "l" * 1500 + "@example.net>", "VRFY " + evil, "A\rB250 ok"):
                got = client.command(line)
                self.assertNotRegex(got[1], r"[\x00-\x08\x0b-\x1f\x7f-\xff]")
            self.open_data(client)
            client.send(("Subject: \x1b[0m %n\r\nFrom: \x1b]0;x\x07@evil\r\nMessage-Id: <\x1b[2J" + "i" * 10000 + "@x>\r\n\r\nx\r\n.\r\n").encode("latin-1"))
            client.reply()
        time.sleep(0.5)
        for line in daemon.log().split("\n"):
            self.assertNotRegex(line, r"[\x00-\x08\x0b-\x1f\x7f-\xff]")
            self.assertLess(len(line), 4000)

    def test_hostile_addresses(self):  # row 85
        daemon = self.relay()
        receiver = self.receiver(daemon)
        with daemon.client() as client:
            client.expect(250, "MAIL FROM:<a@example.net>")
            for address in ("(" * 900 + ")" * 900 + "a@b", "," * 1000, "a..b@far.example.." , "@a:" * 300 + "x@y", "%".join(["a"] * 500) + "@example.org",
                            "!".join(["a"] * 500), "\\" * 999, '"' * 999, "[" * 500 + "@" + "]" * 500, "@" * 900):
                began = time.monotonic()
                got = client.command(f"RCPT TO:<{address}>")
                self.assertIn(got[0] // 100, (2, 4, 5), got)
                self.assertLess(time.monotonic() - began, 2 * story.SLOW, address[:20])
            client.command("RSET")
            for header in ("To: " + "(" * 10000 + ")" * 10000 + "\r\n", "To: " + "a@b," * 20000 + "\r\n", "From: " + '"' * 9999 + "\r\n", "Cc: " + "g:" * 9000 + "\r\n"):
                self.open_data(client)
                began = time.monotonic()
                client.send(header + "\r\nx\r\n.\r\n")
                self.assertIn(client.reply()[0], (250, 552, 554))
                self.assertLess(time.monotonic() - began, 5 * story.SLOW, header[:20])
        self.alive(daemon, receiver)

    def test_a_long_journey_ends(self):  # row 80
        daemon = self.relay()
        with daemon.client() as client:
            got = client.message("a@example.net", ["x@far.example"], "Received: from a by b; now\n" * 200 + "Subject: x\n\nx\n")
            self.assertEqual(got[0], 554, got)
            self.assertIn("5.4.6", got[1])

    def test_slow_clients(self):  # row 77
        daemon = self.relay(options={"Timeout": {"command": "2s", "datablock": "2s"}})
        slow = []
        for start in (b"", b"EHLO x\r\n", b"EHLO x\r\nMAIL FROM:<a@example.net>\r\n",
                      b"EHLO x\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<x@far.example>\r\nDATA\r\nSubject"):
            for _ in range(40):
                sock = socket.create_connection(("127.0.0.1", daemon.port), 30)
                sock.sendall(start)
                slow.append(sock)
        began = time.monotonic()
        for _ in range(5):
            daemon.send("a@example.net", ["good@far.example"], "Subject: x\n\nx\n")
            for sock in slow:
                with contextlib.suppress(OSError):
                    sock.send(b"x")
        self.assertLess(time.monotonic() - began, 10 * story.SLOW)
        for sock in slow:  # one byte each second does not keep a command line open
            sock.settimeout(15 * story.SLOW)
            with contextlib.suppress(OSError):
                while sock.recv(65536):
                    pass
            sock.close()
        self.assertLess(time.monotonic() - began, 30 * story.SLOW)

    def test_open_and_close(self):  # row 86
        daemon = self.relay()
        receiver = self.receiver(daemon)
        before = len(os.listdir(f"/proc/{receiver}/fd"))
        for _ in range(2000):
            sock = socket.create_connection(("127.0.0.1", daemon.port), 10)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
        self.alive(daemon, receiver)
        story.wait_for("the descriptors to come back", lambda: len(os.listdir(f"/proc/{receiver}/fd")) <= before + 4)

    @unittest.skipUnless(story.IS_ROOT, "needs another user")
    def test_one_local_user_does_not_take_all_sessions(self):  # row 62
        daemon = self.relay(options={"MaxDaemonChildren": 40})
        path = os.path.join(daemon.top, "run", "submit.sock")
        there, here = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            try:
                os.setgid(pwd.getpwnam("games").pw_gid)
                os.setuid(pwd.getpwnam("games").pw_uid)
                socks = []
                for _ in range(60):
                    socks.append(socket.socket(socket.AF_UNIX))
                    with contextlib.suppress(OSError):
                        socks[-1].settimeout(5)
                        socks[-1].connect(path)
                        there.sendall(socks[-1].recv(4)[:3])
                there.sendall(b"end")
                there.recv(1)
            finally:
                os._exit(0)
        got = b""
        here.settimeout(60)
        while not got.endswith(b"end"):
            got += here.recv(4096)
        self.assertGreaterEqual(got.count(b"220"), 5, got)
        self.assertLessEqual(got.count(b"220"), 12, got)
        daemon.send("a@example.net", ["x@far.example"], "Subject: the world\n\nx\n")
        here.sendall(b"x")
        os.waitpid(pid, 0)
        here.close()
        there.close()
        self.hop.wait(1)


if __name__ == "__main__":
    story.main()
