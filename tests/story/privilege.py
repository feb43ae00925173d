#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every process is who it should be, nobody gets more through mail than he has, and no child outlives its master."""
import contextlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import unittest

import story

LETTER = "Subject: x\n\nhello\n"
SPY = """
import ctypes, os
os.setgroups([]); os.setgid(%d); os.setuid(os.getgid())
libc = ctypes.CDLL(None, use_errno=True)
print("looking", flush=True)
while True:
    for pid in [int(name) for name in os.listdir("/proc") if name.isdigit()][-8:]:
        try:
            with open("/proc/%%d/cmdline" %% pid, "rb") as line:
                if b"--role\\0plan\\0" in line.read() and libc.ptrace(0x4206, pid, 0, 0) == 0:
                    print("caught", pid, flush=True)
                    libc.ptrace(17, pid, 0, 0)
        except OSError:
            pass
"""
PLAIN = "games"  # an account that mail may be delivered to, neither role nor DefaultUser


def ids(pid):
    """Real, effective, saved and file system uid, and the supplementary groups."""
    with open(f"/proc/{pid}/status") as handle:
        text = handle.read()
    uids = [int(word) for word in re.search(r"(?m)^Uid:\s+(.*)$", text).group(1).split()]
    groups = [int(word) for word in re.search(r"(?m)^Groups:[ \t]*(.*)$", text).group(1).split()]
    return uids, groups


def uid_of(name):
    return pwd.getpwnam(name).pw_uid


class Privilege(story.Story):
    def roles(self, daemon):
        return {role: pid for pid, role in daemon.processes().items() if role in ("receiver", "courier")}

    def spool_daemon(self, **settings):
        """Mailboxes in a directory like Debian's /var/mail: root:mail 2775."""
        daemon = self.daemon(start=False, mailers={"local": {"module": "local", "format": "mbox",
                                                             "path": os.path.join(self.scratch, "pr", "box", "%u")}}, **settings)
        self.box = os.path.join(daemon.top, "box")
        shutil.chown(self.box, "root", "mail")
        os.chmod(self.box, 0o2775)
        return daemon

    def box_text(self, user):
        path = os.path.join(self.box, user)
        return self.text(path)

    def text(self, path):
        if not os.path.exists(path):
            return ""
        with open(path) as handle:
            return handle.read()

    def wait_box(self, daemon, user, text):
        story.wait_for(lambda: f"{text!r} in the box of {user}\n" + daemon.log(), lambda: text in self.box_text(user))

    @unittest.skipUnless(story.IS_ROOT, "needs root")
    def test_roles_are_their_users_for_good(self):
        daemon = self.daemon()
        for role, user in (("receiver", "daemon"), ("courier", "bin")):
            uids, groups = ids(self.roles(daemon)[role])
            self.assertEqual(set(uids), {uid_of(user)})
            self.assertNotIn(0, groups)
        self.assertEqual(os.stat(os.path.join(daemon.top, "queue")).st_uid, uid_of("bin"))
        self.assertEqual(os.stat(os.path.join(daemon.top, "queue")).st_mode & 0o7777, 0o1770)
        drop = os.stat(os.path.join(daemon.top, "drop"))
        self.assertEqual((drop.st_uid, drop.st_mode & 0o7777), (0, 0o1733))

    @unittest.skipUnless(story.IS_ROOT and not os.environ.get("SANITIZED"), "needs root, and roles that hide")
    def test_no_process_of_the_receivers_user_can_trace_the_plan(self):
        """Whoever wrote the plan's lines for it would choose what root gives away (a queue directory named /etc)."""
        daemon = self.daemon()
        spy = subprocess.Popen([sys.executable, "-c", SPY % uid_of("daemon")], stdout=subprocess.PIPE, text=True)
        try:
            self.assertEqual(spy.stdout.readline(), "looking\n")
            for _ in range(15):
                self.assertEqual(daemon.ctl("reload")[0], 0, daemon.log()[-2000:])
        finally:
            spy.terminate()
            seen = spy.communicate(timeout=20)[0]
        self.assertNotIn("caught", seen)

    @unittest.skipUnless(story.IS_ROOT, "needs root")
    def test_the_receiver_cannot_change_what_the_courier_wrote_back(self):
        daemon = self.daemon(rules={"smart_host": f"[127.0.0.1]:{story.free_port()}"})
        daemon.send("a@example.net", ["x@far.example"], LETTER)
        daemon.wait_log("stat=Deferred")
        name = daemon.queue_ids()[0]
        info = lambda: os.stat(os.path.join(daemon.top, "queue", "qf" + name))
        story.wait_for("the courier to write it back", lambda: info().st_uid == uid_of("bin"))
        self.assertEqual(info().st_mode & 0o777, 0o640)
        self.assertEqual(daemon.ctl("reload")[0], 0)

    @unittest.skipUnless(story.IS_ROOT, "needs root")
    def test_missing_users_are_named(self):
        daemon = self.daemon(start=False, users={"receiver": "nosuchuser"})
        daemon.start(wait=False)
        daemon.process.wait(20)
        self.assertNotEqual(daemon.process.returncode, 0)
        self.assertRegex(daemon.output(), r"there is no user nosuchuser, .*; create it with: adduser --system")

    @unittest.skipUnless(story.IS_ROOT, "needs root")
    def test_the_mailbox_belongs_to_its_user_and_roots_to_root(self):
        daemon = self.spool_daemon().start()
        daemon.send("a@example.net", [PLAIN + "@example.org", "root@example.org"], LETTER)
        for user in (PLAIN, "root"):
            self.wait_box(daemon, user, "hello")
            info = os.stat(os.path.join(self.box, user))
            self.assertEqual((info.st_uid, info.st_mode & 0o7777), (uid_of(user), 0o600))
        story.wait_for("the locks to go", lambda: sorted(os.listdir(self.box)) == sorted([PLAIN, "root"]))

    @unittest.skipUnless(story.IS_ROOT, "needs root")
    def test_a_link_in_the_spool_leads_nowhere(self):
        daemon = self.spool_daemon().start()
        victim = os.path.join(daemon.top, "victim")
        with open(victim, "w") as handle:
            handle.write("precious\n")
        shutil.chown(victim, PLAIN)
        os.symlink(victim, os.path.join(self.box, PLAIN))
        daemon.send("a@example.net", [PLAIN + "@example.org"], LETTER)
        daemon.wait_log("symbolic link")
        self.assertEqual(self.text(victim), "precious\n")

    @unittest.skipUnless(story.IS_ROOT, "needs root")
    def test_programs_of_aliases_run_as_default_user_only(self):
        daemon = self.daemon(start=False, options={"DefaultUser": "nobody", "AliasFile": ["aliases"]})
        shutil.chown(os.path.join(daemon.top, "box"), "nobody")
        out = os.path.join(daemon.top, "box", "out")
        path = daemon.write("aliases", f'robot: "|id >{out}; cat /proc/self/status >>{out}; ls -l /proc/self/fd >>{out}"\n')
        daemon.settings["maps"]["aliases"] = {"module": "hash", "file": path}
        daemon.write_conf()
        self.assertEqual(daemon.run("newaliases", "-C", daemon.conf_path).returncode, 0)
        daemon.start()
        daemon.send("a@example.net", ["robot@example.org"], LETTER)
        story.wait_for(lambda: "the program\n" + daemon.log(), lambda: "/proc/" in self.text(out))
        text = self.text(out)
        self.assertRegex(text, r"^uid=%d\(nobody\)" % uid_of("nobody"))
        self.assertNotIn("socket:", text)
        with daemon.client() as client:
            client.command("EHLO x")
            client.command("MAIL FROM:<a@example.net>")
            self.assertEqual(client.command(f'RCPT TO:<"|touch {out}2"@example.org>')[0], 550)

    @unittest.skipUnless(story.IS_ROOT, "needs root")
    def test_the_control_socket_answers_root_only(self):
        daemon = self.daemon()
        path = os.path.join(daemon.top, "run", "control.sock")
        story.wait_for("the control socket", lambda: os.path.exists(path))
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o666)  # everybody may ask for the list, and for nothing else
        answer = self.ask_as(PLAIN, path, b"stop\n")
        self.assertEqual(answer, "ERROR permission denied\n")
        self.assertIsNone(daemon.process.poll())
        self.assertTrue(self.ask_as("root", path, b"status\n").endswith("OK\n"))

    def ask_as(self, user, path, line):
        """What the control socket says to another user."""
        here, there = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.setgroups([])
                os.setuid(uid_of(user))
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(path)
                    client.settimeout(20)
                    with contextlib.suppress(OSError):
                        client.sendall(line)
                    os.write(there, client.makefile().read().encode())
            finally:
                os._exit(0)
        os.close(there)
        os.waitpid(pid, 0)
        with os.fdopen(here) as handle:
            return handle.read()

    def drop(self, daemon, name, text):
        folder = os.path.join(daemon.top, "drop")
        with open(os.path.join(folder, "." + name), "w", encoding="latin-1", newline="") as handle:
            handle.write(text)
        os.rename(os.path.join(folder, "." + name), os.path.join(folder, name))

    def test_drop_files_are_fed_and_bad_ones_kept(self):
        box = os.path.join(self.scratch, "pr", "box", "%u")
        daemon = self.daemon(mailers={"local": {"module": "local", "format": "maildir", "path": box}})
        os.chmod(os.path.join(daemon.top, "box"), 0o1777)
        folder = os.path.join(daemon.top, "drop")
        secret = os.path.join(daemon.top, "secret")
        with open(secret, "w") as handle:
            handle.write("secret\n")
        os.symlink(secret, os.path.join(folder, "link"))
        os.mkfifo(os.path.join(folder, "fifo"))
        to = f"RCPT TO:<{story.ME}@example.org>\n"
        self.drop(daemon, "half", "MAIL FROM:<>\n" + to + "DATA\nSubject: half\n")
        self.drop(daemon, "liar", "XDROP 0\nMAIL FROM:<>\n" + to + "DATA\n\nx\n.\n")
        self.drop(daemon, "good", "MAIL FROM:<>\n" + to + "DATA\nSubject: dropped\n\n..dot\n.\n")
        got = story.wait_for(lambda: "the letter\n" + daemon.log(), lambda: daemon.maildir(box.replace("%u", story.ME)))
        self.assertEqual(len(got), 1)
        self.assertTrue(got[0].endswith("\n\n.dot\n"), got[0])
        kept = [".bad-fifo", ".bad-half", ".bad-liar", ".bad-link"]
        story.wait_for(lambda: f"{kept}, there is {os.listdir(folder)}", lambda: sorted(os.listdir(folder)) == kept)

    def test_a_refused_drop_file_is_reported_to_its_owner(self):
        """`sendmail` has said that all is well; whoever called it hears that it is not, once, and reports are not reported."""
        box = os.path.join(self.scratch, "pr", "box", "%u")
        daemon = self.daemon(mailers={"local": {"module": "local", "format": "maildir", "path": box}})
        os.chmod(os.path.join(daemon.top, "box"), 0o1777)
        letter = "DATA\nSubject: lost?\n\n..dot\nf\x1b\xfcr dich\n.\n"
        self.drop(daemon, "one", f"MAIL FROM:<forged@example.net>\nRCPT TO:<nosuch@example.org>\n" + letter)
        self.drop(daemon, "two", f"MAIL FROM:<>\nRCPT TO:<nosuch@example.org>\n" + letter)
        self.drop(daemon, "three", f"MAIL FROM:<a@example.net>\nRCPT TO:<nosuch@example.org>\nRCPT TO:<{story.ME}@example.org>\n" + letter)
        mail = lambda: daemon.maildir(box.replace("%u", story.ME))
        story.wait_for(lambda: f"two reports and a letter, there is {mail()}\n" + daemon.log(), lambda: len(mail()) == 3)
        reports = [text for text in mail() if "MAILER-DAEMON" in text and "Auto-Submitted" in text]
        self.assertEqual(len(reports), 2)
        for report in reports:
            self.assertIn("nosuch@example.org", report)
            self.assertIn("User unknown", report)
            self.assertIn("Subject: lost?", report)
            self.assertNotRegex(report, "[\x1b\xfc]")
        self.assertEqual(sorted(os.listdir(os.path.join(daemon.top, "drop"))), [".bad-one", ".bad-three", ".bad-two"])

    def test_a_return_in_a_drop_file_does_not_hold_it_for_ever(self):
        box = os.path.join(self.scratch, "pr", "box", "%u")
        daemon = self.daemon(mailers={"local": {"module": "local", "format": "maildir", "path": box}})
        os.chmod(os.path.join(daemon.top, "box"), 0o1777)
        self.drop(daemon, "cr", f"MAIL FROM:<a@example.net>\nRCPT TO:<{story.ME}@example.org>\nDATA\nSubject: x\n\none\rtwo\n.\n")
        got = story.wait_for(lambda: "the letter\n" + daemon.log(), lambda: daemon.maildir(box.replace("%u", story.ME)))
        self.assertIn("one two", got[0])

    def test_no_child_outlives_a_killed_master(self):
        daemon = self.daemon()
        tree = daemon.processes()
        self.assertIn("receiver", tree.values())
        daemon.process.send_signal(signal.SIGKILL)
        daemon.process.wait()
        for pid in tree:
            story.wait_for(f"{tree[pid]} {pid} to leave", lambda p=pid: not story.is_alive(p), 30)
        daemon.start()  # and the place can be used again at once
        story.wait_for("the control socket", lambda: daemon.ctl("status")[0] == 0)

    def test_one_daemon_in_one_place(self):
        daemon = self.daemon()
        second = daemon.run("postrider", "sendmail", "-bD", "-C", daemon.conf_path)
        self.assertNotEqual(second.returncode, 0)
        self.assertIn("another daemon runs in", second.stdout)
        with socket.socket(socket.AF_UNIX) as submit:
            submit.connect(os.path.join(daemon.top, "run", "submit.sock"))
            submit.settimeout(10)
            self.assertTrue(submit.recv(100).startswith(b"220"))

    @unittest.skipUnless(story.IS_ROOT, "needs other users")
    def test_a_queue_with_something_else_in_it_is_left_alone(self):
        daemon = self.daemon(start=False)
        group = os.path.join(daemon.top, "queue", "slow")
        os.makedirs(group, mode=0o700)
        files = [os.path.join(group, name) for name in ("qf6AKD2KgC025521", "notes")]
        for path in [group, os.path.dirname(group)]:
            os.chown(path, 0, 0)
            os.chmod(path, 0o700)
        for path in files:
            with open(path, "w") as out:
                out.write("x\n")
        self.assertIn("is not as it must be (mode 1770) and holds slow, so it is left alone", self.not_started(daemon))
        self.assertEqual({os.stat(path).st_uid for path in [group, *files]}, {0})
        os.unlink(files[1])
        daemon.start()
        self.assertNotIn(0, {os.stat(path).st_uid for path in [group, files[0]]})

    # -- tables that sendmail left to its own users -----------------------------

    def table(self, daemon, name, owner, group, mode):
        path = os.path.join(daemon.top, "etc", name)
        done = daemon.run("makemap", "-C", daemon.conf_path, "hash", path, text="far.example REJECT\n")
        self.assertEqual(done.returncode, 0, done.stdout)
        shutil.chown(path + ".db", owner, group)
        os.chmod(path + ".db", mode)
        return path

    def not_started(self, daemon, *arguments):
        daemon.write_conf()
        done = daemon.run("postrider", "-bD", "-C", daemon.conf_path, *arguments)
        self.assertEqual(done.returncode, 78, done.stdout)
        return done.stdout + daemon.log()

    @unittest.skipUnless(story.IS_ROOT, "needs other users")
    def test_tables_that_our_users_cannot_read(self):
        daemon = self.daemon(start=False, options={"AliasFile": []})
        daemon.write_conf()
        access = self.table(daemon, "access", PLAIN, "mail", 0o640)
        domains = self.table(daemon, "domains", PLAIN, "root", 0o640)
        open_one = self.table(daemon, "open", PLAIN, "root", 0o644)
        own = self.table(daemon, "own", "bin", "root", 0o600)  # the courier's alone: that may be meant
        daemon.settings["maps"] = {"access": {"module": "hash", "file": access}, "domains": {"module": "hash", "arguments": f"-o -T<TMPF> {domains}"},
                                   "open": {"module": "hash", "file": open_one}, "own": {"module": "hash", "file": own},
                                   "none": {"module": "hash", "file": access + "none", "optional": True}}
        says = (rf"map access: {access}\.db: Permission denied[;\n ]+\S*:\d+: map domains: {domains}\.db: Permission denied[;\n ]+"
                rf"users daemon and bin must be able to read such a table; say: adduser daemon mail; adduser bin mail; chgrp daemon {domains}\.db; chmod g\+r {domains}\.db")
        self.assertRegex(self.not_started(daemon), says)
        status, text = daemon.ctl("check")
        self.assertEqual(status, 78, text)
        self.assertRegex(text, says)
        # as it says, but for the groups of this machine, which are not ours to change
        for path in (access, domains):
            shutil.chown(path + ".db", None, "daemon")
            os.chmod(path + ".db", 0o640)
        self.assertEqual(daemon.ctl("check")[0], 0)
        daemon.start()
        # one that is closed later does not come in by a reload, and nothing is lost by it
        os.chmod(access + ".db", 0o600)
        status, text = daemon.ctl("reload")
        self.assertNotEqual(status, 0, text)
        self.assertRegex(text, rf"map access: {access}\.db: Permission denied")
        self.assertEqual(daemon.client().greeting[0], 220)
        # and what makemap builds anew keeps whom it belongs to
        shutil.chown(access + ".db", PLAIN, "daemon")
        os.chmod(access + ".db", 0o640)
        self.assertEqual(daemon.run("makemap", "-C", daemon.conf_path, "hash", access, text="far.example OK\n").returncode, 0)
        info = os.stat(access + ".db")
        self.assertEqual((info.st_uid, info.st_gid, info.st_mode & 0o777), (uid_of(PLAIN), pwd.getpwnam("daemon").pw_gid, 0o640))
        self.assertEqual(daemon.ctl("reload")[0], 0)

    @unittest.skipUnless(story.IS_ROOT, "needs other users")
    def test_a_folder_that_is_closed(self):
        daemon = self.daemon(start=False, options={"AliasFile": []})
        daemon.write_conf()
        folder = os.path.join(daemon.top, "closed")
        os.mkdir(folder, 0o700)
        path = os.path.join(folder, "list")
        with open(path, "w") as handle:
            handle.write("a b\n")
        daemon.settings["maps"] = {"list": {"module": "text", "file": path}}
        self.assertRegex(self.not_started(daemon), rf"map list: {path}: Permission denied[;\n ]+users daemon and bin .*say: chmod a\+x {folder}\b")
        os.chmod(folder, 0o711)
        daemon.start()


if __name__ == "__main__":
    story.main()
