# SPDX-License-Identifier: BSD-2-Clause
"""The stage of the notices: next hosts that refuse in every way, the situations, and the form in which notices are compared.

sendmail (tests/oracle/receipts) and postrider (tests/story/dsn.py) play the same situations here; what the hosts got
is printed by `play` with dates, ids and sizes as words, so that it is byte for byte the same whenever nothing differs."""
import re
import threading
import time

import story

CLIENT = "relay.isp.example"  # where authors are and notices go
ZONE = """\
localhost A 127.0.0.1
localhost.localdomain A 127.0.0.1
1.0.0.127.in-addr.arpa PTR localhost.localdomain
corp.example MX 10 mail.corp.example
mail.corp.example A 127.0.0.1
remote.example MX 10 mx1.remote.example
remote.example MX 20 mx2.remote.example
mx1.remote.example A 127.0.0.2
mx2.remote.example A 127.0.0.4
other.example MX 5 mx.other.example
mx.other.example A 127.0.0.5
deep.sub.domain.example A 127.0.0.6
relay.isp.example MX 10 relay.isp.example
relay.isp.example A 127.0.0.7
down.example MX 10 down.example
down.example A 127.0.0.99
"""
ALIASES = {
    "mixed": "USER, nobodyhere", "single": "rejsingle@remote.example", "far": "far@other.example",
    "team": "USER, team@other.example", "owner-team": "boss@" + CLIENT,
    "broken": "rejmember@remote.example, USER", "owner-broken": "boss@" + CLIENT,
    "failing": '"|sleep 1; echo trouble; exit 3"', "nouser": '"|sleep 1; exit 67"', "working": '"|sleep 1"', "noperm": '"|sleep 1; echo one; echo two; exit 77"',
    "aware": "one@remote.example, two@remote.example", "club": "one@remote.example, two@remote.example", "owner-club": "boss@" + CLIENT,
    "pair": "USER, pair@other.example",
    "slow": "tmpsingle@remote.example", "onward": "good@remote.example", "again": "onward",
    "readers": ":include:INCLUDES/people", "lovers": ":include:INCLUDES/aware-people", "owner-lovers": "boss@" + CLIENT,
    "lost": ":include:INCLUDES/lost-people", "owner-lost": "boss@" + CLIENT, "stray": ":include:INCLUDES/lost-people",
    "lazy": ":include:INCLUDES/late-people", "owner-lazy": "boss@" + CLIENT, "lone": ":include:INCLUDES/only",
    "friends": "one@remote.example, rejfriend@remote.example", "owner-friends": "chief@" + CLIENT,
    "nest": "friends, two@remote.example", "owner-nest": "boss@" + CLIENT, "wrap": "nest, USER",
    "many": "one@remote.example, two@remote.example", "owner-many": "boss@" + CLIENT + ", chief@" + CLIENT,
    "chain": "single", "via": "club", "here": ":include:INCLUDES/aware", "plus+*": "rejplus@remote.example",
    "ours": "one@remote.example, rejours@remote.example", "owner-ours": "ours-request", "ours-request": "boss@" + CLIENT,
}
# files that an :include: names as INCLUDES/name
INCLUDES = {
    "people": "# who reads it\nUSER\npeople@other.example\n",
    "aware-people": "one@remote.example\n\ntwo@remote.example, three@remote.example\n",
    "lost-people": "rejmember@remote.example\nUSER\n",
    "late-people": "tmpmember@remote.example\n",
    "only": "rejonly@remote.example\n",
    "aware": "good@remote.example\n",
}

# what a recipient's name makes the hosts say, by verb; "." is the dot
ANSWERS = {
    "RCPT": {"rej": "550 5.1.1 no such mailbox", "tmp": "450 4.2.1 mailbox busy", "full": "552 5.2.2 mailbox full", "moved": "551 try another", "syntax": "501 no such syntax", "denied": "554 5.7.1 denied", "late": "450 later", "busy": "451 busy", "space": "452 no space", "old": "550 no such user here",
             "lines": "550-5.7.1 first line\r\n550-5.7.1 second line\r\n550 5.7.1 last line", "bare": "553 sorry"},
    "DATA": {"nodata": "554 5.7.1 no data today"},
    ".": {"dat5": "554 5.6.0 never", "dat4": "451 4.3.0 not now", "dat6": "550 not this"},
}


class Host:
    """One next host: what it got, with the words of the envelope."""

    def __init__(self, stage, address, port, extensions, greeting=None):
        self.stage, self.extensions, self.greeting = stage, extensions, greeting
        self.session = threading.local()  # a connection is a thread of the sink
        self.sink = story.Sink(self.answer, address, port)

    def answer(self, verb, words):
        if verb == "CONNECT":
            return self.greeting
        if verb == "EHLO":
            return "\r\n".join(["250-sink"] + ["250-" + word for word in self.extensions] + ["250 HELP"])
        if verb == "MAIL":
            refusal = "550 5.7.1 sender refused" if "<badsender" in words else "550 never" if "<badbare" in words else None
            self.session.mail, self.session.rcpt = None if refusal else words, []
            return refusal
        if verb == "RCPT":
            special = "503 5.5.1 no MAIL" if self.session.mail is None else self.find("RCPT", words)
            if not special:
                self.session.rcpt.append(words)
            return special
        if verb == "DATA" or verb == ".":
            if verb == "DATA" and not self.session.rcpt:
                return "503 5.0.0 no recipients"
            special = next(filter(None, (self.find(verb, words_of) for words_of in self.session.rcpt)), None)
            if verb == "." and not special:
                self.stage.got.append((self.session.mail, self.session.rcpt, words))
            return special
        return None

    @staticmethod
    def find(verb, words):
        name = re.search(r"<([a-z]*[0-9]?)", words).group(1)
        return next((reply for start, reply in ANSWERS[verb].items() if name.startswith(start)), None)

    def close(self):
        self.sink.close()


class Stage:
    def __init__(self, port):
        self.got = []
        self.hosts = [Host(self, "127.0.0.2", port, ["PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "SIZE", "DSN"]),
                      Host(self, "127.0.0.5", port, ["SIZE"]),
                      Host(self, "127.0.0.6", port, [], "554 5.3.2 go away"),
                      Host(self, "127.0.0.7", port, ["ENHANCEDSTATUSCODES", "8BITMIME", "SIZE", "DSN"])]

    def close(self):
        for host in self.hosts:
            host.close()


TEXT = """\
From: Ann Author <ann@relay.isp.example>
To: somebody@corp.example
Date: Mon, 2 Nov 2026 10:00:00 +0000
Message-Id: <one@relay.isp.example>
Subject: the subject

first line of the body
last line of the body
"""


class Situation:
    def __init__(self, name, recipients, notices, sender="ann@" + CLIENT, mail="", text=TEXT, options=None, relayed=0, runs=False, grace=0):
        self.name, self.recipients, self.notices, self.sender, self.mail, self.text = name, recipients, notices, sender, mail, text
        self.options = options or {}
        self.relayed = relayed  # messages at the hosts that are no notices
        self.runs = runs        # the queue must be run for it
        self.grace = grace      # seconds in which no notice more may come


HERE = "USER@corp.example"
QUICK = {"MinQueueAge": "0", "Timeout.hoststatus": "1s"}
WARN = {**QUICK, "Timeout.queuewarn": "1s", "Timeout.queuereturn": "5d"}
RETURN = {**QUICK, "Timeout.queuewarn": "0", "Timeout.queuereturn": "1s"}
PLAIN = {"SendMimeErrors": "false"}
EIGHT = TEXT.replace("first line", "gr\xc3\xbc\xc3\x9fe").encode("latin-1").decode("latin-1")

SITUATIONS = [
    Situation("unknown_local", ["mixed@corp.example"], 1),
    Situation("program_fails", ["failing@corp.example"], 1),
    Situation("program_no_user", ["nouser@corp.example"], 1),
    Situation("program_no_permission", ["noperm@corp.example"], 1),
    Situation("success_program", ["working@corp.example NOTIFY=SUCCESS"], 1),
    Situation("refused_rcpt", ["rej@remote.example"], 1),
    Situation("refused_rcpt_full", ["full@remote.example"], 1),
    Situation("refused_rcpt_old", ["old@other.example"], 1),
    Situation("refused_rcpt_bare", ["bare@remote.example"], 1),
    Situation("refused_rcpt_moved", ["moved@remote.example"], 1),
    Situation("refused_rcpt_syntax", ["syntax@other.example"], 1),
    Situation("refused_rcpt_denied", ["denied@other.example"], 1),
    Situation("refused_dot_many", ["dat5@other.example", "dat5too@other.example"], 1),
    Situation("refused_dot_bare", ["dat6@other.example"], 1),
    Situation("refused_mail_bare", ["fine@other.example"], 1, sender="badbare@" + CLIENT),
    Situation("warning_late", ["late@other.example"], 1, options=WARN, runs=True),
    Situation("warning_busy", ["busy@other.example"], 1, options=WARN, runs=True),
    Situation("warning_space", ["space@remote.example"], 1, options=WARN, runs=True),
    Situation("warning_dot_many", ["dat4@other.example", "dat4too@other.example"], 1, options=WARN, runs=True),
    Situation("success_once", [HERE + " NOTIFY=SUCCESS", "tmp@other.example NOTIFY=NEVER"], 1, options=WARN, runs=True, grace=3),
    Situation("refused_rcpt_lines", ["lines@remote.example"], 1),
    Situation("refused_data", ["nodata@remote.example"], 1),
    Situation("refused_data_plain_host", ["nodata@other.example"], 1),
    Situation("refused_dot", ["dat5@remote.example"], 1),
    Situation("refused_mail", ["fine@remote.example", "finetoo@remote.example"], 1, sender="badsender@" + CLIENT),
    Situation("refused_greeting", ["x@deep.sub.domain.example"], 1, options=RETURN, runs=True),
    Situation("host_unknown", ["x@nowhere.example"], 1),
    Situation("some_of_many", ["goodtoo@other.example", "rejthree@other.example", "rejfour@other.example", "good@remote.example", "rej@remote.example"],
              1, relayed=2),
    Situation("alias_refused", ["single@corp.example"], 1),
    Situation("warning", ["tmp@remote.example"], 1, options=WARN, runs=True),
    Situation("warning_many", ["x@down.example", "dat4@other.example", "tmp@remote.example", "tmptoo@remote.example NOTIFY=FAILURE"], 1, options=WARN, runs=True),
    Situation("returned", ["tmp@remote.example"], 1, options=RETURN, runs=True),
    Situation("returned_dot", ["dat4@other.example"], 1, options=RETURN, runs=True),
    Situation("returned_down", ["x@down.example"], 1, options=RETURN, runs=True),
    Situation("success_local", [HERE + " NOTIFY=SUCCESS"], 1),
    Situation("success_relayed", ["good@other.example NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Good@other.example"], 1, relayed=1),
    Situation("success_passed_on", ["good@remote.example NOTIFY=SUCCESS ORCPT=rfc822;a+2Bb@remote.example"], 0, mail=" RET=FULL ENVID=x+3Dy", relayed=1),
    Situation("success_list", ["team@corp.example NOTIFY=SUCCESS"], 1, relayed=1),
    Situation("success_many_alias", ["pair@corp.example NOTIFY=SUCCESS"], 1, relayed=1),
    Situation("success_alias_aware", ["aware@corp.example NOTIFY=SUCCESS,FAILURE"], 1, relayed=1),
    Situation("success_list_aware", ["club@corp.example NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Club@corp.example"], 1, relayed=1, mail=" ENVID=abc RET=HDRS"),
    Situation("success_list_member_fails", ["broken@corp.example NOTIFY=SUCCESS"], 2),
    Situation("never_list", ["broken@corp.example NOTIFY=NEVER"], 1),
    Situation("success_alias", ["far@corp.example NOTIFY=SUCCESS"], 1, relayed=1),
    Situation("success_and_failure", [HERE + " NOTIFY=SUCCESS,FAILURE", "rej@remote.example NOTIFY=SUCCESS,FAILURE"], 1),
    Situation("never", ["rej@remote.example NOTIFY=NEVER"], 0),
    Situation("only_success", ["rej@remote.example NOTIFY=SUCCESS"], 0),
    Situation("ret_headers", ["rej@remote.example"], 1, mail=" RET=HDRS"),
    Situation("ret_full_xtext", ["rej@remote.example NOTIFY=FAILURE ORCPT=rfc822;Rej+2Bplus@remote.example"], 1, mail=" RET=FULL ENVID=a+2Bb+3Dc"),
    Situation("double_bounce", ["rejtwo@remote.example"], 1, sender="rejone@remote.example", options={"DoubleBounceAddress": "double@" + CLIENT}),
    Situation("null_sender", ["rej@remote.example"], 1, sender="", options={"DoubleBounceAddress": "double@" + CLIENT}),
    Situation("double_bounce_dropped", ["rej@remote.example"], 0, sender="", options={"DoubleBounceAddress": ""}),
    Situation("owner", ["broken@corp.example"], 1),
    Situation("postmaster_copy", ["rej@remote.example"], 2, options={"PostmasterCopy": "postbox@" + CLIENT}),
    Situation("postmaster_copy_never", ["rej@remote.example NOTIFY=NEVER"], 0, options={"PostmasterCopy": "postbox@" + CLIENT}),
    Situation("error_header", ["rej@remote.example"], 1, options={"ErrorHeader": "Call the desk, number 1234."}),
    Situation("nobodyreturn", ["rej@remote.example"], 1, options={"PrivacyOptions": "nobodyreturn"}),
    Situation("plain_failure", ["dat5@other.example", "rej@remote.example"], 1, options=PLAIN),
    Situation("plain_header", ["rej@remote.example"], 1, options={**PLAIN, "PrivacyOptions": "nobodyreturn"}),
    Situation("plain_warning", ["tmp@remote.example"], 1, options={**WARN, **PLAIN}, runs=True),
    Situation("plain_eight_bit", ["rej@remote.example"], 1, mail=" BODY=8BITMIME", text=EIGHT, options=PLAIN),
    Situation("long_header", ["rej@remote.example"], 1, text="X-Long: " + "word " * 300 + "\nX-Folded: one\n\ttwo\n  three\n" + TEXT),
    Situation("private_header", ["rej@remote.example"], 1, text="Return-Path: <x@y.example>\nBcc: secret@y.example\nFull-Name: A B\nX-Other: kept\n" + TEXT),
    Situation("eight_bit", ["rej@remote.example"], 1, mail=" BODY=8BITMIME", text=EIGHT),
    Situation("bulk", ["rej@remote.example"], 1, text="Precedence: bulk\n" + TEXT),
    Situation("alias_never", ["single@corp.example NOTIFY=NEVER"], 0, grace=1),
    Situation("alias_only_success", ["single@corp.example NOTIFY=SUCCESS"], 0, grace=1),
    Situation("alias_only_delay", ["single@corp.example NOTIFY=DELAY"], 0, grace=1),
    Situation("alias_failure", ["single@corp.example NOTIFY=FAILURE ORCPT=rfc822;Single+2BOne@corp.example"], 1, mail=" RET=HDRS ENVID=one+3Dtwo"),
    Situation("alias_delay", ["slow@corp.example NOTIFY=DELAY ORCPT=rfc822;Slow@corp.example"], 1, options=WARN, runs=True),
    Situation("alias_no_delay", ["slow@corp.example NOTIFY=FAILURE,SUCCESS"], 0, options=WARN, runs=True, grace=3),
    Situation("alias_passed_on", ["onward@corp.example"], 0, relayed=1),
    Situation("alias_passed_on_success", ["onward@corp.example NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Onward@corp.example"], 0, relayed=1, mail=" ENVID=abc RET=FULL"),
    Situation("alias_passed_on_delay", ["onward@corp.example NOTIFY=DELAY"], 0, relayed=1),
    Situation("alias_passed_on_never", ["onward@corp.example NOTIFY=NEVER"], 0, relayed=1),
    Situation("alias_of_alias", ["again@corp.example NOTIFY=SUCCESS"], 0, relayed=1),
    Situation("many_alias", ["aware@corp.example"], 0, relayed=1),
    Situation("many_alias_never", ["aware@corp.example NOTIFY=NEVER"], 0, relayed=1),
    Situation("many_alias_failure", ["aware@corp.example NOTIFY=FAILURE ORCPT=rfc822;Aware@corp.example"], 0, relayed=1, mail=" RET=HDRS ENVID=abc"),
    Situation("many_alias_delay", ["aware@corp.example NOTIFY=DELAY,FAILURE"], 0, relayed=1),
    Situation("list", ["club@corp.example"], 0, relayed=1, mail=" RET=FULL ENVID=abc"),
    Situation("list_never", ["club@corp.example NOTIFY=NEVER"], 0, relayed=1),
    Situation("list_failure", ["club@corp.example NOTIFY=FAILURE ORCPT=rfc822;Club@corp.example"], 0, relayed=1),
    Situation("list_delay", ["club@corp.example NOTIFY=DELAY"], 0, relayed=1),
    Situation("list_only_success", ["club@corp.example NOTIFY=SUCCESS"], 1, relayed=1),
    Situation("list_null_sender", ["club@corp.example"], 1, sender=""),
    Situation("list_of_two_owners", ["many@corp.example"], 0, relayed=1),
    Situation("list_owner_is_alias", ["ours@corp.example"], 1, relayed=1),
    Situation("list_in_list", ["nest@corp.example NOTIFY=SUCCESS,FAILURE"], 2, relayed=1),
    Situation("list_in_alias", ["wrap@corp.example NOTIFY=SUCCESS,FAILURE"], 2, relayed=1),
    Situation("include", ["readers@corp.example"], 0, relayed=1),
    Situation("include_success", ["readers@corp.example NOTIFY=SUCCESS ORCPT=rfc822;Readers@corp.example"], 1, relayed=1),
    Situation("include_never", ["stray@corp.example NOTIFY=NEVER"], 0, grace=1),
    Situation("include_only_success", ["stray@corp.example NOTIFY=SUCCESS"], 1, grace=1),
    Situation("include_failure", ["stray@corp.example NOTIFY=FAILURE"], 1),
    Situation("alias_of_alias_fails", ["chain@corp.example NOTIFY=FAILURE"], 1),
    Situation("alias_with_detail", ["plus+more@corp.example"], 1),
    Situation("alias_of_list", ["via@corp.example NOTIFY=SUCCESS,FAILURE"], 1, relayed=1),
    Situation("include_one_passed_on", ["here@corp.example NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Here@corp.example"], 0, relayed=1),
    Situation("include_one_never", ["here@corp.example NOTIFY=NEVER"], 0, relayed=1),
    Situation("include_one", ["lone@corp.example NOTIFY=SUCCESS,FAILURE"], 1),
    Situation("include_list_success", ["lovers@corp.example NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Lovers@corp.example"], 1, relayed=1, mail=" RET=HDRS ENVID=abc"),
    Situation("include_list_never", ["lovers@corp.example NOTIFY=NEVER"], 0, relayed=1),
    Situation("include_list_fails", ["lost@corp.example NOTIFY=FAILURE"], 1),
    Situation("include_list_late", ["lazy@corp.example NOTIFY=FAILURE"], 1, options=WARN, runs=True),
    Situation("relayed_never", ["good@other.example NOTIFY=NEVER"], 0, relayed=1, grace=1),
    Situation("relayed_failure", ["good@other.example NOTIFY=FAILURE"], 0, relayed=1, grace=1),
    Situation("relayed_envid", ["good@other.example NOTIFY=SUCCESS ORCPT=rfc822;G+2Bood@other.example"], 1, relayed=1, mail=" ENVID=a+2Bb RET=FULL"),
    Situation("relayed_and_passed_on", ["good@other.example NOTIFY=SUCCESS", "good@remote.example NOTIFY=SUCCESS", HERE + " NOTIFY=SUCCESS"], 1, relayed=2),
    Situation("delay_and_never", ["tmp@remote.example NOTIFY=DELAY", "tmptoo@remote.example NOTIFY=NEVER", "tmpthree@remote.example NOTIFY=SUCCESS"], 1,
              options=WARN, runs=True, grace=3),
    Situation("returned_never", ["tmp@remote.example NOTIFY=NEVER", "tmptoo@remote.example NOTIFY=DELAY"], 0, options=RETURN, runs=True, grace=4),
    Situation("empty_body", ["rej@remote.example"], 1, text=TEXT.split("\n\n")[0] + "\n\n"),
]

DATE = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), +\d+ [A-Z][a-z][a-z] \d{4} \d\d:\d\d:\d\d (?:[-+]\d{4}(?: \([A-Z]+\))?|GMT)"
ID = r"[0-9A-Za-x]{8}[0-9]{6,10}"
WORDS = [  # (pattern, word)
    (DATE, "DATE"),
    (r"<\d{12}\." + ID + "@", "<STAMP.ID@"),
    (r"\b" + ID + r"\.\d+/", "ID.TIME/"),
    (r"\b(with )?id " + ID + r"\b", r"\1id ID"),
    (r" SIZE=\d+", ""),
    (r"\((?:8\.17|postrider)[^)]*\) (with|id)", r"(PROGRAM) \1"),
    (r"-- " + ID, "-- ID"),
]


def normalise(text, user):
    kept = []
    for line in text.rstrip("\n").split("\n"):
        if line != "Date: Mon, 2 Nov 2026 10:00:00 +0000":  # the author's
            for pattern, word in WORDS:
                line = re.sub(pattern, word, line)
        kept.append(re.sub(r"\b" + re.escape(user) + r"\b", "USER", line))
    return "\n".join(kept) + "\n"


def speak(client, situation, user):
    here = lambda text: text.replace("USER", user)
    client.expect(250, f"MAIL FROM:<{situation.sender}>{situation.mail}")
    for recipient in situation.recipients:
        address, _, words = here(recipient).partition(" ")
        client.expect(250, f"RCPT TO:<{address}> {words}".rstrip())
    client.expect(354, "DATA")
    client.send(story.wire(situation.text) + b".\r\n")
    code, text = client.reply()
    if code != 250:
        raise AssertionError(f"{situation.name}: {text}")


def is_notice(message):
    return message[0].startswith("MAIL From:<>") or message[0].upper().startswith("MAIL FROM:<>")


def play(stage, situation, port, user, run_queue, grace):
    """What the hosts got: the notices whole, of other messages the envelope."""
    stage.got.clear()
    with story.Client(port) as client:
        speak(client, situation, user)
    count = lambda: (sum(map(is_notice, stage.got)), sum(not is_notice(m) for m in stage.got))
    end = time.monotonic() + 20 * story.SLOW
    while count() < (situation.notices, 0) or count()[1] < situation.relayed:
        if time.monotonic() > end:
            break
        if situation.runs:
            run_queue()
        time.sleep(0.05)
    end = time.monotonic() + max(grace, situation.grace)
    while time.monotonic() < end:
        if situation.runs:
            run_queue()
        time.sleep(0.05)
    return show(stage.got, user)


def show(got, user):
    blocks = []
    for mail, recipients, text in sorted(got, key=lambda m: (is_notice(m), m[1], m[2])):
        block = normalise("\n".join([mail] + recipients), user)
        if is_notice((mail,)):
            block += "\n" + normalise(text, user)
        blocks.append("======== message\n" + block)
    return "".join(blocks)


def by_options(situations):
    groups = {}
    for situation in situations:
        groups.setdefault(tuple(sorted(situation.options.items())), []).append(situation)
    return groups
