"""The text of a service that keeps a store up to date: systemd, launchd, Windows Task Scheduler. Pure.

Each runs `thetabulk update --wait` once a day. A missing drive, a full disk or an absent Terminal are waited for; what
only a person can mend (exit codes 2, 6, 7, 10 …) is not tried again before the next day. Quoting follows
systemd.syntax(7) and systemd.service(5), launchd.plist(5), and the command lines of Windows (CommandLineToArgvW).
"""

import plistlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from pathlib import PurePath
from subprocess import list2cmdline
from typing import Literal
from xml.sax.saxutils import escape

Manager = Literal["systemd", "launchd", "task-scheduler"]
MANAGERS: tuple[Manager, ...] = ("systemd", "launchd", "task-scheduler")
_LABEL = "io.thetabulk.update"
_STOP_MARGIN_S = 30  # for commit and last words, beyond the time that transfers in flight have
_FINAL = "1 2 6 7 9 10"
_AS_ASKED = "3 11 129 130 143"


@dataclass(frozen=True, slots=True)
class Service:
    """What is run: `command` is the program and its arguments, `at` the local time, `log` where launchd writes."""

    command: Sequence[str]
    at: time
    drain_s: float
    log: PurePath

    @property
    def stop_s(self) -> int:
        """How long a stop may take: transfers in flight are finished first."""
        return round(self.drain_s) + _STOP_MARGIN_S


def systemd_service(service: Service) -> str:
    """A unit for `systemctl --user`, started by the timer."""
    program, *arguments = service.command
    words = [_for_systemd(program), *(_for_systemd(word).replace("$", "$$") for word in arguments)]
    return f"""\
[Unit]
Description=thetabulk: options history up to the last settled day
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
ExecStart={" ".join(words)}
KillMode=mixed
TimeoutStopSec={service.stop_s}
SuccessExitStatus={_AS_ASKED}
Restart=on-failure
RestartSec=15min
RestartPreventExitStatus={_FINAL}
NoNewPrivileges=yes
UMask=0077
Nice=5
"""


def systemd_timer(service: Service) -> str:
    """Its timer: a day that was slept through is made up for."""
    return f"""\
[Unit]
Description=thetabulk, every day

[Timer]
OnCalendar=*-*-* {service.at:%H:%M}:00
Persistent=true
RandomizedDelaySec=5min

[Install]
WantedBy=timers.target
"""


def launchd(service: Service) -> str:
    """A property list for ~/Library/LaunchAgents: launchd makes up for a time that was slept through."""
    document = {
        "Label": _LABEL,
        "ProgramArguments": list(service.command),
        "StartCalendarInterval": {"Hour": service.at.hour, "Minute": service.at.minute},
        "ProcessType": "Background",
        "ExitTimeOut": service.stop_s,
        "Umask": 0o077,
        "StandardOutPath": str(service.log),
        "StandardErrorPath": str(service.log),
    }
    return plistlib.dumps(document, sort_keys=False).decode()


def task(service: Service) -> str:
    """A task for Windows' Task Scheduler. It names no encoding: PowerShell hands it over as text."""
    program, *arguments = service.command
    return f"""\
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>thetabulk: options history up to the last settled day</Description>
  </RegistrationInfo>
  <Triggers>
    <CalendarTrigger>
      <StartBoundary>2026-01-01T{service.at:%H:%M}:00</StartBoundary>
      <ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay>
    </CalendarTrigger>
  </Triggers>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
  </Settings>
  <Actions>
    <Exec>
      <Command>{escape(program)}</Command>
      <Arguments>{escape(list2cmdline(arguments))}</Arguments>
    </Exec>
  </Actions>
</Task>
"""


HOW: dict[Manager, str] = {
    "systemd": """\
save as  ~/.config/systemd/user/thetabulk.service
and      thetabulk service print systemd --timer > ~/.config/systemd/user/thetabulk.timer
then     systemctl --user daemon-reload && systemctl --user enable --now thetabulk.timer
also without a login:  loginctl enable-linger
look     journalctl --user --unit thetabulk · systemctl --user list-timers""",
    "launchd": f"""\
save as  ~/Library/LaunchAgents/{_LABEL}.plist
then     launchctl bootstrap gui/$UID ~/Library/LaunchAgents/{_LABEL}.plist
for a drive under /Volumes: System Settings, Privacy & Security, Full Disk Access
look     launchctl print gui/$UID/{_LABEL}""",
    "task-scheduler": """\
save as  thetabulk.xml
then     Register-ScheduledTask -TaskName thetabulk -Xml (Get-Content thetabulk.xml -Raw)
look     Get-ScheduledTaskInfo thetabulk""",
}


def _for_systemd(word: str) -> str:
    """One word of ExecStart, quoted if need be; % stands for itself. ($ is special in arguments only.)"""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    plain = escaped and not set(escaped) & set(" '\"\\;")
    return escaped if plain else f'"{escaped}"'
