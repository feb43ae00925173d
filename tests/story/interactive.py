#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""DeliveryMode i: the 250 comes when the first delivery has ended, in bounded time, and whoever is killed meanwhile loses nothing; q, b and i of one
command are its own; SuperSafe=interactive syncs only what was not delivered."""
import os
import re
import signal
import subprocess
import threading
import time
import unittest

import story

LETTER = "Subject: hi\n\nhello\n"


class Gate:
    """A next host that keeps its word back after the data until it is opened."""

    def __init__(self, test):
        self.open, self.reached = threading.Event(), threading.Event()
        self.sink = test.sink(self.answer)
        test.addCleanup(self.open.set)

    def answer(self, verb, _):
        if verb == ".":
            self.reached.set()
            self.open.wait(120)


class Interactive(story.Story):
    def stage(self, port=None, start=True, **options):
        """Relays to that port; mail that cannot go is tried again with the next queue run only."""
        rules = {"smart_host": f"[127.0.0.1]:{port}"} if port else {}
        return self.daemon(start=start, rules=rules, options={"DeliveryMode": "i", "QueueInterval": "1h", "MinQueueAge": "1h",
                                                              "Timeout": {"queuewarn": "0", "hoststatus": "0"}, **options})

    def role(self, daemon, role):
        return [pid for pid, name in daemon.processes().items() if name == role][0]

    def later(self, work):
        """A thread, and the list that will hold its result or what went wrong."""
        got = []

        def run():
            try:
                got.append(work())
            except (OSError, ConnectionError) as failure:
                got.append(failure)
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread, got

    def test_delivered_before_the_answer(self):
        for safe in ("true", "interactive", "postmilter", "false"):
            with self.subTest(SuperSafe=safe):
                sink = self.sink()
                daemon = self.daemon(name=safe, rules={"smart_host": f"[127.0.0.1]:{sink.port}"}, options={"DeliveryMode": "interactive", "SuperSafe": safe})
                with daemon.client() as client:
                    for number in range(1, 41):
                        code, text = client.message("a@example.net", ["b@far.example"], LETTER)
                        self.assertEqual(code, 250, text)
                        self.assertIn("Message accepted for delivery", text)
                        self.assertEqual(len(sink.messages), number)  # no waiting here: it is there already
                self.assertEqual(daemon.listed_ids(), [])
                daemon.stop()

    def test_all_in_one_process(self):
        sink = self.sink()
        daemon = self.stage(sink.port, start=False, SuperSafe="interactive")
        daemon.program = daemon.write("single", f"#!/bin/sh\nexec {story.PROGRAM} --single \"$@\"\n")
        os.chmod(daemon.program, 0o755)
        daemon.start()
        with daemon.client() as client:
            for number in range(1, 11):
                self.assertEqual(client.message("a@example.net", ["b@far.example"], LETTER)[0], 250)
                self.assertEqual(len(sink.messages), number)

    def test_several_messages_at_once_and_several_parts(self):
        """A list with an owner makes two messages of one; a slow host: all wait for theirs, none for another's."""
        sink = self.sink(lambda verb, _: time.sleep(0.3) if verb == "." else None)
        daemon = self.stage(sink.port, start=False, AliasFile=["aliases"])
        path = daemon.write("aliases", "crew: x@far.example\nowner-crew: boss@far.example\n")
        daemon.settings["maps"] = {"aliases": {"module": "text", "file": path, "format": "aliases"}}
        daemon.start()

        def send():
            daemon.send("a@example.net", ["crew@example.org", "y@far.example"], LETTER)
            return time.monotonic()
        began = time.monotonic()
        threads = [self.later(send) for _ in range(12)]
        for thread, got in threads:
            thread.join(30 * story.SLOW)
            self.assertIsInstance(got[0], float, got)
        self.assertEqual(len(sink.messages), 24)
        self.assertLess(max(got[0] for _, got in threads) - began, 10 * story.SLOW)

    def test_a_dead_host_is_250_and_queued(self):
        for safe in ("true", "interactive"):
            with self.subTest(SuperSafe=safe):
                daemon = self.daemon(name=safe, rules={"smart_host": f"[127.0.0.1]:{story.free_port()}"},
                                     options={"DeliveryMode": "i", "SuperSafe": safe, "QueueInterval": "1h"})
                began = time.monotonic()
                ident = daemon.send("a@example.net", ["b@far.example"], LETTER)
                self.assertLess(time.monotonic() - began, 10 * story.SLOW)
                self.assertRegex(daemon.log(), rf"{ident}: to=<b@far.example>.*stat=Deferred")
                self.assertEqual(daemon.listed_ids(), [ident])
                daemon.stop()

    def test_a_refusal_is_250_and_a_bounce(self):
        sink = self.sink(lambda verb, words: "550 5.1.1 no such user" if verb == "RCPT" and "bad" in words else None)
        daemon = self.stage(sink.port)
        ident = daemon.send("a@far.example", ["bad@far.example"], LETTER)
        self.assertRegex(daemon.log(), rf"{ident}: to=<bad@far.example>.*dsn=5.1.1.*stat=User unknown|{ident}: .*stat=.*no such user")
        sink.wait(1)  # a message of its own: nobody waits for it
        self.assertEqual(sink.messages[0][:2], ("", ["a@far.example"]))

    def test_a_hanging_host_is_left_alone_after_its_time_and_others_go_on(self):
        gate, live = Gate(self), self.sink()
        daemon = self.stage(gate.sink.port, start=False, Timeout={"datafinal": "4s", "queuewarn": "0", "hoststatus": "0"})
        daemon.settings["maps"] = {"mailertable": {"module": "text", "file": daemon.write("mailertable", f"live.example\tesmtp:[127.0.0.1]:{live.port}\n")}}
        daemon.start()
        began = time.monotonic()
        thread, got = self.later(lambda: (daemon.send("a@example.net", ["b@far.example"], LETTER), time.monotonic()))
        self.assertTrue(gate.reached.wait(10 * story.SLOW))
        with daemon.client() as client:
            for number in range(1, 21):
                self.assertEqual(client.message("a@example.net", ["c@live.example"], LETTER)[0], 250)
                self.assertEqual(len(live.messages), number)
        self.assertEqual(got, [])
        thread.join(30 * story.SLOW)
        ident, at = got[0]
        self.assertGreater(at - began, 3.5)
        self.assertLess(at - began, 4 + 4 * story.SLOW)
        self.assertIn(ident, daemon.listed_ids())
        gate.open.set()
        gate.sink.wait(1)

    def test_many_wait_with_few_threads(self):
        """A session that waits is no thread: thirty of them, two threads, and the next client is served at once."""
        gate = Gate(self)
        daemon = self.stage(gate.sink.port, MaxThreads=2)
        clients = [daemon.client() for _ in range(30)]
        threads = [self.later(lambda c=c: c.message("a@example.net", ["b@far.example"], LETTER)) for c in clients]
        self.assertTrue(gate.reached.wait(10 * story.SLOW))
        began = time.monotonic()
        with daemon.client() as client:
            self.assertEqual(client.command("NOOP")[0], 250)
        self.assertLess(time.monotonic() - began, 2 * story.SLOW)
        self.assertTrue(all(not got for _, got in threads))
        gate.open.set()
        for thread, got in threads:
            thread.join(60 * story.SLOW)
            self.assertEqual(got[0][0], 250, got)
        for client in clients:
            self.assertEqual(client.command("NOOP")[0], 250)
            client.close()
        self.assertEqual(len(gate.sink.messages), 30)

    def test_kill_of_the_courier_while_a_client_waits(self):
        for safe in ("true", "interactive"):
            with self.subTest(SuperSafe=safe):
                gate = Gate(self)
                daemon = self.daemon(name=safe, rules={"smart_host": f"[127.0.0.1]:{gate.sink.port}"}, options={"DeliveryMode": "i", "SuperSafe": safe})
                began = time.monotonic()
                thread, got = self.later(lambda: daemon.send("a@example.net", ["b@far.example"], LETTER))
                self.assertTrue(gate.reached.wait(10 * story.SLOW))
                os.kill(self.role(daemon, "courier"), signal.SIGKILL)
                thread.join(30 * story.SLOW)
                self.assertIsInstance(got[0], str, got)  # 250: it is in the queue
                self.assertLess(time.monotonic() - began, 10 * story.SLOW)  # nobody waits for the dead
                gate.open.set()
                gate.sink.wait(1)
                story.wait_for("an empty queue", lambda: daemon.listed_ids() == [])
                daemon.stop()

    def test_kill_of_the_receiver_before_its_answer(self):
        """The client has no answer, so it may come twice or not; what has its 250 is there, also that of others at that moment."""
        for safe in ("true", "interactive"):
            with self.subTest(SuperSafe=safe):
                sink = self.sink(lambda verb, _: time.sleep(0.02) if verb == "." else None)
                daemon = self.daemon(name=safe, rules={"smart_host": f"[127.0.0.1]:{sink.port}"}, options={"DeliveryMode": "i", "SuperSafe": safe,
                                     "MinQueueAge": "1s", "QueueInterval": "1s"})
                accepted, stop, lock = set(), threading.Event(), threading.Lock()

                def send(name):
                    number = 0
                    while not stop.is_set():
                        try:
                            with daemon.client(timeout=10) as client:
                                while not stop.is_set():
                                    number += 1
                                    if client.message("a@example.net", [f"{name}-{number}@far.example"], LETTER)[0] == 250:
                                        with lock:
                                            accepted.add(f"{name}-{number}@far.example")
                        except (OSError, ConnectionError, ValueError):
                            time.sleep(0.05)
                threads = [threading.Thread(target=send, args=(f"s{i}",), daemon=True) for i in range(8)]
                for thread in threads:
                    thread.start()
                for role in ("receiver", "courier", "receiver", "receiver", "courier"):
                    time.sleep(0.7 * story.SLOW)
                    os.kill(story.wait_for(role, lambda r=role: [p for p, n in daemon.processes().items() if n == r])[0], signal.SIGKILL)
                time.sleep(1)
                stop.set()
                for thread in threads:
                    thread.join(20 * story.SLOW)
                self.assertGreater(len(accepted), 20)
                arrived = lambda: {r for m in list(sink.messages) for r in m[1]}
                story.wait_for(lambda: f"all that was accepted; missing {sorted(accepted - arrived())[:5]}", lambda: accepted <= arrived(), 30)
                daemon.stop()

    def test_a_stop_and_a_reload_end_the_wait(self):
        gate = Gate(self)
        daemon = self.stage(gate.sink.port, SuperSafe="interactive")
        thread, got = self.later(lambda: daemon.send("a@example.net", ["b@far.example"], LETTER))
        self.assertTrue(gate.reached.wait(10 * story.SLOW))
        self.assertEqual(daemon.ctl("reload")[0], 0)
        thread.join(10 * story.SLOW)
        self.assertIsInstance(got[0], str, got)
        gate.open.set()
        gate.sink.wait(1)

        gate = Gate(self)
        daemon = self.daemon(name="stopped", rules={"smart_host": f"[127.0.0.1]:{gate.sink.port}"},
                             options={"DeliveryMode": "i", "SuperSafe": "interactive", "Timeout": {"stop": "2s"}})
        thread, got = self.later(lambda: daemon.send("a@example.net", ["b@far.example"], LETTER))
        self.assertTrue(gate.reached.wait(10 * story.SLOW))
        daemon.stop()
        thread.join(10 * story.SLOW)
        self.assertIsInstance(got[0], str, got)
        self.assertEqual(daemon.queue_ids(), got)  # in files: whoever comes next delivers it

    def test_the_mode_of_one_command(self):
        sink = self.sink()
        daemon = self.stage(sink.port, DeliveryMode="background")
        sendmail = lambda *words: daemon.run("sendmail", "-C", daemon.conf_path, *words, text=LETTER)
        for words in (["-odi"], ["-O", "DeliveryMode=interactive"], ["-od"], ["-v"], ["-v", "-odq"]):
            with self.subTest(words=words):
                before = len(sink.messages)
                done = sendmail(*words, "b@far.example")
                self.assertEqual(done.returncode, 0, done.stdout)
                self.assertEqual(len(sink.messages), before + 1)
        for words in (["-odq"], ["-odd"]):
            with self.subTest(words=words):
                before = len(sink.messages)
                self.assertEqual(sendmail(*words, "b@far.example").returncode, 0)
                daemon.send("a@example.net", ["c@far.example"], LETTER)  # another's mail does not wait
                sink.wait(before + 1)
                time.sleep(4)  # nor does the store's own report of what nobody took change its mind
                self.assertEqual(sink.messages[before:][0][1], ["c@far.example"])
                self.assertEqual(len(sink.messages), before + 1)
                self.assertEqual(daemon.ctl("queue-run")[0], 0)
                sink.wait(before + 2)
        sendmail("-odq", "last@far.example")
        before = len(sink.messages)
        for again in (lambda: daemon.ctl("reload"), lambda: os.kill(self.role(daemon, "courier"), signal.SIGKILL), lambda: (daemon.stop(), daemon.start())):
            again()
            time.sleep(3)
            daemon.send("a@example.net", ["c@far.example"], LETTER)
            sink.wait(before + 1)
            time.sleep(1)
            self.assertEqual([m[1] for m in sink.messages[before:]], [["c@far.example"]])
            before += 1
        self.assertEqual(daemon.ctl("queue-run")[0], 0)
        sink.wait(before + 1)
        before = len(sink.messages)
        daemon.stop()
        os.chmod(os.path.join(daemon.top, "drop"), 0o1733 if story.IS_ROOT else 0o700)
        for words, who in ((["-odq"], "last@far.example"), (["-odi"], "first@far.example")):
            self.assertEqual(sendmail(*words, who).returncode, 0)  # left in the drop directory: nobody waits
        daemon.start()
        sink.wait(before + 1)
        time.sleep(2)
        self.assertEqual([m[1] for m in sink.messages[before:]], [["first@far.example"]])
        self.assertEqual(daemon.ctl("queue-run")[0], 0)
        sink.wait(before + 2)
        done = sendmail("-odz", "b@far.example")
        self.assertEqual((done.returncode, done.stdout), (64, "Unknown delivery mode z\n"))

    def test_the_mode_of_one_command_against_a_daemon_that_queues(self):
        sink = self.sink()
        daemon = self.stage(sink.port, DeliveryMode="queue")
        sendmail = lambda *words: daemon.run("sendmail", "-C", daemon.conf_path, *words, text=LETTER)
        self.assertEqual(sendmail("b@far.example").returncode, 0)
        self.assertEqual(sendmail("-odi", "c@far.example").returncode, 0)
        self.assertEqual([m[1] for m in sink.messages], [["c@far.example"]])
        self.assertEqual(sendmail("-odb", "d@far.example").returncode, 0)
        sink.wait(2)
        time.sleep(1)
        self.assertEqual([m[1] for m in sink.messages], [["c@far.example"], ["d@far.example"]])

    def test_a_stranger_may_not_choose(self):
        daemon = self.stage(self.sink().port)
        with daemon.client() as client:
            self.assertEqual(client.command("MAIL FROM:<a@example.net> XDELIVER=q")[0], 555)

    def syncs(self, daemon, work):
        """fdatasync and syncfs of the receiver during that work."""
        out = os.path.join(self.scratch, "trace")
        tracer = subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=fdatasync,fsync,syncfs", "-o", out, "-p", str(self.role(daemon, "receiver"))],
                                  stderr=subprocess.PIPE, text=True)
        try:
            time.sleep(1)
            if tracer.poll() is not None:
                self.skipTest("strace may not look here: " + tracer.stderr.read())
            work()
        finally:
            if tracer.poll() is None:
                tracer.terminate()
            tracer.wait()
            tracer.stderr.close()
        with open(out) as trace:
            return sum("sync" in line and "= 0" in line for line in trace)

    @unittest.skipUnless(any(os.access(os.path.join(p, "strace"), os.X_OK) for p in os.environ["PATH"].split(":")), "needs strace")
    def test_what_is_synced_when(self):
        def sent(count):
            def work():
                with daemon.client() as client:
                    for _ in range(count):
                        self.assertEqual(client.message("a@example.net", ["b@far.example"], LETTER)[0], 250)
            return work
        for safe, mode, alive, wanted in (("true", "i", True, 20), ("postmilter", "b", True, 20), ("interactive", "b", True, 20),
                                          ("interactive", "i", True, 0), ("interactive", "i", False, 20)):
            with self.subTest(SuperSafe=safe, mode=mode, alive=alive):
                port = self.sink().port if alive else story.free_port()
                daemon = self.daemon(name=f"{safe}{mode}{alive}", rules={"smart_host": f"[127.0.0.1]:{port}"},
                                     options={"DeliveryMode": mode, "SuperSafe": safe, "QueueInterval": "1h"})
                sent(1)()  # the first of a segment is always synced
                self.assertEqual(self.syncs(daemon, sent(20)), wanted)
                daemon.stop()


if __name__ == "__main__":
    story.main()
