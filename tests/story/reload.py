#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A reload takes the new modules and the new configuration, or leaves the old generation serving; no client is hurt by it."""
import os
import re
import shutil
import subprocess
import threading
import time

import story

ANSWER = r"""
#include <postrider/map.h>
%(extra)s
static enum pr_status lookup(struct pr_call *call, struct pr_str key, const struct pr_list *args, struct pr_str *value_out)
{
	(void)call; (void)args;
	if (!pr_str_has_suffix_nocase(key, PR_STR("asked@example.net")))
		return PR_NOTFOUND;
	*value_out = PR_STR("550 5.7.1 %(word)s answer");
	return PR_OK;
}
static enum pr_status start(struct pr_call *call)
{
	(void)call;
	%(open)s
	return PR_OK;
}
static const struct pr_map_ops ops = {.size = sizeof ops, .lookup = lookup};
PR_MODULE(answer) = {PR_MODULE_HEAD(PR_KIND_MAP), .flags = PR_CONCURRENT, .name = "answer", .version = "1",
    .summary = "answers one question", .open = start, .ops = &ops, %(head)s};
"""


class Reload(story.Story):
    def stage(self, **settings):
        self.modules = os.path.join(self.scratch, "modules")
        os.makedirs(os.path.join(self.modules, ".libs"))
        for name in os.listdir(os.path.join(story.BUILD, ".libs")):
            if name.endswith(".so") and not name.startswith("lib"):
                shutil.copy2(os.path.join(story.BUILD, ".libs", name), os.path.join(self.modules, ".libs", name))
        self.build("first")
        return self.daemon(module_directory=self.modules, maps={"access": {"module": "answer"}}, **settings)

    def build(self, word, open="", extra="", head=""):
        source = os.path.join(self.scratch, "answer.c")
        target = os.path.join(self.modules, ".libs", "answer.so")
        with open_(source) as handle:
            handle.write(ANSWER % {"word": word, "open": open, "extra": extra, "head": head})
        subprocess.run(["cc", "-shared", "-fPIC", "-w", "-I", os.path.join(story.SOURCE, "sdk", "include"), source, "-o", target + ".new",
                        "-L", os.path.join(story.BUILD, ".libs"), "-lpostrider"], check=True)
        os.chmod(target + ".new", 0o755)
        os.rename(target + ".new", target)

    def answer(self, daemon):
        with daemon.client() as client:
            return client.command("MAIL FROM:<asked@example.net>")[1]

    def test_a_replaced_module_answers_after_the_reload_and_not_before(self):
        daemon = self.stage()
        self.assertIn("first answer", self.answer(daemon))
        self.build("second")
        time.sleep(0.3)
        self.assertIn("first answer", self.answer(daemon))
        status, text = daemon.ctl("reload")
        self.assertEqual(status, 0, text + daemon.log())
        self.assertIn("second answer", self.answer(daemon))

    def refused(self, daemon, culprit):
        before = len(daemon.log())
        status, text = daemon.ctl("reload")
        self.assertNotEqual(status, 0, text)
        self.assertRegex(text, culprit)
        new = daemon.log()[before:]
        lines = [line for line in new.splitlines() if re.search(culprit, line)]
        self.assertEqual(len(lines), 1, new)
        self.assertIn("first answer", self.answer(daemon))

    def test_a_bad_module_leaves_the_old_generation_serving(self):
        daemon = self.stage(options={"Timeout": {"command": "1h"}})
        self.build("second", head=".abi_major = 99")
        self.refused(daemon, r"answer\.so.*ABI 99")
        self.build("second", open="*(volatile int *)0 = 1;")
        self.refused(daemon, r"answer")
        self.build("second", open='return pr_fail(call, PR_TEMPFAIL, "no luck today");')
        self.refused(daemon, r"no luck today")
        target = os.path.join(self.modules, ".libs", "answer.so")
        os.unlink(target)
        with open(os.path.join(self.modules, ".libs", "text.so"), "rb") as whole, open(target, "wb") as part:
            part.write(whole.read()[:3000])  # a copy that was interrupted
        self.refused(daemon, r"answer\.so")
        os.unlink(os.path.join(self.modules, ".libs", "answer.so"))
        self.refused(daemon, r"answer.*no such module")
        self.build("first")
        os.chmod(os.path.join(self.modules, ".libs", "answer.so"), 0o777)
        self.refused(daemon, r"answer\.so.*writable")

    def test_a_module_that_hangs_in_open_is_given_up(self):
        daemon = self.stage(options={"Timeout": {"ready": "3s"}})
        self.build("second", extra="#include <unistd.h>", open="for (;;) pause();")
        self.refused(daemon, r"(?i)answer|time|ready")

    def test_a_typo_is_named_with_file_and_line(self):
        daemon = self.stage()
        daemon.settings["optoins"] = daemon.settings.pop("options")
        daemon.write_conf()
        self.refused(daemon, r"postrider\.conf:\d+: unknown key optoins; did you mean options\?")
        daemon.settings["options"] = daemon.settings.pop("optoins")
        daemon.settings["options"]["MaxMesageSize"] = 5
        daemon.write_conf()
        self.refused(daemon, r"postrider\.conf:\d+: unknown option MaxMesageSize; did you mean MaxMessageSize\?")
        daemon.write_conf(f'run_directory = "{daemon.top}/run";\nlisteners = (\n {{ port = ;\n')
        self.refused(daemon, r"postrider\.conf:3: syntax error")

    def test_hup_is_a_reload(self):
        daemon = self.stage()
        self.build("second")
        os.kill(daemon.process.pid, 1)
        story.wait_for(lambda: "the second answer\n" + daemon.log(), lambda: "second answer" in self.late_answer(daemon))

    def late_answer(self, daemon):
        """The old generation may say 421, after anything; it never just closes."""
        with daemon.client() as client:
            if client.greeting[0] == 421 or client.ehlo[0] == 421:
                return ""
            return client.command("MAIL FROM:<asked@example.net>")[1]

    def test_who_writes_on_after_421_is_not_reset(self):
        """He has not read it yet: what he sends is read and thrown away, and the 421 and the end are there when he looks."""
        daemon = self.stage()
        client = daemon.client()
        self.assertEqual(daemon.ctl("reload")[0], 0)
        for _ in range(10):
            client.send("NOOP\r\n" * 1000)
            time.sleep(0.1)
        self.assertEqual(client.reply()[0], 421)
        self.assertEqual(client.file.read(), b"")
        client.close(False)

    def test_an_idle_client_does_not_hold_up_a_stop(self):
        daemon = self.stage()
        client = daemon.client()
        began = time.monotonic()
        self.assertEqual(daemon.ctl("stop")[0], 0)
        self.assertLess(time.monotonic() - began, 5 * story.SLOW)
        self.assertEqual(client.reply()[0], 421)
        client.close(False)

    def hanging(self):
        """A daemon that delivers to a host that says nothing until `self.go` is set."""
        self.go, self.hangs = threading.Event(), threading.Event()
        self.addCleanup(self.go.set)

        def answer(verb, _):
            if verb == ".":
                self.hangs.set()
                self.go.wait(60 * story.SLOW)

        sink = self.sink(answer)
        daemon = self.daemon(rules={"smart_host": f"[127.0.0.1]:{sink.port}"}, options={"Timeout": {"stop": "3s"}})
        daemon.send("a@example.net", ["x@far.example"], "Subject: s\n\nbody\n")
        self.assertTrue(self.hangs.wait(20 * story.SLOW))
        return daemon

    def test_a_reload_that_waits_says_so(self):
        daemon = self.hanging()
        self.assertEqual(daemon.ctl("reload"), (0, ""))
        sentence = r"reload waits until generation 1 has left \(courier pid \d+, messages under way(; receiver pid \d+, sessions under way)?\), in \d+ s at the latest"
        os.kill(daemon.process.pid, 1)
        daemon.wait_log(sentence)
        libs = os.path.join(story.BUILD, ".libs")
        with subprocess.Popen(["postriderctl", "-C", daemon.conf_path, "reload"], executable=os.path.join(libs, "postrider"), text=True,
                              stdout=subprocess.PIPE, env={**os.environ, "LD_LIBRARY_PATH": libs}) as client:
            self.assertRegex(client.stdout.readline(), rf"^{sentence}\n$")
            self.assertIsNone(client.poll())
            self.assertNotIn("generation 3", daemon.log())
            self.go.set()
            self.assertEqual((client.stdout.read(), client.wait(60 * story.SLOW)), ("", 0))
        daemon.wait_log("generation 1 has left\n(.*\n)*.*generation 3 in force")

    def test_a_stop_that_waits_says_so(self):
        daemon = self.hanging()
        status, text = daemon.ctl("stop")
        self.assertEqual(status, 0, text)
        self.assertRegex(text, r"^stop waits until generation 1 has left \(courier pid \d+, messages under way(; receiver pid \d+, sessions under way)?\), in \d+ s at the latest\n")

    def test_hundred_reloads_under_two_hundred_sessions(self):
        daemon = self.stage(rules={"local_domains": ["example.org"]}, mailers={"local": {"module": "discard", "flags": "lsDFMAw5:/|@qPSn9"}})
        count, reloads = (200, 100) if story.SLOW == 1 else (60, 20)
        stop, wrong, done = threading.Event(), [], [0] * count

        def letters(number):
            """One client for ever: a 421 may come only where a transaction would begin."""
            client = None
            while not stop.is_set():
                at = "connect"
                try:
                    if client is None:
                        client = daemon.client(timeout=60)
                    if client.greeting[0] == 421 or client.ehlo[0] == 421:
                        client = client.close(False)
                        continue
                    at = "MAIL"
                    if client.command("MAIL FROM:<a@example.net>")[0] == 421:
                        client = client.close(False)
                        continue
                    at = "transaction"
                    steps = [client.command(f"RCPT TO:<{story.ME}@example.org>"), client.command("DATA")]
                    time.sleep(0.2 * (number % 5))
                    client.send("Subject: x\r\n\r\nhello\r\n.\r\n")
                    steps.append(client.reply())
                    if [s[0] for s in steps] != [250, 354, 250]:
                        wrong.append(steps)
                    done[number] += 1
                    time.sleep(0.3)
                except (OSError, ConnectionError) as failure:
                    wrong.append(f"at {at}: {failure!r}")
                    client = None

        def level():
            tree = daemon.processes()
            return {role: (len(os.listdir(f"/proc/{pid}/fd")), rss(pid)) for pid, role in tree.items() if role in ("master",)}

        threads = [threading.Thread(target=letters, args=(n,), daemon=True) for n in range(count)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            self.assertEqual(daemon.ctl("reload")[0], 0, daemon.log()[-2000:])
        before = level()
        for _ in range(reloads):
            status, text = daemon.ctl("reload")
            self.assertEqual(status, 0, text + daemon.log()[-2000:])
        after = level()
        stop.set()
        for thread in threads:
            thread.join(60 * story.SLOW)
        self.assertEqual(wrong[:5], [], f"{len(wrong)} of {sum(done)}")
        self.assertGreater(min(done), 0, "every session has sent a letter")
        self.assertLessEqual(after["master"][0], before["master"][0] + 2, "descriptors level")
        if not os.environ.get("SANITIZED"):  # a sanitizer keeps what was freed
            self.assertLessEqual(after["master"][1], before["master"][1] + 1024, "memory level (KiB)")
        print(f"\n  {reloads} reloads, {count} sessions, {sum(done)} transactions, master fds and KiB {before['master']} -> {after['master']}")


def open_(path):
    return open(path, "w")


def rss(pid):
    with open(f"/proc/{pid}/status") as handle:
        return int(re.search(r"VmRSS:\s+(\d+)", handle.read()).group(1))


if __name__ == "__main__":
    story.main()
