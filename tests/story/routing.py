#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The classic tables decide who may send, where mail goes, and how addresses look - through the real daemon and real GDBM files."""
import os

import story

LETTER = "From: ann@example.net\nTo: joe@example.org\nSubject: s\n\nbody\n"


class Routing(story.Story):
    def stage(self, tables, rules=None, **settings):
        daemon = self.daemon(start=False, rules=rules or {}, **settings)
        for name, text in tables.items():
            path = daemon.write(name, text)
            daemon.settings["maps"][name] = {"module": "hash", "file": path}
            if name == "aliases":
                daemon.settings["options"]["AliasFile"] = ["aliases"]
        daemon.write_conf()
        for name in tables:
            if name == "aliases":
                done = daemon.run("newaliases", "-C", daemon.conf_path)
            else:
                with open(daemon.write(name, tables[name])) as source:
                    done = daemon.run("makemap", "-C", daemon.conf_path, "hash", os.path.join(daemon.top, "etc", name), text=source.read())
            self.assertEqual(done.returncode, 0, done.stdout)
        return daemon.start()

    def verdicts(self, daemon, rows, **client):
        for sender, recipient, wanted in rows:
            with daemon.client(**client) as talk:
                got = talk.command(f"MAIL FROM:<{sender}>")
                if got[0] == 250:
                    got = talk.command(f"RCPT TO:<{recipient}>")
                with self.subTest(sender=sender, recipient=recipient):
                    self.assertIn(wanted, got[1])

    def test_access(self):
        daemon = self.stage({"access": (
            "spammer@example.net\tREJECT\nexample.bad\t550 5.7.1 go away\nbulk.example\tDISCARD\nslow.example ERROR:4.7.1:450 later\n"
            "127.0.0.66\tREJECT\n127.0.5.\t550 5.7.1 not this network\n127.0.0.70 RELAY\nTo:friend.example\tRELAY\nTo:closed@example.org\t550 5.2.1 closed\n")},
            rules={"local_domains": ["example.org"], "relay_clients": [], "accept_unresolvable_domains": True})
        me = story.ME + "@example.org"
        self.verdicts(daemon, [
            ("spammer@example.net", me, "550 5.7.1"), ("a@example.bad", me, "go away"),
            ("a@sub.example.bad", me, "go away"), ("a@slow.example", me, "450 4.7.1"),
            ("a@example.net", me, "250 2.1.5"), ("a@example.net", "x@far.example", "550 5.7.1"),
            ("a@example.net", "x@friend.example", "250 2.1.5"), ("a@example.net", "closed@example.org", "550 5.2.1"),
        ])
        self.verdicts(daemon, [("a@example.net", me, "550 5.7.1")], source="127.0.0.66", helo=None)
        self.verdicts(daemon, [("a@example.net", me, "550 5.7.1 not this network")], source="127.0.5.9", helo=None)
        self.verdicts(daemon, [("a@example.net", "x@far.example", "250 2.1.5")], source="127.0.0.70")
        with daemon.client() as client:
            self.assertEqual(client.message("a@bulk.example", [me], LETTER)[0], 250)
        story.wait_for(lambda: "the discard in the log\n" + daemon.log(), lambda: "discard" in daemon.log())
        self.assertEqual(daemon.queue_ids(), [])

    def test_no_open_relay(self):
        daemon = self.stage({}, rules={"local_domains": ["example.org"], "relay_clients": []})
        self.verdicts(daemon, [("a@example.net", form, "55") for form in (
            "x@far.example", "x%far.example@example.org", "@example.org:x@far.example", "far.example!x@example.org",
            '"x@far.example"@example.org', "x@far.example@example.org", "x@[127.0.0.9]")])
        with daemon.client() as client:
            client.expect(250, "MAIL FROM:<a@example.net>")
            for form in ('"|/bin/touch /tmp/x"@example.org', "/etc/passwd@example.org", '":include:/etc/passwd"@example.org'):
                self.assertEqual(client.command(f"RCPT TO:<{form}>")[0] // 100, 5, form)

    def test_unresolvable_sender(self):
        daemon = self.stage({}, rules={"local_domains": ["example.org"], "accept_unresolvable_domains": False})
        self.verdicts(daemon, [("a@no-such-host.invalid", story.ME + "@example.org", "451 4.1.8")])  # the name server does not answer

    def test_virtusertable_and_mailertable(self):
        one, two = self.sink(), self.sink()
        daemon = self.stage({
            "virtusertable": ("info@virtual.example\tx@one.example\n@virtual.example\t%1@two.example\nold@virtual.example\terror:nouser 550 moved away\n"
                              "shut@virtual.example\terror:5.7.0:550 shut today\n"),
            "mailertable": f"one.example\tesmtp:[127.0.0.1]:{one.port}\n.two.example\terror:5.1.2:550 no such\ntwo.example\tesmtp:[127.0.0.1]:{two.port}\n"},
            rules={"local_domains": ["example.org", "virtual.example"]})
        self.verdicts(daemon, [("a@example.net", "old@virtual.example", "moved away"), ("a@example.net", "shut@virtual.example", "550 5.7.0"),
                               ("a@example.net", "x@sub.two.example", "550 5.1.2")])
        daemon.send("a@example.net", ["info@virtual.example", "other@virtual.example"], LETTER)
        self.assertEqual(one.wait(1)[0][1], ["x@one.example"])
        self.assertEqual(two.wait(1)[0][1], ["other@two.example"])

    def test_aliases(self):
        sink = self.sink()
        daemon = self.stage({"aliases": (
            "list: ann@one.example,bob@one.example , \"carl\"@one.example\n  , dora@one.example\nchain: list\n"
            "a: b\nb: a\nmembers: :include:%s\n" % os.path.join(self.scratch, "pr", "etc", "members"))},
            rules={"smart_host": f"[127.0.0.1]:{sink.port}"})
        with open(os.path.join(daemon.top, "etc", "members"), "w") as handle:
            handle.write("# people\neva@one.example, fritz@one.example\ngus@one.example\n")
        daemon.send("a@example.net", ["chain@example.org"], LETTER)
        self.assertEqual(sorted(sink.wait(1)[0][1]), ['"carl"@one.example', "ann@one.example", "bob@one.example", "dora@one.example"])
        daemon.send("a@example.net", ["members@example.org"], LETTER)
        self.assertEqual(sorted(sink.wait(2)[1][1]), ["eva@one.example", "fritz@one.example", "gus@one.example"])
        with daemon.client() as client:
            client.expect(250, "MAIL FROM:<a@example.net>")
            got = client.command("RCPT TO:<a@example.org>")
            self.assertTrue(got[0] in (250, 550, 554), got)

    def test_masquerade_and_generics(self):
        sink = self.sink()
        daemon = self.stage({"genericstable": "ann\tAnn.Other@corp.example\n"}, rules={
            "smart_host": f"[127.0.0.1]:{sink.port}", "masquerade_as": "corp.example", "masquerade_envelope": True,
            "generics_domains": ["example.org"], "local_domains": ["example.org"], "masquerade_domains": ["example.org"]})
        for sender in ("ann@example.org", "joe@example.org", "root@example.org"):
            daemon.send(sender, ["x@far.example"], f"From: Some One <{sender}>\nTo: x@far.example\nSubject: s\n\nb\n")
        got = {m[0]: m[2] for m in sink.wait(3)}
        self.assertEqual(sorted(got), ["Ann.Other@corp.example", "joe@corp.example", "root@example.org"])
        self.assertIn("From: Some One <Ann.Other@corp.example>", got["Ann.Other@corp.example"])
        self.assertIn("From: Some One <joe@corp.example>", got["joe@corp.example"])
        self.assertIn("From: Some One <root@example.org>", got["root@example.org"])

    def test_a_rebuilt_table_needs_no_hup(self):
        daemon = self.stage({"access": "x.example\tREJECT\n"})
        self.verdicts(daemon, [("a@x.example", "b@example.org", "550 5.7.1")])
        done = daemon.run("makemap", "-C", daemon.conf_path, "bogus", os.path.join(daemon.top, "etc", "x"), text="")
        self.assertEqual(done.returncode, 73)
        self.assertIn('there is no map type "bogus"; known are hash and btree\n', done.stdout)
        done = daemon.run("makemap", "-C", daemon.conf_path, "hash", os.path.join(daemon.top, "etc", "access"), text="y.example\tREJECT\n")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.verdicts(daemon, [("a@y.example", story.ME + "@example.org", "550 5.7.1"), ("a@x.example", story.ME + "@example.org", "250 2.1.5")])


if __name__ == "__main__":
    story.main()
