# SPDX-License-Identifier: BSD-2-Clause
libkernel_la_SOURCES += kernel/net/channel.c kernel/net/channel.h kernel/net/helper_protocol.h kernel/net/helper_protocol.c kernel/net/helper_client.c
libkernel_la_SOURCES += kernel/net/dns.c kernel/net/dns.h kernel/net/dns_query.c kernel/net/dns_records.c kernel/net/dns_query.h \
	kernel/net/dns_ask.h kernel/net/hosts.c kernel/net/hosts.h
if HAVE_LIBUNBOUND
libkernel_la_SOURCES += kernel/net/dns_ask_unbound.c kernel/net/unbound_library.c kernel/net/unbound_library.h
else
libkernel_la_SOURCES += kernel/net/dns_ask_libc.c
endif
EXTRA_DIST += kernel/net/dns_ask_unbound.c kernel/net/unbound_library.c kernel/net/unbound_library.h kernel/net/dns_ask_libc.c
libkernel_la_SOURCES += kernel/net/stream.c kernel/net/stream.h kernel/net/peer.c kernel/net/peer.h kernel/net/traffic.h kernel/net/traffic.c kernel/net/traffic_clients.c kernel/net/traffic_internal.h \
	kernel/net/tls/tls.c kernel/net/tls/tls.h kernel/net/tls/internal.h kernel/net/tls/certificate.c kernel/net/tls/certificate.h kernel/net/tls/words.c \
	kernel/net/tls/server.c kernel/net/tls/server.h kernel/net/tls/server_context.c kernel/net/tls/server_context.h kernel/net/tls/server_settings.c \
	kernel/net/tls/pairs.c kernel/net/tls/trust.c kernel/net/tls/dh.c kernel/net/tls/tickets.c kernel/net/tls/tickets.h kernel/net/tls/tickets_use.c \
	kernel/net/tls/watch.c kernel/net/tls/watch.h kernel/net/tls/file.c kernel/net/tls/file.h \
	kernel/net/tls/client.c kernel/net/tls/client.h kernel/net/tls/client_internal.h kernel/net/tls/facts.c kernel/net/tls/sessions.c kernel/net/tls/sessions.h kernel/net/tls/resume.c kernel/net/tls/dane.c kernel/net/tls/dane.h kernel/net/dane.c kernel/net/dane.h
libkernel_la_LIBADD += $(OPENSSL_LIBS)
