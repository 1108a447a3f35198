"""Puts a small agent in the place of the real one, which needs root and a kernel; for tests of starting and ending."""

import importlib.abc
import importlib.machinery
import sys
from pathlib import Path


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname, path, target=None):
        if fullname != "sylph.cli.host":
            return None
        location = str(Path(__file__).with_name("host.py"))
        return importlib.machinery.ModuleSpec(
            fullname, importlib.machinery.SourceFileLoader(fullname, location), origin=location
        )


sys.meta_path.insert(0, Finder())
