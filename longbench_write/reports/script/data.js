// What the page knows without unfolding anything.

const index = JSON.parse(document.getElementById("index").textContent);

/** A response's identity within its run. */
function keyOf(id, number) {
  return JSON.stringify([id, number]);
}

const samples = index.samples.map((sample, number) => ({
  ...sample,
  number,
  key: keyOf(sample.id, sample.sample),
  suite: index.runs[sample.run].suite,
}));

/** Each run's samples by key. */
const byRun = index.runs.map(() => new Map());

/** Each suite's keys and their place: the order of first appearance. */
const order = index.suites.map(() => new Map());

for (const sample of samples) {
  byRun[sample.run].set(sample.key, sample);
  const places = order[sample.suite];
  if (!places.has(sample.key)) places.set(sample.key, places.size);
}

/** How many samples of a prompt there are at most; single ones need no number. */
const mostSamples = samples.reduce((most, { sample }) => Math.max(most, sample + 1), 1);

function runOf(sample) {
  return index.runs[sample.run];
}

function promptOf(sample) {
  const other = samplesBeside(sample).find(({ prompt }) => prompt !== null);
  const number = sample.prompt ?? other?.prompt ?? null;
  return number === null ? null : index.prompts[number];
}

/** The same sample of the same prompt in every other run of its suite. */
function samplesBeside(sample) {
  return index.runs
    .map((run, number) => (run.suite === sample.suite && number !== sample.run ? byRun[number].get(sample.key) : null))
    .filter(Boolean);
}

function nameOf(sample) {
  return mostSamples > 1 ? `${sample.id} · sample ${sample.sample}` : sample.id;
}

/** What a score is called, how it is read off a sample, and the ends of its range; null where it has none. */
const scores = [
  ["S_l", (sample) => sample.S_l, [0, 100]],
  ["S_q", (sample) => sample.S_q, [0, 100]],
  ...index.dimensions.map((name, place) => [name, (sample) => sample.dimensions?.[place] ?? null, index.scale]),
  ...index.metrics.map(({ name, range }) => [name, (sample) => sample.metrics[name] ?? null, range]),
];
