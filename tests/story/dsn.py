#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Notices are what the real sendmail writes for the same mail, but for the differences that tests/oracle/dsn/differs.tsv gives a reason for.

The situations and the expectation lie in tests/oracle/dsn (tests/oracle/receipts asks the real program anew); here the daemon plays them."""
import difflib
import os
import pwd
import re
import subprocess
import sys
import unittest

import story

DATA = os.path.join(story.SOURCE, "tests", "oracle", "dsn")
sys.path.insert(0, DATA)
sys.dont_write_bytecode = True
import stage  # noqa: E402


def read(name):
    with open(os.path.join(DATA, name), encoding="latin-1") as file:
        return file.read()


class Differences:
    """Rows of differs.tsv: situation (or *), what sendmail wrote, what we write (@: all of ours/SITUATION.txt), why; each must be of use."""

    def __init__(self, text):
        self.rows = []
        for number, line in enumerate(text.splitlines(), 1):
            if line and not line.startswith("#"):
                fields = line.split("\t")
                if len(fields) != 4 or not fields[3].strip():
                    raise AssertionError(f"differs.tsv:{number}: situation, theirs, ours and a reason, separated by tabs")
                self.rows.append((number, fields[0], self.unescape(fields[1]), self.unescape(fields[2])))
        self.used = set()

    @staticmethod
    def unescape(text):
        return text.replace("\\n", "\n")

    def apply(self, name, text):
        """What we are expected to write where sendmail wrote `text`."""
        for number, situation, theirs, ours in self.rows:
            if situation == name or (situation == "*" and re.search(theirs, text, re.M)):
                changed = read(f"ours/{name}.txt") if ours == "@" else re.sub(theirs, ours, text, flags=re.M)
                if changed == text:
                    raise AssertionError(f"differs.tsv:{number}: sendmail's notice in {name} has no {theirs!r}")
                text = changed
                self.used.add(number)
        return text

    def unused(self):
        return [number for number, *_ in self.rows if number not in self.used]


def free_port():
    """A port that all addresses of the hosts have free."""
    for _ in range(50):
        port = story.free_port()
        try:
            stage.Stage(port).close()
            return port
        except OSError:
            continue
    raise AssertionError("no port is free on all addresses of the hosts")


class Notices(story.Story):
    @classmethod
    def setUpClass(cls):
        cls.differences = Differences(read("differs.tsv"))
        cls.port = free_port()
        cls.hosts = stage.Stage(cls.port)

    @classmethod
    def tearDownClass(cls):
        cls.hosts.close()

    def name_server(self):
        zone = os.path.join(self.scratch, "zone")
        with open(zone, "w") as file:
            file.write(stage.ZONE)
        program = os.path.join(story.SOURCE, "tests", "tool", "dnsstub")
        process = subprocess.Popen([sys.executable, program, "127.0.0.1", "0", zone], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return int(process.stdout.readline().split()[-1])

    def relay(self, options):
        nested = {}
        for name, value in options:
            group, _, rest = name.partition(".")
            if rest:
                nested.setdefault(group, {})[rest] = value
            else:
                nested[name] = {"true": True, "false": False}.get(value, value)
        if "PrivacyOptions" in nested:
            nested["PrivacyOptions"] = [nested["PrivacyOptions"]]
        name = f"pr{len(self.daemons)}"
        box = os.path.join(self.scratch, name, "box", "%u")
        daemon = self.daemon(
            name, start=False,
            options={"HostName": "mail.corp.example", "ResolveClients": True, "Resolver": [f"127.0.0.1:{self.resolver}"], "AliasFile": ["aliases"],
                     "QueueInterval": "1s" if any(o[0] == "MinQueueAge" for o in options) else "1h", **nested},
            maps={"aliases": {"module": "text", "file": "ALIASES"}},
            mailers={"local": {"module": "local", "format": "maildir", "path": box}, "esmtp": {"module": "smtp", "port": self.port}},
            rules={"local_domains": ["corp.example", "mail.corp.example"]})
        includes = os.path.join(daemon.top, "etc", "")
        for key, text in stage.INCLUDES.items():
            daemon.write(key, text.replace("USER", story.ME))
        lines = (f"{key}\t{value.replace('USER', story.ME).replace(', ', ',').replace('INCLUDES/', includes)}\n" for key, value in stage.ALIASES.items())
        daemon.settings["maps"]["aliases"]["file"] = daemon.write("aliases", "".join(lines))
        daemon.settings["options"]["MaxQueueAge"] = "1s"
        os.chmod(os.path.join(daemon.top, "box"), 0o1777)
        return daemon.start()

    def compare(self, situation, daemon):
        got = stage.play(self.hosts, situation, daemon.port, story.ME, lambda: None, 0.25)
        want = self.differences.apply(situation.name, read(f"expected/{situation.name}.txt"))
        if got != want:
            self.fail("an unexplained difference (- sendmail and differs.tsv, + postrider):\n" +
                      "".join(difflib.unified_diff(want.splitlines(True), got.splitlines(True), n=2)) )

    def test_every_situation(self):
        self.resolver = self.name_server()
        only = os.environ.get("DSN_ONLY", "").split()
        for options, situations in stage.by_options(stage.SITUATIONS).items():
            if only:
                situations = [s for s in situations if s.name in only]
                if not situations:
                    continue
            daemon = self.relay(options)
            for situation in situations:
                with self.subTest(situation.name):
                    self.compare(situation, daemon)
            daemon.stop()
        if not only:
            self.assertEqual(self.differences.unused(), [], "lines of differs.tsv that explain nothing any more")


if __name__ == "__main__":
    story.main()
