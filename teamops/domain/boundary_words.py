"""A role's policy as a person reads it."""

from __future__ import annotations

from teamops.domain.boundary_rules import Policy, TierRule
from teamops.model.boundary import BoundaryView


def in_words(policy: Policy | None) -> BoundaryView:
    """Return a policy for a person, without a word on who holds it; ``None`` = the role has no profile."""
    if policy is None:
        return BoundaryView(unruled=True)
    limits = []
    if not policy.new_files:
        limits.append("no new files")
    if not policy.delete:
        limits.append("deletes nothing")
    if policy.net_lines is not None:
        limits.append(f"one call grows a file by {policy.net_lines} lines at most")
    if policy.named_files_only:
        limits.append("is warned of files that no block of the task names")
    limits += [words for tier, rule in sorted(policy.tiers.items()) if (words := _tier(tier, rule))]
    if policy.light:
        limits.append("only while it holds the light")
    return BoundaryView(allow=policy.write_allow, deny=policy.write_deny, limits=tuple(limits))


def unreadable(why: str) -> BoundaryView:
    """Return what is shown of a policy that can't be read: the hooks let nothing through then."""
    return BoundaryView(limits=(f"its profile can't be used: {why}",))


def _tier(tier: int, rule: TierRule) -> str:
    parts = [", ".join(rule.allow)] if rule.allow else []
    if rule.fix:
        lines = "one line" if rule.fix_lines == 1 else f"{rule.fix_lines} lines"
        parts.append(f"{lines} of a file that stands ({', '.join(rule.fix)})")
    return f"in tier {tier} also {', and '.join(parts)}" if parts else ""
