"""The probe at the start of a run always comes to a choice."""

import time

import pytest

from sfumato.training import machine
from sfumato.training.machine import Machine, probe


def test_a_machine_that_grows_busy_in_the_middle_still_gets_a_choice():
    turns: dict[Machine, int] = {}

    def step(choice: Machine) -> None:
        first = next(iter(turns), choice)
        turn = turns[choice] = turns.get(choice, -1) + 1
        time.sleep(0.004 if choice == first else 0.001 if turn < 2 else 0.03)

    chosen = probe(step, batch=4)
    assert chosen.images_per_second > 0
    assert chosen.model_copy(update={"images_per_second": 0.0}) in turns


def test_a_choice_that_was_disturbed_in_most_of_its_first_tries_is_still_found_to_be_the_fastest():
    turns: dict[Machine, int] = {}

    def step(choice: Machine) -> None:
        turn = turns[choice] = turns.get(choice, -1) + 1
        quick = choice.fused_attention and choice.threads == choice.shards == 1
        time.sleep(0.030 if quick and turn in (1, 2) else 0.020 if quick else 0.022)

    chosen = probe(step, batch=4)
    assert chosen.fused_attention
    assert (chosen.threads, chosen.shards) == (1, 1)
    assert max(turns.values()) == 9, "those that come close are tried again"


@pytest.mark.parametrize("bf16", [(True, False), (False,), (True,)])
@pytest.mark.parametrize("attention", [True, False])
def test_only_what_a_network_may_be_computed_with_is_tried(monkeypatch, bf16, attention):
    monkeypatch.setattr(machine, "has_bf16", lambda: True)
    tried: set[Machine] = set()
    probe(tried.add, batch=4, tries=1, bf16=bf16, attention=attention)
    assert {one.bf16 for one in tried} == set(bf16)
    assert {one.fused_attention for one in tried} == ({True, False} if attention else {False})


def test_without_products_in_bfloat16_a_machine_computes_in_float32_whatever_was_asked(monkeypatch):
    monkeypatch.setattr(machine, "has_bf16", lambda: False)
    assert probe(lambda choice: None, batch=4, tries=1, bf16=(True,)).bf16 is False
