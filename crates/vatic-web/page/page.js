// The page: what is typed or dropped goes to the worker, and what comes back is shown.

const SAMPLE = `The lighthouse keeper wrote down the weather every evening, and every evening he wrote nearly the same. Wind from the west, a light swell, visibility good. After some years he could have filled the book in advance and been wrong on one day in twenty.

So he stopped writing the days that went as expected, and wrote down only the surprises: a ship without lights, a seal on the steps, a wind from the west that turned to the east within the hour. The book grew thin, and nothing was lost. Whoever knew the keeper's expectations could read from it, evening by evening, what the weather had been: wind from the west, a light swell, visibility good.`;

// The least bits of each colour.
const SHADES = [0.5, 1, 2, 4, 8, 12];
// More than this of a text is not shown.
const LONGEST = 65536;
// How long the page waits for the next letter, in milliseconds…
const PAUSE = 350;
// …and how long for what an older text still takes.
const PATIENCE = 2000;

const $ = (id) => document.getElementById(id);
const number = (n, digits = 0) => n.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const make = (name, attributes = {}, ...children) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
};

class Worked {
  constructor() {
    this.next = 0;
    this.waiting = new Map();
    this.start();
  }

  start() {
    this.worker = new Worker('worker.js', { type: 'module' });
    this.worker.onmessage = ({ data: { id, progress, result, error, broken } }) => {
      const asked = this.waiting.get(id);
      if (!asked) return;
      if (progress) return asked.tell?.(progress);
      this.waiting.delete(id);
      error ? asked.fail(new Error(error)) : asked.done(result);
      if (broken) this.restart('The module was stopped by what came before.');
    };
    // Not begun again: it would fail again, without end.
    this.worker.onerror = () => {
      this.failed = 'The page could not start its work; is this browser older than 2023?';
      this.end(this.failed);
    };
  }

  // Ends what is under way.
  end(why) {
    this.worker.terminate();
    for (const asked of this.waiting.values()) asked.fail(new Error(why));
    this.waiting.clear();
  }

  restart(why) {
    this.end(why);
    this.start();
  }

  ask(job, asked = {}, tell, transfer = []) {
    if (this.failed) return Promise.reject(new Error(this.failed));
    const id = this.next++;
    return new Promise((done, fail) => {
      this.waiting.set(id, { done, fail, tell });
      this.worker.postMessage({ id, job, ...asked }, transfer);
    });
  }
}

// A text is not to wait for a file.
const forText = new Worked();
let forFiles;

const chosen = () => document.querySelector('#models input:checked').value;

function say(words, wrong = false) {
  $('state').textContent = words;
  $('state').classList.toggle('wrong', wrong);
}

// The text

// Since when a text is worked on.
let since;
let again = false;
let timer;

function told({ loading, done, of }) {
  if (!loading) return;
  say(`Loading the model ${loading}: ${number(done / 1e6, 1)} of ${number(of / 1e6, 1)} MB`);
  // Whoever types meanwhile is not to have it loaded from the beginning again.
  since = performance.now();
}

async function explain() {
  if (since !== undefined) {
    again = true;
    if (performance.now() - since > PATIENCE) forText.restart('Begun anew.');
    return;
  }
  do {
    again = false;
    since = performance.now();
    say('Working…');
    let text = $('text').value;
    const cut = text.length > LONGEST;
    // Not within a character.
    if (cut) text = text.slice(0, LONGEST).replace(/[\ud800-\udbff]$/, '');
    try {
      const result = await forText.ask('explain', { text, model: chosen() }, told);
      if (again) continue;
      show(result);
      say(`${cut ? `The first ${number(LONGEST)} letters: c` : 'C'}ompressed, restored and explained in ${number((performance.now() - since) / 1000, 1)} s.`);
    } catch (error) {
      if (!again) say(error.message, true);
    }
  } while (again);
  since = undefined;
}

function bar(name, bytes, most, kind, words) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const rect = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  const width = `${(100 * bytes) / Math.max(most, 1)}%`;
  for (const [key, value] of Object.entries({ class: kind, width, height: '100%', rx: 2 })) rect.setAttribute(key, value);
  svg.append(rect);
  svg.setAttribute('aria-hidden', 'true');
  return make('div', { class: 'row' }, make('b', {}, name), make('div', { class: 'bar' }, svg, make('span', {}, words)));
}

function show({ bytes, packed, gzip, restored, content, lengths, bits, sources, alone }) {
  const most = Math.max(bytes, packed, gzip);
  const per = (size) => (bytes ? `, ${number((8 * size) / bytes, 2)} bits a byte` : '');
  $('sizes').replaceChildren(
    bar('the text', bytes, most, 'peer', `${number(bytes)} bytes`),
    bar('gzip', gzip, most, 'peer', `${number(gzip)}${per(gzip)}`),
    bar('vatic', packed, most, 'own', `${number(packed)}${per(packed)}`),
    make('p', { class: restored ? 'same' : 'wrong' }, restored ? '✓ restored, and the same byte for byte' : '✗ what came back is not what went in'),
  );
  const transformer = sources.indexOf('transformer');
  const pieces = [];
  const decoder = new TextDecoder();
  let at = 0;
  for (let n = 0; n < lengths.length; ) {
    // Some tokens end within a character: they are shown together.
    const piece = { start: at, bits: 0, alone: new Float64Array(sources.length) };
    do {
      at += lengths[n];
      piece.bits += bits[n];
      for (let s = 0; s < sources.length; s++) piece.alone[s] += alone[n * sources.length + s];
      n++;
    } while (n < lengths.length && (content[at] & 0xc0) === 0x80);
    piece.text = decoder.decode(content.subarray(piece.start, at));
    piece.best = piece.alone.reduce((best, cost, s) => (cost < piece.alone[best] ? s : best), 0);
    pieces.push(piece);
  }
  const spans = pieces.map((piece) => {
    const shade = SHADES.filter((least) => piece.bits >= least).length;
    return make('span', shade ? { class: `c${shade}` } : {}, piece.text);
  });
  const pre = $('tokens');
  pre.replaceChildren(...spans);
  let here = -1;
  const tell = (n) => {
    if (n < 0 || n >= pieces.length) return;
    spans[here]?.classList.remove('at');
    spans[n].classList.add('at');
    here = n;
    const piece = pieces[n];
    const chance = piece.bits < 0.01 ? 'as good as certain' : `expected once in ${number(2 ** piece.bits, piece.bits < 6 ? 1 : 0)} times`;
    const own = transformer < 0 ? '' : ` The transformer alone: ${number(piece.alone[transformer], 2)}.`;
    $('detail').textContent = `“${piece.text}” cost ${number(piece.bits, 2)} bits: ${chance}.${own} Best alone: ${sources[piece.best]}, ${number(piece.alone[piece.best], 2)}.`;
  };
  pre.onpointerover = ({ target }) => tell(spans.indexOf(target));
  pre.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    tell(Math.min(Math.max(here + step, 0), pieces.length - 1));
    spans[here]?.scrollIntoView({ block: 'nearest' });
  };
  $('detail').textContent = '\u00a0';
}

// Files

// One after the other.
let line = Promise.resolve();

function take(files) {
  $('results').hidden = false;
  for (const file of files) one(file, chosen());
}

function one(file, model) {
  const row = $('results').tBodies[0].insertRow();
  row.insertCell().textContent = file.name;
  row.insertCell().textContent = number(file.size);
  const rest = row.insertCell();
  rest.colSpan = 5;
  const progress = make('progress', { 'aria-label': `Progress of ${file.name}` });
  const stop = make('button', { type: 'button' }, 'Stop');
  rest.append(progress, ' ', stop);
  const wrong = (words) => {
    rest.className = 'wrong';
    rest.textContent = words;
  };
  const heard = ({ loading, done, of }) => {
    if (loading || !of) return;
    [progress.max, progress.value] = [of, done];
  };
  let stopped = false;
  stop.onclick = () => {
    stopped = true;
    wrong('Stopped.');
  };
  line = line.then(async () => {
    if (stopped) return;
    forFiles ??= new Worked();
    stop.onclick = () => {
      stopped = true;
      forFiles.restart('Stopped.');
    };
    try {
      const content = await file.arrayBuffer();
      if (stopped) throw new Error('Stopped.');
      done(await forFiles.ask('file', { content, model }, heard, [content]));
    } catch (error) {
      wrong(error.message);
    }
  });

  function done({ packed, restored, gzip, milliseconds }) {
    rest.remove();
    const seconds = number(milliseconds / 1000, 1);
    const cells = packed
      ? [number(gzip), number(packed.length), file.size ? number((8 * packed.length) / file.size, 3) : '', seconds]
      : ['', `restored: ${number(restored.length)}`, '', seconds];
    for (const cell of cells) row.insertCell().textContent = cell;
    const name = packed ? `${file.name}.vtc` : file.name.replace(/\.vtc$/, '') || 'restored';
    const address = URL.createObjectURL(new Blob([packed ?? restored]));
    row.insertCell().append(make('a', { href: address, download: name }, 'Save'));
  }
}

// The beginning

try {
  const models = await forText.ask('models');
  for (const [n, { name, bytes }] of models.entries()) {
    const input = make('input', { type: 'radio', name: 'model', value: name, id: `model-${name}` });
    input.checked = n === 0;
    input.onchange = explain;
    $('models').append(make('label', { for: `model-${name}` }, input, ` ${name} (${number(bytes / 1e6)} MB)`));
  }
  $('text').value = SAMPLE;
  $('text').oninput = () => {
    clearTimeout(timer);
    timer = setTimeout(explain, PAUSE);
  };
  $('file').onchange = ({ target }) => {
    take(target.files);
    target.value = '';
  };
  const drop = $('drop');
  drop.ondragover = (event) => {
    event.preventDefault();
    drop.classList.add('over');
  };
  drop.ondragleave = () => drop.classList.remove('over');
  drop.ondrop = (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    take(event.dataTransfer.files);
  };
  await explain();
} catch (error) {
  say(error.message, true);
}
