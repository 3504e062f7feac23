"""docs/metrics.md and the alarms have every metric as the code has it."""

from __future__ import annotations

import re

from hub.telemetry import metric_docs
from tests.docs.pages import anchors, bare, rows, text_of


def test_every_metric_is_documented_as_it_is() -> None:
    documented = [
        (bare(name), kind, labels, text)
        for name, kind, labels, text, *_ in rows(text_of("docs/metrics.md"))
    ]

    assert documented == [
        (doc.name, doc.kind, ", ".join(doc.labels), doc.help) for doc in metric_docs()
    ]


def test_alarms_are_made_of_metrics_and_labels_that_there_are() -> None:
    rules = text_of("deploy/prometheus/caspian.rules.yml")
    kinds = {doc.name: doc for doc in metric_docs()}
    for name in set(re.findall(r"\bcaspian_[a-z_]+", rules)):
        plain = name.removesuffix("_bucket") if name.endswith("_bucket") else name

        assert plain in kinds, name
        assert (plain != name) == (kinds[plain].kind == "histogram"), name
    labels = {label for doc in metric_docs() for label in doc.labels} | {"instance", "part"}

    assert set(re.findall(r"\$labels\.([a-z]+)", rules)) <= labels


def test_every_alarm_says_what_to_do() -> None:
    rules = text_of("deploy/prometheus/caspian.rules.yml")
    alarms = re.findall(r"- alert: (\w+)", rules)
    runbooks = re.findall(r"runbook: (\S+)", rules)

    assert alarms
    assert len(runbooks) == len(alarms)
    for runbook in runbooks:
        page, _, anchor = runbook.partition("#")
        assert not anchor or anchor in anchors(text_of(page)), runbook
