"""``caspian outlets``: made, looked after and removed from the command line."""

from __future__ import annotations

import json

from tests.cli.hub import Hub


def _json(hub: Hub, *arguments: str, who: str = "az-fhn", stdin: str = "") -> dict[str, object]:
    done = hub.caspian("outlets", *arguments, "--json", who=who, stdin=stdin)
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_an_outlet_is_made_looked_after_and_removed(hub: Hub) -> None:
    made = hub.caspian("outlets", "add", "az-fhn", "https://receiver.example/hook", who="az-fhn")
    assert made.returncode == 0, made.stderr
    outlet, secret = made.stdout.split()[0], made.stdout.split()[-1]
    assert secret.startswith("whsec_")
    assert "shown this once" in made.stderr

    listed = hub.caspian("outlets", "ls", who="az-fhn")
    assert outlet in listed.stdout
    assert "receiver.example" in listed.stdout
    assert secret not in listed.stdout
    assert _json(hub, "pause", outlet)["state"] == "paused"
    assert _json(hub, "resume", outlet)["state"] == "active"
    assert _json(hub, "redeliver", outlet, "0")["through"] == -1
    tested = hub.caspian("outlets", "test", outlet, who="az-fhn")
    assert f"caspian outlets log {outlet}" in tested.stdout
    rotated = hub.caspian("outlets", "rotate", outlet, who="az-fhn")
    assert rotated.stdout.strip().startswith("whsec_")
    assert rotated.stdout.strip() != secret
    assert hub.caspian("outlets", "log", outlet, who="az-fhn").returncode == 0
    assert hub.caspian("outlets", "rm", outlet, who="az-fhn").returncode == 0
    gone = hub.caspian("outlets", "log", outlet, who="az-fhn")
    assert gone.returncode == 5
    assert "outlet-unknown" in gone.stderr


def test_a_broker_and_its_password(hub: Hub) -> None:
    made = _json(
        hub,
        *("add", "az-fhn", "mqtts://hub@broker.example", "--secret", "--prefix", "a/b"),
        stdin="a password\n",
    )

    assert made["target"] == {
        "kind": "mqtt",
        "url": "mqtts://hub@broker.example",
        "prefix": "a/b",
    }
    assert "a password" not in json.dumps(made)


def test_what_is_no_address_is_called_wrongly(hub: Hub) -> None:
    wrong = hub.caspian("outlets", "add", "az-fhn", "gopher://x", who="az-fhn")
    mail = hub.caspian("outlets", "add", "az-fhn", "mailto:duty@fhn.example", who="az-fhn")

    assert wrong.returncode == 2
    assert mail.returncode == 5
    assert "sends no mail" in mail.stderr
