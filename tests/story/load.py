#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Above QueueLA mail is only queued, by its priority: mailq marks it with X, a run tells that it skips it, and when the load is down it goes."""
import os
import re

import story

LETTER = "Subject: s\n\nbody\n"


class Load(story.Story):
    def stage(self, **options):
        self.next = self.sink()
        self.file = os.path.join(self.scratch, "loadavg")
        self.set_load("0.10")
        os.chmod(self.scratch, 0o755)
        self.pr = self.daemon(options={"QueueLA": 8, "QueueFactor": 100000, "LoadAverageFile": self.file, "MinQueueAge": "0", "QueueInterval": "1h", **options},
                              rules={"smart_host": f"[127.0.0.1]:{self.next.port}"})

    def set_load(self, load):
        story.write_load(self.file, load)

    def send(self, *recipients, header=""):
        return self.pr.send("a@example.net", recipients, header + LETTER)

    def marks(self, *words):
        text = self.pr.run("mailq", "-C", self.pr.conf_path, *words).stdout
        return dict(re.findall(r"(?m)^([0-9A-Za-z]{14})([-*X? ]) *\d+ ", text))

    def when_noticed(self, load, one_more):
        """The daemon looks once a second, at least whenever it wakes."""
        self.set_load(load)
        queued = []
        def is_noticed():
            queued.append(one_more())
            self.pr.wait_log(queued[-1] + ": (stat=queued: load average too high|to=.*stat=Sent)")
            return queued[-1] + ": stat=queued" in self.pr.log()
        story.wait_for("the load to be noticed", is_noticed)
        return queued[-1]

    def test_refused_above_refuse_la(self):
        self.stage(QueueLA=0, RefuseLA=12)
        self.set_load("11.60")
        story.wait_for("a refusal", lambda: self.pr.client(helo=None).greeting[1] ==
                       "421 4.3.2 mail.example.org Load average too high; connection rejected")
        for _ in range(50):
            self.assertEqual(self.pr.client(helo=None).greeting[0], 421)
        self.assertEqual(len(re.findall("rejecting connections on daemon MTA: load average: 12", self.pr.log())), 1)
        # the programs of this machine are not sent away
        self.assertEqual(self.pr.run("sendmail", "-C", self.pr.conf_path, "local@far.example", text=LETTER).returncode, 0)
        self.next.wait(1)
        self.set_load("11.40")
        story.wait_for("to be let in", lambda: self.pr.client(helo=None).greeting[0] == 220)
        self.assertRegex(self.pr.log(), r"accepting connections again for daemon MTA; \d+ were rejected")
        self.pr.wait_log(self.send("low@far.example") + ": to=.*stat=Sent")

    def test_queued_by_priority(self):
        self.stage()
        self.pr.wait_log(self.send("low@far.example") + ": to=.*stat=Sent")
        # 100000 / (10.5 rounded - 8 + 1) = 25000: even one recipient is too much
        one = self.when_noticed("10.50", lambda: self.send("one@far.example"))
        special = self.send("special@far.example", header="Precedence: special-delivery\n")
        self.pr.wait_log(special + ": to=.*stat=Sent")
        self.assertEqual(self.marks(), {one: "X"})
        self.assertEqual(self.marks("-OQueueFactor=1000000"), {one: " "})
        self.assertEqual(self.marks("-OQueueLA=0"), {one: " "})
        # 100000 / (9 - 8 + 1) = 50000: one recipient goes, two wait
        self.set_load("9.00")
        self.assertEqual(self.marks(), {one: " "})
        two = self.when_noticed("9.00", lambda: self.send("b@far.example", "c@far.example"))
        self.assertEqual(self.marks()[two], "X")
        count = len(self.next.messages)
        self.assertEqual(self.pr.ctl("queue-run")[0], 0)
        self.next.wait(count + 1)
        story.wait_for("the one to be gone", lambda: one not in self.marks())
        self.assertIn(two, self.marks())
        self.set_load("0.20")
        self.assertEqual(self.pr.ctl("queue-run")[0], 0)
        story.wait_for("an empty queue", lambda: self.marks() == {})

    def test_runs_are_skipped_in_sight(self):
        self.stage(DeliveryMode="queue")
        one, two = self.send("one@far.example"), self.send("b@far.example", "c@far.example")
        run = lambda *words: self.pr.run("sendmail", "-C", self.pr.conf_path, "-q", *words).stdout
        self.set_load("30.00")
        self.assertEqual(run("-v"), "Skipping queue run -- load average too high\n\n")
        self.assertEqual(run(), "")
        self.pr.wait_log("runqueue: Skipping queue run -- load average too high")
        self.assertEqual(self.pr.stop(), 0)  # until now both were in the journal of the daemon
        self.set_load("9.00")
        text = run("-v")
        self.assertIn(f"/{one} (sequence 1 of 2)\n<one@far.example>... Connecting", text)
        self.assertIn(f"\nSkipping {self.pr.top}/queue/{two} (sequence 2 of 2)\n", text)
        self.assertEqual([recipients for _, recipients, _ in self.next.messages], [["one@far.example"]])


if __name__ == "__main__":
    story.main()
