#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A disk that is full when a delivery has ended: what became of each recipient is kept in memory, nobody gets a second copy, and it is written when there is room."""
import os
import subprocess
import time
import unittest

import story

LETTER = "Subject: once\n\nx\n"


def answer(verb, argument):
    if verb == "RCPT" and "tmp" in argument:
        return "451 4.2.1 busy"
    return "550 5.1.1 nobody" if verb == "RCPT" and "bad" in argument else None


@unittest.skipUnless(story.IS_ROOT, "mounting a small file system needs root")
class Unwritten(story.Story):
    def full(self):
        """A daemon that has mail in files, for a host that was not there, and no room for another file."""
        self.host = self.sink(answer=lambda *words: self.answer(*words))
        self.answer = lambda verb, argument: "451 4.3.0 not yet" if verb == "MAIL" else None
        self.pr = self.daemon(start=False, rules={"smart_host": f"[127.0.0.1]:{self.host.port}"}, options={
            "MinQueueAge": "1s", "MaxQueueAge": "1s", "QueueInterval": "1s", "MinFreeBlocks": 0, "Timeout": {"hoststatus": "1s"}})
        self.queue = os.path.join(self.pr.top, "queue")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80m,mode=700", "tmpfs", self.queue], check=True)
        self.pr.start()

    def make_room(self):
        if os.path.exists(os.path.join(self.queue, "filler")):
            os.unlink(os.path.join(self.queue, "filler"))

    def tearDown(self):
        """Before the scratch directory goes: a mounted one cannot."""
        self.make_room()
        if self.pr.process.poll() is None:
            self.pr.stop()
        subprocess.run(["umount", self.queue], check=True)
        super().tearDown()

    def trouble(self, *recipients):
        """In files, tried in vain; then the disk is full, and the host is there."""
        self.full()
        identifier = self.pr.send("ann@example.net", recipients, LETTER)
        story.wait_for("it lies in files", lambda: self.pr.queue_ids() == [identifier], 30)
        story.fill_disk(os.path.join(self.queue, "filler"))
        self.answer = answer
        self.pr.wait_log("cannot put back: .*kept in memory")
        return identifier

    def letters(self, sender="ann@example.net"):
        return [message for message in self.host.messages if message[0] == sender]

    def test_one_copy(self):
        identifier = self.trouble("okay@far.example", "tmp@far.example")
        time.sleep(6)  # another turn
        self.assertEqual([one[1] for one in self.letters()], [["okay@far.example"]])
        self.assertEqual(self.pr.log().count("cannot put back"), 1, self.pr.log())
        self.make_room()
        self.pr.wait_log("what became of it is written now")
        story.wait_for("one recipient is left", lambda: "okay@" not in self.pr.run("mailq", "-C", self.pr.conf_path).stdout)
        self.assertEqual(self.pr.queue_ids(), [identifier])
        self.answer = lambda *_: None
        story.wait_for("an empty queue", lambda: not self.pr.queue_ids(), 30)
        self.assertEqual([one[1] for one in self.letters()], [["okay@far.example"], ["tmp@far.example"]])

    def test_a_reload_waits_for_it(self):
        self.trouble("okay@far.example", "tmp@far.example")
        self.assertEqual(self.pr.ctl("reload")[0], 0, self.pr.log())
        time.sleep(6)
        self.assertEqual(len(self.letters()), 1)
        self.make_room()
        self.pr.wait_log("what became of it is written now")
        self.answer = lambda *_: None
        story.wait_for("an empty queue", lambda: not self.pr.queue_ids(), 30)
        self.assertEqual([one[1] for one in self.letters()], [["okay@far.example"], ["tmp@far.example"]])

    def test_a_stop_says_what_is_lost(self):
        """Nobody can write it and nobody is left who knows it: then it is said, and a second copy is better than none."""
        self.trouble("okay@far.example", "tmp@far.example")
        self.pr.ctl("stop")
        self.pr.process.wait(60)
        self.assertIn("what became of it could not be written; it will be delivered again", self.pr.log())
        self.make_room()
        self.answer = lambda *_: None
        self.pr.start()
        story.wait_for("an empty queue", lambda: not self.pr.queue_ids(), 30)
        self.assertEqual(sum(one[1].count("tmp@far.example") for one in self.letters()), 1)

    def test_one_bounce(self):
        """The bounce has its place in the journal; the message it is about has not."""
        self.trouble("bad@far.example", "tmp@far.example")
        time.sleep(6)
        self.make_room()
        self.pr.wait_log("what became of it is written now")
        self.answer = lambda *_: None
        story.wait_for("an empty queue", lambda: not self.pr.queue_ids(), 30)
        self.assertEqual(len(self.letters("")), 1, self.pr.log())


if __name__ == "__main__":
    story.main()
