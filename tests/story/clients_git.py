#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""git send-email, which is slow, delivers through us: in the clear, by STARTTLS, in TLS from the first byte, with and without a password."""
import client_stage
import mail_programs
import story

globals().update(client_stage.stories((mail_programs.GitSendEmail,)))


if __name__ == "__main__":
    story.main()
