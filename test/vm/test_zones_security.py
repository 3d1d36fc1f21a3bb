# SPDX-License-Identifier: MPL-2.0
# Copyright 2026 The Nereid authors
"""
What a tenant cannot do who is root in its zone and hostile. test/zone-probe makes each attempt itself and says how it was refused, so a
refusal is the kernel's and no missing tool's; it runs on the node too, to show that what a zone is refused is there to be had.
"""

import re

import pytest

from machine import CommandFailed
from riglib.node import TOP
from riglib.program import compiled
from zones import await_running, config, install_native, install_tiny, run_state, states, wait_for

ZONES = ("nat", "lxz")  # one of each brand
LIMITS = "set max-lwps=200; add capped-memory; set physical=160m; end; add fs; set dir=/given; set type=lofs; " \
         "set special=/opt/given; add options ro; end"
FOREIGN = 4000001  # a process of the node's, with a number no zone of ours gets to
SHM_KEY = 77
BAIT = "/var/tmp/bait"

# How each attempt is refused. ENODATA: there is a file or directory, and nothing in it; or nothing was found that should not be there.
REFUSED = {
    "EPERM": """
        acct adjtimex bpf_map bpf_spy clock_adjtime clock_settime delete_module fanotify_permission finit_module init_module ioperm
        iopl kexec_file_load kexec_load lookup_dcookie open_by_handle_at perf_event_open quotactl settimeofday swapoff swapon
        sysfs_call syslog syslog_clear mknod_disk mknod_in_dev mknod_kvm mknod_mem mknod_virtio cap_bpf cap_module cap_rawio
        cap_syslog clone_user unshare_user io_realtime limit_files limit_msgqueue limit_nice limit_rtprio other_time owner_of_time
        parent_pidns parent_userns sched_deadline sched_fifo sched_rr timens_offsets uid_map tioclinux tiocsti fsopen_ext4
        mount_bpffs_delegated mount_bpffs_shows mount_cgroup_v1 mount_configfs mount_debugfs mount_devtmpfs mount_disk_ext4
        mount_disk_xfs mount_file_squashfs mount_fresh_proc mount_fresh_proc_hidepid mount_fresh_sysfs mount_hugetlbfs mount_nfsd
        mount_pstore mount_securityfs mount_tracefs overmount_dev remount_mask remount_root_dev remount_sys remount_sys_net
        remount_sys_whole remount_given setattr_given
        """,
    "EACCES": """
        core_pattern modprobe_path sysrq sysrq_mask panic_sysctl drop_caches overcommit file_max protected_links ptrace_scope
        dmesg_restrict hostname_sysctl sys_cpu_offline sys_mtu cgroup_cpu cgroup_depth cgroup_freeze cgroup_kill cgroup_memory
        cgroup_pids nice_up oom_spared node_of_image node_of_image_null read_key describe_key link_key revoke_key
        """,
    "ENOSYS": "future_call io_uring odd_personality userfaultfd_kernel x32_getpid x32_ioctl clone3_user",
    "EAFNOSUPPORT": """
        af_future af_alg af_bluetooth af_can af_key af_llc af_rds af_rxrpc af_smc af_tipc af_vsock af_xdp i386_alg i386_inet i386_key
        i386_vsock i386_xdp
        """,
    "ENOENT": """
        above_root node_release binfmt bpf_jit irq_affinity uevent_helper sys_profiling release_agent dev_fuse dev_hwrng dev_kmsg
        dev_kvm dev_loop dev_mapper dev_mem dev_port dev_tun dev_vda dev_vhost dev_zfs key_upcall list_node_mounts
        mount_cgroup2_shows mount_raw_disk proc_of_node shm_of_node shm_of_others sys_acpi sys_bpf sys_btf sys_class_block
        sys_debug sys_dmi sys_dmi_device sys_edac sys_pci sys_powercap sys_pstore sys_security sys_slab sys_thermal sys_tracing
        """,
    "ENODATA": """
        cap_bound descriptors chroot_escape reenter_mounts proc_acpi proc_buddyinfo proc_bus proc_cmdline proc_devices proc_driver
        proc_fs proc_interrupts proc_iomem proc_ioports proc_irq proc_kallsyms proc_kcore proc_key_users proc_keys proc_kmsg
        proc_kpageflags proc_misc proc_modules proc_pagetypeinfo proc_partitions proc_pressure proc_schedstat proc_slabinfo
        proc_softirqs proc_spl proc_timer_list proc_vmallocinfo proc_zoneinfo sys_block sys_bus sys_firmware sys_module sys_notes
        sys_power
        """,
    "EINVAL": """
        bind_below mount_cgroup_v1_memory move_mask open_tree_below pivot_onto_root reboot_ctrl_alt_del reboot_kexec reboot_suspend
        umount_boot_id umount_dev umount_kallsyms umount_kcore umount_meminfo umount_modules umount_proc umount_root umount_sys
        umount_unshared
        """,
    "ESRCH": "cgroup_foreign kill_node pidfd_node prlimit_node ptrace_node read_node_memory setpriority_node",
    "ECONNREFUSED": "abstract_socket netlink_connector",
    "EPROTONOSUPPORT": "netlink_audit netlink_scsi",
    "ENOKEY": "search_key",
    "EROFS": "write_given",
    "EBUSY": "mount_pool mount_other_dataset fsopen_zfs",
}
# What a tenant may do, so that it stays so: each is bounded to its zone.
ALLOWED = {"af_inet", "af_packet", "unshare_net", "userfaultfd_user", "mount_own_tmpfs", "own_core", "setuid_file", "file_capability"}
OF_BRAND = {
    "nat": {"i386_getpid": "ENOSYS", "remount_usr": "EPERM"},
    "lxz": {"i386_getpid": None},
}
ALONE = {"nat": "remount_usr remount_given setattr_given write_given", "lxz": "remount_given setattr_given write_given"}
# Where the node's root gets no further either, and what it lets everybody do.
SAME_ON_NODE = {"af_inet", "af_packet", "unshare_net", "userfaultfd_user", "netlink_audit"}
# In this order: the bombs. Each must end in a refusal of the zone's own limits.
BOMBS = {
    "fork_bomb": "refused EAGAIN", "memory_bomb": "killed KILL", "inodes_of_dev": "refused ENOSPC", "all_descriptors": "refused EMFILE",
    "all_inotifies": "refused EMFILE", "all_cgroups": "refused EAGAIN",
}


def expected(zone):
    table = {name: errno for errno, names in REFUSED.items() for name in names.split()}
    table.update(dict.fromkeys(ALLOWED))
    table.update(OF_BRAND[zone])
    return {name: f"refused {errno}" if errno else "done 0" for name, errno in table.items()}


def results(text):
    return dict(line.split(" ", 1) for line in text.strip().split("\n"))


def probe(node, zone, args="", timeout=300, **env):
    script = " ".join([*(f"PROBE_{k.upper()}={v}" for k, v in env.items()), "/probe", args])
    return node.ok("zlogin", "-S", zone, script, timeout=timeout)


@pytest.fixture(scope="module")
def node(module_machine):
    """A node with a zone of each brand, and something on it for them to want."""
    m = module_machine
    assert m.up(cold=False, answers="standard") == "ready"
    program = compiled("zone-probe", sorted((TOP / "test/zone-probe").glob("*.c")), "-static", "-Wall", "-Wextra")
    m.push(program, "/var/tmp/probe", 0o755)
    m.sh("mkdir -p /opt/given; ulimit -c 0; echo secret >/dev/shm/nereid-probe; echo $((%d - 1)) >/proc/sys/kernel/ns_last_pid; "
         "setsid sleep 100000 >/dev/null 2>&1 </dev/null &" % FOREIGN)
    install_native(m, "nat", LIMITS, boot=False)
    install_tiny(m, "lxz", LIMITS, boot=False)
    install_tiny(m, "twin", boot=False)
    for zone in (*ZONES, "twin"):
        m.sh(f"cp /var/tmp/probe /zones/{zone}/root/probe; chmod 755 /zones/{zone}/root/probe")
    m.ok("zonecfg", "-z", "twin", "set init-name=/probe; set bootargs=\"-1 /report\"")
    m.sh("for p in cp ln mkfifo mv; do ln -sf busybox /zones/lxz/root/bin/$p; done")
    for zone in ZONES:
        # As an image may bring them.
        m.sh(f"mknod -m 666 /zones/{zone}/root/probe-node b 254 0; mknod -m 666 /zones/{zone}/root/probe-null c 1 3")
        m.ok("zoneadm", "-z", zone, "boot")
    await_running(m, "nat")
    return m


@pytest.fixture(scope="module")
def wanted(node):
    """What the node has that is nobody's business: a process, a key, a socket."""
    pid = node.sh("pgrep -xf 'sleep 100000'")
    node.sh("setsid /var/tmp/probe -k secret >/run/probe-key 2>&1 </dev/null & setsid /var/tmp/probe -l nereid-probe >/dev/null 2>&1 "
            "</dev/null & until [ -s /run/probe-key ]; do sleep 0.1; done")
    return {"pid": pid, "key": node.ok("cat", "/run/probe-key"), "shm": SHM_KEY, "abstract": "nereid-probe"}


@pytest.fixture(scope="module")
def tried(node, wanted):
    """Each zone's results of all attempts."""
    return {zone: results(probe(node, zone, **wanted) + "\n" + probe(node, zone, ALONE[zone], **wanted)) for zone in ZONES}


@pytest.mark.parametrize("what", sorted(expected("nat")))
@pytest.mark.parametrize("zone", ZONES)
def test_attempt(tried, zone, what):
    want = expected(zone).get(what)
    if what == "remount_usr" and zone == "lxz":
        want = None  # an lx zone's /usr is its own
    assert tried[zone].get(what) == want, f"{what} in {zone}"


def test_nothing_was_tried_that_is_not_judged(tried):
    for zone in ZONES:
        assert set(tried[zone]) <= set(expected(zone))
        refused = [name for name, result in tried[zone].items() if result.startswith("refused")]
        assert len(refused) > 150


def test_what_is_refused_is_there_on_the_node(node, tried, wanted):
    """The control: of what is harmless to try, the node's root is let do everything, or gets further."""
    env = [f"PROBE_{k.upper()}={v}" for k, v in wanted.items()]
    on_node = results(node.ok("env", *env, "PROBE_HANDLE=/zones", "/var/tmp/probe", "-n", timeout=300))
    same = {name for name, result in on_node.items() if tried["lxz"].get(name) == result}
    assert same == SAME_ON_NODE
    assert len(on_node) > 90


def test_nothing_happened_to_the_node(node, tried, wanted):
    assert node.ok("cat", "/proc/sys/kernel/core_pattern") == "core"
    assert node.run("kill", "-0", wanted["pid"])[0] == 0
    assert node.run("ls", "/sbin/request-key")[0] != 0, "the kernel would run it for whoever asks for a key"
    assert set(states(node).values()) >= {"running"}


def test_a_dataset_of_another_zone_cannot_be_mounted(node):
    """One that is not mounted either: nothing but the zone's user namespace stands against it."""
    node.sh("zfs create -u -o canmount=noauto zones/lone")
    for zone in ZONES:
        got = results(probe(node, zone, "mount_other_dataset fsopen_zfs", dataset="zones/lone"))
        assert set(got.values()) <= {"refused ENOENT", "refused EPERM", "refused EACCES"}, got
    node.ok("zfs", "destroy", "zones/lone")


@pytest.mark.parametrize("zone", ZONES)
def test_setuid_files_are_nothing_on_the_node(node, tried, zone):
    root = f"/zones/{zone}/root"
    assert node.ok("stat", "-c", "%u:%a", f"{root}/probe-setuid") == "0:4755"
    assert node.ok("stat", "-c", "%u:%a", f"/zones/{zone}") == "0:700"
    assert "nosuid" in node.ok("findmnt", "-no", "OPTIONS", f"/zones/{zone}")
    code, _, err = node.run("setpriv", "--reuid=65534", "--clear-groups", f"{root}/probe-setuid")
    assert code != 0 and "Permission denied" in err
    ids = node.ok("cat", f"/proc/{run_state(node, zone)['init']}/uid_map").split()
    assert int(ids[1]) == config(node, zone)["id_base"] >= 1_000_000


def test_setuid_files_work_in_the_zone(node):
    node.ok("zlogin", "nat", "cp /usr/bin/id /root/id; chmod 4755 /root/id; chmod 755 /root")
    assert node.ok("zlogin", "nat", "setpriv --reuid=65534 --clear-groups /root/id -u") == "0"


def test_each_zone_owns_what_it_makes(node):
    """The kernel counts a user namespace's things with its owner, which is not the node's root."""
    for zone in ZONES:
        assert int(node.ok("/var/tmp/probe", "-o", str(run_state(node, zone)["init"]))) == config(node, zone)["id_base"]


HOSTILE_OPERATOR = ("exec 8</etc/shadow 9<>/dev/null; umask 077; ulimit -n 64; ulimit -s 1024; trap '' INT TERM USR1; cd /root; "
                    "echo -500 >/proc/self/oom_score_adj; export SECRET=1; exec nice -n 5 taskset 1 %s")


def test_a_session_is_allowed_what_init_is(node):
    """Whoever starts or enters a zone brings nothing along: limits, descriptors, priority, masks, directory."""
    node.sh(HOSTILE_OPERATOR % "zoneadm -z twin boot")
    wait_for(node, "grep -q ^end /zones/twin/root/report")
    lines = node.ok("cat", "/zones/twin/root/report").split("\n")
    assert lines[0].strip() == "descriptors: 0 1 2"
    init = [line for line in lines[1:] if line != "end"]
    session = node.sh(HOSTILE_OPERATOR % "zlogin -S twin 'exec /probe -i self'").split("\n")
    assert session == [line.replace("0::/", "0::/zlogin") if line.startswith("cgroup:") else line for line in init]
    text = "\n".join(init)
    assert re.search(r"^keyring: keyring;0;0;", text, re.M), "the keyring is the zone's root's"
    assert "Seccomp:\t2" in text and "Uid:\t0\t0\t0\t0" in text and "oom_score_adj: 0" in text
    assert "SECRET" not in node.ok("zlogin", "-S", "twin", "cat /proc/self/environ")
    node.ok("zoneadm", "-z", "twin", "halt")


@pytest.mark.parametrize("where", ["dev", "proc", "sys", "run"])
def test_a_link_where_something_is_mounted_is_not_followed(node, where):
    node.sh(f"rm -rf {BAIT}; mkdir {BAIT}; cd /zones/twin/root; rm -rf {where}; ln -s ../../../../..{BAIT} {where}")
    before = node.ok("cat", "/proc/self/mountinfo")
    said = node.refused(1, "zoneadm", "-z", "twin", "boot")
    assert "twin" in said and f"/{where} in the zone is a link" in said
    assert node.ok("cat", "/proc/self/mountinfo") == before
    assert node.ok("ls", "-A", BAIT) == ""
    node.sh(f"cd /zones/twin/root; rm {where}; mkdir {where}")


def test_links_in_a_running_zone_are_not_followed_by_the_node(node):
    """/etc and the user's file are swapped for links to the node's while the node looks users up."""
    node.sh(f"mkdir -p {BAIT}; echo 'leak:x:0:0::/:/bin/sh' >{BAIT}/passwd")
    node.ok("zlogin", "-S", "lxz", "cp -a /etc /etc.good")
    swap = (f"while :; do mv /etc /etc.1; ln -s ../../../..{BAIT} /etc; rm /etc; ln -s /proc/1/root/../../..{BAIT} /etc; rm /etc; "
            f"mv /etc.1 /etc; ln -sf ../../../../..{BAIT}/passwd /etc/passwd; cp -a /etc.good/passwd /etc/passwd.new; "
            "mv /etc/passwd.new /etc/passwd; done")
    node.sh(f"setsid zlogin -S lxz {swap!r} >/dev/null 2>&1 </dev/null & echo $! >/run/swap")
    for _ in range(8):
        code, out, err = node.run("zlogin", "-l", "leak", "lxz", "id")
        assert code == 1 and "leak" in err and "uid=" not in out
    node.sh("kill $(cat /run/swap); zlogin -S lxz 'kill -9 -1' || :")
    node.ok("zoneadm", "-z", "lxz", "reboot")


def test_a_terminal_that_is_none_is_not_taken(node):
    node.ok("zlogin", "-S", "lxz", "mount -t tmpfs none /dev/pts && mkfifo /dev/pts/ptmx 2>/dev/null || ln -s /dev/zero /dev/pts/ptmx")
    code, _, err = node.run("zlogin", "-i", "lxz", "true")
    assert code == 1 and "/dev/pts" in err
    node.ok("zlogin", "-S", "lxz", "umount /dev/pts")
    assert node.run("zlogin", "-Q", "-i", "lxz", "true")[0] == 0


def test_a_zone_cannot_freeze_who_enters(node):
    """The cgroup for those is in the zone's, and not the zone's to change."""
    code, _, err = node.run("zlogin", "nat", "echo 1 >/sys/fs/cgroup/zlogin/cgroup.freeze")
    assert code != 0 and "Permission denied" in err
    assert node.ok("zlogin", "nat", "echo in") == "in"


def test_the_global_zones_programs_are_not_a_zones_to_write(node):
    """The way of CVE-2019-5736: the program of a session is a link to what runs the session."""
    node.ok("zlogin", "-S", "lxz", "ln -sf /proc/self/exe /bin/su")
    before = node.sh("sha256sum $(command -v zlogin)")
    node.run("zlogin", "lxz", "id")
    assert node.sh("sha256sum $(command -v zlogin)") == before
    node.ok("zlogin", "-S", "lxz", "rm /bin/su")


def test_cores_stay_in_the_zone(node, tried):
    for zone in ZONES:
        found = node.ok("zlogin", "-S", zone, "ls -ln /tmp/core*").split()
        assert found[2:4] == ["0", "0"]
    assert node.sh("find / -xdev -name 'core' -type f -newer /var/tmp/probe -not -path '/proc/*' | head -n 3") == ""
    assert node.ok("systemctl", "show", "-p", "DefaultLimitCORESoft", "--value") == "0"


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_are_contained(node, bomb):
    got = results(probe(node, "lxz", bomb))
    assert got == {bomb: BOMBS[bomb]}
    node.ok("true", timeout=60)
    assert states(node)["lxz"] == "running"


def test_a_zone_without_limits_leaves_the_node_something(node):
    threads = int(node.ok("cat", "/proc/sys/kernel/threads-max"))
    memory = int(node.ok("awk", "/MemTotal/ {print $2 * 1024}", "/proc/meminfo"))
    assert int(node.ok("cat", "/sys/fs/cgroup/zones/pids.max")) == threads // 4 * 3
    assert memory * 0.7 < int(node.ok("cat", "/sys/fs/cgroup/zones/memory.max")) < memory - (200 << 20)


def test_nesting_gives_what_containers_need_and_no_more(node):
    node.ok("zonecfg", "-z", "lxz", "set nesting=true")
    node.ok("zoneadm", "-z", "lxz", "reboot")
    got = results(probe(node, "lxz", "unshare_user clone_user clone3_user mount_fresh_proc mount_fresh_sysfs mount_debugfs bpf_map "
                                     "umount_kcore i386_vsock mknod_disk"))
    assert {name for name, result in got.items() if result == "done 0"} == {
        "unshare_user", "clone_user", "clone3_user", "mount_fresh_proc"}, got
    with pytest.raises(CommandFailed):
        node.ok("zlogin", "-S", "lxz", "echo 1 >/dev/.nereid/sys/kernel/profiling")
