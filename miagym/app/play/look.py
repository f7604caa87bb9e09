"""How the play tab looks, beyond the page's theme."""

from __future__ import annotations

LOOK = """
#play-style { position: absolute; }
#play-board .html-container { padding: 0; }
#play-board b, #play-board button, #play-setup strong { font-weight: 700; }
#play-slider { overflow: visible; padding: .2em 0 .5em; }
#play-begin { max-width: 340px; }
#play-top { align-items: center; }
#play-questions button { font-size: .92em; padding: .55em .4em; flex: 1 1 46%; }
#play-say { border-top: 1px solid var(--border-color-primary); padding-top: .8em; gap: .5em; }
.play-head { display: flex; justify-content: space-between; gap: 1em; flex-wrap: wrap;
  font-variant-numeric: tabular-nums; color: var(--body-text-color-subdued); }
.play-head span:first-child { color: var(--body-text-color); font-weight: 700; }
.play-candidate { display: flex; gap: 1.1em; align-items: center; margin: 0; }
.play-candidate img { width: 168px; height: 168px; image-rendering: pixelated;
  border: 1px solid var(--border-color-primary); border-radius: 4px; background: white; }
.play-candidate figcaption { display: flex; flex-direction: column; gap: .4em; min-width: 0;
  overflow-wrap: anywhere; }
.play-candidate q { font-size: 1.08em; line-height: 1.35; }
.play-candidate small { color: var(--body-text-color-subdued); }
.play-budget { display: flex; gap: 2px; height: 14px; }
.play-budget i { flex: 1; border-radius: 2px; border: 1px solid var(--border-color-primary); }
.play-budget i.left { background: var(--color-accent); border-color: var(--color-accent); }
.play-left { margin: .35em 0 0 0 !important; }
.play-empty { border: 1px dashed var(--border-color-primary); border-radius: 4px; padding: 1.2em;
  min-height: 168px; display: grid; align-content: center; color: var(--body-text-color-subdued);
  line-height: 1.5; }
.play-empty p { margin: 0; }
.play-empty b { color: var(--body-text-color); }
.play-answers { display: flex; align-items: flex-start; gap: .7em; overflow-x: auto;
  padding-bottom: .4em; }
.play-answer { flex: 0 0 128px; margin: 0; border: 1px solid var(--border-color-primary);
  border-radius: 4px; overflow: hidden; background: var(--block-background-fill); }
.play-answer img { width: 128px; height: 128px; image-rendering: pixelated; background: white; }
.play-answer figcaption { padding: .4em .55em .5em; font-size: .82em; line-height: 1.35; }
.play-answer dl { display: grid; grid-template-columns: 1fr auto; margin: .25em 0 0 0;
  font-variant-numeric: tabular-nums; color: var(--body-text-color-subdued); }
.play-answer dd { margin: 0; text-align: right; }
.play-answer dd b { color: var(--body-text-color); }
.play-number { display: grid; place-content: center; height: 128px; width: 128px;
  text-align: center; font-size: .82em; color: var(--body-text-color-subdued);
  background: repeating-linear-gradient(-45deg, transparent 0 7px,
  var(--border-color-primary) 7px 8px); }
.play-strip h4 { margin: .9em 0 .3em 0; font-weight: 700; }
#play-chart .play-strip:first-child h4 { margin-top: 0; }
.play-strip .plot { position: relative; border: 1px solid var(--border-color-primary);
  border-radius: 4px; overflow: hidden; }
.play-strip .lane { position: relative; height: 58px; }
.play-strip .lane div { position: absolute; inset: 17px 0 1px 0; }
.play-strip .lane + .lane { border-top: 1px dashed var(--border-color-primary); }
.play-strip .lane span { position: absolute; left: 7px; top: 1px; font-size: .74em;
  color: var(--body-text-color-subdued); }
.play-strip .lane i { position: absolute; width: 9px; height: 9px; margin: -4.5px 0 0 -4.5px;
  opacity: .85; }
.play-strip .members i { background: #E69F00; border-radius: 50%; }
.play-strip .others i { border: 2px solid #56B4E9; }
.play-strip .tick, .play-strip .you { position: absolute; top: 0; bottom: 0; }
.play-strip .tick { border-left: 1px dotted var(--body-text-color); opacity: .55; }
.play-strip .you { border-left: 3px solid var(--body-text-color); margin-left: -1.5px; }
.play-strip .axis { display: flex; justify-content: space-between; gap: .6em; font-size: .76em;
  color: var(--body-text-color-subdued); font-variant-numeric: tabular-nums; padding-top: .2em; }
.play-strip .axis span { white-space: nowrap; }
.play-strip .axis b { color: var(--body-text-color); }
.play-says { margin: .2em 0 0 0 !important; color: var(--body-text-color) !important; }
.play-ends { display: flex; justify-content: space-between; font-size: .85em;
  color: var(--body-text-color-subdued); }
.play-payoff { font-variant-numeric: tabular-nums; line-height: 1.45; min-height: 3em; }
.play-tally table { width: 100%; border-collapse: collapse; font-size: .92em; }
.play-tally table, .play-tally thead, .play-tally tbody, .play-tally tr { border: none !important; }
.play-tally caption { text-align: left; font-weight: 700; padding-bottom: .3em; }
.play-tally th, .play-tally td { padding: .4em .45em !important; text-align: right !important;
  white-space: nowrap; border: none !important;
  border-bottom: 1px solid var(--border-color-primary) !important; }
.play-tally th:first-child { text-align: left !important; white-space: normal;
  font-weight: 400 !important; }
.play-tally tbody tr:first-child { background: var(--background-fill-secondary); }
.play-tally tbody tr:first-child th { font-weight: 700 !important; }
.play-tally td small { color: var(--body-text-color-subdued); }
.play-caution { margin: .6em 0; }
#play-slider .tab-like-container, #play-slider .min_value, #play-slider .max_value {
  display: none; }
@media (max-width: 700px) {
  #play-table { flex-direction: column; flex-wrap: nowrap; align-items: stretch; }
  #play-table > .column { display: contents; }
  #play-candidate { order: 1; } #play-budget { order: 2; } #play-questions { order: 3; }
  #play-answers { order: 4; } #play-chart { order: 5; } #play-say { order: 6; }
  #play-truth { order: 7; } #play-tally { order: 8; }
  .play-candidate img { width: 128px; height: 128px; }
  .play-tally td small { display: block; }
  .play-tally table { font-size: .8em; }
  .play-tally th, .play-tally td { padding: .35em .2em !important; }
  #play-questions button { font-size: .82em; }
}
"""
