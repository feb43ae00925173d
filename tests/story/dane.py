#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a zone says of the certificate of its mail host (DANE, RFC 7672) binds where DNSSEC proves it, and nowhere else: a host that cannot show it gets no mail, and no mail is
bounced or sent in the clear for it."""
import hashlib
import os
import re
import shutil
import subprocess
import sys

import signed_zone
import story
import tls_peer

LETTER = "From: ann@example.net\nTo: joe@far.example\nSubject: s\n\nbody\n"
ADDRESS = "127.0.3.1"
# as host, whatever comes before the name
ZONE = """ns A 127.0.0.1
host A {address}
other A 127.0.3.2
{hosts}
expanded CNAME host
twohosts MX 10 mx-mismatch
twohosts MX 20 mx-right
_{port}._tcp.mx-right TLSA {right}
_{port}._tcp.mx-mismatch TLSA 3 1 1 {wrong}
_{port}._tcp.mx-several TLSA 3 1 1 {wrong}
_{port}._tcp.mx-several TLSA {right}
_{port}._tcp.mx-key TLSA 3 0 2 {whole512}
_{port}._tcp.mx-full TLSA 3 0 0 {full}
_{port}._tcp.mx-authority TLSA 2 0 1 {root}
_{port}._tcp.mx-authorityother TLSA 2 0 1 {wrong}
_{port}._tcp.mx-pkix TLSA 1 1 1 {wrong}
_{port}._tcp.mx-short TLSA 3 1 1 0102
_{port}._tcp.mx-odd TLSA 3 1 7 {wrong}
_{port}._tcp.mx-alias CNAME _{port}._tcp.mx-right
_{port}._tcp.host TLSA {right}
_{port}._tcp.bare TLSA 3 1 1 {wrong}
mx-nowhere A 127.0.3.1
pointed MX 10 pointer
pointer CNAME host
bare A {address}
crossed MX 10 mx.plain.test.
outside MX 10 mx.bogus.test.
plain NS ns
bogus NS ns
bogus DS 12345 13 2 {wrong}
lost MX 10 mx-lost
mx-lost A {address}
_{port}._tcp.mx-lost CNAME tlsa.bogus.test.
"""
PLAIN = "@ MX 10 mx\nmx A {address}\n_{port}._tcp.mx TLSA 3 1 1 {wrong}\nleads MX 10 mx-mismatch.test.\n"
BOGUS = "@ MX 10 mx\nmx A {address}\ntlsa TLSA 3 1 1 {wrong}\n"
HOSTS = ("right", "mismatch", "several", "key", "full", "authority", "authorityother", "pkix", "short", "odd", "alias", "none")


def sha(data, name="sha256"):
    return hashlib.new(name, data).hexdigest()


class Dane(story.Story):
    def setUp(self):
        super().setUp()
        os.chmod(self.scratch, 0o755)
        self.pki = tls_peer.Authority(os.path.join(self.scratch, "pki"))
        self.port = story.free_port()
        self.server = None
        self.count = 0

    def tearDown(self):
        try:
            super().tearDown()
        finally:
            if self.server:
                self.server.stop()

    def der(self, path, *words):
        return subprocess.run(["openssl", *words, "-in", path, "-outform", "DER"], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

    def key_of(self, certificate):
        return subprocess.run(f"openssl x509 -in '{certificate}' -noout -pubkey | openssl pkey -pubin -outform DER", shell=True, check=True, stdout=subprocess.PIPE).stdout

    def world(self, certificate=None, nsec3=False, offers=True, second=None, clock=None, **options):
        """A host at 127.0.3.1 that shows a certificate, the zones that name its key, and a daemon that believes them."""
        certificate = certificate or self.pki.certificate("mx-authority.test")
        whole = self.der(certificate[0], "x509")
        with open(self.pki.path) as root, open(certificate[0], "a") as chain:  # an authority by usage 2 must be sent along (RFC 7672 3.1.2)
            chain.write(root.read())
        values = {"address": ADDRESS, "port": self.port, "right": "3 1 1 " + sha(self.key_of(certificate[0])), "wrong": sha(b"another"), "whole512": sha(whole, "sha512"),
                  "full": whole.hex(), "root": sha(self.der(self.pki.path, "x509")), "hosts": "".join(f"{name} MX 10 mx-{name}\nmx-{name} A {ADDRESS}\n" for name in HOSTS)}
        zone = ZONE.format(**values).replace(f"mx-mismatch A {ADDRESS}", "mx-mismatch A 127.0.3.2") if second else ZONE.format(**values)
        self.server = signed_zone.Server(os.path.join(self.scratch, f"dns{self.count}"), {"test.": zone, "plain.test.": PLAIN.format(**values), "bogus.test.": BOGUS.format(**values)},
                                         signed=["test."], nsec3=nsec3, clock=clock)
        self.count += 1
        self.peer = tls_peer.Peer(address=ADDRESS, port=self.port, certificate=certificate if offers else None)
        self.sinks.append(self.peer)
        if second:
            self.second = tls_peer.Peer(address="127.0.3.2", port=self.port, certificate=second)
            self.sinks.append(self.second)
        self.pr = self.daemon(f"pr{self.count}", rules={"relay_clients": ["127.0.0.1"]}, mailers={"esmtp": {"module": "smtp", "port": self.port}},
                              maps={"access": {"module": "text", "file": self.table("Clt_Features:mx-none.test~D\n"), "delimiter": "~"}},
                              options={"Resolver": [self.server.address], "TrustAnchorFile": self.server.anchors, "DANE": True, "LogLevel": 14, "QueueInterval": "1h", **options})
        return self.pr

    def table(self, text):
        path = os.path.join(self.scratch, "access")
        with open(path, "w") as handle:
            handle.write(text)
        return path

    def send(self, name):
        return self.pr.send("ann@example.net", [f"joe@{name}.test"], LETTER)

    def goes(self, name, verify="TRUSTED"):
        """It arrives, by TLS, and what was found out is in the log."""
        before = len(self.peer.messages)
        letter = self.send(name)
        self.pr.wait_log(letter + ": to=.*stat=")
        self.assertRegex(self.pr.log(), letter + ": to=.*stat=Sent", name)
        self.assertEqual(len(self.peer.messages), before + 1, name)
        said = self.peer.conversations[-1]
        if verify is None:
            self.assertNotIn("STARTTLS", said)
            return said
        lines = re.findall(r"STARTTLS=client, relay=(\S+), version=\S+, verify=(\w+)", self.pr.log())
        self.assertEqual(lines[-1][1], verify, name)
        return said

    def waits(self, name, words):
        before = len(self.peer.messages)
        letter = self.send(name)
        self.pr.wait_log(letter + ": to=.*stat=")
        self.assertRegex(self.pr.log(), letter + ": to=.*stat=Deferred: " + words, name)
        self.assertEqual(len(self.peer.messages), before, name)

    def test_what_matches(self):
        self.world()
        for name in ("right", "several", "key", "full", "authority", "alias"):
            with self.subTest(name):
                self.goes(name)

    def test_what_does_not(self):
        self.world(TLSFallbacktoClear=True)
        for name in ("mismatch", "authorityother", "bare"):
            with self.subTest(name):
                self.waits(name, "454 4.7.0 DANE check failed.")
        for conversation in self.peer.conversations:
            self.assertFalse([line for line in conversation if line.startswith("MAIL")], conversation)
        self.assertIn("verify=DANE_FAIL", self.pr.log())

    def test_names(self):
        """By usage 3 a certificate may have any name and date, by usage 2 that of the host or of the domain."""
        self.world(self.pki.certificate("elsewhere.example", expired=True))
        self.goes("right")
        self.waits("authority", "454 4.7.0 DANE check failed.")

    def test_domain_name(self):
        self.world(self.pki.certificate("authority.test"))
        self.goes("authority")

    def test_unusable(self):
        """Encryption, with whoever it is."""
        self.world(self.pki.certificate("own.example", own=True))
        for name in ("pkix", "short", "odd"):
            with self.subTest(name):
                self.goes(name, "FAIL")
        self.assertIn("DANE: host=mx-pkix.test, none of the TLSA records of _%d._tcp.mx-pkix.test can be used" % self.port, self.pr.log())

    def test_nothing_said(self):
        """Without records, without proof of them, or where the rules want none of it, it is as with anybody."""
        for nsec3 in (False, True):
            self.world(nsec3=nsec3)
            for name in ("none", "crossed", "plain", "leads.plain"):
                with self.subTest(name, nsec3=nsec3):
                    self.goes(name, "FAIL")
            self.pr.stop()
            self.peer.close()
            self.server.stop()

    def test_no_tls(self):
        self.world(offers=False)
        for name in ("right", "pkix"):
            with self.subTest(name):
                self.waits(name, "403 4.7.0 DANE wants TLS, which is not to be had")
        self.goes("crossed", None)

    def test_forged(self):
        self.world()
        for name, words in (("bogus", "Name server: bogus.test: host name lookup failure"), ("outside", "Name server: mx.bogus.test: host name lookup failure"),
                            ("lost", "DANE of mx-lost.test cannot be told: .*DNSSEC proves the answer false")):
            with self.subTest(name):
                self.waits(name, words)
        self.assertEqual(self.peer.conversations, [])

    def test_expired(self):
        """A signature of last month proves nothing."""
        if shutil.which("faketime") is None:
            self.skipTest("there is no faketime")
        self.world(clock="-30d")
        self.waits("right", "Name server: right.test: host name lookup failure")
        self.assertEqual(self.peer.conversations, [])

    def test_aliases(self):
        """The records are those of the name that the alias leads to; it is sent along."""
        self.world()
        said = self.goes("pointed")
        self.assertIn("TLSv1.3 sni=host.test", said)

    def test_next_host(self):
        self.world(second=self.pki.certificate("mx-mismatch.test"))
        self.goes("twohosts")
        self.assertEqual([line for line in self.second.conversations[0] if line.startswith("MAIL")], [])
        self.assertEqual(self.second.messages, [])

    def test_switched_off(self):
        self.world()
        self.pr.stop()
        self.pr.settings["mailers"]["esmtp"]["dane"] = "no"
        self.pr.start()
        self.goes("mismatch", "FAIL")

    def test_rules(self):
        """The letter D of clt_features."""
        self.world()
        self.table("Clt_Features:mx-mismatch.test~D\n")
        self.goes("mismatch", "FAIL")
        self.waits("bare", "454 4.7.0 DANE check failed.")

    def test_needs_an_anchor(self):
        pr = self.daemon("bare", start=False, options={"DANE": True})
        pr.write_conf()
        status, said = pr.ctl("check")
        self.assertNotEqual(status, 0)
        self.assertIn("option DANE: TrustAnchorFile is needed", said)
        pr.settings["options"]["TrustAnchorFile"] = os.path.join(self.scratch, "nowhere")
        pr.write_conf()
        status, said = pr.ctl("check")
        self.assertNotEqual(status, 0)
        self.assertIn("option TrustAnchorFile: " + os.path.join(self.scratch, "nowhere") + ": cannot open: No such file", said)


def skip_without_dnssec():
    if not signed_zone.is_there():
        print("SKIP: there is no knotd (Debian: knot)")
        sys.exit(77)
    with open(os.path.join(story.BUILD, "config.status"), encoding="utf-8", errors="replace") as built:
        if 'S["HAVE_LIBUNBOUND_TRUE"]="#"' in built.read():
            print("SKIP: this build has no libunbound (Debian: libunbound-dev)")
            sys.exit(77)


if __name__ == "__main__":
    skip_without_dnssec()
    story.main()
