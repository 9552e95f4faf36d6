/** The report's style sheet. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2630; --dim: #5d6b78; --line: #d5dce2; --ground: #fbfcfd; --panel: #fff;
  --good: #1d7a46; --fair: #8a6100; --bad: #b3261e; --accent: #1f6feb; --fault: #b3261e22; }
@media (prefers-color-scheme: dark) { :root { --ink: #dbe4ec; --dim: #8fa0af; --line: #2b3844; --ground: #0e151b; --panel: #141d25;
  --good: #5fd38d; --fair: #e6c35c; --bad: #ff8a80; --accent: #6cb0ff; --fault: #ff8a8022; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 .75rem; } h2 { margin: 2.2rem 0 .5rem; font-size: 1.25rem; }
h3 { margin: 1.6rem 0 .25rem; font-size: 1.05rem; }
h2 { border-top: 1px solid var(--line); padding-top: 1.2rem; }
a { color: var(--accent); }
.dim { color: var(--dim); } p.dim { font-size: .9rem; }
.good { color: var(--good); } .fair { color: var(--fair); } .bad { color: var(--bad); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; background: var(--panel); font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; } tr.sum th, tr.sum td { font-weight: 400; color: var(--dim); }
.about { font-weight: 400; font-size: .85rem; color: var(--dim); }
dt { font-weight: 600; margin-top: .4rem; } dd { margin: 0 0 0 1rem; }
.run { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: .7rem 1.1rem; margin: .7rem 0; }
.run p { margin: .25rem 0; } .run > summary { font-size: 1.05rem; color: var(--ink); }
.row { display: flex; flex-wrap: wrap; gap: 1.5rem; } figure { margin: 0; width: 220px; } figcaption { font-weight: 600; }
svg { width: 100%; height: auto; } svg.square { width: 220px; }
svg .axis { stroke: var(--line); fill: none; } svg .line { stroke: var(--accent); fill: none; stroke-width: 1.6; }
svg .threshold { stroke: var(--bad); fill: none; stroke-dasharray: 4 4; opacity: .8; } svg .mark { stroke: var(--dim); stroke-width: .7; opacity: .7; }
svg .fault { fill: var(--fault); } svg .dot { fill: var(--accent); opacity: .8; } svg .tick { fill: var(--dim); font-size: 11px; }
details { margin-top: .5rem; } summary { cursor: pointer; color: var(--accent); }
.call:target { outline: 2px solid var(--accent); outline-offset: 4px; }
.call { border-top: 1px solid var(--line); padding-top: .5rem; margin-top: .5rem; }
code { font-size: .85em; overflow-wrap: anywhere; } pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .8rem; max-height: 18rem; overflow: auto; background: var(--ground); padding: .6rem; border-radius: 6px; }
`;
