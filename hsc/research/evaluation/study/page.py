"""A study as one HTML file that needs nothing else, and as text."""

import base64
import html as markup
from collections.abc import Mapping
from pathlib import Path

from hsc.baselines.published import PAPER
from hsc.research.evaluation.report import circumstances
from hsc.research.evaluation.study.charts import figures
from hsc.research.evaluation.study.tables import (
    Table,
    all_tables,
    machine_vision,
    same_bytes,
    savings,
)

SHEETS = 12
"""Contact sheets on the page; all of them lie in the folder ``sheets`` beside it."""
STYLE = """
:root { color-scheme: light dark; --ink: #1f2937; --soft: #4b5563; --paper: #fff; --line: #e5e7eb;
        --rule: #9ca3af; --ours: #eef2ff; --grid: #e5e7eb }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e5e7eb; --soft: #a3adbb; --paper: #111827; --line: #2b3546; --rule: #64748b;
          --ours: #232a57; --grid: #2b3546 }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
       margin: 2rem auto; max-width: 1180px; padding: 0 1rem }
h1 { margin-bottom: 0; line-height: 1.2 } h2 { margin-top: 2.5rem } h3 { font-size: 1rem }
.note { color: var(--soft); max-width: 75ch }
details { color: var(--soft) } summary { cursor: pointer } details ul { padding-left: 1.2rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line) }
th { vertical-align: bottom; font-weight: 600 }
th:first-child, td:first-child { text-align: left; white-space: nowrap; position: sticky; left: 0;
                                 background: var(--paper) }
tr.ours td { background: var(--ours) } tr.first td { border-top: 2px solid var(--rule) }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 520px), 1fr));
          gap: 1rem }
.charts > div { min-width: 0 }
img { display: block; border-radius: 4px } .sheet { overflow-x: auto }
@media (max-width: 640px) {
  body { margin: 1rem auto } table { font-size: 12px } th, td { padding: .2rem .4rem }
  .sheet img { max-width: none; width: 1000px }
}
@media (min-width: 641px) { .sheet img { max-width: 100% } }
"""
THEME = """
const scheme = matchMedia('(prefers-color-scheme: dark)');
function paint() {
  const css = getComputedStyle(document.documentElement);
  const colour = name => css.getPropertyValue(name).trim();
  const axis = a => ({[a + '.gridcolor']: colour('--grid'), [a + '.linecolor']: colour('--rule'),
                      [a + '.zerolinecolor']: colour('--grid')});
  for (const chart of document.querySelectorAll('.js-plotly-plot')) {
    Plotly.relayout(chart, {'font.color': colour('--ink'), ...axis('xaxis'), ...axis('yaxis')});
    chart.data.forEach((line, index) => {
      if (line.name !== 'published') return;
      Plotly.restyle(chart, {'marker.color': colour('--ink')}, index);
    });
  }
}
scheme.addEventListener('change', paint);
addEventListener('load', paint);
"""
CAVEAT = (
    "The decoder invents detail: skin, hair and lettering are rendered by a neural network, not "
    "transmitted. No figure here makes a decoded picture evidence of what somebody looks like."
)


def text(result: dict) -> str:
    """What the command prints: the main tables."""
    tables = (same_bytes(result), machine_vision(result), savings(result))
    return "\n\n".join(table.markdown() for table in tables)


def html(result: dict, sheets: Mapping[str, Path]) -> str:
    """The page.

    Args:
        result: the report.
        sheets: name of each picture to its contact sheet.
    """
    count = sum(result["pictures"].values())
    body = [
        "<h1>Same pictures, same bytes</h1>",
        f"<p class=note>{count} picture{'s' * (count != 1)}. {CAVEAT}</p>",
        (
            f"<details><summary>Date, machine, weights, pictures and settings</summary>"
            f"<ul>{_facts(result)}</ul></details>"
        ),
        (
            "<h2>Curves</h2><p class=note>Means over the pictures, against the mean size of the "
            "files. A click on a name shows or hides its curve; hidden at first are other codecs "
            f"at full size, and what {PAPER} published: measured by its authors on CelebA-HQ, "
            "sizes estimated.</p>"
        ),
        f"<div class=charts>{_charts(result)}</div>",
        *map(_section, all_tables(result)),
        (
            "<h2>What it looks like</h2><p class=note>Levels down; across, the original, our file, "
            "and every other codec in as many bytes at its best size, or in its smallest file "
            f"where that is larger (the asterisks of the tables).</p>{_pictures(sheets)}"
        ),
    ]
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Same pictures, same bytes</title>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<style>{STYLE}</style><body>{''.join(body)}<script>{THEME}</script></body></html>\n"
    )


def _facts(result: dict) -> str:
    lines = [line.strip(" -").replace("`", "") for line in circumstances(result).splitlines()]
    lines += [f"{label}: {settings}." for label, settings in result["codecs"].items()]
    return "".join(f"<li>{markup.escape(line)}" for line in lines + result["notes"])


def _charts(result: dict) -> str:
    parts = []
    for number, (_, figure) in enumerate(figures(result["summary"])):
        # the library itself once, a few megabytes, so that the page needs no network
        parts.append(
            figure.to_html(
                full_html=False,
                include_plotlyjs=number == 0,
                config={"responsive": True, "displaylogo": False},
            )
        )
    return "".join(parts)


def _section(table: Table) -> str:
    head = "".join(f"<th>{markup.escape(cell)}" for cell in table.header)
    rows: list[str] = []
    level: str | None = None
    for line in table.lines:
        before, level = level, line[0].partition(":")[0]
        kind = "ours " if ": HSC" in line[0] else ""
        kind += "first" if level != before and ":" in line[0] else ""
        cells = "".join(f"<td>{markup.escape(cell)}" for cell in line)
        rows.append(f"<tr class='{kind}'>{cells}")
    return (
        f"<h2>{markup.escape(table.title)}</h2><p class=note>{markup.escape(table.note)}</p>"
        f"<div class=scroll><table><tr>{head}{''.join(rows)}</table></div>"
    )


def _pictures(sheets: Mapping[str, Path]) -> str:
    parts = []
    for name, path in list(sheets.items())[:SHEETS]:
        data = base64.b64encode(path.read_bytes()).decode()
        alt = markup.escape(name)
        image = f"<img alt='{alt}' src='data:image/jpeg;base64,{data}'>"
        parts.append(f"<h3>{alt}</h3><div class=sheet>{image}</div>")
    return "".join(parts)
