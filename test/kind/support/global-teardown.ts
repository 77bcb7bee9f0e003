import { figuresTable } from './figures';
import { cluster } from './suite';

export default async function globalTeardown(): Promise<void> {
  process.stdout.write(`\n${figuresTable()}\n`);
  if (process.env.FAIRLEAD_KEEP_CLUSTER !== '1') await cluster.delete();
}
