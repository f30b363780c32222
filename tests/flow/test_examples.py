#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Facts about contrib/examples: each configuration is one that faxd and its modules take. Prints TAP."""
import glob
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faxd import BUILD, SOURCE, fact, main, octets, same, started, wait_for, within  # noqa: E402
from sip import free_port  # noqa: E402

EXAMPLES = os.path.join(SOURCE, "contrib", "examples")
CONFIGURATIONS = sorted(glob.glob(os.path.join(EXAMPLES, "*", "faxd*.conf")))


def keys_of(text):
    """Settings that stand in a piece of configuration, as (key, value)."""
    return re.findall(r'^\s*([\w.-]+)\s*=\s*"?([^"\n]*)"?$', text, re.MULTILINE)


def at_home(text, name, certificates):
    """The same with its provider called `name`, and with loopback in place of addresses and hosts."""
    text = re.sub(r'^provider "[^"]*"', f'provider "{name}"', text, flags=re.MULTILINE)
    text = re.sub(r'^(\s*(?:tls_)?listen) = .*$', lambda key: f'{key[1]} = "127.0.0.1:{free_port()}"', text,
                  flags=re.MULTILINE)
    text = re.sub(r'^(\s*tls_dir) = .*$', rf'\1 = "{certificates}"', text, flags=re.MULTILINE)
    return re.sub(r'^(\s*trunks\.[\w-]+\.(?:server|proxy)) = .*$', lambda key: f'{key[1]} = "127.0.0.1:{free_port()}"',
                  text, flags=re.MULTILINE)


@fact
def every_example_is_a_configuration_without_fault():
    same(len(CONFIGURATIONS) >= 8, True)
    for path in CONFIGURATIONS:
        done = subprocess.run([os.path.join(BUILD, "faxd"), "--check-config", "--config", path], capture_output=True,
                              text=True, timeout=30, check=False)
        same((path, done.returncode, done.stderr), (path, 0, ""))


def make_certificate(folder):
    """What an administrator puts into tls_dir."""
    agent = os.path.join(folder, "agent.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=fax.example.net",
                    "-keyout", agent + ".key", "-out", os.path.join(folder, "cafile.pem")], check=True, capture_output=True)
    with open(agent, "wb") as file:
        file.write(octets(agent + ".key") + octets(os.path.join(folder, "cafile.pem")))


@fact
def a_provider_without_its_certificate_is_refused():
    with tempfile.TemporaryDirectory(prefix="faxd-tls-") as certificates:
        text = octets(os.path.join(EXAMPLES, "provider-tls", "faxd.conf")).decode()
        server = started(at_home(text, "bare", certificates))
        wait_for(lambda: "agent.pem: No such file" in server.log(), "the missing certificate to be named")


@fact
def every_example_is_taken_by_its_module():
    with tempfile.TemporaryDirectory(prefix="faxd-tls-") as certificates:
        make_certificate(certificates)
        texts = {f"example-{number}": octets(path).decode() for number, path in enumerate(CONFIGURATIONS)}
        server = started("".join(at_home(text, name, certificates) for name, text in texts.items()))
        up = {name: "up" for name in texts}
        wait_for(lambda: {p["name"]: p["state"] for p in server.get("/v1/providers")["data"]} == up, "all providers")
        trunks = {(name, key.split(".")[1]) for name, text in texts.items() for key, _ in keys_of(text)
                  if key.startswith("trunks.")}
        same({(trunk["provider"], trunk["name"]) for trunk in server.get("/v1/trunks")["data"]}, trunks)
        same("settings refused" in server.log(), False)


@fact
def a_wrong_key_of_an_example_is_refused_by_name():
    text = octets(os.path.join(EXAMPLES, "provider-static", "faxd.conf")).decode()
    server = started(at_home(text.replace(".calls_max", ".call_max", 1), "wrong", "/"))
    wait_for(lambda: "settings refused" in server.log(), "the fault")
    within('provider wrong: trunk gateway-1: unknown setting "call_max"', server.log())


@fact
def xml_of_the_examples_is_well_formed():
    for path in glob.glob(os.path.join(EXAMPLES, "*", "*.xml")):
        same(xml.etree.ElementTree.parse(path).getroot().tag, "include")


@fact
def every_example_says_what_to_do_with_it():
    for folder in {os.path.dirname(path) for path in CONFIGURATIONS}:
        text = octets(os.path.join(folder, "README.md")).decode()
        for file in os.listdir(folder):
            same((folder, file == "README.md" or f"`{file}`" in text), (folder, True))
        within(f"]({os.path.basename(folder)}/)", octets(os.path.join(EXAMPLES, "README.md")).decode())


if __name__ == "__main__":
    sys.exit(main())
