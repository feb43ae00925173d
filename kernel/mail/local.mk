# SPDX-License-Identifier: BSD-2-Clause
libpure_la_SOURCES += kernel/mail/dsn.h kernel/mail/dsn_internal.h kernel/mail/dsn.c kernel/mail/dsn_word.c kernel/mail/dsn_text.c kernel/mail/dsn_transcript.c \
	kernel/mail/dsn_status.c kernel/mail/dsn_original.c
libpure_la_SOURCES += kernel/mail/header.h kernel/mail/header_reader.c kernel/mail/header_names.c \
	kernel/mail/header_complete.c kernel/mail/header_rewrite.c kernel/mail/header_fold.h kernel/mail/header_fold.c kernel/mail/shape.c kernel/mail/shape.h kernel/mail/date.c
libpure_la_SOURCES += kernel/mail/mime.h kernel/mail/mime.c kernel/mail/mime_internal.h kernel/mail/mime_walk.c kernel/mail/mime_leaf.c kernel/mail/mime_type.h kernel/mail/mime_type.c kernel/mail/mime_part.h kernel/mail/mime_part.c \
	kernel/mail/mime_encode.h kernel/mail/mime_encode.c kernel/mail/mime_decode.h kernel/mail/mime_decode.c kernel/mail/mime_limit.h kernel/mail/mime_limit.c \
	kernel/mail/mime_form.h kernel/mail/mime_form.c
