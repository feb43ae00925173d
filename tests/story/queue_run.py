#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""sendmail -q does what its letters say: chosen messages and no others, in sight with -v, quarantined with -Q, on an old queue beside a daemon."""
import contextlib
import fcntl
import os
import re
import signal
import socket
import subprocess
import time
import unittest

import story

NOBODY = 65534


class QueueRun(story.Story):
    def setUp(self):
        super().setUp()
        self.open_hosts = False
        self.next = self.sink(lambda verb, _: "451 4.3.2 later" if verb == "RCPT" and not self.open_hosts else None)

    def stage(self, name="pr", start=True, **settings):
        options = {"MinQueueAge": "0", "QueueInterval": "1h", "Timeout": {"queuewarn": "0"}, **settings.pop("options", {})}
        self.pr = self.daemon(name, start=False, options=options, rules={"smart_host": f"[127.0.0.1]:{self.next.port}"}, **settings)
        return self.pr.start() if start else self.pr

    def deferred(self, sender, *recipients):
        one = self.pr.send(sender, recipients, "Subject: s\n\nbody\n")
        self.pr.wait_log(one + ": to=.*stat=Deferred")
        story.wait_for("it to be put back", lambda: not self.is_locked(one))
        return one

    def is_locked(self, one):
        try:
            with open(self.control(one), "r+b") as control:
                fcntl.flock(control, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, IndexError, FileNotFoundError):
            return True  # being delivered, or not written out yet
        return False

    def control(self, one):
        return [os.path.join(folder, name) for folder, _, names in os.walk(self.pr.top) for name in names if name[1:] == "f" + one and name[0] in "qhQ"][0]

    def sendmail(self, *words, expect=0, conf=None):
        done = self.pr.run("sendmail", "-C", conf or self.pr.conf_path, *words)
        self.assertEqual(done.returncode, expect, f"{words}: {done.stdout}\n{self.pr.log()[-3000:]}")
        return done.stdout

    def delivered(self):
        return sorted(recipient for _, recipients, _ in self.next.messages for recipient in recipients)

    def test_chosen_ones(self):
        self.stage(options={"MinQueueAge": "1h"})
        ids = [self.deferred("owner-list@example.net", "ann@far.example", "bob@far.example"), self.deferred("Joe@Example.NET", "carl@near.example"),
               self.deferred("joe@example.org", "dora@near.example")]
        self.open_hosts = True
        self.assertEqual(self.sendmail("-qInosuch"), "")
        self.sendmail("-qRnear", "-qRnowhere", "-qSEXAMPLE.net")  # R or R, and S
        self.next.wait(1)
        self.sendmail("-q!Sowner-", "-q!Rann@", "-qI" + ids[2][-4:])
        self.next.wait(2)
        self.sendmail("-qI" + ids[0].lower())  # case does not matter, MinQueueAge neither
        self.next.wait(3)
        self.assertEqual([got[1] for got in self.next.messages], [["carl@near.example"], ["dora@near.example"], ["ann@far.example", "bob@far.example"]])
        story.wait_for("an empty queue", lambda: self.pr.queue_ids() == [])

    def test_the_young_wait(self):
        """-q, -qf and -q -v leave them alone; who names them gets them tried."""
        self.stage(options={"MinQueueAge": "1h", "MaxQueueAge": "2h"})
        one = self.deferred("a@example.net", "ann@far.example")
        self.open_hosts = True
        for words in (("-q",), ("-qf",), ("-q", "-v"), ("-qGmqueue",)):
            self.assertNotIn("Running", self.sendmail(*words))
            time.sleep(0.5)
        self.assertEqual(self.pr.ctl("queue-run")[0], 0)
        time.sleep(1)
        self.assertEqual(self.delivered(), [])
        self.sendmail("-qI" + one)
        self.next.wait(1)

    def test_persistent(self):
        """-qp for a daemon and alone: a try every second, or as often as it says."""
        tries = []
        self.next.answer = lambda verb, _: tries.append(time.monotonic()) or "451 4.3.2 later" if verb == "RCPT" else None
        self.stage(options={"QueueInterval": "0"})
        self.deferred("a@example.net", "ann@far.example")
        self.assertEqual(self.pr.stop(), 0)
        for words, step in ((("-bd", "-qp2s"), 2), (("-qp2s",), 2), (("-qp",), 1)):
            with self.subTest(words=words):
                del tries[:]
                self.sendmail(*words)
                try:
                    story.wait_for("tries", lambda: len(tries) >= 5)
                    gaps = [b - a for a, b in zip(tries, tries[1:])]
                    self.assertLess(abs(sum(gaps) - step * len(gaps)), 1 * story.SLOW, gaps)
                finally:
                    self.assertEqual(self.pr.ctl("stop")[0], 0)

    def test_negation_holds_for_some_recipient(self):
        self.stage()
        self.deferred("a@example.net", "ann@far.example", "bob@near.example")
        self.deferred("a@example.net", "carl@far.example")
        self.open_hosts = True
        self.sendmail("-q!Rfar")
        self.next.wait(1)
        self.sendmail("-q")
        self.next.wait(2)
        self.assertEqual([got[1] for got in self.next.messages], [["ann@far.example", "bob@near.example"], ["carl@far.example"]])

    def test_words_that_mean_nothing(self):
        self.stage(start=False).write_conf()
        for words, status, said in ((("-qGnosuch",), 0, "Queue group nosuch unknown\n"), (("-q!Gx",), 64, "Can not use -q!G\n"),
                                    (("-qGa", "-qGb"), 64, "Can not use multiple -qG options\n"), (("-qX",), 64, "Invalid time unit `X'\n"),
                                    (("-q1x",), 64, "Invalid time unit `x'\n"), (("-Qwhy", "-qL"), 64, "Can not use -Q with -qL\n"),
                                    (("-bp", "-Qwhy"), 64, "Can not use -Q with -bp\n")):
            self.assertEqual(self.sendmail(*words, expect=status), said)
        self.assertIn("Too many -q", self.sendmail(*["-qIa"] * 65, expect=64))
        self.assertIn("too long", self.sendmail("-qI" + "x" * 5000, expect=64))

    def test_verbose_beside_the_daemon(self):
        self.stage()
        one, two = self.deferred("a@example.net", "ann@far.example"), self.deferred("a@example.net", "bob@far.example")
        with open(self.control(two), "r+b") as control:
            fcntl.flock(control, fcntl.LOCK_EX)
            self.open_hosts = True
            text = self.sendmail("-v", "-qR@FAR")
        queue = os.path.join(self.pr.top, "queue")
        self.assertEqual(sorted(re.findall(r"Running (\S+) \(sequence (\d) of 2\)", text)),
                         sorted((f"{queue}/{name}", str(at + 1)) for at, name in enumerate(re.findall(r"Running \S+/(\S+) ", text))))
        self.assertIn(f"{two}: locked\n", text)
        self.assertIn(f"<ann@far.example>... Connecting to [127.0.0.1] port {self.next.port} via relay...\n", text)
        self.assertIn("<ann@far.example>... Sent (taken)\n", text)
        self.assertTrue(text.endswith("Closing connection to [127.0.0.1]\n>>> QUIT\n221 bye\n"), text)
        self.assertEqual(self.delivered(), ["ann@far.example"])
        self.assertEqual(self.pr.queue_ids(), [two])
        self.assertEqual([name for name in os.listdir(os.path.join(self.pr.top, "run")) if name.startswith("run.")], [])
        self.assertEqual(self.pr.ctl("status")[0], 0)  # the daemon noticed nothing
        self.assertIn("sequence 1 of 1", self.sendmail("-v", "-q"))
        self.assertEqual(self.sendmail("-v", "-q"), "")
        self.assertEqual(self.pr.stop(), 0)

    def test_the_daemon_forgets_what_the_run_delivered(self):
        """At once, not at its next scan; and the log has no complaint of the run."""
        self.stage()
        for name in ("ann", "bob", "carl"):
            self.deferred("a@example.net", name + "@far.example")
        mailq = lambda: self.pr.run("mailq", "-C", self.pr.conf_path).stdout
        story.wait_for("three in mailq", lambda: "Total requests: 3" in mailq())
        self.open_hosts = True
        self.sendmail("-qRann", "-v")
        story.wait_for(lambda: "ann to be forgotten\n" + mailq(), lambda: "Total requests: 2" in mailq(), 5 * story.SLOW)
        self.sendmail("-q", "-v")
        story.wait_for(lambda: "all to be forgotten\n" + mailq(), lambda: "is empty" in mailq(), 5 * story.SLOW)
        story.wait_for(lambda: "queued=0\n" + self.pr.ctl("status")[1], lambda: " queued=0 " in self.pr.ctl("status")[1], 5 * story.SLOW)
        self.assertEqual(self.delivered(), [name + "@far.example" for name in ("ann", "bob", "carl")])
        self.assertNotIn("not all in files", self.pr.log())

    def test_the_conversation_in_sight(self):
        """As sendmail prints it: where, each line both ways in the order it was sent and came, what came of it, the connection used again."""
        self.stage()
        self.next.answer = lambda verb, line: "451 4.3.2 later" if verb == "RCPT" and (not self.open_hosts or "tmp" in line) else "550 5.1.1 no" if "rej@" in line else None
        one = self.deferred("a@example.net", "ann@far.example", "bob@far.example", "tmp@far.example")
        self.open_hosts = True
        text = self.sendmail("-v", "-qI" + one)
        name = self.pr.settings["options"].get("HostName", "mail.example.org")
        said = [line for line in text.splitlines() if not re.match(r"\d{3}[- ]", line)]
        size = re.search(r"SIZE=(\d+)", text).group(1)
        self.assertEqual(said, ["", f"Running {self.pr.top}/queue/{one} (sequence 1 of 1)",
                                f"<ann@far.example>,<bob@far.example>,<tmp@far.example>... Connecting to [127.0.0.1] port {self.next.port} via relay...",
                                f">>> EHLO {name}", f">>> MAIL From:<a@example.net> SIZE={size}", ">>> RCPT To:<ann@far.example>",
                                ">>> RCPT To:<bob@far.example>", ">>> RCPT To:<tmp@far.example>", ">>> DATA", ">>> .",
                                "<ann@far.example>,<bob@far.example>... Sent (taken)", "<tmp@far.example>... Deferred: 451 4.3.2 later",
                                "Closing connection to [127.0.0.1]", ">>> QUIT"], text)
        self.assertRegex(text, r"via relay\.\.\.\n220 .*\n>>> EHLO .*\n250-")
        self.assertNotIn("Subject:", text)  # the message itself is not shown
        self.next.answer = lambda verb, line: "550 5.1.1 no" if "rej@" in line and verb == "RCPT" else None
        self.pr.stop()
        for address in ("a@far.example", "rej@far.example"):
            self.pr.run("sendmail", "-C", self.pr.conf_path, "-f", "x@example.net", address, text="Subject: s\n\nbody\n")
        text = self.sendmail("-v", "-q")
        self.assertEqual(text.count(f"... Connecting to [127.0.0.1] port {self.next.port} via relay...\n"), 1, text)
        self.assertEqual(text.count("... Using cached ESMTP connection to [127.0.0.1] via relay...\n"), 3, text)  # and the notice
        self.assertIn("<rej@far.example>... User unknown\n", text)
        self.assertEqual(text.count(">>> QUIT\n"), 1)

    def test_a_submission_in_sight(self):
        self.stage().stop()
        place = os.path.join(self.pr.top, "run/submit.sock")
        submit = lambda *who: self.pr.run("sendmail", "-C", self.pr.conf_path, "-v", "-f", "a@example.net", *who, text="Subject: s\n\nbody\n").stdout
        self.assertEqual(submit("ann@far.example"), f"ann@far.example... Connecting to {place} via relay...\n"
                         f"ann@far.example... Deferred: No such file or directory by {place}\nqueued in {self.pr.top}/drop\n")
        self.pr.start()
        text = submit("ann@far.example", "bob@far.example")
        self.assertTrue(text.startswith(f"ann@far.example,bob@far.example... Connecting to {place} via relay...\n220 "), text)
        self.assertRegex(text, r"\n>>> \.\n250 2\.0\.0 \S+ Message accepted for delivery\nann@far.example,bob@far.example\.\.\. Sent \(\S+ Message accepted for delivery\)\n"
                         rf"Closing connection to {re.escape(place)}\n>>> QUIT\n221 ")

    def as_member(self, group, *words):
        libs = os.path.join(story.BUILD, ".libs")
        return subprocess.run(words, executable=os.path.join(libs, "postrider"), user=NOBODY, group=group, extra_groups=[], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, env={**os.environ, "LD_LIBRARY_PATH": libs})

    def test_no_place_beside_the_daemon(self):
        """A queue that anybody may look at, and a run directory that is the daemon's: the answer is sendmail's, not that of mkdir."""
        if not story.IS_ROOT:
            self.skipTest("only root can be somebody else")
        self.stage()
        for folder in (os.path.dirname(self.pr.top), os.path.join(self.pr.top, "run")):
            os.chmod(folder, 0o755)
        for queue in (os.path.join(self.pr.top, "other"), os.path.join(self.pr.top, "nosuch")):
            if queue.endswith("other"):
                os.mkdir(queue)
                os.chmod(queue, 0o1777)
            got = self.as_member(NOBODY, "sendmail", "-C", self.pr.conf_path, "-OQueueDirectory=" + queue, "-q")
            self.assertEqual((got.returncode, got.stdout), (77, "You do not have permission to process the queue\n"))

    def test_who_may_run_it(self):
        """Whoever can enter and write the directory; with restrictqrun only root and its owner; from the daemon and without one."""
        if not story.IS_ROOT:
            self.skipTest("only root can be somebody else")
        denied = (77, "You do not have permission to process the queue\n")
        for privacy, member in ((["authwarnings"], (0, "")), (["authwarnings", "restrictqrun"], denied)):
            with self.subTest(privacy=privacy):
                self.open_hosts = False
                self.stage(f"pr{len(privacy)}", options={"PrivacyOptions": privacy, "MinQueueAge": "0"})
                for folder in (os.path.dirname(self.pr.top), os.path.join(self.pr.top, "run")):
                    os.chmod(folder, 0o755)
                self.deferred("a@example.net", f"ann{len(privacy)}@far.example")
                self.open_hosts = True
                queue = os.stat(os.path.join(self.pr.top, "queue"))
                self.assertEqual(queue.st_mode & 0o777, 0o770)
                ask = lambda group: self.as_member(group, "sendmail", "-C", self.pr.conf_path, "-q")
                for group, expected in ((NOBODY, denied), (queue.st_gid, member)):
                    got = ask(group)
                    self.assertEqual((got.returncode, got.stdout), expected, f"group {group}\n{self.pr.log()[-2000:]}")
                # the daemon does not rely on the command
                with socket.socket(socket.AF_UNIX) as line:
                    line.connect(os.path.join(self.pr.top, "run/control.sock"))
                    line.sendall(b"queue-run\n")
                    self.assertEqual(line.recv(100), b"OK\n")
                told = self.as_member(queue.st_gid, "postriderctl", "-C", self.pr.conf_path, "queue-run").stdout
                self.assertEqual("permission denied" in told, member == denied, told)
                self.assertIn("permission denied", self.as_member(queue.st_gid, "postriderctl", "-C", self.pr.conf_path, "status").stdout)
                self.assertEqual(self.pr.stop(), 0)
                got = ask(NOBODY)
                self.assertEqual((got.returncode, got.stdout), denied)

    def test_quarantine(self):
        self.stage()
        one, two = self.deferred("a@example.net", "ann@far.example"), self.deferred("b@example.net", "bob@far.example")
        queue = os.path.join(self.pr.top, "queue")
        self.assertEqual(self.sendmail("-v", "-Qtesting", "-qI" + one), f'Processing {queue}:\n{one}: Quarantined with "testing"\n1 change\n')
        self.assertTrue(self.control(one).endswith("hf" + one))
        if story.IS_ROOT:  # only root may tell the daemon, which otherwise finds it at its next scan
            story.wait_for("mailq without what was quarantined", lambda: one not in self.sendmail("-bp") and two in self.sendmail("-bp"), 5)
            self.assertIn(one, self.sendmail("-bp", "-qQ"))
        self.assertEqual(self.sendmail("-v", "-Qother", "-qQ"), f'Processing {queue}:\n{one}: Quarantine changed from "testing" to "other"\n1 change\n')
        self.assertEqual(self.sendmail("-v", "-Qother", "-qQ"), f'Processing {queue}:\n{one}: Already quarantined with "other"\nNo changes\n')
        self.assertEqual(self.sendmail("-v", "-Qx", "-qInone"), f"{queue}: no matches\nNo changes\n")
        with open(self.control(two), "r+b") as control:
            fcntl.flock(control, fcntl.LOCK_EX)
            self.assertEqual(self.sendmail("-v", "-Qx", "-qI" + two), f"Processing {queue}:\n{two}: locked\nSkipping {two}\nNo changes\n")
        self.open_hosts = True
        self.sendmail("-qI" + one)  # without Q it is not looked at
        self.assertEqual(self.sendmail("-v", "-qInone"), "")
        self.assertEqual(self.next.messages, [])
        self.assertEqual(self.sendmail("-v", "-Q", "-qQoth"), f'Processing {queue}:\n{one}: Removed quarantine of "other"\n1 change\n')
        self.assertEqual(self.sendmail("-Qagain", "-qSa@"), "")
        self.sendmail("-qQagain")
        self.next.wait(1)
        self.assertEqual(self.delivered(), ["ann@far.example"])

    def names(self, one):
        return sorted(name for _, _, names in os.walk(os.path.join(self.pr.top, "queue")) for name in names if name[2:] == one and name[1] == "f")

    def tried_aside(self, letter, select):
        """What -qQ and -qL try fails and stays as it was, then goes through and is gone."""
        one, two = self.deferred("a@example.net", "ann@far.example"), self.deferred("b@example.net", "bob@far.example")
        for each in (one, two):
            if letter == "h":
                self.sendmail("-Qwhy", "-qI" + each)
            else:
                self.assertEqual(self.pr.stop() if self.pr.process else 0, 0)
                os.rename(self.control(each), os.path.join(os.path.dirname(self.control(each)), "Qf" + each))
        if letter == "Q":
            self.pr.start()
        self.assertNotIn("Running", self.sendmail("-v", "-q"))
        for _ in range(2):
            text = self.sendmail("-v", select, "-qI" + one)
            self.assertIn(f"/{one} (sequence 1 of 1)\n<ann@far.example>... Connecting to", text)
            self.assertIn("<ann@far.example>... Deferred: 451 4.3.2 later\n", text)
            self.assertEqual(self.names(one), sorted(["df" + one, letter + "f" + one]))
        with open(self.control(one)) as control:
            text = control.read()
        self.assertIn("\nN3\n", text)
        self.assertEqual(text.count("\nqwhy\n"), 1 if letter == "h" else 0)
        self.open_hosts = True
        self.sendmail(select)  # by the daemon
        story.wait_for("both to be gone", lambda: self.names(one) + self.names(two) == [])
        self.assertEqual(self.delivered(), ["ann@far.example", "bob@far.example"])

    def test_quarantined_ones_are_tried_in_place(self):
        self.stage()
        self.tried_aside("h", "-qQ")

    def test_lost_ones_are_tried_in_place(self):
        self.stage()
        self.tried_aside("Q", "-qL")

    def test_lost_ones_that_are_quarantined_or_unreadable(self):
        self.stage()
        one, two = self.deferred("a@example.net", "ann@far.example"), self.deferred("b@example.net", "bob@far.example")
        self.sendmail("-Qwhy", "-qI" + one)
        self.assertEqual(self.pr.stop(), 0)
        os.rename(self.control(one), os.path.join(self.pr.top, "queue", "Qf" + one))
        with open(self.control(two), "w") as control:
            control.write("V8\nnonsense\n")
        os.rename(self.control(two), os.path.join(self.pr.top, "queue", "Qf" + two))
        self.open_hosts = True
        text = self.sendmail("-v", "-qL")
        self.assertEqual(sorted(re.findall(r"Running \S+/(\S+) \(", text)), sorted((one, two)))
        self.assertNotIn("Connecting", text)
        self.assertEqual((self.names(one), self.names(two)), (["df" + one, "hf" + one], ["Qf" + two, "df" + two]))
        self.assertRegex(self.pr.log(), two + ": stays set aside: .")
        self.assertEqual(self.delivered(), [])

    def test_without_a_daemon(self):
        self.stage()
        self.deferred("a@example.net", "ann@far.example"), self.deferred("a@example.net", "bob@far.example")
        self.assertEqual(self.pr.stop(), 0)
        self.open_hosts = True
        self.sendmail("-qRbob")
        self.assertEqual(self.delivered(), ["bob@far.example"])
        self.assertEqual(len(self.pr.queue_ids()), 1)
        self.sendmail("-qf")
        self.assertEqual(self.delivered(), ["ann@far.example", "bob@far.example"])
        self.assertEqual(self.pr.queue_ids(), [])

    @staticmethod
    def has_daemon(process):
        """Has it forked the daemon of its run?  Asked without a pause, and so of nobody else."""
        with contextlib.suppress(OSError):
            with open(f"/proc/{process.pid}/task/{process.pid}/children") as children:
                return any(os.readlink(f"/proc/{child}/exe").endswith("/postrider") for child in children.read().split())
        return False

    def begin(self, *words):
        """sendmail, stopped while its daemon starts: the daemon serves, and nobody has asked it for anything."""
        process = subprocess.Popen([story.PROGRAM, "sendmail", "-C", self.pr.conf_path, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        end = time.monotonic() + 20 * story.SLOW
        while not self.has_daemon(process) and time.monotonic() < end:
            pass
        process.send_signal(signal.SIGSTOP)
        found = story.wait_for("the courier of the run", lambda: re.search(r"^courier pid (\d+) .*serving .*ready=0 .*\n", self.pr.ctl("status")[1], re.M))
        self.assertIn(" runs=0 ", found.group(0), "the request was faster than this test")
        return process, int(found.group(1))

    def ends_well(self, process):
        """Nothing is said, but that a stop takes its time on a busy machine."""
        self.assertEqual((process.wait(60 * story.SLOW), re.sub(r"\Astop waits until .*\n", "", process.stdout.read())), (0, ""))

    def test_a_courier_that_is_late(self):
        """On a busy machine the courier takes the run up when the one who waits for it has looked many times; it is waited for all the same."""
        self.stage(options={"QueueInterval": "0"})
        self.deferred("a@example.net", "ann@far.example")
        self.assertEqual(self.pr.stop(), 0)
        self.open_hosts = True
        process, courier = self.begin("-qf")
        os.kill(courier, signal.SIGSTOP)
        try:
            process.send_signal(signal.SIGCONT)
            with self.assertRaises(subprocess.TimeoutExpired, msg="it did not wait for the courier"):
                process.wait(9 * story.SLOW)
            self.assertEqual(self.delivered(), [])
            self.assertRegex(self.pr.ctl("status")[1], rf"courier pid {courier} generation 1 serving \(did not answer in time\)\n")
        finally:
            os.kill(courier, signal.SIGCONT)
        self.ends_well(process)
        self.assertEqual((self.delivered(), self.pr.queue_ids()), (["ann@far.example"], []))

    def test_a_courier_that_ends(self):
        """The next one knows nothing of the run: it is asked for again."""
        self.stage(options={"QueueInterval": "0"})
        self.deferred("a@example.net", "ann@far.example")
        self.assertEqual(self.pr.stop(), 0)
        self.open_hosts = True
        process, courier = self.begin("-qf")
        os.kill(courier, signal.SIGSTOP)
        process.send_signal(signal.SIGCONT)
        time.sleep(3)
        os.kill(courier, signal.SIGKILL)
        self.ends_well(process)
        self.assertEqual((self.delivered(), self.pr.queue_ids()), (["ann@far.example"], []))

    def test_no_room_for_places(self):
        """The reason is the system's for the directory that could not be made."""
        if not story.IS_ROOT:
            self.skipTest("others are told that they may not")
        self.stage(start=False).write_conf()
        with open(self.pr.conf_path) as conf:
            path = self.pr.write("sys.conf", conf.read().replace(os.path.join(self.pr.top, "run"), "/sys"))
        text = self.sendmail("-OQueueDirectory=" + os.path.join(self.pr.top, "queue"), "-q", conf=path, expect=73)
        self.assertRegex(text, r"^/sys: cannot make a directory for this queue run: (Operation not permitted|Permission denied|Read-only file system)\n$")

    def old_queue(self):
        """mv mqueue omqueue, restart: the old mail lies there and the daemon works on a new directory."""
        self.stage()
        self.deferred("a@example.net", "ann@far.example")
        self.assertEqual(self.pr.stop(), 0)
        old = os.path.join(self.pr.top, "omqueue")
        os.rename(os.path.join(self.pr.top, "queue"), old)
        self.pr.start()
        self.deferred("a@example.net", "bob@far.example")
        self.open_hosts = True
        return old

    def test_old_recipe_with_o(self):
        old = self.old_queue()
        text = self.sendmail("-oQ" + old, "-q", "-v")
        self.assertIn(f"\nRunning {old}/", text)
        self.assertIn("<ann@far.example>... Sent (taken)", text)
        self.assertEqual(self.delivered(), ["ann@far.example"])
        self.assertEqual([name for name in os.listdir(old) if name[1:2] == "f"], [])
        self.assertEqual(len(self.pr.queue_ids()), 1)
        self.assertEqual(self.pr.ctl("status")[0], 0)

    def test_old_recipe_with_long_option(self):
        old = self.old_queue()
        self.assertEqual(self.sendmail("-OQueueDirectory=" + old, "-q"), "")
        self.assertEqual(self.delivered(), ["ann@far.example"])
        self.sendmail("-q")
        self.next.wait(2)

    def test_old_recipe_with_c(self):
        old = self.old_queue()
        with open(self.pr.conf_path) as conf:
            path = self.pr.write("queue.conf", conf.read().replace(os.path.join(self.pr.top, "queue"), old))
        self.assertEqual(self.sendmail("-q", conf=path), "")
        self.assertEqual(self.delivered(), ["ann@far.example"])
        self.assertEqual(len(self.pr.queue_ids()), 1)
        self.assertIn("serving", self.pr.ctl("status")[1])


if __name__ == "__main__":
    story.main()
