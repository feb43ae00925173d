#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Mail comes by LMTP, on a port and by a Unix socket: each recipient has an answer behind the dot, and what was answered with 250 is delivered."""
import os
import smtplib
import socket

import story


class LmtpService(story.Story):
    def stage(self):
        self.port, self.path = story.free_port(), os.path.join(self.scratch, "pr", "run", "lmtp")
        self.pr = self.daemon(start=False)
        self.pr.settings["listeners"] += [{"name": "LMTP", "address": "127.0.0.1", "port": self.port, "protocol": "lmtp"},
                                          {"name": "LMTP", "path": self.path, "protocol": "lmtp"}]
        self.hop = self.sink()
        self.pr.settings["rules"].update(smart_host=f"[127.0.0.1]:{self.hop.port}", relay_domains=["far.example"])
        return self.pr.start()

    def test_port_and_socket(self):
        self.stage()
        for number, place in enumerate((("127.0.0.1", self.port), (self.path, 0))):
            with self.subTest(place), smtplib.LMTP(*place) as client:
                self.assertEqual(client.ehlo("client.example")[0], 250)
                self.assertTrue(client.has_extn("CHUNKING") and client.has_extn("LIMITS"))
                self.assertEqual(client.sendmail("ann@example.net", ["tom@far.example"], f"Subject: {number}\n\nx\n"), {})  # smtplib reads one answer only
                # the connection is in step: the next message goes too
                self.assertEqual(client.sendmail("ann@example.net", ["joe@far.example"], f"Subject: {number} again\n\nx\n"), {})
        messages = self.hop.wait(4)
        told = [(text.split("Subject: ")[1].split("\n")[0], sorted(recipients)) for _, recipients, text in messages]
        self.assertEqual(sorted(told), [("0", ["tom@far.example"]), ("0 again", ["joe@far.example"]), ("1", ["tom@far.example"]), ("1 again", ["joe@far.example"])])
        self.assertTrue(all("with LMTP id" in text for _, _, text in messages))
        self.pr.wait_log("proto=LMTP, daemon=LMTP, relay=")

    def test_answers(self):
        self.stage()
        client = story.Client(self.port, helo=None)
        self.addCleanup(client.close)
        self.assertIn(" LMTP ", client.greeting[1])
        client.expect(500, "EHLO x")
        client.expect(250, "LHLO x")
        client.expect(250, "MAIL FROM:<ann@example.net>")
        for code, who in ((250, "a@far.example"), (550, "nosuch@example.org"), (250, "c@far.example")):
            client.expect(code, f"RCPT TO:<{who}>")
        client.expect(354, "DATA")
        client.send("Subject: two\r\n\r\nx\r\n.\r\nNOOP\r\n")
        replies = [client.reply()[1] for _ in range(3)]
        self.assertEqual(replies[0], replies[1])
        self.assertIn("Message accepted", replies[0])
        self.assertEqual(replies[2], "250 2.0.0 OK")

    def test_our_own_client_speaks_to_it(self):
        self.stage()
        other = self.daemon("other", start=False, rules={"smart_host": f"lmtp:[127.0.0.1]:{self.port}"}, mailers={"lmtp": {"module": "smtp", "lmtp": True}})
        other.start()
        other.send("ann@example.net", ["joe@far.example"], "Subject: through\n\nx\n")
        other.send("ann@example.net", ["tom@far.example"], "Subject: through\n\nx\n")
        self.assertEqual(sorted(recipients[0] for _, recipients, _ in self.hop.wait(2)), ["joe@far.example", "tom@far.example"])
        story.wait_for("an empty queue", lambda: other.listed_ids() == [])

    def test_wrong(self):
        self.stage()
        for wrong, words in (({"protocol": "pop3"}, "protocol is smtp or lmtp, not pop3"), ({"protocol": "lmtp", "port": 25}, "LMTP cannot be spoken on port 25")):
            self.pr.settings["listeners"][1] = {"name": "x", "address": "127.0.0.1", "port": 2525, **wrong}
            self.pr.write_conf()
            status, text = self.pr.ctl("check")
            self.assertNotEqual(status, 0)
            self.assertIn(words, text)

    def test_socket_leaves_with_the_daemon(self):
        self.stage()
        self.assertTrue(os.path.exists(self.path))
        self.pr.stop()
        with self.assertRaises(OSError), socket.socket(socket.AF_UNIX) as sock:
            sock.connect(self.path)


if __name__ == "__main__":
    story.main()
