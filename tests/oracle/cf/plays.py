# SPDX-License-Identifier: BSD-2-Clause
"""What is said to both daemons: the tables of the site and the sessions.  A session is a list of steps; each gives one reply to be compared."""
import time

TABLES = {
    "access": """\
Connect:127.0.0.1	RELAY
Connect:127.0.3	RELAY
Connect:127.0.0.30	REJECT
Connect:127.0.0.31	450 4.7.1 not now
Connect:127.0.0.32	DISCARD
Connect:127.0.0.33	ERROR:5.7.1:550 not you
Connect:127.0.0.34	ERROR:4.2.1:450 later
Connect:127.0.0.35	QUARANTINE:from a suspect
Connect:127.0.0.36	421 go away
Connect:127.0.9	550 5.7.9 the whole net
Connect:host.spam.example	REJECT
Connect:desk.corp.example	RELAY
From:spam@far.example	REJECT
From:spam.example	550 5.7.1 No mail from there
From:good.spam.example	OK
From:drop.example	DISCARD
From:hold.example	QUARANTINE:to be looked at
From:friend@	OK
From:skip.example	SKIP
From:digits.example	554
From:texts.example	Only a text
From:coded.example	ERROR:5.1.8:553 with a code
From:later.example	ERROR:4.2.1:451 come again
From:relay.example	RELAY
To:dora@corp.example	REJECT
To:closed.example	ERROR:5.1.2:550 gone for good
To:relayed.example	RELAY
To:nobody@	550 5.2.1 nobody is here
To:drop.example	DISCARD
To:tomorrow@corp.example	ERROR:4.2.2:452 tomorrow
GreetPause:127.0.0.40	1500
GreetPause:127.0.0.41	1500
ClientRate:127.0.0.50	3
ClientRate:	0
ClientConn:127.0.0.51	2
ClientConn:	0
Spam:carl@	FRIEND
Spam:dora@corp.example	FRIEND
Spam:lists.example	HATER
""",
    "virtusertable": """\
info@virtual.example	ann
sales@virtual.example	joe@far.example
plus+*@virtual.example	%2-list@far.example
full@virtual.example	error:5.2.2:550 Mailbox full
later@virtual.example	error:tempfail 451 try again
away@virtual.example	error:5.1.6:551 User has moved
@virtual.example	error:nouser No such user here
@whole.example	%1@corp.example
self@whole.example	self@whole.example
chain@whole.example	info@virtual.example
list@whole.example	team
""",
    "mailertable": """\
table.example	smtp:[mx.far.example]
.table.example	esmtp:mx2.far.example
here.example	local:bob
refused.example	error:5.7.0:550 the table says no
refused2.example	error:nohost no such host
backup.example	esmtp:down.example:mx2.far.example
relay.example	relay:[smart.provider.example]
""",
    "genericstable": """\
ann	Ann.Able@corp.example
bob	bob@branch.example
carl	carl.c@corp.example
""",
    "aliases": """\
mailer-daemon: postmaster
postmaster: root
root: ann
team: ann, bob, joe@far.example
wide: team, carl, joe@table.example
twice: ann, ann@corp.example, "Ann Able" <ann>
gone: gone@new.example.REDIRECT
nowhere: nosuchuser
loop: loop2
loop2: loop
owner-wide: bob
""",
    "relay-domains": "relayed.example\nfriends.example\n",
    "local-host-names": "corp.example\ndesk.corp.example\nlists.example\nvirtual.example\n",
}


# each code that a table can say, with the enhanced code in the text, in the table's own field, and with none
CODES = (421, 450, 451, 452, 454, 550, 551, 552, 553, 554)
CODED = [(f"e{code}.example", f"ERROR:{code // 100}.2.9:{code} said so") for code in CODES] + \
        [(f"t{code}.example", f"{code} {code // 100}.2.8 said so") for code in CODES] + [(f"n{code}.example", f"{code} said so") for code in CODES]
TABLES["access"] += "".join(f"From:{name}\t{text}\nTo:{name}\t{text}\n" for name, text in CODED)
TABLES["access"] += "".join(f"Connect:127.0.2.{number}\t{text}\n" for number, (_, text) in enumerate(CODED))


class Say:
    """A command."""

    def __init__(self, text, shown=None):
        self.data, self.shown = text if isinstance(text, bytes) else text.encode("latin-1"), shown

    def run(self, talk, tell):
        talk.say(self.data + b"\r\n")
        tell(self.shown or self.data, talk.reply())


class Listen:
    """A reply without a command: the greeting."""

    def run(self, talk, tell):
        tell(b"(greeting)", talk.reply())


class Burst:
    """Bytes as they are, and so many replies."""

    def __init__(self, data, replies):
        self.data, self.replies = data, replies

    def run(self, talk, tell):
        talk.say(self.data)
        for _ in range(self.replies):
            tell(self.data, talk.reply())


class Letter:
    """DATA, a message and the dot."""

    def __init__(self, tag, lines):
        self.tag, self.text = tag, lines

    def run(self, talk, tell):
        talk.say(b"DATA\r\n")
        reply = talk.reply()
        tell(b"DATA", reply)
        if reply.startswith(b"354"):
            lines = f"X-Tag: {self.tag}\n{self.text}".encode("latin-1").rstrip(b"\n").split(b"\n")
            talk.say(b"".join((b"." + line if line.startswith(b".") else line) + b"\r\n" for line in lines) + b".\r\n")
            tell(b"the dot of " + self.tag.encode(), talk.reply())


class Wait:
    def __init__(self, seconds):
        self.seconds = seconds

    def run(self, talk, tell):
        time.sleep(self.seconds)


class Others:
    """So many further connections from the same address, one after the other or at once; their greetings."""

    def __init__(self, count, source, at_once, make):
        self.count, self.source, self.at_once, self.make = count, source, at_once, make

    def run(self, talk, tell):
        kept = []
        for number in range(self.count):
            other = self.make(self.source)
            tell(b"connection %d" % (number + 2), other.reply())
            if self.at_once:
                kept.append(other)
            else:
                other.say(b"QUIT\r\n")
                tell(b"QUIT of %d" % (number + 2), other.reply())
                other.close()
        for other in kept:
            other.close()


class Session:
    def __init__(self, name, steps, source="127.0.0.1", greet=True, port=25, before=0):
        self.name, self.source, self.port, self.before = name, source, port, before
        self.steps = ([Listen()] if greet else []) + [step if hasattr(step, "run") else Say(step) for step in steps]


HEAD = "From: Ann Able <ann@corp.example>\nTo: joe@far.example\nSubject: a test\nMessage-Id: <one@client.example>\nDate: Mon, 2 Nov 2026 10:00:00 +0000\n"
TEXT = HEAD + "\nfirst line\n.dot line\nlast line\n"
HELLO = "EHLO client.example"


def letter(name, recipients, sender="ann@corp.example", text=TEXT, source="127.0.0.1", mail="", helo=HELLO):
    """One message; its tag is its session's name."""
    steps = [helo, f"MAIL FROM:<{sender}>{mail}"] + [f"RCPT TO:{one}" if one[0] in "<(" else f"RCPT TO:<{one}>" for one in recipients]
    return Session(name, steps + [Letter(name, text), "QUIT"], source)


def each(name, steps, template, values, source="127.0.0.1", reset=False, chunk=20):
    """The same command with each value, some in a session."""
    for begin in range(0, len(values), chunk):
        said = list(steps)
        for value in values[begin:begin + chunk]:
            said.append(template % value)
            if reset:
                said.append("RSET")
        yield Session(f"{name}.{begin // chunk}", said + ["QUIT"], source)
