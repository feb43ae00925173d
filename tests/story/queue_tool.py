#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The operator finds, holds, releases, deletes and retries mail with postriderctl queue, and what he touched stays the daemon's."""
import fcntl
import json
import os
import re
import shutil
import subprocess
import time
import unittest

import story

STRANGER = 65534


class QueueTool(story.Story):
    def setUp(self):
        super().setUp()
        self.sink_up = False
        self.next = self.sink(lambda verb, _: "451 4.3.2 later" if verb == "RCPT" and not self.sink_up else None)

    def stage(self, **settings):
        """What is sent by fish@ is quarantined, far.example is a host that is not ready yet."""
        box = os.path.join(self.scratch, "pr", "box", "%u")
        self.pr = self.daemon(start=False, filters=[{"module": "debug", "name": "fish", "quiet": True, "at": "message", "match": "<fish@",
                                                     "action": "quarantine", "text": "smells of fish"}],
                              mailers={"local": {"module": "local", "format": "maildir", "path": box}},
                              rules={"smart_host": f"[127.0.0.1]:{self.next.port}"}, **settings)
        os.chmod(os.path.join(self.pr.top, "box"), 0o1777)
        self.box = box.replace("%u", story.ME)
        self.to = story.ME + "@example.org"
        return self.pr.start()

    def queue(self, *words, expect=0):
        status, text = self.pr.ctl("queue", *words)
        self.assertEqual(status, expect, f"{words}: {text}\n{self.pr.log()[-2000:]}")
        return text

    def rows(self, *terms):
        return {row["id"]: row for row in map(json.loads, self.queue("list", "--json", *terms).splitlines())}

    def fish(self, subject="fish"):
        return self.pr.send("fish@example.net", [self.to], f"Subject: {subject}\n\nbody\n")

    def far(self, *names, sender="a@example.net"):
        """A letter that waits because its next host is not ready."""
        one = self.pr.send(sender, [f"{name}@far.example" for name in names or ("ann",)], "Subject: far\n\nbody\n")
        story.wait_for(lambda: "a first try\n" + self.pr.log(), lambda: self.rows("id=" + one, "state=ready").get(one, {}).get("tries"))
        return one

    def files(self):
        found = {}
        for folder, _, names in os.walk(os.path.join(self.pr.top, "queue")):
            for name in names:
                if name[1:2] == "f":
                    info = os.stat(os.path.join(folder, name))
                    found[name] = (info.st_uid, info.st_gid, info.st_mode & 0o7777)
        return found

    def owners(self):
        return {name.replace("hf", "qf"): value[:2] for name, value in self.files().items()}

    def letters(self, count):
        return story.wait_for(lambda: f"{count} letters\n" + self.pr.log(), lambda: len(self.pr.maildir(self.box)) >= count and self.pr.maildir(self.box))

    def wait_gone(self):
        story.wait_for(lambda: f"an empty queue, there is {self.pr.queue_ids()}\n" + self.pr.log(), lambda: self.pr.queue_ids() == [])

    def test_release_is_delivery(self):
        self.stage()
        one = self.fish()
        line = self.queue("list", "state=quarantined")
        self.assertRegex(line, rf"^{one} +quarantined +5 +\ds +0  <fish@example\.net> <{re.escape(self.to)}> smells of fish\n$")
        row = self.rows()[one]
        self.assertEqual((row["state"], row["sender"], row["recipients"], row["reason"], row["size"]),
                         ("quarantined", "fish@example.net", [{"address": self.to, "status": ""}], "smells of fish", 5))
        shown = self.queue("show", one)
        for expected in (rf"(?m)^id +{one}$", r"(?m)^reason +smells of fish$", r"(?m)^recipient +<", r"(?m)^Subject: fish$", r"(?m)^last try +never$"):
            self.assertRegex(shown, expected)
        self.assertEqual(self.queue("release", one), f"{one} released\n")
        self.assertIn("Subject: fish", self.letters(1)[0])
        self.wait_gone()
        self.assertEqual(self.queue("list"), "")

    def test_hold_and_delete(self):
        self.stage()
        one, two = self.far("ann"), self.far("bob", "carl", sender="b@example.net")
        self.assertEqual(self.queue("hold", one), f"{one} held\n")
        self.assertEqual(self.queue("hold", "--reason", "ask the boss", "recipient=CARL@"), f"{two} held\n")
        self.assertEqual({key: (row["state"], row["tries"]) for key, row in self.rows().items()}, {one: ("held", 1), two: ("quarantined", 1)})
        self.assertIn("<bob@far.example>(+1) ask the boss\n", self.queue("list", "sender=<B@"))
        self.assertIn("held already", self.queue("hold", two, expect=70))
        self.assertEqual(self.rows()[two]["reason"], "ask the boss")
        self.sink_up = True
        self.assertEqual(self.pr.ctl("queue-run")[0], 0)
        time.sleep(0.5)
        self.assertEqual((self.next.messages, len(self.rows())), ([], 2))
        self.assertEqual(self.queue("delete", one), f"{one} deleted\n")
        self.assertEqual([name for name in self.files() if one in name], [])
        self.assertEqual(self.queue("release", "state=quarantined", "id=" + two.lower()), f"{two} released\n")
        self.assertEqual([got[1] for got in self.next.wait(1)], [["bob@far.example", "carl@far.example"]])
        self.wait_gone()

    def test_the_daemon_forgets_what_was_deleted(self):
        """At once, with what its courier counts; not with the second of two scans."""
        self.stage(options={"MinQueueAge": "1h", "QueueInterval": "1h"})
        one, two = self.far(), self.far(sender="")
        mailq = lambda: self.pr.run("mailq", "-C", self.pr.conf_path).stdout
        story.wait_for(lambda: "two messages\n" + mailq(), lambda: one in mailq() and two in mailq())
        for words, gone, left in (((one,), one, 1), (("sender=<>",), two, 0)):
            self.assertEqual(self.queue("delete", *words), f"{gone} deleted\n")
            story.wait_for(lambda: f"{gone} to be forgotten\n{mailq()}", lambda: gone not in mailq(), 5 * story.SLOW)
            story.wait_for(lambda: f"queued={left}\n{self.pr.ctl('status')}", lambda: f" queued={left} " in self.pr.ctl("status")[1], 5 * story.SLOW)
        self.assertIn("is empty", mailq())

    def test_requeue_is_now(self):
        self.stage(options={"MinQueueAge": "1h", "QueueInterval": "1h"})
        one = self.far()
        self.assertIn("451 4.3.2 later", self.rows()[one]["reason"] + self.rows()[one]["recipients"][0]["status"])
        self.sink_up = True
        self.assertEqual(self.queue("requeue", one), f"{one} requeued\n")
        self.next.wait(1)
        self.wait_gone()

    def test_terms_choose(self):
        self.stage()
        one, two = self.fish("one"), self.far()
        time.sleep(1.1)
        for terms, expected in (((), {one, two}), (("state=ready",), {two}), (("state=Ready",), {two}), (("older=1d",), set()), (("older=0s",), {one, two}),
                                (("sender=@EXAMPLE.net",), {one, two}), (("sender=fish", "recipient=far"), set()), (("recipient=far",), {two}),
                                (("id=" + one[3:],), {one}), (("state=quarantined", "sender=Fish", "recipient=" + story.ME, "id=" + one.lower()), {one})):
            self.assertEqual(set(self.rows(*terms)), expected, terms)
        for wrong in ("STATE=ready", "state=frozen", "older=5", "older=soon", "sender=", "--xml", one):
            self.queue("list", wrong, expect=64)
        for verb in ("hold", "release", "delete", "requeue", "show"):
            self.assertIn("which messages?", self.queue(verb, expect=64))
        self.queue("delete", one, "state=ready", expect=64)
        self.assertIn("there is no verb frobnicate\n", self.queue("frobnicate", expect=64))
        self.assertIn('"nonsense" is no term', self.queue("list", "nonsense", expect=64))
        self.assertIn('"--xml" is no option', self.queue("list", "--xml", expect=64))
        self.assertEqual(self.queue("delete", "older=1d"), "no message matches\n")
        self.assertEqual(self.queue("release", "sender=@"), f"{one} released\n")  # the one that waits is not held: not meant
        self.letters(1)
        self.assertEqual(self.queue("delete", "recipient=@far.example"), f"{two} deleted\n")
        self.wait_gone()

    def test_more_terms(self):
        self.stage()
        one, two = self.fish("one"), self.far("ann", "bob")
        three = self.pr.send("a@example.net", ["carl@sub.far.example"], "Subject: s\n\n" + "x" * 70 * 30 + "\n")
        story.wait_for("a first try", lambda: self.rows("id=" + three, "state=ready").get(three, {}).get("tries"))
        for terms, expected in ((("domain=FAR.example",), {two}), (("domain=sub.far.example",), {three}), (("domain=example",), set()),
                                (("larger=2K",), {three}), (("larger=0", "smaller=10"), {one, two}), (("smaller=5",), set()), (("newer=1d",), {one, two, three}),
                                (("newer=0s", "older=1d"), set()), (("reason=FISH",), {one}), (("reason=4.3.2 later",), {two, three}),
                                (("queue=nosuch",), set())):
            self.assertEqual(set(self.rows(*terms)), expected, terms)
        for wrong in ("larger=", "larger=x", "larger=-1", "larger=99999999999999999G", "smaller=1T", "newer=5"):
            self.assertIn(wrong.split("=")[0] + "= wants", self.queue("list", wrong, expect=64))
        self.assertEqual(self.queue("quarantine", "--reason", "look twice", "domain=far.example"), f"{two} quarantined\n")
        self.assertEqual((self.rows()[two]["state"], self.rows()[two]["reason"]), ("quarantined", "look twice"))
        self.assertEqual(self.queue("quarantine", three), f"{three} quarantined\n")
        self.assertEqual(self.rows()[three]["reason"], "by the operator")

    def test_edit(self):
        self.stage()
        one = self.far("ann", "bob")
        self.assertIn("change what?", self.queue("edit", one, expect=64))
        for wrong in ("", "a b@c.example", "a>@c.example", "a@c\n.example"):
            self.queue("edit", "--add", wrong, one, expect=64)
        if self.pr.ctl("queue", "edit", "--sender", "a@example.net", one)[1] == f"{one}: the store does not offer edit\n":
            self.skipTest("the store has no edit")
        self.assertEqual(self.queue("edit", "--sender", "new@example.org", "--remove", "ann@far.example", "--add", "<carl@far.example>", one), f"{one} changed\n")
        row = self.rows()[one]
        self.assertEqual((row["sender"], sorted(to["address"] for to in row["recipients"])), ("new@example.org", ["bob@far.example", "carl@far.example"]))
        before = self.rows()
        self.assertEqual(self.queue("edit", "--remove", "nobody@far.example", one, expect=70).replace("<", "").replace(">", ""),
                         f"{one}: nobody@far.example is no recipient that still waits; `postriderctl queue show` names them\n")
        self.assertEqual(self.rows(), before)

    def test_handback(self):
        self.stage()
        one = self.far()
        self.assertIn("a daemon works on this queue", self.pr.ctl("handback")[1])
        self.pr.kill()
        answers = []
        # the roles notice a moment later that their master has gone, and hold the queue until then
        story.wait_for(lambda: f"the queue to be handed back\n{answers[-1:]}", lambda: answers.append(self.pr.ctl("handback")) or answers[-1][0] == 0)
        text = answers[-1][1]
        self.assertRegex(text, r"nothing to hand back|: 1 message, each in files that sendmail reads")
        self.assertIn("qf" + one, self.files())
        self.assertIn("df" + one, self.files())

    @unittest.skipUnless(story.IS_ROOT, "whose files they are matters to root alone")
    def test_a_handback_that_is_cut_off(self):
        """What root's tool has made belongs to the owner of the queue, who goes on with it; what an older one has left is given to him at the start."""
        self.stage()
        accepted = {self.far() for _ in range(3)}
        self.pr.kill()
        journal = os.path.join(self.pr.top, "queue", "journal")
        owner = os.stat(journal).st_uid
        story.wait_for("the queue to be handed back", lambda: self.pr.ctl("handback")[0] == 0)
        files = [os.path.join(journal, name) for name in os.listdir(journal)]
        self.assertNotEqual(owner, 0)
        self.assertEqual({os.stat(path).st_uid for path in files if path.endswith(".done")}, {owner})
        for path in files:
            os.chown(path, 0, 0)
        self.pr.start()
        self.assertNotIn(0, {os.stat(os.path.join(journal, name)).st_uid for name in os.listdir(journal)})
        story.wait_for("all of them to be listed", lambda: accepted <= set(self.pr.listed_ids()))
        self.assertEqual(self.pr.ctl("stop")[0], 0)

    def test_errors_name_the_id_and_say_what_to_do(self):
        self.stage()
        one, two = self.far(), self.fish()
        for verb in ("show", "hold", "release", "delete", "requeue"):
            for wrong in ("6AKCWE2x026116", "../qf" + one, "x" * 5000):
                self.assertTrue(self.queue(verb, wrong, expect=66).startswith(wrong + ": not in the queue; "), verb)
        self.assertEqual(self.queue("release", one, two, expect=70), f"{one}: it is ready, not held: there is nothing to release\n{two} released\n")
        self.letters(1)
        with open([os.path.join(folder, name) for folder, _, names in os.walk(self.pr.top) for name in names if name == "qf" + one][0], "r+b") as control:
            fcntl.flock(control, fcntl.LOCK_EX)
            self.assertEqual(self.rows()[one]["state"], "claimed")
            for verb in ("hold", "delete", "requeue"):
                self.assertEqual(self.queue(verb, one, expect=75), f"{one}: {one} is being delivered right now; try again in a moment\n")
        path = control.name
        os.rename(path, path.replace("qf" + one, "Qf" + one))
        self.assertEqual(self.rows()[one]["state"], "lost")
        self.assertIn("unreadable", self.queue("requeue", one, expect=70))
        self.assertEqual(self.queue("delete", "state=lost"), f"{one} deleted\n")
        self.wait_gone()

    def test_what_is_in_a_letter_commands_no_terminal(self):
        self.stage()
        self.pr.send("fish@example.net", [self.to], "Subject: \x1b[2Jx\n\t\x9b\"\\\n\nbody\n")
        one = self.pr.queue_ids()[0]
        self.assertEqual(self.queue("hold", one, "--reason", "caf\u00e9 \"a\\b"), f"{one} held\n")
        for text in (self.queue("show", one), self.queue("list")):
            self.assertIsNone(re.search("[^\\n\\t -~]", text), text)
        self.assertEqual(self.rows()[one]["reason"], "caf\u00e9 \"a\\b")
        self.queue("hold", one, "--reason", "two\nlines", expect=64)
        self.queue("hold", one, "--reason", expect=64)

    def test_without_a_daemon(self):
        self.stage()
        one = self.fish()
        self.pr.stop()
        text = self.queue("release", one)
        self.assertIn(f"{one} released\n", text)
        self.assertIn("the daemon could not be told", text)
        self.pr.start()
        self.letters(1)

    def test_progress(self):
        """Long work says how far it is when it is asked to, and to nobody else."""
        self.stage()
        one = self.fish()
        self.pr.stop()
        self.multiply(one, 1200)
        self.assertNotIn("looked at", self.queue("list", "--json"))
        self.assertEqual(re.findall(r"(?m)^\d+ messages looked at$", self.queue("list", "--json", "--progress")), ["1000 messages looked at"])
        # standard output and error are one pipe here, and cut each other's lines
        self.assertEqual(self.queue("delete", "--progress", "state=quarantined").count("1000 messages deleted\n"), 1)
        self.assertEqual(self.rows(), {})

    def multiply(self, one, count):
        """The letter under other ids."""
        queue = os.path.join(self.pr.top, "queue")
        names = [name for name in os.listdir(queue) if name[2:] == one]
        for number in range(1, count):
            for name in names:
                shutil.copy(os.path.join(queue, name), os.path.join(queue, f"{name[:2]}{one[:8]}{number:06d}"))

    @unittest.skipUnless(story.IS_ROOT, "needs root")
    def test_the_files_stay_the_daemons(self):
        self.stage()
        queue = os.path.join(self.pr.top, "queue")
        one, two = self.far(), self.fish()
        before = self.files()
        self.assertNotIn(0, [number for value in before.values() for number in value[:2]])
        waiting = self.owners()
        for words in (("hold", one), ("requeue", one), ("hold", "--reason", "x", two), ("requeue", two)):
            self.queue(*words)
            self.assertEqual(self.owners(), waiting, words)
            touched = [value[2] for name, value in self.files().items() if name in ("qf" + words[-1], "hf" + words[-1])]
            self.assertEqual(touched, [0o640], words)  # the daemon's other user reads it and changes nothing
        self.sink_up = True
        self.queue("release", one, two)
        self.next.wait(1)
        self.letters(1)
        self.wait_gone()
        self.pr.stop()
        os.unlink(os.path.join(queue, ".id"))  # root's tool comes first, the daemon's users must still get their ids
        self.queue("delete", one, expect=66)
        self.assertNotIn(0, (os.stat(os.path.join(queue, ".id")).st_uid, os.stat(os.path.join(queue, ".id")).st_gid))
        self.pr.start()
        self.pr.send("a@example.net", [self.to], "Subject: x\n\nx\n")
        self.letters(2)

    @unittest.skipUnless(story.IS_ROOT, "needs root")
    def test_the_mode_of_another_program_stays(self):
        self.stage()
        one = self.far()
        path = [os.path.join(folder, name) for folder, _, names in os.walk(self.pr.top) for name in names if name == "qf" + one][0]
        os.chmod(path, 0o600)  # as sendmail's TempFileMode
        before = self.files()["qf" + one]
        self.queue("requeue", one)
        self.assertEqual(self.files()["qf" + one], before)
        story.wait_for(lambda: "another try\n" + self.pr.log(), lambda: self.pr.log().count("stat=Deferred") > 1 and self.rows("state=ready").get(one, {}).get("tries"))
        self.assertEqual(self.files()["qf" + one], before)  # the courier rewrote it

    @unittest.skipUnless(story.IS_ROOT, "needs root")
    def test_another_user_is_refused(self):
        self.stage()
        one = self.fish()
        libs = os.path.join(story.BUILD, ".libs")
        program = os.path.join(libs, "postrider")
        for words in (["list"], ["show", one], ["release", one], ["delete", one]):
            done = subprocess.run(["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups", "--", program, "postriderctl", "-C", self.pr.conf_path, "queue", *words],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, env={**os.environ, "LD_LIBRARY_PATH": libs})
            self.assertEqual((done.returncode, done.stdout),
                             (77, f"You are not permitted to work on the queue {self.pr.top}/queue: only root and its owner are\n"), words)
        self.assertEqual(self.pr.queue_ids(), [one])
        owner = os.stat(os.path.join(self.pr.top, "queue"))
        done = subprocess.run(["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups", "--", program, "postriderctl", "-C", self.pr.conf_path, "queue", "hold", "--reason", "mine", one],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, env={**os.environ, "LD_LIBRARY_PATH": libs})
        self.assertEqual((done.returncode, done.stdout), (0, f"{one} held\n"))
        self.queue("release", one)
        self.letters(1)

    @unittest.skipUnless(story.IS_ROOT, "needs sendmail's own queue, which is root's")
    def test_a_queue_of_sendmails_that_root_has_worked_on(self):
        """What root's tools leave in it before the daemon first takes it becomes the queue owner's with the rest."""
        daemon = self.stage()
        daemon.stop()
        shutil.rmtree(os.path.join(daemon.top, "queue"))
        os.mkdir(os.path.join(daemon.top, "queue"), 0o700)
        for number in range(2):
            name = os.path.join(daemon.top, "queue", "%sf6AKD2Kg" + f"C02552{number}")
            for kind, text in (("q", f"V8\nT1700000000\nK0\nN0\nP30000\nSa@example.net\nRPFD:{self.to}\nH??Subject: {number}\n.\n"), ("d", "body\n")):
                with open(name % kind, "w") as file:
                    file.write(text)
                os.chmod(name % kind, 0o600)
        self.assertEqual(self.queue("hold", "6AKD2KgC025521"), "6AKD2KgC025521 held\n")
        self.assertEqual(daemon.run("sendmail", "-C", daemon.conf_path, "-Qwhy", "-qI6AKD2KgC025521").returncode, 0)
        daemon.start()
        story.wait_for(lambda: "the free one\n" + daemon.log()[-2000:], lambda: len(daemon.maildir(self.box)) == 1)
        self.queue("release", "6AKD2KgC025521")
        story.wait_for(lambda: "the held one\n" + daemon.log()[-2000:], lambda: len(daemon.maildir(self.box)) == 2)
        daemon.send("a@example.net", [self.to], "Subject: new\n\nx\n")
        story.wait_for("a new one", lambda: len(daemon.maildir(self.box)) == 3)


if __name__ == "__main__":
    story.main()
