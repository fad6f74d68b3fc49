// The page comes to life: data unpacked, transcripts shown, charts drawn, downloads offered.

const data = await unpack("data");
const viewer = new Viewer(data.transcripts);
viewer.ready = true;

const FILES = {
  "rows.csv": () => [csv(data.rows), "text/csv"],
  "rows.json": () => [JSON.stringify(data.rows, null, 1), "application/json"],
  "by-source.csv": () => [csv(data.by_source), "text/csv"],
  "transcripts.json": () => [JSON.stringify(viewer.list.items.map((row) => written(data.transcripts, row)), null, 1), "application/json"],
};

/** A pair of the viewer with its texts in place of numbers. */
function written(all, row) {
  const said = (reply) => reply && { ...all.replies[reply[0]], choice: reply[1], status: reply[2], rule: reply[3] };
  const arms = row.arms.map((arm, i) => arm && { arm: all.arms[i].label, model: all.arms[i].model, state: arm.state,
    excluded: arm.why, clean: said(arm.clean), biased: said(arm.biased) });
  return { pair: row.id, bias: all.biases[row.bias].id, source: all.sources[row.source], elicit: row.elicit,
    question: all.questions[row.question], cued: row.cued, order: row.order, clean: all.prompts[row.clean],
    biased: all.prompts[row.biased], arms: arms.filter(Boolean) };
}

for (const button of document.querySelectorAll("[data-download]")) {
  button.addEventListener("click", () => save(button.dataset.download, ...FILES[button.dataset.download]()));
}

await drawCharts((cue, arm) => viewer.go(cue, arm));
document.documentElement.dataset.ready = "yes";
for (const _ of viewer.lowering(500)) await new Promise((go) => setTimeout(go));
