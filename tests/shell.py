"""Run `unsway WORDS…` in this process and return what a shell would show."""

from click.testing import CliRunner, Result

from unsway.cli import main


def unsway(*words: object, **env: str) -> Result:
    """Output and exit code; paths may be given as they are."""
    return CliRunner().invoke(main, [str(word) for word in words], env=env)
