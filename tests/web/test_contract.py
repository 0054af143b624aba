"""The API is the actions and queries: each that has this door has one address, described with examples."""

import json
from collections import Counter

import pytest

from docs.write import registered
from sfumato.web.examples import example
from tests.web.conftest import open_studio

# Addresses that are no action or query themselves, each with the reason.
BESIDE = {
    "event.stream": "the log of events as it grows: event.list, pushed",
    "image.file": "the bytes of image.show",
    "item.file": "the bytes of item.show",
    "item.thumb": "the bytes of item.show, small",
    "item.uses": "reads item.show's versions in the store: which of them hold it",
    "run.curves": "what the run of training.show wrote down",
    "run.previews": "which sheets the run of training.show drew",
    "run.preview": "the bytes of one of them",
    "run.worst_drawing": "the bytes of one of training.worst",
    "data.datasheet_file": "data.datasheet as a file",
    "data.upload": "brings files to data.collect",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory, place):
    from sfumato.actions import Workspace

    with Workspace.open(settings=place(tmp_path_factory.mktemp("told") / "workspace")) as workspace:
        return open_studio(workspace).app.openapi()


def operations(told):
    return [(path, method, said) for path, methods in told["paths"].items() for method, said in methods.items()]


def test_every_verb_with_this_door_has_one_address_and_every_address_is_a_verb(told):
    offered = Counter(said["operationId"] for _, _, said in operations(told))
    verbs = {verb.name for verb in registered() if "api" in verb.doors}
    assert not [name for name, n in offered.items() if n != 1]
    assert set(offered) - set(BESIDE) - verbs == set(), "addresses without a verb"
    assert verbs - set(offered) == set(), "verbs that have this door and no address"
    assert set(BESIDE) <= set(offered)


def test_what_changes_something_is_never_a_get(told):
    from sfumato.actions.registry import ACTIONS

    for path, method, said in operations(told):
        assert path.startswith("/api/v1/")
        assert (said["operationId"] in ACTIONS) <= (method != "get"), path


def test_every_address_says_what_it_is_for_what_it_needs_and_how_it_fails(told):
    for path, _, said in operations(told):
        assert said["summary"], path
        assert said["description"], path
        for status in ("401", "403", "404", "422", "429", "500"):
            assert "application/problem+json" in said["responses"][status]["content"], (path, status)


def test_every_address_has_an_example_that_its_schema_allows(told):
    from jsonschema_rs import Draft202012Validator

    seen = 0
    for path, _, said in operations(told):
        contents = [said.get("requestBody", {}).get("content", {})]
        contents += [one.get("content", {}) for status, one in said["responses"].items() if status.startswith("2")]
        for content in contents:
            media = content.get("application/json")
            if media is None:
                continue
            schema = {**media["schema"], "components": told["components"]}
            schema = json.loads(json.dumps(schema))
            problems = list(Draft202012Validator(schema).iter_errors(media["example"]))
            assert not problems, (path, problems[0].message, media["example"])
            seen += 1
    assert seen > 20


def test_the_description_is_that_of_openapi_3_1(told):
    assert told["openapi"].startswith("3.1")
    assert set(told["components"]["securitySchemes"]) == {"token", "session"}
    assert "HTTPValidationError" not in told["components"]["schemas"]


def test_an_example_is_made_of_any_schema():
    parts = {"Inner": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}}}
    schema = {"type": "array", "items": {"anyOf": [{"type": "null"}, {"$ref": "#/components/schemas/Inner"}]}}
    assert example(schema, parts) == [{"n": 4}] or example(schema, parts) == [{"n": 3}]


def test_the_page_shows_every_address(browser, told):
    text = browser.page("/api").text
    for path, _, said in operations(told):
        assert said["operationId"] in text
        assert path in text
    assert browser.get("/api/v1/openapi.json").json()["info"]["title"] == "Sfumato"
