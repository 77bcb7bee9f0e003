import type { Command } from 'commander';
import { maxScale, startOptions, type TypedStartOptions } from '../local/start-options';
import { command, load, typed } from './command';

const description = `Runs what main.ts deploys on this machine: real nginx with TLS in front of each backend.

While it runs, it reads lines from its standard input: scale N, scale NAME N, stop NAME-1, weight NAME N, status, help, quit.`;

const details = `
The program of --command, or after "--", is one API in place of what main.ts says. Each process is told its PORT, HOST
(127.0.0.1) and HOSTNAME (api-1 …). In --command '…', "…" and \\ work as in a shell, but none is used: for one, give
sh -c "exec …".

Environment:
  FAIRLEAD_ENVIRONMENT  the environment of main.ts, as for cdk8s synth
  FAIRLEAD_NGINX        path, debian, docker, or the path of an nginx: the only one to use. Without it, the first that
                        works: nginx 1.30 or newer on the PATH, Debian's package in ~/.cache, Docker (nginx:1.30)
  NO_COLOR              no colours`;

export function startCommand(words?: readonly string[]): Command {
  return command('start', 'what main.ts deploys, on this machine', description)
    .usage('[options] [-- PROGRAM ARG …]')
    .option('--scale <N>', `instances of each backend, 1 to ${maxScale} (default: what local.replicas says, or 2)`)
    .option('--host <NAME>', 'the DNS name that nginx answers for besides those of main.ts (default: localhost)')
    .option(
      '--listen <ADDRESS>',
      'the IP address on which clients are listened for, 0.0.0.0 for all of them (default: 127.0.0.1)',
    )
    .option('--https-port <PORT>', 'where HTTPS is (default: 8443)')
    .option('--http-port <PORT>', 'where HTTP is, which redirects to HTTPS (default: 8080)')
    .option('--metrics-port <PORT>', 'serves metrics to Prometheus (default: 9113, or another one if that is taken)')
    .option(
      '--dashboard-port <PORT>',
      'serves a page that shows all of it, live (default: 9114, or another one if that is taken)',
    )
    .option('--main <FILE>', 'what says what is deployed (default: main.ts)')
    .option('--proxy <NAME>', 'which proxy of it, if it has several')
    .option(
      '--env-file <FILE>',
      'variables of each instance, as NAME=value; several times for several files',
      collected,
    )
    .option('--access-log <FILE>', 'appends each request to a file, as nginx logs it: what fairlead explain reads')
    .option('--watch', 'replaces instances one after another when files of their directory change')
    .option('--quiet', 'shows no requests, and of instances only what they say on standard error, or as a warning')
    .option('--command <PROGRAM>', 'one API in place of what main.ts says, as "PROGRAM ARG …"')
    .option('--directory <DIRECTORY>', 'where the command runs (default: where fairlead does)')
    .option(
      '--health-check-path <PATH>',
      'a process of the command gets requests once GET on this path answers 2xx (default: /healthcheck)',
    )
    .option(
      '--keep-alive-timeout <TIME>',
      'after how long the command closes an idle connection; nginx does so earlier (default: 5s, as Node does up to version 25)',
    )
    .addHelpText('after', details)
    .action(async (values: TypedStartOptions) => {
      const options = typed(() => startOptions(values, words));
      const { start } = load('../local/start') as typeof import('../local/start');
      await start(options);
    });
}

/** Of an option that may be given several times. */
function collected(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
