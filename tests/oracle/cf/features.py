# SPDX-License-Identifier: BSD-2-Clause
"""Configurations out of the whole library: each feature of it alone, and combinations that chance makes from a fixed seed.

The order of PARTS is the order in a file (the library wants some before others), NEEDS and QUARRELS are what it says of them at m4 time."""
import random

SEED = 8171
RANDOM = 50

# name: what stands in the .mc file
PARTS = {
    # -- before the features
    "domain_name": "define(`confDOMAIN_NAME', `mail.corp.example')",
    "no_probing": "define(`confDONT_PROBE_INTERFACES', `True')",
    "blank_sub": "define(`confBLANK_SUB', `_')",
    "cluster": "define(`confLDAP_CLUSTER', `mine')",
    "masquerade_as": "MASQUERADE_AS(`corp.example')",
    "masquerade_other": "MASQUERADE_AS(`hidden.example')MASQUERADE_DOMAIN(`desk.corp.example branch.example')MASQUERADE_EXCEPTION(`www.corp.example')",
    "masquerade_file": "MASQUERADE_DOMAIN_FILE(`/etc/mail/oracle/relay-domains')",
    "exposed": "EXPOSED_USER(`root operator')",
    "local_user": "LOCAL_USER(`operator')define(`LOCAL_RELAY', `relay.corp.example')",
    "local_relay": "define(`LOCAL_RELAY', `esmtp:hub.corp.example')",
    "mail_hub": "define(`MAIL_HUB', `hub.corp.example')",
    "mail_hub_mailer": "define(`MAIL_HUB', `smtp:[hub.corp.example]')",
    "smart_host": "define(`SMART_HOST', `smart.provider.example')",
    "smart_host_literal": "define(`SMART_HOST', `relay:[127.0.0.7]')",
    "luser_relay": "define(`LUSER_RELAY', `local:carl')",
    "luser_host": "define(`LUSER_RELAY', `esmtp:hub.corp.example')",
    "luser_error": "define(`LUSER_RELAY', `error:5.1.1:\"550 \" $&u \" is unknown here\"')",
    "uucp_relay": "define(`UUCP_RELAY', `smart.provider.example')",
    "bitnet_relay": "define(`BITNET_RELAY', `smtp:[smart.provider.example]')",
    "decnet_relay": "define(`DECNET_RELAY', `smart.provider.example')",
    "fax_relay": "define(`FAX_RELAY', `fax.corp.example')",
    "relay_domain": "RELAY_DOMAIN(`partner.example 192.0.2')RELAY_DOMAIN_FILE(`/etc/mail/oracle/relay-domains')",
    "local_domain": "LOCAL_DOMAIN(`here.example here2.example')",
    "canonify_domain": "CANONIFY_DOMAIN(`corp.example far.example')",
    "trust_mech": "TRUST_AUTH_MECH(`PLAIN LOGIN')define(`confAUTH_MECHANISMS', `PLAIN LOGIN')",
    "site_uucp": "SITECONFIG(`../../../nonexistent', `x', `U')",
    "own_name": "define(`confDOMAIN_NAME', `$w.other.example')",
    "direct_modifiers": "define(`confDIRECT_SUBMISSION_MODIFIERS', `C')",
    "operators": "define(`confOPERATORS', `.:@!^/[]+=')",
    "dialup": "define(`confDIAL_DELAY', `30s')",
    # -- features
    "use_cw_file": "FEATURE(`use_cw_file')",
    "use_ct_file": "FEATURE(`use_ct_file')",
    "redirect": "FEATURE(`redirect')",
    "always_add_domain": "FEATURE(`always_add_domain')",
    "always_add_other": "FEATURE(`always_add_domain', `added.example')",
    "allmasquerade": "FEATURE(`allmasquerade')",
    "masquerade_envelope": "FEATURE(`masquerade_envelope')",
    "masquerade_entire_domain": "FEATURE(`masquerade_entire_domain')",
    "limited_masquerade": "FEATURE(`limited_masquerade')",
    "local_no_masquerade": "FEATURE(`local_no_masquerade')",
    "local_lmtp": "FEATURE(`local_lmtp', `/usr/bin/lmtp')",
    "local_procmail": "FEATURE(`local_procmail')",
    "smrsh": "FEATURE(`smrsh')",
    "stickyhost": "FEATURE(`stickyhost')",
    "notsticky": "FEATURE(`notsticky')",
    "genericstable": "FEATURE(`genericstable')GENERICS_DOMAIN(`corp.example desk.corp.example')",
    "generics_file": "GENERICS_DOMAIN_FILE(`/etc/mail/oracle/local-host-names')",
    "generics_entire_domain": "FEATURE(`generics_entire_domain')",
    "generics_as_written": "FEATURE(`genericstable', `hash -f -o /etc/mail/oracle/genericstable')GENERICS_DOMAIN(`far.example virtual.example')",
    "ldap_bounce": "FEATURE(`ldap_routing', `hash -o /etc/mail/oracle/mailertable', `hash -o /etc/mail/oracle/virtusertable', `bounce', `preserve')"
                   "LDAPROUTE_DOMAIN(`corp.example virtual.example')LDAPROUTE_EQUIVALENT(`mail.corp.example')",
    "ldap_sender": "FEATURE(`ldap_routing', `hash -T<TMPF> /etc/mail/oracle/nosuch', `hash -o /etc/mail/oracle/virtusertable', `sendertoo', `strip', `tempfail')"
                   "LDAPROUTE_DOMAIN(`far.example whole.example')",
    "domaintable": "FEATURE(`domaintable')",
    "domainmap": "FEATURE(`domainmap', `virtual.example', `hash /etc/mail/oracle/domainmap')",
    "mailertable": "FEATURE(`mailertable')",
    "bitdomain": "FEATURE(`bitdomain')",
    "uucpdomain": "FEATURE(`uucpdomain')",
    "virtusertable": "FEATURE(`virtusertable')VIRTUSER_DOMAIN(`virtual.example whole.example')",
    "virtuser_file": "VIRTUSER_DOMAIN_FILE(`/etc/mail/oracle/relay-domains')",
    "virtuser_entire_domain": "FEATURE(`virtuser_entire_domain')VIRTUSER_DOMAIN(`entire.example')",
    "access_db": "FEATURE(`access_db')",
    "access_skip": "FEATURE(`access_db', , `skip')",
    "access_lookupdotdomain": "FEATURE(`access_db', , `lookupdotdomain')",
    "access_fulladdress": "FEATURE(`access_db', , `relaytofulladdress', `skip')",
    "access_optional": "FEATURE(`access_db', `hash -o -T<TMPF> /etc/mail/oracle/nosuch')",
    "lookupdotdomain": "FEATURE(`lookupdotdomain')",
    "blocklist_recipients": "FEATURE(`blocklist_recipients')",
    "blacklist_recipients": "FEATURE(`blacklist_recipients')",
    "compat_check": "FEATURE(`compat_check')",
    "delay_checks": "FEATURE(`delay_checks')",
    "delay_friend": "FEATURE(`delay_checks', `friend')",
    "delay_hater": "FEATURE(`delay_checks', `hater', `n')",
    "greet_pause": "FEATURE(`greet_pause', `250')",
    "greet_pause_table": "FEATURE(`greet_pause')",
    "ratecontrol": "FEATURE(`ratecontrol')",
    "ratecontrol_nodelay": "FEATURE(`ratecontrol', `nodelay', `terminate')",
    "conncontrol": "FEATURE(`conncontrol', `', `terminate')",
    "conncontrol_nodelay": "FEATURE(`conncontrol', `nodelay')",
    "queuegroup": "FEATURE(`queuegroup', `slow')",
    "dnsbl": "FEATURE(`dnsbl', `list.corp.example')",
    "dnsbl_text": "FEATURE(`dnsbl', `list.corp.example', `\"550 5.7.1 refused\"', `t')",
    "dnsbl_quarantine": "FEATURE(`dnsbl', `list.corp.example', `quarantine')",
    "enhdnsbl": "FEATURE(`enhdnsbl', `list.corp.example', , `t', `127.0.0.2.', `127.0.0.9.')",
    "enhdnsbl_discard": "FEATURE(`enhdnsbl', `list.corp.example', `discard')",
    "rhsbl": "FEATURE(`rhsbl', `names.corp.example', `\"550 5.7.1 \" $&{RHS} \" is listed\"', `t')",
    "mtamark": "FEATURE(`mtamark', `\"550 no mail server\"', `t')",
    "require_rdns": "FEATURE(`require_rdns')",
    "use_client_ptr": "FEATURE(`use_client_ptr')",
    "block_bad_helo": "FEATURE(`block_bad_helo')",
    "badmx": "FEATURE(`badmx')",
    "check_other": "FEATURE(`check_other', `^[A-Z]+ *:', `\"421 4.7.0 this is no web server\"')",
    "accept_unqualified_senders": "FEATURE(`accept_unqualified_senders')",
    "accept_unresolvable_domains": "FEATURE(`accept_unresolvable_domains')",
    "bestmx_is_local": "FEATURE(`bestmx_is_local')",
    "bestmx_some": "FEATURE(`bestmx_is_local', `loop.example second.example')",
    "relay_based_on_MX": "FEATURE(`relay_based_on_MX')",
    "relay_entire_domain": "FEATURE(`relay_entire_domain')",
    "relay_hosts_only": "FEATURE(`relay_hosts_only')",
    "relay_local_from": "FEATURE(`relay_local_from')",
    "relay_mail_from": "FEATURE(`relay_mail_from')",
    "relay_mail_from_domain": "FEATURE(`relay_mail_from', `domain')",
    "promiscuous_relay": "FEATURE(`promiscuous_relay')",
    "loose_relay_check": "FEATURE(`loose_relay_check')",
    "nocanonify": "FEATURE(`nocanonify')",
    "canonify_hosts": "FEATURE(`nocanonify', `canonify_hosts')",
    "nopercenthack": "FEATURE(`nopercenthack', `nospecial')",
    "nopercenthack_reject": "FEATURE(`nopercenthack', `reject')",
    "nouucp_reject": "FEATURE(`nouucp', `reject')",
    "nouucp_nospecial": "FEATURE(`nouucp', `nospecial')",
    "preserve_local_plus_detail": "FEATURE(`preserve_local_plus_detail')",
    "preserve_luser_host": "FEATURE(`preserve_luser_host')",
    "authinfo": "FEATURE(`authinfo')",
    "tls_session_features": "FEATURE(`tls_session_features')",
    "tls_failures": "define(`confTLS_FALLBACK_TO_CLEAR', `true')",
    "check_cert_altnames": "FEATURE(`check_cert_altnames')",
    "prefixmod": "FEATURE(`prefixmod', `SECRET', `xyz')",
    "vnet": "FEATURE(`vnet')",
    "no_default_msa": "FEATURE(`no_default_msa')",
    "hack_cssubdomain": "HACK(`cssubdomain')",
    "hack_debian_auth": "HACK(`debian_auth')",
    "hack_spamtrap": "HACK(`spamtrap')",
    "hack_virthost_by_ip": "HACK(`virthost_by_ip')",
    "hack_xconnect": "HACK(`xconnect')",
    "hack_dnsblaccess": "HACK(`dnsblaccess', `list.corp.example', , , `dnsbl.x')",
    # -- a site's own rules
    "rule_0": "LOCAL_RULE_0\nR$* < @ trap.example . > $*\t$#error $@ 5.7.1 $: \"550 trapped: \" $1\nR$- < @ odd.example . >\t$#esmtp $@ [127.0.0.2] $: $1 % odd < @ far.example . >\ndivert(-1)divert(0)",
    "rule_quarantine": "LOCAL_RULE_0\nRjoe $* < @ $+ >\t$#error $@ quarantine $: joe $1\nRann $* < @ $=w . >\t$#error $@ 4.2.1 $: 452 4.2.1 disk \"full\"\ndivert(-1)divert(0)",
    "rule_1": "LOCAL_RULE_1\nR$* < @ inner.example > $*\t$: $1 < @ outer.example > $2\ndivert(-1)divert(0)",
    "rule_2": "LOCAL_RULE_2\nR$+ < @ six.example . > $*\t$: $1 < @ seven.example . > $2\ndivert(-1)divert(0)",
    "rule_3": "LOCAL_RULE_3\nR$* < @ nick.example > $*\t$1 < @ far.example > $2\nR$* . $- . old < @ $+ > $*\t$: $1 < @ $2 . $3 > $4\ndivert(-1)divert(0)",
    "net_config": "LOCAL_NET_CONFIG\nR$* < @ $* .$m. > $*\t$#esmtp $@ $2.$m $: $1 < @ $2.$m. > $3\ndivert(-1)divert(0)",
    "local_config": "LOCAL_CONFIG\nKown regex -a@BAD ^(9|[-+])\nC{Refused}refused.example refused2.example\ndivert(-1)divert(0)",
    "local_rulesets": "LOCAL_RULESETS\nSLocal_check_mail\nR$*\t$: $1 $| $>CanonAddr $1\nR$* $| $+ < @ refused.example . >\t$#error $@ 5.7.1 $: \"553 not \" $2\nR$* $| $*\t$: $1\n"
                      "SLocal_check_rcpt\nR$*\t$: $1 $| $>CanonAddr $1\nR$* $| dora < @ $=w . >\t$#discard $: discard\nR$* $| $*\t$: $1\ndivert(-1)divert(0)",
    # -- mailers
    "usenet": "MAILER(`usenet')",
    "uucp": "MAILER(`uucp')",
    "fax": "MAILER(`fax')",
    "pop": "MAILER(`pop')",
    "procmail": "MAILER(`procmail')",
    "cyrus": "MAILER(`cyrus')",
    "cyrusv2": "MAILER(`cyrusv2')",
    "qpage": "MAILER(`qpage')",
    "phquery": "MAILER(`phquery')",
    "mail11": "MAILER(`mail11')",
}
del PARTS["site_uucp"]
MAILERS = list(PARTS)[list(PARTS).index("usenet"):]
ACCESS = ("access_db", "access_skip", "access_lookupdotdomain", "access_fulladdress", "access_optional")
NEEDS = {name: "access_db" for name in (
    "lookupdotdomain", "blocklist_recipients", "blacklist_recipients", "compat_check", "delay_friend", "delay_hater", "greet_pause_table", "ratecontrol", "ratecontrol_nodelay",
    "conncontrol", "conncontrol_nodelay", "queuegroup", "relay_mail_from", "relay_mail_from_domain", "hack_xconnect", "hack_spamtrap", "hack_dnsblaccess", "greet_pause")}
NEEDS.update({"generics_file": "genericstable", "generics_entire_domain": "genericstable", "virtuser_entire_domain": "virtusertable", "virtuser_file": "virtusertable",
              "masquerade_file": "masquerade_as", "masquerade_envelope": "masquerade_as", "masquerade_entire_domain": "masquerade_other", "limited_masquerade": "masquerade_other",
              "allmasquerade": "masquerade_as", "preserve_luser_host": "luser_host", "local_no_masquerade": "masquerade_as"})
DELAYED = ("ratecontrol_nodelay", "conncontrol_nodelay")
# Of each of these one at most.
QUARRELS = (ACCESS, ("domain_name", "own_name"), ("genericstable", "generics_as_written"), ("ldap_bounce", "ldap_sender"), ("rule_0", "rule_quarantine"), ("delay_checks", "delay_friend", "delay_hater"), ("masquerade_as", "masquerade_other"), ("mail_hub", "mail_hub_mailer"), ("smart_host", "smart_host_literal"),
            ("luser_relay", "luser_host", "luser_error"), ("always_add_domain", "always_add_other"), ("local_lmtp", "local_procmail", "cyrus", "cyrusv2"), ("ratecontrol", "ratecontrol_nodelay"),
            ("conncontrol", "conncontrol_nodelay"), ("greet_pause", "greet_pause_table"), ("dnsbl", "dnsbl_text", "dnsbl_quarantine"), ("nocanonify", "canonify_hosts"),
            ("enhdnsbl", "enhdnsbl_discard"), ("nopercenthack", "nopercenthack_reject"), ("nouucp_reject", "nouucp_nospecial", "uucp"), ("relay_mail_from", "relay_mail_from_domain"),
            ("bestmx_is_local", "bestmx_some"), ("blocklist_recipients", "blacklist_recipients"), ("local_rulesets", "hack_spamtrap"), ("local_user", "local_relay"),
            ("relay_entire_domain", "relay_hosts_only"), ("lookupdotdomain", "relay_hosts_only"), ("stickyhost", "notsticky"), ("authinfo", "hack_debian_auth"))


def complete(names):
    """With all they need, and without those that quarrel with one before."""
    names = set(names)
    for name in sorted(names):
        names.update([NEEDS[name]] if name in NEEDS and not (NEEDS[name] in ACCESS and names & set(ACCESS)) else [])
        names.update(["delay_checks"] if name in DELAYED and not names & {"delay_friend", "delay_hater"} else [])
    for group in QUARRELS:
        names -= set([name for name in group if name in names][1:])
    wrong = {name for name in names if name in NEEDS and NEEDS[name] not in names and not (NEEDS[name] in ACCESS and names & set(ACCESS))}
    return names - wrong


def text(names):
    """The .mc file."""
    lines = ["OSTYPE(`debian')dnl"]
    lines += [PARTS[name] + ("" if "\n" in PARTS[name] else "dnl") for name in PARTS if name in names and name not in MAILERS]
    lines += ["MAILER(`local')dnl", "MAILER(`smtp')dnl"] + [PARTS[name] + "dnl" for name in MAILERS if name in names]
    return "\n".join(lines) + "\n"


def single():
    """{name: .mc text} of each part alone, and of none."""
    return {"none": text(set()), **{name: text(complete([name])) for name in PARTS}}


def mixed():
    """The same of RANDOM combinations."""
    chance = random.Random(SEED)
    result = {}
    for number in range(RANDOM):
        share = chance.choice((0.1, 0.25, 0.4))
        names = [name for name in PARTS if chance.random() < share]
        chance.shuffle(names)
        result[f"mixed{number:02}"] = text(complete(names))
    return result
