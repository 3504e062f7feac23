"""Outlets: a feed that the hub brings to another system, by webhook, by mail or to a broker.

``records`` says what an outlet is, ``store`` keeps it, ``guard`` keeps the hub from being sent
where it must not go. The jobs that do the bringing are `consumers.outlets` and its channels.
"""
