#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Everybody gets his turn: hosts that hang cost the others nothing, senders share a slow host, and queue runs take what they shall."""
import os
import re
import signal
import socket
import subprocess
import sys
import time

import story

LETTER = "Subject: hi\n\nhello\n"
SILENT = "import socket, sys\ns = socket.create_server(('127.0.0.1', 0), backlog=200)\nprint(s.getsockname()[1], flush=True)\nwhile True: s.accept()[0].sendall(b'220 here\\r\\n')\n"


class Scheduler(story.Story):
    def stage(self, table="", **settings):
        """A daemon that finds its next hosts in a mailertable."""
        daemon = self.daemon(start=False, **settings)
        daemon.settings["maps"]["mailertable"] = {"module": "text", "file": daemon.write("mailertable", table)}
        return daemon

    def hanging(self, count):
        """Ports where the system connects and nobody ever says a word."""
        found = []
        for _ in range(count):
            sock = socket.create_server(("127.0.0.1", 0), backlog=100)
            self.addCleanup(sock.close)
            found.append(sock.getsockname()[1])
        return found

    def priority(self, daemon, ident):
        listed = daemon.run("mailq", "-C", daemon.conf_path, "-v").stdout
        return int(re.search(rf"^{ident}\S? +\d+ +(-?\d+)", listed, re.M).group(1))

    def queued(self, daemon):
        return int(re.search(r"queued=(\d+)", daemon.ctl("status")[1]).group(1))

    def test_twenty_hanging_hosts_and_a_living_one(self):
        for threads in (40, 8):
            with self.subTest(threads=threads):
                live = self.sink()
                ports = self.hanging(20)
                table = "".join(f"dead{i}.example\tesmtp:[127.0.0.1]:{port}\n" for i, port in enumerate(ports))
                daemon = self.stage(table + f"live.example\tesmtp:[127.0.0.1]:{live.port}\n", name=f"pr{threads}",
                                    options={"CourierThreads": threads})
                daemon.start()
                with daemon.client() as client:
                    for _ in range(5):
                        for i in range(20):
                            self.assertEqual(client.message("a@example.net", [f"x@dead{i}.example"], LETTER)[0], 250)
                    began = time.monotonic()
                    for i in range(50):
                        self.assertEqual(client.message("b@example.net", [f"y{i}@live.example"], LETTER)[0], 250)
                live.wait(50, 30)
                print(f"{threads} threads: the living host has its mail after {time.monotonic() - began:.1f} s ", end="", flush=True)
                # a host that has shown that it lives waits for nobody
                began = time.monotonic()
                for i in range(5):
                    daemon.send("b@example.net", [f"z{i}@live.example"], LETTER)
                live.wait(55, 30)
                self.assertLess(time.monotonic() - began, 5 * story.SLOW)
                daemon.kill()

    def test_a_stopped_process_behind_a_host(self):
        """It was well, then its process stops (SIGSTOP): the others go on, and after SIGCONT so does it."""
        live = self.sink()
        child = subprocess.Popen([sys.executable, "-c", SILENT], stdout=subprocess.PIPE, text=True)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        self.addCleanup(os.kill, child.pid, signal.SIGCONT)
        port = int(child.stdout.readline())
        os.kill(child.pid, signal.SIGSTOP)
        daemon = self.stage(f"stopped.example\tesmtp:[127.0.0.1]:{port}\nlive.example\tesmtp:[127.0.0.1]:{live.port}\n",
                            options={"CourierThreads": 4})
        daemon.start()
        with daemon.client() as client:
            for _ in range(30):
                client.message("a@example.net", ["x@stopped.example"], LETTER)
            for i in range(30):
                client.message("a@example.net", [f"y{i}@live.example"], LETTER)
        live.wait(30, 15)
        story.wait_for("only the stopped host's mail to be left", lambda: self.queued(daemon) == 30)
        daemon.kill()

    def test_a_reload_waits_for_no_delivery(self):
        """A delivery hangs in the old courier and mail stands in line behind it; the new one delivers all the same, what stood in line too."""
        live, late = self.sink(), self.sink()
        port, = self.hanging(1)
        table = f"live.example\tesmtp:[127.0.0.1]:{live.port}\nhost.example\tesmtp:[127.0.0.1]:"
        daemon = self.stage(f"{table}{port}\n")
        daemon.start()
        for i in range(10):
            daemon.send("a@example.net", [f"x{i}@host.example"], LETTER)
        time.sleep(1)
        daemon.write("mailertable", f"{table}{late.port}\n")
        self.assertEqual(daemon.ctl("reload")[0], 0)
        began = time.monotonic()
        daemon.send("a@example.net", ["y@live.example"], LETTER)
        live.wait(1, 10)
        late.wait(8, 15)  # two hang in the old courier's hands
        print(f"in line: delivered after {time.monotonic() - began:.1f} s ", end="", flush=True)
        daemon.kill()

    def test_many_of_one_sender_and_one_of_another(self):
        """300 messages to one host that takes 25 a second; the stranger's single one is among the next few."""
        def slow(verb, argument):
            if verb == ".":
                time.sleep(0.04)
        sink = self.sink(slow)
        daemon = self.stage(f"slow.example\tesmtp:[127.0.0.1]:{sink.port}\n", options={"MaxConnectionsPerHost": 1})
        daemon.start()
        with daemon.client() as client:
            for i in range(300):
                client.message("many@example.net", [f"x{i}@slow.example"], LETTER)
        before = len(sink.messages)
        self.assertLess(before, 250)
        daemon.send("one@example.com", ["y@slow.example"], LETTER)
        story.wait_for("the single message", lambda: any(m[0] == "one@example.com" for m in list(sink.messages)), 30)
        place = [m[0] for m in sink.messages].index("one@example.com")
        self.assertLess(place - before, 30)

    def test_single_thread_delivery(self):
        busy, most = [0], [0]

        def count(verb, argument):
            if verb == "MAIL":
                busy[0] += 1
                most[0] = max(most[0], busy[0])
            if verb == ".":
                time.sleep(0.02)
                busy[0] -= 1
        sink = self.sink(count)
        daemon = self.stage(f"host.example\tesmtp:[127.0.0.1]:{sink.port}\n", options={"SingleThreadDelivery": True})
        daemon.start()
        with daemon.client() as client:
            for i in range(40):
                client.message("a@example.net", [f"x{i}@host.example"], LETTER)
        sink.wait(40)
        self.assertEqual(most[0], 1)

    def test_expensive_mail_waits_for_a_run(self):
        cheap, dear, dearer = self.sink(), self.sink(), self.sink()
        daemon = self.stage(f"cheap.example\tesmtp:[127.0.0.1]:{cheap.port}\ndear.example\tdear:[127.0.0.1]:{dear.port}\n"
                            f"dearer.example\tdearer:[127.0.0.1]:{dearer.port}\n",
                            options={"HoldExpensive": True, "QueueInterval": "1h"},
                            mailers={"dear": {"module": "smtp", "flags": "mDFMuXe"}, "dearer": {"module": "smtp", "flags": "mDFMuXae"}})
        daemon.start()
        ident = daemon.send("a@example.net", ["x@cheap.example", "y@dear.example", "z@dearer.example"], LETTER)
        cheap.wait(1)
        daemon.wait_log(rf"{ident}: to=<z@dearer.example>.*stat=queued")
        for again in (lambda: daemon.ctl("reload"), lambda: (daemon.stop(), daemon.start())):
            again()
            time.sleep(1)
            self.assertEqual((len(dear.messages), len(dearer.messages)), (0, 0))
        self.assertEqual(daemon.ctl("queue-run")[0], 0)
        dear.wait(1)
        dearer.wait(1)
        self.assertEqual(len(cheap.messages), 1)
        story.wait_for("an empty queue", lambda: self.queued(daemon) == 0)

    def test_modes_q_and_d_wait_for_the_run_and_take_expensive_mail_in_it(self):
        for mode in ("queue", "defer"):
            with self.subTest(mode=mode):
                sink = self.sink()
                daemon = self.stage(f"dear.example\tdear:[127.0.0.1]:{sink.port}\n", name=mode,
                                    options={"HoldExpensive": True, "DeliveryMode": mode, "QueueInterval": "1h"},
                                    mailers={"dear": {"module": "smtp", "flags": "mDFMuXe"}})
                daemon.start()
                for i in range(5):
                    daemon.send("a@example.net", [f"y{i}@dear.example"], LETTER)
                time.sleep(1)
                self.assertEqual(len(sink.messages), 0)
                self.assertEqual(daemon.ctl("queue-run")[0], 0)
                sink.wait(5)
                daemon.stop()

    def test_the_order_of_a_run_is_by_priority(self):
        """The numbers are sendmail's: size - class * 1800 + recipients * 30000, then 90000 with each try."""
        sink = self.sink()
        daemon = self.stage(f"host.example\tesmtp:[127.0.0.1]:{sink.port}\n",
                            options={"DeliveryMode": "queue", "QueueInterval": "1h", "MaxConnectionsPerHost": 1, "CourierThreads": 2,
                                     "MaxQueueChildren": 1})
        daemon.start()
        for word, value, priority in (("bulk", -60, 138040), ("junk", -100, 210040), ("list", -30, 84040),
                                      ("special-delivery", 100, -149948), ("first-class", 0, 30047), ("strange", 0, 30043)):
            ident = daemon.send("a@example.net", [f"{word}@host.example"], f"Subject: x\nPrecedence: {word}\n\nhello worl\n")
            given = re.search(rf"{ident}: from=.* class=(-?\d+)", daemon.log()).group(1)
            self.assertEqual(int(given), value)
            self.assertEqual(self.priority(daemon, ident), priority)
        daemon.ctl("queue-run")
        sink.wait(6)
        order = [message[1][0].split("@")[0] for message in sink.messages]
        self.assertEqual(order[0], "special-delivery")
        self.assertEqual(order[3:], ["list", "bulk", "junk"])

    def test_returned_at_the_first_failure_when_told_so(self):
        """queuereturn=now for urgent mail only, given as nested groups."""
        sink = self.sink(lambda verb, words: "450 4.2.1 later" if verb == "RCPT" and "later" in words else None)
        daemon = self.stage(f"host.example\tesmtp:[127.0.0.1]:{sink.port}\nexample.net\tesmtp:[127.0.0.1]:{sink.port}\n",
                            options={"Timeout": {"queuereturn": {"urgent": "now"}}})
        daemon.start()
        normal = daemon.send("a@example.net", ["later@host.example"], LETTER)
        urgent = daemon.send("a@example.net", ["later@host.example"], "Priority: urgent\n" + LETTER)
        (sender, recipients, text), = sink.wait(1)
        self.assertEqual((sender, recipients), ("", ["a@example.net"]))
        self.assertIn("later@host.example", text)
        story.wait_for("the urgent message to be gone", lambda: self.queued(daemon) == 1)
        self.assertIn(normal, daemon.run("mailq", "-C", daemon.conf_path).stdout)
        self.assertNotEqual(normal, urgent)

    def test_a_wrong_order_is_refused(self):
        daemon = self.stage(options={"QueueSortOrder": "zzz"})
        daemon.write_conf()
        status, text = daemon.ctl("check")
        self.assertNotEqual(status, 0)
        self.assertRegex(text, r'postrider\.conf:\d+: option QueueSortOrder: invalid queue sort order "zzz"')


if __name__ == "__main__":
    story.main()
