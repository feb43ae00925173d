# SPDX-License-Identifier: BSD-2-Clause
"""The sessions in which every hook tells all macros (macros.mc): each has an address of its own, by which its lines are known."""
from plays import HELLO, TEXT, Letter, Session, letter

DUMPED = "X-Dump: a field\n" + TEXT
PLAYS = {
    "local": [HELLO, "MAIL FROM:<joe@far.example>", "RCPT TO:<bob>", Letter("macros.local", DUMPED)],
    "own": ["HELO client.example", "MAIL FROM:<ann@corp.example> RET=FULL ENVID=abc", "RCPT TO:<joe@table.example> NOTIFY=FAILURE ORCPT=rfc822;x@y.example", Letter("macros.own", DUMPED)],
    "dsn": [HELLO, "MAIL FROM:<ann@corp.example> RET=HDRS ENVID=def", "RCPT TO:<bob> NOTIFY=FAILURE,DELAY", "RCPT TO:<carl> NOTIFY=NEVER", "RCPT TO:<nosuch>", "RCPT TO:<joe@table.example>",
            Letter("macros.dsn", DUMPED)],
    "null": [HELLO, "MAIL FROM:<>", "RCPT TO:<bob>", Letter("macros.null", DUMPED)],
    "nobody": ["VRFY ann", "EXPN team", "ETRN far.example", "MAIL FROM:<joe@far.example>", "RCPT TO:<ann>"],
    "stored": [HELLO, "MAIL FROM:<set@far.example>", "RCPT TO:<bob>", Letter("macros.stored.1", DUMPED), "VRFY ann", "MAIL FROM:<joe@far.example>", "RCPT TO:<ann>", Letter("macros.stored.2", DUMPED), "VRFY ann",
               "MAIL FROM:<set@far.example>", "RSET", "VRFY ann", "MAIL FROM:<joe@far.example>", "RCPT TO:<ann>", "RCPT TO:<bob>", HELLO, "VRFY ann", "MAIL FROM:<set@far.example>", "RCPT TO:<nosuch>", "RCPT TO:<ann+detail>",
               Letter("macros.stored.3", DUMPED), HELLO, "VRFY bob", "MAIL FROM:<joe@far.example>", "RCPT TO:<joe@far.example>", Letter("macros.stored.4", TEXT)],
    "refused": [HELLO, "MAIL FROM:<set.refuse@far.example>", "VRFY ann", "MAIL FROM:<joe@far.example>", "RCPT TO:<nosuch>", "RCPT TO:<dora>", "VRFY bob", "RCPT TO:<ann>", "RSET", "VRFY ann"],
    "asked": ["VRFY ann", HELLO, "VRFY bob", "MAIL FROM:<joe@far.example>", "RCPT TO:<ann>", "RSET", "VRFY ann"],
    "helo": ["MAIL FROM:<set@far.example>", "RCPT TO:<bob>", HELLO, "MAIL FROM:<joe@far.example>", "RCPT TO:<ann>", "MAIL FROM:<joe@far.example>", "RCPT TO:<carl>"],
    "virtual": [HELLO, "MAIL FROM:<Joe@Far.Example>", "RCPT TO:<info@virtual.example>", "RCPT TO:<team>", Letter("macros.virtual", DUMPED)],
    "submitted": [HELLO, "MAIL FROM:<ann@corp.example>", "RCPT TO:<bob@corp.example>", Letter("macros.submitted", TEXT)],
}


HOPS = "Received: x\n" * 9
FURTHER = "Received: x\n" * 3


def details():
    """plus.mc: names with details, long refusals, many hops."""
    names = ["ann+detail", "ann+detail@corp.example", "nosuch+detail", "ann+", "ann", "nosuch", "team+x", "bob+a+b", "info+x@virtual.example", "plus+x@virtual.example"]
    yield Session("plus.names", [HELLO, "MAIL FROM:<joe@far.example>"] + [f"RCPT TO:<{name}>" for name in names] + ["VRFY ann+detail", "QUIT"])
    yield Session("plus.long", [HELLO, "MAIL FROM:<joe@far.example>"] + [f"RCPT TO:<{name}@far.example>" for name in ("long150", "long190", "long200", "long230", "long239", "two", "four", "words")] + ["QUIT"])
    yield letter("plus.detail", ["ann+detail"], "joe@far.example")
    yield letter("plus.hops", ["bob"], "joe@far.example", HOPS + TEXT)
    yield letter("plus.hops.more", ["bob"], "joe@far.example", HOPS + FURTHER + TEXT)


def sessions():
    for number, (name, steps) in enumerate(PLAYS.items(), 1):
        yield Session("macros." + name, steps + ["QUIT"], f"127.0.3.{number}", port=587 if name == "submitted" else 25)
