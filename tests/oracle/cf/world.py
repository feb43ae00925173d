# SPDX-License-Identifier: BSD-2-Clause
"""The private world in which both programs answer: its /etc, its users, its names, its tables; all of it vanishes with the namespaces.

    world.enter()                    # into the namespaces
    with world.World() as place:     # /etc and /var/spool are ours now, the name server answers
        place.configuration("hub")   # -> path of the .cf file that m4 makes from hub.mc, or None and what m4 said"""
import os
import pwd
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "..", "..", "story")]
import sendmail  # noqa: E402
import story  # noqa: E402

HOST = "mail.corp.example"
LIBRARY = "/mnt/cf/"
MAKEMAP = os.path.join(sendmail.ROOT, "usr", "libexec", "sendmail", "makemap")
SETTINGS = "/etc/mail/oracle/"
USERS = {"smmta": 985, "smmsp": 986, "ann": 2001, "bob": 2002, "carl": 2003, "dora": 2004, "postrider": 987, "postrider-q": 988}
HASHED = ("access", "virtusertable", "genericstable", "mailertable", "domaintable", "bitdomain", "uudomain", "authinfo", "domainmap", "words")
FILES = {
    "hosts": f"127.0.0.1 localhost.localdomain localhost\n::1 ip6-localhost ip6-loopback\n127.0.0.1 {HOST} mail\n",
    "resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
}
# What every .mc file of ours begins with: Debian's library, our tables.
PROLOGUE = f"define(`_USE_ETC_MAIL_')dnl\ndefine(`MAIL_SETTINGS_DIR', `{SETTINGS}')dnl\ninclude(`{LIBRARY}m4/cf.m4')dnl\n"
# Rule sets with two arguments need $|, which cannot be typed: `translate,check_relay name $| address`.
EPILOGUE = "Stranslate\nR$* $$| $*\t$: $1 $| $2\n"


def enter():
    packages = ["sendmail-bin", "sendmail-cf"]
    if shutil.which("m4") is None:
        packages.append("m4")
    sendmail.enter(HOST, packages)


HOMES = "/mnt/home/"  # of the world's people; nothing is made in /home, where the clone itself may be


def must(*words, **keywords):
    status, text = sendmail.output_of(*words, **keywords)
    if status != 0:
        raise SystemExit(f"{' '.join(words)}: {text.strip()}")


def write(path, text):
    with open(path, "w") as handle:
        handle.write(text)


class World:
    zone, people = os.path.join(HERE, "zone.txt"), USERS

    def __enter__(self):
        self.environment = sendmail.environment()
        self.environment["PATH"] += ":" + os.path.join(sendmail.ROOT, "usr", "bin")
        self.mount()
        self.library()
        self.users()
        for name, text in FILES.items():
            write(os.path.join("/etc", name), text)
        self.tables()
        self.server = subprocess.Popen([sys.executable, os.path.join(HERE, "..", "..", "tool", "dnsstub"), "127.0.0.1", "53", self.zone],
                                       stdout=subprocess.PIPE)
        self.server.stdout.readline()
        write(SETTINGS + "postrider.conf", f'module_directory = "{story.BUILD}";\n')
        return self

    def __exit__(self, *_):
        self.server.kill()
        self.server.wait()

    def mount(self):
        """/etc is a copy, /run and the places of queues and mailboxes are empty."""
        must("mount", "-t", "tmpfs", "-o", "mode=755", "world", "/mnt")
        must("cp", "-a", "/etc", "/mnt/etc")
        must("mount", "--bind", "/mnt/etc", "/etc")
        for place in ("/run", "/var/spool", "/var/mail"):
            must("mount", "-t", "tmpfs", "-o", "mode=755", "world", place)
        for place in ("/var/spool/mqueue", "/var/spool/mqueue-client"):
            os.mkdir(place, 0o750)

    def library(self):
        """A copy whose files find each other, for it is not where Debian installs it."""
        place = "usr/share/sendmail/cf/"
        shutil.copytree(os.path.join(sendmail.ROOT, place), LIBRARY)
        for folder, _, names in os.walk(LIBRARY):
            for path in (os.path.join(folder, name) for name in names):
                with open(path, "rb") as handle:
                    text = handle.read()
                if b"/" + place.encode() in text:
                    with open(path, "wb") as handle:
                        handle.write(text.replace(b"/" + place.encode(), LIBRARY.encode()))

    def users(self):
        with open("/etc/passwd", "a") as people, open("/etc/group", "a") as groups:
            for name, number in self.people.items():
                people.write(f"{name}:x:{number}:{number}:{name.title()} Able:{HOMES}{name}:/bin/sh\n")
                groups.write(f"{name}:x:{number}:\n")
                os.makedirs(HOMES + name, 0o755)
                os.chown(HOMES + name, number, number)
        os.chown("/var/spool/mqueue", pwd.getpwnam("smmta").pw_uid, 0)
        os.chown("/var/spool/mqueue-client", pwd.getpwnam("smmsp").pw_uid, 0)

    def tables(self):
        """The tables in text and, made with the real makemap, as databases."""
        shutil.copytree(os.path.join(HERE, "tables"), SETTINGS)
        os.chmod(SETTINGS, 0o755)
        for name in os.listdir(SETTINGS):
            os.chmod(SETTINGS + name, 0o644)
        write("/etc/mail/sendmail.cf", "V10/Berkeley\n")  # makemap wants to see one
        for name in HASHED:
            with open(SETTINGS + name, "rb") as handle:
                must("makemap", "hash", SETTINGS + name, executable=MAKEMAP, stdin=handle, env=self.environment)

    def real(self, cf):
        return {"args": ["sendmail", "-bt", "-C", cf], "executable": sendmail.PROGRAM, "env": self.environment}

    def ours(self, cf):
        path = os.environ.get("PATH", "/usr/bin:/bin")
        return {"args": [story.PROGRAM, "sendmail", "-bt", "-C", cf], "env": {"PATH": path, "TZ": "UTC", "POSTRIDER_CONF": SETTINGS + "postrider.conf"}}

    def configuration(self, name, text=None):
        """Path of the .cf file, and what m4 had to say.  Made from text in the mc language, else from NAME.mc or NAME.cf beside this file."""
        target = f"{SETTINGS}{name}.cf"
        if text is None and os.path.exists(os.path.join(HERE, f"{name}.cf")):
            shutil.copy(os.path.join(HERE, f"{name}.cf"), target)
            return target, ""
        if text is None:
            with open(os.path.join(HERE, f"{name}.mc")) as handle:
                text = handle.read()
        done = subprocess.run(["m4", f"-D_CF_DIR_={LIBRARY}", "-"], input=PROLOGUE + text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
                              env=self.environment)
        if done.returncode != 0:
            raise SystemExit(f"m4 {name}: {done.stderr}")
        write(target, done.stdout + EPILOGUE)
        os.chmod(target, 0o644)
        return target, done.stderr
