#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Limits on connections hold for all receivers together: over a reload in the middle of a window, and when a receiver is killed, whose
connections are then gone.  Who asks too much, and everybody while the machine is busy, waits for his answers."""
import contextlib
import os
import re
import signal
import socket
import threading
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
O ConnectionRateWindowSize=600
O SmtpGreetingMessage=$j here
O OperatorChars=.:%@!^/[]+
Troot daemon
Karith arith
Scanonify=3
R$* < $* > $*\t\t$: $2
Sparse=0
R$*\t\t\t$#smtp $@ [127.0.0.1] $: $1
Scheck_relay
R$*\t\t\t$: <$&{client_addr}> $| $(arith l $@ 4 $@ $&{client_rate} $) $| $(arith l $@ 3 $@ $&{client_connections} $) $| $&{total_rate} $&{load_avg}
R<127.0.0.3> $| TRUE $| $*\t$#error $@ 4.3.2 $: "421 Connection rate limit exceeded."
R<127.0.0.4> $| $* $| TRUE $| $*\t$#error $@ 4.3.2 $: "421 Too many open connections."
R<127.0.0.5> $| $* $| $* $| $- $-\t$#error $@ 4.3.2 $: "421 all " $3 " load " $4
Mlocal, P=/bin/true, F=lsDFMAw5:/|@qPn, T=DNS/RFC822/X-Unix, A=deliver -d $u
Mprog, P=/bin/sh, F=lsDFMoqeu9, A=sh -c $u
Msmtp, P=[IPC], F=mDFMuXk0, E=\\r\\n, L=990, A=TCP $h
"""


class Limits(story.Story):
    def setUp(self):
        super().setUp()
        self.open = []

    def tearDown(self):
        for client in self.open:  # or the daemon would wait for them
            client.close(False)
        super().tearDown()

    # -- what all tests do ----------------------------------------------------

    def stage(self, **options):
        self.load = os.path.join(self.scratch, "loadavg")
        story.write_load(self.load, "0.10")
        os.chmod(self.scratch, 0o755)
        self.pr = self.daemon(options={"LoadAverageFile": self.load, **options})
        return self.pr

    def stage_cf(self):
        """A sendmail.cf with limits of its own in check_relay."""
        pr = self.pr = self.daemon(start=False, listeners=[], options={"ResolveClients": False})
        text = CF
        for key, value in {"queue": os.path.join(pr.top, "queue"), "port": pr.port, "pid": os.path.join(pr.top, "run", "from-cf.pid")}.items():
            text = text.replace("{%s}" % key, str(value))
        self.cf = pr.write("sendmail.cf", text)
        os.environ["POSTRIDER_CONF"] = pr.conf_path
        self.addCleanup(os.environ.pop, "POSTRIDER_CONF")
        conf, pr.conf_path = pr.conf_path, self.cf  # with -C it is the cf, and its postrider.conf is the environment's
        pr.write_conf = lambda: None
        with open(conf, "w") as handle:
            handle.write("".join(f"{k} = {story.conf(v)};\n" for k, v in pr.settings.items()))
        return pr.start()

    def busy(self, load, seen):
        story.write_load(self.load, load)
        story.wait_for(f"the load {seen} in the status", lambda: f" load={seen} " in self.pr.ctl("status")[1])

    def come(self, source="127.0.0.1", helo=None):
        """A client that stays; the code of its greeting."""
        client = story.Client(self.pr.port, source=source, helo=helo)
        self.open.append(client)
        if client.greeting[0] == 421:
            client.close(False)
        return client.greeting[0]

    def stay(self, source):
        """One that is in the middle of a transaction, so that a receiver that leaves waits for it."""
        code = self.come(source, helo="client.example")
        if code == 220:
            self.open[-1].expect(250, "MAIL FROM:<a@example.net>")
        return code

    def receivers(self):
        return [pid for pid, role in self.pr.processes().items() if role == "receiver"]

    def hang_up(self):
        """The process that runs has the new number, and the old one may still be there."""
        number = int(re.search(r"master pid \d+ generation (\d+)", self.pr.ctl("status")[1]).group(1)) + 1
        self.pr.process.send_signal(signal.SIGHUP)
        self.pr.wait_log(rf"generation {number} in force")

    def kill_receiver(self, pid):
        serving = len(re.findall("receiver of generation .* serves again", self.pr.log()))
        os.kill(pid, signal.SIGKILL)
        story.wait_for(lambda: "another receiver\n" + self.pr.log(),
                       lambda: len(re.findall("receiver of generation .* serves again", self.pr.log())) > serving)

    def timed(self, client, line):
        begin = time.monotonic()
        reply = client.command(line)
        return reply[0], time.monotonic() - begin

    # -- all receivers count together ----------------------------------------

    def test_a_rate_over_a_reload_and_a_kill(self):
        self.stage_cf()
        codes = [self.come("127.0.0.3") for _ in range(3)]
        self.hang_up()
        codes += [self.come("127.0.0.3") for _ in range(2)]
        self.assertEqual(codes, [220, 220, 220, 220, 421])
        self.hang_up()
        self.assertEqual(self.come("127.0.0.3"), 421)
        story.wait_for("the old ones to leave", lambda: len(self.receivers()) == 1)
        self.kill_receiver(self.receivers()[0])
        self.assertEqual(self.come("127.0.0.3"), 421)
        self.assertEqual(self.come("127.0.0.2"), 220)  # it is about that one only
        # all of these and the daemon's own test for a greeting at the start
        self.come("127.0.0.5")
        self.assertEqual(self.open[-1].greeting[1], "421 4.3.2 all 10 load 0")

    def test_connections_over_a_reload_and_a_kill(self):
        self.stage_cf()
        self.assertEqual([self.stay("127.0.0.4") for _ in range(2)], [220, 220])
        old = self.receivers()
        self.hang_up()
        self.assertEqual([self.stay("127.0.0.4") for _ in range(2)], [220, 421])
        self.assertEqual(len(self.receivers()), 2)
        os.kill(old[0], signal.SIGKILL)  # its two are nobody's any more
        story.wait_for("the old one to be gone", lambda: len(self.receivers()) == 1)
        for _ in range(2):  # those that were refused are counted until they have closed
            story.wait_for("room for the client", lambda: self.come("127.0.0.4") == 220)
        self.assertEqual(self.come("127.0.0.4"), 421)
        self.kill_receiver(self.receivers()[0])
        self.assertEqual([self.come("127.0.0.4") for _ in range(4)], [220, 220, 220, 421])

    def test_max_sessions_per_client(self):
        self.stage(MaxSessionsPerClient=2)
        self.assertEqual([self.stay("127.0.0.6"), self.stay("127.0.0.6"), self.stay("127.0.0.6"), self.stay("127.0.0.7")], [220, 220, 421, 220])
        self.hang_up()
        self.assertEqual([self.stay("127.0.0.6"), self.stay("127.0.0.7")], [421, 220])
        self.open[0].close()
        story.wait_for("room for the client", lambda: self.come("127.0.0.6") == 220)

    def test_max_daemon_children(self):
        self.stage(MaxDaemonChildren=3)
        story.wait_for("the test for a greeting to be gone", lambda: " sessions=0 " in self.pr.ctl("status")[1])
        old = self.receivers()
        self.assertEqual([self.stay("127.0.0.6") for _ in range(2)], [220, 220])
        self.hang_up()
        self.assertEqual([self.stay(f"127.0.0.{7 + number}") for number in range(3)], [220, 421, 421])
        self.assertEqual(self.open[-1].greeting[1], "421 4.3.2 mail.example.org Too many open connections; connection rejected")
        self.assertEqual(len(re.findall("rejecting connections on daemon MTA: 3 children, max 3;", self.pr.log())), 1)
        os.kill(old[0], signal.SIGKILL)
        story.wait_for("room", lambda: self.stay("127.0.0.8") == 220)
        self.assertEqual([self.stay("127.0.0.9") for _ in range(2)], [220, 421])

    def test_connection_rate_throttle(self):
        self.stage(ConnectionRateThrottle=2)
        begin, seen, lock = time.monotonic(), [], threading.Lock()

        def one():
            with story.Client(self.pr.port, helo=None) as client, lock:
                seen.append((client.greeting[0], time.monotonic()))
        threads = [threading.Thread(target=one) for _ in range(9)]
        for thread in threads:
            thread.start()
        time.sleep(1.2)
        self.hang_up()
        for thread in threads:
            thread.join()
        self.assertEqual([code for code, _ in seen], [220] * 9)  # none is lost
        times = sorted(at for _, at in seen)
        self.assertGreater(times[-1] - begin, 3, times)
        # never more than two in a second of the clock: of seven in a row the first and the last are two seconds apart
        for first, last in zip(times, times[6:]):
            self.assertGreater(last - first, 1.9, times)
        # each receiver says so once
        self.assertIn(len(re.findall("deferring connections on daemon MTA: 2 per second", self.pr.log())), (1, 2))

    # -- who has to wait --------------------------------------------------------

    def test_noop(self):
        self.stage(MaxNOOPCommands=3)
        with self.pr.client() as client:
            quick = [self.timed(client, "NOOP") for _ in range(2)] + [self.timed(client, "RSET")]
            slow = [self.timed(client, "NOOP"), self.timed(client, "NOOP")]
            self.assertLess(max(seconds for _, seconds in quick), 0.9)
            self.assertEqual([code for code, _ in quick + slow], [250] * 5)
            self.assertTrue(slow[0][1] >= 1 and slow[1][1] >= 2, slow)
            self.assertRegex(self.pr.log(), r"NOQUEUE: \[127\.0\.0\.1\]: possible SMTP attack: command=NOOP, count=3\n")
            # what follows in one breath is answered in its turn
            client.send("NOOP\r\nRSET\r\nFOO\r\n")
            self.assertEqual([client.reply()[0] for _ in range(3)], [250, 250, 500])
            # many wait and nobody stands in the way of others; who hangs up waits no longer
            client.send("NOOP\r\n" * 5)
            self.pr.send("a@example.net", [story.ME + "@example.org"], "Subject: x\n\nx\n")
            client.close(False)
        story.wait_for("the session to be gone", lambda: " sessions=0 " in self.pr.ctl("status")[1], 5)

    def test_by_every_way_in(self):
        """Chunks, LMTP and proxies lead past no limit, and what counts is the client."""
        lmtp, proxied = story.free_port(), story.free_port()
        self.stage(MaxRecipientsPerMessage=2, MaxHeadersLength=2000, MaxHopCount=3, MaxMessageSize=9000, MaxNOOPCommands=3, BadRcptThrottle=1, BadRcptThrottleDelay="1s", MaxSessionsPerClient=1)
        self.pr.stop()
        self.pr.settings["listeners"] += [{"name": "L", "address": "127.0.0.1", "port": lmtp, "protocol": "lmtp"}, {"name": "P", "address": "127.0.0.1", "port": proxied, "proxy": ["127.0.0.0/8"]}]
        self.pr.start()
        for port, hello, header in ((lmtp, "LHLO", ""), (proxied, "EHLO", "PROXY TCP4 192.0.2.9 192.0.2.1 4711 25\r\n")):
            story.wait_for("nobody else", lambda: " sessions=0 " in self.pr.ctl("status")[1])
            with self.subTest(hello=hello), self.raw(port, header) as client:
                client.expect(250, hello + " client.example")
                for number, (text, code, words) in enumerate((("X: " + "y" * 3000 + "\r\n\r\n", 552, "5.6.0 Headers too large (2000 max)"), ("Received: a\r\n" * 5 + "\r\nx\r\n", 554, "5.4.6 Too many hops 5"),
                                                              ("S: x\r\n\r\n" + "x\r\n" * 6000, 552, "5.2.3 Message exceeds maximum fixed size (9000)"))):
                    client.expect(250, "MAIL FROM:<a@example.net>")
                    client.expect(250, f"RCPT TO:<{story.ME}@example.org>")
                    if number == 0:
                        client.expect(250, f"RCPT TO:<{story.ME}+x@example.org>")
                        self.assertEqual(client.command(f"RCPT TO:<{story.ME}+y@example.org>")[1], "452 4.5.3 Too many recipients")
                    client.send(f"BDAT {len(text)} LAST\r\n{text}".encode())
                    for _ in range(1 if hello == "EHLO" else 2 - (number > 0)):
                        got = client.reply()
                        self.assertEqual((got[0], got[1][4:4 + len(words)]), (code, words))
                client.expect(250, "MAIL FROM:<a@example.net>")
                times = [self.timed(client, "RCPT TO:<nosuchuser@example.org>") for _ in range(2)]
                self.assertTrue([code for code, _ in times] == [550, 550] and times[0][1] < 0.9 <= times[1][1], times)
                with self.raw(port, header) as second:
                    self.assertEqual(second.greeting[0], 421)
                if header:
                    with self.raw(port, header.replace("2.9", "2.10")) as second:
                        self.assertEqual(second.greeting[0], 220)

    @staticmethod
    @contextlib.contextmanager
    def raw(port, header):
        client = story.Client.__new__(story.Client)
        client.sock = socket.create_connection(("127.0.0.1", port))
        client.sock.settimeout(30)
        client.file = client.sock.makefile("rb")
        client.send(header.encode())
        client.greeting = client.reply()
        yield client
        client.close(False)

    def test_a_reload_does_not_wait_for_them(self):
        self.stage(MaxNOOPCommands=1)
        with self.pr.client() as client:
            client.send("NOOP\r\n" * 9)
            self.assertEqual(client.reply()[0], 250)
            self.hang_up()
            begin = time.monotonic()
            self.pr.wait_log("generation 1 has left")
            self.assertLess(time.monotonic() - begin, 5 * story.SLOW)

    def test_bad_recipients(self):
        self.stage(BadRcptThrottle=2, BadRcptThrottleDelay="1s", BadRcptShutdown=4)
        with self.pr.client() as client:
            client.expect(250, "MAIL FROM:<a@example.net>")
            times = [self.timed(client, f"RCPT TO:<nobody{number}@example.org>") for number in range(4)]
            self.assertEqual([code for code, _ in times], [550] * 4)
            self.assertTrue(times[0][1] < 0.9 and times[1][1] < 0.9 and times[2][1] >= 1 and times[3][1] >= 1, times)
            self.assertEqual(client.command(f"RCPT TO:<{story.ME}@example.org>")[1], "421 4.7.0 mail.example.org Too many bad recipients; closing connection")
        self.assertEqual(len(re.findall("Possible SMTP RCPT flood, throttling", self.pr.log())), 1)

    def test_delay_la(self):
        self.stage(DelayLA=5, QueueLA=0, RefuseLA=0)
        with self.pr.client() as client:
            self.busy("4.40", 4)
            self.assertLess(self.timed(client, "NOOP")[1], 0.9)
            self.busy("4.60", 5)
            for line in ("NOOP", "MAIL FROM:<a@example.net>", f"RCPT TO:<{story.ME}@example.org>"):
                code, seconds = self.timed(client, line)
                self.assertTrue(code == 250 and seconds >= 1, (line, code, seconds))
            self.assertLess(self.timed(client, "RSET")[1], 0.9)
            self.assertEqual(len(re.findall(r"delaying=NOOP, load average=5 >= 5\n", self.pr.log())), 1)
            # the programs of this machine do not wait
            begin = time.monotonic()
            self.assertEqual(self.pr.run("sendmail", "-C", self.pr.conf_path, story.ME, text="Subject: x\n\nx\n").returncode, 0)
            self.assertLess(time.monotonic() - begin, 3 * story.SLOW)
            self.busy("0.10", 0)
            self.assertLess(self.timed(client, "NOOP")[1], 0.9)

    def test_load_without_a_word_about_it(self):
        """sendmail's limits: 8 and 12 for each processor."""
        processors = os.sysconf("SC_NPROCESSORS_ONLN")
        self.stage()
        self.busy(f"{12 * processors - 1}.00", 12 * processors - 1)
        self.assertEqual(self.come(), 220)
        story.write_load(self.load, f"{12 * processors}.00")
        story.wait_for("a refusal", lambda: self.come() == 421)
        self.busy(f"{8 * processors - 1}.00", 8 * processors - 1)
        many = [f"{story.ME}+{number}@example.org" for number in range(30)]
        first = self.pr.send("a@example.net", many, "Subject: x\n\nx\n")
        self.pr.wait_log(first + ": to=")
        self.busy(f"{12 * processors - 1}.00", 12 * processors - 1)
        second = self.pr.send("a@example.net", many, "Subject: x\n\nx\n")
        self.pr.wait_log(second + ": stat=queued: load average too high|" + second + ": to=.*stat=queued")


if __name__ == "__main__":
    story.main()
