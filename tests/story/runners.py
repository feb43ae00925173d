#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""No more messages are in queue runs at once than MaxQueueChildren, MaxRunnersPerQueue and the runners of a queue group allow."""
import os
import threading
import time
import unittest

import story

LETTER = "Subject: s\n\nbody\n"


class Runners(story.Story):
    def setUp(self):
        super().setUp()
        self.now, self.most, self.lock = {}, {}, threading.Lock()

    def answer(self, verb, _text, name):
        """Each message takes a moment at its end; how many did at once?"""
        if verb != ".":
            return None
        with self.lock:
            for key in (name, "all"):
                self.now[key] = self.now.get(key, 0) + 1
                self.most[key] = max(self.most.get(key, 0), self.now[key])
        time.sleep(0.25)
        with self.lock:
            for key in (name, "all"):
                self.now[key] -= 1
        return None

    def run_with(self, options, groups=None, mailers=None, names=("one",)):
        """Eight messages for each name, held back for a run; the greatest number at once, by name and of all."""
        sinks = {name: self.sink(lambda verb, text, name=name: self.answer(verb, text, name)) for name in names}
        daemon = self.daemon(start=False, options={"DeliveryMode": "queue", "QueueInterval": "1h", **options}, queue_groups=groups or {},
                             mailers={name: {"module": "smtp", "flags": "mDFMuX", **(mailers or {}).get(name, {})} for name in names})
        table = "".join(f"{name}.example\t{name}:[127.0.0.1]:{sink.port}\n" for name, sink in sinks.items())
        for group in daemon.settings["queue_groups"].values():
            group["path"] = os.path.join(daemon.settings["options"]["QueueDirectory"], group["path"])
        daemon.settings["maps"]["mailertable"] = {"module": "text", "file": daemon.write("mailertable", table)}
        daemon.start()
        for name in names:
            for i in range(8):
                daemon.send("a@example.net", [f"u{i}@{name}.example"], LETTER)
        self.most.clear()
        self.assertEqual(daemon.ctl("queue-run")[0], 0)
        for sink in sinks.values():
            sink.wait(8)
        daemon.stop()
        return self.most

    def test_without_a_limit(self):
        self.assertGreater(self.run_with({})["all"], 2)

    def test_for_all(self):
        self.assertEqual(self.run_with({"MaxQueueChildren": 2})["all"], 2)

    def test_for_each_group(self):
        self.assertEqual(self.run_with({"MaxRunnersPerQueue": 1})["all"], 1)

    def test_of_one_group(self):
        """R= of a group counts for its own; MaxQueueChildren for all together."""
        most = self.run_with({"MaxRunnersPerQueue": 3, "MaxQueueChildren": 4}, {"slow": {"path": "slow", "runners": 1}}, {"two": {"queue_group": "slow"}}, ("one", "two"))
        self.assertEqual(most["two"], 1)
        self.assertLessEqual(most["one"], 3)
        self.assertLessEqual(most["all"], 4)
        self.assertGreater(most["all"], 1)


if __name__ == "__main__":
    story.main()
