# SPDX-License-Identifier: BSD-2-Clause
"""Plays a conversation and says of each assertion whether it holds."""
import base64
import re
import socket
import ssl
import time

import script
import story

USER = base64.b64encode(b"\0joe\0secret").decode()


TALKS = ("C", "C-", "B", "BL", "S", "TLS")  # what is left out of these puts client and server out of step


class Fails(Exception):
    """The assertion does not hold, and this is why.  is_end: nothing more can be said here."""

    def __init__(self, why, is_end=False):
        super().__init__(why)
        self.is_end = is_end


class Player:
    def __init__(self, stage, conversation):
        self.stage, self.conversation = stage, conversation
        self.last, self.letter, self.since = "", None, 0

    def play(self):
        """[(assertion, None or why it fails)]"""
        results, broken = [], None
        try:
            self.connect()
            for one in self.conversation.before:
                self.step(one)
        except (Fails, OSError) as why:
            broken = f"before the first assertion: {why}"
        for assertion in self.conversation.assertions:
            why = broken
            for at, one in enumerate(assertion.steps if not broken else ()):
                try:
                    self.step(one)
                except Fails as fails:
                    why = str(fails)
                    if fails.is_end or any(left[0] in TALKS for left in assertion.steps[at + 1:]):
                        broken = f"the conversation broke off: {why}"
                    break
            results.append((assertion, why))
        self.hang_up()
        return results

    # -- the connection -------------------------------------------------------

    def connect(self):
        self.sock = self.stage.connect(self.conversation.listener, self.conversation.source)
        self.file = self.sock.makefile("rb")
        if self.conversation.begins:
            self.expect("220")
            hello = "LHLO" if self.conversation.listener == "lmtp" else "EHLO"
            self.ask(f"{hello} client.example", "250")
        if "tls" in self.conversation.begins or "user" in self.conversation.begins:
            self.ask("STARTTLS", "220")
            self.secure()
            self.ask("EHLO client.example", "250")
        if "user" in self.conversation.begins:
            self.ask("AUTH PLAIN " + USER, "235")

    def ask(self, line, pattern):
        self.sock.sendall(line.encode() + b"\r\n")
        self.expect(pattern)

    def secure(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.file.close()
        self.sock = context.wrap_socket(self.sock)
        self.file = self.sock.makefile("rb")

    def hang_up(self):
        for end in ("file", "sock"):
            if hasattr(self, end):
                getattr(self, end).close()

    def reply(self):
        lines = []
        while True:
            line = self.file.readline()
            if not line.endswith(b"\r\n"):
                raise Fails(f"the connection ended, after {lines + [line]!r}", True)
            text = line[:-2].decode("latin-1")
            if re.match(r"[2-5]\d\d[ -][\x20-\x7e]*$|[2-5]\d\d$", text) is None:
                raise Fails(f"no line of a reply (RFC 5321 4.2): {line!r}")
            if lines and lines[0][:3] != text[:3]:
                raise Fails(f"two codes in one reply (RFC 5321 4.2.1): {lines + [text]!r}")
            lines.append(text)
            if text[3:4] != "-":
                self.last = "\n".join(lines)
                return text

    # -- steps ------------------------------------------------------------------

    def step(self, step):
        kind, argument, where = step
        try:
            self.KINDS[kind](self, argument)
        except Fails as why:
            raise Fails(f"{where}: {why}", why.is_end) from None
        except OSError as why:
            raise Fails(f"{where}: {why!r}", True) from None

    def expect(self, pattern):
        text = self.reply()
        if re.match(pattern, text) is None:
            raise Fails(f"wanted {pattern!r}, got {self.last!r}")

    def has(self, pattern, text, what):
        if re.search(pattern, text, re.M) is None:
            raise Fails(f"{pattern!r} is not in {what}: {text[-3000:]!r}")

    def has_not(self, pattern, text, what):
        if re.search(pattern, text, re.M) is not None:
            raise Fails(f"{pattern!r} is in {what}: {text[-3000:]!r}")

    def say(self, argument):
        self.sock.sendall(script.expand(argument) + b"\r\n")

    def say_raw(self, argument):
        self.sock.sendall(script.expand(argument))

    def say_chunk(self, argument, last=b""):
        data = script.expand(argument)
        self.sock.sendall(b"BDAT %d%s\r\n" % (len(data), last) + data)

    def closes(self, argument):
        """The connection ends with nothing more said; with two numbers, in that many seconds."""
        least, most = (float(word) for word in argument.split()) if argument else (0, 20)
        began = time.monotonic()
        try:
            rest = self.file.read()
        except (ConnectionResetError, ssl.SSLError):
            rest = b""
        seconds = time.monotonic() - began
        if rest:
            raise Fails(f"before the end it said {rest!r}")
        if not least <= seconds <= most * story.SLOW:
            raise Fails(f"the end came after {seconds:.1f} seconds")

    def is_silent(self, argument):
        self.sock.settimeout(float(argument))
        try:
            got = self.sock.recv(1, socket.MSG_PEEK) if not isinstance(self.sock, ssl.SSLSocket) else self.sock.recv(1)
        except TimeoutError:
            got = None
        self.sock.settimeout(self.stage.TIMEOUT)
        if got is not None:
            raise Fails("it said something" if got else "it closed the connection")

    def finds_letter(self, recipient):
        """The one there is: a second one would be as wrong as none."""
        try:
            found = story.wait_for(f"a letter for {recipient}", lambda: self.stage.letters(recipient), self.stage.patience)
        except AssertionError as why:
            raise Fails(str(why)) from None
        if len(found) > 1:
            raise Fails(f"there are {len(found)} letters for {recipient}")
        self.letter = found[0]

    def finds_none(self, recipient):
        self.stage.settle()
        if found := self.stage.letters(recipient):
            raise Fails(f"there is a letter for {recipient}: {found[0].text!r}")

    def letter_text(self):
        return self.letter.text if self.letter else ""

    def letter_commands(self):
        return "\n".join(self.letter.commands) if self.letter else ""

    def logged(self, pattern):
        try:
            story.wait_for(f"{pattern!r} in the log", lambda: re.search(pattern, self.stage.log(), re.M), self.stage.patience)
        except AssertionError as why:
            raise Fails(str(why)) from None

    KINDS = {
        "C": say, "C-": say_raw, "B": say_chunk, "BL": lambda self, argument: self.say_chunk(argument, b" LAST"), "S": expect, "X": closes, "~": is_silent,
        "S+": lambda self, pattern: self.has(pattern, self.last, "the reply"),
        "S-": lambda self, pattern: self.has_not(pattern, self.last, "the reply"),
        "M": finds_letter, "M0": finds_none,
        "M+": lambda self, pattern: self.has(pattern, self.letter_text(), "the letter"),
        "M-": lambda self, pattern: self.has_not(pattern, self.letter_text(), "the letter"),
        "E+": lambda self, pattern: self.has(pattern, self.letter_commands(), "its commands"),
        "E-": lambda self, pattern: self.has_not(pattern, self.letter_commands(), "its commands"),
        "L+": logged,
        "L-": lambda self, pattern: self.has_not(pattern, self.stage.log(), "the log"),
        "TLS": lambda self, _: self.secure(),
    }
