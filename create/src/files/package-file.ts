import { relative, sep } from 'node:path';
import { devDependencies as tried } from '../../../package.json';
import type { Project } from '../project';

const always = ['cdk8s', 'cdk8s-cli', 'cdk8s-plus-27', 'constructs', 'jest'] as const;
const typescript = ['@swc/core', '@swc/jest', '@types/jest', '@types/node', 'ts-node', 'typescript'] as const;

/** The package.json of the deployment, with the versions that fairlead itself is tried with. */
export function packageFile(project: Project): string {
  const isTyped = project.language === 'typescript';
  const names = isTyped ? [...always, ...typescript] : always;
  const versions = { ...Object.fromEntries(names.map((name) => [name, tried[name]])), fairlead: fairlead(project) };
  const content = {
    name: `${project.name}-deployment`,
    private: true,
    engines: { node: '>=20.20' },
    scripts: {
      start: isTyped ? 'fairlead start' : 'fairlead start --main main.js',
      synth: `${isTyped ? 'tsc --noEmit && ' : ''}cdk8s synth --check-upgrade=false`,
      test: 'jest',
    },
    jest: {
      testEnvironment: 'node',
      modulePathIgnorePatterns: ['<rootDir>/dist/'],
      transform: isTyped ? { '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022' } }] } : {},
    },
    devDependencies: Object.fromEntries(Object.entries(versions).sort(([one], [other]) => (one < other ? -1 : 1))),
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

/** What npm installs it from; a file by its way from here, so that it is found wherever the repository is. */
function fairlead({ fairlead: source, place }: Project): string {
  if ('version' in source) return source.version;
  return `file:${relative(place.directory, source.file).split(sep).join('/')}`;
}
