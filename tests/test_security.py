"""What SECURITY.md claims: each of its sentences has a test here, or is no claim."""

from __future__ import annotations

import ast
import json
import re
from contextlib import ExitStack
from pathlib import Path

import pytest
from samples import write_suite
from servers.answers import writer
from servers.openai_server import OpenAIServer

from longbench_write import evaluate, report
from longbench_write.backends.openai.endpoint import DEFAULT_BASE_URL
from longbench_write.exchange.exporting import Scored
from longbench_write.exchange.exports import EXPORTS

TESTS = Path(__file__).parent
DOCUMENT = TESTS.parent / "SECURITY.md"
NO_CLAIMS = ("Reporting",)
"""Sections that promise nothing of the program."""
CLAIMS = {
    "official files come out of pinned wheels or from URLs, and count only with the sha256": [
        "assets/test_assets.py::test_wrong_hash_from_the_repository_is_refused_and_the_index_asked",
        "assets/test_assets.py::test_wrong_hash_of_the_member_is_refused_by_name",
    ],
    "where you name variables with `--api-key-env` and `--header`, their values": [
        "backends/test_servers.py::test_a_header_carries_its_variables_value",
    ],
    "No key is sent to a base URL unasked": [
        "runs/test_evaluation.py::test_a_key_is_sent_to_no_foreign_server_unasked"
    ],
    "`OPENAI_BASE_URL` names, else to api.openai.com": ["test_security.py::test_who_gets_the_default_key"],
    "read as JSON, never evaluated": ["backends/test_replies.py"],
    "A malformed answer is an error with a reason": [
        "backends/test_replies.py",
        "backends/test_openai_errors.py",
    ],
    "Control characters never reach a terminal": [
        "test_hostile.py::test_a_hostile_response_is_kept_whole_and_commands_nothing"
    ],
    "HTML in the report is escaped": ["reports/test_page.py::test_hostile_text_opens_no_element"],
    "Six integers from one JSON object, or a reason": [
        "judging/test_reply.py::test_no_text_raises_and_every_reply_is_six_integers_or_a_reason"
    ],
    "An object that also occurs in the response is a quotation": [
        "judging/test_reply.py::test_a_quoted_reply_is_never_taken_for_the_judges_own"
    ],
    "the first invalid line is named": ["files/test_jsonl.py::test_an_unreadable_line_is_named"],
    "Ids are never used as paths": ["test_security.py::test_ids_are_no_paths"],
    "no `..`, no slash, no device, at most 80 characters": [
        "runs/test_folder.py::test_any_model_name_is_one_folder_inside",
        "runs/test_folder.py::test_no_folder_is_a_device",
        "test_hostile.py::test_any_model_name_stays_inside_the_folder_for_runs",
    ],
    "different names have different folders": [
        "runs/test_folder.py::test_different_names_have_different_folders"
    ],
    "gets the value of a variable only where you name both": [
        "judging/test_judge.py::test_somebodys_card_sends_no_variable_to_a_server_that_nobody_else_named",
        "judging/test_judge.py::test_what_the_user_has_named_is_sent",
    ],
    "Read for keys alone, never over the environment": [
        "backends/test_servers.py::test_an_env_file_never_overrides_the_environment"
    ],
    "its `OPENAI_BASE_URL` gets only keys from the same file": [
        "backends/test_servers.py::test_a_files_base_url_gets_only_a_key_of_the_same_file"
    ],
    "No proxy, path or other variable is taken from it": [
        "backends/test_servers.py::test_an_env_file_never_overrides_the_environment"
    ],
    "Followed within the same server alone, and only as the same request": [
        "backends/test_servers.py::test_a_redirect_to_another_server_is_refused",
        "backends/test_servers.py::test_a_redirect_that_drops_the_body_is_no_answer",
    ],
    "Plain types only, no objects": ["files/test_yaml_text.py::test_hostile_yaml_is_refused"],
    "aliases, nesting and size are limited": [
        "files/test_yaml_text.py::test_hostile_yaml_is_refused",
        "files/test_yaml_text.py::test_a_file_larger_than_any_is_not_read_whole",
    ],
    "nothing is unpacked by us": ["assets/test_assets.py::test_members_outside_the_wheel_are_never_written"],
    "A link in the cache is not followed": [
        "assets/test_assets.py::test_link_in_the_cache_is_replaced_and_its_target_left_alone",
    ],
    "an apostrophe stands before untrusted text that a spreadsheet would evaluate": [
        "render/test_csv.py::test_no_cell_begins_with_a_sign_however_the_file_is_read",
    ],
    "Text that begins with an apostrophe gets another": ["render/test_csv.py::test_every_text_comes_back"],
    "neither a terminal nor the runner of a CI job obeys what is in them": [
        "render/test_escapes.py::test_any_text_is_one_line_that_no_runner_obeys",
        "render/test_escapes.py::test_a_terminal_obeys_nothing_but_line_feeds",
        "render/test_escapes.py::test_a_runner_obeys_no_line",
    ],
    "Markup in a server's error is text": [
        "cli/test_streams.py::test_what_a_server_says_is_no_markup_on_a_terminal"
    ],
    "Exports are exact where stdout is a file or a pipe, and printable where it is a terminal": [
        "test_hostile.py::test_a_hostile_response_is_kept_whole_and_commands_nothing",
        "cli/test_streams.py::test_an_export_on_a_terminal_is_not_obeyed",
    ],
    "written under a name that cannot be guessed, which must not be there yet": [
        "files/test_whole.py::test_a_link_planted_at_the_temporary_name_is_not_followed",
        "files/test_whole.py::test_what_killed_processes_left_is_removed_and_nothing_else",
    ],
    "A symbolic link at a file's final name is replaced by the file": [
        "files/test_whole.py::test_a_link_at_the_files_name_is_replaced_and_what_it_names_is_left_alone",
        "test_hostile.py::test_links_planted_in_a_run_folder_and_for_outputs_are_not_written_through",
    ],
    "A link in the place of the lock or of a file of records, which is appended to, is refused": [
        "runs/test_lock.py::test_links_that_somebody_planted_are_not_followed",
        "files/test_jsonl.py::test_what_is_no_regular_file_is_refused",
    ],
    "A device or a pipe named with `-o` is written to and stays what it is": [
        "files/test_whole.py::test_a_device_stays_one",
        "files/test_whole.py::test_a_pipe_that_nobody_reads_is_refused_at_once",
    ],
    "A folder that `-o` lacks is named, not made": [
        "files/test_output.py::test_a_file_whose_folder_cannot_be_used_is_refused_and_nothing_is_made"
    ],
    "One process at a time writes to a run folder": [
        "runs/test_lock.py::test_without_file_locks_the_lease_decides"
    ],
    "Besides the file lock there is a lease, which is touched every few seconds": [
        "runs/test_lock.py::test_without_file_locks_the_lease_decides",
        "runs/test_lock.py::test_the_lease_is_touched_and_records_are_handed_to_the_disk_while_it_lasts",
    ],
    "nothing is written to what took its place": [
        "runs/test_lock.py::test_a_lost_folder_is_noticed_and_nothing_is_written_to_what_took_its_place"
    ],
    "imports no module of the folder that you work in": [
        "assets/test_fetching.py::test_no_module_of_the_working_folder_is_run"
    ],
    "Keys are read from environment variables, or an env file": [
        "test_security.py::test_who_gets_the_default_key",
        "backends/test_servers.py::test_a_files_base_url_gets_only_a_key_of_the_same_file",
    ],
    "A test searches everything that a run leaves behind, after failures too": [
        "test_hostile.py::test_no_key_is_left_behind_whatever_a_server_echoes"
    ],
    "They are in no file of a run, no log, no progress line and no error message, with `--debug` neither": [
        "test_hostile.py::test_no_key_is_left_behind_whatever_a_server_echoes",
        "test_hostile.py::test_no_key_is_in_a_traceback",
    ],
    "passwords of URLs that a server echoes are removed": [
        "backends/test_servers.py::test_no_secret_that_a_server_echoes_is_kept",
        "backends/test_servers.py::test_a_password_that_a_server_echoes_is_struck_out",
    ],
    "User names, passwords and queries are cut out of base URLs": [
        "test_urls.py::test_what_may_be_secret_is_not_shown"
    ],
    "A key given in place of its variable's name is refused": [
        "test_hostile.py::test_a_key_in_place_of_its_variables_name_is_refused_and_not_repeated"
    ],
    "vLLM or transformers runs that code": [
        "backends/test_hf_runs.py::test_code_of_a_repository_is_run_where_it_is_trusted",
        "backends/test_vllm_longwriter.py::test_longwriter_glm4_9b_runs_with_the_tokenizer_of_its_repository",
    ],
    "Without it, nothing of a model but its weights, its tokenizer and its template is used": [
        "backends/test_vllm_longwriter.py::test_longwriter_glm4_9b_runs_without_code_from_its_repository",
        "backends/test_hf_runs.py::test_longwriter_glm4_9b_runs_without_code_from_its_repository",
    ],
    "It is off unless you give the option": [
        "runs/test_plan.py::test_no_code_of_a_repository_is_run_unless_it_is_asked_for",
        "backends/test_hf_runs.py::test_code_of_a_repository_is_run_where_it_is_trusted",
    ],
    "Responses that try are flagged, not corrected": [
        "scoring/test_injection.py::test_attacks_are_suspected"
    ],
}
"""Claims in the document's own words, and the tests (or the files of tests) that show them."""


def plain(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("claim", CLAIMS)
def test_each_claim_is_made_and_has_its_tests(claim):
    assert claim in plain(DOCUMENT.read_text(encoding="utf-8"))
    for test in CLAIMS[claim]:
        path, _, name = test.partition("::")
        tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert not name or name in names, test


def test_each_sentence_has_a_claim_that_is_tested():
    sections = re.split(r"^## ", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    for section in sections:
        title, _, text = section.partition("\n")
        if title in NO_CLAIMS:
            continue
        for part in map(plain, re.split(r"\n\n|\n(?=[-|])", text.strip())):
            for sentence in re.split(r"(?<=\.) (?=[A-Z`])", part):
                if not sentence.startswith(NO_NEED):
                    assert any(claim in sentence for claim in CLAIMS), sentence


NO_NEED = (
    "| Text from |",
    "| --- |",
    "- **You and your command line**",
    "The judge's server sees",
    "It may still stand in your shell's history",
    "Some models on a hub include",
    "Give it only for models",
    "Weights in pickle files",
    "- Another user with write access",
    "- A judge can be talked into",
    "- A server can answer anything",
)
"""Sentences that say what is trusted, or not protected against, or give advice."""

SECRET = "sk-0123456789abcdef"


@pytest.mark.parametrize(
    ("environment", "options", "asked", "key"),
    [
        ({}, {}, "default", SECRET),
        ({"OPENAI_BASE_URL": "environment"}, {}, "environment", SECRET),
        ({}, {"base_url": "given"}, "given", None),
        ({"OPENAI_BASE_URL": "environment"}, {"base_url": "given"}, "given", None),
        ({}, {"base_url": "given", "api_key_env": "OPENAI_API_KEY"}, "given", SECRET),
    ],
)
def test_who_gets_the_default_key(tmp_path, monkeypatch, environment, options, asked, key):
    assert DEFAULT_BASE_URL == "https://api.openai.com/v1"
    names = ("default", "environment", "given")
    with ExitStack() as stack:
        servers = {name: stack.enter_context(OpenAIServer(writer(20))) for name in names}
        default = servers["default"].base_url
        monkeypatch.setattr("longbench_write.backends.openai.backend.DEFAULT_BASE_URL", default)
        monkeypatch.setenv("OPENAI_API_KEY", SECRET)
        for name, server in environment.items():
            monkeypatch.setenv(name, servers[server].base_url)
        more = {"base_url": [servers[options["base_url"]].base_url]} if "base_url" in options else {}
        suite = str(write_suite(tmp_path, (100,)))
        evaluate(model="m", suite=suite, out=tmp_path / "out", judge="none", **options | more)
        assert [name for name in names if servers[name].requests] == [asked]
        sent = {request.headers.get("authorization") for request in servers[asked].requests}
        assert (f"Bearer {SECRET}" in sent) == (key is not None)
        assert len(sent) == 1


def test_ids_are_no_paths(tmp_path):
    suite = tmp_path / "odd.jsonl"
    ids = ("../../up", "/tmp/absolute", "a/b", "..", "con")
    lines = [{"id": name, "prompt": f"Write {name}.", "type": "t", "length": 50} for name in ids]
    suite.write_text("".join(json.dumps(line) + "\n" for line in lines))
    out = tmp_path / "out"
    with OpenAIServer(writer(20)) as server:
        evaluate(model="m", suite=str(suite), out=out, judge="none", base_url=[server.base_url])
    (run,) = out.glob("*/*/*")
    EXPORTS.get("reference")(Scored.load(run), tmp_path / "exported")
    report(run, output=tmp_path / "report.html")
    assert {path.name for path in tmp_path.iterdir()} == {"odd.jsonl", "out", "exported", "report.html"}
    assert not [path for path in (run, tmp_path / "exported") for each in path.iterdir() if each.is_dir()]
