#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the next stop cannot take as it is reaches it in a form that it can take, or goes back to its sender: eight bits, UTF-8 in addresses, and chunks."""
import base64
import contextlib
import email
import glob
import os
import socket
import threading

import story

HEAD = "From: ann@example.net\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\nSubject: eight\n\n"
JOE = "j\xc3\xb6e@d\xc3\xb6rf.example"  # UTF-8, one byte a character, as the wire has it


def offers(*words):
    """An answer of story.Sink: these and no other extensions."""
    lines = ["sink", *words, "SIZE"]
    hello = "\r\n".join(f"250{' ' if line is lines[-1] else '-'}{line}" for line in lines)
    return lambda verb, argument: hello if verb == "EHLO" else None


def children(parent):
    for place in glob.glob("/proc/[0-9]*/status"):
        with contextlib.suppress(OSError), open(place) as handle:
            words = dict(line.split(":", 1) for line in handle if ":" in line)
            if int(words["PPid"]) == parent:
                yield place.split("/")[2]


class ChunkHost:
    """A next host that takes chunks: (command, bytes) in their order."""

    def __init__(self, refuse=None):
        self.refuse, self.chunks, self.lines = refuse, [], []
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self.sock.accept()
                threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        stream = peer.makefile("rb")
        peer.sendall(b"220 chunks ESMTP\r\n")
        for line in stream:
            self.lines.append(line)
            verb = line[:4].upper()
            if verb == b"EHLO":
                peer.sendall(b"250-chunks\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 CHUNKING\r\n")
            elif verb == b"BDAT":
                data = stream.read(int(line.split()[1]))
                self.chunks.append((line.decode().strip(), data))
                peer.sendall(b"452 4.3.1 full\r\n" if self.refuse == len(self.chunks) else b"250 2.0.0 ok\r\n")
            elif verb == b"QUIT":
                peer.sendall(b"221 bye\r\n")
                return
            else:
                peer.sendall(b"250 ok\r\n")

    def message(self):
        return b"".join(data for _, data in self.chunks)


class EightBits(story.Story):
    def relay(self, host, **keywords):
        return self.daemon(rules={"smart_host": f"[127.0.0.1]:{host.port}"}, **keywords)

    def test_encoded_for_a_host_without_8bitmime(self):
        host = self.sink(answer=offers())
        daemon = self.relay(host)
        daemon.send("ann@example.net", ["joe@example.com"], HEAD + "caf\xc3\xa9\n.dot\n" + "x" * 200 + "\n")
        message = email.message_from_string(host.wait(1)[0][2])
        self.assertEqual(message["Content-Transfer-Encoding"], "quoted-printable")
        self.assertRegex(message["X-MIME-Autoconverted"], r"from 8bit to quoted-printable by mail\.example\.org id \w{14}")
        self.assertEqual(message.get_payload(decode=True), "caf\xe9\n.dot\n".encode() + b"x" * 200 + b"\n")

    def test_as_it_is_for_a_host_with_it(self):
        said = []
        host = self.sink(answer=lambda verb, argument: said.append(argument) if verb == "MAIL" else None)
        daemon = self.relay(host)
        text = "caf\xc3\xa9\n" * 10
        daemon.send("ann@example.net", ["joe@example.com"], HEAD + text)
        self.assertTrue(host.wait(1)[0][2].endswith("\n\n" + text))
        self.assertIn("BODY=8BITMIME", said[0])

    def test_a_large_one_is_encoded_without_memory(self):
        host = self.sink(answer=offers())
        daemon = self.relay(host, options={"MaxMessageSize": "200M"})
        line = "\xc3\xa9" * 38 + "\n"
        parts = "".join(f"--b\n\n{'plain' if i % 2 else line * 260000}\n" for i in range(3))
        daemon.send("ann@example.net", ["joe@example.com"], "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n" + parts + "--b--\n")
        peaks = []

        def peak():
            for pid in children(daemon.process.pid):
                with contextlib.suppress(OSError), open(f"/proc/{pid}/status") as handle:
                    peaks.extend(int(words.split()[1]) for words in handle if words.startswith("VmHWM"))
            return host.messages
        story.wait_for("the message", peak, 120)
        text = host.messages[0][2]
        self.assertEqual(text.count("Content-Transfer-Encoding: base64"), 2)
        first = text.split("\n\n", 2)[2].split("\n--b", 1)[0]
        self.assertEqual(base64.b64decode(first), (line * 260000).replace("\n", "\r\n").encode("latin-1")[:len(base64.b64decode(first))])
        if "SANITIZED" not in os.environ:
            self.assertLess(max(peaks), 100 * 1024, "kilobytes for a message of 40 MB")

    def test_mailers_with_flags_7_and_9(self):
        paths = {name: os.path.join(self.scratch, name) for name in ("seven", "nine")}
        for path in paths.values():
            os.mkdir(path)
            os.chmod(path, 0o777)
            with open(path + "/run", "w") as handle:
                handle.write(f"#!/bin/sh\ncat > {path}/got && mv {path}/got {path}/it\n")
            os.chmod(path + "/run", 0o755)
        os.chmod(self.scratch, 0o755)
        daemon = self.daemon(mailers={name: {"module": "prog", "path": path + "/run", "argv": "run $u",
                                             "flags": f"DFMn{flag}", "from_line": False} for (name, path), flag in zip(paths.items(), "79")},
                             rules={"mailertable": "routes_to"}, maps={"routes_to": {"module": "text", "file": self.table()}})
        daemon.send("ann@example.net", ["joe@seven.example"], HEAD + "caf\xc3\xa9, and more\n")
        daemon.send("ann@example.net", ["joe@nine.example"], HEAD.replace("8bit", "quoted-printable") + "caf=C3=A9=2C and=\n more\n")
        got = {name: story.wait_for(lambda: f"{name}\n" + daemon.log(), lambda: os.path.exists(path + "/it") and open(path + "/it", "rb").read()) for name, path in paths.items()}
        self.assertIn(b"\n\ncaf=C3=A9, and more\n", got["seven"])
        self.assertIn(b"Content-Transfer-Encoding: 8bit\nX-MIME-Autoconverted: from quoted-printable to 8bit by ", got["nine"])
        self.assertIn(b"\n\ncaf\xc3\xa9, and more\n", got["nine"])

    def table(self):
        path = os.path.join(self.scratch, "routes_to")
        with open(path, "w") as handle:
            handle.write("seven.example\tseven:x\nnine.example\tnine:x\n")
        return path

    def test_strict(self):
        daemon = self.daemon(options={"EightBitMode": "strict"})
        with daemon.client() as client:
            for head, code in (("Subject: x\n\n", 554), ("MIME-Version: 1.0\n\n", 250)):
                client.expect(250, "MAIL FROM:<ann@example.net>")
                client.expect(250, f"RCPT TO:<{story.ME}@example.org>")
                client.expect(354, "DATA")
                client.send(story.wire(head + "caf\xe9\n") + b".\r\n")
                reply = client.reply()
                self.assertEqual(reply[0], code)
                if code == 554:
                    self.assertEqual(reply[1], "554 5.6.1 Eight bit data not allowed")

CF = """V10/Berkeley
Djmail.example.org
DnMAILER-DAEMON
Cwexample.org
O MinFreeBlocks=0
O OperatorChars=.:%@!^/[]+
Troot daemon
HReceived: $?sfrom $s $.$?_($?s$|from $.$_)
	$.by $j ($v)$?r with $r$. id $i$?u
	for $u; $|;
	$.$b
H?D?Date: $a
H?F?From: $?x$x <$g>$|$g$.
H?M?Message-Id: <$t.$i@$j>
Scanonify=3
R$* < $* > $*		$: $2
R$@			$@ <@>
R$+ @ $+		$@ $1 < @ $2 >
Sparse=0
R$+ < @ $=w >		$#local $: $1
R$+ < @ old.example >	$#old $@ [127.0.0.1] $: $1 @ old.example
R$+ < @ $+ >		$#new $@ [127.0.0.1] $: $1 @ $2
R$+			$#local $: $1
Sfinal=4
R$+ < @ $+ >		$1 @ $2
Mlocal, P=/bin/false, F=lsDFMAw5:/|@qPn, T=DNS/RFC822/X-Unix, A=deliver $u
Mprog, P=/bin/sh, F=lsDFMoqeu9, A=sh -c $u
Mnew, P=[IPC], F=mDFMuXa8, E=\\r\\n, L=990, A=TCP $h {host}
Mold, P=[IPC], F=mDFMuXa8, E=\\r\\n, L=990, A=TCP $h {old}
"""


class Utf8(story.Story):
    def send(self, daemon, sender, recipients, text):
        with daemon.client() as client:
            client.expect(250, f"MAIL FROM:<{sender}> SMTPUTF8 BODY=8BITMIME")
            for recipient in recipients:
                client.expect(250, f"RCPT TO:<{recipient}>")
            client.expect(354, "DATA")
            client.send(story.wire(text) + b".\r\n")
            self.assertEqual(client.reply()[0], 250)

    def test_passed_on_where_it_is_known(self):
        said = []

        def answer(verb, argument):
            said.append(argument)
            return offers("8BITMIME", "SMTPUTF8")(verb, argument)
        host = self.sink(answer=answer)
        daemon = self.daemon(rules={"smart_host": f"[127.0.0.1]:{host.port}"}, options={"SmtpUTF8": True})
        self.send(daemon, JOE, ["b\xc3\xb6b@far.example"], "Subject: gr\xc3\xbc\xc3\x9fe\n\nx\n")
        sender, recipients, text = host.wait(1)[0]
        self.assertEqual((sender, recipients), (JOE, ["b\xc3\xb6b@far.example"]))
        self.assertTrue(any(line.startswith(f"MAIL From:<{JOE}>") and " SMTPUTF8" in line for line in said), said)
        self.assertIn("with UTF8SMTP id", text)
        self.assertIn("Subject: gr\xc3\xbc\xc3\x9fe\n", text)

    def test_header_lines_of_ours(self):
        """The sender's address in UTF-8 is a From: where none came; Received: never has any, so that a host without SMTPUTF8 still gets mail for an alias of ASCII."""
        for engine in ("routes", "cf"):
            with self.subTest(engine):
                host = self.sink(answer=offers("8BITMIME", "SMTPUTF8"))
                old = self.sink(answer=offers("8BITMIME"))
                daemon = self.daemon(engine, start=False, options={"SmtpUTF8": True, "AliasFile": ["aliases"]}, mailers={"old": {"module": "smtp", "port": old.port}},
                                     rules={"smart_host": f"[127.0.0.1]:{host.port}"})
                daemon.settings["maps"] = {"aliases": {"module": "text", "file": daemon.write("aliases", "b\u00f6b bob@old.example\n")},
                                           "mailertable": {"module": "text", "file": daemon.write("mailertable", "old.example old:[127.0.0.1]\n")}}
                if engine == "cf":
                    daemon.settings["rules"] = {"module": "cf", "file": daemon.write("sendmail.cf", CF.format(host=host.port, old=old.port))}
                daemon.start()
                self.send(daemon, JOE, ["b\xc3\xb6b@far.example"], "Subject: x\n\nx\n")
                text = host.wait(1)[0][2]
                self.assertIn(f"\nFrom: {JOE}\n", text)
                self.assertRegex(text, r"^Received: from client\.example .*\n\tby mail\.example\.org .* id \S+;\n\t[A-Z]")
                self.send(daemon, "ann@example.net", ["b\xc3\xb6b@example.org"], "Subject: x\n\nx\n")
                self.assertEqual(old.wait(1)[0][1], ["bob@old.example"])

    def test_kept_in_the_queue(self):
        host = self.sink(answer=lambda verb, argument: "450 4.2.1 not now" if verb == "RCPT" and not ready else offers("8BITMIME", "SMTPUTF8")(verb, argument))
        ready = []
        daemon = self.daemon(rules={"smart_host": f"[127.0.0.1]:{host.port}"}, options={"SmtpUTF8": True, "MinQueueAge": "1s", "MaxQueueAge": "1s", "QueueInterval": "1s",
                                                                                         "Timeout": {"hoststatus": "1s"}})
        self.send(daemon, JOE, ["b\xc3\xb6b@far.example"], "Subject: x\n\nx\n")
        story.wait_for(lambda: "it waits\n" + daemon.log(), lambda: daemon.queue_ids())
        daemon.stop()
        ready.append(True)
        daemon.start()
        self.assertEqual(host.wait(1)[0][:2], (JOE, ["b\xc3\xb6b@far.example"]))

    def test_returned_where_it_is_not(self):
        """The recipient who needs it gets nothing, the one who does not is sent to; the notice is one of RFC 6533."""
        host = self.sink(answer=lambda verb, argument: offers("8BITMIME")(verb, argument))
        daemon = self.daemon(rules={"smart_host": f"[127.0.0.1]:{host.port}"}, options={"SmtpUTF8": True})
        self.send(daemon, "ann@example.net", ["b\xc3\xb6b@far.example", "carl@far.example"], "Subject: plain\n\nx\n")
        messages = host.wait(2)
        self.assertEqual([m[1] for m in messages if m[0] == "ann@example.net"], [["carl@far.example"]])
        notice = email.message_from_string(next(m[2] for m in messages if m[0] == ""))
        kinds = [part.get_content_type() for part in notice.get_payload()]
        self.assertEqual(kinds, ["text/plain", "message/global-delivery-status", "message/global"])
        raw = next(m[2] for m in messages if m[0] == "")
        for line in ("Final-Recipient: utf-8; b\xc3\xb6b@far.example\n", "Status: 5.6.7\n", "does not support SMTPUTF8", "charset=utf-8"):
            self.assertIn(line, raw)

    def test_aliases(self):
        box = os.path.join(self.scratch, "pr", "box", "%u")
        daemon = self.daemon(start=False, options={"SmtpUTF8": True, "AliasFile": ["aliases"]}, mailers={"local": {"module": "local", "format": "maildir", "path": box}},
                             maps={"aliases": {"module": "text", "file": os.path.join(self.scratch, "aliases")}})
        with open(os.path.join(self.scratch, "aliases"), "wb") as handle:
            handle.write(b"b\xc3\xb6b\t%s\n" % story.ME.encode())
        os.chmod(os.path.join(daemon.top, "box"), 0o1777)
        daemon.start()
        self.send(daemon, "ann@example.net", ["b\xc3\xb6b@example.org"], "Subject: to an alias\n\nx\n")
        got = story.wait_for(lambda: "the copy\n" + daemon.log(), lambda: daemon.maildir(box.replace("%u", story.ME)))
        self.assertIn("Subject: to an alias", got[0])

    def test_not_offered(self):
        daemon = self.daemon()
        with daemon.client() as client:
            self.assertNotIn("SMTPUTF8", client.ehlo[1])
            client.expect(555, "MAIL FROM:<ann@example.net> SMTPUTF8")
            client.expect(553, f"MAIL FROM:<{JOE}>")


class Chunks(story.Story):
    def deliver(self, host, text):
        daemon = self.daemon(rules={"smart_host": f"[127.0.0.1]:{host.port}", "relay_mailer": "chunky", "remote_mailer": "chunky"},
                             mailers={"chunky": {"module": "smtp", "chunking": True, "mx": False}})
        daemon.send("ann@example.net", ["joe@example.com"], text)
        return daemon

    def test_a_message(self):
        host = ChunkHost()
        self.deliver(host, "Subject: dots\n\n.\n..\n" + "a line of it\n" * 20000)
        story.wait_for("the last chunk", lambda: host.chunks and host.chunks[-1][0].endswith("LAST"))
        self.assertGreater(len(host.chunks), 2)
        self.assertTrue(host.message().endswith(b"\r\n\r\n.\r\n..\r\n" + b"a line of it\r\n" * 20000))
        self.assertFalse(any(line.startswith(b"DATA") for line in host.lines))

    def test_refused(self):
        host = ChunkHost(refuse=1)
        daemon = self.deliver(host, "Subject: much\n\n" + "a line of it\n" * 20000)
        story.wait_for(lambda: "the deferral\n" + daemon.log(), lambda: "stat=Deferred: 452 4.3.1 full" in daemon.log())
        self.assertEqual(len(daemon.queue_ids()), 1)
        self.assertLessEqual(len(host.chunks), 2)


if __name__ == "__main__":
    story.main()
