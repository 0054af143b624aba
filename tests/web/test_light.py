"""The server stays light: it loads none of the libraries that draw, train or sign until somebody needs them."""

from tests.contracts.test_light import HEAVY, loaded_after


def test_the_app_loads_no_heavy_library():
    assert not loaded_after("import sfumato.web.app, sfumato.web.studio") & HEAVY


def test_asking_for_a_run_does_not_bring_torch_into_the_server(browser, workspace):
    code = """
import sys
from starlette.testclient import TestClient
from sfumato.actions import Workspace
from sfumato.web.app import create_app
from sfumato.web.serving import Serving
from sfumato.web.sessions import csrf_of
here = "http://127.0.0.1:1"
with Workspace.open() as workspace:
    with TestClient(create_app(workspace, Serving(launch="x")), base_url=here) as client:
        client.get("/launch/x", follow_redirects=False)
        headers = {"Origin": here, "X-CSRF-Token": csrf_of(client.cookies["sfumato"])}
        answer = client.post("/api/v1/runs", json={"name": "a", "data": "none@latest"}, headers=headers)
        assert answer.status_code == 404, answer.text
        assert "none" in answer.json()["detail"]
"""
    assert "torch" not in loaded_after(code)
