// The module that `make web` makes, in Node in place of a browser: what it does is what the command does, to the byte.
//
//     SITE=target/web VATIC=target/release/vatic node --test crates/vatic-web/tests/module.test.mjs
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { open } from './open.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const site = resolve(process.env.SITE ?? `${root}/target/web`);
const command = resolve(process.env.VATIC ?? `${root}/target/release/vatic`);
const { vatic, models, Vatic, listed, looksLike } = await open(site);

const fixtures = readdirSync(`${root}/fixtures`).filter((name) => name !== 'README.md');
const fixture = (name) => readFileSync(`${root}/fixtures/${name}`);

describe('golden files', () => {
  const folder = `${root}/tests/golden`;
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.vtc'))) {
    test(name, () => {
      const data = readFileSync(`${folder}/${name}`);
      assert(looksLike(data));
      if (name.startsWith('prior')) {
        assert.throws(() => vatic.decompress(data), /prior/);
        return;
      }
      const content = readFileSync(`${folder}/${name}.content`);
      assert.deepEqual(Buffer.from(vatic.decompress(data)), content);
      assert.equal(listed(data).bytes, content.length);
    });
  }
});

describe('the same bytes as the command', () => {
  for (const name of fixtures) {
    test(name, () => {
      const content = fixture(name);
      const file = `${root}/fixtures/${name}`;
      const byCommand = execFileSync(command, ['-q', '-c', '--model', 'swift', file]);
      let done = 0;
      const packed = vatic.compress(content, 'swift', (now) => {
        assert(now >= done);
        done = now;
      });
      assert.deepEqual(Buffer.from(packed), byCommand);
      assert.equal(done, content.length);
      assert.deepEqual(Buffer.from(vatic.decompress(packed)), content);
    });
  }
  test('with each model', () => {
    const content = fixture('story.txt').subarray(0, 1500);
    for (const { name, id } of models) {
      const byCommand = execFileSync(command, ['-q', '-c', '--model', name], { input: content });
      assert.deepEqual(Buffer.from(vatic.compress(content, name)), byCommand, name);
      assert.deepEqual(listed(byCommand).models, [id.slice(0, 2)]);
    }
  });
});

test('tokens and their costs are those of the text', () => {
  const content = fixture('chinese.txt').subarray(0, 3000);
  const account = vatic.explain(content, 'swift');
  const [lengths, bits, sources] = [account.lengths(), account.bits(), account.sources()];
  assert.equal(lengths.reduce((a, b) => a + b), content.length);
  assert.equal(bits.length, lengths.length);
  assert.equal(account.alone().length, lengths.length * sources.length);
  assert(sources.includes('transformer'));
  const bytes = bits.reduce((a, b) => a + b) / 8;
  const packed = vatic.compress(content, 'swift').length;
  assert(bytes <= packed && packed < bytes + 20, `${bytes} and ${packed}`);
});

test('what cannot be done is said', () => {
  const packed = vatic.compress(fixture('story.txt'), 'swift');
  assert.throws(() => vatic.decompress(packed.subarray(0, 1000)), /^Error: .*end/);
  packed[2000] ^= 1;
  assert.throws(() => vatic.decompress(packed), /^Error: .*(checksum|damaged|corrupt)/);
  assert.throws(() => vatic.decompress(fixture('story.txt')), /^Error: .*vatic/);
  assert.throws(() => vatic.add(fixture('wave.bin')), /^Error: .*model/);
  assert.throws(() => vatic.compress(new Uint8Array(10), 'huge'), /huge was not loaded/);
  assert.throws(() => new Vatic().decompress(vatic.compress(fixture('story.txt'), 'swift')), /model/);
});

test('the page has what its script asks for', () => {
  const page = readFileSync(`${site}/index.html`, 'utf8');
  const script = readFileSync(`${site}/page.js`, 'utf8');
  const asked = [...script.matchAll(/\$\('([^']+)'\)/g)].map((match) => match[1]);
  assert(asked.length > 10);
  for (const id of asked) assert(page.includes(`id="${id}"`), id);
  // Nothing comes from elsewhere.
  for (const name of readdirSync(site).filter((name) => /\.(html|css|js)$/.test(name) && name !== 'vatic.js')) {
    const outside = readFileSync(`${site}/${name}`, 'utf8').match(/https?:\/\/[^\s'"`]+/g) ?? [];
    assert.deepEqual(outside.filter((address) => address !== 'http://www.w3.org/2000/svg'), [], name);
  }
});
