"""The page's look: light and dark by the reader's own setting, no fonts or files from elsewhere."""

CSS = """
:root { --ink:#1f2328; --soft:#5d6570; --faint:#8b939e; --line:#e4e1da; --paper:#fbfaf7; --card:#ffffff;
  --accent:#b0512f; --good:#2f7d6b; --serif: ui-serif, "Iowan Old Style", Palatino, Georgia, serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, monospace; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --ink:#e9e6df; --soft:#a9adb3; --faint:#7d828a; --line:#33363b;
  --paper:#17181a; --card:#1f2124; --accent:#e58f6b; --good:#6cc2ad; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body { margin:0; background:var(--paper); color:var(--ink); font:16px/1.55 var(--sans); }
main { max-width:1080px; margin:0 auto; padding:0 clamp(16px,4vw,40px) 80px; }
header { padding:72px 0 24px; }
header .kicker { color:var(--accent); letter-spacing:.12em; text-transform:uppercase; font-size:12px;
  font-weight:600; }
h1 { font:500 clamp(34px,5vw,54px)/1.08 var(--serif); letter-spacing:-.015em; margin:10px 0 18px; }
header p { font-size:19px; color:var(--soft); max-width:46em; margin:0; }
nav { display:flex; flex-wrap:wrap; gap:6px 22px; margin:28px 0 0; padding:14px 0;
  border-top:1px solid var(--line); border-bottom:1px solid var(--line); font-size:14px; }
nav a { color:var(--soft); text-decoration:none; }
nav a:hover { color:var(--accent); }
section { padding:52px 0 0; }
h2 { font:500 28px/1.2 var(--serif); letter-spacing:-.01em; margin:0 0 6px; }
h3 { font-size:15px; font-weight:600; margin:28px 0 10px; }
.lead { color:var(--soft); max-width:48em; margin:0 0 26px; }
.cards { display:grid; grid-template-columns:repeat(auto-fit,minmax(210px,1fr)); gap:14px; margin:34px 0 0; }
.card { background:var(--card); border:1px solid var(--line); border-radius:12px; padding:16px 18px; }
.card b { display:block; font:500 32px/1.15 var(--serif); font-variant-numeric:tabular-nums; }
.card span { font-size:14px; font-weight:600; }
.card small { display:block; color:var(--faint); font-size:12.5px; margin-top:4px; }
figure { margin:0; }
img { display:block; width:100%; height:auto; border-radius:8px; background:var(--line); }
.caption-row { display:grid; grid-template-columns:minmax(180px,260px) 1fr; gap:22px; align-items:center;
  padding:16px 0; border-top:1px solid var(--line); }
blockquote { margin:0; font:italic 18px/1.4 var(--serif); }
.faces { display:grid; grid-template-columns:repeat(6,minmax(0,1fr)); gap:8px; }
.edits { display:grid; grid-template-columns:repeat(auto-fill,minmax(310px,1fr)); gap:18px; }
.edit { background:var(--card); border:1px solid var(--line); border-radius:12px; padding:14px; }
.edit blockquote { font-size:16px; margin-top:12px; }
.trio { display:grid; grid-template-columns:repeat(3,minmax(0,1fr)); gap:8px; }
figcaption { font-size:12px; color:var(--faint); margin-top:5px; text-align:center; }
.pairs { display:grid; grid-template-columns:repeat(auto-fill,minmax(112px,1fr)); gap:12px; }
.pairs img + img { margin-top:6px; }
.scroll { overflow-x:auto; }
table { border-collapse:collapse; width:100%; font-size:14px; font-variant-numeric:tabular-nums; }
th { text-align:left; font-weight:600; color:var(--soft); font-size:12.5px; padding:8px 14px 8px 0;
  border-bottom:1px solid var(--line); white-space:nowrap; }
td { padding:12px 14px 12px 0; border-bottom:1px solid var(--line); vertical-align:top; }
td.number, th.number { text-align:right; white-space:nowrap; }
td small { display:block; color:var(--faint); font-size:12.5px; line-height:1.4; max-width:52em; margin-top:3px; }
td.number small { white-space:nowrap; }
code { font-family:var(--mono); font-size:12.5px; color:var(--soft); overflow-wrap:anywhere; }
.scale { width:150px; min-width:110px; }
.scale svg, .chart svg { display:block; width:100%; height:auto; overflow:visible; }
.rail { stroke:var(--line); stroke-width:4; stroke-linecap:round; }
.mark { fill:var(--accent); }
.run { stroke:var(--accent); stroke-width:4; stroke-linecap:round; }
.charts { display:grid; grid-template-columns:repeat(auto-fill,minmax(220px,1fr)); gap:14px; }
.chart { background:var(--card); border:1px solid var(--line); border-radius:12px; padding:12px 14px 8px; }
.chart b { font-size:13px; font-weight:600; }
.chart .ends { display:flex; justify-content:space-between; color:var(--faint); font-size:11.5px;
  font-variant-numeric:tabular-nums; }
.line { fill:none; stroke:var(--good); stroke-width:1.6; stroke-linejoin:round; vector-effect:non-scaling-stroke; }
.dots { fill:none; stroke:var(--good); stroke-width:1; opacity:.22; vector-effect:non-scaling-stroke; }
dl { display:grid; grid-template-columns:max-content 1fr; gap:6px 22px; margin:0; font-size:14.5px; }
dt { color:var(--soft); } dd { margin:0; overflow-wrap:anywhere; }
.sheet img { border-radius:10px; }
.empty { color:var(--faint); }
footer { margin-top:64px; padding-top:18px; border-top:1px solid var(--line); color:var(--faint); font-size:13px; }
@media (max-width:720px) { .caption-row { grid-template-columns:1fr; gap:12px; }
  .faces { grid-template-columns:repeat(3,1fr); }
  header { padding-top:44px; } section { padding-top:40px; }
  dl { grid-template-columns:1fr; gap:2px; } dd { margin-bottom:8px; } }
"""
