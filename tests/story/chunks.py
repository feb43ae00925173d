#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A message that comes in chunks (RFC 3030) is the same message at the next host, which knows only DATA; what is broken off or refused is never delivered,
and nothing in a chunk is ever a command."""
import random
import socket
import threading

import story

HEADER = b"From: ann@example.net\r\nSubject: chunks\r\n\r\n"


class Chunks(story.Story):
    def relay(self, **settings):
        self.hop = self.sink()
        daemon = self.daemon(start=False, **settings)
        daemon.settings["rules"]["smart_host"] = f"[127.0.0.1]:{self.hop.port}"
        return daemon.start()

    def envelope(self, client):
        client.expect(250, "MAIL FROM:<ann@example.net>")
        client.expect(250, "RCPT TO:<joe@far.example>")

    def chunk(self, client, data, last=False):
        client.send(b"BDAT %d%s\r\n" % (len(data), b" LAST" if last else b"") + data)
        return client.reply()

    def arrived(self, subject="chunks"):
        story.wait_for("the letter", lambda: [text for _, _, text in self.hop.messages if f"Subject: {subject}\n" in text])
        return [text.split("\n\n", 1)[1] for _, _, text in self.hop.messages if f"Subject: {subject}\n" in text]

    def test_stuffed_for_the_next_host(self):
        daemon = self.relay()
        with daemon.client() as client:
            self.assertIn("250-CHUNKING", client.ehlo[1].split("\n"))
            self.assertNotIn("BINARYMIME", client.ehlo[1])
            self.envelope(client)
            self.assertEqual(self.chunk(client, HEADER + b"one\r\n.\r\n")[0], 250)
            self.assertEqual(self.chunk(client, b"MAIL FROM:<evil@x>\r\n..\r\n.\r")[0], 250)
            self.assertEqual(self.chunk(client, b"\n", True)[0], 250)
        self.assertEqual(self.arrived(), ["one\n.\nMAIL FROM:<evil@x>\n..\n.\n"])
        self.assertEqual(len(self.hop.messages), 1)

    def test_pipelined_in_any_cuts(self):
        daemon = self.relay()
        dice = random.Random(5)
        body = b"".join(b"%d %s\r\n" % (n, b"x" * dice.randrange(200)) for n in range(3000))
        talk, at, whole = b"MAIL FROM:<ann@example.net>\r\nRCPT TO:<joe@far.example>\r\n", 0, HEADER + body
        replies = 2
        while at < len(whole):
            size = min(dice.choice((0, 1, 2, 77, 4096, 70000)), len(whole) - at)
            talk += b"BDAT %d\r\n" % size + whole[at:at + size]
            at += size
            replies += 1
        talk += b"BDAT 0 LAST\r\nNOOP\r\n"
        with daemon.client() as client:
            client.sock.settimeout(60 * story.SLOW)
            writer = threading.Thread(target=self.write_in_pieces, args=(client.sock, talk, dice))
            writer.start()
            codes = [client.reply()[0] for _ in range(replies + 2)]
            writer.join()
        self.assertEqual(set(codes), {250})
        self.assertEqual(self.arrived(), [body.replace(b"\r\n", b"\n").decode()])

    @staticmethod
    def write_in_pieces(sock, data, dice):
        at = 0
        while at < len(data):
            size = dice.choice((1, 10, 1000, 30000))
            sock.sendall(data[at:at + size])
            at += size

    def test_too_large(self):
        daemon = self.relay(options={"MaxMessageSize": 20000})
        with daemon.client() as client:
            self.envelope(client)
            self.assertEqual(self.chunk(client, HEADER + b"x" * 900 + b"\r\n")[0], 250)
            self.assertEqual(self.chunk(client, (b"y" * 98 + b"\r\n") * 1000)[0], 552)
            self.assertEqual(self.chunk(client, b"QUIT\r\n", True)[0], 552)
            self.envelope(client)
            self.assertEqual(self.chunk(client, HEADER + b"small\r\n", True)[0], 250)
        self.assertEqual(self.arrived(), ["small\n"])
        self.assertEqual(daemon.queue_ids(), [])

    def test_broken_off(self):
        daemon = self.relay()
        for cut in (b"BDAT 50\r\n" + HEADER, b"BDAT %d\r\n" % len(HEADER) + HEADER, b"BDAT 999999 LAST\r\n" + HEADER + b"x" * 100000, b"BDAT 10 LA"):
            client = daemon.client()
            self.envelope(client)
            client.send(cut)
            client.close(False)
        with daemon.client() as client:
            self.envelope(client)
            self.assertEqual(self.chunk(client, HEADER.replace(b"chunks", b"whole") + b"x\r\n", True)[0], 250)
        self.arrived("whole")
        self.assertEqual(len(self.hop.messages), 1)
        story.wait_for("an empty queue", lambda: daemon.listed_ids() == [])

    def test_bare_line_ends(self):
        daemon = self.relay()
        for text, word in ((b"x\n.\nMAIL FROM:<a>\r\n", "LF"), (b"x\r.\r\n", "CR"), (b"x\r", "CR")):
            client = daemon.client()
            self.envelope(client)
            got = self.chunk(client, HEADER + text, True)
            self.assertEqual(got[0], 421)
            self.assertIn(f"({word}) not allowed", got[1])
            client.close(False)
        self.assertEqual(self.hop.messages, [])

    def test_length_nobody_can_read(self):
        daemon = self.relay()
        for line in (b"BDAT -5", b"BDAT 18446744073709551616 LAST", b"BDAT", b"BDAT 5x", b"BDAT 5 LAST LAST", b"BDAT 5 \x01"):
            client = daemon.client()
            self.envelope(client)
            client.send(line + b"\r\nRSET\r\nMAIL FROM:<b@x>\r\nRCPT TO:<c@far.example>\r\nDATA\r\nSubject: smuggled\r\n\r\n.\r\n")
            self.assertEqual(client.reply()[0], 501, line)
            self.assertEqual(client.file.read(), b"", "nothing behind it is answered")
            client.close(False)
        self.assertEqual(self.hop.messages, [])

    def test_switched_off(self):
        daemon = self.relay(options={"Chunking": False})
        with daemon.client() as client:
            self.assertNotIn("CHUNKING", client.ehlo[1])
            self.envelope(client)
            self.assertEqual(self.chunk(client, b"QUIT\r\n")[0], 500)
            client.expect(250, "NOOP")

    def test_interrupted_by_the_daemon(self):
        """A stop waits for the message that is under way, and it is delivered."""
        daemon = self.relay(options={"Timeout": {"stop": "20s"}})
        client = daemon.client()
        self.envelope(client)
        self.assertEqual(self.chunk(client, HEADER)[0], 250)
        daemon.process.terminate()
        daemon.wait_log("stopping|shutting|SIGTERM|terminat", 10)
        self.assertEqual(self.chunk(client, b"kept\r\n", True)[0], 250)
        with self.assertRaises((ConnectionError, socket.timeout)):
            for _ in range(3):
                client.reply()
        client.close(False)
        daemon.stop()
        daemon.start()
        self.assertEqual(self.arrived(), ["kept\n"])


if __name__ == "__main__":
    story.main()
