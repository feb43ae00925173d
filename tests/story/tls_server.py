#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Clients come by TLS: each is shown the certificate of the host it names, of the kind of key it can use; it may come back with a ticket; files that are
replaced on disk count within seconds, broken ones do not; and nobody who is slow, silent or asks for too much is in the way of others."""
import contextlib
import hashlib
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
import unittest

import story
import tls_peer

LETTER = "Subject: s\n\nbody\n"


def digest(path):
    with open(path) as handle:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(re.search("-----BEGIN CERT.*?END CERTIFICATE-----", handle.read(), re.S).group())).hexdigest()


class Server(story.Story):
    def setUp(self):
        super().setUp()
        self.pki = tls_peer.Authority(os.path.join(self.scratch, "pki"))

    def pair(self, name, rsa=False, folder=None):
        """Certificate and key, in files that the receiver may read."""
        files = self.pki.certificate(name, **({"rsa": True} if rsa else {}))
        return self.place(files, folder or name)

    def place(self, files, name):
        places = [os.path.join(self.scratch, f"{name}.{kind}") for kind in ("cert", "key")]
        for source, target in zip(files, places):
            shutil.copy(source, target + ".new")
            if story.IS_ROOT:
                shutil.chown(target + ".new", "daemon")
            os.rename(target + ".new", target)
        return places

    def stage(self, options=None, start=True, **settings):
        self.cert, self.key = self.pair("mail.example.org")
        self.pr = self.daemon(start=False, **settings)
        self.pr.settings["options"].update({"ServerCertFile": self.cert, "ServerKeyFile": self.key, "LogLevel": 14, **(options or {})})
        return self.pr.start() if start else self.pr

    @staticmethod
    def context(version=None, ciphers=None, certificate=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if version:
            context.minimum_version = context.maximum_version = version
        if ciphers:
            context.set_ciphers(ciphers)
        if certificate:
            context.load_cert_chain(*certificate)
        return context

    def secure(self, context=None, name=None, session=None, port=None):
        """A client behind its EHLO in TLS."""
        client = story.Client(port or self.pr.port)
        client.expect(220, "STARTTLS")
        client.file.close()
        client.sock = (context or self.context()).wrap_socket(client.sock, server_hostname=name, session=session, suppress_ragged_eofs=False)
        client.file = client.sock.makefile("rb")
        client.expect(250, "EHLO x")
        return client

    def shown(self, **arguments):
        with self.secure(**arguments) as client:
            return hashlib.sha256(client.sock.getpeercert(True)).hexdigest()

    # -- which certificate ------------------------------------------------------

    def test_names(self):
        files = {name: self.pair(name) for name in ("one.example", "wild.example")}
        self.stage(certificates=[{"names": ["one.example", "uno.example"], "cert": files["one.example"][0], "key": files["one.example"][1]},
                                 {"names": "*.wild.example", "cert": files["wild.example"][0], "key": files["wild.example"][1]}])
        one, wild, default = digest(files["one.example"][0]), digest(files["wild.example"][0]), digest(self.cert)
        for name, wanted in ((None, default), ("one.example", one), ("ONE.Example", one), ("uno.example", one), ("a.wild.example", wild), ("wild.example", default),
                             ("a.b.wild.example", default), ("nobody.example", default)):
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                with self.subTest(name=name, version=version):
                    self.assertEqual(self.shown(context=self.context(version), name=name), wanted)

    def test_kinds_of_keys(self):
        other = self.pair("rsa.example", rsa=True)
        self.cert, self.key = self.pair("mail.example.org")
        self.pr = self.daemon(start=False)
        self.pr.settings["options"].update(ServerCertFile=f"{other[0]},{self.cert}", ServerKeyFile=f"{other[1]},{self.key}")
        self.pr.start()
        twelve = ssl.TLSVersion.TLSv1_2
        self.assertEqual(self.shown(), digest(self.cert))
        self.assertEqual(self.shown(context=self.context(twelve)), digest(self.cert))
        self.assertEqual(self.shown(context=self.context(twelve, "ECDHE-RSA-AES128-GCM-SHA256")), digest(other[0]))

    def test_what_cannot_be_used(self):
        second = self.pair("second.example")
        rsa = self.pair("rsa.example", rsa=True)
        self.cert, self.key = self.pair("mail.example.org")
        broken = os.path.join(self.scratch, "broken.pem")
        with open(broken, "w") as handle:
            handle.write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        both = {"ServerCertFile": self.cert, "ServerKeyFile": self.key}
        wrong = [
            ({"ServerCertFile": f"{self.cert},{second[0]}", "ServerKeyFile": f"{self.key},{second[1]}"}, {}, "ServerCertFile: .*second.*before it"),
            ({"ServerCertFile": f"{self.cert},{rsa[0]}", "ServerKeyFile": self.key}, {}, "ServerCertFile: .*not as many keys as certificates"),
            ({**both, "ServerKeyFile": second[1]}, {}, "ServerCertFile: .*second.*(mismatch|does not belong)"),
            ({**both, "ServerCertFile": broken}, {}, "ServerCertFile: .*broken.pem"),
            ({**both, "DHParameters": "3"}, {}, "DHParameters: 3 is none of"),
            ({**both, "DHParameters": self.cert}, {}, "DHParameters: "),
            ({**both, "ServerSSLOptions": "+SSL_OP_FLY"}, {}, r"ServerSSLOptions: \+SSL_OP_FLY is no switch"),
            ({**both, "CACertFile": self.cert, "CRLFile": self.cert}, {}, "CRLFile: "),
            (both, {"certificates": [{"names": "a.example", "cert": self.cert, "key": second[1]}]}, "certificate of a.example: .*(mismatch|does not belong)"),
            (both, {"certificates": [{"names": "a b", "cert": self.cert, "key": self.key}]}, "a b. is no name of a host"),
            (both, {"certificates": [{"names": "a.example", "cert": self.cert}]}, "needs names, cert and key"),
            (both, {"certificates": [{"names": ["a.example", "A.example"], "cert": self.cert, "key": self.key}]}, "there is a certificate for A.example before it"),
            ({}, {"certificates": [{"names": "a.example", "cert": self.cert, "key": self.key}]}, "certificates.* ServerCertFile"),
        ]
        for number, (options, settings, words) in enumerate(wrong):
            with self.subTest(words):
                pr = self.daemon(f"wrong{number}", start=False, **settings)
                pr.settings["options"].update(options)
                pr.write_conf()
                status, text = pr.ctl("check")
                self.assertEqual(status, 78, text)
                self.assertRegex(text, f"postrider.conf:[0-9]+: .*{words}")
                pr.start(wait=False)
                story.wait_for(lambda: pr.output() + pr.log(), lambda: re.search(words, pr.output() + pr.log()))
                pr.stop()

    @unittest.skipUnless(story.IS_ROOT, "roles of another user need root")
    def test_keys_that_are_roots(self):
        """As certificates mostly lie: in folders that root alone may enter, behind links, and replaced there.  Whoever could change the way to one has it not lent."""
        folders = [os.path.join(self.scratch, name) for name in ("live", "archive")]
        for folder in folders:
            os.mkdir(folder, 0o700)

        def put(number):
            for source, kind in zip(self.pki.certificate("mail.example.org"), ("cert", "key")):
                real, link = os.path.join(folders[1], f"{kind}{number}"), os.path.join(folders[0], kind)
                shutil.copy(source, real)
                os.chmod(real, 0o600)
                os.symlink(os.path.join("..", "archive", f"{kind}{number}"), link + ".new")
                os.rename(link + ".new", link)
            return os.path.join(folders[0], "cert"), os.path.join(folders[0], "key")

        cert, key = put(1)
        self.pr = self.daemon(options={"ServerCertFile": cert, "ServerKeyFile": key, "ClientCertFile": cert, "ClientKeyFile": key, "LogLevel": 14})
        first = digest(cert)
        self.assertEqual(self.shown(), first)
        put(2)
        self.pr.wait_log("STARTTLS=server, files were replaced")
        self.assertEqual(self.shown(), digest(cert))
        self.assertNotEqual(first, digest(cert))
        os.chmod(folders[1], 0o770)
        put(3)
        self.pr.wait_log(f"{re.escape(cert)} is not for us to lend to receiver or courier: {re.escape(folders[1])} is writable by its group")
        self.pr.wait_log("STARTTLS=server, error: files were replaced and cannot be used, what was there before is used on: .*Permission denied")
        os.chmod(folders[1], 0o700)
        story.wait_for("the third", lambda: self.shown() == digest(cert))

    def test_security_level(self):
        """A key of 1024 bits is below level 2, which is Debian's; a list of ciphers may say another level."""
        weak = [os.path.join(self.scratch, f"weak.{kind}") for kind in ("cert", "key")]
        self.pki.run("req", "-x509", "-newkey", "rsa:1024", "-nodes", "-days", "9", "-subj", "/CN=weak.example", "-out", weak[0], "-keyout", weak[1])
        weak = self.place(weak, "weaker")
        pr = self.pr = self.daemon(start=False, options={"ServerCertFile": weak[0], "ServerKeyFile": weak[1]})
        pr.write_conf()
        status, text = pr.ctl("check")
        self.assertEqual(status, 78)
        self.assertRegex(text, "postrider.conf:[0-9]+: option ServerCertFile: .*ee key too small")
        pr.settings["options"]["CipherList"] = "DEFAULT:@SECLEVEL=1"
        pr.start()
        self.assertEqual(self.shown(context=self.context(ciphers="DEFAULT:@SECLEVEL=0")), digest(weak[0]))

    # -- sessions that come back --------------------------------------------------

    def test_a_session_comes_back(self):
        self.stage()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.context(version)
            first = self.secure(context)
            session = first.sock.session
            self.assertFalse(first.sock.session_reused)
            first.close()
            with self.secure(context, session=session) as client:
                self.assertTrue(client.sock.session_reused)
                session = client.sock.session
            self.assertEqual(self.pr.ctl("reload")[0], 0)  # other processes, the same keys
            with self.secure(context, session=session) as client:
                self.assertTrue(client.sock.session_reused)
                client.message("ann@example.net", ["joe@example.org"], LETTER)

    def test_not_after_a_restart(self):
        self.stage()
        context = self.context()
        with self.secure(context) as client:
            session = client.sock.session
        self.pr.stop()
        self.pr.start()
        with self.secure(context, session=session) as client:
            self.assertFalse(client.sock.session_reused)

    def test_not_with_other_trust(self):
        """A certificate that was believed is judged again when the list of revoked ones has changed."""
        revoked = os.path.join(self.scratch, "crl.pem")
        self.crl([], revoked)
        self.stage({"CACertFile": self.pki.path, "CRLFile": revoked})
        certificate = self.pki.certificate("client.example")
        context = self.context(certificate=certificate)
        with self.secure(context) as client:
            session = client.sock.session
        self.pr.wait_log("STARTTLS=server, .*verify=OK")
        with self.secure(context, session=session) as client:
            self.assertTrue(client.sock.session_reused)
        self.assertEqual(self.pr.log().count("verify=OK"), 2)
        self.crl([certificate[0]], revoked)
        self.pr.wait_log("STARTTLS=server, files were replaced")
        with self.secure(context, session=session) as client:
            self.assertFalse(client.sock.session_reused)
        self.pr.wait_log("STARTTLS=server, .*verify=FAIL.*\n.*verifymsg=certificate revoked")

    def crl(self, certificates, path):
        base = os.path.join(self.scratch, "ca")
        with open(base + ".cnf", "w") as handle:
            handle.write("[ca]\ndefault_ca=x\n[x]\ndatabase=%s.db\ncrlnumber=%s.number\ndefault_md=sha256\ndefault_crl_days=5\n" % (base, base))
        if not os.path.exists(base + ".db"):
            open(base + ".db", "w").close()
            with open(base + ".number", "w") as handle:
                handle.write("01\n")
        words = ["-config", base + ".cnf", "-cert", self.pki.path, "-keyfile", self.pki.key]
        for certificate in certificates:
            self.pki.run("ca", *words, "-revoke", certificate)
        self.pki.run("ca", *words, "-gencrl", "-out", path + ".new")
        os.chmod(path + ".new", 0o644)
        os.rename(path + ".new", path)

    def test_no_early_data(self):
        self.stage()
        session, early = os.path.join(self.scratch, "session"), os.path.join(self.scratch, "early")
        with open(early, "w") as handle:
            handle.write("EHLO early\r\n")
        self.s_client("-sess_out", session)
        said = self.s_client("-sess_in", session, "-early_data", early)
        self.assertIn("Reused, TLSv1.3", said)
        self.assertRegex(said, "Max Early Data: 0|Early data was (not sent|rejected)")
        self.assertNotIn("Early data was accepted", said)

    def s_client(self, *words, text="EHLO x\nQUIT\n"):
        done = subprocess.run(["openssl", "s_client", "-starttls", "smtp", "-crlf", "-connect", f"127.0.0.1:{self.pr.port}", "-ign_eof", *words],
                              input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60 * story.SLOW, check=False)
        return done.stdout.decode("latin-1")

    # -- files that are replaced ----------------------------------------------------

    def test_replaced(self):
        self.stage()
        old = digest(self.cert)
        running = self.secure()
        self.assertEqual(self.shown(), old)
        self.place(self.pki.certificate("mail.example.org"), "mail.example.org")
        new = digest(self.cert)
        self.assertNotEqual(old, new)
        self.pr.wait_log("STARTTLS=server, files were replaced: new connections")
        self.assertEqual(self.shown(), new)
        self.assertEqual(running.message("ann@example.net", ["joe@example.org"], LETTER)[0], 550)  # it goes on as it was
        running.close()
        with open(self.cert, "w") as handle:
            handle.write("-----BEGIN CERTIFICATE-----\nMIIB")  # as a full disk leaves it
        self.pr.wait_log("STARTTLS=server, error: files were replaced and cannot be used, what was there before is used on: .*mail.example.org.cert")
        self.assertEqual(self.shown(), new)
        time.sleep(5)
        self.assertEqual(self.pr.log().count("error: files were replaced"), 1)
        self.place(self.pki.certificate("mail.example.org"), "mail.example.org")
        story.wait_for(self.pr.log, lambda: self.shown() == digest(self.cert))

    # -- the end of a session, and more than was asked for ------------------------------

    def test_the_end_is_said(self):
        """Without close_notify a client could not tell the end from an attack; suppress_ragged_eofs=False makes Python complain of that."""
        self.stage()
        client = self.secure()
        client.sock.sendall(b"QUIT\r\n")
        self.assertEqual(client.file.read(), b"221 2.0.0 mail.example.org closing connection\r\n")
        client.close(False)

    def test_no_renegotiation(self):
        self.stage()
        talk = subprocess.Popen(["openssl", "s_client", "-starttls", "smtp", "-crlf", "-tls1_2", "-connect", f"127.0.0.1:{self.pr.port}"], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for line in (b"EHLO x\n", b"R\n"):  # each must be read by itself to be a command of s_client
            time.sleep(1)
            talk.stdin.write(line)
            talk.stdin.flush()
        said = talk.communicate(timeout=30 * story.SLOW)[0].decode("latin-1")
        self.assertIn("RENEGOTIATING", said)
        self.assertIn("no renegotiation", said)

    def test_old_versions(self):
        self.stage()
        for version in ("-tls1", "-tls1_1"):
            said = self.s_client(version, "-cipher", "ALL:@SECLEVEL=0")
            self.assertRegex(said, "(?i)alert protocol version|no protocols available")

    def test_secure_from_the_first_byte(self):
        """A listener with modifier s."""
        port = story.free_port()
        self.stage(start=False)
        self.pr.settings["listeners"].append({"name": "SMTPS", "address": "127.0.0.1", "port": port, "modifiers": "s"})
        self.pr.start()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with socket.create_connection(("127.0.0.1", port), 10 * story.SLOW) as plain, self.context(version).wrap_socket(plain, suppress_ragged_eofs=False) as sock:
                stream = sock.makefile("rb")
                self.assertEqual(stream.readline()[:4], b"220 ")
                sock.sendall(b"EHLO x\r\nSTARTTLS\r\nQUIT\r\n")
                said = stream.read()
                self.assertNotIn(b"-STARTTLS", said)
                self.assertRegex(said, rb"(?s)^250-.*\r\n454 4.3.3 .*\r\n221 2.0.0 [^\r\n]*\r\n$")
        with socket.create_connection(("127.0.0.1", port), 10 * story.SLOW) as plain:  # who speaks plain SMTP hears none
            plain.sendall(b"EHLO x\r\n")
            with contextlib.suppress(ConnectionError):
                self.assertNotIn(b"220", plain.recv(1000))
        self.pr.wait_log("STARTTLS=server, error: handshake with 127.0.0.1 failed: ")

    def test_secure_listener_needs_a_certificate(self):
        pr = self.daemon(start=False)
        pr.settings["listeners"].append({"name": "SMTPS", "address": "127.0.0.1", "port": story.free_port(), "modifiers": "s"})
        pr.write_conf()
        status, text = pr.ctl("check")
        self.assertEqual(status, 78)
        self.assertRegex(text, "postrider.conf:[0-9]+: .*SMTPS.*ServerCertFile")

    # -- clients that show one -----------------------------------------------------------

    def test_clients_certificates(self):
        others = tls_peer.Authority(os.path.join(self.scratch, "others"), "Root of Others")
        one = self.pair("one.example")
        self.stage({"CACertFile": self.pki.path}, certificates=[{"names": "one.example", "cert": one[0], "key": one[1]}])
        for certificate, verify in ((self.pki.certificate("client.example"), "OK"), (others.certificate("foreign.example"), "FAIL"), (None, "NO")):
            for version, name in ((ssl.TLSVersion.TLSv1_2, None), (ssl.TLSVersion.TLSv1_3, None), (ssl.TLSVersion.TLSv1_2, "one.example"), (ssl.TLSVersion.TLSv1_3, "one.example")):
                before = self.pr.log().count(f"verify={verify},")
                self.secure(self.context(version, certificate=certificate), name=name).close()
                story.wait_for(self.pr.log, lambda: self.pr.log().count(f"verify={verify},") == before + 1)

    # -- many, and slow ones ------------------------------------------------------------

    def test_half_open_handshakes(self):
        """A thousand clients that say STARTTLS and then nothing, or begin a handshake and stop: others are served at once, and the time of these is limited."""
        self.stage({"Timeout": {"starttls": "4s"}})
        begun = self.client_hello()
        waiting = []
        for number in range(1000):
            client = story.Client(self.pr.port, timeout=60 * story.SLOW)
            client.expect(220, "STARTTLS")
            if number % 2:
                client.sock.sendall(begun[:len(begun) // 2])
            waiting.append(client)
        began = time.monotonic()
        with self.pr.client() as client:
            client.expect(250, "NOOP")
        self.secure().close()
        self.assertLess(time.monotonic() - began, 3 * story.SLOW)
        for client in waiting:  # dripping does not help
            with contextlib.suppress(OSError):
                client.sock.sendall(begun[len(begun) // 2:len(begun) // 2 + 1])
        for client in waiting:
            with contextlib.suppress(ConnectionError):
                while client.sock.recv(1000):
                    pass
            client.close(False)
        self.assertLess(time.monotonic() - began, 30 * story.SLOW)

    @unittest.skipIf(story.SLOW > 1, "a sanitizer has memory of its own")
    def test_memory(self):
        """KiB of an idle session, those of the system's sockets not counted."""
        self.stage()
        warm, room = [self.secure() for _ in range(100)], {}
        for kind, count, most in (("plain", 1000, 8), ("tls", 1000, 60)):
            before = self.receiver_kib()
            clients = [self.secure() if kind == "tls" else self.pr.client(helo="x") for _ in range(count)]
            room[kind] = (self.receiver_kib() - before) / count
            self.assertLess(room[kind], most)
            for client in clients:
                client.close(False)
        print(f"KiB of an idle session: {room['tls']:.1f} in TLS, {room['plain']:.1f} without", flush=True)
        for client in warm:
            client.close(False)

    def receiver_kib(self):
        pid = next(pid for pid, role in self.pr.processes().items() if role == "receiver")
        with open(f"/proc/{pid}/smaps_rollup") as handle:
            return int(re.search(r"(?m)^Pss: +(\d+)", handle.read()).group(1))

    def client_hello(self):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        talk = self.context().wrap_bio(incoming, outgoing)
        with contextlib.suppress(ssl.SSLWantReadError):
            talk.do_handshake()
        return outgoing.read()


if __name__ == "__main__":
    story.main()
