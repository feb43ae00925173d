#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Who runs the daemon is told what is wrong and where, and what a command promises is true when it returns."""
import os
import socket
import time

import story


def ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as handle:
        words = handle.read().rsplit(")", 1)[1].split()
    return int(words[11]) + int(words[12])


class Administrator(story.Story):
    def test_after_stop_the_place_is_free(self):
        daemon = self.daemon()
        for _ in range(5):
            tree = list(daemon.processes())
            status, text = daemon.ctl("stop")
            self.assertEqual(status, 0, text)
            # flock and sockets are free at once; the process itself may need a moment to be reaped
            again = daemon.run("sendmail", "-bd", "-C", daemon.conf_path)
            self.assertEqual(again.returncode, 0, again.stdout + daemon.log())
            self.assertEqual(daemon.ctl("stop")[0], 0)
            for pid in tree:
                story.wait_for("it to leave", lambda p=pid: not story.is_alive(p))
            daemon.process.wait()
            daemon.start()

    def test_who_hangs_up_while_waiting_costs_no_time(self):
        daemon = self.daemon(options={"Timeout": {"stop": "20s"}})
        with daemon.client() as client:
            client.expect(250, "MAIL FROM:<a@example.net>")
            client.expect(250, f"RCPT TO:<{story.ME}@example.org>")
            client.expect(354, "DATA")
            with socket.socket(socket.AF_UNIX) as control:
                control.connect(os.path.join(daemon.top, "run", "control.sock"))
                control.sendall(b"stop\n")
                time.sleep(0.3)
            before = ticks(daemon.process.pid)
            time.sleep(1)
            self.assertLess(ticks(daemon.process.pid) - before, 30 * os.sysconf("SC_CLK_TCK") // 100)
            self.assertEqual(client.command("Subject: s\r\n\r\nx\r\n.")[0], 250)

    def test_a_program_does_not_outlive_its_courier(self):
        mark = os.path.join(self.scratch, "program.pid")
        daemon = self.daemon(start=False, options={"AliasFile": ["aliases"], "Timeout": {"stop": "2s"}})
        # the folder is open for the account that runs the program, whichever it is
        os.chmod(self.scratch, 0o1777)
        path = daemon.write("aliases", f'slow: "|echo $$ > {mark}; exec sleep 300"\n')
        daemon.settings["maps"] = {"aliases": {"module": "text", "file": path, "format": "aliases"}}
        daemon.start()
        self.assertTrue(daemon.send("a@example.net", ["slow@example.org"], "Subject: s\n\nx\n"))
        story.wait_for("the program\n" + daemon.log(), lambda: os.path.exists(mark) and os.path.getsize(mark) > 0)
        with open(mark, encoding="ascii") as handle:
            program = int(handle.read())
        courier = [pid for pid, role in daemon.processes().items() if role == "courier"][0]
        os.unlink(mark)
        os.kill(courier, 9)
        story.wait_for("the program to be ended", lambda: not story.is_alive(program), 15)
        story.wait_for("the message to be tried again", lambda: os.path.exists(mark), 30)

    def test_a_map_that_cannot_answer_says_why_in_the_log(self):
        for name, rcpt in (("aliases", "somebody@example.org"), ("virtusertable", "somebody@example.org")):
            with self.subTest(name):
                table = os.path.join(self.scratch, name + ".txt")
                with open(table, "w", encoding="utf-8") as handle:
                    handle.write("x y\n")
                daemon = self.daemon("map-" + name, maps={name: {"module": "text", "file": table}}, options={"AliasFile": ["aliases"]} if name == "aliases" else {})
                os.unlink(table)
                with daemon.client() as client:
                    client.expect(250, "MAIL FROM:<a@example.net>")
                    self.assertEqual(client.command(f"RCPT TO:<{rcpt}>")[0], 451)
                daemon.wait_log(rf"SYSERR: .*map {name}.*{table}.*No such file")

    def checked(self, **settings):
        daemon = self.daemon(f"check{len(self.daemons)}", start=False, **settings)
        daemon.write_conf()
        status, text = daemon.ctl("check")
        return status, text.replace(daemon.conf_path, "conf")

    def test_check_names_what_is_not_there(self):
        status, text = self.checked()
        self.assertEqual(status, 0, text)
        self.assertNotIn("warning", text)
        nowhere = os.path.join(self.scratch, "nowhere")
        for settings, wanted, told in (
                ({"rules": {"smart_host": "esmpt:[192.0.2.1]"}}, 78, r"conf:\d+: rules rules: .*smart_host: there is no mailer esmpt; .*\besmtp\b"),
                ({"rules": {"remote_mailer": "uucp"}}, 78, r"conf:\d+: .*remote_mailer: there is no mailer uucp"),
                ({"rules": {"local_host_names": nowhere}}, 78, rf"conf:\d+: local_host_names: {nowhere}: No such file"),
                ({"options": {"ServerCertFile": nowhere, "ServerKeyFile": nowhere}}, 78, rf"conf:\d+: option ServerCertFile: {nowhere}: No such file"),
                ({"options": {"MaxMessageSize": 5000000000}}, 78, r'conf:\d+: 5000000000 is too long for a number without quotes; write "5000000000"'),
                ({"options": {"MaxMessageSize": "5000000000", "QueueSortOrder": "priority"}}, 0, "no errors"),
                ({"options": {"TrustAnchorFile": "/etc/passwd"}}, 78, "TrustAnchorFile: /etc/passwd holds no DS or DNSKEY record"),
                ({"listeners": [{"address": "127.0.0.1", "port": 2525, "proxy": []}]}, 78, r"conf:\d+: proxy names no network"),
                ({"listeners": [{"address": "127.0.0.1", "port": 2525}, {"name": "MSA", "address": "127.0.0.1", "port": 2525}]}, 78,
                 r"conf:\d+: listener MSA is at the same place as MTA in line \d+"),
                ({"options": {"ErrorHeader": nowhere}}, 0, rf"conf:\d+: warning: option ErrorHeader: {nowhere}: No such file"),
                ({"maps": {"aliases": {"module": "hash", "file": nowhere}}}, 0, rf"conf:\d+: warning: map aliases: {nowhere}: No such file.*newaliases"),
                ({"users": {"receiver": "nosuchuser", "courier": "bin"}}, 78 if story.IS_ROOT else 0,
                 r"conf:\d+: users: there is no user nosuchuser for the receiver" if story.IS_ROOT else "no errors")):
            with self.subTest(told=told):
                status, text = self.checked(**settings)
                self.assertRegex(text, told)
                self.assertEqual(status, wanted, text)

    def test_check_reads_the_routes(self):
        table = os.path.join(self.scratch, "mailertable")
        with open(table, "w", encoding="utf-8") as handle:
            handle.write("good.example smtp:[192.0.2.1]\n.below.example esmpt:[192.0.2.1]\nno.example error:5.1.1:550 no\n. uucp:gate\n")
        status, text = self.checked(maps={"mailertable": {"module": "text", "file": table}})
        self.assertEqual(status, 0, text)
        told = [line for line in text.splitlines() if "warning" in line]
        self.assertEqual(len(told), 2, text)
        self.assertRegex(told[0], r"conf:\d+: warning: map mailertable: \.below\.example esmpt:.* no mailer esmpt")
        self.assertRegex(told[1], r"map mailertable: \. uucp:gate: there is no mailer uucp")

    def test_a_deliberate_4xx_is_no_failure(self):
        table = os.path.join(self.scratch, "v.txt")
        with open(table, "w", encoding="utf-8") as handle:
            handle.write("later@example.org error:4.2.1:450 Come back tomorrow\n")
        daemon = self.daemon(maps={"virtusertable": {"module": "text", "file": table}})
        with daemon.client() as client:
            client.expect(250, "MAIL FROM:<a@example.net>")
            self.assertEqual(client.command("RCPT TO:<later@example.org>")[0], 450)
        daemon.wait_log("reject=450")
        self.assertNotIn("SYSERR", daemon.log())


if __name__ == "__main__":
    story.main()
