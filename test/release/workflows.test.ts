import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseDocument } from 'yaml';

const root = resolve(__dirname, '../..');
const workflows = readdirSync(join(root, '.github/workflows')).sort();
const forms = readdirSync(join(root, '.github/ISSUE_TEMPLATE')).sort();
const { scripts } = JSON.parse(textOf('package.json')) as { readonly scripts: Readonly<Record<string, string>> };

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

type Permissions = Readonly<Record<string, string>>;

interface Job {
  readonly permissions?: Permissions;
  readonly 'timeout-minutes'?: number;
  /** Of a job that is another workflow. */
  readonly uses?: string;
  readonly needs?: string;
  readonly steps?: readonly Step[];
}

interface Workflow {
  readonly permissions?: Permissions;
  readonly concurrency?: object;
  readonly jobs: Readonly<Record<string, Job>>;
}

function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** What jobs may do, by the file of their workflow, beyond reading the sources. */
const permitted: Readonly<Record<string, object>> = {
  'release.yml': { publish: { contents: 'read', 'id-token': 'write' }, notes: { contents: 'write' } },
};

/** What a file of YAML says; throws if any of it is doubtful. */
function yaml(path: string): unknown {
  const document = parseDocument(textOf(path), { uniqueKeys: true });
  for (const problem of [...document.errors, ...document.warnings]) throw problem;
  return document.toJS();
}

function workflow(file: string): Workflow {
  return yaml(join('.github/workflows', file)) as Workflow;
}

function stepsOf({ jobs }: Workflow): Step[] {
  return Object.values(jobs).flatMap(({ steps = [] }) => steps);
}

describe.each(workflows)('%s', (file) => {
  test('runs scripts that there are', () => {
    const commands = stepsOf(workflow(file)).flatMap(({ run = '' }) =>
      [...run.matchAll(/\bnpm (?:run ([\w:-]+)|(test)\b)/g)].map(([, script, test]) => script ?? test ?? ''),
    );
    expect(commands.length).toBeGreaterThan(0);
    expect(commands.filter((script) => !(script in scripts))).toEqual([]);
  });

  test('pins each action by its commit, with the version for people', () => {
    const lines = textOf(join('.github/workflows', file)).split('\n');
    const uses = lines.filter((line) => /^ +(?:- )?uses: /.test(line) && !line.includes('uses: ./'));
    expect(uses.length).toBeGreaterThan(0);
    expect(uses.filter((line) => !/uses: [\w.-]+\/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
  });

  test('may read the sources and nothing else, unless a job says what it needs', () => {
    const { permissions, concurrency, jobs } = workflow(file);
    expect(permissions).toEqual({ contents: 'read' });
    expect(concurrency).toBeDefined();
    const more = Object.entries(jobs).flatMap(([name, job]) =>
      job.permissions === undefined ? [] : [[name, job.permissions] as const],
    );
    expect(Object.fromEntries(more)).toEqual(permitted[file] ?? {});
  });

  test('keeps no token in a checkout, and no job that hangs', () => {
    const { jobs } = workflow(file);
    const checkouts = stepsOf({ jobs }).filter(({ uses = '' }) => uses.startsWith('actions/checkout@'));
    for (const step of checkouts) expect(step.with).toMatchObject({ 'persist-credentials': false });
    const endless = Object.entries(jobs).filter(([, job]) => job.uses === undefined && !job['timeout-minutes']);
    expect(endless.map(([name]) => name)).toEqual([]);
  });
});

test('nothing is published before all that CI runs has passed', () => {
  const { jobs } = workflow('release.yml');
  expect(jobs.ci).toMatchObject({ uses: './.github/workflows/ci.yml' });
  expect(jobs.publish).toMatchObject({ needs: 'ci' });
  expect(jobs.notes).toMatchObject({ needs: 'publish' });
});

test.each(forms)('%s can be read', (file) => {
  expect(yaml(join('.github/ISSUE_TEMPLATE', file))).toBeInstanceOf(Object);
});

test('Renovate finds the images that stand in sources', () => {
  const { customManagers } = JSON.parse(textOf('renovate.json')) as {
    readonly customManagers: readonly {
      readonly managerFilePatterns: readonly string[];
      readonly matchStrings: readonly string[];
    }[];
  };
  const found = (path: string): string[] =>
    customManagers
      .filter(({ managerFilePatterns }) =>
        managerFilePatterns.some((pattern) => new RegExp(pattern.slice(1, -1)).test(path)),
      )
      .flatMap(({ matchStrings }) => matchStrings)
      .flatMap((expression) => [...textOf(path).matchAll(new RegExp(expression, 'g'))])
      .map(({ groups }) => `${groups?.depName ?? ''} ${groups?.currentValue ?? ''}`);
  expect(found('cluster/kind-cluster.ts')).toEqual([expect.stringMatching(/^kindest\/node v[\d.]+$/)]);
});
