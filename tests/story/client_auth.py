#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""We prove who we are to next hosts - another postrider with Cyrus SASL, a table or the real Dovecot behind it - by every mechanism there is; a token that ran out is renewed once,
and when that is not taken either, or there is none to be had, the mail waits and is not returned."""
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
import time
import unittest
import urllib.parse

import auth
import story
import tls_peer

NAME, PASSWORD = auth.NAME, auth.PASSWORD
LETTER = "From: ann@example.net\nTo: joe@far.example\nSubject: s\n\nbody\n"


class Client(auth.Auth):
    """self.pr: the host that wants to know; self.us: who sends."""

    def us(self, entry, name="us", options=None, mailer=None):
        daemon = self.daemon(name, start=False, rules={"smart_host": f"esmtp:[127.0.0.1]:{self.pr.port}", "relay_clients": ["127.0.0.1"]},
                             mailers={"esmtp": {"module": "smtp", **(mailer or {})}}, options={"LogLevel": 14, "QueueInterval": "1h", "MinQueueAge": "0s", **(options or {})})
        table = daemon.write("access", "".join(f"AuthInfo:127.0.0.1~{entry}\n" for _ in [0] if entry))
        daemon.settings["maps"]["access"] = {"module": "text", "file": table, "delimiter": "~"}
        return daemon.start()

    def send(self, us):
        return us.send("ann@example.net", ["joe@far.example"], LETTER)

    def passes(self, us, mechanism):
        before = len(self.far.messages)
        self.send(us)
        story.wait_for(lambda: "the letter\n" + us.log()[-3000:] + self.pr.log()[-3000:], lambda: len(self.far.messages) > before)
        self.assertIn(f"AUTH=client, relay=[127.0.0.1], mech={mechanism}\n", us.log())
        self.assertRegex(self.pr.log(), rf"AUTH=server, relay=\[127.0.0.1\], authid={NAME}(@\S+)?, mech={mechanism}, ")
        for log in us.log(), self.pr.log():
            self.assertNotIn(PASSWORD, log)

    def waits(self, us, words=""):
        letter = self.send(us)
        us.wait_log(letter + ": to=.*stat=Deferred: Temporary AUTH failure")
        self.assertRegex(us.log(), words or "temporary failure")
        self.assertNotIn("stat=Service unavailable", us.log())
        return letter

    def passwords(self, mechanisms, server):
        entry = f'"U:{NAME}" "P:{PASSWORD}"'
        for mechanism in mechanisms:
            with self.subTest(mechanism):
                us = self.us(entry + f' "M:{mechanism}"', name=f"us-{mechanism}")
                self.passes(us, mechanism)
                us.stop()
        with self.subTest("by itself the best one"):
            self.passes(self.us(entry), server)


class ByTable(Client):
    def test_table(self):
        self.stage([{"module": "map", "map": "passwords"}], maps=self.table(f"{NAME} {auth.verifier()}\n"))
        self.passwords(("PLAIN", "LOGIN", "SCRAM-SHA-256"), "SCRAM-SHA-256")
        self.stage([{"module": "map", "map": "passwords"}], maps=self.table(f"{NAME} {auth.verifier('sha1')}\n"), name="old")
        self.passes(self.us(f'"U:{NAME}" "P:{PASSWORD}" "M:SCRAM-SHA-1"', name="us-sha1"), "SCRAM-SHA-1")

    def test_refused(self):
        """A wrong password is no reason to keep mail: whether it is taken from strangers the next host decides."""
        self.stage([{"module": "map", "map": "passwords"}], maps=self.table(f"{NAME} {auth.verifier()}\n"))
        us = self.us(f'"U:{NAME}" "P:guess"')
        letter = self.send(us)
        us.wait_log(letter + r": to=.*dsn=5.7.1, .*stat=")
        self.assertIn("AUTH=client, relay=[127.0.0.1], mech=SCRAM-SHA-256, reply=535 5.7.0 authentication failed\n", us.log())
        self.assertIn("AUTH=client, relay=[127.0.0.1], refused\n", us.log())

    def test_what_cannot_be_looked_up(self):
        """454 of the next host, and an entry of ours that nobody understands."""
        maps = self.table(f"{NAME} {auth.verifier()}\n")
        self.stage([{"module": "map", "map": "passwords"}], maps=maps)
        os.rename(maps["passwords"]["file"], maps["passwords"]["file"] + ".gone")
        us = self.us(f'"U:{NAME}" "P:{PASSWORD}"')
        self.waits(us, r"mech=SCRAM-SHA-256, reply=454 4.7.0 Temporary authentication failure\n")
        os.rename(maps["passwords"]["file"] + ".gone", maps["passwords"]["file"])
        us.ctl("queue-run")
        self.far.wait(1)
        for number, entry in enumerate(("what is this", '"U:joe" "T:relative|path"', '"U:joe" "P=no base64!"')):
            self.waits(self.us(entry, name=f"wrong{number}"), "AUTH=client, relay=\\[127.0.0.1\\]: authinfo of \\[127.0.0.1\\]: not words like")


@unittest.skipUnless(shutil.which("saslpasswd2"), "there is no saslpasswd2: sasl2-bin")
class BySasl(Client):
    """Cyrus SASL on both sides, and certificates."""
    configure, database = auth.Sasl.configure, auth.Sasl.database

    def start_server(self, mechanisms, **options):
        conf = self.configure(f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {self.database()}\n")
        self.stage(conf, {"AuthMechanisms": mechanisms, **options})

    def test_sasldb(self):
        self.start_server("CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256 PLAIN LOGIN")
        self.passwords(("CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "PLAIN", "LOGIN"), "SCRAM-SHA-256")

    def test_external(self):
        """The name is in our certificate; where there is none, or no TLS, the mechanism is not tried."""
        self.start_server("EXTERNAL PLAIN", CACertFile=self.pki.path)
        certificate, key = self.pki.certificate(NAME)
        if story.IS_ROOT:
            shutil.chown(key, "bin")
        ours = {"ClientCertFile": certificate, "ClientKeyFile": key}
        for number, entry in enumerate(('"M:EXTERNAL"', f'"U:{NAME}"')):
            with self.subTest(entry):
                us = self.us(entry, name=f"us{number}", options=ours)
                letter = self.send(us)
                us.wait_log(letter + ": to=.*stat=")
                self.assertIn("mech=EXTERNAL\n", us.log() + self.pr.log()[-2000:])
                self.far.wait(number + 1)
        self.waits(self.us('"M:EXTERNAL"', name="bare"))
        self.waits(self.us('"M:EXTERNAL"', name="clear", options=ours, mailer={"tls": "never"}))


class Provider:
    """A small OAuth server: /token gives a token for a refresh token that it knows (RFC 6749 section 6), /tell says who has one (RFC 7662)."""

    def __init__(self):
        provider = self
        self.given, self.good, self.lifetime, self.broken = 0, set(), 3600, False

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                words = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                if self.path == "/token":
                    self.answer(*provider.token(words))
                else:
                    self.answer(200, provider.tell(words.get("token")))

            def do_GET(self):
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                self.answer(200 if token in provider.good else 401, provider.tell(token))

            def answer(self, code, value):
                body = json.dumps(value).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def token(self, words):
        if self.broken or words.get("grant_type") != "refresh_token" or words.get("refresh_token") != "for ever":
            return 400, {"error": "invalid_grant"}
        self.given += 1
        token = f"token.{self.given}-{'x' * 1500}"
        self.good.add(token)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime}

    def tell(self, token):
        return {"active": True, "username": NAME, "email": NAME} if token in self.good else {"active": False}

    def close(self):
        self.server.shutdown()
        self.server.server_close()


# What an administrator writes: ask, and print the two lines.
PROGRAM = """#!/bin/sh
curl -s --fail -d grant_type=refresh_token --data-urlencode "refresh_token=for ever" "$1" |
	python3 -c 'import json, sys; answer = json.load(sys.stdin); print(answer["access_token"]); print(answer["expires_in"])'
"""


@unittest.skipUnless(story.IS_ROOT and shutil.which("dovecot") and shutil.which("curl"), "there is no dovecot or no curl: dovecot-core, curl, as root")
class ByToken(Client):
    """The real Dovecot, which asks a small OAuth server what a token is worth."""
    stop_process = auth.Dovecot.stop

    def setUp(self):
        super().setUp()
        os.chmod(self.scratch, 0o755)
        self.provider = Provider()
        self.addCleanup(self.provider.close)
        self.program = os.path.join(self.scratch, "token")
        with open(self.program, "w") as handle:
            handle.write(PROGRAM)
        os.chmod(self.program, 0o755)

    def start_server(self, mechanisms="xoauth2 oauthbearer", offered="XOAUTH2 OAUTHBEARER"):
        top = os.path.join(self.scratch, "dovecot")
        os.makedirs(os.path.join(top, "run"))
        with open(os.path.join(top, "oauth"), "w") as handle:
            handle.write(f"introspection_url = http://127.0.0.1:{self.provider.port}/tell\nintrospection_mode = post\nusername_attribute = username\nactive_attribute = active\nactive_value = true\n")
        conf = os.path.join(top, "dovecot.conf")
        with open(conf, "w") as handle:
            handle.write(f"base_dir = {top}/run\nlog_path = {top}/log\nprotocols =\nssl = no\ndisable_plaintext_auth = no\ndefault_login_user = nobody\ndefault_internal_user = nobody\n"
                         f"default_internal_group = nogroup\nauth_mechanisms = {mechanisms}\nauth_failure_delay = 0\nauth_cache_size = 0\n"
                         f"passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {top}/oauth\n}}\n"
                         f"service auth {{\n  unix_listener {top}/client {{\n    mode = 0666\n  }}\n}}\nservice anvil {{\n  chroot =\n}}\n")
        process = subprocess.Popen(["dovecot", "-F", "-c", conf], stdin=subprocess.DEVNULL, stdout=open(os.path.join(top, "out"), "wb"), stderr=subprocess.STDOUT)
        self.addCleanup(self.stop_process, process)
        said = lambda: "".join(open(os.path.join(top, name), errors="replace").read() for name in ("out", "log") if os.path.exists(os.path.join(top, name)))
        story.wait_for(said, lambda: os.path.exists(os.path.join(top, "client")) or process.poll() is not None)
        self.assertIsNone(process.poll(), said())
        self.said = said
        self.stage([{"module": "dovecot", "socket": os.path.join(top, "client")}], {"AuthMechanisms": offered})

    stop = stop_process

    def source(self):
        return f"|{self.program} http://127.0.0.1:{self.provider.port}/token"

    def test_both_and_kept(self):
        self.start_server()
        for number, mechanism in enumerate(("XOAUTH2", "OAUTHBEARER")):
            us = self.us(f'"U:{NAME}" "T:{self.source()}" "M:{mechanism}"', name=f"us{number}", mailer={"messages": 1})
            for _ in range(3):
                self.passes(us, mechanism)
            self.assertEqual(self.provider.given, number + 1, "one token for three connections")
            self.assertNotIn("token." + str(number + 1), us.log() + self.pr.log())
            us.stop()

    def test_refreshed(self):
        """It ran out before its time was over: one more is asked for, and taken."""
        self.start_server()
        us = self.us(f'"U:{NAME}" "T:games{self.source()}"', mailer={"messages": 1, "token_program": "games" + self.source().rsplit(" ", 1)[0] + " $x"})
        for count in (1, 2):
            self.provider.good.clear()
            self.send(us)
            story.wait_for(lambda: us.log()[-3000:] + self.pr.log()[-2000:] + self.said()[-3000:], lambda c=count: len(self.far.messages) == c)
            self.assertEqual(self.provider.given, count)
        self.assertRegex(us.log(), r"mech=(XOAUTH2|OAUTHBEARER), reply=535 ")

    def test_time_is_over(self):
        self.start_server()
        self.provider.lifetime = 2
        us = self.us(f'"U:{NAME}" "T:{self.source()}"', mailer={"messages": 1})
        self.send(us)
        self.far.wait(1)
        time.sleep(1.5)
        self.send(us)
        self.far.wait(2)
        self.assertEqual(self.provider.given, 2)

    def test_never_taken(self):
        """Refreshed once, and then the mail waits."""
        self.start_server()
        real, self.provider.tell = self.provider.tell, lambda token: {"active": False}
        us = self.us(f'"U:{NAME}" "T:{self.source()}" "M:XOAUTH2"', mailer={"messages": 1})
        self.waits(us)
        self.assertEqual((self.provider.given, us.log().count("mech=XOAUTH2, reply=535 ")), (2, 2))
        self.provider.tell = real
        us.ctl("queue-run")
        self.far.wait(1)

    def test_none_to_be_had(self):
        self.start_server()
        self.provider.broken = True
        us = self.us(f'"U:{NAME}" "T:{self.source()}"')
        self.waits(us, "there is no token")
        self.waits(self.us(f'"U:{NAME}" "T:|/nonexistent/program"', name="gone"), "/nonexistent/program")
        hangs = os.path.join(self.scratch, "hangs")
        with open(hangs, "w") as handle:
            handle.write("#!/bin/sh\nsleep 60\n")
        os.chmod(hangs, 0o755)
        self.waits(self.us(f'"U:{NAME}" "T:|{hangs}"', name="us-hangs", options={"Timeout": {"auth": "2s"}}), "takes too long")

    def test_account(self):
        """A program runs as an account only where the mailer allows it, and with no other words."""
        self.start_server()
        who = os.path.join(self.scratch, "who")
        with open(who, "w") as handle:
            handle.write(f"#!/bin/sh\n[ \"$(id -un) $*\" = 'games one two' ] && exec {self.program} http://127.0.0.1:{self.provider.port}/token\n")
        os.chmod(who, 0o755)
        allowed = {"token_program": f"games|{who} one two"}
        self.passes(self.us(f'"U:{NAME}" "T:games|{who} one two" "M:XOAUTH2"', name="us-yes", mailer=allowed), "XOAUTH2")
        for number, (words, mailer) in enumerate(((f"games|{who} one two", {}), (f"games|{who} one", allowed), (f"games|{who} one three", allowed), (f"games|{self.program} one two", allowed))):
            self.waits(self.us(f'"U:{NAME}" "T:{words}"', name=f"no{number}", mailer=mailer), "is no program of a mailer")
        self.waits(self.us(f'"U:{NAME}" "T:|{who} one two"', name="us-other"), "there is no token")

    def test_file(self):
        """Somebody else renews it; one that was not taken is read again before the mail waits."""
        self.start_server()
        path = os.path.join(self.scratch, "token-file")

        def write(token):
            with open(path + ".new", "w") as handle:
                handle.write(token + "\n")
            if story.IS_ROOT:
                shutil.chown(path + ".new", "bin")
            os.chmod(path + ".new", 0o600)
            os.rename(path + ".new", path)
        write("old")
        us = self.us(f'"U:{NAME}" "T:{path}"', mailer={"messages": 1})
        self.waits(us, "the token is still the one that was refused")
        write("new")
        self.provider.good.add("new")
        us.ctl("queue-run")
        self.far.wait(1)
        os.unlink(path)
        self.waits(us, "token-file: ")

    def test_not_in_the_clear(self):
        self.start_server()
        us = self.us(f'"U:{NAME}" "T:{self.source()}" "M:XOAUTH2 OAUTHBEARER"', mailer={"tls": "never"})
        self.send(us)
        us.wait_log("to=<joe@far.example>.*stat=")
        self.assertEqual(self.provider.given, 0)
        self.assertNotIn("AUTH XOAUTH2", self.pr.log())


del auth.Auth  # its own stories are told elsewhere

if __name__ == "__main__":
    story.main()
