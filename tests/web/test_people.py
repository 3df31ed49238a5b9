"""Codes and their pages, settings, tokens, accounts."""

import re

from sqlmodel import Session

from app.config import Settings
from app.presets import load_presets
from app.services import spaces
from tests import second
from tests.gallery import make_gallery
from tests.web.conftest import UNLOCK, Browser


def frozen_code(visitor: Browser) -> str:
    visitor.get("/info")
    return str(visitor.post("/codes").headers["location"].removeprefix("/p/"))


def test_a_private_code_an_unknown_and_a_revoked_one_look_alike(adept: Browser, stranger: Browser) -> None:
    code = frozen_code(adept)
    assert adept.get(f"/p/{code}").status_code == 200

    def seen() -> tuple[int, str]:
        response = stranger.get(f"/p/{code}")
        return response.status_code, re.sub(r"[0-9a-f]{64}", "", response.text).replace(code, "CODE")

    unknown = stranger.get("/p/nosuchcode99")
    nobody = (404, re.sub(r"[0-9a-f]{64}", "", unknown.text).replace("nosuchcode99", "CODE"))
    assert seen() == nobody
    adept.get("/info")
    adept.post(f"/codes/{code}/visibility", {"visibility": "unlisted"})
    page = stranger.get(f"/p/{code}").text
    assert f'value="--p {code}"' in page
    assert re.search(r'property="og:image" content="http://testserver/images/\d+/file"', page)
    assert f"Learned from {UNLOCK} ratings" in page
    adept.get("/info")
    adept.post(f"/codes/{code}/revoke")
    assert seen() == nobody


def test_use_this_taste_makes_it_what_a_bare_p_means(adept: Browser, stranger: Browser) -> None:
    code = frozen_code(adept)
    adept.get("/info")
    adept.post(f"/codes/{code}/visibility", {"visibility": "public"})
    stranger.get(f"/p/{code}")
    assert stranger.post(f"/p/{code}/use").headers["location"] == f"/p/{code}"
    assert "In use" in stranger.get(f"/p/{code}").text
    stranger.get("/create")
    assert stranger.post("/jobs", {"prompt": "a tree --p"}).status_code == 303
    assert f"/p/{code}" in stranger.get("/settings").text
    assert stranger.post("/settings/own-taste").status_code == 303
    assert f"/p/{code}" not in stranger.get("/settings").text


def test_others_codes_cannot_be_changed(adept: Browser, stranger: Browser) -> None:
    code = frozen_code(adept)
    stranger.rate()
    assert stranger.post(f"/codes/{code}/revoke").status_code == 404
    assert stranger.post(f"/codes/{code}/visibility", {"visibility": "public"}).status_code == 404


def test_settings_are_saved_and_checked(adept: Browser) -> None:
    adept.get("/settings")
    assert not re.search(r'name="contribute"[^>]* checked', adept.get("/settings").text)
    fields = {"personalize": "on", "stylize": "250", "model": "starter", "contribute": "on"}
    assert adept.post("/settings", fields).status_code == 303
    page = adept.get("/settings?done=saved").text
    assert 'value="on" checked' in page
    assert re.search(r'name="contribute"[^>]* checked', page)
    assert 'value="250"' in page
    assert adept.post("/settings", {"stylize": "5000", "model": "starter"}).status_code == 422
    assert adept.post("/settings", {"stylize": "5", "model": "sdxl"}).status_code == 422
    adept.get("/create")
    job = adept.post("/jobs", {"prompt": "a tree"}).headers["location"]
    assert "/p/" in adept.get(job).text  # --p by default


def test_a_token_is_shown_once_and_works_until_revoked(adept: Browser) -> None:
    adept.get("/settings")
    page = adept.post("/settings/tokens", {"name": "<b>laptop</b>", "scopes": ["read", "rate"]})
    assert (page.status_code, page.headers["cache-control"]) == (201, "no-store")
    found = re.search(r'id="secret" value="([^"]+)"', page.text)
    assert found is not None
    secret = found[1]
    listed = adept.get("/settings").text
    assert secret not in listed
    assert "&lt;b&gt;laptop&lt;/b&gt;" in listed
    token = re.findall(r"/settings/tokens/(\d+)/revoke", listed)[0]
    assert adept.post(f"/settings/tokens/{token}/revoke").status_code == 303
    assert f"tokens/{token}/revoke" not in adept.get("/settings").text
    assert adept.post("/settings/tokens", {"name": "none"}).status_code == 422


def test_a_guest_claims_an_account_and_loses_nothing(visitor: Browser) -> None:
    visitor.rate()
    visitor.get("/signup")
    account = {"email": "someone@example.org", "password": "three little words"}
    assert visitor.post("/signup", {"email": "someone", "password": "three little words"}).status_code == 422
    assert visitor.post("/signup", account).headers["location"] == "/settings?done=saved"
    assert "someone@example.org" in visitor.get("/settings").text
    assert "data-count>1<" in visitor.get("/explore").text
    assert visitor.post("/signout").status_code == 303
    assert "data-count>0<" in visitor.get("/explore").text
    visitor.get("/signin")
    wrong = visitor.post("/signin", account | {"password": "three big words"})
    assert wrong.status_code == 403
    assert 'value="someone@example.org"' in wrong.text
    assert visitor.post("/signin", account).status_code == 303
    assert "data-count>1<" in visitor.get("/explore").text


def test_signing_in_brings_a_guests_ratings_along(visitor: Browser, stranger: Browser) -> None:
    account = {"email": "someone@example.org", "password": "three little words"}
    visitor.rate()
    visitor.get("/signup")
    visitor.post("/signup", account)
    for _ in range(3):
        stranger.rate()
    stranger.get("/signin")
    assert stranger.post("/signin", account).status_code == 303
    merged = re.search(r"data-count>(\d)<", stranger.get("/explore").text)
    assert merged is not None
    assert merged[1] in "34"  # both may have been shown the same two images first


def test_nothing_is_deleted_without_the_word(visitor: Browser) -> None:
    visitor.rate()
    visitor.get("/settings")
    assert visitor.post("/settings/delete", {"confirmation": "yes"}).status_code == 422
    assert "data-count>1<" in visitor.get("/explore").text


def test_deleting_ends_everything(adept: Browser, stranger: Browser) -> None:
    code = frozen_code(adept)
    adept.get("/info")
    adept.post(f"/codes/{code}/visibility", {"visibility": "public"})
    adept.get("/settings")
    assert adept.post("/settings/delete", {"confirmation": "delete"}).headers["location"] == "/"
    assert "data-count>0<" in adept.get("/explore").text
    assert stranger.get(f"/p/{code}").status_code == 404


def test_a_code_is_converted_for_a_model_of_another_encoder(
    adept: Browser, rows: Session, site: Settings
) -> None:
    assert site.presets is not None
    with site.presets.open("a") as file:
        file.write(second.preset(site.presets.parent))
    load_presets.cache_clear()
    make_gallery(rows, count=16, seed=8)
    rows.commit()
    code = frozen_code(adept)
    waiting = adept.get("/tasks").text
    assert f"<b>{second.NAME}</b>" in waiting
    assert "0 of 40 images" in waiting
    assert "Convert for" not in adept.get("/info").text
    second.read_gallery(rows)
    assert spaces.open_space(rows, encoder=second.SPACE)
    rows.commit()
    assert f"Convert for {second.NAME}" in adept.get("/info").text
    made = adept.post(f"/codes/{code}/convert", {"model": second.NAME}).headers["location"]
    assert made != f"/p/{code}"
    assert second.SPACE in adept.get(made).text
    assert "Models being prepared" not in adept.get("/tasks").text
