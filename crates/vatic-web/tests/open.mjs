// The module of the page in the directory `site`, with all models, in Node.
import { readFileSync } from 'node:fs';

export async function open(site) {
  // As a module whatever the version of Node takes the name's end for.
  const script = readFileSync(`${site}/vatic.js`, 'base64');
  const module = await import(`data:text/javascript;base64,${script}`);
  module.initSync({ module: readFileSync(`${site}/vatic_bg.wasm`) });
  const models = JSON.parse(readFileSync(`${site}/models.json`));
  const vatic = new module.Vatic();
  for (const { name, file } of models) {
    if (vatic.add(readFileSync(`${site}/${file}`)) !== name) throw new Error(`${file} is not the model ${name}`);
  }
  return { ...module, vatic, models };
}
