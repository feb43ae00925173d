# SPDX-License-Identifier: BSD-2-Clause
"""Two private daemons with all kinds of listeners, and the next hosts their mail goes to.

plain     SMTP, everything offered          tls       TLS from the first byte
lmtp      LMTP                              msa       submission: TLS, and AUTH before MAIL
proxy     behind a proxy, 127.0.0.2         strict    its own daemon: short times, little allowed

Clients of 127.0.0.1 may relay, others are strangers; 127.0.0.3 may say XCLIENT.  Mail for full.example goes to a host that has all extensions, for bare.example to
one that has none, for old.example to one that knows HELO only, for box.example to one of LMTP, for no.example to one that refuses, and for
later.example to one that is busy; the domain null.example takes no mail.  What is for boxed@example.org goes into a Maildir."""
import os
import shutil
import socket
import subprocess
import sys
import time

import host
import story

USER = story.ME if not story.IS_ROOT else "nobody"  # whose mailbox is that of boxed@example.org
FULL = ("PIPELINING", "8BITMIME", "SIZE 1000000", "DSN", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DELIVERBY")
ZONE = "null.example MX 0 .\nfull.example MX 10 mx.full.example\nmx.full.example A 127.0.0.1\nclient.example A 127.0.0.1\nclient.example MX 10 client.example\n"


def crypted(password="secret"):
    """As crypt(3) has it, SHA-512."""
    return subprocess.run(["openssl", "passwd", "-6", password], check=True, capture_output=True, text=True).stdout.strip()


def refuses(verb, line):
    return "550 5.1.1 no such mailbox" if verb == "RCPT" else None


def is_busy(verb, line):
    return "450 4.2.1 busy" if verb == "RCPT" else None


class Stage:
    TIMEOUT = 30 * story.SLOW

    def __init__(self, test):
        self.test, self.marks = test, 0
        self.patience = 15  # seconds for a letter or a line in the log
        self.hosts = {
            "full": host.Host("mx.full.example", FULL), "bare": host.Host("mx.bare.example"), "old": host.Host("mx.old.example", None),
            "box": host.Host("mx.box.example", ("PIPELINING", "8BITMIME"), lmtp=True), "no": host.Host("mx.no.example", FULL, refuses),
            "later": host.Host("mx.later.example", FULL, is_busy),
        }
        self.certify()
        self.resolve()
        self.ports = {name: story.free_port() for name in ("plain", "tls", "lmtp", "msa", "proxy", "strict")}
        self.pr = self.daemon("pr", listeners=self.listeners(), auth=[{"module": "map", "map": "passwords"}], options=self.options())
        self.strict = self.daemon("strict", listeners=[self.listener("strict")], auth=[{"module": "map", "map": "passwords", "without_tls": True}],
                                  options=self.strict_options(), rules={"accept_unresolvable_domains": False})

    def certify(self):
        base = os.path.join(self.test.scratch, "server")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9", "-subj", "/CN=mail.example.org",
                        "-keyout", base + ".key", "-out", base + ".pem"], check=True, capture_output=True)
        if story.IS_ROOT:
            shutil.chown(base + ".key", "daemon")
        self.certificate = {"ServerCertFile": base + ".pem", "ServerKeyFile": base + ".key"}

    def resolve(self):
        zone = os.path.join(self.test.scratch, "zone")
        with open(zone, "w") as file:
            file.write(ZONE)
        self.server = subprocess.Popen([sys.executable, os.path.join(story.SOURCE, "tests", "tool", "dnsstub"), "127.0.0.1", "0", zone], stdout=subprocess.PIPE, text=True)
        self.resolver = "127.0.0.1:" + self.server.stdout.readline().strip()

    def listener(self, name, **more):
        return {"name": name, "address": "127.0.0.1", "port": self.ports[name], **more}

    def listeners(self):
        return [self.listener("plain"), self.listener("tls", modifiers="s"), self.listener("lmtp", protocol="lmtp"), self.listener("msa", modifiers="a"),
                self.listener("proxy", proxy=["127.0.0.2"])]

    def options(self):
        return {**self.certificate, "Resolver": [self.resolver], "SmtpUTF8": True, "MaxMessageSize": 200000, "MaxRecipientsPerMessage": 120, "MaxNOOPCommands": 0,
                "AliasFile": ["aliases"], "XclientNetworks": ["127.0.0.3"], "LogLevel": 10, "MinQueueAge": 0, "QueueInterval": "1h", "MaxHopCount": 30}

    def strict_options(self):
        return {**self.certificate, "Resolver": [self.resolver], "PrivacyOptions": ["goaway", "noetrn", "noreceipts"], "Timeout": {"command": "2s", "datablock": "2s"},
                "Chunking": False, "MaxMessagesPerConnection": 2, "DeliverByMin": -1, "MaxHeadersLength": 2000, "RequireTLS": False}

    def daemon(self, name, rules=None, **settings):
        boxes = os.path.join(self.test.scratch, name, "box")
        daemon = self.test.daemon(name, start=False, mailers={"box": {"module": "smtp", "lmtp": True}, "local": {"module": "local", "format": "maildir", "path": boxes + "/%u"}},
                                  **settings)
        os.chmod(boxes, 0o1777)
        domains = "".join(f"{domain}.example\t{'box' if domain == 'box' else 'esmtp'}:[127.0.0.1]:{one.port}\n" for domain, one in self.hosts.items())
        tables = {"mailertable": domains, "passwords": f"joe {crypted()}\n",
                  "aliases": "postmaster\troot@full.example\nlist\tone@full.example, two@full.example\nteam\tthree@full.example, four@full.example\njoe\tjoe@full.example\nkim\tkim@full.example\n"
                             "crew\tfive@full.example\nowner-crew\tboss@full.example\n" f"boxed\t{USER}\n"}
        daemon.settings["maps"] = {table: {"module": "text", "file": daemon.write(table, text)} for table, text in tables.items()}
        story.merge(daemon.settings["rules"], {"mailertable": "mailertable", "relay_clients": ["127.0.0.1"], "aliases": ["aliases"], **(rules or {})})
        daemon.port = daemon.settings["listeners"][0]["port"]
        return daemon.start()

    def close(self):
        for one in self.hosts.values():
            one.close()
        self.server.terminate()
        self.server.wait(30)
        self.server.stdout.close()

    # -- what players ask -----------------------------------------------------

    def connect(self, name, source):
        sock = socket.create_connection(("127.0.0.1", self.ports[name]), self.TIMEOUT, (source, 0))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def letters(self, recipient):
        if recipient == "boxed@example.org":
            return [host.Letter(None, [recipient], text, []) for text in self.pr.maildir(os.path.join(self.pr.top, "box", USER))]
        return [letter for one in self.hosts.values() for letter in list(one.letters) if recipient in letter.recipients]

    def settle(self):
        """All that was accepted before has been delivered."""
        self.marks += 1
        mark = f"mark{self.marks}.{time.monotonic_ns()}@full.example"
        self.pr.send("", [mark], "Subject: mark\n\nx\n")
        story.wait_for("the mark", lambda: self.letters(mark))
        time.sleep(0.2)

    def log(self):
        return self.pr.log() + self.strict.log()

    def faults(self):
        return [fault for one in self.hosts.values() for fault in one.faults]
