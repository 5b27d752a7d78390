"""Mutants of a module: sources with one small fault each, made with cosmic-ray's operators.

This file runs as a script in `.venv-mutants`, where cosmic-ray is, and imports nothing of the
project. Argument: a module's path. Output: a line of JSON for each mutant.
"""

from __future__ import annotations

import ast
import json
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

if TYPE_CHECKING:
    from collections.abc import Iterator

# Of the replacements of one operator, those that are likeliest to go unseen: a neighbour and an
# opposite. Cosmic-ray has eleven for each arithmetic operator, and any test sees most of those.
OPERATORS: Final = (
    *(
        f"ReplaceComparisonOperator_{pair}"
        for pair in (
            *("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is", "Lt_LtE", "Lt_GtE"),
            *("LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt"),
        )
    ),
    *(
        f"ReplaceBinaryOperator_{pair}"
        for pair in (
            *("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Mul", "Mod_Mul"),
            *("Pow_Mul", "BitOr_BitAnd", "BitAnd_BitOr", "BitXor_BitOr"),
            *("LShift_RShift", "RShift_LShift"),
        )
    ),
    *("ReplaceUnaryOperator_USub_UAdd", "ReplaceUnaryOperator_Delete_Not", "AddNot"),
    *("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ExceptionReplacer"),
    *("NumberReplacer", "RemoveDecorator", "ZeroIterationForLoop"),
)


# mypy reports whoever assigns to a frozen value or passes a keyword by position; no test has to.
FOR_THE_TYPE_CHECKER: Final = {"frozen", "slots", "kw_only"}


class _RunTime(ast.NodeTransformer):
    """What a module does when it runs, without what only the type checker watches over."""

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        node.args = [*node.posonlyargs, *node.args, *node.kwonlyargs]
        node.defaults += [default for default in node.kw_defaults if default]
        node.posonlyargs, node.kwonlyargs, node.kw_defaults = [], [], []
        return self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        if node.arg in FOR_THE_TYPE_CHECKER:
            node.value = ast.Constant(None)
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | None:
        return None if "TYPE_CHECKING" in ast.unparse(node.test) else self.generic_visit(node)


def _run_time(source: str) -> str:
    return ast.dump(_RunTime().visit(ast.parse(source)))


def mutants_of(source: str) -> Iterator[tuple[str, str]]:
    """Return each operator's name and the mutated source, no program twice."""
    seen = {_run_time(source)}
    for name in OPERATORS:
        operator = get_operator(f"core/{name}")()
        for occurrence in count():
            mutated = mutate_code(source, operator, occurrence)
            if mutated is None:
                break
            try:
                program = _run_time(mutated)
            except SyntaxError:  # `not` before an assignment expression without parentheses
                continue
            if program not in seen:
                seen.add(program)
                yield name, mutated


def main() -> None:
    """Print the mutants of the module that is named on the command line."""
    for operator, source in mutants_of(Path(sys.argv[1]).read_text(encoding="utf-8")):
        print(json.dumps({"operator": operator, "source": source}))  # noqa: T201 - the output


if __name__ == "__main__":
    main()
