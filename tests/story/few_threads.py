#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A courier that has fewer threads than it would like: none can be started, or all of them wait for a slow host.  New mail is heard of all the same,
seen in the queue and delivered in its turn.  And large bodies that go through a small journal, faster than it is emptied."""
import os
import re
import subprocess
import threading
import time
import unittest

import story


def send_many(daemon, count, text_of, connections=4):
    """How many got their 250."""
    numbers, accepted, lock = iter(range(count)), [], threading.Lock()

    def work():
        with daemon.client(timeout=60) as client:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                if client.message("a@example.net", [f"n{number}@far.example"], text_of(number))[0] == 250:
                    with lock:
                        accepted.append(number)

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return accepted


class FewThreads(story.Story):
    def status(self, daemon, word):
        return int(re.search(rf"\b{word}=(\d+)", daemon.ctl("status")[1]).group(1))

    def start(self, sink, **options):
        return self.daemon(rules={"smart_host": f"[127.0.0.1]:{sink.port}"}, options={"QueueInterval": "0", "MinQueueAge": "0", **options})

    @unittest.skipIf(os.environ.get("SANITIZED"), "a sanitizer starts threads of its own")
    def test_no_thread_can_be_started(self):
        sink = self.sink()
        daemon = self.start(sink)
        story.wait_for("the first worker", lambda: self.status(daemon, "idle") == 1, 20)
        for pid in [pid for pid, role in daemon.processes().items() if role == "courier"]:
            owner = os.stat(f"/proc/{pid}")
            if owner.st_uid == 0:
                self.skipTest("no limit for root")
            # who has its identity may do it, on every machine
            become = ["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"] if os.geteuid() == 0 else []
            subprocess.run([*become, "prlimit", f"--pid={pid}", "--nproc=1:1"], check=True)
        accepted = send_many(daemon, 30, lambda number: f"Subject: {number}\n\nnumber {number}\n")
        self.assertEqual(len(accepted), 30)
        sink.wait(30)
        self.assertEqual(self.status(daemon, "workers"), 1)
        self.assertEqual(self.status(daemon, "queued"), 0)

    def test_all_are_busy(self):
        def slow(verb, _):
            if verb == ".":
                time.sleep(0.2)
        sink = self.sink(slow)
        daemon = self.start(sink, CourierThreads=2)
        accepted = send_many(daemon, 20, lambda number: f"Subject: {number}\n\nnumber {number}\n")
        self.assertEqual(len(accepted), 20)
        # nobody but the first thread can hear of them now
        self.assertGreater(len(daemon.listed_ids()) + len(sink.messages), 17)
        self.assertGreater(len(daemon.listed_ids()), 5)
        sink.wait(20)
        story.wait_for("an empty queue", lambda: self.status(daemon, "queued") == 0, 20)
        self.assertEqual(sorted(recipients[0] for _, recipients, _ in sink.messages), sorted(f"n{number}@far.example" for number in range(20)))
        # and who is idle again hears of it himself
        daemon.send("a@example.net", ["late@far.example"], "Subject: late\n\nlate\n")
        sink.wait(21)

    def test_large_bodies(self):
        line = "x" * 900 + "\n"

        def text_of(number):
            return f"Subject: {number}\n\nnumber {number}\n" + line * (300 + 97 * number % 1700)
        sink = self.sink()
        daemon = self.daemon(store={"module": "spool", "journal_size": "8M"}, rules={"smart_host": f"[127.0.0.1]:{sink.port}"},
                             options={"QueueInterval": "0", "MinQueueAge": "0"})
        accepted = send_many(daemon, 60, text_of, connections=6)
        self.assertEqual(len(accepted), 60)
        sink.wait(60, 60)
        bodies = {int(re.match(r"n(\d+)@", recipients[0]).group(1)): text.partition("\n\n")[2] for _, recipients, text in sink.messages}
        self.assertEqual(len(sink.messages), 60)
        for number in range(60):
            self.assertEqual(bodies[number], text_of(number).partition("\n\n")[2], number)
        story.wait_for("an empty queue", lambda: self.status(daemon, "queued") == 0, 20)


if __name__ == "__main__":
    story.main()
