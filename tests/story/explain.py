#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""postriderctl explain says which rule and which table lead an address where it goes, as a sendmail.cf or as routes; and --against tells only
what another configuration would change."""
import json
import os
import subprocess
import threading
import time

import story

USER = story.ME if not story.IS_ROOT else "nobody"

CF = """V10/Berkeley
Djmail.example.org
DnMAILER-DAEMON
Cwlocalhost example.org
O OperatorChars=.:%@!^/[]+
Kvirt text {virt}
Scanonify=3
R$@\t\t\t$@ <@>
R$* < $* > $*\t\t$: $2
R$+ @ $+\t\t$@ $1 < @ $2 >
Sparse=0
R<@>\t\t\t$#local $: <@>
R$+ < @ $=w >\t\t$: $>virtual $1 < @ $2 >
R$+ < @ $=w >\t\t$#local $: $1
R$+ < @ lost . $+ >\t$#error $@ 5.1.2 $: "550 no such place"
R$+ < @ $+ >\t\t$#smtp $@ $2 $: $1 @ $2
R$+\t\t\t$#local $: $1
Svirtual
R$+ < @ $+ >\t\t$: < $(virt $1 @ $2 $: no $) > $1 < @ $2 >
R< no > $*\t\t$@ $1
R< $+ > $*\t\t$@ $1 < @ localhost >
Sshown=10
R$+\t\t\t$: via . $1
Sfinal=4
R$+ < @ $+ >\t\t$1 @ $2
Scheck_mail
R$* bad $*\t\t$#error $@ 5.7.1 $: "550 no such sender"
Scheck_rcpt
R$*\t\t\t$: $&{client_addr} $&{client_name}
R192 . 0 . 2 . 1 $*\t$#error $@ 5.7.1 $: 551 not from $&{client_name}
Mlocal, P=/bin/true, F=lsDFMAw5:/|@qPn, A=true $u
Mprog, P=/bin/sh, F=lsDFMoqeu9, A=sh -c $u
Msmtp, P=[IPC], F=mDFMuXk0, S=shown, E=\\r\\n, L=990, A=TCP $h
"""


class Explain(story.Story):
    def setUp(self):
        super().setUp()
        self.pr = self.daemon(start=False, options={"AliasFile": ["aliases"]})
        self.aliases = self.pr.write("aliases", f"team\t{USER}, ann@far.example, nosuchuser\nsales\tteam\nroot+\t{USER}\n")
        self.virt = self.pr.write("virt", f"info@virt.example\t{USER}\n@virt.example\terror:nouser 550 nobody there\n")
        self.table = self.pr.write("mailertable", ".far.example\tesmtp:gate.example\n")
        text = lambda path: {"module": "text", "file": path}
        self.pr.settings["maps"] = {"aliases": text(self.aliases), "virtusertable": text(self.virt), "mailertable": text(self.table)}
        self.pr.settings["rules"].update(virtual_domains=["virt.example"], masquerade_as="shown.example", masquerade_envelope=True)
        self.pr.write_conf()
        self.local = USER + "@example.org"

    def explain(self, *words, config=None, expect=0, text=None, env=None):
        libs = os.path.join(story.BUILD, ".libs")
        done = subprocess.run(["postriderctl", "-C", config or self.pr.conf_path, "explain", *words], executable=os.path.join(libs, "postrider"),
                              input=text, capture_output=True, timeout=120 * story.SLOW,
                              env={**os.environ, "LD_LIBRARY_PATH": libs, "POSTRIDER_CONF": self.pr.conf_path, **(env or {})})
        self.out, self.err = done.stdout.decode("utf-8", "surrogateescape"), done.stderr.decode("latin-1")
        self.assertEqual(done.returncode, expect, f"{words}: {self.out[-3000:]}\n{self.err[-3000:]}")
        return self.out

    def objects(self, *words, **more):
        return [json.loads(line) for line in self.explain("--json", *words, **more).splitlines()]

    def cf(self, name="a.cf", **changes):
        """The cf with one line instead of another."""
        text = CF.replace("{virt}", self.virt)
        for before, after in changes.values():
            self.assertIn(before, text)
            text = text.replace(before, after)
        return self.pr.write(name, text)

    def line_of(self, path, start):
        with open(path) as handle:
            return next(number for number, line in enumerate(handle, 1) if line.startswith(start))

    def test_routes(self):
        text = self.explain("info@virt.example", "x@virt.example", "u@a.far.example")
        for expected in ('virtual_domains  "virt.example" -> "is virtual"', f'map virtusertable "info@virt.example": "{USER}"  (',
                         'map virtusertable "x@virt.example": no answer  (', "  => x@virt.example: 550 5.0.0 nobody there\n",
                         'map mailertable "a.far.example": no answer', 'map mailertable ".far.example": "esmtp:gate.example"',
                         "  => u@a.far.example: mailer esmtp, host gate.example, user u@a.far.example\n"):
            self.assertIn(expected, text)
        self.assertLess(text.index('"a.far.example": no answer'), text.index('".far.example": "esmtp'))

    def test_list(self):
        got, = self.objects("--sender", "ann@example.org", "sales@example.org")
        self.assertEqual([(end["address"], end.get("alias"), end.get("mailer"), end.get("code")) for end in got["recipients"]],
                         [(USER, "team", "local", None), ("ann@far.example", "team", "esmtp", None), ("nosuchuser", "team", None, 550)])
        self.assertEqual(got["recipients"][1]["envelope_sender"], "ann@shown.example")
        self.assertEqual([(step["key"], step["answer"]) for step in got["steps"] if step["kind"] == "alias" and step["status"] == "found"],
                         [("sales", "team"), ("team", f"{USER}, ann@far.example, nosuchuser")])
        self.assertEqual([step["status"] for step in got["steps"] if step["kind"] == "account"], ["found", "none"])
        self.assertTrue(all(step["microseconds"] >= 0 for step in got["steps"] if step["kind"] in ("map", "alias", "account", "end")))

    def test_include(self):
        """Programs and members of an :include: file are ends like others, also for -bv; one that is not there is named."""
        listed = self.pr.write("list", "# people\n|/bin/true\n" + "".join(f"m{i}@far{i}.example\n" for i in range(2000)))
        os.chmod(listed, 0o644)
        with open(self.aliases, "a") as handle:
            handle.write(f"big\t:include:{listed}\ngone\t:include:{listed}.gone\n")
        big, gone = self.objects("big@example.org", "gone@example.org")
        self.assertEqual([end["mailer"] for end in big["recipients"]], ["prog"] + ["esmtp"] * 2000)
        self.assertEqual((gone["recipients"][0]["text"], gone["steps"][-1]["status"]), ("Mailing list cannot be read", "failed"))
        self.assertIn(f"{listed}.gone", gone["steps"][-1]["why"])
        verified = self.pr.run("sendmail", "-C", self.pr.conf_path, "-bv", "big@example.org").stdout
        self.assertIn("|/bin/true... deliverable: mailer prog, user |/bin/true\n", verified)

    def test_verdicts(self):
        got, = self.objects("--client", "203.0.113.9", "--sender", "a@example.net", "u@elsewhere.example")
        self.assertEqual([(row["check"], row["action"]) for row in got["verdicts"]],
                         [("check_relay", "accept"), ("check_mail", "accept"), ("check_rcpt", "reject")])
        self.assertEqual(got["verdicts"][2]["code"], 550)
        self.assertIn("lookup failed [203.0.113.9]", got["verdicts"][2]["text"])
        self.assertIn("check_rcpt: accepted\n", self.explain("--client=127.0.0.1=localhost", "u@elsewhere.example"))

    def test_cf(self):
        cf = self.cf()
        text = self.explain("--sender", "a@bad.example", "--client", "192.0.2.1=h.example", self.local, "x@lost.place", "y@far.example", config=cf)
        wanted = (f'{cf}:{self.line_of(cf, "R$+ @")}  "{USER} @ example . org" -> "{USER} < @ example . org >"', f'map virt "{USER}@example.org": no answer  (',
                  f'{cf}:{self.line_of(cf, "R< no")}  "< no > {USER} < @ example . org >" -> "{USER} < @ example . org >"', f'parse gives "$# local $: {USER}"  (')
        at = [text.index(part) for part in wanted]
        self.assertEqual(at, sorted(at), text)
        for expected in ("  check_mail: 550 5.7.1 no such sender\n", "  check_rcpt: 551 5.7.1 not from h.example\n", "  => x@lost.place: 550 5.1.2 no such place\n",
                         "  => y@far.example: mailer smtp, host far.example, user y@far.example\n     envelope from <via.a@bad.example> to <y@far.example>\n"):
            self.assertIn(expected, text)
        sets = [(step["kind"], step["depth"], step["name"]) for step in self.objects(self.local, config=cf)[0]["steps"] if step["kind"] in ("set", "end")]
        self.assertEqual(sets[:6], [("set", 0, "canonify"), ("end", 0, "canonify"), ("set", 0, "parse"), ("set", 1, "virtual"), ("end", 1, "virtual"),
                                    ("end", 0, "parse")])

    def test_a_table_of_a_cf_that_cannot_be_read(self):
        """Its rules give no answer at all: the reason that the log would have stands where it would."""
        broken = self.pr.write("broken.db", "no table at all\n" * 100)
        cf = self.cf("broken.cf", virt=(f"Kvirt text {self.virt}", f"Kvirt hash {broken}"))
        text = self.explain(self.local, config=cf, expect=75)
        self.assertRegex(text, r"(?m)^  rules say 451 4\.3\.0 .*broken\.db: neither a GDBM ")
        self.assertNotIn("rules say 0", text)
        route = next(step for step in self.objects(self.local, config=cf, expect=75)[0]["steps"] if step["kind"] == "route")
        self.assertEqual((route["code"], route["enhanced"]), (451, "4.3.0"))
        self.assertIn("broken.db", route["text"])

    def test_a_table_that_cannot_answer(self):
        with open(self.pr.conf_path) as handle:
            self.working = self.pr.write("working.conf", handle.read())
        self.pr.settings["maps"]["virtusertable"] = {"module": "hash", "file": self.pr.write("broken.db", "no table at all\n" * 100)}
        self.pr.write_conf()
        self.assertRegex(self.explain("info@virt.example", expect=75),
                         r'map virtusertable "info@virt\.example": could not look: \S+/broken\.db: neither a GDBM .*\(\d+\.\d us\)\n')
        step = next(step for step in self.objects("info@virt.example", expect=75)[0]["steps"] if step["kind"] == "map")
        self.assertEqual((step["status"], step["key"], "answer" in step), ("failed", "info@virt.example", False))
        self.assertIn("broken.db", step["why"])
        self.assertIn("\n1 addresses, 1 differ, 1 met a temporary failure and may end elsewhere another time\n",
                      self.explain("--against", self.working, "-", text=b"info@virt.example\n", expect=75))

    def test_bytes_and_stdin(self):
        lines = b"joe\xff@example.org\n\n# no\n<a\"b@example.org>\nx\x01y@example.org\n\xc3\xa4@\xf0\x9f\x98\x80.example\n"
        got = self.objects("-", text=lines)
        self.assertEqual([row["address"] for row in got], ["joe\u00ff@example.org", 'a"b@example.org', "x\x01y@example.org", "\u00e4@\U0001f600.example"])
        self.explain("-", text=b"a@example.org\n" + b"x" * 5000 + b"\nb@far.example\n", expect=65)
        self.assertIn("standard input:2: longer than any address", self.err)
        self.assertIn("\nb@far.example\n", self.out)

    def test_stream(self):
        """The answer to a line is there before the next one is asked."""
        libs = os.path.join(story.BUILD, ".libs")
        with subprocess.Popen(["postriderctl", "-C", self.pr.conf_path, "explain", "--json", "-"], executable=os.path.join(libs, "postrider"),
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "LD_LIBRARY_PATH": libs}) as process:
            for name in ("a@far.example", "b@far.example"):
                process.stdin.write(name.encode() + b"\n")
                process.stdin.flush()
                guard = threading.Timer(30 * story.SLOW, process.kill)
                guard.start()
                self.assertEqual(json.loads(process.stdout.readline())["address"], name)
                guard.cancel()
            process.stdin.close()
            self.assertEqual(process.wait(30), 0)

    def test_against(self):
        a, b = self.cf(), self.cf("b.cf", lost=("R$+ < @ lost . $+ >", "R$+ < @ gone . $+ >"))
        listed = self.pr.write("list", "x@lost.place\nx@gone.place\nnosuchuser@example.org\n\n# nothing\n<y@far.example>\n")
        self.assertEqual(self.explain("--against", b, listed, config=a, expect=1),
                         "x@lost.place: 550 5.1.2 no such place -> mailer smtp, host lost.place, user x@lost.place\n"
                         "x@gone.place: mailer smtp, host gone.place, user x@gone.place -> 550 5.1.2 no such place\n4 addresses, 2 differ\n")
        self.assertEqual(self.explain("--against", a, listed, config=a), "4 addresses, 0 differ\n")
        near = os.path.relpath(b)
        self.assertEqual(self.explain("--against", near, "-", config=a, text=b"u@example.org\n"), "1 addresses, 0 differ\n")

    def other(self):
        """The site's configuration with another team."""
        path = self.pr.write("other-aliases", f"sales\tteam\nteam\tann@far.example, {USER}, bob@far.example\n")
        with open(self.pr.conf_path) as handle:
            return self.pr.write("other.conf", handle.read().replace(self.aliases, path))

    def test_against_aliases(self):
        self.assertEqual(self.explain("--against", self.other(), self.pr.write("list", "sales@example.org\nann@far.example\n"), expect=1),
                         "sales@example.org: nosuchuser: 550 5.1.1 User unknown -> mailer esmtp, host far.example, user bob@far.example (and 2 as before)\n"
                         "2 addresses, 1 differ\n")

    def test_against_many(self):
        listed = self.pr.write("list", "".join(f"user{i}@h{i % 977}.example\n" for i in range(100000)) + "sales@example.org\n")
        began = time.monotonic()
        text = self.explain("--against", self.other(), "--progress", listed, expect=1)
        self.assertTrue(text.endswith("\n100001 addresses, 1 differ\n"), text)
        self.assertRegex(self.err, r"(?m)^100000 addresses, 0 differ$")
        self.assertLess(time.monotonic() - began, 120 * story.SLOW)

    def test_wrong_words(self):
        for words, status, said in (((), 64, "usage: "), (("--nosuch", "a"), 64, "no option --nosuch"), (("--sender",), 64, "--sender wants a value"),
                                    (("--client", "localhost", "a"), 64, "--client wants 192.0.2.1"), (("--sender", "<<", "a"), 0, ""),
                                    (("",), 65, '"" is no address'), (("--against", "/nonexistent", "l"), 72, "/nonexistent: line 0: cannot open"),
                                    (("--against", self.pr.conf_path, "/nonexistent"), 66, "/nonexistent: cannot open"),
                                    (("--against", self.pr.conf_path, "a", "b"), 64, "wants one list"),
                                    (("--against", self.pr.conf_path, "--json", "a"), 64, "--json has no meaning there"),
                                    (("--against", self.pr.write("bad.conf", "nosuch = 1;\n"), "-"), 78, "nosuch")):
            self.explain(*words, expect=status, text=b"")
            self.assertIn(said, self.err, words)
        self.assertIn("=> -x@far.example:", self.explain("--", "-x@far.example"))


if __name__ == "__main__":
    story.main()
