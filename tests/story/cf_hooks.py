#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sets of a sendmail.cf that look at the connection: who has to wait for his greeting, who comes too often, what is offered to whom.
The replies are those that sendmail 8.17 gave to the same client with the same sets."""
import os
import pwd
import socket
import time

import story

CF = """V10/Berkeley
Djmail.example.org
DnMAILER-DAEMON
Cwlocalhost example.org mail.example.org
O QueueDirectory={queue}
O DaemonPortOptions=Name=MTA, Addr=127.0.0.1, Port={port}
O PidFile={pid}
O DeliveryMode=queueonly
O MinFreeBlocks=0
O AliasFile=hash:{aliases}
O LogLevel=14
O ConnectionRateWindowSize=600
O SmtpGreetingMessage=$j here
O OperatorChars=.:%@!^/[]+
Troot daemon
Karith arith
H?F?From: $?x$x <$g>$|$g$.
Scanonify=3
R$@\t\t\t$@ <@>
R$* < $* > $*\t\t$: $2
R$+ @ $+\t\t$@ $1 < @ $2 >
Sparse=0
R<@>\t\t\t$#local $: <@>
R$+ < @ $=w >\t\t$#local $: $1
R$+ < @ $+ >\t\t$#smtp $@ $2 $: $1 @ $2
R$+\t\t\t$#local $: $1
Sgreet_pause
R$* $| 127.0.0.2\t$# 1500
R$* $| 127.0.0.9\t$# 0
Scheck_relay
R$*\t\t\t$: <$&{client_addr}> $| $(arith l $@ 2 $@ $&{client_rate} $) $| $(arith l $@ 1 $@ $&{client_connections} $)
R<127.0.0.3> $| TRUE $| $*\t$#error $@ 4.3.2 $: "421 Connection rate limit exceeded."
R<127.0.0.4> $| $* $| TRUE\t$#error $@ 4.3.2 $: "452 Too many open connections."
Slocal_features
R127.0.0.20\t\t$# D X P
R127.0.0.21\t\t$# temp
Ssrv_features
R$*\t\t\t$: $>local_features $&{client_addr}
Stls_client
R$* $| $*\t\t$: $1 $| $2 $| $&{client_addr}
R$* $| MAIL $| 127.0.0.22\t$#error $@ 4.7.0 $: "403 encryption too weak"
Scheck_mail
R$*\t\t\t$: $1 $| $>tls_client $&{verify} $| MAIL
R$* $| $#$*\t\t$#$2
R$* $| $*\t\t$: $1
R<discard@$+>\t\t$#discard
R<hold@$+>\t\t$#error $@ quarantine $: held by the sender
R<later@$+>\t\t$#error $@ 4.2.1 $: "421 bye"
Scheck_rcpt
R<later@$+>\t\t$#error $@ 4.2.1 $: "421 not this one"
Mlocal, P=/bin/true, F=lsDFMAw5:/|@qPn, T=DNS/RFC822/X-Unix, A=deliver -d $u
Mprog, P=/bin/sh, F=lsDFMoqeu9, A=sh -c $u
Msmtp, P=[IPC], F=mDFMuXk0, E=\\r\\n, L=990, A=TCP $h
"""


class CfHooks(story.Story):
    maxDiff = None

    def setUp(self):
        super().setUp()
        self.pr = self.daemon(start=False, listeners=[], options={"QueueDirectory": "/nonexistent/queue", "ResolveClients": False})
        self.aliases = os.path.join(os.path.dirname(self.pr.conf_path), "aliases")
        text = CF
        for key, value in {"queue": os.path.join(self.pr.top, "queue"), "port": self.pr.port, "aliases": self.aliases,
                           "pid": os.path.join(self.pr.top, "run", "from-cf.pid")}.items():
            text = text.replace("{%s}" % key, str(value))
        self.cf = self.pr.write("sendmail.cf", text)
        os.environ["POSTRIDER_CONF"] = self.pr.conf_path
        self.addCleanup(os.environ.pop, "POSTRIDER_CONF")
        self.pr.write_conf()
        made = self.pr.run("postrider", "makemap", "hash", self.aliases,
                           text="staff\troot, z@b.example, daemon, x@a.example, y@b.example\nprogram\t|/bin/cat\n")
        self.assertEqual(made.returncode, 0, made.stdout)
        self.pr.start(cf=self.cf)

    def connect(self, source):
        peer = socket.create_connection(("127.0.0.1", self.pr.port), 20, (source, 0))
        self.addCleanup(peer.close)
        return peer, peer.makefile("rb")

    def test_greet_pause(self):
        start = time.monotonic()
        peers = [self.connect("127.0.0.2") for _ in range(100)]  # more than there are threads
        other, lines = self.connect("127.0.0.9")
        self.assertEqual(lines.readline(), b"220 mail.example.org ESMTP here\r\n")
        self.assertLess(time.monotonic() - start, 1.4, "a client that need not wait waited for those who must")
        for _, lines in peers:
            self.assertEqual(lines.readline(), b"220 mail.example.org ESMTP here\r\n")
        waited = time.monotonic() - start
        self.assertGreaterEqual(waited, 1.5)
        self.assertLess(waited, 8)
        peers[0][0].sendall(b"EHLO x\r\n")
        self.assertIn(b"250", peers[0][1].readline())

    def test_talks_too_early(self):
        peer, lines = self.connect("127.0.0.2")
        time.sleep(0.2)
        peer.sendall(b"EHLO x\r\n")
        self.assertEqual(lines.readline(), b"554 mail.example.org ESMTP not accepting messages\r\n")
        self.assertEqual(lines.readline(), b"250-mail.example.org Hello [127.0.0.2], pleased to meet you\r\n")
        self.assertEqual(lines.readline(), b"250 ENHANCEDSTATUSCODES\r\n")
        peer.sendall(b"MAIL FROM:<a@example.net>\r\nNOOP\r\nQUIT\r\n")
        self.assertEqual(lines.readline(), b"550 5.0.0 Command rejected\r\n")
        self.assertEqual(lines.readline(), b"250 2.0.0 OK\r\n")
        self.assertIn(b"221 2.0.0", lines.readline())
        self.pr.wait_log(r"rejecting commands from \[127\.0\.0\.2\] due to pre-greeting traffic after \d+ seconds")

    def test_gives_up_while_it_waits(self):
        peer, lines = self.connect("127.0.0.2")
        peer.shutdown(socket.SHUT_WR)
        self.assertEqual(lines.readline(), b"220 mail.example.org ESMTP here\r\n")  # at once, as there is nobody to wait for
        self.assertEqual(lines.readline(), b"")
        self.assertNotIn("pre-greeting", self.pr.log())

    def test_rate(self):
        for _ in range(2):
            peer, lines = self.connect("127.0.0.3")
            self.assertIn(b"220", lines.readline())
            peer.close()
        for _ in range(2):
            _, lines = self.connect("127.0.0.3")
            self.assertEqual(lines.readline(), b"421 4.3.2 Connection rate limit exceeded.\r\n")
            self.assertEqual(lines.readline(), b"")
        _, lines = self.connect("127.0.0.5")
        self.assertIn(b"220", lines.readline())

    def test_connections(self):
        first, lines = self.connect("127.0.0.4")
        self.assertIn(b"220", lines.readline())
        second, lines = self.connect("127.0.0.4")
        self.assertIn(b"220", lines.readline())
        second.sendall(b"MAIL FROM:<a@example.net>\r\n")
        self.assertEqual(lines.readline(), b"452 4.3.2 Too many open connections.\r\n")
        first.sendall(b"QUIT\r\n")
        second.sendall(b"QUIT\r\n")
        self.assertIn(b"221", lines.readline())

        def one_is_enough():
            third, answers = self.connect("127.0.0.4")
            answers.readline()
            third.sendall(b"MAIL FROM:<a@example.net>\r\n")
            good = answers.readline().startswith(b"250")
            answers.close()
            third.close()
            return good
        story.wait_for(lambda: "room for another connection\n" + self.pr.log(), one_is_enough)


    def test_offers(self):
        with self.pr.client(source="127.0.0.5") as client:
            for word in ("PIPELINING", "DSN", "EXPN"):
                self.assertIn("-" + word, client.ehlo[1])
            client.expect(250, "MAIL FROM:<a@example.net> RET=HDRS")
        with self.pr.client(source="127.0.0.20") as client:
            offers = [line for line in client.ehlo[1].split("\n")[1:] if not line.startswith("250-AUTH ")]  # what Cyrus SASL has here
            self.assertEqual(offers, ["250-ENHANCEDSTATUSCODES", "250-8BITMIME", "250-CHUNKING", "250-SIZE", "250-ETRN", "250-DELIVERBY", "250 HELP"])
            self.assertEqual(client.expect(502, "EXPN root"), "502 5.7.0 Sorry, we do not allow this operation")
            self.assertEqual(client.expect(504, "MAIL FROM:<a@example.net> RET=HDRS"),
                             "504 5.7.0 Sorry, RET not supported, we do not allow DSN")
            client.expect(250, "MAIL FROM:<a@example.net>")

    def test_not_now(self):
        with self.pr.client(source="127.0.0.21") as client:
            self.assertEqual(client.ehlo[1].split("\n")[1:], ["250 ENHANCEDSTATUSCODES"])
            self.assertEqual(client.expect(450, "MAIL FROM:<a@example.net>"), "450 4.3.0 Please try again later.")
            client.expect(250, "NOOP")
        self.pr.wait_log(r"ERROR: srv_features=tempfail, relay=\[127\.0\.0\.21\], access temporarily disabled")

    def test_wants_encryption(self):
        # the library's check_mail asks tls_client at MAIL; sendmail itself does not
        with self.pr.client(source="127.0.0.22") as client:
            self.assertEqual(client.command("MAIL FROM:<a@example.net>")[1], "403 4.7.0 encryption too weak")
            client.expect(503, "RCPT TO:<root@example.org>")
        with self.pr.client(source="127.0.0.23") as client:
            client.expect(250, "MAIL FROM:<a@example.net>")

    def test_421_is_about_the_address(self):
        with self.pr.client(source="127.0.0.5") as client:
            self.assertEqual(client.expect(421, "MAIL FROM:<later@example.net>"), "421 4.2.1 bye")
            client.expect(250, "MAIL FROM:<a@example.net>")
            self.assertEqual(client.expect(421, "RCPT TO:<later@example.org>"), "421 4.2.1 not this one")
            client.expect(250, "RCPT TO:<root@example.org>")

    def test_discard(self):
        with self.pr.client(source="127.0.0.5") as client:
            client.expect(250, "MAIL FROM:<discard@example.net>")
            client.expect(250, "RCPT TO:<nobodyofthatname@example.org>")  # nobody looks where it would have gone
            client.expect(354, "DATA")
            client.send(b"Subject: x\r\n\r\nx\r\n.\r\n")
            self.assertRegex(client.reply()[1], r"^250 2\.0\.0 \w+ Message accepted for delivery$")
            client.expect(250, "MAIL FROM:<a@example.net>")
            client.expect(550, "RCPT TO:<nobodyofthatname@example.org>")
        self.assertEqual(self.pr.listed_ids(), [])

    def test_quarantine(self):
        letter_id = self.pr.send("hold@example.net", ["root@example.org"], "Subject: x\n\nx\n")
        listed = self.pr.run("postrider", "mailq", "-C", self.cf, "-qQ")
        self.assertIn(letter_id, listed.stdout)
        self.assertIn("held by the sender", listed.stdout)

    def test_vrfy_and_expn(self):
        names = {name: pwd.getpwnam(name).pw_gecos.split(",")[0] for name in ("root", "daemon")}
        shown = {name: (gecos + " " if gecos else "") + f"<{name}@mail.example.org>" for name, gecos in names.items()}
        with self.pr.client(source="127.0.0.5") as client:
            self.assertEqual(client.expect(250, "VRFY root@example.org"), "250 2.1.5 " + shown["root"])
            self.assertEqual(client.expect(250, "VRFY staff"), "250 2.1.5 <staff@mail.example.org>")
            self.assertEqual(client.expect(252, "VRFY <a@far.example>"), "252 2.1.5 <a@far.example>")
            self.assertEqual(client.expect(250, "EXPN staff").split("\n"),
                             ["250-2.1.5 " + shown["daemon"], "250-2.1.5 " + shown["root"], "250-2.1.5 <x@a.example>",
                              "250-2.1.5 <y@b.example>", "250 2.1.5 <z@b.example>"])
            self.assertNotIn("/bin/cat", client.expect(250, "EXPN program"))

    def test_name_of_an_account(self):
        # without From: the sender becomes one, with his name when he is an account of this host
        name = pwd.getpwnam("daemon").pw_gecos.split(",")[0]
        for sender, field in (("daemon@example.org", f"{name} <daemon@example.org>" if name else "daemon@example.org"),
                              ("a@example.net", "a@example.net"), ("nobodyofthatname@example.org", "nobodyofthatname@example.org")):
            letter_id = self.pr.send(sender, ["root@example.org"], "Subject: x\n\nx\n")
            shown = self.pr.run("postriderctl", "-C", self.cf, "queue", "show", letter_id)
            self.assertIn(f"From: {field}\n", shown.stdout)


if __name__ == "__main__":
    story.main()
