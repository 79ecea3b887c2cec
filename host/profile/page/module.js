/* ---- one module ---- */

const LEFT = 92, RIGHT = 12, TOP = 6, ROW = 36, BAR = 22, AXIS = 26, PLOT = 1000 - LEFT - RIGHT;
const TERM_WORDS = {
  'none': 'nothing known', 'critical path': 'the longest chain of ops', 'work per stream': 'the work on each stream',
  'device filled': 'ops that fill the device', 'roofline': 'the rates of the device',
};

/* How idle streams look: no colors, so that they differ in print and for everyone. */
function makePatterns() {
  const lines = {
    'dependency': 'M-1 1L1 -1M0 8L8 0M7 9L9 7', 'fork': 'M-1 7L1 9M0 0L8 8M7 -1L9 1', 'imbalance': 'M0 4H8',
    'launch': 'M4 0V8', 'latency': 'M2 2h1v1h-1z', 'contention': 'M0 0L8 8M0 8L8 0', 'no work': '',
  };
  for (const [cause, d] of Object.entries(lines))
    at('svg').append(draw('pattern', { id: 'p-' + cause.replace(' ', '-'), width: 8, height: 8, patternUnits: 'userSpaceOnUse' },
      draw('rect', { width: 8, height: 8, fill: 'var(--soft)' }),
      draw('path', { d, stroke: 'var(--idle)', 'stroke-width': 1, fill: 'none' })));
}

const patternOf = cause => `url(#p-${cause.replace(' ', '-')})`;

/* Ops that ran before `op` could: through those that run nothing, such as a join. */
function producers(schedule, op) {
  const found = new Set(), seen = new Set(), stack = [...schedule.ops[op].waits];
  while (stack.length) {
    const i = stack.pop();
    if (seen.has(i)) continue;
    seen.add(i);
    if (schedule.ops[i].runs) { found.add(i); continue; }
    stack.push(...schedule.ops[i].waits);
    for (let k = i - 1; k >= 0; --k) if (schedule.ops[k].stream === schedule.ops[i].stream) { stack.push(k); break; }
  }
  return [...found].filter(i => schedule.ops[i].stream !== schedule.ops[op].stream);
}

const opsIn = (schedule, w) => schedule.ops.map((o, i) => i)
  .filter(i => schedule.ops[i].runs && schedule.ops[i].to > w.from && schedule.ops[i].from < w.to);

const criticalOps = w => new Set(w.path.filter(p => p[0] >= 0 && !p[4]).map(p => p[0]));

/* ---- streams over time ---- */

function tickStep(span) {
  const raw = span / 6, power = Math.pow(10, Math.floor(Math.log10(raw)));
  return power * [1, 2, 5, 10].find(m => m * power >= raw);
}

function axis(svg, span, bottom) {
  const step = tickStep(span);
  for (let t = 0; t <= span * 1.0001; t += step) {
    const x = LEFT + t / span * PLOT;
    svg.append(draw('line', { class: 'grid', x1: x, x2: x, y1: TOP, y2: bottom }));
    svg.append(draw('text', { class: 'faint', x, y: bottom + 16, 'text-anchor': t ? 'middle' : 'start' }, t ? time(t) : '0'));
  }
}

function box(x, y, width, paint, label, title, kind) {
  const group = draw('g', {}, draw('title', {}, title));
  group.append(draw('rect', { x, y, width: Math.max(width, 1.5), height: BAR, fill: paint, rx: Math.min(2, width / 2) }));
  if (label && width > 12 + 6.9 * label.length)
    group.append(draw('text', { class: kind, x: x + width / 2, y: y + BAR / 2 + 4, 'text-anchor': 'middle' }, label));
  return group;
}

function opTitle(schedule, i) {
  const o = schedule.ops[i], lines = [o.name, time(o.to - o.from)];
  if (o.implementation) lines.push(o.implementation);
  const waited = producers(schedule, i).map(k => schedule.ops[k].name);
  if (waited.length) lines.push('after ' + waited.join(', '));
  return lines.join('\n');
}

function idleWords(schedule, piece) {
  const [stream, from, to, cause, op] = piece;
  const blame = op >= 0 ? `: ${schedule.ops[op].name}` : '';
  return `stream ${stream} idle for ${time(to - from)}: ${CAUSE_WORDS[CAUSES[cause]]}${blame}`;
}

function arrow(svg, x1, y1, x2, y2) {
  const bend = Math.max(8, Math.min(40, (x2 - x1) / 2));
  svg.append(draw('path', { class: 'wait', d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2 - 4} ${y2}` }));
  svg.append(draw('path', { class: 'head', d: `M${x2} ${y2}l-6 -3.5v7z` }));
}

function lanes(schedule, w, span) {
  const used = w.streams.map((s, i) => i).filter(i => w.streams[i].used || w.streams[i].busy > 0);
  const bottom = TOP + ROW * Math.max(1, used.length), critical = criticalOps(w);
  const x = t => LEFT + (Math.min(Math.max(t, w.from), w.to) - w.from) / span * PLOT;
  const y = stream => TOP + ROW * used.indexOf(stream) + 4;
  const title = `${schedule.name}: ${time(w.to - w.from)}, ${used.length} streams, ${percent(w.overlap, w.any)} of the busy time on two or more`;
  const svg = draw('svg', { viewBox: `0 0 1000 ${bottom + AXIS}`, role: 'img', 'aria-label': title + '. A table follows.' });
  axis(svg, span, bottom);
  for (const s of used) svg.append(draw('text', { x: 0, y: y(s) + BAR / 2 + 4 }, `stream ${s}`));
  for (const p of w.pieces) {
    if (!used.includes(p[0])) continue;
    const label = p[4] >= 0 && p[3] !== 1 ? 'waits for ' + leaf(schedule.ops[p[4]].name) : CAUSES[p[3]];
    svg.append(box(x(p[1]), y(p[0]), x(p[2]) - x(p[1]), patternOf(CAUSES[p[3]]), label, idleWords(schedule, p), 'halo'));
  }
  const inside = opsIn(schedule, w);
  for (const i of inside) {
    const o = schedule.ops[i], left = x(o.from), width = x(o.to) - left;
    svg.append(box(left, y(o.stream), width, color(o.branch), leaf(o.name), opTitle(schedule, i), 'on'));
    if (critical.has(i)) svg.append(draw('rect', { class: 'critical', x: left, y: y(o.stream) + BAR + 2, width: Math.max(width, 1.5), height: 4 }));
  }
  for (const i of inside)
    for (const k of producers(schedule, i)) {
      const from = schedule.ops[k], to = schedule.ops[i];
      if (from.to <= w.from || !used.includes(from.stream)) continue; // the module's input: all branches wait for it
      arrow(svg, x(from.to), y(from.stream) + BAR / 2, x(to.from), y(to.stream) + BAR / 2);
    }
  return make('figure', {}, make('figcaption', {}, make('strong', {}, ...breakable(schedule.name)),
    ` ${time(w.to - w.from)}` + (data.best > 0 && schedule === best ? ' (the fastest for the whole network)' : '')),
  make('div', { class: 'scroll' }, svg));
}

function showLanes() {
  const span = Math.max(1, ...schedules.map(s => s.windows[selected].to - s.windows[selected].from));
  fill('lanes', ...schedules.map(s => lanes(s, s.windows[selected], span)));
  const present = new Set(schedules.flatMap(s => s.windows[selected].pieces.map(p => CAUSES[p[3]])));
  fill('cause-legend', ...CAUSES.filter(c => present.has(c)).map(c => make('li', {},
    draw('svg', { viewBox: '0 0 24 14', 'aria-hidden': 'true' }, draw('rect', { width: 24, height: 14, fill: patternOf(c), stroke: 'var(--line)' })),
    `${c}: ${CAUSE_WORDS[c]}`)));
  fill('arrow-words', at('lanes').querySelector('.head') ? 'Arrows: which op of another stream an op waited for.' : '');
  fill('ops', ...schedules.map(opsTable));
}

function opsTable(schedule) {
  const w = schedule.windows[selected], critical = criticalOps(w);
  const rows = opsIn(schedule, w).map(i => {
    const o = schedule.ops[i];
    const names = producers(schedule, i).map(k => schedule.ops[k].name).join(', ');
    return [o.name, `${o.stream}`, time(o.from - w.from), time(o.to - o.from), critical.has(i) ? 'yes' : '', time(o.slack), cell(names, ''), cell(o.implementation || '', '')];
  });
  return make('div', { class: 'scroll' }, table(`Ops of ${windowTitle(w)}, schedule ${schedule.name}`,
    ['Op', 'Stream', 'Begins', 'Takes', 'Critical', 'Slack', 'Waits for', 'Implementation'], rows));
}

/* ---- numbers ---- */

function compareRows() {
  const all = schedules.map(s => s.windows[selected]), idle = w => sum(w.idle), walls = all.map(w => w.wall);
  const row = (name, of) => [name, ...all.map((w, i) => of(w, schedules[i]))];
  const least = Math.min(...walls);
  return [
    row('Time', w => cell(time(w.wall), w.wall === least && all.length > 1 ? 'n best' : 'n')),
    row('Times as fast as serial', (w, s) => ratio(gainOf(s, w, selected))),
    row('At most possible', w => ratio(w.gain.bound)),
    row('Streams', w => String(w.used)),
    row('Streams busy on average', w => ratio(w.gain.concurrency)),
    row('Busy time on two or more streams', w => percent(w.overlap, w.any)),
    row('Speed of ops beside others (1: as alone)', w => ratio(w.gain.stretch)),
    row('Time in which any stream is busy', w => percent(w.any, w.wall)),
    row('Idle, sum over streams', w => time(idle(w))),
  ];
}

function showCompare() {
  const w = schedules[0].windows[selected];
  fill('compare', table(schedules[0].runs > 1 ? `Medians of ${schedules[0].runs} runs` : '', [windowTitle(w), ...schedules.map(s => s.name)], compareRows()));
}

function pathItems(w) {
  const items = [];
  for (const [op, gap, from, to, host, branch] of w.path) {
    if (gap > 0) items.push(make('li', { class: 'gap' }, make('span'), make('span', {}, 'gap'), cell(time(gap), 'n', 'span')));
    if (to <= from) continue;
    const name = op < 0 ? 'until the end' : host ? `the host hands over ${leaf(shown.ops[op].name)}` : leaf(shown.ops[op].name);
    items.push(make('li', host || op < 0 ? { class: 'gap' } : {}, make('span', { class: 'chip', style: host || op < 0 ? '' : `background:${color(branch)}` }),
      make('span', {}, name), cell(`${time(to - from)} (${percent(to - from, w.to - w.from)})`, 'n', 'span')));
  }
  return items;
}

function showPath() {
  const w = shown.windows[selected], wall = w.wall;
  const owed = w.branches.filter(b => b.path > 0).map(b => `${b.name} ${percent(b.path, w.to - w.from)}`);
  fill('path-title', 'Critical path, schedule ', ...breakable(shown.name));
  fill('path', make('p', {}, `Ops ${percent(w.pathBusy, wall)}, gaps ${percent(w.pathGaps, wall)}, the host ${percent(w.pathHost, wall)}.` +
    (owed.length ? ` Of branches: ${owed.join(', ')}.` : '')), make('ol', { class: 'path' }, ...pathItems(w)));
}

/* The op and stream to which most of a cause's time goes. */
function mostly(w, cause) {
  const all = new Map();
  for (const [stream, from, to, c, op] of w.pieces) {
    if (c !== cause) continue;
    const key = op >= 0 && c !== 1 ? `stream ${stream}, for ${shown.ops[op].name}` : `stream ${stream}`;
    all.set(key, (all.get(key) || 0) + to - from);
  }
  return [...all].sort((a, b) => b[1] - a[1]).slice(0, 1).map(([key]) => key).join('');
}

function showIdle() {
  const w = shown.windows[selected], span = w.used * w.wall;
  const rows = CAUSES.map((c, i) => [i, w.idle[i]]).filter(([i, ns]) => ns > 0 && CAUSES[i] !== 'no work').sort((a, b) => b[1] - a[1])
    .map(([i, ns]) => [make('span', {}, make('strong', {}, CAUSES[i]), ` – ${CAUSE_WORDS[CAUSES[i]]}`), time(ns), percent(ns, span), cell(mostly(w, i), '')]);
  fill('idle-title', 'Why streams were idle, schedule ', ...breakable(shown.name));
  if (!rows.length) { fill('idle', make('p', {}, `${w.used === 1 ? 'The stream was' : 'All streams were'} busy all the time.`)); return; }
  fill('idle', make('div', { class: 'scroll' }, table(`${w.used} streams × ${time(w.wall)}: ${percent(w.busy, span)} busy`, ['Cause', 'Time', 'Share', 'Mostly'], rows)));
}

function limitRows(b) {
  return [['the longest chain of ops, each as fast as alone', b.path], ['the work divided by the number of streams', b.streams],
    ['ops that fill the device by themselves', b.device], ['bytes at the rate of copying', b.copies], ['operations at the rate of arithmetic', b.math]]
    .filter(([, ns]) => ns > 0).map(([words, ns]) => [words, cell(time(ns), ns === b.best ? 'n binding' : 'n')]);
}

function limitSentence(wall, b) {
  const binding = TERM_WORDS[b.binding] || b.binding;
  return wall >= b.best ? `It took ${time(wall)}. With these streams it could not take less than ${time(b.best)}: what binds is ${binding}.`
    : `It took ${time(wall)}, less than the ${time(b.best)} expected of ${binding}: caches, or a rate that is too low, for instance.`;
}

function showLimits() {
  const w = shown.windows[selected], b = w.bounds, g = w.gain, parts = [];
  fill('limits-title', 'What limits it, schedule ', ...breakable(shown.name));
  if (b.best > 0) parts.push(make('p', {}, limitSentence(w.wall, b)), table('', ['It takes at least', ''], limitRows(b)));
  if (g.gain !== null && g.stretch !== null) parts.push(make('p', {},
    `Times as fast as serial: ${ratio(g.gain)} ≈ ${ratio(g.serialGaps)} (gaps of serial left out) × ${ratio(g.stretch)} (ops beside others, 1: as fast as alone) × ${ratio(g.concurrency)} (streams busy at the same time) × ${ratio(g.deviceBusy)} (share of the time in which any stream is busy). These are medians; in each run the product is exact.`));
  if (!parts.length) parts.push(make('p', {}, 'Not known: it needs a run with the schedule serial.'));
  fill('limits', ...parts);
}

function moduleSentence(w) {
  if (w.sentence) return w.sentence;
  const share = `${windowTitle(w)} takes ${time(w.wall)} of ${time(shown.total.wall)} with the schedule ${shown.name}`;
  return w.branches.length ? `${share}. Its branches: ${branchTimes(w)}.` : share + '.';
}

function showModule() {
  const w = shown.windows[selected];
  fill('module-title', isModule(w) ? `Inside ${windowTitle(w)}` : windowTitle(w));
  fill('module-sentence', moduleSentence(w));
  showLanes();
  showCompare();
  showPath();
  showIdle();
  showLimits();
}

/* ---- all modules, and how it was measured ---- */

function allRow(index) {
  const all = schedules.map(s => s.windows[index]), least = Math.min(...all.map(w => w.wall)), w = shown.windows[index];
  const idle = CAUSES.map((c, i) => [c, w.idle[i]]).filter(([c]) => c !== 'no work').sort((a, b) => b[1] - a[1])[0];
  return [windowTitle(w), ...all.map(v => cell(time(v.wall), v.wall === least && all.length > 1 ? 'n best' : 'n')), ratio(gainOf(shown, w, index)),
    ratio(w.gain.bound), percent(w.overlap, w.any), cell(idle && idle[1] > 0 ? `${idle[0]}, ${percent(idle[1], w.used * w.wall)}` : '–', 'n')];
}

function showAllModules() {
  const rows = shown.windows.map((w, i) => i).filter(i => runs(shown, i) || shown.windows[i].wall > 0).map(allRow);
  const total = shown.total;
  rows.push(['In total', ...schedules.map(s => time(s.total.wall)), ratio(gainOf(shown, total)), ratio(total.gain.bound), percent(total.overlap, total.any), '']);
  fill('all', table(`Times per schedule; the last four columns are of the schedule ${shown.name}`,
    ['Module', ...schedules.map(s => s.name), 'Gain', 'At most', 'Overlap', 'Most idle'], rows));
}

function showNotes() {
  const lane = schedules[0].batch < data.batch ? [`A batch of ${data.batch} images is computed in parts of ${schedules[0].batch}, on several lanes or one after the other; modules are shown for one part, on lane ${schedules[0].lane}.`] : [];
  const medians = schedules[0].runs > 1 ? [`Numbers are medians of ${schedules[0].runs} runs. What is drawn is one real run, the one whose time is the median.`] : [];
  fill('notes', ...[...data.notes, ...medians, ...lane].map(n => make('li', {}, n)));
  const words = [
    ['Overlap', 'the share of the busy time in which two or more streams computed.'],
    ['Critical path', 'the chain of ops and gaps that decides when the module ends. Only what shortens it helps.'],
    ['Slack', 'how much later an op could end without the run ending later.'],
    ['At most possible', 'the time with the schedule serial, divided by what no order of the same ops on these streams can fall below.'],
    ['Interval', 'below a number of the first table: 95 % of such measurements would find the true ratio inside.'],
    ['Gain', 'the time with the schedule serial divided by the time with this one.'],
  ];
  fill('words', ...words.flatMap(([word, meaning]) => [make('dt', {}, word), make('dd', {}, meaning)]));
}

makePatterns();
start();
