# SPDX-License-Identifier: BSD-2-Clause
"""A stage for stories: the real daemon in a scratch directory, scripted clients, next hosts and signals.

A story is a program with one sentence on top that says what must be true:

    import story
    class FirstLetter(story.Story):
        def test_maildir(self):
            daemon = self.daemon(local_domains=["example.org"])
            daemon.send("a@example.net", ["joe@example.org"], "Subject: hi\\n\\nhello\\n")
    if __name__ == "__main__":
        story.main()

Everything lives on 127.0.0.0/8 and in one scratch directory, and every process is ended by its pid.
Environment: top_builddir (where the program is), STORY_KEEP=1 (keep the scratch directory)."""
import contextlib
import os
import pwd
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BUILD = os.path.abspath(os.environ.get("top_builddir", "."))
SOURCE = os.path.abspath(os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), "..", "..")))
PROGRAM = os.path.join(BUILD, "postrider")
IS_ROOT = os.geteuid() == 0
IDLE = "0.00 0.00 0.00 1/1 1\n"  # whatever else this machine does, no story waits for it
SLOW = float(os.environ.get("STORY_SLOW", "3" if os.environ.get("SANITIZED") else "1"))
ME = pwd.getpwuid(os.geteuid()).pw_name


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, condition, seconds=20):
    """The condition's first true value; a failure that says what was waited for (text, or a function that gives it)."""
    end = time.monotonic() + seconds * SLOW
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds * SLOW:.0f} s in vain for {what() if callable(what) else what}")


class Client:
    """An SMTP client that shows every reply; one command at a time or a raw burst."""

    def __init__(self, port, address="127.0.0.1", source=None, timeout=30, helo="client.example"):
        self.sock = socket.create_connection((address, port), timeout * SLOW, (source, 0) if source else None)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb")
        self.greeting = self.reply()
        if helo and self.greeting[0] == 220:
            self.ehlo = self.command("EHLO " + helo)

    def reply(self):
        lines = []
        while True:
            line = self.file.readline()
            if not line:
                raise ConnectionError("connection closed" + (" after " + repr(lines) if lines else ""))
            lines.append(line.decode("latin-1").rstrip("\r\n"))
            if line[3:4] != b"-":
                return int(line[:3]), "\n".join(lines)

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def command(self, text):
        self.send(text + "\r\n")
        return self.reply()

    def expect(self, code, text):
        got = self.command(text)
        if got[0] != code:
            raise AssertionError(f"{text!r}: wanted {code}, got {got[1]!r}")
        return got[1]

    def message(self, sender, recipients, text):
        """The reply to the dot; the first refusal otherwise."""
        got = self.command(f"MAIL FROM:<{sender}>")
        if got[0] != 250:
            return got
        for recipient in recipients:
            got = self.command(f"RCPT TO:<{recipient}>")
            if got[0] not in (250, 251):
                return got
        got = self.command("DATA")
        if got[0] != 354:
            return got
        self.send(wire(text) + b".\r\n")
        return self.reply()

    def close(self, quit_first=True):
        with contextlib.suppress(OSError, ConnectionError):
            if quit_first:
                self.command("QUIT")
        self.file.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def wire(text):
    """Message text (LF) as SMTP sends it: CRLF, dots stuffed."""
    data = text if isinstance(text, bytes) else text.encode("latin-1")
    lines = data.split(b"\n")
    if lines and lines[-1] == b"":
        lines.pop()
    return b"".join((b"." + line if line.startswith(b".") else line) + b"\r\n" for line in lines)


class Sink:
    """A next host: keeps what it gets; `answer(verb, argument)` may return another reply line."""

    def __init__(self, answer=None, address="127.0.0.1", port=0):
        self.answer = answer or (lambda verb, argument: None)
        self.messages = []  # (sender, recipients, text with LF)
        self.connections = 0
        self.lock = threading.Lock()
        self.sock = socket.create_server((address, port), backlog=512)
        self.port = self.sock.getsockname()[1]
        self.running = True
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while self.running:
            try:
                peer, _ = self.sock.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        with contextlib.suppress(OSError), peer:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = peer.makefile("rb")
            say = lambda text: peer.sendall((text + "\r\n").encode("latin-1"))
            say(self.answer("CONNECT", "") or "220 sink ESMTP")
            sender, recipients = None, []
            for line in stream:
                words = line.decode("latin-1").rstrip("\r\n")
                verb = words[:4].upper()
                special = self.answer(verb, words)
                if special == "drop":
                    return
                if special:
                    say(special)
                    if special.startswith("421"):
                        return
                    continue
                if verb == "EHLO":
                    say("250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE")
                elif verb == "MAIL":
                    sender, recipients = between(words), []
                    say("250 2.1.0 ok")
                elif verb == "RCPT":
                    recipients.append(between(words))
                    say("250 2.1.5 ok")
                elif verb == "DATA":
                    if not recipients:
                        say("503 5.0.0 no recipients")
                        continue
                    say("354 go")
                    text = self._data(stream)
                    if text is None:
                        return
                    special = self.answer(".", text)
                    if special == "drop":
                        return
                    if not special:
                        with self.lock:
                            self.messages.append((sender, recipients, text))
                    say(special or "250 2.0.0 taken")
                elif verb == "QUIT":
                    say("221 bye")
                    return
                else:
                    say("250 ok")

    @staticmethod
    def _data(stream):
        lines = []
        for line in stream:
            if line == b".\r\n":
                return b"".join(lines).decode("latin-1")
            if not line.endswith(b"\r\n"):
                raise AssertionError(f"a line without CRLF on the wire: {line!r}")
            line = line[:-2] + b"\n"
            lines.append(line[1:] if line.startswith(b".") else line)
        return None

    def wait(self, count, seconds=30):
        wait_for(f"{count} messages at the sink, there are {len(self.messages)}", lambda: len(self.messages) >= count, seconds)
        return self.messages

    def close(self):
        self.running = False
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


def between(words):
    match = re.search(r"<([^>]*)>", words)
    return match.group(1) if match else words


def conf(value, depth=0):
    """Python values as libconfig text."""
    pad = "  " * (depth + 1)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, dict):
        return "{\n" + "".join(f"{pad}{k} = {conf(v, depth + 1)};\n" for k, v in value.items()) + "  " * depth + "}"
    return "( " + ", ".join(conf(v, depth + 1) for v in value) + " )"


class Daemon:
    """One private postrider: configuration, process, mailboxes."""

    def __init__(self, scratch, name="pr", settings=None, program=PROGRAM):
        self.top = os.path.join(scratch, name)
        self.program = program
        self.port = free_port()
        self.process = None
        for folder in ("run", "queue", "drop", "etc", "box"):
            os.makedirs(os.path.join(self.top, folder), exist_ok=True)
        os.chmod(self.top, 0o755)
        self.conf_path = os.path.join(self.top, "etc", "postrider.conf")
        self.log_path = os.path.join(self.top, "log")
        open(self.log_path, "a").close()
        os.chmod(self.log_path, 0o666)
        self.settings = {
            "module_directory": BUILD,
            "run_directory": os.path.join(self.top, "run"),
            "drop_directory": os.path.join(self.top, "drop"),
            "log": self.log_path,
            "options": {
                "QueueDirectory": os.path.join(self.top, "queue"), "HostName": "mail.example.org", "ResolveClients": False,
                "MinFreeBlocks": 0, "Resolver": ["127.0.0.1:9"], "LoadAverageFile": self.write("loadavg", IDLE),
            },
            "listeners": [{"name": "MTA", "address": "127.0.0.1", "port": self.port}],
            "maps": {},
            "rules": {"module": "routes", "local_domains": ["example.org"], "accept_unresolvable_domains": True},
        }
        if IS_ROOT:
            self.settings["users"] = {"receiver": "daemon", "courier": "bin"}
        merge(self.settings, settings or {})

    def write_conf(self, text=None):
        with open(self.conf_path, "w") as handle:
            handle.write(text if text is not None else "".join(f"{k} = {conf(v)};\n" for k, v in self.settings.items()))

    def write(self, name, text):
        path = os.path.join(self.top, "etc", name)
        with open(path, "w") as handle:
            handle.write(text)
        return path

    def start(self, *arguments, wait=True, descriptors=None, cf=None):
        """With a sendmail.cf, `cf`, whoever calls has named our configuration in POSTRIDER_CONF."""
        def limit():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
        self.write_conf()
        before = self.log().count(": starting daemon (")
        self.process = subprocess.Popen(
            [self.program, "-bD", "-C", cf or self.conf_path, *arguments], stdin=subprocess.DEVNULL,
            stdout=open(os.path.join(self.top, "out"), "ab"), stderr=subprocess.STDOUT, preexec_fn=limit)
        if wait:
            wait_for(lambda: "the greeting of the daemon\n" + self.log(), lambda: self.process.poll() is not None or
                     (self.log().count(": starting daemon (") > before and self.is_greeting()))
            if self.process.poll() is not None:
                raise AssertionError(f"the daemon left with {self.process.returncode}:\n{self.output()}\n{self.log()}")
        return self

    def is_greeting(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as probe:
                probe.settimeout(2)
                got = probe.recv(4)
                probe.sendall(b"QUIT\r\n")
                return got[:3] == b"220"
        except OSError:
            return False

    def output(self):
        with open(os.path.join(self.top, "out"), "rb") as handle:
            return handle.read().decode("latin-1")

    def log(self):
        with open(self.log_path, "rb") as handle:
            return handle.read().decode("latin-1")

    def wait_log(self, pattern, seconds=20):
        wait_for(f"log line {pattern!r} in\n{self.log()[-3000:]}", lambda: re.search(pattern, self.log()), seconds)

    def client(self, **arguments):
        return Client(self.port, **arguments)

    def send(self, sender, recipients, text):
        with self.client() as client:
            got = client.message(sender, recipients, text)
        if got[0] != 250:
            raise AssertionError(f"not accepted: {got[1]}")
        return got[1].split()[2]

    def ctl(self, *arguments, timeout=120):
        """postriderctl: exit status and all it printed."""
        done = self.run("postriderctl", "-C", self.conf_path, *arguments, timeout=timeout)
        return done.returncode, done.stdout

    def run(self, name, *arguments, text=None, timeout=60, env=None):
        """A command by its name; libtool's wrapper in the build tree would hide the name, so it is passed by."""
        libs = os.path.join(BUILD, ".libs")
        program = os.path.join(libs, "sendmail" if name == "sendmail" else "postrider")
        return subprocess.run([name, *arguments], executable=program, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=timeout * SLOW,
                              env={**os.environ, "POSTRIDER_BIN": self.program, "LD_LIBRARY_PATH": libs, **(env or {})})

    def processes(self):
        """{pid: role} of the daemon's whole tree."""
        found = {}
        for pid in descendants(self.process.pid):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/cmdline", "rb") as handle:
                    words = handle.read().decode("latin-1").split("\0")
                if "--role" in words:
                    found[pid] = words[words.index("--role") + 1]
                else:  # a child of the master that has not executed anything looks like it
                    found[pid] = "master" if pid == self.process.pid else "child"
        return found

    def stop(self, seconds=30):
        """SIGTERM and the exit status."""
        if self.process is None:
            return 0
        tree = descendants(self.process.pid)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds * SLOW)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("the daemon did not leave after SIGTERM\n" + self.log()[-2000:])
        for pid in tree:
            wait_for(f"process {pid} to leave with its master", lambda p=pid: not is_alive(p), 10)
        return self.process.returncode

    def kill(self):
        """SIGKILL for the whole tree, by pid.  The master stands still before the others are counted: else it would start anew whom it sees die."""
        self.process.send_signal(signal.SIGSTOP)
        for pid in descendants(self.process.pid):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def maildir(self, path):
        folder = os.path.join(path, "new")
        if not os.path.isdir(folder):
            return []
        result = []
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), "rb") as handle:
                result.append(handle.read().decode("latin-1"))
        return result

    def listed_ids(self):
        """Everything the operator sees: files, and what is still in the store's journal."""
        listed = self.run("postriderctl", "-C", self.conf_path, "queue", "list")
        return [line.split()[0] for line in listed.stdout.splitlines() if re.match(r"[0-9A-Za-x]{14,}\s", line)]

    def queue_ids(self):
        found = []
        for _, _, names in os.walk(os.path.join(self.top, "queue")):
            found += [name[2:] for name in names if name[:2] in ("qf", "hf", "Qf")]
        return sorted(found)


def merge(into, more):
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        elif value is None:
            into.pop(key, None)
        else:
            into[key] = value


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as handle:
            return handle.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def write_load(path, load):
    """A load average for LoadAverageFile, in one step: the daemon may read it at any moment."""
    with open(path + ".new", "w") as file:
        file.write(f"{load} 1.00 1.00 1/100 4711\n")
    os.chmod(path + ".new", 0o644)
    os.rename(path + ".new", path)


def fill_disk(path):
    """A file that takes all the room its file system has."""
    with open(path, "wb", buffering=0) as filler:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    filler.write(b"x" * size)
            except OSError:
                pass


def descendants(top):
    """The pid and all below it, parents first."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                with open(f"/proc/{name}/stat") as handle:
                    children.setdefault(int(handle.read().rsplit(")", 1)[1].split()[1]), []).append(int(name))
    order, pending = [], [top]
    while pending:
        pid = pending.pop(0)
        if is_alive(pid):
            order.append(pid)
        pending += children.get(pid, [])
    return order


class Story(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.mkdtemp(prefix="postrider-story-")
        os.chmod(self.scratch, 0o755)
        self.daemons, self.sinks = [], []

    def daemon(self, name="pr", start=True, **settings):
        """A daemon with these settings merged in; keyword names are the top-level keys of postrider.conf."""
        daemon = Daemon(self.scratch, name, settings)
        self.daemons.append(daemon)
        return daemon.start() if start else daemon

    def sink(self, *arguments, **keywords):
        sink = Sink(*arguments, **keywords)
        self.sinks.append(sink)
        return sink

    def tearDown(self):
        for daemon in self.daemons:
            if daemon.process is not None and daemon.process.poll() is None:
                try:
                    daemon.stop()
                except AssertionError as failure:
                    self.fail(str(failure))
        for sink in self.sinks:
            sink.close()
        for daemon in self.daemons:
            for marker in ("AddressSanitizer", "runtime error:", "ThreadSanitizer", "LeakSanitizer"):
                if daemon.process is not None and (marker in daemon.output() or marker in daemon.log()):
                    self.fail(f"{marker} complains:\n{daemon.output()[-6000:]}")
        if not os.environ.get("STORY_KEEP"):
            shutil.rmtree(self.scratch, ignore_errors=True)


def main():
    program = unittest.main(verbosity=2, exit=False, argv=[sys.argv[0]] + sys.argv[1:])
    sys.exit(0 if program.result.wasSuccessful() and program.result.testsRun > 0 else 1)
