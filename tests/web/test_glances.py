"""Pages that are answered on the loop: nothing is held up by them, and nothing that was changed is overlooked."""

import re
import sqlite3
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from sfumato.actions.events import last_position
from sfumato.db.glance import PATIENCE, glance_at
from sfumato.errors import Busy, SfumatoError
from sfumato.people.members import set_roles
from sfumato.people.persons import disable
from sfumato.people.signins import revoke_session
from sfumato.people.tokens import make_token, revoke_token
from sfumato.review.judge import approve
from sfumato.web.frame import FRESH, _kept
from sfumato.web.glances import Glances
from tests.generation.test_gallery import drawn
from tests.people.team import come, own
from tests.web.conftest import ROOT, Browser, enter, open_studio

pytestmark = pytest.mark.sqlite("a glance is a look into SQLite's file; over a network pages are answered in threads")
PAGE = "/pictures"
ENDLESS = "with recursive n(x) as (select 1 union all select x + 1 from n) select max(x) from n"


@pytest.fixture
def glanced(monkeypatch):
    """Which of the answers so far were given at a glance."""
    given: list[bool] = []
    answer = Glances.answer

    def watched(self, visit):
        found = answer(self, visit)
        given.append(found is not None)
        return found

    monkeypatch.setattr(Glances, "answer", watched)
    return given


@pytest.fixture
def alone(workspace):
    """A studio with three pictures, and the person at the machine, who was here before."""
    ids = drawn(workspace, 3)
    with open_studio(workspace) as client:
        browser = enter(client)
        assert browser.page(PAGE).status_code == 200
        yield SimpleNamespace(browser=browser, ids=ids, house=client.app.state.house)


@pytest.fixture
def team(workspace):
    """Olga owns the studio, Abel is an admin; both were here before."""
    olga = own(workspace)
    abel = come(workspace, olga, "Abel", "admin")
    with open_studio(workspace) as client:
        browsers = [in_session(client, one.entered.secret) for one in (olga, abel)]
        for one in browsers:
            assert one.page(PAGE).status_code == 200
        yield SimpleNamespace(client=client, olga=olga, abel=abel, browsers=browsers)


def in_session(client, secret):
    other = TestClient(client.app, base_url=str(client.base_url), follow_redirects=False)
    other.portal = client.portal  # the same server, by another browser
    other.cookies.set("sfumato", secret)
    return Browser(other)


def ids_on(page):
    return re.findall(r'class="tile checks" href="/pictures/([^"?]+)', page.text)


def test_who_was_here_before_is_answered_at_a_glance_with_the_same_page(alone, glanced):
    at_once = alone.browser.page(PAGE)
    assert glanced[-1]
    assert ids_on(at_once) == alone.ids[::-1]
    alone.house.glances.routes.clear()
    in_a_thread = alone.browser.page(PAGE)
    assert not glanced[-1]
    assert at_once.text == in_a_thread.text
    own_headers = {"date", "x-request-id"}
    first, second = ({k: v for k, v in one.headers.items() if k not in own_headers} for one in (at_once, in_a_thread))
    assert first == second


def test_what_one_changes_oneself_is_on_the_next_page_and_no_304_hides_it(alone, glanced):
    tag = {"If-None-Match": alone.browser.page(PAGE).headers["etag"]}
    assert alone.browser.get(PAGE, headers=tag).status_code == 304
    assert glanced[-1]
    alone.browser.post("/pictures/judge", data={"picture": alone.ids[0], "verdict": "approved"})
    after = alone.browser.get(PAGE, headers=tag)
    assert after.status_code == 200
    assert 'data-state="approved"' in after.text
    again = alone.browser.get(PAGE, headers={"If-None-Match": after.headers["etag"]})
    assert (again.status_code, glanced[-1]) == (304, True)


def test_what_another_process_changes_is_on_the_next_page(alone, workspace, glanced):
    tag = {"If-None-Match": alone.browser.page(PAGE).headers["etag"]}
    assert alone.browser.get(PAGE, headers=tag).status_code == 304
    said = (
        "import sys; from sfumato.actions import Workspace; from sfumato.review.judge import approve\n"
        "with Workspace.open(sys.argv[1]) as workspace: approve(workspace, subjects=['image/' + sys.argv[2]])"
    )
    subprocess.run([sys.executable, "-c", said, str(workspace.path), alone.ids[1]], check=True, cwd=ROOT)
    after = alone.browser.get(PAGE, headers=tag)
    assert (after.status_code, after.text.count('data-state="approved"')) == (200, 1)


def test_a_count_of_the_frame_that_no_event_tells_of_is_no_older_than_two_seconds(alone, workspace, glanced):
    first = alone.browser.page(PAGE)
    assert "1 job" not in first.text
    with workspace.db.engine.begin() as connection:
        columns = {row[1]: row for row in connection.exec_driver_sql("pragma table_info(job)")}
        wanted = {name: 0 if "INT" in row[2] or row[2] == "FLOAT" else "" for name, row in columns.items() if row[3]}
        wanted |= {"id": "j", "project_id": workspace.project, "status": "running", "made_at": "2026-01-01 00:00:00"}
        names, marks = ", ".join(wanted), ", ".join("?" * len(wanted))
        connection.exec_driver_sql(f"insert into job ({names}) values ({marks})", tuple(wanted.values()))
    for one in _kept.values():
        one.at -= FRESH
    tag = {"If-None-Match": first.headers["etag"]}
    assert alone.browser.get(PAGE, headers=tag).status_code == 200
    assert not glanced[-1], "of all who come one counts, in a thread"
    assert alone.browser.get(PAGE, headers=tag).status_code == 200
    assert glanced[-1]


def test_a_session_that_was_ended_lets_nobody_in_at_the_next_request(team, glanced):
    _, abel = team.browsers
    abel.page(PAGE)
    assert abel.page(PAGE).status_code == 200
    assert glanced[-1]
    tag = {"If-None-Match": abel.page(PAGE).headers["etag"]}
    revoke_session(team.abel.workspace, session=team.abel.entered.sign_in)
    assert abel.get(PAGE, headers=tag).status_code in (303, 401)
    assert abel.page(PAGE).headers["location"].startswith("/sign-in")


def test_who_was_locked_out_or_lost_a_role_is_told_so_at_the_next_request(team, glanced):
    _, abel = team.browsers
    drawn(team.olga.workspace, 1)
    abel.page(PAGE)
    before = abel.page(PAGE)
    assert glanced[-1]
    assert "data-judge-form" in before.text
    set_roles(team.olga.workspace, person=team.abel.id, roles=["viewer"])
    after = abel.get(PAGE, headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert "data-judge-form" not in after.text
    disable(team.olga.workspace, person=team.abel.id)
    assert abel.page(PAGE).status_code == 303


def test_a_token_that_was_taken_back_lets_nobody_in_at_the_next_request(team, glanced):
    token = make_token(team.olga.workspace, name="reader", scopes=["record.read", "account.enter"])
    shown = {"Authorization": f"Bearer {token.secret}"}
    client = in_session(team.client, "")
    assert client.get(PAGE, headers=shown).status_code == 200
    assert client.get(PAGE, headers=shown).status_code == 200
    assert glanced[-1]
    revoke_token(team.olga.workspace, token=token.token.id)
    assert client.get(PAGE, headers=shown).status_code in (303, 401)


def test_pictures_of_somebody_alone_are_not_shown_to_another(team, glanced):
    olga, abel = team.browsers
    private = drawn(team.abel.workspace, 1, private_to=team.abel.workspace.actor.id)
    shared = drawn(team.olga.workspace, 1)
    approve(team.olga.workspace, subjects=[f"image/{shared[0]}"])
    for one in (olga, abel):
        one.page(PAGE)
    assert ids_on(abel.page(PAGE)) == [*shared, *private]
    assert glanced[-1]
    assert ids_on(olga.page(PAGE)) == shared
    assert glanced[-1]


def test_a_writer_who_holds_the_database_holds_up_no_page(alone, workspace, glanced):
    holder = sqlite3.connect(workspace.db.file, isolation_level=None)
    holder.execute("begin immediate")
    began = time.monotonic()
    assert ids_on(alone.browser.page(PAGE)) == alone.ids[::-1]
    assert glanced[-1]
    assert time.monotonic() - began < 5
    holder.execute("rollback")
    holder.close()


def test_a_database_that_nobody_may_read_holds_up_who_asks_for_it_and_nobody_else(tmp_path, glanced, workspace):
    ids = drawn(workspace, 1)
    workspace.db.engine.dispose()
    holder = sqlite3.connect(workspace.db.file, isolation_level=None, check_same_thread=False)
    assert holder.execute("pragma journal_mode=delete").fetchone() == ("delete",)  # as on a disk that knows no WAL
    with open_studio(workspace) as client:
        browser = enter(client)
        browser.page(PAGE)
        holder.execute("begin exclusive")
        pages = []
        waiting = threading.Thread(target=lambda: pages.append(browser.page(PAGE)))
        waiting.start()
        time.sleep(0.3)
        began = time.monotonic()
        assert client.get("/healthz").status_code == 200
        assert time.monotonic() - began < 1
        assert not pages
        holder.execute("rollback")
        waiting.join(20)
        assert ids_on(pages[0]) == ids
    holder.close()


def test_a_glance_gives_up_a_long_search_and_changes_nothing(workspace):
    glance = glance_at(workspace.db)
    began = time.thread_time()
    with pytest.raises(Busy):
        glance.value(ENDLESS)
    with pytest.raises(Busy), glance.read() as session:
        session.connection().exec_driver_sql(ENDLESS)
    assert time.thread_time() - began < 100 * PATIENCE
    assert glance.value("select count(*) from workspace_info") > 0, "and goes on"
    with pytest.raises(SfumatoError):
        glance.value("delete from workspace_info")
    assert last_position(workspace) == glance.value("select value + 0 from workspace_info where key = 'events'")
    glance.close()
