#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Who proves who he is by Cyrus SASL, Dovecot or a table may relay, and nobody else; a password never lies in the log, and goes in the clear only where that was asked for."""
import base64
import hashlib
import hmac
import os
import re
import shutil
import smtplib
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

import story
import tls_peer

NAME, PASSWORD = "joe", "a secret, that"
PLAIN = base64.b64encode(f"\0{NAME}\0{PASSWORD}".encode()).decode()
WRONG = base64.b64encode(f"\0{NAME}\0guess".encode()).decode()


def b64(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


def verifier(name="sha256", password=PASSWORD, iterations=4096):
    """As `doveadm pw -s SCRAM-...` prints it (RFC 5802 section 3)."""
    salt = b"\x01\x02 salt \xff"
    salted = hashlib.pbkdf2_hmac(name, password.encode(), salt, iterations)
    key = lambda what: hmac.new(salted, what, name).digest()
    scheme = {"sha1": "SCRAM-SHA-1", "sha256": "SCRAM-SHA-256"}[name]
    return f"{{{scheme}}}{iterations},{b64(salt)},{b64(hashlib.new(name, key(b'Client Key')).digest())},{b64(key(b'Server Key'))}"


def scram(client, name="sha256", user=NAME, password=PASSWORD, flag="n,,", change=lambda text: text):
    """The whole exchange as a client; the last reply, and whether the server proved itself."""
    mechanism = {"sha1": "SCRAM-SHA-1", "sha256": "SCRAM-SHA-256"}[name]
    bare = f"n={user},r=fyko+d2lbbFgONRv9qkxdawL"
    code, text = client.command(f"AUTH {mechanism} {b64(flag + bare)}")
    if code != 334:
        return code, False
    first = base64.b64decode(text[4:]).decode()
    nonce, salt, iterations = re.match("r=(.*),s=(.*),i=(.*)$", first).groups()
    salted = hashlib.pbkdf2_hmac(name, password.encode(), base64.b64decode(salt), int(iterations))
    key = hmac.new(salted, b"Client Key", name).digest()
    without = f"c={b64(flag)},r={nonce}"
    message = f"{bare},{first},{without}".encode()
    signature = hmac.new(hashlib.new(name, key).digest(), message, name).digest()
    proof = b64(bytes(a ^ b for a, b in zip(key, signature)))
    code, text = client.command(b64(change(f"{without},p={proof}")))
    if code != 334:
        return code, False
    server = hmac.new(hmac.new(salted, b"Server Key", name).digest(), message, name).digest()
    return client.command("")[0], base64.b64decode(text[4:]).decode() == "v=" + b64(server)


class Auth(story.Story):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="postrider-auth-")
        cls.addClassCleanup(shutil.rmtree, folder, True)
        os.chmod(folder, 0o755)
        cls.pki = tls_peer.Authority(folder)
        cls.certificate = cls.pki.certificate("mail.example.org")
        if story.IS_ROOT:
            shutil.chown(cls.certificate[1], "daemon")

    def setUp(self):
        super().setUp()
        self.far = self.sink()

    def stage(self, auth, options=None, rules=None, name="pr", tls=True, listeners=(), **settings):
        certificate = {"ServerCertFile": self.certificate[0], "ServerKeyFile": self.certificate[1]} if tls else {}
        self.pr = self.daemon(name=name, start=False, auth=auth, options={"LogLevel": 10, "MaxAuthFailures": 0, **certificate, **(options or {})},
                              rules={"smart_host": f"[127.0.0.1]:{self.far.port}", "relay_clients": ["192.0.2.1"], **(rules or {})}, **settings)
        self.pr.settings["listeners"] += listeners
        return self.pr.start()

    def table(self, text):
        path = os.path.join(self.scratch, "passwords")
        with open(path, "w") as handle:
            handle.write(text)
        os.chmod(path, 0o644)
        return {"passwords": {"module": "text", "file": path}}

    def offered(self, client):
        return re.findall(r"^250-AUTH (.*)$", client.ehlo[1], re.M)

    def secure(self, client):
        client.expect(220, "STARTTLS")
        context = ssl.create_default_context(cafile=self.pki.path)
        context.check_hostname = False
        client.sock = context.wrap_socket(client.sock)
        client.file = client.sock.makefile("rb")
        client.ehlo = client.command("EHLO client.example")
        return client

    def relays(self, client, subject="x"):
        """The reply to a recipient elsewhere; with a letter when it is a yes."""
        client.expect(250, "MAIL FROM:<joe@example.org>")
        code, text = client.command("RCPT TO:<ann@far.example>")
        if code == 250:
            client.expect(354, "DATA")
            client.send(f"Subject: {subject}\r\n\r\nhello\r\n.\r\n")
            self.assertEqual(client.reply()[0], 250)
        else:
            client.expect(250, "RSET")
        return text

    def no_secret_in_log(self):
        """Neither as it is nor as it went over the wire."""
        for word in (PASSWORD, "guess", PLAIN, WRONG, b64(PASSWORD), b64("guess")):
            self.assertNotIn(word, self.pr.log())

    def check_both(self, good, bad):
        """What a good and a bad client see with PLAIN, over TLS; and the log."""
        with self.pr.client() as client:
            self.secure(client)
            self.assertIn("PLAIN", self.offered(client)[0].split())
            self.assertIn("550 5.7.1", self.relays(client))
            self.assertEqual(client.command("AUTH PLAIN " + bad), (535, "535 5.7.0 authentication failed"))
            self.assertIn("550 5.7.1", self.relays(client))
            self.assertEqual(client.command("AUTH PLAIN " + good), (235, "235 2.0.0 OK Authenticated"))
            self.assertIn("250 2.1.5", self.relays(client, "let in"))
            self.assertEqual(client.command("AUTH PLAIN " + good)[0], 503)
        self.assertIn("Subject: let in", self.far.wait(1)[0][2])
        self.assertRegex(self.far.messages[0][2], r"(?s)^Received: from client.example \(.*?\)\n\t\(authenticated bits=0\)\n\tby mail.example.org .*? with ESMTPSA ")
        self.assertRegex(self.pr.log(), rf"AUTH=server, relay=\[127.0.0.1\], authid={NAME}(@\S+)?, mech=PLAIN, bits=0\n")
        self.assertRegex(self.pr.log(), r"AUTH failure \(PLAIN\): .*, relay=\[127.0.0.1\]\n")
        self.assertRegex(self.pr.log(), r"from=<joe@example.org>, .*proto=ESMTPSA, daemon=MTA, relay=")
        self.no_secret_in_log()


class Map(Auth):
    def test_plain(self):
        self.stage([{"module": "map", "map": "passwords"}], maps=self.table(f"{NAME} {verifier()}\n"))
        self.check_both(PLAIN, WRONG)

    def test_crypt(self):
        hashed = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=PASSWORD, capture_output=True, text=True, check=True).stdout.strip()
        self.stage([{"module": "map", "map": "passwords"}], maps=self.table(f"{NAME} {hashed}\nbraced {{CRYPT}}{hashed}\nlocked $6$x$!\n"))
        self.check_both(PLAIN, WRONG)
        with self.secure(self.pr.client()) as client:
            self.assertEqual(client.command("AUTH PLAIN " + b64(f"\0locked\0{PASSWORD}"))[0], 535)
            self.assertEqual(scram(client), (535, False))  # there is nothing to prove it with
            self.assertEqual(client.command("AUTH LOGIN"), (334, "334 VXNlcm5hbWU6"))
            self.assertEqual(client.command(b64("braced")), (334, "334 UGFzc3dvcmQ6"))
            self.assertEqual(client.command(b64(PASSWORD))[0], 235)

    def test_scram(self):
        """In the clear, too; and a server that does not know the password cannot pretend to."""
        text = f"{NAME} {verifier()}\nold {verifier('sha1')}\na,b=c {verifier()}\nbroken {{SCRAM-SHA-256}}4096,x\n"
        self.stage([{"module": "map", "map": "passwords"}], maps=self.table(text), tls=False)
        with self.pr.client() as client:
            self.assertEqual(self.offered(client), ["SCRAM-SHA-256 SCRAM-SHA-1"])
            self.assertEqual(client.command("AUTH PLAIN " + PLAIN)[0], 504)
        for words, result in ({}, (235, True)), ({"name": "sha1", "user": "old"}, (235, True)), ({"user": "a=2Cb=3Dc"}, (235, True)), ({"flag": f"y,a={NAME},"}, (235, True)), \
                             ({"password": "guess"}, (535, False)), ({"user": "nobody"}, (535, False)), ({"name": "sha1"}, (535, False)), ({"flag": "p=tls-unique,,"}, (535, False)), \
                             ({"flag": "n,a=ann,"}, (535, False)), ({"user": "a=b"}, (535, False)), ({"user": "broken"}, (454, False)), \
                             ({"change": lambda text: text.replace("c=biws", "c=eSws")}, (535, False)), ({"change": lambda text: text + ",x=y"}, (535, False)), \
                             ({"change": lambda text: text.replace(",r=", ",r=x")}, (535, False)), ({"change": lambda text: text[:-9] + text[-8:] + "A"}, (535, False)):
            with self.subTest(words), self.pr.client() as client:
                self.assertEqual(scram(client, **words), result)
        self.no_secret_in_log()
        self.assertIn("the entry of broken is neither", self.pr.log())

    def test_nobody_learns_who_is_there(self):
        """A name that is not in the table gets a salt like any other, and the same one when asked again."""
        self.stage([{"module": "map", "map": "passwords"}], maps=self.table(f"{NAME} {verifier()}\n"), tls=False)
        salts = set()
        for user in (NAME, "ghost", "ghost"):
            with self.pr.client() as client:
                said = base64.b64decode(client.command(f"AUTH SCRAM-SHA-256 {b64(f'n,,n={user},r=abc')}")[1][4:]).decode()
                salts.add((user, re.sub("^r=[^,]*", "", said)))
                self.assertEqual(client.command("*")[0], 501)
        self.assertEqual(len(salts), 2)

    def test_in_the_clear(self):
        """Only where somebody wrote that he wants it; AuthOptions=p is stronger."""
        maps = self.table(f"{NAME} {verifier()}\n")
        for name, module, options, offer in (("kept", {}, {}, ["SCRAM-SHA-256 SCRAM-SHA-1"]), ("open", {"without_tls": True}, {}, ["SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN"]),
                                             ("shut", {"without_tls": True}, {"AuthOptions": "p"}, ["SCRAM-SHA-256 SCRAM-SHA-1"]),
                                             ("plain", {"without_tls": True}, {"AuthMechanisms": "LOGIN PLAIN"}, ["LOGIN PLAIN"]),
                                             ("mutual", {"without_tls": True}, {"AuthOptions": "m"}, ["SCRAM-SHA-256 SCRAM-SHA-1"]),
                                             ("none", {}, {"AuthMechanisms": "PLAIN"}, [])):
            with self.subTest(name):
                self.stage([{"module": "map", "map": "passwords", **module}], options, maps=maps, name=name)
                with self.pr.client() as client:
                    self.assertEqual(self.offered(client), offer)
                    if not offer:
                        self.assertEqual(client.command("AUTH PLAIN " + PLAIN)[0], 503)
                        self.secure(client)
                        self.assertEqual(self.offered(client), ["PLAIN"])
                self.pr.stop()

    def test_listeners(self):
        """M=a takes nothing before AUTH, M=A offers none."""
        needs, lacks = story.free_port(), story.free_port()
        self.stage([{"module": "map", "map": "passwords", "without_tls": True}], maps=self.table(f"{NAME} {verifier()}\n"), listeners=[
            {"name": "MSA", "address": "127.0.0.1", "port": needs, "modifiers": "a"}, {"name": "MTA2", "address": "127.0.0.1", "port": lacks, "modifiers": "A"}])
        with story.Client(needs) as client:
            self.assertEqual(client.command("MAIL FROM:<a@example.net>"), (530, "530 5.7.0 Authentication required"))
            client.expect(235, "AUTH PLAIN " + PLAIN)
            self.assertIn("250 2.1.5", self.relays(client))
        with story.Client(lacks) as client:
            self.assertEqual(self.offered(client), [])
            client.expect(503, "AUTH PLAIN " + PLAIN)
            client.expect(250, "MAIL FROM:<a@example.net>")

    def test_who_may_relay(self):
        """relay_authenticated names them, and relay_mechanisms how they must have come in."""
        text = f"{NAME} {verifier()}\nann@example.org {verifier()}\nbob {verifier()}\n"
        maps, module = self.table(text), [{"module": "map", "map": "passwords", "without_tls": True}]
        for name, rules, yes in (("all", {}, {NAME, "ann@example.org", "bob"}), ("some", {"relay_authenticated": ["joe", "@example.org"]}, {NAME, "ann@example.org"}),
                                 ("nobody", {"relay_authenticated": []}, set()), ("how", {"relay_mechanisms": ["SCRAM-SHA-256"]}, set())):
            self.stage(module, rules=rules, maps=maps, name=name)
            for user in (NAME, "ann@example.org", "bob"):
                with self.subTest(name + user), self.pr.client() as client:
                    client.expect(235, "AUTH PLAIN " + b64(f"\0{user}\0{PASSWORD}"))
                    self.assertEqual("250 2.1.5" in self.relays(client), user in yes)
            if name == "how":
                with self.pr.client() as client:
                    self.assertEqual(scram(client), (235, True))
                    self.assertIn("250 2.1.5", self.relays(client))
            self.pr.stop()

    def test_trust(self):
        """AUTH= is passed on for whom it names himself, and becomes <> for others."""
        self.far.answer = lambda verb, words: "250-sink\r\n250-AUTH LOGIN\r\n250 SIZE" if verb == "EHLO" else (self.mails.append(words) if verb == "MAIL" else None)
        self.mails = []
        self.stage([{"module": "map", "map": "passwords", "without_tls": True}], maps=self.table(f"{NAME} {verifier()}\n"))
        with self.pr.client() as client:
            client.expect(235, "AUTH PLAIN " + PLAIN)
            for number, word in enumerate((NAME, "ann@example.org", "<>")):
                client.expect(250, f"MAIL FROM:<s{number}@example.org> AUTH={word}")
                client.expect(250, "RCPT TO:<ann@far.example>")
                client.expect(354, "DATA")
                client.send("Subject: x\r\n\r\nx\r\n.\r\n")
                self.assertEqual(client.reply()[0], 250)
        self.far.wait(3)
        self.assertEqual(sorted(re.search(r"<(s\d)@.*AUTH=(\S+)", line).groups() for line in self.mails), [("s0", NAME), ("s1", "<>"), ("s2", "<>")])

    def test_a_table_that_cannot_be_read(self):
        """Is no wrong password."""
        maps = self.table(f"{NAME} {verifier()}\n")
        self.stage([{"module": "map", "map": "passwords", "without_tls": True}], maps=maps)
        os.rename(maps["passwords"]["file"], maps["passwords"]["file"] + ".gone")
        with self.pr.client() as client:
            self.assertEqual(client.command("AUTH PLAIN " + PLAIN), (454, "454 4.7.0 Temporary authentication failure"))
        self.assertIn("AUTH failure (PLAIN): ", self.pr.log())

    def test_what_cannot_be_meant(self):
        for name, auth, words in (("nomap", {"module": "map", "map": "none"}, "there is no map none"), ("nomech", {"module": "map", "map": "passwords", "mechanisms": ["CRAM-MD5"]}, '"CRAM-MD5" is none of'),
                                  ("nokey", {"module": "map"}, "needs map")):
            with self.subTest(name):
                self.pr = self.daemon(name=name, start=False, auth=[auth], maps=self.table(f"{NAME} {verifier()}\n"))
                self.pr.write_conf()
                status, text = self.pr.ctl("check")
                self.assertEqual(status, 78, text)
                self.assertIn(words, text)

    def test_slowed(self):
        """Who tries many words waits for each; others do not."""
        self.stage([{"module": "map", "map": "passwords", "without_tls": True, "mechanisms": ["PLAIN"]}], maps=self.table(f"{NAME} {verifier()}\n"))
        with self.pr.client() as client:
            began = time.monotonic()
            for _ in range(4):
                client.expect(535, "AUTH PLAIN " + WRONG)
            self.assertGreater(time.monotonic() - began, 6)
        self.assertIn("possible SMTP attack: command=AUTH, count=2", self.pr.log())
        self.assertRegex(self.pr.ctl("status")[1], r"(?m)^receiver .* auth_failures=4\b")

    def attempt(self, word, code, source="127.0.0.1"):
        """One AUTH in a connection of its own: how long it took."""
        with self.pr.client(source=source) as client:
            began = time.monotonic()
            client.expect(code, "AUTH PLAIN " + word)
            return time.monotonic() - began

    def test_counted_over_connections(self):
        """Who hangs up after each word is slowed as well, over a reload too; who only mistyped is not, and neither is anybody else."""
        self.stage([{"module": "map", "map": "passwords", "without_tls": True, "mechanisms": ["PLAIN"]}], maps=self.table(f"{NAME} {verifier()}\n"),
                   options={"MaxAuthFailures": 1})
        right = PLAIN
        self.assertLess(self.attempt(WRONG, 535, "127.0.0.5"), 1)
        with self.pr.client(source="127.0.0.6") as client:  # mistyped once
            client.expect(535, "AUTH PLAIN " + WRONG)
            client.expect(235, "AUTH PLAIN " + right)
        self.assertLess(self.attempt(right, 235, "127.0.0.6"), 1)
        self.assertGreater(self.attempt(WRONG, 535, "127.0.0.5"), 0.9)
        self.assertEqual(self.pr.ctl("reload")[0], 0)
        self.assertGreater(self.attempt(WRONG, 535, "127.0.0.5"), 1.9)
        self.assertGreater(self.attempt(right, 235, "127.0.0.5"), 3.9)
        self.assertLess(self.attempt(right, 235, "127.0.0.7"), 1)
        self.assertIn("[127.0.0.5]: possible SMTP attack: command=AUTH, count=2", self.pr.log())


class Strange(Auth):
    """A module of somebody else (tests/modules/debugauth.c)."""

    @unittest.skipUnless(os.path.exists(os.path.join(story.BUILD, ".libs", "debugauth.so")), "debugauth is not built")
    def test_nobody_is_not_let_in(self):
        for name, more, code in (("named", {}, 235), ("nameless", {"nameless": True}, 454), ("broken", {"broken": True}, 454)):
            with self.subTest(name):
                self.stage([{"module": "debugauth", **more}], name=name, tls=False)
                with self.pr.client() as client:
                    self.assertEqual(self.offered(client), ["DEBUG"])
                    if name != "broken":
                        self.assertEqual(client.command("AUTH DEBUG")[1], "334 " + b64("who?"))
                    self.assertEqual(client.command(b64("joe secret") if name != "broken" else "AUTH DEBUG")[0], code)
                    self.assertEqual("250 2.1.5" in self.relays(client), code == 235)
                self.pr.stop()

    @unittest.skipUnless(os.path.exists(os.path.join(story.BUILD, ".libs", "debugauth.so")), "debugauth is not built")
    def test_two_modules(self):
        """Each mechanism belongs to the first that has it; what both have is offered once."""
        self.stage([{"module": "debugauth"}, {"name": "second", "module": "debugauth", "user": "ann"}, {"module": "map", "map": "passwords", "mechanisms": ["SCRAM-SHA-256"]}],
                   maps=self.table(f"{NAME} {verifier()}\n"), tls=False)
        with self.pr.client() as client:
            self.assertEqual(self.offered(client), ["DEBUG SCRAM-SHA-256"])
            client.expect(334, "AUTH DEBUG")
            client.expect(535, b64("ann secret"))
            self.assertEqual(scram(client), (235, True))


class Clients(Auth):
    """The programs people have."""

    def start(self, **more):
        self.stage([{"module": "map", "map": "passwords", **more}], maps=self.table(f"{NAME} {verifier()}\n"))

    def test_smtplib(self):
        self.start()
        for user, password, good in ((NAME, PASSWORD, True), (NAME, "guess", False)):
            with smtplib.SMTP("127.0.0.1", self.pr.port, local_hostname="client.example") as client:
                context = ssl.create_default_context(cafile=self.pki.path)
                context.check_hostname = False
                client.starttls(context=context)
                if good:
                    client.login(user, password)
                    client.sendmail("joe@example.org", ["ann@far.example"], "Subject: smtplib\r\n\r\nx\r\n")
                else:
                    self.assertRaises(smtplib.SMTPAuthenticationError, client.login, user, password)
        self.assertIn("Subject: smtplib", self.far.wait(1)[0][2])

    def run_swaks(self, kind, password):
        return subprocess.run(["swaks", "--server", f"127.0.0.1:{self.pr.port}", "--auth", kind, "--auth-user", NAME, "--auth-password", password, "--from", "joe@example.org",
                               "--to", "ann@far.example", "--header", f"Subject: swaks {kind}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)

    @unittest.skipUnless(shutil.which("swaks"), "there is no swaks")
    def test_swaks(self):
        self.start(without_tls=True)  # swaks has TLS only with a library of Perl's
        for kind in ("PLAIN", "LOGIN"):
            done = self.run_swaks(kind, PASSWORD)
            self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(self.run_swaks("PLAIN", "guess").returncode, 28)  # swaks: authentication failed
        self.assertEqual(sorted(re.search("Subject: (.*)", text).group(1) for _, _, text in self.far.wait(2)), ["swaks LOGIN", "swaks PLAIN"])

    @unittest.skipUnless(shutil.which("curl"), "there is no curl")
    def test_curl(self):
        self.start()
        letter = os.path.join(self.scratch, "letter")
        with open(letter, "w") as handle:
            handle.write("Subject: curl\n\nx\n")
        run = lambda password: subprocess.run(["curl", "-sS", f"smtp://127.0.0.1:{self.pr.port}/client.example", "--ssl-reqd", "--insecure", "--user", f"{NAME}:{password}", "--mail-from",
                                               "joe@example.org", "--mail-rcpt", "ann@far.example", "--upload-file", letter, "--crlf"], capture_output=True, text=True, timeout=60, check=False)
        done = run(PASSWORD)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(run("guess").returncode, 67)  # CURLE_LOGIN_DENIED
        self.assertIn("Subject: curl", self.far.wait(1)[0][2])


class Sasl(Auth):
    """Cyrus SASL's sasldb and saslauthd."""

    def configure(self, text):
        folder = os.path.join(self.scratch, "sasl2")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "Postrider.conf"), "w") as handle:
            handle.write(text)
        return [{"module": "sasl", "application": "Postrider", "config_path": folder}]

    def database(self):
        path = os.path.join(self.scratch, "sasldb2")
        subprocess.run(["saslpasswd2", "-p", "-c", "-f", path, "-u", "mail.example.org", "-a", "Postrider", NAME], input=PASSWORD, text=True, check=True)
        os.chmod(path, 0o640)
        if story.IS_ROOT:
            shutil.chown(path, "daemon")
        return path

    @unittest.skipUnless(shutil.which("saslpasswd2"), "there is no saslpasswd2: sasl2-bin")
    def test_sasldb(self):
        auth = self.configure(f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {self.database()}\n")
        self.stage(auth, {"AuthMechanisms": "SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN", "AuthOptions": "p,y"})
        with self.pr.client() as client:
            self.assertEqual(self.offered(client), ["SCRAM-SHA-256 CRAM-MD5"])
            self.assertEqual(scram(client), (235, True))
        with self.pr.client() as client:
            challenge = base64.b64decode(client.command("AUTH CRAM-MD5")[1][4:])
            client.expect(235, b64(f"{NAME} {hmac.new(PASSWORD.encode(), challenge, 'md5').hexdigest()}"))
            self.assertIn("250 2.1.5", self.relays(client, "cram"))
        self.far.wait(1)
        self.far.messages.clear()
        self.check_both(PLAIN, WRONG)

    @unittest.skipUnless(shutil.which("saslpasswd2"), "there is no saslpasswd2: sasl2-bin")
    def test_many_at_once(self):
        """The library is one for all threads: nobody is let in for another, or kept out because of one."""
        self.stage(self.configure(f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {self.database()}\n"), {"AuthMechanisms": "CRAM-MD5 SCRAM-SHA-256 PLAIN"}, tls=False)
        wrong = []

        def one(number):
            for turn in range(12):
                password, code = (PASSWORD, 235) if (number + turn) % 3 else ("guess", 535)
                with self.pr.client() as client:
                    if turn % 2:
                        got = scram(client, password=password)[0]
                    else:
                        challenge = base64.b64decode(client.command("AUTH CRAM-MD5")[1][4:])
                        got = client.command(b64(f"{NAME} {hmac.new(password.encode(), challenge, 'md5').hexdigest()}"))[0]
                if got != code:
                    wrong.append((number, turn, got))
        threads = [threading.Thread(target=one, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        self.assertEqual(self.pr.log().count("AUTH=server, "), 128)
        self.assertNotIn("receiver ended", self.pr.log())
        with smtplib.SMTP("127.0.0.1", self.pr.port, local_hostname="client.example") as client:
            client.login(NAME, PASSWORD)  # takes CRAM-MD5

    @unittest.skipUnless(shutil.which("saslpasswd2"), "there is no saslpasswd2: sasl2-bin")
    def test_a_database_that_cannot_be_read(self):
        path = self.database()
        auth = self.configure(f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {path}\n")
        os.chmod(path, 0)
        if story.IS_ROOT:
            shutil.chown(path, "root")
        self.stage(auth, {"AuthMechanisms": "PLAIN"})
        with self.pr.client() as client:
            self.assertEqual(client.command("AUTH PLAIN " + PLAIN)[0], 454)
        self.assertRegex(self.pr.log(), r"AUTH failure \(PLAIN\): .*Permission denied")

    @unittest.skipUnless(story.IS_ROOT and os.path.exists("/usr/sbin/saslauthd"), "there is no saslauthd: sasl2-bin, as root")
    def test_saslauthd(self):
        """The real saslauthd, which asks tables of accounts of its own: those of the machine stay where they are."""
        run = os.path.join(self.scratch, "saslauthd")
        os.makedirs(run)
        os.chmod(run, 0o755)
        auth = self.configure(f"pwcheck_method: saslauthd\nsaslauthd_path: {run}/mux\n")
        self.stage(auth, {"AuthMechanisms": "PLAIN LOGIN", "AuthOptions": "p"})
        with self.secure(self.pr.client()) as client:  # it is not there: nobody is told that his password is wrong
            self.assertEqual(client.command("AUTH PLAIN " + PLAIN), (454, "454 4.7.0 Temporary authentication failure"))
        shadow = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=PASSWORD, capture_output=True, text=True, check=True).stdout.strip()
        for name, line in (("passwd", f"{NAME}:x:12345:12345::/:/bin/false\n"), ("shadow", f"{NAME}:{shadow}:19000:0:99999:7:::\n")):
            with open(os.path.join(self.scratch, name), "w") as handle:
                handle.write("root:x:0:0::/root:/bin/sh\n" * (name == "passwd") + line)
        process = subprocess.Popen(["unshare", "-m", "sh", "-c", f"mount --bind {self.scratch}/passwd /etc/passwd && mount --bind {self.scratch}/shadow /etc/shadow && "
                                    f"exec /usr/sbin/saslauthd -d -a shadow -n 2 -m {run}"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            story.wait_for("saslauthd", lambda: os.path.exists(run + "/mux"))
            self.check_both(PLAIN, WRONG)
        finally:
            os.killpg(process.pid, 15)
            process.wait(10)


@unittest.skipUnless(story.IS_ROOT and shutil.which("dovecot"), "there is no dovecot: dovecot-core, as root")
class Dovecot(Auth):
    """The real Dovecot with a passwd-file."""

    def start_dovecot(self):
        top = os.path.join(self.scratch, "dovecot")
        os.makedirs(os.path.join(top, "run"))
        with open(os.path.join(top, "users"), "w") as handle:
            handle.write(f"{NAME}:{{PLAIN}}{PASSWORD}::::::\n")
        os.chmod(os.path.join(top, "users"), 0o644)
        conf = os.path.join(top, "dovecot.conf")
        with open(conf, "w") as handle:
            handle.write(f"base_dir = {top}/run\nlog_path = {top}/log\nprotocols =\nssl = no\ndisable_plaintext_auth = no\ndefault_login_user = nobody\ndefault_internal_user = nobody\n"
                         f"default_internal_group = nogroup\nauth_mechanisms = plain login cram-md5 scram-sha-256\nauth_failure_delay = 0\npassdb {{\n  driver = passwd-file\n  args = {top}/users\n}}\n"
                         f"service auth {{\n  unix_listener {top}/client {{\n    mode = 0666\n  }}\n}}\nservice anvil {{\n  chroot =\n}}\n")
        process = subprocess.Popen(["dovecot", "-F", "-c", conf], stdin=subprocess.DEVNULL, stdout=open(os.path.join(top, "out"), "wb"), stderr=subprocess.STDOUT)
        said = lambda: "".join(open(os.path.join(top, name), errors="replace").read() for name in ("out", "log") if os.path.exists(os.path.join(top, name)))
        story.wait_for(said, lambda: os.path.exists(os.path.join(top, "client")) or process.poll() is not None)
        self.assertIsNone(process.poll(), said())
        return process, os.path.join(top, "client")

    def stop(self, process):
        if process.poll() is None:
            process.terminate()
            process.wait(20)

    def test_dovecot(self):
        os.chmod(self.scratch, 0o755)
        process, socket_path = self.start_dovecot()
        self.addCleanup(self.stop, process)
        self.stage([{"module": "dovecot", "socket": socket_path}], {"AuthOptions": "p"})
        with self.pr.client() as client:
            self.assertEqual(self.offered(client), ["CRAM-MD5 SCRAM-SHA-256"])
            self.assertEqual(scram(client, password="guess"), (535, False))
            self.assertEqual(scram(client), (235, True))
        with self.pr.client() as client:
            challenge = base64.b64decode(client.command("AUTH CRAM-MD5")[1][4:])
            client.expect(501, "*")
            challenge = base64.b64decode(client.command("AUTH CRAM-MD5")[1][4:])
            client.expect(235, b64(f"{NAME} {hmac.new(PASSWORD.encode(), challenge, 'md5').hexdigest()}"))
        self.check_both(PLAIN, WRONG)
        self.stop(process)
        with self.secure(self.pr.client()) as client:  # what it could do is still offered
            self.assertIn("PLAIN", self.offered(client)[0].split())
            self.assertEqual(client.command("AUTH PLAIN " + PLAIN), (454, "454 4.7.0 Temporary authentication failure"))
        self.assertRegex(self.pr.log(), r"AUTH failure \(PLAIN\): Dovecot at .*: connect: ")

    def test_not_there(self):
        """Nothing is offered, mail is taken as ever, and the log says so once."""
        self.stage([{"module": "dovecot", "socket": os.path.join(self.scratch, "nowhere")}])
        for _ in range(3):
            with self.pr.client() as client:
                self.assertEqual(self.offered(client), [])
                client.expect(250, "MAIL FROM:<a@example.net>")
                client.expect(503, "AUTH PLAIN " + PLAIN)
        self.assertEqual(self.pr.log().count("SYSERR: AUTH: Dovecot at"), 1)


if __name__ == "__main__":
    story.main()
