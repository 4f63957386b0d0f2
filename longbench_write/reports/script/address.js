// A sample's address: #run=LABEL&id=PROMPT&sample=NUMBER, and &with=LABEL for another run beside it.

function addressOf(sample, other = null) {
  const parts = new URLSearchParams({ run: runOf(sample).name, id: sample.id, sample: sample.sample });
  if (other !== null) parts.set("with", index.runs[other].name);
  return `#${parts}`;
}

/** The runs that go by this name, the closest meaning first. */
function runsNamed(name) {
  const numbers = index.runs.map((_, number) => number);
  return ["name", "folder", "label", "model"].flatMap((part) =>
    numbers.filter((number) => index.runs[number][part] === name));
}

/** What an address points to: null if it is none of ours, else `{run, other, sample}` or `{missing}`. */
function readAddress(hash) {
  const parts = new URLSearchParams(hash.slice(1));
  if (!parts.has("run")) return null;
  const named = runsNamed(parts.get("run"));
  if (!named.length) return { missing: `There is no run ${parts.get("run")} in this report.` };
  if (!parts.has("id")) return { run: named[0], other: null, sample: null };
  const key = keyOf(parts.get("id"), Number(parts.get("sample") ?? 0));
  const run = named.find((number) => byRun[number].has(key));
  if (run === undefined) {
    return { missing: `${parts.get("run")} has no sample ${parts.get("sample") ?? 0} of ${parts.get("id")}.` };
  }
  const beside = parts.has("with") ? runsNamed(parts.get("with")) : [];
  const other = beside.find((number) => number !== run && index.runs[number].suite === index.runs[run].suite);
  if (parts.has("with") && other === undefined) {
    return { missing: `${parts.get("with")} is no other run of the same suite in this report.` };
  }
  return { run, other: other ?? null, sample: byRun[run].get(key) };
}
