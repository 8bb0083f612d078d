#!/usr/bin/env python3
"""Compiles profile.json into the system call filters that the shim loads, one per platform.

Usage: native/seccomp/generate.py [FOLDER]; needs Debian's python3-seccomp. The profile is that of containers-common
(Apache-2.0), which container engines apply to a container that asks for RuntimeDefault. Its conditions on capabilities
are resolved for the default capabilities of a container. A test compares the committed filters with its output.
"""
import json
import os
import sys

import seccomp

DEFAULT_CAPABILITIES = {
    "CAP_" + name
    for name in (
        "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP "
        "NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE"
    ).split()
}
PLATFORMS = {"x64": (seccomp.Arch.X86_64, "amd64"), "arm64": (seccomp.Arch.AARCH64, "arm64")}
COMPARISONS = {
    "SCMP_CMP_NE": seccomp.NE,
    "SCMP_CMP_LT": seccomp.LT,
    "SCMP_CMP_LE": seccomp.LE,
    "SCMP_CMP_EQ": seccomp.EQ,
    "SCMP_CMP_GE": seccomp.GE,
    "SCMP_CMP_GT": seccomp.GT,
    "SCMP_CMP_MASKED_EQ": seccomp.MASKED_EQ,
}


def action(rule, profile):
    if rule["action"] == "SCMP_ACT_ALLOW":
        return seccomp.ALLOW
    return seccomp.ERRNO(rule.get("errnoRet", profile.get("defaultErrnoRet", 1)))


def applies(rule, architecture):
    wanted, unwanted = rule.get("includes", {}), rule.get("excludes", {})
    if "arches" in wanted and architecture not in wanted["arches"]:
        return False
    if architecture in unwanted.get("arches", []):
        return False
    if not set(wanted.get("caps", [])) <= DEFAULT_CAPABILITIES:
        return False
    return not set(unwanted.get("caps", [])) & DEFAULT_CAPABILITIES


def comparison(arg):
    operation = COMPARISONS[arg["op"]]
    if operation == seccomp.MASKED_EQ:
        return seccomp.Arg(arg["index"], operation, arg["value"], arg["valueTwo"])
    return seccomp.Arg(arg["index"], operation, arg["value"])


def compile_for(platform, profile, path):
    arch, name = PLATFORMS[platform]
    default = profile.get("defaultErrnoRet", 1)
    result = seccomp.SyscallFilter(defaction=seccomp.ERRNO(default))
    result.set_attr(seccomp.Attr.CTL_OPTIMIZE, 2)
    if arch != seccomp.Arch():
        result.remove_arch(seccomp.Arch())
        result.add_arch(arch)
    for rule in profile["syscalls"]:
        if not applies(rule, name):
            continue
        does = action(rule, profile)
        if does == seccomp.ERRNO(default):
            continue
        for call in rule["names"]:
            try:
                number = seccomp.resolve_syscall(arch, call)
            except (RuntimeError, ValueError):
                continue
            if number < 0:
                continue
            result.add_rule(does, number, *[comparison(arg) for arg in rule.get("args") or []])
    with open(path, "wb") as file:
        result.export_bpf(file)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "../../src/runtime/process/shim/bin")
    with open(os.path.join(here, "profile.json"), encoding="utf-8") as file:
        profile = json.load(file)
    for platform in PLATFORMS:
        compile_for(platform, profile, os.path.join(folder, f"runtime-default-{platform}.bpf"))


main()
