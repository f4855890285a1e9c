"""The CPU limit of a container is found in each version of control groups."""

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
    """Versions 1 and 2 are read; without a file or a limit there is no quota."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert cpus.quota(tmp_path) == cpus_granted


def test_a_quota_above_the_cores_of_the_machine_is_bounded_by_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more CPUs are available than the machine has."""
    monkeypatch.setattr(cpus, "quota", lambda: 1e6)
    assert 1 <= cpus.available() <= 4096
    monkeypatch.setattr(cpus, "quota", lambda: 0.5)
    assert cpus.available() == 0.5
