"""The language server: what editors ask over standard input and output, answered by the modules beside it."""

from __future__ import annotations

import asyncio
import itertools
import re
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path

from sylph import __version__
from sylph.editor.check import ScriptText, check
from sylph.editor.complete import Kind, complete, hover
from sylph.editor.findings import Finding, Severity
from sylph.editor.formatting import FormatError, format_source
from sylph.editor.positions import from_units, line_edits, to_units
from sylph.editor.project import VIS, vis_beside
from sylph.editor.signature import signature_help
from sylph.editor.symbols import Symbol, SymbolKind, symbols
from sylph.library.loader import ScriptError, read_text
from sylph.pxl.errors import CompileError, split_lines

#: After a change, wait until the user stops typing.
_PAUSE_S = 0.15
_DID_YOU_MEAN = re.compile(r"did you mean '(\w+)'\?")
_COMPLETION = {
    Kind.AGGREGATE: lsp.CompletionItemKind.Function,
    Kind.ARGUMENT: lsp.CompletionItemKind.Property,
    Kind.COLUMN: lsp.CompletionItemKind.Field,
    Kind.FUNCTION: lsp.CompletionItemKind.Function,
    Kind.KEY: lsp.CompletionItemKind.EnumMember,
    Kind.KEYWORD: lsp.CompletionItemKind.Keyword,
    Kind.METHOD: lsp.CompletionItemKind.Method,
    Kind.MODULE: lsp.CompletionItemKind.Module,
    Kind.PROPERTY: lsp.CompletionItemKind.Property,
    Kind.SCRIPT: lsp.CompletionItemKind.File,
    Kind.TABLE: lsp.CompletionItemKind.Struct,
    Kind.TABLE_FUNCTION: lsp.CompletionItemKind.Function,
    Kind.TYPE: lsp.CompletionItemKind.Class,
    Kind.VALUE: lsp.CompletionItemKind.Value,
    Kind.VARIABLE: lsp.CompletionItemKind.Variable,
}
_SYMBOL = {
    SymbolKind.FUNCTION: lsp.SymbolKind.Function,
    SymbolKind.VARIABLE: lsp.SymbolKind.Variable,
    SymbolKind.TABLE: lsp.SymbolKind.Struct,
}


class ScriptServer(LanguageServer):
    """A language server for PxL. Texts are those of the editor; a vis.json that is not open is read from its folder."""

    def __init__(self) -> None:
        # Whole texts: the library splits lines at more characters than editors do, so parts could go astray.
        super().__init__("px", __version__, text_document_sync_kind=lsp.TextDocumentSyncKind.Full)
        self.texts: dict[str, str] = {}
        self.was_shut_down = False
        #: The newest check of each document. No number comes twice: a document may be closed and opened during one.
        self._rounds: dict[str, int] = {}
        self._numbers = itertools.count()
        self._symbols: dict[str, list[lsp.DocumentSymbol]] = {}

    # Places.

    @property
    def encoding(self) -> str:
        """How the editor counts columns."""
        return str(getattr(self.workspace.position_encoding, "value", self.workspace.position_encoding) or "utf-16")

    def position(self, lines: list[str], line: int, column: int) -> lsp.Position:
        """A place from 1 as the editor counts."""
        if not 1 <= line <= len(lines):
            return lsp.Position(max(0, min(line, len(lines)) - 1), 0)
        return lsp.Position(line - 1, to_units(lines[line - 1], column, self.encoding))

    def range(self, lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> lsp.Range:
        """Two places from 1 as the editor counts."""
        return lsp.Range(self.position(lines, *start), self.position(lines, *end))

    def place(self, uri: str, position: lsp.Position) -> tuple[int, int]:
        """The editor's position as line and column from 1."""
        lines = split_lines(self.texts.get(uri, ""))
        if position.line >= len(lines):
            return position.line + 1, 1
        return position.line + 1, from_units(lines[position.line], position.character, self.encoding)

    # Checking.

    async def check_soon(self, uri: str, pause: float = _PAUSE_S) -> None:
        """Checks a document when it has not changed for a moment, and tells the editor what was found."""
        mine = self._rounds[uri] = next(self._numbers)
        await asyncio.sleep(pause)
        if self._rounds.get(uri) != mine:
            return
        script = self._script(uri)
        if script is None:
            return
        found = await asyncio.to_thread(check, script)
        if self._rounds.get(uri) == mine:
            self._publish(script, found)

    async def check_all(self) -> None:
        """Checks every open document again: files beside them have changed."""
        await asyncio.gather(*(self.check_soon(uri, 0) for uri in list(self.texts)))

    def forget(self, uri: str) -> None:
        """The editor closed a document."""
        self._rounds.pop(uri, None)
        self.texts.pop(uri, None)
        self._symbols.pop(uri, None)
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))

    def _script(self, uri: str) -> ScriptText | None:
        """The script that a document belongs to: a .pxl, or the vis.json beside one."""
        path = _path(uri)
        if path is not None and path.name == VIS:
            beside = list(path.parent.glob("*.pxl"))
            if len(beside) != 1:
                return None
            path, uri = beside[0], from_fs_path(str(beside[0])) or ""
        source = self._text(uri, path)
        if source is None:
            return None
        vis = vis_beside(path) if path is not None else None
        if vis is None:
            return ScriptText(uri, source)
        vis_uri = self._open_uri(vis) or from_fs_path(str(vis)) or ""
        return ScriptText(uri, source, vis_uri, self._text(vis_uri, vis))

    def _open_uri(self, path: Path) -> str | None:
        """The open document of a file: editors may write its address in another way than we do."""
        return next((uri for uri in self.texts if _path(uri) == path), None)

    def _text(self, uri: str, path: Path | None) -> str | None:
        known = self.texts.get(uri)
        if known is None and path is not None:
            open_uri = self._open_uri(path)
            known = self.texts.get(open_uri) if open_uri else None
        if known is not None or path is None:
            return known
        try:
            return read_text(path)
        except ScriptError:
            return None

    def _publish(self, script: ScriptText, found: list[Finding]) -> None:
        texts = {script.path: script.source}
        if script.vis is not None:
            texts[script.vis_path] = script.vis
        for uri, text in texts.items():
            lines = split_lines(text)
            diagnostics = [self._diagnostic(uri, one, lines) for one in found if one.path == uri]
            self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, diagnostics))

    def _diagnostic(self, uri: str, finding: Finding, lines: list[str]) -> lsp.Diagnostic:
        line, column = max(1, finding.line), max(1, finding.column)
        # What has no place is about all of it: the first line stands for that.
        length = finding.length if finding.line else max(1, len(lines[0]))
        calls = [
            lsp.DiagnosticRelatedInformation(
                lsp.Location(uri, self.range(lines, (at, 1), (at, len(lines[at - 1]) + 1))),
                f"{function}() is called here",
            )
            for function, at in finding.calls
            if 1 <= at <= len(lines)
        ]
        return lsp.Diagnostic(
            range=self.range(lines, (line, column), (line, column + length)),
            message=f"{finding.message}\nhelp: {finding.hint}" if finding.hint else finding.message,
            severity=lsp.DiagnosticSeverity.Error
            if finding.severity is Severity.ERROR
            else lsp.DiagnosticSeverity.Warning,
            code=finding.area,
            source="px",
            related_information=calls or None,
        )

    # Answers.

    def completions(self, uri: str, position: lsp.Position) -> list[lsp.CompletionItem]:
        """What can be written at a place."""
        source = self.texts.get(uri)
        if source is None or not _is_script(uri):
            return []
        line, column = self.place(uri, position)
        lines = split_lines(source)
        items = []
        for number, one in enumerate(complete(source, line, column)):
            if one.start < 1:  # a text that began lines above
                continue
            replaced = self.range(lines, (line, one.start), (line, column))
            items.append(
                lsp.CompletionItem(
                    label=one.label,
                    kind=_COMPLETION[one.kind],
                    detail=one.detail or None,
                    documentation=_markdown(one.doc) if one.doc else None,
                    text_edit=lsp.TextEdit(replaced, one.label),
                    # Editors sort by text: this keeps the order, best first.
                    sort_text=f"{number:05}",
                )
            )
        return items

    def hover(self, uri: str, position: lsp.Position) -> lsp.Hover | None:
        """What is known of the name at a place."""
        source = self.texts.get(uri)
        if source is None or not _is_script(uri):
            return None
        line, column = self.place(uri, position)
        found = hover(source, line, column)
        if found is None:
            return None
        title = found.detail if found.detail.startswith(found.label) else f"{found.label}: {found.detail}".rstrip(": ")
        text = f"```python\n{title}\n```\n{found.kind.value}"
        text = f"{text}\n\n{found.doc}" if found.doc else text
        return lsp.Hover(_markdown(text), self.range(split_lines(source), (line, found.start), (line, found.end)))

    def signature(self, uri: str, position: lsp.Position) -> lsp.SignatureHelp | None:
        """The signature of the call around a place."""
        source = self.texts.get(uri)
        found = signature_help(source, *self.place(uri, position)) if source is not None and _is_script(uri) else None
        if found is None:
            return None
        # Texts, not offsets: not every editor counts offsets of a label.
        parameters = [lsp.ParameterInformation(found.label[start:end]) for start, end in found.parameters]
        doc = _markdown(found.doc) if found.doc else None
        # A number beyond the last: no parameter is shown as the one that is being written.
        active = len(parameters) if found.active is None else found.active
        # In both places: null in the inner one means that there is none, for editors that know version 3.18.
        return lsp.SignatureHelp([lsp.SignatureInformation(found.label, doc, parameters, active)], 0, active)

    def formatted(self, uri: str) -> list[lsp.TextEdit] | None:
        """What the formatter changes; None if the script cannot be parsed, which a diagnostic tells already."""
        source = self.texts.get(uri)
        if source is None or not _is_script(uri):
            return None
        try:
            after = format_source(source)
        except CompileError:
            return None
        except FormatError as error:
            self.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Warning, str(error)))
            return None
        lines = split_lines(source)
        edits = []
        for edit in line_edits(source, after):
            start = (edit.start, len(lines[edit.start - 1]) + 1) if edit.tail else (edit.start + 1, 1)
            end = (edit.end + 1, 1) if edit.end < len(lines) else (len(lines), len(lines[-1]) + 1)
            edits.append(lsp.TextEdit(self.range(lines, start, end), edit.text))
        return edits

    def symbols(self, uri: str) -> list[lsp.DocumentSymbol]:
        """What a script defines; while it cannot be parsed, what it last defined."""
        source = self.texts.get(uri)
        if source is None or not _is_script(uri):
            return []
        try:
            found = symbols(source)
        except CompileError:
            return self._symbols.get(uri, [])
        lines = split_lines(source)
        self._symbols[uri] = [self._symbol(one, lines) for one in found]
        return self._symbols[uri]

    def _symbol(self, one: Symbol, lines: list[str]) -> lsp.DocumentSymbol:
        return lsp.DocumentSymbol(
            name=one.name,
            kind=_SYMBOL[one.kind],
            detail=one.detail or None,
            range=self.range(lines, one.start, one.end),
            selection_range=self.range(lines, one.name_start, one.name_end),
        )

    def fixes(self, uri: str, diagnostics: list[lsp.Diagnostic]) -> list[lsp.CodeAction]:
        """Changes that put right what diagnostics tell."""
        lines = split_lines(self.texts.get(uri, ""))
        actions = []
        for one in diagnostics:
            meant = _DID_YOU_MEAN.search(one.message)
            if one.source != "px" or one.range.start.line != one.range.end.line or one.range.start.line >= len(lines):
                continue
            line = lines[one.range.start.line]
            start, end = (from_units(line, at.character, self.encoding) - 1 for at in (one.range.start, one.range.end))
            text = line[start:end]
            if meant and re.fullmatch(r"""(['"]?)\w+\1""", text):
                quote = text[0] if text[0] in "'\"" else ""
                new, title = f"{quote}{meant[1]}{quote}", f"Change to {meant[1]}"
            elif one.message.startswith("a comma is missing here"):
                new, title = f"{text},", "Put in the comma"
            else:
                continue
            edit = lsp.WorkspaceEdit(changes={uri: [lsp.TextEdit(one.range, new)]})
            actions.append(lsp.CodeAction(title, lsp.CodeActionKind.QuickFix, [one], is_preferred=True, edit=edit))
        return actions


def _path(uri: str) -> Path | None:
    found = to_fs_path(uri) if uri.startswith("file:") else None
    return Path(found) if found else None


def _is_script(uri: str) -> bool:
    """A vis.json may be open too, for its diagnostics alone."""
    path = _path(uri)
    return path is None or path.name != VIS


def _markdown(text: str) -> lsp.MarkupContent:
    return lsp.MarkupContent(lsp.MarkupKind.Markdown, text)


def make_server() -> ScriptServer:
    """The server with all that it answers."""
    server = ScriptServer()

    @server.feature(lsp.INITIALIZED)
    async def initialized(_params: lsp.InitializedParams) -> None:
        watching = (
            server.client_capabilities.workspace and server.client_capabilities.workspace.did_change_watched_files
        )
        if watching and watching.dynamic_registration:
            watchers = [lsp.FileSystemWatcher(f"**/{VIS}"), lsp.FileSystemWatcher("**/*.pxl")]
            options = lsp.DidChangeWatchedFilesRegistrationOptions(watchers)
            registration = lsp.Registration("px-files", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
            await server.client_register_capability_async(lsp.RegistrationParams([registration]))

    @server.feature(lsp.SHUTDOWN)
    def shutdown(*_params: Any) -> None:
        server.was_shut_down = True

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    async def did_open(params: lsp.DidOpenTextDocumentParams) -> None:
        server.texts[params.text_document.uri] = params.text_document.text
        await server.check_soon(params.text_document.uri, 0)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    async def did_change(params: lsp.DidChangeTextDocumentParams) -> None:
        for change in params.content_changes:
            server.texts[params.text_document.uri] = change.text
        await server.check_soon(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: lsp.DidCloseTextDocumentParams) -> None:
        server.forget(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    async def did_save(_params: lsp.DidSaveTextDocumentParams) -> None:
        await server.check_all()

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def watched(_params: lsp.DidChangeWatchedFilesParams) -> None:
        await server.check_all()

    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=[".", "'", '"', "/"]))
    def completion(params: lsp.CompletionParams) -> lsp.CompletionList:
        # Complete, so that editors filter it themselves while the user types on.
        return lsp.CompletionList(False, server.completions(params.text_document.uri, params.position))

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hovered(params: lsp.HoverParams) -> lsp.Hover | None:
        return server.hover(params.text_document.uri, params.position)

    @server.feature(lsp.TEXT_DOCUMENT_SIGNATURE_HELP, lsp.SignatureHelpOptions(trigger_characters=["(", ","]))
    def signature(params: lsp.SignatureHelpParams) -> lsp.SignatureHelp | None:
        return server.signature(params.text_document.uri, params.position)

    @server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    def formatting(params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
        return server.formatted(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def document_symbol(params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        return server.symbols(params.text_document.uri)

    @server.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix])
    )
    def code_action(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        return server.fixes(params.text_document.uri, list(params.context.diagnostics))

    return server
