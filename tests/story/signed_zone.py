# SPDX-License-Identifier: BSD-2-Clause
"""An authoritative server with signed zones: knotd, which signs when it starts.

    server = signed_zone.Server(folder, {"test.": zone_text, "plain.test.": ..., "bogus.test.": ...}, signed=["test."])
    server.address                                          # "127.0.0.1:5353", for Resolver
    server.anchors                                          # a file, for TrustAnchorFile
    server.change("test.", zone_text)
    server.stop()

clock="-30d": it signed last month, for two weeks.

A zone text has no SOA and no NS; both are put in front.  A delegation to another zone of the same server is a line of the parent: "plain NS ns.test.", and
with a DS record of any digest the child is a forgery."""
import os
import shutil
import signal
import socket
import subprocess
import time

import story

CONF = """server:
    rundir: "{folder}/run"
    listen: 127.0.0.1@{port}
database:
    storage: "{folder}/db"
log:
  - target: stderr
    any: warning
policy:
  - id: once
    single-type-signing: on
    algorithm: ecdsap256sha256
    nsec3: {nsec3}
zone:
"""
ZONE = """  - domain: {name}
    file: "{folder}/{name}zone"
    zonefile-sync: -1
    journal-content: none
    dnssec-signing: {signing}
    dnssec-policy: once
"""
HEAD = "$ORIGIN {name}\n$TTL 60\n@ SOA ns.test. hostmaster.test. {serial} 3600 600 86400 60\n@ NS ns.test.\n"


def is_there():
    return shutil.which("knotd", path="/usr/sbin:/usr/bin") is not None and shutil.which("keymgr", path="/usr/sbin:/usr/bin") is not None


class Server:
    def __init__(self, folder, zones, signed, nsec3=False, clock=None):
        self.folder, self.port = folder, story.free_port()
        self.address, self.serial = f"127.0.0.1:{self.port}", 1
        for name in ("", "run", "db"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        conf = CONF.format(folder=folder, port=self.port, nsec3="on" if nsec3 else "off")
        for name, text in zones.items():
            conf += ZONE.format(name=name, folder=folder, signing="on" if name in signed else "off")
            self.write(f"{name}zone", HEAD.format(name=name, serial=1) + text)
        self.conf = self.write("knot.conf", conf)
        self.errors = open(os.path.join(folder, "log"), "wb")
        self.process = subprocess.Popen([*(["faketime", "-f", clock] if clock else []), "/usr/sbin/knotd", "-c", self.conf], stdin=subprocess.DEVNULL, stdout=self.errors, stderr=subprocess.STDOUT,
                                        start_new_session=True)  # faketime has it for a child: both are ended
        try:
            story.wait_for(lambda: "an answer of knotd: " + self.log(), lambda: all(self.answers(name) for name in zones))
            self.anchors = self.write("anchors", "".join(self.run("keymgr", "-c", self.conf, name, "ds") for name in signed))
        except BaseException:
            self.stop()  # nobody else knows of it yet
            raise
        os.chmod(folder, 0o755)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as handle:
            handle.write(text)
        os.chmod(path, 0o644)
        return path

    def run(self, name, *words):
        done = subprocess.run(["/usr/sbin/" + name, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        if done.returncode != 0:
            raise AssertionError(f"{name} {' '.join(words)}: {done.stderr}")
        return done.stdout

    def change(self, name, text):
        """Another text for a zone."""
        self.serial += 1
        self.write(f"{name}zone", HEAD.format(name=name, serial=self.serial) + text)
        self.run("knotc", "-b", "-c", self.conf, "zone-reload", name)

    def log(self):
        with open(os.path.join(self.folder, "log")) as handle:
            return handle.read()

    def answers(self, name):
        """Does it serve that zone?  A question for its SOA."""
        question = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split(".")) + b"\0\0\6\0\1"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(1)
            try:
                sock.sendto(b"\x12\x34\0\0\0\1\0\0\0\0\0\0" + question, ("127.0.0.1", self.port))
                answer = sock.recv(4096)
            except OSError:
                return False
        return answer[3] & 15 == 0 and answer[7] > 0

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            end = time.monotonic() + 30
            while self.process.poll() is None and time.monotonic() < end:
                time.sleep(0.02)
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.errors.close()
