import type { Command } from 'commander';
import { wholeNumber } from '../local/start-options';
import { port } from '../validation/amounts';
import { InvalidOption } from '../validation/invalid-option';
import { command, load, typed } from './command';

const description =
  'Writes what main.ts deploys as a compose.yaml, for those who come from Docker Compose, and what nginx reads into .fairlead/compose beside it. Then: docker compose up --scale orders=5';

interface Values {
  readonly main: string;
  readonly proxy?: string;
  readonly httpPort: string;
  readonly httpsPort: string;
  readonly output: string;
}

export function composeCommand(): Command {
  return command('compose', 'what main.ts deploys, as a compose.yaml', description)
    .option('--main <FILE>', 'what says what is deployed', 'main.ts')
    .option('--proxy <NAME>', 'which proxy of it, if it has several')
    .option('--https-port <PORT>', 'of this machine', '8443')
    .option('--http-port <PORT>', 'of this machine; it redirects to HTTPS', '8080')
    .option('--output <FILE>', 'what is written', 'compose.yaml')
    .action((values: Values) => {
      const options = typed(() => ({
        main: values.main,
        proxy: values.proxy,
        ...twoPorts(values),
        output: values.output,
      }));
      const { compose } = load('../local/compose') as typeof import('../local/compose');
      compose(options);
    });
}

function twoPorts(values: Values): { readonly httpPort: number; readonly httpsPort: number } {
  const httpPort = port('--http-port', wholeNumber(values.httpPort));
  const httpsPort = port('--https-port', wholeNumber(values.httpsPort));
  if (httpPort === httpsPort) {
    throw new InvalidOption('--http-port', httpPort, 'is --https-port as well: give a port of its own');
  }
  return { httpPort, httpsPort };
}
