"""Models, and what was measured of them."""


from sfumato.actions import Workspace
from sfumato.checkpoints.models import list_models, show_model
from sfumato.evaluation.evaluate import EvaluateOptions, list_measurements
from sfumato.evaluation.evaluate import evaluate as measure
from sfumato.jobs import JobView
from sfumato.training.cards import ask_for_card
from sfumato.web.addresses import Router
from sfumato.web.offering import offer

router = Router()


def evaluate(workspace: Workspace, *, name: str, options: EvaluateOptions | None = None) -> JobView:
    """Measure a model on what it has seen and on what was held out; the job's result has the figures."""
    return measure(workspace, model=name, options=options.model_dump() if options else {})


offer(router, "GET", "/models", list_models, key="name")
offer(router, "GET", "/models/{name}", show_model)
offer(router, "POST", "/models/{name}/card", ask_for_card)
offer(router, "POST", "/models/{name}/evaluations", evaluate, name="evaluation.evaluate")
offer(router, "GET", "/models/{model}/measurements", list_measurements)
