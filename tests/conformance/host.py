# SPDX-License-Identifier: BSD-2-Clause
"""Next hosts for assertions about our client: each speaks SMTP with the extensions it is given, or LMTP, and keeps every letter with the commands it
came with, whatever they say."""
import contextlib
import re
import socket
import threading

import story


class Letter:
    def __init__(self, sender, recipients, text, commands):
        self.sender, self.recipients, self.text, self.commands = sender, recipients, text, commands


class Host:
    """offers: what EHLO or LHLO is answered with; None: 502.  answer(verb, line): another reply, or None."""

    def __init__(self, name, offers=(), answer=None, lmtp=False):
        self.name, self.offers, self.lmtp = name, offers, lmtp
        self.answer = answer or (lambda verb, line: None)
        self.letters, self.faults = [], []
        self.lock = threading.Lock()
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self.sock.accept()
                threading.Thread(target=Session(self, peer).run, daemon=True).start()

    def close(self):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def keep(self, letter):
        with self.lock:
            self.letters.append(letter)


class Session:
    def __init__(self, host, peer):
        self.host, self.peer = host, peer
        self.file = peer.makefile("rb")
        self.commands, self.hello = [], []
        self.forget()

    def forget(self):
        self.sender, self.recipients, self.text = None, [], b""
        self.commands = []

    def say(self, text):
        self.peer.sendall((text + "\r\n").encode("latin-1"))

    def run(self):
        with contextlib.suppress(OSError), self.peer:
            self.peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.say(f"220 {self.host.name} {'LMTP' if self.host.lmtp else 'ESMTP'}")
            for raw in self.file:
                if not raw.endswith(b"\r\n") or b"\r" in raw[:-2]:
                    self.host.faults.append(f"a command line that does not end with CRLF alone: {raw!r}")
                line = raw.decode("utf-8", "replace").rstrip("\r\n")
                self.commands.append(line)
                if not self.command(line[:4].upper(), line):
                    return

    def command(self, verb, line):
        special = self.host.answer(verb, line)
        if special:
            self.say(special)
        elif verb in ("EHLO", "HELO", "LHLO"):
            self.greet(verb, line)
        elif verb == "MAIL":
            keep = self.commands[-1:]
            self.forget()
            self.commands, self.sender = keep, story.between(line)
            self.say("250 2.1.0 ok")
        elif verb == "RCPT":
            self.recipients.append(story.between(line))
            self.say("250 2.1.5 ok")
        elif verb == "DATA":
            return self.data()
        elif verb == "BDAT":
            self.chunk(line.upper().split())
        elif verb == "QUIT":
            self.say("221 2.0.0 bye")
            return False
        else:
            self.say("250 2.0.0 ok")
        return True

    def greet(self, verb, line):
        self.hello.append(line)
        if (verb == "HELO" and not self.host.lmtp) or (verb == ("LHLO" if self.host.lmtp else "EHLO") and self.host.offers is not None):
            words = [self.host.name, *(self.host.offers or ())] if verb != "HELO" else [self.host.name]
            self.say("\r\n".join("250" + ("-" if word is not words[-1] else " ") + word for word in words))
        else:
            self.say("502 5.5.1 not here")

    def data(self):
        if not self.recipients:
            self.say("503 5.5.1 no recipients")
            return True
        self.say("354 go on")
        for raw in self.file:
            if raw == b".\r\n":
                self.taken()
                return True
            if not raw.endswith(b"\r\n") or b"\r" in raw[:-2] or b"\n" in raw[:-1]:
                self.host.faults.append(f"a line of a message that does not end with CRLF alone: {raw!r}")
            self.text += (raw[1:] if raw.startswith(b".") else raw)
        return False

    def chunk(self, words):
        self.text += self.file.read(int(words[1]))
        if words[2:] == ["LAST"]:
            self.taken()
        else:
            self.say("250 2.0.0 go on")

    def taken(self):
        self.host.keep(Letter(self.sender, self.recipients, self.text.decode("utf-8", "surrogateescape").replace("\r\n", "\n"), self.hello + self.commands))
        for _ in self.recipients if self.host.lmtp else [0]:
            self.say("250 2.0.0 taken")
