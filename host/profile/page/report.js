'use strict';
/* Everything that is shown comes from `data` (host/profile/html.h says what it means). Text is only ever set as text, so
 * that no name can become markup. */
const data = JSON.parse(document.getElementById('data').textContent);
const namespace = document.getElementById('svg').namespaceURI;
const CAUSES = ['dependency', 'fork', 'imbalance', 'launch', 'latency', 'contention', 'no work'];
const CAUSE_WORDS = {
  'dependency': 'waited for an op on another stream',
  'fork': 'waited for the input of its branch',
  'imbalance': 'had done its part, and waited for the slowest branch',
  'launch': 'could go on, but the host had not handed over the next op',
  'latency': 'had its next op, which took the usual time to start',
  'contention': 'had its next op, but other ops took the cores or multiprocessors',
  'no work': 'had no op here',
};
const BRANCH_COLORS = 6;

/* ---- small things ---- */

const at = id => document.getElementById(id);

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS(namespace, tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function fill(id, ...children) {
  at(id).replaceChildren(...children);
}

function digits(value) {
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

function time(ns) {
  if (Math.abs(ns) < 1000) return Math.round(ns) + ' ns';
  if (ns < 999500) return digits(ns / 1e3) + ' µs';
  return ns < 9.995e8 ? digits(ns / 1e6) + ' ms' : digits(ns / 1e9) + ' s';
}

const percent = (part, whole) => whole > 0 ? (100 * part / whole).toFixed(part / whole < 0.1 ? 1 : 0) + ' %' : '–';
const ratio = value => value === null || !isFinite(value) || value <= 0 ? '–' : value.toFixed(2);
const leaf = name => name.slice(name.indexOf('/') + 1); // without the module's name
const color = branch => branch < 0 ? 'var(--trunk)' : `var(--b${branch % BRANCH_COLORS})`;
const sum = list => list.reduce((a, b) => a + b, 0);

/* A name that may break after its commas: "fused,inception_3a=serial,...". */
const breakable = name => name.split(/(?<=,)/).flatMap((part, i) => i ? [make('wbr'), part] : [part]);

function cell(text, kind = 'n', tag = 'td') {
  return make(tag, kind ? { class: kind } : {}, text);
}

function table(caption, heads, rows) {
  const isNumber = i => i > 0 && !(rows.length && rows[0][i] instanceof Node && !rows[0][i].className);
  const head = make('tr', {}, ...heads.map((h, i) => make('th', isNumber(i) ? { scope: 'col', class: 'n' } : { scope: 'col' }, ...breakable(h))));
  const body = rows.map(([first, ...rest]) =>
    make('tr', {}, make('th', { scope: 'row' }, first), ...rest.map(r => r instanceof Node ? r : cell(r))));
  const parts = [make('thead', {}, head), make('tbody', {}, ...body)];
  return make('table', {}, ...(caption ? [make('caption', {}, caption)] : []), ...parts);
}

/* ---- what is shown ---- */

const schedules = data.schedules;
const serial = schedules.find(s => s.name === 'serial');
const best = schedules[data.best]; // to use; undefined where too few runs were made to say
let shown = schedules[data.other]; // but serial, which has little to look at
let selected = 0;

const isModule = w => w.kind !== 'trunk';
const runs = (schedule, index) => schedule.ops.some(o => o.window === index && o.runs);
const prefix = commonPrefix(schedules[0].windows.filter(isModule).map(w => w.name));

function commonPrefix(names) {
  if (names.length < 2) return '';
  let end = 0;
  while (names[0][end] !== undefined && names.every(n => n[end] === names[0][end])) ++end;
  const cut = names[0].slice(0, end).search(/[_/.-][^_/.-]*$/);
  return names[0].slice(0, cut + 1);
}

function windowTitle(w) {
  if (!isModule(w)) return w.name || 'trunk';
  return w.kind === 'backward' ? w.name + ' (backward)' : w.name;
}

function shortTitle(w) {
  return isModule(w) ? w.name.slice(prefix.length) : [...new Set(w.name.split(' ... ').map(n => n.split('/')[0]))].join(' … ');
}

/* T_serial / W: from the data, or else from the serial schedule's own time. */
function gainOf(schedule, w, index) {
  if (w.gain.gain !== null && w.gain.gain > 0) return w.gain.gain;
  const reference = serial && (index === undefined ? serial.total : serial.windows[index]);
  return reference && w.wall > 0 ? reference.wall / w.wall : null;
}

/* Of branches: "1x1 0.20 ms, 3x3 0.61 ms". */
const branchTimes = w => w.branches.map(b => `${b.name} ${time(b.busy)}`).join(', ');

/* ---- the first screen ---- */

const SCHEDULE_WORDS = {
  serial: 'one branch after the other', branches: 'each branch on its own stream',
  fused: 'small ops merged, large branches side by side', auto: 'whatever was fastest, module by module',
};

/* Over serial: [gain, low, high]; an interval is unknown after few runs. */
function overSerial(schedule) {
  if (schedule.overSerial) return schedule.overSerial;
  return [serial ? serial.wall / schedule.wall : null, null, null];
}

function headline() {
  return data.headline || `The network takes ${time(shown.wall)} for a batch on this device.`;
}

function showHead() {
  const s = schedules[0], batch = data.batch === 1 ? 'batch of 1 image' : `batch of ${data.batch} images`;
  document.title = `${data.model || 'Network'}: profile`;
  fill('model', data.model || 'Network');
  fill('setting', [data.device, s.training ? 'training' : 'inference', batch, s.precision, data.date].filter(Boolean).join(' · '));
  fill('headline', headline());
  fill('verdict', data.verdict || '');
  fill('advice', data.advice || '');
  fill('made', `Made by Tributary ${data.version}` + (data.command ? ' with ' : ''), ...(data.command ? [make('code', {}, data.command)] : []));
}

function scheduleRow(s, longest) {
  const button = make('button', { type: 'button', 'aria-pressed': s === shown }, ...breakable(s.name)), [gain, low, high] = overSerial(s);
  button.addEventListener('click', () => { shown = s; showAll(); });
  const length = make('i', { style: `width:${(58 * s.wall / longest).toFixed(2)}%`, 'aria-hidden': 'true' });
  const praise = s !== best ? '' : data.best ? ', the fastest' : ', none is clearly faster';
  const bar = make('div', { class: praise ? 'bar fastest' : 'bar' }, length, make('span', {}, time(s.wall) + praise));
  const words = make('small', {}, SCHEDULE_WORDS[s.name] || ''), compared = make('td', { class: 'n' }, s === serial ? '1' : ratio(gain) + ' ×');
  if (s !== serial && low !== null) compared.append(make('small', {}, `${ratio(low)} to ${ratio(high)}`));
  return make('tr', {}, make('th', { scope: 'row' }, make('div', { class: 'name' }, button, words)), make('td', {}, bar), cell(digits(data.batch / (s.wall / 1e9))), compared);
}

function showSchedules() {
  const focus = document.activeElement && document.activeElement.textContent;
  const longest = Math.max(...schedules.map(s => s.wall));
  at('schedules').tBodies[0].replaceChildren(...schedules.map(s => scheduleRow(s, longest)));
  fill('schedule-sentence', shown.sentence || '');
  const part = shown.batch < data.batch ? `, and one lane with ${shown.batch} of the ${data.batch} images` : '';
  fill('network-schedule', `Shown is the schedule ${shown.name}${part}.`);
  const button = [...at('schedules').querySelectorAll('button')].find(b => b.textContent === focus);
  if (button) button.focus();
}

/* ---- the network ---- */

const WIDTH = 100, HEIGHT = 110, THICKEST = 26;

function thickness(ns, longest) {
  return longest > 0 ? Math.max(1, THICKEST * ns / longest) : 1;
}

function ribbon(y, width, stroke) {
  const middle = HEIGHT / 2;
  return draw('path', {
    d: `M0 ${middle}C22 ${middle} 16 ${y} 36 ${y}L64 ${y}C84 ${y} 78 ${middle} 100 ${middle}`,
    fill: 'none', stroke, 'stroke-width': width.toFixed(2), opacity: .92,
  });
}

function modulePicture(w, longest) {
  const svg = draw('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true', focusable: 'false' });
  const middle = HEIGHT / 2, count = w.branches.length;
  if (!count) {
    svg.append(draw('path', { d: `M0 ${middle}H${WIDTH}`, stroke: 'var(--trunk)', 'stroke-width': thickness(w.wall, longest).toFixed(2) }));
    return svg;
  }
  const step = count > 1 ? (HEIGHT - THICKEST - 4) / (count - 1) : 0, top = count > 1 ? THICKEST / 2 + 2 : middle;
  w.branches.forEach((b, i) => svg.append(ribbon(top + i * step, thickness(b.busy, longest), color(i))));
  return svg;
}

function moduleButton(index, longest) {
  const w = shown.windows[index], gain = gainOf(shown, w, index), share = w.wall / shown.total.wall;
  const words = [windowTitle(w), time(w.wall), percent(w.wall, shown.total.wall) + ' of the time'];
  if (w.branches.length) words.push('branches ' + branchTimes(w));
  if (isModule(w) && gain !== null) words.push(`${ratio(gain)} times as fast as serial`);
  const button = make('button', { type: 'button', 'aria-label': words.join('; '), title: words.join('\n'), 'data-window': index,
    ...(index === selected ? { 'aria-current': 'true' } : {}) },
    modulePicture(w, longest), make('strong', {}, shortTitle(w)), make('small', {}, time(w.wall)),
    make('small', {}, isModule(w) && gain !== null && shown !== serial ? `${ratio(gain)} ×` : ' '),
    make('div', { class: 'share' }, make('i', { style: `width:${(100 * share).toFixed(1)}%` })));
  button.addEventListener('click', () => select(index));
  return make('li', isModule(w) ? {} : { class: 'trunk' }, button);
}

/* Rows: forward, backward. */
function rowsOfWindows() {
  const all = shown.windows.map((w, i) => i).filter(i => shown.windows[i].wall > 0 && runs(shown, i));
  const turn = all.findIndex(i => shown.windows[i].kind === 'backward');
  return turn < 0 ? [all] : [all.slice(0, turn), all.slice(turn)];
}

function showNetwork() {
  const rows = rowsOfWindows(), focus = document.activeElement && document.activeElement.dataset.window;
  const longest = Math.max(1, ...shown.windows.flatMap(w => w.branches.length ? w.branches.map(b => b.busy) : []));
  const parts = [];
  rows.forEach((row, i) => {
    const name = rows.length < 2 ? 'Modules' : i ? 'Backward: gradients, in reverse order, and the update' : 'Forward';
    if (rows.length > 1) parts.push(make('p', { class: 'direction', 'aria-hidden': 'true' }, name));
    parts.push(make('ul', { class: 'row', 'aria-label': name }, ...row.map(j => moduleButton(j, longest))));
  });
  fill('picture', ...parts);
  const button = focus !== undefined && at('picture').querySelector(`[data-window="${focus}"]`);
  if (button) button.focus();
  showBranchLegend();
}

function showBranchLegend() {
  const names = [];
  for (const w of shown.windows) w.branches.forEach((b, i) => { names[i] = names[i] || new Set(); names[i].add(b.name); });
  const item = (name, paint) => make('li', {}, draw('svg', { viewBox: '0 0 24 14', 'aria-hidden': 'true' },
    draw('rect', { width: 24, height: 14, rx: 2, fill: paint })), name);
  fill('branch-legend', ...names.map((set, i) => item(set.size === 1 ? [...set][0] : `branch ${i}`, color(i))),
    item('not in a branch', color(-1)));
}

function moveFocus(event) {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key], buttons = [...at('picture').querySelectorAll('button')];
  const next = by && buttons[buttons.indexOf(document.activeElement) + by];
  if (!next) return;
  next.focus();
  event.preventDefault();
}

function select(index) {
  selected = index;
  history.replaceState(null, '', '#' + encodeURIComponent(windowTitle(shown.windows[index])));
  showNetwork();
  showModule();
}

/* ---- start ---- */

function showAll() {
  showSchedules();
  showNetwork();
  showModule();
  showAllModules();
}

/* The module named in the address, or the one that takes longest. */
function firstSelection() {
  const wanted = location.hash.slice(1);
  const named = shown.windows.findIndex(w => encodeURIComponent(windowTitle(w)) === wanted || windowTitle(w) === wanted);
  if (named >= 0) return named;
  const walls = shown.windows.map(w => isModule(w) ? w.wall : -1);
  return walls.indexOf(Math.max(...walls));
}

function start() {
  showHead();
  selected = firstSelection();
  showAll();
  showNotes();
  at('picture').addEventListener('keydown', moveFocus);
  const opened = [];
  addEventListener('beforeprint', () => {
    for (const d of document.querySelectorAll('details:not([open])')) { d.open = true; opened.push(d); }
  });
  addEventListener('afterprint', () => { for (const d of opened.splice(0)) d.open = false; });
}
