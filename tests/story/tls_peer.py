# SPDX-License-Identifier: BSD-2-Clause
"""Next hosts that speak TLS, and the certificates they show; what each connection said is kept, line by line.

    pki = tls_peer.Authority(folder)                     # a root of its own
    good = pki.certificate("good.example")               # -> (certificate, key); days=-1: expired
    peer = tls_peer.Peer(certificate=good)               # offers STARTTLS
    peer.conversations                                   # [["EHLO x", "STARTTLS", "TLSv1.3 sni=good.example", "EHLO x", "MAIL ..."]]

manner: "" as it should be; "refuses" STARTTLS for now, "breaks" hangs up in the handshake, "silent" says nothing in it, "babbles" answers it with something else, "injects" sends
more replies in one segment with the 220."""
import base64
import contextlib
import datetime
import hashlib
import hmac
import os
import socket
import ssl
import subprocess
import threading

import story

SUBJECT = "/C=AQ/O=Test/CN={}"


class Authority:
    def __init__(self, folder, name="Root of the Test"):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.path = os.path.join(folder, "root.pem")
        self.key = os.path.join(folder, "root.key")
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", SUBJECT.format(name),
                 "-keyout", self.key, "-out", self.path)

    def run(self, *words):
        done = subprocess.run(["openssl", *words], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise AssertionError(f"openssl {' '.join(words)}: {done.stdout}")

    def certificate(self, name, expired=False, own=False, rsa=False, names=()):
        """Signed by the root, or by itself; its key is ECDSA P-256 unless `rsa`; `names` are its alternative ones."""
        base = os.path.join(self.folder, name + ("-old" if expired else "") + ("-own" if own else "") + ("-rsa" if rsa else ""))
        files = base + ".pem", base + ".key"
        kind = ["rsa:2048"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        self.run("req", "-new", "-newkey", *kind, "-nodes", "-subj", SUBJECT.format(name), "-keyout", files[1], "-out", base + ".csr")
        signer = ["-selfsign", "-keyfile", files[1]] if own else ["-cert", self.path, "-keyfile", self.key]
        return self.sign(base, files, signer, expired, names)

    def sign(self, base, files, signer, expired, names=()):
        """With `ca`, which can date a certificate back."""
        now = datetime.datetime.now(datetime.timezone.utc)
        begin, end = (now - datetime.timedelta(days=9), now - datetime.timedelta(days=2)) if expired else (now - datetime.timedelta(days=1), now + datetime.timedelta(days=9))
        conf = base + ".cnf"
        with open(conf, "w") as handle:
            handle.write("[ca]\ndefault_ca=x\n[x]\ndatabase=%s.db\nrand_serial=yes\nunique_subject=no\nnew_certs_dir=%s\ndefault_md=sha256\npolicy=p\n"
                         "[p]\nC=optional\nO=optional\nCN=supplied\n" % (base, self.folder))
            if names:
                handle.write("[e]\nsubjectAltName=" + ",".join("DNS:" + name for name in names) + "\n")
        open(base + ".db", "w").close()
        stamp = "%y%m%d%H%M%SZ"
        self.run("ca", "-batch", "-notext", "-config", conf, "-in", base + ".csr", "-out", files[0], "-startdate", begin.strftime(stamp), "-enddate", end.strftime(stamp),
                 *(["-extensions", "e"] if names else []), *signer)
        os.chmod(files[1], 0o600)
        return files


class Peer(story.Sink):
    def __init__(self, answer=None, address="127.0.0.1", port=0, certificate=None, manner="", root=None, auth=(), user=("joe", "secret"), versions=None, name="peer.example", remembers=False):
        self.certificate, self.manner, self.auth, self.user, self.name = certificate, manner, auth, user, name
        self.conversations = []
        self.root, self.versions = root, versions
        self.remembers, self.kept = remembers, None  # sessions of TLS: for that its context must be one
        self.offers = "250-%s\r\n250-PIPELINING\r\n250-8BITMIME\r\n" % name
        super().__init__(answer, address, port)

    def context(self):
        """Whole before another thread sees it."""
        with self.lock:
            if not (self.remembers and self.kept):
                self.kept = self.new_context()
            return self.kept

    def new_context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate)
        if self.versions:
            context.minimum_version = context.maximum_version = self.versions
        if self.root:  # ask for the client's certificate
            context.verify_mode = ssl.CERT_OPTIONAL
            context.load_verify_locations(self.root)
        return context

    def _serve(self, peer):
        conversation = []
        with self.lock:
            self.conversations.append(conversation)
        with contextlib.suppress(OSError, ValueError):
            with peer:
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                talk = Talk(self, peer, conversation)
                try:
                    talk.run()
                finally:
                    talk.stream.close()
                    talk.sock.close()


class Talk:
    def __init__(self, peer, sock, conversation):
        self.peer, self.sock, self.conversation = peer, sock, conversation
        self.secure, self.sender, self.recipients, self.user = False, None, [], None
        self.stream = sock.makefile("rb")

    def say(self, text):
        self.sock.sendall((text + "\r\n").encode("latin-1"))

    def run(self):
        self.say(self.peer.answer("CONNECT", "") or f"220 {self.peer.name} ESMTP")
        while True:
            line = self.stream.readline()
            if not line:
                self.conversation.append("(gone)")
                return
            words = line.decode("latin-1").rstrip("\r\n")
            self.conversation.append(words)
            verb = words.split(" ")[0].split(":")[0].upper()
            special = self.peer.answer(verb, words)
            if special == "drop":
                return
            if special:
                self.say(special)
                if special.startswith("421"):
                    return
                continue
            if not getattr(self, "on_" + verb.lower(), self.on_other)(words):
                return

    def on_other(self, words):
        self.say("250 ok")
        return True

    def on_ehlo(self, words):
        more = ""
        if self.peer.certificate and not self.secure:
            more += "250-STARTTLS\r\n"
        if self.peer.auth:
            more += "250-AUTH " + " ".join(self.peer.auth) + "\r\n"
        self.say(self.peer.offers + more + "250 SIZE")
        return True

    def on_quit(self, words):
        self.say("221 bye")
        return False

    def on_starttls(self, words):
        manner = self.peer.manner
        if manner == "refuses":
            self.say("454 4.3.0 not now")
            return True
        if manner == "injects":
            self.say("220 go\r\n250-peer.example\r\n250-XINJECTED\r\n250 AUTH PLAIN")
        else:
            self.say("220 go")
        if manner == "silent":
            while self.sock.recv(4096):
                continue
            return False
        if manner == "breaks":
            self.sock.recv(1)
            return False
        if manner == "babbles":
            self.sock.sendall(b"500 what is this?\r\n" * 3)
            return False
        context = self.peer.context()
        names = []
        context.sni_callback = lambda sock, name, given: names.append(name)
        try:
            self.sock = context.wrap_socket(self.sock, server_side=True)
        except ssl.SSLError as error:
            self.conversation.append(f"(handshake: {error.reason})")
            return False
        subject = dict(pair[0] for pair in self.sock.getpeercert()["subject"]) if self.peer.root and self.sock.getpeercert() else {}
        self.conversation.append(f"{self.sock.version()} sni={names[0] if names else None}" + (f" client={subject['commonName']}" if subject else "") + (" again" if self.sock.session_reused else ""))
        self.stream = self.sock.makefile("rb")
        self.secure = True
        return True

    def on_mail(self, words):
        self.sender, self.recipients = story.between(words), []
        self.say("250 2.1.0 ok")
        return True

    def on_rcpt(self, words):
        self.recipients.append(story.between(words))
        self.say("250 2.1.5 ok")
        return True

    def on_data(self, words):
        if not self.recipients:
            self.say("503 5.0.0 no recipients")
            return True
        self.say("354 go")
        text = story.Sink._data(self.stream)
        if text is None:
            return False
        with self.peer.lock:
            self.peer.messages.append((self.sender, self.recipients, text))
        self.conversation.append("(message)")
        self.say(self.peer.answer(".", text) or "250 2.0.0 taken")
        return True

    # -- AUTH -----------------------------------------------------------------

    def ask(self, challenge):
        self.say("334 " + base64.b64encode(challenge).decode())
        return base64.b64decode(self.stream.readline())

    def on_auth(self, words):
        name, _, initial = words[5:].partition(" ")
        given = base64.b64decode(initial) if initial and initial != "=" else None
        user, password = (part.encode() for part in self.peer.user)
        if name == "PLAIN":
            parts = (given if given is not None else self.ask(b"")).split(b"\0")
            good = parts[1:] == [user, password]
        elif name == "LOGIN":
            good = (given if given is not None else self.ask(b"Username:")) == user
            good = self.ask(b"Password:") == password and good
        elif name == "CRAM-MD5":
            challenge = b"<1.2@peer.example>"
            good = self.ask(challenge) == user + b" " + hmac.new(password, challenge, hashlib.md5).hexdigest().encode()
        else:
            self.say("504 5.5.4 no such mechanism")
            return True
        self.conversation.append("(authenticated)" if good else "(refused)")
        self.say("235 2.7.0 welcome" if good else "535 5.7.8 no")
        return True
