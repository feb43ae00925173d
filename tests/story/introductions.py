#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Hosts that we trust speak for others: after XCLIENT everything is about the client they name, after XFORWARD the log is; nobody else may."""
import story


class Introductions(story.Story):
    def stage(self, **options):
        self.pr = self.daemon(start=False, options={"XclientNetworks": ["127.0.0.2", "127.0.1.0/24"], "XforwardNetworks": ["127.0.0.3"], "LogLevel": 14, **options})
        table = self.pr.write("access", "Connect:192.0.2.66 REJECT\nConnect:192.0.2.7 RELAY\n")
        self.pr.settings["maps"]["access"] = {"module": "text", "file": table}
        self.hop = self.sink()
        self.pr.settings["rules"]["smart_host"] = f"[127.0.0.1]:{self.hop.port}"
        return self.pr.start()

    def client(self, source, **more):
        client = self.pr.client(source=source, **more)
        self.addCleanup(client.close, False)
        return client

    def test_who_may(self):
        self.stage()
        for source, xclient, xforward in (("127.0.0.2", True, False), ("127.0.1.77", True, False), ("127.0.0.3", False, True), ("127.0.0.4", False, False)):
            client = self.client(source)
            with self.subTest(source):
                self.assertEqual("XCLIENT" in client.ehlo[1], xclient)
                self.assertEqual("XFORWARD" in client.ehlo[1], xforward)
                self.assertEqual(client.command("XFORWARD ADDR=192.0.2.7")[0], 250 if xforward else 550)
                self.assertEqual(client.command("XCLIENT ADDR=192.0.2.7")[0], 220 if xclient else 550)

    def test_rules_are_about_the_client(self):
        self.stage()
        client = self.client("127.0.0.2")
        client.expect(220, "XCLIENT ADDR=192.0.2.66 NAME=bad.example PROTO=ESMTP HELO=bad.example")
        self.assertEqual(client.command("MAIL FROM:<a@example.net>")[0], 550)
        client = self.client("127.0.0.2")
        client.expect(220, "XCLIENT ADDR=192.0.2.8 NAME=other.example PROTO=ESMTP HELO=other.example")
        client.expect(250, "MAIL FROM:<a@example.net>")
        self.assertEqual(client.command("RCPT TO:<joe@far.example>")[0], 550)  # it may not relay; 127.0.0.2 might
        client.expect(250, "RSET")
        client.expect(220, "XCLIENT ADDR=192.0.2.7 NAME=good.example PORT=4711 PROTO=ESMTP HELO=hello.example")
        self.assertEqual(client.message("a@example.net", ["joe@far.example"], "Subject: x\n\nx\n")[0], 250)
        text = self.hop.wait(1)[0][2]
        self.assertIn("Received: from hello.example (good.example [192.0.2.7])\n\tby mail.example.org", text)
        self.assertIn("with ESMTP id", text)
        self.pr.wait_log(r"from=<a@example.net>.*relay=good\.example \[192\.0\.2\.7\]")

    def test_login(self):
        """Who has authenticated himself at the other host may relay, and is named in header and log."""
        self.stage()
        self.pr.stop()
        self.pr.settings["rules"]["relay_authenticated"] = ["joe@example.net"]
        self.pr.start()
        for login, code in (("", 550), (" LOGIN=ann@example.net", 550), (" LOGIN=joe+40example.net", 250)):
            client = self.client("127.0.0.2")
            client.expect(220, f"XCLIENT ADDR=192.0.2.8 NAME=other.example PROTO=ESMTP HELO=other.example{login}")
            client.expect(250, "MAIL FROM:<joe@example.net>")
            self.assertEqual(client.command("RCPT TO:<joe@far.example>")[0], code)
        client.expect(354, "DATA")
        client.expect(250, "Subject: x\r\n\r\nx\r\n.")
        text = self.hop.wait(1)[0][2]
        self.assertRegex(text, r"(?s)^Received: from other\.example \(other\.example \[192\.0\.2\.8\]\)\s+\(authenticated bits=0\).*with ESMTPA id")
        self.pr.wait_log(r"NOQUEUE: xclient=\[127\.0\.0\.2\]: other\.example \[192\.0\.2\.8\], login=joe@example\.net\n")
        client = self.client("127.0.0.2")
        client.expect(501, "XCLIENT LOGIN=a+0D+0ANOQUEUE:+20forged")
        client.expect(501, "XCLIENT ADDR=192.0.2.8 NAME=x+0Ay.example")

    def test_limits_are_the_clients(self):
        self.stage(MaxSessionsPerClient=1)
        first = self.client("127.0.0.2")
        first.expect(220, "XCLIENT ADDR=192.0.2.8")
        second = self.client("127.0.0.2")  # the place of the host itself is free again
        second.expect(421, "XCLIENT ADDR=192.0.2.8")
        third = self.client("127.0.0.2")
        third.expect(220, "XCLIENT ADDR=192.0.2.9")
        first.close()
        story.wait_for("room again", lambda: self.try_once("192.0.2.8"))

    def try_once(self, address):
        client = self.pr.client(source="127.0.1.1")
        code = client.command(f"XCLIENT ADDR={address}")[0]
        client.close()
        return code == 220

    def test_unknown(self):
        self.stage()
        client = self.client("127.0.0.2")
        client.expect(220, "XCLIENT ADDR=[UNAVAILABLE] NAME=[UNAVAILABLE] PROTO=SMTP")
        client.expect(250, "MAIL FROM:<a@example.net>")
        self.assertEqual(client.command("RCPT TO:<joe@far.example>")[0], 550)

    def test_forwarded(self):
        self.stage(LogLevel=9)
        client = self.client("127.0.0.3")
        client.expect(250, "XFORWARD NAME=spike.example.org ADDR=168.100.189.2 PORT=99")
        client.expect(250, "XFORWARD PROTO=ESMTP HELO=spike IDENT=ABC SOURCE=REMOTE")
        client.expect(250, "MAIL FROM:<a@example.net>")
        client.expect(250, "RSET")
        self.pr.wait_log(r"from=<a@example.net>, .*relay=\[127\.0\.0\.3\], xforward=spike\.example\.org \[168\.100\.189\.2\] port=99 proto=ESMTP helo=spike ident=ABC source=REMOTE\n")
        client.expect(250, "MAIL FROM:<b@example.net>")
        client.expect(250, "RSET")
        self.pr.wait_log(r"from=<b@example.net>, .*relay=\[127\.0\.0\.3\]\n")

    def test_wrong_networks(self):
        self.stage()
        self.pr.settings["options"]["XclientNetworks"] = ["mail.example.org"]
        self.pr.write_conf()
        status, text = self.pr.ctl("check")
        self.assertNotEqual(status, 0)
        self.assertRegex(text, r'postrider\.conf:\d+: option XclientNetworks: "mail\.example\.org" is no network')

    def test_limits_announced(self):
        self.stage(MaxMessagesPerConnection=2, MaxRecipientsPerMessage=3)
        client = self.client("127.0.0.9")
        self.assertIn("250-LIMITS MAILMAX=2 RCPTMAX=3", client.ehlo[1])
        for code in (250, 250, 452):
            client.expect(code, "MAIL FROM:<a@example.net>")
            client.expect(250, "RSET")


if __name__ == "__main__":
    story.main()
