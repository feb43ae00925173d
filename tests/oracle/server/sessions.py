# SPDX-License-Identifier: BSD-2-Clause
"""What clients say to both daemons: (address they come from, their lines); a message's lines follow DATA up to its dot."""


def letter(sender="a@b.example", header="Subject: fine", recipients=1, body="\nbody\n", parameters=""):
    lines = ["EHLO x.example", f"MAIL FROM:<{sender}>{parameters}"]
    lines += [f"RCPT TO:<r{number}@far.example>" for number in range(recipients)]
    return "127.0.0.9", lines + ["DATA"] + (header + "\n" + body).split("\n")[:-1] + [".", "NOOP", "QUIT"]


OFFERS = [("127.0.0.9", ["EHLO x.example", "VERB", "ETRN", "ETRN a.example", "VRFY a@far.example", "EXPN a@far.example", "STARTTLS", "NOOP",
                         "MAIL FROM:<a@b.example> BY=10;R", "RSET", "MAIL FROM:<a@b.example> RET=HDRS", "QUIT"]),
          ("127.0.0.9", ["VERB", "EXPN a@far.example", "VRFY a@far.example", "ETRN a.example", "MAIL FROM:<a@b.example> BY=3599;R", "RSET",
                         "MAIL FROM:<a@b.example> BY=3600;R", "RSET", "MAIL FROM:<a@b.example> BY=30;N", "QUIT"])]
# what EHLO lists, and what works, depends on these
OPTIONS = ["", "O PrivacyOptions=noexpn", "O PrivacyOptions=noverb", "O PrivacyOptions=noetrn", "O PrivacyOptions=novrfy", "O PrivacyOptions=goaway",
           "O PrivacyOptions=needexpnhelo,needvrfyhelo", "O PrivacyOptions=noreceipts", "O DeliverByMin=-1", "O DeliverByMin=1h",
           "O SendMimeErrors=False", "O MaxMessageSize=5000"]
MODIFIERS = [", M=E", ", M=S"]

FEATURES = [(f"127.0.0.{last}", ["EHLO x", "ETRN a.b", "VERB", "EXPN a@far.example", "GET / HTTP/1.1", "MAIL FROM:<a@b.c> RET=HDRS BY=10;R", "STARTTLS", "QUIT"])
            for last in (*range(20, 28), 46)] + [("127.0.0.28", ["EHLO x", "GET / HTTP/1.1"])]

ETRN = [("127.0.0.9", ["EHLO x"] + [f"ETRN {node}" for node in ("far.example", "@far.example", "#slow", "#mqueue", "#nogroup")] + ["QUIT"]),
        ("127.0.0.9", ["HELO x"] + [f"ETRN {node}" for node in ("bad.example", "temp.example", "plain.example", "disc.example", "shut.example", "@", "#")] + ["QUIT"]),
        ("127.0.0.9", ["ETRN <far.example>", "ETRN far.example  more", "etrn far.example ", "QUIT"])]

BY = [("127.0.0.9", ["EHLO x"] + [line for value in ("1;R", "0;R", "-1;R", "-1;N", "0;N", "10", "10;", "10;X", "10;x", "10;RT", "10;NX", "10;Nt", "10;rTx")
                                  for line in (f"MAIL FROM:<a@b.example> BY={value}", "RSET")] + ["QUIT"]),
      ("127.0.0.9", ["HELO x", "MAIL FROM:<a@b.example> BY"] + [line for value in ("", "abc;R", ";R", "99999999999;R", "1000000000;R", "999999999;R", "10;R BY=20;R",
                                                                                   "+10;R", "-999999999;N", "-1000000000;N", "10x;R", "10;R FOO=bar")
                                                                for line in (f"MAIL FROM:<a@b.example> BY={value}", "RSET")] + ["QUIT"]),
      ("127.0.0.9", ["EHLO x", "MAIL FROM:<a@b.example> AUTH", "MAIL FROM:<a@b.example> AUTH=", "RSET", "MAIL FROM:<a@b.example> AUTH=<>", "QUIT"])]

VERIFY = [("127.0.0.9", ["EHLO x", command, "NOOP", "QUIT"]) for command in ("VRFY a bad b", "VRFY joe", "VRFY <joe@example.org>", "VRFY postmaster", "EXPN joe", "ONEX", "XUSR", "VRFY shut", "VRFY plain", "EXPN bad", "EXPN shut", "VRFY", "EXPN", "VRFY bin@far.example",
                                                                             "EXPN bin@far.example", "VRFY |x", "EXPN :include:/etc/passwd", "VRFY /tmp/x")]

CHECKS = [letter(recipients=number) for number in (1, 4, 5)]
CHECKS += [("127.0.0.9", ["EHLO x", "MAIL FROM:<a@b.example>"] + [f"RCPT TO:<r{i}@far.example>" for i in range(number)] + ["DATA", "RSET", "MAIL FROM:<c@b.example>", "QUIT"])
           for number in (2, 3, 6)]
CHECKS += [letter(sender=name + "@b.example") for name in ("eoh5", "eoh4", "eohd", "eohq", "eoh421", "eom5", "eom4", "eomd", "eomq", "eom421")]
CHECKS += [letter(header="Subject: " + text) for text in ("a bad one", "later one", "disc now", "quar now", "plain now", "shut now", "x (bad) y", "(a bad) ok", "Bad", "folded\n\tbad line",
                                                          "x " + "y" * 300 + " bad", '"quo ted" bad <x@y>', "unbalanced ( bad", "ok\nSubject: bad", "bad \t x", "bad\nX-Test: x paren y",
                                                          "disc\nX-Test: x paren y")]
CHECKS += [letter(header=text) for text in ("X-Test: plain (comment here) x", "X-Test: x paren y", "X-Any: one (two) anybad", "X-Any: one (two) three", "X-Other: one  anybad   two",
                                            "From: one anybad two", "Received: one anybad two", "Subject:", "Subject:bad", "Subject:   bad  ", "SUBJECT: bad", "Subject : bad")]
CHECKS += [letter(sender=sender + "@b.example", header=header) for sender, header in (("eoh5", "Subject: ok\nX-a: b\nX-c: d"), ("eoh5", "Subject: bad"), ("eom5", "Subject: bad"), ("eomd", "Subject: bad"),
                                                                                     ("eohd", "Subject: bad"), ("eoh5", "Subject: disc"), ("eom5", "Subject: quar"))]
CHECKS += [letter(sender="eoh5@b.example", header="Subject: x", body="")]

TLS = ["MAIL FROM:<tls1@x>", "MAIL FROM:<tls2@x>", "MAIL FROM:<tls3@x>", "EHLO y", "STARTTLS", "MAIL FROM:<a@b.example>", "NOOP", "RSET", "QUIT"]
COMPAT = ["c5", "c4", "cd", "cq", "cplain", "cuser", "chost", "cusage", "cconf", "cprot", "cmail"]
