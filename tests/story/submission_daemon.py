# SPDX-License-Identifier: BSD-2-Clause
"""A submission daemon that fails where it is told: submission_daemon.py SOCKET FILE BEHAVIOUR

Messages answered with 250 are appended to FILE."""
import os
import socket
import sys

path, taken, behaviour = sys.argv[1:4]


class Session:
    def __init__(self, connection):
        self.connection = connection
        self.lines = connection.makefile("rb")
        self.recipients = 0
        self.transactions = 0

    def say(self, text):
        self.connection.sendall(text.encode() + b"\r\n")

    def rcpt(self):
        self.recipients += 1
        first = self.recipients == 1 and self.transactions == 1
        if behaviour == "close_in_rcpt":
            return None
        if behaviour == "rcpt450first" and first:
            return "450 4.2.0 later"
        if behaviour == "rcpt450first" and self.transactions > 1:
            return "450 4.2.0 later"
        if behaviour == "rcpt452second" and self.recipients > 1:
            return "452 4.5.3 Too many recipients"
        if behaviour == "rcpt550all" or (behaviour == "rcpt550first" and first):
            return "550 5.1.1 <x>... User unknown"
        return "250 2.1.5 ok"

    def data(self):
        if behaviour == "data451":
            return "451 4.3.0 no"
        self.say("354 go")
        body = []
        for line in self.lines:
            if line == b".\r\n":
                break
            assert line.endswith(b"\r\n"), line
            body.append(line[1:] if line.startswith(b".") else line)
        if behaviour == "close_at_dot":
            return None
        if behaviour == "dot451":
            return "451 4.3.0 disk"
        if behaviour == "dot554":
            return "554 5.0.0 no"
        with open(taken, "ab") as out:
            out.write(b"".join(body))
        return "250 2.0.0 id accepted"

    def mail(self):
        self.transactions += 1
        self.recipients = 0
        return "451 4.3.0 later" if behaviour == "mail451" else "250-one\r\n250 2.1.0 ok"

    def run(self):
        if behaviour == "greet421":
            self.say("421 4.3.2 busy")
            return
        if behaviour == "close":
            return
        if behaviour == "nonsense":
            self.say("hello there")
            return
        if behaviour == "endless":
            for _ in range(1000):
                self.connection.sendall(b"2" * 4096)
            return
        self.say("220 ready")
        verbs = {b"MAIL": self.mail, b"RCPT": self.rcpt, b"DATA": self.data, b"QUIT": lambda: None}
        for line in self.lines:
            answer = verbs[line[:4].upper()]()
            if answer is None:
                return
            self.say(answer)


server = socket.socket(socket.AF_UNIX)
server.bind(path + ".new")
server.listen(5)
os.rename(path + ".new", path)
while True:
    client, _ = server.accept()
    with client:
        try:
            Session(client).run()
        except OSError:
            pass
