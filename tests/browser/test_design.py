"""The design page in a real browser: nothing that axe objects to, no sideways scrolling, and galleries by keys."""

import pytest

from tests.web.framed import framed

pytestmark = pytest.mark.whole


@pytest.fixture(scope="module")
def studio(serve):
    with serve(framed()) as address:
        yield address


def test_axe_finds_nothing_on_the_design_page(studio, new_page, look_at_all):
    look_at_all(new_page(), [f"{studio}/design"], thoroughly=True)


def test_axe_finds_nothing_in_an_open_dialog_menu_and_record(studio, new_page, clean):
    page = new_page()
    page.goto(f"{studio}/design")
    page.get_by_role("button", name="Show a record").click()
    page.get_by_role("heading", name="Record").wait_for()
    page.locator("#inspector-body .facts").wait_for()
    page.locator(".account > summary").click()
    clean(page)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keys on this page").is_visible()
    clean(page)


def test_arrows_move_space_selects_and_c_compares(studio, new_page):
    page = new_page()
    page.goto(f"{studio}/design")
    grid = page.locator("[data-gallery]").first
    tiles = grid.locator(".tile")
    tiles.first.focus()
    assert grid.locator(".tile[tabindex='0']").count() == 1
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    across = page.evaluate(
        "getComputedStyle(document.querySelector('[data-gallery]')).gridTemplateColumns.split(' ').length"
    )
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.id") == tiles.nth(1 + across).get_attribute("data-id")
    page.keyboard.press("Space")
    assert page.get_by_text("2 selected").is_visible()
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.dataset.id") == tiles.last.get_attribute("data-id")
    page.keyboard.press("c")
    page.wait_for_url("**/design?picture=*&picture=*")


def test_enter_opens_a_picture(studio, new_page):
    page = new_page()
    page.goto(f"{studio}/design")
    page.locator(".tile").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/design?picture=0")


def test_slash_searches_and_a_letter_after_g_goes_to_a_desk(studio, new_page):
    page = new_page()
    page.goto(f"{studio}/design")
    page.keyboard.press("/")
    page.keyboard.type("llama g")
    assert page.locator("#search-words").input_value() == "llama g"
    page.keyboard.press("Escape")
    page.locator("#search").wait_for(state="hidden")
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_url("**/models")


def test_single_keys_can_be_turned_off(studio, new_page):
    page = new_page()
    page.goto(f"{studio}/design")
    page.keyboard.press("?")
    page.get_by_label("Single keys do something").uncheck()
    page.keyboard.press("Escape")
    page.locator("#keys").wait_for(state="hidden")
    page.keyboard.press("/")
    assert not page.locator("#search").is_visible()


def test_the_choice_of_dark_lasts_and_the_server_draws_it(studio, new_page):
    page = new_page(scheme="light")
    page.goto(f"{studio}/design")
    page.locator(".account > summary").click()
    page.get_by_role("button", name="Dark", exact=True).click()
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(ground) == "rgb(27, 25, 23)"
    page.reload()
    assert page.locator("html[data-theme='dark']").count() == 1
    assert page.evaluate(ground) == "rgb(27, 25, 23)"


def test_without_script_the_choice_is_made_by_a_form(studio, new_page):
    page = new_page(java_script_enabled=False)
    page.goto(f"{studio}/design")
    page.locator(".account > summary").click()
    page.get_by_role("button", name="Dark", exact=True).click()
    assert page.url == f"{studio}/design"
    assert page.locator("html[data-theme='dark']").count() == 1
    assert not page.get_by_role("button", name="Copy the command").first.is_visible()


def test_a_trace_is_walked_by_arrows(studio, new_page):
    page = new_page()
    page.goto(f"{studio}/design")
    page.locator(".node.here").focus()
    page.keyboard.press("ArrowLeft")
    assert "emoji-32" in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    assert "cold-llama" in page.evaluate("document.activeElement.textContent")


def test_nothing_moves_for_those_who_asked_for_that(studio, new_page):
    page = new_page(reduced_motion="reduce")
    page.goto(f"{studio}/design")
    assert page.evaluate("document.getAnimations().filter(one => one.playState === 'running').length") == 0


def test_targets_are_large_enough_to_hit(studio, new_page):
    page = new_page(390)
    page.goto(f"{studio}/design")
    small = page.evaluate("""() => [...document.querySelectorAll('button, .button, .desk, .menu > summary, .tabs > a')]
        .map(one => [one.outerHTML.slice(0, 90), one.getBoundingClientRect()])
        .filter(([_, box]) => box.width > 0 && (box.width < 24 || box.height < 24)).map(([text]) => text)""")
    assert small == []
