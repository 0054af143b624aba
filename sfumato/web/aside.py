"""A verb that needs heavy libraries to look at what is asked: in a process of its own, so that the server stays light.

python -m sfumato.web.aside reads one request from its input and writes one answer.
"""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, get_type_hints

from sfumato.actions import Actor, Workspace
from sfumato.actions.once import AnsweredBefore, Once
from sfumato.errors import SfumatoError, Unsupported, of_code
from sfumato.jobs.queue import handed_on
from sfumato.web.written import adapter, as_json

SECONDS = 120.0


def aside(verb: Callable[..., Any], workspace: Workspace, **options: Any) -> Any:
    """Call a verb of a module in another process, as the same person in the same project; raises what it raises."""
    actor = workspace.actor
    person = asdict(actor) | {"scopes": None if actor.scopes is None else sorted(actor.scopes)}
    once = workspace.once
    asked = {
        "verb": f"{verb.__module__}:{verb.__qualname__}", "person": person, "project": workspace.project,
        "once": [once.key, once.asked] if once else None, "options": options,
    }  # fmt: skip
    command = [sys.executable, "-m", "sfumato.web.aside"]
    try:
        done = subprocess.run(
            command, input=json.dumps(asked).encode(), capture_output=True, env=handed_on(workspace), timeout=SECONDS,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        raise Unsupported("It took too long to look at this.", hint="Try the same with the command.") from late
    try:
        told = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError) as silent:
        raise SfumatoError(f"Nothing was answered: {done.stderr.decode(errors='replace')[-400:]}") from silent
    if "error" in told:
        raise of_code(told["error"]["code"])(told["error"]["message"], hint=told["error"]["hint"])
    if "before" in told:
        raise AnsweredBefore(told["before"])
    return adapter(get_type_hints(verb)["return"]).validate_python(told["result"])


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Do what was asked for, and say what came of it as JSON."""
    module, _, name = asked["verb"].partition(":")
    person = asked["person"]
    scopes = None if person["scopes"] is None else frozenset(person["scopes"])
    actor = replace(Actor(**person | {"roles": tuple(person["roles"])}), scopes=scopes)
    try:
        with Workspace.open(create=False) as opened:
            verb = getattr(importlib.import_module(module), name)
            gives = get_type_hints(verb)["return"]
            workspace = opened.as_actor(actor).in_project(asked["project"])
            if asked["once"]:
                key, body = asked["once"]
                workspace = workspace.doing_once(Once(key, body, lambda result: as_json(gives, result)))
            return {"result": as_json(gives, verb(workspace, **asked["options"]))}
    except AnsweredBefore as before:
        return {"before": before.answer}
    except SfumatoError as problem:
        return {"error": {"code": problem.code, "message": problem.message, "hint": problem.hint}}


if __name__ == "__main__":
    print(json.dumps(answer(json.load(sys.stdin))))
