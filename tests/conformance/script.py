# SPDX-License-Identifier: BSD-2-Clause
"""Reads the files of assertions; README.md tells their language."""
import re

ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}
STEPS = ("C", "C-", "B", "BL", "S", "S+", "S-", "X", "~", "M", "M+", "M-", "M0", "E+", "E-", "L+", "L-", "TLS")


class Assertion:
    """One sentence of an RFC, and the steps that show whether it holds."""

    def __init__(self, rfc, section, sentence, where):
        self.rfc, self.section, self.sentence, self.where = rfc, section, sentence, where
        self.steps = []  # (kind, argument, line number)
        self.but = ""  # why this is not what the RFC asks for

    def __str__(self):
        return f"{self.rfc} {self.section}: {self.sentence}" + (f" -- but {self.but}" if self.but else "")


class Conversation:
    """One connection: how it begins, and what is asserted in it."""

    def __init__(self, listener, words, where):
        self.listener, self.where = listener, where
        self.source = words[words.index("from") + 1] if "from" in words else "127.0.0.1"
        self.begins = [word for word in words if word in ("ehlo", "tls", "user")]
        self.before, self.assertions = [], []

    def add(self, steps):
        (self.assertions[-1].steps if self.assertions else self.before).extend(steps)


def inside(text):
    """Up to the } that closes it."""
    depth, at = 1, 0
    while True:
        depth += 1 if text.startswith("\\{", at) else -1 if text[at] == "}" else 0
        if depth == 0:
            return text[:at]
        at += 1


def expand(text):
    r"""What goes over the wire: \r \n \t \0 \\ \xHH, and \{N:text} for N times the text."""
    out, at = b"", 0
    while at < len(text):
        if text[at] != "\\":
            out += text[at].encode("utf-8")
            at += 1
        elif text[at + 1] == "x":
            out += bytes([int(text[at + 2:at + 4], 16)])
            at += 4
        elif text[at + 1] == "{":
            count, _, rest = text[at + 2:].partition(":")
            inner = inside(rest)
            out += int(count) * expand(inner)
            at += 2 + len(count) + 1 + len(inner) + 1
        else:
            out += ESCAPES[text[at + 1]]
            at += 2
    return out


def assertion(line, where):
    match = re.match(r"= (RFC \d+|CVE-\S+|VU#\d+) (\S+): (.+)$", line)
    if match is None:
        raise ValueError(f"{where}: an assertion is '= RFC NUMBER SECTION: sentence', not {line!r}")
    return Assertion(*match.groups(), where)


def steps(line, where):
    """One, or with *N behind its letter N of them."""
    match = re.match(r"([^:*]+?)(?:\*(\d+))?:( |$)", line)
    if match is None or match.group(1) not in STEPS:
        raise ValueError(f"{where}: no step is called {line!r}")
    return [(match.group(1), line[match.end():], where)] * int(match.group(2) or 1)


def read(path, name):
    """The conversations of a file."""
    found = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file.read().split("\n"), 1):
            where = f"{name}:{number}"
            if line == "" or line.startswith("#"):
                continue
            if line.startswith("@ "):
                words = line.split()[1:]
                found.append(Conversation(words[0], words[1:], where))
            elif not found:
                raise ValueError(f"{where}: a conversation begins with @")
            elif line.startswith("= "):
                found[-1].assertions.append(assertion(line, where))
            elif line.startswith("but: "):
                found[-1].assertions[-1].but = line[5:]
            else:
                found[-1].add(steps(line, where))
    return found
