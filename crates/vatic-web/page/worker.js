// What takes long, beside the page: the module of WebAssembly, the models, and the work.
import init, { Vatic, listed, looksLike } from './vatic.js';

const loaded = new Set();
let vatic;
let models;

async function start() {
  [models] = await Promise.all([(await fetched('models.json')).json(), init()]);
  vatic = new Vatic();
}

async function fetched(address) {
  const answer = await fetch(new URL(address, import.meta.url));
  if (!answer.ok) throw new Error(`${address} could not be loaded: ${answer.status} ${answer.statusText}`);
  return answer;
}

// Loads a model unless it is there. `tell` hears of the bytes that have come.
async function load(name, tell) {
  if (loaded.has(name)) return;
  const model = models.find((model) => model.name === name);
  const file = new Uint8Array(model.bytes);
  let length = 0;
  const reader = (await fetched(model.file)).body.getReader();
  for (;;) {
    const { done, value: part } = await reader.read();
    if (done) break;
    if (length + part.length > file.length) throw new Error(`${model.file} is larger than it should be`);
    file.set(part, length);
    length += part.length;
    tell({ loading: name, done: length, of: model.bytes });
  }
  if (length < file.length) throw new Error(`${model.file} ended too early`);
  vatic.add(file);
  loaded.add(name);
}

async function gzipped(content) {
  const stream = new Blob([content]).stream().pipeThrough(new CompressionStream('gzip'));
  return (await new Response(stream).arrayBuffer()).byteLength;
}

const same = (a, b) => a.length === b.length && a.every((byte, n) => byte === b[n]);

const jobs = {
  models: async () => models,

  async explain({ text, model }, tell) {
    await load(model, tell);
    const content = new TextEncoder().encode(text);
    const packed = vatic.compress(content, model);
    const restored = same(vatic.decompress(packed), content);
    const account = vatic.explain(content, model);
    const result = {
      bytes: content.length,
      packed: packed.length,
      gzip: await gzipped(content),
      restored,
      content,
      lengths: account.lengths(),
      bits: account.bits(),
      sources: account.sources(),
      alone: account.alone(),
    };
    account.free();
    return result;
  },

  async file({ content, model }, tell) {
    const bytes = new Uint8Array(content);
    if (looksLike(bytes)) {
      // It names the models it was made with by the beginnings of their identities.
      const list = listed(bytes);
      for (const id of list.models) {
        const known = models.find((model) => model.id.startsWith(id));
        if (known) await load(known.name, tell);
      }
      const from = performance.now();
      const restored = vatic.decompress(bytes, (done) => tell({ done, of: list.bytes }));
      return { restored, milliseconds: performance.now() - from };
    }
    await load(model, tell);
    const from = performance.now();
    const packed = vatic.compress(bytes, model, (done) => tell({ done, of: bytes.length * 2 }));
    const milliseconds = performance.now() - from;
    const back = vatic.decompress(packed, (done) => tell({ done: bytes.length + done, of: bytes.length * 2 }));
    if (!same(back, bytes)) throw new Error('what came back is not what went in: this is an error of vatic, please report it');
    return { packed, gzip: await gzipped(bytes), milliseconds };
  },
};

const started = start();
// One job after the other.
let last = started.catch(() => {});
self.onmessage = ({ data: { id, job, ...asked } }) => {
  last = last.then(async () => {
    const tell = (progress) => self.postMessage({ id, progress });
    try {
      await started;
      self.postMessage({ id, result: await jobs[job](asked, tell) });
    } catch (error) {
      // A module that stopped within a call is in no state to go on.
      if (error instanceof WebAssembly.RuntimeError) {
        self.postMessage({ id, error: 'The module stopped; there may be too little memory for this.', broken: true });
      } else {
        self.postMessage({ id, error: error.message });
      }
    }
  });
};
