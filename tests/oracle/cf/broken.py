# SPDX-License-Identifier: BSD-2-Clause
"""Configurations with something wrong, {name: text}: the files of broken/, which are wrong line after line, and those that are made here, wrong in one
way each, cut off, huge, or no configuration at all."""
import glob
import os
import random

HERE = os.path.dirname(os.path.abspath(__file__))
HEAD = b"V10/Berkeley\nDjmail.corp.example\nO QueueDirectory=/var/spool/mqueue\nO AliasFile=\n"
LOCAL = b"Mlocal, P=/bin/cat, F=lsDFM, A=cat $u\n"
BASE = HEAD + LOCAL
SETS = b"S3\nR$*\t$: $1\nS0\nR$*\t$#local $: $1\n"
MEBI = 1 << 20
# One line, one fault, in an otherwise sound file.
LINES = {
    "unknown_command": b"znothing",
    "lower_case": b"v10/Berkeley",
    "load_average": b"L1",
    "newer_version": b"V11/Berkeley",
    "old_version": b"V5",
    "no_version_number": b"V",
    "other_vendor": b"V10/Sun",
    "macro_without_name": b"D",
    "macro_brace": b"D{open",
    "macro_bad_character": b"D{a-b}x",
    "macro_long_name": b"D{abcdefghijklmnopqrstuvwxyz}x",
    "class_without_name": b"C",
    "class_brace": b"C{open a b",
    "class_of_nothing": b"CA$=",
    "class_file_missing": b"Fx/nonexistent/file",
    "class_file_optional": b"Fx-o/nonexistent/file",
    "class_file_folder": b"Fx/etc",
    "class_file_no_name": b"Fx",
    "class_file_relative": b"Fxsome/file",
    "class_map_unknown": b"Fx@nosuch:/a",
    "class_map_missing": b"Fx@hash:/nonexistent/x",
    "class_program_missing": b"Fx|/nonexistent/program",
    "header_syntax": b"Hno colon here",
    "header_flags_open": b"H?D",
    "header_macro_open": b"H?${x?X: y",
    "header_set_missing": b"HX: $>",
    "map_without_class": b"Kx",
    "map_unknown_class": b"Kx nosuch y",
    "map_bad_regex": b"Kx regex (",
    "map_missing_member": b"Kx sequence nosuch",
    "map_no_file": b"Kx hash",
    "map_file_missing": b"Kx hash /nonexistent/x",
    "mailer_without_arguments": b"Mx, P=/bin/cat",
    "mailer_without_path": b"Mx, A=cat",
    "mailer_equate": b"Mx, P=/bin/cat, Z=1, A=cat",
    "mailer_tcp": b"Mx, P=[TCP], A=TCP $h",
    "mailer_ipc_argument": b"Mx, P=[IPC], A=IPC $h",
    "mailer_no_equals": b"Mx, P /bin/cat, A=cat",
    "mailer_no_name": b"M, P=/bin/cat, A=cat",
    "mailer_user": b"Mx, P=/bin/cat, U=nosuch, A=cat",
    "option_unknown": b"O NoSuchOption=1",
    "option_ambiguous": b"O Max=1",
    "option_prefix": b"O LogL=9",
    "option_empty": b"O =1",
    "option_timeout": b"O Timeout.nosuch=1h",
    "option_time_unit": b"O Timeout.mail=5x",
    "option_ends_delivery": b"O DeliveryMode=z",
    "option_ends_eight_bit": b"O EightBitMode=z",
    "option_ends_recipient": b"O NoRecipientAction=zzz",
    "option_ends_super_safe": b"O SuperSafe=zzz",
    "option_dont_blame": b"O DontBlameSendmail=nosuch",
    "option_privacy": b"O PrivacyOptions=nosuch",
    "option_ports": b"O DaemonPortOptions=Port=1,Bogus=2",
    "option_family": b"O DaemonPortOptions=Family=nosuch",
    "option_user": b"O RunAsUser=nosuch",
    "precedence": b"Px",
    "queue_equate": b"Qx, P=/var/spool/mqueue, Z=1",
    "filter_socket": b"Xx, S=",
    "filter_equate": b"Xx, S=local:/a, Z=1",
    "filter_missing": b"O InputMailFilters=nosuch",
    "rule_before_set": b"R$*\t$1",
    "rule_without_tab": b"S3\nRa b",
    "rule_empty": b"S3\nR",
    "rule_no_left": b"S3\nR\tx",
    "rule_no_right": b"S3\nRx\t",
    "rule_replacement": b"S3\nR$+\t$2",
    "rule_wildcards": b"S3\nR$* $* $* $* $* $* $* $* $* $*\tx",
    "rule_digit_left": b"S3\nR$1\tx",
    "rule_lookup_left": b"S3\nR$[ x $]\ty",
    "rule_match_right": b"S3\nRx\t$*",
    "rule_open_lookup": b"S3\nRx\t$( a",
    "rule_nested_lookup": b"S3\nRx\t$( a $( b $) $)",
    "rule_class_brace": b"S3\nR$={open\tx",
    "set_no_name": b"S",
    "set_number": b"S300",
    "set_changed": b"Sx=7\nSx=8",
    "set_bad_number": b"Sx=300",
    "set_twice": b"S3\nRa\tb\nS4\nRa\tb\nS3\nRc\td",
    "condition_open": b"S3\nRx\t$?j a",
    "brackets": b"<>()[]{}",
}


def lines(count, line):
    return b"".join(line % number for number in range(count))


def huge():
    """Long lines and long files."""
    yield "line_comment", BASE + b"# " + b"x" * MEBI + b"\n" + SETS
    yield "line_macro", BASE + b"DX" + b"x" * MEBI + b"\n" + SETS
    yield "line_class", BASE + b"CX" + b"word " * (MEBI // 5) + b"\n" + SETS
    yield "line_class_word", BASE + b"CX" + b"w" * MEBI + b"\n" + SETS
    yield "line_unknown", BASE + b"z" * MEBI + b"\n" + SETS
    yield "line_rule_left", BASE + b"S3\nR" + b"a" * MEBI + b"\tb\n"
    yield "line_rule_tokens", BASE + b"S3\nR" + b"a " * (MEBI // 2) + b"\tb\n"
    yield "line_rule_right", BASE + b"S3\nRa\t" + b"b." * (MEBI // 2) + b"\n"
    yield "line_mailer", BASE + b"Mx, P=/bin/cat, A=cat " + b"a " * (MEBI // 2) + b"\n"
    yield "line_header", BASE + b"HX-Long: " + b"h" * MEBI + b"\n"
    yield "line_option", BASE + b"O SmtpGreetingMessage=" + b"o" * MEBI + b"\n"
    yield "line_option_name", BASE + b"O " + b"o" * MEBI + b"=1\n"
    yield "line_map", BASE + b"Kx regex " + b"(a|b)" * 2000 + b"\n"
    yield "line_set", BASE + b"S" + b"s" * 100000 + b"\nRa\tb\n"
    yield "continued", BASE + b"DXa\n" + b" b\n" * 20000 + SETS
    yield "rules", BASE + SETS + b"Smany\n" + lines(10000, b"Ra%d $*\t$@ b%d $1\n".replace(b"b%d", b"b"))
    yield "sets", BASE + lines(250, b"Sset%d\nRa\tb\n")
    yield "mailers", BASE + lines(40, b"Mx%d, P=/bin/cat, A=cat\n")
    yield "macros", BASE + lines(300, b"D{name%d}x\n")
    yield "precedences", BASE + lines(40, b"Px%d=1\n")
    yield "filters", BASE + lines(40, b"Xx%d, S=local:/nonexistent\n")
    yield "maps", BASE + lines(2000, b"Kx%d null\n")
    yield "conditions", BASE + b"S3\nRx\t" + b"$?j a " * 200 + b"$. " * 200 + b"\n"


def cut():
    """A sound file that ends too early, at every seventh byte or so, and without its last newline."""
    sound = HEAD + b"Cwlocalhost corp.example\nD{long}value\nKtable hash -o /etc/mail/oracle/words\nH?D?Date: $a\nHX: $>check\n" + LOCAL
    sound += b"Msmtp, P=[IPC], F=mDFMuX, S=1/2, R=3, E=\\r\\n, L=990, T=DNS/RFC822/SMTP, A=TCP $h\n" + SETS + b"Scheck\nR$* < $={w} $+ > $*\t$: $(table $1 $@ $2 $: $>3 $3 $) $[ $4 $]\n"
    for at in range(len(sound) - 200, len(sound), 7):
        yield f"at_{at:04}", sound[:at]


def wild():
    """No configuration at all."""
    yield "nothing", b""
    yield "newlines", b"\n" * 1000
    yield "blanks", b" \t \n" * 1000
    yield "comments", b"# nothing but this\n"
    yield "carriage_returns", (BASE + SETS).replace(b"\n", b"\r\n")
    yield "zero_bytes", b"\0" * 5000
    yield "zero_in_line", BASE + b"DXa\0b\nCXc\0d\n" + SETS
    yield "byte_order_mark", b"\xef\xbb\xbf" + BASE + SETS
    yield "upper_half", BASE + bytes(range(128, 256)) + b"\n" + b"".join(b"D%cx\n" % byte for byte in range(128, 256)) + b"S3\nRa\xe9\x81\tb\xff\n"
    yield "controls", BASE + b"".join(b"DX%c\n" % byte for byte in range(1, 32) if byte != 10) + b"S3\nRa\x01\tb\x02\n"
    yield "mail", b"From: a@b\nTo: c@d\nSubject: x\n\nhello\n"
    letters = b"CDEFHKMOPQRSTVX#RRRRSSDDCC"
    for seed in range(12):
        dice = random.Random(seed)
        some = [bytes([dice.choice(letters)]) + bytes(dice.choice(b"$*+-=~@:#>&(){}[]<>|?.,;%! \tabcxyz019/\\\"'") for _ in range(dice.randrange(60))) for _ in range(60)]
        yield f"dice_{seed:02}", BASE + b"\n".join(some) + b"\n" + SETS
    for seed in range(6):
        yield f"junk_{seed:02}", random.Random(1000 + seed).randbytes(4000)


def all_of_them():
    found = {}
    for path in sorted(glob.glob(os.path.join(HERE, "broken", "*.cf"))):
        with open(path, "rb") as handle:
            found["file_" + os.path.basename(path)[:-3]] = handle.read()
    found.update((name, BASE + line + b"\n") for name, line in LINES.items())
    found["no_local_mailer"] = HEAD + SETS
    for kind, made in (("huge", huge), ("cut", cut), ("wild", wild)):
        found.update((f"{kind}_{name}", text) for name, text in made())
    return found
