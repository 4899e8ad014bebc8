/** How `<sotto-call>` looks where the page does not say otherwise. */

/** A sheet that is made by script: a page's policy need not allow inline styles for it. */
export function styles(): CSSStyleSheet {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(TEXT)
  return sheet
}

const TEXT = `
:host {
  display: flex;
  flex-direction: column;
  gap: var(--sotto-gap, 8px);
  min-height: 240px;
  padding: var(--sotto-gap, 8px);
  box-sizing: border-box;
  background: var(--sotto-background, #16191b);
  color: var(--sotto-color, #f2f0ec);
  font: var(--sotto-font, 15px/1.4 system-ui, sans-serif);
  border-radius: var(--sotto-radius, 10px);
}
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; margin: 0; }
.grid {
  flex: 1;
  min-height: 0;
  display: grid;
  gap: var(--sotto-gap, 8px);
  padding: 0;
  list-style: none;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, var(--sotto-tile-width, 220px)), 1fr));
  grid-auto-rows: minmax(120px, 1fr);
}
.tile {
  position: relative;
  overflow: hidden;
  border-radius: var(--sotto-radius, 10px);
  background: var(--sotto-tile-background, #2a2f32);
}
.speaking { outline: 3px solid var(--sotto-accent, #5cc4b3); outline-offset: -3px; }
canvas { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: cover; }
.screen canvas { object-fit: contain; }
.mirrored canvas { transform: scaleX(-1); }
.label, .alarm {
  position: absolute;
  inset-inline-start: 6px;
  max-width: calc(100% - 12px);
  padding: 2px 8px;
  border-radius: 6px;
  overflow-wrap: anywhere;
}
.label { bottom: 6px; background: #000000a6; color: #fff; }
.alarm { top: 6px; background: var(--sotto-danger, #b3261e); color: #fff; }
.toolbar { display: flex; flex-wrap: wrap; gap: var(--sotto-gap, 8px); justify-content: center; }
button {
  min-height: 40px;
  padding: 0 16px;
  border: 1px solid transparent;
  border-radius: 20px;
  background: var(--sotto-button-background, #3a4145);
  color: inherit;
  font: inherit;
  cursor: pointer;
}
button:focus-visible { outline: 3px solid var(--sotto-accent, #5cc4b3); outline-offset: 2px; }
button[aria-pressed="false"] { border-color: currentColor; opacity: 0.85; }
.join { background: var(--sotto-accent, #5cc4b3); color: var(--sotto-on-accent, #06231f); }
.leave { background: var(--sotto-danger, #b3261e); color: #fff; }
.status { min-height: 1.4em; text-align: center; }
.code { font-variant-numeric: tabular-nums; }
`
