"""The checks, a row for each; docs/doctor.md shows the same."""

from subscriptions.doctor import domains, machine, outside, service, spf
from subscriptions.doctor.finding import Check
from subscriptions.domain.texts import marked

CHECKS = (
    Check("spf", marked("SPF: who may send for your domain"), spf.check,
          marked("Mail servers compare it with the machine that brings an email."), is_live=True),
    Check("dkim", marked("DKIM: the signature of your emails"), domains.dkim,
          marked("It shows that an email is yours and unchanged; the large mail services ask for it."), is_live=True,
          of_arrived=True),
    Check("dmarc", marked("DMARC: what holds for emails in your name"), domains.dmarc,
          marked("The large mail services refuse senders without it."), is_live=True),
    Check("bounces", marked("Where bounces go"), domains.bounces,
          marked("A sender that takes none looks forged, and nobody learns which mailboxes are gone."), is_live=True),
    Check("one-click", marked("The button to unsubscribe"), outside.one_click,
          marked("Mail programs only show it if DKIM covers it (RFC 8058)."), is_live=True, of_arrived=True),
    Check("arrived", marked("An email that arrived"), outside.arrived,
          marked("Only the other end knows what it makes of your emails."), is_live=True),
    Check("relay", marked("The relay"), outside.relay, marked("Every email goes through it."), is_live=True),
    Check("base-url", marked("The address of this service"), outside.site,
          marked("Every link in an email starts with it, and one click to unsubscribe must arrive."), is_live=True),
    Check("proxy", marked("The proxy in front"), service.proxy,
          marked("Evidence names the visitor’s address only if every proxy is counted.")),
    Check("clock", marked("The clock"), machine.clock, marked("Evidence is only worth as much as its times.")),
    Check("secrets", marked("Secrets"), machine.secrets,
          marked("Whoever knows them can forge links, and tell who is subscribed.")),
    Check("disk", marked("Disk"), machine.disk, marked("On a full disk nobody can sign up or leave."), on_health=True),
    Check("database", marked("Database"), machine.database, marked("What was confirmed must not be lost.")),
    Check("python", marked("Python"), machine.python, marked("Line breaks in headers are how emails are forged.")),
    Check("settings", marked("Configuration"), service.settings,
          marked("It is allowed, and it will cause trouble."), on_health=True),
    Check("texts", marked("Texts of the emails"), service.texts,
          marked("A confirmation email must not advertise, and must say who asks and for what.")),
    Check("jobs", marked("Jobs"), service.jobs,
          marked("They block and delete in time, as your privacy policy promises."), on_health=True),
    Check("deletions", marked("Deletions"), service.deletions, marked("Your privacy policy promises them.")),
    Check("backup", marked("Backup"), service.backup,
          marked("Without one, the proof of every consent is lost with the disk.")),
)  # fmt: skip
NAMED = {check.name: check for check in CHECKS}
