"""The expressions a script may use, one handler each."""

from __future__ import annotations

import ast
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sylph.functions.regex import problem
from sylph.functions.registry import AGGREGATES, SCALARS
from sylph.plan.expressions import Call, Literal
from sylph.plan.walk import postorder
from sylph.pxl import dataframe, habits, operations
from sylph.pxl.aggregated import HINT, called, compute, computes, is_form
from sylph.pxl.arguments import bind_builtin
from sylph.pxl.context import metadata
from sylph.pxl.errors import Kind, suggestion
from sylph.pxl.scalars import as_scalar, call, cast, not_scalar, valid_text
from sylph.pxl.times import MAX_INT64
from sylph.pxl.values import (
    BOOLEAN,
    FLOAT64,
    INT64,
    POISON,
    STRING,
    Bound,
    Builtin,
    Context,
    Fault,
    Frame,
    FunctionValue,
    Grouped,
    Module,
    Poisoned,
    Scalar,
    Scope,
    TypeValue,
    UserFunction,
    article,
    describe,
    element,
    literal,
)

if TYPE_CHECKING:
    from sylph.pxl.interpreter import Interpreter

#: Names that need no import.
BUILTINS = MappingProxyType(
    {
        "str": TypeValue("str", STRING),
        "int": TypeValue("int", INT64),
        "float": TypeValue("float", FLOAT64),
        "bool": TypeValue("bool", BOOLEAN),
        "list": TypeValue("list", None),
    }
)


def constant(node: ast.Constant) -> Scalar | None:
    """A literal."""
    value = node.value
    if value is None:
        return None
    if isinstance(value, str):
        return literal(valid_text(value))
    if isinstance(value, bool) or type(value) is float:
        return literal(value)
    if isinstance(value, int):
        if value > MAX_INT64:
            raise Fault("the number does not fit 64 bits", Kind.PARSER)
        return literal(value)
    name = "'...'" if value is ... else f"a {type(value).__name__} literal"
    raise Fault(f"{name} is not part of PxL", Kind.PARSER)


def unsupported(node: ast.AST) -> Fault:
    """The fault of an expression that PxL does not have."""
    hints = {
        ast.Lambda: ("lambda", "use def"),
        ast.Await: ("'await'", ""),
        ast.DictComp: ("a comprehension", "write the elements out"),
        ast.GeneratorExp: ("a comprehension", "write the elements out"),
        ast.ListComp: ("a comprehension", "write the elements out"),
        ast.SetComp: ("a comprehension", "write the elements out"),
        ast.Yield: ("'yield'", "use return, with a list where there are several"),
        ast.YieldFrom: ("'yield'", "use return, with a list where there are several"),
        ast.Starred: ("'*'", "write the elements out"),
        ast.NamedExpr: ("':='", "assign on a line of its own"),
        ast.Set: ("a set", "write a list: [1, 2]"),
        ast.Slice: ("a slice", "use df.head(n) for the first rows"),
    }
    name, hint = hints.get(type(node), (f"expression '{type(node).__name__}'", ""))
    return Fault(f"{name} is not part of PxL", Kind.MODULE, hint, node)


def _annotation(interpreter: Interpreter, node: ast.expr, scope: Scope) -> Any:
    """What an annotation stands for; `list[str]` is a list, whatever is in it."""
    if isinstance(node, ast.Subscript):
        found = interpreter.expression(node.value, scope)
        if isinstance(found, TypeValue) and found.type is None:
            return found
    return interpreter.expression(node, scope)


def define(interpreter: Interpreter, node: ast.FunctionDef, scope: Scope) -> Any:
    """The function that a `def` makes."""
    arguments = node.args
    if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs:
        raise Fault("a function takes plain positional arguments only", Kind.DEF, "no *, /, *args or **kwargs")
    if len(node.decorator_list) > 1:
        raise Fault("a function takes one decorator at most", Kind.DEF, node=node.decorator_list[1])
    annotations = {}
    for argument in arguments.args:
        if argument.annotation is not None:
            annotation = _annotation(interpreter, argument.annotation, scope)
            if not isinstance(annotation, TypeValue) and not (
                isinstance(annotation, Builtin) and annotation.name == "DataFrame"
            ):
                raise Fault(
                    f"an annotation must be a type such as str or px.Pod, not {article(annotation)}",
                    Kind.DEF,
                    node=argument.annotation,
                )
            annotations[argument.arg] = annotation
    names = tuple([argument.arg for argument in arguments.args])
    if len(set(names)) < len(names):
        twice = next(argument for position, argument in enumerate(arguments.args) if argument.arg in names[:position])
        raise Fault(f"SyntaxError: duplicate argument '{twice.arg}' in function definition", Kind.DEF, node=twice)
    with_default = names[len(names) - len(arguments.defaults) :]
    defaults = {
        name: interpreter.expression(value, scope) for name, value in zip(with_default, arguments.defaults, strict=True)
    }
    function = UserFunction(node.name, names, annotations, node, scope, defaults)
    if not node.decorator_list:
        return function
    decorator = node.decorator_list[0]
    found = interpreter.expression(decorator, scope)
    if not isinstance(found, Builtin):
        raise Fault(f"{article(found)} is not a decorator", Kind.DEF, node=decorator)
    bound = Bound(interpreter, decorator)
    bind_builtin(found, bound, [(function, decorator)], [])
    return found.run(bound)


def _name(_interpreter: Interpreter, node: ast.Name, scope: Scope) -> Any:
    name = node.id
    inner: Scope | None = scope
    while inner is not None:
        if name in inner.values:
            value = inner.values[name]
            if value is POISON:
                raise Poisoned
            return value
        inner = inner.parent
    known: list[str] = []
    inner = scope
    while inner is not None:
        known.extend(inner.values)
        inner = inner.parent
    hint = f"'{name}' must be imported: import {name}" if name in {"px", "pxtrace", "pxviews", "pxconfig"} else ""
    hint = hint or habits.builtin(name) or suggestion(name, known)
    raise Fault(f"name '{name}' is not defined", Kind.NAME, hint)


def _constant(_interpreter: Interpreter, node: ast.Constant, _scope: Scope) -> Any:
    # The tree is kept between compilations, so the literal is kept with it.
    if "scalar" not in node.__dict__:
        node.__dict__["scalar"] = constant(node)
    return node.__dict__["scalar"]


def _list(interpreter: Interpreter, node: ast.List, scope: Scope) -> Any:
    return [interpreter.expression(item, scope) for item in node.elts]


def _tuple(interpreter: Interpreter, node: ast.Tuple, scope: Scope) -> Any:
    return tuple([interpreter.expression(item, scope) for item in node.elts])


def _dict(interpreter: Interpreter, node: ast.Dict, scope: Scope) -> Any:
    result: dict[Any, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            raise Fault("'**' in a dict is not part of PxL", Kind.MODULE, node=value)
        found = interpreter.expression(key, scope)
        constant_key = found.literal if isinstance(found, Scalar) else None
        if constant_key is None:
            raise Fault("keys of a dict must be literals", Kind.SUBSCRIPT, node=key)
        result[constant_key] = interpreter.expression(value, scope)
    return result


def _attribute(interpreter: Interpreter, node: ast.Attribute, scope: Scope) -> Any:
    base = interpreter.expression(node.value, scope)
    if isinstance(base, Frame):
        kept = _kept(interpreter, node, base, scope)
        if kept is not None:
            return dataframe.attribute(kept, node.attr)
        _check_available(interpreter, node.value)
        return dataframe.attribute(base, node.attr)
    return _member(base, node.attr)


def _kept(interpreter: Interpreter, node: ast.Attribute, base: Frame, scope: Scope) -> Frame | None:
    """Inside `made.column = base.name`, where `made` was made from `base` and has `name` itself: `made`."""
    if interpreter.assigning is None or not isinstance(node.value, ast.Name) or node.value.id == interpreter.assigning:
        return None
    inner: Scope | None = scope
    while inner is not None and interpreter.assigning not in inner.values:
        inner = inner.parent
    made = inner.values[interpreter.assigning] if inner is not None else None
    if not isinstance(made, Frame) or node.attr not in made.columns:
        return None
    return made if any(each is base.node for each in postorder([made.node])) else None


def _member(base: Any, name: str) -> Any:
    if isinstance(base, Module):
        value = base.get(name)
        if value is None:
            hint = (habits.FUNCTIONS.get(name) if base.name == "px" else "") or suggestion(name, base.names())
            raise Fault(f"'{base.name}' has no attribute '{name}'", Kind.NAME, hint)
        return value
    if isinstance(base, Grouped):
        return dataframe.grouped_attribute(base, name)
    if isinstance(base, Context):
        raise Fault("'ctx' has no attributes", Kind.NAME, f"write ctx['{name}']")
    hint = habits.method(name) if isinstance(base, (Scalar, TypeValue)) else ""
    raise Fault(f"{article(base)} has no attribute '{name}'", Kind.NAME, hint)


def _check_available(interpreter: Interpreter, node: ast.expr) -> None:
    """Inside `df.column = ...` only columns of `df` mean something."""
    if interpreter.assigning is not None and isinstance(node, ast.Name) and node.id != interpreter.assigning:
        raise Fault(
            f"name '{node.id}' is not available in this context",
            Kind.NAME,
            f"only columns of '{interpreter.assigning}' can be used here; merge the DataFrames first",
            node,
        )


def _subscript(interpreter: Interpreter, node: ast.Subscript, scope: Scope) -> Any:
    base = interpreter.expression(node.value, scope)
    if isinstance(node.slice, ast.Slice):
        raise Fault("a slice is not part of PxL", Kind.SUBSCRIPT, "use df.head(n) for the first rows", node.slice)
    if isinstance(base, Frame):
        _check_available(interpreter, node.value)
    key = interpreter.expression(node.slice, scope)
    try:
        return _item(interpreter, base, key, node.slice)
    except Fault as fault:
        fault.node = fault.node or (node.slice if not isinstance(base, (Scalar, Module)) else node)
        raise


def _item(interpreter: Interpreter, base: Any, key: Any, where: ast.expr) -> Any:
    constant_key = key.literal if isinstance(key, Scalar) else None
    if isinstance(base, Frame):
        if isinstance(key, (list, tuple)) and not is_form(key):
            return dataframe.keep(interpreter, base, _column_names(key, where), where)
        if isinstance(constant_key, str):
            return dataframe.column(base, constant_key)
        if isinstance(key, Scalar):
            return dataframe.filter_rows(interpreter, base, key)
        hint = HINT if computes(key) else ""
        raise Fault(f"a DataFrame cannot be indexed by {article(key)}", Kind.SUBSCRIPT, hint)
    if isinstance(base, Context):
        if not isinstance(constant_key, str):
            raise Fault("a key of 'ctx' is a string, such as ctx['pod']", Kind.SUBSCRIPT)
        found = metadata(base.frame, constant_key)
        if isinstance(found.expression, Call):
            interpreter.place(found.expression.function, found, where)
        return found
    if isinstance(base, (list, tuple)):
        if not isinstance(constant_key, int) or isinstance(constant_key, bool):
            raise Fault(f"{describe(base)} indices must be integers", Kind.SUBSCRIPT)
        if not -len(base) <= constant_key < len(base):
            raise Fault(f"{describe(base)} index out of range: it has {len(base)} elements", Kind.SUBSCRIPT)
        return base[constant_key]
    if isinstance(base, Grouped):
        raise Fault(
            f"{base.method} must be followed by agg()", Kind.DATAFRAME, "df.groupby('a').agg(out=('b', px.mean))"
        )
    raise Fault(f"{article(base)} is not subscriptable", Kind.NAME)


def _column_names(key: list[Any] | tuple[Any, ...], where: ast.expr) -> list[str]:
    names = []
    for position, item in enumerate(key):
        name = item.literal if isinstance(item, Scalar) else None
        if not isinstance(name, str):
            message = f"columns to keep are named by strings, not by {article(item)}"
            raise Fault(message, Kind.SUBSCRIPT, node=element(where, position))
        names.append(name)
    return names


def _call(interpreter: Interpreter, node: ast.Call, scope: Scope) -> Any:
    function = _callee(interpreter, node.func, scope)
    args: list[tuple[Any, ast.AST]] = [(_argument(interpreter, arg, scope), arg) for arg in node.args]
    keywords: list[tuple[str, Any, ast.AST]] = []
    for keyword in node.keywords:
        if keyword.arg is None:
            raise Fault("'**' in a call is not part of PxL", Kind.CALL, node=keyword.value)
        keywords.append((keyword.arg, _argument(interpreter, keyword.value, scope), keyword))
    return invoke(interpreter, function, args, keywords, node)


def _callee(interpreter: Interpreter, node: ast.expr, scope: Scope) -> Any:
    if not isinstance(node, ast.Attribute):
        return interpreter.expression(node, scope)
    base = interpreter.expression(node.value, scope)
    if not isinstance(base, Frame):
        try:
            return _member(base, node.attr)
        except Fault as fault:
            fault.node = node
            raise
    if not dataframe.has_method(node.attr):
        if node.attr in base.columns:
            hint = f"'{node.attr}' is a column: leave out the ()"
        else:
            hint = habits.frame(node.attr) or suggestion(node.attr, dataframe.methods())
        raise Fault(f"DataFrame has no method '{node.attr}'", Kind.NAME, hint, node)
    return dataframe.attribute(base, node.attr, called=True)


def _argument(interpreter: Interpreter, node: ast.expr, scope: Scope) -> Any:
    """An argument's value; an error in it is reported at once, so that those in other arguments are too."""
    try:
        return interpreter.expression(node, scope)
    except Fault as fault:
        interpreter.report(fault, node)
    except Poisoned:
        pass
    return POISON


def invoke(
    interpreter: Interpreter,
    function: Any,
    args: list[tuple[Any, ast.AST]],
    keywords: list[tuple[str, Any, ast.AST]],
    node: ast.AST,
) -> Any:
    """Call `function`, whatever it is."""
    if isinstance(function, Builtin):
        bound = Bound(interpreter, node)
        bind_builtin(function, bound, args, keywords)
        return function.run(bound)
    if any(value is POISON for value, _ in args) or any(value is POISON for _, value, _ in keywords):
        raise Poisoned
    if isinstance(function, FunctionValue):
        if function.name in AGGREGATES:
            return called(function.name, args, keywords, node)
        if function.name in _WITH_REGEX and args:
            _check_regex(interpreter, *args[0])
        return interpreter.place(function.name, _call_function(function.name, args, keywords), node)
    if isinstance(function, UserFunction):
        return interpreter.call_user(function, args, keywords, node)
    if isinstance(function, TypeValue):
        if len(args) != 1 or keywords:
            raise Fault(f"{function.name}() takes exactly one argument", Kind.CALL)
        if computes(args[0][0]):
            return compute(lambda made: cast(function, made[0]), [args[0][0]], [args[0][1]])
        return cast(function, as_scalar(args[0][0], f"the argument of {function.name}()"))
    if isinstance(function, Scalar) and not isinstance(function.expression, Literal):
        raise Fault("an expression is not callable", Kind.NAME)
    raise Fault(f"{article(function)} is not callable", Kind.NAME)


#: Functions whose first argument is a regular expression.
_WITH_REGEX = frozenset({"regex_match", "replace"})


def _check_regex(interpreter: Interpreter, value: Any, where: ast.AST) -> None:
    """Warn of what is no regular expression: it compiles, as on Pixie, and matches nothing."""
    text = value.literal if isinstance(value, Scalar) else None
    if isinstance(text, str) and (wrong := problem(text)):
        hint = "RE2 has no lookahead, lookbehind or backreference" if "(?" in text or "\\" in text else ""
        interpreter.warn(Fault(f"this regular expression is not valid: {wrong}", Kind.TYPE, hint), where)


def _call_function(name: str, args: list[tuple[Any, ast.AST]], keywords: list[tuple[str, Any, ast.AST]]) -> Any:
    if name not in SCALARS:
        raise not_scalar(name)
    if keywords:
        raise Fault(f"{name}() takes no keyword arguments", Kind.CALL, "give the arguments by position", keywords[0][2])
    if computes(*(value for value, _ in args)):
        return compute(partial(call, name), [value for value, _ in args], [where for _, where in args])
    values = []
    for value, where in args:
        if not isinstance(value, Scalar):
            hint = "call the function" if describe(value) == "function" else ""
            raise Fault(f"an argument of {name}() must be an expression, not {article(value)}", Kind.CALL, hint, where)
        values.append(value)
    return call(name, values)


HANDLERS: MappingProxyType[type[ast.expr], Any] = MappingProxyType(
    {
        ast.Attribute: _attribute,
        ast.BinOp: operations.binary,
        ast.BoolOp: operations.boolean,
        ast.Call: _call,
        ast.Compare: operations.compare,
        ast.Constant: _constant,
        ast.Dict: _dict,
        ast.IfExp: operations.conditional,
        ast.JoinedStr: operations.joined_string,
        ast.List: _list,
        ast.Name: _name,
        ast.Subscript: _subscript,
        ast.Tuple: _tuple,
        ast.UnaryOp: operations.unary,
    }
)
