"""Each rule of a profile: a message that breaks it and nothing else, and one that keeps it."""

from __future__ import annotations

import pytest
from cap_cases import ALERT, REFERENCE, RING, SCOPE, Case, Change, brief, message

from schemas.cap import Profile, check_alert, read_alert
from schemas.cap.rulebook import RULES
from schemas.errors import Rejected

WMO = "2.49.0.1.31.0.2026.11.23.42"
CANADIAN = (
    (">en<", ">en-CA<"),
    (SCOPE, f"{SCOPE}<code>profile:CAP-CP:0.4</code>"),
    (
        "<valueName>OET:v1.2</valueName><value>OET-189<",
        "<valueName>profile:CAP-CP:Event:0.4</valueName><value>stormSurge<",
    ),
    (
        "<valueName>ISO 3166-2</valueName><value>AZ-BA<",
        "<valueName>profile:CAP-CP:Location:0.3</valueName><value>1010<",
    ),
)
AMERICAN = (
    (SCOPE, f"{SCOPE}<code>IPAWSv1.0</code>"),
    ("<valueName>OET:v1.2</valueName><value>OET-189<", "<valueName>SAME</valueName><value>SSW<"),
    ("<valueName>ISO 3166-2</valueName><value>AZ-BA<", "<valueName>SAME</valueName><value>012086<"),
    ("<valueName>surge</valueName><value>1.5 m<", "<valueName>EAS-ORG</valueName><value>CIV<"),
    ("<effective>2026-11-23T14:00:00+04:00</effective>", ""),
    ("<onset>2026-11-23T20:00:00+04:00</onset>", ""),
)
PROFILES: dict[Profile, tuple[Change, ...]] = {
    Profile.PLAIN: (),
    Profile.WMO: (("AZ-FHN-2026-0042", WMO),),
    Profile.IPAWS: AMERICAN,
    Profile.CAP_CP: CANADIAN,
}


def parameter(name: str, value: str) -> Change:
    pair = f"<parameter><valueName>{name}</valueName><value>{value}</value></parameter>"
    return ("<parameter>", f"{pair}<parameter>")


MINOR = parameter("profile:CAP-CP:0.4:MinorChange", "text")
PROFILE_CASES = [
    (
        Profile.WMO,
        Case(
            "WMO1",
            "alert/identifier",
            (("2.49.0.1.31", "2.49.0.0.31"),),
            ((WMO, f"urn:oid:{WMO}"),),
        ),
    ),
    (
        Profile.IPAWS,
        Case(
            "IPAWS1",
            "alert/code[1]",
            (("IPAWSv1.0", "IPAWSv2.0"),),
            (("<code>", "<code>x</code><code>"),),
        ),
    ),
    (
        Profile.IPAWS,
        Case("IPAWS2", "alert/info[1]", ((">SSW<", ">SURGE<"),), ((">SSW<", ">TSW<"),)),
    ),
    (
        Profile.IPAWS,
        Case(
            "IPAWS3",
            "alert/info[1]/area[1]",
            ((">012086<", ">2086<"),),
            ((">012086<", ">000000<"),),
        ),
    ),
    (
        Profile.IPAWS,
        Case(
            "IPAWS4",
            "alert/info[1]/onset",
            (("<expires>", "<onset>2026-11-23T20:00:00+04:00</onset><expires>"),),
            (),
        ),
    ),
    (
        Profile.IPAWS,
        Case(
            "IPAWS5",
            "alert/info[1]",
            (("Leave the shore &amp; low ground.", ""), (">Evacuate<", ">AllClear<")),
            (("Leave the shore &amp; low ground.", "."), (">Evacuate<", ">AllClear<")),
        ),
    ),
    (Profile.IPAWS, Case("IPAWS6", "alert/info[1]", (("EAS-ORG", "ORG"),), ())),
    (
        Profile.IPAWS,
        Case(
            "IPAWS7",
            "alert/info[1]/parameter[1]",
            (parameter("CMAMtext", "x" * 91),),
            (parameter("CMAMtext", "x" * 90),),
        ),
    ),
    (
        Profile.IPAWS,
        Case("R18", "alert/info[1]", (("<expires>2026-11-24T08:00:00+04:00</expires>", ""),), ()),
    ),
    (Profile.IPAWS, Case("R31", "alert/info[1]", (("<area>", "<!--"), ("</area>", "-->")), ())),
    (
        Profile.CAP_CP,
        Case(
            "CP02",
            "alert/info[1]",
            (
                (
                    "<effective>",
                    "<eventCode><valueName>profile:CAP-CP:Event:0.4</valueName><value>wind</value></eventCode><effective>",
                ),
            ),
            (
                (
                    "<effective>",
                    "<eventCode><valueName>other</valueName><value>wind</value></eventCode><effective>",
                ),
            ),
        ),
    ),
    (
        Profile.CAP_CP,
        Case(
            "CP03",
            "alert/code[1]",
            (("<code>profile:CAP-CP:0.4</code>", ""),),
            ((">profile:CAP-CP:0.4<", ">profile:CAP-CP:1.0<"),),
        ),
    ),
    (
        Profile.CAP_CP,
        Case(
            "CP05",
            "alert/info[1]",
            (
                ("<info>", "<!--"),
                ("</info>", "-->"),
                (ALERT, "<msgType>Cancel</msgType>"),
                ("</code>", f"</code><references>{REFERENCE}</references>"),
            ),
            (
                (ALERT, "<msgType>Cancel</msgType>"),
                ("</code>", f"</code><references>{REFERENCE}</references>"),
            ),
        ),
    ),
    (
        Profile.CAP_CP,
        Case(
            "CP06",
            "alert/info[1]",
            (("<language>en-CA</language>", "<language/>"),),
            ((">en-CA<", ">fr-CA<"),),
        ),
    ),
    (
        Profile.CAP_CP,
        Case(
            "CP08", "alert/info[1]", (("Event:0.4", "Hazard:0.4"),), (("Event:0.4", "Event:0.5"),)
        ),
    ),
    (Profile.CAP_CP, Case("CP09", "alert/info[1]/area[1]", (("Location:0.3", "Place:0.3"),), ())),
    (
        Profile.CAP_CP,
        Case("CP15", "alert/info[1]", (("<responseType>Evacuate</responseType>", ""),), ()),
    ),
    (
        Profile.CAP_CP,
        Case(
            "CP16",
            "alert/info[1]/parameter[1]",
            (MINOR,),
            (
                (ALERT, "<msgType>Update</msgType>"),
                ("</code>", f"</code><references>{REFERENCE}</references>"),
                MINOR,
            ),
        ),
    ),
    (
        Profile.CAP_CP,
        Case(
            "CP17",
            "alert/info[1]/parameter[1]",
            (parameter("profile:CAP-CP:0.4:AutoTranslated", "maybe"),),
            (parameter("profile:CAP-CP:0.4:AutoTranslated", "yes"),),
        ),
    ),
    (
        Profile.CAP_CP,
        Case(
            "CP18",
            "alert/info[1]/area[1]",
            (("<polygon>", "<!--"), ("</circle>", "-->")),
            ((f"<polygon>{RING}</polygon>", ""),),
        ),
    ),
    (Profile.CAP_CP, Case("R31", "alert/info[1]", (("<area>", "<!--"), ("</area>", "-->")), ())),
]


@pytest.mark.parametrize("profile", list(Profile))
def test_the_message_of_a_profile_breaks_nothing_of_the_profile(profile: Profile) -> None:
    assert check_alert(message(*PROFILES[profile]), profile=profile) == ()


@pytest.mark.parametrize(("profile", "case"), PROFILE_CASES, ids=str)
def test_a_profile_has_its_own_rules(profile: Profile, case: Case) -> None:
    base = message(*PROFILES[profile]).decode()
    raised = not case.rule.startswith(("WMO", "IPAWS", "CP"))

    broken = check_alert(message(*case.breaks, base=base), profile=profile)
    kept = check_alert(message(*case.keeps, base=base), profile=profile)
    plain = check_alert(message(*case.breaks, base=base))

    assert brief(broken) == [(case.rule, case.path)]
    assert broken[0].severity == ("error" if raised else RULES[case.rule])
    assert kept == ()
    assert case.rule in {finding.rule for finding in plain} if raised else plain == ()


def test_a_profile_makes_an_error_of_a_warning() -> None:
    base = message(*AMERICAN).decode()
    info = base[base.index("<info>") : base.index("</info>") + len("</info>")]
    other = info.replace(">SSW<", ">TSW<").replace(">en<", ">en-GB<")
    data = message((info, info + other), base=base)

    assert brief(read_alert(data).warnings) == [("R20", "alert/info[2]")]
    with pytest.raises(Rejected) as refusal:
        read_alert(data, profile=Profile.IPAWS)
    assert brief(refusal.value.findings) == [("R20", "alert/info[2]")]


def test_every_rule_of_a_profile_has_its_case() -> None:
    tried = {case.rule for _, case in PROFILE_CASES}

    assert {rule for rule in RULES if rule.startswith(("WMO", "IPAWS", "CP"))} <= tried
