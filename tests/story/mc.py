#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A newcomer's way: a .mc, m4 with Debian's sendmail-cf, makemap, a look with -bC, -bt and -bv, and a daemon that accepts, refuses, relays and
delivers by the file that came out, unchanged.

The library of macros is taken from where Debian installs it, or from its package, downloaded and unpacked below the build directory."""
import fcntl
import glob
import os
import shutil
import subprocess
import sys

import cf_daemon
import story

INSTALLED = "/usr/share/sendmail/cf"
CACHE = os.path.join(os.path.abspath(os.environ.get("top_builddir", ".")), "tests", "story", "sendmail-cf.cache")
USER = story.ME if not story.IS_ROOT else "nobody"
LETTER = "From: Ann <ann@example.net>\nTo: joe@example.org\nSubject: the way\n\nhello\n"

MC = """divert(-1)
a small host: local mail, one relay, two tables
divert(0)dnl
define(`MAIL_SETTINGS_DIR', `{etc}/')dnl
VERSIONID(`a story')dnl
OSTYPE(`debian')dnl
DOMAIN(`generic')dnl
define(`confDOMAIN_NAME', `mail.example.org')dnl
define(`confPID_FILE', `{top}/run/mc.pid')dnl
define(`QUEUE_DIR', `{queue}')dnl
define(`ALIAS_FILE', `{etc}/aliases')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confDEF_USER_ID', `{user}')dnl
define(`confMIN_FREE_BLOCKS', `0')dnl
define(`confCW_FILE', `{etc}/local-host-names')dnl
define(`confSERVICE_SWITCH_FILE', `{etc}/service.switch')dnl
undefine(`STATUS_FILE')dnl
define(`STATUS_FILE', `{top}/statistics')dnl
define(`LOCAL_MAILER_PATH', `{program}')dnl
define(`LOCAL_MAILER_ARGS', `deliver -f $g -d $u')dnl
define(`ESMTP_MAILER_ARGS', `TCP $h {sink}')dnl
define(`RELAY_MAILER_ARGS', `TCP $h {sink}')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Family=inet, Name=MTA-v4, Port={port}, Addr=127.0.0.1')dnl
FEATURE(`use_cw_file')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`access_db', `hash -T<TMPF> {etc}/access')dnl
FEATURE(`blocklist_recipients')dnl
FEATURE(`mailertable', `hash {etc}/mailertable')dnl
FEATURE(`virtusertable', `hash {etc}/virtusertable')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
"""

TABLES = {
    "access": "To:far.example\tRELAY\nFrom:bad@example.net\tERROR:5.7.1:550 not from you\nTo:full@example.org\tERROR:4.2.1:450 come back later\n",
    "mailertable": "far.example\tesmtp:[127.0.0.1]\n",
    "virtusertable": f"sales@example.org\t{USER}\n@lost.example\terror:nouser 550 nobody here\n",
}


def skip(why):
    print(f"SKIP: no .mc is made into a .cf: {why}", flush=True)
    sys.exit(77)


def library():
    """A copy of the folder with m4/cf.m4 in it, whose ostype/debian.m4 looks into the copy too."""
    folder = os.path.join(CACHE, "cf")
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(os.path.join(folder, "complete")):
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(INSTALLED if os.path.exists(INSTALLED) else unpacked(), folder)
        path = os.path.join(folder, "ostype", "debian.m4")
        with open(path) as handle:
            text = handle.read()
        os.chmod(path, 0o644)
        with open(path, "w") as handle:
            handle.write(text.replace(INSTALLED, folder))
        open(os.path.join(folder, "complete"), "w").close()
    return folder


def unpacked():
    done = subprocess.run(["apt-get", "download", "sendmail-cf"], cwd=CACHE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    packages = glob.glob(os.path.join(CACHE, "sendmail-cf_*.deb"))
    if not packages:
        skip(f"apt-get download sendmail-cf fails: {done.stdout.strip()[-200:]}")
    subprocess.run(["dpkg-deb", "-x", packages[0], os.path.join(CACHE, "root")], check=True)
    return os.path.join(CACHE, "root", INSTALLED.lstrip("/"))


class FromMc(cf_daemon.CfDaemon):
    def setUp(self):
        super().setUp()
        self.etc = os.path.join(self.pr.top, "etc-mail")
        os.mkdir(self.etc)
        os.chmod(self.etc, 0o755)
        self.make("aliases", "postmaster: " + USER + "\nteam: a@far.example, " + USER + "\n")
        self.make("local-host-names", "example.org\nlost.example\n")
        self.make("service.switch", "hosts files\naliases files\n")
        self.pr.write_conf()
        for name, text in TABLES.items():
            self.make(name, text)
            done = subprocess.run([os.path.join(story.BUILD, "postrider"), "makemap", "hash", os.path.join(self.etc, name)], input=text, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual(done.returncode, 0, done.stdout)
        self.pid = os.path.join(self.pr.top, "run", "mc.pid")
        self.cf = os.path.join(self.etc, "site.cf")
        self.m4()
        done = self.sendmail("-bi")
        self.assertEqual(done.returncode, 0, done.stdout)

    def make(self, name, text):
        path = os.path.join(self.etc, name)
        with open(path, "w") as handle:
            handle.write(text)
        os.chmod(path, 0o644)
        return path

    def m4(self):
        text = MC
        for key, value in {"etc": self.etc, "top": self.pr.top, "queue": self.queue, "user": USER, "program": self.program,
                           "sink": self.sink_host.port, "port": self.pr.port}.items():
            text = text.replace("{%s}" % key, str(value))
        mc, folder = self.make("site.mc", text), library()
        done = subprocess.run(["m4", f"-D_CF_DIR_={folder}/", f"{folder}/m4/cf.m4", mc], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.make("site.cf", done.stdout)

    def test_looked_at_first(self):
        done = self.sendmail("-bC")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn(f"listener MTA-v4 127.0.0.1 port {self.pr.port}", done.stdout)
        self.assertIn("map access module hash", done.stdout)

    def test_tried(self):
        done = self.sendmail("-bt", text="3,0 a@far.example\n/map virtuser sales@example.org\n$=w\n")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("returns: $# esmtp $@ [ 127 . 0 . 0 . 1 ] $: a < @ far . example >", done.stdout)
        self.assertIn(f"returns {USER} (0)", done.stdout)
        self.assertIn("example.org\n", done.stdout)
        done = self.sendmail("-bv", "sales@example.org", "a@far.example")
        self.assertEqual(done.stdout, f"sales@example.org... deliverable: mailer local, user {USER}\n"
                                      "a@far.example... deliverable: mailer esmtp, host [127.0.0.1], user a@far.example\n")

    def test_accepts_refuses_relays_delivers(self):
        daemon = self.start()
        with daemon.client() as client:
            client.expect(550, "MAIL FROM:<bad@example.net>")
            client.expect(250, "MAIL FROM:<ann@example.net>")
            client.expect(550, "RCPT TO:<x@lost.example>")
            client.expect(450, "RCPT TO:<full@example.org>")
            client.expect(550, "RCPT TO:<nobodyofthatname@example.org>")
        with daemon.client(source="127.0.0.9") as client:  # no host of ours: relaying is denied
            client.expect(250, "MAIL FROM:<ann@example.net>")
            self.assertIn("5.7.1", client.expect(550, "RCPT TO:<x@elsewhere.example>"))
            client.expect(250, "RCPT TO:<x@far.example>")  # RELAY in access
        daemon.send("ann@example.net", ["sales@example.org", "a@far.example"], LETTER)
        story.wait_for(lambda: daemon.log(), lambda: os.path.exists(os.path.join(self.box, USER)))
        (_, to, text), = self.sink_host.wait(1)
        self.assertEqual(list(to), ["a@far.example"])
        self.assertIn("by mail.example.org", text if isinstance(text, str) else text.decode("latin1"))

    def test_alias(self):
        daemon = self.start()
        daemon.send("ann@example.net", ["team@example.org"], LETTER)
        story.wait_for(lambda: daemon.log(), lambda: os.path.exists(os.path.join(self.box, USER)))
        (_, to, _), = self.sink_host.wait(1)
        self.assertEqual(list(to), ["a@far.example"])

    def test_queue_of_the_file(self):
        daemon = self.start("-O", "DeliveryMode=q")
        letter_id = daemon.send("ann@example.net", ["a@far.example"], LETTER)
        listed = self.sendmail("-bp")
        self.assertEqual(listed.returncode, 0, listed.stdout)
        self.assertIn(letter_id, listed.stdout)
        self.assertIn("<a@far.example>", listed.stdout)


# what cf_daemon tells of its own file is told there
for inherited in [name for name in dir(cf_daemon.CfDaemon) if name.startswith("test_") and name not in FromMc.__dict__]:
    setattr(FromMc, inherited, None)
del cf_daemon.CfDaemon

if __name__ == "__main__":
    if shutil.which("m4") is None:
        skip("there is no m4")
    library()
    story.main()
