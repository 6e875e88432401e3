"""What evidence names can be read for ever: by everybody, with its dates and its hash; the desk shows what changed."""

import json
from dataclasses import replace

from subscriptions.domain.roles import Role
from subscriptions.settings import ListTexts
from subscriptions.store.lists import wording_hash
from tests.builders import ANNE, BART, LISTS, NEWS, OFFERS
from tests.desk import at_the_desk
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.support.https_site import HttpsSite
from tests.test_commands import good, logging_as_it_was, refused, run
from tests.test_policies import NEW, Start, kept, look_again, site, start

__all__ = ["logging_as_it_was", "site", "start"]
pytestmark = BY_DAY_ON_SQLITE


def test_a_consent_text_of_before_is_shown_with_its_dates_and_leads_to_that_of_today(start: Start) -> None:
    own = replace(LISTS[0], slug="letters", wording="Yes, <b>the</b> first.")
    world = start(slug=own.slug, wording=own.wording, policy_url=own.policy_url)
    world.clock.forward(days=40)
    world = start(slug=own.slug, wording="Yes, the second.", policy_url=own.policy_url)
    digest = wording_hash(own.slug, own.wording, own.policy_url, own.controller)
    page = world.get(f"/wording/{digest[:16]}")
    assert page.status_code == 200 and page.headers["X-Robots-Tag"] == "noindex"
    assert "This was the text from 23 November 2026 until 2 January 2027." in page.text
    assert "Yes, &lt;b&gt;the&lt;/b&gt; first." in page.text and digest in page.text and "Newsletter" in page.text
    row = world.parts.catalogue.by_slug(own.slug)
    assert row and f'href="/wording/{row.wording_id}"' in page.text
    assert "This has been the text since 2 January 2027." in world.get(f"/wording/{row.wording_id}").text
    desk = at_the_desk(world, Role.VIEWER).get(f"/admin/lists/{own.slug}/wordings").text
    assert f'href="/wording/{digest[:16]}"' in desk


def test_a_policy_is_shown_as_it_stood_whatever_became_of_it(start: Start, site: HttpsSite) -> None:
    world = start()
    site.says(NEW)
    look_again(world, days=40)
    old, new = kept()
    page = world.get(f"/policy/{NEWS}/{old.id}").text
    assert "We keep it for a day." in page and "This was the text from 23 November 2026 until 2 January 2027." in page
    assert old.sha256 in page and f'href="/policy/{NEWS}/{new.id}"' in page
    assert "This has been the text since 2 January 2027." in world.get(f"/policy/{NEWS}/{new.id}").text
    world = start(policy_url="")
    assert world.get(f"/policy/{NEWS}/{old.id}").text.count("We keep it for a day.") == 1


def test_what_was_never_shown_is_not_there(start: Start, site: HttpsSite) -> None:
    world = start()
    [one] = kept()
    for path in ("/wording/0123456789abcdef", "/wording/%00", f"/wording/{one.id}", f"/policy/{OFFERS}/{one.id}",
                 f"/policy/{NEWS}/{'x' * 2000}", f"/policy/nowhere/{one.id}", f"/policy/{NEWS}/{one.id}x"):  # fmt: skip
        assert world.get(path).status_code == 404, path


def test_the_desk_says_when_a_policy_changed_what_is_new_and_who_agreed_under_which(
    start: Start, site: HttpsSite
) -> None:
    world = start()
    for address in (ANNE, BART):
        world.subscribe(address)
    assert "Your privacy policy changed" not in at_the_desk(world, Role.VIEWER).get(f"/admin/lists/{NEWS}").text
    site.says(NEW)
    look_again(world, days=1)
    world.subscribe("cris@example.net")
    viewer = at_the_desk(world, Role.VIEWER, "later@example.org")
    assert "Your privacy policy changed on 24 November 2026." in viewer.get(f"/admin/lists/{NEWS}").text
    page = viewer.get(f"/admin/lists/{NEWS}/policies").text
    assert "<del>day.</del><ins>week.</ins>" in page and page.count("in use") == 1
    assert page.index("1 subscriber agreed") < page.index("What changed") < page.index("2 subscribers agreed")
    assert kept()[0].id in page and kept()[1].id in page


def test_in_each_language_people_are_counted_under_the_version_that_they_could_read(
    start: Start, site: HttpsSite
) -> None:
    site.says("<p>Datenschutz", "de")
    lists = {"texts": {"de": ListTexts(policy_url=site.url("de"))}}
    world = start(policy_url="", **lists)
    world.subscribe("before@example.net", locale="en")
    world = start(**lists)
    for address, locale in (("a@example.net", "de-AT"), ("b@example.net", "de"), ("c@example.net", "fr")):
        world.subscribe(address, locale=locale)
    site.says("<p>Datenschutz, neu", "de")
    look_again(world, days=1)
    world.subscribe("d@example.net", locale="de")
    world.post(world.leave_link("b@example.net"))
    told = json.loads(good(world, "policy", "show", NEWS, "--json"))
    assert {(one["language"], one["in_use"]): one["subscribers"] for one in told} == {
        ("de", False): 1, ("de", True): 1, ("en", True): 1,
    }  # fmt: skip


def test_the_desk_says_what_is_wrong_with_the_page(start: Start, site: HttpsSite) -> None:
    del site.pages["/policy"]
    world = start()
    page = at_the_desk(world, Role.VIEWER).get(f"/admin/lists/{NEWS}/policies").text
    assert "answers with the status 404 (since 23 November 2026, 12:00 UTC)" in page
    assert "No text has been kept yet." in page


def test_long_texts_that_change_everywhere_are_compared_at_once(start: Start, site: HttpsSite) -> None:
    site.says("<p>" + "old word " * 100_000)
    world = start()
    site.says("<p>" + "new text " * 100_000)
    look_again(world, days=1)
    page = at_the_desk(world, Role.VIEWER).get(f"/admin/lists/{NEWS}/policies")
    assert page.status_code == 200 and page.text.count("<del>") == page.text.count("<ins>") == 1


def test_the_commands_show_the_versions_and_what_each_said(start: Start, site: HttpsSite) -> None:
    world = start()
    world.subscribe(ANNE)
    site.says(NEW)
    world.clock.forward(days=1)
    assert good(world, "policy", "fetch", NEWS) == "newsletter, en: a new version is kept.\n"
    assert good(world, "policy", "fetch") == "newsletter, en: nothing has changed.\n"
    site.says("<p>Third")
    assert "it has changed twice within a day" in good(world, "policy", "fetch")
    old, new = kept()
    lines = good(world, "policy", "show", NEWS).splitlines()
    assert lines[0].split()[:3] == ["list", "id", "language"]
    assert [line.split()[1] for line in lines[1:]] == [old.id, new.id]
    assert f'"id": "{old.id}"' in (told := good(world, "policy", "show", NEWS, "--json")) and '"subscribers": 1' in told
    assert good(world, "policy", "show", NEWS, "--text", old.id) == old.text + "\n"
    assert good(world, "policy", "show", NEWS, "--page", new.id) == NEW
    assert refused(world, "policy", "show", OFFERS, "--text", old.id).startswith("Error: There is no such version")
    del site.pages["/policy"]
    away = run(world, "policy", "fetch")
    assert away.exit_code == 1 and "answers with the status 404." in away.stdout
    assert "answers with the status 404 (since" in run(world, "policy", "show", NEWS).stderr


def test_nobody_types_a_file_of_the_server_and_what_the_file_says_stays(start: Start) -> None:
    from tests.test_desk_lists import PATH, mark_of, save, the_list
    from tests.test_lists_owned import change, create

    world = start()
    create(world)
    manager = at_the_desk(world, Role.MANAGER)
    typed = {"own.policy_file": "/etc/hosts.txt", "de.policy_file": "/etc/hosts.txt", "de.name": "Brief"}
    assert save(manager, tags=["de"], **typed, **{"own.authority": "The Office, 1 Street"}).status_code == 303
    row = the_list(world)
    assert (row.policy_file, row.texts, row.authority) == ("", {"de": {"name": "Brief"}}, "The Office, 1 Street")
    change(world, "concerts", policy_file="policy.md", texts={})
    assert save(manager, mark_of(manager.get(PATH)), **{"own.name": "Other"}).status_code == 303
    assert (the_list(world).name, the_list(world).policy_file) == ("Other", "policy.md")
