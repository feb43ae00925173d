#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A host that was away says ETRN and gets what waits for it, and only that; and VERB has mail delivered before its dot is answered."""
import os
import time

import story


class Etrn(story.Story):
    def setUp(self):
        super().setUp()
        self.is_up = False
        self.next = self.sink(lambda verb, words: None if self.is_up or verb != "RCPT" else "450 4.3.2 away")

    def start(self, **options):
        queue = os.path.join(self.scratch, "pr", "queue")
        return self.daemon(rules={"module": "routes", "local_domains": ["example.org"], "accept_unresolvable_domains": True,
                                  "smart_host": f"[127.0.0.1]:{self.next.port}"},
                           queue_groups={"slow": {"path": os.path.join(queue, "slow")}},
                           options={"QueueDirectory": queue, "QueueInterval": 0, "MinQueueAge": 0, **options})

    def queue(self, daemon, *recipients):
        for recipient in recipients:
            daemon.send("a@example.net", [recipient], f"Subject: {recipient}\n\nx\n")
        for recipient in recipients:
            daemon.wait_log(rf"to=<{recipient}>.*stat=Deferred")
        self.is_up = True

    def say(self, daemon, *nodes):
        with daemon.client() as client:
            return [client.command(f"ETRN {node}")[1] for node in nodes]

    def arrive(self, count):
        self.next.wait(count)
        time.sleep(1)
        self.assertEqual(len(self.next.messages), count)
        return sorted(message[1][0] for message in self.next.messages)

    def test_node(self):
        daemon = self.start()
        self.queue(daemon, "x@away.example", "x@sub.away.example", "x@other.example")
        self.assertEqual(self.say(daemon, "away.example"), ["250 2.0.0 Queuing for node away.example started"])
        self.assertEqual(self.arrive(1), ["x@away.example"])
        self.assertEqual(self.say(daemon, "@away.example"), ["250 2.0.0 Queuing for node @away.example started"])
        self.assertEqual(self.arrive(2), ["x@away.example", "x@sub.away.example"])
        self.assertEqual(self.say(daemon, "#mqueue", "#nosuch", "#slow"), ["250 2.0.0 Queuing for queue group mqueue started", "459 4.5.4 Queue nosuch unknown",
                                                                         "250 2.0.0 Queuing for queue group slow started"])
        self.arrive(3)
        self.assertIn("ETRN away.example", daemon.log())

    def test_is_refused(self):
        daemon = self.start(PrivacyOptions=["noetrn"])
        self.queue(daemon, "x@away.example")
        self.assertEqual(self.say(daemon, "away.example"), ["502 5.7.0 Sorry, we do not allow this operation"])
        with daemon.client() as client:
            self.assertNotIn("ETRN", client.ehlo[1])
        time.sleep(1)
        self.assertEqual(self.next.messages, [])

    def test_long_and_odd_nodes(self):
        daemon = self.start()
        answers = self.say(daemon, "x" * 1500, "a\tb", "@", "<>")
        self.assertTrue(answers[0].startswith("458 4.3.2 Unable to queue messages for node xxx"), answers[0])
        self.assertEqual([answer[:3] for answer in answers[2:]], ["250", "250"])

    def test_verb(self):
        self.is_up = True
        daemon = self.start(DeliveryMode="queueonly")
        with daemon.client() as client:
            client.expect(250, "VERB")
            got = client.message("a@example.net", ["x@far.example"], "Subject: x\n\nx\n")
            self.assertEqual(got[0], 250)
            self.assertEqual(len(self.next.messages), 1, "it was not there when the dot was answered")
        daemon.send("a@example.net", ["y@far.example"], "Subject: y\n\ny\n")
        time.sleep(1)
        self.assertEqual(len(self.next.messages), 1)


if __name__ == "__main__":
    story.main()
