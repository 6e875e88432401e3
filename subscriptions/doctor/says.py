"""What can be found, a row for each: what is wrong, and what mends it. The value to copy comes with each finding.

A fault alone fails: a hint may be what somebody wants, and a note is only worth knowing.
"""

from subscriptions.domain.texts import marked

FAULTS = {
    "unknown": marked("This could not be checked (%(why)s). Try again, or look at the log."),
    "spf-none": marked("%(domain)s has no SPF record. Publish this one (TXT), with what your relay asks you to add."),
    "spf-several": marked("%(domain)s has %(num)s SPF records, and servers use none. Keep one with all of it."),
    "spf-broken": marked("In the SPF record of %(domain)s, %(part)s makes no sense or leads nowhere. Remove it."),
    "spf-long": marked("The SPF record of %(domain)s needs more than %(num)s look-ups. Remove what no longer sends."),
    "spf-everybody": marked("The SPF record of %(domain)s lets everybody send. Name who may, and end it with ~all."),
    "dmarc-none": marked("%(domain)s has no DMARC record. Publish this one (TXT)."),
    "dmarc-broken": marked("The DMARC record of %(domain)s is not valid. Publish exactly one, with a policy (p=)."),
    "bounces-none": marked("%(domain)s has no MX record, so bounces are lost. Publish one."),
    "bounces-null": marked("%(domain)s says that it takes no email, so bounces are lost. Change envelope_sender."),
    "bounces-lost": marked("The MX record of %(domain)s leads to %(host)s, which the DNS does not know. Correct it."),
    "dkim-none": marked("The email that arrived has no DKIM signature. Turn on DKIM at the relay, for this domain."),
    "dkim-other": marked("DKIM signs for %(other)s, and people see %(domain)s. Let the relay sign with that domain."),
    "key-none": marked("The DNS has no DKIM key %(name)s. Publish the one of your relay, under this name (TXT)."),
    "key-broken": marked("The DKIM key %(name)s is revoked, broken or too short. Publish that of your relay again."),
    "arrived-fails": marked("The other end says %(name)s=%(result)s. Mend what the checks of the DNS find."),
    "arrived-spam": marked("The other end takes the email for spam (%(name)s: %(result)s). Mend the other findings "
                           "first; then make the texts of the list plainer."),
    "arrived-apart": marked("Our clock and the relay’s are %(num)s seconds apart, or the email waited that long. Run "
                            "a time service here."),
    "leaves-elsewhere": marked("The relay has replaced the link to unsubscribe. Turn off its own links, and tracking."),
    "leaves-unsigned": marked("DKIM does not cover List-Unsubscribe and List-Unsubscribe-Post. Add both to what the "
                              "relay signs (h=)."),
    "relay-down": marked("The relay cannot be used: %(why)s. Correct [mail], and check again."),
    "relay-plain": marked("The relay offers encryption, and it is not used. Set security in [mail]."),
    "certificate": marked("The certificate of %(host)s ends on %(day)s. Renew it."),
    "url-plain": marked("base_url is not encrypted, so links can be read on the way. Let your proxy do TLS."),
    "url-away": marked("%(url)s cannot be reached from here (%(why)s). Check base_url, the DNS and your proxy."),
    "url-leads": marked("%(url)s leads on to %(other)s. Set base_url to where nothing leads on."),
    "url-other": marked("At %(url)s something else answers (status %(num)s). Let your proxy pass every path on."),
    "post-leads": marked("One click to unsubscribe is redirected (status %(num)s) and lost. Let your proxy pass POST "
                         "on as it is, neither to www nor to a language."),
    "post-lost": marked("One click to unsubscribe never gets here (status %(num)s). Let your proxy pass POST on, "
                        "whoever asks."),
    "proxy-forgotten": marked("The last sign-up came through a proxy that trusted_proxies does not count. Set it, "
                              "and sign up once more."),
    "proxy-fewer": marked("The last sign-ups came through fewer than %(num)s proxies. Correct trusted_proxies."),
    "clock-apart": marked("The clocks here and of the database differ by %(num)s seconds. Run a time service on both."),
    "secret-weak": marked("%(name)s in [server] can be guessed. Put a new key in front of the others; a pepper "
                          "cannot be changed once people are stored."),
    "folder-open": marked("Others may write to %(path)s, and replace keys and database. Take that right from them."),
    "config-open": marked("Others may read %(path)s, which holds a password or a key. Take that right from them."),
    "disk-full": marked("The disk of %(path)s has %(num)s MB left. Make room."),
    "disk-files": marked("The disk of %(path)s takes hardly any more files. Remove some."),
    "database-loses": marked("PostgreSQL may lose what it has confirmed (synchronous_commit is off). Turn it on."),
    "text": marked("Do not send this email (%(kind)s, %(tag)s, %(list)s): %(said)s. Correct the texts of the list."),
    "job": marked("%(said)s. Check that the service is running, and its log."),
    "overdue": marked("Due for deletion before %(time)s and still stored: %(num)s. Delete it, and see why no job did."),
    "backup-never": marked("Last backup: never. Make one now, and then every day."),
    "backup-old": marked("Last backup: %(time)s. Make one now, and see why that does not happen every day."),
}  # fmt: skip
HINTS = {
    "spf-open": marked("The SPF record of %(domain)s does not say what to do with other senders. Name who may, and end "
                       "it with ~all."),
    "dmarc-unread": marked("The DMARC record of %(domain)s asks for no reports. Add who gets them."),
    "dmarc-apart": marked("SPF speaks for %(other)s, people see %(domain)s. Use an envelope_sender in that domain."),
    "key-short": marked("The DKIM key %(name)s has only %(num)s bits. Let the relay make one of 2048 bits."),
    "key-test": marked("The DKIM key %(name)s says that it is only a test. Remove t=y from its record."),
    "arrived-none": marked("No email of yours is known that arrived. Send yourself the confirmation email, and give "
                           "the doctor its source."),
    "arrived-open": marked("%(host)s took the email without TLS. Turn it on, if that machine is yours."),
    "relay-password": marked("The relay takes passwords without encryption. Let it offer AUTH after STARTTLS alone."),
    "relay-ascii": marked("The relay offers no SMTPUTF8, so addresses with letters such as ü before the @ get no "
                          "email. Turn it on there."),
    "relay-slow": marked("The relay offers no PIPELINING, so emails leave more slowly. Turn it on there, if possible."),
    "url-hsts": marked("Browsers are not told to use https alone. Let your proxy add this header, or not remove it."),
    "database-old": marked("SQLite %(version)s can damage a database, so it is used in a slower way. Install a newer "
                           "one with the rest of the program."),
    "python-old": marked("This Python lets line breaks into the headers of emails. Install its newest release."),
    "setting": "%(said)s",
}  # fmt: skip
NOTES = {
    "arrived-says": "%(name)s: %(result)s",
    "pepper": marked("The fingerprint of the pepper is %(mark)s: compare it with the pepper of your backup."),
    "backup": marked("Last backup: %(time)s."),
}
SAYS = FAULTS | HINTS | NOTES
