# SPDX-License-Identifier: BSD-2-Clause
"""One daemon of a site, real or ours, with all that is around it: tables, names, next hosts, mailboxes.

    with Site("sendmail") as site:      # or "ours": in namespaces of its own, so that both have the same file, port and addresses
        site.play(sessions)             # -> [(session, command, reply)]
        site.results()                  # -> [(tag of a message, all that came of it)]"""
import concurrent.futures
import glob
import os
import re
import socket
import stat
import subprocess
import threading
import time

import plays
import world
import sendmail
import story

PORT = 25
BOX = "/var/mail/box"
DELIVER = """#!/bin/sh
# the local mailer: one file for each letter, complete when it has its name
letter=$(mktemp {box}/.new.XXXXXX) && {{ echo "$1 $2"; cat; }} >"$letter" && mv "$letter" "{box}/$(basename "$letter" | cut -c 2-)"
"""
DUMP = "/var/mail/dump"
WRITE = """#!/bin/sh
# what a rule set knows: one line for each call
printf '%s\\n' "$1" >>{dump}
"""
CONF = """module_directory = "{build}";
run_directory = "/run/postrider";
drop_directory = "/var/spool/drop";
log = "{log}";
users = {{ receiver = "postrider"; courier = "postrider-q"; }};
options = {{ MinFreeBlocks = 0; }};
"""
OFFERS = {"127.0.0.7": ["PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "SIZE", "DSN"], "127.0.0.2": ["8BITMIME", "SIZE"], "127.0.0.4": []}
PLACES = ("/run/postrider", "/run/sendmail/mta", "/var/spool/drop", BOX, "/var/lib/sendmail/host_status")
QUIET = 10.0  # seconds without another letter: that was all, on a busy machine, too


class NextHost:
    """What it got, with the words of the envelope; a recipient's name says what it refuses."""

    def __init__(self, address, offers, got):
        self.address, self.offers, self.got = address, offers, got
        self.session = threading.local()
        self.sink = story.Sink(self.answer, address, PORT)

    def answer(self, verb, words):
        if verb == "EHLO":
            return "\r\n".join(["250-next"] + ["250-" + word for word in self.offers] + ["250 HELP"])
        if verb == "MAIL":
            self.session.words = [words]
        if verb == "RCPT":
            if "<refused" in words:
                return "550 5.1.1 no such mailbox"
            self.session.words.append(words)
        if verb == "." and len(self.session.words) > 1:
            self.got.append((self.address, self.session.words, words))
            self.session.words = []
        return None


class Talk:
    """A connection whose replies are taken as they come, up to its end."""

    def __init__(self, source, port=PORT):
        self.sock = socket.create_connection(("127.0.0.1", port), 30, (source, 0))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb")

    def reply(self):
        lines = []
        try:
            while not lines or lines[-1][3:4] == b"-":
                line = self.file.readline()
                if not line:
                    return b"".join(lines) + b"(closed)\n"
                lines.append(line)
        except ConnectionError:
            return b"".join(lines) + b"(closed)\n"
        except OSError:  # a reader that waited in vain once reads no more
            return b"".join(lines) + b"(no reply)\n"
        return b"".join(lines)

    def say(self, data):
        try:
            self.sock.sendall(data)
        except OSError:
            pass  # the reply tells

    def close(self):
        self.file.close()
        self.sock.close()


def played(session):
    """Every step's reply."""
    answers = []
    if session.before:
        time.sleep(session.before)
    talk = Talk(session.source, session.port)
    try:
        for step in session.steps:
            step.run(talk, lambda what, reply: answers.append((session.name, what, reply)))
    finally:
        talk.close()
    return answers


class Site(world.World):
    zone = os.path.join(world.HERE, "daemons.zone")

    def __init__(self, who, settings="daemons"):
        self.who, self.settings, self.got, self.log = who, settings, [], "/var/mail/log"
        self.process, self.hosts = None, []

    def __enter__(self):
        super().__enter__()
        try:
            self.cf = self.make_cf()
            self.places()
            self.hosts = [NextHost(address, offers, self.got) for address, offers in OFFERS.items()]
            self.process = self.start()
            story.wait_for(self.explain, self.is_up, 60)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *words):
        if self.process is not None:
            self.stop()
        super().__exit__(*words)

    def make_cf(self):
        """As m4 made it, to the byte."""
        path, remarks = self.configuration(self.settings)
        if remarks.replace("*** WARNING", "").count("***") or "ERROR" in remarks:
            raise SystemExit(f"m4: {remarks}")
        with open(path) as handle:
            text = handle.read()
        world.write(path, text.removesuffix(world.EPILOGUE))
        return path

    def tables(self):
        super().tables()
        for name, text in plays.TABLES.items():
            path = world.SETTINGS + name
            world.write(path, text)
            os.chmod(path, 0o644)
            if name in world.HASHED:
                with open(path, "rb") as handle:
                    world.must("makemap", "hash", path, executable=world.MAKEMAP, stdin=handle, env=self.environment)
        for name in world.HASHED:
            os.chmod(world.SETTINGS + name + ".db", 0o644)  # as a site does before our users read them

    def places(self):
        world.must("mount", "-t", "tmpfs", "-o", "mode=755", "world", "/var/lib")
        for place in PLACES:
            os.makedirs(place, exist_ok=True)
        os.chmod(BOX, 0o1777)
        for place in ("/run/sendmail/mta", "/var/lib/sendmail", "/var/lib/sendmail/host_status"):
            os.chown(place, self.people["smmta"], self.people["smmsp"])
        world.write("/mnt/deliver", DELIVER.format(box=BOX))
        world.write("/mnt/dump", WRITE.format(dump=DUMP))
        for program in ("/mnt/deliver", "/mnt/dump"):
            os.chmod(program, 0o755)
        for path in (self.log, DUMP):
            world.write(path, "")
            os.chmod(path, 0o666)
        world.write(world.SETTINGS + "postrider.conf", CONF.format(build=story.BUILD, log=self.log))
        world.must("sendmail", "-bi", "-C", self.cf, executable=sendmail.PROGRAM, env=self.environment)
        os.chmod(world.SETTINGS + "aliases.db", 0o644)

    def program(self, *words):
        if self.who == "sendmail":
            return {"args": ["sendmail", "-C", self.cf, *words], "executable": sendmail.PROGRAM, "env": self.environment}
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TZ": "UTC", "POSTRIDER_CONF": world.SETTINGS + "postrider.conf"}
        return {"args": [story.PROGRAM, "sendmail", "-C", self.cf, *words], "env": environment}

    def start(self):
        self.output = open("/var/mail/output", "w+b")
        return subprocess.Popen(**self.program("-bD"), stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT)

    def explain(self):
        texts = []
        for path in ("/var/mail/output", self.log):
            with open(path, errors="replace") as handle:
                texts.append(handle.read()[-3000:])
        return f"the greeting of {self.who}\n" + "\n".join(texts)

    def is_up(self):
        if self.process.poll() is not None:
            raise SystemExit(f"{self.who} left with {self.process.returncode}\n{self.explain()}")
        try:
            talk = Talk("127.0.0.1")
        except OSError:
            return False
        talk.say(b"QUIT\r\n")
        said = talk.reply()
        talk.close()
        return said.startswith(b"220")

    def stop(self):
        for pid in story.descendants(self.process.pid):
            if pid == self.process.pid or self.who == "sendmail":
                try:
                    os.kill(pid, 15)
                except ProcessLookupError:
                    pass
        self.process.wait(60)
        for host in self.hosts:
            host.sink.close()

    def play(self, sessions):
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            return [answer for answers in pool.map(played, sessions) for answer in answers]

    def letters(self):
        """What lies in mailboxes."""
        for path in sorted(glob.glob(BOX + "/[!.]*")):
            if stat.S_ISREG(os.stat(path).st_mode):
                with open(path, encoding="latin-1") as handle:
                    head, _, text = handle.read().partition("\n")
                yield "mailbox", [head], text

    def everything(self):
        return list(self.got) + list(self.letters())

    def wait(self):
        """Until nothing more comes."""
        count, since = -1, time.monotonic()
        while time.monotonic() - since < QUIET:
            if len(self.everything()) != count:
                count, since = len(self.everything()), time.monotonic()
            time.sleep(0.2)

    def dumped(self):
        """[(set and macro, client, value)] of all calls of the sets that write down what they know, in the order of each session; of deliveries, which have none, sorted."""
        with open(DUMP, encoding="latin-1") as handle:
            lines = handle.read().splitlines()
        for line in [line for line in lines if not "!compat!" in line] + sorted("compat" + line for line in lines if "!compat!" in line):
            client, hook, _, *values = line.split("!")
            for macro, value in (value.split("=", 1) for value in values):
                yield f"{hook}.{macro}", b"a delivery" if hook == "compat" else client.encode(), value.strip().encode("latin-1")

    def results(self):
        """Each message by its tag: every copy of it, where it went, with which words, and its bytes."""
        self.wait()
        found = {}
        for where, words, text in self.everything():
            tag = re.search(r"X-Tag: ([\w.-]+)", text)
            shown = f"==== {where}\n" + "\n".join(words) + "\n----\n" + text
            found.setdefault(tag.group(1) if tag else "no tag", []).append(shown)
        return found
