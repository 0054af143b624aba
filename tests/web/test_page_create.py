"""Create, the gallery, one picture and any record as pages: what they say, and that what people wrote stays words."""

import re
from types import SimpleNamespace

import pytest

from sfumato.actions import Actor
from sfumato.jobs.worker import run_worker
from tests.web.conftest import enter, open_studio

HOSTILE = "<script>alert(1)</script>"


def ask(browser, prompt="a red disc", **options):
    answer = browser.post("/create", data={"prompt": prompt, "n": "2", "steps": "1", "upscale": "1", **options})
    assert answer.status_code == 303, answer.text
    return re.search(r"request=([0-9a-f-]+)", answer.headers["location"])[1]


@pytest.fixture
def made(drawing, pictured):
    """A studio in which two pictures were drawn."""
    request = ask(drawing)
    run_worker(pictured, only_job=drawing.get(f"/api/v1/requests/{request}/progress").json()["job"]["id"], poll=0.02)
    tiles = drawing.get(f"/api/v1/tiles?request_id={request}").json()["items"]
    assert len(tiles) == 2
    return SimpleNamespace(browser=drawing, request=request, id=tiles[0]["id"], other=tiles[1]["id"])


def test_the_empty_desk_says_what_will_be_here_and_that_nobody_draws(drawing):
    page = drawing.page("/create").text
    assert "Your pictures will be here" in page
    assert "Nobody draws at the moment" in page
    assert "plain" in page
    assert "folder drawn" not in page


def test_the_model_that_one_comes_from_is_the_one_that_draws(drawing):
    page = drawing.page("/create?model=emoji-styles-small").text
    assert '<option value="emoji-styles-small" selected>' in page
    assert "which of your words emoji-styles-small has seen" in page
    assert "which of your words no-such has seen" not in drawing.page("/create?model=no-such").text


def test_what_the_model_knows_is_said_before_it_draws(drawing):
    part = drawing.page("/create/knows?prompt=a+red+zorgle").text
    assert "never seen" in part
    assert "zorgle" in part
    assert "pictures" in part


def test_a_sentence_becomes_pictures_which_are_shown_with_what_can_be_done(made):
    page = made.browser.page(f"/create?request={made.request}").text
    assert page.count("data-drag=") == 2
    assert "Same again, next seeds" in page
    assert "Download seed" in page


def test_while_it_waits_the_page_says_so_and_can_be_stopped(drawing):
    request = ask(drawing)
    assert "Next in line: no worker is there to take it" in drawing.page(f"/create?request={request}").text
    assert drawing.post(f"/create/requests/{request}/stop").status_code == 303
    assert "Stopped." in drawing.page(f"/create?request={request}").text


@pytest.mark.parametrize(("field", "value"), [("n", "99"), ("background", "plaid"), ("model", "nobody")])
def test_what_cannot_be_is_said_and_the_sentence_stays(drawing, field, value):
    answer = drawing.post("/create", data={"prompt": "a blue ring", field: value})
    assert answer.status_code in (404, 422)
    assert "Nothing was drawn" in answer.text
    assert 'value="a blue ring"' in answer.text


def test_a_style_that_is_chosen_beside_the_sentence_is_asked_for(drawing):
    request = ask(drawing, "a red disc", style="plain")
    assert drawing.get(f"/api/v1/requests/{request}").json()["prompt"] == "a red disc, plain style"
    again = ask(drawing, "a red disc, plain style", style="plain")
    assert drawing.get(f"/api/v1/requests/{again}").json()["prompt"] == "a red disc, plain style"


def test_ten_more_in_another_style_and_the_same_again(made):
    answer = made.browser.post(f"/create/pictures/{made.id}/again", data={"style": "plain"})
    more = made.browser.get(f"/api/v1/requests/{answer.headers['location'][16:52]}").json()
    assert (more["n"], more["prompt"]) == (10, "red disc, plain style")
    first = made.browser.get(f"/api/v1/requests/{made.request}").json()
    answer = made.browser.post(f"/create/requests/{made.request}/again")
    same = made.browser.get(f"/api/v1/requests/{answer.headers['location'][16:52]}").json()
    assert (same["prompt"], same["seed"]) == (first["prompt"], first["seed"] + 2)


def test_what_people_write_stays_words(made):
    browser = made.browser
    request = ask(browser, HOSTILE)
    assert browser.post(f"/pictures/{made.id}/asks", data={"question": HOSTILE, "to": "role/admin"}).status_code == 303
    said = {"about": f"image/{made.id}", "text": HOSTILE}
    assert browser.post("/comments", data=said).headers["location"] == f"/pictures/{made.id}#comments"
    rejected = {"picture": made.id, "verdict": "rejected", "reason": HOSTILE}
    assert browser.post("/pictures/judge", data=rejected).status_code == 303
    for path in (
        f"/create?request={request}",
        f"/pictures/{made.id}",
        "/pictures",
        f"/create?prompt={HOSTILE}",
        f"/pictures?words={HOSTILE}",
    ):
        page = browser.page(path)
        assert page.status_code == 200, page.text
        assert HOSTILE not in page.text, path


def test_may_i_use_it_comes_first_and_follows_what_people_say(made):
    page = made.browser.page(f"/pictures/{made.id}").text
    assert page.index("May I use it?") < page.index("Content Credentials") < page.index("Nearest training pictures")
    assert "Signed by this workspace" in page
    assert "distance" in page
    made.browser.post("/pictures/judge", data={"picture": made.id, "verdict": "rejected", "reason": "the rim is lost"})
    page = made.browser.page(f"/pictures/{made.id}").text
    assert "answer card fails" in page
    assert "the rim is lost" in page
    made.browser.post("/pictures/undo", data={"picture": made.id})
    assert "answer card fails" not in made.browser.page(f"/pictures/{made.id}").text


def test_a_rejection_without_a_reason_is_refused(made):
    answer = made.browser.post(
        "/pictures/judge", data={"picture": made.id, "verdict": "rejected"}, headers={"Accept": "application/json"}
    )  # fmt: skip
    assert answer.status_code == 422
    assert "reason" in answer.json()["detail"]
    said = made.browser.post(
        "/pictures/rate", data={"picture": made.id, "rating": "4"}, headers={"Accept": "application/json"}
    )  # fmt: skip
    assert said.json()["say"] == "Rated 4 of 5."


def test_an_ask_with_this_picture_is_shown_with_it(made):
    asked = {"question": "A better llama?", "to": "role/prompt designer", "due": "2099-12-24"}
    assert made.browser.post(f"/pictures/{made.id}/asks", data=asked).status_code == 303
    page = made.browser.page(f"/pictures/{made.id}").text
    assert "A better llama?" in page
    assert "24 Dec 2099" in page
    assert made.browser.post(f"/pictures/{made.id}/asks", data=asked | {"due": "soon"}).status_code == 422


def test_what_differs_between_two_pictures_is_marked(made):
    page = made.browser.page(f"/pictures/compare?picture={made.id}&picture={made.other}").text
    assert page.count('<mark class="differs">') == 2  # the seeds
    assert made.browser.page(f"/pictures/compare?a={made.id}").status_code == 422


def test_the_gallery_is_told_unchanged_until_something_happens(made):
    page = made.browser.page("/pictures")
    assert page.text.count('class="tile checks"') == 2
    tag = {"If-None-Match": page.headers["etag"]}
    assert made.browser.get("/pictures", headers=tag).status_code == 304
    assert made.browser.get("/pictures?verdict=open", headers=tag).status_code == 200
    made.browser.post("/pictures/judge", data={"picture": made.id, "verdict": "approved"})
    assert made.browser.get("/pictures", headers=tag).status_code == 200
    assert made.browser.page("/pictures?verdict=approved").text.count('class="tile checks"') == 1


def test_any_record_has_a_page_and_an_address_to_walk_on(made):
    out = made.browser.get(f"/api/v1/images/{made.id}").json()["published_id"]
    page = made.browser.page(f"/records/published/{out}").text
    assert "What came of it" in page
    assert f"/pictures/{made.id}" in page
    own = made.browser.page(f"/records/request/{made.request}")
    assert own.headers["location"] == f"/create?request={made.request}"
    assert made.browser.page("/records/image/none").status_code == 404
    assert made.browser.page("/records/../etc/passwd").status_code == 404
    assert made.browser.page("/pictures/0000").status_code == 404


def test_learnt_pictures_are_shown_from_the_card_alone(made):
    near = re.search(r'/pictures/learnt/[^"]+', made.browser.page(f"/pictures/{made.id}").text)[0]
    shown = made.browser.get(near)
    assert shown.headers["content-type"] == "image/png"
    assert shown.content.startswith(b"\x89PNG")
    assert made.browser.get(near.rpartition("/")[0] + "/99999").status_code == 404


def test_a_viewer_looks_and_is_told_why_nothing_can_be_drawn(pictured, monkeypatch):
    from sfumato.web import sessions

    monkeypatch.setattr(sessions, "local_actor", lambda workspace: Actor("person/vi", "Vi", ("viewer",)))
    with open_studio(pictured) as client:
        viewer = enter(client)
        assert "You need the permission" in viewer.page("/create").text
        assert viewer.post("/create", data={"prompt": "a red disc"}).status_code == 403
