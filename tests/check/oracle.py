"""What supervisor makes of each configuration that is named: a line of JSON for each."""

import contextlib
import io
import json
import sys
import warnings

from supervisor.datatypes import (
    Automatic,
    RestartUnconditionally,
    RestartWhenExitUnexpected,
)
from supervisor.options import EventListenerPoolConfig, ServerOptions, UnhosedConfigParser

warnings.simplefilter("ignore")


def sections(path):
    parser = UnhosedConfigParser()
    try:
        with open(path) as file:
            parser.read_file(file)
    except Exception as error:
        return {"error": str(error)}
    return {"sections": [[name, dict(parser.items(name))] for name in parser.sections()]}


def process(config):
    restart = {RestartUnconditionally: "Always", RestartWhenExitUnexpected: "Unexpected"}
    logs = [config.stdout_logfile, config.stderr_logfile]
    return {
        "name": config.name,
        "command": config.command,
        "directory": config.directory,
        "priority": config.priority,
        "autostart": config.autostart,
        "autorestart": restart.get(config.autorestart, "Never"),
        "startsecs": config.startsecs,
        "startretries": config.startretries,
        "stopwaitsecs": config.stopwaitsecs,
        "stopasgroup": config.stopasgroup,
        "killasgroup": config.killasgroup,
        "exitcodes": config.exitcodes,
        "redirect_stderr": config.redirect_stderr,
        "environment": config.environment,
        "logs": ["auto" if log is Automatic else log for log in logs],
        "maxbytes": [config.stdout_logfile_maxbytes, config.stderr_logfile_maxbytes],
    }


def group(config):
    is_pool = isinstance(config, EventListenerPoolConfig)
    return {
        "name": config.name,
        "priority": config.priority,
        "buffer_size": config.buffer_size if is_pool else None,
        "processes": [process(each) for each in config.process_configs],
    }


def options(path):
    options = ServerOptions()
    said = io.StringIO()
    options.stderr = said
    try:
        options.realize(["-c", path], doc="")
    except SystemExit:
        return {"refused": said.getvalue().splitlines()[0].removeprefix("Error: ")}
    except Exception as error:
        return {"refused": repr(error)}
    return {
        "groups": [group(config) for config in options.process_group_configs],
        "url": options.serverurl,
    }


with contextlib.redirect_stdout(sys.stderr):
    answers = [{**sections(path), **options(path)} for path in sys.argv[1:]]
for answer in answers:
    print(json.dumps(answer))
