#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The memory store in a real daemon: with --single its mail is delivered, and without nothing is ever promised."""
import os

import story

LETTER = "Subject: hi\n\nhello\n"


class Single(story.Story):
    def test_delivered_in_one_process(self):
        sink = self.sink()
        daemon = self.daemon(start=False, store={"module": "memory"}, rules={"smart_host": f"relay:[127.0.0.1]:{sink.port}"},
                             mailers={"relay": {"module": "smtp", "loop_check": False}})
        daemon.program = daemon.write("single", f"#!/bin/sh\nexec {story.PROGRAM} --single \"$@\"\n")
        os.chmod(daemon.program, 0o755)
        daemon.start()
        with daemon.client() as client:
            for i in range(50):
                self.assertEqual(client.message("a@example.net", [f"x{i}@example.com"], LETTER)[0], 250)
        sink.wait(50)
        self.assertEqual(sorted(m[1][0] for m in sink.messages), sorted(f"x{i}@example.com" for i in range(50)))
        self.assertEqual(daemon.queue_ids(), [])  # nothing of it was a file

    def test_refused_in_several(self):
        daemon = self.daemon(store={"module": "memory"})
        with daemon.client() as client:
            code, text = client.message("a@example.net", [story.ME + "@example.org"], LETTER)
        self.assertEqual(code, 452, text)
        daemon.wait_log("store memory needs --single")


if __name__ == "__main__":
    story.main()
