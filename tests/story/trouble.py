#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Bad input and bad days: each gives one clear error, nothing accepted is lost, and the daemon recovers."""
import os
import re
import subprocess
import time
import unittest

import story


class Trouble(story.Story):
    def start_fails(self, daemon, *patterns):
        daemon.start(wait=False)
        status = story.wait_for("the daemon to refuse", lambda: daemon.process.poll() is not None and (daemon.process.returncode or "zero"))
        self.assertNotEqual(status, "zero")
        said = daemon.output() + daemon.log()
        for pattern in patterns:
            self.assertRegex(said, pattern)
        checked, text = daemon.ctl("check")
        self.assertNotEqual(checked, 0)
        self.assertRegex(text, patterns[0])

    def test_unknown_key(self):
        daemon = self.daemon(start=False)
        daemon.settings["listners"] = []
        self.start_fails(daemon, r"postrider\.conf:\d+: unknown key listners; did you mean listeners\?")

    def test_unknown_key_of_a_module(self):
        daemon = self.daemon(start=False, rules={"smarthost": "x"})
        self.start_fails(daemon, r"postrider\.conf:\d+: unknown key smarthost .*did you mean smart_host\?")

    def test_missing_module(self):
        daemon = self.daemon(start=False, maps={"access": {"module": "hush", "file": "/x"}})
        self.start_fails(daemon, r"postrider\.conf:\d+: maps access: .*hush\.so: no such module")

    def test_a_directory_that_is_not_ours_is_left_alone(self):
        for key in ("QueueDirectory", "drop_directory"):
            with self.subTest(key=key):
                daemon = self.daemon("wrong-" + key, start=False)
                wrong = os.path.join(daemon.top, "home")
                os.mkdir(wrong, 0o755)
                with open(os.path.join(wrong, "letters.txt"), "w") as handle:
                    handle.write("not a queue file\n")
                before = os.stat(wrong)
                (daemon.settings if key in daemon.settings else daemon.settings["options"])[key] = wrong
                daemon.start(wait=False)
                story.wait_for("the daemon to refuse", lambda d=daemon: d.process.poll() is not None)
                self.assertNotEqual(daemon.process.returncode, 0)
                self.assertRegex(daemon.output() + daemon.log(), "home is not as it must be .* letters.txt")
                after = os.stat(wrong)
                self.assertEqual((before.st_uid, before.st_gid, before.st_mode), (after.st_uid, after.st_gid, after.st_mode))

    def test_unreadable_map_defers(self):
        daemon = self.daemon(start=False, maps={"access": {"module": "hash", "file": ""}})
        path = daemon.write("access.db", "this is no GDBM file, but it is here\n" * 100)
        daemon.settings["maps"]["access"]["file"] = path
        daemon.start()
        with daemon.client() as client:
            got = client.command("MAIL FROM:<a@example.net>")
            if got[0] == 250:
                got = client.command(f"RCPT TO:<{story.ME}@example.org>")
            self.assertEqual(got[0] // 100, 4, got)
        self.assertRegex(daemon.log(), r"access\.db")

    def test_an_alias_loop_is_told(self):
        daemon = self.daemon(start=False, options={"AliasFile": ["aliases"]})
        path = daemon.write("aliases", "a: b\nb: c\nc: a\nself: self\n")
        daemon.settings["maps"]["aliases"] = {"module": "hash", "file": path}
        daemon.write_conf()
        daemon.run("newaliases", "-C", daemon.conf_path)
        daemon.start()
        with daemon.client() as client:
            client.expect(250, "MAIL FROM:<a@example.net>")
            got = client.command("RCPT TO:<a@example.org>")
            self.assertEqual(got[0] // 100, 5, got)
            self.assertRegex(got[1] + daemon.log(), "loop")

    @unittest.skipUnless(story.IS_ROOT, "mounting a small file system needs root")
    def test_full_disk_and_full_inodes(self):
        for option in ("size=4m", "nr_inodes=60"):
            with self.subTest(option=option):
                daemon = self.daemon("disk-" + option[:4], start=False, rules={"smart_host": "[127.0.0.1]:9"}, options={"MinFreeBlocks": 0})
                queue = os.path.join(daemon.top, "queue")
                subprocess.run(["mount", "-t", "tmpfs", "-o", option, "tmpfs", queue], check=True)
                try:
                    self.fill(daemon, queue)
                finally:
                    daemon.stop()
                    subprocess.run(["umount", queue], check=True)

    def fill(self, daemon, queue):
        daemon.start()
        accepted, got = 0, (250, "")
        with daemon.client() as client:
            while got[0] == 250 and accepted < 3000:
                got = client.message("a@example.net", ["x@far.example"], "Subject: s\n\n" + "x" * 70 + "\n" + "line\n" * 2000)
                accepted += got[0] == 250
            self.assertEqual(got[0], 452, got)
            self.assertGreater(accepted, 3, daemon.log())
            for _ in range(200):
                client.command("RSET")
                self.assertEqual(client.message("a@example.net", ["x@far.example"], "Subject: s\n\n" + "line\n" * 2000)[0], 452)
            client.command("RSET")
        told = [line for line in daemon.log().splitlines() if "SYSERR" in line]
        self.assertLessEqual(len(told), 4, told[:8])
        self.assertTrue(all(queue in line for line in told), told)
        self.assertEqual(len(set(daemon.listed_ids())), accepted, "everything accepted is in the queue, and nothing else")
        done = daemon.run("sendmail", "-C", daemon.conf_path, "x@far.example", text="Subject: drop\n\nx\n")
        self.assertEqual(done.returncode, 0, done.stdout)  # it waits in the drop directory
        subprocess.run(["mount", "-o", "remount,size=100m,nr_inodes=100000", queue], check=True)
        self.assertTrue(daemon.send("a@example.net", ["x@far.example"], "Subject: again\n\nx\n"))
        story.wait_for("the dropped letter to be queued", lambda: len(daemon.queue_ids()) == accepted + 2, 60)

    @unittest.skipUnless(story.IS_ROOT, "mounting a small file system needs root")
    def test_a_stop_says_that_mail_is_kept(self):
        """Whether the courier could still read what the receiver has written, or had no room for its own notes."""
        for known in (True, False):
            with self.subTest(known=known):
                daemon = self.daemon(f"stop-{known}", start=False, options={"DeliveryMode": "queue", "QueueInterval": "1h", "MinFreeBlocks": 0})
                queue = os.path.join(daemon.top, "queue")
                subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", queue], check=True)
                try:
                    self.stop_full(daemon, queue, known)
                finally:
                    daemon.stop()
                    subprocess.run(["umount", queue], check=True)

    def stop_full(self, daemon, queue, known):
        daemon.start()
        daemon.send("a@example.net", ["x@far.example"], "Subject: s\n\nx\n")
        marks = os.path.join(queue, "journal", "000.done")
        if known:
            self.assertIn("x@far.example", daemon.run("mailq", "-C", daemon.conf_path).stdout)
            self.assertTrue(os.path.exists(marks))
        story.fill_disk(os.path.join(queue, "filler"))
        if not known and os.path.exists(marks):
            self.skipTest("the courier was faster")
        try:
            for _ in range(20):
                daemon.send("a@example.net", ["x@far.example"], "Subject: s\n\n" + "line\n" * 1000)
        except AssertionError as refused:
            if "452" not in str(refused):  # it looks once a second, and on a busy machine that second is over
                raise
            self.skipTest("the receiver noticed the full disk first, which is as good")
        status, text = daemon.ctl("stop")
        self.assertEqual(status, 75, text + daemon.log())
        self.assertRegex(text, r"^(stop waits until generation \d+ has left .*\n)?the daemon has left, but the queue is not all in files .*handback.*" +
                         ("messages are still in the journal" if known else "Insufficient disk space"))
        self.assertEqual(len(re.findall("not all in files", daemon.log())), 1, daemon.log())
        self.assertEqual(len(set(daemon.listed_ids())), 21)
        os.unlink(os.path.join(queue, "filler"))
        daemon.process.wait()
        daemon.start()
        status, text = daemon.ctl("stop")
        self.assertEqual(status, 0, text + daemon.log())
        self.assertRegex(text, r"^(stop waits until generation \d+ has left .*\n)?$")
        self.assertEqual(len(daemon.queue_ids()), 21)

    def test_no_descriptors_left(self):
        sink = self.sink()
        daemon = self.daemon(start=False, rules={"smart_host": f"[127.0.0.1]:{sink.port}"})
        daemon.start(descriptors=128)
        receiver = [pid for pid, role in daemon.processes().items() if role == "receiver"][0]
        clients, codes = [], []
        for _ in range(300):
            try:
                client = daemon.client(timeout=5)
                codes.append(client.greeting[0])
                clients.append(client)
            except (OSError, ConnectionError):
                codes.append(0)
        self.assertIn(220, codes)
        ticks = cpu_ticks(receiver)
        time.sleep(2)
        self.assertLess(cpu_ticks(receiver) - ticks, 100, "no spinning while no descriptor is free")
        self.assertTrue(any(c in (421, 0) for c in codes), codes)
        for client in clients:
            client.close(False)
        time.sleep(1)
        daemon.send("a@example.net", ["x@far.example"], "Subject: recovered\n\nx\n")
        sink.wait(1)

    def test_next_host_is_dead_and_comes_back(self):
        port = story.free_port()
        daemon = self.daemon(rules={"smart_host": f"[127.0.0.1]:{port}"},
                             options={"MinQueueAge": "1s", "MaxQueueAge": "1s", "QueueInterval": "1s", "Timeout": {"hoststatus": "1s"}})
        for number in range(20):
            daemon.send("a@example.net", [f"x{number}@far.example"], "Subject: s\n\nx\n")
        daemon.wait_log(r"stat=Deferred: .*[Cc]onnection refused")
        self.assertEqual(len(set(daemon.listed_ids())), 20)
        sink = self.sink(port=port)
        sink.wait(20, 60)
        story.wait_for("an empty queue", lambda: not daemon.listed_ids())
        self.assertEqual(len(sink.messages), 20)

    def test_every_role_comes_back(self):
        sink = self.sink()
        daemon = self.daemon(rules={"smart_host": f"[127.0.0.1]:{sink.port}"})
        for role in ("receiver", "courier"):
            before = [pid for pid, name in daemon.processes().items() if name == role]
            self.assertEqual(len(before), 1)
            os.kill(before[0], 9)
            story.wait_for(lambda: f"a new {role}\n" + daemon.log(), lambda r=role, b=before: [
                pid for pid, name in daemon.processes().items() if name == r and pid not in b])
        story.wait_for("a greeting", daemon.is_greeting)
        daemon.send("a@example.net", ["x@far.example"], "Subject: s\n\nx\n")
        sink.wait(1)
        self.assertRegex(daemon.log(), "(?i)receiver.*(signal 9|killed)")

    def test_a_damaged_queue_file_is_set_aside(self):
        sink = self.sink()
        daemon = self.daemon(start=False, rules={"smart_host": f"[127.0.0.1]:{sink.port}"}, options={"QueueInterval": "1s"})
        daemon.start()
        daemon.stop()
        queue = os.path.join(daemon.top, "queue")
        for number, text in enumerate((b"", b"garbage\n", b"V8\nT12\nS<a@b>\nRPFD:<x@y>\n", os.urandom(3000), b"qno reason\n" + os.urandom(3000))):
            with open(os.path.join(queue, f"qf6AKCWE2x02611{number}"), "wb") as handle:
                handle.write(text)
        os.mkfifo(os.path.join(queue, "qf6AKCWE2x026120"))
        os.symlink("/etc/passwd", os.path.join(queue, "qf6AKCWE2x026121"))
        daemon.start()
        daemon.send("a@example.net", ["x@far.example"], "Subject: goes on\n\nx\n")
        sink.wait(1)
        story.wait_for(lambda: "the damaged files to be set aside\n" + str(os.listdir(queue)) + daemon.log(),
                       lambda: not [n for n in os.listdir(queue) if n.startswith("qf") and os.path.isfile(os.path.join(queue, n))
                                    and not os.path.islink(os.path.join(queue, n))])
        self.assertTrue([n for n in os.listdir(queue) if n.startswith("Qf")])
        self.assertRegex(daemon.log(), r"6AKCWE2x026110")
        time.sleep(1)
        self.assertEqual(len(sink.messages), 1)

    def test_term_lets_a_transaction_finish(self):
        sink = self.sink()
        daemon = self.daemon(rules={"smart_host": f"[127.0.0.1]:{sink.port}"})
        client = daemon.client()
        client.expect(250, "MAIL FROM:<a@example.net>")
        client.expect(250, "RCPT TO:<x@far.example>")
        client.expect(354, "DATA")
        daemon.process.terminate()
        time.sleep(0.5)
        client.send("Subject: last\r\n\r\nword\r\n.\r\n")
        self.assertEqual(client.reply()[0], 250)
        story.wait_for("the daemon to leave", lambda: daemon.process.poll() is not None, 40)
        self.assertEqual(daemon.process.returncode, 0)
        if not sink.messages:  # what was accepted last may wait for the next start
            self.assertEqual(len(daemon.queue_ids()), 1)
            daemon.start()
        sink.wait(1)

    def test_no_look_alike_ends_a_message(self):
        sink = self.sink()
        daemon = self.daemon(rules={"smart_host": f"[127.0.0.1]:{sink.port}"})
        second = "MAIL FROM:<evil@example.net>\r\nRCPT TO:<x@far.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n"
        for ending in ("\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r\n\0.\r\n", "\r.\n", "\n\r.\r\n"):
            with daemon.client() as client:
                client.expect(250, "MAIL FROM:<a@example.net>")
                client.expect(250, "RCPT TO:<x@far.example>")
                client.expect(354, "DATA")
                client.send("Subject: first\r\n\r\nx" + ending + second)
                try:
                    self.assertEqual(client.reply()[0] // 100 in (2, 4, 5), True)
                except ConnectionError:
                    pass
        time.sleep(1)
        self.assertEqual([m for m in sink.messages if m[0] == "evil@example.net"], [])
        for _, _, text in sink.messages:
            self.assertIsNone(re.search(r"\r", text))


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat") as handle:
        fields = handle.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


if __name__ == "__main__":
    story.main()
