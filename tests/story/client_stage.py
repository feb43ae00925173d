# SPDX-License-Identifier: BSD-2-Clause
"""What clients.py and clients_scripted.py share: a postrider that relays for whom has authenticated, beside a next host, and what holds for every program that sends mail
through it - what it wrote arrives as it wrote it, by every way and every mechanism that it and we have, and a wrong password or a certificate that cannot be
believed delivers nothing."""
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

import mail_programs
import story
import tls_peer
from mail_programs import NAME, PASSWORD, Letter, Way

MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "DIGEST-MD5", "PLAIN", "LOGIN")
FAR = ["joe@far.example", "ann.smith+list@far.example"]
LONG = "\u00e5" * 1200 + "\n"  # longer than a line may be on the wire (RFC 5321 section 4.5.3.1.6)


class Tap:
    """Between a client and a port: what the client said."""

    def __init__(self, port):
        self.said, self.target = b"", port
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.sock.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self.carry, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self.carry, args=(server, client, False), daemon=True).start()

    def carry(self, source, target, noting):
        try:
            while data := source.recv(65536):
                if noting:
                    self.said += data
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            target.close()

    def message(self):
        """Header and body between DATA and the dot, with LF, nothing stuffed."""
        text = re.search(rb"(?is)\r\nDATA\r\n(.*?\r\n)\.\r\n", self.said).group(1)
        return re.sub(rb"(?m)^\.", b"", text.replace(b"\r\n", b"\n")).decode("latin-1").split("\n\n", 1)

    def close(self):
        self.sock.close()


def certificate(pki, name, more):
    """Clients look for their server's name among the alternative ones (RFC 6125)."""
    base = os.path.join(pki.folder, name)
    with open(base + ".ext", "w") as handle:
        handle.write(f"subjectAltName={more}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n")
    pki.run("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", base + ".key", "-out", base + ".csr")
    pki.run("x509", "-req", "-in", base + ".csr", "-CA", pki.path, "-CAkey", pki.key, "-CAcreateserial", "-days", "9", "-extfile", base + ".ext", "-out", base + ".pem")
    if story.IS_ROOT:
        shutil.chown(base + ".key", "daemon")
    return base + ".pem", base + ".key"


class NextHost(story.Sink):
    """Takes everything; and what each message's MAIL and RCPT said."""

    def __init__(self):
        self.here, self.words = threading.local(), []
        super().__init__(self.note)

    def note(self, verb, words):
        if verb == "EHLO":
            return "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-DSN\r\n250 SIZE"
        if verb == "MAIL":
            self.here.words = [words]
        if verb == "RCPT":
            self.here.words.append(words)
        if verb == ".":
            self.words.append(self.here.words)
        return None


class Stage(story.Story):
    """A postrider that relays for whom has authenticated, with mailboxes of its own, beside a next host."""
    names = "DNS:localhost,IP:127.0.0.1"

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="postrider-clients-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        os.chmod(cls.folder, 0o755)
        cls.pki = tls_peer.Authority(os.path.join(cls.folder, "pki"))
        cls.others = tls_peer.Authority(os.path.join(cls.folder, "others"), "Root of Others")
        cls.certificate = certificate(cls.pki, "mail.example.org", cls.names)
        cls.sasl(cls.folder)

    @classmethod
    def sasl(cls, folder):
        """What Cyrus SASL needs: a database with one account, and where it is."""
        database = os.path.join(folder, "sasldb2")
        subprocess.run(["saslpasswd2", "-p", "-c", "-f", database, "-u", "mail.example.org", "-a", "Postrider", NAME], input=PASSWORD, text=True, check=True)
        os.chmod(database, 0o640)
        if story.IS_ROOT:
            shutil.chown(database, "daemon")
        with open(os.path.join(folder, "Postrider.conf"), "w") as handle:
            handle.write(f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {database}\n")

    def setUp(self):
        super().setUp()
        self.far = NextHost()
        self.sinks.append(self.far)
        self.secure = story.free_port()
        self.box = os.path.join(self.scratch, "pr", "box", "%u")
        self.pr = self.daemon(start=False, auth=[{"module": "sasl", "application": "Postrider", "config_path": self.folder}],
                              options={"LogLevel": 10, "ServerCertFile": self.certificate[0], "ServerKeyFile": self.certificate[1], "AuthMechanisms": " ".join(MECHANISMS)},
                              rules={"smart_host": f"[127.0.0.1]:{self.far.port}", "relay_clients": ["192.0.2.1"]},
                              mailers={"local": {"module": "local", "format": "maildir", "path": self.box}})
        os.chmod(os.path.join(self.pr.top, "box"), 0o1777)
        self.pr.settings["listeners"].append({"name": "SMTPS", "address": "127.0.0.1", "port": self.secure, "modifiers": "s"})
        self.pr.start()

    def mailbox(self, count=1):
        """The letters that lie there, taken out."""
        path = self.box.replace("%u", story.ME)
        letters = story.wait_for(lambda: f"{count} letters\n" + self.pr.log(), lambda: len(self.pr.maildir(path)) >= count and self.pr.maildir(path))
        for name in os.listdir(os.path.join(path, "new")):
            os.unlink(os.path.join(path, "new", name))
        return letters

    def same(self, letter, text):
        subject, said, attached = letter.parts_of(text)
        self.assertEqual(subject, mail_programs.SUBJECT)
        self.assertEqual(said.rstrip("\n"), letter.text.rstrip("\n"))
        self.assertEqual(attached, [mail_programs.BYTES])


class Client:
    """What holds for each of the programs."""
    program = None

    def setUp(self):
        if not self.program.is_here():
            self.skipTest(f"there is no {self.program.package}")
        super().setUp()
        self.client = self.program(self.scratch)

    def way(self, security, mechanism=None, roots=None, **more):
        return Way(security, self.secure if security == "implicit" else self.pr.port, roots or self.pki.path, mechanism, **more)

    def works(self, way, letter):
        worked, said = self.client.send(way, letter)
        self.assertTrue(worked, f"{way}\n{said}\n{self.pr.log()[-900:]}")

    def fails(self, way, letter):
        """It says so, and nobody gets anything."""
        accepted = lambda: len(re.findall(r" from=<.* nrcpts=[1-9]", self.pr.log()))
        before = accepted()
        worked, said = self.client.send(way, letter)
        self.assertFalse(worked, f"{way}\n{said}\n{self.pr.log()[-900:]}")
        story.wait_for("an empty queue", lambda: not self.pr.listed_ids())
        self.assertEqual((accepted(), [one for one in self.far.messages if one[0]]), (before, []))  # a receipt has no sender
        return said

    def test_delivered(self):
        """Without a name, to who lives here, by every way; elsewhere nothing goes."""
        letter = Letter([story.ME + "@example.org"])
        for security in self.program.securities:
            with self.subTest(security):
                self.works(self.way(security), letter)
                text = self.mailbox()[0]
                self.same(letter, text)
                self.assertRegex(text, rf"(?m)^Received: from \S+ \(.*\[127\.0\.0\.1\]\)\n(\t\(version=TLSv1.3 .*\)\n)?\tby mail\.example\.org .* with {self.program.protocol if security == 'plain' else self.program.protocol_in_tls} id ")
                self.fails(self.way(security), Letter(FAR))

    def test_byte_for_byte(self):
        """What it put on the wire, which is not always what it was given, lies in the mailbox."""
        if "plain" not in self.program.securities:
            self.skipTest("it knows only TLS")
        tap = Tap(self.pr.port)
        self.addCleanup(tap.close)
        letter = Letter([story.ME + "@example.org"], text=mail_programs.TEXT + ("" if self.program.composes else LONG))
        self.works(Way("plain", tap.port), letter)
        text = self.mailbox()[0]
        self.same(letter, text)
        head, body = text.split("\n\n", 1)
        sent_head, sent_body = tap.message()
        self.assertEqual(body, sent_body)
        self.assertEqual(re.sub(r"^(Return-Path|Received): .*\n(\s.*\n)*", "", head + "\n", flags=re.M), sent_head + "\n")

    def test_authenticated(self):
        """To two elsewhere, by every mechanism and every way."""
        letter = Letter(FAR)
        for security in self.program.securities:
            for mechanism in self.program.mechanisms:
                with self.subTest(security=security, mechanism=mechanism):
                    self.far.messages.clear()
                    self.works(self.way(security, mechanism), letter)
                    sender, recipients, text = self.far.wait(1)[0]
                    self.assertEqual((sender, sorted(recipients)), (letter.sender, sorted(FAR)))
                    self.same(letter, text)
                    self.assertIn(f" with ESMTP{'' if security == 'plain' else 'S'}A id ", text)
                    self.assertRegex(self.pr.log().rsplit("AUTH=server", 1)[1], rf"authid={NAME}(@\S+)?, mech={mechanism}, ")
        self.assertNotIn(PASSWORD, self.pr.log())

    def test_wrong_password(self):
        for security in self.program.securities:
            for mechanism in (self.program.mechanisms[0], self.program.mechanisms[-1]):
                with self.subTest(security=security, mechanism=mechanism):
                    before = self.pr.log().count("AUTH failure")
                    self.fails(self.way(security, mechanism, password="a guess"), Letter(FAR))
                    self.assertGreater(self.pr.log().count("AUTH failure"), before)
        self.assertNotIn("AUTH=server", self.pr.log())

    def test_certificate_not_believed(self):
        """Of an authority that it does not know: it leaves before it has said who it is."""
        for security in self.program.securities:
            if security != "plain":
                with self.subTest(security):
                    self.fails(self.way(security, self.program.mechanisms[0], roots=self.others.path), Letter(FAR))
        self.assertNotIn("AUTH", self.pr.log())

    def test_receipts(self):
        """DSN parameters go on to the next host; who lives here has his receipt sent."""
        if not self.program.notifies:
            self.skipTest("it asks for no receipts")
        self.works(self.way("starttls", "PLAIN"), Letter([FAR[0], story.ME + "@example.org"]))
        self.mailbox()
        self.far.wait(2)
        mail, rcpt = next(words for words in self.far.words if not words[0].startswith("MAIL FROM:<>"))
        self.assertIn(" RET=HDRS", mail)
        self.assertIn(f"<{FAR[0]}> NOTIFY=SUCCESS,FAILURE", rcpt)
        sender, recipients, notice = next(one for one in self.far.messages if one[0] == "")
        self.assertEqual(recipients, ["ann@example.net"])
        self.assertRegex(notice, rf"(?m)^Final-Recipient: RFC822; {story.ME}@example\.org\n(X-.*\n)*Action: delivered")
        for words, parameter in (("Original-Envelope-Id: QQ314159", "ENVID=QQ314159"), (f"Original-Recipient: rfc822;{FAR[0]}", f"ORCPT=rfc822;{FAR[0]}")):
            self.assertEqual(words.replace(FAR[0], "") in notice, parameter.split("=")[0] in mail + rcpt)


def stories(programs):
    """A test case for each of the programs, by its name."""
    needs = unittest.skipUnless(shutil.which("saslpasswd2"), "there is no saslpasswd2: sasl2-bin")
    return {one.__name__: needs(type(one.__name__, (Client, Stage), {"program": one, "__doc__": one.__doc__})) for one in programs}
