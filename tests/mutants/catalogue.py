"""Deliberate breakages, each with the tests that must fail of it: small changes of text, tried in a copy of
the tree (`script/mutants`)."""

from dataclasses import dataclass

JOBS, UNIT = "nodepoint/jobs", "tests.nodepoint.jobs"


@dataclass(frozen=True)
class Mutant:
    """`before` stands exactly once in the file at `path`, and becomes `after`; then `tests` fail. `what` is
    missing or wrong then."""

    what: str
    path: str
    before: str
    after: str
    tests: str


ENGINE = (
    Mutant(
        "the fence: who lost the lease writes",
        f"{JOBS}/engine.py",
        "prepared(JobStep).filter(pk=step.pk, version=version)",
        "prepared(JobStep).filter(pk=step.pk)",
        f"{UNIT}.test_leases.FenceTests",
    ),
    Mutant(
        "the lease: what is claimed stays due",
        f"{JOBS}/engine.py",
        "            due_at=_lease_end(now),\n            claimed_at=now,\n            started_at",
        "            claimed_at=now,\n            started_at",
        f"{UNIT}.test_leases.ClaimTests",
    ),
    Mutant(
        "the renewal of leases",
        f"{JOBS}/engine.py",
        "        _fenced(held.step, held.version).update(due_at=_lease_end(now))\n",
        "        pass\n",
        f"{UNIT}.test_leases.HeartbeatTests",
    ),
    Mutant(
        "the fence of what is put down",
        f"{JOBS}/engine.py",
        "        if not _fenced(held.step, held.version).update(**rest):\n",
        "        _fenced(held.step, held.version).update(**rest)\n        if False:\n",
        f"{UNIT}.test_leases.FenceTests",
    ),
    Mutant(
        "the look whether the job was turned round",
        f"{JOBS}/engine.py",
        "        if _turned_round(step):\n",
        "        if False:\n",
        f"{UNIT}.test_crashes.CancelTests",
    ),
    Mutant(
        "an end of leases that are lost",
        f"{JOBS}/engine.py",
        "    if _endless(step) or lost < LOST_LEASES:\n",
        "    if _endless(step) or lost:\n",
        f"{UNIT}.test_leases.PoisonTests",
    ),
    Mutant(
        "slots are not kept while remote work goes on",
        f"{JOBS}/engine.py",
        "        limits.keep(held.holder, kept, now, seconds + GRACE)\n",
        "        pass\n",
        f"{UNIT}.test_limits.StepLimitTests",
    ),
    Mutant(
        "a slot that is freed wakes nobody",
        f"{JOBS}/limits.py",
        "    return [step for name in names if (step := _wake(name, now)) is not None]\n",
        "    return []\n",
        f"{UNIT}.test_limits.StepLimitTests",
    ),
    Mutant(
        "a step that is being called is closed",
        f"{JOBS}/transitions.py",
        "        .filter(pk__in=[step.pk for step in steps], held=False)\n",
        "        .filter(pk__in=[step.pk for step in steps])\n",
        f"{UNIT}.test_submit.TakeOverTests",
    ),
    Mutant(
        "the order of undos",
        f"{JOBS}/transitions.py",
        "    for step in reversed(steps):\n        if step.state in states.MADE",
        "    for step in steps:\n        if step.state in states.MADE",
        f"{UNIT}.test_undo.UndoTests",
    ),
    Mutant(
        "an undo does not wait for calls",
        f"{JOBS}/transitions.py",
        "    if any(step.held or step.state == S.UNDOING for step in steps):\n",
        "    if any(step.state == S.UNDOING for step in steps):\n",
        f"{UNIT}.test_undo.LateBranchTests",
    ),
    Mutant(
        "the undo of the step that failed",
        f"{JOBS}/states.py",
        "MADE = {S.RUNNING, S.WAITING, S.DONE, S.FAILED}",
        "MADE = {S.RUNNING, S.WAITING, S.DONE}",
        f"{UNIT}.test_undo.UndoTests",
    ),
    Mutant(
        "the next job in line",
        f"{JOBS}/transitions.py",
        "        start(following, now)\n",
        "        pass\n",
        f"{UNIT}.test_submit.SubmitTests",
    ),
    Mutant(
        "steps wait for those before them",
        f"{JOBS}/transitions.py",
        "    return [step for step in pending if finished >= job.flow.forerunners(step.name, known)]\n",
        "    return pending\n",
        f"{UNIT}.test_flow_of_steps.DiamondTests",
    ),
    Mutant(
        "an undo can fail for good",
        f"{JOBS}/deadlines.py",
        "        return _as(Retry, outcome, outcome.error, outcome.detail) if isinstance(outcome, Fail) else outcome\n",
        "        return outcome\n",
        f"{UNIT}.test_undo.StubbornUndoTests",
    ),
    Mutant(
        "time in line counts against a deadline",
        f"{JOBS}/deadlines.py",
        "        job.deadline_at += timedelta(seconds=in_line(step))\n",
        "        pass\n",
        f"{UNIT}.test_deadlines.InLineTests",
    ),
    Mutant(
        "an outage uses up tries",
        f"{JOBS}/retry.py",
        "    if isinstance(error, BadAnswer) and not endless",
        "    if not endless",
        f"{UNIT}.test_retry",
    ),
    Mutant(
        "the refusal of who does not queue",
        f"{JOBS}/queue.py",
        "        raise JobRefused(refusing)\n",
        "        pass\n",
        f"{UNIT}.test_submit.SubmitTests",
    ),
    Mutant(
        "a job that never gives way is taken over",
        f"{JOBS}/queue.py",
        "    return running.flow.gives_way if only_waits else GivesWay.NEVER\n",
        "    return GivesWay.DROPPED if only_waits else GivesWay.NEVER\n",
        f"{UNIT}.test_take_over.TakeOverTests",
    ),
    Mutant(
        "an undo is cancelled",
        f"{JOBS}/queue.py",
        "    if running.state in Job.ADVANCING:\n",
        "    if running.alive:\n",
        f"{UNIT}.test_submit.TakeOverTests",
    ),
    Mutant(
        "facts that are not written with the record",
        f"{JOBS}/engine.py",
        "        prepared(model).filter(pk=job.subject_pk).update(**outcome.facts)\n",
        "        pass\n",
        f"{UNIT}.test_undo.UndoTests",
    ),
    Mutant(
        "of many that may try a silent system all do",
        "nodepoint/clients/breaker.py",
        "    if left <= 0 and not state.trying:\n",
        "    if left <= 0:\n",
        "tests.clients.test_breaker",
    ),
    Mutant(
        "a caller in a hurry shuts a system off for all",
        "nodepoint/clients/breaker.py",
        "            elif _is_silence(error) and not (self._hurried and isinstance(error, TimedOut)):\n",
        "            elif _is_silence(error):\n",
        "tests.clients.test_breaker",
    ),
)
SITES = (
    Mutant(
        "the quota of backups, by one",
        "sites/services/backups.py",
        "    if used >= allowed:\n",
        "    if used > allowed:\n",
        "tests.sites.test_backups.MakeBackupTests.test_no_more_than_the_quota",
    ),
    Mutant(
        "the quota of domains, by one",
        "sites/services/domains.py",
        "    return max(0, site.domains_allowed - site.custom_domains.count())\n",
        "    return max(0, site.domains_allowed - site.custom_domains.count() + 1)\n",
        "tests.sites.test_set_domain.RefusalTests",
    ),
    Mutant(
        "any mark is ours",
        "sites/marks.py",
        "    return mark in forms(owner)\n",
        "    return bool(mark)\n",
        "tests.sites.test_marks.OwnershipTests",
    ),
    Mutant(
        "a mark within a sentence counts",
        "sites/marks.py",
        'map(str.strip, text.split("\\n")) if _ANY.fullmatch(line)), "")',
        'map(str.strip, text.split("\\n")) if _ANY.search(line)), "")',
        "tests.sites.test_marks.OwnershipTests",
    ),
    Mutant(
        "a VMID that was seen in use is given",
        "sites/allocation.py",
        "lambda vmid: vmid <= above or vmid in used)",
        "lambda vmid: vmid <= above)",
        "tests.sites.test_foreign_things.ForeignThingsTests.test_a_vmid_that_the_last_reading_has_seen_is_not_even_tried",
    ),
    Mutant(
        "an address that a row holds is given again",
        "sites/vacancies.py",
        "if one not in held and not is_blocked(one)), None)",
        "if not is_blocked(one)), None)",
        "tests.sites.test_concurrent_orders.ConcurrentOrderTests.test_two_at_the_same_moment",
    ),
    Mutant(
        "a foreign container counts as gone",
        "sites/steps/proxmox.py",
        "        raise Foreign(guest)\n    return there\n",
        "        return None\n    return there\n",
        "tests.sites.test_ownership.FindTests",
    ),
    Mutant(
        "what no list shows counts as gone",
        "sites/steps/proxmox.py",
        "        if proxmox().vmid_free(site.vmid):\n            return None\n        raise away or",
        "        if True:\n            return None\n        raise away or",
        "tests.sites.test_ownership.FindTests",
    ),
    Mutant(
        "the look before a container is made",
        "sites/steps/container.py",
        "        container = None if not call.ref and proxmox().vmid_free(site.vmid) else find(site)\n",
        "        container = None\n",
        "tests.sites.test_lost_creation",
    ),
    Mutant(
        "whose a record is",
        "sites/steps/dns_record.py",
        "    ours = [record for record in records if _is_ours(record, site)]\n    if found :=",
        "    ours = list(records)\n    if found :=",
        "tests.sites.test_taken_names.RecordTests.test_a_strangers_record_makes_the_same_job_take_another_name",
    ),
    Mutant(
        "the look before a record is made",
        "sites/steps/dns_record.py",
        "    record = _right(site, ours[0]) if ours else _create(site)\n",
        "    record = _create(site)\n",
        "tests.sites.test_foreign_things.ForeignThingsTests.test_our_record_with_another_content_is_put_right_and_twins_go",
    ),
)
MUTANTS = (*ENGINE, *SITES)
