# SPDX-License-Identifier: BSD-2-Clause
"""What peers and peer_logins share: ours and one of the neighbours of peer_programs.py beside each other, with certificates, mailboxes and a letter of eight bits."""
import os
import shutil

import peer_programs
import story
import tls_peer

BODY = "Gr\xc3\xbc\xc3\x9fe\n.\n..two\n.three\n\nl\xc3\xa5ng " + "x" * 900 + "\n\xff\xfe\n" + "".join(f"line {number} of many\n" for number in range(9000)) + "the end\n"
SECRET = "line 4711 of many\n"
ME = "joe@example.org"
INTERNATIONAL = "j\u00f6e"


class Exchange(story.Story):
    kind = None

    def stage(self, chunking=True, trusted=True, named=True, login=None):
        """Both of them.  Not trusted: each shows the other a certificate of an authority that it does not know; not named: of another name."""
        self.ours = tls_peer.Authority(os.path.join(self.scratch, "ours"))
        theirs = self.ours if trusted else tls_peer.Authority(os.path.join(self.scratch, "theirs"), "Root of Others")
        server, client = self.ours.certificate(peer_programs.US if named else "third.example"), self.ours.certificate("client.example.org")
        shutil.chown(server[1], "daemon")
        shutil.chown(client[1], "bin")
        self.pr = self.daemon(start=False, mailers={"peer": {"module": "smtp", "port": peer_programs.PORT, "chunking": chunking, "loop_check": False},
                                                    "local": {"module": "local", "format": "maildir", "path": os.path.join(self.scratch, "pr", "box", "%u")}},
                              options={"ServerCertFile": server[0], "ServerKeyFile": server[1], "ClientCertFile": client[0], "ClientKeyFile": client[1],
                                       "CACertFile": self.ours.path, "LogLevel": 14, "QueueInterval": "1h", "AliasFile": ["aliases"], "DefaultUser": "nobody", "SmtpUTF8": True},
                              rules={"relay_clients": ["127.0.0.9"]})
        for name, text in (("mailertable", f"{self.kind.domain}~peer:[{self.kind.address}]\n"), ("access", f"TLS_Srv:{self.kind.address}~VERIFY+CN:{self.kind.domain}\n"),
                           ("aliases", "joe~nobody\nlate~\"|exit 69\"\n" + INTERNATIONAL + "~nobody\n")):
            self.pr.settings["maps"][name] = {"module": "text", "file": self.pr.write(name, text), "delimiter": "~"}
        os.chmod(os.path.join(self.pr.top, "box"), 0o1777)
        if login:
            self.ask_for(login)
        self.pr.start()
        self.peer = self.kind(theirs, self.pr.port, theirs.path, None if named else "fourth.example", login).start(self.scratch)
        self.addCleanup(self.peer.stop)

    def ask_for(self, login):
        """Who sends on through us must say who he is; so must we, to the peer."""
        self.far = self.sink()
        folder = os.path.join(self.scratch, "sasl2")
        os.makedirs(folder)
        with open(os.path.join(folder, "Postrider.conf"), "w") as handle:
            handle.write(login.database(os.path.join(self.scratch, "sasldb2"), peer_programs.US, "daemon"))
        self.pr.settings["auth"] = [{"module": "sasl", "application": "Postrider", "config_path": folder}]
        self.pr.settings["options"]["AuthMechanisms"] = login.mechanism
        self.pr.settings["rules"]["smart_host"] = f"[127.0.0.1]:{self.far.port}"
        with open(self.pr.settings["maps"]["access"]["file"], "a") as handle:
            handle.write(f'AuthInfo:{self.kind.address}~"U:joe" "P:{login.password}"\n')

    def explain(self):
        return f"{self.pr.log()[-3000:]}\n{self.peer.log()[-3000:]}"

    def ours_got(self, count):
        path = os.path.join(self.scratch, "pr", "box", "nobody")
        return story.wait_for(lambda: f"{count} letters here\n" + self.explain(), lambda: len(self.pr.maildir(path)) >= count and self.pr.maildir(path), 40)

    def theirs_got(self, name, count):
        return story.wait_for(lambda: f"{count} letters for {name}\n" + self.explain(), lambda: len(self.peer.mailbox(name)) >= count and self.peer.mailbox(name), 40)

    def send(self, client, sender, recipients, parameters):
        """With 8-bit body; recipients: {address: parameters}."""
        with client:
            client.expect(250, f"MAIL FROM:<{sender}> BODY=8BITMIME{parameters}")
            for address, more in recipients.items():
                client.expect(250, f"RCPT TO:<{address}>{more}")
            client.expect(354, "DATA")
            client.send(story.wire(f"From: {sender}\nTo: {', '.join(recipients)}\nSubject: hello\nMessage-Id: <1@client.example>\nDate: Mon, 2 Mar 2026 10:00:00 +0000\n"
                                   f"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{BODY}") + b".\r\n")
            code, text = client.reply()
            self.assertEqual(code, 250, text)

    def is_whole(self, text):
        head, body = text.split("\n\n", 1)
        self.assertEqual(body.rstrip("\n"), BODY.rstrip("\n"))
        return head

    def one_of(self, letters, words):
        found = [text for text in letters if words in text]
        self.assertEqual(len(found), 1, letters)
        return found[0]


def of_each(case, methods=lambda kind: {}):
    """The tests of `case` for each of the neighbours, by its name."""
    return {kind.__name__: type(kind.__name__, (case, Exchange), {"kind": kind, **methods(kind)}) for kind in peer_programs.PEERS}
