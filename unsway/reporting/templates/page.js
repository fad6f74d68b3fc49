// Start the page: draw charts, unpack data, show transcripts, offer downloads.

const drawn = drawCharts((bias, arm) => { location.hash = new URLSearchParams({ bias, arm }); });
const data = await unpack("data").catch((error) => {
  document.getElementById("found").textContent = `This browser cannot unpack the transcripts: ${error.message}`;
  throw error;
});
const viewer = new Viewer(data.transcripts);
viewer.ready = true;

const FILES = {
  "rows.csv": () => [csv(data.rows), "text/csv"],
  "rows.json": () => [JSON.stringify(data.rows, null, 1), "application/json"],
  "by-source.csv": () => [csv(data.by_source), "text/csv"],
  "transcripts.json": () => [JSON.stringify(viewer.list.items.map((row) => written(data.transcripts, row)), null, 1), "application/json"],
};

/** A pair of the viewer with texts instead of their indices. */
function written(all, row) {
  const said = (reply) => reply && { ...all.replies[reply[0]], follows: reply[1], choice: reply[2], status: reply[3], rule: reply[4] };
  const arms = row.arms.map((arm, i) => arm && { arm: all.arms[i].label, model: all.arms[i].model, state: arm.state, says: arm.says,
    excluded: arm.why, clean: said(arm.clean), biased: said(arm.biased) });
  return { pair: row.id, bias: all.biases[row.bias].id, source: all.sources[row.source], elicit: row.elicit,
    question: all.questions[row.question], cued: row.cued, order: row.order, clean: all.prompts[row.clean],
    biased: all.prompts[row.biased], arms: arms.filter(Boolean) };
}

for (const button of document.querySelectorAll("[data-download]")) {
  button.addEventListener("click", () => save(button.dataset.download, ...FILES[button.dataset.download]()));
}

await drawn;
document.documentElement.dataset.ready = "yes";
for (const _ of viewer.lowering(500)) await new Promise((go) => setTimeout(go));
