import { get, type RequestOptions } from 'node:http';

/** A series, as it was served. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Exposition {
  readonly contentType: string;
  readonly text: string;
  readonly samples: readonly Sample[];
  /** Of each family. */
  readonly types: Readonly<Record<string, string>>;
}

/** What a scraper is answered. */
export function scrape(port: number, options: RequestOptions = {}): Promise<Exposition> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/metrics', agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode !== 200) {
          reject(new Error(`${response.statusCode} ${text}`));
          return;
        }
        resolve({ ...parsed(text), text, contentType: String(response.headers['content-type']) });
      });
    }).on('error', reject);
  });
}

/** Refuses a line that no scraper would read. */
export function parsed(text: string): Pick<Exposition, 'samples' | 'types'> {
  const samples: Sample[] = [];
  const types: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (type !== null) types[String(type[1])] = String(type[2]);
    if (line === '' || line.startsWith('#')) continue;
    const found = /^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\]|\\.)*",?)*)\})? (-?[\d.e+]+)$/.exec(line);
    if (found === null) throw new Error(`not a sample: ${line}`);
    const [, name = '', labels = '', value] = found;
    const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)];
    samples.push({
      name,
      labels: Object.fromEntries(pairs.map(([, label = '', of = '']) => [label, of])),
      value: Number(value),
    });
  }
  return { samples, types };
}

/** What all series of a name with these labels add up to. */
export function sum(
  { samples }: Pick<Exposition, 'samples'>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  return samples
    .filter(
      (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )
    .reduce((all, { value }) => all + value, 0);
}
