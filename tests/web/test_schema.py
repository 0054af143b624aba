"""Whatever is sent to the API, fitting or not, is answered as its description says, and never with a failure."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.python import asgi
from schemathesis.specs.openapi import checks

from sfumato.actions import Workspace
from sfumato.actions.permissions import PERMISSIONS
from sfumato.checkpoints import models
from sfumato.data.collect import collect
from sfumato.data.freeze import freeze
from sfumato.jobs.worker import run_worker
from sfumato.people.asks import make_ask
from sfumato.people.comments import write_comment
from sfumato.people.tokens import make_token
from tests.crew import add_pictures
from tests.web.conftest import HERE, open_studio

pytestmark = pytest.mark.whole

STREAMS = {"event.stream", "data.upload", "image.verify"}  # bodies and answers without a schema, which have own tests
CONFORMS = [
    not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
    checks.response_headers_conformance, checks.response_schema_conformance,
]  # fmt: skip
UNHINDERED = dict.fromkeys(("sign-in", "create", "upload", "write"), (10_000_000, 1.0))


class Api:
    """A studio with something in it, seen by a program that may do everything."""

    def __init__(self, workspace: Workspace, folder: Any) -> None:
        self.app = open_studio(workspace, rates=UNHINDERED).app
        config = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})
        self.schema = schemathesis.openapi.from_dict(plain(self.app.openapi()), config=config)
        self.schema.app = self.app
        self.session = asgi.get_client(self.app)
        secret = make_token(workspace, name="any", scopes=sorted(PERMISSIONS)).secret
        self.session.headers["Authorization"] = f"Bearer {secret}"
        self.there = self._fill(workspace, folder)

    def _fill(self, workspace: Workspace, folder: Any) -> dict[str, str]:
        """Put one of each on record; returns what an address can name."""
        ref = add_pictures(workspace, 3)[0]
        (folder / "a.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 4 4'/>")
        job = collect(workspace, source="folder", into="mine", options={"path": str(folder)})
        run_worker(workspace, only_job=job.id)
        freeze(workspace, name="mine")
        ask = make_ask(workspace, to="data scientist", question="May this be used?", refs=[ref])
        comment = write_comment(workspace, about=ref, text="a fine llama")
        return {
            "ref": ref, "subject": ref, "about": ref, "job_id": job.id, "ask": ask.id, "comment": comment.id,
            "model": models.find_model(workspace).name, "name": "mine",
        }  # fmt: skip

    def operations(self) -> list[Any]:
        """All that have a schema for what they take and give."""
        found = [one.ok() for one in self.schema.get_all_operations()]
        return [one for one in found if one.definition.raw["operationId"] not in STREAMS]

    def try_out(self, operation: Any, mode: GenerationMode, examples: int, there: dict[str, str]) -> str:
        """Knock with many generated requests; returns what was wrong with an answer."""
        wanted = list(CONFORMS)
        if mode is GenerationMode.NEGATIVE and operation.method != "get":  # a query is words, whatever they were before
            wanted.append(checks.negative_data_rejection)

        @settings(
            max_examples=examples, deadline=None, database=None, derandomize=True,
            phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode, path_parameters=there or None))
        def knock(case: Any) -> None:
            answer = case.call(base_url=HERE, session=self.session)
            case.validate_response(answer, checks=wanted)
            if answer.status_code >= 400:
                assert answer.headers["content-type"] == ["application/problem+json"], answer.headers
                told = answer.json()
                assert told["detail"], told
                assert told["status"] == answer.status_code, told

        try:
            knock()
        except Unsatisfiable:
            return ""  # nothing that could be sent here is wrong
        except BaseException as problem:  # failures come as groups too
            if isinstance(problem, KeyboardInterrupt):
                raise
            return f"{operation.label}: {describe(problem)}"
        return ""


def plain(said: Any) -> Any:
    """The same description with pairs of one kind told as lists of two: Schemathesis stumbles over `prefixItems`."""
    if isinstance(said, list):
        return [plain(one) for one in said]
    if not isinstance(said, dict):
        return said
    told = {key: plain(value) for key, value in said.items()}
    kinds = told.get("prefixItems", [])
    if kinds and all(one == kinds[0] for one in kinds):
        told["items"] = told.pop("prefixItems")[0]
    return told


def describe(problem: BaseException) -> str:
    """What went wrong, in one piece."""
    if isinstance(problem, BaseExceptionGroup):
        return "; ".join(describe(one) for one in problem.exceptions)
    return str(problem)[:1_500]


@pytest.fixture(scope="module")
def api(tmp_path_factory, embedded, place):
    folder = tmp_path_factory.mktemp("schema")
    (folder / "pictures").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "EMBEDDED", embedded)
        with Workspace.open(settings=place(folder / "workspace")) as workspace:
            yield Api(workspace, folder / "pictures")


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.name.lower())
@pytest.mark.parametrize("examples", [1, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.timeout(3_000)])])
def test_every_address_answers_anything_as_the_description_says(api, mode, examples):
    fits, quick = mode is GenerationMode.POSITIVE, examples < 10  # a quick run tries each address once
    wrong = []
    for one in api.operations():
        names = {parameter.name for parameter in one.path_parameters}
        there = {name: value for name, value in api.there.items() if name in names}
        if there and fits:
            wrong.append(api.try_out(one, mode, examples, there))
        if not quick or (not there if fits else one.method != "get"):
            wrong.append(api.try_out(one, mode, examples, {}))
    wrong = [one for one in wrong if one]
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("path", ["/notices?before=", "/log?after="])
def test_a_number_that_no_database_keeps_is_refused_in_words(api, path):
    answer = api.session.get(f"{HERE}/api/v1{path}{10**30}")
    assert answer.status_code == 422, answer.text
    assert "kept" in answer.json()["detail"]
