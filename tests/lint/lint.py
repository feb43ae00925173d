#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The rules of the house, checked on the source text.

    lint.py SRCDIR        checks the tree, one line per offence, exit 1 if there is any
    lint.py --selftest    breaks each rule on purpose in a scratch tree and wants to be told

Floors (DESIGN section 3): include downwards, or within your own folder.  Floor 3 has stairs of its own, from the
bottom: log, config, net, module, table, queue (doc/decisions/0001)."""
import os
import re
import sys
import tempfile

FLOOR = {
    "smtp": 20, "mail": 20, "route": 20, "plan": 20,
    "log": 30, "config": 31, "net": 32, "module": 33, "table": 34, "queue": 35,
    "helper": 40, "role": 40, "master": 40, "session": 40, "courier": 40, "command": 40,
}
# kernel/main.c and the commands start the other roles, so they may see their one entry header each
ENTRY_HEADERS = {
    "kernel/master/master.h", "kernel/master/control.h", "kernel/session/receiver.h", "kernel/courier/courier.h",
    "kernel/helper/helper.h", "kernel/role/plan_role.h", "kernel/command/command.h",
}
MAY_SEE_ENTRIES = {"kernel/main.c", "command", "master"}
PURE = {"smtp", "mail", "route", "plan"}
PURE_FORBIDDEN = re.compile(r"^(sys/socket|sys/stat|sys/epoll|sys/time|netinet/.*|netdb|pthread|unistd|fcntl|time|signal|poll|syslog)\.h$")
BANNED = re.compile(
    r"\b(strcpy|strcat|strncat|sprintf|vsprintf|gets|strtok|gmtime|localtime|ctime|asctime|tmpnam|mktemp|system|popen|alloca|atoi|atol)\s*\(")
ONE_HOME = [  # header pattern, files that may include it
    (re.compile(r"^libconfig\.h$"), lambda p: p == "kernel/config/tree.c"),
    (re.compile(r"^ltdl\.h$"), lambda p: p in ("kernel/module/loader.c", "sdk/tools/load.c") or p.startswith("tests/")),
    (re.compile(r"^openssl/"), lambda p: p.startswith("kernel/net/tls/") or p == "modules/auth/map/hash.c"),
    (re.compile(r"^db\.h$"), lambda p: p == "modules/maps/hash/berkeley.c" or p.startswith("tests/")),
    (re.compile(r"^idn2\.h$"), lambda p: p == "modules/mailers/smtp/idn_library.c"),
    (re.compile(r"^curl/"), lambda p: p == "modules/mailers/smtp/sts_fetch_curl.c"),
    (re.compile(r"^unbound\.h$"), lambda p: p == "kernel/net/unbound_library.h"),
    (re.compile(r"^sasl/"), lambda p: p == "modules/mailers/smtp/auth_sasl.c" or p.startswith("modules/auth/sasl/")),
    (re.compile(r"^gdbm\.h$"), lambda p: p.startswith(("modules/maps/hash/", "tests/"))),
]
MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK(?!\(`))\b")  # HACK(`name') is a word of sendmail's m4
FUNCTION_MAX, FILE_MAX = 80, 700


def strip(text):
    """Comments and string contents blanked, line structure kept."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return pattern.sub(lambda m: (m.group(0)[0] if m.group(0)[0] in "\"'" else "") * 2 if "\n" not in m.group(0)
                       else "\n" * m.group(0).count("\n"), text)


def includes(text):
    for number, line in enumerate(text.split("\n"), 1):
        match = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
        if match:
            yield number, match.group(1), match.group(2)


def room(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "kernel" and len(parts) > 2 else None


def check_floor(path, number, kind, name):
    if not name.startswith("kernel/"):
        return
    if path.startswith(("modules/", "sdk/")):
        yield number, f"{path.split('/')[0]} stands on floor 1 and may not include {name}"
        return
    if not path.startswith("kernel/"):
        return
    here, there = room(path), room(name)
    if path == "kernel/main.c" or here == there:
        return
    if here == "master" and there == "module":
        yield number, "kernel/master never includes kernel/module: root loads no code"
    elif name in ENTRY_HEADERS and (path in MAY_SEE_ENTRIES or here in MAY_SEE_ENTRIES):
        return
    elif there not in FLOOR or here not in FLOOR:
        yield number, f"room kernel/{there if there not in FLOOR else here} has no floor in tests/lint/lint.py"
    elif FLOOR[there] >= FLOOR[here]:
        yield number, f"kernel/{here} may not include {name}: include downwards or within your own folder"


def check_includes(path, text):
    for number, kind, name in includes(text):
        yield from check_floor(path, number, kind, name)
        if room(path) in PURE and PURE_FORBIDDEN.match(name):
            yield number, f"kernel/{room(path)} is pure: no sockets, clock, files, threads ({name})"
        for pattern, allowed in ONE_HOME:
            if pattern.match(name) and not allowed(path):
                yield number, f"{name} has one home in the tree, and it is not here"


def check_lengths(path, code):
    lines = code.split("\n")
    if len(lines) - 1 > FILE_MAX:
        yield 1, f"{len(lines) - 1} lines; a file has at most {FILE_MAX}"
    start = None
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start is not None:
            if number - start - 1 > FUNCTION_MAX:
                yield start, f"a function of {number - start - 1} lines; at most {FUNCTION_MAX}"
            start = None


def check_file(path, text):
    code = strip(text)
    if "SPDX-License-Identifier: BSD-2-Clause" not in text[:200]:
        yield 1, "the SPDX line is missing"
    for number, line in enumerate(text.split("\n"), 1):
        if MARKS.search(line):
            yield number, "a promise of later work; do it or write an issue"
        if line.rstrip() != line:
            yield number, "blanks at the end of the line"
        if any(ord(c) > 126 or (ord(c) < 32 and c != "\t") for c in line):
            yield number, "source text is printable ASCII"
    if path.endswith((".c", ".h")):
        yield from check_includes(path, text)
        for number, line in enumerate(code.split("\n"), 1):
            match = BANNED.search(line)
            if match:
                yield number, f"{match.group(1)} is banned"
        yield from check_lengths(path, code)
        if path.endswith(".c") and not re.match(r"/\* SPDX[^\n]*\n \*\n \* \S.*\n", text):
            yield 1, "a .c file opens with two sentences: how it does its job and why so"


def walk(top):
    for base in ("kernel", "modules", "sdk", "tests"):
        for folder, folders, names in os.walk(os.path.join(top, base)):
            folders[:] = [f for f in folders if f not in (".libs", ".deps", "corpus", "template", "__pycache__")]
            for name in sorted(names):
                if name.endswith((".c", ".h", ".py", ".mk")):
                    yield os.path.relpath(os.path.join(folder, name), top)


def lint(top):
    offences = []
    for path in walk(top):
        with open(os.path.join(top, path), encoding="utf-8", errors="replace") as handle:
            text = handle.read()
        if path == "tests/lint/lint.py":
            continue
        offences += [f"{path}:{number}: {what}" for number, what in check_file(path, text)]
    return offences


HEAD = "/* SPDX-License-Identifier: BSD-2-Clause\n *\n * A file.  It is.\n */\n"
BROKEN = [  # path, text, word of the complaint
    ("kernel/smtp/a.c", HEAD + '#include "kernel/net/dns.h"\n', "downwards"),
    ("kernel/smtp/b.c", HEAD + "#include <time.h>\n", "pure"),
    ("kernel/master/a.c", HEAD + '#include "kernel/module/module.h"\n', "root loads no code"),
    ("kernel/session/a.c", HEAD + '#include "kernel/courier/x.h"\n', "downwards"),
    ("modules/maps/a.c", HEAD + '#include "kernel/log/log.h"\n', "floor 1"),
    ("kernel/net/a.c", HEAD + "#include <libconfig.h>\n", "one home"),
    ("kernel/net/b.c", HEAD + "#include <openssl/ssl.h>\n", "one home"),
    ("kernel/net/c.c", HEAD + "void f(char *a){strcpy(a, \"x\");}\n", "banned"),
    ("kernel/net/d.c", "int a;\n", "SPDX"),
    ("kernel/net/e.c", "/* SPDX-License-Identifier: BSD-2-Clause */\nint a;\n", "two sentences"),
    ("kernel/net/f.c", HEAD + "/* TO" + "DO */\n", "later work"),
    ("kernel/net/g.c", HEAD + "void f(void)\n{\n" + "\tg();\n" * 81 + "}\n", "a function of"),
    ("kernel/net/h.c", HEAD + "int a;\n" * 700, "a file has"),
    ("kernel/nowhere/i.c", HEAD + '#include "kernel/log/log.h"\n', "no floor"),
    ("kernel/net/j.c", HEAD + "int a; \n", "blanks"),
]


def selftest():
    bad = 0
    for path, text, word in BROKEN:
        with tempfile.TemporaryDirectory() as top:
            os.makedirs(os.path.join(top, os.path.dirname(path)))
            with open(os.path.join(top, path), "w", encoding="utf-8") as handle:
                handle.write(text)
            found = [o for o in lint(top) if word in o]
            print(("ok   " if found else "FAIL ") + path + " -> " + (found[0] if found else "nothing said"))
            bad += not found
    return bad


def main():
    if sys.argv[1:] == ["--selftest"]:
        sys.exit(1 if selftest() else 0)
    offences = lint(sys.argv[1] if len(sys.argv) > 1 else ".")
    print("\n".join(offences))
    print(f"lint: {len(offences)} offences")
    sys.exit(1 if offences else 0)


main()
