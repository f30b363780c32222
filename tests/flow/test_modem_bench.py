#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The modem bench as a program: what modems hear when they dial, fax commands, command lines, makes, rings, faults."""
import os
import re
import signal
import subprocess
import sys
import termios
import time

from faxd import BUILD, fact, same
from modems import CAN, DLE, END, Bench, Host
from together import main

FRAME = bytes.fromhex("ff1380ce01")  # the last one of its command: so says 13


# ---- dialling ----

def dials(host, number, wanted, wait_s=60):
    host.ask(f"ATS7={wait_s}")
    host.command(f"ATDT{number}")
    same((number, host.result()), (number, wanted))


@fact
def what_a_modem_hears_when_it_dials():
    bench = Bench("1001", "1002", options=[part for behaviour in (
        "2004=busy", "2009=no_answer", "2007=reorder", "2001=nobody", "2005=voice", "2006=silent")
        for part in ("--number", behaviour)])
    with Host(bench, "1001") as host:
        dials(host, "2004", "BUSY")
        dials(host, "2007", "BUSY")
        dials(host, "0W2004", "BUSY")
        dials(host, "9,2004", "BUSY")
        dials(host, "1001", "BUSY")
        for number in ("2009", "2005", "2006"):
            dials(host, number, "NO CARRIER", 4)
        for number in ("2001", "5551234"):
            dials(host, number, "NO CARRIER")
        same(host.ask("ATX1"), ["OK"])
        dials(host, "2004", "NO CARRIER", 2)
        bench.do("make 1001 usr")
        host.ask("ATE0+FCLASS=1")
        dials(host, "2009", "NO ANSWER", 2)
        host.ask("ATS7=60")
        bench.do("fault 1001 no_dialtone on")
        dials(host, "1002", "NO DIALTONE")
        bench.do("fault 1001 no_dialtone off", "fault 1001 no_carrier_early on")
        dials(host, "1002", "NO CARRIER")
        bench.do("fault 1001 no_carrier_early off")
        # Any octet ends it, but for the end of the line behind the command.
        host.send("ATDT1002\r\n")
        bench.wait("ringing", number="1002")
        host.send(CAN)
        same(host.result(), "NO CARRIER")
        same(host.ask("AT"), ["OK"])
        host.quiet(0.3)


@fact
def two_modems_that_call_each_other_hear_busy():
    bench = Bench("1001", "1002")
    with Host(bench, "1001") as one, Host(bench, "1002") as two:
        one.command("ATD1002")
        two.command("ATD1001")
        same((one.result(), two.result()), ("BUSY", "BUSY"))


@fact
def a_modem_that_dials_while_it_rings_has_the_caller():
    bench = Bench("1001", "1002")
    with Host(bench, "1001") as one, Host(bench, "1002") as two:
        one.command("ATD1002")
        bench.wait("ringing", number="1002")
        two.command("ATD5551234")
        bench.wait("answered", number="1002", **{"from": "1001"})


@fact
def a_caller_that_hangs_up_stops_the_ringing():
    bench = Bench("1001", "1002")
    with Host(bench, "1001") as one, Host(bench, "1002") as two:
        one.command("ATD1002")
        same(two.result(), "RING")
        one.close()  # DTR
        bench.wait("hung_up", number="1001")
        two.quiet(4)
    with Host(bench, "1001", ready=False) as one:
        same(one.ask("AT")[-1], "OK")


# ---- fax commands ----

def connected(caller, answerer, to):
    """A call from host to host, up to both CONNECTs: the answerer may send a frame, which the caller hears."""
    caller.command(f"ATD{to}")
    same(answerer.result(), "RING")
    answerer.command("ATA")
    same(answerer.result(), "CONNECT")


def frame_arrives(sender, receiver, frame):
    """A frame of the sender, whose CONNECT has come; the receiver waits. What the receiver gets."""
    sender.send(frame.replace(DLE, DLE + DLE) + END)
    same(receiver.result(), "CONNECT")
    got = receiver.until(rb"((?:\x10\x10|[^\x10])*)\x10\x03").group(1).replace(DLE + DLE, DLE)
    same(got[:len(frame)], frame)
    same(len(got), len(frame) + 2)


def turned(sender, receiver, frame):
    """A frame from whoever has the word: both commands, their results."""
    receiver.command("AT+FRH=3")
    sender.command("AT+FTH=3")
    same(sender.result(), "CONNECT")
    frame_arrives(sender, receiver, frame)
    same((sender.result(), receiver.result()), ("OK", "OK"))


@fact
def frames_and_data_go_from_host_to_host():
    bench = Bench("1001", "1002", delay_ms=40)
    with Host(bench, "1001") as one, Host(bench, "1002") as two:
        same(one.ask("AT+FTH=3"), ["ERROR"])  # on hook
        connected(one, two, "1002")
        frame_arrives(two, one, bytes.fromhex("ffc0aa101003"))  # not the last one
        same((two.result(), one.result()), ("CONNECT", "OK"))
        one.command("AT+FRH=3")
        frame_arrives(two, one, bytes.fromhex("ff1380ce01"))
        same((two.result(), one.result()), ("OK", "OK"))
        turned(one, two, bytes.fromhex("ff13831a"))
        # Data, with DLE SUB for two DLE, an odd pair that is deleted, and both rates and trainings of V.17.
        for rate in (145, 146, 96, 24):
            two.command(f"AT+FRM={rate}")
            one.command(f"AT+FTM={rate}")
            same(one.result(), "CONNECT")
            one.send(bytes(100) + b"begin" + DLE + b"\x1a" + DLE + b"x" + DLE + DLE + b"end" + bytes(100) + END)
            same(two.result(), "CONNECT")
            two.until(rb"begin(\x10\x10){3}end")
            two.until(END)
            same((one.result(), two.result()), ("OK", "NO CARRIER"))
        one.command("AT+FTS=8")
        same(one.result(), "OK")
        one.command("AT+FRS=8")
        same(one.result(), "OK")
        # V.21 where a page was expected.
        two.command("AT+FRM=96")
        one.command("AT+FTH=3")
        same(one.result(), "CONNECT")
        same(two.result(), "+FCERROR")
        one.send(FRAME + END)
        same(one.result(), "OK")
        # And with adaptive reception.
        same(two.ask("AT+FAR=1"), ["OK"])
        two.command("AT+FRM=96")
        one.command("AT+FTH=3")
        same(one.result(), "CONNECT")
        two.until(rb"^\r\n\+FRH:3\r\n")
        frame_arrives(one, two, FRAME)
        same((one.result(), two.result()), ("OK", "OK"))
        same(one.ask("ATH0"), ["OK"])
        bench.wait("hung_up", number="1001")


@fact
def a_frame_that_was_not_asked_for_yet_is_kept():
    bench = Bench("1001", "1002")
    with Host(bench, "1001") as one, Host(bench, "1002") as two:
        connected(one, two, "1002")
        frame_arrives(two, one, bytes.fromhex("ffc0aa"))
        same((two.result(), one.result()), ("CONNECT", "OK"))
        two.send(FRAME + END)
        same(two.result(), "OK")
        time.sleep(0.5)
        one.command("AT+FRH=3")
        one.until(rb"^\r\nCONNECT\r\n" + re.escape(FRAME) + rb"..\x10\x03\r\nOK\r\n")
        turned(one, two, FRAME)  # its next command is no abort
        turned(two, one, FRAME)


@fact
def a_receive_command_ends_with_any_octet():
    bench = Bench("1001", "1002")
    with Host(bench, "1001") as one, Host(bench, "1002") as two:
        connected(one, two, "1002")
        frame_arrives(two, one, bytes.fromhex("ff13805a"))
        same((two.result(), one.result()), ("OK", "OK"))
        bench.do("noise -25")  # no silence for +FRS
        for command in ("AT+FRH=3", "AT+FRM=96", "AT+FRM=145", "AT+FRS=100"):
            one.send(command + "\r\n")
            one.quiet(0.3)
            one.send(CAN)
            same((command, one.result()), (command, "OK"))
        bench.do("noise off")
        one.quiet(0.2)
        turned(one, two, bytes.fromhex("ff13835a"))
        turned(two, one, bytes.fromhex("ff13845a"))
        # In the middle of a page: what came is ended, then OK.
        two.command("AT+FRM=96")
        one.command("AT+FTM=96")
        same(one.result(), "CONNECT")
        one.send(b"x" * 600)
        same(two.result(), "CONNECT")
        two.until(b"xxxx")
        two.send(CAN)
        two.until(rb"\x10\x03\r\nOK\r\n")
        one.send(END)
        same(one.result(), "OK")


@fact
def a_host_without_data_for_five_seconds_gets_an_error():
    bench = Bench("1001", "1002")
    with Host(bench, "1001") as one, Host(bench, "1002") as two:
        connected(one, two, "1002")
        begun = time.monotonic()
        same(two.result(), "ERROR")
        assert time.monotonic() - begun > 4, "sooner than five seconds"
        two.command("AT+FTM=96")
        same((two.result(), two.result()), ("CONNECT", "ERROR"))
        same(two.ask("ATH"), ["OK"])


@fact
def data_that_runs_out_is_counted():
    bench = Bench("1001", "1002")
    with Host(bench, "1001") as one, Host(bench, "1002") as two:
        connected(one, two, "1002")
        two.send(FRAME + END)
        same(two.result(), "OK")
        two.command("AT+FTM=96")
        same(two.result(), "CONNECT")
        two.send(b"x" * 3000 + END)
        same(two.result(), "OK")
        same(bench.ask("stats")["underruns"], 0)
        two.command("AT+FTM=96")
        same(two.result(), "CONNECT")
        two.send(b"x" * 300)
        time.sleep(3)
        two.send(b"x" * 300 + END)
        same(two.result(), "OK")
        same(bench.ask("stats")["underruns"], 1)


@fact
def a_turnaround_is_from_the_result_to_the_whole_command():
    bench = Bench("1001", "1002")
    with Host(bench, "1001") as one, Host(bench, "1002") as two:
        connected(one, two, "1002")
        two.send(FRAME + END)
        same(two.result(), "OK")
        for wait in (0, 0.3):
            two.send("AT+FTS=")
            time.sleep(wait)
            two.send("1\r")
            same(two.result(), "OK")
        stats = bench.ask("stats")
        same(stats["turnarounds"], 2)
        # The host may read a result before the bench, which has written it, looks at the clock.
        assert 280000 <= stats["turnaround_max_us"] == stats["turnaround_p999_us"] < 30000000, stats


@fact
def the_lines_stand_still_while_the_bench_does():
    bench = Bench("1001", "1002")
    with Host(bench, "1001") as one, Host(bench, "1002") as two:
        connected(one, two, "1002")
        two.send(FRAME + END)
        same(two.result(), "OK")
        begun = time.monotonic()
        two.command("AT+FTS=200")
        two.quiet(0.3)
        bench.process.send_signal(signal.SIGSTOP)
        time.sleep(1)
        bench.process.send_signal(signal.SIGCONT)
        same(two.result(), "OK")
        assert time.monotonic() - begun > 2.9, "2 s of silence, and the second that was none"
        assert bench.ask("stats")["held_us"] > 900000


# ---- the command line ----

@fact
def command_lines_are_as_v250_has_them():
    bench = Bench("1001")
    with Host(bench, "1001", ready=False) as host:
        host.command("AT")
        same(host.until(rb"OK\r\n").string, b"AT\r\r\nOK\r\n")
        host.command("ate0 s7 = 45 +fclass=1;v1x4")
        host.until(rb"OK\r\n")
        same(host.ask("ats7?+fclass?"), ["045", "1", "OK"])
        host.send("A/")
        same(host.until(rb"^\r\n045\r\n\r\n1\r\n\r\nOK\r\n") is not None, True)
        same(host.ask("noise before it ats7?"), ["045", "OK"])
        same(host.ask("ats8\b7?"), ["045", "OK"])
        same(host.ask("AT" + "M0" * 200), ["ERROR"])
        same(host.ask("AT"), ["OK"])
        for wrong in ("ATJ", "AT+NONE=1", "AT+FCLASS=7", "ATS300=1", "ATS7=256", "AT+FTM=145;", "AT?", "ATI99"):
            same((wrong, host.ask(wrong)), (wrong, ["ERROR"]))
        same(host.ask("ATS7=20S300=1S7=30"), ["ERROR"])
        same(host.ask("ATS7?"), ["020", "OK"])
        host.command("ATV0")
        same(host.until(rb"^0\r") is not None, True)
        host.command("ATJ")
        same(host.until(rb"^4\r") is not None, True)
        host.command("ATQ1V1")
        host.command("ATJ")
        host.quiet(0.3)
        host.command("ATZ")
        host.until(rb"OK\r\n")
        same(host.ask("ATE0S7?")[-2:], ["060", "OK"])


@fact
def each_make_says_what_it_is_and_takes_its_commands():
    bench = Bench("1001", "1002")
    full = "24,48,72,73,74,96,97,98,121,122,145,146"
    makes = {
        "usr": ("56K FAX", "U.S. Robotics", "0,1,2.0", "3," + full, "&F1&H1&R2&I0&C1&D2#CID=1"),
        "multitech": ("MT9234ZBA", "Multi-Tech Systems", "0,1,1.0,2,2.0,8", full, "&F&E4&C1&D2$SB115200\\Q3+VCID=1"),
        "conexant": ("CX93001", "CONEXANT", "0,1,1.0,8", full, "&K3&C1&D2\\N0%C0-SDR=7+VCID=1"),
        "agere": ("Agere", "Agere Systems", "0,1,8", f"({full})", "&K3&C1&D2\\Q3-SSE=0+VCID=1"),
        "zoom": ("Zoom", "Zoom Telephonics", "(0,1,1.0,8)", f"({full})", "&K3&C1&D2#CID=1"),
        "spandsp": ("soft-switch", "www.soft-switch.org", "0,1,1.0", full, "&C1&D2+VCID=1"),
        "old": ("V1.410", "ROCKWELL", "0,1", "24,48,72,96", "&K3&C1&D2\\Q3"),
        "data": ("V2.100", "ROCKWELL", "0", None, "&K3&C1&D2"),
    }
    with Host(bench, "1001", ready=False) as host:
        for make, (identity, manufacturer, classes, rates, init) in makes.items():
            bench.do(f"make 1001 {make}")
            host.command("ATE0")
            host.until(rb"OK\r\n")
            assert identity in "".join(host.ask("ATI3")), make
            same((make, host.ask("AT+FMI?")), (make, [manufacturer, "OK"]))
            same((make, host.ask("AT+FCLASS=?")), (make, [classes, "OK"]))
            same((make, host.ask("AT" + init)), (make, ["OK"]))
            host.command("ATE0")  # &F made it echo
            host.until(rb"OK\r\n")
            same((make, host.ask("ATM0L0X4S0=0S7=60S10=50")), (make, ["OK"]))
            same((make, host.ask("AT&Z9\\J5*X")), (make, ["ERROR"]))
            for command in ("+FTM=?", "+FRM=?"):
                same((make, host.ask("AT" + command)), (make, [rates, "OK"] if rates else ["ERROR"]))
        same(host.ask("AT+FCLASS=1"), ["ERROR"])
        bench.do("make 1001 old")
        host.ask("ATE0+FCLASS=1")
        with Host(bench, "1002") as other:
            connected(other, host, "1001")
            host.send(FRAME + END)
            same(host.result(), "OK")
            for rate in (145, 97, 73, 3):
                same((rate, host.ask(f"AT+FTM={rate}"), host.ask(f"AT+FRM={rate}")), (rate, ["ERROR"], ["ERROR"]))
            host.command("AT+FTM=96")
            same(host.result(), "CONNECT")


# ---- rings ----

def lines_of_call(bench, host, command, rings=2):
    """The lines that a call from outside makes, up to its last ring."""
    bench.do(f"ring 1001 {command} times {rings}")
    bench.wait("gave_up", number="1001")
    while host.more(0.2):
        pass
    lines = [line.decode() for line in host.seen.split(b"\r\n") if line]
    host.seen = b""
    return lines


@fact
def caller_id_comes_between_the_rings():
    bench = Bench("1001")
    with Host(bench, "1001") as host:
        same(lines_of_call(bench, host, "from +4989123 name Ada", 1), ["RING"])
        same(lines_of_call(bench, host, "from 5551234"), ["RING", "RING"])  # nobody asked
        host.ask("AT+VCID=1")
        first, date, hour, number, name, last = lines_of_call(bench, host, 'from 5551234 name "Ada Lane"')
        same((first, number, name, last), ("RING", "NMBR=5551234", "NAME=Ada Lane", "RING"))
        assert re.fullmatch(r"DATE=\d{4}", date) and re.fullmatch(r"TIME=\d{4}", hour), (date, hour)
        for caller in "PO":
            same(lines_of_call(bench, host, f"from {caller}")[3:], [f"NMBR={caller}", "RING"])
        same(lines_of_call(bench, host, "from -"), ["RING", "RING"])
        host.ask("AT+VCID=2")
        ring, message, _ = lines_of_call(bench, host, 'from 5551234 name "Ada Lane"')
        octets = bytes.fromhex(message.removeprefix("MESG="))
        same((octets[0], octets[1], sum(octets) % 256), (0x80, len(octets) - 3, 0))
        assert b"\x02\x075551234" in octets and b"\x07\x08Ada Lane" in octets, octets
        octets = bytes.fromhex(lines_of_call(bench, host, "from P")[1].removeprefix("MESG="))
        assert b"\x04\x01P" in octets and sum(octets) % 256 == 0, octets
        host.ask("AT+VCID=0")
        same(lines_of_call(bench, host, "from 1 ring 2"), ["RING 2", "RING 2"])
        same(lines_of_call(bench, host, "from 1 did 4711"), ["RING", "DDN_NMBR= 4711", "RING"])
        host.ask("AT+VDR=1,0")
        same(lines_of_call(bench, host, "from 1 ring 3", 1), ["DRON=4", "DROF=2", "RING"])
        bench.do("make 1001 conexant")
        host.ask("ATE0#CID=1")
        host.seen = b""
        same(lines_of_call(bench, host, "from 99")[3], "NMBR = 99")
        host.ask("ATS0=2")
        bench.do("ring 1001 from 99 times 5")
        bench.wait("answered", number="1001")


# ---- faults ----

@fact
def results_are_lost_late_and_too_many():
    bench = Bench("1001", "1002")
    with Host(bench, "1001") as one, Host(bench, "1002") as two:
        bench.do("fault 1002 lose_ok 2")
        two.command("AT")
        two.command("AT")
        two.quiet(0.3)
        same(two.ask("AT"), ["OK"])
        bench.do("fault 1002 slow 1000")
        begun = time.monotonic()
        same(two.ask("AT"), ["OK"])
        assert time.monotonic() - begun >= 0.95, "not slow"
        bench.do("fault 1002 slow 0", "fault 1002 lose_connect")
        one.command("ATD1002")
        same(two.result(), "RING")
        two.command("ATA")
        bench.wait("answered")
        # The CONNECT is gone, the carrier is there: the host may send.
        time.sleep(6)
        two.send(FRAME + END)
        same(one.result(), "CONNECT")
        one.until(END)
        same((two.result(), one.result()), ("OK", "OK"))
        bench.do("fault 1001 ok_before_connect on", "fault 1001 fcerror")
        one.command("AT+FRH=3")
        two.command("AT+FTH=3")
        same(two.result(), "CONNECT")
        two.send(FRAME + END)
        same((one.result(), one.result()), ("OK", "CONNECT"))
        one.until(END)
        same((two.result(), one.result()), ("OK", "OK"))
        for wanted in ("+FCERROR", "OK"):
            one.command("AT+FRM=96")
            two.command("AT+FTM=96")
            same(two.result(), "CONNECT")
            two.send(b"x" * 600 + END)
            same(one.result(), wanted)
            same(two.result(), "OK")


@fact
def the_serial_line_garbles_echoes_stops_and_falls_silent():
    bench = Bench("1001", "1002")
    with Host(bench, "1001") as host:
        bench.do("fault 1001 garbage 500")
        same(len(host.until(rb"^.{500}").group(0)), 500)
        host.quiet(0.2)
        bench.do("fault 1001 echo on")
        host.command("ATS7?")
        same(host.until(rb"OK\r\n").string, b"ATS7?\r\r\n060\r\n\r\nOK\r\n")
        bench.do("fault 1001 echo off", "fault 1001 stop_xoff 1000")
        begun = time.monotonic()
        host.command("AT")
        same(host.until(rb"^\x13\x11\r\nOK\r\n") is not None, True)
        assert time.monotonic() - begun >= 0.9, "not stopped"
        bench.do("fault 1001 stop 1000")
        begun = time.monotonic()
        same(host.ask("AT"), ["OK"])
        assert time.monotonic() - begun >= 0.9, "not stopped"
        bench.do("fault 1001 hang on")
        host.command("AT")
        host.quiet(0.5)
        bench.do("fault 1001 hang off")
        same(host.ask("AT"), ["OK"])


@fact
def a_device_vanishes_and_comes_back():
    bench = Bench("1001", "1002")
    with Host(bench, "1001") as one, Host(bench, "1002") as two:
        connected(one, two, "1002")
        bench.do("fault 1001 vanish")
        bench.wait("hung_up", number="1001")
        same(os.path.lexists(bench.device("1001")), False)
        same(bench.ask("fault 1001 vanish")["event"], "error")
        while one.more(1):
            pass
        try:
            same(os.read(one.fd, 100), b"")
        except OSError:
            pass
        bench.do("fault 1001 return")
        with Host(bench, "1001", ready=False) as again:
            again.command("AT")
            same(again.until(rb"OK\r\n").string, b"AT\r\r\nOK\r\n")  # switched on anew: it echoes


@fact
def dtr_hangs_up_and_ends_what_was_typed():
    bench = Bench("1001", "1002")
    one, two = Host(bench, "1001"), Host(bench, "1002")
    connected(one, two, "1002")
    two.close()
    bench.wait("hung_up", number="1002")
    with Host(bench, "1002") as two:
        same(two.ask("AT+FTH=3"), ["ERROR"])
        # 0 baud is DTR down too.
        settings = termios.tcgetattr(one.fd)
        settings[4:6] = [termios.B0, termios.B0]
        termios.tcsetattr(one.fd, termios.TCSANOW, settings)
        bench.wait("hung_up", number="1001")
        settings[4:6] = [termios.B115200, termios.B115200]
        termios.tcsetattr(one.fd, termios.TCSANOW, settings)
        time.sleep(0.2)
        one.seen = b""
        same(one.ask("AT&D0"), ["OK"])
        connected(one, two, "1002")
        one.send("AT+FR")
        one.close()
        two.quiet(0.3)
        same(bench.ask("stats")["connected"], 2)
    with Host(bench, "1001") as one:
        same(one.ask("ATH"), ["OK"])
        bench.wait("hung_up", number="1001")


@fact
def a_line_is_cut_and_interrupted():
    bench = Bench("1001", "1002")
    with Host(bench, "1001") as one, Host(bench, "1002") as two:
        bench.do("interrupt 1001 after 0 for 4000")
        connected(one, two, "1002")
        two.send(bytes.fromhex("ff13805a") + END)
        same(two.result(), "OK")
        one.quiet(0.3)  # not heard
        two.command("AT+FTH=3")
        same(two.result(), "CONNECT")
        frame_arrives(two, one, bytes.fromhex("ff13805a"))
        same((two.result(), one.result()), ("OK", "OK"))
        two.command("AT+FRM=96")
        one.command("AT+FTM=96")
        same(one.result(), "CONNECT")
        one.send(b"x" * 5000 + END)
        same(two.result(), "CONNECT")
        bench.do("drop 1001 after 0")
        bench.wait("line_cut", number="1001")
        two.until(rb"\x10\x03\r\nNO CARRIER\r\n")
        one.result()
        # The next call has its line.
        for host in (one, two):
            same(host.ask("ATH"), ["OK"])
        bench.do("level 1002 -40")
        connected(one, two, "1002")
        two.send(FRAME + END)
        same(two.result(), "OK")
        one.quiet(0.5)  # too weak to be heard
        bench.do("level 1002 0")
        two.command("AT+FTH=3")
        same(two.result(), "CONNECT")
        frame_arrives(two, one, bytes.fromhex("ff13805a"))


# ---- the program ----

@fact
def the_program_refuses_what_it_does_not_understand():
    program = os.path.join(BUILD, "tests/lib/modem_bench")

    def ends(*arguments):
        done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                              check=False)
        return done.returncode, bool(done.stdout), bool(done.stderr)

    same(ends("--help"), (0, True, False))
    for wrong in ([], ["--folder"], ["--nothing"], ["--folder", "/tmp", "--delay-ms", "5000"],
                  ["--folder", "/tmp", "--noise", "10"]):
        same((wrong, ends(*wrong)), (wrong, (2, False, True)))
    for wrong in (["--folder", "/nowhere", "1001"], ["--folder", "/tmp", "--number", "1=rude"],
                  ["--folder", "/tmp", "--number", "1"], ["--folder", "/tmp", "a name"]):
        same((wrong, ends(*wrong)), (wrong, (1, False, True)))
    bench = Bench("1001")
    for wrong in ("", "dance", "drop 1001", "drop 9 after 1", "drop 1001 after -1", "noise 3", "delay 2001",
                  "level 1001 99", "ring 1001 from", "ring 1001 from 1 times 0", "ring 1001 from 1 ring 4",
                  "make 1001 x", "fault 1001", "fault 1001 echo maybe", "fault 1001 garbage 0", "fault 1001 garbage 99999",
                  "fault 1001 return", "fault 1001 slow", "number 1001 busy", "number 12 rude",
                  "interrupt 1001 after 1 for 0", "x " * 100, "x" * 600):
        answer = bench.ask(wrong)
        assert answer["event"] == "error" and answer["message"], f"{wrong}: {answer}"
    bench.do("number 12 busy", "delay 100", "noise -60", "noise off", "level 1001 -3.5")


@fact
def the_program_ends_by_a_signal_and_leaves_no_link():
    bench = Bench("1001", "1002")
    bench.process.send_signal(signal.SIGTERM)
    bench.wait("stats")


if __name__ == "__main__":
    sys.exit(main())
