// How fast the module codes and restores a text in one thread, in KB/s: medians of five runs, 20,000 bytes of story.txt.
//
//     SITE=target/web node crates/vatic-web/benches/speed.mjs
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { open } from '../tests/open.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const { vatic, models } = await open(resolve(process.env.SITE ?? `${root}/target/web`));
const content = readFileSync(`${root}/fixtures/story.txt`).subarray(0, 20000);
const RUNS = 5;

function timed(work) {
  const from = performance.now();
  const result = work();
  return [content.length / (performance.now() - from), result];
}

const median = (rates) => rates.sort((a, b) => a - b)[RUNS >> 1].toFixed(1);

console.log('| model | coding, KB/s | restoring, KB/s |\n|---|---:|---:|');
for (const { name } of models) {
  const rates = [[], []];
  for (let run = 0; run < RUNS; run++) {
    const [coding, packed] = timed(() => vatic.compress(content, name));
    rates[0].push(coding);
    rates[1].push(timed(() => vatic.decompress(packed))[0]);
  }
  console.log(`| ${name} | ${rates.map(median).join(' | ')} |`);
}
