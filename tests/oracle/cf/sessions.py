# SPDX-License-Identifier: BSD-2-Clause
"""The sessions of the comparison of daemons, by what they are about."""
from plays import CODED, HEAD, HELLO, TEXT, Burst, Letter, Listen, Others, Say, Session, Wait, each, letter

# addresses in the usual forms: what the site does with them
PLACES = """ann bob@corp.example Bob@CORP.Example BOB "ann"@corp.example ann+detail@corp.example \\ann nosuch nosuch@corp.example postmaster Postmaster
postmaster@corp.example POSTMASTER@far.example team team@corp.example wide twice gone gone@corp.example nowhere loop root@mail.corp.example
ann@localhost ann@[127.0.0.1] ann@mail ann@desk.corp.example ann@lists.example ann@corp.example. ann@[127.0.0.99] dora dora@corp.example dora@desk.corp.example
nobody nobody@corp.example nobody@far.example tomorrow@corp.example joe@closed.example joe@drop.example joe@relayed.example joe@sub.relayed.example
joe@friends.example joe@far.example joe@nick.far.example joe@nosuch.example joe@noaddr.far.example joe@nullmx.example joe@sick.example joe@mute.example
info@virtual.example INFO@Virtual.Example sales@virtual.example plus+x@virtual.example plus@virtual.example full@virtual.example later@virtual.example away@virtual.example
nosuch@virtual.example ann@whole.example nosuch@whole.example self@whole.example chain@whole.example list@whole.example joe@table.example joe@a.table.example
joe@a.b.table.example joe@here.example joe@refused.example joe@refused2.example joe@backup.example joe@relay.example joe@[127.0.0.2] joe@[127.0.0.300] joe@[IPv6:::1]
joe@127.0.0.2 joe@mx.far.example. ann@local ann@corp joe%far.example@corp.example joe%far.example far!joe far!joe@corp.example joe@far.example@corp.example
@corp.example:joe@far.example @far.example,@corp.example:ann@corp.example joe%far.example@mail.corp.example ann%corp.example@corp.example joe@far.uucp far.example!ann""".split()
# and in unusual ones: as they stand behind the colon
ODD = ["bob", " bob", "  <bob>", "bob@corp.example ", "<bob> ", "< bob >", "<bob >", "< bob@corp.example>", "<bob @corp.example>", "<bob@ corp.example>", "<bob smith>",
       "<bob smith@corp.example>", "bob smith@corp.example", "<<bob>>", "<<bob@corp.example>>", "<bob", "<bob@corp.example", "bob>", "bob@corp.example>", "<bob>>", "<bob>x",
       "<bob>, <ann>", "<bob><ann>", "bob,ann", "<bob,ann>", "<bob;ann>", "bob;", "<>", "< >", "<,>", "<;>", "<.>", "<@>", "<bob@>", "<@corp.example>", "@corp.example", "<.bob>",
       "<bob.>", "<bob..able@corp.example>", "<bob@corp..example>", "<bob@.corp.example>", "<bob@corp.example.>", "<bob@corp.example..>", "<bob@-corp.example>", "<bob@corp_x.example>",
       "(c)bob", "bob(c)", "<bob(c)>", "<(c)bob@corp.example>", "<bob@corp.example(c)>", "(c)<bob>", "<bob>(c)", "<(bob)>", "(bob)", "<bob(>", "<bob)>", "bob(", "bob)", '"bob"',
       '<"bob">', '<"bob able">', '<"bob able"@corp.example>', '"Bob Able" <bob>', "Bob Able <bob@corp.example>", '<"bob>', '<bob">', '"bob', '<"">', '<""@corp.example>', '<"bob"able>',
       '<bob."able"@corp.example>', '<"a@b"@corp.example>', "<\\bob>", "<b\\ob>", "<bob\\>", "<\\\\bob>", "\\bob", "<bob\\@corp.example>", "<bob\\ able@corp.example>", "<[bob]>",
       "<bob@[127.0.0.1>", "<bob@127.0.0.1]>", "<bob@[]>", "<bob@[corp.example]>", "<bob@[mail.corp.example]>", "<bob@[ 127.0.0.1 ]>", "<bob:ann>", "<bob:ann@corp.example>",
       "<:bob>", "<bob:>", ":bob", "list:bob;", "<list:bob;>", "<@bob>", "<@corp.example:bob>", "<@corp.example:>", "<@corp.example,bob>", "<@a,@b:bob@corp.example>", "<bob@@corp.example>",
       "<bob@corp.example@>", "<bob%>", "<%bob>", "<bob%%corp.example>", "<!bob>", "<bob!>", "<corp.example!bob>", "<bob!ann@corp.example>", "<bob/x>", "</etc/passwd>", "/etc/passwd",
       "</etc/passwd@corp.example>", "<|/bin/sh>", "|/bin/sh", '"|/bin/sh"', '<"|/bin/sh">', "<:include:/etc/passwd>", ":include:/etc/passwd", "<bob=x>", "<bob#x>", "<bob$x>", "<$bob>",
       "<bob$u@corp.example>", "<$&x>", "<`bob`>", "<bob'x>", "<bob*>", "<bob?x>", "<bob{x}>", "<bob^ann>", "<bob~>", "<bob&ann>", "<bo\xe4b>", "<b\xc3\xbcb@corp.example>", "<bob@c\xf6rp.example>",
       "bo\xfcb", "<bob\xff>", "<bob\xa0>", "<\x80bob>", "<\x9abob>", "<bob@c\xc3\xb6rp.example>", "<bob\tx>", "\tbob", "<\tbob\t>", "bob\t", "<" + "a" * 70 + "@corp.example>", "<" + "a" * 300 + "@corp.example>",
       "<bob@" + "a" * 64 + ".example>", "<bob@" + "a." * 130 + "example>", "<" + "a" * 900 + ">", "<" + "bob@" * 60 + "corp.example>", "<" + "(" * 60 + ")" * 60 + "bob>"]
SENDERS = """ann ann@corp.example bob carl@corp.example root root@corp.example nosuch nosuch@corp.example joe@far.example joe@nick.far.example joe@nosuch.example joe@noaddr.far.example joe@nullmx.example
joe@sick.example joe@mute.example spam@far.example joe@spam.example joe@good.spam.example joe@x.spam.example joe@drop.example joe@hold.example friend@spam.example joe@skip.example
joe@digits.example joe@texts.example joe@coded.example joe@later.example joe@relay.example joe@[127.0.0.2] joe@[127.0.0.250] joe@[256.1.1.1] joe@127.0.0.2 joe@localhost joe@corp joe@desk.corp.example
joe@virtual.example joe@branch.example joe@table.example far!joe far.example!joe @far.example:joe@other.example joe%far.example@corp.example joe%far.example mailer-daemon postmaster
joe@far.example. JOE@FAR.EXAMPLE joe@far.example@other.example""".split()
MAIL_WORDS = ["SIZE=100", "SIZE=200001", "SIZE=", "SIZE", "SIZE=x", "SIZE=-1", "SIZE=99999999999999999999999", "SIZE=1 SIZE=2", "size=5", "BODY=8BITMIME", "BODY=7BIT", "BODY=8bitmime", "BODY=BINARYMIME",
              "BODY=", "BODY", "BODY=foo", "BODY=7BIT BODY=8BITMIME", "RET=FULL", "RET=HDRS", "RET=foo", "RET=", "RET", "RET=FULL RET=FULL", "ENVID=abc", "ENVID=a+2Bb", "ENVID=a+b", "ENVID=", "ENVID", "ENVID=a ENVID=b",
              "AUTH=<>", "AUTH=ann", "AUTH=", "AUTH", "AUTH=a+3Db", "AUTH=<> AUTH=<>", "FOO=bar", "FOO", "SMTPUTF8", "SIZE=1 BODY=7BIT RET=FULL ENVID=x", "  SIZE=1", "SIZE=1  ", "SIZE=1\tBODY=7BIT", "=", "=x", "SIZE==1",
              "foo bar", "a@b.example", "<a>", "SIZE:5"]
RCPT_WORDS = ["NOTIFY=NEVER", "NOTIFY=SUCCESS", "NOTIFY=SUCCESS,FAILURE,DELAY", "NOTIFY=success", "NOTIFY=NEVER,SUCCESS", "NOTIFY=foo", "NOTIFY=", "NOTIFY", "NOTIFY=SUCCESS,", "NOTIFY=,SUCCESS", "NOTIFY=DELAY NOTIFY=DELAY",
              "ORCPT=rfc822;bob@corp.example", "ORCPT=bob@corp.example", "ORCPT=;bob", "ORCPT=rfc822;", "ORCPT=", "ORCPT", "ORCPT=rfc822;a+2Bb", "ORCPT=rfc822;a+b", "ORCPT=rfc822;a ORCPT=rfc822;a", "ORCPT=x-foo;y",
              "FOO=bar", "SIZE=1", "foo", "NOTIFY=DELAY ORCPT=rfc822;bob", "=", "bob@corp.example"]
COMMANDS = ["", " ", "FOO", "FOO BAR", "MAIL", "MAIL FROM", "MAIL FROM:", "MAIL FROM: ", "MAIL TO:<a@far.example>", "MAIL <a@far.example>", "MAILFROM:<a@far.example>", "MAIL FROM<a@far.example>", "mail from:<a@far.example>", "RSET",
            "MAIL FROM :<a@far.example>", "RSET", "MAIL  FROM:  <a@far.example>", "RSET", "  MAIL FROM:<a@far.example>", "RSET", "\tMAIL\tFROM:<a@far.example>", "RSET", "RCPT", "RCPT TO:<bob>", "DATA", "RSET x", "NOOP", "NOOP x",
            "HELP x", "QUEU", "MAI FROM:<a>", "MAILX", "DATA x", "rset", "noop"]
VERIFIED = ["ann", "bob@corp.example", "nosuch", "team", "twice", "gone", "joe@far.example", "postmaster", "<ann>", "\"ann\"", "ann@", "", "info@virtual.example", "full@virtual.example", "dora", "nowhere", "loop", "ann bob", "wide",
            "list@whole.example", "joe@refused.example"]
STRANGER, FRIEND, NAMELESS, FORGED, UNSURE = "127.0.0.5", "127.0.0.10", "127.0.0.77", "127.0.0.6", "127.0.0.8"


def envelopes():
    begun = [HELLO, "MAIL FROM:<joe@far.example>"]
    for who, source in (("own", "127.0.0.1"), ("stranger", STRANGER)):
        yield from each(f"to.{who}", begun, "RCPT TO:<%s>", PLACES, source, chunk=11)
        yield from each(f"from.{who}", [HELLO], "MAIL FROM:<%s>", SENDERS, source, reset=True)
    yield from each("to.odd", begun, "RCPT TO:%s", ODD, chunk=11)
    yield from each("from.odd", [HELLO], "MAIL FROM:%s", ODD, reset=True)
    yield from each("mail.words", [HELLO], "MAIL FROM:<joe@far.example> %s", MAIL_WORDS, reset=True)
    yield from each("rcpt.words", begun, "RCPT TO:<bob> %s", RCPT_WORDS, chunk=11)
    for who, source in (("friend", FRIEND), ("nameless", NAMELESS), ("forged", FORGED), ("unsure", UNSURE)):
        yield Session(f"client.{who}", begun + ["RCPT TO:<bob>", "RCPT TO:<joe@far.example>", "RCPT TO:<nosuch@corp.example>", "RCPT TO:<joe@relayed.example>", "QUIT"], source)


def codes():
    """Refusals with every code, of a sender, a recipient and a client."""
    names = [f"joe@{name}" for name, _ in CODED]
    yield from each("codes.from", [HELLO], "MAIL FROM:<%s>", names, reset=True)
    yield from each("codes.to", [HELLO, "MAIL FROM:<joe@far.example>"], "RCPT TO:<%s>", names, chunk=15)
    for number in range(len(CODED)):
        yield Session(f"codes.client.{number}", [HELLO, "MAIL FROM:<joe@far.example>", "QUIT"], f"127.0.2.{number}")


def clients():
    talk = [HELLO, "HELO client.example", "NOOP", "MAIL FROM:<joe@far.example>", "RCPT TO:<bob@corp.example>", "RSET", "DATA", "VRFY bob", "HELP", "FOO", "QUIT"]
    for number in (20, 21, 22, 23, 24, 25, 30, 31, 32, 33, 34, 35, 36, 66):
        yield Session(f"client.{number}", talk, f"127.0.0.{number}")
    yield Session("client.net", talk, "127.0.9.1")
    for address in ("127.0.0.32", "127.0.0.35"):
        yield letter(f"through.{address}", ["bob", "joe@relayed.example"], "joe@far.example", source=address)
    yield Session("pause.violated", [Burst(b"EHLO client.example\r\n", 2), "NOOP", "MAIL FROM:<joe@far.example>", "RSET", "QUIT"], "127.0.0.40", greet=False)
    yield Session("pause.kept", [Listen(), HELLO, "MAIL FROM:<joe@far.example>", "QUIT"], "127.0.0.41", greet=False)


def limits():
    import theatre
    yield Session("rate", [Others(5, "127.0.0.50", False, theatre.Talk), "QUIT"], "127.0.0.50")
    yield Session("connections", [Wait(0.2), Others(3, "127.0.0.51", True, theatre.Talk), HELLO, "QUIT"], "127.0.0.51")


def talk():
    yield Session("commands.before", COMMANDS[:20] + ["QUIT"])
    yield Session("commands", [HELLO] + COMMANDS[:20] + ["QUIT"])
    yield Session("commands.more", [HELLO] + COMMANDS[20:] + ["QUIT"])
    yield Session("bad", [HELLO] + [f"BAD{number}" for number in range(27)])
    for number, first in enumerate(("GET / HTTP/1.0", "POST /", "CONNECT mail:25", "USER ann", "HTTP/1.0")):
        yield Session(f"proxy.{number}", [first, "QUIT"])
    for number, name in enumerate(("client.example", "[127.0.0.1]", "", "a b", "x_y", "-", "<client>", "a..b", "client.example.", "(client)", "[IPv6:::1]", "localhost", "client example.com", "cl\xefent", "a/b", "#5")):
        yield Session(f"hello.{number}", [f"EHLO {name}", "RSET", f"HELO {name}", "QUIT"])
    yield Session("order", ["MAIL FROM:<a@far.example>", "RCPT TO:<bob>", "DATA", HELLO, "RCPT TO:<bob>", "DATA", "MAIL FROM:<joe@far.example>", "MAIL FROM:<joe@far.example>", "DATA", "RCPT TO:<nosuch@corp.example>", "DATA",
                            "RCPT TO:<bob>", "EHLO again.example", "RCPT TO:<bob>", "MAIL FROM:<joe@far.example>", "HELO third.example", "DATA", "QUIT"])
    yield Session("stranger.order", [HELLO, "MAIL FROM:<joe@far.example>", "RCPT TO:<joe@other.example>", "DATA", "RCPT TO:<bob>", "RSET", "DATA", "QUIT"], STRANGER)
    for number in range(0, len(VERIFIED), 5):
        yield Session(f"vrfy.{number}", [HELLO] + [f"VRFY {name}" for name in VERIFIED[number:number + 5]] + ["QUIT"])
        yield Session(f"expn.{number}", [HELLO] + [f"EXPN {name}" for name in VERIFIED[number:number + 5]] + ["QUIT"])
    yield Session("help", [HELLO, "HELP", "HELP MAIL", "HELP rcpt", "HELP nosuch", "HELP smtp", "QUIT"])
    yield Session("other", [HELLO, "ONEX", "XUSR", "SEND FROM:<a>", "SOML FROM:<a>", "SAML FROM:<a>", "TURN", "BDAT 0 LAST", "STARTTLS", "STARTTLS x", "DEBUG", "WIZ", "QUIT x"])
    yield Session("submission", [HELLO, "MAIL FROM:<ann@corp.example>", "VRFY ann", "EXPN ann", "ETRN far.example", "RCPT TO:<bob>", "NOOP", "HELP", "QUIT"], port=587)
    yield Session("pipeline", [HELLO, Burst(b"MAIL FROM:<joe@far.example>\r\nRCPT TO:<bob>\r\nRCPT TO:<nosuch>\r\nNOOP\r\n", 4), Burst(b"RSET\r\nMAIL FROM:<joe@spam.example>\r\nRCPT TO:<bob>\r\nDATA\r\n", 4), "QUIT"])
    yield Session("many", [HELLO, "MAIL FROM:<joe@far.example>"] + [f"RCPT TO:<u{number}@table.example>" for number in range(14)] + ["QUIT"])
    yield Session("long", [HELLO, Say("NOOP " + "x" * 1990, b"NOOP long"), Say("NOOP " + "x" * 2100, b"NOOP too long"), "QUIT"])
    yield Session("nul", [HELLO, b"NOOP a\0b", b"MAIL FROM:<a\0b@far.example>", b"RSET", b"VRFY a\x01b", b"MAIL FROM:<a\x01b@far.example>", "RSET", b"MAIL FROM:<a\x7fb@far.example>", "QUIT"])
    yield Session("bare", [HELLO, Burst(b"NOOP\n", 1), Burst(b"MAIL FROM:<joe@far.example>\nRCPT TO:<bob>\n", 2), Burst(b"DATA\r\n", 1), Burst(b"X-Tag: bare\n\nx\n.\n\r\n.\r\n", 1), "NOOP"])
    yield Session("duplicates", [HELLO, "MAIL FROM:<joe@far.example>", "RCPT TO:<bob>", "RCPT TO:<BOB@corp.example>", "RCPT TO:<bob@mail.corp.example>", "RCPT TO:<bob@desk.corp.example>", "RCPT TO:<joe@table.example>",
                                 "RCPT TO:<joe@TABLE.example>", "RCPT TO:<Joe@table.example>", "RCPT TO:<joe@table.example>", Letter("duplicates", TEXT), "QUIT"])
    yield Session("duplicates.alias", [HELLO, "MAIL FROM:<joe@far.example>", "RCPT TO:<team>", "RCPT TO:<ann>", "RCPT TO:<TEAM@corp.example>", "RCPT TO:<info@virtual.example>", "RCPT TO:<twice>", "RCPT TO:<joe@far.example>",
                                       "RCPT TO:<sales@virtual.example>", Letter("duplicates.alias", TEXT), "QUIT"])


LONG = ", ".join(f"Person Number {number} <person.{number}@far{number % 7}.example>" for number in range(40))
PLAIN = ", ".join(f"p{number}@corp.example" for number in range(60))
FORMS = {  # headers whose form changes on the way
    "form.long": f"To: {LONG}\nCc: {PLAIN}\n",
    "form.folded": "To: ann@corp.example,\n\tbob@corp.example,\n   carl@desk.corp.example\nCc: joe@far.example (Joe), Ann <ann>\n",
    "form.list": "To: friends: ann@corp.example, bob;, carl\nCc: undisclosed-recipients:;\n",
    "form.quotes": 'To: "Able, Ann" <ann@corp.example>, bob (Bob "B" Able), <carl>\nCc: Ann Able <ann>, (only a comment)\nReply-To: bob\n',
    "form.broken": 'To: "open <ann@corp.example>\nCc: <ann@corp.example, bob\nReply-To: (open\n',
    "form.spaces": "To:ann@corp.example\nCc:   bob@corp.example  ,  carl@corp.example  \nReply-To:\tann\n",
    "form.empty": "To:\nCc: ,,\nBcc: secret@far.example\n",
    "form.bcc": "To: ann\nBcc: secret@far.example\n",
    "form.bcconly": "Bcc: secret@far.example\n",
    "form.edges": "".join(f"{name}: " + ", ".join("x" * (number + place) + "@corp.example" for place in range(7)) + "\n" for number, name in enumerate(("To", "Cc", "Resent-To", "Reply-To", "Sender", "Errors-To"), 1)),
    "form.begin": "Reply-To:\t\tann\nCc:\n\tann, bob\nTo: \tann\nSender:  \n bob\n",
    "form.phrase": "To: Ann\n Able <ann@corp.example>, \"Bob\n  Able\" <bob@corp.example>,\n\tA very long name indeed\n   which is folded <carl@corp.example>, dora\n",
    "form.resent": "Resent-From: bob\nResent-To: carl@corp.example\nResent-Date: Mon, 2 Nov 2026 11:00:00 +0000\nResent-Message-Id: <two@client.example>\nTo: ann\n",
    "form.other": "Sender: carl\nErrors-To: bob\nReturn-Path: <x@far.example>\nReturn-Receipt-To: ann\nPrecedence: bulk\nX-Long: " + "word " * 100 + "\n",
    "form.twice": "To: ann\nTo: bob\nCc: carl\nCc: joe@far.example\n",
    "form.eight": "To: J\xf6rg <ann@corp.example>\nCc: b\xc3\xbcb <bob@corp.example>\n",
    "form.route": "To: <@a.example,@b.example:joe@far.example>, far!joe, joe%far.example@corp.example\nCc: joe@nick.far.example\n",
    "form.longword": "To: " + "a" * 120 + "@far.example, " + "b" * 60 + "@corp.example\nCc: \"" + "very long name " * 12 + "\" <ann@corp.example>\n",
}


def letters():
    yield letter("plain.local", ["ann"])
    yield letter("plain.relayed", ["joe@other.example"])
    yield letter("plain.table", ["joe@table.example", "jim@a.table.example", "joe@here.example"])
    yield letter("plain.list", ["wide"], "joe@far.example")
    yield letter("plain.virtual", ["info@virtual.example", "sales@virtual.example", "plus+x@virtual.example", "ann@whole.example", "list@whole.example"], "joe@far.example")
    yield letter("plain.detail", ["ann+detail", "\\bob", "\"carl\"@corp.example", "bob@[127.0.0.1]"], "joe@far.example")
    yield letter("plain.route", ["<@corp.example:joe@far.example>", "joe%other.example@corp.example"])
    yield letter("plain.helo", ["bob", "joe@far.example"], helo="HELO client.example")
    yield letter("plain.backup", ["joe@backup.example"])
    yield letter("sender.null", ["bob", "joe@far.example"], "")
    yield letter("sender.spaces", ["< bob >", "<carl >"], "joe@far.example")
    for name in ("bob", "carl@desk.corp.example", "root", "joe@branch.example", "joe@far.example", "carl@virtual.example", "joe@hold.example", "joe@drop.example", "ann@mail.corp.example"):
        text = TEXT.replace("Ann Able <ann@corp.example>", f"Somebody <{name}>")
        yield letter(f"sender.{name.replace('@', '.at.')}", ["carl", "joe@table.example"], name, text)
    yield letter("refused.next", ["refused@table.example", "joe@table.example", "refused@far.example"], "bob")
    yield letter("refused.notify", ["<refused@far.example> NOTIFY=NEVER", "<refused2@far.example> NOTIFY=FAILURE ORCPT=rfc822;a+2Bb@corp.example"], "bob", mail=" RET=HDRS ENVID=xyz")
    yield letter("notify.success", ["<bob> NOTIFY=SUCCESS", "<joe@far.example> NOTIFY=SUCCESS", "<joe@table.example> NOTIFY=SUCCESS"], "carl", mail=" ENVID=abc")
    yield letter("body.eight", ["bob", "joe@far.example", "joe@a.table.example"], text=HEAD + "\ngr\xfc\xdfe\n", mail=" BODY=8BITMIME")
    yield letter("body.eight.unsaid", ["bob", "joe@far.example", "joe@a.table.example"], text=HEAD + "\ngr\xfc\xdfe\n")
    yield letter("body.none", ["bob", "joe@far.example"], text="")
    yield letter("body.nohead", ["bob", "joe@far.example"], text="\nno header here\n")
    yield letter("body.notahead", ["bob", "joe@far.example"], text="this is no header\nSubject: x\n\ny\n")
    yield letter("body.lines", ["bob", "joe@far.example"], text=HEAD + "\n" + "x" * 1500 + "\nFrom here\n>From there\n..\n.\n\n\n")
    yield letter("body.large", ["bob"], text=HEAD + "\n" + ("x" * 78 + "\n") * 3000)
    yield letter("body.hops", ["bob"], text="Received: x\n" * 30 + TEXT)
    for number, name in enumerate(("< bob >", "<<bob>>", "<bob@corp.example(c)>", "<joe @ table.example>", "<<joe@far.example>>", "<@corp.example:joe@table.example>", "<joe smith@table.example>", "<joe;jim@table.example>",
                                   '<"joe smith"@table.example>', "<\\joe@table.example>", "<\\bob>", "<joe@[ 127.0.0.2 ]>", "<bob@corp.example>x")):
        yield letter(f"odd.to.{number}", [name], "joe@far.example")
    for number, name in enumerate((" ann @ corp.example ", "<ann@corp.example>", "@a.example:joe@far.example", "joe smith@far.example", "ann@corp.example(c)", '"joe smith"@far.example')):
        yield letter(f"odd.from.{number}", ["bob", "joe@table.example"], name)
    yield letter("queued", ["joe@sick.example", "bob"], "joe@far.example")
    for name, head in FORMS.items():
        yield letter(name, ["bob", "joe@table.example"], text=f"From: ann\nSubject: form\nMessage-Id: <one@client.example>\nDate: Mon, 2 Nov 2026 10:00:00 +0000\n{head}\nbody\n")
    for sender in ("joe@far.example", "ann@corp.example", ""):  # whose mailer has F=C, or not
        yield letter(f"lent.{sender.partition('@')[0] or 'null'}", ["bob", "joe@table.example"], sender, text="From: joe\nTo: bob, Bob Able <carl>, ann@corp.example\nCc: far!joe (Joe), joe@nick.far.example\n"
                     "Reply-To: Joe <joe>\nErrors-To: \"J O\"\nMessage-Id: <one@client.example>\nDate: Mon, 2 Nov 2026 10:00:00 +0000\nSubject: short names\n\nbody\n")
    yield letter("form.bare", ["bob", "joe@table.example"], text="Subject: only\n\nbody\n")
    yield letter("form.nodate", ["bob", "joe@table.example"], "bob", text="From: bob (Bob)\nTo: joe@table.example\n\nbody\n")


# fields without a value, fields that nobody passes on, and the null sender as an author
EMPTY = {
    "all": "From:\nTo:\nCc:\nSubject:\nDate:\nMessage-Id:\nComments:\nX-Empty:\nSender:\nReply-To:\nErrors-To: \nReceived:\n",
    "date": "From: ann\nTo: bob\nDate:\nSubject: x\n",
    "blanks": "From: ann\nTo: bob\nDate:  \t \nMessage-Id: \n",
    "resent": "From: ann\nResent-To: bob\nResent-Date:\nResent-From:\n",
    "length": "From: ann\nContent-Length: 100\nDate: Mon, 2 Nov 2026 10:00:00 +0000\nMessage-Id: <one@client.example>\nFull-Name: Anna\nReturn-Path: <x@y.example>\n",
}


def empty():
    for name, head in EMPTY.items():
        yield letter("empty." + name, ["bob", "joe@table.example"], text=head + "\nbody\n")
    for name, head in (("none", "Subject: x\n"), ("from", "From:\n"), ("author", "From: MAILER-DAEMON\n"), ("null", "From: <>\nTo: <>\n")):
        yield letter("empty.sender." + name, ["bob", "joe@table.example"], "", head + "\nbody\n")


def sessions():
    return [session for part in (limits, letters, empty, codes, clients, talk, envelopes) for session in part()]
