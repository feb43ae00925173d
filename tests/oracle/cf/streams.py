# SPDX-License-Identifier: BSD-2-Clause
"""The questions for a configuration, as -bt commands."""
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
FLAGS = (b"ES", b"ER", b"HS", b"HR")
CLIENTS = ((b"localhost", b"127.0.0.1"), (b"mx.far.example", b"127.0.0.2"), (b"host.closed.example", b"127.0.0.5"), (b"[127.0.0.9]", b"127.0.0.9"),
           (b"desk.corp.example", b"127.0.0.11"), (b"host.spam.example", b"127.0.0.66"), (b"[127.0.0.67]", b"127.0.0.67"), (b"[127.0.0.68]", b"127.0.0.68"),
           (b"[127.0.0.69]", b"127.0.0.69"), (b"[127.0.0.70]", b"127.0.0.70"), (b"[127.0.0.71]", b"127.0.0.71"), (b"[127.0.0.72]", b"127.0.0.72"),
           (b"[127.0.0.73]", b"127.0.0.73"), (b"[127.0.1.9]", b"127.0.1.9"), (b"a.dotted.example", b"127.0.2.1"), (b"[192.0.2.9]", b"192.0.2.9"),
           (b"[IPv6:2001:db8::66]", b"IPv6:2001:db8::66"), (b"[IPv6:2001:db8:1::9]", b"IPv6:2001:db8:1::9"), (b"[10.1.2.3]", b"10.1.2.3"), (b"", b""), (b"x", b"0"))
CLASSES = (b"w", b"m", b"R", b"M", b"G", b"{VirtHost}", b"E", b"L", b"t", b"B", b"N", b"O", b"P", b"U", b"k", b"n", b"q", b"s", b"e", b"[", b".", b"{Accept}",
           b"{ResOk}", b"{Tls}", b"{Canonify}", b"{persistentMacros}", b"{TrustAuthMech}", b"{SMTPOpModes}", b"{SpamTag}", b"nosuch")
MACROS = (b"j", b"w", b"m", b"k", b"n", b"o", b"q", b"e", b"l", b"r", b"s", b"v", b"M", b"H", b"S", b"R", b"U", b"B", b"L", b"Z", b"{client_addr}", b"{verify}",
          b"{opMode}", b"{daemon_flags}", b"{sendmailMTACluster}", b"nosuch", b"{nosuch}")
WORDS = (b"", b"x", b"ann", b"joe@far.example", b"<joe@far.example>", b"ann < @ corp.example . >", b"joe < @ far.example . > trailing", b"OK", b"<OK> x", b"<?> <ann@corp.example>",
         b"far.example $| 127.0.0.2", b"localhost $| 127.0.0.1", b"mx.far.example $| 127.0.0.5 $| x", b"A $| B $| C $| D", b"STARTTLS $| OK", b"VERIFY $| MAIL",
         b"<RELAY> <joe@far.example> $| x", b"D:<far.example> <?> <+ From> <x>", b"joe < @ far.example . > $| 127.0.0.1", b"FAIL $| STARTTLS", b"1 $| 2")


def addresses():
    with open(os.path.join(HERE, "addresses.txt"), "rb") as handle:
        return handle.read().split(b"\n")[:-1]


def names(cf):
    """Mailers and rule sets of a .cf file."""
    with open(cf, "rb") as handle:
        text = handle.read()
    mailers = [name for name in re.findall(rb"^M([\w*-]+),", text, re.M) if name not in (b"prog", b"*file*", b"*include*")]
    sets = [name.split(b"=")[0] for name in re.findall(rb"^S\s*([\w=]+)", text, re.M)]
    return mailers, list(dict.fromkeys(sets))


def listings(sets):
    return [b"=M", *(b"$=" + name for name in CLASSES), *(b"$" + name for name in MACROS), *(b"=S" + name for name in sets), b"=S nosuch"]


def parses(some):
    return [b"/tryflags ER", *(b"/parse " + address for address in some), *(b"3,0 " + address for address in some)]


def tries(mailers, some):
    commands = []
    for flags in FLAGS:
        commands.append(b"/tryflags " + flags)
        commands += [b"/try " + mailer + b" " + address for mailer in mailers for address in some]
    return commands


def client(name, address):
    return [b".D{client_name}" + name, b".D{client_addr}" + address, b".D{client_resolve}" + (b"FAIL" if name.startswith(b"[") else b"OK")]


def verdicts(some):
    """check_relay for every client; check_mail and check_rcpt for some of them."""
    commands = [b".D{daemon_name}MTA", b".D{addr_type}e s"]
    for name, address in CLIENTS:
        commands += client(name, address)
        commands += [b"translate," + one + b" " + name + b" $| " + address for one in (b"check_relay", b"greet_pause", b"srv_features", b"authinfo", b"tls_srv_features")]
        if address in (b"127.0.0.1", b"127.0.0.9", b"127.0.0.66", b"192.0.2.9"):
            for mail in some:
                known = mail if len(mail) < 250 and not re.search(rb"[\x80-\x9f#]", mail) else b"joe@far.example"  # a session has refused those
                commands += [b".D{mail_addr}" + known, b".Df" + known, b"check_mail " + mail, b"check_mail <" + mail + b">", b"check_rcpt " + mail, b"check_rcpt <" + mail + b">"]
    commands += [b".D{mail_addr}joe@far.example", b".Dfjoe@far.example"]
    for mail in some:
        commands += [b"translate,check_compat ann@corp.example $| " + mail, b"translate,check_compat " + mail + b" $| joe@far.example", b"queuegroup " + mail, b"tls_rcpt " + mail,
                     b"trust_auth " + mail, b"localaddr " + mail]
    return commands


def calls(sets):
    """Every rule set with arguments of every kind, whether it expects them or not."""
    return [b"translate," + name + b" " + words for name in sets for words in WORDS]


def traces(some):
    return [b"-d21.12", *(b"3,0 " + address for address in some), *(b"/parse " + address for address in some), b"-d21.0"]


def whole(cf):
    mailers, sets = names(cf)
    every = addresses()
    return listings(sets) + parses(every) + tries(mailers, every) + verdicts(every[::3]) + calls(sets) + traces(every[::12])


def brief(cf, at=0):
    """A part of it, a different one for each `at`."""
    mailers, sets = names(cf)
    every = addresses()
    return listings(sets) + parses(every) + tries(mailers, every[at % 9::9]) + verdicts(every[at % 20::20]) + calls(sets) + traces(every[at % 60::60])
