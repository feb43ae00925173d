# SPDX-License-Identifier: BSD-2-Clause
STORIES = tests/story/first_letter.py tests/story/reload.py tests/story/kills.py tests/story/routing.py \
	tests/story/submission.py tests/story/bounces.py tests/story/trouble.py tests/story/unwritten.py tests/story/filters.py tests/story/split.py tests/story/privilege.py tests/story/attacks.py tests/story/hostile_hosts.py
STORIES += tests/story/scheduler.py tests/story/administrator.py tests/story/queue_tool.py tests/story/hostile_queue.py tests/story/hostile_running.py tests/story/hostile_storms.py tests/story/queue_run.py tests/story/host_status.py tests/story/mailq.py tests/story/runners.py tests/story/load.py
STORIES += tests/story/limits.py tests/story/single.py tests/story/mail_statistics.py tests/story/interactive.py
STORIES += tests/story/dsn.py tests/story/cf_daemon.py tests/story/mc.py tests/story/explain.py tests/story/cf_hooks.py tests/story/etrn.py
STORIES += tests/story/tls.py tests/story/tls_server.py tests/story/auth.py tests/story/backup_mx.py tests/story/dane.py tests/story/eight_bits.py
STORIES += tests/story/prompt.py tests/story/bad_disk.py tests/story/few_threads.py
STORIES += tests/story/sts.py
STORIES += tests/story/clients.py tests/story/clients_scripted.py tests/story/clients_git.py
EXTRA_DIST += tests/story/client_stage.py tests/story/mail_programs.py tests/story/nodemailer.js
STORIES += tests/story/slow_clients.py tests/story/disguises.py
STORIES += tests/story/transcripts.py tests/story/chunks.py tests/story/proxies.py tests/story/introductions.py tests/story/lmtp_service.py tests/story/requiretls.py tests/story/listeners.py
STORIES += tests/story/client_auth.py tests/story/tls_sessions.py tests/story/client_network.py tests/story/dane_wishes.py tests/story/client_trouble.py
EXTRA_DIST += tests/oracle/dsn/stage.py tests/oracle/dsn/dsn.mc tests/oracle/dsn/differs.tsv \
	$(wildcard $(srcdir)/tests/oracle/dsn/expected/*.txt) $(wildcard $(srcdir)/tests/oracle/dsn/ours/*.txt)
TESTS += $(STORIES)
EXTRA_DIST += tests/story/story.py tests/story/tls_peer.py tests/story/signed_zone.py tests/story/sts_host.py $(STORIES)
TESTS += tests/story/submission
EXTRA_DIST += tests/story/submission tests/story/submission_daemon.py
