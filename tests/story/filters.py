#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A filter is obeyed at every hook, its failure is handled as its configuration says, its crash loses no mail silently, and while
it blocks nobody else waits."""
import os
import re
import threading
import time

import story

LETTER = "Subject: hello\nX-Old: one\nX-Old: two\n\nbody\n"
ARGUMENT_HOOKS = ("connect", "helo", "mail", "rcpt", "header", "body", "message")


def watch(**settings):
    return {"module": "debug", "quiet": True, **settings}


class Filters(story.Story):
    def filtered(self, *filters, **settings):
        box = os.path.join(self.scratch, "pr", "box", "%u")
        named = [{"name": f"f{number}", **one} for number, one in enumerate(filters)]
        daemon = self.daemon(start=False, filters=named, mailers={"local": {"module": "local", "format": "maildir", "path": box}}, **settings)
        os.chmod(os.path.join(daemon.top, "box"), 0o1777)
        self.box = box.replace("%u", story.ME)
        self.to = story.ME + "@example.org"
        return daemon.start()

    def arrived(self, daemon):
        return daemon.maildir(self.box)

    def wait_letters(self, daemon, count):
        return story.wait_for(lambda: f"{count} letters\n" + daemon.log(), lambda: len(self.arrived(daemon)) >= count and self.arrived(daemon))

    def wait_empty(self, daemon):
        story.wait_for(lambda: "an empty queue\n" + daemon.log(), lambda: daemon.queue_ids() == [])

    def refused(self, daemon, hook, word, expected):
        """Plays a session whose `hook` holds `word`; the refusal must come exactly there, with exactly this reply."""
        at = lambda name, other: word if name == hook else other
        client = daemon.client(source={"reject": "127.0.1.5", "defer": "127.0.1.4"}[word] if hook == "connect" else None, helo=None)
        try:
            if hook == "connect":
                self.assertEqual(client.greeting[0], 220)  # as after check_relay: greeted, and told at the first MAIL
                self.assertEqual(client.command("EHLO x")[0], 250)
                self.assertEqual(client.command("MAIL FROM:<a@example.net>")[1], expected)
                return
            steps = [("helo", f"EHLO {at('helo', 'client')}.example"), ("mail", f"MAIL FROM:<{'m' + word if hook == 'message' else at('mail', 'a')}@example.net>"),
                     ("rcpt", f"RCPT TO:<{self.to}> NOTIFY=NEVER" if hook != "rcpt" else f"RCPT TO:<{self.to}> ORCPT=rfc822;{word}@example.org"),
                     ("data", "DATA")]
            for name, command in steps:
                got = client.command(command)
                if name == hook:
                    self.assertEqual(got[1], expected)
                    self.assertLess(client.command("RSET")[0], 400)
                    return
                self.assertLess(got[0], 400, got)
            client.send(story.wire(f"Subject: {at('header', 'x')}\n\n{at('body', 'x')}\n") + b".\r\n")
            self.assertEqual(client.reply()[1], expected)
            self.assertEqual(client.message("b@example.net", [self.to], "Subject: next\n\nx\n")[0], 250)  # the session goes on
        finally:
            client.close()

    def test_reject_and_defer_at_each_hook(self):
        source = {"reject": "[127.0.1.5]", "defer": "[127.0.1.4]"}
        match = lambda hook, word: {"connect": source[word], "message": f"<m{word}@", "mail": f"<{word}@"}.get(hook, word)
        daemon = self.filtered(*[watch(at=hook, match=match(hook, word), action=word, text=f"{hook} {word}", code=code, enhanced=enhanced)
                                 for hook in ARGUMENT_HOOKS for word, code, enhanced in (("reject", 557, "5.7.9"), ("defer", 457, "4.7.9"))])
        accepted = 0
        for hook in ARGUMENT_HOOKS:
            for word, start in (("reject", "557 5.7.9"), ("defer", "457 4.7.9")):
                with self.subTest(hook=hook, word=word):
                    self.refused(daemon, hook, word, f"{start} {hook} {word}")
                    accepted += hook in ("header", "body", "message")
        daemon.wait_log(r"Milter \(f\d+\): header.*reject=557 5\.7\.9 header reject")
        self.wait_letters(daemon, accepted)
        self.assertEqual(len(self.arrived(daemon)), accepted)
        self.wait_empty(daemon)

    def test_reject_where_there_is_no_argument(self):
        for hook, word, text in (("data", "reject", "550 5.7.1 Command rejected"), ("eoh", "defer", "451 4.3.2 Please try again later")):
            daemon = self.filtered(watch(at=hook, action=word))
            self.refused_hook(daemon, hook, text)
            daemon.stop()
            self.assertEqual((self.arrived(daemon), daemon.queue_ids()), ([], []))

    def refused_hook(self, daemon, hook, text):
        with daemon.client() as client:
            client.expect(250, "MAIL FROM:<a@example.net>")
            client.expect(250, f"RCPT TO:<{self.to}>")
            got = client.command("DATA")
            if hook != "data":
                self.assertEqual(got[0], 354)
                client.send(story.wire(LETTER) + b".\r\n")
                got = client.reply()
            self.assertEqual(got[1], text)

    def test_discard(self):
        daemon = self.filtered(watch(at="body", match="junk", action="discard"), watch(at="mail", match="<junk@", action="discard"))
        self.assertEqual(daemon.client().message("a@example.net", [self.to], "Subject: x\n\njunk\n")[0], 250)
        self.assertEqual(daemon.client().message("junk@example.net", [self.to], LETTER)[0], 250)
        daemon.send("a@example.net", [self.to], LETTER)
        self.wait_letters(daemon, 1)
        daemon.wait_log(r"discard")
        time.sleep(0.3)
        self.assertEqual(len(self.arrived(daemon)), 1)
        self.wait_empty(daemon)

    def quarantined(self, hook, match, source=None):
        daemon = self.filtered(watch(at=hook, match=match, action="quarantine", text="smells of fish"))
        with daemon.client(source=source, helo="fish.example") as client:
            self.assertEqual(client.message("fish@example.net", [self.to], "Subject: fish\n\nfish\n")[0], 250)
        daemon.send("a@example.net", [self.to], LETTER)
        self.wait_letters(daemon, 1)
        self.assertEqual(len(self.arrived(daemon)), 1)
        held = [name for _, _, names in os.walk(os.path.join(daemon.top, "queue")) for name in names if name.startswith("hf")]
        self.assertEqual(len(held), 1, daemon.log())
        done = daemon.run("mailq", "-C", daemon.conf_path, "-qQ")
        self.assertIn(held[0][2:], done.stdout)
        self.assertIn("smells of fish", done.stdout)
        return daemon, held[0][2:]

    def test_quarantine(self):
        daemon, queue_id = self.quarantined("message", "<fish@")
        self.assertIn("queue is empty", daemon.run("mailq", "-C", daemon.conf_path).stdout)
        self.assertEqual(daemon.ctl("queue-run")[0], 0)
        time.sleep(0.5)
        self.assertEqual(len(self.arrived(daemon)), 1)  # no run takes it
        self.assertEqual(daemon.queue_ids(), [queue_id])

    def test_quarantine_of_a_whole_connection(self):
        self.quarantined("connect", "[127.0.1.6]", source="127.0.1.6")

    def test_quarantine_by_helo(self):
        self.quarantined("helo", "fish")

    def test_edits(self):
        daemon = self.filtered(watch(add_header=["X-Added: yes"], insert_header=["X-First: yes"], change_header=["X-Old: new", "Subject:"],
                                     change_sender="<new@example.net>", add_recipient=[f"<{story.ME}@example.org>"],
                                     remove_recipient=["<daemon@example.org>"], replace_body="other\n"))
        daemon.send("a@example.net", ["daemon@example.org"], LETTER)
        head, body = self.wait_letters(daemon, 1)[0].split("\n\n", 1)
        self.assertEqual(body, "other\n")
        self.assertIn("\nX-Added: yes", head)
        self.assertIn("Return-Path: <new@example.net>", head)
        self.assertNotIn("Subject:", head)
        self.assertEqual(re.findall("(?m)^X-Old: .*$", head), ["X-Old: new", "X-Old: two"])
        names = re.findall("(?m)^([A-Za-z-]+):", head)
        self.assertLess(names.index("X-First"), names.index("X-Old"))
        self.wait_empty(daemon)

    def test_on_failure(self):
        fail = lambda word, **more: watch(at="mail", match=f"<{word}@", **{"action": "fail", "text": f"{word} is broken", **more})
        daemon = self.filtered(fail("wait"), fail("wave", on_failure="accept"), fail("stop", on_failure="reject"), fail("odd", action="misuse", on_failure="tempfail"))
        with daemon.client() as client:
            self.assertEqual(client.command("MAIL FROM:<wait@example.net>")[1], "451 4.3.2 Please try again later")
            self.assertEqual(client.command("MAIL FROM:<stop@example.net>")[1], "550 5.7.1 Command rejected")
            self.assertEqual(client.message("wave@example.net", [self.to], LETTER)[0], 250)
        self.wait_letters(daemon, 1)
        for name, word in (("f0", "wait"), ("f1", "wave"), ("f2", "stop")):
            daemon.wait_log(f"SYSERR: {name}: {word} is broken")
        self.assertEqual(len(re.findall("wait is broken", daemon.log())), 1)  # one failure, one line

    def test_a_failing_message_hook_accepts_nothing(self):
        daemon = self.filtered(watch(at="message", action="fail", text="no scanner"))
        self.assertEqual(daemon.client().message("a@example.net", [self.to], LETTER)[1], "451 4.3.2 Please try again later")
        daemon.wait_log("SYSERR: f0: no scanner")
        self.assertEqual((self.arrived(daemon), daemon.queue_ids()), ([], []))

    def test_crash(self):
        daemon = self.filtered(watch(at="message", match="<crash@", action="crash"))
        receiver = [pid for pid, role in daemon.processes().items() if role == "receiver"]
        daemon.send("before@example.net", [self.to], LETTER)
        client, bystander = daemon.client(), daemon.client()
        with self.assertRaises((ConnectionError, OSError)):
            got = client.message("crash@example.net", [self.to], LETTER)
            self.assertNotEqual(got[0], 250)
            raise ConnectionError(got)
        with self.assertRaises((ConnectionError, OSError)):  # lost with it, and he can see it
            bystander.expect(250, "NOOP")
            bystander.expect(250, "NOOP")
        daemon.wait_log(r"filters/debug instance f0")
        story.wait_for("a new receiver", lambda: daemon.is_greeting())
        self.assertNotEqual([pid for pid, role in daemon.processes().items() if role == "receiver"], receiver)
        daemon.send("after@example.net", [self.to], LETTER)
        letters = self.wait_letters(daemon, 2)
        self.assertEqual(sorted(re.search("Return-Path: <([a-z]+)", text).group(1) for text in letters), ["after", "before"])
        self.wait_empty(daemon)

    def test_blocking_filter(self):
        daemon = self.filtered(watch(at="rcpt", match="slow", pause="8s"), options={"MaxThreads": 16})
        replies = []

        def slow():
            with daemon.client() as client:
                client.expect(250, "MAIL FROM:<a@example.net>")
                began = time.monotonic()
                code = client.command(f"RCPT TO:<{self.to}> ORCPT=rfc822;slow@example.org")[0]
                replies.append((code, time.monotonic() - began))
        threads = [threading.Thread(target=slow) for _ in range(12)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        longest = 0
        for _ in range(10):
            began = time.monotonic()
            daemon.send("a@example.net", [self.to], LETTER)
            longest = max(longest, time.monotonic() - began)
        self.assertEqual(replies, [])  # all of them still blocked
        self.assertLess(longest, 1.5)
        for thread in threads:
            thread.join()
        self.assertEqual([code for code, _ in replies], [250] * 12)
        self.assertLess(max(took for _, took in replies), 8 * 2)  # side by side, not one after the other


if __name__ == "__main__":
    story.main()
