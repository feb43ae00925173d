#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A next host that was called before goes on with the session of TLS that it gave: without another proof, but with the same verdict; what was learned with other files, or of
another host, is not believed again."""
import os
import shutil
import ssl
import time

import story
import tls
import tls_peer


class Sessions(tls.Tls):
    def talk(self, peer, number):
        """What was said of TLS in the connection for the letter of this number."""
        self.send()
        peer.wait(number)
        return peer.conversations[-1][2]

    def test_goes_on(self):
        for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
            with self.subTest(version.name):
                peer = self.good(remembers=True, versions=version)
                self.stage(peer, mailer={"messages": 1}, name=version.name, access="TLS_Srv:127.0.0.1~VERIFY+CN:good.example\n")
                said = [self.talk(peer, number) for number in (1, 2, 3, 4)]
                self.assertEqual([line.endswith(" again") for line in said], [False, True, True, True])
                self.assertEqual(self.pr.log().count("verify=OK"), 4)
                self.assertEqual(self.pr.log().count("cert-subject=/C=AQ/O=Test/CN=good.example"), 4)
                self.assertEqual(self.pr.log().count("an earlier session goes on"), 3)

    def test_many_at_once(self):
        """Each is used once."""
        peer = self.good(remembers=True)
        self.stage(peer, mailer={"messages": 1})
        for number in range(60):
            self.send(tls.LETTER + f"number {number}\n")
        peer.wait(60, 60)
        again = [line for talk in peer.conversations for line in talk if line.endswith(" again")]
        self.assertGreater(len(again), 20)
        self.assertEqual(len({text for _, _, text in peer.messages}), 60)

    def test_other_hosts(self):
        """Nobody goes on with what another host gave, though that one would take it."""
        peer, other = self.good(remembers=True), self.good(remembers=True)
        other.kept = peer.context()
        self.stage(peer, mailer={"messages": 1}, start=False)
        self.pr.settings["maps"]["mailertable"] = {"module": "text", "file": self.pr.write("mailertable", f"other.example esmtp:[127.0.0.1]:{other.port}\n")}
        self.pr.settings["rules"]["relay_clients"] = ["127.0.0.1"]
        self.pr.start()
        self.assertFalse(self.talk(peer, 1).endswith(" again"))
        for again in (False, True):
            self.pr.send("ann@example.net", ["joe@other.example"], tls.LETTER)
            other.wait(1 + again)
            self.assertEqual(other.conversations[-1][2].endswith(" again"), again)
        self.assertTrue(self.talk(peer, 2).endswith(" again"))

    def test_a_host_that_forgets(self):
        peer = self.good(remembers=False)
        self.stage(peer, mailer={"messages": 1})
        said = [self.talk(peer, number) for number in (1, 2, 3)]
        self.assertFalse([line for line in said if line.endswith(" again")])

    def test_whom_we_believe_changes(self):
        """Who was believed by the files of before is not any more."""
        ours = os.path.join(self.scratch, "believed.pem")
        shutil.copy(self.pki.path, ours)
        peer = self.good(remembers=True)
        self.stage(peer, mailer={"messages": 1}, options={"CACertFile": ours}, access="TLS_Srv:127.0.0.1~VERIFY\n")
        self.assertFalse(self.talk(peer, 1).endswith(" again"))
        self.assertTrue(self.talk(peer, 2).endswith(" again"))
        others = tls_peer.Authority(os.path.join(self.scratch, "others"), "Root of Others")
        shutil.copy(others.path, ours + ".new")
        os.rename(ours + ".new", ours)
        time.sleep(4)  # a replacement must have been there for some seconds
        self.waits("454 4.7.0 authentication failed")
        self.assertFalse(peer.conversations[-1][2].endswith(" again"))

    def test_switched_off(self):
        peer = self.good(remembers=True, versions=ssl.TLSVersion.TLSv1_2)
        self.stage(peer, mailer={"messages": 1}, options={"ClientSSLOptions": "+SSL_OP_NO_TICKET"})
        self.assertFalse([line for line in [self.talk(peer, number) for number in (1, 2)] if line.endswith(" again")])


for name in [name for name in vars(tls.Tls) if name.startswith("test_")]:  # its own are told elsewhere
    delattr(tls.Tls, name)
del tls.Tls

if __name__ == "__main__":
    story.main()
