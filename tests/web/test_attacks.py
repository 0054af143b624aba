"""What somebody tries who means no good, beyond what has a file of its own: each is refused, or shown as mere words."""

import csv
import io
from types import SimpleNamespace

import pytest
from PIL import Image, PngImagePlugin
from sqlalchemy import update

from sfumato.data.items import list_items, show_item
from sfumato.generation.create import create
from sfumato.generation.pictures import list_images
from sfumato.jobs.worker import run_worker
from sfumato.people.asks import make_ask
from sfumato.people.comments import write_comment
from sfumato.people.projects import create_project
from sfumato.people.records import Person
from sfumato.people.tokens import make_token
from tests.crew import HOSTILE, add_pictures
from tests.people.team import PASSWORD, come, own
from tests.web.conftest import HERE, Browser, open_studio
from tests.web.roles import bearer, cookie
from tests.web.stocked import stock

SCRIPT = "<script>alert(1)</script>"
UPLOADS = "/api/v1/datasets/mine/uploads"


def png_that_says(text):
    said = PngImagePlugin.PngInfo()
    said.add_text("Comment", text)
    said.add_itxt("XML:com.adobe.xmp", text)
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "PNG", pnginfo=said)
    return out.getvalue()


@pytest.fixture
def team(workspace):
    """Olga owns the workspace, Abel and Bea work in it."""
    olga = own(workspace)
    return olga, come(workspace, olga, "Abel", "researcher"), come(workspace, olga, "Bea", "data scientist")


@pytest.fixture
def door(workspace, team):
    with open_studio(workspace) as client:
        yield client


@pytest.mark.parametrize("body", [{"data": {"csrf": "x"}}, {"json": {}}], ids=["form", "json"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
def test_another_site_changes_nothing_whatever_it_sends(browser, body, origin):
    headers = {"Origin": origin} if origin else {}
    for path in ("/look", "/sign-out", "/api/v1/asks", UPLOADS):
        assert browser.client.post(path, headers=headers, **body).status_code == 403
    assert browser.get("/api/v1/jobs").status_code == 200


@pytest.mark.parametrize("name", ["../../workspace.db", "..%2f..%2fworkspace.db", "%2e%2e/keys", "....//keys", "%00"])
@pytest.mark.parametrize(
    "where", ["/static/", "/api/v1/items/{}/file", "/api/v1/images/{}/file", "/pictures/", "/api/v1/trace/image/"]
)
def test_no_address_leads_out_of_what_it_is_for(browser, where, name):
    path = where.format(name) if "{}" in where else where + name
    answer = browser.get(path)
    assert answer.status_code in (404, 422), (path, answer.status_code)
    assert b"SQLite" not in answer.content
    assert "workspace/" not in answer.text


def test_what_a_file_says_of_itself_is_never_more_than_a_picture(browser, workspace):
    files = [("files", ("a.png", png_that_says(SCRIPT))), ("files", ("a.txt", HOSTILE.encode()))]
    job = browser.post(UPLOADS, files=files, data={"author": SCRIPT, "label": SCRIPT}).json()["job"]
    run_worker(workspace, only_job=job["id"])
    item = list_items(workspace, name="mine")[0]
    for part in ("file", "thumb"):
        answer = browser.get(f"/api/v1/items/{item.id}/{part}")
        assert answer.headers["content-type"].startswith("image/")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
    told = browser.get(f"/api/v1/items/{item.id}")
    assert told.headers["content-type"] == "application/json"


def test_words_of_people_are_answered_as_data_and_nothing_that_a_browser_runs(browser, workspace):
    ref = add_pictures(workspace, 1)[0]
    make_ask(workspace, to="data scientist", question=SCRIPT, refs=[ref])
    write_comment(workspace, about=ref, text=SCRIPT)
    assert browser.post("/api/v1/review/rejections", json={"subjects": [ref], "reason": SCRIPT}).status_code == 200
    for path in ("/api/v1/asks", f"/api/v1/comments/{ref}", f"/api/v1/review/{ref}", "/api/v1/log"):
        answer = browser.get(path, headers={"Accept": "text/html"})
        assert SCRIPT in answer.text, path
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/api", f"/{SCRIPT}", f"/sign-in?back={SCRIPT}", f"/api?q={SCRIPT}"])
def test_no_page_gives_back_a_script_that_its_address_holds(browser, path):
    assert SCRIPT not in browser.page(path).text


def test_a_file_name_adds_no_header(browser):
    name = 'a"\r\nSet-Cookie: evil=1\r\n.png'
    answer = browser.post(UPLOADS, files=[("files", (name, png_that_says("x")))])
    assert "evil" not in str(answer.headers)
    assert "evil" not in browser.client.cookies


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_signing_in_leads_to_no_other_site(door, team, back):
    sent = {"login": "abel", "password": PASSWORD, "back": back}
    assert door.post("/sign-in", data=sent, headers={"Origin": HERE}).headers["location"] == "/"
    assert door.get("/sign-in", params={"back": back}).headers["location"] == "/"


def test_a_secret_changes_when_somebody_signs_in_and_the_one_before_counts_no_more(door):
    sent = {"login": "abel", "password": PASSWORD}
    door.post("/sign-in", data=sent, headers={"Origin": HERE})
    before = door.cookies["sfumato"]
    door.post("/sign-in", data=sent | {"csrf": Browser(door).csrf}, headers={"Origin": HERE})
    assert door.cookies["sfumato"] != before
    door.cookies.clear()
    assert door.get("/api/v1/jobs", headers={"Cookie": f"sfumato={before}"}).status_code == 401


def test_guessing_a_password_ends_soon_also_for_the_right_one(door):
    sent = [door.post("/sign-in", data={"login": "abel", "password": str(n)}, headers={"Origin": HERE})
            for n in range(12)]  # fmt: skip
    assert sent[0].status_code == 403
    assert sent[-1].status_code == 429
    assert door.post("/sign-in", data={"login": "abel", "password": PASSWORD}, headers={"Origin": HERE}
                     ).status_code == 429  # fmt: skip


def test_a_token_makes_no_token_that_may_more_than_itself(door, team):
    secret = make_token(team[1].workspace, name="narrow", scopes=["token.write"]).secret
    body = {"name": "wide", "scopes": ["record.read"]}
    assert door.post("/api/v1/me/tokens", json=body, headers=bearer(secret)).status_code == 403


def test_what_is_private_is_listed_for_nobody_else_at_any_address(door, team):
    _, abel, bea = team
    refs = add_pictures(abel.workspace, 2, private=True, by=abel.workspace.actor)
    key = refs[0].partition("/")[2]
    mine = door.get("/api/v1/requests", headers=cookie(abel)).json()["items"]
    assert [one["prompt"] for one in mine] == ["a red llama"]
    for path in (f"/images/{key}", f"/images/{key}/file", f"/trace/{refs[0]}"):
        assert door.get(f"/api/v1{path}", headers=cookie(bea)).status_code == 404, path
    told = door.app.openapi()["paths"]
    lists = [path for path, methods in told.items() if "get" in methods and "{" not in path and path[-7:] != "/events"]
    assert len(lists) > 15
    for path in lists:
        answer = door.get(path, params={"q": "red llama"} if path.endswith("search") else {}, headers=cookie(bea))
        assert key not in answer.text, path
        assert mine[0]["id"] not in answer.text, path


@pytest.fixture
def elsewhere(pictured):
    """Olga's secret project, with a picture that was drawn there and one in a dataset; Bea works beside it."""
    olga = own(pictured)
    bea = come(pictured, olga, "Bea", "admin")
    secret = pictured.in_project(create_project(olga.workspace, name="Secret").id)
    [item] = stock(secret, "hidden", 1)
    asked = create(secret, prompt="a red disc", options={"n": 1, "steps": 1, "upscale": 1})
    run_worker(pictured, only_job=asked.job.id, poll=0.02)
    picture = list_images(secret, request_id=asked.request_id)[0]
    with open_studio(pictured) as client:
        yield SimpleNamespace(
            door=client, olga=olga, bea=bea, project=secret.project, item=item, picture=picture.id,
            request=asked.request_id, sha256=picture.sha256, content=show_item(secret, id=item).sha256,
        )  # fmt: skip


def test_the_true_id_of_another_projects_picture_opens_nothing_to_who_is_no_member(elsewhere):
    it = elsewhere
    there = {"X-Sfumato-Project": it.project}
    paths = [f"/api/v1/images/{it.picture}{more}" for more in ("", "/file")]
    paths += [f"/api/v1/items/{it.item}{more}" for more in ("", "/file", "/thumb", "/uses")]
    paths += [f"/api/v1/{kind}/image/{it.picture}" for kind in ("trace", "records")]
    paths += [f"/api/v1/{kind}/item/{it.item}" for kind in ("trace", "records")]
    paths += [f"/api/v1/requests/{it.request}", f"/pictures/{it.picture}", f"/items/{it.item}"]
    paths += [f"/records/image/{it.picture}", f"/records/item/{it.item}", f"/records/request/{it.request}"]
    for path in paths:
        assert it.door.get(path, headers=cookie(it.olga) | there).status_code in (200, 303), path
        assert it.door.get(path, headers=cookie(it.bea)).status_code == 404, path
        assert it.door.get(path, headers=cookie(it.bea) | there).status_code in (403, 404), path


def test_the_true_sha256_of_another_projects_picture_says_no_more_than_any_other(elsewhere):
    it = elsewhere
    there = {"X-Sfumato-Project": it.project}
    found = it.door.get(f"/api/v1/contents/{it.content}/items", headers=cookie(it.olga) | there).json()
    assert [one["id"] for one in found] == [it.item]
    for sha256 in (it.content, it.sha256, "0" * 64):
        assert it.door.get(f"/api/v1/contents/{sha256}/items", headers=cookie(it.bea)).json() == []
        for path in (f"/api/v1/images/{sha256}/file", f"/api/v1/items/{sha256}/thumb", f"/pictures/{sha256}"):
            assert it.door.get(path, headers=cookie(it.bea)).status_code == 404, path
    listed = it.door.get(f"/api/v1/tiles?request_id={it.request}", headers=cookie(it.bea))
    assert it.picture not in listed.text


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t="])
def test_a_name_in_the_log_taken_away_is_no_formula(door, team, workspace, first):
    olga, abel, _ = team
    name = f"{first}HYPERLINK(1)"
    with workspace.db.write() as session:  # however it came there
        session.execute(update(Person).where(Person.id == abel.id).values(name=name))
    write_comment(abel.workspace, about=add_pictures(workspace, 1)[0], text=f"{first}cmd|calc!A1")
    rows = list(csv.reader(io.StringIO(door.get("/audit.csv", headers=cookie(olga)).text)))
    assert f"'{name}" in {row[2] for row in rows}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
