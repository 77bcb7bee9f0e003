/** A directive or a block of nginx.conf. */
export interface Block {
  readonly text: string;
  readonly body: readonly Block[];
}

export function one(root: Block, text: RegExp): Block {
  const found = root.body.find((block) => text.test(block.text));
  if (found === undefined) throw new Error(`${String(text)} is not there`);
  return found;
}

export function everyBlock(block: Block): Block[] {
  return [block, ...block.body.flatMap(everyBlock)];
}

export function everyText(block: Block): string[] {
  return everyBlock(block).map(({ text }) => text);
}

/** Our own output, a directive a line. */
export function parse(conf: string): Block {
  const root: { text: string; body: Block[] } = { text: '', body: [] };
  const open = [root];
  for (const line of conf.split('\n')) {
    const text = line.replace(/ +# .*$/, '').trim();
    if (text === '' || text.startsWith('#')) continue;
    if (text === '}') {
      open.pop();
      continue;
    }
    const block = { text: text.replace(/ ?[{;]$/, ''), body: [] };
    open.at(-1)?.body.push(block);
    if (text.endsWith('{')) open.push(block);
  }
  return root;
}
