#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Mail that requires TLS goes on only to who is in TLS, can prove his name and promises the same, and is returned otherwise, without its text; what is
marked "TLS-Required: No" rather goes in the clear than not at all (RFC 8689)."""
import glob
import os
import re
import ssl
import subprocess
import sys

import story
import tls_peer

LETTER = "From: ann@example.net\nTo: joe@far.example\nSubject: s\n%s\nsecret text\n"


class RequireTls(story.Story):
    def setUp(self):
        super().setUp()
        self.pki = tls_peer.Authority(os.path.join(self.scratch, "pki"))
        self.others = tls_peer.Authority(os.path.join(self.scratch, "others"), "Root of Others")
        os.chmod(self.scratch, 0o755)

    def peer(self, certificate=None, promises=False, **settings):
        peer = tls_peer.Peer(certificate=certificate, **settings)
        if promises:
            peer.offers += "250-REQUIRETLS\r\n"
        self.sinks.append(peer)
        return peer

    def zone(self, *lines):
        """A name server of our own; its address for Resolver."""
        path = os.path.join(self.scratch, "zone")
        with open(path, "w") as file:
            file.writelines(line + "\n" for line in lines)
        stub = subprocess.Popen([sys.executable, os.path.join(story.SOURCE, "tests/tool/dnsstub"), "127.0.0.1", "0", path], stdout=subprocess.PIPE, text=True)
        self.addCleanup(stub.stdout.close)
        self.addCleanup(stub.wait)
        self.addCleanup(stub.kill)
        return "127.0.0.1:" + re.search(r"\d+\s*$", stub.stdout.readline()).group(0).strip()

    def stage(self, port, *more, name="pr", options=None, mailer=None):
        certificate, key = self.pki.certificate("mail.example.org")
        os.chmod(key, 0o644)
        resolver = self.zone("far.example MX 10 good.example", "good.example A 127.0.0.1", "bad.example A 127.0.0.2", *more)
        self.pr = self.daemon(name, start=False, mailers={"esmtp": {"module": "smtp", "port": port, "loop_check": False, **(mailer or {})},
                                                          "local": {"module": "local", "format": "maildir", "path": f"{self.scratch}/box-{name}/%u"}},
                              options={"CACertFile": self.pki.path, "ServerCertFile": certificate, "ServerKeyFile": key, "Resolver": [resolver],
                                       "LogLevel": 14, "QueueInterval": "1h", "ConnectionCacheSize": 4, **(options or {})})
        os.makedirs(os.path.join(self.scratch, f"box-{name}"), exist_ok=True)
        os.chmod(os.path.join(self.scratch, f"box-{name}"), 0o1777)
        return self.pr.start()

    def secure(self):
        client = self.pr.client()
        self.addCleanup(client.close, False)
        client.expect(220, "STARTTLS")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        client.sock = context.wrap_socket(client.sock)
        client.file = client.sock.makefile("rb")
        client.ehlo = client.command("EHLO client.example")
        return client

    def send(self, header="", require=True, sender="nobody@example.org"):
        client = self.secure()
        client.expect(250, f"MAIL FROM:<{sender}>" + (" REQUIRETLS" if require else ""))
        client.expect(250, "RCPT TO:<joe@far.example>")
        client.expect(354, "DATA")
        client.send(story.wire(LETTER % header) + b".\r\n")
        code, text = client.reply()
        self.assertEqual(code, 250, text)
        client.close()
        return text.split()[2]

    def returned(self, status, name="pr"):
        """The notice, which says why and does not hold the text."""
        box = f"{self.scratch}/box-{name}/nobody"
        notice = story.wait_for("a notice\n" + self.pr.log()[-1500:], lambda: self.pr.maildir(box))[0]
        self.assertIn(f"Status: {status}", notice)
        self.assertIn("Subject: s", notice)
        self.assertNotIn("secret text", notice)

    def test_promised(self):
        peer = self.peer(self.pki.certificate("good.example"), True)
        self.stage(peer.port)
        client = self.secure()
        self.assertIn("REQUIRETLS", client.ehlo[1])
        client.close()
        self.send()
        peer.wait(1)
        mail = [line for line in peer.conversations[-1] if line.startswith("MAIL")]
        self.assertEqual([re.sub(r" SIZE=\d+", "", line) for line in mail], ["MAIL From:<nobody@example.org> REQUIRETLS"])
        self.send(require=False)
        peer.wait(2)
        self.assertEqual([" REQUIRETLS" in line for talk in peer.conversations for line in talk if line.startswith("MAIL")], [True, False])

    def test_not_promised(self):
        peer = self.peer(self.pki.certificate("good.example"))
        self.stage(peer.port)
        self.send()
        self.returned("5.7.30")
        self.assertEqual(peer.messages, [])
        self.send(require=False)
        peer.wait(1)

    def test_no_tls(self):
        peer = self.peer(None, True)
        self.stage(peer.port)
        self.send()
        self.returned("5.7.10")
        self.assertEqual(peer.messages, [])

    def test_not_proven(self):
        for number, certificate in enumerate((self.others.certificate("good.example"), self.pki.certificate("other.example"), self.pki.certificate("good.example", expired=True))):
            with self.subTest(number):
                peer = self.peer(certificate, True)
                self.stage(peer.port, name=f"pr{number}")
                self.send()
                self.returned("5.7.10", f"pr{number}")
                self.assertEqual(peer.messages, [])

    def test_the_next_host_is_asked(self):
        good = self.peer(self.pki.certificate("good.example"), True)
        bad = tls_peer.Peer(address="127.0.0.2", port=good.port)
        self.sinks.append(bad)
        self.stage(good.port, "two.example MX 5 bad.example", "two.example MX 10 good.example")
        client = self.secure()
        client.expect(250, "MAIL FROM:<nobody@example.org> REQUIRETLS")
        client.expect(250, "RCPT TO:<joe@two.example>")
        client.expect(354, "DATA")
        client.send(story.wire(LETTER % "") + b".\r\n")
        self.assertEqual(client.reply()[0], 250)
        good.wait(1)
        self.assertEqual(bad.messages, [])
        self.assertEqual(bad.connections, 1)

    def test_it_waits_in_the_queue(self):
        peer = self.peer(self.pki.certificate("good.example"), True, answer=lambda verb, words: "450 4.2.1 later" if verb == "RCPT" and not self.open else None)
        self.open = False
        self.stage(peer.port, options={"MinQueueAge": "0s"})
        letter = self.send()
        story.wait_for("the control file", lambda: glob.glob(os.path.join(self.pr.top, "queue", "**", "qf" + letter), recursive=True))
        with open(glob.glob(os.path.join(self.pr.top, "queue", "**", "qf" + letter), recursive=True)[0]) as handle:
            self.assertIn("\n${requiretls}1\n", handle.read())
        self.pr.stop()
        self.open = True
        self.pr.start()
        self.pr.ctl("queue-run")
        peer.wait(1)
        self.assertTrue(any(" REQUIRETLS" in line for line in peer.conversations[-1] if line.startswith("MAIL")))

    def test_rather_in_the_clear(self):
        peer = self.peer(self.pki.certificate("good.example"), manner="breaks")
        self.stage(peer.port)
        waiting = self.send(require=False)
        self.pr.wait_log(waiting + ": to=.*stat=Deferred")
        self.assertEqual(peer.messages, [])
        self.send("TLS-Required: No\n", require=False)
        peer.wait(1)
        self.send("TLS-Required: No\n", require=True)  # it wins over the header
        self.send(require=False)  # and what was opened in the clear is not used for others
        story.wait_for("two more that wait", lambda: len(re.findall(r"stat=Deferred", self.pr.log())) >= 3)
        self.assertEqual(len(peer.messages), 1)

    def test_switched_off(self):
        self.stage(9, options={"RequireTLS": False})
        client = self.secure()
        self.assertNotIn("REQUIRETLS", client.ehlo[1])
        client.expect(555, "MAIL FROM:<a@example.net> REQUIRETLS")


if __name__ == "__main__":
    story.main()
