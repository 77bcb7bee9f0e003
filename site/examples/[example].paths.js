import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { examples } from '../.vitepress/pages.mjs';

const directory = resolve(import.meta.dirname, '../../examples');

/** A page for each program. */
export default {
  paths: () =>
    examples.map((example) => ({
      params: { example },
      content: `Synthesized, asked behind a real nginx and started by the tests. In a clone: \`npm start -- --main examples/${example}.ts\`

\`\`\`ts
${readFileSync(join(directory, `${example}.ts`), 'utf8').replaceAll("'../index'", "'fairlead'")}\`\`\`
`,
    })),
};
