#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each listener has the limits, filters and delivery mode that DaemonPortOptions or its group gives it, and the others keep theirs."""
import re
import subprocess
import time

import story


class Listeners(story.Story):
    def stage(self, options=None, filters=None, **own):
        self.own = story.free_port()
        self.hop = self.sink()
        self.pr = self.daemon(start=False, options={"LogLevel": 14, **(options or {})})
        self.pr.settings["rules"]["smart_host"] = f"[127.0.0.1]:{self.hop.port}"
        self.pr.settings["listeners"].append({"name": "own", "address": "127.0.0.1", "port": self.own, **own})
        if filters:
            self.pr.settings["filters"] = filters
        return self.pr.start()

    def client(self, port, **more):
        client = story.Client(port, **more)
        self.addCleanup(client.close, False)
        return client

    def test_children(self):
        self.stage(children=2)
        first, _ = self.client(self.own), self.client(self.own)
        self.assertEqual(self.client(self.own, helo=None).greeting[0], 421)
        self.assertEqual(self.client(self.pr.port, helo=None).greeting[0], 220)
        self.pr.wait_log("rejecting connections on daemon own: 2 children, max 2")
        first.close()
        story.wait_for("room again", lambda: self.client(self.own, helo=None).greeting[0] == 220)

    def test_load(self):
        self.stage(refuse_la=3)
        with open(self.pr.settings["options"]["LoadAverageFile"], "w") as handle:
            handle.write("4.00 4.00 4.00 1/1 1\n")
        story.wait_for("421", lambda: self.client(self.own, helo=None).greeting[0] == 421)
        self.assertEqual(self.client(self.pr.port, helo=None).greeting[0], 220)

    def test_delivery_mode(self):
        self.stage(delivery_mode="q", options={"QueueInterval": "1h"})
        with self.client(self.own) as client:
            self.assertEqual(client.message("a@example.net", ["joe@far.example"], "Subject: later\n\nx\n")[0], 250)
        with self.client(self.pr.port) as client:
            self.assertEqual(client.message("a@example.net", ["joe@far.example"], "Subject: now\n\nx\n")[0], 250)
        self.assertIn("Subject: now", self.hop.wait(1)[0][2])
        self.assertEqual(len(self.hop.messages), 1)
        self.pr.ctl("queue-run")
        self.assertIn("Subject: later", self.hop.wait(2)[1][2])

    def test_queue_load(self):
        self.stage(queue_la=3, options={"QueueInterval": "1h", "QueueLA": 0, "QueueFactor": 1000})
        with open(self.pr.settings["options"]["LoadAverageFile"], "w") as handle:
            handle.write("4.00 4.00 4.00 1/1 1\n")
        time.sleep(2.2)  # it is looked at once a second
        for port, name in ((self.own, "later"), (self.pr.port, "now")):
            with self.client(port) as client:
                self.assertEqual(client.message("a@example.net", ["joe@far.example"], f"Subject: {name}\n\nx\n")[0], 250)
        self.assertIn("Subject: now", self.hop.wait(1)[0][2])
        time.sleep(1)
        self.assertEqual(len(self.hop.messages), 1)

    def test_wrong(self):
        self.stage()
        for key, value, words in (("super_safe", "maybe", 'SuperSafe: "maybe" is not true, false, postmilter or interactive'), ("queue_la", -1, "queue_la takes a number"), ("queue_lo", 1, "did you mean queue_la")):
            self.pr.settings["listeners"][1] = {"name": "own", "address": "127.0.0.1", "port": self.own, key: value}
            self.pr.write_conf()
            status, text = self.pr.ctl("check")
            self.assertNotEqual(status, 0, text)
            self.assertIn(words, text)

    def test_unknown_filter(self):
        self.stage()
        self.pr.settings["listeners"][1]["filters"] = ["nosuch"]
        self.pr.write_conf()
        status, text = self.pr.ctl("check")
        self.assertNotEqual(status, 0)
        self.assertRegex(text, r"postrider\.conf:\d+: listener own names the filter nosuch, which is not declared")

    def test_optional(self):
        """An address of a net that is nobody's: with O the daemon starts without it, else it does not."""
        self.stage()
        self.pr.stop()
        self.pr.settings["listeners"][1].update(address="192.0.2.1", modifiers="O")
        self.pr.start()
        self.pr.wait_log(r"listener own: cannot listen on 192\.0\.2\.1 port \d+: .*; it is optional, and left out")
        self.pr.stop()
        self.pr.settings["listeners"][1].update(modifiers="E")
        with self.assertRaises(AssertionError):
            self.pr.start()


    def test_sizes(self):
        """SndBufSize, RcvBufSize and Listen; a reload counts for the socket that stays."""
        def told():
            line = subprocess.run(["ss", "-ltnmH", f"sport = :{pr.port}"], stdout=subprocess.PIPE, text=True, check=True).stdout
            return re.search(r"LISTEN\s+\d+\s+(\d+)", line).group(1), *re.search(r"rb(\d+),t\d+,tb(\d+)", line).groups()
        pr = self.daemon(start=False)
        pr.settings["listeners"][0].update(send_buffer=40000, receive_buffer=50000, backlog=7)
        pr.start()
        self.assertEqual(told(), ("7", "100000", "80000"))  # the system doubles them
        pr.settings["listeners"][0].update(send_buffer=30000, receive_buffer=60000, backlog=9)
        pr.write_conf()
        self.assertEqual(pr.ctl("reload")[0], 0)
        self.assertEqual(told(), ("9", "120000", "60000"))
        pr.settings["listeners"][0].update(backlog=-1)
        pr.write_conf()
        self.assertEqual(pr.ctl("check")[0], 78)


if __name__ == "__main__":
    story.main()
