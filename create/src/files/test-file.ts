import type { Project } from '../project';
import { literal } from './literals';

/** A test of what main.ts deploys. */
export function testFile({ host, language }: Project): string {
  const isTyped = language === 'typescript';
  return `${
    isTyped
      ? `import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Yaml } from 'cdk8s';

interface Manifest {
  kind: string;
  metadata: { name: string };
  spec: any;
  data?: Record<string, string>;
}
`
      : `const { mkdtempSync, readdirSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { Yaml } = require('cdk8s');
`
  }
const directory = mkdtempSync(join(tmpdir(), 'manifests-'));
let manifests${isTyped ? ': Manifest[]' : ''};

beforeAll(() => {
  process.env.CDK8S_OUTDIR = directory;
  require('./main');
  manifests = readdirSync(directory).flatMap((file) => Yaml.load(join(directory, file)));
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

function ofKind(kind${isTyped ? ': string' : ''})${isTyped ? ': Manifest[]' : ''} {
  return manifests.filter((manifest) => manifest.kind === kind);
}

test('nginx answers for the host', () => {
  const [configuration] = ofKind('ConfigMap').flatMap(({ data = {} }) => data['nginx.conf'] ?? []);
  expect(configuration).toContain(${literal(`server_name ${host};`)});
});

test('every image has a version, so that a rollback finds the one before', () => {
  const images = ofKind('Deployment').flatMap(({ spec }) => spec.template.spec.containers).map(({ image }) => image);
  expect(images).not.toEqual([]);
  for (const image of images) expect(image).toMatch(/:(?!latest$)[^:/]+$/);
});

test('no deployment is ever down to one pod', () => {
  const scaled = ofKind('HorizontalPodAutoscaler');
  const fewest = ofKind('Deployment').map(({ metadata: { name }, spec }) => {
    const autoscaler = scaled.find((each) => each.spec.scaleTargetRef.name === name);
    return autoscaler?.spec.minReplicas ?? spec.replicas;
  });
  expect(fewest.length).toBeGreaterThanOrEqual(2);
  expect(Math.min(...fewest)).toBeGreaterThanOrEqual(2);
});
`;
}
