"""Formulas of LaTeX as MathML Core, by the package math-core.

Reads a JSON list of {"source", "isDisplay"} from the file that it is given, and writes one of {"mathml"} or {"error"}. Ends with
code 3 when the package is missing, and with 4 when it is of another version than `VERSION`, whose
results would differ from those that are kept.
"""

import importlib.metadata
import json
import sys

VERSION = "0.9."

try:
    import math_core
except ImportError:
    sys.exit(3)
if not importlib.metadata.version("math-core").startswith(VERSION):
    sys.exit(4)

converter = math_core.LatexToMathML(fancy_error=False)


def converted(formula):
    try:
        mathml = converter.convert_with_local_state(
            formula["source"], displaystyle=formula["isDisplay"]
        )
        return {"mathml": mathml}
    except math_core.LatexError as error:
        return {"error": " ".join(str(error).split())}


with open(sys.argv[1], encoding="utf-8") as file:
    json.dump([converted(formula) for formula in json.load(file)], sys.stdout)
