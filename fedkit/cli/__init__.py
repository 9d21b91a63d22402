"""The command `fedkit`. Each module of this package is one command and holds it under the module's own name.

Modules are imported when their command is asked for, and import what is heavy inside functions, so that `--help` is quick.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import traceback

import click

from fedkit import __version__
from fedkit.errors import FedkitError


class CommandFolder(click.Group):
    """A group whose commands are the modules of this package: `fedkit/cli/verify.py` holds `verify`."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(context):
            return None
        module = name.replace("-", "_")
        command: click.Command = getattr(importlib.import_module(f"{__name__}.{module}"), module)
        return command


@click.group(cls=CommandFolder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="fedkit", help="Show the version and exit.")
@click.option(
    "--debug", is_flag=True, help="Show tracebacks. They may hold private text: never at a site whose notes are real."
)
@click.pass_context
def fedkit(context: click.Context, debug: bool) -> None:
    """Federated clinical language models that a hospital can let in."""
    context.obj = {"debug": debug}
    if debug:
        click.secho("--debug: tracebacks below may show private text; do not paste them anywhere.", fg="yellow", err=True)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line. Exit status: 0 done, 1 fedkit refused or failed, 2 wrong usage, 130 interrupted.

    The one place where an error becomes text for a person: a FedkitError shows its diagnostics, anything else only its type
    (its message could hold text of a note), unless --debug was given.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    try:
        status = fedkit.main(args=arguments, prog_name="fedkit", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.secho("interrupted", fg="yellow", err=True)
        sys.exit(130)
    except FedkitError as error:
        if debug:
            traceback.print_exc()
        click.secho(error.diagnostics(), fg="red", err=True)
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        frame = traceback.extract_tb(error.__traceback__)[-1]
        click.secho(f"{type(error).__name__} in {frame.filename.rpartition('/')[2]}, line {frame.lineno}", fg="red", err=True)
        click.secho(
            "  to do: this is an error in fedkit, or an environment that `fedkit doctor` can mend; `fedkit --debug …` shows "
            "more, private text perhaps included",
            fg="red",
            err=True,
        )
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)
