#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The prompt of sendmail -bt on a terminal: keys are typed into a pseudo-terminal, and what the program prints there is read back.  Lines come again
with the arrow, can be mended before they are sent, and commands are completed with the tab; a pipe gets none of that."""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import tempfile
import termios
import time
import unittest

import story

CF = """V10/Berkeley
Dafirst
Mlocal, P=/bin/true, F=lsDFMAw5:/|@qPS, A=x $u
Mprog, P=/bin/true, F=lsD, A=x $u
S0
R$*\t$#local $: $1
S7
R$*\t$: seven $1
"""
UP, LEFT, TAB, END = b"\x1b[A", b"\x1b[D", b"\t", b"\x04"
ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>()][AB0]?")


class Terminal:
    """The program with a terminal of its own; what it printed is kept without the terminal's own codes."""

    def __init__(self, place, term="vt100"):
        path, conf = os.path.join(place, "small.cf"), os.path.join(place, "postrider.conf")
        with open(path, "w") as handle:
            handle.write(CF)
        with open(conf, "w") as handle:
            handle.write(f'module_directory = "{story.BUILD}";\n')
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        environment = {"PATH": "/usr/bin:/bin", "TERM": term, "HOME": place, "POSTRIDER_CONF": conf,
                       "ASAN_OPTIONS": "detect_leaks=0"}  # libedit keeps two words of its own for the life of a process
        self.process = subprocess.Popen([story.PROGRAM, "sendmail", "-bt", "-C", path], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True)
        os.close(theirs)
        self.printed = b""

    def read(self, wanted, seconds=30):
        """All that is printed up to `wanted` and no further byte for a moment."""
        begun, limit = len(self.printed), time.monotonic() + seconds
        while time.monotonic() < limit:
            found = wanted in ESCAPES.sub(b"", self.printed[begun:])
            if not select.select([self.ours], [], [], 0.3)[0]:
                if found:
                    return ESCAPES.sub(b"", self.printed[begun:])
                continue
            try:
                data = os.read(self.ours, 4096)
            except OSError:
                break
            self.printed += data
        raise AssertionError(f"{wanted!r} did not come:\n{self.printed!r}")

    def type(self, keys, wanted):
        os.write(self.ours, keys)
        return self.read(wanted)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.ours)


class Prompt(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory(prefix="postrider-prompt-")
        self.terminal = Terminal(self.place.name)
        self.terminal.read(b"Enter <ruleset> <address>\r\n> ")

    def tearDown(self):
        self.terminal.close()
        self.place.cleanup()

    def test_history(self):
        self.assertNotIn(b"returns", self.terminal.type(b"$a\r", b"first\r\n> "))
        self.terminal.type(b"7 joe\r", b"returns: seven joe\r\n> ")
        self.terminal.type(b".Dasecond\r", b"> ")
        self.terminal.type(UP + UP + UP + b"\r", b"second\r\n> ")  # $a again
        self.terminal.type(UP + UP + UP + b"\r", b"returns: seven joe\r\n> ")

    def test_a_line_is_mended(self):
        self.terminal.type(b"7 jo" + LEFT + LEFT + b"big" + b"\r", b"returns: seven bigjo\r\n> ")
        self.terminal.type(b"7 wrong\x15" + b"7 right\r", b"returns: seven right\r\n> ")

    def test_completion(self):
        self.assertIn(b"Parsing envelope recipient address\r\n3                  input: joe", self.terminal.type(b"/par" + TAB + b"joe\r", b"Parsing"))
        # /try and /tryflags begin so: only what is common is added, and what is typed then decides
        self.assertNotIn(b"nknown", self.terminal.type(b"/tr" + TAB + TAB + b"f" + TAB + b"HR\r", b"\r\n> "))
        self.assertIn(b"nknown", self.terminal.type(b"/tr" + TAB + b"g" + TAB + b"HR\r", b"\r\n> "))
        os.write(self.terminal.ours, b"/qu" + TAB + b"\r")
        self.assertEqual(self.terminal.process.wait(30), 0)

    def test_the_end_of_input(self):
        os.write(self.terminal.ours, END)
        self.assertEqual(self.terminal.process.wait(30), 0)


class Plain(unittest.TestCase):
    def test_a_terminal_that_can_do_nothing(self):
        with tempfile.TemporaryDirectory(prefix="postrider-prompt-") as place:
            terminal = Terminal(place, "dumb")
            try:
                terminal.read(b"Enter <ruleset> <address>\r\n> ")
                terminal.type(b"7 joe\r", b"returns: seven joe\r\n> ")
            finally:
                terminal.close()


if __name__ == "__main__":
    story.main()
