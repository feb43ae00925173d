#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A sendmail.cf given with -C runs: the daemon listens where it says, refuses what it refuses, relays and delivers by its mailers, and
mailq, -bv and -bt read the same file."""
import os
import re

import story

LETTER = "From: Ann <ann@example.net>\nTo: joe@example.org\nSubject: by the rules\n\nhello\nFrom here on\n"
USER = story.ME if not story.IS_ROOT else "nobody"

CF = """V10/Berkeley
# a small one, by hand
Djmail.example.org
DnMAILER-DAEMON
Cwlocalhost example.org mail.example.org
O QueueDirectory={queue}
O DaemonPortOptions=Name=MTA-v4, Addr=127.0.0.1, Port={port}, Modifier=E
O PidFile={pid}
O DeliveryMode=background
O DefaultUser={user}
O MinFreeBlocks=0
O Timeout.queuereturn=5
O MaxMessageSize=100000
O OldStyleHeaders=True
O SmtpGreetingMessage=$j Sendmail $v; $b
O OperatorChars=.:%@!^/[]+
Pfirst-class=0
Pjunk=-100
Troot daemon
ETRACE=by the cf
Kerror_domains text {table}
H?P?Return-Path: <$g>
H?D?Date: $a
Scanonify=3
R$@\t\t\t$@ <@>
R$* < $* > $*\t\t$: $2
R$+ @ $+\t\t$@ $1 < @ $2 >
Sparse=0
R<@>\t\t\t$#local $: <@>
R$+ < @ $=w >\t\t$#local $: $1
R$+ < @ lost . $+ >\t$#error $@ 5.1.2 $: "550 no such place"
R$+ < @ talk . $+ >\t$#lmtp $@ talk $: $1
R$+ < @ $+ >\t\t$#smtp $@ $2 $: $1 @ $2
R$+\t\t\t$#local $: $1
Sfinal=4
R$+ < @ $+ >\t\t$1 @ $2
Scheck_rcpt
R$* evil $*\t\t$#error $@ 5.7.1 $: "550 not for you"
Mlocal, P={program}, F=lsDFMAw5:/|@qPn, T=DNS/RFC822/X-Unix, A=deliver -f $g -d $u
Mprog, P=/bin/sh, F=lsDFMoqeu9, A=sh -c $u
Mlmtp, P={talker}, F=lDFMmnz, W=2s, M=5000, A=lmtpd -x
Msmtp, P=[IPC], F=mDFMuXk0, E=\\r\\n, L=990, r=2, A=TCP [127.0.0.1] {sink}
"""

PROGRAM = """#!/bin/sh
# who am I, what was I told, what did I get
name="$4"
test "$name" = slow && exit 75
{ id -un; echo "$*"; echo "$TRACE"; cat; } > {box}/$name.new && mv {box}/$name.new {box}/$name
"""


TALKER = """#!/usr/bin/python3
import os, sys
lines, taken = [" ".join(sys.argv[1:])], []
def say(text):
    sys.stdout.write(text + "\\r\\n"); sys.stdout.flush()
say("220 lmtp")
while line := sys.stdin.readline():
    verb = line.split()[0].upper(); lines.append(line.strip())
    if verb == "LHLO": say("250-lmtp"); say("250 PIPELINING")
    elif verb == "RCPT":
        taken += [] if "<none" in line else [line]
        say("550 5.1.1 nobody" if "<none" in line else "250 2.1.5 ok")
    elif verb == "DATA":
        say("354 go")
        while (line := sys.stdin.readline().rstrip()) != ".": lines.append(line)
        for one in taken: say("452 4.2.2 full" if "<full" in one else "250 2.0.0 in the box")
        taken = []
    else: say("250 2.0.0 ok")
    if verb == "QUIT": break
open("{box}/talk.new", "w").write("\\n".join(lines)); os.rename("{box}/talk.new", "{box}/talk")
"""


class CfDaemon(story.Story):
    def setUp(self):
        super().setUp()
        self.sink_host = self.sink()
        self.pr = self.daemon(start=False, listeners=[], options={"QueueDirectory": "/nonexistent/queue"})
        self.box = os.path.join(self.pr.top, "box")
        os.chmod(self.box, 0o1777)
        self.program = self.pr.write("deliver", PROGRAM.replace("{box}", self.box))
        os.chmod(self.program, 0o755)
        self.talker = self.pr.write("talker", TALKER.replace("{box}", self.box))
        os.chmod(self.talker, 0o755)
        self.queue = os.path.join(self.pr.top, "queue")
        self.pid = os.path.join(self.pr.top, "run", "from-cf.pid")
        table = self.pr.write("table", "")
        text = CF
        for key, value in {"queue": self.queue, "port": self.pr.port, "pid": self.pid, "user": USER, "program": self.program, "talker": self.talker,
                           "sink": self.sink_host.port, "table": table}.items():
            text = text.replace("{%s}" % key, str(value))
        self.cf_text = text.replace("Kerror_domains text %s\n" % table, "")
        self.cf = self.pr.write("sendmail.cf", self.cf_text)
        os.environ["POSTRIDER_CONF"] = self.pr.conf_path
        self.addCleanup(os.environ.pop, "POSTRIDER_CONF")

    def start(self, *arguments):
        """The daemon with -C the cf, and nothing else that says where it listens."""
        return self.pr.start(*arguments, cf=self.cf)

    def sendmail(self, *arguments, **keywords):
        return self.pr.run("postrider", "sendmail", "-C", self.cf, *arguments, **keywords)

    def test_a_letter(self):
        daemon = self.start()
        with open(self.pid) as handle:
            self.assertEqual(int(handle.readline()), daemon.process.pid)
        with daemon.client() as client:
            self.assertIn("220 mail.example.org", client.greeting[1])
            self.assertIn("250-SIZE 100000", client.ehlo[1].replace("250 SIZE", "250-SIZE"))
            client.expect(250, "MAIL FROM:<ann@example.net>")
            self.assertIn("550 5.7.1", client.expect(550, "RCPT TO:<evil@example.org>"))
            self.assertIn("550 5.1.2", client.expect(550, "RCPT TO:<a@lost.example>"))
            self.assertIn("550 5.1.1", client.expect(550, "RCPT TO:<nobodyofthatname@example.org>"))
        daemon.send("ann@example.net", [USER + "@example.org"], LETTER)
        path = os.path.join(self.box, USER)
        story.wait_for(lambda: "the program's letter\n" + daemon.log(), lambda: os.path.exists(path))
        with open(path) as handle:
            who, words, trace, letter = handle.read().split("\n", 3)
        self.assertEqual(who, USER)
        self.assertEqual(words, f"-f ann@example.net -d {USER}")
        self.assertEqual(trace, "by the cf")
        self.assertTrue(letter.startswith("Return-Path: <ann@example.net>\n"), letter)
        self.assertTrue(letter.endswith("\nhello\nFrom here on\n"), letter)

    def test_relay(self):
        daemon = self.start()
        daemon.send("ann@example.net", [f"{name}@far.example" for name in "abc"], LETTER)
        messages = self.sink_host.wait(2)  # r=2: three recipients are two transactions
        self.assertEqual(sorted(len(to) for _, to, _ in messages), [1, 2])
        self.assertEqual({one for _, to, _ in messages for one in to}, {"a@far.example", "b@far.example", "c@far.example"})

    def test_a_program_that_is_spoken_with(self):
        """LMTP over its standard input and output; each recipient has its own answer, and it is told when all is over."""
        daemon = self.start()
        daemon.send("ann@example.net", [f"{name}@talk.example" for name in ("a", "none", "full", "b")], LETTER)
        daemon.wait_log(r"to=<full@talk.example>.*mailer=lmtp.*dsn=4\.2\.2.*stat=Deferred: 452 4\.2\.2 full")
        for name in "ab":
            self.assertRegex(daemon.log(), rf"to=[^ ]*<{name}@talk.example>.*relay=lmtp, dsn=2\.0\.0, stat=Sent \((2\.0\.0 )?in the box\)")
        self.assertRegex(daemon.log(), r"to=<none@talk.example>.*dsn=5\.1\.1.*stat=User unknown")
        self.assertEqual(daemon.stop(), 0)
        story.wait_for("its last word", lambda: os.path.exists(os.path.join(self.box, "talk")))
        with open(os.path.join(self.box, "talk")) as handle:
            lines = handle.read().split("\n")
        self.assertEqual(lines[0], "-x")
        self.assertEqual([line for line in lines if line.startswith("RCPT")], [f"RCPT To:<{name}>" for name in ("a", "none", "full", "b")])
        self.assertEqual(lines[-1], "QUIT")
        self.assertIn("hello", lines)

    def test_too_large_for_a_mailer(self):
        daemon = self.start()
        daemon.send("ann@example.net", ["a@talk.example"], LETTER + "x" * 60 + "\n" + "y" * 5000 + "\n")
        daemon.wait_log(r"to=<a@talk.example>.*mailer=lmtp.*dsn=5\.3\.4, .*stat=Message is too large")
        self.assertFalse(os.path.exists(os.path.join(self.box, "talk")))

    def test_addresses_are_the_rules_affair(self):
        daemon = self.start()
        everybody = ", ".join(f"person.{number}@far.example" for number in range(5))
        with daemon.client() as client:
            client.expect(250, "MAIL FROM:<@here.example:ann@example.net>")
            self.assertEqual(client.expect(250, "RCPT TO:< a @ far.example >"), "250 2.1.5 < a @ far.example >... Recipient ok")
            self.assertEqual(client.expect(250, "RCPT TO:(c)<<a@far.example>>"), "250 2.1.5 < a @ far.example >... Recipient ok")
            self.assertEqual(client.expect(550, "RCPT TO:<a b@lost.example>"), "550 5.1.2 <a b@lost.example>... no such place")
            self.assertEqual(client.expect(553, "RCPT TO:<a@far.example"), "553 5.0.0 <a@far.example... Unbalanced '<'")
            self.assertEqual(client.expect(553, "RCPT TO:<b\xe4r@far.example>"), "553 5.6.7 <b\\344r@far.example>... Address is not ASCII")
            client.expect(250, f"RCPT TO:<\\{USER}@example.org>")
            client.expect(354, "DATA")
            client.send(story.wire(f"From: ann@example.net\nTo: {everybody}\nBcc: x@far.example\n\nhello\n") + b".\r\n")
            self.assertEqual(client.reply()[0], 250)
        (sender, recipients, text), = self.sink_host.wait(1)
        self.assertEqual((sender, recipients), ("ann@example.net", ["a@far.example"]))
        self.assertIn("\nTo: person.0@far.example, person.1@far.example, person.2@far.example,\n        person.3@far.example, person.4@far.example\n", text)
        self.assertNotIn("Bcc", text)
        story.wait_for(lambda: "the letter to a user with a backslash\n" + daemon.log(), lambda: os.path.exists(os.path.join(self.box, USER)))

    def test_queue(self):
        daemon = self.start("-O", "DeliveryMode=q")
        letter_id = daemon.send("ann@example.net", ["a@far.example"], LETTER)
        listed = self.sendmail("-bp")
        self.assertEqual(listed.returncode, 0, listed.stdout)
        self.assertIn(letter_id, listed.stdout)
        self.assertEqual(daemon.stop(), 0)
        listed = self.sendmail("-bp")
        self.assertIn(letter_id, listed.stdout)
        self.assertTrue(os.path.exists(os.path.join(self.queue, "qf" + letter_id)), os.listdir(self.queue))

    def test_verify(self):
        self.pr.write_conf()
        done = self.sendmail("-bv", USER + "@example.org", "a@far.example")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(done.stdout, f"{USER}@example.org... deliverable: mailer local, user {USER}\n"
                                      "a@far.example... deliverable: mailer smtp, host far.example, user a@far.example\n")

    def test_relative_name(self):
        """After -C it means the directory one is in, and what cannot be opened ends the program in sendmail's words."""
        self.pr.write_conf()
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(os.path.dirname(self.cf))
        done = self.pr.run("sendmail", "-bv", "-C", "sendmail.cf", "a@far.example")
        self.assertEqual((done.returncode, done.stdout), (0, "a@far.example... deliverable: mailer smtp, host far.example, user a@far.example\n"))
        for mode in ("-bv", "-bt", "-bp", "-bD", "-bd", "-q", "-bs", "-bi"):
            done = self.pr.run("sendmail", mode, "-C", "nosuch.cf", "a@far.example")
            self.assertEqual((mode, done.returncode, done.stdout), (mode, 72, "nosuch.cf: line 0: cannot open: No such file or directory\n"))
        cf = self.cf
        self.cf = "sendmail.cf"
        self.start()
        self.assertEqual(self.pr.ctl("reload")[0], 0)  # a new generation finds it too
        self.cf = cf

    def test_console(self):
        self.pr.write_conf()
        done = self.sendmail("-bt", text="parse a<@far.example>\n  3 x\n/quit\nnever\n")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertTrue(done.stdout.startswith("ADDRESS TEST MODE (ruleset 3 NOT automatically invoked)\nEnter <ruleset> <address>\n> "), done.stdout)
        self.assertIn("parse            returns: $# smtp $@ far . example $: a @ far . example\n> ", done.stdout)
        self.assertNotIn("never", done.stdout)

    def test_console_goes_on(self):
        with open(self.cf, "a") as handle:
            handle.write("Knowhere nosuchclass -o /x\nO QueueSortOrder=zzz\nO NoSuchOption=1\n")
        self.pr.write_conf()
        lines = self.cf_text.count("\n")
        done = self.sendmail("-bt", text="parse a<@far.example>\n")
        head = done.stdout.split("ADDRESS TEST MODE")[0]
        self.assertEqual(head, f"{self.cf}: line {lines + 1}: readcf: map nowhere: class nosuchclass not available\n"
                               f"{self.cf}: line {lines + 2}: Invalid queue sort order \"zzz\"\n"
                               f"{self.cf}: line {lines + 3}: readcf: unknown option name NoSuchOption\n")
        self.assertIn("returns: $# smtp", done.stdout)
        check = self.sendmail("-bC")
        self.assertEqual(check.returncode, 70, check.stdout)
        self.assertIn("class nosuchclass not available", check.stdout)
        started = self.pr.run("postrider", "-bD", "-C", self.cf)  # a daemon does not run with half of it
        self.assertNotEqual(started.returncode, 0)
        self.assertIn("class nosuchclass not available", started.stdout + self.pr.log())

    def test_ports_and_modifiers(self):
        self.pr.write_conf()
        for port in ("99999", "65536", "4294967321"):
            done = self.sendmail("-bD", f"-ODaemonPortOptions=Port={port}")
            told = done.stdout + self.pr.log()
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(f"option DaemonPortOptions, Port={port}: a port is a number from 0 to 65535 or the name of a service", told)
        with open(self.cf, "a") as handle:
            handle.write(f"O DaemonPortOptions=Name=x, Port={self.pr.port}, M=Eaz\n")
        done = self.sendmail("-bC")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn(f"{self.cf}:{self.cf_text.count(chr(10)) + 1}: option DaemonPortOptions, M=Eaz: there is no modifier \"z\"", done.stdout)
        self.assertNotIn("no modifier \"E\"", done.stdout)

    def test_check_tells_what_cannot_work(self):
        table = self.pr.write("loose", "x y\n")
        os.chmod(table, 0o666)
        lines = self.cf_text.count("\n")
        plain = self.pr.write("no-program", "x\n")
        with open(self.cf, "a") as handle:
            handle.write(f"Mgone, P=/nosuch/program, F=lsD, A=x\nMplain, P={plain}, F=lsD, A=x\nKloose text {table}\n")
        self.pr.write_conf()
        done = self.sendmail("-bC")
        self.assertEqual(done.returncode, 0, done.stdout)
        for number, words in enumerate(("mailer gone: /nosuch/program: No such file or directory", f"mailer plain: {plain}: it is no program",
                                        f"map loose: {table}: World writable file")):
            self.assertIn(f"{self.cf}:{lines + 1 + number}: warning: {words}", done.stdout)
        self.assertEqual(done.stdout.count("warning: mailer"), 2, done.stdout)
        self.assertEqual(done.stdout.count("World writable"), 1, done.stdout)

    def test_check_tells_what_has_no_effect(self):
        self.pr.write_conf()
        done = self.sendmail("-bC")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"sendmail\.cf:\d+: option OldStyleHeaders: accepted, no effect here: ")
        self.assertRegex(done.stdout, r"sendmail\.cf:\d+: mailer local, F=@: accepted, no effect here: ")
        self.assertRegex(done.stdout, rf"listener MTA-v4 127\.0\.0\.1 port {self.pr.port}")

    def test_override_wins(self):
        other = story.free_port()
        self.pr.port = other
        daemon = self.start("-O", f"DaemonPortOptions=Port={other},Addr=127.0.0.1")
        with daemon.client() as client:
            self.assertEqual(client.greeting[0], 220)

    def test_two_mailers(self):
        daemon = self.start()
        answer = daemon.send("ann@example.net", [USER + "@example.org", "a@far.example"], LETTER)
        story.wait_for(lambda: daemon.log(), lambda: os.path.exists(os.path.join(self.box, USER)))
        self.sink_host.wait(1)
        self.assertTrue(re.search(rf"{answer}.*mailer=local.*stat=Sent", daemon.log()), daemon.log())

    def test_reload_reads_the_cf_again(self):
        daemon = self.start()
        with open(self.cf, "w") as handle:
            handle.write(self.cf_text.replace("O MaxMessageSize=100000", "O MaxMessageSize=200000"))
        with daemon.client() as client:
            self.assertIn("SIZE 100000", client.ehlo[1])
        done = daemon.run("postriderctl", "-C", self.cf, "reload")
        self.assertEqual(done.returncode, 0, done.stdout)
        with daemon.client() as client:
            self.assertIn("SIZE 200000", client.ehlo[1])


if __name__ == "__main__":
    story.main()
