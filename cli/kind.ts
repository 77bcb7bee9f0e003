import type { Command } from 'commander';
import type { HostPorts } from '../cluster/kind-config';
import { wholeNumber } from '../local/start-options';
import { port } from '../validation/amounts';
import { InvalidOption } from '../validation/invalid-option';
import { command, load, typed } from './command';

const upDescription = `Makes a kind cluster "fairlead" with three nodes on this machine, builds the API's image from api/Dockerfile, and deploys main.ts with the environment "kind". Run again after a change, it brings the cluster up to date.`;

const upDetails = `
Environment:
  KIND_NODE_IMAGE  the node image to create the cluster from`;

interface Values {
  readonly httpPort?: string;
  readonly httpsPort?: string;
}

export function kindCommand(): Command {
  return command('kind', 'a kind cluster with what main.ts deploys, on this machine: up, down')
    .usage('COMMAND [options]')
    .helpCommand(false)
    .addCommand(upCommand())
    .addCommand(downCommand());
}

function upCommand(): Command {
  return command('up', 'a kind cluster with what main.ts deploys, on this machine', upDescription)
    .option('--https-port <PORT>', 'https://localhost:PORT (default: 8443, or what the cluster has)')
    .option('--http-port <PORT>', 'http://localhost:PORT (default: 8080, or what the cluster has)')
    .addHelpText('after', upDetails)
    .action(async (values: Values) => {
      const ports = typed(() => askedPorts(values));
      const { kindUp } = load('../cluster/kind-up') as typeof import('../cluster/kind-up');
      await kindUp(ports);
    });
}

function downCommand(): Command {
  return command('down', 'removes that cluster', 'Removes the kind cluster "fairlead" and everything in it.').action(
    async () => {
      const { kindDown } = load('../cluster/kind-down') as typeof import('../cluster/kind-down');
      await kindDown();
    },
  );
}

function askedPorts({ httpPort, httpsPort }: Values): Partial<HostPorts> {
  const asked = {
    ...(httpPort === undefined ? {} : { httpPort: port('--http-port', wholeNumber(httpPort)) }),
    ...(httpsPort === undefined ? {} : { httpsPort: port('--https-port', wholeNumber(httpsPort)) }),
  };
  if (asked.httpPort !== undefined && asked.httpPort === asked.httpsPort) {
    throw new InvalidOption('--http-port', asked.httpPort, 'is --https-port as well: give a port of its own');
  }
  return asked;
}
