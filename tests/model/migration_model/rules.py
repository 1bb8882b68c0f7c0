"""The rules of the stores and of the bidders that a mutant may drop. All of them hold in the protocol."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """One switch per rule; a mutant turns one off (two, where each covers the other)."""

    guard_checks_mode: bool = True
    guard_checks_meta: bool = True
    guard_checks_run: bool = True
    guard_checks_domain: bool = True
    refuse_marked: bool = True
    refuse_held: bool = True
    watermark_refuses: bool = True
    floor: bool = True
    confirm_raises_counter: bool = True
    confirm_asks: bool = True
    claim_checks_lease: bool = True
    claim_checks_mode: bool = True
    claim_checks_marker: bool = True
    claim_before_bid: bool = True
    claim_counts: bool = True
    release_checks_holder: bool = True
    renew_checks_mode: bool = True
    markers_stay: bool = True
    acknowledge_acquire: bool = True
    acknowledge_confirm: bool = True
    acknowledge_claim: bool = True
    acknowledge_renew: bool = True
    acknowledge_copy: bool = True
    epoch_refuses: bool = True
    register_compares: bool = True
    bless_names_nonce: bool = True
    bless_keeps_leases: bool = True
    bless_raises_counter: bool = True
    bless_watermark_from_register: bool = True
    nonce_is_fresh: bool = True
    seal_closes: bool = True
    seal_is_fresh: bool = True
    sealed_refuses_open: bool = True
    reopen_names_seal: bool = True
    copy_names_identity: bool = True
    copy_carries_counter: bool = True
    copy_carries_watermark: bool = True
    stamp_per_bucket: bool = True
    bots_obey_windows: bool = True
    bots_obey_markers: bool = True
    bots_leave_markers: bool = True
    heir_asks_guard: bool = True
    heir_gets_new_token: bool = True
    heir_sets_ttl: bool = True
    heir_waits_for_answer: bool = True
    giver_stops: bool = True
