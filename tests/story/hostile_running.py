#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Whatever happens to the queue's files while the daemon runs - damaged, cut, replaced, removed, the whole queue moved away - is told with file and
reason; the others are delivered once, and what is accepted afterwards too."""
import os
import re
import shutil
import time
import unittest

import story

LETTER = "Subject: {0}\n\nbody of {0}\n" + "line\n" * 50
DAMAGES = {  # name: what is said of it
    "qf_cut": "the control file is cut short", "qf_empty": "the control file is empty", "qf_other": "the addresses in the control file are not those that were written",
    "qf_directory": "the control file is no regular file", "qf_link": "the control file is no regular file", "qf_fifo": "the control file is no regular file",
    "qf_everybody": "the control file is writable by everybody", "qf_two_names": "the control file has a second name",
    "df_gone": "the body is missing", "df_cut": r"the body has \d+ bytes, and not the \d+ it came with", "df_empty": r"the body has 0 bytes",
    "df_longer": r"the body has \d+ bytes, and not the \d+ it came with", "df_directory": "the body is no regular file with one name",
    "df_link": "the body is no regular file with one name", "df_fifo": "the body is no regular file with one name",
}


def damage(path, how):
    with open(path, "rb") as handle:
        whole = handle.read()
    if how in ("cut", "empty", "other"):
        with open(path, "r+b") as handle:
            handle.truncate(0)
            handle.write({"cut": whole[:len(whole) // 2], "empty": b"", "other": whole.replace(b"@far", b"@evl")}[how])
    elif how == "longer":
        with open(path, "ab") as handle:
            handle.write(b"more\n")
    elif how == "everybody":
        os.chmod(path, 0o666)
    elif how == "two_names":
        os.link(path, os.path.join(os.path.dirname(path), "other"))
    else:
        os.unlink(path)
        if how != "gone":
            {"directory": os.mkdir, "fifo": os.mkfifo, "link": lambda name: os.symlink("/etc/passwd", name)}[how](path)


class Running(story.Story):
    def relay(self, name="pr", **options):
        """The next host is not there yet."""
        self.port = story.free_port()
        return self.daemon(name, options={"QueueInterval": "1s", "MinQueueAge": "0", "Timeout": {"hoststatus": "1s"}, **options},
                           rules={"smart_host": f"[127.0.0.1]:{self.port}"})

    def send(self, daemon, name):
        return daemon.send("a@example.net", [f"{name}@far.example"], LETTER.format(name))

    def arrived(self, hop):
        return sorted(message[1][0].split("@")[0] for message in hop.messages)

    def path(self, daemon, name):
        return os.path.join(daemon.top, "queue", name)

    def crash(self, daemon):
        """The master first, for it would start the others again."""
        tree = story.descendants(daemon.process.pid)
        for pid in tree:
            os.kill(pid, 9)
        daemon.process.wait()
        story.wait_for("all of it to end", lambda: not any(story.is_alive(pid) for pid in tree))

    def test_files(self):
        daemon = self.relay()
        ids = {name: self.send(daemon, name) for name in ["first", *DAMAGES, "qf_gone", "last"]}
        for one in ids.values():
            story.wait_for("files", lambda n=one: os.path.exists(self.path(daemon, "qf" + n)))
        fds = {pid: len(os.listdir(f"/proc/{pid}/fd")) for pid in daemon.processes()}
        for name, one in ids.items():
            if name[1:3] == "f_":
                damage(self.path(daemon, name[:2] + one), name[3:])
        hop = self.sink(port=self.port)
        story.wait_for(lambda: "all losses\n" + daemon.log()[-3000:], lambda: daemon.log().count(": Losing ") >= len(DAMAGES))
        hop.wait(2)
        for name, why in DAMAGES.items():
            with self.subTest(name):
                self.assertRegex(daemon.log(), rf"{ids[name]}: Losing {re.escape(self.path(daemon, 'qf' + ids[name]))}: {why}")
        self.send(daemon, "new")
        hop.wait(3)
        story.wait_for("mailq without them", lambda: "Total requests: 0" in daemon.run("mailq", "-C", daemon.conf_path).stdout)
        self.assertEqual(self.arrived(hop), ["first", "last", "new"])
        for _, _, text in hop.messages:
            self.assertEqual(text.count("line\n"), 50)
        listed = daemon.run("postriderctl", "-C", daemon.conf_path, "queue", "list", "state=lost").stdout
        self.assertEqual(sorted(re.findall(r"(?m)^[0-9A-Za-x]{14,}", listed)), sorted(ids[name] for name in DAMAGES))
        for pid, count in fds.items():
            self.assertLess(len(os.listdir(f"/proc/{pid}/fd")), count + 8)

    def test_journal(self):
        """What was in the segment is the price; nothing that comes after it is."""
        for how in ("empty", "gone", "directory", "fifo", "all"):
            for crash in (False, True):
                with self.subTest(how, crash=crash):
                    self.one_segment(how, crash)

    def one_segment(self, how, crash):
        daemon = self.relay(f"pr-{how}-{crash}", DeliveryMode="queue", QueueInterval="1h")
        old = [self.send(daemon, f"old{number}") for number in range(10)]
        journal = self.path(daemon, "journal")
        segment = os.path.join(journal, "000.log")
        self.assertFalse(os.path.exists(self.path(daemon, "qf" + old[-1])), "too late for this trial")
        if how == "all":
            shutil.rmtree(journal)
        elif how == "empty":
            with open(segment, "r+b") as handle:
                handle.seek(6000)
                handle.write(bytes(2000))
        else:
            damage(segment, how)
        if crash:
            self.crash(daemon)
            daemon.start()
        for number in range(10):
            self.send(daemon, f"new{number}")
        hop = self.sink(port=self.port)
        new = {f"new{number}" for number in range(10)}
        daemon.run("sendmail", "-C", daemon.conf_path, "-q")
        story.wait_for(lambda: f"the new ones, not {self.arrived(hop)}\n{daemon.log()[-2000:]}", lambda: new <= set(self.arrived(hop)))
        self.assertEqual(len(self.arrived(hop)), len(set(self.arrived(hop))), "once")
        if how == "empty":
            self.assertRegex(daemon.log(), r"Losing mail that was accepted: journal segment 000\.log, bytes \d+ to \d+ are damaged; they were set aside as /")
            self.assertGreater(len(hop.messages), 10)
        elif not crash:
            self.assertIn("/journal/000.log was removed while it was in use", daemon.log())
        elif how != "all":
            self.assertRegex(daemon.log(), "Losing mail that was accepted: .*/journal/000.log is gone or no regular file")
        self.assertNotIn("ended by signal", daemon.log().replace("signal 9", ""))
        daemon.stop()
        hop.close()

    def test_the_old_queue(self):
        """`mv mqueue omqueue` under a running daemon, a restart, and the old queue run beside it."""
        daemon = self.relay()
        for number in range(20):
            self.send(daemon, f"old{number}")
        old = os.path.join(daemon.top, "omqueue")
        os.rename(self.path(daemon, ""), old)
        os.mkdir(self.path(daemon, ""))
        with daemon.client() as client:  # into the old one still, or not at all
            late = client.message("a@example.net", ["late@far.example"], LETTER.format("late"))[0] == 250
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(len([name for name in os.listdir(old) if name.startswith("qf")]), 20 + late)
        daemon.start()
        hop = self.sink(port=self.port)
        self.send(daemon, "new")
        hop.wait(1)
        self.assertEqual(self.arrived(hop), ["new"])
        done = daemon.run("sendmail", "-C", daemon.conf_path, f"-oQ{old}", "-q", "-v")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(done.stdout.count("Running " + old), 20 + late, done.stdout[:2000])
        self.assertEqual(self.arrived(hop), sorted(["new"] + ["late"] * late + [f"old{number}" for number in range(20)]))
        self.assertEqual([name for name in os.listdir(old) if name[1:2] == "f"], [])


if __name__ == "__main__":
    story.main()
