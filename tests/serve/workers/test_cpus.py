"""A container's CPU limit is found wherever its control group says it."""

from pathlib import Path

import pytest

from scorekit.serve.workers import cpus


@pytest.mark.parametrize(
    ("files", "cpus_granted"),
    [
        ({}, None),
        ({"proc/self/cgroup": "0::/\n"}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "250000 100000\n"}, 2.5),
        # The path is the host's; the container sees its own group at the mount.
        ({"proc/self/cgroup": "0::/kubepods/pod1\n", "sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2.0),
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/cpu.max": "300000 100000\n",
                "sys/fs/cgroup/a/b/cpu.max": "400000 100000\n",
            },
            3.0,
        ),
        (
            {
                "proc/self/cgroup": "4:memory:/x\n3:cpu,cpuacct:/x\n",
                "sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "150000\n",
                "sys/fs/cgroup/cpu/x/cpu.cfs_period_us": "100000\n",
            },
            1.5,
        ),
        (
            {
                "proc/self/cgroup": "3:cpu:/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            None,
        ),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "nonsense"}, None),
    ],
)
def test_the_smallest_grant_of_the_nested_groups_counts(
    tmp_path: Path, files: dict[str, str], cpus_granted: float | None
) -> None:
    """Version 2 and version 1; no file and no limit alike are no quota."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert cpus.quota(tmp_path) == cpus_granted


def test_more_than_the_machine_has_is_not_available(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quota above the cores of the machine is bounded by them."""
    monkeypatch.setattr(cpus, "quota", lambda: 1e6)
    assert 1 <= cpus.available() <= 4096
    monkeypatch.setattr(cpus, "quota", lambda: 0.5)
    assert cpus.available() == 0.5
