#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Behind a proxy everything is about the client it names; only the listed proxies are heard, and who says something else, or nothing, is sent away."""
import contextlib
import ipaddress
import socket
import struct
import time

import story

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
ONE = b"PROXY TCP4 192.0.2.1 198.51.100.2 45678 25\r\n"


def two(client, server, port=45678, more=b"", command=0x21):
    ends = [ipaddress.ip_address(end) for end in (client, server)]
    block = b"".join(end.packed for end in ends) + struct.pack("!HH", port, 25) + more
    return SIGNATURE + bytes([command, 0x21 if ends[0].version == 6 else 0x11]) + struct.pack("!H", len(block)) + block


class Proxied(story.Client):
    """A client whose proxy says something first, whole or byte by byte."""

    def __init__(self, port, header, source="127.0.0.2", slowly=False, helo="client.example"):
        self.sock = socket.create_connection(("127.0.0.1", port), 30 * story.SLOW, (source, 0))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in [header[i:i + 1] for i in range(len(header))] if slowly else [header]:
            self.sock.sendall(piece)
            if slowly:
                time.sleep(0.003)
        self.file = self.sock.makefile("rb")
        self.greeting = self.reply()
        if helo and self.greeting[0] == 220:
            self.ehlo = self.command("EHLO " + helo)


class Proxies(story.Story):
    def stage(self, **settings):
        self.behind = story.free_port()
        self.pr = self.daemon(start=False, mailers={"local": {"module": "local", "format": "maildir", "path": f"{self.scratch}/box/%u"}}, **settings)
        self.pr.settings["listeners"].append({"name": "MTA", "address": "127.0.0.1", "port": self.behind, "proxy": ["127.0.0.2", "2001:db8::/32"]})
        self.pr.settings["options"]["LogLevel"] = 10
        table = self.pr.write("access", "Connect:192.0.2.66 REJECT\n")
        self.pr.settings["maps"]["access"] = {"module": "text", "file": table}
        return self.pr.start()

    def proxied(self, header=ONE, **more):
        client = Proxied(self.behind, header, **more)
        self.addCleanup(client.close, False)
        return client

    def test_client_is_who_the_proxy_says(self):
        self.stage()
        for number, (header, slowly, shown) in enumerate((
                (ONE, False, "192.0.2.1"), (ONE, True, "192.0.2.1"), (two("192.0.2.7", "198.51.100.2"), True, "192.0.2.7"),
                (two("2001:db8::7", "2001:db8::25", more=b"\x04\x01\x00" + b"x" * 256), False, "IPv6:2001:db8::7"),
                (two("2001:db8::8", "2001:db8::25"), True, "IPv6:2001:db8::8"),
                (b"PROXY UNKNOWN\r\n", False, "127.0.0.2"), (SIGNATURE + b"\x20\0\0\0", False, "127.0.0.2"))):
            with self.subTest(number):
                client = self.proxied(header, slowly=slowly)
                self.assertIn(f"Hello [{shown}]" if "Hello [" in client.ehlo[1] else f"[{shown}], pleased", client.ehlo[1])
                reply = client.message(f"a{number}@example.net", ["nobody@example.org"], "x\n")
                self.assertEqual(reply[0], 250, reply)
                self.pr.wait_log(rf"from=<a{number}@example.net>.*relay=\[{shown}\]")
        self.assertIn("proxy=127.0.0.2, client=192.0.2.1, port=45678, server=198.51.100.2, port=25", self.pr.log())

    def test_rules_see_the_client(self):
        self.stage()
        client = self.proxied(b"PROXY TCP4 192.0.2.66 198.51.100.2 45678 25\r\n", helo=None)
        self.assertTrue(client.greeting[0] != 220 or client.command("MAIL FROM:<a@example.net>")[0] == 550, client.greeting)
        self.assertEqual(self.proxied().command("MAIL FROM:<a@example.net>")[0], 250)

    def test_limits_count_the_client(self):
        self.stage(options={"MaxSessionsPerClient": 1})
        first = self.proxied()
        self.assertEqual(self.proxied(helo=None).greeting[0], 421)
        self.assertEqual(self.proxied(two("192.0.2.2", "198.51.100.2"), helo=None).greeting[0], 220)
        first.close()
        story.wait_for("room again", lambda: self.proxied(helo=None).greeting[0] == 220)

    def test_what_comes_with_the_header(self):
        self.stage()
        with socket.create_connection(("127.0.0.1", self.behind), 20, ("127.0.0.2", 0)) as sock:
            sock.sendall(ONE + b"EHLO x\r\nNOOP\r\nQUIT\r\n")
            got = b""
            while piece := sock.recv(65536):
                got += piece
        self.assertTrue(got.startswith(b"220 ") and got.endswith(b"closing connection\r\n"), got)

    def test_strangers(self):
        self.stage()
        for header in (ONE, b""):
            client = self.proxied(header, source="127.0.0.9", helo=None)
            self.assertEqual(client.greeting[0], 421)
            self.assertIn("for proxies", client.greeting[1])
        self.pr.wait_log(r"rejecting connection from 127\.0\.0\.9 on daemon MTA: it is none of its proxies")

    def closed(self, data, seconds=5):
        """All that comes back before the end."""
        with socket.create_connection(("127.0.0.1", self.behind), seconds * story.SLOW, ("127.0.0.2", 0)) as sock:
            sock.sendall(data)
            got = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := sock.recv(65536):
                    got += piece
        return got

    def test_something_else(self):
        self.stage()
        for data in (b"EHLO x\r\n", b"PROXY TCP4 192.0.2.1\r\n", b"PROXY UNKNOWN " + b"x" * 200, SIGNATURE + b"\x21\x11\xff\xff", SIGNATURE + b"\x21\x11\0\x04abcd", b"\x16\x03\x01\0\xa5"):
            self.assertEqual(self.closed(data), b"", data)
        self.pr.wait_log("rejecting connection from 127.0.0.2 on daemon MTA: no PROXY header")
        self.assertEqual(self.proxied(helo=None).greeting[0], 220)

    def test_silence(self):
        self.stage()
        begin = time.monotonic()
        self.assertEqual(self.closed(b"PROXY TCP4 192.0", 30), b"")
        self.assertTrue(9 < time.monotonic() - begin < 20 * story.SLOW, time.monotonic() - begin)
        self.pr.wait_log("no PROXY header within ten seconds")

    def test_the_other_listener_is_as_before(self):
        """It has the same name, and believes no header."""
        self.stage()
        with self.pr.client(source="127.0.0.2", helo=None) as client:
            self.assertEqual(client.command(ONE.decode().strip())[0], 500)

    def test_wrong_networks(self):
        self.stage()
        for wrong in (["127.0.0.0/33"], "mail.example.org", {"a": "b"}):
            self.pr.settings["listeners"][1]["proxy"] = wrong
            self.pr.write_conf()
            status, text = self.pr.ctl("check")
            self.assertNotEqual(status, 0)
            self.assertRegex(text, r"postrider\.conf:\d+: proxy")


if __name__ == "__main__":
    story.main()
