#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What TLSA records bind and what the sender wants (RFC 8689): "TLS-Required: No" takes his message, and no other, out of DANE; REQUIRETLS is satisfied by a record that matches and wins over
that header; and each connection to a host with records is compared with them, whatever was said before."""
import os
import ssl

import dane
import story

LETTER = "From: ann@example.net\r\nTo: joe@far.example\r\n%sSubject: s\r\n\r\nbody\r\n.\r\n"


class Wishes(dane.Dane):
    def send_with(self, name, header="", require=False):
        client = self.pr.client()
        self.addCleanup(client.close, False)
        if require:
            client.expect(220, "STARTTLS")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            client.sock = context.wrap_socket(client.sock)
            client.file = client.sock.makefile("rb")
            client.command("EHLO client.example")
        client.expect(250, "MAIL FROM:<nobody@example.org>" + (" REQUIRETLS" if require else ""))
        client.expect(250, f"RCPT TO:<joe@{name}.test>")
        client.expect(354, "DATA")
        client.send(LETTER % header)
        code, text = client.reply()
        self.assertEqual(code, 250, text)
        return text.split()[2]

    def outcome(self, letter):
        self.pr.wait_log(letter + ": to=<joe@.*stat=")
        return self.pr.log().split(letter + ": to=<joe@", 1)[1].split("\n", 1)[0]

    def receiver(self):
        certificate, key = self.pki.certificate("mail.example.org")
        os.chmod(key, 0o644)
        return {"ServerCertFile": certificate, "ServerKeyFile": key}

    def test_the_header(self):
        """A host that fails DANE gets it, in TLS if it can; the next message, without the header, still waits, on the same and on another connection."""
        self.world()
        self.waits("mismatch", "454 4.7.0 DANE check failed.")
        self.assertIn("stat=Sent", self.outcome(self.send_with("mismatch", "TLS-Required: No\r\n")))
        self.assertTrue([line for line in self.peer.conversations[-1] if line.startswith("TLSv1")])
        self.waits("mismatch", "454 4.7.0 DANE check failed.")
        self.assertIn("stat=Sent", self.outcome(self.send_with("right", "TLS-Required: No\r\n")))
        self.goes("right")  # compared, though there was a connection that was not
        self.assertIn("Deferred: 454 4.7.0 DANE check failed.", self.outcome(self.send_with("mismatch", "TLS-Required: Yes\r\n")))

    def test_the_header_in_the_clear(self):
        self.world(offers=False)
        self.waits("right", "403 4.7.0 DANE wants TLS")
        self.assertIn("stat=Sent", self.outcome(self.send_with("right", "TLS-Required: No\r\n")))
        self.waits("right", "403 4.7.0 DANE wants TLS")

    def test_the_header_and_a_broken_handshake(self):
        self.world()
        self.peer.manner = "breaks"
        self.waits("right", "")
        self.assertIn("stat=Sent", self.outcome(self.send_with("right", "TLS-Required: No\r\n")))
        self.assertNotIn("STARTTLS", self.peer.conversations[-1])
        self.waits("right", "")

    def test_the_header_and_forged_answers(self):
        """It is no reason to believe a name server that lies."""
        self.world()
        for name, words in (("bogus", "Name server: bogus.test: host name lookup failure"), ("outside", "Name server: mx.bogus.test: host name lookup failure")):
            self.assertIn("Deferred: " + words, self.outcome(self.send_with(name, "TLS-Required: No\r\n")))
        self.assertEqual(self.peer.conversations, [])

    def test_required(self):
        """A record that matches is proof enough, whoever signed the certificate; one that does not is none, whatever the header says."""
        self.world(self.pki.certificate("own.example", own=True), **self.receiver())
        self.peer.offers += "250-REQUIRETLS\r\n"
        self.assertIn("stat=Sent", self.outcome(self.send_with("right", require=True)))
        self.assertTrue([line for line in self.peer.conversations[-1] if line.startswith("MAIL") and line.endswith(" REQUIRETLS")])
        self.assertIn("Deferred: 454 4.7.0 DANE check failed.", self.outcome(self.send_with("mismatch", require=True)))
        self.assertIn("Deferred: 454 4.7.0 DANE check failed.", self.outcome(self.send_with("mismatch", "TLS-Required: No\r\n", require=True)))
        self.assertIn("dsn=5.7.10", self.outcome(self.send_with("none", require=True)))  # no records, and nobody we know signed it
        self.assertIn("dsn=5.7.10", self.outcome(self.send_with("pkix", require=True)))  # records that nobody can use prove nothing
        self.assertEqual(len(self.peer.messages), 1)

    def test_required_but_not_promised(self):
        self.world(**self.receiver())
        self.assertIn("dsn=5.7.30", self.outcome(self.send_with("right", require=True)))
        self.assertEqual(self.peer.messages, [])

    def test_sessions(self):
        """No session goes on: one that does shows no certificate to compare."""
        self.world()
        self.peer.remembers = True
        self.pr.stop()
        self.pr.settings["mailers"]["esmtp"]["messages"] = 1
        self.pr.start()
        for name in ("none", "none", "right", "right"):
            self.assertIn("stat=Sent", self.outcome(self.send_with(name)))
        self.assertEqual([[line.endswith(" again") for line in talk if line.startswith("TLSv1")] for talk in self.peer.conversations], [[False], [True], [False], [False]])
        self.assertEqual(self.pr.log().count("verify=TRUSTED"), 2)


for name in [name for name in vars(dane.Dane) if name.startswith("test_")]:  # its own are told elsewhere
    delattr(dane.Dane, name)
skip = dane.skip_without_dnssec
del dane.Dane

if __name__ == "__main__":
    skip()
    story.main()
