"""Train as people see it: starting a run, its curves and previews, stopping and going on."""

import html
import io
import json
import re
from dataclasses import replace
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select, update

import sfumato
from sfumato.checkpoints.models import find_model
from sfumato.data.freeze import freeze
from sfumato.data.versions import open_version
from sfumato.jobs.records import Job
from sfumato.training.records import Run
from sfumato.training.watching import Curves, show_card
from sfumato.training.worst import Drawing, Drawings, keep_worst
from sfumato.web.pages.train import WHEN
from sfumato.web.runs import charts_of, command_of
from tests.web.conftest import open_studio
from tests.web.stocked import HOSTILE, a_run, as_vic, stock, with_viewer


@pytest.fixture
def version(workspace):
    stock(workspace, "animals", 4)
    return freeze(workspace, name="animals")


def test_without_a_version_the_way_leads_to_data(browser):
    page = browser.page("/train").text
    assert "Runs will be here" in page
    assert "Freeze a version first" in page
    assert "A frozen version is needed" in browser.page("/new-run").text


def test_the_form_says_what_it_will_cost_and_offers_the_version(browser, version):
    page = browser.page(f"/new-run?data=animals@{version.name}").text
    assert f'value="animals@{version.name}" selected' in page
    assert "What it will cost" in page
    assert "200,000 pictures" in page


def test_a_run_is_started_by_the_form_and_can_be_stopped_and_gone_on_with(browser, version):
    form = {
        "recipe": "flow",
        "name": "first",
        "data": "animals@latest",
        "parent": "",
        "samples": "64",
        "size": "16",
        "width": "64",
        "depth": "1",
    }
    assert browser.post("/new-run", data=form).headers["location"] == "/train/first"
    page = browser.page("/train/first").text
    assert "It learns from animals@" in page.replace("it learns", "It learns")
    assert 'action="/train/first/stop"' in page
    assert browser.post("/train/first/stop").status_code == 303
    stopped = browser.page("/train/first").text
    assert 'action="/train/first/resume"' in stopped
    assert browser.post("/train/first/resume").status_code == 303
    assert 'action="/train/first/stop"' in browser.page("/train/first").text
    again = browser.post("/new-run", data=form | {"samples": "65"})
    assert again.status_code == 409
    assert "There is a run" in again.text
    assert 'value="65"' in again.text


def test_a_run_that_goes_on_does_not_seem_to_begin_anew_while_pictures_are_read(browser, workspace, version):
    browser.post("/new-run", data={"recipe": "flow", "name": "first", "data": "animals@latest", "samples": "1000"})
    with workspace.write() as session:
        run = session.scalars(select(Run).where(Run.name == "first")).one()
        run.samples_seen = 448
        reading = {"done": 0, "total": 1000, "unit": "images", "say": "reading the pictures"}
        session.execute(update(Job).where(Job.id == run.job_id).values(status="running", progress=reading))
    for page in ("/train", "/train/first"):
        assert "448" in browser.page(page).text


def test_a_value_that_cannot_be_is_told_beside_what_was_sent(browser, version):
    refused = browser.post("/new-run", data={"recipe": "flow", "name": "second", "data": "animals@latest", "size": "7"})
    assert refused.status_code == 422
    assert "size" in refused.text
    assert "it should be" in refused.text
    assert "Input should" not in refused.text
    assert 'value="second"' in refused.text
    assert browser.page("/new-run?recipe=magic").status_code == 404


def test_curves_and_previews_are_read_from_what_the_run_wrote(browser, workspace, version):
    folder = workspace.path / "runs" / a_run(workspace, "first", version.id)
    (folder / "previews").mkdir(parents=True)
    (folder / "previews" / f"{200:012d}.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    lines = [{"samples": 100, "loss": 0.9}, {"samples": 200, "loss": 0.5}]
    (folder / "curve.jsonl").write_text("\n".join(map(json.dumps, lines)) + '\n{"samples": 3')
    (folder / "log.jsonl").write_text(json.dumps({"samples": 200, "held_out": {"t=0.2": 0.7}, "images_per_second": 40}))
    page = browser.page("/train/first").text
    assert "training from 0.900 to 0.500" in page
    assert "80 % noise" in page
    assert "/api/v1/runs/first/previews/200" in page
    assert browser.get("/api/v1/runs/first/previews/200").content.startswith(b"\x89PNG")
    assert browser.get("/api/v1/runs/first/curves").json()["loss"] == [[100.0, 0.9], [200.0, 0.5]]
    assert browser.get("/api/v1/runs/first/previews/..%2f..%2fworkspace.db").status_code in (404, 422)
    assert browser.get("/api/v1/runs/first/previews/201").status_code == 404
    assert browser.get("/api/v1/runs/..%2f..%2fkeys/previews").status_code == 404


def test_names_are_shown_as_text(browser, workspace, version):
    a_run(workspace, HOSTILE, version.id)
    page = browser.page("/train")
    assert page.status_code == 200
    assert HOSTILE not in page.text


def test_who_may_only_look_starts_nothing(workspace, version):
    a_run(workspace, "first", version.id)
    with_viewer(workspace)
    with open_studio(workspace) as client:
        vic = as_vic(client)
        assert "training.write" in vic.page("/train").text
        assert "training.write" in vic.page("/train/first").text
        assert vic.post("/train/first/resume").status_code == 403
        assert vic.page("/train/nothing").status_code == 404


def test_a_loop_of_ones_own_has_its_page_with_all_that_it_said(browser, workspace, version):
    with sfumato.run("mine", data="animals", workspace=workspace, steps=2) as run:
        run.log(step=1, loss=0.9, held_out=0.8, d_loss=0.25)
        run.preview([[[0.0, 1.0], [1.0, 0.0]]] * 2)
        run.log(step=2, loss=0.5, held_out=0.7, d_loss=0.2)
    page = browser.page("/train/mine").text
    assert "training from 0.900 to 0.500" in page
    assert "Held-out loss" in page
    assert "D loss" in page
    assert "Where it comes from" in page
    assert "estimated at 10 W" in page or "measured by the processor" in page
    assert "/api/v1/runs/mine/previews/1" in page
    assert 'action="/train/mine/resume"' not in page
    assert "mine" in browser.page("/train").text


def test_what_is_held_out_by_noise_stands_in_one_chart_with_what_is_learnt(browser, workspace, version):
    with sfumato.run("noisy", data="animals", workspace=workspace, steps=2) as run:
        run.log(step=1, loss=0.9, held_out={"t=0.2": 0.8, "t=0.8": 0.6})
        run.log(step=2, loss=0.5, held_out={"t=0.2": 0.6, "t=0.8": 0.4})
    page = browser.page("/train/noisy").text
    assert "training from 0.900 to 0.500" in page
    assert "held out, mean of all noise from 0.700 to 0.500" in page


@pytest.mark.whole
def test_a_time_is_turned_into_options_on_the_form_and_what_was_changed_stays(browser, version):
    form = {"recipe": "flow", "name": "first", "data": "animals@latest", "budget": "10s", "width": "64", "depth": "1"}
    page = browser.post("/new-run/choose", data=form).text
    assert "as you gave it" in page
    assert "at most 16 pixels are learnt well in this time" in page
    assert 'name="name" type="text" required maxlength="81" autocomplete="off" value="first"' in page
    refused = browser.post("/new-run/choose", data=form | {"budget": "soon"})
    assert refused.status_code == 422
    assert "is no time" in refused.text
    chosen = html.unescape(re.search(r'name="chosen" value="([^"]*)"', page)[1])
    again = browser.post("/new-run", data=form | {"name": "a name", "chosen": chosen}).text
    assert html.unescape(re.search(r'name="chosen" value="([^"]*)"', again)[1]) == chosen, "a refusal forgets nothing"
    told = json.loads(chosen)
    wrong = browser.post("/new-run/choose", data={**form, **told, "chosen": chosen, "budget": "soon"}).text
    batch = re.search(r'<input[^>]*name="batch"[^>]*>', wrong)
    assert batch
    assert f'value="{told["batch"]}"' in batch[0], "neither does one beside the time"
    assert html.unescape(re.search(r'name="chosen" value="([^"]*)"', wrong)[1]) == chosen


def test_runs_are_chosen_and_compared_on_a_page(browser, workspace, version):
    assert "Two runs are needed" in browser.page("/compare-runs").text
    for name, lr in (("one", 0.1), ("two", 0.2)):
        with sfumato.run(name, data="animals", workspace=workspace, options={"lr": lr}) as run:
            run.log(step=1, loss=0.9, held_out=0.8)
            run.log(step=2, loss=0.5, held_out=0.7 + lr)
    page = browser.page("/compare-runs?run=one&run=two").text
    assert "Training loss" in page
    assert "0.1" in page
    assert "sfumato train compare one two" in page
    assert "They differ in lr (0.1 / 0.2)." in page
    assert "After 2 steps: one is lower, noise or not is not known" in page
    assert "too few measurements to tell" in page
    alone = browser.page("/compare-runs?run=one").text
    assert "Compare one with…" in alone
    assert 'value="one" checked' in alone
    found = browser.get("/api/v1/run-comparison?names=one,two").json()
    assert found["differing"] == {"lr": [0.1, 0.2]}


def test_a_fork_fills_the_form_with_the_options_of_its_run(browser, workspace, version):
    a_run(workspace, "first", version.id)
    page = browser.page("/new-run?fork=first").text
    assert "Forked from first" in page
    assert 'value="1000"' in page
    form = {"recipe": "flow", "name": "no good", "data": "animals@latest", "fork": "first"}
    wrong = browser.post("/new-run", data=form)
    assert "Forked from first" in wrong.text, "it is still said where something has to be different"
    small = {"recipe": "flow", "name": "second", "data": "animals@latest", "fork": "first", "samples": "900"}
    assert browser.post("/new-run", data=small).status_code == 303
    page = re.sub(r"<[^>]*>", "", browser.page("/train/second").text)
    assert "samples 900 instead of 1,000" in page


def test_the_command_beside_a_run_asks_for_the_same_run(browser, workspace, version):
    a_run(workspace, "first", version.id)
    one = show_card(workspace, name="first")
    options = {"samples": 1000, "flip": False, "lr": 0.004}
    said = command_of(replace(one, run=one.run.model_copy(update={"options": options})))
    assert said == f"sfumato train flow --data {one.data} --name first --samples 1000 --no-flip"


def test_what_adapts_a_model_begins_with_one(browser, version):
    page = browser.page("/new-run?recipe=lora").text
    assert "fresh weights" not in page
    assert "<option selected>emoji-styles-small</option>" in page
    assert "fresh weights" in browser.page("/new-run?recipe=flow").text


@pytest.mark.whole
def test_what_the_network_would_see_is_shown_on_the_form(browser, version):
    form = {"recipe": "flow", "name": "first", "data": "animals@latest", "size": "16", "width": "64", "depth": "1",
            "batch": "4", "samples": "8", "keep": "3"}  # fmt: skip
    page = browser.post("/new-run/look", data=form).text
    assert "there are no buckets by aspect" in page
    assert "The first 8 pictures of the run" in page
    assert page.count("data:image/png;base64,") >= 8
    assert page.index("data:image/png;base64,") < page.index("there are no buckets by aspect"), "pictures come first"
    assert 'name="keep" type="number" min="1" max="1000" placeholder="all" value="3"' in page
    assert "Runs will be here" in browser.page("/train").text  # nothing was started
    refused = browser.post("/new-run/look", data=form | {"size": "18"})
    assert refused.status_code == 422
    assert "no multiple" in refused.text


def test_what_a_run_said_and_what_it_keeps_is_on_its_page(browser, workspace, version):
    folder = workspace.path / "runs" / a_run(workspace, "first", version.id)
    folder.mkdir(parents=True)
    said = {"samples": 64, "said": "Memory ran out at sample 64. A batch is still 32 pictures."}
    (folder / "said.jsonl").write_text(f"{json.dumps(said)}\n{json.dumps(said | {'samples': 96})}\n")
    with workspace.write() as session:
        session.execute(update(Run).where(Run.name == "first").values(details={"keep": 2}))
    page = browser.page("/train/first").text
    assert page.count("Memory ran out at sample 64.") == 1
    assert "After 96 pictures" in page
    assert "The newest 2 are kept" in page


def test_concepts_that_are_drawn_worst_stand_beside_what_they_were_learnt_from(browser, workspace, version):
    folder = workspace.path / "runs" / a_run(workspace, "first", version.id)
    assert "Drawn worst" not in browser.page("/train/first").text
    lines = open_version(workspace, "animals").items[:2]
    picture = np.full((8, 8, 4), (200, 60, 30, 255), np.uint8)
    drawings = [Drawing(one.concept, one.name, 1.25, [one.sha256, "0" * 64], picture) for one in lines]
    keep_worst(folder, 1_000, Drawings(40, 0.5, drawings))
    page = browser.page("/train/first").text
    assert "40 concepts" in page
    assert page.count("125 %") == 2
    found = browser.get("/api/v1/runs/first/worst").json()
    assert [one["concept"] for one in found["concepts"]] == [one.concept for one in lines]
    for one in found["concepts"]:
        (item,) = one["beside"]
        assert f'href="/items/{item["id"]}"' in page
        drawn = f"/api/v1/runs/first/worst/{one['place']}"
        assert drawn in page
        with Image.open(io.BytesIO(browser.get(drawn).content)) as opened:
            assert (opened.size, opened.getpixel((0, 0))) == ((8, 8), (200, 60, 30))
    assert f"/data/animals/items?concept={quote(lines[0].concept)}" in page
    assert browser.get("/api/v1/runs/first/worst/7").status_code == 404


def test_a_run_goes_on_with_more_by_the_form_and_says_what_that_means(browser, workspace, version):
    a_run(workspace, "first", version.id)
    page = browser.page("/train/first").text
    assert "Go on with more" in page
    assert 'name="samples" type="number" inputmode="numeric" min="401"' in page
    refused = browser.post("/train/first/resume", data={"samples": "100"})
    assert refused.status_code == 422
    assert "has seen 400 pictures" in refused.text
    assert browser.post("/train/first/resume", data={"samples": "many"}).status_code == 422
    assert browser.post("/train/first/resume", data={"samples": "40,000", "budget": ""}).status_code == 303
    page = browser.page("/train/first").text
    assert "Went on until 40,000 pictures" in page
    assert "Planned for 1,000 pictures, it goes on after 400 until 40,000." in page
    assert "no command repeats it exactly" in page
    assert "Next in line: no worker is there to take it" in page
    assert "Go on with more" not in page, "it waits already"
    one = show_card(workspace, name="first")
    assert command_of(one).endswith("--samples 1000 --size 16 && sfumato train resume first --samples 40000")


def test_what_is_refused_by_a_look_is_told_where_one_looks(browser, version):
    refused = browser.post("/new-run/look", data={"recipe": "flow", "data": "animals@latest", "samples": "many"})
    assert refused.status_code == 422
    before, _, after = refused.text.partition('id="ahead"')
    assert "cannot be" in after.split("</section>")[0]
    assert "cannot be" not in before


def test_few_pictures_are_proposed_to_be_learnt_by_a_model_that_there_is_and_a_fork_begins_as_its_run(
    browser, workspace, version
):
    form = browser.page("/new-run?data=animals@latest").text
    assert "<option selected>emoji-styles-small</option>" in form
    assert "seen" in form
    assert "times on average" in form
    a_run(workspace, "first", version.id)
    assert "<option selected>" not in browser.page("/new-run?fork=first").text
    embedded = find_model(workspace, name="emoji-styles-small")
    a_run(workspace, "second", version.id, parent_sha256=embedded.sha256)
    assert "<option selected>emoji-styles-small</option>" in browser.page("/new-run?fork=second").text


def test_a_run_that_is_asked_to_stop_says_so_at_once(browser, workspace, version):
    browser.post("/new-run", data={"recipe": "flow", "name": "first", "data": "animals@latest", "samples": "1000"})
    with workspace.write() as session:
        job = session.scalars(select(Job)).one()
        job.status, job.cancel_asked_at = "running", job.made_at
    page = browser.page("/train/first").text
    assert "Stopping…" in page
    assert 'action="/train/first/stop"' not in page


def test_a_run_that_goes_on_from_a_model_names_it(browser, workspace, version):
    a_run(workspace, "first", version.id, parent_sha256="0" * 64)
    assert "weights that are not here any more (000000000000)" in browser.page("/train/first").text


@pytest.mark.parametrize(
    ("levels", "title", "line"),
    [
        (["t=0.2", "t=0.8"], "Held-out loss by noise", "80 % noise"),
        (["noise=0.1", "noise=3.0"], "Held-out loss by noise", "noise 3.0"),
        (["dB, blur=0.9"], "Measured on held-out pictures", "dB, blur=0.9"),
    ],
)
def test_what_is_measured_on_held_out_pictures_is_called_what_it_is(levels, title, line):
    charts = charts_of(Curves(held_out={level: [(100.0, 0.5), (200.0, 0.4)] for level in levels}))
    assert title in [one.title for one in charts]
    assert line in [drawn.name for one in charts for drawn in one.lines]


def test_another_average_is_asked_for_by_the_form(browser, version, workspace):
    a_run(workspace, "averaged", version.id)
    page = browser.page("/train/averaged").text
    assert 'action="/train/averaged/average"' not in page  # nothing is kept yet
    refused = browser.post("/train/averaged/average", data={"length": "a lot"})
    assert refused.status_code == 422
    assert "is no share of a run" in refused.text
    assert "has kept no averages" in browser.post("/train/averaged/average", data={"length": "0.15"}).text


def test_a_recipe_of_a_package_that_nobody_wrote_a_line_about_has_its_form(browser, version, monkeypatch):
    monkeypatch.delitem(WHEN, "edm")
    for page in ("/new-run", "/new-run?recipe=edm"):
        assert "EDM" in browser.page(page).text
