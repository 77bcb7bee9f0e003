import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { typescriptProgram } from '../typescript-program';

const root = resolve(__dirname, '../..');

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the commands of the timeline need, apart from the repository: its main.ts may be broken, and its docs written. */
export class ProjectCopy {
  readonly directory = mkdtempSync(join(tmpdir(), 'fairlead-timeline-'));

  constructor() {
    const rooms = [
      'certificates',
      'charts',
      'cli',
      'cluster',
      'dashboard',
      'local',
      'model',
      'nginx',
      'timeline',
      'validation',
    ];
    const files = [
      'cli.ts',
      'environments.ts',
      'main.ts',
      'package.json',
      'reliability/deployed-app.ts',
      'reliability/environment.ts',
      'reliability/report/measured-timeline.ts',
      'tsconfig.json',
    ];
    for (const name of [...rooms, ...files]) {
      cpSync(join(root, name), this.path(name), { recursive: true });
    }
    mkdirSync(this.path('docs'));
    symlinkSync(join(root, 'node_modules'), this.path('node_modules'));
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  run(file: string, args: readonly string[] = [], environment: Readonly<Record<string, string>> = {}): Promise<Run> {
    return new Promise((done, failed) => {
      const child = spawn(process.execPath, [...typescriptProgram, file, ...args], {
        cwd: this.directory,
        env: { PATH: process.env.PATH, ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const output = { stdout: '', stderr: '' };
      child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
      child.once('error', failed);
      child.once('close', (code) => {
        done({ code, ...output });
      });
    });
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }
}
