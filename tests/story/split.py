#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Started as root, each process has only what it needs and each user gets what is his; started by an ordinary user, all works for him.

Two accounts, u1 and u2, exist only in a mount namespace of this test, on copies of /etc/passwd, /etc/group and /etc/shadow:
the machine is not changed.  Without root there is nothing to split and the whole story is skipped."""
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile

import story

IN_NAMESPACE = "STORY_SPLIT_NAMESPACE"
USERS = {"u1": 60101, "u2": 60102}
NOBODY = 65534
SKIPPED = 77
HOME = os.path.join(tempfile.gettempdir(), f"postrider-split-home.{os.getpid()}")  # the accounts' homes, while a test needs them
LETTER = "Subject: split\n\nhello\n"


def enter_namespace():
    """This program again, where mounts are its own."""
    if subprocess.run(["unshare", "-m", "--propagation", "private", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        print("no private mount namespace can be made here; skipped")
        sys.exit(SKIPPED)
    os.environ[IN_NAMESPACE] = "1"
    os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable, "-W", "ignore", *sys.argv])


def add_accounts():
    """Copies with two more lines, mounted over the originals; the files themselves are gone at once."""
    lines = {"/etc/passwd": "{0}:x:{1}:{1}::{2}/{0}:/bin/sh\n", "/etc/group": "{0}:x:{1}:\n", "/etc/shadow": "{0}:*:19000::::::\n"}
    with tempfile.TemporaryDirectory(prefix="postrider-split-") as folder:
        for path, line in lines.items():
            copy = os.path.join(folder, os.path.basename(path))
            shutil.copy2(path, copy)
            info = os.stat(path)
            os.chown(copy, info.st_uid, info.st_gid)
            with open(copy, "a") as handle:
                handle.writelines(line.format(name, uid, HOME) for name, uid in USERS.items())
            subprocess.run(["mount", "--bind", copy, path], check=True)


def status(pid, key):
    with open(f"/proc/{pid}/status") as handle:
        return re.search(rf"(?m)^{key}:[ \t]*(.*)$", handle.read()).group(1).split()


def modules_in(pid):
    with open(f"/proc/{pid}/maps") as handle:
        mapped = {line.split()[-1] for line in handle if line.rstrip().endswith(".so")}
    return sorted(os.path.basename(path) for path in mapped if path.startswith(story.BUILD))


class Split(story.Story):
    def box_daemon(self, kind="mbox", path="box/%u", **settings):
        self.box = path if path.startswith("~") else os.path.join(self.scratch, "pr", path)
        daemon = self.daemon(start=False, mailers={"local": {"module": "local", "format": kind, "path": self.box}}, **settings)
        os.chmod(os.path.join(daemon.top, "box"), 0o1777)
        daemon.write_conf()
        return daemon

    def role_pids(self, daemon):
        return {role: pid for pid, role in daemon.processes().items()}

    def as_user(self, name, *command, text=None, env=None):
        return subprocess.run(["setpriv", f"--reuid={name}", f"--regid={name}", "--clear-groups", "--", *command], input=text, text=True, timeout=60 * story.SLOW,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})

    def submit_as(self, name, daemon, *arguments, text=LETTER):
        libs = os.path.join(story.BUILD, ".libs")
        done = self.as_user(name, os.path.join(libs, "sendmail"), "-C", daemon.conf_path, *arguments, text=text,
                            env={"POSTRIDER_BIN": daemon.program, "LD_LIBRARY_PATH": libs})
        self.assertEqual(done.returncode, 0, done.stdout + daemon.log())

    def read(self, path):
        if not os.path.exists(path):
            return ""
        with open(path, encoding="latin-1") as handle:
            return handle.read()

    def wait_text(self, daemon, path, text):
        story.wait_for(lambda: f"{text!r} in {path}\n{daemon.log()}", lambda: text in self.read(path))
        return self.read(path)

    def drop_files(self, daemon):
        return [name for name in os.listdir(os.path.join(daemon.top, "drop")) if not name.startswith(".")]

    def test_each_process_has_only_what_it_needs(self):
        daemon = self.box_daemon().start()
        pids = self.role_pids(daemon)
        for role, user in (("receiver", "daemon"), ("courier", "bin")):
            account = pwd.getpwnam(user)
            self.assertEqual(status(pids[role], "Uid"), [str(account.pw_uid)] * 4)
            self.assertEqual(len(set(status(pids[role], "Gid"))), 1)
            self.assertNotIn("0", status(pids[role], "Gid") + status(pids[role], "Groups"))
            for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                self.assertEqual(int(status(pids[role], kind)[0], 16), 0, f"{role} {kind}")
            if not os.environ.get("SANITIZED"):  # files of a process that is not dumpable are root's
                self.assertEqual(os.stat(f"/proc/{pids[role]}/status").st_uid, 0, role)
        self.assertEqual(status(pids["master"], "Uid"), ["0"] * 4)

    def test_root_loads_no_module(self):
        daemon = self.box_daemon().start()
        pids = self.role_pids(daemon)
        daemon.send("a@example.net", ["u1@example.org"], LETTER)
        self.wait_text(daemon, self.box.replace("%u", "u1"), "hello")
        self.assertEqual(modules_in(pids["master"]), [])
        self.assertIn("spool.so", modules_in(pids["receiver"]))  # the test can see modules
        self.assertIn("local.so", modules_in(pids["courier"]))

    def test_mbox_of_another_user(self):
        daemon = self.box_daemon().start()
        daemon.send("a@example.net", ["u1@example.org", "root@example.org"], LETTER)
        for name, uid in (("u1", USERS["u1"]), ("root", 0)):
            path = self.box.replace("%u", name)
            self.wait_text(daemon, path, "hello")
            info = os.stat(path)
            self.assertEqual((info.st_uid, info.st_mode & 0o7777), (uid, 0o600), name)
        self.assertNotEqual(self.as_user("u2", "cat", self.box.replace("%u", "u1")).returncode, 0)

    def test_maildir_of_another_user(self):
        os.mkdir(HOME, 0o755)
        self.addCleanup(shutil.rmtree, HOME, True)
        for name, uid in USERS.items():
            os.mkdir(os.path.join(HOME, name), 0o700)
            os.chown(os.path.join(HOME, name), uid, uid)
        daemon = self.box_daemon("maildir", "~/Maildir").start()
        daemon.send("a@example.net", ["u1@example.org"], LETTER)
        folder = os.path.join(HOME, "u1", "Maildir")
        story.wait_for(lambda: "the letter\n" + daemon.log(), lambda: daemon.maildir(folder))
        for path in (folder, os.path.join(folder, "new"), os.path.join(folder, "new", os.listdir(os.path.join(folder, "new"))[0])):
            info = os.stat(path)
            self.assertEqual((info.st_uid, info.st_mode & 0o077), (USERS["u1"], 0), path)

    def test_the_alias_of_root_runs_as_default_user(self):
        daemon = self.box_daemon(options={"DefaultUser": "u2", "AliasFile": ["aliases"]})
        out = os.path.join(daemon.top, "box", "out")
        path = daemon.write("aliases", f'root: \\root, "|id >{out}; cat >>{out}"\n')
        daemon.settings["maps"]["aliases"] = {"module": "hash", "file": path}
        daemon.write_conf()
        self.assertEqual(daemon.run("newaliases", "-C", daemon.conf_path).returncode, 0)
        daemon.start()
        daemon.send("a@example.net", ["root@example.org"], LETTER)
        text = self.wait_text(daemon, out, "hello")
        self.assertRegex(text, r"^uid=%d\(u2\) gid=%d\(u2\) groups=%d\(u2\)\n" % ((USERS["u2"],) * 3))
        self.wait_text(daemon, self.box.replace("%u", "root"), "hello")
        self.assertEqual(os.stat(self.box.replace("%u", "root")).st_uid, 0)

    def check_identity(self, letter):
        self.assertRegex(letter, r"(?m)^X-Authentication-Warning: mail\.example\.org: u1 set sender to ann@example\.net using -f$")
        self.assertRegex(letter, r"(?m)^Received: \(from u1@localhost\)$")
        self.assertTrue(letter.startswith("From ann@example.net "), letter)

    def test_submission_says_who(self):
        daemon = self.box_daemon()
        box = self.box.replace("%u", "u2")
        daemon.start()
        self.submit_as("u1", daemon, "-f", "ann@example.net", "u2")
        self.check_identity(self.wait_text(daemon, box, "hello"))
        self.submit_as("u1", daemon, "u2", text="Subject: mine\n\nas myself\n")
        letter = self.wait_text(daemon, box, "as myself").split("\n\nhello\n")[1]
        self.assertNotIn("X-Authentication-Warning", letter)
        self.assertRegex(letter, r"(?m)^From u1@mail\.example\.org ")

    def test_the_drop_directory_says_who(self):
        daemon = self.box_daemon()
        box = self.box.replace("%u", "u2")
        drop = os.path.join(daemon.top, "drop")
        daemon.start()
        daemon.stop()  # the master has made the directories as they must be
        self.assertEqual((os.stat(drop).st_uid, os.stat(drop).st_mode & 0o7777), (0, 0o1733))
        self.submit_as("u1", daemon, "-f", "ann@example.net", "u2")
        waiting = self.drop_files(daemon)
        self.assertEqual(len(waiting), 1)
        path = os.path.join(drop, waiting[0])
        self.assertEqual(os.stat(path).st_uid, USERS["u1"])
        for command in (["cat", path], ["rm", "-f", path], ["mv", path, path + "2"], ["ls", drop], ["sh", "-c", f"echo x >>{path}"],
                        ["ln", path, os.path.join(drop, "other")]):
            self.assertNotEqual(self.as_user("u2", *command).returncode, 0, command)
        self.assertEqual(self.drop_files(daemon), waiting)
        self.assertEqual(self.read(box), "")
        daemon.start()
        self.check_identity(self.wait_text(daemon, box, "hello"))
        story.wait_for("the drop file to go", lambda: self.drop_files(daemon) == [])

    def test_a_drop_file_of_u2_is_u2s_whatever_it_says(self):
        daemon = self.box_daemon()
        daemon.start()
        box, drop = self.box.replace("%u", "u1"), os.path.join(daemon.top, "drop")
        text = "MAIL FROM:<root@mail.example.org>\nRCPT TO:<u1>\nDATA\nSubject: x\n\nfrom the boss\n.\n"
        done = self.as_user("u2", "sh", "-c", f"cat >{drop}/.a && mv {drop}/.a {drop}/a", text=text)
        self.assertEqual(done.returncode, 0, done.stdout)
        letter = self.wait_text(daemon, box, "from the boss")
        self.assertRegex(letter, r"(?m)^X-Authentication-Warning: mail\.example\.org: u2 set sender to root@mail\.example\.org using -f$")
        self.assertIn("u2@localhost", letter)

    def test_wholly_as_an_ordinary_user(self):
        daemon = self.box_daemon("maildir", users=None)
        wrapper = os.path.join(daemon.top, "postrider")
        with open(wrapper, "w") as handle:
            handle.write(f"#!/bin/sh\nexec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups {daemon.program} \"$@\"\n")
        os.chmod(wrapper, 0o755)
        for folder, _, names in os.walk(daemon.top):
            for name in ["", *names]:
                os.chown(os.path.join(folder, name), NOBODY, NOBODY)
        daemon.program = wrapper
        daemon.start()
        pids = daemon.processes()
        self.assertEqual({tuple(status(pid, "Uid")) for pid in pids}, {(str(NOBODY),) * 4}, pids)
        self.assertEqual({int(status(pid, "CapEff")[0], 16) for pid in pids}, {0})
        daemon.send("a@example.net", ["nobody@example.org"], LETTER)
        box = self.box.replace("%u", "nobody")
        story.wait_for(lambda: "the letter\n" + daemon.log(), lambda: daemon.maildir(box))
        name = os.listdir(os.path.join(box, "new"))[0]
        self.assertEqual(os.stat(os.path.join(box, "new", name)).st_uid, NOBODY)
        daemon.send("a@example.net", ["u1@example.org"], LETTER)  # every user is this one: nobody is become, nothing is given away
        other = self.box.replace("%u", "u1")
        story.wait_for(lambda: "the second letter\n" + daemon.log(), lambda: daemon.maildir(other))
        self.assertEqual(os.stat(other).st_uid, NOBODY)
        daemon.stop()


    def test_a_long_header_for_many(self):
        """The header is printed for each hundred of them; what that takes is given back before the next."""
        sink = self.sink()
        daemon = self.daemon(options={"MaxRecipientsPerMessage": 0, "MaxHeadersLength": 0}, rules={"smart_host": f"[127.0.0.1]:{sink.port}"})
        people = [f"person{number}@far.example" for number in range(100000)]
        text = "To: " + ",\n\t".join(people) + "\nSubject: s\n\nbody\n"
        daemon.send("a@example.net", people[:2400], text)
        story.wait_for(lambda: f"all recipients, there are {sum(len(r) for _, r, _ in sink.messages)}\n{daemon.log()[-2000:]}",
                       lambda: sum(len(recipients) for _, recipients, _ in sink.messages) == 2400, 60)
        self.assertEqual(sorted(r for _, recipients, _ in sink.messages for r in recipients), sorted(people[:2400]))


if __name__ == "__main__":
    if not story.IS_ROOT:
        print("not root; skipped")
        sys.exit(SKIPPED)
    if os.environ.get(IN_NAMESPACE) != "1":
        enter_namespace()
    add_accounts()
    story.main()
