#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Mail to a next host goes by TLS when that offers it; who cannot be believed, breaks the handshake or says nothing is treated as the access table
and the options say, and no mail is lost or bounced for it."""
import os
import re
import shutil
import time

import story
import tls_peer

LETTER = "From: ann@example.net\nTo: joe@far.example\nSubject: s\n\nbody\n"


class Tls(story.Story):
    def setUp(self):
        super().setUp()
        self.pki = tls_peer.Authority(os.path.join(self.scratch, "pki"))
        os.chmod(self.scratch, 0o755)

    def peer(self, **settings):
        peer = tls_peer.Peer(**settings)
        self.sinks.append(peer)
        return peer

    def good(self, **settings):
        return self.peer(certificate=self.pki.certificate("good.example"), **settings)

    def stage(self, peer, access="", mailer=None, options=None, start=True, name="pr"):
        self.pr = self.daemon(name, start=False, rules={"smart_host": f"esmtp:[127.0.0.1]:{peer.port}"}, mailers={"esmtp": {"module": "smtp", **(mailer or {})}},
                              options={"CACertFile": self.pki.path, "LogLevel": 14, "QueueInterval": "1h", **(options or {})})
        self.table = self.pr.write("access", access)
        self.pr.settings["maps"]["access"] = {"module": "text", "file": self.table, "delimiter": "~"}
        return self.pr.start() if start else self.pr

    def send(self, text=LETTER):
        return self.pr.send("ann@example.net", ["joe@far.example"], text)

    def waits(self, words):
        letter = self.send()
        self.pr.wait_log(letter + ": to=.*stat=Deferred: " + re.escape(words))
        return letter

    def test_taken_when_offered(self):
        peer = self.good()
        self.stage(peer)
        self.send()
        peer.wait(1)
        said = peer.conversations[0]
        self.assertEqual([line.split(" ")[0] for line in said[:5]], ["EHLO", "STARTTLS", "TLSv1.3", "EHLO", "MAIL"])
        self.assertIn("STARTTLS=client, relay=[127.0.0.1], version=TLSv1.3, verify=OK, cipher=", self.pr.log())
        self.assertIn("cert-subject=/C=AQ/O=Test/CN=good.example, cert-issuer=/C=AQ/O=Test/CN=Root+20of+20the+20Test, verifymsg=ok", self.pr.log())

    def test_large_and_many(self):
        peer = self.good()
        self.stage(peer)
        large = LETTER + "".join(f"line {number} of many, to fill more than one record of TLS\n" for number in range(40000))
        self.send(large)
        for number in range(40):
            self.send(LETTER + f"number {number}\n")
        messages = peer.wait(41, 60)
        self.assertEqual(sorted(text.split("\n\n", 1)[1] for _, _, text in messages),
                         sorted([large.split("\n\n", 1)[1]] + [f"body\nnumber {number}\n" for number in range(40)]))
        self.assertLess(peer.connections, 41)  # kept, and used again

    def test_verification(self):
        others = tls_peer.Authority(os.path.join(self.scratch, "others"), "Root of Others")
        shown = [(self.pki.certificate("good.example"), "OK", None), (self.pki.certificate("old.example", expired=True), "FAIL", "454 4.7.0 authentication failed"),
                 (self.pki.certificate("own.example", own=True), "FAIL", "454 4.7.0 authentication failed"),
                 (others.certificate("foreign.example"), "FAIL", "454 4.7.0 authentication failed"),
                 (None, None, "454 4.7.0 other side does not support STARTTLS")]
        for number, (certificate, verify, refusal) in enumerate(shown):
            with self.subTest(number):
                peer = self.peer(certificate=certificate)
                self.stage(peer, name=f"free{number}")
                self.send()
                peer.wait(1)
                if verify:
                    self.assertIn(f"verify={verify}", self.pr.log())
                self.stage(peer, "TLS_Srv:127.0.0.1~VERIFY\n", name=f"strict{number}")
                if refusal:
                    self.waits(refusal)
                else:
                    self.send()
                    peer.wait(2)

    def test_names(self):
        peer = self.good()
        self.stage(peer, "TLS_Srv:127.0.0.1~VERIFY+CN:other.example\n", name="other")
        self.waits("454 4.7.0 CN good.example does not match other.example")
        self.stage(peer, "TLS_Srv:127.0.0.1~PERM+VERIFY+CN:good.example\n", name="good")
        self.send()
        peer.wait(1)

    def test_not_tried(self):
        peer = self.good()
        self.stage(peer, "Try_TLS:127.0.0.1~NO\n")
        self.send()
        peer.wait(1)
        self.assertEqual([line.split(" ")[0] for line in peer.conversations[0][:2]], ["EHLO", "MAIL"])

    def test_recipients(self):
        peer = self.peer()
        self.stage(peer, "TLS_Rcpt:secret@far.example~PERM+VERIFY\nTLS_Rcpt:later@~ENCR:100\n")
        self.pr.send("ann@example.org", ["secret@far.example", "later@far.example", "any@far.example"], LETTER)
        self.assertEqual(peer.wait(1)[0][1], ["any@far.example"])
        self.pr.wait_log("to=<secret@far.example>.*dsn=5.7.0, reply=503 5.7.0 other side does not support STARTTLS, stat=Service unavailable")
        self.pr.wait_log("to=<later@far.example>.*dsn=4.7.0, .*stat=Deferred: 454 4.7.0 encryption too weak 0 less than 100")

    def test_broken_handshakes(self):
        for manner in ("breaks", "babbles"):
            with self.subTest(manner):
                peer = self.good(manner=manner)
                self.stage(peer, name=manner)
                self.waits("454 4.7.0 TLS handshake failed.")
                self.assertIn("STARTTLS=client, error: handshake with [127.0.0.1] failed: ", self.pr.log())
                self.assertEqual(len(peer.conversations), 1)  # nothing in the clear behind it
                self.stage(peer, options={"TLSFallbacktoClear": True}, name=manner + "-clear")
                self.send()
                peer.wait(1)
                self.assertNotIn("STARTTLS", peer.conversations[-1])

    def test_silence(self):
        peer = self.good(manner="silent")
        self.stage(peer, options={"Timeout": {"starttls": "2s"}})
        began = time.monotonic()
        self.waits("454 4.7.0 TLS handshake failed.")
        self.assertLess(time.monotonic() - began, 15 * story.SLOW)
        self.assertIn("failed: it took too long", self.pr.log())

    def test_must_and_never(self):
        peer = self.peer()
        self.stage(peer, mailer={"tls": "must"}, name="must")
        self.waits("403 4.7.0 this mailer goes by TLS only")
        peer = self.good()
        self.stage(peer, mailer={"tls": "never"}, name="never")
        self.send()
        peer.wait(1)
        self.assertNotIn("STARTTLS", peer.conversations[0])

    def test_nothing_crosses(self):
        peer = self.good(manner="injects")
        self.stage(peer)
        self.send()
        peer.wait(1)
        self.assertEqual([line.split(" ")[0] for line in peer.conversations[0][:5]], ["EHLO", "STARTTLS", "TLSv1.3", "EHLO", "MAIL"])

    def test_kept_connection(self):
        """A table that became stricter counts for a connection that was there before."""
        peer = self.peer(certificate=self.pki.certificate("own.example", own=True))
        self.stage(peer)
        for count in (1, 2):
            self.send()
            peer.wait(count)
        self.assertEqual(peer.connections, 1)
        with open(self.table + ".new", "w") as handle:
            handle.write("TLS_Srv:127.0.0.1~VERIFY\n")
        os.rename(self.table + ".new", self.table)
        self.waits("454 4.7.0 authentication failed")
        self.assertEqual((len(peer.messages), peer.connections), (2, 2))

    def test_our_certificate(self):
        peer = self.good(root=self.pki.path)
        certificate, key = self.pki.certificate("client.example")
        if story.IS_ROOT:
            os.chown(key, *[int(line.split(":")[at]) for line in open("/etc/passwd") if line.startswith("bin:") for at in (2, 3)])
        self.stage(peer, options={"ClientCertFile": certificate, "ClientKeyFile": key})
        self.send()
        peer.wait(1)
        self.assertIn("client=client.example", peer.conversations[0][2])

    def test_our_certificate_is_renewed(self):
        peer = self.good(root=self.pki.path)
        places = [os.path.join(self.scratch, name) for name in ("our.pem", "our.key")]
        self.place("first.example", places)
        self.stage(peer, options={"ClientCertFile": places[0], "ClientKeyFile": places[1]}, mailer={"messages": 1})
        self.send()
        peer.wait(1)
        self.place("second.example", places)
        time.sleep(4)  # a replacement must have been there for some seconds
        self.send()
        peer.wait(2)
        with open(places[0], "w") as handle:
            handle.write("broken")
        time.sleep(4)
        self.send()
        peer.wait(3)
        self.assertEqual([re.search("client=(.*)", one[2]).group(1) for one in peer.conversations], ["first.example", "second.example", "second.example"])
        self.assertIn("STARTTLS=client, files were replaced: new connections", self.pr.log())
        self.assertIn("STARTTLS=client, error: files were replaced and cannot be used, what was there before is used on: ClientCertFile: ", self.pr.log())

    def place(self, name, places):
        for source, target in zip(self.pki.certificate(name), places):
            shutil.copy(source, target + ".new")
            if story.IS_ROOT:
                shutil.chown(target + ".new", "bin")
            os.rename(target + ".new", target)

    def test_names_and_passwords(self):
        """By the access table, over TLS; what goes out is not shown to who watches."""
        peer = self.good(auth=["PLAIN", "LOGIN"])
        self.stage(peer, 'AuthInfo:127.0.0.1~"U:joe" "P:secret"\n', options={"AuthMechanisms": "PLAIN LOGIN CRAM-MD5"})
        self.send()
        peer.wait(1)
        self.assertIn("(authenticated)", peer.conversations[0])
        self.assertIn("AUTH=client, relay=[127.0.0.1], mech=PLAIN", self.pr.log())

    def test_no_password_in_the_clear(self):
        peer = self.peer(auth=["PLAIN"])
        entry = 'AuthInfo:127.0.0.1~"U:joe" "P:secret"'
        self.stage(peer, entry + "\n", options={"AuthMechanisms": "PLAIN"}, name="kept")
        self.waits("Temporary AUTH failure")
        self.assertFalse([line for talk in peer.conversations for line in talk if line.startswith("AUTH")])
        self.stage(peer, entry + ' "M:PLAIN"\n', name="meant")
        self.send()
        peer.wait(1)
        self.assertIn("(authenticated)", peer.conversations[-1])
        self.stage(peer, entry + ' "M:PLAIN"\n', options={"AuthOptions": "p"}, name="forbidden")
        self.waits("Temporary AUTH failure")

    def test_default_auth_info(self):
        peer = self.good(auth=["CRAM-MD5"])
        path = os.path.join(self.scratch, "default-auth-info")
        with open(path, "w") as handle:
            handle.write("joe\njoe\nsecret\n")
        self.stage(peer, options={"DefaultAuthInfo": path})
        self.send()
        peer.wait(1)
        self.assertIn("(authenticated)", peer.conversations[0])
        os.unlink(path)
        self.stage(peer, options={"DefaultAuthInfo": path}, name="gone")
        self.waits("Temporary AUTH failure")
        self.assertIn("DefaultAuthInfo: ", self.pr.log())

    def test_what_cannot_be_used(self):
        """The daemon does not start, and `postriderctl check` names the line."""
        peer = self.peer()
        certificate, key = self.pki.certificate("client.example")
        os.chmod(key, 0o644)
        wrong = {
            "CipherList": ({"CipherList": "NONSENSE"}, "CipherList: NONSENSE: no cipher is left"),
            "ClientSSLOptions": ({"ClientSSLOptions": "+SSL_OP_FLY"}, r"ClientSSLOptions: \+SSL_OP_FLY is no switch that this library knows"),
            "half": ({"ClientCertFile": certificate}, "ClientCertFile and ClientKeyFile must be given together"),
            "pair": ({"ClientCertFile": certificate, "ClientKeyFile": self.pki.key}, "ClientCertFile: .*root.key: .*key values mismatch"),
            "authority": ({"CACertFile": key}, "CACertFile: "),
        }
        os.chmod(self.pki.key, 0o644)
        for number, (name, (options, words)) in enumerate(wrong.items()):
            with self.subTest(name):
                self.stage(peer, options=options, start=False, name=f"wrong{number}")
                self.pr.write_conf()
                status, text = self.pr.ctl("check")
                self.assertEqual(status, 78, text)
                self.assertRegex(text, f"postrider.conf:[0-9]+: option {words}")
                self.pr.start(wait=False)
                story.wait_for(lambda: self.pr.output() + self.pr.log(), lambda: re.search("cannot start.*" + words, self.pr.output() + self.pr.log()))
                self.pr.stop()


if __name__ == "__main__":
    story.main()
