"""docker-compose.yml and the Dockerfile agree with the command line, settings, routes and each other."""

import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from fastapi.testclient import TestClient
from typer.testing import CliRunner

import bootstrap
from app.cli.main import cli
from app.config import Settings
from app.main import create_app
from app.weights.hub import ENDPOINT, Hub
from worker.main import make_parser
from worker.reach import ALL

ROOT = Path(__file__).parent.parent
OURS = ("web", "worker-cpu", "worker-gpu")
PORTS = {"postgres": 5432, "redis": 6379, "s3": 7070}


@pytest.fixture(scope="module")
def containers() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])


@pytest.fixture(scope="module")
def stages() -> dict[str, tuple[str, str]]:
    """Each build stage's name -> (the image or stage it starts from, its instructions)."""
    parts = re.split(r"^FROM (\S+) AS (\S+)$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]
    return {
        name: (start, text) for start, name, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    }


def lineage(stages: dict[str, tuple[str, str]], name: str) -> str:
    """All instructions that build `name`."""
    text = ""
    while name in stages:
        name, instructions = stages[name]
        text = instructions + text
    return text


def check_command(words: list[str]) -> None:
    """Fails unless the command is one that this repository has, with options that it knows."""
    if words[:3] == ["python", "-m", "worker.main"]:
        assert make_parser().parse_args(words[3:])  # ends the process where it knows no such option
        return
    assert words[0] == "penchant"
    parsed = CliRunner().invoke(cli, [*words[1:], "--help"])  # parses the options before it shows the help
    assert parsed.exit_code == 0, parsed.output


def test_commands_exist(containers: dict[str, Any], stages: dict[str, tuple[str, str]]) -> None:
    for name in OURS:
        check_command(containers[name]["command"])
        [default] = re.findall(r"^CMD (\[.*\])$", stages[name][1], flags=re.MULTILINE)
        check_command(yaml.safe_load(default))


def test_a_worker_with_a_card_loads_whatever_is_installed(containers: dict[str, Any]) -> None:
    assert make_parser().parse_args(containers["worker-gpu"]["command"][3:]).also == [ALL]


def test_variables_that_are_empty_are_unset(
    containers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = [key for key, value in containers["web"]["environment"].items() if value == f"${{{key}:-}}"]
    assert {"HF_TOKEN", "HF_ENDPOINT", "PENCHANT_MODEL", "PENCHANT_PRESETS"} <= set(passed)
    for key in passed:
        monkeypatch.setenv(key, "")
    assert (Settings().model, Settings().presets) == ("starter", None)
    hub = Hub()
    hub.close()
    assert hub.endpoint == ENDPOINT


def test_settings_exist_and_are_valid(containers: dict[str, Any], stages: dict[str, tuple[str, str]]) -> None:
    fields = Settings.model_fields
    for name in OURS:
        used = {key for key in containers[name]["environment"] if key.startswith("PENCHANT_")}
        used |= set(re.findall(r"^ENV (PENCHANT_\w+)", lineage(stages, name), flags=re.MULTILINE))
        assert {key.removeprefix("PENCHANT_").lower() for key in used} <= set(fields)
    names = re.findall(r"\$\{(PENCHANT_\w+)", (ROOT / "docker-compose.yml").read_text())
    assert {name.removeprefix("PENCHANT_").lower() for name in names} <= set(fields)
    plain = {
        key.removeprefix("PENCHANT_").lower(): value
        for name in OURS
        for key, value in containers[name]["environment"].items()
        if key.startswith("PENCHANT_") and "$" not in value
    }
    Settings.model_validate(plain)


def test_addresses_name_services_and_their_ports(containers: dict[str, Any]) -> None:
    for name in OURS:
        environment = containers[name]["environment"]
        for key in ("PENCHANT_DATABASE_URL", "PENCHANT_REDIS_URL", "AWS_ENDPOINT"):
            address = urlsplit(re.sub(r"\$\{.*?\}", "secret", environment[key]))
            assert address.hostname in containers
            assert address.port == PORTS[address.hostname]
    bucket = urlsplit(containers["web"]["environment"]["PENCHANT_STORAGE_URL"]).netloc
    assert containers["s3"]["volumes"] == [
        f"images:{containers['s3']['environment']['VGW_BACKEND_ARG']}/{bucket}"
    ]
    assert containers["s3"]["environment"]["VGW_PORT"] == f":{PORTS['s3']}"


def test_the_web_port_is_one_port(containers: dict[str, Any], stages: dict[str, tuple[str, str]]) -> None:
    web = containers["web"]
    port = web["environment"]["PENCHANT_PORT"]
    assert [entry.split(":")[1] for entry in web["ports"]] == [port]
    assert re.findall(r"^EXPOSE (\d+)$", stages["web"][1], flags=re.MULTILINE) == [port]
    assert f":{port}/" in " ".join(web["healthcheck"]["test"])


def test_the_health_check_asks_a_real_route(containers: dict[str, Any], settings: Settings) -> None:
    [path] = re.findall(r"http://127\.0\.0\.1:\d+(/\w+)", " ".join(containers["web"]["healthcheck"]["test"]))
    with TestClient(create_app()) as client:
        assert client.get(path).status_code == 200


def test_targets_exist_and_only_workers_have_torch(
    containers: dict[str, Any], stages: dict[str, tuple[str, str]]
) -> None:
    for name in OURS:
        assert containers[name]["build"]["target"] in stages
    assert "torch" not in lineage(stages, "web")
    for worker in OURS[1:]:
        assert f"torch=={bootstrap.TORCH}" in lineage(stages, worker)


def test_a_worker_with_a_card_has_what_presets_may_ask_for(stages: dict[str, tuple[str, str]]) -> None:
    installed = lineage(stages, "worker-gpu")
    assert "g++" in installed  # `compile`
    assert "['quantize']" in installed
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(re.findall(r"\['optional-dependencies'\]\['(\w+)'\]", installed)) <= set(extras)


def test_what_is_waited_for_has_a_health_check(containers: dict[str, Any]) -> None:
    for name, service in containers.items():
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] == "service_healthy", name
            assert "healthcheck" in containers[other], other


def test_the_example_lists_every_variable_that_is_read() -> None:
    read = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    listed = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))
    assert listed == read


def test_profiles_choose_the_worker(containers: dict[str, Any]) -> None:
    assert {
        name: service.get("profiles") for name, service in containers.items() if "profiles" in service
    } == {
        "worker-cpu": ["cpu"],
        "worker-gpu": ["gpu"],
    }
