#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a domain's MTA-STS policy says binds (RFC 8461): in enforce no host gets its mail that the policy does not name, or that cannot show a good certificate for its name, and
nothing goes in the clear; in testing it is only reported; and how each connection fared is in the records of RFC 8460."""
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time

import signed_zone
import story
import sts_host
import tls_peer

LETTER = "From: ann@example.net\nTo: joe@far.example\nSubject: s\n\nbody\n"
MODES = ("none", "testing", "enforce")
# how the host of a domain is: its address, and how the reports call it
HOSTS = {"valid": ("127.0.3.1", None), "wrong": ("127.0.3.2", "certificate-host-mismatch"), "expired": ("127.0.3.3", "certificate-expired"),
         "own": ("127.0.3.4", "certificate-not-trusted"), "plain": ("127.0.3.5", "starttls-not-supported"), "common": ("127.0.3.6", "certificate-host-mismatch")}
MANNERS = {"breaks": ("127.0.3.7", "454 4.7.0 TLS handshake failed."), "refuses": ("127.0.3.8", "403 4.7.0 MTA-STS wants TLS, which is not to be had")}
POLICY_HOST = "127.0.4.1"


class Sts(story.Story):
    def setUp(self):
        super().setUp()
        os.chmod(self.scratch, 0o755)
        self.pki = tls_peer.Authority(os.path.join(self.scratch, "pki"))
        os.chmod(self.pki.folder, 0o755)
        self.port = story.free_port()
        self.zone, self.peers = None, {}
        self.policies = sts_host.Host(self.pki, POLICY_HOST)
        self.records = {"ns": "A 127.0.0.1"}
        for name, (address, _) in {**HOSTS, **MANNERS}.items():
            self.records["mx-" + name] = "A " + address

    def tearDown(self):
        try:
            super().tearDown()
        finally:
            self.policies.close()
            if self.zone:
                self.zone.stop()

    # -- the stage ----------------------------------------------------------

    def domain(self, name, policy, *hosts, identity="1", where=POLICY_HOST):
        """A domain with MX records to these hosts, a record with this id, and a policy."""
        for place, host in enumerate(hosts):
            self.records[f"{name} MX {place}"] = f"MX {10 * place + 10} mx-{host}"
        if identity:
            self.records["_mta-sts." + name] = f'0 TXT "v=STSv1; id={identity};"'
        self.records["mta-sts." + name] = "A " + where
        self.records["_smtp._tls." + name] = f'TXT "v=TLSRPTv1; rua=mailto:tls@{name}.test,https://reports.{name}.test/"'
        if policy is not None:
            self.policies.policies[name + ".test"] = policy

    def text(self):
        return "".join(f"{name.split(' ')[0]} {record}\n" for name, record in self.records.items())

    def peer(self, name):
        if name not in self.peers:
            host = f"mx-{name}.test"
            files = {"wrong": lambda: self.pki.certificate("elsewhere.test", names=["elsewhere.test"]), "expired": lambda: self.pki.certificate(host, expired=True, names=[host]),
                     "own": lambda: self.pki.certificate(host, own=True, names=[host]), "plain": lambda: None, "common": lambda: self.pki.certificate(host)}
            certificate = files.get(name, lambda: self.pki.certificate(host, names=["other.test", host]))()
            self.peers[name] = tls_peer.Peer(address=(HOSTS.get(name) or MANNERS[name])[0], port=self.port, certificate=certificate, manner=name if name in MANNERS else "")
            self.sinks.append(self.peers[name])
        return self.peers[name]

    def world(self, mailer=None, access="", extra="", zones=None, **options):
        self.extra = extra
        self.zone = signed_zone.Server(os.path.join(self.scratch, "dns"), {"test.": self.text() + extra, **(zones or {})}, signed=["test."])
        table = os.path.join(self.scratch, "access")
        with open(table, "w") as handle:
            handle.write(access)
        self.pr = self.daemon(rules={"relay_clients": ["127.0.0.1"]}, mailers={"esmtp": {"module": "smtp", "port": self.port, "sts_port": self.policies.port, **(mailer or {})}},
                              maps={"access": {"module": "text", "file": table, "delimiter": "~"}},
                              options={"Resolver": [self.zone.address], "TrustAnchorFile": self.zone.anchors, "CACertFile": self.pki.path, "StrictTransportSecurity": True,
                                       "TLSReportDirectory": ".tlsrpt", "LogLevel": 14, "QueueInterval": "1h", **options})
        return self.pr

    def change(self):
        self.zone.change("test.", self.text() + self.extra)

    # -- what is seen --------------------------------------------------------

    def send(self, name, header=""):
        letter = self.pr.send("ann@example.net", [f"joe@{name}.test"], header + LETTER)
        self.pr.wait_log(letter + ": to=.*stat=", 60)
        return re.search(letter + ": to=.*stat=(.*)", self.pr.log()).group(1)

    def goes(self, name, host, header=""):
        before = len(self.peer(host).messages)
        self.assertRegex(self.send(name, header), "^Sent", name)
        self.assertEqual(len(self.peer(host).messages), before + 1, name)
        return self.peer(host).conversations[-1]

    def waits(self, name, words, *hosts):
        before = [len(self.peer(host).messages) for host in hosts]
        self.assertRegex(self.send(name), "^Deferred: " + words, name)
        self.assertEqual([len(self.peer(host).messages) for host in hosts], before, name)

    def kept(self, name):
        return os.path.join(self.pr.top, "queue", ".sts", name + ".test")

    def reports(self, *words):
        """{domain: [(policy, {failure: count}, successes)]} of what postriderctl says, and to whom they would go."""
        libs = os.path.join(story.BUILD, ".libs")
        self.pr.stop()  # what is counted is on disk then
        done = subprocess.run(["postriderctl", "-C", self.pr.conf_path, "tlsrpt", *words], executable=os.path.join(libs, "postrider"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=60 * story.SLOW, env={**os.environ, "LD_LIBRARY_PATH": libs})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.documents = [json.loads(text) for text in done.stdout.split("\n\n") if text.strip()]
        found = {}
        for document in self.documents:
            for one in document["policies"]:
                failures = {detail["result-type"]: detail["failed-session-count"] for detail in one.get("failure-details", [])}
                self.assertEqual(sum(failures.values()), one["summary"]["total-failure-session-count"], one)
                found.setdefault(one["policy"]["policy-domain"].removesuffix(".test"), []).append((one["policy"]["policy-type"], failures, one["summary"]["total-successful-session-count"]))
        return found, done.stderr

    # -- the stories ---------------------------------------------------------

    def test_modes(self):
        """Each mode with each kind of host."""
        for mode in MODES:
            for host in HOSTS:
                self.domain(f"{mode}-{host}", sts_host.policy(mode, f"mx-{host}.test"), host)
        self.world(TLSFallbacktoClear=True)
        for mode in MODES:
            for host in HOSTS:
                with self.subTest(mode=mode, host=host):
                    name = f"{mode}-{host}"
                    if mode != "enforce" or host == "valid":
                        self.goes(name, host)
                    elif host == "plain":
                        self.waits(name, "403 4.7.0 MTA-STS wants TLS, which is not to be had", host)
                    else:
                        self.waits(name, "454 4.7.0 MTA-STS check failed: " + HOSTS[host][1], host)
        for host in HOSTS:
            clear = [talk for talk in self.peer(host).conversations if any(line.startswith("MAIL") for line in talk) and not any(line.startswith("TLSv1") for line in talk)]
            self.assertEqual(len(clear), 2 if host == "plain" else 0, clear)  # none and testing
        found, told = self.reports()
        for host, (_, failure) in HOSTS.items():
            with self.subTest(report=host):
                failures = ({failure: 1}, 0) if failure else ({}, 1)
                self.assertEqual(found["testing-" + host], [("sts", *failures)])
                self.assertEqual(found["enforce-" + host], [("sts", *failures)])
                self.assertEqual(found["none-" + host], [("no-policy-found", *(({failure: 1}, 0) if host == "plain" else ({}, 1)))])
        self.assertIn("enforce-wrong.test: 1 session failed of 1; the report goes to mailto:tls@enforce-wrong.test,https://reports.enforce-wrong.test/", told)

    def test_smart_host(self):
        """A host that the configuration gives is its own domain, in brackets or not."""
        for host in ("valid", "own", "wrong"):
            self.domain("mx-" + host, sts_host.policy("enforce", f"mx-{host}.test" if host != "wrong" else "mx-valid.test"))
        self.domain("far", sts_host.policy("enforce", "nowhere.test"), "own")
        self.world(mailer={"host": "[mx-valid.test]"})
        self.assertIn("TLSv1.3 sni=mx-valid.test", self.goes("far", "valid"))
        for host, words in (("[mx-own.test]", "454 4.7.0 MTA-STS check failed: certificate-not-trusted"), ("mx-own.test", "454 4.7.0 MTA-STS check failed: certificate-not-trusted"),
                            ("[mx-wrong.test]", "MTA-STS: the policy of mx-wrong.test does not name mx-wrong.test")):
            with self.subTest(host):
                self.pr.stop()
                self.pr.settings["mailers"]["esmtp"]["host"] = host
                self.pr.start()
                self.waits("far", words, "own", "wrong")
        self.assertEqual(self.policies.asked, ["mx-valid.test", "mx-own.test", "mx-wrong.test"])

    def test_broken_handshakes(self):
        """Who breaks one on the way gets no mail in the clear, even where TLSFallbacktoClear gives it to him."""
        for mode in ("testing", "enforce"):
            for manner in MANNERS:
                self.domain(f"{mode}-{manner}", sts_host.policy(mode, f"mx-{manner}.test"), manner)
        self.world(TLSFallbacktoClear=True)
        for manner, (_, words) in MANNERS.items():
            self.waits("enforce-" + manner, words, manner)
            self.goes("testing-" + manner, manner)
        found, _ = self.reports()
        for mode in ("testing", "enforce"):
            self.assertEqual(found[mode + "-breaks"], [("sts", {"validation-failure": 1}, 0)])
            self.assertEqual(found[mode + "-refuses"], [("sts", {"starttls-not-supported": 1}, 0)])

    def test_slow_host(self):
        """A policy that does not come is not waited for longer than half a minute."""
        self.domain("far", sts_host.Answer(sts_host.policy("enforce", "mx-valid.test"), hangs=True), "own")
        self.world()
        began = time.monotonic()
        self.goes("far", "own")
        self.assertGreater(time.monotonic() - began, 25)
        self.assertIn("its mail goes without: sts-policy-fetch-error", self.pr.log())

    def test_report(self):
        """A document as RFC 8460 section 4.4 wants it."""
        self.domain("far", sts_host.policy("testing", "mx-wrong.test", "*.far.test", age=86400), "wrong")
        self.domain("other", sts_host.policy("testing", "mx-valid.test"), "valid")
        self.world()
        self.goes("far", "wrong")
        self.goes("other", "valid")
        found, _ = self.reports("--domain", "FAR.test")
        self.assertEqual(list(found), ["far"])
        document = self.documents[0]
        self.assertEqual(sorted(document), ["contact-info", "date-range", "organization-name", "policies", "report-id"])
        self.assertRegex(document["date-range"]["start-datetime"], r"^\d{4}-\d\d-\d\dT00:00:00Z$")
        self.assertRegex(document["date-range"]["end-datetime"], r"^\d{4}-\d\d-\d\dT23:59:59Z$")
        one = document["policies"][0]
        self.assertEqual(one["policy"], {"policy-type": "sts", "policy-string": ["version: STSv1", "mode: testing", "mx: mx-wrong.test", "mx: *.far.test", "max_age: 86400"],
                                         "policy-domain": "far.test", "mx-host": ["mx-wrong.test", "*.far.test"]})
        detail = one["failure-details"][0]
        self.assertEqual({key: detail[key] for key in ("result-type", "receiving-mx-hostname", "receiving-ip", "failed-session-count")},
                         {"result-type": "certificate-host-mismatch", "receiving-mx-hostname": "mx-wrong.test", "receiving-ip": "127.0.3.2", "failed-session-count": 1})
        self.assertRegex(detail["sending-mta-ip"], r"^127\.")
        done = self.pr.ctl("tlsrpt", "--day", "2001-02-03")
        self.assertEqual(done[0], 0)
        self.assertIn("nothing was counted on 2001-02-03", done[1])
        self.assertEqual(self.pr.ctl("tlsrpt", "--day", "2001-02-31")[0], 64)

    def test_hosts_of_the_policy(self):
        """A host that it does not name is passed over; an asterisk is one label."""
        for name in ("a.b", "a", "x"):
            self.records[f"mx-{name}.wild"] = "A " + HOSTS["wrong"][0]
        self.domain("other", sts_host.policy("enforce", "mx-own.test"), "valid")
        self.domain("second", sts_host.policy("enforce", "mx-valid.test"), "own", "valid")
        self.domain("tried", sts_host.policy("testing", "mx-own.test"), "valid")
        self.domain("star", sts_host.policy("enforce", "*.test"), "valid")
        self.domain("deep", sts_host.policy("enforce", "*.wild.test"), "a.b.wild")
        self.world()
        self.waits("other", "MTA-STS: the policy of other.test does not name mx-valid.test", "valid")
        self.goes("second", "valid")
        self.assertEqual(self.peer("own").conversations, [])
        self.goes("tried", "valid")
        self.goes("star", "valid")
        self.waits("deep", "MTA-STS: the policy of deep.test does not name mx-a.b.wild.test", "wrong")
        found, _ = self.reports()
        self.assertEqual(found["other"], [("sts", {"validation-failure": 1}, 0)])
        self.assertEqual(found["second"], [("sts", {"validation-failure": 1}, 1)])
        self.assertEqual(found["tried"], [("sts", {"validation-failure": 1}, 0)])

    def test_no_policy_to_be_had(self):
        """Without one that was seen before, mail goes as with anybody, and the report says why."""
        good = sts_host.policy("enforce", "mx-own.test")
        cases = {"missing": (None, "sts-policy-fetch-error"), "broken": ("version: STSv1\nmode enforce\n", "sts-policy-invalid"),
                 "unknown": (good.replace("enforce", "force"), "sts-policy-invalid"), "ageless": (good.replace("max_age", "age"), "sts-policy-invalid"),
                 "large": (good + "x: " + "x" * 65536 + "\n", "sts-policy-fetch-error"), "html": (sts_host.Answer(good, kind="text/html"), "sts-policy-fetch-error"),
                 "moved": (sts_host.Answer("", 301, headers=[("Location", f"https://mta-sts.good.test:{self.policies.port}/.well-known/mta-sts.txt")]), "sts-policy-fetch-error"),
                 "name": (sts_host.Answer(good, certificate=self.pki.certificate("x.test", names=["x.test"])), "sts-webpki-invalid"),
                 "expired": (sts_host.Answer(good, certificate=self.pki.certificate("mta-sts.expired.test", expired=True, names=["mta-sts.expired.test"])), "sts-webpki-invalid"),
                 "selfmade": (sts_host.Answer(good, certificate=self.pki.certificate("mta-sts.selfmade.test", own=True, names=["mta-sts.selfmade.test"])), "sts-webpki-invalid")}
        for name, (answer, _) in cases.items():
            self.domain(name, answer, "own")
        self.domain("down", good, "own", where="127.0.4.9")
        self.domain("silent", good, "own", identity=None)
        self.domain("good", good, "own")
        for number, wrong in enumerate(('"v=STSv1"', '"v=STSv1; id=a-b;"', '"v=STSv2; id=1;"')):
            self.domain(f"record{number}", good, "own", identity=None)
            self.records[f"_mta-sts.record{number}"] = "0 TXT " + wrong
        self.domain("twice", good, "own")
        self.records["_mta-sts.twice again"] = '0 TXT "v=STSv1; id=2;"'
        self.world()
        names = [*cases, "down", "silent", "record0", "record1", "record2", "twice"]
        for name in names:
            with self.subTest(name):
                self.goes(name, "own")
                self.assertFalse(os.path.exists(self.kept(name)), name)
        self.assertNotIn("good.test", self.policies.asked)
        self.goes("missing", "own")
        self.assertEqual(self.policies.asked.count("missing.test"), 1)  # not again within minutes
        self.waits("good", "454 4.7.0 MTA-STS check failed", "own")
        found, _ = self.reports()
        for name, (_, failure) in cases.items():
            self.assertEqual([(policy, list(failures)) for policy, failures, _ in found[name]], [("sts", [failure])], name)
        self.assertEqual(found["down"], [("sts", {"sts-policy-fetch-error": 1}, 0)])
        for name in ("silent", "record0", "record1", "record2", "twice"):
            self.assertEqual(found[name], [("no-policy-found", {}, 1)], name)

    def test_what_was_seen_stays(self):
        """A policy counts until its end, whether its record goes, its host, or the daemon."""
        self.domain("far", sts_host.policy("enforce", "mx-valid.test"), "own")
        self.world()
        self.waits("far", "MTA-STS: the policy of far.test does not name", "own")
        self.assertTrue(os.path.exists(self.kept("far")))
        self.assertEqual(os.stat(self.kept("far")).st_mode & 0o777, 0o600)
        self.policies.policies["far.test"] = sts_host.Answer("gone", 404)
        self.records["_mta-sts.far"] = '0 TXT "v=STSv1; id=2;"'
        self.change()
        self.waits("far", "MTA-STS: the policy of far.test does not name", "own")
        self.assertEqual(self.policies.asked, ["far.test"] * 2)
        self.assertIn("policy of far.test cannot be fetched, the one of before counts on: sts-policy-fetch-error: the answer is 404", self.pr.log())
        del self.records["_mta-sts.far"]
        self.change()
        self.pr.stop()
        self.pr.start()
        self.waits("far", "MTA-STS: the policy of far.test does not name", "own")
        self.assertEqual(self.policies.asked, ["far.test"] * 2)
        with open(self.kept("far")) as handle:
            text = handle.read()
        self.pr.stop()
        with open(self.kept("far"), "w") as handle:  # fetched eight days ago, for seven
            handle.write(re.sub(r"fetched: (\d+)", lambda old: f"fetched: {int(old.group(1)) - 8 * 86400}", text))
        self.pr.start()
        self.goes("far", "own")

    def test_it_is_renewed(self):
        """With another id, and when it has become old."""
        self.domain("far", sts_host.policy("enforce", "mx-valid.test"), "own")
        self.world()
        self.waits("far", "MTA-STS: the policy", "own")
        self.policies.policies["far.test"] = sts_host.policy("testing", "mx-valid.test")
        self.waits("far", "MTA-STS: the policy", "own")
        self.assertEqual(self.policies.asked, ["far.test"])
        self.records["_mta-sts.far"] = '0 TXT "v=STSv1; id=2;"'
        self.change()
        self.goes("far", "own")
        self.assertEqual(self.policies.asked, ["far.test"] * 2)
        self.pr.stop()
        with open(self.kept("far")) as handle:
            text = handle.read()
        self.assertIn("id: 2\n\nversion: STSv1\nmode: testing\n", text)
        with open(self.kept("far"), "w") as handle:  # more than a day
            handle.write(re.sub(r"fetched: (\d+)", lambda old: f"fetched: {int(old.group(1)) - 90000}", text))
        self.pr.start()
        self.goes("far", "own")
        self.assertEqual(self.policies.asked, ["far.test"] * 3)

    def test_one_fetches(self):
        """The others wait for the policy that one of them fetches: nothing goes before it is known."""
        self.domain("far", sts_host.Answer(sts_host.policy("enforce", "mx-valid.test"), hangs=True), "own")
        self.domain("near", None, "own", identity=None)
        self.world()
        letters = [self.pr.send("ann@example.net", ["joe@far.test"], LETTER) for _ in range(5)]
        story.wait_for("the question for the policy", lambda: self.policies.asked)
        self.goes("near", "own")  # and another domain does not wait
        self.policies.release.set()
        for letter in letters:
            self.pr.wait_log(letter + ": to=.*stat=Deferred: MTA-STS")
        self.assertEqual(self.policies.asked, ["far.test"])
        self.assertEqual(len(self.peer("own").messages), 1)

    def test_dane_wins(self):
        """Where the zone names the certificate the policy has nothing to say."""
        certificate = self.pki.certificate("mx-own.test", own=True, names=["mx-own.test"])
        key = subprocess.run(f"openssl x509 -in '{certificate[0]}' -noout -pubkey | openssl pkey -pubin -outform DER", shell=True, check=True, stdout=subprocess.PIPE).stdout
        self.peers["own"] = tls_peer.Peer(address=HOSTS["own"][0], port=self.port, certificate=certificate)
        self.sinks.append(self.peers["own"])
        self.domain("far", sts_host.policy("enforce", "mx-wrong.test"), "own")
        self.domain("bad", sts_host.policy("none"), "valid")
        self.domain("odd", sts_host.policy("enforce", "mx-expired.test"), "expired", identity=None)
        self.domain("forged", sts_host.policy("none"), "wrong")
        forged = f"bogus NS ns\nbogus DS 12345 13 2 {hashlib.sha256(b'x').hexdigest()}\n_{self.port}._tcp.mx-wrong CNAME tlsa.bogus\n_{self.port}._tcp.mx-expired TLSA 1 1 1 {hashlib.sha256(b'x').hexdigest()}\n"
        self.world(zones={"bogus.test.": f"tlsa TLSA 3 1 1 {hashlib.sha256(b'x').hexdigest()}\n"}, extra=forged + f"_{self.port}._tcp.mx-own TLSA 3 1 1 {hashlib.sha256(key).hexdigest()}\n_{self.port}._tcp.mx-valid TLSA 3 1 1 {hashlib.sha256(b'x').hexdigest()}\n", DANE=True)
        self.goes("far", "own")
        self.waits("bad", "454 4.7.0 DANE check failed", "valid")
        self.goes("odd", "expired")  # none of the records can be used: TLS, whoever it is
        self.waits("forged", "DANE of mx-wrong.test cannot be told", "wrong")
        self.assertEqual(self.policies.asked, [])
        found, _ = self.reports()
        self.assertEqual(found["far"], [("tlsa", {}, 1)])
        self.assertEqual(found["bad"], [("tlsa", {"validation-failure": 1}, 0)])
        self.assertEqual(found["odd"], [("tlsa", {"tlsa-invalid": 1}, 0)])
        self.assertEqual(found["forged"], [("tlsa", {"dnssec-invalid": 1}, 0)])

    def test_off(self):
        """By the letter M of clt_features, by the sender's word, and by the mailer."""
        self.domain("far", sts_host.policy("enforce", "mx-own.test"), "own")
        self.domain("rules", sts_host.policy("enforce", "mx-wrong.test"), "wrong")
        self.world(access="Clt_Features:mx-wrong.test~M\n")
        self.waits("far", "454 4.7.0 MTA-STS check failed", "own")
        self.goes("rules", "wrong")
        self.goes("far", "own", "TLS-Required: No\n")
        self.waits("far", "454 4.7.0 MTA-STS check failed", "own")  # the connection of before is not used for it
        self.pr.stop()
        self.pr.settings["mailers"]["esmtp"]["sts"] = "no"
        self.pr.start()
        self.goes("far", "own")

    def test_cache_is_remade(self):
        """The directory may go at any time."""
        self.domain("far", sts_host.policy("enforce", "mx-valid.test"), "valid")
        self.world()
        self.goes("far", "valid")
        self.pr.stop()
        shutil.rmtree(os.path.dirname(self.kept("far")))
        self.pr.start()
        self.goes("far", "valid")
        self.assertEqual([os.path.basename(path) for path in glob.glob(os.path.join(os.path.dirname(self.kept("far")), "*"))], ["far.test"])

    def test_needs_authorities(self):
        pr = self.daemon("bare", start=False, options={"StrictTransportSecurity": True})
        pr.write_conf()
        status, said = pr.ctl("check")
        self.assertNotEqual(status, 0)
        self.assertIn("MTA-STS: CACertPath is needed", said)
        pr.settings["options"].update({"CACertFile": self.pki.path, "TLSReportDirectory": "/nowhere/reports", "TLSPolicyDirectory": "/nowhere/policies"})
        pr.write_conf()
        status, said = pr.ctl("check")
        self.assertEqual(status, 0, said)
        self.assertRegex(said, r"postrider\.conf:\d+: warning: option TLSReportDirectory: /nowhere/reports: No such file or directory; no results are kept")
        self.assertRegex(said, r"postrider\.conf:\d+: warning: option TLSPolicyDirectory: /nowhere/policies: No such file or directory; policies are forgotten with each restart")


if __name__ == "__main__":
    if not signed_zone.is_there():
        print("SKIP: there is no knotd (Debian: knot)")
        sys.exit(77)
    with open(os.path.join(story.BUILD, "config.status"), encoding="utf-8", errors="replace") as built:
        text = built.read()
    for name, package in (("HAVE_LIBUNBOUND", "libunbound-dev"), ("HAVE_CURL", "libcurl4-openssl-dev")):
        if f'S["{name}_TRUE"]="#"' in text:
            print(f"SKIP: this build does without {package}")
            sys.exit(77)
    story.main()
