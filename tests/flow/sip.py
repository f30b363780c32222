# SPDX-License-Identifier: GPL-2.0-or-later
"""Providers on SIP for tests: their sections of the configuration, and ports that are free. No test itself."""
import fcntl
import os
import socket

from faxd import BUILD, FAST_RETRIES

# One file of SIP tests at a time: their calls, relays and gateways share the ports of one address, and what is still
# under way to a port of one test is not to reach the next that has it.
alone = open(os.path.join(BUILD, "tests/flow/sip.lock"), "w", encoding="ascii")
fcntl.flock(alone, fcntl.LOCK_EX)


def free_port(kinds=(socket.SOCK_DGRAM, socket.SOCK_STREAM)):
    """A port of 127.0.0.1 that nobody has, for UDP and TCP."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        try:
            for kind in kinds:
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return port


def provider(name, port, trunks, module="t38", lines=1, group="default", settings="", extra="", first=2001,
             media=(20000, 25999)):
    """A provider that listens at `port`. `trunks` is {name: {key: value}}; `lines` a number of lines, named from
    `first` on."""
    names = range(first, first + lines)
    keys = "".join(f' trunks.{trunk}.{key} = "{value}"\n' for trunk, pairs in trunks.items() for key, value in pairs.items())
    carrier = " carrier = sip\n" if module == "softmodem" else ""
    return (f'provider "{name}" {{\n module = {module}\n {extra}\n settings {{\n{carrier} listen = "127.0.0.1:{port}"\n'
            f' port_low = {media[0]}\n port_high = {media[1]}\n{keys} {settings}\n }}\n' +
            "".join(f' line "{line}" {{ groups = {{{group}}} }}\n' for line in names) + "}\n")


def pair(out_module="t38", in_module="t38", lines=1, out_settings="", in_settings="", trunk=None, extra="",
         provider_extra=""):
    """Configuration of two providers that call one another: "out" sends, "in" receives. Returns it and their ports."""
    out_port, in_port = free_port(), free_port()
    more = trunk or {}
    text = (FAST_RETRIES + extra +
            provider("out", out_port, {"peer": {"server": f"127.0.0.1:{in_port}", **more}}, out_module, lines,
                     settings=out_settings, extra=provider_extra) +
            provider("in", in_port, {"peer": {"server": f"127.0.0.1:{out_port}", **more}}, in_module, lines, "inbound",
                     in_settings, provider_extra, first=4001, media=(26000, 31999)))
    return text, out_port, in_port
