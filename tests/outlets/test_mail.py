"""Mail: grave alerts at once, the rest together, each once as far as mail can be once."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from consumers.app import JOBS, running
from hub.i18n import language as language_of
from hub.i18n import texts
from hub.outlets import store
from hub.outlets.mail import digest_of, mail_of
from hub.outlets.records import LANGUAGES, MailTarget, Outlet
from tests.http.certificates import made
from tests.http.test_aid import BOOM, aid, item
from tests.hubkit import Hub, alert, running_hub, until
from tests.outlets.mail_server import Mailbox, mail_server
from tests.outlets.test_webhook import act, stands, told

pytestmark = pytest.mark.asyncio(loop_scope="module")

_CORE = {"intake", "ledger", "fanout", "delivery"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    jobs = [job for job in JOBS if job in _CORE]
    given = {"smtp_url": "smtp://127.0.0.1:1?tls=never"}
    async with running_hub(tmp_path_factory.mktemp("hub"), jobs, **given) as hub:
        yield hub


@asynccontextmanager
async def mailing(hub: Hub, mailbox: Mailbox, **given: Any) -> AsyncIterator[None]:
    settings = {
        "smtp_url": f"smtp://127.0.0.1:{mailbox.port}?tls=never",
        "mail_from": "Caspian Hub <hub@hub.example>",
        "outlet_retry": timedelta(milliseconds=30),
        **given,
    }
    async with running(hub.settings.model_copy(update=settings), ["mail"]):
        yield


async def add(hub: Hub, feed: str = "az-fhn", **given: Any) -> str:
    target = {"kind": "mail", "address": "duty@fhn.example", **given}
    async with hub.http("az-fhn") as http:
        answer = await http.post("/v1/outlets", json={"feed": feed, "target": target})
    assert answer.status_code == 201, answer.text
    assert "secret" not in answer.json()
    return str(answer.json()["id"])


async def came(mailbox: Mailbox, count: int) -> None:
    async def there() -> bool:
        return len(mailbox.mails) >= count

    await until(there, f"{count} mails have come", 30)


async def due(hub: Hub, outlet: str, *, through: int) -> None:
    """Let the time of the next digest have come, once all until then is written down."""

    async def written() -> bool:
        row = store.find(hub.log, outlet)
        place = json.loads(row.place)
        return row.through >= through and "after" in place and "to" not in place

    await until(written, "it is written down", 30)
    row = store.find(hub.log, outlet)
    place = {**json.loads(row.place), "due_us": 1}
    with hub.log.writing() as c:
        c.execute(
            store.update(store.OUTLETS)
            .where(store.OUTLETS.c.id == outlet)
            .values(place=json.dumps(place), version=row.version + 1)
        )


def text_of(mail: Any, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


async def test_a_grave_alert_comes_at_once_and_says_what_it_is(hub: Hub) -> None:
    async with mail_server() as mailbox, mailing(hub, mailbox, public_url="https://hub.example"):
        outlet = await add(hub)
        index = await hub.publish("ir-ndmo", severity="Extreme", headline="Oil <b>& fire</b>")
        await came(mailbox, 1)

    (mail,), ((recipient,),) = mailbox.mails, mailbox.recipients
    assert recipient == mail["To"] == "duty@fhn.example"
    assert mail["From"] == "Caspian Hub <hub@hub.example>"
    assert mail["Subject"] == "Extreme: Oil <b>& fire</b> (Alert)"
    assert mail["Message-ID"] == f"<{outlet}.{index}@test.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    for said in ("Absheron", "Keep away", "Crude oil drifts north", "Centre (ir-ndmo)"):
        assert said in text_of(mail)
    assert f"https://hub.example/v1/messages/{index}/payload" in text_of(mail)
    assert "Oil &lt;b&gt;&amp; fire&lt;/b&gt;" in text_of(mail, "html")


async def test_the_rest_comes_together_now_and_then(hub: Hub) -> None:
    async with mail_server() as mailbox, mailing(hub, mailbox):
        outlet = await add(hub)
        mild = [await hub.publish("ir-ndmo", severity="Minor") for _ in range(3)]
        async with hub.http("az-fhn") as http:
            await http.post(
                f"/v1/messages/{mild[0]}/acknowledgements", json={"officer": "Leyla", "note": "ok"}
            )
        grave = await hub.publish("ir-ndmo", severity="Severe")
        await came(mailbox, 1)
        await due(hub, outlet, through=grave)
        await came(mailbox, 2)
        await due(hub, outlet, through=grave)
        last = await hub.publish("ir-ndmo", severity="Extreme")
        await came(mailbox, 3)

    first, digest, third = mailbox.mails
    assert first["Message-ID"] == f"<{outlet}.{grave}@test.example>"
    assert digest["Subject"] == "4 messages: az-fhn"
    listed = re.findall(r"#(\d+) \d{4}-", text_of(digest))
    assert [int(i) for i in listed[:3]] == mild
    assert "acknowledged by Leyla (az-fhn) ok" in text_of(digest)
    assert f"#{grave} " not in text_of(digest)
    assert third["Message-ID"] == f"<{outlet}.{last}@test.example>", "nothing was due twice"


@pytest.mark.parametrize(
    ("recall", "said"), [("Cancel", "Taken back: "), ("Update", "Corrected: ")]
)
async def test_what_takes_aid_back_is_not_taken_for_the_aid(
    hub: Hub, recall: str, said: str
) -> None:
    kind, name = "OfferUnsolicitedResource", f"MAIL-{recall}"
    offer, back = (
        aid("ir-ndmo", kind, f"{name}-{n}", [item("1", 4, code=BOOM)], **given)
        for n, given in enumerate(({}, {"recalls": f"{name}-0", "recall": recall, "thread": name}))
    )
    async with mail_server() as mailbox, mailing(hub, mailbox):
        outlet = await add(hub)
        await hub.publish("ir-ndmo", offer)
        last = await hub.publish("ir-ndmo", back)
        await due(hub, outlet, through=last)
        await came(mailbox, 1)

    first, second = (line for line in text_of(mailbox.mails[0]).splitlines() if kind in line)
    assert said not in first
    assert f"{said}Aid: {kind}" in second


@pytest.mark.parametrize("status", ["Exercise", "Test"])
async def test_an_exercise_is_marked_in_its_subject_and_in_english_too(
    hub: Hub, status: str
) -> None:
    async with mail_server() as mailbox, mailing(hub, mailbox):
        await add(hub, "az-fhn.exercise", language="ru")
        await hub.publish("ir-ndmo", status=status, severity="Extreme")
        await came(mailbox, 1)

    said = texts("ru")
    assert mailbox.mails[0]["Subject"].startswith(f"[{status.upper()} · {said(status.upper())}] ")
    assert said("This is an exercise. Nothing has happened.") in text_of(mailbox.mails[0])


@pytest.mark.parametrize("language", LANGUAGES)
async def test_mail_speaks_the_language_of_its_reader(hub: Hub, language: str) -> None:
    async with mail_server() as mailbox, mailing(hub, mailbox):
        await add(hub, language=language)
        await hub.publish("ir-ndmo", severity="Extreme")
        await came(mailbox, 1)

    mail = mailbox.mails[0]
    said = texts(language)
    assert mail["Subject"].startswith(said("Extreme"))
    assert said("What to do") in text_of(mail)
    assert f'dir="{language_of(language).direction}"' in text_of(mail, "html")
    assert f'lang="{language}"' in text_of(mail, "html")


async def test_what_others_write_makes_no_header(hub: Hub) -> None:
    evil = "Oil\r\nBcc: everybody@evil.example\r\n\r\n<script>x</script>\u2028\x0b"
    message = {
        "identifier": f"mail-{datetime.now(UTC).timestamp()}",
        "sender": "centre@az.example",
        "sent": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        "status": "Actual",
        "msgType": "Alert",
        "scope": "Public",
        "info": [
            {
                "category": ["Env"],
                "event": evil.replace("\x0b", ""),
                "urgency": "Immediate",
                "severity": "Severe",
                "certainty": "Observed",
                "headline": evil.replace("\x0b", ""),
                "senderName": "A\nB",
                "description": "\n.\nQUIT\n..",
            }
        ],
    }
    async with mail_server() as mailbox, mailing(hub, mailbox):
        await add(hub)
        await hub.publish("ir-ndmo", json.dumps(message).encode())
        await came(mailbox, 1)

    (mail,), ((recipient,),) = mailbox.mails, mailbox.recipients
    assert recipient == "duty@fhn.example"
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("Severe: Oil Bcc: everybody@evil.example")
    assert "<script>" not in text_of(mail, "html")
    assert "\n.\nQUIT\n..\n" in text_of(mail)


async def test_a_mail_that_is_sent_again_is_the_very_same(hub: Hub) -> None:
    """After a crash nobody knows whether the server had taken it; by its id its reader does."""
    async with mail_server() as mailbox, mailing(hub, mailbox):
        outlet = await add(hub)
        index = await hub.publish("ir-ndmo", severity="Extreme")
        await came(mailbox, 1)
        await act(hub, outlet, "redeliver", after=index - 1)
        await came(mailbox, 2)

    def body(raw: bytes) -> bytes:
        return raw[raw.index(b"From: ") :]

    assert body(mailbox.raw[0]) == body(mailbox.raw[1])


async def test_a_digest_that_is_sent_again_is_the_very_same(hub: Hub) -> None:
    async with mail_server() as mailbox:
        async with mailing(hub, mailbox):
            outlet = await add(hub)
            first = await hub.publish("ir-ndmo", severity="Minor")
            mailbox.refused = "451 later"
            await due(hub, outlet, through=first)

            async def tried() -> bool:
                return (await told(hub, outlet))["failures"] > 0

            await until(tried, "the digest was tried", 30)
            await hub.publish("ir-ndmo", severity="Minor")
        mailbox.refused = ""
        async with mailing(hub, mailbox):
            await came(mailbox, 1)

    assert mailbox.mails[0]["Message-ID"] == f"<{outlet}.{first}-{first}@test.example>"
    assert mailbox.mails[0]["Subject"] == "1 message: az-fhn"


@pytest.mark.parametrize("answer", ["451 later", "554 no", "drop", "hang"])
async def test_what_a_server_does_not_take_comes_again(hub: Hub, answer: str) -> None:
    async with (
        mail_server() as mailbox,
        mailing(hub, mailbox, webhook_timeout=timedelta(milliseconds=700)),
    ):
        mailbox.answers = [answer]
        outlet = await add(hub)
        index = await hub.publish("ir-ndmo", severity="Extreme")
        await came(mailbox, 1)

        async def written() -> bool:
            tried[:] = (await told(hub, outlet))["attempts"]
            return len(tried) == 2

        tried: list[dict[str, Any]] = []
        await until(written, "both attempts are written down", 30)

    assert mailbox.mails[0]["Message-ID"] == f"<{outlet}.{index}@test.example>"
    assert mailbox.seen == 2
    assert [attempt["ok"] for attempt in tried] == [True, False], "the newest first"
    assert tried[1]["status"] == (int(answer[:3]) if answer[0].isdigit() else 0)


async def test_a_mailbox_that_is_refused_for_good_is_given_up_and_told(hub: Hub) -> None:
    patience = {"outlet_patience": timedelta(milliseconds=100)}
    async with mail_server() as mailbox, mailing(hub, mailbox, **patience):
        mailbox.refused = "550 no such user"
        outlet = await add(hub)
        await hub.publish("ir-ndmo", severity="Extreme")
        found = await stands(hub, outlet, "failing")
        rows = await hub.rows("dead-letter")

    assert found["attempts"][0]["status"] == 550
    assert [r.entry["stage"] for r in rows if r.entry["outlet"] == outlet] == ["mail"]


async def test_over_tls_with_a_password_or_not_at_all(hub: Hub, tmp_path: Path) -> None:
    certificate, key = made("mail").write(tmp_path, "mail")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    async with mail_server(context, password="p@ss") as mailbox:
        url = f"smtp://hub:p%40ss@localhost:{mailbox.port}"
        async with mailing(hub, mailbox, smtp_url=url, webhook_ca=Path(certificate)):
            outlet = await add(hub)
            await act(hub, outlet, "test")
            await came(mailbox, 1)
    async with mail_server() as mailbox:  # one that knows no TLS
        url = f"smtp://hub:p%40ss@localhost:{mailbox.port}"
        async with mailing(hub, mailbox, smtp_url=url):
            await act(hub, outlet, "test")

            async def tried() -> bool:
                attempts = (await told(hub, outlet))["attempts"]
                return bool(attempts) and not attempts[0]["ok"]

            await until(tried, "it was tried", 30)
            assert mailbox.mails == []
        found = await told(hub, outlet)

    assert found["attempts"][0]["ok"] is False
    assert "p@ss" not in json.dumps(found)


def outlet_of(**given: Any) -> Outlet:
    return Outlet(
        id="otest",
        feed="az-fhn",
        target=MailTarget(address="a@b.example", **given),
        secret="",
        secret_before="",
        secret_before_until_us=0,
        confirms=False,
        state="active",
        reason="",
        through=0,
        place="{}",
        failures=0,
        failing_since_us=None,
        next_us=0,
        attempts=0,
        delivered_us=None,
        test_us=None,
        created_us=0,
        created_by="",
        version=1,
    )


def _entry(payload: bytes, facts: dict[str, Any]) -> tuple[int, dict[bytes, bytes]]:
    at = datetime(2026, 11, 23, 14, tzinfo=UTC)
    whole = {
        "kind": "alert",
        "sender": "s",
        "identifier": "i",
        "sent": at.isoformat(),
        "msg_type": "Alert",
        **facts,
    }
    return 7, {
        b"kind": b"publish",
        b"at": at.isoformat().encode(),
        b"agency": b"ir-ndmo",
        b"entry": b'{"attested":"hub","header":"{\\"payload_sha256\\":\\"00\\"}"}',
        b"id": b"x",
        b"facts": json.dumps(whole).encode(),
        b"payload_type": b"application/cap+xml",
        b"payload": payload,
    }


async def test_the_language_of_the_reader_is_taken_from_the_message_where_it_has_it() -> None:
    one = alert("a").decode()
    info = one[one.index("<info>") : one.index("</info>") + 7]
    russian = info.replace("en-US", "ru-RU").replace("Oil on the water", "Нефть на воде")
    both = one.replace(info, info + russian).encode()
    given = {"sender": "H <h@h.example>", "host": "h.example", "base": ""}

    def subject(language: str) -> str:
        outlet = outlet_of(language=language)
        return str(mail_of(outlet, _entry(both, {"severity": "Severe"}), **given)["Subject"])

    assert "Нефть на воде" in subject("ru")
    assert "Oil on the water" in subject("kk")


async def test_persian_mail_has_both_calendars_and_keeps_directions_apart() -> None:
    """Many readers of mail show plain text from left to right, unless its letters say otherwise."""
    one = alert("a", headline="Oil\u2067 on the water").decode()
    given = {"sender": "H <h@h.example>", "host": "h.example", "base": ""}

    outlet = outlet_of(language="fa")
    mail = mail_of(outlet, _entry(one.encode(), {"severity": "Severe"}), **given)

    text = text_of(mail)
    assert "۲ آذر ۱۴۰۵" in text, "23 November 2026"
    assert "2026-11-23 14:00 UTC" in text
    assert "\u2068Oil on the water\u2069" in text, "apart, and it cannot turn what follows"
    assert all(line.startswith("\u200f") for line in text.splitlines() if line)
    assert text.count("\u2068") == text.count("\u2069")


async def test_russian_mail_counts_in_russian() -> None:
    outlet = outlet_of(language="ru")
    entry = _entry(alert("a"), {"severity": "Minor"})
    given = {"sender": "H <h@h.example>", "host": "h.example"}

    subjects = {n: str(digest_of(outlet, [entry] * n, **given)["Subject"]) for n in (1, 3, 5)}

    assert subjects == {
        1: "1 сообщение: az-fhn",
        3: "3 сообщения: az-fhn",
        5: "5 сообщений: az-fhn",
    }
