# SPDX-License-Identifier: BSD-2-Clause
"""The real sendmail, from Debian's own package, for tests that exchange a queue with it or give it the same questions.

Nothing is installed.  The packages (sendmail-bin and the libraries that this machine lacks) are downloaded and unpacked below the build
directory, and the whole test runs in mount, host name and network namespaces of its own, where only 127.0.0.0/8 exists:

    import sendmail
    if __name__ == "__main__":
        sendmail.enter()        # unpacks, goes into the namespaces; or says why not and exits with 77
        story.main()

    world = sendmail.Sendmail(scratch, queue="/x/queue", port=25001)    # all mail goes to that port of 127.0.0.1
    world.run("-bp"); world.run("-q")

The configuration is a dozen lines of our own: an address is taken as it stands and goes to one mailer."""
import fcntl
import glob
import os
import re
import socket
import subprocess
import sys

import story

BUILD = os.path.abspath(os.environ.get("top_builddir", "."))
CACHE = os.path.join(BUILD, "tests", "oracle", "sendmail.cache")
ROOT = os.path.join(CACHE, "root")
PROGRAM = os.path.join(ROOT, "usr", "libexec", "sendmail", "sendmail")
HOST = "mail.example.org"
INSIDE = "POSTRIDER_ORACLE_INSIDE"

CONFIGURATION = """V10/Berkeley
Dj{host}
DnMAILER-DAEMON
Do.:%@!^/[]+
Cw{host}
O QueueDirectory={queue}
O AliasFile=
O LogLevel=0
O MinQueueAge=0
O MinFreeBlocks=0
O QueueLA=1000
O RefuseLA=1000
O ServiceSwitchFile={switch}
O HostsFile={hosts}
O EightBitMode=pass8
O SendMimeErrors=True
O SuperSafe=True
O DontProbeInterfaces=True
O ForkEachJob=False
O HelpFile=/nonexistent
O PidFile={top}/pid
O Timeout.queuereturn=5d
O ResolverOptions=-DNSRCH
{options}
Troot daemon
H?D?Date: $a
H?M?Message-Id: <$t.$i@$j>
Sfar=9
Scanonify=3
R$* < $* > $*\t$@ $2
Sparse=0
R$*\t$#far $@ [127.0.0.1] $: $1
Mlocal, P=/bin/false, F=lsDFM, A=false $u
Mprog, P=/bin/false, F=lsDFM, A=false $u
Mfar, P=[IPC], F=mDFMuX8, E=\\r\\n, L=990, A=TCP $h {port}
"""


def skip(why):
    print(f"SKIP: no comparison with real sendmail: {why}", flush=True)
    sys.exit(77)


def output_of(*words, **keywords):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, **keywords)
    return done.returncode, done.stdout


def download(packages):
    """With the machine's package lists, or, where there are none, with lists of our own below the cache."""
    if output_of("apt-get", "download", *packages, cwd=CACHE)[0] == 0:
        return
    own = []
    for what in ("state/lists/partial", "cache/archives/partial"):
        os.makedirs(os.path.join(CACHE, what), exist_ok=True)
    for name, folder in (("Dir::State::lists", "state/lists"), ("Dir::Cache", "cache")):
        own += ["-o", f"{name}={os.path.join(CACHE, folder)}"]
    own += ["-o", "APT::Sandbox::User=root"]
    for words in (("update",), ("download", *packages)):
        status, text = output_of("apt-get", *own, *words, cwd=CACHE)
        if status != 0:
            skip(f"apt-get {' '.join(words)} fails: {text.strip()[-300:]}")


def depends(package):
    """Libraries that a downloaded package wants and this machine has not."""
    status, text = output_of("dpkg-deb", "-f", glob.glob(os.path.join(CACHE, f"{package}_*.deb"))[0], "Depends")
    names = re.findall(r"(?:^|, )(lib[a-z0-9.+-]+)", text) if status == 0 else []
    return [name for name in names if "ok installed" not in output_of("dpkg-query", "-W", "-f=${Status}", name)[1]]


def complete(package):
    return os.path.join(CACHE, f"{package}.complete")


def unpack(packages):
    """Unpacked once; several runs may come at the same time."""
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = [package for package in packages if not os.path.exists(complete(package))]
        pending, seen = wanted, set()
        while pending:
            download(pending)
            for package in pending:
                status, text = output_of("dpkg-deb", "-x", glob.glob(os.path.join(CACHE, f"{package}_*.deb"))[0], ROOT)
                if status != 0:
                    skip(f"{package} cannot be unpacked: {text}")
            seen.update(pending)
            pending = sorted({name for package in pending for name in depends(package)} - seen)
        os.chmod(PROGRAM, 0o755)  # set-group-id programs are given no LD_LIBRARY_PATH
        for package in wanted:
            open(complete(package), "w").close()


def environment():
    """What its programs need to run."""
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TZ": "UTC", "LD_LIBRARY_PATH": libraries()}


def libraries():
    return ":".join(sorted({os.path.dirname(path) for path in glob.glob(os.path.join(ROOT, "**", "lib*.so*"), recursive=True)}))


def enter(host=HOST, packages=("sendmail-bin",)):
    """Unpacks the packages, then runs this program again in namespaces of its own."""
    if os.environ.get(INSIDE):
        output_of("hostname", host)
        output_of("ip", "link", "set", "lo", "up")
        return
    if os.geteuid() != 0:
        skip("it needs root")
    for tool in ("apt-get", "dpkg-deb", "unshare", "ip"):
        if output_of("sh", "-c", f"command -v {tool}")[0] != 0:
            skip(f"there is no {tool}")
    unpack(packages)
    status, text = output_of("unshare", "-m", "-u", "-n", "true")
    if status != 0:
        skip(f"no namespaces: {text.strip()}")
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "-m", "-u", "-n", sys.executable, os.path.abspath(sys.argv[0]), *sys.argv[1:]])


class Sendmail:
    """One configuration of the real sendmail over a queue."""

    def __init__(self, scratch, queue, port, options=""):
        self.top = os.path.join(scratch, "sendmail")
        self.environment = environment()
        os.makedirs(self.top, exist_ok=True)
        names = {name: os.path.join(self.top, name) for name in ("switch", "hosts")}
        for name, text in (("switch", "hosts files\naliases files\npasswd files\n"), ("hosts", f"127.0.0.1 {HOST} localhost\n")):
            with open(names[name], "w") as handle:
                handle.write(text)
        self.conf = os.path.join(self.top, "sendmail.cf")
        with open(self.conf, "w") as handle:
            handle.write(CONFIGURATION.format(host=HOST, queue=queue, port=port, top=self.top, options=options, **names))
        os.chmod(self.conf, 0o644)

    def run(self, *words, text="", timeout=120):
        """Exit status and what it printed."""
        done = subprocess.run(["sendmail", "-C", self.conf, *words], executable=PROGRAM, input=text.encode("latin-1"), cwd=self.top, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.environment)
        return done.returncode, done.stdout.decode("latin-1")

    def client(self, *words):
        """SMTP with sendmail -bs."""
        ours, its = socket.socketpair()
        with its:
            process = subprocess.Popen(["sendmail", "-C", self.conf, "-bs", *words], executable=PROGRAM, stdin=its, stdout=its, cwd=self.top, env=self.environment)
        return Client(ours, process)


class Client(story.Client):
    """story.Client over a pair of sockets, at whose other end a process speaks."""

    def __init__(self, sock, process):
        sock.settimeout(60)
        self.sock, self.file, self.process = sock, sock.makefile("rb"), process
        self.greeting = self.reply()
        self.ehlo = self.command("EHLO client.example")

    def close(self, quit_first=True):
        super().close(quit_first)
        self.process.wait(60)
