// One sample unfolded: what was asked, what was written, what the judge said.

const flagTitles = {
  truncated: "the limit of tokens cut it off",
  empty: "nothing but white space",
  repetitive: "much of it repeats itself",
  wrong_language: "not in the language that was asked for",
  refused: "declines the task",
  declined_length: "calls the text too long to be written at once",
  judge_injection_suspected: "speaks to the judge",
};

/** What a flag means; why one is suspect is said by `lbw-eval score RUN --suspects`. */
function flagTitle(flag) {
  if (flag.startsWith("suspect: ")) return "probably spoilt on its way from the model; scored as it stands";
  return flagTitles[flag] ?? null;
}

/** The flags of a sample, and how it ended where it has no score. */
function badges(sample) {
  const kind = sample.state === "not_judged" ? "quiet" : "bad";
  const state = element("span", { class: `badge ${kind}` }, index.states[sample.state]);
  const flags = sample.flags.map((flag) =>
    element("span", { class: "badge", title: flagTitle(flag) }, flag.replaceAll("_", " ")));
  return sample.state === "scored" ? flags : [state, ...flags];
}

/** Where a text begins to repeat itself, as an offset: `share` is of its words, as diagnostics.py counts them. */
function offsetOf(text, share) {
  const cjk = "[\\u3005\\u3007\\u3040-\\u30ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\uac00-\\ud7a3\\u{20000}-\\u{3ffff}]";
  const units = text.matchAll(new RegExp(`${cjk}|(?:(?!${cjk})[\\p{L}\\p{N}])+`, "gu"));
  const places = [...units].map(({ index: place }) => place);
  return places[Math.min(places.length - 1, Math.round(share * places.length))] ?? 0;
}

/** How many words a step wrote, of how many that were planned. */
function stepText({ step, planned, written, left_out: leftOut }) {
  const less = leftOut ? `, without the first ${leftOut === 1 ? "text" : `${counted(leftOut)} texts`}` : "";
  return `${step}: ${counted(written)}${planned === null ? "" : ` of ${counted(planned)}`} words${less}`;
}

/** The response as text, with marks where its steps begin and where it begins to repeat itself. */
function responseText(sample, { response, steps }) {
  const marks = steps.map((step) => [step.start, element("span", { class: "step" }, stepText(step))]);
  if (sample.repeated_from !== null) {
    const said = `repetition begins here, at ${percent(sample.repeated_from)}`;
    marks.push([offsetOf(response, sample.repeated_from), element("mark", { class: "loop" }, said)]);
  }
  marks.sort(([one], [other]) => one - other);
  const ends = [...marks.slice(1).map(([place]) => place), response.length];
  return [
    response.slice(0, marks[0]?.[0]),
    ...marks.map(([place, mark], number) => [mark, response.slice(place, ends[number])]),
  ];
}

/** The plan, and how far each step kept to it. */
function planPart({ plan, steps }) {
  if (plan === null && !steps.some(({ planned }) => planned !== null)) return null;
  const sum = (name) => steps.reduce((all, step) => all + (step[name] ?? 0), 0);
  const said = `Plan: ${counted(steps.length)} steps, ${counted(sum("written"))} of ${counted(sum("planned"))} words`;
  return element(
    "details", {},
    element("summary", {}, said),
    plan === null ? null : textRegion("Plan", {}, plan),
    element("ol", { class: "marks steps" }, steps.map((step) =>
      element("li", {}, bar(stepText(step), step.planned ? step.written / step.planned : 0)))),
  );
}

function responsePart(sample, texts) {
  const heading = element("h4", {}, "Response");
  if (texts.response === null) {
    const why = element("p", { class: "warning" }, `There is none: ${failureText(sample.error)}`);
    return element("section", {}, heading, why);
  }
  const text = textRegion(
    `Response of ${runOf(sample).name} to ${nameOf(sample)}`,
    { class: "text response", lang: languageTag(sample.language) },
    texts.response.trim() === "" ? element("em", { class: "muted" }, "Empty.") : responseText(sample, texts),
  );
  const mark = text.querySelector("mark");
  const find = mark && element("button", {
    type: "button", class: "quiet", click: () => mark.scrollIntoView({ block: "center" }),
  }, "Show where it begins to repeat itself");
  return element("section", {}, element("div", { class: "line" }, heading, find), text);
}

function reasoningPart(sample, texts) {
  if (!texts.reasoning) return null;
  return element(
    "details", {},
    element("summary", {}, `Reasoning, ${counted(sample.reasoning_words)} words: no part of the response`),
    textRegion("Reasoning", {}, texts.reasoning),
  );
}

function failureText(error) {
  return `${error.type.replaceAll("_", " ")}: ${error.message}`;
}

/** A judge's mark, which is whole unless it is a mean. */
function mark(value) {
  return Number.isInteger(value) ? value : value.toFixed(2);
}

/** How good each chapter was found, where the judge read them one by one. */
function chaptersPart(chapters) {
  return element(
    "section", {},
    element("h4", {}, `Along the text: ${counted(chapters.length)} chapters`),
    element("ol", { class: "marks" }, chapters.map(({ words, scores: given, analysis }) => {
      const mean = index.dimensions.reduce((sum, name) => sum + given[name], 0) / index.dimensions.length;
      return element("li", {},
        element("details", {},
          element("summary", {}, bar(`${counted(words)} words`, mean / index.scale[1])),
          element("p", {}, index.dimensions.map((name) => `${name} ${given[name]}`).join(", ")),
          element("p", { class: "analysis" }, analysis)),
        element("b", {}, mark(mean)));
    })),
  );
}

function noScore({ tries }) {
  return `No score after ${counted(tries)} ${tries === 1 ? "try" : "tries"}`;
}

/** What one judge said once. */
function judgementPart(judgement, repeats) {
  const which = repeats > 1 ? ` · ${judgement.repeat + 1} of ${repeats}` : "";
  const marks = judgement.scores && element(
    "ul", { class: "marks" },
    index.dimensions.map((name) =>
      element("li", {}, bar(name, judgement.values[name] / index.scale[1]), element("b", {}, mark(judgement.values[name])))),
  );
  const raw = judgement.raw && element(
    "details", { open: judgement.error !== null },
    element("summary", {}, judgement.error ? "Its last reply, which cannot be read as scores" : "Its reply as it came"),
    textRegion("The judge's reply", { class: "text raw" }, judgement.raw),
  );
  return element(
    "section", { class: "judgement" },
    element("h4", {}, `Judge ${judgement.judge}${which}`),
    judgement.error && element("p", { class: "warning" }, `${noScore(judgement)}: ${failureText(judgement.error)}`),
    marks,
    judgement.chapters && chaptersPart(judgement.chapters),
    judgement.analysis ? element("p", { class: "analysis" }, judgement.analysis) : null,
    raw || null,
  );
}

function judgementParts(sample, texts) {
  if (!texts.judgements.length) {
    if (sample.state === "failed") return [];
    const why = runOf(sample).judge === null ? "Nobody judged this run." : "Not judged yet.";
    return [element("p", { class: "muted" }, why)];
  }
  const repeats = (judge) => texts.judgements.filter((other) => other.judge === judge).length;
  return texts.judgements.map((judgement) => judgementPart(judgement, repeats(judgement.judge)));
}

/** The required length as the prompt words it. */
function requiredText({ required, length_rule: rule, length_bounds: bounds }) {
  if (required === null) return "no length";
  if (rule === "range" && bounds) return `${counted(bounds[0])} to ${counted(bounds[1])} words`;
  return `${rule === null ? "" : `${rule.replaceAll("_", " ")} `}${counted(required)} words`;
}

/** The numbers that the index holds. */
function numbersPart(sample) {
  const known = (value, text) => (value === null ? null : text(value));
  const ratio = (words) => (sample.required === null ? "" : ` (${(words / sample.required).toFixed(2)} ×)`);
  const from = known(sample.repeated_from, (share) => `, from ${percent(share)} on`) ?? "";
  return facts([
    ["Required", requiredText(sample)],
    ["Written", known(sample.written, (words) => counted(words) + ratio(words))],
    ["Unicode count", known(sample.written_unicode, counted)],
    ["S_l", known(sample.S_l, shown)],
    ["S_l, Unicode", known(sample.S_l_unicode, shown)],
    ["S_l, by the rule", known(sample.S_l_rule, shown)],
    ["S_q", known(sample.S_q, shown)],
    ...index.metrics.map(({ name, symbol }) => [symbol, known(sample.metrics[name] ?? null, shown)]),
    ["Repeats itself", known(sample.repeated_share, (share) => percent(share) + from)],
    ["Compresses to", known(sample.compressed, percent)],
    ["Reasoning", sample.reasoning_words ? `${counted(sample.reasoning_words)} words` : null],
  ]);
}

/** What is to be known of the run. */
function runPart(sample) {
  const run = runOf(sample);
  const settings = Object.entries(run.settings).filter(([, value]) => value !== null);
  return element(
    "details", {},
    element("summary", {}, "The run"),
    facts([
      ...settings.map(([name, value]) => [name.replaceAll("_", " "), String(value)]),
      ["began", run.start], ["folder", run.folder], ["of the judge", run.judge_note || null],
    ]),
  );
}

/** How the response came about, known once the texts are unpacked. */
function circumstances(texts) {
  const tokens = texts.usage?.completion_tokens ?? null;
  return facts([
    ["Ended by", texts.finish_reason],
    ["Tokens", tokens === null ? null : counted(tokens)],
    ["Room for", texts.max_tokens_effective === null ? null : `${counted(texts.max_tokens_effective)} tokens`],
    ["Seconds", texts.seconds === null ? null : shown(texts.seconds)],
    ["Requests", texts.attempts > 1 ? counted(texts.attempts) : null],
  ]);
}

/** The prompt, with what is to stand beside its heading. */
function promptPart(sample, beside = null) {
  const prompt = promptOf(sample);
  return element(
    "section", { class: "prompt" },
    element("div", { class: "line" }, element("h4", {}, "Prompt"), beside),
    prompt === null
      ? element("p", { class: "muted" }, "The prompt is not in this report: the run's folder has no responses.")
      : textRegion(`Prompt ${sample.id}`, {}, prompt),
  );
}

/** One run's side of an unfolded row; it fills itself as the texts are unpacked. */
function panel(sample, other = null) {
  const main = element("div", { class: "main", "aria-busy": "true" }, element("p", { class: "muted" }, "Unfolding …"));
  const aside = element("div", { class: "aside" }, numbersPart(sample));
  fillPanel(sample, main, aside);
  return element(
    "article", { class: "panel", "aria-label": `${runOf(sample).name}, ${nameOf(sample)}` },
    element("header", { class: "line" },
      element("h3", {}, runOf(sample).name),
      element("span", { class: "badges" }, badges(sample)),
      element("a", { class: "permalink", href: addressOf(sample, other) }, "Link to this")),
    runOf(sample).note ? element("p", { class: "warning" }, runOf(sample).note) : null,
    element("div", { class: "columns" }, main, aside),
  );
}

async function fillPanel(sample, main, aside) {
  try {
    if (!sample.texts) throw new CannotUnfold("The response is not in this report: the run's folder has no responses.");
    const texts = await textsOf(sample.number);
    main.replaceChildren(...[responsePart(sample, texts), planPart(texts), reasoningPart(sample, texts)].filter(Boolean));
    aside.append(circumstances(texts), ...judgementParts(sample, texts), runPart(sample));
  } catch (error) {
    if (!(error instanceof CannotUnfold)) throw error;
    main.replaceChildren(element("p", { class: "warning" }, error.message));
  } finally {
    main.setAttribute("aria-busy", "false");
  }
}
