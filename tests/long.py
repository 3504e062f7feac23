"""Which tests are long: `make test` leaves them out, `make long` runs them, a submission has both.

They are walks through whole pages in a real browser, tables of all commands and all operations,
other people's programs, and processes that are killed or restarted again and again. Of most
sorts one runs each time.
"""

from __future__ import annotations

from typing import Final

__all__ = ["is_long"]

_LONG: Final[dict[str, tuple[str, ...]]] = {
    "cli/test_command_access.py": ("",),
    "cli/test_convert.py": ("cannot_be_converted",),
    "cli/test_languages.py": ("[az]", "[kk]", "[tk]"),
    "cli/test_log_commands.py": ("[bundle-",),
    "cli/test_log_over_http.py": ("",),
    "cli/test_parts.py": ("end_cleanly",),
    "cli/test_replays.py": ("",),
    "cli/test_tail.py": ("filter_shows", "break_loses"),
    "cli/test_witness.py": ("several_witnesses", "sends_slowly"),
    "console/test_accessible.py": ("[en]", "telephone"),
    "console/test_aid_moves.py": (
        "[fa]",
        "taken_back_too",
        "all_its_ways",
        "begin_an_exchange[aid-quote]",
        "begin_an_exchange[aid-ask]",
        "second_officer",
    ),
    "console/test_attachments.py": ("[fa]", "update_brings", "second_officer"),
    "console/test_auditing_pages.py": (
        "[en]",
        "reads_where",
        "levels",
        "export",
        "refused",
        "late_or_missing",
    ),
    "console/test_auditor_pages.py": (
        "[no signature]",
        "[a tile",
        "[another size]",
        "shown_otherwise",
        "seen_before",
    ),
    "console/test_cap_answers.py": ("[fa]", "exercise", "second_officer"),
    "console/test_compose.py": (
        "keyboard_alone[en]",
        "updated_and_cancelled",
        "failure_keeps",
        "step_by_step",
        "nobody_asked",
        "exercise_is_one",
        "is_addressed",
        "axe",
        "bear_a_signature",
        "second_officer",
    ),
    "console/test_escalated.py": ("",),
    "console/test_line.py": ("short_break", "lives_and_brings", "session_that_ends"),
    "console/test_operator_pages.py": ("",),
    "console/test_search_page.py": ("",),
    "console/test_watch_page.py": (
        "armed_by_hand",
        "nobody_has_touched",
        "failing_map",
        "exercise_is_unmistakable",
        "refused_acknowledgement",
        "every_mistake",
        "signing_out",
        "handover_says",
    ),
    "consumers/test_witness.py": ("",),
    "crash/test_chaos.py": ("",),
    "crash/test_outlets_chaos.py": ("",),
    "demo/test_demo.py": ("",),
    "http/test_openapi.py": ("",),
    "http/test_replays.py": ("sigkill",),
    "http/test_secrets.py": ("no_secret",),
    "log/test_backup.py": ("sigkill", "postgresql-postgresql"),
    "log/test_disk_faults.py": ("",),
    "log/test_signer.py": ("sigkill",),
    "log/test_sumdb.py": ("",),
    "mirror/test_bad_lines.py": ("drips",),
    "mirror/test_following.py": ("sigkill",),
    "mirror/test_mirror.py": ("follows_cosigns",),
    "schemas/test_hostile.py": ("the_worst",),
    "streams/test_acl.py": ("every_command", "tls", "without_a_name", "another_password"),
}
"""By file, words in the names of the long ones; all of a file where the word is empty."""


def is_long(file: str, name: str) -> bool:
    """Return whether a test (of a file under tests/) is a long one."""
    return any(word in name for word in _LONG.get(file, ()))
