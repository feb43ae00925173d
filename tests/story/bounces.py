#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""When delivery fails for good the sender gets one RFC 3464 report, and a bounce never makes a bounce."""
import email
import os

import story


class Bounces(story.Story):
    def test_one_report_for_the_refused_recipient_only(self):
        host = self.sink(answer=lambda verb, argument: "550 5.1.1 no such mailbox" if verb == "RCPT" and "bad" in argument else None)
        daemon = self.daemon(rules={"smart_host": f"[127.0.0.1]:{host.port}"})
        daemon.send("ann@example.net", ["good@example.com", "bad@example.com"], "From: ann@example.net\nSubject: mixed\n\nthe text\n")
        messages = host.wait(2)
        good = [m for m in messages if "Subject: mixed" in m[2] and m[0] == "ann@example.net"]
        report = [m for m in messages if m[0] == ""]
        self.assertEqual((len(good), len(report)), (1, 1))
        self.assertEqual(good[0][1], ["good@example.com"])
        self.assertEqual(report[0][1], ["ann@example.net"])
        parsed = email.message_from_string(report[0][2])
        self.assertEqual(parsed.get_content_type(), "multipart/report")
        self.assertEqual(parsed.get_param("report-type"), "delivery-status")
        self.assertEqual([p.get_content_type() for p in parsed.get_payload()], ["text/plain", "message/delivery-status", "message/rfc822"])
        status = parsed.get_payload()[1].as_string()
        for line in ("Reporting-MTA: dns; mail.example.org", "Final-Recipient: RFC822; bad@example.com", "Action: failed", "Status: 5.1.1",
                     "Diagnostic-Code: SMTP; 550 5.1.1 no such mailbox"):
            self.assertIn(line, status)
        self.assertIn("the text", parsed.get_payload()[2].as_string())
        story.wait_for("an empty queue", lambda: not daemon.queue_ids())

    def test_time_is_up(self):
        host = self.sink(answer=lambda verb, argument: "450 4.2.1 not now" if verb == "RCPT" and "slow" in argument else None)
        daemon = self.daemon(rules={"smart_host": f"[127.0.0.1]:{host.port}"},
                             options={"MinQueueAge": "1s", "MaxQueueAge": "1s", "QueueInterval": "1s",
                                      "Timeout": {"queuereturn": "3s", "queuewarn": 0, "hoststatus": "1s"}})
        daemon.send("ann@example.net", ["slow@example.com"], "Subject: slow\n\nx\n")
        report = host.wait(1, 40)[0]
        self.assertEqual((report[0], report[1]), ("", ["ann@example.net"]))
        self.assertIn("not now", report[2])
        story.wait_for("an empty queue", lambda: not daemon.queue_ids())

    def test_delay_is_told_once(self):
        host = self.sink(answer=lambda verb, argument: "450 4.2.1 not now" if verb == "RCPT" and "slow" in argument else None)
        daemon = self.daemon(rules={"smart_host": f"[127.0.0.1]:{host.port}"},
                             options={"MinQueueAge": "1s", "MaxQueueAge": "1s", "QueueInterval": "1s",
                                      "Timeout": {"queuereturn": "1d", "queuewarn": "1s", "hoststatus": "1s"}})
        daemon.send("ann@example.net", ["slow@example.com"], "Subject: slow\n\nx\n")
        warning = host.wait(1, 40)[0]
        self.assertIn("WARNING MESSAGE", warning[2])
        self.assertIn("Action: delayed", warning[2])
        import time
        time.sleep(4)
        self.assertEqual(len(host.messages), 1)
        self.assertEqual(len(daemon.queue_ids()), 1)

    def test_no_bounce_of_a_bounce(self):
        host = self.sink(answer=lambda verb, argument: "550 5.1.1 nobody" if verb == "RCPT" else None)
        box = os.path.join(self.scratch, "pr", "box", "%u")
        daemon = self.daemon(start=False, rules={"smart_host": f"[127.0.0.1]:{host.port}"}, options={"DoubleBounceAddress": story.ME + "@example.org"},
                             mailers={"local": {"module": "local", "format": "maildir", "path": box}})
        os.chmod(os.path.join(daemon.top, "box"), 0o1777)
        daemon.start()
        daemon.send("ann@example.net", ["bad@example.com"], "Subject: lost\n\nx\n")
        got = story.wait_for(lambda: "the postmaster's copy\n" + daemon.log(), lambda: daemon.maildir(box.replace("%u", story.ME)))
        self.assertEqual(len(got), 1)
        self.assertIn("Postmaster notify", got[0])
        daemon.send("", ["bad@example.com"], "Subject: bounce\n\nx\n")
        story.wait_for(lambda: "an empty queue\n" + daemon.log(), lambda: not daemon.queue_ids())
        self.assertEqual(host.messages, [])

    def test_loops_end(self):
        daemon = self.daemon(start=False)
        daemon.settings["rules"]["smart_host"] = f"[127.0.0.1]:{daemon.port}"
        daemon.start()
        with daemon.client() as client:
            code, text = client.message("", ["far@example.com"], "Received: from a by b; x\n" * 30 + "Subject: loop\n\nx\n")
            self.assertEqual(code, 554)
            self.assertIn("5.4.6 Too many hops", text)

    def test_success_report_when_asked(self):
        host = self.sink()
        daemon = self.daemon(rules={"smart_host": f"[127.0.0.1]:{host.port}"})
        with daemon.client() as client:
            client.expect(250, "MAIL FROM:<ann@example.net> RET=HDRS ENVID=abc")
            client.expect(250, "RCPT TO:<far@example.com> NOTIFY=SUCCESS ORCPT=rfc822;Far@Example.com")
            client.expect(354, "DATA")
            client.send("Subject: s\r\n\r\nb\r\n.\r\n")
            self.assertEqual(client.reply()[0], 250)
        report = [m for m in host.wait(2) if m[0] == ""][0]
        for line in ("Action: relayed", "Original-Envelope-Id: abc", "Original-Recipient: rfc822;Far@Example.com"):
            self.assertIn(line, report[2])

    def test_receipt_of_a_list_waits_in_the_queue(self):
        host = self.sink()
        daemon = self.daemon(start=False, rules={"smart_host": f"[127.0.0.1]:{host.port}"}, maps={"aliases": {"module": "text", "file": "ALIASES"}},
                             options={"AliasFile": ["aliases"], "DeliveryMode": "queue", "QueueInterval": "1h"})
        daemon.settings["maps"]["aliases"]["file"] = daemon.write(
            "aliases", "team\tbob@example.com,eva@example.com\nowner-team\tboss@example.com\npair\tkai@example.com,leo@example.com\n")
        daemon.start()
        for address in ("team", "pair"):
            with daemon.client() as client:
                client.expect(250, "MAIL FROM:<ann@example.net>")
                client.expect(250, f"RCPT TO:<{address}@example.org> NOTIFY=SUCCESS")
                client.expect(354, "DATA")
                client.send("Subject: s\r\n\r\nb\r\n.\r\n")
                self.assertEqual(client.reply()[0], 250)
        daemon.stop()
        self.assertEqual(len(daemon.queue_ids()), 3)  # the owner's copy, the author's that is nothing but a receipt, and that for the pair
        self.assertEqual(host.messages, [])
        daemon.settings["options"].update(DeliveryMode="background", QueueInterval="1s")
        daemon.start()
        reports = [m for m in host.wait(4) if m[0] == ""]
        self.assertEqual([m[1] for m in reports], [["ann@example.net"], ["ann@example.net"]])
        text = "".join(m[2] for m in reports)
        for line in ("<team@example.org>  (successfully delivered to mailing list)", "<pair@example.org>  (expanded by alias)",
                     "Action: delivered (to mailing list)", "Action: expanded (to multi-recipient alias)"):
            self.assertIn(line, text)
        self.assertNotIn("bob@", text)
        story.wait_for("an empty queue", lambda: not daemon.queue_ids() and not daemon.listed_ids())
        self.assertEqual(len(host.messages), 4)


if __name__ == "__main__":
    story.main()
