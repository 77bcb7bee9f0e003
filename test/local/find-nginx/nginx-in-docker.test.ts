import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nginxInDocker } from '../../../local/find-nginx/nginx-in-docker';
import { onTestFinished } from '../../afterwards';

test('a container sees the directories that it is to serve, and cannot write to them', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-docker-'));
  const { PATH = '' } = process.env;
  onTestFinished(() => {
    process.env.PATH = PATH;
    rmSync(directory, { recursive: true });
  });
  const version = 'printf "nginx version: nginx/1.30.6\\nbuilt with OpenSSL 3.5.4\\n" >&2';
  const docker = `#!/bin/sh\ncase "$*" in *-V) ${version} ;; *) echo Linux ;; esac\n`;
  writeFileSync(join(directory, 'docker'), docker, { mode: 0o755 });
  process.env.PATH = `${directory}:${PATH}`;
  const nginx = await nginxInDocker({ directories: ['/home/a,b/"web"'] });
  const { args } = nginx.command('/run/nginx.conf');
  expect(args).toContain('--volume=/run:/run');
  // A field of CSV, as Docker reads it.
  expect(args).toContain('--mount=type=bind,readonly,"source=/home/a,b/""web""","target=/home/a,b/""web"""');
  const without = (await nginxInDocker({})).command('/run/nginx.conf').args.join(' ');
  expect(without).not.toContain('--mount');
});
