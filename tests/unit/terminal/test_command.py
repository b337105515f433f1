"""How a Terminal is started: nothing secret in its arguments, nothing needless in its environment."""

from pathlib import Path

import pytest

from thetabulk.config import java_option
from thetabulk.terminal.command import API_KEY, command_line, scrubbed
from thetabulk.terminal.ownership import TOKEN


def test_credentials_are_a_file_in_the_command_line_and_nothing_else() -> None:
    """Every user of a machine can read command lines."""
    paths = Path("/jdk/bin/java"), Path("/t/ThetaTerminalv3.jar"), Path("/t/creds.txt")
    java, jar, creds = paths
    assert command_line(java, ("-Xmx4g",), jar, creds) == [
        "/jdk/bin/java", "-Xmx4g", "-jar", "/t/ThetaTerminalv3.jar", "--creds-file", "/t/creds.txt",
    ]  # fmt: skip
    assert command_line(java, (), jar, None) == ["/jdk/bin/java", "-jar", "/t/ThetaTerminalv3.jar"]


def test_the_environment_is_what_java_needs() -> None:
    """And our token. The vendor's key only if the Terminal logs in by it."""
    environment = {"PATH": "/bin", "HOME": "/home/me", "LC_ALL": "C", "THETABULK_STORE": "canary", API_KEY: "key",
                   "JAVA_TOOL_OPTIONS": "-javaagent:canary", "JDK_JAVA_OPTIONS": "canary", "LD_PRELOAD": "canary",
                   "HTTPS_PROXY": "http://me:canary@proxy", TOKEN: "of another"}  # fmt: skip
    kept = {"PATH": "/bin", "HOME": "/home/me", "LC_ALL": "C", TOKEN: "ours"}
    assert scrubbed(environment, "ours", with_key=False) == kept
    assert scrubbed(environment, "ours", with_key=True) == kept | {API_KEY: "key"}


@pytest.mark.parametrize(
    "option",
    ["-Xmx4g", "-Xms512m", "-Xss2M", "-XX:+UseZGC", "-XX:+UseG1GC", "-XX:MaxRAMPercentage=50",
     "-XX:+ExitOnOutOfMemoryError", "-Djava.net.preferIPv4Stack=true"],
)  # fmt: skip
def test_options_that_are_allowed(option: str) -> None:
    """Memory, collectors, and what helps with both."""
    java_option(option)


@pytest.mark.parametrize(
    "option",
    ["-javaagent:/tmp/x.jar", "-XX:OnOutOfMemoryError=rm -rf /", "-XX:OnError=x", "-cp", "/tmp/x.jar", "-Xmx4g -jar x",
     "-Xmx", "-Xmx0g", "@/tmp/arguments", "-XX:+HeapDumpOnOutOfMemoryError", "-Dhttps.proxyPassword=x", "-version",
     "-Xbootclasspath/a:x", "-agentlib:jdwp=transport=dt_socket", "-XX:Flags=x", "-Xmx4g\n-jar", ""],
)  # fmt: skip
def test_options_that_could_run_a_program_or_print_a_secret(option: str) -> None:
    """Java runs programs on request, and a heap dump holds the password."""
    with pytest.raises(ValueError, match="is no option for Java that may be set here"):
        java_option(option)
